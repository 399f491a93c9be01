"""LMTP (RFC 2033): greeting, one reply for each recipient, pipelining, good and
bad recipients, a full mailbox, large messages, clients that go away in the
middle; and clients that nobody here wrote. Mostly a stage of its own. TAP."""
import os
import re
import shutil
import smtplib
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ADDR, ROOT, Smtp, Skip, Stage, Tap, below, ident, mails, message, until, want, word  # noqa: E402

os.environ["PATH"] += ":/usr/sbin:/sbin"
TX = b"LHLO client.test\r\nMAIL FROM:<s@client.test>\r\n"
BAD = b"nobody-here@example.test"


def rcpts(*names):
    return b"".join(b"RCPT TO:<" + n + b">\r\n" for n in names)


def greeting(st):
    with Smtp(st.lmtp, greeting=None) as c:
        got = c.reply()
        want("220 and LMTP", got, got.startswith("220 ") and "LMTP" in got)
        for verb in (b"HELO x", b"EHLO x"):
            c.say(verb, "500")
        c.say(b"MAIL FROM:<a@client.test>", "503 5.5.1")
        c.send(b"LHLO x\r\n")
        words = []
        while not words or words[-1][3:4] == b"-":
            words.append(c.line())
        # RFC 2033, 5: these two MUST be
        want("PIPELINING and ENHANCEDSTATUSCODES", words, {w[4:] for w in words} >= {
            b"PIPELINING", b"ENHANCEDSTATUSCODES", b"8BITMIME", b"CHUNKING", b"DSN", b"SMTPUTF8"})


def replies(st):
    """As many as there were good recipients, in whatever order the bad ones stood."""
    w = word("lmtp")
    with Smtp(st.lmtp) as c:
        c.say(TX + rcpts(b"alice@example.test", BAD, b"bob@example.test", b"x@far.test", b"carol@example.test", b"<"),
              "250", "250", "250", "550 5.1.1", "250", "550 5.7.1", "250", "501")
        c.data(message(w))
        c.expect("250", "250")
        c.say(b"NOOP", "250 2.0.0 ok")
    for user in ("alice", "bob", "carol"):
        st.came(user, w)


def none(st):
    """RFC 2033, 4.2: 503 to DATA when nobody is left."""
    with Smtp(st.lmtp) as c:
        c.say(TX + rcpts(BAD) + b"DATA\r\n", "250", "250", "550", "503 5.5.1")
        c.say(rcpts(b"alice@example.test") + b"NOOP\r\n", "250", "250 2.0.0 ok")


def pipelined(st):
    """Two whole transactions and QUIT in one packet, the content of BDAT in it."""
    w = word("pipelined")
    m = message(w)
    with Smtp(st.lmtp) as c:
        one = b"MAIL FROM:<s@client.test>\r\n" + rcpts(b"alice@example.test", BAD, b"bob@example.test")
        c.say(b"LHLO x\r\n" + (one + b"BDAT %d LAST\r\n" % len(m) + m) * 2 + b"QUIT\r\n",
              "250", *["250", "250", "550", "250", "250 2.0.0", "250 2.0.0"] * 2, "221")
        want("the end", None, c.closed())
    for user in ("alice", "bob"):
        st.came(user, w, 2)


def chunks(st):
    """Only the last chunk has a reply for each; one that fails has one, and the rest are out of order."""
    with Smtp(st.lmtp) as c:
        c.say(TX + rcpts(b"alice@example.test", b"bob@example.test") + b"BDAT 6\r\nX: y\r\nBDAT 0 LAST\r\n",
              "250", "250", "250", "250", "250 2.0.0 6 octets", "250 2.0.0 accepted", "250 2.0.0 accepted")
        c.say(TX[len(b"LHLO client.test\r\n"):] + rcpts(b"alice@example.test", b"bob@example.test") +
              b"BDAT 2\r\na\nBDAT 2 LAST\r\na\nNOOP\r\n", "250", "250", "250", "550 5.5.2", "503", "250 2.0.0 ok")


def too_large(st):
    over = message(b"large", b"x" * 70 + b"\r\n") + (b"y" * 70 + b"\r\n") * 2000
    with Smtp(st.lmtp) as c:
        c.say(b"LHLO x\r\nMAIL FROM:<s@client.test> SIZE=%d\r\n" % len(over), "250", "552 5.3.4")
        c.say(b"MAIL FROM:<s@client.test>\r\n" + rcpts(b"alice@example.test", b"bob@example.test"), "250", "250", "250")
        c.data(over, "552 5.3.4")
        c.expect("552 5.3.4")
        c.say(b"NOOP", "250 2.0.0 ok")


