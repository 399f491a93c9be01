"""What others do to the mailbox that a session has selected: it is renamed, deleted, gets other UIDs; and sessions that
are killed while they hold its locks. TAP on standard output."""
import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import Tap, message, want  # noqa: E402
from imap import Imap  # noqa: E402

BASE = int(os.environ["PH_BASE"])
USER = "carol"
MAILDIR = os.path.join(os.environ["PH_DIR"], "mail", USER, "Maildir")
tap = Tap()


def login(name=None, rev2=False):
    c = Imap(BASE, USER)
    if rev2:
        c.ok(b"ENABLE IMAP4rev2")
    if name:
        c.ok(b"SELECT " + name)
    return c


def made(name, n=2):
    c = login()
    c.ok(b"CREATE " + name)
    for i in range(n):
        c.append(name, message(b"m%d" % i))
    c.ok(b"SELECT " + name)
    return c


def text(c, at=1):
    said, _ = c.ok(b"FETCH %d (BODY.PEEK[TEXT])" % at)
    return b"hello" in said[0]


def put(name, data):
    """A file of the user's."""
    path = os.path.join(MAILDIR, name)
    with open(path, "wb") as f:
        f.write(data)
    own = os.stat(MAILDIR)
    shutil.chown(path, own.st_uid, own.st_gid)
    return path


def keyword_of_another():
    """Made by another one since this session has last looked."""
    c = made(b"Others.Words", 1)
    d, e = login(b"Others.Words"), login(b"Others.Words")
    c.ok(b"STORE 1 +FLAGS (word $Two)")
    d.ok(b"STORE 1 -FLAGS.SILENT (WORD)")
    said, _ = c.ok(b"NOOP")
    want("it is gone", said, any(s.startswith(b"1 FETCH") and b"$Two" in s and b"word" not in s for s in said))
    e.ok(b"STORE 1 -FLAGS.SILENT ($two never)")
    said, _ = e.ok(b"FETCH 1 (FLAGS)")
    want("none is left", said, b"word" not in said[-1] and b"$Two" not in said[-1])


def sent_away(what, c, said, done):
    """BYE, before or behind what was to be said of the command, and the end."""
    while done is not None:
        done = c.response()
        if done is not None:
            said.append(done[2:] if done.startswith(b"* ") else done)
    want(what, said, said and said[-1].startswith(b"BYE [UNAVAILABLE]"))


def renamed():
    c, d, e = made(b"Others.work.a"), login(b"Others.work.a", rev2=True), login(b"Others.work.a")
    c.ok(b"RENAME Others.work Others.play")
    want("it goes on", None, text(c))
    said, _ = d.ok(b"NOOP")
    want("the new name", said, any(re.match(rb'LIST \(\) "." Others.play.a \("OLDNAME" \("?Others.work.a"?\)\)', s) for s in said))
    said, _ = e.ok(b"NOOP")
    want("nothing that it does not know", said, not said)
    # another one gets the old name, and is not meant
    other = made(b"Others.work.a", 1)
    e.ok(b"STORE 2 +FLAGS (\\Flagged)")
    said, _ = other.ok(b"FETCH 1 FLAGS")
    want("not that one", said, b"\\Flagged" not in said[0])
    said, _ = c.ok(b"NOOP")
    want("but this one", said, any(s.startswith(b"2 FETCH") and b"\\Flagged" in s for s in said))
    c.append(b"Others.play.a", message(b"more"))
    said, _ = d.ok(b"NOOP")
    want("it arrives", said, b"3 EXISTS" in said)
    c.ok(b"STORE 1 +FLAGS (\\Deleted)")
    c.ok(b"EXPUNGE")
    said, _ = login().ok(b"STATUS Others.play.a (MESSAGES)")
    want("in the folder that is meant", said, b"MESSAGES 2" in said[0])
    said, _ = c.ok(b"STATUS Others.play.a (MESSAGES)")
    want("under its name", said, b"MESSAGES 2" in said[0])


