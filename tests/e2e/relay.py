"""Mail for other hosts, the whole way: smtpd, queue, hop, remote, and a server
that is told what to answer. Results in the log, in mailq and in reports to the
sender. Stages of its own. TAP."""
import email
import os
import re
import signal
import smtplib
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ADDR, ROOT, Skip, Smtp, Stage, Tap, free_port, ident, message, until, want, word  # noqa: E402
from sink import Sink  # noqa: E402

ALICE = b"alice@example.test"


def submit(st, to, w, sender=ALICE, extra=b"", rcpt=b"", body=b"hello\r\n"):
    """A message by SMTP with parameters of MAIL and RCPT; its id."""
    with Smtp(st.smtp) as c:
        c.say(b"EHLO client.test\r\n", "250")
        c.say(b"MAIL FROM:<" + sender + b">" + extra + b"\r\n", "250")
        for one in (to if isinstance(to, (list, tuple)) else [to]):
            c.say(b"RCPT TO:<" + one + b">" + rcpt + b"\r\n", "250")
        c.say(b"DATA\r\n", "354")
        return ident(c.say(message(w, body) + b".\r\n", "250"))


def parts(raw):
    """Text, fields of the message, fields of each recipient of a report."""
    m = email.message_from_bytes(raw)
    want("a report", m.get_content_type(), m.get_content_type() == "multipart/report")
    text, status = m.get_payload()[:2]
    blocks = status.get_payload()
    return text.get_payload(), blocks[0], blocks[1:]


def report(st, user, w, seconds=30):
    return parts(st.came(user, w, 1, seconds)[0])


# ---- what goes well

def whole(st, sink):
    w = word("whole")
    body = b".dot\r\n..two\r\n" + b"x" * 998 + b"\r\n.\x41\r\n\r\nend without more\r\n"
    msgid = submit(st, b"x@sink.test", w, body=body.replace(b"\r\n.", b"\r\n..").replace(b".dot", b"..dot", 1))
    m = sink.got(w)[0]
    want("sender", m.sender, b"FROM:<alice@example.test>" in m.sender)
    want("recipient", m.rcpts, [r.split(b" ")[1] for r in m.rcpts] == [b"TO:<x@sink.test>"])
    want("content after the trace field", m.content[-300:], m.content.endswith(message(w, body)))
    want("trace field", m.content[:200], m.content.startswith(b"Received: "))
    line = st.logged("delivered", msgid, "relay=")
    want("the server in the log", line, re.search(r"relay=\S*\[?127\.0\.0\.1\]?:%d" % sink.port, line))
    want("its words in the log", line, "taken as X" in line)
    st.logged("done", msgid)


def together(st, sink):
    """Recipients of one destination go in one transaction."""
    w = word("together")
    submit(st, [b"r%d@sink.test" % i for i in range(30)], w)
    found = sink.got(w)
    time.sleep(0.3)
    found = sink.got(w)
    want("one transaction", len(found), len(found) == 1)
    want("30 recipients", len(found[0].rcpts), len(found[0].rcpts) == 30)


def mixed(st, sink):
    w = word("mixed")
    msgid = submit(st, [b"bob@example.test", b"y@sink.test", b"faraway@example.test"], w)
    st.came("bob", w)
    until("both recipients of the sink", lambda: sorted(
        r for m in sink.got(w) for r in m.rcpts) == [b"RCPT TO:<y@sink.test>", b"RCPT TO:<z@sink.test>"] or None)
    st.logged("done", msgid)


def reuse(st, sink):
    """Many messages that wait together, few connections."""
    w, before = word("reuse"), sink.connections
    sink.go.clear()
    try:
        for _ in range(40):
            submit(st, b"x@sink.test", w)
    finally:
        sink.go.set()
    sink.got(w, 40)
    want("connections for 40 messages", sink.connections - before, sink.connections - before <= 25)


def limited(st, sink):
    """A destination with settings of its own: no more connections than it may have."""
    w, sink.most = word("limited"), 0
    with smtplib.SMTP(ADDR, st.smtp, timeout=30) as c:
        for i in range(100):
            c.sendmail("alice@example.test", ["x%d@off.test" % i], message(w))
    sink.got(w, 100, 120)
    want("connections at a time", sink.most, 1 <= sink.most <= 3)


