"""Too much of everything, and files that are not what they seem: aliases of
thousands of members, reloads while mail flows, mailboxes that are no files,
a delivery process that hangs. With PH_MODE=long few descriptors, too. Stages
of its own. TAP on standard output."""
import collections
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import LONG, ROOT, Smtp, Stage, Tap, Wrong, ident, message, send, until, want, word  # noqa: E402

WIDE, MEMBERS = 100, 50         # aliases, and members of each
CONF = """
aliases "@DIR@/aliases2"
users file "@DIR@/users2"
queue.retry-first 1h
queue.retry-max 1h
local.lock-timeout 1s
"""
# Only where processes are made to hang: others may need longer than that.
IMPATIENT = """
queue.retry-first 1h
queue.retry-max 1h
queue.local-timeout 2s
local.lock-timeout 1s
local.idle-timeout 2s
"""
PLACES = ("fifo", "socket", "directory", "symlink", "hardlink")


def aliases():
    lines = ["wide%d: %s" % (i, ", ".join("alice+%d" % (i * MEMBERS + j) for j in range(MEMBERS)))
             for i in range(WIDE)]
    many = ", ".join("bob+%d" % i for i in range(3000))
    return "\n".join(lines + ["many: " + many, "same: " + many]) + "\n"


def transaction(st, rcpts, w):
    with Smtp(st.smtp) as c:
        c.say(b"EHLO x\r\nMAIL FROM:<s@client.test>\r\n", "250", "250")
        c.send(b"".join(b"RCPT TO:<" + r + b"@example.test>\r\n" for r in rcpts))
        c.expect(*["250"] * len(rcpts))
        return ident(c.data(message(w)))


def each_once(st, user, w, n):
    """The message came once to each of the user's sub-addresses."""
    found = st.came(user, w, n, 240)
    to = collections.Counter(re.search(rb"(?m)^Delivered-To: (.*)$", m)[1] for m in found)
    want("each one once", [t for t, k in to.items() if k > 1][:3], len(to) == n)


def wide(st):
    """More answers of route than a socket holds; many recipients at a time."""
    w = word("wide")
    mark = len(st.log())
    n = transaction(st, [b"wide%d" % i for i in range(WIDE)], w)
    st.posthouse("status")
    t = time.monotonic()
    code, out = st.command("-f", st.conf, program="mailq")
    took = time.monotonic() - t
    # or while it is under way, on a machine for which that is much
    want("the queue has time for mailq", (code, took, out[-200:]), code == 0 and (took < 5 or "done id=" + n not in st.log()))
    each_once(st, "alice", w, WIDE * MEMBERS)
    st.logged("done id=" + n)
    log = st.log()[mark:]
    want("at the first attempt", re.findall(r".* deferred id=.*| warn: .*| error: .*", log)[:3],
         "deferred id=" not in log and "it went away" not in log)


def same(st):
    """Two lists with the same thousands of members are one."""
    w = word("same")
    n = transaction(st, [b"many", b"same"], w)
    each_once(st, "bob", w, 3000)
    st.logged("done id=" + n)
    want("nothing came twice", len([m for m in st.mails("bob").values() if w in m]),
         len([m for m in st.mails("bob").values() if w in m]) == 3000)


def reloads(st):
    """SIGHUP, SIGHUP, SIGHUP: no message is refused or lost."""
    w = word("hup")
    sent, wrong, stop = [], [], threading.Event()

    def sender():
        while not stop.is_set():
            try:
                sent.append(send(st.smtp, b"carol@example.test", message(w)))
            except (Wrong, OSError) as e:
                wrong.append(repr(e))

    threads = [threading.Thread(target=sender) for _ in range(3)]
    for t in threads:
        t.start()
    end = time.monotonic() + (20 if LONG else 2)
    while time.monotonic() < end:
        os.kill(st.pid(), signal.SIGHUP)
        time.sleep(0.001)
    stop.set()
    for t in threads:
        t.join()
    want("all are taken", wrong[:3], not wrong and sent)
    st.came("carol", w, len(sent), 120)


def put(st, kind, path):
    """What is where the mbox should be; returns what must not be touched by a delivery."""
    other = os.path.join(st.dir, "mail", "odd", "other-" + kind)
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
    elif kind == "directory":
        os.mkdir(path)
    else:
        with open(other, "w") as f:
            f.write("other\n")
        os.chown(other, os.stat(os.path.dirname(path)).st_uid, -1)
        if kind == "symlink":
            os.symlink(other, path)
        else:
            os.link(other, path)
    return other


