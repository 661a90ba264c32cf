# SPDX-License-Identifier: ISC
#
# Looking into mail, for the tests' own judgement: its leaves, and EICAR in any decoding. Reads
# generously, as the most helpful mail program would: what it can find, a user could open.
package Mail;
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use IO::Uncompress::Unzip qw(unzip $UnzipError);
use MIME::Base64 qw(decode_base64);
use MIME::QuotedPrint qw(decode_qp);
use Corpus;

# Header (unfolded, lower-case names) and body of an entity.
sub split_entity {
	my ($entity) = @_;
	my ($head, $body) = split /\r?\n\r?\n/, $entity, 2;
	my %field;
	return (\%field, '') if !defined $head;
	$head =~ s/\r?\n[ \t]+/ /g;
	for (split /\r?\n/, $head) {
		my ($name, $value) = /^([^\s:]+)\s*:\s*(.*)/ or next;
		$field{ lc $name } //= $value;
	}
	return (\%field, $body // '');
}

sub field {
	my ($bytes, $name) = @_;
	return (split_entity($bytes))[0]{ lc $name };
}

# What stands directly in an entity: the parts of a multipart, the message in message/rfc822.
sub parts {
	my ($entity) = @_;
	my ($field, $body) = split_entity($entity);
	my $type = $field->{'content-type'} // 'text/plain';
	return $body if $type =~ m{^message/rfc822}i;
	my ($quoted, $bare) = $type =~ m{^multipart/.*?boundary\s*=\s*(?:"([^"]*)"|([^\s;]+))}i or return;
	my $boundary = $quoted // $bare;
	my @between = split /(?:^|\r?\n)--\Q$boundary\E(?:--)?[ \t]*(?=\r?\n|\z)/, $body;
	shift @between;
	pop @between if $body =~ /--\Q$boundary\E--/;
	return map { s/^\r?\n//r } @between;
}

# The raw leaves of an entity: multiparts and nested messages are opened, not decoded.
sub leaves {
	my @todo = @_;
	my @leaves;
	while (defined(my $one = shift @todo)) {
		my @inside = parts($one);
		push @leaves, $one if !@inside;
		unshift @todo, @inside;
	}
	return @leaves;
}

# The structure for people: a line an entity, [ depth, type, file name, raw bytes ].
sub outline {
	my ($entity, $depth) = (@_, 0);
	my ($field, $body) = split_entity($entity);
	my $type = lc(($field->{'content-type'} // 'text/plain') =~ s/[;\s].*//sr);
	my ($name) = join(' ', map { $_ // '' } @$field{qw(content-disposition content-type)}) =~ /name="?([^";]+)/;
	my @inside = $type =~ m{^multipart/|^message/rfc822$} && $depth < 8 ? parts($entity) : ();
	return ([ $depth, $type, $name // '', $entity ], map { outline($_, $depth + 1) } @inside);
}

sub leaf_hashes {
	my ($entity) = @_;
	return map { sha256_hex($_) } leaves($entity);
}

# Every file that one unpacking step finds in these bytes, whatever they say they are.
sub unpack_once {
	my ($bytes) = @_;
	my @found;
	my ($field, $body) = split_entity($bytes);
	push @found, $body if %$field && length $body;
	push @found, grep { $_ ne $bytes } leaves($bytes) if $bytes =~ /boundary/i;
	push @found, map { decode_base64($_) }
		$bytes =~ m{((?:^[A-Za-z0-9+/]{4,}={0,2}[ \t]*\r?\n?)+)}mg;
	push @found, decode_qp($bytes) if $bytes =~ /=[0-9A-F]{2}/i;
	push @found, map { unpack 'u', s/\r\n/\n/gr }
		$bytes =~ /^begin[ -][0-7 ]*[^\r\n]*\r?\n(.*?)^(?:`\r?\n)?end/msg;
	if ($bytes =~ /PK\x03\x04/) {
		my $archive = substr $bytes, $-[0];
		my $zip = IO::Uncompress::Unzip->new(\$archive);
		for (my $status = 1; $zip && $status > 0; $status = $zip->nextStream) {
			my $member = join '', <$zip>;
			push @found, $member if length $member;
		}
	}
	return @found;
}

# Does EICAR stand in these bytes, in any decoding, to a depth no real mail has?
sub eicar_everywhere {
	my ($bytes) = @_;
	my @todo = ([ $bytes, 0 ]);
	my %seen;
	while (my $one = shift @todo) {
		my ($data, $depth) = @$one;
		return 1 if index($data, Corpus::eicar()) >= 0;
		next if $depth >= 8 || $seen{ sha256_hex($data) }++;
		push @todo, map { [ $_, $depth + 1 ] } unpack_once($data);
	}
	return 0;
}

1;
