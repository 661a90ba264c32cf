#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The life of the Debian packages, in a Debian 12 that has nothing else, under its systemd: installed,
# with settings, mail flowing; another version comes, they are removed, installed again, purged, and
# Debian's own mailfilter comes and goes. With LONG only: it makes that Debian (build/root, once) from
# the mirror of this host.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Booted;
use Test::More;

my @PACKAGES = qw(mailfilter-av mailfilter-av-scanner);
my @UNITS    = qw(mailfilter mailfilter-scanner);
my $NEWER    = '99-1';
my $SETTINGS = '/etc/mailfilter/scanner.conf';
my $STATE    = '/var/lib/mailfilter';
my ($dovecot, %deb);    # version => the files of both packages

# ---- On this machine ----

sub must {
	my $said = output(@_);
	die "@_: $said" if $?;
	return $said;
}

sub make_root {
	my $root = "$FindBin::Bin/../../build/root";
	return $root if -d $root;
	my @mirror = grep { -e } '/etc/apt/sources.list.d/debian.sources';
	must('rm', '-rf', "$root.new");
	my $packages = join ',', qw(dbus dovecot-imapd dovecot-lmtpd dovecot-pop3d openssl perl procps systemd systemd-sysv);
	must(qw(mmdebstrap --quiet --variant=apt), "--include=$packages", 'bookworm', "$root.new", @mirror);
	rename "$root.new", $root or die "$root: $!\n";
	return $root;
}

# The same with another version, and other settings for the scanner, as a later one would have them.
sub make_newer {
	my ($package, $deb, $newer) = @_;
	must('dpkg-deb', '--raw-extract', $deb, "$newer/$package");
	must('sed', '-i', "s/^Version: .*/Version: $NEWER/", "$newer/$package/DEBIAN/control");
	my $conf = "$newer/$package$SETTINGS";
	spew($conf, slurp($conf) . "# More is said here since.\n") if -e $conf;
	must('dpkg-deb', '--root-owner-group', '--build', "$newer/$package", "$newer/${package}_$NEWER.deb");
}

# The packages, and in apt's cache what they and Debian's mailfilter need; in the container there is no
# network to fetch it by.
sub bring {
	my ($root) = @_;
	must('mkdir', '-p', map { "$root$PLACE/$_" } 'now', 'newer');
	must('make', '-s', '-C', "$FindBin::Bin/../..", 'deb', "DEB=$root$PLACE/now");
	make_newer($_, glob("$root$PLACE/now/${_}_*.deb"), "$root$PLACE/newer") for @PACKAGES;
	must('mount', '--rbind', '/dev', "$root/dev");
	must('chroot', $root, qw(apt-get -q update));
	must('chroot', $root, qw(apt-get -q -y --download-only --no-install-recommends install), @$_)
		for [ map { substr $_, length $root } glob "$root$PLACE/now/*.deb" ], ['mailfilter'];
	must('umount', '-l', "$root/dev");
}

# ---- Inside ----

sub apt {
	my $said = output(qw(env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends), @_);
	is($?, 0, "apt-get @_") or diag($said);
	return $said;
}

sub state_of {
	my ($package) = @_;
	chomp(my $state = output('dpkg-query', '-W', '-f', '${db:Status-Status} ${Version}', $package));
	return $? ? 'none' : $state =~ s/ $//r;
}

sub enabled {
	my ($unit, @more) = @_;
	chomp(my $said = output('systemctl', @more, 'is-enabled', $unit));
	return $said;
}

sub well {
	my ($when) = @_;
	is(output(qw(systemctl list-units --failed --plain --no-legend)), '', "$when: no unit has failed");
}

