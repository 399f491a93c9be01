"""POP3 with clients that nobody here wrote (getmail, fetchmail, mpop, curl,
poplib), and word for word the dialogues of common mail programs. What they got
is what was in the mailbox; what they deleted is gone. TAP on standard output."""
import glob
import hashlib
import os
import poplib
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from clients import HANGS, Home, again_if_it_hangs, run  # noqa: E402
from e2e import ADDR, ROOT, Pop3, Stage, Tap, mails, message, send, until, want, word  # noqa: E402

BODIES = [b"hello\r\n", b".\r\n..\r\n...x\r\n\r\n.\r\n", b"\xe4\xf6\xfc \xff\r\n", b"From me\r\n>From you\r\n",
          b"x" * 900 + b"\r\n", b"", b"\r\n\r\n\r\n", b"0123456789\r\n" * 20000]


def fill(st, user):
    """Some messages, waited for; their contents as the mailbox has them, LF."""
    for sub in ("new", "cur"):
        for f in glob.glob(os.path.join(st.dir, "mail", user, "Maildir", sub, "*")):
            os.unlink(f)
    w = word(user)
    for b in BODIES:
        send(st.smtp, user.encode() + b"@example.test", message(w, b))
    st.came(user, w, len(BODIES))
    return w, sorted(mails(st.dir, user).values())


def is_empty(st, user):
    until("%s's mailbox is empty" % user, lambda: not mails(st.dir, user))


def behind(data):
    """From our own first field on: clients put theirs before it."""
    at = data.find(b"Return-Path: <s@client.test>")
    return data[at:].replace(b"\r\n", b"\n")


def same(got, stored, trailing=False):
    """As stored; mpop and fetchmail may move or drop our Return-Path and end with one more line."""
    def norm(m):
        m = re.sub(rb"\AReturn-Path: [^\n]*\n", b"", m)
        return m.rstrip(b"\n") if trailing else m
    a, b = sorted(norm(m) for m in got), sorted(norm(m) for m in stored)
    want("%d messages" % len(b), len(a), len(a) == len(b))
    for x, y in zip(a, b):
        if x != y:
            at = next((i for i, (p, q) in enumerate(zip(x, y)) if p != q), min(len(x), len(y)))
            want("as they were", (at, x[max(0, at - 60):at + 60], y[max(0, at - 60):at + 60]), False)


def by_getmail(st):
    again_if_it_hangs(getmail, st)


def getmail(st):
    w, stored = fill(st, "alice")
    with Home() as h:
        h.write("getmailrc", "[retriever]\ntype = SimplePOP3Retriever\nserver = %s\nport = %d\nusername = alice\n"
                "password = secret\n[destination]\ntype = Maildir\npath = %s\n[options]\ndelete = false\n"
                "read_all = false\ndelivered_to = false\nreceived = false\n" % (
                    ADDR, st.pop3, h.dir + "/Maildir/" + ("\nuser = nobody" if ROOT else "")))
        if ROOT:        # it delivers as nobody else than that
            os.chmod(h.dir, 0o755)
            for d in (h.dir + "/Maildir", *glob.glob(h.dir + "/Maildir/*")):
                shutil.chown(d, "nobody", "nogroup")
        args = ("getmail", "--getmaildir=" + h.dir, "--rcfile=getmailrc")
        run(h.dir, *args, timeout=HANGS)
        same([behind(m) for m in h.got()], stored)
        run(h.dir, *args, timeout=HANGS)       # by UIDL: nothing comes twice
        want("nothing new", len(h.got()), len(h.got()) == len(stored))
        send(st.smtp, b"alice@example.test", message(w))
        st.came("alice", w, len(stored) + 1)
        run(h.dir, *args, timeout=HANGS)
        want("one new", len(h.got()), len(h.got()) == len(stored) + 1)
        run(h.dir, *args, "--delete", "--all", timeout=HANGS)
    is_empty(st, "alice")


