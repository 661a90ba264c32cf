# SPDX-License-Identifier: ISC
#
# A bar chart as SVG.
package Chart;
use strict;
use warnings;
use E2E;
use List::Util qw(max);

my ($LEFT, $WIDTH, $STEP) = (260, 420, 26);

sub escaped {
	my ($text) = @_;
	my %as = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;', '"' => '&quot;');
	return $text =~ s/([&<>"])/$as{$1}/gr;
}

# write_svg(PATH, title, [ heading, [ name, value, least, most, colour ]... ]...): a group of bars for
# each heading, each group to its own scale, with a line from least to most.
sub write_svg {
	my ($path, $title, @groups) = @_;
	my ($y, @out) = (30);
	my $text = sub {
		my ($x, $at, $what, $more) = @_;
		push @out, sprintf '<text x="%d" y="%d"%s>%s</text>', $x, $at, $more // '', escaped($what);
	};
	$text->(10, $y, $title, ' font-weight="bold"');
	for (@groups) {
		my ($heading, @bars) = @$_;
		my $scale = $WIDTH / max(1e-9, map { $_->[3] } @bars);
		$y += 40;
		$text->(10, $y, $heading, ' font-style="italic"');
		for my $bar (@bars) {
			my ($name, $value, $least, $most, $colour) = @$bar;
			$y += $STEP;
			$text->($LEFT - 10, $y, $name, ' text-anchor="end"');
			push @out, sprintf '<rect x="%d" y="%d" width="%.1f" height="16" fill="%s"/>', $LEFT, $y - 13, $value * $scale, $colour;
			push @out, sprintf '<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="black"/>',
				$LEFT + $least * $scale, $y - 5, $LEFT + $most * $scale, $y - 5;
			$text->($LEFT + $most * $scale + 8, $y, sprintf $value < 10 ? '%.1f' : '%.0f', $value);
		}
	}
	$y += 20;
	write_file($path, sprintf('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
		. 'font-family="sans-serif" font-size="13">' . "\n", $LEFT + $WIDTH + 70, $y)
		. "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n" . join("\n", @out) . "\n</svg>\n");
}

1;
