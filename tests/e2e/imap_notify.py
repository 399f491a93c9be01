"""NOTIFY (RFC 5465): what a session hears of its mailbox and of others, at any time; deliveries, other sessions and
foreign programs change them."""
import os
import random
import re
import select
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ROOT, Skip, Stage, Tap, Wrong, children, message, send, until, want, word  # noqa: E402
from imap import Imap  # noqa: E402

BASE = int(os.environ["PH_BASE"])
DIR = os.environ["PH_DIR"]
LMTP = int(os.environ["PH_LMTP"])
USER = "bob"
MAILDIR = os.path.join(DIR, "mail", USER, "Maildir")
ALL = b"(MessageNew MessageExpunge FlagChange)"
tap = Tap()


def other(name=None, user=USER, base=BASE):
    c = Imap(base, user)
    if name:
        c.ok(b"SELECT " + name)
    return c


def fresh(name, n=3):
    """A new mailbox with n messages, selected."""
    c = other()
    c.ok(b"CREATE " + name)
    for i in range(n):
        c.append(name, message(b"m%d" % i))
    c.ok(b"SELECT " + name)
    return c


def hear(c, *parts, seconds=20):
    """The responses up to one that has all this in it; within that time, which is long for a busy machine, and shorter than that after
    which a session looks by itself."""
    start = time.monotonic()
    got = []
    while True:
        while b"\r\n" not in c.buf:
            left = start + seconds - time.monotonic()
            if left <= 0 or not select.select([c.sock], [], [], left)[0]:
                want("%r within %s s" % (parts, seconds), got, False)
            more = c.sock.recv(65536)
            want("the connection goes on", got, more)
            c.buf += more
        got.append(c.response())
        if all(p in got[-1] for p in parts):
            hear.slowest = max(hear.slowest, time.monotonic() - start)
            return got


hear.slowest = 0


def silent(c, seconds=0.3):
    """Nothing is said."""
    if c.buf or select.select([c.sock], [], [], seconds)[0]:
        want("silence", c.buf or c.sock.recv(65536), False)


def quiet(c, line, but=()):
    """A command whose only responses are those."""
    said, how = c.ok(line)
    want("nothing else of " + line.decode(), said, all(any(b in s for b in but) for s in said))
    return how


def lmtp(text, to=USER.encode() + b"@example.test"):
    import smtplib
    with smtplib.LMTP("127.0.0.1", LMTP) as l:
        l.sendmail("s@client.test", [to.decode()], text)


def session_pid(known):
    """Of the session that has come since."""
    return until("a process", lambda: sorted(sessions() - known), 60)[0]


def sessions():
    """Those of this stage."""
    with open(os.path.join(DIR, "run", "posthouse.pid")) as f:
        master = int(f.read())
    return children(master, "imapd-session")


