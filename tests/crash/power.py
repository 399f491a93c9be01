"""Power cuts on real file systems. Spool and mailboxes lie on a loop device
whose disk records each write and flush (lib/disk.py). Afterwards the disk is
made again as a cut at some moment may have left it: all that was written
before the last flush, and any part of the rest. It is mounted, and every
message that was acknowledged before must be there for each recipient, whole,
in the spool or in the Maildir. Two of them are started up as well.

The test is tested, too: with an smtpd, and a local-worker, whose flushes do
nothing, it has to find losses. Long runs only; as root, on Linux with FUSE.
TAP on standard output."""
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import disk  # noqa: E402
import spoolfile  # noqa: E402
from mail import Mailboxes, Post, Sender, until_seen  # noqa: E402
from stage import TOP, USERS, Stage, is_root, wait_for  # noqa: E402
from tap import Tap, is_long, seed  # noqa: E402

SECONDS = 6
CUTS = int(os.environ.get("PH_CUTS") or 25)
EXT4 = ("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0")
SYSTEMS = {     # mkfs, its size in MiB, options, further configuration, flushes
    "ext4": (EXT4, 96, "", "", "ordered"),
    "ext4 without delayed allocation": (EXT4, 96, ",nodelalloc", "", "ordered"),
    "ext4 with data=journal": (EXT4, 96, ",data=journal", "", "ordered"),
    "ext4, strict": (EXT4, 96, "", "durability strict\n", "strict"),
    "XFS": (("mkfs.xfs", "-q", "-f"), 320, "", "", "ordered"),
    "btrfs": (("mkfs.btrfs", "-q", "-f"), 320, "", "", "file"),
}
MUTANT = """
#include <fcntl.h>
#include <unistd.h>
static inline int no_flush(int fd) { return fd < 0 ? -1 : 0; }
#define fsync(fd) no_flush(fd)
#define sync_file_range(fd, at, n, flags) no_flush(fd)
"""


class Letterbox(Post):
    """Notes at which moment of the disk each message was acknowledged."""

    def __init__(self, rng, disk):
        super().__init__(rng)
        self.disk = disk


class NotingSender(Sender):
    def run(self):
        box, write = self.post, self.post.write

        def noted(*args, **kw):
            letter = write(*args, **kw)
            return Noted(letter, box.disk)
        self.post = type("P", (), {"write": staticmethod(noted)})
        super().run()


class Noted:
    """A letter whose fate is stamped when it is set."""

    def __init__(self, letter, disk):
        object.__setattr__(self, "letter", letter)
        object.__setattr__(self, "disk", disk)

    def __getattr__(self, name):
        return getattr(self.letter, name)

    def __setattr__(self, name, value):
        if name == "fate" and value == "acked":
            self.letter.moment = self.disk.now()
        setattr(self.letter, name, value)


def record(work, system, rng, build=None):
    """Mail flows for a while: the disk with its log, and what was sent."""
    mkfs, size, options, conf, how = SYSTEMS[system]
    d = disk.Disk(work, mkfs, size, options)
    stage = None
    try:
        for sub in ("spool", "mail"):
            os.mkdir(d.mountpoint + "/" + sub)
            os.chmod(d.mountpoint + "/" + sub, 0o755)
        os.chmod(d.mountpoint, 0o755)
        stage = Stage(conf, d.mountpoint + "/spool", d.mountpoint + "/mail")
        stage.up(build)
        os.sync()
        post = Letterbox(random.Random(rng.randrange(1 << 32)), d)
        threads = [NotingSender(post, stage.smtp, pause=0.001)
                   for _ in range(4)]
        threads += [NotingSender(post, stage.lmtp, True, 0.001)]
        for t in threads:
            t.start()
        time.sleep(SECONDS)
        for t in threads:
            t.stop.set()
        for t in threads:
            t.join(60)
        told = "durability=" + how in stage.log()
        end = d.now()
        stage.down()
        return d, stage, post, told, end
    except BaseException:
        if stage:
            stage.down()
            stage.remove()
        raise
    finally:
        d.close()


def mounted(image, system, where):
    options = SYSTEMS[system][2]
    disk.run("mount", "-o", "loop" + options, image, where)


def lost_at(mnt, post, moment):
    """What was promised before the moment, and is not there."""
    promised = [x for x in post.by_fate("acked") if x.moment <= moment]
    have, torn = spoolfile.whole(mnt + "/spool", post.letters)
    boxes = Mailboxes({u: "%s/mail/%s/Maildir" % (mnt, u) for u in USERS},
                      post.letters)
    lost = [m for m in boxes.missing(promised) if m not in have]
    lost[:2] = [(*m, *traces(mnt, m[0])) for m in lost[:2]]
    return promised, lost, torn + boxes.torn


def traces(mnt, token):
    """Wherever else something of it lies."""
    out = disk.run("grep", "-rlsF", token, mnt, check=False)
    return out.stdout.split()


