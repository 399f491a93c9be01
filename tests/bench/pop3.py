"""The measurements of POP3, beside Dovecot. tests/tools/pop3_load is the client;
both servers have the same mail, passwords in the same scheme, certificates of the
same kind."""
import os
import shutil
import socket
import ssl
import subprocess
import time

from dovecot import Dovecot
from lib import count, cpu_seconds, note, pss_kib, rss_kib, tree
from servers import ADDR

USERS = 200  # see run
CLIENTS = 10
SMALL = 5  # messages in the mailbox of one who only logs in


def tool(run, name):
    return os.path.join(run.posthouse.build, "tools", name)


def load(run, mode, server, kind, *args):
    """Runs the client; the numbers that it says."""
    port = server.pop3 if kind == "plain" else server.pop3s
    out = subprocess.run(
        [tool(run, "pop3_load"), mode, str(port), str(int(kind != "plain")),
         *map(str, args)], check=True, stdout=subprocess.PIPE, text=True)
    return [float(x) for x in out.stdout.split()]


def costing(server, work, *args):
    """What it says, and CPU seconds of the server meanwhile: these do not depend
    on who else uses the machine, as rates do."""
    before = cpu_seconds(tree(server.pid()))
    got = work(*args)
    time.sleep(0.3)
    return got, cpu_seconds(tree(server.pid())) - before


def certificate(run, kind):
    """Of a key of that kind; made once."""
    base = os.path.join(run.dir, kind)
    if not os.path.exists(base + ".crt"):
        algorithm = ["rsa:2048"] if kind == "rsa" else \
            ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes",
             "-days", "30", "-subj", "/CN=mx.example.test", "-keyout",
             base + ".key", "-out", base + ".crt"],
            check=True, stderr=subprocess.DEVNULL)
    return base + ".crt", base + ".key"


