"""The master: reload with sessions that go on, refused configurations, dead
programs, the order of a stop, status, systemd's protocol, daemon mode, and
everything that must keep it from starting. Stages of its own. TAP."""
import fcntl
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import (ADDR, ROOT, Lines, Pop3, Smtp, Stage, Tap, Wrong, free_base, login, message, send,  # noqa: E402
                 until, want, word)

PROGRAMS = ("log", "keys", "route", "auth", "local", "queue", "smtp", "lmtp", "submission", "pop3", "imap", "hop", "remote")


def rows(st):
    """Status of each program: pid, state, restarts."""
    code, out = st.posthouse("status")
    found = {}
    for line in out.splitlines():
        w = line.split()
        if w and w[0] in PROGRAMS:
            found[w[0]] = (int(w[1]) if w[1].isdigit() else 0, w[2], int(w[3]), line)
    return code, found


def conf(st):
    with open(st.conf) as f:
        return f.read()


def set_conf(st, text):
    with open(st.conf, "w") as f:
        f.write(text)


def changed(st, more):
    """A configuration for a while."""
    class Change:
        def __enter__(self):
            self.before = conf(st)
            set_conf(st, more(self.before) if callable(more) else self.before + more)

        def __exit__(self, *_):
            set_conf(st, self.before)
    return Change()


