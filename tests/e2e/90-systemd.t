#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Both programs as services of a real systemd, installed as the README says: their users and folders
# are made, mail flows, nothing may do more than it must, the journal knows what mattered, the timer
# visits, and both stop in order. What is killed, and how it comes back, is 91-systemd-killed.t's.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Booted;
use Test::More;

my @UNITS = qw(mailfilter mailfilter-scanner mailfilter-once);
my @ACCOUNTS = qw(kept filed piped);
my $dovecot;

sub users_and_folders {
	is(show($_, 'Result'), 'success', "$_ did its work") for qw(systemd-sysusers systemd-tmpfiles-setup);
	my ($uid, $gid, $home) = (getpwnam 'mailfilter')[2, 3, 7];
	is($home, '/var/lib/mailfilter', 'systemd made the user mailfilter');
	ok(defined getpwnam 'mailfilter-scanner', 'and the user mailfilter-scanner');
	my ($name, $members) = (getgrnam 'mailfilter-scanner')[0, 3];
	is($members, 'mailfilter', 'and made it a member of the group of the scanner');
	is(sprintf('%o %s', (stat '/var/lib/mailfilter')[2] & 07777, (stat _)[4]), "700 $uid", 'its folder is its own');
	# As the README says; with a system's own prefix.
	my ($commands) = slurp('/usr/share/doc/mailfilter/README.md') =~ /^```\n(systemd-sysusers .*?)^```$/ms;
	for (split /\n/, $commands) {
		my $said = output('sh', '-c', s{/usr/local/}{/usr/}r);
		is("$? $said", '0 ', $_);
	}
	is(sprintf('%o %s', (stat '/etc/mailfilter/mailfilter.conf')[2] & 07777, (stat _)[4]), "600 $uid", 'the settings are for mailfilter alone');
	is(sprintf('%o %s', (stat '/etc/mailfilter')[2] & 07777, (stat _)[4]), '755 0', 'their folder is root\'s');
}

sub configure {
	make_scanner();
	my $ca = "$PLACE/dovecot/server-ca.pem";
	spew('/etc/mailfilter/mailfilter.conf', <<"END", 0600, 'mailfilter');
interval = "1h"
account kept {
	source  = "@{[ $dovecot->url('kept', 'imaps') ]}"
	tls-ca  = "$ca"
	deliver = "maildir:~/mail/kept"
}
account filed {
	source        = "@{[ $dovecot->url('filed', 'pop3') ]}"
	password-file = "/etc/mailfilter/filed.password"
	tls-ca        = "$ca"
	deliver       = "maildir:~/mail/filed"
}
account piped {
	source          = "@{[ $dovecot->url('piped', 'imaps') ]}"
	password-command = { "/bin/sh", "-c", "echo three" }
	tls-ca          = "$ca"
	deliver         = pipe
	deliver-command = { "/bin/sh", "-c", "cat > ~/mail/piped/new/\$\$" }
}
END
	spew('/etc/mailfilter/filed.password', "two\n", 0600, 'mailfilter');
	spew('/etc/mailfilter/kept.password',  "one\n", 0600);
	for (qw(mailfilter mailfilter-once)) {
		mkdir "/etc/systemd/system/$_.service.d";
		spew("/etc/systemd/system/$_.service.d/password.conf",
			"[Service]\nLoadCredential=mailfilter.kept:/etc/mailfilter/kept.password\n");
	}
	output('install', '-d', '-o', 'mailfilter', map { "/var/lib/mailfilter/mail$_" } '', '/piped', '/piped/new');
	systemctl('daemon-reload');
}

sub delivered {
	return [ map { slurp($_) } glob '/var/lib/mailfilter/mail/*/new/*' ];
}

