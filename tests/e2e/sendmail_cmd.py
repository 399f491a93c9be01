"""sendmail, drop, mailq, postq and newaliases, called the way programs call
them, by users and by people who mean no good. TAP on standard output."""
import glob
import json
import os
import pwd
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from lib.e2e import Tap, below, free_base

DIR = os.environ["PH_DIR"]
ROOT = os.geteuid() == 0
HERE = os.path.dirname(os.path.abspath(__file__))
WAIT = 60
PLACE = "/tmp" if ROOT else None     # that users can reach
MESSAGE_SIZE = 1 << 16
tap = Tap()
check = tap.check
skip = tap.skip


def caller():
    """The address of who calls: uid 61001 has no name but LOGNAME."""
    try:
        name = "alice" if ROOT else pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = "alice"
    return name.encode() + b"@example.test"


def token():
    return "t%016x" % random.getrandbits(64)


def as_user(uid=61001):
    if not ROOT:
        return []
    return ["setpriv", "--reuid", str(uid), "--regid", str(uid),
            "--clear-groups"]


class Stage:
    """A stage and what one does with it."""

    def __init__(self, where):
        self.dir = where
        self.conf = os.path.join(where, "posthouse.conf")

    def program(self, name):
        return os.path.join(self.dir, "bin", name)

    def sendmail(self, args, text, uid=61001, env=None, **more):
        """Status and what was said; text is bytes."""
        p = subprocess.run(
            as_user(uid) + [self.program("sendmail"), "-C", self.conf, *args],
            input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=300, env=env if env is not None else
            {"LOGNAME": "alice", "PATH": os.environ["PATH"]}, **more)
        return p.returncode, p.stdout + p.stderr

    def drop(self, data, uid=61001, **more):
        p = subprocess.run(as_user(uid) + [self.program("drop"), self.conf],
                           input=data, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=300, **more)
        return p.returncode, p.stdout + p.stderr

    def tool(self, name, *args, uid=None):
        p = subprocess.run(
            (as_user(uid) if uid else []) + [self.program(name), *args],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, timeout=300)
        return p.returncode, p.stdout, p.stderr

    def mailq(self, *args):
        return self.tool("mailq", "-f", self.conf, *args)

    def postq(self, *args):
        return self.tool("postq", "-f", self.conf, *args)

    def listed(self, *args):
        """The messages that mailq -j shows."""
        status, out, err = self.mailq("-j", *args)
        if status != 0:
            raise RuntimeError(err)
        return [json.loads(line) for line in out.splitlines()]

    def found(self, word, user="*"):
        """Messages in mailboxes with that in them, as (user, bytes)."""
        hits = []
        for path in glob.glob(os.path.join(self.dir, "mail", user, "Maildir",
                                           "new", "*")):
            try:
                with open(path, "rb") as f:
                    text = f.read()
            except FileNotFoundError:
                continue
            if word.encode() in text:
                hits.append((path.split(os.sep)[-4], text))
        return hits

    def arrives(self, word, count=1, user="*"):
        """As found, as soon as there are so many."""
        end = time.monotonic() + WAIT
        while True:
            hits = self.found(word, user)
            if len(hits) >= count or time.monotonic() > end:
                return hits
            time.sleep(0.05)

    def left(self):
        """Names in tmp and new of drop."""
        return [n for d in ("tmp", "new") for n in
                below(os.path.join(self.dir, "spool", "drop", d))]


MAIN = Stage(DIR)


def parts(text):
    """Header fields as a list, and the body."""
    head, _, body = text.partition(b"\n\n")
    fields = []
    for line in head.split(b"\n"):
        if line[:1] in (b" ", b"\t"):
            fields[-1] += b"\n" + line
        else:
            fields.append(line)
    return fields, body


def field(text, name):
    return [f.partition(b":")[2].strip() for f in parts(text)[0]
            if f.partition(b":")[0].strip().lower() == name.lower().encode()]


def delivered(args, text, users, name, uid=61001, env=None):
    """Sends it, with a token in a field, and returns what the first of them got."""
    word = token()
    status, said = MAIN.sendmail(args, b"X-Token: %s\n" % word.encode() + text,
                                 uid, env)
    hits = MAIN.arrives(word, len(users)) if status == 0 else []
    got = sorted(h[0] for h in hits)
    check(status == 0 and got == sorted(users), name,
          "status %d, %s got it\n%s" % (status, got, said.decode()))
    return hits[0][1] if hits else b"\n\n"


