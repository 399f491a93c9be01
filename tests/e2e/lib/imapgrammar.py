"""What an IMAP server may say, by the letter: the formal syntax of RFC 9051, of RFC 3501 for sessions that have not enabled
IMAP4rev2, and of the extensions; and what it may say when. Nothing is forgiven: who says anything else is told where."""
import calendar
import re

from e2e import Wrong

ATOM = re.compile(rb'[!#$&\'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+')
ASTRING = re.compile(rb'[!#$&\'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+')
TAG = re.compile(rb'[!#$&\',\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+')
DIGITS = re.compile(rb"[0-9]+")
LITERAL = re.compile(rb"(~?)\{([0-9]+)\}\r\n")
QUOTED = re.compile(rb'"((?:[^"\\\r\n\0]|\\["\\])*)"')
BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")
OBJECT = re.compile(rb"[A-Za-z0-9_-]{1,255}")
DATE = re.compile(rb'"( [0-9]|[0-9][0-9])-(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-([0-9]{4}) '
                  rb'([0-9]{2}):([0-9]{2}):([0-9]{2}) [+-]([0-9]{2})([0-9]{2})"')
MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
SYSTEM = (b"\\ANSWERED", b"\\FLAGGED", b"\\DELETED", b"\\SEEN", b"\\DRAFT")
LIST_ONE = (b"\\NONEXISTENT", b"\\NOSELECT", b"\\MARKED", b"\\UNMARKED")
LIST_CHILD = (b"\\HASCHILDREN", b"\\HASNOCHILDREN")
LIST_MORE = (b"\\NOINFERIORS", b"\\SUBSCRIBED", b"\\REMOTE", b"\\ALL", b"\\ARCHIVE", b"\\DRAFTS", b"\\FLAGGED", b"\\JUNK",
             b"\\SENT", b"\\TRASH", b"\\IMPORTANT")
WHEN_SELECTED = (b"EXISTS", b"RECENT", b"EXPUNGE", b"FETCH", b"UIDFETCH", b"VANISHED", b"FLAGS")


class Bad(Wrong):
    pass


class Cursor:
    """One response without its last CRLF; what it expects and does not find is Bad."""

    def __init__(self, text, utf8=False):
        self.text, self.at, self.utf8 = text, 0, utf8

    def bad(self, what):
        raise Bad("%s expected at %d: %r<HERE>%r" % (what, self.at, self.text[max(0, self.at - 150):self.at],
                                                    self.text[self.at:self.at + 100]))

    def has(self, word):
        """Takes the word if it stands there."""
        if self.text[self.at:self.at + len(word)].upper() != word:
            return False
        self.at += len(word)
        return True

    def next(self, word):
        return self.text[self.at:self.at + len(word)].upper() == word

    def need(self, word):
        if not self.has(word):
            self.bad(repr(word))

    def match(self, pattern, what):
        m = pattern.match(self.text, self.at)
        if m is None:
            self.bad(what)
        self.at = m.end()
        return m

    def end(self):
        if self.at != len(self.text):
            self.bad("the end")

    def atom(self):
        return self.match(ATOM, "an atom").group()

    def number(self, least=0, most=(1 << 32) - 1):
        start = self.at
        digits = self.match(DIGITS, "a number").group()
        if not least <= int(digits) <= most or (digits[0:1] == b"0" and digits != b"0"):
            self.at = start
            self.bad("a number from %d to %d" % (least, most))
        return int(digits)

    def nz(self):
        return self.number(1)

    def number64(self, least=0):
        return self.number(least, (1 << 63) - 1)

    def quoted(self):
        start = self.at
        text = self.match(QUOTED, "a quoted string").group(1)
        if not text.isascii():
            try:
                text.decode("utf-8")
            except UnicodeDecodeError:
                self.at = start
                self.bad("UTF-8")
            if not self.utf8:
                self.at = start
                self.bad("ASCII in quotes")
        return re.sub(rb"\\(.)", rb"\1", text)

    def literal(self, binary=False):
        start = self.at
        m = self.match(LITERAL, "a literal")
        n = int(m.group(2))
        text = self.text[self.at:self.at + n]
        self.at += n
        if len(text) != n:
            self.bad("a literal's end")
        if (m.group(1) and not binary) or (not m.group(1) and b"\0" in text):
            self.at = start
            self.bad("a literal without NUL")
        return text

    def string(self, binary=False):
        return self.quoted() if self.next(b'"') else self.literal(binary)

    def is_nil(self):
        return self.next(b"NIL") and self.text[self.at + 3:self.at + 4] in (b"", b" ", b")", b"(")

    def nstring(self, binary=False):
        if self.is_nil():
            self.at += 3
            return None
        return self.string(binary)

    def astring(self):
        if self.next(b'"') or self.next(b"{"):
            return self.string()
        return self.match(ASTRING, "an astring").group()

    def many(self, one, least=1, blank=b" "):
        """In parentheses."""
        self.need(b"(")
        got = []
        while not self.has(b")"):
            if got:
                self.need(blank)
            got.append(one())
        if len(got) < least:
            self.bad("%d or more in parentheses" % least)
        return got

    def once(self, names, what):
        if len(set(names)) != len(names):
            self.bad("each %s once, not %r," % (what, names))
        return names

    def numbers(self):
        """A sequence-set without "*" and "$"; the numbers if they are few."""
        got = []
        while True:
            a = self.nz()
            b = self.nz() if self.has(b":") else a
            got.append((a, b))
            if not self.has(b","):
                return got

    def date_time(self):
        start = self.at
        m = self.match(DATE, "a date-time")
        day, year = int(m.group(1)), int(m.group(3))
        month = MONTHS.index(m.group(2)) + 1
        if not year or not 1 <= day <= calendar.monthrange(year, month)[1] or int(m.group(4)) > 23 or int(m.group(5)) > 59 or \
                int(m.group(6)) > 60 or int(m.group(8)) > 59:
            self.at = start
            self.bad("a date that there is")

    def flag(self, more=()):
        """flag, or one of those that are allowed in this place."""
        start = self.at
        if not self.has(b"\\"):
            return self.atom()
        name = b"\\" + (b"*" if self.has(b"*") else self.atom())
        if name.upper() not in SYSTEM + more:
            self.at = start
            self.bad("a flag")
        return name

    def flags(self, more=()):
        return self.once([f.upper() for f in self.many(lambda: self.flag(more), 0)], "flag")

    def text_to_end(self, rev2):
        text = self.text[self.at:]
        if not text or b"\r" in text or b"\n" in text or b"\0" in text:
            self.bad("text")
        if not text.isascii() and not rev2:
            self.bad("text in ASCII")
        text.decode("utf-8")
        self.at = len(self.text)
        return text

    def object_id(self):
        self.need(b"(")
        got = self.match(OBJECT, "an objectid").group()
        self.need(b")")
        return got


