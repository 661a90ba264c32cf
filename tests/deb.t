#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# "make deb": both packages are built, lintian finds nothing wrong, and what "make install" installs is in
# them, each file in one. With LONG, that a second build gives the same bytes. How they live and die is
# e2e/95-deb.t's.
use strict;
use warnings;
use File::Find;
use File::Temp;
use FindBin;
use Test::More;

chdir "$FindBin::Bin/.." or die "chdir: $!\n";
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL DESTDIR PREFIX)};
$ENV{LC_ALL} = 'C';
my %NEEDED = (dh => 'debhelper', 'dpkg-buildpackage' => 'dpkg-dev', lintian => 'lintian');
for my $program (sort keys %NEEDED) {
	plan(skip_all => "$program is missing (Debian package $NEEDED{$program})") if !grep { -x "$_/$program" } split /:/, $ENV{PATH};
}
my @PACKAGES = qw(mailfilter-av mailfilter-av-scanner);

# What a command says on both its outputs, and in $? its status.
sub output {
	my $pid = open(my $pipe, '-|') // die "fork: $!\n";
	if (!$pid) {
		open(STDERR, '>&', \*STDOUT);
		exec { $_[0] } @_ or die "$_[0]: $!\n";
	}
	my $said = join '', <$pipe>;
	close $pipe;
	return $said;
}

sub content {
	my ($path) = @_;
	open(my $file, '<', $path) or die "$path: $!\n";
	return join '', <$file>;
}

# Every file below a folder, by its path there.
sub files {
	my ($under) = @_;
	my @files;
	find({ no_chdir => 1, wanted => sub { push @files, substr $_, length $under if !-d } }, $under);
	return sort @files;
}

my ($version) = content('Makefile') =~ /^VERSION := (\S+)$/m;
chomp(my $architecture = output('dpkg', '--print-architecture'));

# The paths of both packages, by name.
sub build {
	my ($dir) = @_;
	my $log = output('make', 'deb', "DEB=$dir");
	is($?, 0, 'make deb') or BAIL_OUT(substr $log, -2000);
	open(my $file, '>', "$dir/log") or die "log: $!\n";
	print $file $log;
	close $file;
	my %path = map { $_ => "$dir/${_}_$version-1_$architecture.deb" } @PACKAGES;
	is_deeply([ sort glob "$dir/*.deb" ], [ sort values %path ], 'these packages, of the version that the Makefile says');
	return %path;
}

my $dir = File::Temp->newdir('mailfilter-XXXXXX', TMPDIR => 1);
my $before = join '', map { "$_\n" } grep { !m{^/\.git} } files('.');
my %path = build("$dir");
is(join('', map { "$_\n" } grep { !m{^/(?:\.git|build/)} } files('.')), $before =~ s{^/build/.*\n}{}gmr, 'nothing is written beside build/');

my @hints = grep { /^[EW]:/ } split /\n/, output('lintian', '--allow-root', glob "$dir/deb/*.changes");
is_deeply(\@hints, [], 'lintian has no errors and no warnings');
SKIP: {
	skip('blhc is missing (Debian package blhc)', 1) if !-x '/usr/bin/blhc';
	my $said = output('blhc', '--all', "$dir/log");
	is("$? $said", '0 ', 'everything is compiled as Debian wants it hardened');
}
unlike(content("$dir/log"), qr/\bwarning: /, 'and without a warning');

