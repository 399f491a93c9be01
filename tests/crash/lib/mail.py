"""Messages with tokens: sent without any retry, and looked for afterwards."""
import collections
import hashlib
import os
import re
import socket
import subprocess
import threading
import time

from stage import USERS

MEMBERS = {"team": ("alice", "bob", "carol"), "pair": ("alice", "carol"),
           "later": ()}         # never delivered, always tried again
MARK = b"X-Token: "


class Letter:
    """One message: what was sent, and what became of it."""

    def __init__(self, token, rcpts, size, rng):
        self.token, self.rcpts = token, rcpts
        body, left = [], size
        while left > 0:
            n = min(left, rng.randrange(1, 120))
            body.append(bytes(rng.choices(b" abcdefgh.XYZ0123456789", k=n)))
            left -= n
        lines = [MARK + token.encode(), b"From: <test@example.net>",
                 b"Subject: " + token.encode(), b""] + body
        self.content = b"\r\n".join(lines) + b"\r\n"
        self.fate = "unsent"    # acked, refused, doubt (no answer)
        self.reply = b""

    def digest(self):
        return hashlib.sha256(self.content.replace(b"\r\n", b"\n")).hexdigest()

    def users(self):
        out = set()
        for r in self.rcpts:
            local = r.partition("@")[0]
            out.update(MEMBERS.get(local, (local,)))
        return out


class Post:
    """All letters of a test, by many threads."""

    def __init__(self, rng, prefix="t"):
        self.rng, self.prefix = rng, prefix
        self.lock = threading.Lock()
        self.letters = {}

    def write(self, rcpts=None, size=None):
        with self.lock:
            rng = self.rng
            if rcpts is None:
                rcpts = rng.choice((["alice"], ["bob"], ["carol"], ["team"],
                                    ["pair"], ["alice", "bob"]))
                rcpts = [r + "@example.test" for r in rcpts]
            if size is None:
                size = rng.choice((50, 300, 2000, 2000, 9000, 70000))
            token = "%s%06d-%08x" % (self.prefix, len(self.letters),
                                     rng.randrange(1 << 32))
            letter = Letter(token, rcpts, size, rng)
            self.letters[token] = letter
            return letter

    def by_fate(self, fate):
        return [x for x in self.letters.values() if x.fate == fate]

    def counts(self):
        return dict(collections.Counter(
            x.fate for x in self.letters.values()))


class Line:
    """A connection that speaks SMTP or LMTP, one command at a time."""

    def __init__(self, port, lmtp=False, timeout=30):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.file = self.sock.makefile("rb")
        self.lmtp = lmtp
        self.expect(b"2")
        self.command(b"LHLO c.test" if lmtp else b"EHLO c.test", b"2")

    def answer(self):
        while True:
            line = self.file.readline()
            if not line.endswith(b"\r\n"):
                raise ConnectionError("the connection ended")
            if line[3:4] != b"-":
                return line

    def expect(self, first):
        got = self.answer()
        if not got.startswith(first):
            raise ValueError(got)
        return got

    def command(self, text, first=None):
        self.sock.sendall(text + b"\r\n")
        return self.expect(first) if first else self.answer()

    def send(self, letter):
        """Sets the letter's fate. True if the connection can go on."""
        letter.fate = "refused"
        try:
            letter.reply = self.command(b"MAIL FROM:<test@example.net>")
            if not letter.reply.startswith(b"2"):
                return self.reset(letter)
            for r in letter.rcpts:
                letter.reply = self.command(b"RCPT TO:<%s>" % r.encode())
                if not letter.reply.startswith(b"2"):
                    return self.reset(letter)
            letter.reply = self.command(b"DATA")
            if not letter.reply.startswith(b"3"):
                return self.reset(letter)
        except (OSError, ValueError):
            return False
        letter.fate = "doubt"
        try:
            dots = re.sub(rb"(?m)^\.", b"..", letter.content)
            self.sock.sendall(dots + b".\r\n")
            replies = [self.answer() for _ in
                       range(len(letter.rcpts) if self.lmtp else 1)]
        except (OSError, ValueError):
            return False
        letter.reply = replies[0]
        letter.fate = ("acked" if all(x.startswith(b"250") for x in replies)
                       else "refused")
        return not letter.reply.startswith(b"421")

    def reset(self, letter):
        if letter.reply.startswith(b"421"):
            return False
        try:
            return self.command(b"RSET").startswith(b"2")
        except (OSError, ValueError):
            return False

    def close(self):
        try:
            self.sock.sendall(b"QUIT\r\n")
        except OSError:
            pass
        self.file.close()
        self.sock.close()


