#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Signatures are replaced under continuous load: by good ones, by broken ones, by good ones again.
# Each message has the verdict of the signatures in use, none is refused or held, and the scanner
# sees for itself that there are others. Then the same where the old set makes way first.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(time sleep);
use E2E;

my $MAILS = 300;
my @MARKS = qw(alpha beta gamma delta);
my $round = 0;
my $conf  = settings('mailfilter.conf', { E2E::global() });

sub marker { return "a-marker-of-our-own-$_[0]-4f1c9a7e2b" }

# One file of signatures that find these marks, put in place at once, as freshclam does.
sub signatures {
	my ($folder, @marks) = @_;
	my $text = join '', map { "Test.\u$_:0:*:" . unpack('H*', marker($_)) . "\n" } @marks;
	write_file(work("$folder/own.ndb.new"), $text, 0644);
	rename work("$folder/own.ndb.new"), work("$folder/own.ndb") or die "rename: $!\n";
}

# Mail that was never seen before, some with a mark. Returns file => mark or ''.
sub mails {
	my %mark;
	$round++;
	for my $i (1 .. $MAILS) {
		my $mark = $i % 25 ? '' : $MARKS[ $i / 25 % @MARKS ];
		my $file = work("mail/$i.eml");
		write_file($file, "From: a\@example.org\r\nSubject: $round $i\r\n\r\nHello.\r\n"
			. ($mark ? marker($mark) . "\r\n" : ''));
		$mark{$file} = $mark;
	}
	return \%mark;
}

# All that is not as it must be: these marks are found, those may be, all else is clean.
sub wrong {
	my ($mark, $found, $maybe) = @_;
	my $run = mailfilter('-c', $conf, 'scan', '--json', sort keys %$mark);
	my (@wrong, %seen);
	for (map { decode_json($_) } split /\n/, $run->{out}) {
		my $is    = $_->{verdict};
		my $which = $mark->{ $_->{file} } // 'no mail of ours';
		my $name  = join ' ', map { $_->{signature} } @{ $_->{findings} };
		$seen{ $_->{file} }++ and push @wrong, "$_->{file}: twice";
		next if $which && grep({ $_ eq $which } @$maybe) && $is eq 'clean';
		my $must = grep { $_ eq $which } @$found, @$maybe;
		push @wrong, "$_->{file} ($which): $is $name $_->{detail}"
			if $is ne ($must ? 'infected' : 'clean') || $must && $name !~ /Test\.\u$which/;
	}
	push @wrong, map { "$_: no verdict" } grep { !$seen{$_} } sort keys %$mark;
	push @wrong, "exit $run->{code}/$run->{signal}" if $run->{code} != 1;
	return @wrong;
}

# Round after round until the scanner's log says so.
sub scan_until {
	my ($line, $what, $found, $maybe) = @_;
	my ($deadline, $rounds, @wrong) = (time + 60, 0);
	while (!@wrong && read_file(work('scanner.log')) !~ $line && time < $deadline) {
		@wrong = wrong(mails(), $found, $maybe);
		$rounds++;
	}
	like(read_file(work('scanner.log')), $line, $what);
	is_deeply(\@wrong, [], "$what: no verdict was wrong or missing meanwhile");
	ok($rounds > 0, "$what: there was mail meanwhile");
	is_deeply([ wrong(mails(), [ @$found, @$maybe ], []) ], [], "$what: the next mails have the new verdicts")
		if @$maybe;
}

sub status {
	my ($state) = map { $_->{scanners}[0] } decode_json(mailfilter('-c', $conf, 'status', '--json')->{out});
	return $state;
}

my %option = (signatures => [ work('main'), work('more') ], workers => '2', 'signatures-check' => '1s', reload => 'concurrent');
signatures('main', 'alpha');
my $pid = scanner_start(%option);
my $mails = mails();
is_deeply([ wrong($mails, ['alpha'], []) ], [], 'the first signatures');
like(status()->{trouble}, qr{/more are left out: .*freshclam}, 'a second folder that is missing is left out, and said so');

