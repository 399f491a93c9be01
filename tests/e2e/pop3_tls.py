"""POP3 over TLS: from the first byte and by STLS, with clients that nobody
here wrote and byte by byte: what comes in the clear around STLS, exact
content at full speed and to a slow reader, either side leaving, and the
programs being stopped. TAP on standard output."""
import glob
import hashlib
import os
import signal
import ssl
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from clients import HANGS, again_if_it_hangs  # noqa: E402
from e2e import ADDR, ROOT, Lines, Pop3, Skip, Stage, Tap, Wrong, mails, until, want  # noqa: E402
from secure import Early, Pop3s, context, encrypt, hears, plain, reset, session  # noqa: E402

RIGHT = plain(b"alice", b"secret")


def put(st, user, *contents):
    """Straight into the Maildir, LF as it is there."""
    home = os.path.join(st.dir, "mail", user)
    owner = os.stat(home)
    for d in ("Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"):
        path = os.path.join(home, d)
        if not os.path.isdir(path):
            os.mkdir(path, 0o700)
            os.chown(path, owner.st_uid, owner.st_gid)
    for sub in ("new", "cur"):
        for name in os.listdir(os.path.join(home, "Maildir", sub)):
            os.unlink(os.path.join(home, "Maildir", sub, name))
    for n, content in enumerate(contents):
        path = os.path.join(home, "Maildir", "new", "%d.test.host" % (1000 + n))
        with open(path, "wb") as f:
            f.write(content)
        os.chown(path, owner.st_uid, owner.st_gid)


def versions(st):
    for stls in (False, True):
        for low, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            with Pop3s(st, stls=stls, ctx=context(low, low)) as c:
                want(name, None, c.sock.version() == name)
                c.ok(b"AUTH PLAIN " + RIGHT)
                c.ok(b"QUIT")
            st.logged("login service=pop3 user=alice", "tls=\"" + name)
            st.logged("session-end user=alice", "tls=\"" + name, "local=127.0.0.1", "why=\"quit\"")


def begins_anew(st):
    with Pop3(st.pop3) as c:
        want("STLS is offered", None, b"STLS" in c.multi(b"CAPA"))
        c.ok(b"USER alice")
        c.ok(b"STLS")
        encrypt(c)
        c.send(b"PASS secret\r\n")
        want("USER is forgotten", None, c.line().startswith(b"-ERR"))
        c.send(b"STLS\r\n")
        want("-ERR to STLS", None, c.line().startswith(b"-ERR"))
        want("STLS is not offered", None, b"STLS" not in c.multi(b"CAPA"))
        c.ok(b"USER alice")
        c.ok(b"PASS secret")
        c.send(b"STLS\r\n")
        want("-ERR to STLS", None, c.line().startswith(b"-ERR"))
        c.ok(b"QUIT")


def nothing_more(c):
    """Not one word but what STLS itself was answered, and perhaps an alert."""
    want("+OK", None, c.line().startswith(b"+OK"))
    c.send(b"\r\n" * 4)       # the rest of what may be a record
    got = hears(c)
    want("no answer to what was injected", got, got[:1] in (b"", b"\x15") and len(got) <= 7)


def ahead(st):
    """The client does not wait for the answer with its handshake."""
    for low in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with Pop3(st.pop3) as c:
            got = Early(c, b"STLS", ctx=context(low, low)).said
            want("+OK", got, got.startswith(b"+OK"))
            want("STLS is not offered", None, b"STLS" not in c.multi(b"CAPA"))
            c.ok(b"USER alice")
            c.ok(b"PASS secret")
            c.ok(b"QUIT")
    for said in (b"NOOP\r\n", b"USER alice\r\nPASS secret\r\n"):
        with Pop3(st.pop3) as c:
            try:
                Early(c, b"STLS", said)
            except (ssl.SSLError, ConnectionError, Wrong):
                continue
            raise Wrong("a handshake after %r" % said)


