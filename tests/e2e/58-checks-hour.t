#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The checks that look at the last hour, or at mail that waits, as 58-checks-table.t does with the others:
# workers are killed, or do not get on, and mail cannot be scanned; then an hour passes, for the scanner at
# once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Checks;
use Corpus;
use E2E;

my $conf   = settings('mailfilter.conf', { E2E::global() });
my %limits = ('worker-deaths' => '1 3', 'queue-age' => '1s 8s', 'scan-time' => '1s 6s', unscannable => '10% 50%');
start_with_clock(1, workers => 2, cache => 0, 'check-interval' => '1s', 'check-limits' => [ map { "$_ $limits{$_}" } sort keys %limits ]);
becomes($_, 'ok', qr/./) for qw(selftest workers queue times unscannable);
my $corpus = Corpus->new('checks');
my @small  = map { write_file(work("text-$_.eml"), $corpus->mail('text', "text-$_")->{bytes}) } 1 .. 17;
my @half   = map { write_file(work("half-$_.eml"), join "\r\n", 'From: a@example.org', "Subject: half $_", 'MIME-Version: 1.0',
	"Content-Type: message/partial; id=\"$_\"; number=1; total=2", '', "Subject: $_", '', 'half') } 1 .. 33;

# Mail waits for workers that do not get on, until this check has come to that.
sub held_up {
	my ($level, $words) = @_;
	my @workers = workers();
	kill 'STOP', @workers;
	my $run = mailfilter_start('-c', $conf, 'scan', @small[0 .. 5]);
	becomes('queue', $level, $words);
	kill 'CONT', @workers;
	finish($run);
}
drive('unscannable',
	warning  => [ sub { scanned($conf, @small, @half[0 .. 2]) }, qr/3 of 20 messages/ ],
	critical => [ sub { scanned($conf, @half[3 .. 32]) }, qr/33 of 50 messages/ ]);
held_up('warning', qr/\d messages wait, the first of them for [1-7] second/);
becomes('times', 'warning', qr/takes more than [1-5] second/);
held_up('critical', qr/\d messages wait, the first of them for (?:[89]|1\d) seconds/);
becomes('times', 'critical', qr/takes more than [6-9] second|takes more than \d\d seconds/);
becomes('queue', 'ok', qr/no mail waits/);
for ([ warning => 2 ], [ critical => 4 ]) {
	my ($level, $deaths) = @$_;
	for (1 .. 2) {
		my @workers = workers();
		kill 'KILL', $workers[0];
		await('another worker', sub { my @now = workers(); !grep { $_ == $workers[0] } @now });
	}
	becomes('workers', $level, qr/$deaths were killed/);
}
set_clock('+2h');
becomes($_->[0], 'ok', $_->[1]) for [ workers => qr/2 of 2 serve/ ], [ times => qr/nothing was scanned/ ], [ unscannable => qr/0 of 0/ ];
ok(scanner_stop(), 'the scanner stops');
done_testing;
