# SPDX-License-Identifier: ISC
#
# A disk that fails at the n-th call of a kind, below one folder, and a message that kills who
# receives it: faults.c, built here and put before libc of the programs that a test starts.
package Faults;
use strict;
use warnings;
use Cwd qw(abs_path);
use Errno ();
use File::Basename qw(dirname);
use E2E;

our @DISK  = qw(write sync rename link unlink create truncate);
our @CALLS = (@DISK, qw(send receive));
my %DEED   = (none => 0, fail => 1, short => 2, kill => 3, torn => 4);
my ($HEAD, $TRACE_MAX, $TRACE_TEXT) = (4 * (6 + @CALLS + 1), 2000, 60);
my $library;

sub library {
	return $library if $library;
	my $source = dirname(abs_path(__FILE__)) . '/faults.c';
	my $built  = work('faults.so');
	system($ENV{CC} // 'gcc', qw(-std=gnu17 -D_GNU_SOURCE -D_LARGEFILE64_SOURCE -O1 -fPIC -shared -o),
		$built, $source, '-ldl') == 0 or die "faults.c cannot be built\n";
	return $library = $built;
}

# Run this with the n-th call of a kind ('any': of all) failing below a folder: with an errno's name,
# 'short' (the n-th write is cut short, the next fails), 'kill' (the whole group dies before it) or
# 'torn' (after half of it, if it is a write). stays: all calls of the kind from there on fail. Returns
# what the code returns, then counted() and traced() tell.
sub with {
	my ($below, $order, $code) = @_;
	my ($call, $n, $what, $stays) = @$order;
	my ($index) = $call eq 'any' ? scalar @CALLS : grep { $CALLS[$_] eq $call } 0 .. $#CALLS;
	my $deed   = $DEED{$what} // $DEED{fail};
	my $errnum = exists $DEED{$what} ? Errno::ENOSPC() : Errno->can($what)->();
	my $file   = work("faults.orders.$$");
	write_file($file, pack('L6', $index, $n, $deed, $errnum, $stays ? 1 : 0, 0)
		. "\0" x ($HEAD - 24 + $TRACE_MAX * (4 + $TRACE_TEXT)));
	local @ENV{qw(LD_PRELOAD FAULTS_FILE FAULTS_BELOW)} = (library(), $file, abs_path($below) . '/');
	return $code->();
}

# Of the last run: how often the order was carried out, and how many calls of each kind there were.
sub counted {
	my ($done, @counts) = (unpack 'L*', substr read_file(work("faults.orders.$$")), 0, $HEAD)[ 5 .. 5 + @CALLS ];
	my %count;
	@count{@CALLS} = @counts;
	return ($done, \%count);
}

# Its calls in their order: [ kind, end of the path ].
sub traced {
	my $bytes = read_file(work("faults.orders.$$"));
	my $total = unpack 'L', substr $bytes, $HEAD - 4, 4;
	return map { my ($call, $tail) = unpack "L Z$TRACE_TEXT", substr $bytes, $HEAD + $_ * (4 + $TRACE_TEXT), 4 + $TRACE_TEXT;
		[ $CALLS[$call], $tail ] } 0 .. ($total < $TRACE_MAX ? $total : $TRACE_MAX) - 1;
}

# Run this with whoever receives these bytes aborting.
sub with_poison {
	my ($bytes, $code) = @_;
	local @ENV{qw(LD_PRELOAD FAULTS_CRASH)} = (library(), $bytes);
	return $code->();
}

# Run this with the wall clock ahead by so many seconds.
sub with_clock {
	my ($seconds, $code) = @_;
	local @ENV{qw(LD_PRELOAD FAULTS_CLOCK)} = (library(), $seconds);
	return $code->();
}

1;
