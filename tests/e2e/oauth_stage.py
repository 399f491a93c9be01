"""Logins by tokens in a whole stage: the provider is asked by introspect, by itself and beside keys; whatever of
it dies comes back, and nobody is let in or blocked by that. TAP on standard output."""
import os
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from auth import Front, failed, proven, session  # noqa: E402
from auth_token import Signer, bearer, told_why, x2  # noqa: E402
from e2e import Stage, Tap, until, want  # noqa: E402
from provider import Provider  # noqa: E402

SECRET = "geheim%7"
CONF = """
auth {
	mechanisms PLAIN OAUTHBEARER XOAUTH2
	delay 0
	failures 5
	token-issuer https://id.example.test
	token-audience mail
	introspection-url %s
	introspection-credentials "%s/credentials"
	introspection-timeout 5s
	introspection-cache 0
%s}
"""
KEYS = '\ttoken-keys "@DIR@/key.pem"\n'
WHERE = tempfile.mkdtemp(prefix="posthouse-oauth.")


def conf(url, more=""):
    return CONF % (url, WHERE, more)


def answer(user="alice@example.test", **more):
    return {"active": True, "iss": "https://id.example.test", "aud": ["mail"], "email": user, **more}


def ask(st, token=b"opaque", form="OAUTHBEARER", client="127.0.0.1"):
    with Front(st, client=client) as f:
        return f.sasl(form, bearer(token) if form == "OAUTHBEARER" else x2(token))


def pid(st, program):
    """Of the one that runs now."""
    def look():
        for line in st.posthouse("status")[1].splitlines():
            words = line.split()
            if words and words[0] == program and words[2] == "running":
                return int(words[1])
        return None
    return until("%s runs" % program, look)


def kill(st, program):
    old = pid(st, program)
    os.kill(old, signal.SIGKILL)
    until("another %s" % program, lambda: pid(st, program) != old)


def test_asked(st, p):
    p.reply = answer()
    with Front(st) as f:
        proven(f.sasl("OAUTHBEARER", bearer(b"opaque", b"alice")))
        session(f)
    proven(ask(st, form="XOAUTH2"))
    want("its credentials", p.asked[0][1], "Basic" in p.asked[0][1]["Authorization"])
    p.reply = {"active": False}
    with Front(st, client="127.0.5.1") as f:
        told_why(f, f.sasl("OAUTHBEARER", bearer(b"opaque")))
    st.logged("login-failed", "not active, says the provider", "token=")
    p.reply = answer("bob@example.test")
    with Front(st, client="127.0.5.1") as f:
        told_why(f, f.sasl("XOAUTH2", x2(b"opaque")))
    st.logged("login-failed", "of another user than the client says")


def test_broken(st, p):
    """Not his fault: he is told to come again, however often he does."""
    p.reply = (500, "", {})
    for _ in range(15):
        got = ask(st)
        want("temp", got, got.get("V") == b"temp")
    p.reply = answer()
    proven(ask(st))


def test_slow(st, p):
    release = threading.Event()
    p.reply = lambda _: release.wait(60) and answer()
    start = time.monotonic()
    got = ask(st)
    want("temp", got, got.get("V") == b"temp")
    want("in time", time.monotonic() - start, time.monotonic() - start < 30)
    release.set()
    p.reply = answer()
    proven(ask(st))


def test_dies(st, p):
    """introspect is killed while it asks: the next one asks again."""
    release, n = threading.Event(), len(p.asked)
    p.reply = lambda _: release.wait(60) and answer()
    with Front(st) as f:
        got = []
        t = threading.Thread(target=lambda: got.append(f.sasl("OAUTHBEARER", bearer(b"opaque"))))
        t.start()
        until("it is asked", lambda: len(p.asked) > n)
        kill(st, "introspect")
        release.set()
        p.reply = answer()
        t.join(60)
        want("an answer", got, len(got) == 1)
        proven(got[0])
    want("asked twice", len(p.asked) - n, len(p.asked) - n == 2)
    kill(st, "auth")
    until("auth is there", lambda: os.path.exists(os.path.join(st.dir, "run", "login", "auth")))
    proven(ask(st))


