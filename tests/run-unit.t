#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Runs the program of every tests/*/test_*.c, built in build/MODE, as one TAP report. A program
# that is missing, crashes, hangs or ends before its plan is a failure that names it.
use strict;
use warnings;
use Errno;
use FindBin;
use POSIX ();

chdir "$FindBin::Bin/.." or die "chdir: $!\n";
my $mode  = $ENV{MODE} || 'release';
my $limit = $ENV{UNIT_TIMEOUT_S} || ($mode eq 'release' ? 60 : 240);
my $count = 0;

$ENV{CMOCKA_MESSAGE_OUTPUT} = 'TAP';
# Tests of what happens without memory ask for too much of it.
$ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} // 'detect_leaks=1', 'allocator_may_return_null=1';
$| = 1;

sub report {
	my ($ok, $name, @notes) = @_;
	$count++;
	print $ok ? "ok $count - $name\n" : "not ok $count - $name\n";
	# To stderr, where prove shows it, as Test::More does.
	print STDERR "#   Failed test '$name'\n", map { "#     $_\n" } @notes if !$ok;
}

# Many of them wait for something most of their time: more run at once than there are processors.
my $at_once = 4;
my (@queue, %running, %result);

sub start {
	my ($program) = @_;
	open(my $out, '+>', undef) or die "temporary file: $!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		setpgrp;
		open(STDIN, '<', '/dev/null');
		open(STDOUT, '>&', $out);
		open(STDERR, '>&', $out);
		exec { $program } $program or POSIX::_exit(127);
	}
	$running{$pid} = { program => $program, out => $out, end => time + $limit };
}

# Wait for the next that ends; those that hang are made to.
sub reap {
	local $SIG{ALRM} = sub {
		for my $pid (keys %running) {
			next if time < $running{$pid}{end} || $running{$pid}{late}++;
			kill 'KILL', -$pid;
		}
		alarm 1;
	};
	alarm 1;
	my $pid = 0;
	1 while ($pid = wait) <= 0 && $!{EINTR};
	my $status = $?;
	alarm 0;
	my $run = delete $running{$pid} // return;
	seek $run->{out}, 0, 0;
	chomp(my @lines = readline $run->{out});
	my $how = $run->{late} ? "did not end within $limit s"
		: $status & 127  ? 'was killed by signal ' . ($status & 127)
		: $status        ? 'left with exit code ' . ($status >> 8)
		:                  '';
	$result{ $run->{program} } = [ $how, @lines ];
}

# The output of one program and how it ended, while others go on.
sub run {
	my ($program) = @_;
	while (!$result{$program}) {
		start(shift @queue) while @queue && keys %running < $at_once;
		reap();
	}
	return @{ delete $result{$program} };
}

@queue = grep { -x } map { m{^tests/(.*)\.c$} ? "build/$mode/tests/$1" : () } sort glob 'tests/*/test_*.c';
for my $source (sort glob 'tests/*/test_*.c') {
	(my $name = $source) =~ s{^tests/|\.c$}{}g;
	my $program = "build/$mode/tests/$name";
	if (!-x $program) {
		report(0, "$name: is built", "no $program: make MODE=$mode unit-tests");
		next;
	}
	my ($how, @lines) = run($program);
	my ($plan, $seen, $failed, $last, $after, @notes) = (0, 0, 0, 'none', 0);
	for (@lines) {
		if (/^1\.\.(\d+)/) {
			$plan += $1;
		} elsif (/^(?:not )?ok \d+ # SKIP (.*)/) {
			# cmocka 1.1.5 says "not ok" of what a test skipped itself.
			$seen++;
			($last, $after) = ($1, 0);
			$count++;
			print "ok $count - $name: $last # SKIP @{[ map { s/^(?:# ?)?(?:skipped: )?//r } splice @notes ]}\n";
		} elsif (/^(not )?ok\b(?: \d+)?(?: -)? ?(.*)/) {
			$seen++;
			$failed++ if $1;
			$last  = $2;
			$after = $1;
			report(!$1, "$name: $2", splice @notes);
		} elsif ($after && /\S/) {
			print STDERR '#     ', s/^# ?//r, "\n";
		} elsif (/\S/) {
			push @notes, s/^# ?//r;
		}
	}
	@notes = @notes[-40 .. -1] if @notes > 40;
	report(0, "$name: ran its tests", "$how, plan $plan, $seen run, the last was: $last", @notes)
		if $plan == 0 || $seen != $plan || ($how && !$failed);
}

report(0, 'there are unit tests') if !$count;
print "1..$count\n";
