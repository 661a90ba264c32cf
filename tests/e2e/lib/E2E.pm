# SPDX-License-Identifier: ISC
#
# What the end-to-end tests share: a folder that goes away, settings files, the two programs
# started and stopped, and the comparison of what was served with what was delivered. Everything
# is stopped when the test ends, however it ends; on failure the logs are shown.
package E2E;
use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::SHA qw(sha256_hex);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use File::Temp;
use IO::Select;
use IO::Socket::UNIX;
use POSIX qw(:sys_wait_h);
use Socket qw(SOCK_DGRAM);
use Test::More;
use Time::HiRes qw(time);
use Dovecot;
use Imap;
use Mail;

our @EXPORT = qw(work settings account scanner_start scanner_stop scanner_kill mailfilter unwrapped
	mailfilter_start finish wait_line within children
	scanner_children maildir quarantine served problems snapshot write_file read_file);

my $root = abs_path(dirname(__FILE__) . '/../../..');
my ($work, $scanner, %started);
my $runs = 0;
chdir $root or die "$root: $!\n";
$ENV{LC_ALL} = 'C';
delete @ENV{ grep { /^(XDG_|NOTIFY_SOCKET|JOURNAL_STREAM|CREDENTIALS_DIRECTORY|WATCHDOG)/ } keys %ENV };
$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);
$SIG{PIPE} = 'IGNORE';

