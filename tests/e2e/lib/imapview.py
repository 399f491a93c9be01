"""What one client of a mailbox must believe, from what it was told; what all of them
must agree on; and that the server broke no rule on the way. Anything wrong is raised."""
import re
import threading

from e2e import Wrong

TOKEN = re.compile(rb'\s*(?:([()])|"((?:[^"\\]|\\.)*)"|~?\{(\d+)\}\r\n|((?:[^\s()\[\]"]|\[[^\]]*\])+))')
# no EXPUNGE while sequence numbers are in the air (RFC 9051 7.5.1)
QUIET = (b"FETCH", b"STORE", b"SEARCH", b"SORT", b"THREAD")


def tree(data):
    """The parts of a response; lists are lists, atoms and strings bytes."""
    stack, at = [[]], 0
    while at < len(data):
        m = TOKEN.match(data, at)
        if m is None:
            break
        at = m.end()
        if m.group(1) == b"(":
            stack.append([])
        elif m.group(1):
            done = stack.pop()
            stack[-1].append(done)
        elif m.group(3):
            stack[-1].append(data[at:at + int(m.group(3))])
            at += int(m.group(3))
        else:
            stack[-1].append(m.group(4) if m.group(2) is None else re.sub(rb"\\(.)", rb"\1", m.group(2)))
    return stack[0]


def numbers(text):
    """1,3:5 as a list, in the order that it is told."""
    out = []
    for part in text.split(b","):
        a, _, b = part.partition(b":")
        a, b = int(a), int(b or a)
        out += range(a, b + 1) if a <= b else range(a, b - 1, -1)
    return out


def ranges(ns):
    return b",".join(b"%d" % n for n in ns)


def text_of(name):
    """Each message is told by its name, whole."""
    filler = "".join("%s line %d\r\n" % (name, n) for n in range(int(name.split("-")[-1]) % 40))
    return ("From: %s <%s@stress.test>\r\nSubject: %s\r\nMessage-ID: <%s@stress.test>\r\n\r\n%s" % (
        name, name, name, name, filler)).encode()


class Folder:
    """What is true of a folder for everybody."""

    def __init__(self, name):
        self.name = name
        self.lock = threading.RLock()
        self.validity = None
        self.constant = {}      # (UID, item): what does not change
        self.live = set()       # acknowledged
        self.doomed = set()     # somebody has set out to remove it
        self.gone = set()       # somebody was told so
        self.returned = 0       # how many of a COPY that went wrong may have been seen here
        self.owned = {}         # (UID, keyword): [set?, how often changed]; an odd count is a change under way

    def same(self, uid, item, value):
        with self.lock:
            known = self.constant.setdefault((uid, item), value)
        if known != value:
            raise Wrong("UID %d of %s: %s was %r, is %r" % (uid, self.name, item, known[:300], value[:300]))

    def doubtful(self, uids):
        return not self.doomed.isdisjoint(uids)