def gone(pid):
    """Perhaps nobody has asked for its exit status yet."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def banner(st):
    with Smtp(st.smtp, greeting=None) as c:
        return c.reply()


def reload(st):
    """The answer; one that a signal began may have to end first."""
    return until("not busy", lambda: (lambda got: None if "busy" in got[1] else got)(st.posthouse("reload")))


def reload_ok(st):
    code, out = reload(st)
    want("reload", out, code == 0)


def mail_goes(st):
    w = word("master")
    send(st.smtp, b"carol@example.test", message(w))
    st.came("carol", w)


# ---- reload -------------------------------------------------------------------

def reload_with_sessions(st):
    """Sessions in the middle of everything go on as they were; new ones are new."""
    w = word("held")
    send(st.smtp, b"alice@example.test", message(w))
    st.came("alice", w)
    pid = st.pid()
    with Smtp(st.smtp) as mail, Smtp(st.smtp) as data, Smtp(st.smtp) as chunk, login(st.pop3, "alice") as pop, \
            Pop3(st.pop3) as front:
        mail.say(b"EHLO x\r\nMAIL FROM:<s@client.test>\r\n", "250", "250")
        data.begin()
        data.say(b"DATA", "354")
        data.send(message(w, b"half of it\r\n"))
        chunk.begin()
        chunk.say(b"BDAT 6\r\nX: y\r\n", "250")
        front.ok(b"USER bob")
        with changed(st, "smtp.banner after\nsmtp.recipients 100\n"):
            reload_ok(st)
            got = banner(st)
            want("the new banner at once", got, (got or "").endswith(" after"))
            # once more by the signal
            os.kill(pid, signal.SIGHUP)
            until("it was read again", lambda: st.log().count(" reloaded file=") >= 2)
            data.say(b"the other half\r\n.\r\n", "250")
            chunk.say(b"BDAT 9 LAST\r\n\r\nhello\r\n", "250")
            mail.say(b"RCPT TO:<alice@example.test>", "250")
            mail.data(message(w))
            pop.ok(b"STAT")
            want("RETR", None, w in pop.multi(b"RETR 1"))
            pop.ok(b"DELE 1")
            pop.ok(b"QUIT")
            front.ok(b"PASS secret")
            front.ok(b"STAT")
            front.ok(b"QUIT")
    reload_ok(st)
    want("the same master", None, st.pid() == pid)
    want("nobody died", rows(st)[1], all(r[2] == 0 for r in rows(st)[1].values()))


def reload_awaited(st):
    """The answer comes when every program has read its part; one that says nothing is named in the end."""
    pid = rows(st)[1]["smtp"][0]
    with changed(st, "smtp.banner awaited\n"):
        os.kill(pid, signal.SIGSTOP)
        try:
            asking = subprocess.Popen([os.path.join(st.dir, "bin", "posthouse"), "-f", st.conf, "reload"],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            until("it is told", lambda: " reloaded file=" in st.log().rsplit(" reload file=", 1)[1])
            time.sleep(1)
            want("no answer yet", asking.returncode, asking.poll() is None)
        finally:
            os.kill(pid, signal.SIGCONT)
        got = asking.communicate(timeout=60)[0], asking.returncode
        want("the answer", got, got == (b"", 0))
        got = banner(st)
        want("what was read", got, (got or "").endswith(" awaited"))
        os.kill(pid, signal.SIGSTOP)
        try:
            got = reload(st)
        finally:
            os.kill(pid, signal.SIGCONT)
        want("who did not answer", got, got == (0, "smtp has been told, but does not answer yet\n"))
        st.logged("reload program=smtp pid=%d why=" % pid)
    reload_ok(st)


def reload_ports(st):
    """A port more, and one less, while a session on that one goes on."""
    more = free_base() + 25
    with changed(st, "smtp.listen %s:%d\n" % (ADDR, more)):
        reload_ok(st)
        held = Smtp(more)
        with Smtp(st.smtp) as c:
            c.say(b"EHLO x", "250")
    reload_ok(st)

    def refused():
        try:
            Lines(more).close()
        except ConnectionRefusedError:
            return True
        return False
    until("the port is closed", refused)
    held.begin()
    held.data(message(b"on a port that is gone"))
    held.close()


BROKEN = [      # lines; what is said of them behind file:line:column
    ("smtp.recipients 5\n", r"5 is out of range"),
    ("smtp.recpients 500\n", r"unknown key \"smtp.recpients\", did you mean \"smtp.recipients\""),
    ("smtp {\n\thops many\n}\n", r"\"many\" is not what smtp.hops takes, expected"),
    ("smtp {\n", r""),
    ("banner \"no end\n", r""),
    ("hostname second.test\n", r"hostname is set a second time"),
    ("catch-all far.test bob\n", r"no domain of ours"),
    ("relay-from 300.0.0.1\n", r"expected an address or network"),
    ("local.mailbox Maildir\n", r"expected"),
    ("expect route bob@example.test -> user alice\n", r"user bob"),
    ("expect to x@far.test -> 550\nexpect client 192.0.2.1 to x@far.test -> 250\n", r"550 5\.7\.1"),
    ("aliases \"@DIR@/loop\"\n", None),
    ("aliases \"@DIR@/nofile\"\n", r"aliases \S+/nofile: No such file"),
    ("users file \"@DIR@/nofile\"\n", r"users file \S+/nofile: No such file"),
]


def refusals(st):
    st.write("loop", "a: b\nb: a\n")
    for text, said in BROKEN:
        text = text.replace("@DIR@", st.dir)
        with changed(st, text):
            first = conf(st).count("\n") - text.count("\n") + 1
            mark = len(st.log())
            for command in (["-n"], ["reload"]):
                code, out = reload(st) if command == ["reload"] else st.posthouse(*command)
                want("%s is refused by %s" % (text.strip(), command[0]), (code, out), code == 78)
                if said is None:
                    want("%s: where" % text.strip(), out, re.search(r"loop:\d+:\d+: ", out))
                else:
                    places = "|".join(str(first + i) for i in range(text.count("\n") + 1))
                    want("%s: %s with its place" % (text.strip(), said), out, re.search(
                        r"%s:(%s):\d+: .*%s" % (re.escape(st.conf), places, said), out, re.S))
            os.kill(st.pid(), signal.SIGHUP)
            until("the log says so, too", lambda: "reload-refused why=" in st.log()[mark:])
            mail_goes(st)
    with changed(st, "expect route bob@example.test -> user bob\nexpect client 192.0.2.1 to x@far.test -> 550 5.7.1\n"
                     "expect to postmaster@example.test -> 250\n"):
        want("what holds is taken", st.posthouse("-n"), st.posthouse("-n")[0] == 0)
        reload_ok(st)
    reload_ok(st)


def all_mistakes(st):
    """-n says all of them, not only the first."""
    with changed(st, "foo bar\nsmtp.hops 1\nlmtp.nothing 5\n"):
        code, out = st.posthouse("-n")
        want("three mistakes", out, code == 78 and all(x in out for x in ("foo", "smtp.hops", "lmtp.nothing")))


def writable(st):
    """A configuration that others can write is nobody's word."""
    try:
        os.chmod(st.conf, 0o666)
        code, out = reload(st)
        want("refused", (code, out), code == 78 and "write" in out)
        code, out = st.posthouse("-n")
        want("-n says so, too", (code, out), code == 78 and "write" in out)
    finally:
        os.chmod(st.conf, 0o644)
    reload_ok(st)


