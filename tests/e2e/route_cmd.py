"""route as a command and as a daemon: explanations, mistakes, exit statuses,
and tables that are swapped while smtpd asks. TAP on standard output."""
import os
import shutil
import smtplib
import subprocess
import sys
import tempfile
import time

from lib.e2e import Smtp, Stage, Tap, message, send, word

ADDR = os.environ.get("PH_ADDR", "127.0.0.1")
SMTP = int(os.environ["PH_SMTP"])
DIR = os.environ["PH_DIR"]
ROUTE = os.path.join(DIR, "bin", "route")
CONF = os.path.join(DIR, "posthouse.conf")
ALIASES = os.path.join(DIR, "aliases")
USERS = os.path.join(DIR, "users")
STRANGER = "203.0.113.9"
tap = Tap()
check = tap.check


def route(*args):
    p = subprocess.run([ROUTE, *args], capture_output=True, text=True,
                       timeout=60)
    return p.returncode, p.stdout, p.stderr


def explain(address, client=STRANGER):
    more = ["-i", client] if client else []
    return route("-v", "-f", CONF, *more, address)


# address, client, exit status, lines that must be there (the last one last)
EXPLAIN = [
    ("alice@example.test", STRANGER, 0,
     [": domain example.test is local", "aliases: no alice",
      USERS + ":1: user alice", "-> user alice (alice@example.test)",
      "250 2.1.5 recipient ok"]),
    ("BOB+Lists@Example.TEST", STRANGER, 0,
     [USERS + ":2: user bob, sub-address Lists",
      "-> user bob, sub-address Lists (BOB+Lists@example.test)",
      "250 2.1.5 recipient ok"]),
    ("abuse", STRANGER, 0,
     ["without a domain: abuse@example.test",
      ALIASES + ":3: abuse@example.test is postmaster",
      ALIASES + ":1: postmaster@example.test is alice",
      "-> user alice (alice@example.test)", "250 2.1.5 recipient ok"]),
    ("postmaster@mx.example.test", STRANGER, 0,
     ["mx.example.test is a name of this host", "250 2.1.5 recipient ok"]),
    ("nosuch@example.test", STRANGER, 67,
     ["aliases: no nosuch", "users: no nosuch",
      "nobody is nosuch@example.test", "550 5.1.1 user unknown"]),
    ("ann@far.test", STRANGER, 77,
     ["far.test is not a domain of this host",
      "client 203.0.113.9 is not in relay-from",
      "550 5.7.1 relaying denied"]),
    ("ann@far.test", "127.0.0.1", 0,
     ["client 127.0.0.1 is in relay-from 127.0.0.0/8",
      "-> remote ann@far.test", "250 2.1.5 recipient ok"]),
    ("ann@far.test", None, 0,
     ["submitted on this host, may relay", "250 2.1.5 recipient ok"]),
    ("no address", STRANGER, 65,
     ["\"no address\" is no address", "553 5.1.3 this is no address"]),
]


def test_explain():
    for address, client, status, lines in EXPLAIN:
        got, out, err = explain(address, client)
        at = 0
        for line in lines:     # in this order
            at = out.find(line, at)
            if at < 0:
                break
        check(got == status and at >= 0 and
              out.rstrip().endswith(lines[-1]),
              "route -v %s from %s" % (address, client or "here"),
              "status %d\n%s%s" % (got, out, err))


def test_calls():
    for args in ([], ["-x"], ["-v", "-f", CONF], ["-c", "x"],
                 ["-c", "-t", "-f", CONF], ["-c", "-i", "::1"],
                 ["-v", "-f", CONF, "-i", "nowhere", "a"],
                 ["-v", "-f", CONF, "-u", "bob"], ["-c", "-u", "bob"],
                 ["-v", "-f", CONF, "-s", "bob@example.test"],
                 ["-v", "-f", CONF, "-u", "bob", "-s", "no address"],
                 ["-v", "-f", CONF, "-s", "no address", "a"]):
        got, _, err = route(*args)
        check(got == 64 and err, "route %s is a wrong call" % " ".join(args)
              .replace(CONF, "CONF"), "status %d %s" % (got, err))
    got, _, err = route("-t", "-f", "/nonexistent/conf")
    check(got in (66, 78) and "/nonexistent/conf" in err,
          "no configuration", "status %d %s" % (got, err))


def rcpt(address):
    with smtplib.SMTP(ADDR, SMTP, timeout=60) as s:
        s.ehlo("client.test")
        s.mail("s@client.test")
        return s.rcpt(address)


