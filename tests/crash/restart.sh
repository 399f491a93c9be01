#!/bin/sh
# tests/crash/restart.sh - when "posthouse stop" has returned, ports and locks
# are free: the next start succeeds at once, every time. TAP on standard output.
set -u
build=${PH_BUILD:-build}
work=$(mktemp -d "${TMPDIR:-/tmp}/posthouse-restart.XXXXXX") || exit 1
chmod 755 "$work"
trap 'tests/stage down "$work/stage" >/dev/null 2>&1; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP
times=20
[ "${PH_MODE:-short}" != long ] || times=200

base=$(python3 tests/free_ports.py) || exit 1
echo "1..4"
PH_BUILD=$build tests/stage up "$work/stage" "$base" >"$work/out" 2>&1 || {
	sed 's/^/# /' "$work/out"
	echo "not ok 1 - stage"
	exit 1
}
echo "ok 1 - stage"
posthouse() {
	"$work/stage/bin/posthouse" -f "$work/stage/posthouse.conf" "$@" >>"$work/out" 2>&1
}
i=0
while [ "$i" -lt "$times" ]; do
	i=$((i + 1))
	if ! posthouse stop || ! posthouse; then
		tail -n 3 "$work/out" | sed 's/^/# /'
		echo "not ok 2 - stop and start, the ${i}th time"
		exit 1
	fi
done
echo "ok 2 - stop and start, $times times"

# A mistake in the file: what runs can be asked, and stopped.
conf=$work/stage/posthouse.conf
cp "$conf" "$work/good"
echo "nonsense 1" >>"$conf"
if posthouse status && ! posthouse reload && tail -n 1 "$work/out" | grep -q 'nonsense'; then
	echo "ok 3 - status and reload with a mistake in the configuration"
else
	echo "not ok 3 - status and reload with a mistake in the configuration"
fi
if posthouse stop && cp "$work/good" "$conf" && posthouse; then
	echo "ok 4 - stop with a mistake in the configuration"
else
	tail -n 3 "$work/out" | sed 's/^/# /'
	echo "not ok 4 - stop with a mistake in the configuration"
fi
