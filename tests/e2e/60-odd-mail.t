#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Mail that no one should have sent: too large, of too many or too deep parts, gone when it is
# asked for, or without a body. Nothing of it is lost or passed unseen, and the others go on.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use FakeImap;
use E2E;

my $dovecot = Dovecot->new(dir => work('dovecot'), users => { odd => 'sesame', pop => 'sesame' });
my $corpus  = Corpus->new('odd');
my $head    = sub { $corpus->header($_[0], "the $_[0] one") };

sub of_parts {
	my ($count) = @_;
	return $head->('parts') . "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
		. join('', map { "--b\r\nContent-Type: text/plain\r\n\r\npart $_\r\n" } 1 .. $count) . "--b--\r\n";
}

sub nested {
	my ($depth) = @_;
	return $head->('nested') . join('', map {
		"Content-Type: multipart/mixed; boundary=b$_\r\n\r\n--b$_\r\n"
	} 1 .. $depth) . "Content-Type: text/plain\r\n\r\nthe innermost\r\n"
		. join('', map { "\r\n--b$_--\r\n" } reverse 1 .. $depth);
}

my $large = $head->('large') . "Content-Type: application/octet-stream\r\n"
	. "Content-Transfer-Encoding: base64\r\n\r\n" . ('A' x 76 . "\r\n") x int(80 * 1024 * 1024 / 78);
my %odd = (parts => of_parts(10_000), nested => nested(1000));
my @ordinary = map { $corpus->mail($_, "odd-$_") } 'plain', 'attachment', 'eicar-zip';
my @mails = ($ordinary[0]{bytes}, $large, $odd{parts}, $ordinary[1]{bytes}, $odd{nested}, $ordinary[2]{bytes});
$dovecot->put($_, @mails) for qw(odd pop);

my @fakes = (
	{ uid => 3, body => $ordinary[0]{bytes} },
	{ uid => 5, body => undef },
	{ uid => 7, body => 'listed, then gone', gone => 1 },
	{ uid => 9, body => $ordinary[1]{bytes} },
);
my $fake = FakeImap->new(@fakes);
my $conf = settings('mailfilter.conf', { E2E::global('message-max' => '50M') },
	E2E::account($dovecot, 'odd', 'imaps'), E2E::account($dovecot, 'pop', 'pop3s'),
	[ 'fake', { source => "imap://fake\@127.0.0.1:$fake->{port}", tls => 'none', password => 'x',
		deliver => 'maildir:' . work('out/fake') } ]);

scanner_start();
my $run = mailfilter('-c', $conf, '--once');
is($run->{late}, undef, 'the run ends in time');
is($run->{code}, 75, 'something is newly parked: 75');

# How a mail came out, by its subject or Message-ID: as it is, cleaned, or as a notice about it.
for my $name (qw(odd pop)) {
	my %file = maildir($name);
	my %kept = quarantine($name);
	my %sum  = map { sha256_hex($_) => 1 } values %file;
	ok($sum{ $_->{sha256} }, "$name: $_->{name} beside them is delivered unchanged") for @ordinary[ 0, 1 ];
	ok($kept{ $ordinary[2]{sha256} }, "$name: the infected one beside them is in quarantine");
	is(scalar(keys %file), 6, "$name: one delivery for each of six mails");
	is(scalar(grep { length > 1024 * 1024 } values %file), 0, "$name: the 80 MB stay on the server");
	for my $what (sort keys %odd) {
		my $hash = sha256_hex($odd{$what});
		ok($sum{$hash} || $kept{$hash}, "$name: the $what mail is delivered unchanged or kept in quarantine");
	}
	is(scalar(grep { Mail::eicar_everywhere($_) } values %file), 0, "$name: no EICAR");
}
is(scalar(served($dovecot, 'odd')), 6, 'all of it is still on the server');

my %file = maildir('fake');
my %sum  = map { sha256_hex($_) => 1 } values %file;
ok($sum{ $ordinary[$_]{sha256} }, 'mail beside a missing body is delivered') for 0, 1;
is(scalar(keys %file), 3, 'a mail without a body gives one notice, one that vanished nothing');
like($run->{err}, qr/account=fake folder=INBOX uid=5 /, 'the log names the one without a body');

my $after = E2E::snapshot(qw(odd pop fake));
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'run again: what was parked is not parked anew, 0');
is_deeply(E2E::snapshot(qw(odd pop fake)), $after, 'run again: no second notice, nothing changed');
done_testing();
