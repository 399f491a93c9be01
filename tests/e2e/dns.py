"""hop: what each thing that DNS may say makes of mail for a domain. Its name
server is the test's own (lib/fakedns.py), or NSD with a signed zone.
TAP on standard output."""
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import fakedns
from e2e import BIN, LONG, ROOT, Skip, Smtp, Stage, Tap, free_port, message, send, until, want, word
from fakedns import A, AAAA, MX

TIMEOUT = 8      # of hop: what the test's name server must have said on a slow machine
REPEATED = set("Wst")


def fields(record):
    """[(tag, value)]"""
    out = []
    while record:
        size, rest = record[1:].split(b":", 1)
        n = int(size)
        want("a netstring ends", rest[n:n + 2], rest[n:n + 2] == b",\n")
        out.append((chr(record[0]), rest[:n]))
        record = rest[n + 2:]
    return out


def netstring(tag, value):
    value = value if isinstance(value, bytes) else str(value).encode()
    return b"%s%d:%s,\n" % (tag.encode(), len(value), value)


class Answer:
    def __init__(self, record):
        self.size = len(record)
        self.why, self.sources, self.targets = [], [], []
        self.f = {}
        for tag, value in fields(record):
            if tag == "t":
                t = {k: v.decode() for k, v in fields(value)}
                self.targets.append((t.get("H", ""), t["A"], t.get("P", ""), t.get("F")))
            else:
                value = value.decode()
                if tag in REPEATED:
                    (self.why if tag == "W" else self.sources).append(value)
                else:
                    self.f[tag] = value
        self.code, self.status, self.text = self.f["C"], self.f["E"], self.f["T"]

    def __repr__(self):
        return "%s %s %s %s %s why %s" % (self.code, self.status, self.text, self.f, self.targets, self.why)

    def addrs(self):
        return [t[1] for t in self.targets]


class Hop:
    def __init__(self, stage):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(60)
        self.sock.connect(os.path.join(stage.dir, "spool/sock/hop"))
        self.n = 0

    def send(self, domain):
        self.n += 1
        self.sock.send(netstring("V", "hop") + netstring("I", self.n) + netstring("D", domain))
        return self.n

    def receive(self):
        data = self.sock.recv(1 << 17)
        want("an answer of hop", data, data)
        return Answer(data)

    def ask(self, domain):
        n = self.send(domain)
        a = self.receive()
        want("the number comes back", a.f["I"], a.f["I"] == str(n))
        want("the domain comes back", a.f["D"], a.f["D"] == domain)
        return a

    def close(self):
        self.sock.close()


