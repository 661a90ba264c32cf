#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The numbers for Prometheus: those of `status --metrics`, and the files that both programs keep, are
# what its text format allows, agree with `status --json`, and are whole whenever they are read. A
# file that cannot be written costs a line in the log and no mail.
use strict;
use warnings;
use File::Path qw(make_path);
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;
use Corpus;
use E2E;

my $corpus = Corpus->new('metrics');
my ($promtool) = grep { -x } map { "$_/promtool" } split /:/, $ENV{PATH};

# Each sample as 'name{label="value"}' => number; dies of what the format forbids.
sub parse {
	my ($text) = @_;
	my (%sample, %type, %help, $family);
	die "no line end at the end\n" if $text !~ /\n\z/;
	for (split /\n/, $text) {
		if (/^# HELP ([a-z][a-z0-9_]*) (\S.*)$/) {
			die "$1 twice\n" if $help{$1}++;
			die "HELP $1 lacks TYPE\n" if defined $family && !$type{$family};
			$family = $1;
		} elsif (/^# TYPE (\w+) (gauge|counter)$/) {
			my ($name, $type) = ($1, $2);
			die "TYPE $name does not follow its HELP\n" if !defined $family || $name ne $family || $type{$name};
			die "$name: a counter, and only that, ends in _total\n" if ($type eq 'counter') != ($name =~ /_total$/ ? 1 : 0);
			die "$name: base units\n" if $name =~ /_(?:ms|milliseconds|kb|mb|minutes|hours|days)(?:_|$)/;
			$type{$name} = $type;
		} elsif (/^(\w+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*"(?:,(?!\})|(?=\})))+\})? (\d+(?:\.\d+)?)$/) {
			my ($name, $labels, $value) = ($1, $2 // '', $3);
			die "$name stands outside its family\n" if $name ne ($family // '') || !$type{$name};
			die "$name does not begin with mailfilter_\n" if $name !~ /^mailfilter_/;
			my @names = $labels =~ /[{,]([a-z_]+)="/g;
			my %once = map { $_ => 1 } @names;
			die "$name$labels: a label twice\n" if keys %once != @names;
			die "$name$labels twice\n" if exists $sample{"$name$labels"};
			$sample{"$name$labels"} = $value;
		} else {
			die "not a line of the format: $_\n";
		}
	}
	return \%sample;
}

sub checked {
	my ($text, $name) = @_;
	my $sample = eval { parse($text) };
	is($@, '', "$name: it is Prometheus' text format");
	if ($promtool) {
		my $path = write_file(work('check.prom'), $text);
		my $said = `$promtool check metrics < $path 2>&1`;
		is("$? $said", '0 ', "$name: promtool agrees");
	}
	return $sample // {};
}

for ("a 1\n", "# HELP mailfilter_a A.\n# TYPE mailfilter_a counter\n", "# HELP mailfilter_a A.\n# TYPE mailfilter_a gauge\nmailfilter_a 1\nmailfilter_a 2\n",
	"# HELP mailfilter_a A.\n# TYPE mailfilter_a gauge\nmailfilter_a{b=\"\"\"} 1\n", "# HELP mailfilter_a A.\n# TYPE mailfilter_a gauge\nmailfilter_a 1") {
	eval { parse($_) };
	isnt($@, '', 'the check of this test notices what is wrong: ' . $@ =~ s/\n//r);
}

my %mails;
for my $name (qw(one two)) {
	make_path(map { work("in/$name/$_") } qw(new cur tmp));
	my $count = 0;
	for my $kind (@Corpus::CLEAN[0, 1], @Corpus::INFECTED[0, 1]) {
		my $mail = $corpus->mail($kind, "$name-" . $count++);
		write_file(work("in/$name/new/170000000$count.test"), $mail->{bytes});
		push @{ $mails{$name} }, $mail;
	}
}
make_path(work('prom'));
my $mine   = work('prom/mailfilter.prom');
my $theirs = work('prom/scanner.prom');
my @accounts = map { [ $_, { source => 'maildir:' . work("in/$_"), deliver => 'maildir:' . work("out/$_") } ] } qw(one two);
push @accounts, [ 'lost', { source => 'maildir:' . work('nowhere'), deliver => 'maildir:' . work('out/lost') } ];
my $conf = settings('mailfilter.conf', { E2E::global('metrics-file' => $mine) }, @accounts);

scanner_start('metrics-file' => $theirs);
my $endpoint = 'ipc://' . work('scanner.sock');
my $sample = within(60, sub {
	my $got = eval { parse(read_file($theirs)) } or return;
	return $got->{qq(mailfilter_scanner_state{scanner="$endpoint",state="ready"})} ? $got : undef;
});
ok($sample, 'the scanner writes that it is ready at once');
is(sprintf('%o', (stat $theirs)[2] & 07777), '644', 'for everybody to read');
checked(read_file($theirs), 'of the scanner');
is($sample->{qq(mailfilter_scanner_up{scanner="$endpoint"})}, 1, 'it is up');

is(mailfilter('-c', $conf, '--dry-run')->{code}, 75, 'a dry run');
is(mailfilter('-c', $conf, '--once', '--account', 'one')->{code}, 0, 'and one of an account');
ok(!-e $mine, 'write no file');
is(mailfilter('-c', $conf, '--once')->{code}, 75, 'a run, of which one account fails');
is(sprintf('%o', (stat $mine)[2] & 07777), '644', 'writes one, for everybody to read');
$sample = checked(read_file($mine), 'of mailfilter');
my $printed = checked(mailfilter('-c', $conf, 'status', '--metrics')->{out}, 'status --metrics');
my $status  = decode_json(mailfilter('-c', $conf, 'status', '--json')->{out});
for my $account (@{ $status->{accounts} }) {
	my $name = $account->{account};
	for my $from ($sample, $printed) {
		my $of = $from == $sample ? 'file' : 'status';
		is($from->{qq(mailfilter_account_failed{account="$name"})}, $name eq 'lost' ? 1 : 0, "$of: $name: whether it failed");
		cmp_ok(abs($from->{qq(mailfilter_account_last_run_timestamp_seconds{account="$name"})} - $account->{last}), '<', 5, "$of: $name: when it ran");
		is($from->{qq(mailfilter_account_messages{account="$name",state="$_"})} // 0, $account->{$_}, "$of: $name: $_") for qw(done held parked pending);
		is($from->{qq(mailfilter_account_infected_messages{account="$name"})} // 0, $account->{infected}, "$of: $name: infected");
		is($from->{qq(mailfilter_account_quarantined_messages{account="$name"})} // 0, $account->{quarantined}, "$of: $name: in quarantine");
	}
	is($account->{state}, $name eq 'lost' ? 'failed' : 'idle', "$name: its state");
	is($account->{infected}, $name eq 'lost' ? 0 : 2, "$name: and that is so");
}
like($status->{accounts}[2]{reason}, qr/nowhere/, 'status says why it failed');
my ($scanner) = @{ $status->{scanners} };
is($printed->{qq(mailfilter_scanner_verdicts_total{scanner="$endpoint",verdict="infected"})}, $scanner->{counts}{infected}, 'status: what the scanner found');
is($printed->{qq(mailfilter_scanner_workers{scanner="$endpoint"})}, $scanner->{workers}, 'status: and how many workers it has');
is(mailfilter('-c', $conf, 'status', '--metrics', '--json')->{code}, 64, 'both forms at once are refused');

# While it is written again and again, whoever reads it reads a whole one.
my $run = E2E::mailfilter_start('-c', $conf);
my $whole = 0;
ok(within(60, sub {
	eval { parse(read_file($mine)) } or return 1;
	$whole++;
	kill 'USR1', $run->{pid};
	return $whole >= 40;
}) && $whole >= 40, "read $whole times while a daemon writes it: always whole");
kill 'TERM', $run->{pid};
is(E2E::finish($run)->{code}, 0, 'and it ends');
ok(!-e "$mine.tmp", 'nothing is left beside it');

# Where it cannot be written.
my $nowhere = settings('nowhere.conf', { E2E::global('metrics-file' => work('none/m.prom'), 'state-dir' => work('state2')) },
	[ 'one', { source => 'maildir:' . work('in/one'), deliver => 'maildir:' . work('out/again') } ]);
$run = mailfilter('-c', $nowhere, '--once');
is($run->{code}, 0, 'with a file that cannot be written: 0');
like($run->{err}, qr/none\/m\.prom cannot be written: its folder must be there.*No such file/, 'it says so');
is(scalar(keys %{ { maildir('again') } }), 4, 'and all mail is delivered');

ok(scanner_stop(), 'the scanner stops');
ok(!-e $theirs, 'and takes its file away');
$printed = checked(mailfilter('-c', $conf, 'status', '--metrics')->{out}, 'without a scanner');
is($printed->{qq(mailfilter_scanner_up{scanner="$endpoint"})}, 0, 'status: it is down');
done_testing();