def injected(st):
    """CVE-2011-0411: what comes in the clear with STLS is not answered, in the clear or under TLS."""
    for pieces in ((b"STLS\r\nCAPA\r\n",), (b"STLS\r\nUSER alice\r\nPASS secret\r\n",), (b"STLS\r\nC",),
                   (b"CAPA\r\nSTLS\r\nNOOP\r\n",), (b"STL", b"S\r\nNOOP\r\n"), (b"STLS\r", b"\nNOOP\r\n")):
        with Lines(st.pop3) as c:
            c.line()
            for p in pieces:
                c.send(p)
                time.sleep(0.1)
            if pieces[0].startswith(b"CAPA"):
                while c.line() != b".":
                    pass
            nothing_more(c)
    st.logged("tls-failed client=127.0.0.1")
    for later in (b"CAPA\r\n", b"USER alice\r\nPASS secret\r\nSTAT\r\n", b"\0" * 100, b"\x16\x03\x01\x00\x05hello"):
        for pause in (0, 0.2):
            with Lines(st.pop3) as c:
                c.line()
                c.send(b"STLS\r\n")
                want("+OK", None, c.line().startswith(b"+OK"))
                time.sleep(pause)
                c.send(later)
                rest = b""
                try:
                    while True:
                        more = c.sock.recv(65536)
                        if not more:
                            break
                        rest += more
                except ConnectionError:
                    pass
                want("no word in the clear", rest, b"+OK" not in rest and b"-ERR" not in rest)
    st.logged("tls-failed client=127.0.0.1")


def clear_to_tls(st):
    with Lines(st.base + 995) as c:
        c.send(b"USER alice\r\nPASS secret\r\n")
        data = hears(c)     # what is left unread there may end it hard
        want("no word in the clear", data, b"OK" not in data and b"ERR" not in data)


def content(st):
    """Byte by byte, one at a time and all at once, and a large one."""
    bodies = [b"A: %d\n\n" % n + b"line %d\n.\n..x\n" % n * (n % 50) for n in range(300)]
    bodies.append(b"B: big\n\n" + b"".join(b"%09d 0123456789abcdefghijklmnopqrstuvwxyz\n" % i for i in range(60000)))
    put(st, "alice", *bodies)
    for stls in (False, True):
        with session(st, stls=stls) as c:
            n = len(bodies)
            want("STAT", None, c.ok(b"STAT").split()[1] == b"%d" % n)
            for i in (1, 50, n):
                got = c.multi(b"RETR %d" % i).replace(b"\r\n", b"\n")
                want("message %d" % i, len(got), got == bodies[i - 1])
            c.send(b"".join(b"RETR %d\r\n" % i for i in range(1, n)))
            for i in range(1, n):
                want("+OK", None, c.line().startswith(b"+OK"))
                want("message %d" % i, None, c.rest().replace(b"\r\n", b"\n") == bodies[i - 1])
            c.ok(b"QUIT")


def slow_reader(st):
    """A little at a time: nobody's memory grows, and nothing is lost."""
    big = b"B: big\n\n" + os.urandom(3000000).hex().encode() + b"\n"
    put(st, "alice", big)
    with session(st) as c:
        c.send(b"RETR 1\r\n")
        want("+OK", None, c.line().startswith(b"+OK"))
        h, n = hashlib.sha256(c.buf), len(c.buf)
        while n < len(big) + 2:
            data = c.sock.recv(20000)
            h.update(data)
            n += len(data)
            if n % 7 == 0:
                time.sleep(0.005)
        whole = big.replace(b"\n", b"\r\n")
        extra = n - len(whole)
        want("all of it", n, h.digest() == hashlib.sha256(whole + b".\r\n"[:extra]).digest())


def client_leaves(st):
    """What it said last is done; what it did not say is not."""
    put(st, "alice", b"A: 1\n\nx\n", b"A: 2\n\nx\n")
    c = session(st)
    c.send(b"DELE 1\r\nQUIT\r\n")
    c.close()
    until("the first one is removed", lambda: len(mails(st.dir, "alice")) == 1)
    c = session(st)
    c.ok(b"DELE 1")
    c.close()
    st.logged("session-end user=alice", "why=\"the client has gone\"")
    c = session(st)
    c.ok(b"DELE 1")
    reset(c.sock)
    with session(st) as c:
        want("it is still there", None, c.ok(b"STAT").startswith(b"+OK 1 "))
    # in the middle of a message
    put(st, "alice", b"B: big\n\n" + b"0123456789\n" * 500000)
    c = session(st)
    c.send(b"RETR 1\r\n")
    c.line()
    reset(c.sock)
    with session(st) as c:
        c.ok(b"QUIT")


