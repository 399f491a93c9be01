"""pop3d, and then imapd, taken over: the binary is replaced by one that, with the same user,
root directory and sandbox, does whatever it is told. It gets no mailbox for
which it has no credentials, no key, no file and no process; with the right
ones it gets that mailbox and no other (so that the test can fail). TAP on
standard output."""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from agent import parse, record  # noqa: E402
from e2e import BUILD, LONG, ROOT, Lines, Stage, Tap, Wrong, mails, until, want  # noqa: E402
from secure import Scram, b64  # noqa: E402

CLIENT = ("C", "192.0.2.7")
TLS = ("E", "TLSv1.3 X")        # so that passwords may come
which = "pop3"     # taken over


def service():
    return "S", which


def port(st):
    return st.base + (110 if which == "pop3" else 143)


class Front(Lines):
    """One worker of what was pop3d. After one that was killed all are started anew."""

    def __init__(self, st):
        for last in (False,) * 100 + (True,):
            try:
                super().__init__(port(st), timeout=60)
                if self.line() == b"hostile":
                    return
                self.close()
            except OSError:
                pass
            if last:
                raise Wrong("the hostile front does not answer")
            time.sleep(0.1)

    def do(self, *words):
        """Its answer; "killed" if it had to die for it."""
        self.send(" ".join(w if isinstance(w, str) else w.hex() for w in words).encode() + b"\r\n")
        got = self.line()
        return "killed" if got is None else got.decode().strip()

    def dial(self, path="auth"):
        got = self.do("dial", path)
        want("auth is there", got, got == "ok")
        return self

    def ask(self, *fields, kind="none", patience=60000):
        """The answer's fields, or a word: "end", "ETIMEDOUT" ..."""
        got = self.do("ask", kind, record(*fields), str(patience))
        return dict(parse(bytes.fromhex(got[4:]))) if got.startswith("got ") else got

    def hears(self, end):
        """What a session that is there says at the end of the pair, to these bytes: it has its time."""
        said, limit = b"", time.monotonic() + 60
        while end not in said and time.monotonic() < limit:
            got = self.do("read", "700")
            if got.startswith("got "):
                said += bytes.fromhex(got[4:])
            elif got != "ETIMEDOUT":
                break
        want("wanted %r of the session" % end, said, end in said)
        return said

    def session(self):
        """What a session that should not be there says at the end of the pair; b"" if there is none."""
        said = b""
        while True:
            got = self.do("read", "700")
            if not got.startswith("got "):
                return said
            said += bytes.fromhex(got[4:])


def verdict(answer):
    return answer["V"].decode() if isinstance(answer, dict) else answer


def right(user="alice", **more):
    return [("V", "login"), service(), ("U", user), ("P", "secret"), CLIENT, TLS] + list(more.items())


def take(*more):
    return [("V", "take"), ("B", ""), ("N", "a LOGIN")] + list(more)


def take_over(st):
    """Every mailbox has a message that says whose it is."""
    for user in ("alice", "bob", "carol"):
        home = os.path.join(st.dir, "mail", user)
        owner = os.stat(home)
        for d in ("Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"):
            os.mkdir(os.path.join(home, d), 0o700)
            os.chown(os.path.join(home, d), owner.st_uid, owner.st_gid)
        path = os.path.join(home, "Maildir", "new", "1.test.host")
        with open(path, "w") as f:
            f.write("Subject: mail of %s\n\nhers or his alone\n" % user)
        os.chown(path, owner.st_uid, owner.st_gid)
    real = os.path.realpath(os.path.join(st.dir, "bin"))
    st.stop()
    os.unlink(os.path.join(real, which + "d"))
    shutil.copy(os.path.join(BUILD, "tools", "hostile_front"), os.path.join(real, which + "d"))
    with open(os.path.join(st.dir, "log", "stderr"), "ab") as err:
        subprocess.Popen([os.path.join(real, "posthouse"), "-F", "-f", st.conf], stdin=subprocess.DEVNULL, stdout=err,
                         stderr=err)

    def answers():
        try:
            with Lines(port(st)) as c:
                return c.line() == b"hostile"
        except OSError:
            return False
    until("the hostile front runs", answers)


