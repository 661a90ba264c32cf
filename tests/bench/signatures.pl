#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# signatures.pl FOLDER SCALE SEED: a set of signatures that costs about what the official ones do,
# for those cannot be carried along. SCALE 1 is their number, 8.5 million, and their memory, 1.4 GB;
# how they divide into kinds and targets is a guess. Random, but the same for the same seed; they
# match nothing that has not the same bytes by chance. EICAR is always among them.
use strict;
use warnings;
use Digest::SHA qw(sha512);

my ($folder, $scale, $seed) = @ARGV;
die "usage: signatures.pl FOLDER SCALE SEED\n" if @ARGV != 3 || $scale !~ /^\d+(?:\.\d+)?$/;
my %COUNT = (hdb => 1_600_000, hsb => 1_700_000, mdb => 4_600_000, msb => 300_000,
	ndb => 110_000, ldb => 170_000, pcre => 3000, cdb => 300);

# Of a hundred with patterns: how many look at files of one kind. 0 is any, 1 PE, 2 OLE2, 3 HTML,
# 4 mail, 5 pictures, 6 ELF, 7 text, 10 PDF.
my %SHARE = (ndb => { 0 => 20, 1 => 50, 2 => 6, 3 => 12, 4 => 4, 7 => 8 },
	ldb => { 0 => 5, 1 => 85, 2 => 3, 3 => 1, 4 => 1, 6 => 1, 7 => 2, 10 => 2 });
my ($pool, $at, $block) = ('', 0, 0);

# So many random hexadecimal digits.
sub hex_digits {
	my ($count) = @_;
	if ($at + $count > length $pool) {
		$pool = unpack 'H*', join '', map { sha512("$seed:" . $block++) } 1 .. 1024;
		$at = 0;
	}
	$at += $count;
	return substr $pool, $at - $count, $count;
}

# 0 .. $max - 1
sub number { return hex(hex_digits(7)) % $_[0] }

# Files are more often small than large.
sub size { return 200 + number(1 << (10 + number(12))) }

sub target {
	my ($kind) = @_;
	my $draw = number(100);
	for (sort { $a <=> $b } keys %{ $SHARE{$kind} }) {
		return $_ if ($draw -= $SHARE{$kind}{$_}) < 0;
	}
	return 0;
}

# 12 to 60 bytes; some with a gap.
sub pattern {
	my $bytes = hex_digits(2 * (12 + number(48)));
	substr($bytes, 16, 0) = '{-40}' if number(10) == 0;
	return $bytes;
}

sub logical {
	my ($name) = @_;
	my $count = 1 + number(8);
	my $logic = join '&', map { number(4) ? $_ : "($_|" . number($count) . ')' } 0 .. $count - 1;
	return "$name;Engine:51-255,Target:" . target('ldb') . ";$logic;" . join ';', map { pattern() } 1 .. $count;
}

my %LINE = (
	hdb  => sub { hex_digits(32) . ':' . size() . ":$_[0]" },
	hsb  => sub { hex_digits(64) . ':' . size() . ":$_[0]" },
	mdb  => sub { size() . ':' . hex_digits(32) . ":$_[0]" },
	msb  => sub { size() . ':' . hex_digits(64) . ":$_[0]" },
	ndb  => sub { "$_[0]:" . target('ndb') . ':' . (number(50) ? '*' : 'EOF-' . (100 + number(900))) . ':' . pattern() },
	ldb  => sub { logical($_[0]) },
	# The expression runs only where the pattern before it was found.
	pcre => sub { "$_[0];Engine:81-255,Target:" . target('ldb') . ';0&1;' . pattern() . ';0/[a-f]{4}\x' . hex_digits(2) . '+x/' },
	cdb  => sub { "$_[0]:CL_TYPE_ZIP:*:" . hex_digits(16) . '\.exe:*:*:*:*:*:*' },
);

-d $folder or mkdir $folder or die "$folder: $!\n";
for my $kind (sort keys %COUNT) {
	my $file = "$folder/bench" . ($kind eq 'pcre' ? '-pcre.ldb' : ".$kind");
	# libclamav refuses an empty one.
	next if $COUNT{$kind} * $scale < 1 && $kind ne 'ndb';
	open(my $out, '>', $file) or die "$file: $!\n";
	for my $i (1 .. $COUNT{$kind} * $scale) {
		print {$out} $LINE{$kind}->("Bench.$kind.Generated-$i-0") . "\n" or die "$file: $!\n";
	}
	# No line of this tree holds EICAR as it is.
	print {$out} 'Eicar-Test-Signature:0:0:' . unpack('H*', join '', 'X5O!P%@AP[4\\PZX54(P^)7CC)7}',
		'$EICAR-STANDARD-', 'ANTIVIRUS-TEST-FILE!$H+H*') . "\n" if $kind eq 'ndb';
	close $out or die "$file: $!\n";
}
