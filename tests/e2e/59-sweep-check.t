#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# How the sweep is stands in the scanner's checks, in the status and in the metrics: what is wrong is
# brought about, told, and taken away again. New signatures do not wait for the interval to end.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;
use Again;
use Checks qw(check comes_to);
use Corpus;
use E2E;

Again::without_powers();

my $EICAR  = Corpus::eicar();
my $tree   = work('tree');
my $state  = work('sweep');
my $client = settings('mailfilter.conf', { E2E::global() });

sub said { return decode_json(check('--json') || '{}') }

sub becomes {
	my ($level, $words, $what) = @_;
	ok(comes_to('sweep', $level, $words), "$what: $level, and says why");
}

sub start {
	my (%option) = @_;
	return scanner_start('check-interval' => '1s', 'signatures-check' => '1s', signatures => [ 'test', work('db') ], workers => '1',
		'metrics-file' => work('scanner.prom'), 'sweep-state' => $state, 'sweep-interval' => '1s', 'sweep-rest' => '0s', %option);
}

sub walker { return (scanner_children(qr/--sweep-walker/))[0] }

sub signatures {
	my ($mark) = @_;
	write_file(work('new'), "Test.Mark:0:*:" . unpack('H*', $mark) . "\n", 0644);
	utime time - 60, time - 60, work('new');
	rename work('new'), work('db/own.ndb') or die "rename: $!\n";
}

