"""What the measurements share: settings, processes and their memory, Maildirs,
figures and the table of them."""
import os
import statistics
import subprocess
import time


def setting(name, default):
    """From the environment, converted to the type of the default."""
    value = os.environ.get(name, "")
    return type(default)(value) if value else default


def note(text):
    print("# " + text, flush=True)


def wait_until(ready, seconds, nap=0.02):
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(nap)
    return True


def count(maildir):
    n = 0
    for sub in ("new", "cur"):
        try:
            with os.scandir(os.path.join(maildir, sub)) as it:
                n += sum(1 for _ in it)
        except FileNotFoundError:
            pass
    return n


def arrival(maildir, target, seconds):
    """Waits for so many messages; how many there are, and when it saw that."""
    end = time.monotonic() + seconds
    while True:
        n = count(maildir)
        now = time.monotonic()
        if n >= target or now > end:
            return n, now
        time.sleep(0.02 if target - n < 500 else 0.1)


def tree(root):
    """A process and all that descend from it."""
    children = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(pid))
    found, todo = set(), [root]
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo += children.get(pid, [])
    return found


def pss_kib(pids):
    total = 0
    for pid in pids:
        try:
            with open("/proc/%d/smaps_rollup" % pid) as f:
                total += sum(int(l.split()[1]) for l in f
                             if l.startswith("Pss:"))
        except OSError:
            pass
    return total


def cpu_seconds(pids):
    """Of these processes and their children that have ended."""
    ticks = 0
    for pid in pids:
        try:
            with open("/proc/%d/stat" % pid) as f:
                ticks += sum(map(int, f.read().rsplit(")", 1)[1].split()[11:15]))
        except OSError:
            pass
    return ticks / os.sysconf("SC_CLK_TCK")


def rss_kib(root, name, which="VmRSS"):
    """VmRSS, or VmHWM, its peak, of the one process of this name below root."""
    for pid in tree(root):
        try:
            with open("/proc/%d/comm" % pid) as f:
                if f.read().strip() != name:
                    continue
            with open("/proc/%d/status" % pid) as f:
                return sum(int(l.split()[1]) for l in f
                           if l.startswith(which + ":"))
        except OSError:
            pass
    return None


def filesystem(path):
    """What lies below: its type, and with ext4 whether it has a journal."""
    out = subprocess.run(["findmnt", "-no", "SOURCE,FSTYPE", "-T", path],
                         stdout=subprocess.PIPE, text=True).stdout.split()
    if len(out) != 2:
        return "unknown file system"
    source, kind = out
    if kind != "ext4":
        return kind
    task = "/sys/fs/ext4/%s/journal_task" % os.path.basename(
        os.path.realpath(source))
    try:
        with open(task) as f:
            return "ext4" if f.read().strip() != "<none>" \
                else "ext4 WITHOUT A JOURNAL"
    except OSError:
        return "ext4, journal unknown"


class Figures:
    """Values of several rounds under (name, whose)."""

    def __init__(self):
        self.values = {}

    def add(self, name, whose, value):
        self.values.setdefault((name, whose), []).append(value)

    def median(self, name, whose):
        got = self.values.get((name, whose))
        return statistics.median(got) if got else None

    def text(self, name, whose):
        got = self.values.get((name, whose))
        if not got:
            return "-"
        if len(got) == 1:
            return number(got[0])
        return "%s [%s-%s]" % (number(statistics.median(got)),
                               number(min(got)), number(max(got)))


def number(x):
    return "%.0f" % x if abs(x) >= 100 else "%.3g" % x


class Table:
    """One row for each goal; printed at the end."""

    def __init__(self, figures):
        self.figures = figures
        self.rows = []

    def against(self, title, name, peer, least=None, most=None, own=None):
        """Ours compared with a peer's: the ratio must be at least or at most. own:
        figures of what the client itself computes, in percent of the time; a server
        that took no time would reach the ratio divided by it."""
        f = self.figures
        ours, theirs = f.median(name, "posthouse"), f.median(name, peer)
        ratio = ours / theirs if ours is not None and theirs else None
        goal = ">= %gx" % least if least else "<= %gx" % most if most else ""
        met = ""
        if goal:
            met = "not measured" if ratio is None else "met" if (
                ratio >= least if least else ratio <= most) else "NOT MET"
        client = f.median(own, "posthouse") if own else None
        if met == "NOT MET" and client and ratio * 100 / client < least:
            met += ", no server could: %.2f at most" % (ratio * 100 / client)
        self.rows.append((title, f.text(name, "posthouse"), peer,
                          f.text(name, peer),
                          "-" if ratio is None else "%.2f" % ratio,
                          goal, met))

    def absolute(self, title, name, most=None):
        ours = self.figures.median(name, "posthouse")
        goal = "<= %g" % most if most is not None else ""
        met = ""
        if goal:
            met = "not measured" if ours is None else \
                "met" if ours <= most else "NOT MET"
        self.rows.append((title, self.figures.text(name, "posthouse"), "",
                          "", "", goal, met))

    def show(self):
        head = ("goal", "posthouse", "peer", "its figure", "ratio", "wanted",
                "")
        rows = [head] + self.rows
        widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
        print()
        for row in rows:
            print("  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip())
