"""Two users with one uid, as at a provider whose mail all belongs to "vmail": what one of them asks for, by names, by links in his
Maildir, by URLs and notes, shows nothing of the other's and changes nothing there. Landlock is the wall; once more without it, as on a
kernel that has none. TAP on standard output."""
import ctypes
import hashlib
import os
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import BIN, ROOT, Skip, Stage, Tap, want  # noqa: E402
from imap import Imap  # noqa: E402

UID = 61050
SECRET = b"only-for-ben"
ENDED = b"(the connection has ended)"
NAMES = [b"../../ben/Maildir", b"../ben/Maildir/.Private", b"..", b".", b"/", b"a/../../ben", b"~ben", b"~/../ben", b"cur", b"new",
         b"tmp", b"/cur", b"INBOX/../../ben", b".Private", b"..Private", b"&AC4-&AC4-", b"&AC8-", b"&AC4ALg-/ben", b"%2e%2e",
         b"a\\\"b", b"Shared", b"Shared/", b"#shared", b"user.ben", b"INBOX.."]
LINKS = {".Whole": "ben/Maildir", ".Folder": "ben/Maildir/.Private", ".Half/cur": "ben/Maildir/.Private/cur",
         ".Half/new": "ben/Maildir/.Private/new", "cur/1700000001.M1P1.x:2,": "ben/Maildir/cur/1700000000.M1P1.x:2,",
         "new/1700000002.M1P1.x": "ben/Maildir/cur/1700000000.M1P1.x:2,", ".List/dovecot-uidlist": "ben/Maildir/dovecot-uidlist",
         ".List/posthouse.index": "ben/Maildir/posthouse.index", ".List/posthouse.cache": "ben/Maildir/posthouse.cache",
         ".List/dovecot-keywords": "ben/Maildir/dovecot-keywords", ".List/posthouse-metadata": "ben/Maildir/posthouse-metadata",
         ".List/dovecot-acl": "ben/Maildir/dovecot-acl", "subscriptions": "ben/Maildir/subscriptions",
         "maildirsize": "ben/Maildir/maildirsize", "posthouse-special-use": "ben/Maildir/posthouse-special-use",
         "posthouse-metadata-server": "ben/Maildir/posthouse-metadata-server", ".Temp/tmp": "ben/Maildir/tmp",
         ".Temp/cur": "ben/Maildir/cur"}
COMMANDS = [b"SELECT %s", b"EXAMINE %s", b"STATUS %s (MESSAGES UNSEEN UIDNEXT MAILBOXID)", b"LIST \"\" %s", b"LIST %s *", b"LSUB \"\" %s",
            b"LIST (SUBSCRIBED) \"\" (%s *) RETURN (STATUS (MESSAGES) METADATA (/private/note))", b"GETMETADATA %s /private/note",
            b"GETMETADATA (DEPTH infinity) %s (/private /shared)", b"SETMETADATA %s (/private/note \"from ann\")", b"GETACL %s",
            b"SETACL %s ann lr", b"DELETEACL %s ann", b"MYRIGHTS %s", b"LISTRIGHTS %s ann", b"GETQUOTAROOT %s", b"SUBSCRIBE %s",
            b"UNSUBSCRIBE %s", b"ESEARCH IN (mailboxes %s) ALL", b"ESEARCH IN (subtree %s) TEXT only", b"UID COPY 1:* %s",
            b"UID MOVE 1:* %s", b"APPEND %s {4+}\r\nx: y", b"RENAME %s Taken", b"RENAME Own %s", b"CREATE %s", b"DELETE %s",
            b"NOTIFY SET STATUS (mailboxes %s (MessageNew MessageExpunge))"]


def home(st, user):
    return os.path.realpath(os.path.join(st.dir, "mail", user))


def give(path):
    for base, dirs, names in os.walk(path):
        for n in dirs + names + [""]:
            os.chown(os.path.join(base, n), UID, UID, follow_symlinks=False)


def snapshot(top):
    seen = {}
    for base, dirs, names in os.walk(top):
        for n in dirs:
            seen[os.path.join(base, n)] = None
        for n in names:
            with open(os.path.join(base, n), "rb") as f:
                seen[os.path.join(base, n)] = hashlib.sha256(f.read()).hexdigest()
    return seen


def unchanged(st, before):
    after = snapshot(home(st, "ben"))
    want("ben's Maildir as it was", [k for k in set(before) | set(after) if before.get(k) != after.get(k)], after == before)


def plant(st):
    """ann has links to everything of ben's, as another program of hers could have made them."""
    for folder in ("", ".Own", ".Half", ".List", ".Temp"):
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(home(st, "ann"), "Maildir", folder, sub), 0o700, exist_ok=True)
    with open(os.path.join(home(st, "ann"), "Maildir", ".Own", "cur", "1700000000.M2P1.x:2,"), "wb") as f:
        f.write(b"Subject: own\n\nx\n")
    for at, to in LINKS.items():
        path = os.path.join(home(st, "ann"), "Maildir", at)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.unlink(path)
        os.symlink(os.path.join(os.path.dirname(home(st, "ann")), to), path)
    give(home(st, "ann"))


