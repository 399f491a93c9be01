#!/bin/sh
# tests/build/compilers.sh - everything builds without a warning with the
# other compiler as well. Checked by syntax and types alone in a short run;
# a long one builds, and runs the unit tests. TAP on standard output.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
unset MAKEFLAGS MAKEOVERRIDES MFLAGS BUILD SANITIZE

case $(${CC:-cc} --version 2>/dev/null) in
*clang*) other=gcc ;;
*) other=clang ;;
esac
if ! command -v "$other" >/dev/null; then
	echo "1..1"
	echo "ok 1 - $other # skip not installed"
	exit 0
fi
if [ "${PH_MODE:-long}" != long ]; then
	echo "1..1"
	if make -j2 BUILD="$work/build" CC="$other" WERROR=1 OPT=-O0 \
	    CPPFLAGS=-D_FORTIFY_SOURCE=0 CFLAGS=-fsyntax-only objects >"$work/log" 2>&1; then
		echo "ok 1 - $other finds nothing"
		exit 0
	fi
	grep -E 'error|warning' "$work/log" | head -n 20 >&2
	echo "not ok 1 - $other finds nothing"
	exit 1
fi
n=1 bad=0
if make -j2 BUILD="$work/build" CC="$other" WERROR=1 all units tools >"$work/log" 2>&1; then
	echo "ok 1 - built with $other"
else
	echo "not ok 1 - built with $other"
	grep -E 'error|warning' "$work/log" | head -n 20 >&2
	bad=1
fi
for t in "$work"/build/unit/test_*; do
	[ -x "$t" ] || continue
	n=$((n + 1))
	if "$t" >"$work/out" 2>&1; then
		echo "ok $n - ${t##*/} of $other"
	else
		echo "not ok $n - ${t##*/} of $other"
		tail -n 5 "$work/out" >&2
		bad=1
	fi
done
echo "1..$n"
exit $bad
