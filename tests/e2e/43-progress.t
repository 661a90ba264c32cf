#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# How far a run is: a line on a terminal, no wider than that, with --once and without; nothing where
# standard error is none, and nothing with --quiet.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;
use Terminal;

my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } qw(a b c d) });
my $corpus  = Corpus->new('progress');
for my $user (qw(a b c d)) {
	$dovecot->put($user, map { $corpus->mail($_ % 10 ? 'plain' : 'eicar-zip', "$user-$_")->{bytes} } 1 .. 60);
}
# Slow enough to be seen on the way.
sub conf {
	my ($name, @rate) = @_;
	return settings("$name.conf", { E2E::global() }, E2E::account($dovecot, $name, 'imaps', @rate));
}
my $LINE = qr/(?<=[\r\n])\d+ of 60 messages(?:, \d+ infected)?(?:, \d+\/min)?(?:, \d+ (?:s|min|h) left)?\e\[K\r/;
scanner_start();

my $terminal = Terminal->new('build/mailfilter', '-c', conf('a', rate => '64K'), '--once')->finish;
is($terminal->{code}, 0, 'a run at a terminal');
like($terminal->{shown}, $LINE, 'says how far it is');
like($terminal->{shown}, qr/\d+ of 60 messages, [1-6] infected, \d+\/min, \d+ s left\e/, 'what was found, how fast, how long still') or diag $terminal->{shown};
like($terminal->{shown}, qr/\e\[Ka: 60 new, 6 infected \(cleaned\)\r?\n\z/, 'and takes that away before the end');

$terminal = Terminal->new('build/mailfilter', '-q', '-c', conf('b'), '--once')->finish;
is($terminal->{shown} =~ s/^.* is kept in memory only: .*\n//mr, '', '--quiet: no such line');

$terminal = Terminal->new('build/mailfilter', '-c', conf('c', rate => '64K'));
ok($terminal->wait_for(qr/\d+ of 60 messages/), 'in the foreground without --once, too');
kill 'TERM', $terminal->{pid};
is($terminal->finish->{code}, 0, 'which ends when told');

my $run = mailfilter('-c', conf('d'), '--once');
unlike("$run->{out}$run->{err}", qr/of 60 messages|\e/, 'where no terminal is, no such line');
scanner_stop();
done_testing();
