"""Reports to the sender: who is told of what, when, and in which form (RFC 3461,
3464, 6522, 6533). Each report is taken apart and every field of it looked at.
Stages of its own. TAP."""
import email
import email.utils
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ROOT, Smtp, Stage, Tap, below, ident, message, send, until, want, word  # noqa: E402

HOST = "mx.example.test"

CONF = """
aliases "@DIR@/aliases2"
users file "@DIR@/users2"
local.alias-user @ALIAS@
queue.bounce-size 4K
smtp.message-size 100K
"""

ALIASES = """
fails: "|cat >/dev/null; echo no such person here; exit 67"
also: "|cat >/dev/null; echo gone away; exit 69"
later: "|cat >/dev/null; echo come back tomorrow; exit 75"
umlaut: "|cat >/dev/null; echo kein Platz für dich; exit 77"
latin: "|cat >/dev/null; printf 'kein Platz f\\\\374r dich\\\\n'; exit 77"
works: bob
böse: "|cat >/dev/null; exit 67"
größe: alice
half: bob, "|cat >/dev/null; echo no such person here; exit 67"
both: "|cat >/dev/null; echo first; exit 67", "|cat >/dev/null; echo first; exit 67"
mixed: "|cat >/dev/null; echo for good; exit 67", "|sleep 1; cat >/dev/null; echo only now; exit 75"
team: bob, carol
full: small
"""

BODY = b"hello\r\n.dots\r\n\r\n"


def submit(st, to, sender=b"alice@example.test", content=None, mail=b"", utf8=False):
    """Id and word of a message; to: addresses, or (address, parameters)."""
    w = word("bounce")
    with Smtp(st.smtp) as c:
        c.say(b"EHLO client.test", "250")
        c.say(b"MAIL FROM:<" + sender + b">" + (b" SMTPUTF8" if utf8 else b"") + mail, "250")
        for t in to:
            addr, more = t if isinstance(t, tuple) else (t, "")
            c.say(b"RCPT TO:<" + addr.encode() + b">" + more.encode(), "250")
        got = c.data((message(w, BODY) if content is None else content(w)))
        c.say(b"QUIT", "221")
    return ident(got), w


def reports(st, about, kind=None):
    """The ids of the reports about a message so far."""
    return [re.search(r" id=(\S+)", l).group(1) for l in st.log().splitlines()
            if " report id=" in l and " of=" + about + " " in l and (kind is None or " kind=" + kind in l)]


def settled(st, n):
    until("%s is done or waits" % n, lambda: re.search(r" (done|waits|held) id=%s\b" % n, st.log()))


def done(st, n):
    until("%s is done" % n, lambda: " done id=%s " % n in st.log())


def no_report(st, n, kind=None):
    settled(st, n)
    want("no report", reports(st, n, kind), not reports(st, n, kind))


