"""Each system call of the road of a message dies or fails: with strace(1) the
n-th openat, write, fsync, rename ... of smtpd, queue, local-worker and drop is
the last (SIGKILL), or ends with ENOSPC, EIO and others. 250 must mean that the
message arrives; an error must be told with the right reply and a line in the
log; nothing half-written has a real name; afterwards all goes on. As root.
PH_SEED repeats a selection. TAP on standard output."""
import os
import random
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import spoolfile  # noqa: E402
from mail import Line, Post, drop, until_seen  # noqa: E402
from stage import Stage, children, is_alive, wait_for  # noqa: E402
from strace import missing, traced, wrap  # noqa: E402
from tap import Tap, is_long, seed  # noqa: E402

CONF = ("local.alias-user alice\n"
        "smtp.min-spare 1\nlocal.idle-timeout 1h\nqueue.retry-first 1s\n"
        "queue.retry-max 1s\nqueue.scan-interval 1s\nlog-level debug\n")
CALLS = {       # program: its system calls for mail, and how many of each
    "smtpd": {"openat": 2, "write": 3, "pwrite64": 1, "sync_file_range": 2,
              "fsync": 2, "renameat": 2, "fchmod": 1, "unlinkat": 1,
              "close": 3, "sendto": 4, "sendmsg": 3},
    "queue": {"openat": 7, "write": 4, "pread64": 4, "pwrite64": 3,
              "sync_file_range": 2, "fsync": 2, "renameat": 2, "renameat2": 2,
              "mkdirat": 2, "unlinkat": 5, "utimensat": 2, "close": 6,
              "sendmsg": 6, "recvmsg": 4},
    "local-worker": {"openat": 2, "write": 4, "pread64": 3,
                     "sync_file_range": 2, "fsync": 2, "renameat": 3,
                     "unlinkat": 1, "close": 3, "sendmsg": 3, "recvmsg": 3},
    "drop": {"openat": 12, "write": 4, "sync_file_range": 2, "fsync": 2,
             "renameat": 2, "fchmod": 2, "unlinkat": 1, "close": 6},
}
ERRORS = ("ENOSPC", "EIO", "EDQUOT", "EROFS", "EMFILE")
FAILING = {     # which errors a call can give, in life
    "openat": ERRORS, "write": ("ENOSPC", "EIO", "EDQUOT"),
    "pwrite64": ("EIO", "ENOSPC"), "sync_file_range": ("EIO", "ENOSPC"),
    "fsync": ("EIO", "ENOSPC", "EDQUOT"), "pread64": ("EIO",),
    "renameat": ("ENOSPC", "EIO", "EROFS", "EDQUOT"),
    "renameat2": ("ENOSPC", "EIO", "EROFS"), "mkdirat": ("ENOSPC", "EROFS"),
    "unlinkat": ("EIO", "EROFS"), "utimensat": ("EIO", "EROFS"),
    "fchmod": ("EIO", "EROFS"),
}