def no_mbox(st):
    """The mail waits or fails at once, the log names the file, nobody hangs."""
    path = os.path.join(st.dir, "mail", "odd", "mbox")
    for kind in PLACES:
        other = put(st, kind, path)
        n = send(st.smtp, b"odd@example.test", message(word(kind)))
        line = until("an end of %s" % kind, lambda: next((l for l in st.log().splitlines() if re.search(
            r"queue\[.* (deferred|failed|delivered) id=%s " % n, l)), None))
        if kind != "hardlink":
            want("%s: not delivered, and why" % kind, line, "delivered" not in line and path in line)
        if kind == "symlink":
            with open(other) as f:
                want("what it names is as it was", None, f.read() == "other\n")
        (os.rmdir if kind == "directory" else os.unlink)(path)
    n = send(st.smtp, b"odd@example.test", message(word("after")))
    st.logged("delivered id=" + n)


def old_lock(st):
    """A lock that somebody left behind five minutes ago does not stand in the way."""
    path = os.path.join(st.dir, "mail", "odd", "mbox.lock")
    with open(path, "w") as f:
        f.write("99999\n")
    os.chown(path, os.stat(os.path.dirname(path)).st_uid, -1)
    n = send(st.smtp, b"odd@example.test", message(word("locked")))
    line = st.logged("deferred id=" + n)
    want("a fresh one does", line, "mbox.lock" in line)
    os.utime(path, (time.time() - 310, time.time() - 310))
    n = send(st.smtp, b"odd@example.test", message(word("unlocked")))
    st.logged("delivered id=" + n)
    want("and goes", None, not os.path.exists(path))


def workers(st, program="local"):
    """The children of local or remote; what they run is not shown to an ordinary user."""
    parent = re.search(r"(?m)^%s +(\d+)" % program, st.posthouse("status")[1])
    found = []
    for p in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % p) as f:
                if f.read().rsplit(")", 1)[1].split()[1] == parent[1]:
                    found.append(int(p))
        except OSError:
            pass
    return found


def alive(pids):
    return [p for p in pids if os.path.exists("/proc/%d" % p)]


def hung(st):
    """Whoever hangs over a delivery is killed, and its mail is told of."""
    until("the others are gone", lambda: not workers(st))
    send(st.smtp, b"carol@example.test", message(word("hang")))
    pids = until("a worker", lambda: workers(st))
    for p in pids:
        os.kill(p, signal.SIGSTOP)
    n = send(st.smtp, b"carol@example.test", message(word("hang")))
    st.logged("deferred id=" + n, "does not answer")
    for p in pids:
        st.logged("worker-killed pid=%d" % p)
    until("it is gone", lambda: not alive(pids))


def stopped(st):
    """One that is stopped and has nothing to do does not outlive the others."""
    send(st.smtp, b"carol@example.test", message(word("stop")))
    pids = until("a worker", lambda: workers(st))
    for p in pids:
        os.kill(p, signal.SIGSTOP)
    st.posthouse("stop")
    until("it is gone", lambda: not alive(pids))


def blind_master(st):
    """One that cannot poll(2) any more ends, and says so once, not for ever."""
    st.up()
    mark, pid = len(st.log()), st.pid()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (8, 8))
    os.kill(pid, signal.SIGCHLD)
    until("it is gone", lambda: not os.path.exists("/proc/%d" % pid))
    log = until("its last word, by the process that writes the log", lambda: "stopped status=71" in st.log()[mark:] and
                st.log()[mark:])
    want("said once", log[-500:], log.count(" poll why=") == 1)


