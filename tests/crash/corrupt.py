"""Spool files that are cut, overwritten, zeroed, somebody else's, no files at
all, or have names that are none, in every directory of the spool; and garbage
on each socket, as the user who may connect. The daemons go on, say what they
found, put aside what makes no sense, and deliver all the rest.
TAP on standard output."""
import os
import random
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import spoolfile  # noqa: E402
from mail import Line, Post, field, until_seen  # noqa: E402
from stage import Stage, is_root, wait_for  # noqa: E402
from tap import Tap, is_long, seed  # noqa: E402

CONF = ("queue.retry-first 1s\nqueue.retry-max 1s\nqueue.scan-interval 1s\n"
        "local.idle-timeout 2s\nlog-level debug\n")
SHARD = "zz"


def broken(rng, id, data):
    """(what it is, bytes) that no reader may take for a message."""
    head = data.index(b"\n\n") + 2
    at = data.index(b"s1:w,\n")
    yield "empty", b""
    yield "one byte", b"V"
    yield "cut in the head", data[:head // 2]
    yield "cut behind the head", data[:head]
    yield "cut in the content", data[:head + 100]
    yield "cut in the trailer", data[:-20]
    yield "cut by one byte", data[:-1]
    yield "one byte too many", data + b"\n"
    yield "zeros", bytes(len(data))
    yield "zeros in the head", bytes(head) + data[head:]
    yield "zeros at the end", data[:-200] + bytes(200)
    yield "noise", bytes(rng.getrandbits(8) for _ in range(len(data)))
    yield "noise in front", b"\xff\xfe" + data
    yield "another's id", data.replace(id.encode(), spoolfile.new_id().encode())
    yield "another version", data.replace(b"V1:1,", b"V1:2,", 1)
    yield "a state that is none", data[:at] + b"s1:q,\n" + data[at + 6:]
    yield "no recipient", data[:data.index(b"\nr") + 1] + data[head - 1:]
    yield "a length beyond the end", data.replace(b"T13:", b"T99999999:", 1)
    yield "a length beyond 64 bits", data.replace(b"T13:", b"T" + b"9" * 30, 1)
    yield "a line end in an address", data.replace(
        field("r", "bob@example.test"), field("r", "bob\n@example.te"), 1)
    yield "content longer than it says", data.replace(
        b"\nL16:", b"more\nL16:", 1)
    yield "twice", data + data


class Spoiler:
    def __init__(self, tap, rng, stage, post):
        self.tap, self.rng, self.stage, self.post = tap, rng, stage, post
        self.expect = []        # ids that have to be in corrupt

    def good(self, user="bob"):
        """A whole message as a file: (letter, id, bytes)."""
        letter = self.post.write([user + "@example.test"], 400)
        id = spoolfile.new_id()
        return letter, id, spoolfile.make(
            id, [(letter.rcpts[0], None)], letter.content)

    def place(self, where, id, data):
        """Into incoming, drop, queue or hold, with the right owner."""
        if where in ("incoming", "drop"):
            spoolfile.put(self.stage, where, id, data)
            return "%s/%s/new/%s" % (self.stage.spool, where, id)
        return self.own(where, self.path(where, id), data)

    def path(self, where, name):
        shard = SHARD if where in ("queue", "status") else "."
        if where in ("incoming", "drop"):
            shard = "new"
        d = os.path.join(self.stage.spool, where, shard)
        if not os.path.isdir(d):
            os.mkdir(d, 0o700)
            self.give(d)
        return os.path.join(d, name)

    def give(self, path):
        if is_root():
            st = os.stat(self.stage.spool + "/queue")
            os.lchown(path, st.st_uid, st.st_gid)

    def own(self, where, path, data):
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, 0o600)
        self.give(path)
        return path

    def files(self, where):
        """Every broken file, each followed by a whole one."""
        letters = []
        _, id, data = self.good()
        for what, _ in list(broken(self.rng, id, data)):
            letter, id, data = self.good()
            letter.fate = "unsent"
            bad = dict(broken(self.rng, id, data))[what]
            if bad == data:
                raise RuntimeError(what + " is not broken")
            self.place(where, id, bad)
            # of what users write no id is believed, so none can be wrong
            if (where, what) != ("drop", "another's id"):
                self.expect.append((where, what, id))
            letters.append(self.whole(where))
        return letters

    def whole(self, where, user="bob"):
        letter, id, data = self.good(user)
        if where == "queue":    # a shard is named by the id, like the file
            shard = self.stage.spool + "/queue/" + shard_of(id)
            if not os.path.isdir(shard):
                os.mkdir(shard, 0o700)
                self.give(shard)
            self.own(where, shard + "/" + id, data)
        else:
            self.place(where, id, data)
        letter.fate = "acked"
        return letter

    def no_files(self, where):
        """Links, pipes, sockets, directories, and names that are no ids."""
        made = []
        for what in ("link", "link to a message", "fifo", "directory",
                     "socket"):
            id = spoolfile.new_id()
            path = self.path(where, id)
            if what == "link":
                os.symlink("/etc/passwd", path)
            elif what == "link to a message":
                os.symlink(self.elsewhere, path)
            elif what == "fifo":
                os.mkfifo(path, 0o666)
            elif what == "directory":
                os.makedirs(path + "/inside")
            else:
                short = self.stage.dir + "/s"
                s = socket.socket(socket.AF_UNIX)
                s.bind(short)
                s.close()
                os.rename(short, path)
            made.append(path)
        for name in ("README", "-rf", ".hidden", "x" * 255, "q",
                     "cr84b8gc2g2yhg9tknz", "cr84b8gc2g2yhg9tknzjj", "CR84B8GC2G2YHG9TKNZJ",
                     b"\xff\xfe\n".decode("utf-8", "surrogateescape")):
            made.append(self.own(where, self.path(where, name), b"junk\n"))
        return made


