"""deliver(1): every place, exit status and odd message; as root for a user, or
without root for oneself. Needs no daemon. TAP on standard output."""
import mailbox
import os
import pty
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

from lib.e2e import Tap

BIN = os.path.join(os.environ["PH_DIR"], "bin") if "PH_DIR" in os.environ \
    else os.path.join(os.environ.get("PH_BUILD", "build"), "bin")
ROOT = os.geteuid() == 0
UID = {"tina": 61021, "toby": 61022, "quinn": 61023, "mark": 61024}
if not ROOT:
    UID = {n: os.geteuid() for n in UID}
WORK = tempfile.mkdtemp(prefix="posthouse-deliver.")
DELIVER = os.path.join(WORK, "deliver")
CONF = os.path.join(WORK, "conf")
F = ["-f", "ann@far.test"]
HEAD = b"Return-Path: <ann@far.test>\nDelivered-To: %s@example.test\n"
MSG = b"Subject: x\n\nbody\n"
tap = Tap()
check = tap.check
skip = tap.skip


def home(user):
    return os.path.join(WORK, "home", user)


def as_user(uid):
    """For preexec_fn."""
    def become():
        if ROOT and uid is not None:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
    return become


def deliver(args, data=MSG, uid=None, conf=CONF, **more):
    more.setdefault("cwd", "/")
    p = subprocess.run([DELIVER] + (["-c", conf] if conf else []) + args,
                       input=None if "stdin" in more else data,
                       capture_output=True, timeout=300,
                       preexec_fn=as_user(uid), **more)
    return p.returncode, p.stderr.decode("utf-8", "replace")


def clean(user):
    subprocess.run(["rm", "-rf", home(user)], check=True)
    os.mkdir(home(user), 0o700)
    if ROOT:
        os.chown(home(user), UID[user], UID[user])


def files(path, *subs):
    out = []
    for sub in subs or ("new", "cur", "tmp"):
        d = os.path.join(path, sub)
        if os.path.isdir(d):
            out += [os.path.join(d, n) for n in os.listdir(d)]
    return out


def stored(path):
    """The one message of a Maildir."""
    got = files(path)
    if len(got) != 1 or os.path.basename(os.path.dirname(got[0])) != "new":
        return b"there are %r" % got
    with open(got[0], "rb") as f:
        return f.read()


def setup():
    os.chmod(WORK, 0o755)
    shutil.copy(os.path.join(BIN, "deliver"), DELIVER)
    os.chmod(DELIVER, 0o755)
    os.mkdir(os.path.join(WORK, "home"))
    extra = {"quinn": "quota=20K", "mark": "mail=mbox:~/mbox"}
    with open(os.path.join(WORK, "users"), "w") as f:
        for n, u in UID.items():
            clean(n)
            f.write("%s:x:%d:%d::%s::%s\n" % (n, u, u if ROOT else
                    os.getegid(), home(n), extra.get(n, "")))
        f.write("vera@virtual.test:x:%d:%d::%s::\n" % (
            UID["tina"], UID["tina"] if ROOT else os.getegid(),
            home("tina")))
        f.write("toby@.x:x:%d:%d::%s::mail=maildir:/x/%%d\n" % (
            UID["toby"], UID["toby"] if ROOT else os.getegid(),
            home("toby")))
    with open(CONF, "w") as f:
        f.write("hostname mx.example.test\ndomain example.test\n"
                "virtual-domain virtual.test\n"
                "users file %s/users\nspool %s/spool\nrun %s/run\n"
                "tables %s/tables\nlocal.min-uid 1\nlocal.hops 20\n"
                "local.lock-timeout 2s\nlocal.pipe-timeout 60s\n"
                % ((WORK,) * 4))
    os.chmod(CONF, 0o644)
    os.mkdir(os.path.join(WORK, "tables"), 0o755)
    p = subprocess.run([os.path.join(BIN, "route"), "-c", "-f", CONF],
                       capture_output=True, text=True)
    check(p.returncode == 0, "the tables are compiled", p.stderr)


def test_calls():
    got, err = deliver(["toby@.x"])
    check(got == 78 and "local.mailbox" in err, "a place that is none",
          "%d %s" % (got, err))
    for args in (["-x", "tina"], ["tina", "toby"], ["-m", "../x", "tina"],
                 ["-m", "a/b", "tina"], ["-m", ".a", "tina"],
                 ["-m", "a..b", "tina"], ["-m", "a.", "tina"],
                 ["-m", "a\nb", "tina"], ["-m", "\u00e4", "tina"],
                 ["-m", "x" * 201, "tina"],
                 ["-f", "a\nX: y", "tina"], ["-a", "a\tb", "tina"],
                 ["-f", "x" * 1001, "tina"], ["-d", "", "tina"],
                 ["-p", "true", "-m", "a", "tina"],
                 ["-p", "true", "-o", "/x", "tina"], ["-s", "x", "tina"],
                 ["-m"], [""], ["-o", "", "tina"], ["-t", "-x"]):
        got, err = deliver(args)
        check(got == 64 and "usage: deliver" in err,
              "deliver %s is a wrong call" % ascii(" ".join(args))[:40],
              "%d %s" % (got, err))
    check(not files(home("tina") + "/Maildir"), "and stores nothing")
    one = [
        (["nosuch"], 67, "no such user: nosuch"),
        (["-d", "no+such@example.test"], 67, "no such user: no+such@"),
        (["-s", "10", "tina"], 65, "(5.3.4)"),
    ]
    for args, want, text in one:
        got, err = deliver(args)
        check(got == want and text in err and err.count("\n") == 1 and
              err.startswith("deliver: "), "%s: %d" % (args, want),
              "%d %s" % (got, err))
        got, err = deliver(["-t"] + args)
        check(got == 75, "-t %s: 75" % args, "%d %s" % (got, err))
    check(not files(home("tina") + "/Maildir"), "nothing of it is stored")


