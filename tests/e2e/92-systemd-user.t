#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Mail of people under a real systemd: an instance of Alice's own with systemctl --user, its password
# from gpg and its agent, the system's scanner by her group; her timer; and the system's unit as
# Alice, into her Maildir, into /var/mail, and to Dovecot by LMTP, with the drop-in that mailfilter(8)
# names.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Booted;
use Test::More;

my ($dovecot, $uid);

# What a person says, with a manager of their own running.
sub as {
	my ($user, @command) = @_;
	return output('runuser', '-u', $user, '--', 'env', "HOME=/home/$user", 'XDG_RUNTIME_DIR=/run/user/' . getpwnam($user), @command);
}

sub as_alice {
	my $said = as('alice', @_);
	diag("@_: $said") if $?;
	return $said;
}

sub account {
	my ($name, @more) = @_;
	return <<"END";
account $name {
	source  = "@{[ $dovecot->url($name, 'imaps') ]}"
	tls-ca  = "$PLACE/dovecot/server-ca.pem"
@{[ map { "\t$_\n" } @more ]}}
END
}

# The key has no passphrase: an agent that has been told it answers just so.
sub make_alice {
	for (qw(alice bob)) {
		is(output('useradd', '--create-home', '--shell', '/bin/sh', $_), '', "$_ comes");
	}
	is(output('usermod', '--append', '--groups', 'mailfilter-scanner', 'alice'), '', 'Alice may send to the scanner');
	$uid = getpwnam 'alice';
	is(output(qw(systemctl start dbus.service systemd-logind.service)), '', 'people may log in');
	ok(systemctl('start', "user\@$uid.service", 'user@' . getpwnam('bob') . '.service'), 'each has a service manager of their own') or die;
	as_alice(qw(gpg --batch --quiet --passphrase), '', qw(--quick-generate-key alice@example.org));
	spew('/home/alice/password', "one\n", 0600, 'alice');
	as_alice(qw(gpg --batch --quiet --recipient alice@example.org --output /home/alice/password.gpg --encrypt /home/alice/password));
	unlink '/home/alice/password';
	ok(-s '/home/alice/password.gpg', 'Alice has a password for gpg alone');
	as_alice(qw(gpgconf --kill gpg-agent));
}

sub maildir {
	return [ map { slurp($_) } glob $_[0] . '/new/*' ];
}

my $DECRYPT = 'password-command = { "gpg", "--quiet", "--batch", "--decrypt", "/home/alice/password.gpg" }';

sub own_instance {
	as_alice(qw(mkdir -p /home/alice/.config/mailfilter));
	spew('/home/alice/.config/mailfilter/mailfilter.conf', qq(interval = "1h"\n) . account('own', $DECRYPT, 'deliver = "maildir:~/Maildir"'), 0600, 'alice');
	put($dovecot, 'own', $_) for qw(plain eicar-zip);
	my $log = follow('_SYSTEMD_USER_UNIT=mailfilter.service');
	as_alice(qw(systemctl --user start mailfilter));
	is($?, 0, 'Alice starts an instance of her own');
	wait_for($log, qr/action=cleaned/);
	wait_until('mail is there', sub { @{ maildir('/home/alice/Maildir') } >= 2 });
	arrived('her mail is in her Maildir', maildir('/home/alice/Maildir'), 'own');
	like(as_alice(qw(systemctl --user show --property=StatusText mailfilter)), qr/StatusText=1 account,/, 'it tells her service manager what it does');
	ok(-d '/home/alice/.local/state/mailfilter/own', 'its state is below her home');
	like(as_alice(qw(mailfilter status)), qr/^ipc:\S+\s+ready /m, 'she can ask how it is');
	as_alice(qw(systemctl --user kill --signal=KILL --kill-who=main mailfilter));
	like(as_alice(qw(systemctl --user show --property=Result --property=ActiveState mailfilter)), qr/^ActiveState=(?!inactive|failed)/m, 'killed, it is to come back');
	as_alice(qw(systemctl --user stop mailfilter));
	is($?, 0, 'she stops it');
}