def shard_of(id):
    """Bits 20 to 29 of the microseconds, as two characters."""
    n = 0
    for c in id:
        n = n << 5 | "0123456789abcdefghjkmnpqrstvwxyz".index(c)
    us = n >> 48
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    return digits[us >> 25 & 31] + digits[us >> 20 & 31]


def restart_queue(stage):
    stage.start_master(kill=stage.master_pid())
    return wait_for(stage.all_running, 75)


def all_came(tap, stage, post, letters, name):
    boxes = until_seen(stage, post, letters, 90)
    tap.ok(letters and not boxes.missing(letters), name,
           boxes.missing(letters)[:5])
    tap.ok(not boxes.torn and not boxes.strange, name + ", and nothing else",
           (boxes.torn[:5], boxes.strange[:5]))


def put_aside(tap, stage, s, where):
    mine = [e for e in s.expect if e[0] == where]

    def aside():
        have = set(os.listdir(stage.spool + "/corrupt"))
        return not [e for e in mine if e[2] not in have]
    good = wait_for(aside, 60)
    have = set(os.listdir(stage.spool + "/corrupt"))
    tap.ok(good, "%s: %d broken files are in corrupt" % (where, len(mine)),
           [e for e in mine if e[2] not in have])

    def silent():
        log = stage.log()
        return [e for e in mine if "corrupt id=%s why=\"" % e[2] not in log]
    tap.ok(wait_for(lambda: not silent(), 30), "%s: the log says of each why" % where, silent())


def spoil_new(tap, s, where):
    stage = s.stage
    s.whole(where)
    letters = s.files(where)
    odd = s.no_files(where)
    letters.append(s.whole(where))
    all_came(tap, stage, s.post, letters, "%s: whole ones are delivered" % where)
    put_aside(tap, stage, s, where)
    tap.ok(all(os.path.lexists(p) for p in odd),
           "%s: what is no message is left alone" % where,
           [p for p in odd if not os.path.lexists(p)])
    # a hint can name them all the same
    poke(stage, where, [os.path.basename(p) for p in odd[:5]])
    for p in odd:
        remove(p)


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        subprocess.run(["rm", "-rf", path])
    elif os.path.lexists(path):
        os.unlink(path)


def poke(stage, where, ids):
    c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connect(c, "%s/%s/sock/queue" % (stage.spool, where))
    for id in ids:
        c.send(field("V", "new") + field("I", id))
    c.close()


def connect(c, path):
    """Names in socket addresses are short."""
    here = os.open(os.path.dirname(path), os.O_PATH)
    try:
        c.connect("/proc/self/fd/%d/%s" % (here, os.path.basename(path)))
    finally:
        os.close(here)