def test_conf():
    bad = os.path.join(WORK, "bad.conf")
    got, err = deliver(["tina"], conf=bad)
    check(got == 78 and bad in err and err.count("\n") == 1,
          "a configuration that is not there", "%d %s" % (got, err))
    with open(bad, "w") as f:
        f.write("hostname mx.example.test\nlocal.quata 5\n")
    got, err = deliver(["tina"], conf=bad)
    check(got == 78 and err.startswith("deliver: %s:2:1: " % bad),
          "a mistake in it", "%d %s" % (got, err))
    with open(bad, "w") as f:
        f.write("users file /x\ntables %s/none\n" % WORK)
    got, err = deliver(["tina"], conf=bad)
    check(got == 75 and WORK + "/none" in err, "no tables",
          "%d %s" % (got, err))
    if ROOT:
        os.chmod(bad, 0o600)
        got, err = deliver([], conf=bad, uid=UID["tina"])
        check(got == 78 and "Permission denied" in err,
              "a configuration that may not be read", "%d %s" % (got, err))
    else:
        skip("a configuration that may not be read", "not root")


def test_rights():
    if not ROOT:
        for name in ("no user as root", "another's mailbox",
                     "one's own mailbox", "set-user-id"):
            skip(name, "not root")
        return
    got, err = deliver([])
    check(got == 64, "root has to name the user", "%d %s" % (got, err))
    got, err = deliver(["toby"], uid=UID["tina"])
    check(got == 77 and "only root" in err, "another's mailbox",
          "%d %s" % (got, err))
    got, err = deliver(F + ["tina"], uid=UID["tina"])
    check(got == 0 and stored(home("tina") + "/Maildir") ==
          HEAD % b"tina" + MSG, "one's own mailbox", "%d %s" % (got, err))
    got, err = deliver(F, uid=UID["tina"])
    check(got == 67 and "uid %d" % UID["tina"] in err,
          "a number without a name", "%d %s" % (got, err))
    clean("tina")
    suid = os.path.join(WORK, "suid")
    shutil.copy(DELIVER, suid)
    os.chmod(suid, 0o4755)
    p = subprocess.run([suid, "-c", CONF, "tina"], input=MSG,
                       capture_output=True, preexec_fn=as_user(UID["toby"]))
    check(p.returncode == 77 and not files(home("tina") + "/Maildir"),
          "set-user-id is refused", "%d %r" % (p.returncode, p.stderr))


def lf(data):
    out = data.replace(b"\r\n", b"\n")
    return out if not out or out.endswith(b"\n") else out + b"\n"


def random_bytes(n):
    rnd = random.Random(n)
    return b"X-A: b\n\n" + bytes(rnd.choice(b"\r\n\r\nab\0\xff")
                                 for _ in range(n))


ODD = [
    ("a plain message", MSG, MSG),
    ("CRLF", b"A: b\r\n\r\nbody\r\n.\r\n", b"A: b\n\nbody\n.\n"),
    ("bare CR, and CR at the end", b"A: b\n\nx\ry\r\r\nz\r",
     b"A: b\n\nx\ry\r\nz\r\n"),
    ("no final newline", b"A: b\n\nbody", b"A: b\n\nbody\n"),
    ("NUL and 8-bit bytes", b"A: \xe4\0\n\n\0\xff\xfe\n",
     b"A: \xe4\0\n\n\0\xff\xfe\n"),
    ("nothing at all", b"", b""),
    ("a header only", b"A: b\n", b"A: b\n"),
    ("no header", b"hello\nworld\n", b"\nhello\nworld\n"),
    ("an empty header", b"\nhello\n", b"\nhello\n"),
    ("a folded line first", b" x\n", b"\n x\n"),
    ("a From line", b"From x@y.test Tue Nov 24 06:55:03 2026\nA: b\n\nc\n",
     b"A: b\n\nc\n"),
    ("a From line with CRLF",
     b"From x@y.test Tue Nov 24 06:55:03 2026\r\nA: b\r\n", b"A: b\n"),
    ("text that begins with From", b"From now on\n", b"\nFrom now on\n"),
    ("a long line", b"A: b\n\n" + b"x" * 300000, b"A: b\n\n" +
     b"x" * 300000 + b"\n"),
    ("a long header", b"A: b\n" * 60000 + b"\nc\n", b"A: b\n" * 60000 +
     b"\nc\n"),
    ("From in the body", b"A: b\n\nFrom x\n>From y\n", None),
]


