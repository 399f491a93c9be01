"""keys(8) and what hangs on it: the private key is in no other process's
memory, a front can have nothing signed but what a TLS server signs; the
certificate of a first start, certificates that change, and mistakes in them.
Stages of its own; build/tools/tls_front is the front. TAP."""
import base64
import glob
import hashlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ADDR, BUILD, ROOT, Skip, Stage, Tap, Wrong, until, want  # noqa: E402

FORM13 = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + b"h" * 32
FORM12 = b"r" * 56 + b"DOWNGRD\1" + b"\3\0\x1d\x20" + b"p" * 32


def openssl(*args, text=None):
    return subprocess.run(["openssl", *args], input=text, check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60).stdout


def make(directory, name, kind, host, days=30):
    """A certificate and its key; their paths."""
    crt, key = (os.path.join(directory, name + end) for end in (".crt", ".key"))
    algorithm = ["rsa:2048"] if kind == "rsa" else ["ec", "-pkeyopt", "ec_paramgen_curve:" + kind]
    openssl("req", "-x509", "-newkey", *algorithm, "-nodes", "-keyout", key + ".new", "-out", crt + ".new",
            "-subj", "/CN=" + name, "-days", str(days), "-addext", "subjectAltName=DNS:" + host)
    os.chmod(key + ".new", 0o600)
    os.rename(key + ".new", key)
    os.rename(crt + ".new", crt)
    return crt, key


def read(path):
    with open(path, "rb") as f:
        return f.read()


def spki_hash(crt):
    der = openssl("pkey", "-pubin", "-outform", "DER", text=openssl("x509", "-in", crt, "-noout", "-pubkey"))
    return hashlib.sha256(der).digest()


def der_of(crt):
    return openssl("x509", "-in", crt, "-outform", "DER")


# ---- the protocol, as somebody speaks it who has taken a front over

def field(tag, value):
    return tag + str(len(value)).encode() + b":" + value + b",\n"


def fields(packet):
    out, at = [], 0
    while at < len(packet):
        colon = packet.index(b":", at)
        n = int(packet[at + 1:colon])
        out.append((packet[at:at + 1], packet[colon + 1:colon + 1 + n]))
        at = colon + n + 3
    return out


def ask(path, packet, timeout=60):
    """The answer's fields, or None if the connection was closed."""
    here = os.getcwd()
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        os.chdir(os.path.dirname(path))
        s.settimeout(timeout)
        s.connect(os.path.basename(path))
        s.send(packet)
        try:
            answer = s.recv(65536)
        except ConnectionError:
            return None
        return fields(answer) if answer else None
    finally:
        os.chdir(here)
        s.close()


def sign(path, key, message, digest=b"SHA256", padding=None):
    packet = field(b"V", b"sign") + field(b"F", key) + field(b"D", digest) + field(b"M", message)
    if padding:
        packet += field(b"P", padding)
    got = ask(path, packet)
    return None if got is None else dict(got)


def chain(path, number=0):
    got = ask(path, field(b"V", b"list") + field(b"N", b"%d" % number))
    return [v for t, v in got if t == b"C"]


def sockets(st):
    return os.path.join(st.dir, "run/login/keys"), os.path.join(st.dir, "spool/incoming/sock/keys")


# ---- a front, and clients of it

class Front:
    def __init__(self, st, workers=4):
        self.program = os.path.join(st.dir, "tls_front")
        shutil.copy(os.path.join(BUILD, "tools", "tls_front"), self.program)
        self.port = st.base + 990
        become = ["setpriv", "--reuid", "ph-login", "--regid", "ph-login", "--clear-groups"] if ROOT else []
        self.p = subprocess.Popen([*become, self.program, "keys", str(self.port), str(workers)],
                                  cwd=os.path.join(st.dir, "run", "login"), stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, start_new_session=True)
        want("a front", self.p.poll(), self.p.stdout.readline() == b"ready\n")

    def close(self):
        self.p.stdin.close()
        self.p.wait(60)
        self.p.stdout.close()


def connect(port, name, cafile, version=None, sigalgs=None):
    context = ssl.create_default_context(cafile=cafile)
    if version:
        context.minimum_version = context.maximum_version = version
    if sigalgs:
        context.set_ciphers(sigalgs)
    return context.wrap_socket(socket.create_connection((ADDR, port), 60), server_hostname=name)


