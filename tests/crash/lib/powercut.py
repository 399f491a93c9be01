"""What tests of power cuts share: mail flows on a file system whose disk keeps
a record (disk.py); what is sent is noted with the moment of the disk at which it
was acknowledged; and the file system is mounted as a cut may have left it."""
import os
import shutil
import sys
import tempfile
import time

import disk
import mutant
from mail import Post, Sender
from stage import TOP, Stage, is_root
from tap import Tap, is_long, seed

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
#define splice splice_of_fcntl
#include <fcntl.h>
#undef splice
#include <unistd.h>
static inline int no_flush(int fd) { return fd < 0 ? -1 : 0; }
#define fsync(fd) no_flush(fd)
#define fdatasync(fd) no_flush(fd)
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


def flow(threads):
    """They send for a while."""
    for t in threads:
        t.start()
    time.sleep(SECONDS)
    for t in threads:
        t.stop.set()
    for t in threads:
        t.join(60)


def recorded(d, subs, make, build, work):
    """On that disk, with these directories, the stage that make() gives is up while work(stage) runs: the stage, which is
    down again, what work returned, and the last moment. The disk's log is complete."""
    stage = None
    try:
        for path in [d.mountpoint] + [d.mountpoint + "/" + sub for sub in subs]:
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o755)
        stage = make()
        stage.up(build)
        got = work(stage)
        end = d.now()
        stage.down()
        return stage, got, end
    except BaseException:
        if stage:
            stage.down()
            stage.remove()
        raise
    finally:
        d.close()


def record(work, system, send, conf="", build=None):
    """Mail flows, send(stage, disk): the disk with its log, the stage, what
    send returned, whether queue said how it flushes, and the last moment."""
    mkfs, size, options, more, how = SYSTEMS[system]
    d = disk.Disk(work, mkfs, size, options)

    def mail(stage):
        os.sync()
        return send(stage, d), "durability=" + how in stage.log()
    stage, (sent, told), end = recorded(d, ("spool", "mail"), lambda: Stage(
        conf + more, d.mountpoint + "/spool", d.mountpoint + "/mail"), build, mail)
    return d, stage, sent, told, end


def moments(acks, rng, end, n):
    """When to cut: most right behind an acknowledgement, where a promise is youngest."""
    acks = sorted(acks)
    return sorted([rng.choice(acks) for _ in range(n * 2 // 3)] +
                  [rng.randrange(acks[0], end) for _ in range(n - n * 2 // 3)])


def mounted(image, system, where):
    options = SYSTEMS[system][2]
    disk.run("mount", "-o", "loop" + options, image, where)


def examine(work, system, d, post, lost_at, rng, end, n):
    """(cuts, unsafe sectors, promises looked for, losses, torn files); of a
    mounted one lost_at(mountpoint, post, moment) has the last three."""
    todo = moments((x.moment for x in post.by_fate("acked")), rng, end, n)
    image, mnt = work + "/cut.img", work + "/cut"
    os.makedirs(mnt, exist_ok=True)
    late, looked, lost, torn = 0, 0, [], []
    for moment, unsafe in disk.cuts(d, todo, rng, image):
        mounted(image, system, mnt)
        try:
            promised, gone, bad = lost_at(mnt, post, moment)
        finally:
            disk.run("umount", mnt)
        late, looked = late + unsafe, looked + len(promised)
        lost += [(moment, g) for g in gone]
        torn += [(moment, b) for b in bad]
    return len(todo), late, looked, lost, torn


def make_place(top):
    work = tempfile.mkdtemp(dir=top)
    os.chmod(work, 0o755)       # the users' mailboxes are below
    return work


def mutant_build(top, program):
    """The programs of the build, one of them with flushes that do nothing."""
    header = top + "/mutant.h"
    with open(header, "w") as f:
        f.write(MUTANT)
    return mutant.make(top + "/mutant-" + program, program, TOP, "WARN=",
                       "-W", "common/store/durable.c",
                       "OPT=-O2 -g -include " + header)


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


def unshare(program):
    """In a space of mounts of its own, which ends with it."""
    if "PH_UNSHARED" not in os.environ:
        os.execvpe("unshare", ["unshare", "-m", "--propagation", "private",
                               sys.executable, os.path.abspath(program)],
                   dict(os.environ, PH_UNSHARED="1"))


def run(program, one_system, mutants):
    """The whole of such a test: one_system(tap, top, system, rng, cuts) on each
    file system, mutants(tap, top, system, rng, cuts) on some."""
    tap = Tap()
    why = missing()
    if why:
        tap.skip("power cuts", why)
        return tap.end()
    unshare(program)
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
            if system.startswith(only) and shutil.which(SYSTEMS[system][0][0]):
                mutants(tap, top, system, rng, max(CUTS // 2, 15))
    finally:
        shutil.rmtree(top, ignore_errors=True)
    return tap.end()
