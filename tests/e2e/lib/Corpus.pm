# SPDX-License-Identifier: ISC
#
# Mail as people's programs write it, the same for the same seed: text, attachments, newsletters,
# and EICAR in the wrappings that infected mail comes in. EICAR stands in no file of this tree.
package Corpus;
use strict;
use warnings;
use Digest::SHA qw(sha256_hex sha512);
use IO::Compress::Zip qw(zip $ZipError);
use MIME::Base64 qw(encode_base64);
use MIME::QuotedPrint qw(encode_qp);

our @CLEAN    = qw(plain text attachment newsletter);
our @INFECTED = qw(eicar-attachment eicar-zip eicar-nested eicar-inline eicar-uu);

# 68 bytes that every scanner knows and that harm nobody.
sub eicar {
	return join '', 'X5O!P%@AP[4\\PZX54(P^)7CC)7}', '$EICAR-STANDARD-', 'ANTIVIRUS-TEST-FILE!$H+H*';
}

my @WORDS = qw(the of and to in that was for with as on be at by had are but from they which one
	you were all her she there would their we him been has when who will more no if out so said
	what up its about into than them can only other new some could time these two may then do
	first any my now such like our over man me even most made after also did many before must
	through back years where much your way well down should because each just those people
	how too little state good very make world still own see men work long get here between
	both life being under never day same another know while last might us great old year off
	come since against go came right used take three meeting report invoice budget garden
	weather train harbour letter kitchen river window bicycle concert library harvest bridge
	morning lantern engine orchard museum captain village winter summer station);
my @PEOPLE = ('Alice Adams', 'Bob Berger', 'Carla Costa', 'Dmitri Dahl', 'Eva Engel', 'Femi Faro');
my @DAYS   = qw(Sun Mon Tue Wed Thu Fri Sat);
my @MONTHS = qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec);

# A stream of bytes and numbers from a seed, the same on every machine and for every perl.
sub new {
	my ($class, $seed) = @_;
	return bless { seed => "$seed", block => 0, pool => '' }, $class;
}

sub bytes {
	my ($self, $count) = @_;
	my @more;
	for (my $have = length $self->{pool}; $have < $count; $have += 64) {
		push @more, sha512($self->{seed} . ':' . $self->{block}++);
	}
	$self->{pool} = join '', $self->{pool}, @more if @more;
	return substr $self->{pool}, 0, $count, '';
}

# $from .. $to
sub number {
	my ($self, $from, $to) = @_;
	return $from + unpack('N', $self->bytes(4)) % ($to - $from + 1);
}

