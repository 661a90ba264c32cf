#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The sweep as a service: what the unit keeps from it, and that each of the two drop-ins gives it what
# it says and no more. What is missing, and which drop-in helps, is told.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Booted;
use Corpus;
use JSON::PP qw(decode_json);
use Test::More;

my $EICAR   = Corpus::eicar();
my $DROPINS = '/etc/systemd/system/mailfilter-scanner.service.d';
my $FIND    = '/home/alice/private/eicar.com';
my $PATIENCE_S = 120;    # at its priority the sweep gets nothing while others are busy

sub install_dropin {
	my ($name) = @_;
	mkdir $DROPINS;
	output('cp', "/usr/share/doc/mailfilter/$name", $DROPINS);
	ok(systemctl('daemon-reload') && systemctl('restart', 'mailfilter-scanner'), "with $name the scanner starts");
}

sub report {
	my $json = output('mailfilter-scanner', '-q', '--sweep-report', '--json');
	return $json =~ /^\{/ ? decode_json($json) : { pass => 0 };
}

# Of a full pass that began after now, or since there was none.
sub full_pass {
	my $from = report()->{pass};
	my $report;
	wait_until('a full pass', sub { $report = report(); $report->{pass} > $from && $report->{done} }, $PATIENCE_S);
	return $report;
}

sub find {
	my ($report, $path) = @_;
	return (grep { $_->{path} eq $path } @{ $report->{finds} })[0];
}

# Capabilities of the processes of the service: "EFFECTIVE BOUNDING" => how many.
sub capabilities {
	my %seen;
	for my $pid (split ' ', slurp('/sys/fs/cgroup' . show('mailfilter-scanner', 'ControlGroup') . '/cgroup.procs')) {
		my ($effective) = slurp("/proc/$pid/status") =~ /^CapEff:\s*(\w+)$/m or next;
		$seen{ hex $effective }++;
	}
	return \%seen;
}

sub plant {
	output('useradd', '--create-home', '--user-group', 'alice');
	output('install', '-d', '-m', '700', '-o', 'alice', '/home/alice/private', '/home/alice');
	spew($FIND, $EICAR, 0600, 'alice');
	output('install', '-d', '-m', '1777', '/srv/all');
	spew('/srv/all/eicar.com', $EICAR, 0644, 'alice');
	spew('/usr/local/eicar.com', $EICAR, 0644);
	select undef, undef, undef, 0.1;    # not recent any more
}

Booted::run(175, sub {
	output('systemd-tmpfiles', '--create', 'mailfilter.conf');
	mkdir '/etc/mailfilter';
	make_scanner(qq(sweep = { "/home", "/srv/all", "/usr/local" }\nsweep-cross = yes\nsweep-interval = "1s"\n)
		. qq(sweep-quarantine = "/var/lib/mailfilter-scanner/quarantine"\n));
	plant();

	ok(systemctl('start', 'mailfilter-scanner'), 'the scanner starts as it is shipped');
	my $report = full_pass();
	is(find($report, $FIND), undef, 'it does not see into homes');
	cmp_ok($report->{last}{unreadable}, '>=', 1, 'and says that there is something that it may not read');
	like(output('mailfilter-scanner', '-q', '--sweep-report'), qr/mailfilter-scanner-sweep-read\.conf/, 'and what gives it that');
	is(find($report, '/srv/all/eicar.com')->{verdict}, 'infected', 'what all may read it scans');
	like(find($report, '/srv/all/eicar.com')->{detail}, qr/^not moved: .*mailfilter-scanner-sweep-write\.conf/, 'what it finds there it may not move, and says what lets it');

	install_dropin('mailfilter-scanner-sweep-read.conf');
	full_pass();
	$report = full_pass();
	is((find($report, $FIND) // {})->{verdict}, 'infected', 'with the one drop-in it reads the files of others');
	like((find($report, $FIND) // {})->{detail}, qr/^not moved: .*mailfilter-scanner-sweep-write\.conf/, 'and cannot move them');
	is($report->{last}{unreadable}, 0, 'there is nothing left that it may not read');
	ok(-e $FIND, 'it is there');
	my $seen = capabilities();
	is_deeply([ grep { $_ != 0 && $_ != 1 << 2 } keys %$seen ], [], 'nobody may do more than read') or diag(explain($seen));
	ok($seen->{0}, 'and workers not even that');

	install_dropin('mailfilter-scanner-sweep-write.conf');
	wait_until('it is moved', sub { !-e $FIND && !-e '/srv/all/eicar.com' }, $PATIENCE_S);
	pass('with the other it moves them');
	ok(-e '/usr/local/eicar.com', 'but not from where it is not said');
	$report = full_pass();
	like((find($report, '/usr/local/eicar.com') // {})->{detail}, qr/^not moved: .*Read-only file system: .*mailfilter-scanner-sweep-write\.conf/, 'and tells why');
	ok(capabilities()->{0}, 'workers still may do nothing');

	my %items = map { my $item = decode_json($_); ($item->{path} => $item) } split /\n/, output('mailfilter-scanner', '-q', '--sweep-quarantine', 'list', '--json');
	is_deeply([ sort keys %items ], [ $FIND, '/srv/all/eicar.com' ], 'root lists them');
	my $said = output('mailfilter-scanner', '-q', '--sweep-quarantine', 'release', $items{$FIND}{id});
	is("$? $said", "0 $items{$FIND}{id}: released $FIND\n", 'and puts one back');
	is(sprintf('%o %s', (stat $FIND)[2] & 07777, (stat _)[4]), '600 ' . (getpwnam 'alice')[2], 'to its owner');
	full_pass();
	$report = full_pass();
	ok(-e $FIND, 'where the sweep leaves it');
	is((find($report, $FIND) // {})->{detail}, "not moved: released from quarantine as $items{$FIND}{id}", 'knowing why');
	ok(systemctl('stop', 'mailfilter-scanner'), 'it stops');
});
