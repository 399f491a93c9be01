"""Power cuts while clients work by IMAP, as power.py has them: the Maildirs lie on a recorded disk; several clients
of each user append, copy, move, flag, expunge and replace messages, and make, rename and delete mailboxes, at the same
time; one resynchronises all the time; mail is delivered. At any cut a new server, for which the machine has
been started anew, is asked for all of it: what was acknowledged is there, once, under the UID that was told, and
what was removed is not; no UID, modification sequence or UIDVALIDITY means something else than before. On btrfs
a removed message may be back, and a delivery that was not acknowledged be empty, see posthouse-index(5): counted.

The test is tested, too: with sessions that do not flush what they should, or believe their index after a start
of the machine, it has to find what is wrong. Long runs only; as root, on Linux with FUSE. TAP on standard output."""
import collections
import os
import random
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "lib"))
import disk  # noqa: E402
import imaplook  # noqa: E402
import mutant  # noqa: E402
import powercut  # noqa: E402
from imapmodel import User  # noqa: E402
from imaptalk import Talk  # noqa: E402
from imapwork import Deliverer, Looker, Worker  # noqa: E402
from powercut import EXT4, SYSTEMS, flow, make_place, mutant_build, run  # noqa: E402
from stage import USERS, Stage, wait_for  # noqa: E402

SHARED = ("INBOX", "Common", "Other")
WORKERS = 2             # of each user
BOOTED = 1000000        # seconds by which the new server's machine seems to have been started at another time
SYSTEMS["ext4 with data=writeback"] = (EXT4, 96, ",data=writeback", "", "strict")
LISTED = ("append", "copy", "replace")
MUTANTS = {     # file, what stands there, what then does; behind which operations the power is cut
    "UIDs that are not flushed": (
        "common/store/uidlist_file.c", "text.p, text.n) == 0 && fdatasync(fd) == 0", "text.p, text.n) == 0", LISTED),
    "removals that are not flushed": (
        "common/store/view_store.c", "a.removed_cur && flush_one(v->dir.cur) == -1",
        "a.removed_cur && v->dir.cur == -1", ("expunge",)),
    "files that are replaced and not flushed": (
        "common/store/dotlock.c", "return fsync(dir);", "return dir == -1 ? -1 : 0;",
        ("subscribe", "metadata", "rights")),
    "mailboxes whose names are not flushed": (
        "common/store/store_create.c", "return fsync(s->root);", "return 0;", ("create",)),
    "an index that is believed after a start": (
        "common/store/index_file.c", "> INDEX_BOOT_SLACK;", "< -1;", LISTED),
}


class NewServer(Stage):
    """It starts again on the disk as it is then, and the machine seems to have been started in the meantime."""

    def again(self):
        err = open(self.dir + "/log/stderr", "ab")
        self.masters.append(subprocess.Popen(
            ["unshare", "--time", "--boottime", str(BOOTED), self.bin + "/posthouse", "-F", "-f", self.conf],
            stdin=subprocess.DEVNULL, stdout=err, stderr=err, start_new_session=True))
        err.close()
        if not wait_for(self.all_running, 30):
            raise RuntimeError("the server does not start again: " + self.log()[-2000:])


def work(stage, d, rng):
    """Users, and what they were told."""
    users = [User(n, SHARED) for n in USERS]
    for u in users:
        talk = Talk(stage.base + 143, u.name)
        for name in SHARED[1:]:
            talk.ok(b"CREATE " + name.encode())
        talk.close()
    os.sync()

    def seeded():
        return random.Random(rng.randrange(1 << 32))
    actors = [Worker(stage, d, u, seeded(), n) for u in users for n in range(WORKERS)]
    actors += [kind(stage, d, u, seeded()) for u in users for kind in (Looker, Deliverer)]
    flow(actors)
    return users, [o for a in actors for o in a.odd]


def record(place, system, rng, build=None):
    """The disk with its log, the server, which is down, users, what was odd, and the last moment."""
    mkfs, size, options, conf, _ = SYSTEMS[system]
    d = disk.Disk(place, mkfs, size, options)
    stage, (users, odd), end = powercut.recorded(d, ("mail",), lambda: NewServer(
        "imap.user-connections 0\n" + conf, None, d.mountpoint + "/mail"), build, lambda stage: work(stage, d, rng))
    return d, stage, users, odd, end


def acknowledged(users, after):
    """When operations were; after: such ones, or any."""
    return (o.kept for u in users for o in u.ops if o.kept is not None and (not after or o.what in after))


def look(stage, users, moment, rng, count, lax):
    wrong = []
    for u in users:
        bad, seen = imaplook.look(stage.base + 143, u, moment, rng, lax)
        wrong += [(moment,) + b for b in bad]
        count.update(seen)
    return wrong


def unmount(mountpoint):
    """As soon as the last session has gone."""
    if not wait_for(lambda: disk.run("umount", mountpoint, check=False).returncode == 0, 20):
        raise RuntimeError("the disk is busy")


def examine(place, system, d, stage, users, rng, todo):
    """(what is wrong, counts)"""
    image, wrong, count = place + "/cut.img", [], collections.Counter()
    stage.again()
    for moment, unsafe in disk.cuts(d, todo, rng, image):
        powercut.mounted(image, system, d.mountpoint)
        try:
            wrong += look(stage, users, moment, rng, count, SYSTEMS[system][4] == "file")
        finally:
            unmount(d.mountpoint)
        count.update({"sectors": unsafe, "cuts": 1, "promises": sum(
            o.at(moment) == "yes" for u in users for o in u.ops)})
    return wrong, count


def tried(place, system, rng, n, build=None, after=None):
    """(operations, what was odd, what is wrong, counts)"""
    d, stage, users, odd, end = record(place, system, rng, build)
    try:
        wrong, count = examine(place, system, d, stage, users, rng,
                               powercut.moments(acknowledged(users, after), rng, end, n))
        return collections.Counter(o.what for u in users for o in u.ops), odd, wrong, count
    finally:
        stage.down()
        stage.remove()


def kinds(wrong):
    return collections.Counter(w[2] for w in wrong)


def one_system(tap, top, system, rng, n):
    place = make_place(top)
    try:
        ops, odd, wrong, count = tried(place, system, rng, n)
        tap.diag("%s: %s; %s" % (system, dict(ops), dict(count)))
        tap.ok(not odd, "%s: nothing was refused" % system, odd[:5])
        tap.ok(count["promises"] and count["sectors"] and count["views"], "%s: something was at stake" % system)
        tap.ok(not wrong, "%s: no cut takes what was acknowledged, or makes something else of it" % system,
               (dict(kinds(wrong)), wrong[:10]))
    finally:
        shutil.rmtree(place, ignore_errors=True)


def one_mutant(tap, top, system, what, build, rng, n, after=None):
    place = make_place(top)
    try:
        ops, _, wrong, count = tried(place, system, rng, n, build, after)
        tap.diag("%s, %s: %s in %d cuts" % (system, what, dict(kinds(wrong)), count["cuts"]))
        tap.ok(wrong, "%s: %s are found out" % (system, what), (dict(ops), dict(count)))
    finally:
        shutil.rmtree(place, ignore_errors=True)


def mutants(tap, top, system, rng, n):
    build = mutant_build(make_place(top), "imapd-session")
    one_mutant(tap, top, system, "sessions without flushes", build, rng, n)
    if system != "ext4":
        return
    for what, (*how, after) in MUTANTS.items():
        place = make_place(top)
        one_mutant(tap, top, system, what, mutant.edited(place, "imapd-session", *how), rng, n, after)
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(run(__file__, one_system, mutants))
