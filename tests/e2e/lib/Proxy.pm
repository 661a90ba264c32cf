# SPDX-License-Identifier: ISC
#
# A proxy in front of an IMAP server, in plain text on loopback, that follows the conversation: each
# command of the client, and each answer of the server that ends one or asks for more, is an event,
# counted over all connections. At the event it is told it kills its victim, a process group, or cuts
# the connection, so that nothing more than was passed on before can have happened there; or it does
# what the test says. Capabilities can be hidden.
package Proxy;
use strict;
use warnings;
use Fcntl qw(:flock);
use IO::Select;
use IO::Socket::INET;
use POSIX ();

# new(port => of the server, dir => an empty folder, hide => [ capabilities ],
#	on => sub { my ($line) = @_; ... } called before a command of the client is passed on; what it
#	returns, if anything, is sent to the client instead)
sub new {
	my ($class, %option) = @_;
	my $listen = IO::Socket::INET->new(Listen => 20, LocalAddr => '127.0.0.1', ReuseAddr => 1)
		or die "listen: $!\n";
	my $self = bless { %option, listen => $listen }, $class;
	mkdir $self->{dir};
	$self->arm(0);
	$self->{pid} = fork // die "fork: $!\n";
	if ($self->{pid}) {
		$self->{own} = $$;
		$self->{listening} = $listen->sockport;
		close $listen;
		return $self;
	}
	setpgrp;
	@SIG{qw(INT TERM HUP ALRM CHLD)} = ('DEFAULT', 'DEFAULT', 'DEFAULT', 'DEFAULT', 'IGNORE');
	while (1) {
		my $client = $listen->accept or next;
		my $pid = fork // next;
		if (!$pid) {
			close $listen;
			eval { $self->serve($client) };
			print STDERR "# proxy: $@" if $@;
			POSIX::_exit(0);
		}
		close $client;
	}
}

sub DESTROY {
	my ($self) = @_;
	return if !$self->{own} || $self->{own} != $$;
	local ($?, $!);
	kill 'KILL', -$self->{pid};
	waitpid $self->{pid}, 0;
}

# Count from 0 again, and at event number $at (0: at none) kill the victim, or only cut the connection.
# Done before the victim is known: its pid is told by victim().
sub arm {
	my ($self, $at, $how) = @_;
	$self->put('at', $at);
	$self->put('how', $how // 'kill');
	$self->put('victim', 0);
	$self->put('events', '');
}

sub victim {
	my ($self, $pid) = @_;
	$self->put('victim', $pid);
}

# What happened so far, a line each.
sub events {
	my ($self) = @_;
	return split /\n/, $self->get('events');
}

sub put {
	my ($self, $name, $text) = @_;
	open(my $file, '>', "$self->{dir}/$name.new") or die "$self->{dir}/$name: $!\n";
	print $file $text;
	close $file;
	rename "$self->{dir}/$name.new", "$self->{dir}/$name";
}

sub get {
	my ($self, $name) = @_;
	open(my $file, '<', "$self->{dir}/$name") or return '';
	local $/;
	return <$file> // '';
}

# Note an event. False: nothing more is passed on here.
sub event {
	my ($self, $what) = @_;
	open(my $lock, '>>', "$self->{dir}/lock") or die "lock: $!\n";
	flock $lock, LOCK_EX;
	my @events = $self->events;
	my ($at, $cut) = ($self->get('at'), $self->get('how') eq 'cut');
	return 0 if $at && !$cut && @events >= $at;
	$self->put('events', join "\n", @events, $what);
	return 1 if !$at || @events + 1 != $at;
	return 0 if $cut;
	# The test says whom it started as soon as it has.
	select undef, undef, undef, 0.01 while !$self->get('victim');
	kill 'KILL', -$self->get('victim');
	return 0;
}

# Whole lines and literals off the front of what came: [ line ] or [ undef, bytes ].
sub pieces {
	my ($state) = @_;
	my @pieces;
	while (length $state->{text}) {
		if ($state->{literal}) {
			my $bytes = substr $state->{text}, 0, $state->{literal}, '';
			$state->{literal} -= length $bytes;
			push @pieces, [ undef, $bytes ];
			next;
		}
		$state->{text} =~ s/\A(.*?\n)//s or last;
		push @pieces, [$1];
		$state->{literal} = $1 if $pieces[-1][0] =~ /\{(\d+)\+?\}\r\n\z/;
	}
	return @pieces;
}

sub from_client {
	my ($self, $line, $client) = @_;
	return 1 if $line !~ /^\d+ /;    # what follows a literal
	$self->event('C ' . $line =~ s/^\d+ |\s+\z//gr) or return 0;
	my $answer = $self->{on} ? $self->{on}->($line) : undef;
	return 1 if !defined $answer;
	syswrite $client, $answer;
	return $answer eq '' ? 0 : -1;
}

sub from_server {
	my ($self, $line) = @_;
	if ($line =~ /^\* CAPABILITY|\[CAPABILITY/) {
		$line =~ s/ \Q$_\E(?=[ \]\r])//g for @{ $self->{hide} // [] };
	}
	return undef if $line =~ /^(?:\d+ (OK|NO|BAD)|\+)/ && !$self->event('S ' . ($1 // '+'));
	return $line;
}

sub serve {
	my ($self, $client) = @_;
	my $server = IO::Socket::INET->new("127.0.0.1:$self->{port}") or return;
	my %state = map { $_ => { text => '', literal => 0 } } $client, $server;
	my $select = IO::Select->new($client, $server);
	while (1) {
		for my $from ($select->can_read(60)) {
			my $state = $state{$from};
			sysread($from, $state->{text}, 65536, length $state->{text}) or return;
			for my $piece (pieces($state)) {
				my ($line, $bytes) = @$piece;
				my $to = $from == $client ? $server : $client;
				if (defined $line && $from == $client) {
					my $pass = $self->from_client($line, $client);
					return if !$pass;
					next if $pass < 0;
					$bytes = $line;
				} elsif (defined $line) {
					$bytes = $self->from_server($line);
					return if !defined $bytes;
				}
				for (my $at = 0; $at < length $bytes;) {
					$at += syswrite($to, $bytes, length($bytes) - $at, $at) // return;
				}
			}
		}
	}
}

1;