def test_odd():
    box = home("tina") + "/Maildir"
    for name, data, want in ODD:
        clean("tina")
        got, err = deliver(F + ["tina"], data)
        check(got == 0 and stored(box) == HEAD % b"tina" +
              (data if want is None else want), name,
              "%d %s %r" % (got, err, stored(box)[:200]))
    for n in (65535, 65536, 65537, 131071, 131072, 200001, 1 << 20):
        data = random_bytes(n)
        clean("tina")
        got, err = deliver(F + ["tina"], data)
        check(got == 0 and stored(box) == HEAD % b"tina" + lf(data),
              "%d bytes of anything" % n, "%d %s" % (got, err))
        path = (files(box) + ["-"])[0]
        text = stored(box)
        wire = len(text) + text.count(b"\n")
        check(path.endswith(",S=%d,W=%d" % (len(text), wire)),
              "with its sizes in the name", path)
    st = os.stat(path)
    check(stat.S_IMODE(st.st_mode) == 0o600 and st.st_uid == UID["tina"] and
          stat.S_IMODE(os.stat(box).st_mode) == 0o700, "the user's alone",
          str(st))
    # slowly, in pieces that do not care for lines
    clean("tina")
    p = subprocess.Popen([DELIVER, "-c", CONF] + F + ["tina"],
                         stdin=subprocess.PIPE)
    for piece in (b"A: b\r", b"\n\r", b"\nbo", b"dy\r", b"\n"):
        p.stdin.write(piece)
        p.stdin.flush()
        time.sleep(0.02)
    p.stdin.close()
    check(p.wait(60) == 0 and stored(box) == HEAD % b"tina" +
          b"A: b\n\nbody\n", "in pieces", repr(stored(box)))


FROM = re.compile(rb"From (.*[^ ] )? *(Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
                  rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) .*\n")
FIELD = re.compile(rb"[!-9;-~]+[ \t]*:|\r?\n|$")


def test_corpus():
    """Test mails of the world, byte for byte."""
    shared = os.path.join(os.environ.get("PH_SHARED", "../shared"), "corpus")
    mails = sorted(os.path.join(d, n) for d, _, names in os.walk(shared)
                   for n in names if n.endswith((".eml", ".msg", ".txt")))
    if not mails:
        skip("test mails", "no " + shared)
        return
    if os.environ.get("PH_MODE") != "long":
        mails = mails[::4]
    wrong = []
    for path in mails:
        with open(path, "rb") as f:
            data = f.read()
        clean("tina")
        got, err = deliver(F + ["tina"], data, conf=WORK + "/patient")
        line = FROM.match(data)
        want = lf(data[line.end():] if line else data)
        if not FIELD.match(want):
            want = b"\n" + want
        if got != 0 or stored(home("tina") + "/Maildir") != \
                HEAD % b"tina" + want:
            wrong.append("%s: %d %s" % (path, got, err))
    check(not wrong, "%d test mails, byte for byte" % len(mails),
          "\n".join(wrong))


def test_input():
    for name, how in (("closed", "0<&-"), ("a directory", "</")):
        got = subprocess.run(["/bin/sh", "-c", 'exec "$0" "$@" %s' % how,
                              DELIVER, "-c", CONF, "tina"],
                             capture_output=True)
        check(got.returncode == 75 and b"standard input" in got.stderr,
              "standard input %s" % name, "%r" % got)
    for how in (">&-", "2>&-", ">&- 2>&-"):
        clean("tina")
        got = subprocess.run(["/bin/sh", "-c", 'exec "$0" "$@" %s' % how,
                              DELIVER, "-v", "-c", CONF] + F + ["tina"],
                             input=MSG, stdout=subprocess.PIPE)
        check(got.returncode == 0 and stored(home("tina") + "/Maildir") ==
              HEAD % b"tina" + MSG, "called with %s" % how, str(got))
    clean("tina")
    p = subprocess.run([DELIVER, "-v", "-c", CONF, "tina"], input=MSG,
                       capture_output=True, text=False)
    name = os.path.basename((files(home("tina") + "/Maildir") + ["-"])[0])
    check(p.stdout == b"stored as %s\n" %
          name.split(",S=")[0].encode() and not p.stderr,
          "-v says where", repr(p))
    clean("tina")
    master, slave = pty.openpty()
    p = subprocess.Popen([DELIVER, "-c", CONF] + F + ["tina"], stdin=slave,
                         stderr=subprocess.PIPE)
    os.close(slave)
    line = p.stderr.readline()
    os.write(master, MSG + b"\4")
    check(b"terminal" in line and p.wait(60) == 0 and
          stored(home("tina") + "/Maildir") == HEAD % b"tina" + MSG,
          "a terminal", repr(line))
    os.close(master)
    p.stderr.close()


