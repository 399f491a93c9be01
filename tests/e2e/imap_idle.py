"""What a session hears while it waits: IDLE; and STORE, EXPUNGE and COMPRESS, by which others and the wire
change."""
import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import Tap, Wrong, came, children, message, send, until, want, word  # noqa: E402
from imap import Deflated, Imap  # noqa: E402

BASE = int(os.environ["PH_BASE"])
DIR = os.environ["PH_DIR"]
SMTP = int(os.environ["PH_SMTP"])
USER = "carol"
MAILDIR = os.path.join(DIR, "mail", USER, "Maildir")
tap = Tap()


def fresh(name, n=3):
    """A new mailbox with n messages, selected."""
    c = Imap(BASE, USER)
    c.ok(b"CREATE " + name)
    for i in range(n):
        c.append(name, message(b"m%d" % i))
    c.ok(b"SELECT " + name)
    return c


def other(name):
    c = Imap(BASE, USER)
    c.ok(b"SELECT " + name)
    return c


def folder(name):
    return os.path.join(MAILDIR, "." + name.decode())


def idle(c):
    tag = c.tag()
    c.send(tag + b" IDLE\r\n")
    until_line(c, b"+ ")
    return tag


def done(c, tag):
    c.send(b"DONE\r\n")
    said, how = c.answer(tag)
    want("the end of IDLE", how, how is not None and how.startswith(b"OK"))
    return said


def until_line(c, part, seconds=20):
    """The responses up to one that has this in it; sooner than a session looks by itself, which is every 30 seconds."""
    end = time.monotonic() + seconds
    got = []
    while True:
        while b"\r\n" not in c.buf:
            left = end - time.monotonic()
            if left <= 0 or not select.select([c.sock], [], [], left)[0]:
                want("%r within %s s" % (part, seconds), got, False)
            more = c.sock.recv(65536)
            want("the connection goes on", got, more)
            c.buf += more
        got.append(c.response())
        if part in got[-1]:
            return got


def idle_flags():
    c, d = fresh(b"Flags"), other(b"Flags")
    tag = idle(c)
    start = time.monotonic()
    d.ok(b"STORE 2 +FLAGS (\\Flagged $Later)")
    got = until_line(c, b"* 2 FETCH")
    want("flags", got, b"\\Flagged" in got[-1] and b"$Later" in got[-1])
    took = [time.monotonic() - start]
    for i in range(4):
        start = time.monotonic()
        d.ok(b"STORE 2 %sFLAGS (\\Answered)" % (b"-" if i % 2 else b"+"))
        until_line(c, b"* 2 FETCH")
        took.append(time.monotonic() - start)
    # a busy machine is slow now and then, not each time
    want("the quickest within a second", took, min(took) < 1)
    d.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    until_line(c, b"* 1 FETCH")
    d.ok(b"EXPUNGE")
    until_line(c, b"* 1 EXPUNGE")
    done(c, tag)
    said, _ = c.ok(b"NOOP")
    want("nothing twice", said, not said)


def idle_delivery():
    c = Imap(BASE, USER)
    c.ok(b"SELECT INBOX")
    tag = idle(c)
    w = word("idle")
    send(SMTP, b"carol@example.test", message(w))
    until_line(c, b" EXISTS")
    done(c, tag)
    said, _ = c.ok(b"UID SEARCH SUBJECT " + w)
    want("it is found", said, len(said[0].split()) == 2)
    came(DIR, USER, w)


def idle_foreign():
    """Another program renames and removes files."""
    c = fresh(b"Foreign")
    cur = os.path.join(folder(b"Foreign"), "cur")
    names = sorted(os.listdir(cur))
    want("three", names, len(names) == 3)
    tag = idle(c)
    old = names[0]
    os.rename(os.path.join(cur, old), os.path.join(cur, old.split(":2,")[0] + ":2,FS"))
    got = until_line(c, b" FETCH ")
    want("its flags", got, b"\\Flagged" in got[-1] and b"\\Seen" in got[-1])
    os.unlink(os.path.join(cur, names[1]))
    until_line(c, b" EXPUNGE")
    done(c, tag)


def in_stage(name):
    """Processes of that program which the master has started."""
    with open(os.path.join(DIR, "run", "posthouse.pid"), encoding="ascii") as f:
        master = int(f.read())
    return children(master, name)


@contextlib.contextmanager
def same_tick(pid, cur):
    """What is done in cur/ looks to the session as if it had come in the tick of the clock in which it looked last."""
    os.kill(pid, signal.SIGSTOP)
    try:
        before = os.stat(cur)
        yield
        os.utime(cur, ns=(before.st_atime_ns, before.st_mtime_ns))
    finally:
        os.kill(pid, signal.SIGCONT)


