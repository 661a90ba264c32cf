#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Names and installs the Debian packages that building and testing need and that are missing.
# "deps.sh lint", "deps.sh bench" and "deps.sh long" (make check-long) do it for what only these targets
# need, "deps.sh deb" for all that "make deb" needs, which tests nothing. Silent when nothing is missing.
set -eu

build="gcc libc6-dev make pkg-config libarchive-dev libclamav-dev libcmocka-dev libconfuse-dev
	libetpan-dev libgmime-3.0-dev libgnutls28-dev libseccomp-dev libsqlite3-dev libzmq3-dev"
case ${1-} in
lint)
	packages="blhc clang clang-format clang-tidy cppcheck libclang-rt-14-dev lintian mandoc
		shellcheck"
	;;
bench) packages="clamav-daemon clamdscan fdm fetchmail getmail6 isync libclamav-dev mpop perl" ;;
long) packages="build-essential debhelper dpkg-dev lintian mmdebstrap systemd-container" ;;
deb) packages="$build build-essential debhelper dpkg-dev" ;;
*)
	packages="$build dovecot-imapd dovecot-lmtpd dovecot-pop3d faketime iproute2 isync
		libio-socket-ssl-perl openssl perl"
	;;
esac

if ! command -v dpkg-query >/dev/null; then
	echo "This is no Debian. There the packages needed are called: $packages" >&2
	exit 0
fi

missing=
for package in $packages; do
	state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null) || state=
	[ "$state" = "ii " ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Missing Debian packages:$missing"
if [ "$(id -u)" != 0 ]; then
	if command -v sudo >/dev/null; then
		echo "Installing them with sudo."
		exec sudo -- "$0" "$@"
	fi
	echo "Install them as root:  apt-get install$missing" >&2
	exit 1
fi

# Debian starts and enables the service of a server that it installs. What is wanted here are the
# programs of Dovecot and ClamAV: no mail server and no scanner may appear on this host, now or after
# the next boot, and nothing be fetched.
policy=/usr/sbin/policy-rc.d
own_policy=
no_services() {
	[ ! -e $policy ] || return 0
	trap 'rm -f $policy' EXIT
	trap 'exit 1' HUP INT TERM
	own_policy=yes
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
}

had() { [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]; }

# Those that come with the packages and have not been here before.
services=
had dovecot-core || services="$services dovecot.service dovecot.socket"
had clamav-daemon || services="$services clamav-daemon.service clamav-daemon.socket"
had clamav-freshclam || services="$services clamav-freshclam.service"
no_services
export DEBIAN_FRONTEND=noninteractive
apt-get update -q || echo "apt-get update failed; trying with the lists that are there." >&2
# shellcheck disable=SC2086 # a list of names
apt-get install -q -y --no-install-recommends $missing
if command -v systemctl >/dev/null; then
	for service in $services; do
		systemctl --quiet disable "$service" 2>/dev/null || true
	done
fi

echo "Installed:$missing"
case $missing in
*dovecot*)
	echo "Debian's own Dovecot service was neither started nor left enabled: the tests run" \
		"a private one on loopback." ;;
*clamav-daemon*)
	echo "Debian's own services of ClamAV were neither started nor left enabled: the bench" \
		"runs a private clamd on a socket." ;;
esac
[ -n "$own_policy" ] || echo "($policy was there before and was left as it is.)"
