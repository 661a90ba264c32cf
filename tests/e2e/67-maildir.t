#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Mail that a host already has: fetched from Maildirs while another program moves it from new to cur
# and changes its flags; kept, deleted, flagged and moved; and settings that would go in circles.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my $corpus = Corpus->new('maildir');
my %after  = (keep => 'keep', delete => 'delete', flag => 'flag', move => 'move:' . work('in/moved'));
my (%mails, @accounts);
my $count = 0;

# As an MTA would.
sub put {
	my ($name, @kinds) = @_;
	for (@kinds) {
		my $mail = $corpus->mail($_, sprintf 'maildir%03d', $count++);
		my $file = 1_700_000_000 + $count . ".M$count.test";
		$mail->{path} = work("in/$name/new/$file");
		write_file($mail->{path}, $mail->{bytes});
		push @{ $mails{$name} }, $mail;
	}
}

for my $name (sort keys %after) {
	make_path(map { work("in/$name/$_") } qw(new cur tmp));
	put($name, @Corpus::CLEAN, @Corpus::INFECTED);
	# Half of it was read before.
	for (grep { /[02468]\.test$/ } map { $_->{path} } @{ $mails{$name} }) {
		rename $_, s{/new/(.*)}{/cur/$1:2,S}r or die "$_: $!\n";
	}
	push @accounts, [ $name, { source => 'maildir:' . work("in/$name"), deliver => 'maildir:' . work("out/$name"),
		after => $after{$name} } ];
}
symlink '/etc/passwd', work('in/keep/new/1.link') or die "symlink: $!\n";
my $conf = settings('mailfilter.conf', { E2E::global() }, @accounts);

sub in_folder {
	my ($name) = @_;
	return sort map { m{/(cur|new)/(.*)} ? "$1/$2" : () } glob work("in/$name") . '/{new,cur}/*';
}

sub all_once {
	my ($what) = @_;
	for my $name (sort keys %after) {
		is_deeply([ E2E::problems($name, $mails{$name}, $mails{$name}) ], [], "$what: $name: each mail is delivered once");
	}
}

is(mailfilter('-c', $conf, '--check-config')->{code}, 0, 'no account needs a password');
scanner_start();
my @before = in_folder('keep');
my $run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'a run') or diag $run->{err};
all_once('the first run');
is_deeply([ in_folder('keep') ], \@before, 'keep: nothing is changed');
is_deeply([ in_folder('delete') ], [], 'delete: nothing is left');
is(scalar(grep { m{^cur/.*:2,FS?$} } in_folder('flag')), scalar(@{ $mails{flag} }), 'flag: all have a star');
is_deeply([ in_folder('move') ], [], 'move: nothing is left');
my %sum = map { sha256_hex(read_file($_)) => 1 } glob work('in/moved') . '/{new,cur}/*';
is_deeply(\%sum, { map { $_->{sha256} => 1 } @{ $mails{move} } }, 'move: all is there, as it was');

# A mail program works in it all the while.
put($_, ('plain', 'eicar-zip', 'attachment') x 20) for sort keys %after;
my $reader = fork // die "fork: $!\n";
if (!$reader) {
	$SIG{ALRM} = 'DEFAULT';
	alarm 120;
	while (1) {
		for (glob work('in') . '/*/new/*.test') {
			rename $_, s{/new/(.*)}{/cur/$1:2,S}r;
			select undef, undef, undef, 0.005;
		}
		for (glob work('in') . '/*/cur/*:2,*S') {
			rename $_, s/S$/RS/r if !/RS$/;
		}
		select undef, undef, undef, 0.01;
	}
}
$run = mailfilter('-c', $conf, '--once');
kill 'KILL', $reader;
waitpid $reader, 0;
is($run->{code}, 0, 'a run beside a mail program') or diag $run->{err};
all_once('beside a mail program');
$run = mailfilter('-c', $conf, '--once');
like($run->{out}, qr/\b$_: nothing new/, "run again: $_: nothing new") for sort keys %after;
all_once('run again');
is_deeply([ in_folder($_) ], [], "$_: nothing is left") for 'delete', 'move';
is(scalar(grep { !/F/ } in_folder('flag')), 0, 'flag: all have a star');

# Where mail comes from it may not go to.
my $in = 'maildir:' . work('in/keep');
symlink work('in/keep'), work('in/also') or die "symlink: $!\n";
my @circles = (
	[ [ 'a', { source => $in, deliver => $in } ] ],
	[ [ 'a', { source => $in, deliver => 'maildir:' . work('in/also/') } ] ],
	[ [ 'a', { source => $in, deliver => 'maildir:' . work('out/keep') } ],
		[ 'b', { source => 'maildir:' . work('in/flag'), deliver => $in } ] ],
	[ [ 'a', { source => $in, deliver => 'maildir:' . work('out/a'), after => 'move:' . work('in/also') } ] ],
);
for (@circles) {
	$run = mailfilter('-c', settings('circle.conf', { E2E::global() }, @$_), '--check-config');
	is($run->{code}, 78, 'mail that would come in again: 78');
	like($run->{err}, qr/circle\.conf:\d+: (?:deliver|after): .*again/, '  said with the line');
}
$run = mailfilter('-c', settings('gone.conf', { E2E::global() },
		[ 'gone', { source => 'maildir:' . work('in'), deliver => 'maildir:' . work('out/gone') } ]), '--once');
is($run->{code}, 75, 'a folder that is no Maildir: 75');
like($run->{err}, qr/gone: .*\bno Maildir/, '  said so');
done_testing();