def fixed_paths(st):
    """What cannot be changed by a reload says so."""
    with changed(st, lambda c: re.sub(r"(?m)^spool .*$", "spool \"%s/elsewhere\"" % st.dir, c)):
        code, out = reload(st)
        want("spool cannot be changed", (code, out), code == 78 and "spool" in out)
    mail_goes(st)


def handed_files(st):
    """What root opens for remote: refused if it is not there, read again if it is."""
    path = os.path.join(st.dir, "secrets")

    def secret(text, mode):
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path, mode)
    pid = rows(st)[1]["remote"][0]
    with changed(st, "remote.passwords \"%s\"\n" % path):
        code, out = reload(st)
        missing = "remote.passwords %s: No such file" % path
        want("refused, and why", (code, out), code == 78 and missing in out)
        code, out = st.posthouse("-n")
        want("-n, too", (code, out), code == 78 and missing in out)
        secret("mx.test:ann:one\n", 0o600)
        reload_ok(st)
        secret("mx.test:ann:two\n", 0o644)
        mark = len(st.log())
        reload_ok(st)
        until("remote read it anew", lambda: "remote" in st.log()[mark:] and "mode 0644" in st.log()[mark:])
    reload_ok(st)
    want("the same remote", rows(st)[1]["remote"], rows(st)[1]["remote"][0] == pid)
    mail_goes(st)


def no_descriptors(st):
    """A client that cannot be accepted waits; the master says so once a second and has time for the rest."""
    pid = st.pid()
    old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    mark = len(st.log())

    def full():
        """A client that waits; the master may have closed something between the look and the limit, and then this one did not."""
        used = set(map(int, os.listdir("/proc/%d/fd" % pid)))
        free = min(set(range(len(used) + 1)) - used)        # poll(2) wants no less than it looks at
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, old[1]))
        client = subprocess.Popen([os.path.join(st.dir, "bin", "posthouse"), "-f", st.conf, "status"],
                                  stdout=subprocess.PIPE, text=True)
        until("an answer, or a line why not",
              lambda: client.poll() is not None or 'accept why="Too many open files"' in st.log()[mark:])
        return client if client.poll() is None else client.communicate() and None
    try:
        client = until("a client that waits", full)
        begin = time.monotonic()
        until("more lines", lambda: st.log()[mark:].count("accept why=") >= 3)
        lines, took = st.log()[mark:].count("accept why="), time.monotonic() - begin
        want("a line a second", (lines, took), lines <= took + 3)
        want("the client still waits", client.returncode, client.poll() is None)
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, old)
    out = client.communicate(timeout=60)[0]
    want("answered later", out, client.returncode == 0 and "running" in out)


# ---- what dies ----------------------------------------------------------------

def deaths(st):
    for name in PROGRAMS:
        pid, _, restarts, _ = rows(st)[1][name]
        mark = len(st.log())
        with login(st.pop3, "alice") as pop:
            os.kill(pid, signal.SIGKILL)

            def back():
                code, all_of_them = rows(st)
                r = all_of_them.get(name)
                return code == 0 and r and r[0] != pid and r[1] == "running" and r[2] == restarts + 1
            until(name + " runs again", back)
            pop.ok(b"NOOP")         # a session is nobody's child but the master's
            pop.ok(b"QUIT")
        until("a line about " + name, lambda: re.search(
            r"died program=%s pid=%d why=\"signal 9" % (name, pid), st.log()[mark:]))
        mail_goes(st)


def backoff(st):
    """One that dies again and again is started ever later; status tells. A wait may be too short for whoever looks: then the next, longer one."""
    seen = set()
    for n in range(6):
        if n >= 3 and ("backoff", False) in seen:
            break
        r = rows(st)[1]["lmtp"]
        if r[1] == "running":
            os.kill(r[0], signal.SIGKILL)

        def state():
            code, all_of_them = rows(st)
            got = all_of_them["lmtp"][1]
            seen.add((got, code == 0))
            return got == "running" and all_of_them["lmtp"][0] != r[0]
        until("it runs again", state)
    want("backoff was seen, and an exit status that is not 0", sorted(seen), ("backoff", False) in seen and
         ("backoff", True) not in seen)
    want("restart lines", None, re.search(r"restart program=lmtp in=[1248]s", st.log()))
    with Smtp(st.smtp) as c:
        c.say(b"EHLO x", "250")


