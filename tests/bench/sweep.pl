#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# What the sweep costs: mail scanned with and without a sweep of many files beside it, in turns; then
# the processor time of a pass in which every file is scanned, and of one in which none has changed.
#     sweep.pl [--files N] [--mails N] [--pairs N]
use strict;
use warnings;
use FindBin;
use Getopt::Long qw(GetOptions);
use POSIX ();
use Time::HiRes qw(time sleep);
use lib "$FindBin::Bin/../e2e/lib";
use E2E;
use Sweep qw(report);

my ($files, $mails, $pairs) = (50000, 1000, 5);
GetOptions('files=i' => \$files, 'mails=i' => \$mails, 'pairs=i' => \$pairs)
	or die "usage: sweep.pl [--files N] [--mails N] [--pairs N]\n";

my $tree   = work('tree');
my $client = settings('mailfilter.conf', { E2E::global() });
my $tick   = POSIX::sysconf(POSIX::_SC_CLK_TCK());
my $words  = join ' ', ('hello there, this is a small and harmless file') x 8;
my $number = 0;

write_file("$tree/" . ($_ % 100) . "/$_.txt", "number $_\n" . "$words\n" x (1 + $_ % 12)) for 1 .. $files;
sleep 0.2;

# Mails that were never seen, so many a second.
sub rate {
	my @mails = map { write_file(work("mail/$_.eml"), "From: a\@example.org\r\nSubject: " . ++$number . "\r\n\r\n$words\r\n") } 1 .. $mails;
	my $from = time;
	my $run  = mailfilter('-c', $client, 'scan', '--json', @mails);
	my $took = time - $from;
	my $clean = () = $run->{out} =~ /"verdict":"clean"/g;
	die "$clean of $mails mails were clean\n$run->{err}" if $clean != $mails;
	return $mails / $took;
}

# Seconds of processor time of the whole family so far, those that were reaped included.
sub cpu {
	my ($pid) = @_;
	my ($sum, %stat) = (0);
	for my $path (glob '/proc/[0-9]*/stat') {
		my @field = split / /, (read_file($path) =~ /\) \w (.*)/)[0] // next;
		$stat{ ($path =~ /(\d+)/)[0] } = \@field;
	}
	my @left = ($pid);
	while (defined(my $at = shift @left)) {
		my $field = $stat{$at} or next;
		$sum += $field->[$_] for 10 .. 13;
		push @left, grep { $stat{$_}[0] == $at } keys %stat;
	}
	return $sum / $tick;
}

sub start {
	my (%option) = @_;
	my $pid = scanner_start('sweep-state' => work('sweep'), 'sweep-interval' => '1s', %option);
	my $until = time + 60;
	sleep 0.1 while time < $until && read_file(work('scanner.log')) !~ /ready signatures[^\n]*\n(?!.*stopping)/s;
	return $pid;
}

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[ @sorted / 2 ] }

my %rate;
for my $pair (1 .. $pairs) {
	# Each comes first as often: what else the machine does may grow or shrink meanwhile.
	for my $with ($pair % 2 ? (0, 1) : (1, 0)) {
		my $pid = start($with ? (sweep => [$tree]) : ());
		if ($with) {
			my $until = time + 60;
			sleep 0.05 while time < $until && !report()->{pass};
			sleep 0.5;
		}
		push @{ $rate{$with} }, rate();
		scanner_stop() or die "the scanner did not stop in order\n";
		system 'rm', '-rf', work('sweep');
	}
}
printf "mails a second, median of %d in turns: without %.1f, with a sweep of %d files %.1f; of the pairs %.1f %% (%s)\n",
	$pairs, median(@{ $rate{0} }), $files, median(@{ $rate{1} }),
	median(map { 100 * $rate{1}[$_] / $rate{0}[$_] } 0 .. $pairs - 1),
	join ' ', map { sprintf '%.0f', 100 * $rate{1}[$_] / $rate{0}[$_] } 0 .. $pairs - 1;

my $pid   = start(sweep => [$tree], 'sweep-interval' => '3s');
my $idle  = cpu($pid);
my $until = time + 1800;
sleep 0.5 while time < $until && !report()->{done};
my $first = cpu($pid) - $idle;
my ($from, $before) = (report()->{pass}, cpu($pid));
sleep 0.5 while time < $until && (report()->{pass} < $from + 3 || !report()->{done});
my $second = (cpu($pid) - $before) / 3;
my $last   = report()->{last};
die "a pass that should scan nothing scanned $last->{scanned}\n" if $last->{scanned} != 0;
printf "processor seconds: first pass of %d files %.2f, a pass with nothing changed %.3f (%.2f %%)\n",
	$last->{files}, $first, $second, 100 * $second / $first;
scanner_stop();
