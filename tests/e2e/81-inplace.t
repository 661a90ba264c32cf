#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Mail that stays in its folder on the server: what is clean keeps UID and flags and every byte; what
# is infected is replaced with flags, keywords and date kept; what other programs do meanwhile is
# respected; and a server that lacks what would be needed, or refuses, harms nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;
use Inplace;
use Proxy;

my @names   = qw(plain kept busy refused old);
my $dovecot = Dovecot->new(dir => work('dovecot'), users => { map { $_ => 'sesame' } @names });
my (%mails, %before);

# All infected kinds, and every clean one.
sub some_mails {
	my ($name) = @_;
	my $corpus = Corpus->new("inplace-$name");
	return map { $corpus->mail($_, "$name-$_") } @Corpus::CLEAN, @Corpus::INFECTED, @Corpus::CLEAN;
}

sub not_well {
	my ($name, $folder) = @_;
	my %kept = quarantine($name);
	return [ not_as_promised($before{$name}{$folder}, look($dovecot->imap($name), $folder),
		sub { $kept{ $_[0] } }, @{ $mails{$name}{$folder} }) ];
}

# --- two folders: kept locally, and on the server
for my $name (qw(plain kept)) {
	my $imap = $dovecot->imap($name);
	$imap->command('CREATE "Work and Play"');
	for my $folder ('INBOX', 'Work and Play') {
		$mails{$name}{$folder} = [ some_mails("$name-" . lc substr $folder, 0, 1) ];
		fill($imap, $folder, @{ $mails{$name}{$folder} });
		$before{$name}{$folder} = look($imap, $folder);
	}
}
my $secret = encrypted_mail(Corpus->new('secret'), 'secret');
fill($dovecot->imap('plain'), 'INBOX', $secret);
my %inplace = (deliver => 'inplace', folders => [ 'INBOX', 'Work and Play' ]);
my $conf = settings('mailfilter.conf', { E2E::global() },
	E2E::account($dovecot, 'plain', 'imaps', %inplace),
	E2E::account($dovecot, 'kept', 'imap', %inplace, folders => ['*'], 'inplace-quarantine' => 'Quarantäne'));

scanner_start();
my $run = mailfilter('-c', $conf, '--dry-run', '--once');
is($run->{code}, 0, 'a dry run ends with 0');
like($run->{err}, qr/account=plain folder=INBOX uid=\d+ verdict=infected .*would=cleaned/, 'and says what it would do');
is(scalar(() = $dovecot->imap('plain')->messages('INBOX')), 14, 'but does nothing');

$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'the run ends with 0');
$mails{plain}{INBOX} = [ @{ $mails{plain}{INBOX} }, $secret ];
my $tagged = look($dovecot->imap('plain'), 'INBOX')->{'<secret.secret@example.org>'};
is($tagged->[0]{flags}, '$MailfilterUnscannable', 'what could not be scanned has its keyword')
	or diag($run->{err});
$before{plain}{INBOX}{'<secret.secret@example.org>'} = $tagged;
is($tagged->[0]{sha256}, $secret->{sha256}, 'and all its bytes');
for my $name (qw(plain kept)) {
	is_deeply(not_well($name, $_), [], "$name, $_: all is as it should be") for 'INBOX', 'Work and Play';
}
my @server = $dovecot->imap('kept')->messages('Quarant&AOQ-ne');
is_deeply([ sort map { $_->{sha256} } @server ],
	[ sort map { $_->{sha256} } grep { $_->{infected} } map { @$_ } values %{ $mails{kept} } ],
	'the originals are in the folder on the server');

my %snapshot = map { $_ => [ map { "$_->{uid} $_->{flags} $_->{date} $_->{sha256}" }
	$dovecot->imap('plain')->messages($_) ] } 'INBOX', 'Work and Play';
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'one more run ends with 0');
like($run->{out} . $run->{err}, qr/plain: nothing new/, 'sees nothing new, the cleaned copies neither');
unlike($run->{err}, qr/uid=/, 'and touches no message');
is_deeply([ map { "$_->{uid} $_->{flags} $_->{date} $_->{sha256}" } $dovecot->imap('plain')->messages($_) ], $snapshot{$_},
	"$_: nothing changed") for 'INBOX', 'Work and Play';
ok(!-s work('state/plain/inplace.journal'), 'nothing is left in the journal');