def over_quota(st):
    """The spool takes a message as a whole: what does not fit is the queue's affair, and reported."""
    w, body, ids = word("quota"), (b"x" * 70 + b"\r\n") * 100, []
    with Smtp(st.lmtp) as c:
        for _ in range(8):
            c.say(TX + rcpts(b"small@example.test", b"bob@example.test"), "250", "250", "250", "250")
            ids.append(ident(c.data(message(w, body))))
            c.expect("250")
    st.came("bob", w, 8)
    until("seven are reported", lambda: sum("of=" + n in st.log() for n in ids) == 7)
    want("each for the right reason", None, sum(bool(re.search(
        r"failed id=%s to=small@\S+ user=small status=5\.2\.2" % n, st.log())) for n in ids) == 7)
    want("one fits", None, sum(w in m for m in mails(st.dir, "small").values()) == 1)


def twice(st):
    """The same recipient again is a recipient again (RFC 2033, 4.2)."""
    w = word("twice")
    with Smtp(st.lmtp) as c:
        c.say(TX + rcpts(b"alice@example.test", b"alice@example.test", b"ALICE@EXAMPLE.test"), *["250"] * 5)
        n = ident(c.data(message(w)))
        c.expect("250", "250")
    st.logged("done id=" + n)
    st.came("alice", w, 3)


def aborted(st):
    """In DATA, in a chunk, between chunks, before the last dot: nobody gets anything, nothing is left."""
    w = word("aborted")
    for data in (b"DATA\r\n" + message(w), b"DATA\r\n" + message(w) + b".\r", b"DATA\r\n" + message(w) + b".",
                 b"BDAT 9999 LAST\r\n" + message(w), b"BDAT %d\r\n" % len(message(w)) + message(w)):
        with Smtp(st.lmtp) as c:
            c.send(TX + rcpts(b"alice@example.test", b"bob@example.test") + data)
            c.expect("250", "250", "250", "250")
    tmp = os.path.join(st.dir, "spool", "incoming", "tmp")
    until("incoming/tmp is empty", lambda: not below(tmp))
    until("none is busy", lambda: " busy=0 " in next(
        (l for l in st.posthouse("status")[1].splitlines() if l.startswith("lmtp")), ""))
    want("nobody has it", None, not any(w in m for u in ("alice", "bob") for m in mails(st.dir, u).values()))


def by_smtplib(st):
    w = word("smtplib")
    with smtplib.LMTP(ADDR, st.lmtp, timeout=60) as s:      # it reads one reply only, whatever there were
        refused = s.sendmail("s@client.test", ["nobody-here@example.test", "alice@example.test"],
                             message(w, b".\r\n..\r\n\xff\r\n"))
    want("one refused", refused, list(refused) == ["nobody-here@example.test"] and
         refused["nobody-here@example.test"][0] == 550)
    want("as it was", None, st.came("alice", w)[0].endswith(b"\n\n.\n..\n\xff\n"))


def run(*args, data=None):
    if not shutil.which(args[0]):
        raise Skip("no %s here" % args[0])
    r = subprocess.run(args, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    want(args[0], r.stdout.decode("utf-8", "replace")[-800:], r.returncode == 0)


def by_swaks(st):
    w = word("swaks")
    with tempfile.NamedTemporaryFile() as f:
        f.write(message(w).replace(b"\r\n", b"\n"))
        f.flush()
        run("swaks", "--protocol", "LMTP", "--server", ADDR, "--port", str(st.lmtp), "--pipeline", "--from",
            "s@client.test", "--to", "alice@example.test,bob@example.test", "--data", "@" + f.name)
    for user in ("alice", "bob"):
        st.came(user, w)


def by_smtp_source(st):
    w = word("source")
    run("smtp-source", "-L", "-s", "4", "-m", "40", "-l", "2000", "-S", w.decode(), "-f", "s@client.test",
        "-t", "bob@example.test", "%s:%d" % (ADDR, st.lmtp))
    until("40 messages", lambda: sum(b"Subject: " + w in m for m in mails(st.dir, "bob").values()) >= 40)


def by_msmtp(st):
    w = word("msmtp")
    run("msmtp", "--host=" + ADDR, "--port=%d" % st.lmtp, "--protocol=lmtp", "--from=s@client.test", "--tls=off",
        "--auth=off", "--domain=client.test", "-C", "/dev/null", "alice@example.test", "bob@example.test",
        data=message(w).replace(b"\r\n", b"\n"))
    for user in ("alice", "bob"):
        st.came(user, w)



def main():
    tap = Tap()
    uid = 61170 if ROOT else os.geteuid()
    users = "small:{PLAIN}secret:%d:%d::@DIR@/mail/small::quota=10K\n" % (uid, uid if ROOT else os.getegid())
    with Stage('smtp.message-size 64K\nusers file "@DIR@/users2"\n', trust=False, files={"users2": users}) as st:
        os.mkdir(os.path.join(st.dir, "mail", "small"), 0o700)
        if ROOT:
            os.chown(os.path.join(st.dir, "mail", "small"), uid, uid)
        for test in (greeting, replies, none, pipelined, chunks, too_large, over_quota, twice, aborted, by_smtplib,
                     by_swaks, by_smtp_source, by_msmtp):
            tap.run(test.__name__.replace("_", " "), test, st)
    return tap.end()


sys.exit(main())
