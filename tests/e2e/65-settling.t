#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Servers that can little, and lines that break: what was delivered is settled once, nothing of
# anybody else's is expunged, no copy is made twice, and fetching goes on where it ended.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use FakeImap;
use E2E;

my $corpus = Corpus->new('settling');
my $count  = 0;
my %mails;

# An account of a server that behaves so, with six messages.
sub an_account {
	my ($name, $option, %server) = @_;
	$mails{$name} = [ map { $corpus->mail($_, sprintf 'settle%02d', $count++) } ('plain', 'attachment', 'eicar-zip') x 2 ];
	my $uid  = 10;
	my $fake = FakeImap->start(log => work("$name.log"), messages =>
		[ map { { uid => $uid++, body => $_->{bytes} } } @{ $mails{$name} } ], %server);
	return ($fake, [ $name, { source => "imap://x\@127.0.0.1:$fake->{port}", tls => 'none', password => 'x',
		deliver => 'maildir:' . work("out/$name"), %$option } ]);
}

# The server's own word on a folder.
sub look {
	my ($fake, $folder) = @_;
	my $imap = bless { socket => Imap::dial($fake->{port}), tag => 0 }, 'Imap';
	$imap->line;
	my @messages = eval { $imap->messages($folder) };
	$imap->close;
	return @messages;
}

my %case = (
	'no UIDPLUS'      => [ { after => 'delete' } ],
	'no MOVE'         => [ { after => 'move:Done' }, offers => 'UIDPLUS-not' ],
	'COPY unanswered' => [ { after => 'move:Done' }, breaks => { 'UID COPY' => 1 } ],
	'STORE unanswered' => [ { after => 'move:Done' }, breaks => { 'UID STORE' => 2 } ],
	'bodies cut'      => [ { after => 'flag' }, cuts => 3 ],
);
my (@accounts, %fake);
for my $what (sort keys %case) {
	my $name = $what =~ tr/ /_/r;
	($fake{$what}, my $account) = an_account($name, @{ $case{$what} });
	push @accounts, $account;
}
my $conf = settings('mailfilter.conf', { E2E::global() }, @accounts);

scanner_start();
for my $turn ('first', 'second') {
	my $run = mailfilter('-c', $conf, '--once');
	is($run->{code}, 0, "the $turn run") or diag $run->{err};
	like($run->{out}, qr/^\w+: nothing new$/m, "the $turn run: nothing new") if $turn eq 'second';
}
for my $what (sort keys %case) {
	my $name  = $what =~ tr/ /_/r;
	my $after = $case{$what}[0]{after};
	is_deeply([ E2E::problems($name, $mails{$name}, $mails{$name}) ], [], "$what: each mail is delivered once");
	my @inbox = look($fake{$what}, 'INBOX');
	my $flag  = $after eq 'flag' ? '\Flagged' : '\Deleted';
	is_deeply([ map { $_->{flags} } @inbox ], [ ($flag) x 6 ], "$what: each is marked $flag, none is gone");
	if ($after =~ /move/) {
		my %copies;
		$copies{ $_->{sha256} }++ for look($fake{$what}, 'Done');
		is_deeply(\%copies, { map { $_->{sha256} => 1 } @{ $mails{$name} } }, "$what: each is copied once");
	}
	unlike(read_file(work("$name.log")), qr/EXPUNGE|^CLOSE/m, "$what: nothing is expunged");
}
my $fetched = () = read_file(work('bodies_cut.log')) =~ /^UID FETCH 1[0-5]\S* \(UID BODY\.PEEK\[\]\)/mg;
is($fetched, 4, 'a fetch that is cut off goes on behind what came') or diag read_file(work('bodies_cut.log'));
done_testing();
