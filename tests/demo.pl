#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# make demo: a private mail server, ordinary and EICAR mails in three accounts, the scanner, one
# run of mailfilter; then what became of each mail. Needs no account and no network, and leaves
# nothing behind. Fails if anything is not as promised.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use List::Util qw(max);
use lib "$FindBin::Bin/e2e/lib";
use Corpus;
use E2E;

$| = 1;
my %kind = (work => 'imaps', home => 'imap', club => 'pop3');
my %how  = (imaps => 'IMAP, TLS from the start', imap => 'IMAP, STARTTLS', pop3 => 'POP3, STLS');
my @sent = (
	[ work => plain              => 'Minutes of the meeting',   'plain text' ],
	[ work => attachment         => 'Report, as agreed',        'a file of some size' ],
	[ work => 'eicar-zip'        => 'Invoice 4711',             'EICAR in a zip' ],
	[ home => newsletter         => 'The garden in spring',     'HTML newsletter' ],
	[ home => 'eicar-attachment' => 'Photos from the lake',     'EICAR beside a photo' ],
	[ home => 'eicar-nested'     => 'Fwd: your new setup',      'EICAR in a forwarded mail' ],
	[ club => text               => 'Season opening on Sunday', 'text with a link' ],
	[ club => 'eicar-uu'         => 'The list you asked for',   'EICAR uuencoded in text' ],
);
my @failed;

sub title {
	print -t STDOUT ? "\n\e[1m$_[0]\e[0m\n" : "\n$_[0]\n";
}

# Text as it came, indented; lines over 80 columns are broken where a value ends.
sub show {
	my ($text) = @_;
	for my $line (split /\r?\n/, $text) {
		$line =~ s{\Q@{[ work() ]}\E}{DEMO}g;
		while (length $line > 78 && $line =~ s/^(.{20,78}) //) {
			print "  $1\n";
			$line = "    $line";
		}
		print "  $line\n";
	}
}

title('A mail server of our own (Dovecot on 127.0.0.1) with three accounts');
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => "secret of $_" } keys %kind });
my $corpus  = Corpus->new('demo');
my %mails   = map { $_ => [] } keys %kind;
for (@sent) {
	my ($account, $kind, $subject, $what) = @$_;
	my $mail = $corpus->mail($kind, "demo-$subject" =~ s/\W+/-/gr, $subject);
	$mail->{what} = $what;
	$dovecot->put($account, $mail->{bytes});
	push @{ $mails{$account} }, $mail;
}
my %served = map { $_ => [ served($dovecot, $_) ] } keys %kind;
printf "  %-5s %-42s %d mails\n", $_, $how{ $kind{$_} }, scalar @{ $mails{$_} } for qw(work home club);
print "  EICAR is a harmless text that every virus scanner treats as a virus.\n";

title('The scanner, with its built-in test signature');
scanner_start();
show(read_file(work('scanner.log')));

title('mailfilter --once');
my $conf = settings('mailfilter.conf', { E2E::global() },
	map { E2E::account($dovecot, $_, $kind{$_}) } qw(work home club));
my $run = mailfilter('-c', $conf, '--once');
show($run->{err});
show($run->{out});
push @failed, "mailfilter --once ended with exit code $run->{code}, signal $run->{signal}" if $run->{code} || $run->{signal};

title('What became of each mail');
printf "  %-4s %-24s %-25s %s\n", qw(in subject sent), 'became';
my ($before, $after);
for my $account (qw(work home club)) {
	my %file = maildir($account);
	my %kept = quarantine($account);
	for my $mail (@{ $mails{$account} }) {
		my ($name) = grep { Mail::field($file{$_}, 'message-id') eq Mail::field($mail->{bytes}, 'message-id') } keys %file;
		my $bytes  = defined $name ? $file{$name} : '';
		my $became = !defined $name ? 'NOT DELIVERED'
			: sha256_hex($bytes) eq $mail->{sha256} ? 'not one byte changed'
			: !Mail::eicar_everywhere($bytes) && $kept{ $mail->{sha256} } ? 'cleaned, original kept'
			: 'NOT AS PROMISED';
		$became = 'DELIVERED WITH EICAR' if Mail::eicar_everywhere($bytes);
		printf "  %-4s %-24s %-25s %s\n", $account, Mail::field($mail->{bytes}, 'subject'), $mail->{what}, $became;
		($before, $after) = ($mail->{bytes}, $bytes) if $mail->{kind} eq 'eicar-attachment';
	}
	push @failed, map { "$account: $_" } E2E::problems($account, $served{$account}, $mails{$account});
	push @failed, "$account: the server's mail was touched"
		if join(' ', map { "$_->{uid} $_->{flags} $_->{sha256}" } @{ $served{$account} })
		ne join(' ', map { "$_->{uid} $_->{flags} $_->{sha256}" } served($dovecot, $account));
}

title('"Photos from the lake" before and after: only the infected part is another');
my @rows = map { [ Mail::outline($_) ] } $before, $after;
my %was = map { sha256_hex($_->[3]) => 1 } @{ $rows[0] };
my $notice = '';
for my $i (0 .. max(map { $#$_ } @rows)) {
	my @cell = map {
		my $one = $_->[$i];
		$one ? '  ' x $one->[0] . $one->[1] . ($one->[2] ne '' ? " \"$one->[2]\"" : '') : ''
	} @rows;
	my $new = $rows[1][$i] && $rows[1][$i][1] !~ /^multipart/ && !$was{ sha256_hex($rows[1][$i][3]) };
	$notice .= (Mail::split_entity($rows[1][$i][3]))[1] if $new;
	printf "  %-42s %s\n", $cell[0], $cell[1] . ($new ? '   <- instead' : '');
}
print "\n  It says:\n\n";
show($notice =~ s/^/  /gmr);

title('mailfilter quarantine list');
$run = mailfilter('-c', $conf, 'quarantine', 'list');
show($run->{out});
push @failed, 'quarantine list failed' if $run->{code};

title('mailfilter status');
$run = mailfilter('-c', $conf, 'status');
show($run->{out});
push @failed, 'status failed' if $run->{code};

title('mailfilter --once, again');
my $state = E2E::snapshot(keys %kind);
$run = mailfilter('-c', $conf, '--once');
show($run->{err});
show($run->{out});
my $now = E2E::snapshot(keys %kind);
push @failed, 'the second run was not a success' if $run->{code};
push @failed, 'the second run changed something' if join("\0", map { "$_$state->{$_}" } sort keys %$state)
	ne join("\0", map { "$_$now->{$_}" } sort keys %$now);
push @failed, 'the scanner did not end in order' if !scanner_stop();

if (@failed) {
	title('NOT AS PROMISED');
	print map { "  $_\n" } @failed;
	print "  Log of the scanner:\n";
	show(read_file(work('scanner.log')));
	exit 1;
}
title('As promised');
print <<'END';
  Every mail was delivered once, the clean ones byte for byte, the infected ones
  without EICAR in any decoding and with all their other parts; the originals
  are in quarantine, and the server's copies were not touched. Nothing is left
  of this demo.

  Next: README.md, "First real settings", has a settings file for an account of
  yours; "make check" runs all tests.
END
