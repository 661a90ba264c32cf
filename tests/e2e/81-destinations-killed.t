#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Destinations beside a Maildir, killed again and again in the middle of their work, all processes
# at once: nothing is lost; nothing comes twice into an mbox file; a command or a server gets at most
# one mail twice a kill; and one more run changes nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(sleep time);
use Corpus;
use Destination;
use E2E;

my %kind    = (mbox => 'imaps', pipe => 'pop3s', lmtp => 'imap', smtp => 'imaps');
my @names   = sort keys %kind;
my $dovecot = Dovecot->new(dir => work('dovecot'),
	users => { (map { $_ => 'sesame' } @names), map { ("in-$_" => 'x') } qw(lmtp) });
my %to = (mbox => Destination::mbox('mbox'), pipe => Destination::command('pipe'),
	lmtp => Destination::lmtp($dovecot, 'in-lmtp'),
	smtp => Destination::smtp('smtp', recipient => 'bob@example.org'));
my (%mails, %before, @accounts);
for my $name (@names) {
	$mails{$name} = [ Corpus->new("killed-$name")->mails(80, 8) ];
	$dovecot->put($name, map { $_->{bytes} } @{ $mails{$name} });
	$before{$name} = [ served($dovecot, $name) ];
	push @accounts, Destination::account($dovecot, $name, $kind{$name}, $to{$name},
		after => $name eq 'lmtp' ? 'delete' : 'keep');
}
my $conf = settings('mailfilter.conf', { E2E::global() }, @accounts);
scanner_start();

# How much is there, by what can be looked at without asking: it moves within a batch, too.
my $inbox = work('dovecot/mail/in-lmtp/Maildir');
my %amount = (mbox => sub { int((-s work('out/mbox.mbox') // 0) / 3000) },
	pipe => sub { scalar(() = glob work('out/pipe/mail.*')) },
	lmtp => sub { scalar(() = glob "$inbox/new/* $inbox/cur/*") },
	smtp => sub { scalar(() = glob work('out/smtp/mail.*')) });

# Kill as soon as one of them has got on by so much; each is watched in its turn.
my $killed = 0;
for my $turn (0 .. 11) {
	my $name = $names[$turn % @names];
	my $from = $amount{$name}->();
	my $run = E2E::mailfilter_start('-c', $conf, '--once');
	my $deadline = time + 60;
	sleep 0.002 while kill(0, $run->{pid}) && waitpid($run->{pid}, POSIX::WNOHANG()) == 0
		&& $amount{$name}->() < $from + 1 + $turn && time < $deadline;
	last if !kill 'KILL', -$run->{pid};
	finish($run);
	$killed++;
}
cmp_ok($killed, '>=', 3, "killed in the middle of the work, $killed times");

my $run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'the run that is left alone ends with 0');
for my $name (@names) {
	my @problems = E2E::problems($name, $before{$name}, $mails{$name});
	my @lost   = grep { !/delivered [2-9] times/ } @problems;
	my $twice  = grep { /delivered [2-9] times/ } @problems;
	is_deeply(\@lost, [], "$name: nothing is lost or changed");
	cmp_ok($twice, '<=', $name eq 'mbox' ? 0 : $killed, "$name: twice came $twice");
	is(scalar(served($dovecot, $name)), $name eq 'lmtp' ? 0 : 80, "$name: the server did as told");
}
my $snapshot = E2E::snapshot(@names);
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'one more run ends with 0');
is_deeply(E2E::snapshot(@names), $snapshot, 'and changes nothing');
done_testing();
