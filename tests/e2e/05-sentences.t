#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# What is wrong before a mail is looked at, in settings files and around the programs: each is told in
# one sentence, that says where it is and what to do, with the exit code that scripts rely on.
use strict;
use warnings;
use File::Path qw(make_path);
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::INET;
use Test::More;
use E2E;
use Faults;
use Dovecot;

# Root may read and write everything: then another user is wanted who may not.
my @AS_ANOTHER = $> == 0 ? qw(setpriv --reuid=65534 --regid=65534 --clear-groups) : ();
my $UID        = $> == 0 ? 65534 : $>;
my $KEY        = 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID';

# Both outputs of a program and its exit code; one that goes on is not waited for.
sub told {
	my (@command) = @_;
	open(my $pipe, '-|', 'timeout', '60', 'sh', '-c', 'exec "$@" 2>&1', 'sh', @command) or die "$command[0]: $!\n";
	# Where the folder for temporary files is a tmpfs, the state is told of as well.
	my $said = join '', grep { !/ is kept in memory only: / } <$pipe>;
	close $pipe;
	return ($? >> 8, $said);
}

# Exactly one line, which begins with the program's name and is this.
sub one_sentence {
	my ($name, $code, $sentence, @command) = @_;
	my ($got, $said) = told(@command);
	is($got, $code, "$name: $code");
	my $lines = () = $said =~ /\n/g;
	is($lines, 1, '  one line') or diag($said);
	like($said, $sentence, '  which says what to do');
}

