#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# make bench-long: many accounts that wait for mail in IDLE on one Dovecot, over TLS: how long until all
# do, what each costs in memory and in wake-ups, and how soon a mail is there.
#     idle.pl [--accounts N] [--seconds N]
use strict;
use warnings;
use FindBin;
use Getopt::Long qw(GetOptions);
use List::Util qw(sum max min);
use Time::HiRes qw(sleep time);
use lib "$FindBin::Bin/../e2e/lib";
use E2E;

my ($count, $seconds) = (300, 60);
GetOptions('accounts=i' => \$count, 'seconds=i' => \$seconds)
	or die "usage: idle.pl [--accounts N] [--seconds N]\n";

my @names = map { sprintf 'a%03d', $_ } 1 .. $count;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names },
	more => "service imap {\n  process_limit = 1024\n}\nservice imap-login {\n  client_limit = 2000\n  service_count = 0\n}\ndefault_client_limit = 4000\n");
# Most providers are trusted by way of the system's certificates, some hundred: what they cost counts.
my $ca = work('all.pem');
write_file($ca, read_file('/etc/ssl/certs/ca-certificates.crt') . read_file($dovecot->{ca}));

# "Name: 1234 kB" of a file in /proc, summed.
sub field {
	my ($name, $path) = @_;
	return sum(0, read_file($path) =~ /^\Q$name\E:\s*(\d+)/mg);
}

sub switches {
	return sum(0, map { field('voluntary_ctxt_switches', "/proc/$_/status") } @_);
}

sub cpu {
	return sum(0, map { my @stat = split ' ', read_file("/proc/$_/stat") =~ s/.*\) //r; $stat[11] + $stat[12] } @_);
}

my $conf = settings('mailfilter.conf', { E2E::global(interval => '1h', jobs => 5) },
	map { E2E::account($dovecot, $_, 'imaps', 'tls-ca' => $ca) } @names);
my $run  = E2E::mailfilter_start('-v', '-c', $conf);
E2E::wait_line($run, qr/: nothing new/, $count) or die "they are not served:\n$run->{err}";
my $started = time - $run->{from};
sleep 2;
my @children = children($run->{pid});
my @pss   = map { field('Pss', "/proc/$_/smaps_rollup") } @children;
my @own   = map { field('Private_Dirty', "/proc/$_/smaps_rollup") } @children;
my $pss0  = field('Pss', "/proc/$run->{pid}/smaps_rollup");
my @before = (switches(@children), switches($run->{pid}), cpu(@children, $run->{pid}));
sleep $seconds;
my @after  = (switches(@children), switches($run->{pid}), cpu(@children, $run->{pid}));

my @waits;
for my $name (@names[ 0 .. min(9, $#names) ]) {
	my $from = time;
	$dovecot->put($name, "From: a\@example.org\r\nSubject: $name\r\n\r\nText.\r\n");
	E2E::wait_line($run, qr/account=$name .*action=/, 1);
	push @waits, time - $from;
}
@waits = sort { $a <=> $b } @waits;
kill 'TERM', $run->{pid};
my $from = time;
E2E::finish($run, $from - $run->{from} + 60);
my $minutes = $seconds / 60;
printf "%d accounts in IDLE over TLS, jobs = 5\n", scalar @children;
printf "    %-44s %8.1f %s\n", @$_
	for [ 'until all were served and wait', $started, 's' ],
	[ 'memory of one (PSS), median', (sort { $a <=> $b } @pss)[ @pss / 2 ], 'KB' ],
	[ 'of that its own (private, dirty)', (sort { $a <=> $b } @own)[ @own / 2 ], 'KB' ],
	[ 'memory of all and the parent', (sum(@pss) + $pss0) / 1024, 'MB' ],
	[ 'memory of the parent', $pss0, 'KB' ],
	[ 'wake-ups of one a minute', ($after[0] - $before[0]) / @children / $minutes, '' ],
	[ 'wake-ups of the parent a minute', ($after[1] - $before[1]) / $minutes, '' ],
	[ 'CPU of all a minute', ($after[2] - $before[2]) * 10 / $minutes, 'ms' ],
	[ 'a mail is there after, median', $waits[ @waits / 2 ], 's' ],
	[ 'and at most', $waits[-1], 's' ], [ 'until all have ended', time - $from, 's' ];
