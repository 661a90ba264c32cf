#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Mail as large as is fetched at all, clean and infected, by each way in and out: no process of
# mailfilter ever needs 32 MB, and what comes out is what should.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use List::Util qw(max);
use POSIX ();
use Test::More;
use Corpus;
use Destination;
use E2E;

my $MOST_MB = 32;
my $SIZE    = 35_000_000;                    # of the attachment: 48 MB as base64
my $corpus  = Corpus->new('memory');
# Bytes that do not repeat soon, made quickly.
my $piece = $corpus->bytes(1_000_003);
my $bytes = substr $piece x (1 + $SIZE / length $piece), 0, $SIZE;
my $file  = Corpus::file_part('application/octet-stream', 'data.bin', $bytes);
my $text  = Corpus::text_part($corpus->prose(3000));
my %mail  = (
	clean    => $corpus->header('clean', 'large and clean') . $corpus->multipart('mixed', $text, $file),
	infected => $corpus->header('infected', 'large and infected')
		. $corpus->multipart('mixed', $text, $file, Corpus::file_part('application/octet-stream', 'eicar.com', Corpus::eicar())),
);
my ($leaf) = (Mail::leaf_hashes($mail{clean}))[1];
my %kind = (imap => 'imaps', pop => 'pop3s', lmtp => 'imaps', mbox => 'imap', smtp => 'imap', place => 'imap');
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } keys %kind, 'box' });
$dovecot->put($_, @mail{qw(clean infected)}) for keys %kind;
my %to = (lmtp => Destination::lmtp($dovecot, 'box', 0), mbox => Destination::mbox('mbox'), smtp => Destination::smtp('smtp', recipient => 'you@example.net'));
my $conf = settings('mailfilter.conf', { E2E::global(jobs => 2) }, map {
	$to{$_}        ? Destination::account($dovecot, $_, $kind{$_}, $to{$_})
		: $_ eq 'place' ? E2E::account($dovecot, $_, $kind{$_}, deliver => 'inplace')
		: E2E::account($dovecot, $_, $kind{$_})
} sort keys %kind);

# The most that a process and those below it ever had in memory, while it runs.
sub watch {
	my ($top) = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	my ($ended, %most) = (0);
	local $SIG{TERM} = sub { $ended = 1 };
	until ($ended) {
		my @all = ($top);
		for (my $i = 0; $i < @all; $i++) { push @all, split ' ', read_file("/proc/$all[$i]/task/$all[$i]/children") }
		for (@all) {
			my ($kb) = read_file("/proc/$_/status") =~ /^VmHWM:\s*(\d+) kB/m or next;
			$most{$_} = max($most{$_} // 0, $kb);
		}
		select undef, undef, undef, 0.01;
	}
	write_file(work('watched'), join ' ', sort { $b <=> $a } values %most);
	POSIX::_exit(0);
}

scanner_start();
my $run     = mailfilter_start('-c', $conf, '--once');
my $watcher = watch($run->{pid});
E2E::finish($run, 300);
kill 'TERM', $watcher;
waitpid $watcher, 0;
is($run->{code}, 0, 'exit code 0') or diag($run->{err});
my @most = map { $_ / 1024 } split ' ', read_file(work('watched'));
cmp_ok(scalar @most, '>', scalar keys %kind, 'each account was seen at work');
cmp_ok($most[0], '<', $MOST_MB, sprintf 'the most that a process needed: %s MB', join ', ', map { sprintf '%.1f', $_ } @most);

for my $name (sort keys %kind) {
	my %came = $name eq 'place' ? map { $_->{uid} => $_->{body} } served($dovecot, 'place') : maildir($name);
	my %kept = quarantine($name);
	my ($clean)   = grep { /^Subject: large and clean\r?$/m } map { substr $_, 0, 100_000_000 } values %came;
	my ($cleaned) = grep { /^Subject: large and infected\r?$/m } values %came;
	is(scalar keys %came, 2, "$name: both came");
	ok(($clean // '') eq $mail{clean}, "$name: the clean one as it was");
	is(scalar(grep { $_ eq $leaf } Mail::leaf_hashes($cleaned // '')), 1, "$name: of the infected one all that is clean");
	unlike($cleaned // '', qr/filename="eicar.com"/, "$name: and nothing else");
	ok($kept{ sha256_hex($mail{infected}) }, "$name: whose original is kept");
}
done_testing();
