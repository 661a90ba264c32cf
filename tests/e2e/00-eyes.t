#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The tests' own eyes: what they must see, they see. Nothing here runs the programs.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use MIME::QuotedPrint qw(encode_qp);
use Test::More;
use Corpus;
use E2E;

# EICAR in any decoding, and nowhere else.
my $eicar = Corpus::eicar();
is(length $eicar, 68, 'EICAR has its 68 bytes');
is(sha256_hex($eicar), '275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f', 'and is EICAR');
my %wrapped = (
	raw      => $eicar,
	base64   => encode_base64("junk $eicar junk"),
	'base64 in one line' => encode_base64($eicar, ''),
	'base64 with CRLF'   => "a text\r\n" . encode_base64($eicar x 3, "\r\n"),
	'base64 twice'       => encode_base64(encode_base64($eicar)),
	'quoted-printable'   => encode_qp($eicar, "\n") =~ s/EICAR/=45ICAR/r,
	uuencode => "begin 644 x\n" . pack('u', $eicar) . "`\nend\n",
	zip      => Corpus::zipped('x', $eicar),
	'zip in a zip in base64' => encode_base64(Corpus::zipped('y', Corpus::zipped('x', "$eicar\n"))),
);
ok(Mail::eicar_everywhere("Subject: x\r\n\r\n$wrapped{$_}"), "EICAR is seen: $_") for sort keys %wrapped;
ok(!Mail::eicar_everywhere($_), 'none in an ordinary text') for "Subject: x\r\n\r\nhello\r\n", '', substr $eicar, 1;

my $corpus = Corpus->new('eyes');
my %mail   = map { $_ => $corpus->mail($_, "eyes-$_") } @Corpus::CLEAN, @Corpus::INFECTED;
for (sort keys %mail) {
	is(Mail::eicar_everywhere($mail{$_}{bytes}), $mail{$_}{infected}, "$_: infected or not, as it says");
	my %leaf = map { $_ => 1 } Mail::leaf_hashes($mail{$_}{bytes});
	is(scalar(grep { !$leaf{$_} } @{ $mail{$_}{clean} }), 0, "$_: its clean parts are found");
	unlike($mail{$_}{bytes}, qr/(?<!\r)\n|\r(?!\n)/, "$_: every line ends with CRLF") if $_ ne 'attachment';
}
is(Corpus->new(5)->mail('attachment', 'x')->{sha256}, Corpus->new(5)->mail('attachment', 'x')->{sha256},
	'the same seed gives the same mail');
isnt(Corpus->new(6)->mail('attachment', 'x')->{sha256}, Corpus->new(5)->mail('attachment', 'x')->{sha256},
	'another seed another');

# What was put is what is served, byte for byte, by IMAP and by POP3.
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { a => 'se"cret' =~ s/"//r, b => 'x' });
my @put = ((map { $mail{$_}{bytes} } sort keys %mail), "Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n");
$dovecot->put('a', @put);
$dovecot->put_flagged('a', 'FS', $put[0]);
my @served = served($dovecot, 'a');
is_deeply([ map { $_->{sha256} } @served ], [ map { sha256_hex($_) } @put, $put[0] ], 'IMAP serves what was put');
is_deeply([ map { $_->{flags} } @served[ 0, -1 ] ], [ '', '\Flagged \Seen' ], 'with its flags');
is_deeply([ map { $_->{sha256} } Imap::pop3_messages($dovecot->{port}{pop3}, 'a', 'secret') ],
	[ map { $_->{sha256} } @served ], 'POP3 serves the same');
my $imap = Imap->new($dovecot->{port}{imap}, 'b', 'x');
$imap->append('INBOX', $put[0]);
is(($imap->messages('INBOX'))[0]{sha256}, sha256_hex($put[0]), 'APPEND puts the same bytes');
ok(!eval { Imap->new($dovecot->{port}{imap}, 'b', 'wrong') }, 'a wrong password is refused');

# The comparison names each way to break a promise.
my @mails = map { $mail{$_} } sort keys %mail;
my @seen  = map { { uid => 1, flags => '', sha256 => $_->{sha256} } } @mails;

sub deliver {
	my (%change) = @_;
	for my $mail (@mails) {
		my $bytes = $mail->{bytes};
		if ($mail->{infected}) {
			my %clean = map { $_ => 1 } @{ $mail->{clean} };
			for my $leaf (grep { !$clean{ sha256_hex($_) } } Mail::leaves($bytes)) {
				$bytes = $leaf eq $bytes ? join("\r\n", grep { /^(?:Message-ID|Subject)/ } split /\r\n/, $bytes) . "\r\n\r\ngone\r\n"
					: $bytes =~ s/\Q$leaf\E/Content-Type: text\/plain\r\n\r\ngone\r\n/r;
			}
			$bytes = "X-Virus-Status: Infected\r\n$bytes";
			write_file(work("state/box/quarantine/$mail->{kind}.eml"), $mail->{bytes});
		}
		write_file(work("out/box/new/$mail->{kind}"), $bytes);
	}
	$change{do}->() if $change{do};
	my @problems = E2E::problems('box', \@seen, \@mails);
	File::Path::remove_tree(work('out/box'), work('state/box'));
	return "@problems";
}

sub edit {
	my ($kind, $change) = @_;
	my $path = work("out/box/new/$kind");
	write_file($path, $change->(read_file($path)));
}
is(deliver(), '', 'all as promised: no problem is seen');
my %broken = (
	'lost'            => [ sub { unlink work('out/box/new/plain') }, qr/^eyes-plain \(plain\): delivered 0 times$/ ],
	'twice'           => [ sub { write_file(work('out/box/cur/2:2,S'), $mail{plain}{bytes}) }, qr/delivered 2 times/ ],
	'a changed byte'  => [ sub { edit('plain', sub { $_[0] =~ s/(\w)\.\r\n/$1,\r\n/r }) }, qr/bytes differ/ ],
	'a final newline' => [ sub { edit('text', sub { "$_[0]\r\n" }) }, qr/bytes differ/ ],
	'LF for CRLF'     => [ sub { edit('text', sub { $_[0] =~ s/\r\n/\n/gr }) }, qr/bytes differ/ ],
	'an infected mail as it was' => [ sub { edit('eicar-zip', sub { $mail{'eicar-zip'}{bytes} }) }, qr/EICAR was delivered/ ],
	'a clean part gone' => [ sub { edit('eicar-attachment', sub { $_[0] =~ s/filename="holiday/filename="Holiday/r }) }, qr/clean part/ ],
	'no status'       => [ sub { edit('eicar-uu', sub { $_[0] =~ s/^X-Virus.*\r\n//r }) }, qr/X-Virus-Status/ ],
	'no original'     => [ sub { unlink work('state/box/quarantine/eicar-uu.eml') }, qr/no original in quarantine/ ],
	'a changed original' => [ sub { write_file(work('state/box/quarantine/eicar-uu.eml'), 'x') }, qr/no original.*unexpected in quarantine/ ],
	'something left in tmp' => [ sub { write_file(work('out/box/tmp/1'), 'x') }, qr/left behind/ ],
	'a stranger'      => [ sub { write_file(work('out/box/new/1'), "Message-ID: <1\@x>\r\n\r\n") }, qr/unexpected in the Maildir/ ],
);
like(deliver(do => $broken{$_}[0]), $broken{$_}[1], "seen: $_") for sort keys %broken;

$dovecot->stop;
ok(!IO::Socket::INET->new("127.0.0.1:$dovecot->{port}{imap}"), 'a stopped server is gone');
done_testing();
