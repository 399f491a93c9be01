"""IMAP on Maildirs that are damaged underfoot: files of ours that are cut, filled with garbage, replaced by what is no file, or
unreadable, before a mailbox is opened and while it is selected; messages that go, change, or have impossible names; folders that
vanish; clocks that go back. The session goes on or says BYE, no message or flag is lost, a UID never means two messages. TAP."""
import concurrent.futures
import os
import random
import re
import shutil
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import LONG, ROOT, Skip, Stage, Tap, until, want  # noqa: E402
from imap import Imap  # noqa: E402

MESSAGES = 12
USERS = 120
OURS = ("posthouse.index", "posthouse.cache", "posthouse.texts", "dovecot-uidlist", "dovecot-keywords", "subscriptions")
OTHERS = ("maildirsize", "dovecot-uidvalidity", "posthouse-special-use", "posthouse-metadata", "posthouse-metadata-server", "dovecot-acl",
          "posthouse.index.new", "posthouse.cache.new", "posthouse.texts.new", "posthouse.lock", "courierimapuiddb",
          "courierimapkeywords", "courierimapsubscribed", "dovecot-keywords.lock") + (("dovecot-uidlist.lock",) if LONG else ())
FLAGS = {1: "S", 2: "FS", 3: "RS", 4: "Sa", 5: "Sab", 6: "DF"}
NAMES = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted", "a": "$Work", "b": "Later"}


def text(n, more=b"line\n" * 3):
    return b"From: a@b.example\nSubject: m%d\nMessage-ID: <m%d@x>\n\n" % (n, n) + more


