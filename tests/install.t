#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# "make install" puts everything where the README says, "make uninstall" takes exactly that away.
use strict;
use warnings;
use File::Find;
use File::Temp;
use FindBin;
use Test::More;

chdir "$FindBin::Bin/.." or die "chdir: $!\n";
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL DESTDIR PREFIX)};
my $dir = File::Temp->newdir('mailfilter-XXXXXX', TMPDIR => 1);

# Every file below the folder: its path there => its mode in octal.
sub files {
	my ($under) = @_;
	my %mode;
	find({ no_chdir => 1, wanted => sub {
		$mode{ substr $_, 1 + length $under } = sprintf '%o', (stat)[2] & 07777 if !-d;
	} }, $under);
	return \%mode;
}

# Folders below it that not everybody may enter.
sub closed {
	my ($under) = @_;
	my @closed;
	find({ no_chdir => 1, wanted => sub {
		push @closed, $_ if -d && $_ ne $under && ((stat)[2] & 0755) != 0755;
	} }, $under);
	return \@closed;
}

sub content {
	my ($path) = @_;
	open(my $file, '<', $path) or die "$path: $!\n";
	return join '', <$file>;
}

sub make {
	my ($target, $to, $prefix) = @_;
	my @settings = ("DESTDIR=$to", defined $prefix ? "PREFIX=$prefix" : ());
	open(my $pipe, '-|', 'make', '-s', @settings, $target) or die "make: $!\n";
	my $said = join '', <$pipe>;
	close $pipe or diag($said);
	return $? == 0;
}

my %expected = (
	'bin/mailfilter'                                => '755',
	'bin/mailfilter-scanner'                        => '755',
	'lib/systemd/system/mailfilter-scanner.service' => '644',
	'lib/systemd/system/mailfilter.service'         => '644',
	'share/doc/mailfilter/README.md'                => '644',
	'share/doc/mailfilter/mailfilter.conf'          => '644',
	'share/doc/mailfilter/mailfilter.cron'          => '644',
	'share/doc/mailfilter/scanner.conf'             => '644',
	'share/man/man8/mailfilter.8'                   => '644',
	'share/man/man5/mailfilter.conf.5'              => '644',
	'share/man/man5/mailfilter-scanner.conf.5'      => '644',
	'share/man/man8/mailfilter-scanner.8'           => '644',
);

for ([ undef, 'usr/local' ], [ '/usr', 'usr' ]) {
	my ($prefix, $where) = @$_;
	my $to = "$dir/$where";
	my %with = map { ("$where/$_" => $expected{$_}) } keys %expected;
	umask 022;
	mkdir "$dir/$_" for qw(usr usr/local);
	umask 077;
	ok(make('install', $dir, $prefix), "$where: make install");
	is_deeply(files("$dir"), \%with, "$where: these files, which everybody may read");
	is_deeply(closed("$dir"), [], "$where: in folders that everybody may enter");
	like(content("$to/lib/systemd/system/$_.service"), qr{^ExecStart=/\Q$where\E/bin/$_\b(?!-)}m,
		"$where: the unit starts the $_ that is installed")
		for qw(mailfilter mailfilter-scanner);
	my $said = `$to/bin/mailfilter-scanner --version`;
	is($? >> 8, 0, "$where: an installed program runs");

	open(my $file, '>', "$to/share/doc/mailfilter/notes") or die "notes: $!\n";
	close $file;
	ok(make('install', $dir, $prefix), "$where: make install again, over itself");
	ok(make('uninstall', $dir, $prefix), "$where: make uninstall");
	is_deeply([ keys %{ files("$dir") } ], ["$where/share/doc/mailfilter/notes"], "$where: nothing of ours is left, what is not ours is");
	unlink "$to/share/doc/mailfilter/notes" or die "notes: $!\n";
	ok(make('install', $dir, $prefix) && make('uninstall', $dir, $prefix), "$where: both once more");
	ok(!-e "$to/$_", "$where: $_ is gone, too") for qw(share/doc/mailfilter lib/systemd/system);
}

# The README's table has a row for each folder and names what is in it; the users are those of the
# units.
my ($section) = content('README.md') =~ /^## Install$(.*?)^## /ms;
my %row = ($section // '') =~ /^\| `([\w\/]+)` \| (.*) \|$/mg;
for my $path (sort keys %expected) {
	my ($folder) = grep { index($path, $_) == 0 } keys %row;
	my ($name) = $path =~ m{([^/]+)$};
	$name = "$1($2)" if $path =~ m{/man\d/(.*)\.(\d)$};
	$name = 'this file' if $name eq 'README.md';
	ok(defined $folder && index($row{$folder}, $name) >= 0, "the README says where $name is installed");
}
for (map { content("conf/$_.service") =~ /^#     (adduser .*)$/mg } qw(mailfilter-scanner mailfilter)) {
	ok(index($section // '', $_) >= 0, "the README, too, says: $_");
}
done_testing();
