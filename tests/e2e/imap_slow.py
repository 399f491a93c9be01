"""Clients that take a large answer slowly, stop taking it, or go away in the middle of it, over TLS with COMPRESS: the
session's memory is bounded, others are served meanwhile, and what has to end ends."""
import base64
import os
import re
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ROOT, Stage, Tap, children, until, want  # noqa: E402
from imap import Deflated, Imap  # noqa: E402

STALL = 3  # seconds
SIZE = 20 << 20
tap = Tap()


def put_large(st, user):
    """Text that does not become shorter, as a message of SIZE."""
    c = Imap(st, user)
    c.ok(b"SELECT INBOX")
    c.close()
    box = os.path.join(st.dir, "mail", user, "Maildir")
    owner = os.stat(box)
    path = os.path.join(box, "cur", "1.large.host:2,S")
    lines = base64.encodebytes(os.urandom(1 << 20))
    with open(path + ".tmp", "wb") as f:
        f.write(b"Subject: large\n\n")
        while f.tell() < SIZE:
            f.write(lines)
    if ROOT:
        os.chown(path + ".tmp", owner.st_uid, owner.st_gid)
    os.rename(path + ".tmp", path)


def sessions(st):
    return children(st.pid(), "imapd-session")


def peak(pid):
    """KiB that it has had at most."""
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1))


class Slow(Deflated):
    """Has asked for the large message and has taken its beginning."""

    def __init__(self, st, window=8192):
        known = sessions(st)
        super().__init__(st, "alice", tls=True)
        self.pid = until("a process", lambda: sorted(sessions(st) - known), 60)[0]
        if window:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.compress()
        self.ok(b"SELECT INBOX")
        self.before = peak(self.pid)
        self.asked = time.monotonic()
        self.send(b"big FETCH 1 BODY.PEEK[]\r\n")
        self.sock.recv(4096)

    def gone(self):
        return not os.path.exists("/proc/%d" % self.pid)


def bounded(c):
    want("KiB more than before", (c.before, peak(c.pid)), peak(c.pid) - c.before < 4096)


def slowly(st):
    slow, leaving = Slow(st), Slow(st)
    other = Imap(st, "bob")
    taken, longest, since = 0, 0, time.monotonic()
    for i in range(12):
        taken += len(slow.sock.recv(1024))
        time.sleep(0.2)
        start = time.monotonic()
        other.ok(b"STATUS INBOX (MESSAGES)")
        longest = max(longest, time.monotonic() - start)
        if i == 4:
            leaving.raw.close()
            until("the end of a session whose client has gone", leaving.gone, 60)
    print("# taken %d octets in %.1f s; others waited %.3f s at most" % (taken, time.monotonic() - since, longest))
    # who waited for the slow one would do so for ever: nobody takes more of that meanwhile
    want("others are served", longest, longest < 30)
    want("it goes on", slow.pid, not slow.gone())
    bounded(slow)
    slow.raw.close()
    until("its end", slow.gone, 60)


def stalled(st):
    c = Slow(st)
    until("the end of one that takes nothing", c.gone, 60)
    took = time.monotonic() - c.asked       # it was served for a while, or for no time at all
    want("not too soon", took, took > STALL - 0.1)
    Imap(st, "alice").logout()


def whole(st):
    """All of it arrives, if it is read."""
    c = Slow(st, None)
    while True:
        more = c.recv(1 << 20)
        want("it goes on", c.buf[-64:], more)
        c.buf = c.buf[-64:] + more
        if b"big OK" in c.buf:
            break
    bounded(c)
    c.raw.close()


with Stage() as stage:
    put_large(stage, "alice")
    tap.run("a slow client, and one that goes", slowly, stage)
    tap.run("a quick one", whole, stage)
with Stage("imap.idle-timeout %ds\n" % STALL) as stage:
    put_large(stage, "alice")
    tap.run("one that takes nothing more", stalled, stage)
sys.exit(tap.end())
