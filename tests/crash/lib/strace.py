"""Processes with strace(1) at them: system calls counted, or made to fail."""
import collections
import contextlib
import re
import shutil
import signal
import subprocess
import tempfile

from stage import is_root, wait_for


def missing():
    """Why nothing can be traced here; None: it can."""
    if not is_root():
        return "it takes root to trace programs that are not dumpable"
    return None if shutil.which("strace") else "no strace"


def tracer(pid):
    try:
        with open("/proc/%d/status" % pid) as f:
            return re.search(r"TracerPid:\t(\d+)", f.read()).group(1) != "0"
    except OSError:
        return True     # it has gone


@contextlib.contextmanager
def attached(pids, args):
    args = ["strace", "-f", "-qq", *args]
    for p in pids:
        args += ["-p", str(p)]
    s = subprocess.Popen(args, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: all(tracer(p) for p in pids) or s.poll() is not None, 60,
             0.005)
    try:
        yield s
    finally:
        if s.poll() is None:
            s.send_signal(signal.SIGINT)
        s.stderr.read()
        s.wait(60)


def injection(spec):
    return ["-e", "trace=" + spec.partition(":")[0], "-e", "inject=" + spec,
            "-o", "/dev/null"]


def traced(pids, spec, where=None):
    """These processes with a fault in one of their system calls; only those about the path, if one is given."""
    return attached(pids, injection(spec) + (["-P", where] if where else []))


def wrap(spec):
    """The same, of a program that is only to be started."""
    return ("strace", "-f", "-qq", *injection(spec))


def survey(pids, action):
    """{call: how many of it one of the processes makes meanwhile, at most}"""
    counts = collections.Counter()
    with tempfile.NamedTemporaryFile("r", errors="replace") as out:
        with attached(pids, ["-o", out.name]):
            action()
        for line in out:
            m = re.match(r"(\d+) +(\w+)\(", line)
            if m:
                counts[m.groups()] += 1
    most = {}
    for (_, call), n in counts.items():
        most[call] = max(most.get(call, 0), n)
    return most
