#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The scanner as a program: its options, exit codes, what it tells the service manager, and that
# a stop leaves neither files nor processes. What it does for clients: tests/scanner/test_broker*.c.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp;
use IO::Select;
use IO::Socket::UNIX;
use POSIX qw(:sys_wait_h);
use Socket qw(SOCK_DGRAM);
use Test::More;

chdir abs_path(dirname(__FILE__) . '/../..') or die "chdir: $!\n";
my $work = File::Temp->newdir('mailfilter-scanner-XXXXXX', TMPDIR => 1);
my %running;
delete @ENV{qw(JOURNAL_STREAM NOTIFY_SOCKET XDG_CONFIG_HOME)};
END { kill 'KILL', keys %running }

sub settings {
	my ($name, $lines) = @_;
	open(my $file, '>', "$work/$name") or die "$name: $!\n";
	print {$file} "listen = { \"ipc://$work/socket\" }\ntemp-dir = \"$work/temp\"\n$lines\n";
	close $file or die "$name: $!\n";
	return "$work/$name";
}

sub start {
	my (@args) = @_;
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		open(STDIN,  '<',   '/dev/null') or POSIX::_exit(126);
		open(STDOUT, '>',   "$work/out") or POSIX::_exit(126);
		open(STDERR, '>',   "$work/err") or POSIX::_exit(126);
		exec 'build/scanner', @args or POSIX::_exit(127);
	}
	$running{$pid} = 1;
	return $pid;
}

sub slurp {
	my ($name) = @_;
	open(my $file, '<', "$work/$name") or return '';
	local $/ = undef;
	return scalar <$file> // '';
}

# The exit code, -1 for a signal.
sub finish {
	my ($pid) = @_;
	local $SIG{ALRM} = sub { kill 'KILL', $pid };
	alarm 60;
	waitpid $pid, 0;
	alarm 0;
	delete $running{$pid};
	return WIFEXITED($?) ? WEXITSTATUS($?) : -1;
}

sub run { return finish(start(@_)) }

my $good = settings('good.conf', "signatures = { \"test\" }\nworkers = 2");

subtest 'options' => sub {
	is(run('--help'), 0, '--help');
	like(slurp('out'), qr/^usage: scanner/, 'shows the usage');
	is((grep { length > 80 } split /\n/, slurp('out')), 0, 'that fits a terminal');
	is(run('--version'), 0, '--version');
	like(slurp('out'), qr/^scanner \S+$/, 'is one line');
	for my $wrong (['--no-such-option'], ['-c'], ['extra']) {
		is(run(@$wrong), 64, "wrong usage: @$wrong");
		like(slurp('err'), qr/^usage: scanner/m, '  shows the usage');
	}
};

subtest 'settings' => sub {
	is(run('-c', "$work/none.conf"), 78, 'a missing file');
	like(slurp('err'), qr/none\.conf/, '  is named');
	is(run('-c', settings('bad.conf', 'no-such-option = 1')), 78, 'an unknown option');
	like(slurp('err'), qr/bad\.conf:3/, '  is named with its line');
	is(run('-c', $good, '--check-config'), 0, 'good settings');
	like(slurp('err'), qr/\Ascanner: unprotected: only the EICAR test signature[^\n]*freshclam[^\n]*\n\z/,
		'  cause no complaint but that there are no signatures');
	is(run('-c', settings('absent.conf', "signatures = { \"$work/absent\" }"), '--check-config'),
		78, 'an absent signature folder');
	like(slurp('err'), qr/absent: No such file or directory: run freshclam/, '  asks for freshclam');
	is(run('-c', settings('sweep.conf', "signatures = { \"test\" }\nsweep = { \"$work\", \"$work/misspelt\" }"), '--check-config'),
		0, 'a directory to be swept that is not there is no error');
	is_deeply([ slurp('err') =~ /^scanner: (sweep: .*)$/mg ], ["sweep: $work/misspelt: No such file or directory: nothing in it is scanned"], '  but told');
	mkdir "$work/open", 0755 or die "mkdir: $!\n";
	chmod 0777, "$work/open";
	open(my $file, '>', "$work/open.conf") or die "open.conf: $!\n";
	print {$file} "temp-dir = \"$work/open\"\nsignatures = { \"test\" }\n";
	close $file or die "open.conf: $!\n";
	is(run('-c', "$work/open.conf", '--check-config'), 78, 'a temp-dir open to others');
	like(slurp('err'), qr/chmod 0700/, '  says how to close it');
};

subtest 'life' => sub {
	my $notify = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "$work/notify")
		or die "notify: $!\n";
	my $told = '';
	my $await = sub {
		my ($what) = @_;
		while ($told !~ $what) {
			IO::Select->new($notify)->can_read(30) or return 0;
			$notify->recv(my $datagram, 4096);
			$told .= "$datagram\n";
		}
		return 1;
	};
	local $ENV{NOTIFY_SOCKET} = "$work/notify";
	my $pid = start('-c', $good);
	ok($await->(qr/^READY=1$/m), 'READY=1 once it listens');
	ok($await->(qr/^STATUS=ready/m), 'a status once signatures are in');
	like($told, qr/READY=1.*STATUS=loading.*STATUS=ready/s, 'in this order');
	ok(-S "$work/socket", 'the socket is there');
	is((stat "$work/socket")[2] & 0777, 0660, '  for its group only');
	is((stat "$work/temp")[2] & 0777, 0700, 'the temp folder is ours alone');
	my $log = slurp('err');
	like($log, qr/signatures=1\b/, 'the log tells how many signatures');
	like($log, qr/unprotected/, '  and what is not protected');

	my $first = "$work/err";
	rename $first, "$work/first";
	is(run('-c', $good), 75, 'a second one ends with 75');
	like(slurp('err'), qr/\b$pid\b/, '  and names the pid of the first');
	is(run('-c', $good, '--check-config'), 0, 'the settings can be checked meanwhile');
	is(kill(0, $pid), 1, 'the first one goes on');

	kill 'TERM', $pid;
	is(finish($pid), 0, 'SIGTERM ends it with 0');
	ok($await->(qr/^STOPPING=1$/m), '  after STOPPING=1');
	ok(!-e "$work/socket", '  the socket is gone');
	is_deeply([ grep { $_ ne 'signatures-count' } map { s{.*/}{}r } glob "$work/temp/*" ], ['lock'],
		'  nothing is left but the lock, and how many signatures there were');
	my @left = grep {
		my ($file, $is);
		$is = <$file> if open($file, '<', $_);
		($is // '') =~ /(?:engine-host|inspector).*\Q$work\E/s;
	} glob '/proc/[0-9]*/cmdline';
	is_deeply(\@left, [], '  nor a process');
};

done_testing;