def pids(st, name):
    """Below the master; what they run nobody but root may see."""
    out = subprocess.run(["ps", "-eo", "pid=,ppid=,comm="], stdout=subprocess.PIPE, check=True).stdout.decode()
    rows = [(int(pid), int(ppid), comm) for pid, ppid, comm in (l.split(None, 2) for l in out.splitlines())]
    below = {st.pid()}
    for _ in range(3):
        below |= {pid for pid, ppid, _ in rows if ppid in below}
    return [pid for pid, _, comm in rows if pid in below and comm.strip() == name]


def other_side_leaves(st):
    """The session dies: the client sees an end. The front dies: the session removes nothing."""
    put(st, "alice", b"A: 1\n\nx\n")
    c = session(st)
    for pid in pids(st, "pop3d-session"):
        os.kill(pid, signal.SIGKILL)
    want("the end", None, c.closed())
    c.close()
    before = set(pids(st, "pop3d"))
    c = session(st)
    c.ok(b"DELE 1")
    # the worker with this connection
    ends = "sport = :%d and dport = :%d" % (c.sock.getpeername()[1], c.sock.getsockname()[1])
    out = subprocess.run(["ss", "-tnpH", ends], stdout=subprocess.PIPE).stdout.decode()
    worker = next((p for p in before | set(pids(st, "pop3d")) if "pid=%d," % p in out), None)
    if worker is not None:
        os.kill(worker, signal.SIGKILL)
        want("the end", None, c.closed())
        with session(st) as again:
            want("it is still there", None, again.ok(b"STAT").startswith(b"+OK 1 "))
    c.close()


def idle(st):
    """More connections than one, and nobody works while nobody speaks."""
    def times():
        found = {}
        for name in ("pop3d", "pop3d-session"):
            for pid in pids(st, name):
                try:
                    with open("/proc/%d/stat" % pid) as f:
                        parts = f.read().rsplit(")", 1)[1].split()
                except OSError:     # a spare one that has ended
                    continue
                found[pid] = int(parts[11]) + int(parts[12])
        return found
    cs = [session(st, "user%d" % (n + 1)) for n in range(10)]
    time.sleep(1.5)
    before = times()
    time.sleep(3)
    after = times()     # a start of a process is its own affair
    work = sum(after[pid] - before[pid] for pid in before if pid in after)
    want("no work", (work, before, after), work <= 20)    # hundredths of a second, of 20 processes
    for c in cs:
        c.ok(b"NOOP")
        c.ok(b"QUIT")
        c.close()


def s_client(st):
    script = b"USER alice\r\nPASS secret\r\nSTAT\r\nQUIT\r\n"
    for args in (["-starttls", "pop3", "-connect", "%s:%d" % (ADDR, st.pop3)],
                 ["-connect", "%s:%d" % (ADDR, st.base + 995), "-alpn", "pop3"]):
        r = subprocess.run(["openssl", "s_client", "-quiet", "-ign_eof", "-crlf", *args], input=script.replace(
            b"\r", b""), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
        want("s_client", r.stdout, b"+OK logged in" in r.stdout and b"+OK bye" in r.stdout)


def run(home, *args, data=None):
    if not shutil.which(args[0]):
        raise Skip("no %s here" % args[0])
    r = subprocess.run(args, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=HANGS,
                       env=dict(os.environ, HOME=home))
    want(args[0], r.stdout.decode("utf-8", "replace")[-800:], r.returncode == 0)
    return r.stdout


def with_home(st, client):
    """What a client put into a Maildir of its own is what is here."""
    stored = [b"From: a@b.test\nSubject: %d\n\nx\n.\n%s\n" % (n, b"y" * n) for n in range(5)]
    put(st, "alice", *stored)
    home = tempfile.mkdtemp(prefix="posthouse-client.")
    try:
        for sub in ("tmp", "new", "cur"):
            os.makedirs(os.path.join(home, "Maildir", sub))
        def afresh():
            for f in glob.glob(os.path.join(home, "Maildir", "*", "*")):
                os.unlink(f)
            client(st, home)
        again_if_it_hangs(afresh)
        got = []
        for sub in ("new", "cur"):
            for name in os.listdir(os.path.join(home, "Maildir", sub)):
                with open(os.path.join(home, "Maildir", sub, name), "rb") as f:
                    got.append(f.read().replace(b"\r\n", b"\n"))
        want("all of them", len(got), len(got) == len(stored))
        for m in stored:
            want("as it was", m, any(m[m.index(b"Subject"):].rstrip(b"\n") in g for g in got))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def conf(home, name, text):
    path = os.path.join(home, name)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o600)
    return path