class Report:
    """A report that came to a user, taken apart; what holds for each is checked here."""

    def __init__(self, st, about, kind="failed", user="alice", to="alice@example.test", form="", nth=0):
        self.id = until("a report (%s) about %s" % (kind, about), lambda: reports(st, about, kind)[nth:])[0]
        mid = ("\nMessage-ID: <%s@%s>\n" % (self.id, HOST)).encode()
        self.raw = st.came(user, mid)[0]
        self.about, self.kind, self.form = about, kind, form
        self.m = email.message_from_bytes(self.raw)
        self.header(to)
        self.body()

    def one(self, m, name):
        got = m.get_all(name, [])
        want("one field " + name, got, len(got) == 1)
        return got[0]

    def header(self, to):
        m, head = self.m, self.raw.split(b"\n\n")[0]
        want("no defects", m.defects, not m.defects)
        want("a null return path", head[:40], head.startswith(b"Return-Path: <>\n"))
        want("From", self.one(m, "From"), self.one(m, "From") == "Mail Delivery System <MAILER-DAEMON@%s>" % HOST)
        want("To", head, ("\nTo: <%s>\n" % to).encode() in head and len(m.get_all("To")) == 1)
        want("Auto-Submitted", self.one(m, "Auto-Submitted"), m["Auto-Submitted"] == "auto-replied")
        want("MIME-Version", self.one(m, "MIME-Version"), m["MIME-Version"] == "1.0")
        want("a Subject", self.one(m, "Subject"), len(m["Subject"]) > 10)
        self.recent(self.one(m, "Date"))
        want("Content-Type", m["Content-Type"], m.get_content_type() == "multipart/report" and
             m.get_param("report-type") == self.form + "delivery-status")
        want("ASCII but for the address", head, head.replace(to.encode(), b"").isascii())
        want("lines of at most 998", "", max(map(len, self.raw.split(b"\n"))) <= 998)
        eight = not self.raw.isascii()
        want("8 bits are declared", m["Content-Transfer-Encoding"], not eight or m["Content-Transfer-Encoding"] == "8bit")

    def recent(self, date):
        at = email.utils.parsedate_to_datetime(date)
        want("a recent date with its zone", date, at.tzinfo is not None and abs(at.timestamp() - time.time()) < 120)
        return at.timestamp()

    def body(self):
        parts = self.m.get_payload()
        want("three parts", len(parts), len(parts) == 3)
        self.types = [p.get_content_type() for p in parts]
        want("the first two types", self.types, self.types[0] == "text/plain" and
             self.types[1] == "message/%sdelivery-status" % self.form)
        boundary = b"\n--" + self.m.get_boundary().encode()
        raws = self.raw.split(boundary)
        want("parts and an end", len(raws), len(raws) == 5 and raws[4] == b"--\n")
        heads, raws = zip(*(r[1:].split(b"\n\n", 1) for r in raws[1:4]))
        for head, raw, part in zip(heads, raws, parts):
            want("8 bits only where they are declared", head,
                 raw.isascii() or b"Content-Transfer-Encoding: 8bit" in head.split(b"\n"))
        charset = parts[0].get_content_charset()
        want("the charset", charset, charset == ("us-ascii" if raws[0].isascii() else "utf-8"))
        self.text = raws[0].decode(charset)
        want("the text names the message", self.text, self.about in self.text and HOST in self.text)
        self.returned = raws[2]
        blocks = raws[1].decode("utf-8" if self.form else "ascii").rstrip("\n").split("\n\n")
        self.message, *self.rcpts = [self.block(b) for b in blocks]
        want("recipients", blocks, len(self.rcpts) > 0)
        self.fields()

    def block(self, text):
        fields = {}
        for line in text.split("\n"):
            name, value = line.split(": ", 1)
            want("each field once", text, name not in fields)
            fields[name] = value
        return fields

    def fields(self):
        """What every report has; the order of RFC 3464."""
        m = self.message
        names = list(m)
        want("fields of the message", names, names == (["Original-Envelope-Id"] if "Original-Envelope-Id" in m else []) +
             ["Reporting-MTA", "Arrival-Date", "X-Posthouse-Id"])
        want("Reporting-MTA", m["Reporting-MTA"], m["Reporting-MTA"] == "dns;" + HOST)
        want("X-Posthouse-Id", m["X-Posthouse-Id"], m["X-Posthouse-Id"] == self.about)
        self.arrival = self.recent(m["Arrival-Date"])
        order = ["Original-Recipient", "Final-Recipient", "Action", "Status", "Diagnostic-Code", "Last-Attempt-Date",
                 "Will-Retry-Until"]
        for r in self.rcpts:
            want("fields in their order", list(r), list(r) == [n for n in order if n in r])
            want("a status", r, re.fullmatch(r"[245]\.\d{1,3}\.\d{1,3}", r["Status"]))
            want("no other MTA said it", r, r.get("Diagnostic-Code", "x-posthouse;").startswith("x-posthouse;"))
            if "Last-Attempt-Date" in r:
                self.recent(r["Last-Attempt-Date"])
            want("an end only of a delay", r, ("Will-Retry-Until" in r) == (r["Action"] == "delayed"))

    def finals(self):
        return [r["Final-Recipient"] for r in self.rcpts]

    def only(self, addr, action, status, reason, **more):
        """One recipient, in both parts."""
        want("one recipient", self.finals(), len(self.rcpts) == 1)
        return self.says(addr, action, status, reason, **more)

    def says(self, addr, action, status, reason, final=None, shown=None, original=None):
        final = final or "rfc822;" + addr
        found = [r for r in self.rcpts if r["Final-Recipient"] == final]
        want("once: " + final, self.finals(), len(found) == 1)
        r = found[0]
        want("action and status", r, (r["Action"], r["Status"]) == (action, status))
        want("the original recipient", r, r.get("Original-Recipient") == original)
        want("the reason", r, reason in r["Diagnostic-Code"])
        told = re.search(r"(?ms)^<%s>\n(.*?)(?=^<|^\S|\Z)" % re.escape(addr), self.text)
        want("the text names him and says why: %s" % (shown or reason), self.text,
             told and (shown or reason) in " ".join(told.group(1).split()))
        return r

    def whole(self, sent):
        want("the message comes back whole", self.types, self.types[2] == "message/" +
             ("global" if self.form else "rfc822"))
        want("as it was sent", self.returned[-300:], self.returned.rstrip(b"\n").endswith(
            sent.replace(b"\r\n", b"\n").rstrip(b"\n")) and self.returned.startswith(b"Received: "))
        want("the text says so", self.text, "Your message is attached." in self.text)

    def header_only(self, w):
        want("the header comes back", self.types, self.types[2] == ("message/global-headers" if self.form else "text/rfc822-headers"))
        want("nothing but the header", self.returned[-200:], b"\n\n" not in self.returned.rstrip(b"\n") and
             b"\nSubject: " + w in self.returned and b"hello" not in self.returned)
        want("the text says so", self.text, "The header of your message is attached." in self.text)


