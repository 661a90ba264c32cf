#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Accounts that do not begin with all that is there: with what comes from now on, by IMAP and by
# POP3, and with what is not older than so many days. What is passed over is left alone for good.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my @names   = qw(now days pop);
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names });
my $corpus  = Corpus->new('since');
my $count   = 0;

# So many days ago, by the file's time, which Dovecot takes for the INTERNALDATE.
sub put {
	my ($name, $days, @kinds) = @_;
	my @mails = map { $corpus->mail($_, sprintf 'since%03d', $count++) } @kinds;
	my $new = work('dovecot') . "/mail/$name/Maildir/new";
	my %before = map { $_ => 1 } glob "$new/*";
	$dovecot->put($name, map { $_->{bytes} } @mails);
	utime time - $days * 86400, time - $days * 86400, grep { !$before{$_} } glob "$new/*";
	return @mails;
}

my %mails = map { $_ => [] } @names;
put($_, 100, ('plain') x 20) for @names;
push @{ $mails{days} }, put('days', 5, 'plain', 'eicar-zip');
put('days', 40, 'plain');
put('now', 0, 'eicar-zip');

my $conf = settings('mailfilter.conf', { E2E::global() },
	E2E::account($dovecot, 'now', 'imaps', since => 'now', after => 'delete'),
	E2E::account($dovecot, 'days', 'imaps', since => '30', after => 'delete'),
	E2E::account($dovecot, 'pop', 'pop3s', since => 'now', after => 'delete'));

sub served_once {
	my ($what) = @_;
	for my $name (@names) {
		my @served = map { { sha256 => $_->{sha256} } } @{ $mails{$name} };
		is_deeply([ E2E::problems($name, \@served, $mails{$name}) ], [], "$what: $name: as it says");
	}
}

scanner_start();
my $run = mailfilter('-c', $conf, '--dry-run');
is($run->{code}, 0, 'a dry run') or diag $run->{err};
like($run->{out}, qr/$_: nothing new/, "$_: would fetch nothing") for 'now', 'pop';
like($run->{out}, qr/days: 2 new/, 'days: would fetch two');
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'the first run') or diag $run->{err};
served_once('the first run');
like($run->{err}, qr/account=now folder=INBOX passed over=21 since=now/, 'the log says how many are passed over');
like($run->{err}, qr/account=days folder=INBOX passed over=21 since=30/, 'by date, too');
is(scalar(served($dovecot, 'days')), 21, 'what is passed over stays, what was fetched is deleted');
for my $name (@names) {
	push @{ $mails{$name} }, put($name, $name eq 'days' ? 50 : 0, 'plain', 'eicar-zip');
}
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'the second run') or diag $run->{err};
served_once('the second run');
$run = mailfilter('-c', $conf, '--once');
like($run->{out}, qr/$_: nothing new/, "run again: $_: nothing new") for @names;
my %left = (now => 21, days => 21, pop => 20);
is(scalar(served($dovecot, $_)), $left{$_}, "$_: what was there before is there still") for @names;
done_testing();
