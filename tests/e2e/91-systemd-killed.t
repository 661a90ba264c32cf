#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The units when things go wrong: each program is killed, and hangs, and the service manager brings it
# back; the scanner's processes hang, and it replaces them by itself; the scanner is away while mail
# waits. Each time all mail arrives, once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Booted;
use Test::More;

my @UNITS = qw(mailfilter mailfilter-scanner);
my $SIGNATURES = '/var/lib/signatures';
my $dovecot;

sub write_signatures {
	spew("$SIGNATURES/eicar.ndb", 'Eicar-Test-Signature:0:0:' . unpack('H*', Corpus::eicar()) . "\n", 0644);
}

# In seconds what takes minutes as shipped.
sub configure {
	make_scanner(qq(scan-timeout = "1s"\nworkers = 1\n), $SIGNATURES);
	mkdir $SIGNATURES;
	write_signatures();
	spew('/etc/mailfilter/mailfilter.conf', <<"END", 0600, 'mailfilter');
interval = "1h"
scanner-wait = "30s"
account box {
	source   = "@{[ $dovecot->url('box', 'imaps') ]}"
	password = "one"
	tls-ca   = "$PLACE/dovecot/server-ca.pem"
	deliver  = "maildir:~/mail"
}
END
	for (@UNITS) {
		like(slurp("/usr/lib/systemd/system/$_.service"), qr/^WatchdogSec=60$/m, "$_ is expected to be heard of each minute");
		mkdir "/etc/systemd/system/$_.service.d";
		spew("/etc/systemd/system/$_.service.d/soon.conf", "[Service]\nWatchdogSec=3\nRestartSec=1\n");
	}
	systemctl('daemon-reload');
}

sub mails {
	return map { slurp($_) } glob '/var/lib/mailfilter/mail/new/*';
}

my $sent = 0;

sub send_some {
	put($dovecot, 'box', $_) for qw(plain eicar-zip attachment);
	$sent += 3;
}

sub visit {
	systemctl('kill', '--signal=USR1', '--kill-who=main', 'mailfilter');
}

sub all_arrive {
	my ($what) = @_;
	wait_until("$what: all mail is there", sub { mails() >= $sent });
	arrived($what, [ mails() ]);
}

# Another process serves than the one before, and says that it is ready.
sub back {
	my ($unit, $before) = @_;
	wait_until("$unit is back", sub { my $pid = show($unit, 'MainPID'); $pid ne '0' && $pid ne $before && show($unit, 'ActiveState') eq 'active' });
	return show($unit, 'MainPID');
}

sub killed {
	my ($unit) = @_;
	my $before = show($unit, 'MainPID');
	send_some();
	visit();
	systemctl('kill', '--signal=KILL', '--kill-who=main', $unit);
	isnt(back($unit, $before), $before, "$unit, killed, is started again");
	visit();
	all_arrive("$unit was killed");
}

sub hung {
	my ($unit) = @_;
	my $before = show($unit, 'MainPID');
	my $log = follow($unit);
	send_some();
	systemctl('kill', '--signal=STOP', '--kill-who=main', $unit);
	my $line = wait_for($log, qr/Watchdog timeout/);
	ok($line, "$unit, stopped, is missed");
	isnt(back($unit, $before), $before, 'and another one started');
	is(kill(0, $before), 0, 'the old one is gone');
	visit();
	all_arrive("$unit hung");
}

# What hangs below it, the scanner ends itself, and is not itself taken for hung meanwhile.
sub crew_hung {
	my $main = show('mailfilter-scanner', 'MainPID');
	wait_until('a worker is there', sub { below($main) >= 2 });
	kill 'STOP', below($main);
	send_some();
	visit();
	all_arrive('engine host and worker hung');
	is(show('mailfilter-scanner', 'MainPID'), $main, 'it is the same scanner, with others below it');
}

# All but the first process of the scanner.
sub below {
	my ($main) = @_;
	return grep { $_ != $main } split ' ', slurp('/sys/fs/cgroup' . show('mailfilter-scanner', 'ControlGroup') . '/cgroup.procs');
}

sub away {
	ok(systemctl('stop', 'mailfilter-scanner'), 'the scanner is stopped');
	is(show('mailfilter', 'ActiveState'), 'active', 'mailfilter goes on without it');
	send_some();
	visit();
	# What is suspicious waits, what is not does not.
	wait_until('what needs no scanner is there', sub { mails() == $sent - 2 });
	# A file that was just written is not loaded before it has settled.
	write_signatures();
	ok(systemctl('start', 'mailfilter-scanner'), 'the scanner is started');
	is(show('mailfilter-scanner', $_->[0]), $_->[1], "$_->[0]: $_->[1]") for [ ActiveState => 'active' ], [ StatusText => 'loading signatures' ];
	all_arrive('the scanner was away, and began to listen before it could scan');
}

Booted::run(88, sub {
	require Corpus;
	require Dovecot;
	$dovecot = Dovecot->new(dir => "$PLACE/dovecot", users => { box => 'one' });
	configure();
	send_some();
	ok(systemctl('start', 'mailfilter'), 'mailfilter starts, and the scanner with it');
	all_arrive('at first');
	killed($_) for @UNITS;
	hung($_)   for reverse @UNITS;
	crew_hung();
	is_deeply([ map { show($_, 'NRestarts') } @UNITS ], [ 2, 2 ], 'nothing else was started anew');
	away();
});