def local_command(st, sink):
    if not os.path.exists(os.path.join(st.dir, "bin", "sendmail")):
        raise Skip("no sendmail")
    w = word("command")
    r = subprocess.run([os.path.join(st.dir, "bin", "sendmail"), "-C", st.conf, "-f", "alice@example.test", "x@sink.test"],
                       input=message(w).replace(b"\r\n", b"\n"), timeout=30)
    want("exit status", r.returncode, r.returncode == 0)
    sink.got(w)


def lmtp(st, sink, taker):
    w = word("lmtp")
    msgid = submit(st, [b"good@lmtp.test", b"bad@lmtp.test"], w)
    m = taker.got(w)[0]
    want("who took it", m.rcpts, m.rcpts == [b"RCPT TO:<good@lmtp.test>"])
    st.logged("failed", msgid, "bad@lmtp.test", "5.2.2")
    _, _, failed = report(st, "alice", w)
    who = [f["Final-Recipient"].replace(" ", "") for f in failed]
    want("one recipient failed", who, who == ["rfc822;bad@lmtp.test"])


def chunks(st, sink, taker):
    w = word("chunks")
    body = b"".join(b"line %d of many\r\n" % i for i in range(20000))
    submit(st, b"x@chunk.test", w, body=body)
    m = taker.got(w)[0]
    want("content", len(m.content), m.content.endswith(message(w, body)))


# ---- what goes wrong

def refused(st, sink):
    w = word("refused")
    msgid = submit(st, [b"nobody@sink.test", b"x@sink.test"], w, extra=b" ENVID=abc123")
    sink.got(w)
    st.logged("failed", msgid, "nobody@sink.test", "5.1.1")
    text, per, failed = report(st, "alice", w)
    want("the server's words in the text", text, "no such person" in text)
    want("envelope id", per["Original-Envelope-Id"], per["Original-Envelope-Id"] == "abc123")
    want("recipients that failed", len(failed), len(failed) == 1)
    f = failed[0]
    want("action", f["Action"], f["Action"] == "failed")
    want("status", f["Status"], f["Status"] == "5.1.1")
    want("diagnostic", f["Diagnostic-Code"], re.match(r"smtp; ?550 5\.1\.1 .*no such person", f["Diagnostic-Code"] or "",
                                                      re.S))
    want("server", f["Remote-MTA"], (f["Remote-MTA"] or "").startswith("dns;"))


def later(st, sink):
    """450 waits, mailq says why, and it goes when the server lets it."""
    w = word("later")
    sink.lazy = True
    msgid = submit(st, b"lazy@sink.test", w)
    st.logged("deferred", msgid, "4.2.1", "come back")
    until("mailq tells", lambda: "come back" in st.command("-f", st.conf, program="mailq")[1])
    sink.lazy = False
    st.command("-f", st.conf, "flush", msgid, program="postq")
    want("content", len(sink.got(w)), len(sink.got(w)) == 1)
    st.logged("done", msgid)


def down(st, sink, port):
    w = word("down")
    ids = [submit(st, b"x%d@down.test" % i, w) for i in range(20)]
    for i in ids:
        st.logged("waits", i)
    want("mail for others goes on", len(submit(st, b"x@sink.test", word("beside"))), True)
    with Sink(port) as late:
        st.command("-f", st.conf, "flush", "ALL", program="postq")
        late.got(w, 20)
    for i in ids:
        st.logged("done", i)


def nowhere(st, sink):
    """Refused at the door; what an alias sends there comes back."""
    with Smtp(st.smtp) as c:
        c.say(b"EHLO client.test\r\n", "250")
        c.say(b"MAIL FROM:<alice@example.test>\r\n", "250")
        c.say(b"RCPT TO:<x@none.test>\r\n", "550")
    w = word("nowhere")
    msgid = submit(st, b"astray@example.test", w)
    st.logged("failed", msgid, "status=5.")
    _, _, failed = report(st, "alice", w)
    want("action", failed[0]["Action"], failed[0]["Action"] == "failed")


