"""A disk that keeps a record: a FUSE file system with one file, "disk", of
which a loop device is made. Every write and every flush is appended to a log
before it is answered, so that any moment can be had again, and what a power
cut might have left of it: all that was written before the last flush, and of
what came later any part.

As a program: disk.py IMAGE LOG MOUNTPOINT, serves until it is unmounted.
Speaks the kernel's protocol itself (fuse(4)); needs root and /dev/fuse."""
import ctypes
import errno
import os
import stat
import struct
import subprocess
import sys

IN = struct.Struct("<IIQQIIIHH")
OUT = struct.Struct("<IiQ")
ATTR = struct.Struct("<QQQQQQIIIIIIIIII")
MAX_WRITE = 1 << 20
ENTRY = struct.Struct("<cQQ")           # of the log: W at length, or F 0 0
SECTOR = 4096
ROOT, DISK = 1, 2

(LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC,
 FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, INTERRUPT, DESTROY,
 BATCH_FORGET) = (1, 2, 3, 4, 14, 15, 16, 17, 18, 20, 25, 26, 27, 28, 29, 36,
                  38, 42)


class Server:
    def __init__(self, image, log, mountpoint):
        self.image = os.open(image, os.O_RDWR)
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.size = os.fstat(self.image).st_size
        self.dev = os.open("/dev/fuse", os.O_RDWR)
        libc = ctypes.CDLL(None, use_errno=True)
        opts = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % self.dev
        if libc.mount(b"record", mountpoint.encode(), b"fuse", 0, opts) != 0:
            raise OSError(ctypes.get_errno(), "mount " + mountpoint)

    def attr(self, node):
        if node == ROOT:
            return ATTR.pack(ROOT, 0, 0, 0, 0, 0, 0, 0, 0,
                             stat.S_IFDIR | 0o700, 2, 0, 0, 0, 4096, 0)
        return ATTR.pack(DISK, self.size, self.size // 512, 0, 0, 0, 0, 0, 0,
                         stat.S_IFREG | 0o600, 1, 0, 0, 0, 4096, 0)

    def write(self, body):
        _, at, n = struct.unpack_from("<QQI", body)
        data = body[40:40 + n]
        os.pwrite(self.image, data, at)
        os.writev(self.log, [ENTRY.pack(b"W", at, n), data])
        return struct.pack("<II", n, 0)

    def answer(self, op, node, body):
        """The reply's body, or an errno."""
        if op == INIT:
            return struct.pack("<IIIIHHIIHHI7I", 7, 31, 0, 1 | 1 << 5 | 1 << 22,
                               16, 12, MAX_WRITE, 1, MAX_WRITE // 4096, 0, 0,
                               *[0] * 7)
        if op == LOOKUP:
            if body.rstrip(b"\0") != b"disk":
                return errno.ENOENT
            return struct.pack("<QQQQII", DISK, 0, 3600, 3600, 0, 0) + \
                self.attr(DISK)
        if op in (GETATTR, SETATTR):
            return struct.pack("<QII", 3600, 0, 0) + self.attr(node)
        if op in (OPEN, OPENDIR):
            return struct.pack("<QIi", 1, 0, 0)
        if op == READ:
            _, at, n = struct.unpack_from("<QQI", body)
            return os.pread(self.image, n, at)
        if op == WRITE:
            return self.write(body)
        if op == FSYNC:
            os.write(self.log, ENTRY.pack(b"F", 0, 0))
            return b""
        if op == STATFS:
            return struct.pack("<QQQQQIIIIII6I", 1 << 20, 1 << 19, 1 << 19, 9,
                               9, 4096, 255, 4096, 0, *[0] * 8)[:80]
        if op in (READDIR, FLUSH, RELEASE, RELEASEDIR, DESTROY):
            return b""
        return errno.ENOSYS

    def serve(self):
        while True:
            try:
                ask = os.read(self.dev, MAX_WRITE + 8192)
            except OSError as e:
                if e.errno in (errno.EINTR, errno.EAGAIN, errno.ENOENT):
                    continue
                if e.errno == errno.ENODEV:     # unmounted
                    return
                raise
            _, op, unique, node, *_ = IN.unpack_from(ask)
            if op in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            got = self.answer(op, node, ask[IN.size:])
            err, body = (-got, b"") if isinstance(got, int) else (0, got)
            try:
                os.writev(self.dev, [OUT.pack(OUT.size + len(body), err,
                                              unique), body])
            except OSError as e:
                if e.errno != errno.ENOENT:     # interrupted meanwhile
                    raise


