"""kill -9 of sessions, fronts, auth and the master while mbsync and offlineimap, which nobody here wrote, synchronise
a Maildir of theirs with a mailbox, and both sides change in between. When it is over, and they have synchronised
once more, both sides are the same: what was put in is there, once, with its flags, and what was removed is not.
PH_SEED repeats a run, PH_ROUNDS sets the seconds. TAP on standard output."""
import collections
import glob
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from imaptalk import Refused, Talk, code, fetched, subject  # noqa: E402
from stage import Stage, wait_for  # noqa: E402
from tap import Tap, is_long, seed  # noqa: E402

GONE = (Refused, OSError, EOFError)
LETTERS = {"F": "\\Flagged", "R": "\\Answered", "S": "\\Seen"}
MBSYNC = """IMAPAccount a
Host 127.0.0.1
Port %(port)d
User %(user)s
Pass secret
SSLType None
AuthMechs LOGIN
Timeout 20

IMAPStore far
Account a

MaildirStore near
Path %(dir)s/near/
Inbox %(dir)s/near/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Sync All
Create Both
Expunge Both
SyncState *
"""
OFFLINEIMAP = """[general]
accounts = a
ui = quiet
socktimeout = 20
metadata = %(dir)s/meta
[Account a]
localrepository = l
remoterepository = r
[Repository l]
type = Maildir
localfolders = %(dir)s/near
[Repository r]
type = IMAP
remotehost = 127.0.0.1
remoteport = %(port)d
remoteuser = %(user)s
remotepass = secret
ssl = no
starttls = no
auth_mechanisms = LOGIN
"""
TOOLS = {"mbsync": (MBSYNC, ("mbsync", "-c", "%s", "c")), "offlineimap": (OFFLINEIMAP, ("offlineimap", "-c", "%s", "-o"))}


def text(name):
    return ("From: a@example.test\nSubject: %s\nMessage-ID: <%s@client.test>\nDate: Tue, 24 Nov 2026 06:55:00 +0100\n\n%s" % (
        name, name, (name + "\n") * 20)).encode()


class Letter:
    """there, gone, and what of it nobody knows: the answer did not come."""

    def __init__(self, doubt=False):
        self.gone, self.doubt = False, doubt
        self.flags, self.maybe = set(), set()


