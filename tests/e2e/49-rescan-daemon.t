#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# A mailfilter that stays scans delivered mail again by itself, once with each set of signatures: what
# is found is replaced once, in a Maildir and in place, whatever a reader did meanwhile, through kill -9
# and while the scanner is away; what is not found is left alone; new mail does not wait for it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Digest::SHA qw(sha256_hex);
use JSON::PP qw(decode_json);
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(time);
use Corpus;
use E2E;
use Faults;

my $PLACES  = 48;  # mailboxes, for a kill each
my $MANY    = 1000;    # so many that new mail comes while they are scanned
my @MARKS   = map { "this-is-what-nobody-knew-$_-days-ago" } 0 .. 5;
my @names   = qw(local place);
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names, 'many', map { "place$_" } 1 .. $PLACES });
my $corpus  = Corpus->new('rescan-daemon');
my $set     = 0;

# One mail with what a later set of signatures finds, in an attachment.
sub late {
	my ($id, $mark) = @_;
	return $corpus->header("$id.late", "Late $id") . $corpus->multipart('mixed', Corpus::text_part("Some text.\r\n"),
		Corpus::file_part('application/octet-stream', 'late.bin', "$MARKS[$mark]\n"));
}

# The next set of signatures, and a scanner that has it.
sub next_set {
	my (@marks) = @_;
	$set++;
	write_file(work('signatures/own.ndb.new'), join('', map { "Test.Late$_:0:*:" . unpack('H*', $MARKS[$_]) . "\n" } @marks)
		. "Test.Set$set:0:*:" . unpack('H*', "the-mark-of-set-number-$set") . "\n", 0644);
	rename work('signatures/own.ndb.new'), work('signatures/own.ndb') or die "rename: $!\n";
}

sub restart_scanner {
	scanner_stop();
	return scanner_start(signatures => [ 'test', work('signatures') ]);
}

# File => bytes of a Maildir, with its folder.
sub files {
	my ($name) = @_;
	my $root = work("out/$name");
	return map { substr($_, length($root) + 1) => read_file($_) } glob "$root/{new,cur,tmp}/*";
}

sub named {
	my ($name, $subject) = @_;
	my %file = files($name);
	return grep { $file{$_} =~ /^Subject: \Q$subject\E/m } sort keys %file;
}

sub is_infected {
	my ($bytes) = @_;
	return scalar grep { index($bytes, $_) >= 0 || index($bytes, encode_base64("$_\n", '')) >= 0 } @MARKS;
}

# All that a rescan could change, with the times of the files.
sub everything {
	my @all = map { my $name = $_; map { my @stat = stat work("out/$name/$_"); "$name/$_ $stat[1] $stat[9]" } sort { $a cmp $b } keys %{ { files($name) } } } 'local';
	push @all, map { "$_->{uid} $_->{flags} $_->{date} $_->{sha256}" } $dovecot->imap('place')->messages('INBOX');
	return join "\n", @all, map { sort keys %{ { quarantine($_) } } } @names;
}

sub in_quarantine {
	my ($name) = @_;
	return [ sort keys %{ { quarantine($name) } } ];
}

sub flag {
	my ($name, $subject, $flags) = @_;
	my ($file) = named($name, $subject) or die "no $subject\n";
	my ($base) = $file =~ m{/([^/:]+)};
	rename work("out/$name/$file"), work("out/$name/cur/$base:2,$flags") or die "rename: $!\n";
	return work("out/$name/cur/$base:2,$flags");
}

# Have it look now, and wait until all accounts are done so often.
sub rescanned {
	my ($run, $count, @accounts) = @_;
	kill 'USR1', $run->{pid};
	return !grep { !wait_line($run, qr/account=$_ rescan=done/, $count) } @accounts ? @accounts : @names;
}

# The process that scans again: a child of the lowest priority (proc(5): parent, nice). Its policy is not
# SCHED_IDLE: with that it would get next to nothing while others are busy, and hold the state's lock meanwhile.
sub idle_child {
	my ($parent) = @_;
	for (map { read_file($_) } glob '/proc/[0-9]*/stat') {
		my ($pid, @field) = (/^(\d+)/, split ' ', s/^.*\)//sr);
		return $pid if $field[1] == $parent && $field[16] == 19 && $field[38] == 0;
	}
	return 0;
}

sub stop {
	my ($run) = @_;
	kill 'TERM', $run->{pid};
	my $from = time;
	finish($run, time - $run->{from} + 30);
	return $run->{code} == 0 && time - $from < 12 && E2E::group_gone($run->{pid});
}

