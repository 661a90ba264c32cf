# SPDX-License-Identifier: ISC
#
# Everything that may happen to a scanner from outside, at once: its processes killed and stopped at
# random, its temp folder filled, its signatures replaced well and badly; and the one who starts it
# again, as a service manager does. Never waits: the test calls turn() again and again. The same seed
# gives the same weather, but for which process has which number.
package Storm;
use strict;
use warnings;
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(time);
use Corpus;
use E2E;

my $RESTART_S = 0.3;  # from the parent's end to the next start
my $TICK_S    = 1;    # one is killed
my $STOP_S    = [ 2, 4 ];
my $FULL_S    = [ 1, 3 ];
my $HALF_S    = 0.4;  # a bad updater between two halves of a file

# new(seed, temp folder (a mount), signature folder, settings of the scanner, pace): at pace 2 what is
# not killing comes twice as often.
sub new {
	my ($class, $seed, $temp, $signatures, $conf, $pace) = @_;
	my $self = bless { rng => Corpus->new("storm $seed"), temp => $temp, signatures => $signatures,
		conf => $conf, pace => $pace, due => [], set => 0, count => {}, groups => {}, problems => [] }, $class;
	$self->replace('good');
	return $self;
}

sub between {
	my ($self, $from, $to) = @_;
	return $self->{rng}->number(1000 * $from, 1000 * $to) / 1000;
}

# Do something so many seconds from now.
sub after {
	my ($self, $seconds, $what) = @_;
	push @{ $self->{due} }, [ time + $seconds, $what ];
	return;
}

sub note {
	my ($self, $what) = @_;
	$self->{count}{$what}++;
	push @{ $self->{log} }, sprintf '%.2f %s', time - $self->{from}, $what if $self->{from};
	return;
}

# The scanner's processes that are alive, of all its lives: [ pid, role, pid of its parent ].
sub processes {
	my ($self) = @_;
	my @found;
	for (map { E2E::read_file($_) } glob '/proc/[0-9]*/stat') {
		my ($pid, $state, $parent, $group) = /^(\d+) \(.*\) (\w) (\d+) (\d+)/s or next;
		next if !$self->{groups}{$group} || $state eq 'Z';
		push @found, [ $pid, $pid == $group ? 'parent' : $parent == $group ? 'engine host' : 'worker', $group ];
	}
	return sort { $a->[0] <=> $b->[0] } @found;
}

# The scanner -------------------------------------------------------------------------------------

sub start {
	my ($self) = @_;
	open(my $log, '>>', work('scanner.log')) or die "scanner.log: $!\n";
	$self->{pid} = E2E::spawn(work('scanner.log'), $log, 'build/scanner', '-c', $self->{conf});
	$self->{groups}{ $self->{pid} } = 1;
	return;
}

# What a service manager does with its end.
sub look_after {
	my ($self) = @_;
	my $pid = $self->{pid} or return;
	return if waitpid($pid, WNOHANG) != $pid;
	my $status = $?;
	$self->{pid} = 0;
	$self->{orphans}{$pid} = time;
	push @{ $self->{problems} }, "the scanner ended with exit code @{[ $status >> 8 ]}: it would not be started again"
		if ($status & 127) == 0 && grep { $_ == $status >> 8 } 0, 64, 78;
	$self->note('start anew after exit code ' . ($status >> 8)) if ($status & 127) == 0;
	$self->after($RESTART_S, sub { $self->start });
	return;
}

