#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The sweep goes through directories that hold what is awkward: infected files, archives and mails,
# links, special files, files that may not be read, that grow, that are huge, that end their worker.
# Each is handled and said. Killed at any place it goes on there; unchanged files are scanned again only
# by new signatures; and mail goes first.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use POSIX qw(mkfifo);
use Test::More;
use Time::HiRes qw(sleep);
use Again;
use E2E;
use Sweep;

Again::without_powers();

my $MARK  = 'a-marker-of-our-own-4f1c9a7e2b';
my $FILES = 600;
my $tree  = work('tree');
my $conf  = work('scanner.conf');

sub signatures {
	my (@marks) = @_;
	write_file(work('db/new'), join('', map { "Test.Mark$_:0:*:" . unpack('H*', $marks[$_]) . "\n" } 0 .. $#marks), 0644);
	sleep 0.02; # so that it is seen to be renamed
	rename work('db/new'), work('db/own.ndb') or die "rename: $!\n";
}

sub start {
	return sweep_start(signatures => [ 'test', work('db') ], 'sweep-exclude' => [ '*.skip', "$tree/left/*" ], 'sweep-file-max' => '80M', @_);
}

sub walker { return (scanner_children(qr/--sweep-walker/))[0] }

# Of SCHED_IDLE, which is 5: field 41 of stat, the 38th behind its state.
sub sweep_worker {
	my ($host) = scanner_children(qr/--engine-host/) or return;
	return (grep { ((split / /, read_file("/proc/$_/stat") =~ s/^.*\) //sr)[38] // '') eq '5' } children($host))[0];
}

signatures('nothing has this 1b3d5f7a9c');
write_file("$tree/eicar.com", $EICAR);
write_file("$tree/real/inner/e.com", $EICAR);
symlink '..', "$tree/real/inner/loop";
symlink "$tree/real", "$tree/real2";
plant_zip('eicar.zip');
write_file("$tree/Maildir/$_/.keep", '') for qw(cur new tmp);
write_file("$tree/Maildir/cur/1700000000.M1P2.host:2,S", $MAIL);
write_file("$tree/Maildir/new/1700000001.M1P3.host", $MAIL =~ s/base64\r\n\r\n.*/7bit\r\n\r\nhello/sr);
mkfifo("$tree/fifo", 0644);
write_file("$tree/barred", $EICAR, 0);
chown 65534, 65534, "$tree/barred";
write_file("$tree/$_", $EICAR) for 'a.skip', 'left/e.com';
write_file("$tree/mark.txt", $MARK);
write_file("$tree/a\n\e[31mname", $EICAR);
write_file("$tree/many/" . ($_ % 7) . "/$_", "file $_ " . 'x' x 1000) for 1 .. $FILES;
truncate_to("$tree/sparse", 3 << 30);
sub truncate_to { open(my $file, '>', $_[0]) or die; truncate $file, $_[1] or die "truncate: $!\n" }
sleep 0.1;

# One that grows as long as its writer lives.
my $writer = fork // die;
if (!$writer) {
	open(my $file, '>>', "$tree/grows") or POSIX::_exit(1);
	for (1 .. 10000) {
		syswrite $file, 'more ' x 200;
		sleep 0.002;
	}
	POSIX::_exit(0);
}

# Killed at three places of the first pass.
start('sweep-rate' => '600K');
wait_for('the pass begins', 15, sub { log_text() =~ /many\/\S+ verdict=clean/ });
my $killed = walker();
kill 'KILL', $killed;
wait_for('another walker', 10, sub { my $walker = walker(); $walker && $walker != $killed });
wait_for('it goes on', 10, sub { log_text() =~ /pass=1 goes on.*verdict=clean/s });
$killed = wait_for('the worker', 10, \&sweep_worker);
kill 'KILL', $killed;
my $worker = wait_for('another worker', 10, sub { my $is = sweep_worker(); $is && $is != $killed && $is });
sleep 0.1;
ok(scanner_kill(), 'the scanner killed, nothing of it lives on');
my $scanner = start();
my $report = done_report('the first full pass', 20, sub { 1 });
is($report->{pass}, 1, 'killed three times, it is still the first pass');
my %clean;
$clean{$_}++ for log_text() =~ /path=\S*\/many\/(\S+) verdict=clean/g;
is(scalar(keys %clean), $FILES, 'each file was scanned');
cmp_ok(scalar(grep { $_ > 1 } values %clean), '<=', 3, 'once, but for those in work when it was killed');

my $finds = finds($report);
is_deeply([ sort keys %$finds ], [ sort 'eicar.com', 'eicar.zip', 'real/inner/e.com', "a\n\e[31mname", 'Maildir/cur/1700000000.M1P2.host:2,S' ],
	'what is infected is found, once, and nothing behind links, nor what is left out');
is_deeply([ grep { $_->{signature} !~ /Eicar/ || $_->{verdict} ne 'infected' } values %$finds ], [], 'as what it is');
is($finds->{'Maildir/cur/1700000000.M1P2.host:2,S'}{where}, 'e.com', 'in a mail, by its part');
my $now = $report->{now};
is($now->{large}, 1, 'the huge file is not read, and counted');
like(log_text(), qr{path=\S*/sparse not scanned: larger than}, 'and named');
is($now->{special}, 1, 'the FIFO is not opened');
is($now->{links}, 2, 'links are not followed');
is($now->{excluded}, 2, 'what is left out is counted');
is($now->{unreadable}, 1, 'the file that may not be read is counted');
like(log_text(), qr{path=\S*/barred not scanned: Permission denied}, 'and named');
cmp_ok($now->{changed}, '>=', 1, 'the file that grows is scanned, and not remembered');
unlike(log_text(), qr/\e/, 'no byte of a name gets into the log as it is');
my $text = `build/scanner -c $conf --sweep-report`;
is($? >> 8, 1, 'the report says by its exit code that something is infected');
like($text, qr{tree/eicar.zip\n  infected: Eicar}, 'and names it');
unlike($text, qr/\e/, 'with no byte of a name as it is');
kill 'KILL', $writer;
waitpid $writer, 0;

sleep 0.2;
full_pass();
$report = full_pass();
is($report->{last}{scanned}, 0, 'a pass in which nothing changed scans nothing');
is(scalar(@{ $report->{finds} }), 5, 'and its finds are still there');
unlink "$tree/eicar.com";
write_file("$tree/mark.txt", "$MARK again");
sleep 0.1;
$report = full_pass();
is($report->{last}{scanned}, 1, 'one that changed is scanned');
is(scalar(@{ $report->{finds} }), 4, 'what is gone is no find any more');

signatures('nothing has this 1b3d5f7a9c', $MARK);
sleep 0.1;
kill 'HUP', $scanner;
wait_for('new signatures', 20, sub { log_text() =~ /generation=2 takes over/ });
$report = done_report('the mark', 20, sub { finds($_[0])->{'mark.txt'} });
full_pass();
%clean = ();
$clean{$_}++ for (log_text() =~ /generation=2 takes over(.*)\z/s)[0] =~ /path=\S*\/many\/(\S+) verdict=clean/g;
is(scalar(keys %clean), $FILES, 'new signatures have all scanned again');

# A file that ends its worker: unscannable, never clean.
open(my $random, '<:raw', '/dev/urandom') or die;
read $random, my $bytes, 1 << 20;
write_file("$tree/slow", $bytes x 50);
for (1 .. 2) {
	my $pid;
	wait_for('the slow file is in work', 20, sub {
		$pid = sweep_worker() or return;
		return if !grep { (readlink $_) // '' eq '' and (readlink $_) =~ m{/slow$} } glob "/proc/$pid/fd/*";
		return kill 'SEGV', $pid;
	});
	# Not the same one twice.
	wait_for('it is gone', 20, sub { !-e "/proc/$pid" });
}
$report = wait_for('its verdict', 20, sub { my $is = report(); finds($is)->{slow} && $is }) // {};
is(finds($report)->{slow}{verdict} . ' ' . finds($report)->{slow}{reason}, 'unscannable crash', 'a file that ends its worker twice is unscannable');

# Mail, while there is much to sweep.
unlink "$tree/slow";
write_file("$tree/new/$_", "another $_ " . 'y' x 5000) for 1 .. 3000;
my @mails = map { write_file(work("mail/$_.eml"), "From: a\@example.org\r\nSubject: $_\r\n\r\nHello.\r\n") } 1 .. 100;
wait_for('the sweep is at work', 15, sub { log_text() =~ m{/new/\S+ verdict=clean} });
my $client = settings('mailfilter.conf', { E2E::global() });
my $run    = mailfilter('-c', $client, 'scan', '--json', @mails);
my @clean  = grep { $_->{verdict} eq 'clean' } map { decode_json($_) } split /\n/, $run->{out};
is(scalar(@clean), @mails, 'mail is scanned while the sweep is at work');
# One scan that was under way may end; none begins before mail is done.
my ($between) = log_text() =~ /(verdict=clean reason=.*verdict=clean reason=)/s;
my $begun = () = ($between // '') =~ m{/new/\S+ verdict=clean}g;
cmp_ok($begun, '<=', 2, 'and the sweep waits meanwhile');
ok(scanner_stop(), 'the scanner stops in order, and nothing of it lives on');
done_testing;