def failure(st):
    n, w = submit(st, ["fails@example.test"])
    r = Report(st, n)
    r.only("fails@example.test", "failed", "5.1.1", "no such person here")
    want("no envelope id", r.message, "Original-Envelope-Id" not in r.message)
    want("the subject in the text", r.text, "Subject: " + w.decode() in re.sub(" +", " ", r.text))
    want("the postmaster is named", r.text, "postmaster@" + HOST in r.text)
    r.whole(message(w, BODY))
    done(st, n)
    want("one report", reports(st, n), len(reports(st, n)) == 1)


def quota(st):
    n, w = submit(st, ["full@example.test"], content=lambda w: message(w, (b"x" * 70 + b"\r\n") * 30))
    Report(st, n).only("full@example.test", "failed", "5.2.2", "mailbox is full")


def some(st):
    """Two of five fail, one waits, two have it; the report is about the two, and nobody else."""
    n, w = submit(st, ["works@example.test", "fails@example.test", "later@example.test", "also@example.test",
                       "carol@example.test"])
    r = Report(st, n)
    want("two recipients", r.finals(), len(r.rcpts) == 2)
    r.says("fails@example.test", "failed", "5.1.1", "no such person here")
    r.says("also@example.test", "failed", "5.3.0", "gone away")
    fields = r.raw.split(b"message/delivery-status")[1].split(b"\n--=_")[0]
    for other in ("works", "later", "carol", "bob", "tomorrow"):
        want("nothing of " + other, r.text, other not in r.text and other.encode() not in fields)
    st.came("bob", w)
    st.came("carol", w)
    settled(st, n)
    st.logged("waits id=" + n, "nrcpts=1")
    time.sleep(5)           # the next attempts
    want("told once", reports(st, n), len(reports(st, n)) == 1)
    st.command("-f", st.conf, "-y", "remove", n, program="postq")


def success(st):
    n, w = submit(st, [("works@example.test", " NOTIFY=SUCCESS"), ("carol@example.test", " NOTIFY=FAILURE")], mail=b" RET=FULL")
    r = Report(st, n, "delivered")
    r.only("works@example.test", "delivered", "2.0.0", "delivered")
    r.header_only(w)        # RFC 3461 6.2: not whole even with RET=FULL
    want("where it went is not told", r.text, "bob" not in r.text and "Maildir" not in r.text)
    done(st, n)
    want("one report", reports(st, n), len(reports(st, n)) == 1)


def both_kinds(st):
    n, w = submit(st, [("works@example.test", " NOTIFY=SUCCESS,FAILURE"), ("fails@example.test", " NOTIFY=SUCCESS,FAILURE")])
    Report(st, n).only("fails@example.test", "failed", "5.1.1", "no such person")
    Report(st, n, "delivered").only("works@example.test", "delivered", "2.0.0", "delivered")


