"""SELECT with QRESYNC (RFC 7162 3.2.5): what a client missed, with and without
what it knows of UIDs, with another validity, and when the index is lost. TAP on
standard output."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "lib"))
from imapwire import Checks, Wire, cpu  # noqa: E402

USER = "bob"
FOLDER = "Resync"
MAILDIR = os.path.join(os.environ["PH_DIR"], "mail", USER, "Maildir")
check = Checks()


def number(out, code):
    m = re.search(rb"\[" + code + rb" (\d+)\]", b"\n".join(out))
    return int(m.group(1))


def append(w, n):
    text = b"Subject: %d\r\n\r\n%d\r\n" % (n, n)
    w.ok(b"APPEND %s {%d+}\r\n%s" % (FOLDER.encode(), len(text), text))


def told(w, arguments):
    """VANISHED, {UID: flags}, modseqs of what SELECT tells, and the reply."""
    out, reply = w.cmd("SELECT %s (QRESYNC (%s))" % (FOLDER, arguments))
    gone = [r for r in out if b"VANISHED" in r]
    flags, modseqs = {}, []
    for r in out:
        m = re.match(rb"\* \d+ FETCH \(UID (\d+) MODSEQ \((\d+)\) FLAGS "
                     rb"\(([^)]*)\)\)$", r)
        if m:
            flags[int(m.group(1))] = set(m.group(3).split()) - {b"\\Recent"}
            modseqs.append(int(m.group(2)))
    return gone, flags, modseqs, reply


def changed_by_another(known):
    w = Wire(USER)
    w.ok("SELECT " + FOLDER)
    w.ok("UID STORE 2 +FLAGS (\\Flagged $x)")
    w.ok("UID STORE 4,6 +FLAGS.SILENT (\\Deleted)")
    w.ok("UID EXPUNGE 4,6")
    append(w, 8)
    w.close()


def enabled():
    """Each one that is named, once, whatever implied it before."""
    w = Wire(USER)
    bad = [(asked, out) for asked, want in (
        ("QRESYNC CONDSTORE", b"QRESYNC CONDSTORE"),
        ("CONDSTORE", b"CONDSTORE"), ("qresync X-NOT QRESYNC", b"QRESYNC"),
        ("X-NOT", b"")) for out in [w.ok("ENABLE " + asked)]
        if out != [(b"* ENABLED " + want).rstrip()]]
    check(not bad, "ENABLED has what was asked for", bad)
    w.close()


def fetched(w, text):
    """[(UID, modseq, flags or None)] of a STORE."""
    got = [re.match(rb"\* \d+ FETCH \(UID (\d+) MODSEQ \((\d+)\)(?: FLAGS \(([^)]*)\))?\)$", r) for r in w.fetch(text)]
    return [(int(m.group(1)), int(m.group(2)), None if m.group(3) is None else set(m.group(3).split()) - {b"\\Recent"}) for m in got]


def store_meets_another():
    """A client that hears of others only when it asks (NOTIFY NONE) stores what somebody else has changed."""
    a, b = Wire(USER), Wire(USER)
    for w in (a, b):
        w.ok("ENABLE QRESYNC")
        w.ok("SELECT " + FOLDER)
    uids = [int(x) for x in b.ok("UID SEARCH ALL")[0].split()[2:]]
    first, last = uids[0], uids[-1]
    b.ok("UID STORE %d,%d FLAGS ()" % (first, last))
    a.ok("NOTIFY NONE")
    a.ok("SELECT " + FOLDER)
    for what, theirs, ours, silent in (
            ("other flags", b"\\Draft", b"\\Seen", ""), ("the same flag", b"\\Flagged", b"\\Flagged", ""),
            ("in silence", b"\\Answered", b"$x", ".SILENT")):
        for w, flag in ((b, theirs), (a, ours)):
            said = fetched(w, "UID STORE %d +FLAGS%s (%s)" % (first, silent if w is a else "", flag.decode()))
        b.ok("NOOP")
        real = re.search(rb"MODSEQ \((\d+)\)", b.fetch("UID FETCH %d (MODSEQ)" % first)[0]).group(1)
        check(len(said) == 1 and said[0][1] == int(real) and said[0][2] and {theirs, ours} <= said[0][2],
              "STORE tells what another has changed: " + what, (said, real))
    said = fetched(a, "UID STORE %d +FLAGS.SILENT (\\Seen)" % last)
    check(len(said) == 1 and said[0][2] is None, "and no flags that only the client has changed", said)
    a.close()
    b.close()


def refused():
    w = Wire(USER)
    r = w.cmd("SELECT %s (QRESYNC (1 1))" % FOLDER)[1]
    check(r.startswith(b"BAD"), "not before ENABLE QRESYNC", r)
    w.ok("ENABLE QRESYNC")
    bad = [a for a in ("", "1", "0 1", "1 x", "1 1 0", "1 1 1:3 (1)",
                       "1 1 (1 2", "1 1 1:3 4")
           if not told(w, a)[3].startswith(b"BAD")]
    check(not bad, "malformed parameters are", bad)
    w.close()


def main():
    w = Wire(USER)
    w.cmd("DELETE " + FOLDER)
    w.ok("CREATE " + FOLDER)
    for n in range(1, 8):
        append(w, n)
    out = w.ok("SELECT %s (CONDSTORE)" % FOLDER)
    validity, modseq = number(out, b"UIDVALIDITY"), number(out, b"HIGHESTMODSEQ")
    w.close()
    changed_by_another(modseq)

    w = Wire(USER)
    w.ok("ENABLE QRESYNC")
    known = "%d %d" % (validity, modseq)
    gone, flags, modseqs, reply = told(w, known)
    check(reply.startswith(b"OK") and gone == [b"* VANISHED (EARLIER) 4,6"],
          "what was expunged is told", (gone, reply))
    check(flags == {2: {b"\\Flagged", b"$x"}, 8: set()},
          "and what changed or came, and nothing else", flags)
    check(modseqs and min(modseqs) > modseq, "with newer modseqs", modseqs)
    gone, flags, _, _ = told(w, known + " 1:4")
    check(gone == [b"* VANISHED (EARLIER) 4"] and set(flags) == {2},
          "of the UIDs that the client knows alone", (gone, flags))
    gone, flags, _, _ = told(w, known + " 1:8 (1:7 1:7)")
    check(gone == [b"* VANISHED (EARLIER) 4,6"] and set(flags) == {2, 8},
          "also with numbers that match", (gone, flags))
    out = w.ok("SELECT " + FOLDER)
    check(out[0].startswith(b"* OK [CLOSED]"), "CLOSED comes first", out[:1])
    newest = number(out, b"HIGHESTMODSEQ")
    gone, flags, _, _ = told(w, "%d %d" % (validity, newest))
    check(not gone and not flags, "nothing to one who knows all", (gone, flags))
    gone, flags, _, _ = told(w, "%d %d" % (validity + 1, modseq))
    check(not gone and not flags, "nor to one who knows another mailbox",
          (gone, flags))
    gone, flags, _, _ = told(w, "%d 0" % validity)
    check(gone == [b"* VANISHED (EARLIER) 4,6"] and
          set(flags) == {1, 2, 3, 5, 7, 8},
          "all to one who knows nothing", (gone, flags))
    w.ok("ENABLE UIDONLY")
    reply = told(w, known + " 1:8 (1:7 1:7)")[3]
    check(reply.startswith(b"BAD [UIDREQUIRED]"),
          "no numbers after UIDONLY", reply)
    reply = told(w, known + " 1:8")[3]
    check(reply.startswith(b"OK"), "but UIDs", reply)
    w.close()

    # when the index is lost nothing is claimed that is not known any more
    os.unlink(os.path.join(MAILDIR, "." + FOLDER, "posthouse.index"))
    w = Wire(USER)
    w.ok("ENABLE QRESYNC")
    gone, flags, modseqs, _ = told(w, "%d %d" % (validity, newest))
    check(gone == [b"* VANISHED (EARLIER) 4,6"] and
          set(flags) == {1, 2, 3, 5, 7, 8} and min(modseqs) > newest,
          "without an index all is told anew", (gone, flags, modseqs))
    w.close()
    # UIDs that another server has given out are few, and far from each other
    path = os.path.join(MAILDIR, "." + FOLDER)
    with open(os.path.join(path, "dovecot-uidlist")) as f:
        lines = f.read().splitlines()
    names = [x.split(":", 1)[1] for x in lines[1:]]
    head = re.sub(r" N\d+", " N4294967290", lines[0])
    with open(os.path.join(path, "dovecot-uidlist"), "w") as f:
        f.write("%s\n3 :%s\n4294967288 :%s\n" % (head, names[0], names[1]))
    for n in os.listdir(os.path.join(path, "cur")):
        if not n.startswith((names[0], names[1])):
            os.unlink(os.path.join(path, "cur", n))
    os.unlink(os.path.join(path, "posthouse.index"))
    w = Wire(USER)
    w.ok("ENABLE QRESYNC")
    began = cpu()
    for known, gone in (("", b"1:2,4:4294967287,4294967289"), (" 2:9", b"2,4:9"), (" 3", None), (" 1:3,5:4294967288", b"1:2,5:4294967287"),
                        (" 4294967289:4294967295", b"4294967289")):
        said = told(w, "%d 1%s" % (validity, known))[0]
        check(said == ([b"* VANISHED (EARLIER) " + gone] if gone else []), "what is missing of four thousand million UIDs%s" % known, said)
    check(cpu() - began < 2, "and no time for each", cpu() - began)
    w.close()
    enabled()
    store_meets_another()
    refused()
    return check.end()


sys.exit(main())
