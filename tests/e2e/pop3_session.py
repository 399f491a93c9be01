"""POP3 with clients nobody here wrote (poplib, curl) and byte by byte: login,
listings, exact content, deletion, dropped connections, pipelining, hostile
lines, Dovecot's list of UIDs. TAP on standard output."""
import os
import poplib
import re
import shutil
import socket
import subprocess
import sys
import time

from lib.e2e import Tap

ADDR = os.environ.get("PH_ADDR", "127.0.0.1")
PORT = int(os.environ["PH_POP3"])
DIR = os.environ["PH_DIR"]
USER = "carol"
WAIT = 60
HOME = os.path.join(DIR, "mail", USER)
MAILDIR = os.path.join(HOME, "Maildir")
tap = Tap()
check = tap.check


def own(path):
    st = os.stat(HOME)
    os.chown(path, st.st_uid, st.st_gid)


def put(name, content, where="new"):
    for sub in ("", "tmp", "new", "cur"):
        d = os.path.join(MAILDIR, sub)
        if not os.path.isdir(d):
            os.mkdir(d, 0o700)
            own(d)
    path = os.path.join(MAILDIR, where, name)
    with open(path, "wb") as f:
        f.write(content)
    own(path)
    return path


def empty():
    end = time.monotonic() + WAIT
    while time.monotonic() < end:   # a session that was cut off may still be at work
        try:
            shutil.rmtree(MAILDIR, ignore_errors=False)
        except FileNotFoundError:
            if not os.path.exists(MAILDIR):
                return
        except OSError:
            time.sleep(0.05)


def files():
    return sorted(os.listdir(MAILDIR + "/new") + os.listdir(MAILDIR + "/cur"))


def crlf(content):
    return re.sub(b"(?<!\r)\n", b"\r\n", content)


class Raw:
    def __init__(self, login=False):
        self.begin()
        end = time.monotonic() + WAIT
        while login:
            self.say(b"USER carol\r\nPASS secret\r\n")
            self.user = self.line()
            self.login = self.line()
            if b"[IN-USE]" not in self.login or time.monotonic() > end:
                break
            self.close()    # a session that was cut off may still be at work
            time.sleep(0.05)
            self.begin()

    def begin(self):
        self.sock = socket.create_connection((ADDR, PORT), WAIT)
        self.file = self.sock.makefile("rb")
        self.greeting = self.line()

    def say(self, data):
        self.sock.sendall(data)

    def line(self):
        try:
            return self.file.readline()
        except ConnectionError:
            return b""

    def ask(self, data):
        try:
            self.say(data + b"\r\n")
        except ConnectionError:
            return b""
        return self.line()

    def multi(self, data):
        first = self.ask(data)
        if not first.startswith(b"+OK"):
            return first, None
        got = b""
        while True:
            line = self.line()
            if line in (b".\r\n", b""):
                return first, got
            got += line[1:] if line.startswith(b"..") else line

    def close(self):
        self.file.close()
        self.sock.close()


def login(retry=True):
    end = time.monotonic() + WAIT
    while True:
        p = poplib.POP3(ADDR, PORT, timeout=WAIT)
        try:
            p.user(USER)
            p.pass_("secret")
            return p
        except poplib.error_proto as e:
            p.close()
            if not retry or b"IN-USE" not in e.args[0] or time.monotonic() > end:
                raise
            time.sleep(0.05)


PLAIN = b"From: a@b.test\nSubject: one\n\nHello\n.\n..\n.dot\n\nend\n"
CRLF = b"From: a@b.test\r\nSubject: two\r\n\r\nalready\r\n.\r\n"
NOEND = b"Subject: three\n\nno end of line"
NOBODY = b"Subject: four\nX: y\n"
BINARY = b"Subject: five\n\n" + bytes(range(256)).replace(b"\n", b"") * 3 + b"\n"
BIG = b"Subject: big\n\n" + (b"." + b"x" * 76 + b"\n") * 60000
MAILS = [PLAIN, CRLF, NOEND, NOBODY, BINARY, BIG]