def test_basic():
    text = delivered(["bob@example.test"], b"Subject: hi\n\nhello\n", ["bob"],
                     "a message")
    check(parts(text)[1] == b"hello\n", "its body", text)
    check(caller() in field(text, "From")[0],
          "From is added", text)
    check(len(field(text, "Date")) == 1 and
          len(field(text, "Message-ID")) == 1, "Date and Message-ID are added",
          text)
    uid = 61001 if ROOT else os.getuid()
    check(b"from userid %d" % uid in field(text, "Received")[-1],
          "the number of the user is in Received", text)
    check(field(text, "Return-Path") == [b"<" + caller() + b">"],
          "the sender is who calls", text)

    text = delivered(["-f", "ann@far.test", "-F", "D\u00e6mon", "-oi", "bob"],
                     b"Date: then\nMessage-ID: <x@y>\n\na\n.\nb\n", ["bob"],
                     "-f -F -oi and an address without a domain")
    check(field(text, "From") == [b"=?UTF-8?Q?D=C3=A6mon?= <ann@far.test>"],
          "the name is encoded", text)
    check(field(text, "Date") == [b"then"] and
          field(text, "Message-ID") == [b"<x@y>"], "Date, Message-ID stay",
          text)
    check(field(text, "Return-Path") == [b"<ann@far.test>"],
          "-f is the sender", text)
    check(parts(text)[1] == b"a\n.\nb\n", "-oi: a dot is no end", text)

    text = delivered(["-f", "<>", "bob"], b"\na\n.\nb\n", ["bob"],
                     "nobody as the sender")
    check(field(text, "Return-Path") == [b"<>"], "Return-Path: <>", text)
    check(parts(text)[1] == b"a\n", "a dot is the end without -i", text)

    text = delivered(["bob, \"C\" <carol@example.test>", "alice", "bob"],
                     b"Subject: x\n\n", ["alice", "bob", "carol"],
                     "lists of recipients, each once")
    text = delivered(["bob"], b"no header at all\n", ["bob"],
                     "a message without a header")
    check(parts(text)[1] == b"no header at all\n", "its first line stays",
          text)
    text = delivered(["bob"], b"From: x\nReturn-Path: <evil@x>\n"
                     b"Bcc: secret\nContent-Length: 9\n\nx", ["bob"],
                     "a last line without an end")
    check(b"evil" not in text and b"secret" not in text and
          not field(text, "Content-Length"), "fields that go", text)


def test_extract():
    text = delivered(["-t"], b"To: bob (Bob), nobody:;\nCc: \"x, y\"\n"
                     b" <carol@example.test>\nBcc: alice,\n\talice\n"
                     b"Subject: x\n\nbody\n", ["alice", "bob", "carol"],
                     "-t")
    check(not field(text, "Bcc"), "Bcc goes", text)
    delivered(["-ti", "carol"], b"To: bob\n\n", ["bob", "carol"],
              "-t with recipients on the command line")
    text = delivered(["-t"], b"Resent-To: carol\nFrom: x@far.test\n"
                     b"To: bob\nSubject: x\n\n", ["carol"], "a resent message")
    check(caller() in field(text, "Resent-From")[0] and
          len(field(text, "Resent-Date")) == 1, "Resent fields are added",
          text)
    for args, data, status in (
            (["-t"], b"Subject: x\n\n", 64),
            (["-t"], b"To: bob, a b@c\n\n", 65),
            (["-t"], b"To: bob\nCc: x@-y\n\n", 65),
            ([], b"x", 64), (["bob@"], b"x", 65), (["a b"], b"x", 65),
            (["-f"], b"x", 64),
            (["-f", "a b", "bob"], b"x", 64), (["-bd"], b"", 64),
            (["-bv", "bob"], b"", 64), (["-Z", "bob"], b"", 64),
            (["-N", "x", "bob"], b"", 64), (["--", "-t@"], b"x", 65)):
        got, said = MAIN.sendmail(args, data)
        check(got == status and bool(said) == (status != 0),
              "%s: status %d" % (" ".join(args) or "no recipient", status),
              "%d %s" % (got, said))


