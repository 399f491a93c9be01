"""IMAP after the login with hostile and broken input: literals of illegal
sizes, commands split at every byte, huge sets and lines, unbalanced
parentheses, NUL bytes, impossible names, commands in the wrong state, deep
MIME. Each is answered by BAD, NO or BYE, in bounded memory and time, and
other sessions notice nothing. TAP."""
import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from e2e import runs_in  # noqa: E402
from imapwire import Checks, Closed, Wire, cpu, remove  # noqa: E402

DIR = os.environ["PH_DIR"]
USER = "bob"
HOME = os.path.join(DIR, "mail", USER)
MAILDIR = os.path.join(HOME, "Maildir")
MEMORY_MAX = 64 << 20       # of a session, whatever it is sent
SLOW = 20                   # seconds of computing: more than anything here may take
PATIENCE = 120              # seconds for an answer, on a machine that does much else
check = Checks()


def own(path):
    st = os.stat(HOME)
    os.chown(path, st.st_uid, st.st_gid)


def fill():
    deep = b""
    for i in range(5000):
        deep += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (
            i, i)
    nested = b"Content-Type: message/rfc822\n\n" * 5000 + b"\n\nend\n"
    wide = (b"Content-Type: multipart/mixed; boundary=x\n\n" +
            b"--x\n\n\n" * 100000 + b"--x--\n")
    quotes = b"Content-Type: text/plain; " + b'a="\\' * 50000 + b"\n\nx\n"
    groups = b"To: " + b"g:(" * 100000 + b"\nSubject: groups\n\nx\n"
    nobody = b"From: " + b"<@ " * 80000 + b"\n\nx\n"
    remove(MAILDIR)
    for sub in ("", "tmp", "new", "cur"):
        os.mkdir(os.path.join(MAILDIR, sub), 0o700)
        own(os.path.join(MAILDIR, sub))
    for i, m in enumerate((b"Subject: plain\n\ntext\n", deep, nested, wide,
                           quotes, groups, nobody)):
        path = os.path.join(MAILDIR, "cur", "%d.M1P1.here:2," %
                            (1700000000 + i))
        with open(path, "wb") as f:
            f.write(m)
        own(path)


def session(select=True):
    w = Wire(USER, timeout=PATIENCE)
    w.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if select:
        w.ok("SELECT INBOX")
    return w


def most_memory():
    """The most that any session has ever had, in bytes."""
    most = 0
    for pid in os.listdir("/proc"):
        try:
            with open("/proc/%s/status" % pid) as f:
                lines = dict(x.split(":", 1) for x in f if ":" in x)
        except (OSError, ValueError):
            continue
        if lines.get("Name", "").strip() == "imapd-session" and runs_in(pid, os.environ["PH_DIR"]):
            most = max(most, int(lines["VmHWM"].split()[0]) << 10)
    return most


def refusal(w, tag):
    """The answer to what cannot be right: its first word, b"+", or b"BYE"."""
    try:
        while True:
            r = w.response()
            if r.startswith(b"+"):
                return b"+"
            if r.startswith(b"* BYE"):
                return b"BYE"
            if r.startswith(tag + b" ") or r.startswith(b"* BAD"):
                return r.split()[1]
    except (Closed, ConnectionError):
        return b"closed"


def goes_on(w):
    try:
        return w.cmd("NOOP")[1].startswith(b"OK")
    except (Closed, ConnectionError, OSError):
        return False


