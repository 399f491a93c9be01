"""kill -9 of IMAP sessions at random moments while clients append, copy, move,
flag and expunge. What was acknowledged is there in the end, with the UID and
the flags that were told; what was not is there or not, but never in pieces, and a
message that was being moved is in one of the two folders. Then the same in one
mailbox that several sessions, LMTP, deliver(1) and a foreign program that renames
files work in at once: a UID never means two messages, and no message gets another.
PH_SEED repeats a run, PH_ROUNDS sets the seconds. TAP on standard output."""
import imaplib
import os
import random
import re
import signal
import smtplib
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from stage import Stage, wait_for  # noqa: E402
from strace import attached, missing  # noqa: E402
from tap import Tap, is_long, seed  # noqa: E402

FOLDERS = ("INBOX", "Copies", "Moved")
CLIENTS = 3
GONE = (imaplib.IMAP4.abort, ConnectionError, OSError, EOFError)


class Letter:
    """What one client knows of one message of its own."""

    def __init__(self, name):
        self.name = name
        self.uid = 0            # told by APPENDUID; 0: never acknowledged
        self.flags = set()      # acknowledged
        self.maybe = set()      # asked for
        self.copied = self.moved = self.expunged = "no"    # "doubt", "yes"

    def text(self):
        return ("Subject: %s\r\n\r\n%s\r\n.\r\nend of %s\r\n" % (
            self.name, "x" * 70 + "\r\n" + self.name * 40, self.name)).encode()


class Client(threading.Thread):
    def __init__(self, stage, number, rng, until):
        threading.Thread.__init__(self, daemon=True)
        self.stage, self.number, self.until = stage, number, until
        self.rng = rng
        self.letters = []
        self.validity = set()
        self.died = 0
        self.odd = []

    def connect(self):
        m = imaplib.IMAP4("127.0.0.1", self.stage.base + 143, timeout=30)
        m.login("alice", "secret")
        m.select("INBOX")
        return m

    def run(self):
        m = None
        while time.monotonic() < self.until:
            try:
                m = m or self.connect()
                self.step(m)
            except GONE:
                self.died += 1
                m = None
            except imaplib.IMAP4.error as e:
                self.odd.append(str(e))
                m = None
        try:
            if m:
                m.logout()
        except GONE:
            pass

    def step(self, m):
        mine = [w for w in self.letters if w.uid and w.moved == "no" and w.expunged == "no"]
        what = self.rng.choice(("append", "append", "store", "copy", "move", "expunge"))
        if what == "append" or len(mine) < 3:
            return self.append(m)
        w = self.rng.choice(mine)
        return getattr(self, what)(m, w)

    def append(self, m):
        w = Letter("c%d-%d" % (self.number, len(self.letters)))
        self.letters.append(w)
        typ, data = m.append("INBOX", "(\\Draft)", None, w.text())
        if typ != "OK":
            self.odd.append((typ, data))
            return
        found = re.search(rb"APPENDUID (\d+) (\d+)", data[0])
        self.validity.add(int(found.group(1)))
        w.uid = int(found.group(2))
        w.flags.add("\\Draft")
        w.maybe.add("\\Draft")

    def uid(self, m, *args):
        typ, data = m.uid(*args)
        if typ != "OK":
            self.odd.append((args, typ, data))
        return typ == "OK"

    def store(self, m, w):
        flag = self.rng.choice(("\\Flagged", "\\Seen", "$label"))
        w.maybe.add(flag)
        if self.uid(m, "STORE", str(w.uid), "+FLAGS", "(%s)" % flag):
            w.flags.add(flag)

    def copy(self, m, w):
        w.copied = "doubt" if w.copied == "no" else w.copied
        if self.uid(m, "COPY", str(w.uid), "Copies"):
            w.copied = "yes"

    def move(self, m, w):
        w.moved = "doubt"
        if self.uid(m, "MOVE", str(w.uid), "Moved"):
            w.moved = "yes"

    def expunge(self, m, w):
        w.expunged = "doubt"
        w.maybe.add("\\Deleted")
        if self.uid(m, "STORE", str(w.uid), "+FLAGS", "(\\Deleted)") and \
                self.uid(m, "EXPUNGE", str(w.uid)):
            w.expunged = "yes"


