"""A mailbox that could not be used is looked at again: once it is put right, the
waiting message comes with `postq flush`, by the programs that failed before. TAP."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ROOT, Skip, Stage, Tap, mails, message, send, until, want, word  # noqa: E402

CONF = """
users file "@DIR@/users2"
aliases "@DIR@/aliases2"
local.alias-user @ALIAS@
local.idle-timeout 1h
queue.retry-first 300s
queue.retry-max 300s
"""


def home(st, user):
    return os.path.realpath(os.path.join(st.dir, "mail", user))


def moved(st, user):
    """The parent of the mailbox is not there (a file system that is not mounted)."""
    os.rename(home(st, user), home(st, user) + ".away")
    return lambda: os.rename(home(st, user) + ".away", home(st, user))


def remade(st, user):
    """Afterwards another directory stands there (it was restored, or is mounted again)."""
    was = os.stat(home(st, user))
    os.rename(home(st, user), home(st, user) + ".old%d" % time.time_ns())

    def back():
        os.mkdir(home(st, user), 0o700)
        os.chown(home(st, user), was.st_uid, was.st_gid)
    return back


def owned(path):
    """It is somebody else's."""
    if not ROOT:
        raise Skip("needs root")
    was = os.stat(path)
    os.chown(path, 0, 0)
    return lambda: os.chown(path, was.st_uid, was.st_gid)


def moded(path, mode):
    was = os.stat(path).st_mode & 0o7777
    os.chmod(path, mode)
    return lambda: os.chmod(path, was)


def replaced(path):
    """A file where the directory was."""
    os.rename(path, path + ".away")
    with open(path, "w") as f:
        f.write("not a mailbox\n")

    def back():
        os.unlink(path)
        os.rename(path + ".away", path)
    return back


def arrived(st, user, w):
    if user == "boxed":
        try:
            with open(os.path.join(home(st, user), "mbox"), "rb") as f:
                return f.read().count(w)
        except FileNotFoundError:
            return 0
    return sum(w in m for m in mails(st.dir, user).values())


def again(st, user, spoil, used):
    """Spoilt before its first use by these programs, or after they have used it."""
    to = user.encode() + b"@example.test"
    if used:
        n = send(st.smtp, to, message(word("before")))
        st.logged("done id=" + n)
    restore = spoil()
    w = word("again")
    try:
        n = send(st.smtp, to, message(w))
        st.logged("waits id=" + n)
        want("deferred", st.logged("deferred id=" + n), " status=4." in st.logged("deferred id=" + n))
        pid = st.logged(" deferred id=" + n).split("queue[")[1].split("]")[0]
        # once more while it is spoilt
        code, out = st.command("-f", st.conf, "flush", n, program="postq")
        want("flushed", out, code == 0)
        until("it waits again", lambda: st.log().count(" waits id=%s " % n) == 2)
    finally:
        restore()
    code, out = st.command("-f", st.conf, "flush", n, program="postq")
    want("flushed", out, code == 0)
    line = st.logged("done id=" + n)     # long before the next attempt
    want("by the same queue", line, "queue[%s]" % pid in line)
    want("once", arrived(st, user, w), arrived(st, user, w) == 1)


def main():
    tap = Tap()
    import pwd
    alias = "nobody" if ROOT else pwd.getpwuid(os.geteuid()).pw_name
    uid, gid = (61150, 61150) if ROOT else (os.geteuid(), os.getegid())
    with Stage(CONF.replace("@ALIAS@", alias), users=8, files={
            "users2": "boxed:{PLAIN}secret:%d:%d::@DIR@/mail/boxed::mail=mbox:@DIR@/mail/boxed/mbox\n" % (uid, gid),
            "aliases2": ""}) as st:
        box = os.path.join(st.dir, "mail", "boxed")
        os.mkdir(box, 0o700)
        if ROOT:
            os.chown(box, uid, gid)

        def maildir(user, *more):
            return os.path.join(home(st, user), "Maildir", *more)
        for name, user, spoil, used in (
                ("its parent is missing, never used", "alice", lambda: moved(st, "alice"), False),
                ("its parent is missing, used before", "alice", lambda: moved(st, "alice"), True),
                ("its parent is somebody else's, never used", "bob", lambda: owned(home(st, "bob")), False),
                ("its parent is somebody else's, used before", "bob", lambda: owned(home(st, "bob")), True),
                ("its parent cannot be written, never used", "user1", lambda: moded(home(st, "user1"), 0o500), False),
                ("it cannot be entered", "user2", lambda: moded(maildir("user2"), 0), True),
                ("tmp is somebody else's", "user3", lambda: owned(maildir("user3", "tmp")), True),
                ("new cannot be written", "user4", lambda: moded(maildir("user4", "new"), 0o500), True),
                ("its parent is missing, then another one", "user6", lambda: remade(st, "user6"), True),
                ("a file stands there", "user5", lambda: replaced(maildir("user5")), True),
                ("mbox: its parent is missing, never used", "boxed", lambda: moved(st, "boxed"), False),
                ("mbox: it is somebody else's", "boxed", lambda: owned(os.path.join(box, "mbox")), True),
                ("mbox: its parent is missing, used before", "boxed", lambda: moved(st, "boxed"), True),
                ("mbox: its parent is missing, then another one", "boxed", lambda: remade(st, "boxed"), True)):
            tap.run(name, again, st, user, spoil, used)
    return tap.end()


sys.exit(main())
