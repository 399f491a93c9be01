"""Submission (RFC 6409): who may log in, how, and what he may send as whom;
what a message gets on its way in; and mail programs that nobody here wrote, on
ports with TLS from the first byte, with STARTTLS, and without. TAP."""
import base64
import hashlib
import hmac
import os
import re
import shutil
import smtplib
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ADDR, ROOT, Skip, Smtp, Stage, Tap, ident, mails, until, want, word  # noqa: E402

os.environ["PATH"] += ":/usr/sbin:/sbin"
ALICE = b"AGFsaWNlAHNlY3JldA=="
LOGIN = b"AUTH PLAIN " + ALICE


def plain(user, password, authzid=b""):
    return base64.b64encode(authzid + b"\0" + user + b"\0" + password)


def tls():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname = False
    c.verify_mode = ssl.CERT_NONE
    return c


def session(st, login=LOGIN):
    c = Smtp(st.base + 587)
    c.say(b"EHLO x", "250")
    if login:
        c.say(login, "235 2.7.0")
    return c


def letter(w, head=b"From: alice\r\nTo: bob\r\nBcc: carol\r\n", body=b"hello\r\n.\r\n"):
    return head + b"Subject: " + w + b"\r\n\r\n" + body


def fields(mail):
    return mail.replace(b"\r\n", b"\n").split(b"\n\n", 1)[0].decode()


def needed(st):
    with session(st, None) as c:
        for command in (b"MAIL FROM:<alice@example.test>", b"MAIL FROM:<>", b"VRFY alice", b"EXPN postmaster"):
            c.say(command, "530 5.7.0")
        c.say(b"RCPT TO:<bob@example.test>", "503")
        c.say(b"DATA", "503")
        c.say(LOGIN, "235 2.7.0")
        c.say(b"VRFY alice", "250")


# What is sent, and what it gets: in one session each, in which nobody is logged in at the end.
SHAPES = (
    ("no words", b"AUTH", "501 5.5.4"),
    ("three words", b"AUTH PLAIN a b", "501 5.5.4"),
    ("no such mechanism", b"AUTH CRAM-MD5", "504 5.5.4"),
    ("a mechanism that is off", b"AUTH XOAUTH2 =", "504 5.5.4"),
    ("EXTERNAL without a certificate", b"AUTH EXTERNAL =", "504 5.5.4"),
    ("channel binding without a channel", b"AUTH SCRAM-SHA-256-PLUS", "504 5.5.4"),
    ("a name that is too long", b"AUTH " + b"X" * 21, "501 5.5.4"),
    ("cancelled", b"AUTH PLAIN\r\n*", "334", "501 5.0.0"),
    ("cancelled at the second question", b"AUTH LOGIN\r\nYWxpY2U=\r\n*", "334", "334", "501 5.0.0"),
    ("a star too early", b"AUTH PLAIN *", "501 5.5.2"),
    ("no base64", b"AUTH PLAIN ????", "501 5.5.2"),
    ("base64 cut off", b"AUTH PLAIN " + ALICE[:-1], "501 5.5.2"),
    ("base64 with more behind it", b"AUTH PLAIN " + ALICE + b"AAAA", "501 5.5.2"),
    ("base64 with bits that mean nothing", b"AUTH PLAIN\r\nAB==", "334", "501 5.5.2"),
    ("a blank in front", b"AUTH PLAIN\r\n " + ALICE, "334", "501 5.5.2"),
    ("NUL in the line", b"AUTH PLAIN\r\nAGFs\0aWNl", "334", "501 5.5.2"),
    ("NUL in the command", b"AUTH PLAIN AGFs\0aWNl", "500 5.5.2"),
    ("a bare CR", b"AUTH PLAIN\r\nAGFs\raWNl", "334", "501 5.5.2"),
    ("a bare LF", b"AUTH PLAIN AGFs\naWNl", "500 5.5.2", "500 5.5.2"),
    ("not UTF-8 in the line", b"AUTH PLAIN\r\n\xff\xfe\xfd\xfc", "334", "501 5.5.2"),
    ("UTF-8 where base64 should be", b"AUTH PLAIN \xc3\xa4\xc3\xb6", "501 5.5.2"),
    ("nothing at all", b"AUTH PLAIN =", "501 5.5.2"),
    ("an empty line", b"AUTH PLAIN\r\n", "334", "501 5.5.2"),
    ("too long a command", b"AUTH PLAIN " + b"A" * 12300, "500 5.5.6"),
    ("too long a line", b"AUTH PLAIN\r\n" + b"A" * 12300, "334", "500 5.5.6"),
    ("far too long a line", b"AUTH PLAIN\r\n" + b"A" * 300000, "334", "500 5.5.6"),
    ("a name that is no UTF-8", b"AUTH PLAIN " + plain(b"\xff\xfe", b"secret"), "501 5.5.2"),
    ("NUL in the password", b"AUTH PLAIN " + plain(b"alice", b"secret\0"), "501 5.5.2"),
    ("another password", b"AUTH PLAIN " + plain(b"alice", b"wrong"), "535 5.7.8"),
    ("the right one and a blank", b"AUTH PLAIN " + plain(b"alice", b"secret "), "535 5.7.8"),
    ("nobody", b"AUTH PLAIN " + plain(b"nobody-here", b"secret"), "535 5.7.8"),
    ("no password", b"AUTH PLAIN " + plain(b"alice", b""), None),
    ("for somebody else", b"AUTH PLAIN " + plain(b"alice", b"secret", b"bob"), None),
    ("SCRAM without sense", b"AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,,x=1"), None),
)


