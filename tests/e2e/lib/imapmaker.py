"""Commands of IMAP as the grammars of RFC 9051, RFC 3501 and the extensions allow them, at random, in odd but right
spellings; and such as no grammar allows."""
import base64
import re

LITERAL = re.compile(rb"\{([0-9]+)(\+?)\}\r\n")
ATOM = re.compile(rb'[!#$&\'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~]+\Z')
ASTRING = re.compile(rb'[!#$&\'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~]+\Z')
TAG = b"!#$&',-./0123456789:;<=>?@ABCXYZ[]^_`abcxyz|}~"
FLAGS = (b"\\Seen", b"\\Answered", b"\\Flagged", b"\\Draft", b"\\Deleted", b"$Forwarded", b"$MDNSent", b"$Junk", b"Odd",
         b"a[b", b"x}y", b"!#&'+,-./:;<=>?@^_`|~")
SINGLE = (b"FLAGS", b"UID", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE", b"BODY", b"BODYSTRUCTURE", b"RFC822",
          b"RFC822.HEADER", b"RFC822.TEXT", b"MODSEQ", b"EMAILID", b"THREADID", b"SAVEDATE", b"PREVIEW")
MACROS = {b"FAST": SINGLE[:1] + SINGLE[2:4], b"ALL": SINGLE[:1] + SINGLE[2:5], b"FULL": SINGLE[:1] + SINGLE[2:6]}
STATUS = (b"MESSAGES", b"UIDNEXT", b"UIDVALIDITY", b"UNSEEN", b"RECENT", b"DELETED", b"DELETED-STORAGE", b"SIZE",
          b"HIGHESTMODSEQ", b"MAILBOXID", b"APPENDLIMIT")
PLAIN_KEYS = (b"ALL ANSWERED DELETED DRAFT FLAGGED NEW OLD RECENT SEEN UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNSEEN "
              b"SAVEDATESUPPORTED").split()
TEXT_KEYS = b"BCC BODY CC FROM SUBJECT TEXT TO".split()
DATE_KEYS = b"BEFORE ON SINCE SENTBEFORE SENTON SENTSINCE SAVEDBEFORE SAVEDON SAVEDSINCE".split()
SORTS = b"ARRIVAL CC DATE FROM SIZE SUBJECT TO DISPLAYFROM DISPLAYTO".split()
FIELDS = (b"Subject", b"from", b"DATE", b"To", b"X-Odd", b"Message-ID", b"content-type", b"x]y", b"a\\b", b'q"q', b"Received")
ENTRIES = (b"/private/comment", b"/shared/comment", b"/private/vendor/x/y", b"/PRIVATE/Filters/values/one", b"/shared/admin",
           b"/private/a]b", b'/private/q"q')
WORDS = (b"a", b"hello", b"Re: x", b"", b'"', b"\\", b"(x)", b"100%", b"NIL", b"nil", b"*", b"a]b", b"{5}",
         b"ALL", b"1:*", b"x" * 80)
EVENTS = (b"MessageNew MessageExpunge", b"MessageExpunge MessageNew FlagChange", b"MailboxName", b"SubscriptionChange",
          b"MailboxMetadataChange ServerMetadataChange", b"MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange")


def pieces(line):
    """What may be sent at once: the next piece waits for a "+"."""
    start = at = 0
    while True:
        m = LITERAL.search(line, at)
        if m is None:
            yield line[start:]
            return
        if not m.group(2):
            yield line[start:m.end()]
            start = m.end()
        at = m.end() + int(m.group(1))


