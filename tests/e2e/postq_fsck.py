"""postq fsck: what is wrong with a spool is found, put right, and nothing is lost."""
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ROOT, Skip, Stage, Tap, message, send, until, want, word  # noqa: E402

TAP = Tap()


def postq(stage, *args):
    p = subprocess.run([os.path.join(stage.dir, "bin", "postq"), "-f", stage.conf, *args], timeout=120,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return p.returncode, (p.stdout + p.stderr).decode("utf-8", "replace")


def fsck(stage, status, *words, args=()):
    got = postq(stage, "fsck", *args)
    want("fsck %s: status %d and %s" % (" ".join(args), status, words), got,
         got[0] == status and all(w in got[1] for w in words))
    return got[1]


class Spool:
    """The spool of a stage at rest, with messages in it."""

    def __init__(self, stage):
        self.stage = stage
        self.top = os.path.join(stage.dir, "spool")
        self.ids = []
        for i in range(4):
            ident = send(stage.smtp, [b"x@far.test"], message(word("m"), b"body %d\r\n" % i), sender=b"bob@example.test")
            stage.logged("waits id=" + ident)
            self.ids.append(ident)
        got = until("held", lambda: (lambda g: g if "just now" not in g[1] else None)(postq(stage, "hold", self.ids[3])))
        want("held", got, got[0] == 0)
        stage.stop()

    def shard(self, ident):
        for d in sorted(os.listdir(os.path.join(self.top, "queue"))):
            if os.path.exists(os.path.join(self.top, "queue", d, ident)):
                return d
        return None

    def path(self, ident):
        return os.path.join(self.top, "queue", self.shard(ident), ident)

    def at(self, *parts):
        return os.path.join(self.top, *parts)

    def all(self):
        """Every message there is, by name, wherever it lies."""
        found = {}
        for d, _, names in os.walk(self.top):
            if "/status" in d[len(self.top):]:
                continue
            for n in names:
                if n in self.ids:
                    found.setdefault(n, []).append(os.path.join(d, n)[len(self.top) + 1:])
        return found


def copy(a, b):
    shutil.copyfile(a, b)
    st = os.stat(a)
    os.chown(b, st.st_uid, st.st_gid)
    os.chmod(b, st.st_mode & 0o7777)


def both(spool, *words):
    """-n says so and does nothing; then it is done, and a second time there is nothing to do."""
    def state():
        return sorted((os.path.join(d, n), os.lstat(os.path.join(d, n)).st_mtime_ns, os.lstat(os.path.join(d, n)).st_mode)
                      for d, ds, fs in os.walk(spool.top) for n in ds + fs)
    before = state()
    fsck(spool.stage, 4, *words, args=("-n",))
    want("-n changes nothing", [x for x in state() if x not in before], state() == before)
    text = fsck(spool.stage, 1, *words)
    fsck(spool.stage, 0, "0 put right, 0 left")
    return text


def test_clean(spool):
    fsck(spool.stage, 0, "0 put right, 0 left")
    fsck(spool.stage, 0, args=("-n",))
    want("quiet", postq(spool.stage, "fsck", "-q"), postq(spool.stage, "fsck", "-q")[1] == "")


def test_torn(spool):
    path = spool.path(spool.ids[0])
    with open(path, "rb") as f:
        whole = f.read()
    copy(path, spool.at("saved"))
    os.truncate(path, len(whole) - 30)
    both(spool, spool.ids[0], "no trailer", "moved to corrupt")
    with open(spool.at("corrupt", spool.ids[0]), "rb") as f:
        want("it is kept", True, f.read() == whole[:-30])
    os.unlink(spool.at("corrupt", spool.ids[0]))
    os.rename(spool.at("saved"), path)


def test_place(spool):
    path = spool.path(spool.ids[0])
    right = spool.shard(spool.ids[0])
    wrong = "zz" if right != "zz" else "zy"
    os.makedirs(spool.at("queue", wrong), exist_ok=True)
    st = os.stat(os.path.dirname(path))
    os.chown(spool.at("queue", wrong), st.st_uid, st.st_gid)
    os.chmod(spool.at("queue", wrong), 0o700)
    os.rename(path, spool.at("queue", wrong, spool.ids[0]))
    both(spool, "queue/%s/%s: " % (wrong, spool.ids[0]), "moved to its directory")
    want("there again", spool.all(), os.path.exists(path))
    os.rename(path, spool.at("queue", wrong, spool.ids[1]))
    copy(spool.at("queue", wrong, spool.ids[1]), path)
    both(spool, "it says it is " + spool.ids[0])
    os.unlink(spool.at("corrupt", spool.ids[1]))


def test_copies(spool):
    """Left by a crash: in incoming and in queue; in queue and in hold, with one inode."""
    a, held = spool.ids[0], spool.ids[3]
    copy(spool.path(a), spool.at("incoming", "new", a))
    both(spool, "incoming/new/" + a, "is a copy of the later one")
    want("one", spool.all()[a], spool.all()[a] == ["queue/%s/%s" % (spool.shard(a), a)])
    shard = os.path.dirname(spool.path(a))
    other = os.path.join(shard, held)
    os.link(spool.at("hold", held), other)
    both(spool, held)
    want("held", spool.all()[held], spool.all()[held] == ["hold/" + held] or "hold/" + held in spool.all()[held])
    # another message of that name: both are kept
    with open(spool.path(a), "rb") as f:
        text = f.read()
    path = spool.at("incoming", "new", a)
    copy(spool.path(a), path)
    with open(path, "wb") as f:
        f.write(text.replace(b"S16:bob@example.test", b"S16:ann@example.test"))
    both(spool, "another message of the same name", "moved to corrupt")
    want("both", spool.all()[a], sorted(spool.all()[a]) == ["corrupt/" + a, "queue/%s/%s" % (spool.shard(a), a)])
    os.unlink(spool.at("corrupt", a))


def test_drafts(spool):
    a, b = spool.ids[0], spool.ids[1]
    copy(spool.path(a), spool.at("tmp", a))
    path = spool.path(b)
    os.rename(path, spool.at("tmp", b))
    both(spool, "tmp/%s: is a left draft: " % a, "tmp/%s: is whole, and in no other place" % b, "moved to queue")
    want("there", spool.all(), os.path.exists(path) and spool.all()[a] == ["queue/%s/%s" % (spool.shard(a), a)])
    draft = spool.at("incoming", "tmp", a[-1], a)
    copy(spool.path(a), draft)
    old = time.time() - 10
    os.utime(draft, (old, old))
    fsck(spool.stage, 1, "incoming/tmp", "1 left draft", "removed")
    want("gone", draft, not os.path.exists(draft))
    # a user may be writing this one
    draft = spool.at("drop", "tmp", a[-1], a)
    copy(spool.path(a), draft)
    fsck(spool.stage, 0)
    want("not that of a user", draft, os.path.exists(draft))
    os.unlink(draft)


def test_status(spool):
    shard = os.path.dirname(spool.path(spool.ids[0])).split("/")[-1]
    mine = spool.at("status", shard, spool.ids[0])
    want("has a history", mine, os.path.exists(mine))
    ghost = "cr8" + spool.ids[0][3:]
    found = [d for d in os.listdir(spool.at("status")) if os.path.isdir(spool.at("status", d))]
    copy(mine, spool.at("status", found[0], ghost))
    text = postq(spool.stage, "fsck")[1]
    text += postq(spool.stage, "fsck")[1]
    want("the history of no message", text, ghost in text and "removed" in text)
    fsck(spool.stage, 0)
    want("the other one is there", mine, os.path.exists(mine))


def test_future(spool):
    path = spool.path(spool.ids[0])
    far = time.time() + 30 * 86400
    os.utime(path, (far, far))
    both(spool, spool.ids[0], "would wait for long", "made due now")
    want("due", os.stat(path).st_mtime, os.stat(path).st_mtime < time.time() + 5)


def test_owners(spool):
    if not ROOT:
        raise Skip("not root")
    path = spool.path(spool.ids[0])
    st = os.stat(path)
    os.chown(path, 0, 0)
    os.chmod(path, 0o600)
    both(spool, spool.ids[0], "queue could not use it")
    shard = os.path.dirname(path)
    os.chown(shard, 0, 0)
    os.chown(spool.at("hold"), 0, 0)
    os.chmod(spool.at("incoming", "new"), 0o700)
    fsck(spool.stage, 4, "hold: has another owner", args=("-n",))
    text = fsck(spool.stage, 1, "queue/" + os.path.basename(shard))
    fsck(spool.stage, 0, "0 put right, 0 left")
    want("directories", text, "hold: has another owner" in text and "incoming/new: has another mode" in text)
    want("as it was", os.stat(shard), os.stat(shard).st_uid == st.st_uid)
    # a name for a file that is not queue's: nobody is given it
    secret = os.path.join(spool.stage.dir, "secret")
    with open(secret, "w") as f:
        f.write("secret")
    os.chmod(secret, 0o600)
    os.link(secret, spool.at("incoming", "new", "0000000000000000000z"))
    text = fsck(spool.stage, 4, "0000000000000000000z")
    want("not given away", oct(os.stat(secret).st_mode), os.stat(secret).st_mode & 0o777 == 0o600 and
         os.stat(secret).st_gid == 0)
    os.unlink(spool.at("incoming", "new", "0000000000000000000z"))
    os.chown(path, st.st_uid, st.st_gid)
    os.chmod(path, st.st_mode & 0o7777)


def test_strange(spool):
    with open(spool.at("hold", "README"), "w") as f:
        f.write("x")
    st = os.stat(spool.at("hold"))
    os.chown(spool.at("hold", "README"), st.st_uid, st.st_gid)
    fsck(spool.stage, 4, "hold/README: is no name of a message", "0 put right, 1 left")
    want("left alone", True, os.path.exists(spool.at("hold", "README")))
    os.unlink(spool.at("hold", "README"))


def test_running(stage, spool):
    """Nothing was lost, and a stage that runs is not repaired."""
    wrong = stage.up()
    want("it starts", wrong, wrong is None)
    want("all are there", spool.all(), sorted(spool.all()) == sorted(spool.ids))
    for ident in spool.ids:
        got = postq(stage, "show", "-e", ident)
        want("shown", got, got[0] == 0)
    fsck(stage, 8, "posthouse is running")
    got = postq(stage, "fsck", "-n")
    want("-n while it runs", got, got[0] in (0, 4) and "posthouse is running" in got[1])
    stage.stop()


def main():
    with Stage("queue.retry-first 60s\nqueue.retry-max 1h\n") as stage:
        spool = Spool(stage)
        for name, test in (("a sound one", test_clean), ("torn files", test_torn), ("wrong places", test_place),
                           ("copies", test_copies), ("drafts", test_drafts), ("status files", test_status),
                           ("times", test_future), ("owners and modes", test_owners), ("strange names", test_strange)):
            TAP.run("fsck: " + name, test, spool)
        TAP.run("fsck: refuses while it runs", test_running, stage, spool)
    return TAP.end()


if __name__ == "__main__":
    sys.exit(main())