class Box:
    """The Maildir of a user that nobody else uses."""
    last = 0
    lock = threading.Lock()

    def __init__(self, stage):
        with Box.lock:
            Box.last += 1
            self.stage, self.user = stage, "user%d" % Box.last
        self.home = os.path.join(os.path.realpath(os.path.join(stage.dir, "mail")), self.user)
        self.dir = os.path.join(self.home, "Maildir")
        self.flags = {}
        self.known = {}     # (validity, uid): subject, over all sessions
        for d in ("", "tmp", "new", "cur"):
            self.own(os.mkdir(self.path(d), 0o700), d)
        for n in range(1, MESSAGES + 1):
            self.put(n)
        self.write("dovecot-keywords", b"0 $Work\n1 Later\n")
        self.write("subscriptions", b"INBOX\nWork\n")

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def own(self, _, *names):
        if ROOT:
            st = os.stat(self.home)
            os.lchown(self.path(*names), st.st_uid, st.st_gid)

    def write(self, name, data, mode=0o600):
        with open(self.path(name), "wb") as f:
            f.write(data)
        os.chmod(self.path(name), mode)
        self.own(None, name)

    def put(self, n, name=None, data=None):
        letters = FLAGS.get(n, "")
        name = name or "cur/%d.M1P%d.here:2,%s" % (1700000000 + n, n, letters)
        self.write(name, data or text(n))
        if data is None:
            self.flags["m%d" % n] = {NAMES[c] for c in letters}
        return name

    def open(self, select=True):
        c = Imap(self.stage, self.user, timeout=120)
        if select:
            c.ok(b"SELECT INBOX")
        return c

    def look(self, c=None):
        """subject: (uid, flags), and the UID validity; what was seen is compared with all that was seen before."""
        mine = c is None
        if mine:
            c = self.open(False)
        said, _ = c.ok(b"SELECT INBOX")
        validity = next(int(m.group(1)) for m in (re.search(rb"UIDVALIDITY (\d+)", s) for s in said) if m)
        got = {}
        for s in c.ok(b"UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[0]:
            m = re.search(rb"UID (\d+) FLAGS \(([^)]*)\) BODY\[HEADER.FIELDS \(SUBJECT\)\] \{\d+\}\r\nSubject: (\S+)", s)
            if m:
                subject = m.group(3).decode()
                want("one " + subject, subject, subject not in got)
                got[subject] = (int(m.group(1)), set(m.group(2).decode().split()) - {"\\Recent"})
        for subject, (uid, _) in got.items():
            before = self.known.setdefault((validity, uid), subject)
            want("UID %d of %d is %s" % (uid, validity, before), subject, subject == before)
        if mine:
            c.logout()
        return got, validity

    def expect(self, got, missing=()):
        for subject, flags in self.flags.items():
            if subject in missing:
                continue
            want(subject + " is there", sorted(got), subject in got)
            want("flags %s of %s" % (sorted(flags), subject), sorted(got[subject][1]), got[subject][1] == flags)
        odd = set(got) - set(self.flags)
        want("nothing else", sorted(odd), not odd)


class Session:
    """One that may be told BYE, or NO, but has to be told something."""

    def __init__(self, box):
        self.box = box
        self.c = box.open()
        self.bye = None

    def do(self, line, literal=None):
        """The tagged reply; None after BYE."""
        if self.bye:
            return None
        if literal is not None:
            line += b" {%d+}\r\n" % len(literal) + literal
        said, done = self.c.command(line)
        self.bye = next((s for s in said if s.startswith(b"BYE ")), None)
        if done is None:
            want("BYE before the end, after %r" % line[:60], said[-3:], self.bye)
            return None
        want("OK or NO to %r" % line[:60], done, done.startswith((b"OK", b"NO")))
        return done

    def work(self, n):
        """All kinds of commands; the model learns what was acknowledged."""
        flags = self.box.flags
        self.do(b"NOOP")
        self.do(b"UID FETCH 1:* (FLAGS RFC822.SIZE INTERNALDATE ENVELOPE BODYSTRUCTURE)")
        self.do(b"UID FETCH 2:3 BODY.PEEK[]")
        for uid, flag in ((1, "\\Flagged"), (2, "$Work"), (7, "\\Seen")):
            done = self.do(b"UID STORE %d +FLAGS (%s)" % (uid, flag.encode()))
            if done and done.startswith(b"OK"):
                flags["m%d" % uid].add(flag)
            elif flag not in flags["m%d" % uid]:
                flags["m%d" % uid] = Either(flags["m%d" % uid], flag)
        done = self.do(b"APPEND INBOX (\\Draft $Work)", text(n).replace(b"\n", b"\r\n"))
        if done and done.startswith(b"OK"):
            flags["m%d" % n] = {"\\Draft", "$Work"}
            m = re.search(rb"APPENDUID (\d+) (\d+)", done)
            self.box.known[int(m.group(1)), int(m.group(2))] = "m%d" % n
        self.do(b"UID SEARCH SUBJECT m3")
        self.do(b"LSUB \"\" *")
        self.do(b"NOOP")


class Either(set):
    """Flags of which one may have been set."""

    def __init__(self, flags, perhaps):
        set.__init__(self, flags)
        self.perhaps = perhaps

    def __eq__(self, other):
        return set(self) == set(other) or set(self) | {self.perhaps} == set(other)

    __hash__ = None


def size(path):
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def in_place(path, data, at=0):
    if os.path.exists(path):
        with open(path, "r+b") as f:
            f.seek(at)
            f.write(data)


def replaced(box, name, make):
    path = box.path(name)
    if os.path.lexists(path):
        os.unlink(path)
    make(path)
    if os.path.lexists(path):
        box.own(None, name)


def garbage(n):
    return random.Random(n).randbytes(min(n, 1 << 20))


# What is done to a file, by name.
KINDS = {
    "emptied": lambda b, n: os.path.exists(b.path(n)) and os.truncate(b.path(n), 0),
    "halved": lambda b, n: os.path.exists(b.path(n)) and os.truncate(b.path(n), size(b.path(n)) // 2),
    "cut by a byte": lambda b, n: size(b.path(n)) and os.truncate(b.path(n), size(b.path(n)) - 1),
    "garbled in place": lambda b, n: in_place(b.path(n), garbage(size(b.path(n)))),
    "zeroed in place": lambda b, n: in_place(b.path(n), bytes(min(size(b.path(n)), 1 << 20))),
    "with a page of garbage": lambda b, n: in_place(b.path(n), garbage(300), 500),
    "with garbage behind": lambda b, n: in_place(b.path(n), garbage(5000), size(b.path(n))),
    "made huge": lambda b, n: os.path.exists(b.path(n)) and os.truncate(b.path(n), 1 << 36),
    "removed": lambda b, n: replaced(b, n, lambda p: None),
    "garbage instead": lambda b, n: replaced(b, n, lambda p: b.write(n, garbage(size(p) or 4000))),
    "a directory": lambda b, n: replaced(b, n, lambda p: os.mkdir(p, 0o700)),
    "a FIFO": lambda b, n: replaced(b, n, lambda p: os.mkfifo(p, 0o600)),
    "a socket": lambda b, n: replaced(b, n, a_socket),
    "a link to elsewhere": lambda b, n: replaced(b, n, lambda p: os.symlink("/etc/passwd", p)),
    "a link to nowhere": lambda b, n: replaced(b, n, lambda p: os.symlink("/nonexistent/x", p)),
    "unreadable": lambda b, n: os.path.exists(b.path(n)) and os.chmod(b.path(n), 0),
    "somebody else's": lambda b, n: ROOT and os.path.exists(b.path(n)) and os.chown(b.path(n), 0, 0),
}
# where the list of UIDs is lost as well as the index, nobody knows them any more
REPAIRED = {"a directory", "a FIFO", "a socket", "a link to elsewhere", "a link to nowhere", "unreadable", "somebody else's"}


def a_socket(path):
    # the name may be too long for an address
    s = socket.socket(socket.AF_UNIX)
    here = os.open(os.path.dirname(path), os.O_PATH)
    s.bind("/proc/self/fd/%d/%s" % (here, os.path.basename(path)))
    os.close(here)
    s.close()


def repair(box, name):
    """What an operator would do: it is removed, if it is none of ours; else it is readable again."""
    path = box.path(name)
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    elif os.path.lexists(path) and not os.path.isfile(path) or os.path.islink(path):
        os.unlink(path)
    elif os.path.exists(path):
        os.chmod(path, 0o600)
        box.own(None, name)


quiet = threading.Lock()


def bystander_ok(bystander):
    with quiet:
        look_on(bystander)


def look_on(bystander):
    bystander.ok(b"UID FETCH 1:* (FLAGS RFC822.SIZE)")
    bystander.ok(b"NOOP")


def damaged(stage, bystander, kind):
    """Each of our files so, one after the other, under a session that goes on."""
    box = Box(stage)
    first = Session(box)
    before, validity = box.look()
    box.expect(before)
    n = 100
    for name in OURS:
        if first.bye:
            first = Session(box)
        start = time.monotonic()
        first.do(b"UID FETCH 1:3 (ENVELOPE BODYSTRUCTURE)")
        KINDS[kind](box, name)
        first.work(n)
        n += 1
        other = box.open(False)
        other.command(b"SELECT INBOX")
        other.command(b"UID FETCH 1:* (FLAGS ENVELOPE)")
        other.close()
        if kind in REPAIRED:
            repair(box, name)
        if first.bye:
            first = Session(box)
        first.work(n)
        n += 1
        try:
            got, now = box.look()
            box.expect(got)
            want("%s: the same UID validity, %d" % (name, validity), now, now == validity)
            for s, (uid, _) in before.items():
                want("%s: UID %d of %s" % (name, uid, s), got[s][0], got[s][0] == uid)
        except Exception as e:
            raise type(e)("%s: %s" % (name, e))
        if time.monotonic() - start > 2:
            print("# %s: %.1f s" % (name, time.monotonic() - start))
    bystander_ok(bystander)


def others(stage, bystander):
    """What is needed now and then is no file: nobody waits for it, and mail can be read."""
    kinds = ("a directory", "a link to nowhere", "a socket")
    for i, name in enumerate(OTHERS):
        for kind in ("a FIFO",) + (kinds if LONG else kinds[i % 3:i % 3 + 1]):
            # without Courier's list nobody knows the UIDs, and a lock is somebody's
            if kind != "a FIFO" and (name.endswith("lock") or name == "courierimapuiddb"):
                continue
            box = Box(stage)
            KINDS[kind](box, name)
            s = Session(box)
            start = time.monotonic()
            s.work(100)
            for line in (b"CREATE New", b"SUBSCRIBE New", b"GETQUOTAROOT INBOX", b"GETMETADATA INBOX /private/comment", b"GETACL INBOX",
                         b"SETMETADATA INBOX (/private/comment \"x\")", b"LIST (SPECIAL-USE) \"\" *", b"CREATE Sent (USE (\\Sent))",
                         b"GETMETADATA \"\" /private/comment", b"DELETE New"):
                s.do(line)
            want("%s is %s: no BYE" % (name, kind), s.bye, s.bye is None)
            took = time.monotonic() - start
            if took > 1:
                print("# %s is %s: %.1f s" % (name, kind, took))
            want("%s is %s: nobody waits for it" % (name, kind), took, took < 60)
            got, _ = box.look()
            box.expect(got)
            s.c.close()
    bystander_ok(bystander)


def all_lost(stage, bystander):
    """Index and list at once: the UIDs are others, and so is the validity."""
    box = Box(stage)
    s = Session(box)
    _, validity = box.look()
    for name in OURS[:4]:
        if os.path.exists(box.path(name)):
            os.unlink(box.path(name))
    s.work(100)
    got, now = box.look()
    box.expect(got)
    want("another UID validity than %d if a UID changed" % validity, now, now >= validity)
    for name in OURS[:4]:
        if os.path.exists(box.path(name)):
            os.truncate(box.path(name), 0)
    if not s.bye:
        s.work(101)
    got, _ = box.look()
    box.expect(got)
    bystander_ok(bystander)


def cut_under_use(stage, bystander):
    """The index is cut in place again and again while sessions use it."""
    box = Box(stage)
    byes = 0
    for i in range(12):
        s = Session(box)
        at = os.open(box.path("posthouse.index"), os.O_RDWR)
        s.do(b"UID FETCH 1:* (FLAGS ENVELOPE)")
        for name in ("posthouse.cache", "posthouse.texts")[:i % 3]:
            KINDS["emptied"](box, name)
        os.ftruncate(at, i * 97 % 4096)
        os.close(at)
        s.do((b"UID FETCH 1:* (FLAGS UID RFC822.SIZE)", b"UID STORE 3 +FLAGS (\\Seen)", b"UID SEARCH ALL", b"NOOP")[i % 4])
        s.do(b"UID FETCH 1:* (FLAGS ENVELOPE RFC822.SIZE)")
        byes += s.bye is not None
        s.c.close()
        got, _ = box.look()
        box.expect(got)
    print("# %d of 12 sessions ended with BYE" % byes)

    def told():
        return [l for l in stage.log().splitlines() if "a file of its index broke" in l and "user=%s " % box.user in l]
    want("BYE", byes, byes > 0)
    until("a line of the log for each", lambda: len(told()) >= byes, 60)
    want("and no more", (byes, told()[-2:]), len(told()) == byes)
    dead = [l for l in stage.log().splitlines() if "session-died" in l]
    want("no session was killed", dead[-2:], not dead)
    bystander_ok(bystander)


def messages(stage, bystander):
    """Files of messages that go, change and become other things between SELECT and FETCH."""
    box = Box(stage)
    s = Session(box)
    name = {n: "cur/%d.M1P%d.here:2,%s" % (1700000000 + n, n, FLAGS.get(n, "")) for n in range(1, MESSAGES + 1)}
    os.unlink(box.path(name[1]))
    os.rename(box.path(name[2]), box.path(name[2] + "T"))
    replaced(box, name[3], lambda p: box.write(name[3], text(3, b"other\n" * 2000)))
    os.truncate(box.path(name[4]), 20)
    os.chmod(box.path(name[5]), 0)
    replaced(box, name[6], lambda p: os.mkdir(p, 0o700))
    replaced(box, name[7], lambda p: os.mkfifo(p, 0o600))
    replaced(box, name[8], lambda p: os.symlink("/etc/passwd", p))
    os.truncate(box.path(name[9]), 0)
    for n in range(1, MESSAGES + 1):
        for what in (b"BODY.PEEK[]", b"ENVELOPE", b"RFC822.SIZE", b"BODYSTRUCTURE", b"BODY.PEEK[TEXT]<3.50>", b"BINARY.SIZE[1]"):
            done = s.do(b"UID FETCH %d %s" % (n, what))
            want("an answer for %d" % n, s.bye, done is not None)
            if n >= 10:
                want("OK for %d" % n, done, done.startswith(b"OK"))
    said, done = s.c.command(b"UID FETCH 1:* (BODY.PEEK[])")
    whole = [x for x in said if b"BODY[] {" in x]
    want("those that can be read", len(whole), len(whole) >= 4)
    s.do(b"UID STORE 1:* +FLAGS (\\Flagged)")
    s.do(b"UID COPY 1:* INBOX")
    s.do(b"UID SEARCH TEXT other")
    s.do(b"UID MOVE 10 INBOX")
    s.do(b"EXPUNGE")
    want("no passwd", "", b"root:" not in b"".join(s.c.command(b"UID FETCH 1:* BODY.PEEK[]")[0]))
    s.c.logout()
    bystander_ok(bystander)


def folders(stage, bystander):
    """cur, new, tmp, a folder, the whole Maildir go away while they are in use."""
    for gone in ("tmp", "new", "cur", "."):
        box = Box(stage)
        s = Session(box)
        idle = box.open()
        tag = idle.tag()
        idle.send(tag + b" IDLE\r\n")
        want("+", True, idle.line().startswith(b"+"))
        place = box.dir if gone == "." else box.path(gone)
        os.rename(place, box.home + "/away")
        s.work(100)
        idle.send(b"DONE\r\n")
        said, done = idle.answer(tag)
        want("BYE or an answer to IDLE", said, done or any(x.startswith(b"BYE") for x in said))
        other = Imap(stage, box.user)
        other.command(b"SELECT INBOX")
        other.command(b"NOOP")
        other.command(b"LOGOUT")
        want("the end", None, other.closed())       # what it writes at last does not come back
        if os.path.lexists(place):
            if gone == ".":
                shutil.rmtree(place)
            else:       # what came meanwhile stays
                for f in os.listdir(place):
                    os.rename(os.path.join(place, f), box.home + "/away/" + f)
                os.rmdir(place)
        os.rename(box.home + "/away", place)
        if gone != ".":
            got, _ = box.look()
            box.expect(got)
    box = Box(stage)
    c = box.open(False)
    c.ok(b"CREATE Work")
    c.append(b"Work", b"Subject: w\r\n\r\nx\r\n")
    s = Session(box)
    s.do(b"SELECT Work")
    shutil.rmtree(box.path(".Work"))
    s.do(b"NOOP")
    s.do(b"FETCH 1 BODY[]")
    s.do(b"NOOP")
    c.ok(b"SELECT INBOX")
    c.wanted(b"STATUS Work (MESSAGES)", b"NO")
    c.wanted(b"SELECT Work", b"NO [NONEXISTENT]")
    bystander_ok(bystander)


def flood(stage, bystander):
    """Thousands of files arrive while a FETCH runs."""
    box = Box(stage)
    n = 6000 if LONG else 2000
    s = Session(box)
    st = os.stat(box.home)
    there = []

    def come():
        if ROOT:
            os.setegid(st.st_gid)
        for i in range(n):
            tmp = box.path("tmp", "f%d" % i)
            with open(tmp, "wb") as f:
                f.write(text(1000 + i))
            if ROOT:
                os.chown(tmp, st.st_uid, st.st_gid)
            os.rename(tmp, box.path("new", "%d.M%dP9.here" % (1800000000 + i // 1000, i % 1000)))
            there.append(i)
    t = threading.Thread(target=come, daemon=True)
    t.start()
    while t.is_alive():
        s.do(b"UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        want("no BYE", s.bye, s.bye is None)
    t.join()
    want("all have been put there", len(there), len(there) == n)
    for i in range(n):
        box.flags["m%d" % (1000 + i)] = set()
    got, _ = box.look()
    box.expect(got)
    bystander_ok(bystander)


def names(stage, bystander):
    """What other programs may call a file."""
    box = Box(stage)
    first, _ = box.look()
    odd = ["new/plain", "cur/plain2", "new/" + "l" * 255, "cur/" + "k" * 252 + ":2,", "new/" + "n" * 240 + ":2,S", "cur/a b c:2,S",
           "cur/%d\n2.M1P1.here:2,F" % 1700000050, "new/1700000051.M1\r\n.here", "cur/\xe4\xf6\xfc.8bit:2,S", "cur/-rf *:2,",
           "cur/1700000052.x:1,S", "cur/1700000053.x:2", "cur/1700000054.x:", "cur/1700000055.x:2,ZZZ9!", "cur/1700000056.x:2,S:2,F",
           "cur/1700000057.x,S=5,W=6:2,", "cur/1700000058.x,S=999999999999999999999:2,", "cur/\"\\{}()%*:2,", "new/:2,S",
           "cur/1700000059.x:2,abcdefghijklmnopqrstuvwxyzDFRST", "new/~", "cur/99999999999999999999.M1P1:2,"]
    subjects = {}
    for i, name in enumerate(odd):
        path = box.path(name).encode("utf-8" if i % 2 else "latin-1")
        with open(path, "wb") as f:
            f.write(text(200 + i))
        if ROOT:
            st = os.stat(box.home)
            os.chown(path, st.st_uid, st.st_gid)
        subjects["m%d" % (200 + i)] = name
    s = Session(box)
    got, _ = box.look()
    missing = [subjects[x] for x in subjects if x not in got]
    want("all are shown but what has no base name", missing, missing in ([], ["new/:2,S"]))
    again, _ = box.look()
    want("the same UIDs again", "", {k: v[0] for k, v in again.items()} == {k: v[0] for k, v in got.items()})
    c = box.open()
    for x in subjects:
        if x in got:
            uid = got[x][0]
            c.ok(b"UID STORE %d +FLAGS.SILENT (\\Flagged \\Seen)" % uid)
            c.ok(b"UID FETCH %d BODY[]" % uid)
    got, _ = box.look()
    for x in subjects:
        if subjects[x] != "new/:2,S":
            want("flags of %r" % subjects[x], got.get(x), x in got and {"\\Flagged", "\\Seen"} <= got[x][1])
    for x, (uid, _) in first.items():
        want("UID of %s" % x, got.get(x), got[x][0] == uid)
    s.do(b"NOOP")
    c.ok(b"UID STORE 1:* +FLAGS.SILENT (\\Deleted)")
    c.ok(b"EXPUNGE")
    got, _ = box.look()
    want("all gone", got, not got)
    left = [f for f in os.listdir(box.path("cur")) + os.listdir(box.path("new")) if not f.startswith(":2,")]
    want("no file is left", left, not left)
    bystander_ok(bystander)


def doubles(stage, bystander):
    """One base name twice: in new/ and cur/, with other flags, as a second name of the same file."""
    box = Box(stage)
    before, _ = box.look()
    s = Session(box)
    box.put(300, "new/1700000001.M1P1.here", text(300))
    box.put(301, "cur/1700000002.M1P2.here:2,T", text(301))
    os.link(box.path("cur/1700000003.M1P3.here:2,RS"), box.path("new/1700000003.M1P3.here"))
    os.link(box.path("cur/1700000007.M1P7.here:2,"), box.path("cur/1700000007.M1P7.here:2,F"))

    def both():
        s.do(b"NOOP")
        seen, _ = box.look()
        return {"m300", "m301"} <= set(seen) and seen
    got = until("both are there", both, 60, 0.2)
    for x, (uid, _) in before.items():
        want("UID of %s" % x, got.get(x), x in got and (got[x][0] == uid))
    want("\\Deleted is that of its own file", got["m301"], "\\Deleted" in got["m301"][1])
    want("m2 is not deleted", got["m2"], "\\Deleted" not in got["m2"][1])
    s.do(b"NOOP")
    s.do(b"EXPUNGE")
    got, _ = box.look()
    want("m2 is still there", sorted(got), "m2" in got and "m301" not in got)
    bystander_ok(bystander)


def clocks(stage, bystander):
    """Times of directories and files in the future, in the past, at 1970: changes are seen all the same."""
    box = Box(stage)
    now = time.time()
    s = Session(box)
    for i, when in enumerate((now + 10, now + 86400 * 3000, 0, now - 86400 * 3000, 2 ** 31 + 5, now + 1)):
        for d in ("cur", "new", ".", "posthouse.index", "dovecot-uidlist"):
            if os.path.exists(box.path(d)):
                os.utime(box.path(d), (when, when))
        s.do(b"NOOP")
        box.put(400 + i, "new/17000004%02d.M1P1.here" % i)
        os.utime(box.path("new"), (when + 3, when + 3))
        if i % 2:
            os.utime(box.path("cur"), (when + 3, when + 3))
        got = until("m%d is seen" % (400 + i), lambda k=400 + i: (lambda g: g if "m%d" % k in g else None)(box.look()[0]), 60)
        box.expect(got)
        s.do(b"NOOP")
        want("no BYE", s.bye, s.bye is None)
    want("all in the first session", "", len(s.c.ok(b"UID SEARCH ALL")[0][0].split()) == len(box.flags) + 1)
    bystander_ok(bystander)


def wild(stage, bystander):
    """At random, many times over: PH_SEED repeats it."""
    seed = int(os.environ.get("PH_SEED") or (random.randrange(1 << 31) if LONG else 1))
    print("# seed %d (PH_SEED=%d repeats it)" % (seed, seed))
    rng = random.Random(seed)
    box = Box(stage)
    s = Session(box)
    box.look()
    for i in range(300 if LONG else 30):
        kind = rng.choice([k for k in KINDS if k not in REPAIRED])
        # two at once, but never both places of a UID
        names = rng.sample([n for n in OURS if n != rng.choice(("posthouse.index", "dovecot-uidlist"))], 1)
        names += rng.sample(("posthouse.cache", "posthouse.texts", "subscriptions"), rng.randrange(2))
        for name in names:
            KINDS[kind](box, name)
        if s.bye:
            s = Session(box)
        s.work(500 + i)
        got, _ = box.look()
        try:
            box.expect(got)
        except Exception as e:
            raise type(e)("%s of %s: %s" % (kind, names, e))
    bystander_ok(bystander)


def chosen(name):
    return os.environ.get("PH_ONLY", "") in name


def main():
    tap = Tap()
    with Stage("imap.user-connections 0\n", users=USERS) as stage:
        bystander = Box(stage).open()
        jobs = [("files " + kind, damaged, kind) for kind in KINDS if chosen(kind)]
        jobs += [(t.__doc__.split("\n")[0].rstrip("."), t) for t in (
            others, all_lost, cut_under_use, messages, folders, names, doubles, clocks, wild) if chosen(t.__name__)]
        # most of the time they wait
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            ran = [pool.submit(tap.run, name, test, stage, bystander, *args) for name, test, *args in jobs]
        for r in ran:
            r.result()      # what no test expects ends it all
        if chosen("flood"):
            tap.run(flood.__doc__.rstrip("."), flood, stage, bystander)
        tap.run("no session ended without a word", no_crash, stage)
    return tap.end()


def no_crash(stage):
    bad = [l for l in stage.log().splitlines() if re.search(r"session-died|signal|fatal", l)]
    want("no crash in the log", bad[:3], not bad)


if __name__ == "__main__":
    sys.exit(main())
