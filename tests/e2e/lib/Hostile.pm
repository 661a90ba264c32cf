# SPDX-License-Identifier: ISC
#
# Mail servers that lie, stall, flood or fall silent, each in a process of its own that ends with
# the object. A behaviour is a table of answers by command; what it does not name is answered as an
# honest server with one message would.
package Hostile;
use strict;
use warnings;
use parent qw(Served);
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep);

our $mail = "From: a\@example.org\r\nSubject: honest\r\nMessage-ID: <honest\@example.org>\r\n\r\nHello.\r\n";

# new(protocol, { COMMAND => sub ($client, $tag, $line) or text, ... }); GREETING is a command, too.
# A sub that returns false ends the connection.
sub new {
	my ($class, $protocol, $behaviour) = @_;
	return $class->serve(sub { $protocol eq 'imap' ? imap($_[0], $behaviour) : pop3($_[0], $behaviour) });
}

# Until the other side has had enough.
sub flood {
	my ($client, $bytes) = @_;
	my $block = $bytes x (1 + int(65536 / length $bytes));
	1 while defined syswrite($client, $block);
	return 0;
}

# A byte a second.
sub drip {
	my ($client, $bytes) = @_;
	for (split //, $bytes) {
		return 0 if !defined syswrite($client, $_);
		sleep 1;
	}
	return 0;
}

sub silence {
	my ($client) = @_;
	1 while sysread($client, my $ignored, 65536);
	return 0;
}

# The connection is reset, not closed.
sub reset_it {
	my ($client) = @_;
	setsockopt($client, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0));
	return 0;
}

# What is to be said to a command: 1 to go on.
sub answer {
	my ($client, $behaviour, $command, $tag, $line) = @_;
	my $what = $behaviour->{$command};
	return $what->($client, $tag, $line) if ref $what;
	print $client $what =~ s/TAG/$tag/gr;
	return 1;
}

sub imap {
	my ($client, $behaviour) = @_;
	my $size = length $mail;
	my %honest = (
		GREETING => "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n",
		CAPABILITY => "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK done\r\n",
		AUTHENTICATE => sub { print $client "+ \r\n"; <$client>; print $client "$_[1] OK in\r\n" },
		SELECT => "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT 4] ok\r\nTAG OK done\r\n",
		'UID SEARCH' => "* SEARCH 3\r\nTAG OK done\r\n",
		'UID FETCH' => "* 1 FETCH (UID 3 FLAGS () RFC822.SIZE $size INTERNALDATE \"01-Feb-2026 10:00:00 +0000\")\r\nTAG OK done\r\n",
		BODY => "* 1 FETCH (UID 3 BODY[] {$size}\r\n$mail)\r\nTAG OK done\r\n",
		LOGOUT => "* BYE\r\nTAG OK bye\r\n",
	);
	my %all = (%honest, %$behaviour);
	local $/ = "\n";
	answer($client, \%all, 'GREETING', '', '') or return;
	while (my $line = <$client>) {
		my ($tag, $command) = $line =~ /^(\S+) ((?:UID )?\S+)/i or return;
		$command = uc $command;
		$command = 'SELECT' if $command eq 'EXAMINE';
		$command = 'BODY'   if $command eq 'UID FETCH' && $line =~ /BODY/;
		if ($all{$command}) {
			answer($client, \%all, $command, $tag, $line) or return;
		} else {
			print $client "$tag OK done\r\n";
		}
	}
}

sub pop3 {
	my ($client, $behaviour) = @_;
	my $size = length $mail;
	my %honest = (
		GREETING => "+OK ready\r\n",
		CAPA     => "+OK\r\nUIDL\r\nPIPELINING\r\nUSER\r\n.\r\n",
		UIDL     => "+OK\r\n1 abc\r\n.\r\n",
		LIST     => "+OK\r\n1 $size\r\n.\r\n",
		RETR     => "+OK\r\n$mail.\r\n",
	);
	my %all = (%honest, %$behaviour);
	local $/ = "\n";
	answer($client, \%all, 'GREETING', '', '') or return;
	while (my $line = <$client>) {
		my ($command) = $line =~ /^(\S+)/ or return;
		$command = uc $command;
		if ($all{$command}) {
			answer($client, \%all, $command, '', $line) or return;
		} else {
			print $client "+OK\r\n";
		}
		return if $command eq 'QUIT';
	}
}

1;
