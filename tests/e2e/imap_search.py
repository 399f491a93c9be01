"""SEARCH, SORT, THREAD and their kin: results against an oracle computed here,
the answers of their extensions, and, where Dovecot is installed, random
programs against its answers. TAP."""
import base64
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from imapwire import Checks, Wire, remove  # noqa: E402

HOME = os.path.join(os.environ["PH_DIR"], "mail", "carol")
MAILDIR = os.path.join(HOME, "Maildir")
N = 240
R = random.Random(4711)
DOVECOT = "/usr/lib/dovecot/imap"
check = Checks()


# ---- a mailbox

WORDS = ("alpha beta gamma delta größe Müller naïve café straße xyzzy Привет "
         "日本語 list hello world test foo-bar =equals= 100%").split()
SUBJECTS = ["hello world", "Re: hello world", "RE: Re[2]: hello world",
            "Fwd: hello world (fwd)", "[list] hello world",
            "[fwd: hello world]", "", "Re:", "café", "Re: CAFÉ",
            "=?iso-8859-1?q?caf=E9_cr=E8me?=", "=?utf-8?b?w5xiZXI=?= test",
            "test", "TEST (fwd)", "[x] [y] test", "xyzzy",
            "=?utf-8?q?a?= =?utf-8?q?b?=", "a\n b folded", "Straße", "STRASSE"]
NAMES = ["Ann Example", '"Doe, John"', "=?utf-8?q?J=C3=B6rg_M=C3=BCller?=",
         "bob", "", '"a \\" quote"', "=?iso-8859-1?b?zOk=?="]


class Mail:
    """What is known of one message, as the oracle needs it."""

    def __init__(self, number, ids):
        self.number = number
        self.time = 1600000000 + number * 3600
        self.date = R.random() < .95
        self.sender = "u%d@ex%d.test" % (R.randrange(30), R.randrange(5))
        self.name = R.choice(NAMES)
        self.subject = R.choice(SUBJECTS) if R.random() < .95 else None
        self.id = "<m%d@x.test>" % number
        self.references = []
        if ids and R.random() < .5:
            self.references = R.sample(ids[-12:], min(len(ids[-12:]), 3))
        self.flags = "".join(f for f in "DFRST" if R.random() < .25)
        self.keyword = R.random() < .2
        self.words = [R.choice(WORDS) for _ in range(R.randrange(5, 60))]
        self.how = R.choice(["8bit", "quoted-printable", "base64", "mixed",
                             "attachment"])

    def body(self):
        text = " ".join(self.words)
        if self.how == "8bit":
            return ("Content-Type: text/plain; charset=utf-8\n\n%s\n" %
                    text).encode()
        if self.how == "quoted-printable":
            quoted = "".join("=%02X" % c if c > 126 or c == 61 else chr(c)
                             for c in text.encode())
            quoted = "=\n".join(quoted[i:i + 70]
                                for i in range(0, len(quoted), 70)
                                ) if "=" not in quoted else quoted
            return ("Content-Type: text/plain; charset=UTF-8\n"
                    "Content-Transfer-Encoding: quoted-printable\n\n%s\n" %
                    quoted).encode()
        if self.how == "base64":
            return (b"Content-Type: text/html; charset=utf-8\n"
                    b"Content-Transfer-Encoding: base64\n\n" +
                    base64.encodebytes(text.encode()))
        if self.how == "mixed":
            return ("Content-Type: multipart/mixed; boundary=bb\n\npreamble\n"
                    "--bb\nContent-Type: text/plain; charset=utf-8\n\n%s\n"
                    "--bb--\n" % text).encode()
        return (b"Content-Type: multipart/mixed; boundary=bb\n\n--bb\n"
                b"Content-Type: application/octet-stream\n"
                b"Content-Transfer-Encoding: base64\n\n" +
                base64.encodebytes(text.encode()) + b"--bb--\n")

    def has(self, word):
        return self.how != "attachment" and word in " ".join(self.words)

    def bytes(self):
        head = []
        if self.date:
            head.append(time.strftime("Date: %a, %d %b %Y %H:%M:%S +0000",
                                      time.gmtime(self.time - 7200)))
        head.append("From: %s <%s>" % (self.name, self.sender)
                    if self.name else "From: " + self.sender)
        head.append("To: Team: t%d@to.test, b@to.test;" % (self.number % 7))
        if self.subject is not None:
            head.append("Subject: " + self.subject)
        head.append("Message-ID: " + self.id)
        if self.references:
            head.append("References: " + " ".join(self.references))
        if self.number % 5 == 0:
            head.append("X-Spam: =?utf-8?q?caf=C3=A9?=")
        return ("\n".join(head) + "\nMIME-Version: 1.0\n").encode() + \
            self.body()


