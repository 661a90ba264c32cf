#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# make bench: what a message costs the scanner, against clamd with the same settings, signatures and
# files: processor time of all processes of each, in pairs, interleaved; and its memory.
#     scanner.pl [--pairs N] [--minutes N] [--scales N,N...] [--keep FOLDER]       0 pairs: memory alone
# With each set of signatures no further pair begins after --minutes.
use strict;
use warnings;
use File::Path qw(make_path);
use FindBin;
use Getopt::Long qw(GetOptions);
use IO::Socket::UNIX;
use List::Util qw(max sum0);
use Time::HiRes qw(time);
use lib "$FindBin::Bin/../e2e/lib", "$FindBin::Bin/lib";
use Clamd;
use E2E;
use Spent;

my ($pairs, $minutes, $scales, $keep) = (7, 1e9, '0,0.1,1', undef);
GetOptions('pairs=i' => \$pairs, 'minutes=f' => \$minutes, 'scales=s' => \$scales, 'keep=s' => \$keep)
	or die "usage: scanner.pl [--pairs N] [--minutes N] [--scales N,N...] [--keep FOLDER]\n";
my $AT_ONCE    = 2;                       # messages in work at a time, of either
my $MEMORY_FOR = 4;                       # workers that the memory is shown for
my $CLASSES_OF_CLEAN = 'text-10k newsletter zip docx pdf binary image text-1m';
my $files      = $keep // work('bench');
my $most_files = 100; # of a class
my $conf;
$| = 1;

# One file by INSTREAM, on a connection of its own as its clients do.
sub instream {
	my ($socket, $file) = @_;
	my $peer  = IO::Socket::UNIX->new(Peer => $socket) or die "$socket: $!\n";
	my $bytes = read_file($file);
	print {$peer} "zINSTREAM\0";
	print {$peer} pack('N', length $_) . $_ for unpack '(a65536)*', $bytes;
	print {$peer} pack('N', 0);
	$peer->flush;
	local $/ = "\0";
	return scalar <$peer> // '';
}

sub drive_clamd {
	my ($name, $must_be_clean, @mails) = @_;
	my @drivers;
	for my $driver (0 .. $AT_ONCE - 1) {
		my $pid = fork // die "fork: $!\n";
		if ($pid) {
			push @drivers, $pid;
			next;
		}
		my $bad = 0;
		for (my $i = $driver; $i < @mails; $i += $AT_ONCE) {
			my $answer = instream(work("$name.sock"), $mails[$i]);
			$bad = 1 if $answer !~ ($must_be_clean ? qr/ OK\0/ : qr/ (?:OK|FOUND)\0/);
		}
		POSIX::_exit($bad);
	}
	for (@drivers) {
		waitpid $_, 0;
		die "clamd: not the answer that was expected\n" if $? != 0;
	}
}

sub drive_ours {
	my ($must_be_clean, @mails) = @_;
	my $run = mailfilter('-c', $conf, 'scan', @mails);
	die "scanner: not the answer that was expected:\n$run->{out}$run->{err}" if $must_be_clean && $run->{code} != 0;
}

# Copies of the mail of a class that nobody has seen before.
sub fresh {
	my ($class, $mark) = @_;
	my @files = sort glob "$files/mail/$class/*.eml";
	splice @files, $most_files if @files > $most_files;
	return map {
		my ($name) = m{([^/]+)$};
		write_file(work("mail/$class-$name"), read_file($_) =~ s/\r\n/\r\nX-Bench: $mark\r\n/r);
	} @files;
}

# Seconds a message of each, in the order of the round.
sub pair {
	my ($round, $ours, $name, $clean, @mails) = @_;
	my %spent;
	for my $who ($round % 2 ? qw(clamd ours) : qw(ours clamd)) {
		my $pid    = $who eq 'ours' ? $ours : Clamd::pid($name);
		my $before = cpu_at_rest($pid);
		$who eq 'ours' ? drive_ours($clean, @mails) : drive_clamd($name, $clean, @mails);
		$spent{$who} = (cpu_at_rest($pid) - $before) / @mails;
	}
	return $spent{ours}, $spent{clamd};
}

sub line {
	my ($what, @pairs) = @_;
	my @ratio = sort { $a <=> $b } map { $_->[0] / $_->[1] } @pairs;
	printf "    %-22s %9.2f %9.2f   %6.3f   %.3f - %.3f\n", $what, 1000 * median(map { $_->[0] } @pairs),
		1000 * median(map { $_->[1] } @pairs), median(@ratio), $ratio[0], $ratio[-1];
	return median(@ratio);
}

sub title {
	printf "\n%s\n    %-22s %9s %9s   %6s   %s\n", $_[0], 'class', 'scanner', 'clamd', 'ratio', 'least - most';
}

