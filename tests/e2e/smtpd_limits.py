"""Every limit of the services that listen: that it holds, what the client is
told, and that somebody else is served meanwhile. Stages of its own, with small
limits. TAP on standard output."""
import os
import select
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import BIN, LONG, Lines, Pop3, Smtp, Stage, Tap, Wrong, below, message, send, until, want, word  # noqa: E402

TX = b"MAIL FROM:<s@client.test>\r\nRCPT TO:<alice@example.test>\r\n"
covered = set()


def covers(*keys):
    def mark(f):
        covered.update(keys)
        return f
    return mark


def served(st, source=None, port=None):
    """Somebody else's message is taken, while those are there who want too much."""
    with Smtp(port or st.smtp, source) as c:
        c.begin(hello=b"LHLO x" if port == st.lmtp else b"EHLO x")
        c.data(message(b"other"))


def refused(port, code, source=None):
    with Lines(port, source) as c:
        got = c.line()
        want("wanted " + code, got, got is not None and got.startswith(code.encode()))
        want("and the end", c.buf, c.closed())


# ---- sizes and counts ---------------------------------------------------------

SIZES = """
smtp {
	message-size 64K
	recipients 100
	line-length 1000
	command-length 512
	commands 30
	errors 5
	hops 10
	vrfy no
	expn yes
	banner "quite a banner"
}
pop3.errors 3
pop3.cleartext no
"""


