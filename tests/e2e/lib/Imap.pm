# SPDX-License-Identifier: ISC
#
# Just enough IMAP and POP3, in plain text on loopback, to see what a server really has. Written
# apart from the programs under test on purpose: it shares no code and no library with them.
package Imap;
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET;

my $TIMEOUT_S = 60;

sub dial {
	my ($port) = @_;
	return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => $TIMEOUT_S)
		// die "port $port: $!\n";
}

sub new {
	my ($class, $port, $user, $password) = @_;
	my $self = bless { socket => dial($port), tag => 0 }, $class;
	$self->line;
	$self->command(qq(LOGIN "$user" "$password"));
	return $self;
}

# One response line; a literal in it stands as its bytes.
sub line {
	my ($self) = @_;
	my ($socket, $line) = ($self->{socket}, '');
	local $/ = "\r\n";
	while (1) {
		my $piece = <$socket> // die "the IMAP server hung up\n";
		$line .= $piece;
		return $line if $piece !~ /\{(\d+)\}\r\n\z/;
		my ($want, $got) = ($1, 0);
		while ($got < $want) {
			$got += read($socket, $line, $want - $got, length $line)
				|| die "the IMAP server hung up in a literal\n";
		}
	}
}

# Send one command; all untagged lines of the answer, whose last line stays in {last}. Dies on NO
# and BAD.
sub command {
	my ($self, $text, $literal) = @_;
	my $tag = 'x' . ++$self->{tag};
	my @lines;
	if (defined $literal) {
		print { $self->{socket} } "$tag $text {" . length($literal) . "}\r\n";
		my $go = $self->line;
		die "no continuation: $go" if $go !~ /^\+/;
		print { $self->{socket} } "$literal\r\n";
	} else {
		print { $self->{socket} } "$tag $text\r\n";
	}
	while (1) {
		my $line = $self->line;
		if ($line =~ s/^\Q$tag\E //) {
			$self->{last} = $line;
			return @lines if $line =~ /^OK/i;
			die "$text: $line";
		}
		push @lines, $line;
	}
}

# With flags ("\\Seen label") and a date ("01-Feb-2020 03:04:05 +0200") if they are given.
sub append {
	my ($self, $folder, $mail, $flags, $date) = @_;
	$self->command(qq(APPEND "$folder") . (defined $flags ? " ($flags)" : '')
		. (defined $date ? qq( "$date") : ''), $mail);
}

# What is in a folder, by UID: { uid, flags, date, body, sha256 }. EXAMINE and PEEK: nothing changes.
# \Recent is not a message's own and left out.
sub messages {
	my ($self, $folder) = @_;
	my @messages;
	$self->command(qq(EXAMINE "$folder"));
	for ($self->command('UID FETCH 1:* (UID FLAGS INTERNALDATE BODY.PEEK[])')) {
		my ($uid)   = /^\* \d+ FETCH \(.*?UID (\d+)/   or next;
		my ($flags) = /^\* \d+ FETCH \(.*?FLAGS \((.*?)\)/ or next;
		my ($date)  = /^\* \d+ FETCH \(.*?INTERNALDATE "(.*?)"/ or next;
		my ($size)  = /BODY\[\] \{(\d+)\}\r\n/         or next;
		my $body = substr $_, $+[0], $size;
		push @messages,
			{ uid => $uid, date => $date, flags => join(' ', sort grep { !/Recent/ } split / /, $flags),
			body => $body, sha256 => sha256_hex($body) };
	}
	return sort { $a->{uid} <=> $b->{uid} } @messages;
}

sub close {
	my ($self) = @_;
	$self->command('LOGOUT');
	close $self->{socket};
}

# All messages of a POP3 mailbox: { uid, body, sha256 }.
sub pop3_messages {
	my ($port, $user, $password) = @_;
	my $socket = dial($port);
	local $/ = "\r\n";
	my $ask = sub {
		print $socket "$_[0]\r\n" if defined $_[0];
		my $line = <$socket> // die "the POP3 server hung up\n";
		die "$_[0]: $line" if $line !~ /^\+OK/;
	};
	my $block = sub {
		my @lines;
		$ask->(@_);
		while (defined(my $line = <$socket>)) {
			return @lines if $line eq ".\r\n";
			push @lines, $line =~ s/^\.//r;
		}
		die "the POP3 server hung up\n";
	};
	$ask->(undef);
	$ask->("USER $user");
	$ask->("PASS $password");
	my @messages;
	for ($block->('UIDL')) {
		my ($number, $uid) = /^(\d+) (\S+)/ or die "odd UIDL line: $_";
		my $body = join '', $block->("RETR $number");
		push @messages, { uid => $uid, body => $body, sha256 => sha256_hex($body) };
	}
	$ask->('QUIT');
	return @messages;
}

1;
