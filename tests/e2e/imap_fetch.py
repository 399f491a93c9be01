"""FETCH: every attribute, sections against ranges of bytes computed here and
against Python's email package, partials at every edge, messages of all
sizes and line ends, broken MIME, messages that vanish. TAP."""
import base64
import email
import email.policy
import hashlib
import os
import quopri
import re
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from e2e import runs_in  # noqa: E402
from imapwire import Checks, Wire, literal, remove  # noqa: E402

DIR = os.environ["PH_DIR"]
USER = "carol"
HOME = os.path.join(DIR, "mail", USER)
MAILDIR = os.path.join(HOME, "Maildir")
check = Checks()


def own(path):
    st = os.stat(HOME)
    os.chown(path, st.st_uid, st.st_gid)


def put(number, content):
    path = os.path.join(MAILDIR, "cur", "%d.M%dP1.here:2," %
                        (1700000000 + number, number))
    with open(path, "wb") as f:
        f.write(content)
    os.utime(path, (1700000000 + number,) * 2)
    own(path)
    return path


def crlf(content):
    return re.sub(b"(?<!\r)\n", b"\r\n", content)


def wire(content):
    return crlf(content).replace(b"\0", b"\x80")


def split(message):
    """Header with its empty line, and body."""
    if message.startswith(b"\r\n"):
        return message[:2], message[2:]
    at = message.find(b"\r\n\r\n")
    return (message, b"") if at == -1 else (message[:at + 4], message[at + 4:])


def leaves(message, prefix=()):
    """(numbers, header, body) of each part, from the bytes alone."""
    header, body = split(message)
    m = email.message_from_bytes(header, policy=email.policy.compat32)
    if m.get_content_maintype() == "multipart":
        mark = b"--" + m.get_boundary().encode()
        pieces = (b"\r\n" + body).split(b"\r\n" + mark)[1:]
        for i, piece in enumerate(pieces):
            if piece.startswith(b"--"):
                break
            part = piece[piece.index(b"\r\n") + 2:]
            where = prefix + (i + 1,)
            yield (where,) + split(part)
            inner = email.message_from_bytes(split(part)[0])
            if inner.get_content_maintype() == "multipart":
                yield from leaves(part, where)
            elif inner.get_content_type() == "message/rfc822":
                yield from nested(split(part)[1], where)
    elif not prefix:
        yield ((1,), header, body)


def nested(message, where):
    header = split(message)[0]
    inner = email.message_from_bytes(header)
    yield (where + ("HEADER",), header, header)
    yield (where + ("TEXT",), header, split(message)[1])
    if inner.get_content_maintype() == "multipart":
        yield from leaves(message, where)
    else:
        yield (where + (1,), header, split(message)[1])


SMALL = b"From: a@b.example\nSubject: small\n\nx\ny\n"
MIXED = b"From: a@b.example\r\nSubject: mixed\n\none\r\ntwo\nthree\rfour\n\r\n"
NUL = b"Subject: nul\n\nab\0c\0\n"
ODD = b"no field here\nSubject : odd\n folded\n\tmore\nX-A: 1\nx-a: 2\n\nz\n"
HEADER_ONLY = b"Subject: header only\nTo: c@d.example"
EMPTY_HEADER = b"\nbody\n"
NESTED = b"""From: a@b.example
Subject: nested
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="out"

preamble
--out

first, without a header
--out
Content-Type: multipart/alternative; boundary=in

--in
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

gr=C3=BC=C3=9Fe an alle=
 Welt
--in
Content-Type: text/html

<html><body><p>Gr&uuml;&szlig;e</p></body></html>

--in--
--out
Content-Type: message/rfc822
Content-Description: forwarded

From: c@d.example
Subject: inside
Content-Type: multipart/mixed; boundary=deep

--deep
Content-Type: text/plain

deep one
--deep
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

AAECAwQF
BgcICQ==
--deep--
--out
Content-Type: message/rfc822

Subject: plain inside

just text
--out--
epilogue
"""
BROKEN = [
    b"Content-Type: multipart/mixed\n\nno boundary\n",
    b"Content-Type: multipart/mixed; boundary=x\n\n--x\n\nnever ends\n",
    b"Content-Type: multipart/mixed; boundary=x\n\nnever begins\n",
    b"Content-Type: text/plain; charset=\n\nbad parameter\n",
    b"Content-Type: message/rfc822\n\n",
    b"Content-Type: multipart/mixed; boundary=x\n\n--x--\n",
    b"",
    b"\n",
    b"\r\n\r\n",
    b"a",
]
LINE = b"0123456789abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ\n"
BIG = (b"From: big@b.example\nSubject: big\nContent-Type: multipart/mixed; "
       b"boundary=bb\n\n--bb\n\n" + LINE * 4000 +
       b"\n--bb\nContent-Type: application/x\nContent-Transfer-Encoding: "
       b"base64\n\n" + base64.encodebytes(bytes(range(256)) * 1500) +
       b"--bb--\n")