def closing(st, sink):
    """A server that goes in the middle: it comes again, and is whole."""
    w = word("closing")
    for when in (b"GREETING", b"EHLO", b"MAIL", b"RCPT", b"DATA", b"END"):
        until("no connection is kept", lambda: sink.open == 0)
        sink.closes = when
        try:
            msgid = submit(st, b"x@sink.test", w + when)
            st.logged("deferred", msgid)
        finally:
            sink.closes = None
        st.command("-f", st.conf, "flush", msgid, program="postq")
        m = sink.got(w + when)
        want("whole", m[0].content[-200:], m[0].content.endswith(message(w + when)))
        st.logged("done", msgid)


def tells_success(st, sink):
    """Without DSN at the server the report is ours: relayed (RFC 3461 5.2.2)."""
    w = word("success")
    submit(st, b"x@sink.test", w, rcpt=b" NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;X@Sink.Test")
    m = sink.got(w)[0]
    want("no NOTIFY at a server without DSN", m.rcpts, b"NOTIFY" not in m.rcpts[0])
    _, _, told = report(st, "alice", w)
    want("action", told[0]["Action"], told[0]["Action"] == "relayed")
    want("original recipient", told[0]["Original-Recipient"], told[0]["Original-Recipient"].replace(" ", "") == "rfc822;X@Sink.Test")


def hands_on(st, sink, taker):
    """With DSN the server is asked, and we say nothing."""
    w = word("handed")
    submit(st, b"x@chunk.test", w, extra=b" RET=HDRS ENVID=e1", rcpt=b" NOTIFY=SUCCESS ORCPT=rfc822;x@chunk.test")
    m = taker.got(w)[0]
    want("MAIL", m.sender, b"RET=HDRS" in m.sender and b"ENVID=e1" in m.sender)
    want("RCPT", m.rcpts, b"NOTIFY=SUCCESS" in m.rcpts[0] and b"ORCPT=rfc822;x@chunk.test" in m.rcpts[0])
    time.sleep(1)
    want("no report of ours", len([1 for x in st.mails("alice").values() if w in x]),
         not [1 for x in st.mails("alice").values() if w in x])


