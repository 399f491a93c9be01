"""A stage whose mail goes to other hosts, for cases in which a system call of
one of its programs is the last, or fails: what is sent in a case, what a dead
queue leaves behind, and what has to be true in the end."""
import contextlib
import os
import random
import re
import signal
import subprocess
import time

import spoolfile
from away import Arrivals
from mail import Line, Post, drop
from sink import Sink
from stage import Stage, is_alive, wait_for
from strace import traced

CONF = """queue.retry-first 1s
queue.retry-max 1s
queue.scan-interval 1s
remote.idle-timeout 5m
transport .far.test smtp:[127.0.0.1]:%d
transport .bdat.test smtp:localhost:%d
transport .lmtp.test lmtp:[127.0.0.1]:%d
transport .busy.test smtp:[127.0.0.1]:%d
"""
# by which queue writes down what became of a message
RECORDING = ("openat", "newfstatat", "pwrite64", "write", "fsync", "unlinkat",
             "sync_file_range", "renameat", "renameat2", "mkdirat", "pread64")
LOST = re.compile(r"died over it|may come twice|went away")
OTHER = re.compile(
    r" (error|warn): (accept|fork|hop|remote|listen|peer-dropped|not-told) ")
PATIENCE = 60


class Busy(Sink):
    """Now and then it takes nothing at the very end."""
    refuse = 0

    def __init__(self):
        super().__init__(answer=self.answer_to)

    def answer_to(self, key):
        if key == b"END" and self.refuse > 0:
            self.refuse -= 1
            return b"451 4.3.0 not this time"
        return None