def fill(maildir, mails):
    st = os.stat(HOME)
    for m in mails:
        content = m.bytes()
        path = os.path.join(maildir, "cur", "%d.M%06dP1.here:2,%s%s" % (
            m.time, m.number, m.flags, "a" if m.keyword else ""))
        with open(path, "wb") as f:
            f.write(content)
        os.utime(path, (m.time, m.time))
        os.chown(path, st.st_uid, st.st_gid)
    path = os.path.join(maildir, "dovecot-keywords")
    with open(path, "w") as f:
        f.write("0 $Label1\n")
    os.chown(path, st.st_uid, st.st_gid)


def numbers(out, name=b"SEARCH"):
    for r in out:
        m = re.match(rb"\* " + name + rb"((?: \d+)*)", r)
        if m is not None:
            return [int(n) for n in m.group(1).split()]
    raise AssertionError(out)


def esearch(out):
    got = [r for r in out if r.startswith(b"* ESEARCH ")]
    return re.sub(rb'\(TAG "w\d+"', b'(TAG "t"', got[0])[10:] if got else None


def expect(w, keys, want, name=None):
    """Messages for which want says yes."""
    got = numbers(w.ok(b"SEARCH " + keys))
    right = [m.number for m in mails if want(m)]
    check(got == right, name or "SEARCH " + ascii(keys.decode()),
          "got %r, not %r" % (got, right))


def answer(w, command, want):
    out, r = w.cmd(command)
    got = esearch(out) if not want.startswith(("OK", "NO", "BAD")) else r
    check(got is not None and got.startswith(want.encode()), command, got)


def q(text):
    raw = text.encode()
    return b"{%d+}\r\n" % len(raw) + raw if not text.isascii() \
        else b'"' + raw + b'"'


# ---- every key

def keys(w):
    for letter, name in (("R", b"ANSWERED"), ("T", b"DELETED"),
                         ("D", b"DRAFT"), ("F", b"FLAGGED"), ("S", b"SEEN")):
        expect(w, name, lambda m: letter in m.flags)
        expect(w, b"UN" + name, lambda m: letter not in m.flags)
    expect(w, b"KEYWORD $label1", lambda m: m.keyword)
    expect(w, b"UNKEYWORD $Label1", lambda m: not m.keyword)
    expect(w, b"KEYWORD nobody", lambda m: False)
    expect(w, b"3:7,9 NOT 5", lambda m: m.number in (3, 4, 6, 7, 9))
    expect(w, b"UID 3:7,9:10", lambda m: m.number in (3, 4, 5, 6, 7, 9, 10))
    expect(w, b"%d:*" % (N + 7), lambda m: m.number == N)
    expect(w, b"UID %d:*" % (N + 7), lambda m: m.number == N)
    size = {m.number: len(m.bytes()) + m.bytes().count(b"\n") for m in mails}
    expect(w, b"LARGER 800", lambda m: size[m.number] > 800)
    expect(w, b"SMALLER 800", lambda m: size[m.number] < 800)
    day = 86400
    at = 1600300800                     # 17-Sep-2020
    expect(w, b"BEFORE 17-Sep-2020", lambda m: m.time < at)
    expect(w, b"ON 17-Sep-2020", lambda m: at <= m.time < at + day)
    expect(w, b"SINCE 17-Sep-2020", lambda m: m.time >= at)
    expect(w, b"SENTSINCE 17-Sep-2020",
           lambda m: m.date and m.time - 7200 >= at)
    expect(w, b"SENTON 17-Sep-2020",
           lambda m: m.date and at <= m.time - 7200 < at + day)
    expect(w, b"SENTBEFORE 17-Sep-2020",
           lambda m: not m.date or m.time - 7200 < at)
    middle = 1600000000 + 100 * 3600 + 1800
    ago = int(time.time()) - middle
    expect(w, b"OLDER %d" % ago, lambda m: m.time <= middle)
    expect(w, b"YOUNGER %d" % ago, lambda m: m.time > middle)
    expect(w, b"YOUNGER 1", lambda m: False)
    expect(w, b"SAVEDATESUPPORTED", lambda m: True)
    expect(w, b"SAVEDBEFORE 1-Jan-1990", lambda m: False)
    expect(w, b"SAVEDSINCE 1-Jan-2000", lambda m: True)
    expect(w, b"FROM u1@", lambda m: m.sender.startswith("u1@"))
    expect(w, b"FROM " + q("JÖRG"), lambda m: "J=C3" in m.name)
    expect(w, b'FROM "doe, john"', lambda m: "Doe" in m.name)
    expect(w, b"TO t3@to", lambda m: m.number % 7 == 3)
    expect(w, b'TO ""', lambda m: True)
    expect(w, b'CC ""', lambda m: False)
    expect(w, b"SUBJECT " + q("CAFÉ"),
           lambda m: m.subject is not None and "caf" in m.subject.lower())
    expect(w, b"SUBJECT ab", lambda m: m.subject == SUBJECTS[16])
    expect(w, b'SUBJECT "a b folded"', lambda m: m.subject == SUBJECTS[17])
    expect(w, b'SUBJECT ""', lambda m: m.subject is not None)
    expect(w, b'HEADER Subject ""', lambda m: m.subject is not None)
    expect(w, b"HEADER Message-ID <m17@x.test>", lambda m: m.number == 17)
    expect(w, b"HEADER x-spam " + q("Café"), lambda m: m.number % 5 == 0)
    expect(w, b'HEADER X-Spam ""', lambda m: m.number % 5 == 0)
    expect(w, b'HEADER X-None ""', lambda m: False)
    # To i;unicode-casemap no letter is two.
    for word in ("xyzzy", "foo-bar", "größe", "Привет", "日本語", "=equals="):
        expect(w, b"BODY " + q(word), lambda m: m.has(word),
               "BODY in every encoding: " + ascii(word))
        upper = "".join(c if c == "ß" else c.upper() for c in word)
        expect(w, b"TEXT " + q(upper), lambda m: m.has(word) or
               (m.subject is not None and word in m.subject),
               "TEXT in every encoding: " + ascii(word))
    expect(w, b"BODY NAIVE", lambda m: False)
    expect(w, b"BODY preamble", lambda m: False)
    expect(w, b"BODY octet-stream", lambda m: False)
    expect(w, b"TEXT octet-stream", lambda m: m.how == "attachment")
    expect(w, b"CHARSET iso-8859-1 BODY {5+}\r\ngr\xf6\xdfe",
           lambda m: m.has("größe"), "a charset of the client's")
    expect(w, b"OR SEEN OR (DRAFT NOT DELETED) NOT NOT 5", lambda m:
           "S" in m.flags or ("D" in m.flags and "T" not in m.flags) or
           m.number == 5)
    expect(w, b"OR BODY xyzzy SUBJECT test NOT FROM ex1.test", lambda m:
           (m.has("xyzzy") or "test" in (m.subject or "").lower()) and
           "ex1.test" not in m.sender)


