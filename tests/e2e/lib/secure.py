"""POP3 over TLS, and SASL as a client does it, for the tests of logins."""
import base64
import hashlib
import hmac
import os
import socket
import ssl
import time

from e2e import ADDR, Lines, Pop3, want


def context(low=ssl.TLSVersion.TLSv1_2, high=ssl.TLSVersion.TLSv1_3):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    c.minimum_version, c.maximum_version = low, high
    return c


def encrypt(conn, ctx=None):
    """The rest of a connection of Lines goes through TLS."""
    conn.sock = (ctx or context()).wrap_socket(conn.sock, server_hostname="mx.example.test")
    return conn


class Early:
    """In the place of a socket: TLS by a client that sends the beginning of the handshake together with the command."""

    def __init__(self, conn, command, before=b"", ctx=None):
        self.sock, self.into, self.out = conn.sock, ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = (ctx or context()).wrap_bio(self.into, self.out, server_hostname="mx.example.test")
        self.shake()
        conn.send(command + b"\r\n" + before + self.out.read())
        self.said = conn.line()
        self.into.write(conn.buf)
        conn.buf = b""
        while not self.shake():
            self.sock.sendall(self.out.read())
            self.more()
        self.sock.sendall(self.out.read())
        conn.sock = self

    def shake(self):
        try:
            self.tls.do_handshake()
            return True
        except ssl.SSLWantReadError:
            return False

    def more(self):
        data = self.sock.recv(65536)
        want("it goes on", data, data)
        self.into.write(data)

    def sendall(self, data):
        self.tls.write(data)
        self.sock.sendall(self.out.read())

    def recv(self, n):
        while True:
            try:
                return self.tls.read(n)
            except ssl.SSLWantReadError:
                self.more()

    def close(self):
        self.sock.close()


def hears(conn):
    """What is said until the connection ends."""
    got, conn.buf = conn.buf, b""
    try:
        while True:
            more = conn.sock.recv(65536)
            if not more:
                return got
            got += more
    except ConnectionError:
        return got


class Pop3s(Pop3):
    """TLS from the first byte, or by STLS."""

    def __init__(self, st, user=None, password="secret", stls=False, ctx=None, timeout=60):
        Lines.__init__(self, st.pop3 if stls else st.base + 995, timeout=timeout)
        if stls:
            self.greeting = self.line()
            self.ok(b"STLS")
            encrypt(self, ctx)
        else:
            encrypt(self, ctx)
            self.greeting = self.line()
        if user:
            self.ok(b"USER " + user.encode())
            self.ok(b"PASS " + password.encode())


def session(st, user="alice", **more):
    """Logged in over TLS; one of before may have to close first."""
    end = time.monotonic() + 60
    while True:
        c = Pop3s(st, **more)
        c.ok(b"USER " + user.encode())
        c.send(b"PASS secret\r\n")
        got = c.line()
        if got is not None and got.startswith(b"+OK"):
            return c
        want("a session of %s" % user, got, got is not None and b"IN-USE" in got and time.monotonic() < end)
        c.close()
        time.sleep(0.1)


def b64(data):
    return base64.b64encode(data)


def plain(user, password, authzid=b""):
    return b64(authzid + b"\0" + user + b"\0" + password)


def reset(sock):
    """Closes without a good-bye."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()


class Scram:
    """RFC 5802; end_point: the server's certificate (DER), for the mechanisms with -PLUS."""

    def __init__(self, digest, user, password, end_point=None):
        self.digest, self.password = digest, password
        self.gs2 = b"n,,"
        self.binding = b""
        if end_point is not None:
            self.gs2 = b"p=tls-server-end-point,,"
            self.binding = hashlib.sha256(end_point).digest()
        self.bare = b"n=%s,r=%s" % (user, base64.b64encode(os.urandom(18)))

    def first(self):
        return self.gs2 + self.bare

    def final(self, server_first):
        parts = dict(p.split(b"=", 1) for p in server_first.split(b","))
        salted = hashlib.pbkdf2_hmac(self.digest, self.password, base64.b64decode(parts[b"s"]), int(parts[b"i"]))
        key = hmac.digest(salted, b"Client Key", self.digest)
        without = b"c=%s,r=%s" % (b64(self.gs2 + self.binding), parts[b"r"])
        signed = b",".join((self.bare, server_first, without))
        proof = bytes(a ^ b for a, b in zip(key, hmac.digest(hashlib.new(self.digest, key).digest(), signed,
                                                             self.digest)))
        self.verifier = b"v=" + b64(hmac.digest(hmac.digest(salted, b"Server Key", self.digest), signed, self.digest))
        return without + b",p=" + b64(proof)


def challenge(conn):
    got = conn.line()
    want("a challenge", got, got is not None and got.startswith(b"+ "))
    return base64.b64decode(got[2:], validate=True)


def scram_login(conn, name, user, password, initial=True, end_point=None):
    """The last line: +OK or -ERR."""
    s = Scram("sha1" if b"SHA-1" in name else "sha256", user, password, end_point)
    if initial:
        conn.send(b"AUTH " + name + b" " + b64(s.first()) + b"\r\n")
    else:
        conn.send(b"AUTH " + name + b"\r\n")
        want("an empty challenge", None, challenge(conn) == b"")
        conn.send(b64(s.first()) + b"\r\n")
    conn.send(b64(s.final(challenge(conn))) + b"\r\n")
    got = conn.line()
    if got is not None and got.startswith(b"+ "):
        want("the server knows the password, too", None, base64.b64decode(got[2:]) == s.verifier)
        conn.send(b"\r\n")
        got = conn.line()
    return got