def few_descriptors():
    """Clients are told to come again, nothing taken is lost, and it recovers."""
    st = None
    old = subprocess.run

    def limited(*args, **more):
        return old(*args, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (44, 44)), **more)

    try:
        subprocess.run = limited
        st = Stage("")
        subprocess.run = old
        w, taken, lock = word("few"), [], threading.Lock()

        def client():
            for _ in range(5):
                try:
                    n = send(st.smtp, [b"alice@example.test", b"bob@example.test"], message(w))
                    with lock:
                        taken.append(n)
                except (Wrong, OSError):
                    pass

        threads = [threading.Thread(target=client) for _ in range(60)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for _ in range(5):
            taken.append(send(st.smtp, [b"alice@example.test", b"bob@example.test"], message(w)))
        for user in ("alice", "bob"):
            until("all of " + user, lambda u=user: sum(w in m for m in st.mails(u).values()) >= len(taken), 90)
        log = st.log()
        want("the log says what is missing", None, "Too many open files" in log)
        want("what is delivered is written down", re.findall(r".* state id=.*", log)[:3], " state id=" not in log)
    finally:
        subprocess.run = old
        if st:
            st.down()


def too_wide():
    """An alias of more members than a message can have: refused at the door, and told of at once by the queue."""
    huge = "huge: " + ", ".join("alice+%d" % i for i in range(100001)) + "\n"
    with Stage("aliases @DIR@/huge\n", files={"huge": huge}) as st:
        with Smtp(st.smtp) as c:
            c.say(b"EHLO client.test\r\nMAIL FROM:<s@client.test>\r\n", "250", "250")
            c.say(b"RCPT TO:<huge@example.test>", "550")
        w = word("wide")
        r = subprocess.run([os.path.join(st.dir, "bin", "sendmail"), "-C", st.conf, "-f", "alice@example.test",
                            "huge@example.test", "bob@example.test"], input=message(w), stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=60, check=False)
        want("taken", r.stdout, r.returncode == 0)
        st.came("bob", w)
        line = st.logged("failed id=", "to=huge@example.test", seconds=120)
        want("the reason", line, "status=5.2.4" in line and "100000" in line)
        report = until("a report", lambda: next((m for m in st.mails("alice").values() if b"Final-Recipient" in m), None))
        want("the alias and the limit", report, b"huge@example.test" in report and b"5.2.4" in report and
             b"more than 100000 recipients" in report)


def slow_command():
    """A command that takes its time, and much mail for it: others do not wait for that."""
    with Stage("aliases @DIR@/slow\nqueue.running 40\n", files={"slow": "slow: \"|sleep 5\"\n"}) as st:
        for _ in range(100):
            send(st.smtp, b"slow@example.test", message(word("slow")))
        w = word("beside")
        send(st.smtp, b"bob@example.test", message(w))
        st.came("bob", w, 1, 120)
        before = len(re.findall(r" delivered id=\S+ to=slow@", st.log()))
        want("slow ones before it", before, before < 80)
        st.logged("gives-way user=")


def hung_sender():
    """A worker of remote that hangs: queue gives its mail another chance, and nothing is left of it."""
    quiet = socket.socket()
    quiet.bind(("127.0.0.1", 0))
    quiet.listen(5)
    quick = "".join("remote.%s-timeout 1s\n" % n for n in ("connect", "command", "data", "block", "end"))
    with Stage("transport far.test smtp:[127.0.0.1]:%d\nremote.addresses 1\nremote.greeting-timeout 8s\n%s" % (quiet.getsockname()[1], quick)) as st:
        n = send(st.smtp, b"x@far.test", message(word("hang")))
        quiet.settimeout(60)
        held, _ = quiet.accept()
        pids = workers(st, "remote")
        for p in pids:
            os.kill(p, signal.SIGSTOP)
        want("a worker", pids, pids)
        try:
            st.logged("deferred id=" + n, "does not answer", seconds=90)
            for p in pids:
                st.logged("worker-killed pid=%d" % p)
            until("it is gone", lambda: not alive(pids))
        finally:
            for p in alive(pids):
                os.kill(p, signal.SIGKILL)
            held.close()
            quiet.close()


def main():
    tap = Tap()
    uid, gid = (61150, 61150) if ROOT else (os.geteuid(), os.getegid())
    users = "odd:{PLAIN}secret:%d:%d::@DIR@/mail/odd::mail=mbox:@DIR@/mail/odd/mbox\n" % (uid, gid)
    with Stage(CONF, files={"aliases2": aliases(), "users2": users}) as st:
        home = os.path.join(st.dir, "mail", "odd")
        os.mkdir(home, 0o700)
        if ROOT:
            os.chown(home, uid, gid)
        for name, test in (("aliases with many members", wide), ("the same members twice", same),
                           ("reloads while mail flows", reloads), ("no mbox", no_mbox), ("a lock left behind", old_lock)):
            tap.run(name, test, st)
    with Stage(IMPATIENT) as st:
        for name, test in (("a delivery process that hangs", hung), ("one that is stopped", stopped),
                           ("a master that cannot poll", blind_master)):
            tap.run(name, test, st)
    tap.run("a sending process that hangs", hung_sender)
    tap.run("an alias with too many members", too_wide)
    tap.run("a slow command with much mail", slow_command)
    if LONG:
        tap.run("few descriptors", few_descriptors)
    return tap.end()


sys.exit(main())
