"""remote(8) by itself: this test is the queue and the server. Honest servers
of every kind, then hostile ones; each delivery has to end, with a result for
each recipient, in bounded time and memory. TAP on standard output."""
import base64
import email
import hashlib
import hmac
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import Skip, Tap, Wrong, free_port, until, want  # noqa: E402
from agent import Remote, Worker, hop, record, target  # noqa: E402

MESSAGE = b"From: <s@client.test>\r\nSubject: test\r\n\r\n.a dot\r\n..\r\n.\r\nend\r\n"
ALL = ("PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES")


def times(seconds, idle="5m", **other):
    """Time-outs: long ones where they should not matter, on whatever machine."""
    each = dict(connect=seconds, greeting=seconds, command=seconds, data=seconds, block=seconds, end=seconds)
    each.update(other)
    return "".join("remote.%s-timeout %ds\n" % t for t in each.items()) + "remote.idle-timeout %s\n" % idle


CONF = times(50)
SHORT = 5
QUICK = times(SHORT)
tap = Tap()
warnings.simplefilter("ignore", DeprecationWarning)    # TLS 1.1 is what is tried


class Server:
    """Listens; each connection is a Session in a thread of its own. What it does can be changed by keywords:
    a verb's name (rcpt=..., mail=...) is a reply or a function of (session, line) that gives one."""

    def __init__(self, offers=ALL, addr="127.0.0.1", port=0, context=None, implicit=False, handle=None, lmtp=False,
                 greeting=b"220 mx.test ESMTP", name=b"mx.test", **replies):
        family = socket.AF_UNIX if addr.startswith("/") else socket.AF_INET6 if ":" in addr else socket.AF_INET
        self.sock = socket.socket(family)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind(addr if family == socket.AF_UNIX else (addr, port))
        self.sock.listen(50)
        self.port = 0 if family == socket.AF_UNIX else self.sock.getsockname()[1]
        self.addr, self.offers, self.greeting, self.name, self.replies = addr, offers, greeting, name, replies
        self.context, self.implicit, self.handle, self.lmtp = context, implicit, handle, lmtp
        self.sessions, self.mails, self.wrong = [], [], []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                s, _ = self.sock.accept()
            except OSError:
                return
            session = Session(self, s)
            self.sessions.append(session)
            threading.Thread(target=session.main, daemon=True).start()

    def target(self, **more):
        return target(self.port, addr=self.addr, **more)

    def close(self):
        # a thread in accept(2) keeps the socket: wake it
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Session:
    def __init__(self, server, sock):
        self.server, self.sock, self.buf = server, sock, b""
        self.lines, self.tls, self.mail, self.rcpts, self.n = [], False, None, [], 0
        self.ended = False

    def main(self):
        self.sock.settimeout(100)
        try:
            if self.server.handle:
                self.server.handle(self)
            else:
                if self.server.implicit:
                    self.start_tls()
                self.serve()
        except (OSError, EOFError, ValueError):
            pass    # the client went another way
        finally:
            self.ended = True
            try:
                self.sock.close()
            except OSError:
                pass

    def start_tls(self):
        self.sock = self.server.context.wrap_socket(self.sock, server_side=True)
        self.tls = True

    def recv(self):
        got = self.sock.recv(262144)
        if not got:
            raise EOFError
        return got

    def line(self):
        while b"\n" not in self.buf:
            self.buf += self.recv()
        text, self.buf = self.buf.split(b"\n", 1)
        text = text.rstrip(b"\r")
        self.lines.append(text)
        return text

    def exact(self, n):
        while len(self.buf) < n:
            self.buf += self.recv()
        got, self.buf = self.buf[:n], self.buf[n:]
        return got

    def dots(self):
        lines = []
        while True:
            line = self.line()
            if line == b".":
                return b"".join(lines)
            lines.append((line[1:] if line.startswith(b".") else line) + b"\r\n")

    def say(self, *lines):
        self.sock.sendall(b"".join(l + b"\r\n" for l in lines))

    def reply(self, verb, line, default):
        made = self.server.replies.get(verb, default)
        if callable(made):
            made = made(self, line)
        return made

    def hello(self):
        offers = [o for o in self.server.offers if not (o == "STARTTLS" and self.tls)]
        if callable(self.server.replies.get("offers")):
            offers = self.server.replies["offers"](self)
        names = [self.server.name] + [o.encode() for o in offers]
        return b"\r\n".join([b"250-" + n for n in names[:-1]] + [b"250 " + names[-1]])

    def took(self, content):
        """The content came: one reply, or one for each."""
        mail = (self.mail, tuple(self.rcpts), content)
        said = [self.reply("end", None, b"250 2.0.0 taken as 1")] if not self.server.lmtp else [
            self.reply("end", r, b"250 2.1.5 taken") for r in self.rcpts] if "ends" not in self.server.replies else \
            self.server.replies["ends"](self, self.rcpts)
        if any(s and s.startswith(b"250") for s in said):
            self.server.mails.append(mail)
        self.mail, self.rcpts = None, []
        for s in said:
            if s is None:
                raise EOFError
            self.say(s)

    def serve(self):
        self.say(self.server.greeting)
        while True:
            line = self.line()
            verb = line.split(b" ")[0].upper().decode("latin-1")
            if verb in ("EHLO", "LHLO", "HELO"):
                said = self.reply(verb.lower(), line, b"250 mx.test" if verb == "HELO" else self.hello())
            elif verb == "STARTTLS":
                said = self.reply("starttls", line, b"220 go on")
                self.say(said)
                if said.startswith(b"220"):
                    self.buf = b""
                    self.start_tls()
                continue
            elif verb == "MAIL":
                self.n += 1
                said = self.reply("mail", line, b"250 2.1.0 ok")
                if said and said.startswith(b"2"):
                    if self.mail is not None:
                        self.server.wrong.append("MAIL in a transaction")
                    self.mail = line
            elif verb == "RCPT":
                said = self.reply("rcpt", line, b"250 2.1.5 ok" if self.mail else b"503 5.5.1 MAIL first")
                if said and said.startswith(b"2"):
                    self.rcpts.append(line)
            elif verb == "DATA":
                said = self.reply("data", line, b"354 go on" if self.rcpts else b"503 5.5.1 no recipients")
                if said and said.startswith(b"354"):
                    self.say(said)
                    self.took(self.dots())
                    continue
            elif verb == "BDAT":
                words = line.split()
                content = self.exact(int(words[1]))
                if words[2:] != [b"LAST"]:
                    self.server.wrong.append("BDAT without LAST")
                said = self.reply("bdat", line, None)
                if said is None and self.rcpts:
                    self.took(content)
                    continue
                said = said or b"503 5.5.1 no recipients"
            elif verb == "AUTH":
                said = self.reply("auth", line, b"503 no")
            elif verb == "RSET":
                self.mail, self.rcpts = None, []
                said = self.reply("rset", line, b"250 2.0.0 ok")
            elif verb == "QUIT":
                self.say(b"221 bye")
                return
            else:
                said = b"500 5.5.2 what?"
            if said is None:
                raise EOFError
            self.say(said)


def check(name):
    def mark(f):
        tap.run(name, f)
        return f
    return mark


class Held:
    """What servers that hang wait for: the end of their test."""

    def __init__(self):
        self.over = threading.Event()

    def hang(self):
        self.over.wait(100)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()


def one(got, status, done=None):
    """All recipients have this status (a prefix)."""
    results, end = got
    for r in results:
        want("wanted " + status, repr(r), r.status.startswith(status))
    if done is not None:
        want("failure %r" % done, repr(end), end.failure == done)
    return results


