# SPDX-License-Identifier: ISC
#
# A real systemd to try the units under: a container over an overlay of this machine, without network,
# with both programs in it by "make install PREFIX=/usr"; or of another root, with what the test puts
# there (%OTHER). It goes away with the test.
#
# The test's file runs three times: as the test; once more in a mount namespace of its own, so that
# what it mounts goes with it; and inside of the container, where its results are the test's.
package Booted;
use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(basename dirname);
use IPC::Open3;
use POSIX ();
use Test::More;

our @EXPORT = qw($PLACE slurp spew output systemctl show follow wait_for wait_until make_scanner put arrived);
our $PLACE  = '/mailfilter-test';    # in the container: the test, its modules, the mail server
our %OTHER;    # root: a function that makes it, if need be, and returns its path; fill: one that is given the overlay's

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
	my %package = @_;
	return 'only root may boot a container' if $> != 0;
	%package = (%package, '/usr/bin/systemd-nspawn' => 'systemd-container', '/lib/systemd/systemd' => 'systemd',
		'/usr/sbin/dovecot' => 'dovecot-imapd');
	for (sort keys %package) {
		return "$_ is missing (Debian package $package{$_})" if !grep { -e } glob;
	}
	my $said = output(qw(unshare --mount true));
	return $? ? "nothing may be mounted here: $said" : undef;
}

sub must {
	my $said = output(@_);
	die "@_: $said" if $?;
}

# What the host may have of mailfilter's own is not the container's, nor are its users.
sub fill {
	my ($root, $test) = @_;
	must('rm', '-rf', map { "$root$_" } '/etc/mailfilter', '/var/lib/mailfilter', $PLACE, '/etc/.updated',
		glob("$root/etc/systemd/system/mailfilter*"), "/etc/hosts");
	must('sed', '-i', '/^mailfilter/d', grep { -f } map { "$root/etc/$_" } qw(passwd shadow group gshadow));
	must('make', '-s', '-C', dirname($test) . '/../..', 'install', "DESTDIR=$root", 'PREFIX=/usr');
	# Else systemd makes no users: it does so where /usr is newer than /etc.
	must('touch', "$root/usr");
}

sub plant {
	my ($root, $test, $seconds) = @_;
	must('mkdir', '-p', "$root$PLACE");
	must('cp', '-r', $test, dirname($test) . '/lib', "$root$PLACE");
	spew("$root/etc/hosts", "127.0.0.1 localhost\n");
	spew("$root/etc/systemd/system/inside.service", <<"END");
[Unit]
After=basic.target
[Service]
Type=oneshot
TimeoutStartSec=$seconds
ExecStart=$^X $PLACE/@{[ basename $test ]} inside
ExecStopPost=/bin/systemctl --no-block poweroff
StandardOutput=append:$PLACE/tap
StandardError=inherit
END
}

# Control groups of its own: with systemd-nspawn --keep-unit two containers would share one else.
sub control_groups {
	my ($name) = @_;
	my %of = map { /^0::(.*)$/ ? (cgroup2 => $1) : /^\d+:name=systemd:(.*)$/ ? (systemd => $1) : () } split /\n/, slurp('/proc/self/cgroup');
	my @dirs;
	for (split /\n/, slurp('/proc/self/mountinfo')) {
		my ($mount, $type, $more) = /^(?:\S+ ){4}(\S+) .* - (\S+) \S+ (\S+)$/ or next;
		my $path = $type eq 'cgroup2' ? $of{cgroup2} : $type eq 'cgroup' && $more =~ /\bname=systemd\b/ ? $of{systemd} : undef;
		push @dirs, "$mount$path/$name" if defined $path && mkdir "$mount$path/$name";
	}
	return @dirs;
}