class Pair(threading.Thread):
    """A mailbox, a Maildir, and a tool that makes them the same."""

    def __init__(self, stage, user, tool, rng, until):
        super().__init__(daemon=True)
        self.stage, self.user, self.tool, self.rng, self.until = stage, user, tool, rng, until
        self.dir = tempfile.mkdtemp(prefix="posthouse-crash-client.")
        os.mkdir(self.dir + "/near")
        self.letters, self.n = {}, 0
        self.doubled = set()    # names of what was there twice at some time
        self.runs = collections.Counter()
        self.clean = False      # it knows what belongs together: what is removed then it does not take for new
        self.said, self.odd = b"", []
        conf, args = TOOLS[tool]
        with open(self.dir + "/rc", "w") as f:
            f.write(conf % {"port": stage.base + 143, "user": user, "dir": self.dir})
        os.chmod(self.dir + "/rc", 0o600)
        self.args = [a.replace("%s", self.dir + "/rc") for a in args]

    def sync(self):
        """Did it end well? One that does not end is stopped: offlineimap was seen to wait for ever after a kill."""
        try:
            out = subprocess.run(self.args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 timeout=40, env=dict(os.environ, HOME=self.dir))
        except subprocess.TimeoutExpired as e:
            self.runs["hung"] += 1
            self.clean, self.said = False, e.stdout or b""
            return False
        self.runs["ended" if out.returncode == 0 else "broke off"] += 1
        self.said = out.stdout
        self.clean = out.returncode == 0
        return self.clean

    def run(self):
        try:
            # on a slow machine until there was enough to be judged
            while time.monotonic() < self.until or self.runs.total() < 5:
                self.change_near()
                self.change_far()
                self.sync()
        except Exception as e:
            self.odd.append(repr(e))

    def new_name(self):
        self.n += 1
        return "%s-%d" % (self.user, self.n)

    def paths(self):
        """{name: [paths]}"""
        out = collections.defaultdict(list)
        for path in glob.glob(self.dir + "/near/INBOX/cur/*") + glob.glob(self.dir + "/near/INBOX/new/*"):
            with open(path, "rb") as f:
                out[subject(f.read())].append(path)
        self.doubled.update(n for n, p in out.items() if len(p) > 1)
        return out

    def settled(self, name):
        w = self.letters.get(name)
        return w is not None and not w.doubt and not w.gone and name not in self.doubled

    def change_near(self):
        box = self.dir + "/near/INBOX"
        if not os.path.isdir(box + "/new"):
            return
        for _ in range(self.rng.randint(1, 6)):
            name = self.new_name()
            with open("%s/tmp/%s" % (box, name), "wb") as f:
                f.write(text(name))
            os.rename("%s/tmp/%s" % (box, name), "%s/new/1700000000.%s.client" % (box, name))
            self.letters[name] = Letter()
        here = [(n, p[0]) for n, p in self.paths().items() if len(p) == 1 and self.settled(n) and "/cur/" in p[0]]
        for name, path in self.rng.sample(here, min(len(here), 3)):
            if self.clean and len(here) > 12 and self.rng.random() < 0.6:
                os.unlink(path)
                self.letters[name].gone = True
            else:
                base, _, flags = path.partition(":2,")
                os.rename(path, base + ":2," + "".join(sorted(set(flags) | {"F"})))
                self.letters[name].flags.add("F")

    def change_far(self):
        try:
            talk = Talk(self.stage.base + 143, self.user, timeout=20)
            self.append_far(talk)
            self.store_far(talk)
            talk.close()
        except GONE:
            self.runs["far broke off"] += 1

    def append_far(self, talk):
        for _ in range(self.rng.randint(1, 4)):
            name = self.new_name()
            self.letters[name] = Letter(doubt=True)
            data = text(name).replace(b"\n", b"\r\n")
            talk.ok(b"APPEND INBOX {%d+}\r\n%s" % (len(data), data))
            self.letters[name].doubt = False

    def far(self, talk):
        """{UID: (name, flags)}"""
        said = talk.select("INBOX")
        if code(said, b"UIDNEXT") is None or b"0 EXISTS" in said:
            return {}
        said = talk.ok(b"UID FETCH 1:* (FLAGS BODY.PEEK[])")
        out = {u: (subject(f[2]), f[0]) for u, f in fetched(said).items() if f[2] is not None}
        count = collections.Counter(n for n, _ in out.values())
        self.doubled.update(n for n, c in count.items() if c > 1)
        return out

    def store_far(self, talk):
        there = self.far(talk)
        mine = [(u, n) for u, (n, _) in there.items() if self.settled(n)]
        for uid, name in self.rng.sample(mine, min(len(mine), 3)):
            w = self.letters[name]
            if self.clean and len(mine) > 12 and self.rng.random() < 0.6:
                w.doubt = True
                talk.ok(b"UID STORE %d +FLAGS (\\Deleted)" % uid)
                talk.ok(b"UID EXPUNGE %d" % uid)
                w.doubt, w.gone = False, True
            else:
                w.maybe.add("R")
                talk.ok(b"UID STORE %d +FLAGS (\\Answered)" % uid)
                w.flags.add("R")

    def judge(self, tap):
        """When nobody is killed any more."""
        good = wait_for(self.sync, 180, 0.5) and self.sync()
        tap.ok(good, "%s: synchronises in the end" % self.tool, self.said[-800:])
        talk = Talk(self.stage.base + 143, self.user)
        far = list(self.far(talk).values())
        talk.close()
        near = [(n, {LETTERS[c] for c in p.partition(":2,")[2] if c in LETTERS}) for n, ps in self.paths().items() for p in ps]
        count = collections.Counter(n for n, _ in far)

        def shown(rows):
            return sorted((n, tuple(sorted(f & set(LETTERS.values())))) for n, f in rows)
        tap.diag("%s: %s; %d letters, %d there" % (self.tool, dict(self.runs), len(self.letters), len(far)))
        tap.ok(not self.odd and self.runs.total() > 3 and len(far) > 5, "%s: was at work" % self.tool, self.odd)
        tap.ok(shown(near) == shown(far), "%s: both sides are the same" % self.tool,
               (sorted(set(map(str, shown(near))) ^ set(map(str, shown(far))))[:10]))
        lost = [n for n, w in self.letters.items() if not w.gone and not w.doubt and not count[n]]
        tap.ok(not lost, "%s: nothing is lost" % self.tool, lost[:10])
        back = [n for n, w in self.letters.items() if w.gone and count[n]]
        tap.ok(not back, "%s: nothing is back" % self.tool, back[:10])
        self.judge_twice(tap, count)
        flags = dict(far)
        wrong = [(n, w.flags, flags[n]) for n, w in self.letters.items()
                 if n in flags and n not in self.doubled and not {LETTERS[c] for c in w.flags} <= flags[n]]
        tap.ok(not wrong, "%s: flags are what they were made" % self.tool, wrong[:10])

    def judge_twice(self, tap, count):
        """offlineimap sends again what it has no answer to, and does not look whether it is there."""
        twice = [n for n, c in count.items() if c > 1]
        allowed = 0 if self.tool == "mbsync" else self.runs["broke off"] + self.runs["hung"]
        tap.ok(len(twice) <= allowed and max(count.values(), default=0) <= 2, "%s: nothing is there twice%s" % (
            self.tool, "" if allowed == 0 else ", or what was sent again"), (allowed, twice[:10]))
        if twice:
            tap.diag("%s: sent again: %d" % (self.tool, len(twice)))