def literals():
    sizes = [b"{}", b"{-1}", b"{+}", b"{x}", b"{1", b"{1+", b"{1++}", b"{ 1}",
             b"{1 }", b"{0x10}", b"{1.5}", b"{18446744073709551616}",
             b"{18446744073709551615}", b"{9223372036854775808}",
             b"{9223372036854775807}", b"{4294967296}", b"{2147483648}",
             b"{1048577}", b"{99999999999999999999999999999999}", b"~{1",
             b"~{}", b"~{9999999999}", b"{1-}", b"{-0}"]
    bad = []
    for size in sizes:
        w = session(False)
        w.say(b"z LIST \"\" " + size + b"\r\n")
        r = refusal(w, b"z")
        if r not in (b"BAD", b"NO", b"BYE") or \
           (r != b"BYE" and not goes_on(w)):
            bad.append((size, r))
        w.close()
    check(not bad, "literals of illegal sizes are refused unseen", bad)
    bad = []
    for size in (b"{1048577+}", b"{5000000+}", b"{4294967296+}",
                 b"{18446744073709551615+}"):
        w = session(False)
        r = b"?"
        try:
            w.say(b"z LIST \"\" " + size + b"\r\n")
            for _ in range(80):
                w.say(b"x" * 65536)
        except OSError:
            pass
        try:
            w.sock.shutdown(socket.SHUT_WR)
            r = refusal(w, b"z")
        except OSError:
            r = b"closed"
        if r not in (b"BAD", b"NO", b"BYE", b"closed"):
            bad.append((size, r))
        w.close()
    check(not bad, "those that come unasked, too", bad)
    w = session(False)
    w.say(b"z LIST \"\" {5000000+}\r\n" + b"x" * 5000000 + b"\r\n")
    r = refusal(w, b"z")
    check(r in (b"BAD", b"NO") and goes_on(w), "one that is refused though "
          "it comes is read away", r)
    w.say(b"z LIST {0}\r\n")
    check(refusal(w, b"z") == b"+", "an empty one is asked for")
    w.say(b" {5}\r\n")
    check(refusal(w, b"z") == b"+", "and the next")
    w.say(b"INBOX\r\n")
    check(refusal(w, b"z") in (b"LIST", b"OK") or goes_on(w), "and answered")
    w.close()
    w = session(False)
    w.say(b"z LIST " + b"{0+}\r\n " * 50000 + b"\r\n")
    r = refusal(w, b"z")
    check(r in (b"BAD", b"NO", b"BYE"), "fifty thousand empty ones", r)
    w.close()


def smuggled():
    """A command is refused. What is in its literals, and comes all the same, is none."""
    inner = b"q CREATE smuggled\r\n"
    lit = b"{%d+}\r\n%s" % (len(inner), inner)
    long = b"x" * 70000
    rows = [b"APPEND" + lit, b"APPEND \"a\rb\" " + lit,
            b"APPEND \"a\0b\" " + lit, b"APPEND " + long + b" " + lit,
            b"APPEND " + b"y" * (65536 - 2 - 9 - 1 - len(lit) + len(inner)) +
            b" " + lit, b"UID  APPEND INBOX " + lit,
            b"APPEND INBOX {3+}\r\nx\r\n \"a\rb\" " + lit,
            b"APPEND INBOX {3+}\r\nx\r\n " + long + lit,
            b"APPEND INBOX (\\Nosuch) " + lit,
            b"APPEND INBOX " + lit + b" " + lit + b" (x) y" + lit,
            b"REPLACE 1 INBOX " + lit, b"REPLACE" + lit, b"SELECT" + lit,
            b"LIST \"\" " + long + lit, b"LIST \"\0\" " + lit,
            b"LIST \"\" {5000000+}\r\n" + b"z" * 5000000 + b" " + lit,
            b"LIST \"\" {5000000+}\r\n" + b"z" * 5000000 + b"\r" + lit,
            b"FETCH 1 " + b"(" * 70000 + lit, b"XYZZY " + lit, lit]
    bad = []
    for text in rows:
        w = session(False)
        w.say(b"z " + text + b"\r\n" + b"y NOOP\r\n")
        try:
            said, r = w.until(b"y")
        except (Closed, ConnectionError) as e:
            said, r = [], b"OK" if b"BYE" in e.args[0] else b"closed"
        w.close()
        w = session(False)
        if not r.startswith(b"OK") or any(x.startswith(b"q ") for x in said) \
           or w.cmd("DELETE smuggled")[1].startswith(b"OK"):
            bad.append((text[:30], len(text), said, r))
        w.close()
    check(not bad, "literals of refused commands are no commands", bad)
    w = session(False)
    w.say(b"i IDLE\r\n")
    w.response()
    w.say(b"z APPEND INBOX " + lit + b"\r\n" + b"y NOOP\r\n")
    said, r = w.until(b"y")
    check(r.startswith(b"OK") and not any(x.startswith(b"q ") for x in said),
          "nor is the literal of one in IDLE", (said, r))
    w.close()