def rcpt_soon(address, code):
    """The reply, as soon as it has the code: within a second, where there is time for it."""
    end = time.monotonic() + 30
    while True:
        got = rcpt(address)
        if got[0] == code or time.monotonic() > end:
            return got


def append(text):
    with open(ALIASES, "a", encoding="utf-8") as f:
        f.write(text)


def test_swap(keep):
    check(rcpt("swapped@example.test")[0] == 550, "not there before")
    append("swapped: bob\nhalf: alice, nosuch\n")
    check(rcpt("swapped@example.test")[0] == 550,
          "a changed source file alone changes nothing")
    got, _, err = explain("swapped@example.test")
    check(got == 67 and ALIASES + " has changed since" in err,
          "route -v knows that the tables are older", err)
    got, _, err = route("-c", "-f", CONF)
    check(got == 0, "route -c while the suite runs", err)
    got = rcpt_soon("swapped@example.test", 250)
    check(got[0] == 250, "accepted soon, without a word to the daemons", str(got))
    got, out, err = explain("swapped@example.test")
    check(got == 0 and ALIASES + ":4: swapped@example.test is bob" in out and
          err == "", "explained with its line", out + err)
    got, out, _ = explain("half@example.test")
    check(got == 0 and "-> user alice (" in out and "-> nobody, " in out and
          "-> user nosuch" not in out, "a member that is nobody", out)

    # mistakes: all are said, the tables stay
    append("wrong: a b\nloose\nswapped: alice\n")
    got, _, err = route("-c", "-f", CONF)
    said = err.splitlines()
    want = [ALIASES + ":6:8: ", ALIASES + ":7:6: ", ALIASES + ":8:1: "]
    check(got == 78 and len(said) == 3 and
          all(s.startswith(w) for s, w in zip(said, want)),
          "every mistake with file, line and column", err)
    time.sleep(0.5)
    check(rcpt("swapped@example.test")[0] == 250,
          "mistakes leave the old tables")

    shutil.copyfile(keep, ALIASES)
    got, _, err = route("-c", "-f", CONF)
    check(got == 0, "route -c with the old file", err)
    got = rcpt_soon("swapped@example.test", 550)
    check(got[0] == 550, "refused soon, without a word to the daemons", str(got))


def test_open_session(keep):
    """A session that is open when the tables change sees the new ones."""
    with smtplib.SMTP(ADDR, SMTP, timeout=60) as s:
        s.ehlo("client.test")
        s.mail("")
        before = s.rcpt("late@example.test")
        append("late: alice\n")
        got, _, err = route("-c", "-f", CONF)
        end = time.monotonic() + 30
        after = s.rcpt("late@example.test")
        while after[0] != 250 and time.monotonic() < end:
            time.sleep(0.1)
            after = s.rcpt("late@example.test")
        check(before[0] == 550 and got == 0 and after[0] == 250,
              "an open session gets the new tables",
              "%s %s %s" % (before, err, after))
    shutil.copyfile(keep, ALIASES)
    got, _, err = route("-c", "-f", CONF)
    check(got == 0, "restored", err)


def test_expect():
    """expect lines are worked out by -t, against the source files."""
    with open(CONF, encoding="utf-8") as f:
        text = f.read()
    with tempfile.NamedTemporaryFile("w", suffix=".conf", dir=DIR) as f:
        f.write(text)
        f.write("expect route abuse@example.test -> user alice\n")
        f.write("expect client 203.0.113.9 to a@far.test -> 550 5.7.1\n")
        f.write("expect user bob from alice@example.test -> 553 5.7.1\n")
        f.flush()
        got, _, err = route("-t", "-f", f.name)
        check(got == 0 and not err, "expect lines hold", err)
        line = text.count("\n") + 4
        f.write("expect route abuse@example.test -> user bob\n")
        f.flush()
        got, _, err = route("-t", "-f", f.name)
        check(got == 78 and err.startswith(
            "%s:%d:1: expect route abuse@example.test -> user bob failed, "
            "it is user alice" % (f.name, line)) and
            "\t%s:3: abuse@example.test is postmaster" % ALIASES in err,
            "one that does not hold is explained", err)