class Structure:
    """Envelopes and bodies."""

    def __init__(self, c):
        self.c = c

    def sp(self):
        self.c.need(b" ")

    def address(self):
        c = self.c
        c.need(b"(")
        got = [c.nstring()]
        for _ in range(3):
            self.sp()
            got.append(c.nstring())
        c.need(b")")
        return got

    def addresses(self):
        """Groups begin and end."""
        c = self.c
        if c.has(b"NIL"):
            return
        inside = False
        for _, _, mailbox, host in c.many(self.address, 1, b""):
            if mailbox is None and host is not None:
                c.bad("a mailbox for the host %r before this" % host)
            if host is None:
                if inside == (mailbox is not None):
                    c.bad("groups that begin and end before this")
                inside = mailbox is not None
        if inside:
            c.bad("a group's end before this")

    def envelope(self):
        c = self.c
        c.need(b"(")
        c.nstring()
        self.sp()
        c.nstring()
        for _ in range(6):
            self.sp()
            self.addresses()
        self.sp()
        c.nstring()
        self.sp()
        c.nstring()
        c.need(b")")

    def params(self):
        c = self.c
        if c.has(b"NIL"):
            return

        def pair():
            c.string()
            self.sp()
            c.string()
        c.many(pair)

    def disposition(self):
        c = self.c
        if c.has(b"NIL"):
            return
        c.need(b"(")
        c.string()
        self.sp()
        self.params()
        c.need(b")")

    def language(self):
        c = self.c
        if c.next(b"("):
            c.many(c.string)
        else:
            c.nstring()

    def extension(self, first, structure):
        """body-ext-1part and body-ext-mpart; whoever asks for BODYSTRUCTURE gets all four of ours."""
        if not structure:
            return
        for part in (first, self.disposition, self.language, self.c.nstring):
            self.sp()
            part()

    def body(self, structure):
        c = self.c
        c.need(b"(")
        if c.next(b"("):
            while c.next(b"("):
                self.body(structure)
            self.sp()
            c.string()
            self.extension(self.params, structure)
        else:
            start = c.at
            media = c.string().upper(), self.sp(), c.string().upper()
            quoted = c.text[start:c.at].startswith(b'"')
            if media[0] == b"MULTIPART":
                c.bad("no multipart without parts before this")
            self.sp()
            self.params()
            for part in (c.nstring, c.nstring, c.string, c.number):
                self.sp()
                part()
            if media[0] == b"TEXT" and quoted:
                self.sp()
                c.number64()
            elif media[0] == b"MESSAGE" and media[2] in (b"RFC822", b"GLOBAL") and c.next(b" ("):
                self.sp()
                self.envelope()
                self.sp()
                self.body(structure)
                self.sp()
                c.number64()
            elif (media[0], media[2]) == (b"MESSAGE", b"RFC822"):
                c.bad("an envelope")
            self.extension(c.nstring, structure)
        c.need(b")")


