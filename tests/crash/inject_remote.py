"""Each system call on the way of a message to another host dies or fails: the
n-th of queue, hop, remote and its workers, as strace(1) counted them before, is
the last (SIGKILL), or ends with EIO, EMFILE and others, once or from then on.
What got its 250 must come to the servers, whole, and twice only if the death
came between their 250 and the record of it; what waits says why; afterwards
all goes on. The test is tested, too: with a remote that says "delivered" before
the server did, and a queue that is late to write it down. As root.
PH_SEED repeats a selection, PH_PROGRAM chooses. TAP on standard output."""
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e", "lib"))
sys.path.insert(0, os.path.join(HERE, "lib"))
import mutant  # noqa: E402
import spoolfile  # noqa: E402
from away import Arrivals  # noqa: E402
from mail import Line, Post, drop  # noqa: E402
from sink import Sink  # noqa: E402
from stage import Stage, is_alive, is_root, wait_for  # noqa: E402
from strace import survey, traced  # noqa: E402
from tap import Tap, is_long, seed  # noqa: E402

CONF = """queue.retry-first 1s
queue.retry-max 1s
queue.scan-interval 1s
remote.idle-timeout 5m
transport .far.test smtp:[127.0.0.1]:%d
transport .bdat.test smtp:localhost:%d
transport .lmtp.test lmtp:[127.0.0.1]:%d
transport .busy.test smtp:[127.0.0.1]:%d
"""
PROGRAMS = ("queue", "hop", "remote", "remote-worker")
# what once went wrong is looked at each time
ALWAYS = {"queue": [("epoll_ctl", "ENOMEM", 1, "+")],
          "remote": [("accept4", "EMFILE", 1, "+")],
          "remote-worker": [("sendmsg", "ENOBUFS", 1, "")]}
NEVER = ("restart_syscall", "exit_group", "exit")
MEMORY = ("ENOMEM",)
NET = ("ECONNRESET", "EINTR")
FAILING = {     # which errors a call can give, in life
    "openat": ("EMFILE", "EIO", "ENOSPC"), "pread64": ("EIO",),
    "pwrite64": ("EIO", "ENOSPC"), "write": ("ENOSPC", "EIO"),
    "newfstatat": ("EIO",), "faccessat2": ("EIO",), "fsync": ("EIO", "ENOSPC"),
    "sync_file_range": ("EIO", "ENOSPC"), "unlinkat": ("EIO", "EROFS"),
    "renameat": ("EIO", "ENOSPC"), "renameat2": ("EIO", "ENOSPC"),
    "mkdirat": ("ENOSPC",), "utimensat": ("EIO",), "epoll_ctl": MEMORY,
    "epoll_wait": ("EINTR",), "poll": ("EINTR",),
    "socket": ("EMFILE", "ENOMEM"), "connect": ("ECONNREFUSED", "ETIMEDOUT"),
    "accept4": ("EMFILE", "ENOMEM", "EINTR"), "clone": ("EAGAIN", "ENOMEM"),
    "sendto": NET + ("ENOBUFS",), "recvfrom": NET + ("ENOMEM",),
    "sendmsg": ("ENOBUFS", "EINTR"), "recvmsg": ("ENOMEM", "EINTR"),
}
RECORDING = ("openat", "newfstatat", "pwrite64", "write", "fsync", "unlinkat",
             "sync_file_range", "renameat", "renameat2", "mkdirat", "pread64")
LOST = re.compile(r"died over it|may come twice|went away")
OTHER = re.compile(
    r" (error|warn): (accept|fork|hop|remote|listen|peer-dropped|not-told) ")
