"""What IMAP says before the login, and how one logs in: LOGIN in every shape,
SASL with its challenges, failures and their codes; TLS and what comes in the
clear around STARTTLS; hostile input in small pieces and in large ones. After
each wrong one the right one works. TAP on standard output."""
import os
import random
import socket
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ADDR, Lines, Stage, Tap, Wrong, until, want  # noqa: E402
from imap import Imap, challenge  # noqa: E402
from secure import Early, Scram, b64, context, encrypt, hears, plain  # noqa: E402

QUICK = "auth.delay 0\nauth.failures 0\nauth.client-failures 0\nimap.errors 1000\n"
RIGHT = plain(b"alice", b"secret")


def is_in(c, name="logged in"):
    """A session, which says what it can by itself, and the end of it."""
    c.ok(b"NOOP")
    want("CAPABILITY after the login", None, b"IMAP4rev1" in c.capabilities() and
         not any(x.startswith(b"AUTH=") for x in c.capabilities()))
    c.logout()


def offered(st):
    with Imap(st) as c:
        want("greeting", c.greeting, c.greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 "))
        caps = c.capabilities()
        want("the same as in the greeting", caps, b" ".join(caps) in c.greeting)
        want("what there is in the clear", caps, {b"STARTTLS", b"SASL-IR", b"AUTH=PLAIN", b"AUTH=SCRAM-SHA-256"} <=
             set(caps) and b"LOGINDISABLED" not in caps and not any(x.endswith(b"-PLUS") for x in caps))
    for how in ({"tls": True}, {"starttls": True}):
        with Imap(st, **how) as c:
            caps = c.capabilities()
            want("with TLS", caps, b"STARTTLS" not in caps and b"AUTH=SCRAM-SHA-256-PLUS" in caps)
            c.wanted(b"STARTTLS", b"BAD")


def right(st):
    def atoms(c):
        c.send(b"x1 LOGIN alice secret\r\n")
        return c.answer(b"x1")

    def quoted(c):
        return c.command(b'login "al\\ice" "secret"'.replace(b"\\i", b"i"))

    def literals(c):
        c.send(b"x2 LOGIN {5}\r\n")
        want("go on", None, c.line().startswith(b"+"))
        c.send(b"alice {6}\r\n")
        want("go on", None, c.line().startswith(b"+"))
        c.send(b"secret\r\n")
        return c.answer(b"x2")

    def unasked(c):
        return c.command(b"LOGIN {5+}\r\nalice {6+}\r\nsecret")

    def address(c):
        return c.command(b"LOGIN Alice@example.test secret")

    def initial(c):
        return c.command(b"authenticate plain " + RIGHT)

    def asked(c):
        c.send(b"x3 AUTHENTICATE PLAIN\r\n")
        want("an empty challenge", None, challenge(c) == b"")
        c.send(RIGHT + b"\r\n")
        return c.answer(b"x3")

    def by_login(c):
        c.send(b"x4 AUTHENTICATE LOGIN\r\n")
        challenge(c)
        c.send(b64(b"alice") + b"\r\n")
        challenge(c)
        c.send(b64(b"secret") + b"\r\n")
        return c.answer(b"x4")

    for way in (atoms, quoted, literals, unasked, address, initial, asked, by_login):
        for how in ({}, {"tls": True}):
            with Imap(st, **how) as c:
                said, done = way(c)
                want(way.__name__, (said, done), done is not None and done.startswith(b"OK [CAPABILITY IMAP4rev1 "))
                is_in(c)
    # what was sent ahead is the session's
    for how in ({}, {"tls": True}, {"starttls": True}):
        with Imap(st, **how) as c:
            c.send(b"a LOGIN alice secret\r\nb NOOP\r\nc LOGOUT\r\n")
            want("OK", None, c.answer(b"a")[1].startswith(b"OK"))
            want("OK", None, c.answer(b"b")[1].startswith(b"OK"))
            want("OK", None, c.answer(b"c")[1].startswith(b"OK"))


def scram(st):
    for name, digest in ((b"SCRAM-SHA-1", "sha1"), (b"SCRAM-SHA-256", "sha256"), (b"SCRAM-SHA-256-PLUS", "sha256")):
        with Imap(st, tls=True) as c:
            end_point = c.sock.getpeercert(True) if name.endswith(b"PLUS") else None
            for password, ok in ((b"wrong", False), (b"secret", True)):
                s = Scram(digest, b"alice", password, end_point)
                c.send(b"s AUTHENTICATE " + name + b" " + b64(s.first()) + b"\r\n")
                c.send(b64(s.final(challenge(c))) + b"\r\n")
                if ok:
                    want("the server knows it, too", None, challenge(c) == s.verifier)
                    c.send(b"\r\n")
                done = c.answer(b"s")[1]
                want(name.decode(), done, done.startswith(b"OK" if ok else b"NO [AUTHENTICATIONFAILED]"))
            is_in(c)


WRONG = (
    (b"LOGIN alice wrong", b"NO [AUTHENTICATIONFAILED]"), (b"LOGIN nobody secret", b"NO [AUTHENTICATIONFAILED]"),
    (b"LOGIN alice", b"BAD"), (b"LOGIN", b"BAD"), (b"LOGIN alice secret x", b"BAD"),
    (b'LOGIN "alice secret', b"BAD"), (b'LOGIN "" ""', b"NO"), (b"LOGIN alice {7+}\r\nsecret\0", b"BAD"),
    (b"LOGIN alice " + b"x" * 5000, b"NO"), (b"AUTHENTICATE", b"BAD"), (b"AUTHENTICATE X", b"NO [CANNOT]"),
    (b"AUTHENTICATE PLAIN " + plain(b"alice", b"wrong"), b"NO [AUTHENTICATIONFAILED]"),
    (b"AUTHENTICATE PLAIN " + plain(b"alice", b"secret", b"bob"), b"NO [AUTHORIZATIONFAILED]"),
    (b"AUTHENTICATE PLAIN =", b"BAD"), (b"AUTHENTICATE PLAIN %%%", b"BAD"), (b"AUTHENTICATE PLAIN AAA", b"BAD"),
    (b"AUTHENTICATE PLAIN " + b64(b"alice"), b"BAD"), (b"AUTHENTICATE EXTERNAL =", b"NO [CANNOT]"),
    (b"AUTHENTICATE PLAIN\r\n*", b"BAD"), (b"AUTHENTICATE PLAIN\r\nx NOOP", b"BAD"),
    (b"SELECT INBOX", b"BAD"), (b"ENABLE CONDSTORE", b"BAD"), (b"UID FETCH 1 FLAGS", b"BAD"), (b"NOOP NOOP", b"BAD"),
    (b"ID", b"BAD"), (b"ID (x", b"BAD"), (b"ID (" + b'"a" "b" ' * 40 + b")", b"BAD"), (b"XYZZY", b"BAD"),
    (b"APPEND INBOX {100000}", b"BAD"), (b"IDLE", b"BAD"), (b"UNAUTHENTICATE", b"BAD"),
)


def wrong(st):
    with Imap(st) as c:
        for line, code in WRONG:
            c.wanted(line, code, b"NO [AUTHENTICATIONFAILED]" if code == b"NO [AUTHORIZATIONFAILED]" else code)
        c.ok(b"LOGIN alice secret")
        is_in(c)
    with Imap(st) as c:     # without a tag that can be said
        for line in (b"", b" NOOP", b"+ NOOP", b"* NOOP", b"x" * 129 + b" NOOP", b"(a) NOOP", b'"a" NOOP'):
            c.send(line + b"\r\n")
            got = c.line()
            want("BAD to %r" % line[:20], got, got.startswith(b"* BAD"))
        for line in (b"a NOOP\n", b"a NOOP\r\r\n", b"a NO\0OP\r\n", b"a LOGIN " + b"x" * 30000 + b"\r\n"):
            c.send(line)
            got = c.line()
            want("BAD to %r" % line[:20], got, got.startswith(b"* BAD"))
        c.ok(b"AUTHENTICATE PLAIN " + RIGHT)
        is_in(c)


def blanks(st):
    """Too many of them, which Dovecot takes as well."""
    for line in (b"LOGIN  alice  secret ", b"LOGIN alice {6+}\r\nsecret ", b"AUTHENTICATE  PLAIN " + RIGHT + b" "):
        with Imap(st) as c:
            for before in (b"CAPABILITY ", b"NOOP ", b'ID ( "name"  "x" )', b"ID NIL "):
                c.ok(before)
            c.ok(line)
            is_in(c)
    with Imap(st) as c:
        c.wanted(b'LOGIN alice " secret"', b"NO [AUTHENTICATIONFAILED]")


def identity(st):
    with Imap(st) as c:
        said, _ = c.ok(b'ID ("name" "Test \\"x\\"" "os" {7+}\r\na\r\nb=c\x01 "version" NIL)')
        want("ours", said, said == [b'ID ("name" "Posthouse")'])
    line = st.logged("client-id client=127.0.0.1", "name=Test")
    want("in one line", line, "a\\x0D\\x0Ab=c\\x01" in line)
    with Imap(st, "alice") as c:
        for n in range(3):
            c.ok(b'ID ("name" "Again%d")' % n)
    st.logged("client-id user=", "name=Again0")
    want("once", None, "name=Again1" not in st.log())


def in_pieces(st):
    """Split at every byte."""
    whole = b'a ID ("x" {3+}\r\ny\r\nz)\r\nb LOGIN "alice" {6+}\r\nsecret\r\nc NOOP\r\nd LOGOUT\r\n'
    whole = whole.replace(b"{3+}\r\ny\r\nz", b"{4+}\r\ny\r\nz")
    for at in range(1, len(whole)):
        with Imap(st) as c:
            c.send(whole[:at])
            time.sleep(0.002)
            c.send(whole[at:])
            for tag in (b"a", b"b", b"c", b"d"):
                said, done = c.answer(tag)
                want("OK at %d" % at, (tag, said, done), done is not None and done.startswith(b"OK"))
    with Imap(st) as c:
        for b in whole:
            c.send(bytes([b]))
        for tag in (b"a", b"b", b"c", b"d"):
            want("OK byte by byte", None, c.answer(tag)[1].startswith(b"OK"))


def around_starttls(st):
    """CVE-2011-0411, and the other way round: what was said before counts no more, what came in the clear is not read later."""
    for more in (b"b NOOP\r\n", b"b", b"b LOGIN alice secret\r\n", b"\x16\x03\x01\x00\x05hello"):
        with Imap(st) as c:
            c.send(b"a STARTTLS\r\n" + more)
            got = c.line()
            want("OK", got, got.startswith(b"a OK"))
            c.send(b"\r\n" * 4)       # the rest of what may be a record
            got = hears(c)
            want("nothing but an alert", got, got[:1] in (b"", b"\x15") and len(got) <= 7)
        with Imap(st) as c:
            try:
                Early(c, b"a STARTTLS", more)
            except (ssl.SSLError, ConnectionError, Wrong):
                continue
            raise Wrong("a handshake after %r" % more)
    with Imap(st) as c:     # who does not wait for the answer
        got = Early(c, b"a STARTTLS").said
        want("OK", got, got.startswith(b"a OK"))
        c.ok(b"LOGIN alice secret")
        is_in(c)
    with Imap(st) as c:     # no handshake
        c.ok(b"STARTTLS")
        c.send(b"b NOOP\r\nc LOGIN alice secret\r\n")
        rest = hears(c)     # to the end, or to a reset
        want("nothing is said in the clear", rest, b"OK" not in rest and b"BAD" not in rest)
    with Imap(st, starttls=True) as c:
        c.ok(b"LOGIN alice secret")
        c.wanted(b"STARTTLS", b"BAD")
        is_in(c)
    with Imap(st, tls=True) as c:
        want("TLS", c.sock.version(), c.sock.version() == "TLSv1.3")
    with Lines(st.base + 993, timeout=60) as c:     # no TLS at all
        c.send(b"a LOGIN alice secret\r\n")
        got = c.line()
        want("nothing but an alert", got, got is None or b"OK" not in got)
    ctx = context()
    ctx.set_alpn_protocols(["imap"])
    with Imap(st, tls=True, ctx=ctx) as c:
        want("ALPN", c.sock.selected_alpn_protocol(), c.sock.selected_alpn_protocol() == "imap")


def from_afar(st):
    """A password in the clear, where it may not come."""
    with Imap(st) as c:
        want("LOGINDISABLED", c.greeting, b" LOGINDISABLED " in c.greeting and b"AUTH=PLAIN" not in c.greeting)
        said, done = c.command(b"LOGIN alice secret")
        want("refused", (said, done), said and said[0].startswith(b"BAD [ALERT]") and
             done.startswith(b"NO [PRIVACYREQUIRED]"))
        c.wanted(b"AUTHENTICATE PLAIN " + RIGHT, b"NO [PRIVACYREQUIRED]")
        c.ok(b"STARTTLS")
        encrypt(c)
        want("and now", None, b"LOGINDISABLED" not in c.capabilities())
        c.ok(b"LOGIN alice secret")
        is_in(c)


def limits(st):
    with Imap(st) as c:
        for _ in range(3):
            c.wanted(b"XYZ", b"BAD")
        said, done = c.command(b"XYZ")
        want("BYE after too many", (said, done), done is not None and c.line().startswith(b"* BYE") and c.closed())
    with Imap(st) as c:     # RFC 7888, 4
        c.send(b"a LOGIN {99999999999+}\r\n")
        want("BYE", None, c.line().startswith(b"* BYE [TOOBIG]") and c.closed())
    with Imap(st, "bob") as a, Imap(st, "bob") as b:
        with Imap(st) as c:
            c.wanted(b"LOGIN bob secret", b"NO [UNAVAILABLE]")
            c.ok(b"LOGIN alice secret")
        a.logout()
        b.logout()
    with Imap(st, "alice", tls=True) as c:      # RFC 8437, if it is turned off
        want("not announced", c.welcome, b"UNAUTHENTICATE" not in c.welcome)
        c.wanted(b"UNAUTHENTICATE", b"BAD")
        c.logout()
    begin = time.monotonic()
    with Imap(st) as c:     # who neither speaks nor leaves
        got = c.line()
        want("BYE after a while", got, got is not None and got.startswith(b"* BYE") and
             2 < time.monotonic() - begin < 60)


def garbage(st):
    """Whatever comes: the front stays, and so do its workers."""
    rnd = random.Random(7)
    words = (b"a ", b"LOGIN ", b"AUTHENTICATE PLAIN ", b"{5}\r\n", b"{5+}\r\n", b'"', b"\\", b"\r\n", b"\0", b"\xff" * 9,
             b"ID (", b")", b"NIL ", b"STARTTLS", b"~{3}\r\n", b"x" * 1000, b"*", b"\n")
    for n in range(60):
        with Imap(st) as c:
            c.send(b"".join(rnd.choice(words) for _ in range(rnd.randrange(1, 60))))
            try:
                c.sock.shutdown(socket.SHUT_WR)
                while c.line() is not None:
                    pass
            except (OSError, TimeoutError):
                pass
    want("nobody died", None, "signal" not in "".join(l for l in st.log().splitlines() if "worker" in l))
    with Imap(st, "alice") as c:
        is_in(c)


def main():
    tap = Tap()
    with Stage(QUICK) as st:
        for name, test in (("what is offered", offered), ("the right words", right), ("SCRAM", scram),
                           ("wrong words, and then right ones", wrong), ("blanks", blanks), ("ID", identity),
                           ("in pieces", in_pieces),
                           ("around STARTTLS", around_starttls), ("garbage", garbage)):
            tap.run(name, test, st)
    with Stage("auth.delay 0\nauth.failures 0\nimap.cleartext no\nimap.errors 2\nimap.user-connections 2\n"
               "imap.idle-timeout 3s\n") as st:
        tap.run("not in the clear", from_afar, st)
    with Stage("auth.delay 0\nauth.failures 0\nimap.errors 3\nimap.user-connections 2\nimap.idle-timeout 3s\n"
               "imap.unauthenticate no\n") as st:
        tap.run("limits", limits, st)
    return tap.end()


sys.exit(main())
