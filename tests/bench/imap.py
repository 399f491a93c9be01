"""The measurements of IMAP, beside Dovecot with log-in processes that are used
again; both servers have the same mail. What a client asks is what the peers' own
figures were taken with: all of a large mailbox, mbsync, connections that wait, and
a mixture of everything."""
import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import socket
import ssl
import subprocess
import tempfile
import time

import pop3
from lib import count, note, pss_kib, tree
from servers import ADDR

CLIENTS = 50
ALL_OF_IT = "(UID FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE INTERNALDATE)"


class Client:
    """Takes what comes as fast as it can, and looks only for the tagged reply."""

    def __init__(self, server, user, tls=False):
        port = server.imaps if tls else server.imap
        self.sock = socket.create_connection((ADDR, port), 60)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock)
        self.tags = 0
        self.sock.recv(65536)
        self.do("LOGIN %s secret" % user)

    def send(self, data):
        self.sock.sendall(data)

    def until(self, tag):
        """(octets, the end of them)."""
        n, tail = 0, b""
        while True:
            data = self.sock.recv(1 << 20)
            if not data:
                raise SystemExit("the server has closed a connection after " +
                                 repr(tail[-200:]))
            n += len(data)
            tail = (tail + data)[-65536:]
            at = tail.rfind(b"\n" + tag)
            if (at >= 0 or tail.startswith(tag)) and tail.endswith(b"\r\n"):
                return n, tail[at + 1:]

    def do(self, line, may_fail=False):
        """Seconds until the reply, and octets."""
        self.tags += 1
        tag = b"t%d " % self.tags
        begin = time.monotonic()
        self.send(tag + line.encode() + b"\r\n")
        n, last = self.until(tag)
        took = time.monotonic() - begin
        if last.split()[1] != b"OK" and not may_fail:
            raise SystemExit("%s: %s" % (line, last.decode("utf-8", "replace")))
        return took, n

    def append(self, mailbox, data):
        self.do("APPEND %s {%d+}\r\n%s" % (mailbox, len(data), data))

    def idle(self):
        self.send(b"idle IDLE\r\n")
        got = b""
        while b"\n+" not in b"\n" + got:
            got += self.sock.recv(4096)

    def done(self):
        self.send(b"DONE\r\n")
        self.until(b"idle ")

    def end(self):
        self.do("LOGOUT", may_fail=True)
        self.sock.close()


def fill(run, server, user, n):
    """Messages of several shapes, with threads; the same for both servers. One of
    500 has the word that is searched for."""
    maildir = server.maildir(user)
    if count(maildir) == n:
        return
    master = os.path.join(run.dir, "mail.%d" % n)
    if not os.path.isdir(master):
        make(master, n)
    shutil.rmtree(maildir, ignore_errors=True)
    subprocess.run(["cp", "-a", master, maildir], check=True)
    owner = os.stat(os.path.dirname(maildir))
    subprocess.run(["chown", "-R", "%d:%d" % (owner.st_uid, owner.st_gid),
                    maildir], check=True)


def prose(rnd, lines, size):
    out, n = [], 0
    while n < size:
        line = rnd.choice(lines)
        out.append(line)
        n += len(line) + 1
    return "\n".join(out) + "\n"


