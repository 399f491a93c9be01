"""The measurements of mail for other hosts. smtp-sink(1) of Postfix takes it."""
import os
import re
import shutil
import socket
import subprocess
import threading
import time

from lib import note, wait_until
from servers import ADDR


class Sink:
    """smtp-sink(1), which counts what it takes."""

    def __init__(self, port):
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        self.n, self.last = 0, time.monotonic()
        self.process = subprocess.Popen(
            ["smtp-sink", "-c", *user, "%s:%d" % (ADDR, port), "400"],
            stdout=subprocess.PIPE, bufsize=0)
        threading.Thread(target=self.read, daemon=True).start()
        if not wait_until(lambda: self.answers(port), 10):
            raise SystemExit("smtp-sink does not answer")

    @staticmethod
    def answers(port):
        try:
            socket.create_connection((ADDR, port), 1).close()
            return True
        except OSError:
            return False

    def read(self):
        tail = b""
        while True:
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return
            tail = (tail + data)[-400:]
            found = re.findall(rb"mesg=(\d+)\s", tail)
            if found and int(found[-1]) != self.n:
                self.n, self.last = int(found[-1]), time.monotonic()

    def wait(self, n, seconds):
        wait_until(lambda: self.n >= n, seconds, 0.005)
        return self.n

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Silent:
    """Hosts that take connections and never say a word: 127.0.1.N."""

    def __init__(self, n, port):
        self.listeners = []
        for i in range(1, n + 1):
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.1.%d" % i, port))
            s.listen(100)
            self.listeners.append(s)

    def stop(self):
        for s in self.listeners:
            s.close()


def free_port():
    with socket.socket() as s:
        s.bind((ADDR, 0))
        return s.getsockname()[1]


def source(server, sessions, n, to):
    subprocess.run(["smtp-source", "-s", str(sessions), "-m", str(n), "-l",
                    "4096", "-f", "sender@client.test", "-t", to, "-M",
                    "client.test", "%s:%d" % (ADDR, server.port)],
                   check=True, stdout=subprocess.DEVNULL)


def missing():
    for name in ("smtp-source", "smtp-sink"):
        if not shutil.which(name):
            note("%s (package postfix) is missing: no such figures" % name)
            return True
    return False


def one_relay(run, server, sink, key, sessions, n):
    start, begin = sink.n, time.monotonic()
    source(server, sessions, n, "x@relay.test")
    got = sink.wait(start + n, 120) - start
    if got != n:
        note("%s: %d of %d messages did not come" % (server.name, n - got, n))
        return
    run.figures.add(key, server.name, n / (sink.last - begin))
    time.sleep(1)


def relay(run):
    """From SMTP to the next host, end to end."""
    if missing():
        return
    port = free_port()
    sink = Sink(port)
    n = run.quick and 400 or 1500
    for server in run.servers:
        server.send_to({"relay.test": (ADDR, port)})
    run.servers_up()
    try:
        for server in run.servers:
            one_relay(run, server, sink, "relay.warm", 1, 50)
        for r in range(run.rounds):
            for sessions in (1, 20, 50):
                for server in run.servers:
                    one_relay(run, server, sink, "relay.%d" % sessions,
                              sessions, n)
            note("relay: round %d of %d" % (r + 1, run.rounds))
    finally:
        sink.stop()
        run.servers_down()
    for sessions in (1, 20, 50):
        run.table.against("relayed to a sink, %d sessions, msg/s" % sessions,
                          "relay.%d" % sessions, "postfix", least=2)


def one_drain(run, server, port, n):
    before = server.manager_kib()
    source(server, 20, n, "x@relay.test")
    time.sleep(5)
    run.figures.add("drain.waiting", server.name,
                    (server.manager_kib() - before) * 1024 / n)
    sink = Sink(port)
    begin = time.monotonic()
    server.flush()
    got = sink.wait(n, 300)
    if got == n:
        run.figures.add("drain", server.name, n / (sink.last - begin))
        run.figures.add("drain.peak", server.name,
                        (server.manager_kib("VmHWM") - before) * 1024 / n)
    else:
        note("%s: %d of %d messages did not come" % (server.name, n - got, n))
    sink.stop()


def drain(run):
    """Queued while the next host is down, then let go."""
    if missing():
        return
    port = free_port()
    n = run.quick and 2000 or 20000
    for server in run.servers:
        server.send_to({"relay.test": (ADDR, port)})
    for r in range(run.rounds):
        for server in run.servers:
            server.up()
            try:
                one_drain(run, server, port, n)
            finally:
                server.down()
        note("drain: round %d of %d" % (r + 1, run.rounds))
    run.table.against("%d queued, then drained, msg/s" % n, "drain",
                      "postfix", least=2)
    # a tenth of the 1.1 KB that qmgr has for one it works on; what it has
    # deferred it has on the disk only, so the two cannot be compared here
    run.table.absolute("the same: bytes of queue's memory each that waits",
                       "drain.waiting", most=110)
    run.table.against("the same: bytes of the manager each, at its peak",
                      "drain.peak", "postfix")


def live_rate(server, sink, n):
    start, begin = sink.n, time.monotonic()
    source(server, 10, n, "x@live.test")
    if sink.wait(start + n, 300) != start + n:
        note("%s: the live destination did not get all" % server.name)
        return None
    return n / (sink.last - begin)


def one_dead(run, server, sink, hosts, n):
    """The live destination alone, then beside the dead ones; one server."""
    server.up()
    try:
        live_rate(server, sink, 100)
        alone = live_rate(server, sink, n)
        for i in range(hosts):
            source(server, 10, 100, "x@dead%d.test" % (i + 1))
        time.sleep(3)
        beside = live_rate(server, sink, n)
        if alone and beside:
            run.figures.add("dead.alone", server.name, alone)
            run.figures.add("dead.beside", server.name, beside)
            run.figures.add("dead.lost", server.name,
                            100 * (1 - beside / alone))
    finally:
        server.down()


def dead(run):
    """100 dead destinations with 100 messages each beside one that lives."""
    if missing():
        return
    hosts, n = run.quick and 20 or 100, run.quick and 500 or 3000
    port, silent = free_port(), free_port()
    hosts_up = Silent(hosts // 2, silent)
    routes = {"live.test": (ADDR, port)}
    for i in range(1, hosts + 1):
        # half of them take connections and are silent, half refuse
        routes["dead%d.test" % i] = ("127.0.1.%d" % i, silent)
    sink = Sink(port)
    try:
        for r in range(run.rounds):
            for server in run.servers:
                shutil.rmtree(server.dir, ignore_errors=True)
                server.send_to(routes)
                one_dead(run, server, sink, hosts, n)
            note("dead: round %d of %d" % (r + 1, run.rounds))
    finally:
        sink.stop()
        hosts_up.stop()
    run.table.against("live destination alone, msg/s", "dead.alone", "postfix")
    run.table.against("beside %d dead ones, msg/s" % hosts, "dead.beside",
                      "postfix")
    run.table.absolute("what the live one loses, %", "dead.lost", most=10)


ALL = (("relay", relay), ("drain", drain), ("dead", dead))