class View:
    """One client's selected folder: the messages in order, and their flags."""

    def __init__(self, folder, qresync):
        self.folder = folder
        self.qresync = qresync
        self.uids = []          # None: not told yet
        self.flags = {}
        self.modseq = {}
        self.keywords = set()
        self.begun = set()      # what was gone before SELECT
        self.highest = 0
        self.earlier = []

    def exists(self, n):
        if n < len(self.uids):
            raise Wrong("EXISTS %d of %d" % (n, len(self.uids)))
        self.uids += [None] * (n - len(self.uids))

    def drop(self, at):
        uid = self.uids.pop(at)
        if uid is None:
            return
        self.flags.pop(uid, None)
        self.modseq.pop(uid, None)
        with self.folder.lock:
            self.folder.gone.add(uid)

    def expunge(self, n, command):
        if self.qresync or command in QUIET or not 1 <= n <= len(self.uids):
            raise Wrong("EXPUNGE %d of %d in %r" % (n, len(self.uids), command))
        self.drop(n - 1)

    def vanished(self, text, command):
        if text.startswith(b"(EARLIER) "):
            self.earlier += numbers(text[10:])
            return
        if not self.qresync or command in QUIET:
            raise Wrong("VANISHED %r in %r" % (text, command))
        for uid in numbers(text):
            if uid in self.uids:
                self.drop(self.uids.index(uid))
            else:
                self.drop_unknown(uid)

    def drop_unknown(self, uid):
        """One of those whose UIDs have not been told: between a lower and a higher one."""
        below = 0
        for at, known in enumerate(self.uids):
            if known is None:
                above = next((u for u in self.uids[at:] if u is not None), uid + 1)
                if below < uid < above:
                    del self.uids[at]
                    return
            else:
                below = known
        raise Wrong("VANISHED %d of %r" % (uid, self.uids))

    def learn(self, n, uid):
        if not 1 <= n <= len(self.uids) or self.uids[n - 1] not in (None, uid):
            raise Wrong("FETCH %d of %d is UID %d, was %r" % (n, len(self.uids), uid, self.uids[n - 1:n]))
        if self.uids[n - 1] is None:
            if uid in self.begun:
                raise Wrong("UID %d was gone before SELECT" % uid)
            below = [u for u in self.uids[:n - 1] if u is not None]
            above = [u for u in self.uids[n:] if u is not None]
            if (below and below[-1] >= uid) or (above and above[0] <= uid):
                raise Wrong("UID %d between %r and %r" % (uid, below[-1:], above[:1]))
            self.uids[n - 1] = uid

    def fetch(self, n, items, command):
        """One FETCH response; ends with what it says."""
        said = {items[i].upper(): items[i + 1] for i in range(0, len(items), 2)}
        if b"UID" in said:
            self.learn(n, int(said[b"UID"]))
        if not 1 <= n <= len(self.uids):
            raise Wrong("FETCH %d of %d" % (n, len(self.uids)))
        uid = self.uids[n - 1]
        if b"FLAGS" in said:
            flags = set(said[b"FLAGS"]) - {b"\\Recent"}
            if self.qresync and b"MODSEQ" not in said and not command.endswith(b"FETCH"):
                raise Wrong("FETCH %d FLAGS without MODSEQ" % n)
            if not {f for f in flags if not f.startswith(b"\\")} <= self.keywords:
                raise Wrong("keywords %r not in FLAGS %r" % (flags, self.keywords))
            if uid is not None:
                self.flags[uid] = flags
        if b"MODSEQ" in said and uid is not None:
            modseq = int(said[b"MODSEQ"][0])
            if modseq < self.modseq.get(uid, 1):
                raise Wrong("MODSEQ %d of UID %d after %d" % (modseq, uid, self.modseq[uid]))
            self.modseq[uid] = modseq
        if uid is not None:
            self.unchanging(uid, said)
        return said

    def unchanging(self, uid, said):
        for item in (b"RFC822.SIZE", b"INTERNALDATE", b"ENVELOPE", b"BODY[]", b"BODY[TEXT]", b"BODYSTRUCTURE",
                     b"BODY[HEADER.FIELDS (SUBJECT)]", b"EMAILID", b"SAVEDATE"):
            if item in said:
                value = said[item] if isinstance(said[item], bytes) else repr(said[item]).encode()
                self.folder.same(uid, item, value)
        name = None
        if b"ENVELOPE" in said:
            name = said[b"ENVELOPE"][1].decode()
            self.folder.same(uid, b"name", name)
        if b"BODY[]" in said:
            m = re.search(rb"^Subject: (\S+)\r$", said[b"BODY[]"], re.M)
            if m is None or said[b"BODY[]"] != text_of(m.group(1).decode()):
                raise Wrong("UID %d is %r" % (uid, said[b"BODY[]"][:300]))
            self.folder.same(uid, b"name", m.group(1).decode())
            self.folder.same(uid, b"RFC822.SIZE", b"%d" % len(said[b"BODY[]"]))

    def take(self, response, command):
        """An untagged response; ends with (sequence number, what FETCH says), or None."""
        m = re.match(rb"(\d+) (EXISTS|EXPUNGE|RECENT|FETCH)\b ?", response)
        if m is None:
            if response.startswith(b"VANISHED "):
                self.vanished(response[9:], command)
            elif response.startswith(b"FLAGS "):
                self.keywords |= set(tree(response)[1])
            elif response.startswith(b"BYE"):
                raise Wrong(response)
            return None
        n = int(m.group(1))
        if m.group(2) == b"EXISTS":
            self.exists(n)
        elif m.group(2) == b"EXPUNGE":
            self.expunge(n, command)
        elif m.group(2) == b"FETCH":
            return n, self.fetch(n, tree(response[m.end():])[0], command)
        return None
