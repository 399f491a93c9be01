"""The measurements. Each takes the run's state, measures every server in turn,
round by round, and adds its rows to the table."""
import multiprocessing
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time

from lib import (arrival, count, note, pss_kib, rss_kib, tree, wait_until)
from servers import ADDR

MIB = 1 << 20


# ---- SMTP to Maildir

def send(server, user, sessions, n, size, keep):
    """smtp-source(1), and until everything is in new/: messages per second."""
    cmd = ["smtp-source", "-s", str(sessions), "-m", str(n), "-l", str(size),
           "-f", "sender@client.test", "-t", user + "@example.test",
           "-M", "client.test", "%s:%d" % (ADDR, server.port)]
    if keep:
        cmd.insert(1, "-d")
    before = count(server.maildir(user))
    begin = time.monotonic()
    subprocess.run(cmd, check=True, stdout=subprocess.DEVNULL)
    sent = time.monotonic()
    got, end = arrival(server.maildir(user), before + n, 120)
    if got != before + n:
        note("%s: %d of %d messages are missing" %
             (server.name, before + n - got, n))
        return None, None
    return n / (sent - begin), n / (end - begin)


def one_rate(run, server, key, sessions, n, size, keep):
    """In a mailbox that nobody used, and mailboxes stay until the end: what a
    file system remembers of removed files must not be part of it."""
    user = run.next_user(server)
    send(server, user, 1, 1, 1000, False)
    accepted, delivered = send(server, user, sessions, n, size, keep)
    if delivered is not None:
        run.figures.add(key + ".accepted", server.name, accepted)
        run.figures.add(key, server.name, delivered)
    if size >= MIB:
        shutil.rmtree(server.maildir(user))
    time.sleep(0.5)


def smtp(run):
    if not shutil.which("smtp-source"):
        note("smtp-source (package postfix) is missing: no SMTP figures")
        return
    kept = run.quick and 600 or 2000
    cases = [("smtp.%s.%d" % (way, s), s, kept, 4096, way == "kept")
             for way in ("kept", "new") for s in (1, 10, 50)]
    cases += [("large.%d" % s, s, run.quick and 8 or 20, 10 * MIB, True)
              for s in (1, 4)]
    run.servers_up()
    for r in range(run.rounds):
        for case in cases:
            for server in run.servers:
                one_rate(run, server, *case)
        note("SMTP: round %d of %d" % (r + 1, run.rounds))
    run.servers_down()
    for key, sessions, _, size, keep in cases:
        what = "10 MiB" if size >= MIB else "4 KiB"
        how = "one connection each" if keep else "connection per message"
        run.table.against("%s to Maildir, %d sessions, %s, msg/s" %
                          (what, sessions, how), key, "postfix", least=2)


# ---- the disk's own limit

def create_files(number, directory, seconds, both, result):
    """What a durable delivery cannot do without: create, write, flush, name."""
    data, n = os.urandom(4096), 0
    new = os.open(directory + "/new", os.O_RDONLY)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = "/tmp/%d.%d" % (number, n)
        fd = os.open(directory + name, os.O_CREAT | os.O_EXCL | os.O_WRONLY,
                     0o600)
        os.write(fd, data)
        os.fsync(fd)
        os.close(fd)
        os.rename(directory + name, directory + "/new" + name[4:])
        if both:
            os.fsync(new)
        n += 1
    result.put(n)


def limit(run):
    seconds = 1.0 if run.quick else 3.0
    for processes in (1, 10, 50):
        for both in (False, True):
            place = os.path.join(run.dir, "limit")
            for sub in ("tmp", "new"):
                os.makedirs(os.path.join(place, sub))
            result = multiprocessing.Queue()
            workers = [multiprocessing.Process(
                target=create_files, args=(i, place, seconds, both, result))
                for i in range(processes)]
            begin = time.monotonic()
            for w in workers:
                w.start()
            n = sum(result.get() for _ in workers)
            for w in workers:
                w.join()
            run.figures.add("disk.%d.%s" %
                            (processes, "both" if both else "file"), "disk",
                            n / (time.monotonic() - begin))
            shutil.rmtree(place)
    for processes in (1, 10, 50):
        for which, text in (("file", "file flushed"),
                            ("both", "file and directory flushed")):
            key = "disk.%d.%s" % (processes, which)
            name = "smtp.kept.%d" % processes
            disk = run.figures.median(key, "disk")
            ours = run.figures.median(name, "posthouse")
            if ours is not None:
                note("%d sessions: %.0f msg/s, twice durable; the disk makes "
                     "%.0f files/s (%s): ratio %.2f" %
                     (processes, ours, disk, text, ours / disk))
            else:
                note("the disk makes %.0f files/s with %d processes (%s)" %
                     (disk, processes, text))


