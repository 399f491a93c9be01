"""Rights (RFC 4314): each command that needs one, with every set of rights that lacks, or has, one or two. The table of section 4,
and what the commands of later standards need. Then identifiers, and who can read what others have put into a shared folder.
TAP on standard output."""
import itertools
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import LONG, ROOT, Skip, Stage, Tap, want  # noqa: E402
from imap import Imap  # noqa: E402

CONF = 'users file "@DIR@/team"\nimap.separator /\nimap.shared @DIR@/shared\n'
UIDS, GID = {"ann": 61051, "ben": 61052}, 61060
ALL = "lrswipkxtea"
PAIRS = ["lr", "li", "te", "xk", "rs", "rt", "rw", "rte", "is", "it", "iw", "lp"]
BOX = b"Shared/box"
LETTER = b"Subject: x\r\n\r\nx\r\n"


def root_of(st):
    return os.path.join(st.dir, "shared")


def make(st):
    """Folders of the group of both."""
    for user, uid in UIDS.items():
        os.mkdir(os.path.join(st.dir, "mail", user), 0o700)
        os.chown(os.path.join(st.dir, "mail", user), uid, GID)
    for folder in ("", ".box", ".box.child", ".target"):
        for sub in ("", "cur", "new", "tmp"):
            os.makedirs(os.path.join(root_of(st), folder, sub), exist_ok=True)
    for base, dirs, names in os.walk(root_of(st)):
        for n in dirs + [""]:
            os.chown(os.path.join(base, n), UIDS["ann"], GID)
            os.chmod(os.path.join(base, n), 0o2770)


def allow(st, folder, text):
    path = os.path.join(root_of(st), folder, "dovecot-acl")
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o664)
    os.chown(path, 0, GID)


def put(st, folder, name):
    path = os.path.join(root_of(st), folder, "cur", name)
    with open(path, "wb") as f:
        f.write(LETTER.replace(b"\r", b""))
    os.chmod(path, 0o660)
    os.chown(path, UIDS["ben"], GID)


def flags_of(st, folder):
    return {n.split(":2,")[1] for n in os.listdir(os.path.join(root_of(st), folder, "cur"))}


def empty(st, folder):
    for sub in ("cur", "new"):
        for n in os.listdir(os.path.join(root_of(st), folder, sub)):
            os.unlink(os.path.join(root_of(st), folder, sub, n))


def is_ok(done):
    return done is not None and done.startswith(b"OK")


