# SPDX-License-Identifier: ISC
#
# What the tests of delivery in place share: a mailbox filled with flags, keywords and dates, and
# all that is not as promised for it afterwards.
package Inplace;
use strict;
use warnings;
use Corpus;
use Mail;
use Exporter qw(import);

our @EXPORT = qw(fill look not_as_promised encrypted_mail);

my @FLAGS = ('', '\Seen', '\Flagged $Work', '\Seen \Answered holiday $Label2', '\Draft', '\Seen $Forwarded');

# Put these corpus mails into a folder, each with flags and a date of its own.
sub fill {
	my ($imap, $folder, @mails) = @_;
	my $n = 0;
	for (@mails) {
		$imap->append($folder, $_->{bytes}, $FLAGS[$n % @FLAGS],
			sprintf('%02d-Feb-2020 03:04:%02d +0%d00', 1 + $n % 28, $n % 60, $n % 10));
		$n++;
	}
}

# What a folder has, by Message-ID: lists of what Imap's messages gives.
sub look {
	my ($imap, $folder) = @_;
	my %by_id;
	push @{ $by_id{ Mail::field($_->{body}, 'message-id') // '' } }, $_ for $imap->messages($folder);
	return \%by_id;
}

sub facts {
	my ($message) = @_;
	return "$message->{flags}, $message->{date}";
}

# before, after: as look() gives them; mails: as they were put there. kept: sub that tells whether
# an original with this SHA-256 is in quarantine. An empty list is a pass.
sub not_as_promised {
	my ($before, $after, $kept, @mails) = @_;
	my (@problems, %left) = ();
	%left = %$after;
	for my $mail (@mails) {
		my $what = "$mail->{name} ($mail->{kind})";
		my $id   = Mail::field($mail->{bytes}, 'message-id');
		my @now  = @{ delete $left{$id} // [] };
		my $was  = $before->{$id}[0];
		push @problems, "$what: it is there " . @now . ' times' if @now != 1;
		my $now = $now[0] or next;
		push @problems, "$what: " . facts($was) . ' became ' . facts($now) if facts($was) ne facts($now);
		if (!$mail->{infected}) {
			push @problems, "$what: its UID changed"   if $was->{uid} != $now->{uid};
			push @problems, "$what: its bytes changed" if $was->{sha256} ne $now->{sha256};
			next;
		}
		my %leaf = map { $_ => 1 } Mail::leaf_hashes($now->{body});
		push @problems, "$what: EICAR is there still" if grep { Mail::eicar_everywhere($_->{body}) } @now;
		push @problems, "$what: a clean part is gone or changed" if grep { !$leaf{$_} } @{ $mail->{clean} };
		push @problems, "$what: no X-Quarantine-ID" if !defined Mail::field($now->{body}, 'x-quarantine-id');
		push @problems, "$what: the original is not in quarantine" if !$kept->($mail->{sha256});
	}
	push @problems, map { 'unexpected: ' . Mail::field($_->[0]{body}, 'subject') } values %left;
	return @problems;
}

# With a zip that says of itself that it is encrypted.
sub encrypted_mail {
	my ($corpus, $name) = @_;
	my $zip = Corpus::zipped('secret.txt', $corpus->bytes(500));
	substr $zip, 6, 2, pack('v', unpack('v', substr $zip, 6, 2) | 1);
	my $central = index $zip, "PK\x01\x02";
	substr $zip, $central + 8, 2, pack('v', unpack('v', substr $zip, $central + 8, 2) | 1);
	my $bytes = $corpus->header("$name.secret", 'A secret') . $corpus->multipart('mixed',
		Corpus::text_part('see there'), Corpus::file_part('application/zip', 'secret.zip', $zip));
	return { name => $name, kind => 'encrypted', bytes => $bytes, infected => 0, clean => [],
		sha256 => Digest::SHA::sha256_hex($bytes) };
}

1;
