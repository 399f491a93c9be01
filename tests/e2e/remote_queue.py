"""The queue's side of mail to other hosts: a hop and a remote of the test's own
say what the world is like. TAP on standard output."""
import json
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import Smtp, Stage, Tap, Wrong, send, until, want  # noqa: E402
from fakes import (Road, cannot, done, host, no_way, one, result, says_all,  # noqa: E402
                   takes_all, way)

RETRY = "queue.retry-first 2s\nqueue.retry-max 4s\n"
PATIENT = "queue.retry-first 300s\nqueue.retry-max 300s\n"     # nothing is tried again meanwhile
CONF = "queue.scan-interval 1s\nremote.idle-timeout 1s\n"
TEXT = b"Subject: t\r\n\r\nhello\r\n"


class World:
    """What hop and remote say, by domain; everything is well until told otherwise."""

    def __init__(self, conf="", retry=RETRY):
        self.ways, self.how = {}, {}
        self.stage = Stage(retry + CONF + conf)
        self.road = Road(self.stage, self.answer, self.handle)
        self.remote, self.hop = self.road.remote, self.road.hop

    def answer(self, domain):
        return self.ways.get(domain, way)(domain)

    def handle(self, d):
        domain = d.to[0].split("@")[1]
        return self.how.get(domain, takes_all)(d)

    def send(self, to, sender=b"alice@example.test", content=TEXT):
        return send(self.stage.smtp, to, content, sender)

    def got(self, addr, n=1, seconds=60):
        return until("%d deliveries to %s" % (n, addr),
                     lambda: len(self.remote.to(addr)) >= n and self.remote.to(addr), seconds)

    def logged(self, *words, **more):
        return self.stage.logged(*words, **more)

    def queue(self):
        """Its process; 0: there is none just now."""
        _, out = self.stage.posthouse("status")
        rows = [line.split() for line in out.splitlines()]
        return next((int(r[1]) for r in rows if r[:1] == ["queue"] and r[1].isdigit()), 0)

    def report(self, word):
        """The mail in alice's box that has the word."""
        return until("a report with " + word, lambda: next(
            (m for m in self.stage.mails("alice").values() if word.encode() in m), None))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.road.stop()
        self.stage.down()


class Gate:
    """What comes is answered when all of it has been sent."""

    def __init__(self):
        self.open = threading.Event()

    def through(self, d):
        self.open.wait(100)
        return takes_all(d)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.open.set()


def mixed(w):
    """Local, an alias, and two domains in one message: each in its place."""
    i = w.send([b"x@far.test", b"y@far.test", b"z@other.test", b"bob@example.test"])
    w.logged("done id=" + i)
    line = w.logged("delivered id=" + i, "to=x@far.test")
    for word in ("relay=mx.far.test[192.0.2.1]:25", 'tls="TLSv1.3 X verified"', "status=2.0.0"):
        want("the log says " + word, line, word in line)
    want("one transaction for far.test", w.remote.to("x@far.test"),
         [d.to for d in w.remote.to("x@far.test")] == [["x@far.test", "y@far.test"]])
    want("another one", w.remote.to("z@other.test"), len(w.remote.to("z@other.test")) == 1)
    w.stage.came("bob", i.encode())
    d = w.remote.to("x@far.test")[0]
    want("the content", d.content, d.content.endswith(TEXT) and d.sender == "alice@example.test")