def test_content():
    body = bytes(range(1, 256)) + b"\n..\n.x\n"
    text = delivered(["-i", "bob"], b"Subject: bytes\n\n" + body, ["bob"],
                     "8-bit")
    check(parts(text)[1] == body.replace(b"\r", b" "),
          "every byte arrives, but CR", text)
    text = delivered(["-i", "bob"], b"Subject: crlf\r\n\r\na\r\nb\r\n\r\n",
                     ["bob"], "CRLF")
    check(parts(text)[1] == b"a\nb\n\n", "CRLF is a line end", text)
    text = delivered(["-i", "bob"], b"\na\0b\n", ["bob"], "NUL")
    check(parts(text)[1] == b"ab\n", "NUL is left out", text)
    text = delivered(["-i", "bob"], b"\n" + b"x" * 200000 + b"\n", ["bob"],
                     "a long line")
    lines = parts(text)[1].split(b"\n")
    check(len(lines) > 3 and max(map(len, lines)) <= 65000 and
          b"\n".join(lines).replace(b"\n ", b"") == b"x" * 200000 + b"\n",
          "goes on in the next one", [len(x) for x in lines])
    body = os.urandom(64).hex().encode() + b"\n"
    body *= (20 << 20) // len(body)
    text = delivered(["-i", "bob"], b"Subject: big\n\n" + body, ["bob"],
                     "20 MiB")
    check(parts(text)[1] == body, "are the same", len(text))


def smtp(data, **more):
    return MAIN.sendmail(["-bs"], data, **more)


def codes(said):
    return [int(x[:3]) for x in said.split(b"\r\n") if x[3:4] == b" "]


def test_smtp():
    a, b, c = token(), token(), token()
    status, said = smtp(
        b"EHLO me\r\nMAIL FROM:<ann@far.test> BODY=8BITMIME RET=HDRS\r\n"
        b"RCPT TO:<bob> NOTIFY=NEVER\r\nRCPT TO:<carol@example.test>\r\n"
        b"DATA\r\nSubject: " + a.encode() + b"\r\n\r\n..x\r\n\n.\nQUIT\n\r\n"
        b".\r\nVRFY bob\r\nRSET\r\nMAIL FROM:<>\r\nNOOP\r\nRCPT TO:<bob>\r\n"
        b"DATA\r\n" + b.encode() + b"\r\n.\r\nQUIT\r\n")
    check(status == 0 and codes(said) == [220, 250, 250, 250, 250, 354, 250,
                                          252, 250, 250, 250, 250, 354, 250,
                                          221], "-bs", said)
    hits = MAIN.arrives(a, 2)
    check(len(hits) == 2 and parts(hits[0][1])[1] == b".x\n\n.\nQUIT\n\n",
          "-bs: only CRLF.CRLF is the end", hits)
    check(len(MAIN.arrives(b)) == 1, "-bs: a second message")
    status, said = smtp(b"HELO me\nMAIL FROM:<ann@far.test>\nRCPT TO:<bob>\n"
                        b"DATA\n" + c.encode() + b"\n..\n.\nQUIT\n")
    check(status == 0 and codes(said)[-2:] == [250, 221] and
          len(MAIN.arrives(c)) == 1, "-bs: a client with LF", said)
    status, said = smtp(b"RCPT TO:<bob>\r\nDATA\r\nMAIL FROM:<a b>\r\n"
                        b"MAIL FROM:<a@b.test> X=1\r\nFOO\r\nMAIL FROM:<>\r\n"
                        b"DATA\r\nRCPT TO:<|sh -c x>\r\nRCPT TO:<>\r\n"
                        b"MAIL FROM:<> SIZE=99999999999\r\n\0\r\n")
    check(codes(said) == [220, 503, 503, 501, 555, 500, 250, 503, 501, 501,
                          503, 500] and status == 0, "-bs: mistakes", said)
    word = token()
    status, said = smtp(b"MAIL FROM:<>\r\nRCPT TO:<bob>\r\nDATA\r\n" +
                        word.encode() + b"\r\n")
    time.sleep(0.3)
    check(status == 74 and not MAIN.found(word),
          "-bs: a message that breaks off is not sent", said)


def wrapper(where):
    """A sendmail for programs that can be told its path only."""
    path = os.path.join(where, "sendmail")
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\nexec '%s' -C '%s' \"$@\"\n" %
                (MAIN.program("sendmail"), MAIN.conf))
    os.chmod(path, 0o755)
    os.chmod(where, 0o755)
    return path


