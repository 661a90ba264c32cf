#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# What the death of a worker costs: the message it was scanning one try, other mail nothing.
# Workers are stopped in the middle of a scan, seen by what they unpack, and then killed as a
# crash, a limit, the kernel or an impatient person would; or left to hang. What is scanned here is
# scanned again and again: nothing is remembered (cache = 0).
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use Test::More;
use Corpus;
use E2E;

my $LARGE    = 256 * 1024; # no probe and no other mail here unpacks to so much
my $CATCH_S  = 60;
my $conf     = settings('mailfilter.conf', { E2E::global() });
my $log      = work('scanner.log');
my %caught; # pids, so that none is taken for its successor

my $line  = "<p>What is long enough is scanned for a while, <b>also</b> by those in a hurry.</p>\r\n";
my $large = write_file(work('large.eml'), join "\r\n", 'From: a@example.org', 'Subject: large',
	'MIME-Version: 1.0', 'Content-Type: text/html', 'Content-Transfer-Encoding: base64', '',
	encode_base64("<html><body>\r\n" . $line x 150_000 . '</body></html>', "\r\n"));
my $corpus = Corpus->new('workers');
my @small  = map { my $kind = $_; map { write_file(work("$kind-$_.eml"), $corpus->mail($kind, "$kind-$_")->{bytes}) } 1 .. 4 }
	qw(text attachment newsletter eicar-zip);

sub is_busy {
	my ($folder) = @_;
	return grep { -f && -s _ > $LARGE } glob "$folder/* $folder/*/* $folder/*/*/*";
}

# The letter of proc(5), or nothing once it is gone.
sub state_of {
	my ($pid) = @_;
	return E2E::read_file("/proc/$pid/stat") =~ /\) (\w)/ ? $1 : '';
}

# Stop the worker that scans the large mail, in the middle of it. Its pid, or 0.
sub catch_worker {
	return within($CATCH_S, sub {
		for my $folder (grep { is_busy($_) } glob work('scanner.tmp/e.*/w.*')) {
			my ($pid) = $folder =~ /(\d+)$/;
			next if $caught{$pid} || !kill 'STOP', $pid;
			within($CATCH_S, sub { state_of($pid) =~ /^[TZ]?$/ }, 0.002);
			return $caught{$pid} = $pid if state_of($pid) eq 'T' && is_busy($folder);
			kill 'CONT', $pid;
		}
		return;
	}, 0.002) // 0;
}

sub strike {
	my ($pid, $signal) = @_;
	kill $signal, $pid;
	kill 'CONT', $pid;
}

sub scan_start {
	return mailfilter_start('-c', $conf, 'scan', '--json', @_);
}

# file => verdict reason
sub verdicts {
	my ($run) = @_;
	my %is;
	for (split /\n/, $run->{out}) {
		my ($file)    = /"file":"[^"]*?([^"\/]+)"/ or next;
		my ($verdict) = /"verdict":"(\w+)"/;
		my ($reason)  = /"reason":"(\w*)"/;
		$is{$file} = join ' ', grep { defined && length } $verdict, $reason;
	}
	return \%is;
}

my %small = map { my ($name) = m{([^/]+)$}; $name => $name =~ /^eicar/ ? 'infected' : 'clean' } @small;

sub others_are_unharmed {
	my ($run, $what) = @_;
	is_deeply(verdicts(finish($run)), \%small, "$what: all other mail has its verdict");
}

# Strike each worker that scans the large mail, so often; other mail is in flight meanwhile.
sub large_mail_under {
	my ($signal, $times, $expected) = @_;
	my $run = scan_start($large);
	my $others;
	for my $time (1 .. $times) {
		my $pid = catch_worker() or return fail("$signal: a worker is caught, time $time");
		$others //= scan_start(@small);
		strike($pid, $signal);
	}
	is_deeply(verdicts(finish($run)), { 'large.eml' => $expected }, "$signal, $times times: $expected");
	others_are_unharmed($others, $signal);
}

my $scanner = scanner_start(workers => '2', cache => '0');
is_deeply(verdicts(finish(scan_start($large))), { 'large.eml' => 'clean' }, 'left alone the large mail is clean');

large_mail_under($_, 2, 'unscannable crash') for qw(SEGV ABRT BUS SYS FPE XFSZ);
large_mail_under('XCPU', 2, 'unscannable timeout');
# By somebody else, for there was memory: the message did not ask for that.
large_mail_under('KILL', 6, 'clean');

# One death is one try: the second makes it clean.
my $run = scan_start($large);
my $pid = catch_worker();
ok($pid, 'a worker is caught once more');
strike($pid, 'SEGV');
is_deeply(verdicts(finish($run)), { 'large.eml' => 'clean' }, 'one crash alone: it is scanned again, and clean');

is(kill(0, $scanner), 1, 'the scanner is the same process all the time');
my $said = read_file($log);
is(() = $said =~ /engine host/g, 0, 'and its engine host never ended');
unlike($said, qr/generation=2/, 'nor were the signatures loaded again');
ok(within($CATCH_S, sub { !grep { my ($of) = /(\d+)$/; $caught{$of} } glob work('scanner.tmp/e.*/w.*') }),
	'nothing that the dead unpacked is left');
ok(E2E::scanner_stop(), 'the scanner stops in order');

# A worker that hangs is killed at its deadline: scan-timeout and five seconds.
scanner_start(workers => '2', cache => '0', 'scan-timeout' => '2s');
my $from = time;
$run = scan_start($large);
$pid = catch_worker();
ok($pid, 'a worker hangs');
others_are_unharmed(scan_start(@small), 'a worker that hangs');
is(state_of($pid), 'T', 'and it hangs still');
my $next = catch_worker();
ok($next, 'after its deadline another takes the mail, and hangs');
is(state_of($pid), '', 'the first one is gone');
is_deeply(verdicts(finish($run)), { 'large.eml' => 'unscannable timeout' }, 'two that hang: unscannable timeout');
cmp_ok(time - $from, '>=', 14, 'each had its time');
ok(E2E::scanner_stop(), 'the scanner stops in order');
done_testing();
