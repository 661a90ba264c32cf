# SPDX-License-Identifier: ISC
#
# Stands between a mail program and its IMAP server, in plain text on loopback, so that another
# client's deed comes right before one certain command of the program. In a process of its own,
# one line after the other, which ends with the object.
package Between;
use strict;
use warnings;
use IO::Select;
use parent qw(Served);
use Imap;

# start(port => the server's, before => a pattern, deed => code, log => a file with all commands).
# The deed is done once, before the first command like this is passed on, and is told the command.
sub start {
	my ($class, %option) = @_;
	return $class->serve(sub {
		my ($client) = @_;
		my $server = Imap::dial($option{port});
		eval { pass_on($client, $server, \%option); 1 } or note($option{log}, "deed failed: $@");
		close $server;
	}, log => $option{log});
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
