#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# mailfilter self-test: with a scanner that works all is caught; with one that has no EICAR
# signature it says what was missed; without one it says so and does not wait for ever.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use E2E;

my $conf = settings('mailfilter.conf', { E2E::global('scanner-wait' => '1s') });

my $run = mailfilter('-c', $conf, 'self-test');
is($run->{code}, 75, 'no scanner: 75');
like($run->{out}, qr/retry \(.*no scanner answers/, 'and it says why');

scanner_start();
$run = mailfilter('-c', $conf, 'self-test');
is($run->{code}, 0, 'a scanner with the EICAR signature: 0');
is(scalar(() = $run->{out} =~ /infected \(Eicar-Test-Signature\)$/gm), 5, 'each of five wrappings is caught');
is(scalar(() = $run->{out} =~ /clean$/gm), 1, 'the harmless mail is clean');
ok(E2E::scanner_stop(), 'the scanner ends in order');

mkdir work('signatures') or die "signatures: $!\n";
E2E::write_file(work('signatures/other.ndb'), "Other:0:*:" . unpack('H*', 'no mail holds this') . "\n");
scanner_start(signatures => [ work('signatures') ]);
$run = mailfilter('-c', $conf, 'self-test');
is($run->{code}, 70, 'a scanner that does not know EICAR: 70');
is(scalar(() = $run->{out} =~ /NOT AS IT SHOULD BE: clean$/gm), 5, 'and each miss is named');
like($run->{out}, qr/missed something/, 'with what to do');
done_testing();
