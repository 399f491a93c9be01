"""kill -9 of every program at random moments while mail flows in over SMTP,
LMTP and drop. Each message that got its 250 must be in its Maildirs in the
end, whole; whatever comes twice is counted. PH_SEED repeats a run, PH_ROUNDS
sets the number of kills. TAP on standard output."""
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from mail import Dropper, Line, Post, Sender, until_seen  # noqa: E402
from stage import Stage, children, is_alive, parent, state, wait_for  # noqa: E402
from tap import Tap, is_long, seed  # noqa: E402

# What may be under way at one death: a worker's socket holds a batch for each
# of the three users (queue.destination-concurrency), and queue a running one.
UNDER_WAY = 3 * 21
CONF = ("local.idle-timeout 2s\nqueue.local-timeout 3s\n"
        "local.lock-timeout 1s\nqueue.scan-interval 1s\n")
KINDS = ("smtp", "smtp-worker", "lmtp", "lmtp-worker", "queue", "route",
         "local", "local-worker", "auth", "log", "pop3", "imap", "master")


def is_held(pid):
    """Stops it: one that is stopped cannot be on its way out already."""
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        return False
    wait_for(lambda: state(pid) in ("T", "Z", "X", ""), 60, 0.001)
    return state(pid) == "T"


class Killer:
    def __init__(self, stage, rng, tap):
        self.stage, self.rng, self.tap = stage, rng, tap
        self.kills = []         # (kind, pid)
        self.mailers = 0        # of those that can make a copy
        self.queues = 0         # at a time
        self.restarts = []      # seconds
        self.slow = []

    def victim(self, kind):
        st = self.stage
        if kind == "master":
            return st.master_pid()
        if kind == "local-worker":
            pids = [p for p, _ in st.processes("local-worker")]
        else:
            front = st.status().get(kind.removesuffix("-worker"), (0,))[0]
            pids = [front] if not kind.endswith("-worker") else \
                children(front) if front else []
        pids = [p for p in pids if p > 1]
        return self.rng.choice(pids) if pids else 0

    def kill(self, kind):
        pid = wait_for(lambda: self.victim(kind), 60)
        if not pid:
            self.slow.append("no %s to kill" % kind)
            return
        if kind == "local-worker" and not is_held(pid):
            return      # it has ended by itself: nobody would tell of our signal
        # one whose parent was killed has nobody who could tell of it
        is_orphan = kind == "local-worker" and parent(pid) != self.stage.status().get("local", (0,))[0]
        self.kills.append(("orphan-worker" if is_orphan else kind, pid))
        if kind in ("queue", "local-worker", "local", "master"):
            self.mailers += 1
        at = time.monotonic()
        if kind == "master":
            self.new_master(pid)
        else:
            os.kill(pid, signal.SIGKILL)
        if not wait_for(self.stage.all_running, 75, 0.1):
            self.slow.append("%s: %s" % (kind, self.stage.status()))
        self.restarts.append((time.monotonic() - at, kind))

    def new_master(self, old):
        """Started at once, as systemd would; one start has to do."""
        m = self.stage.start_master(kill=old)
        wait_for(self.count_queues, 10, 0.001)
        if not wait_for(lambda: self.stage.all_running() or
                        m.poll() is not None, 75) or m.poll() is not None:
            with open(self.stage.dir + "/log/stderr") as f:
                self.slow.append("the master did not come back: %s" %
                                 f.read()[-500:])
            wait_for(lambda: not self.stage.processes(), 20)
            self.stage.start_master()

    def count_queues(self):
        """Two at a time would deliver everything twice. True: a new one."""
        now = [p for p, _ in self.stage.processes("queue")]
        # its closer has that name, too, until it takes its own
        now = [p for p in now if parent(p) not in now]
        self.queues = max(self.queues, len(now))
        return any(parent(p) == self.stage.master_pid() for p in now)


def flow(tap, stage, post, killer, rounds):
    threads = [Sender(post, stage.smtp, pause=0.003) for _ in range(6)]
    threads += [Sender(post, stage.lmtp, True, 0.003) for _ in range(2)]
    threads += [Dropper(post, stage)]
    for t in threads:
        t.start()
    for kind in rounds:
        time.sleep(killer.rng.uniform(0.02, 0.4))
        killer.kill(kind)
        killer.count_queues()
    time.sleep(0.3)
    for t in threads:
        t.stop.set()
    for t in threads:
        t.join(60)
    tap.ok(not any(t.is_alive() for t in threads), "all clients came to an end")
    tap.ok(killer.queues == 1, "never two queues at a time", killer.queues)


def hung_queue(tap, stage):
    """A queue that does not notice that its master was killed: the next master
    must not start another one beside it, and must start one when it ends."""
    old = stage.status()["queue"][0]
    os.kill(old, signal.SIGSTOP)
    m = stage.start_master(kill=stage.master_pid())
    time.sleep(1.5)
    tap.ok({p for p, _ in stage.processes("queue")} <= {old} and
           is_alive(old) and m.poll() is None, "no queue is started beside one that hangs",
           (old, stage.processes("queue"), m.poll()))
    os.kill(old, signal.SIGCONT)
    tap.ok(wait_for(stage.all_running, 75) and stage.master_pid() == m.pid and
           len(stage.processes("queue")) == 1, "and one is when it has ended",
           stage.processes())