def deleted():
    c, d, e = made(b"Others.Gone"), login(b"Others.Gone"), login(b"Others.Gone")
    tag = e.tag()
    e.send(tag + b" IDLE\r\n")
    want("idling", None, e.line().startswith(b"+"))
    said, _ = c.ok(b"DELETE Others.Gone")
    want("it is left", said, any(b"[CLOSED]" in s for s in said))
    c.wanted(b"FETCH 1 FLAGS", b"BAD")
    c.ok(b"NOOP")
    sent_away("BYE", d, *d.command(b"FETCH 1:* (FLAGS BODY[])"))
    sent_away("BYE while it idles", e, *e.answer(tag))
    c.ok(b"CREATE Others.Gone")
    said, _ = c.ok(b"SELECT Others.Gone")
    want("a new one", said, b"0 EXISTS" in said)


def code(said, name):
    return int(re.search(rb"\[" + name + rb" (\d+)\]", b"\n".join(said)).group(1))


def used_up():
    c = login()
    c.ok(b"CREATE Others.Full")
    for name in ("b:2,S", "a:2,F"):
        put(".Others.Full/cur/" + name, b"Subject: " + name[:1].encode() + b"\n\nx\n")
    put(".Others.Full/dovecot-uidlist", b"3 V4000000000 N4294967294\n4294967280 :b\n4294967293 :a\n")
    said, _ = c.ok(b"SELECT Others.Full")
    want("as they were", said, code(said, b"UIDNEXT") == 4294967294 and code(said, b"UIDVALIDITY") == 4000000000)
    done = c.append(b"Others.Full", message(b"the last one"))
    want("the last UID", done, b"[APPENDUID 4000000000 4294967294]" in done)
    said, _ = c.ok(b"UID FETCH 4294967294 (UID)")
    want("it is there", said, len(said) == 1)
    said, _ = c.ok(b"STATUS Others.Full (UIDNEXT)")
    want("none is left", said, b"UIDNEXT 4294967295" in said[0])
    waiting, d = login(b"Others.Full"), login()
    tag = waiting.tag()
    waiting.send(tag + b" IDLE\r\n")
    want("idling", None, waiting.line().startswith(b"+"))
    done = d.append(b"Others.Full", message(b"one more"))
    m = re.search(rb"\[APPENDUID (\d+) (\d+)\]", done)
    want("a UID of another validity", done, m and int(m.group(1)) > 4000000000 and m.group(2) == b"4")
    sent_away("BYE", c, *c.command(b"UID STORE 1:4294967295 +FLAGS (\\Deleted)"))
    sent_away("BYE while it idles", waiting, *waiting.answer(tag))
    said, _ = d.ok(b"SELECT Others.Full")
    want("that validity", said, code(said, b"UIDVALIDITY") == int(m.group(1)) and code(said, b"UIDNEXT") == 5)
    said, _ = d.ok(b"FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    want("in their order", said, [s.split()[3] for s in said] == [b"1", b"2", b"3", b"4"] and
         b"Subject: b" in said[0] and b"Subject: a" in said[1] and not any(b"Deleted" in s for s in said))
    # a session that has it open and copies into it is told as well
    put(".Others.Full/dovecot-uidlist", b"3 V4200000000 N4294967295\n")
    d.ok(b"SELECT INBOX")
    said, _ = d.ok(b"SELECT Others.Full")
    want("absurd numbers are left at once", said, code(said, b"UIDVALIDITY") > 4200000000 and
         code(said, b"UIDNEXT") == 5)


