"""The road of a message behind the door: aliases of all kinds, virtual domains,
sub-addresses, postmasters, other scripts, relaying, loops, quota, mbox, pipes,
what is recorded, and tables that change meanwhile. A stage of its own. TAP."""
import mailbox
import os
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import LONG, ROOT, Smtp, Stage, Tap, ident, mails, message, until, want, word  # noqa: E402

FRIEND, STRANGER = "127.0.0.5", "127.0.0.77"

CONF = """
domain second.test bücher.test xn--bcher-kva.test
virtual-domain virt.test all.test mirror.test
relay-domain relay.test
catch-all all.test user3
relay-from 127.0.0.5
users file "@DIR@/users2"
aliases "@DIR@/aliases2"
virtual "@DIR@/virtual"
local.hops 20
local.idle-timeout 1s
local.alias-user @ALIAS@
queue.retry-first 300s
queue.retry-max 300s
"""

ALIASES = """
# nested
team: alice, devs
devs: bob, inner
INNER: carol
# the same person twice, and somebody outside
twice: alice, Alice@example.test, "alice"@EXAMPLE.test
outside: bob, someone@far.test
members: :include:@DIR@/members
# the user himself, and a copy
user1: user1, user2
user5: \\user5, user2
"quoted name": bob
"a.b,c": carol
x\\y: bob
größe: alice
none: nobody-here
half: bob, nobody-here
# files and commands
mboxfile: @DIR@/files/box
maildirfile: @DIR@/files/Maildir/
env: "|env >@DIR@/files/env; cat >@DIR@/files/stdin; echo it was env; id -u >@DIR@/files/uid"
deaf: "|exit 0"
talk: "|echo first line; echo second; exit 69"
shell: "|echo $1 '$HOME' ; cat >/dev/null; exit 67"
swap: alice
"""

VIRTUAL = """
info@virt.test: alice
Sales@virt.test: alice, bob@example.test
sales+vip@virt.test: carol
deep@virt.test: info@virt.test
@virt.test: user4
@mirror.test: @example.test
special@second.test: carol
"""

EXITS = {0: "2.0.0", 64: "5.3.5", 65: "5.6.0", 66: "5.3.0", 67: "5.1.1", 68: "5.1.2", 69: "5.3.0", 70: "5.3.0",
         71: "4.3.0", 72: "4.3.0", 73: "5.2.0", 74: "4.3.0", 75: "4.3.0", 76: "5.5.0", 77: "5.7.0", 78: "5.3.5",
         1: "4.3.0", 2: "4.3.0", 79: "4.3.0", 99: "4.3.0", 100: "4.3.0", 111: "4.3.0", 126: "4.3.0", 127: "4.3.0",
         255: "4.3.0"}
SIGNALS = ("TERM", "KILL", "SEGV")


def rcpt(st, who, code, source=STRANGER, utf8=False):
    with Smtp(st.smtp, source) as c:
        c.say(b"EHLO x", "250")
        c.say(b"MAIL FROM:<s@client.test>" + (b" SMTPUTF8" if utf8 else b""), "250")
        return c.say(b"RCPT TO:<" + who.encode() + b">", code)


def mail_to(st, who, content=None, utf8=False, source=STRANGER, sender=b"s@client.test"):
    """Id and word of a message to these addresses."""
    w = word("road")
    with Smtp(st.smtp, source) as c:
        c.say(b"EHLO client.test", "250")
        c.say(b"MAIL FROM:<" + sender + b">" + (b" SMTPUTF8" if utf8 else b""), "250")
        for a in [who] if isinstance(who, str) else who:
            c.say(b"RCPT TO:<" + a.encode() + b">", "250")
        got = c.data(message(w) if content is None else content(w))
    return ident(got), w


def reach(st, who, users, **more):
    """Each of the users gets it once, and nobody else."""
    n, w = mail_to(st, who, **more)
    st.logged("done id=" + n)
    got = {}
    for user in ("alice", "bob", "carol", "user1", "user2", "user3", "user4", "user5"):
        count = sum(w in m for m in mails(st.dir, user).values())
        if count:
            got[user] = count
    want("one each for " + ", ".join(users), got, got == {u: 1 for u in users})
    return n, w