def test_clients():
    with tempfile.TemporaryDirectory(dir=PLACE) as where:
        path = wrapper(where)
        env = {"LOGNAME": "alice", "HOME": where, "USER": "alice",
               "TMPDIR": where, "PATH": os.environ["PATH"],
               "MAILRC": "/dev/null"}
        if ROOT:     # some of them want a user with a name
            os.chown(where, 65534, 65534)
        rc = os.path.join(where, "rc")
        with open(rc, "w", encoding="utf-8") as f:
            f.write("set sendmail=%s\n" % path)
        calls = [
            ("s-nail", ["s-nail", "-n", "-S", "mta=%s" % path, "-S", "nosave",
                        "-r", "ann@far.test", "-s", "%s", "bob@example.test"],
             {}),
            ("bsd-mailx", ["bsd-mailx", "-s", "%s", "bob@example.test"],
             {"MAILRC": rc}),
            ("mutt", ["mutt", "-n", "-F", "/dev/null", "-e",
                      "set sendmail=\"%s -oem -oi\" copy=no" % path, "-s",
                      "%s", "-b", "carol@example.test", "bob@example.test"],
             {}),
        ]
        for name, args, more in calls:
            if not shutil.which(name):
                skip(name, "not installed")
                continue
            if name == "bsd-mailx" and not os.stat("/tmp").st_mode & 2:
                skip(name, "users cannot write to /tmp, as it must")
                continue
            word = token()
            args = [word if a == "%s" else a for a in args]
            p = subprocess.run(as_user(65534) + args,
                               input=b"text\n.\nmore\n",
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, cwd=where, timeout=120,
                               env={**env, **more})
            want = ["bob", "carol"] if name == "mutt" else ["bob"]
            hits = MAIN.arrives(word, len(want))
            # bsd-mailx ends at the dot itself
            check(p.returncode == 0 and sorted(h[0] for h in hits) == want and
                  parts(hits[0][1])[1].startswith(b"text\n") and
                  (name == "bsd-mailx" or b".\nmore" in hits[0][1]),
                  name, "%s %s" % (p.stdout, hits))
    # git send-email, PHP's mail(), Python's subprocess, cron
    letter = b"From: Ann <ann@far.test>\nTo: bob@example.test\nSubject: x\n\nx\n"
    for name, args in (
            ("git send-email", ["-f", "ann@far.test", "-i",
                                "bob@example.test"]),
            ("PHP mail()", ["-t", "-i"]),
            ("reportbug", ["-oem", "-oi", "-t"]),
            ("logwatch", ["-t"]),
            ("cron", ["-FCronDaemon", "-i", "-B8BITMIME", "-oem", "bob"]),
            ("exotic options", ["-G", "-U", "-v", "-odb", "-O", "X=y", "-Nnever",
                                "-Rfull", "-V", "env id", "-h", "3", "bob"])):
        delivered(args, letter, ["bob"], "as %s does" % name)


def queued():
    """A message that waits, since it goes to another host."""
    word = token()
    status, said = MAIN.sendmail(
        ["-f", word + "@far.test", "-N", "success,delay", "-R", "hdrs", "-V",
         "id=1", "nobody@host.far.test", "user@host.far.test"], b"\nx\n")
    end = time.monotonic() + WAIT
    while status == 0 and time.monotonic() < end:
        got = MAIN.listed("-F", word + "@*", "-e", "4.")
        if got:
            return word, got[0]
        time.sleep(0.1)
    raise RuntimeError("it does not wait: %d %s" % (status, said))


def spool_file(ident):
    for path in glob.glob(os.path.join(DIR, "spool", "*", "*", ident)) + \
            glob.glob(os.path.join(DIR, "spool", "hold", ident)):
        if "/status/" not in path:
            with open(path, "rb") as f:
                return f.read()
    return b""


