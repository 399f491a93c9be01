"""postq import: spools that Postfix and Exim made (tests/data), whole, torn, and while their owners run."""
import fcntl
import os
import re
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import Stage, Tap, below, until, want  # noqa: E402

TAP = Tap()
DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data")


def postq(stage, *args):
    p = subprocess.run([os.path.join(stage.dir, "bin", "postq"), "-f", stage.conf, *args], timeout=120,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return p.returncode, p.stdout, p.stderr.decode("utf-8", "replace")


def foreign(stage, kind):
    """A copy of theirs that may be changed."""
    to = os.path.join(stage.dir, "foreign", kind)
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(os.path.join(DATA, kind), to)
    return to


def taken(out):
    return dict(re.findall(r"^(\S+): is ([0-9a-z]{20}) now$", out.decode(), re.M))


def postfix_content(path):
    """Read here another way: lines are N, parts of long ones L."""
    with open(path, "rb") as f:
        data = f.read()
    at, lines, inside = 0, b"", False
    while at < len(data):
        kind, size, shift = data[at:at + 1], 0, 0
        at += 1
        while True:
            size |= (data[at] & 127) << shift
            shift += 7
            at += 1
            if data[at - 1] < 128:
                break
        text = data[at:at + size]
        at += size
        if kind == b"M":
            inside = True
        elif kind == b"X":
            return lines
        elif inside and kind in b"NL":
            lines += text + (b"\r\n" if kind == b"N" else b"")
        elif kind == b"p":
            want("no pointer in these", text, int(text) == 0)
    return lines


def exim_content(path):
    with open(path + "-H", "rb") as f:
        rest = f.read().split(b"\n\n", 1)[1]
    head = b""
    while rest:
        size, flag = re.match(rb"(\d+)(.) ", rest).groups()
        at = len(size) + 2
        if flag != b"*":
            head += rest[at:at + int(size)]
        rest = rest[at + int(size):]
    with open(path + "-D", "rb") as f:
        body = f.read().split(b"\n", 1)[1]
    return (head + b"\n" + body).replace(b"\n", b"\r\n")


def rcpts(envelope):
    return re.findall(r"^recipient (\S+) waiting(.*)$", envelope, re.M)


def envelope(stage, ident):
    got = postq(stage, "show", "-e", ident)
    want("show -e", got, got[0] == 0)
    return got[1].decode()


def imported(stage, kind, n, *args, status=0, where=None):
    where = where or foreign(stage, kind)
    before = sorted(below(where))
    got = postq(stage, "import", kind, where, *args)
    want("import of %s: status %d" % (kind, status), got, got[0] == status)
    names = taken(got[1])
    want("%d messages" % n, got, len(names) == n)
    if "--remove" not in args:
        want("theirs are untouched", sorted(below(where)), sorted(below(where)) == before)
    return names, where, got


def test_postfix(stage):
    names, where, _ = imported(stage, "postfix", 5)
    for path in below(where):
        name = os.path.basename(path)
        got = postq(stage, "show", names[name])
        want("content of %s, byte for byte" % name, (got[1][-200:], got[2]), got[1] == postfix_content(path))
    two = envelope(stage, names["7DC39A88542"])
    want("who has not got it", two, [a for a, _ in rcpts(two)] == ["bob@example.test", "carol@example.test"])
    for part in ("from <ann@example.net>\n", "client 127.0.0.1\n", "helo client.example.net\n", "proto ESMTP\n",
                 "envid id+3D7\n", "8BITMIME", "RET=HDRS", "place incoming", "origin import",
                 "bob@example.test waiting orcpt=rfc822;bob@example.test notify=never", "arrived " + time.strftime(
                     "%Y-%m-%d %H:%M:%S", time.localtime(1795642645))):
        want("envelope with " + part, two, part in two)
    want("of nobody", names, "from <>\n" in envelope(stage, names["7FAD4A88551"]))
    want("held stays held", names, "place held\n" in envelope(stage, names["8062FA885B2"]))
    utf8 = envelope(stage, names["81265A885D1"])
    want("SMTPUTF8", utf8, "SMTPUTF8" in utf8 and "grüße@example.test" in utf8)
    got = postq(stage, "fsck", "-n")
    want("a sound spool", got, got[0] == 0)
    return names


def test_exim(stage):
    names, where, _ = imported(stage, "exim", 6)
    for name, ident in names.items():
        got = postq(stage, "show", ident)
        want("content of %s, byte for byte" % name, (got[1][-200:], got[2]),
             got[1] == exim_content(os.path.join(where, "input", name)))
    two = envelope(stage, names["1xWKgm-00032c-2O"])
    for part in ("from <ann@example.net>\n", "client 127.0.0.1\n", "envid id+3D7\n", "RET=HDRS", "place held",
                 "alice@example.test waiting orcpt=rfc822;al+2Bx@example.test notify=success notify=failure",
                 "bob@example.test waiting notify=never", "recipient carol@example.test waiting\n", "arrived " + time.strftime(
                     "%Y-%m-%d %H:%M:%S", time.localtime(1795642684))):
        want("envelope with " + part, two, part in two)
    utf8 = envelope(stage, names["1xWKgn-00033b-1J"])
    want("one has got it", utf8, [a for a, _ in rcpts(utf8)] == ["grüße@example.test"])
    want("frozen is held", names, "place held\n" in envelope(stage, names["1xWKgn-000337-0a"]))
    got = postq(stage, "fsck", "-n")
    want("a sound spool", got, got[0] == 0)
    return names


def test_delivered(stage):
    """What was imported while all was down is delivered, and adds up."""
    wrong = stage.up()
    want("it starts", wrong, wrong is None)
    until("delivered", lambda: stage.log().count(" delivered id=") >= 8)
    for user, n in (("alice", 6), ("carol", 1)):
        until("mail of " + user, lambda: len(stage.mails(user)) == n)
    want("the content", stage.mails("alice").keys(), any(
        b"Plain text.\n.a line with a dot\n..two\n\nlast\n" in m for m in stage.mails("alice").values()))
    got = until("it adds up", lambda: (lambda g: g if g[0] == 0 else None)(postq(stage, "balance")))
    want("imported", got, re.search(rb"^imported +11 +15$", got[1], re.M) is not None)


def test_while_running(stage):
    """The daemons find it by themselves."""
    names, _, _ = imported(stage, "exim", 6)
    stage.logged("queued id=" + names["1xWKgm-000325-1d"], "origin=import")
    stage.logged("done id=" + names["1xWKgm-000325-1d"])


def test_dry(stage):
    where = foreign(stage, "postfix")
    got = postq(stage, "import", "-n", "postfix", where)
    want("-n", got, got[0] == 0 and got[1].count(b": would be imported\n") == 5 and not taken(got[1]))


def test_remove(stage):
    for kind, n in (("postfix", 5), ("exim", 6)):
        names, where, _ = imported(stage, kind, n, "--remove")
        want("all of theirs are gone", below(where), not below(where))
        for ident in names.values():
            # one that is delivered just now has gone before the line is there
            until(ident + " is here", lambda ident=ident: postq(stage, "show", ident)[0] == 0 or "done id=" + ident in stage.log())


def test_torn(stage):
    """What makes no sense is named, and the others are taken; nothing of it is removed."""
    where = foreign(stage, "postfix")
    torn = os.path.join(where, "deferred", "7", "7FAD4A88551")
    os.truncate(torn, os.path.getsize(torn) - 3)
    with open(os.path.join(where, "deferred", "7", "not-a-name"), "w") as f:
        f.write("x")
    with open(os.path.join(where, "deferred", "8", "81265A885D1"), "r+b") as f:
        text = f.read().replace(b"R\x12alice@example.test", b"R\x12alice example test")
        f.seek(0)
        f.write(text)
    os.chmod(os.path.join(where, "deferred", "7", "7CA9FA88521"), 0o600)
    names, _, got = imported(stage, "postfix", 2, "--remove", status=65, where=where)
    for part in ("7FAD4A88551: a record", "not-a-name: that is no name", "81265A885D1: the recipient"):
        want(part, got, part in got[2])
    want("unfinished is left out", got, b"7CA9FA88521: was never finished" in got[1])
    want("these stay", below(where), sorted(os.path.basename(f) for f in below(where)) ==
         ["7CA9FA88521", "7FAD4A88551", "81265A885D1", "not-a-name"])
    where = foreign(stage, "exim")
    base = os.path.join(where, "input")
    os.truncate(os.path.join(base, "1xWKgm-000325-1d-H"), 300)
    os.unlink(os.path.join(base, "1xWKgm-00032q-35-D"))
    os.unlink(os.path.join(base, "1xWKgn-000337-0a-H"))
    shutil.copy(os.path.join(base, "1xWKgp-00034u-0R-D"), os.path.join(base, "1xWKgn-00033b-1J-D"))
    with open(os.path.join(base, "1xWKgm-00032c-2O-J"), "w") as f:
        f.write("bob@example.test\nalice@EXAMPLE.test\ncarol@exam")
    names, _, got = imported(stage, "exim", 2, status=65, where=where)
    for part in ("1xWKgm-000325-1d: ", "1xWKgm-00032q-35-D: No such file", "1xWKgn-000337-0a-D: has no -H file",
                 "1xWKgn-00033b-1J: its -D file is another one's"):
        want(part, got, part in got[2])
    left = envelope(stage, names["1xWKgm-00032c-2O"])
    want("the journal counts", left, [a for a, _ in rcpts(left)] == ["carol@example.test"])


def test_busy(stage):
    where = foreign(stage, "postfix")
    os.makedirs(os.path.join(where, "pid"))
    with open(os.path.join(where, "pid", "master.pid"), "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        got = postq(stage, "import", "postfix", where)
        want("Postfix runs", got, got[0] == 75 and "Postfix is running" in got[2] and not taken(got[1]))
    where = foreign(stage, "exim")
    with open(os.path.join(where, "input", "1xWKgm-000325-1d-D"), "r+") as f:
        fcntl.lockf(f, fcntl.LOCK_EX)
        _, _, got = imported(stage, "exim", 5, status=65, where=where)
        want("Exim works on one", got, "1xWKgm-000325-1d: Exim is working on it" in got[2])
    got = postq(stage, "import", "exim", stage.dir)
    want("no spool", got, got[0] == 66)


def main():
    with Stage("queue.retry-first 60s\nqueue.retry-max 1h\nqueue.scan-interval 1s\n") as stage:
        stage.stop()
        for name, test in (("Postfix", test_postfix), ("Exim", test_exim), ("delivered after a start", test_delivered),
                           ("while it runs", test_while_running), ("-n", test_dry), ("--remove", test_remove),
                           ("torn files", test_torn), ("theirs at work", test_busy)):
            TAP.run("import: " + name, test, stage)
    return TAP.end()


if __name__ == "__main__":
    sys.exit(main())