def by_fetchmail(st):
    w, stored = fill(st, "bob")
    with Home() as h:
        h.write("mda", "#!/bin/sh\ncat >%s/Maildir/new/$$\n" % h.dir)
        os.chmod(os.path.join(h.dir, "mda"), 0o700)
        rc = h.write(".fetchmailrc", 'poll "%s" service %d protocol pop3 auth password username "bob" password "secret" '
                     'sslproto "" no rewrite mda "%s/mda"\n' % (ADDR, st.pop3, h.dir))
        args = ["fetchmail", "-f", rc, "--invisible", "--norewrite", "--pidfile", h.dir + "/pid", "-i", h.dir + "/ids"]
        run(h.dir, *args, "--keep", "--uidl")
        got = [m.replace(b"\r\n", b"\n") for m in h.got()]
        want("all of them", len(got), len(got) == len(stored))
        for m in stored:        # it has its own mind about our Return-Path
            rest = m[m.index(b"Delivered-To:"):].rstrip(b"\n")
            want("as it was", rest[-200:], any(rest in g for g in got))
        run(h.dir, *args, "--keep", "--uidl", ok=(1,))      # 1: no new mail
        run(h.dir, *args, "--all", "--nokeep")
    is_empty(st, "bob")


def by_mpop(st):
    w, stored = fill(st, "carol")
    with Home() as h:
        args = ("mpop", "--host=" + ADDR, "--port=%d" % st.pop3, "--user=carol", "--passwordeval=echo secret",
                "--auth=user", "--tls=off", "--received-header=off", "--delivery=maildir," + h.dir + "/Maildir",
                "--uidls-file=" + h.dir + "/uidls", "--pipelining=on", "--half-quiet")
        run(h.dir, *args, "--keep=on")
        same([behind(m) for m in h.got()], stored)
        run(h.dir, *args, "--keep=on")
        want("nothing new", len(h.got()), len(h.got()) == len(stored))
        run(h.dir, *args, "--keep=off", "--only-new=off")
    is_empty(st, "carol")


def by_curl(st):
    w, stored = fill(st, "alice")
    with Home() as h:
        def curl(path="", *more):
            return run(h.dir, "curl", "-sS", "-u", "alice:secret", "pop3://%s:%d/%s" % (ADDR, st.pop3, path), *more)
        numbers = [l.split()[0].decode() for l in curl().splitlines()]
        want("LIST", numbers, len(numbers) == len(stored))
        same([curl(n).replace(b"\r\n", b"\n") for n in numbers], stored)
        want("UIDL", None, len(set(curl("", "-X", "UIDL").splitlines())) == len(stored))
        want("TOP", None, curl("", "-X", "TOP 1 0").endswith(b"\r\n\r\n"))
        for _ in numbers:       # in a session of its own each, so that the next one is 1 again
            curl("1", "-X", "DELE", "-I")
    is_empty(st, "alice")


def fill_none(st, user):
    for sub in ("new", "cur"):
        for f in glob.glob(os.path.join(st.dir, "mail", user, "Maildir", sub, "*")):
            os.unlink(f)


def by_poplib(st):
    w, stored = fill(st, "bob")
    p = poplib.POP3(ADDR, st.pop3, timeout=60)
    want("CAPA", None, {"TOP", "UIDL", "PIPELINING", "RESP-CODES", "USER"} <= set(p.capa()))
    p.user("bob")
    p.pass_("secret")
    n, size = p.stat()
    want("STAT", (n, size), n == len(stored) and size == sum(int(l.split()[1]) for l in p.list()[1]))
    got = [b"\n".join(p.retr(i + 1)[1]) + b"\n" for i in range(n)]
    same(got, stored)
    for i in range(n):
        p.dele(i + 1)
    p.rset()
    want("RSET brings them back", p.stat(), p.stat()[0] == n)
    for i in range(n):
        p.dele(i + 1)
    p.quit()
    is_empty(st, "bob")