def by_curl(st, home):
    for n, (scheme, port, more) in enumerate((
            ("pop3s", st.base + 995, ()), ("pop3", st.pop3, ("--ssl-reqd",)),
            ("pop3s", st.base + 995, ("--login-options", "AUTH=PLAIN")),
            ("pop3s", st.base + 995, ("--login-options", "AUTH=LOGIN")),
            ("pop3", st.pop3, ("--ssl-reqd", "--login-options", "AUTH=PLAIN", "--sasl-ir")))):
        got = run(home, "curl", "-sS", "-k", "-u", "alice:secret", *more, "%s://%s:%d/%d" % (scheme, ADDR, port, n + 1))
        with open(os.path.join(home, "Maildir", "new", str(n)), "wb") as f:
            f.write(got)


def by_getmail(st, home):
    if ROOT:
        os.chmod(home, 0o755)
        for d in ("", "/tmp", "/new", "/cur"):
            shutil.chown(home + "/Maildir" + d, "nobody", "nogroup")
    conf(home, "getmailrc", "[retriever]\ntype = SimplePOP3SSLRetriever\nserver = %s\nport = %d\nusername = alice\n"
         "password = secret\n[destination]\ntype = Maildir\npath = %s/Maildir/%s\n[options]\ndelivered_to = false\n"
         "received = false\n" % (ADDR, st.base + 995, home, "\nuser = nobody" if ROOT else ""))
    run(home, "getmail", "--getmaildir=" + home, "--rcfile=getmailrc")


def by_fetchmail(st, home):
    mda = conf(home, "mda", "#!/bin/sh\ncat >%s/Maildir/new/$$\n" % home)
    os.chmod(mda, 0o700)
    rc = conf(home, "rc", 'poll "%s" service %d protocol pop3 auth password username "alice" password "secret" '
              'sslproto "tls1.2+" no sslcertck mda "%s"\n' % (ADDR, st.pop3, mda))
    run(home, "fetchmail", "-f", rc, "--invisible", "--norewrite", "--pidfile", home + "/pid", "-i", home + "/ids",
        "--keep", "--all")


def by_mpop(starttls, method):
    def client(st, home):
        run(home, "mpop", "--host=" + ADDR, "--port=%d" % (st.pop3 if starttls else st.base + 995), "--user=alice",
            "--passwordeval=echo secret", "--auth=" + method, "--tls=on", "--tls-starttls=" + starttls * "on" +
            (not starttls) * "off", "--tls-certcheck=off", "--received-header=off",
            "--delivery=maildir," + home + "/Maildir", "--uidls-file=" + home + "/uidls", "--pipelining=on", "--keep=on",
            "--half-quiet")
    return client


def stopped(_):
    """With sessions that say nothing: soon, and each is told."""
    with Stage() as st:
        cs = [session(st), session(st, "bob", stls=True)]
        since = time.monotonic()
        st.stop()
        want("soon", time.monotonic() - since, time.monotonic() - since < 50)
        for c in cs:
            want("the end", None, c.closed())
            c.close()


def reload_keeps(st):
    with session(st) as c:
        c.ok(b"NOOP")
        want("reload", None, st.posthouse("reload")[0] == 0)
        time.sleep(0.5)
        c.ok(b"NOOP")
        with Pop3s(st) as d:
            d.multi(b"CAPA")
        c.ok(b"QUIT")


def main():
    tap = Tap()
    with Stage(users=10) as st:
        for name, test in (("versions", versions), ("STLS begins anew", begins_anew),
                           ("a handshake ahead", ahead), ("what is injected with STLS", injected), ("clear text to the port of TLS", clear_to_tls),
                           ("exact content", content), ("a slow reader", slow_reader),
                           ("the client leaves", client_leaves), ("session and front leave", other_side_leaves),
                           ("idle", idle), ("s_client", s_client), ("a reload keeps them", reload_keeps)):
            tap.run(name, test, st)
        for name, client in (("curl", by_curl), ("getmail", by_getmail), ("fetchmail", by_fetchmail),
                             ("mpop, STLS, SCRAM", by_mpop(True, "scram-sha-256")),
                             ("mpop, TLS, PLAIN", by_mpop(False, "plain"))):
            tap.run(name, with_home, st, client)
    tap.run("stopped", stopped, None)
    return tap.end()


sys.exit(main())
