# SPDX-License-Identifier: ISC
#
# A program at a pseudo-terminal, as a person has it: what it shows is read, what is typed is
# written, with the kernel's own echo and Ctrl-C.
package Terminal;
use strict;
use warnings;
use Fcntl qw(O_RDWR O_NOCTTY);
use IO::Select;
use POSIX ();
use Time::HiRes qw(time);

my ($TIOCSPTLCK, $TIOCGPTN) = (0x40045431, 0x80045430);

# Start it with the terminal as its standard streams.
sub new {
	my ($class, @argv) = @_;
	sysopen(my $master, '/dev/ptmx', O_RDWR | O_NOCTTY) or die "/dev/ptmx: $!\n";
	ioctl($master, $TIOCSPTLCK, my $unlocked = pack 'i', 0) or die "unlock: $!\n";
	ioctl($master, $TIOCGPTN, my $number = pack 'i', 0) or die "number: $!\n";
	my $path = '/dev/pts/' . unpack 'i', $number;
	sysopen(my $slave, $path, O_RDWR | O_NOCTTY) or die "$path: $!\n";
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		POSIX::setsid();
		# The first terminal that a session's leader opens is its own.
		for ([ \*STDIN, '<' ], [ \*STDOUT, '>' ], [ \*STDERR, '>' ]) {
			open($_->[0], $_->[1], $path) or POSIX::_exit(126);
		}
		exec { $argv[0] } @argv or POSIX::_exit(127);
	}
	return bless { pid => $pid, master => $master, slave => $slave, shown => '', at => 0 }, $class;
}

# Wait until something like this is shown behind what was waited for before.
sub wait_for {
	my ($self, $like) = @_;
	my $deadline = time + 30;
	for (;;) {
		if (substr($self->{shown}, $self->{at}) =~ $like) {
			$self->{at} += $+[0];
			return 1;
		}
		my $left = $deadline - time;
		return 0 if $left <= 0 || !IO::Select->new($self->{master})->can_read($left);
		sysread($self->{master}, $self->{shown}, 4096, length $self->{shown}) or return 0;
	}
}

sub type {
	my ($self, $text) = @_;
	syswrite($self->{master}, $text) == length $text or die "typing: $!\n";
}

# Does it show what is typed now?
sub echoes {
	my ($self) = @_;
	my $state = POSIX::Termios->new;
	$state->getattr(fileno $self->{slave});
	return ($state->getlflag & POSIX::ECHO()) != 0;
}

# Its end: { code, signal, shown }.
sub finish {
	my ($self) = @_;
	my $done;
	my $deadline = time + 60;
	while (!$done && time < $deadline) {
		if (IO::Select->new($self->{master})->can_read(0.05)) {
			sysread($self->{master}, $self->{shown}, 4096, length $self->{shown});
			next;
		}
		$done = waitpid($self->{pid}, POSIX::WNOHANG()) == $self->{pid};
	}
	if (!$done) {
		kill 'KILL', $self->{pid};
		waitpid $self->{pid}, 0;
	}
	@$self{qw(code signal)} = ($? >> 8, $? & 127);
	return $self;
}

1;
