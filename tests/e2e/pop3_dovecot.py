"""A Maildir that Dovecot served: the names that it gave for UIDL stay, by its
default format and by others, saved or computed, and back again; messages that
come later do not change theirs. Dovecot is Debian's, with a configuration and a
directory of its own. TAP on standard output."""
import os
import poplib
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import dovecot  # noqa: E402
from e2e import ADDR, Stage, Tap, until, want  # noqa: E402

class Dovecot(dovecot.Dovecot):
    def __init__(self, st, uid, more=""):
        super().__init__(st, "pop3", uid, more)

    def uidls(self, user):
        return uidls(self.port, user)


def uidls(port, user):
    """Message by message: its name, and which one it is."""
    def attempt():
        try:
            p = poplib.POP3(ADDR, port, timeout=20)
            p.user(user)
            p.pass_("secret")
            return p
        except (OSError, poplib.error_proto, EOFError):
            return None
    p = until("a login of %s" % user, attempt, 30)
    found = {}
    for line in p.uidl()[1]:
        n, name = line.split(b" ", 1)
        head = b"\n".join(p.top(int(n), 0)[1])
        found[head.split(b"Subject: ")[1].split(b"\n")[0]] = name
    p.quit()
    return found


def put(st, user, *words):
    home = os.path.join(st.dir, "mail", user)
    owner = os.stat(home)
    for d in ("Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"):
        path = os.path.join(home, d)
        if not os.path.isdir(path):
            os.mkdir(path, 0o700)
            os.chown(path, owner.st_uid, owner.st_gid)
    for n, w in enumerate(words):
        where, flags = (("new", ""), ("cur", ":2,S"), ("cur", ":2,"))[n % 3]
        path = os.path.join(home, "Maildir", where, "%d.M%dP1.host%s" % (time.time(), time.time_ns() % 10 ** 9, flags))
        with open(path, "w") as f:
            f.write("Subject: %s\n\nx\n" % w)
        os.chown(path, owner.st_uid, owner.st_gid)
    return owner.st_uid


def check(st, user, more=""):
    uid = put(st, user, *["one-%d" % n for n in range(12)])
    with Dovecot(st, uid, more) as d:
        before = d.uidls(user)
        want("Dovecot sees them", before, len(before) == 12)
        put(st, user, "two-a", "two-b")
        before = d.uidls(user)
    ours = uidls(st.pop3, user)
    want("what Dovecot gave", (before, ours), ours == before)
    # later ones do not change theirs, nor those of others
    put(st, user, "three-a", "three-b")
    with_new = uidls(st.pop3, user)
    want("they stay", with_new, {k: v for k, v in with_new.items() if k in before} == before and len(with_new) == 16)
    want("each once", None, len(set(with_new.values())) == 16)
    for _ in range(2):
        want("they stay", None, uidls(st.pop3, user) == with_new)
    # Dovecot, if it comes back, finds its own again
    with Dovecot(st, uid, more) as d:
        again = d.uidls(user)
        want("back with Dovecot", again, {k: v for k, v in again.items() if k in before} == before)
    # where Dovecot saved names for those that came later it has given them, too
    last = uidls(st.pop3, user)
    want("and here again", last, {k: v for k, v in last.items() if k in before} == before)


def default(st):
    check(st, "alice")


def saved(st):
    """Names in the list itself, of another format than the one that is configured here."""
    check(st, "bob", "pop3_save_uidl = yes\nprotocol pop3 {\n  pop3_uidl_format = UID%u-%v\n}\n")


def never_dovecot(st):
    put(st, "carol", "a", "b", "c")
    first = uidls(st.pop3, "carol")
    want("names of files", first, all(v.endswith(b"P1.host") for v in first.values()))
    uidls(st.pop3, "carol")
    put(st, "carol", "d")
    # what looks like Dovecot's comes later: too late
    path = os.path.join(st.dir, "mail", "carol", "Maildir", "dovecot-uidvalidity")
    with open(path, "w"):
        pass
    later = uidls(st.pop3, "carol")
    want("they stay", later, {k: v for k, v in later.items() if k in first} == first)


def other_format(_):
    with Stage("pop3.dovecot-uidl \"%v.%u\"\n") as st:
        check(st, "alice", "protocol pop3 {\n  pop3_uidl_format = %v.%u\n}\n")


def main():
    tap = Tap()
    with Stage() as st:
        for name, test in (("the default format", default), ("saved names", saved),
                           ("never with Dovecot", never_dovecot)):
            tap.run(name, test, st)
    tap.run("another format", other_format, None)
    return tap.end()


sys.exit(main())