def fill():
    empty()
    for i, m in enumerate(MAILS):
        put("176400000%d.M1P1.host,S=%d" % (i, len(m)), m)


def logins():
    empty()
    r = Raw()
    check(re.match(rb"\+OK .*ready\r\n$", r.greeting) and b"<" not in r.greeting,
          "greeting without a timestamp", r.greeting)
    check(r.ask(b"STAT").startswith(b"-ERR"), "STAT before login")
    check(r.ask(b"PASS secret").startswith(b"-ERR"), "PASS before USER")
    check(r.ask(b"USER").startswith(b"-ERR"), "USER without a name")
    check(r.ask(b"USER carol").startswith(b"+OK"), "USER")
    t = time.monotonic()
    bad = r.ask(b"PASS wrong")
    check(bad.startswith(b"-ERR [AUTH]"), "wrong password", bad)
    check(time.monotonic() - t > 0.2, "a wrong password costs time")
    check(r.ask(b"PASS secret").startswith(b"-ERR"), "USER again after a failure")
    r.ask(b"USER nobody-here")
    bad2 = r.ask(b"PASS secret")
    check(bad2 == bad, "an unknown user looks the same", bad2)
    r.ask(b"USER carol")
    bad3 = r.ask(b"PASS  secret")
    check(bad3 == bad, "a blank belongs to the password", bad3)
    r.ask(b"uSeR carol")
    ok = r.ask(b"pass secret")
    check(ok.startswith(b"+OK"), "login after failures", ok)
    check(os.path.isdir(MAILDIR + "/cur"), "the Maildir is made")
    check(os.stat(MAILDIR).st_uid == os.stat(HOME).st_uid, "and is the user's")
    check(r.ask(b"USER carol").startswith(b"-ERR"), "USER after login")
    check(r.ask(b"STAT") == b"+OK 0 0\r\n", "empty mailbox")
    check(r.ask(b"QUIT").startswith(b"+OK"), "QUIT")
    check(r.line() == b"", "and closed")
    r.close()
    r = Raw()
    check(r.ask(b"QUIT").startswith(b"+OK") and r.line() == b"", "QUIT at once")
    r.close()
    r = Raw()
    r.ask(b"USER carol@example.test")
    ok = r.ask(b"PASS secret")
    check(ok.startswith(b"+OK"), "user name with the domain", ok)
    r.ask(b"QUIT")
    r.close()


def listings():
    fill()
    p = login()
    sizes = [len(crlf(m)) for m in MAILS]
    check(p.stat() == (len(MAILS), sum(sizes)), "STAT is exact", p.stat())
    rows = [int(x.split()[1]) for x in p.list()[1]]
    check(rows == sizes, "LIST is exact", (rows, sizes))
    check(p.list(2).split() == [b"+OK", b"2", b"%d" % sizes[1]], "LIST 2")
    ids = [x.split()[1] for x in p.uidl()[1]]
    check(len(set(ids)) == len(MAILS) and all(len(i) <= 70 for i in ids),
          "UIDL is unique", ids)
    check(ids[0] == b"1764000000.M1P1.host,S=%d" % len(PLAIN), "UIDL is the file's name")
    check(p.uidl(3).split()[2] == ids[2], "UIDL 3")
    p.quit()
    p = login()
    check([x.split()[1] for x in p.uidl()[1]] == ids, "UIDL stays")
    check(p.stat() == (len(MAILS), sum(sizes)), "sizes stay")
    p.quit()