sub installed {
	my $said = apt('install', @{ $deb{now} });
	unlike($said, qr/warning|error|denied/i, 'with nothing to complain of');
	like(state_of($_), qr/^installed /, "$_ is installed") for @PACKAGES;
	is(enabled($_), 'enabled', "$_ will start with the host") for @UNITS;
	is(enabled('mailfilter-once.timer'), 'disabled', 'but not the timer');
	is(enabled($_, '--global'), 'disabled', "nor anybody's own $_") for 'mailfilter.service', 'mailfilter-once.timer';
	is(show('mailfilter-scanner', 'ActiveState'), 'active', 'the scanner serves at once');
	is(show('mailfilter', $_->[0]), $_->[1], "without settings mailfilter's $_->[0] is $_->[1]") for [ ActiveState => 'inactive' ], [ ConditionResult => 'no' ];
	like(output('systemctl', 'status', 'mailfilter'), qr{unmet condition check \(ConditionPathExists=/etc/mailfilter/mailfilter\.conf\)}, 'and its status says which');
	well('after the installation');
	my $uid = getpwnam 'mailfilter';
	ok(defined $uid && defined getpwnam 'mailfilter-scanner', 'both users are there');
	is(sprintf('%o %s', (stat $STATE)[2] & 07777, (stat _)[4]), "700 $uid", 'the folder of its state is its own');
	is(output('mailfilter', '--version'), output('mailfilter-scanner', '--version') =~ s/^scanner/mailfilter/r, 'both are of one version');
	ok(!-e '/etc/mailfilter/mailfilter.conf' && -e $SETTINGS, 'there are settings for the scanner only');
	my $status = '';
	wait_until('the scanner has seen that there are no signatures', sub { ($status = output('systemctl', '--full', 'status', 'mailfilter-scanner')) =~ /clamav/ });
	like($status, qr/clamav-freshclam/, 'its status says what brings signatures');
}