BIG_CRLF = crlf(BIG.replace(b"Subject: big", b"Subject: big crlf"))
LONG_HEADER = (b"Subject: long\n" +
               b"".join(b"X-%d: %s\n" % (i, b"v" * (i % 900))
                        for i in range(800)) +
               b"X-Endless: " + b"e" * 200000 + b"\nLast: one\n\nbody\n")

SMALL_CRLF, NESTED_CRLF = crlf(SMALL), crlf(NESTED)
MESSAGES = [SMALL, SMALL_CRLF, MIXED, NUL, ODD, HEADER_ONLY, EMPTY_HEADER,
            NESTED, NESTED_CRLF] + BROKEN + [BIG, BIG_CRLF, LONG_HEADER]
NUMBER = {id(m): i + 1 for i, m in enumerate(MESSAGES)}


def no(message):
    return NUMBER[id(message)]


def fill():
    remove(MAILDIR)
    for sub in ("", "tmp", "new", "cur"):
        os.mkdir(os.path.join(MAILDIR, sub), 0o700)
        own(os.path.join(MAILDIR, sub))
    return [put(i + 1, m) for i, m in enumerate(MESSAGES)]


def one(w, number, item, label=None):
    """The string that a single item is answered with."""
    label = label or item.replace(".PEEK", "")
    r = w.fetch("FETCH %d %s" % (number, item))
    want = b"* %d FETCH (" % number
    if len(r) != 1 or not r[0].startswith(want + label.encode() + b" ") or \
       not r[0].endswith(b")"):
        raise AssertionError("%s: %r" % (item, r)[:500])
    return literal(r[0], label.encode())


def whole(w):
    bad = []
    for i, m in enumerate(MESSAGES):
        n, want = i + 1, wire(m)
        head, body = split(want)
        size = w.fetch("FETCH %d RFC822.SIZE" % n)[0]
        if size != b"* %d FETCH (RFC822.SIZE %d)" % (n, len(want)):
            bad.append((n, size))
        for item, text in (("BODY.PEEK[]", want), ("BODY.PEEK[HEADER]", head),
                           ("BODY.PEEK[TEXT]", body),
                           ("RFC822.HEADER", head)):
            got = one(w, n, item)
            if got != text:
                bad.append((n, item, len(got), len(text), got[:60]))
    check(not bad, "whole messages, headers and texts have CRLF ends and "
          "the right length", bad)


