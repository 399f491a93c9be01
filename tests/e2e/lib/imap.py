"""A client of IMAP that hides nothing: for tests that say byte by byte what goes
over the wire."""
import re
import ssl
import time
import zlib

from e2e import ADDR, Lines, want
from secure import b64, context, encrypt  # noqa: F401

LITERAL = re.compile(rb"\{(\d+)\}\Z")


class Imap(Lines):
    """tls: from the first byte; starttls: by the command. Logs in if there is a user."""

    def __init__(self, st, user=None, password="secret", tls=False, starttls=False, ctx=None, timeout=60, source=None):
        base = st if isinstance(st, int) else st.base
        Lines.__init__(self, base + (993 if tls else 143), source, timeout)
        self.tags = 0
        if tls:
            encrypt(self, ctx)
        self.greeting = self.line()
        if starttls:
            self.ok(b"STARTTLS")
            encrypt(self, ctx)
        if user:
            self.welcome = self.ok(b"LOGIN %s %s" % (user.encode(), password.encode()))[1]

    def take(self, n):
        """Exactly so many bytes."""
        while len(self.buf) < n:
            more = self.sock.recv(1 << 20)
            want("%d bytes go on" % n, len(self.buf), more)
            self.buf += more
        data, self.buf = self.buf[:n], self.buf[n:]
        return data

    def response(self):
        """One, with its literals as they came; None at the end."""
        text = self.line()
        if text is None:
            return None
        while True:
            m = LITERAL.search(text)
            if not m:
                return text
            text += b"\r\n" + self.take(int(m.group(1)))
            text += self.line() or b""

    def tag(self):
        self.tags += 1
        return b"t%d" % self.tags

    def answer(self, tag):
        """(untagged responses without "* ", the tagged one without its tag); the second is None if the connection ended."""
        said = []
        while True:
            got = self.response()
            if got is None or got.startswith(tag + b" "):
                return said, None if got is None else got[len(tag) + 1:]
            said.append(got[2:] if got.startswith(b"* ") else got)

    def command(self, line):
        tag = self.tag()
        self.send(tag + b" " + line + b"\r\n")
        return self.answer(tag)

    def ok(self, line):
        said, done = self.command(line)
        want("wanted OK to %r" % line[:80], (said[-3:], done), done is not None and done.startswith(b"OK"))
        return said, done

    def wanted(self, line, *begins):
        """A tagged reply that begins so."""
        said, done = self.command(line)
        want("wanted %s to %r" % (b" or ".join(begins).decode(), line[:80]), (said[-3:], done),
             done is not None and done.startswith(begins))
        return said, done

    def capabilities(self):
        said, _ = self.ok(b"CAPABILITY")
        return next(s for s in said if s.startswith(b"CAPABILITY ")).split()[1:]

    def append(self, mailbox, data, flags=b"", date=b""):
        """Asked for, not sent ahead."""
        tag = self.tag()
        self.send(b"%s APPEND %s %s%s{%d}\r\n" % (tag, mailbox, flags and flags + b" ", date and b'"' + date + b'" ',
                                                  len(data)))
        got = self.line()
        want("+ to APPEND", got, got is not None and got.startswith(b"+"))
        self.send(data + b"\r\n")
        said, done = self.answer(tag)
        want("OK to APPEND", done, done is not None and done.startswith(b"OK"))
        return done

    def logout(self):
        said, done = self.command(b"LOGOUT")
        want("BYE and OK", (said, done), done is not None and done.startswith(b"OK") and
             any(s.startswith(b"BYE") for s in said))
        want("the end", None, self.closed())


class Deflated(Imap):
    """After COMPRESS."""

    def compress(self):
        self.ok(b"COMPRESS DEFLATE")
        want("nothing more", self.buf, not self.buf)
        self.out = zlib.compressobj(6, zlib.DEFLATED, -15)
        self.into = zlib.decompressobj(-15)
        self.raw, self.sock = self.sock, self

    def sendall(self, data):
        self.raw.sendall(self.out.compress(data) + self.out.flush(zlib.Z_SYNC_FLUSH))

    def recv(self, n):
        while True:
            more = self.raw.recv(n)
            if not more:
                return b""
            text = self.into.decompress(more)
            if text:
                return text

    def fileno(self):
        return self.raw.fileno()


def challenge(c):
    import base64
    got = c.line()
    want("a challenge", got, got is not None and got.startswith(b"+ "))
    return base64.b64decode(got[2:], validate=True)
