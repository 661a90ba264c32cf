#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Delivery in place, killed at every single step of the conversation with the server: before each
# command that would reach it, and before each answer that would come back, over all sessions. After
# each kill a run is left alone, and one more changes nothing: nothing is lost, nothing is there
# twice, EICAR nowhere; with a server that has UIDPLUS and MOVE, and with one that has neither. The
# same where the connection is cut instead.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;
use Inplace;
use Proxy;

my $STEPS_MAX = 60;
my $corpus    = Corpus->new('inplace-killed');
my @mails     = map { $corpus->mail($_, "killed-$_") } qw(plain eicar-attachment);
my $large     = $corpus->header('large.1', 'Too large') . 'x' x 200_000;
my @kinds     = (
	[ 'deleted', {}, [] ],
	[ 'moved', { 'inplace-quarantine' => 'Quarantine' }, [] ],
	[ 'copied', { 'inplace-quarantine' => 'Quarantine' }, ['MOVE'] ],
	[ 'marked', {}, [ 'UIDPLUS', 'MOVE' ] ],
	[ 'cut', {}, [], 'cut' ],
);
# make check-long: all kinds of servers. Without it the commonest, killed at every step all the same.
@kinds = grep { $_->[0] =~ /^(?:deleted|copied)$/ } @kinds if !$ENV{LONG};
my %user    = map { my $kind = $_; map { ("$kind$_" => 'sesame') } 0 .. $STEPS_MAX } 'released', map { $_->[0] } @kinds;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => \%user);

sub kind_of {
	return $_[0] =~ s/\d+\z//r;
}

# What is not as it should be with this user, who is done.
sub not_well {
	my ($name, $before, $hidden) = @_;
	my $state = kind_of($name) . "/$name";
	my %kept  = quarantine($state);
	my $imap  = $dovecot->imap($name);
	my $after = look($imap, 'INBOX');
	my @problems;
	# Where the server cannot remove one message alone, the original is still there, marked.
	if (grep { $_ eq 'UIDPLUS' } @$hidden) {
		for my $list (values %$after) {
			my @marked = grep { $_->{flags} =~ /\\Deleted/ } @$list;
			@$list = grep { $_->{flags} !~ /\\Deleted/ } @$list;
			push @problems, 'marked, and not infected' if grep { !Mail::eicar_everywhere($_->{body}) } @marked;
		}
	}
	my $notices = delete $after->{''} // [];
	my @parked = grep { Mail::field($_->[0]{body}, 'subject') =~ /^\[Not fetched\]/ } values %$after;
	push @problems, scalar(@parked) . ' notices of the large mail' if @parked != 1 || @{ $parked[0] } != 1;
	delete $after->{ Mail::field($parked[0][0]{body}, 'message-id') } if @parked;
	push @problems, not_as_promised($before, $after, sub { $kept{ $_[0] } }, @mails,
		{ name => 'large', kind => 'large', bytes => $large });
	push @problems, 'an original is kept twice' if keys %kept != 1;
	if (grep { /Quarantine/ } $imap->command('LIST "" "*"')) {
		my @server = sort map { $_->{sha256} } $imap->messages('Quarantine');
		push @problems, 'the folder on the server has ' . @server
			if "@server" ne join ' ', sort map { $_->{sha256} } grep { $_->{infected} } @mails;
	}
	push @problems, 'the journal is not empty' if -s work("state/$state/inplace.journal");
	return @problems;
}

sub state_of {
	my ($name) = @_;
	my $imap = $dovecot->imap($name);
	my @folders = sort map { /"?(\w+)"?\r\n\z/ ? $1 : () } $imap->command('LIST "" "*"');
	return [ map { my $folder = $_; map { "$folder $_->{uid} $_->{flags} $_->{date} $_->{sha256}" }
		$imap->messages($folder) } @folders ];
}

sub run_of {
	my ($proxy, $name, $options) = @_;
	my $conf = settings("$name.conf",
		{ E2E::global('message-max' => '150K', 'state-dir' => work('state/' . kind_of($name))) },
		[ $name, { source => "imap://$name\@127.0.0.1:$proxy->{listening}", tls => 'none',
			password => 'sesame', deliver => 'inplace', %$options } ]);
	my $run = E2E::mailfilter_start('-c', $conf, '--once');
	$proxy->victim($run->{pid});
	return finish($run);
}

# Run until there is nothing left to do; the last run.
sub run_to_the_end {
	my ($proxy, $name, $options) = @_;
	for (1 .. 3) {
		my $run = run_of($proxy, $name, $options);
		return $run if $run->{out} =~ /nothing new/;
	}
	return { code => 'no end' };
}