def shape(st, lines, codes):
    with session(st, None) as c:
        c.send(lines + b"\r\n")
        for code in codes:
            got = c.expect(code) if code else c.reply()
            want("refused", got, got[0] in "345")
        c.say(b"MAIL FROM:<alice@example.test>", "530 5.7.0")
        c.say(b"NOOP", "250")


def order(st):
    with Smtp(st.base + 587) as c:
        c.say(LOGIN, "503 5.5.1")
        c.say(b"HELO x", "250")
        c.say(LOGIN, "503 5.5.1")
        c.say(b"EHLO x", "250")
        c.say(LOGIN, "235 2.7.0")
        c.say(LOGIN, "503 5.5.1")
        c.say(b"EHLO x", "250")
        c.say(LOGIN, "503 5.5.1")
        c.say(b"MAIL FROM:<alice@example.test>", "250")
        c.say(LOGIN, "503 5.5.1")
        c.say(b"RCPT TO:<bob@example.test>", "250")
        c.say(LOGIN, "503 5.5.1")
    with Smtp(st.base + 587) as c:      # all in one piece: an answer is not a command
        c.say(b"EHLO x\r\nAUTH PLAIN\r\n" + ALICE + b"\r\nAUTH PLAIN\r\nNOOP\r\n", "250", "334", "235", "503", "250")


def again(st):
    with session(st, None) as c:
        for _ in range(4):
            c.say(b"AUTH PLAIN !!!!", "501")
        c.say(b"AUTH PLAIN " + plain(b"nobody-here", b"x"), "535")
        for _ in range(3):
            c.say(b"AUTH PLAIN\r\n*", "334", "501")
        c.say(b"AUTH PLAIN\r\n*", "334", "501 5.0.0", "421 4.7.0")
        want("closed", None, c.closed())


def secrets(st):
    """Nothing of what clients said is in the log."""
    with session(st) as c:
        c.say(b"QUIT", "221")
    log = st.log().encode()
    for secret in (ALICE, b"secret", b"AGFs", b"????", b"wrong\"", b"A" * 100):
        want("nothing of %r in the log" % secret, None, secret not in log)
    st.logged(" login-failed mechanism=PLAIN client=127.0.0.1 code=535 why=")
    st.logged(" login-failed mechanism=none client=127.0.0.1 code=504 why=")
    st.logged("login user=alice mechanism=PLAIN client=127.0.0.1")


def senders(st):
    with session(st) as c:
        c.say(b"MAIL FROM:<bob@example.test>", "553 5.7.1")
        c.say(b"MAIL FROM:<alice@other.test>", "553 5.7.1")
        c.say(b"MAIL FROM:<nobody-here@example.test>", "553 5.7.1")
        for mine in (b"alice@example.test", b"ALICE@EXAMPLE.TEST", b"alice+x@example.test", b"postmaster@example.test", b""):
            c.say(b"MAIL FROM:<" + mine + b"> AUTH=<>", "250 2.1.0")
            c.say(b"RSET", "250")
    st.logged("refused code=553 status=5.7.1 from=bob@example.test", "user=alice")


