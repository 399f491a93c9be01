"""OAUTHBEARER and XOAUTH2 with tokens that this test has signed: a session for a good one, the provider's words for a
bad one, no session for whoever there is not. TAP on standard output."""
import base64
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from auth import Front, failed, proven, session  # noqa: E402
from e2e import Stage, Tap, want  # noqa: E402

CONF = """
auth {
	mechanisms PLAIN OAUTHBEARER XOAUTH2
	delay 0
	token-keys "@DIR@/key.pem"
	token-issuer https://id.example.test
	token-audience mail
}
"""


def openssl(*args, data=b""):
    return subprocess.run(["openssl", *args], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True, timeout=60).stdout


def coded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Signer:
    def __init__(self, where, name):
        self.private = os.path.join(where, name)
        with open(self.private, "wb") as f:
            f.write(openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"))
        self.public = openssl("pkey", "-in", self.private, "-pubout")

    def token(self, user="alice@example.test", **more):
        now = int(time.time())
        claims = {"iss": "https://id.example.test", "aud": "mail", "sub": "1", "email": user, "iat": now,
                  "exp": now + 600, "jti": "j1"}
        claims.update(more)
        text = coded(b'{"alg":"RS256","typ":"at+jwt"}') + b"." + coded(json.dumps(claims).encode())
        return text + b"." + coded(openssl("dgst", "-sha256", "-sign", self.private, data=text))


def bearer(token, user=b""):
    return b"n," + (b"a=" + user if user else b"") + b",\1host=mx.example.test\1port=110\1auth=Bearer " + token + b"\1\1"


def x2(token, user=b"alice@example.test"):
    return b"user=" + user + b"\1auth=Bearer " + token + b"\1\1"


def good(st, signer):
    for message in (bearer(signer.token()), bearer(signer.token(), b"alice@example.test")):
        with Front(st) as f:
            proven(f.sasl("OAUTHBEARER", message))
            session(f)
    with Front(st) as f:
        proven(f.sasl("XOAUTH2", x2(signer.token())))
    with Front(st) as f:
        got = f.sasl("OAUTHBEARER")
        want("an empty challenge", got, got.get("D") == b"")
        proven(f.step(bearer(signer.token())))
    want("the token's mark in the log", "none", "jti=j1" in st.logged("login service=pop3", "mechanism=XOAUTH2"))


def told_why(f, got, end=b"\1"):
    want("the reason", got, got is not None and got.get("V") == b"more" and json.loads(got["D"])["status"])
    failed(f.step(end))


def bad(st, signer, other):
    token = signer.token()
    cases = [other.token(), signer.token(exp=int(time.time()) - 600), signer.token(aud="calendar"),
             signer.token(iss="https://evil.test"), token[:-4] + b"AAAA", b"x", token.rsplit(b".", 1)[0] + b".",
             coded(b'{"alg":"none"}') + b"." + token.split(b".")[1] + b"."]
    for n, t in enumerate(cases):
        with Front(st, client="127.0.2.%d" % (n + 1)) as f:
            told_why(f, f.sasl("OAUTHBEARER", bearer(t)))
        with Front(st, client="127.0.3.%d" % (n + 1)) as f:
            told_why(f, f.sasl("XOAUTH2", x2(t)), b"")
    with Front(st, client="127.0.4.1") as f:       # of another than he says
        told_why(f, f.sasl("XOAUTH2", x2(token, b"bob@example.test")))
    with Front(st, client="127.0.4.1") as f:
        failed(f.sasl("OAUTHBEARER", bearer(signer.token("nobody@example.test"))))
    with Front(st, client="127.0.4.2") as f:
        failed(f.sasl("OAUTHBEARER", b"n,,\1auth=Basic x\1\1"), "syntax")
    with Front(st, client="203.0.113.1") as f:
        failed(f.sasl("OAUTHBEARER", bearer(token)), "cleartext")
    with Front(st, client="127.0.4.3") as f:
        got = f.sasl("OAUTHBEARER", bearer(b"x"))
        want("the reason", got, got.get("V") == b"more")
        failed(f.ask(("V", "cancel")), "cancelled")
    log = st.log()
    want("no token in the log", "one", token.decode() not in log and cases[0].decode() not in log)


def main():
    tap = Tap()
    where = os.path.join(os.environ.get("TMPDIR", "/tmp"), "posthouse-token.%d" % os.getpid())
    os.mkdir(where, 0o700)
    try:
        signer, other = Signer(where, "ours"), Signer(where, "other")
        with Stage(CONF, files={"key.pem": signer.public.decode()}) as st:
            tap.run("a good token", good, st, signer)
            tap.run("a bad one", bad, st, signer, other)
    finally:
        for n in ("ours", "other"):
            os.unlink(os.path.join(where, n))
        os.rmdir(where)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