def sections(w):
    for m in (NESTED, NESTED_CRLF, BIG, BIG_CRLF):
        bad, count = [], 0
        for where, header, body in leaves(wire(m)):
            spec = ".".join(str(x) for x in where)
            count += 1
            if one(w, no(m), "BODY.PEEK[%s]" % spec) != body:
                bad.append(spec)
            if isinstance(where[-1], int) and len(where) < 3 and \
               one(w, no(m), "BODY.PEEK[%s.MIME]" % spec) != header:
                bad.append(spec + ".MIME")
        check(not bad and count >= 2, "%d sections of message %d" %
              (count, no(m)), bad)
    parsed = email.message_from_bytes(NESTED)
    part = parsed.get_payload()[1].get_payload()[0]
    got = one(w, no(NESTED), "BINARY.PEEK[2.1]")
    check(got == part.get_payload(decode=True), "BINARY undoes "
          "quoted-printable as Python does", got)
    inner = parsed.get_payload()[2].get_payload()[0]
    want = inner.get_payload()[1].get_payload(decode=True)
    r = w.fetch("FETCH %d (BINARY.PEEK[3.2] BINARY.SIZE[3.2])" % no(NESTED))
    check(r == [b"* %d FETCH (BINARY[3.2] ~{10}\r\n" % no(NESTED) + want +
                b" BINARY.SIZE[3.2] 10)"], "what has NUL comes as a literal8",
          r)
    got = one(w, no(NESTED), "BINARY.PEEK[3.2]<3.4>", "BINARY[3.2]<3>")
    check(got == want[3:7], "a partial of BINARY counts decoded bytes", got)
    check(one(w, no(NESTED), "BODY.PEEK[3.HEADER.FIELDS (SUBJECT)]") ==
          b"Subject: inside\r\n\r\n", "fields of a message in a message")
    lines = BROKEN[0].count(b"\n", BROKEN[0].index(b"\n\n") + 2)
    got = one(w, no(BROKEN[0]), "BODY.PEEK[1]")
    r = w.fetch("FETCH %d (BODY BINARY.SIZE[1])" % no(BROKEN[0]))
    check(got == split(wire(BROKEN[0]))[1] and
          b'"7bit" %d %d) "mixed") BINARY.SIZE[1] %d)' %
          (len(got), lines, len(got)) in r[0], "without a boundary all is "
          "part 1, in the structure, too", (got, r))
    check(one(w, no(NESTED), "BODY.PEEK[7]") == b"" and
          one(w, no(NESTED), "BODY.PEEK[1.TEXT]") == b"",
          "a part that is not there is empty")


def fields(w):
    n = no(ODD)
    rows = [
        ("BODY.PEEK[HEADER.FIELDS (SUBJECT)]",
         b"Subject : odd\r\n folded\r\n\tmore\r\n\r\n"),
        ("BODY.PEEK[HEADER.FIELDS (x-A nothing)]",
         b"X-A: 1\r\nx-a: 2\r\n\r\n"),
        ("BODY.PEEK[HEADER.FIELDS.NOT (X-A)]",
         b"no field here\r\nSubject : odd\r\n folded\r\n\tmore\r\n\r\n"),
        ("BODY.PEEK[HEADER.FIELDS (nothing)]", b"\r\n"),
        ('BODY.PEEK[HEADER.FIELDS ("a b" X-A)]',
         b"X-A: 1\r\nx-a: 2\r\n\r\n"),
    ]
    bad = [(i, one(w, n, i)) for i, want in rows if one(w, n, i) != want]
    check(not bad, "fields, as the client named them", bad)
    n = no(LONG_HEADER)
    got = one(w, n, "BODY.PEEK[HEADER.FIELDS (Last x-77 X-ENDLESS)]")
    check(got == b"X-77: " + b"v" * 77 + b"\r\nX-Endless: " + b"e" * 200000 +
          b"\r\nLast: one\r\n\r\n", "fields of a long header", len(got))
    head = split(wire(LONG_HEADER))[0]
    got = one(w, n, "BODY.PEEK[HEADER.FIELDS.NOT (Last)]")
    check(got == head.replace(b"Last: one\r\n", b""),
          "a long header without one field, made twice", len(got))
    got = one(w, n, "BODY.PEEK[HEADER.FIELDS.NOT (Last)]<300000.100000>",
              "BODY[HEADER.FIELDS.NOT (Last)]<300000>")
    check(got == head.replace(b"Last: one\r\n", b"")[300000:400000],
          "a piece of it", len(got))


