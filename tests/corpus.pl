#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# corpus.pl [--seed N] [--count N] [--infected N] [--kind KIND] DIR
#
# Writes mails into DIR and DIR/manifest: a line each with name, kind, SHA-256 and, of infected
# ones, the SHA-256 of each clean part, tabs between.
use strict;
use warnings;
use FindBin;
use Getopt::Long;
use lib "$FindBin::Bin/e2e/lib";
use Corpus;

my %option = (seed => 1, count => 100);
GetOptions(\%option, 'seed=s', 'count=i', 'infected=i', 'kind=s') && @ARGV == 1
	or die "usage: corpus.pl [--seed N] [--count N] [--infected N] [--kind KIND] DIR\n";
my ($dir)    = @ARGV;
my $corpus   = Corpus->new($option{seed});
my $infected = $option{infected} // int($option{count} / 20);

mkdir $dir or die "$dir: $!\n" if !-d $dir;
open(my $manifest, '>', "$dir/manifest") or die "$dir/manifest: $!\n";
my @mails = $option{kind}
	? map { $corpus->mail($option{kind}, sprintf 'm%05d', $_) } 1 .. $option{count}
	: $corpus->mails($option{count}, $infected);
for my $mail (@mails) {
	open(my $file, '>:raw', "$dir/$mail->{name}.eml") or die "$dir/$mail->{name}.eml: $!\n";
	print $file $mail->{bytes};
	close $file or die "$dir/$mail->{name}.eml: $!\n";
	print $manifest join("\t", @$mail{qw(name kind sha256)}, @{ $mail->{clean} }), "\n";
}
close $manifest or die "$dir/manifest: $!\n";
