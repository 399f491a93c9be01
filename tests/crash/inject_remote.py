"""Each system call on the way of a message to another host dies or fails: the
n-th of queue, hop, remote and its workers, as strace(1) counted them before, is
the last (SIGKILL), or ends with EIO, EMFILE and others, once or from then on.
What got its 250 must come to the servers, whole, and twice only if the death
came between their 250 and the record of it; what waits says why; afterwards
all goes on. The test is tested, too: with a remote that says "delivered" before
the server did, and a queue that is late to write it down. As root.
PH_SEED repeats a selection, PH_PROGRAM chooses. TAP on standard output."""
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e", "lib"))
sys.path.insert(0, os.path.join(HERE, "lib"))
import mutant  # noqa: E402
from awaybench import bench_of  # noqa: E402
from strace import missing, survey  # noqa: E402
from tap import Tap, is_long, seed  # noqa: E402

PROGRAMS = ("queue", "hop", "remote", "remote-worker")
# what once went wrong is looked at each time
ALWAYS = {"queue": [("epoll_ctl", "ENOMEM", 1, "+"),
                    ("recvmsg", "ENOMEM", 22, "")],
          "remote": [("accept4", "EMFILE", 1, "+")],
          "remote-worker": [("sendmsg", "ENOBUFS", 1, "")]}
MOST_ERRORS = 80        # of one program, in a long run
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

    got = survey(bench.pids(program), lambda: bench.healthy(program))
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
    some = pick(rng, errors_of(counts), share or MOST_ERRORS)
    for case in ALWAYS.get(program, []) + some:
        bench.case_error(program, *case)
    tap.diag("%s: killed %d times of %d; %d errors, %d felt; %d came twice" % (
        program, died, kills, bench.cases - kills, bench.reached - died,
        bench.twice))
    tap.ok(kills and bench.cases > kills, program + ": it was tried")
    tap.ok(not bench.wrong, program + ": all came, whole, and no more often "
           "than need be", bench.wrong)
    bench.wrong, bench.cases, bench.reached, bench.twice = [], 0, 0, 0


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
    why = missing()
    if why:
        tap.skip("failing system calls", why)
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
