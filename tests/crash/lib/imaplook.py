"""A server that was started after a power cut, and what was promised before it (imapmodel.py): all that is wrong."""
import collections
import re

from imapmodel import content
from imaptalk import Refused, Talk, code, fetched, quoted, subject
from imapwork import Mirror


class Look:
    """Of one user's mailboxes, at one cut."""

    def __init__(self, port, user, moment, rng, lax):
        self.lax = lax          # what the manual says of btrfs may be
        self.user, self.moment, self.rng = user, moment, rng
        self.wrong, self.count = [], collections.Counter()
        self.found = {}         # box: {token: [UIDs]}
        self.talk = Talk(port, user.name)

    def bad(self, *what):
        self.wrong.append((self.user.name,) + what)

    def all(self):
        names = self.names()
        boxes = self.boxes(names)
        self.before(boxes)
        self.talk.ok(b"ENABLE QRESYNC")
        for name, box in boxes.items():
            self.box(name, box)
        self.pairs()
        self.subscriptions()
        self.works(self.rng.choice([n for n in boxes if n in self.user.boxes]))
        self.talk.close()
        return self.wrong

    def names(self):
        said = self.talk.ok(b'LIST "" "*"')
        return {re.search(rb'"?([^" ]+)"?\Z', s).group(1).decode() for s in said[:-1] if b"\\NonExistent" not in s and b"\\Noselect" not in s}

    def boxes(self, names):
        """{name: box}: those that have to be there, and under which of their names."""
        out = {}
        for box in self.user.all:
            may = box.name.may_be(self.moment)
            here = [n for n in may if n in names]
            if len(here) > 1:
                self.bad("mailbox has two names", here)
            elif here:
                out[here[0]] = box
            elif None not in may:
                self.bad("mailbox is lost", may)
        for name in names - set(out):
            self.bad("mailbox is back", name)
        self.count["mailboxes"] += len(out)
        return out

    def before(self, boxes):
        """Something that is done before anybody has looked."""
        name = self.rng.choice(list(boxes))
        how = self.rng.randrange(4)
        if how == 0:
            self.talk.ok(b"STATUS %s (MESSAGES UIDNEXT UNSEEN HIGHESTMODSEQ)" % quoted(name))
        elif how == 1:
            self.add(name, boxes[name])

    def add(self, name, box):
        """One more, which gets a UID that nobody had."""
        text = content("extra")
        said = self.talk.ok(b"APPEND %s {%d+}\r\n%s" % (quoted(name), len(text), text))
        validity, uid = (int(x) for x in code(said, b"APPENDUID").split())
        highest = max([u[2] for u in box.uids if u[0] <= self.moment and u[1] == validity] + [0])
        if uid <= highest:
            self.bad("UID is given again", name, uid, highest)
        return uid

    def works(self, name):
        """It can be worked with."""
        uid = self.add(name, self.user.boxes[name])
        self.talk.select(name)
        self.talk.ok(b"UID STORE %d +FLAGS (\\Deleted more)" % uid)
        self.talk.ok(b"UID EXPUNGE %d" % uid)

    def box(self, name, box):
        said = self.talk.select(name)
        validity, next = int(code(said, b"UIDVALIDITY")), int(code(said, b"UIDNEXT"))
        known = box.validities(self.moment)
        if known and validity != known[-1] and validity <= max(known):
            self.bad("UIDVALIDITY goes back", name, validity, max(known))
        if known and validity != known[-1]:
            self.count["validities"] += 1
        for other in self.user.all:
            if other is not box and validity in other.validities(self.moment) and any(n == name for _, n in other.name.changes):
                self.bad("UIDVALIDITY is that of another mailbox", name, validity)
        said = self.talk.ok(b"UID FETCH 1:* (FLAGS EMAILID BODY.PEEK[])") if b"0 EXISTS" not in said else []
        there = {u: f for u, f in fetched(said).items() if f[2] is not None}
        tokens = {u: subject(f[2]) for u, f in there.items()}
        self.uids(name, box, validity, next, there, tokens)
        self.messages(name, box, validity, there, tokens)
        self.views(name, box, validity, there)
        self.notes(name, box, validity)

    def uids(self, name, box, validity, next, there, tokens):
        """What a UID was of, it is of."""
        for moment, v, uid, token, mail in box.uids:
            if moment > self.moment or v != validity:
                continue
            if uid in tokens and tokens[uid] != token:
                self.bad("UID is another message's", name, uid, token, tokens[uid])
            if uid in tokens and mail and there[uid][1] != mail:
                self.bad("EMAILID is another one", name, uid, mail, there[uid][1])
            if uid >= next:
                self.bad("UIDNEXT goes back", name, uid, next)

    def messages(self, name, box, validity, there, tokens):
        uids = collections.defaultdict(list)
        for uid, token in tokens.items():
            uids[token].append(uid)
            if self.lax and there[uid][2] == b"" and any(
                    o.what == "deliver" and o.at(self.moment) == "doubt" for o in self.user.ops):
                self.count["empty"] += 1
                uids.pop(token)
            elif token is None or not there[uid][2].endswith(content(token)):
                self.bad("message is torn", name, uid, token, there[uid][2][:80])
        must, may = collections.Counter(), collections.Counter()
        for c in box.copies:
            how = c.at(self.moment)
            must[c.token] += how == "yes"
            may[c.token] += how != "no"
            if how != "no":
                self.copy(name, c, how, validity, there, tokens)
        for token in set(must) | set(uids):
            n = len(uids[token])
            if self.lax and n > may[token] and any(c.token == token and c.at(self.moment) == "no" and c.end
                                                   for c in box.copies):
                self.count["back"] += 1
                continue
            if token != "extra" and not must[token] <= n <= may[token]:
                self.bad("message is lost" if n < must[token] else "message is back, or twice", name, token,
                         sorted(uids[token]), must[token], may[token], [c.story() for c in box.copies if c.token == token])
        self.count["messages"] += sum(must.values())
        self.found[box] = (uids, must)

    def copy(self, name, c, how, validity, there, tokens):
        if c.uid == 0 or c.validity != validity:
            return
        if tokens.get(c.uid) == c.token:
            self.count["flags"] += 1
            may = c.flags.may_be(self.moment, volatile=True)
            if there[c.uid][0] not in may:
                self.bad("flags", name, c.uid, c.token, sorted(there[c.uid][0]), [sorted(f) for f in may][-3:])
            if there[c.uid][0] != (c.flags.may_be(self.moment) or [None])[0]:
                self.count["flags back"] += 1
        elif how == "yes":
            self.bad("message has lost its UID", name, c.uid, c.token)

    def views(self, name, box, validity, there):
        """Who resynchronises has what is there, whenever that was the last time."""
        views = [v for v in box.views if v.moment <= self.moment]
        for v in views[-1:] + ([self.rng.choice(views)] if views else []):
            self.count["views"] += 1
            m = Mirror()
            m.validity, m.modseq, m.flags = v.validity, v.modseq, dict(v.flags)
            m.sync(self.talk, name)
            if m.validity != v.validity:
                continue
            if m.modseq < v.modseq or m.next < v.next:
                self.bad("HIGHESTMODSEQ or UIDNEXT goes back", name, v.modseq, m.modseq, v.next, m.next)
            if m.flags != {u: f[0] for u, f in there.items()}:
                wrong = [(u, sorted(m.flags.get(u, ("?",))), sorted(there[u][0]) if u in there else "gone")
                         for u in set(m.flags) | set(there)
                         if u not in there or m.flags.get(u) != there[u][0]]
                self.bad("QRESYNC is wrong", name, v.modseq, m.modseq, len(wrong), wrong[:3])

    def notes(self, name, box, validity):
        ids = [(v, i) for m, v, i in box.known if m <= self.moment]
        said = self.talk.ok(b"STATUS %s (MAILBOXID UIDVALIDITY)" % quoted(name))
        now = re.search(rb"MAILBOXID \(([^)]*)\)", said[0]).group(1)
        if ids and ids[-1][0] == validity and ids[-1][1] != now:
            self.bad("MAILBOXID is another one", name, ids[-1], now)
        if len(box.metadata.changes) > 1:
            said = self.talk.ok(b"GETMETADATA %s (/private/comment)" % quoted(name))
            m = re.search(rb'comment "?([^")]*)"?\)', b" ".join(said))
            value = None if m is None or m.group(1) == b"NIL" else m.group(1)
            if value not in box.metadata.may_be(self.moment):
                self.bad("metadata", name, value, box.metadata.may_be(self.moment))
        if len(box.rights.changes) > 1:
            said = self.talk.ok(b"GETACL %s" % quoted(name))
            m = re.search(rb" mallory ([a-z]+)", said[0])
            value = m.group(1) if m else None
            may = [v and frozenset(v) for v in box.rights.may_be(self.moment)]
            if (value and frozenset(value)) not in may:
                self.bad("rights", name, value, may)

    def pairs(self):
        """Of what was being moved, or replaced, there is the one or the other."""
        for op in self.user.ops:
            if op.at(self.moment) != "doubt":
                continue
            for old, new in op.pairs:
                self.count["moves"] += 1
                if old.at(self.moment) != "no" and not any(
                        self.more_than_must(c) for c in (old, new)):
                    self.bad("message is in neither", op.what, old.token, new.token)

    def more_than_must(self, c):
        uids, must = self.found.get(c.box, ({}, {}))
        return len(uids.get(c.token, ())) > must.get(c.token, 0)

    def subscriptions(self):
        said = self.talk.ok(b'LIST (SUBSCRIBED) "" "*"')
        names = {re.search(rb'"?([^" ]+)"?\Z', s).group(1).decode() for s in said[:-1]}
        for name, told in self.user.subscribed.items():
            if (name in names) not in told.may_be(self.moment):
                self.bad("subscription", name, name in names)


def look(port, user, moment, rng, lax):
    """(what is wrong, counts)."""
    try:
        one = Look(port, user, moment, rng, lax)
    except (Refused, OSError) as e:
        return [(user.name, "no login", repr(e))], {}
    try:
        return one.all(), one.count
    except (Refused, OSError) as e:
        return one.wrong + [(user.name, "refused", repr(e))], one.count
