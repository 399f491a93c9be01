"""Forty sessions of one mailbox that change it at once: each flag and each message that was set or stored is there, each
session is told of all of it, and none waits for ever. TAP on standard output."""
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import Tap, message, want  # noqa: E402
from imap import Imap  # noqa: E402

BASE = int(os.environ["PH_BASE"])
USER = "bob"
SESSIONS, MESSAGES, OWN = 40, 10, 5
FLAGS = [b"\\Answered", b"\\Flagged", b"\\Seen", b"\\Draft"] + [b"$crowd%d" % i for i in range(21)]
SLOW = 100  # seconds, for what takes a tenth of one
tap = Tap()


def login(selected=True):
    c = Imap(BASE, USER, timeout=2 * SLOW)
    if selected:
        c.ok(b"SELECT Crowd")
    return c


def at_once(sessions, act):
    """act(number, session) in all of them; nothing may fail, and each has to be done in time."""
    wrong, slowest, start = [], [0.0], threading.Barrier(len(sessions))

    def run(i):
        try:
            start.wait()
            begin = time.monotonic()
            act(i, sessions[i])
            slowest[0] = max(slowest[0], time.monotonic() - begin)
        except Exception as e:  # pylint: disable=broad-except
            wrong.append("%d: %r" % (i, e))
    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(sessions))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    want("nothing fails", wrong[:3], not wrong)
    want("nobody starves", slowest, slowest[0] < SLOW)


def flags(c):
    """{number: its flags}"""
    said, _ = c.ok(b"FETCH 1:* (FLAGS)")
    found = {}
    for s in said:
        m = re.match(rb"(\d+) FETCH \(FLAGS \(([^)]*)\)\)$", s)
        if m:
            found[int(m.group(1))] = set(m.group(2).split()) - {b"\\Recent"}
    return found


def store(sessions):
    def add(i, c):
        for m in range(1, MESSAGES + 1):
            c.ok(b"STORE %d +FLAGS (%s)" % (m, FLAGS[i % len(FLAGS)]))

    def change(i, c):
        n = i % len(FLAGS)
        c.ok(b"STORE 1:* %sFLAGS.SILENT (%s)" % (b"+" if n % 2 else b"-", FLAGS[n]))
    for act, left in ((add, set(FLAGS)), (change, set(FLAGS[1::2]))):
        at_once(sessions, act)
        c = login()
        got = flags(c)
        want("a new session finds all flags", got, got == dict.fromkeys(range(1, MESSAGES + 1), left))
        c.close()
        for i, c in enumerate(sessions):
            got = flags(c)
            want("session %d knows all flags" % i, got, got == dict.fromkeys(range(1, MESSAGES + 1), left))


def append(sessions):
    uids, lock = [], threading.Lock()

    def act(i, c):
        for n in range(OWN):
            done = c.append(b"Crowd", message(b"s%d-%d" % (i, n)), b"(%s)" % FLAGS[i % len(FLAGS)])
            uid = int(re.search(rb"APPENDUID \d+ (\d+)", done).group(1))
            with lock:
                uids.append((uid, b"s%d-%d" % (i, n)))
            c.ok(b"NOOP")
    at_once(sessions, act)
    want("no UID is given twice", len(uids), len(dict(uids)) == len(uids) == len(sessions) * OWN)
    for c in (sessions[0], sessions[-1], login()):
        c.ok(b"NOOP")
        said, _ = c.ok(b"UID FETCH %d:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])" % (MESSAGES + 1))
        got = {int(re.search(rb"UID (\d+)", s).group(1)): s for s in said if b" FETCH " in s}
        want("all are there", len(got), len(got) == len(uids))
        want("each under its UID", None, all(w + b"\r" in got[uid] for uid, w in uids))
        want("each with its flag", None, all(
            FLAGS[int(w[1:].split(b"-")[0]) % len(FLAGS)] in got[uid] for uid, w in uids))


def expunge(sessions):
    """Each its own, at once; the others stay."""
    def act(i, c):
        said, _ = c.ok(b"UID SEARCH SUBJECT s%d-" % i)
        uids = b",".join(said[0].split()[1:])
        c.ok(b"UID STORE %s +FLAGS.SILENT (\\Deleted)" % uids)
        if i % 2:
            c.ok(b"UID EXPUNGE %s" % uids)
    at_once(sessions, act)
    for c in (sessions[0], sessions[-1], login()):
        c.ok(b"NOOP")
        said, _ = c.ok(b"SEARCH ALL")
        n = len(said[0].split()) - 1
        want("the others stay", n, n == MESSAGES + OWN * (len(sessions) // 2))


def main():
    c = login(False)
    c.command(b"DELETE Crowd")
    c.ok(b"CREATE Crowd")
    for i in range(MESSAGES):
        c.append(b"Crowd", message(b"m%d" % i))
    c.close()
    sessions = [login() for _ in range(SESSIONS)]
    tap.run("flags of all", store, sessions)
    tap.run("messages of all", append, sessions)
    tap.run("expunged by all", expunge, sessions)
    for c in sessions:
        c.close()
    return tap.end()


sys.exit(main())
