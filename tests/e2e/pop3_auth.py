"""Logins by POP3 in every shape, right and wrong: USER and PASS, SASL with its
challenges, what is offered when, response codes; UTF8 and LANG; the time
between two logins. After each wrong one the right one works. TAP on standard
output."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import Pop3, Stage, Tap, login, send, until, want  # noqa: E402
from secure import Pop3s, b64, challenge, encrypt, plain, scram_login  # noqa: E402

QUICK = "auth.delay 0\nauth.failures 0\nauth.client-failures 0\npop3.errors 1000\n"
RIGHT = plain(b"alice", b"secret")


def capa(c):
    return {l.split()[0]: l.split()[1:] for l in c.multi(b"CAPA").splitlines()}


def is_in(c, name="logged in"):
    """The state TRANSACTION, and the end. Another session of before may have to close first."""
    want(name, None, c.ok(b"STAT"))
    c.ok(b"QUIT")
    want("the end", None, c.closed())


def refused(c, code=None):
    got = c.line()
    want("-ERR", got, got is not None and got.startswith(b"-ERR"))
    want("code %r" % code, got, (b"[" in got) == (code is not None) and (code is None or code in got))
    return got


def offered(st):
    with Pop3(st.pop3) as c:
        before = capa(c)
        want("SASL and USER", before, b"PLAIN" in before[b"SASL"] and b"SCRAM-SHA-256" in before[b"SASL"] and
             b"USER" in before and b"STLS" in before)
        want("no binding without a channel", before, not any(m.endswith(b"-PLUS") for m in before[b"SASL"]))
        want("AUTH alone says the same", None, c.multi(b"AUTH").split() == before[b"SASL"])
        want("UTF8 USER, LANG, IMPLEMENTATION", before, before[b"UTF8"] == [b"USER"] and b"LANG" in before and
             before[b"IMPLEMENTATION"] == [b"Posthouse"] and b"LAST" not in before)
        c.ok(b"AUTH PLAIN " + RIGHT)
        after = capa(c)
        want("the same after the login", after, {k: v for k, v in before.items() if k != b"STLS"} == after)
        is_in(c)
    with Pop3s(st) as c:
        now = capa(c)
        want("with TLS also what binds, and no STLS", now, b"SCRAM-SHA-256-PLUS" in now[b"SASL"] and
             b"STLS" not in now)
        c.ok(b"AUTH PLAIN " + RIGHT)
        want("the same after the login", None, capa(c) == now)
        is_in(c)


def right(st):
    def user(c):
        c.ok(b"USER alice")
        c.ok(b"PASS secret")

    def initial(c):
        c.ok(b"auth plain " + RIGHT)

    def asked(c):
        c.send(b"AUTH PLAIN\r\n")
        want("an empty challenge", None, challenge(c) == b"")
        c.ok(RIGHT)

    def by_login(c):
        c.send(b"AUTH LOGIN\r\n")
        challenge(c)
        c.send(b64(b"alice") + b"\r\n")
        challenge(c)
        c.ok(b64(b"secret"))

    def myself(c):
        c.ok(b"AUTH PLAIN " + plain(b"alice", b"secret", b"alice"))

    def address(c):
        c.ok(b"AUTH PLAIN " + plain(b"Alice@example.test", b"secret"))

    def scram(name, ask=False):
        def run(c):
            der = c.sock.getpeercert(True) if name.endswith(b"-PLUS") else None
            got = scram_login(c, name, b"alice", b"secret", not ask, der)
            want("+OK", got, got is not None and got.startswith(b"+OK"))
        return run

    both = [user, initial, asked, by_login, myself, address, scram(b"SCRAM-SHA-1"), scram(b"SCRAM-SHA-256"),
            scram(b"SCRAM-SHA-256", True)]
    for way in both:
        with Pop3(st.pop3) as c:
            way(c)
            is_in(c)
    for way in both + [scram(b"SCRAM-SHA-1-PLUS"), scram(b"SCRAM-SHA-256-PLUS")]:
        for stls in (False, True):
            with Pop3s(st, stls=stls) as c:
                way(c)
                is_in(c)


LONG = b64(b"x" * 13000)
WRONG = [
    # what is sent line by line; each but the last is answered by a challenge
    ([b"AUTH NOSUCH"], None), ([b"AUTH NOSUCH " + RIGHT], None), ([b"AUTH EXTERNAL ="], None),
    ([b"AUTH PLAIN-"], None), ([b"AUTH " + b"X" * 300], None),
    ([b"AUTH \xff\xfe"], None), ([b"AUTH PLAIN " + RIGHT + b" " + RIGHT], None),
    ([b"AUTH PLAIN  " + RIGHT], None), ([b"AUTH PLAIN !!!!"], None), ([b"AUTH PLAIN =AAA"], None),
    ([b"AUTH PLAIN AAA=BBBB"], None), ([b"AUTH PLAIN AAAAA"], None), ([b"AUTH PLAIN AAA"], None),
    ([b"AUTH PLAIN ="], None), ([b"AUTH PLAIN =="], None), ([b"AUTH PLAIN *"], None),
    ([b"AUTH PLAIN " + LONG], None), ([b"AUTH PLAIN " + b"A" * 70000], None),
    ([b"AUTH PLAIN", b"*"], None), ([b"AUTH PLAIN", b"* "], None), ([b"AUTH PLAIN", b"**"], None),
    ([b"AUTH PLAIN", b""], None), ([b"AUTH PLAIN", b"="], None), ([b"AUTH PLAIN", b"STAT"], None),
    ([b"AUTH PLAIN", b"not base64"], None), ([b"AUTH PLAIN", RIGHT + b" "], None),
    ([b"AUTH PLAIN", b"\0" + RIGHT], None), ([b"AUTH PLAIN", b"\xc3\xa9\xff"], None),
    ([b"AUTH PLAIN", LONG], None), ([b"AUTH PLAIN", b"A" * 200000], None),
    ([b"AUTH PLAIN", b64(b"alice")], None), ([b"AUTH PLAIN", b64(b"\0alice")], None),
    ([b"AUTH PLAIN", b64(b"\0\0\0\0\0")], None),
    ([b"AUTH PLAIN", b64(b"\0alice\0secret\0")], None), ([b"AUTH PLAIN", b64(b"\0\xff\xfe\0secret")], None),
    ([b"AUTH PLAIN", plain(b"alice", b"wrong")], b"[AUTH]"), ([b"AUTH PLAIN", plain(b"nobody", b"secret")], b"[AUTH]"),
    ([b"AUTH PLAIN", plain(b"alice", b"secret", b"bob")], b"[AUTH]"),
    ([b"AUTH LOGIN", b"*"], None), ([b"AUTH LOGIN", b64(b"alice"), b"*"], None),
    ([b"AUTH LOGIN", b64(b"alice"), b64(b"wrong")], b"[AUTH]"), ([b"AUTH LOGIN", b64(b"alice"), b"?"], None),
    ([b"AUTH SCRAM-SHA-256", b"*"], None), ([b"AUTH SCRAM-SHA-256", b64(b"n,,n=alice,r=abc"), b"*"], None),
    ([b"AUTH SCRAM-SHA-256", b64(b"hello")], None), ([b"AUTH SCRAM-SHA-256", b64(b"p=tls-unique,,n=alice,r=abc")], None),
    ([b"AUTH SCRAM-SHA-256", b64(b"n,,n=alice,r=abc"), b64(b"c=biws,r=other,p=AAAA")], None),
    ([b"USER"], None), ([b"USER \xff\xfe"], None), ([b"USER " + b"x" * 300], None), ([b"PASS secret"], None),
    ([b"STAT"], None), ([b"AUTHPLAIN"], None),
]


def wrong(st):
    for secure in (False, True):
        with (Pop3s(st) if secure else Pop3(st.pop3)) as c:
            for lines, code in WRONG + ([] if secure else [([b"AUTH SCRAM-SHA-256-PLUS"], None)]):
                for l in lines[:-1]:
                    c.send(l + b"\r\n")
                    challenge(c)
                c.send(lines[-1] + b"\r\n")
                try:
                    got = c.line()
                    want("-ERR", got, got is not None and got.startswith(b"-ERR"))
                    if code:
                        want("[AUTH]", got, code in got)
                except Exception:
                    print("# at %r" % [l[:60] for l in lines], flush=True)
                    raise
            # none of them left anything behind
            c.ok(b"AUTH PLAIN " + RIGHT)
            is_in(c, "in after all of them")


def wrong_lines(st):
    """What is no line ends an exchange, too."""
    for bad in (RIGHT + b"\n", RIGHT[:4] + b"\r" + RIGHT[4:] + b"\r\n", RIGHT[:4] + b"\0" + RIGHT[4:] + b"\r\n"):
        with Pop3(st.pop3) as c:
            c.send(b"AUTH PLAIN\r\n")
            challenge(c)
            c.send(bad)
            refused(c)
            c.send(RIGHT + b"\r\n")     # not a response any more
            refused(c)
            c.ok(b"AUTH PLAIN " + RIGHT)
            is_in(c)


def gone(st):
    """In the middle of it."""
    for n in range(6):
        with Pop3(st.pop3) as c:
            c.send(b"AUTH SCRAM-SHA-1\r\n" if n % 2 else b"AUTH PLAIN\r\n")
            challenge(c)
            if n > 2:
                c.send(b64(b"n,,n=alice")[:-4])
    with Pop3(st.pop3) as c:
        c.ok(b"AUTH PLAIN " + RIGHT)
        is_in(c)


def twice(st):
    with Pop3(st.pop3) as c:
        c.ok(b"AUTH PLAIN " + RIGHT)
        for l in (b"AUTH PLAIN " + RIGHT, b"AUTH", b"AUTH PLAIN", b"USER bob", b"PASS secret", b"STLS", b"APOP x y",
                  b"LAST"):
            c.send(l + b"\r\n")
            refused(c)
        is_in(c)


def pipelined(st):
    """With the login in one packet; and the answer to a challenge with what follows."""
    for secure in (False, True):
        def client(secure=secure):
            return Pop3s(st) if secure else Pop3(st.pop3)
        with client() as c:
            c.send(b"AUTH PLAIN " + RIGHT + b"\r\nSTAT\r\nNOOP\r\nQUIT\r\n")
            for _ in range(4):
                want("+OK", None, c.line().startswith(b"+OK"))
            want("the end", None, c.closed())
        with client() as c:
            c.send(b"AUTH PLAIN\r\n" + RIGHT + b"\r\nSTAT\r\nQUIT\r\n")
            want("a challenge", None, challenge(c) == b"")
            for _ in range(3):
                want("+OK", None, c.line().startswith(b"+OK"))
            want("the end", None, c.closed())
        with client() as c:     # more than fits into the question to auth
            c.send(b"USER alice\r\nPASS secret\r\n" + b"NOOP\r\n" * 2000 + b"QUIT\r\n")
            want("+OK", None, c.line().startswith(b"+OK"))
            for _ in range(2002):
                want("+OK", None, c.line().startswith(b"+OK"))
            want("the end", None, c.closed())


def utf8(st):
    with Pop3(st.pop3) as c:
        c.ok(b"UTF8")
        c.send(b"STLS\r\n")
        refused(c)
        c.send(b"UTF8 x\r\n")
        refused(c)
        c.ok(b"USER alice")
        c.ok(b"PASS secret")
        c.ok(b"UTF8")
        is_in(c)
    with Pop3(st.pop3) as c:
        for range_, tag in ((b"*", b"en"), (b"en", b"en"), (b"EN-gb", b"en"), (b"i-default", b"i-default")):
            want("the tag", None, c.ok(b"LANG " + range_).startswith(b"+OK " + tag + b" "))
        want("the list", None, [l.split()[0] for l in c.multi(b"LANG").splitlines()] == [b"en", b"i-default"])
        for range_ in (b"de", b"english", b"\xff"):
            c.send(b"LANG " + range_ + b"\r\n")
            refused(c)
        c.ok(b"AUTH PLAIN " + RIGHT)
        c.ok(b"LANG *")
        c.multi(b"LANG")
        is_in(c)


def no_secrets(st):
    log = st.log()
    for s in (b"secret", RIGHT, plain(b"alice", b"wrong"), b64(b"secret")):
        want("it is not in the log", s, s.decode() not in log)
    want("but who failed is", None, "user=nobody" in log)


def without_cleartext(_):
    with Stage(QUICK + "pop3.cleartext no\n") as st:
        with Pop3(st.pop3) as c:
            can = capa(c)
            want("nothing that shows a password", can, b"USER" not in can and
                 all(m.startswith(b"SCRAM") for m in can[b"SASL"]))
            for l in (b"USER alice", b"AUTH PLAIN " + RIGHT, b"AUTH PLAIN", b"AUTH LOGIN"):
                c.send(l + b"\r\n")
                refused(c)
            want("SCRAM", None, scram_login(c, b"SCRAM-SHA-256", b"alice", b"secret").startswith(b"+OK"))
            is_in(c)
        with Pop3(st.pop3) as c:
            c.ok(b"STLS")
            encrypt(c)
            want("USER with TLS", None, b"USER" in capa(c))
            c.ok(b"USER alice")
            c.ok(b"PASS secret")
            is_in(c)


def delay(_):
    with Stage(QUICK + "pop3.minimum-delay 100s\npop3.expire 30\nauth.mechanisms none\n") as st:
        with Pop3(st.pop3) as c:
            can = capa(c)
            want("LOGIN-DELAY, EXPIRE, no SASL", can, can[b"LOGIN-DELAY"] == [b"100"] and can[b"EXPIRE"] == [b"30"] and
                 b"SASL" not in can)
            c.send(b"AUTH\r\n")
            refused(c)
            c.ok(b"USER bob")
            c.ok(b"PASS secret")
            since = time.monotonic()
            is_in(c)
        with Pop3(st.pop3) as c:
            c.ok(b"USER bob")
            c.send(b"PASS secret\r\n")
            refused(c, b"[LOGIN-DELAY]")
            want("the end", None, c.closed())
        with Pop3(st.pop3) as c:        # nobody else has to wait
            c.ok(b"USER alice")
            c.ok(b"PASS secret")
            is_in(c)
        with open(st.conf, encoding="utf-8") as f:
            text = f.read()
        with open(st.conf, "w", encoding="utf-8") as f:
            f.write(text.replace("minimum-delay 100s", "minimum-delay 2s"))
        want("reload", (got := st.posthouse("reload")), got[0] == 0)
        while time.monotonic() < since + 2.2:
            time.sleep(0.1)

        def again():
            """The sessions that begin before the reload has reached all have the delay of before."""
            with Pop3(st.pop3) as c:
                c.ok(b"USER bob")
                c.send(b"PASS secret\r\n")
                got = c.line() or b""
                want("+OK, or too soon", got, got.startswith(b"+OK") or b"[LOGIN-DELAY]" in got)
                return got.startswith(b"+OK")
        until("bob may come again", again, step=0.3)


UTF8_MAIL = ("From: J\u00fcrgen <j@client.test>\r\nTo: <\u00fc@client.test>\r\nSubject: one \u20ac two\r\n"
             "X-Ascii: as  it is\r\n\r\nline \u00e4\r\n.dot\r\nthird\r\n").encode()


def surrogates(_):
    """RFC 6856, 2.1: who has not said UTF8 gets a header in ASCII; the body is not touched."""
    with Stage(QUICK + "pop3.surrogates yes\n") as st:
        send(st.smtp, b"alice@example.test", UTF8_MAIL)
        st.came("alice", b"third")
        head, body = UTF8_MAIL.split(b"\r\n\r\n")
        for words, ascii_only in (((), True), ((b"UTF8",), False)):
            c = login(st.pop3, "alice")
            for word in words:
                c.ok(word)
            got = c.multi(b"RETR 1")
            top = c.multi(b"TOP 1 1")
            got_head, got_body = got.split(b"\r\n\r\n")
            want("the body as it was", got_body, got_body == body)
            want("one line of it by TOP", top, top == got_head + b"\r\n\r\n" + body.split(b"\r\n")[0] + b"\r\n")
            want("ASCII, or not", got_head, got_head.isascii() == ascii_only and b"\r\nX-Ascii: as  it is" in got_head)
            want("all of it, or encoded", got_head, b"=?utf-8?B?4oKs?= two" in got_head and
                 b"To: <internationalized-address@invalid>\r\n (=?utf-8?B?" in got_head if ascii_only
                 else got_head.endswith(head))
            c.ok(b"QUIT")
            c.close()


def main():
    tap = Tap()
    with Stage(QUICK) as st:
        for name, test in (("what is offered", offered), ("each mechanism", right), ("wrong in every way", wrong),
                           ("lines that are none", wrong_lines), ("clients that leave", gone), ("twice", twice),
                           ("pipelined", pipelined), ("UTF8 and LANG", utf8), ("nothing secret in the log", no_secrets)):
            tap.run(name, test, st)
    tap.run("no passwords in clear text", without_cleartext, None)
    tap.run("too soon", delay, None)
    tap.run("surrogates", surrogates, None)
    return tap.end()


sys.exit(main())