class Maker:
    def __init__(self, rng, grammar, boxes):
        self.rng, self.grammar, self.boxes = rng, grammar, boxes
        self.contexts = []      # tags that hear of UPDATE
        self.messages = [b"Subject: x\r\n\r\nbody\r\n"]
        self.wanted = None      # names of FETCH items that the answer has to have

    # words
    def some(self, many, most=4, least=1):
        return [self.rng.choice(many) for _ in range(self.rng.randint(least, most))]

    def flip(self, p=0.5):
        return self.rng.random() < p

    def word(self, w):
        """Of the grammar: in any case."""
        how = self.rng.random()
        return w if how < 0.6 else w.lower() if how < 0.8 else bytes(
            ord(chr(b).upper()) if self.flip() else ord(chr(b).lower()) for b in w)

    def tag(self):
        return bytes(self.rng.choice(TAG) for _ in range(self.rng.choice((1, 3, 3, 9)))) + b"%d" % self.rng.randrange(1 << 30)

    def literal(self, text, binary=False):
        return b"%s{%d%s}\r\n%s" % (b"~" if binary else b"", len(text), b"+" if self.flip() else b"", text)

    def quoted(self, text):
        return b'"' + re.sub(rb'(["\\])', rb"\\\1", text) + b'"'

    def string(self, text):
        fits = not re.search(rb"[\r\n\0]", text) and (text.isascii() or self.grammar.rules.utf8)
        return self.quoted(text) if fits and self.flip(0.7) else self.literal(text)

    def astring(self, text):
        return text if ASTRING.match(text) and self.flip(0.6) else self.string(text)

    def nstring(self, text):
        return self.word(b"NIL") if text is None else self.string(text)

    def box(self):
        return self.astring(self.name())

    def name(self):
        name = self.rng.choice(self.boxes)
        return self.word(name) if name == b"INBOX" else name

    def new_name(self):
        name = self.rng.choice((b"New%d", b"Parent.New%d", b"Odd ]%d", b"q\"%d", b"b\\%d", b"par(%d)", b"&AOQ-%d", b"nil%d",
                                b"x{3}%d"))
        return name % self.rng.randrange(12)

    def number(self, least=1):
        return self.rng.choice((least, 1, 2, 3, 17, 1000, (1 << 32) - 1))

    def listed(self, words, least=1):
        assert len(words) >= least
        return b"(" + b" ".join(words) + b")"

    def date(self):
        text = b"%d-%s-%d" % (self.rng.randint(1, 28), self.word(self.rng.choice((b"Jan", b"Feb", b"Dec", b"Nov"))),
                              self.rng.choice((1970, 1999, 2010, 2026, 2099, 1900, 9999)))
        if self.flip(0.2):
            text = b"0" + text if text[1:2] == b"-" else text
        return b'"' + text + b'"' if self.flip() else text

    def date_time(self):
        r = self.rng
        return b'"%2d-%s-%d %02d:%02d:%02d %s"' % (
            r.randint(1, 28), self.word(b"Mar"), r.choice((1970, 1994, 2026, 2037)), r.randrange(24), r.randrange(60),
            r.randrange(60), r.choice((b"+0000", b"-0730", b"+1400", b"-0000", b"+0545")))

    def set(self, uid, result=True, star=True):
        """A sequence-set."""
        if result and self.flip(0.1):
            return b"$"
        last = max(1, self.grammar.exists)

        def one():
            if star and self.flip(0.15):
                return b"*"
            n = self.rng.randint(1, last)
            return b"%d" % (self.rng.choice((n, n, n + last, 4294967295)) if uid else n)

        def few():
            return one() if self.flip() else one() + b":" + one()
        return b",".join(few() for _ in range(self.rng.choice((1, 1, 1, 2, 3, 7))))

    def uids(self):
        return self.set(True, False, False)

    def few(self, uid):
        """Of what is copied, lest the mailboxes grow."""
        return b",".join(b"%d" % self.rng.randint(1, max(1, self.grammar.exists)) for _ in range(self.rng.choice((1, 1, 2)))) \
            if not uid or self.flip() else self.rng.choice((b"*", b"4294967295:*", b"$")) if self.grammar.exists < 200 else b"*"

    # FETCH
    def section(self):
        """(as it is asked for, as it is called in the answer)"""
        rng = self.rng
        part = b".".join(b"%d" % rng.choice((1, 1, 2, 3, 99)) for _ in range(rng.choice((0, 0, 1, 1, 2, 3))))
        how = rng.random()
        if how < 0.25:
            peek = self.flip()
            partial, label = self.partial()
            return self.word(b"BINARY.PEEK" if peek else b"BINARY") + b"[" + part + b"]" + partial, \
                b"BINARY[" + part + b"]" + label
        if how < 0.35:
            return self.word(b"BINARY.SIZE") + b"[" + part + b"]", b"BINARY.SIZE[" + part + b"]"
        texts = [b"", b"", b"HEADER", b"TEXT", b"HEADER.FIELDS", b"HEADER.FIELDS.NOT"] + ([b"MIME"] if part else [])
        text = rng.choice(texts)
        label = text
        asked = self.word(text)
        if b"FIELDS" in text:
            names = self.some(FIELDS)
            asked += b" " + self.listed([self.astring(n) for n in names])
            label += b" " + self.listed([n.upper() for n in names])
        dot = b"." if part and text else b""
        partial, origin = self.partial()
        return self.word(rng.choice((b"BODY", b"BODY.PEEK"))) + b"[" + part + dot + asked + b"]" + partial, \
            b"BODY[" + part + dot + label + b"]" + origin

    def partial(self):
        if self.flip(0.7):
            return b"", b""
        start = self.rng.choice((0, 0, 1, 10, 100000, (1 << 63) - 1))
        return b"<%d.%d>" % (start, self.rng.choice((1, 5, 200, 4294967295, (1 << 63) - 1))), b"<%d>" % start

    def attribute(self):
        if self.flip(0.4):
            return self.section()
        name = self.rng.choice(SINGLE)
        return self.word(name) + (self.word(b" (LAZY)") if name == b"PREVIEW" and self.flip() else b""), name

    def attributes(self):
        atts = [self.attribute() for _ in range(self.rng.choice((1, 1, 2, 3, 6)))]
        return self.listed([a for a, _ in atts]), {n for _, n in atts}

    def fetch(self, uid):
        how = self.rng.random()
        if how < 0.1:
            name = self.rng.choice(list(MACROS))
            what, self.wanted = self.word(name), set(MACROS[name])
        elif how < 0.3:
            what, name = self.attribute()
            self.wanted = {name}
        else:
            what, self.wanted = self.attributes()
        line = self.word(b"FETCH ") + self.set(uid) + b" " + what
        mods = []
        if self.flip(0.15):
            mods.append(self.word(b"CHANGEDSINCE ") + b"%d" % self.rng.choice((1, 2, (1 << 63) - 1)))
            self.grammar.rules.condstore = True
            if uid and self.grammar.rules.qresync and self.flip():
                mods.append(self.word(b"VANISHED"))
        if uid and self.flip(0.1):
            mods.append(self.word(b"PARTIAL ") + self.range())
        if b"MODSEQ" in self.wanted:
            self.grammar.rules.condstore = True
        self.rng.shuffle(mods)
        return line + (b" " + self.listed(mods) if mods else b"")

    def range(self):
        minus = self.rng.choice((b"", b"-"))
        return b"%s%d:%s%d" % (minus, self.number(), minus, self.number())

    # SEARCH
    def text(self):
        if self.charset and self.flip(0.3):
            return self.astring(self.rng.choice(("ä", "日本", "é x")).encode())
        return self.astring(self.rng.choice(WORDS))

    def key(self, depth=0):
        rng = self.rng
        how = rng.randrange(20)
        if how < 4:
            return self.word(rng.choice(PLAIN_KEYS))
        if how < 7:
            return self.word(rng.choice(TEXT_KEYS)) + b" " + self.text()
        if how < 9:
            return self.word(rng.choice(DATE_KEYS)) + b" " + self.date()
        if how == 9:
            return self.word(b"HEADER ") + self.astring(rng.choice(FIELDS)) + b" " + self.text()
        if how == 10:
            return self.word(rng.choice((b"LARGER", b"SMALLER"))) + b" %d" % rng.choice((0, 1, 500, (1 << 32) - 1))
        if how == 11:
            return self.word(rng.choice((b"YOUNGER", b"OLDER"))) + b" %d" % self.number()
        if how == 12:
            return self.word(rng.choice((b"KEYWORD", b"UNKEYWORD"))) + b" " + rng.choice(FLAGS[5:])
        if how == 13:
            return self.word(b"UID ") + self.set(True, self.result)
        if how == 14 and self.numbers and self.grammar.exists:
            return self.set(False)
        if how == 15:
            self.grammar.rules.condstore = True
            entry = b"" if self.flip() else b' "/flags/%s" %s' % (rng.choice((b"\\\\Seen", b"$MDNSent")),
                                                                 rng.choice((b"priv", b"all", b"shared")))
            return self.word(b"MODSEQ") + entry + b" %d" % rng.choice((0, 1, 5, (1 << 63) - 1))
        if how == 16:
            return self.word(rng.choice((b"EMAILID", b"THREADID"))) + rng.choice((b" abc", b" M-1_x"))
        if depth > 5:
            return self.word(b"ALL")
        if how == 17:
            return self.word(b"NOT ") + self.key(depth + 1)
        if how == 18:
            return self.word(b"OR ") + self.key(depth + 1) + b" " + self.key(depth + 1)
        return self.listed([self.key(depth + 1) for _ in range(rng.randint(1, 3))])

    def keys(self, charset, numbers=True):
        """[CHARSET x] and keys; always without its word for SORT and THREAD."""
        self.charset = self.grammar.rules.utf8
        self.numbers = numbers and not self.grammar.rules.uidonly and not self.grammar.heard
        self.result = numbers
        before = b""
        if charset or (self.flip(0.3) and not self.grammar.rules.utf8):
            name = self.rng.choice((b"UTF-8", b"utf-8", b"US-ASCII", b'"UTF-8"', b"x-unknown"))
            self.charset = b"UTF" in name.upper()
            before = name + b" " if charset else self.word(b"CHARSET ") + name + b" "
        return before + b" ".join(self.key() for _ in range(self.rng.choice((1, 1, 2, 3))))

    def returns(self, tag, context=True, save=True):
        if self.flip():
            return None
        options = [self.word(o) for o in self.some((b"MIN", b"MAX", b"COUNT", b"ALL"), 3, 0)]
        if self.flip(0.2) and b"ALL" not in [o.upper() for o in options]:
            options.append(self.word(b"PARTIAL ") + self.range())
        if save and self.flip(0.2):
            options.append(self.word(b"SAVE"))
        if context and self.flip(0.1):
            options.append(self.word(b"UPDATE"))
            self.contexts.append(tag)
        if context and self.flip(0.1):
            options.append(self.word(b"CONTEXT"))
        return self.word(b"RETURN ") + b"(" + b" ".join(sorted(set(options), key=options.index)) + b")"

    def search(self, tag, uid, sort=False):
        ret = self.returns(tag, save=not sort)
        self.plain = ret is None
        line = self.word(b"SORT" if sort else b"SEARCH") + (b" " + ret if ret is not None else b"")
        if sort:
            line += b" " + self.listed([(self.word(b"REVERSE ") if self.flip(0.3) else b"") + self.word(k)
                                        for k in self.some(SORTS, 3)])
        return line + b" " + self.keys(sort)

    def esearch(self, tag):
        filters = (b"inboxes", b"personal", b"subscribed", b"subtree %s", b"subtree-one %s", b"mailboxes %s") + \
            ((b"selected",) if self.grammar.selected else ())
        line = self.word(b"ESEARCH")
        ret = self.returns(tag, context=False, save=False)
        with_in = self.flip(0.9) or not self.grammar.selected
        if with_in:
            line += self.word(b" IN (") + self.mailboxes(self.rng.choice(filters)) + b")"
        return line + (b" " + ret if ret is not None else b"") + b" " + self.keys(False, False)

    def mailboxes(self, f):
        word, _, more = f.partition(b" ")
        if not more:
            return self.word(word)
        names = self.box() if self.flip() else self.listed([self.box() for _ in range(self.rng.randint(1, 3))])
        return self.word(word) + b" " + names

    # changes
    def flag(self):
        f = self.rng.choice(FLAGS)
        return self.word(f) if f.startswith(b"\\") else f

    def flag_list(self, least=0):
        return self.listed([self.flag() for _ in range(self.rng.randint(least, 3))], least)

    def store(self, uid):
        line = self.word(b"STORE ") + self.set(uid) + b" "
        if self.flip(0.2):
            line += self.word(b"(UNCHANGEDSINCE %d) " % self.rng.choice((0, 1, 5, (1 << 63) - 1)))
            self.grammar.rules.condstore = True
        line += self.rng.choice((b"", b"+", b"-")) + self.word(self.rng.choice((b"FLAGS ", b"FLAGS.SILENT ")))
        return line + (self.flag_list() if self.flip() else b" ".join(self.flag() for _ in range(self.rng.randint(1, 3))))

    def message(self):
        """What comes behind the mailbox's name, for one."""
        line = (b" " + self.flag_list() if self.flip() else b"") + (b" " + self.date_time() if self.flip(0.4) else b"")
        text = self.rng.choice(self.messages)
        if self.flip(0.15):
            parts = [self.word(b"TEXT ") + self.literal(text) if self.flip(0.7) else
                     self.word(b"URL ") + self.astring(self.rng.choice((
                         b"/INBOX/;UID=1", b"/INBOX;UIDVALIDITY=1/;UID=2/;SECTION=TEXT", b"nonsense")))
                     for _ in range(self.rng.randint(1, 3))]
            return line + self.word(b" CATENATE ") + self.listed(parts)
        if self.flip(0.2):
            return line + b" " + self.literal(text.replace(b"body", b"bo\0dy") if self.flip() else text, True)
        return line + b" " + self.literal(text)

    def append(self, most=3):
        return self.word(b"APPEND ") + self.box() + b"".join(self.message() for _ in range(self.rng.choice((1, 1, 1, 2, most))))

    def replace(self, uid):
        one = b"%d" % self.rng.randint(1, max(1, self.grammar.exists)) if self.flip(0.8) else b"*"
        return self.word(b"REPLACE ") + one + b" " + self.box() + self.message()

    # mailboxes
    def pattern(self):
        text = self.rng.choice((b"*", b"%", b"", b"INBOX", b"in%", b"Box*", b"Odd ]*", b"%.%", b"*e*", b"q\"%", b"Parent.%",
                                b"a]*"))
        fits = re.fullmatch(rb'[!#$&\'+,\-./0-9:;<=>?@A-Z\[\]^_`a-z|}~*%]+', text)
        return text if fits and self.flip(0.7) else self.string(text)

    def list(self):
        line = self.word(b"LIST ")
        if self.flip(0.4):
            opts = self.some((b"SUBSCRIBED", b"REMOTE", b"SPECIAL-USE"), 3, 0)
            if (b"SUBSCRIBED" in opts or b"SPECIAL-USE" in opts) and self.flip():
                opts.insert(self.rng.randint(0, len(opts)), b"RECURSIVEMATCH")
            line += b"(" + b" ".join(map(self.word, opts)) + b") "
        line += self.astring(self.rng.choice((b"", b"", b"Parent.", b"Box")))
        line += b" " + (self.pattern() if self.flip(0.7) else
                        self.listed([self.pattern() for _ in range(self.rng.randint(1, 3))]))
        if self.flip():
            opts = [self.word(o) for o in self.some((b"SUBSCRIBED", b"CHILDREN", b"SPECIAL-USE", b"MYRIGHTS"), 3, 0)]
            if self.flip(0.4):
                opts.append(self.word(b"STATUS ") + self.status_items())
            if self.flip(0.3):
                opts.append(self.word(b"METADATA ") + self.listed([self.astring(e) for e in self.some(ENTRIES, 3)]))
            line += b" " + self.word(b"RETURN ") + b"(" + b" ".join(opts) + b")"
        return line

    def status_items(self):
        items = self.some(STATUS, 6)
        self.grammar.rules.condstore |= b"HIGHESTMODSEQ" in items
        return self.listed([self.word(s) for s in items])

    def select(self):
        line = self.word(self.rng.choice((b"SELECT ", b"SELECT ", b"EXAMINE "))) + self.box()
        params = []
        if self.flip(0.2):
            params.append(self.word(b"CONDSTORE"))
            self.grammar.rules.condstore = True
        if self.grammar.rules.qresync and self.flip():
            q = b"%d %d" % (self.rng.choice((self.grammar.uidvalidity, 1)), self.rng.choice((1, self.grammar.modseq)))
            if self.flip():
                q += b" " + self.uids()
            if self.flip(0.3) and not self.grammar.rules.uidonly:
                q += b" (1:3,5 2:4,17)"
            params.append(self.word(b"QRESYNC ") + b"(" + q + b")")
        return line + (b" " + self.listed(params) if params else b"")

    def notify(self):
        if self.flip(0.2):
            return self.word(b"NOTIFY NONE")
        groups = []
        if self.flip():
            events = self.rng.choice((b"NONE", b"(MessageNew MessageExpunge)",
                                      b"(MessageExpunge MessageNew %s FlagChange)" % self.attributes()[0]))
            groups.append(self.word(self.rng.choice((b"selected", b"selected-delayed"))) + b" " + events)
        for f in self.some((b"inboxes", b"personal", b"subscribed", b"subtree %s", b"mailboxes %s", b"subtree-one %s"), 3, 1):
            groups.append(self.mailboxes(f) + b" " + (b"NONE" if self.flip(0.1) else b"(" + self.rng.choice(EVENTS) + b")"))
        return self.word(b"NOTIFY SET ") + (self.word(b"STATUS ") if self.flip() else b"") + \
            b" ".join(b"(" + g + b")" for g in groups)

    def getmetadata(self):
        line = self.word(b"GETMETADATA ")
        if self.flip(0.4):
            opts = self.rng.sample((self.word(b"MAXSIZE ") + b"%d" % self.rng.choice((0, 5, 1000)),
                                    self.word(b"DEPTH ") + self.rng.choice((b"0", b"1", b"infinity"))), self.rng.randint(1, 2))
            line += self.listed(opts) + b" "
        line += self.box() if self.flip(0.8) else b'""'
        return line + b" " + (self.astring(self.rng.choice(ENTRIES)) if self.flip() else
                              self.listed([self.astring(e) for e in self.some(ENTRIES)]))

    def setmetadata(self):
        entries = self.rng.sample(ENTRIES, self.rng.randint(1, 3))
        values = []
        for e in entries:
            value = self.rng.choice((None, b"x", b"", "ä".encode(), b"a\r\nb", b'q"', b"nul\0"))
            values.append(self.astring(e) + b" " + (self.literal(value, True) if value is not None and b"\0" in value else
                                                    self.nstring(value)))
        return self.word(b"SETMETADATA ") + (self.box() if self.flip(0.8) else b'""') + b" " + self.listed(values)

    def ident(self):
        if self.flip(0.2):
            return self.word(b"ID NIL")
        return self.word(b"ID ") + b"(" + b" ".join(self.string(n) + b" " + self.nstring(v) for n, v in self.rng.sample((
            (b"name", b"grammar"), (b"version", b"1"), (b"vendor", None), (b"x-odd", b'a"\\')), self.rng.randint(1, 3))) + b")"

    def rights(self):
        line = self.rng.choice((b"GETACL %s", b"MYRIGHTS %s", b"SETACL %s %s %s", b"DELETEACL %s %s", b"LISTRIGHTS %s %s"))
        args = [self.box()]
        if line.count(b"%s") > 1:
            args.append(self.astring(self.rng.choice((b"bob", b"anyone", b"$staff", b"-bob", b"owner"))))
        if line.count(b"%s") > 2:
            args.append(self.astring(self.rng.choice((b"lrs", b"+w", b"-s", b"", b"lrswipkxtea"))))
        name, _, _ = line.partition(b" ")
        return self.word(name) + b" " + b" ".join(args)

    def quota(self):
        return self.rng.choice((lambda: self.word(b"GETQUOTAROOT ") + self.box(),
                                lambda: self.word(b"GETQUOTA ") + self.astring(self.rng.choice((b"User quota", b"", b"none"))),
                                lambda: self.word(b"SETQUOTA ") + self.astring(b"User quota") + b" " +
                                self.rng.choice((b"()", b"(STORAGE 1000)", b"(storage 5 MESSAGE 7)"))))()

    def tree(self):
        """Changes of what there is; INBOX and those that are always there stay."""
        new = lambda: self.astring(self.new_name())    # noqa: E731
        return self.rng.choice((
            lambda: self.word(b"CREATE ") + new() + (self.word(b" (USE ") + self.listed(self.some(
                (b"\\Sent", b"\\Junk", b"\\Archive"), 2, 0), 0) + b")" if self.flip(0.3) else b""),
            lambda: self.word(b"DELETE ") + new(),
            lambda: self.word(b"RENAME ") + new() + b" " + new(),
            lambda: self.word(b"SUBSCRIBE ") + (new() if self.flip() else self.box()),
            lambda: self.word(b"UNSUBSCRIBE ") + (new() if self.flip() else self.box())))()

    def cancel(self):
        tags, self.contexts = self.contexts, []
        return self.word(b"CANCELUPDATE ") + b" ".join(self.quoted(t) for t in tags)

    def numbered(self, tag):
        """About messages of the mailbox that is selected; with UID or by numbers."""
        if self.grammar.exists > 300 and self.flip(0.1):
            return self.word(b"UID STORE ") + b"%d:*" % self.rng.choice((1, 2000000000)) + b" +FLAGS.SILENT (\\Deleted)"
        uid = self.grammar.rules.uidonly or self.grammar.heard or not self.grammar.exists or self.flip()
        line = self.rng.choice((
            lambda: self.fetch(uid), lambda: self.fetch(uid), lambda: self.fetch(uid), lambda: self.store(uid),
            lambda: self.store(uid), lambda: self.search(tag, uid), lambda: self.search(tag, uid), lambda: self.search(tag, uid),
            lambda: self.search(tag, uid, True),
            lambda: self.word(b"THREAD ") + self.word(self.rng.choice((b"ORDEREDSUBJECT", b"REFERENCES", b"REFS"))) + b" " +
            self.keys(True),
            lambda: self.word(b"COPY ") + self.few(uid) + b" " + self.box(),
            lambda: self.word(b"MOVE ") + self.set(uid) + b" " + self.box(),
            lambda: self.replace(uid)))()
        return (self.word(b"UID ") if uid else b"") + line

    def command(self, tag):
        """One that is right, without its tag. wanted: items that FETCH has to bring; plain: SEARCH without RETURN."""
        self.wanted, self.plain = None, False
        simple = lambda *names: self.word(self.rng.choice(names))   # noqa: E731
        rows = [(2, lambda: simple(b"NOOP", b"CAPABILITY", b"NAMESPACE")), (1, self.ident), (3, self.list),
                (1, lambda: self.word(b"LSUB ") + self.astring(b"") + b" " + self.pattern()),
                (3, lambda: self.word(b"STATUS ") + self.box() + b" " + self.status_items()),
                (3, self.append), (3, self.select), (2, self.tree), (1, self.rights), (1, self.quota), (1, self.getmetadata),
                (1, self.setmetadata), (2, lambda: self.esearch(tag)), (1, self.notify), (1, lambda: self.word(b"IDLE"))]
        if self.contexts:
            rows.append((1, self.cancel))
        if self.grammar.selected:
            rows += [(40, lambda: self.numbered(tag)), (1, lambda: simple(b"CHECK", b"CHECK", b"CLOSE", b"UNSELECT")),
                     (2, lambda: self.word(b"EXPUNGE") if self.flip() else self.word(b"UID EXPUNGE ") + self.set(True)),
                     (1, lambda: self.word(b"UIDBATCHES ") + self.rng.choice((b"500", b"2000 1:3", b"4294967295", b"1")))]
        return self.rng.choices([r for _, r in rows], [w for w, _ in rows])[0]()

    def login(self, user, password):
        """(name, line)"""
        if self.flip():
            return b"LOGIN", self.word(b"LOGIN ") + self.astring(user) + b" " + self.astring(password)
        return b"AUTHENTICATE", self.word(b"AUTHENTICATE ") + self.word(b"PLAIN ") + \
            base64.b64encode(b"\0" + user + b"\0" + password)

    def before(self):
        """Before the login."""
        return self.rng.choice((lambda: self.word(b"CAPABILITY"), lambda: self.word(b"NOOP"), self.ident,
                                lambda: self.word(b"AUTHENTICATE NONSENSE")))()

    WRONG_BEFORE = (
        b"", b"NOOP x", b"CAPABILITY x", b"LOGIN", b"LOGIN a", b"LOGIN a b c", b"LOGIN (a) b", b'LOGIN "a b',
        b"AUTHENTICATE", b"AUTHENTICATE ()", b"ID", b"ID (", b"ID ()x", b"SELECT INBOX", b"FETCH 1 FLAGS",
        b"NONSENSE", b'LOGIN "a\\b" c', b"LOGIN a%b c", b"LOGIN {1+}\r\na")

    # what no grammar allows
    WRONG = (
        b"", b"FETCHES 1 FLAGS", b"NOOP x", b"CAPABILITY ()", b"CHECK x", b"SELECT", b"SELECT ()", b"SELECT a(b",
        b"SELECT INBOX (NONSENSE)", b"SELECT INBOX ()", b'SELECT "INBOX', b'SELECT "IN\\BOX"', b"SELECT IN\\BOX",
        b"SELECT IN%BOX", b"CREATE", b"CREATE a b", b"RENAME a", b"RENAME a b c", b"SUBSCRIBE", b"STATUS INBOX",
        b"STATUS INBOX ()", b"STATUS INBOX MESSAGES", b"STATUS INBOX (NONSENSE)", b"STATUS INBOX (MESSAGES", b"LIST",
        b'LIST ""', b'LIST "" ()', b'LIST (NONSENSE) "" *', b'LIST (RECURSIVEMATCH) "" *', b'LIST "" * RETURN',
        b'LIST "" * RETURN (NONSENSE)', b'LIST "" * RETURN (STATUS)', b'LIST "" * RETURN (STATUS ())', b'LIST "" "*',
        b'LSUB "" (*)', b"APPEND INBOX", b"APPEND INBOX hello", b'APPEND INBOX "hello"',
        b"APPEND INBOX (\\Seen {1+}\r\nx", b"APPEND INBOX (\\Seen) (\\Seen) {1+}\r\nx",
        b'APPEND INBOX " 1-Foo-2020 00:00:00 +0000" {1+}\r\nx', b'APPEND INBOX " 1-Jan-2020 00:00:00" {1+}\r\nx',
        b"APPEND INBOX {1+}\r\nx x", b"APPEND INBOX CATENATE () ", b"APPEND INBOX CATENATE (NONSENSE {1+}\r\nx)",
        b"ENABLE", b"ENABLE (CONDSTORE)", b"ID", b"ID ()x", b'ID ("a")', b'ID ("a" "b"', b"ID name", b"NAMESPACE x",
        b"IDLE x", b"GETQUOTA", b"GETQUOTAROOT", b"SETQUOTA a", b"SETQUOTA a STORAGE 5", b"SETQUOTA a (STORAGE)",
        b"SETQUOTA a (STORAGE x)", b"GETACL", b"SETACL INBOX bob", b"DELETEACL INBOX", b"LISTRIGHTS INBOX",
        b"MYRIGHTS", b"GETMETADATA", b"GETMETADATA INBOX", b"GETMETADATA INBOX ()", b"GETMETADATA INBOX /private/*",
        b"GETMETADATA (DEPTH 2) INBOX /private/a", b"GETMETADATA (MAXSIZE x) INBOX /private/a", b"SETMETADATA INBOX",
        b"SETMETADATA INBOX ()", b"SETMETADATA INBOX (/private/a)", b"SETMETADATA INBOX (/private/a b", b"NOTIFY",
        b"NOTIFY SET", b"NOTIFY SET ()", b"NOTIFY SET (personal)", b"NOTIFY SET (personal ())",
        b"NOTIFY SET (mailboxes (MessageNew MessageExpunge))", b"ESEARCH", b"ESEARCH IN () ALL",
        b"ESEARCH IN (nonsense) ALL", b"ESEARCH IN (personal)", b"CANCELUPDATE", b"UID", b"UID NOOP",
        b"UID UID FETCH 1 FLAGS", b"UNSELECT x", b"CLOSE x", b"LOGIN a b", b"AUTHENTICATE PLAIN", b"STARTTLS",
        b"COMPRESS", b"COMPRESS GZIP x", b"\\NOOP", b'"NOOP"', b"{4+}\r\nNOOP", b"IMAP4", b"SETACL INBOX bob lr x",
        b"SELECT INBOX (QRESYNC (1))", b"SELECT INBOX (QRESYNC 1 1)", b"SELECT INBOX (CONDSTORE", b"SELECT {5}x",
        b"SELECT {x}", b"SELECT \x80", b"CREATE a (USE", b"CREATE a (USE (x))", b"CREATE a (NONSENSE)")
    WRONG_SELECTED = (
        b"FETCH", b"FETCH 1", b"FETCH 1 ()", b"FETCH 0 FLAGS", b"FETCH 1: FLAGS", b"FETCH :1 FLAGS",
        b"FETCH 1,,2 FLAGS", b"FETCH ,1 FLAGS", b"FETCH 1, FLAGS", b"FETCH 1:2:3 FLAGS", b"FETCH x FLAGS",
        b"FETCH -1 FLAGS", b"FETCH 1 (FLAGS", b"FETCH 1 FLAGS)", b"FETCH 1 FLAGS UID", b"FETCH 1 (FLAGS FAST)",
        b"FETCH 1 (ALL)", b"FETCH 1 NONSENSE", b"FETCH 1 BODY[", b"FETCH 1 BODY]", b"FETCH 1 BODY[0]",
        b"FETCH 1 BODY[1.]", b"FETCH 1 BODY[1..2]", b"FETCH 1 BODY[.1]", b"FETCH 1 BODY[MIME]",
        b"FETCH 1 BODY[HEADER.FIELDS]", b"FETCH 1 BODY[HEADER.FIELDS ()]", b"FETCH 1 BODY[HEADER.FIELDS (a]",
        b"FETCH 1 BODY[HEADER.1]", b"FETCH 1 BODY[TEXT.MIME]", b"FETCH 1 BODY[]<0>", b"FETCH 1 BODY[]<0.0>",
        b"FETCH 1 BODY[]<.5>", b"FETCH 1 BODY[]<0.5", b"FETCH 1 BODY[]<-1.5>", b"FETCH 1 BINARY",
        b"FETCH 1 BINARY[TEXT]", b"FETCH 1 BINARY[1.MIME]", b"FETCH 1 BINARY.SIZE[1]<0.5>", b"FETCH 1 BODY.PEEK",
        b"FETCH 1 BODYSTRUCTURE[]", b"FETCH 1 RFC822[]", b"FETCH 1 FLAGS (CHANGEDSINCE)",
        b"FETCH 1 FLAGS (CHANGEDSINCE x)", b"FETCH 1 FLAGS (NONSENSE)", b"FETCH 1 FLAGS ()",
        b"FETCH 1 FLAGS (VANISHED)", b"UID FETCH 1 FLAGS (PARTIAL 1)", b"UID FETCH 1 FLAGS (PARTIAL 0:1)",
        b"UID FETCH 1 FLAGS (PARTIAL -1:5)", b"FETCH $,1 FLAGS", b"FETCH 1 (PREVIEW (EAGER))",
        b"FETCH 4294967296 FLAGS", b"UID FETCH 4294967296 FLAGS", b"FETCH 99999999999999999999 FLAGS",
        b"FETCH \"1\" FLAGS", b"FETCH 1 FL\x80GS", b"STORE", b"STORE 1", b"STORE 1 FLAGS", b"STORE 1 FLAGS (",
        b"STORE 1 *FLAGS ()", b"STORE 1 FLAGS.LOUD ()", b"STORE 1 + FLAGS ()", b"STORE 1 FLAGS (\\)",
        b"STORE 1 FLAGS (a\\b)", b"STORE 1 FLAGS (\\Seen) x", b"STORE 1 FLAGS (\\*)",
        b"STORE 1 (UNCHANGEDSINCE) FLAGS ()", b"STORE 1 () FLAGS ()", b'STORE 1 FLAGS ("a")', b"STORE 1 FLAGS ((a))",
        b"COPY", b"COPY 1", b"COPY 1 a b", b"COPY 0 a", b"MOVE 1", b"MOVE 1 ()", b"UID COPY x INBOX", b"EXPUNGE 1",
        b"UID EXPUNGE", b"UID EXPUNGE 0", b"UID EXPUNGE 1 2", b"SEARCH", b"SEARCH ()", b"SEARCH (ALL", b"SEARCH ALL)",
        b"SEARCH NONSENSE", b"SEARCH NOT", b"SEARCH OR ALL", b"SEARCH FROM", b"SEARCH HEADER a", b"SEARCH BEFORE x",
        b"SEARCH BEFORE 32-Jan-2020", b"SEARCH BEFORE 1-Jan-20", b"SEARCH BEFORE 1-Foo-2020",
        b'SEARCH BEFORE "1-Jan-2020', b"SEARCH LARGER x", b"SEARCH LARGER -1", b"SEARCH KEYWORD",
        b"SEARCH KEYWORD \\Seen", b"SEARCH UID", b"SEARCH UID 0", b"SEARCH UID x", b"SEARCH 0", b"SEARCH CHARSET",
        b"SEARCH CHARSET UTF-8", b"SEARCH RETURN ALL", b"SEARCH RETURN (NONSENSE) ALL", b"SEARCH RETURN (ALL",
        b"SEARCH RETURN (PARTIAL 1) ALL", b"SEARCH RETURN (PARTIAL 1:0) ALL", b"SEARCH MODSEQ", b"SEARCH MODSEQ x",
        b"SEARCH YOUNGER 0", b"SEARCH OLDER x", b"SEARCH ALL RETURN (ALL)", b'SEARCH SUBJECT "a',
        b"SEARCH SUBJECT (a)", b"SEARCH EMAILID", b"SORT", b"SORT (DATE)", b"SORT DATE UTF-8 ALL",
        b"SORT () UTF-8 ALL", b"SORT (NONSENSE) UTF-8 ALL", b"SORT (REVERSE) UTF-8 ALL",
        b"SORT (DATE REVERSE) UTF-8 ALL", b"SORT (DATE) UTF-8", b"THREAD", b"THREAD REFERENCES",
        b"THREAD REFERENCES UTF-8", b"THREAD (REFERENCES) UTF-8 ALL", b"REPLACE 1 INBOX",
        b"REPLACE 1:2 INBOX {1+}\r\nx", b"UIDBATCHES", b"UIDBATCHES 0", b"UIDBATCHES 500 1", b"UIDBATCHES 500 1:",
        b"UIDBATCHES x")

    def wrong(self, tag):
        """The command as a whole; it is certainly none."""
        if self.flip():
            rows = self.WRONG + (self.WRONG_SELECTED if self.grammar.selected and self.grammar.exists else ())
            return tag + b" " + self.rng.choice(rows)
        while True:
            kept = self.contexts[:], self.grammar.rules.condstore
            line = self.command(tag)
            self.contexts, self.grammar.rules.condstore = kept
            if b"{" in line or line.upper() == b"IDLE":
                continue
            how = self.rng.randrange(5)
            if how == 0:
                return tag + b" " + line + b")"
            if how == 1:
                return tag + b" " + line + b'"'
            if how == 2 and line.endswith(b")"):
                return tag + b" " + line[:-1]
            if how == 3 and b" (" in line and line.count(b'"') == 0:
                return tag + b" " + line.replace(b" (", b" ", 1)
            if how == 4:
                name, _, rest = line.partition(b" ")
                return tag + b" " + name + self.rng.choice((b"X", b"(", b'"', b"*")) + (b" " + rest if rest else b"")
