#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Every linter over the whole tree. Prints problems only, then one line that says what was checked.
set -u
cd "$(dirname "$0")/.." || exit 1
tests/deps.sh && tests/deps.sh lint || exit 1

jobs=$(nproc)
failed=
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
trap 'exit 1' HUP INT TERM

sources=$(find common mailfilter scanner tests -name '*.[ch]' | sort)
units=$(find common mailfilter scanner tests -name '*.c' | sort)
scripts=$(find tests .ci conf -type f ! -name '*.p[lm]' ! -name '*.t' -exec grep -lE '^#!/bin/(ba)?sh' {} + | sort)
perl=$(find tests -name '*.p[lm]' -o -name '*.t' | sort)
manuals=$(find mailfilter scanner -name '*.[1578]' | sort)
include=$(pkg-config --cflags gmime-3.0 libzmq libclamav libconfuse sqlite3 gnutls cmocka |
	sed 's/-I/-isystem /g')

# gcc -fanalyzer is left out: gcc 12 takes any function of another file for one that may free or
# return anything, and a span of some bytes for one that may have none; it finds nothing else here.

# check NAME COMMAND...: silent when it succeeds.
check() {
	name=$1
	shift
	"$@" >"$out" 2>&1 && return
	failed="${failed:+$failed, }$name"
	echo "== $name"
	cat "$out"
}

each() { # each LIST COMMAND...: one file a process, in parallel; the file is its last argument
	list=$1
	shift
	echo "$list" | xargs -r -n 1 -P "$jobs" "$@"
}

# shellcheck disable=SC2016,SC2086 # $1 is for the inner shell; lists of files and of flags
{
	check clang-format clang-format --dry-run -Werror $sources
	# One file a process: clang-tidy 14 reports false va_list errors when given several.
	check clang-tidy each "$units" sh -c \
		'clang-tidy --quiet "$1" -- -std=gnu17 -D_GNU_SOURCE -I. -DMAILFILTER_VERSION=\"\" '"$include"' 2>/dev/null' sh
	# It does not know the cleanup attribute; leaks are found by "make asan".
	check cppcheck cppcheck --suppress=memleak --suppress=resourceLeak --quiet --std=c11 --error-exitcode=1 --inline-suppr -j "$jobs" \
		--enable=warning,performance,portability -D_GNU_SOURCE -I. common mailfilter scanner
	check headers each "$(echo "$sources" | grep '\.h$')" \
		gcc -std=gnu17 -D_GNU_SOURCE -I. $include -Wall -Wextra -Werror -fsyntax-only -x c
	check shellcheck shellcheck $scripts
	check perl each "$perl" sh -c \
		'! perl -Itests/e2e/lib -Itests/bench/lib -wc "$1" 2>&1 | grep -v " syntax OK$"' sh
	[ -z "$manuals" ] || check mandoc mandoc -Tlint -W warning $manuals
	check clang make --no-print-directory -s -k -j "$jobs" CC=clang MODE=debug B=build/clang unit-tests \
		build/clang/bin/mailfilter build/clang/bin/scanner
	check tree prove -Q tests/tree.t
}

count() { echo "$1" | wc -w; }
echo "Checked $(count "$sources") C files and headers (clang-format, clang-tidy, cppcheck," \
	"gcc, clang -Werror), $(count "$scripts") shell and $(count "$perl") Perl scripts," \
	"$(count "$manuals") manual pages; problems: ${failed:-none}."
[ -z "$failed" ]
