"""What two do to one folder at the same time: it is deleted or renamed while
a message comes into it. A message that was acknowledged is somewhere, one that was
to be moved is where it was. TAP on standard output."""
import contextlib
import glob
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from imapwire import Checks, Wire  # noqa: E402

DIR = os.environ["PH_DIR"]
USER = "carol"
MAILDIR = os.path.join(DIR, "mail", USER, "Maildir")
DELIVER = [os.path.join(DIR, "bin", "deliver"), "-c",
           os.path.join(DIR, "posthouse.conf"), "-f", "ann@far.test"]
SESSION = os.path.realpath(os.path.join(DIR, "bin", "imapd-session"))
check = Checks()


def somewhere(word):
    """Files of the whole Maildir with that word, tmp and what is being deleted apart."""
    out = []
    for path in glob.glob(os.path.join(MAILDIR, "**"), recursive=True,
                          include_hidden=True):
        if os.path.basename(os.path.dirname(path)) in ("new", "cur") and \
                "/.." not in path:
            with open(path, "rb") as f:
                if word in f.read():
                    out.append(path)
    return out


def again(w, name):
    w.cmd("DELETE " + name)
    w.ok("CREATE " + name)


def begin_append(w, name, text):
    w.say(b"a APPEND %s {%d}\r\n" % (name.encode(), len(text)))
    w.response()
    w.say(text[:10])


def append_to_deleted(a, b):
    text = b"Subject: half-way\r\n\r\nx\r\n"
    for how in ("DELETE Race", "RENAME Race Gone"):
        again(b, "Race")
        b.cmd("DELETE Gone")
        begin_append(a, "Race", text)
        b.ok(how)
        a.say(text[10:] + b"\r\n")
        r = a.until(b"a")[1]
        left = somewhere(b"half-way")
        check(r.startswith(b"NO [TRYCREATE]") and not left or
              r.startswith(b"OK") and len(left) == 1,
              "APPEND and %s" % how, (r, left))
        for path in left:
            os.unlink(path)
    again(b, "Race")
    begin_append(a, "Race", text)
    again(b, "Race")
    a.say(text[10:] + b"\r\n")
    r = a.until(b"a")[1]
    left = somewhere(b"half-way")
    check(r.startswith(b"NO [TRYCREATE]") and not left,
          "APPEND, and a new folder of that name", (r, left))


def deliver_to_deleted(b):
    for how in ("DELETE Race", "RENAME Race Gone"):
        b.cmd("CREATE Race")
        b.cmd("DELETE Gone")
        p = subprocess.Popen(DELIVER + ["-m", "Race", USER],
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        p.stdin.write(b"Subject: slow-mail\n\n" + b"x" * 200000)
        p.stdin.flush()
        b.ok(how)
        err = p.communicate(b"end\n")[1]
        left = somewhere(b"slow-mail")
        check(p.returncode == 75 and not left or
              p.returncode == 0 and len(left) == 1,
              "deliver -m and %s" % how, (p.returncode, err, left))
        for path in left:
            os.unlink(path)


def sessions():
    out = set()
    for pid in os.listdir("/proc"):
        try:
            if os.readlink("/proc/%s/exe" % pid) == SESSION:
                out.add(int(pid))
        except OSError:
            pass
    return out


def begin_session():
    """One whose process is known, for sure but when others begin as well."""
    for _ in range(10):
        before = sessions()
        w = Wire(USER)
        new = sessions() - before
        if len(new) == 1:
            return w, new.pop()
        w.close()
    raise AssertionError("no session of its own")


@contextlib.contextmanager
def slow(pid, call, ms):
    """Its first such call takes that long, after it was done."""
    s = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e",
                          "trace=" + call, "-e",
                          "inject=%s:delay_exit=%d:when=1" % (
                              call, ms * 1000), "-p", str(pid)],
                         stderr=subprocess.DEVNULL)
    for _ in range(3000):
        with open("/proc/%d/status" % pid) as f:
            if "TracerPid:\t0\n" not in f.read() or s.poll() is not None:
                break
        time.sleep(0.01)
    try:
        yield
    finally:
        s.terminate()
        s.wait()


