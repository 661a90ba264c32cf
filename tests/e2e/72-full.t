#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Disks that are full or run out of inodes, below the Maildir, the state or both: nothing half is
# delivered, nothing leaves the server, and with space again everything arrives, once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Again;
use Corpus;
use E2E;

Again::with_mounts();

my @cases = (
	[ 'Maildir', 'out',   'size=64k' ],
	[ 'Maildir', 'out',   'nr_inodes=12' ],
	[ 'state',   'state', 'size=64k' ],
	[ 'state',   'state', 'size=200k' ],
	[ 'state',   'state', 'nr_inodes=8' ],
	[ 'state',   'state', 'nr_inodes=12' ],
);
my %users   = map { ("full$_" => 'sesame') } 0 .. $#cases;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => \%users);
scanner_start();
for my $i (0 .. $#cases) {
	my ($what, $folder, $limit) = @{ $cases[$i] };
	my $name  = "full$i";
	my @mails = Corpus->new($name)->mails(60, 12);
	my $conf  = settings("$name.conf", { E2E::global('state-dir' => work("state")) },
		E2E::account($dovecot, $name, $i % 2 ? 'pop3s' : 'imaps', after => 'delete'));
	$dovecot->put($name, map { $_->{bytes} } @mails);
	my @served = served($dovecot, $name);
	my $path   = work("$folder/$name");
	File::Path::make_path($path);
	chmod 0700, $path;
	system('mount', '-t', 'tmpfs', '-o', "$limit,mode=0700", 'none', $path) == 0 or die "mount\n";
	for my $round (1, 2) {
		my $run = mailfilter('-c', $conf, '--once');
		is($run->{code}, 75, "$what with $limit, run $round: 75");
		is($run->{late}, undef, '  in time');
		like($run->{err}, qr/No space|disk is full|full/, '  and says why');
	}
	my %known = map { $_->{sha256} => 1 } @mails;
	my %file  = maildir($name);
	my @odd   = grep { !$known{ Digest::SHA::sha256_hex($_) } && !/^X-Virus-Status:/mi } values %file;
	is(scalar(@odd), 0, '  nothing half is delivered');
	my %left = map { $_->{sha256} => 1 } served($dovecot, $name);
	my %kept = quarantine($name);
	my %here = map { $_ => 1 } keys %kept, map { Digest::SHA::sha256_hex($_) } values %file;
	is(scalar(grep { !$left{ $_->{sha256} } && !$here{ $_->{sha256} } } @mails), 0,
		'  what left the server is here');
	system('mount', '-o', 'remount,size=50m,nr_inodes=10000', $path) == 0 or die "remount\n";
	is(mailfilter('-c', $conf, '--once')->{code}, 0, '  with space again: 0');
	is_deeply([ E2E::problems($name, \@served, \@mails) ], [], '  nothing lost, nothing twice');
	system('umount', $path);
}
done_testing();
