"""A Dovecot of Debian's over a stage's mailboxes, with a configuration and a directory
of its own; one protocol, and every password is "secret"."""
import os
import shutil
import subprocess
import tempfile

from e2e import ROOT, Skip, Wrong, free_base, until
from imap import Imap

CONF = """
base_dir = %(dir)s/run
state_dir = %(dir)s/state
log_path = %(dir)s/log
protocols = %(protocol)s
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:%(mail)s/%%u/Maildir
first_valid_uid = 1
mail_access_groups =
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=%(uid)d gid=%(uid)d home=%(mail)s/%%u
}
service %(protocol)s-login {
  inet_listener %(protocol)s {
    port = %(port)d
  }
}
%(more)s
"""


class Dovecot:
    def __init__(self, st, protocol, uid, more=""):
        if not ROOT or not os.path.exists("/usr/lib/dovecot/" + protocol):
            raise Skip("no dovecot-%sd, or not root" % protocol)
        self.dir = tempfile.mkdtemp(prefix="posthouse-dovecot.")
        os.chmod(self.dir, 0o755)
        for sub in ("run", "state"):
            os.mkdir(os.path.join(self.dir, sub))
        self.port = free_base() + 143
        conf = os.path.join(self.dir, "conf")
        with open(conf, "w") as f:
            f.write(CONF % {"dir": self.dir, "protocol": protocol, "uid": uid, "port": self.port, "more": more,
                            "mail": os.path.realpath(os.path.join(st.dir, "mail"))})
        with open(os.path.join(self.dir, "out"), "wb") as out:
            self.process = subprocess.Popen(["dovecot", "-F", "-c", conf], stdout=out, stderr=out)

    def login(self, user):
        """By IMAP, as soon as it answers; None: nobody."""
        def attempt():
            try:
                return Imap(self.port - 143, user)
            except (OSError, Wrong):
                return None
        return until("a login", attempt, 120)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)
