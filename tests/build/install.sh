#!/bin/sh
# tests/build/install.sh - make install puts everything, and only that, where
# PREFIX and DESTDIR say. TAP on standard output; long mode.
set -u
. "$(dirname "$0")/long"

(umask 077; make -j2 BUILD="$work/build" PREFIX=/opt/ph SYSCONFDIR=/opt/etc DESTDIR="$work/root" install) >"$work/log" 2>&1
say $? "make install PREFIX= DESTDIR="
[ "$bad" = 0 ] || tail -n 3 "$work/log" >&2
top=$work/root/opt/ph

{
	for p in posthouse posthouse-route sendmail postq; do echo "sbin/$p"; done
	for p in deliver mailq newaliases; do echo "bin/$p"; done
	for p in "$work"/build/bin/*; do
		case ${p##*/} in
		posthouse | sendmail | postq | deliver | mailq) ;;
		*) echo "libexec/posthouse/${p##*/}" ;;
		esac
	done
	for m in man/*.[1578]; do echo "share/man/man${m##*.}/${m#man/}"; done
	for f in README LICENSE posthouse.conf.example; do echo "share/doc/posthouse/$f"; done
} | sort >"$work/want"
(cd "$top" && find . ! -type d | sed 's,^\./,,' | sort) >"$work/have"
diff "$work/want" "$work/have" >&2
say $? "$(wc -l <"$work/want") files, and no other"
[ "$(cd "$work/root" && find . -maxdepth 2 | sort | tr '\n' ' ')" = ". ./opt ./opt/etc ./opt/ph " ] &&
    [ -d "$work/root/opt/etc/posthouse" ]
say $? "nothing beside PREFIX and SYSCONFDIR"

wrong=$(find "$work/root/opt" -type d ! -perm 755 -o -type f -path '*bin/*' ! -perm 755 -o \
    -type f -path '*/libexec/*' ! -perm 755 -o -type f -path '*/share/*' ! -perm 644)
echo "$wrong" >&2
[ -z "$wrong" ]
say $? "modes do not depend on the umask"
for l in sbin/posthouse-route bin/newaliases; do
	to=$(readlink "$top/$l") && [ -f "$work/root$to" ]
	say $? "$l leads to $to"
done
"$top/sbin/posthouse" -k | grep -q '^libexec	.*	/opt/ph/libexec/posthouse	'
say $? "posthouse looks for its programs there"
"$top/sbin/posthouse" -n 2>&1 | grep -q '/opt/etc/posthouse/posthouse.conf'
say $? "and for its configuration in SYSCONFDIR"
find "$top" -type f -exec grep -alF -e "$work" -e "$PWD" {} + >"$work/told"
cat "$work/told" >&2
[ ! -s "$work/told" ]
say $? "no program knows where it was built"
echo "1..$n"
exit $bad
