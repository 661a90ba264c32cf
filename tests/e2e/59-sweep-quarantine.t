#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# What the sweep finds is moved to its quarantine where that is switched on: files of their own, once
# each, however often the walker is killed; mail, and what may not be moved, stays and is told of. It is
# listed, goes back and is let be, or is deleted.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(sleep);
use Again;
use E2E;
use Sweep;

Again::without_powers();

my $tree   = work('tree');
my $inside = "$tree/quarantine";
my $conf   = work('scanner.conf');

sub stop { ok(scanner_stop(), 'the scanner stops in order, and nothing of it lives on') }

# What the report says of each find.
sub details {
	my $finds = finds($_[0]);
	return { map { $_ => $finds->{$_}{detail} } keys %$finds };
}

# The exit code, and both outputs.
sub ask {
	my (@words) = @_;
	open(my $pipe, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', 'build/scanner', '-c', $conf, '--sweep-quarantine', @words) or die "sh: $!\n";
	my $said = join '', <$pipe>;
	close $pipe;
	return ($? >> 8, $said);
}

sub listed {
	my ($code, $said) = ask('list', '--json');
	is($code, 0, 'it is listed') or diag($said);
	return by_path(map { decode_json($_) } split /\n/, $said);
}

sub plant {
	write_file("$tree/eicar.com", $EICAR, 0755);
	utime 1000000000, 1000000000, "$tree/eicar.com";
	chown 1234, 77, "$tree/eicar.com" if $> == 0;
	write_file("$tree/a\n\e[31mname", $EICAR);
	write_file("$tree/two.com", $EICAR);
	link "$tree/two.com", work('another-name');
	plant_zip('eicar.zip');
	write_file("$tree/Maildir/$_/.keep", '') for qw(cur new tmp);
	write_file("$tree/Maildir/cur/1700000000.M1P2.host:2,S", $MAIL);
	write_file("$tree/mbox", "From a\@example.org Thu Jan  1 00:00:00 2026\n" . $MAIL =~ s/\r//gr);
	write_file("$tree/closed/e.com", $EICAR);
	chmod 0555, "$tree/closed";
	write_file("$tree/clean", 'nothing in here');
	sleep 0.1;    # a file is not recent any more
}

# ---- Not switched on ----
plant();
sweep_start();
my $report = done_report('the first pass', 20, sub { 1 });
is(scalar(keys %{ details($report) }), 7, 'finds are reported');
is_deeply([ grep { $_ } values %{ details($report) } ], [], 'and no word of moving');
ok(-e "$tree/$_", "$_ is where it was") for qw(eicar.com eicar.zip two.com);
my ($code, $said) = ask('list');
is($code, 78, 'without a folder there is nothing to list');
like($said, qr/sweep-quarantine/, 'and the setting is named');
stop();

# ---- Switched on; what was known by then is moved as well ----
sweep_start('sweep-quarantine' => $inside);
$report = full_pass();
my $finds = details($report);
my $items = listed();
is_deeply([ sort keys %$items ], [ sort 'eicar.com', 'eicar.zip', 'two.com', "a\n\e[31mname" ], 'files of their own are moved');
ok(!-e "$tree/$_", 'and are not there any more') for keys %$items;
is($finds->{$_} =~ s/ \(.*//r, "moved to quarantine as $items->{$_}{id}", 'the report says where to') for keys %$items;
like($finds->{'two.com'}, qr/\(other names of it stay: 1\)$/, 'and that another name stays');
ok(-e work('another-name'), 'which it does');
like($finds->{'Maildir/cur/1700000000.M1P2.host:2,S'}, qr/^not moved: a mail: .*mailfilter rescan/, 'a mail stays, and what helps is said');
like($finds->{mbox}, qr/^not moved: a mailbox/, 'and a mailbox');
like($finds->{'closed/e.com'}, qr/^not moved: its folder: Permission denied: .*mailfilter-scanner-sweep-write\.conf/, 'what may not be moved stays, and what is missing is said');
ok(-e "$tree/$_", 'it is there') for 'closed/e.com', 'mbox', 'Maildir/cur/1700000000.M1P2.host:2,S';
is(sprintf('%o', (stat $inside)[2] & 07777), '700', 'the quarantine is its owner\'s alone');
is_deeply([ grep { ((stat)[2] & 07777) != 0600 } glob "$inside/*" ], [], 'and so is what is in it');
my $item = $items->{'eicar.com'};
is($item->{$_->[0]}, $_->[1], "of it is known: $_->[0]") for [ state => 'kept' ], [ size => 68 ], [ mode => '0755' ],
	[ sha256 => '275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f' ], [ modified => '2001-09-09T01:46:40Z' ], [ uid => $> == 0 ? 1234 : $> ];
($code, $said) = ask('list');
like($said, qr{^\Q$item->{id}\E  \Q$tree\E/eicar\.com\n    found   Eicar}m, 'people see it, too');
unlike($said, qr/\e/, 'with no byte of a name as it is');
like(log_text(), qr{path=\S*/eicar\.com verdict=infected .*detail="moved to quarantine as $item->{id}"}, 'and the log has it');
my $excluded = full_pass();
is($excluded->{last}{excluded}, 1, 'the quarantine itself is not swept');
is_deeply([ sort keys %{ listed() } ], [ sort keys %$items ], 'nor is anything moved twice');
is(scalar(() = log_text() =~ m{path=\S*/mbox verdict=infected .*not moved}g), 1, 'nor is a mailbox that did not change scanned again');

like(`build/scanner -c $conf --check-config 2>&1`, qr/no errors/, 'a folder like that is in order');
chmod 0711, $inside;
like(`build/scanner -c $conf --check-config 2>&1`, qr/^scanner: \S+:\d+: others may enter the quarantine: chmod 700 /, 'one that others may enter is not, and that is said');
chmod 0700, $inside;
{
	write_file(work('a file'), '');
	my $bad = settings('bad.conf', { listen => [ 'ipc://' . work('bad.sock') ], signatures => ['test'],
		'temp-dir' => work('bad.tmp'), sweep => [$tree], 'sweep-state' => work('a file') . '/state' });
	like(`build/scanner -c $bad --check-config 2>&1`, qr/^scanner: sweep: this user .* cannot write in \S.* for sweep-state: .*nothing is scanned$/m, 'a place for the state that cannot be written is told of');
}

# ---- Back, and let be ----
write_file("$tree/eicar.com", 'in its place by now');
($code, $said) = ask('release', $item->{id});
isnt($code, 0, 'what stands in its place stays');
like($said, qr/is there already.*--to/, 'and is named');
is(read_file("$tree/eicar.com"), 'in its place by now', 'as it is');
unlink "$tree/eicar.com";
($code, $said) = ask('release', '--json', $item->{id});
is($code, 0, 'it goes back') or diag($said);
is_deeply(decode_json($said), { id => $item->{id}, path => "$tree/eicar.com", released => JSON::PP::true, before => JSON::PP::false }, 'and that is said');
is(read_file("$tree/eicar.com"), $EICAR, 'with its bytes');
my @stat = stat "$tree/eicar.com";
is(sprintf('%o %d', $stat[2] & 07777, $stat[9]), '755 1000000000', 'its mode and time');
is("$stat[4] $stat[5]", '1234 77', 'and its owner') if $> == 0;
full_pass();
$report = full_pass();
ok(-e "$tree/eicar.com", 'the sweep leaves it there');
is(details($report)->{'eicar.com'}, "not moved: released from quarantine as $item->{id}", 'and says why');
is(listed()->{'eicar.com'}{state}, 'released', 'it is on the list as released');
unlink "$tree/eicar.com";
write_file("$tree/eicar.com", "$EICAR\n");
wait_for('it is moved again', 15, sub { !-e "$tree/eicar.com" });
ok(!-e "$tree/eicar.com", 'changed, it is moved again');

# ---- To elsewhere; delete; what is wrong ----
my $other = $items->{'two.com'}{id};
($code, $said) = ask('release', $other, '--to', work('nowhere/file'));
is($code, 75, 'to a folder that is not there it cannot be put');
like($said, qr/^scanner: \Q$other\E: .*--to another path: .*No such file/, 'and that is said');
is((ask('release', $other, '--to', work('elsewhere')))[0], 0, 'to another place');
($code, $said) = ask('release', $other, '--to', work('third'));
like("$code $said", qr/^0 \Q$other\E: was released \d{4}-\S+Z, and stays where it is now\n$/, 'only once, and nobody is told that it is at a third');
is(read_file(work('elsewhere')), $EICAR, 'it goes there');
my $zip = $items->{'eicar.zip'}{id};
($code, $said) = ask('delete', $zip);
is("$code $said", "0 $zip: deleted $tree/eicar.zip\n", 'deleted');
ok(!(grep { /\Q$zip\E/ } glob "$inside/*"), 'nothing of it is left');
is((ask('delete', $zip))[0], 66, 'a second time it is not there');
($code, $said) = ask('release', '../x');
is("$code $said", "66 scanner: ../x: it is no id: see --sweep-quarantine list\n", 'what is no id is none');
($code, $said) = ask('delete', $other);
like("$code $said", qr/^0 \Q$other\E: forgotten; /, 'what was released is not said to be deleted');
ok(-e work('elsewhere'), 'and is not');
is((ask(@$_))[0], 64, "usage: @$_") for [], ['show'], [ 'list', 'x' ], ['release'], ['delete'], [ 'list', '--to', '/x' ], [ 'release', 'a', 'b', '--to', '/x' ], [ 'release', 'a', '--to', 'x' ], [ 'list', '--bad' ];
is(system("build/scanner -c $conf --to /x 2>/dev/null") >> 8, 64, 'usage: --to alone');
stop();

# ---- On another file system; killed again and again ----
SKIP: {
	my $shm = -d '/dev/shm' && File::Temp->newdir('mailfilter-XXXXXX', DIR => '/dev/shm');
	skip('no other file system', 1) if !$shm || (stat "$shm")[0] == (stat $tree)[0];
	my $count = 40;
	write_file("$tree/many/$_", "$EICAR " . ' ' x $_) for 1 .. $count;
	sleep 0.1;
	sweep_start('sweep-quarantine' => "$shm/q");
	for my $at (10, 25) {
		wait_for("$at are moved", 20, sub { my @kept = glob "$shm/q/*.info"; @kept >= $at });
		kill 'KILL', scanner_children(qr/--sweep-walker/);
	}
	wait_for('all are moved', 60, sub { !glob "$tree/many/*" });
	full_pass();
	my %seen;
	my ($ok, $lines) = ask('list', '--json');
	$seen{ $_->{path} }++ for grep { $_->{state} eq 'kept' && !$_->{trouble} } map { decode_json($_) } split /\n/, $lines;
	is_deeply([ grep { ($seen{"$tree/many/$_"} // 0) != 1 } 1 .. $count ], [], 'on another file system, with its walker killed, each is moved once');
	is_deeply([ glob "$tree/many/.mailfilter*" ], [], 'and nothing is left where it was');
	stop();
}
chmod 0755, "$tree/closed";
done_testing;