def partials(w):
    bad = []
    for m in (SMALL, SMALL_CRLF, MIXED):
        want = wire(m)
        head = split(want)[0]
        for a in range(len(want) + 2):
            for n in (1, 2, 3, len(want), len(want) + 5):
                got = one(w, no(m), "BODY.PEEK[]<%d.%d>" % (a, n),
                          "BODY[]<%d>" % a)
                if got != want[a:a + n]:
                    bad.append((no(m), a, n, got))
            got = one(w, no(m), "BODY.PEEK[TEXT]<%d.2>" % a,
                      "BODY[TEXT]<%d>" % a)
            if got != want[len(head):][a:a + 2]:
                bad.append((no(m), a, "TEXT", got))
    check(not bad, "partials at every edge of small messages", bad[:5])
    bad = []
    for m in (BIG, BIG_CRLF):
        want = wire(m)
        for edge in (0, 65536, 131072, len(want)):
            for a in range(max(0, edge - 2), edge + 3):
                for n in (1, 3, 65536, 200000):
                    got = one(w, no(m), "BODY.PEEK[]<%d.%d>" % (a, n),
                              "BODY[]<%d>" % a)
                    if got != want[a:a + n]:
                        bad.append((no(m), a, n, len(got)))
        pieces, step = [], 70001
        for a in range(0, len(want), step):
            pieces.append(one(w, no(m), "BODY.PEEK[]<%d.%d>" % (a, step),
                              "BODY[]<%d>" % a))
        if b"".join(pieces) != want:
            bad.append((no(m), "in order"))
    check(not bad, "partials at the edges of pieces of big ones", bad[:5])
    want = bytes(range(256)) * 1500
    for m in (BIG, BIG_CRLF):
        r = w.fetch("FETCH %d (BINARY.SIZE[2])" % no(m))
        got = one(w, no(m), "BINARY.PEEK[2]")
        check(got == want and b"BINARY.SIZE[2] %d" % len(want) in r[0],
              "a big part without its base64", len(got))
        got = one(w, no(m), "BINARY.PEEK[2]<300000.70000>",
                  "BINARY[2]<300000>")
        check(got == want[300000:370000], "a piece of it", len(got))


def read_by(pids):
    """Bytes and calls of read(2) and its kin, so far; for root to see."""
    got = [0, 0]
    for pid in pids if os.geteuid() == 0 else ():
        with open("/proc/%s/io" % pid) as f:
            for line in f:
                got[0] += int(line.split()[1]) if line.startswith("rchar") else 0
                got[1] += int(line.split()[1]) if line.startswith("syscr") else 0
    return got


def sessions():
    """Of this stage: others on the machine come and go."""
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                if b"imapd-session" in f.read() and runs_in(pid, DIR):
                    found.add(pid)
        except OSError:
            pass
    return found


def in_pieces(w, n, item, size, step=65536):
    """All of it, piece by piece, against its digest; what was read for it."""
    digest = hashlib.sha256()
    for a in range(0, size, step):
        digest.update(one(w, n, "%s<%d.%d>" % (item, a, step), "%s<%d>" % (item.replace(".PEEK", ""), a)))
    return digest.hexdigest()


