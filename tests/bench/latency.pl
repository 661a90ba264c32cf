#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# make bench: small mail that needs no scan, fetched and delivered on disk, beside mbsync with its
# default syncs: over loopback, and through a line with a round trip of some milliseconds. The limit
# is what the server needs to give all of it to somebody who keeps nothing.
#     latency.pl [--pairs N] [--mails N] [--rtt MS,MS...]
use strict;
use warnings;
use FindBin;
use Getopt::Long qw(GetOptions);
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(time);
use lib "$FindBin::Bin/../e2e/lib", "$FindBin::Bin/lib";
use Bare;
use E2E;
use Peers;
use Spent;

my ($pairs, $mails, $rtts) = (7, 2000, '0,30');
GetOptions('pairs=i' => \$pairs, 'mails=i' => \$mails, 'rtt=s' => \$rtts)
	or die "usage: latency.pl [--pairs N] [--mails N] [--rtt MS,MS...]\n";

# A line to a port that holds every byte back for half a round trip, both ways.
sub line {
	my ($port, $ms) = @_;
	my $listen = IO::Socket::INET->new(Listen => 9, LocalAddr => '127.0.0.1', ReuseAddr => 1) or die "$!\n";
	my $pid = fork // die "fork: $!\n";
	return ($listen->sockport, $pid) if $pid;
	my (%other, %queue, %ended);
	for (;;) {
		my $now  = time;
		my $wait = 1;
		for my $fd (keys %queue) {
			my $queue = $queue{$fd};
			while (@$queue && $queue->[0][0] <= $now) {
				my (undef, $bytes) = @{ shift @$queue };
				my $to = $other{$fd}[1];
				if (length $bytes) {
					while (length $bytes) {
						my $n = syswrite $to, $bytes;
						last if !$n;
						substr($bytes, 0, $n) = '';
					}
				} else {
					shutdown $to, 1;
				}
			}
			$wait = $queue->[0][0] - $now if @$queue && $queue->[0][0] - $now < $wait;
		}
		my @read = map { $_->[0] } grep { !$ended{ fileno $_->[0] } } values %other;
		for my $from (IO::Select->new($listen, @read)->can_read($wait < 0 ? 0 : $wait)) {
			if ($from == $listen) {
				my $client = $listen->accept or next;
				my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or next;
				for ([ $client, $server ], [ $server, $client ]) {
					setsockopt $_->[0], Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1;
					$other{ fileno $_->[0] } = $_;
					$queue{ fileno $_->[0] } = [];
					delete $ended{ fileno $_->[0] };
				}
				next;
			}
			my $fd = fileno $from;
			my $got = sysread $from, my $bytes, 262144;
			$ended{$fd} = 1 if !$got;
			push @{ $queue{$fd} }, [ time + $ms / 2000, $got ? $bytes : '' ];
		}
	}
}

# Where ext4 has no journal, to make a file soon after thousands were deleted near it costs ten times as
# much, and that is neither program's doing: the folders of the runs lie away from what others deleted
# in the temporary folder, if the file system can, and all of them stay until the end.
system('chattr +T ' . work('') . ' 2>/dev/null');

my $dovecot = Dovecot->new(dir => work('dovecot'), users => { bench => 'sesame' });
my $words   = join ' ', ('hello there, this is a small and harmless mail') x 8;
$dovecot->put('bench', map { "From: a\@example.org\r\nTo: b\@example.org\r\nSubject: number $_\r\n"
	. "Message-ID: <$_\@example.org>\r\nDate: Sun, 1 Feb 2026 10:00:00 +0000\r\n\r\n" . "$words\r\n" x (4 + $_ % 12) } 1 .. $mails);

sub ours {
	my ($port, $n) = @_;
	my $conf = settings("ours.conf", { E2E::global('state-dir' => work("state-$n")) },
		[ 'bench', { source => "imap://bench\@127.0.0.1:$port", tls => 'none', password => 'sesame',
			deliver => 'maildir:' . work("ours-$n") } ]);
	my $from = time;
	my $run  = finish(E2E::mailfilter_start('-c', $conf, '--once', '-q'), 600);
	return (time - $from, scalar(() = glob work("ours-$n/new/*")));
}

sub mbsync {
	my ($port, $n) = @_;
	my $folder = work("mbsync-$n");
	my $conf = Peers::mbsyncrc($folder, $port, 'bench');
	my $from = time;
	system("mbsync -q -c $conf c >$folder/log 2>&1") == 0 or die "mbsync: " . read_file("$folder/log");
	return (time - $from, scalar(() = glob "$folder/box/INBOX/new/* $folder/box/INBOX/cur/*"));
}

printf "%d small mails that need no scan, delivered durably on disk; median of %d pairs, in turn (all of them)\n"
	. "the limit is the same mail fetched with one command and dropped\n", $mails, $pairs;
my $n = 0;
for my $rtt (split /,/, $rtts) {
	my ($port, $pid) = $rtt > 0 ? line($dovecot->{port}{imap}, $rtt) : ($dovecot->{port}{imap}, 0);
	my (@ours, @mbsync, @bare, @ratio);
	for (1 .. $pairs) {
		$n++;
		my ($mine,   $mine_mail)   = ours($port, $n);
		my ($theirs, $theirs_mail) = mbsync($port, $n);
		die "ours brought $mine_mail, mbsync $theirs_mail of $mails\n" if $mine_mail != $mails || $theirs_mail != $mails;
		my ($least, $bytes) = Bare::fetch($port, 'bench', 'sesame');
		$bytes > $mails * 1000 or die "only $bytes bytes came\n";
		push @bare,   $least;
		push @ours,   $mine;
		push @mbsync, $theirs;
		push @ratio,  $theirs / $mine;
	}
	my @sorted = sort { $a <=> $b } @ratio;
	printf "    round trip %3d ms: mailfilter %6.2f s, mbsync %6.2f s: %.1f times as fast (%.1f to %.1f); limit %.2f s\n",
		$rtt, median(@ours), median(@mbsync), median(@ratio), $sorted[0], $sorted[-1], median(@bare);
	if ($pid) { kill 'KILL', $pid; waitpid $pid, 0; }
}
