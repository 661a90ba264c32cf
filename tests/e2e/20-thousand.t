#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# 1,000 mails in 5 accounts, 50 of them infected: all delivered, the clean ones byte for byte, the
# infected ones without EICAR in any decoding and with every clean part of theirs intact, their
# originals in quarantine. Run again: nothing new, nothing changed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my %kind  = (a => 'imaps', b => 'imap', c => 'pop3s', d => 'pop3', e => 'imaps');
my @names = sort keys %kind;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names });
my %mails = map { $_ => [] } @names;
my $turn  = 0;
for my $mail (Corpus->new('thousand')->mails(1000, 50)) {
	push @{ $mails{ $names[ $turn++ % @names ] } }, $mail;
}
# Every 20th mail is infected and there are 5 accounts: by turns all would fall to one of them.
for my $i (0 .. 199) {
	my @row = map { $mails{$_}[$i] } @names;
	$mails{ $names[ ($_ + int($i / 4)) % @names ] }[$i] = $row[$_] for 0 .. $#row;
}
is(scalar(map { @$_ } values %mails), 1000, '1,000 mails');
is(scalar(grep { $_->{infected} } map { @$_ } values %mails), 50, '50 of them infected');
$dovecot->put($_, map { $_->{bytes} } @{ $mails{$_} }) for @names;
my $conf = settings('mailfilter.conf', { E2E::global() }, map { E2E::account($dovecot, $_, $kind{$_}) } @names);

scanner_start();
my $run = E2E::finish(mailfilter_start('-c', $conf, '--once'), 300);
is($run->{code}, 0, sprintf 'exit code 0 (%.1f s, %.0f mails a second)', $run->{seconds}, 1000 / $run->{seconds});
for my $name (@names) {
	is_deeply([ E2E::problems($name, [ served($dovecot, $name) ], $mails{$name}) ], [], "$name: all as promised");
}
my $after = E2E::snapshot(@names);
is(scalar(keys %$after), 1050, '1,000 delivered, 50 in quarantine');
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'run again: exit code 0');
is_deeply(E2E::snapshot(@names), $after, 'run again: nothing new, nothing changed');
is(scalar(() = "$run->{out}$run->{err}" =~ /: nothing new/g), 5, 'run again: it says so');
done_testing();
