#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# More accounts than the process may have descriptors: all are served, and all are looked at by
# --check-config --connect. And one with so many folders is scanned again.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use Test::More;
use E2E;

my ($ACCOUNTS, $DESCRIPTORS) = (120, 64);

make_path(map { my $box = $_; map { work("in/$box/$_") } qw(new cur tmp) } 1 .. $ACCOUNTS);
write_file(work("in/$_/new/1.test"), "From: a\@example.org\n\nhello\n") for 1 .. $ACCOUNTS;
my $conf = settings('mailfilter.conf', { E2E::global(), jobs => 2 },
	map { [ "a$_", { source => 'maildir:' . work("in/$_"), deliver => 'maildir:' . work("out/$_") } ] } 1 .. $ACCOUNTS);

sub narrow {
	my ($options) = @_;
	my $said = `sh -c 'ulimit -n $DESCRIPTORS; exec build/mailfilter -q -c "\$0" $options' \Q$conf\E 2>&1`;
	return ($? >> 8, $said);
}

my ($code, $said) = narrow('--once');
is($code, 0, 'a run over all of them is well') or diag $said;
is($said, '', '  and silent');
is(scalar(() = glob work('out/*/new/*')), $ACCOUNTS, '  the mail of each is delivered');
($code, $said) = narrow('--check-config --connect');
is(scalar(() = $said =~ /^ok +account a\d+: opened/mg), $ACCOUNTS, 'each can be looked at') or diag $said;

scanner_start();
my $one = settings('one.conf', { E2E::global() }, [ a1 => { source => 'maildir:' . work('in/1'), deliver => 'maildir:' . work('out/1') } ]);
make_path(map { my $folder = $_; map { work("out/1/.$folder/$_") } qw(new cur tmp) } 1 .. $ACCOUNTS);
$said = `sh -c 'ulimit -Sn 128; exec build/mailfilter -c "\$0" rescan' \Q$one\E 2>&1`;
is($? >> 8, 0, 'an account with many folders') or diag $said;
like($said, qr/^a1: 1 scanned again/m, '  is scanned again');
done_testing();
