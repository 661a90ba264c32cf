#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# A dry run says what would be done, and does nothing: not on the server, not on disk, and what it
# saw is new to the next run.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use File::Find qw(find);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my %kind    = (kept => 'imaps', moved => 'imap', popped => 'pop3s');
my @names   = sort keys %kind;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names });
my %mails;

sub put_some {
	my ($which) = @_;
	for my $name (@names) {
		my $corpus = Corpus->new("dry $which $name");
		my @new = map { $corpus->mail($_, "$which-$name-$_") } @Corpus::CLEAN, @Corpus::INFECTED;
		$dovecot->put($name, map { $_->{bytes} } @new);
		push @{ $mails{$name} }, @new;
	}
}

# Every file's name and content. A database that was only read may have been given its companions.
sub tree {
	my ($root) = @_;
	my %file;
	find({ no_chdir => 1, wanted => sub {
		$file{$_} = -f $_ ? sha256_hex(E2E::read_file($_)) : 'folder' if !/-(?:wal|shm)$/;
	} }, $root) if -e $root;
	return \%file;
}

put_some('first');
my $conf = settings('mailfilter.conf', { E2E::global() }, map {
	E2E::account($dovecot, $_, $kind{$_}, after => $_ eq 'kept' ? 'keep' : 'delete')
} @names);
my %served = map { $_ => [ served($dovecot, $_) ] } @names;
my $each   = @{ $mails{kept} };
scanner_start();

my $run = mailfilter('-c', $conf, '--dry-run');
is($run->{code}, 0, 'a dry run of new mail: 0');
my $lines = () = $run->{err} =~ / would=(?:delivered|cleaned) /g;
is($lines, 3 * $each, 'it says of each message what would be done');
unlike($run->{err}, qr/action=/, 'and that nothing was');
ok(!-e work('state'), 'nothing is recorded, nor a folder made for it');
ok(!-e work('out'), 'nothing is delivered');
is_deeply([ served($dovecot, $_) ], $served{$_}, "$_: the server is untouched") for @names;

is(mailfilter('-c', $conf, '--once')->{code}, 0, 'a real run');
is_deeply([ E2E::problems($_, $served{$_}, $mails{$_}) ], [], "$_: all of it was new to it") for @names;
put_some('second');
my %before = (state => tree(work('state')), out => tree(work('out')));
my %now    = map { $_ => [ served($dovecot, $_) ] } @names;
push @{ $served{$_} }, @{ $now{$_} } for @names;
$run = mailfilter('-c', $conf, '--dry-run');
is($run->{code}, 0, 'a dry run where there is a state already: 0');
$lines = () = $run->{err} =~ / would=/g;
is($lines, 3 * $each, 'it speaks of the new ones alone');
is_deeply(tree(work($_)), $before{$_}, "$_ is as it was") for sort keys %before;
is_deeply([ served($dovecot, $_) ], $now{$_}, "$_: the server, too") for @names;

scanner_stop();
my $quick = settings('quick.conf', { E2E::global('scanner-wait' => '200ms') }, map {
	E2E::account($dovecot, $_, $kind{$_}, after => $_ eq 'kept' ? 'keep' : 'delete')
} @names);
$run = mailfilter('-c', $quick, '--dry-run');
is($run->{code}, 75, 'a dry run without a scanner: 75');
is_deeply(tree(work($_)), $before{$_}, "$_ is as it was") for sort keys %before;

scanner_start();
is(mailfilter('-c', $conf, '--once')->{code}, 0, 'the next real run');
is_deeply([ E2E::problems($_, $served{$_}, $mails{$_}) ], [], "$_: brings everything, nothing twice") for @names;
done_testing();
