#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Every destination beside a Maildir, with real readers behind them: an mbox file, a command, a
# Dovecot by LMTP (socket, TCP, TLS), a server by SMTP. Ordinary mail comes out byte for byte, infected
# mail cleaned; one more run changes nothing; what a destination refuses waits for it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use Destination;
use E2E;

my %kind = (mbox => 'imaps', pipe => 'pop3s', lmtp => 'imap', tcp => 'imaps', tls => 'pop3', smtp => 'imaps');
my @names = sort keys %kind;
my $dovecot = Dovecot->new(dir => work('dovecot'),
	users => { (map { $_ => "secret of $_" } @names), map { ("in-$_" => 'x') } qw(lmtp tcp tls) });
my %to = (mbox => Destination::mbox('mbox'), pipe => Destination::command('pipe'),
	lmtp => Destination::lmtp($dovecot, 'in-lmtp'), tcp => Destination::lmtp($dovecot, 'in-tcp', 1),
	tls => Destination::lmtp($dovecot, 'in-tls', 1, 'deliver-tls' => 'verify', 'deliver-tls-ca' => $dovecot->{ca}),
	smtp => Destination::smtp('smtp', recipient => 'bob@example.org', sender => '<>'));

my (%mails, @accounts);
for my $name (@names) {
	my $corpus = Corpus->new("destination $name");
	my $count  = 0;
	$mails{$name} = [ map { $corpus->mail($_, sprintf '%s%02d', $name, $count++) }
			map { ($_, $_) } @Corpus::CLEAN, @Corpus::INFECTED ];
	$dovecot->put($name, map { $_->{bytes} } @{ $mails{$name} });
	push @accounts, Destination::account($dovecot, $name, $kind{$name}, $to{$name},
		$name eq 'mbox' ? ('deliver-timeout' => '1s') : ());
}
# What must survive quoting and stuffing. Dovecot serves it with CR LF throughout.
my $tricky = "Message-ID: <tricky\@example.org>\r\nSubject: tricky\r\nReturn-Path: <sender\@example.org>\r\n\r\n"
	. "From here\r\n>From there\r\n.\r\n..\r\n.dot\r\n\r\nFrom\r\n" . 'x' x 3000 . "\r\n\xe4\r\n\r\n\r\n";
for my $name (@names) {
	push @{ $mails{$name} }, { name => 'tricky', kind => 'tricky', bytes => $tricky, sha256 => Digest::SHA::sha256_hex($tricky) };
	$dovecot->put($name, $tricky);
}
my $conf = settings('mailfilter.conf', { E2E::global() }, @accounts);
my %before = map { my $name = $_; $name => [ served($dovecot, $name) ] } @names;

scanner_start();
my $run = mailfilter('-c', $conf, '--check-config');
is($run->{code}, 0, 'the settings are right') or diag $run->{err};
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'all is delivered');
for my $name (@names) {
	is_deeply([ E2E::problems($name, $before{$name}, $mails{$name}) ], [],
		"$name: every mail is there once, clean ones unchanged, infected ones cleaned");
	is_deeply([ glob(work("state/$name/mbox.batch*")) ], [], "$name: no batch is left");
	is(-s work("state/$name/sent.journal") // 0, 0, "$name: no journal is left");
}
my $snapshot = E2E::snapshot(@names);
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'run again: success');
is_deeply(E2E::snapshot(@names), $snapshot, 'run again: nothing new, nothing changed');
like(read_file(work('out/pipe/log')), qr/^sender=sender\@example.org recipient=$/m, 'the command knows the sender');
unlike(read_file(work('out/smtp/log')), qr/^(?!sender= recipient=bob\@example.org$)/m, 'the server knows whom it is for');

# A reader of another's making.
SKIP: {
	skip 'no python3 here', 1 if system('command -v python3 >/dev/null') != 0;
	my $count = `python3 -c 'import mailbox, sys; print(len(mailbox.mbox(sys.argv[1])))' "@{[work('out/mbox.mbox')]}"`;
	is($count + 0, scalar @{ $mails{mbox} }, 'python reads the mbox as well');
}

# Without the authority that signed it the certificate is refused, and nothing goes out.
my $stranger = Corpus->new('stranger')->mail('plain', 'stranger');
$dovecot->put('tls', $stranger->{bytes});
my ($account) = grep { $_->[0] eq 'tls' } @accounts;
my $untrusting = settings('untrusting.conf', { E2E::global() },
	[ 'tls', { %{ $account->[1] }, 'deliver-tls-ca' => work('dovecot/server-ca.key') } ]);
$run = mailfilter('-c', $untrusting, '--once');
is($run->{code}, 75, 'an authority that is none: 75');
Dovecot::certificate(work(), 'other', 'DNS:localhost', 30);
$untrusting = settings('untrusting.conf', { E2E::global() },
	[ 'tls', { %{ $account->[1] }, 'deliver-tls-ca' => work('other-ca.pem') } ]);
$run = mailfilter('-c', $untrusting, '--once');
is($run->{code}, 75, 'a certificate that is not trusted: 75');
like($run->{err}, qr/deliver-tls: the certificate of 127.0.0.1 is refused/, 'and says so');
is(scalar(served($dovecot, 'in-tls')), scalar @{ $mails{tls} }, 'nothing went out');
push @{ $mails{tls} }, $stranger;

# What is refused waits, says why, and goes out once it can.
my $late = Corpus->new('late')->mail('plain', 'late01');
$dovecot->put('pipe', $late->{bytes});
$dovecot->put('mbox', $late->{bytes});
rename work('pipe.sh'), work('pipe.kept');
write_file(work('pipe.sh'), "#!/bin/sh\necho the disk is full >&2\nexit 75\n", 0755);
write_file(work('out/mbox.mbox.lock'), getppid() . "\n");
$run = mailfilter('-c', $conf, '--once', '--account', 'pipe');
is($run->{code}, 75, 'a command that fails: 75');
like($run->{err}, qr/action=held .*reason=".*status 75: the disk is full"/, 'with its words');
$run = mailfilter('-c', $conf, 'status');
like($run->{out}, qr/: 1 held/, 'status tells of it');
$run = mailfilter('-c', $conf, '--once', '--account', 'mbox');
is($run->{code}, 75, 'a mailbox that is locked: 75');
like($run->{err}, qr/is locked by its \.lock \(process @{[getppid()]}\)/, 'with who locks it');
rename work('pipe.kept'), work('pipe.sh');
unlink work('out/mbox.mbox.lock');
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'then they go out');
push @{ $mails{$_} }, $late for qw(mbox pipe);
for my $name (qw(mbox pipe tls)) {
	is_deeply([ E2E::problems($name, [ served($dovecot, $name) ], $mails{$name}) ], [], "$name: and once");
}
ok(scanner_stop(), 'the scanner ends in order');
done_testing();
