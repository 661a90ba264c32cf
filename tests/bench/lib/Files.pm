# SPDX-License-Identifier: ISC
#
# What mail to measure with is made of: text and files as programs of people write them, from a
# stream of Corpus, so the same for the same seed.
package Files;
use strict;
use warnings;
use Compress::Zlib qw(compress crc32);
use IO::Compress::Zip qw($ZipError);
use Corpus;

sub text {
	my ($rng, $size, $way) = @_;
	my $text = $rng->prose($size);
	return Corpus::text_part("Gr\xc3\xbc\xc3\x9fe aus K\xc3\xb6ln\r\n\r\n$text") if $way == 0;
	return "Content-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: 7bit\r\n\r\n$text" if $way == 1;
	return "Content-Type: text/plain; charset=utf-8; format=flowed\r\n"
		. "Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe aus K\xc3\xb6ln\r\n\r\n$text";
}

sub attached {
	my ($rng, $type, $name, $bytes) = @_;
	return $rng->multipart('mixed', text($rng, 900, 0), Corpus::file_part($type, $name, $bytes));
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
	my ($rng, $size) = @_;
	my $text = join '', map { "<w:p><w:r><w:t>$_</w:t></w:r></w:p>" } split /\r\n/, $rng->prose($size);
	return zipped('[Content_Types].xml' => '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
		'_rels/.rels'       => '<?xml version="1.0"?><Relationships/>',
		'word/document.xml' => "<?xml version=\"1.0\"?><w:document><w:body>$text</w:body></w:document>",
		'word/media/image1.png' => png($rng, $size / 2));
}

sub pdf {
	my ($rng, $size) = @_;
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
	my ($rng, $size) = @_;
	my $rows  = int($size / 961) + 1;
	my $chunk = sub { pack('N', length $_[1]) . $_[0] . $_[1] . pack('N', crc32($_[0] . $_[1])) };
	return "\x89PNG\r\n\x1a\n" . $chunk->('IHDR', pack('NNC5', 320, $rows, 8, 2, 0, 0, 0))
		. $chunk->('IDAT', compress(join '', map { "\0" . $rng->bytes(960) } 1 .. $rows)) . $chunk->('IEND', '');
}

1;
