"""A name server for tests, on UDP and TCP: it says what the test wants, also
what no sane server would say. Names are text without the last dot."""
import socket
import socketserver
import struct
import threading
import time

A, NS, CNAME, SOA, MX, TXT, AAAA = 1, 2, 5, 6, 15, 16, 28
TYPES = {"A": A, "CNAME": CNAME, "MX": MX, "AAAA": AAAA, "TXT": TXT}
NXDOMAIN, SERVFAIL, REFUSED = 3, 2, 5


def name(text):
    out = b""
    for label in text.encode("ascii").split(b".") if text else []:
        out += bytes([len(label)]) + label
    return out + b"\0"


def rdata(kind, value):
    if kind == A:
        return socket.inet_pton(socket.AF_INET, value)
    if kind == AAAA:
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == MX:
        pref, host = value
        return struct.pack(">H", pref) + (host if isinstance(host, bytes) else name(host))
    if kind == CNAME:
        return name(value)
    return value


def record(owner, kind, data, ttl):
    return name(owner) + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


class Zone:
    """What is there: add("example.org", "MX", (10, "mx.example.org")). A name that has no record does not exist.
    special[name] or special[(name, type)]: a function of (query, question, tcp) that gives packets, or a word:
    servfail refused silent garbage short empty wrongid truncated."""

    def __init__(self, ttl=300):
        self.records = {}
        self.special = {}
        self.ttl = ttl
        self.ttls = {}
        self.asked = []
        self.lock = threading.Lock()

    def add(self, owner, kind, *values, ttl=None):
        self.records.setdefault(owner, {}).setdefault(TYPES[kind], []).extend(values)
        if ttl is not None:
            self.ttls[owner] = ttl

    def count(self, owner, kind=None):
        with self.lock:
            return sum(1 for n, k, _ in self.asked if n == owner and kind in (None, k))

    def answers(self, owner, kind):
        """Records and rcode, with the CNAMEs on the way."""
        out = []
        seen = 0
        while seen < 20:
            seen += 1
            here = self.records.get(owner)
            if here is None:
                return out, NXDOMAIN
            ttl = self.ttls.get(owner, self.ttl)
            if CNAME in here and kind != CNAME:
                out.append(record(owner, CNAME, rdata(CNAME, here[CNAME][0]), ttl))
                owner = here[CNAME][0]
                continue
            out += [record(owner, kind, rdata(kind, v), ttl) for v in here.get(kind, [])]
            break
        return out, 0

    def reply(self, query, tcp):
        """Packets to be sent."""
        try:
            ident, question, owner, kind = parse(query)
        except (IndexError, struct.error):
            return []
        with self.lock:
            self.asked.append((owner, kind, tcp))
        special = self.special.get((owner, kind), self.special.get(owner))
        if callable(special):
            return special(query, question, tcp)
        if special == "silent":
            return []
        if special == "garbage":
            return [query[:2] + b"\x81\x80" + b"\xff" * 40]
        if special == "short":
            return [query[:5]]
        if special == "empty":
            return [b""]
        if special == "wrongid":
            return [bytes([query[0] ^ 0xff]) + query[1:2] + b"\x81\x80" + query[4:]]
        if special in ("servfail", "refused"):
            return [packet(ident, question, [], SERVFAIL if special == "servfail" else REFUSED)]
        out, rcode = self.answers(owner, kind)
        whole = packet(ident, question, out, rcode, soa(owner, self.ttl) if not out or rcode else [])
        if not tcp and (special == "truncated" or len(whole) > 1232):
            return [packet(ident, question, [], rcode, truncated=True)]
        return [whole]


def parse(query):
    ident = query[:2]
    at = 12
    labels = []
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1").lower())
        at += query[at] + 1
    kind, = struct.unpack(">H", query[at + 1:at + 3])
    return ident, query[12:at + 5], ".".join(labels), kind


def soa(owner, ttl):
    top = owner.split(".")[-1]
    data = name("ns." + top) + name("root." + top) + struct.pack(">IIIII", 1, 3600, 600, 86400, ttl)
    return [record(top, SOA, data, ttl)]


def packet(ident, question, answers, rcode=0, authority=(), truncated=False):
    flags = 0x8180 | rcode | (0x0200 if truncated else 0)
    return (ident + struct.pack(">HHHHH", flags, 1, len(answers), len(authority), 0) + question +
            b"".join(answers) + b"".join(authority))


class Server:
    """Serves a zone on 127.0.0.1, on a port of its own."""

    def __init__(self, zone, delay=0):
        self.zone = zone
        outer = self

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                time.sleep(outer.delay)
                for p in zone.reply(self.request[0], False):
                    self.request[1].sendto(p, self.client_address)

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    while True:
                        head = self.request.recv(2, socket.MSG_WAITALL)
                        if len(head) < 2:
                            return
                        query = self.request.recv(struct.unpack(">H", head)[0], socket.MSG_WAITALL)
                        for p in zone.reply(query, True):
                            self.request.sendall(struct.pack(">H", len(p)) + p)
                except OSError:
                    pass

        self.delay = delay
        for _ in range(50):
            try:
                self.udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Udp)
                self.port = self.udp.server_address[1]
                socketserver.ThreadingTCPServer.allow_reuse_address = True
                socketserver.ThreadingTCPServer.request_queue_size = 200
                self.tcp = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), Tcp)
                break
            except OSError:
                self.udp.server_close()
        for s in (self.udp, self.tcp):
            s.daemon_threads = True
            threading.Thread(target=s.serve_forever, daemon=True).start()

    def close(self):
        for s in (self.udp, self.tcp):
            s.shutdown()
            s.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
