"""FETCH beside Dovecot's on one Maildir: messages written here, and those of the corpus in PH_SHARED where that is;
every difference that is meant has its reason here. TAP on standard output."""
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import dovecot  # noqa: E402
from e2e import Stage, Tap, want  # noqa: E402
from imap import Imap  # noqa: E402

CORPUS = os.path.join(os.environ.get("PH_SHARED", "../shared"), "corpus")
ITEMS = (b"ENVELOPE BODYSTRUCTURE BODY RFC822.SIZE BODY.PEEK[HEADER] BODY.PEEK[TEXT] "
         b"BODY.PEEK[HEADER.FIELDS (Date From Sender Reply-To To Cc Bcc Subject Message-ID Content-Type)] "
         b"BODY.PEEK[HEADER.FIELDS.NOT (Received X-Spam)] " +
         b" ".join(b"BODY.PEEK[%s] BODY.PEEK[%s.MIME]" % (p, p) for p in (b"1", b"2", b"1.1", b"2.1", b"3")) +
         b" BODY.PEEK[2.HEADER] BODY.PEEK[2.TEXT] BODY.PEEK[]")
SIZES = [b"BINARY.SIZE[%s]" % p for p in (b"1", b"2", b"1.1", b"2.1", b"3")]


def value(data, at):
    """(a string, number, NIL or list, where it ends)."""
    if data[at:at + 1] == b"(":
        found, at = [], at + 1
        while data[at:at + 1] != b")":
            if data[at:at + 1] == b" ":
                at += 1
                continue
            one, at = value(data, at)
            found.append(one)
        return found, at + 1
    m = re.compile(rb"~?\{(\d+)\}\r\n").match(data, at)
    if m:
        return b'"' + data[m.end():m.end() + int(m.group(1))], m.end() + int(m.group(1))
    m = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.S).match(data, at)
    if m:
        return b'"' + re.sub(rb"\\(.)", rb"\1", m.group(1)), m.end()
    m = re.compile(rb"[^ ()]+").match(data, at)
    return m.group(0).upper(), m.end()


def attributes(response):
    """{name: value} of "5 FETCH (...)"."""
    at, found = response.index(b"(") + 1, {}
    while response[at:at + 1] != b")":
        m = re.compile(rb" ?([A-Z0-9.]+(?:\[[^]]*\])?) ").match(response, at)
        found[m.group(1).upper()], at = value(response, m.end())
    return found


HEAD = b"From: a@x.test\nSubject: s\n"
OWN = {
    "To three times": HEAD + b"To: b@x.test\nTO: c@x.test, \"D\" <d@x.test>\nto:\nTo: e@x.test\n\nx\n",
    "Cc and Bcc twice": HEAD + b"Cc: b@x.test\nBcc: c@x.test\nCc: d@x.test\nBcc: e@x.test\n\nx\n",
    "From twice": b"From: a@x.test\nFrom: b@x.test\n\nx\n",
    "From twice, empty first": b"From:\nFrom: b@x.test\n\nx\n",
    "Sender twice": HEAD + b"Sender: b@x.test\nSender: c@x.test\n\nx\n",
    "Reply-To twice": HEAD + b"Reply-To: b@x.test\nReply-To: c@x.test\n\nx\n",
    "an open group in two": HEAD + b"To: team: b@x.test,\nTo: c@x.test;\n\nx\n",
    "groups in two": HEAD + b"To: team: b@x.test;\nTo: other: ;\n\nx\n",
    "an open comment in two": HEAD + b"To: b@x.test (c\nTo: c@x.test) d@x.test\n\nx\n",
    "Subject, Date and ids twice": HEAD + b"Subject: t\nDate: Thu, 1 Jan 1970 00:00:00 +0000\nDate: x\n"
                                   b"Message-ID: <1@x>\nMessage-ID: <2@x>\nIn-Reply-To: <3@x>\nIn-Reply-To: <4@x>\n\nx\n",
    "an empty one behind": HEAD + b"To: b@x.test\nTo:\nSubject:\nDate: x\nDate:\nMessage-ID: <1@x>\nMessage-ID: \n\nx\n",
    "what is of a part twice": HEAD + b"MIME-Version: 1.0\nContent-Disposition: inline\nContent-Disposition: attachment; a=b\n"
                               b"Content-ID: <1@x>\nContent-ID: <2@x>\nContent-Description: d\nContent-Description: e\n"
                               b"Content-Language: de\nContent-Language: en\nContent-Location: a\nContent-Location: b\n"
                               b"Content-MD5: c\nContent-MD5: d\nContent-Transfer-Encoding: base64\n"
                               b"Content-Transfer-Encoding: BASE64\nContent-Type: text/html\nContent-Type: image/png\n\neA==\n",
    "empty ones": b"From:\nTo:\nCc: \nSubject:\nDate:\nMessage-ID:\nIn-Reply-To:\n\nx\n",
    "no header": b"\nx\n",
    "nothing": b"",
    "From without an address": b"From: only words\nSender: \nReply-To: ,\n\nx\n",
    "addresses of all kinds": b"From: \"A \\\" B\" <a@x.test> (c), b@[1.2.3.4], <@r.test,@s.test:c@x.test>, d, <>, e@,\n"
                              b" =?utf-8?q?=C3=A4?= <f@x.test>, \xc3\xa4 <g@x.test>, h@x.test (i (j) \"k\"), l . m @ x . test\n\nx\n",
    "Content-Type twice": HEAD + b"Content-Type: text/html\nContent-Type: text/plain; charset=x\n\nx\n",
    "encodings twice": HEAD + b"Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit\n\nx\n",
    "description, id and so on": HEAD + b"Content-ID: <a@b>\nContent-Description: d (e)\nContent-Language: de, en\n"
                                 b"Content-Location: http://x/\nContent-MD5: abc\nContent-Disposition: inline; a=b\n\nx\n",
}


