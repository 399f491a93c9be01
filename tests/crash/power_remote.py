"""Power cuts while mail goes to other hosts, as power.py has them: the spool
lies on a recorded disk, messages have recipients at two hosts, and one of these
has no time when it is first asked, so that the message is written anew and
waits when others have it. At any cut each recipient of what was acknowledged
must have been delivered to, or stand as waiting in a whole file. Then a new
start delivers what is left, and to nobody who is on record as delivered.

The test is tested, too: with a queue whose flushes do nothing it has to find
losses. Long runs only; as root, on Linux with FUSE. TAP on standard output."""
import os
import random
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e", "lib"))
sys.path.insert(0, os.path.join(HERE, "lib"))
import disk  # noqa: E402
import spoolfile  # noqa: E402
from away import Arrivals  # noqa: E402
from powercut import (Letterbox, NotingSender, examine, flow,  # noqa: E402
                      make_place, mounted, mutant_build, record, run)
from sink import Sink  # noqa: E402
from stage import wait_for  # noqa: E402

CONF = """queue.retry-first 1s
queue.retry-max 2s
queue.scan-interval 1s
transport near.test smtp:[127.0.0.1]:%d
transport far.test smtp:[127.0.0.1]:%d
"""
STATUS = re.compile(rb"\d+ \S+ [245]\.\d+\.\d+ .*\n")


class Shy(Sink):
    """Takes nobody when it is asked for the first time."""

    def __init__(self):
        super().__init__(answer=self.answer_to)
        self.known = set()

    def answer_to(self, key):
        if key.startswith(b"RCPT") and key not in self.known:
            self.known.add(key)
            return b"450 4.2.1 later"
        return None


class Away(Letterbox):
    """Letters for one host, or for both; no address is used twice."""

    def write(self, rcpts=None, size=None):
        with self.lock:
            n = len(self.letters)
            rcpts = self.rng.choice((
                ["a%d@near.test"], ["b%d@far.test"],
                ["a%d@near.test", "b%d@far.test"],
                ["a%d@near.test", "b%d@far.test", "c%d@near.test"]))
            size = self.rng.choice((50, 2000, 9000, 70000))
        return super().write([r % n for r in rcpts], size)


class Road:
    """Two hosts, and mail for them."""

    def __init__(self, rng):
        self.rng = rng
        self.sinks = [Sink(), Shy()]
        self.conf = CONF % tuple(s.port for s in self.sinks)

    def send(self, stage, d):
        for s in self.sinks:
            s.clock = d.now
        post = Away(random.Random(self.rng.randrange(1 << 32)), d)
        flow([NotingSender(post, stage.smtp, pause=0.01) for _ in range(4)])
        return post

    def arrived(self, post, moment):
        """{(token, recipient)} that the hosts took before it."""
        got = Arrivals(self.sinks, post.letters)
        return {k for k, times in got.times.items() if min(times) <= moment}

    def lost_at(self, mnt, post, moment):
        """What was promised before the moment, and is not there."""
        promised = [x for x in post.by_fate("acked") if x.moment <= moment]
        have, torn = spoolfile.whole(mnt + "/spool", post.letters,
                                     spoolfile.addresses)
        have |= self.arrived(post, moment)
        lost = [(x.token, r) for x in promised for r in x.rcpts
                if (x.token, r) not in have]
        return promised, lost, torn + torn_status(mnt + "/spool/status")

    def close(self):
        for s in self.sinks:
            s.close()


def torn_status(top):
    """They are not flushed, but what there is of one is to be read."""
    bad = []
    for d, _, names in os.walk(top):
        for n in names:
            with open(os.path.join(d, n), "rb") as f:
                data = f.read()
            if STATUS.sub(b"", data):
                bad.append((os.path.join(d, n), data[:200]))
    return bad


def start_after(tap, work, system, road, d, post, stage):
    """A cut in the middle, and a new start."""
    acks = sorted(x.moment for x in post.by_fate("acked"))
    moment = acks[len(acks) // 2]
    mnt = d.mountpoint
    for _ in disk.cuts(d, [moment], road.rng, work + "/cut.img"):
        mounted(work + "/cut.img", system, mnt)
        try:
            have, _ = spoolfile.whole(stage.spool, post.letters,
                                      spoolfile.addresses)
            before = road.arrived(post, moment)
            for s in road.sinks:
                s.mails.clear()
            stage.start_master()
            wait_for(stage.all_running, 30)
            wait_for(lambda: stage.all_running() and not stage.waiting(), 40,
                     0.2)
            wait_for(lambda: road.arrived(post, 1 << 62) >= have, 5)
            left = stage.files("incoming/new", "drop/new", "queue", "hold",
                               "corrupt")
            stage.down()
        finally:
            stage.down()
            disk.run("umount", mnt)
    got = Arrivals(road.sinks, post.letters)
    after = set(got.times)
    lost = {(x.token, r) for x in post.by_fate("acked") if x.moment <= moment
            for r in x.rcpts} - before - after
    tap.diag("%s: %d waited, %d of them had been delivered before the cut" % (
        system, len(have), len(have & before)))
    tap.ok(have and not lost and not left and not got.torn and not got.twice(),
           "%s: after the cut all is delivered, once" % system,
           (sorted(lost)[:5], left[:5], got.torn[:5], got.twice()))
    tap.ok(after <= have, "%s: and nobody gets what is on record" % system,
           sorted(after - have)[:10])


def one_system(tap, top, system, rng, n):
    work = make_place(top)
    road = Road(rng)
    d, stage, post, told, end = record(work, system, road.send, road.conf)
    try:
        tap.ok(told, "%s: queue says how it flushes" % system)
        cuts, late, looked, lost, torn = examine(work, system, d, post,
                                                 road.lost_at, rng, end, n)
        tap.diag("%s: %s, log %d MiB, %d cuts with %d sectors at risk, %d "
                 "promises, %d torn, %d delivered" % (
                     system, post.counts(), end >> 20, cuts, late, looked,
                     len(torn), len(road.arrived(post, end))))
        tap.ok(looked > 0 and late > 0, "%s: something was at stake" % system)
        tap.ok(not lost, "%s: no cut takes what was acknowledged" % system,
               (len(lost), lost[:10]))
        tap.ok(not torn, "%s: no torn file under a real name" % system,
               (len(torn), torn[:10]))
        start_after(tap, work, system, road, d, post, stage)
    finally:
        stage.remove()
        road.close()
        shutil.rmtree(work, ignore_errors=True)


def one_mutant(tap, top, system, rng, n):
    work = make_place(top)
    road = Road(rng)
    d, stage, post, _, end = record(work, system, road.send, road.conf,
                                    mutant_build(top, "queue"))
    try:
        cuts, late, looked, lost, torn = examine(work, system, d, post,
                                                 road.lost_at, rng, end, n)
        tap.diag("%s: without flushes in queue %d losses, %d torn in %d cuts"
                 % (system, len(lost), len(torn), cuts))
        tap.ok(lost, "%s: a queue without flushes is found out" % system,
               (post.counts(), late, looked))
    finally:
        stage.remove()
        road.close()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(run(__file__, one_system, one_mutant))