def body(rnd, lines, n, size, word):
    """(fields, the rest): plain, with an alternative, or with an attachment."""
    edge = "edge%x" % rnd.getrandbits(64)
    kind = rnd.random()
    if kind < 0.3:
        return ("Content-Type: text/plain; charset=utf-8\n",
                word + prose(rnd, lines, size))
    two = ("--%s\nContent-Type: text/plain; charset=utf-8\n\n%s%s\n--%s\n"
           "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: "
           "quoted-printable\n\n<p>%s</p>\n--%s--\n")
    if kind < 0.7:
        return ('Content-Type: multipart/alternative; boundary="%s"\n' % edge,
                two % (edge, word, prose(rnd, lines, size // 2), edge,
                       prose(rnd, lines, size // 2), edge))
    part = attachment(rnd, size // 2)
    outer = "outer" + edge
    return ('Content-Type: multipart/mixed; boundary="%s"\n' % outer,
            '--%s\nContent-Type: multipart/alternative; boundary="%s"\n\n' %
            (outer, edge) + two % (edge, word, prose(rnd, lines, size // 4),
                                   edge, prose(rnd, lines, size // 4), edge) +
            '\n--%s\nContent-Type: application/pdf; name="file %d.pdf"\n'
            'Content-Disposition: attachment; filename="file %d.pdf"\n'
            "Content-Transfer-Encoding: base64\n\n%s--%s--\n" %
            (outer, n, n, part, outer))


def attachment(rnd, size):
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    line = "".join(rnd.choices(letters, k=76))
    return "".join(line[i % 76:] + line[:i % 76] + "\n"
                   for i in range(size // 77 + 1))


def make(directory, n):
    rnd = random.Random(11)
    words = ["".join(rnd.choices("abdegiklmnorstuw", k=rnd.randrange(2, 9)))
             for _ in range(800)]
    lines = [" ".join(rnd.choices(words, k=11)) for _ in range(2000)]
    for sub in ("cur", "new", "tmp"):
        os.makedirs(os.path.join(directory, sub))
    recent = []
    for i in range(n):
        when = 1700000000 + i * 61 + rnd.randrange(-3000, 3000)
        date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(when))
        name = "<%d.%x@client%d.test>" % (i, rnd.getrandbits(48), i % 50)
        subject = " ".join(rnd.choices(words, k=rnd.randrange(2, 7)))
        more, chain = "", []
        if recent and rnd.random() < 0.6:
            parent, chain, old = rnd.choice(recent)
            chain = (chain + [parent])[-8:]
            subject = old if old.startswith("Re: ") else "Re: " + old
            more = "In-Reply-To: %s\nReferences: %s\n" % (parent,
                                                          " ".join(chain))
        elif rnd.random() < 0.15:
            subject = "=?utf-8?q?Gr=C3=B6=C3=9Fe?= " + subject
        recent = (recent + [(name, chain, subject)])[-300:]
        fields, rest = body(rnd, lines, i, rnd.randrange(1200, 7200),
                            "xyzzy here\n" if i % 500 == 0 else "")
        data = ("Return-Path: <s%d@client.test>\nReceived: from r%d.test "
                "(r%d.test [192.0.2.%d])\n\tby mx.example.test with ESMTPS id "
                "%X\n\tfor <user1@example.test>; %s\nDate: %s\nFrom: "
                "=?utf-8?q?J=C3=B6rg?= Example <s%d@client.test>\nTo: "
                'user1@example.test, "Smith, Ann" <p%d@example.test>\n'
                "Subject: %s\nMessage-ID: %s\n%sMIME-Version: 1.0\n%s\n%s" %
                (i % 997, i % 9, i % 9, i % 250, rnd.getrandbits(40), date,
                 date, i % 997, i % 31, subject, name, more, fields,
                 rest)).encode()
        flags = "".join(f for f, p in (("F", .05), ("R", .2), ("S", .8))
                        if rnd.random() < p)
        path = os.path.join(directory, "cur", "%d.M%06dP1.bench,S=%d,W=%d:2,%s"
                            % (when, i, len(data), len(data) +
                               data.count(b"\n"), flags))
        with open(path, "wb") as f:
            f.write(data)
        os.utime(path, (when, when))


# ---- a large mailbox

# (name, what it is called, line, how many times as fast at the least)
COLD = (("select", "SELECT, no index, s", "SELECT INBOX", 1.5),
        ("fetch", "FETCH of all, first time, s", "FETCH 1:* " + ALL_OF_IT, 1.3))
WARM = (("select", "SELECT, s", "SELECT INBOX", 1.5),
        ("fetch", "FETCH of all again, s", "FETCH 1:* " + ALL_OF_IT, 2),
        ("flags", "FETCH of UIDs and flags, s", "FETCH 1:* (UID FLAGS)", None),
        ("text", "UID SEARCH TEXT, s", "UID SEARCH TEXT xyzzy", 3),
        ("subject", "UID SEARCH SUBJECT, s", "UID SEARCH SUBJECT abde", None),
        ("sort", "", "SORT (DATE) UTF-8 ALL", None),
        ("sort", "SORT (DATE) again, s", "SORT (DATE) UTF-8 ALL", 1),
        ("thread", "", "THREAD REFERENCES UTF-8 ALL", None),
        ("thread", "THREAD REFERENCES again, s",
         "THREAD REFERENCES UTF-8 ALL", 1))
FIRST = (("sort", "SORT (DATE), no index, s", "SORT (DATE) UTF-8 ALL", 1.5),
         ("thread", "THREAD REFERENCES, no index, s",
          "THREAD REFERENCES UTF-8 ALL", 1.5))


def one_big(run, server):
    def measure(client, way, name, title, line):
        took, n = client.do(line)
        if title:
            run.figures.add("imap.%s.%s" % (way, name), server.name, took)
        return n
    server.forget(server.maildir("user1"))
    client = Client(server, "user1")
    for name, title, line, _ in COLD:
        measure(client, "cold", name, title, line)
    client.end()
    Client(server, "user1").end()
    client = Client(server, "user1")
    for name, title, line, _ in WARM:
        measure(client, "warm", name, title, line)
    client.end()
    for name, title, line, _ in FIRST:
        server.forget(server.maildir("user1"))
        client = Client(server, "user1")
        client.do("SELECT INBOX")
        measure(client, "first", name, title, line)
        client.end()


def imap(run):
    n = run.quick and 5000 or 50000
    with pop3.Pair(run, "rsa") as servers:
        for server in servers:
            fill(run, server, "user1", n)
        for r in range(run.rounds):
            for server in servers:
                one_big(run, server)
            note("IMAP: round %d of %d" % (r + 1, run.rounds))
        for server in servers:
            shutil.rmtree(server.maildir("user1"))
    for way, rows in (("cold", COLD), ("warm", WARM), ("first", FIRST)):
        for name, title, _, times in rows:
            if title:
                run.table.against("%d messages: %s" % (n, title),
                                  "imap.%s.%s" % (way, name), "dovecot",
                                  most=times and 1 / times)


# ---- mbsync

ALONE = "disk, on one processor"
RC = """FSync {fsync}
IMAPAccount a
Host {addr}
Port {port}
User user2
Pass secret
SSLType None
AuthMechs LOGIN

IMAPStore far
Account a

MaildirStore near
Path {dir}/
Inbox {dir}/INBOX

Channel c
Far :far:
Near :near:
Sync Pull
Create Near
SyncState *
"""


def pull(rc):
    """Seconds that it took, and how many of them mbsync itself had a processor."""
    def own():
        u = resource.getrusage(resource.RUSAGE_CHILDREN)
        return u.ru_utime + u.ru_stime
    begin, before = time.monotonic(), own()
    subprocess.run(["mbsync", "-q", "-c", rc, "c"], check=True,
                   stderr=subprocess.DEVNULL)
    return time.monotonic() - begin, own() - before


@contextlib.contextmanager
def one_processor(server):
    """Client and server share it: what either of them takes is time of both."""
    ours = os.sched_getaffinity(0)

    def keep_to(processors):
        for pid in {0} | tree(server.pid()):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(pid, processors)
    try:
        keep_to({min(ours)})
        yield
    finally:
        keep_to(ours)


def sync_once(run, server, place, work, n, fsync):
    shutil.rmtree(work, ignore_errors=True)
    os.mkdir(work)
    rc = os.path.join(work, "rc")
    with open(rc, "w") as f:
        f.write(RC.format(fsync=fsync, addr=ADDR, dir=work,
                          port=server.imap))
    (took, own), cost = pop3.costing(server, pull, rc)
    run.figures.add("mbsync." + place, server.name, n / took)
    run.figures.add("mbsync.own." + place, server.name, 100 * own / took)
    run.figures.add("mbsync.cost." + place, server.name, 1e6 * cost / n)
    got = count(os.path.join(work, "INBOX"))
    if got != n:
        note("%s: mbsync got %d of %d" % (server.name, got, n))


def mbsync(run):
    if not shutil.which("mbsync"):
        note("mbsync (package isync) is missing: no figures of it")
        return
    n = run.quick and 1000 or 5000
    # a disk takes longer for 5000 flushed files than any server, and now this long, now that
    here = os.path.join(run.dir, "mbsync")
    places = [("disk, flushed", here, "yes"), ("disk", here, "no"),
              (ALONE, here, "no")]
    if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK):
        places.append(("memory", tempfile.mkdtemp(prefix="posthouse-mbsync.",
                                                  dir="/dev/shm"), "no"))
    with pop3.Pair(run, "rsa") as servers:
        for server in servers:
            fill(run, server, "user2", n)
            client = Client(server, "user2")
            client.do("SELECT INBOX")
            client.end()
        for _ in range(run.rounds):
            for place, work, fsync in places:
                for server in servers:
                    with one_processor(server) if place == ALONE else \
                            contextlib.nullcontext():
                        sync_once(run, server, place, work, n, fsync)
        for _, work, _ in places:
            shutil.rmtree(work, ignore_errors=True)
    for place, _, fsync in places:
        run.table.against("mbsync of %d messages to %s, msg/s" % (n, place),
                          "mbsync." + place, "dovecot",
                          least=1.3 if fsync == "no" else None,
                          own="mbsync.own." + place)
        # near 100 it is mbsync that is measured, and no server is faster
        run.table.against("of that time mbsync computes itself, %",
                          "mbsync.own." + place, "dovecot")
        run.table.against("the server's CPU, us a message", "mbsync.cost." +
                          place, "dovecot")


# ---- connections that wait

def waiting(server, tls, n, users):
    clients = []
    for k in range(n):
        client = Client(server, "user%d" % (k % users + 1), tls)
        client.do("SELECT INBOX")
        client.idle()
        clients.append(client)
    time.sleep(2)
    full = pss_kib(tree(server.pid()))
    for client in clients:
        client.sock.close()
    time.sleep(1.5)
    return full


def imap_idle(run):
    n, users = run.quick and 100 or 500, 100
    with pop3.Pair(run, "rsa") as servers:
        for server in servers:
            for i in range(1, users + 1):
                pop3.fill(run, server, "user%d" % i, pop3.SMALL)
        for tls in (False, True):
            for server in servers:
                waiting(server, tls, users, users)  # warm: processes, indexes
            for _ in range(1 if run.quick else run.rounds):
                for server in servers:
                    empty = pss_kib(tree(server.pid()))
                    full = waiting(server, tls, n, users)
                    run.figures.add("imap-idle.%d" % tls, server.name,
                                    (full - empty) / n)
    for tls in (False, True):
        run.table.against("connection in IDLE, %s, KiB PSS" %
                          ("TLS" if tls else "plain"), "imap-idle.%d" % tls,
                          "dovecot", most=0.5)


# ---- everything at once

def mixture(server, number, users, seconds, result):
    """One client after the other logs in and does what mail programs do."""
    rnd = random.Random(number)
    mail = ("From: <a@client.test>\r\nTo: <b@example.test>\r\nSubject: mixture"
            "\r\nDate: Tue, 24 Nov 2026 06:55:03 +0100\r\n\r\n" +
            "0123456789 abcdefgh\r\n" * 100)
    n = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        client = Client(server, "user%d" % (number % users + 1))
        client.do("SELECT INBOX")
        for _ in range(6):
            client.append("INBOX", mail)
            client.do("NOOP")
            client.do("FETCH 1:* (UID FLAGS)")
            client.do("FETCH * (ENVELOPE BODYSTRUCTURE RFC822.SIZE)")
            client.do("FETCH * BODY.PEEK[]")
            client.do("STORE * +FLAGS (\\Seen)")
            client.do("UID SEARCH UNSEEN")
            client.do("UID SEARCH SUBJECT mixture")
            client.idle()
            client.done()
            n += 9
            if rnd.random() < 0.8:
                client.do("STORE * +FLAGS (\\Deleted)")
                client.do("EXPUNGE")
                n += 2
        client.end()
        n += 3
    result.put(n)


def imap_mix(run):
    seconds = 4 if run.quick else 10
    users = CLIENTS
    with pop3.Pair(run, "rsa") as servers:
        for server in servers:
            for i in range(1, users + 1):
                fill(run, server, "user%d" % i, 100)
        for _ in range(run.rounds):
            for server in servers:
                result = multiprocessing.Queue()
                workers = [multiprocessing.Process(
                    target=mixture, args=(server, k, users, seconds, result))
                    for k in range(CLIENTS)]
                begin = time.monotonic()
                for w in workers:
                    w.start()
                n = 0
                for w in workers:
                    w.join()
                while not result.empty():
                    n += result.get()
                run.figures.add("imap-mix", server.name,
                                n / (time.monotonic() - begin))
                if any(w.exitcode for w in workers):
                    note("%s: a client has failed" % server.name)
    run.table.against("%d clients, everything at once, commands/s" % CLIENTS,
                      "imap-mix", "dovecot", least=1.5)


ALL = (("imap", imap), ("mbsync", mbsync), ("imap-idle", imap_idle),
       ("imap-mix", imap_mix))
