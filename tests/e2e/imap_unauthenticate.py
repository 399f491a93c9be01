"""UNAUTHENTICATE (RFC 8437): one connection over TLS, one user after the other, in threads of the front and in a process
for each; pipelined, split, compressed; what is counted goes on, what was the last user's does not. A session that was
taken over gains nothing by giving its client back. TAP on standard output."""
import base64
import contextlib
import hashlib
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import BUILD, ROOT, Stage, Tap, message, until, want  # noqa: E402
from imap import Imap, challenge  # noqa: E402
from secure import Pop3s, Scram, b64, context, plain  # noqa: E402

QUICK = "auth.delay 0\nauth.failures 0\nauth.client-failures 0\n"
MASTERS = "chief:{PLAIN}secret:61001:61001::@DIR@/mail/alice::master\n"
BOB = plain(b"bob", b"secret")
WAYS = ({"tls": True}, {"starttls": True})


def marked(st):
    """Every user has a message that says whose it is."""
    for user in (b"alice", b"bob"):
        with Imap(st, user.decode()) as c:
            c.append(b"INBOX", message(b"mail-of-" + user))
            c.logout()


def whose(c):
    said, _ = c.ok(b"EXAMINE INBOX")
    want("one message", said, b"1 EXISTS" in said)
    said, _ = c.ok(b"FETCH 1 BODY.PEEK[]")
    return re.search(rb"mail-of-([a-z]+)", b"".join(said)).group(1)


def leave(c):
    """Nobody afterwards: what is announced and welcome is the front's."""
    c.ok(b"UNAUTHENTICATE")
    caps = c.capabilities()
    want("the front's", caps, b"AUTH=PLAIN" in caps and b"IDLE" not in caps and b"UNAUTHENTICATE" not in caps and
         b"STARTTLS" not in caps)


def in_turn(st):
    for how in WAYS:
        with Imap(st, **how) as c:
            front = c.capabilities()
            c.wanted(b"UNAUTHENTICATE", b"BAD")
            for n in range(3):
                for user in (b"alice", b"bob"):
                    _, done = c.ok(b"LOGIN " + user + b" secret")
                    want("announced", done, b" UNAUTHENTICATE" in done and b" UNAUTHENTICATE" in
                         b" " + b" ".join(c.capabilities()))
                    want("whose", user, whose(c) == user)
                    leave(c)
                    want("the same as at first", None, c.capabilities() == front)
                    c.wanted(b"SELECT INBOX", b"BAD")
                    c.wanted(b"STARTTLS", b"BAD")
            c.wanted(b"LOGIN bob wrong", b"NO [AUTHENTICATIONFAILED]")
            c.ok(b"ID NIL")
            c.ok(b"LOGIN bob secret")
            want("whose", None, whose(c) == b"bob")
            c.logout()
    line = st.logged("session-end user=alice", 'why="unauthenticated"')
    want("over TLS", line, 'tls="TLSv1.3' in line and "client=127.0.0.1" in line)
    until("each login is logged", lambda: st.log().count(" login service=imap user=bob ") == 9)


def wrong(st):
    with Imap(st, "alice", tls=True) as c:
        for line in (b"UNAUTHENTICATE x", b"UNAUTHENTICATE {3+}\r\nabc", b"UID UNAUTHENTICATE",
                     b"UNAUTHENTICAT"):
            c.wanted(line, b"BAD")
        want("still there", None, whose(c) == b"alice")
        leave(c)
        c.logout()
    with Imap(st, "alice") as c:        # in the clear
        want("not announced", c.welcome, b"UNAUTHENTICATE" not in c.welcome and
             b"UNAUTHENTICATE" not in c.capabilities())
        _, done = c.wanted(b"UNAUTHENTICATE", b"BAD")
        want("unknown", done, b"unknown" in done)
        want("still there", None, whose(c) == b"alice")
        c.logout()