def kill_some(stage, rng, until):
    kills = 0
    while time.monotonic() < until:
        time.sleep(rng.uniform(0.02, 0.25))
        pids = [p for p, _ in stage.processes("imapd-session")]
        if pids:
            try:
                os.kill(rng.choice(pids), signal.SIGKILL)
                kills += 1
            except ProcessLookupError:
                pass
    return kills


def content(stage, folder):
    """name -> [(uid, flags, whole)], and the validity."""
    m = imaplib.IMAP4("127.0.0.1", stage.base + 143, timeout=60)
    m.login("alice", "secret")
    m.select(folder, readonly=True)
    validity = int(m.response("UIDVALIDITY")[1][0])
    out, uids = {}, []
    typ, data = m.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")
    for part in data:
        if not isinstance(part, tuple):
            continue
        uid = int(re.search(rb"UID (\d+)", part[0]).group(1))
        flags = set(re.search(rb"FLAGS \(([^)]*)\)", part[0]).group(1).decode().split())
        name = part[1].split(b"\r\n")[0].split(b" ", 1)[-1].decode()
        out.setdefault(name, []).append((uid, flags - {"\\Recent"},
                                         part[1] == Letter(name).text()))
        uids.append(uid)
    m.logout()
    return out, validity, uids


def judge(tap, letters, boxes):
    inbox, copies, moved = (boxes[f][0] for f in FOLDERS)
    lost, wrong, torn, twice = [], [], [], []
    for w in letters:
        here, there = inbox.get(w.name, []), moved.get(w.name, [])
        torn += [w.name for b in (inbox, copies, moved)
                 for x in b.get(w.name, []) if not x[2]]
        if len(here) > 1 or len(there) > 1 or (here and there):
            twice.append((w.name, here, there))
        if not w.uid:
            continue
        if not here and not there and w.expunged == "no":
            lost.append((w.name, w.uid, w.moved))
        if w.moved == "yes" and not there or w.moved == "no" and there:
            wrong.append((w.name, "moved", w.moved, here, there))
        if w.expunged == "yes" and here:
            wrong.append((w.name, "expunged", here))
        if w.copied == "yes" and not copies.get(w.name):
            lost.append((w.name, "copy"))
        for uid, flags, _ in here:
            if uid != w.uid or not w.flags <= flags or not flags <= w.maybe:
                wrong.append((w.name, w.uid, uid, w.flags, flags))
    tap.ok(not lost, "no acknowledged message is lost", lost[:5])
    tap.ok(not wrong, "UIDs and flags are what was told", wrong[:5])
    tap.ok(not torn, "each message is whole", torn[:5])
    tap.ok(not twice, "none is there twice, or in both folders", twice[:5])


class Crowd:
    """One mailbox, and what all who look at it have seen: (validity, UID) and name belong together for ever."""

    def __init__(self, stage, until):
        self.stage, self.until = stage, until
        self.lock = threading.Lock()
        self.names, self.uids = {}, {}
        self.wrong, self.odd = [], []
        self.sent = set()       # acknowledged, and not expunged
        self.looks = self.died = self.renames = 0

    def on(self):
        return time.monotonic() < self.until

    def saw(self, validity, pairs):
        with self.lock:
            self.looks += 1
            for uid, name in pairs:
                old = self.names.setdefault((validity, uid), name)
                if old != name:
                    self.wrong.append(("UID", uid, "is", old, "and", name))
                was = self.uids.setdefault((validity, name), uid)
                if was != uid:
                    self.wrong.append((name, "has UIDs", was, "and", uid))

    def text(self, name):
        return ("Subject: %s\r\n\r\n%s\r\nend of %s\r\n" % (name, "y" * 70, name)).encode()

    def note(self, name):
        with self.lock:
            self.sent.add(name)


