#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# corpus.pl FOLDER SEED: mail to measure with, clean and well-formed as programs of people write it,
# in a folder for each class. The same for the same seed, which is not that of the signatures, or
# those would be found. The folder odd holds what is not like that: infected or malformed.
use strict;
use warnings;
use Compress::Zlib qw(compress crc32);
use FindBin;
use IO::Compress::Zip qw($ZipError);
use lib "$FindBin::Bin/../e2e/lib";
use Corpus;

my ($folder, $seed) = @ARGV;
die "usage: corpus.pl FOLDER SEED\n" if @ARGV != 2;
my $EACH  = 6;
my %MORE  = ('text-10k' => 30, 'newsletter' => 18); # small ones, that take as long together
my @SIZES = (30_000, 60_000, 100_000, 200_000, 400_000, 700_000); # of attachments
my $rng   = Corpus->new($seed);

sub text {
	my ($size, $way) = @_;
	my $text = $rng->prose($size);
	return Corpus::text_part("Gr\xc3\xbc\xc3\x9fe aus K\xc3\xb6ln\r\n\r\n$text") if $way == 0;
	return "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n$text" if $way == 1;
	return "Content-Type: text/plain; charset=utf-8; format=flowed\r\n"
		. "Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe aus K\xc3\xb6ln\r\n\r\n$text";
}

sub attached {
	my ($type, $name, $bytes) = @_;
	return $rng->multipart('mixed', text(900, 0), Corpus::file_part($type, $name, $bytes));
}

# Files of names and bytes in turn.
sub zipped {
	my @files = @_;
	my $out   = '';
	my $zip;
	while (my ($name, $bytes) = splice @files, 0, 2) {
		if (!$zip) {
			$zip = IO::Compress::Zip->new(\$out, Name => $name, Time => 1_760_000_000, Minimal => 1) or die $ZipError;
		} else {
			$zip->newStream(Name => $name, Time => 1_760_000_000, Minimal => 1) or die $ZipError;
		}
		$zip->print($bytes) or die $ZipError;
	}
	$zip->close or die $ZipError;
	return $out;
}

sub docx {
	my ($size) = @_;
	my $text = join '', map { "<w:p><w:r><w:t>$_</w:t></w:r></w:p>" } split /\r\n/, $rng->prose($size);
	return zipped('[Content_Types].xml' => '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
		'_rels/.rels'       => '<?xml version="1.0"?><Relationships/>',
		'word/document.xml' => "<?xml version=\"1.0\"?><w:document><w:body>$text</w:body></w:document>",
		'word/media/image1.png' => png($size / 2));
}

sub pdf {
	my ($size) = @_;
	my $out = "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n";
	my @at;
	my $object = sub { push @at, length $out; $out .= @at . " 0 obj\n$_[0]\nendobj\n" };
	$object->('<< /Type /Catalog /Pages 2 0 R >>');
	$object->('<< /Type /Pages /Kids [ 3 0 R ] /Count 1 >>');
	$object->('<< /Type /Page /Parent 2 0 R /MediaBox [ 0 0 595 842 ] /Contents 4 0 R >>');
	while (length $out < $size) {
		my $stream = compress(@at % 2 ? $rng->prose(60_000) : $rng->bytes(40_000));
		$object->('<< /Filter /FlateDecode /Length ' . length($stream) . " >>\nstream\n$stream\nendstream");
	}
	my $xref = length $out;
	return $out . 'xref' . "\n0 " . (@at + 1) . "\n0000000000 65535 f \n"
		. join('', map { sprintf "%010d 00000 n \n", $_ } @at)
		. 'trailer << /Root 1 0 R /Size ' . (@at + 1) . " >>\nstartxref\n$xref\n%%EOF\n";
}

# Noise, so that it has its size.
sub png {
	my ($size) = @_;
	my $rows  = int($size / 961) + 1;
	my $chunk = sub { pack('N', length $_[1]) . $_[0] . $_[1] . pack('N', crc32($_[0] . $_[1])) };
	return "\x89PNG\r\n\x1a\n" . $chunk->('IHDR', pack('NNC5', 320, $rows, 8, 2, 0, 0, 0))
		. $chunk->('IDAT', compress(join '', map { "\0" . $rng->bytes(960) } 1 .. $rows)) . $chunk->('IEND', '');
}

my %MAKE = (
	'text-10k'   => sub { text(9_500, $_[0] % 3) },
	'text-1m'    => sub { text(950_000, $_[0] % 3) },
	'newsletter' => sub {
		my $text = $rng->prose(8000 + 6000 * ($_[0] % 6));
		return $rng->multipart('alternative', Corpus::text_part($text), Corpus::html_part($text));
	},
	'zip'    => sub { attached('application/zip', 'papers.zip', zipped('papers.bin', $rng->bytes($SIZES[$_[0]] / 2), 'papers.txt', $rng->prose($SIZES[$_[0]]))) },
	'docx'   => sub { attached('application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'letter.docx', docx($SIZES[$_[0]])) },
	'pdf'    => sub { attached('application/pdf', 'report.pdf', pdf($SIZES[$_[0]])) },
	'binary' => sub { attached('application/octet-stream', 'data.bin', $rng->bytes($SIZES[$_[0]])) },
	'image'  => sub { attached('image/png', 'holiday.png', png($SIZES[$_[0]])) },
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
push @odd, $rng->header('odd.1', 'padding') . attached('application/octet-stream', 'data.bin', $rng->bytes(100_000)) =~ s/^(\S{72})\r\n(?=\S{76}\r\n)/$1====\r\n/mr;
push @odd, $rng->header('odd.2', 'two encodings') . 'Content-Transfer-Encoding: base64' . "\r\n" . text(9500, 1);
push @odd, $rng->header('odd.3', 'no end') . $rng->multipart('mixed', text(900, 1), text(9500, 0)) =~ s/--\r\n\z//r;
keep('odd', $_, $odd[$_]) for 0 .. $#odd;