sub file {
	my ($name, $text, $mode) = @_;
	return write_file(work($name), $text, $mode // 0600);
}

# In the texts of this table A is an account's start, up to its own options; @ stands for the file.
my $A     = qq(account a {\n source = "imaps://a\@imap.example.org"\n password = x\n deliver = "maildir:/tmp/x"\n);
my @WRONG = (
	# mailfilter.conf => what is said of it
	[ mailfilter => qq(intervall = "5m"\n), qr/^mailfilter: \@:1: no such option 'intervall': expected one of state-dir, .*interval/ ],
	[ mailfilter => qq(tls-ca = "/ca.pem"\n), qr/\@:1: no such option 'tls-ca' here: expected it in a section "account NAME \{ \.\.\. \}"$/ ],
	[ mailfilter => "${A} folder = INBOX\n}\n", qr/\@:5: no such option 'folder': expected one of source, folders, / ],
	[ mailfilter => qq(interval = "5 minutes"\n), qr/\@:1: interval: "5 minutes": expected a time from 10s to 1d, such as 5m$/ ],
	[ mailfilter => "jobs = 0\n", qr/\@:1: jobs: "0": expected a number from 1 to 300$/ ],
	[ mailfilter => "scan = everything\n", qr/\@:1: scan: "everything": expected suspicious or all$/ ],
	[ mailfilter => "jobs = 1\njobs = 2\n", qr/\@:2: jobs: given a second time: expected once$/ ],
	[ mailfilter => "\n$A", qr/\@:2: the brace opened here is never closed: expected "\}"$/ ],
	[ mailfilter => "jobs 5\n", qr/\@:1: missing equal sign after option 'jobs': expected NAME = VALUE$/ ],
	[ mailfilter => qq(state-dir = "/x\n), qr/\@:1: a text without end: expected its closing "$/ ],
	[ mailfilter => "jobs = 5\0\n", qr/\@:1: a control character: expected plain text$/ ],
	[ mailfilter => "$A}\n$A}\n", qr/\@:\d+: found duplicate title 'a': expected another name, or one section$/ ],
	[ mailfilter => qq(account a {\n password = x\n deliver = "maildir:/x"\n}\n), qr/\@:1: account a has no source: expected one such as source = "imaps:\/\/USER\@HOST"$/ ],
	[ mailfilter => qq(account a {\n source = "imaps://a\@h"\n password = x\n}\n), qr/\@:1: account a has no deliver: expected one such as deliver = "maildir:~\/Maildir"$/ ],
	[ mailfilter => qq(account a {\n source = "http://a\@h"\n}\n), qr/\@:2: source: "http:\/\/a\@h": expected imaps:\/\/USER\@HOST, or / ],
	[ mailfilter => qq(account a {\n source = "imaps://a\@h"\n deliver = "maildir:/x"\n}\n), qr/\@:1: account a has no password: expected password-command, password-file, password or/ ],
	[ mailfilter => qq($A password-file = "/x"\n}\n), qr/\@:5: a second source of the password: expected one of password-command, / ],
	[ mailfilter => "$A tls = none\n}\n", qr/\@:5: tls: none does not go with the source: expected imap:\/\/ or pop3:\/\// ],
	[ mailfilter => qq(account a {\n source = "imaps://a\@h"\n deliver = "Maildir"\n}\n), qr/\@:3: deliver: "Maildir": expected maildir:PATH, mbox:PATH, / ],
	[ mailfilter => qq(account a {\n source = "imaps://a\@h"\n password = x\n deliver = "smtp://h"\n}\n), qr/\@:4: deliver: for whom\? Expected recipient = "ADDRESS" as well$/ ],
	[ mailfilter => qq(scanners = { "ipc:///a", "ipc:///a" }\n), qr/\@:1: scanners: "ipc:\/\/\/a" stands there twice: expected it once$/ ],
	[ mailfilter => qq(scanners = { "tcp://192.0.2.1:5" }\n), qr/\@:1: scanners: "tcp:\/\/192.0.2.1:5": expected 127.0.0.1, .*curve-key/ ],
	[ mailfilter => qq(curve-key = "/nonexistent"\n$A}\n), qr/\@:1: curve-key: cannot open the secret key \/nonexistent: No such file or directory: make one with "mailfilter keygen FILE"$/ ],
	[ mailfilter => qq(metrics-file = "m.prom"\n), qr/\@:1: metrics-file: "m.prom": expected a whole path, from \/ or from ~\/$/ ],
	[ mailfilter => "rule r {\n from = { x }\n}\n", qr/\@:1: rule r does nothing: expected then = scan, pass, quarantine or "folder:NAME"$/ ],
	[ mailfilter => qq(allow-sha256 = { "123" }\n), qr/\@:1: allow-sha256: "123": expected a SHA-256 sum, 64 hexadecimal digits, / ],
	[ mailfilter => '', qr/\@: no account: expected a section "account NAME \{ ... \}" for each mailbox$/ ],
	# scanner.conf
	[ scanner => qq(listn = { "ipc:///x" }\n), qr/^scanner: \@:1: no such option 'listn': expected one of listen, / ],
	[ scanner => "reload = later\n", qr/\@:1: reload: "later": expected auto, concurrent or serial$/ ],
	[ scanner => "workers = 1000\n", qr/\@:1: workers: "1000": expected a number from 0 to 256$/ ],
	[ scanner => qq(message-max = "50 MB"\n), qr/\@:1: message-max: "50 MB": expected a size from 1K to 1G, such as 50M$/ ],
	[ scanner => qq(scan-timeout = "0"\n), qr/\@:1: scan-timeout: "0": expected a time from 100ms to 1h, such as 60s$/ ],
	[ scanner => "queue = 1\nqueue = 2\n", qr/\@:2: queue: given a second time: expected once$/ ],
	[ scanner => qq(listen = { "ipc:///x"\n), qr/\@:1: the brace opened here is never closed: expected "\}"$/ ],
	[ scanner => qq(temp-dir = "/x\n), qr/\@:1: a text without end: expected its closing "$/ ],
	[ scanner => "queue 5\n", qr/\@:1: missing equal sign after option 'queue': expected NAME = VALUE$/ ],
	[ scanner => qq(listen = { "unix:///x" }\n), qr/\@:1: listen: "unix:\/\/\/x": expected ipc:\/\/\/PATH or tcp:\/\/HOST:PORT$/ ],
	[ scanner => qq(listen = { "tcp://127.0.0.1" }\n), qr/\@:1: listen: "tcp:\/\/127.0.0.1": expected tcp:\/\/HOST:PORT, such as / ],
	[ scanner => qq(listen = { "tcp://0.0.0.0:4000" }\n), qr/\@:1: listen: "tcp:\/\/0.0.0.0:4000": expected an address of this machine alone, or curve-key and clients as well$/ ],
	[ scanner => "listen = {}\n", qr/\@:1: listen: an empty list: expected at least 1$/ ],
	[ scanner => qq(\nlisten = { "ipc:///a", "ipc:///a" }\n), qr/\@:2: listen: "ipc:\/\/\/a" stands there twice: expected it once$/ ],
	[ scanner => "\nsignatures = { test, test }\n", qr/\@:2: signatures: "test" stands there twice: expected it once$/ ],
	[ scanner => "signatures = { clamav }\n", qr/\@:1: signatures: "clamav": expected the whole path of a directory, or the word test$/ ],
	[ scanner => "temp-dir = tmp\n", qr/\@:1: temp-dir: "tmp": expected the whole path of a directory of its own$/ ],
	[ scanner => "\n\nclients = { '$KEY x' }\n", qr/\@:3: clients: expected curve-key as well; make one with "mailfilter keygen FILE"$/ ],
	[ scanner => qq(curve-key = "/x"\nclients = { "abc x" }\n), qr/\@:2: clients: "abc x": expected a key of 40 bytes, a blank and a name of up to 63$/ ],
	[ scanner => qq(curve-key = "/x"\nlisten = { "tcp://127.0.0.1:4999" }\n), qr/\@:2: listen: nobody may connect over tcp: expected the public keys of those who may in clients$/ ],
	[ scanner => qq(signatures = { test }\n\ncurve-key = "/nonexistent"\n), qr/\@:3: curve-key: cannot open the secret key \/nonexistent: No such file or directory: make one with "mailfilter keygen FILE"$/ ],
	[ scanner => qq(temp-dir = "/nonexistent/t"\nsignatures = { "/nonexistent" }\n), qr/\@:2: signatures folder \/nonexistent: No such file or directory: run freshclam .*, or name its folder in the signatures setting$/ ],
	[ scanner => "cache = -1\n", qr/\@:1: cache: "-1": expected a number from 0 to 16777216$/ ],
);
for (@WRONG) {
	my ($program, $text, $sentence) = @$_;
	# What is read to its end has a scanner whose folder is there.
	my $whole = $program eq 'mailfilter' && $text !~ /scanners/ ? $text . 'scanners = { "ipc://' . work('x.sock') . '" }' . "\n" : $text;
	my $path = file("$program.conf", $whole);
	my $like = "$sentence" =~ s/\\\@(?=:\d|: no account|:\\d)/\Q$path\E/r;
	my $name = $text =~ s/\n/ /gr =~ s/[^ -~]/?/gr;
	one_sentence("$program: " . substr($name, 0, 60), 78, qr/$like/m, "build/$program", '-c', $path, '--check-config');
}
my %count;
$count{ $_->[0] }++ for @WRONG;
cmp_ok($count{$_}, '>=', 20, "$_: so many wrong files") for qw(mailfilter scanner);

# Settings that work, but for what a case changes.
my $mails = 0;
sub mailfilter_conf {
	my ($name, %option) = @_;
	my $account = delete $option{account} // { source => 'maildir:' . work('in') };
	return settings("$name.conf", { E2E::global('scanner-wait' => '100ms', %option) },
		[ 'a', { deliver => 'maildir:' . work("out/$name"), %$account } ]);
}
sub scanner_conf {
	my ($name, %option) = @_;
	my $path = settings("$name.conf", { listen => [ 'ipc://' . work("$name.sock") ], signatures => ['test'],
		'temp-dir' => work("$name.tmp"), %option });
	chmod 0644, $path;
	return $path;
}
make_path(map { work("in/$_") } qw(new cur tmp));
file('in/new/1.test', "From: a\@example.org\n\nhello\n");
my ($owner, $what_to_do) = (qr/run as its owner, or give it to this user \(uid $UID\)$/m);
my @once    = ('build/mailfilter', '-q', '-c');
my @scanner = ('build/scanner', '-q', '-c');
my $missing = work('missing.conf');
my $closed  = work('closed');
make_path($closed, work('open/a'), work('open.tmp'), work('none'));
chmod 0555, $closed;
chmod 0777, work('open/a'), work('open.tmp');
file('plainfile', 'x');

one_sentence('mailfilter: no settings', 78, qr/^mailfilter: \Q$missing\E: no such file: expected the settings there; write them or name another file with -c$/, @once, $missing, '--once');
one_sentence('mailfilter rescan: no account', 78, qr/no account: expected a section "account NAME \{ \.\.\. \}" for each mailbox$/m, @once, file('empty.conf', ''), 'rescan');
one_sentence('scanner: no settings', 78, qr/^scanner: \Q$missing\E: no such file: expected the settings there; write them or name another file with -c$/, @scanner, $missing);
my $secret = mailfilter_conf('secret');
chmod 0, $secret;
one_sentence('mailfilter: settings that it may not read', 78, qr/secret\.conf: cannot be opened: expected a file that this user may read: Permission denied$/, @AS_ANOTHER, @once, $secret, '--once');
my $theirs = scanner_conf('theirs');
chmod 0, $theirs;
one_sentence('scanner: settings that it may not read', 78, qr/theirs\.conf: cannot be opened: expected a file that this user may read: Permission denied$/, @AS_ANOTHER, @scanner, $theirs);

my $path = mailfilter_conf('made', 'state-dir' => "$closed/state");
chmod 0644, $path;
one_sentence('mailfilter: a state-dir that cannot be made', 78, qr/made\.conf:\d: state-dir: cannot make the folder \Q$closed\E\/state: Permission denied: $owner/, @AS_ANOTHER, @once, $path, '--once');
SKIP: {
	skip 'only root can have files of another user', 10 if $> != 0;
	$path = mailfilter_conf('owner', 'state-dir' => work('owned'));
	make_path(work('owned'));
	chmod 0644, $path;
	one_sentence('mailfilter: the state-dir of another user', 78, qr/owner\.conf:\d: state-dir: cannot open \S+owned\/\.lock: Permission denied: $owner/, @AS_ANOTHER, @once, $path, '--once');
	make_path(work('theirs/a'));
	chown 65534, 65534, work('theirs'), work('theirs/a');
	one_sentence('mailfilter rescan: root in the state-dir of another user', 78, qr/theirs\/a belongs to \S+, who could not use what root leaves there: run it as runuser -u/,
		@once, mailfilter_conf('theirs-too', 'state-dir' => work('theirs')), 'rescan');
	is_deeply([ glob work('theirs/a/*') ], [], '  and root leaves nothing there');
	make_path(work('of-root'));
	chmod 0700, work('of-root');
	one_sentence('scanner: the temp-dir of another user', 78, qr/of-root\.conf:3: temp-dir \S+of-root: must belong to the scanner's user \(uid 65534\) alone; remove it, or chown it to that user and chmod 0700$/,
		@AS_ANOTHER, @scanner, scanner_conf('of-root', 'temp-dir' => work('of-root')));
}
one_sentence('mailfilter: a file for a state-dir', 78, qr/plain\.conf:\d: state-dir: \S+plainfile is there and is not a folder$/, @once, mailfilter_conf('plain', 'state-dir' => work('plainfile')), '--once');
one_sentence('mailfilter: a state that everybody may write to', 75, qr/^mailfilter: a: everybody may write to \S+open\/a, which is not safe: chmod 700 \S+open\/a$/, @once, mailfilter_conf('open', 'state-dir' => work('open')), '--once');
one_sentence('mailfilter: a Maildir that cannot be made', 75, qr/^mailfilter: a: cannot make the folder \Q$closed\E\/m: Permission denied: $owner/, @AS_ANOTHER, @once,
	do { my $conf = mailfilter_conf('out', 'state-dir' => work('none/state'), account => { source => 'maildir:' . work('in'), deliver => "maildir:$closed/m" }); chmod 0644, $conf; chmod 0777, work('none'); $conf }, '--once');
Faults::with(work('full'), [ 'create', 1, 'ENOSPC', 1 ], sub {
	one_sentence('mailfilter: a disk that is full', 75, qr/^mailfilter: cannot start: cannot (?:make|open)\D* \S+full\S*: No space left on device: make room there$/, @once, mailfilter_conf('full', 'state-dir' => work('full')), '--once');
}) if make_path(work('full'));
Faults::with(work('rofs'), [ 'create', 1, 'EROFS', 1 ], sub {
	one_sentence('mailfilter: a file system that is read-only', 78, qr/rofs\.conf:\d: state-dir: cannot open \S+rofs\/\.lock: Read-only file system: choose a place that can be written$/, @once, mailfilter_conf('rofs', 'state-dir' => work('rofs')), '--once');
}) if make_path(work('rofs'));
my $conf = mailfilter_conf('good');
one_sentence("mailfilter @$_: an account that is not there", 64, qr/^mailfilter: no account b in \S+good\.conf: expected a$/, @once, $conf, @$_)
	for [qw(--once --account b)], [qw(why b 1)], [qw(unpark b)], [qw(import b mbsync x)], [qw(quarantine list --account b)], [ 'judge', '--account', 'b', work('plainfile') ];

file('password', "secret\n", 0644);
one_sentence('mailfilter: a password that everybody may read', 78, qr/^mailfilter: a: password-file: .*chmod 600/, @once,
	mailfilter_conf('password', account => { source => 'imaps://a@127.0.0.1:1', 'password-file' => work('password') }), '--once');
my $plain = mailfilter_conf('plainpass', account => { source => 'imaps://a@127.0.0.1:1', password => 'x' });
chmod 0644, $plain;
one_sentence('mailfilter: settings with a password that everybody may read', 78, qr/plainpass\.conf:\d: password: others may read this file \(mode 644\): expected 600; chmod 600 \S+plainpass\.conf, or use /, @once, $plain, '--once');
my $old = Dovecot->new(dir => work('old'), users => { a => 'x' }, days => -1);
my $now = Dovecot->new(dir => work('now'), users => { a => 'x' });
my $of  = sub { return { source => $_[0]->url('a', 'imaps'), password => 'x', 'tls-ca' => $_[0]{ca} } };
one_sentence('mailfilter: an expired certificate', 75, qr/^mailfilter: a: .*certificate of \S+ is refused: it has expired \(who runs the server must renew it, unless the clock here is wrong\)$/, @once, mailfilter_conf('expired', account => $of->($old)), '--once');
Faults::with_clock(-20 * 365 * 86400, sub {
	my ($code, $said) = told(@once, mailfilter_conf('clock', account => $of->($now)), '--once');
	is($code, 75, 'mailfilter: a clock of 20 years ago: 75');
	like($said, qr/^mailfilter: the clock says 20\d\d-\S+: set it \(timedatectl\); until then certificates are refused/, '  the clock is told of');
	like($said, qr/^mailfilter: a: .*certificate .* is refused: it is not valid yet \(.*unless the clock here is wrong\)$/m, '  and why nothing is fetched');
	is(() = $said =~ /\n/g, 2, '  in two lines');
});

for my $word (qw(scan judge status quarantine why unpark import rescan self-test keygen setup)) {
	my ($code, $said) = told(@once, work('no settings'), $word, '--help');
	like("$code $said", qr/^0 usage: mailfilter /, "mailfilter $word --help is answered, whatever the settings are");
}
{
	local $ENV{XDG_CONFIG_HOME} = work('nowhere');
	my ($code, $said) = told('build/mailfilter', '--once');
	like("$code $said", qr/^78 mailfilter: \S+\/mailfilter\.conf: no such file: .*"mailfilter setup" asks, and writes it$/m, 'mailfilter without settings: how to come by them')
		if !-e '/etc/mailfilter/mailfilter.conf';
}

my $daemon = E2E::mailfilter_start('-c', $conf);
ok(E2E::wait_line($daemon, qr/action=delivered/, 1), 'one runs');
one_sentence('mailfilter: another one at work', 75, qr/^mailfilter: cannot start: another mailfilter is at work, stop it first or leave the work to it: \S+ is held by process $daemon->{pid}$/, @once, $conf, '--once');
kill 'TERM', $daemon->{pid};
E2E::finish($daemon);

scanner_start();
my $sock = 'ipc://' . work('scanner.sock');
one_sentence('scanner: a temp-dir in use', 75, qr/^scanner: temp-dir is in use: stop the other scanner, or give each a temp-dir of its own: \S+lock is held by process \d+$/, @scanner, scanner_conf('same-temp', 'temp-dir' => work('scanner.tmp')));
one_sentence('scanner: a socket in use', 75, qr/^scanner: \Q$sock\E: another scanner listens there, stop it or choose another address: \S+ is held by process \d+$/, @scanner, scanner_conf('same-sock', listen => [$sock]));
ok(scanner_stop(), 'the scanner stops');
my $port = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "listen: $!\n";
my $tcp  = 'tcp://127.0.0.1:' . $port->sockport;
one_sentence('scanner: a port in use', 75, qr/^scanner: \Q$tcp\E is in use: stop the scanner or program that listens there, or choose another address$/, @scanner, scanner_conf('port', listen => [$tcp]));
one_sentence('scanner: a folder for its socket that cannot be made', 78, qr/nosock\.conf:1: .*cannot make the folder \Q$closed\E\/x: Permission denied: $owner/, @AS_ANOTHER, @scanner,
	scanner_conf('nosock', listen => ["ipc://$closed/x/s.sock"], 'temp-dir' => work('none/t')));
one_sentence('scanner: a temp-dir that cannot be made', 78, qr/notemp\.conf:3: temp-dir: cannot make the folder \Q$closed\E\/t: Permission denied: $owner/, @AS_ANOTHER, @scanner, scanner_conf('notemp', 'temp-dir' => "$closed/t"));
one_sentence('scanner: a temp-dir that others may enter', 78, qr/opentemp\.conf:3: temp-dir \S+open\.tmp: must belong to the scanner's user \(uid $>\) alone; remove it, or /, @scanner, scanner_conf('opentemp', 'temp-dir' => work('open.tmp')));
one_sentence('scanner: a file for a temp-dir', 78, qr/filetemp\.conf:3: temp-dir \S+plainfile: not a folder; give the scanner one of its own$/, @scanner, scanner_conf('filetemp', 'temp-dir' => work('plainfile')));
one_sentence('scanner: a folder without signatures', 78, qr/nosig\.conf:2: \S+closed holds no signatures: run freshclam .*, or name its folder in the signatures setting$/, @scanner, scanner_conf('nosig', signatures => [$closed]), '--check-config');
file('key', 'x' x 40, 0644);
one_sentence('scanner: a key that others may read', 78, qr/openkey\.conf:2: curve-key: \S+key: others may read this secret key \(mode 644\): expected 600; chmod 600 \S+key$/, @scanner,
	scanner_conf('openkey', listen => ['tcp://127.0.0.1:4999'], 'curve-key' => work('key'), clients => ["$KEY x"]));
Faults::with(work('fulltemp'), [ 'create', 1, 'ENOSPC', 1 ], sub {
	one_sentence('scanner: a disk that is full', 75, qr/^scanner: temp-dir: cannot open \S+fulltemp\/lock: No space left on device: make room there$/, @scanner, scanner_conf('fulltemp', 'temp-dir' => work('fulltemp')));
}) if make_path(work('fulltemp'), { mode => 0700 });
Faults::with_clock(-20 * 365 * 86400, sub {
	my $conf = scanner_conf('early', listen => [$tcp]);
	my ($code, $said) = told(@scanner, $conf);
	like($said, qr/^scanner: the clock says 20\d\d-\S+: set it \(timedatectl\)/, 'scanner: a clock of 20 years ago is told of');
});
done_testing();