sub pick {
	my ($self, @list) = @_;
	return $list[$self->number(0, $#list)];
}

# About $size bytes of words in lines of at most 72, with paragraphs.
sub prose {
	my ($self, $size) = @_;
	my ($text, $line) = ('', '');
	my @draws = unpack 'n*', $self->bytes(2 * $size);
	while (length $text < $size) {
		my $word = $WORDS[shift(@draws) % @WORDS];
		if (length($line) + length($word) > 70) {
			$text .= "$line.\r\n" . (shift(@draws) % 7 ? '' : "\r\n");
			$line = '';
		}
		$line .= $line eq '' ? $word : " $word";
	}
	return "$text$line.\r\n";
}

sub subject {
	my ($self) = @_;
	return join ' ', ucfirst $self->pick(@WORDS), map { $self->pick(@WORDS) } 1 .. $self->number(2, 5);
}

sub header {
	my ($self, $id, $subject) = @_;
	my $from = $self->pick(@PEOPLE);
	my $at   = 1_760_000_000 + $self->number(0, 20_000_000);
	my ($s, $m, $h, $day, $month, $year, $weekday) = gmtime $at;
	(my $address = lc $from) =~ tr/ /./;
	return "Return-Path: <$address\@example.org>\r\n"
		. "Received: from mail.example.org (mail.example.org [192.0.2.7])\r\n"
		. "\tby mx.example.net with ESMTPS id $id\r\n"
		. "From: $from <$address\@example.org>\r\n"
		. "To: you\@example.net\r\n"
		. "Subject: $subject\r\n"
		. sprintf("Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n",
		$DAYS[$weekday], $day, $MONTHS[$month], 1900 + $year, $h, $m, $s)
		. "Message-ID: <$id\@example.org>\r\n"
		. "MIME-Version: 1.0\r\n";
}

sub qp {
	my ($text) = @_;
	return encode_qp($text =~ s/\r\n/\n/gr) =~ s/\n/\r\n/gr;
}

sub text_part {
	my ($text) = @_;
	return "Content-Type: text/plain; charset=utf-8\r\n"
		. "Content-Transfer-Encoding: quoted-printable\r\n\r\n" . qp($text);
}

sub html_part {
	my ($text) = @_;
	my $html = join "\r\n", '<html><body style="font-family: sans-serif">',
		(map { "<p>$_ <a href=\"https://www.example.com/?id=" . length($_) . '">more</a></p>' }
			split /\r\n\r\n/, $text), '</body></html>', '';
	return "Content-Type: text/html; charset=\"utf-8\"\r\n"
		. "Content-Transfer-Encoding: quoted-printable\r\n\r\n" . qp($html);
}

sub file_part {
	my ($type, $name, $bytes) = @_;
	return "Content-Type: $type;\r\n\tname=\"$name\"\r\n"
		. "Content-Transfer-Encoding: base64\r\n"
		. "Content-Disposition: attachment;\r\n\tfilename=\"$name\"\r\n\r\n"
		. encode_base64($bytes, "\r\n");
}

# An entity of parts; each part stands between the delimiters exactly as given.
sub multipart {
	my ($self, $kind, @parts) = @_;
	my $boundary = '----=_Part_' . unpack 'H*', $self->bytes(8);
	return "Content-Type: multipart/$kind;\r\n\tboundary=\"$boundary\"\r\n\r\n"
		. "This is a multi-part message in MIME format.\r\n"
		. join('', map { "--$boundary\r\n$_\r\n" } @parts) . "--$boundary--\r\n";
}

sub zipped {
	my ($name, $bytes) = @_;
	zip(\$bytes, \my $zip, Name => $name, Time => 1_760_000_000, Minimal => 1) or die $ZipError;
	return $zip;
}

my @FILES = (
	[ 'application/pdf', 'report.pdf', sub { "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n" . $_[0]->bytes($_[1]) } ],
	[ 'image/jpeg', 'holiday.jpg', sub { "\xff\xd8\xff\xe0\0\x10JFIF\0" . $_[0]->bytes($_[1]) } ],
	[ 'application/zip', 'papers.zip', sub { zipped('papers.bin', $_[0]->bytes($_[1])) } ],
	[ 'text/csv', 'figures.csv', sub { $_[0]->prose($_[1]) } ],
	[ 'application/octet-stream', 'data.bin', sub { $_[0]->bytes($_[1]) } ],
);

# What each kind is made of: its entity and the parts of it that are clean, as raw entities.
my %MAKE = (
	# Nothing here that could carry code: it is delivered without a scanner, too.
	plain => sub {
		my ($rng) = @_;
		return "Content-Type: text/plain; charset=us-ascii\r\n"
			. "Content-Transfer-Encoding: 7bit\r\n\r\n" . $rng->prose($rng->number(3000, 14_000));
	},
	text => sub {
		my ($rng) = @_;
		my $text = "Gr\xc3\xbc\xc3\x9fe aus K\xc3\xb6ln, https://www.example.com/\r\n\r\n"
			. $rng->prose($rng->number(3000, 12_000));
		return $rng->number(0, 1) ? text_part($text)
			: "Content-Type: text/plain; charset=utf-8; format=flowed\r\n"
			. "Content-Transfer-Encoding: 8bit\r\n\r\n$text";
	},
	attachment => sub {
		my ($rng) = @_;
		my ($type, $name, $make) = @{ $rng->pick(@FILES) };
		return $rng->multipart('mixed', text_part($rng->prose(600)),
			file_part($type, $name, $make->($rng, $rng->number(22_000, 220_000))));
	},
	newsletter => sub {
		my ($rng) = @_;
		my $text = $rng->prose($rng->number(5000, 20_000));
		return "List-Unsubscribe: <https://lists.example.com/u/7>\r\n"
			. $rng->multipart('alternative', text_part($text), html_part($text));
	},
	'eicar-attachment' => sub {
		my ($rng) = @_;
		my @clean = (text_part($rng->prose(900)),
			file_part('image/jpeg', 'holiday.jpg', "\xff\xd8\xff\xe0" . $rng->bytes(9000)));
		return ($rng->multipart('mixed', $clean[0],
			file_part('application/octet-stream', 'eicar.com', eicar()), $clean[1]), @clean);
	},
	'eicar-zip' => sub {
		my ($rng) = @_;
		my @clean = (text_part($rng->prose(1500)), html_part($rng->prose(1500)));
		return ($rng->multipart('mixed', $rng->multipart('alternative', @clean),
			file_part('application/zip', 'invoice.zip', zipped('invoice.com', eicar()))), @clean);
	},
	'eicar-nested' => sub {
		my ($rng) = @_;
		my @clean = map { text_part($rng->prose(700)) } 1 .. 2;
		my $inner = $rng->header($rng->number(10_000, 99_999) . '.inner', 'Fwd: ' . $rng->subject)
			. $rng->multipart('mixed', $clean[1], file_part('application/x-msdownload', 'setup.exe', eicar()));
		return ($rng->multipart('mixed', $clean[0], "Content-Type: message/rfc822\r\n"
			. "Content-Disposition: attachment; filename=\"forwarded.eml\"\r\n\r\n$inner"), @clean);
	},
	'eicar-inline' => sub {
		my ($rng) = @_;
		my $bad   = "Content-Type: text/plain; charset=us-ascii\r\n\r\n" . eicar() . "\r\n";
		my @clean = (text_part($rng->prose(800)));
		return $rng->number(0, 1) ? $bad : ($rng->multipart('mixed', @clean, $bad), @clean);
	},
	'eicar-uu' => sub {
		my ($rng) = @_;
		my $uu = pack('u', eicar()) =~ s/\n/\r\n/gr;
		return "Content-Type: text/plain; charset=us-ascii\r\n\r\n" . $rng->prose(500)
			. "\r\nbegin 644 eicar.com\r\n$uu`\r\nend\r\n\r\n" . $rng->prose(200);
	},
);

# One mail of a kind: { name, kind, bytes, sha256, infected, clean => [ SHA-256 of each clean part's
# bytes, header and body, as it stands between its delimiters ] }.
sub mail {
	my ($self, $kind, $name, $subject) = @_;
	my $make = $MAKE{$kind} or die "$kind: no such kind of mail\n";
	my $head = $self->header("$name." . unpack('H*', $self->bytes(4)), $subject // $self->subject);
	my ($entity, @clean) = $make->($self);
	return { name => $name, kind => $kind, bytes => "$head$entity", infected => $kind =~ /^eicar/ ? 1 : 0,
		sha256 => sha256_hex("$head$entity"), clean => [ map { sha256_hex($_) } @clean ] };
}

# $count mails, $infected of them with EICAR, spread evenly and in turn through its kinds; of the
# others 63 % text, half of it inert, 26 % with an attachment, 11 % newsletters.
sub mails {
	my ($self, $count, $infected) = @_;
	my ($bad, @mails) = (0);
	for my $i (1 .. $count) {
		my $kind;
		if (int($i * $infected / $count) > $bad) {
			$kind = $INFECTED[$bad++ % @INFECTED];
		} else {
			my $draw = $self->number(1, 95);
			$kind = $draw <= 30 ? 'plain' : $draw <= 60 ? 'text' : $draw <= 85 ? 'attachment' : 'newsletter';
		}
		push @mails, $self->mail($kind, sprintf 'm%05d', $i);
	}
	return @mails;
}

1;
