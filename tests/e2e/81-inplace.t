#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Mail that stays in its folder on the server: what is clean keeps UID and flags and every byte; what
# is infected is replaced with flags, keywords and date kept; what other programs do meanwhile is
# respected; and a server that lacks what would be needed, or refuses, harms nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;
use Inplace;
use Proxy;

my @names   = qw(plain kept full);
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names });
my (%mails, %before);

sub imap {
	my ($name) = @_;
	return Imap->new($dovecot->{port}{imap}, $name, 'sesame');
}

# All infected kinds, and every clean one.
sub some_mails {
	my ($name) = @_;
	my $corpus = Corpus->new("inplace-$name");
	return map { $corpus->mail($_, "$name-$_") } @Corpus::CLEAN, @Corpus::INFECTED, @Corpus::CLEAN;
}

sub not_well {
	my ($name, $folder) = @_;
	my %kept = quarantine($name);
	return [ not_as_promised($before{$name}{$folder}, look(imap($name), $folder),
		sub { $kept{ $_[0] } }, @{ $mails{$name}{$folder} }) ];
}

# --- two folders: kept locally, and on the server
for my $name (qw(plain kept)) {
	my $imap = imap($name);
	$imap->command('CREATE "Work and Play"');
	for my $folder ('INBOX', 'Work and Play') {
		$mails{$name}{$folder} = [ some_mails("$name-" . lc substr $folder, 0, 1) ];
		fill($imap, $folder, @{ $mails{$name}{$folder} });
		$before{$name}{$folder} = look($imap, $folder);
	}
}
my $secret = encrypted_mail(Corpus->new('secret'), 'secret');
fill(imap('plain'), 'INBOX', $secret);
my %inplace = (deliver => 'inplace', folders => [ 'INBOX', 'Work and Play' ]);
my $conf = settings('mailfilter.conf', { E2E::global() },
	E2E::account($dovecot, 'plain', 'imaps', %inplace),
	E2E::account($dovecot, 'kept', 'imap', %inplace, 'inplace-quarantine' => 'Quarantäne'));

scanner_start();
my $run = mailfilter('-c', $conf, '--dry-run', '--once');
is($run->{code}, 0, 'a dry run ends with 0');
like($run->{err}, qr/account=plain folder=INBOX uid=\d+ verdict=infected .*would=cleaned/, 'and says what it would do');
is(scalar(() = imap('plain')->messages('INBOX')), 14, 'but does nothing');

$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'the run ends with 0');
$mails{plain}{INBOX} = [ @{ $mails{plain}{INBOX} }, $secret ];
my $tagged = look(imap('plain'), 'INBOX')->{'<secret.secret@example.org>'};
is($tagged->[0]{flags}, '$MailfilterUnscannable', 'what could not be scanned has its keyword')
	or diag($run->{err});
$before{plain}{INBOX}{'<secret.secret@example.org>'} = $tagged;
is($tagged->[0]{sha256}, $secret->{sha256}, 'and all its bytes');
for my $name (qw(plain kept)) {
	is_deeply(not_well($name, $_), [], "$name, $_: all is as it should be") for 'INBOX', 'Work and Play';
}
my @server = imap('kept')->messages('Quarant&AOQ-ne');
is_deeply([ sort map { $_->{sha256} } @server ],
	[ sort map { $_->{sha256} } grep { $_->{infected} } map { @$_ } values %{ $mails{kept} } ],
	'the originals are in the folder on the server');

my %snapshot = map { $_ => [ map { "$_->{uid} $_->{flags} $_->{date} $_->{sha256}" }
	imap('plain')->messages($_) ] } 'INBOX', 'Work and Play';
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'one more run ends with 0');
like($run->{out} . $run->{err}, qr/plain: nothing new/, 'sees nothing new, the cleaned copies neither');
unlike($run->{err}, qr/uid=/, 'and touches no message');
is_deeply([ map { "$_->{uid} $_->{flags} $_->{date} $_->{sha256}" } imap('plain')->messages($_) ], $snapshot{$_},
	"$_: nothing changed") for 'INBOX', 'Work and Play';
ok(!-s work('state/plain/inplace.journal'), 'nothing is left in the journal');
done_testing();
