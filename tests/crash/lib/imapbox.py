"""A Maildir with folders, as its owner was told that it is: what is on the disk is compared with that."""
import os

FOLDERS = ("", "Copies", "Moved")
LETTERS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}
MESSAGES = 14


def letter(name, size=1000):
    return (b"Subject: %s\r\nMessage-ID: <%s@x>\r\n\r\n" % (name, name) +
            b"".join(b"%074d\r\n" % i for i in range(size // 76)) + b"end of %s\r\n" % name)


class User:
    """A Maildir, and what its owner was told that is in it: folder, subject, flags; each perhaps with others."""

    def __init__(self, stage, name):
        self.stage, self.name = stage, name
        self.dir = stage.maildir(name)
        self.model = {f: {} for f in FOLDERS}
        self.wrong = []
        self.waits = 0      # messages that have no UID, and get none now
        home = os.path.dirname(self.dir)
        owner = os.stat(home)
        self.ids = (owner.st_uid, owner.st_gid)

    def fill(self):
        """By another program: there is no index, no list of UIDs."""
        for folder in self.model:
            for sub in ("", "new", "cur", "tmp"):
                path = os.path.join(self.dir, "." + folder if folder else "", sub)
                os.makedirs(path, 0o700, exist_ok=True)
                os.chown(path, *self.ids)
        for n in range(MESSAGES):
            name = "%s-%d" % (self.name, n)
            path = "%s/cur/%d.M1P1.here:2,%s" % (self.dir, 1700000000 + n, "S" if n % 2 else "")
            with open(path, "wb") as f:
                f.write(letter(name.encode()).replace(b"\r\n", b"\n"))
            os.chown(path, *self.ids)
            self.model[""][name] = {"\\Seen"} if n % 2 else set()

    def disk(self):
        found = {}
        for folder in self.model:
            where = os.path.join(self.dir, "." + folder if folder else "")
            found[folder] = {}
            try:
                with open(where + "/dovecot-keywords") as f:
                    words = {chr(97 + int(l.split()[0])): l.split()[1] for l in f}
            except (OSError, ValueError, IndexError):
                words = {}
            for sub in ("new", "cur"):
                for name in os.listdir(where + "/" + sub):
                    with open("%s/%s/%s" % (where, sub, name), "rb") as f:
                        data = f.read()
                    subject = data.split(b"\n")[0].partition(b": ")[2].decode()
                    flags = name.rpartition(":2,")[2] if ":2," in name else ""
                    if not data.endswith(b"end of %s\n" % subject.encode()):
                        self.wrong.append((folder, subject, "is torn"))
                    if subject in found[folder]:
                        self.wrong.append((folder, subject, "twice"))
                    found[folder][subject] = {LETTERS.get(c) or words.get(c, c) for c in flags}
        return found

    def compare(self, what):
        found = self.disk()
        for folder, there in self.model.items():
            for subject, flags in there.items():
                if subject not in found[folder]:
                    self.wrong.append((what, folder, subject, "is lost"))
                elif found[folder][subject] != flags:
                    self.wrong.append((what, folder, subject, found[folder][subject], flags))
            for subject in set(found[folder]) - set(there):
                self.wrong.append((what, folder, subject, "should not be there"))
            # one is told once
            self.model[folder] = found[folder]
