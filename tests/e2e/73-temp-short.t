#!/usr/bin/perl
# SPDX-License-Identifier: ISC
#
# A temp folder that is too small for what a mail unpacks to: in company it is scanned again alone, and
# if it does not fit alone either, into a folder that is free, it is the mail's own doing: a limit.
# Where somebody else fills the folder it is to be tried again. A sweep goes on without what does not fit.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Compress::Zlib ();
use File::Path qw(make_path);
use JSON::PP;
use MIME::Base64 qw(encode_base64);
use Test::More;
use Again;
use Corpus;
use E2E;
use Sweep;

Again::with_mounts();

my $MB   = 1 << 20;
my $conf = settings('mailfilter.conf', { E2E::global() });
my $temp = work('scanner.tmp');

# A mail with a zip of one file of so many MB, which differ by name.
sub zipped {
	my ($name, $mb) = @_;
	my $bytes = "$name\n" x ($mb * $MB / (1 + length $name));
	my ($deflate) = Compress::Zlib::deflateInit(-WindowBits => -Compress::Zlib::MAX_WBITS());
	my $packed = join '', map { $_ // '' } ($deflate->deflate($bytes))[0], ($deflate->flush)[0];
	my @sizes = (Compress::Zlib::crc32($bytes), length $packed, length $bytes);
	my $head  = pack 'v3 v2 V3 v2', 20, 0, 8, 0, 0x5a21, @sizes, length $name, 0;
	my $zip   = pack('V', 0x04034b50) . $head . $name . $packed;
	my $start = length $zip;
	$zip .= pack('V v', 0x02014b50, 20) . $head . pack('v3 V2', 0, 0, 0, 0, 0) . $name;
	$zip .= pack 'V v4 V2 v', 0x06054b50, 0, 0, 1, 1, length($zip) - $start, $start, 0;
	return write_file(work("$name.eml"), join "\r\n", 'From: a@example.org', 'Subject: zip', 'MIME-Version: 1.0',
		"Content-Type: application/zip; name=$name.zip", 'Content-Transfer-Encoding: base64', '', encode_base64($zip, "\r\n"));
}

sub mount_temp {
	my ($mb) = @_;
	mkdir $temp;
	chmod 0700, $temp;
	system('mount', '-t', 'tmpfs', '-o', "size=${mb}m,mode=0700", 'none', $temp) == 0 or die "mount\n";
}

# file => "verdict reason"
sub scan {
	my (@files) = @_;
	my $run = mailfilter('-c', $conf, 'scan', '--json', @files);
	return { map { my $line = decode_json($_); ((split m{/}, $line->{file})[-1] => join ' ', grep { length } @$line{qw(verdict reason)}) }
		split /\n/, $run->{out} };
}

my $bomb  = zipped('bomb', 64);
my @pair  = map { zipped($_, 48) } qw(left right);
my $small = write_file(work('small.eml'), Corpus->new('short')->mail('attachment', 's')->{bytes});
my $large = write_file(work('large.eml'), "From: a\@example.org\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"
	. "<p>text</p>\r\n" x (12 * $MB / 13));

mount_temp(40);
scanner_start(workers => '2', cache => '0');
like(read_file(work('scanner.log')), qr/temp-dir \S+: 40 MB in all.*scan-size-max/, 'a small folder is told of at the start');
my $check = `build/scanner -c \Q@{[ work('scanner.conf') ]}\E --check-config 2>&1`;
is($?, 0, '--check-config calls that no error');
like($check, qr/40 MB in all, and one message may take 400 MB/, 'but warns');
is_deeply(scan($bomb), { 'bomb.eml' => 'unscannable limit' }, 'what does not fit alone is over a limit');
my $again = () = read_file(work('scanner.log')) =~ /it is scanned again, alone/g;
is($again, 3, 'after three more scans, alone');
is_deeply(scan($bomb, $small), { 'bomb.eml' => 'unscannable limit', 'small.eml' => 'clean' }, 'other mail beside it is scanned');
is_deeply(scan($large), { 'large.eml' => 'unscannable limit' }, 'a mail that the folder is too small for even unpacked');

# Somebody else's files.
write_file("$temp/others", 'x' x (8 * $MB));
is_deeply(scan($bomb), { 'bomb.eml' => 'retry' }, 'where somebody else fills the folder it is to be tried again');
is_deeply(scan($small), { 'small.eml' => 'clean' }, 'and what fits is scanned');
unlink "$temp/others";
is_deeply(scan($bomb), { 'bomb.eml' => 'unscannable limit' }, 'with that gone it is the mail again');
ok(E2E::scanner_stop(), 'the scanner stops in order');
system('umount', $temp);

# Two that fit one by one.
mount_temp(84);
scanner_start(workers => '2', cache => '0');
for (1 .. 3) {
	is_deeply(scan(@pair), { 'left.eml' => 'clean', 'right.eml' => 'clean' }, 'two that do not fit together are scanned one by one');
}
ok(E2E::scanner_stop(), 'the scanner stops in order');
system('umount', $temp);

# Among files that are swept one that the folder is too small for does not hold up the others.
make_path(work('tree'));
write_file(work("tree/large.$_"), 'x' x (9 * $MB)) for 1 .. 2;
write_file(work("tree/small.$_"), "small $_\n") for 1 .. 9;
mount_temp(40);
scanner_start(workers => '1', sweep => [ work('tree') ], 'sweep-state' => work('sweep'));
my $report = done_report('a full pass', 15, sub { 1 });
is_deeply([ @{ $report->{now} // {} }{qw(files scanned later)} ], [ 11, 9, 2 ], 'a sweep passes over what does not fit, and goes on');
like(read_file(work('scanner.log')), qr{path=\S+/large.1 not scanned: temp-dir \S+: \d+ MB left, 43 MB needed}, 'and says so');
ok(E2E::scanner_stop(), 'the scanner stops in order');
system('umount', $temp);
done_testing();
