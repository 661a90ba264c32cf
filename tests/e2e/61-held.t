#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Mail that waits, and mail that kills. Held mail is not downloaded again while no scanner is there,
# and status and why say what it waits for. A message of which its worker dies is parked after two
# tries, all others arrive; unparked, it arrives as well.
use strict;
use warnings;
use FindBin;
use JSON::PP qw(decode_json);
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use Faults;
use E2E;

my %kind    = (imap => 'imaps', pop => 'pop3s');
my @names   = sort keys %kind;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names, 'poison' });
my $corpus  = Corpus->new('held');
my %mails   = map { my $name = $_; ($name => [ map { $corpus->mail($_, "$name-$_") } qw(plain attachment newsletter eicar-zip) ]) } @names;
$dovecot->put($_, map { $_->{bytes} } @{ $mails{$_} }) for @names;
my %before = map { $_ => [ served($dovecot, $_) ] } @names;
my $conf = settings('mailfilter.conf', { E2E::global('scanner-wait' => '300ms') },
	map { E2E::account($dovecot, $_, $kind{$_}, after => 'delete') } @names);

# Bodies that the server has sent to a user so far, once it is at least that.
sub sent_at_least {
	my ($name, $count) = @_;
	within(5, sub { $dovecot->sent($name) >= $count });
	return $dovecot->sent($name);
}

