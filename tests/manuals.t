#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# What a program takes, what its --help says, and what its manual page says are the same: commands,
# options, exit codes, in both directions. tests/*/test_conf.c holds the settings together likewise.
# Needs build/mailfilter and build/scanner.
use strict;
use warnings;
use FindBin;
use Test::More;

chdir "$FindBin::Bin/.." or die "chdir: $!\n";

sub content {
	my ($path) = @_;
	open(my $file, '<', $path) or die "$path: $!\n";
	return join '', <$file>;
}

sub said {
	my (@command) = @_;
	open(my $pipe, '-|', "@command 2>&1") or die "@command: $!\n";
	my $said = join '', <$pipe>;
	close $pipe;
	return $said;
}

sub section {
	my ($page, $name) = @_;
	return $page =~ /^\.S[hs] \Q$name\E\n(.*?)(?=^\.S[hs] |\z)/ms ? $1 : '';
}

# Every option in some lines of mdoc: "Fl c", "Fl -json", "Fl v | q", "Fl c , Fl -config".
sub options_of_mdoc {
	my ($mdoc) = @_;
	my %options;
	for my $list ($mdoc =~ /\bFl ((?:-?[\w-]+(?: \| )?)+)/g) {
		$options{"-$_"} = 1 for split / \| /, $list;
	}
	return \%options;
}

# Every option in some lines for people: "-c FILE", "[-v|-q]", "--once".
sub options_of_text {
	my ($text) = @_;
	return { map { $_ => 1 } $text =~ /(?<![\w-])(--?[a-zA-Z][\w-]*)/g };
}

