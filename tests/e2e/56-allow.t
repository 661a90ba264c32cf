#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# False alarms: what the log, the JSON and the quarantine say of a find is what the settings take to
# let it pass, by sum and by name, for one account or for all; and ClamAV's own lists in a signature
# folder do so for all who use the scanner. All else in the same mail is still found.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(sha256_hex);
use JSON::PP qw(decode_json);
use MIME::Base64 qw(encode_base64);
use Test::More;
use Corpus;
use E2E;

my $EICAR  = Corpus::eicar();
my $MARKER = 'a-marker-of-our-own-56-4f1c9a7e2b';

sub part {
	my ($name, $bytes) = @_;
	return "--b\r\nContent-Type: application/octet-stream; name=\"$name\"\r\n"
		. "Content-Disposition: attachment; filename=\"$name\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
		. encode_base64($bytes, "\r\n");
}

sub mail {
	my ($subject, @parts) = @_;
	return "From: a\@example.org\r\nTo: b\@example.org\r\nSubject: $subject\r\nMessage-ID: <$subject\@example.org>\r\n"
		. "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
		. "--b\r\nContent-Type: text/plain\r\n\r\nThe text that stays.\r\n" . join('', @parts) . "--b--\r\n";
}

my $eicar  = part('tool.com', $EICAR);
my $marker = part('other.bin', "x $MARKER x");
my %file   = (
	eicar  => mail('eicar',  $eicar),
	marker => mail('marker', $marker),
	both   => mail('both',   $eicar, $marker),
	text   => mail('text', "--b\r\nContent-Type: text/plain\r\n\r\nA text with $MARKER\r\nin it.\r\n"),
);
my %sum = (eicar => sha256_hex($EICAR), marker => sha256_hex("x $MARKER x"),
	text => sha256_hex("A text with $MARKER\r\nin it."));

E2E::write_file(work("in/$_.eml"), $file{$_}) for keys %file;
E2E::write_file(work('own/own.ndb'), 'Own.Marker:0:*:' . unpack('H*', $MARKER) . "\n", 0644);

