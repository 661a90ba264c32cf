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

# Every file below the folder: its path there => its mode in octal. With folders, if they are wanted.
sub files {
	my ($under, $folders) = @_;
	my %mode;
	find({ no_chdir => 1, wanted => sub {
		$mode{ substr $_, 1 + length $under } = sprintf '%o', (stat)[2] & 07777 if $_ ne $under && ($folders || !-d);
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
	(map { ("lib/systemd/system/$_" => '644') }
			qw(mailfilter-scanner.service mailfilter.service mailfilter-once.service mailfilter-once.timer),
		'run-mailfilter\x2dscanner.mount'),
	(map { ("lib/systemd/user/$_" => '644') } qw(mailfilter.service mailfilter-once.service mailfilter-once.timer)),
	'lib/sysusers.d/mailfilter.conf'                => '644',
	'lib/tmpfiles.d/mailfilter.conf'                => '644',
	'share/doc/mailfilter/README.md'                => '644',
	'share/doc/mailfilter/mailfilter.conf'          => '644',
	'share/doc/mailfilter/mailfilter.cron'          => '644',
	'share/doc/mailfilter/scanner.conf'             => '644',
	(map { ("share/doc/mailfilter/mailfilter-scanner-sweep-$_.conf" => '644') } qw(read write)),
	(map { m{/(.*)\.(\d)$} ? ("share/man/man$2/$1.$2" => '644') : () } glob '{mailfilter,scanner}/*.[0-9]'),
	(map { m{/(.*)\.bash} ? ("share/bash-completion/completions/$1" => '644') : () } glob 'conf/*.bash-completion'),
);

for ([ undef, 'usr/local' ], [ '/usr', 'usr' ]) {
	my ($prefix, $where) = @$_;
	my $to = "$dir/$where";
	my %with = map { ("$where/$_" => $expected{$_}) } keys %expected;
	umask 022;
	mkdir "$dir/$_" for 'usr', 'usr/local', map { "$where/$_" } qw(bin lib share share/doc share/man);
	umask 077;
	my $before = files("$dir", 'and folders');
	ok(make('install', $dir, $prefix), "$where: make install");
	is_deeply(files("$dir"), \%with, "$where: these files, which everybody may read");
	is_deeply(closed("$dir"), [], "$where: in folders that everybody may enter");
	for my $unit (grep { /\.service$/ } sort keys %expected) {
		my ($program) = content("conf/" . ($unit =~ m{/user/} ? 'user/' : '') . ($unit =~ m{([^/]+)$})[0]) =~ m{^ExecStart=/usr/bin/(\S+)}m;
		like(content("$to/$unit"), qr{^ExecStart=/\Q$where\E/bin/$program(?: |$)}m, "$where: $unit starts what is installed");
		ok(exists $expected{"bin/$program"}, "$where: which is $program");
	}
	my $said = `$to/bin/mailfilter-scanner --version`;
	is($? >> 8, 0, "$where: an installed program runs");

	open(my $file, '>', "$to/share/doc/mailfilter/notes") or die "notes: $!\n";
	close $file;
	ok(make('install', $dir, $prefix), "$where: make install again, over itself");
	ok(make('uninstall', $dir, $prefix), "$where: make uninstall");
	is_deeply([ keys %{ files("$dir") } ], ["$where/share/doc/mailfilter/notes"], "$where: nothing of ours is left, what is not ours is");
	unlink "$to/share/doc/mailfilter/notes" or die "notes: $!\n";
	ok(make('install', $dir, $prefix) && make('uninstall', $dir, $prefix), "$where: both once more");
	is_deeply(files("$dir", 'and folders'), $before, "$where: all is as before, down to the folders");
}

# One visit may do what all of them may: the two units differ in when they end alone.
my ($always, $once) = map { content("conf/$_.service") =~ /^(User=.*?\n)(?:\n\[Install\].*)?\z/ms } qw(mailfilter mailfilter-once);
is($once, $always, 'both units of mailfilter are confined alike');

for my $unit (grep { m{/systemd/} } sort keys %expected) {
	my $file = ($unit =~ m{/user/} ? 'conf/user/' : 'conf/') . ($unit =~ m{([^/]+)$})[0] =~ s/^run-mailfilter\\x2d(\w+)/mailfilter-$1/r;
	my @pages = content($file) =~ /^Documentation=(.*)$/m ? split(/ /, $1) : ();
	my @missing = grep { !m{^man:(.*)\((\d)\)$} || !$expected{"share/man/man$2/$1.$2"} } @pages;
	ok(@pages && !@missing, "$unit names manual pages that are installed") or diag("@missing");
}

# The README's table has a row for each folder and names what is in it; the users that cron may need
# are those that systemd makes.
my ($section) = content('README.md') =~ /^## Install$(.*?)^## /ms;
my %row = ($section // '') =~ m{^\| `([\w/.-]+)` \| (.*) \|$}mg;
for my $path (sort keys %expected) {
	my ($folder) = grep { index($path, $_) == 0 } keys %row;
	my ($name) = $path =~ m{([^/]+)$};
	$name = "$1($2)" if $path =~ m{/man\d/(.*)\.(\d)$};
	$name = 'this file' if $name eq 'README.md';
	ok(defined $folder && index($row{$folder}, $name) >= 0, "the README says where $name is installed");
}
my @users = content('conf/mailfilter.sysusers') =~ /^u (\S+)/mg;
my @added = content('conf/mailfilter.cron') =~ /^#     adduser --system .* (\S+)$/mg;
is_deeply([ sort @added ], [ sort @users ], 'without systemd the same users are made');
for (qw(systemd-sysusers systemd-tmpfiles)) {
	like($section, qr/^$_\b/m, "the README says when to run $_");
}
done_testing();