ADDRESSES = [   # arguments, message, the fields on top
    (["-f", "", "tina"], b"", "<>", "tina@example.test", None),
    (["-f", "<>", "tina"], b"", "<>", "tina@example.test", None),
    (["-f", "<a@b.test>", "tina"], b"", "<a@b.test>", "tina@example.test",
     None),
    (["-f", "backup", "tina"], b"", "<backup@example.test>",
     "tina@example.test", None),
    (["tina"], b"From me@x.test Tue Nov 24 06:55:03 2026\n", "<me@x.test>",
     "tina@example.test", None),
    (["tina"], b"From MAILER-DAEMON Tue Nov 24 06:55:03 2026\n", "<>",
     "tina@example.test", None),
    (["tina"], b"Return-Path: <r@x.test>\n", "<r@x.test>",
     "tina@example.test", None),
    (["tina"], b"Return-Path: <>\n", "<>", "tina@example.test", None),
    (["-f", "a@b.test", "-a", "lists", "tina"], b"", "<a@b.test>",
     "tina+lists@example.test", None),
    (["-f", "a@b.test", "-a", "tina+x@old.test", "tina"], b"", "<a@b.test>",
     "tina+x@example.test", "tina+x@old.test"),
    (["-f", "a@b.test", "-d", "Tina+x@example.test"], b"", "<a@b.test>",
     "Tina+x@example.test", None),
    (["-f", "a@b.test", "-d", "info@example.test", "tina"], b"",
     "<a@b.test>", "info@example.test", None),
    (["-f", "a@b.test", "-d", "vera@virtual.test"], b"", "<a@b.test>",
     "vera@virtual.test", None),
    (["-f", "a@b.test", "-d", "tina"], b"", "<a@b.test>",
     "tina@example.test", None),
]


def test_addresses():
    for args, data, sender, to, orig in ADDRESSES:
        clean("tina")
        got, err = deliver(args, data + MSG)
        want = "Return-Path: %s\n" % sender
        if orig:
            want += "X-Original-To: %s\n" % orig
        want += "Delivered-To: %s\n" % to
        text = stored(home("tina") + "/Maildir")
        check(got == 0 and text.startswith(want.encode()) and
              text.endswith(MSG), "%s %r" % (args, data[:12]),
              "%d %s %r" % (got, err, text))
    clean("tina")
    got, err = deliver(["tina"], env={"HOME": "/nonexistent", "USER": "toby",
                                      "LOGNAME": "toby", "MAIL": "/x"})
    want = b"Return-Path: <%s@example.test>\n" % (b"root" if ROOT else
                                                  b"tina")
    check(got == 0 and stored(home("tina") + "/Maildir").startswith(want),
          "the caller is the sender, whatever the environment says",
          "%d %s %r" % (got, err, stored(home("tina") + "/Maildir")))


def test_folders():
    box = home("tina") + "/Maildir"
    for name in ("Work.Lists", "Sent mail"):
        clean("tina")
        got, err = deliver(F + ["-m", name, "tina"])
        inner = os.path.join(box, "." + name)
        check(got == 0 and stored(inner) == HEAD % b"tina" + MSG and
              os.path.isfile(inner + "/maildirfolder") and not files(box) and
              os.path.isdir(box + "/cur"), "folder " + name,
              "%d %s" % (got, err))
    for name in ("", "INBOX", "inbox"):
        clean("tina")
        got, err = deliver(F + ["-m", name, "tina"])
        check(got == 0 and stored(box) == HEAD % b"tina" + MSG,
              "-m %r is the mailbox" % name, "%d %s" % (got, err))
    got, err = deliver(F + ["-m", "Work", "mark"])
    check(got == 65 and "no folders" in err, "an mbox has no folders",
          "%d %s" % (got, err))


def test_places():
    base = home("tina")
    for arg, path, cwd in (
            (base + "/a/", "a", "/"), ("maildir:" + base + "/b", "b", "/"),
            ("~/c/", "c", "/"), ("maildir:d", "d", base), ("./e/", "e", base)):
        clean("tina")
        got, err = deliver(F + ["-o", arg, "tina"], cwd=cwd)
        check(got == 0 and stored(os.path.join(base, path)) ==
              HEAD % b"tina" + MSG, "-o " + arg.replace(base, "HOME"),
              "%d %s" % (got, err))
        # a directory that is there is a Maildir, also without the slash
    got, err = deliver(F + ["-o", base + "/e", "tina"])
    check(got == 0 and len(files(base + "/e", "new")) == 2,
          "a Maildir that is there", "%d %s" % (got, err))
    got, err = deliver(F + ["-o", "~/x/y/z/", "tina"])
    check(got == 75 and base + "/x/y/z" in err, "no directory above it",
          "%d %s" % (got, err))
    clean("tina")
    for arg in (base + "/box", "mbox:~/box"):
        got, err = deliver(F + ["-o", arg, "tina"])
        check(got == 0, "-o " + arg.replace(base, "HOME"), err)
    check(len(mailbox.mbox(base + "/box", create=False)) == 2,
          "both are in the mbox")


