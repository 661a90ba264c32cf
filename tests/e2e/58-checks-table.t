#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Each of the scanner's checks is driven to a warning and to critical by what it is there for, and comes
# back to ok: signatures grow old, folders fill, memory is used up or damaged, the clock jumps. A check
# without a case here, in 58-checks-hour.t or in 59-sweep-check.t fails the test.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);
use Again;
use Checks;
use Corpus;
use E2E;

Again::with_mounts();

my ($DAY, $MB) = (86400, 1 << 20);
my $PROBE = 'ESRU77HTB6EMEKFH2ZRWF';    # of what probe.c has in its signature
my $conf = settings('mailfilter.conf', { E2E::global() });
my ($pid, @hogs, @mounts, $group);

sub aged {
	my ($path, $days) = @_;
	utime time - $days * $DAY, time - $days * $DAY, $path or die "$path: $!\n";
}

sub small_folder {
	my ($name, $mode) = @_;
	my $path = work($name);
	mkdir $path;
	system('mount', '-t', 'tmpfs', '-o', "size=64m,mode=$mode", 'none', $path) == 0 or die "mount\n";
	push @mounts, $path;
	return $path;
}

sub filled {
	my ($path, $mb) = @_;
	return write_file("$path/filler", 'x' x ($mb * $MB));
}