def unwanted(st):
    n, w = submit(st, [("fails@example.test", " NOTIFY=NEVER"), ("also@example.test", " NOTIFY=SUCCESS"),
                       ("böse@example.test", " NOTIFY=SUCCESS,DELAY"), ("works@example.test", " NOTIFY=FAILURE"),
                       "carol@example.test", ("bob@example.test", " NOTIFY=NEVER")], utf8=True)
    st.logged("discarded id=" + n, "nrcpts=3")
    done(st, n)
    no_report(st, n)
    n, w = submit(st, [("fails@example.test", " NOTIFY=NEVER"), ("also@example.test", " NOTIFY=FAILURE")])
    Report(st, n).only("also@example.test", "failed", "5.3.0", "gone away")
    done(st, n)
    want("one report", reports(st, n), len(reports(st, n)) == 1)


def returned(st):
    for ret, lines, full in ((b"", 3, True), (b" RET=FULL", 3, True), (b" RET=HDRS", 3, False),
                             (b"", 100, False), (b" RET=FULL", 100, False)):
        content = lambda w: message(w, b"hello " + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * lines)
        n, w = submit(st, ["fails@example.test"], content=content, mail=ret)
        r = Report(st, n)
        if full:
            r.whole(content(w))
        else:
            r.header_only(w)
    n, w = submit(st, ["fails@example.test"], content=lambda w: b"Subject: " + w + b"\r\n\r\n")
    Report(st, n).whole(b"Subject: " + w + b"\r\n\r\n")
    for text in (b"no header at all\r\n", b"", b"\r\n", b"Subject: no end of it\r\n"):
        n, w = submit(st, ["fails@example.test"], content=lambda w: text)
        Report(st, n).only("fails@example.test", "failed", "5.1.1", "no such person here")


def identity(st):
    n, w = submit(st, [("fails@example.test", " ORCPT=rfc822;Fails+2Btag+3D@Far.test"),
                       ("also@example.test", " NOTIFY=FAILURE ORCPT=X400;/c+3Dus/+20a")], mail=b" ENVID=QQ+2B1+20x+3Dy")
    r = Report(st, n)
    want("ENVID", r.message, r.message["Original-Envelope-Id"] == "QQ+1 x=y")
    r.says("fails@example.test", "failed", "5.1.1", "no such person", original="rfc822;Fails+tag=@Far.test")
    r.says("also@example.test", "failed", "5.3.0", "gone away", original="X400;/c=us/ a")
    n, w = submit(st, [("Fails+Tag@EXAMPLE.test", "")])
    Report(st, n).only("Fails+Tag@example.test", "failed", "5.1.1", "no such person")


def ascii_about_utf8(st):
    """RFC 6533 3: where no UTF-8 may be, an address of the type utf-8 is encoded."""
    n, w = submit(st, [("fails@example.test", " ORCPT=utf-8;b\\x{F6}se@example.test")])
    r = Report(st, n)
    r.only("fails@example.test", "failed", "5.1.1", "no such person", original="utf-8;b\\x{F6}se@example.test")
    n, w = submit(st, ["umlaut@example.test", "latin@example.test"])
    r = Report(st, n)
    r.says("umlaut@example.test", "failed", "5.7.0", "kein Platz f??r dich", shown="kein Platz für dich")
    r.says("latin@example.test", "failed", "5.7.0", "kein Platz f?r dich")


def utf8(st):
    content = lambda w: message(w, "Grüße\r\n".encode()).replace(b"Subject: ", "Subject: für ".encode())
    n, w = submit(st, [("böse@example.test", " ORCPT=utf-8;böse@example.test"),
                       ("fails@example.test", " ORCPT=utf-8;s\\x{FC}\\x{2B}b@example.test"), "umlaut@example.test"],
                  sender="größe@example.test".encode(), content=content, utf8=True)
    r = Report(st, n, to="größe@example.test", form="global-")
    r.says("böse@example.test", "failed", "5.1.1", "", final="utf-8;böse@example.test", original="utf-8;böse@example.test")
    r.says("fails@example.test", "failed", "5.1.1", "no such", original="utf-8;sü+b@example.test")
    r.says("umlaut@example.test", "failed", "5.7.0", "kein Platz für dich")
    want("the subject in the text", r.text, "für " + w.decode() in r.text)
    r.whole(content(w))
    n, w = submit(st, ["böse@example.test"], content=content, utf8=True, mail=b" RET=HDRS")
    r = Report(st, n, form="global-")
    want("message/global-headers", r.types, r.types[2] == "message/global-headers")
    want("with its subject", r.returned, ("Subject: für " + w.decode()).encode() in r.returned)