class Trial:
    """Ben, who has these rights to the box; ann has all."""

    def __init__(self, st, c, ann, rights):
        self.st, self.c, self.ann, self.has = st, c, ann, set(rights)
        self.wrong = []
        self.let(self.has)

    def let(self, rights):
        allow(self.st, ".box", "user=ann %s\n%s" % (ALL, "user=ben %s\n" % "".join(rights) if rights else ""))

    def expect(self, what, got, wanted):
        if bool(got) != bool(wanted):
            self.wrong.append((what, "allowed" if got else "refused"))

    def needs(self, command, rights):
        self.expect(command, is_ok(self.c.command(command)[1]), self.has >= set(rights))

    def by_name(self):
        """Commands that need no selected mailbox."""
        c, has = self.c, self.has
        listed = c.ok(b'LIST "" ' + BOX)[0]
        self.expect("LIST", listed, "l" in has)
        self.needs(b"STATUS %s (MESSAGES)" % BOX, "r")
        self.needs(b"GETQUOTAROOT " + BOX, "r")
        self.needs(b"GETACL " + BOX, "a")
        self.needs(b"LISTRIGHTS %s ben" % BOX, "a")
        self.expect("MYRIGHTS", is_ok(c.command(b"MYRIGHTS " + BOX)[1]), has & set("lrikxa"))
        self.expect("GETMETADATA", is_ok(c.command(b"GETMETADATA %s /shared/comment" % BOX)[1]), "l" in has and has & set("rswip"))
        self.expect("GETMETADATA of a pattern", is_ok(c.command(b'GETMETADATA "Shared/bo%" /shared/comment')[1]),
                    "l" in has and has & set("rswip"))
        self.expect("SETMETADATA", is_ok(c.command(b'SETMETADATA %s (/shared/comment "x")' % BOX)[1]),
                    "l" in has and has & set("rswip"))
        empty(self.st, ".box")
        put(self.st, ".box", "1700000009.M1P1.x:2,")
        uid = self.ann.ok(b"STATUS %s (UIDNEXT)" % BOX)[0][0].split()[-1]
        uid = b"%d" % (int(uid[:-1]) - 1)
        self.expect("ESEARCH", c.command(b"ESEARCH IN (mailboxes %s) ALL" % BOX)[0], "r" in has)
        self.expect("CATENATE", is_ok(c.command(b"APPEND INBOX CATENATE (URL \"/%s/;UID=%s\")" % (BOX, uid))[1]), "r" in has)
        self.refusals()

    def refusals(self):
        """Without l it is not said that it is there."""
        done = self.c.command(b"DELETE " + BOX + b"/none")[1] if "x" in self.has else self.c.command(b"DELETE " + BOX)[1]
        if "x" not in self.has:
            self.expect("DELETE", is_ok(done), False)
            self.expect("told that it is there", b"NOPERM" in done, "l" in self.has)

    def arriving(self):
        """What comes into it, and with which flags."""
        may = "".join(sorted(f for r, f in (("s", "S"), ("t", "T"), ("w", "Fa")) if r in self.has for f in f))
        given = b"(\\Seen \\Deleted \\Flagged $MDNSent)"
        self.c.ok(b"SELECT INBOX")
        for name, command in (("APPEND", b"APPEND %s %s {%d+}\r\n%s" % (BOX, given, len(LETTER), LETTER)),
                              ("COPY", b"COPY * " + BOX), ("MOVE", b"MOVE * " + BOX)):
            empty(self.st, ".box")
            self.c.ok(b"APPEND INBOX %s {%d+}\r\n%s" % (given, len(LETTER), LETTER))
            self.expect(name, is_ok(self.c.command(command)[1]), "i" in self.has)
            got = {re.sub("[b-z]", "", f) for f in flags_of(self.st, ".box")}
            if "i" in self.has and got != {may}:
                self.wrong.append((name, "with flags", got, "not", may))
        self.c.ok(b"UNSELECT")

    def selected(self):
        st, c, has = self.st, self.c, self.has
        empty(st, ".box")
        for i in range(4):
            put(st, ".box", "170000000%d.M1P1.x:2," % i)
        self.needs(b"EXAMINE " + BOX, "r")
        self.needs(b"SELECT " + BOX, "r")
        if "r" not in has:
            return
        self.expect("FETCH", c.command(b"FETCH 1 BODY[]")[1][:2] == b"OK", True)
        self.expect("\\Seen by FETCH", "S" in flags_of(st, ".box"), "s" in has)
        for flag, right in ((b"\\Seen", "s"), (b"\\Deleted", "t"), (b"\\Flagged", "w"), (b"$MDNSent", "w")):
            self.needs(b"STORE 2 +FLAGS (%s)" % flag, right)
        said = b"".join(c.ok(b"FETCH 2 FLAGS")[0])
        for flag, right in ((b"\\Seen", "s"), (b"\\Deleted", "t"), (b"\\Flagged", "w"), (b"$MDNSent", "w")):
            self.expect("%s by STORE" % flag, flag in said, right in has)
        self.needs(b"COPY 3 INBOX", "")
        self.needs(b"MOVE 3 INBOX", "te")
        self.needs(b"REPLACE 1 INBOX {%d+}\r\n%s" % (len(LETTER), LETTER), "te")
        self.needs(b"EXPUNGE", "e")
        c.ok(b"SELECT " + BOX)
        before = len(flags_of(st, ".box"))
        if "t" in has:
            c.ok(b"STORE 1 +FLAGS (\\Deleted)")
        c.ok(b"CLOSE")
        self.expect("CLOSE expunges", len(flags_of(st, ".box")) < before, has >= set("te"))

    def tree(self):
        """Folders below it have its list."""
        c, has = self.c, self.has
        self.needs(b"CREATE %s/new" % BOX, "k")
        self.needs(b"RENAME %s/child %s/other" % (BOX, BOX), "xk")
        if has >= set("xk"):
            c.ok(b"RENAME %s/other %s/child" % (BOX, BOX))
        self.needs(b"RENAME %s/child Shared/target/child" % BOX, "x")
        if "x" in has:
            c.ok(b"RENAME Shared/target/child Shared/target/back")
            self.let(ALL)
            c.ok(b"RENAME Shared/target/back %s/child" % BOX)
            os.unlink(os.path.join(root_of(self.st), ".box.child", "dovecot-acl"))
            self.let(has)
        if "k" in has:
            self.needs(b"DELETE %s/new" % BOX, "x")
        self.let(ALL)
        c.command(b"DELETE %s/new" % BOX)
        self.let(has)
        self.needs(b"SETACL %s ben +l" % BOX, "a")
        self.needs(b"DELETEACL %s carol" % BOX, "a")

    def run(self):
        for part in (self.by_name, self.arriving, self.selected, self.tree):
            part()
        return self.wrong


