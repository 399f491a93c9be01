"""Disks that are full, have no inodes left, or have become read-only, below
the spool and below the mailboxes: the client hears 452 or 451, what was
accepted stays queued, nothing is lost, and all goes on by itself when there
is room again. As root: small file systems, mounted where nobody else sees
them. TAP on standard output."""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from disk import run  # noqa: E402
from mail import Line, Post, drop, until_seen  # noqa: E402
from powercut import unshare  # noqa: E402
from stage import Stage, is_root, wait_for  # noqa: E402
from tap import Tap, is_long, seed  # noqa: E402

CONF = ("queue.retry-first 1s\nqueue.retry-max 1s\nqueue.scan-interval 1s\n"
        "local.idle-timeout 2s\n")


class Small:
    """A small file system; what fills it is taken away again."""

    def __init__(self, top, name, kind):
        self.kind, self.where = kind, "%s/%s" % (top, name)
        self.image = self.where + ".img"
        os.mkdir(self.where)
        if kind == "tmpfs":
            run("mount", "-t", "tmpfs", "-o", "size=12m,nr_inodes=700,mode=755",
                "none", self.where)
            return
        with open(self.image, "wb") as f:
            f.truncate(24 << 20)
        run("mkfs.ext4", "-q", "-N", "700", "-m", "0", self.image)
        run("mount", "-o", "loop", self.image, self.where)

    def take_blocks(self, leave=0):
        with open(self.where + "/filler", "wb", buffering=0) as f:
            # until nothing comes free any more: files that were removed are closed by others
            before = -1
            while f.tell() > before:
                if before >= 0:
                    time.sleep(0.2)
                before = f.tell()
                for size in (65536, 512):
                    try:
                        while True:
                            f.write(b"\0" * size)
                    except OSError:
                        pass
            if leave:
                f.truncate(max(0, f.tell() - leave))

    def take_inodes(self):
        os.makedirs(self.where + "/many", exist_ok=True)
        n = 0
        try:
            while True:
                os.close(os.open("%s/many/%d" % (self.where, n), os.O_CREAT))
                n += 1
        except OSError:
            pass

    def read_only(self):
        # a remount is refused as long as somebody writes: this is not
        run("mount", "-o", "remount,ro", self.where, check=False)
        wait_for(lambda: run("mount", "-o", "remount,ro", self.where,
                             check=False).returncode == 0, 60)

    def give_back(self):
        run("mount", "-o", "remount,rw", self.where)
        run("rm", "-rf", self.where + "/filler", self.where + "/many")

    def close(self):
        run("umount", "-l", self.where, check=False)


class Trial:
    def __init__(self, tap, stage, post, what):
        self.tap, self.stage, self.post, self.what = tap, stage, post, what

    def ok(self, good, name, detail=""):
        return self.tap.ok(good, "%s: %s" % (self.what, name), detail)

    def send(self, n, size, rcpts=None):
        made = []
        try:
            line = Line(self.stage.smtp)
            for _ in range(n):
                made.append(self.post.write(rcpts, size))
                if not line.send(made[-1]):
                    break
            line.close()
        except (OSError, ValueError) as e:
            self.ok(False, "the service answers", e)
        return made

    def all_there(self, name="what was acknowledged is delivered"):
        acked = self.post.by_fate("acked")
        self.stage.settle(90)
        boxes = until_seen(self.stage, self.post, acked, 30)
        self.ok(not boxes.missing(acked), name, boxes.missing(acked)[:10])
        self.ok(not boxes.torn and not boxes.strange,
                "nothing half-written is in a mailbox",
                (boxes.torn[:5], boxes.strange[:5]))
        came = boxes.arrived(self.post.by_fate("refused"))
        self.ok(not came, "nothing came that was refused", came)

    def after(self):
        """By itself: nobody restarts or flushes anything."""
        made = self.send(2, 3000, ["alice@example.test", "bob@example.test"])
        self.ok([x.fate for x in made] == ["acked"] * 2,
                "mail is taken again", [x.reply for x in made])
        self.all_there()

        def left():
            return self.stage.waiting() + self.stage.files("hold", "corrupt", "incoming/tmp", "drop/tmp", "tmp")
        self.ok(wait_for(lambda: not left(), 30), "no trace in the spool", left()[:10])
        restarts = {p: r[2] for p, r in self.stage.status().items() if r[2]}
        self.ok(not restarts, "no program died of it", restarts)


