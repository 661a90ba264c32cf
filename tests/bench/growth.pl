#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# make bench-long: does a mail cost as much in a large mailbox as in a small one, and beside many
# accounts as alone? Small mail that needs no scan, from a real server to Maildirs on disk.
#     growth.pl [--messages N,N...] [--accounts N,N...] [--each N] [--rounds N] [--kind imap|pop3] [--after WHAT]
# First one account with so many messages, then so many accounts with --each messages. What is less
# than the last of a row is run --rounds times, and the medians count.
use strict;
use warnings;
use FindBin;
use Getopt::Long qw(GetOptions);
use List::Util qw(max sum0);
use POSIX ();
use Time::HiRes qw(time);
use lib "$FindBin::Bin/../e2e/lib", "$FindBin::Bin/lib";
use Bare;
use E2E;
use Spent;

my %option = (messages => '1000,10000,100000', accounts => '1,30,300', each => 300, rounds => 5, kind => 'imap', after => 'keep');
GetOptions(\%option, 'messages=s', 'accounts=s', 'each=i', 'rounds=i', 'kind=s', 'after=s')
	or die "usage: growth.pl [--messages N,N...] [--accounts N,N...] [--each N] [--rounds N] [--kind imap|pop3] [--after WHAT]\n";
my $FLAT  = 1.1;                            # so much more is still flat
my $words = join ' ', ('hello there, this is a small and harmless mail') x 8;
my $turn  = 0;
my $dovecot;
$| = 1;

# As in latency.pl: away from what others deleted.
system('chattr +T ' . work('') . ' 2>/dev/null');

sub fill {
	my ($user, $count) = @_;
	for my $i (1 .. $count) {
		$dovecot->put($user, "From: a\@example.org\r\nTo: b\@example.org\r\nSubject: number $i\r\n"
			. "Message-ID: <$user.$i\@example.org>\r\nDate: Sun, 1 Feb 2026 10:00:00 +0000\r\n\r\n" . "$words\r\n" x (4 + $i % 12));
	}
}

# The server reads and notes what it has: that is no part of a run. How long it needs to give all away.
sub warmed {
	my (@users) = @_;
	my $least = 0;
	for my $user (@users) {
		Bare::fetch($dovecot->{port}{imap}, $user, 'sesame');
		my ($seconds) = Bare::fetch($dovecot->{port}{imap}, $user, 'sesame');
		$least += $seconds;
	}
	return $least;
}

# The most memory of one process below it, and of all of them together, until it ends: MB.
sub watch {
	my ($pid) = @_;
	my ($peak, $share) = (0, 0);
	local $SIG{CHLD} = sub { };                 # its end ends the pause
	while (waitpid($pid, POSIX::WNOHANG()) == 0) {
		my @all = family($pid);
		$peak  = max($peak, map { read_file("/proc/$_/status") =~ /^VmHWM:\s*(\d+)/m ? $1 / 1024 : 0 } @all);
		$share = max($share, sum0(map { read_file("/proc/$_/smaps_rollup") =~ /^Pss:\s*(\d+)/m ? $1 / 1024 : 0 } @all));
		select undef, undef, undef, 0.1;
	}
	return ($?, $peak, $share);
}

sub run {
	my ($count, @users) = @_;
	$turn++;
	my $conf = settings("run-$turn.conf", { E2E::global('state-dir' => work("state-$turn")) },
		map { [ $_, { source => $dovecot->url($_, $option{kind}), tls => 'none', password => 'sesame', after => $option{after},
			deliver => 'maildir:' . work("out-$turn/$_") } ] } @users);
	open(my $log, '>>', work('mailfilter.log')) or die "mailfilter.log: $!\n";
	my (%run, @visit);
	for my $what (qw(first again)) {
		my (undef, undef, $user, $system) = times;
		my $from = time;
		my $pid  = E2E::spawn(work('mailfilter.log'), $log, 'build/mailfilter', '-c', $conf, '--once', '-q');
		my ($status, $peak, $share) = watch($pid);
		my $wall = time - $from;
		$status == 0 or die "exit $status:\n" . substr(read_file(work('mailfilter.log')), -4000);
		my (undef, undef, $user_after, $system_after) = times;
		push @visit, { wall => $wall, cpu => $user_after + $system_after - $user - $system, peak => $peak, share => $share };
	}
	my $came = 0;
	for my $folder (map { work("out-$turn/$_/new") } @users) {
		opendir(my $dir, $folder) or die "$folder: $!\n";
		$came += grep { !/^\./ } readdir $dir;
	}
	die "$came mails came of $count\n" if $came != $count;
	return { %{ $visit[0] }, again => $visit[1]{wall}, again_peak => $visit[1]{peak} };
}