def opened(pid):
    """What it has open: a file may be closed meanwhile."""
    names = []
    for n in os.listdir("/proc/%d/fd" % pid):
        try:
            names.append(os.readlink("/proc/%d/fd/%s" % (pid, n)))
        except FileNotFoundError:
            pass
    return names


def connecting(port):
    """How many wait for an answer of this port: state 02 is SYN_SENT."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [l.split() for l in f]
    return sum(r[2].endswith(":%04X" % port) and r[3] == "02" for r in rows)


def sleeps(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as f:
        return f.read().rsplit(")", 1)[1].split()[0] == "S"


def blind(pid):
    """poll(2) of two descriptors gives EINVAL. As its own user: root may not have the capability."""
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        ids = {l.split(":")[0]: int(l.split()[1]) for l in f if l.startswith(("Uid:", "Gid:"))}
    who = {"user": ids["Uid"], "group": ids["Gid"], "extra_groups": []} if os.geteuid() == 0 else {}
    subprocess.run(["prlimit", "--pid", str(pid), "--nofile=1:1"], check=True, timeout=20, **who)


with Remote(CONF) as remote:
    def deliver(server, *args, **more):
        where = more.pop("where", None) or hop(server.target())
        with Worker(remote) as w:
            return w.deliver(where, *(args or (MESSAGE,)), **more)

    # ---- what a server offers, and what is made of it

    def plain_delivery(offers, lmtp=False):
        with Server(offers, lmtp=lmtp) as s:
            with Worker(remote) as w:
                for _ in range(3):
                    got = w.deliver(hop(s.target(), protocol="lmtp" if lmtp else "smtp"), MESSAGE,
                                    rcpts=("a@x.test", "b@y.test"))
                    for r in one(got, "2.", ""):
                        want("said by the server", r, r.said and "taken" in r.text and r.host.endswith(
                            "mx.test[127.0.0.1]:%d" % s.port))
                        want("DSN", r, r.dsn == ("DSN" in offers))
                    want("kept", got[1], got[1].keep)
            want("one session", len(s.sessions), len(s.sessions) == 1)
            want("three mails", len(s.mails), len(s.mails) == 3)
            for _, rcpts, content in s.mails:
                want("the same content", content, content == MESSAGE)
                want("both recipients", rcpts, len(rcpts) == 2)
            until("QUIT", lambda: s.sessions[0].lines[-1:] == [b"QUIT"])
            want("said right", s.wrong, not s.wrong)
            want("RSET only after failures", s.sessions[0].lines, b"RSET" not in s.sessions[0].lines)

    for offers in ((), ("PIPELINING",), ("CHUNKING",), ("PIPELINING", "CHUNKING"), ALL):
        tap.run("delivers to a server with " + (" ".join(offers) or "nothing"), plain_delivery, offers)
    tap.run("LMTP", plain_delivery, ("PIPELINING", "8BITMIME"), True)
    tap.run("LMTP with CHUNKING", plain_delivery, ALL, True)

    @check("large messages: in pieces, by DATA and by BDAT")
    def _():
        big = MESSAGE + (b"." + b"x" * 70 + b"\r\n") * 40000
        for offers in (("PIPELINING",), ("PIPELINING", "CHUNKING")):
            with Server(offers) as s:
                one(deliver(s, big), "2.")
                want("all of it", len(s.mails[0][2]), s.mails[0][2] == big)

    @check("the parameters of MAIL and RCPT")
    def _():
        with Server() as s:
            got = deliver(s, MESSAGE, body="8bitmime", more=[("Y", "HDRS"), ("e", "QQ314")],
                          rcpts=[[("a", "a@x.test"), ("o", "rfc822;b@x.test"), ("y", "SUCCESS,FAILURE")], "c@x.test"])
            one(got, "2.")
            want("MAIL", s.mails[0][0], s.mails[0][0] == b"MAIL FROM:<s@client.test> SIZE=%d BODY=8BITMIME RET=HDRS "
                 b"ENVID=QQ314" % len(MESSAGE))
            want("RCPT", s.mails[0][1], s.mails[0][1] == (
                b"RCPT TO:<a@x.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@x.test", b"RCPT TO:<c@x.test>"))
        with Server(("PIPELINING",)) as s:
            deliver(s, MESSAGE, sender="", more=[("Y", "HDRS"), ("e", "QQ314")],
                    rcpts=[[("a", "a@x.test"), ("o", "rfc822;b@x.test"), ("y", "NEVER")]])
            want("none that are not offered", s.mails[0], s.mails[0][:2] == (b"MAIL FROM:<>", (b"RCPT TO:<a@x.test>",)))

    @check("SIZE: too large is not tried")
    def _():
        with Server(("SIZE 50",)) as s:
            one(deliver(s), "5.3.4", "")
            want("no MAIL", s.sessions[0].lines, not any(l.startswith(b"MAIL") for l in s.sessions[0].lines))

    @check("8BITMIME is missing: converted, and the same for who reads it")
    def _():
        text = "Grüße, Jürgen\r\n".encode()
        message = (b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
                   b"text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text +
                   b"\r\n--b\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
                   bytes(range(128, 256)) * 40 + b"\r\n--b--\r\n")
        with Server(("PIPELINING", "CHUNKING", "SIZE")) as s:
            one(deliver(s, message, body="8bitmime"), "2.")
            got = s.mails[0][2]
            want("7 bits", got, max(got) < 128)
            want("no BODY", s.mails[0][0], b"BODY" not in s.mails[0][0])
            parts = email.message_from_bytes(got).get_payload()
            want("the text", parts[0].get_payload(decode=True), parts[0].get_payload(decode=True).split() == text.split())
            want("the image", "other bytes", parts[1].get_payload(decode=True) == bytes(range(128, 256)) * 40)
        with Server(("8BITMIME",)) as s:
            one(deliver(s, message), "2.")
            want("as it is where it can be", s.mails[0], s.mails[0][2] == message and b"BODY=8BITMIME" in s.mails[0][0])
        with Server(()) as s:
            one(deliver(s, b"Content-Transfer-Encoding: x-y\r\nContent-Type: text/plain\r\n\r\n\xe4\r\n"), "5.6.3")

    @check("SMTPUTF8, and A-labels where it is missing")
    def _():
        with Server() as s:
            one(deliver(s, MESSAGE, sender="jürgen@bücher.test", rcpts=("ä@ö.test",), more=[("U", "")]), "2.")
            want("said", s.mails[0], b"SMTPUTF8" in s.mails[0][0] and s.mails[0][1] == ("RCPT TO:<ä@ö.test>".encode(),))
        with Server(("8BITMIME", "PIPELINING")) as s:
            got = deliver(s, MESSAGE, sender="s@bücher.test", rcpts=("a@ö.test", "ä@x.test", "b@x.test"), more=[("U", "")])
            want("the one in UTF-8", got, [r.status[:1] for r in got[0]] == ["2", "5", "2"] and got[0][1].status == "5.6.7")
            want("A-labels", s.mails[0], s.mails[0][:2] == (
                b"MAIL FROM:<s@xn--bcher-kva.test>", (b"RCPT TO:<a@xn--nda.test>", b"RCPT TO:<b@x.test>")))
            one(deliver(s, MESSAGE, sender="ä@x.test", more=[("U", "")]), "5.6.7")
            one(deliver(s, b"Subject: \xc3\xa4\r\n\r\nx\r\n", more=[("U", "")], body="8bitmime"), "5.6.7")

    @check("LIMITS: recipients, domains and mails at a time")
    def _():
        with Server(("PIPELINING", "LIMITS RCPTMAX=2 MAILMAX=2")) as s:
            one(deliver(s, MESSAGE, rcpts=["u%d@x.test" % i for i in range(7)]), "2.")
            want("in twos", s.mails, [len(m[1]) for m in s.mails] == [2, 2, 2, 1])
            want("two mails a session", len(s.sessions), len(s.sessions) == 2)
        with Server(("PIPELINING", "LIMITS RCPTDOMAINMAX=1")) as s:
            one(deliver(s, MESSAGE, rcpts=["a@x.test", "b@y.test", "c@x.test"]), "2.")
            want("a domain at a time", s.mails, sorted(len(m[1]) for m in s.mails) == [1, 2])

    @check("too many recipients: the rest later; a full mailbox is no such thing")
    def _():
        for code in (b"452 4.5.3 too many", b"452 too many", b"552 too many"):
            for offers in ((), ("PIPELINING",), ALL):
                with Server(offers, rcpt=lambda c, l, code=code: code if len(c.rcpts) == 3 else b"250 ok") as s:
                    one(deliver(s, MESSAGE, rcpts=["u%d@x.test" % i for i in range(8)]), "2.")
                    want("in threes", s.mails, [len(m[1]) for m in s.mails] == [3, 3, 2])
        for code, status in ((b"552 5.2.2 full", "5.2.2"), (b"452 4.2.2 full", "4.2.2")):
            with Server(rcpt=lambda c, l, code=code: code if b"b@" in l else b"250 ok") as s:
                got, _ = deliver(s, MESSAGE, rcpts=("a@x.test", "b@x.test"))
                want(status, got, got[1].status == status and got[1].said)

    @check("HELO where EHLO is not known")
    def _():
        with Server(ehlo=b"502 what?") as s:
            one(deliver(s), "2.")
            want("HELO", s.sessions[0].lines, s.sessions[0].lines[1] == b"HELO client.test")

    @check("BDAT that is offered and not known")
    def _():
        with Server(bdat=b"502 5.5.1 what?") as s:
            one(deliver(s), "2.")
            want("by DATA", s.mails, len(s.mails) == 1 and s.mails[0][2] == MESSAGE)

    # ---- failures of single recipients and messages

    @check("each recipient has the server's answer; RSET after a failure")
    def _():
        answers = {b"a@": b"250 ok", b"b@": b"550 5.1.1 no such user", b"c@": b"450 4.2.0 later", b"d@": b"553 hm"}
        for offers in ((), ("PIPELINING",), ALL):
            with Server(offers, rcpt=lambda c, l: next(v for k, v in answers.items() if k in l)) as s:
                with Worker(remote) as w:
                    got, done = w.deliver(hop(s.target()), MESSAGE, rcpts=("a@x.test", "b@x.test", "c@x.test", "d@x.test"))
                    want("statuses", got, [r.status for r in got][1:] == ["5.1.1", "4.2.0", "5.0.0"] and
                         got[0].status[0] == "2" and all(r.said for r in got))
                    want("text", got[1], got[1].text == "550 5.1.1 no such user")
                    want("kept, no failure", done, done.keep and not done.failure)
                    got, _ = w.deliver(hop(s.target()), MESSAGE, rcpts=("b@x.test",))
                    want("refused", got, got[0].status == "5.1.1")
                    one(w.deliver(hop(s.target()), MESSAGE, rcpts=("a@x.test",)), "2.")
                want("mails", s.mails, len(s.mails) == 2 and not s.wrong)
                want("one session", s.sessions, len(s.sessions) == 1)

    def refusals(verb, reply, status, failure):
        for offers in ((), ("PIPELINING",), ALL):
            if verb == "data" and offers == ALL:
                continue
            with Server(offers, **{verb: reply}) as s, Worker(remote) as w:
                got = w.deliver(hop(s.target()), MESSAGE, rcpts=("a@x.test", "b@x.test"))
                one(got, status, failure)
                want("nothing was sent", s.mails, not s.mails)

    for row in (("mail", b"550 5.7.1 go away", "5.7.1", ""), ("mail", b"451 4.3.0 later", "4.3.0", ""),
                ("mail", b"452 4.3.1 full", "4.3.1", "busy"), ("data", b"554 5.6.0 no", "5.6.0", ""),
                ("data", b"451 later", "4.0.0", ""), ("end", b"554 5.6.0 spam", "5.6.0", ""),
                ("end", b"451 4.7.1 greylisted", "4.7.1", ""), ("end", b"354 what", "4.5.0", None),
                ("mail", b"354 what", "4.5.0", None), ("rcpt", b"354 what", "4.5.0", None),
                ("data", b"250 what", "4.5.0", None), ("mail", b"199 what", "4.5.0", None),
                ("mail", b"421 4.3.2 good bye", "4.3.2", "busy"), ("rcpt", b"421 bye", "4.0.0", "busy"),
                ("data", b"421 bye", "4.0.0", None), ("end", b"421 4.3.2 bye", "4.3.2", None)):
        tap.run("%s answered with %s" % (row[0], row[1].decode()), refusals, *row)

    @check("LMTP: an answer for each")
    def _():
        answers = [b"250 2.1.5 ok", b"552 5.2.2 full", b"450 4.2.0 later"]
        for offers in (("PIPELINING",), ("PIPELINING", "CHUNKING")):
            with Server(offers, lmtp=True, end=lambda c, r: answers[int(r.split(b"u")[1][:1])]) as s:
                got, done = deliver(s, where=hop(s.target(), protocol="lmtp"),
                                    rcpts=("u0@x.test", "u1@x.test", "u2@x.test", "u0@y.test"))
                want("in order", got, [r.status for r in got] == ["2.1.5", "5.2.2", "4.2.0", "2.1.5"])
                want("LHLO", s.sessions[0].lines, s.sessions[0].lines[0] == b"LHLO client.test")

    @check("LMTP: the connection is lost between the answers")
    def _():
        with Server(("PIPELINING",), lmtp=True, end=lambda c, r: b"250 ok" if b"u0" in r else None) as s:
            got, done = deliver(s, where=hop(s.target(), protocol="lmtp"), rcpts=("u0@x.test", "u1@x.test"))
            want("nothing that was not said", got, got[1].status[0] == "4" and "twice" in got[1].text)

    # ---- which server

    @check("refused connections, 4xx and 5xx greetings: the next one")
    def _():
        with Server() as s, Server(greeting=b"554 no") as never, Server(greeting=b"421 busy") as busy:
            one(deliver(s, where=hop(target(1, host="m1.test", pref=1), never.target(host="m2.test", pref=2),
                                     busy.target(host="m3.test", pref=3), s.target(pref=4))), "2.")
            got = deliver(s, where=hop(never.target(host="m2.test"), never.target(host="m4.test")))
            one(got, "5.0.0", "session")
            want("the server said it", got, got[0][0].said and "554" in got[0][0].text)
            one(deliver(s, where=hop(never.target(host="m2.test"), busy.target(host="m3.test"))), "4.", "busy")
            one(deliver(s, where=hop(never.target(host="m2.test"), target(1, host="m1.test"))), "4.", "session")
            one(deliver(s, where=hop(target(1), target(1, host="m1.test"))), "4.4.1", "connect")

    @check("not more than remote.addresses")
    def _():
        dead = [target(1, host="m%d.test" % i, addr="127.0.0.%d" % i) for i in range(2, 30)]
        with Server() as s:
            one(deliver(s, where=hop(*dead, s.target())), "4.4.1", "connect")
            want("not reached", s.sessions, not s.sessions)
            one(deliver(s, where=hop(*dead[:4], s.target())), "2.")

    class Deaf:
        """A port whose queue is full: SYNs are not answered."""

        def __init__(self, addr):
            self.sock = socket.socket()
            self.sock.bind((addr, 0))
            self.sock.listen(0)
            self.port = self.sock.getsockname()[1]
            self.hold = [socket.socket() for _ in range(3)]
            for c in self.hold:
                c.setblocking(False)
                c.connect_ex((addr, self.port))
            time.sleep(0.1)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            for c in self.hold + [self.sock]:
                c.close()

    @check("addresses of one host are raced: one that says nothing costs 250 ms")
    def _():
        with Server() as s, Deaf("127.0.0.9") as deaf:
            start = time.monotonic()
            one(deliver(s, where=hop(target(deaf.port, addr="127.0.0.9"), s.target())), "2.")
            took = time.monotonic() - start
            want("250 ms, and not the time-out of 50 s", took, 0.2 < took < 25)

    def another_host():
        with Server() as s, Deaf("127.0.0.10") as deaf:
            start = time.monotonic()
            one(deliver(s, where=hop(target(deaf.port, addr="127.0.0.10", host="m2.test", pref=1), s.target())), "2.")
            took = time.monotonic() - start
            want("another host waits for the time-out", took, SHORT - 0.5 < took < 60)

    @check("IPv6, and a source address")
    def _():
        try:
            s6 = Server(addr="::1")
        except OSError:
            raise Skip("no IPv6 here")
        with s6, Server() as s4:
            got = deliver(s6)
            one(got, "2.")
            want("host", got, got[0][0].host == "mx.test[::1]:%d" % s6.port)
            peer = []
            s4.replies["ehlo"] = lambda c, l: peer.append(c.sock.getpeername()[0]) or c.hello()
            one(deliver(s4, where=hop(s4.target(), more=[("s", "127.0.0.5")])), "2.")
            want("from there", peer, peer == ["127.0.0.5"])

    @check("a server that is ourselves")
    def _():
        with Server(name=b"CLIENT.test") as s:
            r = one(deliver(s), "5.4.6", "session")[0]
            want("it says what to do", r.text, "another hostname" in r.text)
        with Server(name=b"client.test", lmtp=True) as s:
            one(deliver(s, where=hop(s.target(), protocol="lmtp")), "2.")
        with Server(name=b"client.test") as us, Server(greeting=b"451 4.3.0 later") as better:
            one(deliver(us, where=hop(better.target(), us.target())), "4.3.0", "session")

    # ---- sessions that are kept

    @check("a session that ended meanwhile: a new one, and no harm")
    def _():
        with Server() as s, Worker(remote) as w:
            one(w.deliver(hop(s.target()), MESSAGE), "2.")
            s.sessions[-1].sock.shutdown(socket.SHUT_RDWR)
            one(w.deliver(hop(s.target()), MESSAGE), "2.")
            s.sessions[-1].say(b"421 idle for too long")
            one(w.deliver(hop(s.target()), MESSAGE), "2.")
            want("sessions", len(s.sessions), len(s.sessions) == 3)
        with Server(("PIPELINING",)) as s, Worker(remote) as w:
            one(w.deliver(hop(s.target()), MESSAGE), "2.")
            s.replies["mail"] = lambda c, l, old=s.sessions[0]: None if c is old else b"250 ok"
            one(w.deliver(hop(s.target()), MESSAGE), "2.")
            want("once more, over another one", len(s.sessions), len(s.sessions) == 2 and len(s.mails) == 2)

    @check("another destination: another connection")
    def _():
        with Server() as s, Server() as t, Worker(remote) as w:
            one(w.deliver(hop(s.target()), MESSAGE), "2.")
            one(w.deliver(hop(t.target(), key="smtp:other"), MESSAGE), "2.")
            one(w.deliver(hop(s.target()), MESSAGE), "2.")
            want("three", len(s.sessions) + len(t.sessions), len(s.sessions) == 2 and len(t.sessions) == 1)

    @check("the queue closes its side: QUIT, and the worker ends")
    def _():
        with Server() as s:
            with Worker(remote) as w:
                one(w.deliver(hop(s.target()), MESSAGE), "2.")
            until("the worker ends", lambda: not remote.workers())
            until("QUIT", lambda: s.sessions[0].lines[-1] == b"QUIT")

    @check("the queue closes its side in the middle: nothing is sent any more")
    def _():
        with Held() as held, Server(rcpt=lambda c, l: held.hang() or b"250 ok", offers=()) as s:
            w = Worker(remote)
            w.ask(hop(s.target()), MESSAGE)
            until("RCPT", lambda: s.sessions and len(s.sessions[0].lines) == 3)
            w.close()
            until("the worker ends, without an answer of the server's", lambda: not remote.workers(), 40)
            held.over.set()
            until("the server's session ends", lambda: s.sessions[0].ended)
            want("no mail", s.mails, not s.mails)

    def killed(remote, seconds):
        with Server() as s, Worker(remote) as other:
            one(other.deliver(hop(s.target()), MESSAGE), "2.")
            before = set(remote.workers())
            w = Worker(remote)
            w.deliver(hop(s.target()), MESSAGE)
            pid, = set(remote.workers()) - before
            os.kill(pid, signal.SIGSTOP)
            try:
                w.close()
                start = time.monotonic()
                remote.logged("worker-killed pid=%d why=" % pid)
                took = time.monotonic() - start
                want("not before remote.end-timeout and 5 s", took, seconds + 4.5 < took < 60)
                until("it is gone", lambda: pid not in remote.workers())
            finally:
                if pid in remote.workers():
                    os.kill(pid, signal.SIGKILL)
            one(other.deliver(hop(s.target()), MESSAGE), "2.")

    @check("one worker has no other's connection: it ends when its own is closed")
    def _():
        with Server() as s:
            before = set(remote.workers())
            some = [Worker(remote) for _ in range(4)]
            for w in some:
                one(w.deliver(hop(s.target()), MESSAGE), "2.")
            # nobody else may look at what they have open
            for pid in set(remote.workers()) - before if os.geteuid() == 0 else ():
                names = opened(pid)
                want("sockets: to queue, to the server, of the log", names, len([n for n in names if "socket:" in n]) <= 3)
            some[0].close()
            until("it ends", lambda: len(set(remote.workers()) - before) == 3)
            for w in some[1:]:
                one(w.deliver(hop(s.target()), MESSAGE), "2.")
                w.close()

    @check("a worker that can wait for nothing gives up at once, and ends")
    def _():
        with Deaf("127.0.0.1") as deaf:
            before, waiting = set(remote.workers()), connecting(deaf.port)
            with Worker(remote) as w:
                w.ask(hop(target(deaf.port), target(deaf.port, host="second.test")), MESSAGE)
                pid, = until("a worker", lambda: set(remote.workers()) - before)
                until("it waits for its connection", lambda: connecting(deaf.port) > waiting and sleeps(pid))
                blind(pid)
                start = time.monotonic()
                got = w.answer()
                want("at once, and not after 50 s", time.monotonic() - start, time.monotonic() - start < 25)
                want("a reason", got, one(got, "4.3.0", "connect")[0].text.startswith("wait for a connection: "))
                until("it ends", lambda: pid not in remote.workers())
            lines = [l for l in remote.log() if l.startswith("poll why=")]
            want("said when it happened, and at its end", lines, len(lines) == 2)

    @check("records that make no sense cost that worker, and nobody else")
    def _():
        for data in (b"x", record(("V", "deliver")), record(("V", "deliver"), ("I", "x"), ("O", 1), ("N", -1)), b"V3:"):
            w = Worker(remote)
            w.send(data)
            want("closed", data, w.sock.recv(100) == b"")
            w.close()

    @check("a file that is shorter than it should be: nothing is taken for the whole")
    def _():
        for offers in ((), ALL):
            for size in (10 ** 5, 10 ** 7):
                with Server(offers) as s, Worker(remote) as w:
                    w.id, w.n = "short", 1
                    fd = os.memfd_create("x")
                    os.write(fd, MESSAGE * 20)
                    w.send(record(("V", "deliver"), ("I", "short"), ("O", 0), ("N", size), ("S", "s@client.test"), ("B", "8bitmime"),
                                  ("H", hop(s.target())), ("R", record(("n", 0), ("a", "a@x.test")))), fd)
                    os.close(fd)
                    got = w.answer()
                    want("not sent", got, got[0][0].status[:1] in "45" and not s.mails)

    # ---- hostile servers; those that a time-out is for come together, where it is a short one

    waits = []

    def later(*test):
        waits.append(test)

    def memory():
        total = 0
        for pid in remote.workers():
            try:
                with open("/proc/%d/status" % pid, encoding="ascii") as f:
                    total = max([total] + [int(l.split()[1]) for l in f if l.startswith("VmHWM")])
            except OSError:
                pass
        return total

    def hostile(handle, status="4.", seconds=60, **more):
        """Ends with that status, while the server would go on, and in little memory."""
        with Held() as held, Server(handle=lambda c: handle(c, held), **more) as s, Worker(remote, timeout=seconds) as w:
            w.ask(hop(s.target()), MESSAGE, rcpts=("a@x.test", "b@x.test"))
            got = w.answer()
            one(got, status)
            want("little memory", "%d KiB" % memory(), memory() < 40000)
        for r in got[0]:
            want("a clean text", r.text, all(" " <= c <= "~" for c in r.text) and len(r.text) <= 1000)
        return got

    def forever(data, first=b""):
        def handle(c, _):
            c.sock.sendall(first)
            while True:
                c.sock.sendall(data)
        return handle

    def drip(data, pause, first=b""):
        def handle(c, _):
            c.sock.sendall(first)
            for b in iter(lambda: data, None):
                for i in range(len(b)):
                    c.sock.sendall(b[i:i + 1])
                    time.sleep(pause)
        return handle

    for name, handle in (
            ("a greeting without end", forever(b"220-hello\r\n")),
            ("a line without end", forever(b"x" * 65536, b"220 ")),
            ("NULs without end", forever(b"\0" * 65536)),
            ("an EHLO reply without end", forever(b"250-X" * 10 + b"\r\n", b"220 hi\r\n250-mx.test\r\n")),
            ("binary junk", lambda c, _: c.sock.sendall(bytes(range(256)) * 1000)),
            ("junk in a greeting", lambda c, _: c.sock.sendall(b"220 " + bytes(range(1, 256)).replace(b"\n", b"") + b"\r\n")),
            ("silence", lambda c, held: held.hang()),
            ("silence after the greeting", lambda c, held: c.say(b"220 hi") or held.hang()),
            ("a slow drip", drip(b"220-hello\r\n", 0.1)),
            ("a slow drip of nothing", drip(b"2", 0.1)),
            ("the end at once", lambda c, _: None),
            ("half a line", lambda c, _: c.sock.sendall(b"220 hi")),
            ("other codes in one reply", lambda c, _: c.say(b"220-hi", b"250 hi")),
            ("no code", lambda c, _: c.say(b"hello")),
            ("SSH", lambda c, _: c.say(b"SSH-2.0-OpenSSH_9.2") or c.line()),
            ("HTTP", lambda c, _: c.say(b"HTTP/1.1 400 Bad Request", b"") or c.line())):
        later("hostile: " + name, hostile, handle)

    def ending_at(stage, offers, how):
        """A server that ends, or goes on talking, when it gets to the stage."""
        def at(c, line):
            if how == "close":
                return None
            if how == "junk":
                return b"\xff\xfe\0\x80" * 1000
            if how == "more":
                return b"250-x\r\n" * 100000 + b"250 x"
            held.hang()
            return b"250 late"
        with Held() as held, Server(offers, **{stage: at}) as s, Worker(remote) as w:
            got = w.deliver(hop(s.target()), MESSAGE, rcpts=("a@x.test", "b@x.test"))
            results = one(got, "4.")
            twice = stage == "end" or (stage in ("mail", "rcpt") and "CHUNKING" in offers)
            want("told whether it may come twice", got, all(("twice" in r.text) == twice for r in results))
            want("not tried again at once", len(s.sessions), len(s.sessions) == 1)

    for stage in ("ehlo", "mail", "rcpt", "data", "end"):
        for offers in ((), ("PIPELINING",), ALL):
            if stage == "data" and offers == ALL:
                continue
            for how in ("close", "junk", "more", "silence"):
                (later if how == "silence" else tap.run)("hostile: %s at %s%s" % (
                    how, stage, ", " + " ".join(offers[:1] + offers[4:5]) if offers else ""), ending_at, stage, offers, how)

    @check("replies split at every byte")
    def _():
        class Slow(Session):
            def say(self, *lines):
                data = b"".join(l + b"\r\n" for l in lines)
                for i in range(len(data)):
                    self.sock.sendall(data[i:i + 1])
                    if i % 7 == 0:
                        time.sleep(0.001)
        with Server(handle=lambda c: setattr(c, "__class__", Slow) or c.serve()) as s:
            one(deliver(s), "2.")
            want("the mail", s.mails, len(s.mails) == 1)

    @check("answers before the questions")
    def _():
        def handle(c):
            c.say(b"220 hi", b"250-mx.test", b"250 PIPELINING", b"250 ok", b"250 ok", b"354 go", b"250 taken")
            time.sleep(1)
            while True:
                c.line()
        with Server(handle=handle) as s:
            got = deliver(s)    # who answers so has said it all the same
            want("one result", got, got[0][0].status[0] in "24")

    @check("RSET refused for good: the message is not to blame")
    def _():
        with Server(("PIPELINING", "LIMITS RCPTMAX=1"), data=b"451 4.3.0 no", rset=b"500 5.5.1 what?") as s:
            (a, b), end = deliver(s, rcpts=("a@x.test", "b@x.test"))
            want("both wait", (a, b), a.status == "4.3.0" and b.status[0] == "4")

    @check("a BDAT that failed: RSET before the next message")
    def _():
        for offers, said in ((("PIPELINING", "CHUNKING"), 1), (("CHUNKING",), 1), (("PIPELINING",), 0)):
            with Server(offers, end=b"451 4.3.0 later") as s, Worker(remote) as w:
                for _ in range(2):
                    one(w.deliver(hop(s.target()), MESSAGE), "4.3.0", "")
                want("RSET", s.sessions[0].lines, s.sessions[0].lines.count(b"RSET") == said)

    @check("nobody is accepted, and BDAT is not known: what follows may be replies to the content")
    def _():
        with Server(("PIPELINING", "CHUNKING"), rcpt=b"550 5.1.1 no", bdat=b"502 5.5.1 what?") as s:
            with Worker(remote) as w:
                got = w.deliver(hop(s.target()), MESSAGE)
                one(got, "5.1.1")
                want("not kept", got[1], not got[1].keep)

    @check("354 although all recipients were refused: an empty end, no content")
    def _():
        for offers in ((), ("PIPELINING",)):
            with Server(offers, rcpt=b"550 5.1.1 no", data=b"354 go") as s:
                one(deliver(s), "5.1.1")
                sent = [l for c in s.sessions for l in c.lines]
                want("no content", sent, b"end" not in sent)

    big = b"Subject: x\r\n\r\n" + (b"x" * 70 + b"\r\n") * 200000

    def stuck(c, held):
        held.hang()
        return b"250 ok"

    def early(c, _):
        c.say(b"552 5.3.4 too much")
        while select.select([c.sock], [], [], 3)[0]:
            if not c.sock.recv(1 << 20):
                break
        return None

    def last_words(c, held):
        c.say(b"552 5.3.4 too much")
        return stuck(c, held)

    def hang_up(c, _):
        c.say(b"552 5.3.4 too much")
        return None

    def no_reader(what, status):
        def data(c, line):
            c.say(b"354 go on")
            return what(c, held)
        with Held() as held, Server(("PIPELINING",), data=data) as s:
            got = deliver(s, big)
            want(status, got, got[0][0].status == status)

    later("a server that stops reading", no_reader, stuck, "4.4.1")
    later("a server that says no while it is being told", no_reader, early, "5.3.4")
    later("one that then stops reading", no_reader, last_words, "5.3.4")
    later("one that then hangs up", no_reader, hang_up, "5.3.4")
    later("another host is tried after the time-out", another_host)

    def alive():
        until("no workers are left", lambda: not remote.workers())
        crashes = [l for l in remote.log() if "worker-died" in l]
        want("no crash", crashes, not crashes)
        with Server() as s:
            one(deliver(s), "2.")
    tap.run("it is alive, and nothing crashed", alive)


with Remote(QUICK) as remote:
    threads = [threading.Thread(target=tap.run, args=test, daemon=True) for test in waits]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    tap.run("it is alive after that, too", alive)

with Remote(times(50, end=4)) as remote:
    tap.run("a worker that hangs is killed when queue has given it up, and nobody else", killed, remote, 4)

# ---- TLS, and logging in

work = tempfile.mkdtemp(prefix="posthouse-tls.")
os.chmod(work, 0o755)


def openssl(*args):
    subprocess.run(["openssl", *args], cwd=work, check=True, timeout=60, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def certificate(name, ca=True, days="2", subject="mx.test", alt="DNS:mx.test"):
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj",
            "/CN=" + subject)
    with open(os.path.join(work, name + ".ext"), "w", encoding="ascii") as f:
        f.write("subjectAltName=" + alt + "\n")
    how = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"] if ca else ["-signkey", name + ".key"]
    openssl("x509", "-req", "-in", name + ".csr", "-out", name + ".pem", "-days", days, "-extfile", name + ".ext", *how)


def context(name, **more):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(os.path.join(work, name + ".pem"), os.path.join(work, name + ".key"))
    for k, v in more.items():
        setattr(c, k, v)
    return c


openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj",
        "/CN=Test CA")
certificate("good")
certificate("other", alt="DNS:other.test")
certificate("own", ca=False)
certificate("ip", alt="IP:127.0.0.1")   # RFC 9525: its common name is no name
TLS = ALL + ("STARTTLS",)
SECRET = b"p:w=d,\xc3\xa4"
with open(os.path.join(work, "passwords"), "wb") as f:
    f.write(b"# for smarthosts\nmx.test:us,er=:%s\nMX.test:us,er=:later\n[127.0.0.1]:us,er=:%s\n" % (SECRET, SECRET))
os.chmod(os.path.join(work, "passwords"), 0o600)


class Scram:
    """The server's side of RFC 5802, by itself."""

    def __init__(self, name, password, lie=False, iterations=4096):
        self.hash, self.password, self.lie, self.iterations = name, password, lie, iterations

    def hmac(self, key, data):
        return hmac.new(key, data, self.hash).digest()

    def run(self, c, line):
        def ask(text):
            c.say(b"334 " + base64.b64encode(text))
            return base64.b64decode(c.line())
        first = base64.b64decode(line.split(b" ")[2])
        bare = first[3:]
        nonce = bare.split(b",r=")[1] + b"server"
        c.user = bare.split(b",r=")[0][2:].replace(b"=2C", b",").replace(b"=3D", b"=")
        begin = b"r=" + nonce + b",s=" + base64.b64encode(b"salt") + b",i=%d" % self.iterations
        final = ask(begin)
        without, proof = final.rsplit(b",p=", 1)
        salted = hashlib.pbkdf2_hmac(self.hash, self.password, b"salt", self.iterations)
        said = b",".join((bare, begin, without))
        key = self.hmac(salted, b"Client Key")
        signature = self.hmac(hashlib.new(self.hash, key).digest(), said)
        if bytes(a ^ b for a, b in zip(base64.b64decode(proof), signature)) != key or without != b"c=biws,r=" + nonce:
            return b"535 5.7.8 wrong"
        answer = self.hmac(self.hmac(salted, b"Server Key"), said)
        if self.lie:
            answer = bytes(len(answer))
        ask(b"v=" + base64.b64encode(answer))
        c.logged = True
        return b"235 2.7.0 ok"


