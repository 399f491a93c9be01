"""Each system call of a POP3 session's end dies or fails: with strace(1) the n-th
unlinkat, fsync, renameat ... after QUIT is the last (SIGKILL), or ends with EIO
and others. +OK must mean that what was marked has gone, and gone for good: the
directories are flushed before it; -ERR, or no answer, that nothing else has gone.
Whoever hangs up has deleted nothing. The next session can begin at once and has
the same unique names. As root. TAP on standard output."""
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from pop import Box, Pop, session_of  # noqa: E402
from stage import Stage, is_alive, wait_for  # noqa: E402
from strace import attached, missing, traced  # noqa: E402
from tap import Tap, is_long  # noqa: E402

MESSAGES = 6
MARKED = (1, 2, 5)      # numbers of DELE; 4 is retrieved, so that it is renamed
KILLS = {"newfstatat": 3, "unlinkat": 3, "renameat": 2, "fsync": 2, "openat": 9,
         "write": 1, "pwrite64": 1, "fdatasync": 1, "close": 8, "sendto": 2}
FAILING = {"unlinkat": ("EIO", "EROFS", "EACCES"), "fsync": ("EIO", "ENOSPC"),
           "renameat": ("EIO", "ENOSPC", "EROFS"),
           "openat": ("ENOSPC", "EROFS", "EMFILE", "EIO"),
           "write": ("ENOSPC", "EDQUOT", "EIO"), "fdatasync": ("EIO", "ENOSPC")}
BEGINNING = ("ENOENT", "EIO", "EMFILE", "EACCES", "ENOSPC")


class Bench:
    def __init__(self, stage):
        self.stage = stage
        self.port = stage.base + 110
        self.box = Box(stage.maildir("alice"))
        self.wrong = []

    def fresh(self):
        self.box.make()
        return [self.box.put(i) for i in range(MESSAGES)]

    def gone(self):
        """No session is left, and so no lock."""
        return wait_for(lambda: not self.stage.processes("pop3d-session"), 60,
                        0.01)

    def marked(self):
        """A session that has only to say QUIT, and its process."""
        p = Pop(self.port)
        p.rows("RETR 4")
        for n in MARKED:
            if not p.said("DELE %d" % n).startswith(b"+OK"):
                raise RuntimeError("DELE: " + repr(p.answer))
        return p, session_of(self.stage)

    def look(self, what, names, answer):
        """What is there, and what the next session says of it."""
        have = self.box.names()
        doomed = {names[n - 1] for n in MARKED}
        kept = [n for n in names if n not in doomed]
        if not set(kept) <= set(have) or not set(have) <= set(names) or \
                len(have) != len(set(have)):
            self.wrong.append((what, answer, "has", have))
        if answer.startswith(b"+OK") and have != sorted(kept):
            self.wrong.append((what, answer, "is not gone", have))
        if not answer.startswith((b"+OK", b"-ERR [SYS/TEMP]")) and answer:
            self.wrong.append((what, answer))
        p = Pop(self.port)
        uidls = p.uidls()
        p.said("QUIT")
        p.close()
        if sorted(uidls) != have:
            self.wrong.append((what, "next session", p.answer, uidls, have))
        return have

    def case(self, spec):
        names = self.fresh()
        p, pid = self.marked()
        with traced([pid], spec):
            answer = p.said("QUIT")
            p.close()
            ended = wait_for(lambda: not is_alive(pid), 60, 0.005)
        if not ended:
            self.wrong.append((spec, "the session stays"))
        self.gone()
        have = self.look(spec, names, answer)
        return answer, have

    def hang_up(self):
        names = self.fresh()
        p, pid = self.marked()
        p.close()
        wait_for(lambda: not is_alive(pid), 60)
        return names == self.box.names()

    def killed_before(self):
        names = self.fresh()
        p, pid = self.marked()
        os.kill(pid, 9)
        p.close()
        wait_for(lambda: not is_alive(pid), 60)
        return names == self.box.names()

    def order(self):
        """The calls after QUIT, as words."""
        self.fresh()
        p, pid = self.marked()
        with tempfile.NamedTemporaryFile("r", errors="replace") as out:
            with attached([pid], ["-e", "trace=unlinkat,fsync,sendto", "-o",
                                  out.name]):
                p.said("QUIT")
                wait_for(lambda: not is_alive(pid), 60)
            text = out.read()
        p.close()
        return [w if w != "sendto" else "say" for w in re.findall(
            r"(unlinkat|fsync|sendto)\((?!4,)", text)]

    def beginning(self, error, n):
        """The n-th file that a session opens cannot be opened."""
        names = self.fresh()
        spec = "openat:error=%s:when=%d" % (error, n)
        with traced([self.stage.master_pid()], spec, self.box.dir):
            p = Pop(self.port)
            p.said("QUIT")
            p.close()
        self.gone()
        if not p.answer.startswith((b"+OK", b"-ERR [SYS/TEMP]")):
            self.wrong.append((spec, p.answer))
        if self.box.names() != names:
            self.wrong.append((spec, p.answer, self.box.names()))
        return p.answer


def numbers(most):
    return range(1, most + 1) if is_long() else (1, most)


def deaths(tap, bench):
    told = cut = 0
    for call, most in KILLS.items():
        for n in sorted(set(numbers(most))):
            answer, _ = bench.case("%s:signal=KILL:when=%d" % (call, n))
            told += answer.startswith(b"+OK")
            cut += answer == b""
    tap.diag("%d sessions died with, %d without an answer" % (told, cut))
    tap.ok(cut > 3, "sessions that die at their end", (told, cut))
    tap.ok(not bench.wrong, "lose nothing, and say nothing wrong", bench.wrong)


def failures(tap, bench):
    refused = 0
    for call, errors in FAILING.items():
        for error in errors if is_long() else errors[:1]:
            for when in ("1", "2", "1+"):
                answer, _ = bench.case("%s:error=%s:when=%s" %
                                       (call, error, when))
                if not answer:
                    bench.wrong.append((call, error, when, "no answer"))
                if call in ("unlinkat", "fsync") and when != "2" and \
                        not answer.startswith(b"-ERR [SYS/TEMP]"):
                    bench.wrong.append((call, error, when, answer))
                refused += answer.startswith(b"-ERR")
    tap.ok(refused > 3, "errors at the end are told", refused)
    tap.ok(not bench.wrong, "and nothing else is lost", bench.wrong)


def main():
    tap = Tap()
    why = missing()
    if why:
        tap.skip("failing system calls of POP3", why)
        return tap.end()
    stage = Stage("log-level debug\n")
    try:
        stage.up()
        bench = Bench(stage)
        tap.ok(bench.hang_up(), "who hangs up has deleted nothing")
        tap.ok(bench.killed_before(), "nor has a session that was killed")
        calls = bench.order()
        # both directories, and the one of the list of UIDs that was replaced
        tap.ok(calls == ["unlinkat"] * 3 + ["fsync"] * 3 + ["say"],
               "the directories are flushed before +OK", calls)
        deaths(tap, bench)
        failures(tap, bench)
        said = {bench.beginning(error, n) for error in BEGINNING
                for n in (range(1, 9) if is_long() else (1, 3, 6))}
        tap.ok(any(s.startswith(b"-ERR") for s in said) and not bench.wrong,
               "a session that cannot begin says so", (said, bench.wrong))
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