def processes(st, name):
    """The master, or its children; what they run nobody but root may see."""
    master = st.pid()
    if name == "posthouse":
        return [master]
    out = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(master)], stdout=subprocess.PIPE, check=True).stdout
    return [int(l.split()[0]) for l in out.decode().splitlines() if l.split()[1] == name]


def mailbox_of(front):
    """Whose mail the session at the pair gives."""
    if which == "imap":
        greeting = front.hears(b"\r\n")
        want("the session's greeting", greeting, greeting.startswith(b"a OK [CAPABILITY "))
        front.do("say", b"b EXAMINE INBOX\r\nc FETCH 1 BODY.PEEK[]\r\n")
        said = front.hears(b"\r\nc OK ")
        front.do("say", b"d LOGOUT\r\n")
        front.hears(b"\r\nd OK ")
        return said.split(b"mail of ")[1].split(b"\r\n")[0].decode()
    greeting = front.hears(b"\r\n")
    want("the session's greeting", greeting, greeting.startswith(b"+OK logged in, 1 messages"))
    front.do("say", b"RETR 1\r\n")
    said = front.hears(b"\r\n.\r\n")
    front.do("say", b"QUIT\r\n")
    front.hears(b"\r\n")
    return said.split(b"mail of ")[1].split(b"\r\n")[0].decode()


def control(st):
    """With the right words it gets what they are for; the test would see a mailbox."""
    for user in ("alice", "bob", "carol"):
        with Front(st) as f:
            a = f.dial().ask(*right(user))
            want("proven", a, verdict(a) == "ok" and a["U"].decode() == user)
            a = f.ask(*take(), kind="pair")
            want("taken", a, verdict(a) == "ok")
            want("whose", None, mailbox_of(f) == user)


def no_proof(st):
    """take at any time but after a proof; half proofs; proofs of others."""
    alice = b"\0alice\0secret"
    ways = [
        [take()], [[("V", "step"), ("R", "x")]], [[("V", "cancel")]], [[("V", "session"), service(), ("U", "alice")]],
        [right("alice")[:3] + [("P", "wrong"), CLIENT, TLS], take()],
        [right("nobody"), take()],
        [[("V", "sasl"), service(), ("H", "PLAIN"), CLIENT, TLS], take()],
        [[("V", "sasl"), service(), ("H", "PLAIN"), CLIENT, TLS], [("V", "cancel")], take()],
        [[("V", "sasl"), service(), ("H", "PLAIN"), ("R", b"bob" + alice), CLIENT, TLS], take()],
        [[("V", "sasl"), service(), ("H", "PLAIN"), ("R", b"\0bob\0\0secret"), CLIENT, TLS], take()],
        [[("V", "sasl"), service(), ("H", "SCRAM-SHA-256"), ("R", b"n,,n=bob,r=abc"), CLIENT], take()],
        [[("V", "sasl"), service(), ("H", "SCRAM-SHA-256"), ("R", b"n,,n=bob,r=abc"), CLIENT], [("V", "step"), ("R", "")],
         take()],
        [[("V", "sasl"), service(), ("H", "EXTERNAL"), ("R", "bob"), CLIENT, TLS, ("Z", b"0" * 500)], take()],
        [[("V", "sasl"), service(), ("H", "EXTERNAL"), ("R", ""), CLIENT], take()],
        [[("V", "sasl"), service(), ("H", "password"), ("R", "bob"), CLIENT], take()],
        [[("V", "ok"), ("U", "bob")], take()],
        # submission and smtp prove, but give no mailbox
        [[("V", "login"), ("S", "submission"), ("U", "alice"), ("P", "secret"), CLIENT, TLS], take(service())],
        [[("V", "login"), ("S", "smtp"), ("U", "alice"), ("P", "secret"), CLIENT, TLS], take(service(), ("U", "alice"))],
        [[("V", "login"), ("S", "../pop3"), ("U", "alice"), ("P", "secret"), CLIENT, TLS], take()],
    ]
    for way in ways:
        for kind in ("pair", "none"):
            with Front(st) as f:
                f.dial()
                for fields in way:
                    a = f.ask(*fields, kind=kind if fields[0] == ("V", "take") else "none")
                    if not isinstance(a, dict):
                        break
                want("no session of %.300r" % way, a, verdict(a) != "ok" or fields[0] != ("V", "take"))
                said = f.session()
                want("nothing said by a session of %.300r" % way, said, said == b"")