my @accounts = (E2E::account($dovecot, 'local', 'imap'), E2E::account($dovecot, 'place', 'imap', deliver => 'inplace'));
my $conf = settings('mailfilter.conf', { E2E::global(interval => '1h', 'metrics-file' => work('mailfilter.prom')) }, @accounts);
my %mail = map { $_ => late($_, 1) } @names;
for my $name (@names) {
	$dovecot->imap($name)->append('INBOX', $_, '\Seen $Work', '01-Feb-2020 01:04:05 +0000')
		for $corpus->mail('attachment', "$name-1")->{bytes}, $mail{$name}, $corpus->mail('plain', "$name-2")->{bytes};
}
next_set(0);
restart_scanner();

# --- nothing is known yet
my $run = mailfilter_start('-v', '-c', $conf);
ok(wait_line($run, qr/(?:local|place): 3 new/, 2), 'all is delivered');
flag('local', 'Late local', 'FS');
ok(rescanned($run, 1), 'asked, it sees that the signatures scanned most of it when it came');
like($run->{err}, qr/account=$_ rescan=done generation=1 scanned=1 fresh=2 gone=0 infected=0/, "$_: and scans what was inert") for @names;
my $before = everything();

# --- the signatures come after the mail
next_set(0, 1);
restart_scanner();
ok(rescanned($run, 2), 'with new signatures it scans all of it again');
like($run->{err}, qr/account=local rescan=done generation=\d+ scanned=3 fresh=0 gone=0 infected=1 replaced=1/, 'local: found, and replaced');
like($run->{err}, qr/account=place rescan=done generation=\d+ scanned=3 fresh=0 gone=0 infected=1 replaced=0 marked=1/, 'place: found, and marked');
ok(wait_line($run, qr/account=place .*action=cleaned/, 1), '  and replaced by a visit that follows');
ok(wait_line($run, qr/place: 1 new, 1 infected \(cleaned\)/, 1), '  which is done');
my @late = named('local', 'Late');
is(scalar @late, 1, 'local: it is there once');
like($late[0], qr{^cur/[^:]+:2,FS$}, '  with its flags');
ok(index($before, $late[0]) < 0, '  under a new name');
ok(!is_infected(read_file(work("out/local/$late[0]"))), '  cleaned');
my @place = grep { $_->{body} =~ /^Subject: Late/m } $dovecot->imap('place')->messages('INBOX');
is(scalar @place, 1, 'place: it is there once');
is("$place[0]{flags} $place[0]{date}", '$Work \Seen 01-Feb-2020 01:04:05 +0000', '  with flags and date');
ok(!is_infected($place[0]{body}), '  cleaned');
is_deeply(in_quarantine($_), [ sha256_hex($mail{$_}) ], "$_: the original is in quarantine") for @names;

# --- what is said of it
my $status = decode_json(mailfilter('-c', $conf, 'status', '--json')->{out});
for my $account (@{ $status->{accounts} }) {
	my $rescan = $account->{rescan};
	is("$rescan->{generation} $rescan->{scanned} $rescan->{infected}", "$status->{scanners}[0]{generation} 3 1", "$account->{account}: status has it");
	cmp_ok(abs($rescan->{done} - time), '<', 120, '  with its time');
}
like(mailfilter('-c', $conf, 'status')->{out}, qr/^local .*\n  scanned again \d+ s ago with set \d+: 3 messages, 1 infected$/m, 'for people, too');
like(mailfilter('-c', $conf, 'status', '--metrics')->{out}, qr/^mailfilter_account_rescan_messages\{account="place",result="infected"\} 1$/m, 'and for monitoring');
like(read_file(work('mailfilter.prom')), qr/^mailfilter_account_rescan_messages\{account="local",result="infected"\} 1$/m, 'also in its file');
like(mailfilter('-c', $conf, 'why', 'local', 1)->{out}, qr/^ +rescanned +\S+, set \d+$/m, 'why tells of one that is clean still');

# --- the same signatures, and others that find nothing
my $after = everything();
kill 'USR1', $run->{pid};
ok(wait_line($run, qr/(?:local|place): nothing new/, 4), 'asked again with the same signatures');
is(everything(), $after, 'nothing changed');
next_set(0, 1);
restart_scanner();
ok(rescanned($run, 3), 'with signatures that find nothing more it looks once more');
is(everything(), $after, 'and changes nothing: names, times, UIDs');

