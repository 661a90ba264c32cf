#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# A POP3 mailbox with more than one session deletes at once: what was deleted before the end came is
# gone for good, and the rest is neither fetched again nor left behind.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my $COUNT   = 1300;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { pop => 'sesame' });
my @mails   = map { "From: a\@example.org\r\nMessage-ID: <$_\@pop>\r\nSubject: $_\r\n\r\nText number $_.\r\n" } 1 .. $COUNT;
$dovecot->put('pop', @mails);

my $conf = settings('mailfilter.conf', { E2E::global() }, E2E::account($dovecot, 'pop', 'pop3s', after => 'delete'));

# So many deletions of each session that ended in order.
sub deletions {
	return $dovecot->log =~ m{Logged out .*?del=(\d+)/}g;
}

my $run = mailfilter_start('-c', $conf, '--once');
ok(wait_line($run, qr/account=pop uid=/, 800), 'it is under way');
kill 'KILL', -$run->{pid};
finish($run);
my @left = served($dovecot, 'pop');
cmp_ok(scalar(@left), '<', $COUNT, 'killed in the middle: what a session had deleted is gone');
cmp_ok(scalar(@left), '>', 0, 'and not all of it');

$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'the next run') or diag $run->{err};
is(scalar(served($dovecot, 'pop')), 0, 'all is deleted');
my %file = maildir('pop');
my %seen;
$seen{$_}++ for values %file;
is(scalar(keys %file), $COUNT, 'all is delivered');
is(scalar(grep { !$seen{$_} } @mails), 0, 'each as it was, once');
my @deleted = deletions();
cmp_ok(scalar(@deleted), '>=', 2, 'in several sessions') or diag $dovecot->log;
is(scalar(grep { $_ > 1100 } @deleted), 0, 'none of which deleted all') or diag "@deleted";
done_testing();
