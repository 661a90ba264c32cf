#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Destinations that take nothing: a Dovecot that is down (LMTP), a command that says later, a full
# disk. What came for them is downloaded once at most, then nothing more until they take mail again;
# what is new meanwhile is not downloaded at all. status and why say what it waits for. With the
# destination back all arrive, once.
use strict;
use warnings;
use File::Path ();
use FindBin;
use JSON::PP qw(decode_json);
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use Destination;
use E2E;

# A full disk is a mount of its own, which ends with it.
my $mounts = $> == 0 && system('unshare -m --propagation private true 2>/dev/null') == 0;
if ($mounts && !$ENV{DOWN_MOUNTS}) {
	$ENV{DOWN_MOUNTS} = 1;
	exec 'unshare', '-m', '--propagation', 'private', $^X, $0 or die "unshare: $!\n";
}

my %kind    = (socket => 'imaps', tcp => 'pop3s', pipe => 'imaps', later => 'imaps', full => 'imaps');
my @names   = sort keys %kind;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names });
my $store   = Dovecot->new(dir => work('store'), users => { map { $_ => 'sesame' } @names });
my $corpus  = Corpus->new('down');
my %to      = (
	socket => Destination::lmtp($store, 'socket'),
	tcp    => Destination::lmtp($store, 'tcp', 1),
	pipe   => Destination::command('pipe'),
	later  => Destination::command('later'),
	full   => { deliver => { deliver => 'maildir:' . work('out/full') }, read => sub {
			map { $_ => read_file($_) } glob work('out/full/new/*');
		} },
);
my %mails = map { my $name = $_; ($name => [ map { $corpus->mail($_, "$name-$_") } qw(plain attachment text eicar-zip newsletter) ]) } @names;
$dovecot->put($_, map { $_->{bytes} } @{ $mails{$_} }) for @names;
my $conf = settings('mailfilter.conf', { E2E::global() },
	map { Destination::account($dovecot, $_, $kind{$_}, $to{$_}, after => 'delete') } @names);

# Bodies that the server has sent to a user so far, once it is at least that.
sub sent {
	my ($name, $count) = @_;
	within(5, sub { $dovecot->sent($name) >= $count });
	return $dovecot->sent($name);
}

sub run {
	return mailfilter('-c', $conf, '--once', '--account', $_[0]);
}

# What the account holds: count, and what all of it waits for.
sub held_for {
	my ($name) = @_;
	my ($account) = grep { $_->{account} eq $name } @{ decode_json(mailfilter('-c', $conf, 'status', '--json')->{out})->{accounts} };
	my %for = map { ($_->{destination} ? 'destination' : 'other') => 1 } @{ $account->{held_for} };
	return "$account->{held} " . join ' ', sort keys %for;
}

scanner_start();
my %served = map { $_ => [ served($dovecot, $_) ] } @names;
# The oracle asked the server, too: what it had downloaded is not the filter's.
my %sent = map { $_ => sent($_, 5) } @names;