class Reader(threading.Thread):
    """A session that looks, appends, flags and expunges, and comes again when it was killed."""

    def __init__(self, crowd, number, rng):
        threading.Thread.__init__(self, daemon=True)
        self.crowd, self.number, self.rng = crowd, number, rng
        self.n = 0
        self.mine = {}

    def run(self):
        m = None
        while self.crowd.on():
            try:
                m = m or self.connect()
                self.step(m)
            except GONE:
                self.crowd.died += 1
                m = None
            except imaplib.IMAP4.error as e:
                self.crowd.odd.append(str(e))
                m = None

    def connect(self):
        m = imaplib.IMAP4("127.0.0.1", self.crowd.stage.base + 143, timeout=30)
        m.login("carol", "secret")
        m.select("INBOX")
        self.validity = int(m.response("UIDVALIDITY")[1][0])
        return m

    def look(self, m):
        typ, data = m.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        pairs = []
        for part in data:
            found = isinstance(part, tuple) and re.search(rb"UID (\d+)", part[0])
            if found and part[1].startswith(b"Subject: "):
                pairs.append((int(found.group(1)), part[1].split()[1].decode()))
        self.crowd.saw(self.validity, pairs)
        return pairs

    def step(self, m):
        what = self.rng.choice(("look", "look", "append", "flag", "expunge", "noop"))
        if what == "append":
            self.n += 1
            name = "r%d-%d" % (self.number, self.n)
            typ, data = m.append("INBOX", None, None, self.crowd.text(name))
            if typ == "OK":
                found = re.search(rb"APPENDUID (\d+) (\d+)", data[0])
                self.crowd.note(name)
                self.mine[name] = int(found.group(2))
                self.crowd.saw(int(found.group(1)), [(int(found.group(2)), name)])
            return
        pairs = self.look(m) if what != "noop" else m.noop() and []
        if what == "flag" and pairs:
            m.uid("STORE", str(self.rng.choice(pairs)[0]), "+FLAGS", self.rng.choice(("(\\Flagged)", "(\\Seen $x)")))
        elif what == "expunge" and self.mine:
            name = self.rng.choice(sorted(self.mine))
            uid = self.mine.pop(name)
            with self.crowd.lock:
                self.crowd.sent.discard(name)
            m.uid("STORE", str(uid), "+FLAGS", "(\\Deleted)")
            m.uid("EXPUNGE", str(uid))


def deliver_some(crowd, how):
    n = 0
    while crowd.on():
        n += 1
        name = "%s-%d" % (how, n)
        try:
            if how == "lmtp":
                with smtplib.LMTP("127.0.0.1", crowd.stage.lmtp, timeout=30) as s:
                    s.sendmail("a@example.test", ["carol@example.test"], crowd.text(name))
            else:
                subprocess.run([crowd.stage.bin + "/deliver", "-c", crowd.stage.conf, "carol"], input=crowd.text(name), check=True, stderr=subprocess.PIPE)
            crowd.note(name)
        except Exception as e:
            crowd.odd.append((name, repr(e), getattr(e, "stderr", b"")))
        time.sleep(0.02)


def mutt(crowd, rng):
    """Moves what is new to cur/, and changes flags, by rename, without any lock."""
    top = crowd.stage.maildir("carol")
    while crowd.on():
        try:
            for name in os.listdir(top + "/new")[:2]:
                os.rename("%s/new/%s" % (top, name), "%s/cur/%s:2,%s" % (top, name, rng.choice(("", "S", "FS"))))
            names = os.listdir(top + "/cur")
            name = rng.choice(names) if names else ""
            base, colon, flags = name.partition(":2,")
            if colon and "T" not in flags:
                new = "".join(sorted(set(flags) ^ {rng.choice("FRS")}))
                os.rename("%s/cur/%s" % (top, name), "%s/cur/%s:2,%s" % (top, base, new))
                crowd.renames += 1
        except FileNotFoundError:
            pass
        time.sleep(0.003)


def one_mailbox(tap, stage, rng, seconds):
    crowd = Crowd(stage, time.monotonic() + seconds)
    seeds = [random.Random(rng.randrange(1 << 32)) for _ in range(5)]
    actors = [Reader(crowd, i, seeds[i]) for i in range(3)]
    with smtplib.LMTP("127.0.0.1", stage.lmtp) as s:    # there is a Maildir
        s.sendmail("a@example.test", ["carol@example.test"], crowd.text("first"))
    crowd.note("first")
    actors += [threading.Thread(target=t, args=a, daemon=True) for t, a in (
        (deliver_some, (crowd, "lmtp")), (mutt, (crowd, seeds[3])))]
    if os.geteuid() == 0:
        actors.append(threading.Thread(target=deliver_some, args=(crowd, "deliver"), daemon=True))
    for a in actors:
        a.start()
    kills = kill_some(stage, rng, crowd.until)
    for a in actors:
        a.join(60)
    last = Reader(crowd, 9, seeds[4])
    there = [name for _, name in last.look(last.connect())]
    tap.diag("one mailbox: %d kills, %d looks, %d renames, %d messages, %d UIDs, %d sessions lost" % (
        kills, crowd.looks, crowd.renames, len(there), len(crowd.names), crowd.died))
    tap.ok(kills and crowd.looks > 3 and crowd.renames > 3 and len(there) > 3, "one mailbox: all were at work")
    tap.ok(not crowd.odd, "one mailbox: nothing was refused", crowd.odd[:5])
    tap.ok(not crowd.wrong, "one mailbox: a UID is one message's, and stays", crowd.wrong[:5])
    lost = sorted(crowd.sent - set(there))
    tap.ok(not lost, "one mailbox: nothing is lost", lost[:5])
    tap.ok(len(there) == len(set(there)), "one mailbox: nothing is there twice", sorted(x for x in there if there.count(x) > 1)[:5])
    tap.ok(len({v for v, _ in crowd.names}) == 1, "one mailbox: the UID validity has not changed")


