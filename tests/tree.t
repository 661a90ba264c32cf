#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The rules of the tree that a reader relies on: who includes whom, where a foreign library may
# be seen, how long a file may be, and that the README speaks of what exists.
use strict;
use warnings;
use FindBin;
use Test::More;

chdir "$FindBin::Bin/.." or die "chdir: $!\n";
my $LINES_MAX = 400;

# A foreign header and the only files that may include it. A private header of a part may be there
# for the few files that share a foreign library.
my %FOREIGN = (
	'zmq.h'       => qr{^common/link\w*\.[ch]$},
	'gmime/'      => qr{^common/mime\w*\.[ch]$},
	'confuse.h'   => qr{^common/schema\w*\.c$},
	'sqlite3.h'   => qr{^mailfilter/record\w*\.[ch]$},
	'clamav.h'    => qr{^scanner/engine\w*\.[ch]$},
	'libetpan/'   => qr{^mailfilter/(?:stream|source|imap|pop3)\w*\.[ch]$},
	'gnutls/'     => qr{^(?:mailfilter/(?:tls|stream)|common/hash)\w*\.[ch]$},
	'archive'     => qr{^scanner/\w+\.[ch]$},
	'seccomp.h'   => qr{^(?:scanner/sandbox\w*|mailfilter/confine\w*)\.[ch]$},
	'linux/seccomp.h' => qr{^scanner/sandbox\w*\.[ch]$},
);

# The steps of a message's way, each behind its own header: none knows another.
my @STEPS = qw(judge scan quarantine deliver notice);

# Every header of ours that a file includes.
sub includes {
	my ($path) = @_;
	open(my $file, '<', $path) or die "$path: $!\n";
	my @all = map { /^\s*#\s*include\s*["<]([^">]+)[">]/ ? $1 : () } <$file>;
	return @all;
}

chomp(my @tracked = `git ls-files --cached --others --exclude-standard 2>/dev/null`);
@tracked = split /\n/, `find . -path ./build -prune -o -path ./.git -prune -o -type f -printf '%P\\n'` if !@tracked;
@tracked = grep { -f } @tracked;
my @sources = grep { m{^(?:common|mailfilter|scanner|tests)/.*\.[ch]$} } @tracked;
my @wrong;

for my $path (@sources) {
	my ($top) = $path =~ m{^(\w+)/};
	for my $header (includes($path)) {
		my ($other) = $header =~ m{^(common|mailfilter|scanner|tests)/};
		push @wrong, "$path includes $header"
			if $other && ($top eq 'common' && $other ne 'common'
			|| $top eq 'mailfilter' && $other !~ /^(?:common|mailfilter)$/
			|| $top eq 'scanner' && $other !~ /^(?:common|scanner)$/);
		next if $top eq 'tests';
		push @wrong, "$path includes \"$header\" without its folder" if !$other && -f "$top/$header";
	}
}
is_deeply(\@wrong, [], 'common knows neither program, and the programs do not know each other');

@wrong = ();
for my $path (grep { !m{^tests/} } @sources) {
	for my $header (includes($path)) {
		for (sort keys %FOREIGN) {
			push @wrong, "$path includes $header" if index($header, $_) == 0 && $path !~ $FOREIGN{$_};
		}
	}
}
is_deeply(\@wrong, [], 'a foreign library is seen in one place');

@wrong = ();
for my $step (@STEPS) {
	for my $path (glob "mailfilter/$step.[ch] mailfilter/${step}_*.[ch]") {
		for my $header (includes($path)) {
			my ($other) = $header =~ m{^mailfilter/(\w+?)(?:_\w+)?\.h$} or next;
			push @wrong, "$path includes $header" if $other ne $step && grep { $_ eq $other } @STEPS, 'pipeline', 'account', 'supervisor';
		}
	}
}
is_deeply(\@wrong, [], 'no step includes another step, nor what calls it');

@wrong = ();
# A test file mirrors its module and lists its cases: it may be longer.
for my $path (grep { m{\.(?:[ch]|pm|pl|t|sh)$|^Makefile$} } @tracked) {
	open(my $file, '<', $path) or die "$path: $!\n";
	my @lines = <$file>;
	push @wrong, "$path: " . @lines . ' lines' if @lines > $LINES_MAX;
}
is_deeply(\@wrong, [], "no file is over $LINES_MAX lines");

@wrong = ();
for my $path (grep { m{\.(?:[ch]|pm|pl|t|sh)$} } @tracked) {
	open(my $file, '<', $path) or die "$path: $!\n";
	my $head = join '', map { scalar <$file> // '' } 1 .. 3;
	push @wrong, $path if $head !~ /SPDX-License-Identifier: ISC/;
}
is_deeply(\@wrong, [], 'every source says its licence');

@wrong = ();
for my $path (grep { m{^common/.*\.c$} && $_ ne 'common/log.c' } @sources) {
	push @wrong, $path if grep { $_ eq 'common/log.h' } includes($path);
}
is_deeply(\@wrong, [], 'common reports and does not log');

@wrong = ();
for my $path (grep { m{^(?:common|mailfilter|scanner)/.*\.[ch]$} } @sources) {
	open(my $file, '<', $path) or die "$path: $!\n";
	while (<$file>) {
		next if m{^\s*(?:/?\*|//)};
		push @wrong, "$path:$.: $1"
			if /\b(strcpy|strcat|sprintf|vsprintf|strtok|strncpy|atoi|atol|strtol|strtoul|strtoull|gets|alloca|system|popen)\s*\(/;
		push @wrong, "$path:$.: TODO" if /\b(?:TODO|FIXME|XXX)\b/;
	}
}
is_deeply(\@wrong, [], 'no function that cannot be told a limit, nothing left to do');

my %top = map { (m{^([^/]+)})[0] => 1 } @tracked;
is_deeply([ grep { !/^(?:mailfilter|scanner|common|tests|conf|Makefile|README\.md|LICENSE|\..*)$/ } sort keys %top ],
	[], 'nothing else stands at the top of the tree');

open(my $readme, '<', 'README.md') or die "README.md: $!\n";
my $text = join '', <$readme>;
open(my $makefile, '<', 'Makefile') or die "Makefile: $!\n";
my %target = map { map { $_ => 1 } /^([\w-]+(?: [\w-]+)*):(?!=)/ ? split / /, $1 : () } <$makefile>;
@wrong = grep { !$target{$_} } $text =~ /\bmake ([a-z][\w-]*)\b(?=[`\s])/g;
is_deeply(\@wrong, [], 'every make target in the README exists');
@wrong = grep { !-e } $text =~ m{(?<![\w/.~])((?:tests|conf|common|mailfilter|scanner)/[\w./-]*[\w/])}g;
is_deeply(\@wrong, [], 'every path in the README exists');
my %command = map { m{cmd_(\w+)\.c$} ? ($1 => 1) : () } @sources;
@wrong = grep { !$command{ s/-/_/gr } } $text =~ /(?:build\/|`)mailfilter ([a-z][a-z-]+)\b/g;
is_deeply(\@wrong, [], 'every subcommand in the README exists');
done_testing();
