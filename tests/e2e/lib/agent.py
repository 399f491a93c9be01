"""Plays the master and queue to one remote(8), so that nothing else has to
run: starts it with its descriptors, asks it for deliveries, reads results."""
import array
import fcntl
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from e2e import BIN, Wrong, until

F_ADD_SEALS = 1033
SEALS = 0xf


def record(*fields):
    """Fields are (tag, value); a value is bytes, str, int or a record."""
    out = b""
    for tag, value in fields:
        if isinstance(value, int):
            value = str(value)
        if isinstance(value, str):
            value = value.encode()
        out += b"%s%d:%s,\n" % (tag.encode(), len(value), value)
    return out


def parse(data):
    fields = []
    while data:
        tag, rest = data[:1].decode(), data[1:]
        length, rest = rest.split(b":", 1)
        n = int(length)
        fields.append((tag, rest[:n]))
        if rest[n:n + 2] != b",\n":
            raise Wrong("malformed record: %r" % data[:80])
        data = rest[n + 2:]
    return fields


class Result:
    def __init__(self, fields):
        got = dict(fields)
        self.number = int(got["n"])
        self.status = got["s"].decode()
        self.text = got["t"].decode()
        self.host = got.get("h", b"").decode()
        self.dsn = "D" in got
        self.tls = got.get("Z", b"").decode()
        self.said = "r" in got

    def __repr__(self):
        return "%d: %s %s [%s] tls=%s said=%s" % (self.number, self.status, self.text, self.host,
                                                  self.tls, self.said)


class Done:
    def __init__(self, fields):
        got = dict(fields)
        self.id = got["I"].decode()
        self.keep = "K" in got
        self.failure = got.get("F", b"").decode()
        self.text = got.get("t", b"").decode()

    def __repr__(self):
        return "done keep=%s failure=%s %s" % (self.keep, self.failure, self.text)


class Remote:
    """The program with a socket that queue would connect to."""

    def __init__(self, conf="", ca="/nonexistent", **env):
        self.dir = tempfile.mkdtemp(prefix="posthouse-remote.")
        os.chmod(self.dir, 0o755)
        os.makedirs(os.path.join(self.dir, "run", "empty"))  # as the master does
        os.chmod(os.path.join(self.dir, "run"), 0o755)
        self.path = os.path.join(self.dir, "remote")
        self.spool = os.path.join(self.dir, "message")
        listen = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listen.bind(self.path)
        listen.listen(1000)
        listen.setblocking(False)
        self.ca = ca
        fd, files = self.parts(conf)
        log, self.log_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        link, self.link = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.err = open(os.path.join(self.dir, "err"), "w+b")
        plan = [fd, log.fileno(), link.fileno(), listen.fileno()] + [f for _, f in files]
        names = ",".join("%d:%s" % (n, name) for n, name in enumerate(["remote@queue"] + [name for name, _ in files], 6))

        def arrange():
            high = [fcntl.fcntl(f, fcntl.F_DUPFD, 40) for f in plan]
            for to, f in enumerate(high, 3):
                os.dup2(f, to, inheritable=True)
            os.closerange(3 + len(plan), 200)
        self.process = subprocess.Popen([os.path.join(BIN, "remote")], preexec_fn=arrange, close_fds=False,
                                        env={"PH_FDS": names, "PATH": "/bin", **env},
                                        stdin=subprocess.DEVNULL, stdout=self.err, stderr=self.err)
        for s in (log, link, listen):
            s.close()
        for f in plan[:1] + plan[4:]:
            os.close(f)
        self.link.settimeout(60)
        self.lines = []
        self.log_end.setblocking(False)
        try:
            got = self.link.recv(65536)
        except socket.timeout:
            got = b""
        if b"ready" not in got:
            text = " ".join(self.log())
            self.stop()
            raise Wrong("remote did not become ready: " + text)

    def parts(self, conf):
        """What the master would hand over: the settings, and the files that they name with their names."""
        text = "hostname client.test\nremote.tls-ca %s\nrun %s/run\n%s" % (
            self.ca, self.dir, conf.replace("@DIR@", self.dir))
        fd = os.memfd_create("conf", os.MFD_ALLOW_SEALING)
        os.write(fd, text.encode())
        os.lseek(fd, 0, os.SEEK_SET)
        fcntl.fcntl(fd, F_ADD_SEALS, SEALS)
        named = [line.split() for line in text.splitlines() if line.startswith(("remote.passwords ", "remote.tls-ca "))]
        return fd, [(name, os.open(path, os.O_RDONLY)) for name, path in named if os.path.exists(path)]

    def reload(self, conf):
        fd, files = self.parts(conf)
        send = [fd] + [f for _, f in files]
        self.link.sendmsg([record(("V", "reload"), *(("N", name) for name, _ in files))],
                          [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", send))])
        for f in send:
            os.close(f)

    def log(self):
        """All that it has logged so far."""
        while True:
            try:
                got = self.log_end.recv(65536)
            except (BlockingIOError, ConnectionError):
                break
            if not got:
                break
            self.lines.append(got.split(b"\0", 1)[1].decode("utf-8", "replace"))
        return self.lines

    def logged(self, *words):
        return until("a line with " + ", ".join(words), lambda: next(
            (l for l in self.log() if all(w in l for w in words)), None))

    def workers(self):
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], stdout=subprocess.PIPE,
                             check=False).stdout
        return [int(p) for p in out.split()]

    def stop(self):
        self.link.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.err.close()
        shutil.rmtree(self.dir, ignore_errors=True)
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def target(port, addr="127.0.0.1", host="mx.test", pref=10):
    fields = [("A", addr), ("P", port), ("F", pref)]
    if host:
        fields.insert(0, ("H", host))
    return ("t", record(*fields))