PATIENCE = 15
HASTY = ("""	if (r == -1)
		return hear_last_words(t);
	return send_rest(t) && hear_ends(t);
""", """	if (r == -1)
		return hear_last_words(t);
	t->s->reply.code = 250;
	for (size_t i = 0; i < t->n; i++)
		if (t->accepted[i])
			settle_end(t, i);
	return send_rest(t) && session_reply(t->s, "end",
	    t->set->end_timeout, t->why) == 0;
""")
LATE = ("""	else if (!envelope_rcpt_waits(r))
		settle_states(q, m, r, 1);
""", """	else
		(void)r;
""")
MUTANTS = {     # what: program, its file, what stands there, what instead
    "remote that says delivered before the server does":
        ("remote-worker", "remote", "deliver/remote_tx.c", *HASTY),
    "queue that is late to write it down":
        ("queue", "queue", "queue/outcome.c", *LATE),
}


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

    # ---- mail

    def one(self, *rcpts, size=2000, by_drop=False):
        """A new letter; queue is alive or not, smtpd says 250."""
        letter = self.post.write(list(rcpts), size)
        if by_drop:
            drop(self.stage, letter)
        else:
            line = Line(self.stage.smtp, timeout=20)
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

    def arrivals(self):
        return Arrivals(self.sinks.values(), self.post.letters)

    def after(self, keys):
        """Once these are among them: a sink says 250 first and notes it then."""
        wait_for(lambda: keys <= set(self.arrivals().times), 1, 0.01)
        return self.arrivals()

    def flush(self):
        """Does queue obey?"""
        try:    # a dead one does not answer
            return subprocess.run([self.stage.bin + "/postq", "-f",
                                   self.stage.conf, "flush", "ALL"],
                                  capture_output=True, timeout=1
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

    def settle(self):
        return wait_for(lambda: self.is_over(0.1), PATIENCE, 0.02)

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
            self.letters(program)
            self.settle()
            self.forget()
            return self.workers()
        for p in self.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(p, signal.SIGTERM)
        wait_for(lambda: not self.workers(), 5, 0.01)
        return [st.status()["remote"][0]]

    def all_up(self):
        """Without waiting for the master's patience with one that dies."""
        st = self.stage
        wait_for(lambda: "starting" not in str(st.status()), 10, 0.02)
        if not st.all_running():
            st.start_master(kill=st.master_pid())
        if not wait_for(st.all_running, 20, 0.02):
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
            recorded = self.left_behind(name, made, pids[0], logged) \
                if program == "queue" and dead() else None
        self.all_up()
        self.judge(name, made, logged, recorded)

    def left_behind(self, name, made, pid, logged):
        """What a dead queue had on record: each (token, recipient) that is not
        to be delivered any more; the servers must have it. What it knew to be
        delivered stands there before it does anything else."""
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
        return todo - have

    def case_error(self, program, call, error, n, on):
        name = "%s: %s from %s %d%s" % (program, error, call, n, on)
        self.cases += 1
        pids = self.pids(program)
        logged = len(self.stage.log())
        with traced(pids, "%s:error=%s:when=%d%s" % (call, error, n, on)):
            made = self.letters(program)
            wait_for(lambda: self.is_over(0.3), 0.8, 0.02)
            left = self.arrivals().missing(made)
        dead = [p for p in pids if not is_alive(p)]
        if dead and program != "remote-worker":
            self.wrong.append((name, program + " died"))
        self.reached += bool(left) or bool(dead)
        if dead:
            self.all_up()
        self.judge(name, made, logged,
                   None if program != "queue" or call in RECORDING else set())
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

    def judge(self, name, made, logged, recorded):
        """recorded: what may not come twice for that alone."""
        if not self.settle():
            self.wrong.append((name, "still waits", self.stage.waiting()))
        acked = [x for x in made if x.fate == "acked"]
        if not wait_for(self.flush, 5):
            self.wrong.append((name, "queue takes no orders"))
        got = self.after({(x.token, r) for x in acked for r in x.rcpts})
        refused = [x.reply for x in made if x.fate != "acked"]
        if refused:
            self.wrong.append((name, "no 250", refused))
        lost = got.missing(acked)
        if lost:
            self.wrong.append((name, "lost", lost))
        if got.torn or got.strange:
            self.wrong.append((name, "torn", got.torn, got.strange))
        tokens = {x.token for x in made}
        text = self.stage.log()[logged:]
        for (token, r), n in got.twice().items():
            self.twice += n
            if token not in tokens or not self.excused(
                    name, text, (token, r), n, recorded):
                self.wrong.append((name, "twice", token, r, n))
        again = {k for k in got.times if k[0] not in tokens}
        odd = self.stage.files("hold", "corrupt", "status")
        if again or odd:
            self.wrong.append((name, "left over", again, odd))
        self.forget()

    def forget(self):
        for s in self.sinks.values():
            s.mails.clear()

    def excused(self, name, text, key, n, recorded):
        """It came again because nobody could know that it had come."""
        if recorded is None and name.startswith("queue"):
            return True         # it could not write it down
        if name.startswith("queue: killed"):
            return n == 1 and key not in recorded
        lines = [x for x in text.splitlines() if " to=%s " % key[1] in x]
        lost = [x for x in lines if " deferred id=" in x and LOST.search(x)]
        known = [x for x in lines if " delivered id=" in x and " queue[" in x]
        # one that is kept may die over new mail: it is tried again at once
        silent = "worker-died" in text or "not-told" in text
        return len(known) <= 1 and (len(lost) >= n or n == 1 and silent)


def kills_of(counts):
    return [(c, n + 1) for c, most in counts.items() for n in range(most)]


def errors_of(counts):
    """The first ones, and one of the later ones; once, and from then on."""
    found = []
    for call, most in counts.items():
        where = sorted({1, 2, most // 2 + 1, most} & set(range(1, most + 1)))
        for error in FAILING.get(call, ()):
            for n in where:
                found.append((call, error, n, ""))
                # one who is interrupted for ever tries for ever
                if error != "EINTR" and n < 3:
                    found.append((call, error, n, "+"))
    return found


def pick(rng, cases, share):
    return rng.sample(cases, min(share, len(cases))) if share else cases


def count(bench, program):
    """{system call: how many} of a run without any fault."""
    bench.all_up()

    def action():
        made = bench.letters(program)
        wait_for(lambda: bench.is_over(0.4), PATIENCE, 0.01)
        return made
    got = survey(bench.pids(program), action)
    bench.settle()
    bench.forget()
    return {c: n for c, n in got.items() if c not in NEVER}


def run(tap, rng, bench, program, share):
    bench.started = len(bench.stage.log())
    counts = count(bench, program)
    tap.diag("%s: %s" % (program, counts))
    for call, n in pick(rng, kills_of(counts), share):
        bench.case_kill(program, call, n)
    kills, died = bench.cases, bench.reached
    for case in ALWAYS.get(program, []) + pick(rng, errors_of(counts), share):
        bench.case_error(program, *case)
    tap.diag("%s: killed %d times of %d; %d errors, %d felt; %d came twice" % (
        program, died, kills, bench.cases - kills, bench.reached - died,
        bench.twice))
    tap.ok(kills and bench.cases > kills, program + ": it was tried")
    tap.ok(not bench.wrong, program + ": all came, whole, and no more often "
           "than need be", bench.wrong)
    bench.wrong, bench.cases, bench.reached, bench.twice = [], 0, 0, 0


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


def one_mutant(tap, rng, what, program, *fault):
    with tempfile.TemporaryDirectory(prefix="posthouse-mutant.") as dir:
        os.chmod(dir, 0o755)
        with bench_of(rng, mutant.edited(dir, *fault)) as bench:
            bench.refusals = 0      # a death is what it has to be seen by
            cases = kills_of(count(bench, program))
            rng.shuffle(cases)
            while cases and not bench.wrong:
                bench.case_kill(program, *cases.pop())
            tap.diag("%s: after %d kills: %s" % (what, bench.cases, bench.wrong))
            tap.ok(bench.wrong, "a %s is found out" % what)


def main():
    tap = Tap()
    if not is_root() or not shutil.which("strace"):
        tap.skip("failing system calls", "no strace" if is_root() else
                 "it takes root to trace programs that are not dumpable")
        return tap.end()
    rng = seed(tap)
    only = os.environ.get("PH_PROGRAM", "")
    with bench_of(rng) as bench:
        for program in PROGRAMS:
            if only in ("", program):
                run(tap, rng, bench, program, 0 if is_long() else 3)
        if tap.failed:
            sys.stderr.write(bench.stage.log()[-8000:])
        left = bench.stage.down()
        tap.ok(not left, "no process is left", left)
    for what, fault in MUTANTS.items() if is_long() else ():
        if only in ("", fault[0]):
            one_mutant(tap, rng, what, *fault)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