# The signature of the probe in what a process has in memory, made another one: libclamav has it as bytes,
# or, for its other way to match, each in two.
sub spoil {
	my ($process) = @_;
	my $spoiled = 0;
	no warnings 'portable';
	open(my $memory, '+<:raw', "/proc/$process/mem") or die "mem: $!\n";
	for (split /\n/, read_file("/proc/$process/maps")) {
		my ($from, $to) = map { hex } /^(\w+)-(\w+) rw\S+ \S+ \S+ 0 *(?:\[heap\])?$/ or next;
		sysseek $memory, $from, 0;
		sysread($memory, my $bytes, $to - $from) or next;
		for my $wide (0, 1) {
			my ($known, $other) = map { $wide ? s/(.)/$1\0/gr : $_ } $PROBE, 'XXX';
			while ($bytes =~ /\Q$known\E/g) {
				sysseek $memory, $from + $-[0], 0;
				$spoiled += (syswrite($memory, $other) // 0) == length $other;
			}
		}
	}
	die "the signature is not in memory\n" if !$spoiled;
}

# A control group of our own with a limit, of either version: the folder, and the names of its files.
sub make_group {
	my %path = map { /^\d+:([^:]*):(.*)$/ ? ($1 => $2) : () } split /\n/, read_file('/proc/self/cgroup');
	my ($v1) = grep { grep { $_ eq 'memory' } split /,/ } keys %path;
	for ([ '/sys/fs/cgroup/memory' . ($path{ $v1 // '' } // ''), 'memory.limit_in_bytes' ], [ '/sys/fs/cgroup', 'memory.max' ]) {
		my $folder = "$_->[0]/mailfilter-checks-$$";
		next if !mkdir $folder;
		if (-e "$folder/$_->[1]") {
			spill("$folder/$_->[1]", 400 * $MB);
			return $folder;
		}
		rmdir $folder;
	}
	return;
}

sub spill {
	my ($path, $text) = @_;
	open(my $file, '>', $path) or die "$path: $!\n";
	syswrite($file, $text) or die "$path: $!\n";
}

# A process in the group that uses so much of it.
sub hog {
	my ($mb) = @_;
	pipe(my $read, my $write) or die "pipe: $!\n";
	my $hog = fork // die "fork: $!\n";
	if (!$hog) {
		spill("$group/cgroup.procs", $$);
		my $memory = '';
		$memory .= 'x' x $MB for 1 .. $mb;
		syswrite $write, 'x';
		sleep 600;
		POSIX::_exit(0);
	}
	push @hogs, $hog;
	close $write;
	sysread $read, my $byte, 1;
}

sub end_hogs {
	for (splice @hogs) {
		kill 'KILL', $_;
		waitpid $_, 0;
	}
}

END {
	my $code = $?;
	end_hogs();
	scanner_stop();
	system('umount', '-l', $_) for @mounts;
	if ($group) {
		for (1 .. 100) {
			last if rmdir $group;
			sleep 0.05;
		}
	}
	$? = $code;
}

my $db   = small_folder('db', '0755');
my $more = work('more');
my $own  = write_file("$db/own.ndb", join '', map { "Test.$_:0:*:" . unpack('H*', "some-mark-$_-of-ours") . "\n" } 'A' .. 'T');
chmod 0644, $own;
# What is left of ClamAV's own sets: it cannot be loaded, the other folder can.
aged(write_file("$more/daily.cld", 'cut off'), 30);
chmod 0755, $more;
my $log  = write_file(work('freshclam.log'), '');
my $temp = small_folder('scanner.tmp', '0700');
my %limits = ('signatures-age' => '2d 7d', 'freshclam-age' => '1d 7d', 'temp-left' => '30M 10M', 'temp-files' => '20 10', 'disk-left' => '30M 10M',
	'memory-left' => '300M 150M', 'clock-jump' => '10s 1h');
my %option = (workers => 2, cache => 0, 'check-interval' => '1s', 'signatures-check' => '1s', signatures => [ $db, $more ],
	'freshclam-log' => $log, 'check-limits' => [ map { "$_ $limits{$_}" } sort keys %limits ]);
$pid = start_with_clock(0, %option);
becomes($_, 'ok', qr/./) for qw(signatures selftest isolation clock);

drive('clock',
	warning  => [ sub { set_clock('+30') }, qr/jumped ahead by (?:29|30) seconds/ ],
	critical => [ sub { set_clock('-2h') }, qr/jumped back by 2 hours/ ]);
drive('signatures',
	warning  => [ sub { aged($own, 3.5) }, qr/3 days old/ ],
	critical => [ sub { aged($own, 8.5) }, qr/8 days old/ ],
	ok       => [ sub { aged($own, 0) }, qr/20 signatures/ ]);
drive('freshclam',
	warning  => [ sub { aged($log, 2.5) }, qr/last seen \d+ (?:days|hours) ago/ ],
	critical => [ sub { aged($log, 9) }, qr/last seen [89] days ago/ ],
	ok       => [ sub { aged($log, 0) }, qr/last seen \d+ (?:seconds|minutes) ago/ ]);
drive('permissions',
	warning  => [ sub { chown 0, 12345, $own; chmod 0664, $own }, qr/own\.ndb: its group may change it: chmod g-w/ ],
	critical => [ sub { chmod 0646, $own }, qr/own\.ndb: everybody may change it: chmod o-w/ ],
	ok       => [ sub { chmod 0644, $own }, qr/nobody else/ ]);
drive('space',
	warning  => [ sub { filled($temp, 40) }, qr/2\d of 64 MB are left/ ],
	critical => [ sub { filled($temp, 58) }, qr/\d of 64 MB are left/ ],
	ok       => [ sub { unlink "$temp/filler" }, qr/6\d of 64 MB are left/ ]);
drive('disk',
	warning  => [ sub { filled($db, 40) }, qr/db: 2\d MB are left for new signatures/ ],
	critical => [ sub { filled($db, 58) }, qr/db: \d MB are left for new signatures/ ],
	ok       => [ sub { unlink "$db/filler" }, qr/6\d MB are left where least is/ ]);
becomes('selftest', 'ok', qr/each worker passed/);
drive('selftest',
	warning => [ sub { my ($worker) = workers(); system('rm', '-r', glob "$temp/e.*/w.$worker") }, qr/did not pass, and was replaced: self-test: / ],
	critical => [ sub { spoil((workers())[0]) }, qr/found nothing any more, and was replaced/ ]);
$group = make_group();
SKIP: {
	skip('no control group with a limit can be made here', 3) if !$group;
	spill("$group/cgroup.procs", $_) for $pid, inspector();
	becomes('memory', 'ok', qr/3\d\d MB are left, by the limit/);
	drive('memory',
		warning  => [ sub { hog(150) }, qr/2\d\d MB are left, by the limit/ ],
		critical => [ sub { hog(150) }, qr/\b\d?\d MB are left, by the limit/ ],
		ok       => [ \&end_hogs, qr/3\d\d MB are left, by the limit/ ]);
}
# It hangs, as by a file system that does not answer, and mail goes on; and it cannot be started again
# while the scanner does not find its own program.
my $mail = write_file(work('text.eml'), Corpus->new('checks')->mail('text', 'text')->{bytes});
my $proc = '/proc';
drive('inspector',
	warning => [ sub { kill 'STOP', inspector(); like(scanned($conf, $mail), qr/"verdict":"clean"/, 'mail is scanned while the inspector hangs') },
		qr/hung, and was replaced/ ],
	critical => [ sub { kill 'KILL', inspector(); system('mount', '-t', 'tmpfs', 'none', $proc) == 0 or die "mount\n" },
		qr/nothing outside is checked: .*No such file/ ],
	ok => [ sub { syscall(166, $proc, 2) == 0 or die "umount: $!\n" }, qr/the checks run/ ]);
like(read_file(work('scanner.log')), qr/check=(\w+) level=critical: this check does not end: does a file system not answer/, 'the check that it was at is critical');
# What the kernel says of a worker, forged: one that is not shut in is none of ours.
drive('isolation',
	critical => [ sub { my ($worker) = workers(); my $says = write_file(work('status'), read_file("/proc/$worker/status") =~ s/^Seccomp:.*/Seccomp:\t0/mr);
		system('mount', '--bind', $says, "/proc/$worker/status") == 0 or die "mount\n" }, qr/is not shut in/ ],
	ok => [ sub { kill 'KILL', $_ for workers() }, qr/2 of them were looked at/ ]);
# Four are 58-checks-hour.t's, and the sweep is 59-sweep-check.t's.
my @names = grep { !/^(?:queue|times|unscannable|workers|sweep)$/ } sort keys %{ checks() };
becomes($_, 'ok', qr/./) for @names;
ok(scanner_stop(), 'the scanner stops');

# On a kernel without Landlock: a filter that has landlock_create_ruleset(2) fail: load the number of the call, compare, return.
sub without_landlock {
	my $filter = pack '(SCCL)*', 0x20, 0, 0, 0, 0x15, 0, 1, 444, 0x06, 0, 0, 0x00050000 | 38, 0x06, 0, 0, 0x7fff0000;
	my $program = pack 'S x6 P', length($filter) / 8, $filter;
	syscall(157, 38, 1, 0, 0, 0) == 0 && syscall(317, 1, 0, $program) == 0 or die "seccomp: $!\n";
}
my $told  = work('told');
my $child = fork // die "fork: $!\n";
if (!$child) {
	without_landlock();
	scanner_start(%option, 'on-alert' => [ '/bin/sh', '-c', "echo \$\$ >$told.new; mv $told.new $told; sleep 600" ]);
	my $is = comes_to('isolation', 'warning', qr/start it with landlock/);
	await('the command of on-alert', sub { -s $told });
	POSIX::_exit(scanner_stop() && $is ? 0 : 1);
}
waitpid $child, 0;
$seen{isolation}{warning} = 1 if is($?, 0, 'isolation: warning');
my $command = read_file($told) =~ s/\n//r;
is(scalar(() = read_file("/proc/$command/status") =~ /^State:\s*[^ZX]/mg), 0, 'a command of on-alert does not outlive the scanner');
like(read_file(work('scanner.log')), qr/on-alert: .*not done in 3 seconds: killed/, '  and the log says so');

is_deeply([ map { my $name = $_; grep { !/^memory/ || $group } map { "$name $_" } grep { !$seen{$name}{$_} } qw(ok warning critical) } @names ], [],
	'each check was seen at each level');
done_testing;