def eight_bit(st, sink, taker):
    """A server without 8BITMIME gets a form that survives."""
    w = word("eight")
    mail = (b"From: <alice@example.test>\r\nSubject: " + w + b"\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            b"Gr\xc3\xbc\xc3\x9fe\r\n")
    with smtplib.SMTP(ADDR, st.smtp, timeout=30) as c:
        c.sendmail("alice@example.test", ["x@seven.test"], mail, mail_options=["BODY=8BITMIME"])
    m = taker.got(w)[0]
    want("seven bits", m.content[-100:], max(m.content) < 128)
    got = email.message_from_bytes(m.content)
    want("the same text", got.get_payload(decode=True), got.get_payload(decode=True).rstrip() == b"Gr\xc3\xbc\xc3\x9fe")


# ---- deaths

def kills(st, sink):
    """Processes die while mail flows: everything comes, some of it twice."""
    w = word("kill")
    sent = []
    for i in range(60):
        sent.append(w + b"-%d." % i)
        submit(st, [b"k%d@sink.test" % i, b"lazy@sink.test"] if i % 7 == 0 else b"k%d@sink.test" % i, sent[-1])
        if i % 10 == 5:
            name = ("queue", "remote", "hop")[i // 10 % 3]
            # after the deaths before it may not be there just now
            pid = until("a process of " + name, lambda name=name: re.search(
                r"(?m)^%s +(\d+)" % name, st.posthouse("status")[1]))
            os.kill(int(pid[1]), signal.SIGKILL)
    st.command("-f", st.conf, "flush", "ALL", program="postq")

    def missing():
        here = b"\n".join(m.content for m in list(sink.mails))
        return [x for x in sent if x not in here]
    end = time.monotonic() + 120
    while missing() and time.monotonic() < end:
        time.sleep(2)
        st.command("-f", st.conf, "flush", "ALL", program="postq")
    want("nothing missing", len(missing()), not missing())


def answers(sink):
    """What the main sink says."""
    def answer(line):
        if sink.closes and line.startswith(sink.closes):
            return b"CLOSE"
        if line.startswith(b"END"):
            sink.go.wait(120)
        if line.startswith(b"RCPT TO:<nobody@"):
            return b"550 5.1.1 no such person here"
        if line.startswith(b"RCPT TO:<lazy@") and sink.lazy:
            return b"450 4.2.1 come back later"
        return None
    sink.lazy, sink.closes, sink.go = False, None, threading.Event()
    sink.go.set()
    return answer


def chain(tap):
    """Two stages: one hands on to the other, which delivers."""
    with Stage("hostname mx.far.test\ndomain far.test\n") as b, Stage(STAGE_SMARTHOST="%s:%d" % (ADDR, b.smtp)) as a:
        def handed():
            w = word("chain")
            body = b"".join(b"%d\r\n" % i for i in range(5000))
            msgid = submit(a, b"bob@far.test", w, sender=b"s@client.test", body=body)
            got = b.came("bob", w)[0]
            plain = got.replace(b"\r\n", b"\n")
            want("content", plain[-200:], plain.endswith(message(w, body).replace(b"\r\n", b"\n")))
            want("two trace fields", plain[:600], plain.count(b"\nReceived: ") == 2)
            a.logged("done", msgid)
        tap.run("from one suite to another, into the mailbox", handed)


def main():
    tap = Tap()
    port = free_port()
    sink = Sink()
    sink.answer = answers(sink)
    taker = Sink(lmtp=True, answer=lambda l: b"552 5.2.2 full" if l.startswith(b"END RCPT TO:<bad@") else None)
    modern = Sink(features=(b"PIPELINING", b"CHUNKING", b"8BITMIME", b"DSN", b"SIZE 90000000", b"SMTPUTF8"))
    plain = Sink(features=(b"SIZE",))
    conf = "".join("transport %s %s\n" % pair for pair in (
        ("sink.test", "smtp:[%s]:%d" % (ADDR, sink.port)), ("down.test", "smtp:[%s]:%d" % (ADDR, port)),
        ("lmtp.test", "lmtp:[%s]:%d" % (ADDR, taker.port)), ("chunk.test", "smtp:[%s]:%d" % (ADDR, modern.port)),
        ("off.test", "smtp:[%s]:%d" % (ADDR, sink.port)), ("seven.test", "smtp:[%s]:%d" % (ADDR, plain.port)), ("none.test", "none")))
    with Stage(conf + "remote.tls off.test off\nremote.rate off.test 1000\nremote.connections off.test 3\naliases @DIR@/more\n", files={"more": "faraway: z@sink.test\nastray: x@none.test\n"}) as st:
        tap.run("byte for byte, with its trace field, and told of in the log", whole, st, sink)
        tap.run("recipients of one destination go together", together, st, sink)
        tap.run("recipients here and there, and an alias that leads there", mixed, st, sink)
        tap.run("a connection is used again", reuse, st, sink)
        until("no connection is open", lambda: sink.open == 0)
        tap.run("no more connections than a destination may have", limited, st, sink)
        tap.run("from sendmail(8)", local_command, st, sink)
        tap.run("LMTP: each recipient has an answer of its own", lmtp, st, sink, taker)
        tap.run("CHUNKING", chunks, st, sink, modern)
        tap.run("a recipient is refused: a report with the server's words", refused, st, sink)
        tap.run("not now: it waits, mailq says why, it goes", later, st, sink)
        tap.run("a host that is down", down, st, sink, port)
        tap.run("a domain that mail must not go to", nowhere, st, sink)
        tap.run("a server that goes at each point", closing, st, sink)
        tap.run("success is told by us if the server cannot", tells_success, st, sink)
        tap.run("success is the server's affair if it can", hands_on, st, sink, modern)
        tap.run("eight bits to a server of seven", eight_bit, st, sink, plain)
        tap.run("deaths of queue, remote and hop", kills, st, sink)
    chain(tap)
    return tap.end()


sys.exit(main())