def envelope(w):
    """DSN parameters and BODY travel along."""
    with Smtp(w.stage.smtp) as c:
        c.say(b"EHLO client.test", "250")
        c.say(b"MAIL FROM:<alice@example.test> RET=HDRS ENVID=q+2B1 BODY=8BITMIME", "250")
        c.say(b"RCPT TO:<dsn@far.test> NOTIFY=FAILURE,DELAY ORCPT=rfc822;d+2Bsn@far.test", "250")
        c.say(b"RCPT TO:<never@far.test> NOTIFY=NEVER", "250")
        c.data(TEXT)
    d = w.got("dsn@far.test")[0]
    for tag, value in (("Y", b"HDRS"), ("e", b"q+2B1"), ("B", b"8bitmime")):
        want("field " + tag, d.fields, one(d.fields, tag) == value)
    r = d.rcpts[0]
    want("notify", r, one(r, "y") == b"FAILURE,DELAY" and one(r, "o") == b"rfc822;d+2Bsn@far.test")
    want("never", d.rcpts[1], one(d.rcpts[1], "y") == b"NEVER")
    want("the answer of hop whole", d.hop, [v for t, v in d.hop if t == "t"])


def grouped(w):
    """Domains with the same servers share transactions of 100 recipients at the most."""
    for dom in ("g1.test", "g2.test"):
        w.ways[dom] = lambda d: way(d, hosts=["mx.big.test", "mx2.big.test"])
    w.ways["g3.test"] = lambda d: way(d, hosts=["mx.big.test", "mx2.big.test"], tls="verified")
    for n in range(3):      # their answers are known then, and come together
        w.logged("done id=" + w.send(b"u@g%d.test" % (n + 1)))
    to = [b"u%d@g%d.test" % (n, n % 3 + 1) for n in range(330)]
    i = w.send(to)
    w.logged("done id=" + i)
    all_of = [d for d in w.remote.got if d.id == i]
    sizes = sorted(len(d.to) for d in all_of)
    want("220 of two domains and 110 of the third, apart", sizes, sizes == [10, 20, 100, 100, 100])
    got = sorted(a for d in all_of for a in d.to)
    want("each once", len(got), got == sorted(t.decode() for t in to))
    levels = {d.connection: {one(x.hop, "L") for x in all_of if x.connection == d.connection}
              for d in all_of}
    want("no session for both levels of protection", levels, all(len(v) == 1 for v in levels.values()))


def kept(w):
    """Many messages that wait go over few connections, which are closed when idle."""
    gate = Gate()
    w.how["kept.test"] = gate.through
    with gate:
        ids = [w.send(b"k%d@kept.test" % n) for n in range(60)]
    for i in ids:
        w.logged("done id=" + i)
    used = {d.connection for d in w.remote.got if d.to[0].endswith("@kept.test")}
    want("fewer than 20 connections for 60 messages", used, len(used) <= 20)
    until("all are closed", lambda: not w.remote.socks)


def refused(w):
    """A reply of the server's is in the report, with its name."""
    w.how["no.test"] = lambda d: says_all(d, "5.1.1", "550 5.1.1 no such user")
    i = w.send(b"who@no.test")
    line = w.logged("failed id=" + i)
    want("who said it", line, "relay=mx.no.test[192.0.2.1]:25" in line)
    m = w.report(i).decode()
    for word in ("Action: failed", "Status: 5.1.1", "Remote-MTA: dns;mx.no.test\r\n",
                 "Diagnostic-Code: smtp;550 5.1.1 no such user"):
        want("the report says " + word, m, word in m.replace("\n", "\r\n").replace("\r\r", "\r"))


def successes(w):
    """RFC 3461: a server with DSN reports itself; without it we say relayed; LMTP is delivered."""
    w.how["dsn.test"] = lambda d: takes_all(d, ("D", ""))
    w.ways["lmtp.test"] = lambda d: way(d, protocol="lmtp")
    ids = {}
    for dom in ("dsn.test", "plain.test", "lmtp.test"):
        with Smtp(w.stage.smtp) as c:
            c.say(b"EHLO client.test", "250")
            c.say(b"MAIL FROM:<alice@example.test>", "250")
            c.say(b"RCPT TO:<s@%s> NOTIFY=SUCCESS" % dom.encode(), "250")
            ids[dom] = c.data(TEXT).split("id=")[1].split()[0]
        w.logged("done id=" + ids[dom])
    m = w.report(ids["plain.test"]).decode()
    for word in ("Action: relayed", "Remote-MTA: dns;mx.plain.test", "Diagnostic-Code: smtp;250"):
        want("the report says " + word, m, word in m)
    m = w.report(ids["lmtp.test"]).decode()
    want("delivered", m, "Action: delivered" in m and "Remote-MTA" not in m)
    want("no report of ours", ids, not any(ids["dsn.test"].encode() in x for x in w.stage.mails("alice").values()))


