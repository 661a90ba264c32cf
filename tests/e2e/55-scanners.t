#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Scanners on other hosts: keys, who is let in and who is not, and what becomes of mail when a
# scanner hangs or its line is cut: another does its work, in time, and it comes back by itself.
use strict;
use warnings;
use FindBin;
use IO::Select;
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP;
use POSIX qw(:sys_wait_h);
use Socket qw(SOCK_DGRAM SOCK_STREAM);
use Time::HiRes qw(time);
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my $MAILS   = 200;
my $SILENT  = 14.5;      # s: asked after 4, an answer in 5.5, up to 4 more for what is on its way; a busy machine
my $LATE_MS = 20_000;    # what was there is sent elsewhere after that, and scanned
my (%running, @namespaces);

END {
	my $code = $?;
	for my $pid (keys %running) {
		kill 'CONT', $pid;
		kill 'KILL', -$pid;
		waitpid $pid, 0;
	}
	system 'ip', 'netns', 'del', $_ for @namespaces;
	$? = $code;
}

# A program in the background, in a group of its own: { pid, out, err }.
sub background {
	my ($name, @argv) = @_;
	my $run = { out => work("$name.out"), err => work("$name.err"), from => time };
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		setpgrp;
		open(STDIN,  '<', '/dev/null') or POSIX::_exit(126);
		open(STDOUT, '>', $run->{out}) or POSIX::_exit(126);
		open(STDERR, '>', $run->{err}) or POSIX::_exit(126);
		exec { $argv[0] } @argv or POSIX::_exit(127);
	}
	$running{$pid} = 1;
	$run->{pid} = $pid;
	return $run;
}

# Its exit code, or -1 if it had to be killed after so many seconds.
sub ended {
	my ($run, $limit) = @_;
	my $pid = $run->{pid};
	within($limit, sub { waitpid($pid, WNOHANG) == $pid }) or return -1;
	$run->{seconds} = time - $run->{from};
	delete $running{$pid};
	return WIFEXITED($?) ? WEXITSTATUS($?) : -1;
}

# Wait until a file says so, so many times.
sub says {
	my ($path, $like, $count, $limit) = @_;
	return within($limit // 30, sub { (() = read_file($path) =~ /$like/g) >= $count });
}

sub free_port {
	my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "no port: $!\n";
	return $socket->sockport;
}

sub keygen {
	my ($name) = @_;
	my $run = background("keygen-$name", 'build/mailfilter', 'keygen', work("$name.key"));
	my $code = ended($run, 30);
	my ($public) = read_file(work("$name.key.pub")) =~ /^(\S{40})$/m;
	return ($code, $public, $run);
}

# Start a scanner; it is ready when this returns.
sub scanner {
	my ($name, $argv, %option) = @_;
	my $notify = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => work("$name.notify")) or die "notify: $!\n";
	my $conf = settings("$name.conf", { signatures => ['test'], workers => 2,
		'temp-dir' => work("$name.tmp"), 'curve-key' => work('scanner.key'), %option });
	local $ENV{NOTIFY_SOCKET} = work("$name.notify");
	my $run = background($name, @$argv, 'build/scanner', '-c', $conf);
	my $deadline = time + 60;
	while (time < $deadline) {
		next if !IO::Select->new($notify)->can_read(0.5);
		$notify->recv(my $datagram, 4096);
		return $run if $datagram =~ /STATUS=ready/;
	}
	die "scanner $name did not become ready:\n" . read_file($run->{err});
}

sub end_scanner {
	my ($run) = @_;
	kill 'TERM', $run->{pid};
	return ended($run, 30);
}

# mailfilter.conf for these scanners.
sub client {
	my ($name, $key, @scanners) = @_;
	return settings("$name.conf", { 'state-dir' => work('state'), scanners => \@scanners, 'scanner-wait' => '3s',
		($key ? ('curve-key' => work("$key.key")) : ()) });
}

my @mails;

sub scan {
	my ($name, $argv, $conf, @files) = @_;
	return background($name, @$argv, 'build/mailfilter', '-c', $conf, 'scan', '--json', @files ? @files : @mails);
}

