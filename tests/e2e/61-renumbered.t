#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# Servers that number a folder anew (another UIDVALIDITY): put back from a copy, deleted and made
# again, by hand. What was delivered is not delivered again, what came meanwhile is, once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Test::More;
use Corpus;
use E2E;

my $dovecot = Dovecot->new(dir => work('dovecot'), users => { anew => 'sesame' });
my $corpus  = Corpus->new('anew');
my $count   = 0;
my $mail    = sub { $corpus->mail($_[0], sprintf 'anew%02d', $count++) };
my @mails   = map { $mail->($_) } @Corpus::CLEAN, @Corpus::INFECTED;
my $maildir = work('dovecot') . '/mail/anew/Maildir';
$dovecot->put('anew', map { $_->{bytes} } @mails);

my $conf = settings('mailfilter.conf', { E2E::global('message-max' => '1M') },
	E2E::account($dovecot, 'anew', 'imaps', folders => [ 'INBOX', 'Work' ]));

# The index lost, as when a mailbox is put back from a copy: new UIDs in an order of their own.
sub lose_index {
	my (@folders) = @_;
	$dovecot->stop;
	sleep 1;    # UIDVALIDITY is the time in seconds
	unlink map { glob "$_/dovecot*" } @folders;
	$dovecot->start or die $dovecot->log;
}

sub uidvalidity {
	my $imap = $dovecot->imap('anew');
	my ($line) = grep { /UIDVALIDITY (\d+)/ } $imap->command('EXAMINE "INBOX"');
	$imap->close;
	return $line =~ /UIDVALIDITY (\d+)/ ? $1 : 0;
}

sub run_once {
	my ($what) = @_;
	my $run = mailfilter('-c', $conf, '--once');
	is_deeply([ E2E::problems('anew', [ served($dovecot, 'anew'), work_folder() ], \@mails) ], [],
		"$what: each mail is there once, and nothing else");
	return $run;
}

# What stands in the folder Work, made with this if it is not there.
sub work_folder {
	my (@new) = @_;
	my $imap = $dovecot->imap('anew');
	eval { $imap->command('CREATE "Work"') };
	$imap->append('Work', $_->{bytes}) for @new;
	my @found = $imap->messages('Work');
	$imap->close;
	return @found;
}

push @mails, my @work = map { $mail->($_) } 'plain', 'attachment', 'eicar-zip';
work_folder(@work);
# One that is too large, and so parked with a notice.
my $large = $corpus->header('large', 'too large') . "\r\n" . "text\r\n" x 200_000;
$dovecot->put('anew', $large);

scanner_start();
my $run = mailfilter('-c', $conf, '--once');
is($run->{code}, 75, 'one is parked: 75');
my %file    = maildir('anew');
my ($notice) = grep { ($file{$_} =~ /message-max/) } keys %file;
ok(defined $notice, 'with a notice');
unlink glob work("out/anew/new/$notice");
my $old = uidvalidity();

lose_index($maildir);
push @mails, my @new = map { $mail->($_) } 'plain', 'eicar-zip';
$dovecot->put('anew', map { $_->{bytes} } @new);
$run = run_once('put back');
isnt(uidvalidity(), $old, 'the server numbers anew');
is($run->{code}, 0, 'nothing is parked again: 0') or diag($run->{err});
like($run->{err}, qr/folder=INBOX the server numbers its messages anew uidvalidity=\d+ was=$old/, 'the log says so');
like("$run->{out}$run->{err}", qr/anew: 2 new, 1 infected/, 'two are new');
$run = run_once('put back, run again');
like("$run->{out}$run->{err}", qr/anew: nothing new/, 'then there is nothing new');

# By hand, the UIDs as they were.
my $kept = uidvalidity();
my $done = Dovecot::command(work('doveadm.log'), 'doveadm', '-c', work('dovecot') . '/dovecot.conf', 'mailbox',
	'update', '-u', 'anew', '--uid-validity', $kept + 1000, 'INBOX');
ok($done, 'doveadm changes the UIDVALIDITY') or diag(read_file(work('doveadm.log')));
$run = run_once('changed by hand');
like("$run->{out}$run->{err}", qr/anew: nothing new/, 'nothing is new');

# A folder deleted and made again, with what was in it and more; two equal mails.
push @mails, my $more = $mail->('attachment');
my $imap = $dovecot->imap('anew');
$imap->command('DELETE "Work"');
$imap->close;
sleep 1;
work_folder(@work, $more);
$run = run_once('deleted and made again');
like("$run->{out}$run->{err}", qr/anew: 1 new/, 'the one that was not there before is new');

# In the middle of the matching the process is killed: the next goes on.
lose_index($maildir, "$maildir/.Work");
$run = E2E::mailfilter_start('-c', $conf, '--once');
wait_line($run, qr/numbers its messages anew/, 1);
kill 'KILL', -$run->{pid};
finish($run);
run_once('killed while matching');
done_testing();
