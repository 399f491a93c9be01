"""Messages into mailboxes by IMAP: APPEND in all its forms, COPY, MOVE, REPLACE; what is refused, and what of it
is left in the connection and on the disk. With imaplib and byte by byte."""
import imaplib
import os
import random
import re
import sys

from lib.e2e import ADDR, Lines, Tap, until, want

PORT = int(os.environ.get("PH_IMAP", int(os.environ.get("PH_BASE", "0")) + 143))
DIR = os.environ["PH_DIR"]
USER = "carol"
MAILDIR = os.path.join(DIR, "mail", USER, "Maildir")
MESSAGE = b"Subject: one\r\n\r\nhello\r\n"
tap = Tap()


class Imap(Lines):
    """Tags are a1, a2 ...; untagged answers are kept in last."""

    def __init__(self, box=None):
        super().__init__(PORT, timeout=120)
        self.n = 0
        self.last = []
        self.line()
        self.ok(b"LOGIN %s secret" % USER.encode())
        if box:
            self.ok(b"SELECT " + box)

    def answer(self, tag):
        self.last = []
        while True:
            got = self.line()
            want("an answer to %r" % tag, got, got is not None)
            if got.startswith(tag + b" "):
                return got[len(tag) + 1:]
            self.last.append(got)

    def begin(self, data):
        """Without waiting; the tag."""
        self.n += 1
        tag = b"a%d" % self.n
        self.send(tag + b" " + data)
        return tag

    def do(self, data):
        return self.answer(self.begin(data + b"\r\n"))

    def says(self, how, data):
        got = self.do(data)
        want("%s to %r" % (how.decode(), data[:70]), got, got.startswith(how))
        return got

    def ok(self, data):
        return self.says(b"OK", data)

    def pieces(self, *parts):
        """The parts of a command, each of which ends in a literal that waits to be asked for."""
        tag = self.begin(parts[0])
        for p in parts[1:]:
            got = self.line()
            if not got.startswith(b"+"):
                want("the answer", got, got.startswith(tag))
                return got[len(tag) + 1:]
            self.send(p)
        return self.answer(tag)

    def content(self, number=b"*", what=b"BODY.PEEK[]"):
        """Of one message, from the literal."""
        tag = self.begin(b"FETCH %s (%s)\r\n" % (number, what))
        head = self.line()
        n = int(re.search(rb"\{(\d+)\}$", head).group(1))
        while len(self.buf) < n:
            self.buf += self.sock.recv(65536)
        data, self.buf = self.buf[:n], self.buf[n:]
        self.answer(tag)
        return data

    def flags(self, number=b"*"):
        self.ok(b"FETCH %s FLAGS" % number)
        found = [x for x in self.last if b"FETCH" in x]
        got = re.search(rb"FLAGS \(([^)]*)\)", found[0])
        return set(got.group(1).split()) - {b"\\Recent"}

    def count(self, box):
        self.ok(b"STATUS %s (MESSAGES)" % box)
        return int(re.search(rb"MESSAGES (\d+)", b" ".join(self.last)).group(1))


def fresh(name):
    """An empty mailbox, selected."""
    c = Imap()
    c.do(b"DELETE " + name)
    c.ok(b"CREATE " + name)
    c.ok(b"SELECT " + name)
    return c


def drafts(box):
    return os.listdir(os.path.join(MAILDIR, "." + box.decode(), "tmp"))


def lit(data, plus=b"+", tilde=b""):
    return b"%s{%d%s}\r\n%s" % (tilde, len(data), plus, data)


