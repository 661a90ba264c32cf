#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Without a scanner nothing suspicious is delivered and nothing on the server is touched; once
# there is one, the rest arrives, and nothing twice. The scanner killed in the middle: the same.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my %kind  = (imap => 'imaps', pop => 'pop3s', busy => 'imaps');
my @names = qw(imap pop);
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } keys %kind });
my $corpus  = Corpus->new('away');
my %mails   = map {
	my $name = $_;
	$name => [ map { $corpus->mail($_, "$name-$_") } @Corpus::CLEAN, @Corpus::INFECTED ]
} @names;
$dovecot->put($_, map { $_->{bytes} } @{ $mails{$_} }) for @names;
my @accounts = map { E2E::account($dovecot, $_, $kind{$_}, after => 'delete') } @names;
my $conf     = settings('mailfilter.conf', { E2E::global('scanner-wait' => '2s') }, @accounts);
my %before   = map { $_ => [ served($dovecot, $_) ] } @names;

my $run = mailfilter('-c', $conf, '--once');
is($run->{code}, 75, 'no scanner: something is held, exit code 75');
for my $name (@names) {
	my %file = maildir($name);
	my %by_id = map { Mail::field($_->{bytes}, 'message-id') => $_ } @{ $mails{$name} };
	my @kinds = map { $by_id{ Mail::field($_, 'message-id') // '' }{kind} // 'unknown' } values %file;
	is_deeply(\@kinds, ['plain'], "$name: the inert mail is delivered, nothing suspicious is");
	my @held = grep { $_->{sha256} ne $mails{$name}[0]{sha256} } @{ $before{$name} };
	is_deeply([ served($dovecot, $name) ], \@held, "$name: the rest is on the server as it was, flags too");
	is_deeply({ quarantine($name) }, {}, "$name: nothing is in quarantine");
}
like($run->{err}, qr/scanner/i, 'the log says what is missing');

my $first = E2E::snapshot(@names);
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 75, 'again without a scanner: 75 again');
is_deeply(E2E::snapshot(@names), $first, 'and nothing is delivered again');

scanner_start();
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'with a scanner: exit code 0');
for my $name (@names) {
	is_deeply([ E2E::problems($name, $before{$name}, $mails{$name}) ], [], "$name: the rest arrived, nothing twice");
	is_deeply([ served($dovecot, $name) ], [], "$name: and only now is gone from the server");
}

# In the middle of a run: after some verdicts the scanner dies, as by a crash or the OOM killer.
my @many = Corpus->new('busy')->mails(200, 20);
$dovecot->put('busy', map { $_->{bytes} } @many);
my $busy   = settings('busy.conf', { E2E::global('scanner-wait' => '2s') }, E2E::account($dovecot, 'busy', 'imaps'));
my @served = served($dovecot, 'busy');
my $running = mailfilter_start('-c', $busy, '--once');
ok(wait_line($running, qr/uid=\S+ verdict=/, 20), 'a run is in the middle of its mail');
ok(E2E::scanner_kill(), 'the scanner is killed and none of its processes stays behind');
$run = finish($running);
is($run->{late}, undef, 'the run ends all the same');
ok($run->{code} == 75 || $run->{code} == 0, "with 75, or 0 if all was done before (it was $run->{code})");
my %file = maildir('busy');
is(scalar(grep { Mail::eicar_everywhere($_) } values %file), 0, 'nothing infected was delivered');
is_deeply([ served($dovecot, 'busy') ], \@served, 'the server is untouched');
scanner_start();
$run = mailfilter('-c', $busy, '--once');
is($run->{code}, 0, 'another run with a scanner: exit code 0');
is_deeply([ E2E::problems('busy', \@served, \@many) ], [], 'everything arrived, nothing twice');
done_testing();