def pipelined(st):
    """In one packet, in two at every place, and byte by byte."""
    text = b"u UNAUTHENTICATE\r\nv AUTHENTICATE PLAIN " + BOB + b"\r\nw STATUS INBOX (MESSAGES)\r\n"

    def answered(c, what):
        for tag in (b"u", b"v", b"w"):
            said, done = c.answer(tag)
            want("%s: %s" % (what, tag.decode()), (said, done), done is not None and done.startswith(b"OK"))
        want(what, None, whose(c) == b"bob")

    for how in WAYS:
        with Imap(st, "alice", **how) as c:
            c.send(text)
            answered(c, "together")
            c.logout()
    with Imap(st, tls=True) as c:
        for at in range(1, len(text), 5):
            c.ok(b"LOGIN alice secret")
            c.send(text[:at])
            if at % 2 == 0:
                time.sleep(0.005)
            c.send(text[at:])
            answered(c, "split at %d" % at)
            c.ok(b"UNAUTHENTICATE")
        c.ok(b"LOGIN alice secret")
        for b in text:
            c.send(bytes([b]))
        answered(c, "byte by byte")
        c.logout()
    with Imap(st, "alice", tls=True) as c:      # behind what takes a while, and with a literal
        c.send(b"s SEARCH TEXT nothing\r\n" * 20 + b"t SELECT INBOX\r\nu UNAUTHENTICATE\r\nv LOGIN {3+}\r\nbob {6+}\r\nsecret\r\n"
               b"w UNAUTHENTICATE\r\nx LOGIN alice secret\r\ny UNAUTHENTICATE\r\nz LOGOUT\r\n")
        for tag in (b"t", b"u", b"v", b"w", b"x", b"y", b"z"):
            said, done = c.answer(tag)
            want("one after the other: %s" % tag.decode(), (said, done), done is not None and done.startswith(b"OK"))
        want("the end", None, c.closed())
    with Imap(st, "alice", tls=True) as c:      # the client's own end
        c.send(b"u UNAUTHENTICATE\r\nv NOOP\r\n")
        for tag in (b"u", b"v"):
            want("OK", None, c.answer(tag)[1].startswith(b"OK"))


class Deflated:
    """What a client says and hears after COMPRESS, as a sort of socket."""

    def __init__(self, sock):
        self.plain, self.on = sock, True
        self.out, self.into = zlib.compressobj(6, zlib.DEFLATED, -15), zlib.decompressobj(-15)

    def sendall(self, data):
        self.plain.sendall(self.out.compress(data) + self.out.flush(zlib.Z_SYNC_FLUSH))

    def recv(self, n):
        while True:
            more = self.plain.recv(n)
            got = self.into.decompress(more)
            if got or not more:
                return got

    def __getattr__(self, name):
        return getattr(self.plain, name)


def compress(c):
    c.ok(b"COMPRESS DEFLATE")
    c.sock = Deflated(c.sock)


def compressed(st):
    def finish(z, data):
        return z.compress(data) + z.flush(zlib.Z_FINISH)

    def after_flush(z, data):
        return z.compress(data) + z.flush(zlib.Z_SYNC_FLUSH) + z.flush(zlib.Z_FINISH)

    def only_flush(z, data):
        return z.compress(data) + z.flush(zlib.Z_SYNC_FLUSH)

    login = b"v LOGIN bob secret\r\n"
    for end in (finish, after_flush, only_flush):
        for pipeline in (False, True):
            if pipeline and end is only_flush:      # where it ends cannot be seen
                continue
            # to another host what is said is made fewer, not only framed
            with Imap(st, "alice", tls=True, source="127.0.0.3" if pipeline else None) as c:
                for cut in (None, 0, 1, 2, 3, 5, 7):
                    compress(c)
                    want("whose", None, whose(c) == b"alice")
                    z = c.sock
                    text = end(z.out, b"u UNAUTHENTICATE\r\n")
                    if pipeline:
                        text += login
                    if cut is None:
                        z.plain.sendall(text)
                    else:       # where a block ends, and around
                        at = len(text) - cut - (len(login) if pipeline else 0)
                        z.plain.sendall(text[:at])
                        time.sleep(0.02)
                        z.plain.sendall(text[at:])
                    said, done = c.answer(b"u")
                    what = "%s, %s, %s" % (end.__name__, pipeline, cut)
                    want("OK: " + what, (said, done), done is not None and done.startswith(b"OK"))
                    want("the end of the server's stream: " + what, z.into.unused_data, z.into.eof)
                    c.sock, c.buf = z.plain, z.into.unused_data
                    if not pipeline:
                        c.send(login)
                    said, done = c.answer(b"v")
                    want("OK: " + what, (said, done), done is not None and done.startswith(b"OK") and
                         b"COMPRESS=DEFLATE" in done)
                    want("whose: " + what, None, whose(c) == b"bob")
                    c.ok(b"UNAUTHENTICATE")
                    c.ok(b"LOGIN alice secret")
                c.logout()
    with Imap(st, "alice", tls=True) as c:      # what makes no sense ends it, and nobody else
        compress(c)
        z = c.sock
        z.plain.sendall(z.out.compress(b"u UNAUTHENTICATE\r\n") + z.out.flush(zlib.Z_SYNC_FLUSH) + b"\7" * 200)
        c.answer(b"u")
        want("the end", None, c.closed())


