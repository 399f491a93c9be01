"""What the tests share that use mail programs that nobody here wrote."""
import glob
import os
import shutil
import subprocess
import tempfile

from e2e import Skip, want


HANGS = 40      # seconds for what has to be over long before


def again_if_it_hangs(client, *args):
    """getmail waits for ever for a child that has ended, about once in a hundred runs: again then."""
    for last in (False, False, True):
        try:
            return client(*args)
        except subprocess.TimeoutExpired:
            if last:
                raise


def run(home, *args, ok=(0,), data=None, timeout=120):
    if not shutil.which(args[0]):
        raise Skip("no %s here" % args[0])
    r = subprocess.run(args, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout,
                       env=dict(os.environ, HOME=home))
    want(args[0], r.stdout.decode("utf-8", "replace")[-800:], r.returncode in ok)
    return r.stdout


def emptied(st, user):
    """The user has a mailbox with nothing in it: its path."""
    box = os.path.join(st.dir, "mail", user, "Maildir")
    owner = os.stat(os.path.dirname(box))
    shutil.rmtree(box, ignore_errors=True)
    for d in ("", "tmp", "new", "cur"):
        os.makedirs(os.path.join(box, d), 0o700, exist_ok=True)
        os.chown(os.path.join(box, d), owner.st_uid, owner.st_gid)
    return box


class Home:
    """A user's home for a client, with its Maildir."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="posthouse-client.")

    def __enter__(self):
        for sub in ("tmp", "new", "cur"):
            os.makedirs(os.path.join(self.dir, "Maildir", sub))
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir, ignore_errors=True)

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, 0o600)
        return path

    def got(self):
        out = []
        for f in glob.glob(os.path.join(self.dir, "Maildir", "*", "*")):
            with open(f, "rb") as g:
                out.append(g.read())
        return out