class Fetch:
    """msg-att; what was said, by its name, with the value where anybody wants to know it."""

    def __init__(self, c, rules):
        self.c, self.rules = c, rules
        self.structure = Structure(c)
        self.items = {}

    def section(self, name, texts=True):
        """The rest of "BODY[...]", in one spelling."""
        c = self.c
        label = name + b"["
        parts = False
        while not c.next(b"]"):
            if c.text[c.at:c.at + 1].isdigit():
                label += b"%d" % c.nz()
                parts = True
            else:
                if not texts:
                    c.bad("a part's number")
                words = (b"HEADER.FIELDS.NOT", b"HEADER.FIELDS", b"HEADER", b"TEXT") + ((b"MIME",) if parts else ())
                word = next((w for w in words if c.has(w)), None)
                if word is None:
                    c.bad("a section's text")
                label += word
                if word.startswith(b"HEADER.FIELDS"):
                    c.need(b" ")
                    label += b" (" + b" ".join(n.upper() for n in c.many(c.astring)) + b")"
                break
            if not c.has(b"."):
                break
            label += b"."
            if c.next(b"]"):
                c.bad("more of a section")
        c.need(b"]")
        return label + b"]"

    def origin(self, label):
        c = self.c
        if not c.has(b"<"):
            return label
        label += b"<%d>" % c.number64()
        c.need(b">")
        return label

    def item(self):
        c = self.c
        bracket = ((b"BODY[", True), (b"BINARY.SIZE[", False), (b"BINARY[", False))
        for word, texts in bracket:
            if c.has(word):
                label = self.section(word[:-1], texts)
                if word != b"BINARY.SIZE[":
                    label = self.origin(label)
                c.need(b" ")
                if word == b"BINARY.SIZE[":
                    c.number()
                else:
                    self.items[label] = c.nstring(word == b"BINARY[")
                self.items.setdefault(label, None)
                return label if b"<" not in label else None
        name = c.match(re.compile(rb"[A-Z0-9.]+", re.I), "an item of FETCH").group().upper()
        c.need(b" ")
        if name not in self.NAMES:
            c.bad("a known item, not %r," % name)
        self.items[name] = self.NAMES[name](self)
        return name

    def modseq(self):
        if not self.rules.condstore:
            self.c.bad("no MODSEQ for who has not asked for it")
        return self.c.many(lambda: self.c.number64(1))[0]

    def thread_id(self):
        return None if self.c.has(b"NIL") else self.c.object_id()

    def saved(self):
        if not self.c.has(b"NIL"):
            self.c.date_time()

    def preview(self):
        text = self.c.nstring()
        if text is not None and len(text.decode("utf-8")) > 200:
            self.c.bad("200 characters of PREVIEW before this")

    NAMES = {
        b"FLAGS": lambda f: f.c.flags((b"\\RECENT",) if not f.rules.rev2 else ()),
        b"UID": lambda f: f.c.nz(),
        b"INTERNALDATE": lambda f: f.c.date_time(),
        b"RFC822.SIZE": lambda f: f.c.number64() if f.rules.rev2 else f.c.number(),
        b"ENVELOPE": lambda f: f.structure.envelope(),
        b"BODY": lambda f: f.structure.body(False),
        b"BODYSTRUCTURE": lambda f: f.structure.body(True),
        b"RFC822": lambda f: f.c.nstring(),
        b"RFC822.HEADER": lambda f: f.c.nstring(),
        b"RFC822.TEXT": lambda f: f.c.nstring(),
        b"MODSEQ": modseq,
        b"EMAILID": lambda f: f.c.object_id(),
        b"THREADID": thread_id,
        b"SAVEDATE": saved,
        b"PREVIEW": preview,
    }

    def run(self):
        self.c.once([n for n in self.c.many(self.item) if n], "item")
        return self.items


class Rules:
    """What this session has enabled."""

    def __init__(self):
        self.rev2 = self.utf8 = self.condstore = self.qresync = self.uidonly = False

    def enable(self, name):
        name = name.upper()
        self.rev2 |= name == b"IMAP4REV2"
        self.utf8 |= name in (b"IMAP4REV2", b"UTF8=ACCEPT")
        self.condstore |= name in (b"CONDSTORE", b"QRESYNC")
        self.qresync |= name == b"QRESYNC"
        self.uidonly |= name == b"UIDONLY"


