#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# The scanner's temp folder is full, of bytes or of inodes: while it serves, and when it is started.
# Nothing passes meanwhile, nothing is given up in a moment, and once there is room all goes on at
# once, however long it was full.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes qw(time);
use Again;
use Corpus;
use E2E;

Again::with_mounts();

my $FULL_S = 4;
my $SOON_S = 6; # a loaded machine has time, what waits longer each time has not
my $temp   = work('scanner.tmp');
my $conf   = settings('mailfilter.conf', { E2E::global() });
my $corpus = Corpus->new('scanner full');
my @files  = map { my $kind = $_; map { write_file(work("$kind-$_.eml"), $corpus->mail($kind, "$kind-$_")->{bytes}) } 1 .. 8 }
	qw(text attachment eicar-zip eicar-nested);

mkdir $temp, 0700;
system('mount', '-t', 'tmpfs', '-o', 'size=64m,nr_inodes=3000,mode=0700', 'none', $temp) == 0 or die "mount\n";

my %FILL = (
	bytes => sub {
		open(my $file, '>', "$temp/fill") or die "$temp/fill: $!\n";
		my $zeros = "\0" x 65_536;
		1 while syswrite $file, $zeros;
	},
	inodes => sub {
		mkdir "$temp/inodes";
		my $n = 0;
		while (open(my $file, '>', "$temp/inodes/$n")) { $n++ }
	},
);

sub make_room {
	unlink "$temp/fill", glob "$temp/inodes/*";
	rmdir "$temp/inodes";
}

# All that is not as it must be.
sub wrong {
	my ($run) = @_;
	my (@wrong, %seen);
	for (map { decode_json($_) } split /\n/, $run->{out}) {
		$seen{ $_->{file} } = 1;
		push @wrong, "$_->{file}: $_->{verdict} $_->{detail}"
			if $_->{verdict} ne ($_->{file} =~ /eicar/ ? 'infected' : 'clean');
	}
	push @wrong, map { "$_: nothing" } grep { !$seen{$_} } @files;
	return @wrong;
}

sub all_scanned {
	return mailfilter_start('-c', $conf, 'scan', '--json', @files);
}

# Is each scanned once there is room, and soon?
sub full_for_a_while {
	my ($what, $start) = @_;
	my $run = all_scanned();
	$start->();
	select undef, undef, undef, $FULL_S;
	is(read_file($run->{out}), '', "$what: nothing passes meanwhile");
	make_room();
	my $from = time;
	is_deeply([ wrong(finish($run)) ], [], "$what: with room all have their verdicts");
	cmp_ok(time - $from, '<', $SOON_S, sprintf '  soon (%.1f s)', time - $from);
}

for my $how (sort keys %FILL) {
	scanner_start(cache => '0', workers => '2');
	is_deeply([ wrong(finish(all_scanned())) ], [], "$how: with room all have their verdicts");
	$FILL{$how}->();
	full_for_a_while("$how, while it serves", sub { });
	ok(E2E::scanner_stop(), '  the scanner stops in order');
	$FILL{$how}->();
	full_for_a_while("$how, when it starts", sub { scanner_start(cache => '0', workers => '2') });
	ok(E2E::scanner_stop(), '  the scanner stops in order');
}

# For longer than scanner-wait: then it is not the moment.
$conf = settings('short.conf', { E2E::global('scanner-wait' => '1s') });
scanner_start(cache => '0', workers => '2');
is_deeply([ wrong(finish(all_scanned())) ], [], 'with room all have their verdicts');
$FILL{bytes}->();
my $run = finish(all_scanned(), 20);
is($run->{code}, 2, 'full for long: no verdict');
like($run->{out}, qr/"retry".*(?:MB left|too full)/, '  and why');
cmp_ok($run->{seconds}, '<', 10, sprintf '  for all together, not one after the other (%.1f s)', $run->{seconds});
make_room();
ok(E2E::scanner_stop(), 'the scanner stops in order');
system('umount', $temp);
done_testing();
