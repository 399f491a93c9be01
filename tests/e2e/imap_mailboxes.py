"""Mailboxes by IMAP: names in all languages and forms, LIST in all its forms, rights, quota, notes, shared folders;
side by side with Dovecot, on one Maildir, where that is installed. TAP on standard output."""
import base64
import os
import re
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import dovecot  # noqa: E402
from e2e import ROOT, Lines, Skip, Stage, Tap, Wrong, until, want  # noqa: E402

NAMESPACE = """
namespace inbox {
  inbox = yes
  separator = %s
  prefix = %s
}
"""


class Imap(Lines):
    def __init__(self, port, user="alice", timeout=60):
        super().__init__(port, timeout=timeout)
        self.n = 0
        self.greeting = self.line()
        if user:
            self.ok("LOGIN %s secret" % user)

    def response(self):
        """One, with its literals in it."""
        text = self.line()
        while text is not None and re.search(rb"\{\d+\}$", text):
            n = int(re.search(rb"\{(\d+)\}$", text).group(1))
            while len(self.buf) < n:
                self.buf += self.sock.recv(65536)
            text += b"\r\n" + self.buf[:n]
            self.buf = self.buf[n:]
            text += self.line()
        return text

    def do(self, command):
        """(tagged reply, untagged ones). A command of several parts has literals between them."""
        parts = command if isinstance(command, list) else [command]
        parts = [p if isinstance(p, bytes) else p.encode() for p in parts]
        self.n += 1
        tag = b"t%d" % self.n
        self.send(tag + b" " + parts[0] + b"\r\n")
        got = []
        for more in parts[1:]:
            want("a continuation", self.line(), True)
            self.send(more + b"\r\n")
        while True:
            text = self.response()
            want("a reply to %r" % command, text, text is not None)
            if text.startswith(tag + b" "):
                return text[len(tag) + 1:].decode("utf-8", "replace"), got
            got.append(text)

    def ok(self, command):
        reply, got = self.do(command)
        want("OK to %r" % command, reply, reply.startswith("OK"))
        return got

    def refused(self, command, how):
        reply, got = self.do(command)
        want("%s to %r" % (how, command), reply, reply.startswith(how))
        return got

    def lines(self, command, word=b"LIST"):
        return [g[2:].decode("utf-8", "replace") for g in self.ok(command) if g.startswith(b"* " + word + b" ")]


class Dovecot(dovecot.Dovecot):
    def __init__(self, st, user, separator=".", prefix=""):
        super().__init__(st, "imap", os.stat(os.path.join(st.dir, "mail", user)).st_uid,
                         NAMESPACE % (separator, prefix))

    def login(self, user):
        def attempt():
            try:
                return Imap(self.port, user)
            except (OSError, Wrong):
                return None
        return until("a login of %s" % user, attempt, 30)


def imap(st, user="alice"):
    return Imap(st.base + 143, user)


def maildir(st, user="alice"):
    return os.path.join(st.dir, "mail", user, "Maildir")