class Bench:
    def __init__(self, tap, stage, post):
        self.tap, self.stage, self.post = tap, stage, post
        self.wrong = []         # what should not have been
        self.kills = 0
        self.cases = 0

    def one(self, rcpts=("alice@example.test",), size=3000):
        """A new letter by SMTP; its reply, b"" without one."""
        letter = self.post.write(list(rcpts), size)
        try:
            line = Line(self.stage.smtp, timeout=60)
            line.send(letter)
            line.close()
        except (OSError, ValueError):
            pass
        return letter

    def healthy(self, what):
        """Mail is received and delivered, whatever happened before."""
        def try_it():
            return self.one().fate == "acked"
        if not wait_for(try_it, 60, 0.2):
            self.wrong.append((what, "no more 250"))

    def pids(self, program):
        st = self.stage
        if program == "smtpd":
            return children(st.status()["smtp"][0])
        if program == "queue":
            return [st.status()["queue"][0]]
        wait_for(lambda: st.processes("local-worker"), 30)
        return [p for p, _ in st.processes("local-worker")]

    def all_up(self):
        """Without waiting for the master's patience with one that dies."""
        st = self.stage
        wait_for(lambda: "starting" not in str(st.status()), 10)
        if not st.all_running():
            st.start_master(kill=st.master_pid())
        if not wait_for(st.all_running, 75):
            self.wrong.append(("not running", st.status()))

    def letters(self, program):
        """What takes the program through all that it can do."""
        if program == "smtpd":
            return [self.one(size=100000)]
        if program == "local-worker":
            return [self.one(), self.one()]
        made = [self.one(["team@example.test"]), self.one()]
        made.append(self.post.write(["pair@example.test"], 500))
        drop(self.stage, made[-1])
        return made

    def case_kill(self, program, call, n):
        name = "%s: killed at %s %d" % (program, call, n)
        self.cases += 1
        self.kills += 1
        if program == "drop":
            letter = self.post.write(["alice@example.test"], 2000)
            drop(self.stage, letter, wrap("%s:signal=KILL:when=%d" % (call, n)))
            return
        if program == "local-worker":
            self.healthy(name)
        pids = self.pids(program)
        with traced(pids, "%s:signal=KILL:when=%d" % (call, n)):
            self.letters(program)
            if program != "smtpd":
                time.sleep(0.25)
        self.all_up() if program == "queue" else None

    def case_error(self, program, call, error, n):
        name = "%s: %s from %s %d on" % (program, error, call, n)
        spec = "%s:error=%s:when=%d+" % (call, error, n)
        self.cases += 1
        if program == "drop":
            letter = self.post.write(["alice@example.test"], 2000)
            status = drop(self.stage, letter, wrap(spec))
            # where no write works it cannot say so either
            if letter.fate != "acked" and not letter.reply and call != "write":
                self.wrong.append((name, "says nothing", status))
            return
        if program == "local-worker":
            self.healthy(name)
        logged = len(self.stage.log())
        pids = self.pids(program)
        with traced(pids, spec):
            made = self.letters(program)
            if program != "smtpd":
                time.sleep(0.4)
        if program == "smtpd":
            self.judge_reply(name, error, made[0], logged)
        dead = [p for p in pids if not is_alive(p)]
        if dead and program == "queue":
            self.wrong.append((name, "queue died"))
            self.all_up()

    def judge_reply(self, name, error, letter, logged):
        """Full disks are 452 4.3.1, the rest 451; the log says why."""
        if letter.fate == "acked":
            return
        want = rb"452 4\.3\.1 " if error in ("ENOSPC", "EDQUOT") else \
            rb"451 4\.3\.0 "
        if not re.match(want, letter.reply):
            self.wrong.append((name, letter.fate, letter.reply))
            return
        text = os.strerror({"ENOSPC": 28, "EIO": 5, "EDQUOT": 122, "EROFS": 30,
                            "EMFILE": 24}[error])
        if not wait_for(lambda: 'why="%s"' % text in
                        self.stage.log()[logged:], 30):
            self.wrong.append((name, "nothing in the log"))


def pick(rng, program, share):
    kills = [(c, n + 1) for c, most in CALLS[program].items()
             for n in range(most)]
    errors = [(c, e, n + 1) for c, most in CALLS[program].items()
              for e in FAILING.get(c, ()) for n in range(min(most, 3))]
    if share:
        kills = rng.sample(kills, min(share, len(kills)))
        errors = rng.sample(errors, min(share, len(errors)))
    return kills, errors


def check(tap, bench, program):
    """All that was promised so far is there; nothing else is."""
    stage, post = bench.stage, bench.post
    subprocess.run([stage.bin + "/postq", "-f", stage.conf, "flush", "ALL"],
                   capture_output=True)
    acked = post.by_fate("acked")
    stage.settle(90)
    boxes = until_seen(stage, post, acked, 30)
    tap.diag("%s: %d cases, %s, %d came twice" % (
        program, bench.cases, post.counts(), boxes.duplicates()))
    tap.ok(not bench.wrong, "%s: each failure had its answer" % program,
           bench.wrong)
    tap.ok(not boxes.missing(acked), "%s: 250 was true each time" % program,
           boxes.missing(acked))
    tap.ok(not boxes.torn and not boxes.strange,
           "%s: no half message in a mailbox" % program,
           (boxes.torn, boxes.strange))
    left = stage.waiting() + stage.files("hold", "corrupt")
    tap.ok(not left, "%s: the spool is empty afterwards" % program, left)
    bench.wrong, bench.cases = [], 0


def run(tap, rng, bench, program, share):
    kills, errors = pick(rng, program, share)
    for call, n in kills:
        bench.case_kill(program, call, n)
    for call, error, n in errors:
        bench.case_error(program, call, error, n)
    bench.all_up()
    bench.healthy(program + " in the end")
    check(tap, bench, program)


def content(stage, id):
    """Of the one file of that name."""
    for path in stage.files("incoming/new", "queue"):
        if os.path.basename(path) == id:
            try:
                with open(path, "rb") as f:
                    return f.read()
            except FileNotFoundError:
                pass
    return b""