# ---- memory

def greet(server):
    s = socket.create_connection((ADDR, server.port), 20)
    f = s.makefile("rwb")
    f.readline()
    say(f, b"EHLO client.test")
    return s, f


def say(f, line):
    f.write(line + b"\r\n")
    f.flush()
    while True:
        reply = f.readline()
        if reply[3:4] != b"-":
            break
    if reply[:1] not in b"23":
        raise SystemExit("%r was answered %r" % (line, reply))


def one_message(f, user):
    for line in (b"MAIL FROM:<sender@client.test>",
                 b"RCPT TO:<%s@example.test>" % user.encode(), b"DATA",
                 b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 400 + b"."):
        say(f, line)


def memory(run):
    server = run.posthouse
    for _ in range(1 if run.quick else run.rounds):
        server.up()
        pid = server.pid()
        time.sleep(3 if run.quick else 8)
        empty = pss_kib(tree(pid))
        run.figures.add("memory.idle", server.name, empty / 1024)
        clients = [greet(server) for _ in range(100)]
        time.sleep(3)
        full = pss_kib(tree(pid))
        run.figures.add("memory.connection", server.name,
                        (full - empty) / len(clients))
        user = run.next_user(server)
        for _, f in clients:
            one_message(f, user)
        time.sleep(3)
        run.figures.add("memory.used", server.name,
                        (pss_kib(tree(pid)) - empty) / len(clients))
        for s, f in clients:
            f.close()
            s.close()
        server.down()
    run.table.absolute("the idle suite, MiB PSS", "memory.idle", most=25)
    run.table.absolute("a further idle SMTP connection, KiB",
                       "memory.connection", most=300)
    run.table.absolute("the same, after a message, KiB", "memory.used",
                       most=300)


# ---- many messages that wait

def start(server):
    """The master as tests/stage starts it; seconds until queue answers."""
    begin = time.monotonic()
    log = open(os.path.join(server.dir, "log", "stderr"), "ab")
    master = subprocess.Popen(
        [server.program("posthouse"), "-F", "-f", server.conf],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        start_new_session=True)
    log.close()
    stat = []

    def answers():
        stat[:] = server.ask("postq", "stat").stdout.split()
        return "waiting" in stat or master.poll() is not None
    if not wait_until(answers, 120) or "waiting" not in stat:
        raise SystemExit("the suite did not start, see %s/log" % server.dir)
    return (time.monotonic() - begin, master,
            int(stat[stat.index("waiting") + 1]))


def queue(run):
    server = run.posthouse
    n = run.quick and 50000 or 200000
    server.up()
    time.sleep(1)
    empty = rss_kib(server.pid(), "queue")
    server.down()
    spool = os.path.join(server.dir, "spool")
    begin = time.monotonic()
    subprocess.run([os.path.join(server.build, "tools", "fill_spool"), spool,
                    str(n)], check=True)
    note("%d messages put into the spool in %.1f s" %
         (n, time.monotonic() - begin))
    for _ in range(run.rounds):
        seconds, master, waiting = start(server)
        if waiting != n:
            note("queue knows %d of %d messages" % (waiting, n))
        run.figures.add("queue.start", server.name, seconds)
        time.sleep(1)
        full = rss_kib(master.pid, "queue")
        run.figures.add("queue.memory", server.name,
                        (full - empty) * 1024 / n)
        begin = time.monotonic()
        lines = server.ask("mailq", "-s").stdout.count("\n")
        run.figures.add("queue.mailq", server.name, time.monotonic() - begin)
        if lines < n:
            note("mailq shows %d lines for %d messages" % (lines, n))
        begin = time.monotonic()
        server.ask("postq", "stat")
        run.figures.add("queue.stat", server.name, time.monotonic() - begin)
        run.figures.add("queue.after", server.name,
                        (rss_kib(master.pid, "queue") - empty) * 1024 / n)
        server.down()
        master.wait()
    shutil.rmtree(server.dir)
    table = run.table
    table.absolute("%d waiting: bytes of memory each" % n, "queue.memory",
                   most=64)
    table.absolute("the same after a listing", "queue.after")
    table.absolute("%d waiting: start, s" % n, "queue.start", most=10)
    table.absolute("%d waiting: mailq -s, s" % n, "queue.mailq", most=2)
    table.absolute("%d waiting: postq stat, s" % n, "queue.stat")