def refused(w):
    for command, want in (
            ("SEARCH", "BAD"), ("SEARCH FOO", "BAD"), ("SEARCH (", "BAD"),
            ("SEARCH ALL)", "BAD"), ("SEARCH OR ALL", "BAD"),
            ("SEARCH " + "(" * 5000 + "ALL" + ")" * 5000, "BAD"),
            ("SEARCH RETURN (PARTIAL 1:2 ALL) ALL", "BAD"),
            ("SEARCH RETURN (FOO) ALL", "BAD"),
            ("SEARCH CHARSET x-nothing ALL", "NO [BADCHARSET (US-ASCII"),
            (b"SEARCH CHARSET x-nothing BODY {2+}\r\na\xff", "NO [BADCHARSET"),
            (b"SEARCH CHARSET UTF-8 BODY {2+}\r\na\xff", "BAD"),
            (b"SEARCH CHARSET UTF-8 OR ALL SUBJECT {5+}\r\na\xed\xa0\x80b", "BAD"),
            (b"SEARCH NOT HEADER X-Spam {2+}\r\n\xc0\xaf", "BAD"),
            (b"SORT (DATE) EUC-JP SUBJECT {2+}\r\na\xc6", "BAD"),
            (b"ESEARCH IN (personal) TEXT {1+}\r\n\xe9", "BAD"),
            ("SORT (DATE) ALL", "BAD"), ("SORT DATE UTF-8 ALL", "BAD"),
            ("SORT (DATE) x-nothing ALL", "NO [BADCHARSET"),
            ("SORT (WHAT) UTF-8 ALL", "BAD"),
            ("THREAD WHAT UTF-8 ALL", "BAD"),
            ("ESEARCH IN (nowhere) ALL", "BAD"),
            ("ESEARCH IN (personal) RETURN (SAVE) ALL", "BAD"),
            ("CANCELUPDATE", "BAD")):
        answer(w, command, want)
        w.ok("NOOP")
    expect(w, b"NOT " * 10001 + b"ALL", lambda m: False, "10001 times NOT")
    expect(w, b"OR 7 " * 2000 + b"8", lambda m: m.number in (7, 8),
           "a chain of 2000 OR")