def spoil_queue(tap, s):
    """What lies in queue is found at the start."""
    stage = s.stage
    letters = [s.whole("queue")]
    _, id, data = s.good()
    for what, _ in list(broken(s.rng, id, data)):
        letter, id, data = s.good()
        letter.fate = "unsent"
        shard = stage.spool + "/queue/" + shard_of(id)
        if not os.path.isdir(shard):
            os.mkdir(shard, 0o700)
            s.give(shard)
        s.own("queue", shard + "/" + id, dict(broken(s.rng, id, data))[what])
        s.expect.append(("queue", what, id))
        letters.append(s.whole("queue"))
    odd = s.no_files("queue")
    strange = s.own("queue", stage.spool + "/queue/junk", b"x")
    os.symlink("/etc", stage.spool + "/queue/ln")
    # the state of a delivery is told in status: it may be anything
    for kind in ("directory", "link", "noise"):
        letters.append(s.whole("queue"))
        id = sorted(n for d, _, f in os.walk(stage.spool + "/queue")
                    for n in f if len(n) == 20)[-1]
        d = stage.spool + "/status/" + shard_of(id)
        if not os.path.isdir(d):
            os.mkdir(d, 0o700)
            s.give(d)
        if kind == "directory":
            os.mkdir(d + "/" + id)
        elif kind == "link":
            os.symlink("/etc/passwd", d + "/" + id)
        else:
            s.own("status", d + "/" + id, os.urandom(5000))
    tap.ok(restart_queue(stage), "queue: starts on what it finds")
    all_came(tap, stage, s.post, letters, "queue: whole ones are delivered")
    put_aside(tap, stage, s, "queue")
    tap.ok(wait_for(lambda: "strange-file place=queue name=" in stage.log(), 30) and
           os.path.exists(strange), "queue: strange names are told of and left alone")
    for p in odd + [strange, stage.spool + "/queue/ln"]:
        remove(p)
    tap.ok(os.path.getsize("/etc/passwd") > 0, "no link was followed")


def unreadable(tap, s):
    """Another's, or without rights: not lost, and delivered when put right."""
    stage = s.stage
    letters, paths = [], []
    for where, mode, root in (("incoming", 0, True), ("drop", 0, True),
                              ("incoming", 0o600, True)):
        letter, id, data = s.good()
        letter.fate = "acked"
        path = s.place(where, id, data)
        if is_root():
            os.chown(path, 0, 0)
        os.chmod(path, mode)
        letters.append(letter)
        paths.append((where, id))
    ready = s.whole("incoming")
    all_came(tap, stage, s.post, [ready], "unreadable ones stop no others")
    tap.ok(wait_for(lambda: "spool what=" in stage.log(), 30), "the log complains of them")
    smtp = os.stat(stage.spool + "/incoming")
    for where, id in paths:
        for d, _, names in os.walk(stage.spool):
            if id in names:
                if is_root():
                    os.chown(os.path.join(d, id), smtp.st_uid, smtp.st_gid)
                os.chmod(os.path.join(d, id), 0o660)
    restart_queue(stage)
    all_came(tap, stage, s.post, letters, "put right, they are delivered")


def spoil_hold(tap, s):
    stage = s.stage
    letters = s.files("hold")
    for p in s.no_files("hold"):
        pass
    out = subprocess.run([stage.bin + "/postq", "-f", stage.conf, "release",
                          "ALL"], capture_output=True, text=True)
    tap.ok(out.returncode != 0, "release says that some could not be", out)
    all_came(tap, stage, s.post, letters, "hold: whole ones are released")
    out = subprocess.run([stage.bin + "/mailq", "-f", stage.conf],
                         capture_output=True, text=True)
    tap.ok(out.returncode == 0, "mailq can read what is left", out)


def packets(rng):
    yield b""
    yield b"\0"
    yield b"\n"
    yield b"V"
    yield b"V3:new,\n"
    yield b"V3:new,\nI20:" + b"!" * 20 + b",\n"
    yield b"V99999999999:"
    yield b"V-1:,\n"
    yield b"V4294967297:x,\n"
    yield b"V18446744073709551617:x,\n"
    yield field("V", "deliver") + field("I", "../../../etc/passwd")
    yield field("V", "open") + field("U", "root") + field("K", "command")
    yield field("V", "open") + field("U", "x" * 5000) + field("K", "mailbox")
    yield field("V", "open") + field("U", "alice") + field("K", "\1")
    yield field("V", "final") + field("R", "@" * 4000)
    yield field("V", "rcpt") + field("S", "a") + field("R", "b" * 40000)
    yield field("V", "remove") + field("I", "ALL")
    yield field("V", "trace") + field("I", "cr84b8gc2g2yhg9tknzj")
    yield field("V", "\0\0\0\0") * 1000
    yield b"V1:x,\n" * 10000
    yield b"A" * 65536
    yield b"A" * 65537
    for _ in range(60 if is_long() else 15):
        yield bytes(rng.getrandbits(8) for _ in range(rng.randrange(1, 300)))
        data = bytearray(field("V", "new") + field("I", spoolfile.new_id()) +
                         field("U", "alice") + field("K", "mailbox"))
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.getrandbits(8)
        yield bytes(data)


