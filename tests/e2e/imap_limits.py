"""What one command may be about (MESSAGELIMIT, SAVELIMIT, UIDBATCHES), and what a mailbox may hold (QUOTA, QUOTASET). Messages
have numbers for Subjects; with 1205 of them and a limit of 1000 each UID is known. TAP."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ROOT, Stage, Tap, message, send, want  # noqa: E402
from imap import Imap  # noqa: E402
from secure import plain  # noqa: E402

CONF = """auth.delay 0
imap.message-limit 1000
local.quota 100K
auth.master-separator *
users file "@DIR@/masters"
"""
MASTERS = "chief:{PLAIN}secret:%d:%d::@DIR@/mail/alice::master\n" % ((61001, 61001) if ROOT else (os.getuid(), os.getgid()))
OTHER = """auth.delay 0
imap.save-limit 1000
imap.append-limit 64K
imap.command-max 300K
auth.master-separator *
users file "@DIR@/masters"
"""
N = 1205
LOWEST = N - 1000 + 1
MESSAGELIMIT = b"[MESSAGELIMIT 1000 %d]" % LOWEST
tap = Tap()
boxes = []


def directories(st, user, folder=""):
    """cur/ of a folder, made if need be."""
    home = os.path.join(st.dir, "mail", user)
    owner = os.stat(home)
    place = os.path.join(home, "Maildir", folder)
    for d in (os.path.join(home, "Maildir"), place, *(os.path.join(place, x) for x in ("tmp", "new", "cur"))):
        os.makedirs(d, 0o700, exist_ok=True)
        os.chown(d, owner.st_uid, owner.st_gid)
    return os.path.join(place, "cur"), owner


def fill(st, user):
    """N messages, as a program that knows nothing of us puts them there."""
    cur, owner = directories(st, user)
    for i in range(1, N + 1):
        text = b"Subject: %d\nDate: Thu, 1 Jan 2026 00:00:%02d +0000\n\nx\n" % (i, i % 60)
        path = os.path.join(cur, "%d.M%dP1.test,S=%d:2," % (1700000000 + i, i, len(text)))
        with open(path, "wb") as f:
            f.write(text)
        os.chown(path, owner.st_uid, owner.st_gid)


def again(st, c):
    """A mailbox of its own, selected, with messages and UIDs as in INBOX, which nobody changes."""
    boxes.append(b"box%d" % len(boxes))
    inbox, _ = directories(st, "alice")
    cur, _ = directories(st, "alice", "." + boxes[-1].decode())
    for name in os.listdir(inbox):
        os.link(os.path.join(inbox, name), os.path.join(cur, name))
    c.ok(b"SELECT " + boxes[-1])
    return boxes[-1]


def uids(said):
    return [int(m.group(1)) for m in (re.search(rb"UID (\d+)", s) for s in said if b" FETCH " in s) if m]


def announced(st):
    with Imap(st, "alice") as c:
        caps = c.capabilities()
        want("MESSAGELIMIT alone", caps, b"MESSAGELIMIT=1000" in caps and b"UIDBATCHES" in caps and
             not any(x.startswith(b"SAVELIMIT") for x in caps))


def fetch(st):
    with Imap(st, "alice") as c:
        c.ok(b"SELECT INBOX")
        for line in (b"FETCH 1:* (UID)", b"UID FETCH 1:* FLAGS", b"UID FETCH 1:4294967295 BODY.PEEK[HEADER]"):
            said, done = c.ok(line)
            want("the highest, from there down", uids(said)[:3] + uids(said)[-2:], uids(said) ==
                 list(range(N, LOWEST - 1, -1)))
            want("the lowest of them", done, done.startswith(b"OK " + MESSAGELIMIT))
        said, done = c.ok(b"UID FETCH 1:%d FLAGS" % (LOWEST - 1))
        want("the rest, in order", (uids(said)[:3], done), uids(said) == list(range(1, LOWEST)) and b"LIMIT" not in done)
        said, done = c.ok(b"UID FETCH 3:1002 FLAGS")
        want("as many as may be", done, len(uids(said)) == 1000 and b"LIMIT" not in done)
        # only those that are left by the others count
        said, _ = c.ok(b"STATUS INBOX (HIGHESTMODSEQ)")
        said, done = c.ok(b"UID FETCH 1:* FLAGS (CHANGEDSINCE %s)" % said[-1].split(b" ")[-1][:-1])
        want("nothing has changed", done, not uids(said) and b"LIMIT" not in done)


def fetch_part(st):
    """PARTIAL (RFC 9394) of too many is refused, and nothing is done."""
    with Imap(st, "alice") as c:
        c.ok(b"SELECT INBOX")
        said, done = c.wanted(b"UID FETCH 1:* (FLAGS) (PARTIAL -1:-1001)", b"NO [MESSAGELIMIT 1000]")
        want("no message", said[:2], not uids(said))
        said, done = c.ok(b"UID FETCH 1:* (FLAGS) (PARTIAL 1:1000)")
        want("just so many", done, uids(said) == list(range(1, 1001)) and b"LIMIT" not in done)
        said, done = c.ok(b"UID FETCH 1:1000 (FLAGS) (PARTIAL -1:-5000)")
        want("there are no more than 1000", done, len(uids(said)) == 1000 and b"LIMIT" not in done)


def fetch_reads(st):
    """What is sent is marked as read, and nothing else is."""
    with Imap(st, "alice") as c:
        box = again(st, c)
        said, done = c.ok(b"UID FETCH 1:* BODY[TEXT]")
        want("in part", done, done.startswith(b"OK " + MESSAGELIMIT))
        said, _ = c.ok(b"STATUS %s (UNSEEN)" % box)
        want("unread ones", said, said == [b"STATUS %s (UNSEEN %d)" % (box, LOWEST - 1)])


def search(st):
    with Imap(st, "alice") as c:
        c.ok(b"SELECT INBOX")
        said, done = c.ok(b"UID SEARCH ALL")
        want("from the highest down", done, said == [b"SEARCH " + b" ".join(b"%d" % i for i in range(N, LOWEST - 1, -1))] and
             done.startswith(b"OK " + MESSAGELIMIT))
        # all that were looked at count, not those that match
        said, done = c.ok(b"SEARCH SUBJECT 77")
        want("the part that was looked at", (said, done), done.startswith(b"OK " + MESSAGELIMIT) and
             said == [b"SEARCH " + b" ".join(b"%d" % i for i in range(N, LOWEST - 1, -1) if "77" in str(i))])
        said, done = c.ok(b"UID SEARCH RETURN (MIN MAX COUNT) ALL")
        want("ESEARCH", (said, done), b"MIN %d MAX %d COUNT 1000" % (LOWEST, N) in said[0] and
             done.startswith(b"OK " + MESSAGELIMIT))
        for keys in (b"UID 1:1000 SUBJECT 7", b"1:1000", b"(UID 1:1000) UID 3:*", b"UIDBEFORE 1001", b"UIDAFTER 205 UNSEEN",
                     b"UIDAFTER 100 UIDBEFORE 1000"):
            said, done = c.ok(b"UID SEARCH " + keys)
            want("%r is about few enough" % keys, done, b"LIMIT" not in done)
        for keys, lowest in ((b"NOT UID 1:1000", LOWEST), (b"OR UID 1:5 UID 7:9", LOWEST), (b"UIDBEFORE 1003", 3),
                             (b"UID 2:1003", 4)):
            said, done = c.ok(b"UID SEARCH " + keys)
            want("%r is about too many" % keys, done, done.startswith(b"OK [MESSAGELIMIT 1000 %d]" % lowest))


def search_uids(st):
    """UIDAFTER, UIDBEFORE (RFC 9738 3.2)"""
    with Imap(st, "alice") as c:
        c.ok(b"SELECT INBOX")
        for keys, found in ((b"UIDAFTER %d" % (N - 2), [N - 1, N]), (b"UIDAFTER %d" % N, []), (b"UIDBEFORE 3", [1, 2]),
                            (b"UIDBEFORE 1", []), (b"UIDAFTER 4294967295", []), (b"UIDAFTER 3 UIDBEFORE 6", [4, 5]),
                            (b"UID 1:9 NOT UIDAFTER 3", [1, 2, 3]), (b"OR UIDAFTER 1203 UIDBEFORE 3 UIDAFTER 1000", [1204, 1205])):
            said, _ = c.ok(b"UID SEARCH " + keys)
            want(keys, said, said == [b" ".join([b"SEARCH"] + [b"%d" % i for i in found])])
        for keys in (b"UIDAFTER", b"UIDAFTER 0", b"UIDBEFORE *", b"UIDBEFORE 1:2", b"UIDAFTER 1,2", b"UIDBEFORE 4294967296"):
            c.wanted(b"UID SEARCH " + keys, b"BAD")


def saved(st):
    """$ has what was looked at (RFC 9738 3.4)."""
    with Imap(st, "alice") as c:
        c.ok(b"SELECT INBOX")
        _, done = c.ok(b"UID SEARCH RETURN (SAVE) ALL")
        want("in part", done, done.startswith(b"OK " + MESSAGELIMIT))
        said, done = c.ok(b"UID FETCH $ FLAGS")
        want("a thousand", done, sorted(uids(said)) == list(range(LOWEST, N + 1)) and b"LIMIT" not in done)
        c.wanted(b"UID SORT RETURN (SAVE) (DATE) UTF-8 ALL", b"NO [MESSAGELIMIT 1000]")
        said, _ = c.ok(b"UID FETCH $ FLAGS")
        want("nothing after NO (RFC 5182 2.1)", said, not uids(said))
        said, _ = c.ok(b"UID SEARCH RETURN (UPDATE COUNT) ALL")
        want("no updates of a part", said, any(s.startswith(b"NO [NOUPDATE") for s in said))


def sort_thread(st):
    with Imap(st, "alice") as c:
        c.ok(b"SELECT INBOX")
        for line in (b"UID SORT (REVERSE DATE) UTF-8 ", b"SORT RETURN (COUNT) (SUBJECT) UTF-8 ", b"THREAD REFERENCES UTF-8 ",
                     b"UID THREAD ORDEREDSUBJECT UTF-8 "):
            said, _ = c.wanted(line + b"ALL", b"NO [MESSAGELIMIT 1000]")
            want("no answer", said, not said)
            _, done = c.ok(line + b"UIDAFTER %d" % (LOWEST - 1))
            want("of a thousand", done, b"LIMIT" not in done)


def store(st):
    with Imap(st, "alice") as c:
        again(st, c)
        said, done = c.ok(b"UID STORE 1:* +FLAGS (\\Flagged)")
        want("the highest, from there down", done, uids(said) == list(range(N, LOWEST - 1, -1)) and
             done.startswith(b"OK " + MESSAGELIMIT))
        said, done = c.ok(b"STORE 1:* +FLAGS.SILENT (\\Answered)")
        want("in part", (said, done), not said and done.startswith(b"OK " + MESSAGELIMIT))
        for flag in (b"FLAGGED", b"ANSWERED"):
            said, _ = c.ok(b"UID SEARCH RETURN (COUNT) UID 1:1000 " + flag)
            want(flag, said, said[0].endswith(b"COUNT %d" % (1000 - LOWEST + 1)))
        said, done = c.ok(b"UID STORE 1:* (UNCHANGEDSINCE 1) +FLAGS (\\Draft)")
        want("two codes", (said[-1], done), said[-1].startswith(b"NO " + MESSAGELIMIT) and
             done.startswith(b"OK [MODIFIED %d:%d]" % (LOWEST, N)))


def copy(st):
    """COPY is for all or none; MOVE goes on until it is done."""
    with Imap(st, "alice") as c:
        again(st, c)
        c.ok(b"CREATE to")
        c.wanted(b"UID COPY 1:* to", b"NO " + MESSAGELIMIT)
        c.wanted(b"COPY 2:* to", b"NO " + MESSAGELIMIT)
        said, _ = c.ok(b"STATUS to (MESSAGES)")
        want("nothing", said, said == [b"STATUS to (MESSAGES 0)"])
        said, done = c.ok(b"UID MOVE 1:* to")
        want("a thousand", (said[0], done), said[0].startswith(b"OK [COPYUID ") and b" %d:%d 1:1000]" % (LOWEST, N) in said[0] and
             sum(s.endswith(b" EXPUNGE") for s in said) == 1000 and done.startswith(b"OK " + MESSAGELIMIT))
        _, done = c.ok(b"MOVE 1:* to")
        want("the rest", done, b"LIMIT" not in done)
        said, _ = c.ok(b"STATUS to (MESSAGES)")
        want("all", said, said == [b"STATUS to (MESSAGES %d)" % N])
        c.ok(b"DELETE to")


def move_resync(st):
    """With QRESYNC the tagged OK has a code already."""
    with Imap(st, "alice") as c:
        c.ok(b"ENABLE QRESYNC")
        again(st, c)
        c.ok(b"CREATE to")
        said, done = c.ok(b"UID MOVE 1:* to")
        want("two codes", (said, done), b"VANISHED %d:%d" % (LOWEST, N) in said and
             said[-1].startswith(b"NO " + MESSAGELIMIT) and done.startswith(b"OK [HIGHESTMODSEQ "))
        c.ok(b"DELETE to")


def expunge(st):
    with Imap(st, "alice") as c:
        again(st, c)
        c.ok(b"UID STORE 1:600 +FLAGS.SILENT (\\Deleted)")
        _, done = c.ok(b"UID EXPUNGE 1:*")
        want("only what is to go counts", done, b"LIMIT" not in done)
        again(st, c)
        c.ok(b"UID STORE 1:1000 +FLAGS.SILENT (\\Deleted)")
        c.ok(b"UID STORE 1003:* +FLAGS.SILENT (\\Deleted)")
        said, done = c.ok(b"UID EXPUNGE 1:*")
        want("the highest", done, len(said) == 1000 and done.startswith(b"OK [MESSAGELIMIT 1000 204]"))
        said, _ = c.ok(b"UID SEARCH ALL")
        want("what is left", said, said == [b"SEARCH " + b" ".join(b"%d" % i for i in [*range(1, 204), 1001, 1002])])
        for how in (b"EXPUNGE", b"CLOSE"):
            box = again(st, c)
            c.ok(b"UID STORE 1:600 +FLAGS.SILENT (\\Deleted)")
            c.ok(b"UID STORE 601:* +FLAGS.SILENT (\\Deleted)")
            _, done = c.ok(how)
            want("no limit of " + how.decode(), done, b"LIMIT" not in done)
            said, _ = c.ok(b"STATUS %s (MESSAGES)" % box)
            want("nothing is left", said, said == [b"STATUS %s (MESSAGES 0)" % box])


def append(st):
    """MULTIAPPEND (RFC 3502) is for all or none."""
    with Imap(st, "bob") as c:
        c.ok(b"CREATE to")
        _, done = c.command(b"APPEND to" + b" {1+}\r\nx" * 1001)
        want("too many", done, done.startswith(b"NO [MESSAGELIMIT 1000]"))
        said, _ = c.ok(b"STATUS to (MESSAGES)")
        want("nothing", said, said == [b"STATUS to (MESSAGES 0)"])


def uidonly(st):
    with Imap(st, "alice") as c:
        c.ok(b"ENABLE UIDONLY")
        c.ok(b"SELECT INBOX")
        said, done = c.ok(b"UID FETCH 1:* FLAGS")
        want("the highest", (said[:2], done), said[0].startswith(b"%d UIDFETCH (" % N) and len(said) == 1000 and
             done.startswith(b"OK " + MESSAGELIMIT))
        said, _ = c.ok(b"UID SEARCH UIDAFTER %d" % (N - 1))
        want("UIDAFTER", said, said == [b"SEARCH %d" % N])
        said, _ = c.ok(b"UIDBATCHES 1000")
        want("batches", said, said == [b'UIDBATCHES (TAG "t6") %d:%d,%d:1' % (N, LOWEST, LOWEST - 1)])


def batches(st):
    """RFC 10022"""
    with Imap(st, "alice") as c:
        c.wanted(b"UIDBATCHES 500", b"BAD")
        c.ok(b"SELECT INBOX")
        parts = [b"1205:706", b"705:206", b"205:1"]

        def one(line, expected):
            said, _ = c.ok(line)
            want(line, said, said == [b" ".join([b'UIDBATCHES (TAG "t%d")' % c.tags] + ([b",".join(expected)] if expected
                                                                                         else []))])
        one(b"UIDBATCHES 500", parts)
        one(b"UIDBATCHES 500 1:1", parts[:1])
        one(b"uidbatches 500 2:3", parts[1:])
        one(b"UIDBATCHES 500 3:4294967295", parts[2:])
        one(b"UIDBATCHES 500 4:5", [])
        one(b"UIDBATCHES 500 4294967295:4294967295", [])
        one(b"UIDBATCHES 4294967295", [b"1205:1"])
        one(b"UIDBATCHES 1204", [b"1205:2", b"1:1"])
        one(b"UIDBATCHES 1205", [b"1205:1"])
        for line in (b"UIDBATCHES 499", b"UIDBATCHES 1 1:2"):
            c.wanted(line, b"NO [TOOFEW]")
        c.wanted(b"UIDBATCHES 500 3:2", b"BAD [CLIENTBUG]")
        for line in (b"UIDBATCHES", b"UIDBATCHES 0", b"UIDBATCHES x", b"UIDBATCHES 500 1", b"UIDBATCHES 500 0:1", b"UIDBATCHES 500 1:*",
                     b"UIDBATCHES 500 1:2 3", b"UIDBATCHES 4294967296", b"UIDBATCHES 500 1:"):
            c.wanted(line, b"BAD")
        c.ok(b"UID SEARCH RETURN (SAVE) UID 7")
        one(b"UIDBATCHES 500", parts)
        said, _ = c.ok(b"UID FETCH $ FLAGS")
        want("$ is as it was", said, uids(said) == [7])
        again(st, c)
        c.ok(b"UID STORE 1:999 +FLAGS.SILENT (\\Deleted)")
        c.ok(b"EXPUNGE")
        one(b"UIDBATCHES 500", [b"1205:1"])
        c.ok(b"UID STORE 1:* +FLAGS.SILENT (\\Deleted)")
        c.ok(b"EXPUNGE")
        one(b"UIDBATCHES 500", [])


def batches_again(st):
    """RFC 10022, 3.1.1 and 6: not again and again while the mailbox is as it was."""
    def refused(*lines):
        for line in lines:
            c.wanted(line, b"NO [LIMIT]")

    def until_refused(line):
        for n in range(100):
            _, done = c.command(line)
            if not done.startswith(b"OK"):
                break
        want("NO [LIMIT] some time", (n, done), done.startswith(b"NO [LIMIT]") and n >= 4)
    with Imap(st, "alice") as c:
        box = again(st, c)
        cur, _ = directories(st, "alice", "." + box.decode())
        inbox, _ = directories(st, "alice")
        first = os.path.join(inbox, os.listdir(inbox)[0])
        until_refused(b"UIDBATCHES 500")
        refused(b"UIDBATCHES 500 2:2", b"UIDBATCHES 600", b"UIDBATCHES 500 9:9")
        c.wanted(b"UIDBATCHES 499", b"NO [TOOFEW]")
        c.ok(b"UID STORE 1:250 +FLAGS.SILENT (\\Deleted)")
        c.ok(b"EXPUNGE")
        refused(b"UIDBATCHES 500")
        c.ok(b"UID STORE 251 +FLAGS.SILENT (\\Deleted)")
        c.ok(b"EXPUNGE")
        until_refused(b"UIDBATCHES 500")
        for n in range(251):
            if n == 250:
                c.ok(b"NOOP")
                refused(b"UIDBATCHES 500")
            os.link(first, os.path.join(cur, "%d.more" % n))
        c.ok(b"NOOP")
        until_refused(b"UIDBATCHES 500 1:1")
        c.ok(b"CREATE empty")
        c.ok(b"SELECT empty")
        until_refused(b"UIDBATCHES 500")
        c.ok(b"SELECT " + box)
        until_refused(b"UIDBATCHES 1000000")


def configuration(st):
    path = os.path.join(st.dir, "limits.conf")
    for value, ok in ((0, True), (1, False), (999, False), (1000, True), (100000, True), (100001, False)):
        with open(st.conf, encoding="utf-8") as f, open(path, "w", encoding="utf-8") as g:
            g.write(f.read().replace("imap.message-limit 1000", "imap.message-limit %d" % value))
        status, said = st.command("-f", path, "-n")
        want("%d" % value, (status, said), (status == 0) == ok and (ok or "imap.message-limit" in said))


def savelimit(st):
    """Without a limit for all of it: SAVELIMIT, for COPY and APPEND alone."""
    with Imap(st, "alice") as c:
        caps = c.capabilities()
        want("SAVELIMIT alone", caps, b"SAVELIMIT=1000" in caps and not any(x.startswith(b"MESSAGELIMIT") for x in caps))
        c.ok(b"SELECT INBOX")
        c.ok(b"CREATE to")
        c.wanted(b"UID COPY 1:* to", b"NO " + MESSAGELIMIT)
        _, done = c.command(b"APPEND to" + b" {1+}\r\nx" * 1001)
        want("too many", done, done.startswith(b"NO [MESSAGELIMIT 1000]"))
        said, done = c.ok(b"UID FETCH 1:* FLAGS")
        want("no limit", done, len(uids(said)) == N and b"LIMIT" not in done)
        said, done = c.ok(b"UID MOVE 1:* to")
        want("no limit", done, len(said) == N + 1 and b"LIMIT" not in done)


def quota(c, name=b"INBOX"):
    """What GETQUOTAROOT says, without QUOTAROOT."""
    said, _ = c.ok(b"GETQUOTAROOT " + name)
    want("the root", said, said[0] == b"QUOTAROOT " + name + b' "User quota"')
    return said[1:]


def nobody_sets(st):
    """Users can ask, and set nothing."""
    with Imap(st, "carol") as c:
        caps = c.capabilities()
        want("no QUOTASET", (caps, c.welcome), b"QUOTASET" not in caps and b"QUOTASET" not in c.welcome and
             {b"QUOTA", b"QUOTA=RES-STORAGE", b"QUOTA=RES-MESSAGE"} <= set(caps))
        want("the configuration's", (got := quota(c)), got == [b'QUOTA "User quota" (STORAGE 0 100)'])
        for limits in (b"(STORAGE 10)", b"(MESSAGE 10)", b"()"):
            said, _ = c.wanted(b'SETQUOTA "User quota" ' + limits, b"NO [NOPERM]")
            want("nothing is said", said, not said)
        want("as it was", (got := quota(c)), got == [b'QUOTA "User quota" (STORAGE 0 100)'])
    with Imap(st, "chief") as c:
        want("not of his own", c.welcome, b"QUOTASET" not in c.welcome and b"QUOTASET" not in c.capabilities())


def master(st):
    return Imap(st, '"carol*chief"')


def who_sets(st):
    """A master user who is another one, by either way to say so."""
    with master(st) as c:
        want("QUOTASET", c.welcome, b" QUOTASET" in c.welcome and b"QUOTASET" in c.capabilities())
    with Imap(st) as c:
        _, done = c.ok(b"AUTHENTICATE PLAIN " + plain(b"chief", b"secret", b"carol"))
        want("QUOTASET", done, b" QUOTASET" in done)
        said, _ = c.ok(b'setquota "User quota" (storage 64 Message 3)')
        want("the limits", said, said == [b'QUOTA "User quota" (STORAGE 0 64 MESSAGE 0 3)'])
    st.logged("quota-set user=carol by=chief bytes=65536 messages=3")


def set_wrong(st):
    with master(st) as c:
        for rest in (b'"User quota"', b'"User quota" STORAGE 1', b'"User quota" (STORAGE)', b'"User quota" (STORAGE x)',
                     b'"User quota" (STORAGE 1', b'"User quota" (STORAGE 1 STORAGE 2)', b'"User quota" (STORAGE -1)',
                     b'"User quota" (STORAGE 9223372036854775808)', b'"User quota" (STORAGE 1) x', b""):
            c.wanted(b"SETQUOTA " + rest, b"BAD")
        c.wanted(b'SETQUOTA "other" (STORAGE 1)', b"NO [NONEXISTENT]")
        for limits in (b"(MAILBOX 5)", b"(STORAGE 1 ANNOTATION-STORAGE 5)"):
            c.wanted(b'SETQUOTA "User quota" ' + limits, b"NO [CANNOT]")
        want("as it was", (got := quota(c)), got == [b'QUOTA "User quota" (STORAGE 0 64 MESSAGE 0 3)'])
        said, _ = c.ok(b'SETQUOTA "User quota" (STORAGE 9223372036854775807)')
        want("as much as can be; MESSAGE has none any more", said,
             said == [b'QUOTA "User quota" (STORAGE 0 9007199254740991)'])
        said, _ = c.ok(b'SETQUOTA "User quota" (STORAGE 64 MESSAGE 3)')
        want("back", said, said == [b'QUOTA "User quota" (STORAGE 0 64 MESSAGE 0 3)'])


def deliver(st, size):
    """What became of a message for carol, as the log has it."""
    content = message(b"big", (b"x" * 70 + b"\r\n") * (size // 72))
    return st.logged("id=" + send(st.smtp, b"carol@example.test", content), " status=")


def obeyed(st):
    """By sessions and deliveries that were there before, and by new ones."""
    with Imap(st, "carol") as c, master(st) as chief:
        c.ok(b"CREATE to")
        c.ok(b"SELECT INBOX")
        c.append(b"INBOX", message(b"one"))
        tag = c.tag()
        c.send(b"%s APPEND INBOX {70000+}\r\n%s\r\n" % (tag, b"x" * 70000))
        _, done = c.answer(tag)
        want("too large", done, done.startswith(b"NO [OVERQUOTA]"))
        want("a delivery", (got := deliver(st, 70000)), "status=5.2.2" in got)
        want("one that fits", (got := deliver(st, 1000)), "status=2.0.0" in got)
        want("two", (got := quota(chief)), got[0].endswith(b"MESSAGE 2 3)"))
        c.ok(b"COPY 1 to")
        time.sleep(1.1)  # what a session has counted is good for a second
        c.wanted(b"COPY 1 to", b"NO [OVERQUOTA]")
        c.ok(b"NOOP")
        want("one more message", (got := deliver(st, 100)), "status=5.2.2" in got and "3 of 3 messages" in got)
        # moving within one root needs no room
        c.ok(b"MOVE 1 to")
        chief.ok(b'SETQUOTA "User quota" (MESSAGE 4)')
        want("room for one", (got := deliver(st, 70000)), "status=2.0.0" in got)
        time.sleep(1.1)
        _, done = c.command(b"APPEND INBOX {1+}\r\nx")
        want("and no more", done, done.startswith(b"NO [OVERQUOTA]"))
        chief.ok(b'SETQUOTA "User quota" (STORAGE 0)')
        want("nothing at all", (got := deliver(st, 1)), "status=5.2.2" in got)
        c.wanted(b"APPEND INBOX {1+}\r\nx", b"NO [OVERQUOTA]")
        chief.ok(b'SETQUOTA "User quota" (STORAGE 1000)')
        c.ok(b"APPEND INBOX {1+}\r\nx")
        want("the user sees it", (got := quota(c)), re.fullmatch(rb'QUOTA "User quota" \(STORAGE \d+ 1000\)', got[0]))


def sizes(st):
    """STORAGE is of the files, SIZE of what is sent: one octet more for each line (RFC 8438 3)."""
    files = [os.path.join(base, n) for base, _, names in os.walk(os.path.join(st.dir, "mail", "carol", "Maildir"))
             if base.endswith(("/cur", "/new")) for n in names]
    octets, lines = sum(map(os.path.getsize, files)), sum(open(f, "rb").read().count(b"\n") for f in files)
    with Imap(st, "carol") as c:
        want("STORAGE", (got := quota(c)), got[0].endswith(b"(STORAGE %d 1000)" % -(-octets // 1024)))
        said, _ = c.ok(b'LIST "" * RETURN (STATUS (SIZE))')
        got = sum(int(s.split()[-1][:-1]) for s in said if s.startswith(b"STATUS"))
        want("SIZE is %d + %d" % (octets, lines), got, lines > 100 and got == octets + lines)


def unset(st):
    """Without limits of its own the configuration's are back; a file that makes no sense is passed over and logged."""
    path = os.path.join(st.dir, "mail", "carol", "Maildir", "posthouse-quota")
    with master(st) as chief, Imap(st, "carol") as c:
        want("the file", open(path, "rb").read(), open(path, "rb").read() == b"V1:1,\nS4:1000,\n")
        said, _ = chief.ok(b'SETQUOTA "User quota" ()')
        want("the configuration's", said, re.fullmatch(rb'QUOTA "User quota" \(STORAGE \d+ 100\)', said[0]))
        want("no file", path, not os.path.exists(path))
        with open(path, "wb") as f:
            f.write(b"STORAGE 5\n")
        want("passed over", (got := quota(c)), b" 100)" in got[0])
        st.logged("imapd-session", 'quota user=carol why="posthouse-quota cannot be understood"')
        want("a delivery", (got := deliver(st, 200000)), "status=5.2.2" in got and "of 102400 bytes" in got)
        st.logged("quota place=", "posthouse-quota cannot be understood")
        chief.ok(b'SETQUOTA "User quota" ()')


