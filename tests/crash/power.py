"""Power cuts on real file systems. Spool and mailboxes lie on a loop device
whose disk records each write and flush (lib/disk.py). Afterwards the disk is
made again as a cut at some moment may have left it: all that was written
before the last flush, and any part of the rest. It is mounted, and every
message that was acknowledged before must be there for each recipient, whole,
in the spool or in the Maildir. Two of them are started up as well.

The test is tested, too: with an smtpd, and a local-worker, whose flushes do
nothing, it has to find losses. Long runs only; as root, on Linux with FUSE.
TAP on standard output."""
import os
import random
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import disk  # noqa: E402
import spoolfile  # noqa: E402
from mail import Mailboxes, until_seen  # noqa: E402
from powercut import (Letterbox, NotingSender, examine, flow,  # noqa: E402
                      make_place, mounted, mutant_build, record, run)
from stage import USERS, wait_for  # noqa: E402


def sender(rng):
    """Mail by SMTP and LMTP: what record() is to send."""
    def send(stage, d):
        post = Letterbox(random.Random(rng.randrange(1 << 32)), d)
        flow([NotingSender(post, stage.smtp, pause=0.001) for _ in range(4)] +
             [NotingSender(post, stage.lmtp, True, 0.001)])
        return post
    return send


def lost_at(mnt, post, moment):
    """What was promised before the moment, and is not there."""
    promised = [x for x in post.by_fate("acked") if x.moment <= moment]
    have, torn = spoolfile.whole(mnt + "/spool", post.letters)
    boxes = Mailboxes({u: "%s/mail/%s/Maildir" % (mnt, u) for u in USERS},
                      post.letters)
    lost = [m for m in boxes.missing(promised) if m not in have]
    lost[:2] = [(*m, *traces(mnt, m[0])) for m in lost[:2]]
    return promised, lost, torn + boxes.torn


def traces(mnt, token):
    """Wherever else something of it lies."""
    out = disk.run("grep", "-rlsF", token, mnt, check=False)
    return out.stdout.split()


def is_second(path, post, boxes):
    """Two states of a message may be found; one is put aside then."""
    got = spoolfile.read(path, spoolfile.waiting)
    letter = None if isinstance(got, str) else post.letters.get(got[0])
    return letter is not None and bool(boxes.arrived([letter]))


def start_after(work, system, d, post, rng, stage):
    """A cut in the middle, and everything is delivered by a new start."""
    acks = sorted(x.moment for x in post.by_fate("acked"))
    moment = acks[len(acks) // 2]
    image, mnt = work + "/cut.img", d.mountpoint
    for _ in disk.cuts(d, [moment], rng, image):
        mounted(image, system, mnt)
        try:
            promised = [x for x in post.by_fate("acked")
                        if x.moment <= moment]
            stage.start_master()
            wait_for(stage.all_running, 30)
            boxes = until_seen(stage, post, promised, 30)
            left = stage.settle(20)
            corrupt = [f for f in stage.files("corrupt", "hold")
                       if not is_second(f, post, boxes)]
            stage.down()
            return promised, boxes, left, corrupt
        finally:
            stage.down()
            disk.run("umount", mnt)


def one_system(tap, top, system, rng, n):
    work = make_place(top)
    d, stage, post, told, end = record(work, system, sender(rng))
    try:
        tap.ok(told, "%s: queue says how it flushes" % system)
        cuts, late, looked, lost, torn = examine(work, system, d, post,
                                                 lost_at, rng, end, n)
        tap.diag("%s: %s, log %d MiB, %d cuts with %d sectors at risk, %d "
                 "promises, %d torn" % (system, post.counts(), end >> 20, cuts,
                                        late, looked, len(torn)))
        tap.ok(looked > 0 and late > 0, "%s: something was at stake" % system)
        tap.ok(not lost, "%s: no cut takes what was acknowledged" % system,
               (len(lost), lost[:10]))
        tap.ok(not torn, "%s: no torn file under a real name" % system,
               (len(torn), torn[:10]))
        promised, boxes, left, corrupt = start_after(work, system, d, post,
                                                     rng, stage)
        tap.ok(promised and not boxes.missing(promised) and not boxes.torn and
               not left, "%s: after the cut all is delivered" % system,
               (boxes.missing(promised)[:5], boxes.torn[:5], left[:5]))
        tap.ok(not corrupt, "%s: and nothing else is corrupt" % system, corrupt[:5])
    finally:
        stage.remove()
        shutil.rmtree(work, ignore_errors=True)


def one_mutant(tap, top, system, program, rng, n):
    work = make_place(top)
    d, stage, post, _, end = record(work, system, sender(rng),
                                    build=mutant_build(top, program))
    try:
        cuts, late, looked, lost, torn = examine(work, system, d, post,
                                                 lost_at, rng, end, n)
        tap.diag("%s: without flushes in %s %d losses in %d cuts" % (
            system, program, len(lost), cuts))
        tap.ok(lost, "%s: %s without flushes is found out" % (system, program),
               (post.counts(), late, looked))
    finally:
        stage.remove()
        shutil.rmtree(work, ignore_errors=True)


def mutants(tap, top, system, rng, n):
    for program in ("smtpd", "local-worker"):
        one_mutant(tap, top, system, program, rng, n)


if __name__ == "__main__":
    sys.exit(run(__file__, one_system, mutants))
