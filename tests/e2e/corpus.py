"""Mail goes in by SMTP, in lines (DATA) and in chunks (BDAT), and comes out by
POP3: byte for byte behind the fields that were put before it. Messages written
here, and those of the corpus in PH_SHARED. TAP on standard output."""
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import Smtp, Tap, Wrong, ident, login, until, want  # noqa: E402

SMTP = int(os.environ["PH_SMTP"])
POP3 = int(os.environ["PH_POP3"])
CORPUS = os.path.join(os.environ.get("PH_SHARED", "../shared"), "corpus")
DATA_USER, BDAT_USER = "alice", "bob"
LINE_MAX = 65000
HOPS_MAX = 100

ADDED = re.compile(
    rb"Return-Path: <c\+v@client\.test>\r\n"
    rb"(?:X-Original-To: (\S+)\r\n)?"
    rb"Delivered-To: (\S+)\r\n"
    rb"Received: from client\.test \(\[127\.0\.0\.1\]\)\r\n"
    rb"\tby mx\.example\.test \(Posthouse\) with ESMTP id ([0-9a-z]{20})\r\n"
    rb"\tfor <(\S+)>;\r\n"
    rb"\t(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d? [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d [+-]\d{4}\r\n")


def ours():
    """Name and content of messages that go in with CRLF."""
    head = b"From: a@client.test\r\nSubject: "
    every = bytes(range(128, 256))
    yield "8 bits, each", head + b"x\r\n\r\n" + every + b"\r\n"
    yield "every octet but CR and LF", head + b"x\r\n\r\n" + bytes(
        b for b in range(256) if b not in (10, 13)) * 3 + b"\r\n"
    yield "8 bits in the header", head + every + b"\r\nX-\xff: \xfe\r\n\r\nx\r\n"
    for n in (998, 999, 4095, 4096, 4097, 8191, 8192, 8193, 16384, LINE_MAX - 1, LINE_MAX):
        yield "a line of %d" % n, head + b"x\r\n\r\n" + b"x" * n + b"\r\n"
        yield "a line of %d dots" % n, head + b"x\r\n\r\n" + b"." * n + b"\r\n.\r\n"
    yield "a header line of %d" % LINE_MAX, head + b"x" * (LINE_MAX - 30) + b"\r\n\r\nx\r\n"
    yield "lines of dots", head + b"x\r\n\r\n" + b"".join(b"." * n + b"\r\n" for n in range(300))
    yield "dots behind dots", head + b"x\r\n\r\n" + b".\r\n" * 5000
    yield "a dot first", b".From: x\r\n\r\nx\r\n"
    yield "nothing but a dot", b".\r\n"
    yield "no header", b"\r\nbody\r\n"
    yield "no body", head + b"x\r\n"
    yield "no body, empty line", head + b"x\r\n\r\n"
    yield "an empty line", b"\r\n"
    yield "empty lines", b"\r\n" * 1000
    yield "nothing", b""
    yield "no end of the last line", head + b"x\r\n\r\nthe end"
    yield "no end of the header", head + b"x"
    yield "one octet", b"x"
    yield "a huge header", head + b"x\r\n" + b"".join(
        b"X-%d: %s\r\n\t%s\r\n" % (n, b"y" * 60, b"z" * 60) for n in range(8000)) + b"\r\nx\r\n"
    yield "many fields", b"A: b\r\n" * 50000 + b"\r\nx\r\n"
    yield "our own fields", (b"Return-Path: <other@client.test>\r\nDelivered-To: other@client.test\r\n"
                             b"X-Original-To: z@client.test\r\n") + head + b"x\r\n\r\nx\r\n"
    yield "From lines", b"From me to you\r\n>From \r\n" + head + b"x\r\n\r\nFrom x\r\n>From x\r\n>>From\r\n"
    yield "NUL", head + b"\0\r\n\r\na\0b\0\0\r\n\0\r\n"
    yield "control characters", bytes(range(1, 10)) + b"\x0b\x0c" + bytes(range(14, 32)) + b"\x7f\r\n\r\n\x1a\x04\r\n"
    yield "blanks at the ends", head + b"x  \r\n \r\n\t\r\n\r\n  \r\nx \t\r\n\r\n\r\n"
    for n in (4094, 4095, 4096, 8191, 16383, 16384, 65535, 65536):
        yield "CRLF dot at %d" % n, head + b"x\r\n\r\n" + b"\r\n".join(
            [b"x" * 70] * (n // 72)) + b"x" * (n % 72) + b"\r\n.\r\n..\r\nend\r\n"
    yield "a megabyte of lines", head + b"x\r\n\r\n" + b"0123456789" * 7 + b"\r\n.x\r\n" * 180000


def split_mbox(data):
    """The messages of an mbox; From lines are no part of them."""
    found, at = [], 0
    for m in re.finditer(rb"(?:\A|(?<=\n))From [^\r\n]*\r?\n", data):
        if m.start() > at:
            found.append(data[at:m.start()])
        at = m.end()
    return found + [data[at:]]


def corpus():
    """Name and content as found, line ends of all kinds."""
    for folder in ("mime", "broken", "dsn", "dkim", "arc", "mbox"):
        for where, _, names in sorted(os.walk(os.path.join(CORPUS, folder))):
            for name in sorted(names):
                with open(os.path.join(where, name), "rb") as f:
                    data = f.read()
                name = os.path.relpath(os.path.join(where, name), CORPUS)
                if name.endswith(".mbox.txt"):
                    for n, m in enumerate(split_mbox(data)):
                        yield "%s: %d" % (name, n), m
                elif name.endswith((".eml", ".msg")) or (folder != "mbox" and name.endswith(".txt")):
                    yield name, data


def crlf(data):
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def verdict(content):
    """What smtpd(8) says of these bytes."""
    bare = content.replace(b"\r\n", b"")
    if b"\r" in bare or b"\n" in bare:
        return "550 5.5.2"
    if max(len(l) for l in content.split(b"\r\n")) > LINE_MAX:
        return "554 5.6.0"
    head = content.split(b"\r\n\r\n")[0]
    if len(re.findall(rb"(?mi)^received:", head)) >= HOPS_MAX:
        return "554 5.4.6"
    return "250 2.0.0"


class Sender:
    """One session for all, until mistakes end it."""

    def __init__(self, user):
        self.user, self.c, self.bad, self.random = user.encode(), None, 0, random.Random(1939)

    def envelope(self):
        if self.c is None or self.bad >= 15:
            if self.c is not None:
                self.c.say(b"QUIT", "221")
                self.c.close()
            self.c, self.bad = Smtp(SMTP, timeout=60), 0
            self.c.say(b"EHLO client.test", "250")
        self.c.say(b"MAIL FROM:<c+v@client.test> BODY=8BITMIME\r\nRCPT TO:<" + self.user + b"+c@Example.test>\r\n",
                   "250", "250")

    def count(self, got):
        self.bad += got[0] == "5"
        return got

    def data(self, content):
        self.envelope()
        self.c.say(b"DATA", "354")
        if content.startswith(b"."):
            content = b"." + content
        content = content.replace(b"\n.", b"\n..")
        if content and not content.endswith(b"\r\n"):
            content += b"\r\n"
        self.c.send(content + b".\r\n")
        return self.count(self.c.reply())

    def bdat(self, content):
        """In chunks of any size, all sent before the first reply."""
        self.envelope()
        left, out, n = content, b"", 0
        while left and n < 20:
            size = self.random.choice((1, 2, 7, 1000, 4096, 65536, len(left)))
            size = min(size, len(left))
            out += b"BDAT %d\r\n" % size + left[:size]
            left, n = left[size:], n + 1
        self.c.send(out + b"BDAT %d LAST\r\n" % len(left) + left)
        got = None
        for _ in range(n + 1):
            reply = self.c.reply()
            want("a reply to each chunk", reply, reply is not None)
            if got is None and reply[0] != "2":
                got = reply     # the chunks behind it are out of order
        self.bad += n
        return self.count(got or reply)


def check(raw, got, sent, name):
    """One message as POP3 gave it."""
    m = ADDED.match(raw)
    want("the fields before it", raw[:500], m)
    user, number, rcpt = m.group(2), m.group(3).decode(), m.group(4)
    want("the id in Received", number, number == got)
    want("Delivered-To", user, re.fullmatch(rb"(?i)(alice|bob)(\+c)?@example\.test", user))
    want("Received for", rcpt, re.fullmatch(rb"(alice|bob)\+c@example\.test", rcpt))
    body = raw[m.end():]
    end = sent if not sent or sent.endswith(b"\r\n") else sent + b"\r\n"
    if body != end:
        at = next((i for i, (a, b) in enumerate(zip(body, end)) if a != b), min(len(body), len(end)))
        raise Wrong("%s: differs at %d of %d: %r, sent %r" % (
            name, at, len(end), body[max(0, at - 20):at + 20], end[max(0, at - 20):at + 20]))


class Run:
    """Everything is sent first, then the mailbox is fetched once."""

    def __init__(self, tap, user):
        self.tap, self.sent, self.user = tap, {}, user
        self.refused = 0

    def send(self, how, name, content):
        expected = verdict(content)
        try:
            got = how(content)
            want("wanted " + expected, got, got is not None and got.startswith(expected))
        except (OSError, Wrong) as e:
            self.tap.say("sending " + name, repr(e))
            return
        if got.startswith("250"):
            self.sent[ident(got)] = (name, content)
        else:
            self.refused += 1

    def fetch(self):
        wanted = set(self.sent)
        end = time.monotonic() + 300
        while wanted and time.monotonic() < end:
            with login(POP3, self.user, timeout=60) as p:
                self.session(p, wanted)
            time.sleep(0.2)
        for got in wanted:
            self.tap.say("%s comes to %s" % (self.sent[got][0], self.user), "it did not (%s)" % got)

    def session(self, p, wanted):
        sizes = dict(tuple(map(int, l.split())) for l in p.multi(b"LIST").splitlines())
        numbers = sorted(sizes)
        p.send(b"".join(b"TOP %d 0\r\n" % n for n in numbers[:2000]))
        mine = []
        for n in numbers[:2000]:
            want("+OK to TOP", None, p.line().startswith(b"+OK"))
            head = p.rest()
            m = ADDED.match(head)
            if m and m.group(3).decode() in wanted:
                mine.append((n, m.group(3).decode(), head))
        for n, got, head in mine:
            raw = p.multi(b"RETR %d" % n)
            wanted.discard(got)
            name, content = self.sent[got]
            self.tap.run("%s comes out of %s's mailbox" % (name, self.user), self.one, p, n, raw, head,
                         sizes[n], got, content, name)
        p.ok(b"QUIT")

    def one(self, p, n, raw, head, size, got, content, name):
        check(raw, got, content, name)
        want("the size that LIST said", size, size == len(raw))
        at = raw.find(b"\r\n\r\n")
        want("the header from TOP", head[-100:], head == (raw if at < 0 else raw[:at + 4]))
        p.ok(b"DELE %d" % n)


def gone(user, sent):
    """What was deleted is not there any more."""
    def look():
        with login(POP3, user) as p:
            left = p.multi(b"LIST").splitlines()
            for l in left[-5:]:
                m = ADDED.match(p.multi(b"TOP " + l.split()[0] + b" 0"))
                if m and m.group(3).decode() in sent:
                    return False
            p.ok(b"QUIT")
        return True
    until("deleted messages go", look)


def main():
    tap = Tap()
    runs = [(Run(tap, DATA_USER), Sender(DATA_USER), Sender.data),
            (Run(tap, BDAT_USER), Sender(BDAT_USER), Sender.bdat)]
    mails = list(ours())
    if os.path.isdir(CORPUS):
        found = list(corpus())
        if len(found) < 400:
            tap.say("the corpus is whole", "only %d messages in %s" % (len(found), CORPUS))
        mails += [(name, crlf(data)) for name, data in found]
    else:
        found = []
        tap.say("the corpus", None, "no corpus in %s" % CORPUS)
    for name, content in mails:
        for run, sender, how in runs:
            run.send(lambda c, s=sender, h=how: h(s, c), name, content)
    raw = Run(tap, DATA_USER)
    for name, data in found:        # as they are: bare line ends cost them
        if data != crlf(data):
            for run, sender, how in runs:
                raw.send(lambda c, s=sender, h=how: h(s, c), name + ", as it is", data)
    if found:
        tap.run("those with bare line ends were refused", lambda: want(
            "hundreds, and nothing accepted", (raw.refused, len(raw.sent)), raw.refused > 400 and not raw.sent))
    for run, _, _ in runs:
        run.fetch()
        tap.run("deleted messages are gone from " + run.user, gone, run.user, run.sent)
    return tap.end()


sys.exit(main())
