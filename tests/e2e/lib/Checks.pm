# SPDX-License-Identifier: ISC
#
# The scanner's checks, driven to a level and asked for it; its processes; and clocks that jump.
package Checks;
use strict;
use warnings;
use Exporter qw(import);
use JSON::PP qw(decode_json);
use Test::More;
use E2E;

our @EXPORT = qw(%seen check checks comes_to becomes drive await host workers inspector scanned set_clock start_with_clock);
our %seen;    # name => level => 1
my $SOON = 60;    # what is idle gets little while others are busy
my @clocked;

# scanner --check: its exit code, where a list is wanted, and what it prints.
sub check {
	my (@args) = @_;
	my $out = qx(build/scanner -c @{[ work('scanner.conf') ]} --check @args);
	return wantarray ? ($? >> 8, $out) : $out;
}

sub checks {
	return { map { $_->{check} => $_ } @{ decode_json(scalar check('--json'))->{checks} } };
}

# It comes to this level, and its sentence says why.
sub comes_to {
	my ($name, $level, $words) = @_;
	my $is;
	my $came = within($SOON, sub { $is = checks()->{$name}; $is && $is->{level} eq $level && $is->{text} =~ $words }, 0.1);
	diag explain $is if !$came;
	return $came;
}

sub becomes {
	my ($name, $level, $words, $what) = @_;
	$seen{$name}{$level} = 1 if ok(comes_to($name, $level, $words), ($what ? "$what: " : '') . "$name: $level");
}

# What is done to it, and what it says then: name => [ warning, critical, ok ]
sub drive {
	my ($name, %case) = @_;
	for (qw(warning critical ok)) {
		next if !$case{$_};
		my ($deed, $words) = @{ $case{$_} };
		$deed->();
		becomes($name, $_, $words);
	}
}

sub await {
	my ($what, $until) = @_;
	my @got = within($SOON, $until) or die "it did not come to this: $what\n";
	return wantarray ? @got : $got[0];
}

sub host {
	return await('an engine host', sub { scanner_children(qr/--engine-host/) });
}

sub workers {
	return await('two workers', sub { my @pids = children(host()); @pids >= 2 ? @pids : () });
}

sub inspector {
	return await('an inspector', sub { scanner_children(qr/--inspector/) });
}

sub scanned {
	my ($conf, @files) = @_;
	return mailfilter('-c', $conf, 'scan', '--json', @files)->{out};
}

# Start the scanner with clocks that are ahead as set_clock says: all of them, or that of the wall alone. Its
# pid.
sub set_clock {
	my ($ahead) = @_;
	write_file(work('clock'), "$ahead\n");
}

sub start_with_clock {
	my ($all, %option) = @_;
	my ($faketime) = glob '/usr/lib/*/faketime/libfaketime.so.1';
	set_clock('+0');
	local @ENV{qw(LD_PRELOAD FAKETIME_TIMESTAMP_FILE FAKETIME_CACHE_DURATION FAKETIME_DONT_FAKE_MONOTONIC)}
		= ($faketime // die("libfaketime is missing (Debian package faketime)\n"), work('clock'), 1, $all ? 0 : 1);
	push @clocked, scanner_start(%option);
	return $clocked[-1];
}

# What libfaketime leaves behind of a program that does not end by exit(3).
END {
	unlink map { ("/dev/shm/faketime_shm_$_", "/dev/shm/sem.faketime_sem_$_") } @clocked;
}

1;