def extended(w):
    answer(w, "SEARCH RETURN () 3:7", '(TAG "t") ALL 3:7')
    answer(w, "UID SEARCH RETURN (MIN MAX COUNT) 3:7",
           '(TAG "t") UID MIN 3 MAX 7 COUNT 5')
    answer(w, "SEARCH RETURN (MIN COUNT) KEYWORD none", '(TAG "t") COUNT 0')
    answer(w, "SEARCH RETURN (PARTIAL -1:-3) ALL",
           '(TAG "t") PARTIAL (-1:-3 %d:%d)' % (N - 2, N))
    answer(w, "SEARCH RETURN (PARTIAL 3:1) ALL",
           '(TAG "t") PARTIAL (1:3 1:3)')
    answer(w, "SEARCH RETURN (PARTIAL -3:-1) ALL",
           '(TAG "t") PARTIAL (-1:-3 %d:%d)' % (N - 2, N))
    answer(w, "SEARCH RETURN (PARTIAL 1000:1001) ALL",
           '(TAG "t") PARTIAL (1000:1001 NIL)')
    answer(w, "SORT RETURN (ALL) (REVERSE ARRIVAL) UTF-8 1:3",
           '(TAG "t") ALL 3,2,1')
    answer(w, "UID SORT RETURN (MIN MAX) (REVERSE ARRIVAL) UTF-8 1:3",
           '(TAG "t") UID MIN 3 MAX 1')
    for options, saved in (("SAVE", "2:9"), ("SAVE MIN", "2"),
                           ("SAVE MIN MAX", "2,9"), ("SAVE COUNT MIN", "2:9"),
                           ("SAVE PARTIAL 2:3", "3:4"),
                           ("SAVE PARTIAL 2:3 MAX", "3:4,9")):
        out = w.ok("SEARCH RETURN (%s) 2:9" % options)
        check((esearch(out) is None) == (options == "SAVE"),
              "(%s) is answered, or not" % options, out)
        answer(w, "UID SEARCH RETURN () $", '(TAG "t") UID ALL ' + saved)
    check(w.cmd("SEARCH RETURN (SAVE) CHARSET x-no ALL")[1].startswith(b"NO"),
          "a failed search")
    answer(w, "SEARCH RETURN (COUNT) $", '(TAG "t") COUNT 0')
    out = w.ok("SEARCH MODSEQ 1")
    check(re.match(rb"\* OK \[HIGHESTMODSEQ \d+\]", out[0]) and
          re.search(rb"\(MODSEQ \d+\)$", out[-1]), "MODSEQ is told", out)
    check(b"MODSEQ" not in w.ok("SEARCH MODSEQ %d" % (1 << 62))[0],
          "nothing has no MODSEQ")
    answer(w, 'SEARCH RETURN (COUNT) MODSEQ "/flags/\\\\draft" all 1',
           '(TAG "t") COUNT %d MODSEQ ' % N)
    one = w.ok("FETCH 7 (EMAILID)")[0]
    ident = re.search(rb"EMAILID \(([^)]*)\)", one).group(1)
    check(numbers(w.ok(b"SEARCH EMAILID " + ident)) == [7], "EMAILID", one)
    check(numbers(w.ok(b"SEARCH THREADID x")) == [], "THREADID is nothing")


# ---- results that are kept up to date

def updates(w):
    other = Wire("carol")
    other.ok("SELECT INBOX")
    out = w.ok("UID SEARCH RETURN (UPDATE COUNT) KEYWORD hot")
    tag = b'(TAG "w%d")' % w.count
    check(esearch(out) == b'(TAG "t") UID COUNT 0', "a context begins", out)
    check(w.cmd("UID SORT RETURN (UPDATE) (REVERSE ARRIVAL) UTF-8 "
                "KEYWORD hot")[1].startswith(b"OK"), "and one of SORT")
    sort = b'(TAG "w%d")' % w.count
    w.say(b"w%d SEARCH RETURN (UPDATE) ALL\r\n" % w.count)
    check(w.until(b"w%d" % w.count)[1].startswith(b"BAD"), "a tag once more")

    def of(t, out):
        return [r[11 + len(t):] for r in out if r.startswith(b"* ESEARCH " + t)]

    out = w.ok("STORE 3,5 +FLAGS (hot)")
    check(of(tag, out) == [b"UID ADDTO (0 3,5)"], "own change", out)
    check(of(sort, out) == [b"UID ADDTO (1 5,3)"], "own change, sorted", out)
    other.ok("STORE 4,7 +FLAGS (hot)")
    out = w.ok("NOOP")
    check(of(tag, out) == [b"UID ADDTO (0 4,7)"], "another's change", out)
    check(of(sort, out) == [b"UID ADDTO (1 7 3 4)"],
          "each has its place", out)
    other.ok("STORE 5,3 -FLAGS (hot)")
    out = w.ok("NOOP")
    check(of(tag, out) == [b"UID REMOVEFROM (0 3,5)"], "and gone", out)
    check(of(sort, out) == [b"UID REMOVEFROM (2 5 3 3)"], "in order", out)
    w.ok("CANCELUPDATE %s" % sort[6:-2].decode())
    out = w.ok("STORE 7 -FLAGS (hot)")
    check(of(sort, out) == [] and of(tag, out), "cancelled", out)
    for _ in range(20):
        out = w.ok("SEARCH RETURN (UPDATE) UNKEYWORD hot")
        if any(b"NOUPDATE" in r for r in out):
            break
    check(any(r.startswith(b"* NO [NOUPDATE ") for r in out),
          "there is a limit", out)
    other.ok("LOGOUT")
    w.ok("UNSELECT")
    w.ok("SELECT INBOX")
    check(not any(b"ESEARCH" in r for r in w.ok("STORE 9 +FLAGS (hot)")),
          "contexts end with the mailbox")


