#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Every source by every destination, killed before each call that changes the disk or talks to the
# network, and in the middle of each write: run again, nothing is lost; nothing comes twice into a
# Maildir, an mbox or in place; at most one mail a crash twice where the destination cannot be asked;
# and one more run changes nothing. Then each such call on the disk fails, with ENOSPC, EIO and
# EDQUOT: mail is held, the reason said, and a run without faults brings it all. Without LONG=1 some
# combinations, each killed at one step of each kind. ONLY=imap-mbox,errors-lmtp: these alone. JOBS: so
# many at once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use Corpus;
use Faults;
use Matrix;
use E2E;

my $SAYS  = qr/No space left|Input\/output error|[Qq]uota|full|disk I\/O error|in trouble/;
my $BATCH = 40;                        # cases that are run again together
my $LONG  = $ENV{LONG};
my @TO    = qw(maildir mbox lmtp smtp pipe);
my @ERRNO = qw(ENOSPC EIO EDQUOT);
my @plan  = $LONG
	? ((map { my $from = $_; map { [ "$from-$_", $from, $_ ] } @TO } qw(imap pop3 maildir)), [ 'imap-inplace', 'imap', 'inplace' ],
		(map { [ "errors-$_", 'maildir', $_ ] } @TO), [ 'errors-inplace', 'imap', 'inplace' ])
	: ([ 'imap-maildir', 'imap', 'maildir' ], [ 'pop3-mbox', 'pop3', 'mbox' ], [ 'maildir-lmtp', 'maildir', 'lmtp' ],
		[ 'imap-smtp', 'imap', 'smtp' ], [ 'maildir-pipe', 'maildir', 'pipe' ], [ 'imap-inplace', 'imap', 'inplace' ]);
my %only  = map { $_ => 1 } split /,/, $ENV{ONLY} // '';
@plan = grep { $only{ $_->[0] } } @plan if %only;
my $users = $LONG ? 700 : 100;
my $dovecot = Dovecot->new(dir => work('dovecot'),
	users => { map { ($_ => 'sesame') } map { Matrix::users(@$_, $users) } @plan });
my $smtp = Destination::smtp('smtp', split => 1);
scanner_start();
Faults::library();

# What each has tried: a line for each problem, then what was counted.
sub note_progress {
	my ($name, $text) = @_;
	print STDERR "# $name: $text\n" if $LONG;
}

# Run again what was tried, all together; and one more time.
sub run_again {
	my ($matrix, @cases) = @_;
	return if !@cases;
	my @problems;
	my $conf = settings("conf/$matrix->{name}-again.conf", { E2E::global('state-dir' => $matrix->state_dir) }, map { $_->{account} } @cases);
	my $run  = E2E::finish(E2E::mailfilter_start('-c', $conf, '--once'), 300);
	push @problems, "the next run ends with $run->{code}/$run->{signal}" if $run->{code} != 0;
	for my $case (@cases) {
		push @problems, map { "$case->{what}, account $case->{name}: $_" } $matrix->problems($case);
		$case->{state} = $matrix->state_of($case);
	}
	$run = E2E::finish(E2E::mailfilter_start('-c', $conf, '--once'), 300);
	push @problems, "one more run ends with $run->{code}/$run->{signal}" if $run->{code} != 0;
	push @problems, "one more run looks at a message: $1" if $run->{err} =~ /(.*uid=.*)/;
	for my $case (@cases) {
		push @problems, "$case->{what}, account $case->{name}: one more run changes something" if $case->{state} ne $matrix->state_of($case);
	}
	return @problems;
}