def spool_side(trial, fs, take, code, text):
    """smtpd, drop and queue have no room."""
    stage = trial.stage
    logged = len(stage.log())
    take(fs)
    made = trial.send(3, 60000)
    replies = [x.reply for x in made]
    trial.ok(all(x.reply.startswith(code) for x in made),
             "the client hears " + code.decode(), replies)
    trial.ok(wait_for(lambda: 'why="%s"' % text in stage.log()[logged:], 30),
             "the log says why", stage.log()[logged:][-500:])
    letter = trial.post.write(["alice@example.test"], 60000)
    status = drop(stage, letter)
    trial.ok(status == 75 and letter.reply, "drop ends with 75",
             (status, letter.reply))
    fs.give_back()
    trial.after()


def queue_side(trial, fs, take):
    """Mail that was accepted when the spool still had room: queue has none to
    write anew what waits or means several."""
    stage = trial.stage
    pid = stage.status()["queue"][0]
    os.kill(pid, 19)
    made = trial.send(4, 3000, ["team@example.test"])
    trial.ok([x.fate for x in made] == ["acked"] * 4, "accepted before",
             [x.reply for x in made])
    take(fs)
    os.kill(pid, 18)
    wait_for(lambda: "spool what=" in stage.log(), 5)
    fs.give_back()
    trial.after()


def mail_side(trial, fs, take, status):
    """The mailboxes' disk: nothing of this is the sender's affair."""
    stage = trial.stage
    logged = len(stage.log())
    take(fs)
    made = trial.send(4, 30000, ["alice@example.test", "team@example.test"])
    trial.ok([x.fate for x in made] == ["acked"] * 4, "the client hears 250",
             [x.reply for x in made])

    def deferred():
        return " status=%s " % status in "".join(
            x for x in stage.log()[logged:].splitlines(True) if "deferred" in x)
    trial.ok(wait_for(deferred, 60), "deliveries are deferred with " + status,
             stage.log()[logged:][-1500:])
    trial.ok(stage.waiting() and not stage.files("hold", "corrupt"),
             "mail stays queued", stage.waiting())
    fs.give_back()
    trial.after()

    def tmp():
        return [n for u in ("alice", "bob", "carol") for n in os.listdir(stage.maildir(u) + "/tmp")]
    trial.ok(wait_for(lambda: not tmp(), 30), "nothing is left in the Maildirs' tmp", tmp())


def both(tap, rng, top, kind):
    spool, mail = Small(top, "spool-" + kind, kind), Small(top, "mail-" + kind,
                                                           kind)
    os.mkdir(spool.where + "/s")
    os.mkdir(mail.where + "/m")
    os.chmod(mail.where + "/m", 0o755)
    stage = Stage(CONF, spool.where + "/s", mail.where + "/m")
    post = Post(random.Random(rng.randrange(1 << 32)))
    ways = [("full", Small.take_blocks, b"452 4.3.1", "No space left on device",
             "4.3.1"),
            ("no inodes", Small.take_inodes, b"452 4.3.1",
             "No space left on device", "4.3.1"),
            ("read-only", Small.read_only, b"451 4.3.0",
             "Read-only file system", "4.3.1")]
    try:
        stage.up()
        Trial(tap, stage, post, kind).after()
        for name, take, code, text, status in ways:
            spool_side(Trial(tap, stage, post, "%s, spool %s" % (kind, name)),
                       spool, take, code, text)
            queue_side(Trial(tap, stage, post, "%s, %s under the queue" % (
                kind, name)), spool, take)
            mail_side(Trial(tap, stage, post, "%s, mailboxes %s" % (
                kind, name)), mail, take, status)
        tap.ok(not stage.down(), "%s: no process is left" % kind)
    finally:
        if tap.failed:
            sys.stderr.write(stage.log()[-4000:])
        stage.down()
        stage.remove()
        spool.close()
        mail.close()


def main():
    tap = Tap()
    if not is_root() or not shutil.which("unshare"):
        tap.skip("full disks", "it takes root to mount")
        return tap.end()
    unshare(__file__)
    rng = seed(tap)
    top = tempfile.mkdtemp(prefix="posthouse-full.")
    os.chmod(top, 0o755)
    try:
        kinds = ["ext4"] if shutil.which("mkfs.ext4") else []
        if is_long() or not kinds:
            kinds.append("tmpfs")
        for kind in kinds:
            both(tap, rng, top, kind)
    finally:
        subprocess.run(["rm", "-rf", top])
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