def named():
    return os.path.exists(os.path.join(MAILDIR, ".Race"))


def wait_gone():
    for _ in range(3000):
        if not named():
            return
        time.sleep(0.01)


def slow_deletion(a):
    """The folder has lost its name, and is not removed yet."""
    b, pid = begin_session()
    again(b, "Race")
    p = subprocess.Popen(DELIVER + ["-m", "Race", USER],
                         stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdin.write(b"Subject: slow-mail\n\n" + b"x" * 200000)
    p.stdin.flush()
    text = b"Subject: half-way\r\n\r\nx\r\n"
    begin_append(a, "Race", text)
    with slow(pid, "renameat", 1500):
        b.say(b"d DELETE Race\r\n")
        wait_gone()
        a.say(text[10:] + b"\r\n")
        r = a.until(b"a")[1]
        err = p.communicate(b"end\n")[1]
        code = p.returncode
        b.until(b"d")
    left = somewhere(b"half-way")
    check(r.startswith(b"NO [TRYCREATE]") and not left or
          r.startswith(b"OK") and len(left) == 1,
          "APPEND into a folder that is being deleted", (r, left))
    left = somewhere(b"slow-mail")
    check(code == 75 and not left or code == 0 and len(left) == 1,
          "delivery into it", (code, err, left))
    b.close()


def slow_move():
    """A message that was moved there, and has no number yet, when the folder is deleted: NO means that it is where it was."""
    a, pid = begin_session()
    b = Wire(USER)
    again(b, "Race")
    text = b"Subject: wanderer\r\n\r\nx\r\n"
    a.ok(b"APPEND INBOX {%d+}\r\n" % len(text) + text)
    a.ok("SELECT INBOX")
    with slow(pid, "renameat", 1500):
        a.say(b"m MOVE * Race\r\n")
        for _ in range(3000):
            if os.listdir(os.path.join(MAILDIR, ".Race", "cur")):
                break
            time.sleep(0.01)
        b.ok("DELETE Race")
        r = a.until(b"m")[1]
    left = somewhere(b"wanderer")
    check(r.startswith(b"OK") or len(left) == 1,
          "MOVE into a folder that is deleted meanwhile", (r, left))
    for path in left:
        os.unlink(path)
    a.close()
    b.close()


def slow_append():
    """A message that has its name and no number yet: who looks meanwhile takes neither that it is recent nor the message itself."""
    a, pid = begin_session()
    b = Wire(USER)
    again(b, "Race")
    b.ok("SELECT Race")
    text = b"Subject: slow\r\n\r\nx\r\n"
    with slow(pid, "renameat", 1500):
        a.say(b"s APPEND Race (\\Deleted) {%d+}\r\n%s\r\n" % (len(text), text))
        for _ in range(3000):
            if os.listdir(os.path.join(MAILDIR, ".Race", "cur")):
                break
            time.sleep(0.01)
        b.ok("NOOP")
        seen = b.ok("FETCH 1:* (FLAGS)")
        b.ok("EXPUNGE")
        r = a.until(b"s")[1]
    check(re.match(rb"OK \[APPENDUID \d+ 1\]", r), "APPEND beside an EXPUNGE", r)
    check(rb"\Recent" in b"".join(seen), "it is recent to who saw it first", seen)
    a.close()
    b.close()


def main():
    a, b = Wire(USER), Wire(USER)
    append_to_deleted(a, b)
    deliver_to_deleted(b)
    if os.geteuid() == 0 and shutil.which("strace"):
        slow_deletion(a)
        slow_move()
        slow_append()
    else:
        check(True, "deletions that take long # SKIP not root, or no strace")
    for name in ("Race", "Gone"):
        b.cmd("DELETE " + name)
    return check.end()


sys.exit(main())