def contents():
    fill()
    r = Raw(login=True)
    for i, m in enumerate(MAILS):
        want = crlf(m)
        if not want.endswith(b"\r\n"):
            want += b"\r\n"
        first, got = r.multi(b"RETR %d" % (i + 1))
        check(got == want, "RETR %d is byte-exact" % (i + 1), first)
    first, got = r.multi(b"TOP 1 0")
    check(got == b"From: a@b.test\r\nSubject: one\r\n\r\n", "TOP 1 0", got)
    first, got = r.multi(b"TOP 1 3")
    check(got == crlf(PLAIN[:PLAIN.index(b".dot")]), "TOP 1 3", got)
    check(r.multi(b"TOP 1 99999999999999999999999")[1] == crlf(PLAIN),
          "TOP with more lines than there are")
    check(r.multi(b"TOP 4 5")[1] == crlf(NOBODY), "TOP without a body")
    check(len(r.multi(b"TOP 6 40000")[1]) == 16 + 40000 * 79, "TOP of many lines")
    r.ask(b"QUIT")
    r.close()
    check(all(f.endswith(":2,S") for f in files()) and not os.listdir(MAILDIR + "/new"),
          "what was read is seen", files())


def deletion():
    fill()
    p = login()
    p.dele(1)
    p.dele(3)
    r = p.stat()
    check(r[0] == len(MAILS) - 2, "deleted messages do not count")
    check([x.split()[0] for x in p.list()[1]][:2] == [b"2", b"4"], "numbers stay")
    check([x.split()[0] for x in p.uidl()[1]][:2] == [b"2", b"4"], "in UIDL, too")
    for what, call in (("RETR", p.retr), ("DELE", p.dele), ("LIST", p.list),
                       ("UIDL", p.uidl)):
        try:
            call(1)
            check(False, what + " of a deleted message")
        except poplib.error_proto:
            check(True, what + " of a deleted message")
    p.rset()
    check(p.stat()[0] == len(MAILS), "RSET")
    p.dele(2)
    p.quit()
    check(len(files()) == len(MAILS) - 1, "QUIT removes what was deleted")
    check(not any(f.startswith("1764000001") for f in files()), "and the right one")
    r = Raw(login=True)
    r.ask(b"DELE 1")
    r.close()
    time.sleep(0.3)
    check(len(files()) == len(MAILS) - 1, "a dropped connection removes nothing")
    p = login()
    check(p.stat()[0] == len(MAILS) - 1, "and the next session sees all")
    check(b"[IN-USE]" in in_use(), "a second session is refused")
    for i in range(1, len(MAILS)):
        p.dele(i)
    for f in os.listdir(MAILDIR + "/new"):
        os.rename(MAILDIR + "/new/" + f, MAILDIR + "/cur/" + f + ":2,F")
    p.quit()
    check(files() == [], "files that were renamed meanwhile are found", files())


def in_use():
    p = None
    try:
        p = login(retry=False)
        return b"let in"
    except poplib.error_proto as e:
        return e.args[0]


def others():
    """Other programs change the Maildir during the session."""
    fill()
    r = Raw(login=True)
    names = files()
    os.rename(MAILDIR + "/new/" + names[0], MAILDIR + "/cur/" + names[0] + ":2,RS")
    check(r.multi(b"RETR 1")[1] == crlf(PLAIN), "a renamed message is found")
    os.unlink(MAILDIR + "/new/" + names[1])
    check(r.ask(b"RETR 2").startswith(b"-ERR"), "a removed message is refused")
    put("1764000099.M1P1.host", PLAIN)
    check(r.ask(b"RETR 7").startswith(b"-ERR"), "no new ones in a session")
    check(r.ask(b"DELE 2").startswith(b"+OK"), "removed twice")
    check(r.ask(b"QUIT").startswith(b"+OK"), "is no error")
    r.close()


