"""The two servers: our suite as a stage, and Postfix from Debian with a
configuration, spool and mail of its own, which leaves the system's alone."""
import os
import pwd
import shutil
import socket
import subprocess
import time

from lib import rss_kib, wait_until

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
ADDR = "127.0.0.1"


def free_base():
    """A number so that the ports of a stage behind it are free."""
    for base in range(21000, 60000, 1000):
        try:
            for port in (base + 24, base + 25, base + 110, base + 143,
                         base + 510, base + 525, base + 543, base + 593,
                         base + 595, base + 993, base + 995):
                with socket.socket() as s:
                    s.bind((ADDR, port))
            return base
        except OSError:
            pass
    raise SystemExit("no free ports")


class Posthouse:
    name = "posthouse"

    def __init__(self, directory, base, users):
        self.dir = os.path.join(directory, "posthouse")
        self.base = base
        self.port = base + 25
        self.pop3, self.pop3s = base + 110, base + 995
        self.imap, self.imaps = base + 143, base + 993
        self.users = users
        self.build = os.path.join(TOP, os.environ.get("PH_BUILD") or
                                  os.environ.get("BUILD") or "build")
        self.conf = os.path.join(self.dir, "posthouse.conf")
        self.more = os.path.join(directory, "posthouse.more")
        open(self.more, "w").close()

    def stage(self, *args, **env):
        subprocess.run([os.path.join(TOP, "tests", "stage"), *args],
                       check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "PH_BUILD": self.build,
                            "STAGE_USERS": str(self.users),
                            "STAGE_CONF": self.more, **env})

    def up(self):
        self.stage("up", self.dir, str(self.base))

    def down(self):
        self.stage("down", self.dir)

    def send_to(self, routes):
        """Where mail for other domains goes, before it is started."""
        with open(self.more, "w") as f:
            for domain, (addr, port) in routes.items():
                f.write("transport %s smtp:[%s]:%d\n" % (domain, addr, port))
            f.write("remote.tls * off\nqueue.delay-warning 0\n")

    def certify(self, cert, key):
        """What it shows from the next start on, if it knows TLS."""
        keys = subprocess.run([os.path.join(self.build, "bin", "posthouse"),
                               "-k"], stdout=subprocess.PIPE, text=True)
        with open(self.more, "w") as f:
            if "tls.certificate" in keys.stdout:
                f.write('tls.certificate "%s" "%s"\n' % (cert, key))

    def flush(self):
        self.ask("postq", "flush", "ALL")

    def manager_kib(self, which="VmRSS"):
        return rss_kib(self.pid(), "queue", which)

    def program(self, name):
        return os.path.join(self.dir, "bin", name)

    def ask(self, name, *args):
        return subprocess.run([self.program(name), "-f", self.conf, *args],
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL)

    def pid(self):
        """Of the master, as it says itself."""
        words = self.ask("posthouse", "status").stdout.split()
        return int(words[words.index("pid") + 1])

    def maildir(self, user):
        return os.path.join(self.dir, "mail", user, "Maildir")

    @staticmethod
    def forget(maildir):
        """All that it has noted about a Maildir."""
        for name in os.listdir(maildir):
            if name.startswith(("dovecot", "posthouse")):
                os.remove(os.path.join(maildir, name))


MAIN_CF = """compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.example.test
mydestination =
inet_interfaces = {addr}
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = example.test
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = inline:{{ {users} }}
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination
message_size_limit = 51200000
smtpd_tls_security_level = none
smtp_tls_security_level = none
transport_maps = inline:{{ {routes} }}
smtp_host_lookup = native
disable_dns_lookups = yes
maillog_file = {dir}/log
maillog_file_prefixes = {dir}
smtpd_client_connection_count_limit = 0
alternate_config_directories =
"""


class Postfix:
    name = "postfix"

    def __init__(self, directory, base, users):
        self.dir = os.path.join(directory, "postfix")
        self.etc = os.path.join(self.dir, "etc")
        self.port = base + 525
        # a name with a slash behind it is a Maildir
        self.users = ", ".join("{user%d@example.test = user%d/}" % (i, i)
                               for i in range(1, users + 1))
        self.running = False
        self.routes = "{relay.test = smtp:[127.0.0.1]:9}"

    def send_to(self, routes):
        self.routes = ", ".join(
            "{%s = smtp:[%s]:%d}" % (domain, addr, port)
            for domain, (addr, port) in routes.items())
        if os.path.isdir(self.etc):
            self.write_main()

    def flush(self):
        subprocess.run(["postqueue", "-c", self.etc, "-f"],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def manager_kib(self, which="VmRSS"):
        with open(os.path.join(self.dir, "spool/pid/master.pid")) as f:
            return rss_kib(int(f.read()), "qmgr", which)

    @staticmethod
    def missing():
        """Why it cannot be measured, or None."""
        if os.geteuid() != 0:
            return "it wants root"
        for path in ("/usr/sbin/postfix", "/usr/share/postfix/master.cf.dist"):
            if not os.path.exists(path):
                return "Debian's package postfix is not installed"
        return None

    def master_cf(self):
        """Debian's, without chroots, with one port and a log of its own."""
        lines = []
        with open("/usr/share/postfix/master.cf.dist") as f:
            for line in f:
                words = line.split()
                if line[:1].isalpha() and len(words) >= 8:
                    words[4] = "n"
                    if words[:2] == ["smtp", "inet"]:
                        words[0] = "%s:%d" % (ADDR, self.port)
                    line = " ".join(words) + "\n"
                lines.append(line)
        if not any(l.startswith("postlog ") for l in lines):
            lines.append("postlog unix-dgram n - n - 1 postlogd\n")
        return "".join(lines)

    def make(self):
        owner = pwd.getpwnam("nobody")
        for sub in ("etc", "spool", "data", "mail"):
            os.makedirs(os.path.join(self.dir, sub), mode=0o755)
        shutil.chown(os.path.join(self.dir, "data"), "postfix")
        shutil.chown(os.path.join(self.dir, "mail"), owner.pw_uid)
        self.write_main()
        with open(os.path.join(self.etc, "master.cf"), "w") as f:
            f.write(self.master_cf())

    def write_main(self):
        owner = pwd.getpwnam("nobody")
        with open(os.path.join(self.etc, "main.cf"), "w") as f:
            f.write(MAIN_CF.format(dir=self.dir, addr=ADDR, uid=owner.pw_uid,
                                   gid=owner.pw_gid, users=self.users,
                                   routes=self.routes))

    def order(self, what):
        return subprocess.run(["postfix", "-c", self.etc, what],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode

    def answers(self):
        try:
            with socket.create_connection((ADDR, self.port), 1) as s:
                return s.recv(100).startswith(b"220")
        except OSError:
            return False

    def up(self):
        if not os.path.isdir(self.etc):
            self.make()
        self.order("check")
        self.order("start")
        self.running = True
        if not wait_until(self.answers, 20):
            raise SystemExit("postfix does not answer, see %s/log" % self.dir)

    def down(self):
        if not self.running:
            return
        with open(os.path.join(self.dir, "spool/pid/master.pid")) as f:
            pid = int(f.read())
        self.order("stop")
        wait_until(lambda: not os.path.exists("/proc/%d" % pid), 20)
        self.running = False
        time.sleep(0.2)

    def maildir(self, user):
        return os.path.join(self.dir, "mail", user)
