"""postq balance: what was accepted is what was delivered, given up, removed, and what lies in the spool."""
import gzip
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import Smtp, Stage, Tap, below, message, send, until, want, word  # noqa: E402

TAP = Tap()
DATA = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data")


def postq(stage, *args):
    p = subprocess.run([os.path.join(stage.dir, "bin", "postq"), "-f", stage.conf, *args], timeout=120,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return p.returncode, (p.stdout + p.stderr).decode("utf-8", "replace")


def balanced(stage, *args):
    got = postq(stage, "balance", *args)
    want("balanced", got[1] + stage.log()[-1500:], got[0] == 0 and
         re.search(r"^difference +0$", got[1], re.M) is not None)
    return got[1]


def named(stage, ident, why, *args):
    got = postq(stage, "balance", *args)
    want("%s named: %s" % (ident, why), got, got[0] == 65 and any(
        l.startswith(ident + ": ") and why in l for l in got[1].splitlines()))
    return got[1]


def count(text, what):
    """Of a line, the last number."""
    return int(re.search("^%s .*?([0-9]+)$" % re.escape(what), text, re.M).group(1))


def sendmail(stage, sender, *to, options=()):
    subprocess.run([os.path.join(stage.dir, "bin", "sendmail"), "-C", stage.conf, "-f", sender, *options, *to],
                   input=b"Subject: local\n\nhello\n", check=True, timeout=60, stdout=subprocess.DEVNULL)


def quiet(stage):
    """Until nothing is on its way: neither to queue nor out of it, and nothing is said of it any more."""
    def look():
        before = len(stage.log())
        coming = [f for d in ("drop", "incoming") for f in below(os.path.join(stage.dir, "spool", d, "new"))]
        running = "\nrunning 0\n" not in "\n" + postq(stage, "stat")[1]
        time.sleep(0.4)
        return not coming and not running and len(stage.log()) == before
    until("quiet", look)


def act(stage, *args):
    return until("postq " + " ".join(args), lambda: (lambda got: got if "just now" not in got[1] else None)(
        postq(stage, *args)))


def add_team(stage):
    """An alias for three; a start of the stage writes the file anew."""
    with open(os.path.join(stage.dir, "aliases"), "a") as f:
        f.write("team: alice, bob, carol\n")
    stage.posthouse("reload")
    until("the alias", lambda: knows(stage))


def knows(stage):
    with Smtp(stage.smtp) as c:
        c.say(b"EHLO x", "250")
        c.say(b"MAIL FROM:<s@client.test>", "250")
        c.send(b"RCPT TO:<team@example.test>\r\n")
        return (c.reply() or "").startswith("250")


def test_traffic(stage):
    """A bit of everything."""
    want("empty", balanced(stage), True)
    send(stage.smtp, b"alice@example.test", message(word("a")))
    send(stage.smtp, [b"alice@example.test", b"bob@example.test", b"team@example.test"], message(word("b")))
    with Smtp(stage.lmtp) as c:
        c.begin(to=(b"carol@example.test", b"alice@example.test"), hello=b"LHLO x")
        c.say(b"DATA", "354")
        c.say(message(word("l")) + b".\r\n", "250", "250")
    sendmail(stage, "bob@example.test", "alice@example.test", "nobody-here@example.test")
    sendmail(stage, "bob@example.test", "nobody-here@example.test", "no-one@example.test", options=("-N", "never"))
    sendmail(stage, "bob@example.test", "team@example.test", "x@far.test")
    sendmail(stage, "bob@example.test", "team@example.test", "carol@example.test", options=("-N", "success"))
    stage.logged("expanded id=", "ended=1")
    expired = send(stage.smtp, [b"x@far.test", b"y@far.test", b"alice@example.test"], message(word("c")),
                   sender=b"carol@example.test")
    removed = send(stage.smtp, [b"x@far.test", b"bob@example.test"], message(word("d")))
    held = send(stage.smtp, [b"x@far.test"], message(word("e")))
    send(stage.smtp, [b"z@far.test", b"bob@example.test"], message(word("f")))
    quiet(stage)
    balanced(stage)
    want("expired", act(stage, "expire", expired), True)
    want("removed", act(stage, "remove", removed), True)
    want("held", act(stage, "hold", held), True)
    quiet(stage)
    text = balanced(stage)
    want("given up 2", text, count(text, "- given up") == 2)
    want("removed 1", text, count(text, "- removed") == 1)
    want("failed 3", text, count(text, "- failed") == 3)
    want("multiplied", text, count(text, "more recipients by expansion") >= 2)
    want("released", act(stage, "release", held), True)
    want("imported", postq(stage, "import", "postfix", os.path.join(DATA, "postfix")), True)
    until("imported", lambda: "origin=import" in stage.log())
    quiet(stage)
    text = balanced(stage)
    want("imported 7", text, count(text, "imported") == 7)
    want("the held one lies in the spool", text, count(text, "- in the spool") >= 4)


def test_since(stage):
    text = balanced(stage, "--since", "1s")
    want("all that came before", text, count(text, "accepted by SMTP and LMTP") == 0 and
         count(text, "accepted before") >= 3)
    begin = time.monotonic()
    ident = send(stage.smtp, b"alice@example.test", message(word("s")))
    stage.logged("done id=" + ident)
    text = balanced(stage, "--since", "%ds" % (time.monotonic() - begin + 20))
    want("this one", text, count(text, "accepted by SMTP and LMTP") >= 1)
    balanced(stage, "--since", time.strftime("%Y-%m-%d"))
    balanced(stage, "--since", time.strftime("%Y-%m-%dT%H:%M", time.localtime(time.time() - 3600)))


def test_since_said(stage):
    """What the first line says, and what is refused."""
    first = balanced(stage).splitlines()[0]
    want("from the beginning", first, re.match(r"since \S+ \S+, where the log begins: /", first))
    asked = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(int(time.time()) - 1))
    first = balanced(stage, "--since", asked).splitlines()[0]
    want("no line in a second, or as asked", first, first.startswith(("since %s: /" % asked,
                                                                      "no line of the log since " + asked)))
    first = balanced(stage, "--since", "2001-02-03").splitlines()[0]
    want("later than asked", first, ", where the log begins, not 2001-02-03 00:00:00: /" in first)
    for bad, why in (("2099-01-01", "lies in the future"), ("yesterday", "neither how long ago"),
                     ("2026-13-01", "neither how long ago"), ("", "neither how long ago")):
        got = postq(stage, "balance", "--since", bad)
        want("refused " + bad, got, got[0] == 64 and why in got[1])


