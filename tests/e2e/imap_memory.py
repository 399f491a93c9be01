"""Sessions, and the process of those who have not logged in, that get no more memory, at once or after some: each command ends with a
tagged reply, a BYE, or the end of the connection; what has been begun is never followed by other words as if they were part of it; what
was sent whole is right; nobody else notices, and nothing was stored that was not said. TAP on standard output."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import LONG, ROOT, Stage, Tap, children, until, want  # noqa: E402
from imap import Imap  # noqa: E402

# KiB that it still gets
ROOMS = (0, 8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 4096, 8192) if LONG else (0, 32, 128, 256, 384, 768, 8192)
LINE = b"x" * 70 + b"\r\n"


def letter(n, body):
    return b"Subject: m%d\r\nFrom: a@b.example\r\nMessage-ID: <m%d@x>\r\nReferences: <m%d@x>\r\n" % (n, n, n - 1) + body


def forest(n):
    """Many parts, so that its structure takes room."""
    return letter(n, b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + b"".join(
        b"--b\r\nContent-Type: text/plain; charset=iso-8859-1; name=\"%d-%s\"\r\n\r\npart %d\r\n" % (i, b"n" * 60, i)
        for i in range(900)) + b"--b--\r\n")


LETTERS = [letter(1, b"\r\n" + LINE * 20000), letter(2, b"X-Long: " + b"y" * 70 + b"\r\n" + b"X-More: z\r\n" * 9000 + b"\r\nshort\r\n"),
           forest(3)] + [letter(n, b"\r\nsmall %d\r\n" % n) for n in range(4, 40)]


def sessions(st):
    return children(st.pid(), "imapd-session")


def numbers(pid, word):
    """Those behind a word in what the kernel says of a process."""
    with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as f:
        return [int(n) for n in re.search(r"^%s:\s+(.*)" % word, f.read(), re.M).group(1).split() if n.isdigit()]


def runs(pid):
    """A zombie has no size."""
    try:
        return bool(numbers(pid, "VmSize"))
    except (OSError, AttributeError):
        return False


def limit(pid, octets):
    """As its own user, whom it has to allow it."""
    who = {"user": numbers(pid, "Uid")[0], "group": numbers(pid, "Gid")[0], "extra_groups": []} if ROOT else {}
    subprocess.run(["prlimit", "--pid", str(pid), "--as=%s:unlimited" % octets], check=True, timeout=60, stderr=subprocess.PIPE, **who)


def squeeze(pid, room):
    """Not more memory than it has and so many KiB."""
    limit(pid, (numbers(pid, "VmSize")[0] + room) << 10)


class Session(Imap):
    def __init__(self, st, room):
        known = sessions(st)
        super().__init__(st, "alice", timeout=60)
        self.begun = False
        self.ok(b"SELECT INBOX")
        self.pid = until("a process", lambda: sorted(sessions(st) - known), 10)[-1]
        squeeze(self.pid, room)

    def response(self):
        """As it came; one that is cut within a literal is the end."""
        try:
            return super().response()
        except OSError:
            return None

    def take(self, n):
        while len(self.buf) < n:
            more = self.sock.recv(1 << 20)
            if not more:
                self.begun = True
                raise ConnectionResetError("within a literal")
            self.buf += more
        data, self.buf = self.buf[:n], self.buf[n:]
        return data


KNOWN = re.compile(rb"OK |NO |BAD |BYE |\d+ (EXISTS|RECENT|EXPUNGE|FETCH \()|FLAGS |CAPABILITY |SEARCH|ESEARCH|SORT|THREAD|LIST |STATUS ")


def outcome(said, done):
    """ok, no, bye, or cut; every response is one."""
    for s in said:
        want("a response", s[:200], KNOWN.match(s))
    if done is not None:
        want("a reply", done, done.startswith((b"OK", b"NO", b"BAD")))
        return "ok" if done.startswith(b"OK") else "no"
    return "bye" if said and said[-1].startswith(b"BYE ") else "cut"


def whole(said):
    """A FETCH came to its end, and its BODY[] is the letter."""
    for s in said:
        m = re.match(rb"\d+ FETCH \((?:.*?)UID (\d+)", s, re.S)
        if not m:
            continue
        want("it ends", s[-80:], s.endswith(b")"))
        at = re.search(rb"BODY\[\] \{(\d+)\}\r\n", s)
        want("the letter", s[:80], not at or s[at.end():at.end() + int(at.group(1))] == LETTERS[int(m.group(1)) - 1])


COMMANDS = [b"UID FETCH 1:* (FLAGS BODY.PEEK[])", b"UID FETCH 1:* (BODYSTRUCTURE ENVELOPE)",
            b"UID FETCH 1:* (UID BODY.PEEK[HEADER] BODY.PEEK[HEADER.FIELDS (SUBJECT X-MORE)])",
            b"UID FETCH 3 (" + b" ".join(b"BODY.PEEK[%d]" % n for n in range(1, 400)) + b")", b"UID FETCH 1:* (BINARY.PEEK[1])",
            b"UID FETCH 1:* (PREVIEW RFC822.SIZE EMAILID)", b"UID SEARCH TEXT nowhere", b"UID SEARCH BODY " + b"x" * 71,
            b"UID SORT (SUBJECT) UTF-8 ALL", b"UID THREAD REFERENCES UTF-8 ALL",
            b"UID SEARCH " + b" ".join(b"NOT TEXT {900+}\r\n" + b"%03d" % n * 300 for n in range(30)),
            b"UID FETCH 1:* (BODY[HEADER.FIELDS ({60000+}\r\n" + b"h" * 60000 + b")])"]


def name_of(command):
    return command[:50].decode().split("{")[0].strip()


def squeezed(st, bystander, command):
    """One command in sessions that have less and less room."""
    ends = {}
    fresh = False
    for room in ROOMS:
        if fresh:   # each time made anew, or with what is kept
            for name in ("posthouse.cache", "posthouse.texts"):
                path = os.path.join(st.dir, "mail", "alice", "Maildir", name)
                if os.path.exists(path):
                    os.unlink(path)
        fresh = not fresh
        with Session(st, room) as c:
            said, done = c.command(command)
            how = outcome(said, done)
            ends.setdefault(how, []).append(room)
            whole(said)
            want("a word at the end, unless it is within a literal", said[-1:], how != "cut" or c.begun)
            if how == "no" and not any(s.startswith(b"BYE ") for s in said):    # and goes on, or ends with a word
                said, done = c.command(b"NOOP")
                want("the session goes on", (c.pid, said, done), outcome(said, done) != "cut")
    bystander.ok(b"NOOP")
    want("with enough room all is well", ends, ROOMS[-1] in ends.get("ok", []))
    print("# %s: %s" % (name_of(command), {k: len(v) for k, v in ends.items()}))
    SEEN.update(ends)


def stores(st, bystander):
    """APPEND, COPY and flags: what is said to be there is, once; what is refused is not."""
    bystander.ok(b"CREATE Other")
    for n, room in enumerate(ROOMS):
        name = b"kept%d" % n
        with Session(st, room) as c:
            said, done = c.command(b"APPEND Other {%d+}\r\n" % len(letter(n, LINE * 3000)) + letter(n, LINE * 3000).replace(
                b"Subject: m%d" % n, b"Subject: " + name)) if n % 2 else c.command(b"UID COPY 1:39 Other")
            how = outcome(said, done)
            SEEN.add(how)
        found = int(re.search(rb"MESSAGES (\d+)", bystander.ok(b"STATUS Other (MESSAGES)")[0][0]).group(1))
        bystander.ok(b"SELECT Other")
        if n % 2:
            hits = len(bystander.ok(b"UID SEARCH SUBJECT " + name)[0][0].split()) - 1
            want("%s: once or not" % how, hits, hits == 1 if how == "ok" else hits == 0 if how == "no" else hits <= 1)
        else:
            want("%s: all of them or none" % how, found, found in ((39,) if how == "ok" else (0,) if how == "no" else (0, 39)))
        if found:
            bystander.ok(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
            bystander.ok(b"EXPUNGE")
        bystander.ok(b"UNSELECT")


def for_all(pids, act, *args):
    """Those that have ended by themselves meanwhile are not meant."""
    done = 0
    for pid in pids:
        try:
            act(pid, *args)
            done += 1
        except (OSError, AttributeError, subprocess.CalledProcessError):
            if runs(pid):
                raise
    return done


def doors(st, bystander):
    """Who has not logged in has a process that gets no memory any more: it says so or ends, and others come in."""
    for room in (0, 16, 64, 256):
        crowd = [Imap(st, timeout=60) for _ in range(16)]
        pids = imapd(st)
        want("processes without memory", len(pids), for_all(pids, squeeze, room) >= 16)
        for n, c in enumerate(crowd):
            c.send(b"a%d LOGIN alice {4000+}\r\n" % n + b"p" * 4000 + b"\r\n" if n % 2 else b"a%d " % n + b"z" * 20000 + b"\r\n")
            c.send(b"z LOGOUT\r\n")
        for c in crowd:
            said = []
            while not said or (said[-1] is not None and not said[-1].startswith(b"z ")):
                said.append(c.line())
            want("words of the protocol, and one at the end", said, all(
                s is None or re.match(rb"(\* (OK|BYE|BAD|CAPABILITY) ?|a\d+ |z |\+ )", s) for s in said) and said[0] is not None)
            c.close()
        for_all(pids, limit, "unlimited")
        with Imap(st, "alice") as c:
            c.ok(b"NOOP")
    bystander.ok(b"NOOP")


def imapd(st):
    """The processes of those who have not logged in."""
    listener = next(int(line.split()[1]) for line in st.posthouse("status")[1].splitlines() if line.startswith("imap "))
    return sorted(children(listener))


def no_crash(st):
    bad = [l for l in st.log().splitlines() if re.search(r"session-died|signal|fatal", l)]
    want("no crash in the log", bad[:3], not bad)


SEEN = set()


def main():
    tap = Tap()
    with Stage("imap.user-connections 0\n") as st:
        bystander = Imap(st, "alice")
        for text in LETTERS:
            bystander.append(b"INBOX", text)
        for command in COMMANDS:
            tap.run("memory: " + name_of(command), squeezed, st, bystander, command)
        tap.run(stores.__doc__.split(":")[0], stores, st, bystander)
        tap.run("those who have not logged in", doors, st, bystander)
        tap.run("no session ended without a word", no_crash, st)
        tap.run("memory was wanting", lambda: want("refusals", SEEN, {"ok", "no", "bye"} <= SEEN))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
