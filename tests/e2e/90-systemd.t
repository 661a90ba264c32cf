#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Both programs as services of a real systemd, installed as the README says: a container over an
# overlay of this machine, without network, which goes away with the test. Mail flows; the scanner
# is killed and comes back; signatures are loaded anew; both stop in order.
#
# The same file runs three times: as the test; once more in a mount namespace of its own, so that
# what it mounts goes with it; and inside of the container, where its results are this test's.
use strict;
use warnings;
use Cwd qw(abs_path);
use FindBin;
use IPC::Open3;
use lib "$FindBin::Bin/lib";
use POSIX ();
use Test::More;

my $SECONDS = 55;
my $PLACE   = '/mailfilter-test';    # in the container: this file, its modules, the mail server
my ($role) = @ARGV;

$ENV{LC_ALL} = 'C';
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL DESTDIR PREFIX)};

sub slurp {
	my ($path) = @_;
	open(my $file, '<:raw', $path) or return '';
	local $/;
	return <$file> // '';
}

sub spew {
	my ($path, $bytes, $mode, $owner) = @_;
	open(my $file, '>:raw', $path) or die "$path: $!\n";
	print $file $bytes;
	close $file or die "$path: $!\n";
	chmod $mode, $path if defined $mode;
	chown((getpwnam $owner)[2, 3], $path) if defined $owner;
}

# What a command says on both its outputs, and in $? its status.
sub output {
	my $pid = open3(my $in, my $out, undef, @_);
	close $in;
	my $said = join '', <$out>;
	waitpid $pid, 0;
	return $said;
}

# ---- On this machine ----

sub why_not {
	return 'only root may boot a container' if $> != 0;
	my %package = ('/usr/bin/systemd-nspawn' => 'systemd-container', '/lib/systemd/systemd' => 'systemd',
		'/usr/sbin/adduser' => 'adduser', '/usr/sbin/dovecot' => 'dovecot-imapd');
	for (sort keys %package) {
		return "$_ is missing (Debian package $package{$_})" if !-x;
	}
	my $said = output(qw(unshare --mount true));
	return $? ? "nothing may be mounted here: $said" : undef;
}

sub start {
	my $why = why_not();
	plan(skip_all => $why) if defined $why;
	exec 'unshare', '--mount', '--propagation', 'private', $^X, abs_path($0), 'boot'
		or die "unshare: $!\n";
}

sub must {
	my $said = output(@_);
	die "@_: $said" if $?;
}

# What the host may have of mailfilter's own is not the container's.
sub fill {
	my ($root) = @_;
	must('rm', '-rf', map { "$root$_" } '/etc/mailfilter', '/var/lib/mailfilter', $PLACE,
		glob "$root/etc/systemd/system/mailfilter*");
	must('make', '-s', '-C', "$FindBin::Bin/../..", 'install', "DESTDIR=$root", 'PREFIX=/usr');
	must('mkdir', '-p', "$root$PLACE", "$root/etc/mailfilter");
	must('cp', '-r', abs_path($0), "$FindBin::Bin/lib", "$root$PLACE");
	unlink "$root/etc/hosts";
	spew("$root/etc/hosts", "127.0.0.1 localhost\n");
	spew("$root/etc/systemd/system/inside.service", <<"END");
[Service]
Type=oneshot
TimeoutStartSec=50
ExecStart=$^X $PLACE/90-systemd.t inside
ExecStopPost=/bin/systemctl --no-block poweroff
StandardOutput=file:$PLACE/tap
StandardError=inherit
END
}