def edges():
    """Lines about as long as can be taken, with a command behind them."""
    bad = []
    for n in list(range(65500, 65560)) + [65536 * 2, 65536 * 2 - 1]:
        w = session(False)
        line = b"z NOOP "
        w.say(line + b"x" * (n - len(line) - 2) + b"\r\ny NOOP\r\n")
        try:
            if not w.until(b"z")[1].startswith(b"BAD") or \
               not w.until(b"y")[1].startswith(b"OK"):
                bad.append(n)
        except OSError as e:
            bad.append((n, repr(e)))
        w.close()
    check(not bad, "the command behind a long line is found", bad)


def split():
    two = b"s1 NOOP\r\ns2 LIST {0+}\r\n {5+}\r\nINBOX\r\ns3 FETCH 1 UID\r\n"
    w = session()
    bad = []
    for i in range(1, len(two)):
        w.say(two[:i])
        time.sleep(0.002)
        w.say(two[i:])
        one = w.until(b"s1")[1]
        second = w.until(b"s2")
        third = w.until(b"s3")
        if not (one.startswith(b"OK") and second[1].startswith(b"OK") and
                b"INBOX" in second[0][0] and third[1].startswith(b"OK") and
                third[0] == [b"* 1 FETCH (UID 1)"]):
            bad.append((i, one, second, third))
    check(not bad, "commands in packets split at every byte", bad[:2])
    for byte in two:
        w.say(bytes([byte]))
    ok = [w.until(t)[1].startswith(b"OK") for t in (b"s1", b"s2", b"s3")]
    check(ok == [True] * 3, "one byte at a time", ok)
    w.close()


def sets():
    w = session()
    rows = [
        (b"FETCH " + b"1," * 30000 + b"1 UID", b"OK"),
        (b"FETCH " + b"1:*," * 15000 + b"1 UID", b"OK"),
        (b"UID FETCH " + b",".join(b"%d" % (i * 2) for i in
                                   range(1, 10000)) + b" UID", b"OK"),
        (b"UID FETCH 1:4294967295 UID", b"OK"),
        (b"UID FETCH 4294967295:1 UID", b"OK"),
        (b"FETCH " + b"1," * 1000000 + b"1 UID", b"BAD"),
        (b"FETCH 4294967296 UID", b"BAD"), (b"FETCH 0 UID", b"BAD"),
        (b"FETCH 1: UID", b"BAD"), (b"FETCH :1 UID", b"BAD"),
        (b"FETCH 1,, UID", b"BAD"), (b"FETCH ,1 UID", b"BAD"),
        (b"FETCH *:*:* UID", b"BAD"), (b"FETCH 1:2:3 UID", b"BAD"),
        (b"FETCH -1 UID", b"BAD"), (b"FETCH 1e3 UID", b"BAD"),
        (b"FETCH $1 UID", b"BAD"),
    ]
    bad = []
    for text, want in rows:
        began = cpu()
        said, r = w.cmd(text)
        fetched = [x for x in said if b"FETCH" in x]
        if not r.startswith(want) or len(fetched) > 7 or \
           cpu() - began > SLOW:
            bad.append((text[:40], r, len(fetched)))
        w.cmd("NOOP")
    check(not bad, "sets, however large", bad)
    w.close()


