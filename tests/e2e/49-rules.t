#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Rules: what they quarantine, pass and file needs no scanner, what they have scanned waits for
# one; and judge, the log, a dry run and the record say which rule it was. The policies: what
# becomes of infected and of encrypted mail is as the account says.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use JSON::PP qw(decode_json);
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my $corpus = Corpus->new('rules');
my $mail   = sub {
	my ($id, $head, $body) = @_;
	return "From: $id <$id\@example.org>\r\nTo: box\@example.net\r\nMessage-ID: <$id\@example.org>\r\n"
		. "$head\r\n$body\r\n";
};
my $program = "MIME-Version: 1.0\r\nContent-Type: application/octet-stream; name*=utf-8''in%76oice%2Eexe\r\n"
	. "Content-Disposition: attachment; filename=\"invoice.txt\"\r\n";
my $html = "MIME-Version: 1.0\r\nContent-Type: text/html\r\n";
my %mail = (
	exe     => $mail->('exe',     "Subject: bill\r\n$program", 'MZ'),
	passed  => $mail->('passed',  "Subject: hello\r\nX-Internal: yes\r\n$html", '<p>x</p>'),
	forged  => $mail->('forged',  "Subject: hello\r\nX-Internal: no\r\n$html", '<p>x</p>'),
	listed  => $mail->('listed',  "Subject: news\r\nList-Id: N <n.lists.example.org>\r\n$html", '<p>x</p>'),
	plain   => $mail->('plain',   "Subject: news\r\nList-Id: <n.lists.example.org>\r\n", 'Just text.'),
	forced  => $mail->('forced',  "Subject: [CHECK] this\r\n", 'Just text.'),
	usual   => $mail->('usual',   "Subject: usual\r\n", 'Just text.'),
);
my %rule = (exe => 'programs', passed => 'internal', forged => '', listed => 'lists', plain => 'lists',
	forced => 'check', usual => '');
my %then = (exe => 'quarantine', passed => 'pass', forged => 'scan', listed => 'folder', plain => 'folder',
	forced => 'scan', usual => 'deliver');
my $rules = <<'END';
rule programs {
	attachment = { "*.exe", "*.scr" }
	then = quarantine
}
rule internal {
	header = { "X-Internal: yes" }
	from = { "*@example.org" }
	then = pass
}
rule lists {
	list = { "*.lists.example.org" }
	accounts = { "box", "mbox" }
	then = "folder:Lists.News"
}
rule check {
	subject = { "\\[check]*" }
	then = scan
}
END
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } qw(box other policy mbox) });

sub with_rules {
	my ($name, $global, @accounts) = @_;
	my $path = settings($name, $global, @accounts);
	return write_file($path, read_file($path) . $rules, 0600);
}

my %global = E2E::global('scanner-wait' => '300ms');
my @accounts = ((map { E2E::account($dovecot, $_, 'imaps', after => 'delete') } qw(box other)),
	E2E::account($dovecot, 'mbox', 'imaps', deliver => 'mbox:' . work('out/mboxes/inbox')));
my $conf   = with_rules('mailfilter.conf', \%global, @accounts);
my @names  = sort keys %mail;
my @files  = map { write_file(work("mails/$_"), $mail{$_}) } @names;

# judge, before anything is fetched.
my %said = map { (split m{/}, $_->{file})[-1] => $_ }
	map { decode_json($_) } split /\n/, mailfilter('-c', $conf, 'judge', '--account', 'box', '--json', @files)->{out};
is_deeply({ map { $_ => $said{$_}{rule} } @names }, \%rule, 'judge names the rule');
is_deeply({ map { $_ => $said{$_}{then} } @names }, \%then, 'and what it does');
is($said{plain}{folder}, 'Lists.News', 'and where to');
my $text = mailfilter('-c', $conf, 'judge', '--account', 'other', @files)->{out};
like($text, qr/exe: suspicious: attachment\S*; rule programs: quarantine\n/, 'for people, too');
unlike($text, qr/rule lists/, "another account's rules are not its own");
is(mailfilter('-c', $conf, 'judge', '--account', 'none', @files)->{code}, 64, 'an account that is not there: 64');
is(mailfilter('-c', work('missing.conf'), 'judge', $files[0])->{code}, 78, 'settings that cannot be read, if named: 78');

# Without a scanner.
$dovecot->put('box', map { $mail{$_} } @names);
my $run = mailfilter('-c', $conf, '--dry-run', '--account', 'box');
for my $name (grep { $rule{$_} } @names) {
	my %would = (exe => 'quarantined', passed => 'delivered', listed => 'tagged', plain => 'delivered', forced => 'held');
	like($run->{err}, qr/ would=$would{$name}(?: \S+)*? rule=$rule{$name} .*?size=@{[ length $mail{$name} ]} /, "a dry run: $name");
}
$run = mailfilter('-c', $conf, '--once', '--account', 'box');
is($run->{code}, 75, 'without a scanner: 75');
is_deeply([ sort map { $_->{sha256} } served($dovecot, 'box') ], [ sort map { sha256_hex($mail{$_}) } qw(forced forged) ],
	'only what is to be scanned waits');