def test_mbox():
    box = home("mark") + "/mbox"
    clean("mark")
    body = b"A: b\r\n\r\nFrom x\r\n>From y\r\nend"
    got, err = deliver(F + ["mark"], body)
    with open(box, "rb") as f:
        text = f.read()
    first, _, rest = text.partition(b"\n")
    check(got == 0 and first.startswith(b"From ann@far.test ") and
          rest == HEAD % b"mark" + b"A: b\n\n>From x\n>>From y\nend\n\n",
          "an mbox", "%d %s %r" % (got, err, text))
    check(stat.S_IMODE(os.stat(box).st_mode) == 0o600 and
          os.stat(box).st_uid == UID["mark"] and
          not os.path.exists(box + ".lock"), "its mode, owner, no lock left")
    got, err = deliver(["-f", "", "mark"], random_bytes(200000))
    with open(box, "rb") as f:
        text = f.read()
    check(got == 0 and b"\n\nFrom MAILER-DAEMON " in text,
          "a bounce, large", "%d %s" % (got, err))
    with open(box + ".lock", "w") as f:
        f.write("1\n")
    size = os.stat(box).st_size
    got, err = deliver(["mark"])
    check(got == 75 and ".lock" in err and os.stat(box).st_size == size and
          os.path.exists(box + ".lock"), "another's lock",
          "%d %s" % (got, err))
    os.unlink(box + ".lock")


def attacks():
    """Makes something hostile of the path; then the statuses, and what must not change."""
    secret = os.path.join(WORK, "secret")
    with open(secret, "w") as f:
        f.write("untouched")
    if ROOT:
        os.chmod(secret, 0o600)
    closed = os.path.join(WORK, "closed")
    if not os.path.isdir(closed):
        os.mkdir(closed, 0o700 if ROOT else 0o500)
    return secret, closed


def test_links():
    secret, closed = attacks()
    base = home("mark")
    for name, make, want in (
            ("a symbolic link to another's file",
             lambda p: os.symlink(secret, p), 73),
            ("a symbolic link to nothing",
             lambda p: os.symlink(WORK + "/made", p), 73),
            ("a fifo", os.mkfifo, 75), ("a directory", os.mkdir, 75)):
        clean("mark")
        make(base + "/mbox")
        got, err = deliver(["mark"])
        with open(secret) as f:
            same = f.read() == "untouched"
        check(got == want and same and base + "/mbox" in err and
              not os.path.exists(WORK + "/made"),
              "mbox is " + name, "%d %s" % (got, err))
    clean("mark")
    with open(base + "/other", "w") as f:
        f.write("untouched")
    os.link(base + "/other", base + "/mbox")
    got, err = deliver(["mark"])
    check(got == 75 and os.stat(base + "/other").st_size == 9,
          "mbox has a second name", "%d %s" % (got, err))
    for name, path in (("Maildir", "Maildir"), ("new", "Maildir/new")):
        clean("tina")
        if "/" in path:
            deliver(["tina"], uid=UID["tina"])
            shutil.rmtree(home("tina") + "/Maildir/new")
        os.symlink(closed, os.path.join(home("tina"), path))
        got, err = deliver(["tina"])
        check(got == 75 and not os.listdir(closed) and
              home("tina") + "/Maildir" in err,
              name + " is a link to what is not the user's",
              "%d %s" % (got, err))
    clean("tina")


SHOW = 'env | LC_ALL=C sort; echo --; id -u; pwd; cat'


def test_command():
    clean("tina")
    out = home("tina") + "/out"
    got, err = deliver(F + ["-a", "tina+x@old.test", "-p",
                            "{ %s; } > out" % SHOW, "tina"],
                       b"no header\r\n", env={"EVIL": "1", "IFS": "x",
                                              "PATH": "/nonexistent"})
    try:
        with open(out) as f:
            text = f.read()
    except OSError as e:
        text = str(e)
    env, _, rest = text.partition("--\n")
    want = {"DOMAIN": "example.test", "EXTENSION": "x",
            "HOME": home("tina"), "LOCAL": "tina+x", "LOGNAME": "tina",
            "ORIGINAL_RECIPIENT": "tina+x@old.test",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "RECIPIENT": "tina+x@example.test", "SENDER": "ann@far.test",
            "SHELL": "/bin/sh", "USER": "tina"}
    have = dict(l.split("=", 1) for l in env.splitlines())
    for shell in ("PWD", "OLDPWD", "SHLVL", "_"):
        have.pop(shell, None)
    check(got == 0 and have == want, "a command and its environment",
          "%d %s %r" % (got, err, have))
    check(rest == "%d\n%s\nReturn-Path: <ann@far.test>\nX-Original-To: "
          "tina+x@old.test\nDelivered-To: tina+x@example.test\n\n"
          "no header\n" % (UID["tina"], home("tina")),
          "the user, his directory and the message", repr(rest))
    for script, want, said in (
            ("exit 0", 0, ""), ("exit 67", 67, "status 67"),
            ("echo too bad; exit 77", 77, "too bad"), ("exit 1", 75, ""),
            ("exit 75", 75, ""), ("exit 127", 75, ""),
            ("kill -9 $$", 75, "signal 9"), ("nosuchcommand", 75, ""),
            ("exit 64", 64, "status 64"),
            ("printf 'a\\033b\\nc' >&2; exit 70", 70, "a?b")):
        got, err = deliver(["-p", script, "tina"])
        check(got == want and said in err and
              err.count("\n") == (1 if want else 0),
              "command: %s: %d" % (script, want), "%d %s" % (got, err))
    start = time.monotonic()
    got, err = deliver(["-p", "sleep 200", "tina"], conf=WORK + "/hasty")
    check(got == 75 and "too long" in err and
          time.monotonic() - start < 100, "a command that hangs",
          "%d %s" % (got, err))
    got, err = deliver(["-p", "touch reached", "-d", "tina@example.test"],
                       b"Delivered-To: tina@example.test\n\n")
    check(got == 69 and not os.path.exists(home("tina") + "/reached"),
          "a loop does not reach the command", "%d %s" % (got, err))