def some_sets():
    yield ""
    yield ALL
    yield from PAIRS
    for n in (1, 2) if LONG else (1,):
        for some in itertools.combinations(ALL, n):
            yield "".join(some)
            yield "".join(r for r in ALL if r not in some)


def table(st):
    allow(st, ".target", "user=ben lrswipkxtea\nuser=ann lrswipkxtea\n")
    wrong = {}
    with Imap(st, "ben") as c, Imap(st, "ann") as ann:
        for rights in some_sets():
            found = Trial(st, c, ann, rights).run()
            if found:
                wrong[rights] = found
    want("the table of RFC 4314", "\n".join("%s: %s" % x for x in list(wrong.items())[:8]), not wrong)


WHO = [("user=ben lr\n", "lr"), ("anyone l\nuser=ben r\n", "r"), ("anyone lr\n-user=ben r\n", "l"), ("anyone lr\n-anyone r\n", "l"),
       ("authenticated lrs\n", "lrs"), ("-authenticated r\nanyone lr\n", "l"), ("user=ann lr\n", ""), ("user=be lr\n", ""),
       ("user=benny lr\n", ""), ("user=BEN lr\n", ""), ("owner lr\n", ""), ("group=ben lr\n", None), ("user=ben lr\nuser=ben s\n", "lrs"),
       ("user=ben lr\nnonsense\n", ""), ("user=ben lrz\n", ""), ("\"user=ben\" lr\n", "lr"), ("user=ben\tlr\n", "lr"), ("", ""),
       ("# anyone lr\n", ""), ("anyone\n", ""), ("user=ben :lookup read\n", "lr"), ("anyone lr\nuser=ben\n", "")]


def identifiers(st):
    for text, rights in WHO:
        allow(st, ".box", text)
        with Imap(st, "ben") as c:
            said, done = c.command(b"MYRIGHTS " + BOX)
            if rights is None:
                continue
            got = said[0].split()[-1].decode() if said else ""
            want("rights by %r" % text, got or done.decode(), got == rights and is_ok(done) == bool(rights))
    os.unlink(os.path.join(root_of(st), ".box", "dovecot-acl"))
    with Imap(st, "ben") as c:
        want("no list, no rights", None, not c.ok(b'LIST "" ' + BOX)[0])


