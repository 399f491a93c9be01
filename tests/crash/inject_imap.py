"""Each system call of an IMAP session fails or is the session's last: with strace(1) the n-th openat, write, fsync, renameat ... of
APPEND, COPY, MOVE, STORE, EXPUNGE, SELECT and FETCH ends with EIO and others, or with SIGKILL. What was acknowledged is there, what was
refused is there at most once and whole, flags stay, UIDs neither go back nor mean two messages, and the session answers or says BYE.
As root. PH_SEED repeats a run, PH_ROUNDS sets the seconds, PH_ONLY="append/openat:error=EIO:when=3" is one case.
TAP on standard output."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e/lib"))
from imap import Imap  # noqa: E402
from imapbox import User, letter  # noqa: E402
from stage import Stage, is_alive, wait_for  # noqa: E402
from strace import missing, survey, traced  # noqa: E402
from tap import Tap, is_long, seed  # noqa: E402

SECONDS = int(os.environ.get("PH_ROUNDS") or (500 if is_long() else 13))     # all are tried, if there is time
ERRORS = {
    "openat": ("EIO", "ENOSPC", "EMFILE", "ENOMEM", "EACCES", "EROFS"),
    "write": ("ENOSPC", "EIO", "EDQUOT"), "pwrite64": ("ENOSPC", "EIO"),
    "fsync": ("EIO", "ENOSPC"), "fdatasync": ("EIO", "ENOSPC"),
    "renameat": ("EIO", "ENOSPC", "EROFS"), "renameat2": ("EIO", "ENOSPC", "EROFS"),
    "linkat": ("EIO", "ENOSPC", "EPERM", "EMLINK"), "unlinkat": ("EIO", "EROFS"),
    "read": ("EIO",), "pread64": ("EIO",), "getdents64": ("EIO", "ENOMEM"),
    "fstat": ("EIO", "ENOMEM"), "newfstatat": ("EIO", "EACCES", "ENOMEM"), "statx": ("EIO",),
    "mmap": ("ENOMEM",), "mremap": ("ENOMEM",), "munmap": ("ENOMEM",),
    "flock": ("ENOLCK", "EIO"), "ftruncate": ("EIO",), "utimensat": ("EIO",), "fchmod": ("EPERM",),
    "copy_file_range": ("EIO", "EXDEV", "ENOSPC"), "lseek": ("EIO",), "sync_file_range": ("EIO",),
    "fcntl": ("EINVAL",), "sendto": ("EPIPE",), "recvfrom": ("ECONNRESET",),
}
NO = (b"NO [UNAVAILABLE]", b"NO [NOPERM]", b"NO [OVERQUOTA]", b"NO [LIMIT]", b"NO [SERVERBUG]", b"NO [INUSE]", b"NO [EXPUNGEISSUED]",
      b"NO [TRYCREATE]", b"NO [NONEXISTENT]")
# The client cannot be told, or the C library ends the process that has no memory for its random numbers.
BROKEN = ("sendto", "recvfrom", "mmap")
FRESH = {"select": True, "first select": True}     # not selected before


class Bench:
    def __init__(self, stage):
        self.stage = stage
        self.user = User(stage, "alice")
        self.user.fill()
        self.known = {}     # (folder, validity, uid): subject
        self.uids = {}      # (folder, validity, subject): uid
        self.next = {}      # (folder, validity): UIDNEXT
        self.wrong = []
        self.n = 0
        self.told = self.refused = self.cut = 0
        self.c = Imap(stage, "alice", timeout=120)     # which only looks
        self.looker = self.pid = 0
        self.looker = self.session()

    def session(self):
        """The one beside that which looks."""
        self.pid = wait_for(lambda: [p for p, _ in self.stage.processes("imapd-session") if p != self.looker], 60, 0.01)[-1]
        return self.pid

    def gone(self):
        return wait_for(lambda: not is_alive(self.pid), 60, 0.005)

    def plain(self, n=4):
        """There are always enough messages, by another program."""
        u = self.user
        have = [s for s in u.model[""]]
        while len(have) < n:
            self.n += 1
            name = "p%d" % self.n
            path = "%s/cur/%d.M1P%d.here:2,S" % (u.dir, 1700001000 + self.n, self.n)
            with open(path, "wb") as f:
                f.write(letter(name.encode(), 300).replace(b"\r\n", b"\n"))
            os.chown(path, *u.ids)
            u.model[""][name] = {"\\Seen"}
            have.append(name)
        return have

    def prepare(self, what):
        """The command, and the ways in which the folders may look after it, if it is done; folder: subject: flags or None."""
        u = self.user
        have = self.plain()
        a, b = have[self.n % len(have)], have[(self.n + 1) % len(have)]
        self.n += 1
        name = "n%d" % self.n
        if what == "append":
            data, other = letter(name.encode(), 2000), letter(b"x" + name.encode(), 100)
            return b"APPEND INBOX (\\Draft $w) {%d+}\r\n%s (\\Seen) {%d+}\r\n%s" % (len(data), data, len(other), other), \
                {"": {name: {"\\Draft", "$w"}, "x" + name: {"\\Seen"}}}, None
        if what == "append much":
            data = letter(name.encode(), 300000)
            return b"APPEND Moved {%d+}\r\n%s" % (len(data), data), {"Moved": {name: set()}}, None
        if what == "copy":
            fresh = [s for s in have if s not in u.model["Copies"]]
            if not fresh:
                for f in os.listdir(u.dir + "/.Copies/cur"):
                    os.unlink(u.dir + "/.Copies/cur/" + f)
                u.model["Copies"] = {}
                fresh = have
            a = fresh[0]
            return b"UID COPY %d Copies", {"Copies": {a: set(u.model[""][a])}}, a
        if what == "move":
            return b"UID MOVE %d Moved", {"": {a: None}, "Moved": {a: set(u.model[""][a])}}, a
        if what == "store":
            flag = "\\Flagged" if "\\Flagged" not in u.model[""][a] else "k%d" % (self.n % 20)
            return b"UID STORE %%d +FLAGS (%s)" % flag.encode(), {"": {a: u.model[""][a] | {flag}}}, a
        if what == "expunge":
            path = [f for f in os.listdir(u.dir + "/cur")]
            path = next(f for f in path if open(u.dir + "/cur/" + f, "rb").read().startswith(b"Subject: %s\n" % b.encode()))
            if "T" not in path.rpartition(":2,")[2]:
                os.rename(u.dir + "/cur/" + path, u.dir + "/cur/" + path + "T")
                u.model[""][b] = u.model[""][b] | {"\\Deleted"}
            return b"UID EXPUNGE %d", {"": {b: None}}, b
        if what == "fetch":
            for f in ("posthouse.cache", "posthouse.texts"):
                if self.n % 2 and os.path.exists(u.dir + "/" + f):
                    os.unlink(u.dir + "/" + f)
            return b"UID FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE BODY.PEEK[])", {}, None
        if what == "first select":
            for f in ("posthouse.index",):
                if os.path.exists(u.dir + "/" + f):
                    os.unlink(u.dir + "/" + f)
        if what in FRESH:
            path = "%s/new/%d.M1P%d.here" % (u.dir, 1700009000 + self.n, self.n)
            with open(path, "wb") as f:
                f.write(letter(name.encode(), 300).replace(b"\r\n", b"\n"))
            os.chown(path, *u.ids)
            u.model[""][name] = set()
            return b"SELECT INBOX", {}, None
        raise ValueError(what)

    def begin(self, what):
        c = Imap(self.stage, "alice", timeout=120)
        line, after, subject = self.prepare(what)
        if what not in FRESH:
            c.ok(b"SELECT INBOX")
        if subject:
            said, _ = c.ok(b"UID SEARCH HEADER Subject " + subject.encode())
            uids = [int(x) for x in said[0].split()[1:]]
            # "n1" is in "n11", too
            for uid in uids:
                got = b"".join(c.ok(b"UID FETCH %d BODY.PEEK[HEADER.FIELDS (Subject)]" % uid)[0])
                if b"Subject: %s\r\n" % subject.encode() in got:
                    line = line % uid
                    break
            else:
                raise RuntimeError("no UID of %s: %s" % (subject, said))
        return c, line, after

    def calls(self, what):
        c, line, after = self.begin(what)
        pid = self.session()
        most = survey([pid], lambda: c.command(line))
        c.command(b"NOOP")
        c.close()
        self.gone()
        self.judge(what, b"?", after)
        return most

    def case(self, what, spec):
        c, line, after = self.begin(what)
        pid = self.session()
        said, done = [], None
        with traced([pid], spec):
            try:
                said, done = c.command(line)
            except Exception as e:      # the connection broke in a response
                said = [repr(e).encode()]
        if done is not None and "KILL" not in spec:
            # the session can still be used
            more, again = c.command(b"NOOP")
            if again is None and not any(x.startswith(b"BYE") for x in said + more) and not spec.startswith(BROKEN):
                self.wrong.append((what, spec, "ended after", done))
        c.close()
        if not self.gone():
            self.wrong.append((what, spec, "the session stays"))
        if done is None and "KILL" not in spec and not any(x.startswith(b"BYE") for x in said) and \
                not spec.startswith(BROKEN):
            self.wrong.append((what, spec, "no answer and no BYE", said[-2:]))
        if done is not None and not done.startswith(b"OK") and not done.startswith(NO):
            self.wrong.append((what, spec, done))
        self.told += done is not None and done.startswith(b"OK")
        self.refused += done is not None and done.startswith(b"NO")
        self.cut += done is None
        if os.environ.get("PH_VERBOSE"):
            print("# %s/%s: %s" % (what, spec, (done or b"end")[:70].decode()), flush=True)
        self.judge((what, spec), done, after)

    def judge(self, what, done, after):
        """The folders against what they were, and what they were to become."""
        u = self.user
        found = u.disk()
        ok = done is not None and done.startswith(b"OK")
        moved = [s for s, f in after.get("", {}).items() if f is None and s in after.get("Moved", {})]
        for folder, there in u.model.items():
            wants = after.get(folder, {})
            for s in set(there) | set(found[folder]) | set(wants):
                is_there, was, then = found[folder].get(s), there.get(s), wants.get(s, there.get(s))
                good = (then,) if ok else (was, then)
                if is_there not in good and not (isinstance(is_there, set) and isinstance(was, set) and isinstance(then, set) and not ok and
                                                 was <= is_there <= then):
                    self.wrong.append((what, done, folder, s, is_there, good))
        for s in moved:
            if (s in found[""]) == (s in found["Moved"]):
                self.wrong.append((what, done, s, "is in both, or in none"))
        self.wrong += [(what, done) + w for w in u.wrong]
        u.wrong = []
        u.model = found
        self.look(what)

    def look(self, what):
        """UIDs, and whether all is shown; what could not be numbered is tried again after a second."""
        c = self.c
        for folder in self.user.model:
            for _ in range(200):
                said, _ = c.ok(b"STATUS %s (MESSAGES)" % (folder.encode() or b"INBOX"))
                if b"MESSAGES %d)" % len(self.user.model[folder]) in said[0]:
                    break
                time.sleep(0.1)
            said, _ = c.ok(b"EXAMINE " + (folder.encode() or b"INBOX"))
            numbers = dict(re.findall(rb"\[(UID[A-Z]+) (\d+)\]", b" ".join(said)))
            validity, following = int(numbers[b"UIDVALIDITY"]), int(numbers[b"UIDNEXT"])
            if following < self.next.get((folder, validity), 0):
                self.wrong.append((what, folder, "UIDNEXT goes back", following))
            self.next[folder, validity] = following
            if len({v for f, v in self.next if f == folder}) > 1:
                self.wrong.append((what, folder, "the validity changes", [x for x in self.next if x[0] == folder]))
                del self.next[folder, validity]
            seen = {}
            for s in c.ok(b"UID FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]")[0]:
                m = re.search(rb"UID (\d+) .*Subject: (\S+)", s, re.S)
                if not m:
                    continue
                uid, subject = int(m.group(1)), m.group(2).decode()
                seen[subject] = uid
                if self.known.setdefault((folder, validity, uid), subject) != subject:
                    self.wrong.append((what, folder, uid, "means", self.known[folder, validity, uid], "and", subject))
                old = self.uids.get((folder, validity, subject))
                if old is not None and old != uid:
                    self.wrong.append((what, folder, subject, "was", old, "is", uid))
            # one that was gone meanwhile is another
            for key in [k for k in self.uids if k[0] == folder]:
                del self.uids[key]
            for subject, uid in seen.items():
                self.uids[folder, validity, subject] = uid
            if set(seen) != set(self.user.model[folder]):
                self.wrong.append((what, folder, "shown", set(seen) ^ set(self.user.model[folder])))


def specs(calls, rng):
    """All that can be tried of a command, in an order at random."""
    out = []
    for call, most in calls.items():
        for n in range(1, most + 1):
            out.append("%s:signal=KILL:when=%d" % (call, n))
            out += ["%s:error=%s:when=%d" % (call, e, n) for e in ERRORS.get(call, ())]
        out += ["%s:error=%s" % (call, e) for e in ERRORS.get(call, ()) if call not in BROKEN]
    rng.shuffle(out)
    return out


def main():
    tap = Tap()
    why = missing()
    if why:
        tap.skip("failing system calls of IMAP", why)
        return tap.end()
    rng = seed(tap)
    stage = Stage("imap.user-connections 0\n")
    only = os.environ.get("PH_ONLY")       # "append/openat:error=EIO:when=3"
    try:
        stage.up()
        bench = Bench(stage)
        bench.look("at first")
        kinds = ("append", "append much", "copy", "move", "store", "expunge", "fetch", "select", "first select")
        left = {k: specs(bench.calls(k), rng) for k in kinds} if not only else {only.split("/")[0]: [only.split("/")[1]]}
        tap.diag("%d cases" % sum(len(x) for x in left.values()))
        until, done, shown = time.monotonic() + SECONDS, 0, 0
        # on a slow machine until there was one of each
        while any(left.values()) and (only or time.monotonic() < until or not (bench.told and bench.refused and bench.cut)):
            for k in list(left):
                if left[k]:
                    try:
                        spec = left[k].pop()
                        bench.case(k, spec)
                    except Exception as e:
                        bench.wrong.append((k, spec, repr(e)[:300]))
                        bench.gone()
                        bench.user.model = bench.user.disk()
                    done += 1
                    for w in bench.wrong[shown:]:
                        tap.diag(w)
                    shown = len(bench.wrong)
        tap.diag("%d tried: %d OK, %d NO, %d ended" % (done, bench.told, bench.refused, bench.cut))
        tap.ok(only or (bench.told and bench.refused and bench.cut), "commands go well, are refused, and are cut off", done)
        tap.ok(not bench.wrong, "nothing is lost, doubled, torn or told wrong", "\n".join(map(str, bench.wrong[:12])))
        rest = stage.down()
        tap.ok(not rest, "no process is left", rest)
    finally:
        if tap.failed:
            sys.stderr.write(stage.log()[-1500:])
        stage.down()
        stage.remove()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
