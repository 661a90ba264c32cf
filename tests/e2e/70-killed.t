#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# mailfilter killed again and again in the middle of its work, all its processes at once: the run
# that is left alone brings the rest, nothing is lost, nothing comes twice, and one more run
# changes nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my %kind    = (kept => 'imaps', moved => 'imap', popped => 'pop3s');
my %after   = (kept => 'keep', moved => 'delete', popped => 'delete');
my @names   = sort keys %kind;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names });
my (%mails, %before);
for my $name (@names) {
	$mails{$name} = [ Corpus->new("killed-$name")->mails(120, 12) ];
	$dovecot->put($name, map { $_->{bytes} } @{ $mails{$name} });
	$before{$name} = [ served($dovecot, $name) ];
}
my $conf = settings('mailfilter.conf', { E2E::global() },
	map { E2E::account($dovecot, $_, $kind{$_}, after => $after{$_}) } @names);
scanner_start();

# Each kill comes a few messages later than the last: in fetch, scan, batch and settle alike.
my $killed = 0;
for my $lines (1, 2, 5, 9, 14, 20, 27, 35, 44, 54) {
	my $run = E2E::mailfilter_start('-c', $conf, '--once');
	last if !E2E::wait_line($run, qr/action=/, $lines);
	kill 'KILL', -$run->{pid};
	finish($run);
	$killed++;
}
cmp_ok($killed, '>=', 5, "killed in the middle of the work, $killed times");

my $run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'the run that is left alone ends with 0');
for my $name (@names) {
	is_deeply([ E2E::problems($name, $before{$name}, $mails{$name}) ], [], "$name: nothing lost, nothing twice");
	is_deeply([ glob(work("out/$name/tmp/*")) ], [], "$name: nothing is left in tmp");
	is(scalar(served($dovecot, $name)), $after{$name} eq 'keep' ? 120 : 0, "$name: the server did as told");
}
my $snapshot = E2E::snapshot(@names);
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'one more run ends with 0');
is_deeply(E2E::snapshot(@names), $snapshot, 'and changes nothing');
done_testing();
