"""Power cuts while mail is removed by POP3, as power.py has them: the Maildirs lie
on a recorded disk. At any cut what was removed by a session whose QUIT had been
answered with +OK must not be there, and what no session had yet been told to
remove must be, whole.

The test is tested, too: with a session whose flushes do nothing it has to find
messages that come back. Long runs only; as root, on Linux with FUSE. TAP on
standard output."""
import os
import random
import shutil
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from pop import Box, Pop  # noqa: E402
from powercut import (examine, flow, make_place, mutant_build,  # noqa: E402
                      record, run)
from stage import USERS  # noqa: E402

MESSAGES = 1500         # of each user


class Promise:
    """What one session removes: begun with QUIT, kept at its answer."""

    def __init__(self, user, names, begun):
        self.user, self.names, self.begun = user, names, begun
        self.moment = None


class Removals:
    def __init__(self):
        self.lock = threading.Lock()
        self.all = []

    def begin(self, *what):
        p = Promise(*what)
        with self.lock:
            self.all.append(p)
        return p

    def by_fate(self, fate):
        assert fate == "acked"
        return [p for p in self.all if p.moment is not None]


class Remover(threading.Thread):
    """Session after session: one message is read, a few are removed."""

    def __init__(self, stage, disk, user, removals, names, rng):
        super().__init__()
        self.stop = threading.Event()
        self.stage, self.disk, self.user = stage, disk, user
        self.removals, self.names, self.rng = removals, names, rng

    def one(self):
        p = Pop(self.stage.base + 110, self.user)
        n = len(self.names)
        marked = sorted(self.rng.sample(range(n), self.rng.randint(1, 4)))
        p.rows("RETR %d" % (self.rng.randrange(n) + 1))
        for i in marked:
            if not p.said("DELE %d" % (i + 1)).startswith(b"+OK"):
                raise RuntimeError("DELE is refused")
        promise = self.removals.begin(
            self.user, [self.names[i] for i in marked], self.disk.now())
        if not p.said("QUIT").startswith(b"+OK"):
            raise RuntimeError("QUIT is refused")
        promise.moment = self.disk.now()
        p.close()
        for i in reversed(marked):
            del self.names[i]

    def run(self):
        while not self.stop.is_set() and len(self.names) > 10:
            self.one()


class Mail:
    def __init__(self, rng):
        self.rng = rng
        self.names = {}

    def send(self, stage, disk):
        removals = Removals()
        for user in USERS:
            box = Box(stage.maildir(user))
            box.make()
            self.names[user] = [box.put(i) for i in range(MESSAGES)]
        os.sync()
        flow([Remover(stage, disk, u, removals, list(self.names[u]),
                      random.Random(self.rng.randrange(1 << 32)))
              for u in USERS])
        return removals

    def lost_at(self, mnt, removals, moment):
        """Promises of that time, what came back or is missing, torn messages."""
        promised = [p for p in removals.by_fate("acked") if p.moment <= moment]
        gone = {(p.user, n) for p in promised for n in p.names}
        doomed = {(p.user, n) for p in removals.all if p.begun <= moment
                  for n in p.names}
        have, torn = set(), []
        for user in USERS:
            os.makedirs("%s/mail/%s" % (mnt, user), exist_ok=True)
            for name in Box("%s/mail/%s/Maildir" % (mnt, user)).names():
                if name is None:
                    torn.append(user)
                have.add((user, name))
        every = {(u, n) for u in USERS for n in self.names[u]}
        lost = [("back", *x) for x in sorted(gone & have)] + \
            [("missing", *x) for x in sorted(every - doomed - have)]
        return promised, lost, torn


def cut(top, work, system, mail, n, build=None):
    d, stage, removals, _, end = record(work, system, mail.send, "", build)
    stage.remove()
    return removals, examine(work, system, d, removals, mail.lost_at, mail.rng,
                             end, n)


def one_system(tap, top, system, rng, n):
    work = make_place(top)
    try:
        removals, (cuts, late, looked, lost, torn) = cut(
            top, work, system, Mail(rng), n)
        tap.diag("%s: %d sessions, %d cuts with %d sectors at risk, %d "
                 "promises" % (system, len(removals.all), cuts, late, looked))
        tap.ok(looked > 0 and late > 0, "%s: something was at stake" % system)
        tap.ok(not lost, "%s: what was removed stays removed, and nothing else "
               "is" % system, (len(lost), lost[:10]))
        tap.ok(not torn, "%s: no torn message" % system, torn[:10])
    finally:
        shutil.rmtree(work, ignore_errors=True)


def one_mutant(tap, top, system, rng, n):
    work = make_place(top)
    try:
        removals, (cuts, late, looked, lost, _) = cut(
            top, work, system, Mail(rng), n, mutant_build(top, "pop3d-session"))
        back = [x for _, x in lost if x[0] == "back"]
        tap.diag("%s: without flushes %d came back in %d cuts" % (
            system, len(back), cuts))
        tap.ok(back, "%s: a session without flushes is found out" % system,
               (len(removals.all), late, looked))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(run(__file__, one_system, one_mutant))