sub try_one {
	my ($matrix, $order, $what) = @_;
	my $case = $matrix->fresh;
	# Where nothing can be noted any more, what was handed over is like after a crash; not where one call
	# failed and the next may succeed.
	$case->{crashes} = $order->[2] =~ /^(?:kill|torn)$/ || $order->[3] ? 1 : 0;
	$case->{run} = Faults::with(work(), $order, sub { mailfilter('-c', $case->{conf}, '--once') });
	($case->{done}, my $count) = Faults::counted();
	my $at = $order->[0] eq 'any' ? (Faults::traced())[ $order->[1] - 1 ] : [ $order->[0], '' ];
	$case->{what} = "$order->[2] " . ($order->[3] ? 'from' : 'at') . ' ' . join ' ', $order->[1], @{ $at // ['nothing'] };
	return $case;
}

# Killed at each of these numbers. Problems, then how many were tried.
sub kill_at {
	my ($matrix, $deed, @numbers) = @_;
	my ($tried, @problems, @cases) = (0);
	for my $n (@numbers) {
		my $case = try_one($matrix, [ $deed eq 'torn' ? 'write' : 'any', $n, $deed ]);
		if ($case->{done}) {
			$tried++;
			push @problems, "$case->{what}: not killed, ended with $case->{run}{code}" if $case->{run}{signal} != 9;
			push @problems, map { "$case->{what}, account $case->{name}: $_" } $matrix->wrong_now($case);
			$matrix->reader_deletes($case) if $matrix->{to} eq 'maildir' && $n % 2;
		}
		push @cases, $case;
		if (@cases == $BATCH) {
			push @problems, run_again($matrix, splice @cases);
			note_progress($matrix->{name}, "$deed, $n of $numbers[-1], " . @problems . ' problems');
		}
	}
	return ($tried, @problems, run_again($matrix, @cases));
}

# Each call of each kind fails.
sub fail_each {
	my ($matrix, $count) = @_;
	my ($tried, @problems, @cases) = (0);
	for my $call (@Faults::DISK) {
		for my $n (1 .. $count->{$call}) {
			for my $errno ($call eq 'write' ? (@ERRNO, 'short') : @ERRNO) {
				my $case = try_one($matrix, [ $call, $n, $errno, $errno ne 'short' && $n % 3 == 0 ]);
				my $run  = $case->{run};
				push @cases, $case;
				next if !$case->{done};
				$tried++;
				my %left = $matrix->on_server($case);
				push @problems, map { "$case->{what}, account $case->{name}: $_" } $matrix->wrong_now($case),
					$run->{code} != 0 && $run->{code} != 75 ? "exit $run->{code}/$run->{signal}" : (),
					$run->{code} == 75 && "$run->{err}$run->{out}" !~ $SAYS ? 'says no reason' : (),
					$run->{code} == 0 && %left && $matrix->{to} ne 'inplace' ? 'ends with 0, and mail is left' : ();
			}
			next if @cases < $BATCH;
			push @problems, run_again($matrix, splice @cases);
			note_progress($matrix->{name}, "$call, $n of $count->{$call}, " . @problems . ' problems');
		}
	}
	return ($tried, @problems, run_again($matrix, @cases));
}

sub work_on {
	my ($name, $source, $to) = @_;
	my $matrix = Matrix->new(name => $name, source => $source, to => $to, dovecot => $dovecot, smtp => $smtp,
		corpus => Corpus->new("matrix-$name"));
	my $calm = try_one($matrix, [ 'any', 0, 'none' ]);
	my ($all, $begins, @steps) = $matrix->transitions($calm->{name});
	my (undef, $count) = Faults::counted();
	my @problems = map { "without faults: $_" } run_again($matrix, $calm);
	my ($tried, @more);
	if ($name =~ /^errors/) {
		($tried, @problems) = (fail_each($matrix, $count), @problems);
		return ($tried, @problems);
	}
	@steps = 1 .. $all + 5 if $LONG;
	# How the state is made is the same for all: one of them is killed there.
	@steps = grep { $_ >= $begins } @steps if !$LONG && $name ne 'imap-maildir';
	($tried, @more) = kill_at($matrix, 'kill', @steps);
	push @problems, @more;
	if ($LONG) {
		my ($torn, @torn) = kill_at($matrix, 'torn', 1 .. $count->{write});
		$tried += $torn;
		push @problems, @torn;
	}
	return ($tried, @problems);
}

# As many at once as there are processors.
my %child;
my @waiting = @plan;
END {
	my $code = $?;
	kill 'TERM', keys %child;
	$? = $code;
}
my $jobs = $ENV{JOBS} // 2;
while (@waiting || %child) {
	while (@waiting && keys %child < $jobs) {
		my $plan = shift @waiting;
		my $pid  = fork // die "fork: $!\n";
		if (!$pid) {
			@SIG{qw(INT TERM HUP)} = ('DEFAULT') x 3;
			%child = ();
			my $from = time;
			my @report = eval { work_on(@$plan) };
			@report = (0, "died: $@") if $@;
			write_file(work("report-$plan->[0]"), join "\n", @report, sprintf '%.0f', time - $from);
			POSIX::_exit(0);
		}
		$child{$pid} = $plan->[0];
	}
	my $pid = wait;
	my $name = delete $child{$pid} // next;
	my ($tried, @problems) = split /\n/, read_file(work("report-$name"));
	my $seconds = pop @problems;
	is_deeply(\@problems, [], "$name: $tried tried, nothing lost, nothing twice, in $seconds s");
	cmp_ok($tried // 0, '>=', 10, "$name: and that were enough");
	diag("$name: ", map { "\n  $_" } @problems > 40 ? @problems[0 .. 39] : @problems) if @problems;
	note_progress($name, "$tried tried, " . @problems . " problems, $seconds s, " . @waiting . ' combinations wait');
}
done_testing();