def log_in(how):
    """A server's AUTH."""
    def auth(c, line):
        c.mechanism = line.split(b" ")[1]
        if c.mechanism.startswith(b"SCRAM"):
            return how.run(c, line)
        if c.mechanism == b"PLAIN":
            _, c.user, password = base64.b64decode(line.split(b" ")[2]).split(b"\0")
        else:
            c.say(b"334 VXNlcm5hbWU6")
            c.user = base64.b64decode(c.line())
            c.say(b"334 UGFzc3dvcmQ6")
            password = base64.b64decode(c.line())
        c.logged = password == SECRET
        return b"235 2.7.0 ok" if c.logged else b"535 5.7.8 wrong"
    return auth


with Remote(CONF, ca=os.path.join(work, "ca.pem")) as remote:
    def tls(server, level, status="2.", **more):
        with Worker(remote) as w:
            got = w.deliver(hop(server.target(**more), tls=level), MESSAGE)
        one(got, status)
        return got[0][0]

    @check("STARTTLS: with any certificate, or one that proves the name")
    def _():
        for name, verified in (("good", True), ("other", False), ("own", False)):
            for level in ("opportunistic", "required"):
                with Server(TLS, context=context(name)) as s:
                    got = tls(s, level)
                    want("TLS", got, got.tls.startswith("TLSv1.3 ") and got.tls.endswith(" verified") == verified)
                    lines = s.sessions[0].lines
                    want("EHLO again, and not before", lines, [l.split(b" ")[0] for l in lines[:4]] == [
                        b"EHLO", b"STARTTLS", b"EHLO", b"MAIL"])
            with Server(TLS, context=context(name)) as s:
                got = tls(s, "verified", "2." if verified else "4.7.5")
                want("says why", got, verified or "certificate" in got.text)
                want("nothing was said", s.mails, len(s.mails) == verified)

    @check("large content through TLS")
    def _():
        big = MESSAGE + (b"x" * 70 + b"\r\n") * 100000
        for offers in (("STARTTLS",), ("STARTTLS", "PIPELINING", "CHUNKING")):
            with Server(offers, context=context("good")) as s, Worker(remote) as w:
                one(w.deliver(hop(s.target(), tls="verified"), big), "2.")
                want("all of it", len(s.mails[0][2]), s.mails[0][2] == big)

    @check("SNI, and an address instead of a name")
    def _():
        names = []
        c = context("good")
        c.sni_callback = lambda sock, name, ctx: names.append(name)
        with Server(TLS, context=c) as s:
            tls(s, "verified")
            want("SNI", names, names == ["mx.test"])
        with Server(TLS, context=context("ip")) as s:
            got = tls(s, "verified", host="")
            tls(s, "verified", "4.7.5")

    @check("TLS from the first byte")
    def _():
        with Server(ALL, context=context("good"), implicit=True) as s:
            want("verified", "", tls(s, "implicit").tls.endswith(" verified"))
        with Server(ALL, context=context("other"), implicit=True) as s:
            tls(s, "implicit", "4.7.5")
        with Server(ALL) as s:
            tls(s, "implicit", "4.7.5")

    @check("TLS that is off is not used; that is required and not offered, nothing is")
    def _():
        with Server(TLS, context=context("good")) as s:
            want("clear", "", tls(s, "off").tls == "")
        for level in ("required", "verified"):
            with Server(ALL) as s:
                tls(s, level, "4.7.4")
                want("no MAIL", s.mails, not s.mails)

    @check("TLS that fails: in the clear, and remembered; never where it is required")
    def _():
        def broken(c):
            c.serve()
        for how in ("454", "junk", "old"):
            more = {"starttls": b"454 4.7.0 not now"} if how == "454" else {}
            c = context("good", maximum_version=ssl.TLSVersion.TLSv1_1) if how == "old" else context("good")

            def junk(session, line):
                session.say(b"220 go")
                session.recv()
                session.sock.sendall(b"junk junk junk")
                raise EOFError
            if how == "junk":
                more = {"starttls": junk}
            with Server(TLS, context=c, **more) as s:
                with Worker(remote) as w:
                    for _ in range(2):
                        got = w.deliver(hop(s.target(), tls="opportunistic"), MESSAGE)
                        one(got, "2.")
                        want("clear", got, got[0][0].tls == "")
                        one(w.deliver(hop(target(1), key="other"), MESSAGE), "4.")
                tries = [l for x in s.sessions for l in x.lines].count(b"STARTTLS")
                want("tried once", tries, tries == (2 if how == "454" else 1))
                n = len(s.mails)
                tls(s, "required", "4.7.")
                want("nothing more", s.mails, len(s.mails) == n)

    @check("TLS that ends right after the handshake, as if there were no client's certificate")
    def _():
        def ends(c, line):
            if c.tls:
                return None
            return c.hello()
        with Server(TLS, context=context("good"), ehlo=ends) as s:
            want("clear", "", tls(s, "opportunistic").tls == "")
            tls(s, "required", "4.4.2")

    @check("what was sent behind the answer to STARTTLS is not believed")
    def _():
        def inject(c, line):
            c.say(b"220 go on", b"250-mx.test", b"250 AUTH PLAIN")
            c.start_tls()
            return b""
        for level, status in (("required", "4.7.5"), ("verified", "4.7.5")):
            with Server(TLS, context=context("good"), starttls=inject) as s:
                got = tls(s, level, status)
                want("told", got, "more than its reply" in got.text)