def zone():
    z = fakedns.Zone()
    z.add("two.test", "MX", (20, "mx2.two.test"), (10, "MX1.two.test"))
    z.add("mx1.two.test", "A", "192.0.2.1")
    z.add("mx1.two.test", "AAAA", "2001:db8::1")
    z.add("mx2.two.test", "A", "192.0.2.2")
    z.add("cname.test", "CNAME", "two.test")
    z.add("mxcname.test", "MX", (5, "alias.two.test"))
    z.add("alias.two.test", "CNAME", "mx2.two.test")
    z.add("null.test", "MX", (0, ""))
    z.add("notnull.test", "MX", (0, ""), (10, "mx2.two.test"))
    z.add("onlya.test", "A", "192.0.2.5")
    z.add("only6.test", "AAAA", "2001:db8::5")
    z.add("text.test", "TXT", b"\1a")
    z.add("loop1.test", "CNAME", "loop2.test")
    z.add("loop2.test", "CNAME", "loop1.test")
    z.add("dangling.test", "CNAME", "nothing.test")
    z.add("xn--bcher-kva.test", "MX", (1, "mx2.two.test"))
    # hosts that are missing, or cannot be told
    z.add("dead.test", "MX", (1, "nx1.test"), (2, "nx2.test"))
    z.add("half.test", "MX", (1, "nx1.test"), (2, "mx2.two.test"))
    z.add("unsure.test", "MX", (1, "failing.test"), (2, "nx2.test"))
    z.add("partly.test", "MX", (1, "failing.test"), (2, "mx2.two.test"))
    z.add("failing.test", "A", "192.0.2.7")
    z.special["failing.test"] = "servfail"
    z.add("six.test", "MX", (1, "sixfails.test"))
    z.add("sixfails.test", "A", "192.0.2.8")
    z.special[("sixfails.test", AAAA)] = "servfail"
    z.add("mxfails.test", "A", "192.0.2.9")
    z.special[("mxfails.test", MX)] = "servfail"
    z.add("mxsilent.test", "A", "192.0.2.9")
    z.special[("mxsilent.test", MX)] = "silent"
    z.add("useless.test", "MX", (1, "any.test"))
    z.add("any.test", "A", "224.0.0.1", "255.255.255.255")
    z.add("any.test", "AAAA", "ff02::1", "fe80::1")
    z.add("zero.test", "A", "0.0.0.0")
    z.add("oddname.test", "MX", (1, b"\4a\0b.\4test\0"), (2, b"\5a b c\4test\0"))
    # loops
    z.add("weare.test", "MX", (10, "mx.example.test"))
    z.add("mx.example.test", "A", "198.51.100.77")
    z.add("backup.test", "MX", (10, "mx1.two.test"), (20, "mx.example.test"), (20, "mx2.two.test"), (30, "onlya.test"))
    z.add("byaddr.test", "MX", (10, "mx1.two.test"), (20, "self.test"), (30, "mx2.two.test"))
    z.add("self.test", "A", "127.0.0.1")
    z.add("deadbackup.test", "MX", (10, "failing.test"), (20, "self.test"))
    z.add("equal.test", "MX", (10, "self.test"), (10, "mx2.two.test"))
    # order
    z.add("equals.test", "MX", *[(10, "e%d.test" % i) for i in range(4)], (20, "mx2.two.test"))
    for i in range(4):
        z.add("e%d.test" % i, "A", "192.0.2.1%d" % i)
    z.add("dual.test", "A", *["192.0.2.%d" % i for i in (21, 22, 23)])
    z.add("dual.test", "AAAA", *["2001:db8::2%d" % i for i in (1, 2)])
    z.add("same.test", "MX", (20, "mx2.two.test"), (10, "mx1.two.test"))
    # size
    z.add("big.test", "MX", *[(i // 30, "m%d.big.test" % i) for i in range(300)])
    for i in range(300):
        z.add("m%d.big.test" % i, "A", *["10.%d.%d.1" % (i % 256, j) for j in range(1, 200)])
    z.add("long.test", "MX", *[(1, long_name(i)) for i in range(20)])
    for i in range(20):
        z.add(long_name(i), "A", *["10.1.%d.%d" % (i, j) for j in range(1, 17)])
    # time
    z.add("brief.test", "A", "192.0.2.30", ttl=1)
    z.add("eternal.test", "MX", (1, "host.eternal.test"), ttl=604800)
    z.add("host.eternal.test", "A", "192.0.2.31", ttl=604800)
    z.add("host.eternal.test", "AAAA", "2001:db8::31")
    z.add("five.test", "A", "192.0.2.33")
    z.add("minute.test", "MX", (1, "minute.test"), ttl=60)
    z.add("minute.test", "A", "192.0.2.32")
    for w in "silent garbage short empty wrongid refused servfail truncated".split():
        z.add(w + ".test", "A", "192.0.2.40")
        z.special[w + ".test"] = w
    z.add("joined.test", "A", "192.0.2.41")
    z.add("relay.corp.test", "A", "192.0.2.50")
    return z


def long_name(i):
    return ".".join(["x" * 60, "y" * 60, "z" * 60, "w%02d" % i, "test"])


CONF = """
dns.server 127.0.0.1:%d
dns.timeout %ds
smtp.listen 127.0.0.1:%d
remote.port %d
transport .direct.test smtp
transport none.test none
transport .none.test none
transport smart.test smtp:relay.corp.test
transport port.test smtp:relay.corp.test:2525
transport v4.test smtp:[192.0.2.60]
transport v6.test "smtp:[2001:db8::60]:26"
transport sec.test smtps:relay.corp.test
transport mxof.test mx:two.test
transport lmtp.test lmtp:relay.corp.test:2400
transport sock.test lmtp:/run/lmtp
transport typo.test smtp:nx.corp.test
transport mxtypo.test mx:nx.corp.test
transport self2.test smtp:self.test
transport ok.self3.test smtp:[127.0.0.1]:9
transport idn.test mx:bücher.test
remote.tls two.test required
remote.tls .two.test verified
remote.tls * opportunistic
remote.tls text.test off
remote.source .two.test 192.0.2.200
remote.source .two.test 192.0.2.201
remote.source .two.test 2001:db8::200
remote.connections mx2.two.test 3
remote.connections half.test 4
remote.rate * 600
"""

# domain: code, status, a word of the text, addresses in order (None: not looked at)
OUTCOMES = [
    ("two.test", "250", "2.0.0", "", ["2001:db8::1", "192.0.2.1", "192.0.2.2"]),
    ("TWO.Test", "250", "2.0.0", "", ["2001:db8::1", "192.0.2.1", "192.0.2.2"]),
    ("cname.test", "250", "2.0.0", "", ["2001:db8::1", "192.0.2.1", "192.0.2.2"]),
    ("mxcname.test", "250", "2.0.0", "", ["192.0.2.2"]),
    ("null.test", "550", "5.1.10", "null MX", []),
    ("notnull.test", "250", "2.0.0", "", ["192.0.2.2"]),
    ("onlya.test", "250", "2.0.0", "", ["192.0.2.5"]),
    ("only6.test", "250", "2.0.0", "", ["2001:db8::5"]),
    ("text.test", "550", "5.4.4", "neither MX records nor an address", []),
    ("nothing.test", "550", "5.1.2", "does not exist", []),
    ("loop1.test", "450", "4.4.3", "SERVFAIL", []),
    ("dangling.test", "550", "5.1.2", "does not exist", []),
    ("bücher.test", "250", "2.0.0", "xn--bcher-kva.test", ["192.0.2.2"]),
    ("BÜCHER.test", "250", "2.0.0", "xn--bcher-kva.test", ["192.0.2.2"]),
    ("xn--bcher-kva.test", "250", "2.0.0", "", ["192.0.2.2"]),
    ("\u2028.test", "550", "5.1.2", "no such domain can exist", []),
    ("a" * 64 + ".test", "550", "5.1.2", "no such domain can exist", []),
    ("a..test", "550", "5.1.2", "no such domain can exist", []),
    ("dead.test", "550", "5.4.4", "no server of them has an address", []),
    ("half.test", "250", "2.0.0", "", ["192.0.2.2"]),
    ("unsure.test", "450", "4.4.3", "failing.test", []),
    ("partly.test", "250", "2.0.0", "", ["192.0.2.2"]),
    ("six.test", "250", "2.0.0", "", ["192.0.2.8"]),
    ("mxfails.test", "450", "4.4.3", "MX of mxfails.test", []),
    ("mxsilent.test", "450", "4.4.3", "no answer in time", []),
    ("useless.test", "550", "5.4.4", "address that can be used", []),
    ("oddname.test", "550", "5.4.4", "address that can be used", []),
    ("weare.test", "550", "5.4.6", "loops back", []),
    ("backup.test", "250", "2.0.0", "", ["2001:db8::1", "192.0.2.1"]),
    ("byaddr.test", "250", "2.0.0", "", ["2001:db8::1", "192.0.2.1"]),
    ("deadbackup.test", "450", "4.4.3", "failing.test", []),
    ("equal.test", "550", "5.4.6", "loops back", []),
    ("self.test", "550", "5.4.6", "loops back", []),
    ("zero.test", "550", "5.4.6", "loops back", []),
    ("silent.test", "450", "4.4.3", "no answer in time", []),
    ("garbage.test", "450", "4.4.3", "", []),
    ("short.test", "450", "4.4.3", "", []),
    ("empty.test", "450", "4.4.3", "", []),
    ("wrongid.test", "450", "4.4.3", "", []),
    ("refused.test", "450", "4.4.3", "", []),
    ("servfail.test", "450", "4.4.3", "", []),
    ("truncated.test", "250", "2.0.0", "", ["192.0.2.40"]),
    ("[192.0.2.77]", "250", "2.0.0", "", ["192.0.2.77"]),
    ("[IPv6:2001:db8::77]", "250", "2.0.0", "", ["2001:db8::77"]),
    ("[127.0.0.1]", "550", "5.4.6", "loops back", []),
    ("[0.0.0.0]", "550", "5.4.6", "loops back", []),
    ("[224.0.0.1]", "550", "5.4.4", "cannot be used", []),
    ("none.test", "550", "5.4.4", "not sent from here", []),
    ("a.b.none.test", "550", "5.4.4", "not sent from here", []),
    ("smart.test", "250", "2.0.0", "", ["192.0.2.50"]),
    ("v4.test", "250", "2.0.0", "", ["192.0.2.60"]),
    ("v6.test", "250", "2.0.0", "", ["2001:db8::60"]),
    ("sec.test", "250", "2.0.0", "", ["192.0.2.50"]),
    ("mxof.test", "250", "2.0.0", "", ["2001:db8::1", "192.0.2.1", "192.0.2.2"]),
    ("lmtp.test", "250", "2.0.0", "", ["192.0.2.50"]),
    ("sock.test", "250", "2.0.0", "", ["/run/lmtp"]),
    ("typo.test", "450", "4.4.4", "nx.corp.test does not exist", []),
    ("mxtypo.test", "450", "4.4.4", "nx.corp.test does not exist", []),
    ("self2.test", "550", "5.4.6", "loops back", []),
    ("ok.self3.test", "250", "2.0.0", "", ["127.0.0.1"]),
    ("idn.test", "250", "2.0.0", "", ["192.0.2.2"]),
    ("localhost", "550", "5.4.6", "loops back", []),
]

SILENT = {w + ".test" for w in "mxsilent silent garbage short empty wrongid".split()}

# domain: fields
FIELDS = [
    ("two.test", {"K": "smtp:mx1.two.test tls=required from=192.0.2.200 from=2001:db8::200", "P": "smtp", "L": "required",
                  "M": "600"}),
    ("same.test", {"K": "smtp:mx1.two.test tls=verified from=192.0.2.200 from=2001:db8::200", "L": "verified"}),
    ("mxcname.test", {"L": "verified"}),
    ("half.test", {"N": "4"}),
    ("partly.test", {"N": "3"}),
    ("onlya.test", {"L": "opportunistic", "N": None, "K": "smtp:onlya.test"}),
    ("sec.test", {"K": "smtps:relay.corp.test", "P": "smtp", "L": "implicit"}),
    ("port.test", {"K": "smtp:relay.corp.test:2525"}),
    ("lmtp.test", {"K": "lmtp:relay.corp.test:2400", "P": "lmtp"}),
    ("sock.test", {"K": "lmtp:/run/lmtp", "P": "lmtp", "L": "off"}),
    ("[192.0.2.77]", {"K": "smtp:[192.0.2.77]", "X": "3600"}),
    ("null.test", {"K": None, "X": None, "P": None}),
]


class Ahead:
    """Those that nothing comes from but silence or nonsense are asked about together: the time-out is waited for once."""

    def __init__(self, stage, domains):
        self.hop, self.domains, self.answers = Hop(stage), domains, {}
        self.start = time.monotonic()
        self.numbers = {str(self.hop.send(d)): d for d in domains}

    def ask(self, domain):
        while domain not in self.answers:
            a = self.hop.receive()
            want("the number and the domain come back", a, self.numbers.get(a.f["I"]) == a.f["D"])
            self.answers[a.f["D"]] = a
        return self.answers[domain]

    def close(self):
        self.hop.close()


def outcome(hop, domain, code, status, word, addrs):
    a = hop.ask(domain)
    want("%s %s" % (code, status), a, (a.code, a.status) == (code, status))
    want("the text says " + word, a, word in a.text)
    want("addresses %s" % addrs, a, a.addrs() == addrs)
    literal = domain.startswith("[") or domain == "sock.test"
    for host, _, _, _ in a.targets:
        want("a host in lower case without a dot", a, literal or domain in ("v4.test", "v6.test", "ok.self3.test") or
             re.fullmatch(r"[a-z0-9.-]+[a-z0-9]", host))


def has_fields(hop, domain, fields_wanted):
    a = hop.ask(domain)
    for tag, value in fields_wanted.items():
        want("%s is %s" % (tag, value), a, a.f.get(tag) == value)


def has_sources(hop):
    want("one source of each family", hop.ask("two.test").sources,
         hop.ask("two.test").sources == ["192.0.2.200", "2001:db8::200"])


def ports(hop, port):
    for domain, value in (("two.test", port), ("port.test", 2525), ("sec.test", 465), ("v6.test", 26), ("lmtp.test", 2400)):
        a = hop.ask(domain)
        want("port %d" % value, a, all(t[2] == str(value) for t in a.targets))


def order(hop):
    firsts = set()
    for _ in range(60):
        a = hop.ask("equals.test")
        want("the worse one last", a, a.addrs()[-1] == "192.0.2.2" and len(a.targets) == 5)
        want("preferences", a, [t[3] for t in a.targets] == ["10"] * 4 + ["20"])
        want("a key that chance does not change", a, a.f["K"] == "smtp:e0.test")
        firsts.add(a.addrs()[0])
    want("each of four equals comes first at times", firsts, len(firsts) == 4)


def families(hop):
    seen = set()
    for _ in range(60):
        a = hop.ask("dual.test")
        kinds = "".join("6" if ":" in x else "4" for x in a.addrs())
        want("IPv6 and IPv4 in turn", a, kinds == "64644")
        seen.add(a.addrs()[1])
    want("IPv4 addresses in random order", seen, len(seen) == 3)


def huge(hop, z):
    a = hop.ask("big.test")
    want("100 targets", len(a.targets), len(a.targets) == 100)
    want("the best ones", a.targets[0], all(t[3] == "0" for t in a.targets))
    want("several hosts", a, len({t[0] for t in a.targets}) >= 5)
    asked = {n for n, _, _ in z.asked if n.endswith(".big.test")}
    want("20 hosts asked about", len(asked), len(asked) <= 20)
    want("said what is left out", a.why, any("280 further MX" in w for w in a.why))
    a = hop.ask("long.test")
    want("room for the rest of remote's packet", a.size, a.size <= 32768 and len(a.targets) > 30)


def times(hop):
    for domain, low, high in (("brief.test", 10, 10), ("eternal.test", 3540, 3600), ("minute.test", 20, 60),
                              ("five.test", 240, 300)):
        x = int(hop.ask(domain).f["X"])
        want("%s is good for %d to %d" % (domain, low, high), x, low <= x <= high)


def under_way(stage, z):
    """Slow questions do not hold up quick ones; each gets its own answer."""
    hop, start = Hop(stage), time.monotonic()
    slow = [hop.send("s%d.silent2.test" % i) for i in range(50)]
    quick = [hop.send("q%d.quick.test" % i) for i in range(100)]
    got = [hop.receive() for _ in quick]
    want("all the quick ones, and first", sorted(a.f["D"] for a in got),
         sorted(a.f["I"] for a in got) == sorted(str(n) for n in quick))
    for a in got:
        want("each its own", a, a.addrs() == ["192.0.2.%d" % (int(a.f["D"][1:].split(".")[0]) % 250)])
    got = [hop.receive() for _ in slow]
    took = time.monotonic() - start
    want("when their time is over", took, TIMEOUT <= took < TIMEOUT + 30)
    want("then the slow ones", got, {a.f["I"] for a in got} == {str(n) for n in slow} and
         all(a.status == "4.4.3" for a in got))
    hop.close()


def after_silence(stage):
    """A name that nobody answers for, asked again and again, does not make the server look dead."""
    if not LONG:
        raise Skip("takes 25 seconds")
    lost = Hop(stage)
    for i in range(250):
        lost.send("n%d.silent3.test" % i)
        time.sleep(0.1)
    lost.close()
    start = time.monotonic()

    def asked():
        hop = Hop(stage)
        got = hop.ask("r%d.awake.test" % int((time.monotonic() - start) * 10))
        hop.close()
        return got.code == "250"
    until("an answer again", asked, seconds=TIMEOUT, step=0.3)


def own_addresses(stage, hop):
    """An address that this host gets, and loses again, while hop and route run."""
    addr = "203.0.113.%d" % (os.getpid() % 250 + 1)
    ip = ["ip", "addr", "add", addr + "/32", "dev", "lo"]
    w = word("own")

    def asked():
        with Smtp(stage.smtp) as c:
            c.say(b"EHLO client.test\r\nMAIL FROM:<s@client.test>\r\n", "250", "250")
            c.send(b"RCPT TO:<nobody-here@[%s]>\r\n" % addr.encode())
            return c.reply()
    want("another host's at the door", asked(), asked().startswith("250"))
    a = hop.ask("[%s]" % addr)
    want("another host's", a, a.code == "250" and a.addrs() == [addr])
    try:
        r = subprocess.run(ip, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
    except OSError as e:
        raise Skip(str(e)) from e
    if r.returncode != 0:
        raise Skip("ip addr add: " + r.stdout.decode().strip())
    try:
        until("ours", lambda: hop.ask("[%s]" % addr).status == "5.4.6", step=0.5)
        until("ours at the door: route asks when it wants to", lambda: asked().startswith("550"), step=0.5)
        send(stage.smtp, b"alice@[%s]" % addr.encode(), message(w))
        stage.came("alice", w)
    finally:
        subprocess.run(["del" if x == "add" else x for x in ip], timeout=20, check=True)
    until("another host's again", lambda: hop.ask("[%s]" % addr).code == "250", step=0.5)


def joined(stage, z):
    hop, other = Hop(stage), Hop(stage)
    for _ in range(20):
        hop.send("joined.test")
        other.send("joined.test")
    got = [h.receive() for h in (hop, other) for _ in range(20)]
    want("forty answers", got, all(a.addrs() == ["192.0.2.41"] for a in got))
    for _ in range(20):
        hop.ask("joined.test")
    # the resolver asks again when an answer is late, by its own clock: some more than one, but not one for each
    asked = [z.count("joined.test", kind) for kind in (MX, A)]
    want("one question of MX and of A, and not of all", asked, all(1 <= n <= 10 for n in asked))
    hop.close()
    other.close()


def burst(stage):
    """More answers at once than a socket has room for are not lost, nor is the client."""
    hop = Hop(stage)
    n = [hop.send("long.test") for _ in range(300)]     # 24 KB each
    time.sleep(1)
    got = [hop.receive() for _ in n]
    want("all of them", len(got), {a.f["I"] for a in got} == {str(i) for i in n} and
         all(len(a.targets) > 30 for a in got))
    hop.close()


def gone_client(stage, hop):
    """A client that leaves does not take the answer of another with it."""
    lost = Hop(stage)
    lost.send("t1.silent2.test")
    hop.send("t1.silent2.test")
    lost.close()
    want("an answer for who stayed", hop.receive().status, "4.4.3")


def malformed(stage, pid):
    for packet in (b"x", b"V3:hop,\n", b"V3:hop,\nI1:1,\n", b"V3:hop,\nI1:1,\nD0:,\n", b"V3:pop,\nI1:1,\nD1:a,\n",
                   b"V3:hop,\nI1:x,\nD1:a,\n", b"V3:hop,\nI1:1,\nD1025:" + b"a" * 1025 + b",\n"):
        hop = Hop(stage)
        hop.sock.send(packet)
        want("%r costs the connection" % packet[:30], hop.sock.recv(100), hop.sock.recv(100) == b"")
        hop.close()
    want("hop lives", hop_pid(stage), hop_pid(stage) == pid)
    hop = Hop(stage)
    a = hop.ask("a\0b\n.test")
    want("no domain", a, a.status == "5.1.2")
    hop.close()


def hop_pid(stage):
    for line in stage.posthouse("status")[1].splitlines():
        if line.split()[:1] == ["hop"]:
            return int(line.split()[1]) if line.split()[1].isdigit() else None
    return None


def confined(stage):
    pid = hop_pid(stage)
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        status = f.read()
    want("seccomp", status, re.search(r"^Seccomp:\s*2", status, re.M))
    threads = os.listdir("/proc/%d/task" % pid)
    want("its thread and itself", threads, len(threads) == 2)
    for t in threads:
        with open("/proc/%d/task/%s/status" % (pid, t), encoding="ascii") as f:
            want("seccomp of each thread", t, re.search(r"^Seccomp:\s*2", f.read(), re.M))
    if not ROOT:
        raise Skip("not root: no user and root directory of its own")
    root = os.readlink("/proc/%d/root" % pid)
    want("an empty root directory", root, root.endswith("/run/empty") and os.listdir(root) == [])
    want("the user ph-hop", status, re.search(r"^Uid:\s*([1-9]\d*)\s\1\s\1\s\1", status, re.M))


def status_line(stage):
    def look():
        line = next((l for l in stage.posthouse("status")[1].splitlines() if l.startswith("hop ")), "")
        n = {k: int(v) for k, v in re.findall(r"([a-z-]+)=(\d+)", line)}
        return n if n.get("under-way") == 0 else None
    n = until("its counters, and nothing under way", look)
    want("counters", n, n["questions"] > 100 and n["joined"] > 0 and n["cached"] > 0 and n["looked-up"] > 10 and
         n["failed"] > 5 and n["refused"] > 5 and n["known"] > 20)


def explain(stage):
    status, out = stage.command("-v", "-f", stage.conf, "ann@two.test", program="route")
    want("asked of the running hop", out, status == 0 and "asked of the running hop" in out and
         "-> mx1.two.test [2001:db8::1]:" in out and out.splitlines()[-1].startswith("250 2.1.5"))
    status, out = stage.command("-v", "-f", stage.conf, "ann@none.test", program="route")
    want("refused", out, status == 69 and "transport none.test none" in out and "550 5.4.4" in out)


def refused_at_the_door(stage):
    import smtplib
    with smtplib.SMTP("127.0.0.1", stage.smtp) as c:
        c.ehlo("client.test")
        c.mail("s@client.test")
        got = c.rcpt("x@a.none.test")
        want("550 5.4.4", got, got[0] == 550 and b"5.4.4" in got[1])


def rewrite(stage, old, new):
    with open(stage.conf, encoding="utf-8") as f:
        text = f.read()
    want("the configuration has " + old, text, old in text)
    with open(stage.conf, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))


def reload_settings(stage, hop):
    pid = hop_pid(stage)
    rewrite(stage, "remote.rate * 600", "remote.rate * 500\nremote.family ipv4")
    status, out = stage.posthouse("reload")
    want("reloaded", out, status == 0)
    until("the new rate", lambda: hop.ask("two.test").f.get("M") == "500")
    a = hop.ask("two.test")
    want("IPv4 alone", a, a.addrs() == ["192.0.2.1", "192.0.2.2"])
    a = hop.ask("only6.test")
    want("no address that can be used", a, a.status == "5.4.4")
    want("the same process", hop_pid(stage), hop_pid(stage) == pid)
    rewrite(stage, "remote.rate * 500", "transport bad.test \"mx:\u2028.test\"\nremote.rate * 400")
    status, out = stage.posthouse("reload")
    want("a name that cannot exist", out, status != 0 and "IDNA" in out)
    want("the old settings stay", hop.ask("two.test").f["M"], hop.ask("two.test").f["M"] == "500")
    rewrite(stage, "transport bad.test \"mx:\u2028.test\"\nremote.rate * 400", "remote.rate * 500")


def reload_servers(stage, old, new):
    pid = hop_pid(stage)
    rewrite(stage, "127.0.0.1:%d" % old, "127.0.0.1:%d" % new)
    status, out = stage.posthouse("reload")
    want("reloaded", out, status == 0)
    until("a new process", lambda: hop_pid(stage) not in (None, pid))

    def asked():
        try:
            hop = Hop(stage)
            got = hop.ask("moved.test")
            hop.close()
            return got
        except (OSError, ValueError):
            return None
    a = until("an answer", asked)
    want("of the new server", a, a.addrs() == ["192.0.2.99"])


def not_running(stage):
    """Without the daemon the command works it out itself."""
    stage.stop()
    status, out = stage.command("-v", "-f", stage.conf, "ann@moved.test", program="route")
    want("worked out here", out, status == 0 and "worked out here" in out and "[192.0.2.99]" in out)


def plain(tap):
    z, moved = zone(), fakedns.Zone()
    moved.add("moved.test", "A", "192.0.2.99")
    for i in range(100):
        z.add("q%d.quick.test" % i, "A", "192.0.2.%d" % (i % 250))
    for i in range(50):
        z.special["s%d.silent2.test" % i] = "silent"
    z.special["t1.silent2.test"] = "silent"
    for i in range(250):
        z.special["n%d.silent3.test" % i] = "silent"
    for i in range(100):
        z.add("r%d.awake.test" % i, "A", "192.0.2.42")
    port = free_port()
    with fakedns.Server(z) as server, fakedns.Server(moved) as second, \
            Stage(CONF % (server.port, TIMEOUT, port, port)) as stage:
        hop = Hop(stage)
        ahead = Ahead(stage, [row[0] for row in OUTCOMES if row[0] in SILENT])
        for row in OUTCOMES:
            tap.run("%s: %s %s" % (row[0], row[1], row[2]), outcome, ahead if row[0] in SILENT else hop, *row)
        ahead.close()
        for domain, wanted in FIELDS:
            tap.run("%s: its settings" % domain, has_fields, hop, domain, wanted)
        tap.run("sources", has_sources, hop)
        tap.run("ports", ports, hop, port)
        tap.run("equal preferences in random order", order, hop)
        tap.run("IPv6 and IPv4 in turn", families, hop)
        tap.run("huge answers", huge, hop, z)
        tap.run("times", times, hop)
        tap.run("many questions under way", under_way, stage, z)
        tap.run("after silence", after_silence, stage)
        tap.run("an address that comes later", own_addresses, stage, hop)
        tap.run("the same question twice", joined, stage, z)
        tap.run("many answers at once", burst, stage)
        tap.run("a client that leaves", gone_client, stage, hop)
        tap.run("malformed questions", malformed, stage, hop_pid(stage))
        tap.run("confined", confined, stage)
        tap.run("status", status_line, stage)
        tap.run("route -v", explain, stage)
        tap.run("transport none at the door", refused_at_the_door, stage)
        tap.run("reload of settings", reload_settings, stage, hop)
        hop.close()
        tap.run("reload of name servers", reload_servers, stage, server.port, second.port)
        tap.run("route -v without a daemon", not_running, stage)


ZONE = """$ORIGIN signed.test.
$TTL 300
@ IN SOA ns.signed.test. root.signed.test. 1 3600 600 864000 300
@ IN NS ns
ns IN A 127.0.0.1
good IN MX 10 mx
bad IN MX 10 mx
badhost IN MX 10 mxbad
mixed IN MX 10 mxbad
mixed IN MX 20 mx
mx IN A 192.0.2.70
mxbad IN A 192.0.2.71
"""


class Signed:
    """NSD with a signed zone, two records of which were changed afterwards."""

    def __init__(self):
        tools = ("ldns-keygen", "ldns-signzone", "nsd")
        if not all(shutil.which(t, path=os.environ["PATH"] + ":/usr/sbin") for t in tools):
            raise Skip("no nsd, or no ldnsutils")
        self.dir = tempfile.mkdtemp(prefix="posthouse-nsd.")
        os.chmod(self.dir, 0o755)
        self.port = free_port()
        key = self.run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "signed.test").strip()
        self.put("zone", ZONE)
        self.run("ldns-signzone", "-n", "-f", "zone.signed", "zone", key)
        with open(os.path.join(self.dir, "zone.signed"), encoding="ascii") as f:
            signed = f.read()
        signed = re.sub(r"(?m)^(bad\.signed\.test\.\s+300\s+IN\s+MX\s+)10 ", r"\g<1>11 ", signed)
        signed = signed.replace("192.0.2.71", "192.0.2.72")
        self.put("zone.signed", signed)
        with open(os.path.join(self.dir, key + ".ds"), encoding="ascii") as f:
            self.put("anchor", f.read())
        self.anchor = os.path.join(self.dir, "anchor")
        self.put("nsd.conf", """server:
	ip-address: 127.0.0.1@%d
	username: ""
	chroot: ""
	zonesdir: "%s"
	pidfile: "%s/nsd.pid"
	logfile: "%s/nsd.log"
	database: ""
	xfrdfile: ""
	zonelistfile: "%s/zone.list"
	xfrdir: "%s"
remote-control:
	control-enable: no
zone:
	name: signed.test
	zonefile: zone.signed
""" % ((self.port,) + (self.dir,) * 5))
        self.nsd = subprocess.Popen(["nsd", "-d", "-c", os.path.join(self.dir, "nsd.conf")], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL, env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin"))
        until("nsd answers", self.answers)

    def put(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="ascii") as f:
            f.write(text)

    def run(self, *args):
        r = subprocess.run(args, cwd=self.dir, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        want("%s works" % args[0], r.stdout.decode(), r.returncode == 0)
        return r.stdout.decode()

    def answers(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", self.port))
            try:
                s.send(b"ab\0\0\0\1\0\0\0\0\0\0" + fakedns.name("signed.test") + b"\0\6\0\1")
                return bool(select.select([s], [], [], 0.2)[0]) and s.recv(512)
            except OSError:
                return False

    def close(self):
        self.nsd.terminate()
        self.nsd.wait(20)
        shutil.rmtree(self.dir, ignore_errors=True)


def proven(signed):
    conf = "dns.server 127.0.0.1:%d\ndns.timeout 20s\ndns.dnssec yes\ndns.trust-anchor %s\n"
    with Stage(conf % (signed.port, signed.anchor)) as stage:
        hop = Hop(stage)
        a = hop.ask("good.signed.test")
        want("proven", a, a.addrs() == ["192.0.2.70"] and all("DNSSEC" in w for w in a.why))
        for domain, name in (("bad.signed.test", "MX of bad"), ("badhost.signed.test", "A of mxbad")):
            a = hop.ask(domain)
            want("450 4.7.0", a, (a.code, a.status) == ("450", "4.7.0") and name in a.text and "DNSSEC" in a.text)
        a = hop.ask("mixed.signed.test")
        want("the host that is proven", a, a.addrs() == ["192.0.2.70"])
        a = hop.ask("nothere.signed.test")
        want("proven not to exist", a, a.status == "5.1.2" and "DNSSEC" in a.why[0])
        hop.close()
        stripped(stage, signed)


def stripped(stage, signed):
    """A server that leaves the proofs away is not believed."""
    z = fakedns.Zone()
    z.add("good.signed.test", "MX", (10, "mx.evil.test"))
    z.add("mx.evil.test", "A", "192.0.2.66")
    with fakedns.Server(z) as server:
        pid = hop_pid(stage)
        rewrite(stage, "127.0.0.1:%d" % signed.port, "127.0.0.1:%d" % server.port)
        status, out = stage.posthouse("reload")
        want("reloaded", out, status == 0)
        until("a new process", lambda: hop_pid(stage) not in (None, pid))
        hop = Hop(stage)
        a = hop.ask("good.signed.test")
        want("not believed", a, a.code == "450" and a.targets == [])
        hop.close()


def unusable_anchor():
    """A file of keys that is not there is said at the start, not at the first mail."""
    with tempfile.TemporaryDirectory() as d:
        conf = os.path.join(d, "conf")
        with open(conf, "w", encoding="ascii") as f:
            f.write("hostname mx.example.test\ndns.server 127.0.0.1:9\ndns.dnssec yes\ndns.trust-anchor %s/none\n" % d)
        r = subprocess.run([os.path.join(BIN, "hop"), "-v", "-f", conf, "x.test"], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=60)
        want("said", r.stdout.decode(), r.returncode == 71 and b"/none" in r.stdout)


def dnssec(tap):
    try:
        signed = Signed()
    except Skip as e:
        tap.say("DNSSEC", None, str(e))
        return
    try:
        tap.run("DNSSEC", proven, signed)
    finally:
        signed.close()


def main():
    tap = Tap()
    plain(tap)
    dnssec(tap)
    tap.run("no trust anchor", unusable_anchor)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
