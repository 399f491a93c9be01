"""The brake: an account that suddenly sends far more than usual is held, told of once, and let go or thrown away by
one command; a queue that is killed in the middle forgets nothing of it. TAP on standard output."""
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import BUILD, ROOT, Skip, Stage, Tap, below, mails, until, want, word  # noqa: E402

FILL = os.path.join(BUILD, "tools", "fill_incoming")
CONF = """queue.scan-interval 1s
brake.messages 20
brake.recipients 60
brake.new-recipients 40
brake.bounces 10
"""
tap = Tap()


def fill(st, user, count, subject, *rcpts):
    """Ids of messages as if the user had handed them in."""
    r = subprocess.run([FILL, os.path.join(st.dir, "spool"), user, str(count), subject.decode(), *rcpts],
                       capture_output=True, timeout=60, check=True)
    return r.stdout.decode().split()


def away_from_hour():
    """What was sent in the hour before counts a little less with each second."""
    left = 3600 - time.time() % 3600
    if left < 120:
        time.sleep(left + 1)


def held(st, n, seconds=120):
    def look():
        names = os.listdir(os.path.join(st.dir, "spool", "hold"))
        return names if len(names) >= n else None
    if n == 0:
        time.sleep(2)
        names = os.listdir(os.path.join(st.dir, "spool", "hold"))
    else:
        names = until("%d held messages" % n, look, seconds)
    want("%d held" % n, names, len(names) == n)
    return names


def idle(st):
    """Nothing new, nothing under way."""
    def look():
        status, out = postq(st, "stat")
        want("postq stat", out, status == 0)
        n = dict(l.split() for l in out.splitlines())
        return n["new"] == "0" and n["running"] == "0" and not below(os.path.join(st.dir, "spool", "incoming", "new"))
    until("an idle queue", look, 120)


def postq(st, *args):
    return st.command(*args[:1], "-f", st.conf, *args[1:], program="postq")


def mailq(st, *args):
    return st.command("-f", st.conf, *args, program="mailq")


def balance(st):
    idle(st)
    status, out = postq(st, "balance")
    want("the balance", out, status == 0)


def notices(st, user, about):
    return [m for m in mails(st.dir, user).values() if b"Mail of " + about + b" is held" in m]


def queue_pid(st):
    """None: it does not run just now."""
    _, out = st.posthouse("status")
    m = re.search(r"^queue\s+(\d+)\s", out, re.M)
    return int(m.group(1)) if m else None


def kill_queue(st):
    pid = queue_pid(st)
    want("a queue", pid, pid is not None)
    os.kill(pid, signal.SIGKILL)
    until("another queue", lambda: queue_pid(st) not in (None, pid))


def test_release():
    away_from_hour()
    with Stage(CONF) as st:
        w = word("rel")
        fill(st, "bob", 20, w, "carol@example.test")
        st.came("carol", w, 20)
        want("nobody is held below the limit", "", held(st, 0) == [])
        fill(st, "bob", 7, w, "carol@example.test")
        held(st, 7)
        line = st.logged("brake user=bob", "state=on")
        want("the reason", line, "21 messages within an hour, its limit is 20" in line)
        # who did nothing goes on
        w2 = word("other")
        fill(st, "alice", 3, w2, "carol@example.test")
        st.came("carol", w2, 3)
        # told once, both of them, with samples
        until("notices", lambda: notices(st, "bob", b"bob") and notices(st, "alice", b"bob"))
        fill(st, "bob", 3, w, "carol@example.test")
        held(st, 10)
        for user in ("bob", "alice"):
            got = notices(st, user, b"bob")
            want("one notice to " + user, len(got), len(got) == 1)
            text = got[0].decode()
            want("its text", text, "21 messages within an hour" in text and text.count("Subject: " + w.decode()) == 5 and
                 "Auto-Submitted: auto-generated" in text and "To:      carol@example.test" in text)
            want("the advice", text, ("postq release -u bob" in text) == (user == "alice"))
            want("nobody's mail", text, "Return-Path: <>" in text)
        # said where people look
        status, out = mailq(st, "-u", "BOB")
        want("mailq -u", out, status == 0 and out.count("held by the brake: 21 messages") >= 10)
        status, out = mailq(st, "-u", "alice")
        want("mailq of another", out, "brake" not in out)
        status, out = postq(st, "brake")
        want("postq brake", out, status == 0 and re.search(r"bob held=10 21 messages", out))
        status, out = postq(st, "stat")
        want("postq stat", out, "braked 1\n" in out)
        status, out = st.posthouse("status")
        want("posthouse status", out, "braked=1" in out)
        balance(st)
        # and let go
        status, out = postq(st, "release", "-n", "-u", "bob")
        want("release -n", out, status == 0 and "bob: the brake would be off" in out)
        held(st, 10)
        status, out = postq(st, "release", "-u", "bob")
        want("release", out, status == 0 and "bob: the brake is off" in out and "10 of 10 messages" in out)
        st.came("carol", w, 30)
        fill(st, "bob", 60, w, "carol@example.test")
        st.came("carol", w, 90)
        status, out = postq(st, "brake")
        want("nobody is held", out, status == 0 and out == "")
        balance(st)