def hop(*targets, tls="off", protocol="smtp", key="smtp:mx.test", more=()):
    return record(("C", 250), ("E", "2.0.0"), ("T", "ok"), ("K", key), ("X", 60), ("P", protocol), ("L", tls),
                  *more, *targets)


class Worker:
    """One connection to it."""
    serial = itertools.count(1)     # for several threads

    def __init__(self, remote, timeout=60):
        self.remote = remote
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.connect(remote.path)
        self.sock.settimeout(timeout)
        self.buf = []

    def ask(self, where, content, rcpts=("a@dest.test",), sender="s@client.test", body="", more=()):
        """rcpts: addresses, or lists of the fields of one."""
        self.id = "M%d" % next(Worker.serial)
        path = self.remote.spool + self.id
        head = b"head of the spool file\n"
        with open(path, "wb") as f:
            f.write(head + content + b"tail\n")
        fields = [("V", "deliver"), ("I", self.id), ("O", len(head)), ("N", len(content)), ("S", sender),
                  ("B", body), ("H", where), *more]
        for n, r in enumerate(rcpts):
            fields.append(("R", record(("n", n), *([("a", r)] if isinstance(r, (str, bytes)) else r))))
        fd = os.open(path, os.O_RDONLY)
        os.unlink(path)
        self.send(record(*fields), fd)
        os.close(fd)
        self.n = len(rcpts)

    def send(self, data, *fds):
        self.sock.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else [])

    def answer(self):
        """Results in the order of their numbers, and done."""
        self.remote.log()       # what nobody fetches leaves no room for more
        results = []
        while True:
            data = self.sock.recv(65536)
            if not data:
                raise Wrong("the worker ended; results: %r; log: %s" % (results, self.remote.log()[-3:]))
            fields = parse(data)
            if dict(fields)["V"] == b"result":
                results.append(Result(fields))
                continue
            done = Done(fields)
            break
        if done.id != self.id or sorted(r.number for r in results) != list(range(self.n)):
            raise Wrong("not one result for each: %r %r" % (results, done))
        return sorted(results, key=lambda r: r.number), done

    def deliver(self, *args, **more):
        self.ask(*args, **more)
        return self.answer()

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def elapsed(since):
    return time.monotonic() - since