# --- an original comes back from quarantine, and stays
my ($one) = grep { $_->{kind} eq 'eicar-zip' } @{ $mails{plain}{INBOX} };
my $id = Mail::field(look($dovecot->imap('plain'), 'INBOX')->{ Mail::field($one->{bytes}, 'message-id') }[0]{body},
	'x-quarantine-id');
$run = mailfilter('-c', $conf, 'quarantine', 'release', $id);
is($run->{code}, 0, 'an original is released') or diag($run->{err});
my @there = grep { $_->{sha256} eq $one->{sha256} } $dovecot->imap('plain')->messages('INBOX');
is(scalar @there, 1, 'and stands in its folder again, byte for byte');
$run = mailfilter('-c', $conf, 'quarantine', 'release', $id);
is($run->{code}, 0, 'released again it is said to be released');
$run = mailfilter('-c', $conf, '--once');
like($run->{out}, qr/plain: nothing new/, 'it is not scanned again');
is(scalar(grep { $_->{sha256} eq $one->{sha256} } $dovecot->imap('plain')->messages('INBOX')), 1, 'nor taken away, nor there twice');

# --- a mail program at work in the same folder
sub proxied {
	my ($name, $options, %more) = @_;
	my $proxy = Proxy->new(port => $dovecot->{port}{imap}, dir => work("proxy-$name"), %more);
	return ($proxy, settings("$name.conf", { E2E::global() }, [ $name, {
		source => "imap://$name\@127.0.0.1:$proxy->{listening}", tls => 'none', password => 'sesame',
		deliver => 'inplace', %$options } ]));
}

# True once for each name, over all processes.
sub first_time {
	my ($what) = @_;
	return mkdir work("first-$what");
}

