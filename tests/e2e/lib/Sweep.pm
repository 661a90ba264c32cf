# SPDX-License-Identifier: ISC
#
# A scanner that sweeps work('tree') each second: what is planted there for it, and what it says that it
# did and found.
package Sweep;
use strict;
use warnings;
use Exporter qw(import);
use IO::Compress::Zip qw(zip $ZipError);
use JSON::PP qw(decode_json);
use MIME::Base64 qw(encode_base64);
use Test::More;
use Corpus;
use E2E;

our @EXPORT = qw($EICAR $MAIL plant_zip log_text wait_for sweep_start report done_report full_pass by_path finds);
our $EICAR  = Corpus::eicar();
our $MAIL   = "From: a\@example.org\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream; name=e.com\r\n"
	. "Content-Transfer-Encoding: base64\r\n\r\n" . encode_base64($EICAR);

# An archive in the tree with EICAR in it.
sub plant_zip {
	my ($name) = @_;
	zip(\$EICAR => \my $bytes, Name => 'e.com') or die "zip: $ZipError\n";
	write_file(work("tree/$name"), $bytes);
}

sub log_text { return read_file(work('scanner.log')) }

# At its priority it gets nothing while others are busy: patience, for a busy machine.
sub wait_for {
	my ($what, $seconds, $code) = @_;
	my $is = within(4 * $seconds, $code);
	fail("$what: not within $seconds s") if !$is;
	return $is;
}

sub sweep_start {
	my (%option) = @_;
	local @E2E::scanner_words = '-v';
	return scanner_start(workers => 1, sweep => [ work('tree') ], 'sweep-state' => work('sweep'), 'sweep-interval' => '1s', %option);
}

sub report {
	my $json = `build/scanner -c @{[ work('scanner.conf') ]} --sweep-report --json 2>/dev/null`;
	return $json =~ /^\{/ ? decode_json($json) : { pass => 0 };
}

# One of a full pass that is as the code wants it.
sub done_report {
	my ($what, $seconds, $wanted) = @_;
	return wait_for($what, $seconds, sub {
		my $report = report();
		return $report->{done} && $wanted->($report) && $report;
	}) // {};
}

# One of a full pass that began after now.
sub full_pass {
	my $from = report()->{pass};
	return done_report('a full pass', 15, sub { $_[0]{pass} > $from });
}

# Finds, or what is in quarantine, by their paths in the tree.
sub by_path {
	my $tree = work('tree');
	return { map { $_->{path} =~ s{^\Q$tree\E/}{}r => $_ } @_ };
}

sub finds { return by_path(@{ $_[0]{finds} // [] }) }

1;