class Sender(threading.Thread):
    """Sends until it is told to stop; nothing is ever sent again."""

    def __init__(self, post, port, lmtp=False, pause=0.02):
        super().__init__(daemon=True)
        self.post, self.port, self.lmtp, self.pause = post, port, lmtp, pause
        self.stop = threading.Event()
        self.answers = collections.Counter()

    def run(self):
        line = None
        while not self.stop.is_set():
            try:
                line = line or Line(self.port, self.lmtp)
            except (OSError, ValueError):
                self.stop.wait(0.05)
                continue
            letter = self.post.write()
            if not line.send(letter):
                line.close()
                line = None
            self.answers[letter.fate] += 1
            self.stop.wait(self.pause)
        if line:
            line.close()


def field(tag, text):
    data = text.encode()
    return b"%s%d:%s,\n" % (tag.encode(), len(data), data)


def drop_input(letter):
    head = field("S", "test@example.net")
    for r in letter.rcpts:
        head += field("r", r)
    pieces = [letter.content[i:i + 65536] for i in range(0, len(letter.content), 65536)]
    return head + b"\n" + b"".join(b"c%d:%s,\n" % (len(p), p) for p in pieces) + b"z0:,\n"


def drop(stage, letter, wrap=(), timeout=60):
    """Submits by the program drop; its exit status (negative: a signal)."""
    letter.fate = "doubt"
    p = subprocess.run([*wrap, stage.bin + "/drop", stage.conf],
                       input=drop_input(letter), capture_output=True,
                       timeout=timeout)
    letter.reply = p.stderr
    if p.returncode == 0:
        letter.fate = "acked"
    elif 64 <= p.returncode <= 78:
        letter.fate = "refused"
    return p.returncode


class Dropper(threading.Thread):
    def __init__(self, post, stage, pause=0.2):
        super().__init__(daemon=True)
        self.post, self.stage, self.pause = post, stage, pause
        self.stop = threading.Event()

    def run(self):
        while not self.stop.is_set():
            drop(self.stage, self.post.write())
            self.stop.wait(self.pause)


def plain(data):
    """A delivered file from the token on: (token, digest of the rest)."""
    at = data.find(MARK)
    if at == -1 or (at > 0 and data[at - 1:at] != b"\n"):
        return None, None
    end = data.find(b"\n", at)
    if end == -1:
        return None, None
    token = data[at + len(MARK):end].decode(errors="replace")
    return token, hashlib.sha256(data[at:]).hexdigest()


class Mailboxes:
    """What lies in the Maildirs, compared with what was sent."""

    def __init__(self, maildirs, letters):
        self.copies = collections.Counter()     # (token, user)
        self.torn, self.strange = [], []
        for user, path in maildirs.items():
            for sub in ("new", "cur"):
                self.look(user, os.path.join(path, sub), letters)

    def look(self, user, path, letters):
        try:
            names = os.listdir(path)
        except FileNotFoundError:
            return
        for n in names:
            with open(os.path.join(path, n), "rb") as f:
                data = f.read()
            token, digest = plain(data)
            letter = letters.get(token)
            if letter is None or user not in letter.users():
                self.strange.append((user, n, token, data[:200]))
            elif digest != letter.digest():
                self.torn.append((user, n, token, len(data)))
            else:
                self.copies[(token, user)] += 1

    def missing(self, letters):
        return [(x.token, u) for x in letters for u in sorted(x.users())
                if self.copies[(x.token, u)] == 0]

    def duplicates(self):
        return sum(n - 1 for n in self.copies.values() if n > 1)

    def arrived(self, letters):
        return [x.token for x in letters
                if any(self.copies[(x.token, u)] for u in x.users())]


def look(stage, post):
    return Mailboxes({u: stage.maildir(u) for u in USERS}, post.letters)


def until_seen(stage, post, letters, seconds):
    """The Mailboxes once all these are there (or the time is up)."""
    end = time.monotonic() + seconds
    while True:
        boxes = look(stage, post)
        if not boxes.missing(letters) or time.monotonic() > end:
            return boxes
        time.sleep(0.2)
