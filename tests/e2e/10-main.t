#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Several accounts at once, by every way a server can be reached; ordinary mail and EICAR in every
# wrapping; then once more, and nothing may change.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my %kind = (imaps => 'imaps', starttls => 'imap', pop3s => 'pop3s', stls => 'pop3', plain => 'imap', empty => 'imaps');
my @names = sort keys %kind;
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => "secret of $_" } @names });

my (%mails, @accounts);
for my $name (@names) {
	my $corpus = Corpus->new("main $name");
	my $count  = 0;
	$mails{$name} = [ $name eq 'empty' ? () : map { $corpus->mail($_, sprintf '%s%02d', $name, $count++) }
			map { ($_, $_) } @Corpus::CLEAN, @Corpus::INFECTED ];
	$dovecot->put($name, map { $_->{bytes} } @{ $mails{$name} });
	push @accounts, E2E::account($dovecot, $name, $kind{$name}, $name eq 'plain' ? (tls => 'none') : ());
	# By name where this host knows it, by address else.
	$accounts[-1][1]{source} = $dovecot->url($name, $kind{$name}, 'localhost')
		if $name =~ /^st/ && gethostbyname 'localhost';
}
my $conf = settings('mailfilter.conf', { E2E::global() }, @accounts);
my %before = map { my $name = $_; $name => [ served($dovecot, $name) ] } @names;

scanner_start();
my $run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'a run with viruses handled is a success');
is($run->{signal}, 0, 'and ends by itself');
for my $name (@names) {
	is_deeply([ E2E::problems($name, $before{$name}, $mails{$name}) ], [],
		"$name: every mail is delivered once, clean ones unchanged, infected ones cleaned and kept");
	is_deeply([ served($dovecot, $name) ], $before{$name}, "$name: the server's mail and flags are untouched");
}
my $lines = () = $run->{err} =~ /account=\S+ (?:folder=\S+ )?uid=\S+ verdict=/g;
is($lines, scalar(map { @$_ } values %mails), 'one log line a message');
like($run->{err}, qr/account=imaps folder=INBOX uid=\S+ verdict=infected signature=\S*Eicar\S* sha256=[0-9a-f]{64} action=cleaned quarantine=\S+/i,
	'an infected one says what was found, done and kept');
like("$run->{out}$run->{err}", qr/imaps: 18 new, 10 infected \(cleaned\)/, 'the run ends with a sentence an account');
like("$run->{out}$run->{err}", qr/empty: nothing new/, 'also where there was nothing');
unlike("$run->{out}$run->{err}", qr/secret of/, 'no password is shown');

my $after = E2E::snapshot(@names);
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'run again: success');
is_deeply(E2E::snapshot(@names), $after, 'run again: nothing new, nothing changed');
like("$run->{out}$run->{err}", qr/$_: nothing new/, "run again: $_ has nothing new") for @names;

my $late = Corpus->new('late')->mail('eicar-zip', 'late01');
$dovecot->put('stls', $late->{bytes});
$run = mailfilter('-c', $conf, '--once', '--account', 'stls');
is($run->{code}, 0, 'a new mail later: success');
push @{ $mails{stls} }, $late;
is_deeply([ E2E::problems('stls', [ served($dovecot, 'stls') ], $mails{stls}) ], [], 'it alone is fetched and cleaned');
ok(scanner_stop(), 'the scanner ends in order and leaves no process behind');
done_testing();
