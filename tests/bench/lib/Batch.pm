# SPDX-License-Identifier: ISC
#
# A mailbox to measure with, in blocks of 20: 12 text (3 to 15 KB, half of it with a link), 5 with an
# attachment of 30 to 300 KB, 2 newsletters, 1 with EICAR. Each block has about the same sizes. Two
# batches have mail of the same shapes and sizes in the same order, and different bytes: nobody's
# cache knows a part of it from the run before.
package Batch;
use strict;
use warnings;
use Corpus;
use E2E;
use Files;
use Mail;
our @ISA = ('Corpus');

our $BLOCK   = 20;
my @INFECTED = qw(eicar-attachment eicar-zip eicar-nested);
my @KINDS    = qw(zip docx pdf binary png);
my @ORDER    = (0, 12, 1, 2, 13, 3, 17, 4, 5, 14, 6, 7, 19, 8, 15, 9, 18, 10, 16, 11);
my $pool;

# A piece of prose made before, of the size asked for, under a line of its own: cheap and new.
sub prose {
	my ($self, $size) = @_;
	$pool //= Corpus->new('whole-prose')->prose(1_000_000);
	my $from = index $pool, "\r\n", $self->number(0, 600_000);
	return 'Number ' . $self->number(0, 1 << 30) . substr($pool, $from, $size) =~ s/\r\z//r . "\r\n";
}

# One of 0 .. 19 of a block; $spread is where its size lies in its range, 0 to 1.
sub entity {
	my ($self, $block, $index, $spread) = @_;
	if ($index < 12) {
		my $text = Files::text($self, 3000 + 1000 * ($index + $spread), $index % 3);
		return $index % 2 ? "$text\r\nhttps://www.example.com/\r\n" : $text;
	}
	if ($index < 17) {
		my $kind = $KINDS[ ($index + $block) % @KINDS ];
		my $size = 30_000 + 54_000 * ($index - 12 + $spread);
		# What packs well is larger before.
		my %make = (
			zip    => sub { [ 'application/zip', 'papers.zip', Files::zipped('papers.bin', $self->bytes($size * 0.9), 'papers.txt', $self->prose($size / 3)) ] },
			docx   => sub { [ 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 'letter.docx', Files::docx($self, $size) ] },
			pdf    => sub { [ 'application/pdf', 'report.pdf', Files::pdf($self, $size) ] },
			binary => sub { [ 'application/octet-stream', 'data.bin', $self->bytes($size) ] },
			png    => sub { [ 'image/png', 'holiday.png', Files::png($self, $size) ] },
		);
		return Files::attached($self, @{ $make{$kind}->() });
	}
	my $text = $self->prose(5000 + 7500 * ($index - 17 + $spread));
	return $self->multipart('alternative', Corpus::text_part($text), Corpus::html_part($text));
}

# So many mails of the batch of this name: as Corpus gives them. clean => 1: text in place of EICAR.
sub make {
	my ($name, $count, %how) = @_;
	my ($self, $shape) = (Batch->new("whole-$name"), Corpus->new('whole-shape'));
	my @mails;
	for my $i (0 .. $count - 1) {
		my ($block, $index) = (int($i / $BLOCK), $ORDER[ $i % $BLOCK ]);
		my $spread = $shape->number(0, 999) / 1000;
		$index = 0 if $how{clean} && $index == 19;
		if ($index == 19) {
			push @mails, $self->mail($INFECTED[ $block % @INFECTED ], "$name.$i");
			next;
		}
		push @mails, { name => "$name.$i", infected => 0,
			bytes => $self->header("$name.$i", $self->subject) . $self->entity($block, $index, $spread) };
	}
	return @mails;
}

# Header and body in lines as they are compared: every program may end lines in its own way, and put
# in the trace of its delivery.
sub compared {
	my ($bytes) = @_;
	my ($head, $body) = split /\n\n/, $bytes =~ s/\r\n/\n/gr, 2;
	$head =~ s/\n[ \t]+/ /g;
	return ([ grep { !/^(?:From |Return-Path:|Received:|Delivered-To:|X-TUID:)/ } split /\n/, $head // '' ], $body // '');
}

sub same {
	my ($served, $delivered) = @_;
	my ($want, $want_body) = compared($served);
	my ($have, $have_body) = compared($delivered);
	$have_body =~ s/\n*\z/\n/;
	$want_body =~ s/\n*\z/\n/;
	return 0 if $want_body ne $have_body;
	my %have = map { $_ => 1 } @$have;
	return !grep { !$have{$_} } @$want;
}

# What became of the mails in the folders they were delivered to: how many infected ones arrived as they
# were, and how many without what infected them; clean ones changed or not there; and what came twice.
sub became {
	my ($mails, @folders) = @_;
	my %count = map { $_ => 0 } qw(infected cleaned changed missing twice);
	my %by_id;
	for my $path (map { glob "$_/new/* $_/cur/*" } @folders) {
		my $bytes = read_file($path);
		push @{ $by_id{ Mail::field($bytes, 'message-id') // '' } }, $bytes;
	}
	for my $mail (@$mails) {
		my @found = @{ $by_id{ Mail::field($mail->{bytes}, 'message-id') } // [] };
		$count{twice}++ if @found > 1;
		if ($mail->{infected}) {
			next if !@found;
			$count{ (grep { Mail::eicar_everywhere($_) } @found) ? 'infected' : 'cleaned' }++;
			next;
		}
		$count{missing}++ if !@found;
		$count{changed}++ if grep { !same($mail->{bytes}, $_) } @found;
	}
	return \%count;
}

1;