def furnish(st):
    for user in ("ann", "ben"):
        os.mkdir(os.path.join(st.dir, "mail", user), 0o700)
        os.chown(os.path.join(st.dir, "mail", user), UID, UID)
    with Imap(st, "ben") as c:
        c.ok(b"CREATE Private")
        c.append(b"Private", b"Subject: " + SECRET + b"\r\n\r\n" + SECRET + b"\r\n", b"($Only-for-ben)")
        c.ok(b"SUBSCRIBE Private")
        c.ok(b"SETMETADATA Private (/private/note \"%s\")" % SECRET)
        c.ok(b"SETMETADATA INBOX (/shared/note \"%s\")" % SECRET)
        c.ok(b"SETMETADATA \"\" (/private/note \"%s\")" % SECRET)
        c.ok(b"SETACL INBOX %s lr" % SECRET)
        c.logout()
    path = os.path.join(home(st, "ben"), "Maildir", "cur", "1700000000.M1P1.x:2,")
    with open(path, "wb") as f:
        f.write(b"Subject: %s\n\n%s\n" % (SECRET, SECRET))
    os.chown(path, UID, UID)
    with Imap(st, "ben") as c:
        c.ok(b"SELECT INBOX")
        c.ok(b"FETCH 1 (ENVELOPE BODYSTRUCTURE)")
        c.logout()


def ask(c, command):
    """All that is said to it; the connection may end."""
    said, done = c.command(command)
    return b"\n".join(said + [done or ENDED]).replace(command, b"")


def look_into(c, leaks):
    """What is selected is read by all that reads."""
    for command in (b"FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[] PREVIEW RFC822.SIZE EMAILID)", b"SEARCH TEXT only",
                    b"SORT (SUBJECT) UTF-8 ALL", b"STORE 1:* +FLAGS (\\Seen \\Deleted)", b"UID COPY 1:* Own", b"UID MOVE 1:* Own",
                    b"EXPUNGE", b"CLOSE"):
        said = ask(c, command)
        if SECRET in said:
            leaks.append((command, said[:300]))


def everything(st, names, renew):
    leaks = []
    plant(st)
    for name in names:
        quoted = b'"' + name + b'"'
        c = Imap(st, "ann")
        for command in COMMANDS:
            if renew:
                plant(st)
            if c.command(b"SELECT Own")[1] is None:
                c = Imap(st, "ann")
                c.ok(b"SELECT Own")
            said = ask(c, command % quoted)
            if SECRET in said or ENDED in said and b"BYE" not in said:
                leaks.append((command % quoted, said[:300]))
            if command.startswith((b"SELECT", b"EXAMINE")):
                look_into(c, leaks)
                for url in (b"/%s/;UID=1", b"/%s/;UID=1/;SECTION=TEXT", b"/../../ben/Maildir/%s/;UID=1"):
                    said = ask(c, b"APPEND Own CATENATE (URL \"" + url % name.replace(b"%", b"%25") + b"\")")
                    if said.startswith(b"OK"):
                        leaks.append((url % name, said))
                c.ok(b"SELECT Own")
                look_into(c, leaks)
        c.close()
    return leaks


def names(st):
    before = snapshot(home(st, "ben"))
    leaks = everything(st, NAMES, False)
    want("nothing of ben's", leaks[:3], not leaks)
    unchanged(st, before)
    left = os.listdir(os.path.dirname(home(st, "ann")))
    want("nothing beside the Maildirs", left, "ben" in left and os.listdir(home(st, "ann")) == ["Maildir"])


def links(st, names=(b"Whole", b"Whole/Private", b"Folder", b"Half", b"List", b"Temp", b"INBOX", b"", b"Own")):
    before = snapshot(home(st, "ben"))
    leaks = everything(st, names, True)
    want("nothing of ben's", leaks[:3], not leaks)
    unchanged(st, before)


def without_landlock():
    """From now on the kernel says to this process, and to all that it starts, that it knows no Landlock."""
    steps = ((0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x00050000 | 38), (0x06, 0, 0, 0x7fff0000))
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *s) for s in steps))
    head = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(22, 2, head, 0, 0) != 0:      # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        raise Skip("no filter: " + os.strerror(ctypes.get_errno()))


def bare(st):
    with open(os.path.join(st.dir, "test"), "wb") as out:
        subprocess.run([os.path.join(BIN, "posthouse"), "sandbox-test"], stdout=out, stderr=out)
    first = open(os.path.join(st.dir, "test"), "rb").readline()
    want("no Landlock", first, b"no landlock" in first)
    links(st, (b"Whole", b"Half", b"List", b"INBOX"))


def main():
    tap = Tap()
    if not ROOT:
        tap.run("one uid", lambda: (_ for _ in ()).throw(Skip("needs users of their own")))
        return tap.end()
    users = "".join("%s:{PLAIN}secret:%d:%d::@DIR@/mail/%s::\n" % (u, UID, UID, u) for u in ("ann", "ben"))
    with Stage('users file "@DIR@/vmail"\nimap.separator /\nimap.errors 1000\n', files={"vmail": users}) as st:
        furnish(st)
        tap.run("names", names, st)
        tap.run("links", links, st)
    try:
        without_landlock()
    except Skip as skip:
        tap.run("links without Landlock", lambda: (_ for _ in ()).throw(skip))
        return tap.end()
    with Stage('users file "@DIR@/vmail"\nimap.separator /\nimap.errors 1000\n', files={"vmail": users}) as st:
        furnish(st)
        tap.run("links without Landlock", bare, st)
    return tap.end()


sys.exit(main())
