#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# A disk that fails at the n-th write, sync, rename, link, unlink, new file or truncation, once or
# for good, with ENOSPC, EIO or EDQUOT, or in the middle of a write; or a process killed right before
# one: nothing half is delivered, nothing leaves the server that is not here, the reason is said,
# and one run without faults brings everything, once. Some n of each kind; with LONG=1 all.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use Faults;
use E2E;

my $SAYS    = qr/No space left|Input\/output error|[Qq]uota|full|disk I\/O error|File too large/;
my @KINDS   = qw(plain attachment newsletter eicar-zip);
my $corpus  = Corpus->new('faults');
my $long    = $ENV{LONG};
my $users   = $long ? 3000 : 80;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { ("u$_" => 'sesame') } 0 .. $users });
my $next    = 0;
scanner_start();

# A mailbox of its own for each case: settings, mails and what the server has.
sub fresh {
	my $name  = 'u' . $next++;
	my @mails = map { $corpus->mail($_, "$name-$_") } @KINDS;
	# One that is too large to be held in memory.
	my $large = $corpus->mail('attachment', "$name-large");
	$large->{bytes} =~ s/\r\n\r\n/"\r\n\r\n" . "Some line of the preamble.\r\n" x 12_000/e;
	$large->{sha256} = sha256_hex($large->{bytes});
	push @mails, $large;
	$dovecot->put($name, map { $_->{bytes} } @mails);
	my $conf = settings("$name.conf", { E2E::global() },
		E2E::account($dovecot, $name, $next % 2 ? 'imaps' : 'pop3s', after => 'delete'));
	return { name => $name, conf => $conf, mails => \@mails, served => [ served($dovecot, $name) ],
		account => E2E::account($dovecot, $name, $next % 2 ? 'imaps' : 'pop3s', after => 'delete') };
}

# What is wrong after a run in which something failed.
sub wrong {
	my ($box, $run, $done, $kill) = @_;
	my (@wrong, %left, %known);
	$left{ $_->{sha256} } = $known{ $_->{sha256} } = 1 for served($dovecot, $box->{name});
	$known{ $_->{sha256} } = 1 for @{ $box->{mails} };
	my %file = maildir($box->{name});
	my %kept = quarantine($box->{name});
	my %here = map { sha256_hex($_) => 1 } values %file;
	for my $mail (@{ $box->{mails} }) {
		push @wrong, "$mail->{kind} is lost" if !$left{ $mail->{sha256} } && !$here{ $mail->{sha256} } && !$kept{ $mail->{sha256} };
	}
	push @wrong, 'half a mail is delivered' if grep { !$known{ sha256_hex($_) } && !/^X-Virus-Status:/mi } values %file;
	push @wrong, 'EICAR is delivered' if grep { Mail::eicar_everywhere($_) } values %file;
	push @wrong, 'not done in time' if $run->{late};
	return @wrong if $kill;
	push @wrong, "exit $run->{code}/$run->{signal}" if $run->{code} != 0 && $run->{code} != 75;
	push @wrong, 'says no reason' if $done && $run->{code} == 75 && $run->{err} !~ $SAYS;
	push @wrong, 'ends with 0, and mail is left' if $run->{code} == 0 && %left;
	return @wrong;
}

my (%seen, @boxes);
sub try_case {
	my ($order) = @_;
	my $box = fresh();
	$box->{what} = "@$order[0 .. 2]" . ($order->[3] ? ' and on' : '');
	push @boxes, $box;
	my $run = Faults::with(work(), $order, sub { mailfilter('-c', $box->{conf}, '--once') });
	my ($done) = Faults::counted();
	my @wrong = wrong($box, $run, $done, $order->[2] eq 'kill');
	$seen{ $order->[0] }{ $run->{code} }++ if $done;
	diag("$box->{name}: $box->{what}\n$run->{out}$run->{err}") if @wrong;
	return map { "$box->{what}: $_" } @wrong;
}

# One run without faults, for all that were tried since the last.
sub mended {
	my $conf  = settings('mended.conf', { E2E::global() }, map { $_->{account} } @boxes);
	my $again = mailfilter('-c', $conf, '--once');
	my @wrong = $again->{code} == 0 ? () : "exit $again->{code}";
	for my $box (splice @boxes) {
		push @wrong, map { "$box->{what} ($box->{name}): $_" } E2E::problems($box->{name}, $box->{served}, $box->{mails}),
			served($dovecot, $box->{name}) ? 'mail is left on the server' : ();
	}
	return @wrong;
}

# How many there are of each kind, without any fault.
my $box = fresh();
is(Faults::with(work(), [ 'write', 0, 'none' ], sub { mailfilter('-c', $box->{conf}, '--once') })->{code}, 0, 'without faults: 0');
my (undef, $count) = Faults::counted();
cmp_ok($count->{$_}, '>', 0, "there are $count->{$_} calls of the kind $_") for qw(write sync rename link unlink create);
for my $call (@Faults::DISK) {
	my @all  = 1 .. $count->{$call};
	my @some = $long || @all < 5 ? @all : grep { my $n = $_; grep { $n == $_ } 2, int(@all / 3), int(@all / 2), $#all } @all;
	my @wrong;
	for my $n (@some) {
		my @deeds = $long ? ([ 'ENOSPC' ], [ 'EIO' ], [ 'EDQUOT' ], [ 'ENOSPC', 1 ], [ 'kill' ])
			: ([ (qw(ENOSPC EIO EDQUOT))[ $n % 3 ], $n == $some[ 1 % @some ] ]);
		push @deeds, ['short'] if $call eq 'write' && ($long || $n == $some[-2]);
		push @wrong, try_case([ $call, $n, @$_ ]) for @deeds;
		push @wrong, mended() if @boxes >= 100;
	}
	is_deeply(\@wrong, [], "$call fails, at " . ($long ? "each of $count->{$call}" : "@some"));
}
is_deeply([ mended() ], [], 'one run without faults brings everything, once');
ok($seen{$_}{75}, "a failed $_ holds mail") for qw(write sync rename link create);
done_testing();
