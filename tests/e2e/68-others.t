#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Other clients at work on the same folders, at the worst moments: right before a fetch, a settling,
# between delivery and record, and all at once in a storm. What they did not take away is delivered
# exactly once, what they did take at most once, and nothing of theirs is lost or changed.
# SEED: another storm; it is said when one fails. STEPS: a longer one.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Time::HiRes qw(time sleep);
use Between;
use Corpus;
use Faults;
use E2E;

my $SEED    = $ENV{SEED} // 11;
my $STEPS   = $ENV{STEPS} // 350;
my @CASES   = qw(gone-keep gone-delete gone-move marked flags-delete flags-move swept undone away
	anew-fetch anew-delete anew-move dropped-fetch dropped-delete);
my @DEEDS  = qw(seen moved deleted filed);
my @STORM  = qw(keep delete move);
my $corpus = Corpus->new("others-$SEED");
my $dovecot = Dovecot->new(dir => work('dovecot'),
	users => { map { $_ => 'sesame' } @CASES, (map { "reader-$_" } @DEEDS), @STORM });
my $LARGE = 160_000;    # bytes, above message-max

sub client {
	my ($user, $folder) = @_;
	my $imap = $dovecot->imap($user);
	eval { $imap->command(qq(CREATE "$_")) } for 'Theirs', 'Work';
	$imap->command(qq(SELECT "$folder")) if defined $folder;
	return $imap;
}

# SHA-256 => flags of all in a folder; of equal ones a list.
sub content {
	my ($user, $folder) = @_;
	my $imap = client($user);
	my %content;
	push @{ $content{ $_->{sha256} } }, $_->{flags} for $imap->messages($folder);
	$imap->close;
	return \%content;
}

# As the server's administrator does it; the sessions that are open end.
sub number_anew {
	my ($user, $folder) = @_;
	my $imap = client($user);
	my ($old) = join('', $imap->command(qq(STATUS "$folder" (UIDVALIDITY)))) =~ /UIDVALIDITY (\d+)/;
	$imap->close;
	Dovecot::command(work('doveadm.log'), 'doveadm', '-c', work('dovecot') . '/dovecot.conf', 'mailbox',
		'update', '-u', $user, '--uid-validity', $old + 1000, $folder) or die "doveadm: no new UIDVALIDITY\n";
}