my $before = status();
is_deeply([ wrong($mails, ['alpha'], []) ], [], 'the same mails again have the same verdicts');
my $after = status();
# A scanner says how it is now and then: until it has counted the last ones.
for (1 .. 50) {
	last if $after->{cache_lookups} == $before->{cache_lookups} + $MAILS;
	sleep 0.1;
	$after = status();
}
my $clean = grep { $_ ne 'alpha' } values %$mails;
is($after->{cache_hits} - $before->{cache_hits}, $clean, 'the clean ones were known');
is($after->{cache_lookups} - $before->{cache_lookups}, $MAILS, 'of all of them');
like(mailfilter('-c', $conf, 'status')->{out}, qr/$after->{cache_hits} of $after->{cache_lookups} messages were known to be clean/,
	'status says so');
is($after->{counts}{clean} + $after->{counts}{infected} + $after->{counts}{unscannable}, $after->{cache_lookups},
	'each message looked up has its verdict, counted by kind');
is($after->{counts}{infected} > 0, 1, 'infected ones, too');
my $timed = 0;
$timed += $_->{scans} for @{ $after->{times} };
is($timed, $after->{cache_lookups} - $after->{cache_hits}, 'each scan is timed, and what was known is not');
is_deeply([ grep { $_->{p50_ms} > $_->{p95_ms} || $_->{p95_ms} > $_->{p99_ms} || $_->{work_p99_ms} > $_->{p99_ms} } @{ $after->{times} } ],
	[], 'and the times are in order');

signatures('main', 'alpha', 'beta');
signatures('more', 'delta');
scan_until(qr/generation=2 takes over/, 'new signatures', ['alpha'], [ 'beta', 'delta' ]);
is(status()->{trouble}, '', 'the second folder serves, too');
is_deeply([ wrong($mails, [ 'alpha', 'beta', 'delta' ], []) ], [], 'mail that was known to be clean is looked at again');

write_file(work('main/own.ndb'), "Test.Alpha:0:*:" . unpack('H*', marker('alpha')) . "\nTest.Half:0:*:6");
scan_until(qr/the old ones stay in use/, 'half a file', [ 'alpha', 'beta', 'delta' ], []);
like(status()->{trouble}, qr/the old ones stay in use/, 'status says so');
is(status()->{state}, 'ready', 'and that it serves');

signatures('main', 'alpha', 'gamma');
write_file(work('more/own.ndb'), "nonsense");
my $until = time + 60;
my @wrong;
while (!@wrong && read_file(work('scanner.log')) !~ /generation=3 takes over/ && time < $until) {
	my $run = mails();
	# What is found may be of the old or the new signatures, but alpha is in both.
	$run->{$_} eq 'alpha' || $run->{$_} eq '' or delete $run->{$_} for keys %$run;
	@wrong = wrong($run, ['alpha'], []);
}
is_deeply(\@wrong, [], 'good signatures beside a folder that is broken by now: no verdict was wrong or missing');
is_deeply([ wrong(mails(), [ 'alpha', 'gamma' ], []) ], [], 'the good ones serve');
like(status()->{trouble}, qr{/more are left out: .*does not load}, 'the broken folder is named');
my $log = read_file(work('scanner.log'));
is(scalar(() = $log =~ /the old ones stay in use/g), 1, 'what did not load was told once');
unlike($log, qr/during a scan|refused/, 'no worker died at work');
is(scalar(scanner_children(qr/--engine-host/)), 1, 'one engine host is left');
ok(scanner_stop(), 'the scanner stops in order');

# Where there is no room for both: requests wait, and none comes back.
unlink work('scanner.log');
$pid = scanner_start(%option, reload => 'serial');
is_deeply([ wrong(mails(), [ 'alpha', 'gamma' ], []) ], [], 'serial: the first signatures');
signatures('main', 'alpha', 'beta', 'gamma');
kill 'HUP', $pid;
scan_until(qr/ready signatures=\d+ generation=2/, 'serial', [ 'alpha', 'gamma' ], ['beta']);
like(read_file(work('scanner.log')), qr/make way.*generation=2/s, 'the old signatures went first');
ok(scanner_stop(), 'the scanner stops in order');
done_testing;