sub boot {
	my ($test, $seconds) = @_;
	my $below = $OTHER{root} ? $OTHER{root}->() : '/';
	# In memory; over /run, where systemd-nspawn leaves traces.
	my $said = output(qw(mount -t tmpfs -o mode=755 tmpfs /run))
		. output(qw(mkdir -p /run/box/root /run/box/upper /run/box/work))
		. output(qw(mount -t overlay -o), "lowerdir=$below," . 'upperdir=/run/box/upper,workdir=/run/box/work', qw(overlay /run/box/root));
	plan(skip_all => "no overlay over $below can be mounted here: $said") if $?;
	my $root = '/run/box/root';
	($OTHER{fill} // \&fill)->($root, $test);
	plant($root, $test, $seconds - 5);
	$ENV{SYSTEMD_NSPAWN_UNIFIED_HIERARCHY} = 1;
	my @groups = control_groups("mailfilter-test-$$");
	$said = output('timeout', '-k', 2, $seconds, qw(setpriv --pdeathsig KILL sh -c),
		'for f in ' . join(' ', map { "'$_/cgroup.procs'" } @groups) . '; do echo $$ > "$f"; done; exec "$@"', 'sh',
		qw(systemd-nspawn --quiet --register=no --keep-unit --private-network --resolv-conf=off),
		'--system-call-filter=landlock_create_ruleset landlock_add_rule landlock_restrict_self',
		"--machine=mailfilter-test-$$", "--directory=$root",
		qw(--boot systemd.unit=basic.target systemd.wants=inside.service systemd.show_status=0));
	output('find', $_, qw(-depth -type d -exec rmdir {} +)) for @groups;
	plan(skip_all => 'no systemd can be booted here: ' . substr $said =~ s/\s+/ /gr, -200) if !-e "$root$PLACE/tap";
	my $tap = slurp("$root$PLACE/tap");
	print $tap;
	my $passed = $tap =~ /^1\.\.\d+$/m && $tap !~ /^not ok/m;
	diag($tap =~ s/^ok.*\n//gmr, $said) if !$passed;
	POSIX::_exit($passed ? 0 : 1);
}

# The test: what inside does in the container, within so many seconds. More files that must be there
# (patterns, as of the shell), and the packages they are from.
sub run {
	my ($seconds, $inside, @needed) = @_;
	my $role = $ARGV[0] // '';
	my $test = abs_path($0);
	if ($role eq 'boot') {
		boot($test, $seconds);
	} elsif ($role eq 'inside') {
		require Dovecot;
		eval { $inside->(); 1 } or do {
			my $why = $@;    # what is asked next has evals of its own
			diag($why, output('journalctl', '--no-pager', '--lines=80', '--unit=mailfilter*'),
				output('journalctl', '--no-pager', '--lines=80', '_SYSTEMD_USER_UNIT=mailfilter.service'));
			fail('everything is done in time');
		};
		done_testing();
		Dovecot::stop_all();
	} else {
		my $why = why_not(@needed);
		plan(skip_all => $why) if defined $why;
		exec 'unshare', '--mount', '--propagation', 'private', $^X, $test, 'boot' or die "unshare: $!\n";
	}
}

# ---- Inside ----

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

# What a unit (or whom else the match means) says in the journal, from its beginning; a line that is
# waited for comes or the test is over.
sub follow {
	my ($unit) = @_;
	open(my $journal, '-|', 'journalctl', '--follow', '--lines=all', '--output=cat', $unit =~ /=/ ? $unit : "--unit=$unit") or die "journalctl: $!\n";
	return $journal;
}

sub wait_for {
	my ($journal, $like, $seconds) = @_;
	local $SIG{ALRM} = sub { die "not in the journal: $like\n" };
	alarm($seconds // 30);
	while (defined(my $line = readline $journal)) {
		next if $line !~ $like;
		alarm 0;
		return $line;
	}
	die "the journal ended before: $like\n";
}

# For what no line in the journal tells.
sub wait_until {
	my ($what, $done, $seconds) = @_;
	for (1 .. 20 * ($seconds // 30)) {
		return 1 if $done->();
		select undef, undef, undef, 0.05;
	}
	die "it did not come to this: $what\n";
}

# The scanner's settings: the sample's, with the built-in signatures or those of a folder, and what else
# is said.
sub make_scanner {
	my ($more, $folder) = @_;
	my $signatures = $folder ? "\"$folder\"" : 'test';
	my $sample = slurp('/usr/share/doc/mailfilter/scanner.conf');
	my $found  = $sample =~ s/^#signatures = .*$/signatures = { $signatures }/m;
	ok($found, 'the sample of the scanner has signatures');
	spew('/etc/mailfilter/scanner.conf', $sample . ($more // ''), 0644);
}

my %sent;    # "ACCOUNT NAME" => the mail

# A mail into an account; later it is looked for.
sub put {
	my ($dovecot, $account, $kind) = @_;
	require Corpus;
	my $mail = Corpus->new("systemd $account")->mail($kind, sprintf 'systemd-%d', scalar keys %sent);
	$dovecot->put($account, $mail->{bytes});
	$sent{"$account $mail->{name}"} = $mail;
}

# What is wrong with a delivered mail that was sent as this one. A mail server may put lines before it.
sub wrong_with {
	my ($bytes, $mail) = @_;
	my ($got, $was) = map { s/\r?\n/\n/gr } $bytes, $mail->{bytes};
	my $before = $got =~ /^(?:Return-Path|Delivered-To):/ ? length($got) - length $was : 0;
	return 'EICAR was delivered' if Mail::eicar_everywhere($bytes);
	return 'changed' if !$mail->{infected} && ($before < 0 || substr($got, $before) ne $was);
	return 'no status' if $mail->{infected} && $got !~ /^X-Virus-Status:/m;
	return;
}

# All that was put into these accounts (all there are, if none is named) is among these mails, once.
sub arrived {
	my ($what, $mails, @accounts) = @_;
	require Mail;
	my %left = map { my ($account) = split / /; !@accounts || grep({ $_ eq $account } @accounts) ? ($_ => $sent{$_}) : () } keys %sent;
	my @wrong;
	for my $bytes (@$mails) {
		my ($key) = grep { Mail::field($bytes, 'message-id') eq Mail::field($left{$_}{bytes}, 'message-id') } keys %left;
		my $mail = defined $key ? delete $left{$key} : undef;
		push @wrong, 'twice, or not ours: ' . substr $bytes, 0, 200 if !$mail;
		push @wrong, map { "$key: $_" } wrong_with($bytes, $mail) if $mail;
	}
	is_deeply([ @wrong, map { "$_: did not arrive" } sort keys %left ], [], $what);
}

1;
