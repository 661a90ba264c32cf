#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Waiting in IDLE: mail that comes is fetched at once, over the session that is there, after news
# while nobody listened, a restart of the server and a dead line as well; a server that does it badly
# costs nothing but time.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time);
use Corpus;
use E2E;
use FakeImap;
use Proxy;

my %kind    = (tls => 'imaps', plain => 'imap', cut => 'imap');
my @names   = sort keys %kind;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names });
my $proxy   = Proxy->new(port => $dovecot->{port}{imap}, dir => work('proxy'));
my $corpus  = Corpus->new('idle');
my (%mails, $number);

sub put {
	my ($name, $kind) = @_;
	my $mail = $corpus->mail($kind // 'plain', 'idle' . ++$number);
	push @{ $mails{$name} }, $mail;
	$dovecot->put($name, $mail->{bytes});
}

# How long until so many lines like this are there.
sub seconds {
	my ($run, $like, $count) = @_;
	my $from = time;
	ok(wait_line($run, $like, $count), "$like: $count");
	return time - $from;
}

my @accounts = map { E2E::account($dovecot, $_, $kind{$_}, 'idle-refresh' => '2s') } @names;
for (@accounts) {
	@{ $_->[1] }{qw(source tls)} = ("imap://cut\@127.0.0.1:$proxy->{listening}", 'none') if $_->[0] eq 'cut';
	delete $_->[1]{'tls-ca'} if $_->[0] eq 'cut';
	$_->[1]{timeout} = '2s' if $_->[0] eq 'cut';
}
scanner_start();
put($_, 'eicar-zip') for @names;
my $run = mailfilter_start('-v', '-c', settings('mailfilter.conf', { E2E::global(interval => '1h', jobs => 1) }, @accounts));
ok(wait_line($run, qr/: 1 new, 1 infected/, 3), 'more accounts than jobs: all are served');
my $logins = sub { my $n = () = $dovecot->log =~ /Login: user=<$_[0]>/g; return $n };

put('tls');
cmp_ok(seconds($run, qr/account=tls .*action=delivered/, 1), '<', 3, 'mail that comes is there soon');
put($_, 'eicar-zip') for @names;
cmp_ok(seconds($run, qr/account=$_ .*action=cleaned/, 2), '<', 5, "$_: and infected mail, cleaned") for @names;
is($logins->('tls'), 1, 'by the session that was there');

select undef, undef, undef, 2.5;    # a refresh lies between
put('plain');
cmp_ok(seconds($run, qr/account=plain .*action=delivered/, 1), '<', 3, 'after IDLE was asked for anew, too');

# A line on which nothing comes through any more, and a server that is started anew: over a proxy that
# passes nothing on from the event that it is told.
$proxy->arm(1, 'cut');
ok(wait_line($run, qr/account=cut lost its server/, 1), 'a line that is cut is noticed at the next refresh');
put('cut');
$proxy->arm(0);
ok(wait_line($run, qr/account=cut .*action=delivered/, 1), 'and mail that came meanwhile is fetched once it is back');
$dovecot->crash;
ok(wait_line($run, qr/account=$_ lost its server/, 1), "$_: the server is gone") for qw(tls plain);
put($_) for qw(tls plain);
ok(wait_line($run, qr/$_: .*[Cc]onnection refused/, 1), "$_: it cannot be reached") for qw(tls plain);
ok($dovecot->start, 'it is there again') or die("Dovecot does not start again:\n" . $dovecot->log);
ok(wait_line($run, qr/account=tls .*action=delivered/, 2) && wait_line($run, qr/account=plain .*action=delivered/, 2),
	'and what came meanwhile is fetched, long before the interval is over');
kill 'TERM', $run->{pid};
my $from = time;
finish($run, time - $run->{from} + 30);
cmp_ok(time - $from, '<', 3, 'SIGTERM ends what waits at once');
is($run->{code}, 0, 'with 0');
ok(E2E::group_gone($run->{pid}), 'and none of its processes stays');
is_deeply([ E2E::problems($_, [ served($dovecot, $_) ], $mails{$_}) ], [], "$_: nothing lost, nothing twice")
	for @names;

# Servers that do it in their own way.
my @odd = qw(early together never bye closes drips talks done-no expunge refused bad);
my (%fake, @fakes);
my $body = sub { return "Subject: $_[0]\r\nMessage-ID: <$_[0]\@x>\r\n\r\nHello.\r\n" };
for my $how (@odd) {
	$fake{$how} = FakeImap->start(offers => 'IDLE', idles => [$how], messages => [ { uid => 1, body => $body->("$how-1") } ],
		arrives => { uid => 2, body => $body->("$how-2") }, log => work("$how.log"));
	push @fakes, [ $how, { source => "imap://u\@127.0.0.1:$fake{$how}{port}", tls => 'none', password => 'x', timeout => '1s',
		'idle-refresh' => '20s', interval => '1h', deliver => 'maildir:' . work("out/$how") } ];
}
$run = mailfilter_start('-v', '-c', settings('odd.conf', { E2E::global(jobs => 20) }, @fakes));
for my $how (grep { !/refused|bad/ } @odd) {
	ok(wait_line($run, qr/account=$how .*uid=2 .*action=delivered/, 1), "$how: what comes is not missed");
}
for my $how (qw(refused bad)) {
	ok(wait_line($run, qr/account=$how is visited at its interval/, 1), "$how: it is said once");
}
kill 'USR1', $run->{pid};
ok(wait_line($run, qr/account=$_ .*uid=2 .*action=delivered/, 1), "$_: asked, it looks") for qw(refused bad);
kill 'TERM', $run->{pid};
finish($run, time - $run->{from} + 30);
for my $how (@odd) {
	my $lists = () = read_file(work("$how.log")) =~ /^UID FETCH/mg;
	cmp_ok($lists, '<', 12, "$how: it is not asked again and again");
	my %file = maildir($how);
	is(scalar(keys %file), 2, "$how: each once");
}
done_testing();
