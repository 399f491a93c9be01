"""postq: show, expire, delete and trace, on a stage of its own."""
import gzip
import os
import pty
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import Skip, Stage, Tap, message, send, until, want, word, ROOT  # noqa: E402

TAP = Tap()


def postq(stage, *args, **more):
    more.setdefault("stdin", subprocess.DEVNULL)
    p = subprocess.run([os.path.join(stage.dir, "bin", "postq"), "-f", stage.conf, *args], timeout=120,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    return p.returncode, p.stdout, p.stderr.decode("utf-8", "replace")


def ok(stage, *args, status=0, **more):
    got = postq(stage, *args, **more)
    want("postq %s: status %d" % (" ".join(args), status), got, got[0] == status)
    return got


def waiting(stage, *to, sender=b"bob@example.test", body=b"line\r\n\x1b[31m\r\n"):
    """A message that waits, for another host."""
    w = word("waits")
    ident = send(stage.smtp, list(to) or [b"x@far.test"], message(w, body), sender=sender)
    stage.logged("waits", ident)
    return ident, w


def test_show(stage):
    ident, w = waiting(stage)
    out = ok(stage, "show", ident)[1]
    want("the content as it came", out[-400:], out.endswith(b"\r\n\r\nline\r\n\x1b[31m\r\n") and
         b"Subject: " + w + b"\r\n" in out and out.startswith(b"Received: "))
    out = ok(stage, "show", "-e", ident)[1]
    want("the envelope", out, b"from <bob@example.test>\n" in out and b"\nrecipient x@far.test waiting\n" in out and
         b"place waiting" in out and b"Subject" not in out)
    out = ok(stage, "show", ident, "-h")[1]
    want("the history", out, b"x@far.test 4.4.3 " in out and b"recipient" not in out.split(b"4.4.3")[0])
    out = ok(stage, "show", "-ceh", ident)[1]
    want("all of it", out, b"from <bob@" in out and b"4.4.3" in out and w in out)
    out = ok(stage, "-t", "x@far.test", "show", "-e")[1]
    want("by a filter", out, ident.encode() in out)
    ok(stage, "show", "00000000000000000000", status=65)
    ok(stage, "show", "nonsense", status=65)
    ok(stage, "show", status=64)


def test_show_terminal(stage):
    # ESC, CSI as one byte and as a character of UTF-8, and one that a piece of 65536 bytes splits somewhere
    ident, _ = waiting(stage, body=b"\x1b[31m\r\n\x9b32m\r\n\xc2\x9b33m\r\n" + (b"\xe2\x82\xac" * 300 + b"\r\n") * 100)
    ours, theirs = pty.openpty()
    p = subprocess.Popen([os.path.join(stage.dir, "bin", "postq"), "-f", stage.conf, "show", ident],
                         stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    out = b""
    try:
        while True:
            more = os.read(ours, 65536)
            if not more:
                break
            out += more
    except OSError:
        pass
    os.close(ours)
    want("status 0", p.wait(30), p.returncode == 0)
    want("no escape for the terminal", out[:2000], b"\x1b" not in out and b"?[31m" in out and b"\x9b" not in out and
         b"?32m" in out)
    want("characters are whole", out[-200:], out.count(b"\xe2\x82\xac") == 30000)


def test_show_not_yours(stage):
    if not ROOT:
        raise Skip("not root")
    ident, _ = waiting(stage)
    for args in (["show", ident], ["balance"], ["delete", ident]):
        p = subprocess.run(["setpriv", "--reuid", "61001", "--regid", "61001", "--clear-groups",
                            os.path.join(stage.dir, "bin", "postq"), "-f", stage.conf, *args],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        want("%s by a user: 77" % args[0], (p.returncode, p.stdout, p.stderr),
             p.returncode == 77 and p.stdout == b"")


def act(stage, *args):
    """A message that is on its way just now can be told so again."""
    return until("postq " + " ".join(args), lambda: (lambda got: got if "just now" not in got[2] else None)(
        postq(stage, *args)))


def test_expire(stage):
    ident, w = waiting(stage, b"x@far.test", b"y@far.test", b"alice@example.test")
    got = act(stage, "expire", ident)
    want("given up", got, got[0] == 0 and b"given up" in got[1])
    report = stage.came("bob", w)[0]
    want("the report", report, report.count(b"Status: 4.4.7") == 2 and b"Action: failed" in report and
         b"rfc822;alice@example.test" not in report)
    stage.logged("done", ident)
    stage.logged("expired id=" + ident, "to=x@far.test", "status=4.4.7")
    want("it has gone", postq(stage, "show", ident), postq(stage, "show", ident)[0] == 65)


def test_expire_held(stage):
    ident, w = waiting(stage)
    want("held", act(stage, "hold", ident), True)
    stage.logged("held id=" + ident)
    got = ok(stage, "expire", ident)
    stage.came("bob", w)
    want("said so", got, b"given up" in got[1])
    ok(stage, "expire", ident, status=65)


def test_filters_ask(stage):
    sender = b"many-" + word("s") + b"@example.test"
    idents = [waiting(stage, b"x@far.test", sender=sender)[0] for _ in range(3)]
    text = sender.decode()
    for verb in ("delete", "remove", "expire"):
        got = ok(stage, "-F", text, verb, status=64)
        want(verb + " wants -y", got, "-y" in got[2])
    got = ok(stage, "delete", "-n", "-F", text)
    want("-n names them", got, all(i.encode() in got[1] for i in idents))
    until("deleted", lambda: postq(stage, "delete", "-y", "-F", text)[0] == 0 and all(
        postq(stage, "show", "-e", i)[0] == 65 for i in idents))
    for i in idents:
        stage.logged("removed id=" + i, "nrcpts=1")


def test_asks_a_person(stage):
    sender = word("p").decode() + "@example.test"
    ident, _ = waiting(stage, sender=sender.encode())
    for answer, there in ((b"n\n", True), (b"y\n", False)):
        def once():
            ours, theirs = pty.openpty()
            os.write(ours, answer)
            got = postq(stage, "-F", sender, "delete", stdin=theirs)
            os.close(ours)
            os.close(theirs)
            return got if "just now" not in got[2] else None
        got = until("an answer", once)
        want("asked", got, "delete 1 message for good?" in got[2])
        want("there after %r" % answer, ident, (postq(stage, "show", ident)[0] == 0) == there)


def test_flush(stage):
    """Immediately, by destination, sender or id."""
    ident, _ = waiting(stage, b"z@flushed.test", sender=b"ann@flush.test")

    def attempts():
        return sum(1 for l in stage.log().splitlines() if "deferred id=" + ident in l)
    for args in (["-d", "flushed.test", "flush"], ["-F", "ann@flush.test", "flush"], ["flush", ident]):
        before = attempts()
        until("flush", lambda: postq(stage, *args)[0] == 0 and attempts() > before)


def test_trace(stage):
    ident, _ = waiting(stage, b"x@far.test", b"alice@example.test", b"postmaster@example.test", sender=b"ann@far.test")
    until("both are delivered", lambda: stage.log().count("delivered id=" + ident) == 2)
    out = ok(stage, "trace", ident)[1].decode()
    for part in ("received from ann@far.test by ESMTP from 127.0.0.1 (client.test), 3 recipient(s)",
                 "rule: ", "user alice", "postmaster@example.test is alice",
                 "to alice@example.test: delivered to alice after ", "to x@far.test: not yet: 4.4.3 ",
                 "looked into: " + stage.dir, "it is in the queue: 2 delivered", "recipient x@far.test waiting"):
        want("a trace with " + part, out, part in out)
    act(stage, "expire", ident)
    stage.logged("done id=" + ident)
    out = ok(stage, "trace", ident)[1].decode()
    for part in ("given up: 4.4.7", "report ", "done, and removed from the queue", "it has left the queue: 2 delivered, 1 failed"):
        want("a trace with " + part, out, part in out)
    return ident


def test_trace_rotated(stage):
    """The log was rotated, and packed; then rotated once more."""
    ident = test_trace(stage)
    log = os.path.join(stage.dir, "log", "posthouse.log")
    with open(log, "rb") as f:
        text = f.read()
    half = text.index(b"\n", text.index(ident.encode())) + 1
    with gzip.open(log + ".2.gz", "wb") as f:
        f.write(text[:half])
    with open(log + ".1", "wb") as f:
        f.write(text[half:])
    now = time.time()
    os.utime(log + ".2.gz", (now - 2, now - 2))
    os.utime(log + ".1", (now - 1, now - 1))
    with open(log, "wb"):
        pass
    out = ok(stage, "trace", ident)[1].decode()
    want("begin and end", out, "received from ann@far.test" in out and "it has left the queue: 2 delivered, 1 failed" in out)
    want("where it looked", out, ".2.gz " in out and "posthouse.log.1" in out)
    want("in order", out, out.index("received from") < out.index("done, and removed"))
    with open(log + ".3.xz", "wb") as f:
        f.write(b"x")
    out = ok(stage, "trace", ident, status=65)[1].decode()
    want("what it cannot read is said", out, "posthouse.log.3.xz (packed in a way" in out)
    os.unlink(log + ".3.xz")
    with gzip.open(os.path.join(stage.dir, "other.gz"), "wb") as f:
        f.write(text)
    out = ok(stage, "trace", "-l", os.path.join(stage.dir, "other.gz"), ident)[1].decode()
    want("another log", out, "other.gz" in out and "done, and removed" in out)


def test_trace_reply(stage):
    """The words of another host, as the line of an attempt has them."""
    ident = "cr90q7y0ajsdk0rewqh4"
    head = "2026-11-25T21:44:0%d.000Z queue[7] info: "
    with open(os.path.join(stage.dir, "remote.log"), "w") as f:
        f.write((head % 1) + "accepted id=%s drop=cr90q7y0ajsdk0rewqh3 uid=0 nrcpts=1\n" % ident)
        f.write((head % 2) + 'deferred id=%s to=a@far.test relay="mx.far.test[192.0.2.1]:25" tls=verified status=4.2.1 '
                'delay=12ms why="450 4.2.1 \\"later\\", please\\x1B"\n' % ident)
        f.write((head % 3) + 'delivered id=%s to=a@far.test relay="mx.far.test[192.0.2.1]:25" tls=none status=2.0.0 '
                'delay=3s why="250 2.0.0 Ok: queued as X"\n' % ident)
        f.write((head % 3) + "done id=%s nrcpts=1\n" % ident)
    out = ok(stage, "trace", "-l", os.path.join(stage.dir, "remote.log"), ident)[1].decode()
    for part in ('not yet by mx.far.test[192.0.2.1]:25 with TLS verified: 4.2.1 450 4.2.1 "later", please?',
                 "delivered by mx.far.test[192.0.2.1]:25 with TLS none after 3s: 2.0.0 250 2.0.0 Ok: queued as X",
                 "received from <> of the local user with uid 0"):
        want("a trace with " + part, out, part in out)


def test_usage(stage):
    for args in ([], ["nonsense"], ["stat", "x"], ["trace"], ["delete"], ["balance", "x"], ["balance", "--since", "soon"],
                 ["trace", "--since", "1d", "x"], ["flush", "--remove", "x"], ["import", "sendmail", "/"], ["import", "exim"],
                 ["-F", "a", "hold", "cr90q7y0ajsdk0rewqh4"], ["-Z"]):
        ok(stage, *args, status=64)
    ok(stage, "fsck", "x", status=16)


def main():
    with Stage("queue.retry-first 60s\nqueue.retry-max 1h\n") as stage:
        for name, test in (
                ("show", test_show), ("show on a terminal", test_show_terminal), ("not for users", test_show_not_yours),
                ("expire tells the sender", test_expire), ("expire of what is held", test_expire_held),
                ("filters ask first", test_filters_ask), ("a person is asked", test_asks_a_person),
                ("flush by destination, sender, id", test_flush),
                ("trace through rotated logs", test_trace_rotated), ("trace with another host's words", test_trace_reply),
                ("usage", test_usage)):
            TAP.run("postq: " + name, test, stage)
    return TAP.end()


if __name__ == "__main__":
    sys.exit(main())