def by_imaplib():
    m = imaplib.IMAP4(ADDR, PORT)
    m.login(USER, "secret")
    m.delete("lib")
    m.create("lib")
    typ, data = m.append("lib", "(\\Seen $Label)", '"05-Jan-2020 10:20:30 +0100"', MESSAGE)
    want("OK", data, typ == "OK" and re.match(rb"\[APPENDUID \d+ 1\]", data[0]))
    typ, data = m.append("nowhere", None, None, MESSAGE)
    want("TRYCREATE", data, typ == "NO" and data[0].startswith(b"[TRYCREATE]"))
    m.select("lib")
    typ, data = m.fetch("1", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")
    want("the message", data, data[0][1] == MESSAGE and b"$Label" in data[0][0] and b"\\Seen" in data[0][0] and
         b'" 5-Jan-2020 09:20:30 +0000"' in data[0][0] and b"RFC822.SIZE %d" % len(MESSAGE) in data[0][0])
    name, = os.listdir(os.path.join(MAILDIR, ".lib", "cur"))
    want("sizes in its name", name, re.search(r",S=20,W=23:2,Sa$", name))
    m.logout()


def large():
    c = fresh(b"large")
    body = b"".join(b"%0100d\r\n" % i for i in range(60000))
    message = b"Subject: large\r\n\r\n" + body
    want("APPENDUID", c.pieces(b"APPEND large {%d}\r\n" % len(message), message + b"\r\n"),
         True)
    c.ok(b"NOOP")
    want("all of it", "other bytes", c.content() == message)


def split_everywhere():
    """A command that comes byte by byte."""
    c = fresh(b"split")
    text = b"x APPEND split (\\Flagged) \"05-Jan-2020 10:20:30 +0100\" %s\r\n" % lit(MESSAGE)
    for i in range(len(text)):
        c.send(text[i:i + 1])
    got = c.answer(b"x")
    want("APPENDUID", got, got.startswith(b"OK [APPENDUID "))
    want("a flag", "none", c.flags() == {b"\\Flagged"})


def literal_names():
    c = fresh(b"names")
    got = c.pieces(b"APPEND {5}\r\n", b"names (\\Seen) {%d}\r\n" % len(MESSAGE), MESSAGE + b"\r\n")
    want("OK", got, got.startswith(b"OK [APPENDUID"))
    got = c.do(b"APPEND {5+}\r\nnames " + lit(MESSAGE))
    want("OK", got, got.startswith(b"OK [APPENDUID"))
    got = c.do(b"APPEND {6+}\r\nna\0mes " + lit(MESSAGE))
    want("BAD", got, got.startswith(b"BAD"))
    got = c.do(b"APPEND {2000+}\r\n" + 2000 * b"x" + b" " + lit(MESSAGE))
    want("BAD", got, got.startswith(b"BAD"))
    want("two", c.count(b"names"), c.count(b"names") == 2)


def multi():
    c = fresh(b"multi")
    got = c.do(b"APPEND multi (\\Seen) %s (\\Draft $a) \"01-Feb-2021 00:00:00 +0000\" %s %s" %
               (lit(b"1\r\n\r\n"), lit(b"2\r\n\r\n"), lit(b"3\r\n\r\n")))
    want("three UIDs", got, re.match(rb"OK \[APPENDUID \d+ 1:3\]", got))
    want("the second's flags", c.flags(b"2"), c.flags(b"2") == {b"\\Draft", b"$a"})
    want("the third's flags", c.flags(b"3"), c.flags(b"3") == set())
    # all or none
    for bad, how in ((b"(\\Seen) {0+}\r\n", b"NO"), (b"(\\Unknown) " + lit(b"x"), b"BAD"), (lit(b"a\0b"), b"BAD"),
                     (b"garbage", b"BAD"), (lit(60 * 1024 * 1024 * b"x"), b"NO [TOOBIG]")):
        got = c.do(b"APPEND multi %s %s %s" % (lit(b"4\r\n"), bad, lit(b"5\r\n")) if b"{" in bad else
                   b"APPEND multi %s %s" % (lit(b"4\r\n"), bad))
        want("%s to %r" % (how, bad[:30]), got, got.startswith(how))
        c.ok(b"NOOP")
    want("three", c.count(b"multi"), c.count(b"multi") == 3)
    want("no drafts", drafts(b"multi"), drafts(b"multi") == [])


def refused_before_asked():
    c = fresh(b"refuse")
    for command, how in ((b"APPEND nowhere {10}", b"NO [TRYCREATE]"), (b"APPEND refuse {99999999999}", b"NO [TOOBIG]"),
                         (b"APPEND refuse (\\Recent) {10}", b"BAD"), (b"APPEND refuse \"yesterday\" {10}", b"BAD"),
                         (b"APPEND refuse {0}", b"NO"), (b"APPEND a..b {10}", b"NO [CANNOT]"),
                         (b"APPEND refuse UTF8 ({10}", b"BAD"), (b"APPEND {5000}", b"BAD")):
        got = c.do(command)
        want("%s to %r" % (how, command), got, got.startswith(how))
        want("no continuation", c.last, not any(x.startswith(b"+") for x in c.last))
    for command in (b"APPEND refuse", b"APPEND", b"APPEND refuse (\\Seen)", b"APPEND refuse x"):
        c.says(b"BAD", command)
    # what comes all the same is read away
    got = c.do(b"APPEND nowhere (\\Seen) " + lit(b"x NOOP\r\n" * 10) + b" " + lit(b"x NOOP\r\n"))
    want("TRYCREATE", got, got.startswith(b"NO [TRYCREATE]"))
    c.ok(b"NOOP")
    want("nothing else was said", c.last, c.last == [])


def broken_off():
    c = fresh(b"broken")
    c.begin(b"APPEND broken {100000+}\r\n" + 50000 * b"x")
    until("a draft", lambda: drafts(b"broken"), 60)
    c.close()
    until("no draft", lambda: not drafts(b"broken"), 60)
    c = Imap()
    want("nothing", c.count(b"broken"), c.count(b"broken") == 0)


def nul_and_binary():
    c = fresh(b"binary")
    c.says(b"BAD", b"APPEND binary " + lit(b"Subject: x\r\n\r\na\0b\r\n"))
    c.ok(b"APPEND binary " + lit(b"Subject: x\r\n\r\na\0b\r\n", tilde=b"~"))
    c.ok(b"NOOP")
    name, = os.listdir(os.path.join(MAILDIR, ".binary", "cur"))
    with open(os.path.join(MAILDIR, ".binary", "cur", name), "rb") as f:
        got = f.read()
    want("the NUL on the disk", got, got == b"Subject: x\n\na\0b\n")


def utf8():
    c = fresh(b"utf8")
    text = "Subject: \u00fc\r\n\r\nx\r\n".encode()
    # such mail is there, and is not refused without imap.strict-headers
    c.ok(b"APPEND utf8 " + lit(text))
    c.ok(b"APPEND utf8 " + lit("Subject: x\r\n\r\n\u00fc\r\n".encode()))
    c.ok(b"APPEND utf8 UTF8 (%s)" % lit(text, tilde=b"~"))
    c.ok(b"NOOP")
    want("the same", "other bytes", c.content() == text)
    c.says(b"BAD", b"APPEND utf8 UTF8 (%s" % lit(text, tilde=b"~"))
    c.says(b"BAD", b"APPEND utf8 UTF8 (%s)" % lit(text))


MIXED = (b"Subject: mixed\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
         b"first\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nin it\r\n--b--\r\n")


def catenate():
    c = fresh(b"cat")
    got = c.ok(b"APPEND cat " + lit(MIXED))
    validity = re.search(rb"APPENDUID (\d+)", got).group(1)
    c.ok(b"NOOP")
    rows = ((b"/cat/;UID=1", MIXED), (b"/cat;UIDVALIDITY=%s/;UID=1/;SECTION=HEADER" % validity,
                                      MIXED[:MIXED.index(b"--b")]),
            (b"/cat/;UID=1/;SECTION=1", b"first"), (b"/cat/;UID=1/;SECTION=1.MIME", b"Content-Type: text/plain\r\n\r\n"),
            (b"/cat/;UID=1/;SECTION=2.HEADER", b"Subject: inner\r\n\r\n"), (b"/cat/;UID=1/;SECTION=2.TEXT", b"in it"),
            (b"/cat/;UID=1/;PARTIAL=5.20", MIXED[5:25]), (b"/cat/;UID=1/;SECTION=TEXT/;PARTIAL=3", MIXED[MIXED.index(b"--b") + 3:]),
            (b"/cat/;UID=1/;PARTIAL=99999", b""),
            (b"/cat/;UID=1/;SECTION=HEADER.FIELDS%20(Subject)", b"Subject: mixed\r\n\r\n"),
            (b"/cat/;UID=1/;SECTION=2.HEADER.FIELDS.NOT%20(X)/;PARTIAL=2.5", b"bject"))
    for url, text in rows:
        c.ok(b"APPEND cat CATENATE (TEXT %s URL \"%s\" TEXT %s)" % (lit(b"A: b\r\n"), url, lit(b"end")))
        c.ok(b"NOOP")
        got = c.content()
        wanted = b"A: b\r\n" + text + b"end"
        want("%r for %s" % (wanted, url.decode()), got, got == wanted)
    # from another mailbox than the selected one; the URL as a literal
    c.ok(b"SELECT INBOX")
    got = c.pieces(b"APPEND cat (\\Seen) CATENATE (URL {22}\r\n", b"/cat/;UID=1/;PARTIAL=0 TEXT {2}\r\n", b"x\n)\r\n")
    want("APPENDUID", got, got.startswith(b"OK [APPENDUID"))
    n = c.count(b"cat")
    for url in (b"/cat/;UID=99", b"/none/;UID=1", b"/cat;UIDVALIDITY=1/;UID=1", b"/cat/;UID=1/;SECTION=7",
                b"imap://elsewhere/cat/;UID=1", b"x]y", b"/cat/;UID=1/;SECTION=1.TEXT"):
        got = c.do(b"APPEND cat CATENATE (TEXT %s URL \"%s\" TEXT %s)" % (lit(b"x"), url, lit(b"y")))
        want("BADURL for %s" % url.decode(), got, got.startswith(b"NO [BADURL"))
    for bad in (b"CATENATE ()", b"CATENATE (TEXT x)", b"CATENATE (TEXT %s" % lit(b"x"), b"CATENATE (PART %s)" % lit(b"x"),
                b"CATENATE (TEXT %s  URL)" % lit(b"x")):
        c.says(b"BAD", b"APPEND cat " + bad)
    want("no more", c.count(b"cat"), c.count(b"cat") == n)
    want("no drafts", drafts(b"cat"), drafts(b"cat") == [])


def copies():
    c = fresh(b"copied")
    c = fresh(b"from")
    for i in range(5):
        c.ok(b"APPEND from (\\Flagged label%d) \"0%d-Mar-2019 00:00:00 +0000\" %s" % (i, i + 1, lit(b"N: %d\r\n\r\n" % i)))
    c.ok(b"NOOP")
    got = c.ok(b"COPY 2:4 copied")
    want("COPYUID", got, re.match(rb"OK \[COPYUID \d+ 2:4 1:3\]", got))
    got = c.ok(b"UID COPY 5,1,77 copied")
    want("COPYUID", got, re.match(rb"OK \[COPYUID \d+ 1,5 4:5\]", got))
    want("no code", c.ok(b"UID COPY 90:99 copied"), b"COPYUID" not in c.ok(b"UID COPY 90:99 copied"))
    got = c.ok(b"COPY 1:2 from")
    want("COPYUID in itself", got, re.match(rb"OK \[COPYUID \d+ 1:2 6:7\]", got))
    c.says(b"NO [TRYCREATE]", b"COPY 1 nowhere")
    c.says(b"BAD", b"COPY 99 copied")
    c.says(b"BAD", b"COPY 1")
    c.says(b"BAD", b"COPY 1 copied x")
    c.ok(b"SELECT copied")
    c.ok(b"FETCH 1 (FLAGS INTERNALDATE)")
    got = b" ".join(c.last)
    want("flags and date", got, b"\\Flagged" in got and b"label1" in got and b'" 2-Mar-2019 00:00:00 +0000"' in got)
    want("the third", c.content(b"3"), c.content(b"3") == b"N: 3\r\n\r\n")
    stats = [os.stat(os.path.join(MAILDIR, ".copied", "cur", x)).st_nlink
             for x in os.listdir(os.path.join(MAILDIR, ".copied", "cur"))]
    want("second names of the same files", stats, min(stats) >= 2)


def moves():
    c = fresh(b"moved")
    c = fresh(b"source")
    c.ok(b"APPEND source (\\Seen a) %s (b) %s (c) %s %s" % tuple(lit(b"N: %d\r\n\r\n" % i) for i in range(4)))
    c.ok(b"NOOP")
    got = c.ok(b"MOVE 2:3 moved")
    want("COPYUID, then EXPUNGE", c.last, re.match(rb"\* OK \[COPYUID \d+ 2:3 1:2\]", c.last[0]) and
         c.last[1:] in ([b"* 2 EXPUNGE", b"* 2 EXPUNGE", b"* 2 RECENT"], [b"* 3 EXPUNGE", b"* 2 EXPUNGE", b"* 2 RECENT"]))
    want("they are there", c.count(b"moved"), c.count(b"moved") == 2)
    want("and not here", c.count(b"source"), c.count(b"source") == 2)
    c.ok(b"ENABLE QRESYNC")
    got = c.ok(b"UID MOVE 4,77 moved")
    want("HIGHESTMODSEQ", got, b"[HIGHESTMODSEQ " in got)
    want("VANISHED", c.last, any(x == b"* VANISHED 4" for x in c.last))
    c.says(b"NO [TRYCREATE]", b"MOVE 1 nowhere")
    got = c.ok(b"MOVE 1 source")
    want("a new UID", c.last, b"COPYUID" in c.last[0] and b" 1 5]" in c.last[0])
    c.ok(b"EXAMINE source")
    c.says(b"NO", b"MOVE 1 moved")
    c.ok(b"SELECT moved")
    want("flags", c.flags(b"1"), c.flags(b"1") == {b"b"})
    want("the second", c.content(b"2"), c.content(b"2") == b"N: 2\r\n\r\n")


def seen_by_others():
    """What another session has expunged is passed over by UID, and refused by number."""
    c = fresh(b"gone")
    c.ok(b"APPEND gone %s %s %s" % tuple(lit(b"N: %d\r\n\r\n" % i) for i in range(3)))
    c.ok(b"NOOP")
    other = Imap(b"gone")
    other.ok(b"STORE 2 +FLAGS (\\Deleted)")
    other.ok(b"EXPUNGE")
    got = c.do(b"COPY 1:3 copied")
    want("EXPUNGEISSUED", got, got.startswith(b"NO [EXPUNGEISSUED]"))
    got = c.do(b"UID COPY 1:3 copied")
    want("the others", got, re.match(rb"OK \[COPYUID \d+ 1,3 ", got))
    # flags that another one has just set go with it
    other.ok(b"STORE 1 +FLAGS (\\Answered late)")
    got = c.do(b"UID MOVE 1 copied")
    want("OK", got, got.startswith(b"OK"))
    c.ok(b"SELECT copied")
    want("the new flags", c.flags(b"*"), {b"\\Answered", b"late"} <= c.flags(b"*"))


def moves_of_gone():
    """The same of MOVE, whatever the session knows of what is gone; nothing is moved if it is refused, and UIDs stay."""
    for look in (b"NOOP", b"FETCH 1:* (UID RFC822.SIZE INTERNALDATE)"):
        for by, uids in ((b"", b"1 3"), (b"UID ", b"")):
            c = fresh(b"moved")
            c = fresh(b"gone")
            c.ok(b"APPEND gone %s %s %s" % tuple(lit(b"N: %d\r\n\r\n" % i) for i in range(3)))
            c.ok(look)
            other = Imap(b"gone")
            other.ok(b"STORE 2 +FLAGS (\\Deleted)")
            other.ok(b"EXPUNGE")
            got = c.do(by + b"MOVE 1:3 moved")
            want("MOVE", (look, by, got), got.startswith(b"OK" if by else b"NO [EXPUNGEISSUED]"))
            said = any(re.match(rb"\* OK \[COPYUID \d+ 1,3 1:2\]", x) for x in c.last)
            want("COPYUID", (look, by, c.last), said == (by != b""))
            want("there", (look, by), c.count(b"moved") == (2 if by else 0))
            c.ok(b"UID SEARCH ALL")
            want("here", (look, by, c.last), (b"* SEARCH " + uids).strip() in c.last)


def recent():
    """\\Recent is what came in any way, for the session that is the first to hear of it (RFC 3501, 2.3.2)."""
    c = Imap()
    c.do(b"DELETE arrived")
    c.ok(b"CREATE arrived")
    c.ok(b"APPEND arrived (\\Seen) %s %s" % tuple(lit(b"N: %d\r\n\r\n" % i) for i in range(2)))
    c.ok(b"STATUS arrived (RECENT)")
    want("STATUS", c.last, b"(RECENT 2)" in c.last[0])
    c.ok(b"EXAMINE arrived")
    want("EXAMINE takes nothing", c.last, b"* 2 RECENT" in c.last)
    c.ok(b"SELECT arrived")
    want("SELECT", c.last, b"* 2 RECENT" in c.last)
    c.ok(b"FETCH 1:2 (FLAGS)")
    want("FETCH", c.last, c.last == [b"* 1 FETCH (FLAGS (\\Seen \\Recent))", b"* 2 FETCH (FLAGS (\\Recent))"])
    c.ok(b"SEARCH NEW")
    want("NEW", c.last, c.last == [b"* SEARCH 2"])
    other = Imap(b"arrived")
    want("not again", other.last, b"* 0 RECENT" in other.last)
    other.ok(b"COPY 1 arrived")
    want("the copy", other.last, b"* 3 EXISTS" in other.last and b"* 1 RECENT" in other.last)
    c.ok(b"NOOP")
    want("known there", c.last, b"* 3 EXISTS" in c.last and b"* 2 RECENT" in c.last)
    c.ok(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
    c.ok(b"EXPUNGE")
    want("one less", c.last, c.last == [b"* 2 EXPUNGE", b"* 1 RECENT"])
    c.ok(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
    c.ok(b"EXPUNGE")
    want("as many", c.last, c.last == [b"* 2 EXPUNGE"])
    c.ok(b"ENABLE IMAP4rev2")
    c.ok(b"FETCH 1 (FLAGS)")
    want("nothing of it in IMAP4rev2", c.last, c.last == [b"* 1 FETCH (FLAGS (\\Seen))"])
    c.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    c.ok(b"EXPUNGE")
    want("nor of its number", c.last, c.last == [b"* 1 EXPUNGE"])


def blanks():
    """Too many, and one too few, as Dovecot takes them; the last one is emailjs-imap-client's."""
    c = fresh(b"blanks")
    for command in (b"APPEND  blanks " + lit(b"A: 1\r\n\r\n"), b"APPEND blanks ( \\Seen  $x )  " + lit(b"A: 2\r\n\r\n"),
                    b"APPEND blanks (){11+}\r\nA: 3\r\n\r\nx\r\n", b"NOOP ", b"SELECT  blanks ", b"FETCH 1  FLAGS",
                    b"FETCH 1 ( FLAGS UID )", b"FETCH 1 BODY.PEEK[HEADER.FIELDS ( FROM  TO )]", b"STORE 1 +FLAGS  (\\Seen )", b"SEARCH  ALL ",
                    b"UID SEARCH ( SEEN ) SUBJECT {1+}\r\nA  ALL", b"SORT ( DATE ) UTF-8 ALL", b"COPY  1:3 blanks ",
                    b"STATUS blanks ( MESSAGES  UNSEEN )", b"LIST \"\"  * ", b'LIST "" "blanks "', b"CLOSE "):
        c.ok(command)
    c.ok(b"STATUS blanks (MESSAGES)")
    want("all of them", c.last, b"* STATUS blanks (MESSAGES 6)" in c.last)
    for command in (b"APPEND blanks(){1+}\r\nx", b"FETCH1 FLAGS", b"LIST \"\"*"):
        c.says(b"BAD", command)


def announced():
    m = imaplib.IMAP4(ADDR, PORT)
    m.login(USER, "secret")
    typ, data = m.capability()
    words = data[0].split()
    for word in (b"UIDPLUS", b"MOVE", b"MULTIAPPEND", b"CATENATE", b"URL-PARTIAL", b"REPLACE"):
        want(word.decode(), data, word in words)
    limit, = [int(x[12:]) for x in words if x.startswith(b"APPENDLIMIT=")]
    typ, data = m.status("INBOX", "(APPENDLIMIT)")
    want("the same limit", data, b"APPENDLIMIT %d" % limit in data[0])
    m.logout()


def many():
    """A thousand at once: one command each way, and nobody waits."""
    c = fresh(b"many")
    c = fresh(b"more")
    got = c.do(b"APPEND more" + b"".join(b" (\\Seen k%d) %s" % (i % 3, lit(b"N: %d\r\n\r\n" % i)) for i in range(1000)))
    want("APPENDUID", got, re.match(rb"OK \[APPENDUID \d+ 1:1000\]", got))
    c.ok(b"NOOP")
    got = c.do(b"UID COPY 1:* many")
    want("COPYUID", got, re.match(rb"OK \[COPYUID \d+ 1:1000 1:1000\]", got))
    got = c.do(b"MOVE 1:* many")
    want("moved", got, got.startswith(b"OK"))
    want("COPYUID", c.last[0], re.match(rb"\* OK \[COPYUID \d+ 1:1000 1001:2000\]", c.last[0]))
    want("expunged", len(c.last), len(c.last) >= 1001)
    c.ok(b"SELECT many")
    want("in order", c.content(b"1500"), c.content(b"1500") == b"N: 499\r\n\r\n")


def replaces():
    c = fresh(b"rep")
    c.ok(b"APPEND rep (\\Draft) %s %s" % (lit(b"N: 1\r\n\r\n"), lit(b"N: 2\r\n\r\n")))
    c.ok(b"NOOP")
    got = c.ok(b"REPLACE 1 rep (\\Draft \\Seen) " + lit(b"N: 3\r\n\r\n"))
    want("APPENDUID, then EXPUNGE", c.last, re.match(rb"\* OK \[APPENDUID \d+ 3\]", c.last[0]) and b"* 1 EXPUNGE" in c.last)
    c.ok(b"NOOP")
    want("its flags", c.flags(b"2"), c.flags(b"2") == {b"\\Draft", b"\\Seen"})
    c.ok(b"UID REPLACE 3 lib " + lit(b"N: 4\r\n\r\n"))
    want("one is left", c.count(b"rep"), c.count(b"rep") == 1)
    for command, how in ((b"UID REPLACE 99 rep ", b"NO"), (b"REPLACE 9 rep ", b"BAD"), (b"REPLACE 1:* rep ", b"OK"),
                         (b"REPLACE 1 nowhere ", b"NO [TRYCREATE]"), (b"REPLACE rep ", b"BAD")):
        got = c.do(command + lit(b"x\r\n"))
        want("%s to %r" % (how, command), got, got.startswith(how))
    c.says(b"BAD", b"REPLACE 1 rep %s %s" % (lit(b"x\r\n"), lit(b"y\r\n")))
    want("still one", c.count(b"rep"), c.count(b"rep") == 1)
    # another session replaces it first, or while the new one comes
    for by in (b"", b"UID "):
        for late in (False, True):
            c = fresh(b"rep")
            c.ok(b"APPEND rep " + lit(b"N: 1\r\n\r\n"))
            c.ok(b"FETCH 1 (RFC822.SIZE INTERNALDATE)")
            other = Imap(b"rep")
            if late:
                tag = c.begin(by + b"REPLACE 1 rep {8}\r\n")
                want("asked for", got := c.line(), got.startswith(b"+"))
            other.ok(b"REPLACE 1 rep " + lit(b"N: 2\r\n\r\n"))
            if late:
                c.send(b"N: 3\r\n\r\n\r\n")
            got = c.answer(tag) if late else c.do(by + b"REPLACE 1 rep " + lit(b"N: 3\r\n\r\n"))
            want("replaced already", (by, late, got), got.startswith(b"NO [EXPUNGEISSUED]"))
            want("one is there", (by, late), c.count(b"rep") == 1)
    c.ok(b"CLOSE")
    c.says(b"BAD", b"REPLACE 1 rep " + lit(b"x\r\n"))
    c.ok(b"NOOP")


def over_quota():
    """The limit of a maildirsize that somebody keeps."""
    c = fresh(b"quota")
    with open(os.path.join(MAILDIR, "maildirsize"), "w") as f:
        f.write("50000000S\n")
    st = os.stat(MAILDIR)
    os.chown(f.name, st.st_uid, st.st_gid)
    c.ok(b"APPEND quota " + lit(MESSAGE))
    c.ok(b"NOOP")
    with open(f.name) as g:
        want("our line", g.read(), re.search(r"\n20 1\n", open(f.name).read()))
    with open(f.name, "w") as f:
        f.write("10S\n")
    got = c.do(b"APPEND quota {100}")
    want("OVERQUOTA", got, got.startswith(b"NO [OVERQUOTA]"))
    got = c.do(b"APPEND quota " + lit(MESSAGE))
    want("OVERQUOTA", got, got.startswith(b"NO [OVERQUOTA]"))
    got = c.do(b"COPY 1 lib")
    want("OVERQUOTA", got, got.startswith(b"NO [OVERQUOTA]"))
    c.ok(b"MOVE 1 lib")
    os.unlink(f.name)


def noise():
    """Whatever comes, an answer comes, and the connection stays usable."""
    c = fresh(b"noise")
    words = [b"(", b")", b"\\Seen", b"CATENATE", b"TEXT", b"URL", b"UTF8", b"\"x\"", b"~{3+}\r\nabc", b"{2+}\r\nab", b"{0+}\r\n",
             b"noise", b"\"01-Jan-2020 00:00:00 +0000\"", b"1", b"$", b" "]
    r = random.Random(5)
    for i in range(300):
        text = b" ".join(r.choice(words) for _ in range(r.randrange(8)))
        got = c.do(r.choice([b"APPEND noise ", b"APPEND ", b"COPY 1 ", b"MOVE ", b"REPLACE 1 "]) + text)
        want("an answer", got, got[:2] in (b"OK", b"NO", b"BA"))
        if i % 10 == 0:
            c.ok(b"NOOP")
    c.ok(b"NOOP")


def main():
    for test in (by_imaplib, large, split_everywhere, literal_names, multi, refused_before_asked, broken_off,
                 nul_and_binary, utf8, catenate, copies, moves, seen_by_others, moves_of_gone, recent, blanks, announced, many,
                 replaces, over_quota, noise):
        tap.run(test.__name__.replace("_", " "), test)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
