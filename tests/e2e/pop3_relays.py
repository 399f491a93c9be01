"""Encrypted POP3 sessions that share processes of the front: each has its own
bytes and its own time while others come, log in slowly, leave or are killed;
limits and counters stay right through reload and stop. TAP on standard output."""
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ADDR, ROOT, Skip, Stage, Tap, Wrong, mails, until, want  # noqa: E402
from secure import Pop3s, plain, reset, session  # noqa: E402

USERS = 30
RELAYS = 8
CONF = "pop3.client-connections 0\nauth.delay 0\nauth.failures 0\nauth.client-failures 0\n"
names = iter(range(1000, 10**9))    # a name that was there before would have its old place in the list


def body(user, n):
    """Every user's and every message's bytes are its own; some are longer than all buffers together."""
    line = ("%s %d " % (user, n)).encode() * 3 + b"\n"
    return b"Subject: %d\n\n" % n + line * (20000 if n == 0 else 50 * n)


def fill(st, user, n=4):
    home = os.path.join(st.dir, "mail", user)
    owner = os.stat(home)
    for d in ("Maildir", "Maildir/tmp", "Maildir/new", "Maildir/cur"):
        path = os.path.join(home, d)
        if not os.path.isdir(path):
            os.mkdir(path, 0o700)
            os.chown(path, owner.st_uid, owner.st_gid)
    for sub in ("new", "cur"):
        for name in os.listdir(os.path.join(home, "Maildir", sub)):
            os.unlink(os.path.join(home, "Maildir", sub, name))
    for i in range(n):
        path = os.path.join(home, "Maildir", "new", "%d.test.host" % next(names))
        with open(path, "wb") as f:
            f.write(body(user, i))
        os.chown(path, owner.st_uid, owner.st_gid)


def counters(st):
    line = next(l for l in st.posthouse("status")[1].splitlines() if l.startswith("pop3 "))
    return {k: int(v) for k, v in re.findall(r"([a-z]+)=(\d+)", line)}


def becomes(st, seconds=60, **wanted):
    until("status %s" % wanted, lambda: all(counters(st).get(k) == v for k, v in wanted.items()), seconds)


def worker(c):
    """The process that has the client's connection; another stage may have a client at the same port."""
    ends = "sport = :%d and dport = :%d" % (c.sock.getpeername()[1], c.sock.getsockname()[1])
    out = subprocess.run(["ss", "-tnpH", ends], stdout=subprocess.PIPE, check=True).stdout.decode()
    found = re.search(r'"pop3d",pid=(\d+)', out)
    if found is None and not ROOT:
        raise Skip("whose a connection is, only root can see")
    want("a process of the front that has it", out, found is not None)
    return int(found.group(1))


def threads(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"Threads:\s+(\d+)", f.read()).group(1))


def work(c, user, rounds, n=4):
    """Everything is the user's own, whichever way it is asked for."""
    for i in range(rounds):
        m = random.randrange(n)
        got = c.multi(b"RETR %d" % (m + 1)).replace(b"\r\n", b"\n")
        want("%s, message %d" % (user, m), len(got), got == body(user, m))
        if i % 3 == 0:
            c.send(b"".join(b"LIST %d\r\nNOOP\r\n" % (k + 1) for k in range(n)))
            for k in range(n):
                want("LIST", None, c.line().startswith(b"+OK %d " % (k + 1)))
                want("NOOP", None, c.line().startswith(b"+OK"))


def all_at_once(tasks):
    """The first that went wrong is what went wrong."""
    wrong = []

    def run(task):
        try:
            task()
        except Exception as e:  # of whatever kind: it is told
            wrong.append(e)
    all_ = [threading.Thread(target=run, args=(t,)) for t in tasks]
    for t in all_:
        t.start()
    for t in all_:
        t.join()
    if wrong:
        raise Wrong("%d of %d: %r" % (len(wrong), len(tasks), wrong[0]))


def users():
    return ["user%d" % (i + 1) for i in range(USERS)]


def whole(st, user):
    """A session from its login to QUIT; what it removed is gone."""
    with session(st, user, stls=random.random() < 0.3) as c:
        work(c, user, 12)
        c.ok(b"DELE 2")
        c.ok(b"QUIT")
    left = mails(st.dir, user)
    want("%s: three are left" % user, len(left), len(left) == 3)


