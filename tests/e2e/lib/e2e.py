"""What the end-to-end tests share: TAP, clients for SMTP and POP3 that hide
nothing, and stages of their own. A test is a function; it fails by Wrong."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ADDR = os.environ.get("PH_ADDR", "127.0.0.1")
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.path.join(TOP, os.environ.get("PH_BUILD", "build"))
BIN = os.path.join(BUILD, "bin")
sys.path.insert(1, os.path.join(TOP, "tests"))
from free_ports import free_base, free_port  # noqa: E402, F401

LONG = os.environ.get("PH_MODE") == "long"
ROOT = os.geteuid() == 0
# Who is told to end takes his stages down.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


class Wrong(Exception):
    pass


class Skip(Exception):
    pass


def want(what, got, ok):
    if not ok:
        raise Wrong("%s, got %s" % (what, got if isinstance(got, str) else repr(got)))


def until(what, test, seconds=60, step=0.05):
    """Polls; returns what the test returned when it was true."""
    end = time.monotonic() + seconds
    while True:
        last = time.monotonic() > end       # whoever was held up himself looks once more
        got = test()
        if got:
            return got
        if last:
            raise Wrong("not in %d seconds: %s" % (seconds, what))
        time.sleep(step)


def runs_in(pid, stage):
    """Does it run a program of the stage in that directory? Who may not know takes it for one."""
    try:
        return os.path.dirname(os.readlink("/proc/%s/exe" % pid)) == os.path.realpath(os.path.join(stage, "bin"))
    except PermissionError:
        return True
    except OSError:
        return False


def children(pid, name=None):
    """Processes that this one has started; those of that program."""
    found = set()
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % p, encoding="utf-8", errors="replace") as f:
                comm, rest = f.read().rsplit(")", 1)
        except OSError:
            continue
        if int(rest.split()[1]) == pid and name in (None, comm.split("(", 1)[1]):
            found.add(int(p))
    return found


class Tap:
    def __init__(self):
        self.n = self.failed = 0
        self.lock = threading.Lock()

    def say(self, name, wrong, skip=None):
        with self.lock:
            self.line(name, wrong, skip)

    def line(self, name, wrong, skip):
        self.n += 1
        name = name.replace("#", "")
        print("%s %d - %s%s" % ("not ok" if wrong else "ok", self.n, name,
                                " # skip " + skip if skip else ""), flush=True)
        if wrong:
            self.failed += 1
            print("# " + wrong.replace("\n", "\n# "), flush=True)
            print(name + ": " + wrong, file=sys.stderr, flush=True)

    def run(self, name, test, *args):
        start = time.monotonic()
        try:
            test(*args)
        except Wrong as e:
            self.say(name, str(e) or "wrong")
        except Skip as e:
            self.say(name, None, str(e))
        except Exception as e:      # of whatever kind: the tests behind it run
            self.say(name, "%r at %s" % (e, ", ".join("%s:%d" % (os.path.basename(f.filename), f.lineno)
                                                      for f in traceback.extract_tb(e.__traceback__)[1:])))
        else:
            self.say(name, None)
        if time.monotonic() - start > 2:
            with self.lock:
                print("# %.1f s" % (time.monotonic() - start), flush=True)

    def check(self, ok, name, detail=""):
        """For who asks things one after the other and has no function for each."""
        self.say(name, None if ok else str(detail) or "wrong")
        return ok

    def skip(self, name, why):
        self.say(name, None, why)

    def end(self):
        print("1..%d" % self.n)
        return 1 if self.failed else 0


class Lines:
    """A connection, line by line. source: the address to come from."""

    def __init__(self, port, source=None, timeout=60):
        self.sock = socket.create_connection((ADDR, port), timeout, source and (source, 0))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buf = b""

    def line(self):
        """Without its CRLF; None at the end."""
        while b"\r\n" not in self.buf:
            try:
                more = self.sock.recv(65536)
            except ConnectionError:
                return None
            if not more:
                return None
            self.buf += more
        text, self.buf = self.buf.split(b"\r\n", 1)
        return text

    def send(self, data):
        try:
            self.sock.sendall(data)
        except ConnectionError:
            pass

    def closed(self):
        """Is this the end, with nothing more said?"""
        return self.line() is None and not self.buf

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Smtp(Lines):
    def __init__(self, port, source=None, greeting="220", timeout=60):
        super().__init__(port, source, timeout)
        if greeting:
            self.expect(greeting)

    def reply(self):
        """The last line of a reply as text; None at the end of the connection."""
        while True:
            text = self.line()
            if text is None or text[3:4] != b"-":
                return None if text is None else text.decode("utf-8", "replace")

    def expect(self, *codes):
        got = None
        for code in codes:
            got = self.reply()
            want("wanted " + code, got, got is not None and (got + " ").startswith(code + " "))
        return got

    def say(self, data, *codes):
        """Sends a line, or bytes as they are if they end with LF."""
        self.send(data if data.endswith(b"\n") else data + b"\r\n")
        return self.expect(*codes)

    def begin(self, sender=b"s@client.test", to=(b"alice@example.test",), hello=b"EHLO client.test"):
        self.say(hello, "250")
        self.say(b"MAIL FROM:<" + sender + b">", "250")
        for t in to:
            self.say(b"RCPT TO:<" + t + b">", "250")

    def data(self, content, code="250"):
        """The content ends with CRLF or is empty; returns the reply."""
        self.say(b"DATA", "354")
        if content.startswith(b"."):
            content = b"." + content
        return self.say(content.replace(b"\r\n.", b"\r\n..") + b".\r\n", code)


def ident(reply):
    return reply.split("id=")[1].split()[0]


def send(port, to, content, sender=b"s@client.test", code="250"):
    with Smtp(port) as c:
        c.begin(sender, to if isinstance(to, (list, tuple)) else [to])
        got = c.data(content, code)
        c.say(b"QUIT", "221")
    return ident(got) if code == "250" else got


class Pop3(Lines):
    def __init__(self, port, user=None, password="secret", **more):
        super().__init__(port, **more)
        self.greeting = self.line()
        if user:
            self.ok(b"USER " + user.encode())
            self.ok(b"PASS " + password.encode())

    def ok(self, data):
        self.send(data + b"\r\n")
        got = self.line()
        want("wanted +OK to %r" % data[:60], got, got is not None and got.startswith(b"+OK"))
        return got

    def rest(self):
        """The lines of an answer, to its dot."""
        end = b"\r\n.\r\n"
        data = b"\r\n" + self.buf
        seen = 0
        while True:
            at = data.find(end, max(0, seen - 5))
            if at >= 0:
                break
            seen = len(data)
            more = self.sock.recv(1 << 20)
            want("an answer goes on", "its end", more)
            data += more
        self.buf = data[at + 5:]
        return data[:at + 2].replace(b"\r\n.", b"\r\n")[2:]

    def multi(self, data):
        self.ok(data)
        return self.rest()


def login(port, user, **more):
    """A session that another one of before may still be closing for."""
    end = time.monotonic() + 60
    while True:
        p = Pop3(port, **more)
        p.ok(b"USER " + user.encode())
        p.send(b"PASS secret\r\n")
        got = p.line()
        if got is not None and got.startswith(b"+OK"):
            return p
        p.close()
        if got is None or b"IN-USE" not in got or time.monotonic() > end:
            raise Wrong("login of %s: %r" % (user, got))
        time.sleep(0.05)


class Stage:
    """A stage of one's own with further lines of configuration."""

    def __init__(self, conf="", users=0, trust=True, files=None, **env):
        self.dir = tempfile.mkdtemp(prefix="posthouse-e2e.")
        os.chmod(self.dir, 0o755)
        self.conf = os.path.join(self.dir, "posthouse.conf")
        self.extra = os.path.join(self.dir, "extra.conf")
        with open(self.extra, "w") as f:
            f.write(conf.replace("@DIR@", self.dir))
        for name, content in (files or {}).items():
            self.write(name, content)
        self.env = dict(os.environ, STAGE_CONF=self.extra, STAGE_USERS=str(users), PH_BUILD=BUILD, **env)
        if not trust:
            self.env["STAGE_TRUST"] = "none"
        for last in (False, False, True):
            self.base = free_base()
            self.smtp, self.lmtp, self.pop3 = self.base + 25, self.base + 24, self.base + 110
            wrong = self.up()
            if wrong is None:
                return
            if last or "in use" not in wrong:
                self.down()
                raise Wrong("stage: " + wrong)

    def write(self, name, content):
        """A file of the stage; @DIR@ is its directory."""
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
            f.write(content.replace("@DIR@", self.dir))

    def up(self):
        """None, or what went wrong."""
        r = subprocess.run([os.path.join(TOP, "tests", "stage"), "up", self.dir, str(self.base)],
                           env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
        return None if r.returncode == 0 else r.stdout.decode("utf-8", "replace")[-2000:]

    def stop(self):
        subprocess.run([os.path.join(TOP, "tests", "stage"), "down", self.dir], env=self.env, timeout=600,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)

    def down(self):
        self.stop()
        aside = os.path.join(self.dir, "aside")
        if os.path.exists(aside):
            with open(aside) as f:
                shutil.rmtree(f.read().strip(), ignore_errors=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.down()

    def command(self, *args, program="posthouse", **more):
        """Ends with (status, output)."""
        r = subprocess.run([os.path.join(self.dir, "bin", program), *args], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=600, **more)
        return r.returncode, r.stdout.decode("utf-8", "replace")

    def posthouse(self, *args):
        return self.command("-f", self.conf, *args)

    def log(self):
        with open(os.path.join(self.dir, "log", "posthouse.log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def logged(self, *words, seconds=60):
        """The first line with all these words."""
        return until("a log line with " + ", ".join(words), lambda: next(
            (l for l in self.log().splitlines() if all(w in l for w in words)), None), seconds)

    def mails(self, user):
        return mails(self.dir, user)

    def came(self, user, word, n=1, seconds=60):
        return came(self.dir, user, word, n, seconds)

    def pid(self):
        with open(os.path.join(self.dir, "run", "posthouse.pid")) as f:
            return int(f.read())


def below(directory):
    """Files anywhere below it."""
    return [os.path.join(d, n) for d, _, names in os.walk(directory) for n in names]


def mails(directory, user):
    """The contents of a user's messages, by file name."""
    found, seen = {}, {}
    for sub in ("new", "cur"):      # in this order: whoever moves one meanwhile moves it to the second
        where = os.path.join(directory, "mail", user, "Maildir", sub)
        try:
            names = os.listdir(where)
        except FileNotFoundError:
            continue
        for name in names:
            try:
                with open(os.path.join(where, name), "rb") as f:
                    content = f.read()
            except FileNotFoundError:
                continue
            found.pop(seen.get(name.split(":")[0]), None)
            seen[name.split(":")[0]] = name
            found[name] = content
    return found


def came(directory, user, word, n=1, seconds=60):
    """The user's messages that hold the word, n of them waited for."""
    def look():
        found = [m for m in mails(directory, user).values() if word in m]
        return found if len(found) >= n else None
    found = until("%d of %r for %s" % (n, word, user), look, seconds)
    want("%d of %r for %s" % (n, word, user), len(found), len(found) == n)
    return found


def message(word, body=b"hello\r\n"):
    return (b"From: <s@client.test>\r\nTo: <alice@example.test>\r\nSubject: " + word +
            b"\r\nDate: Tue, 24 Nov 2026 06:55:03 +0100\r\n\r\n" + body)


def word(name):
    return ("%s-%d-%d" % (name, os.getpid(), time.time_ns())).encode()