def utf8_needless(st):
    """Sent with SMTPUTF8, but nothing needs it: the form that all programs know, and no peer must be able to do it."""
    n, w = submit(st, ["fails@example.test"], utf8=True, content=lambda w: message(w, "Grüße\r\n".encode()))
    r = Report(st, n)
    r.only("fails@example.test", "failed", "5.1.1", "no such person")
    r.whole(message(w, "Grüße\r\n".encode()))
    n, w = submit(st, ["böse@example.test"], sender=b"x@far.test", utf8=True)
    head = waiting_report(st, n)
    want("8BITMIME alone", head, "O8:8BITMIME," in head.splitlines())
    n, w = submit(st, ["böse@example.test"], sender="größe@far.test".encode(), utf8=True)
    head = waiting_report(st, n)
    want("SMTPUTF8", head, re.search(r"(?m)^O\d+:.*SMTPUTF8", head))


def waiting_report(st, about):
    """The envelope of a report that this version cannot send."""
    n = until("a report about " + about, lambda: reports(st, about))[0]
    st.logged("waits id=" + n)
    path = until("it is in the queue", lambda: [
        p for p in below(os.path.join(st.dir, "spool", "queue")) if os.path.basename(p) == n])
    with open(path[0], "rb") as f:
        return f.read().split(b"\n\n")[0].decode()


def envelope(st):
    """RFC 3461 6.1: no sender, to the sender, no RET, no NOTIFY but NEVER."""
    n, w = submit(st, [("fails@example.test", " NOTIFY=FAILURE ORCPT=rfc822;x@y")], sender=b"x@far.test",
                  mail=b" RET=FULL ENVID=abc")
    head = waiting_report(st, n).splitlines()
    want("no sender", head, "S0:," in head)
    want("its origin", head, "K6:bounce," in head)
    want("to the sender", head, [l for l in head if l.startswith("r")] == ["r10:x@far.test,"])
    want("nothing else of the message", head, not [l for l in head if l[0] in "Eno" or "RET" in l])


def double(st):
    """A report that fails goes to the postmaster; he sees the report, and in it the message."""
    n, w = submit(st, ["also@example.test"], sender=b"fails@example.test")
    first = until("a report", lambda: reports(st, n))[0]
    r = Report(st, first, to="postmaster@example.test")
    r.only("fails@example.test", "failed", "5.1.1", "no such person here")
    want("he is told why he gets it", r.text, "postmaster" in r.text and "The message is attached." in r.text)
    inner = r.m.get_payload()[2].get_payload()[0]
    want("the report within", inner.get_content_type(), inner.get_content_type() == "multipart/report")
    want("and the message within that", None, w in r.returned)
    done(st, first)
    want("no more", reports(st, r.id), not reports(st, r.id))


def no_sender(st):
    n, w = submit(st, ["also@example.test", ("works@example.test", " NOTIFY=SUCCESS")], sender=b"")
    r = Report(st, n, to="postmaster@example.test")
    r.only("also@example.test", "failed", "5.3.0", "gone away")
    done(st, n)
    want("nobody is told of a success", reports(st, n), len(reports(st, n)) == 1)
    n, w = submit(st, [("also@example.test", " NOTIFY=NEVER")], sender=b"")
    st.logged("discarded id=" + n)
    no_report(st, n)


def aliases(st):
    """The sender wrote to one address: he is told of that one, once."""
    n, w = submit(st, ["half@example.test"])
    r = Report(st, n)
    r.only("half@example.test", "failed", "5.1.1", "no such person here")
    st.came("bob", w)
    want("not who got it", r.text, "bob" not in r.text)
    n, w = submit(st, ["both@example.test"])
    Report(st, n).only("both@example.test", "failed", "5.1.1", "first")
    n, w = submit(st, ["mixed@example.test"])
    Report(st, n).only("mixed@example.test", "failed", "5.1.1", "for good")
    st.command("-f", st.conf, "-y", "remove", n, program="postq")