sub boot {
	# In memory; over /run, where systemd-nspawn leaves traces.
	my $said = output(qw(mount -t tmpfs -o mode=755 tmpfs /run))
		. output(qw(mkdir -p /run/box/root /run/box/upper /run/box/work))
		. output(qw(mount -t overlay -o), 'lowerdir=/,upperdir=/run/box/upper,workdir=/run/box/work', qw(overlay /run/box/root));
	plan(skip_all => "no overlay over / can be mounted here: $said") if $?;
	my $root = '/run/box/root';
	fill($root);
	$ENV{SYSTEMD_NSPAWN_UNIFIED_HIERARCHY} = 1;
	$said = output('timeout', '-k', 2, $SECONDS, qw(setpriv --pdeathsig KILL systemd-nspawn --quiet --register=no --keep-unit
		--private-network --resolv-conf=off --machine=mailfilter-test), "--directory=$root",
		qw(--boot systemd.unit=basic.target systemd.wants=inside.service systemd.show_status=0));
	plan(skip_all => 'no systemd can be booted here: ' . substr $said =~ s/\s+/ /gr, -200) if !-e "$root$PLACE/tap";
	my $tap = slurp("$root$PLACE/tap");
	print $tap;
	my $passed = $tap =~ /^1\.\.\d+$/m && $tap !~ /^not ok/m;
	diag($tap =~ s/^ok.*\n//gmr, $said) if !$passed;
	POSIX::_exit($passed ? 0 : 1);
}

# ---- Inside ----

my ($dovecot, %sent, @read);

sub systemctl {
	my $said = output('systemctl', @_);
	diag("systemctl @_: $said") if $?;
	return $? == 0;
}

sub show {
	my ($unit, $property) = @_;
	chomp(my $value = output('systemctl', 'show', '--value', "--property=$property", $unit));
	return $value;
}

# What follows in the journal, from now on; a line that is waited for comes or the test is over.
sub follow {
	my ($unit) = @_;
	open(my $journal, '-|', 'journalctl', '--follow', '--lines=all', '--output=cat', "--unit=$unit") or die "journalctl: $!\n";
	return $journal;
}

sub wait_for {
	my ($journal, $like) = @_;
	local $SIG{ALRM} = sub { die "not in the journal: $like\n" };
	alarm 30;
	while (defined(my $line = readline $journal)) {
		push @read, $line;
		next if $line !~ $like;
		alarm 0;
		return $line;
	}
	die "the journal ended before: $like\n";
}

# The command lines that the comments of the units name, as an administrator would give them.
sub make_users {
	my @lines = map { slurp("/usr/lib/systemd/system/$_.service") =~ /^#     (adduser .*)$/mg }
		qw(mailfilter-scanner mailfilter);
	is(scalar @lines, 3, 'the units say how to make their users');
	for (@lines) {
		my $said = output('sh', '-c', $_);
		is($?, 0, $_) or diag($said);
	}
}

sub configure {
	my $sample = slurp('/usr/share/doc/mailfilter/scanner.conf');
	my $found  = $sample =~ s/^#signatures = .*$/signatures = { test }/m;
	ok($found, 'the sample of the scanner has signatures');
	spew('/etc/mailfilter/scanner.conf', $sample, 0644);
	my $ca = "$PLACE/dovecot/server-ca.pem";
	spew('/etc/mailfilter/mailfilter.conf', <<"END", 0644);
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
END
	spew('/etc/mailfilter/filed.password', "two\n", 0600, 'mailfilter');
	spew('/etc/mailfilter/kept.password',  "one\n", 0600);
	mkdir '/etc/systemd/system/mailfilter.service.d';
	spew('/etc/systemd/system/mailfilter.service.d/password.conf',
		"[Service]\nLoadCredential=mailfilter.kept:/etc/mailfilter/kept.password\n");
}

# A mail to an account; later it is looked for.
sub mail {
	my ($account, $kind) = @_;
	my $mail = Corpus->new("systemd $account")->mail($kind, sprintf 'systemd-%d', scalar keys %sent);
	$dovecot->put($account, $mail->{bytes});
	$sent{"$account $mail->{name}"} = $mail;
}

sub arrived {
	my ($what) = @_;
	my %left  = %sent;
	my @wrong;
	for my $path (glob '/var/lib/mailfilter/mail/*/new/*') {
		my $bytes = slurp($path);
		my ($key) = grep { Mail::field($bytes, 'message-id') eq Mail::field($left{$_}{bytes}, 'message-id') } keys %left;
		my $mail = defined $key ? delete $left{$key} : undef;
		push @wrong, "$path: twice, or not ours" if !$mail;
		next if !$mail;
		push @wrong, "$key: EICAR was delivered" if Mail::eicar_everywhere($bytes);
		push @wrong, "$key: changed" if !$mail->{infected} && $bytes ne $mail->{bytes} =~ s/\r?\n/\r\n/gr;
		push @wrong, "$key: no status" if $mail->{infected} && !defined Mail::field($bytes, 'x-virus-status');
	}
	is_deeply([ @wrong, map { "$_: did not arrive" } sort keys %left ], [], $what);
}

sub pids {
	my ($unit) = @_;
	return split ' ', slurp('/sys/fs/cgroup' . show($unit, 'ControlGroup') . '/cgroup.procs');
}

# Processes that end meanwhile (a worker is replaced after it has found something) have no say.
sub isolated {
	my @pids;
	for (1 .. 100) {
		@pids = pids('mailfilter-scanner');
		last if @pids >= 3;
		select undef, undef, undef, 0.05;
	}
	cmp_ok(scalar @pids, '>=', 3, 'the scanner has an engine host and workers');
	my $net = readlink '/proc/self/ns/net';
	is_deeply([ grep { (readlink "/proc/$_/ns/net" // '') eq $net } @pids ], [], 'none of them is in the network');
	my @devices = map { /^\s*(\w+):/ ? $1 : () } map { split /\n/, slurp("/proc/$_/net/dev") } @pids;
	is_deeply([ grep { $_ ne 'lo' } @devices ], [], 'nor has a device to it');
	my %status = map { $_ => slurp("/proc/$_/status") } @pids, pids('mailfilter');
	is_deeply([ grep { $status{$_} ne '' && ($status{$_} !~ /^NoNewPrivs:\s*1$/m || $status{$_} !~ /^CapEff:\s*0+$/m) } sort keys %status ],
		[], 'nobody has privileges or can get any');
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
}

sub inside {
	require Corpus;
	require Dovecot;
	require Mail;
	make_users();
	$dovecot = Dovecot->new(dir => "$PLACE/dovecot", users => { kept => 'one', filed => 'two' });
	configure();
	systemctl('daemon-reload');
	is(output('systemd-analyze', 'verify', 'mailfilter.service', 'mailfilter-scanner.service'), '', 'systemd finds nothing wrong with the units');
	like(output('mailfilter-scanner', '--check-config'), qr{^/etc/mailfilter/scanner.conf: .*no errors$}m, 'nor the scanner with its settings');

	my $log = follow('mailfilter');
	my $scanner = follow('mailfilter-scanner');
	mail($_, 'plain'), mail($_, 'eicar-zip') for qw(kept filed);
	ok(systemctl('start', 'mailfilter'), 'mailfilter starts') or diag(output('journalctl', '--no-pager', '-n', 40));
	is(show($_, 'ActiveState'), 'active', "$_ is active") for qw(mailfilter-scanner mailfilter);
	wait_for($log, qr/action=cleaned/) for 1 .. 2;
	wait_for($scanner, qr/^ready /);
	like(show('mailfilter-scanner', 'StatusText'), qr/^ready, \d+ signatures/, 'the scanner tells systemd what it does');
	isolated();
	like(output('runuser', '-u', 'mailfilter', '--', 'mailfilter', 'status'), qr/^ipc:\S+\s+ready /m, 'its user can ask how it is');

	my $old = show('mailfilter-scanner', 'MainPID');
	systemctl('kill', '--signal=KILL', '--kill-who=main', 'mailfilter-scanner');
	mail('kept', 'eicar-attachment');
	systemctl('kill', '--signal=USR1', '--kill-who=main', 'mailfilter');
	wait_for($scanner, qr/^ready /);
	isnt(show('mailfilter-scanner', 'MainPID'), $old, 'a scanner that was killed is started again');
	wait_for($log, qr/action=cleaned/);
	arrived('and what came meanwhile is scanned');

	ok(systemctl('reload', 'mailfilter-scanner'), 'signatures are loaded anew');
	wait_for($scanner, qr/generation=2 takes over/);
	mail('filed', 'eicar-nested');
	systemctl('kill', '--signal=USR1', '--kill-who=main', 'mailfilter');
	wait_for($log, qr/action=cleaned/);
	arrived('and mail goes on');
	is_deeply([ grep { !/ is loaded: / } output('journalctl', '--output=cat', '--unit=mailfilter-scanner') =~ /^(unprotected: .*)$/mg ], [],
		'the scanner lacks nothing but signatures');
	my $seen = logged('mailfilter');
	ok($seen->{6} && !$seen->{none} && !$seen->{'with a prefix'}, 'the journal has the priorities of its lines') or diag(explain($seen));
	stops();
	done_testing();
}

if (!defined $role) {
	start();
} elsif ($role eq 'boot') {
	boot();
} else {
	eval { inside(); 1 } or do {
		diag($@, output('journalctl', '--no-pager', '--lines=60', '--unit=mailfilter', '--unit=mailfilter-scanner'));
		fail('everything is done in time');
	};
	Dovecot::stop_all();
}
