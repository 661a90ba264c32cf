# SPDX-License-Identifier: ISC
#
# Every source by every destination, as cases for faults: each case is an account of its own with a
# few mails, and can say what is not as promised for it.
package Matrix;
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use File::Path qw(make_path);
use Corpus;
use Destination;
use E2E qw(work settings maildir quarantine write_file read_file);
use Faults;
use Inplace;
use Mail;

my @KINDS = qw(plain attachment eicar-attachment);
my %TWICE = map { $_ => 1 } qw(lmtp smtp pipe);    # what cannot be asked what it has

# new(name => of the combination, source => imap, pop3 or maildir, to => maildir, mbox, lmtp, smtp, pipe
# or inplace, dovecot =>, smtp => a destination that splits, corpus =>)
sub new {
	my ($class, %option) = @_;
	return bless { %option, next => 0, twice => $TWICE{ $option{to} } }, $class;
}

# The names of users that the cases need, for so many of them.
sub users {
	my ($name, $source, $to, $count) = @_;
	return map { my $n = $_; ($source eq 'maildir' ? () : "$name-$n", $to eq 'lmtp' ? "to-$name-$n" : ()) } 0 .. $count - 1;
}

# What is in a Maildir, as the server would give it.
sub read_maildir {
	my ($path) = @_;
	return map { $_ => read_file($_) =~ s/\r?\n/\r\n/gr } glob "$path/new/* $path/cur/*";
}

sub destination {
	my ($self, $name) = @_;
	my $to = $self->{to};
	return { deliver => { deliver => 'maildir:' . work("out/$name") } } if $to eq 'maildir';
	return { deliver => { deliver => 'inplace' } } if $to eq 'inplace';
	return Destination::mbox($name)    if $to eq 'mbox';
	return Destination::command($name) if $to eq 'pipe';
	my $user = "to-$name";
	return { deliver => { %{ $self->{smtp}{deliver} }, recipient => "$user\@example.org" },
		read => sub { $self->{smtp}{read}->($user) } } if $to eq 'smtp';
	my $box = "$self->{dovecot}{dir}/mail/$user/Maildir";
	return { deliver => { deliver => "lmtp://127.0.0.1:$self->{dovecot}{port}{lmtp}", recipient => $user },
		read => sub { my %mail = read_maildir($box); map { $_ => Destination::without_trace($mail{$_} =~ s/\r\n/\n/gr) =~ s/\n/\r\n/gr } keys %mail } };
}

sub source_folder {
	my ($self, $name) = @_;
	return $self->{source} eq 'maildir' ? work("in/$name") : "$self->{dovecot}{dir}/mail/$name/Maildir";
}

# The combinations are worked on side by side.
sub state_dir {
	my ($self) = @_;
	return work("state-$self->{name}");
}

# A case with its mails put there.
sub fresh {
	my ($self) = @_;
	my $name  = "$self->{name}-" . $self->{next}++;
	my @mails = map { $self->{corpus}->mail($_, "$name-$_") } @KINDS;
	my $case  = { name => $name, mails => \@mails };
	$E2E::state_dir{$name} = $self->state_dir;
	my $to    = $self->destination($name);
	my %more  = (tls => 'none', %{ $to->{deliver} });
	$more{after} = 'delete' if $self->{to} ne 'inplace';
	$E2E::reader{$name} = $to->{read} if $to->{read};
	if ($self->{source} eq 'maildir') {
		make_path(map { work("in/$name/$_") } qw(cur new tmp));
		write_file(work("in/$name/new/$_.test"), $mails[$_]{bytes}) for 0 .. $#mails;
		delete $more{tls};
		$case->{account} = [ $name, { source => 'maildir:' . work("in/$name"), %more } ];
	} elsif ($self->{to} eq 'inplace') {
		my $imap = $self->{dovecot}->imap($name);
		fill($imap, 'INBOX', @mails);
		$case->{before} = look($imap, 'INBOX');
		$imap->close;
		$case->{account} = E2E::account($self->{dovecot}, $name, 'imap', %more);
	} else {
		$self->{dovecot}->put($name, map { $_->{bytes} } @mails);
		$case->{account} = E2E::account($self->{dovecot}, $name, $self->{source}, %more);
	}
	$case->{conf} = settings("conf/$name.conf", { E2E::global('state-dir' => $self->state_dir) }, $case->{account});
	return $case;
}

