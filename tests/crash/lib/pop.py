"""A Maildir with known messages, and a client of POP3 that looks into it."""
import os
import shutil
import socket
import time


class Pop:
    """One session; said() is the first line of each answer, b"" without one."""

    def __init__(self, port, user="alice", timeout=60):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.file = self.sock.makefile("rwb")
        self.hello = self.line()
        self.said("USER " + user)
        self.answer = self.said("PASS secret")

    def line(self):
        try:
            return self.file.readline()
        except OSError:
            return b""

    def said(self, command):
        try:
            self.file.write(command.encode() + b"\r\n")
            self.file.flush()
        except OSError:
            pass
        return self.line()

    def rows(self, command):
        """Of an answer of several lines."""
        found = []
        if self.said(command).startswith(b"+OK"):
            while (row := self.line()) not in (b".\r\n", b""):
                found.append(row)
        return found

    def uidls(self):
        return [row.split()[1].decode() for row in self.rows("UIDL")]

    def close(self):
        try:
            self.file.close()
        except OSError:
            pass
        self.sock.close()


class Box:
    """The Maildir of a user, whose messages are known by name and content."""

    def __init__(self, maildir):
        self.dir = maildir
        self.owner = os.stat(os.path.dirname(maildir))

    def own(self, path):
        if os.geteuid() == 0:
            os.chown(path, self.owner.st_uid, self.owner.st_gid)

    def make(self):
        shutil.rmtree(self.dir, ignore_errors=True)
        for sub in ("", "tmp", "new", "cur"):
            os.mkdir(os.path.join(self.dir, sub), 0o700)
            self.own(os.path.join(self.dir, sub))

    @staticmethod
    def content(name):
        first = name.partition(",")[0].encode()
        return b"Subject: %s\n\n%s\n" % (first, first * 40)

    def put(self, i):
        """The name of a further message; each second one is in cur. With its
        sizes in the name nothing has to be noted about it, and flushed."""
        name = "%d.M%dP1.client.test" % (1700000000 + i, i)
        size = len(self.content(name))
        name += ",S=%d,W=%d" % (size, size + 3)
        path = os.path.join(self.dir, *(("new", name) if i % 2 == 0 else
                                        ("cur", name + ":2,")))
        with open(path, "wb") as f:
            f.write(self.content(name))
        self.own(path)
        return name

    def names(self):
        """Of the messages that are there, in order; None for a torn one."""
        found = []
        for sub in ("new", "cur"):
            for entry in os.listdir(os.path.join(self.dir, sub)):
                name = entry.partition(":")[0]
                with open(os.path.join(self.dir, sub, entry), "rb") as f:
                    found.append(name if f.read() == self.content(name)
                                 else None)
        return sorted(found, key=str)


def session_of(stage, seconds=60):
    """The pid of the one session that there is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = stage.processes("pop3d-session")
        if len(found) == 1:
            return found[0][0]
        time.sleep(0.02)
    raise RuntimeError("sessions: %r" % found)