# --- a reader was there meanwhile
my %gone = map { $_ => late("gone-$_", 2) } @names;
my %moved = (local => late('moved-local', 2));
$dovecot->imap($_)->append('INBOX', $gone{$_}) for @names;
$dovecot->imap('local')->append('INBOX', $moved{local});
ok(wait_line($run, qr/account=local .*action=delivered/, 5) && wait_line($run, qr/account=place .*action=delivered/, 4), 'more mail that nobody knows');
my ($gone) = named('local', 'Late gone');
unlink work("out/local/$gone") or die "unlink: $!\n";
my $place = $dovecot->imap('place');
$place->command('SELECT INBOX');
my ($uid) = map { $_->{body} =~ /^Subject: Late gone/m ? $_->{uid} : () } $dovecot->imap('place')->messages('INBOX');
$place->command("UID STORE $uid +FLAGS.SILENT (\\Deleted)");
$place->command("UID EXPUNGE $uid");
mkdir work("out/local/.Kept$_") for '', qw(/new /cur /tmp);
my ($moved) = named('local', 'Late moved');
my ($base) = $moved =~ m{/([^/:]+)};
rename work("out/local/$moved"), work("out/local/.Kept/cur/$base:2,RS") or die "rename: $!\n";
next_set(0, 1, 2);
restart_scanner();
ok(rescanned($run, 4), 'they are looked for');
like($run->{err}, qr/account=local rescan=done .* gone=1 infected=1 replaced=1/, 'local: one was deleted, one was moved');
like($run->{err}, qr/account=place rescan=done .* gone=1 infected=0/, 'place: one was deleted');
my @kept = glob work('out/local/.Kept') . '/*/*';
is(scalar @kept, 1, 'what was moved is there once');
like($kept[0], qr{/cur/[^:]+:2,RS$}, '  with its flags');
ok(!is_infected(read_file($kept[0])), '  cleaned');
is(scalar(named('local', 'Late gone')), 0, 'what was deleted stays so');
ok(stop($run), 'SIGTERM ends all of it in order');

# --- killed, and a scanner that goes away, in the middle of many
my @many = map { my $bytes = $corpus->header("many-$_", "Many $_") . $corpus->multipart('mixed', Corpus::text_part('See there.'),
	Corpus::file_part('application/octet-stream', "$_.bin", $corpus->bytes(3000) . ($_ % 40 ? '' : $MARKS[3]))); $bytes } 1 .. $MANY;
my @infected = grep { is_infected($_) || decoded_mark($_) } @many;
sub decoded_mark { my ($bytes) = @_; my ($part) = $bytes =~ /base64.*?\r\n\r\n(.*?)\r\n--/s; return $part && index(MIME::Base64::decode_base64($part), $MARKS[3]) >= 0 }
is(scalar @infected, int($MANY / 40), 'of many mails some have it');
$dovecot->put('many', @many);
my $many = settings('many.conf', { E2E::global(interval => '1h', 'scanner-wait' => '1s') }, E2E::account($dovecot, 'many', 'imap'));
is(mailfilter('-c', $many, '--once')->{code}, 0, 'many are delivered');
next_set(0 .. 3);
restart_scanner();
my $found = sub { my $n = () = $_[0]{err} =~ /account=many .*verdict=infected/g; return $n };
$run = mailfilter_start('-v', '-c', $many);
ok(wait_line($run, qr/many: nothing new/, 1), 'a visit');
kill 'USR1', $run->{pid};
ok(wait_line($run, qr/account=many .*verdict=infected/, 2), 'scanned again, and in the middle of it');
kill 'KILL', idle_child($run->{pid}) || die "no process scans again\n";
ok(wait_line($run, qr/account=many rescan=interrupted .*its process died/, 1), 'its process is killed: that is said');
kill 'USR1', $run->{pid};
ok(wait_line($run, qr/account=many .*verdict=infected/, 3), '  and another one goes on');
$dovecot->imap('many')->append('INBOX', $corpus->mail('attachment', 'in-between')->{bytes});
my $from = time;
ok(wait_line($run, qr/account=many .*verdict=clean.*action=delivered/, 1), 'new mail comes');
cmp_ok(time - $from, '<', 3, '  and is delivered at once');
unlike($run->{err}, qr/rescan=done/, '  while that goes on');
kill 'KILL', -$run->{pid};
finish($run);
my $first = $found->($run);
$run = mailfilter_start('-v', '-c', $many);
ok(wait_line($run, qr/many: /, 1), 'killed, and started anew');
kill 'USR1', $run->{pid};
ok(wait_line($run, qr/account=many .*verdict=infected/, 1), 'it goes on');
scanner_kill();
ok(wait_line($run, qr/account=many rescan=interrupted .*reason=/, 1), 'the scanner goes away: it holds');
scanner_start(signatures => [ 'test', work('signatures') ]);
ok(rescanned($run, 1, 'many'), 'the scanner is back: it goes on to the end');
my ($last) = $run->{err} =~ /rescan=done generation=\d+ scanned=(\d+)/;
cmp_ok($last, '<', $MANY - 40, '  from where it was');
my %file = files('many');
is(scalar(keys %file), $MANY + 1, 'each mail is there once');
is(scalar(grep { is_infected($_) || decoded_mark($_) } values %file), 0, 'none is infected');
is_deeply(in_quarantine('many'), [ sort map { sha256_hex($_) } @infected ], 'each original is in quarantine');
is(scalar(@{ [ glob work('state/many/quarantine/*.eml') ] }), scalar @infected, '  once');
cmp_ok($first + $found->($run), '<=', @infected + 2, 'nothing was replaced twice');

