#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The completion for bash offers every option and command that --help names, and no other; accounts
# from the settings, ids from quarantine, files where files are meant. Needs build/mailfilter and
# build/scanner.
use strict;
use warnings;
use Cwd qw(getcwd);
use File::Temp;
use FindBin;
use Test::More;

chdir "$FindBin::Bin/.." or die "chdir: $!\n";
my $root = getcwd();
my $dir  = File::Temp->newdir('mailfilter-XXXXXX', TMPDIR => 1);
$ENV{HOME} = "$dir";
delete $ENV{XDG_CONFIG_HOME};

sub write_file {
	my ($path, $text, $mode) = @_;
	open(my $file, '>', $path) or die "$path: $!\n";
	print $file $text;
	close $file or die "$path: $!\n";
	chmod $mode // 0644, $path;
	return $path;
}

# What is offered for the last of these words.
sub offered {
	my ($function, @words) = @_;
	my $script = 'source "$1/mailfilter.bash-completion"; source "$1/mailfilter-scanner.bash-completion"; f=$2; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "$f"; printf "%s\n" "${COMPREPLY[@]}"';
	open(my $pipe, '-|', 'bash', '-c', $script, 'bash', "$root/conf", $function, @words) or die "bash: $!\n";
	chomp(my @offered = <$pipe>);
	close $pipe;
	return [ sort grep { length } @offered ];
}

sub of_mailfilter {
	return offered('_mailfilter', 'mailfilter', @_);
}

sub options {
	my ($text) = @_;
	my %option = map { $_ => 1 } $text =~ /(?<![\w-])(--?[a-zA-Z][\w-]*)/g;
	return [ sort keys %option ];
}

# --help: the options, and each command's form in the usage, which the next line may continue.
my ($usage, $head, $rest) = `build/mailfilter --help` =~ /\A(.*?)\n\n.*?\n\n(.*?)\n\n(.*)/s;
my %command = map { /mailfilter(?: \[-c FILE\])? ([a-z][\w-]*)(.*)/s ? ($1 => $2) : () } split /\n(?!\s{12})/, $usage;
is_deeply([ sort keys %command ], [ sort $rest =~ /^  ([a-z][\w-]*) /mg ], 'usage and help name the same commands');
cmp_ok(scalar(keys %command), '>', 8, 'commands are found in --help');
is_deeply(of_mailfilter(''), [ sort keys %command ], 'all commands of --help');
is_deeply(of_mailfilter('-'), options($head), 'all options of --help');
is_deeply(of_mailfilter('--check-config', '--c'), [ '--check-config', '--config', '--connect' ], 'those that begin so');
is_deeply(of_mailfilter('-c', 'x.conf', 'st'), [ 'status' ], 'a command behind an option with a value');
is_deeply(of_mailfilter('-c', 'x.conf', '-v', 'quarantine', ''), [ qw(delete expire list release show) ], 'what can be done with quarantine');
is_deeply([ sort split /\|/, $command{quarantine} =~ s/^ (\S+) .*/$1/sr ], of_mailfilter('quarantine', ''), '  as --help says');
for my $name (sort keys %command) {
	my $wanted = options($command{$name});
	# Its own usage says more than its one line here.
	$wanted = [ qw(--account --json) ] if $name eq 'quarantine';
	next if !@$wanted;
	is_deeply(of_mailfilter($name, '-'), $wanted, "$name: its options");
}
my $scanner = `build/scanner --help`;
is_deeply(offered('_mailfilter_scanner', 'mailfilter-scanner', '-c', "$root/LIC"), [ "$root/LICENSE" ], 'files for the scanner');
is_deeply(offered('_mailfilter_scanner', 'mailfilter-scanner', '-'), options($scanner), 'all options of the scanner');

is_deeply(offered('_mailfilter_scanner', 'mailfilter-scanner', '--sweep-quarantine', ''), [ qw(delete list release) ], 'what can be done with its quarantine');
my $swept = write_file("$dir/swept", "#!/bin/sh\n[ \"\$*\" = '-c x.conf --sweep-quarantine list --json' ] || exit 1\n"
	. "echo '{\"id\":\"20261122-0a\",\"path\":\"x\"}'\necho '{\"id\":\"20261123-0b\"}'\n", 0755);
is_deeply(offered('_mailfilter_scanner', $swept, '-c', 'x.conf', '--sweep-quarantine', 'release', ''), [ '20261122-0a', '20261123-0b' ], '  and ids of what is there');
is_deeply(offered('_mailfilter_scanner', $swept, '-c', 'x.conf', '--sweep-quarantine', 'delete', '20261122-0a', '20261123'), [ '20261123-0b' ], '  and more of them');
is_deeply(offered('_mailfilter_scanner', $swept, '-c', 'x.conf', '--sweep-quarantine', 'release', '20261122-0a', '--t'), [ '--to' ], '  and options behind them');

# --- accounts
my $conf = write_file("$dir/my mail.conf", "# account no { }\naccount work {\n}\n\taccount \"home-2\" { deliver = x }\nrule account {\n}\n");
is_deeply(of_mailfilter('-c', $conf, '--account', ''), [ 'home-2', 'work' ], 'accounts of the settings that -c names');
is_deeply(of_mailfilter('--config', '~/my mail.conf', 'why', 'w'), [ 'work' ], '  with a home directory');
is_deeply(of_mailfilter('-c', $conf, $_, ''), [ 'home-2', 'work' ], "  for $_") for qw(why unpark import);
is_deeply(of_mailfilter('-c', $conf, 'import', 'work', ''), [ sort qw(mbsync getmail mpop fetchmail fdm) ], 'programs to import from');
is_deeply(of_mailfilter('-c', "$dir/none", '--account', ''), [], 'no settings: none');

# --- ids
my $stub = write_file("$dir/stub", "#!/bin/sh\n[ \"\$*\" = \"-c $conf quarantine list --json\" ] || exit 1\n"
	. "echo '{\"id\":\"20260101-abc\",\"account\":\"work\",\"subject\":\"{\\\"id\\\":\\\"no\\\"\"}'\necho '{\"id\":\"20260102-def\"}'\n", 0755);
is_deeply(offered('_mailfilter', $stub, '-c', $conf, 'quarantine', 'show', ''), [ '20260101-abc', '20260102-def' ], 'ids of what is in quarantine');
is_deeply(offered('_mailfilter', $stub, '-c', $conf, 'quarantine', 'release', '20260101-abc', '20260102'), [ '20260102-def' ], '  and more of them');

# --- files
write_file("$dir/a b.eml", '');
is_deeply(of_mailfilter('scan', "$dir/a"), [ "$dir/a b.eml" ], 'files, with blanks in their names');
is_deeply(of_mailfilter($_, "$dir/a"), [ "$dir/a b.eml" ], "  for $_") for '-c', 'judge', 'setup', 'keygen';
mkdir "$dir/and";
is_deeply(of_mailfilter('scan', '--output', "$dir/a"), [ "$dir/and" ], 'folders');
like(`bash -c 'source conf/mailfilter.bash-completion; source conf/mailfilter-scanner.bash-completion; complete -p mailfilter mailfilter-scanner'`, qr/-F _mailfilter mailfilter\n.*-F _mailfilter_scanner mailfilter-scanner\n/, 'both programs are known to bash');
SKIP: {
	skip 'no shellcheck', 1 if !grep { -x "$_/shellcheck" } split /:/, $ENV{PATH};
	is(`shellcheck conf/*.bash-completion`, '', 'shellcheck has nothing to say');
}
done_testing();