# The mails that are on the server, in place or not: SHA-256 => how often.
sub on_server {
	my ($self, $case) = @_;
	my %count;
	my %file = read_maildir($self->source_folder($case->{name}));
	$count{ sha256_hex($_) }++ for values %file;
	return %count;
}

# A reader of a Maildir deletes what is new, as some do at once; it is not to come again. Only what it
# saw counts as there then.
sub reader_deletes {
	my ($self, $case) = @_;
	for my $path (glob work("out/$case->{name}/new/*")) {
		$case->{seen}{ Mail::field(read_file($path), 'message-id') }++;
		unlink $path or die "$path: $!\n";
	}
}

sub came_of {
	my ($self, $case) = @_;
	my @problems = E2E::problems($case->{name}, $case->{mails}, $case->{mails});
	for my $mail (@{ $case->{mails} }) {
		my $seen = $case->{seen}{ Mail::field($mail->{bytes}, 'message-id') } or next;
		my $what = "$mail->{name} ($mail->{kind})";
		push @problems, "$what: comes again after it was deleted" if !grep { $_ eq "$what: delivered 0 times" } @problems;
		@problems = grep { $_ ne "$what: delivered 0 times" } @problems;
	}
	return @problems;
}

# What is not as promised once all is over, after as many crashes as the case had.
sub problems {
	my ($self, $case) = @_;
	my @problems;
	if ($self->{to} eq 'inplace') {
		my %kept = quarantine($case->{name});
		my $imap = $self->{dovecot}->imap($case->{name});
		@problems = not_as_promised($case->{before}, look($imap, 'INBOX'), sub { $kept{ $_[0] } }, @{ $case->{mails} });
		$imap->close;
		push @problems, 'an original is kept ' . keys(%kept) . ' times' if keys %kept != 1;
		return @problems;
	}
	@problems = $self->came_of($case);
	push @problems, 'mail is left on the server' if $self->on_server($case);
	return @problems if !$self->{twice};
	my $repeats = 0;
	$repeats += $_ - 1 for map { /delivered ([2-9]) times/ ? $1 : () } @problems;
	@problems = grep { !/delivered [2-9] times/ } @problems;
	push @problems, "$repeats repeats after $case->{crashes} crashes" if $repeats > $case->{crashes};
	return @problems;
}

# What is wrong after a run in which something failed or that was killed, whatever comes next.
sub wrong_now {
	my ($self, $case) = @_;
	my %left = $self->on_server($case);
	my %kept = quarantine($case->{name});
	my %file = $self->{to} eq 'inplace' ? read_maildir($self->source_folder($case->{name})) : maildir($case->{name});
	my %here = map { sha256_hex($_) => 1 } values %file;
	my %known = map { $_->{sha256} => 1 } @{ $case->{mails} };
	my @wrong;
	for my $mail (@{ $case->{mails} }) {
		push @wrong, "$mail->{kind} is lost" if !$left{ $mail->{sha256} } && !$here{ $mail->{sha256} } && !$kept{ $mail->{sha256} };
	}
	return @wrong if $self->{to} eq 'inplace' || $self->{to} eq 'mbox';
	push @wrong, 'half a mail is delivered' if grep { !$known{ sha256_hex($_) } && !/^X-Virus-Status:/mi } values %file;
	push @wrong, 'EICAR is delivered' if grep { Mail::eicar_everywhere($_) } values %file;
	return @wrong;
}

# What is there, to see that one more run changes nothing.
sub state_of {
	my ($self, $case) = @_;
	my $here  = E2E::snapshot($case->{name});
	my %left = $self->on_server($case);
	return join ' ', (map { "$_=$here->{$_}" } sort keys %$here), map { "$_*$left{$_}" } sort keys %left;
}

# How many calls the last run made, which of them was the first that had to do with mail, and the
# first of each kind: what is done, to what kind of file.
sub transitions {
	my ($self, $base) = @_;
	my ($n, $begins, %first) = (0);
	for (Faults::traced()) {
		my ($call, $path) = @$_;
		my $kind = join '/', map { s/\Q$base\E//gr =~ s/[0-9][0-9A-Za-z]*/#/gr } grep { length } (split m{/}, $path)[ -2, -1 ];
		$n++;
		$first{"$call $kind"} //= $n;
		$begins //= $n if $kind =~ /^network|^quarantine.*tmp/;
	}
	return ($n, $begins // $n, sort { $a <=> $b } values %first);
}

1;