def sized(n):
    """A message of exactly n bytes in lines of dots; what stuffing adds does not count."""
    head = message(b"size", b"")
    body = b"." * 98 + b"\r\n"
    out = head + body * ((n - len(head)) // 100)
    left = n - len(out)
    return out + (b"x" * (left - 2) + b"\r\n" if left >= 2 else b"")


@covers("smtp.message-size")
def message_size(st):
    top = 65536
    fits, over = sized(top), sized(top + 3)
    want("sizes", (len(fits), len(over)), len(fits) == top and len(over) == top + 3)
    with Smtp(st.smtp) as c:
        c.say(b"EHLO x", "250")
        c.send(b"EHLO x\r\n")
        words = []
        while not words or words[-1][3:4] == b"-":
            words.append(c.line())
        want("SIZE 65536 announced", words, b"250-SIZE 65536" in words)
        c.say(b"MAIL FROM:<s@client.test> SIZE=65537", "552 5.3.4")
        c.say(b"MAIL FROM:<s@client.test> SIZE=65536", "250")
        c.say(b"RSET", "250")
        for content, code in ((fits, "250"), (over, "552 5.3.4")):
            c.say(TX, "250", "250")
            c.data(content, code)
            c.say(TX, "250", "250")
            c.say(b"BDAT %d LAST\r\n" % len(content) + content + b"NOOP\r\n", code, "250")
        # a lie about the size helps nobody
        c.say(b"MAIL FROM:<s@client.test> SIZE=10\r\nRCPT TO:<alice@example.test>\r\n", "250", "250")
        c.data(over, "552 5.3.4")
        served(st)
    with Smtp(st.lmtp) as c:
        c.begin(hello=b"LHLO x", to=[b"alice@example.test", b"bob@example.test"])
        c.data(over, "552 5.3.4")
        c.expect("552 5.3.4")


@covers("smtp.recipients")
def recipients(st):
    with Smtp(st.smtp) as c:
        c.say(b"EHLO x\r\nMAIL FROM:<s@client.test>\r\n", "250", "250")
        c.send(b"".join(b"RCPT TO:<alice+%d@example.test>\r\n" % n for n in range(28)))
        c.expect(*["250"] * 28)
        c.say(b"NOOP", "250", "421")    # smtp.commands comes first here
    with Stage("smtp.recipients 100\n") as big, Smtp(big.smtp) as c:
        c.say(b"EHLO x\r\nMAIL FROM:<s@client.test>\r\n", "250", "250")
        c.send(b"".join(b"RCPT TO:<alice+%d@example.test>\r\n" % n for n in range(105)))
        c.expect(*["250"] * 100 + ["452 4.5.3"] * 5)
        served(big)
        w = word("hundred")
        c.data(message(w))
        big.came("alice", w, 100)


@covers("smtp.line-length")
def line_length(st):
    with Smtp(st.smtp) as c:
        for n, code in ((1000, "250"), (1001, "554 5.6.0")):
            c.say(b"EHLO x", "250")
            c.say(TX, "250", "250")
            c.data(message(b"line", b"x" * n + b"\r\n"), code)
            c.say(TX, "250", "250")
            body = message(b"line", b"x" * n)
            c.send(b"BDAT %d\r\n" % (len(body) - 500) + body[:-500] + b"BDAT 500 LAST\r\n" + body[-500:])
            c.expect("250", code)
            served(st)


@covers("smtp.command-length")
def command_length(st):
    with Smtp(st.smtp) as c:
        c.say(b"NOOP " + b"x" * 505, "250")
        c.say(b"NOOP " + b"x" * 506, "500 5.5.2")
        c.say(b"NOOP " + b"x" * 100000, "500 5.5.2")
        served(st)
        c.say(b"NOOP", "250")


@covers("smtp.commands")
def commands(st):
    with Smtp(st.smtp) as c:
        c.send(b"NOOP\r\n" * 40)
        c.expect(*["250"] * 31 + ["421 4.7.0"])
        want("the end", c.buf, c.closed())
    served(st)


@covers("smtp.errors")
def errors(st):
    for bad in (b"XYZZY\r\n", b"MAIL FROM:<a b>\r\n", b"RCPT TO:<x>\r\n", b"NOOP\n", b"NOOP\0\r\n",
                b"NOOP" + b" " * 600 + b"\r\n"):
        with Smtp(st.smtp) as c:
            c.say(b"EHLO x", "250")
            c.send(bad * 8)
            codes = []
            while True:
                got = c.reply()
                if got is None:
                    break
                codes.append(got[:9])
            want("six errors and 421 to %r" % bad[:20], codes, len(codes) == 7 and codes[6] == "421 4.7.0"
                 and all(x[0] == "5" for x in codes[:6]))
    with Smtp(st.smtp) as c:        # unknown recipients are errors: no guessing of names
        c.say(b"EHLO x\r\nMAIL FROM:<s@client.test>\r\n", "250", "250")
        c.send(b"".join(b"RCPT TO:<guess%d@example.test>\r\n" % n for n in range(6)))
        c.expect(*["550 5.1.1"] * 6 + ["421 4.7.0"])
    served(st)


@covers("smtp.hops")
def hops(st):
    hop = b"Received: from a by b; Tue, 24 Nov 2026 06:55:03 +0000\r\n"
    send(st.smtp, b"alice@example.test", hop * 9 + message(b"nine"))
    got = send(st.smtp, b"alice@example.test", hop * 10 + message(b"ten"), code="554")
    want("554 5.4.6", got, got.startswith("554 5.4.6"))


@covers("smtp.vrfy", "smtp.expn", "smtp.banner")
def words(st):
    with Smtp(st.smtp, greeting=None) as c:
        got = c.reply()
        want("the banner", got, got == "220 mx.example.test ESMTP quite a banner")
        c.say(b"EHLO x", "250")
        for who in (b"alice", b"nobody-here", b"<alice@example.test>"):
            c.say(b"VRFY " + who, "252 2.5.2")
        c.say(b"EXPN root", "250")
        c.say(b"EXPN nobody-here", "550")


@covers("pop3.errors", "pop3.cleartext")
def pop3_errors(st):
    with Pop3(st.pop3) as c:
        capa = c.multi(b"CAPA")
        want("no USER in CAPA", repr(capa), b"USER" not in capa.split(b"\r\n"))
        c.send(b"USER alice\r\nPASS secret\r\nXYZZY\r\nNOOP\r\nCAPA\r\nCAPA\r\n")
        got = []
        while True:
            line = c.line()
            if line is None:
                break
            got.append(line[:4])
        want("errors, then the end", got, got.count(b"-ERR") in (4, 5) and b"+OK " not in got)
    with Pop3(st.pop3) as c:
        want("others are served", None, c.multi(b"CAPA"))


# ---- how many -----------------------------------------------------------------

COUNTS = """
smtp {
	min-spare 2
	max-connections 8
	client-connections 3
	sessions-per-worker 2
}
lmtp {
	min-spare 2
	max-connections 4
	client-connections 2
	sessions-per-worker 1
}
pop3 {
	min-spare 1
	max-connections 4
	client-connections 2
	sessions-per-worker 3
	user-connections 2
	cleartext yes
}
"""


def hold(port, n, source):
    return [Lines(port, source) for _ in range(n)]


def client_limit(st, port, n, greeting, refusal, me="127.0.0.1", other="127.0.0.9"):
    held = hold(port, n, me)
    try:
        for c in held:
            got = c.line()
            want("served", got, got.startswith(greeting))
        refused(port, refusal, me)
        with Lines(port, other) as c:
            got = c.line()
            want("another client is served", got, got is not None and got.startswith(greeting))
        held.pop().close()

        def again():
            with Lines(port, me) as c:
                return (c.line() or b"").startswith(greeting)
        until("a place becomes free", again)
    finally:
        for c in held:
            c.close()


@covers("smtp.client-connections")
def smtp_client(st):
    client_limit(st, st.smtp, 3, b"220", "421 4.7.0")


@covers("lmtp.client-connections")
def lmtp_client(st):
    client_limit(st, st.lmtp, 2, b"220", "421 4.7.0")


@covers("pop3.client-connections")
def pop3_client(st):
    client_limit(st, st.pop3, 2, b"+OK", "-ERR [SYS/TEMP]")


def busy(st, program):
    """The counters of a program, from status."""
    line = next(l for l in st.posthouse("status")[1].splitlines() if l.startswith(program + " "))
    return {k: int(v) for k, v in (w.split("=") for w in line.split() if "=" in w)}


def total_limit(st, port, program, n, each, greeting, refusal):
    until("nobody is there", lambda: busy(st, program)["busy"] == 0)
    held = []
    try:
        for i in range(n):
            c = Lines(port, "127.0.1.%d" % (1 + i // each))
            held.append(c)
            got = c.line()
            want("served", got, got is not None and got.startswith(greeting))
        for i in range(3):
            refused(port, refusal, "127.0.2.%d" % (i + 1))
        want("no more workers than allowed", busy(st, program), busy(st, program)["workers"] <= n)
        held.pop().close()

        def again():
            with Lines(port, "127.0.3.1") as c:
                return (c.line() or b"").startswith(greeting)
        until("a place becomes free", again)
    finally:
        for c in held:
            c.close()


@covers("smtp.max-connections")
def smtp_total(st):
    total_limit(st, st.smtp, "smtp", 8, 3, b"220", "421 4.3.2")


@covers("lmtp.max-connections")
def lmtp_total(st):
    total_limit(st, st.lmtp, "lmtp", 4, 2, b"220", "421 4.3.2")


@covers("pop3.max-connections")
def pop3_total(st):
    total_limit(st, st.pop3, "pop3", 4, 2, b"+OK", "-ERR [SYS/TEMP]")


def workers(st, program):
    """The process ids of a service's workers."""
    line = next(l for l in st.posthouse("status")[1].splitlines() if l.startswith(program + " "))
    with open("/proc/%s/task/%s/children" % (line.split()[1], line.split()[1])) as f:
        return set(f.read().split())


@covers("smtp.min-spare", "smtp.sessions-per-worker", "lmtp.min-spare", "lmtp.sessions-per-worker",
        "pop3.min-spare", "pop3.sessions-per-worker")
def pools(st):
    services = (("smtp", st.smtp, 2, 2, b"220"), ("lmtp", st.lmtp, 2, 1, b"220"), ("pop3", st.pop3, 1, 3, b"+OK"))

    def settled():
        for program, _, spare, _, _ in services:
            b = busy(st, program)
            if b["busy"] != 0 or b["workers"] != spare:
                return False
        return True
    until("spare workers as they should be", settled, step=0.2)
    for program, port, _, each, greeting in services:
        seen = set()
        for n in range(4 * each):       # no process serves more than so many of them
            with Lines(port, "127.0.4.%d" % n) as c:
                want("served", None, c.line().startswith(greeting))
                seen |= workers(st, program)
                c.send(b"QUIT\r\n")
                c.line()
        want("%s: at least 4 processes" % program, len(seen), len(seen) >= 4)
    until("spare workers again", settled, step=0.2)


@covers("pop3.user-connections")
def user_connections(st):
    with Stage("pop3.user-connections 1\n") as one, Pop3(one.pop3, "alice") as c:
        p = Pop3(one.pop3)
        p.ok(b"USER alice")
        p.send(b"PASS secret\r\n")
        got = p.line()
        want("-ERR [SYS/TEMP]", got, got.startswith(b"-ERR [SYS/TEMP]"))
        p.close()
        with Pop3(one.pop3, "bob") as b:
            b.ok(b"STAT")
        c.ok(b"STAT")
        c.ok(b"QUIT")

        def again():    # not before the master has noticed the end
            with Pop3(one.pop3) as p:
                p.ok(b"USER alice")
                p.send(b"PASS secret\r\n")
                return p.line().startswith(b"+OK")
        until("alice may come again", again)


def burst(st):
    """More at once than there are workers: all are served, and closed after QUIT."""
    with Stage("smtp.min-spare 1\npop3.min-spare 1\n") as few:
        for port, greeting in ((few.smtp, b"220"), (few.lmtp, b"220"), (few.pop3, b"+OK")):
            held = [Lines(port) for _ in range(30)]
            for c in held:
                want("a greeting", None, c.line().startswith(greeting))
                c.send(b"QUIT\r\n")
                want("good-bye", None, c.line()[:3] in (b"221", b"+OK"))
                want("the end", None, c.closed())


def stress(st):
    """Idle clients that take nearly all places lose them after ten seconds."""
    until("nobody is there", lambda: busy(st, "smtp")["busy"] == 0)
    held = [Smtp(st.smtp, "127.0.5.%d" % (1 + n // 3)) for n in range(7)]
    t = time.monotonic()
    held.append(Smtp(st.smtp, "127.0.5.3"))
    got = held[-1].reply()
    took = time.monotonic() - t
    want("421 4.4.2 after ten seconds", "%s after %.1f" % (got, took),
         got is not None and " 4.4.2 " in " " + got[3:] and 8 < took < 60)
    # The words come before the place is counted as free.
    until("a place is free", lambda: busy(st, "smtp")["busy"] < 8)
    served(st, "127.0.6.1")
    for c in held:
        c.close()


# ---- how often ----------------------------------------------------------------

RATES = """
smtp {
	client-connection-rate 12
	client-message-rate 4
	client-recipient-rate 6
}
lmtp.client-connection-rate 3
pop3.client-connection-rate 3
"""


def within_a_minute(seconds=20):
    """The counts begin anew with each minute of the clock that they use."""
    left = 60 - time.monotonic() % 60
    if left < seconds:
        time.sleep(left + 0.1)


@covers("smtp.client-message-rate")
def message_rate(st):
    within_a_minute()
    with Smtp(st.smtp, "127.0.7.1") as c:
        c.say(b"EHLO x", "250")
        for n in range(4):
            c.say(b"MAIL FROM:<s@client.test>\r\nRSET\r\n", "250", "250")
        c.say(b"MAIL FROM:<s@client.test>", "450 4.7.1")
        served(st, "127.0.7.2")
    with Smtp(st.smtp, "127.0.7.1") as c:       # in whatever connection
        c.say(b"EHLO x", "250")
        c.say(b"MAIL FROM:<s@client.test>", "450 4.7.1")


@covers("smtp.client-recipient-rate")
def recipient_rate(st):
    within_a_minute()
    with Smtp(st.smtp, "127.0.8.1") as c:
        c.say(b"EHLO x\r\nMAIL FROM:<s@client.test>\r\n", "250", "250")
        c.send(b"RCPT TO:<alice@example.test>\r\nRCPT TO:<nobody-here@example.test>\r\n" * 3)
        c.expect("250", "550", "250", "550", "250", "550")
        c.say(b"RCPT TO:<bob@example.test>", "450 4.7.1")
        served(st, "127.0.8.2")
        c.data(message(b"for those that were accepted"))


def connection_rate(st, port, n, greeting, refusal, me):
    within_a_minute()
    for _ in range(n):
        with Lines(port, me) as c:
            want("served", None, (c.line() or b"").startswith(greeting))
    refused(port, refusal, me)
    with Lines(port, me + "1") as c:
        want("another client is served", None, (c.line() or b"").startswith(greeting))


@covers("smtp.client-connection-rate", "lmtp.client-connection-rate", "pop3.client-connection-rate")
def connection_rates(st):
    connection_rate(st, st.smtp, 12, b"220", "421 4.7.0", "127.0.9.2")
    connection_rate(st, st.lmtp, 3, b"220", "421 4.7.0", "127.0.9.3")
    connection_rate(st, st.pop3, 3, b"+OK", "-ERR [SYS/TEMP]", "127.0.9.4")
    if LONG:
        time.sleep(61)
        with Smtp(st.smtp, "127.0.9.2"):
            pass


# ---- how long -----------------------------------------------------------------

# Each limit is the only one that may end anything soon, so that a machine may be slow.
IDLE = """
smtp {
	idle-timeout 2s
	data-timeout 300s
	session-timeout 600s
}
lmtp.idle-timeout 3s
pop3 {
	idle-timeout 4s
}
auth.delay 1500ms
"""
DATA = """
smtp {
	idle-timeout 300s
	data-timeout 4s
	session-timeout 600s
}
"""
SESSION = """
smtp {
	idle-timeout 300s
	data-timeout 300s
	session-timeout 7s
	commands 1000000000
}
"""


def drip(c, data, every, seconds=60):
    """Byte after byte until there is an answer; which one?"""
    end = time.monotonic() + seconds
    for b in data:
        try:
            c.sock.sendall(bytes([b]))
        except OSError:
            break
        if select.select([c.sock], [], [], every)[0] or time.monotonic() > end:
            break
    return c.reply()


def flood(c, data, seconds=60, read=True):
    """As much as goes until the other side ends it; False if it never did."""
    c.sock.settimeout(0.5)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            c.sock.send(data)
            if read and select.select([c.sock], [], [], 0)[0] and not c.sock.recv(1 << 20):
                return True
        except TimeoutError:
            pass
        except OSError:
            return True
    return False


def after(low, what, got, t, code="421 4.4.2"):
    took = time.monotonic() - t
    want("%s: %s after %d s" % (what, code, low), "%s after %.1f s" % (got, took),
         got is not None and got.startswith(code.split()[0]) and code.split()[-1] in got and
         low - 0.1 < took < low + 60)


def slow_clients(st):
    """Name and what it does; all of them at the same time."""
    hello = b"EHLO x\r\n"

    def connected(data, *codes, port=None):
        """Says all that at once, so that the idle time-out does not come before; and the time before that."""
        t = time.monotonic()
        c = Smtp(port or st.smtp, greeting=None)
        if data:
            c.send(data)
        c.expect("220", *codes)
        return c, t

    def silent():
        c, t = connected(None)
        after(2, "nothing said", c.reply(), t)
        want("the end", None, c.closed())

    def silent_in_mail():
        c, t = connected(hello + b"MAIL FROM:<s@client.test>\r\n", "250", "250")
        after(2, "nothing said after MAIL", c.reply(), t)

    def drip_command():
        c, t = connected(None)
        after(2, "a command byte by byte", drip(c, b"EHLO " + b"x" * 500, 0.2), t)

    def silent_in_data():
        c, t = connected(hello + TX + b"DATA\r\n", "250", "250", "250", "354")
        after(4, "nothing said in DATA", c.reply(), t)

    def drip_data():
        c, t = connected(hello + TX + b"DATA\r\n", "250", "250", "250", "354")
        after(4, "a message byte by byte", drip(c, b"x\r\n" * 500, 0.2), t)

    def drip_chunk():
        c, t = connected(hello + TX + b"BDAT 5000 LAST\r\n", "250", "250", "250")
        after(4, "a chunk byte by byte", drip(c, b"x\r\n" * 500, 0.2), t)

    def drip_chunks():
        c, t = connected(hello + TX, "250", "250", "250")
        got = None
        for _ in range(100):
            c.send(b"BDAT 1\r\n")
            time.sleep(0.5)
            c.send(b"x")
            got = c.reply()
            if got is None or got.startswith("421"):
                break
        after(4, "chunks of a byte", got, t)

    def drip_refused_chunk():
        c, t = connected(hello + b"BDAT 5000 LAST\r\n", "250")
        after(4, "a chunk that nobody wants", drip(c, b"x\r\n" * 500, 0.2), t)

    def chatter():
        c, t = connected(hello, "250")
        got = "250"
        while got is not None and got.startswith("250"):
            time.sleep(0.5)
            c.send(b"NOOP\r\n")
            got = c.reply()
        after(7, "chatter", got, t)

    def chatter_with_mail():
        c, t = connected(hello, "250")
        got = "250"
        while got is not None and got.startswith("250"):
            time.sleep(0.3)
            for data in (b"MAIL FROM:<s@client.test>\r\n", b"RSET\r\n"):
                if got is not None and got.startswith("250"):
                    c.send(data)
                    got = c.reply()
        after(7, "chatter with MAIL", got, t)

    def lmtp_silent():
        c, t = connected(b"LHLO x\r\n", "250", port=st.lmtp)
        after(3, "nothing said to LMTP", c.reply(), t)

    def silent_in_data_is_not_idle():
        c, t = connected(hello + TX + b"DATA\r\n", "250", "250", "250", "354")
        time.sleep(3)
        c.say(message(b"late") + b".\r\n", "250")

    def pop3_ends(c, t, got):
        took = time.monotonic() - t
        want("the end after 4 s", "%r after %.1f" % (got, took), 3.9 < took < 60 and (got is None or got[:4] == b"-ERR"))

    def pop3_silent():
        t = time.monotonic()
        c = Pop3(st.pop3)
        pop3_ends(c, t, c.line())

    def pop3_drip():
        t = time.monotonic()
        c = Pop3(st.pop3)
        c.reply = c.line
        pop3_ends(c, t, drip(c, b"USER " + b"x" * 500, 0.2))

    def pop3_session():
        t = time.monotonic()
        c = Pop3(st.pop3, "bob")
        c.reply = c.line
        pop3_ends(c, t, drip(c, b"NOOP" * 100, 0.2))

    def pop3_guess():
        c = Pop3(st.pop3, source="127.0.9.9")
        c.ok(b"USER carol")
        t = time.monotonic()
        c.send(b"PASS wrong\r\n")
        got = c.line()
        took = time.monotonic() - t
        want("-ERR [AUTH] after 1.5 s", "%r after %.1f" % (got, took), got.startswith(b"-ERR [AUTH]") and 1.4 < took < 60)

    def fast(what, data, more, low, read=True):
        """Those that are never waited for have no more time than others."""
        c, t = connected(data, *["250"] * data.count(b"\r\n"))
        c.send(more[0])
        ended = flood(c, more[1], read=read)
        took = time.monotonic() - t
        want("%s ends within %d s" % (what, low), "%s after %.1f" % (ended, took), ended and took < low + 60)

    big = b"x" * 65536
    return {
        IDLE: [
            ("idle", silent), ("idle in a transaction", silent_in_mail), ("1 byte a time: command", drip_command),
            ("not idle in DATA", silent_in_data_is_not_idle), ("idle at LMTP", lmtp_silent), ("idle at POP3", pop3_silent),
            ("1 byte a time: POP3", pop3_drip), ("1 byte a time: POP3 session", pop3_session), ("wrong password", pop3_guess),
            ("endless command", lambda: fast("a line without an end", hello, (b"NOOP ", big), 2))],
        DATA: [
            ("idle in DATA", silent_in_data), ("1 byte a time: DATA", drip_data), ("1 byte a time: BDAT", drip_chunk),
            ("chunks of 1 byte", drip_chunks), ("1 byte a time: refused BDAT", drip_refused_chunk),
            ("endless DATA", lambda: fast("DATA without an end", hello + TX, (b"DATA\r\n", b"x" * 900 + b"\r\n"), 4)),
            ("endless BDAT", lambda: fast("a chunk without an end", hello + TX, (b"BDAT 9000000000000000000\r\n", big), 4)),
            ("endless refused BDAT", lambda: fast("a chunk that nobody wants", hello, (b"BDAT 9000000000000000000\r\n", big),
                                                  4))],
        SESSION: [
            ("NOOP for ever", chatter), ("MAIL and RSET for ever", chatter_with_mail),
            ("NOOPs whose replies nobody reads", lambda: fast("pipelined NOOPs", hello, (b"", b"NOOP\r\n" * 10000), 7,
                                                              False))],
    }


def threads(tap, tests, meanwhile):
    results, start = {}, time.monotonic()

    def one(name, test):
        try:
            test()
            results[name] = None
            print("# %s took %.1f s" % (name, time.monotonic() - start))
        except Wrong as e:
            results[name] = str(e)
        except Exception as e:      # whatever it is, the test has failed
            results[name] = repr(e)
    ts = [threading.Thread(target=one, args=t, daemon=True) for t in tests]
    for t in ts:
        t.start()
    if meanwhile:
        tap.run("others are served while all these hang", meanwhile)
    for t in ts:
        t.join(150)
    for name, _ in tests:
        tap.say(name, results.get(name, "it hangs"))


@covers("smtp.idle-timeout", "smtp.data-timeout", "smtp.session-timeout", "lmtp.idle-timeout", "pop3.idle-timeout",
        "auth.delay")
def times(tap, conf):
    def meanwhile():
        for _ in range(8):
            served(st, "127.0.10.1")
            with Pop3(st.pop3, "alice") as p:
                p.ok(b"STAT")
                p.ok(b"QUIT")
            time.sleep(0.3)
    with Stage(conf) as st:
        # not where a slow one of the others would be idle, too
        threads(tap, slow_clients(st)[conf], None if conf == IDLE else meanwhile)
        tap.run("no worker is left busy", lambda: until("busy=0", lambda: all(
            busy(st, p)["busy"] == 0 for p in ("smtp", "lmtp", "pop3"))))
        tap.run("no draft is left", lambda: until("incoming/tmp is empty", lambda: not below(
            os.path.join(st.dir, "spool", "incoming", "tmp"))))


def stop_in_a_flood():
    """A stop ends even a session that never lets the worker wait."""
    with Stage("stop-timeout 60s\n") as st:
        with Smtp(st.smtp) as c:
            c.say(b"EHLO x\r\n" + TX + b"DATA\r\n", "250", "250", "250", "354")
            t = threading.Thread(target=flood, args=(c, b"x" * 900 + b"\r\n", 100), daemon=True)
            t.start()
            time.sleep(0.3)
            start = time.monotonic()
            st.posthouse("stop")
            took = time.monotonic() - start
            t.join(120)
        want("stops before it would be killed", "after %.1f s" % took, took < 40)


# ---- all of them ----------------------------------------------------------------

# Where the server listens is what each stage is about; the others have their own
# tests: submission, pop3_auth, pop3_dovecot, pop3_relays.
NOT_LIMITS = {"smtp.listen", "lmtp.listen", "pop3.listen", "smtp.auth", "pop3.expire", "pop3.minimum-delay",
              "pop3.dovecot-uidl", "pop3.surrogates", "pop3.relays-per-worker"}


def keys():
    out = subprocess.run([os.path.join(BIN, "posthouse"), "-k"], stdout=subprocess.PIPE, check=True).stdout.decode()
    names = {l.split("\t")[0] for l in out.splitlines()}
    return {k for k in names if k.startswith(("smtp.", "lmtp.", "pop3.")) or k == "auth.delay"} - NOT_LIMITS


def all_keys():
    want("every key has a test", "none for " + ", ".join(sorted(keys() - covered)), not keys() - covered)
    want("no test of a key that is gone", sorted(covered - keys()), not covered - keys())


def main():
    tap = Tap()
    tap.run("keys", all_keys)
    groups = (
        (SIZES, (("smtp.message-size", message_size), ("smtp.recipients", recipients),
                 ("smtp.line-length", line_length), ("smtp.command-length", command_length),
                 ("smtp.commands", commands), ("smtp.errors", errors), ("smtp.hops", hops),
                 ("smtp.vrfy, expn, banner", words), ("pop3.errors, cleartext", pop3_errors))),
        (COUNTS, (("pools", pools), ("smtp.client-connections", smtp_client), ("lmtp.client-connections", lmtp_client),
                  ("pop3.client-connections", pop3_client), ("smtp.max-connections", smtp_total),
                  ("lmtp.max-connections", lmtp_total), ("pop3.max-connections", pop3_total),
                  ("a burst", burst))),
        (COUNTS, (("idle clients in all places", stress), ("pop3.user-connections", user_connections))),
        (RATES, (("smtp.client-message-rate", message_rate), ("smtp.client-recipient-rate", recipient_rate),
                 ("client-connection-rate", connection_rates))))

    def group(conf, tests):
        try:
            with Stage(conf) as st:
                for name, test in tests:
                    tap.run(name, test, st)
        except Wrong as e:
            tap.say("the stage of " + tests[0][0], str(e))
    def together(target, args):
        ts = [threading.Thread(target=target, args=a) for a in args]
        for t in ts:
            t.start()
        for t in ts:
            t.join()

    def timed(conf):
        try:
            times(tap, conf)
        except Wrong as e:
            tap.say("the stage of time-outs", str(e))
    together(group, groups)
    together(timed, [(IDLE,), (DATA,), (SESSION,)])
    tap.run("stop in a flood", stop_in_a_flood)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
