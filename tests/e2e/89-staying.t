#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# A worker that waits in IDLE serves its account again and again: after many rounds it has the
# descriptors and the memory that it had after the first ones, and a process of its that died is
# missed only until the next round.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

use constant {
	ROUNDS => 30,
	WARM   => 10,    # until what is kept for the next round is there
};

my @names   = qw(files command);
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names });
my $corpus  = Corpus->new('staying');
my (%mails, $number);

sub put {
	my ($name, $kind) = @_;
	my $mail = $corpus->mail($kind, 'staying' . ++$number);
	push @{ $mails{$name} }, $mail;
	$dovecot->put($name, $mail->{bytes});
}

# Descriptors, and kilobytes. Pages that it shares with a child of the moment count in full: else it
# grew when that ends.
sub used {
	my ($pid) = @_;
	my @fds = glob "/proc/$pid/fd/*";
	my ($kb) = read_file("/proc/$pid/smaps_rollup") =~ /^Anonymous:\s+(\d+)/m;
	return (scalar @fds, $kb // 0);
}

# One writes what it is given where two could not disturb each other, and is run by another process.
my $box     = work('box');
my $command = write_file(work('deliver'), "#!/bin/sh\nf=\$(mktemp $box/mail-XXXXXX) && cat >\"\$f\"\n", 0755);
mkdir $box;
local $E2E::reader{command} = sub { return map { $_ => read_file($_) } glob "$box/mail-*" };
my @accounts = (E2E::account($dovecot, 'files', 'imaps'),
	E2E::account($dovecot, 'command', 'imaps', deliver => 'pipe', 'deliver-command' => [$command]));
scanner_start();
put($_, 'plain') for @names;
my @global = (interval => '1h', 'metrics-file' => work('metrics'));
my $conf   = settings('mailfilter.conf', { E2E::global(@global) }, @accounts);
my $run    = mailfilter_start('-v', '-c', $conf);
ok(wait_line($run, qr/: 1 new/, 2), 'both are served');

my (%first, %last);
for my $round (1 .. ROUNDS) {
	put($_, $round % 5 ? 'plain' : 'eicar-zip') for @names;
	wait_line($run, qr/: 1 new/, 2 * $round + 2) or BAIL_OUT("round $round does not come");
	%first = map { $_ => [ used($_) ] } $run->{pid}, children($run->{pid}) if $round == WARM;
}
%last = map { $_ => [ used($_) ] } $run->{pid}, children($run->{pid});
is_deeply([ sort keys %last ], [ sort keys %first ], 'the same processes to the end');
SKIP: {
	skip 'what another user holds is not told', 2 * keys %first if grep { !$_->[0] } values %first;
	for my $pid (sort keys %first) {
		is($last{$pid}[0], $first{$pid}[0], "$pid: as many descriptors as after the first rounds");
		cmp_ok($last{$pid}[1], '<', $first{$pid}[1] + 512, "$pid: and as many kilobytes, or nearly");
	}
}

# The settings are read anew: what a worker that goes on said before is still said of it by its name.
my $like = qr/account_failed\{account="(?:command|files)"\} 0/;
unlink work('metrics');
kill 'HUP', $run->{pid};
ok(wait_line($run, qr/new settings: 2 accounts/, 1), 'settings are read anew');
within(5, sub { -e work('metrics') });
is(scalar(() = read_file(work('metrics')) =~ /$like/g), 2, 'and metrics have their names still');

# The process that runs a worker's commands dies, and nothing but its worker could know it.
my @runners = map { children($_) } children($run->{pid});
is(scalar(@runners), 1, 'one has a process for its commands');
kill 'KILL', @runners;
put($_, 'plain') for ('command') x 2;
my $delivered = ROUNDS + 3;
ok(wait_line($run, qr/account=command .*action=(?:delivered|cleaned)/, $delivered), 'without it mail is delivered as before');
unlike($run->{err}, qr/action=held/, 'and none was held');
kill 'TERM', $run->{pid};
finish($run, 120);
is($run->{code}, 0, 'it ends in order');
ok(E2E::group_gone($run->{pid}), 'and none of its processes stays');
is_deeply([ E2E::problems($_, [ served($dovecot, $_) ], $mails{$_}) ], [], "$_: nothing lost, nothing twice")
	for @names;
done_testing();
