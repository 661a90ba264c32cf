#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# make bench: many accounts whose servers take their time, one at a time and five at a time, and
# what one that never answers costs the others.
#     jobs.pl [--accounts N] [--delay SECONDS]
use strict;
use warnings;
use FindBin;
use Getopt::Long qw(GetOptions);
use Time::HiRes qw(sleep time);
use lib "$FindBin::Bin/../e2e/lib";
use E2E;
use Hostile;

my ($count, $delay) = (30, 1);
GetOptions('accounts=i' => \$count, 'delay=f' => \$delay)
	or die "usage: jobs.pl [--accounts N] [--delay SECONDS]\n";

sub slow {
	my ($client) = @_;
	sleep $delay;
	print $client "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] at last\r\n";
	return 1;
}

# One run over all accounts: seconds, and how many mails arrived.
sub run {
	my ($title, $jobs, @servers) = @_;
	my $n    = 0;
	my $conf = settings("$title.conf", { E2E::global('state-dir' => work("state-$title"), jobs => $jobs) },
		map { $n++; [ "a$n", { source => "imap://u\@127.0.0.1:$_->{port}", tls => 'none', password => 'x',
			timeout => '20s', deliver => 'maildir:' . work("out/$title-$n") } ] } @servers);
	my $from = time;
	my $run  = finish(E2E::mailfilter_start('-c', $conf, '--once'), 600);
	my $mail = grep { -f } glob work("out/$title-*/new/*");
	return (time - $from, $mail);
}

my @slow  = map { Hostile->new('imap', { GREETING => \&slow }) } 1 .. $count;
my $hangs = Hostile->new('imap', { GREETING => \&Hostile::silence });
my ($one,  $one_mail)  = run('one', 1, @slow);
my ($five, $five_mail) = run('five', 5, @slow);
my ($hung, $hung_mail) = run('hung', 5, $hangs, @slow);
printf "%d accounts, each server answers after %.1f s; one mail each\n", $count, $delay;
printf "    %-34s %7.1f s   %d mails\n", @$_
	for [ 'jobs = 1', $one, $one_mail ], [ 'jobs = 5', $five, $five_mail ],
	[ 'jobs = 5, and one never answers', $hung, $hung_mail ];
printf "    five at a time: %.2f times as fast\n", $one / $five;