def passer_by(st, stop):
    """Comes and goes in every way there is."""
    while not stop.is_set():
        how = random.randrange(6)
        try:
            if how == 0:
                socket.create_connection((ADDR, st.base + 995)).close()
                continue
            c = Pop3s(st, stls=how == 1)
            if how == 2:
                reset(c.sock)
                continue
            c.multi(b"CAPA")
            if how == 3:
                c.ok(b"QUIT")
            if how == 4:
                c.send(b"USER alice\r\nPASS wrong\r\n")
                time.sleep(0.3)
            if how == 5:
                c.send(b"USER bob\r\nPASS secret\r\n")    # and does not wait
            c.close()
        except OSError:
            pass
        time.sleep(0.02)


def together(st):
    for u in users():
        fill(st, u)
    stop = threading.Event()
    others = [threading.Thread(target=passer_by, args=(st, stop)) for _ in range(3)]
    for t in others:
        t.start()
    try:
        all_at_once([lambda u=u: whole(st, u) for u in users()])
    finally:
        stop.set()
        for t in others:
            t.join()
    becomes(st, seconds=60, busy=0, relays=0)


def shared(st):
    """Processes are filled up to the number, and idle ones are ended."""
    cs = [session(st, u) for u in users()]
    becomes(st, busy=0, relays=USERS)
    pids = [worker(c) for c in cs]
    most = max(pids.count(p) for p in set(pids))
    want("full ones, and none fuller", pids, most == RELAYS)
    want("few processes", pids, len(set(pids)) <= USERS // RELAYS + 3)
    for p in set(pids):
        want("a thread each", threads(p), threads(p) == 1 + pids.count(p))
    for c in cs:
        c.ok(b"QUIT")
        c.close()
    becomes(st, busy=0, relays=0)
    for p in set(pids):
        until("its threads have ended", lambda p=p: not os.path.exists("/proc/%d" % p) or threads(p) == 1)


def waits(cs, rounds):
    """The times that the sessions took for NOOP, the longest one last."""
    took = []
    for _ in range(rounds):
        for c in cs:
            since = time.monotonic()
            c.ok(b"NOOP")
            took.append(time.monotonic() - since)
    return sorted(took)


def slow_login(_):
    """Clients that take their time for a conversation hold nobody up: neither by silence nor by a wrong password."""
    with Stage("auth.delay 4s\n", users=3) as st:
        cs = [session(st, u) for u in users()[:3]]
        becomes(st, busy=0, relays=3)
        first = worker(cs[0])
        silent = Pop3s(st)
        want("in the same process", None, worker(silent) == first)
        silent.send(b"USER al")
        # in the middle of the handshake
        raw = socket.create_connection((ADDR, st.base + 995), 60)
        raw.sendall(b"\x16\x03\x01")
        wrong = Pop3s(st)
        wrong.ok(b"USER alice")
        wrong.send(b"PASS wrong\r\n")    # the answer is held back
        took = waits(cs, 30)
        want("no wait", took[-1], took[-1] < 3)
        becomes(st, relays=3)
        silent.send(b"ice\r\n")
        want("+OK", None, silent.line().startswith(b"+OK"))
        want("-ERR", None, wrong.line().startswith(b"-ERR"))
        for c in cs + [silent, wrong]:
            c.close()
        raw.close()
        becomes(st, busy=0, relays=0)


def busy_neighbour(st):
    """One that takes all it can get, and one that takes nothing, in the same process."""
    fill(st, "user1")
    cs = [session(st, u) for u in users()[:3]]
    becomes(st, busy=0, relays=3)
    want("one process", None, len({worker(c) for c in cs}) == 1)
    cs[1].send(b"RETR 1\r\n" * 50)    # nothing of it is read
    end = threading.Event()

    def greedy():
        while not end.is_set():
            cs[0].send(b"RETR 1\r\n" * 10)
            for _ in range(10):
                want("+OK", None, cs[0].line().startswith(b"+OK"))
                want("the message", None, cs[0].rest().replace(b"\r\n", b"\n") == body("user1", 0))
    t = threading.Thread(target=greedy)
    t.start()
    try:
        took = waits(cs[2:], 50)
    finally:
        end.set()
        t.join()
    # one of them may have met a machine that has other things to do
    want("no long wait", took, took[len(took) // 2] < 1 and took[-1] < 10)
    for c in cs:
        c.close()
    becomes(st, busy=0, relays=0)


def writable(pid):
    """What a process has in memory of its own, in pieces."""
    with open("/proc/%d/maps" % pid, encoding="utf-8") as f:
        maps = [line.split() for line in f]
    with open("/proc/%d/mem" % pid, "rb", 0) as f:
        for m in maps:
            if m[1].startswith("rw"):
                start, end = (int(n, 16) for n in m[0].split("-"))
                f.seek(start)
                yield f.read(end - start)


def wiped(st):
    """Who takes over a process finds no password of the clients that are there already."""
    if not ROOT:
        raise Skip("only root can see it")
    coded = plain(b"user2", b"secret")
    cs = [session(st, "user1"), Pop3s(st), session(st, "user3", stls=True)]
    cs[1].ok(b"AUTH PLAIN " + coded)
    becomes(st, busy=0, relays=3)
    for pid in {worker(c) for c in cs}:
        pieces = list(writable(pid))
        want("we see its memory", None, any(b"mx.example.test" in p for p in pieces))
        for what in (b"PASS secret", coded[8:-4], b"\0secret"):
            want("no %r" % what, None, not any(what in p for p in pieces))
    for c in cs:
        c.close()
    becomes(st, busy=0, relays=0)


def new_keys(st):
    """TLS 1.3 clients may ask for new keys at any time (RFC 8446, 4.6.3)."""
    r = subprocess.Popen(["openssl", "s_client", "-connect", "%s:%d" % (ADDR, st.base + 995), "-tls1_3", "-crlf"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    got = bytearray()

    def listen():
        while more := r.stdout.read1(65536):
            got.extend(more)
    t = threading.Thread(target=listen)
    t.start()
    try:
        until("the greeting", lambda: b"+OK" in got)
        for line in (b"USER user1", b"PASS secret", b"NOOP", b"K", b"NOOP", b"k", b"LIST 1", b"quit"):
            said = b"KEYUPDATE" if line in (b"K", b"k") else b"+OK"
            n = got.count(said)
            r.stdin.write(line + b"\n")
            r.stdin.flush()
            until("%s to %s" % (said.decode(), line.decode()), lambda: got.count(said) > n)
    finally:
        r.stdin.close()
        try:
            r.wait(60)
        except subprocess.TimeoutExpired:
            r.kill()
            r.wait()
        t.join()
        r.stdout.close()
    want("answers behind them", bytes(got[-500:]), got.count(b"+OK") == 7 and b"+OK 1 " in got)
    becomes(st, busy=0, relays=0)


def reloaded(st):
    """Sessions go on in their old processes, which then end; new ones have new ones."""
    for u in users():
        fill(st, u)
    cs = [(u, session(st, u)) for u in users()[:20]]
    becomes(st, busy=0, relays=20)
    old = {worker(c) for _, c in cs}
    slow = Pop3s(st)
    slow.ok(b"USER user21")
    tasks = [lambda u=u, c=c: work(c, u, 40) for u, c in cs]
    tasks.append(lambda: (time.sleep(0.2), want("reload", None, st.posthouse("reload")[0] == 0)))
    all_at_once(tasks)
    st.logged("reloaded service=pop3")
    # one that was in its conversation goes on, too
    slow.ok(b"PASS secret")
    work(slow, "user21", 3)
    fresh = [(u, session(st, u)) for u in users()[21:]]
    want("new processes", None, not old & {worker(c) for _, c in fresh})
    becomes(st, busy=0, relays=21 + len(fresh))
    for u, c in cs + fresh:
        work(c, u, 2)
    for _, c in cs + [("", slow)]:
        c.ok(b"QUIT")
        c.close()
    until("the old ones have ended", lambda: not any(os.path.exists("/proc/%d" % p) for p in old))
    becomes(st, busy=0, relays=len(fresh))
    for u, c in fresh:
        work(c, u, 1)
        c.close()
    becomes(st, busy=0, relays=0)


def killed(st):
    """kill -9: only its own end, and they count no longer."""
    for u in users():
        fill(st, u)
    cs = [(u, session(st, u)) for u in users()]
    becomes(st, busy=0, relays=USERS)
    pids = {u: worker(c) for u, c in cs}
    victim = pids["user1"]
    for u, c in cs:
        c.ok(b"DELE 1")
    os.kill(victim, signal.SIGKILL)
    lost = 0
    for u, c in cs:
        if pids[u] == victim:
            want("the end", u, c.closed())
            lost += 1
        else:
            c.ok(b"NOOP")
        if pids[u] == victim:
            c.close()
    becomes(st, busy=0, relays=USERS - lost)
    st.logged("worker-died service=pop3 pid=%d signal=9" % victim)
    for u, c in cs:
        if pids[u] == victim:
            with session(st, u) as again:
                want("nothing was removed", u, again.ok(b"STAT").startswith(b"+OK 4 "))
        else:
            c.ok(b"QUIT")
            c.close()
            want("one was removed", u, len(mails(st.dir, u)) == 3)
    becomes(st, busy=0, relays=0)


def limited(_):
    """max-connections and client-connections count what is kept."""
    with Stage("pop3.max-connections 6\npop3.client-connections 5\npop3.min-spare 1\n", users=6) as st:
        cs = [session(st, "user%d" % (i + 1)) for i in range(5)]
        becomes(st, busy=0, relays=5)
        with socket.create_connection((ADDR, st.pop3), 60) as s:
            want("refused", None, b"-ERR [SYS/TEMP]" in s.recv(200))
        st.logged("refused-connection service=pop3", "limit=client")
        cs.pop().close()
        becomes(st, busy=0, relays=4)
        cs.append(session(st, "user5"))
        for c in cs:
            c.ok(b"NOOP")
            c.close()
        becomes(st, busy=0, relays=0)


def one_each(_):
    with Stage("pop3.relays-per-worker 1\n", users=6) as st:
        for i in range(6):
            fill(st, "user%d" % (i + 1))
        cs = [session(st, "user%d" % (i + 1)) for i in range(6)]
        becomes(st, busy=6, relays=0)
        pids = {worker(c) for c in cs}
        want("a process each", pids, len(pids) == 6)
        want("no threads", pids, all(threads(p) == 1 for p in pids))
        all_at_once([lambda i=i, c=c: work(c, "user%d" % (i + 1), 10) for i, c in enumerate(cs)])
        since = time.monotonic()
        st.stop()
        want("soon", time.monotonic() - since, time.monotonic() - since < 50)
        for c in cs:
            want("the end", None, c.closed())
            c.close()


def stopped(_):
    """In the middle of everything: soon, each hears the end, and nothing is left running."""
    with Stage(CONF, users=12) as st:
        for i in range(12):
            fill(st, "user%d" % (i + 1))
        cs = [session(st, "user%d" % (i + 1)) for i in range(12)]
        slow = Pop3s(st)
        becomes(st, relays=12)
        pids = {worker(c) for c in cs}
        for c in cs[:4]:
            c.send(b"RETR 1\r\n" * 30)    # more than anybody holds; nothing is read
        for c in cs[4:8]:
            c.ok(b"DELE 2")
        since = time.monotonic()
        st.stop()
        want("soon", time.monotonic() - since, time.monotonic() - since < 50)
        for c in cs[4:] + [slow]:
            want("the end", None, c.closed())
        for c in cs + [slow]:
            c.close()
        want("none is left", pids, not any(os.path.exists("/proc/%d" % p) for p in pids))
        for i in range(4, 8):
            want("nothing was removed", None, len(mails(st.dir, "user%d" % (i + 1))) == 4)


def main():
    tap = Tap()
    random.seed()
    with Stage(CONF, users=USERS) as st:
        for name, test in (("30 at once, others come and go", together), ("processes are shared", shared),
                           ("a busy neighbour", busy_neighbour),
                           ("no password is left", wiped), ("new keys", new_keys), ("reload", reloaded),
                           ("a process is killed", killed)):
            tap.run(name, test, st)
    for name, test in (("a slow login", slow_login), ("limits", limited), ("one each", one_each), ("stopped", stopped)):
        tap.run(name, test, None)
    return tap.end()


sys.exit(main())