def field(m, name):
    found = re.findall(rb"(?mi)^" + name.encode() + rb": ([^\n]*)", m.split(b"\n\n")[0])
    want("one field " + name, found, len(found) == 1)
    return found[0].decode()


def delivered(st, who, user, to, original=None, **more):
    """The envelope fields of what the user got."""
    w = reach(st, who, [user], **more)[1]
    m = st.came(user, w)[0]
    want("Delivered-To", field(m, "Delivered-To"), field(m, "Delivered-To") == to)
    want("Return-Path", m[:40], m.startswith(b"Return-Path: <s@client.test>\n"))
    if original is None:
        want("no X-Original-To", m[:200], b"X-Original-To:" not in m)
    else:
        want("X-Original-To", field(m, "X-Original-To"), field(m, "X-Original-To") == original)


REACH = [
    ("a user", "alice@example.test", ["alice"]),
    ("a user in the second domain", "alice@second.test", ["alice"]),
    ("upper case", "ALICE@EXAMPLE.TEST", ["alice"]),
    ("nested aliases", "team@example.test", ["alice", "bob", "carol"]),
    ("an alias in another case", "Devs@example.test", ["bob", "carol"]),
    ("an alias in the second domain", "devs@second.test", ["bob", "carol"]),
    ("one person in several ways", "twice@example.test", ["alice"]),
    ("one person by several recipients", ["team@example.test", "alice@example.test", "bob@second.test"],
     ["alice", "bob", "carol"]),
    ("an included file", "members@example.test", ["alice", "bob", "user2"]),
    ("an entry that names itself", "user1@example.test", ["user1", "user2"]),
    ("a user behind a backslash", "user5@example.test", ["user5", "user2"]),
    ("a quoted name", "\"quoted name\"@example.test", ["bob"]),
    ("a quoted name, needlessly escaped", "\"quo\\ted\\ name\"@example.test", ["bob"]),
    ("a name with a comma", "\"a.b,c\"@example.test", ["carol"]),
    ("a user in quotes", "\"alice\"@example.test", ["alice"]),
    ("a user in quotes, escaped", "\"al\\ice\"@example.test", ["alice"]),
    ("a virtual address", "info@virt.test", ["alice"]),
    ("a virtual address of several", "sales@virt.test", ["alice", "bob"]),
    ("a virtual address with a sub-address of its own", "sales+VIP@virt.test", ["carol"]),
    ("a virtual address with some sub-address", "sales+x@virt.test", ["alice", "bob"]),
    ("virtual to virtual", "deep@virt.test", ["alice"]),
    ("the rest of a virtual domain", "whoever@virt.test", ["user4"]),
    ("a local user has no address in a virtual domain", "alice@virt.test", ["user4"]),
    ("catch-all", "anything.at.all@all.test", ["user3"]),
    ("a mirrored domain", "devs@mirror.test", ["bob", "carol"]),
    ("virtual before user", "special@second.test", ["carol"]),
    ("sub-address", "bob+list@example.test", ["bob"]),
    ("sub-address of an alias", "team+x@example.test", ["alice", "bob", "carol"]),
    ("sub-address with separators", "bob+a+b@example.test", ["bob"]),
    ("empty sub-address", "bob+@example.test", ["bob"]),
    ("this host's address", "alice@[127.0.0.1]", ["alice"]),
    ("the host's name", "alice@mx.example.test", ["alice"]),
    ("source route", "@a.test,@b.test:alice@example.test", ["alice"]),
    ("postmaster alone", "postmaster", ["alice"]),
    ("PostMaster", "PostMaster", ["alice"]),
    ("postmaster of a virtual domain", "postmaster@virt.test", ["alice"]),
    ("postmaster of a domain with catch-all", "POSTMASTER@all.test", ["alice"]),
    ("postmaster of the mirror", "postmaster@mirror.test", ["alice"]),
    ("postmaster of this host", "postmaster@[127.0.0.1]", ["alice"]),
]

