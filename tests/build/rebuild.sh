#!/bin/sh
# tests/build/rebuild.sh - does make see what has changed: a header, a flag, the
# version; and nothing else? Works in a copy. TAP on standard output; long mode.
set -u
. "$(dirname "$0")/long"

# The sources that would be compiled.
plan() {
	make -n "$@" 2>&1 | sed -n '/ -o /s,.* \([a-z0-9_/]*\.c\)\( .*\)*$,\1,p' | sort
}

cp -R Makefile VERSION common $(sed -n 's/^FOLDERS[^=]*:= *//p' Makefile) "$work/" || exit 1
cd "$work" || exit 1
make -j2 >make.log 2>&1
say $? "the copy is built"
[ -z "$(plan all)" ]
say $? "nothing is done twice"

touch common/fmt/path.h
want=$(grep -l ' common/fmt/path\.h' $(find build/obj -name '*.d') | sed 's,^build/obj/,,; s,d$,c,' | sort)
[ -n "$want" ] && [ "$(plan all)" = "$want" ] && [ "$(plan all | wc -l)" -lt "$(find . -name '*.c' | wc -l)" ]
say $? "a header: those that include it, $(echo "$want" | wc -l)"
make -j2 >make.log 2>&1 && [ -z "$(plan all)" ]
say $? "built again"

touch queue/drop_main.c
[ "$(plan all)" = queue/drop_main.c ]
say $? "a source: itself"
make >make.log 2>&1

all=$(find . -name '*.c' | wc -l)
for change in PREFIX=/usr SANITIZE=1 CFLAGS=-O0 VERSION=9.9.9 CC=c99; do
	[ "$(plan all "$change" | wc -l)" = "$all" ]
	say $? "$change: everything"
done
for same in DESTDIR=/x WERROR=1; do
	make >make.log 2>&1
	[ -z "$(plan all "$same")" ]
	say $? "$same: nothing"
done
echo "1..$n"
exit $bad