def ticks(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def selected():
    c, d = fresh(b"Notified"), other(b"Notified")
    want("announced", c.capabilities(), b"NOTIFY" in c.capabilities())
    c.ok(b"NOTIFY SET (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (Subject {4}\r\nDate)]) MessageExpunge))")
    d.ok(b"STORE 2 +FLAGS (\\Flagged)")
    silent(c)
    d.append(b"Notified", message(b"fresh"))
    got = hear(c, b" FETCH (")
    want("its number, then what was asked for", got, got[0] == b"* 4 EXISTS" and b"UID 4" in got[-1] and
         b"Subject: fresh" in got[-1])
    d.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    d.ok(b"EXPUNGE")
    hear(c, b"* 1 EXPUNGE")
    hear(c, b" RECENT")
    quiet(c, b"NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange))")
    d.ok(b"STORE 1 +FLAGS (\\Answered)")
    hear(c, b"* 1 FETCH (UID 2 ", b"\\Answered")
    d.ok(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
    hear(c, b"* 2 FETCH")
    d.ok(b"EXPUNGE")
    silent(c)
    said, _ = c.ok(b"NOOP")
    want("delayed", said, b"2 EXPUNGE" in said)
    quiet(c, b"NOTIFY NONE")
    d.ok(b"STORE 1 +FLAGS (\\Seen)")
    d.append(b"Notified", message(b"unheard"))
    quiet(c, b"NOOP")
    said, _ = c.ok(b"NOTIFY SET (selected NONE)")
    want("what has gathered", said, b"3 EXISTS" in said and any(s.startswith(b"1 FETCH") and b"\\Seen" in s
                                                                for s in said))
    d.append(b"Notified", message(b"unheard"))
    silent(c)
    c.ok(b"UID STORE 2 +FLAGS.SILENT (\\Deleted)")
    said, _ = c.ok(b"EXPUNGE")
    want("one's own, all the same", said, b"1 EXPUNGE" in said)


def own():
    """A session is not told of what it has done itself."""
    c = fresh(b"Own", 1)
    d = other()
    d.ok(b"CREATE Own2")
    c.ok(b"NOTIFY SET (selected (MessageNew (UID) MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge "
         b"FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange))")
    c.append(b"Own2", message(b"mine"))
    c.append(b"Own2", message(b"mine"), b"(\\Seen)")
    tag = c.tag()
    text = message(b"mine")
    c.send(tag + b" APPEND Own {%d+}\r\n" % len(text) + text + b"\r\n")
    said, _ = c.answer(tag)
    want("a number, and no FETCH", said, b"2 EXISTS" in said and not any(b"FETCH" in s for s in said))
    said, _ = c.ok(b"COPY 1:2 Own2")
    want("nothing", said, not said)
    said, _ = c.ok(b"COPY 1 Own")
    want("a number", said, b"3 EXISTS" in said and not any(b"FETCH" in s for s in said))
    for line in (b"CREATE Own3", b"SUBSCRIBE Own3", b"CREATE Own3.a", b"RENAME Own3 Own4", b"UNSUBSCRIBE Own3",
                 b'SETMETADATA Own4 (/private/comment "x")', b'SETMETADATA "" (/private/comment "x")',
                 b"DELETE Own4.a", b"DELETE Own4"):
        quiet(c, line)
    silent(c)
    d.append(b"Own2", message(b"theirs"))
    hear(c, b"* STATUS Own2 ", b"MESSAGES 5")
    d.append(b"Own", message(b"theirs"))
    got = hear(c, b"* 4 FETCH (UID 4)")
    want("EXISTS first", got, got[0] == b"* 4 EXISTS")
    c.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    quiet(c, b"CLOSE")
    silent(c)
    d.append(b"Own", message(b"theirs"))
    hear(c, b"* STATUS Own ", b"MESSAGES 4")


def others():
    d = fresh(b"Far", 1)
    d.ok(b"CREATE Near")
    c = other()
    said, _ = c.ok(b"NOTIFY SET STATUS (mailboxes (Far Near Nowhere) " + ALL + b") (personal (MailboxName))")
    want("STATUS of both", said, len([s for s in said if s.startswith(b"STATUS ")]) == 2 and
         all(b"UIDVALIDITY" in s and b"HIGHESTMODSEQ" in s and b"UIDNEXT" in s and b"MESSAGES" in s for s in said))
    d.append(b"Far", message(b"more"))
    got = hear(c, b"* STATUS Far")
    want("two now", got, b"MESSAGES 2" in got[-1] and b"UIDNEXT 3" in got[-1] and b"HIGHESTMODSEQ" not in got[-1])
    d.ok(b"STORE 1 +FLAGS (\\Seen)")
    hear(c, b"* STATUS Far", b"UNSEEN 1")
    c.ok(b"ENABLE CONDSTORE")
    d.ok(b"STORE 1 +FLAGS (\\Flagged)")
    hear(c, b"* STATUS Far", b"HIGHESTMODSEQ", b"UIDVALIDITY")
    d.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    hear(c, b"* STATUS Far")
    d.ok(b"EXPUNGE")
    hear(c, b"* STATUS Far", b"MESSAGES 1 ", b"UIDNEXT 3")
    tag = c.tag()
    c.send(tag + b" IDLE\r\n")
    hear(c, b"+ ")
    d.append(b"Near", message(b"near"))
    hear(c, b"* STATUS Near")
    c.send(b"DONE\r\n")
    c.answer(tag)
    # what is not there now may be later, and has been delivered to before anybody looks
    cur = os.path.join(MAILDIR, ".Nowhere")
    shutil.copytree(os.path.join(MAILDIR, ".Near", "cur"), os.path.join(DIR, "nowhere", "cur"))
    give(os.path.join(DIR, "nowhere"))
    os.rename(os.path.join(DIR, "nowhere"), cur)
    hear(c, b"* LIST (\\HasNoChildren)", b"Nowhere")
    hear(c, b"* STATUS Nowhere", b"MESSAGES 1 ")
    c.ok(b"SELECT Far")
    d.ok(b"STORE 1 +FLAGS (\\Answered)")
    silent(c)
    c.ok(b"UNSELECT")
    d.ok(b"STORE 1 +FLAGS (\\Draft)")
    hear(c, b"* STATUS Far")
    quiet(c, b"NOTIFY NONE")
    d.append(b"Near", message(b"near"))
    silent(c)
    for bad in (b"NOTIFY SET (nonsense NONE)", b"NOTIFY SET (subtree Far)"):
        c.wanted(bad, b"BAD")


def give(path):
    owner = os.stat(MAILDIR)
    for base, dirs, names in os.walk(path):
        for n in dirs + names + [""]:
            if ROOT:
                os.chown(os.path.join(base, n), owner.st_uid, owner.st_gid)


def names():
    c, d = other(), other()
    c.ok(b"NOTIFY SET (personal (MailboxName SubscriptionChange))")
    d.ok(b"CREATE Made")
    want("one line", None, hear(c, b"Made") == [b'* LIST (\\HasNoChildren) "." Made'])
    d.ok(b"SUBSCRIBE Made")
    want("LIST", None, hear(c, b"Made") == [b'* LIST (\\Subscribed \\HasNoChildren) "." Made'])
    d.ok(b"CREATE Made.below")
    want("and what is above", None, hear(c, b"Made.below") + hear(c, b"Made") == [
        b'* LIST (\\HasNoChildren) "." Made.below', b'* LIST (\\Subscribed \\HasChildren) "." Made'])
    silent(c)
    d.ok(b"UNSUBSCRIBE Made")
    want("LIST", None, hear(c, b"Made") == [b'* LIST (\\HasChildren) "." Made'])
    d.ok(b"RENAME Made Made2")
    got = hear(c, b"Made2")
    if got == [b'* LIST (\\HasChildren) "." Made2 ("OLDNAME" (Made))']:
        below = []      # of what is below it nothing need be said
    else:               # it was looked before that was renamed, and what is told of it is told later, rightly
        want("the old name", got, b'* LIST (\\HasNoChildren) "." Made2 ("OLDNAME" (Made))' in got)
        below = [b'LIST (\\HasNoChildren) "." Made2.below ("OLDNAME" (Made.below))']
    said, _ = c.ok(b"NOOP")     # all of it is done: there is no more to be told
    said += [g[2:] for g in got[1:]]
    want("what is below it", said, set(below) <= set(said) and
         all(s in below or b"OLDNAME" in s or s.endswith(b'"." Made') for s in said))
    d.ok(b"DELETE Made2")
    want("gone, but above another", None, hear(c, b"Made2") == [b'* LIST (\\NonExistent \\HasChildren) "." Made2'])
    d.ok(b"DELETE Made2.below")
    got = hear(c, b'"." Made2.below')
    got += hear(c, b'"." Made2')
    want("both", got, sorted(got) == [b'* LIST (\\NonExistent \\HasNoChildren) "." Made2',
                                      b'* LIST (\\NonExistent \\HasNoChildren) "." Made2.below'])
    # between two looks: what is above was told of as it was by then
    d.ok(b"CREATE Two")
    hear(c, b'"." Two')
    d.ok(b"CREATE Two.below")
    hear(c, b'\\HasChildren) "." Two')
    os.rename(os.path.join(MAILDIR, ".Two"), os.path.join(MAILDIR, ".Two2"))
    got = hear(c, b"Two2")
    want("renamed alone", got, got == [b'* LIST (\\HasNoChildren) "." Two2 ("OLDNAME" (Two))'])
    os.rename(os.path.join(MAILDIR, ".Two.below"), os.path.join(MAILDIR, ".Two2.below"))
    got = hear(c, b'"." Two2.below') + hear(c, b'"." Two2')
    want("what has come below it", got, got == [b'* LIST (\\HasNoChildren) "." Two2.below ("OLDNAME" (Two.below))',
                                                b'* LIST (\\HasChildren) "." Two2'])
    silent(c)
    d.ok(b"DELETE Two2.below")
    hear(c, b'* LIST (\\HasNoChildren) "." Two2')
    d.ok(b"SUBSCRIBE never.there")
    hear(c, b'* LIST (\\Subscribed \\NonExistent \\HasNoChildren) "." never.there')
    d.ok(b"UNSUBSCRIBE never.there")
    hear(c, b'* LIST (\\NonExistent \\HasNoChildren) "." never.there')
    # only the old name, or the new one, is asked for
    d.ok(b"CREATE Old")
    hear(c, b"Old")
    c.ok(b"NOTIFY SET (mailboxes Old (MailboxName))")
    d.ok(b"RENAME Old New")
    want("where it is now", None, hear(c, b"Old") == [b'* LIST (\\HasNoChildren) "." New ("OLDNAME" (Old))'])
    c.ok(b"NOTIFY SET (subtree Old " + ALL + b") (subtree-one Top (MailboxName))")
    d.ok(b"CREATE Top.one.two")
    d.ok(b"CREATE Top.three")
    got = hear(c, b"Top.three")
    want("one level", got, not any(b"two" in g for g in got))
    c.ok(b"ENABLE UTF8=ACCEPT")
    d.ok(b"CREATE Top.&AOQ-")
    hear(c, "Top.ä".encode())


def subscribed():
    """The list is looked at anew when it changes (RFC 5465 6.4)."""
    d = fresh(b"Sub", 1)
    c = other()
    c.ok(b"NOTIFY SET (subscribed " + ALL + b")")
    d.append(b"Sub", message(b"before"))
    silent(c)
    d.ok(b"SUBSCRIBE Sub")
    c.ok(b"NOOP")       # what has happened before is known now
    d.append(b"Sub", message(b"then"))
    hear(c, b"* STATUS Sub", b"MESSAGES 3")
    d.ok(b"UNSUBSCRIBE Sub")
    c.ok(b"NOOP")
    d.append(b"Sub", message(b"afterwards"))
    silent(c)


def notes():
    c = other()
    d = fresh(b"Noted", 0)
    d.ok(b'SETMETADATA Noted (/private/comment "old" /private/kept "x")')
    c.ok(b"NOTIFY SET (personal (MailboxMetadataChange ServerMetadataChange))")
    d.ok(b'SETMETADATA Noted (/private/comment "new")')
    want("what has changed", None, hear(c, b"METADATA") == [b"* METADATA Noted /private/comment"])
    d.ok(b"CREATE Noted2")
    d.ok(b'SETMETADATA Noted2 (/private/comment "at once")')
    hear(c, b"* METADATA Noted2 /private/comment")
    d.ok(b"SETMETADATA Noted (/private/comment NIL)")
    hear(c, b"* METADATA Noted /private/comment")
    d.ok(b'SETMETADATA Noted (/private/specialuse "\\\\Junk")')
    hear(c, b"* METADATA Noted /private/specialuse")
    d.ok(b'SETMETADATA INBOX (/private/comment "inbox")')
    hear(c, b"* METADATA INBOX /private/comment")
    d.ok(b'SETMETADATA "" (/private/comment "server")')
    hear(c, b'* METADATA "" /private/comment')


def wrong():
    c = other()
    for bad in (b"", b" SET", b" SET (selected)", b" SET (selected MessageNew)", b" SET (selected FlagChange)",
                b" SET (selected (MessageNew MessageExpunge MailboxName))", b" SET (selected NONE) (selected NONE)",
                b" SET (selected NONE) (selected-delayed NONE)", b" SET STATUS",
                b" SET (subtree (MessageNew MessageExpunge))", b" SET (personal (MessageNew (UID) MessageExpunge))",
                b" SET (selected (MessageNew (UID MessageExpunge))", b" SET (x NONE)", b" NONE x", b" SET (personal (",
                b" SET (selected (MessageNew (NONSENSE) MessageExpunge))"):
        c.wanted(b"NOTIFY" + bad, b"BAD")
        c.ok(b"NOOP")
    for event in (b"AnnotationChange", b"MessageNew MessageExpunge AnnotationChange", b"Future"):
        _, how = c.wanted(b"NOTIFY SET (personal (" + event + b"))", b"NO")
        want("what there is", how, b"[BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange "
             b"MailboxMetadataChange ServerMetadataChange)]" in how)


def deliveries():
    c = other()
    c.ok(b"NOTIFY SET STATUS (selected (MessageNew (UID ENVELOPE) MessageExpunge)) (inboxes " + ALL + b")")
    w = word("lmtp")
    lmtp(message(w))
    hear(c, b"* STATUS INBOX ")
    c.ok(b"SELECT INBOX")
    w = word("lmtp")
    lmtp(message(w))
    got = hear(c, b" FETCH (UID ", b"ENVELOPE", w)
    want("EXISTS first", got, b" EXISTS" in got[0])
    w = word("smtp")
    send(int(os.environ["PH_SMTP"]), b"bob@example.test", message(w))
    hear(c, b" FETCH (UID ", w, seconds=60)


def foreign():
    """Another program puts, renames and removes files."""
    d = fresh(b"Foreign")
    c = other()
    c.ok(b"NOTIFY SET (subtree Foreign " + ALL + b")")
    cur = os.path.join(MAILDIR, ".Foreign", "cur")
    names = sorted(os.listdir(cur))
    os.rename(os.path.join(cur, names[0]), os.path.join(cur, names[0].split(":2,")[0] + ":2,S"))
    hear(c, b"* STATUS Foreign", b"UNSEEN 2")
    os.unlink(os.path.join(cur, names[1]))
    hear(c, b"* STATUS Foreign", b"MESSAGES 2 ")
    new = os.path.join(MAILDIR, ".Foreign", "new", "1.foreign.host")
    tmp = new.replace("/new/", "/tmp/")
    with open(tmp, "wb") as f:
        f.write(message(b"foreign").replace(b"\r\n", b"\n"))
    give(os.path.dirname(tmp))
    os.rename(tmp, new)
    hear(c, b"* STATUS Foreign", b"MESSAGES 3 ")
    d.close()


def contexts():
    """Attributes of new messages that searches ask for (RFC 5465 7)."""
    c, d = fresh(b"Context", 2), other(b"Context")
    tag = c.tag()
    c.send(tag + b" UID SEARCH RETURN (COUNT UPDATE (UID BODY.PEEK[HEADER.FIELDS (Subject)])) SUBJECT boss\r\n")
    said, _ = c.answer(tag)
    want("none yet", said, said == [b'ESEARCH (TAG "%s") UID COUNT 0' % tag])
    d.append(b"Context", message(b"the boss"))
    d.append(b"Context", message(b"nobody"))
    said, _ = c.ok(b"NOOP")
    kinds = [re.search(rb"EXISTS|RECENT|FETCH|ESEARCH", s).group() for s in said]
    want("in order", said, kinds in ([b"EXISTS", b"RECENT", b"FETCH", b"ESEARCH"], [b"EXISTS", b"FETCH", b"ESEARCH"]))
    want("what was asked for", said, b"3 FETCH (UID 3 BODY[HEADER.FIELDS (Subject)]" in said[-2] and
         b"Subject: the boss" in said[-2] and said[-1] == b'ESEARCH (TAG "%s") UID ADDTO (0 3)' % tag)
    c.append(b"Context", message(b"boss, by oneself"))
    c.ok(b"STORE 1 +FLAGS (\\Flagged)")
    # together with those of NOTIFY, each attribute once
    c.ok(b"NOTIFY SET (selected (MessageNew (UID FLAGS BODY.PEEK[HEADER.FIELDS (Subject)]) MessageExpunge "
         b"FlagChange))")
    d.append(b"Context", message(b"boss and all"))
    got = hear(c, b"ESEARCH")
    fetch = [g for g in got if b" FETCH " in g]
    want("one FETCH", got, len(fetch) == 1 and fetch[0].count(b"BODY[") == 1 and fetch[0].count(b"UID 6") == 1 and
         b"FLAGS" in fetch[0])
    d.append(b"Context", message(b"other"))
    got = hear(c, b" FETCH (UID 7 FLAGS")
    # no FETCH for one that becomes a member by its flags
    c.ok(b"NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))")
    tag = c.tag()
    c.send(tag + b" UID SORT RETURN (UPDATE (UID BODY.PEEK[])) (SUBJECT) UTF-8 FLAGGED\r\n")
    c.answer(tag)
    d.ok(b"NOOP")
    d.ok(b"STORE 2 +FLAGS (\\Flagged)")
    got = hear(c, b"ESEARCH", b"ADDTO")
    want("flags alone", got, [b"FETCH" in g for g in got] == [True, False] and b"BODY" not in got[0])
    tag = c.tag()
    c.send(tag + b" IDLE\r\n")
    hear(c, b"+ ")
    d.ok(b"STORE 2 +FLAGS.SILENT (\\Deleted)")
    d.ok(b"EXPUNGE")
    got = hear(c, b"EXPUNGE")
    want("REMOVEFROM before", got, any(b"REMOVEFROM (2 2)" in g for g in got) or
         any(b"REMOVEFROM (1 2)" in g for g in got))
    c.send(b"DONE\r\n")
    c.answer(tag)


def uid_only():
    c, d = fresh(b"UidOnly", 2), other(b"UidOnly")
    c.ok(b"ENABLE UIDONLY QRESYNC")
    c.ok(b"NOTIFY SET (selected (MessageNew (FLAGS MODSEQ) MessageExpunge FlagChange))")
    d.append(b"UidOnly", message(b"fresh"))
    hear(c, b"* 3 UIDFETCH (", b"FLAGS", b"MODSEQ")
    d.ok(b"STORE 2 +FLAGS (\\Flagged)")
    hear(c, b"* 2 UIDFETCH (MODSEQ (", b"\\Flagged")
    d.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    d.ok(b"EXPUNGE")
    hear(c, b"* VANISHED 1")


def at_rest():
    """Nothing happens, nothing is done."""
    known = sessions()
    c = other(b"INBOX")
    pid = session_pid(known)
    c.ok(b"NOTIFY SET (selected (MessageNew MessageExpunge FlagChange)) (personal (MessageNew MessageExpunge "
         b"FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange))")
    time.sleep(1.2)
    before = ticks(pid)
    time.sleep(1.5)
    # what was changed in the last seconds is looked at once more
    want("ticks of 10 ms", ticks(pid) - before, ticks(pid) - before <= 5)
    c.ok(b"NOOP")


def many_at_once():
    """What comes together is told together; three sessions hear it."""
    d = fresh(b"Burst", 0)
    heard = [other() for _ in range(3)]
    for c in heard:
        c.ok(b"NOTIFY SET (mailboxes Burst " + ALL + b")")
    for i in range(50):
        d.append(b"Burst", message(b"m%d" % i))
    d.ok(b"STORE 1:* +FLAGS.SILENT (\\Seen)")
    for c in heard:
        hear(c, b"MESSAGES 50 ", b"UNSEEN 0")


def no_mailbox():
    """It is deleted while it is selected and listened to."""
    c, d = fresh(b"Doomed", 1), other()
    c.ok(b"NOTIFY SET (selected " + ALL + b") (personal (MailboxName))")
    d.ok(b"DELETE Doomed")
    hear(c, b"BYE")


class Knows:
    """What a client knows that believes all it is told."""

    def __init__(self, said):
        self.boxes, self.subscribed, self.status = set(), set(), {}
        for s in said:
            self.hears(s)

    def hears(self, s):
        m = re.match(rb'(?:\* )?LIST \(([^)]*)\) "." (\S+)(?: \("OLDNAME" \((\S+)\)\))?$', s)
        if m:
            flags, name, old = m.groups()
            if old:
                self.renamed(old, name)
            (self.boxes.discard if b"NonExistent" in flags else self.boxes.add)(name)
            (self.subscribed.add if b"\\Subscribed" in flags else self.subscribed.discard)(name)
            if b"NonExistent" in flags:
                self.status.pop(name, None)
        m = re.match(rb"(?:\* )?STATUS (\S+) \((.*)\)", s)
        if m:
            self.status[m.group(1)] = counts(m.group(2))

    def renamed(self, old, name):
        for x in [x for x in self.boxes if x == old or x.startswith(old + b".")]:
            self.boxes.discard(x)
            self.boxes.add(name + x[len(old):])
            if x in self.status:
                self.status[name + x[len(old):]] = self.status.pop(x)


def counts(text):
    v = dict(zip(*[iter(text.split())] * 2))
    return v[b"MESSAGES"], v[b"UNSEEN"], v[b"UIDVALIDITY"]


def listed(c, line):
    return {s.rsplit(b" ", 1)[1] for s in c.ok(line)[0] if b"Noselect" not in s}


def at_random(w, rnd, mailboxes):
    x, y = rnd.choice(mailboxes), rnd.choice(mailboxes)
    kind = rnd.randrange(10)
    if kind < 4:
        w.command((b"CREATE " + x, b"DELETE " + x, b"RENAME " + x + b" " + y,
                   rnd.choice((b"SUBSCRIBE ", b"UNSUBSCRIBE ")) + x)[kind])
    elif kind < 7:
        text, tag = message(b"m"), w.tag()
        w.send(tag + b" APPEND " + x + b" {%d+}\r\n" % len(text) + text + b"\r\n")
        w.answer(tag)
    elif kind == 7:
        w.command(b"SELECT " + x)
        w.command(b"STORE 1:2 +FLAGS (\\Seen)")
    elif kind == 8:
        w.command(b"STORE 1 +FLAGS (\\Deleted)")
        w.command(b"EXPUNGE")
    else:
        w.command(b"COPY 1 " + y)


def churn():
    """Three sessions do what they like with some mailboxes; who only listens knows all of it in the end."""
    seed = int(os.environ.get("PH_SEED", "1"))
    rnd = random.Random(seed)
    writers = [other(user="alice") for _ in range(3)]
    c = other(user="alice")
    knows = Knows(c.ok(b'LIST "" *')[0] + c.ok(b'LIST (SUBSCRIBED) "" *')[0] + c.ok(
        b"NOTIFY SET STATUS (personal (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))")[0])
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        at_random(rnd.choice(writers), rnd, (b"A", b"B", b"C", b"C.x", b"C.y", b"D", b"D.x.y", b"INBOX", b"INBOX.k"))
        time.sleep(rnd.random() * 0.02)
    for w in writers:
        w.close()
    d = other(user="alice")
    boxes = listed(d, b'LIST "" *')

    def agrees():
        while c.buf or select.select([c.sock], [], [], 0.2)[0]:
            knows.hears(c.response())
        for b in boxes:
            now = counts(d.ok(b"STATUS " + b + b" (MESSAGES UNSEEN UIDVALIDITY)")[0][0].split(b"(", 1)[1][:-1])
            if knows.status.get(b, now if now[0] == b"0" else None) != now:
                return False
        return knows.boxes == boxes and knows.subscribed == listed(d, b'LIST (SUBSCRIBED) "" *')
    try:
        until("the same, with PH_SEED=%d" % seed, agrees, 60)
    except Wrong:
        want("mailboxes", (boxes, knows.boxes, knows.subscribed, knows.status), False)


SHARED = """imap.shared @DIR@/shared
imap.separator /
imap.notify-mailboxes 12
"""


def make_shared(st):
    if not ROOT:
        raise Skip("needs users of their own")
    root = os.path.join(st.dir, "shared")
    owner = os.stat(os.path.join(st.dir, "mail", "alice"))
    group = os.stat(os.path.join(st.dir, "mail", "bob")).st_gid
    for name, acl in (("", None), (".team", "user=alice lrwstipekxa\nuser=bob lr\n"), (".team.news", None),
                      (".look", "user=alice lrwstipekxa\nuser=bob l\n"), (".hidden", "user=alice lrwstipekxa\n")):
        for sub in ("", "cur", "new", "tmp"):
            os.makedirs(os.path.join(root, name, sub), 0o700, exist_ok=True)
        if acl:
            with open(os.path.join(root, name, "dovecot-acl"), "w") as f:
                f.write(acl)
    for base, dirs, names_ in os.walk(root):
        for n in dirs + names_ + [""]:
            os.chown(os.path.join(base, n), owner.st_uid, group)
            os.chmod(os.path.join(base, n), 0o660 if n in names_ else 0o2770)


def shared(st):
    make_shared(st)
    c, d = other(base=st.base), other(user="alice", base=st.base)
    for name in (b"team", b"team/news", b"look", b"hidden"):
        d.append(b"Shared/" + name, message(b"first"))
    said, _ = c.ok(b"NOTIFY SET STATUS (subtree (Shared/team Shared/look Shared/hidden Shared/none) (MessageNew "
                   b"MessageExpunge MailboxName))")
    want("what may be seen", said, sorted(s.split(b"(")[0] for s in said if s.startswith(b"STATUS")) ==
         [b"STATUS Shared/team ", b"STATUS Shared/team/news "])
    want("what may only be looked up", said, [s for s in said if b"LIST" in s] ==
         [b'LIST (\\NoAccess \\HasNoChildren) "/" Shared/look'])
    d.append(b"Shared/team/news", message(b"news"))
    hear(c, b"* STATUS Shared/team/news", b"MESSAGES 2 ")
    d.append(b"Shared/hidden", message(b"hidden"))
    silent(c)
    d.ok(b"SETACL Shared/hidden bob lr")
    hear(c, b'* LIST (\\HasNoChildren) "/" Shared/hidden')
    hear(c, b"* STATUS Shared/hidden")
    d.append(b"Shared/hidden", message(b"seen"))
    hear(c, b"* STATUS Shared/hidden", b"MESSAGES 3 ")
    d.ok(b"SETACL Shared/look bob lr")
    hear(c, b'* LIST (\\HasNoChildren) "/" Shared/look')
    d.ok(b"SETACL Shared/look bob l")
    hear(c, b'* LIST (\\NoAccess \\HasNoChildren) "/" Shared/look')
    d.ok(b"SETACL Shared/team bob l")
    got = hear(c, b"Shared/team/news")
    want("both, the second has its rights from above", got,
         sorted(got) == [b'* LIST (\\NoAccess \\HasChildren) "/" Shared/team',
                         b'* LIST (\\NoAccess \\HasNoChildren) "/" Shared/team/news'])
    d.append(b"Shared/team/news", message(b"unseen"))
    silent(c)
    d.ok(b"DELETEACL Shared/hidden bob")
    hear(c, b'* LIST (\\NonExistent \\HasNoChildren) "/" Shared/hidden')
    c.ok(b"NOTIFY SET (mailboxes Shared/look (MessageNew MessageExpunge))")
    hear(c, b"NoAccess") if c.buf else None
    d.ok(b"DELETEACL Shared/look bob")
    silent(c)


def overflow(st):
    """There is a limit: asked for, and reached later."""
    c, d = other(base=st.base, user="carol"), other(base=st.base, user="carol")
    for i in range(11):
        d.ok(b"CREATE n%d" % i)
    c.ok(b"NOTIFY SET (selected (MessageNew MessageExpunge)) (personal (MessageNew MessageExpunge MailboxName))")
    d.append(b"n3", message(b"heard"))
    hear(c, b"* STATUS n3")
    d.ok(b"CREATE n11")
    d.ok(b"CREATE n12")
    hear(c, b"* OK [NOTIFICATIONOVERFLOW]")
    d.append(b"n3", message(b"unheard"))
    d.ok(b"CREATE n13")
    silent(c)
    c.wanted(b"NOTIFY SET (personal (MessageNew MessageExpunge))", b"NO [NOTIFICATIONOVERFLOW]")
    c.ok(b"NOTIFY SET (personal (MailboxName))")
    d.ok(b"CREATE n14")
    hear(c, b"n14")
    # what is refused leaves what there was
    c.wanted(b"NOTIFY SET (personal (MessageNew MessageExpunge))", b"NO [NOTIFICATIONOVERFLOW]")
    d.ok(b"DELETE n14")
    hear(c, b"\\NonExistent", b"n14")


for title, test in (("the selected mailbox", selected), ("one's own changes", own), ("other mailboxes", others),
                    ("names", names), ("subscribed", subscribed), ("metadata", notes), ("what is wrong", wrong),
                    ("deliveries", deliveries), ("foreign programs", foreign), ("searches", contexts),
                    ("UIDONLY, QRESYNC", uid_only), ("many at once", many_at_once), ("no mailbox any more", no_mailbox),
                    ("at rest", at_rest), ("churn", churn)):
    tap.run("NOTIFY: " + title, test)
with Stage(SHARED) as stage:
    tap.run("NOTIFY: rights", shared, stage)
    tap.run("NOTIFY: a limit", overflow, stage)
print("# slowest: %.3f s" % hear.slowest)
sys.exit(tap.end())
