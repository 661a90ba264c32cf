#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# --check-config and --connect: everything that is wrong is named at once, with what to do, with the
# exit code that goes with it, and nothing changes on any server.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Find;
use IO::Socket::INET;
use JSON::PP;
use Test::More;
use Corpus;
use E2E;

my $QUOTA = <<'END';
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = maildir:all
  quota_rule = *:storage=10M
}
END
my @names   = qw(well pop lmtp typo trash empty);
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names }, more => $QUOTA);
my $old     = Dovecot->new(dir => work('old'), users => { old => 'sesame', left => 'sesame' },
	more => "imap_capability = IMAP4rev1 AUTH=PLAIN SASL-IR\n");
my $other   = Dovecot->new(dir => work('other'), users => { other => 'sesame' });
my $corpus  = Corpus->new('connect');
$dovecot->put($_, $corpus->mail('plain', "$_-1")->{bytes}) for @names;
$old->put('old', $corpus->mail('eicar-zip', 'old-1')->{bytes});

# Every file of the servers' mail: a mailbox that is opened for writing has its new mail moved.
sub mailboxes {
	my @files;
	find({ no_chdir => 1, wanted => sub { push @files, $_ if m{/Maildir/(?:new|cur|tmp)/} && -f } },
		map { work("$_/mail") } qw(dovecot old other));
	return [ sort @files ];
}

# What was found: "subject about result" => text, a line each.
sub results {
	my ($run) = @_;
	my $said = decode_json($run->{out});
	is($said->{exit}, $run->{code}, 'JSON says the exit code');
	my %text;
	push @{ $text{"$_->{subject} $_->{about} $_->{result}"} }, $_->{text} for @{ $said->{results} };
	return { map { $_ => join "\n", @{ $text{$_} } } keys %text };
}
my $before = mailboxes();

# --- all is well
scanner_start();
my @well = (E2E::account($dovecot, 'well', 'imaps', folders => [ 'INBOX' ]), E2E::account($dovecot, 'pop', 'pop3s'),
	E2E::account($dovecot, 'lmtp', 'imap', deliver => 'lmtp:' . work('dovecot/run/lmtp'), recipient => 'lmtp'));
