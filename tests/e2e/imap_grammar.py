"""The grammar of IMAP, by the letter: commands at random as the RFCs allow them, in odd spellings and by several sessions at
once, are answered by OK or NO; those that no grammar allows by BAD; and all that is said has to be right, and its time. Some
seconds, in a long run four minutes; PH_SEED repeats a run as far as the machine lets it, PH_ROUNDS sets the seconds. TAP."""
import collections
import os
import random
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import LONG, Stage, Tap, Wrong, want  # noqa: E402
from imap import Imap  # noqa: E402
from imapgrammar import Bad, Grammar  # noqa: E402
from imapmaker import Maker, pieces  # noqa: E402

CORPUS = os.path.join(os.environ.get("PH_SHARED", "../shared"), "corpus")
BOXES = (b"INBOX", b"Box", b"Odd ]box", b'q"uoted\\', b"Parent.child", b"Nowhere")
ENABLED = (b"", b"IMAP4rev2", b"CONDSTORE", b"QRESYNC", b"UTF8=ACCEPT", b"QRESYNC UTF8=ACCEPT", b"IMAP4rev2 QRESYNC", b"UIDONLY",
           b"UIDONLY IMAP4rev2 QRESYNC")
OWN = (
    b"\r\n", b"Subject: body\r\n\r\nbody\r\n", b"\r\nbody without a head",
    b"From: =?utf-8?q?=C3=A4?= <a@b>, group: c@d, \"q\\\"x\" <e@f>;, <@r:g@h>, ();\r\nTo: undisclosed:;\r\nCc: a@b (comment \")\r\nSubject:\r\n"
    b"Date: x\r\nIn-Reply-To: <x>\r\nMessage-ID: \"<y\\\r\n\r\nbody",
    "Subject: ä raw\r\nFrom: ö <ü@b>\r\nContent-Type: text/plain; name=\"ä\"; charset=utf-8\r\n\r\nä body\r\n".encode(),
    b"Subject: \xff\xfe\r\nContent-Type: text/\xe4; \xe4=\xe4\r\nContent-Disposition: \xe4; x\r\nContent-Language: \xe4, de\r\n\r\n\xff",
    b"Content-Type: multipart/mixed; boundary=a\r\nContent-Language: de, en\r\nContent-Location: x\r\n\r\n--a\r\n\r\nbody\r\n--a\r\n"
    b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: "
    b"text/html\r\nContent-ID: <x>\r\nContent-Transfer-Encoding: base64\r\nContent-MD5: x\r\nContent-Disposition: attachment; "
    b"filename*0=\"a\"; filename*1=b\r\n\r\nYm9keQA=\r\n--b--\r\n--a--\r\n",
    b"Content-Type: multipart/mixed; boundary=a\r\n\r\nno parts\r\n", b"Content-Type: message/rfc822\r\n\r\n", b"Content-Type: multipart\r\n\r\n",
    b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDogeAoKeA==\r\n",
    b"Content-Type: message/global\r\n\r\nSubject: x\r\n\r\nbody", b"Content-Type: text\r\n\r\nx", b"Content-Type: message/delivery-status\r\n\r\nx",
    b"Content-Type: text/plain; a; =b; c=; d=\"\r\nContent-Transfer-Encoding: odd (x)\r\nContent-Disposition: ; a=b\r\n\r\nx",
    b"Subject: " + b"x" * 5000 + b"\r\n\r\n" + b"y" * 70000, b"Subject: a\0b\r\n\r\nbo\0dy\r\n".replace(b"\0", b"\x01"),
    b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" * 30)
FINDINGS = int(os.environ.get("PH_FINDINGS", "1"))     # after so many a session gives up
tap = Tap()
counts = collections.Counter()


def corpus():
    found = []
    for d, _, names in os.walk(CORPUS):
        found += [os.path.join(d, n) for n in names if n.endswith((".eml", ".msg", ".txt"))]
    for path in sorted(found):
        with open(path, "rb") as f:
            text = f.read(200001)
        if len(text) <= 200000 and b"\0" not in text:
            yield re.sub(rb"\r?\n", b"\r\n", text)


class Session(threading.Thread):
    """One client until its time is over; wrong says what it has found."""

    def __init__(self, base, user, number, seed, until, messages):
        threading.Thread.__init__(self, daemon=True)
        self.base, self.user, self.number, self.until = base, user, number, until
        self.rng = random.Random(seed)
        self.messages = messages
        self.wrong, self.last = [], collections.deque(maxlen=8)
        self.c = None

    def run(self):
        while time.monotonic() < self.until and len(self.wrong) < FINDINGS:
            try:
                self.one()
            except Exception as e:  # pylint: disable=broad-except
                self.wrong.append("session %d: %s\nafter %s" % (self.number, e if isinstance(e, Wrong) else repr(e),
                                                                "\n".join(repr(x[:900]) for x in self.last)))

    def one(self):
        """A connection from its beginning to its end."""
        self.begin()
        for _ in range(self.rng.choice((20, 60, 200))):
            if time.monotonic() >= self.until:
                break
            if self.rng.random() < 0.2:
                self.refused()
            else:
                self.right()
        self.end()

    def begin(self, enable=None):
        self.c = Imap(self.base)
        self.grammar = Grammar()
        self.maker = Maker(self.rng, self.grammar, BOXES)
        self.maker.messages = self.messages
        want("OK as a greeting", self.c.greeting, self.grammar.take(self.c.greeting)[0] == b"OK")
        for _ in range(self.rng.choice((0, 0, 1, 4))):
            self.stranger()
        name, line = self.maker.login(self.user.encode(), b"secret")
        self.ask(line, name, (b"OK",))
        enable = self.rng.choice(ENABLED) if enable is None else enable
        if enable:
            self.ask(b"ENABLE " + enable, b"ENABLE", (b"OK",))

    def stranger(self):
        """Before the login."""
        if self.rng.random() < 0.5:
            line = self.maker.before()
            return self.ask(line, line.upper().split(b" ")[0], (b"OK", b"NO"))
        tag = self.maker.tag()
        return self.say(tag, tag + b" " + self.rng.choice(self.maker.WRONG_BEFORE), (b"BAD",))

    def ask(self, line, name, allowed):
        tag = self.maker.tag()
        return self.say(tag, tag + b" " + line, allowed, name)

    def end(self):
        self.c.send(b"end LOGOUT\r\n")
        self.grammar.begins(b"end", b"LOGOUT")
        names = []
        while True:
            text = self.c.response()
            if text is None:
                break
            names.append(self.grammar.take(text)[0])
        want("BYE and OK", names, names[-2:] == [b"BYE", b"OK"] or names[-1:] == [b"OK"] and b"BYE" in names)
        self.c.close()

    def response(self):
        """The next one, in its grammar."""
        text = self.c.response()
        if text is None:
            raise Wrong("the connection ended")
        self.last.append(b"S: " + text)
        return self.grammar.take(text)

    def say(self, tag, line, allowed, name=b"", uid=False, plain=False):
        """A command as a whole, with its tag. Ends with (how, its FETCH responses)."""
        self.last.append(b"C: " + line)
        self.grammar.begins(tag, name, uid, plain)
        for i, piece in enumerate(pieces(line + b"\r\n")):
            if i > 0:
                while True:
                    how, more = self.response()
                    if how == b"+":
                        break
                    if more and isinstance(more, tuple) and not self.grammar.commands:
                        return self.judge(line, how, more, allowed)
            self.c.send(piece)
        return self.judge(line, *self.tagged(name == b"IDLE"), allowed)

    def tagged(self, idle):
        while True:
            how, more = self.response()
            if how == b"+":
                want("+ only to IDLE", how, idle)
                time.sleep(self.rng.choice((0, 0.05, 0.2)))
                self.c.send(self.maker.word(b"DONE") + b"\r\n")
                idle = False
            if how in (b"OK", b"NO", b"BAD") and isinstance(more, tuple):
                return how, more
            if how == b"BYE":
                raise Wrong("BYE")

    def judge(self, line, how, more, allowed):
        want("%r to %r" % (allowed, line[:900]), how, how in allowed)
        want("no failure of the server with %r" % line[:900], more[1], more[1] not in (b"SERVERBUG", b"CORRUPTION", b"UNAVAILABLE"))
        return how, more

    def right(self):
        tag = self.maker.tag()
        line = self.maker.command(tag)
        words = line.upper().split(b" ", 2)
        uid = words[0] == b"UID"
        name = words[1] if uid else words[0]
        counts[name] += 1
        wanted, plain = self.maker.wanted, self.maker.plain
        before = self.heard(name, line)
        how, (_, code, fetched) = self.say(tag, tag + b" " + line, (b"OK", b"NO"), name, uid, plain)
        self.grammar.heard = before if how != b"OK" else self.grammar.heard
        if how == b"OK" and name == b"FETCH" and wanted and not before:
            self.complete(wanted, fetched)

    def heard(self, name, line):
        """With NOTIFY messages may go at any time."""
        before = self.grammar.heard
        if name == b"NOTIFY":
            self.grammar.heard = True
        return before

    def complete(self, wanted, fetched):
        """All that was asked for, and nothing else."""
        for number, items in fetched:
            if set(items) <= {b"FLAGS", b"UID", b"MODSEQ"}:
                continue
            want("%r of %d" % (wanted, number), sorted(items), wanted <= set(items) and
                 set(items) - wanted <= {b"FLAGS", b"UID", b"MODSEQ"})

    def refused(self):
        tag = self.maker.tag()
        line = self.maker.wrong(tag)
        if line is None:
            return
        counts[b"BAD"] += 1
        words = line.upper().split(b" ")
        uid = words[1] == b"UID"
        how, (_, code, _) = self.say(tag, line, (b"BAD", b"NO"), words[2] if uid and len(words) > 2 else words[1], uid)
        # no RFC says what is looked at first: the words, or whether there is such a mailbox or message and it may be changed
        want("BAD to %r" % line[:900], (how, code), how == b"BAD" or code in (b"NOPERM", b"NONEXISTENT", b"TRYCREATE", b"BADURL"))


def fill(base, user, messages):
    with Imap(base, user) as c:
        for name in BOXES[1:-1]:
            c.ok(b'CREATE "' + re.sub(rb'(["\\])', rb"\\\1", name) + b'"')
        for i, text in enumerate(messages):
            name = BOXES[i % 2]
            c.ok(b"APPEND " + name + b" {%d+}\r\n" % len(text) + text)


ALL = (b"UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE PREVIEW SAVEDATE EMAILID THREADID BODY[HEADER] BODY[1.MIME] "
       b"BODY[2] BODY[1.HEADER] BODY[TEXT] RFC822.HEADER")


def whole(base, user):
    """All that is said of each message."""
    for enable in (b"", b"IMAP4rev2", b"UTF8=ACCEPT", b"QRESYNC"):
        s = Session(base, user, 0, 1, 0, ())
        s.begin(enable)
        for name in BOXES[:2]:
            s.ask(b"EXAMINE " + name, b"EXAMINE", (b"OK",))
            names = set(ALL.split(b" "))
            _, (_, _, fetched) = s.ask(b"FETCH 1:* (" + ALL + b")", b"FETCH", (b"OK",))
            want("all of them", len(fetched), len(fetched) == s.grammar.exists and all(names == set(i) for _, i in fetched))
            for n in range(1, s.grammar.exists + 1):
                for att in (b"BINARY[]", b"BINARY[1]", b"BINARY.SIZE[2]"):
                    s.ask(b"FETCH %d %s" % (n, att), b"FETCH", (b"OK", b"NO"))
            for line in (b"SORT (SUBJECT) UTF-8 ALL", b"THREAD REFERENCES UTF-8 ALL", b"THREAD ORDEREDSUBJECT UTF-8 ALL"):
                s.say(b"x", b"x " + line, (b"OK",), line.split(b" ")[0], plain=True)
        s.end()


def random_sessions(base, user, sessions, seconds, seed, messages):
    until = time.monotonic() + seconds
    threads = [Session(base, user, n, seed * 1000 + n, until, messages) for n in range(sessions)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(seconds + 120)
    for t in threads:
        hangs = "it hangs after %r" % list(t.last) if t.is_alive() else None
        tap.say("session %d" % t.number, "\n\n".join(t.wrong) or hangs)


# What the checker has to let through, and what it has to find: an answer, whether it is right, what was enabled.
ROWS = (
    (b"* 1 FETCH (UID 5 FLAGS (\\Seen \\Recent))", True, b""),
    (b"* 1 FETCH (UID 5 FLAGS (\\Seen \\Recent))", False, b"IMAP4rev2"),
    (b"* 1 FETCH (FLAGS (\\Seen \\seen))", False, b""),
    (b"* 1 FETCH (FLAGS (\\Other))", False, b""),
    (b"* 1 FETCH (FLAGS (\\*))", False, b""),
    (b"* 1 FETCH (FLAGS (unknown))", False, b""),
    (b"* 1 FETCH ()", False, b""),
    (b"* 1 FETCH (UID 0)", False, b""),
    (b"* 1 FETCH (UID 01)", False, b""),
    (b"* 1 FETCH (UID 4294967296)", False, b""),
    (b"* 1 FETCH (UID 5 UID 5)", False, b""),
    (b"* 1 FETCH (UID 5  FLAGS ())", False, b""),
    (b"* 1 FETCH (UID 5) ", False, b""),
    (b"* 0 FETCH (UID 5)", False, b""),
    (b"* 4 FETCH (UID 5)", False, b""),
    (b"* 1 UIDFETCH (FLAGS ())", False, b""),
    (b"* 7 UIDFETCH (FLAGS ())", True, b"UIDONLY"),
    (b"* 1 FETCH (MODSEQ (5))", False, b""),
    (b"* 1 FETCH (MODSEQ (5))", True, b"CONDSTORE"),
    (b"* 1 FETCH (MODSEQ (0))", False, b"CONDSTORE"),
    (b"* 1 FETCH (INTERNALDATE \" 1-Feb-2026 00:00:00 +0000\")", True, b""),
    (b"* 1 FETCH (INTERNALDATE \"1-Feb-2026 00:00:00 +0000\")", False, b""),
    (b"* 1 FETCH (INTERNALDATE \"30-Feb-2026 00:00:00 +0000\")", False, b""),
    (b"* 1 FETCH (INTERNALDATE \"01-Feb-2026 24:00:00 +0000\")", False, b""),
    (b"* 1 FETCH (BODY[] {3}\r\nabc)", True, b""),
    (b"* 1 FETCH (BODY[] {3+}\r\nabc)", False, b""),
    (b"* 1 FETCH (BODY[] {4}\r\nabc)", False, b""),
    (b"* 1 FETCH (BODY[] {2}\r\nabc)", False, b""),
    (b"* 1 FETCH (BODY[] {3}\r\na\0c)", False, b""),
    (b"* 1 FETCH (BODY[] ~{3}\r\na\0c)", False, b""),
    (b"* 1 FETCH (BINARY[] ~{3}\r\na\0c)", True, b""),
    (b"* 1 FETCH (BODY[] abc)", False, b""),
    (b"* 1 FETCH (BODY[] \"a\\bc\")", False, b""),
    (b"* 1 FETCH (BODY[] \"\xc3\xa4\")", False, b""),
    (b"* 1 FETCH (BODY[] \"\xc3\xa4\")", True, b"UTF8=ACCEPT"),
    (b"* 1 FETCH (BODY[] \"\xa4\")", False, b"UTF8=ACCEPT"),
    (b"* 1 FETCH (BODY[MIME] NIL)", False, b""),
    (b"* 1 FETCH (BODY[1.MIME] NIL BODY[1.HEADER.FIELDS (a \"b\")]<0> NIL)", True, b""),
    (b"* 1 FETCH (BODY[HEADER.FIELDS ()] NIL)", False, b""),
    (b"* 1 FETCH (BODY.PEEK[] NIL)", False, b""),
    (b"* 1 FETCH (BINARY[TEXT] NIL)", False, b""),
    (b"* 1 FETCH (NONSENSE 1)", False, b""),
    (b"* 1 FETCH (PREVIEW \"" + b"x" * 201 + b"\")", False, b""),
    (b"* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) NIL NIL NIL NIL NIL NIL NIL))", True, b""),
    (b"* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL \"a\" \"b\") (NIL NIL \"c\" \"d\")) NIL NIL NIL NIL NIL NIL NIL))", False, b""),
    (b"* 1 FETCH (ENVELOPE (NIL NIL () NIL NIL NIL NIL NIL NIL NIL))", False, b""),
    (b"* 1 FETCH (ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL))", False, b""),
    (b"* 1 FETCH (ENVELOPE (NIL NIL ((NIL NIL \"group\" NIL)) NIL NIL NIL NIL NIL NIL NIL))", False, b""),
    (b"* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1))", True, b""),
    (b"* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5))", False, b""),
    (b"* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" () NIL NIL \"7BIT\" 5 1))", False, b""),
    (b"* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" (\"a\") NIL NIL \"7BIT\" 5 1))", False, b""),
    (b"* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" NIL NIL NIL NIL 5 1))", False, b""),
    (b"* 1 FETCH (BODY (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1 NIL NIL NIL NIL))", False, b""),
    (b"* 1 FETCH (BODYSTRUCTURE (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1 NIL NIL NIL NIL))", True, b""),
    (b"* 1 FETCH (BODYSTRUCTURE (\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 5 1 NIL (\"inline\") NIL NIL))", False, b""),
    (b"* 1 FETCH (BODY (\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 5))", False, b""),
    (b"* 1 FETCH (BODY (\"MIXED\"))", False, b""),
    (b"* 1 FETCH (BODY ((\"A\" \"B\" NIL NIL NIL \"7BIT\" 5)(\"A\" \"B\" NIL NIL NIL \"7BIT\" 5) \"MIXED\"))", True, b""),
    (b"* 1 FETCH (BODY ((\"A\" \"B\" NIL NIL NIL \"7BIT\" 5) (\"A\" \"B\" NIL NIL NIL \"7BIT\" 5) \"MIXED\"))", False, b""),
    (b"* 2 EXPUNGE", True, b""),
    (b"* 4 EXPUNGE", False, b""),
    (b"* 1 EXPUNGE", False, b"QRESYNC"),
    (b"* VANISHED 1:2", True, b"QRESYNC"),
    (b"* VANISHED 1:2", False, b""),
    (b"* VANISHED 1:*", False, b"QRESYNC"),
    (b"* VANISHED (EARLIER) 1", False, b"QRESYNC"),
    (b"* 2 EXISTS", False, b""),
    (b"* 1 RECENT", True, b""),
    (b"* 1 RECENT", False, b"IMAP4rev2"),
    (b"* FLAGS (\\Seen \\Recent)", False, b""),
    (b"* SEARCH 1", False, b""),
    (b"* LIST (\\HasChildren) \".\" a", True, b""),
    (b"* LIST (\\HasChildren \\HasNoChildren) \".\" a", False, b""),
    (b"* LIST (\\Noselect \\NonExistent) \".\" a", False, b""),
    (b"* LIST () . a", False, b""),
    (b"* LIST () \".\" a%", False, b""),
    (b"* LIST () \".\" a (\"OLDNAME\" (b))", True, b""),
    (b"* LIST () \".\" a (\"OLDNAME\" b)", False, b""),
    (b"* STATUS a (MESSAGES 1 MESSAGES 1)", False, b""),
    (b"* STATUS a (UIDNEXT 0)", False, b""),
    (b"* STATUS a (MESSAGES 1)", True, b""),
    (b"* ESEARCH (TAG \"n\") UID ALL 1:3 COUNT 3", False, b""),
    (b"* ESEARCH (TAG \"m\") UID ADDTO (0 1:3)", True, b""),
    (b"* ESEARCH (TAG \"m\") UID ADDTO ()", False, b""),
    (b"* CAPABILITY IMAP4rev1 IMAP4rev2 IDLE", True, b""),
    (b"* CAPABILITY IMAP4rev1 IMAP4rev2 IDLE idle", False, b""),
    (b"* CAPABILITY IDLE", False, b""),
    (b"* NAMESPACE ((\"\" \".\")) NIL NIL", True, b""),
    (b"* NAMESPACE ((\"\" \".\")) NIL", False, b""),
    (b"* QUOTA \"\" (STORAGE 1 2)", True, b""),
    (b"* QUOTA \"\" (STORAGE 1)", False, b""),
    (b"* ACL INBOX bob lrr", False, b""),
    (b"* METADATA a (/private/x ~{1}\r\n\0)", True, b""),
    (b"* METADATA a (/private/x y)", False, b""),
    (b"* ID (\"name\" \"a\" \"name\" \"b\")", False, b""),
    (b"* NONSENSE", False, b""),
    (b"* OK said", True, b""),
    (b"* OK ", False, b""),
    (b"* OK", False, b""),
    (b"* OK [ALERT]", False, b""),
    (b"* OK [ALERT] ", False, b""),
    (b"* OK [NONSENSE] said", False, b""),
    (b"* OK [TRYCREATE] said", False, b""),
    (b"* OK s\xc3\xa4id", False, b""),
    (b"* OK s\xc3\xa4id", True, b"IMAP4rev2"),
    (b"* OK [INPROGRESS (\"n\" 5 5)] said", False, b""),
    (b"* OK [INPROGRESS (\"n\" 5 6)] said", True, b""),
    (b"* OK [PERMANENTFLAGS (\\Seen \\*)] said", True, b""),
    (b"* OK [PERMANENTFLAGS (other)] said", False, b""),
    (b"n OK done", True, b""),
    (b"n OK [COPYUID 1 1:2 3:4] done", False, b""),
    (b"m OK done", False, b""),
    (b"n YES done", False, b""),
)
# Those that are right or wrong by the command under way.
DURING = (
    (b"SEARCH", False, b"* 1 EXPUNGE", False),
    (b"SEARCH", True, b"* 1 EXPUNGE", True),
    (b"FETCH", False, b"* 1 EXPUNGE", False),
    (b"STORE", False, b"* 1 EXPUNGE", False),
    (b"", False, b"* 1 EXPUNGE", False),
    (b"FETCH", True, b"* 1 FETCH (FLAGS ())", False),
    (b"FETCH", True, b"* 1 FETCH (UID 1)", True),
    (b"SEARCH", False, b"* SEARCH 1 2 (MODSEQ 5)", True),
    (b"SEARCH", True, b"* ESEARCH (TAG \"n\") UID ALL 1:3 COUNT 3", True),
    (b"SEARCH", False, b"* ESEARCH (TAG \"n\") COUNT 0", True),
    (b"SEARCH", False, b"* ESEARCH (TAG \"n\") UID COUNT 0", False),
    (b"SEARCH", True, b"* ESEARCH (TAG \"n\") COUNT 0", False),
    (b"SEARCH", True, b"* ESEARCH (TAG \"m\") UID COUNT 0", False),
    (b"SEARCH", False, b"* ESEARCH (TAG \"n\") ALL 1:3 ALL 1", False),
    (b"SEARCH", False, b"* ESEARCH (TAG \"n\") MIN 0", False),
    (b"SEARCH", False, b"* ESEARCH (TAG \"n\") PARTIAL (1:-2 NIL)", False),
    (b"SEARCH", False, b"* SEARCH (MODSEQ 5)", False),
    (b"SEARCH", False, b"* SEARCH 1 1", False),
    (b"SEARCH", False, b"* SEARCH 0", False),
    (b"SORT", False, b"* SORT 2 1", True),
    (b"THREAD", False, b"* THREAD (1 2 (3)(4 5))(6)", True),
    (b"THREAD", False, b"* THREAD ((1)(2))", True),
    (b"THREAD", False, b"* THREAD (1 (2))", False),
    (b"THREAD", False, b"* THREAD ((1))", False),
    (b"THREAD", False, b"* THREAD (1) (2)", False),
    (b"THREAD", False, b"* THREAD (1)(1)", False),
    (b"COPY", False, b"n OK [COPYUID 1 1:2 3:4] done", True),
    (b"COPY", False, b"n OK [COPYUID 1 1:2 3] done", False),
    (b"COPY", False, b"n OK [APPENDUID 1 1] done", False),
    (b"APPEND", False, b"n NO [TRYCREATE] done", True),
    (b"APPEND", False, b"n OK [TRYCREATE] done", False),
    (b"SELECT", False, b"n OK [READ-WRITE] done", False),
)


def judged(row, enabled, name, uid):
    """Does the checker let it through?"""
    g = Grammar()
    for one in enabled.split():
        g.rules.enable(one)
    g.selected, g.exists, g.flags = True, 3, {b"\\SEEN"}
    if name:
        g.begins(b"n", name, uid, True)
    try:
        g.take(row)
    except Bad:
        return False
    return True


def checker():
    for row, right, enabled in ROWS:
        want("%r with %r right: %s" % (row, enabled, right), not right, judged(row, enabled, b"NOOP", False) == right)
    for name, uid, row, right in DURING:
        want("%r during %r right: %s" % (row, name, right), not right, judged(row, b"", name, uid) == right)


def main():
    seed = int(os.environ.get("PH_SEED") or (random.randrange(1 << 31) if LONG else 1))
    seconds = int(os.environ.get("PH_ROUNDS") or (240 if LONG else 7))
    print("# seed %d (PH_SEED=%d repeats it)" % (seed, seed))
    tap.run("the checker finds what is wrong, and only that", checker)
    found = list(corpus())
    rng = random.Random(seed)
    rng.shuffle(found)
    messages = list(OWN) + found[:600 if LONG else 20]
    with Stage("auth.delay 0\nimap.user-connections 100\nimap.errors 1000\n") as st:
        fill(st.base, "alice", messages)
        tap.run("each message", whole, st.base, "alice")
        random_sessions(st.base, "alice", 4, seconds, seed, list(OWN) + found[:20])
    print("# %d commands, %d of them wrong" % (sum(counts.values()), counts[b"BAD"]))
    print("# " + " ".join("%s %d" % (k.decode(), n) for k, n in sorted(counts.items())))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