def no_domain(w):
    """hop says never, or later."""
    w.ways["null.test"] = lambda d: no_way(550, "5.1.10", "the domain takes no mail", 600)
    w.ways["later.test"] = lambda d: no_way(450, "4.4.3", "DNS does not answer")
    i = w.send([b"a@null.test", b"a@later.test"])
    w.logged("failed id=" + i, "to=a@null.test", "status=5.1.10")
    w.logged("deferred id=" + i, "to=a@later.test", "status=4.4.3")
    m = w.report(i).decode()
    want("the reason", m, "the domain takes no mail" in m and "Remote-MTA" not in m)
    del w.ways["later.test"]
    w.got("a@later.test")
    asked = w.hop.asked.count("null.test")
    w.send(b"b@null.test")
    w.logged("failed", "to=b@null.test")
    want("asked once, then known", w.hop.asked.count("null.test"), w.hop.asked.count("null.test") == asked)


def dead(w):
    """One connection tries a destination that is away; nobody else is kept waiting, all come in the end."""
    taken, begun, away = [], time.monotonic(), True

    def handle(d):
        if away:
            return cannot(d)
        taken.append(d.id)
        return takes_all(d)
    w.how["dead.test"] = handle
    first = w.send(b"d0@dead.test")
    w.logged("deferred id=" + first, "connect: Connection timed out")
    ids = [w.send(b"d%d@dead.test" % n) for n in range(1, 40)]
    w.logged("waits id=" + ids[-1])
    tries = len([d for d in w.remote.got if d.key == "smtp:mx.dead.test"])
    took = time.monotonic() - begun
    want("few attempts: one in two seconds", (tries, took), tries <= 4 + took / 2)
    i = w.send(b"q@quick.test")
    w.logged("done id=" + i)
    status, out = w.stage.command("-f", w.stage.conf, program="mailq")
    want("mailq says why", out, status == 0 and "cannot be reached" in out)
    away = False
    for i in [first] + ids:
        w.logged("done id=" + i)
    want("each was taken once", len(taken), sorted(taken) == sorted([first] + ids))


def parked(w):
    """What waits for a dead destination is not written anew, obeys all orders, and survives kill -9."""
    w.how["park.test"] = cannot
    w.logged("deferred id=" + w.send(b"p@park.test"))
    ids = [w.send(b"p%d@park.test" % n) for n in range(12)]
    for i in ids:
        w.logged("waits id=" + i)
    there = set(os.listdir(os.path.join(w.stage.dir, "spool", "incoming", "new")))
    want("they lie where they came", there, set(ids) <= there)
    _, out = w.stage.command("-f", w.stage.conf, "-j", program="mailq")
    rows = [json.loads(line) for line in out.splitlines()]
    rows = [r for r in rows if r["queue_id"] in ids]
    want("mailq lists each once", len(rows), sorted(r["queue_id"] for r in rows) == sorted(ids))
    want("as waiting", rows[0], all(r["queue_name"] in ("waiting", "running") for r in rows))

    def order(*args):
        status, out = w.stage.command("-f", w.stage.conf, *args, program="postq")
        want(" ".join(args), out, status == 0)

    status, out = w.stage.command("-f", w.stage.conf, "release", ids[5], program="postq")
    want("what is not held is not released", out, status != 0 and "it is not held" in out)
    # it may be looked at just now
    for n, name in enumerate(("hold", "remove", "expire", "show")):
        until(name, lambda n=n, name=name: w.stage.command(
            "-f", w.stage.conf, name, ids[n], program="postq")[0] == 0, step=0.2)
    want("held", ids[0], ids[0] in os.listdir(os.path.join(w.stage.dir, "spool", "hold")))
    w.logged("expired id=" + ids[2])
    os.kill(w.queue(), signal.SIGKILL)
    until("another queue", lambda: w.queue() != 0)
    del w.how["park.test"]
    order("flush", "ALL")
    for i in ids[3:]:
        w.logged("done id=" + i)
    order("release", ids[0])
    w.logged("done id=" + ids[0])
    want("what was removed stays so", ids[1], not w.remote.to("p1@park.test"))


