#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# make bench: what a slow line costs, through one with a round trip of some milliseconds.
#     latency.pl [--parts small,slow,scan] [--pairs N] [--mails N] [--slow-mails N] [--scans N] [--rtt MS,MS...]
#                [--scale N] [--minutes N] [--keep FOLDER]
# small: small mail that needs no scan, delivered on disk, beside mbsync with its default syncs. The limit
# is what the server needs to give all of it to somebody who keeps nothing. slow: the same mail beside
# those who ask for one mail after the other, which scan nothing here; they get few. scan: the mix of
# whole.pl, scanned with the signatures of --scale, over lines of each kind. No part begins a further round
# after --minutes with each kind of line.
use strict;
use warnings;
use File::Path qw(make_path);
use FindBin;
use Getopt::Long qw(GetOptions);
use Time::HiRes qw(time);
use lib "$FindBin::Bin/../e2e/lib", "$FindBin::Bin/lib";
use Bare;
use Batch;
use Clamd;
use E2E;
use Line;
use Peers;
use Spent;

my %option = (parts => 'small,slow,scan', pairs => 7, mails => 2000, 'slow-mails' => 30, scans => 240, rtt => '0,30,100', scale => 1,
	minutes => 0.5, keep => 'build/bench');
GetOptions(\%option, 'parts=s', 'pairs=i', 'mails=i', 'slow-mails=i', 'scans=i', 'rtt=s', 'scale=f', 'minutes=f', 'keep=s')
	or die "usage: latency.pl [--parts small,slow,scan] [--pairs N] [--mails N] [--slow-mails N] [--scans N] [--rtt MS,MS...] [--scale N] [--minutes N] [--keep FOLDER]\n";
my $SCAN  = 3;                               # a round of scans takes longer: it gets so many times --minutes
my $LATE  = 600;                             # seconds, then a run is killed
my @rtts  = split /,/, $option{rtt};
my $words = join ' ', ('hello there, this is a small and harmless mail') x 8;
my $n     = 0;
my $dovecot;
$| = 1;

# Where ext4 has no journal, to make a file soon after thousands were deleted near it costs ten times as
# much, and that is neither program's doing: the folders of the runs lie away from what others deleted
# in the temporary folder, if the file system can, and all of them stay until the end.
system('chattr +T ' . work('') . ' 2>/dev/null');

sub fill {
	my ($user, $count) = @_;
	$dovecot->put($user, map { "From: a\@example.org\r\nTo: b\@example.org\r\nSubject: number $_\r\n"
		. "Message-ID: <$_\@example.org>\r\nDate: Sun, 1 Feb 2026 10:00:00 +0000\r\n\r\n" . "$words\r\n" x (4 + $_ % 12) } 1 .. $count);
}

sub came {
	return scalar(() = map { glob "$_/new/* $_/cur/*" } @_);
}

# Seconds that a command takes, of those that may end so.
sub timed {
	my ($who, $ok, @argv) = @_;
	my $log = work("$who-$n.log");
	open(my $err, '>>', $log) or die "$log: $!\n";
	my $from = time;
	my $pid  = E2E::spawn($log, $err, @argv);
	local $SIG{ALRM} = sub { kill 'KILL', -$pid };
	alarm $LATE;
	my $status = E2E::reap($pid);
	my $took   = time - $from;
	alarm 0;
	die "$who: exit $status\n" . substr(read_file($log), -4000) if $status & 127 || !grep { $status >> 8 == $_ } @$ok;
	return $took;
}

# Each of these fetches all that a user has by a port: seconds, and how many came.
sub ours {
	my ($port, $user, %more) = @_;
	my $conf = settings("ours-$n.conf", { E2E::global('state-dir' => work("state-$n"), %more) },
		[ 'bench', { source => "imap://$user\@127.0.0.1:$port", tls => 'none', password => $Peers::PASSWORD,
			deliver => 'maildir:' . work("ours-$n") } ]);
	my $took = timed('ours', [0], 'build/mailfilter', '-c', $conf, '--once', '-q');
	return ($took, came(work("ours-$n")));
}

sub mbsync {
	my ($port, $user) = @_;
	my $folder = work("mbsync-$n");
	my $took = timed('mbsync', [0], 'mbsync', '-q', '-c', Peers::mbsyncrc($folder, $port, $user), 'c');
	return ($took, came("$folder/box/INBOX"));
}

sub peer {
	my ($who, $make, $port, $user) = @_;
	make_path(work("$who-$n"));
	my ($argv, $ok, $inbox) = $make->({ dir => work("$who-$n"), user => $user, imap => $port, plain => 1 });
	my $took = timed($who, $ok, @$argv);
	return ($took, came($inbox));
}

sub checked {
	my ($who, $want, $took, $count) = @_;
	die "$who brought $count of $want\n" if $count != $want;
	return $took / $want;
}

# "12.3 (10.1 to 15.0)"
sub spread {
	my ($format, @values) = @_;
	my @sorted = sort { $a <=> $b } @values;
	return sprintf "$format ($format to $format)", median(@sorted), @sorted[ 0, -1 ];
}