sub row {
	my ($title, $rounds, $count, @users) = @_;
	my $least = warmed(@users);
	my @runs  = map { run($count, @users) } 1 .. $rounds;
	my %own   = (count => $count, least => $least);
	for my $what (keys %{ $runs[0] }) { $own{$what} = median(map { $_->{$what} } @runs) }
	return { %own, title => $title };
}

# Of two rows: what a mail more takes.
sub further {
	my ($what, $less, $more) = @_;
	return ($more->{$what} - $less->{$what}) / ($more->{count} - $less->{count});
}

sub table {
	my (@rows) = @_;
	printf "    %-24s %8s %7s %6s %7s %7s %6s %8s %8s %10s %9s\n", 'what', 'mails', 'ms', 'ratio', 'limit', 'CPU ms', 'ratio',
		'MB, one', 'MB, all', 'KB a mail', 'again, ms';
	my $first = $rows[0];
	for my $row (@rows) {
		my $by   = sub { ($row->{ $_[0] } / $row->{count}) / ($first->{ $_[0] } / $first->{count}) };
		printf "    %-24s %8d %7.3f %6.2f %7.3f %7.3f %6.2f %8.1f %8.1f %10.2f %9.1f\n", $row->{title}, $row->{count},
			1000 * $row->{wall} / $row->{count}, $by->('wall'), 1000 * $row->{least} / $row->{count},
			1000 * $row->{cpu} / $row->{count}, $by->('cpu'), $row->{peak}, $row->{share}, 1024 * $row->{share} / $row->{count},
			1000 * $row->{again};
	}
	for my $i (1 .. $#rows) {
		my ($less, $more) = @rows[ $i - 1, $i ];
		printf "    each of the mails more than %d: %.3f ms, %.3f ms of CPU, %.2f KB\n", $less->{count},
			1000 * further('wall', $less, $more), 1000 * further('cpu', $less, $more), 1024 * further('share', $less, $more);
	}
	my @over = grep { $_->{wall} / $_->{count} > $FLAT * $first->{wall} / $first->{count}
		|| $_->{cpu} / $_->{count} > $FLAT * $first->{cpu} / $first->{count}
		|| $_->{share} / $_->{count} > $FLAT * $first->{share} / $first->{count} } @rows;
	print @over ? '    NOT FLAT: ' . join(', ', map { $_->{title} } @over) . "\n" : "    flat: none takes a tenth more time, CPU or memory a mail\n";
	return !@over;
}

my @messages = split /,/, $option{messages};
my @accounts = split /,/, $option{accounts};
my @names    = map { sprintf 'a%03d', $_ } 1 .. max(0, @accounts);
my @boxes    = map { "m$_" } @messages;
$dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names, @boxes });
fill("m$_", $_) for @messages;
fill($_, $option{each}) for @names;
print "Small mails that need no scan, from a real server to Maildirs on disk: time, processor time and memory (the most of\n",
	"one process; of all together; of all a mail), and ratios to the first row. The limit: fetched and dropped. Again: a\n",
	"second visit, which finds nothing new.\n";
my $flat = 1;
if (@messages) {
	print "\n== messages of one account\n";
	$flat = table(map { row("$_ messages", $_ < $messages[-1] ? $option{rounds} : 1, $_, "m$_") } @messages) && $flat;
}
if (@accounts) {
	print "\n== accounts with $option{each} messages each, 5 at a time\n";
	$flat = table(map { row("$_ accounts", $_ < $accounts[-1] ? $option{rounds} : 1, $_ * $option{each}, @names[ 0 .. $_ - 1 ]) } @accounts) && $flat;
}
exit !$flat;