sub own_timer {
	put($dovecot, 'own', 'eicar-attachment');
	as_alice(qw(systemctl --user start mailfilter-once.timer));
	is($?, 0, 'Alice has a timer instead');
	as_alice(qw(systemctl --user start mailfilter-once));
	is($?, 0, 'which visits her accounts');
	arrived('her mail is there', maildir('/home/alice/Maildir'), 'own');
	as_alice(qw(systemctl --user stop mailfilter-once.timer));
}

sub others {
	is(as('alice', qw(systemd-analyze --user verify --man=no mailfilter.service mailfilter-once.service mailfilter-once.timer)), '', 'nothing is wrong with the units of people\'s own');
	like(as('bob', qw(mailfilter-scanner --check-config)), qr/no errors/, 'Bob may look at the scanner\'s settings');
	spew('/home/bob/mail', "Subject: hello\r\n\r\nhello\r\n", 0644);
	spew('/home/alice/mail', "Subject: hello\r\n\r\nhello\r\n", 0644);
	like(as('alice', qw(mailfilter scan /home/alice/mail)), qr/clean/, 'what Alice sends to the scanner it scans');
	unlike(as('bob', qw(mailfilter -c /dev/null scan /home/bob/mail)), qr/: clean/, 'Bob, who is not in its group, cannot reach it');
	as('bob', qw(systemctl --user start mailfilter));
	like(as('bob', qw(systemctl --user show --property=ConditionResult mailfilter)), qr/=no$/m, 'without settings of one\'s own none starts');
}

# As mailfilter(8) says it.
sub as_the_system {
	my ($dropin) = slurp(glob '/usr/share/man/man[18]/mailfilter.[18]') =~ /^(\[Service\]\nUser=alice\n(?:\w+=.*\n)+)/m;
	ok(defined $dropin, 'the manual says how to run the unit as Alice') or return;
	mkdir '/etc/systemd/system/mailfilter-once.service.d';
	spew('/etc/systemd/system/mailfilter-once.service.d/alice.conf', $dropin);
	spew('/etc/mailfilter/mailfilter.conf', account('home', $DECRYPT, 'deliver = "maildir:/home/alice/Maildir/.home"')
		. account('spool', $DECRYPT, 'deliver = "mbox:/var/mail/alice"')
		. account('server', $DECRYPT, "deliver = \"lmtp:$PLACE/dovecot/run/lmtp\"", 'recipient = "served"'), 0600, 'alice');
	systemctl('daemon-reload');
	for (qw(home spool server)) {
		put($dovecot, $_, 'attachment');
		put($dovecot, $_, 'eicar-zip');
	}
	ok(systemctl('start', 'mailfilter-once'), 'the system\'s unit runs as Alice') or diag(output('journalctl', '-u', 'mailfilter-once', '-n', 30, '--no-pager'));
	is(show('mailfilter-once', 'ExecMainStatus'), 0, 'and reaches all accounts');
	arrived('mail in her Maildir', maildir('/home/alice/Maildir/.home'), 'home');
	arrived('mail in /var/mail', [ map { s/^>(>*From )/$1/mgr } grep { $_ ne '' } split /^From [^\n]*\n/m, slurp('/var/mail/alice') =~ s/\n\n(?=From |\z)/\n/gr ], 'spool');
	arrived('mail at the mail server, by LMTP', maildir("$PLACE/dovecot/mail/served/Maildir"), 'server');
}

Booted::run(88, sub {
	require Dovecot;
	$dovecot = Dovecot->new(dir => "$PLACE/dovecot", users => { map { $_ => 'one' } qw(own home spool server served) });
	make_scanner();
	ok(systemctl('start', 'mailfilter-scanner'), 'the scanner of the system');
	make_alice();
	own_instance();
	own_timer();
	others();
	as_the_system();
}, '/usr/bin/gpg' => 'gpg', '/usr/bin/gpg-agent' => 'gpg-agent', '/usr/bin/dbus-daemon' => 'dbus-daemon',
	'/lib/*/security/pam_systemd.so' => 'libpam-systemd', '/usr/sbin/useradd' => 'passwd');