# Its children must not outlive it by more than a moment.
sub look_for_orphans {
	my ($self) = @_;
	for my $pid (keys %{ $self->{orphans} }) {
		my $age = time - $self->{orphans}{$pid};
		if (!grep { $_->[2] == $pid } $self->processes) {
			$self->{orphaned} = $age if $age > ($self->{orphaned} // 0);
		} elsif ($age > 5) {
			push @{ $self->{problems} }, "processes of the scanner $pid outlived it by 5 seconds";
		} else {
			next;
		}
		delete $self->{$_}{$pid} for qw(orphans groups);
		E2E::reap($pid);
	}
	return;
}

# In order. True: exit code 0 and nothing is left of any of its lives.
sub stop {
	my ($self) = @_;
	my $deadline = time + 30;
	my $status = -1;
	if ($self->{pid}) {
		kill 'TERM', $self->{pid};
		while (time < $deadline && waitpid($self->{pid}, WNOHANG) == 0) { select undef, undef, undef, 0.02 }
		$status = $?;
	}
	select undef, undef, undef, 0.02 while time < $deadline && $self->processes;
	return $status == 0 && !$self->processes;
}

# Weather -----------------------------------------------------------------------------------------

sub strike {
	my ($self) = @_;
	my @found = $self->processes or return;
	my ($pid, $role) = @{ $self->{rng}->pick(@found) };
	if ($self->{rng}->number(1, 8) == 1) {
		kill('STOP', $pid) and $self->note("$role stopped");
		$self->after($self->between(@$STOP_S), sub { kill 'CONT', $pid });
	} else {
		kill('KILL', $pid) and $self->note("$role killed");
	}
	return;
}

sub fill_bytes {
	my ($self) = @_;
	open(my $file, '>', "$self->{temp}/fill") or return;
	my $zeros = "\0" x 1_048_576;
	1 while syswrite $file, $zeros;
	close $file;
	$self->note('bytes filled');
	$self->after($self->between(@$FULL_S), sub { unlink "$self->{temp}/fill" });
	return;
}

sub fill_inodes {
	my ($self) = @_;
	my $dir = "$self->{temp}/inodes";
	mkdir $dir;
	my $n = 0;
	while (open(my $file, '>', "$dir/$n")) { $n++ }
	$self->note('inodes filled');
	$self->after($self->between(@$FULL_S), sub { unlink glob "$dir/*"; rmdir $dir });
	return;
}

# A set that finds EICAR, in its second half, among much that is never met; or one that does not load.
sub set {
	my ($self, $kind) = @_;
	my $n = ++$self->{set};
	my @lines = map { "Never.Met$n.$_:0:*:" . unpack('H*', "never met $n $_ 7d9e2b41") } 1 .. 40;
	push @lines, $kind eq 'good' ? 'Eicar-Test-Signature:0:0:' . unpack('H*', Corpus::eicar()) : 'Broken:0:*:6';
	return join('', map { "$_\n" } @lines);
}

# By rename, as freshclam does.
sub replace {
	my ($self, $kind) = @_;
	write_file("$self->{signatures}/own.ndb.new", $self->set($kind), 0644);
	select undef, undef, undef, 0.02; # the kernel's clock for files is coarse: whole, and then renamed
	rename "$self->{signatures}/own.ndb.new", "$self->{signatures}/own.ndb" or die "rename: $!\n";
	$self->note("signatures: $kind");
	return;
}

# Over the old ones, with a pause in the middle, at the end of a line.
sub overwrite {
	my ($self, $kind) = @_;
	my $set  = $self->set($kind);
	my $half = rindex(substr($set, 0, length($set) / 2), "\n") + 1;
	open(my $file, '>', "$self->{signatures}/own.ndb") or die "own.ndb: $!\n";
	syswrite $file, substr $set, 0, $half;
	$self->note("signatures: $kind, in place");
	$self->after($HALF_S, sub { syswrite $file, substr $set, $half; close $file });
	return;
}

# It begins, and goes on until calm().
sub begin {
	my ($self) = @_;
	my @sets = ([ replace => 'good', 3, 6 ], [ replace => 'broken', 1, 3 ], [ replace => 'good', 3, 6 ],
		[ overwrite => 'good', 6, 8 ], [ overwrite => 'broken', 1, 3 ]);
	my $kill = sub { my ($again) = @_; $self->strike; $self->after($TICK_S, sub { $again->($again) }) };
	my $full = sub {
		my ($again, $how) = @_;
		my ($this, $next) = $how ? ('fill_bytes', 0) : ('fill_inodes', 1);
		$self->$this;
		$self->after($self->between(6, 10) / $self->{pace}, sub { $again->($again, $next) });
	};
	my $signatures = sub {
		my ($again, $i) = @_;
		my ($how, $kind, @for) = @{ $sets[ $i % @sets ] };
		$self->$how($kind);
		$self->after($self->between(@for) / $self->{pace}, sub { $again->($again, $i + 1) });
	};
	$self->{from} = time;
	$self->after($TICK_S,              sub { $kill->($kill) });
	$self->after($self->between(1, 3), sub { $full->($full, 1) });
	$self->after($self->between(1, 2), sub { $signatures->($signatures, 0) });
	return;
}

# What is due now.
sub turn {
	my ($self) = @_;
	my @due = @{ $self->{due} };
	$self->{due} = [ grep { $_->[0] > time } @due ];
	$_->[1]->() for sort { $a->[0] <=> $b->[0] } grep { my $one = $_; !grep { $_ == $one } @{ $self->{due} } } @due;
	$self->look_after;
	$self->look_for_orphans;
	return;
}

# No more of it, at once: all goes on, there is room, the signatures are good.
sub calm {
	my ($self) = @_;
	kill 'CONT', $_->[0] for $self->processes;
	unlink "$self->{temp}/fill", glob "$self->{temp}/inodes/*";
	rmdir "$self->{temp}/inodes";
	$self->{due} = [];
	$self->start if !$self->{pid};
	$self->replace('good');
	$self->{seconds} = time - $self->{from};
	return;
}

1;