def own(st):
    """The owner keeps all rights, whatever he does to himself."""
    with Imap(st, "ann") as c:
        c.ok(b"CREATE mine")
        for command in (b"SETACL mine ann \"\"", b"SETACL mine ann -a", b"DELETEACL mine ann", b"SETACL mine owner lr"):
            c.wanted(command, b"NO")
        for command in (b"SETACL mine -ann lrswipkxtea", b"SETACL mine -anyone lrswipkxtea", b"SETACL mine -owner a",
                        b"SETACL mine anyone \"\""):
            c.command(command)
        got = c.ok(b"MYRIGHTS mine")[0]
        want("all rights", got, got == [b"MYRIGHTS mine lrwstipekxacd"])
        for command in (b"SELECT mine", b"APPEND mine {%d+}\r\n%s" % (len(LETTER), LETTER), b"STORE 1 +FLAGS (\\Deleted)", b"EXPUNGE",
                        b"GETACL mine", b"CREATE mine/below", b"DELETE mine/below", b"RENAME mine yours", b"DELETE yours"):
            c.ok(command)


def kept(st):
    """Rights that come from the folder above stay with what is moved away from it, also with what is below a mere name."""
    allow(st, ".box", "user=ben lx\n")
    for folder in (".box.only.one", ".box.only.two.deep"):
        for sub in ("", "cur", "new", "tmp"):
            path = os.path.join(root_of(st), folder, sub)
            os.mkdir(path)
            os.chown(path, UIDS["ann"], GID)
            os.chmod(path, 0o2770)
    with Imap(st, "ben") as c:
        for name, to in ((b"child", b"mine"), (b"only", b"all")):
            c.ok(b"RENAME %s/%s Shared/target/%s" % (BOX, name, to))
        for name in (b"mine", b"all/one", b"all/two/deep"):
            got = c.ok(b"MYRIGHTS Shared/target/" + name)[0]
            want("rights to " + name.decode(), got, got[0].endswith(b" lxcd") or got[0].endswith(b" lxc"))
            c.wanted(b"SELECT Shared/target/" + name, b"NO [NOPERM]")
    allow(st, ".box", "user=ben %s\n" % ALL)
    with Imap(st, "ben") as c:
        c.ok(b"CREATE %s/again" % BOX)
        c.ok(b"RENAME %s/again %s/still" % (BOX, BOX))
    want("no list where it is the same", None, not os.path.exists(os.path.join(root_of(st), ".box.still", "dovecot-acl")))


def left(st):
    """And what is below a folder that is deleted."""
    with Imap(st, "ann") as c:
        for name in (b"top", b"top/sub", b"top/sub/deep", b"top/open"):
            c.ok(b"CREATE Shared/target/" + name)
        c.ok(b"SETACL Shared/target/top ben lx")
        c.ok(b"SETACL Shared/target/top/open ben lr")
    with Imap(st, "ben") as c:
        c.ok(b"DELETE Shared/target/top")
        for name in (b"top/sub", b"top/sub/deep"):
            c.wanted(b"SELECT Shared/target/" + name, b"NO [NOPERM]")
        c.ok(b"SELECT Shared/target/top/open")


def readable(st):
    """What ben puts there from his own folders, ann can read, and mark, and take away."""
    allow(st, ".box", "anyone lrswipkxtea\n")
    empty(st, ".box")
    with Imap(st, "ben") as c:
        for _ in range(3):
            c.append(b"INBOX", LETTER)
        c.ok(b"SELECT INBOX")
        c.ok(b"STORE 1:* +FLAGS ($Work)")
        c.ok(b"COPY 1 " + BOX)
        c.ok(b"MOVE 2 " + BOX)
        c.ok(b"APPEND %s ($Work) {%d+}\r\n%s" % (BOX, len(LETTER), LETTER))
    with Imap(st, "ann") as c:
        c.ok(b"SELECT " + BOX)
        said = c.ok(b"FETCH 1:* BODY[]")[0]
        want("three messages", said, sum(b"Subject: x" in s for s in said) == 3)
        c.ok(b"COPY 1:* INBOX")
        c.ok(b"STORE 1:* +FLAGS (\\Deleted $Mine)")
        c.ok(b"EXPUNGE")