# --- beside it
my $beside = mailfilter('-c', $many, 'rescan', '--since', '30');
is($beside->{code}, 0, 'the command works beside it');
ok(stop($run), 'it ends in order');

my $places = settings('place.conf', { E2E::global(interval => '1h', 'rescan-days' => 0) }, $accounts[1]);
$run = mailfilter_start('-v', '-c', $places);
$dovecot->imap('place')->append('INBOX', late('beside', 4));
ok(wait_line($run, qr/account=place .*action=delivered/, 1), 'one more in place');
next_set(0 .. 4);
restart_scanner();
kill 'USR1', $run->{pid};
ok(wait_line($run, qr/place: nothing new/, 1), 'rescan-days = 0: visited');
$beside = mailfilter('-c', $places, 'rescan');
is($beside->{code}, 64, 'and the command needs to be told how many');
like($beside->{err}, qr/--since/, '  and says so');
$beside = mailfilter('-c', $places, 'rescan', '--since', '7');
is($beside->{code}, 0, 'the command finds what is in place');
like($beside->{out}, qr/^process $run->{pid} serves these accounts: it was told to visit them now$/m, '  and tells who serves it');
ok(wait_line($run, qr/account=place .*action=cleaned/, 1), '  which replaces it');
unlike($run->{err}, qr/rescan=/, 'by itself it scanned nothing again');
ok(stop($run), 'it ends in order');

# --- in place, killed at each call that makes the state durable
my @places = map { "place$_" } 1 .. $PLACES;
my %original = map { $_ => late($_, 5) } @places;
$dovecot->imap($_)->append('INBOX', $original{$_}, '\Flagged') for @places;
my $all = settings('places.conf', { E2E::global(interval => '1h') }, map { E2E::account($dovecot, $_, 'imap', deliver => 'inplace') } @places);
is(mailfilter('-c', $all, '--once')->{code}, 0, 'one more in many places');
next_set(0 .. 5);
restart_scanner();

sub place_of {
	my ($name) = @_;
	return map { "$_->{uid} $_->{flags} " . (is_infected($_->{body}) ? 'infected' : 'clean') } $dovecot->imap($name)->messages('INBOX');
}

# Visited, scanned again, and what was found there visited. False if it was killed before.
sub through {
	my ($run, $name) = @_;
	return 0 if !wait_line($run, qr/$name: (?:nothing|1) new/, 1);
	kill 'USR1', $run->{pid};
	return 0 if !wait_line($run, qr/account=$name rescan=(?:done|known)/, 1);
	return $run->{err} !~ /rescan=done .* marked=1/ || wait_line($run, qr/$name: 1 new, 1 infected \(cleaned\)/, 1);
}

my ($kills, @problems) = (0);
# make check-long: at each of them. Without it at every third.
my $step = $ENV{LONG} ? 1 : 3;
for (my $n = 1; $n <= $PLACES; $n += $step) {
	my $name = "place$n";
	my @argv = ('-v', '-c', $all, '--account', $name);
	my $killed = Faults::with(work("state/$name"), [ 'sync', $n, 'kill' ], sub {
		my $first = mailfilter_start(@argv);
		through($first, $name);
		kill 'TERM', $first->{pid};
		return finish($first, time - $first->{from} + 30)->{signal} == 9;
	});
	$kills += $killed;
	for my $round ($killed ? (1, 2) : 2) {
		my @was = place_of($name);
		my $again = mailfilter_start(@argv);
		push @problems, "$n: round $round was not done" if !through($again, $name);
		push @problems, "$n: round $round did not end in order" if !stop($again);
		my @place = place_of($name);
		push @problems, "$n: there is: @place" if @place != 1 || $place[0] !~ /^\d+ \\Flagged clean$/;
		push @problems, "$n: one more round changed something: @was, @place" if $round == 2 && "@was" ne "@place";
		my @kept = mailfilter('-c', $all, 'quarantine', 'list', '--json', '--account', $name)->{out} =~ /"sha256":"(\w+)","findings"/g;
		push @problems, "$n: in quarantine: @kept" if "@kept" ne sha256_hex($original{$name});
	}
	last if !$killed;
}
cmp_ok($kills * $step, '>=', 24, "in place: killed $kills times");
cmp_ok($kills * $step, '<', $PLACES, '  to the last');
is("@problems", '', 'each time one cleaned copy, one original, and one more round changes nothing');
ok(scanner_stop(), 'the scanner ends in order');
done_testing;
