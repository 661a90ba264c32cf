# SPDX-License-Identifier: ISC
#
# What processes cost: processor time and memory of one and all below it, read from /proc.
package Spent;
use strict;
use warnings;
use Exporter qw(import);
use List::Util qw(max);
use POSIX ();
use Time::HiRes qw(clock_gettime);
use E2E;

our @EXPORT = qw(median family cpu cpu_at_rest rollup);

my $TICK = POSIX::sysconf(&POSIX::_SC_CLK_TCK);

sub median {
	my @sorted = sort { $a <=> $b } @_;
	return @sorted % 2 ? $sorted[ $#sorted / 2 ] : ($sorted[ $#sorted / 2 ] + $sorted[ @sorted / 2 ]) / 2;
}

# A process and all below it.
sub family {
	my ($pid) = @_;
	my (@all, %below) = ($pid);
	for (glob '/proc/[0-9]*/stat') {
		my ($child, $parent) = read_file($_) =~ /^(\d+) \(.*\) \S (\d+)/s or next;
		push @{ $below{$parent} }, $child;
	}
	for (my $i = 0; $i < @all; $i++) { push @all, @{ $below{ $all[$i] } // [] } }
	return @all;
}

# Seconds of processor time of a family: of the living by the clock of the process, exact; of those
# that ended by what their parents know of them, in ticks.
sub cpu {
	my ($pid) = @_;
	my $sum = 0;
	for (family($pid)) {
		my @field = split ' ', read_file("/proc/$_/stat") =~ s/^.*\) //sr or next;
		my $clock = clock_gettime((-1 - $_) * 8 + 2);
		$sum += max(0, $clock) + ($field[13] + $field[14]) / $TICK;
	}
	return $sum;
}

# When nothing moves any more: what is left to do after an answer is part of its price.
sub cpu_at_rest {
	my ($pid) = @_;
	my ($last, $now) = (-1, cpu($pid));
	while ($now - $last > 0.001) {
		select undef, undef, undef, 0.05;
		($last, $now) = ($now, cpu($pid));
	}
	return $now;
}

# Memory of one process in MB: resident, its own, its share.
sub rollup {
	my ($pid) = @_;
	my %kb = read_file("/proc/$pid/smaps_rollup") =~ /^(\w+):\s+(\d+) kB$/mg;
	return ($kb{Rss} / 1024, ($kb{Private_Clean} + $kb{Private_Dirty}) / 1024, $kb{Pss} / 1024);
}

1;