def whose(st):
    """After a proof nothing makes it another one's: not with take, not by more fields, not by a second question."""
    lies = [("U", "bob"), ("M", "maildir:" + os.path.join(st.dir, "mail", "bob", "Maildir")), ("D", 61002), ("G", 61002),
            ("H", os.path.join(st.dir, "mail", "bob")), ("V", "session"), ("I", 7)]
    for lie in lies:
        with Front(st) as f:
            f.dial().ask(*right(), lie)
            a = f.ask(*take(lie), kind="pair")
            if verdict(a) == "ok":
                want("with %r" % (lie,), None, mailbox_of(f) == "alice")
        with Front(st) as f:
            # the field in front of the true one
            a = f.dial().ask(("V", "login"), service(), lie, ("U", "alice"), ("P", "secret"), CLIENT, TLS)
            if verdict(a) == "ok":
                a = f.ask(("V", "take"), lie, *take()[1:], kind="pair")
                if verdict(a) == "ok":
                    whom = mailbox_of(f)
                    # all have the password "secret": a name that stands first is the one that was proven
                    want("with %r in front" % (lie,), whom, whom == "alice" or lie == ("U", "bob"))
    with Front(st) as f:
        # a right one for alice, and then a wrong one for bob on the same connection
        f.dial().ask(*right())
        f.ask(("V", "login"), service(), ("U", "bob"), ("P", "wrong"), CLIENT, TLS)
        f.ask(*take(), kind="pair")
        want("no session of bob's", None, b"mail of bob" not in f.session())
    with Front(st) as f:
        # a session is taken once
        f.dial().ask(*right())
        want("once", None, verdict(f.ask(*take(), kind="pair")) == "ok")
        mailbox_of(f)
        a = f.ask(*take(), kind="pair")
        want("not twice", a, verdict(a) != "ok" and f.session() == b"")
    with Front(st) as f:
        # somebody else's conversation: SCRAM with what was seen of another one
        s = Scram("sha256", b"alice", b"secret")
        a = f.dial().ask(("V", "sasl"), service(), ("H", "SCRAM-SHA-256"), ("R", s.first()), CLIENT)
        final = s.final(a["D"])
        with Front(st) as g:
            g.dial().ask(("V", "sasl"), service(), ("H", "SCRAM-SHA-256"), ("R", s.first()), CLIENT)
            a = g.ask(("V", "step"), ("R", final))
            want("a proof is of its own conversation", a, verdict(a) == "fail")


def descriptors(st):
    """What is no connection gives no session, or one that ends; auth and master stay."""
    for kind in ("none", "two", "memfd", "listen", "auth", "client"):
        with Front(st) as f:
            f.dial().ask(*right())
            f.send(("ask %s %s 3000\r\n" % (kind, record(*take()).hex())).encode())
            if kind != "client":
                f.line()
            else:       # this very connection has a session now
                want("alice's own", None, b"hostile" not in (f.line() or b""))
    for data in (b"", b"\0" * 10, b"V5:login,", b"V5:login,\n" * 1000, b"V99999999:x,\n", b"A" * 65000, b"A" * 200000,
                 record(*right()) + b"x", record(("V", "login"), service(), ("U", b"a" * 60000), ("P", "x"), CLIENT),
                 record(("V", "take"), ("B", b"x" * 40000)), record(("V", "take"), ("N", b"x" * 4000))):
        with Front(st) as f:
            f.dial().do("ask", "none", data, "1000")
    fronts = [Front(st) for _ in range(40)]
    for f in fronts:
        f.dial()
    for f in fronts:
        f.close()
    control(st)


def keys(st):
    """It signs what TLS signs; the key does not come."""
    secret = b""
    for d, _, names in os.walk(os.path.join(st.dir, "tls")):
        for n in names:
            with open(os.path.join(d, n), "rb") as f:
                data = f.read()
            if b"PRIVATE KEY" in data:
                secret = data
    want("there is a key", None, secret)
    inner = secret.split(b"\n")[1]
    for fields in ([("V", "list")], [("V", "get")], [("V", "key")], [("V", "export"), ("I", 0)], [("V", "sign")],
                   [("V", "sign"), ("I", 0), ("H", "sha256"), ("D", b"x" * 32)], [("V", "certificates")]):
        with Front(st) as f:
            got = f.dial("keys").do("ask", "none", record(*fields), "1000")
            data = bytes.fromhex(got[4:]) if got.startswith("got ") else b""
            want("no key in the answer", fields, b"PRIVATE" not in data and inner not in data and
                 b64(data).find(inner[4:40]) < 0)


