"""posthouse user, and where users come from: records of every scheme by POP3
and against doveadm, order of sources, SQLite, application passwords, PAM."""
import fcntl
import os
import pwd
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from agent import parse, record  # noqa: E402
from e2e import BIN, ROOT, Pop3, Skip, Stage, Tap, until, want  # noqa: E402

UID = 61001 if ROOT else os.getuid()
SCHEMES = ["CRYPT", "SHA512-CRYPT", "SHA256-CRYPT", "BLF-CRYPT", "ARGON2ID", "ARGON2I", "PBKDF2",
           "SCRAM-SHA-256", "SCRAM-SHA-1", "SSHA512", "SSHA256", "PLAIN", "CLEARTEXT"]
DOVEADM = shutil.which("doveadm")
# what Dovecot makes and we only check
OLD = ["MD5-CRYPT", "DES-CRYPT", "SSHA", "SMD5", "SHA", "SHA256", "SHA512", "PLAIN-MD5", "LDAP-MD5",
       "PLAIN.B64", "SSHA256.HEX", "SHA1", "MD5"]


def user(st, *args, password=None, conf=None):
    """posthouse user ...: (status, stdout, stderr)"""
    program = ["user", "-f", conf] if conf else ["posthouse", "-f", st.conf, "user"]
    r = subprocess.run([os.path.join(st.dir, "bin", program[0]), *program[1:], *args],
                       input=None if password is None else password + "\n", stdin=None if password is not None
                       else subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
    return r.returncode, r.stdout, r.stderr


def done(st, *args, **more):
    status, out, err = user(st, *args, **more)
    want("user %s is done" % " ".join(args), (status, out, err), status == 0)
    return out


def refused(st, status, word, *args, **more):
    got, out, err = user(st, *args, **more)
    want("user %s: %d, %s" % (" ".join(args), status, word), (got, out, err),
         got == status and word in out + err)


def lets_in(st, name, password):
    """Whoever meets his own last session, which may not have seen its end yet, is let in as well."""
    with Pop3(st.pop3) as p:
        p.ok(b"USER " + name.encode())
        p.send(b"PASS " + password.encode() + b"\r\n")
        got = p.line()
        want("an answer", got, got is not None)
        return got.startswith((b"+OK", b"-ERR [IN-USE]"))


def soon(st, name, password, good=True):
    """auth looks for new tables a few times a second."""
    until("%s %s in" % (name, "gets" if good else "does not get"),
          lambda: lets_in(st, name, password) == good)


def users_file(st):
    with open(os.path.join(st.dir, "users"), encoding="utf-8") as f:
        return f.read()


def fields(st, name):
    home = os.path.join(st.dir, "mail", name)
    os.makedirs(home, exist_ok=True)
    if ROOT:
        os.chown(home, UID, UID)
    return ["uid=%d" % UID, "gid=%d" % (UID if ROOT else os.getgid()), "home=" + home]


def add_and_log_in(st):
    """Without a reload: auth sees the new table."""
    before = users_file(st)
    for scheme in SCHEMES:
        name = "u-" + scheme.lower()
        done(st, "add", "-s", scheme, name, *fields(st, name), password="pass word")
        soon(st, name, "pass word")
        want(name + " does not get in", scheme, not lets_in(st, name, "pass wore"))
    want("the old lines are as they were", users_file(st), users_file(st).startswith(before))


def passwd_and_delete(st):
    done(st, "add", "pat", *fields(st, "pat"), password="one")
    done(st, "passwd", "-s", "ssha512", "PAT", password="two")
    soon(st, "pat", "two")
    want("not the old one", None, not lets_in(st, "pat", "one"))
    done(st, "delete", "pat")
    soon(st, "pat", "two", False)
    want("no line", users_file(st), "pat:" not in users_file(st))
    refused(st, 67, "pat is not in", "delete", "pat")
    refused(st, 67, "pat is not in", "passwd", "pat", password="x")


def wrong_calls(st):
    refused(st, 64, "usage:")
    refused(st, 64, "usage:", "ad", "x")
    refused(st, 64, "usage:", "add")
    refused(st, 64, "usage:", "add", "-x", "x")
    refused(st, 64, "expected one of", "add", "-s", "md5-crypt", "x", password="x")
    refused(st, 64, "expected a number", "add", "-c", "0", "x", password="x")
    refused(st, 64, "expected a name", "add", "-n", "a/b", password="x")
    refused(st, 64, "bad quota", "add", "x", "quota=much", password="x")
    refused(st, 64, "expected uid=", "add", "x", "frob=1", password="x")
    refused(st, 65, "no password", "add", "x", *fields(st, "x"), password="")
    refused(st, 65, "out of bounds", "hash", "-s", "scram-sha-256", "-c", "5", password="x")
    refused(st, 65, "too long", "hash", password="x" * 1025)
    refused(st, 65, "NUL", "hash", password="x\0y")
    refused(st, 73, "already", "add", "alice", password="x")
    refused(st, 66, "No such file", "list", "-F", "/nonexistent/x")
    refused(st, 78, "nonexistent", "list", conf="/nonexistent/x")
    want("x is nowhere", users_file(st), "\nx:" not in users_file(st))


def taken_back(st):
    """What no table can be made of does not stay."""
    if not ROOT:
        raise Skip("needs root")
    before = users_file(st)
    refused(st, 78, "is as it was", "add", "bad", "home=/x", password="x")
    want("the file is as before", users_file(st), users_file(st) == before)


def kept(st):
    """Comments, order, owner and mode; a link stays a link."""
    d = tempfile.mkdtemp(prefix="posthouse-e2e.", dir=st.dir)
    real, link = os.path.join(d, "real"), os.path.join(d, "link")
    with open(real, "w", encoding="utf-8") as f:
        f.write("# first\n\nzed:{PLAIN}z:1:1::/z::x=y\r\nmalformed\nlast:{PLAIN}l:1:1::/l")
    os.chmod(real, 0o640)
    if ROOT:
        os.chown(real, 61001, 61002)
    os.symlink("real", link)
    done(st, "passwd", "-n", "-F", link, "-s", "plain", "zed", password="new")
    done(st, "add", "-n", "-F", link, "-s", "plain", "eve", "home=/e", password="a:b c")
    with open(real, encoding="utf-8", newline="") as f:
        got = f.read()
    want("all lines", got, got == "# first\n\nzed:{PLAIN}new:1:1::/z::x=y\nmalformed\nlast:{PLAIN}l:1:1::/l\n"
         "eve:{PLAIN.B64}YTpiIGM=::::/e::\n")
    s = os.stat(real)
    want("mode", oct(s.st_mode), s.st_mode & 0o7777 == 0o640)
    if ROOT:
        want("owner", (s.st_uid, s.st_gid), (s.st_uid, s.st_gid) == (61001, 61002))
    want("a link", None, os.path.islink(link))
    want("nothing else", os.listdir(d), sorted(os.listdir(d)) == ["link", "real"])
    shutil.rmtree(d)


def at_once(st):
    """None of many changes at the same time is lost."""
    d = tempfile.mkdtemp(prefix="posthouse-e2e.", dir=st.dir)
    path = os.path.join(d, "users")
    names = ["n%d" % i for i in range(12)]
    ps = [subprocess.Popen([os.path.join(st.dir, "bin", "posthouse"), "-f", st.conf, "user", "add", "-n", "-F",
                            path, "-s", "plain", n], stdin=subprocess.PIPE, stderr=subprocess.PIPE) for n in names]
    for p in ps:
        p.stdin.write(b"x\n")
        p.stdin.close()
    for p in ps:
        want("done", p.stderr.read(), p.wait(timeout=120) == 0)
        p.stderr.close()
    with open(path, encoding="utf-8") as f:
        got = sorted(l.split(":")[0] for l in f)
    want("all of them", got, got == sorted(names))
    want("for the owner alone", oct(os.stat(path).st_mode), os.stat(path).st_mode & 0o777 == 0o600)
    shutil.rmtree(d)


def no_secret_in_sight(st):
    """Neither in arguments nor in the log."""
    done(st, "add", "sec", *fields(st, "sec"), password="do-not-show")
    lets_in(st, "sec", "do-not-show")
    lets_in(st, "sec", "do-not-show-either")
    want("not in the log", None, "do-not-show" not in st.log())
    status, out, err = user(st, "test", "sec", password="do-not-show")
    want("not said", (out, err), status == 0 and "do-not-show" not in out + err)


def testing(st):
    done(st, "add", "tess", *fields(st, "tess"), "services=pop3,imap", "allow_nets=!192.0.2.7,192.0.2.0/24",
         password="t")
    shown = done(st, "app", "tess", "phone", "imap").strip()
    want("made up", shown, len(shown) == 23)
    out = done(st, "test", "tess", password="t")
    want("all of it", out, all(w in out for w in (
        "tess: %s:" % os.path.join(st.dir, "users"), "password fits, CRYPT", "pop3: yes", "imap: yes",
        "submission: no, not for this service", "networks: !192.0.2.7")))
    out = done(st, "test", "-S", "imap", "-a", "192.0.2.1", "tess@example.test", password=shown)
    want("the application's", out, "application password phone fits, SSHA512" in out and "imap: yes" in out)
    refused(st, 77, "pop3: no, this application password is not for it", "test", "-S", "pop3", "tess", password=shown)
    refused(st, 77, "imap: no, not from this network", "test", "-S", "imap", "-a", "192.0.2.7", "tess", password="t")
    refused(st, 77, "CRYPT does not fit", "test", "tess", password="x")
    refused(st, 67, "no such user", "test", "nobody-here", password="x")
    refused(st, 64, "expected an address", "test", "-a", "x", "tess", password="x")
    out = done(st, "list", "tess")
    want("listed", out, "app=phone:imap" in out and "services=pop3,imap" in out)
    done(st, "app", "-d", "tess", "PHONE")
    refused(st, 67, "no application password", "app", "-d", "tess", "phone")
    refused(st, 77, "does not fit", "test", "tess", password=shown)


def looks_at_accounts():
    """Does auth know of accounts, and not of one record only?"""
    out = subprocess.run(["nm", os.path.join(BIN, "auth")], stdout=subprocess.PIPE, text=True, check=False).stdout
    if " T sources_find" not in out:
        raise Skip("this auth knows one password of a user")


def accounts_by_pop3(st):
    looks_at_accounts()
    done(st, "add", "acc", *fields(st, "acc"), password="own")
    pop = done(st, "app", "acc", "pop", "pop3").strip()
    imap = done(st, "app", "acc", "imap", "imap").strip()
    soon(st, "acc", "own")
    soon(st, "acc", pop)
    want("pop3's", None, lets_in(st, "acc", pop))
    want("not imap's", None, not lets_in(st, "acc", imap))
    for field in ("services=imap", "allow_nets=192.0.2.0/24", "nologin"):
        name = "acc-" + field[:3]
        done(st, "add", name, *fields(st, name), field, password="own")
        done(st, "test", "-S", "smtp", "acc", password="own")
        want("not with " + field, None, not lets_in(st, name, "own"))


def order_of_sources():
    db = tempfile.mkdtemp(prefix="posthouse-e2e.")
    path = os.path.join(db, "users.db")
    home = os.path.join(db, "home")
    os.mkdir(home)
    os.chmod(db, 0o755)
    if ROOT:
        os.chown(home, UID, UID)
    with sqlite3.connect(path) as c:
        c.execute("CREATE TABLE users (name TEXT PRIMARY KEY, password, uid, gid, home)")
        for name in ("alice", "dora"):
            c.execute("INSERT INTO users VALUES (?, '{PLAIN}database', ?, ?, ?)",
                      (name, UID, UID if ROOT else os.getgid(), home))
    c.close()
    try:
        with Stage("users sqlite %s\nusers file @DIR@/more scheme PLAIN\nusers.home @DIR@/mail/%%n\n"
                   "users.uid %d\nusers.gid %d\n" % (path, UID, UID if ROOT else os.getgid()),
                   files={"more": "dora:third\nalice:third\nemil:third\n"}) as st:
            want("alice of the first", None, lets_in(st, "alice", "secret"))
            want("not of the second", None, not lets_in(st, "alice", "database"))
            want("dora of the second", None, lets_in(st, "dora", "database"))
            want("not of the third", None, not lets_in(st, "dora", "third"))
            os.makedirs(os.path.join(st.dir, "mail", "emil"))
            if ROOT:
                os.chown(os.path.join(st.dir, "mail", "emil"), UID, UID)
            want("emil of the third", None, lets_in(st, "emil", "third"))
            with sqlite3.connect(path) as c:
                c.execute("INSERT INTO users SELECT 'fred', '{PLAIN}new', uid, gid, home FROM users LIMIT 1")
            c.close()
            until("a new row counts without a reload", lambda: lets_in(st, "fred", "new"), 90, 1)
            st.logged("tables-made")
            out = done(st, "test", "dora", password="database")
            want("its place", out, "dora: %s:users:2" % path in out)
            with sqlite3.connect(path) as c:
                c.execute("UPDATE users SET home = 'x' WHERE name = 'dora'")
            c.close()
            status, out = st.posthouse("reload")
            want("a mistake with its row", (status, out), status != 0 and path + ":users:2:1: bad home" in out)
            want("the old ones are in force", None, lets_in(st, "dora", "database"))
    finally:
        shutil.rmtree(db)


def doveadm(*args, **more):
    if DOVEADM is None:
        raise Skip("no doveadm")
    r = subprocess.run([DOVEADM, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                       **more)
    return r.returncode, r.stdout.strip()


def doveadm_takes_ours(st):
    for scheme in SCHEMES:
        made = done(st, "hash", "-s", scheme, password="pass word").strip()
        status, out = doveadm("pw", "-t", made, "-p", "pass word")
        if scheme == "CRYPT" and status != 0:
            continue        # yescrypt is its libcrypt's affair
        want("%s: %s" % (scheme, made), (status, out), status == 0)
        status, out = doveadm("pw", "-t", made, "-p", "pass wore")
        want("%s: wrong" % scheme, (status, out), status != 0)


def we_take_doveadms(st):
    home = fields(st, "dovecot")[2][5:]
    for scheme in SCHEMES + OLD:
        status, made = doveadm("pw", "-s", scheme, "-p", "pass word")
        want("doveadm makes " + scheme, made, status == 0)
        with open(os.path.join(st.dir, "users"), "a", encoding="utf-8") as f:
            f.write("d-%s:%s:%d:%d::%s\n" % (scheme.lower(), made, UID, UID if ROOT else os.getgid(), home))
    status, out = st.posthouse("reload")
    want("reload", out, status == 0)
    for scheme in SCHEMES + OLD:
        name = "d-" + scheme.lower()
        done(st, "test", name, password="pass word")
        want(name, None, user(st, "test", name, password="Pass word")[0] == 77)
    soon(st, "d-scram-sha-1", "pass word")


DOVECOT = """
protocols =
base_dir = %(d)s/run
log_path = %(d)s/log
ssl = no
default_internal_user = %(me)s
default_login_user = %(me)s
default_internal_group = %(group)s
first_valid_uid = 1
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = scheme=SHA256 %(d)s/users
}
userdb {
  driver = passwd-file
  args = %(d)s/users
  default_fields = uid=61001 gid=61001 home=/var/vmail/%%d/%%n
}
service auth {
  unix_listener auth-userdb {
    mode = 0600
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
"""
# of a file that Dovecot has: name, right password, from, let in
CASES = [("ann@a.test", "secret", "192.0.2.1", True), ("ann@a.test", "wrong", "192.0.2.1", False),
         ("ANN@a.test", "secret", "192.0.2.1", True),
         ("plain", "secret", "192.0.2.1", True), ("bare", "secret", "192.0.2.1", True),
         ("nets", "secret", "192.0.2.1", True), ("nets", "secret", "198.51.100.1", False),
         ("nopass", "whatever", "192.0.2.1", True), ("empty", "", "192.0.2.1", False), ("empty", "x", "192.0.2.1", False),
         ("locked", "secret", "192.0.2.1", False), ("none", "secret", "192.0.2.1", False),
         ("sub", "secret", "192.0.2.1", True), ("pam13", "secret", "192.0.2.1", True), ("both", "secret", "192.0.2.1", False)]
FILE = """# of an old server
ann@a.test:{SSHA}LV3jikkOIWwoBmyrCd49q4RhE+2IiqIV::::::userdb_quota_rule=*:storage=1G

plain:{PLAIN}secret:61002:61003:Pl Ain:/home/plain:/bin/false:userdb_mail=maildir:~/Mail
bare:K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=:::::
nets:{PLAIN}secret::::::allow_nets=192.0.2.0/24 nodelay
nopass:::::::nopassword
empty:
locked:{CRYPT}!$6$x$y
sub:{PLAIN.b64}c2VjcmV0:61002:61003::/s::userdb_uid=61009 userdb_home=/other proxy_maybe=n
pam13:16iwBuoZQmCnA[13]
both:{CRYPT}16iwBuoZQmCnA[13]
"""


def started(d):
    p = subprocess.Popen(["dovecot", "-F", "-c", os.path.join(d, "conf")], stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL)
    until("Dovecot's auth", lambda: os.path.exists(os.path.join(d, "run", "auth-userdb")))
    return p


def as_dovecot():
    """The same file, the same verdicts and the same places."""
    if DOVEADM is None or shutil.which("dovecot") is None:
        raise Skip("no Dovecot")
    if not ROOT:
        raise Skip("needs root")
    d = tempfile.mkdtemp(prefix="posthouse-dovecot.")
    os.chmod(d, 0o755)
    with open(os.path.join(d, "users"), "w", encoding="utf-8") as f:
        f.write(FILE)
    with open(os.path.join(d, "conf"), "w", encoding="utf-8") as f:
        f.write(DOVECOT % {"d": d, "me": "dovecot", "group": "dovecot"})
    p = None
    try:
        p = started(d)
        with Stage("users file %s/users scheme SHA256\nusers.uid 61001\nusers.gid 61001\n"
                   "users.home /var/vmail/%%d/%%n\n" % d) as st:
            for name, password, addr, good in CASES:
                theirs, out = doveadm("-c", os.path.join(d, "conf"), "auth", "test", "-x", "rip=" + addr,
                                      name, password)
                want("Dovecot on %s %s" % (name, addr), (theirs, out), (theirs == 0) == good)
                status, out, err = user(st, "test", "-a", addr, name, password=password)
                want("we on %s %r %s" % (name, password, addr), (status, out, err), (status == 0) == good)
            for name in ("ann@a.test", "plain", "sub"):
                status, out = doveadm("-c", os.path.join(d, "conf"), "user", name)
                want("doveadm user", out, status == 0)
                theirs = dict(l.split(None, 1) for l in out.splitlines() if len(l.split(None, 1)) == 2)
                _, out, _ = user(st, "test", name, password="x")
                want("uid, gid and home of " + name, (theirs, out), "uid %s, gid %s, home %s" % (
                    theirs["uid"], theirs["gid"], theirs["home"]) in out)
                if "mail" in theirs:
                    want("mail", (theirs, out), "mail " + theirs["mail"] in out)
    finally:
        if p is not None:
            p.terminate()
            p.wait(timeout=60)
        shutil.rmtree(d, ignore_errors=True)


PAM_USER = "posthouse-e2e-pam"
PAM_FILE = "/etc/pam.d/posthouse"


def ask_pam(st, name, password):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        s.settimeout(90)
        s.connect(os.path.join(st.dir, "tables", "pam"))
        s.send(record(("U", name), ("P", password), ("S", "pop3"), ("C", "192.0.2.1")))
        data = s.recv(65536)
    return {tag: value.decode() for tag, value in parse(data)} if data else {}


def verdict(st, name, password, wanted, word=""):
    got = ask_pam(st, name, password)
    want("%s: %s" % (name, wanted), got, got.get("V") == wanted and word in got.get("T", ""))
    return got


def shadow_and_pam(st, how):
    pw = pwd.getpwnam(PAM_USER)
    for line, v, word in (("", "ok", ""), ("-E 1970-01-02", "denied", "expired"), ("-E -1 -d 0", "denied", "expired"),
                          ("-d -1", "ok", "")):
        if line:
            subprocess.run(["chage", *line.split(), PAM_USER], check=True)
        # pam_unix's reason does not come through Debian's stack
        got = verdict(st, PAM_USER, "pass word", v, word if how == "shadow" else "")
        if v == "ok":
            want("who it is", got, (got["D"], got["G"], got["H"], got["U"]) == (
                str(pw.pw_uid), str(pw.pw_gid), pw.pw_dir, PAM_USER))
        verdict(st, PAM_USER, "pass wore", "wrong" if v == "ok" else got["V"] if how == "pam" and
                got["V"] == "wrong" else "wrong")
    verdict(st, "root", "x", "unknown", "local.min-uid")
    verdict(st, "posthouse-no-such-user", "x", "unknown")
    subprocess.run(["usermod", "-L", PAM_USER], check=True)
    verdict(st, PAM_USER, "pass word", "wrong")
    subprocess.run(["usermod", "-U", PAM_USER], check=True)
    out = done(st, "test", PAM_USER, password="pass word")
    want("the tool asks it, too", out, "password fits" in out and "pop3: yes" in out)
    refused(st, 77, "does not fit", "test", PAM_USER, password="x")


def rubbish(st):
    """Whatever comes, the parent lives on."""
    path = os.path.join(st.dir, "tables", "pam")
    for data in (b"", b"x", b"U3:ann,\n", record(("U", "a/b"), ("P", "x"), ("S", "pop3"), ("C", "y")),
                 record(("U", "x" * 5000), ("P", "x"), ("S", "pop3"), ("C", "y")),
                 record(("U", PAM_USER), ("P", "x" * 2000), ("S", "pop3"), ("C", "y"))):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(90)
            s.connect(path)
            if data:
                s.send(data)
                want("no answer to rubbish", None, s.recv(100) == b"")
    verdict(st, PAM_USER, "pass word", "ok")
    status, out = st.posthouse("status")
    want("auth-pam runs", out, "auth-pam" in out and status == 0)


def hanging(st):
    """A module that asks for more than a password, and one that says nothing."""
    with open(PAM_FILE, "w", encoding="utf-8") as f:
        f.write("auth required pam_exec.so seteuid /bin/sleep 100\naccount required pam_permit.so\n")
    begin = time.monotonic()
    got = ask_pam(st, PAM_USER, "pass word")
    want("no answer", got, got == {})
    want("in time", time.monotonic() - begin, time.monotonic() - begin < 80)
    st.logged("system-login", "no answer in time")


def system_users():
    if not ROOT:
        raise Skip("needs root")
    lock = os.open(os.path.dirname(PAM_FILE), os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)        # the user and the file are one for all who run this
        by_system()
    finally:
        os.close(lock)


def by_system():
    if os.path.exists(PAM_FILE):
        raise Skip(PAM_FILE + " is there already")
    subprocess.run(["userdel", PAM_USER], stderr=subprocess.DEVNULL, check=False)
    subprocess.run(["useradd", "-M", "-d", "/tmp", "-s", "/usr/sbin/nologin", PAM_USER], check=True)
    try:
        subprocess.run(["chpasswd"], input=PAM_USER + ":pass word\n", text=True, check=True)
        with Stage("users system\n") as st:
            shadow_and_pam(st, "shadow")
            with open(PAM_FILE, "w", encoding="utf-8") as f:
                f.write("@include common-auth\n@include common-account\n")
            shadow_and_pam(st, "pam")
            rubbish(st)
            with open(PAM_FILE, "w", encoding="utf-8") as f:
                f.write("auth required pam_deny.so\naccount required pam_permit.so\n")
            verdict(st, PAM_USER, "pass word", "wrong")
            if os.environ.get("PH_MODE") == "long":
                hanging(st)
            want("alice is still in the file", None, lets_in(st, "alice", "secret"))
            want("no password in the log", None, "pass wor" not in st.log())
    finally:
        if os.path.exists(PAM_FILE):
            os.unlink(PAM_FILE)
        subprocess.run(["userdel", PAM_USER], stderr=subprocess.DEVNULL, check=False)


def only_auth_may(st):
    """The socket is there, for ph-auth alone, and served only with users system."""
    s = os.stat(os.path.join(st.dir, "tables", "pam"))
    want("mode", oct(s.st_mode), s.st_mode & 0o777 == 0o600)
    if ROOT:
        want("owner", s.st_uid, s.st_uid == pwd.getpwnam("ph-auth").pw_uid)
    status, out = st.posthouse("status")
    want("no auth-pam without users system", out, status == 0 and "auth-pam" not in out)


def main():
    t = Tap()
    with Stage("auth.delay 0\nauth.failures 0\nauth.client-failures 0\n") as st:
        for name, test in (("users of every scheme are added and log in", add_and_log_in),
                           ("passwords are changed, users removed", passwd_and_delete),
                           ("wrong calls say what is wrong", wrong_calls),
                           ("a change without tables is taken back", taken_back),
                           ("what is not changed is kept", kept),
                           ("changes at the same time", at_once),
                           ("passwords are seen nowhere", no_secret_in_sight),
                           ("user test says what auth would do", testing),
                           ("services, networks, application passwords by POP3", accounts_by_pop3),
                           ("doveadm takes our records", doveadm_takes_ours),
                           ("we take doveadm's records", we_take_doveadms),
                           ("the socket for users of the system", only_auth_may)):
            t.run(name, test, st)
    t.run("the first source that has a name counts", order_of_sources)
    t.run("a passwd-file of Dovecot, as Dovecot reads it", as_dovecot)
    t.run("users of the system by shadow and PAM", system_users)
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
