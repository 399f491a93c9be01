"""A mailbox of very many messages (100000 in long runs): log in, STAT, UIDL, RETR,
DELE, QUIT in bounded memory, while mail goes on arriving; and the unique names
stay. TAP on standard output."""
import os
import poplib
import shutil
import smtplib
import subprocess
import sys
import time

from lib.e2e import Tap, runs_in

ADDR = os.environ.get("PH_ADDR", "127.0.0.1")
DIR = os.environ["PH_DIR"]
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILL = os.path.join(os.environ.get("PH_BUILD", os.path.join(TOP, "build")), "tools",
                    "fill_maildir")
USER = "bob"
HOME = os.path.join(DIR, "mail", USER)
MAILDIR = os.path.join(HOME, "Maildir")
N = 100000 if os.environ.get("PH_MODE") == "long" else 15000
DELETED = 1000
tap = Tap()
check = tap.check


def count():
    return sum(len(os.listdir(os.path.join(MAILDIR, d))) for d in ("new", "cur"))


def fill():
    shutil.rmtree(MAILDIR, ignore_errors=True)
    subprocess.run([FILL, MAILDIR, str(N)], check=True)
    owner = os.stat(HOME)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "%d:%d" % (owner.st_uid, owner.st_gid),
                        MAILDIR], check=True)


def login():
    p = poplib.POP3(ADDR, int(os.environ["PH_POP3"]), timeout=120)
    p.user(USER)
    p.pass_("secret")
    return p


def field(path, key):
    with open(path) as f:
        for line in f:
            if line.startswith(key + ":"):
                return line.split()[1]
    return ""


def peaks():
    """KiB, of the sessions that run as that user and have such a mailbox."""
    uid, found = str(os.stat(HOME).st_uid), []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            status = "/proc/%s/status" % pid
            if field(status, "Name") == "pop3d-session" and \
                    field(status, "Uid") == uid and runs_in(pid, DIR):
                found.append(int(field(status, "VmHWM")))
        except OSError:
            pass
    return found


def deliver():
    """One more, while the session has the mailbox."""
    before = count()
    with smtplib.SMTP(ADDR, int(os.environ["PH_SMTP"]), timeout=120) as s:
        s.sendmail("a@client.test", [USER + "@example.test"],
                   "Subject: late\r\n\r\nIt comes during a session.\r\n")
    end = time.monotonic() + 120
    while count() == before and time.monotonic() < end:
        time.sleep(0.05)
    return count() - before


def first_session(names):
    p = login()
    n, octets = p.stat()
    check(n == N, "all are there", n)
    got = [row.split()[1] for row in p.uidl()[1]]
    check(len(set(got)) == N, "each has a name of its own", len(set(got)))
    sizes = [int(row.split()[1]) for row in p.list()[1]]
    check(sum(sizes) == octets, "sizes add up", (sum(sizes), octets))
    check(deliver() == 1, "mail is delivered while a session has the mailbox")
    check(p.stat()[0] == N, "which does not see it")
    _, lines, size = p.retr(N)
    check(size == sizes[-1] == sum(len(x) + 2 for x in lines),
          "the last one comes whole", (size, sizes[-1]))
    for i in range(1, DELETED + 1):
        p.dele(i)
    check(p.stat()[0] == N - DELETED, "many are marked")
    most = peaks()
    check(most and max(most) < 6000 + N * 500 // 1024,
          "memory of the session: %s KiB" % most, most)
    check(p.quit().startswith(b"+OK"), "and removed with QUIT")
    check(count() == N - DELETED + 1, "those, and not the one that came", count())
    names += got[DELETED:]


def second_session(names):
    p = login()
    check(p.stat()[0] == N - DELETED + 1, "the next session sees the new one")
    got = [row.split()[1] for row in p.uidl()[1]]
    check(got[:-1] == names, "behind all others, whose names are the same")
    p.quit()


def main():
    names = []
    fill()
    try:
        first_session(names)
        second_session(names)
    finally:
        shutil.rmtree(MAILDIR, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