# The names in a getopt table.
sub options_of_source {
	my ($path, %not) = @_;
	return { map { $not{$_} ? () : ("--$_" => 1) }
			content($path) =~ /\{ "([\w-]+)", (?:no|required)_argument/g };
}

# The forms in SYNOPSIS: command (or "") => its options, as "-c".
sub synopsis {
	my ($page) = @_;
	my %form;
	for my $form (split /^\.Nm.*\n/m, section($page, 'SYNOPSIS')) {
		next if $form !~ /\S/;
		my ($command) = $form =~ /^\.Cm ([\w-]+)/m;
		my $options = options_of_mdoc($form);
		delete $options->{-c} if defined $command;
		%{ $form{ $command // '' } } = (%{ $form{ $command // '' } // {} }, %$options);
	}
	return \%form;
}

sub is_same {
	my ($got, $expected, $name) = @_;
	return is_deeply([ sort keys %$got ], [ sort keys %$expected ], $name);
}

# Exit codes: ".It 70 , 71" in a manual page.
sub codes_of_mdoc {
	my ($page) = @_;
	return { map { map { $_ => 1 } split / , / } section($page, 'EXIT STATUS') =~ /^\.It (\d+(?: , \d+)*)$/mg };
}

# What both programs have: short and long options, in the help and in the page's list of them.
sub check_options {
	my ($program, $page, %not) = @_;
	my $help = said("build/$program", '--help');
	my ($usage, $rest) = $help =~ /\A(usage: .*?)\n\n(.*)\z/s;
	my ($list) = section($page, 'DESCRIPTION') =~ /^The options are:\n(.*?)^\.El/ms;
	my $listed = options_of_mdoc(join '', $list =~ /^(\.It Fl .*\n)/mg);
	my $explained = options_of_text(join '', $rest =~ /^( {2,6}-.*\n)/mg);

	is_same($explained, $listed, "$program: --help explains the options that the manual page lists");
	is_same({ map { /^--/ ? ($_ => 1) : () } keys %$listed }, options_of_source("$program/main.c", %not),
		"$program: they are those that it takes");
	my ($shorts) = content("$program/main.c") =~ /getopt_long\(argc, argv, "\+:([\w:]+)"/;
	is_same({ map { /^-\w$/ ? ($_ => 1) : () } keys %$listed },
		{ map { $_ => 1 } map { "-$_" } $shorts =~ /(\w)/g }, "$program: short ones likewise");
	return ($usage, $rest);
}

my $page = content('mailfilter/mailfilter.8');
my ($usage, $rest) = check_options('mailfilter', $page);
my $forms = synopsis($page);

# The usage: a line for each form, which the next may continue.
my %used;
for my $line (split /\n(?!\s{12})/, $usage) {
	my ($command, $options) = $line =~ /^(?:usage:| {6}) mailfilter(?: \[-c FILE\])?(?: ([a-z][\w-]*))?(.*)/s;
	$used{ $command // '' }{$_} = 1 for '', keys %{ options_of_text($line) };
}
delete $used{$_}{''} for keys %used;
$_ and delete $used{$_}{-c} for keys %used;

is_same($forms, \%used, 'mailfilter: the usage has the forms of the manual page');
my %commands = map { $_ => 1 } content('mailfilter/main.c') =~ /^\t\{ "([\w-]+)", cmd_\w+, SETTINGS_/mg;
cmp_ok(scalar(keys %commands), '>', 5, 'mailfilter: the commands are found in main.c');
is_same({ map { $_ ? ($_ => 1) : () } keys %$forms }, \%commands, 'mailfilter: they are the commands that there are');
is_same({ map { $_ => 1 } $rest =~ /^ {2}([a-z][\w-]+) {2,}/mg }, \%commands, 'mailfilter: --help explains each');
is_same($used{''}, $forms->{''}, 'mailfilter: the usage has the options of the synopsis');
for my $command (sort keys %commands) {
	my $own = said('build/mailfilter', '-c', 'conf/mailfilter.conf', $command, '--no-such-option');
	my $takes = options_of_source('mailfilter/cmd_' . $command =~ s/-/_/gr . '.c');
	my ($text) = $own =~ /^(usage: .*)/ms;
	my $own_options = options_of_text($text // '');
	delete $own_options->{-c};
	is_same($own_options, $takes, "mailfilter $command: its usage has the options that it takes");
	is_same($forms->{$command}, $takes, "mailfilter $command: the synopsis, too");
	is_same($used{$command}, $takes, "mailfilter $command: --help, too")
		if $command ne 'quarantine'; # which has five forms: its own usage has them
	my %described;
	for my $item (section($page, 'Commands') =~ /^\.It Cm (\Q$command\E\b.*)$/mg) {
		$described{$_} = 1 for '', keys %{ options_of_mdoc($item) };
	}
	ok(delete $described{''}, "mailfilter $command: the manual page describes it");
	$described{'--account'} = 1
		if $command eq 'quarantine' && section($page, 'Commands') =~ /^\.Fl -account Ar name$/m;
	$described{$_} = 1 for grep { section($page, 'Commands') =~ /^\.Fl \Q@{[ substr $_, 1 ]}\E$/m } keys %$takes;
	is_same(\%described, $takes, "mailfilter $command: with its options");
}
my %table = map { $_ => 1 } map { split /, / } content('README.md') =~ /^\| (\d+(?:, \d+)*) \|/mg;
is_same(\%table, codes_of_mdoc($page), 'the README has the exit codes of mailfilter(8)');

$page = content('scanner/mailfilter-scanner.8');
($usage, $rest) = check_options('scanner', $page, 'engine-host' => 1, inspector => 1, 'sweep-walker' => 1); # which it starts itself with
is_same(options_of_text($usage), synopsis($page)->{''}, 'scanner: the usage has the options of the synopsis');
my ($codes) = $rest =~ /^Exit codes: (.*?)\.$/ms;
is_same({ map { $_ => 1 } ($codes // '') =~ /\b(\d+)\b/g }, codes_of_mdoc($page),
	'scanner: --help has the exit codes of the manual page');

# Each metric is described where it comes from.
sub families { return { map { $_ => 1 } map { content($_) =~ /"(mailfilter_\w+)"/g } @_ } }
sub metrics_of_mdoc { return { map { $_ => 1 } map { /(mailfilter_\w+)/g } $_[0] =~ /^\.It Sy (mailfilter_.*)$/mg } }
is_same(metrics_of_mdoc($page), families('common/state_metrics.c'), 'mailfilter-scanner(8) has the metrics that there are');
is_same(metrics_of_mdoc(content('mailfilter/mailfilter.8')), families('mailfilter/numbers.c'), 'mailfilter(8) has its own');

# A page is named after what it is of, and every page that another one names is there.
my %pages = map { m{([^/]+)\.(\d)$} ? ("$1($2)" => $_) : () } glob('mailfilter/*.[1-9] scanner/*.[1-9]');
for my $name (sort keys %pages) {
	my $text = content($pages{$name});
	my ($title, $number) = $name =~ /^(.*)\((\d)\)$/;
	like($text, qr/^\.Dt \Q@{[ uc $title ]}\E $number$/m, "$name: it has this title");
	is_deeply([ grep { /mailfilter|scanner/ && !$pages{$_} } map { "$1($2)" if /^(\S+) (\d)/ } $text =~ /^\.Xr (.*)/mg ],
		[], "$name: it names no page of ours that is not there");
}
for my $path (glob('README.md conf/* mailfilter/main.c scanner/main.c')) {
	is_deeply([ grep { /mailfilter|scanner/ && !$pages{$_} } content($path) =~ /([\w.-]+\(\d\))/g ], [],
		"$path: it names no page that is not there");
}
done_testing();