RECEIVED = b"Received: from a by b; Tue, 24 Nov 2026 06:55:03 +0000\n"


def test_loops():
    mine = b"Delivered-To: Tina@Example.test\n"
    for name, data, want in (
            ("this address", mine + MSG, 69),
            ("below a Received field", RECEIVED + mine + MSG, 69),
            ("above and below", mine + RECEIVED + mine + MSG, 69),
            ("by who called us", mine + RECEIVED + MSG, 0),
            ("another address", b"Delivered-To: x@example.test\n" + MSG, 0),
            ("20 hops", RECEIVED * 20 + MSG, 0),
            ("21 hops", RECEIVED * 21 + MSG, 69),
            ("in the body", b"A: b\n\n" + mine, 0)):
        clean("tina")
        got, err = deliver(["tina"], data)
        n = len(files(home("tina") + "/Maildir"))
        check(got == want and n == (want == 0) and
              ("5.4.6" in err) == (want == 69), "Delivered-To: " + name,
              "%d %s" % (got, err))


def test_quota():
    box = home("quinn") + "/Maildir"
    clean("quinn")
    data = b"A: b\n\n" + b"x" * 71 + b"\n"
    big = b"A: b\n\n" + (b"x" * 71 + b"\n") * 120      # 9 KB
    for args, want in ((["quinn"], 0), (["-m", "F", "quinn"], 0)):
        got, err = deliver(args, big)
        check(got == want, "%s within the quota" % args, err)
    for args, want in ((["quinn"], 73), (["-m", "F", "quinn"], 73),
                       (["-t", "quinn"], 75)):
        got, err = deliver(args, big)
        check(got == want and "5.2.2" in err and "20480" in err,
              "%s above it: %d" % (args, want), "%d %s" % (got, err))
    got, err = deliver(["quinn"], data)
    check(got == 0 and len(files(box, "new")) == 2 and
          len(files(box + "/.F", "new")) == 1 and not files(box, "tmp") and
          not files(box + "/.F", "tmp"), "a small one still fits",
          "%d %s" % (got, err))
    got, err = deliver(["-o", "~/elsewhere/", "quinn"], big)
    check(got == 0, "no quota elsewhere", "%d %s" % (got, err))


FULL = '''
mount -t tmpfs -o size=%(size)s,mode=0777 none %(dir)s || exit 99
cd / ; %(deliver)s -c %(conf)s -o %(dir)s/ok/ tina < %(small)s || exit 98
%(deliver)s -c %(conf)s -o %(dir)s/box tina < %(small)s || exit 97
cp %(dir)s/box %(dir)s/../before
%(deliver)s -c %(conf)s -o %(dir)s/ok/ tina < %(big)s
echo $?
%(deliver)s -c %(conf)s -o %(dir)s/box tina < %(big)s
echo $?
cmp %(dir)s/box %(dir)s/../before && echo same
ls %(dir)s/ok/new | wc -l; ls %(dir)s/ok/tmp | wc -l
ls %(dir)s | grep -c lock
'''


def test_full():
    small, big = WORK + "/small", WORK + "/big"
    with open(small, "wb") as f:
        f.write(MSG)
    with open(big, "wb") as f:
        f.write(b"A: b\n\n" + b"x" * 71 * 40000)
    clean("tina")
    p = subprocess.run(["/bin/sh", "-c", "ulimit -f 100; exec %s -c %s tina "
                        "< %s" % (DELIVER, CONF, big)], capture_output=True)
    check(p.returncode == 73 and not files(home("tina") + "/Maildir") and
          b"5.3.4" in p.stderr, "a limit on files", "%r" % p)
    if not ROOT:
        skip("a full disk", "not root")
        return
    place = WORK + "/full"
    os.mkdir(place)
    p = subprocess.run(["unshare", "-m", "/bin/sh", "-c", FULL % {
        "size": "1M", "dir": place, "deliver": DELIVER, "conf": CONF,
        "small": small, "big": big}], capture_output=True, text=True)
    if p.returncode == 99 or "unshare" in p.stderr:
        skip("a full disk", p.stderr.strip())
        return
    check(p.stdout.split() == ["75", "75", "same", "1", "0", "0"] and
          p.stderr.count("No space left on device") == 2, "a full disk",
          "%d %s %s" % (p.returncode, p.stdout, p.stderr))