def parked_mixed(w):
    """Of one that waits for a dead host alone the others have it once, are told once and warned once, by kill -9 and again."""
    w.how["mix.test"] = cannot
    w.how["no3.test"] = lambda d: says_all(d, "5.1.1", "550 5.1.1 no such user")
    w.logged("deferred id=" + w.send(b"m@mix.test", b""))
    i = w.send([b"bob@example.test", b"who@no3.test", b"m1@mix.test", b"fine@ok3.test"], b"alice@example.test",
               b"Subject: mixed\r\n\r\nonce\r\n")
    w.logged("waits id=" + i)
    want("it lies where it came", i, i in os.listdir(os.path.join(w.stage.dir, "spool", "incoming", "new")))

    def flush():
        return w.stage.command("-f", w.stage.conf, "flush", "ALL", program="postq")

    def warned():
        """And that is written down, or it would be told of again."""
        lines = w.stage.log().splitlines()
        at = next((n for n, l in enumerate(lines) if " kind=delayed of=%s " % i in l), None)
        if at is not None and any(" waits id=%s " % i in l for l in lines[at:]):
            return True
        flush()
        return False
    until("a warning, by one of the attempts", warned, step=1)
    for _ in range(2):
        os.kill(w.queue(), signal.SIGKILL)
        until("another queue", lambda: w.queue() != 0)
        time.sleep(2)
    until("it is there still", lambda: i in spooled(w.stage.dir))
    del w.how["mix.test"]
    status, out = flush()
    want("flush", out, status == 0)
    w.logged("done id=" + i)
    for to in ("fine@ok3.test", "who@no3.test"):
        want("once to " + to, len(w.remote.to(to)), len(w.remote.to(to)) == 1)
    mails = list(w.stage.mails("bob").values())
    want("bob has it once", len(mails), sum(b"Subject: mixed" in m for m in mails) == 1)
    reports = [l for l in w.stage.log().splitlines() if "report id=" in l and "of=" + i in l]
    kinds = sorted(l.split("kind=")[1].split()[0] for l in reports)
    want("told once, warned once", reports, kinds == ["delayed", "failed"])
    until("nothing is left", lambda: not spooled(w.stage.dir))


def flushed(w):
    """postq flush tries a dead destination now, and not in five minutes."""
    w.how["flush.test"] = cannot
    i = w.send(b"f@flush.test")
    w.logged("deferred id=" + i)
    w.logged("waits id=" + i)
    j = w.send(b"g@flush.test")
    w.logged("waits id=" + j)
    del w.how["flush.test"]
    status, out = w.stage.command("-f", w.stage.conf, "flush", j, program="postq")
    want("flush", out, status == 0)
    w.logged("done id=" + j)


def died(w):
    """A worker that dies over a job: who has a result is done, the others get it again."""
    count = []

    def half(d):
        count.append(d)
        if len(count) == 1:
            n = one(d.rcpts[0], "n").decode()
            return [result(n, "2.0.0", "250 ok", ("h", host(d)), ("r", "")), None]
        return takes_all(d)
    w.how["half.test"] = half
    i = w.send([b"one@half.test", b"two@half.test"])
    w.logged("done id=" + i)
    want("the second came again, the first did not", [d.to for d in count],
         [d.to for d in count] == [["one@half.test", "two@half.test"], ["two@half.test"]])
    w.logged("deferred id=" + i, "to=two@half.test", "died over it")


