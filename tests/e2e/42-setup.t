#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# mailfilter setup: answered by a script and at a terminal, right and wrong; what it writes works, what
# was there stays byte for byte, and who breaks it off leaves nothing behind.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Find;
use IO::Socket::INET;
use Test::More;
use Corpus;
use E2E;
use Terminal;

my %users = map { $_ => "sesame-$_" } qw(alice bob carol);
my $dovecot = Dovecot->new(dir => work('dovecot'), users => \%users);
my $corpus  = Corpus->new('setup');
$dovecot->put($_, $corpus->mail('plain', "$_-1")->{bytes}, $corpus->mail('eicar-zip', "$_-2")->{bytes}) for keys %users;
my ($imaps, $pop3s) = map { "127.0.0.1:$dovecot->{port}{$_}" } qw(imaps pop3s);
my $TRY = "\nwrite it, try again, quit, or change";

# A run with these answers, a line each.
sub setup {
	my ($file, @answers) = @_;
	my ($out, $answers) = (work('setup.out'), write_file(work('answers'), join '', map { "$_\n" } @answers));
	system("build/mailfilter setup \Q$file\E <\Q$answers\E >\Q$out\E 2>&1");
	return { code => $? >> 8, out => read_file($out) };
}

sub files {
	my ($folder) = @_;
	my @all;
	find({ no_chdir => 1, wanted => sub { push @all, $_ } }, $folder);
	return [ sort @all ];
}

sub mode {
	return sprintf '%o', (stat $_[0])[2] & 07777;
}

# --- a first account, into a file with what others may have written, without an end of its last line
scanner_start();
mkdir work('etc') or die "etc: $!\n";
my $conf  = work('etc/mailfilter.conf');
my $start = "# mine; \"quoted\" { }\nstate-dir = \"" . work('state') . "\"\nscanners = { \"ipc://" . work('scanner.sock') . "\" }";
write_file($conf, $start, 0640);
my @alice = ('alice@example.invalid', '', 'imaps', $imaps, 'alice');
my $run = setup($conf, @alice, 'file', '', 'guess', 'maildir:' . work('out/example'), 'delete',
	'tls-ca', $dovecot->{ca}, 'password', 'file', '', $users{alice}, 'write');
is($run->{code}, 0, 'an account is set up') or diag $run->{out};
my ($first, $second, $third) = split /\Q$TRY\E/, $run->{out};
like($first, qr/^WRONG  account example: .*certificate of 127\.0\.0\.1 is refused: unknown issuer/m, 'a certificate that does not verify is told');
like($second, qr/^WRONG  account example: .*refuses the login of alice/m, 'with its authority the login is refused');
like($third, qr/^ok     account example: logged in at 127\.0\.0\.1 port \d+ as alice$/m, 'and then taken');
like($third, qr/^ok     scanner ipc:\S+: ready/m, 'the scanner is heard');
like($run->{out}, qr/^Account example is written into \Q$conf\E\.\n.*^Next:\n.*^  mailfilter -c \Q$conf\E --once$/ms, 'what to do next');
unlike($run->{out}, qr/sesame|guess/, 'no password is shown');
my $text = read_file($conf);
is(substr($text, 0, length $start), $start, 'what was there stays, byte for byte');
like($text, qr/\n\naccount example \{\n    source +=.*\n    tls-ca +=.*\n    password-file +=.*\n    deliver +=.*\n    after += "delete"\n\}\n\z/, 'and a section follows');
is(mode($conf), '640', 'with the mode it had');
is(mode(work('etc/example.password')), '600', 'the password is for its owner only');
is(read_file(work('etc/example.password')), "$users{alice}\n", 'and right');
is_deeply(files(work('etc')), [ work('etc'), work('etc/example.password'), $conf ], 'nothing else is there');
is(mailfilter('-c', $conf, '--check-config', '--connect')->{code}, 0, 'the settings are well');
is(mailfilter('-c', $conf, '--once')->{code}, 0, 'and work');
is(scalar(keys %{ { maildir('example') } }), 2, 'mail is delivered');

# --- one more: a name that is taken, a command, POP3, answers that cannot be
$start = $text;
$run = setup($conf, 'nobody', 'bob@example.invalid', 'example', '-x', 'bob', 'gopher', 'pop3s', 'http://x', $pop3s, 'bob',
	'keyring', 'command', "'unclosed", "sh -c 'echo sesame-bob'", 'nowhere', 'mbox:' . work('out/bob.mbox'), 'burn', 'keep',
	'tls-ca', $dovecot->{ca}, 'dance', 'write');
