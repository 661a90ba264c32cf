#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# What must be refused, with a reason a person can act on: a wrong password, certificates that
# prove nothing, settings that make no sense, a host that is not there. Other accounts go on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Test::More;
use Corpus;
use E2E;

my %users   = (good => 'sesame', bad => 'sesame');
my $dovecot = Dovecot->new(dir => work('dovecot'), users => \%users);
my $mail    = Corpus->new('refusals')->mail('plain', 'p1');
$dovecot->put('good', $mail->{bytes});
scanner_start();

# One bad account beside a good one.
my $case = 0;
sub run_with {
	my (@bad) = @_;
	my $conf = settings('case' . ++$case . '.conf', { E2E::global('state-dir' => work("state$case")) },
		E2E::account($dovecot, 'good', 'imaps', deliver => 'maildir:' . work("out/good$case")), @bad);
	my $run = mailfilter('-c', $conf, '--once');
	is(scalar(keys %{ { maildir("good$case") } }), 1, '  the good account beside it completes');
	unlike("$run->{out}$run->{err}", qr/sesame|guess/, '  no password is shown');
	return $run;
}

for my $kind (qw(imaps imap pop3s pop3)) {
	my $run = run_with(E2E::account($dovecot, 'bad', $kind, password => 'guess'));
	is($run->{code}, 77, "$kind: a wrong password: 77");
	like($run->{err}, qr/\bbad\b.*(?:auth|login|password)/i, '  said in words');
}

# A name the certificate does not have, an authority nobody knows, a certificate past its time.
my %server = (
	'another host name' => [ Dovecot->new(dir => work('name'), users => \%users, names => 'DNS:mail.example.org'), qr/name|host/i ],
	'an unknown authority' => [ Dovecot->new(dir => work('other'), users => \%users), qr/issuer|authority|trust|signer/i ],
	'an expired certificate' => [ Dovecot->new(dir => work('old'), users => \%users, days => -1), qr/expired/i ],
);
for my $what (sort keys %server) {
	my ($server, $reason) = @{ $server{$what} };
	my @ca = $what =~ /authority/ ? ('tls-ca' => $dovecot->{ca}) : ();
	for my $kind (qw(imaps imap pop3s pop3)) {
		my $run = run_with(E2E::account($server, 'bad', $kind, @ca));
		is($run->{code}, 75, "$kind: $what: 75");
		like($run->{err}, qr/\bbad\b.*certificate.*$reason|\bbad\b.*$reason.*certificate/i, '  with the reason');
	}
	$server->stop;
	like($server->log, qr/Disconnected|TLS handshaking/, "$what: the server was reached");
	unlike($server->log, qr/Login:|[1-9]\d* attempts|user=<[^>]/, "$what: and no login was sent to it")
		or diag($server->log);
}
my $run = run_with([ 'bad', { %{ E2E::account($dovecot, 'bad', 'imaps')->[1] },
	source => "imaps://bad\@no-such-host.invalid:993" } ]);
is($run->{code}, 75, 'an unknown host: 75');
like($run->{err}, qr/no-such-host\.invalid/, '  named');

$run = run_with([ 'bad', { %{ E2E::account($dovecot, 'bad', 'imaps')->[1] },
	source => 'imaps://bad@127.0.0.1:' . Dovecot::free_port() } ]);
is($run->{code}, 75, 'nobody listens: 75');
like($run->{err}, qr/refused/i, '  said in words');

# A server that offers no TLS where TLS is required.
my $socket = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die "listen: $!\n";
my $port   = $socket->sockport;
pipe(my $heard, my $tell) or die "pipe: $!\n";
my $pid = fork // die "fork: $!\n";
if (!$pid) {
	close $heard;
	$SIG{ALRM} = 'DEFAULT';
	alarm 60;
	my $client = $socket->accept;
	print $client "* OK ready\r\n";
	while (my $line = <$client>) {
		print $tell $line;
		my ($tag, $command) = split ' ', $line;
		print $client "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" if uc $command eq 'CAPABILITY';
		print $client uc $command eq 'STARTTLS' ? "$tag BAD unknown\r\n" : "$tag OK done\r\n";
	}
	POSIX::_exit(0);
}
close $socket;
close $tell;
$run = run_with([ 'bad', { %{ E2E::account($dovecot, 'bad', 'imap')->[1] }, source => "imap://bad\@127.0.0.1:$port" } ]);
kill 'KILL', $pid;
waitpid $pid, 0;
is($run->{code}, 75, 'a server without STARTTLS: 75');
unlike(join('', <$heard>), qr/LOGIN|AUTHENTICATE/i, '  and no login is sent in plain text');

# Settings: where, and what was expected.
my @good = @{ E2E::account($dovecot, 'good', 'imaps') };
my $valid = read_file(settings('valid.conf', { E2E::global() }, \@good));
my @wrong = (
	[ 'an unknown option',   sub { s/^scanners/colour = "blue"\nscanners/mr } ],
	[ 'a bad word',          sub { s/^scanners/scan = "some"\nscanners/mr } ],
	[ 'a bad number',        sub { s/^scanners/jobs = "many"\nscanners/mr } ],
	[ 'a repeated option',   sub { s/^(state-dir.*)$/$1\n$1/mr } ],
	[ 'a repeated account',  sub { $_ . (/(account.*)/s)[0] } ],
	[ 'an unknown source',   sub { s/imaps:/gopher:/r } ],
	[ 'no place to deliver', sub { s/^\tdeliver.*\n//mr } ],
	[ 'a missing brace',     sub { s/\}\n\z//r } ],
);
for (@wrong) {
	my ($what, $change) = @$_;
	my ($conf) = map { write_file(work('wrong.conf'), $_, 0600) } map { $change->() } $valid;
	for my $mode ('--once', '--check-config') {
		$run = mailfilter('-c', $conf, $mode);
		is($run->{code}, 78, "$what: 78 ($mode)");
		like($run->{err}, qr/\Q$conf\E:\d+: \S/, '  with file and line');
	}
}
write_file(work('wrong.conf'), $valid, 0644);
is(mailfilter('-c', work('wrong.conf'), '--once')->{code}, 78, 'a password that others may read: 78');
is(mailfilter('-c', work('absent.conf'), '--once')->{code}, 78, 'no settings file: 78');
is(mailfilter('-c', work('valid.conf'), '--check-config')->{code}, 0, 'good settings: 0');
is(mailfilter('--no-such-option')->{code}, 64, 'an unknown option on the command line: 64');
for my $option ([ '--dry-run' ], [ '--once' ], [ '--check-config' ], [ '--account', 'work' ]) {
	my $run = mailfilter('-c', work('valid.conf'), @$option, 'quarantine', 'expire');
	is($run->{code}, 64, "$option->[0] before a command is refused, not passed over");
	like($run->{err}, qr/quarantine: .*are not for commands/, '  and why is said');
}
my $help = mailfilter('--help');
is($help->{code}, 0, '--help: 0');
is_deeply([ grep { length > 80 } split /\n/, $help->{out} ], [], 'the help fits a terminal');
done_testing();