def idle_tick():
    """Where a file system's clock stands still for some milliseconds (Linux before 6.13) the directory's time does not tell of each
    change, and another session's may not be written down yet when the kernel says that something happens."""
    known = in_stage("imapd-session")
    c = fresh(b"Tick", 4)
    pid = until("a process", lambda: sorted(in_stage("imapd-session") - known))[0]
    cur = os.path.join(folder(b"Tick"), "cur")
    tag = idle(c)
    for n in range(4):
        if second_change(c, pid, cur, "" if n % 2 else "S", 9 if n == 3 else 5):
            break
    if os.geteuid() != 0 or not shutil.which("strace"):
        done(c, tag)
        return
    known = in_stage("imapd-session")
    d = other(b"Tick")
    writer = until("a process", lambda: sorted(in_stage("imapd-session") - known))[0]
    for n in range(3):
        if late_note(c, d, pid, writer, cur, b"-" if n % 2 else b"+", 9 if n == 2 else 6):
            break
    done(c, tag)


def second_change(c, pid, cur, flag, seconds):
    """Whether it is told. It need not be if the session could look once more, and was certain of the first, before the second came."""
    names = sorted(os.listdir(cur))

    def mark(name):
        os.rename(os.path.join(cur, name), os.path.join(cur, name.split(":2,")[0] + ":2," + flag))
    mark(names[0])
    until_line(c, b"* 1 FETCH")
    with same_tick(pid, cur):
        mark(names[1])
    try:
        until_line(c, b"* 2 FETCH", seconds)
    except Wrong:
        if seconds > 5:
            raise
        return False
    return True


def late_note(c, d, pid, writer, cur, sign, seconds):
    """Whether it is told. It need not be if a look between the two changes was certain of the first: no second one can have its time
    then. What was certain before stays so until the first, which the writer notes by itself; mostly there is no look in between."""
    time.sleep(0.3)
    d.ok(b"STORE 3 %sFLAGS (\\Draft)" % sign)
    until_line(c, b"* 3 FETCH")
    with subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e",
                           "inject=pwrite64:delay_enter=500000:when=1", "-p", str(writer)], stderr=subprocess.DEVNULL) as s:
        try:
            until("it is traced", lambda: traced(writer) or s.poll() is not None)
            there = set(os.listdir(cur))
            with same_tick(pid, cur):
                d.send(b"x STORE 4 %sFLAGS (\\Answered)\r\n" % sign)
                until("the file has its new name", lambda: set(os.listdir(cur)) != there, step=0.005)
            try:
                until_line(c, b"* 4 FETCH", seconds)
            except Wrong:
                if seconds > 6:
                    raise
                return False
            finally:
                d.answer(b"x")
        finally:
            s.terminate()
    return True


def traced(pid):
    with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as f:
        return "TracerPid:\t0\n" not in f.read()


def idle_end():
    """What is not DONE ends it as well; one that is gone is noticed."""
    c = Imap(BASE, USER)
    tag = idle(c)
    c.send(b"t9 NOOP\r\n")
    said, how = c.answer(tag)
    want("BAD", how, how.startswith(b"BAD"))
    c.ok(b"NOOP")
    tag = idle(c)
    c.send(b"do")
    time.sleep(0.1)
    c.send(b"ne\r\n")
    said, how = c.answer(tag)
    want("OK", how, how.startswith(b"OK"))
    tag = idle(c)
    c.close()
    c = Imap(BASE, USER)
    c.wanted(b"IDLE x", b"BAD")