def killed():
    """The lock of the UIDs and that of the keywords lie there, as a killed session leaves them."""
    c = made(b"Others.Locks", 1)
    for name in (".Others.Locks/dovecot-uidlist.lock", ".Others.Locks/dovecot-keywords.lock"):
        os.chmod(put(name, b""), 0o700)
    begin = time.monotonic()
    c.ok(b"STORE 1 +FLAGS ($Fresh)")
    said, _ = c.ok(b"FETCH 1 FLAGS")
    want("the keyword", said, b"$Fresh" in said[0])
    # Dovecot makes its dovecot-keywords.lock only under that of the UIDs
    put(".Others.Locks/dovecot-keywords.lock", b"")
    c.ok(b"STORE 1 +FLAGS ($More)")
    said, _ = c.ok(b"FETCH 1 FLAGS")
    want("one more", said, b"$More" in said[0])
    # who does not see that they are nobody's gives up after three seconds, and has no keyword
    want("at once", time.monotonic() - begin, time.monotonic() - begin < 30)
    want("no lock is left", None, not any(n.endswith(".lock") and n.startswith("dovecot")
                                          for n in os.listdir(os.path.join(MAILDIR, ".Others.Locks"))))


def many_keywords():
    """More than Dovecot has letters for are kept in the names all the same, with and without the index, and in copies."""
    c = made(b"Others.Many", 1)
    c.ok(b"CREATE Others.Few")
    words = [b"word%d" % i for i in range(56)]
    c.ok(b"STORE 1 +FLAGS (" + b" ".join(words) + b")")
    said, done = c.command(b"STORE 1 +FLAGS (one-more)")
    want("there is a limit", done, done.startswith(b"NO [LIMIT]"))
    c.ok(b"STORE 1 -FLAGS (word3 word30 word50)")
    left = set(words) - {b"word3", b"word30", b"word50"}
    c.ok(b"COPY 1 Others.Few")
    for where in (b"Others.Many", b"Others.Few"):
        c = login()
        said, _ = c.ok(b"SELECT " + where)
        want("is no more announced", said, any(b"PERMANENTFLAGS" in s for s in said) and
             (where != b"Others.Many" or not any(b"\\*" in s for s in said)))
        said, _ = c.ok(b"FETCH 1 FLAGS")
        want("are there", said, set(re.findall(rb"word\d+", said[0])) == left)
        said, _ = c.ok(b"SEARCH KEYWORD word55 KEYWORD word26 UNKEYWORD word30")
        want("are found", said, said == [b"SEARCH 1"])
        os.unlink(os.path.join(MAILDIR, "." + where.decode(), "posthouse.index"))
        c = login(where)
        said, _ = c.ok(b"FETCH 1 FLAGS")
        want("and without the index", said, set(re.findall(rb"word\d+", said[0])) == left)


def left_in_tmp():
    """What a killed program has left in tmp is looked for when a folder is opened to write; once in a while, not each time."""
    c = made(b"Others.Left", 1)
    tmp = os.path.join(MAILDIR, ".Others.Left", "tmp")
    was = os.stat(tmp).st_mtime_ns
    draft = put(".Others.Left/tmp/draft", b"of today")
    for command, looks in ((b"EXAMINE", False), (b"SELECT", True)):
        os.utime(tmp, ns=(10 ** 18, was))
        c.ok(command + b" Others.Left")
        want(command.decode(), os.stat(tmp), (os.stat(tmp).st_atime_ns > 10 ** 18) == looks)
    soon = (int(time.time()) - 3600) * 10 ** 9
    os.utime(tmp, ns=(soon, was))
    c.ok(b"SELECT Others.Left")
    want("not within 8 hours", os.stat(tmp), os.stat(tmp).st_atime_ns == soon)
    want("of today, it stays", None, os.path.exists(draft))


tap.run("renamed, it goes on under its new name", renamed)
tap.run("a keyword that another one has made is taken away", keyword_of_another)
tap.run("deleted, its sessions end", deleted)
tap.run("UIDs that are used up begin anew", used_up)
tap.run("locks of the killed hinder nobody", killed)
tap.run("56 keywords, and not one more", many_keywords)
tap.run("drafts of the killed are looked for", left_in_tmp)
sys.exit(tap.end())