def mozilla(st):
    """CAPA before and after, AUTH alone, UIDL, and TOP 0 of what is too large to fetch."""
    w, stored = fill(st, "carol")
    with Pop3(st.pop3) as c:
        c.send(b"AUTH\r\n")
        want("+OK to AUTH", None, c.line().startswith(b"+OK"))
        want("PLAIN", None, b"PLAIN" in c.rest().split())
        capa = c.multi(b"CAPA").splitlines()
        want("USER", capa, b"USER" in capa)
        c.ok(b"USER carol")
        c.ok(b"PASS secret")
        c.multi(b"CAPA")
        want("STAT", None, re.match(rb"\+OK %d \d+" % len(stored), c.ok(b"STAT")))
        sizes = c.multi(b"LIST").splitlines()
        uids = dict(l.split() for l in c.multi(b"UIDL").splitlines())
        want("names of 1 to 70 characters, each once", uids, len(set(uids.values())) == len(stored) and
             all(re.fullmatch(rb"[\x21-\x7e]{1,70}", u) for u in uids.values()))
        for l in sizes:
            n, size = l.split()
            if int(size) > 50000:
                head = c.multi(b"TOP " + n + b" 20")
                want("header and 20 lines", None, len(head.split(b"\r\n\r\n", 1)[1].splitlines()) == 20)
            else:
                want("RETR", None, len(c.multi(b"RETR " + n)) == int(size))
        c.ok(b"QUIT")
    with Pop3(st.pop3, "carol") as c:       # the second check: the same names
        again = dict(l.split() for l in c.multi(b"UIDL").splitlines())
        want("the names stayed", None, again == uids)
        c.ok(b"QUIT")
    return uids


def outlook(st):
    """Keeps mail for some days: deletes by the name that it noted, one session later."""
    w, stored = fill(st, "carol")
    with Pop3(st.pop3, "carol") as c:
        c.ok(b"STAT")
        uids = [l.split() for l in c.multi(b"UIDL").splitlines()]
        sizes = dict(l.split() for l in c.multi(b"LIST").splitlines())
        seen = {}
        for n, u in uids:
            seen[u] = hashlib.sha256(c.multi(b"RETR " + n)).digest()
        c.ok(b"QUIT")
    send(st.smtp, b"carol@example.test", message(w))
    st.came("carol", w, len(stored) + 1)
    with Pop3(st.pop3, "carol") as c:
        for l in c.multi(b"UIDL").splitlines():
            n, u = l.split()
            if u in seen:
                want("it is that message", None, hashlib.sha256(c.multi(b"TOP " + n + b" 999999")).digest() == seen[u])
                want("LIST n", None, c.ok(b"LIST " + n).split()[1] == n)
                want("UIDL n", None, c.ok(b"UIDL " + n).split()[2] == u)
                c.ok(b"DELE " + n)
                c.send(b"RETR " + n + b"\r\n")
                want("-ERR for a deleted one", None, c.line().startswith(b"-ERR"))
        want("the new one is left", None, c.ok(b"STAT").startswith(b"+OK 1 "))
        c.ok(b"QUIT")
    left = mails(st.dir, "carol")
    want("one left", len(left), len(left) == 1 and sizes)
    fill_none(st, "carol")


def pipelined(st):
    """Everything in one packet, the login as well (RFC 2449, 6.6)."""
    w, stored = fill(st, "alice")
    n = len(stored)
    with Pop3(st.pop3) as c:
        c.send(b"USER alice\r\nPASS secret\r\nSTAT\r\n" + b"".join(b"RETR %d\r\nDELE %d\r\n" % (i, i) for i in range(
            1, n + 1)) + b"QUIT\r\n")
        for _ in range(3):
            want("+OK", None, c.line().startswith(b"+OK"))
        got = []
        for _ in range(n):
            want("+OK to RETR", None, c.line().startswith(b"+OK"))
            got.append(c.rest().replace(b"\r\n", b"\n"))
            want("+OK to DELE", None, c.line().startswith(b"+OK"))
        want("+OK to QUIT", None, c.line().startswith(b"+OK"))
        want("the end", None, c.closed())
    same(got, stored)
    is_empty(st, "alice")


def main():
    tap = Tap()
    with Stage() as st:
        for name, test in (("getmail", by_getmail), ("fetchmail", by_fetchmail), ("mpop", by_mpop), ("curl", by_curl),
                           ("poplib", by_poplib), ("as Mozilla does it", mozilla), ("as Outlook does it", outlook),
                           ("all in one packet", pipelined)):
            tap.run(name, test, st)
    return tap.end()


sys.exit(main())