def pipelining():
    fill()
    r = Raw()
    r.say(b"CAPA\r\nUSER carol\r\nPASS secret\r\nSTAT\r\nTOP 1 0\r\nNOOP\r\nQUIT\r\n")
    data = b""
    while True:
        more = r.sock.recv(65536)
        if not more:
            break
        data += more
    data = re.sub(rb"(?s)^\+OK capab.*?\r\n\.\r\n", b"", data)
    heads = [x[:3] for x in data.split(b"\r\n") if x[:3] in (b"+OK", b"-ER")]
    check(heads == [b"+OK"] * 6, "a whole session in one packet", data)
    r.close()
    r = Raw()
    r.say(b"USER carol\r\nPASS secret\r\n" + b"NOOP\r\n" * 1500 + b"QUIT\r\n")
    n = 0
    while r.line().startswith(b"+OK"):
        n += 1
    check(n == 1503, "1500 commands behind the password", n)
    r.close()
    r = Raw()
    r.say(b"US")
    time.sleep(0.05)
    r.say(b"ER carol\r\nPA")
    time.sleep(0.05)
    r.say(b"SS secret\r\nST")
    time.sleep(0.3)
    r.say(b"AT\r\n")
    got = [r.line() for _ in range(3)]
    check(got[2].startswith(b"+OK %d " % len(MAILS)), "commands cut anywhere", got)
    r.close()


def hostile():
    r = Raw()
    check(r.ask(b"USER " + b"x" * 3000).startswith(b"-ERR"), "long line")
    check(r.ask(b"USER " + b"x" * 900).startswith(b"-ERR"), "long name")
    check(r.ask(b"US\0ER carol").startswith(b"-ERR"), "NUL")
    r.say(b"NOOP\nQUIT\n")
    check(r.line().startswith(b"-ERR") and r.line().startswith(b"-ERR"), "bare LF is no line end")
    check(r.ask(b"QUIT\rx").startswith(b"-ERR"), "bare CR")
    check(r.ask(b"").startswith(b"-ERR"), "empty line")
    check(r.ask(b"\xff\xfe\xfd").startswith(b"-ERR"), "bytes")
    check(r.ask(b"CAPA x").startswith(b"-ERR"), "CAPA with an argument")
    r.close()
    r = Raw()
    n = 0
    while r.ask(b"BOGUS").startswith(b"-ERR") and n < 100:
        n += 1
    check(10 <= n < 20, "many errors end the connection", n)
    r.close()
    r = Raw()
    try:
        r.say(b"x" * 5000000 + b"\r\n")
        check(r.line()[:4] in (b"-ERR", b""), "five million bytes without an end")
    except ConnectionError:
        check(True, "five million bytes without an end")
    r.close()
    fill()
    r = Raw(login=True)
    for line in (b"RETR 0", b"RETR 7", b"RETR 4294967297", b"RETR 18446744073709551617",
                 b"DELE 999999999999999999999999999999999999999999", b"LIST 0", b"UIDL 99",
                 b"RETR -1", b"RETR", b"TOP 1", b"TOP 1 2 3", b"STAT 1", b"NOOP x",
                 b"DELE one", b"XYZZY", b"LISTx 1"):
        if line in (b"RETR -1", b"DELE one"):   # a second session: errors are counted
            r.close()
            r = Raw(login=True)
        got = r.ask(line)
        check(got.startswith(b"-ERR"), line.decode(), got)
    check(r.ask(b"STAT").startswith(b"+OK 6 "), "and goes on")
    r.ask(b"QUIT")
    r.close()


def capabilities():
    p = poplib.POP3(ADDR, PORT, timeout=WAIT)
    before = p.capa()
    want = {"USER", "TOP", "UIDL", "PIPELINING", "RESP-CODES", "AUTH-RESP-CODE",
            "EXPIRE", "IMPLEMENTATION", "SASL", "UTF8", "LANG"}
    check(set(before) - {"STLS"} == want, "CAPA before login", before)
    check(before["EXPIRE"] == ["NEVER"], "EXPIRE NEVER")
    p.user(USER)
    p.pass_("secret")
    check(set(p.capa()) == want, "CAPA after login")
    p.quit()


