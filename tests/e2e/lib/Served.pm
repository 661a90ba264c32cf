# SPDX-License-Identifier: ISC
#
# A server on loopback in a process of its own that ends with the object; one client after the other.
package Served;
use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();

# An object with these fields and the port; the code is given each client.
sub serve {
	my ($class, $code, %field) = @_;
	my $listen = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', ReuseAddr => 1)
		or die "listen: $!\n";
	my $self = bless { %field, port => $listen->sockport, pid => fork // die("fork: $!\n") }, $class;
	return $self if $self->{pid};
	@SIG{qw(INT TERM HUP ALRM)} = ('DEFAULT') x 4;
	$SIG{PIPE} = 'IGNORE';
	alarm 300;
	while (my $client = $listen->accept) {
		$client->autoflush(1);
		$code->($client);
		close $client;
	}
	POSIX::_exit(0);
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $!);
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
}

1;