def test_both(st, p, url, ours, new):
    """With keys, too: what is signed is not asked about; the file changes."""
    p.reply = {"active": False}
    path = os.path.join(st.dir, "key.pem")
    st.write("key.pem", ours.public.decode())
    st.reconf(conf(url, KEYS))
    # the reload has been answered, and auth perhaps not told: until then this is asked about
    tries = iter(range(1, 250))
    until("the keys count", lambda: ask(st, ours.token(), client="127.0.6.%d" % next(tries)).get("V") == b"ok", step=0.3)
    n = len(p.asked)
    p.reply = answer()
    proven(ask(st, ours.token()))
    want("nobody was asked", len(p.asked) - n, len(p.asked) == n)
    proven(ask(st))
    want("this was asked about", len(p.asked) - n, len(p.asked) == n + 1)
    with Front(st, client="127.0.5.2") as f:
        told_why(f, f.sasl("OAUTHBEARER", bearer(new.token())))
    want("nor was this", len(p.asked) - n, len(p.asked) == n + 1)
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write(new.public.decode())
    os.rename(path + ".new", path)
    until("the new keys count", lambda: ask(st, new.token(), client="127.0.5.3").get("V") == b"ok", step=0.5)
    with Front(st, client="127.0.5.4") as f:
        told_why(f, f.sasl("OAUTHBEARER", bearer(ours.token())))
    st.write("key.pem", "rubbish\n")

    def noticed():
        proven(ask(st, new.token()))    # by the keys of before
        return any("token-keys" in l and "why=" in l for l in st.log().splitlines())
    until("it is noticed", noticed, step=0.3)
    proven(ask(st, new.token()))


def test_off(st, p, new):
    """Without introspection: the program goes, and what is not signed is refused."""
    st.write("key.pem", new.public.decode())
    st.reconf("".join(l + "\n" for l in conf("", KEYS).splitlines() if "introspection" not in l))
    until("introspect is off", lambda: "introspect" not in " ".join(
        l for l in st.posthouse("status")[1].splitlines() if " running " in l))
    n = len(p.asked)
    until("auth is there", lambda: ask(st, new.token()).get("V") == b"ok")
    with Front(st, client="127.0.5.5") as f:
        told_why(f, f.sasl("OAUTHBEARER", bearer(b"opaque")))
    want("nobody was asked", len(p.asked) - n, len(p.asked) == n)


def test_log(st, tokens):
    log = st.log()
    for secret in [SECRET, "geheim", "opaque"] + tokens:
        want("nothing secret in the log", secret[:20], secret not in log)


class Changing(Stage):
    def reconf(self, conf):
        with open(self.conf, encoding="utf-8") as f:
            text = f.read()
        i = text.index("\nauth {")
        with open(self.conf, "w", encoding="utf-8") as f:
            f.write(text[:i] + conf.replace("@DIR@", self.dir))
        status, said = self.posthouse("reload")
        want("reload", said, status == 0)


def main():
    tap = Tap()
    try:
        ours, new = Signer(WHERE, "ours"), Signer(WHERE, "new")
        with open(os.path.join(WHERE, "credentials"), "w", opener=lambda p, f: os.open(p, f, 0o600),
                  encoding="ascii") as f:
            f.write("mail:%s\n" % SECRET)
        with Provider() as p:
            url = p.url()
            with Changing(conf(url)) as st:
                tap.run("the provider is asked", test_asked, st, p)
                tap.run("a broken provider is nobody's failure", test_broken, st, p)
                tap.run("a slow one", test_slow, st, p)
                tap.run("introspect dies, and auth", test_dies, st, p)
                tap.run("keys beside it, and other keys", test_both, st, p, url, ours, new)
                tap.run("introspection is switched off", test_off, st, p, new)
                tap.run("the log", test_log, st, [ours.token().decode()[:60], new.token().decode()[-60:]])
    finally:
        shutil.rmtree(WHERE, ignore_errors=True)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