def plain(_):
    return None


def after_sp(one):
    def run(c):
        c.need(b" ")
        return one(c)
    return run


def capabilities(c):
    names = []
    while c.has(b" "):
        names.append(c.atom().upper())
    c.once(names, "capability")
    if b"IMAP4REV1" not in names or b"IMAP4REV2" not in names:
        c.bad("IMAP4rev1 and IMAP4rev2 before this")
    return names


def charsets(c):
    if c.has(b" "):
        c.many(lambda: c.quoted() if c.next(b'"') else c.atom())


def uids_of(c):
    c.need(b" ")
    c.nz()
    c.need(b" ")
    return c.numbers()


def uids_twice(c):
    a = uids_of(c)
    c.need(b" ")
    b = c.numbers()
    size = [sum(abs(x - y) + 1 for x, y in s) for s in (a, b)]
    if size[0] != size[1]:
        c.bad("as many UIDs on both sides before this")


def metadata_code(c):
    c.need(b" ")
    if c.has(b"LONGENTRIES ") or c.has(b"MAXSIZE "):
        c.number()
    elif not c.has(b"TOOMANY") and not c.has(b"NOPRIVATE"):
        c.bad("LONGENTRIES, MAXSIZE, TOOMANY or NOPRIVATE")


def in_progress(c):
    """RFC 9585 4"""
    if not c.has(b" "):
        return
    c.need(b"(")
    if not c.has(b"NIL"):
        c.quoted()
    c.need(b" ")
    done = None if c.has(b"NIL") else c.number()
    c.need(b" ")
    goal = None if c.has(b"NIL") else c.nz()
    if goal is not None and (done is None or done >= goal):
        c.bad("a number below the goal before this")
    c.need(b")")


def message_limit(c):
    c.need(b" ")
    c.nz()
    if c.has(b" "):
        c.nz()


def url(c):
    c.need(b" ")
    c.match(re.compile(rb"[\x01-\x09\x0b\x0c\x0e-\x5c\x5e-\x7f]+"), "text without ]")


SELECTS = (b"SELECT", b"EXAMINE")
SAVES = (b"APPEND", b"REPLACE", b"COPY", b"MOVE")
SEARCHES = (b"SEARCH", b"SORT", b"THREAD", b"ESEARCH")
# Codes: what follows the name, where they may stand ("*OK" is untagged), and for which commands.
CODES = {
    b"ALERT": (plain, "OK NO BAD *OK *NO *BAD *BYE", None),
    b"BADCHARSET": (charsets, "NO", SEARCHES),
    b"CAPABILITY": (capabilities, "OK *OK", (b"LOGIN", b"AUTHENTICATE", b"UNAUTHENTICATE", b"")),
    b"PARSE": (plain, "OK NO *OK *NO", (b"FETCH", b"SEARCH", b"SORT", b"THREAD")),
    b"PERMANENTFLAGS": (after_sp(lambda c: c.flags((b"\\*",))), "*OK", None),
    b"READ-ONLY": (plain, "OK *OK", SELECTS),
    b"READ-WRITE": (plain, "OK *OK", SELECTS),
    b"TRYCREATE": (plain, "NO", SAVES),
    b"UIDNEXT": (after_sp(Cursor.nz), "*OK", SELECTS),
    b"UIDVALIDITY": (after_sp(Cursor.nz), "*OK", SELECTS),
    b"UNSEEN": (after_sp(Cursor.nz), "*OK", SELECTS),
    b"APPENDUID": (uids_of, "OK *OK", (b"APPEND", b"REPLACE")),
    b"COPYUID": (uids_twice, "OK *OK", (b"COPY", b"MOVE")),
    b"UIDNOTSTICKY": (plain, "*NO", SELECTS),
    b"HIGHESTMODSEQ": (after_sp(lambda c: c.number64(1)), "OK *OK", None),
    b"NOMODSEQ": (plain, "*OK", SELECTS),
    b"MODIFIED": (after_sp(Cursor.numbers), "OK NO", (b"STORE",)),
    b"CLOSED": (plain, "*OK OK", None),
    b"MAILBOXID": (after_sp(Cursor.object_id), "OK *OK", SELECTS + (b"CREATE",)),
    b"METADATA": (metadata_code, "OK NO", (b"GETMETADATA", b"SETMETADATA")),
    b"BADURL": (url, "NO", (b"APPEND", b"REPLACE")),
    b"TOOBIG": (plain, "NO BAD *BYE", None),
    b"UNKNOWN-CTE": (plain, "NO", (b"FETCH",) + SAVES),
    b"BADEVENT": (after_sp(lambda c: c.many(c.atom)), "NO", (b"NOTIFY",)),
    b"NOTIFICATIONOVERFLOW": (plain, "*OK", None),
    b"NOUPDATE": (after_sp(Cursor.quoted), "*NO", (b"SEARCH", b"SORT")),
    b"NOTSAVED": (plain, "NO", SEARCHES),
    b"USEATTR": (plain, "NO", (b"CREATE",)),
    b"COMPRESSIONACTIVE": (plain, "NO", (b"COMPRESS",)),
    b"INPROGRESS": (in_progress, "*OK", None),
    b"UIDREQUIRED": (plain, "BAD", None),
    b"MESSAGELIMIT": (message_limit, "OK NO", None),
    b"TOOFEW": (plain, "NO", (b"UIDBATCHES",)),
    b"TOOMANY": (plain, "NO", (b"UIDBATCHES",)),
}
for _name in (b"UNAVAILABLE AUTHENTICATIONFAILED AUTHORIZATIONFAILED EXPIRED PRIVACYREQUIRED CONTACTADMIN NOPERM INUSE "
              b"EXPUNGEISSUED CORRUPTION SERVERBUG CLIENTBUG CANNOT LIMIT OVERQUOTA ALREADYEXISTS NONEXISTENT "
              b"HASCHILDREN").split():
    CODES[_name] = (plain, "OK NO BAD *OK *NO *BAD *BYE", None)