# The test's folder, or a path in it. KEEP=1 leaves it. Others may enter: Dovecot runs as another
# user where root tests.
sub work {
	my ($name) = @_;
	if (!$work) {
		$work = File::Temp->newdir('mailfilter-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{KEEP});
		chmod 0755, "$work";
		mkdir "$work/home";
		$ENV{HOME} = "$work/home";
		diag("the test's folder is $work") if $ENV{KEEP};
	}
	return defined $name ? "$work/$name" : "$work";
}

sub write_file {
	my ($path, $bytes, $mode) = @_;
	make_path(dirname($path));
	Dovecot::write_file($path, $bytes);
	chmod $mode, $path if defined $mode;
	return $path;
}

sub read_file {
	my ($path) = @_;
	open(my $file, '<:raw', $path) or return '';
	local $/;
	return <$file> // '';
}

sub option {
	my ($name, $value) = @_;
	my $quote = sub { '"' . $_[0] =~ s/(["\\])/\\$1/gr . '"' };
	return "$name = " . (ref $value ? '{ ' . join(', ', map { $quote->($_) } @$value) . ' }'
		: $quote->($value)) . "\n";
}

# Write a settings file: settings('NAME.conf', { option => value or list }, ACCOUNT...) where an
# account is [ name, { option => value } ]. Returns its path.
sub settings {
	my ($name, $global, @accounts) = @_;
	my $text = join '', map { option($_, $global->{$_}) } sort keys %$global;
	for (@accounts) {
		my ($title, $option) = @$_;
		$text .= "account $title {\n"
			. join('', map { "\t" . option($_, $option->{$_}) } sort keys %$option) . "}\n";
	}
	return write_file(work($name), $text, 0600);
}

# An account as settings() takes it: a user of a Dovecot, delivered to work('out/NAME').
sub account {
	my ($dovecot, $name, $kind, %more) = @_;
	$more{'tls-ca'} //= $dovecot->{ca} if ($more{tls} // '') ne 'none';
	return [ $name, { source => $dovecot->url($name, $kind),
		password => $dovecot->{users}{$name}, deliver => 'maildir:' . work("out/$name"), %more } ];
}

sub global {
	return ('state-dir' => work('state'), scanners => [ 'ipc://' . work('scanner.sock') ], @_);
}

sub spawn {
	my ($out, $err, @argv) = @_;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		setpgrp;
		open(STDIN,  '<',   '/dev/null') or POSIX::_exit(126);
		open(STDOUT, '>>',  $out)        or POSIX::_exit(126);
		open(STDERR, '>>&', $err)        or POSIX::_exit(126);
		exec { $argv[0] } @argv or POSIX::_exit(127);
	}
	$started{$pid} = 1;
	return $pid;
}

sub reap {
	my ($pid) = @_;
	waitpid $pid, 0;
	delete $started{$pid};
	return $?;
}

# What this gives, once it is true; nothing where it is not within so many seconds.
sub within {
	my ($seconds, $code, $pause) = @_;
	my $deadline = time + $seconds;
	for (;;) {
		my @got = $code->();
		return wantarray ? @got : $got[0] if $got[0];
		return if time > $deadline;
		select undef, undef, undef, $pause // 0.02;
	}
}

# Pids of a process's children, by proc(5): a bare Debian has no ps. Those whose command line is like this.
sub children {
	my ($parent, $like) = @_;
	return grep { read_file("/proc/$_/stat") =~ /\) \w $parent / && (!$like || read_file("/proc/$_/cmdline") =~ $like) }
		map { m{(\d+)} } glob '/proc/[0-9]*';
}

sub scanner_children { return children($scanner, @_) }

our @scanner_words;    # more for its command line

# Start the scanner with the built-in test signature and wait until it says that it is ready
# (sd_notify, as a service manager would).
sub scanner_start {
	my (%option) = @_;
	my $conf = settings('scanner.conf', { listen => [ 'ipc://' . work('scanner.sock') ],
		signatures => ['test'], 'temp-dir' => work('scanner.tmp'), %option });
	my $path = work('notify.sock');
	unlink $path;
	my $notify = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path) or die "$path: $!\n";
	open(my $log, '>>', work('scanner.log')) or die "scanner.log: $!\n";
	{
		local $ENV{NOTIFY_SOCKET} = $path;
		$scanner = spawn(work('scanner.log'), $log, 'build/scanner', @scanner_words, '-c', $conf);
	}
	my $deadline = time + 60;
	while (time < $deadline && waitpid($scanner, WNOHANG) == 0) {
		next if !IO::Select->new($notify)->can_read(1);
		$notify->recv(my $datagram, 4096);
		return $scanner if $datagram =~ /^READY=1/m;
	}
	die "the scanner did not become ready:\n" . read_file(work('scanner.log'));
}

# Is the whole group of a process gone? Its orphans get a few seconds to notice.
sub group_gone {
	my ($pid) = @_;
	for (1 .. 200) {
		return 1 if !kill 0, -$pid;
		select undef, undef, undef, 0.05;
	}
	kill 'KILL', -$pid;
	return 0;
}

# End it in order. Exit code 0 and no process left: true.
sub scanner_stop {
	my $pid = $scanner or return 1;
	$scanner = 0;
	kill 'TERM', $pid;
	local $SIG{ALRM} = sub { kill 'KILL', -$pid };
	alarm 30;
	my $status = reap($pid);
	alarm 0;
	return $status == 0 && group_gone($pid);
}

# As a crash would. No process left: true.
sub scanner_kill {
	my $pid = $scanner or die "no scanner runs\n";
	$scanner = 0;
	kill 'KILL', $pid;
	reap($pid);
	return group_gone($pid);
}

# Start mailfilter, also beside another; its stderr is read by wait_line and finish.
sub mailfilter_start {
	my (@args) = @_;
	my $out = work("stdout-$$-" . ++$runs);
	pipe(my $read, my $write) or die "pipe: $!\n";
	my $run = { err => '', read => $read, out => $out, from => time, args => "@args" };
	$run->{pid} = spawn($out, $write, 'build/mailfilter', @args);
	return $run;
}

# More of its stderr; false at its end or after the deadline.
sub more {
	my ($run, $deadline) = @_;
	my $left = $deadline - time;
	return 0 if $left <= 0 || !IO::Select->new($run->{read})->can_read($left);
	return sysread($run->{read}, $run->{err}, 65536, length $run->{err}) || 0;
}

# Wait until the log holds so many lines like this. False if it ended before.
sub wait_line {
	my ($run, $like, $count) = @_;
	my $deadline = time + 120;
	while ((() = $run->{err} =~ /$like/g) < $count) {
		return 0 if !more($run, $deadline);
	}
	return 1;
}

# Its end, at the latest after so many seconds: { code, signal, late, out, err, seconds }.
sub finish {
	my ($run, $limit) = @_;
	my $deadline = $run->{from} + ($limit // 120);
	1 while more($run, $deadline);
	local $SIG{ALRM} = sub {
		$run->{late} = 1;
		$run->{err} .= "(killed by the test: not done in time)\n";
		kill 'KILL', -$run->{pid};
	};
	alarm($deadline > time ? $deadline - time + 1 : 1);
	my $status = reap($run->{pid});
	alarm 0;
	@$run{qw(code signal)} = ($status >> 8, $status & 127);
	$run->{seconds} = time - $run->{from};
	$run->{out} = read_file($run->{out});
	open(my $log, '>>:raw', work('mailfilter.log')) or return $run;
	print $log "--- mailfilter $run->{args}\n$run->{out}$run->{err}--- exit $run->{code}/$run->{signal}\n";
	return $run;
}

sub mailfilter {
	return finish(mailfilter_start(@_));
}

# How to read what was delivered to accounts that have no Maildir: name => code that returns
# name => bytes.
our %reader;

# What is wrapped for a terminal, each sentence on one line again.
sub unwrapped {
	my ($text) = @_;
	return $text =~ s/\n  (?=\S)/ /gr;
}

# What was delivered: file name => bytes.
sub maildir {
	my ($name) = @_;
	return $reader{$name}->() if $reader{$name};
	my $folder = work("out/$name");
	return map { (m{([^/]+)$})[0] => read_file($_) } glob "$folder/new/* $folder/cur/*";
}

# Where the state is of accounts that have it elsewhere than in work('state'): name => state-dir.
our %state_dir;

# SHA-256 => path of each original in an account's quarantine.
sub quarantine {
	my ($name) = @_;
	my $state = $state_dir{$name} // work('state');
	return map { sha256_hex(read_file($_)) => $_ } glob "$state/$name/quarantine/*.eml";
}

# What the server has of a user, asked in plain IMAP.
sub served {
	my ($dovecot, $user) = @_;
	my $imap = $dovecot->imap($user);
	my @messages = $imap->messages('INBOX');
	$imap->close;
	return @messages;
}

# All that is not as promised for one account: these corpus mails, as served, against its
# Maildir and quarantine. An empty list is a pass.
sub problems {
	my ($name, $served, $mails) = @_;
	my %file = maildir($name);
	my %kept = quarantine($name);
	my (@problems, %by_id);
	push @problems, map { "left behind: $_" } glob work("out/$name/tmp/*");
	push @{ $by_id{ Mail::field($file{$_}, 'message-id') // '' } }, $_ for sort keys %file;
	my %is_served = map { $_->{sha256} => 1 } @$served;
	for my $mail (@$mails) {
		my $what  = "$mail->{name} ($mail->{kind})";
		my @found = @{ delete $by_id{ Mail::field($mail->{bytes}, 'message-id') } // [] };
		push @problems, "$what: delivered " . @found . ' times' if @found != 1;
		push @problems, "$what: the server has other bytes" if !$is_served{ $mail->{sha256} };
		for (map { $file{$_} } @found) {
			if (!$mail->{infected}) {
				push @problems, "$what: bytes differ" if sha256_hex($_) ne $mail->{sha256};
				next;
			}
			my %leaf = map { $_ => 1 } Mail::leaf_hashes($_);
			push @problems, "$what: EICAR was delivered" if Mail::eicar_everywhere($_);
			push @problems, "$what: a clean part is gone or changed"
				if grep { !$leaf{$_} } @{ $mail->{clean} };
			push @problems, "$what: no X-Virus-Status" if !defined Mail::field($_, 'x-virus-status');
			push @problems, "$what: subject changed"
				if (Mail::field($_, 'subject') // '') ne Mail::field($mail->{bytes}, 'subject');
		}
		push @problems, "$what: no original in quarantine"
			if $mail->{infected} && !delete $kept{ $mail->{sha256} };
	}
	push @problems, map { "unexpected in the Maildir: @$_" } values %by_id;
	push @problems, map { "unexpected in quarantine: $_" } values %kept;
	return @problems;
}

# Names and content of delivered mail and quarantine, to see that a run changed nothing.
sub snapshot {
	my (@names) = @_;
	my %state;
	for my $name (@names) {
		my %file = maildir($name);
		$state{"$name/$_"} = sha256_hex($file{$_}) for keys %file;
		my %kept = quarantine($name);
		$state{ $kept{$_} } = $_ for keys %kept;
	}
	return \%state;
}

END {
	my $code = $?;
	if ($work && !Test::More->builder->is_passing) {
		for my $log (map { work($_) } qw(scanner.log mailfilter.log)) {
			my @lines = split /\n/, read_file($log);
			diag($log, map { "\n  $_" } @lines > 60 ? @lines[-60 .. -1] : @lines) if @lines;
		}
	}
	kill 'KILL', -$_ for keys %started;
	waitpid $_, 0 for keys %started;
	Dovecot::stop_all();
	undef $work;
	$? = $code;
}

1;
