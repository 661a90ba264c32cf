#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# A rule files mail in a folder; the run is killed at each call that changes the disk, and before the
# next the rule names another folder, or is gone: each mail comes once, wherever. For a Maildir and
# for an mbox.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Destination;
use Faults;
use E2E;

my $MAILS = 3;
my @rules = map { $_ ? "rule news {\n\tsubject = { \"news*\" }\n\tthen = \"folder:$_\"\n}\n" : '' } 'A', 'B', '';

sub run_with {
	my ($name, $kind, $rule) = @_;
	my $to   = $kind eq 'mbox' ? 'mbox:' . work("out/$name/inbox") : 'maildir:' . work("out/$name");
	my $conf = settings("$name.conf", { E2E::global() },
		[ $name, { source => 'maildir:' . work("in/$name"), deliver => $to } ]);
	return mailfilter('-c', write_file($conf, read_file($conf) . $rules[$rule], 0600), '--once');
}

# The Message-IDs of all that came, in any folder.
sub came {
	my ($name, $kind) = @_;
	my %file = $kind eq 'mbox' ? map { my $box = $_; my %mail = Destination::read_mbox($box); map { ("$box $_" => $mail{$_}) } keys %mail }
			grep { !/\.lock|\.new/ } glob work("out/$name/*")
		: map { $_ => read_file($_) } map { glob "$_/new/* $_/cur/*" } work("out/$name"), glob work("out/$name/.[AB]");
	return sort map { Mail::field($_, 'message-id') // 'none' } values %file;
}

my $next = 0;
sub killed_at {
	my ($kind, $call, $n, $then) = @_;
	my $name = 'r' . $next++;
	mkdir work($_) for 'in', "in/$name", map { "in/$name/$_" } qw(cur new tmp);
	write_file(work("in/$name/new/$_.x.y"), "From: a\@example.org\nSubject: news $_\nMessage-ID: <$_\@news>\n\nText.\n") for 1 .. $MAILS;
	my @order = ($call, $n, $n ? 'kill' : 'none');
	Faults::with(work(), \@order, sub { run_with($name, $kind, 0) });
	my ($done, $count) = Faults::counted();
	return $count if !$n;
	my $run = run_with($name, $kind, $then);
	my @came = came($name, $kind);
	my @wrong = "@came" eq join(' ', map { "<$_\@news>" } 1 .. $MAILS) ? () : "came: @came";
	push @wrong, "exit $run->{code}" if $run->{code} != 0;
	diag($run->{err}) if @wrong;
	return map { "$call $n, then rule $then: $_" } @wrong;
}

for my $kind (qw(maildir mbox)) {
	my $count = killed_at($kind, 'write', 0, 0);
	my ($tried, @wrong) = (0);
	# The kinds of call around which a message is in the folder and not on record.
	for my $call ($kind eq 'mbox' ? qw(sync write) : qw(rename sync)) {
		for my $n (1 .. $count->{$call}) {
			next if !$ENV{LONG} && $call ne 'rename' && ($n % 2 || $n < $count->{$call} - 12);
			push @wrong, killed_at($kind, $call, $n, 1 + $n % 2);
			$tried++;
		}
	}
	is_deeply(\@wrong, [], "$kind: killed at $tried calls, each mail came once");
}
done_testing();