REFUSED = [
    ("unknown user", "nobody-here@example.test", "550 5.1.1"),
    ("unknown user with sub-address", "nobody-here+alice@example.test", "550 5.1.1"),
    ("sub-address alone", "+alice@example.test", "550 5.1.1"),
    ("a target that means nobody", "none@example.test", "550 5.1.1"),
    ("relaying", "x@far.test", "550 5.7.1"),
    ("relaying to an address literal", "x@[192.0.2.1]", "550 5.7.1"),
    ("relaying by percent", "x%far.test@example.test", "550"),
    ("relaying by percent through a relay domain", "x%far.test@relay.test", "550 5.7.1"),
    ("relaying by bang through a relay domain", "far.test!x@relay.test", "550 5.7.1"),
    ("relaying in quotes", "\"x@far.test\"@example.test", "550"),
    ("relaying in quotes through a relay domain", "\"x@far.test\"@relay.test", "550 5.7.1"),
    ("relaying by source route", "@example.test:x@far.test", "550 5.7.1"),
    ("a sub-domain is another", "alice@sub.example.test", "550 5.7.1"),
    ("an end of a domain is another", "alice@notexample.test", "550 5.7.1"),
    ("a dot at the end", "alice@example.test.", "501"),
    ("a command as an address", "\"|id\"@example.test", "550 5.1.1"),
    ("a file as an address", "\"/etc/passwd\"@example.test", "550 5.1.1"),
    ("an include as an address", "\":include:/etc/passwd\"@example.test", "550 5.1.1"),
    ("upwards", "../alice@example.test", "501 5.1.3"),
    ("upwards in quotes", "\"../alice\"@example.test", "550 5.1.1"),
]


def utf8(st):
    reach(st, "größe@example.test", ["alice"], utf8=True)
    reach(st, "alice@bücher.test", ["alice"], utf8=True)
    reach(st, "alice@xn--bcher-kva.test", ["alice"])
    rcpt(st, "grösse@example.test", "550", utf8=True)
    rcpt(st, "größe@example.test", "553 5.6.7")
    rcpt(st, "größe@far.test", "550 5.7.1", utf8=True)


def where(st):
    delivered(st, "bob+Lists@example.test", "bob", "bob+Lists@example.test")
    delivered(st, "info+News@virt.test", "alice", "alice+News@example.test", "info+News@virt.test")
    delivered(st, "Bob@Second.test", "bob", "Bob@second.test")
    delivered(st, "postmaster", "alice", "alice@example.test", "postmaster")
    delivered(st, "x@all.test", "user3", "user3@example.test", "x@all.test")


def relay(st):
    """A friend's mail to elsewhere is taken and kept while DNS does not answer."""
    rcpt(st, "x@relay.test", "250", STRANGER)
    rcpt(st, "x@far.test", "550 5.7.1", STRANGER)
    n, w = mail_to(st, ["x@far.test", "bob@example.test"], source=FRIEND)
    st.came("bob", w)
    st.logged("deferred id=" + n, "x@far.test", "4.4.3")
    n, w = mail_to(st, "outside@example.test")      # an alias may, the client may not
    st.came("bob", w)
    st.logged("deferred id=" + n, "4.4.3")


def half(st):
    """One target of two means nobody: the other gets it, and the sender is told of the failure."""
    n, w = mail_to(st, "half@example.test")
    st.came("bob", w)
    st.logged("failed id=" + n, "nobody-here", "5.1.1")
    st.logged("report id=", "kind=failed", "of=" + n, "to=s@client.test")


def spooled(st, n):
    for place in ("queue", "hold"):
        for where, _, names in os.walk(os.path.join(st.dir, "spool", place)):
            if n in names:
                with open(os.path.join(where, n), "rb") as f:
                    return place, f.read()
    return None


