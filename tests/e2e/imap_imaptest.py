"""Dovecot's imaptest, where it is installed (PH_IMAPTEST, or in PATH; no Debian package has it): clients that do everything
at once in one mailbox and compare what each of them was told. TAP on standard output."""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ADDR, LONG, Stage, Tap, Wrong  # noqa: E402
from imap import Imap  # noqa: E402

IMAPTEST = os.environ.get("PH_IMAPTEST") or shutil.which("imaptest")
SECONDS = 60 if LONG else 6
ALL = ["sort", "thread", "move", "copybox=Trash", "mcreate", "mdelete", "mrename", "msubs", "noop", "check", "uidfetch"]
RUNS = [
    ("what clients do", ["clients=10", "msgs=50"]),
    ("their views agree", ["clients=8", "checkpoint=2", "logout=0"]),
    ("COPY into another mailbox", ["clients=8", "checkpoint=2", "logout=0", "copybox=Trash"]),
    ("each has messages of his own", ["clients=8", "checkpoint=2", "logout=0", "own_msgs"]),
    ("QRESYNC", ["clients=8", "checkpoint=2", "qresync"]),
    ("IMAP4rev2", ["clients=8", "checkpoint=2", "imap4rev2"]),
    ("connections that break", ["clients=10", "random", "disconnect=2", "no_pipelining"]),
    ("everything else", ["clients=8", *ALL]),
]
tap = Tap()


def write_mbox(path):
    with open(path, "w") as f:
        for n in range(60):
            f.write("From ann@far.test Thu Jan  1 00:00:%02d 2026\nFrom: Ann <ann@far.test>\nTo: bob@example.test\n"
                    "Date: Thu, 1 Jan 2026 00:00:%02d +0000\nMessage-ID: <%d@far.test>\nSubject: %sletter %d\n\n%s\n"
                    % (n, n, n, "Re: " if n % 3 else "", n // 3, "some words to look for\n" * (1 + 7 * n)))


def run(st, mbox, user, args):
    c = Imap(st, user)      # two that made it at once would not both be told OK
    c.ok(b"CREATE Trash")
    c.logout()
    got = subprocess.run([IMAPTEST, "host=" + ADDR, "port=%d" % (st.base + 143), "user=" + user, "pass=secret", "mbox=" + mbox,
                          "secs=%d" % SECONDS, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                         errors="replace", timeout=SECONDS + 120, cwd=os.path.dirname(mbox))
    wrong = [line for line in got.stdout.splitlines() if "Error: " in line or "Panic: " in line]
    if wrong or got.returncode != 0:
        raise Wrong("exit status %d, %s" % (got.returncode, "\n".join(wrong[:10])))


def main():
    if not IMAPTEST:
        tap.skip("imaptest", "not installed")
        return tap.end()
    st = Stage(users=len(RUNS))
    try:
        with tempfile.TemporaryDirectory() as scratch:
            mbox = os.path.join(scratch, "mbox")
            write_mbox(mbox)
            for n, (name, args) in enumerate(RUNS):
                tap.run("imaptest: " + name, run, st, mbox, "user%d" % (n + 1), args)
    finally:
        st.down()
    return tap.end()


sys.exit(main())