def apart(st):
    """A copy in one's own folders is one's own: whoever has left the first one there cannot change it."""
    allow(st, ".box", "anyone lrswipkxtea\n")
    empty(st, ".box")
    with Imap(st, "ben") as c:
        c.append(BOX, LETTER)
    with Imap(st, "ann") as c:
        c.ok(b"SELECT " + BOX)
        c.ok(b"COPY 1 INBOX")
    there = os.path.join(root_of(st), ".box", "cur")
    shared = {os.stat(os.path.join(there, n)).st_ino for n in os.listdir(there)}
    where = os.path.join(st.dir, "mail", "ann", "Maildir", "cur")
    mine = [os.stat(os.path.join(where, n)) for n in os.listdir(where)]
    want("files of her own", mine, mine and all(s.st_ino not in shared and s.st_uid == UIDS["ann"] for s in mine))


def gone(c, what=b""):
    """The next that is said is the end."""
    got = c.line()
    want("BYE after %r" % what, got, got is not None and got.startswith(b"* BYE [NOPERM]") and c.closed())


def revoked(st):
    """Without r a selected mailbox is read no further (RFC 4314, 5.1.1); with other rights it is told what may be changed."""
    def let(rights, folder=".box"):
        allow(st, folder, "user=ann %s\nuser=ben %s\n" % (ALL, rights))
    empty(st, ".box")
    put(st, ".box", "1700000001.M1P1.x:2,")
    for command in (b"FETCH 1 BODY[]", b"UID FETCH 1:* FLAGS", b"SEARCH TEXT x", b"COPY 1 INBOX", b"NOOP", b"IDLE", b"THREAD REFERENCES UTF-8 ALL",
                    b"ESEARCH IN (selected) ALL", b"CHECK", b"APPEND INBOX CATENATE (URL \"/;UID=1\")"):
        let("lr")
        with Imap(st, "ben") as c:
            c.ok(b"SELECT " + BOX)
            c.ok(b"FETCH 1 FLAGS")
            if command != b"IDLE":
                let("l")
            c.send(b"x " + command + b"\r\n")
            if command == b"IDLE" and c.line():
                let("l")
                put(st, ".box", "1700000002.M2P1.x:2,")
            gone(c, command)
    for command in (b"UNSELECT", b"CLOSE", b"SELECT INBOX", b"LOGOUT"):
        let("lr")
        with Imap(st, "ben") as c:
            c.ok(b"SELECT " + BOX)
            let("l")
            c.ok(command)
    let("lrs")
    with Imap(st, "ben") as c, Imap(st, "ann") as ann:
        ann.ok(b"CREATE %s/below" % BOX)
        c.ok(b"SELECT %s/below" % BOX)
        c.ok(b"NOOP")
        ann.ok(b"SETACL %s ben lrw" % BOX)
        said = c.ok(b"NOOP")[0]
        want("what may be changed now", said, [x for x in said if b"PERMANENTFLAGS" in x and b"\\Flagged" in x and b"\\Seen" not in x.split(b"[")[1]])
        want("and no more of it", None, not c.ok(b"NOOP")[0])
        let("lrw")
        want("the same rights", None, not c.ok(b"NOOP")[0])
        ann.ok(b"SETACL %s/below ben lr" % BOX)
        said = c.ok(b"CHECK")[0]
        want("a list of its own", said, [x for x in said if b"PERMANENTFLAGS ()" in x])
        ann.ok(b"DELETEACL %s/below ben" % BOX)
        c.send(b"x UID SEARCH ALL\r\n")
        gone(c)
    os.unlink(os.path.join(root_of(st), ".box.below", "dovecot-acl"))


def main():
    tap = Tap()
    if not ROOT:
        tap.run("rights", lambda: (_ for _ in ()).throw(Skip("needs users of their own")))
        return tap.end()
    users = "".join("%s:{PLAIN}secret:%d:%d::@DIR@/mail/%s::\n" % (u, n, GID, u) for u, n in UIDS.items())
    with Stage(CONF, files={"team": users}) as st:
        make(st)
        for name, test in (("the table", table), ("identifiers", identifiers), ("the owner", own), ("folders that are moved", kept), ("folders that are left", left),
                           ("shared messages", readable),
                           ("copies of one's own", apart),
                           ("rights that are taken away", revoked)):
            tap.run(name, test, st)
    return tap.end()


sys.exit(main())