sub delivered {
	my ($user) = @_;
	my %count;
	my %file = maildir($user);
	$count{ Mail::field($_, 'message-id') // '' }++ for values %file;
	return \%count;
}

# Message-ID of a mail.
sub id {
	return Mail::field($_[0]{bytes}, 'message-id');
}

scanner_start();

# 1. One deed right before one command of ours. Mails 1 .. 8. lost: those that are not delivered;
# left: those that stay where they were, theirs: those in their folder, done: those that we moved, with
# which flags. The folder holds, besides, a mail that is too large, which others have marked as deleted:
# it stays, parked.
my $FETCH = qr/UID FETCH \S+ \(UID BODY\.PEEK\[\]\)/;
my %case = (
	'gone-keep'   => { after => 'keep', before => $FETCH, lost => [ 2, 3, 8 ], deed => sub { expunge($_[0], '2:3,8') } },
	'gone-delete' => { after => 'delete', before => $FETCH, lost => [ 1, 5 ], deed => sub { expunge($_[0], '1,5') } },
	'gone-move'   => { after => 'move:Done', before => $FETCH, lost => [ 1 .. 8 ], deed => sub { expunge($_[0], '1:8') } },
	'marked' => { after => 'delete', before => qr/UID STORE/, left => {}, theirs => { 2 => '\Flagged' },
		deed => sub { my ($imap) = @_; $imap->command('UID STORE 2 +FLAGS (\Flagged)'); $imap->command('UID MOVE 2 Theirs'); expunge($imap, '4,6') } },
	'flags-delete' => { after => 'delete', before => qr/UID STORE/, left => {},
		deed => sub { $_[0]->command('UID STORE 1:8 +FLAGS (\Seen $Work)') } },
	'flags-move' => { after => 'move:Done', before => qr/UID MOVE/, done => '$Work \Seen',
		deed => sub { $_[0]->command('UID STORE 1:8 +FLAGS (\Seen $Work)') } },
	'swept' => { after => 'move:Done', before => qr/UID MOVE/, done => '', theirs => { 7 => '' }, not_done => [ 3, 7 ],
		deed => sub { $_[0]->command('UID MOVE 7 Theirs'); expunge($_[0], '3') } },
	# The first of those that are to be expunged: it is theirs now.
	'undone' => { after => 'delete', before => qr/UID EXPUNGE/, left => {}, deed => sub {
			my ($imap, $name, $line) = @_;
			my ($uid) = $line =~ /UID EXPUNGE (\d+)/;
			$imap->command("UID STORE $uid FLAGS (\\Answered)");
			write_file(work('undone.uid'), $uid);
		} },
	'away' => { after => 'keep', before => $FETCH, lost => [ 4, 5 ], theirs => { 4 => '', 5 => '' }, deed => sub { $_[0]->command('UID MOVE 4:5 Theirs') } },
	'anew-fetch'  => { after => 'keep', before => $FETCH, deed => sub { number_anew($_[1], 'INBOX') } },
	'anew-delete' => { after => 'delete', before => qr/UID STORE/, deed => sub { number_anew($_[1], 'INBOX') } },
	'anew-move'   => { after => 'move:Done', done => '', before => qr/UID MOVE/, deed => sub { number_anew($_[1], 'INBOX') } },
	'dropped-fetch' => { folder => 'Work', after => 'keep', before => $FETCH, lost => [ 1 .. 8 ], dropped => 1,
		deed => sub { drop($_[1], 'Work') } },
	'dropped-delete' => { folder => 'Work', after => 'delete', before => qr/UID STORE/, dropped => 1,
		deed => sub { drop($_[1], 'Work') } },
);

sub expunge {
	my ($imap, $uids) = @_;
	$imap->command("UID STORE $uids +FLAGS.SILENT (\\Deleted)");
	$imap->command("UID EXPUNGE $uids");
}

# Deleted, and made again with nothing in it.
sub drop {
	my ($user, $folder) = @_;
	my $imap = client($user);
	$imap->command(qq(DELETE "$folder"));
	$imap->command(qq(CREATE "$folder"));
	$imap->close;
}

my (%mails, %between, @accounts);
for my $name (@CASES) {
	my $case   = $case{$name};
	my $folder = $case->{folder} //= 'INBOX';
	$mails{$name} = [ map { $corpus->mail($_, "$name-" . ++$case->{count}) } ('plain', 'newsletter', 'eicar-zip', 'text') x 2 ];
	$case->{large} = $corpus->header("$name-large", 'large') . "\r\n" . "a line of text\r\n" x ($LARGE / 16);
	my $imap = client($name);
	$imap->append($folder, $_->{bytes}) for @{ $mails{$name} };
	$imap->append($folder, $case->{large});
	$imap->command(qq(SELECT "$folder"));
	$imap->command('UID STORE 9 +FLAGS (\Deleted)');
	$imap->close;
	$between{$name} = Between->start(port => $dovecot->{port}{imap}, log => work("$name.commands"), before => $case->{before},
		deed => sub {
			my $other = client($name, $folder);
			$case->{deed}->($other, $name, $_[0]);
			eval { $other->close };
		});
	push @accounts, [ $name, { source => "imap://$name\@127.0.0.1:$between{$name}{port}", tls => 'none', password => 'sesame',
		deliver => 'maildir:' . work("out/$name"), after => $case->{after}, folders => [$folder], 'message-max' => '120K' } ];
}
my $conf = settings('cases.conf', { E2E::global(jobs => scalar @accounts) }, @accounts);
my $run  = mailfilter('-c', $conf, '--once');
is($run->{code}, 75, 'one is parked: 75') or diag($run->{err});
$run = mailfilter('-c', $conf, '--once');
my $snapshot = E2E::snapshot(@CASES);
is(mailfilter('-c', $conf, '--once')->{code}, 0, 'the third run ends with 0') or diag($run->{err});
is_deeply(E2E::snapshot(@CASES), $snapshot, 'and changes nothing');
$case{undone}{left} = { read_file(work('undone.uid')) => '\Answered' };
for my $name (@CASES) {
	my $case  = $case{$name};
	my @mails = @{ $mails{$name} };
	my %lost  = map { $_ => 1 } @{ $case->{lost} // [] };
	my $came  = delivered($name);
	my @notices = grep { /\@mailfilter\.invalid>/ } keys %$came;
	delete @$came{@notices};
	is(scalar @notices, 1, "$name: a notice of the large one, and of nothing else");
	is_deeply($came, { map { id($mails[ $_ - 1 ]) => 1 } grep { !$lost{$_} } 1 .. 8 }, "$name: delivered once what was not taken away")
		or diag(read_file(work("$name.commands")));
	my %left = $case->{dropped} ? () : (sha256_hex($case->{large}) => ['\Deleted']);
	if ($case->{left}) {
		$left{ $mails[ $_ - 1 ]{sha256} } = [ $case->{left}{$_} ] for keys %{ $case->{left} };
	} elsif ($case->{after} eq 'keep') {
		$left{ $mails[ $_ - 1 ]{sha256} } = [''] for grep { !$lost{$_} } 1 .. 8;
	}
	is_deeply(content($name, $case->{folder}), \%left, "$name: the folder holds what it should, their marks included")
		or diag(read_file(work("$name.commands")));
	is_deeply(content($name, 'Theirs'), { map { $mails[ $_ - 1 ]{sha256} => [ $case->{theirs}{$_} ] } keys %{ $case->{theirs} // {} } },
		"$name: what they moved is where they moved it");
	if (defined $case->{done}) {
		my %not = map { $_ => 1 } @{ $case->{not_done} // [] };
		is_deeply(content($name, 'Done'), { map { $mails[ $_ - 1 ]{sha256} => [ $case->{done} ] } grep { !$not{$_} } 1 .. 8 },
			"$name: the others are moved, once, with their flags");
	}
	like(read_file(work("$name.commands")), qr/^deed$/m, "$name: the deed was done");
	unlike(read_file(work("$name.commands")), qr/deed failed|^\S+ (?:EXPUNGE|CLOSE)/m, "$name: as it should, and nothing was expunged but by UID");
}

# 2. Killed between delivery and record; a mail program has been at what was shown by then: moved it
# or deleted it. It does not come again.
my %reads = (
	seen    => sub { my ($path) = @_; rename $path, $path =~ s{/new/(.*)}{/cur/$1:2,S}r },
	moved   => sub { my ($path) = @_; rename $path, $path =~ s{/new/(.*)}{/.Archive/cur/$1:2,S}r },
	filed   => sub { my ($path) = @_; rename $path, $path =~ s{/new/(.*)}{/.Archive/cur/filed.$1:2,RS}r },
	deleted => sub { unlink $_[0] },
);

sub everywhere {
	my ($user) = @_;
	my %count;
	$count{ Mail::field(read_file($_), 'message-id') }++ for glob work("out/$user") . '/{new,cur,.Archive/new,.Archive/cur}/*';
	return \%count;
}

for my $deed (@DEEDS) {
	my $user  = "reader-$deed";
	my @mails = map { $corpus->mail('plain', "$user-$_") } 1 .. 6;
	$dovecot->put($user, map { $_->{bytes} } @mails);
	my $conf = settings("$user.conf", { E2E::global() }, E2E::account($dovecot, $user, 'imaps', after => 'delete'));
	mkdir work($_) for 'out', "out/$user", map { "out/$user/$_" } qw(cur new tmp .Archive .Archive/cur .Archive/new .Archive/tmp);
	Faults::with(work("out/$user"), [ 'rename', 5, 'kill' ], sub { mailfilter('-c', $conf, '--once') });
	my @shown = glob work("out/$user/new/*");
	is(scalar @shown, 4, "$deed: killed when four of six were shown and none was recorded");
	my %seen = map { Mail::field(read_file($_), 'message-id') => 1 } @shown;
	$reads{$deed}->($_) for @shown;
	my @read = sort grep { -f } glob work("out/$user") . '/{cur,.Archive/cur}/*';
	is(mailfilter('-c', $conf, '--once')->{code}, 0, "$deed: the next run ends with 0");
	my @there = grep { $deed ne 'deleted' || !$seen{$_} } map { id($_) } @mails;
	is_deeply(everywhere($user), { map { $_ => 1 } @there }, "$deed: each mail came once");
	is_deeply([ sort grep { -f } glob work("out/$user") . '/{cur,.Archive/cur}/*' ], \@read, "$deed: and what was read is where it was put");
	is_deeply([ glob work("out/$user/tmp/*") ], [], "$deed: nothing is left in tmp");
	is_deeply(content($user, 'INBOX'), {}, "$deed: nothing is left on the server");
}

# 3. The storm: nine sessions, three on each account, do what comes into their heads, each with mails
# of its own, while the daemon works, is killed, and --once goes on. About 300 mails. taken: expunged or
# moved away by a client; unsure: the session broke, the server may have done it.
my $rng = Corpus->new("storm-$SEED");
my @FLAGS = ('\Seen', '\Flagged', '\Answered', '$Work', 'Later');
my %box;

# One that is in the folder or will be, with the flags it shows when nobody touches it.
sub known {
	my ($name, $uid, $mail, $session, @flags) = @_;
	push @{ $box{$name}{mails} }, { uid => $uid, mail => $mail, session => $session, flags => { map { $_ => 1 } @flags } };
	return $box{$name}{mails}[-1];
}

sub storm_mail {
	my ($name) = @_;
	my $kind = $rng->number(1, 10);
	return $corpus->mail($kind <= 7 ? 'plain' : $kind <= 9 ? 'text' : 'eicar-zip', "$name-" . ++$box{$name}{made});
}

sub put_mail {
	my ($name, $imap, $folder, @flags) = @_;
	my $mail = storm_mail($name);
	$imap->command(qq(APPEND "$folder" (@flags)), $mail->{bytes});
	my ($uid) = $imap->{last} =~ /APPENDUID \d+ (\d+)/ or die "no APPENDUID: $imap->{last}";
	return ($uid, $mail);
}

sub some_flags {
	return grep { $rng->number(0, 2) == 0 } @FLAGS;
}

for my $name (@STORM) {
	my $imap = client($name);
	for my $i (1 .. 70) {
		my @flags = some_flags();
		known($name, put_mail($name, $imap, 'INBOX', @flags), $i % 3, @flags)->{at_first} = [@flags];
	}
	$box{$name}{large} = $corpus->header("$name-large", 'large') . "\r\n" . "a line of text\r\n" x ($LARGE / 16);
	$imap->command('APPEND "INBOX" (\Deleted \Seen)', $box{$name}{large});
	$imap->close;
	$box{$name}{sessions} = [ map { client($name, 'INBOX') } 1 .. 3 ];
}

# What a client may do with a mail of its own that it has not taken away, or beside that.
my %deed = (
	flag => sub {
		my ($name, $imap, $mail) = @_;
		my ($flag, $set) = ($rng->pick(@FLAGS), $rng->number(0, 2) > 0);
		$imap->command("UID STORE $mail->{uid} " . ($set ? '+' : '-') . "FLAGS ($flag)");
		delete $mail->{flags}{$flag};
		$mail->{flags}{$flag} = 1 if $set;
	},
	mark => sub {
		my ($name, $imap, $mail) = @_;
		return if $name ne 'keep';
		$imap->command("UID STORE $mail->{uid} +FLAGS.SILENT (\\Deleted)");
		$mail->{flags}{'\Deleted'} = 1;
	},
	expunge => sub {
		my ($name, $imap, $mail) = @_;
		$mail->{taken} = 'expunged';
		expunge($imap, $mail->{uid});
	},
	move => sub {
		my ($name, $imap, $mail) = @_;
		$mail->{taken} = 'moved';
		my ($done) = grep { /COPYUID/ } $imap->command("UID MOVE $mail->{uid} Theirs"), $imap->{last};
		$mail->{taken} = 'too late' if !$done;
	},
	append => sub {
		my ($name, $imap, $mail, $session) = @_;
		return if @{ $box{$name}{mails} } >= 100;
		my @flags = some_flags();
		known($name, put_mail($name, $imap, 'INBOX', @flags), $session, @flags);
	},
	theirs => sub {
		my ($name, $imap) = @_;
		my @flags = (some_flags(), '\Deleted');
		my (undef, $mail) = put_mail($name, $imap, 'Theirs', @flags);
		$box{$name}{theirs}{ $mail->{sha256} } = [ join ' ', sort @flags ];
	},
	read => sub {
		my ($name) = @_;
		my @new = glob work("out/$name/new/*");
		$reads{seen}->($_) for @new > 2 ? @new[ 0 .. 2 ] : @new;
	},
);
my @likely = (('flag') x 6, 'mark', 'expunge', 'move', ('append') x 4, 'theirs', ('read') x 2);
my @broke;

sub step {
	my $name    = $rng->pick(@STORM);
	my $session = $rng->number(0, 2);
	my $what    = $rng->pick(@likely);
	my @own     = grep { $_->{session} == $session && !$_->{taken} } @{ $box{$name}{mails} };
	my $mail    = $own[ $rng->number(0, $#own) ];
	return if eval { $deed{$what}->($name, $box{$name}{sessions}[$session], $mail, $session); 1 };
	push @broke, "$name $what: $@";
	$mail->{taken} = $mail->{unsure} = 'unsure';
	$box{$name}{unsure} = 1 if $what =~ /append|theirs/;
	$box{$name}{sessions}[$session] = client($name, 'INBOX');
}

my $storm = settings('storm.conf', { E2E::global(interval => '10s') },
	E2E::account($dovecot, 'keep', 'imaps', after => 'keep', 'message-max' => '120K'),
	E2E::account($dovecot, 'delete', 'imaps', after => 'delete', 'message-max' => '120K'),
	E2E::account($dovecot, 'move', 'imaps', after => 'move:Done', 'message-max' => '120K'));
my ($once, $daemon) = (0, 1);
$run = mailfilter_start('-c', $storm);
for my $step (1 .. $STEPS) {
	step();
	sleep 0.006;
	number_anew($_, 'INBOX') for $step == int($STEPS / 4) || $step == int($STEPS * 3 / 4) ? @STORM : ();
	1 while E2E::more($run, time + 0.0005);
	if ($step == int($STEPS / 2)) {
		kill 'KILL', -$run->{pid};
		finish($run);
		($run, $daemon) = (mailfilter_start('-c', $storm, '--once'), 0);
	}
	# One at least, also where a few steps take less time than a run.
	my $awaited = !$once && $step == int($STEPS * 7 / 8);
	next if $daemon || !$awaited && !$run->{ended} && !($run->{ended} = IO::Select->new($run->{read})->can_read(0) && !E2E::more($run, time + 0.001));
	finish($run);
	$once++;
	$run = mailfilter_start('-c', $storm, '--once');
}
finish($run);
cmp_ok($once, '>=', 1, "$once runs ended while the others were at work");
for my $name (@STORM) {
	eval { $_->close } for @{ $box{$name}{sessions} };
}

$run = mailfilter('-c', $storm, '--once');
ok($run->{code} == 0 || $run->{code} == 75, 'the others stopped, one more run') or diag($run->{err});

# All that is not as promised.
sub storm_problems {
	my ($name) = @_;
	my ($box, @problems) = ($box{$name});
	my $came   = delivered($name);
	my %there  = map { $_ => content($name, $_) } 'INBOX', 'Theirs', $name eq 'move' ? 'Done' : ();
	my %theirs = %{ $box->{theirs} // {} };
	my %clean  = map { $_->{mail}{sha256} => 1 } @{ $box->{mails} };
	for my $mail (@{ $box->{mails} }) {
		my ($id, $sum, $taken) = (id($mail->{mail}), $mail->{mail}{sha256}, $mail->{taken} // '');
		my $what  = "$mail->{mail}{name} uid $mail->{uid} " . ($taken || 'untouched');
		my $count = delete $came->{$id} // 0;
		my %is    = map { $_ => delete($there{$_}{$sum}) // [] } keys %there;
		my $flags = join ' ', sort keys %{ $mail->{flags} };
		push @problems, "$what: delivered $count times" if $count > 1 || ($count == 0 && (!$taken || $taken eq 'too late'));
		next if $mail->{unsure};
		push @problems, "$what: " . @{ $is{Theirs} } . ' in Theirs' if @{ $is{Theirs} } != ($taken eq 'moved' ? 1 : 0);
		push @problems, "$what: " . @{ $is{INBOX} } . ' in INBOX' if @{ $is{INBOX} } != ($name eq 'keep' && !$taken ? 1 : 0);
		push @problems, "$what: " . @{ $is{Done} } . ' in Done' if $is{Done} && !$taken && @{ $is{Done} } != 1;
		push @problems, "$what: flags ($is{INBOX}[0]) instead of ($flags)" if @{ $is{INBOX} } == 1 && $is{INBOX}[0] ne $flags;
	}
	push @problems, 'the large one is gone or changed' if "@{ delete $there{INBOX}{ sha256_hex($box->{large}) } // [] }" ne '\Deleted \Seen';
	for (keys %theirs) {
		my $is = delete $there{Theirs}{$_} // [];
		push @problems, "theirs ($theirs{$_}[0]) is (@$is)" if "@$is" ne $theirs{$_}[0];
	}
	push @problems, map { my $folder = $_; map { "unexpected in $folder: $_" } keys %{ $there{$folder} } } $box->{unsure} ? () : keys %there;
	my @notices = grep { /\@mailfilter\.invalid>/ } keys %$came;
	delete @$came{@notices};
	push @problems, @notices . ' notices' if @notices != 1;
	push @problems, map { "unexpected delivery: $_" } $box->{unsure} ? () : keys %$came;
	return @problems;
}

is_deeply([ storm_problems($_) ], [], "$_: after the storm all is as it should be") for @STORM;
$snapshot = [ E2E::snapshot(@STORM), map { my $name = $_; map { content($name, $_) } 'INBOX', 'Theirs', 'Done' } ('move') ];
$run = mailfilter('-c', $storm, '--once');
is($run->{code}, 0, 'one more run ends with 0') or diag($run->{err});
is_deeply([ E2E::snapshot(@STORM), map { my $name = $_; map { content($name, $_) } 'INBOX', 'Theirs', 'Done' } ('move') ], $snapshot, 'and changes nothing');
diag("SEED=$SEED", map { "\n  $_" } @broke) if !Test::More->builder->is_passing;
done_testing();
