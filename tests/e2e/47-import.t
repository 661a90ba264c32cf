#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Taking over from another program: what a real mbsync, and where they are installed getmail and mpop,
# have fetched is passed over by the first run, which delivers what is new. Whose file it is, what it
# looks like and who else is at work is checked before anything is written.
use strict;
use warnings;
use Fcntl qw(:flock);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my @names   = qw(box pop);
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names });
my $corpus  = Corpus->new('import');
my $count   = 0;

sub put {
	my ($name, $number) = @_;
	my @mails = map { $corpus->mail('plain', sprintf 'import%03d', $count++) } 1 .. $number;
	$dovecot->put($name, map { $_->{bytes} } @mails);
	return @mails;
}
put($_, 6) for @names;

my ($imap, $pop3) = @{ $dovecot->{port} }{qw(imap pop3)};
my $conf = settings('mailfilter.conf', { E2E::global() }, E2E::account($dovecot, 'box', 'imaps'),
	E2E::account($dovecot, 'other', 'imaps', source => $dovecot->url('box', 'imaps'), password => 'sesame'),
	E2E::account($dovecot, 'pop', 'pop3s'),
	E2E::account($dovecot, 'getmail', 'pop3s', source => $dovecot->url('pop', 'pop3s'), password => 'sesame'),
	E2E::account($dovecot, 'fdm', 'pop3s', source => $dovecot->url('pop', 'pop3s'), password => 'sesame'));

sub import_it { return mailfilter('-c', $conf, 'import', @_) }

# Another program to its end; true if it ended well.
sub command {
	my (@argv) = @_;
	local $ENV{HOME} = work('home');
	return 0 == system("@argv >>" . work('others.log') . ' 2>&1 </dev/null');
}
mkdir work($_) for qw(home near get);

# --- mbsync
my $near = work('near');
my $rc   = E2E::write_file(work('mbsyncrc'), <<"END", 0600);
IMAPAccount box
Host 127.0.0.1
Port $imap
User box
Pass sesame
SSLType None
AuthMechs LOGIN

IMAPStore server
Account box

MaildirStore here
Path $near/
Inbox $near/INBOX

Channel box
Far :server:
Near :here:
Create Near
Sync Pull
SyncState *
END
ok(command('mbsync', '-c', $rc, 'box'), 'mbsync fetches') or diag E2E::read_file(work('others.log'));
my @fetched = glob "$near/INBOX/new/* $near/INBOX/cur/*";
is(scalar(@fetched), 6, 'all that is there');
my $file  = "$near/INBOX/.mbsyncstate";
my $state = E2E::read_file($file);
my $older = E2E::write_file(work('older'), $state =~ s/^FarUidValidity \d+/FarUidValidity 7/r, 0600);
my $cut   = E2E::write_file(work('cut'), substr($state, 0, -1), 0600);

for (
	[ 64, qr/^usage/m, 'box' ],
	[ 64, qr/cannot import from offlineimap/, 'box', 'offlineimap', $file ],
	[ 64, qr/POP3 has no folders/, '--folder', 'INBOX', 'pop', 'mpop', $file ],
	[ 64, qr/pop is no account that mbsync could serve/, 'pop', 'mbsync', $file ],
	[ 64, qr/has no logins in it/, '--login', 'a@b', 'box', 'mbsync', $file ],
	[ 65, qr/cut:\d+: the line has no end/, 'box', 'mbsync', $cut ],
	[ 65, qr/mbsyncstate:1: this is no line of an oldmail file/, 'box', 'getmail', $file ],
	[ 65, qr/its UIDVALIDITY is not that of the file before/, 'box', 'mbsync', $file, $older ],
	[ 66, qr/none/, 'box', 'mbsync', work('none') ],
	[ 64, qr/no account nobody/, 'nobody', 'mbsync', $file ],
	)
{
	my ($code, $like, @args) = @$_;
	my $run = import_it(@args);
	is($run->{code}, $code, "import @args: $code");
	like($run->{err}, $like, '  and says why');
}
my $journal = E2E::write_file("$file.journal", '', 0600);
is(import_it('box', 'mbsync', $file)->{code}, 75, 'a journal of mbsync: 75');
unlink $journal;
ok(!-e work('state/box/state.db'), 'nothing was written so far');

my $run = import_it('box', 'mbsync', $file);
is($run->{code}, 0, 'import') or diag $run->{err};
is($run->{out}, "box: 6 imported, 0 already known\n", '  all');
is(import_it('--json', 'box', 'mbsync', $file)->{out}, qq({"account":"box","imported":0,"known":6,"older":0}\n), '  once');
$run = import_it('box', 'mbsync', $older);
is($run->{code}, 65, 'a file of another UIDVALIDITY: 65');
like($run->{err}, qr/UIDVALIDITY 7, but another one/, '  and says why');