def ends(w):
    """A kept worker that ends when it is given more: the job goes to the next, as no attempt."""
    w.how["ends.test"] = lambda d: takes_all(d) + [None]
    w.ways["ends.test"] = lambda d: way(d, N="1")
    to = [b"e%d@ends.test" % n for n in range(25)]
    ids = [w.send(t) for t in to]
    for i in ids:
        w.logged("done id=" + i)
    log = [l for l in w.stage.log().splitlines() if "deferred" in l and "@ends.test" in l]
    want("nobody waited", log, not log)


def nonsense(w):
    """A worker that makes no sense costs a wait, and nothing else."""
    bad = [b"nonsense", result(77, "2.0.0", "nobody"), result(0, "9.9.9", "x"), b"",
           result(0, "2.0.0", "")[:-3]]

    def handle(d):
        return [bad.pop(), None] if bad else takes_all(d)
    w.how["bad.test"] = handle
    ids = [w.send(b"b%d@bad.test" % n) for n in range(len(bad))]
    for i in ids:
        w.logged("done id=" + i)


def gone(w):
    """Without hop or remote mail waits a little; when they are back it goes."""
    w.road.stop()
    i = w.send([b"x@gone.test", b"y@far.test"])
    w.logged("deferred id=" + i, "to=x@gone.test", "status=4.3.0")
    w.logged("deferred id=" + i, "to=y@far.test", "status=4.3.0")
    w.hop.start()
    w.remote.start()
    w.logged("done id=" + i)


def bounced_away(w):
    """A report to a sender on another host goes the same road; if it fails, the postmaster has it."""
    w.how["no2.test"] = lambda d: says_all(d, "5.7.1", "554 5.7.1 go away")
    w.send(b"who@no2.test", b"sender@away.test")
    d = w.got("sender@away.test")[0]
    want("a report", d.content, d.sender == "" and b"Action: failed" in d.content)
    i = w.send(b"who@no2.test", b"other@no2.test")
    w.logged("failed id=" + i)
    w.report("other@no2.test")


def slow(w):
    """A destination that takes its time does not take the room of others."""
    release = threading.Event()

    def hang(d):
        release.wait(300)
        return takes_all(d)
    w.how["slow.test"] = hang
    ids = [w.send(b"s%d@slow.test" % n) for n in range(60)]
    time.sleep(1)
    try:
        for n in range(10):
            i = w.send(b"n%d@nimble%d.test" % (n, n))
            w.logged("done id=" + i)
    finally:
        release.set()
    for i in ids:
        w.logged("done id=" + i)
    want("each once", len(w.remote.to("s7@slow.test")), len(w.remote.to("s7@slow.test")) == 1)


def limited(w):
    """The limits that hop names: connections at a time, messages a minute."""
    now, most, lock, gate = [0], [0], threading.Lock(), Gate()

    def count(d):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        gate.open.wait(100)
        time.sleep(0.05)
        with lock:
            now[0] -= 1
        return takes_all(d)
    w.how["two.test"] = count
    w.ways["two.test"] = lambda d: way(d, N="2")
    with gate:
        ids = [w.send(b"t%d@two.test" % n) for n in range(20)]
        until("two at a time", lambda: now[0] == 2)
    for i in ids:
        w.logged("done id=" + i)
    want("and never more", most[0], most[0] == 2)
    w.ways["paced.test"] = lambda d: way(d, M="30")
    begun = time.monotonic()
    for n in range(6):
        w.send(b"p%d@paced.test" % n)
    took = max(w.got("p%d@paced.test" % n)[0].at for n in range(6)) - begun
    want("two seconds apart but for the first few", took, took > 4)