def files(st):
    """No file, no directory, no process, no network, no way out."""
    box = os.path.join(st.dir, "mail", "alice", "Maildir", "new", "1.test.host")
    with Front(st) as f:
        for path in ("/etc/passwd", ".", "/", "..", "../../users", box, os.path.join(st.dir, "users"), "/proc/self/mem",
                     "/proc/1/environ", "/proc/%d/mem" % st.pid(), "/dev/null", "auth", "keys",
                     os.path.join(st.dir, "tables", "auth.cdb"), os.path.join(st.dir, "log", "posthouse.log")):
            for how in ("open", "write"):
                got = f.do("path", how, path)
                want("%s %s" % (how, path), got, got != "ok")
        for family in (2, 10, 16, 17):
            got = f.do("number", "inet", str(family))
            want("socket of family %d" % family, got, got != "ok")
        if ROOT:        # without root nothing hides what one user's sockets are
            for path in ("../control", os.path.join(st.dir, "run", "control"), os.path.join(st.dir, "run", "route"),
                         os.path.join(st.dir, "run", "auth"), "/dev/log", "/run/dbus/system_bus_socket"):
                for how in ("stream", "datagram"):
                    want("connect %s" % path, None, f.do("path", how, path) != "ok")
                want("connect %s" % path, None, f.do("dial", path) != "ok")
    deadly = [("path", "exec", "/bin/sh"), ("path", "chroot", "/")]
    for name, hows in (("keys", ("ptrace", "kill")), ("auth", ("memory",)), ("posthouse", ("kill",)),
                       *([("queue", ("ptrace", "memory", "kill")), ("posthouse", ("ptrace",))] if LONG else [])):
        for how in hows:    # each may cost the front its life, and all of them are started anew, ever later
            deadly.append(("number", how, str(processes(st, name)[0])))
    running = {n: processes(st, n) for n in ("posthouse", "auth", "keys", "queue")}
    for words in deadly:
        with Front(st) as f:
            got = f.do(*words)
            want(" ".join(words), got, got != "ok")
    want("nobody else was hurt", running, running == {n: processes(st, n) for n in running})
    want("mail is where it was", None, len(mails(st.dir, "alice")) == 1)


def link(st):
    """What it has open is not the master's ear: nobody's session starts by it."""
    wish = record(("V", "session"), ("I", 1), service(), ("U", "bob"), ("D", 61002 if ROOT else os.getuid()),
                  ("G", 61002 if ROOT else os.getgid()), ("H", os.path.join(st.dir, "mail", "bob")),
                  ("M", "maildir:" + os.path.join(st.dir, "mail", "bob", "Maildir")), ("C", "192.0.2.99"), ("L", ""), ("E", ""),
                  ("B", ""), ("N", ""))
    with Front(st) as f:
        fds = [int(x.split(":")[0]) for x in f.do("fds").split() if x.endswith(":140000")]
        want("some sockets", None, fds)
    for fd in fds:
        with Front(st) as f:
            f.do("raw", str(fd), wish, "1000")
            want("no session by descriptor %d" % fd, None, b"mail of" not in f.session())
    want("none was started", None, "192.0.2.99" not in st.log())


def main():
    global which
    tap = Tap()
    with Stage("auth.delay 0\nauth.failures 0\nauth.client-failures 0\n") as st:
        take_over(st)
        for name, test in (("with the right words, that mailbox", control), ("without a proof", no_proof),
                           ("another one's", whose), ("descriptors and malformed questions", descriptors),
                           ("the private key", keys), ("files, processes, network", files),
                           ("descriptors that it has", link), ("everything still works", control)):
            tap.run(name, test, st)
    which = "imap"
    with Stage("auth.delay 0\nauth.failures 0\nauth.client-failures 0\n") as st:
        take_over(st)
        for name, test in (("imapd: that mailbox", control), ("imapd: another one's", whose),
                           ("imapd: descriptors that it has", link), ("imapd: everything still works", control)):
            tap.run(name, test, st)
    return tap.end()


sys.exit(main())