def one_of(stage, rng, kind):
    if kind == "session":       # they come and go
        pids = [p for p, _ in wait_for(lambda: stage.processes("imapd-session"), 1, 0.003)]
    elif kind == "worker":      # of the front, where TLS and logins are
        pids = [p for p, _ in stage.processes("imapd")]
    else:
        pids = [stage.status().get(kind, (0,))[0]]
    pids = [p for p in pids if p > 1]
    return rng.choice(pids) if pids else 0


def kill_some(stage, rng, until):
    """Sessions most of the time; what others need rarely, and once at least."""
    kills, kinds, slow = collections.Counter(), ["session"] * 4 + ["worker", "session", "auth", "session", "master"], []
    todo = list(kinds)
    while time.monotonic() < until or not kills["master"]:
        # now and then they come to their end
        time.sleep(rng.uniform(0.05, 0.3) if rng.random() < 0.9 else 2)
        kind = todo.pop(0)
        if not todo:
            todo = kinds + ["session"] * rng.randint(5, 20)
            rng.shuffle(todo)
        pid = stage.master_pid() if kind == "master" else one_of(stage, rng, kind)
        if not pid:
            continue
        kills[kind] += 1
        if kind == "master":
            stage.start_master(kill=pid)
        else:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if kind != "session" and not wait_for(stage.all_running, 75, 0.1):
            slow.append((kind, stage.status()))
    return kills, slow


def main():
    tap = Tap()
    tools = [t for t in TOOLS if shutil.which(t)]
    if not tools:
        tap.skip("clients that are killed", "no mbsync and no offlineimap")
        return tap.end()
    rng = seed(tap)
    seconds = int(os.environ.get("PH_ROUNDS") or (120 if is_long() else 5))
    stage = Stage("imap.user-connections 0\n")
    pairs = []
    try:
        stage.up()
        until = time.monotonic() + seconds
        pairs = [Pair(stage, user, tool, random.Random(rng.randrange(1 << 32)), until)
                 for user, tool in zip(("alice", "bob"), tools)]
        for p in pairs:
            p.start()
        kills, slow = kill_some(stage, rng, until)
        for p in pairs:
            p.join(300)
        tap.diag("kills: %s" % dict(kills))
        tap.ok(kills["session"] and kills["master"] and not slow, "all were killed, and came back", slow)
        for p in pairs:
            p.judge(tap)
        left = stage.down()
        tap.ok(not left, "no process is left", left)
    finally:
        if tap.failed:
            sys.stderr.write(re.sub(r"(?m)^.*(connect|login).*\n", "", stage.log())[-3000:])
        stage.down()
        stage.remove()
        for p in pairs:
            shutil.rmtree(p.dir, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