def expunges(w):
    """Numbers in REMOVEFROM are those before each EXPUNGE."""
    w.ok("CREATE gone")
    w.ok("COPY 1:6 gone")
    w.ok("SELECT gone")
    w.ok("SEARCH RETURN (UPDATE) ALL")
    w.ok("STORE 2,4:5 +FLAGS (\\Deleted)")
    want = [int(n) for n in re.findall(
        rb"\d+", b" ".join(w.ok("SEARCH DELETED")).split(b"SEARCH")[1])]
    out = [r for r in w.ok("EXPUNGE") if b"EXPUNGE" in r or b"ESEARCH" in r]
    said = [int(re.search(rb"\* (\d+) EXPUNGE", r).group(1))
            for r in out[1::2]]
    removed = [int(re.search(rb"REMOVEFROM \(0 (\d+)\)", r).group(1))
               for r in out[0::2]]
    check(said == removed and len(said) == len(want),
          "REMOVEFROM before EXPUNGE", out)
    held_back(w)
    w.ok("SELECT INBOX")
    w.ok("DELETE gone")


def held_back(w):
    """RFC 7162, 3.2.10.2: none while numbers are searched for, not even by UID; "$" has none."""
    other = Wire("carol")
    other.ok("SELECT gone")
    for command, told in (("UID SEARCH 1:*", False), ("UID SEARCH NOT (OR SEEN 1)", False),
                          ("UID SORT (DATE) UTF-8 1", False), ("UID SEARCH UID 1:* NOT $", True)):
        w.ok("COPY 1 gone")
        other.ok("NOOP")
        other.ok("STORE 1 +FLAGS (\\Deleted)")
        other.ok("EXPUNGE")
        out = w.ok(command)
        check(any(b"EXPUNGE" in r for r in out) == told, "EXPUNGE and " + command, out)
        check(any(b"EXPUNGE" in r for r in w.ok("NOOP")) != told, "it comes after " + command)
    other.ok("LOGOUT")


# ---- more than one mailbox

def many(w):
    for name in ("box", "box.one", "box.one.two"):
        w.ok("CREATE " + name)
        w.ok("COPY 1:%d %s" % (len(name), name))
    w.ok("SUBSCRIBE box.one")

    def where(command):
        return [(m.group(1).decode(), m.group(2).decode()) for m in
                (re.match(rb'\* ESEARCH \(TAG "w\d+" MAILBOX (\S+) UIDVALIDITY'
                          rb" \d+\) UID (.*)", r) for r in w.ok(command)) if m]
    every = [("box", "ALL 1:3"), ("box.one", "ALL 1:7"),
             ("box.one.two", "ALL 1:11")]
    check(where("ESEARCH IN (subtree box) ALL") == every, "subtree",
          where("ESEARCH IN (subtree box) ALL"))
    check(where("ESEARCH IN (subtree-one box) ALL") == every[:2],
          "subtree-one")
    check(where('ESEARCH IN (mailboxes ("box" box box.none)) ALL') ==
          every[:1], "mailboxes, each once")
    check(where("ESEARCH IN (subtree box subtree box personal personal "
                "subscribed subscribed mailboxes (box.one box)) ALL")[:3] ==
          every, "each once, however often it is named")
    check(where("ESEARCH IN (subscribed) RETURN (COUNT) ALL")[-1:] ==
          [("box.one", "COUNT 7")], "subscribed")
    check(where("ESEARCH IN (personal) RETURN (MAX) ALL") ==
          [("INBOX", "MAX %d" % N), ("box", "MAX 3"), ("box.one", "MAX 7"),
           ("box.one.two", "MAX 11")], "personal",
          where("ESEARCH IN (personal) RETURN (MAX) ALL"))
    check(where("ESEARCH IN (inboxes) UID 5") == [("INBOX", "ALL 5")],
          "inboxes")
    check(where("ESEARCH UID 5") == [("INBOX", "ALL 5")], "selected")
    check(where("ESEARCH IN (mailboxes box selected) 1:2") == [
        ("INBOX", "ALL 1:2"), ("box", "ALL 1:2")], "numbers of each mailbox",
          where("ESEARCH IN (mailboxes box selected) 1:2"))
    check(where("ESEARCH IN (selected) %d:%d" % (N + 1, N + 9)) == [],
          "numbers beyond the mailbox")
    names = " ".join(["box", "INBOX", "box.none"] * 500)
    got = [b for b, _ in where("ESEARCH IN (mailboxes (%s) subtree (%s)) ALL"
                               % (names, names))]
    check(sorted(got) == ["INBOX"] + [b for b, _ in every], "each once", got)
    # UPDATE is about the selected mailbox, whatever else is searched
    w.ok("ESEARCH IN (mailboxes (box INBOX)) RETURN (UPDATE COUNT) UID %d:*" % (N + 1))
    tag = b'(TAG "w%d" MAILBOX INBOX UIDVALIDITY ' % w.count
    out = [r for r in w.ok("COPY 1 INBOX") if r.startswith(b"* ESEARCH " + tag)]
    check(len(out) == 1 and re.search(rb"UID ADDTO \(0 \d+\)$", out[0]),
          "one of '*' has come", out)
    w.ok("CANCELUPDATE %s" % tag.split()[1].decode())
    w.ok("STORE %d +FLAGS.SILENT (\\Deleted)" % (N + 1))
    w.ok("UID EXPUNGE %d:*" % (N + 1))
    out = w.cmd("ESEARCH IN (mailboxes box) RETURN (UPDATE COUNT) ALL")[0]
    check(any(b"[NOUPDATE " in r for r in out), "another is not kept", out)
    check(where("ESEARCH IN (subtree box) KEYWORD none") == [],
          "nothing is said of nothing")
    a = Wire("carol")
    check(a.cmd("ESEARCH ALL")[1].startswith(b"BAD"), "nothing is selected")
    check(len(a.ok("ESEARCH IN (mailboxes box) ALL")) == 1,
          "without a selected mailbox")
    a.ok("LOGOUT")
    for name in ("box.one.two", "box.one", "box"):
        w.ok("DELETE " + name)


