# SPDX-License-Identifier: ISC
#
# A line to a port of this host that holds every byte back for half a round trip, both ways.
package Line;
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

my $PIECE = 262144;
my @pids;

# Hand over what is due; how long until more is.
sub deliver {
	my ($other, $queues) = @_;
	my ($now, $wait) = (time, 1);
	for my $fd (keys %$queues) {
		my $queue = $queues->{$fd};
		while (@$queue && $queue->[0][0] <= $now) {
			my (undef, $bytes) = @{ shift @$queue };
			my $to = $other->{$fd}[1];
			shutdown $to, 1 if !length $bytes;
			while (length $bytes) {
				my $n = syswrite $to, $bytes or last;
				substr($bytes, 0, $n) = '';
			}
		}
		$wait = $queue->[0][0] - $now if @$queue && $queue->[0][0] - $now < $wait;
	}
	return $wait < 0 ? 0 : $wait;
}

sub serve {
	my ($listen, $port, $half) = @_;
	my (%other, %queue, %ended);
	for (;;) {
		my $wait = deliver(\%other, \%queue);
		my @read = map { $_->[0] } grep { !$ended{ fileno $_->[0] } } values %other;
		for my $from (IO::Select->new($listen, @read)->can_read($wait)) {
			if ($from == $listen) {
				my $client = $listen->accept or next;
				my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or next;
				for ([ $client, $server ], [ $server, $client ]) {
					setsockopt $_->[0], IPPROTO_TCP, TCP_NODELAY, 1;
					my $fd = fileno $_->[0];
					$other{$fd} = $_;
					$queue{$fd} = [];
					delete $ended{$fd};
				}
				next;
			}
			my $fd  = fileno $from;
			my $got = sysread($from, my $bytes, $PIECE);
			$ended{$fd} = 1 if !$got;
			push @{ $queue{$fd} }, [ time + $half, $got ? $bytes : '' ];
		}
	}
}

# The port of a line with a round trip of so many milliseconds; without any it is the port itself.
sub to {
	my ($port, $ms) = @_;
	return $port if $ms <= 0;
	my $listen = IO::Socket::INET->new(Listen => 9, LocalAddr => '127.0.0.1', ReuseAddr => 1) or die "$!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		eval { serve($listen, $port, $ms / 2000) };
		POSIX::_exit(1);
	}
	push @pids, $pid;
	return $listen->sockport;
}

END {
	my $code = $?;
	kill 'KILL', @pids if @pids;
	waitpid $_, 0 for @pids;
	$? = $code;
}

1;
