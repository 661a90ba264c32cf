# SPDX-License-Identifier: ISC
#
# A private Dovecot on loopback: IMAP, IMAPS, POP3, POP3S and LMTP on free ports, LMTP by the unix
# socket run/lmtp as well, its own certificate
# authority, users with a Maildir each. It never runs as root and touches nothing outside its
# folder. Started when new() returns, stopped with the object or at the end of the program.
package Dovecot;
use strict;
use warnings;
use IO::Socket::INET;
use POSIX ();
use Socket qw(SOL_SOCKET SO_REUSEADDR);
use Imap;

my $SERVED_BY = 'dovenull';    # who it runs as where root starts it: Debian's own, unprivileged
my @running;

# A port that is free now.
sub free_port {
	my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
		or die "no free port: $!\n";
	return $socket->sockport;
}

# A port kept for a server that may be away for a while: bound here and never listened on, so that no
# other socket is given it, be it a client's, and a server that sets SO_REUSEADDR may have it.
sub reserved_port {
	my $socket = IO::Socket::INET->new(Proto => 'tcp', LocalAddr => '127.0.0.1', LocalPort => 0)
		or die "no free port: $!\n";
	$socket->setsockopt(SOL_SOCKET, SO_REUSEADDR, 1) or die "SO_REUSEADDR: $!\n";
	return $socket;
}

sub command {
	my ($log, @argv) = @_;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		open(STDIN,  '<',  '/dev/null');
		open(STDOUT, '>>', $log);
		open(STDERR, '>&', \*STDOUT);
		exec { $argv[0] } @argv or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	return $? == 0;
}

sub write_file {
	my ($path, $bytes) = @_;
	open(my $file, '>:raw', $path) or die "$path: $!\n";
	print $file $bytes or die "$path: $!\n";
	close $file or die "$path: $!\n";
}

# An authority in "$dir/NAME-ca.pem" and a certificate "$dir/NAME.pem" by it. names: the
# subjectAltName, e.g. "DNS:localhost,IP:127.0.0.1"; days: how long it is valid.
sub certificate {
	my ($dir, $name, $names, $days) = @_;
	my @key = qw(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes);
	my $log = "$dir/openssl.log";
	write_file("$dir/$name.ext", "subjectAltName=$names\nextendedKeyUsage=serverAuth\n");
	command($log, qw(openssl req -x509), @key, '-days', 30, '-subj', "/CN=$name test authority",
		'-keyout', "$dir/$name-ca.key", '-out', "$dir/$name-ca.pem")
		&& command($log, qw(openssl req -new), @key, '-subj', "/CN=$name test server",
		'-keyout', "$dir/$name.key", '-out', "$dir/$name.csr")
		&& command($log, qw(openssl x509 -req -CAcreateserial), '-days', $days // 30,
		'-in', "$dir/$name.csr", '-CA', "$dir/$name-ca.pem", '-CAkey', "$dir/$name-ca.key",
		'-extfile', "$dir/$name.ext", '-out', "$dir/$name.pem")
		or die "openssl failed, see $log\n";
}