# ---- other clients

def rev2(_):
    w = Wire("carol")
    w.ok("ENABLE IMAP4rev2")
    w.ok("SELECT INBOX")
    answer(w, "SEARCH 3:7", '(TAG "t") ALL 3:7')
    w.ok("LOGOUT")
    w = Wire("carol")
    w.ok("ENABLE UIDONLY")
    w.ok("SELECT INBOX")
    answer(w, "SEARCH ALL", "BAD")
    answer(w, "UID SEARCH 3:7", "BAD [UIDREQUIRED]")
    check(numbers(w.ok("UID SEARCH UID 3:7")) == [3, 4, 5, 6, 7],
          "UIDs with UIDONLY")
    w.ok("LOGOUT")
    w = Wire("carol")
    w.ok("ENABLE UTF8=ACCEPT")
    w.ok("SELECT INBOX")
    answer(w, "SEARCH CHARSET UTF-8 ALL", "BAD")
    got, r = w.cmd('SEARCH SUBJECT "CAFÉ"')
    check(r.startswith(b"OK") and numbers(got), "UTF-8 in quotes", r)
    for command in (b'SEARCH SUBJECT "CAF\xc9"', b"SEARCH SUBJECT {4+}\r\nCAF\xc9", b'LIST "" "\xed\xa0\x80*"',
                    b'STATUS "INBOX\xff" (MESSAGES)', b'SEARCH SUBJECT {1+}\r\na BODY "\xff" TEXT {5+}\r\nb BAD',
                    b'STORE 1 +FLAGS ("\xff")', b'APPEND "\xff" {5+}\r\nhello', b'APPEND INBOX (\\Seen) "\xff" {5+}\r\nhello',
                    b'APPEND INBOX CATENATE (TEXT {2+}\r\nab URL "\xff")'):
        answer(w, command, "BAD")
    # Horde's client leaves the charset out
    for given, without in (("THREAD REFERENCES UTF-8 1:5", "THREAD REFERENCES 1:5"), ("UID SORT (DATE) UTF-8 UID 2:9 NOT SEEN",
                                                                                     "UID SORT (DATE) UID 2:9 NOT SEEN")):
        check(w.ok(without) == w.ok(given), without + " without a charset")
    answer(w, "SORT (DATE) KOI-99 ALL", "NO [BADCHARSET")
    answer(w, "SORT (DATE) ALL NOSUCHKEY", "BAD")
    answer(w, "SORT (DATE) UTF-8", "BAD")
    w.ok("LOGOUT")
    w = Wire("carol")
    w.ok("SELECT INBOX")
    answer(w, "SORT (DATE) ALL", "BAD")
    w.ok("LOGOUT")


def broken_headers(w):
    """Lines that are no fields hide none behind them, and are found."""
    fields = b"X-Place: there apple\r\nSubject: orange\r\n"
    w.ok(b"CREATE Broken")
    for line in (b"From fred Mon Jan  1 00:00:00 2001", b">From fred", b" fred",
                 b"no field =?utf-8?q?fr=65d?=", b": fred", b"no field: fred"):
        for m in (line + b"\r\n" + fields, b"To: x\r\n" + line + b"\r\n" +
                  fields, fields + line + b"\r\n"):
            w.ok(b"APPEND Broken {%d+}\r\n" % (len(m) + 8) + m +
                 b"\r\nplum\r\n")
    w.ok(b"SELECT Broken")
    for key in (b"TEXT apple", b"TEXT orange", b"TEXT fred", b"TEXT plum",
                b"HEADER X-Place there", b'HEADER X-Place ""', b"SUBJECT or",
                b"TEXT \"X-Place: there apple\"", b"BODY plum"):
        got = numbers(w.ok(b"SEARCH " + key))
        check(len(got) == 18, "broken headers: " + key.decode(), got)
    for key in (b"BODY apple", b"BODY fred", b"TEXT \"fred orange\"",
                b"HEADER X-Place fred"):
        got = numbers(w.ok(b"SEARCH " + key))
        check(got == [], "not in broken headers: " + key.decode(), got)
    got = numbers(w.ok(b'SEARCH TEXT "Jan  1 00:00:00 2001"'))
    check(len(got) == 3, "such a line as it stands", got)


