#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# corpus.pl FOLDER SEED: mail to measure with, clean and well-formed as programs of people write it,
# in a folder for each class. The same for the same seed, which is not that of the signatures, or
# those would be found. The folder odd holds what is not like that: infected or malformed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../e2e/lib", "$FindBin::Bin/lib";
use Corpus;
use Files;

my ($folder, $seed) = @ARGV;
die "usage: corpus.pl FOLDER SEED\n" if @ARGV != 2;
my $EACH  = 6;
my %MORE  = ('text-10k' => 30, 'newsletter' => 18); # small ones, that take as long together
my @SIZES = (30_000, 60_000, 100_000, 200_000, 400_000, 700_000); # of attachments
my $rng   = Corpus->new($seed);

my %MAKE = (
	'text-10k'   => sub { Files::text($rng, 9_500, $_[0] % 3) },
	'text-1m'    => sub { Files::text($rng, 950_000, $_[0] % 3) },
	'newsletter' => sub {
		my $text = $rng->prose(8000 + 6000 * ($_[0] % 6));
		return $rng->multipart('alternative', Corpus::text_part($text), Corpus::html_part($text));
	},
	'zip'    => sub { Files::attached($rng, 'application/zip', 'papers.zip', Files::zipped('papers.bin', $rng->bytes($SIZES[$_[0]] / 2), 'papers.txt', $rng->prose($SIZES[$_[0]]))) },
	'docx'   => sub { Files::attached($rng, 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'letter.docx', Files::docx($rng, $SIZES[$_[0]])) },
	'pdf'    => sub { Files::attached($rng, 'application/pdf', 'report.pdf', Files::pdf($rng, $SIZES[$_[0]])) },
	'binary' => sub { Files::attached($rng, 'application/octet-stream', 'data.bin', $rng->bytes($SIZES[$_[0]])) },
	'image'  => sub { Files::attached($rng, 'image/png', 'holiday.png', Files::png($rng, $SIZES[$_[0]])) },
);

sub keep {
	my ($class, $number, $bytes) = @_;
	my $file = "$folder/$class/$number.eml";
	-d "$folder/$class" or mkdir "$folder/$class" or die "$folder/$class: $!\n";
	open(my $out, '>:raw', $file) or die "$file: $!\n";
	print {$out} $bytes or die "$file: $!\n";
	close $out or die "$file: $!\n";
}

-d $folder or mkdir $folder or die "$folder: $!\n";
for my $class (sort keys %MAKE) {
	keep($class, $_, $rng->header("$class.$_", $rng->subject) . $MAKE{$class}->($_)) for 0 .. ($MORE{$class} // $EACH) - 1;
}
my @odd = map { $rng->mail($_, $_)->{bytes} } @Corpus::INFECTED;
push @odd, $rng->header('odd.1', 'padding') . Files::attached($rng, 'application/octet-stream', 'data.bin', $rng->bytes(100_000)) =~ s/^(\S{72})\r\n(?=\S{76}\r\n)/$1====\r\n/mr;
push @odd, $rng->header('odd.2', 'two encodings') . 'Content-Transfer-Encoding: base64' . "\r\n" . Files::text($rng, 9500, 1);
push @odd, $rng->header('odd.3', 'no end') . $rng->multipart('mixed', Files::text($rng, 900, 1), Files::text($rng, 9500, 0)) =~ s/--\r\n\z//r;
keep('odd', $_, $odd[$_]) for 0 .. $#odd;