with Remote(QUICK, ca=os.path.join(work, "ca.pem")) as remote:
    @check("a handshake that hangs")
    def _():
        with Held() as held, Server(TLS, starttls=lambda c, l: c.say(b"220 go") or held.hang() or b"") as s:
            tls(s, "required", "4.7.5")

AUTH = CONF + "remote.auth mx.test us,er=\nremote.auth [127.0.0.1] us,er=\nremote.passwords %s/passwords\n" % work
with Remote(AUTH, ca=os.path.join(work, "ca.pem")) as remote:
    def logged_in(mechanisms, how=None, level="opportunistic", status="2.", name="good"):
        with Server(TLS, context=context(name), auth=log_in(how)) as s:
            s.replies["offers"] = lambda c: ["STARTTLS", "PIPELINING"] if not c.tls else ["AUTH " + mechanisms, "PIPELINING"]
            got = tls(s, level, status)
            if status == "2.":
                c = s.sessions[-1]
                want("the user", c.user, c.logged and c.user == b"us,er=")
                want("the best mechanism", c.mechanism, c.mechanism == mechanisms.split()[-1].encode())
            else:
                want("nothing was sent", s.mails, not s.mails)
            return got

    for mechanism in ("LOGIN", "LOGIN PLAIN", "PLAIN SCRAM-SHA-1", "PLAIN LOGIN SCRAM-SHA-1 SCRAM-SHA-256"):
        tap.run("AUTH " + mechanism, logged_in, mechanism,
                Scram("sha256" if "256" in mechanism else "sha1", SECRET))

    @check("AUTH that fails: the mail waits, the password stays")
    def _():
        for scram in (Scram("sha256", b"other"), Scram("sha256", SECRET, lie=True),
                      Scram("sha256", SECRET, iterations=1), Scram("sha256", SECRET, iterations=10 ** 8)):
            logged_in("SCRAM-SHA-256", scram, status="4.7.")
        logged_in("GSSAPI", status="4.7.0")

    @check("AUTH only over TLS, and only where the name is proven, unless told otherwise")
    def _():
        with Server(ALL + ("AUTH PLAIN",), auth=log_in(None)) as s:
            tls(s, "off", "4.7.11")
            tls(s, "opportunistic", "4.7.4")
            want("no AUTH", s.sessions, not any(l.startswith(b"AUTH") for c in s.sessions for l in c.lines))
        logged_in("PLAIN", level="opportunistic", name="own", status="4.7.5")
        logged_in("PLAIN", level="required", name="own")

    @check("AUTH at a server that has no name but its address")
    def _():
        with Server(TLS, context=context("ip"), auth=log_in(None)) as s:
            s.replies["offers"] = lambda c: ["AUTH PLAIN", "STARTTLS"]
            tls(s, "opportunistic", host="")
            want("logged in, in the name that the certificate proves", s.sessions[-1].lines,
                 s.sessions[-1].logged and s.sessions[-1].user == b"us,er=")

    @check("the password is in no line of the log")
    def _():
        text = "\n".join(remote.log()).encode()
        want("no secret", text, SECRET not in text and base64.b64encode(SECRET) not in text)


