#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The life of an original in quarantine: listed, shown, released once however often it is asked
# for and wherever a release is cut off, not scanned anew when it comes round, deleted, expired.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use JSON::PP qw(decode_json);
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use Faults;
use E2E;
use Faults;

my $dovecot = Dovecot->new(dir => work('dovecot'), users => { box => 'sesame', other => 'sesame', mbox => 'sesame' });
my $corpus  = Corpus->new('quarantine');
my @mails   = map { $corpus->mail('eicar-zip', "quarantined-$_") } 1 .. 8;
$dovecot->put('box', map { $_->{bytes} } @mails);
my %global = E2E::global('scanner-wait' => '2s');
my $filed    = $corpus->mail('eicar-zip', 'quarantined-mbox');
my @accounts = ((map { E2E::account($dovecot, $_, 'imaps') } qw(box other)),
	E2E::account($dovecot, 'mbox', 'imaps', deliver => 'mbox:' . work('out/mbox')));
$dovecot->put('mbox', $filed->{bytes});
my $conf = settings('mailfilter.conf', \%global, @accounts);
my @q = ('-c', $conf, 'quarantine');

sub listed {
	my $run = mailfilter(@q, 'list', '--json', @_);
	return map { decode_json($_) } split /\n/, $run->{out};
}

# How often the very original stands in the Maildir.
sub copies {
	my ($mail) = @_;
	my %file = maildir('box');
	return scalar grep { sha256_hex($_) eq $mail->{sha256} } values %file;
}

scanner_start();
is(mailfilter(@q, 'list')->{out}, "the quarantine is empty\n", 'before the first run: empty');
is(mailfilter(@q, 'expire')->{out}, '', 'and nothing is made for who was never served');
is(mailfilter('-c', $conf, '--once')->{code}, 0, 'infected mail is cleaned');
my %item = map { $_->{sha256} => $_ } listed('--account', 'box');
my ($filed_id) = map { $_->{id} } listed('--account', 'mbox');
my @id   = map { $item{ $_->{sha256} }{id} } @mails;
is(scalar(grep { defined } @id), 8, 'each original is listed by its checksum');
is_deeply([ map { "$_->{state} $_->{released}" } values %item ], [ ('kept 0') x 8 ], 'as kept');
is_deeply([ listed('--account', 'other') ], [], '--account: that account alone');
is(mailfilter(@q, 'list', '--account', 'nobody')->{code}, 64, 'an account that is not there: 64');
is(mailfilter(@q, 'show', $id[0])->{out}, $mails[0]{bytes}, 'show: byte for byte');
is(mailfilter(@q, 'show', $id[0], $id[1])->{code}, 64, 'show: one at a time');
for my $deed (qw(show release delete)) {
	is(mailfilter(@q, $deed, '20200101T000000-0')->{code}, 66, "$deed: an unknown id gives 66");
	is(mailfilter(@q, $deed, '../../etc/passwd')->{code}, 66, "$deed: what is no id gives 66");
	is(mailfilter(@q, $deed)->{code}, 64, "$deed: without an id 64");
}

my $run = mailfilter(@q, 'release', '--json', $id[0]);
is($run->{code}, 0, 'release: 0');
my $said = decode_json($run->{out});
is_deeply([ @$said{qw(id account)}, $said->{before} ? 1 : 0 ], [ $id[0], 'box', 0 ], 'it says what was released');
is(copies($mails[0]), 1, 'the very original is in the Maildir');
$run = mailfilter(@q, 'release', $id[0]);
is($run->{code}, 0, 'release again: 0');
like($run->{out}, qr/^\Q$id[0]\E: was released before to account box at 20/, 'which says so');
is(copies($mails[0]), 1, 'and delivers nothing');
my ($shown) = grep { $_->{id} eq $id[0] } listed();
is("$shown->{state} " . ($shown->{released} == $said->{released} ? 'same' : 'other'), 'released same',
	'the list shows that it was, and when');
like(mailfilter(@q, 'list')->{out}, qr/\Q$id[0]\E.*?\n(?:    .*\n)*    released 20/, 'for people, too');
is(mailfilter(@q, 'show', $id[0])->{out}, $mails[0]{bytes}, 'it stays in quarantine');

# What was released comes round: put into the very mailbox that is fetched, as by an account that
# delivers where it fetches. Scanned anew, it would go into quarantine for ever.
my $served = maildir_file($mails[0]);
my $trace  = "Return-Path: <a\@example.org>\r\nDelivered-To: box\r\nReceived: from here by there;\r\n\tMon, 5 Jan 2026 12:00:00 +0000\r\n";
$dovecot->put('box', $served, "$trace$served", "X-Other: field\r\n$served", $mails[1]{bytes}, "$served ");
$run = mailfilter('-c', $conf, '--once');
is(scalar(() = $run->{err} =~ /verdict=passed action=delivered judged=released/g), 2,
	'a released original is passed as it is, also with what its delivery put in front');
