#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# make bench: the whole job: mail fetched, scanned and delivered, by mailfilter and the scanner and by
# what people use today with clamd, in turn, each with mail that nobody has seen. And the limits:
# libclamav alone over the same kind of mail, and the mail fetched and dropped. With many signatures also
# the mix without what is infected, for mailfilter and libclamav alone.
#     whole.pl [--full] [--rounds N] [--others N] [--mails N] [--seconds N] [--minutes N] [--scales N,N...]
#              [--only PATTERN] [--keep FOLDER]
# A trial with 40 mails says how many each of them gets: what it does in --seconds, at most --mails.
# After --minutes of rounds no further one begins; who matters less takes part in the first --others of
# them. --full: all get all mails, in 7 rounds.
use strict;
use warnings;
use File::Path qw(make_path);
use File::Temp qw();
use FindBin;
use Getopt::Long qw(GetOptions);
use IO::Handle;
use List::Util qw(max min sum0);
use POSIX ();
use Time::HiRes qw(CLOCK_PROCESS_CPUTIME_ID clock_gettime time);
use lib "$FindBin::Bin/../e2e/lib", "$FindBin::Bin/lib";
use Bare;
use Batch;
use Chart;
use Clamd;
use E2E;
use Peers;
use Spent;

my %option = (rounds => 7, others => 2, mails => 200, seconds => 2, minutes => 2.2, scales => '0,1', keep => 'build/bench');
GetOptions(\%option, 'full', 'rounds=i', 'others=i', 'mails=i', 'seconds=f', 'minutes=f', 'scales=s', 'only=s', 'keep=s')
	or die "usage: whole.pl [--full] [--rounds N] [--others N] [--mails N] [--seconds N] [--minutes N] [--scales N,N...] [--only PATTERN] [--keep FOLDER]\n";
@option{qw(rounds others seconds minutes)} = (7, 7, 1e9, 1e9) if $option{full};
my $TRIAL   = 40;
my $LATE    = $option{full} ? 300 : 40;           # seconds, then a run is killed
my $CORES   = () = read_file('/proc/cpuinfo') =~ /^processor\b/mg;
my $COUNTED = 'mailfilter, scan = all';             # the others are compared with it
my @COLUMNS = qw(scale round who mails wall cpu memory scanned infected cleaned changed missing twice);
my $TRIES   = 3;
my ($dovecot, $raw, %loop, $scanner, %failed, %reason);
# Where each unpacks mail when it is installed: the scanner in a tmpfs, and so does the limit; clamd on the disk.
my $memory = -w '/dev/shm' ? File::Temp->newdir('mailfilter-bench-XXXXXX', DIR => '/dev/shm') : undef;
my ($users, $runs) = (0, 0);
$| = 1;

# All that takes part: name, colour, the code that does one run, and, of who matters most, in each round,
# 1. CLEAN: without what is infected.
my @all = (
	[ $COUNTED,                        '#2a6', sub { ours('all', @_) }, 1 ],
	[ 'mailfilter, scan = suspicious', '#5b8', sub { ours('suspicious', @_) }, 1 ],
	[ 'mbsync, then clamdscan',        '#79b', sub { peer(\&Peers::mbsync, @_) }, 1 ],
	[ 'fdm with clamdscan',            '#79b', sub { peer(\&Peers::fdm, @_) }, 1 ],
	[ 'mpop with clamdscan',           '#79b', sub { peer(\&Peers::mpop, @_) } ],
	[ 'fetchmail with clamdscan',      '#79b', sub { peer(\&Peers::fetchmail, @_) } ],
	[ 'getmail with clamdscan',        '#79b', sub { peer(\&Peers::getmail, @_) } ],
	[ 'limit: libclamav, 1 process',   '#bbb', sub { looped(1, @_) } ],
	[ "limit: libclamav, $CORES processes", '#bbb', sub { looped($CORES, @_) }, 1 ],
	[ 'limit: fetched and dropped',    '#bbb', \&bare ],
);
my @CLEAN = (
	[ 'clean alone: mailfilter, all',  '#2a6', sub { ours('all', @_) }, 1 ],
	[ 'clean alone: libclamav',        '#bbb', sub { looped($CORES, @_) }, 1 ],
	[ 'clean alone: mailfilter, suspicious', '#5b8', sub { ours('suspicious', @_) } ],
	[ 'clean alone: mbsync',           '#79b', sub { peer(\&Peers::mbsync, @_) } ],
);
my $MANY = 0.1;                                     # the scale from which on they take part
my @who;