def status(st):
    code, out = st.posthouse("status")
    want("the head", out, re.match(r"posthouse \S+ pid %d up \S+, %d of %d programs running, \d+ mailbox sessions?\n"
                                   r"PROGRAM +PID +STATE +RESTARTS +UPTIME +COUNTERS\n" % (st.pid(), len(PROGRAMS), len(PROGRAMS)), out) and code == 0)

    def sessions(n):
        until("%d mailbox sessions" % n, lambda: " %d mailbox session" % n in st.posthouse("status")[1])
    sessions(0)         # those of before have ended
    with login(st.pop3, "alice"):
        sessions(1)
    for name, counters in (("log", "lines"), ("route", "questions"), ("auth", "logins"), ("local", "workers"),
                           ("queue", "delivered"), ("smtp", "sessions"), ("lmtp", "workers"), ("pop3", "refused"), ("hop", "questions"),
                           ("remote", "workers")):
        # the master waits a second for what a program says, and shows what it has
        until("counters of " + name, lambda: re.search(r"\b%s=\d+" % counters, rows(st)[1][name][3]))


# ---- start and stop -----------------------------------------------------------

def stop_in_order(st):
    """Good-bye to sessions, the services first, the log last; nothing is left."""
    pid = st.pid()
    smtp = Smtp(st.smtp)
    smtp.begin()
    pop = login(st.pop3, "alice")
    mark = len(st.log())
    os.kill(pid, signal.SIGTERM)
    got = smtp.reply()
    want("421 to a session", got, got is not None and got.startswith("421 4.3.2"))
    pop.sock.settimeout(60)
    last = pop.line()
    want("the end of the mailbox session", last, last is None or last.startswith(b"-ERR"))
    until("the master is gone", lambda: gone(pid))
    want("no pid file, no control", os.listdir(os.path.join(st.dir, "run")), not
         {"posthouse.pid", "control"} & set(os.listdir(os.path.join(st.dir, "run"))))
    log = st.log()[mark:]
    want("stopped status=0 is the master's last line", log[-300:], "stopped status=0" in log and "stopping sessions=1" in log)
    want("nobody had to be killed", log, " kill " not in log)
    code, out = st.posthouse("status")
    want("69 when nobody is there", (code, out), code == 69)


class Master:
    """A master started here, in a stage whose own one was stopped."""

    def __init__(self, st, *args, err="err", **env):
        self.err = os.path.join(st.dir, err)
        with open(self.err, "wb") as f:
            self.p = subprocess.Popen([os.path.join(st.dir, "bin", "posthouse"), "-f", st.conf, *args],
                                      env=dict(os.environ, **env), stdin=subprocess.DEVNULL, stdout=f, stderr=f)

    def wait(self, seconds=120):
        try:
            code = self.p.wait(seconds)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            raise Wrong("it did not end")
        with open(self.err, "rb") as f:
            return code, f.read().decode("utf-8", "replace")


def fails(st, code, said):
    got = Master(st, "-F").wait()
    want("%d and %s" % (code, said), got, got[0] == code and re.search(said, got[1]))


def second_master(st):
    """While one runs: the same directories, the same ports."""
    fails(st, 69, r"posthouse\.pid: another posthouse is running here, process %d\n" % st.pid())
    with changed(st, lambda c: re.sub(r"(?m)^run .*$", "run \"%s/run2\"" % st.dir, c)):
        fails(st, 69, r"another posthouse is running here")
    other = dict((k, os.path.join(st.dir, "second", k)) for k in ("run", "spool", "tables"))
    os.mkdir(os.path.join(st.dir, "second"))
    with changed(st, lambda c: re.sub(r"(?m)^(run|spool|tables) .*$", lambda m: "%s \"%s\"" % (m[1], other[m[1]]), c)):
        fails(st, 69, r"posthouse.conf:\d+:1: \w+\.listen %s:\d+.*in use \(another" % re.escape(ADDR))
    mail_goes(st)