my %kept = quarantine('box');
is_deeply([ keys %kept ], [ sha256_hex($mail{exe}) ], 'the program is in quarantine, found by its other name');
my %file = maildir('box');
my %sum  = map { sha256_hex($_) => 1 } values %file;
is(scalar(keys %file), 3, 'in the usual place: a notice, what was passed and the usual one');
ok($sum{ sha256_hex($mail{$_}) }, "$_: byte for byte") for qw(passed usual);
my ($notice) = grep { /^Subject: \[Quarantined\] bill/m } values %file;
like($notice, qr/rule programs/, 'the notice names the rule');
my %filed = maildir('box/.Lists.News');
is(scalar(keys %filed), 2, 'the list is in its folder');
my %byid = map { (Mail::field($_, 'message-id') // '') => $_ } values %filed;
is($byid{'<plain@example.org>'}, $mail{plain}, 'the inert one byte for byte');
like($byid{'<listed@example.org>'}, qr/^X-Virus-Status: Not scanned \(rule lists\)\r\n/m, 'the other one says that it was not scanned');
like($run->{err}, qr/verdict=passed action=delivered rule=internal judged=rule/, 'the log tells of a pass');
like($run->{err}, qr/action=quarantined quarantine=\S+ rule=programs reason=/, 'of a quarantine');
like($run->{err}, qr/action=tagged rule=lists target=Lists\.News judged=html/, 'and of a folder');
like($run->{out} . $run->{err}, qr/2 kept back or filed by a rule/, 'and the summary');
scanner_start();
$run = mailfilter('-c', $conf, '--once', '--account', 'box');
is($run->{code}, 0, 'with a scanner: 0');
like($run->{err}, qr/verdict=clean action=delivered rule=check judged=rule/, 'what a rule wants scanned is');
is(scalar(() = maildir('box')) / 2, 5, 'and delivered, as what no rule matches');
is(scalar(served($dovecot, 'box')), 0, 'nothing is left on the server');
is_deeply([ glob(work('out/box/tmp/*')), glob(work('out/box/.Lists.News/tmp/*')) ], [], 'nor in tmp');

# In an mbox a folder is a file beside it; where there are no folders a rule may not ask for one.
$dovecot->put('mbox', $mail{plain}, $mail{usual});
is(mailfilter('-c', $conf, '--once', '--account', 'mbox')->{code}, 0, 'an account with an mbox: 0');
like(read_file(work('out/mboxes/Lists.News')), qr/\AFrom [^\n]+\r?\nFrom: plain .*^Just text\.\r?\n\r?\n\z/ms, 'the list is in a file of its own');
like(read_file(work('out/mboxes/inbox')), qr/\AFrom [^\n]+\r?\nFrom: usual .*^Just text\.\r?\n\r?\n\z/ms, 'the usual one in the usual file');
is(mailfilter('-c', $conf, '--once', '--account', 'mbox')->{out}, "mbox: nothing new\n", 'and nothing twice');
$run = mailfilter('-c', with_rules('lmtp.conf', \%global, E2E::account($dovecot, 'box', 'imaps', deliver => "lmtp://127.0.0.1",
	recipient => 'box@example.net'), $accounts[2]), '--check-config');
is($run->{code}, 78, 'a folder where there are none: 78');
like($run->{err}, qr/where there are no folders/, 'and why');

# Rules change nothing of what is infected and not theirs; policies do.
my $bad   = $corpus->mail('eicar-zip', 'policy-1');
my $notes = { clean => qr/verdict=infected .*action=cleaned/, tag => qr/verdict=infected .*action=tagged/,
	quarantine => qr/verdict=infected .*action=quarantined/, hold => qr/verdict=infected .*action=held/ };
for my $policy (qw(hold tag quarantine clean)) {
	my $name = "policy-$policy.conf";
	my $state = work("state-$policy");
	my $account = E2E::account($dovecot, 'policy', 'imaps', 'on-infected' => $policy, deliver => 'maildir:' . work("out/$policy"));
	$dovecot->put('policy', $bad->{bytes}) if $policy eq 'hold';
	$run = mailfilter('-c', with_rules($name, { %global, 'state-dir' => $state },
		$account, map { E2E::account($dovecot, $_, 'imaps') } qw(box mbox)), '--once', '--account', 'policy');
	is($run->{code}, $policy eq 'hold' ? 75 : 0, "on-infected = $policy: $run->{code}");
	like($run->{err}, $notes->{$policy}, '  as it says');
	my @out = { maildir($policy) };
	my @got = values %{ $out[0] };
	is(scalar(@got), $policy eq 'hold' ? 0 : 1, '  what is delivered');
	my @kept = glob "$state/policy/quarantine/*.eml";
	is(scalar(@kept), $policy =~ /clean|quarantine/ ? 1 : 0, '  what is kept');
	next if !@got;
	is(Mail::eicar_everywhere($got[0]) ? 'infected' : 'harmless', $policy eq 'tag' ? 'infected' : 'harmless', '  and what is in it');
	like($got[0], qr/^X-Virus-Status: \S/m, '  its header says so');
	is(sha256_hex(read_file($kept[0])), $bad->{sha256}, '  the original is kept') if @kept;
}
done_testing();