# new(dir => an empty folder, users => { NAME => PASSWORD, ... }, names => SAN, days => N,
# more => settings of Dovecot's)
sub new {
	my ($class, %option) = @_;
	my $self = bless { dir => $option{dir}, users => $option{users}, put => 0,
		more => $option{more} // '' }, $class;
	my ($dir, $names) = ($self->{dir}, $option{names} // 'DNS:localhost,IP:127.0.0.1');

	$self->{owner} = $> == 0 ? getpwnam($SERVED_BY) // die "no user $SERVED_BY\n" : $>;
	$self->{group} = $> == 0 ? (getpwuid $self->{owner})[3] : $) + 0;
	mkdir "$dir" or die "$dir: $!\n" if !-d $dir;
	certificate($dir, 'server', $names, $option{days});
	$self->{ca} = "$dir/server-ca.pem";
	mkdir "$dir/$_" or die "$dir/$_: $!\n" for qw(run mail);
	write_file("$dir/passwd",
		join '', map { "$_:{PLAIN}$option{users}{$_}\n" } sort keys %{ $option{users} });
	write_file("$dir/dovecot.log", '');
	for my $user (keys %{ $option{users} }) {
		for my $folder ('', '/Maildir', map { "/Maildir/$_" } qw(cur new tmp)) {
			mkdir "$dir/mail/$user$folder" or die "$dir/mail/$user$folder: $!\n";
			chown $self->{owner}, $self->{group}, "$dir/mail/$user$folder";
		}
	}
	chown $self->{owner}, $self->{group}, $dir, map { "$dir/$_" }
		qw(run mail passwd dovecot.log server.key);
	$self->{reserved} = { map { $_ => reserved_port() } qw(imap imaps pop3 pop3s lmtp) };
	$self->{port} = { map { $_ => $self->{reserved}{$_}->sockport } keys %{ $self->{reserved} } };
	$self->start or die "Dovecot does not start:\n" . $self->log;
	return $self;
}

sub settings {
	my ($self) = @_;
	my ($user, $group) = (scalar getpwuid $self->{owner}, scalar getgrgid $self->{group});
	my ($dir, $port) = @$self{qw(dir port)};
	return <<"END";
protocols = imap pop3 lmtp
listen = 127.0.0.1
base_dir = $dir/run
state_dir = $dir/run
log_path = $dir/dovecot.log
login_log_format_elements = user=<%u> method=%m %c service=%s
auth_verbose = yes
ssl = yes
ssl_cert = <$dir/server.pem
ssl_key = <$dir/server.key
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:~/Maildir
mail_max_userip_connections = 1000
mail_fsync = never
pop3_no_flag_updates = yes
first_valid_uid = 1
default_login_user = $user
default_internal_user = $user
default_internal_group = $group
passdb {
  driver = passwd-file
  args = username_format=%u $dir/passwd
}
userdb {
  driver = static
  args = uid=$self->{owner} gid=$self->{group} home=$dir/mail/%u
}
service anvil {
  chroot =
}
service imap-login {
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {
    port = $port->{imap}
  }
  inet_listener imaps {
    port = $port->{imaps}
  }
}
service lmtp {
  user = $user
  unix_listener lmtp {
    mode = 0666
  }
  inet_listener lmtp {
    port = $port->{lmtp}
  }
}
protocol lmtp {
  postmaster_address = postmaster\@example.org
  mail_fsync = optimized
}
service pop3-login {
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener pop3 {
    port = $port->{pop3}
  }
  inet_listener pop3s {
    port = $port->{pop3s}
  }
}
$self->{more}
END
}

# dovecot returns once its ports are open; the first greeting says that the rest is there, too.
sub start {
	my ($self) = @_;
	my $dir = $self->{dir};
	my @argv = ('/usr/sbin/dovecot', '-c', "$dir/dovecot.conf");

	unshift @argv, 'setpriv', "--reuid=$self->{owner}", "--regid=$self->{group}", '--clear-groups'
		if $> == 0;
	write_file("$dir/dovecot.conf", $self->settings);
	return 0 if !command("$dir/start.log", @argv);
	push @running, $self;
	my $socket = IO::Socket::INET->new("127.0.0.1:$self->{port}{imap}");
	return 1 if $socket && defined readline $socket;
	$self->stop;
	return 0;
}

sub stop {
	my ($self) = @_;
	return if !grep { $_ == $self } @running;
	command("$self->{dir}/start.log", 'doveadm', '-c', "$self->{dir}/dovecot.conf", 'stop');
	@running = grep { $_ != $self } @running;
}

sub zombie {
	my ($pid) = @_;
	open(my $file, '<', "/proc/$pid/stat") or return 1;
	return (<$file> // ' ) Z') =~ /\) Z/;
}

# As a power cut would, so that nobody waits for those who are connected: the master and its own.
sub crash {
	my ($self) = @_;
	open(my $file, '<', "$self->{dir}/run/master.pid") or die "no master.pid: $!\n";
	my ($master) = <$file> =~ /(\d+)/;
	my @own = grep {
		my $stat = '';
		if (open(my $process, '<', "/proc/$_/stat")) { $stat = <$process> // '' }
		$stat =~ /^\d+ \(.*\) \S+ $master /;
	} map { m{(\d+)} } glob '/proc/[0-9]*';
	kill 'KILL', $master, @own;
	select undef, undef, undef, 0.02 while grep { -d "/proc/$_" && !zombie($_) } $master, @own;
	# The killed master is there until init has reaped it, and the next one would take it for alive.
	unlink "$self->{dir}/run/master.pid";
	@running = grep { $_ != $self } @running;
}

sub stop_all {
	$_->stop for @running;
}

sub log {
	my ($self) = @_;
	my $text = '';
	for (qw(start.log dovecot.log)) {
		open(my $file, '<:raw', "$self->{dir}/$_") or next;
		$text .= join '', <$file>;
	}
	return $text;
}

# The source of a user as settings write it: url('alice', 'imaps'). By address, because a bare
# chroot knows no localhost; the certificate has both.
sub url {
	my ($self, $user, $kind, $host) = @_;
	return "$kind\://$user\@" . ($host // '127.0.0.1') . ":$self->{port}{$kind}";
}

# A session of a user's, in plain IMAP.
sub imap {
	my ($self, $user) = @_;
	return Imap->new($self->{port}{imap}, $user, $self->{users}{$user});
}

# Bodies that it has sent to a user so far, by its own count.
sub sent {
	my ($self, $user) = @_;
	my $count = 0;
	for (split /\n/, $self->log) {
		next if !/\b(?:imap|pop3)\($user\)/;
		$count += $1 if /body_count=(\d+)/ || m{retr=(\d+)/};
	}
	return $count;
}

# Put messages into a user's INBOX, in this order, with these flags (Maildir's letters).
sub put_flagged {
	my ($self, $user, $flags, @mails) = @_;
	my $folder = "$self->{dir}/mail/$user/Maildir";
	for my $mail (@mails) {
		my $name = sprintf '%d.M%06dP%d.test', 1_700_000_000 + $self->{put}++, $self->{put}, $$;
		my $path = $flags eq '' ? "$folder/new/$name" : "$folder/cur/$name:2,$flags";
		write_file("$folder/tmp/$name", $mail);
		chown $self->{owner}, $self->{group}, "$folder/tmp/$name";
		rename "$folder/tmp/$name", $path or die "$path: $!\n";
	}
}

sub put {
	my ($self, $user, @mails) = @_;
	$self->put_flagged($user, '', @mails);
}

1;