my $conf = settings('well.conf', { E2E::global() }, @well);
my $run  = mailfilter('-c', $conf, '--check-config', '--connect');
is($run->{code}, 0, 'all is well: 0') or diag("$run->{out}$run->{err}");
like($run->{out}, qr/^ok     scanner ipc:\S+: ready: libclamav [\d.]+, \d+ signatures, \d+ workers$/m, 'the scanner says what it is');
like($run->{out}, qr/^note   scanner ipc:\S+: not protected: \S/m, 'and what it lacks');
like($run->{out}, qr/^ok     account well: logged in at 127\.0\.0\.1 port \d+ as well$/m, 'IMAP: logged in');
like($run->{out}, qr/^ok     account well: 1 of the server's \d+ folders can be served$/m, 'IMAP: folders');
like($run->{out}, qr/^ok     account well: \d+ of 10 MB of the mailbox are used$/m, 'IMAP: quota');
like($run->{out}, qr/^ok     account pop: 1 message there$/m, 'POP3: messages');
like($run->{out}, qr/^ok     account lmtp: \S+ speaks LMTP$/m, 'LMTP: greeted');
like($run->{out}, qr/^ok     account well: \S+ can be written$/m, 'a Maildir');
like($run->{out}, qr/^\Q$conf\E: 3 accounts, 0 things wrong\n\z/m, 'the end counts');
unlike("$run->{out}$run->{err}", qr/sesame/, 'no password is shown');
ok(!-e work('out'), 'nothing was made');
is_deeply(mailboxes(), $before, 'nothing changed on the servers');

# --- all that can be wrong, at once
my $closed = Dovecot::free_port();
my $silent = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "listen: $!\n";
sub changed {
	my ($account, $name, %change) = @_;
	my %option = (%{ $account->[1] }, %change);
	delete @option{ grep { !defined $option{$_} } keys %option };
	return [ $name, \%option ];
}
my $good  = E2E::account($dovecot, 'well', 'imaps');
my @wrong = (
	E2E::account($dovecot, 'well', 'imaps'),
	changed($good, 'password', password => 'guess'),
	changed($good, 'dns', source => 'imaps://well@no-such-host.invalid'),
	changed($good, 'closed', source => "imaps://well\@127.0.0.1:$closed"),
	changed($good, 'port', source => 'imaps://well@127.0.0.1:' . $dovecot->{port}{imap}),
	changed($good, 'silent', source => 'imaps://well@127.0.0.1:' . $silent->sockport, timeout => '1s'),
	changed(E2E::account($other, 'other', 'imaps'), 'issuer', 'tls-ca' => $dovecot->{ca}),
	E2E::account($dovecot, 'typo', 'imaps', folders => [ 'INBOX', 'Nothing', 'Lists/*', '!Spam*' ]),
	E2E::account($dovecot, 'empty', 'imaps', folders => [ 'Lists/*' ]),
	E2E::account($dovecot, 'trash', 'imaps', after => 'trash'),
	changed(E2E::account($old, 'old', 'imaps'), 'old', deliver => 'inplace'),
	E2E::account($old, 'left', 'imaps', after => 'delete'),
	changed($good, 'smtp', deliver => "smtp://127.0.0.1:$closed", recipient => 'a@example.org'),
	changed($good, 'command', password => undef, 'password-command' => [ 'false' ]),
);
$conf = settings('wrong.conf', { E2E::global(scanners => [ 'ipc://' . work('scanner.sock'), 'ipc://' . work('none.sock') ],
	jobs => 20) }, @wrong);
$run = mailfilter('-c', $conf, '--check-config', '--connect', '--json');
is($run->{code}, 78, 'settings win: 78');
cmp_ok($run->{seconds}, '<', 60, 'side by side');
my $said = results($run);
my %expected = (
	'account password login login'     => qr/refuses the login of well.*\(check user and password\)/,
	'account dns source unreached'     => qr/cannot look up no-such-host\.invalid: .*; correct the host/,
	'account closed source unreached'  => qr/Connection refused; see that host and port/,
	'account port source unreached'    => qr/not TLS.*; see that this is the port/,
	'account silent source unreached'  => qr/127\.0\.0\.1.*; see that this is the port/,
	'account issuer source unreached'  => qr/certificate of 127\.0\.0\.1 is refused: unknown issuer \(tls-ca/,
	'account typo folders settings'    => qr/"Nothing".*; correct `folders`, or make the folder on the server, which has: .*INBOX/,
	'account typo folders note'        => qr/no folder matches "Lists\/\*".*\n?.*"!Spam\*" leaves no folder out/,
	'account typo folders ok'          => qr/^1 of the server's/,
	'account empty folders settings'   => qr/no folder matches "Lists\/\*"; correct `folders`: the server has: INBOX/,
	'account trash after settings'     => qr/marks no folder as trash.*; name one with after = "move:FOLDER"/,
	'account old abilities note'       => qr/no UIDPLUS and no MOVE: in place, .* marked \\Deleted; expunge/,
	'account left abilities note'      => qr/with after = delete, .* marked \\Deleted; expunge/,
	'account smtp deliver unreached'   => qr/Connection refused; see that the SMTP server runs there/,
	'account command password settings' => qr/password-command: .*"false" ended with status 1: run it by hand/,
	'scanner ipc://' . work('none.sock') . ' scanner unreached' => qr/does not answer, .*; start it/,
	'scanner ipc://' . work('scanner.sock') . ' scanner ok'     => qr/^ready/,
);
like($said->{$_} // '', $expected{$_}, $_) for sort keys %expected;
ok(exists $said->{'account well login ok'}, 'what is well is found well beside it');
is_deeply(mailboxes(), $before, 'nothing changed on the servers');

# --- the highest code
for ([ 77, $wrong[1], $wrong[2] ], [ 75, $wrong[2] ], [ 77, $wrong[1] ]) {
	my ($code, @accounts) = @$_;
	$run = mailfilter('-c', settings('code.conf', { E2E::global() }, @accounts), '--check-config', '--connect');
	is($run->{code}, $code, join(' and ', map { $_->[0] } @accounts) . ": $code");
}

# --- facts of this machine, without a connection
write_file(work('open.password'), "sesame\n", 0644);
write_file(work('file'), '');
mkdir work('out');
my @here = (
	changed($good, 'absent', password => undef, 'password-file' => work('no.password')),
	changed($good, 'open', password => undef, 'password-file' => work('open.password')),
	changed($good, 'none', password => undef),
	changed($good, 'program', password => undef, 'password-command' => [ 'no-such-program' ]),
	changed($good, 'ca', 'tls-ca' => work('no.pem')),
	changed($good, 'new', deliver => 'maildir:' . work('made/when/needed')),
	changed($good, 'file', deliver => 'maildir:' . work('file/Maildir')),
	changed($good, 'box', deliver => 'mbox:' . work('dovecot')),
	changed($good, 'pipe', deliver => 'pipe', 'deliver-command' => [ '/no/such/program' ]),
	changed($good, 'socket', deliver => 'lmtp:' . work('nowhere/lmtp'), recipient => 'a@example.org'),
	[ 'dir', { source => 'maildir:' . work('no-maildir'), deliver => 'maildir:' . work('out/dir') } ],
);
$conf = settings('here.conf', { E2E::global('state-dir' => work('file/state'),
	scanners => [ 'ipc://' . work('nowhere/scanner.sock'), 'ipc:///run/no-such-service/scanner.sock' ]) }, @here);
$run = mailfilter('-c', $conf, '--check-config', '--json');
is($run->{code}, 78, 'this machine: 78');
$said     = results($run);
%expected = (
	'settings state-dir settings'       => qr/\Q@{[ work('file') ]}\E.*(?:no folder|Not a directory).*; /,
	'account absent password settings'  => qr/no\.password cannot be read: No such file.*; write the password/,
	'account open password settings'    => qr/everybody may read.*; chmod 600/,
	'account none password settings'    => qr/has no password: expected password-command/,
	'account program password settings' => qr/no program "no-such-program".*; install it/,
	'account ca tls-ca settings'        => qr/no\.pem cannot be read: .*; name a file/,
	'account new deliver note'          => qr{no \S+/made/when yet; it is made when mail comes},
	'account file deliver settings'     => qr/(?:no folder|Not a directory).*; /,
	'account box deliver settings'      => qr/is no file.*; for a Maildir write maildir:/,
	'account pipe deliver settings'     => qr{no program "/no/such/program".*; install it},
	'account socket deliver settings'   => qr/socket .* has no folder: .*; correct the path/,
	'account dir source settings'       => qr/no-maildir is no folder .*; name a Maildir/,
	'scanner ipc://' . work('nowhere/scanner.sock') . ' scanners settings' => qr/not there .*make it .* or correct/,
	'scanner ipc:///run/no-such-service/scanner.sock scanners note' => qr/is made when the scanner's service is started/,
);
like($said->{$_} // '', $expected{$_}, $_) for sort keys %expected;
is(scalar(keys %$said), scalar(keys %expected), 'and nothing else') or diag(explain($said));
$run = mailfilter('-c', $conf, '--check-config');
is($run->{code}, 78, 'for people, too: 78');
is(scalar(() = $run->{err} =~ /^mailfilter: /mg), scalar(keys %expected), 'a line each on standard error') or diag($run->{err});
is($run->{out}, '', 'and no word that all is well');
is(mailfilter('-c', $conf, '--connect')->{code}, 64, '--connect alone is refused');
is(mailfilter('-c', $conf, '--check-config', 'status')->{code}, 64, '--check-config is not for commands');
scanner_stop();
done_testing();