sub verdicts {
	my ($run) = @_;
	return map { decode_json($_) } split /\n/, read_file($run->{out});
}

# Every mail has its verdict, the right one, and none waited long.
sub all_well {
	my ($run, $what, $code) = @_;
	is($code, 1, "$what: scan ends in order, with what was infected found");
	my @all = verdicts($run);
	is(scalar @all, $MAILS, "$what: each mail has its line");
	my @wrong = grep { $_->{verdict} ne ($_->{file} =~ /infected/ ? 'infected' : 'clean') } @all;
	is(scalar @wrong, 0, "$what: each has the right verdict")
		or diag(explain([ map { "$_->{file}: $_->{verdict} $_->{detail}" } @wrong[0 .. ($#wrong < 5 ? $#wrong : 5)] ]));
	my ($slowest) = sort { $b <=> $a } map { $_->{milliseconds} } @all;
	cmp_ok($slowest, '<', $LATE_MS, "$what: the slowest took $slowest ms");
}

# One mail, of which nothing can come: why.
sub retry_because {
	my ($name, $conf) = @_;
	my $run = scan($name, [], $conf, $mails[0]);
	my $code = ended($run, 30);
	my ($only) = verdicts($run);
	is($code, 2, "$name: no verdict");
	is($only->{verdict}, 'retry', "$name: the mail is to be tried again");
	return $only->{detail} // '';
}

# Files of mails that no scanner has seen.
sub fresh {
	my ($name) = @_;
	my $number = 0;
	return map { write_file(work("$name/" . $number++ . ($_->{infected} ? '-infected' : '-clean') . '.eml'), $_->{bytes}) }
		Corpus->new($name)->mails($MAILS, 20);
}
@mails = fresh('scanners');

# Keys.
my ($code, $scanner_key) = keygen('scanner');
is($code, 0, 'keygen makes keys');
like($scanner_key, qr/^\S{40}$/, 'and writes the public one beside the secret one');
is((stat work('scanner.key'))[2] & 07777, 0600, 'the secret one is its owner\'s alone');
my $secret = read_file(work('scanner.key'));
my ($again, undef, $second) = keygen('scanner');
is($again, 73, 'a second time it refuses');
is(read_file(work('scanner.key')), $secret, 'and overwrites nothing');
unlike(read_file($second->{out}) . read_file($second->{err}), qr/\Q$secret\E/, 'no secret is shown');
my (undef, $mine)     = keygen('mine');
my (undef, $stranger) = keygen('stranger');
my (undef, $other)    = keygen('other');

# Two scanners on this host.
my %port   = (a => free_port(), b => free_port());
my %option = map { $_ => [ listen => [ "tcp://127.0.0.1:$port{$_}", 'ipc://' . work("$_.sock") ],
	clients => ["$mine this host"] ] } keys %port;
my %scanner  = map { $_ => scanner($_, [], @{ $option{$_} }) } qw(a b);
my %endpoint = map { $_ => "tcp://127.0.0.1:$port{$_}" } qw(a b);
my $both = client('both', 'mine', map { "$endpoint{$_} $scanner_key" } qw(a b));
my $run  = scan('plain', [], $both);
all_well($run, 'encrypted', ended($run, 60));
ok(says($scanner{$_}{err}, qr/verdict=/, 1), "scanner $_ did its part") for qw(a b);

# Who is not let in.
my $refused = client('stranger', 'stranger', "$endpoint{a} $scanner_key");
like(retry_because('stranger', $refused), qr/does not allow the key/, 'an unknown key: it says what to do');
ok(says($scanner{a}{err}, qr/refused=\d+ .*\Q$stranger\E/, 1), 'and the scanner has counted it');
like(retry_because('wrong', client('wrong', 'mine', "$endpoint{a} $other")), qr/another key/,
	'the wrong key of the scanner: it says so');
like(retry_because('bare', client('bare', undef, $endpoint{a})), qr/encrypted/, 'no key at all: it says so');
my $none = settings('none.conf', { signatures => ['test'], listen => ['tcp://127.0.0.1:1'], 'temp-dir' => work('none.tmp'),
	'curve-key' => work('scanner.key') });
is(ended(background('none', 'build/scanner', '--check-config', '-c', $none), 30), 78, 'tcp with keys, but nobody to come in: refused');
chmod 0644, work('mine.key');
$run = scan('readable', [], $both, $mails[0]);
ended($run, 30);
like(read_file($run->{err}), qr/mine\.key.*chmod 600/, 'a secret key that others may read is refused');
chmod 0600, work('mine.key');

# What status says of those who are not let in, and of one that is not there at all.
sub status {
	my ($conf, @json) = @_;
	my $run = background('status', 'build/mailfilter', '-c', $conf, 'status', @json);
	is(ended($run, 30), 0, 'status answers');
	return @json ? read_file($run->{out}) : unwrapped(read_file($run->{out}));
}
like(status($refused), qr/no answer.*: .*does not allow the key.*`clients`/, 'status says it, too, and what to do');
like(decode_json(status($refused, '--json'))->{scanners}[0]{trouble}, qr/does not allow the key/, 'also to scripts');
like(status(work('wrong.conf')), qr/no answer.*another key/, 'and of the wrong key of the scanner');
like(status(work('bare.conf')), qr/no answer.*encrypted/, 'and of no key at all');
my $nobody = status(client('nobody', 'mine', 'tcp://127.0.0.1:' . free_port() . " $scanner_key"));
like($nobody, qr/no answer; mail that must be scanned waits: start the scanner, or correct `scanners` in the settings$/m, 'of one that is not there nothing more is known, but what to do');

# The list of clients, read again.
sub reload {
	my ($clients) = @_;
	settings('a.conf', { signatures => ['test'], workers => 2, 'temp-dir' => work('a.tmp'),
		'curve-key' => work('scanner.key'), @{ $option{a} }, clients => $clients });
	kill 'HUP', $scanner{a}{pid};
}
# Until a scan with this key has an answer, or none.
sub gets_in {
	my ($conf, $in) = @_;
	return within(30, sub {
		my $run = scan('again', [], $conf, $mails[0]);
		ended($run, 30);
		my ($only) = verdicts($run);
		return ($only->{verdict} ne 'retry') == $in;
	});
}
my $mine_alone = client('mine-alone', 'mine', "$endpoint{a} $scanner_key");
reload([ "$mine this host", "$stranger no stranger any more" ]);
ok(gets_in($refused, 1), 'whoever is put on the list gets in after SIGHUP');
reload(["$stranger only"]);
ok(gets_in($mine_alone, 0), 'and who is taken off it does not');
ok(gets_in($refused, 1), 'the other still does');
reload(['nonsense']);
ok(says($scanner{a}{err}, qr/not read again/, 1), 'a broken file is told of in the log');
like(status($refused), qr/^- \S+: the settings are not read again.*a\.conf.*nonsense/m, 'and in status');
ok(gets_in($refused, 1), 'and the list is as it was');
reload(["$mine this host"]);
ok(gets_in($mine_alone, 1), 'mended, it counts');
unlike(status($mine_alone), qr/not read again/, 'and the trouble is over');

# What strangers send.
{
	my @words = ('', "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "\xff" x 64);
	my @sockets = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port{a}") } 1 .. 1000;
	is(scalar(grep { $_ } @sockets), 1000, '1000 strangers connect');
	for (0 .. $#sockets) { print { $sockets[$_] } $words[ $_ % @words ] }
	$_->flush for @sockets;
	$run = scan('beside', [], client('one', 'mine', "$endpoint{a} $scanner_key"));
	all_well($run, 'beside 1000 strangers', ended($run, 60));
}

# A message that never ends, from someone who may use the socket.
{
	my $socket = IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => work('a.sock')) or die "socket: $!\n";
	my $ready  = "\x05READY\x0bSocket-Type" . pack('N', 6) . 'DEALER';
	$socket->syswrite(pack('C x8 C C C a20 x32', 0xff, 0x7f, 3, 0, 'NULL') . pack('C C', 4, length $ready) . $ready);
	my $frame = pack('C Q>', 3, 65536) . 'x' x 65536;
	for (1 .. 512) { print {$socket} $frame or last }
	$run = scan('endless', [], client('one', 'mine', "$endpoint{a} $scanner_key"), @mails[0 .. 9]);
	isnt(ended($run, 60), -1, 'beside a message that does not end: scan ends');
	is(scalar(grep { $_->{verdict} ne 'retry' } verdicts($run)), 10, 'with its verdicts');
}

# One hangs in the middle: the other does its work.
$run = scan('hangs', [], $both, fresh('hangs'));
ok(says($run->{out}, qr/"verdict"/, 40), 'a run is in the middle');
kill 'STOP', $scanner{a}{pid};
all_well($run, 'one hangs', ended($run, 60));
kill 'CONT', $scanner{a}{pid};

# The only one hangs and goes on: it is found again.
$run = scan('alone', [], client('alone', 'mine', "$endpoint{b} $scanner_key"), fresh('alone'));
ok(says($run->{out}, qr/"verdict"/, 40), 'a run is in the middle');
kill 'STOP', $scanner{b}{pid};
my $stopped = time;
ok(says($run->{err}, qr/lost/, 1), 'the scanner that hangs is noticed');
my $noticed = time - $stopped;
cmp_ok($noticed, '<', $SILENT, sprintf 'soon (%.1f s)', $noticed);
kill 'CONT', $scanner{b}{pid};
all_well($run, 'it goes on', ended($run, 60));
is(end_scanner($scanner{$_}), 0, "scanner $_ ends in order") for qw(a b);

# Hosts of their own, and a line that is cut.
SKIP: {
	skip('a network of its own needs root', 1) if $> != 0;
	skip('there is no ip command (iproute2)', 1) if !grep { -x "$_/ip" } split(/:/, $ENV{PATH}), '/sbin', '/usr/sbin';
	$ENV{PATH} .= ':/sbin:/usr/sbin';
	my %space = map { $_ => "mf-$_-$$" } qw(client c d);
	for my $name (sort values %space) {
		skip("network namespaces cannot be made here", 1) if system("ip netns add $name 2>/dev/null") != 0;
		push @namespaces, $name;
	}
	my %at = (c => '192.0.2.2', d => '192.0.2.6');
	my %our = (c => '192.0.2.1', d => '192.0.2.5');
	for (sort keys %at) {
		my @setup = ("link add to$_ netns $space{client} type veth peer name line netns $space{$_}",
			"-n $space{client} addr add $our{$_}/30 dev to$_", "-n $space{client} link set to$_ up",
			"-n $space{$_} addr add $at{$_}/30 dev line", "-n $space{$_} link set line up");
		for my $command (@setup) {
			skip("ip $command failed", 1) if system("ip $command") != 0;
		}
	}
	$scanner{$_} = scanner($_, [ 'ip', 'netns', 'exec', $space{$_} ], listen => ["tcp://$at{$_}:4310"],
		clients => ["$mine the client's host"]) for sort keys %at;
	my $far = client('far', 'mine', map { "tcp://$at{$_}:4310 $scanner_key" } sort keys %at);
	my @there = ('ip', 'netns', 'exec', $space{client});
	$run = scan('far', \@there, $far);
	ok(says($run->{out}, qr/"verdict"/, 40), 'a run between hosts is in the middle');
	is(system("ip -n $space{c} link set line down"), 0, 'a line is cut');
	all_well($run, 'a line is cut', ended($run, 60));
	ok(says($scanner{$_}{err}, qr/verdict=/, 1), "scanner $_ did its part") for sort keys %at;
	is(system("ip -n $space{c} link set line up"), 0, 'the line is mended');
	$run = background('status', @there, 'build/mailfilter', '-c', $far, 'status', '--json');
	is(ended($run, 30), 0, 'status answers');
	is_deeply([ map { $_->{state} } @{ decode_json(read_file($run->{out}))->{scanners} } ], [qw(ready ready)],
		'both scanners are there again');
	is(end_scanner($scanner{$_}), 0, "scanner $_ ends in order") for sort keys %at;
}

if (!Test::More->builder->is_passing) {
	diag($_, read_file($_)) for grep { -s } map { glob work("*.err") } 1;
}
done_testing();
