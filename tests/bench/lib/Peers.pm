# SPDX-License-Identifier: ISC
#
# What people glue together today to fetch mail, have clamd look at it and deliver it to a Maildir:
# each as its manual says. All of them put nothing that was found into the inbox. A peer is made from
# { dir => a folder of the run's own, user, imap => PORT, pop3 => PORT, clamd => settings, owner and group
# => of one who is not root; plain => 1: fdm and fetchmail scan nothing } and gives
# the command, the exit codes that mean success, and the Maildir.
package Peers;
use strict;
use warnings;
use File::Path qw(make_path);
use E2E;

our $PASSWORD = 'sesame';

sub maildirs {
	my ($dir, @names) = @_;
	make_path(map { my $name = $_; map { "$dir/$name/$_" } qw(cur new tmp) } @names);
}

sub clamdscan {
	my ($at) = @_;
	return "clamdscan -c $at->{clamd} --quiet --no-summary";
}

# A delivery agent for those who have no Maildir or no filter: scan the file, then show it.
sub agent {
	my ($at) = @_;
	my $scan = $at->{plain} ? 'true' : clamdscan($at) . ' --fdpass';
	maildirs($at->{dir}, qw(inbox infected));
	return write_file("$at->{dir}/deliver", <<"END", 0755);
#!/bin/sh
cd $at->{dir} || exit 75
name=\$(mktemp inbox/tmp/XXXXXXXXXX) || exit 75
cat >"\$name" || exit 75
$scan "\$name"
case \$? in
0) mv "\$name" inbox/new/ ;;
1) mv "\$name" infected/new/ ;;
*) rm -f "\$name"; exit 75 ;;
esac
END
}

sub fdm {
	my ($at) = @_;
	maildirs($at->{dir}, qw(inbox infected));
	my $user = getpwuid $>;
	my $scan = $at->{plain} ? '' : 'match pipe "' . clamdscan($at) . ' -" returns (1, ) action "infected"';
	my $conf = write_file("$at->{dir}/fdm.conf", <<"END", 0600);
set lock-file "$at->{dir}/lock"
set default-user "$user"
account "a" imap server "127.0.0.1" port $at->{imap} user "$at->{user}" pass "$PASSWORD"
action "inbox" maildir "$at->{dir}/inbox"
action "infected" maildir "$at->{dir}/infected"
$scan
match all action "inbox"
END
	return ([ 'fdm', '-k', '-f', $conf, 'fetch' ], [0], "$at->{dir}/inbox");
}

sub fetchmail {
	my ($at) = @_;
	my $agent = agent($at);
	my $user  = getpwuid $>;
	my $conf  = write_file("$at->{dir}/fetchmailrc", <<"END", 0600);
set no bouncemail
poll 127.0.0.1 protocol IMAP port $at->{imap} auth password
	user "$at->{user}" password "$PASSWORD" is "$user" here
	keep fetchall sslproto '' mda "$agent"
END
	return ([ 'fetchmail', '-s', '-f', $conf, '--pidfile', "$at->{dir}/pid", '--idfile', "$at->{dir}/ids" ],
		[0], "$at->{dir}/inbox");
}

# It refuses to deliver as root. Where its child ends before it waits, it waits until the time-out and
# gives up: a short one, for such a run is repeated.
sub getmail {
	my ($at) = @_;
	maildirs($at->{dir}, 'inbox');
	write_file("$at->{dir}/getmailrc", <<"END", 0600);
[retriever]
type = SimpleIMAPRetriever
server = 127.0.0.1
port = $at->{imap}
timeout = 10
username = $at->{user}
password = $PASSWORD
[destination]
type = Maildir
path = $at->{dir}/inbox/
[filter-virus]
type = Filter_classifier
path = /usr/bin/clamdscan
arguments = ("--config-file=$at->{clamd}", "--stdout", "--no-summary", "--infected", "-")
exitcodes_drop = (1, )
[options]
verbose = 0
read_all = True
delete = False
END
	my @as;
	if ($> == 0) {
		chown $at->{owner}, $at->{group}, $at->{dir}, glob "$at->{dir}/getmailrc $at->{dir}/inbox $at->{dir}/inbox/*";
		@as = ('setpriv', "--reuid=$at->{owner}", "--regid=$at->{group}", '--clear-groups');
	}
	return ([ @as, 'getmail', '--getmaildir', $at->{dir}, '--rcfile', "$at->{dir}/getmailrc", '-q' ], [0], "$at->{dir}/inbox");
}

sub mpop {
	my ($at) = @_;
	my $agent = agent($at);
	my $conf  = write_file("$at->{dir}/mpoprc", <<"END", 0600);
account a
host 127.0.0.1
port $at->{pop3}
tls off
auth user
user $at->{user}
password $PASSWORD
keep on
uidls_file $at->{dir}/uidls
delivery mda "$agent"
END
	return ([ 'mpop', '-q', '-C', $conf, 'a' ], [0], "$at->{dir}/inbox");
}

# mbsync's settings for latency.pl, too.
sub mbsyncrc {
	my ($dir, $port, $user) = @_;
	make_path("$dir/box");
	return write_file("$dir/rc", <<"END", 0600);
IMAPAccount b
Host 127.0.0.1
Port $port
User $user
Pass $PASSWORD
SSLType None
AuthMechs LOGIN

IMAPStore far
Account b

MaildirStore near
Path $dir/
Inbox $dir/box/INBOX

Channel c
Far :far:
Near :near:
Patterns INBOX
Sync Pull
Create Near
SyncState *
END
}

# One clamdscan for all that came; until it is done infected mail lies in the inbox.
sub mbsync {
	my ($at) = @_;
	my $conf = mbsyncrc($at->{dir}, $at->{imap}, $at->{user});
	make_path("$at->{dir}/infected");
	my $inbox = "$at->{dir}/box/INBOX";
	return ([ 'sh', '-c', "mbsync -q -c $conf c && " . clamdscan($at)
		. " --multiscan --fdpass --move=$at->{dir}/infected $inbox/new" ], [ 0, 1 ], $inbox);
}

1;