def forgotten(st):
    """Nothing of the last session is left: what was enabled, selected, searched, to be told."""
    with Imap(st, "bob") as other, Imap(st, "alice", tls=True) as c:
        c.ok(b"ENABLE CONDSTORE QRESYNC UTF8=ACCEPT UIDONLY")
        c.ok(b"SELECT INBOX (CONDSTORE)")
        c.ok(b"UID SEARCH RETURN (SAVE) ALL")
        c.ok(b"NOTIFY SET (PERSONAL (MessageNew MessageExpunge FlagChange))")
        tag = c.tag()
        c.send(tag + b" IDLE\r\n")
        while not c.line().startswith(b"+"):
            pass
        c.send(b"DONE\r\n")
        want("OK", None, c.answer(tag)[1].startswith(b"OK"))
        with Imap(st, "alice") as third:
            third.append(b"INBOX", message(b"more"))
            said, _ = c.ok(b"UNAUTHENTICATE")
            third.append(b"INBOX", message(b"even-more"))
            third.ok(b"SELECT INBOX")
            third.ok(b"STORE 2:3 +FLAGS.SILENT (\\Deleted)")
            third.ok(b"EXPUNGE")
            third.logout()
        said, _ = c.ok(b"NOOP")
        want("nothing is told", said, said == [])
        other.append(b"INBOX", message(b"second-of-bob"))
        c.ok(b"LOGIN bob secret")
        said, _ = c.ok(b"NOOP")
        want("nothing is told", said, said == [])
        c.wanted(b"SEARCH ALL", b"BAD")
        said, _ = c.ok(b"SELECT INBOX")
        want("the numbers are there again", said, b"2 EXISTS" in said)
        said, _ = c.ok(b"SEARCH RETURN (COUNT) $")
        want("an empty result", said, said == [b'ESEARCH (TAG "t%d") COUNT 0' % c.tags])
        said, _ = c.ok(b"FETCH 1:* FLAGS")
        want("as without ENABLE", said, len(said) == 2 and b"MODSEQ" not in b"".join(said) and said[0].startswith(b"1 FETCH"))
        other.ok(b"SELECT INBOX")
        other.ok(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
        other.ok(b"EXPUNGE")
        c.logout()
        other.logout()


def masters(st):
    """Who was the user only as his master is nobody's afterwards."""
    with Imap(st, tls=True) as c:
        for user, may in ((b"alice*chief", True), (b"alice", False), (b"bob*chief", True), (b"bob", False)):
            _, done = c.ok(b'LOGIN "%s" secret' % user)
            want("QUOTASET", done, (b" QUOTASET" in done) == may and (b"QUOTASET" in c.capabilities()) == may)
            if not may:
                c.wanted(b'SETQUOTA "User quota" (STORAGE 1)', b"NO")
            leave(c)
        c.logout()


def sessions(st):
    """The processes of the sessions."""
    out = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(st.pid())], stdout=subprocess.PIPE,
                         check=True).stdout.decode()
    return [int(l.split()[0]) for l in out.splitlines() if l.split()[1] == "imapd-session"]


def killed(st):
    """A session that ends in another way is the end of the connection."""
    with Imap(st, "alice", tls=True) as c:
        leave(c)
        until("the first session has ended", lambda: not sessions(st))
        c.ok(b"LOGIN alice secret")
        os.kill(sessions(st)[0], signal.SIGKILL)
        want("the end", None, c.closed())
    until("its process is gone", lambda: not sessions(st))
    with Imap(st, "alice", tls=True) as c:
        pid, = sessions(st)
        os.kill(pid, signal.SIGSTOP)
        c.send(b"u UNAUTHENTICATE\r\nv LOGIN bob secret\r\n")
        time.sleep(0.2)
        os.kill(pid, signal.SIGKILL)
        want("the end, and nothing said", None, c.line() is None)