def store_forms():
    c = fresh(b"Store", 4)
    c.ok(b"SELECT Store")       # none is recent any more
    said, _ = c.ok(b"STORE 1:2 FLAGS (\\Seen $One)")
    # imaptest's rule: nobody sees a keyword that FLAGS has not told of
    want("FLAGS first", said, said[0].startswith(b"FLAGS (") and b"$One" in said[0])
    want("two lines", said, [s for s in said if b" FETCH " in s] ==
         [b"1 FETCH (FLAGS (\\Seen $One))", b"2 FETCH (FLAGS (\\Seen $One))"])
    said, _ = c.ok(b"STORE 1 +FLAGS \\Flagged")
    want("one more", said, said == [b"1 FETCH (FLAGS (\\Flagged \\Seen $One))"])
    said, _ = c.ok(b"UID STORE 2 -FLAGS ($One)")
    want("with UID", said, said == [b"2 FETCH (UID 2 FLAGS (\\Seen))"])
    said, _ = c.ok(b"STORE 1:4 +FLAGS.SILENT (\\Draft)")
    want("silence", said, not said)
    said, _ = c.ok(b"STORE 3 FLAGS ()")
    want("none", said, said == [b"3 FETCH (FLAGS ())"])
    c.ok(b"UID STORE 100:200 +FLAGS (\\Seen)")
    for bad in (b"STORE 9 +FLAGS (\\Seen)", b"STORE 1 +FLAGS (\\Recent)", b"STORE 1 +FLAGS (\\Seen", b"STORE 1 FLAGS",
                b"STORE 1 *FLAGS (\\Seen)", b"STORE 1 +FLAGS.LOUD (\\Seen)", b"STORE x FLAGS ()",
                b"STORE 1 (CHANGEDSINCE 1) FLAGS ()", b"STORE 1 (UNCHANGEDSINCE) FLAGS ()"):
        c.wanted(bad, b"BAD")
    d = other(b"Store")
    said, _ = d.ok(b"FETCH 1:4 (FLAGS)")
    want("they are kept", said, said == [b"1 FETCH (FLAGS (\\Flagged \\Seen \\Draft $One))",
         b"2 FETCH (FLAGS (\\Seen \\Draft))", b"3 FETCH (FLAGS ())", b"4 FETCH (FLAGS (\\Draft))"])
    d.ok(b"EXAMINE Store")
    d.wanted(b"STORE 1 FLAGS ()", b"NO")
    d.wanted(b"EXPUNGE", b"NO")


def rev2_updates():
    """What nobody asked for names the UID in IMAP4rev2 (RFC 9051, 7.5.2), and so does STORE."""
    c = fresh(b"Two", 3)
    d = other(b"Two")
    c.ok(b"ENABLE IMAP4rev2")
    d.ok(b"STORE 2 +FLAGS (\\Flagged)")
    said, _ = c.ok(b"NOOP")
    want("UID", said, said == [b"2 FETCH (UID 2 FLAGS (\\Flagged))"])
    said, _ = c.ok(b"STORE 3 +FLAGS (\\Seen)")
    want("STORE", said, said == [b"3 FETCH (UID 3 FLAGS (\\Seen))"])
    tag = idle(c)
    d.ok(b"STORE 1 +FLAGS (\\Draft)")
    until_line(c, b"* 1 FETCH (UID 1 ")
    c.send(b"DONE\r\n")
    c.answer(tag)


def modseq(said, n):
    text = next(s for s in said if s.startswith(b"%d FETCH" % n))
    return int(text.split(b"MODSEQ (")[1].split(b")")[0])


def uid_updates():
    """What is told with a command with UID has UIDs, whoever has changed it (RFC 9051 6.4.9)."""
    c = fresh(b"ByUid", 2)
    d = other(b"ByUid")
    flag = [b"-FLAGS", b"+FLAGS"]
    for n, line in enumerate((b"UID SEARCH ALL", b"UID FETCH 2 RFC822.SIZE", b"UID STORE 2 +FLAGS (\\Draft)", b"UID EXPUNGE 2",
                              b"UID COPY 2 INBOX", b"UID SORT (DATE) UTF-8 ALL", b"UID THREAD REFS UTF-8 ALL")):
        d.ok(b"STORE 1 " + flag[n % 2 == 0] + b".SILENT (\\Flagged)")
        said, _ = c.ok(line)
        want("UID 1 with " + line.decode(), said, any(s.startswith(b"1 FETCH (UID 1 FLAGS (") for s in said))
    d.ok(b"STORE 1 +FLAGS.SILENT (\\Seen)")
    said, _ = c.ok(b"NOOP")
    want("and only there", said, any(s.startswith(b"1 FETCH (FLAGS (") for s in said))


def store_unchanged():
    c, d = fresh(b"Condition", 4), None
    said, _ = c.ok(b"FETCH 1:4 (MODSEQ)")
    first = max(modseq(said, i) for i in (1, 2, 3, 4))
    d = other(b"Condition")
    d.ok(b"STORE 2 +FLAGS (\\Seen)")
    said, how = c.ok(b"STORE 1:3 (UNCHANGEDSINCE %d) +FLAGS.SILENT (\\Flagged)" % first)
    want("2 is refused", how, b"[MODIFIED 2]" in how)
    want("MODSEQ in spite of .SILENT", said, modseq(said, 1) > first and modseq(said, 3) > first)
    want("and told", said, any(s.startswith(b"2 FETCH") and b"\\Seen" in s for s in said))
    said, how = c.ok(b"UID STORE 2 (UNCHANGEDSINCE 1) +FLAGS (\\Flagged)")
    want("the UID", how, b"[MODIFIED 2]" in how)
    said, how = c.ok(b"STORE 1 +FLAGS.SILENT (\\Draft)")
    want("MODSEQ once CONDSTORE is known", said, modseq(said, 1) > first)


