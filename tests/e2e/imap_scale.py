"""What a command costs does not grow with the number of folders, messages or sessions that it is not about: processor time of the
session, for few and for many. TAP on standard output."""
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ROOT, Skip, Tap, runs_in, until, want  # noqa: E402
from imap import Imap  # noqa: E402

BASE, DIR = int(os.environ["PH_BASE"]), os.environ["PH_DIR"]
USER = "carol"
MAILDIR = os.path.join(DIR, "mail", USER, "Maildir")
FOLDERS = 4000
tap = Tap()


def sessions():
    found = set()
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/comm" % p) as f:
                if f.read().startswith("imapd-session") and runs_in(p, DIR):
                    found.add(int(p))
        except OSError:
            pass
    return found


class Client(Imap):
    """pid: of its session."""

    def __init__(self):
        known = sessions()
        super().__init__(BASE, USER, timeout=60)
        self.pid = until("a process", lambda: sorted(sessions() - known), 5)[-1]

    def cpu(self):
        """Seconds that the session has computed."""
        try:
            with open("/proc/%d/schedstat" % self.pid) as f:
                return int(f.read().split()[0]) / 1e9
        except OSError:
            raise Skip("no schedstat")

    def costs(self, lines):
        before = self.cpu()
        for line in lines:
            self.ok(line)
        return self.cpu() - before


def not_more(few, many):
    print("# %.3f s, with many %.3f s" % (few, many))
    want("as much as with few", (few, many), many < 2 * few + 0.06)


def make_folders():
    owner = os.stat(MAILDIR)
    for i in range(FOLDERS):
        path = os.path.join(MAILDIR, ".many%d" % i)
        for sub in ("", "cur", "new", "tmp"):
            os.mkdir(os.path.join(path, sub))
            if ROOT:
                os.chown(os.path.join(path, sub), owner.st_uid, owner.st_gid)


def remove_folders():
    for name in os.listdir(MAILDIR):
        if name.startswith((".many", ".new")):
            shutil.rmtree(os.path.join(MAILDIR, name))


def create():
    made = [b"CREATE new%d" % i for i in range(60)]
    gone = [b"DELETE new%d" % i for i in range(60)]
    c = Client()
    few = c.costs(made), c.costs(gone)
    make_folders()
    many = c.costs(made), c.costs(gone)
    for i in range(2):
        not_more(few[i], many[i])
    c.close()


def peak(pid):
    """KiB that it has had at most."""
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read()).group(1))


def many_parts():
    """As many as are told apart, in more than is read at once."""
    c = Client()
    c.ok(b"CREATE newparts")
    c.append(b"newparts", b"Subject: parts\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + b"".join(
        b"--b\r\nContent-Type: text/plain\r\nContent-Description: %s\r\n\r\ntext %d\r\n" % (b"x" * 60, i)
        for i in range(9990)) + b"--b--\r\n")
    c.ok(b"SELECT newparts")
    before = peak(c.pid)
    for what, found in ((b'TEXT "text 9988"', b"SEARCH 1"), (b"BODY nowhere", b"SEARCH")):
        said, _ = c.ok(b"SEARCH " + what)
        want("found", said, said == [found])
    want("KiB more than before", (before, peak(c.pid)), peak(c.pid) - before < 12288)
    c.close()


def main():
    Imap(BASE, USER).logout()
    try:
        tap.run("folders are made and deleted", create)
        tap.run("a message of many parts is searched", many_parts)
    finally:
        remove_folders()
    return tap.end()


sys.exit(main())