def run(*cmd, check=True):
    out = subprocess.run(cmd, capture_output=True, text=True)
    if check and out.returncode != 0:
        raise RuntimeError("%s: %s" % (" ".join(cmd), out.stdout + out.stderr))
    return out


class Disk:
    """A recorded disk with a file system, mounted."""

    def __init__(self, dir, mkfs, megabytes, options=""):
        self.base, self.live = dir + "/base.img", dir + "/live.img"
        self.log, self.fuse = dir + "/log", dir + "/fuse"
        self.mountpoint = dir + "/mnt"
        for d in (self.fuse, self.mountpoint):
            os.mkdir(d)
        with open(self.base, "wb") as f:
            f.truncate(megabytes << 20)
        run(*mkfs, self.base)
        run("cp", "--sparse=always", self.base, self.live)
        self.server = subprocess.Popen([sys.executable, os.path.abspath(
            __file__), self.live, self.log, self.fuse])
        while not os.path.exists(self.fuse + "/disk"):
            if self.server.poll() is not None:
                raise RuntimeError("no FUSE here")
        self.loop = run("losetup", "-f", "--show",
                        self.fuse + "/disk").stdout.strip()
        run("mount", "-o", "noatime" + options, self.loop, self.mountpoint)

    def now(self):
        """A moment: what was written and flushed until then is before it."""
        return os.stat(self.log).st_size

    def close(self):
        run("umount", self.mountpoint, check=False)
        run("losetup", "-d", self.loop, check=False)
        for _ in range(100):
            if run("umount", self.fuse, check=False).returncode == 0:
                break
        self.server.wait(30)


def entries(log):
    """(position behind it, kind, offset, data) of a log."""
    with open(log, "rb") as f:
        while True:
            head = f.read(ENTRY.size)
            if len(head) < ENTRY.size:
                return
            kind, at, n = ENTRY.unpack(head)
            yield f.tell() + n, kind, at, f.read(n)


def pieces(at, data):
    """A write as the sectors that a disk writes as a whole."""
    while data:
        n = SECTOR - at % SECTOR
        yield at, data[:n]
        at, data = at + n, data[n:]


def subset(late, rng):
    """What a power cut leaves of writes that no flush came after."""
    way = rng.randrange(4)
    if way == 0:            # nothing
        return []
    if way == 1:            # the first ones, in order
        return late[:rng.randrange(len(late) + 1)]
    keep = rng.random()     # any, even the last without the first
    return [x for x in late if rng.random() < keep]


def cuts(disk, moments, rng, image):
    """At each moment (ascending) a file `image` as it may be after a power
    cut: yields the moment, and how many sectors were not safe then."""
    todo, late = list(moments), []
    durable = disk.base + ".durable"
    run("cp", "--sparse=always", disk.base, durable)
    fd = os.open(durable, os.O_RDWR)
    try:
        for end, kind, at, data in entries(disk.log):
            while todo and todo[0] < end:
                yield make_cut(durable, image, late, rng, todo.pop(0))
            if kind == b"F":
                for a, d in late:
                    os.pwrite(fd, d, a)
                late = []
            else:
                late += pieces(at, data)
        for moment in todo:
            yield make_cut(durable, image, late, rng, moment)
    finally:
        os.close(fd)
        os.unlink(durable)


def make_cut(durable, image, late, rng, moment):
    run("cp", "--sparse=always", durable, image)
    with open(image, "r+b") as f:
        for at, data in subset(late, rng):
            f.seek(at)
            f.write(data)
    return moment, len(late)


if __name__ == "__main__":
    Server(*sys.argv[1:4]).serve()