def locked(st):
    """Who was killed has the lock until he is gone: that is waited for. Of two at once, one starts."""
    pid_file = os.path.join(st.dir, "run", "posthouse.pid")
    with open(pid_file, "a") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        m = Master(st)
        time.sleep(4)           # it waits for ten seconds
        want("it waits", None, m.p.poll() is None)
    got = m.wait()
    want("it starts then", got, got == (0, ""))
    pid = st.pid()
    st.posthouse("stop")
    with open(pid_file, "w") as f:
        f.write("%d\n" % pid)
        f.flush()
        fcntl.flock(f, fcntl.LOCK_EX)
        fails(st, 69, r"posthouse\.pid: .*process %d, has gone, but something .* has the lock" % pid)
    want("a start when it has ended", None, Master(st).wait() == (0, ""))
    for _ in range(5):
        pid = st.pid()
        with Smtp(st.smtp) as c:        # a session keeps its process for a moment
            c.begin()
            os.kill(pid, signal.SIGKILL)
            got = Master(st).wait()
            want("a start at once", got, got == (0, ""))
            want("another one", st.pid(), st.pid() != pid)
        mail_goes(st)
    st.posthouse("stop")
    two = [Master(st), Master(st, err="err2")]
    got = sorted(m.wait()[0] for m in two)
    want("one of two", got, got == [0, 69])
    mail_goes(st)
    st.posthouse("stop")


def cannot_start(st):
    """With nobody running: each reason is told, with its status."""
    cases = [
        (lambda c: re.sub(r"(?m)^spool .*$", "spool /dev/null/spool", c), (69, 71), r"/dev/null/spool"),
        (lambda c: re.sub(r"(?m)^tables .*$", "tables /dev/null/tables", c), (69, 71), r"/dev/null/tables"),
        (lambda c: re.sub(r"(?m)^run .*$", "run /dev/null/run", c), (69, 71), r"/dev/null/run"),
        (lambda c: re.sub(r"(?m)^libexec .*$", "libexec /nowhere", c), (69, 71), r""),
        (lambda c: re.sub(r"(?m)^log .*$", "log \"file:/dev/null/log\"", c), (69, 71), r""),
        (lambda c: c + "smtp.listen 192.0.2.77:2525\n", (69, 71), r"192\.0\.2\.77:2525"),
        (lambda c: c + "smtp.hops 1\n", (78,), r"posthouse.conf:\d+:\d+: "),
        (lambda c: re.sub(r"(?m)^aliases .*$", "aliases /dev/null/aliases", c), (69, 71, 78), r"/dev/null/aliases"),
    ]
    if not ROOT:
        cases.append((lambda c: re.sub(r"(?m)^spool .*$", "spool /root-only/spool", c), (69, 71), r"root-only"))
        cases.append((lambda c: c + "smtp.listen %s:25\n" % ADDR, (69, 71), r":25"))
    for change, codes, said in cases:
        with changed(st, change):
            got = Master(st, "-F").wait()
            want("one of %s and %s" % (codes, said), got, got[0] in codes and re.search(said, got[1]) and got[1].strip())
    os.chmod(st.conf, 0o666)
    got = Master(st, "-F").wait()
    os.chmod(st.conf, 0o644)
    want("a configuration that others can write", got, got[0] != 0 and "write" in got[1])
    got = st.command("-F", "-f", "/nowhere/posthouse.conf")
    want("66 without a configuration", got, got[0] == 66)
    want("64 for a wrong call", None, st.command("-x")[0] == 64 and st.command("frobnicate")[0] == 64)


def daemon(st):
    """Without -F: comes back when everything is ready, or says why not."""
    with changed(st, "smtp.listen 192.0.2.77:2525\n"):
        got = Master(st).wait()
        want("the failure comes to the front", got, got[0] == 69 and "192.0.2.77" in got[1])
    code, out = Master(st).wait()
    want("ready", (code, out), code == 0 and out == "")
    with Smtp(st.smtp) as c:
        c.say(b"EHLO x", "250")
    pid = st.pid()
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    want("a session of its own, no terminal", fields[:6], fields[3] != str(os.getsid(0)) and fields[4] == "0")
    want("in /", None, not ROOT or os.readlink("/proc/%d/cwd" % pid) == "/")
    want("all run", rows(st)[0], rows(st)[0] == 0)
    want("stop returns when it is over", st.posthouse("stop"), st.posthouse("stop")[0] in (0, 69))
    until("it is gone", lambda: gone(pid), 10)