def mailq(run):
    """All of what it shows, of so many, as root."""
    server = run.posthouse
    n = run.quick and 25000 or 100000
    server.up()
    server.down()
    subprocess.run([os.path.join(server.build, "tools", "fill_spool"),
                    os.path.join(server.dir, "spool"), str(n)], check=True)
    _, master, _ = start(server)
    time.sleep(1)
    for _ in range(run.rounds):
        for args in ((), ("-j",)):
            begin = time.monotonic()
            lines = server.ask("mailq", *args).stdout.count("\n")
            run.figures.add("mailq" + "".join(args), server.name,
                            time.monotonic() - begin)
            if lines < n:
                note("mailq shows %d lines for %d messages" % (lines, n))
    server.down()
    master.wait()
    shutil.rmtree(server.dir)
    run.table.absolute("%d waiting: mailq, s" % n, "mailq", most=1)
    run.table.absolute("%d waiting: mailq -j, s" % n, "mailq-j")


# ---- deliver

MESSAGE = ("From: sender@client.test\nTo: user@example.test\n"
           "Subject: deliver\nDate: Tue, 24 Nov 2026 10:00:00 +0000\n"
           "Message-ID: <deliver@client.test>\n\n")


def spawn_all(cmd, environment, message, n, parallel):
    """So many runs, some at once; seconds. The message is on standard input."""
    actions = [(os.POSIX_SPAWN_OPEN, 0, message, os.O_RDONLY, 0)]
    live = bad = 0
    begin = time.monotonic()
    for _ in range(n):
        if live == parallel:
            live -= 1
            bad += os.wait()[1] != 0
        os.posix_spawn(cmd[0], cmd, environment, file_actions=actions)
        live += 1
    for _ in range(live):
        bad += os.wait()[1] != 0
    if bad:
        note("%s: %d of %d runs failed" % (cmd[0], bad, n))
    return time.monotonic() - begin


def as_user(uid, *args):
    """spawn_all in a process of that user, who owns the mailbox."""
    result = multiprocessing.Queue()

    def work():
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
        os.chdir("/")
        result.put(spawn_all(*args))
    child = multiprocessing.Process(target=work)
    child.start()
    seconds = result.get()
    child.join()
    return seconds


def deliverers(run, home, uid):
    """name, command and Maildir of each that is here."""
    found = [("nothing", ["/bin/true"], None)]
    conf = os.path.join(home, "dovecot.conf")
    with open(conf, "w") as f:
        f.write("mail_location = maildir:%s/lda\nlog_path = /dev/null\n"
                "postmaster_address = postmaster@example.test\n"
                "hostname = mx.example.test\nprotocols =\nssl = no\n" % home)
    rc = os.path.join(home, "procmailrc")
    with open(rc, "w") as f:
        f.write("DEFAULT=%s/procmail/\n" % home)
    os.chmod(rc, 0o600)
    os.chown(rc, uid, -1)
    candidates = [
        ("dovecot-lda", ["/usr/lib/dovecot/dovecot-lda", "-c", conf, "-f",
                         "sender@client.test"], home + "/lda"),
        ("procmail", ["/usr/bin/procmail", "-m", rc], home + "/procmail"),
        ("posthouse", [run.posthouse.program("deliver"), "-f",
                       "sender@client.test", "-o", "maildir:%s/Maildir" % home],
         home + "/Maildir"),
    ]
    for name, cmd, maildir in candidates:
        if os.path.exists(cmd[0]):
            found.append((name, cmd, maildir))
        else:
            note("%s is missing: %s" % (name, cmd[0]))
    return found


def deliver(run):
    home = os.path.join(run.dir, "home")
    # one of the data base: looking for one who is not there costs more than all the rest
    uid = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    os.makedirs(home, exist_ok=True)
    os.chown(home, uid, uid)
    run.posthouse.up()
    run.posthouse.down()
    message = os.path.join(home, "message")
    with open(message, "w") as f:
        f.write(MESSAGE + "All work and no play.\n" * 182)
    user = pwd.getpwuid(uid).pw_name
    environment = {"HOME": home, "USER": user, "LOGNAME": user,
                   "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
    found = deliverers(run, home, uid)
    n = run.quick and 100 or 500
    for _ in range(run.rounds):
        for name, cmd, maildir in found:
            for parallel in (1, 8):
                seconds = as_user(uid, cmd, environment, message, n, parallel)
                run.figures.add("deliver.%d" % parallel, name,
                                seconds / n * 1000)
                if maildir and count(maildir) != n:
                    note("%s: %d of %d messages in %s" %
                         (name, count(maildir), n, maildir))
                if maildir:
                    shutil.rmtree(maildir, ignore_errors=True)
    shutil.rmtree(home)
    for parallel in (1, 8):
        key = "deliver.%d" % parallel
        title = "deliver, %d at once, ms a message" % parallel
        run.table.against(title, key, "dovecot-lda", most=0.2)
        run.table.against(title, key, "procmail", most=1)
        run.table.against(title, key, "nothing")


ALL = (("smtp", smtp), ("limit", limit), ("memory", memory),
       ("queue", queue), ("mailq", mailq), ("deliver", deliver))
