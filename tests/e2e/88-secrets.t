#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Where passwords and access tokens come from, what a refusal leads to, and that they are seen by
# nobody: no log, no list of processes, no command's environment, no file of ours, no core.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Find;
use Test::More;
use E2E;
use Token;

my %auth = (imap => [qw(imaps xoauth2)], bearer => [qw(imaps oauthbearer)], pop => [qw(pop3s xoauth2)],
	popbearer => [qw(pop3s oauthbearer)]);
my @names   = sort keys %auth;
my $SECRET  = 'correct+horse+battery';
my %secret  = map { $_ => $SECRET . $_ } qw(word file unit pipe other);
my $dovecot = Dovecot->new(dir => work('dovecot'),
	users => { (map { $_ => 'never said' } @names), %secret }, more => Token::settings(work('oauth2')));
$dovecot->put($_, "Message-ID: <$_\@test>\r\nSubject: $_\r\n\r\nHello.\r\n") for @names, keys %secret;

# Prints what is in NAME.1 when it is run first, and then what is in NAME.2.
write_file(work('token'), <<'END', 0755);
#!/bin/sh
echo run >>"$1.runs"
test -e "$1.2" -a "$(wc -l <"$1.runs")" -gt 1 && exec cat "$1.2"
exec cat "$1.1"
END

sub runs {
	my ($name) = @_;
	my @lines = split /\n/, read_file(work("$name.runs"));
	unlink work("$name.runs");
	return scalar @lines;
}

# The settings of one account that logs in with what the command prints.
sub with_token {
	my ($name, %more) = @_;
	my ($kind, $auth) = @{ $auth{$name} };
	my $account = E2E::account($dovecot, $name, $kind, auth => $auth,
		'password-command' => [ work('token'), work($name) ], %more);
	delete $account->[1]{password};
	return $account;
}

# In the plain: tokens of some sizes, one of them too long for a line with its AUTH.
my %longer = (pop => 3000, bearer => 4000);
for my $name (@names) {
	write_file(work("$name.1"), Token::jwt($name, -60, $longer{$name}));
	write_file(work("$name.2"), Token::jwt($name, 600, $longer{$name}) . "\n");
}
my $conf = settings('tokens.conf', { E2E::global() }, map { with_token($_) } @names);
my $run  = mailfilter('-v', '-c', $conf, '--once');
is($run->{code}, 0, 'tokens that have run out are replaced by fresh ones') or diag $run->{err}, $dovecot->log;
for my $name (@names) {
	my %file = maildir($name);
	is(scalar(keys %file), 1, "$name: its mail is there");
	is(runs($name), 2, "$name: the command was run once more, and no oftener");
	like($dovecot->log, qr/Login: user=<\Q$name\E>, method=\U$auth{$name}[1]\E, /, "$name: by its mechanism");
}
my $said = $run->{err} . $run->{out};

