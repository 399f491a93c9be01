"""A client of IMAP for tests that note what was answered: commands with literals, answers as bytes."""
import re
import socket

LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")


class Refused(Exception):
    """NO, BAD or the end."""


class Talk:
    def __init__(self, port, user, password="secret", timeout=60):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")
        self.tags = 0
        self.selected = None
        if not self.file.readline().startswith(b"* OK"):
            raise Refused("no greeting")
        self.ok(b"LOGIN %s %s" % (user.encode(), password.encode()))

    def response(self):
        text = self.file.readline()
        while (m := LITERAL.search(text)):
            text += self.file.read(int(m.group(1))) + self.file.readline()
        if not text.endswith(b"\r\n"):
            raise Refused("the end: %r" % text)
        return text[:-2]

    def ok(self, command):
        """All that was said, without "* "; the tagged answer at last."""
        self.tags += 1
        tag = b"t%d" % self.tags
        self.sock.sendall(tag + b" " + command + b"\r\n")
        said = []
        while not (got := self.response()).startswith(tag + b" "):
            said.append(got[2:])
        said.append(got[len(tag) + 1:])
        if not said[-1].startswith(b"OK"):
            raise Refused("%r to %r" % (said[-1], command[:100]))
        return said

    def select(self, name, more=b""):
        self.selected = None
        said = self.ok(b"SELECT %s%s" % (quoted(name), more))
        self.selected = name
        return said

    def unselect(self):
        if self.selected is not None:
            self.ok(b"UNSELECT")
        self.selected = None

    def close(self):
        try:
            self.ok(b"LOGOUT")
        except (Refused, OSError):
            pass
        self.file.close()
        self.sock.close()


def quoted(name):
    return b'"%s"' % name.encode()


def numbers(text):
    """Of a set."""
    out = []
    for part in text.split(b","):
        first, _, last = part.partition(b":")
        out += range(int(first), int(last or first) + 1)
    return out


def code(said, name):
    """What stands behind it in brackets; None: nowhere."""
    for s in said:
        m = re.search(rb"\[" + name + rb" ?([^\]]*)\]", s)
        if m:
            return m.group(1)
    return None


def fetched(said):
    """{UID: (flags or None, e-mail's identifier or None, literal or None)}"""
    out = {}
    for s in said:
        m = re.match(rb"\d+ FETCH \(", s)
        uid = m and re.search(rb"\bUID (\d+)", s)
        if not uid:
            continue
        head, _, rest = s.partition(b"}\r\n")
        size = re.search(rb"\{(\d+)\Z", head)
        literal = rest[:int(size.group(1))] if size else None
        flags = re.search(rb"FLAGS \(([^)]*)\)", s)
        mail = re.search(rb"EMAILID \(([^)]*)\)", s)
        out[int(uid.group(1))] = (
            frozenset(flags.group(1).decode().split()) - {"\\Recent"} if flags else None, mail and mail.group(1), literal)
    return out


def subject(literal):
    m = re.search(rb"^Subject: (\S+)", literal or b"", re.M)
    return m.group(1).decode() if m else None