def no_room_to_rewrite(tap, stage, post):
    """A file of smtpd's is written anew when it has to wait. If that fails the
    states go into the old file, and nothing else of it may change."""
    letter = post.write(["later@example.test", "alice@example.test"], 500)
    letter.fate = "acked"
    id = spoolfile.new_id()
    # what smtpd says of a command is not believed, and not written again
    data = spoolfile.make(id, [
        ("later@example.test", [
            ("k", "P"), ("u", "alice"), ("e", ""), ("a", "later@example.test"),
            ("g", "exit 75")]),
        ("alice@example.test", None)], letter.content)
    with traced([stage.status()["queue"][0]], "sync_file_range,fsync:error=ENOSPC"):
        spoolfile.put(stage, "incoming", id, data)
        wait_for(lambda: "waits id=" + id in stage.log(), 30)
        # letters from before may be on their way, too
        head, tail = data.rsplit(b"s1:w,", 1)
        wait_for(lambda: content(stage, id) == head + b"s1:d," + tail, 10)
        now = content(stage, id)
    tap.ok(now == head + b"s1:d," + tail,
           "states without room for a new file", now[:600])
    stage.start_master(kill=stage.master_pid())
    wait_for(stage.all_running, 75)
    wait_for(lambda: stage.log().count("deferred id=" + id) > 2, 10)
    boxes = until_seen(stage, post, [letter], 30)
    tap.ok(boxes.copies[(letter.token, "alice")] == 1 and
           not stage.files("corrupt"), "and a new start goes on from them",
           (boxes.copies[(letter.token, "alice")], stage.files("corrupt")))

    def removed():
        return subprocess.run([stage.bin + "/postq", "-f", stage.conf,
                               "remove", id],
                              capture_output=True).returncode == 0
    tap.ok(wait_for(removed, 30), "removed by hand")


def not_removed(tap, stage, bench):
    """What a user sent cannot be removed from drop: it comes, once; and goes when it can."""
    letter = bench.post.write(["alice@example.test"], 500)
    with traced([stage.status()["queue"][0]], "unlinkat:error=EIO:when=1+",
                os.path.join(stage.dir, "spool/drop/new")):
        drop(stage, letter)
        boxes = until_seen(stage, bench.post, [letter], 60)
        time.sleep(2.5)     # two scans
    tap.ok(not boxes.missing([letter]), "what cannot be removed from drop comes", letter.fate)
    tap.ok(wait_for(lambda: not stage.files("drop/new"), 60), "and goes from there later",
           stage.files("drop/new"))
    boxes = until_seen(stage, bench.post, [letter], 5)
    tap.ok(boxes.copies[(letter.token, "alice")] == 1, "and came once",
           boxes.copies[(letter.token, "alice")])


def no_descriptor(tap, stage, bench):
    """The parent of local cannot take queue's connection: that is told once
    and tried again, not all the time."""
    logged = len(stage.log())
    with traced([stage.status()["local"][0]], "accept4:error=EMFILE:when=1+"):
        os.kill(stage.status()["queue"][0], signal.SIGKILL)
        at = time.monotonic()
        wait_for(stage.all_running, 75)
        letter = bench.one()
        told = wait_for(lambda: 'accept why="Too many open files"' in
                        stage.log()[logged:], 30)
        time.sleep(0.5)
    n = stage.log()[logged:].count("local[")
    # once a second, and what is slow here is not local
    most = 2 + (time.monotonic() - at)
    tap.ok(told and n <= most, "a connection that cannot be accepted", (told, n, most))
    boxes = until_seen(stage, bench.post, [letter], 60)
    tap.ok(not boxes.missing([letter]), "and is accepted later", letter.fate)


def main():
    tap = Tap()
    why = missing()
    if why:
        tap.skip("failing system calls", why)
        return tap.end()
    rng = seed(tap)
    share = 0 if is_long() else 7
    only = os.environ.get("PH_PROGRAM", "")
    stage = Stage(CONF)
    try:
        stage.up()
        bench = Bench(tap, stage, Post(random.Random(rng.randrange(1 << 32))))
        bench.healthy("at first")
        no_room_to_rewrite(tap, stage, bench.post)
        no_descriptor(tap, stage, bench)
        not_removed(tap, stage, bench)
        for program in CALLS:
            if program.startswith(only):
                run(tap, rng, bench, program, share)
        left = stage.down()
        tap.ok(not left, "no process is left", left)
    finally:
        if tap.failed:
            sys.stderr.write(stage.log()[-8000:])
        stage.down()
        stage.remove()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