def test_tools():
    word, item = queued()
    ident, sender = item["queue_id"], word + "@far.test"
    text = spool_file(ident)
    check(b"\nE6:id+3D1,\n" in text and b"\nO8:RET=HDRS,\n" in text
          and text.count(b"\nn2:10,\n") == 2,
          "-N, -R and -V reach the envelope", text)
    check(item["sender"] == sender and item["recipient_count"] == 2 and
          {r["address"] for r in item["recipients"]} ==
          {"nobody@host.far.test", "user@host.far.test"} and
          all(r["delay_reason"] for r in item["recipients"]) and
          abs(item["arrival_time"] - time.time()) < 300, "mailq -j", item)
    status, out, err = MAIN.mailq()
    check(status == 0 and ident.encode() in out and sender.encode() in out and
          b"    nobody@host.far.test\n" in out and b"-- " in out, "mailq",
          out + err)
    for args, hit in ((["-F", sender.upper()], True), (["-F", "x@y"], False),
                      (["-t", "user@*"], True), (["-t", "usr@*"], False),
                      (["-d", "HOST.far.test"], True), (["-d", "far"], False),
                      (["-o", "1d"], False), (["-H"], False),
                      (["-e", "no such text"], False)):
        got = any(m["queue_id"] == ident for m in MAIN.listed(*args))
        check(got == hit, "mailq %s: %s" % (" ".join(args).replace(
            word.upper(), "TOKEN"), "found" if hit else "not found"))
    for args in (["-o", "soon"], ["-x"], ["id"]):
        check(MAIN.mailq(*args)[0] == 64, "mailq %s: status 64" % args)

    def act(*args):
        """A message that is on its way just now can be told so again."""
        end = time.monotonic() + WAIT
        while True:
            got = MAIN.postq(*args)
            if b"just now" not in got[2] or time.monotonic() > end:
                return got
            time.sleep(0.1)

    status, out, err = MAIN.postq("trace", ident)
    check(status == 0 and b"from <" + sender.encode() + b">\n" in out and
          b"recipient nobody@host.far.test waiting\n" in out and
          re.search(rb"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d arrived$", out) and
          b"nobody@host.far.test 4." in out, "postq trace", out + err)
    status, out, err = act("hold", ident)
    check(status == 0 and [m["queue_name"] for m in MAIN.listed(
        "-H", "-F", sender)] == ["held"], "postq hold", out + err)
    status, out, err = MAIN.postq("-n", "-F", sender, "release")
    check(status == 0 and ident.encode() in out and
          MAIN.listed("-H", "-F", sender), "postq -n does nothing", out + err)
    status, out, err = MAIN.postq("-F", sender, "release")
    check(status == 0 and not MAIN.listed("-H", "-F", sender),
          "postq release with a filter", out + err)
    status, out, err = act("flush", ident)
    check(status == 0 or b"no such message waits" in err, "postq flush",
          out + err)
    status, out, err = MAIN.postq("-F", sender, "remove")
    check(status == 64 and b"-y" in err and MAIN.listed("-F", sender),
          "postq remove with a filter wants -y", out + err)
    status, out, err = act("-y", "-F", sender, "remove")
    check(status == 0 and not MAIN.listed("-F", sender), "postq -y remove",
          out + err)
    check(MAIN.postq("remove", ident)[0] == 65, "remove what is not there")
    check(MAIN.postq("trace", "x")[0] == 65, "trace of no id")
    for args in ([], ["remove"], ["nonsense", "x"], ["stat", "x"],
                 ["-F", "a", "hold", ident], ["-Z"]):
        check(MAIN.postq(*args)[0] == 64, "postq %s: status 64" %
              " ".join(args).replace(ident, "ID"))
    status, out, err = MAIN.postq("stat")
    check(status == 0 and b"waiting " in out, "postq stat", out + err)
    status, said = MAIN.sendmail(["-bp"], b"", uid=0)
    check(status == 0, "sendmail -bp", said)
    status, said = MAIN.sendmail(["-q30m"], b"", uid=0)
    check(status == 0, "sendmail -q30m", said)
    status, said = MAIN.sendmail(["-qIx"], b"", uid=0)
    check(status == 65, "sendmail -qI of no id", said)


def test_json():
    """Whatever bytes an address is made of, JSON stays JSON."""
    word = token()
    odd = '"%s \\"\\\\ \u00fc"@far.test' % word
    status, said = MAIN.sendmail(["-f", odd, "x@host.far.test"], b"x")
    end = time.monotonic() + WAIT
    got = []
    while not got and time.monotonic() < end:
        got = MAIN.listed("-F", "*%s*" % word)
    check(status == 0 and got and got[0]["sender"] == odd, "an odd sender",
          "%s %s" % (said, got))
    MAIN.postq("-y", "-q", "-F", "*%s*" % word, "remove")


