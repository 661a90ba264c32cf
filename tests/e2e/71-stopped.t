#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Told to stop in the middle of its work, mailfilter ends soon and in order; staying, it brings what
# arrives later, at its interval or when asked; and a second one keeps away.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use Corpus;
use E2E;

my %kind    = (kept => 'imaps', moved => 'imap', popped => 'pop3s');
my @names   = sort keys %kind;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names, 'wrong' });
my (%mails, %served);

sub put {
	my ($name, @new) = @_;
	$dovecot->put($name, map { $_->{bytes} } @new);
	push @{ $mails{$name} }, @new;
	my %known = map { $_->{sha256} => 1 } @{ $served{$name} // [] };
	push @{ $served{$name} }, grep { !$known{ $_->{sha256} } } served($dovecot, $name);
}

sub conf {
	my (%global) = @_;
	return settings('mailfilter.conf', { E2E::global(%global) },
		map { E2E::account($dovecot, $_, $kind{$_}, after => $_ eq 'kept' ? 'keep' : 'delete') } @names);
}

# How long it takes to end, and how.
sub stop {
	my ($run, $signal) = @_;
	my $from = time;
	kill $signal, $run->{pid};
	finish($run, $from - $run->{from} + 60);
	return time - $from;
}

put($_, Corpus->new("stopped-$_")->mails(200, 20)) for @names;
scanner_start();

for my $signal (qw(TERM INT)) {
	my $run = mailfilter_start('-c', conf(), '--once');
	ok(E2E::wait_line($run, qr/action=/, 30), 'a run is in the middle of its mail');
	my $seconds = stop($run, $signal);
	cmp_ok($seconds, '<', 10, "SIG$signal ends it within ten seconds");
	is($run->{code}, 75, 'with 75: there is more to do');
	ok(E2E::group_gone($run->{pid}), 'and none of its processes stays');
	for my $name (@names) {
		my %known = map { $_->{sha256} => 1 } @{ $mails{$name} };
		my %file  = maildir($name);
		my @half  = grep { !$known{ Digest::SHA::sha256_hex($_) } && !/^X-Virus-Status:/mi } values %file;
		is(scalar(@half), 0, "$name: no half file");
	}
}
is(mailfilter('-c', conf(), '--once')->{code}, 0, 'the next run does the rest');
is_deeply([ E2E::problems($_, $served{$_}, $mails{$_}) ], [], "$_: nothing lost, nothing twice") for @names;

# Staying. What is served on arrival is not awaited by time but by its line in the log.
my $late = Corpus->new('late');
my $seen = sub { my ($run) = @_; my $n = () = $run->{err} =~ /action=/g; return $n };
my $daemon = mailfilter_start('-v', '-c', conf(interval => '10s'));
ok(E2E::wait_line($daemon, qr/kept: nothing new/, 1), 'without --once it stays');
put('kept', $late->mail('eicar-zip', 'late1'));
ok(E2E::wait_line($daemon, qr/account=kept .*action=cleaned/, 1), 'and brings what arrives later');
my $second = mailfilter('-c', conf(), '--once');
is($second->{code}, 75, 'a second one on the same state: 75');
like($second->{err}, qr/process $daemon->{pid}\b/, 'and names the first');
cmp_ok(stop($daemon, 'TERM'), '<', 10, 'SIGTERM ends it within ten seconds');
is($daemon->{code}, 0, 'with 0');
ok(E2E::group_gone($daemon->{pid}), 'and none of its processes stays');

$daemon = mailfilter_start('-v', '-c', conf(interval => '1h'));
ok(E2E::wait_line($daemon, qr/(?:kept|moved|popped): nothing new/, 3), 'a long interval: all have been visited');
put($_, $late->mail('plain', "late2-$_")) for @names;
kill 'USR1', $daemon->{pid};
ok(E2E::wait_line($daemon, qr/action=delivered/, 3), 'SIGUSR1 has it look at once');
kill 'KILL', $daemon->{pid};
finish($daemon);
ok(E2E::group_gone($daemon->{pid}), 'killed, it takes its workers along');
is(mailfilter('-c', conf(), '--once')->{code}, 0, 'and locks nobody out');
is_deeply([ E2E::problems($_, $served{$_}, $mails{$_}) ], [], "$_: nothing lost, nothing twice") for @names;

# The worst of several accounts is the exit code.
scanner_stop();
put('kept', $late->mail('eicar-zip', 'late3'));
my $bad = settings('bad.conf', { E2E::global('scanner-wait' => '200ms') },
	E2E::account($dovecot, 'kept', 'imaps'), E2E::account($dovecot, 'wrong', 'imaps', password => 'guess'));
is(mailfilter('-c', $bad, '--once')->{code}, 77, 'something held, a login refused: 77');
is(mailfilter('-c', $bad, '--once', '--account', 'kept')->{code}, 75, 'something held alone: 75');
my $quiet = mailfilter('-q', '-c', $bad, '--once', '--account', 'kept');
like($quiet->{err}, qr/held/, 'quiet: what is held is said');
is($quiet->{out}, '', 'and nothing else');
done_testing();