def flushes(tap, stage):
    """Renames are flushed where a power cut could lose both names, and only there."""
    why = missing()
    if why:
        tap.skip("renames are flushed where they have to be", why)
        return
    m = imaplib.IMAP4("127.0.0.1", stage.base + 143, timeout=30)
    m.login("bob", "secret")
    new = os.path.join(stage.maildir("bob"), "new", "1700000000.M1P1.here")
    m.select()
    m.unselect()
    with open(new, "wb") as f:
        f.write(b"Subject: x\n\nx\n")
    st = os.stat(os.path.dirname(new))
    os.chown(new, st.st_uid, st.st_gid)
    pid = wait_for(lambda: [p for p, _ in stage.processes("imapd-session")], 60)[-1]
    found = []
    with tempfile.NamedTemporaryFile("r", errors="replace") as out:
        with attached([pid], ["-e", "trace=renameat,renameat2,fsync,sendto", "-o", out.name]):
            m.select()
            m.store("1", "+FLAGS", "(\\Flagged)")
            m.logout()
        for line in out:
            call = re.search(r"(renameat2?|fsync|sendto)\(.*", line)
            # not those of the list of UIDs and the index
            if call and not re.search(r"uidlist|posthouse", line):
                found.append(call.group(1).rstrip("2"))
    moves = [i for i, c in enumerate(found) if c == "renameat"]
    flushed = [found[i + 1] == "fsync" for i in moves if i + 1 < len(found)]
    needed = "durability=unjournaled" in stage.log()
    tap.ok(len(moves) == 2 and flushed == [needed] * 2,
           "renames are flushed where they have to be", (needed, found))


def main():
    tap = Tap()
    rng = seed(tap)
    seconds = int(os.environ.get("PH_ROUNDS") or (120 if is_long() else 6))
    stage = Stage("imap.user-connections 0\n")
    try:
        stage.up()
        m = imaplib.IMAP4("127.0.0.1", stage.base + 143, timeout=30)
        m.login("alice", "secret")
        for folder in FOLDERS[1:]:
            m.create(folder)
        m.logout()
        until = time.monotonic() + seconds
        clients = [Client(stage, n, random.Random(rng.randrange(1 << 32)), until)
                   for n in range(CLIENTS)]
        for c in clients:
            c.start()
        kills = kill_some(stage, rng, until)
        for c in clients:
            c.join(60)
        boxes = {f: content(stage, f) for f in FOLDERS}
        letters = [w for c in clients for w in c.letters]
        acked = [w for w in letters if w.uid]
        tap.diag("%d kills, %d appended, %d acknowledged, %d sessions lost" % (
            kills, len(letters), len(acked), sum(c.died for c in clients)))
        tap.ok(kills > 2 and len(acked) > 10, "sessions died, and mail came", (kills, len(acked)))
        odd = [o for c in clients for o in c.odd]
        tap.ok(not odd, "no command was refused", odd[:5])
        judge(tap, letters, boxes)
        tap.ok({boxes["INBOX"][1]} == set().union(*(c.validity for c in clients)),
               "the UID validity has not changed")
        tap.ok(all(len(set(b[2])) == len(b[2]) for b in boxes.values()),
               "no UID is given twice")
        one_mailbox(tap, stage, rng, seconds)
        flushes(tap, stage)
        left = stage.down()
        tap.ok(not left, "no process is left", left)
    finally:
        if tap.failed:
            sys.stderr.write(stage.log()[-3000:])
        stage.down()
        stage.remove()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