def recorded(st):
    """What the client asked for, in the words of spool(5)."""
    w = word("dsn")
    with Smtp(st.smtp, FRIEND) as c:
        c.say(b"EHLO client.test", "250")
        c.say(b"MAIL FROM:<s@client.test> RET=HDRS ENVID=QQ+2B1 BODY=8BITMIME SMTPUTF8", "250")
        c.say(b"RCPT TO:<x@far.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Orig+2B1@far.test", "250")
        c.say(b"RCPT TO:<y@far.test> NOTIFY=NEVER", "250")
        c.say(b"RCPT TO:<z@far.test>", "250")
        n = ident(c.data(message(w)))
    st.logged("waits id=" + n)
    head = until("it is in the queue", lambda: spooled(st, n))[1].split(b"\n\n")[0].decode()
    for line in ("S13:s@client.test,", "E6:QQ+2B1,", "K4:smtp,", "H11:client.test,", "P8:UTF8SMTP,", "C9:127.0.0.5,"):
        want(line, head, line in head.splitlines())
    options = re.search(r"(?m)^O\d+:(.*),$", head).group(1).split()
    want("options", options, set(options) == {"8BITMIME", "SMTPUTF8", "RET=HDRS"})
    rcpts = dict((r.split(",", 1)[0], r) for r in re.split(r"(?m)^r\d+:", head)[1:])
    x, y, z = (rcpts[a + "@far.test"] for a in "xyz")
    want("x", x, "o24:rfc822;Orig+2B1@far.test," in x and "n2:10," in x)
    want("y", y, "n1:1," in y and "\no" not in y)
    want("z", z, "\nn" not in z and "\no" not in z)


def loops(st):
    n, _ = mail_to(st, "bob@example.test", lambda w: b"Delivered-To: Bob@Example.test\r\n" + message(w))
    st.logged("failed id=" + n, "5.4.6")
    st.logged("report id=", "kind=failed", "of=" + n)
    reach(st, "bob@example.test", ["bob"], content=lambda w: b"Delivered-To: bob+other@example.test\r\n" + message(w))
    reach(st, "bob@example.test", ["bob"], content=lambda w: message(w, b"Delivered-To: bob@example.test\r\n"))
    hop = b"Received: from a by b; Tue, 24 Nov 2026 06:55:03 +0000\r\n"
    reach(st, "bob@example.test", ["bob"], content=lambda w: hop * 18 + message(w))
    n, _ = mail_to(st, "bob@example.test", lambda w: hop * 20 + message(w))
    st.logged("failed id=" + n, "5.4.6")


def alias_loops(st):
    """An alias that leads back to itself never gets into the tables."""
    with open(os.path.join(st.dir, "aliases2"), encoding="utf-8") as f:
        before = f.read()
    line = before.count("\n") + 1
    try:
        for text in ("l1: l2\nl2: l3\nl3: l1\n", "l1: l2, alice\nl2: l1\n", "team: bob\n", "bad: |\n", "l1 alice\n"):
            st.write("aliases2", before + text)
            code, out = st.command("-c", "-f", st.conf, program="route")
            want("78 and file:line:column for %r" % text, (code, out), code == 78 and
                 re.search(r"aliases2:(%d|%d|%d):\d+: " % (line, line + 1, line + 2), out))
            reach(st, "devs@example.test", ["bob", "carol"])
    finally:
        st.write("aliases2", before)
    want("the old ones again", None, st.command("-c", "-f", st.conf, program="route")[0] == 0)


def quota(st):
    """Full: the sender is told. Then there is more room."""
    body = (b"x" * 78 + b"\r\n") * 100
    n, w = mail_to(st, "small@example.test", lambda w: message(w, body))
    st.logged("done id=" + n)
    n, w = mail_to(st, ["small@example.test", "bob@example.test"], lambda w: message(w, body))
    st.logged("failed id=" + n, "5.2.2")
    st.came("bob", w)
    st.logged("report id=", "kind=failed", "of=" + n)
    want("gone from the spool", spooled(st, n), until("it is removed", lambda: spooled(st, n) is None))
    with open(os.path.join(st.dir, "users2"), encoding="utf-8") as f:
        users = f.read()
    st.write("users2", users.replace("quota=12K", "quota=1M"))
    code, out = st.command("-c", "-f", st.conf, program="route")
    want("tables", out, code == 0)
    # the process that is small knows its quota as it was, until it has been idle for a second
    until("nobody delivers any more", lambda: not workers(st))
    n, _ = mail_to(st, "small@example.test", lambda w: message(w, body))
    st.logged("done id=" + n)
    want("once for bob", None, len(st.came("bob", w)) == 1)
    want("two for small", None, until("both are there", lambda: len(mails(st.dir, "small")) == 2))