def uid_list():
    fill()
    names = files()
    path = MAILDIR + "/dovecot-uidlist"
    with open(path, "w") as f:
        f.write("3 V1234567890 N40 G00112233\n")
        f.write("7 P0000old.uidl :%s\n" % names[3])
        f.write("9 W77 :gone.away\n")
        f.write("30 :%s:2,S\n" % names[0])
    own(path)
    p = login()
    ids = [x.split()[1].decode() for x in p.uidl()[1]]
    p.stat()
    p.quit()
    check(ids[0] == "0000old.uidl" and ids[1] == names[0], "order and UIDL of Dovecot's list", ids)
    lines = open(path).read().split("\n")
    check(lines[0].startswith("3 V1234567890 N") and lines[0].endswith(" G00112233"), "its head is kept", lines[0])
    check(any(re.match(r"7 W%d P0000old.uidl :%s" % (len(crlf(MAILS[3])), names[3]), x) for x in lines)
          and any(x.startswith("30 ") for x in lines), "UIDs are kept, sizes noted", lines)
    uids = [int(x.split()[0]) for x in lines[1:] if x]
    check(uids == sorted(uids) and len(uids) >= 6 and min(uids[2:]) >= 30 and uids[-1] == 43,
          "new UIDs are above", uids)
    check(not os.path.exists(path + ".lock"), "and unlocked")
    st = os.stat(path)
    check(st.st_uid == os.stat(HOME).st_uid, "and the user's")
    with open(path, "w") as f:
        f.write("garbage\n\0\0\0")
    own(path)
    p = login()
    check(p.stat()[0] == 6, "a broken list does not matter")
    p.quit()
    check(open(path).read().startswith("3 V"), "and is written anew")


def left_in_tmp():
    """A session looks for what killed programs have left, and leaves alone what is of today."""
    fill()
    draft = put("draft", b"of today", "tmp")
    tmp = os.path.join(MAILDIR, "tmp")
    os.utime(tmp, (10 ** 9, 10 ** 9))
    login().quit()
    check(os.stat(tmp).st_atime > 10 ** 9 and os.path.exists(draft), "drafts of the killed are looked for", os.stat(tmp))


def with_curl():
    fill()
    url = "pop3://%s:%d/" % (ADDR, PORT)
    base = ["curl", "-s", "-m", "60", "-u", "carol:secret"]
    out = subprocess.run(base + [url], capture_output=True).stdout
    check(len(out.split(b"\r\n")) >= 6 and out.startswith(b"1 "), "curl lists", out[:200])
    out = subprocess.run(base + [url + "1"], capture_output=True).stdout
    check(out == crlf(PLAIN), "curl reads", out[:200])


def with_fetchmail():
    fill()
    try:
        import pwd
        pwd.getpwuid(os.getuid())
        why = None if shutil.which("fetchmail") else "not installed"
    except KeyError:
        why = "it wants a user with a name"
    if why:
        tap.skip("fetchmail", why)
        return
    home = os.path.join(DIR, "fetchmail")
    os.makedirs(home, exist_ok=True)
    rc = os.path.join(home, "rc")
    with open(rc, "w") as f:
        f.write('poll %s protocol pop3 port %d user "carol" password "secret" '
                'nokeep fetchall sslproto "" mda "/bin/cat >>%s/out"\n' % (ADDR, PORT, home))
    os.chmod(rc, 0o600)
    env = dict(os.environ, HOME=home, FETCHMAILHOME=home)
    out = subprocess.run(["fetchmail", "--invisible", "-f", rc, "-i", home + "/ids"], env=env,
                         capture_output=True, timeout=120)
    got = open(home + "/out", "rb").read() if os.path.exists(home + "/out") else b""
    check(out.returncode == 0 and b"Subject: one" in got and b"Subject: big" in got,
          "fetchmail fetches", (out.returncode, out.stdout, out.stderr))
    check(files() == [], "and removes", files())
    shutil.rmtree(home, ignore_errors=True)


def main():
    for test in (logins, capabilities, listings, contents, deletion, others,
                 pipelining, hostile, uid_list, left_in_tmp, with_curl, with_fetchmail):
        test()
    empty()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