# What scan says of one mail with these settings.
sub scan {
	my ($what, %global) = @_;
	my $conf = settings('scan.conf', { E2E::global(%global) });
	my $run = mailfilter('-c', $conf, 'scan', '--json', '--output', work('out'), work("in/$what.eml"));
	my $json = eval { decode_json($run->{out}) } // {};
	return ($json, join(' ', $json->{verdict} // 'nothing', map { $_->{signature} } @{ $json->{findings} }), $run);
}

sub is_scanned {
	my ($what, $wanted, $name, %global) = @_;
	is((scan($what, %global))[1], $wanted, $name);
}

sub scanner_says {
	my ($like, $count) = @_;
	return within(60, sub { (() = read_file(work('scanner.log')) =~ /$like/g) >= $count });
}

mkdir work('out');
scanner_start(signatures => [ 'test', work('own') ], 'signatures-check' => '1s', reload => 'concurrent', workers => '2');

# What is found is named with its sum, which is that of the saved attachment.
for my $what (qw(eicar marker text)) {
	my ($json) = scan($what);
	is($json->{verdict}, 'infected', "$what: found");
	is($json->{findings}[0]{sha256}, $sum{$what}, "$what: with the sum of the attachment");
	ok(!exists $json->{allowed}, "$what: nothing was allowed");
}

# By sum, one of two: only the other is cut.
my ($json) = scan('both', 'allow-sha256' => [ $sum{eicar} ]);
is_deeply([ map { "$_->{name} $_->{sha256}" } @{ $json->{findings} } ], ["other.bin $sum{marker}"],
	'by sum: only what is not allowed is found');
is($json->{allowed}, $sum{eicar}, 'and what was allowed is said');
my $out = E2E::read_file(work('out/both.eml'));
ok(index($out, $eicar) > 0 && index($out, encode_base64("x $MARKER x", '')) < 0, 'and only that is cut');

# By name, likewise.
($json) = scan('both', 'allow-signatures' => ['Own.Marker']);
is_deeply([ map { $_->{name} } @{ $json->{findings} } ], ['tool.com'], 'by name: only what is not allowed is found');
is($json->{allowed}, 'Own.Marker.UNOFFICIAL', 'and what was allowed is said');

# All of it: clean, unchanged, and said so, and nobody else has a use of it.
my %all = ('allow-signatures' => ['Eicar-Test-Signature'], 'allow-sha256' => [ uc $sum{marker}, $sum{text} ]);
for my $what (sort keys %file) {
	my ($clean, $said, $run) = scan($what, %all);
	is($said, 'clean', "$what: all is allowed");
	is($run->{code}, 0, "$what: exit 0");
	ok($clean->{allowed}, "$what: said so");
	is(E2E::read_file(work("out/$what.eml")), $file{$what}, "$what: unchanged");
	isnt((scan($what))[1], 'clean', "$what: not for others");
}
my $run = mailfilter('-c', settings('scan.conf', { E2E::global(%all) }), 'scan', work('in/eicar.eml'));
like($run->{out}, qr/eicar\.eml: clean: "allowed: Eicar-Test-Signature"/, 'scan prints it');
like(mailfilter('-c', settings('scan.conf', { E2E::global(%all) }), 'self-test')->{out}, qr/all as it should be/,
	'self-test allows nothing');

# Accounts: one allows the sum that the log of the other shows.
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { one => 'secret one', two => 'secret two' });
$dovecot->put($_, @file{qw(eicar both)}) for qw(one two);
my @accounts = map { E2E::account($dovecot, $_, 'imaps') } qw(one two);
$run = mailfilter('-c', settings('mailfilter.conf', { E2E::global() }, $accounts[0]), '--once');
my ($logged) = $run->{err} =~ /uid=1 verdict=infected signature=Eicar-Test-Signature sha256=(\w+) action=cleaned/;
is($logged, $sum{eicar}, 'the log shows the sum');
my ($listed) = grep { $_->{subject} eq 'eicar' } map { decode_json($_) } split /\n/,
	mailfilter('-c', work('mailfilter.conf'), 'quarantine', 'list', '--json')->{out};
is_deeply($listed->{findings}, [ { part => '2', name => 'tool.com', signature => 'Eicar-Test-Signature', sha256 => $sum{eicar} } ],
	'the quarantine too');
like(mailfilter('-c', work('mailfilter.conf'), 'quarantine', 'list')->{out}, qr/found +Eicar-Test-Signature in part 2 tool\.com\n +sha256 +$sum{eicar}\n/,
	'also for people');
$accounts[1][1]{'allow-sha256'} = [$logged];
$run = mailfilter('-c', settings('mailfilter.conf', { E2E::global() }, @accounts), '--once');
is($run->{code}, 0, 'a second account allows it');
like($run->{err}, qr/account=two \S+ uid=1 verdict=clean allowed=$sum{eicar} action=delivered/, 'the log says so');
like($run->{err}, qr/account=two \S+ uid=2 verdict=infected signature=Own\.Marker\.UNOFFICIAL sha256=$sum{marker} allowed=$sum{eicar} action=cleaned/,
	'and what is found beside it');
my %delivered = maildir('two');
my ($unchanged) = grep { /^Subject: eicar\r$/m } values %delivered;
is($unchanged, $file{eicar}, 'the allowed mail is delivered byte for byte');
my ($cleaned) = grep { /^Subject: both\r$/m } values %delivered;
ok(index($cleaned, $eicar) > 0 && index($cleaned, encode_base64("x $MARKER x", '')) < 0, 'the other without its one bad part');
is(scalar(E2E::quarantine('two')), 2, 'one original is kept of two');

# For all who use the scanner: ClamAV's own lists, taken as any change of the signatures.
E2E::write_file(work('own/local.ign2'), "Own.Marker\n", 0644);
ok(scanner_says(qr/generation=2 takes over/, 1), 'a list of names is taken');
is_scanned($_, 'clean', "$_: its name is ignored") for qw(marker text);
is_scanned('both', 'infected Eicar-Test-Signature', 'both: the other is found');
E2E::write_file(work('own/local.sfp'), "$sum{eicar}:" . length($EICAR) . ":A-False-Alarm\n", 0644);
ok(scanner_says(qr/generation=3 takes over/, 1), 'a list of sums is taken');
is_scanned($_, 'clean', "$_: its sum is on the list") for qw(eicar both);
unlink work('own/local.ign2'), work('own/local.sfp');
ok(scanner_says(qr/generation=4 takes over/, 1), 'that they are gone is seen');
is_scanned('both', 'infected Eicar-Test-Signature Own.Marker.UNOFFICIAL', 'both: all is found again');

# What cannot be allowed is refused with its place.
for (['allow-sha256', '1234', 'expected a SHA-256 sum'], ['allow-signatures', 'Heuristics.Limits.Exceeded.MaxFiles', 'not looked at']) {
	my ($option, $value, $says) = @$_;
	my $bad = settings('bad.conf', { $option => [$value] });
	my $refused = mailfilter('-c', $bad, '--check-config');
	is($refused->{code}, 78, "$option: a bad value is refused");
	like($refused->{err}, qr/bad\.conf:1: .*$says/, 'with file, line and what was expected');
}
ok(scanner_stop(), 'the scanner stops in order');
done_testing;
