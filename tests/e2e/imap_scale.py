"""What a command costs does not grow with the number of folders, messages or sessions that it is not about: processor time of the
session, for few and for many. TAP on standard output."""
import base64
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
        self.pid = until("a process", lambda: sorted(sessions() - known), 60)[-1]

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


def too_much(few, many):
    return many >= 2 * few + 0.06


def not_more(few, many):
    print("# %.3f s, with many %.3f s" % (few, many))
    want("as much as with few", (few, many), not too_much(few, many))


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
    if any(too_much(f, m) for f, m in zip(few, many)):      # what others on the machine add is not there twice
        many = map(min, many, (c.costs(made), c.costs(gone)))
    for f, m in zip(few, many):
        not_more(f, m)
    c.logout()


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
    c.logout()


def literal(said):
    text = next(s for s in said if b" FETCH (" in s)
    head, rest = text.split(b"}\r\n", 1)
    return rest[:int(re.search(rb"\{(\d+)\Z", head).group(1))]


def piecewise():
    """Of two messages by turns, from their ends."""
    c = Client()
    c.ok(b"CREATE newpieces")
    lines = base64.encodebytes(os.urandom(3 << 20)).replace(b"\n", b"\r\n")
    for i in range(2):
        c.append(b"newpieces", b"Subject: %d\r\nContent-Type: application/octet-stream\r\n"
                 b"Content-Transfer-Encoding: base64\r\n\r\n%s" % (i, lines))
    c.ok(b"SELECT newpieces")
    for what, step in ((b"BODY.PEEK[1]", 130000), (b"BINARY.PEEK[1]", 70000)):
        whole = [literal(c.ok(b"FETCH %d %s" % (m, what))[0]) for m in (1, 2)]
        for at in reversed(range(0, len(whole[0]), step)):
            for m in (1, 2):
                got = literal(c.ok(b"FETCH %d %s<%d.%d>" % (m, what, at, step))[0])
                want("%s<%d> of %d" % (what.decode(), at, m), len(got), got == whole[m - 1][at:at + step])
    c.logout()


def main():
    Imap(BASE, USER).logout()
    try:
        tap.run("folders are made and deleted", create)
        tap.run("a message of many parts is searched", many_parts)
        tap.run("large messages are taken backwards by turns", piecewise)
    finally:
        remove_folders()
    return tap.end()


sys.exit(main())