class Grammar:
    """Responses of one session, in order. Whoever sends a command says so by begins()."""

    def __init__(self):
        self.rules = Rules()
        self.commands = []          # (tag, name, UID?) under way, the oldest first
        self.selected = self.read_only = False
        self.exists = 0
        self.flags = set()
        self.fetched = []           # of the command under way: (number, items)
        self.said = set()           # names of responses and codes of the command under way
        self.heard = False          # asked to be told at any time (NOTIFY)
        self.results = set()
        self.uidvalidity = self.modseq = 1

    def begins(self, tag, name, uid=False, plain_search=False):
        self.commands.append((tag, name, uid, plain_search))

    @property
    def under_way(self):
        return self.commands[0][1] if self.commands else b""

    def code(self, c, where):
        """resp-text behind "OK " and the like; the code's name, or None."""
        name = None
        if c.has(b"["):
            name = c.match(re.compile(rb"[A-Za-z0-9-]+"), "a code").group().upper()
            if name not in CODES:
                c.bad("a known code, not %r," % name)
            parse, places, commands = CODES[name]
            value = parse(c)
            c.need(b"] ")
            if where not in places.split():
                c.bad("%r not in %s" % (name, where))
            if commands is not None and self.under_way not in commands:
                c.bad("%r not with %r" % (name, self.under_way))
            self.note(c, name, value)
        elif c.next(b"]"):
            c.bad("text")
        c.text_to_end(self.rules.rev2)
        return name

    def note(self, c, name, value):
        self.said.add(name)
        if name == b"UIDVALIDITY":
            self.uidvalidity = value
        elif name == b"HIGHESTMODSEQ":
            self.modseq = value
            if self.under_way not in SELECTS and not self.rules.condstore:
                c.bad("no HIGHESTMODSEQ for who has not asked for it")
        elif name == b"PERMANENTFLAGS" and not set(value) - {b"\\*"} <= self.flags:
            c.bad("permanent flags that are among FLAGS %r" % self.flags)
        elif name == b"CLOSED":
            self.leave()

    def leave(self):
        self.selected = self.read_only = False
        self.exists = 0

    def take(self, text):
        """(name, what is worth knowing); for a tagged one the name is OK, NO or BAD, and the second its command."""
        c = Cursor(text, self.rules.utf8)
        if c.has(b"+ "):
            if not BASE64.match(text, 2):
                c.text_to_end(self.rules.rev2) if not c.next(b"[") else self.code(c, "*OK")
            return b"+", None
        if not c.has(b"* "):
            return self.tagged(c)
        if text[2:3].isdigit():
            return self.numbered(c)
        name = c.atom().upper()
        if name in (b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"):
            c.need(b" ")
            return name, self.code(c, "*" + name.decode())
        if name not in self.UNTAGGED:
            c.bad("a known response, not %r," % name)
        self.when(c, name)
        self.said.add(name)
        value = self.UNTAGGED[name](self, c)
        c.end()
        return name, value

    def when(self, c, name):
        """Is this the time for it?"""
        if name in WHEN_SELECTED and not self.selected and self.under_way not in SELECTS:
            c.bad("a mailbox that is selected")
        if name in (b"SEARCH", b"SORT", b"THREAD") and (self.under_way != name):
            c.bad("a command %r, not %r" % (name, self.under_way))

    def tagged(self, c):
        tag = c.match(TAG, "a tag").group()
        c.need(b" ")
        if not self.commands or self.commands[0][0] != tag:
            c.bad("a tag of %r" % self.commands)
        how = next((w for w in (b"OK", b"NO", b"BAD") if c.has(w + b" ")), None)
        if how is None:
            c.bad("OK, NO or BAD")
        code = self.code(c, how.decode())
        name = self.under_way
        if how == b"OK" and name in SELECTS:
            self.opened(c, code)
        elif how != b"BAD" and name in SELECTS or (how == b"OK" and name in (b"CLOSE", b"UNSELECT")):
            self.leave()
        command = self.commands.pop(0)
        self.said = set()
        fetched, self.fetched = self.fetched, []
        return how, (command, code, fetched)

    def opened(self, c, code):
        """RFC 9051 6.3.2, RFC 3501 6.3.1"""
        want = {b"FLAGS", b"EXISTS", b"UIDVALIDITY", b"UIDNEXT", b"PERMANENTFLAGS"}
        want |= {b"MAILBOXID", b"LIST" if self.rules.rev2 else b"RECENT"}
        if not want <= self.said or not self.said & {b"HIGHESTMODSEQ", b"NOMODSEQ"}:
            c.bad("%r before this" % sorted(want - self.said))
        if code not in (b"READ-ONLY", b"READ-WRITE") or (self.under_way == b"EXAMINE" and code != b"READ-ONLY"):
            c.bad("READ-ONLY or READ-WRITE")
        self.selected = True
        self.read_only = code == b"READ-ONLY"

    def numbered(self, c):
        n = c.number()
        c.need(b" ")
        name = c.atom().upper()
        self.when(c, name)
        if name == b"EXISTS":
            if n < self.exists and self.under_way not in SELECTS:
                c.bad("no less than %d" % self.exists)
            self.exists = n
        elif name == b"RECENT":
            if self.rules.rev2:
                c.bad("no RECENT in IMAP4rev2")
            if n > self.exists:
                c.bad("up to %d" % self.exists)
        elif name == b"EXPUNGE":
            self.may_expunge(c)
            if not 1 <= n <= self.exists or self.rules.qresync or self.rules.uidonly:
                c.bad("a number up to %d, and no QRESYNC" % self.exists)
            self.exists -= 1
        elif name in (b"FETCH", b"UIDFETCH"):
            self.fetch(c, n, name == b"UIDFETCH")
        else:
            c.bad("EXISTS, EXPUNGE or FETCH")
        c.end()
        self.said.add(name)
        return name, n

    def may_expunge(self, c):
        """RFC 9051 7.5.1"""
        if self.heard:      # whoever hears of it at any time has to do without numbers (RFC 5465 5.2)
            return
        if self.commands and self.commands[0][1] in (b"FETCH", b"STORE", b"SEARCH", b"SORT", b"THREAD") and \
                not self.commands[0][2]:
            c.bad("no number goes during %r" % self.under_way)
        if not self.commands:
            c.bad("no number goes when no command is under way")

    def fetch(self, c, n, uid):
        if uid != self.rules.uidonly or not n or (not uid and n > self.exists):
            c.bad("a message up to %d" % self.exists)
        c.need(b" ")
        items = Fetch(c, self.rules).run()
        if b"FLAGS" in items and not set(items[b"FLAGS"]) - {b"\\RECENT"} <= self.flags:
            c.bad("flags of %r" % self.flags)
        if self.commands and self.commands[0][2] and not uid and b"UID" not in items and not self.heard:
            c.bad("UID in the answer to a command with UID")
        if uid and b"UID" in items and items[b"UID"] != n:
            c.bad("the same UID twice")
        self.fetched.append((n, items))

    def u_flags(self, c):
        c.need(b" ")
        self.flags = set(c.flags())

    def u_list(self, c):
        c.need(b" ")
        flags = c.once([f.upper() for f in c.many(lambda: b"\\" + (c.need(b"\\"), c.atom())[1], 0)], "attribute")
        if not set(flags) <= set(LIST_ONE + LIST_CHILD + LIST_MORE) or len(set(flags) & set(LIST_ONE)) > 1 or \
                len(set(flags) & set(LIST_CHILD)) > 1:
            c.bad("attributes that go together, not %r," % flags)
        c.need(b" ")
        if not c.has(b"NIL") and len(c.quoted()) != 1:
            c.bad("one separator")
        c.need(b" ")
        name = c.astring()
        if c.has(b" "):
            c.once(c.many(lambda: self.extended(c), 0), "item")
        return name

    def extended(self, c):
        tag = c.astring().upper()
        c.need(b" ")
        if tag == b"OLDNAME":
            c.many(c.astring)
        elif tag == b"CHILDINFO":
            if not set(x.upper() for x in c.many(c.quoted)) <= {b"SUBSCRIBED", b"SPECIAL-USE"}:
                c.bad("options of selection before this")
        else:
            c.bad("OLDNAME or CHILDINFO, not %r," % tag)
        return tag

    def u_status(self, c):
        items = {
            b"MESSAGES": Cursor.number, b"UIDNEXT": Cursor.nz, b"UIDVALIDITY": Cursor.nz, b"UNSEEN": Cursor.number,
            b"RECENT": Cursor.number, b"DELETED": Cursor.number, b"DELETED-STORAGE": Cursor.number64, b"SIZE": Cursor.number64,
            b"HIGHESTMODSEQ": Cursor.number64, b"MAILBOXID": Cursor.object_id, b"APPENDLIMIT": Cursor.number,
        }

        def item():
            name = c.atom().upper()
            if name not in items:
                c.bad("a known item, not %r," % name)
            c.need(b" ")
            items[name](c)
            return name
        c.need(b" ")
        name = c.astring()
        c.need(b" ")
        return name, c.once(c.many(item, 0), "item")

    def u_numbers(self, c):
        """SEARCH, SORT"""
        got = []
        while c.has(b" "):
            if c.next(b"("):
                if not got:
                    c.bad("a number")
                c.need(b"(MODSEQ ")
                c.number64(1)
                c.need(b")")
                break
            got.append(c.nz())
        if self.rules.rev2 and c.text[2:8].upper() == b"SEARCH":
            c.bad("ESEARCH in IMAP4rev2")
        if not self.commands[0][3]:
            c.bad("ESEARCH for RETURN")
        return c.once(got, "number") if len(got) < 5000 else got

    def u_esearch(self, c):
        def correlator():
            name = c.atom().upper()
            c.need(b" ")
            if name == b"TAG":
                tags.append(c.astring())
            elif name == b"MAILBOX":
                c.astring()
            elif name == b"UIDVALIDITY":
                c.nz()
            else:
                c.bad("TAG, MAILBOX or UIDVALIDITY")
            return name
        names, tags = [], []
        if c.next(b" ("):
            c.need(b" ")
            c.once(c.many(correlator), "correlator")
        uid = c.next(b" UID") and c.text[c.at + 4:c.at + 5] in (b"", b" ") and c.has(b" UID")
        while c.has(b" "):
            names.append(c.atom().upper())
            c.need(b" ")
            if names[-1] in (b"MIN", b"MAX"):
                c.nz()
            elif names[-1] == b"COUNT":
                c.number()
            elif names[-1] == b"MODSEQ":
                c.number64(1)
            elif names[-1] == b"ALL":
                c.numbers()
            elif names[-1] == b"PARTIAL":
                self.partial(c)
            elif names[-1] in (b"ADDTO", b"REMOVEFROM"):
                self.context(c)
            else:
                c.bad("a known item, not %r," % names[-1])
        c.once([n for n in names if n not in (b"ADDTO", b"REMOVEFROM")], "item")
        if not {b"ADDTO", b"REMOVEFROM"} & set(names):
            self.answers(c, tags, uid)

    def answers(self, c, tags, uid):
        """The command under way, by its tag and with its kind of numbers (RFC 9051 7.3.4, RFC 7377 2.1)."""
        tag, name, by_uid, _ = self.commands[0] if self.commands else (None, b"", False, False)
        if tags != [tag] or name not in (b"SEARCH", b"SORT", b"ESEARCH") or uid != (by_uid or name == b"ESEARCH"):
            c.bad("tag and kind of %r, not %r, before this" % (self.commands, tags))

    def partial(self, c):
        c.need(b"(")
        last = c.has(b"-")
        c.nz()
        c.need(b":-" if last else b":")
        c.nz()
        c.need(b" ")
        if not c.has(b"NIL"):
            c.numbers()
        c.need(b")")

    def context(self, c):
        c.need(b"(")
        while True:
            c.number()
            c.need(b" ")
            c.numbers()
            if not c.has(b" "):
                break
        c.need(b")")

    def u_thread(self, c):
        def one(depth):
            c.need(b"(")
            if c.next(b"("):
                n = nested(depth)
                if n < 2:
                    c.bad("two or more threads in one")
            else:
                seen.append(c.nz())
                while c.has(b" "):
                    if c.next(b"("):
                        if nested(depth) < 2:
                            c.bad("two or more threads below one")
                        break
                    seen.append(c.nz())
            c.need(b")")

        def nested(depth):
            n = 0
            while c.next(b"("):
                one(depth + 1)
                n += 1
            return n
        seen = []
        if c.has(b" ") and not nested(0):
            c.bad("a thread")
        c.once(seen, "message")

    def u_vanished(self, c):
        earlier = c.has(b" (EARLIER)")
        c.need(b" ")
        got = c.numbers()
        if not (self.rules.qresync or self.rules.uidonly):
            c.bad("QRESYNC")
        if earlier:
            if self.under_way not in SELECTS + (b"FETCH",):
                c.bad("EARLIER only with SELECT and FETCH")
        else:
            self.may_expunge(c)
            self.exists -= sum(abs(b - a) + 1 for a, b in got)
            if self.exists < 0:
                c.bad("no more than there were")
        return got

    def u_capability(self, c):
        return capabilities(c)

    def u_enabled(self, c):
        names = []
        while c.has(b" "):
            names.append(c.atom().upper())
        for n in c.once(names, "capability"):
            self.rules.enable(n)
        return names

    def u_id(self, c):
        def pair():
            name = c.string()
            c.need(b" ")
            value = c.nstring()
            if len(name) > 30 or len(value or b"") > 1024:
                c.bad("30 octets of a name and 1024 of a value before this")
            return name.upper()
        c.need(b" ")
        if not c.has(b"NIL"):
            if len(c.once(c.many(pair, 0), "field")) > 30:
                c.bad("30 fields before this")

    def u_namespace(self, c):
        def one():
            c.need(b"(")
            c.string()
            c.need(b" ")
            if not c.has(b"NIL") and len(c.quoted()) != 1:
                c.bad("one separator")
            while c.has(b" "):
                c.string()
                c.need(b" ")
                c.many(c.string)
            c.need(b")")
        for _ in range(3):
            c.need(b" ")
            if not c.has(b"NIL"):
                c.many(one, 1, b"")

    def u_quota(self, c):
        def resource():
            name = c.atom().upper()
            for _ in range(2):
                c.need(b" ")
                c.number64()
            return name
        c.need(b" ")
        c.astring()
        c.need(b" ")
        c.once(c.many(resource, 0), "resource")

    def u_quotaroot(self, c):
        c.need(b" ")
        c.astring()
        while c.has(b" "):
            c.astring()

    def u_acl(self, c):
        c.need(b" ")
        c.astring()
        while c.has(b" "):
            c.astring()
            c.need(b" ")
            self.rights(c)

    def rights(self, c):
        text = c.astring()
        if not re.fullmatch(rb"[0-9a-z]*", text):
            c.bad("rights before this")
        return c.once(list(text), "right")

    def u_listrights(self, c):
        c.need(b" ")
        c.astring()
        c.need(b" ")
        c.astring()
        all_of_them = []
        c.need(b" ")
        all_of_them += self.rights(c)
        while c.has(b" "):
            all_of_them += self.rights(c)
        c.once(all_of_them, "right")

    def u_myrights(self, c):
        c.need(b" ")
        c.astring()
        c.need(b" ")
        self.rights(c)

    def u_metadata(self, c):
        def entry():
            name = c.astring()
            if not name.startswith(b"/") or name.endswith(b"/") or b"//" in name or re.search(rb"[*%\x00-\x1f\x7f-\xff]", name):
                c.bad("the name of an entry before this")
            return name

        def value():
            name = entry()
            c.need(b" ")
            c.nstring(True)
            return name
        c.need(b" ")
        c.astring()
        c.need(b" ")
        if c.next(b"("):
            c.once(c.many(value), "entry")
        else:
            entry()
            while c.has(b" "):
                entry()

    def u_uidbatches(self, c):
        c.need(b" (TAG ")
        c.astring()
        c.need(b")")
        if c.has(b" "):
            c.numbers()

    UNTAGGED = {
        b"FLAGS": u_flags, b"LIST": u_list, b"LSUB": u_list, b"STATUS": u_status, b"SEARCH": u_numbers, b"SORT": u_numbers,
        b"ESEARCH": u_esearch, b"THREAD": u_thread, b"VANISHED": u_vanished, b"CAPABILITY": u_capability,
        b"ENABLED": u_enabled, b"ID": u_id, b"NAMESPACE": u_namespace, b"QUOTA": u_quota, b"QUOTAROOT": u_quotaroot,
        b"ACL": u_acl, b"LISTRIGHTS": u_listrights, b"MYRIGHTS": u_myrights, b"METADATA": u_metadata,
        b"UIDBATCHES": u_uidbatches,
    }