sub status {
	my $answer = decode_json(mailfilter('-c', $conf, 'status', '--json')->{out});
	return { map { $_->{account} => $_ } @{ $answer->{accounts} } };
}
sub why {
	return decode_json((split /\n/, mailfilter('-c', $conf, 'why', '--json', @_)->{out})[0] // '{}');
}

# The oracle asked the server, too: what it had downloaded is not the filter's.
my %oracle = map { $_ => sent_at_least($_, 4) } @names;
is(mailfilter('-c', $conf, '--once')->{code}, 75, 'no scanner: 75');
my %first = map { $_ => sent_at_least($_, $oracle{$_} + 4) } @names;
is($first{$_}, $oracle{$_} + 4, "$_: all was downloaded once") for @names;
my $runs = 0;
for (1 .. 4) {
	$runs++ if mailfilter('-c', $conf, '--once')->{code} == 75;
}
is($runs, 4, 'four visits more: 75 each');
my $daemon = E2E::mailfilter_start('-c', $conf);
my $visits = 0;
for my $visit (1 .. 3) {
	$visits++ if E2E::wait_line($daemon, qr/account=imap folder=INBOX held=3 /, $visit)
		&& E2E::wait_line($daemon, qr/account=pop held=3 |account=pop folder=\S* held=3 /, $visit);
	kill 'USR1', $daemon->{pid};
}
kill 'TERM', $daemon->{pid};
E2E::finish($daemon);
is($visits, 3, 'and three of a daemon');
is($dovecot->sent($_), $first{$_}, "$_: nothing is downloaded again") for @names;

my $seen = status();
for my $name (@names) {
	my ($held) = @{ $seen->{$name}{held_for} };
	is("$held->{count} " . ($held->{scanner} ? 'scanner' : 'visit'), '3 scanner', "$name: status says what waits, and for what");
	like($held->{reason}, qr/no scanner answers/, '  and why');
	cmp_ok(abs($held->{oldest} - time), '<', 120, '  and since when');
}
my $text = unwrapped(mailfilter('-c', $conf, 'status')->{out});
like($text, qr/^- imap: 3 held, the oldest since 20\S+, again once a scanner is ready$/m, 'for people, too');
is(() = $text =~ /no answer/g, 1, '  and of the scanner once');
my ($uid) = map { $_->{uid} } grep { $_->{sha256} eq $mails{imap}[1]{sha256} } @{ $before{imap} };
my $answer = why('imap', $uid);
is_deeply([ @$answer{qw(account folder uid state attempts)} ], [ 'imap', 'INBOX', $uid, 'held', 1 ], 'why: that it is held');
like($answer->{next}, qr/once a scanner is ready/, '  and what comes next');
like($answer->{judged}, qr/attachment/, '  and why it must be scanned');
is_deeply(why('imap', "INBOX/$uid"), $answer, 'why: by folder and UID');
is(mailfilter('-c', $conf, 'why', 'imap', 'Other/' . $uid)->{code}, 66, 'why: another folder: 66');
is(mailfilter('-c', $conf, 'why', 'imap', '99999')->{code}, 66, 'why: not on record: 66');
is(mailfilter('-c', $conf, 'why', 'nobody', '1')->{code}, 64, 'why: no such account: 64');
is(mailfilter('-c', $conf, 'why', 'imap')->{code}, 64, 'why: without a UID: 64');
is(mailfilter('-c', $conf, 'unpark', 'imap', $uid)->{code}, 66, 'unpark: not parked: 66');
is(mailfilter('-c', $conf, 'unpark', 'imap')->{out}, "imap: 0 unparked\n", 'unpark: nothing parked');

scanner_start();
is(mailfilter('-c', $conf, '--once')->{code}, 0, 'with a scanner: 0');
is_deeply([ E2E::problems($_, $before{$_}, $mails{$_}) ], [], "$_: all arrived, once") for @names;
is(sent_at_least($_, $first{$_} + 3), $first{$_} + 3, "$_: by downloading them once more") for @names;
my ($infected) = map { $_->{uid} } grep { $_->{sha256} eq $mails{imap}[3]{sha256} } @{ $before{imap} };
$answer = why('imap', $infected);
is("$answer->{state} $answer->{action} $answer->{verdict} $answer->{original}", 'settled cleaned infected kept', 'why: of an infected one');
like($answer->{found}, qr/Eicar/, '  with what was found');
mailfilter('-c', $conf, 'quarantine', 'release', $answer->{quarantine});
is(why('imap', $infected)->{original}, 'released', '  and that it was released');
$text = mailfilter('-c', $conf, 'why', 'imap', $infected)->{out};
like($text, qr/^imap INBOX\/$infected: settled, cleaned\n(?:    .*\n)*    quarantine  \S+ \(released\)\n/, '  for people, too');

# In plain text, so that the library in front of libc sees what is received.
my $poison = 'X-Poison: kills-its-worker';
my @others = map { $corpus->mail('plain', "poison-$_") } 1 .. 20;
my $deadly = $corpus->mail('plain', 'poison-deadly');
my $bytes  = "$poison\r\n$deadly->{bytes}";
$dovecot->put('poison', map { $_ == 11 ? $bytes : $others[ $_ < 11 ? $_ - 1 : $_ - 2 ]{bytes} } 1 .. 21);
my $bad = settings('poison.conf', { E2E::global() }, E2E::account($dovecot, 'poison', 'imap', tls => 'none'));
my ($deaths, $run) = (0);
my %is_mine = map { $_->{sha256} => 1 } @others;
for (1 .. 6) {
	$run = Faults::with_poison($poison, sub { mailfilter('-c', $bad, '--once') });
	last if $run->{err} =~ /action=parked/;
	$deaths++;
	is($run->{code}, 75, "death $deaths: 75");
}
is($deaths, 3, 'it kills its worker: unknown at first, then alone, twice');
is($run->{code}, 75, 'then it is parked: 75 once more');
my %file = maildir('poison');
is(scalar(grep { $is_mine{ Digest::SHA::sha256_hex($_) } } values %file), 20, 'all others arrived, once');
is(scalar(keys %file), 21, 'and a notice');
is(Faults::with_poison($poison, sub { mailfilter('-c', $bad, '--once') })->{code}, 0, 'the next run has nothing left to do');
$conf = $bad;
$seen = status()->{poison};
is($seen->{parked}, 1, 'status: one is parked');
like($seen->{parked_for}[0]{reason}, qr/the process died while it was fetched or examined, 2 times/, '  and why');
my $parked = $seen->{parked_for}[0]{uid};
like(unwrapped(mailfilter('-c', $bad, 'status')->{out}), qr/^- poison: parked INBOX\/$parked: the process died.*\n- poison: 1 parked; to have it tried again: mailfilter unpark poison$/m, '  for people, too');
like(why('poison', $parked)->{next}, qr/: mailfilter unpark poison INBOX\/$parked$/, 'why: what to do');
is(mailfilter('-c', $bad, 'unpark', 'poison', $parked)->{out}, "poison: 1 unparked, to be tried at the next visit\n", 'unpark');
$run = mailfilter('-c', $bad, '--once');
is($run->{code}, 0, 'now that nobody dies of it: 0');
%file = maildir('poison');
is(scalar(grep { $_ eq $bytes } values %file), 1, 'it arrived');
is(scalar(keys %file), 22, 'and nothing twice');
is(status()->{poison}{parked}, 0, 'nothing is parked any more');
is(mailfilter('-c', $bad, '--once')->{code} . keys(%{ { maildir('poison') } }), '022', 'one more run changes nothing');
done_testing();
