"""A hop and a remote of the test's own, behind the sockets that queue knows
(common/proc/proto_hop.h, proto_remote.h): what they answer is a function."""
import os
import socket
import threading
import time


def pack(*fields):
    out = b""
    for tag, value in fields:
        value = value if isinstance(value, bytes) else str(value).encode()
        out += b"%s%d:%s,\n" % (tag.encode(), len(value), value)
    return out


def unpack(rec):
    """[(tag, value)]"""
    out = []
    while rec:
        colon = rec.index(b":")
        n = int(rec[1:colon])
        out.append((rec[:1].decode(), rec[colon + 1:colon + 1 + n]))
        if rec[colon + 1 + n:colon + 3 + n] != b",\n":
            raise ValueError("no end of a field")
        rec = rec[colon + 3 + n:]
    return out


def one(fields, tag, default=b""):
    return next((v for t, v in fields if t == tag), default)


def target(host, addr="192.0.2.1", port=25, pref=10):
    return pack(("H", host), ("A", addr), ("P", port), ("F", pref))


def way(domain, key=None, hosts=None, expires=600, tls="opportunistic", **more):
    """An answer of hop with something to be tried."""
    hosts = hosts or ["mx." + domain]
    out = [("C", 250), ("E", "2.0.0"), ("T", ""), ("K", key or "smtp:" + hosts[0]),
           ("X", expires), ("P", more.pop("protocol", "smtp")), ("L", tls)]
    out += [(k, v) for k, v in more.items()]
    return out + [("t", target(h)) for h in hosts]


def no_way(code, status, text, expires=10):
    return [("C", code), ("E", status), ("T", text), ("X", expires)]


class Server:
    """One thread for each connection."""

    def __init__(self, path):
        self.path = path
        self.socks = []
        self.lock = threading.Lock()
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o666)
        self.sock.listen(512)
        threading.Thread(target=self.accept, args=(self.sock,), daemon=True).start()

    def accept(self, sock):
        n = 0
        while True:
            try:
                c, _ = sock.accept()
            except OSError:
                return
            n += 1
            with self.lock:
                self.socks.append(c)
            threading.Thread(target=self.run, args=(c, n), daemon=True).start()

    def run(self, c, n):
        try:
            self.serve(c, n)
        except OSError:
            pass
        finally:
            with self.lock:
                if c in self.socks:
                    self.socks.remove(c)
            c.close()

    def stop(self):
        """As if it was killed."""
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        os.unlink(self.path)
        with self.lock:
            for c in self.socks:
                c.shutdown(socket.SHUT_RDWR)


class Hop(Server):
    """answer(domain): fields, see way; None: no answer at all."""

    def __init__(self, path, answer=way):
        self.answer = answer
        self.asked = []
        super().__init__(path)

    def serve(self, c, _):
        while True:
            rec = c.recv(65536)
            if not rec:
                return
            fields = unpack(rec)
            domain = one(fields, "D").decode()
            self.asked.append(domain)
            got = self.answer(domain)
            if got is not None:
                c.send(pack(("I", one(fields, "I")), ("D", domain), *got))


class Delivery:
    def __init__(self, fields, fd, connection):
        self.at = time.monotonic()
        self.connection = connection
        self.fields = fields
        self.id = one(fields, "I").decode()
        self.sender = one(fields, "S").decode()
        self.hop = unpack(one(fields, "H"))
        self.key = one(self.hop, "K").decode()
        self.rcpts = [unpack(v) for t, v in fields if t == "R"]
        self.to = [one(r, "a").decode() for r in self.rcpts]
        self.content = os.pread(fd, int(one(fields, "N")), int(one(fields, "O")))


def host(d):
    return "mx.%s[192.0.2.1]:25" % d.key.removeprefix("smtp:mx.")


def result(n, status, text, *more):
    return pack(("V", "result"), ("n", n), ("s", status), ("t", text), *more)


def takes_all(d, *more):
    """Each recipient is taken; the connection is kept."""
    out = [result(one(r, "n").decode(), "2.0.0", "250 2.0.0 taken", ("h", host(d)), ("r", ""),
                  ("Z", "TLSv1.3 X verified"), *more) for r in d.rcpts]
    return out + [done(d, ("K", ""))]


def says_all(d, status, text, *more):
    return [result(one(r, "n").decode(), status, text, ("h", host(d)), ("r", ""))
            for r in d.rcpts] + [done(d, ("K", ""), *more)]


def cannot(d, failure="connect", text="connect: Connection timed out"):
    """Nobody answers there."""
    return [result(one(r, "n").decode(), "4.4.1", text) for r in d.rcpts] + \
        [done(d, ("F", failure), ("t", text))]


def done(d, *more):
    return pack(("V", "done"), ("I", d.id), *more)


class Remote(Server):
    """handle(delivery): records to send; None among them closes the connection."""

    def __init__(self, path, handle=takes_all):
        self.handle = handle
        self.got = []
        super().__init__(path)

    def serve(self, c, n):
        while True:
            rec, fds, _, _ = socket.recv_fds(c, 65536, 4)
            if not rec:
                return
            d = Delivery(unpack(rec), fds[0], n)
            os.close(fds[0])
            self.got.append(d)
            for answer in self.handle(d):
                if answer is None:
                    return
                c.send(answer)

    def to(self, addr):
        return [d for d in self.got if addr in d.to]


class Road:
    """Both of a stage, which has none of its own at these sockets."""

    def __init__(self, stage, answer=way, handle=takes_all):
        sock = os.path.join(stage.dir, "spool", "sock")
        self.hop = Hop(os.path.join(sock, "hop"), answer)
        self.remote = Remote(os.path.join(sock, "remote"), handle)

    def stop(self):
        self.hop.stop()
        self.remote.stop()