def test_many():
    clean("tina")
    clean("mark")
    box, mbox = home("tina") + "/Maildir", home("mark") + "/mbox"
    for user, n in (("tina", 50), ("mark", 50)):
        procs = []
        for i in range(n):
            p = subprocess.Popen([DELIVER, "-c", CONF.replace(
                "conf", "patient")] + F + [user], stdin=subprocess.PIPE,
                stderr=subprocess.PIPE)
            p.stdin.write(b"X-Number: %d\n\n" % i + b"From line\n" * 500)
            p.stdin.close()
            procs.append(p)
        got = [(p.wait(400), p.stderr.read()) for p in procs]
        for p in procs:
            p.stderr.close()
        check(all(s == 0 for s, _ in got), "%d at once for %s" % (n, user),
              str([g for g in got if g[0] != 0][:3]))
    whole = set()
    for path in files(box, "new"):
        with open(path, "rb") as f:
            text = f.read()
        if text.endswith(b"\n\n" + b"From line\n" * 500):
            whole.add(text.split(b"X-Number: ")[1].split(b"\n")[0])
    check(len(whole) == 50 and not files(box, "tmp"),
          "all in the Maildir, whole", "%d" % len(whole))
    whole = set()
    for m in mailbox.mbox(mbox, create=False):
        if m.get_payload() == ">From line\n" * 500:
            whole.add(m["X-Number"])
    check(len(whole) == 50 and not os.path.exists(mbox + ".lock"),
          "all in the mbox, whole", "%d" % len(whole))


def test_kill():
    clean("tina")
    box = home("tina") + "/Maildir"
    p = subprocess.Popen([DELIVER, "-c", CONF] + F + ["tina"],
                         stdin=subprocess.PIPE)
    p.stdin.write(b"A: b\n\n" + b"x" * 500000)
    p.stdin.flush()
    end = time.monotonic() + 60
    while not files(box, "tmp") and time.monotonic() < end:
        time.sleep(0.01)
    begun = len(files(box, "tmp"))
    p.send_signal(signal.SIGKILL)
    p.wait()
    try:
        p.stdin.close()
    except BrokenPipeError:
        pass
    check(begun == 1 and not files(box, "new", "cur"),
          "killed in the middle: nothing is in new", str(files(box)))
    # at any moment: what is in new is whole
    clean("tina")
    want = HEAD % b"tina" + MSG
    for i in range(40):
        p = subprocess.Popen([DELIVER, "-c", CONF] + F + ["tina"],
                             stdin=subprocess.PIPE)
        p.stdin.write(MSG)
        p.stdin.close()
        time.sleep(i * 0.0001)
        p.send_signal(signal.SIGKILL)
        p.wait()
    bad = []
    for path in files(box, "new"):
        with open(path, "rb") as f:
            if f.read() != want:
                bad.append(path)
    check(not bad, "killed at any moment: no half message", str(bad))


def test_strict():
    """What reaches the disk, and in which order."""
    if not shutil.which("strace"):
        skip("flushes", "no strace")
        return
    for how, want in (("strict", 2), ("auto", 1)):
        conf = WORK + "/" + how
        with open(CONF) as f, open(conf, "w") as g:
            g.write(f.read() + "durability %s\n" % how)
        clean("tina")
        deliver(["tina"], conf=conf)
        p = subprocess.run(
            ["strace", "-o", WORK + "/trace", "-e",
             "trace=fsync,renameat,renameat2,exit_group", DELIVER, "-c",
             conf, "tina"], input=MSG, capture_output=True)
        with open(WORK + "/trace") as f:
            calls = [l.split("(")[0] for l in f]
        if p.returncode != 0 or "exit_group" not in calls:
            skip("flushes", "strace does not work here")
            return
        last = calls[calls.index("exit_group") - 1]
        check(calls.count("fsync") >= want and last == "fsync",
              "durability %s: the name is flushed, then the end" % how,
              str(calls))


FAULTS = [      # system call, error, user, exit status
    ("fsync", "EIO", "tina", 75), ("fsync", "EIO", "mark", 75),
    ("write", "ENOSPC", "tina", 75), ("write", "EDQUOT", "mark", 75),
    ("renameat", "ENOSPC", "tina", 75), ("sync_file_range", "EIO", "tina", 75),
    ("read", "EIO:when=LAST", "tina", 75),
]


def test_faults():
    """An error of the disk leaves nothing under a name that would be read."""
    if not shutil.which("strace"):
        skip("errors of the disk", "no strace")
        return
    for call, error, user, want in FAULTS:
        clean("tina")
        clean("mark")
        deliver([user])
        path = home("tina") + "/Maildir"
        mbox = home("mark") + "/mbox"
        if "LAST" in error:     # the last call of this kind for the message
            subprocess.run(["strace", "-o", WORK + "/trace", "-e",
                            "trace=" + call, DELIVER, "-c", CONF, user],
                           input=MSG, capture_output=True)
            with open(WORK + "/trace") as f:
                calls = [l for l in f if l.startswith(call)]
            n = max([i + 1 for i, l in enumerate(calls) if l.startswith(call + "(0,")], default=1)
            error = error.replace("LAST", str(n))
        before = (len(files(path, "new")),
                  os.path.exists(mbox) and os.stat(mbox).st_size)
        p = subprocess.run(["strace", "-o", WORK + "/trace", "-e", "trace=" +
                            call, "-e", "inject=%s:error=%s" % (call, error),
                            DELIVER, "-c", CONF, user], input=MSG,
                           capture_output=True)
        with open(WORK + "/trace") as f:
            if "INJECTED" not in f.read():
                skip("%s: %s" % (call, error), "not called here")
                continue
        after = (len(files(path, "new")),
                 os.path.exists(mbox) and os.stat(mbox).st_size)
        if call == "sync_file_range" and p.returncode == 0:
            # where the flush comes after the name it is a hint, and the flush was true
            want, before = 0, (before[0] + 1, before[1])
        check(p.returncode == want and before == after and
              not files(path, "tmp") and not os.path.exists(mbox + ".lock"),
              "%s: %s for %s: %d" % (call, error.split(":")[0], user, want),
              "%r %s %s" % (p, before, after))


