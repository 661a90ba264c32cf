#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# corpus_attacks.pl write DIR    mails that hide EICAR, and odd and ordinary ones without it
# corpus_attacks.pl check DIR    are DIR/verdicts and the cleaned copies in DIR as they must be?
#
# DIR/NAME.eml are the mails, DIR/NAME.out what became of infected ones, and a line of DIR/verdicts
# is NAME, the verdict, its reason and a text, tabs between. SEED and SAMPLE (every n-th) are from
# the environment. What is wrong goes to standard output, a line each; then the exit code is 1.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/e2e/lib";
use Attacks;
use Corpus;
use Oracle;

my ($how, $dir) = @ARGV;
die "usage: corpus_attacks.pl write|check DIR\n" if @ARGV != 2 || $how !~ /^(?:write|check)$/;
my $seed   = $ENV{SEED}   // 1;
my $sample = $ENV{SAMPLE} // 1;

sub slurp {
	my ($path) = @_;
	open(my $file, '<:raw', $path) or return undef;
	local $/;
	return <$file> // '';
}

sub every {
	my @list = @_;
	return @list[grep { $_ % $sample == 0 } 0 .. $#list];
}

# All mails, each with its kind.
sub mails {
	my $ordinary = Corpus->new("ordinary $seed");
	return (
		(map { { %$_, kind => 'infected' } } every(Attacks->new($seed)->infected(3))),
		(map { { %$_, kind => 'odd' } } every(Attacks->new("odd $seed")->odd(3, 200))),
		(map { { %{ $ordinary->mail($Corpus::CLEAN[$_ % @Corpus::CLEAN], "ordinary$_") }, kind => 'ordinary' } } every(1 .. 200)));
}

my @mails = mails();
if ($how eq 'write') {
	for my $mail (@mails) {
		open(my $file, '>:raw', "$dir/$mail->{name}.eml") or die "$dir/$mail->{name}.eml: $!\n";
		print $file $mail->{bytes};
		close $file or die "$dir/$mail->{name}.eml: $!\n";
	}
	exit 0;
}

my (%verdict, %count, @wrong);
for (split /\n/, slurp("$dir/verdicts") // '') {
	my ($name, @fields) = split /\t/;
	$verdict{$name} = \@fields;
}
for my $mail (@mails) {
	my ($verdict, $reason, $detail) = @{ $verdict{ $mail->{name} } // ['no verdict'] };
	my $what = "$mail->{name}: $verdict" . ($reason ? " ($reason" . ($detail ? ": $detail" : '') . ')' : '');
	my $left = slurp("$dir/$mail->{name}.out");
	$count{ $mail->{kind} }{ $verdict . ($reason ? " ($reason)" : '') }++;
	if ($mail->{kind} ne 'infected') {
		push @wrong, $what if $verdict ne 'clean' && ($verdict ne 'unscannable' || !$reason);
		next;
	}
	push @wrong, "$mail->{name}: the oracle does not see it" if !Oracle::found($mail->{bytes});
	push @wrong, $what if $verdict ne 'infected' && ($verdict ne 'unscannable' || !$reason);
	next if $verdict ne 'infected';
	push @wrong, "$what, no cleaned copy" if !defined $left;
	my $found = Oracle::found($left // '');
	push @wrong, "$what, still there: $found" if $found;
	my @lost = grep { index($left // '', $_) < 0 } @{ $mail->{keeps} };
	push @wrong, "$what, " . @lost . ' clean parts lost' if @lost;
}
my $malformed = $count{ordinary}{'unscannable (malformed)'} // 0;
push @wrong, "$malformed ordinary mails are malformed" if 200 * $malformed > grep { $_->{kind} eq 'ordinary' } @mails;
print map { "wrong: $_\n" } @wrong;
for my $kind (sort keys %count) {
	print "$kind: ", join(', ', map { "$count{$kind}{$_} $_" } sort keys %{ $count{$kind} }), "\n";
}
exit(@wrong ? 1 : 0);