def mbox(st):
    """mboxrd: From lines quoted, locks gone, messages as they were."""
    texts = (b"From the beginning\r\n>From x\r\n>>From y\r\nFromage\r\n\r\nFrom \r\n", b"no end", b"")
    for t in texts:
        n, _ = mail_to(st, "boxed@example.test", lambda w: message(w, t + (b"\r\n" if not t.endswith(b"\n") else b"")))
        st.logged("done id=" + n)
    path = os.path.join(st.dir, "mail", "boxed", "mbox")
    with open(path, "rb") as f:
        data = f.read()
    want("From lines", data[:60], re.match(rb"From s@client\.test \w\w\w \w\w\w [ \d]\d \d\d:\d\d:\d\d \d{4}\n", data))
    want("quoted", data, b"\n>From the beginning\n>>From x\n>>>From y\nFromage\n\n>From \n" in data)
    box = mailbox.mbox(path, create=False)
    want("three messages", len(box), len(box) == 3)
    box.close()
    want("no lock left", None, not os.path.exists(path + ".lock"))
    mode = os.stat(path).st_mode & 0o777
    want("0600", oct(mode), mode == 0o600)


def files(st):
    n, w = mail_to(st, "mboxfile@example.test")
    st.logged("done id=" + n)
    with open(os.path.join(st.dir, "files", "box"), "rb") as f:
        want("in the file", None, w in f.read())
    n, w = mail_to(st, "maildirfile@example.test")
    st.logged("done id=" + n)
    new = os.path.join(st.dir, "files", "Maildir", "new")
    want("in the Maildir", os.listdir(new), len(os.listdir(new)) == 1)


def pipe(st):
    n, w = mail_to(st, "Env+Tag.x@Second.test", sender=b"Some.One@client.test")
    st.logged("delivered id=" + n, "it was env")
    where = os.path.join(st.dir, "files")
    with open(os.path.join(where, "env")) as f:
        env = dict(l.rstrip("\n").split("=", 1) for l in f)
    for name in ("PWD", "SHLVL", "_", "OLDPWD"):     # the shell's own
        env.pop(name, None)
    with open(os.path.join(where, "uid")) as f:
        want("not root", None, f.read().strip() not in ("", "0"))
    user = alias_user()
    expect = {"PATH": "/usr/local/bin:/usr/bin:/bin", "SHELL": "/bin/sh", "USER": user, "LOGNAME": user,
              "SENDER": "Some.One@client.test", "ORIGINAL_RECIPIENT": "Env+Tag.x@second.test", "MESSAGE_ID": n,
              "EXTENSION": "", "DOMAIN": "second.test"}      # aliases drop the sub-address
    for name, value in expect.items():
        want("%s=%s" % (name, value), env.get(name), env.get(name) == value)
    want("RECIPIENT is LOCAL@DOMAIN", env, env.get("RECIPIENT") == "%s@%s" % (env.get("LOCAL"), env.get("DOMAIN")))
    want("nothing else", sorted(env), set(env) == set(expect) | {"HOME", "RECIPIENT", "LOCAL"})
    with open(os.path.join(where, "stdin"), "rb") as f:
        data = f.read()
    want("the message", data[-200:], data.startswith(b"Return-Path: <Some.One@client.test>\n") and
         data.replace(b"\r\n", b"\n").endswith(message(w).replace(b"\r\n", b"\n")))
    n, w = mail_to(st, "deaf@example.test", lambda w: message(w, b"x" * 70 + b"\r\n") + (b"y" * 70 + b"\r\n") * 40000)
    st.logged("delivered id=" + n)
    n, w = mail_to(st, "env@example.test", sender=b"")
    st.logged("delivered id=" + n)
    with open(os.path.join(where, "env")) as f:
        want("an empty SENDER", None, "\nSENDER=\n" in "\n" + f.read())
    n, w = mail_to(st, "talk@example.test")
    line = st.logged("failed id=" + n)
    want("the first line that it said", line, "first line" in line and "second" not in line)
    n, w = mail_to(st, "shell+`touch${IFS}@example.test")
    line = st.logged("failed id=" + n)
    want("nothing of the message in the command", line, "$HOME" in line and "touch" not in line.split("why=")[1])


