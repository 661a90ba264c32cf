# SPDX-License-Identifier: ISC
#
# An IMAP server that behaves as told: what a real one does only on a bad day. Serves one client
# after the other in plain text, in a process of its own that ends with the object.
package FakeImap;
use strict;
use warnings;
use parent qw(Served);

# new({ uid => N, body => bytes, or undef for NIL, or gone => 1 for listed but never there }, ...)
sub new {
	my ($class, @messages) = @_;
	return $class->start(messages => \@messages);
}

# start(messages => [ as above ], offers => capabilities, log => a file for every command,
# breaks => { COMMAND => how often the line breaks after it is done and before its answer },
# cuts => so many times it breaks in the middle of a second body, idles => [ what becomes of each IDLE,
# see idle() below ], arrives => the message that comes with the first of those)
sub start {
	my ($class, %option) = @_;
	my %server = (offers => '', breaks => {}, cuts => 0, %option, other => {}, uidnext => 1000);
	return $class->serve(sub { serve_client($_[0], \%server) });
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

# What is asked of a message; its body is the last thing in it.
sub fetch {
	my ($number, $message, $items) = @_;
	my $body = $message->{body} // '';
	my @answer = ("UID $message->{uid}");
	return '' if $message->{gone} && $items =~ /BODY/i;
	push @answer, 'FLAGS (' . join(' ', sort keys %{ $message->{flags} // {} }) . ')' if $items =~ /FLAGS/i;
	push @answer, 'RFC822.SIZE ' . length $body if $items =~ /RFC822\.SIZE/i;
	push @answer, 'INTERNALDATE "01-Feb-2026 10:00:00 +0000"' if $items =~ /INTERNALDATE/i;
	if ($items =~ /BODY(?:\.PEEK)?\[\](?:<0\.(\d+)>)?/i) {
		my ($part, $mark) = defined $1 ? (substr($body, 0, $1), '<0>') : ($body, '');
		push @answer, "BODY[]$mark " . (defined $message->{body} ? '{' . length($part) . "}\r\n$part" : 'NIL');
	}
	return "* $number FETCH (@answer)\r\n";
}

# The messages of a folder: INBOX has those that the server was made with.
sub folder {
	my ($server, $name) = @_;
	return $server->{messages} if uc $name eq 'INBOX';
	return $server->{other}{$name};
}

sub answer_fetch {
	my ($client, $server, $messages, $set, $items) = @_;
	my $bodies = 0;
	for (1 .. @$messages) {
		my $message = $messages->[ $_ - 1 ];
		next if !in_set($message->{uid}, $set, $messages->[-1]{uid});
		my $answer = fetch($_, $message, $items);
		if ($items =~ /BODY\.PEEK\[\]\)/ && ++$bodies == 2 && $server->{cuts} > 0) {
			$server->{cuts}--;
			print $client substr $answer, 0, length($answer) / 2;
			return 0;
		}
		print $client $answer;
	}
	return 1;
}

# One command. "": its answer is OK; undef: the line breaks.
sub obey {
	my ($client, $server, $command, $rest) = @_;
	my $messages = $server->{selected} // [];
	my $last = @$messages ? $messages->[-1]{uid} : 0;
	if ($command eq 'CAPABILITY') {
		print $client "* CAPABILITY IMAP4rev1 AUTH=PLAIN $server->{offers}\r\n";
	} elsif ($command eq 'AUTHENTICATE') {
		print $client "+ \r\n";
		<$client>;
	} elsif ($command =~ /^(?:SELECT|EXAMINE)$/) {
		my ($name) = $rest =~ /^"(.*)"$/;
		$messages = $server->{selected} = folder($server, $name) or return 'NO [NONEXISTENT] none';
		print $client '* ' . @$messages . " EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen \\Deleted)\r\n",
			"* OK [UIDVALIDITY 7] ok\r\n* OK [UIDNEXT " . ($last + 1) . "] ok\r\n";
	} elsif ($command eq 'CREATE') {
		$server->{other}{$1} = [] if $rest =~ /^"(.*)"$/;
	} elsif ($command eq 'UID FETCH') {
		my ($set, $items) = $rest =~ /^(\S+) (.*)/;
		return undef if !answer_fetch($client, $server, $messages, $set, $items);
	} elsif ($command eq 'UID STORE') {
		my ($set, $flags) = $rest =~ /^(\S+) \+FLAGS\.SILENT \((.*)\)/ or return 'BAD what';
		$_->{flags}{$flags} = 1 for grep { in_set($_->{uid}, $set, $last) } @$messages;
	} elsif ($command eq 'UID COPY') {
		my ($set, $name) = $rest =~ /^(\S+) "(.*)"/;
		my $target = folder($server, $name) or return 'NO [TRYCREATE] none';
		push @$target, map { { uid => $server->{uidnext}++, body => $_->{body}, flags => {} } }
			grep { in_set($_->{uid}, $set, $last) } @$messages;
	} elsif ($command !~ /^(?:NOOP|LOGOUT)$/) {
		return 'BAD unknown';
	}
	return '';
}

# IDLE until DONE. Of what befalls it the first is taken, then it is an ordinary one. False: the line
# breaks.
sub idle {
	my ($client, $server, $tag) = @_;
	my $how = shift @{ $server->{idles} // [] } // '';
	my $messages = $server->{selected} // [];
	my $news = $how && $server->{arrives} ? push @$messages, delete $server->{arrives} : @$messages;
	local $| = 1;
	$client->autoflush(1);
	return print $client "$tag NO not today\r\n" if $how eq 'refused';
	return print $client "$tag BAD what is that\r\n" if $how eq 'bad';
	print $client "* OK wait\r\n* $news EXISTS\r\n" if $how eq 'early';
	if ($how ne 'never') {
		print $client $how eq 'together' ? "+ idling\r\n* $news EXISTS\r\n" : "+ idling\r\n";
	}
	return 0 if $how eq 'closes';
	if ($how eq 'bye') {
		print $client "* BYE come again\r\n";
		return 0;
	}
	print $client "+ still idling\r\n* OK Still here\r\n* 1 FETCH (FLAGS (\\Seen))\r\n" if $how eq 'talks';
	print $client "* 1 EXPUNGE\r\n" if $how eq 'expunge';
	if ($how eq 'drips' || $how eq 'done-no' || $how eq 'talks') {
		for (split //, "* $news EXISTS\r\n") {
			print $client $_;
			select undef, undef, undef, 0.05 if $how eq 'drips';
		}
	}
	my $line = <$client> // return 0;
	print $client $line eq "DONE\r\n" ? $how eq 'done-no' ? "$tag NO never mind\r\n" : "$tag OK done\r\n" : "$tag BAD what\r\n";
	return 1;
}

sub serve_client {
	my ($client, $server) = @_;
	local $/ = "\r\n";
	$server->{selected} = undef;
	print $client "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n";
	while (my $line = <$client>) {
		my ($tag, $command, $rest) = $line =~ /^(\S+) ((?:UID )?\S+) ?(.*)\r\n$/i or return;
		$command = uc $command;
		if (defined $server->{log}) {
			open(my $log, '>>', $server->{log}) or return;
			print $log "$command $rest\n";
		}
		if ($command eq 'IDLE') {
			idle($client, $server, $tag) or return;
			next;
		}
		my $why = obey($client, $server, $command, $rest) // return;
		return if $why eq '' && $server->{breaks}{$command} && $server->{breaks}{$command}--;
		print $client "* BYE\r\n" if $command eq 'LOGOUT';
		print $client $why ? "$tag $why\r\n" : "$tag OK done\r\n";
		return if $command eq 'LOGOUT';
	}
}

1;