def emailids(c):
    said, _ = c.ok(b"UID FETCH 1:* EMAILID")
    return [re.search(rb"EMAILID \((\S+)\)", s).group(1) for s in said]


def objectid(st):
    """RFC 8474 5.1: copies have the EMAILID of what they were made of, also in a folder that nobody knows yet, and while another
    session waits for them."""
    with Imap(st, "bob") as c, Imap(st, "bob") as other:
        for name in (b"from", b"first", b"second", b"third"):
            c.ok(b"CREATE " + name)
        for i in range(3):
            c.append(b"from", b"Subject: %d\r\n\r\nx\r\n" % i)
        c.ok(b"SELECT from")
        ids = emailids(c)
        want("three", ids, len(set(ids)) == 3)
        c.ok(b"COPY 1 first")
        c.ok(b"COPY 2:3 first")
        other.ok(b"SELECT second")
        tag = other.tag()
        other.send(tag + b" IDLE\r\n")
        want("it waits", None, other.line().startswith(b"+"))
        c.ok(b"COPY 1:3 second")
        other.send(b"DONE\r\n")
        other.answer(tag)
        c.ok(b"MOVE 1:3 third")
        for name in (b"first", b"second", b"third"):
            c.ok(b"SELECT " + name)
            want(name, (got := emailids(c)), got == ids)