def as_written(w):
    """HEADER finds what stands in a message, FROM and the like what its ENVELOPE has of it; a fold is a blank."""
    w.ok(b"CREATE Written")
    for m in (b'From: "Joe Q" <joe@a.test>\r\nTo: b@b.test,"c, d" <e@f.test> (two  of them)\r\n'
              b"Subject: folded\r\n\tat a tab  twice\r\nReceived: from one\r\n\tby two\r\n\r\nx\r\n",
              b"From: Joe Q <joe@a.test>\r\nTo: <b@b.test>, <e@f.test>\r\nSubject: folded at a tab\r\n\r\nx\r\n"):
        w.ok(b"APPEND Written {%d+}\r\n" % len(m) + m)
    w.ok(b"SELECT Written")
    for key, want in ((b'FROM "joe q <joe"', [1, 2]), (b'HEADER From "joe q <joe"', [1, 2]), (b'HEADER From "\\"joe q\\""', [1]),
                      (b'HEADER From "joe q\\" <JOE@a.test>"', [1]), (b'HEADER From "<joe@a.test>"', [1, 2]),
                      (b'HEADER From "\\"ann\\""', []), (b'HEADER To "b.test,"', [1]), (b'HEADER To "(two  of"', [1]),
                      (b'HEADER To "b.test>, <e"', [2]), (b'TO "(two"', []), (b'NOT HEADER To "(two"', [2]),
                      (b'HEADER To "b.test, c"', []), (b'HEADER Subject "tab  twice"', [1]), (b'HEADER Subject "tab twice"', [1]),
                      (b'HEADER Subject "folded at a tab"', [1, 2]), (b'SUBJECT "folded at"', [1, 2]), (b'TEXT "folded at"', [1, 2]),
                      (b'HEADER Received "one by two"', [1]), (b'TEXT "one by two"', [1]), (b'TEXT "onebytwo"', [])):
        got = numbers(w.ok(b"SEARCH " + key))
        check(got == want, "as written: " + key.decode(), got)


def order(w):
    by = sorted(mails, key=lambda m: m.time - 7200 if m.date else m.time)
    check(numbers(w.ok("SORT (DATE) UTF-8 ALL"), b"SORT") ==
          [m.number for m in by], "SORT (DATE)")
    by = sorted(mails, key=lambda m: m.sender.split("@")[0])
    check(numbers(w.ok("SORT (FROM) UTF-8 ALL"), b"SORT") ==
          [m.number for m in by], "SORT (FROM)")
    by = sorted(mails, key=lambda m: -len(m.bytes()) - m.bytes().count(b"\n"))
    check(numbers(w.ok("SORT (REVERSE SIZE) UTF-8 ALL"), b"SORT") ==
          [m.number for m in by], "SORT (REVERSE SIZE)")
    for how in ("REFERENCES", "REFS", "ORDEREDSUBJECT"):
        out = w.ok("THREAD %s UTF-8 ALL" % how)[0]
        check(sorted(int(n) for n in re.findall(rb"\d+", out)) ==
              list(range(1, N + 1)) and out.count(b"(") == out.count(b")"),
              "THREAD %s has each message once" % how, out)
    check(w.ok("THREAD REFERENCES UTF-8 KEYWORD none")[0] == b"* THREAD",
          "no threads")
    # RFC 5256 5: a blank belongs to a thread
    cur = os.path.join(MAILDIR, ".Deserted", "cur")
    w.ok("CREATE Deserted")
    with open(os.path.join(cur, "1.gone.test:2,"), "w") as f:
        f.write("Subject: gone\n\nbody\n")
    w.ok("SELECT Deserted")
    os.unlink(os.path.join(cur, "1.gone.test:2,"))
    out = w.ok("THREAD REFERENCES UTF-8 ALL")
    check(out[0] == b"* THREAD", "no threads of what has gone", out)
    w.ok("SELECT INBOX")


# ---- beside Dovecot

