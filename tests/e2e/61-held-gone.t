#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Mail that is held, and that its owner deletes on the server before there is a scanner: it does not count
# as held any more, and what is there still is held, and then delivered.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;
use Corpus;
use E2E;

my %kind    = (local => 'imap', pop => 'pop3');
my @names   = sort keys %kind;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names });
my $corpus  = Corpus->new('held-gone');
my $conf    = settings('mailfilter.conf', { E2E::global('scanner-wait' => '300ms') },
	map { E2E::account($dovecot, $_, $kind{$_}) } @names);

sub imap {
	my ($name) = @_;
	return Imap->new($dovecot->{port}{imap}, $name, 'sesame');
}

# How many are held and done by now.
sub counts {
	my $status = decode_json(mailfilter('-c', $conf, 'status', '--json')->{out});
	return [ map { "$_->{account} $_->{done} $_->{held}" } sort { $a->{account} cmp $b->{account} } @{ $status->{accounts} } ];
}

for my $name (@names) {
	imap($name)->append('INBOX', $corpus->mail('attachment', "$name-$_")->{bytes}) for 1 .. 3;
}
is(mailfilter('-c', $conf, '--once')->{code}, 75, 'without a scanner all is held');
is_deeply(counts(), [ map { "$_ 0 3" } @names ], '  and counts as held');

for my $name (@names) {
	my $imap = imap($name);
	$imap->command('SELECT INBOX');
	$imap->command('UID STORE 2 +FLAGS (\Deleted)');
	$imap->command('UID EXPUNGE 2');
}
my $run = mailfilter('-c', $conf, '--once', '--dry-run');
is_deeply(counts(), [ map { "$_ 0 3" } @names ], 'a dry run changes nothing');
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 75, 'still without a scanner');
like($run->{err}, qr/account=$_ .*gone=1 reason="held, and deleted/, "  $_: one is gone") for @names;
is_deeply(counts(), [ map { "$_ 0 2" } @names ], '  and counts no more');

scanner_start();
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'with a scanner') or diag($run->{err});
is_deeply(counts(), [ map { "$_ 2 0" } @names ], '  the others are delivered');
unlike($run->{err}, qr/gone=/, '  and nothing more is gone');
ok(scanner_stop(), 'the scanner ends in order');
done_testing;