def test_senders():
    """Who may send as which address, as it is said to smtpd."""
    with Stage("senders @DIR@/senders\n", files={"senders": "@firm.test: bob\nnews@example.test: *\n"}) as st:
        for user, sender, status, lines in (
                ("bob", "<bob+x@example.test>", 0, ["senders: no @example.test", "users:2: user bob, sub-address x", "250 2.1.0"]),
                ("alice", "postmaster@example.test", 0, ["aliases:1: postmaster@example.test is alice", "250 2.1.0 sender ok"]),
                ("bob", "x@firm.test", 0, ["senders:1: @firm.test is for bob", "250 2.1.0 sender ok"]),
                ("bob", "<>", 0, ["the null sender", "250 2.1.0 sender ok"]),
                ("carol", "news@example.test", 0, ["senders:2: news@example.test is for *", "250 2.1.0 sender ok"]),
                ("carol", "x@firm.test", 77, ["senders:1: @firm.test is not for carol",
                                              "firm.test is not a domain of this host", "553 5.7.1 "]),
                ("carol", "bob@example.test", 77, ["mail for bob@example.test is not delivered to carol", "553 5.7.1 "])):
            p = subprocess.run([os.path.join(st.dir, "bin", "route"), "-v", "-f", st.conf, "-u", user, "-s", sender],
                               capture_output=True, encoding="utf-8", timeout=60, check=False)
            at = 0
            for line in lines:
                at = p.stdout.find(line, at)
                if at < 0:
                    break
            check(p.returncode == status and at >= 0, "route -v -u %s -s %s" % (user, sender), p.stdout + p.stderr)
        p = subprocess.run([os.path.join(st.dir, "bin", "route"), "-v", "-f", st.conf, "-i", STRANGER, "-u", "bob",
                            "ann@far.test"], capture_output=True, encoding="utf-8", timeout=60, check=False)
        check("user bob has logged in and may relay" in p.stdout, "route -v -u bob ADDRESS", p.stdout + p.stderr)


def test_idna():
    """U-labels and A-labels are one name, in the configuration, in tables and in addresses."""
    with Stage("domain bücher.test\nvirtual-domain xn--mnchen-3ya.test\nvirtual @DIR@/virtual\n",
               files={"virtual": "info@münchen.test: bob\n"}) as st:
        for address, lines in (
                ("alice@xn--bcher-kva.test", ["domain bücher.test, which is xn--bcher-kva.test, is local",
                                              "-> user alice"]),
                ("alice@BÜCHER.test", ["is xn--bcher-kva.test\n", "domain bücher.test, which is", "-> user alice"]),
                ("info@münchen.test", ["münchen.test is xn--mnchen-3ya.test\n", "domain xn--mnchen-3ya.test is virtual",
                                       "info@münchen.test is bob", "-> user bob"])):
            p = subprocess.run([os.path.join(st.dir, "bin", "route"), "-v", "-f", st.conf, address], capture_output=True,
                               encoding="utf-8", timeout=60, check=False)
            at = 0
            for line in lines:
                at = p.stdout.find(line, at)
                if at < 0:
                    break
            check(p.returncode == 0 and at >= 0, "route -v " + address, p.stdout + p.stderr)
        w = word("idna")
        send(st.smtp, b"alice@xn--bcher-kva.test", message(w))
        st.came("alice", w)
        with Smtp(st.smtp) as c:
            c.say(b"EHLO client.test", "250")
            c.say(b"MAIL FROM:<s@client.test> SMTPUTF8", "250")
            c.say("RCPT TO:<alice@bücher.test>".encode(), "250")
            c.say("RCPT TO:<info@xn--mnchen-3ya.test>".encode(), "250")
            w = word("idna")
            c.data(message(w))
        st.came("alice", w)
        st.came("bob", w)
        check(True, "delivered by either name")
        with open(st.conf, encoding="utf-8") as f:
            text = f.read()
        with tempfile.NamedTemporaryFile("w", suffix=".conf", dir=st.dir, encoding="utf-8") as f:
            for line, status in (("catch-all xn--bcher-kva.test bob\n", 0), ("catch-all köln.test bob\n", 78)):
                f.seek(0)
                f.truncate()
                f.write(text + line)
                f.flush()
                p = subprocess.run([os.path.join(st.dir, "bin", "route"), "-t", "-f", f.name], capture_output=True,
                                   encoding="utf-8", timeout=60, check=False)
                check(p.returncode == status and (status == 0 or "catch-all for köln.test" in p.stderr),
                      line.strip(), p.stderr)


def main():
    with tempfile.NamedTemporaryFile() as keep:
        shutil.copyfile(ALIASES, keep.name)
        try:
            test_explain()
            test_calls()
            test_swap(keep.name)
            test_open_session(keep.name)
            test_expect()
            test_senders()
            test_idna()
        finally:
            shutil.copyfile(keep.name, ALIASES)
            route("-c", "-f", CONF)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