class Dovecot:
    """Its imap process alone, over a copy of the Maildir, as nobody."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="posthouse-search.")
        shutil.copytree(MAILDIR, self.dir + "/Maildir")
        conf = self.dir + "/conf"
        with open(conf, "w") as f:
            f.write("base_dir = {0}/run\nstate_dir = {0}/state\nssl = no\n"
                    "log_path = {0}/log\nprotocols = imap\n"
                    "mail_location = maildir:{0}/Maildir:INDEX=MEMORY\n"
                    "first_valid_uid = 1\nfirst_valid_gid = 0\n"
                    .format(self.dir))
        subprocess.run(["chown", "-R", "nobody:nogroup", self.dir], check=True)
        self.process = subprocess.Popen(
            [DOVECOT, "-c", conf], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, user="nobody",
            group="nogroup", env={"USER": "nobody", "HOME": self.dir,
                                  "PATH": os.environ["PATH"]})
        self.process.stdout.readline()

    def ask(self, command):
        self.process.stdin.write(b"x " + command + b"\r\n")
        self.process.stdin.flush()
        out = []
        while True:
            line = self.process.stdout.readline()
            if line == b"":
                raise AssertionError("Dovecot ends at %r" % command)
            if line.startswith(b"x "):
                return out
            out.append(line.rstrip())

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.dir)


def random_key(depth=0):
    k = R.random()
    if depth < 3 and k < .12:
        return b"NOT " + random_key(depth + 1)
    if depth < 3 and k < .24:
        return b"OR " + random_key(depth + 1) + b" " + random_key(depth + 1)
    if depth < 3 and k < .32:
        return b"(" + random_key(depth + 1) + b" " + random_key(depth + 1) + \
            b")"
    word = q(R.choice(WORDS + ["caf", "STRASSE", "hello world", "ex1", "u1",
                               "Doe, John", "jörg", "quote", "team", "zo"]))
    return R.choice([
        lambda: R.choice(b"ALL ANSWERED DELETED DRAFT FLAGGED SEEN UNSEEN "
                         b"UNDELETED".split()),
        lambda: b"KEYWORD $Label1",
        lambda: R.choice([b"FROM ", b"TO ", b"CC ", b"SUBJECT "]) + word,
        lambda: R.choice([b"TEXT ", b"BODY "]) + word,
        lambda: b"HEADER " + R.choice([b"X-Spam ", b"References ", b"From ",
                                       b"Date ", b"Reply-To "]) + word,
        lambda: R.choice([b"SINCE ", b"BEFORE ", b"ON ", b"SENTSINCE ",
                          b"SENTBEFORE ", b"SENTON "]) +
        R.choice([b"14-Sep-2020", b"17-Sep-2020", b"20-Sep-2020"]),
        lambda: R.choice([b"LARGER ", b"SMALLER ", b"UID 5:"]) +
        b"%d" % R.randrange(300, 1200),
        lambda: b"%d:%d" % (R.randrange(1, N), R.randrange(1, N)),
    ])()


def random_command():
    k = R.random()
    if k < .6:
        return b"SEARCH " + random_key() + b" " + random_key()
    if k < .8:
        # Twice the same criterion is something else to Dovecot.
        order = R.sample(b"ARRIVAL CC DATE FROM SIZE SUBJECT TO DISPLAYFROM "
                         b"DISPLAYTO".split(), R.randrange(1, 4))
        return b"SORT (" + b" ".join(
            R.choice([b"", b"REVERSE "]) + key for key in order) + \
            b") UTF-8 " + random_key()
    return b"THREAD " + R.choice(b"REFERENCES REFS ORDEREDSUBJECT".split()) + \
        b" UTF-8 " + random_key()


def fresh_answer(command):
    d = Dovecot()
    try:
        d.ask(b"SELECT INBOX")
        return [r for r in d.ask(command) if r.startswith(b"* SORT")]
    finally:
        d.close()


def beside_dovecot(w):
    if not os.path.exists(DOVECOT) or os.geteuid() != 0:
        check(True, "Dovecot's answers # SKIP not installed, or not root")
        return
    d = Dovecot()
    try:
        d.ask(b"SELECT INBOX")
        for kind in (b"SEARCH", b"SORT", b"THREAD"):
            differ = []
            count = 0
            while count < 100:
                command = random_command()
                if not command.startswith(kind):
                    continue
                count += 1
                ours = [r for r in w.ok(command) if r.startswith(b"* " + kind)]
                theirs = [r for r in d.ask(command)
                          if r.startswith(b"* " + kind)]
                if ours != theirs and kind == b"SORT":
                    # What it remembers of a string that it sorted before may
                    # put an equal one elsewhere; one that remembers nothing
                    # does not.
                    theirs = fresh_answer(command)
                if ours != theirs:
                    differ.append((command, ours, theirs))
            check(not differ, "100 times %s as Dovecot" % kind.decode(),
                  differ)
    finally:
        d.close()


mails = []
for number in range(1, N + 1):
    mails.append(Mail(number, [m.id for m in mails]))
# other tests of the stage may have used it
remove(MAILDIR)
w = Wire("carol")
w.ok("SELECT INBOX")
w.ok("UNSELECT")
fill(MAILDIR, mails)
w.ok("SELECT INBOX")
for step in (keys, refused, extended, order, beside_dovecot, updates,
             expunges, many, rev2, broken_headers, as_written):
    step(w)
w.ok("LOGOUT")
sys.exit(check.end())
