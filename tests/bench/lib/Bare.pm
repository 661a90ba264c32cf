# SPDX-License-Identifier: ISC
#
# The limit of fetching: what the server needs to give all of it to somebody who keeps nothing.
package Bare;
use strict;
use warnings;
use IO::Socket::INET;
use Time::HiRes qw(time);

# One session that asks for all of it at once and drops what comes: seconds, and bytes.
sub fetch {
	my ($port, $user, $password) = @_;
	my $from   = time;
	my $server = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die "$!\n";
	setsockopt $server, Socket::IPPROTO_TCP(), Socket::TCP_NODELAY(), 1;
	my $bytes = 0;
	my $ask   = sub {
		my ($tag, $command) = @_;
		syswrite $server, "$tag $command\r\n" or die "the server is gone\n";
		my $end = '';
		while ($end !~ /^$tag (\w+)[^\n]*\n\z/m) {
			my $got = sysread($server, my $chunk, 262144) or die "the server is gone\n";
			$bytes += $got;
			$end = substr($end . $chunk, -4096);
		}
		$end =~ /^$tag OK[^\n]*\n\z/m or die "$command: $end";
	};
	sysread $server, my $greeting, 4096;
	$ask->('a', "LOGIN $user $password");
	$ask->('b', 'EXAMINE INBOX');
	$ask->('c', 'UID FETCH 1:* (UID RFC822.SIZE)');
	$bytes = 0;
	$ask->('d', 'UID FETCH 1:* (UID BODY.PEEK[])');
	return (time - $from, $bytes);
}

1;
