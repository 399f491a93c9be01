"""Commands that take long tell how far they are (RFC 9585): with their tag, numbers that grow below the goal, seldom enough, and
nothing more once they have been answered. TAP on standard output."""
import os
import re
import select
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ROOT, Stage, Tap, children, until, want  # noqa: E402
from imap import Imap  # noqa: E402

MESSAGES = 20000
LETTER = b"Subject: one\nFrom: a@b.example\n\n" + (b"y" * 70 + b"\n") * 500
FIRST, EACH = 5, 10     # seconds, until it is told and told again
TOLD = re.compile(rb"\* OK \[INPROGRESS \(\"([^\"]*)\" (\d+) (\d+)\)\] ")
tap = Tap()


def fill(st, user):
    """One message under many names, which nobody has looked at yet."""
    box = os.path.join(st.dir, "mail", user, "Maildir")
    Imap(st, user).logout()     # makes it
    owner = os.stat(box)
    for n in range(MESSAGES):
        path = os.path.join(box, "cur", "%d.%d.host:2," % (1700000000 + n, n))
        if n:
            os.link(first, path)
            continue
        with open(path, "wb") as f:
            f.write(LETTER)
        if ROOT:
            os.chown(path, owner.st_uid, owner.st_gid)
        first = path


class Held(Imap):
    """Its session is stopped most of the time, so what it does takes as long as is wanted."""

    def __init__(self, st, user):
        known = children(st.pid(), "imapd-session")
        super().__init__(st, user)
        self.pid = until("a process", lambda: children(st.pid(), "imapd-session") - known, 60).pop()
        self.ok(b"SELECT INBOX")
        self.lines = []         # (when it came, what is told)
        self.done = None

    def take(self):
        """What is there already."""
        while self.done is None and select.select([self.sock], [], [], 0)[0]:
            more = self.sock.recv(1 << 20)
            want("it goes on", self.done, more)
            *whole, self.buf = (self.buf + more).split(b"\r\n")
            for line in whole:
                if line.startswith(self.asked + b" "):
                    self.done = line
                elif b"INPROGRESS" in line:
                    self.lines.append((time.monotonic(), line))

    def step(self):
        """A moment of work in each twentieth of a second."""
        os.kill(self.pid, signal.SIGCONT)
        time.sleep(0.001)
        os.kill(self.pid, signal.SIGSTOP)
        time.sleep(0.05)
        self.take()

    def hold(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.05)
            self.take()

    def run(self, command):
        self.asked = self.tag()
        begun = time.monotonic()
        self.send(self.asked + b" " + command + b"\r\n")
        try:
            while time.monotonic() < begun + 0.2:
                self.step()
            for n, pause in enumerate((FIRST, EACH)):
                self.hold(pause + 0.2)
                while len(self.lines) <= n and self.done is None:
                    self.step()
                want("it is told before the end", (len(self.lines), self.done), len(self.lines) > n)
        finally:
            os.kill(self.pid, signal.SIGCONT)
        until("the answer", lambda: self.take() or self.done)
        return begun


def tells(c, command):
    begun = c.run(command)
    print("# %r: %s" % (command, [(round(when - begun, 1), line) for when, line in c.lines]))
    want("OK", c.done, c.done.startswith(c.asked + b" OK"))
    want("nothing behind the answer", c.buf, not c.buf)
    told = [TOLD.match(line) for _, line in c.lines]
    want("the code, and text", c.lines, all(told))
    want("its tag", c.lines, all(m.group(1) == c.asked for m in told))
    done, goal = [int(m.group(2)) for m in told], [int(m.group(3)) for m in told]
    want("numbers that grow", done, 0 < done[0] and all(a < b for a, b in zip(done, done[1:])))
    want("a goal that is all of it", goal, set(goal) == {MESSAGES} and done[-1] < MESSAGES)
    when = [begun] + [w for w, _ in c.lines]
    want("not too early", when, when[1] - begun > FIRST - 0.1)
    want("not too often", when, all(b - a > EACH - 1 for a, b in zip(when[1:], when[2:])))
    said, _ = c.ok(b"NOOP")
    want("nothing later", said, not any(b"INPROGRESS" in s for s in said))


def each(st):
    """All at the same time: most of it is waiting."""
    threads = []
    for user, command in (("alice", b"FETCH 1:* (UID BODY.PEEK[TEXT]<0.100>)"), ("bob", b"SEARCH TEXT nowhere"),
                          ("carol", b"SORT (SUBJECT) UTF-8 ALL")):
        c = Held(st, user)
        threads.append(threading.Thread(target=tap.run, args=(command.decode().split()[0], tells, c, command)))
    for t in threads:
        t.start()
    for t in threads:
        t.join()


with Stage() as stage:
    for name in ("alice", "bob", "carol"):
        fill(stage, name)
    each(stage)
sys.exit(tap.end())
