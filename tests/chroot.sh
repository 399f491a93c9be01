# tests/chroot.sh - read by tests/fresh and tests/package: a minimal Debian of
# this machine's release in a directory, from where this machine gets its own.
# Root only. What runs in it has its own processes, mounts and host name, and
# all of it ends with the command; services are not started by packages.

chroot_why_not() {	# prints what is missing; nothing if all is there
	[ "$(id -u)" = 0 ] || { echo "only as root"; return; }
	for c in mmdebstrap unshare ip; do
		command -v "$c" >/dev/null || { echo "no $c here"; return; }
	done
	grep -q '^ID=debian$' /etc/os-release || { echo "this is not Debian"; return; }
	unshare --mount --pid --fork --uts --net true 2>/dev/null || { echo "no namespaces here"; return; }
	[ -n "$(chroot_sources)" ] || echo "apt has no Debian sources; apt-get update?"
}

# The lines for sources.list, as this machine's apt knows them.
chroot_sources() {
	apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
	    'Created-By: Packages' 'Origin: Debian' 2>/dev/null | sort -u
}

chroot_tar() {	# FILE: made unless it is there
	[ ! -s "$1" ] || return 0
	suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	more=sudo
	case $(chroot_sources) in
	*https:*) more=sudo,ca-certificates ;;
	esac
	chroot_sources | mmdebstrap --format=tar --variant=minbase --include="$more" "$suite" "$1.new" - && mv "$1.new" "$1"
}

chroot_make() {	# FILE DIR
	mkdir -p "$2" && tar -xpf "$1" --numeric-owner -C "$2" || return 1
	printf '#!/bin/sh\nexit 101\n' >"$2/usr/sbin/policy-rc.d"
	chmod 755 "$2/usr/sbin/policy-rc.d"
	cp /etc/resolv.conf "$2/etc/resolv.conf"
	apt-config dump Acquire | sed '/^Acquire "";$/d' >"$2/etc/apt/apt.conf.d/80machine"
	printf '127.0.0.1 localhost\n127.0.1.1 host.example.test host\n' >"$2/etc/hosts"
	echo host >"$2/etc/hostname"
}

# With "lo" there is no network but a loopback of its own.
chroot_run() {	# DIR net|lo COMMAND...
	net=
	[ "$2" = net ] || net=--net
	# the shell in the middle is the init that collects what others leave
	unshare --mount --pid --fork --kill-child --uts $net sh -eu -c '
		root=$1 net=$2
		shift 2
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		hostname host
		[ "$net" = net ] || ip link set lo up
		set +e
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		    HOME=/root TERM=dumb ${CI:+CI="$CI"} chroot "$root" "$@"
		exit $?' sh "$@" </dev/null
}

# The project as a release has it, without git.
chroot_project() {	# DIR: made there
	mkdir -p "$1" || return 1
	if [ -e .git ]; then
		git archive HEAD | tar -x -C "$1"
	else
		tar -c --exclude=./build --exclude=./run . | tar -x -C "$1"
	fi
}
