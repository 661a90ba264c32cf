# SPDX-License-Identifier: ISC
#
# Does EICAR stand in these bytes in any decoding? Brutal, and with nothing of the programs that it
# judges: no structure is parsed, whatever could be an encoding anywhere is decoded.
package Oracle;
use strict;
use warnings;
use Corpus;
use Encode ();
use IO::Uncompress::Unzip ();
use MIME::Base64 qw(encode_base64 decode_base64);

my $EICAR = Corpus::eicar();

# EICAR in base64 at each of the three places in a group, without what its neighbours touch.
my @BASE64 = map {
	my $text = encode_base64('x' x $_ . $EICAR, '');
	substr $text, $_ ? 4 : 0, 4 * int((length($EICAR) - 4) / 3);
} 0 .. 2;

# Quoted-printable as the most lenient reads it.
sub unquote {
	my ($text) = @_;
	$text =~ s/=[ \t]*(?:\r?\n|\r|\z)//g;
	$text =~ s/=([0-9A-Fa-f]{2})/chr hex $1/ge;
	return $text;
}

# All that looks like lines of uuencode, with or without a "begin".
sub uudecoded {
	my ($text) = @_;
	my @files = ('');
	for (split /\r?\n|\r/, $text) {
		push @files, '' if /^begin/;
		next if !/^([!-`])/ || length($_) < 2;
		my $line = eval { unpack 'u', "$_\n" } // '';
		$files[-1] .= $line;
	}
	return grep { length } @files;
}

sub yenc_decoded {
	my ($text) = @_;
	my @files;
	while ($text =~ /^=ybegin [^\r\n]*\r?\n(?:=ypart [^\r\n]*\r?\n)?(.*?)(?:^=yend|\z)/gms) {
		my $data = $1 =~ s/[\r\n]//gr;
		$data =~ s/=(.)/chr((ord($1) - 64) & 255)/gse;
		push @files, join '', map { chr((ord($_) - 42) & 255) } split //, $data;
	}
	return @files;
}

sub hqx_decoded {
	my ($text) = @_;
	my ($n, %value) = (0);
	$value{$_} = $n++ for split //, '!"#$%&\'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr';
	my @files;
	while ($text =~ /^:([^:]{40,})/gms) {
		my $bits = join '', map { exists $value{$_} ? sprintf '%06b', $value{$_} : () } split //, $1;
		my $data = pack 'B*', substr $bits, 0, 8 * int(length($bits) / 8);
		$data =~ s/\x90\x00/\x90/g;
		push @files, $data;
	}
	return @files;
}

sub utf7_decoded {
	my ($text) = @_;
	$text =~ s{\+([A-Za-z0-9+/]+)-?}{Encode::decode('UTF-16BE', decode_base64($1 . '=' x (-length($1) % 4))) // ''}ge;
	return $text =~ s/[^\x00-\x7f]/?/gr;
}

# What one run may decode to: in one piece, without padding, and cut at padding.
sub base64_readings {
	my ($run) = @_;
	my $one = $run =~ s/\s+//gr =~ tr{_-}{/+}r;
	my @pieces = map { decode_base64($_) } split /=+/, $one;
	return (decode_base64($one), decode_base64($one =~ tr/=//dr), join('', @pieces), @pieces);
}

# Every run of base64, at each place in a group of four, and each block of lines of nothing else.
sub base64_decoded {
	my ($text) = @_;
	my @files;
	for my $run ($text =~ m{([A-Za-z0-9+/=_-][A-Za-z0-9+/=_\s-]{38,})}g) {
		push @files, map { base64_readings(substr $run, $_) } 0 .. 3;
	}
	for my $block ($text =~ m{^((?:[ \t]*[A-Za-z0-9+/=_-]+[ \t]*\r?(?:\n|\z))+)}gm) {
		push @files, base64_readings($block);
	}
	return @files;
}

sub members {
	my ($bytes) = @_;
	my @files;
	while ($bytes =~ /PK\x03\x04/g) {
		my $zip = substr $bytes, $-[0];
		my $out;
		push @files, $out if IO::Uncompress::Unzip::unzip(\$zip => \$out, Transparent => 0);
	}
	return @files;
}

# Where it was found, as a list of decodings; '' if it is nowhere.
sub found {
	my ($bytes, $depth) = @_;
	$depth //= 0;
	return 'plain' if index($bytes, $EICAR) >= 0;
	return 'zero bytes' if $bytes =~ /\0/ && index($bytes =~ tr/\0//dr, $EICAR) >= 0;
	for my $text ($bytes =~ tr{A-Za-z0-9+/}{}cdr, $bytes =~ tr{A-Za-z0-9+/_-}{}cdr =~ tr{_-}{/+}r) {
		for my $part (@BASE64) {
			return 'base64' if index($text, $part) >= 0;
		}
	}
	return '' if $depth == 4;
	my %decoded = (
		quoted => [ $bytes =~ /=[0-9A-Fa-f]{2}|=\s*[\r\n]/ ? unquote($bytes) : () ],
		base64 => [ base64_decoded($bytes) ],
		uuencode => [ uudecoded($bytes) ],
		yenc   => [ yenc_decoded($bytes) ],
		binhex => [ hqx_decoded($bytes) ],
		'utf-7' => [ $bytes =~ /\+[A-Za-z0-9]{20}/ ? utf7_decoded($bytes) : () ],
		zip    => [ members($bytes) ],
	);
	for my $how (sort keys %decoded) {
		my %seen;
		for my $text (grep { length($_) >= 64 && $_ ne $bytes && !$seen{$_}++ } @{ $decoded{$how} }) {
			# What is random bytes holds nothing more.
			next if $depth && $text !~ /PK\x03\x04|[\x09-\x7e]{40}/;
			my $inner = found($text, $depth + 1);
			return "$inner in $how" if $inner;
		}
	}
	return '';
}

1;