# What the server has against a token.
unlink work("$_.2") for @names;
for my $name (@names) {
	$conf = settings('refused.conf', { E2E::global() }, with_token($name));
	$run  = mailfilter('-c', $conf, '--once');
	is($run->{code}, 77, "$name: a token that has run out");
	is(runs($name), 2, "$name: one and the same is not tried again, but asked for");
	my $like = $auth{$name}[1] eq 'xoauth2' ? qr/status=401, schemes=bearer/ : qr/status=invalid_token/;
	like($run->{err}, qr/$name: 127\.0\.0\.1 refuses the login of $name: .*\($like.*openid-configuration=https:/,
		"$name: the reason is told");
	$said .= $run->{err} . $run->{out};
}
is(() = $dovecot->log =~ /Token has expired/g, 2 * @names, 'so often a token was refused');

# One that would say more than itself.
write_file(work('imap.1'), "x\001\001user=other\n");
$run = mailfilter('-c', settings('odd.conf', { E2E::global() }, with_token('imap')), '--once');
is($run->{code}, 75, 'a token with a control character');
like($run->{err}, qr/imap: password-command: \S+token: a control character in the token/, 'it is refused');
runs('imap');

# A server that has no such login.
my $plain = Dovecot->new(dir => work('plain'), users => { imap => 'x', pop => 'x' });
for my $name (qw(imap pop)) {
	write_file(work("$name.1"), Token::jwt($name, 600));
	$conf = settings('none.conf', { E2E::global() }, with_token($name, source => $plain->url($name, $auth{$name}[0]),
			'tls-ca' => $plain->{ca}));
	$run = mailfilter('-c', $conf, '--once');
	is($run->{code}, 75, "$name: the server does not know it");
	like($run->{err}, qr/does not offer XOAUTH2, but PLAIN LOGIN: expected another auth/, "$name: what it does offer");
}
$plain->stop;

# What no further visit mends, and what it may.
for (
	[ 78, 'a file that is not there', qr{password-file: cannot read /nonexistent}, 'password-file' => '/nonexistent' ],
	[ 78, 'a program that is not there', qr{password-command: command "/nonexistent" cannot be started: No such file},
		'password-command' => ['/nonexistent'] ],
	[ 78, 'a file that everybody may read', qr{chmod 600}, 'password-file' => write_file(work('open'), "x\n", 0644) ],
	[ 78, 'an empty file', qr{no password: expected it}, 'password-file' => write_file(work('empty'), '', 0600) ],
	[ 75, 'a command that fails', qr{"sh" ended with status 3: the agent is \?\[1mlocked},
		'password-command' => [ 'sh', '-c', 'printf "first\nthe agent is \033[1mlocked\n" >&2; exit 3' ] ],
	[ 77, 'a wrong password', qr{refuses the login of word: .*\(check user and password\)},
		'password-command' => [ 'sh', '-c', 'echo wrong' ] ],
	) {
	my ($code, $what, $like, %source) = @$_;
	my $account = E2E::account($dovecot, 'word', 'imaps', %source);
	delete $account->[1]{password};
	$run = mailfilter('-c', settings('bad.conf', { E2E::global() }, $account), '--once');
	is($run->{code}, $code, "$what: exit code");
	like($run->{err}, $like, "$what: a sentence");
}

# Every way a password comes in, and a look from the commands at all there is to see. The command that
# delivers runs beside a worker that is logged in.
my ($seen, $facts) = (work('seen'), work('facts'));
write_file(work('look'), <<"END", 0755);
#!/bin/sh
cat >/dev/null
worker=\$(sed -n 's/^PPid:\\t//p' /proc/\$PPID/status)
{
	env
	cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'
	for pid in \$PPID \$worker; do tr '\\0' '\\n' </proc/\$pid/environ; done
	ls -l /proc/self/fd
} >$seen 2>&1
{
	sed -n 's/^/worker /; /NoNewPrivs\\|Seccomp:/p' /proc/\$worker/status
	sed -n 's/^/runner /; /Seccomp:/p' /proc/\$PPID/status
	for pid in \$PPID \$worker; do grep 'core file' /proc/\$pid/limits; done
	ulimit -c
} >$facts 2>&1
END
write_file(work('credentials/mailfilter.unit'), "$secret{unit}\n", 0400);
write_file(work('password'), "$secret{file}\n", 0600);
write_file(work('pipe.1'), "$secret{pipe}\n");
my %from = (word => {}, file => { 'password-file' => work('password') }, unit => {},
	pipe => { 'password-command' => [ work('token'), work('pipe') ], deliver => 'pipe',
		'deliver-command' => [ work('look') ] });
my @accounts = map { E2E::account($dovecot, $_, $_ eq 'unit' ? 'pop3s' : 'imaps', %{ $from{$_} }) } sort keys %from;
delete $_->[1]{password} for grep { $_->[0] ne 'word' } @accounts;
$conf = settings('all.conf', { E2E::global() }, @accounts);
{
	local $ENV{CREDENTIALS_DIRECTORY} = work('credentials');
	$run = mailfilter('-v', '-c', $conf, '--once');
}
is($run->{code}, 0, 'from the settings, a file, systemd and a command') or diag $run->{err};
$said .= $run->{err} . $run->{out};
is(runs('pipe'), 1, 'a command is run once where the login succeeds');
my $facts_found = read_file($facts);
like($facts_found, qr/^worker NoNewPrivs:\t1$/m, 'the worker gains no privileges');
like($facts_found, qr/^worker Seccomp:\t2$/m, 'and is confined');
my ($outside) = read_file('/proc/self/status') =~ /^Seccomp:\t(\d)/m;
like($facts_found, qr/^runner Seccomp:\t$outside$/m, 'its commands are not');
is(() = $facts_found =~ /^Max core file size\s+0\s+0\s/mg, 2, 'nobody leaves a core') or diag $facts_found;
like($facts_found, qr/^0$/m, 'nor do commands');

my $sight = read_file($seen);
like($sight, qr/^SENDER=/m, 'the command had a look around');
like($sight, qr/^build\/mailfilter$/m, 'at all processes');
unlike($sight, qr/\Q$SECRET\E/, 'no secret is to be seen');
unlike($sight, qr/ [3-9] -> (?!.*\/proc\/)/, 'it has no descriptor of ours');
unlike($said, qr/\Q$SECRET\E|eyJhbGci|Bearer/, 'the log has none');
my @files;
find(sub { push @files, $File::Find::name if -f }, work('state'), work('out'));
cmp_ok(scalar(@files), '>', 5, 'there are files of ours');
is_deeply([ grep { read_file($_) =~ /\Q$SECRET\E|eyJhbGci/ } @files ], [], 'none has a secret');
done_testing();