def relays(st):
    """With nobody trusted by his address: who has logged in, and only he."""
    with session(st) as c:
        c.say(b"MAIL FROM:<alice@example.test>", "250")
        c.say(b"RCPT TO:<somebody@elsewhere.test>", "250")
    with Smtp(st.smtp) as c:
        c.say(b"EHLO x", "250")
        c.say(LOGIN, "502 5.5.1")
        c.say(b"MAIL FROM:<alice@example.test> AUTH=<>", "555")
        c.say(b"MAIL FROM:<alice@example.test>", "250")
        c.say(b"RCPT TO:<somebody@elsewhere.test>", "550 5.7.1")


def completed(st):
    w = word("completed")
    with session(st) as c:
        c.say(b"MAIL FROM:<alice@example.test>", "250")
        c.say(b"RCPT TO:<bob@example.test>", "250")
        n = ident(c.data(letter(w)))
    head = fields(st.came("bob", w)[0])
    for line in ("From: alice@example.test", "To: bob@example.test", "Message-ID: <%s@mx.example.test>" % n):
        want(line, head, line in head.split("\n"))
    want("a date", head, re.search(r"(?m)^Date: \w\w\w, ", head))
    want("no Bcc", head, "Bcc" not in head and "carol" not in head)
    want("who handed it in", head, re.search(r"Received: from x \(\[127\.0\.0\.1\]\)\n\tby mx\.example\.test \(Posthouse\) with "
                                             r"ESMTPA id " + n, head))
    want("but not his name", head, "Authenticated" not in head)
    st.logged("accepted id=" + n, "proto=ESMTPA user=alice why=")


def untouched(st):
    """What is complete stays as it is; a body is never looked at."""
    w = word("untouched")
    head = b"Date: Tue, 24 Nov 2026 06:55:03 +0100\r\nFrom: A <alice@example.test>\r\nMessage-ID: <x@y>\r\nTo: bob@example.test\r\n"
    body = b"Bcc: x\r\nTo: bob\r\n" + bytes(range(128, 256)) + b"\r\n"
    with session(st) as c:
        c.say(b"MAIL FROM:<alice@example.test> BODY=8BITMIME", "250")
        c.say(b"RCPT TO:<bob@example.test>", "250")
        c.data(letter(w, head, body))
    m = st.came("bob", w)[0].replace(b"\r\n", b"\n")
    want("byte for byte", m, m.endswith(letter(w, head, body).replace(b"\r\n", b"\n")))


def large(st):
    w = word("large")
    body = (b"0123456789" * 7 + b"\r\n") * 50000
    with session(st) as c:
        c.say(b"MAIL FROM:<alice@example.test> SIZE=999999999999", "552 5.3.4")
        c.say(b"MAIL FROM:<alice@example.test>", "250")
        c.say(b"RCPT TO:<bob@example.test>", "250")
        c.data(letter(w, body=body))
    want("all of it", None, st.came("bob", w)[0].replace(b"\r\n", b"\n").endswith(body.replace(b"\r\n", b"\n")))


def chunks(st):
    w = word("chunks")
    data = letter(w)
    with session(st) as c:
        c.say(b"MAIL FROM:<alice@example.test>", "250")
        c.say(b"RCPT TO:<bob@example.test>", "250")
        for i in range(0, len(data), 3):
            c.say(b"BDAT %d\r\n" % len(data[i:i + 3]) + data[i:i + 3] + b"NOOP\r\n", "250", "250")
        c.say(b"BDAT 0 LAST", "250")
    head = fields(st.came("bob", w)[0])
    want("completed", head, "\nTo: bob@example.test\n" in head and "Bcc" not in head and "\nMessage-ID: " in head)


def cleartext(st):
    """Where no secret may be shown without TLS."""
    with session(st, None) as c:
        c.say(LOGIN, "538 5.7.11")
        c.say(b"AUTH LOGIN", "538 5.7.11")
        c.say(b"AUTH XOAUTH2", "504 5.5.4")
        c.say(b"MAIL FROM:<alice@example.test>", "530 5.7.0")
    with smtplib.SMTP(ADDR, st.base + 587, timeout=30) as s:
        s.ehlo()
        want("what shows nothing", s.esmtp_features, s.esmtp_features["auth"].split() == ["SCRAM-SHA-1", "SCRAM-SHA-256"])
        s.starttls(context=tls())
        s.ehlo()
        want("all of them", s.esmtp_features, "PLAIN" in s.esmtp_features["auth"].split() and
             "SCRAM-SHA-256-PLUS" in s.esmtp_features["auth"].split())
        s.login("alice", "secret")
        s.ehlo()
        want("and none", s.esmtp_features, "auth" not in s.esmtp_features)