def expunges():
    c = fresh(b"Gone", 5)
    d = other(b"Gone")
    d.ok(b"STORE 1,3,5 +FLAGS.SILENT (\\Deleted)")
    said, _ = d.ok(b"UID EXPUNGE 1:3")
    want("two of them", said, said == [b"1 EXPUNGE", b"2 EXPUNGE"])
    # not told before a command that may be
    said, _ = c.ok(b"FETCH 5 (UID)")
    want("numbers as before", said, b"5 FETCH (UID 5)" in said and not any(b"EXPUNGE" in s for s in said))
    said, _ = c.ok(b"EXPUNGE")
    want("others' as well", said, [s for s in said if b"EXPUNGE" in s] == [b"1 EXPUNGE", b"2 EXPUNGE", b"3 EXPUNGE"])
    c.ok(b"ENABLE QRESYNC")
    c.ok(b"STORE 1 +FLAGS (\\Deleted)")
    said, how = c.ok(b"EXPUNGE")
    want("VANISHED", said, b"VANISHED 2" in said)
    want("HIGHESTMODSEQ", how, b"[HIGHESTMODSEQ " in how)
    d.ok(b"NOOP")
    d.ok(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    said, _ = d.ok(b"CLOSE")
    want("CLOSE says nothing", said, not said)
    want("no file is left", os.listdir(folder(b"Gone") + "/cur"), not os.listdir(folder(b"Gone") + "/cur"))


def compressed():
    c = Deflated(BASE, USER)
    want("announced", c.capabilities(), b"COMPRESS=DEFLATE" in c.capabilities())
    c.wanted(b"COMPRESS LZW", b"BAD")
    c.compress()
    want("no more", c.capabilities(), b"COMPRESS=DEFLATE" not in c.capabilities())
    c.wanted(b"COMPRESS DEFLATE", b"BAD")
    c.ok(b"CREATE Deflated")
    text = os.urandom(300000).hex().encode()
    body = b"\r\n".join(text[i:i + 76] for i in range(0, len(text), 76)) + b"\r\n"
    for _ in range(3):
        c.append(b"Deflated", message(b"large", body))
    c.ok(b"SELECT Deflated")
    said, _ = c.ok(b"FETCH 1:3 (BODY.PEEK[TEXT])")
    want("three texts", [len(s) for s in said], len(said) == 3 and all(body in s for s in said))
    d = other(b"Deflated")
    for i in range(3):
        tag = idle(c)
        d.ok(b"STORE %d +FLAGS (\\Flagged)" % (i + 1))
        until_line(c, b"* %d FETCH" % (i + 1))
        done(c, tag)
    c.logout()


def bomb():
    """Zeroes without end meet the reader's limits; rubbish ends the session."""
    c = Deflated(BASE, USER)
    c.compress()
    for _ in range(64):
        c.sendall(bytes(1 << 20))
    c.sendall(b"\r\n")
    said = c.line()
    want("an answer", said, said is not None and b"BAD" in said)
    c.ok(b"NOOP")
    c = Deflated(BASE, USER)
    c.compress()
    c.raw.sendall(b"\xff" * 100)
    until("the end", lambda: c.line() is None)
    Imap(BASE, USER).logout()


tap.run("IDLE: flags and expunges of another session", idle_flags)
tap.run("IDLE: a delivery", idle_delivery)
tap.run("IDLE: a foreign program", idle_foreign)
tap.run("IDLE: changes within a tick of the clock", idle_tick)
tap.run("IDLE: its end", idle_end)
tap.run("STORE: forms", store_forms)
tap.run("IMAP4rev2: UIDs in updates", rev2_updates)
tap.run("UID commands: UIDs in updates", uid_updates)
tap.run("STORE: UNCHANGEDSINCE", store_unchanged)
tap.run("EXPUNGE, UID EXPUNGE, CLOSE", expunges)
tap.run("COMPRESS=DEFLATE", compressed)
tap.run("COMPRESS: bombs and rubbish", bomb)
sys.exit(tap.end())
