#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# A storm over the scanner: every second one of its processes is killed or stopped, its temp folder
# is filled and freed, its signatures are replaced by good and by broken ones, while hundreds of
# messages are scanned. Each has one verdict, the same as in calm, and the same bytes come out.
# LONG=1: 2000 messages, and larger ones. SEED: another storm; it is said at the start. MAILS, CALM_ONLY to look into it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use POSIX qw(:sys_wait_h);
use Test::More;
use Time::HiRes qw(time);
use Again;
use Corpus;
use E2E;
use Storm;

Again::with_mounts();

my $MAILS   = $ENV{MAILS} // ($ENV{LONG} ? 2000 : 350);
my $SEED    = $ENV{SEED} // 7;
my $LIMIT_S = 60 + $MAILS;
my $SHRINK  = $ENV{LONG} ? 1 : 3; # large ones take longer than a second between two kills where others work, too

# Kinds, besides those of Corpus, and what is said of each: [ verdict, reason ].
my $rng  = Corpus->new('storm');
my $LOCK = sub { # marked as encrypted
	my ($zip) = @_;
	substr($zip, 6, 1) |= "\1";
	substr($zip, index($zip, "PK\1\2") + 8, 1) |= "\1";
	return $zip;
};
my $ONE  = sub { $rng->multipart('mixed', Corpus::text_part($rng->prose(400)), map { Corpus::file_part(@$_) } @_) };
my %MAKE = (
	'large'           => sub { $ONE->([ 'application/pdf', 'plan.pdf', "%PDF-1.4\n" . $rng->bytes($rng->number(1_000_000, 4_000_000) / $SHRINK) ]) },
	'large-text'      => sub { $ONE->([ 'text/html', 'log.html', '<html>' . $rng->prose(300_000 / $SHRINK) x 5 ]) },
	'large-zip'       => sub { $ONE->([ 'application/zip', 'all.zip', Corpus::zipped('all.txt', $rng->prose(200_000 / $SHRINK) x 15) ]) },
	'infected-large'  => sub { $ONE->([ 'image/jpeg', 'a.jpg', "\xff\xd8\xff\xe0" . $rng->bytes(1_500_000 / $SHRINK) ],
		[ 'application/zip', 'b.zip', Corpus::zipped('b.com', Corpus::eicar()) ]) },
	'infected-deep'   => sub { my $zip = Corpus::eicar(); $zip = Corpus::zipped("$_.zip", $zip) for 1 .. 6; $ONE->([ 'application/zip', 'c.zip', $zip ]) },
	'encrypted'       => sub { $ONE->([ 'application/zip', 'd.zip', $LOCK->(Corpus::zipped('d.txt', $rng->prose(3000))) ]) },
	'mixed'           => sub { $ONE->([ 'application/zip', 'e.zip', $LOCK->(Corpus::zipped('e.txt', $rng->prose(3000))) ],
		[ 'application/x-msdownload', 'f.exe', Corpus::eicar() ]) },
	'deep-zip'        => sub { my $zip = 'hello'; $zip = Corpus::zipped("$_.zip", $zip) for 1 .. 30; $ONE->([ 'application/zip', 'g.zip', $zip ]) },
	'deep-mail'       => sub { my $part = Corpus::text_part('hello'); $part = $rng->multipart('mixed', $part) for 1 .. 130; $part },
	'partial'         => sub { "Content-Type: message/partial; id=\"x\@y\"; number=1; total=3\r\n\r\n" . $rng->prose(2000) },
);
my %EXPECTED = (
	(map { $_ => 'clean' } @Corpus::CLEAN, qw(large large-text large-zip)),
	(map { $_ => 'infected' } @Corpus::INFECTED, qw(infected-large infected-deep)),
	'encrypted' => 'unscannable encrypted',
	'mixed'     => 'infected encrypted',
	'deep-zip'  => 'unscannable limit',
	'deep-mail' => 'unscannable limit',
	'partial'   => 'unscannable unsupported',
);
my @COMMON = ((@Corpus::CLEAN) x 3, @Corpus::INFECTED);
my @RARE   = sort keys %MAKE;

# file => kind
my %kind;
for my $i (1 .. $MAILS) {
	my $kind = $i % 10 ? $COMMON[ $i % @COMMON ] : $RARE[ $i / 10 % @RARE ];
	my $name = sprintf 'm%05d', $i;
	my $bytes = $MAKE{$kind} ? $rng->header($name, $kind) . $MAKE{$kind}->() : $rng->mail($kind, $name)->{bytes};
	$kind{ write_file(work("mail/$name.eml"), $bytes) } = $kind;
}

