"""TLS of smtp, lmtp and submission: by STARTTLS and from the first byte; what
a session forgets, and what it does not let pass. TAP on standard output."""
import smtplib
import socket
import ssl
import sys
import time

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/lib")
from e2e import ADDR, Lines, Smtp, Stage, Tap, Wrong, ident, mails, message, want, word  # noqa: E402
from secure import Early, hears  # noqa: E402

PLAIN = b"AUTH PLAIN AGFsaWNlAHNlY3JldA=="


def context(version=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    if version:
        c.minimum_version = c.maximum_version = version
    return c


def begin(c, version=None, name=None):
    """The handshake on a connection that was told to expect it."""
    want("nothing was said before the handshake", c.buf, not c.buf)
    c.sock = context(version).wrap_socket(c.sock, server_hostname=name)


class Implicit(Smtp):
    def __init__(self, port, **more):
        super().__init__(port, greeting=None, **more)
        begin(self)
        self.expect("220")


def services(st):
    """Port and greeting of each with STARTTLS."""
    return ((st.smtp, b"EHLO x", "smtp"), (st.lmtp, b"LHLO x", "lmtp"), (st.base + 587, b"EHLO x", "submission"))


def extensions(c, hello):
    c.send(hello + b"\r\n")
    found = []
    while True:
        line = c.line()
        want("an extension", line, line is not None and line.startswith(b"250"))
        found.append(line[4:])
        if line[3:4] == b" ":
            return found


def begun(st):
    for port, hello, _ in services(st):
        with Smtp(port) as c:
            want("STARTTLS is announced", None, b"STARTTLS" in extensions(c, hello))
            c.say(b"STARTTLS", "220 2.0.0")
            begin(c)
            c.say(b"MAIL FROM:<>", "503 5.5.1")
            want("and no more", None, b"STARTTLS" not in extensions(c, hello))
            c.say(b"STARTTLS", "503 5.5.1")
            c.say(b"QUIT", "221")


def implicit(st):
    with Implicit(st.base + 465) as c:
        want("STARTTLS is not announced", None, b"STARTTLS" not in extensions(c, b"EHLO x"))
        c.say(b"STARTTLS", "503 5.5.1")
        c.say(b"QUIT", "221")
        want("closed", None, c.closed())
    st.logged("submission[", " tls service=submissions client=127.0.0.1 ", 'tls="TLSv1.3 TLS_')


def words(st):
    for port, hello, _ in services(st):
        with Smtp(port) as c:
            c.say(b"STARTTLS", "503 5.5.1")
            c.say(hello, "250")
            c.say(b"STARTTLS now", "501 5.5.4")
            c.say(b"starttls  ", "220 2.0.0")
            begin(c)
            c.say(hello, "250")


INJECTED = (b"STARTTLS\r\nNOOP\r\n", b"STARTTLS\r\n@\r\nRSET\r\nNOOP\r\nQUIT\r\n", b"STARTTLS\r\nN", b"STARTTLS\r\n\r\n",
            b"STARTTLS\r\n" + b"NOOP\r\n" * 9000, b"STARTTLS\r\nMAIL FROM:<evil@x.test>\r\nRCPT TO:<alice@example.test>\r\n",
            b"STARTTLS\r\n\x16\x03\x01\x00\x05hello")


def unheard(c, data):
    """Nothing of it is answered, in the clear or otherwise."""
    c.expect("220 2.0.0")
    c.send(b"\r\n" * 4)       # the rest of what may be a record
    c.sock.settimeout(60)
    got = hears(c)
    want("nothing but an alert after " + repr(data[:40]), got, got[:1] in (b"", b"\x15") and len(got) <= 7)


def injected(st):
    """What came in the clear with STARTTLS costs the session; none of it is executed (CVE-2011-0411)."""
    for port, hello, name in services(st):
        for data in INJECTED:
            with Smtp(port) as c:
                c.say(hello, "250")
                c.send(data.replace(b"@", hello))
                unheard(c, data)
            with Smtp(port) as c:           # all of it in one piece with the greeting
                c.send(hello + b"\r\n" + data.replace(b"@", hello))
                c.expect("250")
                unheard(c, data)
            with Smtp(port) as c:           # in front of the client's handshake
                c.say(hello, "250")
                try:
                    Early(c, *data.replace(b"@", hello).split(b"\r\n", 1))
                except (ssl.SSLError, ConnectionError, Wrong):
                    continue
                raise Wrong("%s: a handshake after %r" % (name, data[:40]))
        st.logged("tls-failed service=%s client=127.0.0.1 why=" % name)


def ahead(st):
    """The client does not wait for the answer with its handshake (RFC 9051 6.2.1)."""
    for port, hello, _ in services(st):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with Smtp(port) as c:
                c.say(hello, "250")
                got = Early(c, b"STARTTLS", ctx=context(version)).said
                want("220", got, got.startswith(b"220 2.0.0"))
                c.say(b"MAIL FROM:<>", "503 5.5.1")
                c.say(hello, "250")
                c.say(b"QUIT", "221")


def injected_late(st):
    """Between the answer and the handshake: it fails, and nobody hears the rest."""
    for port, hello, name in services(st):
        for data in (b"NOOP\r\n", b"EHLO evil\r\nMAIL FROM:<evil@x.test>\r\n", b"\r\n"):
            with Smtp(port) as c:
                c.say(hello, "250")
                c.say(b"STARTTLS", "220")
                c.send(data)
                c.sock.settimeout(60)
                try:
                    begin(c)
                except (ssl.SSLError, ConnectionError, OSError):
                    continue
                raise Wrong("%s: a handshake after %r" % (name, data))
    with Smtp(st.smtp) as c:
        c.say(b"EHLO x", "250")
        c.say(b"STARTTLS", "220")
        c.send(b"NOOP\r\n" * 100)
        got = b""
        while True:
            try:
                more = c.sock.recv(4096)
            except ConnectionError:
                break
            if not more:
                break
            got += more
        want("no reply in the clear", got, b"250" not in got)
    st.logged("tls-failed service=smtp client=127.0.0.1 why=")


def split(st):
    """The bytes of STARTTLS one by one, and those of the handshake, too."""
    for port, hello, _ in services(st):
        with Smtp(port) as c:
            c.say(hello, "250")
            for i in b"STARTTLS\r\n":
                c.send(bytes([i]))
                time.sleep(0.01)
            c.expect("220")
            into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context().wrap_bio(into, out)
            c.sock.settimeout(60)
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    pass
                data = out.read()
                for i in range(0, len(data), 50):
                    c.sock.sendall(data[i:i + 50])
                    time.sleep(0.005)
                into.write(c.sock.recv(65536))
            # the end of the handshake and the first commands in one packet
            tls.write(hello + b"\r\nNOOP\r\n")
            c.sock.sendall(out.read())
            got = b""
            while got.count(b"250 ") < 2:
                into.write(c.sock.recv(65536))
                try:
                    got += tls.read(65536)
                except ssl.SSLWantReadError:
                    pass


def forgotten(st):
    with Smtp(st.smtp) as c:
        c.begin(to=[b"alice@example.test"])
        c.say(b"STARTTLS", "220")
        begin(c)
        c.say(b"RCPT TO:<bob@example.test>\r\nDATA\r\nBDAT 2 LAST\r\nxx\r\n", "503", "503", "503", "500")
        c.say(b"EHLO x", "250")
        c.say(b"RCPT TO:<bob@example.test>", "503")
    with Smtp(st.base + 587) as c:
        c.say(b"EHLO x", "250")
        c.say(PLAIN, "235 2.7.0")
        c.say(b"MAIL FROM:<alice@example.test>", "250")
        c.say(b"STARTTLS", "220")
        begin(c)
        c.say(b"EHLO x", "250")
        c.say(b"MAIL FROM:<alice@example.test>", "530 5.7.0")
        c.say(PLAIN, "235 2.7.0")


def slow(st):
    """A handshake that does not come, or not to its end."""
    for start in (b"", b"\x16\x03\x01\x00"):
        t = time.monotonic()
        with Smtp(st.smtp) as c, Lines(st.base + 465) as other:
            c.say(b"EHLO x", "250")
            c.say(b"STARTTLS", "220")
            if start:
                c.send(start)
                other.send(start)
            want("closed", None, c.closed() and other.closed())
            took = time.monotonic() - t
            want("after the idle time-out", took, 3.5 < took < 60)
    st.logged("tls-failed service=submissions client=127.0.0.1 why=")


def plain_to_tls(st):
    with Lines(st.base + 465) as c:
        c.send(b"EHLO x\r\n")
        while True:
            got = c.line()
            if got is None:
                break
            want("no SMTP", got, not got.startswith(b"2"))
    line = st.logged("tls-failed service=submissions", "why=")
    want("a reason", line, "why=\"\"" not in line)


def tls_to_plain(st):
    for port, _, name in services(st):
        with Lines(port) as c:
            into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
            try:
                context().wrap_bio(into, out).do_handshake()
            except ssl.SSLWantReadError:
                pass
            c.send(out.read() + b"\n")
            got = c.line(), c.line()
            want("a greeting and 554", got, got[0][:3] == b"220" and got[1][:9] == b"554 5.5.1")
            want("closed", None, c.closed())
        st.logged("tls-failed service=%s " % name, "without STARTTLS")


def traced(st):
    for version, cipher in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
        for port, hello, name in services(st)[:2]:
            for utf8 in (False, True):
                w = word("traced")
                with Smtp(port) as c:
                    c.say(hello, "250")
                    c.say(b"STARTTLS", "220")
                    begin(c, version, "mx.example.test")
                    used = c.sock.cipher()[0]
                    c.say(hello, "250")
                    c.say(b"MAIL FROM:<s@client.test>" + (b" SMTPUTF8" if utf8 else b""), "250")
                    c.say(b"RCPT TO:<alice@example.test>", "250")
                    n = ident(c.data(message(w)))
                m = st.came("alice", w)[0].decode()
                proto = ("UTF8" if utf8 else "") + {"smtp": "SMTPS" if utf8 else "ESMTPS", "lmtp": "LMTPS"}[name]
                want("the trace field says it", m[:600], "(using %s with cipher %s)\n\tby mx.example.test (Posthouse) with "
                     "%s id %s\n" % (cipher, used, proto, n) in m)
                if used.startswith("TLS_"):
                    want("RFC 8314 4.3", m[:600], "\n\ttls %s;\n" % used in m)
                st.logged("accepted id=" + n, "proto=%s " % proto, 'tls="%s %s"' % (cipher, used))
    st.logged(" tls service=smtp ", "name=mx.example.test")


def old(st):
    for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
        with Smtp(st.smtp) as c:
            c.say(b"EHLO x", "250")
            c.say(b"STARTTLS", "220")
            try:
                ctx = context(version)
                ctx.set_ciphers("ALL:@SECLEVEL=0")
                c.sock = ctx.wrap_socket(c.sock)
            except (ssl.SSLError, ConnectionError):
                continue
            raise Wrong("%s was accepted" % version)


def large(st):
    w = word("large")
    m = message(w, (b"0123456789" * 7 + b"\r\n") * 100000)
    with smtplib.SMTP(ADDR, st.smtp, timeout=60) as s:
        s.starttls(context=context())
        s.sendmail("s@client.test", ["alice@example.test"], m)
    want("as it was", None, st.came("alice", w)[0].replace(b"\n", b"\r\n").endswith(m.split(b"\r\n\r\n", 1)[1]))


def pipelined(st):
    """Many commands in one record, one in many records."""
    w = word("pipelined")
    tx = b"MAIL FROM:<s@client.test>\r\nRCPT TO:<alice@example.test>\r\nBDAT %d LAST\r\n" % len(message(w)) + message(w)
    with Smtp(st.smtp) as c:
        c.say(b"EHLO x", "250")
        c.say(b"STARTTLS", "220")
        begin(c)
        c.say(b"EHLO x\r\n" + tx * 20 + b"NOOP\r\n", "250", *["250"] * 61)
        for i in range(0, len(tx), 7):
            c.send(tx[i:i + 7])
        c.expect("250", "250", "250")
    st.came("alice", w, 21)


def broken(st):
    """The connection ends in the middle of a record, of a message: nobody gets anything."""
    w = word("broken")
    for how in (socket.SHUT_RDWR, None):
        with Smtp(st.smtp) as c:
            c.say(b"EHLO x", "250")
            c.say(b"STARTTLS", "220")
            begin(c)
            c.begin(to=[b"alice@example.test"])
            c.say(b"DATA", "354")
            c.send(message(w))
            if how is not None:
                c.sock.shutdown(how)
    st.logged("broken-off")
    want("nobody has it", None, not any(w in m for m in mails(st.dir, "alice").values()))


def main():
    tap = Tap()
    with Stage() as st:
        for test in (begun, implicit, words, ahead, injected, injected_late, split, forgotten, plain_to_tls, tls_to_plain, traced, old,
                     large, pipelined, broken):
            tap.run(test.__name__.replace("_", " "), test, st)
    with Stage("smtp.idle-timeout 4s\nlmtp.idle-timeout 4s\nsubmission.idle-timeout 4s\n") as st:
        tap.run("slow", slow, st)
    return tap.end()


sys.exit(main())
