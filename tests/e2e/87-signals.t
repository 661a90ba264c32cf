#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Signals to a mailfilter that stays, in the middle of its work: other settings take effect for those
# whose they are, and for nobody else; wrong ones for nobody; what a service manager is told.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use IO::Socket::UNIX;
use Socket qw(SOCK_DGRAM);
use Test::More;
use Time::HiRes qw(time);
use Corpus;
use E2E;

my @names   = qw(slow idle changed removed added);
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names, 'locked' });
my (%mails, %number);

sub put {
	my ($name, @new) = @_;
	$dovecot->put($name, map { $_->{bytes} } @new);
	push @{ $mails{$name} }, @new;
}

sub late {
	my ($name) = @_;
	put($name, Corpus->new("late-$name")->mail('plain', "late-$name" . ++$number{$name}));
}

sub conf {
	my ($names, %change) = @_;
	return settings('mailfilter.conf', { E2E::global(interval => '1h') }, map { E2E::account($dovecot, $_, 'imaps',
		$_ eq 'slow' ? (rate => '400K') : (), $_ eq 'locked' ? (password => $change{password} // 'guess') : (),
		%{ $change{$_} // {} }) } @$names);
}

my $logins = sub { my $n = () = $dovecot->log =~ /Login: user=<$_[0]>/g; return $n };
put($_, Corpus->new("signals-$_")->mails($_ eq 'slow' ? 60 : 5, 2)) for @names;
scanner_start();

# A service manager.
my $path = work('manager.sock');
my $manager = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path) or die "$path: $!\n";
my $told = '';    # all that it heard so far

sub told {
	my ($like) = @_;
	my $deadline = time + 30;
	while ($told !~ $like) {
		return 0 if time >= $deadline || !IO::Select->new($manager)->can_read($deadline - time);
		$manager->recv(my $datagram, 4096);
		$told .= "$datagram\n";
	}
	return 1;
}

my $run;
{
	local @ENV{qw(NOTIFY_SOCKET WATCHDOG_USEC)} = ($path, 6_000_000);
	$run = mailfilter_start('-v', '-c', conf([qw(slow idle changed removed locked)]));
}
ok(told(qr/^READY=1$/m), 'it is ready');
ok(told(qr/^WATCHDOG=1$/m), 'and alive');
ok(wait_line($run, qr/(?:idle|changed|removed): 5 new/, 3), 'most are done');
ok(wait_line($run, qr/locked: .*refuse/, 1), 'one is refused');
ok(told(qr/^STATUS=5 accounts, 3 idle, 1 fetching, 1 failed$/m), 'the state of all is told');
ok(wait_line($run, qr/account=slow .*action=/, 5), 'and one is in the middle of its mail');

# Wrong settings.
my $conf = work('mailfilter.conf');
my $good = read_file($conf);
write_file($conf, $good . "nonsense = 1\n", 0600);
kill 'HUP', $run->{pid};
ok(wait_line($run, qr/the settings stay as they were: \Q$conf\E:\d+: .*nonsense.*expected/, 1), 'wrong settings: said where, and what was expected');
ok(told(qr/^RELOADING=1\n(?:.*\n)*?READY=1$/m), 'the manager knows that it tried');
write_file($conf, $good =~ s/^state-dir.*$/state-dir = "\/elsewhere"/mr, 0600);
kill 'HUP', $run->{pid};
ok(wait_line($run, qr/state-dir: expected ".*" as before/, 1), 'another state needs a new start');
my $lines = () = $run->{err} =~ /stay as they were/g;
is($lines, 2, 'each said once');
late('idle');
ok(wait_line($run, qr/account=idle .*action=delivered/, 1), 'with the old ones it goes on');

# Other settings: one account is new, one gone, one changed, one mended.
conf([qw(slow idle changed added locked)], changed => { deliver => 'maildir:' . work('out/elsewhere') }, password => 'sesame');
kill 'HUP', $run->{pid};
ok(wait_line($run, qr/new settings/, 1), 'right settings are taken');
ok(wait_line($run, qr/added: 5 new/, 1), 'the new account is served');
ok(wait_line($run, qr/locked: nothing new/, 1), 'so is the mended one, at once');
late($_) for qw(idle removed);
my $moved = Corpus->new('moved')->mail('plain', 'moved');
$dovecot->put('changed', $moved->{bytes});
ok(wait_line($run, qr/account=changed .*uid=6 .*action=delivered/, 1), 'the changed one watches again');
my @elsewhere = glob work('out/elsewhere/new/*');
is(scalar(@elsewhere), 1, 'and delivers where it is told');
ok(told(qr/^STATUS=5 accounts, 4 idle, 1 fetching, 0 failed$/m), 'the manager is told');
ok($logins->('idle') == 1 && $logins->('slow') == 1, 'the others have kept their sessions');
like($run->{err}, qr/account=idle .*action=delivered/, 'the others go on');
unlike($run->{err}, qr/account=slow reconnecting|slow: .*stopped/, 'in the middle of their mail');

ok(told(qr/^WATCHDOG=1$(?:.|\n)*^WATCHDOG=1$/m), 'that it is alive is told again and again');

# Asked to look in the middle of a round.
late('slow');
kill 'USR1', $run->{pid};
ok(wait_line($run, qr/slow: \d+ new/, 1), 'what was under way is done');
ok(wait_line($run, qr/slow: (?:nothing|1) new/, 1), 'and looked at once more');
# A socket of this kind takes no more than ten words that nobody reads.
$manager->recv(my $ignored, 4096) while IO::Select->new($manager)->can_read(0);
kill 'TERM', $run->{pid};
ok(told(qr/^STOPPING=1$/m), 'that it stops the manager is told');
finish($run, time - $run->{from} + 20);
is($run->{code}, 0, 'SIGTERM ends it in order');
ok(E2E::group_gone($run->{pid}), 'none of its processes stays');
is_deeply([ E2E::problems($_, [ served($dovecot, $_) ], $mails{$_}) ], [], "$_: nothing lost, nothing twice") for qw(slow idle changed added);
my %removed = maildir('removed');
is(scalar(keys %removed), 5, 'what was removed got no more');
done_testing();