class Notify:
    """What a service manager would hear."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(path)
        os.chmod(path, 0o777)
        self.heard = []

    def hear(self, seconds):
        """What comes in that time, and at least all that has come."""
        end = time.monotonic() + seconds
        while time.monotonic() < end + 5:
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                self.heard.append(self.sock.recv(4096).decode())
            except TimeoutError:
                break

    def beats(self, n):
        """When it began, and the times of so many signs of life."""
        self.hear(0)
        self.heard.clear()
        found = [time.monotonic()]
        while len(found) <= n:
            before = sum("WATCHDOG=1" in t for t in self.heard)
            self.until("WATCHDOG=1", 60)
            found += [time.monotonic()] * (sum("WATCHDOG=1" in t for t in self.heard) - before)
        return found

    def until(self, word, seconds=60):
        end = time.monotonic() + seconds
        at = len(self.heard)
        while time.monotonic() < end:
            for text in self.heard[at:]:
                if word in text.split("\n"):
                    return text
            at = len(self.heard)
            self.hear(0.05)
        raise Wrong("never heard %s, but %r" % (word, self.heard[-5:]))


def notify(st):
    n = Notify(os.path.join(st.dir, "notify"))
    m = Master(st, "-F", NOTIFY_SOCKET=os.path.join(st.dir, "notify"), WATCHDOG_USEC="1000000")
    try:
        n.until("READY=1")
        want("READY once it is", None, rows(st)[0] == 0)
        begin, *beats = n.beats(6)
        gaps = [b - a for a, b in zip(beats, beats[1:])]
        # what is heard in a heap, since we were held up, was said in its time
        want("twice a second, no storm", (begin, beats), min(gaps) < 0.6 and beats[5] - begin > 1)
        n.heard.clear()
        reload_ok(st)
        n.until("READY=1")
        words = [l for t in n.heard for l in t.split("\n") if l.startswith(("RELOADING=", "READY=", "MONOTONIC_USEC="))]
        want("RELOADING and the time, then READY", words, [w.split("=")[0] for w in words] == [
            "RELOADING", "MONOTONIC_USEC", "READY"])
        with changed(st, "smtp.hops 1\n"):
            n.heard.clear()
            m.p.send_signal(signal.SIGHUP)
            n.until("READY=1")
            words = [l.split("=")[0] for t in n.heard for l in t.split("\n") if l.startswith(("RELOADING=", "READY="))]
            want("RELOADING, then READY even so", words, words == ["RELOADING", "READY"])
        # one program is silent: no sign of life until it answers
        pid = rows(st)[1]["route"][0]
        mark = len(st.log())
        os.kill(pid, signal.SIGSTOP)
        try:
            until("it is missed", lambda: "silent program=route" in st.log()[mark:])
            n.hear(0)
            n.heard.clear()
            n.hear(1.6)
            want("no sign of life", n.heard, not any("WATCHDOG=1" in t for t in n.heard))
        finally:
            os.kill(pid, signal.SIGCONT)
        n.until("WATCHDOG=1")
        m.p.terminate()
        n.until("STOPPING=1")
        want("status 0", None, m.wait()[0] == 0)
    finally:
        if m.p.poll() is None:
            m.p.terminate()
            m.p.wait(60)


def main():
    tap = Tap()
    root = os.geteuid() == 0
    with Stage("lmtp.min-spare 1\n") as st:
        for name, test in (("reload: sessions go on", reload_with_sessions), ("reload: the answer", reload_awaited),
                           ("reload: ports", reload_ports),
                           ("reload and -n: refused", refusals), ("-n: all mistakes", all_mistakes),
                           ("reload: paths that stay", fixed_paths), ("reload: files handed over", handed_files),
                           ("a configuration others can write", writable),
                           ("status", status),
                           # only root sees what the master has open
                           *([("no descriptors", no_descriptors)] if root else []), ("each program dies", deaths), ("back-off", backoff),
                           ("a second master", second_master), ("stop", stop_in_order),
                           ("a lock of one that was killed", locked), ("reasons not to start", cannot_start), ("daemon", daemon),
                           ("the service manager's protocol", notify)):
            tap.run(name, test, st)
    return tap.end()


sys.exit(main())
