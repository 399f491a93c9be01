"""kill -9 of what mail to other hosts goes through, at random moments while it
flows to a server that now and then says no. Each recipient of each message that
got its 250 must have it in the end, whole; whatever comes twice is counted.
PH_SEED repeats a run, PH_ROUNDS sets the number of kills. TAP on standard output."""
import collections
import os
import random
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e", "lib"))
sys.path.insert(0, os.path.join(HERE, "lib"))
from mail import MARK, Post, Sender  # noqa: E402
from sink import Sink  # noqa: E402
from stage import Stage, wait_for  # noqa: E402
from tap import Tap, is_long, seed  # noqa: E402

DOMAINS = ["far%d.test" % n for n in range(6)]
WORKERS = 12            # connections at a time
RCPTS = 4
CONF = ("queue.retry-first 1s\nqueue.retry-max 2s\nqueue.scan-interval 1s\n"
        "remote.workers %d\nqueue.destination-concurrency 4\n"
        "remote.idle-timeout 1s\n" % WORKERS)
KINDS = ("queue", "remote", "remote-worker", "hop", "route")


class Away(Post):
    """Letters for other hosts: one or several recipients, in one or several domains."""

    def write(self, rcpts=None, size=None):
        with self.lock:
            n = self.rng.choice((1, 1, 1, 2, RCPTS))
            rcpts = ["u%d@%s" % (k, self.rng.choice(DOMAINS)) for k in range(n)]
            size = self.rng.choice((50, 300, 2000, 9000, 70000))
        return super().write(rcpts, size)


def moods(rng):
    """A server that is mostly well."""
    def answer(key):
        x = rng.random()
        if key == b"GREETING" and x < 0.02:
            return b"421 4.3.2 not now"
        if key == b"END" and x < 0.03:
            return b"451 4.3.0 try again"
        if key.startswith(b"RCPT") and x < 0.02:
            return b"450 4.2.1 later"
        return b"CLOSE" if x > 0.995 else None
    return answer


def victim(stage, rng, kind):
    front = stage.status().get(kind.removesuffix("-worker"), (0,))[0]
    if not kind.endswith("-worker"):
        return front
    return rng.choice([p for p, _ in stage.processes("remote") if p != front] or [0])


def flow(tap, stage, post, rng, rounds):
    threads = [Sender(post, stage.smtp, pause=0.01) for _ in range(4)]
    for t in threads:
        t.start()
    kills, slow = collections.Counter(), []
    for kind in rounds:
        time.sleep(rng.uniform(0.05, 0.5))
        pid = wait_for(lambda: victim(stage, rng, kind), 60)
        if not pid:
            continue
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        kills[kind] += 1
        if not wait_for(stage.all_running, 75, 0.1):
            slow.append((kind, stage.status()))
    time.sleep(0.5)
    for t in threads:
        t.stop.set()
    for t in threads:
        t.join(60)
    tap.ok(not slow, "everything came back each time", slow)
    tap.ok(kills["queue"] and kills["remote"] and kills["hop"] and kills["remote-worker"],
           "each was killed", dict(kills))
    return kills


def arrived(sink):
    """{(token, recipient): times}, and the content by token."""
    times, contents = collections.Counter(), collections.defaultdict(set)
    for m in list(sink.mails):
        at = m.content.find(MARK)
        token = m.content[at + len(MARK):].split(b"\r\n")[0].decode() if at >= 0 else "?"
        contents[token].add(m.content[at:])
        for r in m.rcpts:
            times[token, r.split(b"<")[1].split(b">")[0].decode()] += 1
    return times, contents


def results(tap, stage, post, sink, kills):
    acked = post.by_fate("acked")
    wait_for(lambda: not stage.waiting(), 180, 0.5)
    tap.ok(not stage.waiting(), "nothing is left in incoming and queue", stage.waiting())
    times, contents = arrived(sink)
    missing = [(x.token, r) for x in acked for r in x.rcpts if not times[x.token, r]]
    twice = sum(times.values()) - len(times)
    most = WORKERS * RCPTS * sum(kills[k] for k in ("queue", "remote", "remote-worker"))
    tap.diag("sent %s, deliveries %d, twice %d of at most %d, kills %s" % (
        post.counts(), sum(times.values()), twice, most, dict(kills)))
    tap.ok(len(acked) > 2 * sum(kills.values()), "mail did flow", post.counts())
    tap.ok(not missing, "no acknowledged message is lost", missing[:20])
    torn = [x.token for x in acked if contents[x.token] - {x.content}]
    tap.ok(not torn, "each one is whole", torn[:5])
    known = {(x.token, r) for x in post.letters.values() if x.fate != "refused" for r in x.rcpts}
    strange = [k for k in times if k not in known]
    tap.ok(not strange, "nothing else came", strange[:5])
    tap.ok(twice <= most, "twice only what was under way", twice)
    odd = stage.files("hold", "corrupt", "status")
    tap.ok(not odd, "nothing is held, corrupt, or told of", odd)


def main():
    tap = Tap()
    rng = seed(tap)
    n = int(os.environ.get("PH_ROUNDS") or (100 if is_long() else 0))
    rounds = [rng.choice(KINDS) for _ in range(n)] if n else list(KINDS) * 2
    rng.shuffle(rounds)
    sink = Sink(answer=moods(random.Random(rng.randrange(1 << 32))))
    stage = Stage(CONF + "".join("transport %s smtp:[127.0.0.1]:%d\n" % (d, sink.port) for d in DOMAINS[:4]) +
                  "".join("transport %s smtp:localhost:%d\n" % (d, sink.port) for d in DOMAINS[4:]))
    try:
        stage.up()
        post = Away(random.Random(rng.randrange(1 << 32)))
        kills = flow(tap, stage, post, rng, rounds)
        results(tap, stage, post, sink, kills)
        left = stage.down()
        tap.ok(not left, "no process is left", left)
    finally:
        if tap.failed:
            sys.stderr.write(stage.log()[-6000:])
        stage.down()
        stage.remove()
        sink.close()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