def test_aliases():
    link = os.path.join(DIR, "newaliases-test")
    os.makedirs(link, exist_ok=True)
    name = os.path.join(link, "newaliases")
    if not os.path.islink(name):
        os.symlink(MAIN.program("sendmail"), name)
    p = subprocess.run([name, "-C", MAIN.conf], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=120, check=False)
    check(p.returncode == 0, "newaliases", p.stdout)
    with open(os.path.join(DIR, "aliases"), "r+", encoding="utf-8") as f:
        old = f.read()
        try:
            f.write("broken\n")
            f.flush()
            status, said = MAIN.sendmail(["-bi"], b"", uid=0)
            check(status == 78 and b"aliases:" in said, "a mistake in aliases",
                  said)
        finally:
            f.seek(0)
            f.truncate()
            f.write(old)


def stage(verb, where, base):
    """The stage script with a small limit on messages."""
    conf = where + ".conf"
    with open(conf, "w", encoding="utf-8") as f:
        f.write("smtp.message-size %d\nsmtp.recipients 100\n" % MESSAGE_SIZE)
    p = subprocess.run(["tests/stage", verb, where, str(base)],
                       cwd=os.path.join(HERE, "..", ".."),
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       env={**os.environ, "STAGE_CONF": conf}, check=False)
    if p.returncode != 0:
        raise RuntimeError(p.stdout.decode())


def first_up(where):
    """Makes the stage; ports that were free may be somebody's by then."""
    for last in (False, False, True):
        base = free_base()
        try:
            stage("up", where, base)
            return base
        except RuntimeError as e:
            if last or "in use" not in str(e):
                raise


def test_down(own, where, base):
    status, out, err = own.tool("mailq", "-f", own.conf)
    check(status == 69 and b"not running" in err, "mailq: queue is down",
          out + err)
    status, out, err = own.tool("postq", "-f", own.conf, "stat")
    check(status == 69, "postq: queue is down", out + err)
    status, said = own.sendmail(["-q"], b"", uid=0)
    check(status == 69, "sendmail -q: queue is down", said)
    words = [token() for _ in range(3)]
    for word in words:
        status, said = own.sendmail(["bob"], b"\n%s\n" % word.encode())
        check(status == 0, "sent while the daemons are down", said)
    new = os.path.join(where, "spool", "drop", "new")
    names = os.listdir(new)
    check(len(names) == 3 and not below(
        os.path.join(where, "spool", "drop", "tmp")), "it lies in drop/new")
    stats = [os.stat(os.path.join(new, n)) for n in names]
    uid = 61001 if ROOT else os.getuid()
    check(all(s.st_uid == uid and s.st_mode & 0o7777 == 0o660
              for s in stats), "it belongs to the user", stats)
    status, out, err = own.tool("mailq", "-f", own.conf, "-j")
    check(status == 69 and [json.loads(x)["queue_name"] for x in
                            out.splitlines()] == ["dropped"] * 3,
          "mailq shows what lies there", out + err)
    test_locked(own, where, names)
    test_hostile(own)
    test_limits(own)
    test_full(own)
    stage("up", where, base)
    for word in words:
        check(len(own.arrives(word)) == 1, "it arrives after the start")


def test_locked(own, where, names):
    if not ROOT:
        skip("users cannot see the spool", "needs root")
        return
    drop = os.path.join(where, "spool", "drop")
    path = os.path.join(drop, "new", names[0])
    for args in (["ls", drop], ["ls", drop + "/new"], ["cat", path],
                 ["rm", "-f", path], ["chmod", "777", path],
                 ["touch", drop + "/new/x"], ["ln", path, "/tmp/x-link"],
                 ["mv", path, "/tmp/"]):
        p = subprocess.run(as_user() + args, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=120, check=False)
        check(p.returncode != 0 and not p.stdout and os.path.exists(path),
              "%s in drop by the owner of the mail: refused" % args[0],
              p.stdout + p.stderr)
    status, out, err = own.tool("mailq", "-f", own.conf, uid=61001)
    check(status == 69 and not out, "a user does not see the spool", out + err)


def record(tag, value):
    return b"%s%d:%s,\n" % (tag, len(value), value)


def message(*more, rcpts=(b"bob",), sender=b"alice", body=b"x\r\n",
            end=b"z0:,\n"):
    return record(b"S", sender) + b"".join(more) + b"".join(
        record(b"r", r) for r in rcpts) + b"\n" + \
        (record(b"c", body) if body else b"") + end