def replace(st):
    """RFC 8508: only what is more than before counts (3.4); it ends as UID EXPUNGE does (4.5)."""
    with Imap(st, "bob") as c:
        want("a root for what may come", (got := quota(c, b"drafts")), len(got) == 1)
        c.ok(b"CREATE drafts")
        for size in (50000, 1000):
            c.append(b"drafts", message(b"draft", (b"x" * 70 + b"\r\n") * (size // 72)))
        c.ok(b"SELECT drafts")
        c.wanted(b"APPEND drafts {60000+}\r\n" + b"x" * 60000, b"NO [OVERQUOTA]")
        c.wanted(b"UID REPLACE 2 drafts {60000+}\r\n" + b"x" * 60000, b"NO [OVERQUOTA]")
        said, done = c.ok(b"UID REPLACE 1 drafts {60000+}\r\n" + b"x" * 60000)
        want("as UID EXPUNGE", (said, done), b"1 EXPUNGE" in said and b"OK replaced" == done)
        c.ok(b"ENABLE QRESYNC")
        said, done = c.ok(b"UID REPLACE 2 drafts {5+}\r\nx\r\ny\r")
        want("as UID EXPUNGE", (said, done), said[0].startswith(b"OK [APPENDUID ") and b"VANISHED 2" in said and
             done.startswith(b"OK [HIGHESTMODSEQ "))
        said, _ = c.ok(b"STATUS drafts (HIGHESTMODSEQ)")
        want("the same", (said, done), done.split(b" ")[2][:-1] in said[0])


def status(st):
    """RFC 9208 4.1.4, 4.1.2; RFC 7889; RFC 8438"""
    with Imap(st, "bob") as c:
        c.ok(b"CREATE numbers")
        c.append(b"numbers", b"Subject: 1\r\n\r\nx\r\n")
        c.append(b"numbers", b"Subject: 2\r\n\r\nxyz\r\n", b"(\\Deleted)")
        for items, values in ((b"DELETED-STORAGE", b"DELETED-STORAGE 19"), (b"DELETED", b"DELETED 1"), (b"SIZE", b"SIZE 36"),
                              (b"APPENDLIMIT", b"APPENDLIMIT 65536"),
                              (b"DELETED-STORAGE SIZE", b"SIZE 36 DELETED-STORAGE 19")):
            said, _ = c.ok(b"STATUS numbers (%s)" % items)
            want(items, said, said == [b"STATUS numbers (%s)" % values])
            said, _ = c.ok(b'LIST "" numbers RETURN (STATUS (%s))' % items)
            want(items, said, said[1] == b"STATUS numbers (%s)" % values)
        c.wanted(b"APPEND numbers {65537}", b"NO [TOOBIG]")
        c.wanted(b"APPEND numbers {65537+}\r\n" + b"x" * 65537, b"NO [TOOBIG]")


def partial(st):
    """RFC 9394: which part, of what there is, and what $ is then (table 1)."""
    with Imap(st, "bob") as c:
        c.ok(b"CREATE parts")
        for i in range(6):
            c.append(b"parts", b"Subject: %d\r\n\r\nx\r\n" % i)
        c.ok(b"SELECT parts")
        for part, found in ((b"1:2", b"1:2"), (b"-1:-2", b"5:6"), (b"5:9", b"5:6"), (b"7:9", b"NIL"),
                            (b"-6:-9", b"1"), (b"-7:-9", b"NIL")):
            said, _ = c.ok(b"UID SEARCH RETURN (PARTIAL %s) ALL" % part)
            want(part, said, said[0].endswith(b"UID PARTIAL (%s %s)" % (part, found)))
        said, _ = c.ok(b"UID SEARCH RETURN (PARTIAL 2:1) ALL")
        want("the other way round", said, said[0].endswith(b"UID PARTIAL (1:2 1:2)"))
        for options, kept in ((b"PARTIAL 2:3", b"2:3"), (b"PARTIAL 2:3 MIN", b"1:3"), (b"PARTIAL 2:3 MAX", b"2:3,6"),
                              (b"PARTIAL 2:3 MIN MAX", b"1:3,6"), (b"PARTIAL 2:3 COUNT", b"1:6"),
                              (b"PARTIAL 2:3 COUNT MIN", b"1:6")):
            c.ok(b"UID SEARCH RETURN (SAVE %s) ALL" % options)
            said, _ = c.ok(b"UID SEARCH RETURN (ALL) $")
            want(options, said, said[0].endswith(b"ALL " + kept))
        for options in (b"PARTIAL 1:2 ALL", b"PARTIAL 1:2 PARTIAL 3:4", b"PARTIAL 0:1", b"PARTIAL 1:-2", b"PARTIAL 1", b"PARTIAL"):
            c.wanted(b"UID SEARCH RETURN (%s) ALL" % options, b"BAD")
        c.wanted(b"FETCH 1:* FLAGS (PARTIAL 1:2)", b"BAD")
        said, _ = c.ok(b"UID FETCH 2:* FLAGS (PARTIAL -1:-2)")
        want("the last two", said, uids(said) == [5, 6])


def uidonly_mode(st):
    """RFC 9586: no number of a message goes over the wire, in either direction."""
    with Imap(st, "bob") as c, Imap(st, "bob") as other:
        c.ok(b"CREATE only")
        for i in range(5):
            c.append(b"only", b"Subject: %d\r\n\r\nx\r\n" % i)
        other.ok(b"SELECT only")
        c.ok(b"ENABLE UIDONLY")
        said, _ = c.ok(b"SELECT only")
        want("no UNSEEN", said, not any(b"[UNSEEN" in s for s in said) and b"5 EXISTS" in said)
        for line in (b"FETCH 1 FLAGS", b"STORE 1 +FLAGS (\\Seen)", b"COPY 1 only", b"MOVE 1 only", b"SEARCH ALL", b"SORT (DATE) UTF-8 ALL",
                     b"THREAD REFERENCES UTF-8 ALL", b"REPLACE 1 only {1+}\r\nx", b"UID SEARCH 1:2", b"UID SEARCH OR 1 SEEN",
                     b"UID SORT (DATE) UTF-8 1:2", b"ESEARCH IN (selected) 1:2"):
            c.wanted(line, b"BAD [UIDREQUIRED]")
        said, _ = c.ok(b"UID STORE 1 +FLAGS (\\Seen)")
        want("UIDFETCH", said, said == [b"1 UIDFETCH (FLAGS (\\Seen))"])
        said, _ = c.ok(b"UID FETCH 2 (UID FLAGS)")
        want("UID if it is asked for", said, said == [b"2 UIDFETCH (UID 2 FLAGS ())"])
        other.ok(b"STORE 3 +FLAGS (\\Flagged)")
        said, _ = c.ok(b"NOOP")
        want("UIDFETCH unasked", said, said == [b"3 UIDFETCH (FLAGS (\\Flagged))"])
        other.ok(b"STORE 4 +FLAGS (\\Deleted)")
        other.ok(b"EXPUNGE")
        said, _ = c.ok(b"NOOP")
        want("VANISHED", said, said == [b"VANISHED 4"])
        said, _ = c.ok(b"UID MOVE 5 INBOX")
        want("VANISHED", said, said[-1] == b"VANISHED 5")
        c.ok(b"ENABLE QRESYNC")
        c.wanted(b"SELECT only (QRESYNC (1 1 1:5 (1:2 1:2)))", b"BAD [UIDREQUIRED]")
        c.ok(b"SELECT only (QRESYNC (1 1 1:5))")


def preview(st):
    """RFC 8970: at most 200 characters, "" where there is nothing, NIL never but with LAZY."""
    long = "\u00e4\u20ac\U0001d11e " * 100
    with Imap(st, "bob") as c:
        c.ok(b"CREATE views")
        for kind, body in ((b"text/plain; charset=utf-8", long.encode()), (b"text/html", b"<p>Hello &amp; <b>bold</b></p>"),
                           (b"image/png", b"x"), (b"text/plain", b"")):
            c.append(b"views", b"MIME-Version: 1.0\r\nContent-Type: %s\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s" % (kind, body))
        c.ok(b"SELECT views")
        said, _ = c.ok(b"FETCH 1:* PREVIEW")
        first = said[0].split(b"}\r\n", 1)[1][:-1].decode("utf-8")
        want("a beginning", first, 0 < len(first) <= 200 and long.startswith(first))
        want("the others", said[1:], said[1:] == [b'2 FETCH (PREVIEW "Hello & bold")', b'3 FETCH (PREVIEW "")',
                                                  b'4 FETCH (PREVIEW "")'])
        said, _ = c.ok(b"FETCH 2 (PREVIEW (LAZY))")
        want("LAZY", said, said[0] in (b'2 FETCH (PREVIEW "Hello & bold")', b"2 FETCH (PREVIEW NIL)"))
        c.wanted(b"FETCH 1 (PREVIEW (FUZZY))", b"BAD")


def no_limit(st):
    """Where nothing limits there is no root, but for who can set one; limits of maildirsize hold for sessions and deliveries."""
    size = os.path.join(st.dir, "mail", "carol", "Maildir", "maildirsize")
    with Imap(st, "carol") as c:
        said, _ = c.ok(b"GETQUOTAROOT INBOX")
        want("no root", said, said == [b"QUOTAROOT INBOX"])
        c.wanted(b'GETQUOTA "User quota"', b"NO [NONEXISTENT]")
        with master(st) as chief:
            want("none", (got := quota(chief)), got == [b'QUOTA "User quota" ()'])
            said, _ = chief.ok(b'GETQUOTA "User quota"')
            want("none", said, said == [b'QUOTA "User quota" ()'])
        with open(size, "w", encoding="ascii") as f:
            f.write("2000S,10C\n0 0\n")
        os.chown(size, os.stat(os.path.dirname(size)).st_uid, -1)
        want("of maildirsize", (got := quota(c)), got == [b'QUOTA "User quota" (STORAGE 0 1 MESSAGE 0 10)'])
        c.append(b"INBOX", message(b"one"))
        want("its line", open(size).read(), re.fullmatch("2000S,10C\n0 0\n[0-9]+ 1\n", open(size).read()))
        want("a delivery", (got := deliver(st, 3000)), "status=5.2.2" in got and "of 2000 bytes" in got)


def long_lines(st):
    """Longer than what the connection has room for, as long as a command may be; with literals and without."""
    c = Imap(st, "alice")
    c.ok(b"CREATE Long")
    for i in range(9):
        c.append(b"Long", message(b"%d" % i))
    c.ok(b"SELECT Long")
    for many in (5000, 40000, 90000):
        numbers = b",".join(b"%d" % (i % 9 + 1) for i in range(many))
        said, _ = c.ok(b"FETCH %s (UID)" % numbers)
        want("%d octets" % len(numbers), len(said), len(said) == 9)
    said, _ = c.ok(b"SEARCH OR %s  SUBJECT  {4+}\r\nnone SUBJECT 7" % numbers[:100001])
    want("one", said[:1], said == [b"SEARCH 8"])
    c.wanted(b"FETCH %s,%s (UID)" % (numbers, numbers), b"BAD [LIMIT]")
    c.wanted(b"FETCH %s\0 (UID)" % numbers, b"BAD")
    c.wanted(b"FETCH %s\r1 (UID)" % numbers, b"BAD")
    c.wanted(b"FETCH %s,%s (BODY[HEADER.FIELDS ({65000+}\r\n%s)])" % (numbers, numbers, b"a" * 65000), b"BAD [LIMIT]")
    c.ok(b"NOOP")
    c.logout()


def main():
    with Stage(CONF, files={"masters": MASTERS}) as st:
        fill(st, "alice")
        for name, test in (("what is announced", announced), ("FETCH", fetch), ("PARTIAL", fetch_part),
                           ("FETCH marks what it sends", fetch_reads), ("SEARCH", search), ("UIDAFTER, UIDBEFORE", search_uids),
                           ("SEARCHRES", saved), ("SORT, THREAD", sort_thread), ("STORE", store), ("COPY, MOVE", copy),
                           ("MOVE with QRESYNC", move_resync), ("EXPUNGE", expunge), ("APPEND", append), ("UIDONLY", uidonly),
                           ("UIDBATCHES", batches), ("UIDBATCHES too often", batches_again),
                           ("configuration", configuration), ("who sets no limits", nobody_sets),
                           ("who sets limits", who_sets), ("SETQUOTA with mistakes", set_wrong), ("limits are obeyed", obeyed), ("STORAGE and SIZE", sizes),
                           ("limits that are set no more", unset), ("REPLACE", replace)):
            tap.run(name, test, st)
    with Stage(OTHER, files={"masters": MASTERS}) as st:
        fill(st, "alice")
        for name, test in (("SAVELIMIT", savelimit), ("OBJECTID", objectid), ("STATUS", status),
                           ("PARTIAL in full", partial), ("UIDONLY in full", uidonly_mode), ("PREVIEW", preview),
                           ("no limits", no_limit), ("long commands", long_lines)):
            tap.run(name, test, st)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
