#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Servers that lie, stall, flood and fall silent, all at once: each ends in time with a line in the
# log that says why, takes no memory to speak of, and the account beside them is served as ever.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use Hostile;
use E2E;

my $size = length $Hostile::mail;
my $meg  = 'x' x (1024 * 1024);

# NAME => [ what the log must say of it, how the server behaves ].
sub body {
	my ($text) = @_;
	return { BODY => $text };
}
my %imap = (
	'silent' => [ qr/no answer from 127/, { GREETING => \&Hostile::silence } ],
	'closes-at-once' => [ qr/closed the connection/, { GREETING => sub { 0 } } ],
	'garbage' => [ qr/a NUL outside/, { GREETING => sub { Hostile::flood($_[0], "\x00\xff\x80garbage") } } ],
	'web-server' => [ qr/no answer from 127/, { GREETING => "HTTP/1.1 400 Bad Request\r\n\r\n" } ],
	'endless-greeting' => [ qr/an endless line/, { GREETING => sub { Hostile::flood($_[0], 'x') } } ],
	'drip-greeting' => [ qr/no answer from 127/, { GREETING => sub { Hostile::drip($_[0], "* OK " . 'x' x 300) } } ],
	'greets-with-bye' => [ qr/full up/, { GREETING => "* BYE full up\r\n" } ],
	'preauth' => [ qr/action=delivered/, { GREETING => "* PREAUTH welcome\r\n" } ],
	'null-greeting' => [ qr/a list in a status code/, { GREETING => "* OK [BADCHARSET (a)] \x00\r\n" } ],
	'no-capability' => [ qr/greets like no IMAP/, { CAPABILITY => "TAG NO\r\n", GREETING => "* OK\r\n" } ],
	'endless-plus' => [ qr/asks on behind the answer of AUTHENTICATE PLAIN/, { AUTHENTICATE => sub { Hostile::flood($_[0], "+ more\r\n") } } ],
	'login-stalls' => [ qr/no answer from 127/, { AUTHENTICATE => \&Hostile::silence } ],
	'select-no' => [ qr/gone fishing/, { SELECT => "TAG NO gone fishing\r\n" } ],
	'no-uidvalidity' => [ qr/no UIDVALIDITY/, { SELECT => "* 1 EXISTS\r\nTAG OK done\r\n" } ],
	'uidvalidity-zero' => [ qr/no UIDVALIDITY/, { SELECT => "* 1 EXISTS\r\n* OK [UIDVALIDITY 0]\r\nTAG OK done\r\n" } ],
	'endless-untagged' => [ qr/an endless answer/, { SELECT => sub { Hostile::flood($_[0], "* 1 EXISTS\r\n") } } ],
	'endless-flags' => [ qr/an endless answer/, { SELECT => sub { Hostile::flood($_[0], "* FLAGS (\\a)\r\n") } } ],
	'deep-structure' => [ qr/nested too deep/, { SELECT => sub { my $c = $_[0]; syswrite $c, '* 1 FETCH (BODYSTRUCTURE ';
		Hostile::flood($c, '(') } } ],
	'line-without-end' => [ qr/nested too deep|an endless line/, { 'UID SEARCH' => sub { Hostile::flood($_[0], '* SEARCH 3 3 3 ') },
		'UID FETCH' => sub { Hostile::flood($_[0], '* 1 FETCH (FLAGS (\\a ') } } ],
	'wrong-tag' => [ qr/no answer from 127/, { SELECT => "nobody1 OK done\r\n" } ],
	'huge-literal' => [ qr/action=parked reason="the session ended 3 times/, body("* 1 FETCH (UID 3 BODY[] {4294967299}\r\nabc)\r\nTAG OK done\r\n") ],
	'literal-2-64' => [ qr/action=parked reason="the session ended 3 times/, body("* 1 FETCH (UID 3 BODY[] {18446744073709551617}\r\na)\r\nTAG OK done\r\n") ],
	'negative-literal' => [ qr/action=parked reason="the session ended 3 times/, body("* 1 FETCH (UID 3 BODY[] {-1}\r\nabc)\r\nTAG OK done\r\n") ],
	'endless-literal' => [ qr/action=parked reason="the session ended 3 times/, { BODY => sub {
		syswrite $_[0], "* 1 FETCH (UID 3 BODY[] {2000000000}\r\n"; Hostile::flood($_[0], $meg) } } ],
	'literal-cut-off' => [ qr/action=parked reason="the session ended 3 times/, { BODY => sub { syswrite $_[0], "* 1 FETCH (UID 3 BODY[] {500}\r\nabc"; 0 } } ],
	'literal-reset' => [ qr/action=parked reason="the session ended 3 times/, { BODY => sub { syswrite $_[0], "* 1 FETCH (UID 3 BODY[] {500}\r\nabc";
		Hostile::reset_it($_[0]) } } ],
	'literal-drips' => [ qr/action=parked reason="the session ended 3 times/, { BODY => sub { syswrite $_[0], "* 1 FETCH (UID 3 BODY[] {500}\r\n";
		Hostile::drip($_[0], 'x' x 500) } } ],
	'literal-elsewhere' => [ qr/a list in a status code/, { SELECT => sub { syswrite $_[0], "* OK [UIDVALIDITY {90000000}\r\n";
		Hostile::flood($_[0], $meg) } } ],
	'another-uid' => [ qr/vanished before it was fetched/, body("* 1 FETCH (UID 4 BODY[] {$size}\r\n$Hostile::mail)\r\nTAG OK done\r\n") ],
	'uid-over-32-bits' => [ qr/action=delivered/, body("* 1 FETCH (UID 4294967299 BODY[] {$size}\r\n$Hostile::mail)\r\nTAG OK done\r\n") ],
	'body-null-byte' => [ qr/action=parked reason="the session ended 3 times/, body("* 1 FETCH (UID 3\x00 BODY[] {3}\r\nabc)\r\nTAG OK done\r\n") ],
	'body-after-bye' => [ qr/action=parked reason="the session ended 3 times/, body("* BYE shutting down\r\n* 1 FETCH (UID 3 BODY[] {3}\r\nabc)\r\nTAG OK done\r\n") ],
	'size-lies' => [ qr/action=parked reason="the session ended 3 times/, { BODY => sub { my $n = 80 * 1024 * 1024;
		syswrite $_[0], "* 1 FETCH (UID 3 BODY[] {$n}\r\n"; Hostile::flood($_[0], $meg) } } ],
	'no-starttls' => [ qr/offers no STARTTLS/, {}, 'verify' ],
	'starttls-no' => [ qr/STARTTLS: the server refuses: not now/, { GREETING => "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n",
		CAPABILITY => "* CAPABILITY IMAP4rev1 STARTTLS\r\nTAG OK done\r\n", STARTTLS => "TAG NO not now\r\n" }, 'verify' ],
	'starttls-injected' => [ qr/somebody may be in between/, { GREETING => "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n",
		CAPABILITY => "* CAPABILITY IMAP4rev1 STARTTLS\r\nTAG OK done\r\n",
		STARTTLS => "TAG OK begin\r\n* PREAUTH you are in\r\n" }, 'verify' ],
	'starttls-stalls' => [ qr/no answer from 127/, { GREETING => "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n",
		CAPABILITY => "* CAPABILITY IMAP4rev1 STARTTLS\r\nTAG OK done\r\n",
		STARTTLS => sub { print { $_[0] } "$_[1] OK begin\r\n"; Hostile::silence($_[0]) } }, 'verify' ],
);
my %pop3 = (
	'silent' => [ qr/no answer from 127/, { GREETING => \&Hostile::silence } ],
	'greets-with-err' => [ qr/full up/, { GREETING => "-ERR full up\r\n" } ],
	'garbage' => [ qr/a NUL outside/, { GREETING => sub { Hostile::flood($_[0], "\x00\xff") } } ],
	'drip-greeting' => [ qr/no answer from 127/, { GREETING => sub { Hostile::drip($_[0], '+OK ' . 'x' x 300) } } ],
	'endless-capa' => [ qr/CAPA: an endless answer/, { CAPA => sub { Hostile::flood($_[0], "+OK\r\n" x 10) } } ],
	'endless-list' => [ qr/is no message number|more than/, { LIST => sub { my $n = 0; print { $_[0] } "+OK\r\n";
		1 while defined syswrite $_[0], join '', map { $n++; "$n 10\r\n" } 1 .. 5000; 0 } } ],
	'endless-uidl' => [ qr/is no message number|more than/, { UIDL => sub { my $n = 0; print { $_[0] } "+OK\r\n";
		1 while defined syswrite $_[0], join '', map { $n++; "$n u$n\r\n" } 1 .. 5000; 0 } } ],
	'uidl-long-line' => [ qr/an endless line/, { UIDL => sub { print { $_[0] } "+OK\r\n1 "; Hostile::flood($_[0], 'u') } } ],
	'list-negative' => [ qr/"-5" is no size/, { LIST => "+OK\r\n1 -5\r\n.\r\n" } ],
	'list-huge' => [ qr/is no size/, { LIST => "+OK\r\n1 99999999999999999999999\r\n.\r\n" } ],
	'list-number-zero' => [ qr/"0" is no message number/, { LIST => "+OK\r\n0 10\r\n.\r\n", UIDL => "+OK\r\n0 a\r\n.\r\n" } ],
	'retr-endless' => [ qr/action=parked reason="the session ended 3 times/, { RETR => sub { print { $_[0] } "+OK\r\n"; Hostile::flood($_[0], "$meg\r\n") } } ],
	'retr-cut-off' => [ qr/action=parked reason="the session ended 3 times/, { RETR => sub { print { $_[0] } "+OK\r\nFrom: a\r\n\r\nhal"; 0 } } ],
	'retr-reset' => [ qr/action=parked reason="the session ended 3 times/, { RETR => sub { print { $_[0] } "+OK\r\nFrom: a\r\n"; Hostile::reset_it($_[0]) } } ],
	'retr-drips' => [ qr/action=parked reason="the session ended 3 times/, { RETR => sub { print { $_[0] } "+OK\r\n"; Hostile::drip($_[0], 'x' x 300) } } ],
	'pass-stalls' => [ qr/no answer from 127/, { PASS => \&Hostile::silence } ],
	'no-stls' => [ qr/offers no STLS/, {}, 'verify' ],
	'stls-injected' => [ qr/somebody may be in between/, { CAPA => "+OK\r\nSTLS\r\nUIDL\r\n.\r\n",
		STLS => "+OK begin\r\n+OK injected\r\n" }, 'verify' ],
);

my (@servers, @accounts, %expect);
for ([ imap => \%imap ], [ pop3 => \%pop3 ]) {
	my ($protocol, $table) = @$_;
	for my $what (sort keys %$table) {
		my ($like, $behaviour, $tls) = @{ $table->{$what} };
		my $name   = "$protocol-$what";
		my $server = Hostile->new($protocol, $behaviour);
		push @servers, $server;
		push @accounts, [ $name, { source => "$protocol://u\@127.0.0.1:$server->{port}", tls => $tls // 'none',
			password => 'secret', timeout => '2s', deliver => 'maildir:' . work("out/$name") } ];
		$expect{$name} = $like;
	}
}
cmp_ok(scalar @accounts, '>=', 50, 'hostile servers: ' . @accounts);

my $dovecot = Dovecot->new(dir => work('dovecot'), users => { good => 'sesame' });
my $corpus  = Corpus->new('hostile');
my @mails   = map { $corpus->mail('plain', "good-$_") } 1 .. 20;
$dovecot->put('good', map { $_->{bytes} } @mails);
scanner_start();

# The largest memory that any process of the run ever had, in MB.
my %peak;
sub look {
	my ($group) = @_;
	for my $file (glob '/proc/[0-9]*/stat') {
		my ($pid, $rest) = read_file($file) =~ /^(\d+) \(.*\) (.*)/s or next;
		next if (split ' ', $rest)[2] != $group;
		my ($kb) = read_file("/proc/$pid/status") =~ /^VmHWM:\s+(\d+)/m or next;
		$peak{$pid} = $kb / 1024 if $kb / 1024 > ($peak{$pid} // 0);
	}
}

my $conf = settings('mailfilter.conf', { E2E::global(jobs => 100) },
	@accounts, E2E::account($dovecot, 'good', 'imaps'));
my $run = E2E::mailfilter_start('-c', $conf, '--once');
my $end = time + 90;
while (time < $end) {
	look($run->{pid});
	my $ready = IO::Select->new($run->{read})->can_read(0.1) or next;
	last if !E2E::more($run, $end);
}
$run = finish($run, 100);
is($run->{late}, undef, 'all of them end within their deadlines');
cmp_ok($run->{seconds}, '<', 60, sprintf 'in %.1f seconds', $run->{seconds});
is($run->{code}, 75, 'accounts were not reached: 75');
my ($most) = sort { $b <=> $a } values %peak;
# A listing may name a million messages.
cmp_ok($most, '<', 200, sprintf 'no process took more than %.0f MB', $most);
for my $name (sort keys %expect) {
	my @lines = grep { /account=\Q$name\E | \Q$name\E: / } split /\n/, "$run->{err}$run->{out}";
	like(join("\n", @lines), $expect{$name}, "$name: the log says why") or diag(@lines);
	my %got  = maildir($name);
	is(scalar(grep { $_ ne $Hostile::mail && $_ !~ /^From: mailfilter/m } values %got), 0,
		"$name: nothing is delivered but what is whole, or a notice");
}
is(scalar(keys %{ { maildir('good') } }), 20, 'the account beside them got its mail');
unlike($run->{err}, qr/secret|c2VjcmV0|AHUAc2VjcmV0/, 'no password in the log');
done_testing();