def examine(work, system, d, post, rng, end, n):
    """(cuts, unsafe sectors, promises looked for, losses, torn files)"""
    acks = sorted(x.moment for x in post.by_fate("acked"))
    # right behind an acknowledgement is where a promise is youngest
    moments = sorted([rng.choice(acks) for _ in range(n * 2 // 3)] +
                     [rng.randrange(acks[0], end) for _ in range(n - n * 2 // 3)])
    image, mnt = work + "/cut.img", work + "/cut"
    os.makedirs(mnt, exist_ok=True)
    late, looked, lost, torn = 0, 0, [], []
    for moment, unsafe in disk.cuts(d, moments, rng, image):
        mounted(image, system, mnt)
        try:
            promised, gone, bad = lost_at(mnt, post, moment)
        finally:
            disk.run("umount", mnt)
        late, looked = late + unsafe, looked + len(promised)
        lost += [(moment, g) for g in gone]
        torn += [(moment, b) for b in bad]
    return len(moments), late, looked, lost, torn


def is_second(path, post, boxes):
    """Two states of a message may be found; one is put aside then."""
    got = spoolfile.read(path)
    letter = None if isinstance(got, str) else post.letters.get(got[0])
    return letter is not None and bool(boxes.arrived([letter]))


def start_after(work, system, d, post, rng, stage):
    """A cut in the middle, and everything is delivered by a new start."""
    acks = sorted(x.moment for x in post.by_fate("acked"))
    moment = acks[len(acks) // 2]
    image, mnt = work + "/cut.img", d.mountpoint
    for _ in disk.cuts(d, [moment], rng, image):
        mounted(image, system, mnt)
        try:
            promised = [x for x in post.by_fate("acked")
                        if x.moment <= moment]
            stage.start_master()
            wait_for(stage.all_running, 30)
            boxes = until_seen(stage, post, promised, 30)
            left = stage.settle(20)
            corrupt = [f for f in stage.files("corrupt", "hold")
                       if not is_second(f, post, boxes)]
            stage.down()
            return promised, boxes, left, corrupt
        finally:
            stage.down()
            disk.run("umount", mnt)


def make_place(top):
    work = tempfile.mkdtemp(dir=top)
    os.chmod(work, 0o755)       # the users' mailboxes are below
    return work


def one_system(tap, top, system, rng, n):
    work = make_place(top)
    d, stage, post, told, end = record(work, system, rng)
    try:
        tap.ok(told, "%s: queue says how it flushes" % system)
        cuts, late, looked, lost, torn = examine(work, system, d, post, rng,
                                                 end, n)
        tap.diag("%s: %s, log %d MiB, %d cuts with %d sectors at risk, %d "
                 "promises, %d torn" % (system, post.counts(), end >> 20, cuts,
                                        late, looked, len(torn)))
        tap.ok(looked > 0 and late > 0, "%s: something was at stake" % system)
        tap.ok(not lost, "%s: no cut takes what was acknowledged" % system,
               (len(lost), lost[:10]))
        tap.ok(not torn, "%s: no torn file under a real name" % system,
               (len(torn), torn[:10]))
        promised, boxes, left, corrupt = start_after(work, system, d, post,
                                                     rng, stage)
        tap.ok(promised and not boxes.missing(promised) and not boxes.torn and
               not left, "%s: after the cut all is delivered" % system,
               (boxes.missing(promised)[:5], boxes.torn[:5], left[:5]))
        tap.ok(not corrupt, "%s: and nothing else is corrupt" % system, corrupt[:5])
    finally:
        stage.remove()
        shutil.rmtree(work, ignore_errors=True)


def mutant_build(top, program):
    """The programs of the build, one of them with flushes that do nothing."""
    build = os.path.join(TOP, os.environ.get("PH_BUILD", "build"))
    copy = top + "/mutant-" + program
    subprocess.run(["cp", "-a", build, copy], check=True)
    with open(copy + "/mutant.h", "w") as f:
        f.write(MUTANT)
    disk.run("make", "-C", TOP, "-s", "BUILD=" + copy,
             "-W", "common/store/durable.c", "WARN=",
             "OPT=-O2 -g -include %s/mutant.h" % copy,
             copy + "/bin/" + program)
    with open(build + "/bin/" + program, "rb") as a, \
            open(copy + "/bin/" + program, "rb") as b:
        if hashlib.sha256(a.read()).digest() == \
                hashlib.sha256(b.read()).digest():
            raise RuntimeError("the mutant is none")
    return copy


def one_mutant(tap, top, system, program, rng, n):
    work = make_place(top)
    d, stage, post, _, end = record(work, system, rng,
                                    mutant_build(top, program))
    try:
        cuts, late, looked, lost, torn = examine(work, system, d, post, rng,
                                                 end, n)
        tap.diag("%s: without flushes in %s %d losses in %d cuts" % (
            system, program, len(lost), cuts))
        tap.ok(lost, "%s: %s without flushes is found out" % (system, program),
               (post.counts(), late, looked))
    finally:
        stage.remove()
        shutil.rmtree(work, ignore_errors=True)


def missing():
    if not is_long():
        return "long runs only"
    if not is_root():
        return "it takes root to mount"
    if not os.path.exists("/dev/fuse"):
        return "no FUSE"
    for tool in ("losetup", "mkfs.ext4", "unshare"):
        if not shutil.which(tool):
            return "no " + tool
    return None


def main():
    tap = Tap()
    why = missing()
    if why:
        tap.skip("power cuts", why)
        return tap.end()
    if "PH_UNSHARED" not in os.environ:
        os.execvpe("unshare", ["unshare", "-m", "--propagation", "private",
                               sys.executable, os.path.abspath(__file__)],
                   dict(os.environ, PH_UNSHARED="1"))
    rng = seed(tap)
    only = os.environ.get("PH_SYSTEM", "")
    top = tempfile.mkdtemp(prefix="posthouse-power.")
    os.chmod(top, 0o755)
    try:
        for system, (mkfs, *_) in SYSTEMS.items():
            if not system.startswith(only):
                continue
            if not shutil.which(mkfs[0]):
                tap.skip(system, "no " + mkfs[0])
                continue
            one_system(tap, top, system, rng, CUTS)
        for system in ("ext4", "XFS", "btrfs"):
            if not system.startswith(only) or \
                    not shutil.which(SYSTEMS[system][0][0]):
                continue
            for program in ("smtpd", "local-worker"):
                one_mutant(tap, top, system, program, rng, max(CUTS // 2, 15))
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
