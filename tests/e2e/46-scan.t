#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# mailfilter scan: message files without a mailbox.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my $corpus = Corpus->new('scan');
my %mail   = map { $_ => $corpus->mail($_, "scan-$_") } qw(plain attachment eicar-zip);
my @files  = map { E2E::write_file(work("in/$_.eml"), $mail{$_}{bytes}) } sort keys %mail;
my $conf   = settings('mailfilter.conf', { E2E::global('scanner-wait' => '200ms') });
mkdir work('out');

my $run = mailfilter('-c', $conf, 'scan', '--output', work('out'), @files);
is($run->{code}, 2, 'without a scanner there is no verdict: 2');
is_deeply([ glob(work('out/*')) ], [], 'and no copy');
scanner_start();
E2E::write_file(work('out/plain.eml'), 'what stood here before');
$run = mailfilter('-c', $conf, 'scan', '--output', work('out'), @files);
is($run->{code}, 1, 'one is infected: 1');
is(E2E::read_file(work("out/$_.eml")), $mail{$_}{bytes}, "$_: an unchanged copy") for qw(plain attachment);
my $cleaned = E2E::read_file(work('out/eicar-zip.eml'));
ok(length $cleaned && !Mail::eicar_everywhere($cleaned), 'the infected one is cleaned');
is(scalar(() = glob(work('out/*'))), 3, 'and nothing else is there');
is(mailfilter('-c', $conf, 'scan', grep { !/eicar/ } @files)->{code}, 0, 'the clean ones alone: 0');
$run = mailfilter('-c', $conf, 'scan', '--json', work('in/missing.eml'));
is($run->{code}, 2, 'a file that is not there: 2');
like($run->{out}, qr/"verdict":"retry".*No such file.*"sha256":"",/, 'and no sum of it');

my $twin = E2E::write_file(work('other/plain.eml'), 'x');
$run = mailfilter('-c', $conf, 'scan', '--output', work('out'), @files, $twin);
is($run->{code}, 64, 'two files of one name: 64');
like($run->{err}, qr/plain\.eml/, 'and which');
unlike($run->{out}, qr/clean/, 'before anything is scanned');
SKIP: {
	skip 'root writes anywhere', 2 if $> == 0;
	chmod 0500, work('out');
	$run = mailfilter('-c', $conf, 'scan', '--output', work('out'), $files[0]);
	is($run->{code}, 2, 'a copy that cannot be written is no success');
	chmod 0700, work('out');
	is(E2E::read_file(work('out/attachment.eml')), $mail{attachment}{bytes}, 'and leaves the old one whole');
}
done_testing();