def expanded(st):
    """RFC 3461 5.2.7.3 (c)"""
    n, w = submit(st, [("team@example.test", " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Team@x.test"), ("works@example.test", " NOTIFY=SUCCESS")])
    r = Report(st, n, "delivered")
    want("two recipients", r.finals(), len(r.rcpts) == 2)
    r.says("team@example.test", "expanded", "2.0.0", "several recipients", original="rfc822;Team@x.test")
    r.says("works@example.test", "delivered", "2.0.0", "delivered")
    done(st, n)
    want("one report", reports(st, n), len(reports(st, n)) == 1)
    n, w = submit(st, [("half@example.test", " NOTIFY=SUCCESS")])
    Report(st, n, "delivered").only("half@example.test", "expanded", "2.0.0", "several recipients")
    done(st, n)
    want("no failure", reports(st, n), len(reports(st, n)) == 1)
    n, w = submit(st, [("half@example.test", " NOTIFY=SUCCESS,FAILURE")])
    Report(st, n).only("half@example.test", "failed", "5.1.1", "no such person")
    Report(st, n, "delivered").only("half@example.test", "expanded", "2.0.0", "several recipients")


def refused(st):
    """What is refused in the session is the client's affair: no report, nothing stored."""
    before = st.log().count(" report id=")
    with Smtp(st.smtp) as c:
        c.say(b"EHLO client.test", "250")
        c.say(b"MAIL FROM:<alice@example.test>", "250")
        c.say(b"RCPT TO:<nobody-here@example.test>", "550")
        c.say(b"DATA", "554")
    send(st.smtp, b"bob@example.test", message(b"large", (b"x" * 70 + b"\r\n") * 2000), b"alice@example.test", code="552")
    with Smtp(st.smtp) as c:
        c.begin(b"alice@example.test", [b"fails@example.test"])
        c.say(b"DATA", "354")
        c.send(b"Subject: no end\r\n\r\nhello\r\n")
    n, w = submit(st, ["works@example.test"])
    done(st, n)
    want("no report", None, st.log().count(" report id=") == before)
    until("nothing is left", lambda: not below(os.path.join(st.dir, "spool", "incoming", "new")))