# Call a round for so many times, and not after the time, or so many times of it, is over; how many.
sub rounds {
	my ($code, $times) = @_;
	my $until = time + 60 * $option{minutes} * ($times // 1);
	my $done  = 0;
	while ($done < $option{pairs} && (!$done || time < $until)) {
		$n++;
		$code->();
		$done++;
	}
	return $done;
}

sub small {
	my $mails = $option{mails};
	printf "%d small mails that need no scan, delivered durably on disk, in turn with mbsync (all of the pairs)\n"
		. "the limit is the same mail fetched with one command and dropped\n", $mails;
	for my $rtt (@rtts) {
		my $port = Line::to($dovecot->{port}{imap}, $rtt);
		my (@ours, @mbsync, @bare);
		my $done = rounds(sub {
			push @ours,   checked('mailfilter', $mails, ours($port, 'small'));
			push @mbsync, checked('mbsync', $mails, mbsync($port, 'small'));
			my ($least, $bytes) = Bare::fetch($port, 'small', $Peers::PASSWORD);
			$bytes > $mails * 1000 or die "only $bytes bytes came\n";
			push @bare, $least;
		});
		printf "    round trip %3d ms: mailfilter %6.2f s, mbsync %6.2f s: %s times as fast; limit %.2f s; %d pairs\n",
			$rtt, $mails * median(@ours), $mails * median(@mbsync), spread('%.1f', map { $mbsync[$_] / $ours[$_] } 0 .. $#ours),
			median(@bare), $done;
	}
}

# What they do without clamdscan is the least that they need: with it each mail takes longer.
sub slow {
	my ($mails, $few) = @option{qw(mails slow-mails)};
	print "\nSmall mails that need no scan, delivered on disk, beside those who ask for one after the other and scan\n",
		"nothing here: milliseconds a mail of $mails for mailfilter, of $few for the others, and how many times that is\n";
	for my $rtt (grep { $_ > 0 } @rtts) {
		my $port = Line::to($dovecot->{port}{imap}, $rtt);
		my %took;
		my $done = rounds(sub {
			push @{ $took{mailfilter} }, checked('mailfilter', $mails, ours($port, 'small'));
			push @{ $took{fdm} },       checked('fdm', $few, peer('fdm', \&Peers::fdm, $port, 'slow'));
			push @{ $took{fetchmail} }, checked('fetchmail', $few, peer('fetchmail', \&Peers::fetchmail, $port, 'slow'));
		});
		printf "    round trip %3d ms: mailfilter %.3f ms", $rtt, 1000 * median(@{ $took{mailfilter} });
		for my $who (qw(fdm fetchmail)) {
			printf ", %s %.1f ms: %s times", $who, 1000 * median(@{ $took{$who} }),
				spread('%.0f', map { $took{$who}[$_] / $took{mailfilter}[$_] } 0 .. $done - 1);
		}
		print "; $done rounds\n";
	}
}

sub scan {
	my $count  = $option{scans};
	my $folder = Clamd::signatures($option{keep}, $option{scale});
	my @users  = map { "scan$_" } 1 .. $option{pairs} * @rtts;
	my $fill   = sub {
		my ($user, $mails) = @_;
		$dovecot->put($user, map { $_->{bytes} } Batch::make("latency-$user", $mails));
	};
	my %took;
	scanner_start(signatures => [$folder]);
	# The first mails find it cold.
	$fill->('warm', $Batch::BLOCK);
	ours($dovecot->{port}{imap}, 'warm', scan => 'all');
	my $done = rounds(sub {
		for my $rtt (map { $rtts[ ($_ + $n) % @rtts ] } 0 .. $#rtts) {
			my $user = shift @users;
			$fill->($user, $count);
			$n++;
			push @{ $took{$rtt} }, checked('mailfilter', $count, ours(Line::to($dovecot->{port}{imap}, $rtt), $user, scan => 'all'));
		}
	}, $SCAN);
	E2E::scanner_stop() or die "the scanner did not stop in order\n";
	print "\n$count mails of the mix of whole.pl, all of them scanned, with the signatures of scale $option{scale}; $done rounds\n";
	for my $rtt (@rtts) {
		printf "    round trip %3d ms: %6.1f mails/s, a mail takes %s times what it does at %d ms\n", $rtt, 1 / median(@{ $took{$rtt} }),
			spread('%.2f', map { $took{$rtt}[$_] / $took{ $rtts[0] }[$_] } 0 .. $done - 1), $rtts[0];
	}
}

my %part  = (small => \&small, slow => \&slow, scan => \&scan);
my @parts = split /,/, $option{parts};
$part{$_} or die "$_: no part of this\n" for @parts;
my @missing = Clamd::missing(qw(fdm fetchmail mbsync));
die "missing: @missing: tests/deps.sh bench\n" if @missing;
make_path($option{keep});
$dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => $Peers::PASSWORD } qw(small slow warm), map { "scan$_" } 1 .. $option{pairs} * @rtts });
fill(small => $option{mails});
fill(slow => $option{'slow-mails'});
$part{$_}->() for @parts;
