# SPDX-License-Identifier: ISC
#
# Private clamds with the same settings as the scanner, each in the folder work('') under a name, and
# the signatures that they and the scanner are measured with.
package Clamd;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path);
use IO::Socket::UNIX;
use POSIX ();
use Time::HiRes qw(time);
use E2E;

my %running;

sub missing {
	return grep { my $name = $_; !grep { -x "$_/$name" } split(/:/, $ENV{PATH}), '/usr/sbin' } @_;
}

# start(name => NAME, signatures => FOLDER, cache => BOOL, threads => N, more => settings)
sub start {
	my (%option) = @_;
	my $name = $option{name};
	make_path(work("$name.tmp"));
	write_file(work("$name.conf"), <<"END");
LocalSocket @{[ work("$name.sock") ]}
TemporaryDirectory @{[ work("$name.tmp") ]}
DatabaseDirectory $option{signatures}
LogFile @{[ work("$name.log") ]}
Foreground yes
MaxThreads $option{threads}
DisableCache @{[ $option{cache} ? 'no' : 'yes' ]}
MaxScanTime 60000
MaxScanSize 400M
MaxFileSize 100M
StreamMaxLength 100M
MaxRecursion 17
MaxFiles 10000
BytecodeTimeout 10000
AlertExceedsMax yes
AlertEncrypted yes
PhishingSignatures no
PhishingScanURLs no
@{[ $option{more} // '' ]}
END
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		open(STDOUT, '>>', work("$name.out")) && open(STDERR, '>>&', \*STDOUT) or POSIX::_exit(126);
		exec '/usr/sbin/clamd', '-c', work("$name.conf") or POSIX::_exit(127);
	}
	$running{$name} = $pid;
	return $pid;
}

# Until all of them serve.
sub await {
	for my $name (keys %running) {
		my $until = time + 300;
		until (IO::Socket::UNIX->new(Peer => work("$name.sock"))) {
			die "clamd did not start:\n" . read_file(work("$name.out")) . read_file(work("$name.log"))
				if time > $until || waitpid($running{$name}, POSIX::WNOHANG()) != 0;
			select undef, undef, undef, 0.1;
		}
	}
}

sub pid { return $running{ $_[0] } }

sub stop {
	kill 'TERM', values %running;
	waitpid $_, 0 for values %running;
	%running = ();
}

# The signatures of a scale below a folder, made if they are not there: the whole path.
sub signatures {
	my ($below, $scale) = @_;
	make_path("$below/signatures-$scale");
	my $folder = abs_path("$below/signatures-$scale");
	return $folder if -e "$folder.made";
	system(dirname(__FILE__) . '/../signatures.pl', $folder, $scale, 'signatures') == 0 or die "signatures.pl failed\n";
	write_file("$folder.made", '');
	return $folder;
}

END { kill 'KILL', values %running if %running }

1;
