# SPDX-License-Identifier: ISC
#
# Stands between a mail program and its IMAP server, in plain text on loopback, so that another
# client's deed comes right before one certain command of the program. In a process of its own,
# one line after the other, which ends with the object.
package Between;
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Imap;

# start(port => the server's, before => a pattern, deed => code, log => a file with all commands).
# The deed is done once, before the first command like this is passed on, and is told the command.
sub start {
	my ($class, %option) = @_;
	my $listen = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', ReuseAddr => 1)
		or die "listen: $!\n";
	my $self = bless { port => $listen->sockport, log => $option{log}, pid => fork // die("fork: $!\n") }, $class;
	return $self if $self->{pid};
	@SIG{qw(INT TERM HUP ALRM)} = ('DEFAULT') x 4;
	alarm 300;
	while (my $client = $listen->accept) {
		my $server = Imap::dial($option{port});
		eval { pass_on($client, $server, \%option); 1 } or note($option{log}, "deed failed: $@");
		close $_ for $client, $server;
	}
	POSIX::_exit(0);
}

sub DESTROY {
	my ($self) = @_;
	local ($?, $!);
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
}

sub note {
	my ($path, $text) = @_;
	open(my $log, '>>:raw', $path) or die "$path: $!\n";
	print $log $text;
	close $log;
}

sub send_all {
	my ($socket, $bytes) = @_;
	while (length $bytes) {
		my $sent = syswrite($socket, $bytes) // die "hung up\n";
		substr $bytes, 0, $sent, '';
	}
}

sub pass_on {
	my ($client, $server, $option) = @_;
	my $both  = IO::Select->new($client, $server);
	my $lines = '';
	while (1) {
		for my $socket ($both->can_read) {
			my $bytes;
			return if !sysread $socket, $bytes, 65536;
			if ($socket == $server) {
				send_all($client, $bytes);
				next;
			}
			$lines .= $bytes;
			while ($lines =~ s/^(.*\n)//) {
				my $line = $1;
				if ($option->{deed} && $line =~ $option->{before}) {
					my $deed = delete $option->{deed};
					note($option->{log}, "deed\n");
					$deed->($line);
				}
				note($option->{log}, $line);
				send_all($server, $line);
			}
		}
	}
}

1;
