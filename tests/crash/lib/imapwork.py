"""Clients that work in one user's mailboxes at the same time, and note it (imapmodel.py): each has messages and
mailboxes of its own, in mailboxes that are everybody's; one looks, by QRESYNC; and mail is delivered."""
import re
import subprocess
import threading

from imapmodel import FIRST, Box, Copy, Op, Told, View, content
from imaptalk import Refused, Talk, code, fetched, numbers, quoted, subject

FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", "$Forwarded", "$Junk", "work", "later", "x1", "x2")


class Actor(threading.Thread):
    """Does one() until it is told to stop."""

    def __init__(self, stage, disk, user, rng):
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.stage, self.disk, self.user, self.rng = stage, disk, user, rng
        self.odd = []

    def run(self):
        try:
            self.begin()
            while not self.stop.is_set():
                self.one()
            self.end()
        except Exception as e:
            self.odd.append(repr(e))

    def begin(self):
        self.talk = Talk(self.stage.base + 143, self.user.name)

    def end(self):
        self.talk.close()


class Worker(Actor):
    WAYS = ("append",) * 5 + ("copy",) * 3 + ("move",) * 4 + ("store",) * 4 + ("expunge",) * 3 + ("replace",) * 2 + (
        "create", "create", "delete", "rename", "subscribe", "metadata", "rights")

    def __init__(self, stage, disk, user, rng, number):
        super().__init__(stage, disk, user, rng)
        self.number, self.n = number, 0
        self.copies = []        # mine, that are there
        self.own = []           # mailboxes
        self.old_names = []

    def one(self):
        getattr(self, self.rng.choice(self.WAYS))()

    def op(self, what):
        o = Op(what, self.disk.now())
        self.user.ops.append(o)
        return o

    def do(self, op, command):
        said = self.talk.ok(command)
        op.kept = self.disk.now()
        return said

    def any_box(self):
        return self.rng.choice(list(self.user.boxes.values()) * 2 + self.own)

    def name(self, box):
        return quoted(box.name.last())

    def select(self, box):
        if self.talk.selected != box.name.last():
            self.talk.select(box.name.last())

    def some(self, n=4):
        """Of my messages in one mailbox, which is selected."""
        if not self.copies:
            return []
        box = self.rng.choice(self.copies).box
        here = [c for c in self.copies if c.box is box]
        self.select(box)
        return sorted(self.rng.sample(here, min(len(here), self.rng.randint(1, n))), key=lambda c: c.uid)

    def token(self):
        self.n += 1
        return "%s-%d-%d" % (self.user.name, self.number, self.n)

    def flags(self):
        return self.rng.sample(FLAGS, self.rng.choice((0, 1, 1, 2, 3)))

    def told(self, op, copies, validity, uids):
        if len(copies) != len(uids):
            raise Refused("%d UIDs for %d messages" % (len(uids), len(copies)))
        for c, uid in zip(copies, uids):
            c.validity, c.uid = validity, uid
            c.box.uids.append((op.kept, validity, uid, c.token, None))
        self.copies += copies

    def gone(self, copies):
        for c in copies:
            self.copies.remove(c)

    def message(self, op, box):
        flags = self.flags()
        c = Copy(op, box, self.token(), flags)
        text = content(c.token)
        return c, b" (%s) {%d+}\r\n%s" % (" ".join(flags).encode(), len(text), text)

    def append(self):
        box = self.any_box()
        op = self.op("append")
        made = [self.message(op, box) for _ in range(self.rng.choice((1, 1, 1, 2, 5)))]
        said = self.do(op, b"APPEND " + self.name(box) + b"".join(m[1] for m in made))
        validity, uids = code(said, b"APPENDUID").split()
        self.told(op, [m[0] for m in made], int(validity), numbers(uids))

    def uids(self, copies):
        return b",".join(b"%d" % c.uid for c in copies)

    def transfer(self, move):
        old = self.some()
        if not old:
            return
        to = self.any_box()
        op = self.op("move" if move else "copy")
        new = [Copy(op, to, c.token, c.flags.last()) for c in old]
        if move:
            for c, n in zip(old, new):
                c.end = op
                op.pairs.append((c, n))
        said = self.do(op, b"UID %s %s %s" % (b"MOVE" if move else b"COPY", self.uids(old), self.name(to)))
        validity, source, target = code(said, b"COPYUID").split()
        if numbers(source) != [c.uid for c in old]:
            raise Refused("COPYUID %r for %r" % (source, self.uids(old)))
        if move:
            self.gone(old)
        self.told(op, new, int(validity), numbers(target))

    def copy(self):
        self.transfer(False)

    def move(self):
        self.transfer(True)

    def store(self):
        copies = self.some()
        if not copies:
            return
        op = self.op("store")
        flags, how = frozenset(self.flags()), self.rng.choice(("+", "-", ""))
        for c in copies:
            last = c.flags.last()
            c.flags.set(op, last | flags if how == "+" else last - flags if how == "-" else flags)
        self.do(op, b"UID STORE %s %sFLAGS%s (%s)" % (
            self.uids(copies), how.encode(), self.rng.choice((b"", b".SILENT")), " ".join(flags).encode()))

    def expunge(self):
        copies = self.some()
        if not copies:
            return
        op = self.op("delete")
        for c in copies:
            c.flags.set(op, c.flags.last() | {"\\Deleted"})
        self.do(op, b"UID STORE %s +FLAGS (\\Deleted)" % self.uids(copies))
        how = self.rng.choice(("uid", "uid", "close", "expunge")) if copies[0].box in self.own else "uid"
        op = self.op("expunge")
        for c in copies:
            c.end = op
        self.do(op, {"uid": b"UID EXPUNGE " + self.uids(copies), "close": b"CLOSE", "expunge": b"EXPUNGE"}[how])
        if how == "close":
            self.talk.selected = None
        self.gone(copies)

    def replace(self):
        copies = self.some(1)
        if not copies:
            return
        box = self.any_box()
        op = self.op("replace")
        new, text = self.message(op, box)
        copies[0].end = op
        copies[0].flags.set(op, copies[0].flags.last() | {"\\Deleted"})   # on its way out
        op.pairs.append((copies[0], new))
        said = self.do(op, b"UID REPLACE %d %s%s" % (copies[0].uid, self.name(box), text))
        validity, uids = code(said, b"APPENDUID").split()
        self.gone(copies)
        self.told(op, [new], int(validity), numbers(uids))

    def new_name(self):
        if self.old_names and self.rng.random() < 0.4:
            return self.old_names.pop(self.rng.randrange(len(self.old_names)))
        self.n += 1
        above = [b.name.last() for b in self.own if b.name.last().count(".") < 2]
        below = self.rng.choice(above) + "." if above and self.rng.random() < 0.3 else ""
        return below + "box%d-%d" % (self.number, self.n)

    def is_taken(self, name):
        return any(b.name.last() == name for b in self.own)

    def create(self):
        name = self.new_name()
        if len(self.own) > 7 or self.is_taken(name):
            return
        op = self.op("create")
        box = Box(op, name)
        self.user.all.append(box)
        self.do(op, b"CREATE " + quoted(name))
        said = self.talk.ok(b"STATUS %s (UIDVALIDITY MAILBOXID)" % quoted(name))
        box.known.append((self.disk.now(), int(re.search(rb"UIDVALIDITY (\d+)", said[0]).group(1)),
                          re.search(rb"MAILBOXID \(([^)]*)\)", said[0]).group(1)))
        self.own.append(box)

    def leave(self):
        """Who deletes or renames a mailbox has another selected, or none."""
        self.talk.unselect()

    def delete(self):
        if not self.own:
            return
        box = self.rng.choice(self.own)
        self.leave()
        op, name = self.op("delete mailbox"), box.name.last()
        box.name.set(op, None)
        self.do(op, b"DELETE " + quoted(name))
        self.own.remove(box)
        self.old_names.append(name)
        self.copies = [c for c in self.copies if c.box is not box]

    def rename(self):
        if not self.own:
            return
        box, to = self.rng.choice(self.own), self.new_name()
        name = box.name.last()
        if self.is_taken(to) or (to + ".").startswith(name + ".") or any(
                self.is_taken(to + b.name.last()[len(name):]) for b in self.own
                if b.name.last().startswith(name + ".")):
            return
        self.leave()
        op = self.op("rename")
        for b in self.own:
            n = b.name.last()
            if n == name or n.startswith(name + "."):
                b.name.set(op, to + n[len(name):])
        self.do(op, b"RENAME %s %s" % (quoted(name), quoted(to)))

    def subscribe(self):
        name = "sub%d-%d" % (self.number, self.rng.randrange(8))
        op, on = self.op("subscribe"), self.rng.random() < 0.6
        self.user.subscribed.setdefault(name, Told(FIRST, False)).set(op, on)
        self.do(op, (b"SUBSCRIBE " if on else b"UNSUBSCRIBE ") + quoted(name))

    def metadata(self):
        if self.own:
            box = self.rng.choice(self.own)
            op, value = self.op("metadata"), b"%d" % self.rng.randrange(10 ** 9)
            box.metadata.set(op, value)
            self.do(op, b'SETMETADATA %s (/private/comment "%s")' % (self.name(box), value))

    def rights(self):
        if self.own:
            box = self.rng.choice(self.own)
            op, value = self.op("rights"), self.rng.choice((b"lr", b"lrs", b"lrsi"))
            box.rights.set(op, value)
            self.do(op, b"SETACL %s mallory %s" % (self.name(box), value))