is($run->{code}, 0, 'a second account') or diag $run->{out};
like($run->{out}, qr/$_/, "told: $_") for 'There is an account example', 'expected a name', 'expected imaps or pop3s',
	'That cannot be: port: "//x"', 'expected file or command', 'expected each quote', 'expected maildir:PATH',
	'expected keep, delete', 'Please answer with one of these words';
$text = read_file($conf);
is(substr($text, 0, length $start), $start, 'the first is as it was');
like($text, qr/^account bob \{\n.*^    password-command = \{ "sh", "-c", "echo sesame-bob" \}\n.*^\}\n\z/ms, 'the second has its command');
is(mailfilter('-c', $conf, '--once')->{code}, 0, 'both work');

# --- what is not well may be written all the same, and the code says so
my @carol = ('carol@example.invalid', 'carol', 'imaps', $imaps, 'carol');
$run = setup($conf, @carol, 'file', '', 'guess', 'maildir:' . work('out/carol'), '', 'tls-ca', $dovecot->{ca}, 'write');
is($run->{code}, 77, 'written with a login that is refused: 77');
like(read_file($conf), qr/^account carol/m, 'it is there');
write_file($conf, $text, 0640);

# --- nothing is written
my $before = files(work('etc'));
unlink work('etc/carol.password');
$before = files(work('etc'));
for ([ 'the answers end', [ @carol, 'file', '', 'sesame-carol' ], 66 ],
	[ 'quit', [ @carol, 'file', '', 'sesame-carol', 'maildir:' . work('out/carol'), '', 'quit' ], 66 ],
	[ 'what does not load', [ @carol, 'file', '', 'sesame-carol', 'maildir:' . work('out/carol'), 'move:INBOX', 'write', 'quit' ], 66 ]) {
	my ($what, $answers, $code) = @$_;
	$run = setup($conf, @$answers);
	is($run->{code}, $code, "$what: $code");
	like($run->{out}, qr/^Nothing is written\.$/m, '  said');
	is_deeply(files(work('etc')), $before, '  nothing is left');
	is(read_file($conf), $text, '  nothing is changed');
}
like($run->{out}, qr/^That does not go together: \Q$conf\E:\d+: after: /m, 'why it does not load, with file and line');
write_file(work('etc/broken.conf'), "account {\n", 0600);
$run = setup(work('etc/broken.conf'), @carol);
is($run->{code}, 78, 'a file with a mistake: 78');
like($run->{out}, qr/broken\.conf:\d+.*/, '  and where');
is(read_file(work('etc/broken.conf')), "account {\n", '  not touched');
unlink work('etc/broken.conf');

# --- at a terminal
sub answer {
	my ($terminal, @pairs) = @_;
	while (my ($question, $answer) = splice @pairs, 0, 2) {
		$terminal->wait_for($question) or return fail("asked: $question") && diag($terminal->{shown});
		$terminal->type($answer);
	}
	return 1;
}
my @to_password = (qr/mail address: /, "carol\@example.invalid\n", qr/name for this account/, "carol\n", qr/Protocol.*: /, "\n",
	qr/server.*: /, "$imaps\n", qr/log in with.*: /, "carol\n", qr/from a command.*: /, "\n", qr/file for the password.*: /, "\n");