# 1. LMTP: down from the start.
$store->stop;
for my $name (qw(socket tcp)) {
	for my $visit (1 .. 4) {
		my $run = run($name);
		is($run->{code}, 75, "$name: down, visit $visit: 75");
		like($run->{err}, qr/account=$name .*held=5 reason="the server of `deliver` is not to be had: /, '  and why');
	}
	my $new = $corpus->mail('plain', "$name-new");
	push @{ $mails{$name} }, $new;
	push @{ $served{$name} }, { sha256 => $new->{sha256} };
	$dovecot->put($name, $new->{bytes});
	is(run($name)->{code}, 75, "$name: one more came: 75");
	is(held_for($name), '6 destination', '  status says how many wait, and for what');
}
my $text = E2E::unwrapped(mailfilter('-c', $conf, 'status')->{out});
like($text, qr/\w: \d held, the oldest since 20\S+, again once `deliver` takes mail: the server of `deliver` is not to be had/, 'for people, too');
my $answer = decode_json((split /\n/, mailfilter('-c', $conf, 'why', '--json', 'socket', $served{socket}[0]{uid})->{out})[0]);
is("$answer->{state} $answer->{attempts}", 'held 0', 'why: held, and never tried');
like($answer->{next}, qr/once `deliver` takes mail/, '  and what comes next');
is(sent($_, 0), $sent{$_}, "$_: nothing was downloaded") for qw(socket tcp);
$store->start or die "no Dovecot\n";
for my $name (qw(socket tcp)) {
	my $run = run($name);
	is($run->{code}, 0, "$name: up again: 0") or diag $run->{err};
	is(sent($name, $sent{$name} + 6), $sent{$name} + 6, '  each downloaded once');
	is_deeply([ E2E::problems($name, $served{$name}, $mails{$name}) ], [], '  nothing lost, nothing twice');
}

# 2. In a daemon's time: down, and back.
my @more = map { $corpus->mail('plain', "more-$_") } 1 .. 3;
$sent{socket} = sent('socket', 0);
$store->stop;
$dovecot->put('socket', map { $_->{bytes} } @more);
my $daemon = E2E::mailfilter_start('-c', $conf, '--account', 'socket');
ok(E2E::wait_line($daemon, qr/account=socket folder=INBOX held=3 /, 1), 'a daemon holds what came');
kill 'USR1', $daemon->{pid};
ok(E2E::wait_line($daemon, qr/account=socket folder=INBOX held=3 /, 2), 'and holds it at its next visit');
$store->start or die "no Dovecot\n";
kill 'USR1', $daemon->{pid};
ok(E2E::wait_line($daemon, qr/account=socket .*action=delivered/, 3), 'and delivers when told that it is back');
kill 'TERM', $daemon->{pid};
E2E::finish($daemon);
is(sent('socket', $sent{socket} + 3), $sent{socket} + 3, '  each downloaded once');
push @{ $mails{socket} }, @more;
push @{ $served{socket} }, map { { sha256 => $_->{sha256} } } @more;
is_deeply([ E2E::problems('socket', $served{socket}, $mails{socket}) ], [], '  nothing lost, nothing twice');

# 3. A command cannot be asked: one mail is tried, alone, and after the third time less often.
for my $name (qw(pipe later)) {
	my $script = $to{$name}{deliver}{'deliver-command'}[0];
	rename $script, "$script.kept";
	write_file($script, "#!/bin/sh\necho try >>" . work("$name.tries") . "\necho the store is away >&2\nexit 75\n", 0755);
}
is(run('pipe')->{code}, 75, "pipe: fails, visit $_: 75") for 1 .. 2;
is(sent('pipe', $sent{pipe} + 6), $sent{pipe} + 6, '  what had come was downloaded, then one mail');
is(held_for('pipe'), '5 destination', '  status says how many wait, and for what');
rename "$to{pipe}{deliver}{'deliver-command'}[0].kept", $to{pipe}{deliver}{'deliver-command'}[0];
my $run = run('pipe');
is($run->{code}, 0, '  works again: 0') or diag $run->{err};
is(sent('pipe', $sent{pipe} + 11), $sent{pipe} + 11, '  each downloaded once more');
is_deeply([ E2E::problems('pipe', $served{pipe}, $mails{pipe}) ], [], '  nothing lost, nothing twice');
is(run('later')->{code}, 75, "later: fails, visit $_: 75") for 1 .. 6;
my $tries = () = read_file(work('later.tries')) =~ /try/g;
is($tries, 3, '  it was run three times');
is(sent('later', $sent{later} + 7), $sent{later} + 7, '  and seven mails downloaded, of five');
my $new = $corpus->mail('plain', 'later-new');
$dovecot->put('later', $new->{bytes});
like(run('later')->{err}, qr/held=1 reason="[^\n]*the store is away[^\n]*tried again after 20/, '  with when it is tried again');
is(sent('later', $sent{later} + 7), $sent{later} + 7, '  a new one was not downloaded');
like(E2E::unwrapped(mailfilter('-c', $conf, 'status')->{out}), qr/held.* again once `deliver` takes mail: .*the store is away/, '  status says why');

# 4. A disk that is full.
SKIP: {
	my $path = work('out/full');
	File::Path::make_path($path);
	skip 'no mounts here', 8 if !$mounts || system('mount', '-t', 'tmpfs', '-o', 'size=48k,mode=0700', 'none', $path) != 0;
	for my $visit (1 .. 3) {
		$run = run('full');
		is($run->{code}, 75, "full, visit $visit: 75");
		like($run->{err}, qr/held=5 reason="the file system of \S+ is full .*make room/, '  and what to do');
	}
	is(sent('full', 0), $sent{full}, '  nothing was downloaded');
	system('mount', '-o', 'remount,size=50m', $path) == 0 or die "remount\n";
	is(run('full')->{code}, 0, '  with space: 0');
	is_deeply([ E2E::problems('full', $served{full}, $mails{full}) ], [], '  nothing lost, nothing twice');
	system('umount', $path);
}
ok(scanner_stop(), 'the scanner ends in order');
done_testing();