def status(st):
    line = next(l for l in st.posthouse("status")[1].splitlines() if l.startswith("imap "))
    return {k: int(v) for k, v in re.findall(r"([a-z]+)=(\d+)", line)}


def through_changes(st):
    """A reload in between; logins while others have the process; a stop ends it in every state."""
    cs = [Imap(st, tls=True) for _ in range(4)]
    for c in cs:
        c.ok(b"LOGIN alice secret")
    until("all go on in threads", lambda: status(st)["relays"] == 4)
    cs[0].ok(b"UNAUTHENTICATE")
    want("reload", None, st.posthouse("reload")[0] == 0)
    for c in cs[1:]:
        c.ok(b"UNAUTHENTICATE")
    for n, c in enumerate(cs):      # one that says half a word holds nobody up
        c.send(b"half LOG" if n == 1 else b"")
    for n in (0, 2, 3):
        cs[n].ok(b"LOGIN bob secret")
        want("whose", None, whose(cs[n]) == b"bob")
    cs[1].send(b"IN alice secret\r\n")
    want("OK", None, cs[1].answer(b"half")[1].startswith(b"OK"))
    cs[2].ok(b"UNAUTHENTICATE")
    begin = time.monotonic()
    st.stop()       # which gives up after a minute, and kills
    want("in time", time.monotonic() - begin, time.monotonic() - begin < 50)
    got = cs[2].line()
    want("BYE", got, got is not None and got.startswith(b"* BYE"))
    for c in cs:
        while c.line() is not None:
            pass
        c.close()


def openssl(directory, *args):
    subprocess.run(["openssl", *args], cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def certificate(directory):
    """Of somebody who may be alice and bob; its digest."""
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "9")
    openssl(directory, *new, "-subj", "/CN=administrator", "-keyout", "admin.key", "-out", "admin.crt")
    with open(os.path.join(directory, "admin.crt"), encoding="ascii") as f:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()


def certified(directory):
    c = context()
    c.load_cert_chain(os.path.join(directory, "admin.crt"), os.path.join(directory, "admin.key"))
    return c


def bound(st, directory):
    """Channel bindings and the certificate are the connection's; the certificate opens no other mailbox than before."""
    with Imap(st, tls=True, ctx=certified(directory)) as c:
        for user in (b"alice", b"bob", b"alice"):
            s = Scram("sha256", user, b"secret", c.sock.getpeercert(True))
            c.send(b"s AUTHENTICATE SCRAM-SHA-256-PLUS " + b64(s.first()) + b"\r\n")
            c.send(b64(s.final(challenge(c))) + b"\r\n")
            want("the server knows it, too", None, challenge(c) == s.verifier)
            c.send(b"\r\n")
            done = c.answer(b"s")[1]
            want("OK", done, done.startswith(b"OK"))
            want("whose", None, whose(c) == user)
            c.ok(b"UNAUTHENTICATE")
        want("offered", None, b"AUTH=EXTERNAL" in c.capabilities())
        c.ok(b"AUTHENTICATE EXTERNAL " + b64(b"alice"))
        c.send(b"u UNAUTHENTICATE\r\nv AUTHENTICATE EXTERNAL " + b64(b"alice") + b"\r\n")
        for tag in (b"u", b"v"):
            done = c.answer(tag)[1]
            want("OK", done, done.startswith(b"OK"))
        want("whose", None, whose(c) == b"alice")
        c.ok(b"UNAUTHENTICATE")
        c.wanted(b"AUTHENTICATE EXTERNAL " + b64(b"bob"), b"NO [AUTHORIZATIONFAILED]")
        c.wanted(b"SELECT INBOX", b"BAD")
        c.ok(b"LOGIN bob secret")
        c.ok(b"UNAUTHENTICATE")
        c.ok(b"AUTHENTICATE EXTERNAL " + b64(b"bob"))
        want("whose", None, whose(c) == b"bob")
        c.logout()
    with Imap(st, tls=True, ctx=certified(directory)) as c:
        c.ok(b"AUTHENTICATE EXTERNAL " + b64(b"bob"))
        want("on a connection of its own", None, whose(c) == b"bob")
        c.logout()


