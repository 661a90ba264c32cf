# SPDX-License-Identifier: ISC
#
# An IMAP server that behaves as told: what a real one does only on a bad day. Serves one client
# after the other in plain text, in a process of its own that ends with the object.
package FakeImap;
use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();

# new({ uid => N, body => bytes, or undef for NIL, or gone => 1 for listed but never there }, ...)
sub new {
	my ($class, @messages) = @_;
	my $listen = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1', ReuseAddr => 1)
		or die "listen: $!\n";
	my $self = bless { port => $listen->sockport, pid => fork // die("fork: $!\n") }, $class;
	return $self if $self->{pid};
	@SIG{qw(INT TERM HUP ALRM)} = ('DEFAULT') x 4;
	alarm 300;
	while (my $client = $listen->accept) {
		serve($client, @messages);
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

# "1:3,7,9:*" against a UID; as RFC 3501 has it, N:* always holds the last message.
sub in_set {
	my ($uid, $set, $last) = @_;
	for (split /,/, $set) {
		my ($from, $to) = /^(\d+|\*)(?::(\d+|\*))?$/ or next;
		($from, $to) = map { $_ eq '*' ? $last : $_ } $from, $to // $from;
		($from, $to) = ($to, $from) if $from > $to;
		return 1 if $uid >= $from && $uid <= $to;
	}
	return 0;
}

sub fetch {
	my ($number, $message, $items) = @_;
	my $body = $message->{body} // '';
	my @answer = ("UID $message->{uid}");
	return '' if $message->{gone} && $items =~ /BODY/i;
	push @answer, 'FLAGS ()' if $items =~ /FLAGS/i;
	push @answer, 'RFC822.SIZE ' . length $body if $items =~ /RFC822\.SIZE/i;
	push @answer, 'INTERNALDATE "01-Feb-2026 10:00:00 +0000"' if $items =~ /INTERNALDATE/i;
	push @answer, 'BODY[] ' . (defined $message->{body} ? '{' . length($body) . "}\r\n$body" : 'NIL')
		if $items =~ /BODY(?:\.PEEK)?\[\]/i;
	return "* $number FETCH (@answer)\r\n";
}

sub serve {
	my ($client, @messages) = @_;
	my $last = $messages[-1]{uid};
	local $/ = "\r\n";
	print $client "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n";
	while (my $line = <$client>) {
		my ($tag, $command, $rest) = $line =~ /^(\S+) ((?:UID )?\S+) ?(.*)\r\n$/i or return;
		$command = uc $command;
		if ($command eq 'CAPABILITY') {
			print $client "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n";
		} elsif ($command eq 'AUTHENTICATE') {
			print $client "+ \r\n";
			<$client>;
		} elsif ($command =~ /^(?:SELECT|EXAMINE)$/) {
			print $client '* ' . @messages . " EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen \\Deleted)\r\n",
				"* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT " . ($last + 1) . "] ok\r\n";
		} elsif ($command eq 'UID SEARCH') {
			my ($set) = $rest =~ /UID (\S+)/i;
			print $client '* SEARCH ',
				join(' ', grep { in_set($_, $set // '1:*', $last) } map { $_->{uid} } @messages), "\r\n";
		} elsif ($command eq 'UID FETCH') {
			my ($set, $items) = $rest =~ /^(\S+) (.*)/;
			for (1 .. @messages) {
				my $message = $messages[ $_ - 1 ];
				print $client fetch($_, $message, $items) if in_set($message->{uid}, $set, $last);
			}
		} elsif ($command eq 'LOGOUT') {
			print $client "* BYE\r\n$tag OK bye\r\n";
			return;
		}
		print $client "$tag OK done\r\n";
	}
}

1;