def huge():
    """A 30 MB attachment in pieces of 64 KiB: what the session reads grows with the message, not with its square."""
    data = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(30 * 1024 * 1024 // 32))
    head = (b"Subject: huge\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=h\n\n--h\n\ntext\n--h\n"
            b"Content-Type: application/octet-stream\nContent-Transfer-Encoding: ")
    b64 = head + b"base64\n\n" + base64.encodebytes(data) + b"--h--\n"
    small = data[:len(data) // 10].translate(None, b"\r\n")
    qp = head + b"quoted-printable\n\n" + quopri.encodestring(small) + b"\n--h--\n"
    paths = [put(9000, b64), put(9001, qp)]
    before = sessions()
    w = Wire(USER)
    mine = sessions() - before
    try:
        w.ok("EXAMINE INBOX")
        last = int(w.ok("SEARCH ALL")[0].split()[-1])
        uid = [int(re.search(rb"UID (\d+)", r).group(1)) for r in w.fetch("FETCH %d:%d (UID)" % (last - 1, last))]
        check(len(uid) == 2, "two huge messages", uid)
        for at, item, text, of in ((last - 1, "BINARY.PEEK[2]", data, b64), (last, "BINARY.PEEK[2]", small, qp),
                                   (last - 1, "BODY.PEEK[]", crlf(b64), b64),
                                   (last - 1, "BODY.PEEK[2]", crlf(base64.encodebytes(data)[:-1]), b64)):
            w.fetch("FETCH %d (BODYSTRUCTURE RFC822.SIZE)" % at)
            start = read_by(mine)
            digest = in_pieces(w, at, item, len(text))
            end = read_by(mine)
            check(digest == hashlib.sha256(text).hexdigest(), "%s of %d bytes in pieces" % (item, len(of)), digest)
            pieces = len(text) // 65536 + 1
            got = (end[0] - start[0], end[1] - start[1])
            if os.geteuid() == 0:
                check(len(mine) != 1 or (got[0] < 2.5 * len(of) and got[1] < 5 * pieces),
                      "what was read for %s grows with the message" % item, (got, len(of), pieces))
    finally:
        w.close()
        for path in paths:
            os.unlink(path)


def attributes(w):
    n = no(NESTED)
    r = w.fetch("FETCH %d (FLAGS INTERNALDATE RFC822.SIZE UID)" % n)[0]
    check(r == b'* %d FETCH (UID %d FLAGS () INTERNALDATE "%s +0000" '
          b"RFC822.SIZE %d)" % (n, n, time.strftime(
              "%d-%b-%Y %H:%M:%S", time.gmtime(1700000000 + n)).encode(),
              len(wire(NESTED))), "UID comes first, then as asked for", r)
    r = w.fetch("FETCH %d ENVELOPE" % no(SMALL))[0]
    check(r == b'* %d FETCH (ENVELOPE (NIL "small" ((NIL NIL "a" "b.example"))'
          b' ((NIL NIL "a" "b.example")) ((NIL NIL "a" "b.example")) NIL NIL '
          b"NIL NIL NIL))" % no(SMALL), "ENVELOPE", r)
    structure = w.fetch("FETCH %d BODYSTRUCTURE" % n)[0]
    body = w.fetch("FETCH %d BODY" % n)[0]
    check(b'"mixed" ("boundary" "out")' in structure and
          b'"boundary"' not in body and body.endswith(b'"mixed"))') and
          structure.count(b"(") == structure.count(b")"),
          "BODYSTRUCTURE and BODY", (structure, body))
    names = {
        "FAST": [b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"],
        "ALL": [b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE"],
        "FULL": [b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE",
                 b"BODY"],
    }
    bad = []
    for macro, items in names.items():
        r = w.fetch("FETCH 1 %s" % macro)[0]
        at = [r.find(b" " + i + b" ") if j else r.find(b"(" + i + b" ")
              for j, i in enumerate(items)]
        if -1 in at or at != sorted(at):
            bad.append(r)
    check(not bad, "ALL, FAST and FULL", bad)
    r = w.fetch("FETCH 1:2 (EMAILID THREADID SAVEDATE)")
    m = [re.fullmatch(rb'\* \d FETCH \(EMAILID \(([A-Za-z0-9_-]{1,255})\) '
                      rb'THREADID NIL SAVEDATE "[^"]{26}"\)', x) for x in r]
    check(None not in m and m[0].group(1) != m[1].group(1),
          "EMAILID, THREADID and SAVEDATE", r)
    got = one(w, n, "PREVIEW")
    check(got == b"first, without a header", "PREVIEW", got)
    got = one(w, n, "PREVIEW (LAZY)", "PREVIEW")
    check(got == b"first, without a header", "PREVIEW (LAZY)", got)
    got = one(w, no(BIG), "PREVIEW")
    check(len(got) <= 200 and LINE.strip() in got, "PREVIEW of a long text",
          got)
    check(one(w, no(EMPTY_HEADER), "PREVIEW") == b"body" and
          one(w, no(BROKEN[6]), "PREVIEW") == b"", "PREVIEW of next to "
          "nothing")
    r = w.fetch("UID FETCH 1:3 FLAGS")
    check([x.split(b" FLAGS")[0] for x in r] ==
          [b"* %d FETCH (UID %d" % (i, i) for i in (1, 2, 3)],
          "UID FETCH tells the UIDs", r)
    r = w.fetch("UID FETCH 4294967295 FLAGS")
    check(r == [], "the largest number is no star", r)
    r = w.cmd("FETCH 4294967295 FLAGS")[1]
    check(r.startswith(b"BAD"), "nor is it as a sequence number", r)
    r = w.fetch("FETCH 1 (BODY.PEEK[] BODY.PEEK[] FLAGS FLAGS)")[0]
    check(r.count(b"BODY[]") == 1 and r.count(b"FLAGS") == 1,
          "what is asked for twice is told once", r)


def seen():
    w = Wire(USER)
    w.ok("EXAMINE INBOX")
    r = w.fetch("FETCH 1 BODY[]")[0]
    check(b"FLAGS" not in r, "EXAMINE: nothing is marked", r)
    w.ok("SELECT INBOX")
    r = w.fetch("FETCH 1 (FLAGS BODY.PEEK[] BINARY.PEEK[1] RFC822.HEADER)")[0]
    check(r.startswith(b"* 1 FETCH (FLAGS () "), "nor by PEEK", r)
    r = w.fetch("FETCH 1 BODY[HEADER]")
    check(len(r) == 1 and re.match(rb"\* 1 FETCH \(FLAGS \((\\Recent )?"
                                   rb"\\Seen\) BODY\[HEADER\] ", r[0]),
          r"\Seen is told in the same response", r)
    r = w.fetch("FETCH 1 BODY[HEADER]")
    check(len(r) == 1 and b"FLAGS" not in r[0], "and once", r)
    rows = ["RFC822", "RFC822.TEXT", "BODY[1]", "BINARY[1]", "BODY[]<0.1>"]
    bad = []
    for i, item in enumerate(rows):
        r = w.fetch("UID FETCH %d %s" % (i + 2, item))
        if len(r) != 1 or rb"\Seen" not in r[0]:
            bad.append((item, r))
    check(not bad, "by all that read a text", bad)
    w.ok("ENABLE CONDSTORE")
    r = w.fetch("FETCH 8 (BODY[TEXT] FLAGS)")[0]
    check(re.match(rb"\* 8 FETCH \(FLAGS \((\\Recent )?\\Seen\) MODSEQ "
                   rb"\(\d+\) BODY\[TEXT\] ", r), "with MODSEQ for those who "
          "know of it (RFC 7162 3.2.4)", r[:100])
    w.close()
    names = os.listdir(os.path.join(MAILDIR, "cur"))
    check(sum(1 for x in names if x.endswith(":2,S")) == 7,
          "and is in the names of the files", names)


def mark(number, letter):
    """As another program would."""
    d = os.path.join(MAILDIR, "cur")
    old = [x for x in os.listdir(d)
           if x.startswith("%d." % (1700000000 + number))][0]
    os.rename(os.path.join(d, old), os.path.join(
        d, old.split(":2,")[0] + ":2," +
        "".join(sorted(old.split(":2,")[1] + letter))))


def changes():
    w = Wire(USER)
    w.ok("SELECT INBOX")
    r = w.fetch("FETCH 1 MODSEQ")[0]
    m = re.fullmatch(rb"\* 1 FETCH \(MODSEQ \((\d+)\)\)", r)
    check(m is not None, "MODSEQ", r)
    r = w.fetch("FETCH 1:* (UID MODSEQ)")
    top = max(int(re.search(rb"MODSEQ \((\d+)\)", x).group(1)) for x in r)
    r = w.ok("UID FETCH 1:* FLAGS (CHANGEDSINCE %d)" % top)
    check(not [x for x in r if b"FETCH" in x], "CHANGEDSINCE the last: none",
          r)
    mark(3, "F")
    w.ok("NOOP")
    r = w.fetch("UID FETCH 1:* FLAGS (CHANGEDSINCE %d)" % top)
    check(len(r) == 1 and b"UID 3 " in r[0] and b"MODSEQ (" in r[0],
          "one after a change, with its MODSEQ", r)
    r = w.cmd("UID FETCH 1:* FLAGS (CHANGEDSINCE 1 VANISHED)")[1]
    check(r.startswith(b"BAD"), "VANISHED without QRESYNC", r)
    r = w.fetch("UID FETCH 1:* UID (PARTIAL -1:-2)")
    n = len(MESSAGES)
    check(r == [b"* %d FETCH (UID %d)" % (i, i) for i in (n - 1, n)],
          "PARTIAL from the end", r)
    r = w.fetch("UID FETCH 3:9 UID (PARTIAL 2:3)")
    check(r == [b"* %d FETCH (UID %d)" % (i, i) for i in (4, 5)],
          "PARTIAL from the front", r)
    r = w.fetch("UID FETCH 3:9 UID (PARTIAL 100:200)")
    check(r == [], "PARTIAL beyond the end", r)
    w.close()


def refused(w):
    rows = ["FETCH 1", "FETCH 1 ()", "FETCH 1 NOTHING", "FETCH 1 (FLAGS",
            "FETCH 1 BODY[1.MIME", "FETCH 1 BODY[MIME]", "FETCH 1 BODY[0]",
            "FETCH 1 BODY[]<1>", "FETCH 1 (ALL)", "FETCH 1 FLAGS UID",
            "FETCH 0 FLAGS", "FETCH 999 FLAGS", "FETCH 1, FLAGS",
            "FETCH x FLAGS", "FETCH 1 FLAGS (PARTIAL 1:2)",
            "FETCH 1 BODY[%s1]" % ("1." * 200),
            "FETCH 1 (%s)" % " ".join("BODY[%d]" % i for i in range(1, 1100))]
    bad = [(x[:60], r) for x, r in ((x, w.cmd(x)[1]) for x in rows)
           if not r.startswith(b"BAD")]
    check(not bad, "what makes no sense is BAD", bad)
    out, r = w.cmd("UID FETCH 4000000000 FLAGS")
    check(r.startswith(b"OK") and not out, "a UID that is not there is "
          "nothing", (out, r))
    out = w.fetch("UID FETCH 4000000000:* UID")
    check(len(out) == 1, "but * is always the last one", out)


def no_such_number():
    w = Wire(USER)
    w.ok("SELECT INBOX")
    rows = ["FETCH 999:* FLAGS", "FETCH *:999 FLAGS", "FETCH 1:999 FLAGS"]
    bad = [(x, r) for x, r in ((x, w.cmd(x)[1]) for x in rows)
           if not r.startswith(b"BAD")]
    check(not bad, "beyond the last one: BAD", bad)
    w.ok("CREATE Empty")
    w.ok("SELECT Empty")
    rows = ["FETCH * FLAGS", "FETCH 1:* FLAGS", "STORE * FLAGS (foo)",
            "COPY 1:* INBOX", "MOVE * INBOX"]
    bad = [(x, r) for x, r in ((x, w.cmd(x)[1]) for x in rows)
           if not r.startswith(b"BAD")]
    check(not bad, "there is no last one: BAD (RFC 9051 9)", bad)
    out, r = w.cmd("UID FETCH 1:* FLAGS")
    check(r.startswith(b"OK") and not out, "not so with UIDs", (out, r))
    w.ok("DELETE Empty")
    w.close()


def cannot_decode():
    put(900, b"Content-Type: text/plain\nContent-Transfer-Encoding: "
        b"x-nothing\n\nabc\n")
    w = Wire(USER)
    w.ok("SELECT INBOX")
    n = len(MESSAGES) + 1
    out, r = w.cmd("FETCH %d (UID BINARY.PEEK[1])" % n)
    check(r.startswith(b"NO [UNKNOWN-CTE]") and
          out == [b"* %d FETCH (UID %d)" % (n, n)],
          "an encoding that nobody knows (RFC 3516)", (out, r))
    out, r = w.cmd("FETCH %d BINARY.SIZE[1]" % n)
    check(r.startswith(b"NO [UNKNOWN-CTE]") and not out,
          "nor is its size told", (out, r))
    out, r = w.cmd("FETCH %d BINARY[1]" % n)
    flags = w.fetch("FETCH %d FLAGS" % n)
    check(r.startswith(b"NO [UNKNOWN-CTE]") and not out and
          b"\\Seen" not in flags[0], "and it has not been read then",
          (out, r, flags))
    w.ok("FETCH %d BODY[1]" % n)
    flags = w.fetch("FETCH %d FLAGS" % n)
    check(b"\\Seen" in flags[0], "as it is told it has", flags)
    w.close()


def lines_of_text():
    """RFC 3516, 6: text has CRLF ends, whatever was encoded; nothing else is changed."""
    plain = b"".join(b"line %d%s" % (i, (b"\n", b"\r\n", b"\n\n")[i % 3]) for i in range(30000)) + b"\nend\r"
    text = re.sub(rb"\r?\n", b"\r\n", plain)
    for i, (kind, want) in enumerate((("text/x-diff", text), ("application/x-diff", plain))):
        put(990 + i, b"Content-Type: %s\nContent-Transfer-Encoding: base64\n\n%s" % (kind.encode(), base64.encodebytes(plain)))
        w = Wire(USER)
        n = int(re.search(rb"\* (\d+) EXISTS", b" ".join(w.ok("SELECT INBOX"))).group(1))
        check(one(w, n, "BINARY.PEEK[1]") == want, "lines of " + kind)
        r = w.fetch("FETCH %d BINARY.SIZE[1]" % n)
        check(r == [b"* %d FETCH (BINARY.SIZE[1] %d)" % (n, len(want))], "the size of " + kind, r)
        got = b"".join(one(w, n, "BINARY.PEEK[1]<%d.70001>" % a, "BINARY[1]<%d>" % a) for a in range(0, len(want), 70001))
        check(got == want, "pieces of " + kind, len(got))
        w.close()


def vanished(paths):
    w = Wire(USER)
    w.ok("SELECT INBOX")
    name = [x for x in os.listdir(os.path.join(MAILDIR, "cur"))
            if x.startswith(os.path.basename(paths[1]).split(":")[0])][0]
    os.unlink(os.path.join(MAILDIR, "cur", name))
    out, r = w.cmd("FETCH 1:3 (BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    seen_numbers = [x.split()[1] for x in out if b" FETCH " in x]
    check(seen_numbers == [b"1", b"3"] and
          r.startswith(b"OK [EXPUNGEISSUED]"),
          "a message that has vanished is left out", (out, r))
    w.close()


def wrong_size():
    """The name tells more than there is."""
    path = put(950, BIG)
    os.rename(path, path.split(":2,")[0] + ",S=%d,W=%d:2," %
              (len(BIG), len(wire(BIG)) + 10))
    w = Wire(USER)
    w.ok("SELECT INBOX")
    n = len(MESSAGES) + 2
    got = one(w, n, "BODY.PEEK[]")
    check(got in (wire(BIG), wire(BIG) + b" " * 10) and
          one(w, n, "BODY.PEEK[2]")[:20] ==
          base64.encodebytes(bytes(range(256)))[:20],
          "what was announced comes, though the name tells a wrong size",
          (len(got), len(wire(BIG))))
    w.close()


def by_uid(paths):
    w = Wire(USER)
    w.ok("ENABLE QRESYNC")
    w.ok("SELECT INBOX")
    r = w.fetch("FETCH 1:* MODSEQ")
    top = max(int(x.split(b"(")[2].split(b")")[0]) for x in r)
    start = os.path.basename(paths[4]).split(":")[0]
    name = [x for x in os.listdir(os.path.join(MAILDIR, "cur"))
            if x.startswith(start)][0]
    os.unlink(os.path.join(MAILDIR, "cur", name))
    w.ok("NOOP")
    rows = [("1:*", [b"* VANISHED (EARLIER) 2,5"]),
            ("4:6", [b"* VANISHED (EARLIER) 5"]), ("6:9", [])]
    bad = []
    for numbers, told in rows:
        out = w.ok("UID FETCH %s UID (CHANGEDSINCE %d VANISHED)" %
                   (numbers, top))
        if [x for x in out if b"VANISHED" in x] != told:
            bad.append((numbers, out))
    check(not bad, "VANISHED tells of what was expunged, in the set", bad)
    w.ok("ENABLE UIDONLY")
    r = w.fetch("UID FETCH 6:7 (FLAGS BODY.PEEK[]<0.1>)")
    check([x[:20] for x in r] == [b"* 6 UIDFETCH (FLAGS ",
                                  b"* 7 UIDFETCH (FLAGS "] and
          b"BODY[]<0> {1}\r\n" in r[0], "UIDONLY: UIDFETCH", r)
    r = w.cmd("FETCH 1 FLAGS")[1]
    check(r.startswith(b"BAD [UIDREQUIRED]"), "and no numbers", r)
    w.close()


def gone_away():
    for _ in range(3):
        w = Wire(USER)
        w.ok("SELECT INBOX")
        w.say(b"x FETCH 1:* (BODY.PEEK[] BODY.PEEK[TEXT])\r\n" * 20)
        w.sock.recv(1000)
        w.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          b"\1\0\0\0\0\0\0\0")
        w.close()
    w = Wire(USER)
    w.ok("SELECT INBOX")
    check(one(w, 1, "BODY.PEEK[]") == wire(SMALL), "clients that go away in "
          "the middle leave others alone")
    w.close()


def main():
    paths = fill()
    w = Wire(USER)
    w.ok("SELECT INBOX")
    attributes(w)
    whole(w)
    sections(w)
    fields(w)
    partials(w)
    refused(w)
    w.close()
    seen()
    changes()
    no_such_number()
    cannot_decode()
    wrong_size()
    gone_away()
    vanished(paths)
    by_uid(paths)
    huge()
    lines_of_text()
    return check.end()


sys.exit(main())
