# SPDX-License-Identifier: ISC
#
# Mails that hide a file from a scanner, the same for the same seed: each technique in several base
# mails, with EICAR or with something harmless as the file. What a technique can do to the text and
# the attachment around it is none of theirs: those carry a mark that must survive.
package Attacks;
use strict;
use warnings;
use Corpus;
use Encode ();
use IO::Compress::Zip qw(zip :constants);
use MIME::Base64 qw(encode_base64);

sub b64 {
	my ($bytes) = @_;
	return encode_base64($bytes, "\n");
}

sub hex_qp {
	my ($bytes) = @_;
	my $text = '';
	while ($bytes =~ /(.{1,24})/gs) {
		$text .= join('', map { sprintf '=%02X', ord } split //, $1) . "=\n";
	}
	return "$text\n";
}

sub uu {
	my ($bytes, $name) = @_;
	return "begin 644 $name\n" . pack('u', $bytes) . "`\nend\n";
}

sub yenc {
	my ($bytes) = @_;
	my $size = length $bytes;
	my $text = join '', map {
		my $c = (ord($_) + 42) & 255;
		$c =~ /^(?:0|10|13|61)$/ ? '=' . chr(($c + 64) & 255) : chr $c;
	} split //, $bytes;
	$text =~ s/(.{1,100}(?<!=))/$1\n/gs;
	return "=ybegin line=128 size=$size name=e.com\n$text=yend size=$size\n";
}

sub hqx {
	my ($bytes) = @_;
	my @alphabet = split //, '!"#$%&\'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr';
	my $file = "\x05e.com\0TEXTttxt" . pack('nNNn', 0, length $bytes, 0, 0) . $bytes . "\0\0\0\0";
	$file =~ s/\x90/\x90\x00/g;
	my $bits = unpack 'B*', $file;
	$bits .= '0' while length($bits) % 6;
	my $text = join '', map { $alphabet[oct "0b$_"] } $bits =~ /(.{6})/g;
	$text = ":$text:";
	$text =~ s/(.{64})/$1\n/g;
	return "(This file must be converted with BinHex 4.0)\n\n$text\n";
}

sub tnef_attribute {
	my ($level, $id, $data) = @_;
	return pack('CVV', $level, $id, length $data) . $data . pack('v', unpack('%16C*', $data));
}

sub tnef {
	my ($bytes) = @_;
	return pack('Vv', 0x223e9f78, 1) . tnef_attribute(1, 0x00089006, pack 'V', 0x10000)
		. tnef_attribute(2, 0x00069002, "\1\0" . "\0" x 12) . tnef_attribute(2, 0x00018010, "e.com\0")
		. tnef_attribute(2, 0x0006800f, $bytes);
}

# The file as a property of the attachment.
sub tnef_property {
	my ($bytes) = @_;
	return pack('Vv', 0x223e9f78, 1) . tnef_attribute(2, 0x00069005,
		pack('VVVV', 2, 0x37050003, 1, 0x37010102) . pack('VV', 1, length $bytes) . $bytes);
}

sub utf7 {
	my ($bytes) = @_;
	my $text = encode_base64(Encode::encode('UTF-16BE', $bytes), '');
	$text =~ s/=+$//;
	return "+$text-\n";
}

my $OCTETS = "Content-Type: application/octet-stream; name=\"e.com\"\nContent-Disposition: attachment; filename=\"e.com\"\n";
my $BASE64 = "Content-Transfer-Encoding: base64\n";
my $TEXT   = "Content-Type: text/plain\n";

sub as {
	my ($head, $encode) = @_;
	return sub { return "$head\n" . $encode->($_[0]) };
}

# An attached message that holds the file, and what stands before it.
sub inner {
	my ($bytes) = @_;
	return "From: x\@example.org\nSubject: inner\nMIME-Version: 1.0\n$OCTETS$BASE64\n" . b64($bytes);
}

# Ways to write the part that holds the file: name => sub (bytes) { header, blank line, body }.
my %PART = (
	'base64'                => as("$OCTETS$BASE64", \&b64),
	'base64-padding-inside' => as("$OCTETS$BASE64", sub { join '', map { b64($_) } $_[0] =~ /(.{1,16})/gs }),
	'base64-no-padding'     => as("$OCTETS$BASE64", sub { b64($_[0]) =~ s/=+\n/\n/r }),
	'base64-padding-wrong'  => as("$OCTETS$BASE64", sub { b64($_[0]) =~ s/=*\n$/====\n/r }),
	'base64-padding-junk'   => as("$OCTETS$BASE64", sub { b64($_[0]) =~ s/^(.{10})/$1=/r }),
	'base64-junk'           => as("$OCTETS$BASE64", sub { b64($_[0]) =~ s/(.{9})/$1!*/gr }),
	'base64-blanks'         => as("$OCTETS$BASE64", sub { b64($_[0]) =~ s/(.{7})/$1 \t/gr }),
	'base64-junk-line'      => as("$OCTETS$BASE64", sub { "This line, you see, is none!\n" . b64($_[0]) }),
	'base64-short-lines'    => as("$OCTETS$BASE64", sub { b64($_[0]) =~ s/(.{4})/$1\n/gr }),
	'base64-long-line'      => as("$OCTETS$BASE64", sub { b64($_[0]) =~ s/\n//gr . "\n" }),
	'base64-url'            => as("$OCTETS$BASE64", sub { b64($_[0]) =~ tr{+/}{-_}r }),
	'base64-footer'         => as("$OCTETS$BASE64", sub { b64($_[0]) . "\n--=\nThis was sent by a list.\n" }),
	'base64-undeclared'     => as($OCTETS, \&b64),
	'base64-as-7bit'        => as("${OCTETS}Content-Transfer-Encoding: 7bit\n", \&b64),
	'base64-as-quoted'      => as("${OCTETS}Content-Transfer-Encoding: quoted-printable\n", \&b64),
	'base64-as-uuencode'    => as("${OCTETS}Content-Transfer-Encoding: x-uuencode\n", \&b64),
	'base64-in-text'        => as($TEXT, sub { "Look at this.\n\n" . b64($_[0]) . "\nBye.\n" }),
	'base64-behind-word'    => as($TEXT, sub { "Hello\n" . b64($_[0]) }),
	'encoding-unknown'      => as("${OCTETS}Content-Transfer-Encoding: x-secret\n", \&b64),
	'encoding-quoted'       => as("${OCTETS}Content-Transfer-Encoding: \"base64\"\n", \&b64),
	'encoding-semicolon'    => as("${OCTETS}Content-Transfer-Encoding: base64;\n", \&b64),
	'encoding-comment'      => as("${OCTETS}Content-Transfer-Encoding: (7bit) base64 (8bit)\n", \&b64),
	'encoding-folded'       => as("${OCTETS}Content-Transfer-Encoding:\n base64\n", \&b64),
	'encoding-case'         => as("${OCTETS}CONTENT-TRANSFER-ENCODING: BaSe64\n", \&b64),
	'encoding-blank-colon'  => as("${OCTETS}Content-Transfer-Encoding : base64\n", \&b64),
	'encoding-first'        => as("$OCTETS${BASE64}Content-Transfer-Encoding: 7bit\n", \&b64),
	'encoding-last'         => as("${OCTETS}Content-Transfer-Encoding: 7bit\n$BASE64", \&b64),
	'encoding-last-quoted'  => as("$OCTETS${BASE64}Content-Transfer-Encoding: quoted-printable\n", \&hex_qp),
	'type-first'            => as("$OCTETS${TEXT}$BASE64", \&b64),
	'type-last'             => as("$TEXT$OCTETS$BASE64", \&b64),
	'type-nonsense'         => as("Content-Type: ;;; =\n$BASE64", \&b64),
	'quoted'                => as("${OCTETS}Content-Transfer-Encoding: quoted-printable\n", \&hex_qp),
	'quoted-lower'          => as("${OCTETS}Content-Transfer-Encoding: quoted-printable\n", sub { lc hex_qp($_[0]) }),
	'quoted-soft-blanks'    => as("${OCTETS}Content-Transfer-Encoding: quoted-printable\n",
		sub { join '', map { sprintf "=%02X= \t\n", ord } split //, $_[0] }),
	'quoted-undeclared'     => as($OCTETS, \&hex_qp),
	'quoted-as-base64'      => as("$OCTETS$BASE64", \&hex_qp),
	'plain-as-base64'       => as("$OCTETS$BASE64", sub { "$_[0]\n" }),
	'plain-as-quoted'       => as("${OCTETS}Content-Transfer-Encoding: quoted-printable\n", sub { "$_[0]\n" }),
	'plain'                 => as("${OCTETS}Content-Transfer-Encoding: 8bit\n", sub { "$_[0]\n" }),
	'uu-in-text'            => as($TEXT, sub { "See this:\n" . uu($_[0], 'e.com') . "Bye.\n" }),
	'uu-two'                => as($TEXT, sub { uu('Harmless. ' x 20, 'a.txt') . "\nand\n" . uu($_[0], 'e.com') }),
	'uu-no-end'             => as($TEXT, sub { "See:\n" . uu($_[0], 'e.com') =~ s/`\nend\n//r }),
	'uu-odd-begin'          => as($TEXT, sub { "See:\n" . uu($_[0], 'e.com') =~ s/^begin 644/begin /r }),
	'uu-encoding'           => as("${OCTETS}Content-Transfer-Encoding: x-uuencode\n", sub { uu($_[0], 'e.com') }),
	'uu-encoding-bare'      => as("${OCTETS}Content-Transfer-Encoding: uue\n", sub { pack 'u', $_[0] }),
	'uu-in-quoted'          => as("${TEXT}Content-Transfer-Encoding: quoted-printable\n", sub { hex_qp(uu($_[0], 'e.com')) }),
	'uu-in-base64'          => as("$TEXT$BASE64", sub { b64("Hello.\n" . uu($_[0], 'e.com')) }),
	'yenc'                  => as("${TEXT}Content-Transfer-Encoding: 8bit\n", sub { "Hello.\n" . yenc($_[0]) }),
	'yenc-in-base64'        => as("$TEXT$BASE64", sub { b64("Hello.\n" . yenc($_[0])) }),
	'binhex'                => as($TEXT, sub { "Hello.\n\n" . hqx($_[0]) }),
	'binhex-type'           => as("Content-Type: application/mac-binhex40; name=e.hqx\n", \&hqx),
	'tnef'                  => as("Content-Type: application/ms-tnef; name=winmail.dat\n$BASE64", sub { b64(tnef($_[0])) }),
	'tnef-property'         => as("Content-Type: application/ms-tnef\n$BASE64", sub { b64(tnef_property($_[0])) }),
	'tnef-unnamed'          => as("Content-Type: application/octet-stream\n$BASE64", sub { b64(tnef($_[0])) }),
	'message-base64'        => as("Content-Type: message/rfc822\n$BASE64", sub { b64(inner($_[0])) }),
	'message-quoted'        => as("Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n", sub { hex_qp(inner($_[0])) }),
	'message-twice'         => as("Content-Type: message/rfc822\n$BASE64",
		sub { b64("Subject: outer\nContent-Type: message/rfc822\n$BASE64\n" . b64(inner($_[0]))) }),
	'message-not-base64'    => as("Content-Type: message/rfc822\n$BASE64", \&inner),
	'multipart-base64'      => as("Content-Type: multipart/mixed; boundary=q\n$BASE64",
		sub { b64("--q\n$TEXT\nHi.\n--q\n$OCTETS$BASE64\n" . b64($_[0]) . "--q--\n") }),
	'utf-16'                => as("Content-Type: text/plain; charset=utf-16\n$BASE64", sub { b64(Encode::encode('UTF-16LE', $_[0])) }),
	'utf-16-mark'           => as("$TEXT$BASE64", sub { b64(Encode::encode('UTF-16', $_[0])) }),
	'utf-7'                 => as("Content-Type: text/plain; charset=utf-7\n", \&utf7),
	'blank-line-missing'    => sub { return "$OCTETS$BASE64" . b64($_[0]) },
	'blank-line-of-blanks'  => sub { return "$OCTETS$BASE64 \t\n" . b64($_[0]) },
	'blank-line-first'      => sub { return "\n$OCTETS$BASE64\n" . b64($_[0]) },
	'junk-in-header'        => sub { return "${OCTETS}this is no field\n$BASE64\n" . b64($_[0]) },
	'junk-ends-header'      => sub { return "${OCTETS}this is no field\n${TEXT}\n" . b64($_[0]) },
	'bare-cr'               => sub { return ("$OCTETS$BASE64\n" . b64($_[0])) =~ tr/\n/\r/r },
	'bare-cr-header'        => sub { return ("$OCTETS$BASE64") =~ tr/\n/\r/r . "\n" . b64($_[0]) },
	'line-ends-mixed'       => sub { return "$OCTETS$BASE64\n" . b64($_[0]) =~ s/(.{20})/$1\r/gr },
	'name-rtlo'             => as("Content-Type: application/octet-stream; name*=utf-8''doc%E2%80%AEfdp.exe\n$BASE64", \&b64),
	'name-path'             => as("Content-Type: application/octet-stream; name=\"../../etc/x.pdf.exe\"\n$BASE64", \&b64),
);

# Ways to write a multipart that holds the file: sub (boundary, part of the file, parts of the rest)
# { header, blank line, body }. In the second list the rest cannot be told from the file.
sub mixed {
	my ($type, $delimiter, @parts) = @_;
	return "Content-Type: multipart/mixed$type\n\n" . join('', map { "--$delimiter\n$_\n" } @parts) . "--$delimiter--\n";
}

my %AROUND = (
	'after-the-end'         => sub { my ($b, $file, @rest) = @_; mixed("; boundary=\"$b\"", $b, @rest) . "--$b\n$file\n--$b--\n" },
	'after-the-end-other'   => sub { my ($b, $file, @rest) = @_; mixed("; boundary=\"$b\"", $b, @rest) . "--other\n$file\n--other--\n" },
	'before-the-start'      => sub { my ($b, $file, @rest) = @_;
		mixed("; boundary=\"$b\"", $b, @rest) =~ s/\n\n/\n\n--other\n$file\n--other--\n/r },
	'boundary-2231'         => sub { my ($b, @parts) = @_; mixed(";\n boundary*0=\"" . substr($b, 0, 3) . "\";\n boundary*1=\"" . substr($b, 3) . '"', $b, @parts) },
	'boundary-comment'      => sub { my ($b, @parts) = @_; mixed(" (x; boundary=no); boundary=\"$b\" (y)", $b, @parts) },
	'boundary-escaped'      => sub { my ($b, @parts) = @_; mixed("; boundary=\"$b\\\"\"", "$b\"", @parts) },
	'boundary-escape-kept'  => sub { my ($b, @parts) = @_; mixed("; boundary=\"$b\\x\"", "$b\\x", @parts) },
	'boundary-twice-first'  => sub { my ($b, @parts) = @_; mixed("; boundary=\"$b\"; boundary=\"no\"", $b, @parts) },
	'boundary-twice-last'   => sub { my ($b, @parts) = @_; mixed("; boundary=\"no\"; boundary=\"$b\"", $b, @parts) },
	'boundary-in-disposition' => sub { my ($b, @parts) = @_; "Content-Disposition: inline; boundary=\"$b\"\n" . mixed('', $b, @parts) },
	'boundary-long'         => sub { my ($b, @parts) = @_; $b x= 12; mixed("; boundary=\"$b\"", $b, @parts) },
	'boundary-odd'          => sub { my ($b, @parts) = @_; mixed("; boundary=\"$b ;'=?\"", "$b ;'=?", @parts) },
	'type-twice-first'      => sub { my ($b, @parts) = @_; mixed("; boundary=\"$b\"\n$TEXT" =~ s/\n$//r, $b, @parts) },
	'type-twice-last'       => sub { my ($b, @parts) = @_; $TEXT . mixed("; boundary=\"$b\"", $b, @parts) },
	'type-twice-boundaries' => sub { my ($b, @parts) = @_; "Content-Type: multipart/mixed; boundary=no\n" . mixed("; boundary=\"$b\"", $b, @parts) },
	'terminator-missing'    => sub { my ($b, @parts) = @_; mixed("; boundary=\"$b\"", $b, @parts) =~ s/--\n$/\n/r },
	'delimiter-blanks'      => sub { my ($b, @parts) = @_; mixed("; boundary=\"$b\"", "$b  ", @parts) },
	'boundary-inside-same'  => sub { my ($b, $file, @rest) = @_; mixed("; boundary=\"$b\"", $b, @rest, mixed("; boundary=\"$b\"", $b, $file)) },
	'boundary-inside-longer' => sub { my ($b, $file, @rest) = @_; mixed("; boundary=\"$b\"", $b, @rest, mixed("; boundary=\"${b}x\"", "${b}x", $file)) },
	'digest'                => sub { my ($b, $file, @rest) = @_; mixed("; boundary=\"$b\"", $b, @rest, "Content-Type: multipart/digest; boundary=d\n\n--d\n\n$file\n--d--\n") },
	'deep'                  => sub { my ($b, $file, @rest) = @_; $file = mixed("; boundary=d$_", "d$_", $file) for 1 .. 30; mixed("; boundary=\"$b\"", $b, @rest, $file) },
	'too-deep'              => sub { my ($b, $file, @rest) = @_; $file = mixed("; boundary=d$_", "d$_", $file) for 1 .. 130; mixed("; boundary=\"$b\"", $b, @rest, $file) },
);
my %UNCLEAR = (
	'boundary-missing'      => sub { my ($b, @parts) = @_; mixed('', $b, @parts) },
	'boundary-empty'        => sub { my ($b, @parts) = @_; mixed('; boundary=""', $b, @parts) },
	'boundary-never-used'   => sub { my ($b, @parts) = @_; mixed('; boundary=no', $b, @parts) },
	'boundary-prefix'       => sub { my ($b, @parts) = @_; mixed('; boundary="' . substr($b, 0, 4) . '"', $b, @parts) },
	'boundary-too-long'     => sub { my ($b, @parts) = @_; $b x= 40; mixed("; boundary=\"$b\"", $b, @parts) },
	'type-other'            => sub { my ($b, @parts) = @_; mixed("; boundary=\"$b\"", $b, @parts) =~ s{multipart/mixed}{application/mixed}r },
);

# To who reads the boundary in another way than was meant, such a multipart is one part: it goes as a
# whole, and what stands beside the file in it with it. What stands around it stays.
my %ONE_PART = map { $_ => 1 } qw(boundary-missing boundary-empty boundary-never-used boundary-prefix type-other
	boundary-escape-kept boundary-in-disposition boundary-twice-last type-twice-boundaries type-twice-last);

my $HEAD = "From: Alice <alice\@example.org>\nTo: bob\@example.org\nDate: Mon, 06 Jan 2025 10:00:00 +0000\n"
	. "Message-ID: <%s\@corpus>\nSubject: %s\nMIME-Version: 1.0\n";

sub text_part {
	my ($self, $mark) = @_;
	return "${TEXT}Content-Transfer-Encoding: 7bit\n\n$mark " . $self->{rng}->prose(200) =~ tr/\r//dr;
}

sub attachment {
	my ($self, $mark) = @_;
	return "Content-Type: application/octet-stream; name=\"data.bin\"\n$BASE64\n" . b64("$mark " . $self->{rng}->bytes(150));
}

# The parts that must stay as they are: [ text, alternative, attachment ]
sub rest {
	my ($self) = @_;
	my $mark = 'KEEP' . $self->{rng}->number(1000, 9999);
	my $text = $self->text_part($mark);
	my $alternative = "Content-Type: multipart/alternative; boundary=alt$mark\n\n--alt$mark\n" . $self->text_part("$mark.1")
		. "--alt$mark\nContent-Type: text/html\n\n<p>$mark.2 <b>" . $self->{rng}->prose(100) =~ tr/\r//dr . "</b></p>\n--alt$mark--\n";
	return ($text, $alternative, $self->attachment("$mark.3"));
}

sub new {
	my ($class, $seed) = @_;
	return bless { rng => Corpus->new("attacks $seed") }, $class;
}

# One mail: { name, technique, base, bytes, keeps => [ bytes that stay ] }
sub mail {
	my ($self, $name, $technique, $base, $eol, $file) = @_;
	my ($text, $alternative, $attachment) = $self->rest;
	my $around = $AROUND{$technique} // $UNCLEAR{$technique};
	my $part = ($PART{$technique} // $PART{base64})->($file);
	my $b = 'bound' . $self->{rng}->number(100, 999);
	my $head = sprintf $HEAD, $name, $technique;
	$around //= sub { my ($boundary, $held, @rest) = @_; mixed("; boundary=\"$boundary\"", $boundary, $rest[0], $held, $rest[1]) };
	my $bytes;
	my @keeps = $head;
	if ($base eq 'plain' && $PART{$technique}) {
		$bytes = $head . $part;
	} elsif ($base eq 'nested') {
		my $inner = "Subject: inner\nMIME-Version: 1.0\n" . $around->($b, $part, $text, $attachment);
		$bytes = $head . mixed('; boundary=outer', 'outer', $alternative, "Content-Type: message/rfc822\n\n$inner", $attachment);
		push @keeps, $alternative, $attachment, $ONE_PART{$technique} ? () : $text;
	} elsif ($base eq 'mbox') {
		$bytes = "From alice\@example.org Mon Jan  6 10:00:00 2025\n" . $head . $around->($b, $part, $text, $attachment);
		push @keeps, $text, $attachment if !$ONE_PART{$technique};
	} else {
		$bytes = $head . $around->($b, $part, $alternative, $attachment);
		push @keeps, $alternative, $attachment if !$ONE_PART{$technique};
	}
	for ($bytes, @keeps) {
		s/(?<!\r)\n/\r\n/g if $eol eq 'crlf';
		s/\s+\z//;
	}
	return { name => $name, technique => $technique, base => $base, bytes => "$bytes" . ($eol eq 'crlf' ? "\r\n" : "\n"), keeps => \@keeps };
}

sub stored_zip {
	my ($bytes) = @_;
	my $zip;
	zip(\$bytes => \$zip, Name => 'e.com', Method => ZIP_CM_STORE, Time => 1736150400, Minimal => 1) or die "zip\n";
	return $zip;
}

sub names {
	return sort(keys %PART, keys %AROUND, keys %UNCLEAR);
}

# Every technique in $each bases, in turn.
sub mails {
	my ($self, $prefix, $each, $file) = @_;
	my @bases = map { my $base = $_; map { [ $base, $_ ] } qw(lf crlf) } qw(attachment plain nested mbox);
	my ($turn, @mails) = (0);
	for my $technique (names()) {
		for (1 .. $each) {
			my ($base, $eol) = @{ $bases[$turn++ % @bases] };
			my $bytes = ref $file ? $file->($turn) : $file;
			$bytes = stored_zip($bytes) if $technique eq 'base64-url';
			push @mails, $self->mail(sprintf('%s%03d-%s-%s-%s', $prefix, scalar @mails, $technique, $base, $eol),
				$technique, $base, $eol, $bytes);
		}
		$turn++;
	}
	return @mails;
}

sub infected {
	my ($self, $each) = @_;
	return $self->mails('infected', $each, Corpus::eicar());
}

# The same with a harmless file, and these again with lines and bytes lost, doubled and changed.
sub odd {
	my ($self, $each, $mutants) = @_;
	my @mails = $self->mails('odd', $each, sub { "Nothing bad $_[0]. " . $self->{rng}->prose(150) =~ tr/\r//dr });
	my $count = @mails;
	for my $n (1 .. $mutants) {
		my $mail = { %{ $mails[$self->{rng}->number(0, $count - 1)] } };
		$mail->{bytes} = $self->mutate($mail->{bytes}) for 1 .. $self->{rng}->number(1, 3);
		$mail->{bytes} = $self->mutate($mail->{bytes});
		$mail->{name} = sprintf 'mutant%03d-%s', $n, $mail->{technique};
		push @mails, $mail;
	}
	return @mails;
}

sub mutate {
	my ($self, $bytes) = @_;
	my @lines = split /(?<=\n)/, $bytes;
	my ($at, $other) = map { $self->{rng}->number(0, $#lines) } 1 .. 2;
	my $how = $self->{rng}->number(0, 5);
	splice @lines, $at, 1 if $how == 0 && @lines > 2;
	splice @lines, $at, 0, $lines[$other] if $how == 1;
	@lines[$at, $other] = @lines[$other, $at] if $how == 2;
	$lines[$at] =~ s/\r?\n$/\r/ if $how == 3;
	substr($lines[$at], $self->{rng}->number(0, length($lines[$at]) - 1), 1) = $self->{rng}->pick("\0", ' ', ':', '"', '=', "\n", "\xe4", '-') if $how == 4;
	$#lines = $at if $how == 5 && $at > 5;
	return join '', @lines;
}

1;
