#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Mail that is infected by today's signatures where on-infected says to tag it: "mailfilter rescan" tags it
# once, in a Maildir by a header, in place by a keyword. With the next signatures it stands as it is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my $MARK    = 'this-is-what-nobody-knew-yesterday';
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } qw(local place) });
my $corpus  = Corpus->new('rescan-tag');

sub imap {
	my ($name) = @_;
	return Imap->new($dovecot->{port}{imap}, $name, 'sesame');
}

sub fresh_signatures {
	my (@marks) = @_;
	write_file(work('signatures/own.ndb.new'),
		join('', map { "Test.Late$_:0:*:" . unpack('H*', $marks[$_]) . "\n" } 0 .. $#marks), 0644);
	rename work('signatures/own.ndb.new'), work('signatures/own.ndb') or die "rename: $!\n";
	scanner_stop();
	return scanner_start(signatures => [ 'test', work('signatures') ]);
}

sub late {
	my @file = map { read_file($_) } glob work('out/local/new/*');
	return grep { /^Subject: Late/m } @file;
}

my $mail = $corpus->header('late', 'Late') . $corpus->multipart('mixed', Corpus::text_part("Some text.\r\n"),
	Corpus::file_part('application/octet-stream', 'late.bin', "$MARK\n"));
imap($_)->append('INBOX', $mail) for qw(local place);
my $conf = settings('mailfilter.conf', { E2E::global() },
	E2E::account($dovecot, 'local', 'imap', 'on-infected' => 'tag'),
	E2E::account($dovecot, 'place', 'imap', 'on-infected' => 'tag', deliver => 'inplace'));

mkdir work('signatures') if !-d work('signatures');
fresh_signatures('something else');
is(mailfilter('-c', $conf, '--once')->{code}, 0, 'all is delivered');
fresh_signatures('something else', $MARK);
my $run = mailfilter('-c', $conf, 'rescan');
is($run->{code}, 0, 'a signature comes') or diag($run->{out}, $run->{err});
like($run->{out}, qr/^local: 1 scanned again, 1 infected, 1 replaced$/m, 'it is tagged in the Maildir');
like($run->{out}, qr/^place: 1 scanned again, 1 infected, 1 to be replaced/m, '  and in place');
my @late = late();
is(scalar @late, 1, 'it stands there once');
like($late[0] // '', qr/^X-Virus-Status: Infected/m, '  with its tag');
like($late[0] // '', qr/late\.bin/, '  and its attachment');
my @place = map { "$_->{uid} $_->{flags} $_->{sha256}" } imap('place')->messages('INBOX');
like("@place", qr/\$Mailfilter/, 'in place it has a keyword');

for my $n (1 .. 2) {
	fresh_signatures('something else', $MARK, "number $n");
	$run = mailfilter('-c', $conf, 'rescan');
	is($run->{code}, 0, 'other signatures') or diag($run->{out}, $run->{err});
	like($run->{out}, qr/^$_: 1 scanned again, 1 infected, 1 left as they are$/m, "  $_: it is known")
		for qw(local place);
	is_deeply([ late() ], \@late, '  it stands as it stood');
	is_deeply([ map { "$_->{uid} $_->{flags} $_->{sha256}" } imap('place')->messages('INBOX') ], \@place,
		'  and in place');
}
ok(scanner_stop(), 'the scanner ends in order');
done_testing;