my $temp = work('scanner.tmp');
mkdir $temp, 0700;
system('mount', '-t', 'tmpfs', '-o', 'size=128m,nr_inodes=5000,mode=0700', 'none', $temp) == 0 or die "mount\n";
my $conf  = settings('mailfilter.conf', { E2E::global() });
my $storm = Storm->new($SEED, $temp, work('signatures'), settings('scanner.conf', {
	listen => [ 'ipc://' . work('scanner.sock') ], signatures => [ work('signatures') ], 'temp-dir' => $temp,
	'signatures-check' => '1s', reload => 'concurrent', workers => '2', cache => '0' }), $ENV{LONG} ? 1 : 2);

# All files, one line and one verdict each. Returns what is wrong; $then is done once they are scanned.
sub scan_all {
	my ($out, $then) = @_;
	mkdir $out;
	my $run = mailfilter_start('-c', $conf, 'scan', '--json', '--output', $out, sort keys %kind);
	my $deadline = time + $LIMIT_S;
	while (time < $deadline && waitpid($run->{pid}, WNOHANG) == 0) {
		$storm->turn;
		E2E::more($run, time + 0.02);
	}
	my $status = $?;
	kill 'KILL', -$run->{pid} if time >= $deadline;
	$then->() if $then;
	1 while E2E::more($run, time + 1);
	my (%seen, @wrong, @slow);
	push @wrong, "mailfilter ended with $status" if $status != 1 << 8;
	for (map { decode_json($_) } split /\n/, read_file($run->{out})) {
		my $kind = $kind{ $_->{file} } // 'no file of ours';
		my $is   = join ' ', grep { length } @$_{qw(verdict reason)};
		my ($name) = $_->{file} =~ m{([^/]+)$};
		my $copy = read_file("$out/$name");
		push @wrong, "$name: twice" if $seen{ $_->{file} }++;
		push @wrong, "$name ($kind): $is $_->{detail}" if $is ne ($EXPECTED{$kind} // '');
		push @wrong, "$name ($kind): changed" if $is eq 'clean' && $copy ne read_file($_->{file});
		push @wrong, "$name ($kind): EICAR is left" if $is =~ /^infected/ && (!length $copy || Mail::eicar_everywhere($copy));
		push @wrong, "$name ($kind): a copy of what has no verdict" if $is !~ /^(?:clean|infected)/ && -e "$out/$name";
		push @slow, [ $_->{milliseconds}, "$name ($kind)" ];
	}
	push @wrong, map { "$_: no line" } grep { !$seen{$_} } sort keys %kind;
	@slow = sort { $b->[0] <=> $a->[0] } @slow;
	diag(sprintf '%s: %d messages in %.1f s, the slowest %s', $out =~ m{([^/]+)$}, scalar keys %seen, time - $run->{from},
		join ', ', map { "$_->[1] $_->[0] ms" } grep { $_ } @slow[ 0 .. 2 ]);
	diag($run->{err}) if @wrong && $run->{err};
	return @wrong;
}

# Are all copies the same?
sub differences {
	my ($one, $two) = @_;
	my %names = map { m{([^/]+)$}; $1 => 1 } glob("$one/*"), glob("$two/*");
	return grep { read_file("$one/$_") ne read_file("$two/$_") } sort keys %names;
}

diag("seed $SEED, $MAILS messages");
$storm->start;
is_deeply([ scan_all(work('calm')) ], [], 'in calm each message has its verdict');
if (!$ENV{CALM_ONLY}) {
	$storm->begin;
	my @wrong = scan_all(work('storm'), sub { $storm->calm });
	is_deeply(\@wrong, [], 'in the storm each message has one verdict, the expected one');
	diag(sprintf 'a storm of %.1f s: %s', $storm->{seconds}, join ', ', map { "$storm->{count}{$_} $_" } sort keys %{ $storm->{count} });
	is_deeply([ differences(work('calm'), work('storm')) ], [], 'and the bytes that came out are those of the calm');
	is_deeply([ scan_all(work('after')) ], [], 'after the storm each message has its verdict again');
	is_deeply([ differences(work('calm'), work('after')) ], [], 'and its bytes');
	is_deeply($storm->{problems}, [], 'nothing outlived its parent, and each end was one after which it is started again');
	diag(sprintf 'the last child of a dead parent was gone after %.2f s', $storm->{orphaned} // 0);
}
ok($storm->stop, 'the scanner stops in order, and none of its processes is left');
is_deeply([ grep { !m{/(?:lock|signatures-count)$} } glob "$temp/* $temp/.[!.]*" ], [], 'its temp folder holds no more than it should');
diag(join "\n  ", 'the storm:', @{ $storm->{log} }) if !Test::More->builder->is_passing;
system('umount', $temp);
done_testing();