def hidden(st):
    w = word("hidden")
    with session(st) as c:
        c.say(b"MAIL FROM:<alice@example.test>", "250")
        c.say(b"RCPT TO:<bob@example.test>", "250")
        n = ident(c.data(letter(w)))
    head = fields(st.came("bob", w)[0])
    want("nothing of the client", head, "127.0.0.1" not in head and " from x" not in head)
    want("the user", head, "Received: (Authenticated sender: alice)\n\tby mx.example.test (Posthouse) with ESMTPA id " + n in head)


def port25(st):
    with Smtp(st.smtp) as c:
        c.say(b"EHLO x", "250")
        c.say(b"MAIL FROM:<alice@example.test>", "250")
        c.say(b"RCPT TO:<somebody@elsewhere.test>", "550 5.7.1")
        c.say(b"RSET", "250")
        c.say(LOGIN, "235 2.7.0")
        c.say(b"MAIL FROM:<bob@example.test>", "553 5.7.1")
        c.say(b"MAIL FROM:<alice@example.test>", "250")
        c.say(b"RCPT TO:<somebody@elsewhere.test>", "250")


def limited(st):
    """Counted over connections, from wherever; told in the reply."""
    for i in range(3):
        with session(st) as c:
            c.say(b"MAIL FROM:<alice@example.test>", "250")
            c.say(b"RSET", "250")
            c.say(b"MAIL FROM:<alice@example.test>", "250")
            c.say(b"RCPT TO:<bob@example.test>", "250")
            c.say(b"RCPT TO:<nobody-here@example.test>", "550")
            c.data(letter(word("limited")))
    with session(st) as c:
        got = c.say(b"MAIL FROM:<alice@example.test>", "450 4.7.1")
        want("how much, and when again", got, re.fullmatch(r"450 4\.7\.1 you have sent 3 messages within an hour, the limit; "
                                                          r"try again in (59|60) minutes", got))
    with session(st, b"AUTH PLAIN " + plain(b"bob", b"secret")) as c:
        c.say(b"MAIL FROM:<bob@example.test>", "250")
        for name in (b"alice", b"bob", b"carol", b"postmaster"):
            c.say(b"RCPT TO:<" + name + b"@example.test>", "250")
        got = c.say(b"RCPT TO:<root@example.test>", "452 4.7.1")
        want("how many, and when again", got, "4 recipients within a day" in got and "24 hours" in got)
        c.data(letter(word("limited")))
    st.logged("refused code=450 status=4.7.1", "user=alice", "3 messages within an hour")


# ---- what TLS knows

def over_tls(st, context=None):
    c = Smtp(st.base + 465, greeting=None)
    c.sock = (context or tls()).wrap_socket(c.sock)
    c.expect("220")
    c.say(b"EHLO x", "250")
    return c


def bound(st):
    """SCRAM-SHA-256-PLUS (RFC 7677), bound to the server's certificate (RFC 5929 4)."""
    for spoiled in (False, True):
        with over_tls(st) as c:
            end_point = hashlib.sha256(c.sock.getpeercert(True)).digest()
            first = b"n=alice,r=fyko"
            got = c.say(b"AUTH SCRAM-SHA-256-PLUS " + base64.b64encode(b"p=tls-server-end-point,," + first), "334")
            challenge = base64.b64decode(got[4:])
            nonce, salt, rounds = (v[2:] for v in challenge.split(b","))
            if spoiled:
                end_point = bytes(32)
            last = b"c=" + base64.b64encode(b"p=tls-server-end-point,," + end_point) + b",r=" + nonce
            salted = hashlib.pbkdf2_hmac("sha256", b"secret", base64.b64decode(salt), int(rounds))
            key = hmac.digest(salted, b"Client Key", "sha256")
            said = first + b"," + challenge + b"," + last
            signature = hmac.digest(hashlib.sha256(key).digest(), said, "sha256")
            proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature)))
            c.send(base64.b64encode(last + b",p=" + proof) + b"\r\n")
            if spoiled:
                c.expect("535 5.7.8")
                continue
            want("the server's proof", None, base64.b64decode(c.expect("334")[4:]) == b"v=" + base64.b64encode(
                hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), said, "sha256")))
            c.say(b"\r\n", "235 2.7.0")
            c.say(b"MAIL FROM:<alice@example.test>", "250")


def openssl(directory, *args):
    subprocess.run(["openssl", *args], cwd=directory, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)


