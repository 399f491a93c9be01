"""Dialogues with smtpd, byte by byte: every verb in and out of order, hostile
line ends, BDAT, parameters, SMTPUTF8, LMTP, limits. TAP on standard output.

A row is a name, a list of steps and, if mail may come of it, how many new
messages. A step is what the client sends and the codes of the replies to it,
with the enhanced code where it counts: "250", "550 5.5.2"; several replies are
separated by commas. "closed" is the end of the connection, "" no reply.
"""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import below  # noqa: E402

ADDR = os.environ.get("PH_ADDR", "127.0.0.1")
SMTP = int(os.environ["PH_SMTP"])
LMTP = int(os.environ["PH_LMTP"])
DIR = os.environ["PH_DIR"]
LOG = os.path.join(DIR, "log", "posthouse.log")

HI = (b"EHLO client.test\r\n", "250")
LHLO = (b"LHLO client.test\r\n", "250")
FROM = (b"MAIL FROM:<s@client.test>\r\n", "250 2.1.0")
TO = (b"RCPT TO:<alice@example.test>\r\n", "250 2.1.5")
BOB = (b"RCPT TO:<bob@example.test>\r\n", "250 2.1.5")
DATA = (b"DATA\r\n", "354")
QUIT = (b"QUIT\r\n", "221 2.0.0,closed")
TX = [HI, FROM, TO]
NOOP = (b"NOOP\r\n", "250 2.0.0")


def head(subject="t"):
    return b"From: s@client.test\r\nSubject: " + subject.encode() + b"\r\n\r\n"