# Of both: files by their path, and what is said of them.
my (%in, %field);
for my $package (@PACKAGES) {
	output('dpkg-deb', '--raw-extract', $path{$package}, "$dir/$package");
	$in{$_}{$package} = 1 for grep { !m{^/DEBIAN/} } files("$dir/$package");
	$field{$package} = { content("$dir/$package/DEBIAN/control") =~ /^(\S+): (.*)$/mg };
	is($field{$package}{Version}, "$version-1", "$package: its version");
	for my $script (grep { -e } glob "$dir/$package/DEBIAN/{pre,post}{inst,rm}") {
		is(output('sh', '-n', $script), '', "$package: a script that a shell reads: " . $script =~ s{.*/}{}r);
	}
	like(output('zcat', "$dir/$package/usr/share/doc/$package/changelog.Debian.gz"), qr/\Amailfilter-av \(\Q$version\E-1\) /, "$package: what changed");
	like(content("$dir/$package/usr/share/doc/$package/copyright"), qr/^License: ISC$/m, "$package: its licence");
	ok(-s "$dir/$package/usr/share/doc/$package/README.Debian", "$package: what to do first");
}
is_deeply([ grep { keys %{ $in{$_} } > 1 } sort keys %in ], [], 'each file is in one package');

output('make', '-s', 'install', "DESTDIR=$dir/installed", 'PREFIX=/usr');
for my $file (files("$dir/installed")) {
	my $there = $file =~ s{^/usr(/lib/systemd/system/)}{$1}r;
	$there =~ s{^(/usr/share/man/.*)}{$1.gz};
	$there =~ s{^/usr/share/doc/mailfilter/scanner\.conf$}{/etc/mailfilter/scanner.conf};
	$there =~ s{^/usr/share/doc/mailfilter/(?=mailfilter-scanner)}{/usr/share/doc/mailfilter-av-scanner/examples/};
	$there =~ s{^/usr/share/doc/mailfilter/(README\.md)$}{/usr/share/doc/mailfilter-av/$1.gz};
	$there =~ s{^/usr/share/doc/mailfilter/}{/usr/share/doc/mailfilter-av/examples/};
	my $package = $file =~ /scanner/ ? 'mailfilter-av-scanner' : 'mailfilter-av';
	ok($in{$there}{$package}, "$there is in $package");
	delete $in{$there};
}
is_deeply([ grep { !m{^/usr/share/(?:doc/[^/]+/(?:README\.Debian|changelog\.Debian\.gz|copyright)|lintian/overrides/[^/]+)$} } sort keys %in ],
	['/usr/lib/sysusers.d/mailfilter-av-scanner.conf'], 'besides, there is just the user of the scanner');
is(content("$dir/mailfilter-av-scanner/usr/lib/sysusers.d/mailfilter-av-scanner.conf"),
	(content('conf/mailfilter.sysusers') =~ /^(u mailfilter-scanner .*\n)/m)[0], 'whom both packages make alike');
is(content("$dir/mailfilter-av-scanner/DEBIAN/conffiles"), "/etc/mailfilter/scanner.conf\n", 'the settings of the scanner are the administrator\'s');
ok(!-e "$dir/mailfilter-av/DEBIAN/conffiles", 'of mailfilter there are none');

is($field{'mailfilter-av'}{Conflicts}, 'mailfilter', 'Debian\'s own mailfilter cannot be there, too');
unlike($field{'mailfilter-av'}{Depends}, qr/libclamav/, 'mailfilter works without libclamav');
unlike($field{'mailfilter-av-scanner'}{Depends}, qr/libetpan|sqlite/, 'the scanner without what fetches mail');
like($field{'mailfilter-av-scanner'}{Recommends}, qr/\bclamav-freshclam\b/, 'and has its signatures brought');

# What make installs to build is what the package says it is built with.
my ($build) = content('tests/deps.sh') =~ /^build="(.*?)"$/ms;
my ($depends) = content('conf/debian/control') =~ /^Build-Depends:\n((?: .*\n)+)/m;
is_deeply([ grep { !/^(?:debhelper-compat|dh-sequence)/ } sort $depends =~ /^ ([\w.-]+)/mg ],
	[ grep { !/^(?:gcc|libc6-dev|make)$/ } sort split ' ', $build ], 'the same is needed to build by hand');

if ($ENV{LONG}) {
	my $elsewhere = File::Temp->newdir('mailfilter-another-XXXXXX', TMPDIR => 1);
	my %again = build("$elsewhere");
	ok(content($again{$_}) eq content($path{$_}), "$_: built elsewhere, it is the same to the byte") for @PACKAGES;
}
done_testing();
