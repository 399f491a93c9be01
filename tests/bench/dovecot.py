"""Dovecot from Debian's packages, with processes for log-ins that are used again
(its "high-performance mode"), in a directory of its own."""
import os
import pwd
import shutil
import socket
import subprocess

from lib import wait_until
from servers import ADDR

# One process for each session, as with us: that is its default.
CONF = """base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/log
instance_name = posthouse-bench
protocols = imap pop3
listen = {addr}
ssl = yes
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = no
auth_mechanisms = plain login
mail_location = maildir:~/Maildir
mail_uid = {uid}
mail_gid = {gid}
first_valid_uid = 1
mail_max_userip_connections = 3000
passdb {{
  driver = passwd-file
  args = username_format=%n {dir}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/mail/%n
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
  service_count = 0
  process_min_avail = 2
  process_limit = 2000
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
  service_count = 0
  process_min_avail = 2
  process_limit = 2000
}}
service imap {{
  process_limit = 3000
}}
service pop3 {{
  process_limit = 3000
}}
service auth {{
  client_limit = 5000
}}
service anvil {{
  client_limit = 5000
}}
namespace inbox {{
  inbox = yes
}}
"""


class Dovecot:
    name = "dovecot"

    def __init__(self, directory, base, users):
        self.dir = os.path.join(directory, "dovecot")
        self.conf = os.path.join(self.dir, "dovecot.conf")
        self.pop3, self.pop3s = base + 510, base + 595
        self.imap, self.imaps = base + 543, base + 593
        self.users = users
        self.owner = pwd.getpwnam("nobody")
        self.running = False

    @staticmethod
    def missing():
        """Why it cannot be measured, or None."""
        if os.geteuid() != 0:
            return "it wants root"
        for name in ("pop3", "imap"):
            if not os.path.exists("/usr/lib/dovecot/" + name):
                return "Debian's package dovecot-%sd is not installed" % name
        return None

    def make(self):
        for sub in ("run", "state", "mail"):
            os.makedirs(os.path.join(self.dir, sub), mode=0o755)
        with open(os.path.join(self.dir, "users"), "w") as f:
            for i in range(1, self.users + 1):
                f.write("user%d:{PLAIN}secret::::::\n" % i)
                os.mkdir(self.home(i), mode=0o700)
                shutil.chown(self.home(i), self.owner.pw_uid,
                             self.owner.pw_gid)

    def home(self, i):
        return os.path.join(self.dir, "mail", "user%d" % i)

    def certify(self, cert, key):
        """What it shows from the next start on."""
        if not os.path.isdir(self.dir):
            self.make()
        with open(self.conf, "w") as f:
            f.write(CONF.format(
                dir=self.dir, addr=ADDR, cert=cert, key=key, pop3=self.pop3,
                pop3s=self.pop3s, imap=self.imap, imaps=self.imaps,
                uid=self.owner.pw_uid, gid=self.owner.pw_gid))

    def answers(self):
        try:
            with socket.create_connection((ADDR, self.pop3), 1) as s:
                return s.recv(100).startswith(b"+OK")
        except OSError:
            return False

    def up(self):
        subprocess.run(["dovecot", "-c", self.conf], check=True)
        self.running = True
        if not wait_until(self.answers, 20):
            raise SystemExit("dovecot does not answer, see %s/log" % self.dir)

    def pid(self):
        with open(os.path.join(self.dir, "run", "master.pid")) as f:
            return int(f.read())

    def down(self):
        if not self.running:
            return
        pid = self.pid()
        subprocess.run(["doveadm", "-c", self.conf, "stop"], check=True)
        wait_until(lambda: not os.path.exists("/proc/%d" % pid), 20)
        self.running = False

    def maildir(self, user):
        return os.path.join(self.dir, "mail", user, "Maildir")

    @staticmethod
    def forget(maildir):
        """All that it has noted about a Maildir."""
        for name in os.listdir(maildir):
            if name.startswith("dovecot"):
                os.remove(os.path.join(maildir, name))
