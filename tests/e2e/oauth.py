"""introspect(8) by itself: this test is auth and the provider. Honest providers,
then hostile and broken ones; each question has one answer. TAP on standard output."""
import array
import base64
import fcntl
import json
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import BIN, ROOT, Skip, Tap, Wrong, until, want  # noqa: E402
from agent import F_ADD_SEALS, SEALS, parse, record  # noqa: E402
from provider import Provider  # noqa: E402

SECRET = "s3cret:with/%odd chars"
USER = "ph-token"
tap = Tap()
work = tempfile.mkdtemp(prefix="posthouse-oauth.")
os.chmod(work, 0o755)


class Introspect:
    """The program, with auth's socket in a run directory of its own."""

    def __init__(self, url, conf="", secret="mail:" + SECRET, mode=0o600, ca="/nonexistent", ready=True):
        self.dir = tempfile.mkdtemp(dir=work)
        os.chmod(self.dir, 0o755)
        os.makedirs(os.path.join(self.dir, "run", "token"))
        self.credentials = os.path.join(self.dir, "credentials")
        self.ca, self.conf, self.peer, self.lines, self.listen, self.n = ca, conf, None, [], None, 0
        self.auth()
        self.write(secret, mode)
        fd, files = self.parts(url)
        log, self.log_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        link, self.link = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.err = open(os.path.join(self.dir, "err"), "w+b")
        plan = [fd, log.fileno(), link.fileno()] + [f for _, f in files]
        names = ",".join("%d:%s" % (n, name) for n, (name, _) in enumerate(files, 6))

        def arrange():
            high = [fcntl.fcntl(f, fcntl.F_DUPFD, 60) for f in plan]
            for to, f in enumerate(high, 3):
                os.dup2(f, to, inheritable=True)
            os.closerange(3 + len(plan), 300)
        self.process = subprocess.Popen([os.path.join(BIN, "introspect")], preexec_fn=arrange, close_fds=False,
                                        env={"PH_FDS": names, "PATH": "/bin"} if names else {"PATH": "/bin"},
                                        stdin=subprocess.DEVNULL, stdout=self.err, stderr=self.err)
        log.close()
        link.close()
        os.close(fd)
        for _, f in files:
            os.close(f)
        self.log_end.setblocking(False)
        self.link.settimeout(60)
        if not ready:
            self.process.wait(60)
            return
        try:
            got = self.link.recv(65536)
        except socket.timeout:
            got = b""
        if b"ready" not in got:
            text = " ".join(self.log())
            self.stop()
            raise Wrong("introspect did not become ready: " + text)
        self.accept()

    def auth(self):
        path = os.path.join(self.dir, "run", "token", "auth")
        self.listen = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listen.bind(path)
        os.chmod(path, 0o600)
        if ROOT:
            os.chown(path, pwd.getpwnam(USER).pw_uid, -1)
        self.listen.listen(5)
        self.listen.settimeout(60)

    def accept(self):
        self.peer, _ = self.listen.accept()
        self.peer.settimeout(60)
        want("a greeting", (got := self.peer.recv(65536)), got)

    def auth_goes(self):
        self.listen.close()
        self.peer.close()
        os.unlink(os.path.join(self.dir, "run", "token", "auth"))

    def write(self, secret, mode=0o600):
        if secret is None:
            return
        with open(self.credentials, "w", encoding="utf-8") as f:
            os.fchmod(f.fileno(), mode)
            f.write(secret + "\n")

    def parts(self, url, conf=None):
        have = os.path.exists(self.credentials)
        text = "hostname mx.test\nrun %s/run\nauth.introspection-url %s\nauth.introspection-ca %s\nauth.token-audience mail\n%s%s" % (
            self.dir, url, self.ca, "auth.introspection-credentials %s\n" % self.credentials if have else "",
            self.conf if conf is None else conf)
        fd = os.memfd_create("conf", os.MFD_ALLOW_SEALING)
        os.write(fd, text.encode())
        os.lseek(fd, 0, os.SEEK_SET)
        fcntl.fcntl(fd, F_ADD_SEALS, SEALS)
        files = [("auth.introspection-credentials", self.credentials), ("auth.introspection-ca", self.ca)]
        return fd, [(name, os.open(path, os.O_RDONLY)) for name, path in files if os.path.exists(path)]

    def reload(self, url, conf=None):
        fd, files = self.parts(url, conf)
        send = [fd] + [f for _, f in files]
        self.link.sendmsg([record(("V", "reload"), *(("N", name) for name, _ in files))],
                          [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", send))])
        for f in send:
            os.close(f)

    def send(self, token):
        self.n += 1
        self.peer.sendall(record(("V", "token"), ("I", self.n), ("T", token)))
        return self.n

    def answer(self):
        got = dict(parse(self.peer.recv(65536)))
        return int(got["I"]), got["V"].decode(), got

    def good(self, token="opaque"):
        verb, got = self.ask(token)
        want("good", (verb, got), verb == "good")

    def ask(self, token="opaque"):
        """(verb, the other fields)"""
        n = self.send(token)
        number, verb, got = self.answer()
        want("the answer to this question", number, number == n)
        return verb, got

    def log(self):
        while True:
            try:
                got = self.log_end.recv(65536)
            except (BlockingIOError, ConnectionError):
                break
            if not got:
                break
            self.lines.append(got.split(b"\0", 1)[1].decode("utf-8", "replace"))
        return self.lines

    def logged(self, *words):
        return until("a line with " + ", ".join(words), lambda: next(
            (l for l in self.log() if all(w in l for w in words)), None))

    def stop(self):
        self.link.close()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            raise Wrong("it did not stop") from None
        finally:
            self.err.close()
            self.listen.close()
            if self.peer:
                self.peer.close()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        status = self.stop()
        if kind is None:
            want("exit status 0", status, status == 0)
        text = "\n".join(self.log())
        for secret in (SECRET, "opaque", "s3cret"):
            want("nothing secret in the log", text, secret not in text)


def good(**more):
    return {"active": True, "email": "bob@here.test", "aud": "mail", **more}


def test_good():
    with Provider(good(jti="j-1", exp=int(time.time()) + 60)) as p, Introspect(p.url("/realm/x?y=1")) as i:
        verb, got = i.ask("opaque+/=~.-_")
        want("good", verb, verb == "good")
        want("who it is", got, got["U"] == b"bob@here.test" and got["J"] == b"j-1")
        path, headers, body = p.asked[0]
        want("the path", path, path == "/realm/x?y=1")
        want("the form", body, urllib.parse.parse_qs(body, strict_parsing=True) ==
             {"token": ["opaque+/=~.-_"], "token_type_hint": ["access_token"]})
        want("JSON asked for", headers, headers["Accept"] == "application/json")
        kind, value = headers["Authorization"].split()
        ident, secret = base64.b64decode(value).decode().split(":")
        want("the client's secret", (kind, ident), kind == "Basic" and ident == "mail" and
             urllib.parse.unquote(secret) == SECRET)
        want("no Expect", headers, "Expect" not in headers)


def test_bearer():
    with Provider(good()) as p, Introspect(p.url(), secret="Bearer abc") as i:
        i.good()
        want("its credentials", p.asked[0][1]["Authorization"], p.asked[0][1]["Authorization"] == "Bearer abc")
    with Provider(good()) as p, Introspect(p.url(), secret=None) as i:
        i.good()
        want("no credentials", p.asked[0][1], "Authorization" not in p.asked[0][1])


def test_refused():
    now = int(time.time())
    rows = [({"active": False}, "1", "not active"), (good(exp=now - 100), "1", "expired"),
            (good(token_type="DPoP"), "1", "token_type"), (good(email=7), "1", "plain"),
            (good(email_verified=False), "1", "verified"), ({"active": True}, "1", "names the user"),
            (good(aud="other"), "1", "aud"), (good(aud="mail"), "2", "scope")]
    conf = "auth.token-scope read\n"
    with Provider() as p, Introspect(p.url(), conf) as i:
        for n, (reply, error, why) in enumerate(rows):
            reply.setdefault("aud", "mail")
            reply.setdefault("scope", "x" if error == "2" else "read")
            p.reply = reply
            verb, got = i.ask("opaque%d" % n)
            want("refused for " + why, (verb, got), verb == "refused" and got["E"].decode() == error and
                 why in got["W"].decode())


def test_cache():
    with Provider(good()) as p, Introspect(p.url(), "auth.introspection-cache 1h\n") as i:
        for _ in range(3):
            i.good()
        want("asked once", len(p.asked), len(p.asked) == 1)
        i.good("opaque-other")
        want("another one is asked about", len(p.asked), len(p.asked) == 2)
    with Provider(good()) as p, Introspect(p.url(), "auth.introspection-cache 1s\n") as i:
        i.good()
        p.reply = {"active": False}
        until("it is asked again", lambda: i.ask()[0] == "refused", step=0.2)
        n = len(p.asked)
        want("refused", (verb := i.ask()[0]), verb == "refused")
        want("what was refused is asked about again", len(p.asked), len(p.asked) == n + 1)


def test_cache_ends():
    with Provider() as p, Introspect(p.url(), "auth.introspection-cache 0\n") as i:
        p.reply = good()
        i.ask()
        i.ask()
        want("asked each time", len(p.asked), len(p.asked) == 2)
    with Provider() as p, Introspect(p.url(), "auth.token-leeway 0\nauth.introspection-cache 1h\n") as i:
        end = int(time.time()) + 3
        p.reply = good(exp=end)
        verb = i.ask()[0]
        want("good in its time", verb, verb == "good" or time.time() >= end)
        until("not longer than it is valid", lambda: i.ask()[0] == "refused", step=0.2)
        want("not before", time.time() - end, time.time() >= end)


def broken(handler):
    handler.connection.close()
    handler.close_connection = True


def endless_header(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for n in range(100000):
        handler.wfile.write(b"X-%d: %s\r\n" % (n, b"x" * 1000))


def endless_body(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"active\":true,\"x\":\"")
    for _ in range(100000):
        handler.wfile.write(b"x" * 1000)


def drip(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        handler.wfile.write(b" ")
        time.sleep(0.2)


def half(handler):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + json.dumps(good()).encode())
    handler.connection.close()
    handler.close_connection = True


def rubbish(handler):
    handler.wfile.write(b"\0\xff" * 5000)
    handler.close_connection = True


TEXT = {"Content-Type": "text/html"}
BAD = [("401", (401, "{}", TEXT)), ("403", (403, "{}", TEXT)), ("500", (500, "{}", TEXT)),
       ("503 with a good answer", (503, json.dumps(good()), TEXT)),
       ("404 with a good answer", (404, json.dumps(good()), TEXT)),
       ("201 with a good answer", (201, json.dumps(good()), TEXT)),
       ("a page", (200, "<html>log in</html>", TEXT)), ("an empty answer", (200, "", TEXT)),
       ("a list", (200, "[]", TEXT)), ("no word on active", (200, json.dumps({"email": "bob"}), TEXT)),
       ("active as text", (200, json.dumps(good(active="true")), TEXT)),
       ("active twice", (200, '{"active":false,"active":true,"email":"bob"}', TEXT)),
       ("deep", (200, '{"active":true,"x":' + "[" * 5000 + "]" * 5000 + "}", TEXT)),
       ("large", (200, json.dumps(good(x="x" * 200000)), TEXT)),
       ("broken off", broken), ("endless header", endless_header), ("endless body", endless_body),
       ("one byte after the other", drip), ("half of it", half), ("rubbish", rubbish)]


def test_bad():
    with Provider() as p, Introspect(p.url(), "auth.introspection-timeout 4s\n") as i:
        for n, (name, reply) in enumerate(BAD):
            p.reply = reply
            start = time.monotonic()
            verb, _ = i.ask("opaque%d" % n)
            want("%s is a temporary failure" % name, verb, verb == "temp")
            want("%s takes so long only" % name, time.monotonic() - start, time.monotonic() - start < 15)
        i.logged("introspection", "status=401", "auth.introspection-credentials")
        want("it is said once", i.log(), len([l for l in i.log() if l.startswith("introspection")]) == 1)
        p.reply = good()
        i.good("opaque-last")
        i.logged("introspection", "works again")
        with open("/proc/%d/status" % i.process.pid, encoding="ascii") as f:
            size = int(next(l for l in f if l.startswith("VmHWM")).split()[1])
        want("little memory", size, size < 80000)


def test_redirect():
    with Provider(good()) as other, Provider() as p, Introspect(p.url()) as i:
        for status in (301, 302, 307, 308):
            p.reply = (status, "", {"Location": other.url()})
            verb, _ = i.ask("opaque%d" % status)
            want("no redirection is followed", verb, verb == "temp")
        want("nobody else was asked", other.asked, not other.asked)


def test_gone():
    with Provider(good()) as p:
        url = p.url()
    with Introspect(url) as i:
        verb, _ = i.ask()
        want("a temporary failure", verb, verb == "temp")
        i.logged("introspection", "why=")


def test_many():
    four = threading.Barrier(4)

    def slow(_):
        if 1 < len(p.asked) <= 5:       # the first four behind the first wait for each other
            four.wait(60)
        time.sleep(0.2)
        return good()
    with Provider(slow) as p, Introspect(p.url(), "auth.introspection-connections 4\nauth.introspection-cache 0\n") as i:
        i.good()
        numbers = {i.send("opaque%d" % n) for n in range(40)}
        got = [i.answer() for _ in range(40)]
        want("each is answered", got, {n for n, _, _ in got} == numbers and all(v == "good" for _, v, _ in got))
        want("as many at a time as it may", p.most, p.most == 4)


def test_cancel():
    release = threading.Event()

    def wait(_):
        release.wait(60)
        return good()
    with Provider(wait) as p, Introspect(p.url()) as i:
        n = i.send("opaque1")
        until("it is asked", lambda: p.asked)
        i.peer.sendall(record(("V", "cancel"), ("I", n)))
        i.peer.sendall(record(("V", "cancel"), ("I", 999)))
        m = i.send("opaque2")
        until("the next, too", lambda: len(p.asked) == 2)
        release.set()
        number, verb, _ = i.answer()
        want("only the one that was not", (number, verb), number == m and verb == "good")


def test_auth_anew():
    """Auth ends while it waits, and begins anew."""
    with Provider(good()) as p, Introspect(p.url()) as i:
        i.good()
        i.auth_goes()
        time.sleep(0.5)
        i.auth()
        i.accept()
        i.good()
        for packet in (b"rubbish", record(("V", "token")), record(("V", "token"), ("I", 1)),
                       record(("V", "token"), ("I", 1), ("T", "")), record(("V", "what"), ("I", 1)),
                       record(("V", "token"), ("I", 1), ("T", "x" * 12289))):
            i.peer.sendall(packet)
            want("it hangs up", i.peer.recv(1000), i.peer.recv(1000) == b"")
            i.peer.close()
            i.accept()
        i.good()


def test_reload():
    with Provider(good()) as one, Provider(good(email="eve")) as two, Introspect(one.url()) as i:
        i.good()
        i.write("new:pass")
        i.reload(two.url())
        i.logged("reloaded")
        verb, got = i.ask()
        want("the new one, and nothing remembered", got, verb == "good" and got["U"] == b"eve")
        want("new credentials", two.asked[0][1]["Authorization"], two.asked[0][1]["Authorization"] ==
             "Basic " + base64.b64encode(b"new:pass").decode())
        i.write("no colon")
        i.reload(one.url())
        i.logged("reload", "expected a line")
        want("what was goes on", i.ask()[1]["U"], i.ask()[1]["U"] == b"eve")


def test_reload_asking():
    release = threading.Event()
    with Provider(lambda _: release.wait(60) and good()) as one, Provider(good(email="eve")) as two, \
            Introspect(one.url()) as i:
        numbers = {i.send("opaque%d" % n) for n in range(5)}
        until("they are asked", lambda: len(one.asked) == 5)
        i.reload(two.url())
        got = [i.answer() for _ in range(5)]
        release.set()
        want("all are answered by the new one", got, {n for n, _, _ in got} == numbers and
             all(g["U"] == b"eve" for _, _, g in got))


def test_start():
    for secret, mode, word in (("mail:" + SECRET, 0o644, "must be 0600"), ("nonsense", 0o600, "expected a line"),
                               (":x", 0o600, "expected a line"), ("", 0o600, "expected a line"),
                               ("Bearer ", 0o600, "expected a line"), ("a\x01b:c", 0o600, "expected a line")):
        i = Introspect("http://127.0.0.1:9/", secret=secret, mode=mode, ready=False)
        want("it does not start", i.process.returncode, i.process.returncode == 71)
        i.logged("start", word)
        i.stop()
    i = Introspect("https://127.0.0.1:9/", ready=False)
    want("nor without certificates", i.process.returncode, i.process.returncode == 71)
    i.stop()


def certificate(name, alt):
    key, cert = os.path.join(work, name + ".key"), os.path.join(work, name + ".pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", cert, "-days", "2", "-subj", "/CN=provider", "-addext", "subjectAltName=" + alt],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context


def test_tls():
    cert, context = certificate("good", "DNS:localhost,IP:127.0.0.1")
    with Provider(good(), context) as p:
        with Introspect(p.url(scheme="https", host="localhost"), ca=cert) as i:
            verb, _ = i.ask()
            want("good", (verb, i.log()), verb == "good")
        with Introspect(p.url(scheme="https"), ca=cert) as i:
            i.good()
        other, _ = certificate("other", "DNS:localhost,IP:127.0.0.1")
        n = len(p.asked)
        with Introspect(p.url(scheme="https"), ca=other) as i:
            verb, _ = i.ask()
            want("another authority", verb, verb == "temp")
            i.logged("introspection", "certificate")
        want("nothing was said to it", len(p.asked), len(p.asked) == n)
    _, wrong = certificate("wrong", "DNS:else.test")
    with Provider(good(), wrong) as p, Introspect(p.url(scheme="https"), ca=os.path.join(work, "wrong.pem")) as i:
        verb, _ = i.ask()
        want("another name", verb, verb == "temp")
        want("nothing was said to it", p.asked, not p.asked)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Provider(good(), context) as p, Introspect(p.url(scheme="https"), ca=cert) as i:
        i.good()
    with Provider(good()) as p, Introspect(p.url(scheme="https"), ca=cert) as i:
        verb, _ = i.ask()
        want("no TLS at all", verb, verb == "temp")
        want("nothing was said to it", p.asked, not p.asked)


def test_name():
    """A name of /etc/hosts, by libc's resolver in the sandbox."""
    host = "ip6-localhost"
    try:
        if socket.getaddrinfo(host, None, socket.AF_INET6)[0][4][0] != "::1":
            raise Skip("no " + host)
    except OSError:
        raise Skip("no " + host) from None
    cert, context = certificate("named", "DNS:" + host)
    with Provider(good(), context, addr="::1") as p, Introspect(p.url(scheme="https", host=host), ca=cert) as i:
        verb, _ = i.ask()
        want("good", (verb, i.log()), verb == "good")


def test_confined():
    with Provider(good()) as p, Introspect(p.url()) as i:
        i.ask()
        with open("/proc/%d/status" % i.process.pid, encoding="ascii") as f:
            status = dict(l.rstrip("\n").split(":\t", 1) for l in f if ":\t" in l)
        want("a filter of system calls", status["Seccomp"], status["Seccomp"] == "2")
        want("no new privileges", status["NoNewPrivs"], status["NoNewPrivs"] == "1")
        if ROOT:
            want("its own user", status["Uid"], set(status["Uid"].split()) == {str(pwd.getpwnam(USER).pw_uid)})
            want("no capability", status["CapEff"], int(status["CapEff"], 16) == 0)


for name, test in (("a good token, and what the provider is asked", test_good),
                   ("other credentials, and none", test_bearer),
                   ("tokens that are refused", test_refused),
                   ("good answers are kept for a while", test_cache),
                   ("not for longer than they are good", test_cache_ends),
                   ("broken and hostile providers", test_bad),
                   ("redirections", test_redirect),
                   ("nobody there", test_gone),
                   ("many at a time", test_many),
                   ("questions that were given up", test_cancel),
                   ("auth starts anew, or says nonsense", test_auth_anew),
                   ("reload", test_reload),
                   ("reload while it asks", test_reload_asking),
                   ("what it does not start with", test_start),
                   ("TLS", test_tls),
                   ("a name that has to be looked up", test_name),
                   ("its user and sandbox", test_confined)):
    tap.run(name, test)
shutil.rmtree(work, ignore_errors=True)
sys.exit(tap.end())
