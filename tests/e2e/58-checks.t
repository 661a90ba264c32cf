#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The scanner checks itself and its system: what is wrong is brought about, told in each place where
# a person or a program looks, and taken away again.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;
use Checks;
use E2E;

my $conf = settings('mailfilter.conf', { E2E::global() });

sub signature {
	my ($days, @names) = @_;
	my $file = write_file(work('db/own.ndb'), join '', map { "Test.$_:0:*:" . unpack('H*', "some-mark-$_-of-ours") . "\n" } @names);
	chmod 0644, $file;
	utime time - $days * 86400, time - $days * 86400, $file;
}

# Where no scanner is: nobody answers, in the end.
settings('absent.conf', { listen => [ 'ipc://' . work('absent.sock') ], 'temp-dir' => work('absent.tmp') });
open(my $answer, '-|', 'build/scanner', '-c', work('absent.conf'), '--check') or die "fork: $!\n";

mkdir work('db');
chmod 0755, work('db');
signature(0, 'A' .. 'T');
my ($alerts, $first) = (work('alerts'), work('first'));
my $pid = scanner_start('check-interval' => '1s', 'signatures-check' => '1s', signatures => [ work('db') ], workers => '2',
	'check-limits' => [ 'worker-deaths 1 3', 'signatures-age 2d 7d' ],
	'metrics-file' => work('scanner.prom'),
	# The first one takes the inspector, which runs it, along: it is no alert.
	'on-alert' => [ '/bin/sh', '-c', "[ -e $first ] || { : >$first; kill -KILL \$PPID; exit; }; cat >>$alerts" ]);
becomes('isolation', 'ok', qr/[12] of them were looked at/, 'at first');
becomes('workers', 'ok', qr/2 of 2 serve/, 'at first');
my ($code, $out) = check();
is($code, 0, 'all is well');
is_deeply([ grep { length > 80 } split /\n/, $out ], [], '  in 80 columns');
is_deeply([ map { /^(\w+) +(\w+)/ ? "$1 $2" : () } grep { !/^ / } split /\n/, $out ],
	[ map { "$_ ok" } qw(signatures freshclam selftest workers queue times unscannable space disk memory clock permissions isolation sweep inspector) ],
	'  each check is there');
like(read_file('/proc/' . inspector() . '/stat'), qr/\) \w (?:-?\d+ ){15}19 /, 'the inspector has the lowest priority');

# Signatures that were written long ago.
signature(3, 'A' .. 'T');
becomes('signatures', 'warning', qr/3 days old/, 'old signatures');
($code, $out) = check();
is($code, 1, '  --check says so');
like($out, qr/^signatures +warning +20 signatures, the newest are 3 days old/m, '  in its table');
$out = mailfilter('-c', $conf, 'status')->{out};
like($out, qr/signatures: warning: 20\s+signatures,\s+the newest are 3 days\s+old/, '  and mailfilter status');
unlike($out, qr/permissions/, '  but not what is well');
my ($state) = @{ decode_json(mailfilter('-c', $conf, 'status', '--json')->{out})->{scanners} };
my ($one) = grep { $_->{check} eq 'signatures' } @{ $state->{checks} };
is($one->{level}, 'warning', '  status --json');
like(mailfilter('-c', $conf, 'status', '--metrics')->{out}, qr/^mailfilter_scanner_check\{.*check="signatures"\} 1$/m, '  status --metrics');
within(10, sub { read_file(work('scanner.prom')) =~ /check="signatures"\} 1$/m });
like(read_file(work('scanner.prom')), qr/^mailfilter_scanner_check\{.*check="space"\} 0$/m, '  the metrics file');
like(read_file(work('scanner.prom')), qr/check="signatures"\} 1$/m, '    at once');
signature(8, 'A' .. 'T');
becomes('signatures', 'critical', qr/8 days old/, 'very old signatures');
is((check())[0], 2, '  --check says so');
signature(0, 'A' .. 'T');
becomes('signatures', 'ok', qr/20 signatures/, 'new signatures');

# Fewer than there were.
signature(0, 'A' .. 'D');
becomes('signatures', 'critical', qr/4 signatures are loaded, and there were 20/, 'four fifths are gone');
signature(0, 'A' .. 'T');
becomes('signatures', 'ok', qr/20 signatures/, 'they are back');

# Workers die.
for my $count (2, 4) {
	for (1 .. 2) {
		my ($killed) = workers();
		kill 'KILL', $killed;
		await('it is gone', sub { !grep { $_ == $killed } children(host()) });
	}
	becomes('workers', $count == 2 ? 'warning' : 'critical', qr/$count were killed/, "$count workers were killed");
}

# Permissions.
chmod 0666, work('db/own.ndb');
becomes('permissions', 'critical', qr/own\.ndb: everybody may change it: chmod o-w/, 'signatures that all may write');
# Its command is run one at a time: what is mended before its turn is not told.
within(20, sub { read_file($alerts) =~ /^permissions: critical/m });
chmod 0644, work('db/own.ndb');
becomes('permissions', 'ok', qr/nobody else/, 'and may not');

# The inspector itself.
kill 'KILL', inspector();
becomes('inspector', 'warning', qr/ended on its own/, 'the inspector was killed');
ok(inspector(), '  and there is another');

my $log = read_file(work('scanner.log'));
is(scalar(() = $log =~ /check=signatures level=warning: 20 signatures, the newest are 3 days old/g), 1, 'the log says it once');
is(scalar(() = $log =~ /check=signatures level=ok/g), 2, '  and that it is well again');
within(10, sub { read_file($alerts) =~ /^permissions: ok/m });
my @told = split /\n/, read_file($alerts);
like($told[0], qr/^signatures: warning: 20 signatures, the newest are 3 days old/, 'the command was run');
is_deeply([ map { /^(?:permissions: (\w+))/ ? $1 : () } @told ], [ 'critical', 'ok' ], '  for what is bad and for what is well');
is(scalar(grep { /^signatures: (?:warning|critical)/ } @told), 1, '  and not twice in an hour');

# A reload takes up other folders of signatures, and they are looked at instead.
mkdir work('other');
chmod 0755, work('other');
rename work('db/own.ndb'), work('other/own.ndb') or die "rename: $!\n";
write_file(work('scanner.conf'), read_file(work('scanner.conf')) =~ s/\Q@{[ work('db') ]}\E"/@{[ work('other') ]}"/r);
kill 'HUP', $pid;
chmod 0666, work('other/own.ndb');
becomes('permissions', 'critical', qr{/other/own\.ndb: everybody may change it}, 'another folder of signatures');
chmod 0644, work('other/own.ndb');
becomes('signatures', 'ok', qr/20 signatures, the newest are \d/, '  whose age is known');

$out = join '', <$answer>;
close $answer;
is($? >> 8, 2, 'no scanner: critical');
like($out, qr/^scanner +critical +no scanner answers at .*systemctl\s+start/s, '  with what to do');
ok(scanner_stop(), 'the scanner stops, and the inspector with it');
done_testing;
