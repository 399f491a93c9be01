"""Each port with TLS in the eyes of testssl.sh: nothing above "low". Takes
minutes, so only in make check-long. A certificate of a CA of the test's own
stands for one that the world believes. TAP on standard output."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ADDR, LONG, Stage, Tap, Wrong, want  # noqa: E402

# What a test CA on one host cannot have, and no setting of ours could give.
NOT_OURS = {
    "cert_chain_of_trust": "the CA is the test's own",
    "cert_revocation": "the CA has no place to ask",
    "cert_crlDistributionPoints": "the CA has no place to ask",
    "cert_ocspURL": "the CA has no place to ask",
    "cert_trust": "the host is asked for by its address",
    "DNS_CAArecord": "there is no DNS",
    "sessionresumption_ticket": "s_client may end before the ticket has come",
    "overall_grade": "follows from the above",
    "grade_cap_reason_1": "follows from the above",
}
PORTS = (("smtp", 25), ("smtp", 587), (None, 465), ("lmtp", 24), ("pop3", 110), (None, 995),
         ("imap", 143), (None, 993))


def openssl(directory, *args):
    subprocess.run(["openssl", *args], cwd=directory, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def certificates(d):
    """A CA, and of the stage's name an RSA and an ECDSA certificate."""
    openssl(d, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Test CA", "-days", "90")
    with open(os.path.join(d, "ext"), "w", encoding="ascii") as f:
        f.write("subjectAltName=DNS:mx.example.test,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n"
                "keyUsage=digitalSignature\nbasicConstraints=CA:FALSE\n")
    for kind, how in (("rsa", ("rsa:2048",)), ("ec", ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"))):
        openssl(d, "req", "-newkey", *how, "-nodes", "-keyout", kind + ".key", "-out", kind + ".csr",
                "-subj", "/CN=mx.example.test")
        openssl(d, "x509", "-req", "-in", kind + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", kind + ".pem", "-days", "90", "-extfile", "ext")


def findings(d, starttls, port):
    out = os.path.join(d, "%d.json" % port)
    cmd = ["testssl", "--quiet", "--color", "0", "--warnings", "off", "--add-ca", os.path.join(d, "ca.pem"),
           "--jsonfile", out]
    if starttls:
        cmd += ["--starttls", starttls]
    r = subprocess.run(cmd + ["%s:%d" % (ADDR, port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, timeout=900)
    if not os.path.exists(out):
        raise Wrong("testssl says nothing, got " + r.stdout.decode("utf-8", "replace")[-500:])
    with open(out, encoding="utf-8") as f:
        return json.load(f)


def one(d, starttls, port):
    rows = findings(d, starttls, port)
    ids = {r["id"] for r in rows}
    want("protocols, ciphers and holes are looked at", sorted(ids), {"TLS1_2", "TLS1_3", "heartbleed", "ROBOT"} <= ids)
    bad = ["%s %s: %s" % (r["severity"], r["id"], r["finding"]) for r in rows
           if r["severity"] in ("MEDIUM", "HIGH", "CRITICAL", "WARN", "FATAL")
           and r["id"].split(" ")[0] not in NOT_OURS]
    want("nothing above low", "\n".join(bad), not bad)


def main():
    tap = Tap()
    if not LONG or not shutil.which("testssl"):
        tap.say("testssl", None, "only in make check-long" if not LONG else "testssl.sh is not installed")
        return tap.end()
    d = tempfile.mkdtemp(prefix="posthouse-testssl.")
    try:
        certificates(d)
        with Stage("tls.certificate %s/rsa.pem %s/rsa.key\ntls.certificate %s/ec.pem %s/ec.key\n" % (d, d, d, d)) as st:
            for starttls, port in PORTS:
                tap.run("port %d" % port, one, d, starttls, st.base + port)
    finally:
        shutil.rmtree(d, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