my $terminal = Terminal->new('build/mailfilter', 'setup', $conf);
answer($terminal, @to_password);
ok($terminal->wait_for(qr/The password.*: /), 'a password is asked for');
ok(!$terminal->echoes, 'without echo');
$terminal->type("$users{carol}\n");
answer($terminal, qr/Deliver to.*: /s, 'maildir:' . work('out/carol') . "\n", qr/Then, on the server.*: /, "\n",
	qr/or tls-ca: /, "tls-ca\n", qr/system's\).*: /, "$dovecot->{ca}\n", qr/or tls-ca \[write\]: /, "\n");
$terminal->finish;
is($terminal->{code}, 0, 'set up at a terminal') or diag $terminal->{shown};
unlike($terminal->{shown}, qr/sesame/, 'the password is not shown');
ok($terminal->echoes, 'the terminal echoes again');
is(read_file(work('etc/carol.password')), "$users{carol}\n", 'the password is as it was typed');
unlink work('etc/carol.password');
write_file($conf, $text, 0640);

my $silent = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die "listen: $!\n";
for ([ 'at the password', @to_password, qr/The password.*: /, "half\cC" ],
	[ 'at a question', @to_password[ 0 .. 3 ], qr/Protocol.*: /, "\cC" ],
	[ 'while a server is waited for', (map { /^\Q$imaps\E/ ? '127.0.0.1:' . $silent->sockport . "\n" : $_ } @to_password),
		qr/The password.*: /, "x\n", qr/Deliver to.*: /s, 'maildir:' . work('out/carol') . "\n", qr/Then, on the server.*: /, "\n",
		qr/Trying it:/, "\cC" ]) {
	my ($when, @pairs) = @$_;
	$terminal = Terminal->new('build/mailfilter', 'setup', $conf);
	answer($terminal, @pairs);
	$terminal->finish;
	is("$terminal->{code}/$terminal->{signal}", '130/0', "Ctrl-C $when: 130") or diag $terminal->{shown};
	ok($terminal->echoes, '  the terminal echoes again');
	is_deeply(files(work('etc')), $before, '  nothing is left');
	is(read_file($conf), $text, '  nothing is changed');
}
scanner_stop();

# --- a person's first: no file, no folder, no scanner
my $home  = work('person');
my $owner = $dovecot->{owner};
mkdir $home or die "$home: $!\n";
chown $owner, $dovecot->{group}, $home;
my @as = $> == 0 ? ('setpriv', "--reuid=$owner", "--regid=$dovecot->{group}", '--clear-groups', 'env', "HOME=$home") : ('env', "HOME=$home");
my $ca = write_file(work('ca.pem'), read_file($dovecot->{ca}), 0644);
write_file(work('answers'), join('', map { "$_\n" } 'alice@mail.invalid', '', '', $imaps, 'alice', '', '', $users{alice}, '', '',
	'tls-ca', $ca, '', 'yes'), 0644);
my $out = `@as build/mailfilter setup 2>&1 <\Q@{[ work('answers') ]}\E`;
is($? >> 8, 75, 'well, but for the scanner, which is not there yet: 75') or diag $out;
my ($etc, $state) = ("$home/.config/mailfilter", "$home/.local/state/mailfilter");
SKIP: {
	skip 'a scanner of this machine is used', 6 if -e '/run/mailfilter-scanner/scanner.sock';
	like($out, qr{No scanner answers\. Write settings for one, \Q$etc\E/scanner\.conf\? yes or no \[yes\]: \n\Q$etc\E/scanner\.conf is written}, 'a scanner is offered');
	is_deeply([ map { mode("$etc/$_") } qw(mailfilter.conf mail.password scanner.conf) ], [ 600, 600, 600 ], 'three files for their owner only');
	is(mode($etc), '700', 'in a folder that is so');
	like(read_file("$etc/scanner.conf"), qr{^listen += \{ "ipc://\Q$state\E/scanner\.sock" \}\nsignatures += \{ "(?:test|/var/lib/clamav)" \}\ntemp-dir += "\Q$home\E/\.cache/mailfilter-scanner"$}m, 'it listens where it is looked for');
	`@as build/scanner --check-config 2>&1`;
	is($?, 0, 'the scanner takes its settings');
	`@as build/mailfilter --check-config 2>&1`;
	is($?, 0, 'and mailfilter its own');
}

# --- root's, for services that run as users of their own
SKIP: {
	skip 'only root sets up services', 3 if $> != 0 || -e '/run/mailfilter-scanner/scanner.sock';
	my ($mask, $system) = (umask(0077), work('system'));
	mkdir $system;
	chmod 0755, $system;
	$run = setup("$system/mailfilter.conf", 'alice@mail.invalid', '', '', $imaps, 'alice', '', '', $users{alice}, '', '',
		'tls-ca', $ca, 'write', 'yes');
	umask $mask;
	like($run->{out}, qr{\Q$system\E/scanner\.conf is written}, 'root is offered a scanner, too');
	is(mode("$system/scanner.conf"), '644', 'whose settings its own user can read');
	is(mode("$system/mail.password"), '600', 'a password is for one user only');
}
done_testing();