def hung_worker(tap, stage, post):
    """It does not die and says nothing: its mail goes another way, and it is killed."""
    wait_for(lambda: not stage.processes("local-worker"), 30)   # those of others
    line = Line(stage.smtp)
    letters = []
    first = []

    def one_more():
        letters.append(post.write(["bob@example.test"], 100))
        line.send(letters[-1])
        until_seen(stage, post, letters, 15)
    for _ in range(10):     # idle it lives for two seconds, in which it has to be met
        one_more()
        first = [p for p, _ in stage.processes("local-worker") if is_held(p)]
        if first:
            break
    one_more()
    one_more()
    tap.ok(not until_seen(stage, post, letters, 60).missing(letters) and first,
           "a local-worker that hangs does not keep its mail", first)
    tap.ok(wait_for(lambda: 'local user=bob why="no answer in' in stage.log(), 30), "and is told of")
    tap.ok(wait_for(lambda: not any(is_alive(p) for p in first) and
                    all('worker-killed pid=%d' % p in stage.log() for p in first), 30),
           "and killed", first)
    line.close()


def log_tells(tap, stage, killer):
    """A restart by the master leaves two lines; that of the log too."""
    text = stage.log()
    # who tells of a death may be the next to die, or the log that is told
    after = killer.kills + [("", 0)] * 2
    told = [k for n, k in enumerate(killer.kills)
            if not {then[0] for then in after[n + 1:n + 3]} & {"master", "log", "local"}]
    silent = [(k, p) for k, p in told
              if not k.endswith("worker") and k != "master" and
              ("died program=%s pid=%d why=\"signal 9" % (k, p)) not in text]
    tap.ok(not silent, "each death of a program is in the log", silent)
    silent = [(k, p) for k, p in told if k == "local-worker" and
              "worker-died pid=%d signal=9" % p not in text]
    tap.ok(not silent, "and each of a local-worker", silent)
    tap.ok(text.count("restart program=") >= sum(
        1 for k, _ in told
        if not k.endswith("worker") and k != "master"),
        "and the restarts")


def leftovers(tap, stage, killer, conns):
    tap.ok(not stage.waiting(), "nothing is left in incoming, drop and queue",
           stage.waiting())
    drafts = stage.files("incoming/tmp", "drop/tmp", "tmp")
    most = sum(conns if k in ("smtp", "lmtp", "master") else 1
               for k, _ in killer.kills)
    tap.ok(len(drafts) <= most, "no more drafts than deaths can leave",
           (len(drafts), most))
    odd = stage.files("hold", "corrupt", "status")
    tap.ok(not odd, "nothing is held, corrupt, or told of", odd)


def results(tap, stage, post, killer):
    acked = post.by_fate("acked")
    stage.settle(120)
    boxes = until_seen(stage, post, acked, 30)
    tap.diag("sent %s, copies %d, kills %d" % (
        post.counts(), sum(boxes.copies.values()), len(killer.kills)))
    tap.diag("slowest to come back: %s" % ", ".join(
        "%.1f s %s" % r for r in sorted(killer.restarts)[-3:]))
    tap.ok(len(acked) > 2 * len(killer.kills), "mail did flow", post.counts())
    tap.ok(not boxes.missing(acked), "no acknowledged message is lost",
           boxes.missing(acked)[:20])
    tap.ok(not boxes.torn, "each one is whole", boxes.torn[:5])
    tap.ok(not boxes.strange, "nothing else is in the mailboxes",
           boxes.strange[:5])
    came = boxes.arrived(post.by_fate("refused"))
    tap.ok(not came, "nothing came that was refused", came[:20])
    tap.diag("duplicates %d of at most %d, in doubt %d of which %d came" % (
        boxes.duplicates(), UNDER_WAY * killer.mailers,
        len(post.by_fate("doubt")), len(boxes.arrived(post.by_fate("doubt")))))
    tap.ok(boxes.duplicates() <= UNDER_WAY * killer.mailers,
           "duplicates only of what was under way", boxes.duplicates())


def main():
    tap = Tap()
    rng = seed(tap)
    n = int(os.environ.get("PH_ROUNDS") or (120 if is_long() else 0))
    if n:
        rounds = [rng.choice(KINDS) for _ in range(n)]
    else:
        rounds = list(KINDS) + ["local-worker", "smtp-worker", "queue"]
        rng.shuffle(rounds)
    stage = Stage(CONF)
    try:
        stage.up()
        post = Post(random.Random(rng.randrange(1 << 32)))
        killer = Killer(stage, rng, tap)
        flow(tap, stage, post, killer, rounds)
        tap.ok(not killer.slow, "everything came back each time", killer.slow)
        hung_queue(tap, stage)
        hung_worker(tap, stage, post)
        results(tap, stage, post, killer)
        leftovers(tap, stage, killer, 8)
        log_tells(tap, stage, killer)
        left = stage.down()
        tap.ok(not left, "no process is left", left)
    finally:
        if tap.failed:
            sys.stderr.write(stage.log()[-6000:])
        stage.down()
        stage.remove()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