def fill(directory, messages):
    """Names of the messages by their UIDs."""
    cur = os.path.join(directory, "cur")
    for n, (_, content) in enumerate(messages, 1):
        path = os.path.join(cur, "%d.M%dP1.here:2,S" % (1700000000 + n, n))
        with open(path, "wb") as f:
            f.write(content)
        os.utime(path, (1700000000 + n,) * 2)
    own = os.stat(directory)
    for name in os.listdir(cur):
        shutil.chown(os.path.join(cur, name), own.st_uid, own.st_gid)


def fetched(c, uid, items):
    said, done = c.command(b"UID FETCH %d (%s)" % (uid, items))
    if done is None or not done.startswith(b"OK"):    # of ours the others are there
        want("a server that goes on", uid, done is not None)
        return {items: done.split()[0]}
    return attributes(next(s for s in said if b" FETCH (" in s))


def everything(c, uid):
    found = fetched(c, uid, ITEMS)
    sizes = fetched(c, uid, b" ".join(SIZES))
    if not any(size in sizes for size in SIZES):    # NO, of one of them
        for size in SIZES:
            sizes.update(fetched(c, uid, size))
    found.update((size, sizes.get(size)) for size in SIZES)
    return found


def leaf(structure, number):
    """Is that part one without parts, by our BODYSTRUCTURE?"""
    for n in number.split(b"."):
        parts = [p for p in structure if isinstance(p, list)] if isinstance(structure[0], list) else [structure]
        if int(n) > len(parts):
            return False
        structure = parts[int(n) - 1]
    return not isinstance(structure[0], list) and structure[1].lower() not in (b'"rfc822', b'"global')


def plain(v):
    """Without blanks at the ends, and without addresses of nothing."""
    if isinstance(v, list):
        kept = [plain(x) for x in v if x != [b"NIL", b"NIL", b'"MISSING_MAILBOX', b'"MISSING_DOMAIN']]
        return kept or b"NIL"
    return b'"' + v[1:].strip() if v[:1] == b'"' else v


