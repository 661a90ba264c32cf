# SPDX-License-Identifier: ISC
#
# A test that is run once more, by itself, as it has to be: with mounts of its own, or without what root
# may do beyond others. To be called before anything else is done.
package Again;
use strict;
use warnings;
use FindBin;
use Test::More;

sub run {
	my (@how) = @_;
	$ENV{E2E_AGAIN} = 1;
	exec @how, $^X, "$FindBin::Bin/$FindBin::Script", @ARGV or die "$how[0]: $!\n";
}

# Mounts of its own, which end with it.
sub with_mounts {
	plan(skip_all => 'only root may mount') if $> != 0;
	# In a chroot whose root is no mount point there is no mount namespace of our own.
	plan(skip_all => 'no mount namespace can be made here')
		if system('unshare -m --propagation private true 2>/dev/null') != 0;
	run('unshare', '-m', '--propagation', 'private') if !$ENV{E2E_AGAIN};
	plan(skip_all => 'no mounts here') if system('mount -t tmpfs none /mnt 2>/dev/null && umount /mnt') != 0;
}

# To root every file is readable, and may be written: not without these capabilities.
sub without_powers {
	my $powers = '-dac_override,-dac_read_search,-fowner';
	run('setpriv', '--bounding-set', $powers, '--inh-caps', $powers) if $> == 0 && !$ENV{E2E_AGAIN};
}

1;
