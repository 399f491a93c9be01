#!/bin/sh
# tests/build/hardening.sh - is every program what the flags ask for: position
# independent, full RELRO, stack protector, FORTIFY, no executable stack, no
# RPATH? PH_BUILD is the build directory. TAP on standard output.
set -u
build=${PH_BUILD:-build}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
n=0 bad=0

if grep -q -e -fsanitize= "$build/flags" 2>/dev/null; then
	echo "1..1"
	echo "ok 1 - hardening # skip the build has sanitizers"
	exit 0
fi

# What is missing in this program; nothing if all is there.
missing() {	# FILE
	readelf -Whld "$1" >"$work/elf" 2>/dev/null || { echo "no ELF file"; return; }
	readelf -Ws "$1" >"$work/symbols"
	grep -q '^ *Type: *DYN' "$work/elf" || echo "PIE"
	grep -q '(FLAGS_1).*PIE' "$work/elf" || echo "PIE flag"
	grep -q 'GNU_RELRO' "$work/elf" || echo "RELRO"
	grep -qE 'BIND_NOW|\(FLAGS_1\).*NOW' "$work/elf" || echo "immediate binding"
	grep 'GNU_STACK' "$work/elf" | grep -qv 'RWE' || echo "stack without execution"
	grep -qE '\((RPATH|RUNPATH)\)' "$work/elf" && echo "freedom of RPATH"
	grep -qE '\(TEXTREL\)' "$work/elf" && echo "freedom of text relocations"
	grep -q ' UND __stack_chk_fail' "$work/symbols" || echo "stack protector"
	grep -qE ' UND __[a-z]+_chk@' "$work/symbols" || echo "FORTIFY"
}

say() {	# OK NAME: a line of TAP
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi
}

for p in "$build"/bin/*; do
	lack=$(missing "$p" | tr '\n' ',')
	[ -z "$lack" ]
	say $? "${p##*/}${lack:+ lacks $lack}"
done

# The check itself must see a program that has none of it.
cat >"$work/soft.c" <<'C'
#include <stdio.h>
int
main(int argc, char *argv[])
{
	char	text[64];

	return argc > 0 && sprintf(text, "%.60s", argv[0]) > 60;
}
C
cc -O2 -U_FORTIFY_SOURCE -fno-pie -no-pie -fno-stack-protector -Wl,-z,execstack,-z,lazy,-z,norelro,-rpath,/x \
    -o "$work/soft" "$work/soft.c" 2>/dev/null
[ "$(missing "$work/soft" | wc -l)" = 8 ]
say $? "a soft program lacks all of it"
echo "1..$n"
exit $bad