class Bench:
    def __init__(self, stage, sinks, post):
        self.stage, self.sinks, self.post = stage, sinks, post
        self.wrong = []         # what should not have been
        self.flush_due = 0
        self.refusals = 1       # in each case
        self.cases = self.reached = self.twice = self.started = 0
        self.pace = 0.5         # seconds for what a case sends, without a fault

    # ---- mail

    def one(self, *rcpts, size=2000, by_drop=False):
        """A new letter; queue is alive or not, smtpd says 250."""
        letter = self.post.write(list(rcpts), size)
        if by_drop:
            drop(self.stage, letter)
        else:
            line = Line(self.stage.smtp, timeout=60)
            line.send(letter)
            line.close()
        return letter

    def letters(self, program):
        """What takes the program through all that it can do. No address is
        used twice, and no domain of which hop or queue may know."""
        n = len(self.post.letters)
        self.sinks["busy"].refuse = self.refusals
        if program == "hop":
            return [self.one("a%d@h%d.far.test" % (n, n)),
                    self.one("b%d@h%d.bdat.test" % (n, n),
                             "c%d@h%d.lmtp.test" % (n, n))]
        if program == "queue":
            return [self.one("a%d@q%d.far.test" % (n, n),
                             "b%d@q%d.bdat.test" % (n, n),
                             "c%d@q%d.busy.test" % (n, n)),
                    self.one("d%d@q%d.lmtp.test" % (n, n),
                             "e%d@q%d.lmtp.test" % (n, n), by_drop=True)]
        return [self.one("a%d@r.far.test" % n, "b%d@r.far.test" % n),
                self.one("c%d@r.bdat.test" % n, size=100000),
                self.one("d%d@r.lmtp.test" % n, "e%d@r.lmtp.test" % n,
                         size=70000),
                self.one("f%d@r.busy.test" % n)]

    def healthy(self, program):
        """The same when nothing fails: how long does it take here?"""
        at = time.monotonic()
        self.letters(program)
        self.settle(0.4)
        self.pace = time.monotonic() - at

    def arrivals(self):
        return Arrivals(self.sinks.values(), self.post.letters)

    def after(self, keys):
        """Once these are among them: a sink says 250 first and notes it then."""
        wait_for(lambda: keys <= set(self.arrivals().times), 10, 0.01)
        return self.arrivals()

    def flush(self, seconds=1):
        """Does queue obey?"""
        try:    # a dead one does not answer
            return subprocess.run([self.stage.bin + "/postq", "-f",
                                   self.stage.conf, "flush", "ALL"],
                                  capture_output=True, timeout=seconds
                                  ).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def is_over(self, step):
        """Nothing waits any more; what waits is tried at once."""
        now = time.monotonic()
        if not self.stage.waiting():
            self.flush_due = 0
            return True
        if self.flush_due == 0 or now > self.flush_due + 10:
            self.flush_due = now + step
        elif now > self.flush_due:
            self.flush()
            self.flush_due = time.monotonic() + 0.5
        return False

    def settle(self, step=0.1):
        return wait_for(lambda: self.is_over(step), PATIENCE, 0.02)

    # ---- processes

    def workers(self):
        front = self.stage.status()["remote"][0]
        return [p for p, _ in self.stage.processes("remote") if p != front]

    def pids(self, program):
        """remote: the parent, none of whose workers has a connection, so that
        new ones are seen from their first step; remote-worker: those that have."""
        st = self.stage
        if program in ("queue", "hop"):
            return [st.status()[program][0]]
        if program == "remote-worker":
            self.healthy(program)
            self.forget()
            return self.workers()
        for p in self.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(p, signal.SIGTERM)
        wait_for(lambda: not self.workers(), 30, 0.01)
        return [st.status()["remote"][0]]

    def all_up(self):
        """Without waiting for the master's patience with one that dies; but
        what is under way comes to its end, or this were a second death."""
        st = self.stage
        wait_for(lambda: "starting" not in str(st.status()), 10, 0.02)
        if not st.all_running():
            time.sleep(0.2)
            st.posthouse("stop")
            st.start_master()
        if not wait_for(st.all_running, 75, 0.02):
            self.wrong.append(("not running", st.status()))

    @contextlib.contextmanager
    def no_restarts(self):
        """Who died stays dead for a while, so that what he left can be seen."""
        master = self.stage.master_pid()
        os.kill(master, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(master, signal.SIGCONT)

    # ---- one case

    def case_kill(self, program, call, n):
        name = "%s: killed at %s %d" % (program, call, n)
        self.cases += 1
        pids = self.pids(program)
        logged = len(self.stage.log())

        def dead():
            return not all(is_alive(p) for p in pids)
        with self.no_restarts():
            with traced(pids, "%s:signal=KILL:when=%d" % (call, n)):
                made = self.letters(program)
                wait_for(lambda: dead() or self.is_over(0.4), 2, 0.01)
            self.reached += dead() or "died" in self.stage.log()[logged:]
            excused = self.is_unknown
            if program == "queue" and dead():
                waits = self.left_behind(name, made, pids[0], logged)
                excused = lambda key, n, _: n == 1 and key in waits  # noqa: E731
        self.all_up()
        self.judge(name, made, logged, excused)

    def left_behind(self, name, made, pid, logged):
        """{(token, recipient)} that a dead queue had on record as waiting; the
        servers must have all others. What it knew to be delivered is written
        down before it does anything else."""
        have, torn = spoolfile.whole(self.stage.spool, self.post.letters,
                                     spoolfile.addresses)
        if torn:
            self.wrong.append((name, "torn in the spool", torn))
        todo = {(x.token, r) for x in made for r in x.rcpts
                if x.fate == "acked"}
        arrived = self.after(todo - have)
        gone = todo - have - set(arrived.times)
        if gone:
            self.wrong.append((name, "off the record, not delivered", gone))
        time.sleep(0.05)        # log writes what it was told
        lines = [x for x in self.stage.log()[logged:].splitlines()
                 if " queue[%d] " % pid in x]
        knew = {m.group(1) for x in lines[:-1]
                for m in [re.search(r" delivered id=\S+ to=(\S+) ", x)] if m}
        late = [k for k in have & todo if k[1] in knew]
        if late:
            self.wrong.append((name, "known, and not recorded", late))
        return have

    def case_error(self, program, call, error, n, on):
        name = "%s: %s from %s %d%s" % (program, error, call, n, on)
        self.cases += 1
        pids = self.pids(program)
        logged = len(self.stage.log())
        with traced(pids, "%s:error=%s:when=%d%s" % (call, error, n, on)):
            made = self.letters(program)
            wait_for(lambda: self.is_over(0.3), max(0.8, 1.5 * self.pace), 0.02)
            left = self.arrivals().missing(made)
        dead = [p for p in pids if not is_alive(p)]
        if dead and program != "remote-worker":
            self.wrong.append((name, program + " died"))
        self.reached += bool(left) or bool(dead)
        if dead:
            self.all_up()
        careless = program == "queue" and call in RECORDING
        self.judge(name, made, logged, (lambda *_: True) if careless else
                   self.is_unknown)
        if left and call != "sendto":   # by which is told
            self.judge_reason(name, left, logged)

    # ---- what became of it

    def judge_reason(self, name, left, logged):
        """What waits has a line that says why; of the spool itself queue
        complains once in a minute."""
        log = self.stage.log()
        told = [x for x in log[logged:].splitlines() if " deferred id=" in x]
        dumb = [k for k in left if not any(" to=%s " % k[1] in x for x in told)]
        if dumb and " error: spool what=" not in log[self.started:] and \
                not OTHER.search(log[logged:]):
            self.wrong.append((name, "waits without a reason", dumb))

    def judge(self, name, made, logged, excused):
        """excused(key, n, log): may this one come n times more than once?"""
        if not self.settle():
            self.wrong.append((name, "still waits", self.stage.waiting()))
        if not wait_for(lambda: self.flush(30), 30):
            self.wrong.append((name, "queue takes no orders"))
        acked = [x for x in made if x.fate == "acked"]
        got = self.after({(x.token, r) for x in acked for r in x.rcpts})
        twice = got.twice()
        self.twice += sum(twice.values())

        def guilty(told):
            return [k for k, n in twice.items() if not excused(k, n, told)]
        # log may be late
        wait_for(lambda: not guilty(self.stage.log()[logged:]), 10)
        told = self.stage.log()[logged:]
        self.must_be_empty(
            name, refused=[x.reply for x in made if x.fate != "acked"],
            lost=got.missing(acked), torn=got.torn, strange=got.strange,
            twice=[(k, twice[k], self.history(k, told)) for k in guilty(told)],
            again=set(got.times) - {(x.token, r) for x in made
                                    for r in x.rcpts},
            left=self.leftovers("unlinkat" in name))
        self.forget()

    @staticmethod
    def history(key, log):
        return [x[:250] for x in log.splitlines() if " to=%s " % key[1] in x or OTHER.search(x) or "died" in x]

    def must_be_empty(self, name, **things):
        self.wrong += [(name, what, x) for what, x in things.items() if x]

    def leftovers(self, dropped):
        """dropped: a history that could not be removed stays, until postq
        fsck finds it; it takes no message with it."""
        odd = self.stage.files("hold", "corrupt", "status")
        for path in list(odd) if dropped else ():
            if "/status/" in path:
                os.unlink(path)
                odd.remove(path)
        return odd

    def forget(self):
        for s in self.sinks.values():
            s.mails.clear()

    def is_unknown(self, key, n, log):
        """Queue heard of one delivery at most, and each other was lost with
        a connection; or with a kept one, over which it is made again at once."""
        lines = [x for x in log.splitlines() if " to=%s " % key[1] in x]
        lost = [x for x in lines if " deferred id=" in x and LOST.search(x)]
        known = [x for x in lines if " delivered id=" in x and " queue[" in x]
        silent = "worker-died" in log or "not-told" in log
        return len(known) <= 1 and (len(lost) >= n or n == 1 and silent)


@contextlib.contextmanager
def bench_of(rng, build=None):
    sinks = {"far": Sink(), "bdat": Sink(features=(b"PIPELINING", b"CHUNKING")),
             "lmtp": Sink(lmtp=True), "busy": Busy()}
    stage = Stage(CONF % tuple(s.port for s in sinks.values()))
    try:
        stage.up(build)
        yield Bench(stage, sinks, Post(random.Random(rng.randrange(1 << 32))))
    finally:
        stage.down()
        stage.remove()
        for s in sinks.values():
            s.close()