def write(name, data, mode=0o600):
    with open(os.path.join(work, name), "wb") as f:
        f.write(data)
    os.chmod(os.path.join(work, name), mode)


with Remote(AUTH, ca=os.path.join(work, "changing.pem")) as remote:
    def try_login(worker, server, status):
        one(worker.deliver(hop(server.target(), tls="opportunistic"), MESSAGE), status)

    def reloaded(word):
        n = sum(word in l for l in remote.log())
        remote.reload(AUTH)
        until(word, lambda: sum(word in l for l in remote.log()) > n)

    @check("reload: passwords and certificates as they are now, for new workers; a session goes on")
    def _():
        good = open(os.path.join(work, "passwords"), "rb").read()
        with Server(TLS, context=context("good"), auth=log_in(None)) as s, Worker(remote) as w:
            s.replies["offers"] = lambda c: ["STARTTLS", "AUTH PLAIN"]
            try_login(w, s, "4.7.5")            # nobody to prove the certificate
            write("changing.pem", open(os.path.join(work, "ca.pem"), "rb").read())
            write("passwords", good.replace(SECRET, b"wrong"))
            reloaded("reloaded")
            with Worker(remote) as other:
                try_login(other, s, "4.7.8")    # proven, and the password is the wrong one
            write("passwords", good)
            reloaded("reloaded")
            with Worker(remote) as kept:
                try_login(kept, s, "2.")
                n = len(s.sessions)
                write("passwords", good.replace(SECRET, b"wrong"))
                reloaded("reloaded")
                try_login(kept, s, "2.")
                want("the same session", len(s.sessions), len(s.sessions) == n)
                with Worker(remote) as other:
                    try_login(other, s, "4.7.8")
                write("passwords", good)

    @check("reload: what cannot be used leaves the old ones in force")
    def _():
        good = open(os.path.join(work, "passwords"), "rb").read()
        pem = open(os.path.join(work, "ca.pem"), "rb").read()
        reloaded("reloaded")
        for name, data, mode in (("passwords", b"mx.test:us,er=:wrong\n", 0o644), ("changing.pem", b"nothing\n", 0o600),
                                 ("changing.pem", pem.replace(b"M", b"N"), 0o600)):
            write(name, data, mode)
            reloaded("reload why=")
            with Server(TLS, context=context("good"), auth=log_in(None)) as s, Worker(remote) as w:
                s.replies["offers"] = lambda c: ["STARTTLS", "AUTH PLAIN"]
                try_login(w, s, "2.")
            write("passwords", good)
            write("changing.pem", pem)


