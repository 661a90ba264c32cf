#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Mail handed to a server that wants a login, as providers' submission servers do: over TLS from the
# first byte on, after STARTTLS, and on this machine in plain text. A wrong password stops the account
# with a clear word, nothing is downloaded, and no secret is in a log, a status or a process list.
use strict;
use warnings;
use FindBin;
use IO::Socket::INET;
use IO::Socket::SSL;
use MIME::Base64 qw(encode_base64);
use POSIX ();
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use Destination;
use E2E;

my $SECRET  = 'opensesame-4711';
my %how     = (smtps => 'smtps', starttls => 'smtp', plain => 'smtp');
my @names   = sort keys %how;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names });
my $corpus  = Corpus->new('submission');
my (%port, @servers);

# One session, in the lines of RFC 5321 and 4954; mail only after the right login, and that only where
# it is private or said not to be.
sub session {
	my ($socket, $name) = @_;
	my ($private, $in, $count) = ($name eq 'smtps', 0, 0);
	my $folder = work("out/$name");
	local $/ = "\r\n";
	print $socket "220 test\r\n";
	while (defined(my $line = <$socket>)) {
		if ($line =~ /^EHLO/) {
			print $socket "250-test\r\n250-8BITMIME\r\n",
				$private || $name eq 'plain' ? "250 AUTH LOGIN PLAIN\r\n" : "250 STARTTLS\r\n";
		} elsif ($line =~ /^STARTTLS/ && !$private) {
			print $socket "220 go\r\n";
			IO::Socket::SSL->start_SSL($socket, SSL_server => 1, ssl_files()) or return;
			$private = 1;
		} elsif ($line =~ /^AUTH PLAIN (\S+)/) {
			$in = $1 eq encode_base64("\0sender\0$SECRET", '');
			print $socket $in ? "235 in\r\n" : "535 5.7.8 bad credentials for $1\r\n";
		} elsif ($line =~ /^QUIT/) {
			print $socket "221 bye\r\n";
			return;
		} elsif (!$in) {
			print $socket "530 5.7.0 log in first\r\n";
		} elsif ($line =~ /^DATA/) {
			print $socket "354 go on\r\n";
			my $mail = '';
			$mail .= $line =~ s/^\.//r while defined($line = <$socket>) && $line ne ".\r\n";
			write_file("$folder/tmp.$$", $mail);
			rename "$folder/tmp.$$", "$folder/mail.$$." . $count++ or return;
			print $socket "250 taken\r\n";
		} else {
			print $socket "250 ok\r\n";
		}
	}
}

sub ssl_files {
	return (SSL_cert_file => work('dovecot/server.pem'), SSL_key_file => work('dovecot/server.key'));
}

sub server {
	my ($name) = @_;
	my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die "listen: $!\n";
	mkdir $_ for work('out'), work("out/$name");
	$port{$name} = $listener->sockport;
	my $pid = fork // die "fork: $!\n";
	push @servers, $pid;
	return if $pid;
	setpgrp;
	@SIG{qw(INT TERM HUP)} = ('DEFAULT') x 3;
	while (my $socket = $listener->accept) {
		$socket->autoflush(1);
		if ($name ne 'smtps' || IO::Socket::SSL->start_SSL($socket, SSL_server => 1, ssl_files())) {
			session($socket, $name);
		}
		close $socket;
	}
	POSIX::_exit(0);
}
my $main = $$;
END {
	my $code = $?;
	if ($main && $$ == $main) {
		kill 'KILL', @servers;
		waitpid $_, 0 for @servers;
	}
	$? = $code;
}

server($_) for @names;
my $file   = write_file(work('submission.password'), "$SECRET\n", 0600);
my $script = write_file(work('secret.sh'), "#!/bin/sh\ncat $file\n", 0755);
my %more = (
	smtps    => { 'deliver-tls-ca' => work('dovecot/server-ca.pem'), 'deliver-password-file' => $file },
	starttls => { 'deliver-tls-ca' => work('dovecot/server-ca.pem'), 'deliver-password-command' => [$script] },
	plain    => { 'deliver-tls' => 'none', 'deliver-password-file' => $file },
);
my %mails = map { my $name = $_; ($name => [ map { $corpus->mail($_, "$name-$_") } qw(plain attachment text eicar-zip) ]) } @names;
$dovecot->put($_, map { $_->{bytes} } @{ $mails{$_} }) for @names;

sub conf {
	my ($file) = @_;
	return settings($file, { E2E::global() }, map {
		my $name = $_;
		Destination::account($dovecot, $name, 'imaps', {
				deliver => { deliver => "$how{$name}://127.0.0.1:$port{$name}", recipient => 'bob@example.org',
					'deliver-user' => 'sender', %{ $more{$name} } },
				read => sub { Destination::read_files(work("out/$name")) },
			}, after => 'delete')
	} @names);
}
my $conf   = conf('mailfilter.conf');
my %served = map { $_ => [ served($dovecot, $_) ] } @names;
scanner_start();

# 1. The wrong password.
write_file($file, "wrong-$SECRET\n", 0600);
my $run = mailfilter('-c', $conf, '--once');
is($run->{code}, 77, 'a refused login: 77') or diag $run->{err};
my $refusals = () = "$run->{err}$run->{out}" =~ /takes no login, with words that hold what it was told \(check deliver-user/g;
cmp_ok($refusals, '>=', 3, 'each says what to check');
my $status = E2E::unwrapped(mailfilter('-c', $conf, 'status')->{out});
like($status, qr/smtps: .*deliver-user/, 'status, too');
unlike($run->{err} . $run->{out} . $status . read_file(work('mailfilter.log')), qr/\Q$SECRET\E|@{[encode_base64("\0sender\0wrong-$SECRET", '')]}/, 'no secret is said');
is_deeply([ map { Destination::read_files(work("out/$_")) } @names ], [], 'nothing went out');
is(scalar(map { served($dovecot, $_) } @names), 12, 'and nothing left the server');

# 2. The right one.
write_file($file, "$SECRET\n", 0600);
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'the right password: 0') or diag $run->{err};
is_deeply([ E2E::problems($_, $served{$_}, $mails{$_}) ], [], "$_: nothing lost, nothing twice") for @names;
unlike(read_file(work('mailfilter.log')), qr/\Q$SECRET\E|@{[encode_base64("\0sender\0$SECRET", '')]}/, 'no secret is said');

# 3. A certificate of nobody's, and a password file that is gone.
Dovecot::certificate(work(), 'other', 'DNS:localhost', 30);
$more{smtps}{'deliver-tls-ca'} = work('other-ca.pem');
$more{starttls}{'deliver-password-command'} = [ '/bin/false' ];
$more{plain}{'deliver-password-file'} = work('gone');
$dovecot->put($_, $corpus->mail('plain', "late-$_")->{bytes}) for @names;
$conf = conf('broken.conf');
$run = mailfilter('-c', $conf, '--once', '--account', 'smtps');
is($run->{code}, 75, 'a certificate that is not trusted: 75');
like($run->{err}, qr/deliver-tls: the certificate of 127.0.0.1 is refused/, '  and says so');
$run = mailfilter('-c', $conf, '--once', '--account', 'starttls');
like($run->{err} . $run->{out}, qr/deliver-password-command: .*status 1/, 'a command that fails is said');
$run = mailfilter('-c', $conf, '--once', '--account', 'plain');
like($run->{err} . $run->{out}, qr/deliver-password-file: .*gone/, 'a file that is gone is said');
is(scalar(map { served($dovecot, $_) } @names), 3, 'and nothing left the server');
ok(scanner_stop(), 'the scanner ends in order');
done_testing();