def grammar():
    rows = [b"FETCH 1 (FLAGS", b"FETCH 1 FLAGS)", b"FETCH 1 ((FLAGS))",
            b"FETCH 1 " + b"(" * 30000, b"FETCH 1 BODY[",
            b"FETCH 1 BODY[HEADER.FIELDS (", b"FETCH 1 BODY[HEADER.FIELDS (]",
            b"FETCH 1 BODY[" + b"1." * 20000 + b"1]",
            b"FETCH 1 (" + b"BODY[] " * 9000, b"FETCH 1 \"FLAGS",
            b"FETCH 1 {", b"SEARCH " + b"(" * 30000,
            b"SEARCH " + b"(" * 30000 + b"ALL" + b")" * 30000,
            b"SEARCH " + b"NOT " * 15000, b"SEARCH " + b"OR " * 20000,
            b"STORE 1 FLAGS (\\Seen", b"STORE 1 FLAGS " + b"(" * 10000,
            b"LIST (", b"LIST \"\" (", b"STATUS INBOX (MESSAGES",
            b"STATUS INBOX " + b"(" * 10000, b"ENABLE (",
            b"FETCH", b"FETCH ", b"FETCH 1", b"UID", b"UID ", b"UID UID",
            b"UID FETCH", b"XYZZY", b"", b" ", b"(", b")", b"\"", b"\\",
            b"%", b"*"]
    bad = []
    for text in rows:
        w = session()
        began = cpu()
        w.say(b"z " + text + b"\r\n")
        r = refusal(w, b"z")
        if r == b"+":
            w.close()
            bad.append((text[:30], r))
            continue
        if r not in (b"BAD", b"NO", b"BYE") or \
           cpu() - began > SLOW or \
           (r != b"BYE" and not goes_on(w)):
            bad.append((text[:30], len(text), r))
        w.close()
    check(not bad, "what is not balanced, not whole, or no command", bad)
    bad = []
    for line in (b"", b" NOOP", b"z", b"z ", b"+ NOOP", b"z(NOOP", b"* NOOP",
                 b"(z) NOOP", b"z\\ NOOP", b"t" * 5000 + b" NOOP"):
        w = session(False)
        w.say(line + b"\r\n" + b"y NOOP\r\n")
        try:
            r = w.until(b"y")[1]
        except Closed as e:
            r = e.args[0]
        if not r.startswith(b"OK") and b"BYE" not in r:
            bad.append((line[:20], r))
        w.close()
    check(not bad, "lines without a tag or a command", bad)


def control():
    bad = []
    for text in (b"NO\0OP", b"\0", b"LIST \"\" \"\0\"", b"LIST \"\" a\0b",
                 b"FETCH 1 \0", b"SELECT \"INBOX\0\"", b"NOOP\rNOOP",
                 b"LIST \"\" \"a\rb\""):
        w = session()
        w.say(b"z " + text + b"\r\n")
        r = refusal(w, b"z")
        if r not in (b"BAD", b"NO", b"BYE") or \
           (r != b"BYE" and not goes_on(w)):
            bad.append((text, r))
        w.close()
    w = session()
    w.say(b"z LIST \"\" {3+}\r\na\0b\r\n")
    r = refusal(w, b"z")
    if r not in (b"BAD", b"NO", b"BYE", b"OK"):
        bad.append(("in a literal", r))
    check(not bad, "NUL and a bare CR", bad)
    w.close()