def babble(path, uid, gids, seed):
    """In a process that is the one who may: what was connected."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    try:
        if is_root():
            os.setgroups(gids)
            os.setgid(gids[0])
            os.setuid(uid)
        rng = random.Random(seed)
        n, idle = 0, []
        for data in packets(rng):
            c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            connect(c, path)
            c.setblocking(False)
            n += 1
            try:
                if rng.random() < 0.3:      # descriptors nobody asked for
                    socket.send_fds(c, [data or b"x"], [0, 1, 2] * 5)
                else:
                    c.send(data)
                if rng.random() < 0.3:
                    c.send(data)
                    c.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            if rng.random() < 0.5:
                idle.append(c)
            else:
                c.close()
        os._exit(0 if n > 30 else 2)
    except BaseException as e:
        sys.stderr.write("babble %s: %r\n" % (path, e))
        os._exit(1)


def ipc(tap, s):
    stage = s.stage
    ids = {}
    for user in ("smtp", "queue", "login", "drop"):
        ids[user] = (0, 0)
    if is_root():
        import grp
        import pwd
        for user in ("smtp", "queue", "login"):
            p = pwd.getpwnam("ph-" + user)
            ids[user] = (p.pw_uid, p.pw_gid)
        ids["drop"] = (61001, grp.getgrnam("ph-drop").gr_gid)
    run = stage.dir + "/run"
    places = [(stage.spool + "/incoming/sock/queue", "smtp"),
              (stage.spool + "/incoming/sock/route", "smtp"),
              (stage.spool + "/drop/sock/queue", "drop"),
              (stage.spool + "/sock/route", "queue"),
              (stage.spool + "/sock/local", "queue"),
              (run + "/queue", "queue"), (run + "/login/auth", "login"),
              (run + "/control", None)]
    before = {p: r[0] for p, r in stage.status().items()}
    for path, user in places:
        uid, gid = ids[user] if user else (os.geteuid(), os.getegid())
        status = babble(path, uid, [gid], s.rng.getrandbits(32))
        tap.ok(status == 0, "garbage for " + path[len(stage.dir) + 1:], status)
    tap.ok(wait_for(stage.all_running, 75), "all programs run", stage.status())
    after = {p: r[0] for p, r in stage.status().items()}
    tap.ok(before == after, "and are the same as before", (before, after))
    letters = [s.post.write([u + "@example.test"], 800)
               for u in ("alice", "team")]
    line = Line(stage.smtp)
    for letter in letters:
        line.send(letter)
    line.close()
    tap.ok(all(x.fate == "acked" for x in letters), "mail is taken",
           [x.reply for x in letters])
    all_came(tap, stage, s.post, letters, "and delivered")
    tap.ok(wait_for(lambda: "peer-dropped" in stage.log(), 30), "the log tells who was dropped")


def main():
    tap = Tap()
    rng = seed(tap)
    stage = Stage(CONF)
    try:
        stage.up()
        s = Spoiler(tap, rng, stage, Post(random.Random(rng.getrandbits(32))))
        s.elsewhere = stage.dir + "/elsewhere"
        letter, id, data = s.good()
        with open(s.elsewhere, "wb") as f:
            f.write(data)
        pids = {p: r[0] for p, r in stage.status().items()}
        spoil_new(tap, s, "incoming")
        spoil_new(tap, s, "drop")
        tap.ok(pids == {p: r[0] for p, r in stage.status().items()},
               "no program died of it", stage.status())
        ipc(tap, s)
        spoil_hold(tap, s)
        spoil_queue(tap, s)
        unreadable(tap, s)
        left = stage.down()
        tap.ok(not left, "no process is left", left)
    finally:
        if tap.failed:
            sys.stderr.write(stage.log()[-5000:])
        stage.down()
        stage.remove()
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
