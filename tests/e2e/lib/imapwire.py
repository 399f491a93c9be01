"""IMAP byte by byte: one connection, and what a server says on it."""
import os
import re
import shutil
import socket
import sys
import time

ADDR = os.environ.get("PH_ADDR", "127.0.0.1")
PORT = int(os.environ.get("PH_IMAP") or
           int(os.environ.get("PH_BASE", "0")) + 143)


class Checks:
    """Lines of TAP, as they come."""

    def __init__(self):
        self.done = self.failed = 0

    def __call__(self, ok, name, detail=""):
        self.done += 1
        if not ok:
            self.failed += 1
            print("%s: %.3000s" % (name, detail), file=sys.stderr)
        print("%s %d - %s" % ("ok" if ok else "not ok", self.done, name))
        sys.stdout.flush()

    def end(self):
        """The plan; the exit status."""
        print("1..%d" % self.done)
        return 1 if self.failed else 0


class Closed(Exception):
    pass


def cpu():
    """Seconds that the living sessions of this stage have computed, however busy the machine is; 0 if nobody may know."""
    ticks = 0
    bin = os.path.realpath(os.path.join(os.environ["PH_DIR"], "bin"))
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as f:
                stat = f.read()
            exe = os.readlink("/proc/%s/exe" % pid)
        except OSError:
            continue
        if "(imapd-session)" in stat and exe.startswith(bin):
            ticks += sum(map(int, stat.rsplit(")", 1)[1].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")


def remove(directory):
    """All of it, though a session of the test before may still be leaving it."""
    end = time.monotonic() + 30
    while os.path.lexists(directory):
        shutil.rmtree(directory, ignore_errors=True)
        if time.monotonic() > end:
            raise AssertionError("%s cannot be removed" % directory)


class Wire:
    def __init__(self, user=None, password="secret", timeout=60):
        self.sock = socket.create_connection((ADDR, PORT), timeout)
        self.file = self.sock.makefile("rb")
        self.count = 0
        self.greeting = self.response()
        if user is not None:
            self.ok("LOGIN %s %s" % (user, password))

    def say(self, data):
        self.sock.sendall(data)

    def response(self):
        """One response with its literals, without the last CRLF."""
        got = b""
        while True:
            line = self.file.readline()
            if not line.endswith(b"\r\n"):
                raise Closed(got + line)
            got += line
            m = re.search(rb"\{(\d+)\}\r\n$", line)
            if m is None:
                return got[:-2]
            literal = self.file.read(int(m.group(1)))
            if len(literal) < int(m.group(1)):
                raise Closed(got + literal)
            got += literal

    def until(self, tag):
        """The untagged responses, and the tagged one without its tag."""
        out = []
        while True:
            r = self.response()
            if r.startswith(tag + b" "):
                return out, r[len(tag) + 1:]
            out.append(r)

    def cmd(self, text):
        if isinstance(text, str):
            text = text.encode()
        self.count += 1
        tag = b"w%d" % self.count
        self.say(tag + b" " + text + b"\r\n")
        return self.until(tag)

    def ok(self, text):
        out, r = self.cmd(text)
        if not r.startswith(b"OK"):
            raise AssertionError("%s: %r" % (text, r))
        return out

    def fetch(self, text):
        """The FETCH responses of a command that has to go well."""
        return [r for r in self.ok(text)
                if re.match(rb"\* \d+ (UID)?FETCH ", r)]

    def close(self):
        self.file.close()
        self.sock.close()


def literal(response, label):
    """The string behind a label, as a literal or in quotes."""
    at = response.index(label + b" ") + len(label) + 1
    m = re.compile(rb"~?\{(\d+)\}\r\n").match(response, at)
    if m is not None:
        return response[m.end():m.end() + int(m.group(1))]
    m = re.compile(rb'"((?:[^"\\]|\\.)*)"').match(response, at)
    if m is None:
        raise AssertionError(response[at:at + 80])
    return re.sub(rb"\\(.)", rb"\1", m.group(1))