def mutf7(name):
    out, run = "", ""

    def flush():
        return "&" + base64.b64encode(run.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
    for c in name:
        if " " <= c <= "~":
            if run:
                out += flush()
                run = ""
            out += "&-" if c == "&" else c
        else:
            run += c
    return out + (flush() if run else "")


LANGUAGES = ["Entwürfe", "已发送", "ごみ箱", "보낸편지함", "Отправленные", "Εισερχόμενα", "المرسلة", "דואר זבל",
             "ถังขยะ", "हिन्दी", "Nháp & Gửi", "💩 und mehr", "Ünïcödé~&-", "Śmieci", "ქართული", "አማርኛ"]


def languages(st):
    with imap(st, "bob") as c:
        for name in LANGUAGES:
            c.ok('CREATE "%s"' % mutf7(name))
        shown = c.lines('LIST "" *')
        for name in LANGUAGES:
            want(name, shown, any(mutf7(name) in l for l in shown))
            c.ok('STATUS "%s" (MESSAGES)' % mutf7(name))
        for bad in ("&", "&AGE-", "&AOQ", "&AOQ-&APY-", "Entw&-\u00fc", "&2D0-", "&AAo-"):
            c.refused('CREATE "%s"' % bad, "NO [CANNOT]")
    for name in LANGUAGES:
        want(name, os.listdir(maildir(st, "bob")), os.path.isdir(os.path.join(maildir(st, "bob"), "." + mutf7(name))))
    with imap(st, "bob") as c:
        c.ok("ENABLE UTF8=ACCEPT IMAP4rev2")
        shown = c.lines('LIST "" *')
        for name in LANGUAGES:
            want(name, shown, any('"' + name + '"' in l for l in shown))
            c.ok('STATUS "%s" (MESSAGES)' % name)
        for bad in ("a\u0085b", "a\u2028", "\u2029b"):
            c.refused('CREATE "%s"' % bad, "NO [CANNOT]")
            c.refused('RENAME "Entwürfe" "%s"' % bad, "NO [CANNOT]")
        # RFC 6855, 3: what is no UTF-8 in quotes is BAD, whatever it is for
        for bad in (b'CREATE "\xff\xfe"', b'CREATE "a\xed\xa0\x80"', b'STATUS "\xc3" (MESSAGES)', b'CREATE {1+}\r\na"\xe4"'):
            c.refused(bad, "BAD")
        c.refused(b'CREATE {2+}\r\n\xff\xfe', "NO [CANNOT]")
        c.ok('DELETE "Entwürfe"')
    want("it is gone", None, not os.path.exists(os.path.join(maildir(st, "bob"), ".Entw&APw-rfe")))


def composed(st):
    """Names that are not in NFC (RFC 9051, 5.1), which only IMAP4rev2 and UTF8=ACCEPT have."""
    apart, whole = "A\u030angstro\u0308m", "\u00c5ngstr\u00f6m"
    oldname = 'LIST () "." "%s" ("OLDNAME" ("%s"))' % (whole, apart)
    with imap(st, "carol") as c:
        c.ok('CREATE "%s"' % mutf7("o\u0308de"))      # another name where it is in UTF-7: nothing is asked of that
        c.ok("ENABLE IMAP4rev2")
        said = c.lines('CREATE "%s"' % apart)
        want("made in NFC", said, said == [oldname])
        want("on disk", None, os.path.isdir(os.path.join(maildir(st, "carol"), "." + mutf7(whole))) and
             not os.path.exists(os.path.join(maildir(st, "carol"), "." + mutf7(apart))))
        for name in (apart, whole, "\u212bngstro\u0308m"):
            c.refused('CREATE "%s"' % name, "NO [ALREADYEXISTS]")
            c.ok('STATUS "%s" (MESSAGES)' % name)
            c.ok('SUBSCRIBE "%s"' % name)
        for command in ("SELECT", "EXAMINE"):
            said = c.lines('%s "%s"' % (command, apart))
            want(command, said, said == [oldname])
        said = c.lines('SELECT "%s"' % whole)
        want("its own name", said, said == ['LIST () "." "%s"' % whole])
        said = c.lines("SELECT inbox")
        want("INBOX", said, said == ['LIST () "." INBOX'])
        want("APPEND", None, c.lines('APPEND "%s" {14+}\r\nSubject: a\r\n\r\n' % apart) == [oldname])
        c.ok('SELECT "%s"' % whole)
        c.ok('COPY 1 "%s"' % apart)
        # a mark below before one above; a letter that is two in NFC
        c.ok('CREATE "q\u0307\u0323"')
        c.ok('CREATE "\u0958"')
        shown = c.lines('LIST "" *')
        for name in (whole, "q\u0323\u0307", "\u0915\u093c"):
            want("shown", (name, shown), any('"%s"' % name in s for s in shown))
        # patterns, too, and what they begin with
        for command in ('LIST "" "%s"', 'LIST "" "%s%%"', 'LIST "" (x "%s")', 'LIST (SUBSCRIBED) "" "%s"'):
            said = c.lines(command % apart)
            want(command, said, len(said) == 1 and ' "%s"' % whole in said[0])
        said = c.lines('LSUB "" "%s"' % apart, b"LSUB")
        want("LSUB", said, said == ['LSUB () "." "%s"' % whole])
        said = c.lines('LIST "%s" "%%"' % apart[:4])
        want("the reference", said, len(said) == 1 and ' "%s"' % whole in said[0])
        said = c.lines('LIST "A" "\u030a%"')
        want("across the two", said, len(said) == 1 and ' "%s"' % whole in said[0])
        # what another one has made has the name that it has
        c.ok('STATUS "o\u0308de" (MESSAGES)')
        said = c.lines('SELECT "o\u0308de"')
        want("as it is", said, said == ['LIST () "." "o\u0308de"'])
        c.refused('STATUS "\u00f6de" (MESSAGES)', "NO [NONEXISTENT]")
        for name, found in (("o\u0308de", 1), ("\u00f6de", 0)):
            said = c.lines('LIST "" "%s"' % name)
            want("a pattern for it", said, len(said) == found)
        c.ok('RENAME "o\u0308de" "u\u0308ber"')
        want("it is no longer so", None, c.lines('LIST "" "\u00fcber"'))
        said = c.lines('DELETE "u\u0308ber"')
        want("DELETE", said, said == ['LIST (\\NonExistent) "." "\u00fcber" ("OLDNAME" ("u\u0308ber"))'])
        c.refused('DELETE "u\u0308ber"', "NO [NONEXISTENT]")
        c.ok('UNSUBSCRIBE "%s"' % apart)
        want("no subscription", None, not c.lines('LIST (SUBSCRIBED) "" *'))


NAMES = [("INBOX", False), ("inbox.a", True), ("a..b", False), (".a", False), ("a/b", False), ("~", False), ("~r", False),
         ("x~", True), ("with blank", True), ("a*b", True), ("a%b", True), ("", False), (".", False), ("..", False),
         ("a\\\\b", True), ("cur", True), ("INBOXa", True), ("trailing.", True), ("x" * 200, True), ("x" * 201, False),
         ("y" * 5000, False)]


def rules(st):
    """Which names there can be; Dovecot says the same."""
    def answers(c):
        return [(n, c.do('CREATE "%s"' % n)[0].startswith("OK")) for n, _ in NAMES]
    with imap(st, "user1") as c:
        got = answers(c)
        want("which are made", got, got == NAMES)
        c.refused(["CREATE {3+}\r\na\0b"], "BAD")
        c.refused('SELECT "trailing."', "NO")
        c.ok("STATUS iNbOx (MESSAGES)")
        c.ok("STATUS INBOX.a (MESSAGES)")
        c.refused("CREATE inbox", "NO [ALREADYEXISTS]")
        c.refused("DELETE inbox", "NO")
        c.refused("DELETE nothing", "NO [NONEXISTENT]")
    with imap(st, "user2"):
        pass    # Dovecot makes an inbox when it is asked to, once
    with Dovecot(st, "user2") as d, d.login("user2") as c:
        theirs = answers(c)
        different = [(a, b) for a, b in zip(got, theirs) if a != b and len(a[0]) < 200]
        want("Dovecot's", different, not different)


TREE = ["work", "work.lists", "work.lists.posthouse", "deep.er.est", "INBOX.sub", "a", "a-b", "a.b", "Sent", "&AOQ-",
        "with blank", "Trash.old"]
SUBSCRIBED = ["INBOX", "work", "work.lists.posthouse", "deep.er.est", "a-b", "INBOX.sub"]
# Not '&*': a pattern is no name, and Dovecot finds nothing by one that is no modified UTF-7.
PATTERNS = ['"" ""', '"" *', '"" %', '"" %.%', '"" *%', '"" %*', '"" work*', '"" work.%', '"work." %', '"work" .%', '"" *s',
            '"" %er', '"" %e%', '"" inbox', '"" iNBOx*', '"" INBOX.%', '"" INBOX%', '"" w%k', '"" w*.p*', '"" a%', '"" a.*',
            '"" nothing', '"" "with*"', '"" %.%.%', '"x" ""', '"work.lists" ""', '"" "*o*"', '"" deep.%',
            '"" "d%.%.%"', '"" %%', '"" **']
EXTENDED = ['(SUBSCRIBED) "" *', '(SUBSCRIBED) "" %', '(SUBSCRIBED RECURSIVEMATCH) "" %', '(SUBSCRIBED RECURSIVEMATCH) "" *',
            '(SUBSCRIBED RECURSIVEMATCH) "" work', '"" (work% INBOX) RETURN (SUBSCRIBED CHILDREN)', '() "" %',
            '"" (% %.%) RETURN (CHILDREN)', '(SUBSCRIBED REMOTE) "" *', '"" % RETURN (STATUS (MESSAGES UIDNEXT))',
            '"" * RETURN (SUBSCRIBED)', '"" (nothing) RETURN ()', '"" "" RETURN (CHILDREN)']


def plain(lines):
    """
    As a set: Dovecot has no order. What differs for a reason is left out: we say \\HasChildren of what does not exist
    (RFC 5258, example 11), and have the quotes around CHILDINFO that its examples have; in the sum of RECURSIVEMATCH Dovecot
    does not tell of a subscribed parent (RFC 5258 3.5: it is to). That a folder called Sent has that use it has to be told.
    \\Marked and \\UnMarked, which we never say, it has by times of directories: of one that was just made sooner or later.
    """
    out = set()
    for line in lines:
        line = line.replace('"CHILDINFO"', "CHILDINFO").replace(" \\Sent", "")
        line = line.replace("\\NonExistent \\HasChildren", "\\NonExistent")
        line = re.sub(r" \\(Un)?Marked|\\(Un)?Marked ?", "", line)
        line = re.sub(r"^(LIST \(\\Subscribed.*) \(CHILDINFO.*", r"\1", line)
        out.add(line)
    return out


def side_by_side(st):
    with imap(st, "user3") as c:
        for name in TREE:
            c.ok('CREATE "%s"' % name)
        for name in SUBSCRIBED + ["deep.er.est"]:
            c.ok('SUBSCRIBE "%s"' % name)
        c.ok("DELETE deep.er.est")
        c.ok("CREATE deep.er.est")
        c.ok("SUBSCRIBE gone.before")
    with Dovecot(st, "user3") as d, d.login("user3") as theirs, imap(st, "user3") as ours:
        for pattern in PATTERNS:
            for command in ("LIST", "LSUB"):
                if command == "LSUB" and '""' in pattern[3:]:
                    continue    # of no use; Dovecot answers as to LIST
                a = ours.lines("%s %s" % (command, pattern), command.encode())
                b = theirs.lines("%s %s" % (command, pattern), command.encode())
                want("%s %s: Dovecot's %r" % (command, pattern, sorted(b)), sorted(a), plain(a) == plain(b))
                want("each once", a, len(a) == len(set(a)))
        for args in EXTENDED:
            a, b = ours.ok("LIST " + args), theirs.ok("LIST " + args)
            a, b = ([x[2:].decode() for x in y] for y in (a, b))
            want("LIST %s: Dovecot's %r" % (args, sorted(b)), sorted(a), plain(a) == plain(b))
        for name in ["INBOX"] + TREE:
            items = "(MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN SIZE)"
            a, b = (x.ok('STATUS "%s" %s' % (name, items)) for x in (ours, theirs))
            want("STATUS %s: Dovecot's %r" % (name, b), a, a == b)
        want("namespaces", None, ours.ok("NAMESPACE") == theirs.ok("NAMESPACE"))


def list_forms(st):
    with imap(st, "user4") as c:
        c.ok("CREATE Important (USE (\\Important))")
        c.ok("CREATE Sent")
        c.ok("CREATE a.b")
        c.refused("CREATE x (USE (\\Nothing))", "NO [USEATTR]")
        c.refused("CREATE x (USE \\Sent)", "BAD")
        shown = c.lines('LIST "" *')
        want("special uses", shown, 'LIST (\\HasNoChildren \\Important) "." Important' in shown and
             'LIST (\\HasNoChildren \\Sent) "." Sent' in shown)
        want("no such parent", shown, 'LIST (\\Noselect \\HasChildren) "." a' in shown)
        got = c.lines('LIST (SPECIAL-USE) "" *')
        want("selection", got, got == ['LIST (\\Important) "." Important', 'LIST (\\Sent) "." Sent'])
        got = [g.decode() for g in c.ok('LIST "" (Sent a) RETURN (MYRIGHTS STATUS (MESSAGES) METADATA (/private/comment))')]
        want("more", got, got == ['* LIST (\\NonExistent \\HasChildren) "." a', '* LIST () "." Sent',
                                  "* MYRIGHTS Sent lrwstipekxacd", "* STATUS Sent (MESSAGES 0)",
                                  "* METADATA Sent (/private/comment NIL)"] or
             got == ['* LIST () "." Sent', "* MYRIGHTS Sent lrwstipekxacd", "* STATUS Sent (MESSAGES 0)",
                     "* METADATA Sent (/private/comment NIL)", '* LIST (\\NonExistent \\HasChildren) "." a'])
        for bad in ('(RECURSIVEMATCH) "" *', '(NOTHING) "" *', '"" * RETURN (NOTHING)', '"" * RETURN (STATUS)', '""', '"" a b',
                    '"" (a', '"" * RETURN'):
            c.refused("LIST " + bad, "BAD")
        c.refused("STATUS INBOX ()", "BAD")
        c.refused("STATUS INBOX (NOTHING)", "BAD")
        c.refused("STATUS INBOX MESSAGES", "BAD")
        # a pattern that takes others for ever
        c.ok('LIST "" "%s"' % ("*a" * 500))
        c.ok('LIST "" (%s)' % " ".join("%a%b*c" + "*" * n for n in range(100)))
        c.refused('LIST "" (%s)' % " ".join(["a"] * 101), "BAD")


def made_and_gone(st):
    with imap(st, "user5") as c, imap(st, "user5") as other:
        reply, _ = c.do("CREATE one")
        mailbox = re.search(r"\[MAILBOXID \((\S+)\)\]", reply).group(1)
        got = c.ok("STATUS one (MAILBOXID UIDVALIDITY APPENDLIMIT DELETED DELETED-STORAGE HIGHESTMODSEQ)")[0].decode()
        want("its name for ever", got, "MAILBOXID (%s)" % mailbox in got and "DELETED 0 DELETED-STORAGE 0" in got)
        validity = int(re.search(r"UIDVALIDITY (\d+)", got).group(1))
        c.refused("CREATE one", "NO [ALREADYEXISTS]")
        c.ok("RENAME one two.three")
        got = c.ok("STATUS two.three (MAILBOXID UIDVALIDITY)")[0].decode()
        want("the same", got, mailbox in got and "UIDVALIDITY %d" % validity in got)
        c.refused("STATUS one (MESSAGES)", "NO [NONEXISTENT]")
        c.refused("RENAME two.three two.three", "NO [ALREADYEXISTS]")
        c.refused("RENAME two two.four", "NO")
        c.refused("RENAME nothing x", "NO [NONEXISTENT]")
        c.ok("CREATE above.none.below")
        c.ok("CREATE there")
        c.refused("RENAME above.none there", "NO [ALREADYEXISTS]")
        c.ok("RENAME above.none not.there")
        c.ok("DELETE not.there.below")
        c.ok("DELETE there")
        c.ok("CREATE one")
        got = c.ok("STATUS one (UIDVALIDITY)")[0].decode()
        want("another one", got, int(re.search(r"UIDVALIDITY (\d+)", got).group(1)) > validity)
        c.refused("RENAME one two.three", "NO [ALREADYEXISTS]")
        c.ok("SELECT one")
        got = c.ok("DELETE one")
        want("it is left", got, any(b"[CLOSED]" in g for g in got))
        c.refused("CLOSE", "BAD")
        c.ok("NOOP")
        c.refused("DELETE one", "NO [NONEXISTENT]")
        c.ok("CREATE two")
        c.ok("DELETE two")
        want("its children stay", None, any("two.three" in l for l in c.lines('LIST "" *')))
        other.ok("SUBSCRIBE two.three")
        other.ok("SUBSCRIBE nowhere")
        other.ok("UNSUBSCRIBE nowhere")
        want("subscriptions", None, c.lines('LSUB "" *', b"LSUB") == ['LSUB () "." two.three'])
        # the inbox's messages go along, and it stays
        with open(os.path.join(maildir(st, "user5"), "new", "1.M1P1.host"), "w") as f:
            f.write("Subject: x\n\nx\n")
        shutil.chown(f.name, os.stat(maildir(st, "user5")).st_uid, os.stat(maildir(st, "user5")).st_gid)
        c.ok('SETMETADATA INBOX (/private/comment "mine" /shared/comment "ours")')
        c.ok("RENAME INBOX old")
        for name in (b"INBOX", b"old"):
            got = c.ok(b"GETMETADATA %s (/private/comment /shared/comment)" % name)
            want("notes", got, got == [b'* METADATA %s (/private/comment "mine" /shared/comment "ours")' % name])
        c.ok("SETMETADATA old (/private/comment NIL)")
        want("its own", None, b'"mine"' in c.ok("GETMETADATA INBOX /private/comment")[0])
        want("moved", None, b"MESSAGES 1" in c.ok("STATUS old (MESSAGES)")[0])
        want("empty", None, b"MESSAGES 0" in c.ok("STATUS INBOX (MESSAGES)")[0])


def rights(st):
    with imap(st, "user6") as c:
        c.ok("CREATE box")
        c.ok("SETACL box bob lrs")
        c.ok("SETACL box bob +k")
        c.ok("SETACL box bob -r")
        c.ok("SETACL box -carol w")
        c.ok("SETACL box $staff lrd")
        c.ok('SETACL box "with blank" c')
        c.ok("SETACL box anyone l")
        c.ok('SETACL box anyone ""')
        c.refused("SETACL box bob lq", "BAD")
        c.refused('SETACL box "" l', "BAD")
        c.refused("SETACL box user6 l", "NO [CANNOT]")
        c.refused("DELETEACL box owner", "NO [CANNOT]")
        c.ok("SETACL box user6 lrwstipekxa")
        got = c.ok("GETACL box")
        want("all of them", got, got == [b'* ACL box user6 lrwstipekxacd bob lskc -carol w $staff lrted "with blank" kxc'])
        with open(os.path.join(maildir(st, "user6"), ".box", "dovecot-acl")) as f:
            want("the file", f.read(), True)
        c.ok("DELETEACL box bob")
        want("gone", None, b"bob" not in c.ok("GETACL box")[0])
        want("mine", None, c.ok("MYRIGHTS box") == [b"* MYRIGHTS box lrwstipekxacd"])
        got = c.ok("LISTRIGHTS box bob")
        want("can be given", got, got == [b'* LISTRIGHTS box bob "" l r w s t i p e k x a c d'])
        c.refused("GETACL nothing", "NO [NONEXISTENT]")
        c.refused("MYRIGHTS nothing", "NO [NONEXISTENT]")
        path = os.path.join(maildir(st, "user6"), ".box", "dovecot-acl")
        with open(path, "w") as f:
            f.write("".join("user=u%d lr\n" % n for n in range(256)))
        c.refused("SETACL box bob l", "NO [LIMIT] more than can be kept")
        c.ok("SETACL box u7 l")
        with open(path, "a") as f:
            f.write("nobody understands this\n")
        c.refused("SETACL box bob l", "NO")


def uses_as_notes(st):
    """The special use is an entry, too (RFC 6154, 4)."""
    entry = "/private/specialuse"
    with imap(st, "user9") as c:
        c.ok("CREATE Kept (USE (\\Archive))")
        c.ok("CREATE other")
        c.ok("CREATE Trash")
        want("as it was made", None, c.ok("GETMETADATA Kept " + entry) == [b'* METADATA Kept (/private/specialuse "\\\\Archive")'])
        want("by its name", None, c.ok("GETMETADATA (DEPTH 1) Trash /private") == [b'* METADATA Trash (/private/specialuse "\\\\Trash")'])
        want("none", None, c.ok("GETMETADATA other " + entry) == [b"* METADATA other (/private/specialuse NIL)"])
        c.ok('SETMETADATA other (/private/comment "x" /PRIVATE/specialUse "\\\\junk")')
        c.ok("SETMETADATA Kept (%s NIL)" % entry)
        c.ok('SETMETADATA Trash (%s "")' % entry)
        got = c.ok('LIST "" (Kept other Trash) RETURN (SPECIAL-USE METADATA (%s))' % entry)
        want("both are one", got, got == [b'* LIST () "." Kept', b"* METADATA Kept (/private/specialuse NIL)",
                                          b'* LIST () "." Trash', b"* METADATA Trash (/private/specialuse NIL)",
                                          b'* LIST (\\Junk) "." other', b'* METADATA other (/private/specialuse "\\\\Junk")'])
        for bad in ("\\\\Nothing", "Sent", "\\\\Sent \\\\Trash", "x" * 1000):
            c.refused('SETMETADATA Kept (/private/comment "no" %s "%s")' % (entry, bad), "NO [USEATTR]")
        c.refused('SETMETADATA INBOX (%s "\\\\Sent")' % entry, "NO [USEATTR]")
        c.ok("SETMETADATA INBOX (%s NIL)" % entry)
        want("nothing changed", None, c.ok("GETMETADATA Kept (/private/comment %s)" % entry) ==
             [b"* METADATA Kept (/private/comment NIL /private/specialuse NIL)"])
        c.ok("RENAME other moved")
        want("it moves along", None, b"Junk" in c.ok("GETMETADATA moved " + entry)[0])


def notes_of_many(c):
    """A pattern of LIST; but a mailbox can be called so."""
    for name in ("many.one", "many.two", '"many.o*"'):
        c.ok("CREATE " + name)
    c.ok('SETMETADATA many.two (/private/comment "2")')
    c.ok('SETMETADATA "many.o*" (/private/comment "star")')
    one, two, star = (b"* METADATA many.one (/private/comment NIL)", b'* METADATA many.two (/private/comment "2")',
                      b'* METADATA "many.o*" (/private/comment "star")')
    got = c.ok('GETMETADATA "many.%" /private/comment')
    want("all that match", got, sorted(got) == sorted([one, two, star]))
    got = c.ok('GETMETADATA "many.o*" /private/comment')
    want("the one that is called so", got, got == [star])
    c.ok('DELETE "many.o*"')
    got = c.ok('GETMETADATA "many.o*" /private/comment')
    want("a pattern again", got, got == [one])
    got = c.ok('GETMETADATA "*" (DEPTH infinity) /private/comment')
    want("no more than there is", got, got == [two])
    want("inbox", None, c.ok('GETMETADATA "inb%" /private/comment') == [b"* METADATA INBOX (/private/comment NIL)"])
    reply, got = c.do('GETMETADATA "many*" (MAXSIZE 0) /private/comment')
    want("too long ones", (reply, got), reply.startswith("OK [METADATA LONGENTRIES 1]") and got == [one])
    c.refused('GETMETADATA "nothing*" /private/comment', "NO [NONEXISTENT]")
    c.refused('SETMETADATA "many.t*" (/private/comment "x")', "NO [NONEXISTENT]")


def notes(st):
    with imap(st, "user7") as c:
        c.ok("CREATE box")
        c.ok('SETMETADATA box (/private/comment "mine" /shared/comment "ours")')
        c.ok(["SETMETADATA box (/private/binary ~{4}", b"\0\r\n\xff)"])
        got = c.ok("GETMETADATA box (/private/comment /shared/comment /private/none /private/binary)")
        want("what was noted", got, got == [b'* METADATA box (/private/comment "mine" /shared/comment "ours" /private/none NIL '
                                            b"/private/binary ~{4}\r\n\0\r\n\xff)"])
        with imap(st, "user7") as again:
            got = again.ok("GETMETADATA (DEPTH infinity) box /private")
            want("below", got, b"comment" in got[0] and b"binary" in got[0] and b"shared" not in got[0])
        for asked, n in (("(DEPTH infinity) box (/private/comment /private /PRIVATE/comment)", 1), ("box (/private/none /private/None)", 1),
                         ("box (/private/comment /private/comment)", 1)):
            got = c.ok("GETMETADATA " + asked)
            want("each once", (asked, got), len(got) == 1 and got[0].lower().count(b"comment") + got[0].lower().count(b"none") == n)
        reply, got = c.do("GETMETADATA (MAXSIZE 3) box (/private/comment /private/binary)")
        want("too long ones", (reply, got), reply.startswith("OK [METADATA LONGENTRIES 4]") and not got)
        c.ok("SETMETADATA box (/private/comment NIL /private/binary NIL)")
        want("gone", None, c.ok("GETMETADATA box /private/comment") == [b"* METADATA box (/private/comment NIL)"])
        for bad in ("(/other/a x)", "(/private x)", "(/private/a//b x)", "(/private/a/ x)", '("/private/a*" x)', "()",
                    "(/private/a)", "/private/a x"):
            c.refused("SETMETADATA box " + bad, "BAD")
        reply, _ = c.do(["SETMETADATA box (/private/a {70000}", b"x" * 70000 + b")"])
        want("a limit", reply, reply.startswith("NO [METADATA MAXSIZE 65536]"))
        for n in range(100):
            c.ok('SETMETADATA box (/private/n%d "x")' % n)
        c.refused('SETMETADATA box (/private/m "x")', "NO [METADATA TOOMANY]")
        c.ok("CREATE full")
        c.ok('SETMETADATA full (/shared/comment "x")')
        path = os.path.join(maildir(st, "user7"), ".full", "posthouse-metadata")
        with open(path, "w") as f:
            f.write("P1:1,\n" + "".join("E%d:/private/n%d,\nU1:x,\nV%d:%s,\n" % (10 + len(str(n)), n, 60000, "v" * 60000) for n in range(279)))
        c.refused(["SETMETADATA full (/shared/m {60000}", b"x" * 60000 + b' /private/specialuse "\\\\Junk")'], "NO [METADATA TOOMANY]")
        want("nor has it the use", None, c.ok("GETMETADATA full /private/specialuse") == [b"* METADATA full (/private/specialuse NIL)"])
        c.refused("GETMETADATA nothing /private/a", "NO [NONEXISTENT]")
        got = c.ok('GETMETADATA "" (/shared/admin /private/a)')
        want("the server's", got, b"mailto:postmaster@" in got[0])
        c.refused('SETMETADATA "" (/shared/comment "x")', "NO")
        notes_of_many(c)
        c.ok('SETMETADATA "" (/private/a "x")')
        want("the user's", None, c.ok('GETMETADATA "" /private/a') == [b'* METADATA "" (/private/a "x")'])


def many(st):
    """10 000 folders: in a second or so; patterns too."""
    home = maildir(st, "user8")
    with imap(st, "user8"):
        pass
    owner = os.stat(home)
    for n in range(10000):
        d = os.path.join(home, ".f%d.sub%d" % (n // 100, n))
        for sub in ("", "cur", "new", "tmp"):
            os.mkdir(os.path.join(d, sub), 0o700)
            os.chown(os.path.join(d, sub), owner.st_uid, owner.st_gid)
    with imap(st, "user8") as c:
        for command, n in (('LIST "" *', 10101), ('LIST "" %', 101), ('LIST "" "*9"', 1010),
                           ('LIST (SUBSCRIBED) "" *', 0)):
            start = time.monotonic()
            got = len(c.lines(command))
            print("# %s: %.3f s" % (command, time.monotonic() - start))
            want(command, got, got == n)
            want("seconds", time.monotonic() - start, time.monotonic() - start < 20)


SHARED = """imap.separator /
imap.shared @DIR@/shared
local.quota 10M
"""


def make_shared(st):
    root = os.path.join(st.dir, "shared")
    if not ROOT:
        raise Skip("needs users of their own")
    owner = os.stat(os.path.join(st.dir, "mail", "alice"))
    group = os.stat(os.path.join(st.dir, "mail", "bob")).st_gid
    acls = {"": "", ".team": "user=alice lrwstipekxa\nuser=bob lr\n", ".team.news": None,
            ".team.secret": "user=alice lr\n", ".hidden": None, ".all": "anyone lr\n-user=bob r\n",
            ".broken": "what is this\n", ".closed": "anyone lrwstipekxa\n", ".above.inner": "anyone lrk\n"}
    for name, acl in acls.items():
        for sub in ("", "cur", "new", "tmp"):
            os.makedirs(os.path.join(root, name, sub), 0o700, exist_ok=True)
        if acl:
            with open(os.path.join(root, name, "dovecot-acl"), "w") as f:
                f.write(acl)
    for base, dirs, names in os.walk(root):
        for n in dirs + names + [""]:
            os.chown(os.path.join(base, n), owner.st_uid, group)
            os.chmod(os.path.join(base, n), 0o640 if n in names else 0o2770)
    os.chmod(os.path.join(root, ".closed", "cur"), 0o2550)
    return root


def shared(st):
    make_shared(st)
    with imap(st, "alice") as c:
        got = c.ok("NAMESPACE")
        want("namespaces", got, got == [b'* NAMESPACE (("" "/")) NIL (("Shared/" "/"))'])
        shown = [l.split('"/" ')[1] for l in c.lines('LIST "" *')]
        want("what alice sees", shown, shown == ["INBOX", "Shared", "Shared/above", "Shared/above/inner", "Shared/all",
                                                 "Shared/closed", "Shared/team", "Shared/team/news", "Shared/team/secret"])
        want("the top", None, c.lines('LIST "" %') == ['LIST (\\HasNoChildren) "/" INBOX',
                                                       'LIST (\\Noselect \\HasChildren) "/" Shared'])
        want("below it", None, len(c.lines('LIST "" Shared/%')) == 4)
        want("all rights", None, c.ok("MYRIGHTS Shared/team") == [b"* MYRIGHTS Shared/team lrwstipekxacd"])
        want("from above", None, c.ok("MYRIGHTS Shared/team/news") == [b"* MYRIGHTS Shared/team/news lrwstipekxacd"])
        want("of the files", None, c.ok("MYRIGHTS Shared/closed") == [b"* MYRIGHTS Shared/closed lrkxac"])
        c.ok('SETMETADATA Shared/team (/shared/comment "for us" /private/comment "for me")')
        c.refused("STATUS Shared/hidden (MESSAGES)", "NO [NONEXISTENT]")
        c.refused("STATUS Shared/broken (MESSAGES)", "NO [NONEXISTENT]")
        c.refused("STATUS Shared/no/such (MESSAGES)", "NO [NONEXISTENT]")
        c.refused("STATUS Shared (MESSAGES)", "NO")
        c.refused("CREATE Shared/new", "NO")
        c.ok("CREATE Shared/team/new")
        c.ok("SUBSCRIBE Shared/team/new")
        want("subscribed", None, c.lines('LSUB "" *', b"LSUB") == ['LSUB () "/" Shared/team/new'])
        want("subscribed", None, c.lines('LSUB "" %', b"LSUB") == ['LSUB (\\Noselect) "/" Shared'])
        c.refused("RENAME Shared/team/new new", "NO [CANNOT]")
        c.ok("SELECT Shared/team")
        c.ok(["APPEND Shared/team {14}", b"Subject: x\r\n\r\n"])
        c.ok("GETQUOTAROOT INBOX")
        want("no quota there", None, c.ok("GETQUOTAROOT Shared/team") == [b"* QUOTAROOT Shared/team"])
    with imap(st, "bob") as c:
        shown = [l.split('"/" ')[1] for l in c.lines('LIST "" *')]
        want("what bob sees", shown, shown == ["INBOX", "Shared", "Shared/above", "Shared/above/inner", "Shared/all",
                                               "Shared/closed", "Shared/team", "Shared/team/new", "Shared/team/news"])
        reply, _ = c.do("SELECT Shared/team")
        want("read only", reply, "READ-ONLY" in reply)
        want("what alice saved", None, b"Subject: x" in c.ok("FETCH 1 BODY[HEADER]")[0])
        want("nothing of alice's", None, c.lines('LSUB "" *', b"LSUB") == [])
        got = c.ok("GETMETADATA Shared/team (/shared/comment /private/comment)")
        want("what all see", got, got == [b'* METADATA Shared/team (/shared/comment "for us" /private/comment NIL)'])
        c.refused("GETACL Shared/team", "NO [NOPERM]")
        c.refused("SETACL Shared/team bob a", "NO [NOPERM]")
        c.refused("CREATE Shared/team/x", "NO [NOPERM]")
        c.refused("DELETE Shared/team", "NO [NOPERM]")
        c.refused("SELECT Shared/all", "NO [NOPERM]")
        want("may look it up", None, c.ok("MYRIGHTS Shared/all") == [b"* MYRIGHTS Shared/all l"])
        got = c.ok('LIST "" Shared/all RETURN (CHILDREN STATUS (MESSAGES) MYRIGHTS METADATA (/shared/comment))')
        want("no STATUS, and why (RFC 9051, 6.3.9.2)", got, got == [b'* LIST (\\Noselect \\HasNoChildren) "/" Shared/all',
                                                                    b"* MYRIGHTS Shared/all l"])
        got = c.ok('LIST "" Shared/team RETURN (STATUS (MESSAGES))')
        want("a STATUS", got, got == [b'* LIST () "/" Shared/team', b"* STATUS Shared/team (MESSAGES 1)"])
    with imap(st, "carol") as c:
        want("not one of them", None, c.ok("NAMESPACE") == [b'* NAMESPACE (("" "/")) NIL NIL'])


def quota(st):
    home = maildir(st, "carol")
    with imap(st, "carol"):
        pass
    owner = os.stat(home)
    for n in range(3):
        path = os.path.join(home, "cur", "%d.M1P1.host,S=4096:2,S" % n)
        with open(path, "wb") as f:
            f.write(b"x: y\n\n" + b"z" * 4090)
        os.chown(path, owner.st_uid, owner.st_gid)
    with imap(st, "carol") as c:
        got = c.ok("GETQUOTAROOT INBOX")
        want("the root", got, got == [b'* QUOTAROOT INBOX "User quota"', b'* QUOTA "User quota" (STORAGE 12 10240)'])
        want("the same", None, c.ok('GETQUOTA "User quota"') == got[1:])
        c.refused('GETQUOTA ""', "NO [NONEXISTENT]")
        c.refused('SETQUOTA "User quota" (STORAGE 1)', "NO [NOPERM]")
        c.refused('SETQUOTA "User quota" STORAGE', "BAD")
        # it need not be there (RFC 9208 4.1.2)
        want("one to come", None, c.ok("GETQUOTAROOT nothing") == [b'* QUOTAROOT nothing "User quota"', got[1]])
        c.ok("SELECT INBOX")
        for command, left in (("EXPUNGE", 8), ("CLOSE", 4)):
            c.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
            c.ok('GETQUOTA "User quota"')
            c.ok(command)
            got = c.ok('GETQUOTA "User quota"')
            want("at once after " + command, got, got == [b'* QUOTA "User quota" (STORAGE %d 10240)' % left])


def state(c, boxes):
    """All that a client knows of mailboxes."""
    out = {}
    for box in boxes:
        got = c.ok('SELECT "%s"' % box)
        validity = [g for g in got if b"UIDVALIDITY" in g][0].split(b"[")[1].split(b"]")[0]
        rows = set()
        for g in c.ok("UID FETCH 1:* (FLAGS)"):
            m = re.search(rb"FLAGS \(([^)]*)\)", g)
            uid = re.search(rb"UID (\d+)", g)
            if m and uid:
                rows.add((uid.group(1), tuple(sorted(f for f in m.group(1).split() if f != b"\\Recent"))))
        out[box] = (validity, rows)
    out["subscriptions"] = set(c.lines('LSUB "" *', b"LSUB"))
    return out


def there_and_back(st):
    """Dovecot, we, Dovecot: nobody loads anything down again."""
    boxes = ["INBOX", "work", "work.lists"]
    with Dovecot(st, "user9") as d:
        with d.login("user9") as c:
            for n, box in enumerate(boxes):
                if n > 0:
                    c.ok("CREATE " + box)
                c.ok("SUBSCRIBE " + box)
                for k in range(5):
                    mail = b"Subject: %d\r\n\r\nx\r\n" % k
                    flags = ["", "\\Seen", "\\Flagged $Label%d" % n, "\\Answered Work", "\\Draft \\Deleted"][k]
                    c.ok(["APPEND %s (%s) {%d}" % (box, flags, len(mail)), mail])
            c.ok("SELECT work")
            c.ok("UID STORE 5 FLAGS (\\Deleted)")
            c.ok("EXPUNGE")
            before = state(c, boxes)
    with imap(st, "user9") as c:
        ours = state(c, boxes)
        want("Dovecot's %r" % before, ours, ours == before)
        c.ok("CREATE work.ours")
        c.ok("SUBSCRIBE work.ours")
        ours = state(c, boxes + ["work.ours"])
    with Dovecot(st, "user9") as d, d.login("user9") as c:
        after = state(c, boxes + ["work.ours"])
        want("ours %r" % ours, after, after == ours)


def prefix(_):
    with Stage("imap.prefix INBOX.\n") as st:
        with imap(st) as c:
            want("namespace", None, c.ok("NAMESPACE") == [b'* NAMESPACE (("INBOX." ".")) NIL NIL'])
            c.refused("CREATE a", "NO [CANNOT]")
            c.ok("CREATE inbox.a.b")
            c.refused("CREATE INBOX.INBOX", "NO [ALREADYEXISTS]")
            want("on disk", None, os.path.isdir(os.path.join(maildir(st), ".a.b")))
            got = c.lines('LIST "" *')
            want("all", got, got == ['LIST (\\HasChildren) "." INBOX', 'LIST (\\Noselect \\HasChildren) "." INBOX.a',
                                     'LIST (\\HasNoChildren) "." INBOX.a.b'])
            want("the top", None, c.lines('LIST "" %') == ['LIST (\\HasChildren) "." INBOX'])
            want("below", None, c.lines('LIST "INBOX." %') == ['LIST (\\Noselect \\HasChildren) "." INBOX.a'])
            c.ok("SUBSCRIBE INBOX.a.b")
            want("the top", None, c.lines('LSUB "" %', b"LSUB") == ['LSUB (\\Noselect) "." INBOX'])
        with Dovecot(st, "alice", prefix="INBOX.") as d, d.login("alice") as theirs, imap(st) as ours:
            for pattern in ('"" *', '"" %', '"INBOX." %', '"" INBOX%', '"" inbox.*', '"" %.%', '"" %.%.%'):
                for command in ("LIST", "LSUB"):
                    a, b = (x.lines("%s %s" % (command, pattern), command.encode()) for x in (ours, theirs))
                    want("%s %s: Dovecot's %r" % (command, pattern, b), a, plain(a) == plain(b))


def main():
    tap = Tap()
    with Stage(users=9) as st:
        for name, test in (("names in all languages", languages), ("names in NFC", composed), ("rules of names", rules),
                           ("LIST, LSUB and STATUS beside Dovecot's", side_by_side), ("forms of LIST", list_forms),
                           ("made, renamed, deleted", made_and_gone), ("rights", rights), ("notes", notes),
                           ("special uses as notes", uses_as_notes),
                           ("10 000 folders", many), ("from Dovecot and back", there_and_back)):
            tap.run(name, test, st)
    with Stage(SHARED) as st:
        tap.run("shared folders", shared, st)
        tap.run("quota", quota, st)
    tap.run("a prefix", prefix, None)
    return tap.end()


sys.exit(main())