# One kind of server, killed at each step from the first on that has to do with one message alone
# (what comes before is like everywhere). A report: a line for each problem, "killed N" the last.
sub kill_everywhere {
	my ($kind, $options, $hidden, $how) = @_;
	my $proxy = Proxy->new(port => $dovecot->{port}{imap}, dir => work("proxy-$kind"), hide => $hidden);
	my ($killed, @problems, $first) = (0);
	for my $n (0 .. $STEPS_MAX) {
		my $name = "$kind$n";
		my $imap = $dovecot->imap($name);
		fill($imap, 'INBOX', @mails, { bytes => $large });
		my $before = look($imap, 'INBOX');
		$proxy->arm($n == 0 ? 0 : $first + $n, $how);
		my $run    = run_of($proxy, $name, $options);
		my @events = $proxy->events;
		my $alive  = $how ? $n == 0 || @events < $first + $n : $run->{signal} == 0;
		$first //= (grep { $events[$_] =~ /FLAGS INTERNALDATE/ } 0 .. $#events)[0] - 3;
		push @problems, 'no copy is put into the folder' if $n == 0 && !grep { /^C APPEND/ } @events;
		$proxy->arm(0);
		my $step = $alive ? 'left alone' : 'at ' . ($first + $n) . ' (' . $events[$first + $n - 1] . ')';
		if (!$alive) {
			$killed++;
			$run = $how ? run_to_the_end($proxy, $name, $options) : run_of($proxy, $name, $options);
		}
		push @problems, "$step: exit code $run->{code}" if $run->{code} != 75 && $run->{code} != 0;
		push @problems, map { "$step: $_" } not_well($name, $before, $hidden);
		my $state = state_of($name);
		$run = run_of($proxy, $name, $options);
		push @problems, "$step: exit code $run->{code} of one more" if $run->{code} != 0;
		push @problems, "$step: one more changes something" if "@{ state_of($name) }" ne "@$state";
		push @problems, "$step: one more looks at a message" if $run->{err} =~ /uid=/;
		last if $alive && $n > 0;
	}
	return join "\n", @problems, "killed $killed";
}

# The same for an original that is released from quarantine: killed at each step, then released again.
sub kill_releases {
	my $proxy = Proxy->new(port => $dovecot->{port}{imap}, dir => work('proxy-released'));
	my ($killed, @problems) = (0);
	for my $at (1 .. $STEPS_MAX) {
		my $name = "released$at";
		fill($dovecot->imap($name), 'INBOX', $mails[1]);
		$proxy->arm(0);
		run_of($proxy, $name, {});
		my ($id) = map { m{([^/]+)\.eml$} } values %{ { quarantine("released/$name") } };
		my @command = ('-c', work("$name.conf"), 'quarantine', 'release', $id);
		$proxy->arm($at);
		my $run = E2E::mailfilter_start(@command);
		$proxy->victim($run->{pid});
		finish($run);
		my @events = $proxy->events;
		my $alive  = $run->{signal} == 0;
		$killed += !$alive;
		$proxy->arm(0);
		for (1, 2) {
			$run = mailfilter(@command);
			push @problems, "at $at ($events[-1]): exit code $run->{code}" if $run->{code} != 0;
		}
		$run = run_of($proxy, $name, {});
		push @problems, "at $at ($events[-1]): a copy is looked at" if $run->{err} =~ /uid=/;
		my @there = grep { $_->{sha256} eq $mails[1]{sha256} } $dovecot->imap($name)->messages('INBOX');
		push @problems, "at $at ($events[-1]): it is there " . @there . ' times' if @there != 1;
		last if $alive;
	}
	return join "\n", @problems, "killed $killed";
}

scanner_start();
my %child;
for my $kind (@kinds, ['released']) {
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		my $report = eval { @$kind == 1 ? kill_releases() : kill_everywhere(@$kind) } // "died: $@";
		write_file(work("report-$kind->[0]"), $report);
		POSIX::_exit(0);
	}
	$child{$pid} = $kind->[0];
}
waitpid $_, 0 for keys %child;
for my $kind (sort values %child) {
	my @report = split /\n/, read_file(work("report-$kind"));
	my ($killed) = (pop(@report) // '') =~ /^killed (\d+)/;
	is_deeply(\@report, [], "$kind: nothing lost, nothing twice, at any step");
	cmp_ok($killed // 0, '>=', 15, "$kind: killed at each, " . ($killed // 0) . ' times');
	cmp_ok($killed // 0, '<', $STEPS_MAX, "$kind: to the last");
}
done_testing();