def no_answers(w):
    """Domains that nobody says anything about leave room for all other mail, and are asked about later."""
    for n in range(80):
        w.ways["mute%d.test" % n] = lambda d: None
    ids = [w.send(b"m@mute%d.test" % n) for n in range(80)]
    until("many wait for hop", lambda: len(w.hop.asked) >= 20)
    for n in range(5):
        i = w.send(b"bob@example.test")
        w.logged("done id=" + i)    # while the others wait for five minutes
    _, out = w.stage.command("-f", w.stage.conf, program="mailq")
    want("mailq says why", out, "many wait for answers about their domains" in out)
    w.ways.clear()
    os.kill(w.queue(), signal.SIGKILL)      # or those that were asked wait for five minutes
    for i in ids:
        w.logged("done id=" + i)


def expired(w):
    """What cannot go in time is given up, with the last reason."""
    w.how["never.test"] = cannot
    ids = [w.send(b"e%d@never.test" % n) for n in range(3)]
    for i in ids:
        w.logged("expired id=" + i)
    m = w.report(ids[2]).decode()
    want("what was tried", m, "cannot be reached" in m or "timed out" in m)


def killed(w):
    """kill -9 of queue while jobs are under way: each comes, some twice."""
    def take(d):
        time.sleep(0.02)
        return takes_all(d)
    w.how["kill.test"] = take
    kills = 0

    def pump():
        for n in range(80):
            w.send(b"k%d@kill.test" % n)
            time.sleep(0.02)
    t = threading.Thread(target=pump)
    t.start()
    for _ in range(3):
        time.sleep(0.6)
        pid = w.queue()
        if pid == 0:
            continue
        os.kill(pid, signal.SIGKILL)
        kills += 1
    t.join()
    want("it was killed", kills, kills > 0)
    for n in range(80):
        w.got("k%d@kill.test" % n)
    until("nothing is left", lambda: not spooled(w.stage.dir))
    twice = sum(len(w.remote.to("k%d@kill.test" % n)) - 1 for n in range(80))
    want("not everything twice", twice, twice <= 3 * 21)


def stopped(w):
    """A queue that ends while questions and jobs are under way: all is there at the next start."""
    w.how["hang.test"] = lambda d: time.sleep(30) or []
    for n in range(15):
        w.ways["mute%d.test" % n] = lambda d: None
    ids = [w.send([b"h%d@hang.test" % n, b"m@mute%d.test" % n, b"q@ok.test"]) for n in range(15)]
    w.got("h1@hang.test")
    pid = w.queue()
    w.how.clear()
    w.ways.clear()
    os.kill(pid, signal.SIGTERM)
    until("another queue", lambda: w.queue() not in (0, pid))
    with open(os.path.join(w.stage.dir, "log", "stderr"), encoding="utf-8", errors="replace") as f:
        text = f.read()
    want("it ended well", text[-500:], "ERROR" not in text)
    for i in ids:
        w.logged("done id=" + i)
    for n in range(15):
        want("each came", n, w.remote.to("h%d@hang.test" % n) and w.remote.to("m@mute%d.test" % n))


def spooled(stage):
    out = []
    for place in ("incoming/new", "queue"):
        for _, _, files in os.walk(os.path.join(stage, "spool", place)):
            out += files
    return out


def main():
    tap = Tap()
    with World() as w:
        for test in (mixed, envelope, grouped, kept, refused, successes, no_domain, dead, died,
                     ends, nonsense, gone, bounced_away, limited, killed, stopped):
            tap.run(test.__doc__.splitlines()[0].rstrip(".").lower(), test, w)
    with World("queue.running 40\nremote.workers 20\nqueue.destination-concurrency 5\n", PATIENT) as w:
        for test in (parked, flushed):
            tap.run(test.__doc__.splitlines()[0].rstrip(".").lower(), test, w)
        tap.run("a slow destination leaves room", slow, w)
        tap.run("a hop that says nothing leaves room", no_answers, w)
    with World("queue.delay-warning 3s\n", PATIENT) as w:
        tap.run(parked_mixed.__doc__.splitlines()[0].rstrip(".").lower(), parked_mixed, w)
    with World("queue.lifetime 6s\n") as w:
        tap.run("what cannot go in time is given up", expired, w)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