def say(s, text):
    s.sendall(text + b"\r\n")
    got = b""
    while not got.endswith(b"\n"):
        more = s.recv(65536)
        if not more:
            raise Wrong("the front has closed the connection")
        got += more
    return got.strip()


# ---- the memory of processes

def numbers(key):
    """The private numbers of a key, as openssl prints them."""
    text = openssl("pkey", "-in", key, "-noout", "-text").decode()
    found = {}
    for name, digits in re.findall(r"^(\w+):.*\n((?:    [0-9a-f:]+\n)+)", text, re.M):
        found[name] = bytes.fromhex(re.sub(r"[\s:]", "", digits)).lstrip(b"\0")
    wanted = ("privateExponent", "prime1", "prime2", "exponent1", "exponent2", "coefficient", "priv")
    return {n: v for n, v in found.items() if n in wanted}


def needles(key):
    out = {}
    for name, value in numbers(key).items():
        out[name + " big-endian"] = value
        out[name + " little-endian"] = value[::-1]
    lines = read(key).splitlines()[1:-1]
    for i, line in enumerate(lines):
        if len(line) >= 48:
            out["PEM line %d" % i] = line
    der = base64.b64decode(b"".join(lines))
    out["DER"] = der[len(der) // 2:len(der) // 2 + 48]
    return out


def memory(pid):
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            w = line.split()
            if not w[1].startswith("r") or (len(w) > 5 and w[5] in ("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            start, end = (int(x, 16) for x in w[0].split("-"))
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except OSError:
                continue


def processes(st):
    """Everything that runs a program of the stage: pid, what it calls itself."""
    places = {os.path.realpath(os.path.join(st.dir, "bin")), os.path.realpath(st.dir)}
    out = []
    for d in glob.glob("/proc/[0-9]*"):
        try:
            exe = os.readlink(d + "/exe")
            with open(d + "/cmdline", "rb") as f:
                name = os.path.basename(f.read().split(b"\0")[0].decode())
        except OSError:
            continue
        if os.path.dirname(exe) in places:
            out.append((int(os.path.basename(d)), name))
    return out


def pid_of(st, program):
    """As the master says, for one that nobody may look at."""
    found = re.search(r"^%s +(\d+) +running" % program, st.posthouse("status")[1], re.M)
    return int(found.group(1)) if found else None


def search(pid, what):
    """Names of the needles that are in the process's memory."""
    found = set()
    for block in memory(pid):
        for name, value in what.items():
            if name not in found and value in block:
                found.add(name)
    return found


def in_no_other_memory(st):
    """Each process of the stage, with TLS sessions of both kinds of key under way."""
    if not ROOT:
        raise Skip("only root can read the memory of all")
    what = {}
    for name in ("rsa", "ec"):
        for n, v in needles(os.path.join(st.dir, "tls", name + ".key")).items():
            what[name + " " + n] = v
    want("numbers of both keys", sorted(what), len(numbers(os.path.join(st.dir, "tls/rsa.key"))) == 6 and
         len(numbers(os.path.join(st.dir, "tls/ec.key"))) == 1)
    ca = os.path.join(st.dir, "tls", "both.pem")
    front = Front(st)
    held = []
    try:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for name in ("rsa.test", "ec.test"):
                s = connect(front.port, name, ca, version)
                want("its name", say(s, b"text"), say(s, b"text").split(b"|")[1] == name.encode())
                held.append(s)
        for port in (995, 465):		# what the stage itself serves
            for name in ("rsa.test", "ec.test"):
                held.append(connect(st.base + port, name, ca))
                held[-1].recv(1)
        all_of_them = processes(st)
        names = [n for _, n in all_of_them]
        for program in ("posthouse", "keys", "smtp", "pop3", "auth", "queue", "tls_front"):
            want("a process of " + program, names, program in names)
        want("a front and its workers", names, names.count("tls_front") == 5)
        for pid, name in all_of_them:
            try:
                found = search(pid, what)
            except (FileNotFoundError, ProcessLookupError):	# it has ended meanwhile
                continue
            if name == "keys":
                # the search works: it holds the numbers, but not the text any more
                for kind in ("rsa prime1", "rsa privateExponent", "ec priv"):
                    want("%s in keys" % kind, sorted(found), kind + " little-endian" in found)
                want("no PEM in keys", sorted(found), not any("PEM" in f for f in found))
            else:
                want("nothing in %s (%d)" % (name, pid), sorted(found), not found)
        for s in held[:4]:
            want("it serves on", None, say(s, b"still there") == b"still there")
    finally:
        for s in held:
            s.close()
        front.close()


def nothing_else_signed(st):
    rsa, ec = (spki_hash(os.path.join(st.dir, "tls", n + ".crt")) for n in ("rsa", "ec"))
    tbs = der_of(os.path.join(st.dir, "tls/ec.crt"))
    mail = b"From: root@example.test\r\nSubject: signed\r\n\r\n"
    others = (b"", mail, tbs, hashlib.sha256(b"x").digest(), b" " * 64 + b"TLS 1.3, client CertificateVerify\0" +
              b"h" * 32, FORM13 + b"h", FORM13[:-1], FORM12 + b"p", b"r" * 64 + FORM12[64:], b"x" * 4097)
    for path in sockets(st):
        # what a server signs is signed
        for key, digest, padding, form in ((rsa, b"SHA256", b"pss", FORM13), (rsa, b"SHA512", b"pkcs1", FORM12),
                                           (ec, b"SHA256", None, FORM13), (ec, b"SHA256", None, FORM12)):
            got = sign(path, key, form, digest, padding)
            want("a signature", got, got is not None and got[b"V"] == b"signature" and len(got[b"S"]) > 60)
        for other in others:
            for key, padding in ((rsa, b"pss"), (rsa, b"pkcs1"), (ec, None)):
                got = sign(path, key, other, padding=padding)
                want("no signature of %r" % other[:40], got,
                     got is None or (got[b"V"] == b"refused" and b"S" not in got))
        got = sign(path, rsa, FORM13, padding=b"pkcs1")
        want("no PKCS#1 in TLS 1.3", got, got[b"V"] == b"refused")
        want("no other digest", None, sign(path, rsa, FORM12, b"SHA1", b"pkcs1") is None)
        want("no other key", None, sign(path, b"k" * 32, FORM13, padding=b"pss")[b"V"] == b"refused")
        # nothing gives a key away
        for verb in (b"get", b"key", b"export", b"decrypt", b"reload", b"files", b"stop"):
            want("no verb " + verb.decode(), None, ask(path, field(b"V", verb) + field(b"F", rsa)) is None)
        want("no malformed packet", None, ask(path, b"V4:sign,\nF99:x") is None)
    got = st.posthouse("status")[1]
    want("counted", got, re.search(r"keys .* refused=[1-9]", got))


def only_those(st):
    """Each front reaches its own socket, nobody else any."""
    if not ROOT:
        raise Skip("all are one user")
    script = ("import os,socket,sys\nos.chdir(sys.argv[1])\ns=socket.socket(socket.AF_UNIX,socket.SOCK_SEQPACKET)\n"
              "try:\n s.connect('keys')\nexcept OSError as e:\n sys.exit(e.errno)\n")
    login, smtp = (os.path.dirname(p) for p in sockets(st))
    for user, where, ok in (("ph-login", login, True), ("ph-smtp", smtp, True), ("ph-smtp", login, False),
                            ("ph-login", smtp, False), ("ph-auth", login, False), ("ph-queue", smtp, False),
                            ("nobody", login, False)):
        r = subprocess.run(["setpriv", "--reuid", user, "--regid", user if user != "nobody" else "nogroup",
                            "--clear-groups", sys.executable, "-c", script, where], stderr=subprocess.DEVNULL)
        want("%s at %s: %s" % (user, where, ok), r.returncode, (r.returncode == 0) == ok)
    pid = next(p for p, n in processes(st) if n == "keys")
    threads = glob.glob("/proc/%d/task/*/status" % pid)
    want("several threads", threads, len(threads) >= 3)
    for thread in threads:
        with open(thread) as f:
            status = f.read()
        want("a thread of keys in its sandbox", status, re.search(r"^NoNewPrivs:\s*1$", status, re.M) and
             re.search(r"^Seccomp:\s*2$", status, re.M) and not re.search(r"^Uid:\s*0\s", status, re.M))
    want("an empty root", None, os.listdir("/proc/%d/root" % pid) == [])
    want("its files belong to root", None, os.stat("/proc/%d/mem" % pid).st_uid == 0)


# ---- certificates that change

def shown(st, crt):
    return chain(sockets(st)[0])[:1] == [der_of(crt)]


def renewed(st):
    """As certbot does it, without a word to us; a session that is under way goes on."""
    tls = os.path.join(st.dir, "tls")
    ca = os.path.join(tls, "both.pem")
    front = Front(st)
    try:
        s = connect(front.port, "rsa.test", ca)
        old = spki_hash(os.path.join(tls, "rsa.crt"))
        before = st.log().count("reloaded service=smtp")
        crt, _ = make(tls, "rsa", "rsa", "rsa.test")
        want("a new key", None, spki_hash(crt) != old)
        until("the new certificate", lambda: shown(st, crt))
        until("the listeners are told", lambda: st.log().count("reloaded service=smtp") > before)
        st.logged("changed files=certificates")
        want("the session goes on", None, say(s, b"on") == b"on")
        # a worker with the old chain may still have it signed
        got = sign(sockets(st)[0], old, FORM13, padding=b"pss")
        want("the old key", got, got[b"V"] == b"signature")
        connect(front.port, "rsa.test", ca).close()
        s.close()
    finally:
        front.close()


def half_renewed(st):
    """The certificate is there, the key not yet: what fits stays."""
    tls = os.path.join(st.dir, "tls")
    crt, key = (os.path.join(tls, "rsa" + end) for end in (".crt", ".key"))
    other, otherkey = make(tls, "next", "rsa", "rsa.test")
    want("two", None, chain(sockets(st)[0], 1) != [])
    saved = read(crt)
    shutil.copy(other, crt + ".new")
    os.rename(crt + ".new", crt)
    st.logged("keys", "error", "rsa.key: the key does not fit the certificate in")
    st.logged("keys", "certificates number=2 wrong=1")
    want("the old one", None, chain(sockets(st)[0])[0] not in (der_of(other), b"") and chain(sockets(st)[0], 1) != [])
    os.rename(otherkey, key)
    until("both of them", lambda: shown(st, other))
    want("another", None, read(crt) != saved)


def ocsp(st):
    path = os.path.join(st.dir, "tls/rsa.crt.ocsp")
    with open(path, "wb") as f:
        f.write(b"a response")

    def stapled():
        got = dict(ask(sockets(st)[0], field(b"V", b"list") + field(b"N", b"0")))
        return got.get(b"O") == b"a response"
    until("the response", stapled)
    os.unlink(path)
    until("no response", lambda: not stapled())


def by_reload(st):
    tls = os.path.join(st.dir, "tls")
    crt, _ = make(tls, "third", "P-384", "third.test")
    with open(st.conf) as f:
        conf = f.read()
    with open(st.conf, "a") as f:
        f.write('tls.certificate "%s/third.crt" "%s/third.key"\n' % (tls, tls))
    code, out = st.posthouse("reload")
    want("a reload", out, code == 0)
    # what reload has answered is in force
    want("three of them", None, chain(sockets(st)[1], 2) == [der_of(crt)])
    make(tls, "wrong", "P-256", "third.test")
    os.rename(os.path.join(tls, "wrong.key"), os.path.join(tls, "third.key"))
    code, out = st.posthouse("reload")
    want("refused", out, code == 78 and "third.key: the key does not fit the certificate in" in out)
    with open(st.conf, "w") as f:
        f.write(conf)
    code, out = st.posthouse("reload")
    want("back", out, code == 0 and chain(sockets(st)[1], 2) == [])


def mistakes(st):
    """posthouse -n says which file, and what is wrong with it."""
    tls = os.path.join(st.dir, "tls")
    crt, key = os.path.join(tls, "ec.crt"), os.path.join(tls, "ec.key")
    junk, old = os.path.join(tls, "junk"), os.path.join(tls, "old.crt")
    with open(junk, "w") as f:
        f.write("hello\n")
    make(tls, "old", "P-256", "old.test", days=1)
    openssl("x509", "-in", old, "-key", os.path.join(tls, "old.key"), "-days", "-1", "-out", old + ".new")
    order = os.path.join(tls, "order.pem")
    with open(order, "wb") as f:
        f.write(read(crt) + read(os.path.join(tls, "rsa.crt")))
    conf = os.path.join(st.dir, "n.conf")
    base = "\n".join(l for l in open(st.conf).read().splitlines() if not l.startswith("tls.certificate"))
    for pair, status, text in (((crt, key), 0, ""), ((crt, os.path.join(tls, "rsa.key")), 78, "rsa.key: the key does not fit"),
                               ((junk, key), 78, "junk: there is no certificate in it"),
                               ((crt, junk), 78, "junk: there is no private key in it"),
                               ((order, key), 78, "order.pem: certificate 2 has not issued certificate 1"),
                               ((crt, os.path.join(tls, "nothing")), 78, "nothing: No such file"),
                               ((tls, key), 78, ""),
                               ((old + ".new", os.path.join(tls, "old.key")), 0, "warning: %s.new: the certificate has expired" % old)):
        with open(conf, "w") as f:
            f.write('%s\ntls.certificate "%s" "%s"\n' % (base, *pair))
        code, out = st.command("-n", "-f", conf)
        want("-n of %s %s: %d %s" % (*pair, status, text), "%d %s" % (code, out), code == status and text in out)


def keys_dies(st):
    """A new one has the files again; meanwhile nothing else is disturbed."""
    pid = pid_of(st, "keys")
    before = st.log().count("reloaded service=pop3")
    os.kill(pid, 9)
    until("a new one", lambda: pid_of(st, "keys") not in (pid, None))
    until("it serves", lambda: chain(sockets(st)[0]) != [])
    until("the listeners ask it", lambda: st.log().count("reloaded service=pop3") > before)


def first_start():
    with Stage() as st:
        crt, key = os.path.join(st.dir, "tls/self-signed.crt"), os.path.join(st.dir, "tls/self-signed.key")
        st.logged("self-signed", crt, "host=mx.example.test", "posthouse-tls(7)")
        for path, mode in ((crt, 0o644), (key, 0o600)):
            s = os.stat(path)
            want("mode of " + path, oct(s.st_mode), s.st_mode & 0o777 == mode and s.st_uid == os.geteuid())
        want("nothing else", None, sorted(os.listdir(os.path.join(st.dir, "tls"))) == ["self-signed.crt", "self-signed.key"])
        text = openssl("x509", "-in", crt, "-noout", "-text").decode()
        want("its name", text, "DNS:mx.example.test" in text and "id-ecPublicKey" in text)
        front = Front(st, 1)
        try:
            s = connect(front.port, "mx.example.test", crt)
            want("TLS", None, say(s, b"x") == b"x")
            s.close()
        finally:
            front.close()
        before = read(crt)
        st.stop()
        want("up again", None, st.up() is None)
        want("the same", None, read(crt) == before)
        st.stop()
        os.unlink(key)
        want("up again", None, st.up() is None)
        want("another", None, read(crt) != before and shown(st, crt))


def main():
    tap = Tap()
    tap.run("a certificate at the first start", first_start)
    tls = ('tls.certificate "@DIR@/tls/rsa.crt" "@DIR@/tls/rsa.key"\n'
           'tls.certificate "@DIR@/tls/ec.crt" "@DIR@/tls/ec.key"\n')
    with Prepared(tls) as st:
        for name, test in (("the key is in no other memory", in_no_other_memory),
                           ("a front can have nothing else signed", nothing_else_signed),
                           ("who can ask", only_those), ("a new certificate", renewed),
                           ("half of a new certificate", half_renewed), ("a stored OCSP response", ocsp),
                           ("reload with certificates", by_reload), ("-n with certificates", mistakes),
                           ("keys dies", keys_dies)):
            tap.run(name, test, st)
    return tap.end()


class Prepared(Stage):
    """A stage whose certificates are there before it starts."""

    def up(self):
        tls = os.path.join(self.dir, "tls")
        if not os.path.isdir(tls):
            os.mkdir(tls, 0o755)
            both = b"".join(read(make(tls, n, k, n + ".test")[0]) for n, k in (("rsa", "rsa"), ("ec", "P-256")))
            with open(os.path.join(tls, "both.pem"), "wb") as f:
                f.write(both)
        return super().up()


sys.exit(main())