@check("a file of passwords that others can read is refused")
def _():
    os.chmod(os.path.join(work, "passwords"), 0o640)
    try:
        with Remote(AUTH):
            raise Wrong("it started")
    except Wrong as e:
        want("says why", str(e), "0600" in str(e))
    os.chmod(os.path.join(work, "passwords"), 0o600)


# ---- LMTP by a path; the life of the program

path = os.path.join(work, "lmtp.sock")
with Server(("PIPELINING",), addr=path, lmtp=True) as s, Server(("PIPELINING",), addr=path + "2", lmtp=True) as other:
    os.chmod(path, 0o666)
    os.chmod(path + "2", 0o666)
    with Remote(CONF + "transport x.test lmtp:%s\n" % path) as remote:
        @check("LMTP at a socket with a path")
        def _():
            with Worker(remote) as w:
                got = w.deliver(hop(target(24, addr=path, host=""), protocol="lmtp"), MESSAGE, rcpts=("a@x.test", "b@x.test"))
                one(got, "2.")
                want("host", got, got[0][0].host == path)

        @check("no other path than those of transport lines")
        def _():
            with Worker(remote) as w:
                one(w.deliver(hop(target(24, addr=path + "2", host=""), protocol="lmtp"), MESSAGE), "4.4.1", "connect")
            want("not reached", other.sessions, not other.sessions)

