"""Mailboxes on disks that are full, have no inodes left or become read-only while IMAP sessions work in them, and on a quota: what
could not be done is answered by NO, what was there stays there with its flags, mail can be read, and all goes on as soon as there is
room again. What the clients were told is compared with the Maildir. As root. TAP on standard output."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e/lib"))
from full import Small  # noqa: E402
from imap import Imap  # noqa: E402
from disk import run  # noqa: E402
from imapbox import MESSAGES, User, letter  # noqa: E402
from powercut import unshare  # noqa: E402
from stage import Stage, is_root, wait_for  # noqa: E402
from tap import Tap, is_long  # noqa: E402

NO = (b"NO [UNAVAILABLE]", b"NO [NOPERM]", b"NO [OVERQUOTA]", b"NO [LIMIT]", b"NO [SERVERBUG]", b"NO [INUSE]", b"NO [NONEXISTENT]")


class Disk(Small):
    """One that an error of the device makes read-only, though files are open; it is mounted anew afterwards."""

    def break_it(self):
        self.broken = True
        run("mount", "-o", "remount,abort", self.where)

    def give_back(self):
        if getattr(self, "broken", False):
            self.broken = False
            run("umount", self.where)
            subprocess.run(["fsck.ext4", "-fy", self.image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            run("mount", "-o", "loop", self.image, self.where)
        else:
            run("mount", "-o", "remount,rw", self.where)
        run("rm", "-rf", self.where + "/filler", self.where + "/many")


class Client:
    def __init__(self, user, select=True):
        self.user = user
        self.c = Imap(user.stage, user.name, timeout=120)
        self.n = 0
        self.log = []
        self.ended = False
        if select:
            self.do(b"SELECT INBOX")

    def do(self, line):
        """Was it OK? Anything else has to be a proper NO."""
        if self.ended:
            return False
        said, done = self.c.command(line)
        what = line[:50].split(b"\r\n")[0].decode()
        self.log.append((what, (done or b"end")[:60].decode()))
        bye = [s for s in said if s.startswith(b"BYE")]
        if done is None or bye:
            self.ended = True
            self.user.wrong.append((what, "the end", said[-2:]))
            return done is not None and done.startswith(b"OK")
        if not done.startswith(b"OK") and not done.startswith(NO):
            self.user.wrong.append((what, done))
        self.said, self.done = said, done
        return done.startswith(b"OK")

    def name(self):
        self.n += 1
        return "%s-%d-%d" % (self.user.name, id(self) % 9973, self.n)

    def literal(self, size):
        name = self.name()
        data = letter(name.encode(), size)
        return name, b"{%d+}\r\n" % len(data) + data

    def uid(self, subject):
        self.do(b"UID SEARCH HEADER Subject " + subject.encode())
        found = re.search(rb"SEARCH (\d+)", b" ".join(self.said))
        return found and found.group(1)

    def shown(self):
        self.do(b"STATUS INBOX (MESSAGES)")
        return int(re.search(rb"MESSAGES (\d+)", b" ".join(self.said)).group(1)) if not self.ended else 0

    def append(self, size, times=1):
        some = [self.literal(size) for _ in range(times)]
        if self.do(b"APPEND INBOX " + b" ".join(b"(\\Draft) " + l for _, l in some)):
            for name, _ in some:
                self.saved(name, {"\\Draft"})

    def saved(self, name, flags):
        self.user.model[""][name] = flags
        # it took the last inode, and the lock of the list of UIDs had none: it is there, and is shown when there is room
        if self.user.waits and b"APPENDUID" not in self.done:
            self.user.waits += 1

    def catenate(self):
        name, l = self.literal(1000)
        if self.do(b"APPEND INBOX CATENATE (TEXT %s)" % l):
            self.saved(name, set())

    def store(self, subject, flag):
        uid = self.uid(subject)
        if uid and self.do(b"UID STORE %s +FLAGS (%s)" % (uid, flag.encode())) and subject in self.user.model[""]:
            self.user.model[""][subject].add(flag)

    def copy(self, subject, to):
        uid = self.uid(subject)
        if uid and self.do(b"UID COPY %s %s" % (uid, to.encode())):
            self.user.model[to][subject] = set(self.user.model[""][subject])

    def move(self, subject, to):
        uid = self.uid(subject)
        if uid and self.do(b"UID MOVE %s %s" % (uid, to.encode())):
            self.user.model[to][subject] = self.user.model[""].pop(subject)

    def expunge(self, subject):
        model = self.user.model[""]
        self.store(subject, "\\Deleted")
        if "\\Deleted" in model[subject] and self.do(b"EXPUNGE"):
            for s in [s for s in model if "\\Deleted" in model[s]]:
                del model[s]

    def step(self, what, *args):
        getattr(self, what)(*args)
        self.user.compare("%s: %s" % (self.log[-1], what))

    def read(self):
        """Everything can be read."""
        ok = self.do(b"UID FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE BODY.PEEK[])")
        n = sum(b"end of " in s for s in self.said) if ok else 0
        if n < len(self.user.model[""]) - self.user.waits:
            self.user.wrong.append(("read", n, len(self.user.model[""]), self.log[-1]))
        for line in (b"UID SEARCH TEXT end", b"UID SORT (SUBJECT) UTF-8 ALL", b"STATUS Copies (MESSAGES UIDNEXT)", b"LIST \"\" *", b"LSUB \"\" *",
                     b"NOOP"):
            if not self.do(line):
                self.user.wrong.append(self.log[-1])

    def work(self, k):
        """One command of each kind; k: which messages."""
        u, me = self.user, self.user.name
        mine = [s for s in sorted(u.model[""]) if s.startswith(me + "-") and s.count("-") == 1]
        a, b, c, d = mine[k % len(mine)], mine[(k + 1) % len(mine)], mine[(k + 2) % len(mine)], mine[(k + 3) % len(mine)]
        self.step("append", 1000)
        self.step("append", 300000)
        self.step("append", 2000, 3)
        self.step("catenate")
        self.step("store", a, "\\Flagged")
        self.step("store", b, "$new%d" % k)
        if b not in u.model["Copies"]:
            self.step("copy", b, "Copies")
        self.step("move", c, "Moved")
        self.step("expunge", d)
        for i, line in enumerate((b"CREATE New%d", b"SUBSCRIBE New%d", b"SETMETADATA INBOX (/private/comment \"%d\")", b"RENAME New%d Old%d",
                                  b"DELETE Old%d")):
            self.do(line.replace(b"%d", b"%d" % k))
        self.do(b"UID FETCH 1:* (BODY[HEADER.FIELDS (Subject)])")
        for s in self.said:
            m = re.search(rb"FLAGS \(([^)]*)\).*Subject: (\S+)", s, re.S)
            if m and b"\\Seen" in m.group(1):
                u.model[""][m.group(2).decode()].add("\\Seen")
        u.compare("fetch")
        tag = self.c.tag()
        if not self.ended:
            self.c.send(tag + b" IDLE\r\nDONE\r\n")
            self.c.answer(tag)
        self.read()


class Trial:
    def __init__(self, tap, stage, fs, what):
        self.tap, self.stage, self.fs, self.what = tap, stage, fs, what

    def ok(self, good, name, detail=""):
        return self.tap.ok(good, "%s: %s" % (self.what, name), detail)

    def run(self, take, refuses, k, leave=0):
        warm_user, cold_user = User(self.stage, "alice"), User(self.stage, "bob")
        for u in (warm_user, cold_user):
            run("rm", "-rf", u.dir)
            u.fill()
        warm, idle = Client(warm_user), Client(warm_user)
        warm.step("append", 1000)
        warm.step("store", "alice-0", "$old")
        # what waits to be moved to cur/ has to wait
        for u in (warm_user, cold_user):
            path = u.dir + "/new/1700000500.M1P1.here"
            with open(path, "wb") as f:
                f.write(letter(u.name.encode() + b"-new").replace(b"\r\n", b"\n"))
            os.chown(path, *u.ids)
            u.model[""][u.name + "-new"] = set()
        # this one has no UID, and cannot get one: it is seen when there is room
        warm_user.waits = 1
        os.sync()
        take(self.fs)
        warm.log = []
        cold = Client(cold_user)
        for c in (warm, cold):
            c.read()
            c.work(k)
            c.work(k + 4)
        if refuses:
            said = [x for x in warm.log + cold.log if x[0].startswith(refuses)]
            # what was removed leaves an inode, which the next command may find: what is said to be done is compared below
            each = [any(x[0].startswith(what) and x[1].startswith("NO") for x in said) for what in refuses]
            self.ok(all(each), "what cannot be done is refused", (each, said[:6]))
        refused = sum(x[1].startswith("NO") for x in warm.log + cold.log)
        self.tap.diag("%s: %d commands, %d refused" % (self.what, len(warm.log + cold.log), refused))
        self.ok(not warm_user.wrong and not cold_user.wrong, "nothing is lost, and nothing said that is not so",
                (warm_user.wrong[:4], cold_user.wrong[:4]))
        self.ok(not warm.ended and not cold.ended and idle.do(b"NOOP"), "sessions go on", (warm.log[-1], cold.log[-1]))
        again = getattr(self.fs, "broken", False)
        if again:       # nobody may have it open
            for c in (warm, cold, idle):
                c.c.close()
            wait_for(lambda: not self.stage.processes("imapd-session"), 60)
        self.fs.give_back()
        for u, c in ((warm_user, warm), (cold_user, cold)):
            u.wrong, u.waits = [], 0
            if again:       # what they have open is on the disk that broke
                c = Client(u)
            wait_for(lambda u=u, c=c: c.ended or c.shown() == len(u.model[""]), 60)
            if u is cold_user and not again and c.ended:
                # what it had no room to write was its own: the folder has other numbers since
                u.wrong = []
                c = Client(u)
            self.ok(wait_for(lambda u=u, c=c: c.shown() == len(u.model[""]), 60), "%s: all is shown" % u.name, c.log[-3:])
            c.log = []
            c.work(k + 8)
            no = [x for x in c.log if x[1].startswith("NO")]
            self.ok(not no, "%s: all is done when there is room again" % u.name, no[:5])
            fresh = Client(u)
            fresh.read()
            u.compare("at last")
            self.ok(not u.wrong, "%s: and is there" % u.name, u.wrong[:5])
            tmp = os.listdir(u.dir + "/tmp")
            self.ok(not tmp, "%s: nothing is left in tmp" % u.name, tmp[:5])
            self.fill_up(u, c)
            c.c.close()
            fresh.c.close()
        idle.c.close()
        warm.c.close()

    def fill_up(self, u, c):
        """A literal that the disk has no room for but for its first part."""
        if self.fs.kind != "ext4" or "full" not in self.what:
            return
        self.fs.take_blocks(leave=1 << 20)
        c.log = []
        c.step("append", 3 << 20)
        c.step("append", 100000)
        tmp = os.listdir(u.dir + "/tmp")
        self.ok(c.log[0][1].startswith("NO") and not tmp and not u.wrong, "%s: half a literal leaves nothing" % u.name, (c.log, tmp, u.wrong))
        self.ok(c.log[1][1].startswith("OK"), "%s: and a smaller one comes after it" % u.name, c.log)
        self.fs.give_back()


def quota(tap, stage):
    u = User(stage, "carol")
    run("rm", "-rf", u.dir)
    u.fill()
    with open(u.dir + "/maildirsize", "w") as f:
        f.write("60000S,%dC\n" % (MESSAGES + 4))
    os.chown(u.dir + "/maildirsize", *u.ids)
    c = Client(u)
    c.step("append", 50000)
    c.step("append", 50000)
    c.step("append", 1000, 5)
    c.step("append", 1000, 3)
    for n in range(6):
        c.step("copy", "carol-%d" % n, "Copies")
    c.step("store", "carol-1", "\\Flagged")
    c.step("store", "carol-1", "$new")
    c.step("move", "carol-2", "Moved")
    said = [x[1] for x in c.log if x[0].startswith(("APPEND", "UID COPY"))]
    tap.ok(said[0].startswith("NO [OVERQUOTA]") or said[1].startswith("NO [OVERQUOTA]"), "over quota: APPEND is refused", said)
    tap.ok(said[2].startswith("NO [OVERQUOTA]") and said[-1].startswith("NO [OVERQUOTA]"), "over quota: by number, too", said)
    tap.ok(all(x[1].startswith("OK") for x in c.log if "STORE" in x[0] or "MOVE" in x[0]), "over quota: flags and moves are free", c.log)
    for n in range(6, 12):
        c.step("expunge", "carol-%d" % n)
    c.step("append", 1000)
    tap.ok(c.log[-1][1].startswith("OK"), "over quota: there is room again", c.log[-1])
    tap.ok(not u.wrong, "over quota: nothing is lost", u.wrong[:5])
    c.c.close()


def one_kind(tap, top, kind):
    fs = Disk(top, "mail-" + kind, kind)
    os.mkdir(fs.where + "/m")
    os.chmod(fs.where + "/m", 0o755)
    stage = Stage("imap.user-connections 0\nlog-level debug\n", mail=fs.where + "/m")
    ways = [("full", Small.take_blocks, ("APPEND",)), ("no inodes", Small.take_inodes, ("APPEND", "CREATE"))]
    if kind == "ext4":
        ways.append(("read-only", Disk.break_it, ("APPEND", "UID STORE", "UID COPY", "UID MOVE", "CREATE", "SUBSCRIBE", "SETMETADATA")))
    try:
        stage.up()
        for k, (name, take, refuses) in enumerate(ways):
            Trial(tap, stage, fs, "%s, %s" % (kind, name)).run(take, refuses, k)
        quota(tap, stage)
        left = stage.down()
        tap.ok(not left, "%s: no process is left" % kind, left)
        odd = [l for l in stage.log().splitlines() if "signal" in l and "imapd" in l]
        tap.ok(not odd, "%s: none died of it" % kind, odd[:3])
    finally:
        if tap.failed:
            sys.stderr.write(stage.log()[-3000:])
        stage.down()
        stage.remove()
        fs.close()


def main():
    tap = Tap()
    if not is_root() or not shutil.which("unshare"):
        tap.skip("full disks below IMAP", "it takes root to mount")
        return tap.end()
    unshare(__file__)
    top = tempfile.mkdtemp(prefix="posthouse-full.")
    os.chmod(top, 0o755)
    try:
        kinds = ["ext4"] if shutil.which("mkfs.ext4") else []
        if is_long() or not kinds:
            kinds.append("tmpfs")
        for kind in kinds:
            one_kind(tap, top, kind)
    finally:
        subprocess.run(["rm", "-rf", top])
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