class replaced:
    """A program of sessions that was taken over: see tests/tools/hostile_session.c."""

    def __init__(self, st, name):
        self.path = os.path.join(os.path.realpath(os.path.join(st.dir, "bin")), name)

    def __enter__(self):
        os.rename(self.path, self.path + ".aside")
        shutil.copy(os.path.join(BUILD, "tools", "hostile_session"), self.path)

    def __exit__(self, *_):
        os.rename(self.path + ".aside", self.path)


def does(c, *steps):
    """The next session of alice's does this."""
    c.send(b"a LOGIN alice secret\r\n")
    got = c.line()
    want("the hostile session", got, got == b"hostile note=a LOGIN BACK")
    c.send(b"".join(s + b";" for s in steps) + b"\r\n")


def heard(c, *lines):
    for line in lines:
        got = c.line()
        want("%s is heard" % line.decode(), got, got is not None and got.startswith(line))


def fronts(st):
    """How many descriptors the front's processes have; what only root can see."""
    if not ROOT:
        return {}
    out = subprocess.run(["ps", "-eo", "pid=,ppid=,comm="], stdout=subprocess.PIPE, check=True).stdout.decode()
    all_ = [l.split() for l in out.splitlines()]
    first = [p for p, parent, name in all_ if name == "imapd" and parent == str(st.pid())]
    return {p: n for p, parent, name in all_ if parent in first and (n := descriptors(p)) is not None}


def descriptors(pid):
    """None: it has ended meanwhile."""
    try:
        return len(os.listdir("/proc/%s/fd" % pid))
    except FileNotFoundError:
        return None


def hostile(st, directory):
    """It can say in its client's name what it likes, which gives it nothing that it has not; and it holds nobody up."""
    with replaced(st, "imapd-session"):
        with Imap(st, tls=True, ctx=certified(directory), source="127.0.0.3") as c:
            does(c, b"u OK", b"mark", b"v AUTHENTICATE EXTERNAL " + b64(b"bob"), b"x LOGIN bob wrong", b"y ID NIL")
            heard(c, b"u OK", b"v NO [AUTHORIZATIONFAILED]", b"x NO [AUTHENTICATIONFAILED]", b"* ID (", b"y OK")
            c.wanted(b"SELECT INBOX", b"BAD")
            does(c, b"mark", b"v LOGIN bob secret")     # it knows his password, but not where it could come from
            heard(c, b"hostile note=v LOGIN BACK")
            line = st.logged(" login service=imap user=bob client=127.0.0.3 ")
            want("over TLS", line, 'tls="TLSv1.3' in line)
        with Imap(st, tls=True) as c:
            for step in (b"marks", b"armfuls", b"flood"):
                with Imap(st, tls=True) as d:
                    does(d, b"mark", step)
                    heard(d, b"* BYE [UNAVAILABLE] ")
                    want("the end", None, d.closed())
            does(c, b"u OK", b"mark", b"v NOOP", b"stay-closed")
            heard(c, b"u OK", b"v OK")
            does(c, b"mark", b"v NOOP", b"stay")        # it does not end
            begin = time.monotonic()
            heard(c, b"* BYE [UNAVAILABLE] the session does not end")
            want("soon", time.monotonic() - begin, time.monotonic() - begin < 40)
            want("the end", None, c.closed())
        until("nobody is held up", lambda: status(st)["relays"] == 0)
        had = fronts(st)
        for n in range(20):
            with Imap(st, tls=True) as d:
                does(d, b"armfuls")
                while d.line() is not None:     # what is in the same message is the client's
                    pass
        until("nobody is held up", lambda: status(st)["relays"] == 0)
        until("no descriptors are left, of %r" % had, lambda: all(
            n <= had[p] + 1 for p, n in fronts(st).items() if p in had), 60)
        with Imap(st) as c:     # in the clear its sandbox has no such call
            c.send(b"a LOGIN alice secret\r\nmark;\r\n")
            heard(c, b"hostile note=a LOGIN", b"no mark: Operation not permitted")
    with replaced(st, "pop3d-session"):
        with Pop3s(st) as c:        # of which none gives its client back
            c.ok(b"USER alice")
            c.send(b"PASS secret\r\nmark;+OK again;\r\n")
            heard(c, b"hostile note=", b"no mark: Operation not permitted", b"+OK again")
            want("the end", None, c.closed())
    for p in sessions(st):
        with contextlib.suppress(ProcessLookupError):
            os.kill(p, signal.SIGKILL)


