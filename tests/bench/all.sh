#!/bin/sh
# SPDX-License-Identifier: ISC
#
# all.sh BUILD: what make bench runs, and how long each part took. Each keeps to a time of its own.
set -eu

began=$(date +%s)
part() {
	from=$(date +%s)
	"$@"
	echo "---- $(basename "$1"): $(($(date +%s) - from)) s"
	echo
}

part tests/bench/scanner.pl --minutes 1 --keep build/bench
part "$1/tests/bench/judge" 5 build/bench/mail/*/*.eml
part tests/bench/whole.pl
part tests/bench/jobs.pl
part tests/bench/latency.pl
echo "---- all of it: $(($(date +%s) - began)) s"
