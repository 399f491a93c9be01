"""What clients of IMAP were told, and at which moment of the disk (disk.py): an operation begins with the command,
and is kept at its OK. Of any moment it can be said what must be so then, and what may be."""
import hashlib

BEFORE = -1     # all that was there before


class Op:
    def __init__(self, what, begun, kept=None):
        self.what, self.begun, self.kept = what, begun, kept
        self.pairs = []         # copies that go, and what comes for each

    def story(self):
        return self.what, self.begun, self.kept

    def at(self, moment):
        if self.begun >= moment:
            return "no"
        return "yes" if self.kept is not None and self.kept <= moment else "doubt"


class Told:
    """Something that changes: the last value that was acknowledged counts, or what was asked for since."""

    def __init__(self, op, value):
        self.changes = [(op, value)]

    def set(self, op, value):
        self.changes.append((op, value))

    def last(self):
        return self.changes[-1][1]

    def may_be(self, moment, volatile=False):
        """volatile: all that it ever was, for changes are not flushed."""
        out = []
        for op, value in self.changes:
            how = op.at(moment)
            if how == "yes" and not volatile:
                out = [value]
            elif how != "no":
                out.append(value)
        return out


FIRST = Op("before", BEFORE - 1, BEFORE)


class Box:
    """A mailbox, whatever it is called. Its name is None as long as it is not there."""

    def __init__(self, op, name):
        self.name = Told(FIRST, None)
        self.name.set(op, name)
        self.copies = []
        self.known = []         # (moment, validity, mailbox's identifier or None)
        self.uids = []          # (moment, validity, UID, token, e-mail's identifier or None)
        self.views = []         # of a client that resynchronises, View
        self.metadata = Told(FIRST, None)
        self.rights = Told(FIRST, None)

    def validities(self, moment):
        """In the order in which they were told."""
        return [v for m, v in sorted([k[:2] for k in self.known] + [u[:2] for u in self.uids]) if m <= moment]


class View:
    def __init__(self, moment, validity, modseq, next, flags):
        self.moment, self.validity, self.modseq, self.next = moment, validity, modseq, next
        self.flags = flags      # {UID: flags}


class Copy:
    """One message in one mailbox."""

    def __init__(self, op, box, token, flags):
        self.box, self.token, self.born, self.end = box, token, op, None
        self.uid = self.validity = 0
        self.flags = Told(op, frozenset(flags))
        box.copies.append(self)

    def at(self, moment):
        born, end = self.born.at(moment), self.end.at(moment) if self.end else "no"
        if born == "no" or end == "yes":
            return "no"
        return "yes" if born == "yes" and end == "no" else "doubt"

    def story(self):
        """For whoever has to find out."""
        return (self.uid, self.born.story(), [o.story() + tuple(sorted(f)) for o, f in self.flags.changes[1:]],
                self.end and self.end.story())


class User:
    def __init__(self, name, boxes):
        self.name = name
        self.boxes = {n: Box(FIRST, n) for n in boxes}  # those that always are there
        self.all = list(self.boxes.values())
        self.subscribed = {}    # name: Told
        self.ops = []


def content(token):
    """Tokens that differ have contents that differ, from some bytes to some blocks."""
    seed = hashlib.sha256(token.encode()).hexdigest()
    size = (3, 20, 120, 900)[int(seed[0], 16) % 4]
    return ("Subject: %s\r\nFrom: a@example.test\r\n\r\n%send of %s\r\n" % (
        token, "".join("%s %d\r\n" % (seed, i) for i in range(size)), token)).encode()