def test_packing(stage):
    """logrotate packs: the log and the beginning of what it becomes lie side by side."""
    log = os.path.join(stage.dir, "log", "posthouse.log")
    whole = stage.log().encode()
    os.rename(log, log + ".1")
    stage.posthouse("reload")
    until("a new log", lambda: os.path.exists(log))
    quiet(stage)
    want("alone", balanced(stage), True)
    sums = [l for l in balanced(stage).splitlines() if l[:1] == "-"]
    packed = gzip.compress(whole)
    for n in (0, 5, 10, len(packed) // 2, len(packed) - 4, len(packed)):
        with open(log + ".1.gz", "wb") as f:
            f.write(packed[:n])
        text = balanced(stage)
        want("once, with %d of %d" % (n, len(packed)), text,
             ".1.gz" not in text and [l for l in text.splitlines() if l[:1] == "-"] == sums)
    os.rename(log + ".1.gz", log + ".1.xz")
    want("another way to pack", balanced(stage), ".1.xz" not in balanced(stage))
    os.unlink(log + ".1.xz")
    # left there by somebody, of another log
    line = "2026-01-02T03:04:05.678Z posthouse[1] info: stopped"
    with open(log + ".1.gz", "wb") as f:
        f.write(gzip.compress(line.encode() + b"\n"))
    want("both, as they differ", balanced(stage), ".1.gz" in balanced(stage))
    os.unlink(log + ".1.gz")
    os.unlink(log)
    os.rename(log + ".1", log)
    stage.posthouse("reload")


def spool_file(stage, ident):
    return next((f for f in below(os.path.join(stage.dir, "spool")) if f.endswith("/" + ident) and
                 "/status/" not in f), None)


def test_rotated(stage):
    log = os.path.join(stage.dir, "log", "posthouse.log")
    os.rename(log, log + ".1")
    subprocess.run(["gzip", log + ".1"], check=True, timeout=60)
    stage.posthouse("reload")
    until("a new log", lambda: os.path.exists(log))
    quiet(stage)
    text = balanced(stage)
    want("both", text, ".1.gz" in text and count(text, "accepted by SMTP and LMTP") > 10)


def test_lost(stage):
    ident = send(stage.smtp, [b"lost@far.test"], message(word("lost")))
    stage.logged("waits id=" + ident)
    balanced(stage)
    with open(spool_file(stage, ident), "rb") as f:
        saved = f.read()
    path = spool_file(stage, ident)
    st = os.stat(path)
    os.unlink(path)
    text = named(stage, ident, "is missing")
    want("a difference of 1", text, count(text, "difference") == 1)
    want("no other one", text, len(re.findall(r"^[0-9a-z]{20}: ", text, re.M)) == 1)
    with open(path, "wb") as f:
        f.write(saved)
    os.chown(path, st.st_uid, st.st_gid)
    os.chmod(path, st.st_mode & 0o7777)
    os.utime(path, (st.st_atime, st.st_mtime))
    balanced(stage)


def test_forged(stage):
    ident = send(stage.smtp, [b"alice@example.test"], message(word("forged")))
    stage.logged("done id=" + ident)
    line = stage.logged("delivered id=" + ident)
    log = os.path.join(stage.dir, "log", "posthouse.log")
    with open(log, "a") as f:
        f.write(line + "\n")
    named(stage, ident, "1 more ends than recipients")
    text = stage.log()
    with open(log, "w") as f:
        f.write(text.replace(line + "\n", "", 1))
    balanced(stage)
    text = stage.log()
    with open(log, "w") as f:
        f.write(text.replace(line + "\n", "", 1))
    named(stage, ident, "1 of its recipients have no line of their end")
    with open(log, "w") as f:
        f.write(text)
    balanced(stage)
    with open(log, "w") as f:
        f.write("\n".join(l for l in text.split("\n") if "accepted id=" + ident not in l and
                          "queued id=" + ident not in l))
    named(stage, ident, "no line says that it was accepted")
    with open(log, "w") as f:
        f.write(text)


def queue_pid(stage):
    """By its line in the log; None while there is none."""
    pid = int(re.findall(r" queue\[(\d+)\] info: started ", stage.log())[-1])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    return pid


def test_killed(stage):
    """queue is killed while mail goes through: what is wrong afterwards is no more than a delivery made twice, and named."""
    stage.stop()
    wrong = stage.up()
    want("it starts", wrong, wrong is None)
    add_team(stage)
    idents = set()
    for _ in range(3):
        for i in range(30):
            to = [b"alice@example.test", b"bob@example.test", b"team@example.test", b"x@far.test"][i % 4]
            idents.add(send(stage.smtp, [to, b"carol@example.test"], message(word("k"))))
            if i == 15:
                pid = queue_pid(stage)
                want("queue runs", pid, pid)
                os.kill(pid, signal.SIGKILL)
        until("another queue runs", lambda: queue_pid(stage) not in (None, pid))
    quiet(stage)
    status, text = postq(stage, "balance")
    wrong = [l for l in text.splitlines() if re.match("[0-9a-z]{20}: ", l)]
    want("all or named", text, (status == 0) == (not wrong))
    want("only what a crash can do", wrong, all(
        "more ends than recipients" in l or "a line of its expansion is lost" in l or "recipients have not got it by" in l or
        "no line of their end" in l or "were reported than" in l or "but no line says so" in l for l in wrong))
    want("nothing is missing", wrong, not any("missing" in l for l in wrong))
    want("of these messages", wrong, all(l[:20] in idents for l in wrong))


def main():
    with Stage("queue.retry-first 60s\nqueue.retry-max 1h\n") as stage:
        add_team(stage)
        for name, test in (("mixed traffic", test_traffic), ("since a time", test_since),
                           ("what since says", test_since_said),
                           ("a log is being packed", test_packing), ("a rotated log", test_rotated), ("a lost file is named", test_lost),
                           ("a forged line is named", test_forged), ("queue is killed", test_killed)):
            TAP.run("balance: " + name, test, stage)
    return TAP.end()


if __name__ == "__main__":
    sys.exit(main())