with Remote(times(50, "300ms")) as remote:
    @check("remote.idle-timeout: QUIT, and the worker still serves")
    def _():
        with Server() as s, Worker(remote) as w:
            one(w.deliver(hop(s.target()), MESSAGE), "2.")
            until("QUIT", lambda: s.sessions[0].lines[-1] == b"QUIT")
            one(w.deliver(hop(s.target()), MESSAGE), "2.")

with Remote(CONF + "remote.workers 2\nremote.session-messages 2\n") as remote:
    @check("remote.workers: the third waits")
    def _():
        with Held() as held, Server(end=lambda c, r: held.hang() or b"250 ok") as s:
            workers = [Worker(remote) for _ in range(3)]
            for w in workers:
                w.ask(hop(s.target()), MESSAGE)
            until("two wait for the server", lambda: len(s.sessions) == 2 and all(c.rcpts for c in s.sessions))
            time.sleep(1)
            want("two at a time", len(s.sessions), len(s.sessions) == 2)
            held.over.set()
            for w in workers[:2]:
                one(w.answer(), "2.")
            want("still two", len(s.sessions), len(s.sessions) == 2)
            workers[0].close()
            one(workers[2].answer(), "2.")
            for w in workers:
                w.close()

    @check("remote.session-messages: then it is not kept")
    def _():
        with Server() as s, Worker(remote) as w:
            kept = [w.deliver(hop(s.target()), MESSAGE)[1].keep for _ in range(4)]
            want("every second one", kept, kept == [True, False, True, False])
            want("sessions", len(s.sessions), len(s.sessions) == 2)

    def stopped(verb, offers):
        there = threading.Event()
        with Held() as held, Server(offers, **{verb: lambda c, r: there.set() or held.hang() or b"250 ok"}) as s:
            w = Worker(remote)
            w.ask(hop(s.target()), MESSAGE)
            want("it was sent", None, there.wait(60))
            for pid in remote.workers():
                os.kill(pid, 15)
            time.sleep(1)
            held.over.set()
            one(w.answer(), "2.")
            want("once", len(s.mails), len(s.mails) == 1)
            w.close()

    tap.run("told to stop while the content's end is waited for: the answer counts", stopped, "end", ("PIPELINING",))
    # it went with them in one piece
    tap.run("told to stop before that, but all has been sent: the answers count", stopped, "mail", ALL)
    tap.run("the same while RCPT is answered", stopped, "rcpt", ALL)

    @check("told to stop while the recipients of an LMTP server are answered for, slowly: five seconds for all of them")
    def _():
        there = threading.Event()

        def slowly(c, rcpts):
            """They are heard of one by one."""
            there.set()
            for r in rcpts:
                time.sleep(2)
                c.say(b"250 2.1.5 taken " + r)
            return []
        with Server((), lmtp=True, ends=slowly) as s:
            w = Worker(remote)
            w.ask(hop(s.target(), protocol="lmtp"), MESSAGE, rcpts=["u%d@x.test" % n for n in range(6)])
            want("it was sent", None, there.wait(60))
            start = time.monotonic()
            for pid in remote.workers():
                os.kill(pid, 15)
            got, done = w.answer()
            took = time.monotonic() - start
            want("not all of them", (took, got), took < 8)
            want("those that were answered in time", got, [r.status[0] for r in got] == ["2"] * 2 + ["4"] * 4)
            want("the others may come twice", got, all("may come twice" in r.text for r in got[2:]))
            w.close()

    @check("told to stop before: it ends at once, and nothing is sent")
    def _():
        until("none of before", lambda: not remote.workers())
        with Held() as held, Server((), rcpt=lambda c, r: held.hang() or b"250 ok") as s:
            w = Worker(remote)
            w.ask(hop(s.target()), MESSAGE)
            until("RCPT", lambda: s.sessions and len(s.sessions[0].lines) == 3)
            for pid in remote.workers():
                os.kill(pid, 15)
            until("it ends, without an answer of the server's", lambda: not remote.workers(), 40)
            held.over.set()
            until("the server's session ends", lambda: s.sessions[0].ended)
            want("no mail", s.mails, not s.mails)
            w.close()

    @check("a worker that dies of a fault ends the program with 70")
    def _():
        until("none of before", lambda: not remote.workers())
        w = Worker(remote)
        pid = until("a worker", lambda: remote.workers())[0]
        os.kill(pid, 6)
        want("status", remote.process.wait(60), remote.process.returncode == 70)
        remote.logged("worker-died", "signal=6")
        w.close()


