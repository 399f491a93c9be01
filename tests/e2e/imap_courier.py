"""A Maildir as Courier 5 leaves it (courier-imap 5.0.13, courier-pop 1.0.16 wrote what is here): UIDs, keywords, subscriptions
and names of folders for IMAP, names of messages for POP3; whichever of the two comes first. TAP on standard output."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import Skip, Stage, Tap, login, want  # noqa: E402
from imap import Imap  # noqa: E402

FIRST, SECOND, FOURTH = ("170000000%d.M%dP1V00000000000%d.host,S=20" % (n, n, n) for n in (1, 2, 4))
COPY = "1795697745.M449173P16363V000000000000FE00I0000000000A90173_0.vm,S=20"
FILES = {
    "cur/" + FIRST + ":2,F": b"Subject: m1\n\nbody 1\n",
    "cur/" + SECOND + ":2,": b"Subject: m2\n\nbody 2\n",
    "cur/" + FOURTH + ":2,": b"Subject: m4\n\nbody 4\n",
    "courierimapuiddb": "1 795697726 5\n1 %s\n2 %s\n4 %s\n" % (FIRST, SECOND, FOURTH),
    "courierimapkeywords/:list": "Work\n$Forwarded\n\n%s:1 0\n%s:0\n" % (FIRST, SECOND),
    "courierimapkeywords/.5985660." + FIRST: "Work\n$Forwarded\n",
    "courierimapkeywords/" + FOURTH: "Later\n",
    "courierpop3dsizelist": "/3 4 1795697749\n%s:2,F 23 1:1795697749:0\n%s:2, 23 2:0:1\n%s:2, 23 0:0:0\n" %
                            (FIRST, SECOND, FOURTH),
    "courierimapsubscribed": "INBOX.Sent.Old\nINBOX.Entwürfe\n",
    "courierimaphieracl/Sent": "",
    ".Sent.Old/maildirfolder": "",
    ".Sent.Old/courierimapacl": "owner aceilrstwx\nadministrators aceilrstwx\nuser=bob lr\n",
    ".Sent.Old/courierimapuiddb": "1 795697744 3\n2 %s\n" % COPY,
    ".Sent.Old/courierimapkeywords/:list": "Work\n$Forwarded\n\n%s:1 0\n" % COPY,
    ".Sent.Old/cur/" + COPY + ":2,F": b"Subject: m1\n\nbody 1\n",
    ".Entwürfe/maildirfolder": "",
    ".Entwürfe/courierimapuiddb": "1 795697743 1\n",
    ".A & B/maildirfolder": "",
}
# as posthouse-migration(7) has it
RENAME = """
utf7() { printf %s "$1" | iconv -f UTF-8 -t UTF-7-IMAP; }
for d in .[!.]*/; do
    d=${d%/} n=$(utf7 "${d%/}")
    [ "$d" = "$n" ] || mv -- "$d" "$n"
done
while IFS= read -r l; do
    utf7 "$l"; echo
done <courierimapsubscribed >subscribed.new &&
    mv subscribed.new courierimapsubscribed
"""


def fill(st):
    Imap(st, "alice").logout()
    top = os.path.join(os.path.realpath(st.dir), "mail", "alice", "Maildir")
    own = os.stat(top)
    shutil.rmtree(top)
    for folder in ("", ".Sent.Old", ".Entwürfe", ".A & B"):
        for sub in ("tmp", "new", "cur"):
            os.makedirs(os.path.join(top, folder, sub))
    for name, content in FILES.items():
        path = os.path.join(top, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
    if subprocess.run(["iconv", "-t", "UTF-7-IMAP"], input=b"x", stdout=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("iconv does not know UTF-7-IMAP")
    subprocess.run(["sh", "-e"], cwd=top, input=RENAME.encode(), check=True)
    for directory, subs, names in os.walk(top):
        for name in subs + names + ["."]:
            shutil.chown(os.path.join(directory, name), own.st_uid, own.st_gid)


def imap(st):
    c = Imap(st, "alice")
    said, _ = c.ok(b'LIST "" *')
    names = sorted(s.split(b' "." ')[1] for s in said)
    want("names of folders", names, names == [b'"INBOX.A &- B"', b"INBOX", b"INBOX.Entw&APw-rfe", b"INBOX.Sent",
                                              b"INBOX.Sent.Old"])
    said, _ = c.ok(b'LSUB "" *')
    want("subscriptions", said, sorted(s.split(b' "." ')[1] for s in said) == [b"INBOX.Entw&APw-rfe", b"INBOX.Sent.Old"])
    for name, validity, flags in (
            (b"INBOX", b"795697726", {b"1": {b"\\Flagged", b"Work", b"$Forwarded"}, b"2": {b"Work"}, b"4": {b"Later"}}),
            (b"INBOX.Sent.Old", b"795697744", {b"2": {b"\\Flagged", b"Work", b"$Forwarded"}}),
            (b"INBOX.Entw&APw-rfe", b"795697743", {})):
        said, _ = c.ok(b"SELECT " + name)
        want("UIDVALIDITY of %s" % name, said, any(b"[UIDVALIDITY %s]" % validity in s for s in said))
        said, _ = c.ok(b"UID FETCH 1:* (FLAGS)")
        found = {s.split(b"UID ")[1].split()[0]: set(s[s.rindex(b"(") + 1:].rstrip(b")").split()) - {b"\\Recent"}
                 for s in said if b" FETCH " in s}
        want("UIDs and flags of %s" % name, found, found == flags)
    c.logout()


def pop3(st):
    p = login(st.pop3, "alice")
    p.send(b"UIDL\r\n")
    got = [p.line() for _ in range(5)]
    p.send(b"QUIT\r\n")
    want("the end", got, p.line().startswith(b"+OK"))
    want("names of messages", got, got[1:] == [b"1 UID1-1795697749", b"2 UID2", b"3 " + FOURTH.encode(), b"."])


def taken_over(first, second):
    with Stage("imap.prefix INBOX.\n", users=1) as st:
        fill(st)
        for act in (first, second, first):
            act(st)


tap = Tap()
tap.run("IMAP, then POP3", taken_over, imap, pop3)
tap.run("POP3, then IMAP", taken_over, pop3, imap)
sys.exit(tap.end())