def sendmail(st):
    w = word("sendmail")
    r = subprocess.run([os.path.join(st.dir, "bin", "sendmail"), "-C", st.conf, "-f", "alice@example.test", "-N", "failure", "-R", "hdrs",
                        "-V", "id +1", "fails@example.test", "works@example.test"],
                       input=message(w).replace(b"\r\n", b"\n"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    want("accepted", r.stdout, r.returncode == 0)
    about = re.search(rb"\nX-Posthouse-Id: (\S+)", st.came("alice", w)[0]).group(1)
    r = Report(st, about.decode())
    want("its id", r.message, r.message["Original-Envelope-Id"] == "id +1")
    r.only("fails@example.test", "failed", "5.1.1", "no such person")
    r.header_only(w)


def late(st):
    """A warning, once, and then the end; to those who want the one or the other."""
    n, w = submit(st, ["later@example.test", ("later+d@example.test", " NOTIFY=DELAY"), ("later+f@example.test", " NOTIFY=FAILURE"),
                       ("later+n@example.test", " NOTIFY=NEVER"), ("later+s@example.test", " NOTIFY=SUCCESS")], mail=b" ENVID=late RET=FULL")
    r = Report(st, n, "delayed")
    want("two are warned of", r.finals(), r.finals() == ["rfc822;later@example.test", "rfc822;later+d@example.test"])
    for a in ("later@example.test", "later+d@example.test"):
        got = r.says(a, "delayed", "4.3.0", "come back tomorrow")
        until_s = email.utils.parsedate_to_datetime(got["Will-Retry-Until"]).timestamp()
        want("8 s after it came", got, until_s - r.arrival == 8)
        want("an attempt", got, "Last-Attempt-Date" in got)
        want("the text says until when", r.text, got["Will-Retry-Until"] in r.text)
    want("ENVID", r.message, r.message["Original-Envelope-Id"] == "late")
    r.header_only(w)
    want("the text says that nothing is lost", r.text, "still being tried" in r.text)
    end = Report(st, n)
    want("warned of once", reports(st, n, "delayed"), len(reports(st, n, "delayed")) == 1)
    want("the end of two", end.finals(), end.finals() == ["rfc822;later@example.test", "rfc822;later+f@example.test"])
    for a in ("later@example.test", "later+f@example.test"):
        end.says(a, "failed", "4.4.7", "its time was over")
        want("the attempts are told", end.text, end.text.count("come back tomorrow") >= 4)
    end.whole(message(w, BODY))
    done(st, n)
    want("it was tried until the end", None, time.time() - end.arrival >= 8)
    n, w = submit(st, [("later@example.test", " NOTIFY=NEVER")])
    until("it has expired", lambda: "expired id=" + n in st.log())
    st.logged("discarded id=" + n)
    no_report(st, n)


def late_report(st):
    """Nobody is warned that a report is late; it ends with the postmaster."""
    n, w = submit(st, ["fails@example.test"], sender=b"later@example.test")
    first = until("a report", lambda: reports(st, n))[0]
    r = Report(st, first, to="postmaster@example.test")
    r.only("later@example.test", "failed", "4.4.7", "its time was over")
    want("no warning", reports(st, first), len(reports(st, first)) == 1)


def tables(st, aliases):
    st.write("aliases", aliases)
    before = st.log().count(" tables-changed")
    code, out = st.command("-c", "-f", st.conf, program="route")
    want("tables", out, code == 0)
    until("route has seen them", lambda: st.log().count(" tables-changed") > before)


def no_postmaster(st):
    """The last resort fails: it is held, said, and nothing goes round in circles."""
    tables(st, "postmaster: fails\n")
    n, w = submit(st, ["also@example.test"], sender=b"")
    last = until("a report", lambda: reports(st, n))[0]
    line = st.logged("held id=" + last)
    want("a warning with the reason", line, "postmaster" in line.split("why=")[1])
    done(st, n)
    path = until("it is in hold", lambda: [p for p in below(os.path.join(st.dir, "spool", "hold")) if os.path.basename(p) == last])
    with open(path[0], "rb") as f:
        data = f.read()
    want("double-bounce", data[:300], b"\nK13:double-bounce,\n" in data)
    want("with the message", None, w in data)
    want("no report of it", reports(st, last), not reports(st, last))
    code, out = st.command("-f", st.conf, program="mailq")
    want("mailq shows it", out, last in out)
    # the postmaster is put right: what was held comes
    tables(st, "postmaster: alice\n")
    want("release", None, st.command("-f", st.conf, "release", last, program="postq")[0] == 0)
    st.came("alice", w)
    done(st, last)


def alias_user():
    import pwd
    return "nobody" if ROOT else pwd.getpwuid(os.geteuid()).pw_name


def stage(more):
    uid, gid = (61150, 61150) if ROOT else (os.geteuid(), os.getegid())
    st = Stage(CONF.replace("@ALIAS@", alias_user()) + more, files={
        "aliases2": ALIASES, "users2": "small:{PLAIN}secret:%d:%d::@DIR@/mail/small::quota=1K\n" % (uid, gid)})
    home = os.path.join(st.dir, "mail", "small")
    os.mkdir(home, 0o700)
    if ROOT:
        os.chown(home, uid, gid)
    return st


def main():
    tap = Tap()
    with stage("queue.delay-warning 0\n") as st:
        for name, test in (("a failure", failure), ("over quota", quota), ("some of several", some), ("NOTIFY=SUCCESS", success),
                           ("success and failure", both_kinds), ("NOTIFY=NEVER, and others without FAILURE", unwanted),
                           ("RET and queue.bounce-size", returned), ("ENVID and ORCPT", identity),
                           ("utf-8 in a report of ASCII", ascii_about_utf8), ("SMTPUTF8", utf8), ("SMTPUTF8 that nothing needs", utf8_needless),
                           ("the envelope", envelope), ("a report that fails", double), ("no sender", no_sender),
                           ("aliases", aliases), ("NOTIFY=SUCCESS for several", expanded), ("refused in the session", refused),
                           ("sendmail -N -R -V", sendmail), ("no postmaster", no_postmaster)):
            tap.run(name, test, st)
    with stage("queue.retry-first 1s\nqueue.retry-max 1s\nqueue.delay-warning 2s\nqueue.lifetime 8s\n") as st:
        tap.run("delayed, then expired", late, st)
        tap.run("a report that is late", late_report, st)
    return tap.end()


sys.exit(main())