sub measure {
	my ($ours) = @_;
	my @classes = split ' ', $CLASSES_OF_CLEAN;
	my (%cold, %warm, %known, %sum);
	my $until = time + 60 * $minutes;
	my $done  = 0;
	while ($done < $pairs && (!$done || time < $until)) {
		my $round = ++$done;
		for my $class (@classes, 'odd') {
			my @mails = fresh($class, "$round-" . time);
			my $clean = $class ne 'odd';
			push @{ $cold{$class} }, [ pair($round, $ours, 'cold', $clean, @mails) ];
			next if !$clean;
			drive_clamd('debian', 1, @mails);
			push @{ $known{$class} }, [ pair($round, $ours, 'debian', 1, @mails) ];
			# Without a cache the second time is as long as the first.
			push @{ $warm{$class} }, [ $known{$class}[-1][0], $cold{$class}[-1][1] ];
		}
	}
	for (\%cold, \%warm, \%known) {
		my $table = $_;
		$table->{all} = [ map { my $i = $_; [ map { my $who = $_; sum0(map { $table->{$_}[$i][$who] } @classes) / @classes } 0, 1 ] } 0 .. $done - 1 ];
	}
	print "$done pairs\n";
	title('Seen for the first time: milliseconds of processor time a message');
	line($_, @{ $cold{$_} }) for @classes, 'all';
	title('Seen for the first time, infected or odd: apart, for here the scanner looks more often');
	line('odd', @{ $cold{odd} });
	title('The same messages again, clamd without its cache');
	line($_, @{ $warm{$_} }) for @classes, 'all';
	title('The same messages again, clamd with its cache (by MD5), as Debian configures it');
	line($_, @{ $known{$_} }) for @classes, 'all';
}

# Of each worker the most that it had to itself, while they scan all of the mail.
sub at_work {
	my ($host, @mails) = @_;
	my %most;
	my $driver = fork // die "fork: $!\n";
	if (!$driver) {
		drive_ours(1, @mails) for 1 .. 2;
		POSIX::_exit(0);
	}
	while (waitpid($driver, POSIX::WNOHANG()) == 0) {
		for my $pid (grep { $_ != $host } family($host)) {
			my (undef, $own) = eval { rollup($pid) } or next;
			$most{$pid} = max($most{$pid} // 0, $own);
		}
		select undef, undef, undef, 0.2;
	}
	die "the scanner did not do what it should\n" if $? != 0;
	return \%most;
}

# While they work, and a second after.
sub memory {
	my ($signatures) = @_;
	my $ours = scanner_start(signatures => [$signatures], workers => $MEMORY_FOR, cache => 0);
	my @mails = map { fresh($_, 'memory') } split ' ', $CLASSES_OF_CLEAN;
	drive_ours(1, $mails[0]);
	my (undef, @below) = family($ours);
	# The parent has other children, which have none.
	my ($host) = sort { family($b) <=> family($a) } grep { read_file("/proc/$_/stat") =~ /\) \S $ours /s } @below;
	my $most = at_work($host, @mails);
	select undef, undef, undef, 1;
	my @workers = grep { $_ != $host } family($host);
	print "\nMemory of the scanner with $MEMORY_FOR workers, in MB: a second after all of this mail; at work\n";
	printf "    %-22s %9s %9s %9s %14s\n", 'process', 'resident', 'its own', 'share (PSS)', 'its own, most';
	my $sum = 0;
	for ([ parent => $ours ], [ 'engine host' => $host ], map { [ worker => $_ ] } @workers) {
		my ($rss, $own, $pss) = rollup($_->[1]);
		$sum += $pss;
		printf "    %-22s %9.1f %9.1f %9.1f %14s\n", $_->[0], $rss, $own, $pss,
			$most->{ $_->[1] } ? sprintf '%.1f', $most->{ $_->[1] } : '';
	}
	my ($engine) = rollup($host);
	printf "    %-22s %9s %9s %9.1f  = the engine host's %.1f and %.1f for each worker\n", 'all together', '', '',
		$sum, $engine, ($sum - $engine) / @workers;
	E2E::scanner_stop() or die "the scanner did not stop in order\n";
}

sub bench {
	my ($scale) = @_;
	my $folder = Clamd::signatures($files, $scale);
	chomp(my $count = `cat $folder/bench* | wc -l`);
	print "\n== $count signatures\n";
	# With many even a small mail takes long enough to be measured.
	$most_files = 6 if $scale >= 1;
	Clamd::start(name => 'cold', signatures => $folder, cache => 0, threads => $AT_ONCE);
	Clamd::start(name => 'debian', signatures => $folder, cache => 1, threads => $AT_ONCE);
	my $ours = scanner_start(signatures => [$folder], workers => $AT_ONCE);
	Clamd::await();
	drive_ours(1, fresh('text-10k', 'first'));
	measure($ours);
	E2E::scanner_stop() or die "the scanner did not stop in order\n";
	Clamd::stop();
	return $folder;
}

sub machine {
	my ($model) = read_file('/proc/cpuinfo') =~ /^model name\s*:\s*(.*)$/m;
	my $cores = () = read_file('/proc/cpuinfo') =~ /^processor\b/mg;
	my ($load) = read_file('/proc/loadavg') =~ /^(\S+)/;
	chomp(my $system = `uname -sr`);
	chomp(my $clamav = `/usr/sbin/clamd --version`);
	print "$system, $cores x ", $model // 'unknown', ", load $load before; $clamav.\n",
		"Each number is the median of at most $pairs pairs, of the same files, in turn; a pair's ratio is the\n",
		"scanner's processor time (parent, engine host, workers) by clamd's; 1 is equal, less is better.\n",
		"Time on a machine that others use, too, is longer; the ratio of a pair hardly moves.\n";
}

-x '/usr/sbin/clamd' or die "clamd is missing: tests/deps.sh bench\n";
machine();
make_path($files, work('mail'));
$conf = settings('mailfilter.conf', { E2E::global('scanner-wait' => '60s') });
-d "$files/mail" or system("$FindBin::Bin/corpus.pl", "$files/mail", 'mail') == 0 or die "corpus.pl failed\n";
my $folder;
$folder = $pairs > 0 ? bench($_) : Clamd::signatures($files, $_) for split /,/, $scales;
memory($folder);