def speaks_tls(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((ADDR, port), 5) as s, \
                context.wrap_socket(s) as tls:
            return tls.recv(100).startswith(b"+OK")
    except OSError:
        return False


def fill(run, server, user, n):
    maildir = server.maildir(user)
    if count(maildir) == n:
        return
    shutil.rmtree(maildir, ignore_errors=True)
    subprocess.run([tool(run, "fill_maildir"), maildir, str(n)], check=True)
    owner = os.stat(os.path.dirname(maildir))
    subprocess.run(["chown", "-R", "%d:%d" % (owner.st_uid, owner.st_gid),
                    maildir], check=True)


class Pair:
    """Dovecot and Posthouse with a certificate of that kind; Posthouse alone where
    the other is not installed."""

    def __init__(self, run, kind):
        self.run, self.kind = run, kind
        self.servers = [run.posthouse]
        why = Dovecot.missing()
        if why:
            note("no figures of Dovecot: " + why)
        else:
            self.servers.insert(0, run.dovecot)

    def __enter__(self):
        for server in self.servers:
            server.certify(*certificate(self.run, self.kind))
            server.up()
        return self.servers

    def __exit__(self, *_):
        for server in self.servers:
            server.down()


def ways(run):
    """plain with the first certificate, TLS with each if Posthouse has it."""
    for kind in ("rsa", "ecdsa"):
        with Pair(run, kind) as servers:
            has_tls = speaks_tls(run.posthouse.pop3s)
            if not has_tls:
                note("no figures of TLS: nothing speaks it on port %d" %
                     run.posthouse.pop3s)
            kinds = (["plain"] if kind == "rsa" else []) + \
                ([kind] if has_tls else [])
            if kinds:
                yield servers, kinds
        if not has_tls:
            return


def named(kind):
    return kind if kind == "plain" else "TLS, " + kind.upper()


def pop3(run):
    n = run.quick and 500 or 2000
    seen = []
    for servers, kinds in ways(run):
        seen += kinds
        for server in servers:
            fill(run, server, "user1", n)
            load(run, "retr", server, "plain", "user1", 50)  # its index
        for kind in kinds:
            for _ in range(run.rounds):
                for ahead in (1, 50):
                    for server in servers:
                        got, cost = costing(server, load, run, "retr", server,
                                            kind, "user1", ahead)
                        key = "pop3.%s.%d" % (kind, ahead)
                        run.figures.add(key + ".cost", server.name,
                                        1e6 * cost / n)
                        run.figures.add(key, server.name, n / got[4])
                        run.figures.add(key + ".cpu", server.name,
                                        100 * got[5] / got[4])
    for kind in seen:
        for ahead, least in ((1, 1.3), (50, 1.5)):
            key = "pop3.%s.%d" % (kind, ahead)
            run.table.against("POP3, %s, RETR %d at a time, msg/s" %
                              (named(kind), ahead), key, "dovecot",
                              least=least)
            run.table.against("the server's CPU, us a message", key + ".cost",
                              "dovecot")
            run.table.against("its client's CPU, %", key + ".cpu", "dovecot")


def small_boxes(run, servers):
    for server in servers:
        for i in range(1, USERS + 1):
            fill(run, server, "user%d" % i, SMALL)


def login(run):
    seconds = 2 if run.quick else 4
    seen = []
    for servers, kinds in ways(run):
        seen += kinds
        small_boxes(run, servers)
        for server in servers:
            load(run, "login", server, "plain", 2, 1, USERS)
        for kind in kinds:
            for _ in range(run.rounds):
                for server in servers:
                    (n, took, cpu), cost = costing(
                        server, load, run, "login", server, kind, seconds,
                        CLIENTS, USERS)
                    key = "login." + kind
                    run.figures.add(key + ".cost", server.name,
                                    1000 * cost / n)
                    run.figures.add(key, server.name, n / took)
                    run.figures.add(key + ".cpu", server.name,
                                    100 * cpu / took)
    for kind in seen:
        key = "login." + kind
        run.table.against("log-ins/s, %s, %d clients" %
                          (named(kind), CLIENTS), key, "dovecot", least=1.5)
        run.table.against("the server's CPU, ms a log-in", key + ".cost",
                          "dovecot")
        run.table.against("their client's CPU, %", key + ".cpu", "dovecot")


def with_clients(run, server, kind, n):
    """PSS of all while so many clients are logged in."""
    port = server.pop3 if kind == "plain" else server.pop3s
    client = subprocess.Popen(
        [tool(run, "pop3_load"), "idle", str(port),
         str(int(kind != "plain")), str(n), str(USERS)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if client.stdout.readline() != b"ready\n":
        raise SystemExit("%s: the clients could not log in" % server.name)
    time.sleep(2)
    full = pss_kib(tree(server.pid()))
    client.stdin.close()
    client.wait()
    time.sleep(1)
    return full


def idle(run):
    n = USERS
    seen = []
    for servers, kinds in ways(run):
        seen += kinds
        small_boxes(run, servers)
        for server in servers:
            for kind in kinds:
                with_clients(run, server, kind, n)  # warm: processes, lists
        for kind in kinds:
            for _ in range(1 if run.quick else run.rounds):
                for server in servers:
                    empty = pss_kib(tree(server.pid()))
                    full = with_clients(run, server, kind, n)
                    run.figures.add("idle." + kind, server.name,
                                    (full - empty) / n)
    for kind in seen:
        run.table.against("idle POP3 session, %s, KiB PSS" % named(kind),
                          "idle." + kind, "dovecot", most=0.5)


def peak(run, server, name):
    """Peak memory of one session that has said STAT."""
    client = subprocess.Popen(
        [tool(run, "pop3_load"), "idle", str(server.pop3), "0", "1", "1"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    client.stdout.readline()
    value = rss_kib(server.pid(), name, "VmHWM")
    client.stdin.close()
    client.wait()
    return value


def big(run):
    """A mailbox of very many; cold: what was noted about it is gone."""
    n = run.quick and 20000 or 100000
    figures = run.figures
    with Pair(run, "rsa") as servers:
        for server in servers:
            fill(run, server, "user1", n)
            load(run, "retr", server, "plain", "user1", 50)
        for _ in range(run.rounds):
            for server in servers:
                server.forget(server.maildir("user1"))
                for way in ("cold", "warm"):
                    got = load(run, "delete", server, "plain", "user1", 0)
                    figures.add("big.login." + way, server.name, got[2])
                    figures.add("big.uidl." + way, server.name, got[3])
                got = load(run, "retr", server, "plain", "user1", 50)
                figures.add("big.retr", server.name, n / got[4])
                name = "pop3" if server is not run.posthouse \
                    else "pop3d-session"
                figures.add("big.peak", server.name,
                            peak(run, server, name) / 1024)
        for server in servers:
            got = load(run, "delete", server, "plain", "user1", 1000)
            figures.add("big.delete", server.name, got[4] - got[3])
            if count(server.maildir("user1")) != n - 1000:
                note("%s: not 1000 were deleted" % server.name)
            shutil.rmtree(server.maildir("user1"))
    for way in ("cold", "warm"):
        for key, text in (("login", "log in"), ("uidl", "log in, STAT, UIDL")):
            run.table.against("%d messages, %s: %s, s" % (n, way, text),
                              "big.%s.%s" % (key, way), "dovecot")
    run.table.against("%d messages: RETR 50 at a time, msg/s" % n, "big.retr",
                      "dovecot")
    run.table.against("DELE of 1000 and QUIT, s", "big.delete", "dovecot")
    run.table.against("peak memory of the session, MiB", "big.peak",
                      "dovecot")


ALL = (("pop3", pop3), ("login", login), ("idle", idle), ("big", big))