def counted(st):
    """One session of a user at a time, mistakes and logins: by the connection, however often it comes back."""
    with Imap(st, tls=True) as c:
        for n in range(12):     # the session before is not counted any more
            c.send(b"v LOGIN alice secret\r\nu UNAUTHENTICATE\r\n")
            for tag in (b"v", b"u"):
                said, done = c.answer(tag)
                want("%d: OK" % n, (said, done), done is not None and done.startswith(b"OK"))
        for n in range(5):
            c.wanted(b"LOGIN alice wrong", b"NO [AUTHENTICATIONFAILED]")
        c.ok(b"LOGIN alice secret")
        c.ok(b"UNAUTHENTICATE")
        said, done = c.command(b"LOGIN alice wrong")
        got = c.line()
        want("BYE after too many in all", (said, done, got), got is not None and got.startswith(b"* BYE too many errors"))
        want("the end", None, c.closed())
    with Imap(st, tls=True, source="127.0.0.3") as c:
        said = []
        for n in range(1000):       # as long as it takes to be more than 40 in a minute
            c.ok(b"LOGIN alice secret")
            said, done = c.command(b"UNAUTHENTICATE")
            want("OK", done, done is not None and done.startswith(b"OK"))
            c.send(b"n NOOP\r\n")
            said, done = c.answer(b"n")
            if done is None:
                break
        want("a limit, and BYE", said, said and said[-1].startswith(b"BYE [UNAVAILABLE]"))
        want("not at once", n, n >= 20)
    begin = time.monotonic()
    with Imap(st, "bob", tls=True) as c:        # who comes back and says nothing
        c.ok(b"UNAUTHENTICATE")
        got = c.line()
        want("BYE after a while", got, got is not None and got.startswith(b"* BYE") and time.monotonic() - begin > 2)


def too_much(st):
    """More than there is room for at once."""
    pour(st)
    with Imap(st, "alice", tls=True) as c:
        c.ok(b"NOOP")


def pour(st):
    with Imap(st, "alice", tls=True) as c:
        c.sock.settimeout(30)
        try:
            c.sock.sendall(b"u UNAUTHENTICATE\r\n" + b"v NOOP\r\n" * 40000)
            said, done = c.answer(b"u")
        except OSError:     # it has ended already, before all was sent
            return
        want("OK", done, done is not None and done.startswith(b"OK"))
        # how much of it was on its way just then nobody can tell: too much, or all of it is answered
        answered = 0
        try:
            got = c.line()
            while got is not None and got.startswith(b"v OK"):
                answered += 1
                got = c.line() if answered < 40000 else None
            want("BYE, or 40000 replies, after %d" % answered, got, answered == 40000 or
                 (answered == 0 and (got is None or got.startswith(b"* BYE"))))
        except OSError:
            want("replies before the end", answered, answered == 0)


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as directory:
        mine = certificate(directory)
        with open(os.path.join(directory, "admin.crt"), encoding="ascii") as f:
            ca = f.read()
        conf = QUICK + ('imap.errors 1000\ntls.client-ca "@DIR@/ca.crt"\n'
                        "auth.mechanisms PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS EXTERNAL\n"
                        "auth.certificate %s alice\nauth.certificate %s bob\n" % (mine, mine))
        conf += 'users file "@DIR@/masters"\nauth.master-separator *\n'
        with Stage(conf, files={"ca.crt": ca, "masters": MASTERS}) as st:
            marked(st)
            for name, test in (("one user after the other", in_turn), ("wrong, and in the clear", wrong),
                               ("pipelined", pipelined), ("compressed", compressed), ("all is forgotten", forgotten), ("a master user", masters),
                               ("a session that is killed", killed), ("more than there is room for", too_much)):
                tap.run(name, test, st)
            tap.run("channel bindings and certificates", bound, st, directory)
            tap.run("a session that was taken over", hostile, st, directory)
            tap.run("reload and stop", through_changes, st)
    with Stage(QUICK + "imap.relays-per-worker 1\nimap.user-connections 1\nimap.errors 5\nimap.idle-timeout 3s\n"
               "imap.client-connection-rate 40\n") as st:
        tap.run("a process for each: limits", counted, st)
    return tap.end()


sys.exit(main())