def make_certificates(directory):
    """An authority, two clients of it, and one of nobody's."""
    new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
    openssl(directory, *new, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.crt")
    for name in ("alice", "stranger"):
        openssl(directory, "req", *new[2:-2], "-subj", "/CN=laptop-of-" + name, "-keyout", name + ".key", "-out", name + ".csr")
        openssl(directory, "x509", "-req", "-days", "2", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", name + ".crt")
    openssl(directory, *new, "-subj", "/CN=laptop-of-alice", "-keyout", "forged.key", "-out", "forged.crt")
    with open(os.path.join(directory, "alice.crt"), encoding="ascii") as f:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()


def external(st, directory):
    def certified(name):
        c = tls()
        c.load_cert_chain(os.path.join(directory, name + ".crt"), os.path.join(directory, name + ".key"))
        return over_tls(st, c)
    with certified("alice") as c:
        c.say(b"AUTH EXTERNAL =", "235 2.7.0")
        c.say(b"MAIL FROM:<alice@example.test>", "250")
    st.logged(" tls service=submissions", 'verified laptop-of-alice"')
    st.logged("login user=alice mechanism=EXTERNAL")
    with certified("alice") as c:
        c.say(b"AUTH EXTERNAL " + base64.b64encode(b"bob"), "535")
    with certified("stranger") as c:
        c.say(b"AUTH EXTERNAL =", "535")
        c.say(LOGIN, "235")
    with over_tls(st) as c:
        c.say(b"AUTH EXTERNAL =", "504 5.5.4")
        c.say(LOGIN, "235")
    try:
        with certified("forged") as c:
            c.say(b"AUTH EXTERNAL =", "504 5.5.4")
    except (ssl.SSLError, ConnectionError, OSError):
        pass


def memory(st, program):
    """All that the processes of a program have in their memory, in pieces."""
    exe = os.path.realpath(os.path.join(st.dir, "bin", program))
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink("/proc/%s/exe" % pid) != exe:
                continue
            with open("/proc/%s/maps" % pid, encoding="utf-8") as f:
                maps = [l.split() for l in f]
            with open("/proc/%s/mem" % pid, "rb", 0) as f:
                for m in maps:
                    if m[1].startswith("r") and "[v" not in m[-1]:
                        start, end = (int(n, 16) for n in m[0].split("-"))
                        f.seek(start)
                        yield f.read(end - start)
        except OSError:
            pass


def wiped(st):
    """What a client said is in no memory any more when it has its answer."""
    if not ROOT:
        raise Skip("only root can see it")
    secret = b"a-password-that-stands-nowhere"
    coded = base64.b64encode(secret)
    whole = plain(b"alice", secret)

    def forgotten(program):
        pieces = list(memory(st, program))
        want("we see its memory", None, any(b"mx.example.test" in p for p in pieces))
        return not any(what in p for p in pieces for what in (secret, coded[:-4], whole[12:-4]))
    for begin in (lambda: session(st, None), lambda: over_tls(st)):
        for lines, codes in ((b"AUTH PLAIN " + whole, ("535",)), (b"AUTH PLAIN\r\n" + whole, ("334", "535")),
                             (b"AUTH LOGIN\r\nYWxpY2U=\r\n" + coded, ("334", "334", "535"))):
            with begin() as c:
                c.say(lines, *codes)
                for program in ("smtpd", "auth"):
                    # a process may have said its word and not yet gone on
                    until("%s has none of it any more" % program, lambda program=program: forgotten(program), 20)


# ---- mail programs

def run(*args, data=None, ok=True):
    if not shutil.which(args[0]):
        raise Skip("no %s here" % args[0])
    r = subprocess.run(args, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    want(args[0], r.stdout.decode("utf-8", "replace")[-800:], (r.returncode == 0) == ok)
    return r.stdout.decode("utf-8", "replace")


def by_smtplib(st):
    for implicit in (False, True):
        for mechanism in ("PLAIN", "LOGIN"):
            w = word("smtplib")
            with (smtplib.SMTP_SSL(ADDR, st.base + 465, context=tls(), timeout=30) if implicit else
                  smtplib.SMTP(ADDR, st.base + 587, timeout=30)) as s:
                if not implicit:
                    s.starttls(context=tls())
                s.ehlo()
                s.user, s.password = "carol", "secret"
                s.auth(mechanism, getattr(s, "auth_" + mechanism.lower()))
                s.sendmail("carol@example.test", ["bob@example.test"], letter(w))
            head = fields(st.came("bob", w)[0])
            want("by TLS and login", head, " with ESMTPSA id " in head and "(using TLSv1.3 with cipher TLS_" in head)


def by_swaks(st):
    for how in ((587, "-tls"), (465, "-tlsc"), (587, "--ehlo=x")):
        for mechanism in ("PLAIN", "LOGIN"):
            w = word("swaks")
            run("swaks", "--server", ADDR, "--port", str(st.base + how[0]), how[1], "--auth", mechanism, "--auth-user", "alice",
                "--auth-password", "secret", "--from", "alice@example.test", "--to", "bob@example.test", "--data",
                letter(w).replace(b"\r\n", b"\\n").replace(b"\\n.\\n", b"\\n").decode())
            st.came("bob", w)


def by_curl(st):
    for url in ("smtp://%s:%d" % (ADDR, st.base + 587), "smtps://%s:%d" % (ADDR, st.base + 465)):
        for mechanism in ("PLAIN", "LOGIN"):
            w = word("curl")
            run("curl", "-sS", "-k", "--ssl-reqd", "--user", "alice:secret", "--login-options", "AUTH=" + mechanism, "--mail-from",
                "alice@example.test", "--mail-rcpt", "bob@example.test", "--upload-file", "-", url, data=letter(w))
            st.came("bob", w)


def by_msmtp(st):
    for port, more in ((587, ("--tls=on", "--tls-starttls=on")), (465, ("--tls=on", "--tls-starttls=off")), (587, ("--tls=off",))):
        for mechanism in ("plain", "login", "scram-sha-1", "scram-sha-256"):
            w = word("msmtp")
            with tempfile.NamedTemporaryFile("w") as f:
                f.write("defaults\naccount default\nhost %s\nport %d\n" % (ADDR, port + st.base))
                f.write("from alice@example.test\nuser alice\npassword secret\nauth %s\ndomain x\n" % mechanism)
                if "on" in more[0]:
                    f.write("tls_certcheck off\n")
                f.flush()
                os.chmod(f.name, 0o600)
                out = subprocess.run(["msmtp", "-C", f.name, *more, "bob@example.test"], stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT, input=letter(w).replace(b"\r\n", b"\n"), timeout=60)
            text = out.stdout.decode("utf-8", "replace")
            if "not support" in text and mechanism.startswith("scram"):
                continue
            want("msmtp with " + mechanism, text, out.returncode == 0)
            st.came("bob", w)


def wrong_by_clients(st):
    got = run("swaks", "--server", ADDR, "--port", str(st.base + 465), "-tlsc", "--auth", "PLAIN", "--auth-user", "alice",
              "--auth-password", "no", "--from", "alice@example.test", "--to", "bob@example.test", ok=False)
    want("535", got, "535 5.7.8" in got)


def main():
    tap = Tap()
    with Stage("auth.delay 0\n", trust=False) as st:
        for test in (needed, order, senders, relays, completed, untouched, large, chunks, by_smtplib, by_swaks, by_curl, by_msmtp,
                     wrong_by_clients):
            tap.run(test.__name__.replace("_", " "), test, st)
    # what is wrong is counted, and this is much
    with Stage("auth.delay 0\nauth.failures 1000\nauth.client-failures 1000\nsmtp.errors 1000\n") as st:
        for name, lines, *codes in SHAPES:
            tap.run("AUTH: " + name, shape, st, lines, codes)
        tap.run("again and again", again, st)
        tap.run("secrets", secrets, st)
        tap.run("wiped", wiped, st)
    with Stage("submission.cleartext no\n") as st:
        tap.run("cleartext", cleartext, st)
    with Stage("submission.hide-client yes\nsubmission.show-user yes\nsmtp.auth yes\nsubmission.user-messages 3\n"
               "submission.user-day-recipients 4\n", trust=False) as st:
        tap.run("hidden", hidden, st)
        tap.run("port25", port25, st)
    with Stage("submission.user-messages 3\nsubmission.user-day-recipients 4\n") as st:
        tap.run("limited", limited, st)
    with tempfile.TemporaryDirectory() as directory:
        mine = make_certificates(directory)
        with open(os.path.join(directory, "ca.crt"), encoding="ascii") as f:
            ca = f.read()
        with Stage('tls.client-ca "@DIR@/ca.crt"\nauth.mechanisms PLAIN EXTERNAL SCRAM-SHA-256-PLUS\nauth.certificate %s alice\n'
                   % mine, files={"ca.crt": ca}) as st:
            tap.run("external", external, st, directory)
            tap.run("bound", bound, st)
    return tap.end()


sys.exit(main())