def test_trace():
    """A line for syslog, which may be slow or gone."""
    if not ROOT:
        skip("a line for syslog", "not root")
        return
    clean("tina")
    dev = WORK + "/dev"
    os.mkdir(dev)
    with open(WORK + "/m", "wb") as f:
        f.write(MSG)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(dev + "/log")
        os.chmod(dev + "/log", 0o666)
        s.settimeout(60)
        p = subprocess.run(
            ["unshare", "-m", "/bin/sh", "-c", "mount --bind %s /dev || exit "
             "99; for i in $(seq 100); do %s -c %s -f '' tina < %s || exit 1; "
             "done" % (dev, DELIVER, CONF, WORK + "/m")], capture_output=True,
            text=True, timeout=300)
        if p.returncode == 99 or "unshare" in p.stderr:
            skip("a line for syslog", p.stderr.strip())
            return
        line = s.recv(4096).decode()
    check(p.returncode == 0 and len(files(home("tina") + "/Maildir")) == 100,
          "a syslog daemon that hangs holds nothing up", repr(p))
    check(line.startswith("<22>deliver[") and " stored user=tina " in line and
          ' from="" to=tina@example.test status=2.0.0 why="stored as ' in
          line, "a line for syslog", line)


NAMESPACE = '''
mount --bind %(work)s/passwd /etc/passwd || exit 99
mount --bind %(work)s/group /etc/group || exit 99
mount --bind %(work)s/nsswitch /etc/nsswitch.conf || exit 99
if [ -e /etc/posthouse ]; then mount -t tmpfs none /etc/posthouse; fi
cd /
for u in tina root daemon nosuch; do
	echo "A: b" | %(deliver)s -v $u > /dev/null 2>&1; echo "$u $?"
done
echo "A: b" | %(deliver)s -p 'echo groups $(id -G) >&2; exit 65' tina 2>&1
me="setpriv --reuid 61021 --regid 61021 --clear-groups %(deliver)s"
echo "A: b" | $me > /dev/null 2>&1; echo "self $?"
echo "A: b" | $me tina > /dev/null 2>&1; echo "name $?"
echo "A: b" | $me toby > /dev/null 2>&1; echo "other $?"
you="setpriv --reuid 61099 --regid 61099 --clear-groups %(deliver)s"
echo "A: b" | $you > /dev/null 2>&1; echo "nameless $?"
'''


def test_system():
    """Without any configuration, with the users of the system."""
    if not ROOT:
        skip("users of the system", "not root")
        return
    clean("tina")
    with open(WORK + "/passwd", "w") as f:
        f.write("root:x:0:0::/root:/bin/sh\ndaemon:x:1:1::/:/bin/sh\n"
                "tina:x:61021:61021::%s:/bin/sh\n"
                "toby:x:61022:61022::%s:/bin/sh\n"
                % (home("tina"), home("toby")))
    with open(WORK + "/group", "w") as f:
        f.write("root:x:0:\ntina:x:61021:\nstaff:x:61500:toby,tina\n")
    with open(WORK + "/nsswitch", "w") as f:
        f.write("passwd: files\ngroup: files\n")
    p = subprocess.run(["unshare", "-m", "/bin/sh", "-c", NAMESPACE % {
        "work": WORK, "deliver": DELIVER}], capture_output=True, text=True)
    if p.returncode == 99 or "unshare" in p.stderr:
        skip("users of the system", p.stderr.strip())
        return
    want = ["tina 0", "root 77", "daemon 77", "nosuch 67",
            "deliver: the command ended with status 65: "
            "groups 61021 61500 (5.6.0)",
            "self 0", "name 0", "other 77", "nameless 67"]
    check(p.stdout.splitlines() == want, "users of the system",
          p.stdout + p.stderr)
    names = files(home("tina") + "/Maildir", "new")
    check(len(names) == 3 and all(os.stat(n).st_uid == 61021 for n in names),
          "in ~/Maildir without a configuration", str(names))


def main():
    try:
        setup()
        with open(CONF) as f:
            text = f.read()
        with open(WORK + "/patient", "w") as f:
            f.write(text.replace("lock-timeout 2s", "lock-timeout 5m")
                    .replace("hops 20", "hops 1000"))
        with open(WORK + "/hasty", "w") as f:
            f.write(text.replace("pipe-timeout 60s", "pipe-timeout 2s"))
        for test in (test_calls, test_conf, test_rights, test_odd,
                     test_corpus, test_input, test_addresses, test_folders, test_places,
                     test_mbox, test_links, test_command, test_loops,
                     test_quota, test_full, test_many, test_kill,
                     test_strict, test_faults, test_trace, test_system):
            test()
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