is(scalar(() = $run->{err} =~ /verdict=infected/g), 3, 'with anything else it is scanned, as is one not released');

sub maildir_file {
	my ($mail) = @_;
	my %file = maildir('box');
	return (grep { sha256_hex($_) eq $mail->{sha256} } values %file)[0];
}

# Delete; cut off before each of its calls, and each time the next one ends it.
sub state_of {
	my ($id) = @_;
	my ($one) = grep { $_->{id} eq $id } listed();
	my @files = glob work("state/*/quarantine/$id.eml");
	return ($one ? $one->{state} : 'none') . (@files ? ', a file' : '');
}
sub save {
	system('rm', '-rf', work('saved')) == 0 && mkdir work('saved') or die "saved\n";
	system('cp', '-a', work('state'), work('out'), work('saved')) == 0 or die "cp\n";
}
sub restore {
	system('rm', '-rf', work('state'), work('out')) == 0 or die "rm\n";
	system('cp', '-a', work('saved') . '/state', work('saved') . '/out', work()) == 0 or die "cp\n";
}
save();
# How often the original stands in the mbox, where what was cleaned stands as well.
sub filed {
	return scalar grep { index($_, $filed->{bytes} =~ s/\r\n/\n/gr) >= 0 || index($_, $filed->{bytes}) >= 0 }
		split /^(?=From )/m, read_file(work('out/mbox'));
}
for (qw(release delete filed)) {
	my ($deed, $id, $count) = $_ eq 'filed' ? ('release', $filed_id, \&filed) : ($_, $id[2], sub { copies($mails[2]) });
	my $killed = 0;
	my $bad = '';
	for my $call (@Faults::CALLS) {
		for (my $n = 1;; $n++) {
			my $cut = Faults::with(work(), [ $call, $n, 'kill' ], sub { mailfilter(@q, $deed, $id) });
			last if $cut->{signal} != 9;
			$killed++;
			my $early = $count->();
			$bad .= "$call $n: twice; " if $early > 1;
			# Killed between the lock file of an mbox and its pid: it counts for some minutes more.
			unlink work('out/mbox.lock') if -e work('out/mbox.lock') && !-s _;
			my $now = mailfilter(@q, $deed, $id);
			if ($deed eq 'release') {
				$bad .= "$call $n: exit $now->{code}; " if $now->{code} != 0;
				$bad .= "$call $n: " . $count->() . ' copies; ' if $count->() != 1;
				$bad .= "$call $n: " . state_of($id) . '; ' if state_of($id) ne 'released, a file';
			} else {
				$bad .= "$call $n: " . state_of($id) . '; ' if state_of($id) ne 'none';
			}
			$bad .= "$call $n: left in tmp; " if glob work('out/box/tmp/*');
			restore();
		}
	}
	is($bad, '', "$_: cut off before any of its calls, the next ends it, once");
	cmp_ok($killed, '>=', $deed eq 'release' ? 15 : 5, "it was cut off $killed times");
}

# Failing, it says so, and is none.
$run = Faults::with(work(), [ 'write', 1, 'ENOSPC', 1 ], sub { mailfilter(@q, 'release', $id[3]) });
is($run->{code}, 75, 'release on a full disk: 75');
like($run->{err}, qr/full|No space/, 'it says why');
is(copies($mails[3]), 0, 'nothing is delivered');
is(mailfilter(@q, 'release', $id[3])->{code} . copies($mails[3]), '01', 'with space again it is');

# Files without a row, rows without a file, a file that changed, and who is in the way.
write_file(work('state/box/quarantine/20260101T000000-orphan.eml'), 'left by a crash', 0600);
unlink work("state/box/quarantine/$id[4].eml");
write_file(work("state/box/quarantine/$id[5].eml"), 'changed', 0600);
my %state = map { $_->{id} => $_->{state} } listed();
is("@state{ $id[4], '20260101T000000-orphan' }", 'missing orphan', 'what does not fit together is listed as such');
is(mailfilter(@q, 'release', $id[4])->{code}, 66, 'without its file it cannot be released');
is(mailfilter(@q, 'release', '20260101T000000-orphan')->{code}, 66, 'nor without its row');
$run = mailfilter(@q, 'release', $id[5]);
is($run->{code}, 66, 'one that is not what was kept is not delivered');
like($run->{err}, qr/checksum/, 'and why');
is(mailfilter(@q, 'delete', $id[4], '20260101T000000-orphan')->{code}, 0, 'but all can be deleted');
is(state_of($id[4]) . ' ' . state_of('20260101T000000-orphan'), 'none none', 'and are gone then');
open(my $lock, '+>>', work('state/box/keeper/lock')) or die "lock: $!\n";
flock($lock, 2) or die "flock: $!\n";
$run = mailfilter(@q, 'delete', $id[6]);
is($run->{code}, 75, 'beside another at work in this quarantine: 75');
is(mailfilter(@q, 'list')->{code}, 0, 'looking needs no lock');
is(mailfilter('-c', $conf, '--once')->{code}, 0, 'nor does the account');
close $lock;