def test_hostile(own):
    """drop itself, which any user can call."""
    before = sorted(own.left())
    own_head = record(b"S", b"a") + record(b"r", b"bob")
    for name, data, status in (
            ("nothing", b"", 65), ("junk", os.urandom(5000), 65),
            ("no end of the head", b"S1:a,\n", 65),
            ("no end of the message", message(end=b""), 74),
            ("half a record", message(end=b"c10:x"), 74),
            ("another record", message(end=b"q1:x,\n"), 74),
            ("an end that is none", message(end=b"z1:x,\n"), 74),
            ("a huge length", message(end=b"c4294967295:" + b"x" * 99999), 74),
            ("a final recipient", own_head + record(b"f", b"kP") +
             b"\nz0:,\n", 65),
            ("another user", message(record(b"A", b"uid=0")), 65),
            ("a client", message(record(b"C", b"127.0.0.1")), 65),
            ("a state", own_head + b"s1:d,\n\nz0:,\n", 65),
            ("two senders", message(record(b"S", b"x")), 65),
            ("a line end in an address", message(rcpts=[b"bob\r\nx"]), 65),
            ("no recipient", message(rcpts=[]), 65),
            ("too many recipients", message(rcpts=[b"bob"] * 101), 65),
            ("no address", message(rcpts=[b"bob smith"]), 65),
            ("an endless head", record(b"S", b"a") +
             record(b"r", b"bob") * 2000000, 65),
            ("too large", message(body=b"x" * 65530) [:-5] +
             record(b"c", b"y" * 100) + b"z0:,\n", 65)):
        got, said = own.drop(data)
        check(got == status and said and sorted(own.left()) == before,
              "drop: %s" % name, "%d %s %s" % (got, said, own.left()))
    if not ROOT:
        skip("drop: a configuration of the user's", "needs root")
        return
    with tempfile.NamedTemporaryFile("w", dir=PLACE, suffix=".conf") as f:
        with open(own.conf, encoding="utf-8") as conf:
            f.write(conf.read())
        f.flush()
        os.chmod(f.name, 0o644)
        os.chown(f.name, 61001, 61001)
        p = subprocess.run(as_user() + [own.program("drop"), f.name],
                           input=message(), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=120, check=False)
        check(p.returncode == 77, "drop: a configuration of the user's",
              p.stderr)
    for path in ("/etc/shadow", "/dev/zero", "/nonexistent"):
        p = subprocess.run(as_user() + [own.program("drop"), path],
                           input=message(), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=120, check=False)
        check(p.returncode == 78 and b"root:" not in p.stderr,
              "drop: %s as its configuration" % path, p.stderr)


def limit(what, n):
    def set_limit():
        resource.setrlimit(what, (n, n))
    return set_limit


def close_all():
    for fd in (0, 1, 2):
        os.close(fd)


def test_limits(own):
    """Surroundings that nobody would wish for."""
    before = sorted(own.left())

    def same():
        return sorted(own.left()) == before

    got, said = own.drop(message(body=b"x" * 60000),
                         preexec_fn=limit(resource.RLIMIT_FSIZE, 4096))
    check(got == 75 and same(), "a limit on files leaves nothing behind",
          "%d %s %s" % (got, said, own.left()))
    got, said = own.drop(message(),
                         preexec_fn=limit(resource.RLIMIT_NOFILE, 4))
    check(got not in (0, 64) and same(), "hardly any descriptors",
          "%d %s" % (got, said))
    got, said = own.sendmail(["bob"], b"x" * (MESSAGE_SIZE + 1))
    check(got == 65 and b"smtp.message-size" in said and same(),
          "sendmail: larger than smtp.message-size", "%d %s" % (got, said))
    got, said = own.sendmail(["user%d" % i for i in range(101)], b"x")
    check(got == 65 and b"smtp.recipients" in said and same(),
          "sendmail: more than smtp.recipients", "%d %s" % (got, said))
    got, said = own.sendmail(["bob"], b"A: b\n" * 300000)
    check(got == 65 and b"header" in said and same(),
          "sendmail: a header without an end", "%d %s" % (got, said))
    p = subprocess.run(as_user() + [own.program("sendmail"), "-C", own.conf,
                                    "-f", "a@b.test", "bob"],
                       preexec_fn=close_all, timeout=120, check=False)
    check(p.returncode == 74 and same(), "sendmail: closed descriptors",
          "%d %s" % (p.returncode, own.left()))
    for name in ("drop", "sendmail", "mailq", "postq"):
        p = subprocess.run(as_user() + ["python3", "-c", "import os; os.execve("
                           "'%s', [''], {})" % own.program(name)],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=120, check=False)
        check(0 < p.returncode < 128 and same(), "%s without a name" % name,
              "%d %s" % (p.returncode, p.stderr))
    env = {"LD_PRELOAD": "/nonexistent.so", "TZ": "/etc/shadow", "PATH": "/x",
           "LOGNAME": "x" * 100000, "NAME": "A\nBcc: x", "IFS": "x",
           "LC_ALL": "xx", "GLIBC_TUNABLES": "x=y"}
    got, said = own.sendmail(["bob"], b"x", env=env) if not ROOT else \
        own.sendmail(["-f", "a", "bob"], b"x", uid=61001,
                     env={**env, "PATH": os.environ["PATH"]})
    check(got in (0, 67), "a hostile environment", "%d %s" % (got, said))
    if got == 0:
        for n in set(own.left()) - set(before):
            os.unlink(os.path.join(own.dir, "spool", "drop", "new", n))
    test_broken_off(own, before)