class Client:
    def __init__(self, port):
        self.sock = socket.create_connection((ADDR, port), 60)
        self.buf = b""

    def line(self):
        while b"\r\n" not in self.buf:
            more = self.sock.recv(65536)
            if not more:
                return None
            self.buf += more
        text, self.buf = self.buf.split(b"\r\n", 1)
        return text.decode("utf-8", "replace")

    def reply(self):
        """The last line of a reply; None at the end of the connection."""
        while True:
            try:
                text = self.line()
            except ConnectionError:
                return None
            if text is None or text[3:4] != "-":
                return text

    def send(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            pass

    def close(self):
        self.sock.close()


def matches(reply, want):
    if want == "closed":
        return reply is None
    return reply is not None and (reply + " ").startswith(want + " ")


def log_lines(mark):
    with open(LOG, "rb") as f:
        f.seek(mark)
        return f.read().decode("utf-8", "replace").splitlines()


def accepted(mark):
    return [l for l in log_lines(mark) if ": accepted id=" in l]


def log_mark():
    return os.path.getsize(LOG)


def run(port, steps, want_mail):
    """None, or what went wrong."""
    mark = log_mark()
    c = Client(port)
    try:
        if not matches(c.reply(), "220"):
            return "no greeting"
        for data, wants in steps:
            c.send(data)
            for want in [w for w in wants.split(",") if w]:
                got = c.reply()
                if not matches(got, want):
                    return "after %r: wanted %s, got %r" % (data[-70:], want, got)
        if c.buf:
            return "one reply too many: %r" % c.buf
    except socket.timeout:
        return "no reply in time after %r" % data[-70:]
    finally:
        c.close()
    # the log has a process of its own
    end = time.monotonic() + (60 if want_mail else 0)
    got = len(accepted(mark))
    while got < want_mail and time.monotonic() < end:
        time.sleep(0.05)
        got = len(accepted(mark))
    if got != want_mail:
        return "%d messages were accepted, not %d" % (got, want_mail)
    return None


def order():
    """Verbs, each in the states where it is welcome and where it is not."""
    yield "EHLO, QUIT", [HI, QUIT]
    yield "HELO", [(b"HELO client.test\r\n", "250"), QUIT]
    yield "verbs in any case", [(b"eHlO x\r\nmail from:<a@b.test> \r\n", "250,250"), QUIT]
    yield "EHLO without a name", [(b"EHLO\r\n", "501 5.5.4"), (b"EHLO  \r\n", "501"),
                                  (b"EHLO a b\r\n", "501"), FROM[:1] + ("503 5.5.1",)]
    yield "address literals", [(b"EHLO [192.0.2.1]\r\n", "250"),
                               (b"EHLO [IPv6:2001:db8::1]\r\n", "250")]
    yield "before a greeting", [(b"MAIL FROM:<a@b.test>\r\n", "503 5.5.1"),
                                (b"RCPT TO:<alice@example.test>\r\n", "503 5.5.1"),
                                (b"DATA\r\n", "503 5.5.1"), (b"RSET\r\n", "250"),
                                (b"NOOP\r\n", "250"), (b"HELP\r\n", "214"), QUIT]
    yield "nothing but MAIL begins", [HI, (b"RCPT TO:<alice@example.test>\r\n", "503 5.5.1"),
                                      (b"DATA\r\n", "503 5.5.1"), NOOP]
    yield "nested MAIL", [HI, FROM, (FROM[0], "503 5.5.1"), TO, (FROM[0], "503 5.5.1"), NOOP]
    yield "DATA without a recipient", [HI, FROM, (b"DATA\r\n", "554 5.5.1"), TO, NOOP]
    yield "DATA after refused recipients", [
        HI, FROM, (b"RCPT TO:<nobody-here@example.test>\r\n", "550 5.1.1"),
        (b"DATA\r\n", "554 5.5.1")]
    yield "RSET forgets", TX + [(b"RSET\r\n", "250 2.0.0"), (b"DATA\r\n", "503"), FROM, TO]
    yield "EHLO forgets", TX + [HI, (b"DATA\r\n", "503"), FROM]
    yield "a refused MAIL forgets nothing else", [HI, (b"MAIL FROM:a b\r\n", "501"), FROM]
    yield "arguments where none belong", TX + [
        (b"DATA now\r\n", "501 5.5.4"), (b"RSET now\r\n", "501 5.5.4"),
        (b"QUIT now\r\n", "501 5.5.4"), (b"NOOP now\r\n", "250"), DATA,
        (head() + b".\r\n", "250 2.0.0")], 1
    yield "unknown verbs", [HI, (b"XYZZY\r\n", "500 5.5.2"), (b"\r\n", "500 5.5.2"),
                            (b" NOOP\r\n", "500 5.5.2"), (b"NOOP:\r\n", "500 5.5.2"),
                            (b"DATAX\r\n", "500 5.5.2"), (b"12\r\n", "500 5.5.2"), NOOP]
    yield "what is not here", [HI] + [(v + b"\r\n", "502 5.5.1") for v in (
        b"AUTH PLAIN", b"ETRN x", b"TURN", b"SEND FROM:<a@b.test>")] + [NOOP]
    yield "LHLO is for LMTP", [(b"LHLO x\r\n", "500"), HI]
    yield "VRFY", [HI, (b"VRFY alice\r\n", "250"), (b"VRFY <alice@example.test>\r\n", "250"),
                   (b"VRFY nobody-here\r\n", "550"), (b"VRFY\r\n", "501"),
                   (b"VRFY <alice\r\n", "501"), NOOP]
    yield "EXPN is off", [HI, (b"EXPN postmaster\r\n", "502"), NOOP]
    yield "HELP", [(b"HELP\r\n", "214 2.0.0"), (b"HELP MAIL\r\n", "214 2.0.0")]
    for verb in (b"GET / HTTP/1.1", b"POST / HTTP/1.0", b"CONNECT x:25 HTTP/1.1"):
        yield "HTTP: " + verb.decode(), [
            (verb + b"\r\nHost: x\r\n\r\nEHLO x\r\nMAIL FROM:<a@b.test>\r\n", "554,closed")]
    yield "postmaster without a domain", [
        HI, FROM, (b"RCPT TO:<PostMaster>\r\n", "250"), DATA, (head() + b".\r\n", "250")], 1
    yield "null sender", [HI, (b"MAIL FROM:<>\r\n", "250"), TO, DATA, (head() + b".\r\n", "250")], 1
    yield "two messages in one session", TX + [DATA, (head() + b".\r\n", "250"), FROM, TO,
                                               DATA, (head() + b".\r\n", "250"), QUIT], 2
    yield "a message without anything", TX + [DATA, (b".\r\n", "250"), QUIT], 1
    yield "a source route is dropped", [HI, FROM, (b"RCPT TO:<@x.test:alice@example.test>\r\n", "250")]


def lines():
    """Commands are lines that end with CRLF."""
    yield "bare LF in a command", [HI, (b"NOOP\nNOOP\r\n", "500 5.5.2,250")]
    yield "bare LF after MAIL", [HI, (b"MAIL FROM:<a@b.test>\n", "500 5.5.2"), (TO[0], "503")]
    yield "bare CR in a command", [HI, (b"NOOP\rMAIL FROM:<a@b.test>\r\n", "500 5.5.2"),
                                   (b"NOOP\r\r\n", "500 5.5.2"), NOOP]
    yield "NUL in a command", [HI, (b"NOOP\0\r\n", "500 5.5.2"),
                               (b"MAIL FROM:<a\0@b.test>\r\n", "500 5.5.2"), NOOP]
    for n in (2049, 5000, 70000, 200000):
        yield "a line of %d bytes is one error" % n, [
            HI, (b"NOOP " + b"x" * (n - 7) + b"\r\n", "500 5.5.2"), NOOP]
    yield "the longest line", [HI, (b"NOOP " + b"x" * (2048 - 7) + b"\r\n", "250"), NOOP]
    yield "a long line hides no command", [
        HI, (b"NOOP " + b"x" * 2043 + b"\r" + b"x" * 2048 + b"RSET\r\n", "500"), NOOP]
    yield "a line in single bytes", [HI] + [(bytes([b]), "") for b in b"NOOP\r"] + [(b"\n", "250")]
    yield "all in one packet", [(
        HI[0] + FROM[0] + TO[0] + b"DATA\r\n" + head() + b".\r\n" + FROM[0] + TO[0] +
        b"DATA\r\n" + head() + b".\r\nQUIT\r\n",
        "250,250,250,354,250,250,250,354,250,221,closed")], 2
    yield "pipelined, with a refusal", [HI, (
        FROM[0] + b"RCPT TO:<nobody-here@example.test>\r\nRCPT TO:<x@\r\n" + TO[0] + b"NOOP\r\n",
        "250,550,501,250,250")]
    yield "pipelined DATA without a recipient: its content is not executed blindly", [HI, (
        FROM[0] + b"DATA\r\n", "250,554"), NOOP]


SECOND = b"MAIL FROM:<evil@client.test>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n"

NOT_AN_END = [
    ("LF.LF", b"\n.\n"), ("LF.CRLF", b"\n.\r\n"), ("CRLF.LF", b"\r\n.\n"),
    ("CR.CRLF", b"\r.\r\n"), ("CRLF.CR", b"\r\n.\r"), ("CR.CR", b"\r.\r"),
    ("CR.LF", b"\r.\n"), ("LF.CR", b"\n.\r"), ("LFLF.CRLF", b"\n\n.\r\n"),
    ("CRCRLF.CRLF", b"\r\r\n.\r\r\n"), ("CRLF.CRCRLF", b"\r\n.\r\r\n"),
    ("LFCR.CRLF", b"\n\r.\r\n"), ("CRLF.NUL CRLF", b"\r\n.\0\r\n"),
    ("CRLF.blank CRLF", b"\r\n. \r\n"), ("NUL CRLF..CRLF", b"\0\r\n..\r\n"),
]


def smuggling():
    """Only CRLF.CRLF ends a message; what else looks like it costs it."""
    for name, end in NOT_AN_END:
        bare = b"\r" in end.replace(b"\r\n", b"") or b"\n" in end.replace(b"\r\n", b"")
        evil = head("first") + b"body" + end + SECOND + head("second") + b"more\r\n.\r\n"
        want = "550 5.5.2" if bare else "250 2.0.0"
        yield "DATA: %s is no end" % name, TX + [DATA, (evil, want), NOOP], 0 if bare else 1
        yield "BDAT: %s" % name, TX + [
            (b"BDAT %d LAST\r\n" % len(evil) + evil, want), NOOP], 0 if bare else 1
        yield "DATA in single packets: %s" % name, TX + [DATA] + [
            (bytes([b]), "") for b in b"body" + end] + [
                (SECOND + b"\r\n.\r\n", want), NOOP], 0 if bare else 1
    yield "a bare LF in the header", TX + [DATA, (b"Subject: x\nTo: y\r\n\r\nz\r\n.\r\n", "550 5.5.2"), NOOP]
    yield "a bare CR at the very end", TX + [DATA, (b"x\r\r\n.\r\n", "550 5.5.2"), NOOP]
    yield "NUL bytes stay", TX + [DATA, (head() + b"a\0b\r\n.\r\n", "250"), NOOP], 1
    yield "the end in pieces", TX + [DATA, (head() + b"a\r", ""), (b"\n", ""), (b".", ""),
                                     (b"\r", ""), (b"\nNOOP\r\n", "250,250")], 1
    yield "8-bit content without BODY", TX + [DATA, (head() + b"\xff\xe4\r\n.\r\n", "250")], 1


def content():
    longest = 65000
    yield "the longest line of a message", TX + [DATA, (head() + b"x" * longest + b"\r\n.\r\n", "250")], 1
    yield "a longer one", TX + [DATA, (head() + b"x" * (longest + 1) + b"\r\n.\r\n", "554 5.6.0"), NOOP]
    body = head() + b"x" * (longest + 1) + b"\r\n"
    yield "a longer one in chunks", TX + [
        (b"BDAT 40000\r\n" + body[:40000], "250"),
        (b"BDAT %d LAST\r\n" % (len(body) - 40000) + body[40000:], "554 5.6.0"), NOOP]
    hop = b"Received: from a by b; Tue, 24 Nov 2026 06:55:03 +0000\r\n"
    yield "99 hops", TX + [DATA, (hop * 99 + head() + b".\r\n", "250")], 1
    yield "100 hops are a loop", TX + [DATA, (hop * 100 + head() + b".\r\n", "554 5.4.6"), NOOP]
    yield "hops in any case", TX + [DATA, (hop.upper() * 100 + head() + b".\r\n", "554 5.4.6")]
    yield "hops in the body do not count", TX + [DATA, (head() + hop * 200 + b".\r\n", "250")], 1
    yield "similar names do not count", TX + [DATA, (hop.replace(b"Rec", b"X-Rec") * 200 + head() + b".\r\n", "250")], 1
    yield "hops in chunks", TX + [(b"BDAT %d LAST\r\n" % len(hop * 100) + hop * 100, "554 5.4.6")]


def bdat():
    text = head() + b"one\r\n"
    n = len(text)
    yield "BDAT LAST", TX + [(b"BDAT %d LAST\r\n" % n + text, "250 2.0.0"), NOOP], 1
    yield "bdat in lower case", TX + [(b"bdat %d last\r\n" % n + text, "250 2.0.0"), NOOP], 1
    yield "chunks", TX + [(b"BDAT 10\r\n" + text[:10], "250"), (b"BDAT %d\r\n" % (n - 10) + text[10:], "250"),
                          (b"BDAT 0 LAST\r\n", "250"), NOOP], 1
    yield "CRLF split between chunks", TX + [(b"BDAT %d\r\n" % (n - 1) + text[:-1], "250"),
                                             (b"BDAT 1 LAST\r\n" + text[-1:], "250")], 1
    yield "a CR between chunks stays bare", TX + [(b"BDAT 2\r\na\r", "250"), (b"BDAT 1 LAST\r\nb", "550 5.5.2"), NOOP]
    yield "a CR at the end", TX + [(b"BDAT 2 LAST\r\na\r", "550 5.5.2"), NOOP]
    yield "no CRLF at the end", TX + [(b"BDAT %d LAST\r\n" % (n - 2) + text[:-2], "250")], 1
    yield "dots are not special", TX + [(b"BDAT %d LAST\r\n" % (n + 3) + text + b".\r\n", "250"), NOOP], 1
    yield "an empty message", TX + [(b"BDAT 0 LAST\r\n", "250"), NOOP], 1
    yield "chunks in one packet", [HI, (
        FROM[0] + TO[0] + b"BDAT 10\r\n" + text[:10] + b"BDAT %d LAST\r\n" % (n - 10) + text[10:] + b"QUIT\r\n",
        "250,250,250,250,221,closed")], 1
    yield "its bytes are no commands, before a greeting", [(b"BDAT 6\r\nQUIT\r\n", "503"), (b"NOOP\r\n", "250")]
    yield "its bytes are no commands, without MAIL", [HI, (b"BDAT 6 LAST\r\nQUIT\r\n", "503 5.5.1"), NOOP]
    yield "its bytes are no commands, without RCPT", [HI, FROM, (b"BDAT 6 LAST\r\nQUIT\r\n", "554 5.5.1"), NOOP]
    yield "after an error", TX + [(b"BDAT 2\r\na\n", "550 5.5.2"), (b"BDAT 6\r\nQUIT\r\n", "503"),
                                  (b"BDAT 6 LAST\r\nQUIT\r\n", "503"), NOOP]
    yield "RSET between chunks", TX + [(b"BDAT 3\r\nabc", "250"), (b"RSET\r\n", "250"),
                                       (b"BDAT 3 LAST\r\nabc", "503"), FROM, TO,
                                       (b"BDAT %d LAST\r\n" % n + text, "250")], 1
    yield "other verbs between chunks", TX + [
        (b"BDAT 3\r\nabc", "250"), (FROM[0], "503"), (TO[0], "503"), (b"DATA\r\n", "503"),
        (b"VRFY alice\r\n", "503"), NOOP, (b"BDAT 0 LAST\r\n", "250")], 1
    yield "QUIT between chunks", TX + [(b"BDAT 3\r\nabc", "250"), QUIT]
    for args in (b"", b" ", b" x", b" -1", b" 5 FIRST", b" 5 LAST x", b" 5x", b" 99999999999999999999"):
        yield "BDAT%s cannot be followed" % args.decode(), TX + [
            (b"BDAT" + args + b"\r\nQUIT\r\n", "501 5.5.4,closed")]


def size():
    big = 50 * 1024 * 1024
    yield "SIZE declared", [HI, (b"MAIL FROM:<a@b.test> SIZE=1000\r\n", "250")]
    yield "SIZE at the limit", [HI, (b"MAIL FROM:<a@b.test> size=%d\r\n" % big, "250")]
    yield "SIZE above it", [HI, (b"MAIL FROM:<a@b.test> SIZE=%d\r\n" % (big + 1), "552 5.3.4"), FROM]
    yield "SIZE that nobody can count", [HI, (b"MAIL FROM:<a@b.test> SIZE=99999999999999999999\r\n", "552 5.3.4")]
    for bad in (b"SIZE", b"SIZE=", b"SIZE=x", b"SIZE=-1", b"SIZE=1 SIZE=2", b"SIZE=123456789012345678901"):
        yield bad.decode(), [HI, (b"MAIL FROM:<a@b.test> " + bad + b"\r\n", "501 5.5.4"), FROM]
    chunk = b"x" * 998 + b"\r\n"
    much = head() + chunk * (big // 1000 + 1)
    yield "more than the limit", TX + [DATA, (much + b".\r\n", "552 5.3.4"), NOOP]
    yield "more than the limit in chunks", TX + [
        (b"BDAT %d\r\n" % len(much) + much, "552 5.3.4"), (b"BDAT 6 LAST\r\nQUIT\r\n", "503"), NOOP]


def params():
    def mail(p):
        return b"MAIL FROM:<a@b.test> " + p + b"\r\n"

    def rcpt(p):
        return b"RCPT TO:<alice@example.test> " + p + b"\r\n"
    for p in (b"BODY=7BIT", b"BODY=8bitmime", b"RET=FULL", b"ret=hdrs", b"ENVID=QQ314159",
              b"ENVID=a+2Bb+20c", b"ENVID=" + b"x" * 100, b"SMTPUTF8",
              b"SIZE=5 BODY=8BITMIME RET=HDRS ENVID=x SMTPUTF8"):
        yield "MAIL " + p.decode()[:60], [HI, (mail(p), "250"), TO, DATA, (head() + b".\r\n", "250")], 1
    for p in (b"BODY=BINARYMIME", b"BODY", b"BODY=7BIT BODY=7BIT", b"RET=BOTH", b"RET=FULL RET=HDRS",
              b"ENVID=", b"ENVID=a+2", b"ENVID=a+zz", b"ENVID=a+0Ab", b"ENVID=" + b"x" * 101,
              b"ENVID=a ENVID=b", b"SMTPUTF8=1", b"SMTPUTF8 SMTPUTF8", b"=x", b"A==b"):
        yield "MAIL %s is wrong" % p.decode()[:60], [HI, (mail(p), "501 5.5.4"), FROM]
    yield "MAIL with what nobody knows", [HI, (mail(b"AUTH=<>"), "555 5.5.4"), (mail(b"X-Y=1"), "555 5.5.4"), FROM]
    for p in (b"NOTIFY=NEVER", b"NOTIFY=SUCCESS,FAILURE,DELAY", b"notify=delay",
              b"ORCPT=rfc822;alice+40b.test", b"ORCPT=X400;c=x".replace(b"c=x", b"c+3Dx"),
              b"NOTIFY=SUCCESS ORCPT=rfc822;a@b.test"):
        yield "RCPT " + p.decode(), [HI, FROM, (rcpt(p), "250"), DATA, (head() + b".\r\n", "250")], 1
    for p in (b"NOTIFY=", b"NOTIFY", b"NOTIFY=NEVER,DELAY", b"NOTIFY=SUCCESS,", b"NOTIFY=MAYBE",
              b"NOTIFY=NEVER NOTIFY=NEVER", b"ORCPT=alice", b"ORCPT=rfc822;", b"ORCPT=rfc822;a+4",
              b"ORCPT=;a@b", b"ORCPT=rfc822;a ORCPT=rfc822;a"):
        yield "RCPT %s is wrong" % p.decode(), [HI, FROM, (rcpt(p), "501 5.5.4"), TO]
    yield "RCPT with what nobody knows", [HI, FROM, (rcpt(b"SIZE=5"), "555 5.5.4"), TO]


def addresses():
    for a in (b"", b"a@b.test", b"<a@b.test", b"a@b.test>", b"<a b@c.test>", b"<a@>", b"<@b.test>",
              b"<a@b..test>", b"<a@-b.test->", b"<a@[300.1.1.1]>", b"<a@b.test>x", b"<" + b"a" * 65 + b"@b.test>",
              b"<a@" + b"b." * 130 + b"test>", b"<a..b@c.test>", b"<\"a@b.test>"):
        want = "250" if a == b"a@b.test" else "501"     # brackets are forgiven
        yield "sender %s" % a.decode()[:40], [HI, (b"MAIL FROM:" + a + b"\r\n", want)]
    for a, want in ((b"<alice@example.test>", "250"), (b"<ALICE@Example.TEST>", "250"),
                    (b"<\"alice\"@example.test>", "250"), (b"<alice+tag@example.test>", "250"),
                    (b"<>", "501"), (b"<alice@>", "501"), (b"<a@[1.2.3]>", "501"),
                    (b"<alice@example.test> extra", "555"), (b"<nobody-here@example.test>", "550 5.1.1")):
        yield "recipient %s" % a.decode(), [HI, FROM, (b"RCPT TO:" + a + b"\r\n", want), NOOP]
    utf8 = "MAIL FROM:<grün@bücher.test>".encode()
    yield "UTF-8 needs SMTPUTF8", [HI, (utf8 + b"\r\n", "553 5.6.7"), (utf8 + b" SMTPUTF8\r\n", "250")]
    yield "UTF-8 recipient without SMTPUTF8", [HI, FROM, ("RCPT TO:<grün@example.test>\r\n".encode(), "553 5.6.7"), TO]
    yield "UTF-8 recipient nobody has", [HI, (b"MAIL FROM:<a@b.test> SMTPUTF8\r\n", "250"),
                                         ("RCPT TO:<grün@example.test>\r\n".encode(), "550")]
    yield "UTF-8 that is none", [HI, (b"MAIL FROM:<\xff@b.test> SMTPUTF8\r\n", "501"), NOOP]
    yield "VRFY with UTF-8", [HI, ("VRFY grün\r\n".encode(), "553 5.6.7"),
                              ("VRFY grün SMTPUTF8\r\n".encode(), "550")]
    yield "UTF-8 message", [HI, (utf8 + b" SMTPUTF8\r\n", "250"), TO, DATA, (
        "Subject: grün\r\n\r\nx\r\n.\r\n".encode(), "250")], 1


def limits():
    yield "too many errors", [HI] + [(b"XYZZY\r\n", "500")] * 20 + [(b"XYZZY\r\n", "500,421 4.7.0,closed")]
    many = [(b"RCPT TO:<alice+%d@example.test>\r\n" % i, "250") for i in range(1000)]
    packet = b"".join(d for d, _ in many)
    yield "too many recipients", [HI, FROM, (packet, ",".join(["250"] * 1000)),
                                  (b"RCPT TO:<bob@example.test>\r\n", "452 4.5.3"), (b"RSET\r\n", "250")]
    yield "gone in the middle of DATA", TX + [DATA, (head() + b"half", "")]
    yield "gone in the middle of BDAT", TX + [(b"BDAT 100 LAST\r\nhalf", "")]


def lmtp():
    def over(data, wants):
        return [LHLO, FROM, TO, BOB, (data, wants)]
    yield "LHLO", [LHLO, QUIT]
    yield "HELO and EHLO are refused", [(b"HELO x\r\n", "500"), (b"EHLO x\r\n", "500"), LHLO]
    yield "no recipient", [LHLO, FROM, (b"DATA\r\n", "503 5.5.1"), (b"BDAT 6 LAST\r\nQUIT\r\n", "503"), NOOP]
    yield "a reply for each", [LHLO, FROM, TO, BOB, DATA, (head() + b".\r\n", "250 2.0.0,250 2.0.0"), NOOP], 1
    yield "a reply for each accepted one", [
        LHLO, FROM, TO, (b"RCPT TO:<nobody-here@example.test>\r\n", "550"), BOB, DATA,
        (head() + b".\r\n", "250,250"), NOOP], 1
    yield "the same one twice", [LHLO, FROM, TO, TO, DATA, (head() + b".\r\n", "250,250"), NOOP], 1
    yield "refused for each", [LHLO, FROM, TO, BOB, DATA, (b"a\nb\r\n.\r\n", "550 5.5.2,550 5.5.2"), NOOP]
    yield "BDAT", over(b"BDAT 3\r\nabc", "250") + [(b"BDAT 0 LAST\r\n", "250,250"), NOOP], 1
    yield "a bad chunk is one reply", over(b"BDAT 3\r\na\nb", "550") + [
        (b"BDAT 0 LAST\r\n", "503"), NOOP]
    yield "a bad last chunk is refused for each", over(b"BDAT 3 LAST\r\na\nb", "550,550") + [NOOP]


GROUPS = [("order", SMTP, order), ("lines", SMTP, lines), ("end", SMTP, smuggling),
          ("content", SMTP, content), ("bdat", SMTP, bdat), ("size", SMTP, size),
          ("parameters", SMTP, params), ("addresses", SMTP, addresses),
          ("limits", SMTP, limits), ("lmtp", LMTP, lmtp)]


def maildir(user):
    return os.path.join(DIR, "mail", user, "Maildir", "new")


def stored(user, word):
    """Contents of the user's messages with this word, waited for."""
    end = time.monotonic() + 60
    while True:
        found = []
        try:
            for name in os.listdir(maildir(user)):
                with open(os.path.join(maildir(user), name), "rb") as f:
                    data = f.read()
                if word in data:
                    found.append(data)
        except FileNotFoundError:
            pass
        if found or time.monotonic() > end:
            return found
        time.sleep(0.1)


def trace_field():
    """The Received field of RFC 5321 4.4, and the EHLO keywords."""
    word = b"trace-%d" % os.getpid()
    c = Client(SMTP)
    c.reply()
    c.send(b"EHLO client.test\r\n")
    words = set()
    while True:
        text = c.line()
        words.add(text[4:])
        if text[3] == " ":
            break
    missing = {"PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "DSN", "CHUNKING",
               "SIZE 52428800", "HELP"} - words
    if missing:
        return "EHLO does not say " + " ".join(sorted(missing))
    for data in (FROM[0], TO[0], b"DATA\r\n", head() + word + b"\r\n..dot\r\n.\r\n"):
        c.send(data)
        last = c.reply()
    c.send(b"QUIT\r\n")
    c.close()
    if "id=" not in last:
        return "no id in " + last
    ident = last.split("id=")[1].encode()
    for data in stored("alice", word):
        field = data[data.index(b"Received:"):].replace(b"\r", b"").replace(b"\n\t", b" ")
        want = (b"Received: from client.test ([127.0.0.1]) by mx.example.test (Posthouse) "
                b"with ESMTP id " + ident + b" for <alice@example.test>; ")
        if not field.startswith(want):
            return "trace field: %r" % field[:200]
        if word + b"\n.dot\n" not in data.replace(b"\r", b""):
            return "the stuffed dot: %r" % data[-40:]
        return None
    return "it was not delivered"


def no_smuggled_mail():
    """None of the second messages above may have reached anybody as one."""
    time.sleep(1)
    with open(LOG, "rb") as f:
        if any(b"accepted" in l and b"evil@client.test" in l for l in f):
            return "a second message was accepted"
    return None


def early_draft():
    """Made after the first recipient, and gone with the transaction."""
    tmp = os.path.join(DIR, "spool", "incoming", "tmp")

    def drafts(want):
        end = time.monotonic() + 60
        while len(below(tmp)) != want and time.monotonic() < end:
            time.sleep(0.02)
        return len(below(tmp))

    c = Client(SMTP)
    c.reply()
    for step, want in [(HI, 0), (FROM, 0), (TO, 1), (BOB, 1), ((b"RSET\r\n", "250"), 0),
                       (FROM, 0), (TO, 1), (HI, 0), (FROM, 0), (TO, 1)]:
        c.send(step[0])
        if not matches(c.reply(), step[1]) or drafts(want) != want:
            return "%d drafts after %r, not %d" % (drafts(want), step[0], want)
    c.close()
    if drafts(0) != 0:
        return "a draft is left by one who has gone"
    return None


def nothing_left():
    """Drafts of broken-off and refused messages are gone."""
    tmp = os.path.join(DIR, "spool", "incoming", "tmp")
    end = time.monotonic() + 60
    while below(tmp) and time.monotonic() < end:
        time.sleep(0.2)
    left = below(tmp)
    return "in incoming/tmp: %s" % left if left else None


def main():
    n = failed = 0

    def report(name, wrong):
        nonlocal n, failed
        n += 1
        print("%s %d - %s" % ("not ok" if wrong else "ok", n, name.replace("#", "")), flush=True)
        if wrong:
            failed += 1
            print("# " + wrong, flush=True)
            print(name + ": " + wrong, file=sys.stderr)

    for group, port, rows in GROUPS:
        for row in rows():
            report("%s: %s" % (group, row[0]), run(port, row[1], row[2] if len(row) > 2 else 0))
    report("trace field", trace_field())
    report("no smuggled message", no_smuggled_mail())
    report("no draft is left", nothing_left())
    report("a draft before DATA", early_draft())
    print("1..%d" % n)
    return 1 if failed else 0


sys.exit(main())
