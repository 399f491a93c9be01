"""A stage of one's own: started, killed in parts, looked into, and removed."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))))
sys.path.insert(1, os.path.join(TOP, "tests"))
from free_ports import free_base  # noqa: E402

USERS = ("alice", "bob", "carol")
ALIASES = ("team: alice, bob, carol\npair: alice, carol\n"
           "later: \"|exit 75\"\n")


def wait_for(what, seconds, step=0.05):
    """What it returned as soon as it is true, else its last value."""
    end = time.monotonic() + seconds
    while True:
        got = what()
        if got or time.monotonic() > end:
            return got
        time.sleep(step)


def is_root():
    return os.geteuid() == 0


def is_helper(pid):
    """A process that queue forked to close files does no mail."""
    try:
        with open("/proc/%s/stat" % pid) as f:
            name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
        # it has not got its own name yet just after the fork
        return name == "queue-closer" or os.path.basename(os.readlink(
            "/proc/%s/exe" % rest.split()[1])) == "queue"
    except (OSError, IndexError):
        return False


class Stage:
    def __init__(self, conf="", spool=None, mail=None):
        """spool, mail: directories made beforehand, on other file systems."""
        self.dir = tempfile.mkdtemp(prefix="posthouse-crash.")
        os.chmod(self.dir, 0o755)
        self.ports(free_base())
        self.conf = os.path.join(self.dir, "posthouse.conf")
        self.spool = os.path.join(self.dir, "spool")
        self.masters = []
        self.bin = self.dir + "/bin"
        if spool:
            os.symlink(spool, self.spool)
            self.spool = spool
        if mail:
            os.symlink(mail, os.path.join(self.dir, "mail"))
        self.more = conf

    def ports(self, base):
        self.base = base
        self.smtp, self.lmtp = base + 25, base + 24

    def up(self, build=None):
        extra = os.path.join(self.dir, "extra.conf")
        aliases = os.path.join(self.dir, "more.aliases")
        with open(aliases, "w") as f:
            f.write(ALIASES)
        os.chmod(aliases, 0o644)
        with open(extra, "w") as f:
            f.write('aliases "%s"\n' % aliases)
            if self.spool != os.path.join(self.dir, "spool"):
                f.write('spool "%s"\n' % self.spool)
            f.write(self.more)
        env = dict(os.environ, STAGE_CONF=extra)
        if build:
            env["PH_BUILD"] = build
        for _ in range(5):      # another may have taken the ports meanwhile
            out = subprocess.run([TOP + "/tests/stage", "up", self.dir,
                                  str(self.base)], cwd=TOP, env=env,
                                 stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True)
            if "already in use" not in out.stderr:
                break
            self.ports(free_base())
        if out.returncode != 0:
            raise RuntimeError("stage up: " + out.stdout + out.stderr)
        self.bin = os.path.realpath(self.dir + "/bin")

    def down(self):
        """What is left of it afterwards: processes, as text."""
        out = subprocess.run([TOP + "/tests/stage", "down", self.dir,
                              str(self.base)], cwd=TOP, capture_output=True,
                             stdin=subprocess.DEVNULL, text=True)
        left = self.processes()
        for m in self.masters:
            m.wait()
        return out.stdout + out.stderr + " ".join(
            "%d:%s" % x for x in left)

    def remove(self):
        for pid, _ in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        aside = self.dir + "/aside"
        if os.path.exists(aside):
            shutil.rmtree(open(aside).read().strip(), ignore_errors=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def processes(self, name=None):
        """(pid, program) of all that run a program of this stage. Which file a
        process runs only root is told of programs that are not dumpable:
        others find the descendants of the master."""
        found = []
        for p in os.listdir("/proc"):
            if not p.isdigit():
                continue
            try:
                exe = os.readlink("/proc/%s/exe" % p)
            except PermissionError:
                exe = self.descendant(int(p))
            except OSError:
                continue
            exe = exe.removesuffix(" (deleted)")
            if os.path.dirname(exe) == self.bin and (
                    name is None or os.path.basename(exe) == name
                    and not is_helper(p)):
                found.append((int(p), os.path.basename(exe)))
        return sorted(found)

    def descendant(self, pid):
        try:
            with open("/proc/%d/comm" % pid) as f:
                exe = self.bin + "/" + f.read().strip()
        except OSError:
            return ""
        master = self.master_pid()
        while pid > 1 and pid != master:
            pid = parent(pid)
        return exe if master > 1 and pid == master else ""

    def posthouse(self, *args, timeout=60):
        return subprocess.run([self.bin + "/posthouse", "-f", self.conf,
                               *args], capture_output=True, text=True,
                              timeout=timeout)

    def status(self):
        """{program: (pid, state, restarts)}; {} without a master."""
        rows = {}
        for line in self.posthouse("status").stdout.splitlines()[2:]:
            f = line.split()
            if len(f) >= 4:
                pid = int(f[1]) if f[1].isdigit() else 0
                rows[f[0]] = (pid, f[2], int(f[3]))
        return rows

    def all_running(self):
        rows = self.status()
        return bool(rows) and all(r[1] == "running" for r in rows.values())

    def master_pid(self):
        try:
            with open(self.dir + "/run/posthouse.pid") as f:
                pid = int(f.read())
        except (OSError, ValueError):
            return 0
        return pid if is_alive(pid) else 0

    def start_master(self, kill=0):
        """As after a crash: at once, by whatever watches over it."""
        err = open(self.dir + "/log/stderr", "ab")
        m = subprocess.Popen(["sh", "-c", 'read x; exec "$1" -F -f "$2"', "sh",
                              self.bin + "/posthouse", self.conf],
                             stdin=subprocess.PIPE, stdout=err, stderr=err,
                             start_new_session=True)
        if kill:
            os.kill(kill, signal.SIGKILL)
            while is_alive(kill):
                pass
        m.stdin.close()
        err.close()
        self.masters.append(m)
        return m

    def log(self):
        try:
            with open(self.dir + "/log/posthouse.log", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def maildir(self, user):
        return os.path.join(os.path.realpath(self.dir + "/mail"), user,
                            "Maildir")

    def files(self, *places):
        """Regular files below these directories of the spool."""
        found = []
        for place in places:
            for d, _, names in os.walk(os.path.join(self.spool, place)):
                for n in names:
                    p = os.path.join(d, n)
                    if "/sock" not in p[len(self.spool):]:
                        found.append(p)
        return found

    def waiting(self):
        return self.files("incoming/new", "drop/new", "queue")

    def settle(self, seconds):
        """Until nothing is left to deliver; what is left."""
        wait_for(lambda: not self.waiting(), seconds, 0.1)
        return self.waiting()


def state(pid):
    """As proc(5) has it: R, S, T, Z ...; "" if it has gone."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def is_alive(pid):
    return state(pid) not in ("Z", "X", "")


def parent(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return int(f.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def children(pid):
    found = []
    for p in os.listdir("/proc"):
        if p.isdigit() and parent(int(p)) == pid:
            found.append(int(p))
    return found