def echoes():
    """What a client has in its strings does not come back as a line of its own."""
    evil = b"x\r\n* BYE echo\r\ny"
    lit = b"{%d+}\r\n%s" % (len(evil), evil)
    bad = []
    w = session()
    for text in (b"SEARCH CHARSET " + lit + b" ALL", b"SORT (DATE) " + lit + b" ALL", b"SELECT " + lit, b"CREATE " + lit,
                 b"LIST \"\" " + lit, b"LIST " + lit + b" *", b"STATUS " + lit + b" (MESSAGES)", b"SUBSCRIBE " + lit,
                 b"GETQUOTA " + lit, b"SETACL INBOX " + lit + b" lr", b"SETACL INBOX bob " + lit, b"GETACL " + lit,
                 b"GETMETADATA INBOX " + lit, b"SETMETADATA INBOX (" + lit + b" \"x\")", b"COPY 1 " + lit, b"APPEND " + lit,
                 b"APPEND INBOX CATENATE (URL " + lit + b")", b"FETCH 1 BODY.PEEK[HEADER.FIELDS (" + lit + b")]",
                 b"SEARCH SUBJECT " + lit, b"SEARCH KEYWORD " + lit, b"CANCELUPDATE " + lit, b"ESEARCH IN (mailboxes " + lit + b") ALL",
                 b"RENAME INBOX " + lit, b"ID (" + lit + b" \"x\")", b"ID (\"x\" " + lit + b")", b"COMPRESS " + lit, b"ENABLE " + lit):
        try:
            said, r = w.cmd(text)
        except Closed as e:
            bad.append((text[:30], e.args[0][:200]))
            w = session()
            continue
        if any(x.startswith(b"* BYE") for x in said) or b"\n" in r:
            bad.append((text[:30], said[:3], r))
            w = session()
    check(not bad, "no string is echoed as a line", bad)
    w.close()


def names():
    rows = [b"&", b"&&", b"&AAA", b"&AAA-", b"&2AA-", b"&AGE-", b"a&b",
            b"&//8-x", b"&ZeVnLIqe", b"&-&", b"&" + b"A" * 5000,
            b"\xff\xfe", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"..", b".",
            b"/", b"a..b", b"../../etc", b"/etc/passwd", b"a/../b",
            b"x" * 5000, b".a", b"a.", b"a\x7fb", b"~root"]
    bad = []
    w = session(False)
    for name in rows:
        for verb in (b"SELECT", b"STATUS", b"CREATE", b"DELETE"):
            tail = b" (MESSAGES)" if verb == b"STATUS" else b""
            w.say(b"z %s {%d+}\r\n%s%s\r\n" % (verb, len(name), name, tail))
            r = refusal(w, b"z")
            if verb == b"CREATE" and r == b"OK":
                w.cmd(b"DELETE {%d+}\r\n%s" % (len(name), name))
            elif r not in (b"BAD", b"NO"):
                bad.append((verb, name[:20], r))
            if not goes_on(w):
                bad.append((verb, name[:20], "the end"))
                w = session(False)
    check(not bad, "names that cannot be", bad)
    w.close()
    check(not os.path.exists(os.path.join(HOME, "etc")) and
          sorted(x for x in os.listdir(HOME)) == ["Maildir"],
          "nothing is made beside the Maildir", os.listdir(HOME))


def states():
    bad = []
    w = session(False)
    for text in ("FETCH 1 FLAGS", "UID FETCH 1 FLAGS", "STORE 1 FLAGS ()",
                 "SEARCH ALL", "COPY 1 INBOX", "EXPUNGE", "CLOSE", "UNSELECT",
                 "CHECK", "LOGIN bob secret", "AUTHENTICATE PLAIN",
                 "STARTTLS"):
        r = w.cmd(text)[1]
        if not r.startswith((b"BAD", b"NO")):
            bad.append((text, r))
        w.cmd("NOOP")
    check(not bad, "commands in the wrong state", bad)
    w.close()


def endless():
    w = session(False)
    began = cpu()
    w.say(b"z NOOP ")
    for _ in range(300):
        w.say(b"x" * 65536)
    w.say(b"\r\n")
    r = refusal(w, b"z")
    check(r in (b"BAD", b"NO", b"BYE") and cpu() - began < SLOW,
          "a line of twenty million bytes", r)
    check(r == b"BYE" or goes_on(w), "and after it")
    w.close()
    w = session(False)
    got = b""
    said = 0
    try:
        while said < 500 and not got.startswith(b"* BYE"):
            w.say(b"z NOSUCH\r\n")
            said += 1
            got = w.response()
    except (Closed, OSError):
        pass
    check(got.startswith(b"* BYE"), "errors without end", (said, got))
    w.close()