# A worker at work: its lock is not in the way. It waits for a scanner that is not there.
ok(scanner_stop(), 'the scanner is stopped');
$dovecot->put('other', $corpus->mail('eicar-zip', 'waits')->{bytes});
my $slow = settings('slow.conf', { %global, 'scanner-wait' => '60s' }, @accounts);
my $working = E2E::mailfilter_start('-c', $slow, '--once', '--account', 'other');
select undef, undef, undef, 0.02 until -s work('state/other/lock') || waitpid($working->{pid}, 1);
is(mailfilter(@q, 'delete', $id[6])->{code}, 0, 'delete beside a run');
is(mailfilter(@q, 'expire')->{code}, 0, 'expire beside a run');
kill 'TERM', $working->{pid};
E2E::finish($working);

# Too much of it, or too old: status warns, and is content once that is gone.
sub quarantine_is {
	my ($level, $words, %more) = @_;
	my $run = mailfilter('-c', settings('hoard.conf', { %global, %more }, @accounts), 'status', '--json');
	my ($box) = grep { $_->{account} eq 'box' } @{ decode_json($run->{out})->{accounts} };
	is($box->{quarantine}, $level, "quarantine: $level");
	is($box->{quarantined_bytes} > 0, $box->{quarantined} > 0, '  of some size') or diag explain $box;
	my $text = E2E::unwrapped(mailfilter('-c', work('hoard.conf'), 'status')->{out});
	like($text, $words, '  and says so');
	like(mailfilter('-c', work('hoard.conf'), 'status', '--metrics')->{out},
		qr/^mailfilter_account_quarantine_check\{account="box"\} @{[ { ok => 0, warning => 1, critical => 2 }->{$level} ]}$/m, '  also in numbers');
}
my ($bytes, $DAY) = (0, 86400);
$bytes += $_->{size} for listed('--account', 'box');
quarantine_is('ok', qr/\A(?!.*quarantine:)/s, 'quarantine-warn' => $bytes);
quarantine_is('warning', qr/box: quarantine: warning: \d+ originals of 0 MB/, 'quarantine-warn' => $bytes - 1);
quarantine_is('critical', qr/box: quarantine: critical: \d+ originals of 0 MB/, 'quarantine-warn' => int($bytes / 4) - 1);
Faults::with_clock(185 * $DAY, sub { quarantine_is('warning', qr/box: quarantine: warning: an original has been in quarantine for 185 days/) });
Faults::with_clock(215 * $DAY, sub { quarantine_is('critical', qr/box: quarantine: critical: an original has been in quarantine for 215 days/) });
quarantine_is('ok', qr/\A(?!.*quarantine:)/s);

# By age alone; 0 is for ever; what a clock that was not set dates is never old.
sub aged {
	my ($days) = @_;
	return settings("aged.conf", { %global, 'quarantine-days' => $days }, @accounts);
}
my $left = () = listed('--account', 'box');
is(mailfilter('-c', aged(1), 'quarantine', 'expire')->{out}, "box: 0 expired, 0 left by a crash removed, $left kept\n"
	. "other: 0 expired, 0 left by a crash removed, 0 kept\nmbox: 0 expired, 0 left by a crash removed, 1 kept\n", 'nothing is a day old');
my $file = write_file(work('state/box/quarantine/20200102T000000-old.eml'), 'an old orphan', 0600);
utime 1_600_000_000, 1_600_000_000, $file;
$file = write_file(work('state/box/quarantine/19700102T000000-unset.eml'), 'of a clock not set', 0600);
utime 100_000, 100_000, $file;
is(mailfilter('-c', aged(0), 'quarantine', 'expire', '--json')->{code}, 0, 'with 0 days');
ok(-e work('state/box/quarantine/20200102T000000-old.eml'), 'nothing ever goes');
$run = mailfilter('-c', aged(1), 'quarantine', 'expire', '--json', '--account', 'box');
is_deeply(decode_json($run->{out}), { account => 'box', expired => 0, mended => 1, kept => $left }, 'an old orphan goes');
ok(-e $file, 'but not what is dated before all this');
done_testing();