def exits(st):
    """One message to as many commands as there are statuses."""
    n, w = mail_to(st, ["exit%d@example.test" % x for x in EXITS] + ["sig%s@example.test" % s.lower() for s in SIGNALS])
    expected = {"exit%d@example.test" % x: s for x, s in EXITS.items()}
    expected.update({"sig%s@example.test" % s.lower(): "4.3.0" for s in SIGNALS})
    verbs = {"2": "delivered", "4": "deferred", "5": "failed"}
    wrong = []
    for to, status in expected.items():
        line = st.logged(" id=" + n, "to=" + to, "status=", "queue[")
        if "status=" + status not in line or verbs[status[0]] + " id=" not in line:
            wrong.append("%s: %s" % (to, line))
    want("each status", "; ".join(wrong), not wrong)
    place, data = until("it waits", lambda: spooled(st, n))
    states = dict(re.findall(rb"(?s)r\d+:(exit\d+)@example\.test,.*?\ns1:(.),", data))
    for x, s in EXITS.items():
        got = states[b"exit%d" % x]
        want("state of exit %d" % x, got, got == {"2": b"d", "4": b"w", "5": b"t"}[s[0]])


def timeout():
    """By itself: other commands may need longer than that."""
    mark = os.getpid()      # of this run
    slow = "slow: \"|sleep 1%d & sleep 2%d\"\n" % (mark, mark)
    with Stage("aliases @DIR@/slow\nlocal.pipe-timeout 1500ms\nlocal.alias-user %s\nqueue.retry-first 300s\n"
               "queue.retry-max 300s\n" % alias_user(), files={"slow": slow}) as st:
        t = time.monotonic()
        n, w = mail_to(st, "slow@example.test")
        line = st.logged("deferred id=" + n)
        took = time.monotonic() - t
        want("after 1.5 s", "%.1f: %s" % (took, line), 1.4 < took < 60 and "status=4." in line)
        until("its children are gone", lambda: not running(b"sleep\x001%d\0" % mark) and not running(b"sleep\x002%d\0" % mark))
        n, w = mail_to(st, "alice@example.test")
        st.came("alice", w)


def workers(st):
    """The children of local."""
    parent = re.search(r"(?m)^local +(\d+)", st.posthouse("status")[1])
    want("a process of local", None, parent)
    with open("/proc/%s/task/%s/children" % (parent[1], parent[1]), encoding="ascii") as f:
        return f.read().split()


def running(command):
    for p in os.listdir("/proc"):
        if p.isdigit():
            try:
                with open("/proc/%s/cmdline" % p, "rb") as f:
                    if f.read() == command:
                        return True
            except OSError:
                pass
    return False


def swap(st):
    """Tables change all the while; what was accepted comes, to the one or the other."""
    with open(os.path.join(st.dir, "aliases2"), encoding="utf-8") as f:
        before = f.read()
    stop, sent, wrong = threading.Event(), [], []

    def sender():
        try:
            while not stop.is_set():
                sent.append(mail_to(st, "swap@example.test"))
        except Exception as e:      # the thread's end is the test's failure
            wrong.append(repr(e))
    ts = [threading.Thread(target=sender, daemon=True) for _ in range(3)]
    for t in ts:
        t.start()
    begun, i = time.monotonic(), 0
    while i < (30 if LONG else 10) or (len(sent) <= 20 and not wrong and time.monotonic() - begun < 100):
        st.write("aliases2", before.replace("\nswap: alice", "\nswap: " + ("bob", "alice")[i % 2]))
        code, out = st.command("-c", "-f", st.conf, program="route")
        if code != 0:
            wrong.append(out)
        time.sleep(0.1)
        i += 1
    stop.set()
    for t in ts:
        t.join(100)
    st.write("aliases2", before)
    st.command("-c", "-f", st.conf, program="route")
    want("no failure", wrong, not wrong)
    want("mail flowed", len(sent), len(sent) > 20)
    until("all is done", lambda: not [n for n, _ in sent if "done id=" + n not in st.log()], 120, 0.3)
    a, b = list(mails(st.dir, "alice").values()), list(mails(st.dir, "bob").values())
    for n, w in sent:
        got = sum(w in m for m in a) + sum(w in m for m in b)
        want("once: " + n, got, got == 1)