def test_broken_off(own, before):
    """sendmail is killed, or told to stop, in the middle of a message."""
    for sig in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
        p = subprocess.Popen(
            as_user() + [own.program("sendmail"), "-C", own.conf, "-f", "a",
                         "bob"], stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL, start_new_session=True)
        p.stdin.write(b"Subject: half\n\n" + b"x\n" * 5000)
        p.stdin.flush()
        tmp = os.path.join(own.dir, "spool", "drop", "tmp")
        end = time.monotonic() + WAIT
        while not below(tmp) and time.monotonic() < end:
            time.sleep(0.02)
        begun = bool(below(tmp))
        if sig == signal.SIGINT:     # as a terminal does, to all of them
            os.killpg(p.pid, sig)
        else:
            p.send_signal(sig)
        p.wait(timeout=WAIT)
        p.stdin.close()
        end = time.monotonic() + WAIT
        while sorted(own.left()) != before and time.monotonic() < end:
            time.sleep(0.02)
        check(begun and sorted(own.left()) == before,
              "%s in the middle of a message: nothing is sent" % sig.name,
              own.left())


def small_disk(spool):
    """A file system of 4 MiB for it, where that is possible."""
    os.makedirs(spool)
    return ROOT and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m,mode=755", "tmpfs", spool],
        stderr=subprocess.DEVNULL, check=False).returncode == 0


def test_full(own):
    spool = os.path.join(own.dir, "spool")
    if not os.path.ismount(spool):
        skip("a full disk", "no file system can be mounted")
        return
    before = sorted(own.left())
    fill = os.path.join(spool, "fill")
    with open(fill, "wb", buffering=0) as f:
        try:
            while True:
                f.write(b"x" * 65536)
        except OSError:
            pass
        f.truncate(max(0, f.tell() - 20000))
    got, said = own.sendmail(["bob"], b"x\n" * 15000)
    check(got == 75 and b"No space" in said and sorted(own.left()) == before,
          "a full disk: try again later, and nothing is left behind",
          "%d %s %s" % (got, said, own.left()))
    os.unlink(fill)
    word = token()
    got, said = own.sendmail(["bob"], word.encode() + b"\n" * 15000)
    check(got == 0 and len(own.left()) == len(before) + 1,
          "and goes on when there is room", "%d %s" % (got, said))


def main():
    test_basic()
    test_extract()
    test_content()
    test_smtp()
    test_clients()
    test_tools()
    test_json()
    test_aliases()
    with tempfile.TemporaryDirectory(dir=PLACE) as where:
        os.chmod(where, 0o755)
        where = os.path.join(where, "stage")
        mounted = small_disk(os.path.join(where, "spool"))
        try:
            base = first_up(where)
            stage("down", where, base)
            test_down(Stage(where), where, base)
        finally:
            stage("down", where, 0)
            if mounted:     # whoever looks at it just now may go on
                subprocess.run(["umount", "-l", os.path.join(where, "spool")],
                               check=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
