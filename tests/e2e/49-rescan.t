#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Mail whose signature came after its delivery: "mailfilter rescan" finds it in a Maildir and in its
# folder on the server, and replaces it once; with the same signatures again it does nothing; killed
# at each call that changes the disk it ends with one cleaned copy and one original, flags kept.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(encode_base64);
use Corpus;
use E2E;
use Faults;
use Inplace;

my $PLACES  = 12; # mailboxes, for a kill each
my $MARK    = 'this-is-what-nobody-knew-yesterday';
my $dovecot = Dovecot->new(dir => work('dovecot'),
	users => { map { $_ => 'sesame' } qw(local filed place others), map { "place$_" } 1 .. $PLACES });
my $corpus = Corpus->new('rescan');

# One mail with a virus that is not known yet, in an attachment or in plain text.
sub late {
	my ($id, $inert) = @_;
	my $head = $corpus->header("$id.late", "Late $id");
	my $text = "Some text.\r\n\r\n";
	return $head . "Content-Type: text/plain; charset=us-ascii\r\n\r\n$text$MARK\r\n" if $inert;
	return $head . $corpus->multipart('mixed', Corpus::text_part($text),
		Corpus::file_part('application/octet-stream', 'late.bin', "$MARK\n"));
}

sub fresh_signatures {
	my (@marks) = @_;
	write_file(work('signatures/own.ndb.new'),
		join('', map { "Test.Late$_:0:*:" . unpack('H*', $marks[$_]) . "\n" } 0 .. $#marks), 0644);
	rename work('signatures/own.ndb.new'), work('signatures/own.ndb') or die "rename: $!\n";
}

sub restart_scanner {
	scanner_stop();
	return scanner_start(signatures => [ 'test', work('signatures') ]);
}

# Names and bytes below a Maildir.
sub files {
	my ($name, $folder) = @_;
	my $root = work("out/$name" . ($folder // ''));
	return map { (m{/((?:new|cur|tmp)/[^/]+)$})[0] => read_file($_) } glob "$root/new/* $root/cur/* $root/tmp/*";
}

sub suspects {
	my (%file) = @_;
	return grep { $file{$_} =~ /^Subject: Late/m } sort keys %file;
}

sub is_infected {
	my ($bytes) = @_;
	return index($bytes, $MARK) >= 0 || index($bytes, encode_base64("$MARK\n", '')) >= 0;
}

# Names and sums, as one text.
sub look_at {
	my $all = snapshot(@_);
	return join "\n", map { "$_ $all->{$_}" } sort keys %$all;
}

# What is wrong with the late mail of a Maildir: it should stand there once, cleaned, with these flags.
sub not_clean {
	my ($name, $folder, $dir, $flags, $original) = @_;
	my %file = files($name, $folder);
	my @late = suspects(%file);
	my %kept = quarantine($name);
	my @problems;
	push @problems, 'it is there ' . @late . " times: @late" if @late != 1;
	for (@late) {
		push @problems, "$_: the flags" if $_ !~ m{^\Q$dir\E/[^:]+\Q$flags\E$};
		push @problems, "$_: still infected" if is_infected($file{$_});
		push @problems, "$_: no status" if !defined Mail::field($file{$_}, 'x-virus-status');
	}
	push @problems, 'left in tmp' if grep { /^tmp/ } keys %file;
	my @originals = glob work("state/$name/quarantine/*");
	push @problems, "the quarantine has @originals" if @originals != 1;
	push @problems, 'the quarantine has another' if "@{[ keys %kept ]}" ne sha256_hex($original);
	return \@problems;
}

sub rename_to {
	my ($name, $folder, $like, $to) = @_;
	my %file = files($name, $folder);
	my ($found) = grep { $file{$_} =~ $like } keys %file or die "no such mail\n";
	my $root = work("out/$name$folder");
	my ($base) = $found =~ m{/([^/:]+)};
	rename "$root/$found", "$root/" . $to->($base) or die "rename: $!\n";
}

# --- delivered while nobody knew
my %mail = map { $_ => late($_, $_ ne 'local') } qw(local filed place);
for my $name (qw(local filed place)) {
	$dovecot->imap($name)->append('INBOX', $_, '\Seen $Work') for $corpus->mail('attachment', $name)->{bytes}, $mail{$name},
		$corpus->mail('plain', "$name-plain")->{bytes};
}
my @accounts = (
	(map { E2E::account($dovecot, $_, 'imap') } qw(local filed)),
	E2E::account($dovecot, 'place', 'imap', deliver => 'inplace'),
	E2E::account($dovecot, 'others', 'imap', deliver => 'mbox:' . work('out/others')));
for my $n (1 .. $PLACES) {
	$mail{"place$n"} = late("place$n");
	$dovecot->imap("place$n")->append('INBOX', $mail{"place$n"}, '\Flagged');
}
my $conf = settings('mailfilter.conf', { E2E::global() }, @accounts,
	map { E2E::account($dovecot, "place$_", 'imap', deliver => 'inplace') } 1 .. $PLACES);
my $hasty = settings('hasty.conf', { E2E::global('scanner-wait' => '300ms') }, @accounts);
fresh_signatures('something else');
restart_scanner();
my $run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'all is delivered') or diag($run->{err});
rename_to('local', '', qr/^Subject: Late/m, sub { "cur/$_[0]:2,FSa" });
my $date = 1_700_000_000;
utime $date, $date, glob(work('out/local/cur') . '/*:2,FSa');
# As a rule or its reader would file it.
mkdir work("out/filed/.Lists$_") for '', qw(/new /cur /tmp);
{
	my %file = files('filed');
	my ($late) = suspects(%file);
	rename work("out/filed/$late"), work('out/filed/.Lists/' . $late) or die "rename: $!\n";
}
my $before = snapshot(qw(local filed));

# --- no scanner
scanner_stop();
$run = mailfilter('-c', $hasty, 'rescan');
is($run->{code}, 75, 'without a scanner: 75');
like($run->{out}, qr/^local: 0 scanned again; then: no scanner answers/m, 'and why');
is_deeply(snapshot(qw(local filed)), $before, 'nothing changed');

# --- nothing to find
restart_scanner();
$run = mailfilter('-c', $conf, 'rescan', '--account', 'local');
is($run->{code}, 0, 'the old signatures find nothing');
like($run->{out}, qr/^local: 1 scanned again, 2 scanned with these signatures when they came$/, 'in the inert one as well, and in the others they found nothing before');
$run = mailfilter('-c', $conf, 'rescan', '--account', 'local');
like($run->{out}, qr/^local: scanned again before/, 'and look only once');
is_deeply(snapshot(qw(local filed)), $before, 'nothing changed');

# --- the signature comes
fresh_signatures('something else', $MARK);
restart_scanner();
$run = mailfilter('-c', $hasty, 'rescan', '--dry-run');
is($run->{code}, 0, 'a dry run');
like($run->{err}, qr/account=$_ .*verdict=infected .*would=cleaned/, "  tells of $_") for qw(local filed place);
like($run->{out}, qr/^$_: 3 scanned again, 1 infected, 1 to be replaced$/m, "  counts it in $_") for qw(local filed place);
unlike($run->{err}, qr/ quarantine=/, '  names no id, for nothing is kept');
is_deeply(snapshot(qw(local filed)), $before, '  changes nothing');
is(scalar(grep { $_->{body} =~ /X-Quarantine-ID/ } $dovecot->imap('place')->messages('INBOX')), 0, '  nor on the server');
system('cp', '-a', work('state'), work('state.base')) == 0 && system('cp', '-a', work('out'), work('out.base')) == 0
	or die "cp failed\n";

$run = mailfilter('-c', $hasty, 'rescan');
is($run->{code}, 0, 'it is found') or diag($run->{err}, $run->{out});
like($run->{out}, qr/^$_: 3 scanned again, 1 infected, 1 replaced$/m, "  in $_") for qw(local filed);
like($run->{out}, qr/^place: 3 scanned again, 1 infected, 1 to be replaced/m, '  and in place');
like($run->{out}, qr/^others: .*out of reach/m, '  and an mbox is out of reach');
is_deeply(not_clean('local', '', 'cur', ':2,FSa', $mail{local}), [], 'local: replaced, with its flags');
is((stat((glob(work('out/local/cur') . '/*:2,FSa'))[0]))[9], $date, '  and its date');
is_deeply(not_clean('filed', '/.Lists', 'new', '', $mail{filed}), [], 'filed: replaced in its folder');
is(scalar(suspects(files('filed'))), 0, '  and nowhere else');
my ($there, @more) = grep { $_->{body} =~ /^Subject: Late/m } $dovecot->imap('place')->messages('INBOX');
is(scalar @more, 0, 'place: it is there once');
ok(!is_infected($there->{body}), '  without what was found');
is(join(' ', sort split ' ', $there->{flags}), '$Work \Seen', '  with its flags');
is_deeply([ keys %{ { quarantine('place') } } ], [ sha256_hex($mail{place}) ], '  its original is in quarantine');

my $after = snapshot(qw(local filed));
my @server = map { "$_->{uid} $_->{sha256}" } $dovecot->imap('place')->messages('INBOX');
$run = mailfilter('-c', $hasty, 'rescan');
is($run->{code}, 0, 'once more');
like($run->{out}, qr/^$_: scanned again before/m, "  $_: nothing to do") for qw(local filed place);
$run = mailfilter('-c', $conf, 'rescan', '--since', '30', '--json', '--account', 'local');
like($run->{out}, qr/^\{"account":"local","possible":true,"known":false,"scanned":3,"infected":0,/, 'more days: all of it again, and clean');
mailfilter('-c', $hasty, '--once');
is_deeply(snapshot(qw(local filed)), $after, 'nothing changed');
is_deeply([ map { "$_->{uid} $_->{sha256}" } $dovecot->imap('place')->messages('INBOX') ], \@server, 'nor on the server');
$run = mailfilter('-c', $conf, 'why', 'local', 2);
like($run->{out}, qr/infected/, 'and why tells of it');

# --- killed at each call
sub reset_all {
	system('rm', '-rf', work('state'), work('out')) == 0 && system('cp', '-a', work('state.base'), work('state')) == 0
		&& system('cp', '-a', work('out.base'), work('out')) == 0 or die "cp failed\n";
}

my ($kills, @problems) = (0);
for my $below (qw(out state)) {
	for my $call ($below eq 'out' ? qw(write sync link rename unlink create) : qw(sync rename create)) {
		for my $n (1 .. 40) {
			reset_all();
			Faults::with(work($below), [ $call, $n, 'kill' ], sub { mailfilter('-c', $conf, 'rescan', '--account', 'local') });
			my ($done) = Faults::counted();
			last if !$done;
			$kills++;
			my $second = mailfilter('-c', $conf, 'rescan', '--account', 'local');
			my @wrong = @{ not_clean('local', '', 'cur', ':2,FSa', $mail{local}) };
			push @wrong, "ended with $second->{code}: $second->{err}" if $second->{code} != 0;
			my $was = look_at('local');
			mailfilter('-c', $conf, 'rescan', '--account', 'local');
			push @wrong, 'one more run changed something' if $was ne look_at('local');
			push @problems, map { "$below $call $n: $_" } @wrong;
		}
	}
}
cmp_ok($kills, '>=', 15, "local: killed $kills times");
is("@problems", '', 'each time one cleaned copy, one original');

sub place_of {
	my ($name) = @_;
	return map { "$_->{uid} $_->{flags} " . (is_infected($_->{body}) ? 'infected' : 'clean') } $dovecot->imap($name)->messages('INBOX');
}

($kills, @problems) = (0);
for my $n (1 .. $PLACES) {
	my ($name, @argv) = ("place$n", '-c', $conf, 'rescan', '--account', "place$n");
	Faults::with(work("state/$name"), [ 'sync', $n, 'kill' ], sub { mailfilter(@argv) });
	my ($done) = Faults::counted();
	$kills += $done;
	my $second = mailfilter(@argv);
	my @place  = place_of($name);
	push @problems, "$n: ended with $second->{code}: $second->{out}$second->{err}" if $second->{code} != 0;
	push @problems, "$n: there is: @place" if @place != 1 || $place[0] !~ /^\d+ \\Flagged clean$/;
	# A visit that is killed may leave a file that is on no record.
	my @kept = mailfilter('-c', $conf, 'quarantine', 'list', '--json', '--account', $name)->{out} =~ /"sha256":"(\w+)","findings"/g;
	push @problems, "$n: in quarantine: @kept" if "@kept" ne sha256_hex($mail{$name});
	mailfilter(@argv);
	push @problems, "$n: one more run changed something" if "@{[ place_of($name) ]}" ne "@place";
}
cmp_ok($kills, '>=', 8, "in place: killed $kills times");
is("@problems", '', 'each time one cleaned copy, one original');
ok(scanner_stop(), 'the scanner ends in order');
done_testing;
