#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Delivery in place, killed at every single step of the conversation with the server: before each
# command that would reach it, and before each answer that would come back, over all sessions. After
# each kill a run is left alone, and one more changes nothing: nothing is lost, nothing is there
# twice, EICAR nowhere; with a server that has UIDPLUS and MOVE, and with one that has neither.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;
use Inplace;
use Proxy;

my $STEPS_MAX = 80;
my $corpus    = Corpus->new('inplace-killed');
my @mails     = map { $corpus->mail($_, "killed-$_") } qw(plain eicar-attachment text eicar-inline);
my $large     = $corpus->header('large.1', 'Too large') . 'x' x 200_000;
my @kinds     = (
	[ 'deleted', {}, [] ],
	[ 'moved', { 'inplace-quarantine' => 'Quarantine' }, [] ],
	[ 'copied', { 'inplace-quarantine' => 'Quarantine' }, ['MOVE'] ],
	[ 'marked', {}, [ 'UIDPLUS', 'MOVE' ] ],
);
my %user    = map { my $kind = $_->[0]; map { ("$kind$_" => 'sesame') } 0 .. $STEPS_MAX } @kinds;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => \%user);

sub imap {
	my ($name) = @_;
	return Imap->new($dovecot->{port}{imap}, $name, 'sesame');
}

# What is not as it should be with this user, who is done.
sub not_well {
	my ($name, $before, $hidden) = @_;
	my %kept  = quarantine($name);
	my $imap  = imap($name);
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
	push @problems, 'an original is kept twice' if keys %kept != 2;
	if (grep { /Quarantine/ } $imap->command('LIST "" "*"')) {
		my @server = sort map { $_->{sha256} } $imap->messages('Quarantine');
		push @problems, 'the folder on the server has ' . @server
			if "@server" ne join ' ', sort map { $_->{sha256} } grep { $_->{infected} } @mails;
	}
	push @problems, 'the journal is not empty' if -s work("state/$name/inplace.journal");
	return @problems;
}

sub state_of {
	my ($name) = @_;
	my $imap = imap($name);
	my @folders = sort map { /"?(\w+)"?\r\n\z/ ? $1 : () } $imap->command('LIST "" "*"');
	return [ map { my $folder = $_; map { "$folder $_->{uid} $_->{flags} $_->{date} $_->{sha256}" }
		$imap->messages($folder) } @folders ];
}

scanner_start();
for (@kinds) {
	my ($kind, $options, $hidden) = @$_;
	my $proxy = Proxy->new(port => $dovecot->{port}{imap}, dir => work("proxy-$kind"), hide => $hidden);
	my ($killed, @problems, @steps) = (0);
	for my $at (1 .. $STEPS_MAX) {
		my $name = "$kind$at";
		my $imap = imap($name);
		fill($imap, 'INBOX', @mails, { bytes => $large });
		my $before = look($imap, 'INBOX');
		my $conf = settings("$name.conf", { E2E::global('message-max' => '150K') },
			[ $name, { source => "imap://$name\@127.0.0.1:$proxy->{listening}", tls => 'none',
				password => 'sesame', deliver => 'inplace', %$options } ]);
		$proxy->arm($at);
		my $run = E2E::mailfilter_start('-c', $conf, '--once');
		$proxy->victim($run->{pid});
		finish($run);
		@steps = $proxy->events;
		my $alive = $run->{signal} == 0;
		$proxy->arm(0);
		my $step = $alive ? 'never' : "at $at ($steps[-1])";
		if (!$alive) {
			$killed++;
			$run = mailfilter('-c', $conf, '--once');
		}
		push @problems, "$step: exit code $run->{code}" if $run->{code} != 75 && $run->{code} != 0;
		push @problems, map { "$step: $_" } not_well($name, $before, $hidden);
		my $state = state_of($name);
		$run = mailfilter('-c', $conf, '--once');
		push @problems, "$step: exit code $run->{code} of one more" if $run->{code} != 0;
		push @problems, "$step: one more changes something" if "@{ state_of($name) }" ne "@$state";
		push @problems, "$step: one more looks at a message" if $run->{err} =~ /uid=/;
		last if $alive;
	}
	is_deeply(\@problems, [], "$kind: nothing lost, nothing twice, at any of $killed steps");
	cmp_ok($killed, '>=', 20, "$kind: killed at every step, $killed times");
	cmp_ok($killed, '<', $STEPS_MAX, "$kind: to the last");
	my $all = join "\n", @steps;
	like($all, qr/C APPEND "INBOX"/, "$kind: which puts copies into the folder");
}
done_testing();