mkdir work('db'), 0755;
signatures('nothing has this 1b3d5f7a9c');
start();
becomes('ok', qr/no directories are named/, 'without a sweep');
unlike(check(), qr/infected/, '  and no numbers are shown');
unlike(read_file(work('scanner.prom')), qr/sweep_files\{/, '  nor are metrics');
ok(scanner_stop(), 'it stops');

# A sweep that does not get on, for it may read next to nothing.
write_file("$tree/$_.txt", "file $_ " . 'x' x 3000) for 1 .. 20;
start(sweep => [$tree], 'sweep-rate' => '6000', 'check-limits' => [ 'sweep-late 1s 3s' ]);
becomes('critical', qr/no pass has ended yet, for \d+ seconds/, 'a first pass that goes on and on');
like(check(), qr/^  sweep, at work since \S+Z: \d+ files/m, '  its numbers so far are shown');
ok(scanner_stop(), 'it stops');
start(sweep => [$tree], 'sweep-interval' => '3s', 'check-limits' => [ 'sweep-late 2s 10s' ]);
becomes('ok', qr/last full pass ended \d+ seconds? ago: 20 files, 0 of them infected/, 'one that gets on');
ok(scanner_stop(), 'it stops');

# A find.
start(sweep => [$tree], 'check-limits' => [ 'sweep-found 0 1', 'sweep-deaths off', 'sweep-unreadable 0 1' ]);
becomes('ok', qr/last full pass ended/, 'at first');
write_file("$tree/one", $EICAR);
becomes('warning', qr/^1 found infected: mailfilter-scanner --sweep-report/, 'an infected file');
like(check(), qr/^  sweep, full pass of \S+Z: 21 files, \d+ \S+,\n    1 infected, 0 unscannable, 0 unreadable, 0 too large$/m, '  and the numbers');
is_deeply([ grep { length > 80 } split /\n/, check() ], [], '  in 80 columns');
like(mailfilter('-c', $client, 'status')->{out}, qr/^  sweep, full pass of \S+Z: 21 files, .*\n    1 infected,/m, '  in mailfilter status, too');
my $sweep = decode_json(mailfilter('-c', $client, 'status', '--json')->{out})->{scanners}[0]{sweep};
is("$sweep->{on} $sweep->{last}{files} $sweep->{last}{infected} $sweep->{last}{unreadable} $sweep->{last}{large}", '1 21 1 0 0', '  status --json');
cmp_ok(abs(time - $sweep->{last}{ended}), '<', 60, '  with the time of the last full pass');
like(mailfilter('-c', $client, 'status', '--metrics')->{out}, qr/^mailfilter_scanner_sweep_infected\{scanner="[^"]*",pass="last"\} 1$/m, '  status --metrics');
ok(within(60, sub { read_file(work('scanner.prom')) =~ /^mailfilter_scanner_sweep_infected\{scanner="[^"]*",pass="last"\} 1$/m }), '  the metrics file');
write_file("$tree/two", $EICAR);
becomes('critical', qr/^2 found infected/, 'two of them');
unlink "$tree/one", "$tree/two";
becomes('ok', qr/20 files, 0 of them infected/, 'both are gone');

# What cannot be read: something in it, or all of it.
write_file("$tree/$_/file", 'x') for qw(locked shut);
chmod 0, "$tree/locked";
becomes('warning', qr/^1 could not be read, files or directories: see the log/, 'a folder that is locked');
chmod 0, "$tree/shut";
becomes('critical', qr/^2 could not be read/, 'and another');
chmod 0755, "$tree/locked", "$tree/shut";
becomes('ok', qr/last full pass/, 'both are open');
rename $tree, "$tree.away";
becomes('critical', qr/^\Q$tree\E is not swept: No such file/, 'the directory itself is gone');
rename "$tree.away", $tree;
becomes('ok', qr/22 files/, 'and is back');

# What was done cannot be kept.
chmod 0500, $state;
becomes('critical', qr/cannot .*Permission denied/, 'the folder of its state may not be written');
kill 'KILL', walker();
chmod 0, $state;
becomes('critical', qr/cannot .*Permission denied/, '  nor be read by another walker');
chmod 0700, $state;
becomes('ok', qr/22 files/, 'it may');
ok(scanner_stop(), 'it stops');

# Its processes die.
start(sweep => [$tree], 'check-limits' => ['sweep-deaths 0 1']);
becomes('ok', qr/22 files/, 'at first');
my $killed = walker();
kill 'KILL', $killed;
becomes('warning', qr/^1 of its processes died in the last hour: see the log/, 'the walker was killed');
kill 'KILL', within(60, sub { my $is = walker(); $is && $is != $killed && $is });
becomes('critical', qr/^2 of its processes died/, 'again');
is(decode_json(mailfilter('-c', $client, 'status', '--json')->{out})->{scanners}[0]{counts}{sweep_lost}, 2, '  and that is counted');
ok(scanner_stop(), 'it stops');

# New signatures: all is due again, at once, whatever the interval.
start(sweep => [$tree], 'sweep-interval' => '1d');
becomes('ok', qr/last full pass ended/, 'it rests for a day');
my $pass = said()->{sweep}{pass};
write_file("$tree/late", 'a-marker-of-our-own-4f1c9a7e2b');
signatures('a-marker-of-our-own-4f1c9a7e2b');
becomes('warning', qr/^1 found infected/, 'a file that the new signatures know is found');
ok(within(60, sub { my $is = said()->{sweep}; $is->{now}{ended} && $is->{pass} == $pass + 1 }), '  in a pass that began for them');
ok(scanner_stop(), 'it stops');
signatures('nothing has this 1b3d5f7a9d');
start(sweep => [$tree], 'sweep-interval' => '1d');
becomes('ok', qr/, 0 of them infected/, 'signatures that changed while no scanner ran begin one, too');
is(said()->{sweep}{pass}, $pass + 2, '  one');
ok(scanner_stop(), 'it stops');
signatures('nothing has this 1b3d5f7a9e');
start(sweep => [$tree], 'sweep-interval' => '1d', 'sweep-rest' => '1d');
ok(within(60, sub { (said()->{sweep}{pass} // 0) == $pass + 2 }), 'with a long rest they do not:');
write_file("$tree/one", $EICAR);
sleep 2; # nothing is to happen
is(said()->{sweep}{pass}, $pass + 2, '  there is no other pass');
ok(scanner_stop(), 'it stops');
done_testing;