# --- POP3
my @uidls     = map { $_->{uid} } Imap::pop3_messages($pop3, 'pop', 'sesame');
my $fetchids  = E2E::write_file(work('fetchids'), join('', "a\@b c\n", map { "pop\@localhost $_\n" } @uidls), 0600);
my $fdm_cache = E2E::write_file(work('fdm-cache'), join('', map { length($_) . " $_\n" } @uidls), 0600);
is(import_it('fdm', 'fdm', $fdm_cache)->{out}, "fdm: 6 imported, 0 already known\n", 'fdm');
$run = import_it('pop', 'fetchmail', $fetchids);
is($run->{code}, 65, 'fetchmail, by another name of the host: 65');
like($run->{err}, qr/nothing of pop\@127\.0\.0\.1, but of a\@b: --login/, '  and says whose it is');
is(import_it('--login', 'pop@localhost', 'pop', 'fetchmail', $fetchids)->{out}, "pop: 6 imported, 0 already known\n", 'with the name');

my $uidl = work('uidls');
my $mpop = E2E::write_file(work('mpoprc'), <<"END", 0600);
account pop
host 127.0.0.1
port $pop3
user pop
password sesame
auth user
tls off
keep on
delivery mbox @{[ work('mpop.mbox') ]}
uidls_file $uidl
END
E2E::write_file(work('get/getmailrc'), <<"END", 0600);
[retriever]
type = SimplePOP3Retriever
server = 127.0.0.1
port = $pop3
username = pop
password = sesame
[destination]
type = MDA_external
path = /bin/true
allow_root_commands = true
[options]
read_all = false
END
SKIP: {
	skip 'no getmail', 2 if !command('getmail', '--version');
	ok(command('getmail', '--getmaildir', work('get'), '--rcfile', 'getmailrc'), 'getmail fetches') or diag E2E::read_file(work('others.log'));
	is(import_it('getmail', 'getmail', glob work('get/oldmail-*'))->{out}, "getmail: 6 imported, 0 already known\n", '  and is imported');
}
SKIP: {
	skip 'no mpop', 2 if !command('mpop', '--version');
	ok(command('mpop', '-C', $mpop, 'pop'), 'mpop fetches') or diag E2E::read_file(work('others.log'));
	is(import_it('pop', 'mpop', $uidl)->{out}, "pop: 0 imported, 6 already known\n", '  the same');
}

# --- the first run
my $only = sub { map { ('--account', $_) } @_ };
import_it('other', 'mbsync', $older);
my %mails = map { $_ => [ put($_, 2) ] } @names;
$mails{fdm} = $mails{pop};
$run = mailfilter('-c', $conf, $only->('box', 'pop', 'fdm'), '--once');
is($run->{code}, 0, 'the first run') or diag $run->{err};
for my $name (qw(box pop fdm)) {
	my @served = map { { sha256 => $_->{sha256} } } @{ $mails{$name} };
	is_deeply([ E2E::problems($name, \@served, $mails{$name}) ], [], "$name: delivers what is new, and nothing else");
}
my $before = E2E::snapshot(qw(box pop fdm));
$run = mailfilter('-c', $conf, $only->('box', 'pop', 'fdm'), '--once');
like($run->{out}, qr/box: nothing new/, 'the second one: nothing new');
is_deeply(E2E::snapshot(qw(box pop fdm)), $before, '  and nothing changes');
is(import_it('box', 'mbsync', $file)->{out}, "box: 0 imported, 6 already known\n", 'imported again: nothing new');
my $why = mailfilter('-c', $conf, 'why', 'box', '1')->{out};
like($why, qr{^box INBOX/1: passed\n.*imported: mbsync had fetched it.*since, import}s, 'why') or diag $why;

$run = mailfilter('-c', $conf, $only->('other'), '--once');
is($run->{code}, 75, 'the UIDVALIDITY is not that of the file: refused');
like($run->{err}, qr/6 of them were imported.*nothing is fetched, so that nothing comes twice/, '  and says why');
is(scalar(() = maildir('other')), 0, '  and delivers nothing');

# --- while the account is served
my $lock = work('state/box/lock');
E2E::write_file($lock, "$$\n", 0600);
open(my $held, '+<', $lock) or die "$lock: $!\n";
flock($held, LOCK_EX | LOCK_NB) or die "$lock: $!\n";
$run = import_it('box', 'mbsync', $file);
is($run->{code}, 75, 'import while another serves the account: 75');
like($run->{err}, qr/already at work.*\b$$\b/, '  and says which process') or diag $run->{err};
close $held;
is(import_it('box', 'mbsync', $file)->{code}, 0, 'afterwards: 0');
done_testing();