def test_kill():
    """A queue that is killed finds the brake on, holds on, and does not tell twice."""
    away_from_hour()
    with Stage(CONF) as st:
        w = word("kill")
        fill(st, "bob", 26, w, "carol@example.test")
        held(st, 6)
        until("notices", lambda: notices(st, "alice", b"bob"))
        st.came("carol", w, 20)
        idle(st)        # what has come and is not yet written down would come twice
        for n in range(3):
            kill_queue(st)
            fill(st, "bob", 4, w, "carol@example.test")
            held(st, 10 + 4 * n)
        # in the middle of it
        fill(st, "bob", 200, w, "carol@example.test")
        until("some are held", lambda: len(os.listdir(os.path.join(st.dir, "spool", "hold"))) > 30)
        kill_queue(st)
        held(st, 218)
        idle(st)
        want("one notice", len(notices(st, "alice", b"bob")), len(notices(st, "alice", b"bob")) == 1)
        want("what went before", len(mails(st.dir, "carol")), len(mails(st.dir, "carol")) == 20)
        # gone for good
        status, out = postq(st, "drop", "-u", "bob")
        want("drop asks first", out, status == 64)
        held(st, 218)
        status, out = postq(st, "drop", "-y", "-q", "-u", "bob")
        want("drop", out, status == 0)
        until("all of it is gone", lambda: not os.listdir(os.path.join(st.dir, "spool", "hold")))
        balance(st)
        # the limit is what it was
        fill(st, "bob", 20, w, "carol@example.test")
        idle(st)
        want("nobody is held", "", held(st, 0) == [])
        fill(st, "bob", 1, w, "carol@example.test")
        held(st, 1)
        balance(st)


def test_kinds():
    """Recipients, new ones, and those that fail."""
    away_from_hour()
    with Stage(CONF + "brake.exempt robot\n") as st:
        w = word("kinds")
        fill(st, "many", 3, w, *(["carol+%d@example.test" % n for n in range(20)]))
        idle(st)
        fill(st, "many", 1, w, "alice@example.test")
        line = st.logged("brake user=many", "state=on")
        want("recipients", line, "61 recipients within an hour, its limit is 60" in line)
        w = word("new")
        fill(st, "new", 1, w, *(["carol+%d@example.test" % n for n in range(41)]))
        line = st.logged("brake user=new", "state=on")
        want("new recipients", line, "41 new recipients within an hour, its limit is 40" in line)
        w = word("bad")
        fill(st, "bad", 11, w, "nosuch%d@example.test")
        line = st.logged("brake user=bad", "state=on")
        want("bounces", line, "11 failed recipients within an hour, its limit is 10" in line)
        fill(st, "bad", 1, w, "carol@example.test")
        until("the next one is held", lambda: "held by the brake" in mailq(st, "-u", "bad")[1])
        w = word("free")
        fill(st, "robot", 30, w, "carol@example.test")
        st.came("carol", w, 30)


def test_modes():
    with Stage(CONF + "brake.mode watch\n") as st:
        w = word("watch")
        fill(st, "bob", 30, w, "carol@example.test")
        st.came("carol", w, 30)
        st.logged("brake user=bob", "state=watched", "21 messages")
        want("nobody is held", "", held(st, 0) == [])
        want("nobody is told", "", not notices(st, "bob", b"bob"))
    with Stage(CONF + "brake.mode no\n") as st:
        fill(st, "bob", 30, w, "carol@example.test")
        st.came("carol", w, 30)
        want("nothing is said", "", "brake user=" not in st.log())


def test_local():
    """Programs on this host are accounts, too, by their numbers."""
    if not ROOT:
        raise Skip("needs another user")
    away_from_hour()
    with Stage(CONF) as st:
        w = word("local")
        for n in range(23):
            status, out = st.command("-C", st.conf, "-i", "-f", "alice@example.test", "carol@example.test",
                                     program="sendmail", input=b"Subject: %s %d\n\nx\n" % (w, n), user=61001,
                                     group=61001, extra_groups=[])
            want("sendmail", out, status == 0)
        held(st, 3)
        st.logged("brake user=\"uid=61001\"", "state=on")
        st.came("carol", w, 20)
        status, out = postq(st, "release", "-u", "uid=61001")
        want("release", out, status == 0 and "3 of 3 messages" in out)
        st.came("carol", w, 23)
        for n in range(23):     # root is exempt
            status, out = st.command("-C", st.conf, "-i", "carol@example.test", program="sendmail",
                                     input=b"Subject: root%s\n\nx\n" % w)
        st.came("carol", b"root" + w, 23)
        balance(st)


def main():
    tap.run("held, told of, released", test_release)
    tap.run("killed in the middle, dropped", test_kill)
    tap.run("recipients, new ones, failures", test_kinds)
    tap.run("watching, and not", test_modes)
    tap.run("local programs", test_local)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
