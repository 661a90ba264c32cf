#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Folders by pattern, with every kind of name, levels apart by a dot; moved to the trash that the
# server marks; renamed, deleted and new ones between two runs.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my $dovecot = Dovecot->new(dir => work('dovecot'), users => { folders => 'sesame', bin => 'sesame' }, more => <<'END');
namespace inbox {
  inbox = yes
  mailbox Abfall {
    special_use = \Trash
    auto = create
  }
  mailbox Alles {
    special_use = \All
    auto = create
  }
}
END
my $corpus = Corpus->new('folders');
my $count  = 0;
my (%in, @mails);    # of folders as they are on the wire

sub with_imap {
	my ($user, $do) = @_;
	my $imap = $dovecot->imap($user);
	my @result = $do->($imap);
	$imap->close;
	return @result;
}

sub put {
	my ($user, $folder, @kinds) = @_;
	with_imap($user, sub {
		my ($imap) = @_;
		eval { $imap->command(qq(CREATE "$folder")) };
		for (@kinds) {
			my $mail = $corpus->mail($_, sprintf 'folders%02d', $count++);
			$imap->append($folder, $mail->{bytes});
			push @{ $in{$folder} }, $mail;
		}
	});
}

put('folders', 'INBOX', 'plain', 'eicar-zip');
put('folders', 'Lists.one', 'plain');
put('folders', 'Lists.one.deep', 'attachment');
put('folders', 'Lists.spam', 'plain');
put('folders', 'Entw&APw-rfe &- &U,BTFw-', 'plain', 'eicar-zip');
put('folders', 'Other', 'plain');
put('folders', 'Alles', 'plain');

my @folders = ('INBOX', 'Lists/*', '!Lists/spam', 'Entw*', '%es');
my $conf = settings('mailfilter.conf', { E2E::global() },
	E2E::account($dovecot, 'folders', 'imaps', folders => \@folders));

sub in_order {
	my ($what, @wanted) = @_;
	my @served = map { my $folder = $_; with_imap('folders', sub { $_[0]->messages($folder) }) } @wanted;
	is_deeply([ E2E::problems('folders', \@served, [ map { @{ $in{$_} } } @wanted ]) ], [], $what);
}

scanner_start();
my $run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'a run over patterns');
my @wanted = ('INBOX', 'Lists.one', 'Lists.one.deep', 'Entw&APw-rfe &- &U,BTFw-');
in_order('all that is meant is delivered once, and nothing else', @wanted);
like($run->{err}, qr/folder=(?:"?)Entwürfe & 台北/, 'names are in the log as people read them') or diag $run->{err};

# One is renamed, one deleted, one new.
with_imap('folders', sub {
	$_[0]->command('RENAME "Lists.one.deep" "Lists.zwei"');
	$_[0]->command('DELETE "Entw&APw-rfe &- &U,BTFw-"');
});
my @gone = @{ $in{'Entw&APw-rfe &- &U,BTFw-'} };
$in{'Lists.zwei'} = delete $in{'Lists.one.deep'};
put('folders', 'Lists.drei', 'plain');
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'folders that are gone are no failure') or diag $run->{err};
like($run->{out}, qr/folders: 1 new/, 'only the mail of the new folder is new');
$run = mailfilter('-c', $conf, '--once');
like($run->{out}, qr/folders: nothing new/, 'run again: nothing new');

# To the trash, which is not fetched itself.
put('bin', 'Old', 'plain', 'attachment');
my $bin = settings('bin.conf', { E2E::global() },
	E2E::account($dovecot, 'bin', 'imaps', folders => ['*'], after => 'trash'));
$run = mailfilter('-c', $bin, '--once');
is($run->{code}, 0, 'after = trash') or diag $run->{err};
is(scalar(with_imap('bin', sub { $_[0]->messages('Abfall') })), 2, 'the mail is in the trash');
is(scalar(with_imap('bin', sub { $_[0]->messages('Old') })), 0, 'and nowhere else');
$run = mailfilter('-c', $bin, '--once');
like($run->{out}, qr/bin: nothing new/, 'the trash is not fetched');

# A named folder must be there.
$conf = settings('mailfilter.conf', { E2E::global() },
	E2E::account($dovecot, 'folders', 'imaps', folders => [ 'Lists/*', 'Nowhere' ]));
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 75, 'a named folder that is not there: 75');
like($run->{err}, qr/Nowhere/, 'and it is named');
done_testing();
