#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Accounts with an interval, a rate and a size limit of their own, beside one without.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my @names   = qw(often slow plain);
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names });
my $corpus  = Corpus->new('pace');
my @small   = map { $corpus->mail('plain', "pace$_") } 1 .. 3;
my $large   = $corpus->header('large', 'large') . "\r\n" . "a line of text\r\n" x 64_000;
$dovecot->put($_, map { $_->{bytes} } @small) for @names;
$dovecot->put('slow', $large);
$dovecot->put('often', $large);

my $conf = settings('mailfilter.conf', { E2E::global(interval => '1h') },
	E2E::account($dovecot, 'often', 'imaps', interval => '10s', 'message-max' => '100K'),
	E2E::account($dovecot, 'slow', 'pop3s', rate => '200K'),
	E2E::account($dovecot, 'plain', 'imaps'));

scanner_start();
my $run  = mailfilter_start('-c', $conf, '-v');
my $from = time;
ok(wait_line($run, qr/account=slow uid=\S+ verdict=\S+ action=delivered[^\n]* size=1\d{6}/, 1), 'the slow one comes to its end');
my $took = time - $from;
ok($took >= 3, "1 MB at 200 KB a second takes its time ($took s)");
ok($took <= 60, 'and not for ever');
like($run->{err}, qr/plain: 3 new.*account=slow uid=\S+ verdict=\S+ action=delivered[^\n]* size=1\d{6}/s,
	'the other account is done before it');
like($run->{err}, qr/account=often folder=INBOX uid=4 [^\n]*action=parked/, 'the limit of one account is its own');
ok(wait_line($run, qr/often: nothing new/, 1), 'one is visited again after its own interval');
is(() = $run->{err} =~ /^.*\bplain: /mg, 1, 'the other is not') or diag $run->{err};
kill 'TERM', $run->{pid};
$run = finish($run);
is($run->{code}, 0, 'stopped in order');
done_testing();
