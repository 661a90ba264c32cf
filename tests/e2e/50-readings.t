#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# A sample of the mails that hide EICAR (tests/corpus_attacks.pl; tests/scanner/test_leaks.c takes
# all of them), through both programs: nothing passes, nothing clean is touched.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(move);
use JSON::PP qw(decode_json);
use Test::More;
use E2E;

$ENV{SAMPLE} //= 7;
$ENV{SEED}   //= 50;
my $dir = work('attacks');
mkdir $_ or die "$_: $!\n" for $dir, work('cleaned');
is(system($^X, "$FindBin::Bin/../corpus_attacks.pl", 'write', $dir), 0, 'the mails are written');
my @files = sort glob "$dir/*.eml";
my $conf = settings('mailfilter.conf', { E2E::global() });

scanner_start();
my $run = mailfilter('-c', $conf, 'scan', '--json', '--output', work('cleaned'), @files);
is($run->{code}, 1, 'viruses are found');
my @verdicts = map { decode_json($_) } split /\n/, $run->{out};
is(scalar @verdicts, scalar @files, 'each mail has a verdict');

my (@changed, $lines);
for my $verdict (@verdicts) {
	my ($name) = $verdict->{file} =~ m{([^/]+)\.eml$};
	$lines .= join("\t", $name, @$verdict{qw(verdict reason detail)}) . "\n";
	my $copy = work("cleaned/$name.eml");
	push @changed, $name if $verdict->{verdict} eq 'clean' && read_file($copy) ne read_file($verdict->{file});
	move($copy, "$dir/$name.out") if $verdict->{verdict} eq 'infected';
}
is_deeply(\@changed, [], 'clean ones come back byte for byte');
write_file("$dir/verdicts", $lines);
my $report = `$^X $FindBin::Bin/../corpus_attacks.pl check $dir`;
is($?, 0, 'an independent judge finds EICAR in no decoding, and all clean parts') or diag($report);
note($report);
my @cleaned = glob "$dir/*.out";
$run = mailfilter('-c', $conf, 'scan', '--json', @cleaned);
is_deeply([ map { $_->{file} } grep { $_->{verdict} !~ /^(?:clean|unscannable)$/ } map { decode_json($_) } split /\n/, $run->{out} ],
	[], 'what was cleaned is clean');
ok(scanner_stop(), 'the scanner ends in order and leaves no process behind');
done_testing();