# As the README says; the scanner with the one signature that needs nothing from the net.
sub set_up {
	my $sample = slurp($SETTINGS);
	ok($sample =~ s/^#signatures = .*$/signatures = { test }/m, 'the settings of the scanner have signatures');
	spew($SETTINGS, $sample);
	ok(systemctl('restart', 'mailfilter-scanner'), 'the scanner takes others');
	wait_until('it is ready', sub { show('mailfilter-scanner', 'StatusText') =~ /^ready/ });
	my ($address) = $dovecot->url('box', 'imaps') =~ m{@(.*)$};
	spew("$PLACE/answers", join '', map { "$_\n" } 'box@example.invalid', 'box', 'imaps', $address, 'box', 'file', '', 'one',
		'', 'keep', 'tls-ca', "$PLACE/dovecot/server-ca.pem", 'write');
	my $said = output('sh', '-c', "mailfilter setup < $PLACE/answers");
	is($?, 0, 'mailfilter setup makes an account') or diag($said);
	note($said);
	my ($next) = $said =~ /^Next:\n(.*)/ms;
	for my $command ($next =~ /^  (.*)$/mg) {
		my $answer = output('sh', '-c', $command);
		is($?, 0, "next, as it says: $command") or diag($answer);
	}
	is(output('mailfilter', '--once') =~ /runuser -u mailfilter -- mailfilter/ && $? >> 8, 78, 'and not as root');
	is_deeply([ map { sprintf '%o %s', (stat)[2] & 07777, scalar getpwuid((stat _)[4]) } glob '/etc/mailfilter/{mailfilter.conf,box.password}' ],
		[ '640 root', '600 mailfilter' ], 'for its service, and nobody else, to read');
}

sub delivered {
	return [ map { slurp($_) } glob "$STATE/Maildir/new/*" ];
}

sub flows {
	my ($when) = @_;
	my $before = @{ delivered() };
	put($dovecot, 'box', $_) for qw(plain eicar-zip);
	systemctl('kill', '--signal=USR1', '--kill-who=main', 'mailfilter');
	wait_until("$when: mail arrives", sub { @{ delivered() } >= $before + 2 });
	pass("$when: mail arrives");
}

sub upgraded {
	my %before = map { $_ => show($_, 'MainPID') } @UNITS;
	my $said = output('sh', '-c', "DEBIAN_FRONTEND=noninteractive dpkg --install @{$deb{newer}} < /dev/null");
	isnt($?, 0, 'dpkg does not decide by itself about settings that both sides changed');
	like($said, qr{Configuration file '\Q$SETTINGS\E'\n.*Modified \(by you or by a script\)}, 'but asks');
	is(output(qw(dpkg --force-confold --configure --pending)) && $?, 0, 'told to keep the old ones it goes on');
	is(state_of($_), "installed $NEWER", "$_ is the newer one") for @PACKAGES;
	like(slurp($SETTINGS), qr/^signatures = \{ test \}$/m, 'the change is kept');
	like(slurp("$SETTINGS.dpkg-dist"), qr/^# More is said here since\.$/m, 'what is new lies beside it');
	for (@UNITS) {
		is(show($_, 'ActiveState'), 'active', "$_ is active");
		isnt(show($_, 'MainPID'), $before{$_}, 'as another process');
	}
	flows('after the upgrade');
}

sub gone {
	my ($when) = @_;
	is(show($_, 'ActiveState'), 'inactive', "$when: $_ does not run") for @UNITS, 'mailfilter-once.timer', 'mailfilter-once.service';
	is(output('pgrep', '-f', '^/usr/bin/mailfilter'), '', "$when: no process is left");
	is_deeply([ grep { -e } map { ("/usr/bin/$_", "/lib/systemd/system/$_.service") } @UNITS ], [], "$when: the programs are gone");
	ok(scalar(my @originals = glob "$STATE/box/quarantine/*.eml") && @{ delivered() }, "$when: mail and quarantine are there")
		or diag(output('find', $STATE));
	well($when);
}

sub removed {
	ok(systemctl('enable', '--now', 'mailfilter-once.timer'), 'the timer is enabled, too');
	apt('remove', @PACKAGES);
	gone('removed');
	ok(-e $_, "removed: $_ is there") for $SETTINGS, '/etc/mailfilter/mailfilter.conf';
	apt('install', @{ $deb{newer} });
	is(show($_, 'ActiveState'), 'active', "back again, $_ is active at once") for @UNITS;
	like(slurp($SETTINGS), qr/^signatures = \{ test \}$/m, 'with the settings it had');
	flows('after its return');
}

sub purged {
	my $mails = @{ delivered() };
	my $said = apt('purge', @PACKAGES);
	gone('purged');
	like($said, qr{^mailfilter-av: \Q$STATE\E is kept.*rm -r \Q$STATE\E\s}m, 'and it is said that they are');
	ok(!-e '/etc/mailfilter', 'purged: there are no settings') or diag(output('ls', '/etc/mailfilter'));
	is_deeply([ glob '/etc/systemd/system/*/mailfilter* /var/lib/systemd/deb-systemd-helper-enabled/*mailfilter* /etc/systemd/user/*/mailfilter*' ], [], 'nor units that begin anything');

	apt('install', @{ $deb{now} });
	is(show('mailfilter', 'ActiveState'), 'inactive', 'installed after that, mailfilter has no settings again');
	set_up();
	ok(systemctl('start', 'mailfilter-once'), 'with the old account');
	is(scalar @{ delivered() }, $mails, 'it knows what it has fetched');
	arrived('all there ever was arrived once', delivered());
}

# Debian's, with the same command.
sub beside_another {
	apt('install', 'mailfilter');
	like(state_of('mailfilter'), qr/^installed /, 'Debian\'s mailfilter can be had');
	is(state_of('mailfilter-av') =~ s/ .*//r, 'config-files', 'it takes the place of ours');
	my ($own) = grep { m{/mailfilter-av_} } @{ $deb{now} };
	my $said = output('dpkg', '--install', $own);
	isnt($?, 0, 'ours is not installed over it');
	like($said, qr/conflict/, 'and dpkg says why');
	is(output('dpkg', '--search', '/usr/bin/mailfilter'), "mailfilter: /usr/bin/mailfilter\n", 'the command is still Debian\'s');
	apt('install', $own);
	like(state_of('mailfilter'), qr/^(?:config-files|none)/, 'apt takes Debian\'s away for ours');
	is(output('dpkg', '--search', '/usr/bin/mailfilter'), "mailfilter-av: /usr/bin/mailfilter\n", 'whose command it is again');
	well('at the end');
}

plan(skip_all => 'only with LONG=1 (make check-long)') if !@ARGV && !$ENV{LONG};
%Booted::OTHER = (root => \&make_root, fill => \&bring);
Booted::run(400, sub {
	require Dovecot;
	%deb = map { my $of = $_; $of => [ glob "$PLACE/$of/*.deb" ] } qw(now newer);
	is(scalar @{ $deb{$_} }, 2, "the packages are here: $_") for sort keys %deb;
	$dovecot = Dovecot->new(dir => "$PLACE/dovecot", users => { box => 'one' });
	installed();
	set_up();
	ok(systemctl('start', 'mailfilter'), 'with an account mailfilter starts');
	my $test = output('runuser', '-u', 'mailfilter', '--', 'mailfilter', 'self-test');
	is($?, 0, 'everything that the self-test sends is caught') or diag($test);
	flows('after the installation');
	arrived('and is clean', delivered());
	upgraded();
	removed();
	purged();
	beside_another();
}, '/usr/bin/mmdebstrap' => 'mmdebstrap', '/usr/bin/dh' => 'debhelper');