my $corpus = Corpus->new('busy');
my %busy = map { $_ => $corpus->mail('eicar-attachment', $_) } qw(flagged moved expunged deleted late);
$busy{clean} = $corpus->mail('plain', 'clean');
my %uid;
{
	my $imap = $dovecot->imap('busy');
	my $n = 0;
	$imap->command('CREATE Elsewhere');
	$imap->append('INBOX', $busy{$_}{bytes}, '\Seen'), $uid{$_} = ++$n for sort keys %busy;
}
my ($proxy, $busy_conf) = proxied('busy', {}, on => sub {
	my ($line) = @_;
	# The second session: all has been fetched and scanned.
	if ($line =~ /EXAMINE/ && !first_time('session') && first_time('meanwhile')) {
		my $imap = $dovecot->imap('busy');
		$imap->command('SELECT INBOX');
		$imap->command("UID STORE $uid{flagged} FLAGS (\\Flagged new-label)");
		$imap->command("UID MOVE $uid{moved} Elsewhere");
		$imap->command("UID STORE $uid{expunged} +FLAGS (\\Deleted)");
		$imap->command("UID EXPUNGE $uid{expunged}");
		$imap->command("UID STORE $uid{deleted},$uid{clean} +FLAGS (\\Deleted)");
	}
	if ($line =~ /UID STORE .*\\Deleted/ && first_time('late')) {
		my $imap = $dovecot->imap('busy');
		$imap->command('SELECT INBOX');
		$imap->command("UID STORE $uid{late} +FLAGS (\\Deleted)");
		$imap->command("UID EXPUNGE $uid{late}");
	}
	return undef;
});
$run = mailfilter('-c', $busy_conf, '--once');
is($run->{code}, 0, 'busy: a run while another program is at work ends with 0');
my $busy = look($dovecot->imap('busy'), 'INBOX');
my $of   = sub { $busy->{ Mail::field($busy{ $_[0] }{bytes}, 'message-id') } // [] };
is_deeply([ map { $_->{flags} } @{ $of->('flagged') } ], ['\Flagged new-label'], 'busy: its flags are the present ones');
is_deeply([ map { scalar @{ $of->($_) } } qw(moved expunged) ], [ 0, 0 ], 'busy: what has gone is not brought back');
is_deeply([ map { $_->{sha256} } $dovecot->imap('busy')->messages('Elsewhere') ], [ $busy{moved}{sha256} ],
	'busy: what was moved is where it was moved to');
is_deeply([ map { $_->{flags} } @{ $of->('deleted') } ], ['\Deleted \Seen'], 'busy: what was deleted stays deleted');
is_deeply([ map { "$_->{uid} $_->{sha256} $_->{flags}" } @{ $of->('clean') } ],
	["$uid{clean} $busy{clean}{sha256} \\Deleted \\Seen"], 'busy: what others delete is left to them');
is(scalar @{ $of->('late') }, 1, 'busy: the copy of what was expunged behind it stands');
ok(!(grep { Mail::eicar_everywhere($_->{body}) } map { @$_ } values %$busy), 'busy: EICAR nowhere');
is(scalar(() = $run->{err} =~ /remark="it has left its folder/g), 2, 'busy: the log says so');
$run = mailfilter('-c', $busy_conf, '--once');
like($run->{out}, qr/busy: nothing new/, 'busy: one more run finds nothing to do');

# --- copies refused, for whatever reason
my @answers = ('NO [OVERQUOTA] Quota exceeded', 'NO [TRYCREATE] no such folder', 'NO [READ-ONLY] look, no hands', 'BAD what?');
$mails{refused}{INBOX} = [ map { $corpus->mail($_, "refused-$_") } qw(text eicar-zip) ];
fill($dovecot->imap('refused'), 'INBOX', @{ $mails{refused}{INBOX} });
$before{refused}{INBOX} = look($dovecot->imap('refused'), 'INBOX');
($proxy, $conf) = proxied('refused', {}, on => sub {
	my ($tag) = $_[0] =~ /^(\d+) APPEND/ or return undef;
	for my $n (0 .. $#answers) {
		return "$tag $answers[$n]\r\n" if first_time("answer$n");
	}
	return undef;
});
for my $answer (@answers) {
	my $words = $answer =~ s/.*[\]D] //r;
	$run = mailfilter('-c', $conf, '--once');
	is($run->{code}, 75, "refused, $answer: 75");
	like($run->{err}, qr/action=held .*\Q$words\E/, 'in the words of the server');
	is_deeply(look($dovecot->imap('refused'), 'INBOX'), $before{refused}{INBOX}, 'nothing is touched');
}
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'accepted at last: 0');
is_deeply(not_well('refused', 'INBOX'), [], 'and all is as it should be');

# --- an old server, which keeps no keywords and can neither move nor expunge one message
$mails{old}{INBOX} = [ encrypted_mail($corpus, 'secret'), $corpus->mail('eicar-zip', 'old') ];
fill($dovecot->imap('old'), 'INBOX', @{ $mails{old}{INBOX} });
$before{old}{INBOX} = look($dovecot->imap('old'), 'INBOX');
($proxy, $conf) = proxied('old', {}, hide => [ 'UIDPLUS', 'MOVE' ], on => sub {
	return $_[0] =~ /^(\d+) UID STORE .*\$Mailfilter/ ? "$1 NO [LIMIT] no keywords here\r\n" : undef;
});
$run = mailfilter('-c', $conf, '--once');
is($run->{code}, 0, 'old: 0');
like($run->{err}, qr/action=tagged .*remark="not marked: .*no keywords here"/, 'old: the log says that there are no keywords');
like($run->{err}, qr/offers no UIDPLUS/, 'old: and that the original stays, marked');
my ($marked) = grep { $_->{sha256} eq $mails{old}{INBOX}[1]{sha256} } $dovecot->imap('old')->messages('INBOX');
like($marked->{flags}, qr/\\Deleted/, 'old: which it is');
$run = mailfilter('-c', $conf, '--once');
like($run->{out}, qr/old: nothing new/, 'old: one more run finds nothing to do');

# --- the server numbers its folders anew: the copies are told again
for my $folder ('INBOX', 'Work and Play') {
	ok(Dovecot::command(work('doveadm.log'), 'doveadm', '-c', work('dovecot/dovecot.conf'), 'mailbox', 'update', '-u',
		'kept', '--uid-validity', 1_900_000_000, $folder), "$folder: doveadm changes its UIDVALIDITY")
		or diag(read_file(work('doveadm.log')));
}
$conf = work('mailfilter.conf');
$run = mailfilter('-c', $conf, '--once', '--account', 'kept');
is($run->{code}, 0, 'renumbered: 0');
like($run->{err}, qr/told again=/, 'renumbered: the log says so');
like($run->{out}, qr/kept: nothing new/, 'renumbered: no copy is taken for a new message');
done_testing();
