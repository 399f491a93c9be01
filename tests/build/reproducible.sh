#!/bin/sh
# tests/build/reproducible.sh - two builds in different places and orders give
# the same files, and so do two archives. TAP on standard output; long mode.
set -u
. "$(dirname "$0")/long"

one=$work/one two=$work/deeper/and/longer/two
for d in "$one" "$two"; do
	mkdir -p "$d" || exit 1
	cp -R Makefile VERSION common $(sed -n 's/^FOLDERS[^=]*:= *//p' Makefile) "$d/" || exit 1
done

for cc in gcc clang; do
	if ! command -v "$cc" >/dev/null; then
		n=$((n + 1))
		echo "ok $n - $cc # skip not installed"
		continue
	fi
	(cd "$one" && umask 022 && TZ=UTC LC_ALL=C make -j1 CC="$cc" WERROR=1) >"$work/log1" 2>&1
	say $? "$cc in one place"
	(cd "$two" && umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 make -j4 CC="$cc" WERROR=1) >"$work/log2" 2>&1
	say $? "$cc in another"
	ls "$one/build/bin" >"$work/list1" && ls "$two/build/bin" >"$work/list2" &&
	    [ -s "$work/list1" ] && cmp "$work/list1" "$work/list2"
	say $? "$cc: the same programs"
	for p in "$one"/build/bin/*; do
		cmp "$p" "$two/build/bin/${p##*/}"
		say $? "$cc: ${p##*/} is the same"
	done
done

# The archive of a release.
if git rev-parse -q --verify HEAD >/dev/null 2>&1 && [ -e .git ]; then
	version=$(cat VERSION)
	for d in a b; do
		git clone -q . "$work/$d" 2>/dev/null && (cd "$work/$d" && umask 0"$([ $d = a ] && echo 22 || echo 77)" &&
		    make dist) >"$work/log" 2>&1
		say $? "make dist, $d"
	done
	cmp "$work/a/posthouse-$version.tar.gz" "$work/b/posthouse-$version.tar.gz"
	say $? "the archives are the same"
	[ "$(tar tzf "$work/a/posthouse-$version.tar.gz" | grep -c '/$')" -gt 10 ] &&
	    tar xzf "$work/a/posthouse-$version.tar.gz" -C "$work" && git -C "$work/a" archive HEAD | (mkdir "$work/c" && tar x -C "$work/c") &&
	    diff -r "$work/c" "$work/posthouse-$version"
	say $? "and hold the sources"
else
	n=$((n + 1))
	echo "ok $n - make dist # skip no git here"
fi
echo "1..$n"
exit $bad
