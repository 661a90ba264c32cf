# SPDX-License-Identifier: ISC
#
# What delivers mail other than into a Maildir, and how a reader of its own kind finds it there:
# mbox files, a command that keeps each mail in a file, a Dovecot reached by LMTP, and a small SMTP
# server on loopback. Each is { deliver options, read => code } where read returns name => bytes.
package Destination;
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use E2E qw(work write_file read_file served);

my %pid;

# The messages of an mboxrd file: split at each "From " line, one '>' taken away, and with it the
# empty line behind each.
sub read_mbox {
	my ($path) = @_;
	my $text = read_file($path);
	return if $text eq '';
	die "$path does not begin with a From line\n" if $text !~ /\AFrom \S+ \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\n/;
	my @mails = split /^From [^\n]*\n/m, $text;
	shift @mails;
	my $count = 0;
	return map { $count++ => s/^>(>*From )/$1/mgr =~ s/\n\z//r } @mails;
}

sub mbox {
	my ($name) = @_;
	my $path = work("out/$name.mbox");
	return { deliver => { deliver => "mbox:$path" }, read => sub { read_mbox($path) } };
}

sub read_files {
	my ($folder) = @_;
	return map { $_ => read_file($_) } glob "$folder/mail.*";
}

# A script as people write them: it takes a mail when the file is in place.
sub command {
	my ($name) = @_;
	my $folder = work("out/$name");
	mkdir work('out');
	mkdir $folder;
	my $script = write_file(work("$name.sh"), <<"END", 0755);
#!/bin/sh
set -eu
echo "sender=\$SENDER recipient=\${RECIPIENT-}" >>$folder/log
file=\$(mktemp $folder/tmp.XXXXXX)
cat >"\$file"
mv "\$file" "$folder/mail.\${file##*.}"
END
	return { deliver => { deliver => 'pipe', 'deliver-command' => [ $script ] },
		read => sub { read_files($folder) } };
}

# What the server puts before a mail that it takes.
sub without_trace {
	my ($mail) = @_;
	return $mail =~ s/\AReturn-Path:[^\n]*\nDelivered-To:[^\n]*\nReceived:[^\n]*\n(?:[ \t][^\n]*\n)*//r;
}

# By socket or TCP, into the mailbox of another user of the same Dovecot.
sub lmtp {
	my ($dovecot, $user, $tcp, %more) = @_;
	my $to = $tcp ? "lmtp://127.0.0.1:$dovecot->{port}{lmtp}" : "lmtp:$dovecot->{dir}/run/lmtp";
	return { deliver => { deliver => $to, recipient => $user, %more },
		read => sub { map { $_->{uid} => without_trace($_->{body}) } served($dovecot, $user) } };
}

# One session of the SMTP server: each mail becomes a file. split: in a folder for each recipient.
sub smtp_session {
	my ($socket, $folder, $split) = @_;
	my ($count, %envelope) = (0);
	local $/ = "\r\n";
	print $socket "220 test\r\n";
	while (defined(my $line = <$socket>)) {
		if ($line =~ /^EHLO/) {
			print $socket "250-test\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n250 8BITMIME\r\n";
		} elsif ($line =~ /^(MAIL FROM|RCPT TO):<(.*?)>/) {
			$envelope{$1} = $2;
			print $socket "250 ok\r\n";
		} elsif ($line =~ /^DATA/) {
			print $socket "354 go on\r\n";
			my $mail = '';
			while (defined($line = <$socket>) && $line ne ".\r\n") {
				$mail .= $line =~ s/^\.//r;
			}
			return if !defined $line;
			my $to = $split ? "$folder/" . $envelope{'RCPT TO'} =~ s/\@.*//r : $folder;
			mkdir $to;
			write_file("$to/tmp.$$", $mail);
			rename "$to/tmp.$$", "$to/mail.$$." . $count++ or return;
			open(my $log, '>>', "$folder/log");
			print $log "sender=$envelope{'MAIL FROM'} recipient=$envelope{'RCPT TO'}\n";
			close $log;
			print $socket "250 taken\r\n";
		} elsif ($line =~ /^QUIT/) {
			print $socket "221 bye\r\n";
			return;
		} else {
			print $socket "250 ok\r\n";
		}
	}
}

# With split => 1 as an option read() wants to know whose.
sub smtp {
	my ($name, %more) = @_;
	my $split  = delete $more{split};
	my $folder = work("out/$name");
	my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die "listen: $!\n";
	mkdir work('out');
	mkdir $folder;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		$SIG{CHLD} = 'IGNORE';
		setpgrp;
		while (my $socket = $listener->accept) {
			next if fork;
			$socket->autoflush(1);
			$socket->setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
			smtp_session($socket, $folder, $split);
			POSIX::_exit(0);
		}
		POSIX::_exit(0);
	}
	$pid{$pid} = 1;
	return { deliver => { deliver => 'smtp://127.0.0.1:' . $listener->sockport, %more },
		read => sub { read_files(@_ ? "$folder/$_[0]" : $folder) } };
}

# As E2E::account, to one of these.
sub account {
	my ($dovecot, $name, $kind, $destination, %more) = @_;
	$E2E::reader{$name} = $destination->{read};
	my $account = E2E::account($dovecot, $name, $kind, %more);
	$account->[1] = { %{ $account->[1] }, %{ $destination->{deliver} } };
	return $account;
}

END {
	my $code = $?;
	kill 'KILL', -$_ for keys %pid;
	waitpid $_, 0 for keys %pid;
	$? = $code;
}

1;