# of the corpus, by what is wrong with them
BROKEN = {
    "an address behind a malformed one, or a name like an address": (
        "From without an address", "addresses of all kinds", "an open comment in two",
        "broken/mikel/error_emails_missing_body.eml", "dsn/sisimai/arf-24.eml", "dsn/sisimai/lhost-sendgrid-03.eml",
        "dsn/sisimai/rfc3464-10.eml", "mime/mikel/plain_emails_raw_email_multiple_from.eml"),
    "Content fields without MIME-Version": ("description, id and so on", "encodings twice"),
    "a disposition that says nothing": ("broken/mikel/error_emails_missing_content_disposition.eml",
                                        "broken/mikel/error_emails_multiple_invalid_content_dispositions.eml"),
    "boundaries that are longer than they may be, or not in quotes": (
        "broken/mail-parser/016.eml", "mime/mikel/plain_emails_raw_email_bad_time.eml"),
    "part 1 of a message that should have parts and has no boundary is as long as what is sent for it": (
        "dsn/sisimai/lhost-office365-09.eml", "dsn/sisimai/lhost-office365-10.eml", "dsn/sisimai/lhost-office365-12.eml"),
    "an encoding that can be understood": ("broken/mikel/error_emails_content_transfer_encoding_with_semi_colon.eml",),
    "no empty line behind the header": ("broken/mail-parser/001.eml", "mime/mail-parser-thirdparty/011.eml", "nothing"),
    "the line end before the outer boundary": ("mime/mail-parser-thirdparty/007.eml",),
}


def meant(name, key, a, b):
    """The reason for which they differ, or None: a and b have all attributes, ours and Dovecot's."""
    ours, theirs = a.get(key), b.get(key)
    for why, names in BROKEN.items():
        if name in names:
            return why
    section = re.search(rb"\[([\d.]+?)(\.MIME)?\]$", key)
    if section and b"." in section.group(1) and ours in (b'"', b"0", b"NO"):
        return "there is no part of a part that has none"
    if key.startswith(b"BINARY.SIZE"):
        if not leaf(a[b"BODYSTRUCTURE"], section.group(1)):
            return "BINARY of what has parts leaves them encoded (RFC 3516)"
        if theirs == b"NO":
            return "what cannot be decoded is passed over"
        return "decoded lines end in CRLF" if int(ours) > int(theirs) else None
    if isinstance(ours, list) and isinstance(theirs, list) and plain(ours) == plain(theirs):
        return "blanks at the ends of fields, or addresses of nothing"
    if section and theirs == ours + b"\r\n" and not leaf(a[b"BODYSTRUCTURE"], section.group(1)):
        return "the line end before the outer boundary"
    return None


def differences(ours, theirs, names):
    """[(name, attribute, our value, Dovecot's)] of those that are not meant; reasons of the others, counted."""
    found, reasons = [], {}
    for uid, name in enumerate(names, 1):
        a, b = everything(ours, uid), everything(theirs, uid)
        for key in sorted(set(a) | set(b)):
            if a.get(key) == b.get(key):
                continue
            why = meant(name, key, a, b)
            if why is None:
                found.append((name, key.decode(), a.get(key), b.get(key)))
            else:
                reasons[why] = reasons.get(why, 0) + 1
    return found, reasons


def beside(messages):
    with Stage(users=1) as st:
        mail = os.path.join(st.dir, "mail", "alice", "Maildir")
        ours = Imap(st, "alice")  # makes it
        fill(mail, messages)
        ours.ok(b"SELECT INBOX")
        with dovecot.Dovecot(st, "imap", os.stat(mail).st_uid) as d:
            theirs = d.login("alice")
            theirs.ok(b"SELECT INBOX")
            wrong, reasons = differences(ours, theirs, [m[0] for m in messages])
    for why, n in sorted(reasons.items()):
        print("# %d times: %s" % (n, why))
    for name, key, a, b in wrong:
        print("# %s %s\n#   ours   %.700r\n#   theirs %.700r" % (name, key, a, b))
    want("no difference that is not meant", len(wrong), not wrong)


def corpus():
    if not os.path.isdir(CORPUS):
        print("# no %s: only messages written here" % CORPUS)
    for directory, _, names in sorted(os.walk(CORPUS)):
        for name in sorted(n for n in names if n.endswith(".eml")):
            path = os.path.join(directory, name)
            with open(path, "rb") as f:
                yield os.path.relpath(path, CORPUS), f.read()


tap = Tap()
tap.run("messages are as Dovecot tells them", beside, sorted(OWN.items()) + list(corpus()))
sys.exit(tap.end())