def hidden(st):
    """Aliases that not everybody may read: route still can, a user with route -v cannot."""
    path = os.path.join(st.dir, "aliases2")
    ask = dict(program="route", user=61099, group=61099, extra_groups=[]) if ROOT else None
    table = os.path.join(st.dir, "tables", "aliases.cdb")
    for mode, in_table, status in ((0o640, 0o640, 66), (0o644, 0o644, 0)):
        os.chmod(path, mode)
        code, out = st.command("-c", "-f", st.conf, program="route")
        want("tables", out, code == 0)
        got = os.stat(table).st_mode & 0o777
        want("mode of the table", oct(got), got == in_table)
        time.sleep(0.5)         # route looks for new ones four times a second
        reach(st, "devs@example.test", ["bob", "carol"])
        if ask:
            code, out = st.command("-v", "-f", st.conf, "devs@example.test", **ask)
            want("status %d" % status, (code, out), code == status)
            want("what it is about", out, "aliases.cdb" in out or code == 0)


def alias_user():
    import pwd
    return "nobody" if ROOT else pwd.getpwuid(os.geteuid()).pw_name


def refused(st, who, code):
    rcpt(st, who, code)


def main():
    tap = Tap()
    uid, gid = (61150, 61150) if ROOT else (os.geteuid(), os.getegid())
    users = "".join("%s:{PLAIN}secret:%d:%d::@DIR@/mail/%s::%s\n" % (name, uid + i if ROOT else uid, gid + i if ROOT else gid,
                                                                  name, extra)
                    for i, (name, extra) in enumerate((("small", "quota=12K"), ("boxed", "mail=mbox:@DIR@/mail/boxed/mbox"))))
    aliases = ALIASES + "".join("exit%d: \"|cat >/dev/null; exit %d\"\n" % (x, x) for x in EXITS) + "".join(
        "sig%s: \"|kill -%s $$\"\n" % (s.lower(), s) for s in SIGNALS)
    with Stage(CONF.replace("@ALIAS@", alias_user()), users=5, trust=False, files={
            "users2": users, "aliases2": aliases, "virtual": VIRTUAL,
            "members": "alice\n# a comment\nbob, user2\n"}) as st:
        os.mkdir(os.path.join(st.dir, "files"))
        os.chmod(os.path.join(st.dir, "files"), 0o777)
        for i, name in enumerate(("small", "boxed")):
            home = os.path.join(st.dir, "mail", name)
            os.mkdir(home, 0o700)
            if ROOT:
                os.chown(home, uid + i, gid + i)
        for name, who, to in REACH:
            tap.run("reached: " + name, reach, st, who, to)
        for name, who, code in REFUSED:
            tap.run("refused: " + name, refused, st, who, code)
        for name, test in (("UTF-8", utf8), ("Delivered-To and X-Original-To", where), ("relaying", relay), ("a target that means nobody", half),
                           ("what is recorded", recorded), ("loops of messages", loops), ("loops of aliases", alias_loops),
                           ("quota, then more of it", quota), ("mbox", mbox), ("files", files), ("pipe", pipe),
                           ("exit statuses of pipes", exits),
                           ("tables are swapped while mail flows", swap), ("aliases that are not for everybody", hidden)):
            tap.run(name, test, st)
        if os.environ.get("KEEP"):
            os.system("cp %s/log/posthouse.log /tmp/road.log" % st.dir)
    tap.run("time-out of a pipe", timeout)
    return tap.end()


sys.exit(main())