def deep():
    w = session()
    began = cpu()
    bad = []
    for n in range(1, 8):
        for item in ("BODYSTRUCTURE", "BODY", "ENVELOPE", "PREVIEW",
                     "BODY.PEEK[1.1.1.1.1.1.1]", "BODY.PEEK[99999]",
                     "BINARY.PEEK[1]", "BODY.PEEK[%s]" %
                     ".".join(["1"] * 100), "RFC822.SIZE"):
            said, r = w.cmd("FETCH %d %s" % (n, item))
            if not r.startswith((b"OK", b"NO")) or len(said) > 1:
                bad.append((n, item, r))
            elif said and said[0].count(b"(") != said[0].count(b")") and \
                    n not in (5, 6):
                bad.append((n, item, said[0][:80]))
    took = cpu() - began
    check(not bad and took < SLOW, "deep and wide MIME in %.1f s" % took, bad)
    w.close()


PIPES = ["subscriptions", "dovecot-uidlist", "dovecot-keywords", "dovecot-acl", "maildirsize", "posthouse-metadata",
         "posthouse-metadata-server", "posthouse-special-use", "dovecot-uidvalidity", "courierimapuiddb", "courierimapsubscribed",
         "posthouse.index", "posthouse.cache", "posthouse.texts", "posthouse.lock", "cur/1700000100.M1P1.here:2,",
         "new/1700000101.M1P1.here", ".box/dovecot-uidlist", ".box/dovecot-keywords", ".box/posthouse.index", ".box/cur/1.M1P1.x:2,"]


def pipes():
    """In place of every file there is a pipe, whose other end nobody holds."""
    w = session(False)
    w.cmd("CREATE box")
    w.close()
    bad = []
    for name in PIPES:
        path = os.path.join(MAILDIR, *([".box", name[5:]] if name.startswith(".box") else [name]))
        kept = os.path.exists(path) and open(path, "rb").read()
        if os.path.exists(path):
            os.unlink(path)
        os.mkfifo(path, 0o600)
        own(path)
        try:
            w = session(False)
            for text in ('LIST (SUBSCRIBED) "" * RETURN (STATUS (MESSAGES))', "SELECT INBOX", "STORE 1 +FLAGS (x%d)" % len(name),
                         "FETCH 1:* (BODY.PEEK[HEADER] ENVELOPE)", "SELECT box", "SUBSCRIBE box", "GETACL box", "GETQUOTAROOT INBOX",
                         'GETMETADATA "" /private/a', "GETMETADATA INBOX /private/a", "APPEND box {4+}\r\na: b", "CREATE pipe",
                         "DELETE pipe"):
                w.cmd(text)
            w.close()
        except (OSError, Closed, AssertionError) as e:
            bad.append((name, text, repr(e)))
        os.unlink(path)
        if kept:
            with open(path, "wb") as f:
                f.write(kept)
            own(path)
    check(not bad, "a pipe in the place of any file", bad)
    w = session(False)
    w.cmd("DELETE box")
    w.close()


def main():
    fill()
    other = Wire("alice")
    other.ok("SELECT INBOX")
    kept = session()    # its memory is the most of this test's kind
    for part in (literals, smuggled, edges, split, sets, grammar, control, echoes, names, states,
                 endless, pipes, deep):
        part()
        if not goes_on(other):
            check(False, "another session after %s" % part.__name__)
            other = Wire("alice")
    for text in (b"FETCH 1 " + b"(" * 60000, b"FETCH " + b"1:*," * 15000 +
                 b"1 (ENVELOPE BODYSTRUCTURE)",
                 b"LIST \"\" {1000000+}\r\n" + b"x" * 1000000):
        kept.say(b"z " + text + b"\r\n")
        refusal(kept, b"z")
        goes_on(kept)
    most = most_memory()
    check(0 < most < MEMORY_MAX, "memory stays bounded", most)
    check(other.cmd("FETCH 1:* UID")[1] is not None and goes_on(other),
          "the other session noticed nothing")
    w = session()
    check(goes_on(w), "the server goes on")
    return check.end()


sys.exit(main())