# The most memory of these and all below them, until it is told to end: a process of its own.
sub sampler_start {
	my @pids = @_;
	my $file = work('sampled');
	my $pid  = fork // die "fork: $!\n";
	return $pid if $pid;
	my ($most, $ended) = (0, 0);
	local $SIG{TERM} = sub { $ended = 1 };
	until ($ended) {
		$most = max($most, sum0(map { (eval { local $SIG{__WARN__} = sub { }; rollup($_) })[2] // 0 } map { family($_) } @pids));
		select undef, undef, undef, 0.05;
	}
	write_file($file, $most);
	POSIX::_exit(0);
}

sub sampler_stop {
	my ($pid) = @_;
	kill 'TERM', $pid;
	waitpid $pid, 0;
	return read_file(work('sampled'));
}

# Run a command beside its scanner: seconds, processor seconds of both, and, if asked for, memory.
sub timed {
	my ($run, $server, $ok, @argv) = @_;
	my $log    = work("$run->{id}.log");
	my $before = cpu_at_rest($server);
	my (undef, undef, $user, $system) = times;
	open(my $err, '>>', $log) or die "$log: $!\n";
	my $from    = time;
	my $pid     = E2E::spawn($log, $err, @argv);
	my $sampler = $run->{sampled} ? sampler_start($pid, $server) : 0;
	local $SIG{ALRM} = sub { kill 'KILL', -$pid };
	alarm $LATE;
	my $status = E2E::reap($pid);
	my $wall   = time - $from;
	alarm 0;
	my (undef, undef, $user_after, $system_after) = times;
	$run->{memory} = sampler_stop($sampler) if $sampler;
	@$run{qw(wall cpu)} = ($wall, $user_after + $system_after - $user - $system + cpu_at_rest($server) - $before);
	die "$run->{who}: exit $status after $wall s:\n" . substr(read_file($log), -4000)
		if $status & 127 || !grep { $status >> 8 == $_ } @$ok;
}

sub mailbox {
	my ($run) = @_;
	$run->{user} = sprintf 'u%03d', $users++;
	$dovecot->put($run->{user}, map { $_->{bytes} } @{ $run->{mails} });
}

# How many verdicts the scanner has given.
sub verdicts {
	my ($conf) = @_;
	return sum0(mailfilter('-c', $conf, 'status', '--metrics')->{out} =~ /^mailfilter_scanner_verdicts_total\{[^}]*\} (\d+)$/mg);
}

sub ours {
	my ($scan, $run) = @_;
	mailbox($run);
	my $inbox = work("$run->{id}/inbox");
	my $conf  = settings("$run->{id}.conf", { E2E::global('state-dir' => work("$run->{id}/state"), scan => $scan) },
		[ 'bench', { source => $dovecot->url($run->{user}, 'imap'), tls => 'none', password => $Peers::PASSWORD,
			deliver => "maildir:$inbox" } ]);
	my $before = verdicts($conf);
	timed($run, $scanner, [0], 'build/mailfilter', '-c', $conf, '--once', '-q');
	$run->{scanned} = verdicts($conf) - $before;
	return $inbox;
}

sub peer {
	my ($make, $run) = @_;
	mailbox($run);
	my $logged = -s work('clamd.log');
	my ($argv, $ok, $inbox) = $make->({ dir => work($run->{id}), user => $run->{user}, clamd => work('clamd.conf'),
		imap => $dovecot->{port}{imap}, pop3 => $dovecot->{port}{pop3}, owner => $dovecot->{owner}, group => $dovecot->{group} });
	timed($run, Clamd::pid('clamd'), $ok, @$argv);
	$run->{scanned} = () = substr(read_file(work('clamd.log')), $logged) =~ /: (?:OK|\S+ FOUND)$/mg;
	return $inbox;
}

sub bare {
	my ($run) = @_;
	mailbox($run);
	my $before = clock_gettime(CLOCK_PROCESS_CPUTIME_ID);
	my ($wall, $bytes) = Bare::fetch($dovecot->{port}{imap}, $run->{user}, $Peers::PASSWORD);
	my $cpu = clock_gettime(CLOCK_PROCESS_CPUTIME_ID) - $before;
	die "only $bytes bytes came\n" if $bytes < sum0(map { length $_->{bytes} } @{ $run->{mails} });
	@$run{qw(wall cpu)} = ($wall, $cpu);
	return;
}

sub loop_start {
	my ($signatures) = @_;
	my $program = "$option{keep}/loop";
	my @flags = split ' ', `pkg-config --cflags --libs libclamav`;
	system('cc', '-std=gnu17', '-D_GNU_SOURCE', '-O2', '-o', $program, "$FindBin::Bin/loop.c", @flags) == 0
		or die "loop.c does not compile\n";
	pipe(my $in, $loop{to})     or die "pipe: $!\n";
	pipe($loop{from}, my $out)  or die "pipe: $!\n";
	$loop{pid} = fork // die "fork: $!\n";
	if (!$loop{pid}) {
		close $_ for @loop{qw(to from)};
		open(STDIN, '<&', $in) && open(STDOUT, '>&', $out) or POSIX::_exit(126);
		$ENV{TMPDIR} = "$memory" if $memory;
		exec $program, $signatures or POSIX::_exit(127);
	}
	$loop{to}->autoflush;
}

sub loop_ready {
	my $line = readline($loop{from}) // '';
	$line =~ /^ready/ or die "the loop does not start: $line\n";
}

sub loop_stop {
	close $_ for @loop{qw(to from)};
	waitpid $loop{pid}, 0;
	%loop = ();
}

sub looped {
	my ($processes, $run) = @_;
	my $folder = work("$run->{id}/mail");
	write_file("$folder/$_", $run->{mails}[$_]{bytes}) for 0 .. $#{ $run->{mails} };
	print { $loop{to} } "$processes $folder\n";
	my ($wall, $cpu, $files, $found, $most) = split ' ', readline($loop{from}) // '';
	die "the loop has ended\n" if !defined $most;
	@$run{qw(wall cpu scanned memory)} = ($wall, $cpu, $files, $most / 1024);
	die "libclamav found $found\n" if $found != grep { $_->{infected} } @{ $run->{mails} };
	return;
}

# One run; a peer that fails is tried again, and that is counted.
sub one {
	my ($who, $scale, $round, $count, $sampled) = @_;
	my ($name, undef, $code) = @$who;
	for my $try (1 .. $TRIES) {
		my $id    = sprintf 'r%03d', $runs++;
		my $run   = { id => $id, who => $name, scale => $scale, round => $round, sampled => $sampled,
			mails => [ Batch::make($id, $count, clean => scalar grep { $_ == $who } @CLEAN) ] };
		my $inbox = eval { $code->($run) // '' };
		if (!defined $inbox) {
			die $@ if $try == $TRIES || $name eq $COUNTED;
			$failed{$name}++;
			$reason{$name} = $@;
			next;
		}
		my $became = $inbox ne '' ? Batch::became($run->{mails}, $inbox) : {};
		$run = { %$run, %$became, mails => $count };
		my @row = map { $run->{$_} // '' } @COLUMNS;
		print {$raw} join("\t", @row), "\n";
		return $run;
	}
}

# As one(); who fails for good takes no further part.
sub try_one {
	my ($who, @rest) = @_;
	my $run = eval { one($who, @rest) };
	return $run if $run;
	die $@ if $who->[0] eq $COUNTED;
	print "left out: $@";
	@who = grep { $_ != $who } @who;
	return;
}

# The same rounds for all: the runs by name, their memory, and how many rounds. A trial comes first; the
# last one says the memory.
sub rounds {
	my ($scale) = @_;
	my (%count, %memory, %runs);
	for my $who (@{ [@who] }) {
		my $trial = try_one($who, $scale, 'trial', $TRIAL, 0) or next;
		my $fits  = int($option{seconds} * $TRIAL / $trial->{wall} / $Batch::BLOCK) * $Batch::BLOCK;
		$count{ $who->[0] } = max(min($fits, $option{mails}), min($TRIAL, $option{mails}));
	}
	my $until = time + 60 * $option{minutes};
	my $done  = 0;
	for my $round (1 .. $option{rounds}) {
		for my $who (grep { $_->[3] || $round <= $option{others} } map { $who[ ($_ + 3 * $round) % @who ] } 0 .. $#who) {
			my $run = try_one($who, $scale, $round, $count{ $who->[0] }, 0) or next;
			push @{ $runs{ $who->[0] } }, $run;
		}
		$done++;
		last if time > $until;
	}
	for my $who (grep { $option{full} || $_->[3] } @{ [@who] }) {
		my $run = try_one($who, $scale, 'memory', $count{ $who->[0] }, 1) or next;
		$memory{ $who->[0] } = $run->{memory};
	}
	return (\%runs, \%memory, $done);
}

sub spread {
	my ($format, @values) = @_;
	my @sorted = sort { $a <=> $b } @values;
	return sprintf "$format (%.2f-%.2f)", median(@sorted), @sorted[ 0, -1 ];
}

# What the mix without EICAR takes beside libclamav alone, in the same rounds.
sub alone {
	my ($ours, $least) = @_;
	return if !$least;
	my $by = sub {
		my ($what) = @_;
		return map { ($ours->[$_]{$what} / $ours->[$_]{mails}) / ($least->[$_]{$what} / $least->[$_]{mails}) } 0 .. $#$ours;
	};
	printf "    clean mail alone, by libclamav alone in $CORES processes: %s of its time, %s of its CPU\n",
		spread('%.2f', $by->('wall')), spread('%.2f', $by->('cpu'));
}

sub table {
	my ($runs, $memory) = @_;
	my @bars;
	printf "    %-35s %5s %4s %8s %-20s %7s %-20s %6s %7s %8s %7s %7s %7s %5s\n", 'who', 'mails', 'runs', 'mails/s', 'time, by ours', 'CPU ms',
		'CPU, by ours', 'MB', 'scanned', 'infected', 'cleaned', 'changed', 'missing', 'twice';
	for (@who) {
		my ($name, $colour) = @$_;
		my @own  = @{ $runs->{$name} };
		my @ours = @{ $runs->{$COUNTED} };
		my $by   = sub {
			my ($what) = @_;
			return map { ($own[$_]{$what} / $own[$_]{mails}) / ($ours[$_]{$what} / $ours[$_]{mails}) } 0 .. $#own;
		};
		my @rate = sort { $a <=> $b } map { $_->{mails} / $_->{wall} } @own;
		my $seen = sub {
			my ($what) = @_;
			my @known = grep { defined } map { $_->{$what} } @own;
			return @known ? sprintf '%d', sum0(@known) : '';
		};
		printf "    %-35s %5d %4d %8.1f %-20s %7.1f %-20s %6s %7s %8s %7s %7s %7s %5s\n", $name, $own[0]{mails}, scalar @own, median(@rate),
			spread('%.2f', $by->('wall')), 1000 * median(map { $_->{cpu} / $_->{mails} } @own), spread('%.2f', $by->('cpu')),
			defined $memory->{$name} ? sprintf '%.0f', $memory->{$name} : '',
			map { $seen->($_) } qw(scanned infected cleaned changed missing twice);
		# What nobody can come near would leave no room for the others.
		push @bars, [ $name, median(@rate), $rate[0], $rate[-1], $colour ] if $name !~ /dropped/;
	}
	alone(map { $runs->{ $_->[0] } // () } @CLEAN[ 0, 1 ]);
	return @bars;
}

sub bench {
	my ($scale) = @_;
	my $folder = Clamd::signatures($option{keep}, $scale);
	@who = (@all, $scale >= $MANY ? @CLEAN : ());
	@who = grep { $_->[0] eq $COUNTED || $_->[0] =~ /$option{only}/ } @who if defined $option{only};
	chomp(my $count = `cat $folder/bench* | wc -l`);
	loop_start($folder);
	Clamd::start(name => 'clamd', signatures => $folder, cache => 1, threads => $CORES, more => 'LogClean yes');
	$scanner = scanner_start(signatures => [$folder], $memory ? ('temp-dir' => "$memory/scanner.tmp") : ());
	Clamd::await();
	loop_ready();
	# Else the first to sync writes what came before, the signatures, too.
	system('sync') == 0 or die "sync failed\n";
	my ($runs, $memory, $done) = rounds($scale);
	my $title = "$count signature" . ($count == 1 ? ' (EICAR)' : 's');
	printf "\n== %s; median of %d rounds (least-most)%s\n", $title, $done,
		$done < $option{rounds} ? ", $option{rounds} were wanted: there was no time for more" : '';
	my @bars = table($runs, $memory);
	E2E::scanner_stop() or die "the scanner did not stop in order\n";
	Clamd::stop();
	loop_stop();
	return [ "$title: mails a second, more is better", @bars ];
}

my @missing = Clamd::missing(qw(clamd clamdscan fdm fetchmail getmail mbsync mpop));
die "missing: @missing: tests/deps.sh bench\n" if @missing;
make_path($option{keep});
# As in latency.pl: away from what others deleted.
system('chattr +T ' . work('') . ' 2>/dev/null');
open($raw, '>', "$option{keep}/whole.tsv") or die "$option{keep}/whole.tsv: $!\n";
$raw->autoflush;
print {$raw} join("\t", @COLUMNS), "\n";
my @scales = split /,/, $option{scales};
my $most   = $TRIES * (@all + @CLEAN) * ($option{rounds} + 2) * @scales;
$dovecot = Dovecot->new(dir => work('dovecot'), users => { map { sprintf('u%03d', $_) => $Peers::PASSWORD } 0 .. $most });
my ($load) = read_file('/proc/loadavg') =~ /^(\S+)/;
print "The whole job, mail fetched, scanned and delivered: 60 % text, 25 % with an attachment of 30 to 300 KB, 10 %\n",
	"newsletters, 5 % with EICAR. $CORES cores, load $load before. Who is slow gets fewer mails; compared is what a mail\n",
	"takes, with $COUNTED in the same round (1 is equal, less is better). CPU: client and scanner or clamd, not\n",
	"the mail server. MB: the most memory of both, in a round of its own that is not timed. Of all rounds: what\n",
	"was scanned, infected mail delivered as it was or cleaned, clean mail changed or missing, mail that came twice.\n",
	'Mail is unpacked where it is when installed: by clamd on the disk, by the scanner and the limit ',
	$memory ? "in memory (tmpfs).\n" : "in a tmpfs; here on the disk, too, for there is no /dev/shm.\n";
my @groups = map { bench($_) } @scales;
print "\n$_ failed $failed{$_} times and was run again: ", $reason{$_} =~ s/\s+/ /gr, "\n" for sort keys %failed;
Chart::write_svg("$option{keep}/whole.svg", 'Fetched, scanned and delivered', @groups);
print "\nGraph and raw figures: $option{keep}/whole.svg, $option{keep}/whole.tsv\n";
END { kill 'KILL', $loop{pid} if $loop{pid} }