sub well_formed {
	is(output('systemd-analyze', 'verify', '--man=no', (map { "$_.service" } @UNITS), 'mailfilter-once.timer', 'run-mailfilter\x2dscanner.mount'),
		'', 'systemd finds nothing wrong with the units');
	like(output('mailfilter-scanner', '--check-config'), qr{^/etc/mailfilter/scanner.conf: .*no errors$}m, 'nor the scanner with its settings');
	for (@UNITS) {
		my ($exposure) = output('systemd-analyze', 'security', '--no-pager', "$_.service") =~ /Overall exposure level for \S+: ([\d.]+)/;
		cmp_ok($exposure // 10, '<', 2.0, "$_ is not exposed: $exposure");
	}
}

sub pids {
	my ($unit) = @_;
	return split ' ', slurp('/sys/fs/cgroup' . show($unit, 'ControlGroup') . '/cgroup.procs');
}

# Processes that end meanwhile (a worker is replaced after it has found something) have no say.
sub isolated {
	my @pids;
	wait_until('the scanner has an engine host and workers', sub { @pids = pids('mailfilter-scanner'); @pids >= 3 });
	my $net = readlink '/proc/self/ns/net';
	is_deeply([ grep { (readlink "/proc/$_/ns/net" // '') eq $net } @pids ], [], 'no process of the scanner is in the network');
	my @devices = map { /^\s*(\w+):/ ? $1 : () } map { split /\n/, slurp("/proc/$_/net/dev") } @pids;
	is_deeply([ grep { $_ ne 'lo' } @devices ], [], 'nor has a device to it');
	my %status = map { $_ => slurp("/proc/$_/status") } @pids, pids('mailfilter');
	my @wrong = grep { my $of = $status{$_}; $of ne '' && grep { $of !~ $_ } qr/^NoNewPrivs:\s*1$/m, qr/^Seccomp:\s*2$/m, map { qr/^$_:\s*0+$/m } qw(CapEff CapPrm CapBnd CapAmb) } sort keys %status;
	is_deeply([ map { $status{$_} } @wrong ], [], 'nobody has privileges or can get any, and each has a filter of system calls');
	my $main = show('mailfilter-scanner', 'MainPID');
	my ($filters) = $status{$main} =~ /^Seccomp_filters:\s*(\d+)$/m;
	my @workers = grep { ($status{$_} =~ /^Seccomp_filters:\s*(\d+)$/m)[0] >= $filters + 2 } @pids;
	cmp_ok(scalar @workers, '>=', 1, 'workers have more such filters than their parent');
	for my $pid ($main, show('mailfilter', 'MainPID')) {
		is_deeply([ grep { $_ ne '.' && $_ ne '..' } map { (split m{/})[-1] } glob "/proc/$pid/root/home/* /proc/$pid/root/root/.??*" ], [], 'homes are out of sight');
	}
	is_deeply([ glob "/proc/$main/root/var/lib/mailfilter/*" ], [], 'and mail and quarantine of the scanner\'s');
}

# Its space is memory of its own, with limits in bytes and files.
sub bounded {
	my ($kind, $size, $inodes, $where) = split ' ', (split /\n/, output('df', '--output=fstype,size,itotal,target', '/run/mailfilter-scanner/tmp'))[1];
	is("$kind $size $inodes $where", 'tmpfs 1048576 102400 /run/mailfilter-scanner', 'the scanner unpacks in a tmpfs of a gigabyte and 100k files');
	my ($options) = slurp('/proc/self/mounts') =~ m{^tmpfs /run/mailfilter-scanner tmpfs (\S+)}m;
	is_deeply([ grep { $options !~ /\b$_\b/ } qw(noexec nosuid nodev) ], [], 'where nothing can be run');
	my @stat = stat '/run/mailfilter-scanner/scanner.sock';
	is(sprintf('%o %s', $stat[2] & 07777, scalar getgrgid $stat[5]), '660 mailfilter-scanner', 'its socket is its group\'s');
	is(sprintf('%o', (stat '/run/mailfilter-scanner')[2] & 07777), '750', 'in a folder that nobody else may enter');
}

# What somebody could do who has taken a program over: tried by a program in its place, with all that
# the unit says but for what it starts.
my %PROBE = (
	'read /etc/shadow'       => 'open my $f, "<", "/etc/shadow" or die',
	'read the settings of mailfilter' => 'open my $f, "<", "/etc/mailfilter/mailfilter.conf" or die',
	'write to /etc'          => 'open my $f, ">", "/etc/mailfilter/planted" or die',
	'write to /usr'          => 'open my $f, ">", "/usr/bin/planted" or die',
	'write to /var/tmp of others' => 'open my $f, ">", "/var/tmp/.probe" or die; -e "/var/tmp/marker" or die',
	'look into homes'        => 'opendir my $d, "/root" or die; grep { !/^\.\.?$/ } readdir $d or die',
	'open an internet socket' => 'socket my $s, 2, 1, 0 or die',
	'open a packet socket'   => 'socket my $s, 17, 3, 0 or die',
	'mount'                  => 'system("/bin/mount -t tmpfs tmpfs /mnt") == 0 or die',
	'make a namespace'       => 'syscall(272, 0x10000000) == 0 or die',
	'trace'                  => 'syscall(101, 0, 0, 0, 0) == 0 or die',
	'become root'            => '$> = 0; $< = 0; system("/usr/bin/id -u | grep -q ^0") == 0 or die',
	'have memory to write and run' => 'syscall(9, 0, 4096, 7, 0x22, -1, 0) != -1 or die',
	# These two it must: so a process confines itself further. Wrong arguments are told from a refusal.
	'filter its own calls'   => 'syscall(317, 1, 0, 0) == -1 && $! == 14 or die',
	'use landlock'           => 'syscall(444, 0, 0, 1) >= 0 || $! == 38 || $! == 95 or die',
	'see other processes'    => '-e "/proc/1/status" or die',
);
my %MAY = (
	'mailfilter'         => [ 'filter its own calls', 'open an internet socket', 'read the settings of mailfilter', 'use landlock' ],
	'mailfilter-scanner' => [ 'filter its own calls', 'use landlock' ],
);

# In a unit that is confined like this one (or not at all), each try in a process of its own: the names of
# those that succeed.
sub could {
	my ($unit) = @_;
	my $text = slurp("/usr/lib/systemd/system/$unit.service");
	$text =~ s/^(?:Type|Exec\w+|Restart\w*|WatchdogSec|RuntimeDirectory\w*|SupplementaryGroups|StateDirectory\w*)=.*\n//mg;
	spew('/run/systemd/system/probe.service', "$text\n[Service]\nType=oneshot\nSyslogIdentifier=of-$unit\nExecStart=/usr/bin/perl $PLACE/probe\n");
	spew("$PLACE/probe", join '', map { "if (!fork) { open STDERR, '>', '/dev/null'; $PROBE{$_}; exit 42 }\nwait;\nprint '$_', \"\\n\" if \$? >> 8 == 42;\n" } sort keys %PROBE);
	chmod 0644, "$PLACE/probe";
	output('systemctl', 'daemon-reload');
	ok(systemctl('start', 'probe.service'), "a program runs instead of $unit");
	output('journalctl', '--sync');
	return [ split /\n/, output('journalctl', '--output=cat', "SYSLOG_IDENTIFIER=of-$unit") ];
}

sub confined {
	spew('/var/tmp/marker', '');
	is_deeply(could('none'), [ sort keys %PROBE ], 'root, without a unit\'s confinement, could do all this');
	for my $unit (sort keys %MAY) {
		is_deeply(could($unit), $MAY{$unit}, "who takes $unit over can only what it must");
	}
}

# To be reached by TCP, with the drop-in that the sample of the settings names.
sub by_tcp {
	my $sample = slurp('/usr/share/doc/mailfilter/scanner.conf');
	my ($dropin) = map { s/^#\s+//mgr } $sample =~ /^(#     \[Service\]\n(?:#     .*\n)+)/m;
	is($dropin, (map { s/^#\s+//mgr } slurp('/usr/lib/systemd/system/mailfilter-scanner.service') =~ /^(#     \[Service\]\n(?:#     .*\n)+)/m)[0],
		'settings and unit name the same drop-in for TCP');
	spew('/etc/mailfilter/tcp.conf', qq(listen = { "tcp://127.0.0.1:4310" }\nsignatures = { test }\n), 0644);
	mkdir '/etc/systemd/system/mailfilter-scanner.service.d';
	spew('/etc/systemd/system/mailfilter-scanner.service.d/tcp.conf', "$dropin\nExecStart=\nExecStart=/usr/bin/mailfilter-scanner -c /etc/mailfilter/tcp.conf\n");
	systemctl('daemon-reload');
	ok(systemctl('start', 'mailfilter-scanner'), 'the scanner starts for TCP');
	spew("$PLACE/tcp-client.conf", qq(scanners = { "tcp://127.0.0.1:4310" }\n));
	wait_until('it is reached', sub { output('mailfilter', '-c', "$PLACE/tcp-client.conf", 'status') =~ /^tcp:\S+\s+ready /m });
	unlink '/etc/systemd/system/mailfilter-scanner.service.d/tcp.conf';
	ok(systemctl('stop', 'mailfilter-scanner') && systemctl('daemon-reload'), 'as it is');
}

# Its checks of itself, as confined as it is: they see what they must, are told to whom may ask and to
# systemd, and the command of on-alert runs.
sub watches_itself {
	my $conf = '/etc/mailfilter/scanner.conf';
	make_scanner(qq(check-interval = "1s"\non-alert = { "/bin/sh", "-c", "cat >>/var/lib/mailfilter-scanner/alerts" }\n));
	ok(systemctl('start', 'mailfilter-scanner'), 'the scanner starts to watch itself');
	my $check = sub { output('runuser', '-u', 'mailfilter', '--', 'mailfilter-scanner', '--check') };
	wait_until('each worker passes its self-test', sub { $check->() =~ /^selftest +ok +each worker passed/m });
	wait_until('the checks see what memory there is', sub { $check->() =~ /^memory +ok +\d+ MB are left/m });
	wait_until('and the workers', sub { $check->() =~ /^isolation +(?:ok +the workers are shut in, as each of them found|warning .*landlock)/ms });
	chmod 0646, $conf;
	wait_until('what all may write to is critical', sub { $check->() =~ /^permissions +critical/m && $? >> 8 == 2 });
	wait_until('systemd hears of it', sub { show('mailfilter-scanner', 'StatusText') =~ /permissions: settings \S+: everybody may change it/ });
	wait_until('and the command', sub { slurp('/var/lib/mailfilter-scanner/alerts') =~ /^permissions: critical: settings /m });
	chmod 0644, $conf;
	wait_until('that it is well again, too', sub { slurp('/var/lib/mailfilter-scanner/alerts') =~ /^permissions: ok: /m });
	is((stat '/var/lib/mailfilter-scanner/alerts')[4], scalar getpwnam 'mailfilter-scanner', 'the command runs as the scanner\'s user');
	ok(systemctl('stop', 'mailfilter-scanner'), 'it stops');
	make_scanner();
}

sub logged {
	my ($unit) = @_;
	my %seen;
	for (split /\n/, output('journalctl', '--output=json', '--output-fields=PRIORITY,MESSAGE,_TRANSPORT', "--unit=$unit")) {
		next if !/"_TRANSPORT":"stdout"/;
		my ($priority) = /"PRIORITY":"(\d)"/;
		$seen{ /"MESSAGE":"<\d>/ ? 'with a prefix' : $priority // 'none' }++;
	}
	return \%seen;
}

sub stops {
	my $before = time;
	ok(systemctl('stop', 'mailfilter', 'mailfilter-scanner'), 'both are stopped');
	cmp_ok(time - $before, '<', 15, 'without being waited for');
	my @steps = map { /^Stopping (\S+)\.service/ ? "stopping $1" : /^(mailfilter\S*)\.service: (Deactivated|Failed|Killing|State.*)/ ? "$1 $2" : () }
		split /\n/, output('journalctl', '--output=cat', "--since=\@$before", '--unit=mailfilter', '--unit=mailfilter-scanner');
	is_deeply(\@steps, [ map { ("stopping $_", "$_ Deactivated") } qw(mailfilter mailfilter-scanner) ],
		'first mailfilter, then the scanner, both in order');
	is(output('pgrep', '-f', '^/usr/bin/mailfilter'), '', 'no process is left');
	wait_until('the temp space is given back', sub { show('run-mailfilter\x2dscanner.mount', 'ActiveState') eq 'inactive' });
}

# Instead of the service: one visit after the other, which starts the scanner if none is there.
sub timed {
	put($dovecot, $_, 'eicar-zip') for @ACCOUNTS;
	ok(systemctl('start', 'mailfilter-once.timer'), 'the timer is started');
	my $next = show('mailfilter-once.timer', 'NextElapseUSecMonotonic');
	isnt($next, '', "and knows when it is due: $next");
	# Not waited for: this is what it does then.
	ok(systemctl('start', 'mailfilter-once'), 'its service makes one visit');
	is(show('mailfilter-once', $_->[0]), $_->[1], "its $_->[0] is $_->[1]") for [ Result => 'success' ], [ ExecMainStatus => 0 ], [ ActiveState => 'inactive' ];
	like(output('journalctl', '--output=cat', '--unit=mailfilter-once'), qr/^kept: 1 new, 1 infected \(cleaned\)$/m, 'and the journal says what came of it');
	arrived('the mail is there', delivered());
	systemctl('stop', 'mailfilter-scanner');
	output('systemctl', 'mask', '--runtime', 'mailfilter-scanner');
	put($dovecot, 'kept', 'eicar-zip');
	spew('/etc/mailfilter/mailfilter.conf', slurp('/etc/mailfilter/mailfilter.conf') =~ s/^/scanner-wait = "1s"\n/r);
	ok(systemctl('start', 'mailfilter-once'), 'mail that is held is no failed unit');
	is(show('mailfilter-once', $_->[0]), $_->[1], "its $_->[0] is $_->[1]") for [ Result => 'success' ], [ ExecMainStatus => 75 ];
}

Booted::run(100, sub {
	require Dovecot;
	users_and_folders();
	$dovecot = Dovecot->new(dir => "$PLACE/dovecot", users => { kept => 'one', filed => 'two', piped => 'three' });
	configure();
	well_formed();

	my $log = follow('mailfilter');
	my $scanner = follow('mailfilter-scanner');
	put($dovecot, $_, 'plain'), put($dovecot, $_, 'eicar-zip') for @ACCOUNTS;
	ok(systemctl('start', 'mailfilter'), 'mailfilter starts') or diag(output('journalctl', '--no-pager', '-n', 40));
	is(show($_, 'ActiveState'), 'active', "$_ is active") for qw(mailfilter-scanner mailfilter);
	wait_for($log, qr/action=cleaned/) for @ACCOUNTS;
	wait_for($scanner, qr/^ready /);
	like(show('mailfilter-scanner', 'StatusText'), qr/^ready, \d+ signatures/, 'the scanner tells systemd what it does');
	like(output('runuser', '-u', 'mailfilter', '--', 'mailfilter', 'status'), qr/^ipc:\S+\s+ready /m, 'its user can ask how it is');
	arrived('mail arrives, also by commands', delivered());
	isolated();
	bounded();

	ok(systemctl('reload', 'mailfilter-scanner'), 'signatures are loaded anew');
	wait_for($scanner, qr/generation=2 takes over/);
	put($dovecot, 'filed', 'eicar-nested');
	systemctl('kill', '--signal=USR1', '--kill-who=main', 'mailfilter');
	wait_for($log, qr/action=cleaned/);
	arrived('and mail goes on', delivered());
	# Whether the kernel has Landlock at all is not the unit's doing.
	my $landlock = syscall(444, 0, 0, 1) > 0 ? qr/^$/ : qr/landlock/;
	is_deeply([ grep { !/ is loaded: / && !/$landlock/ } output('journalctl', '--output=cat', '--unit=mailfilter-scanner') =~ /^((?:unprotected|less isolation): .*)$/mg ], [],
		'the scanner lacks nothing but signatures');
	my $seen = logged('mailfilter');
	ok($seen->{6} && !$seen->{none} && !$seen->{'with a prefix'}, 'the journal has the priorities of its lines') or diag(explain($seen));
	stops();
	watches_itself();
	by_tcp();
	timed();
	confined();
});
