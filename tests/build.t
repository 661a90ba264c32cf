#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# What the built programs are: hardened as the Makefile promises, and the scanner's parent free of
# libclamav, because it must outlive whatever a message does to that library.
use strict;
use warnings;
use FindBin;
use Test::More;

chdir "$FindBin::Bin/.." or die "chdir: $!\n";
my $build = 'build/release';

sub output {
	open(my $pipe, '-|', @_) or die "$_[0]: $!\n";
	return join '', <$pipe>;
}

for my $name (qw(mailfilter scanner)) {
	my $program = "$build/bin/$name";
	ok(-x $program, "$program is built") or next;
	my $header   = output('readelf', '-hW', $program);
	my $segments = output('readelf', '-lW', $program);
	my $dynamic  = output('readelf', '-dW', $program);
	my $symbols  = output('nm', '-D', '--undefined-only', $program);
	like($header, qr/Type:\s+DYN/, "$name: position independent");
	like($dynamic, qr/\(FLAGS_1\).*\bPIE\b/, "$name: a program, not a library");
	like($segments, qr/GNU_RELRO/, "$name: relocations become read-only");
	like($dynamic, qr/BIND_NOW|\(FLAGS_1\).*\bNOW\b/, "$name: and are all bound at the start");
	like($segments, qr/GNU_STACK.*\bRW\s/, "$name: no executable stack");
	like($symbols, qr/__stack_chk_fail/, "$name: stack protector");
	like($symbols, qr/__\w+_chk\b/, "$name: fortified");
	unlike($symbols, qr/\b(?:gets|strcpy|strcat|sprintf|system|popen|mktemp|tmpnam)\b/, "$name: no function that cannot be used safely");
	unlike($dynamic, qr/RUNPATH|RPATH/, "$name: libraries only from where the system has them");
}

my @objects = glob "$build/scanner/*.o $build/common/*.o";
ok(scalar(@objects), 'there are objects to look into');
my @wrong = grep {
	!m{/scanner/engine\w*\.o$} && output('nm', '--undefined-only', $_) =~ /\bU cl_\w+/
} @objects;
is_deeply(\@wrong, [], 'libclamav is called from scanner/engine only');
like(output('nm', '-D', '--defined-only', "$build/bin/scanner"), qr/ T sscanf$/m, 'libclamav finds our sscanf');
unlike(output('readelf', '-dW', "$build/bin/mailfilter"), qr/NEEDED.*libclamav/, 'mailfilter does not load libclamav');
done_testing();