class Mirror:
    """What a client has of a mailbox that resynchronises."""

    def __init__(self):
        self.validity = self.modseq = self.next = 0
        self.flags = {}

    def sync(self, talk, name):
        """SELECT by what is known; True: all of it begins anew."""
        more = b" (QRESYNC (%d %d))" % (self.validity, self.modseq) if self.validity else b" (CONDSTORE)"
        said = talk.select(name, more)
        validity = int(code(said, b"UIDVALIDITY"))
        self.next = int(code(said, b"UIDNEXT"))
        anew = validity != self.validity
        if anew:
            self.flags = {}
            said += talk.ok(b"UID FETCH 1:* (FLAGS)") if b"0 EXISTS" not in said else []
        for s in said:
            m = re.match(rb"VANISHED \(EARLIER\) (.*)", s)
            for uid in numbers(m.group(1)) if m else ():
                self.flags.pop(uid, None)
        self.flags.update({u: f[0] for u, f in fetched(said).items() if f[0] is not None})
        self.validity, self.modseq = validity, int(code(said, b"HIGHESTMODSEQ"))
        return anew


class Looker(Actor):
    """Resynchronises one mailbox after the other, and keeps what it had at each time."""

    def begin(self):
        super().begin()
        self.talk.ok(b"ENABLE QRESYNC")
        self.mirrors = {n: Mirror() for n in self.user.boxes}
        self.seen = {n: set() for n in self.user.boxes}

    def one(self):
        name = self.rng.choice(list(self.user.boxes))
        box, m = self.user.boxes[name], self.mirrors[name]
        if m.sync(self.talk, name):
            self.seen[name] = set()
        box.views.append(View(self.disk.now(), m.validity, m.modseq, m.next, dict(m.flags)))
        new = sorted(set(m.flags) - self.seen[name])
        if new:
            said = self.talk.ok(b"UID FETCH %s (EMAILID BODY.PEEK[HEADER.FIELDS (SUBJECT)])" % b",".join(
                b"%d" % u for u in new))
            now = self.disk.now()
            box.uids += [(now, m.validity, u, subject(f[2]), f[1]) for u, f in fetched(said).items() if f[2]]
            self.seen[name].update(new)
        said = self.talk.ok(b"STATUS %s (UIDVALIDITY MAILBOXID)" % quoted(name))
        box.known.append((self.disk.now(), int(re.search(rb"UIDVALIDITY (\d+)", said[0]).group(1)),
                          re.search(rb"MAILBOXID \(([^)]*)\)", said[0]).group(1)))
        self.stop.wait(self.rng.random() * 0.2)


class Deliverer(Actor):
    """deliver(1): what comes into new/."""

    def begin(self):
        self.n = 0

    def end(self):
        pass

    def one(self):
        self.n += 1
        op = Op("deliver", self.disk.now())
        self.user.ops.append(op)
        c = Copy(op, self.user.boxes["INBOX"], "%s-d-%d" % (self.user.name, self.n), ())
        subprocess.run([self.stage.bin + "/deliver", "-c", self.stage.conf, self.user.name],
                       input=content(c.token).replace(b"\r\n", b"\n"), check=True, stderr=subprocess.PIPE)
        op.kept = self.disk.now()
        self.stop.wait(self.rng.random() * 0.3)
