"""Clients that nobody here wrote send mail by SMTP and LMTP; what they sent is
then in the recipient's Maildir, byte for byte. TAP on standard output."""
import os
import shutil
import smtplib
import subprocess
import sys
import tempfile
import time

ADDR = os.environ.get("PH_ADDR", "127.0.0.1")
SMTP = int(os.environ["PH_SMTP"])
LMTP = int(os.environ["PH_LMTP"])
DIR = os.environ["PH_DIR"]
FROM, TO = "client@sender.test", "bob@example.test"


def new_in(user):
    return os.path.join(DIR, "mail", user, "Maildir", "new")


def stored(user, word, n=1):
    """Contents of the user's messages with this word, n of them waited for."""
    end = time.monotonic() + 60
    while True:
        found = []
        try:
            for name in os.listdir(new_in(user)):
                with open(os.path.join(new_in(user), name), "rb") as f:
                    data = f.read()
                if word in data:
                    found.append(data)
        except FileNotFoundError:
            pass
        if len(found) >= n or time.monotonic() > end:
            return found
        time.sleep(0.1)


def came(word, content, users=("bob",)):
    """Ends the stored message as the content says? Line ends of the store are its own."""
    want = content.replace(b"\r\n", b"\n")
    for user in users:
        found = stored(user, word)
        if len(found) != 1:
            return "%d messages for %s" % (len(found), user)
        if not found[0].replace(b"\r\n", b"\n").endswith(want):
            return "not what was sent: %r" % found[0][-200:]
    return None


def word(name):
    return ("%s-%d-%d" % (name, os.getpid(), time.time_ns())).encode()


def message(w, body=b"one\r\n.two\r\n..three\r\n.\r\n\r\nlast\r\n"):
    return (b"From: <" + FROM.encode() + b">\r\nTo: <" + TO.encode() + b">\r\nSubject: " + w +
            b"\r\nMessage-ID: <" + w + b"@sender.test>\r\nDate: Tue, 24 Nov 2026 06:55:03 +0100\r\n\r\n" + body)


def run(*args, data=None):
    r = subprocess.run(args, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    return None if r.returncode == 0 else "%s ended with %d: %s" % (
        args[0], r.returncode, r.stdout.decode("utf-8", "replace")[-500:])


def by_smtplib():
    w = word("smtplib")
    with smtplib.SMTP(ADDR, SMTP, timeout=60) as s:
        refused = s.sendmail(FROM, [TO, "carol@example.test", "nobody-here@example.test"], message(w))
    if list(refused) != ["nobody-here@example.test"] or refused["nobody-here@example.test"][0] != 550:
        return "refused: %r" % refused
    return came(w, message(w), ("bob", "carol"))


def by_smtplib_8bit():
    w = word("eightbit")
    m = message(w, bytes(range(128, 256)) + b"\r\n" + b"x" * 5000 + b"\r\n")
    with smtplib.SMTP(ADDR, SMTP, timeout=60) as s:
        s.sendmail(FROM, [TO], m, mail_options=["BODY=8BITMIME", "RET=HDRS", "ENVID=abc"],
                   rcpt_options=["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;bob@example.test"])
    return came(w, m)


def by_smtplib_utf8():
    w = word("utf8")
    m = message(w, "grün\r\n".encode())
    with smtplib.SMTP(ADDR, SMTP, timeout=60) as s:
        s.ehlo()
        s.sendmail("größe@sender.test", [TO], m, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    return came(w, m)


def by_smtplib_lmtp():
    w = word("lmtp")
    with smtplib.LMTP(ADDR, LMTP, timeout=60) as s:
        refused = s.sendmail(FROM, [TO], message(w))
    return "refused: %r" % refused if refused else came(w, message(w))


def by_smtplib_large():
    w = word("large")
    m = message(w, (b"0123456789" * 7 + b"\r\n") * 150000)
    with smtplib.SMTP(ADDR, SMTP, timeout=60) as s:
        s.sendmail(FROM, [TO], m)
    return came(w, m)


def by_swaks(*more):
    w = word("swaks")
    with tempfile.NamedTemporaryFile(suffix=".eml") as f:
        f.write(message(w).replace(b"\r\n", b"\n"))
        f.flush()
        # swaks itself ends what it sends with an empty line
        return run("swaks", "--from", FROM, "--to", TO, "--data", "@" + f.name, *more) or came(
            w, message(w) + b"\r\n")


def by_swaks_smtp():
    return by_swaks("--server", ADDR, "--port", str(SMTP), "--pipeline")


def by_swaks_lmtp():
    return by_swaks("--server", ADDR, "--port", str(LMTP), "--protocol", "LMTP")


def by_curl():
    w = word("curl")
    return run("curl", "-sS", "--mail-from", FROM, "--mail-rcpt", TO, "--upload-file", "-",
               "smtp://%s:%d/client.test" % (ADDR, SMTP), data=message(w)) or came(w, message(w))


def by_smtp_source():
    w = word("source")
    err = run("smtp-source", "-s", "5", "-m", "50", "-l", "4096", "-S", w.decode(), "-f", FROM, "-t", TO,
              "%s:%d" % (ADDR, SMTP))
    if err:
        return err
    n = len(stored("bob", b"Subject: " + w, 50))
    return None if n == 50 else "%d of 50 messages came" % n


TESTS = [("smtplib: two recipients and one that is not", None, by_smtplib),
         ("smtplib: 8 bits, DSN parameters", None, by_smtplib_8bit),
         ("smtplib: SMTPUTF8", None, by_smtplib_utf8),
         ("smtplib: LMTP", None, by_smtplib_lmtp),
         ("smtplib: 10 MiB", None, by_smtplib_large),
         ("swaks: SMTP, pipelined", "swaks", by_swaks_smtp),
         ("swaks: LMTP", "swaks", by_swaks_lmtp),
         ("curl", "curl", by_curl),
         ("smtp-source: 50 messages, 5 at a time", "smtp-source", by_smtp_source)]


def main():
    failed = 0
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    for n, (name, needs, test) in enumerate(TESTS, 1):
        if needs and not shutil.which(needs):
            print("ok %d - %s # skip no %s here" % (n, name, needs), flush=True)
            continue
        try:
            wrong = test()
        except (OSError, smtplib.SMTPException, subprocess.TimeoutExpired) as e:
            wrong = repr(e)
        print("%s %d - %s" % ("not ok" if wrong else "ok", n, name), flush=True)
        if wrong:
            failed += 1
            print("# " + wrong.replace("\n", " "), flush=True)
            print(name + ": " + wrong, file=sys.stderr)
    print("1..%d" % len(TESTS))
    return 1 if failed else 0


sys.exit(main())