# ---- peers

@check("Postfix's smtp-sink, and aiosmtpd")
def _():
    sink = shutil.which("smtp-sink", path=os.environ.get("PATH", "") + ":/usr/sbin")
    try:
        from aiosmtpd.controller import Controller
    except ImportError:
        Controller = None
    if sink is None and Controller is None:
        raise Skip("neither is installed")
    with Remote(CONF) as r, Worker(r) as w:
        if sink:
            port = free_port()
            user = ["-u", "nobody"] if os.geteuid() == 0 else []
            for args in ([], ["-e"], ["-p"], ["-L"]):
                p = subprocess.Popen([sink, *user, *args, "127.0.0.1:%d" % port, "100"])
                try:
                    until("smtp-sink listens", lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
                    for _ in range(2):
                        one(w.deliver(hop(target(port), protocol="lmtp" if args == ["-L"] else "smtp"), MESSAGE,
                                      rcpts=("a@x.test", "b@x.test")), "2.")
                finally:
                    p.terminate()
                    p.wait()
        if Controller:
            got = []

            class Handler:
                async def handle_DATA(self, server, session, envelope):
                    got.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
                    return "250 ok"
            c = Controller(Handler(), hostname="127.0.0.1", port=0)
            c.port = free_port()
            c.start()
            try:
                one(w.deliver(hop(target(c.port)), MESSAGE, rcpts=("a@x.test", "b@x.test")), "2.")
            finally:
                c.stop()
            want("the same", got, got == [("s@client.test", ["a@x.test", "b@x.test"], MESSAGE)])

shutil.rmtree(work, ignore_errors=True)
sys.exit(tap.end())
