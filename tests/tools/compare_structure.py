#!/usr/bin/env python3
"""What we answer for ENVELOPE, BODYSTRUCTURE, BODY and RFC822.SIZE beside what Dovecot does: compare_structure.py TOOL PATH ...

TOOL is build/tools/mime_bench; each PATH is a message or a directory of messages. Wants root, and Dovecot's imapd.
Prints each item in which the two differ. Exit status 1: there was one."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

IMAP = "/usr/lib/dovecot/imap"
CONF = """base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/log
mail_location = maildir:{d}/Maildir
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
ssl = no
namespace inbox {{
  inbox = yes
}}
"""
ITEMS = (b"RFC822.SIZE", b"ENVELOPE", b"BODYSTRUCTURE", b"BODY")


def responses(stream, end):
    """The untagged FETCH responses, up to a line that begins with end."""
    while True:
        whole = stream.readline()
        if not whole or (end and whole.startswith(end)):
            return
        while m := re.search(rb"\{(\d+)\}\r\n$", whole):
            whole += stream.read(int(m[1])) + stream.readline()
        if m := re.match(rb"\* (\d+) FETCH \((.*)\)\r\n$", whole, re.S):
            yield int(m[1]), m[2]


def parse(text):
    """A nested list; a string, quoted or literal, is bytes, everything else is str."""
    stack, at = [[]], 0
    while at < len(text):
        c = text[at:at + 1]
        if c == b"(":
            stack.append([])
            at += 1
        elif c == b")":
            inner = stack.pop()
            stack[-1].append(inner)
            at += 1
        elif c == b" ":
            at += 1
        elif c == b'"':
            m = re.compile(rb'"((?:[^"\\]|\\.)*)"', re.S).match(text, at)
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", m[1]))
            at = m.end()
        elif m := re.compile(rb"\{(\d+)\}\r\n").match(text, at):
            at = m.end() + int(m[1])
            stack[-1].append(text[m.end():at])
        else:
            m = re.compile(rb'[^ ()"]+').match(text, at)
            stack[-1].append(m[0].decode())
            at = m.end()
    assert len(stack) == 1
    flat = stack[0]
    return {flat[i].encode(): flat[i + 1] for i in range(0, len(flat), 2)}


def dovecot(messages, d):
    for sub in ("run", "state", "Maildir/cur", "Maildir/new", "Maildir/tmp"):
        os.makedirs(os.path.join(d, sub))
    with open(os.path.join(d, "conf"), "w") as f:
        f.write(CONF.format(d=d))
    for i, m in enumerate(messages):
        with open(f"{d}/Maildir/cur/{1000000000 + i}.M{i:06d}P1.x:2,",
                  "wb") as f:
            f.write(m)
    subprocess.run(["chown", "-R", "nobody:nogroup", d], check=True)
    p = subprocess.Popen(
        ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
         IMAP, "-c", f"{d}/conf"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env={"HOME": d, "USER": "nobody", "PATH": os.environ["PATH"]})
    p.stdin.write(b"1 select inbox\r\n2 fetch 1:* (%s)\r\n" % b" ".join(ITEMS))
    p.stdin.flush()
    out = dict(responses(p.stdout, b"2 "))
    p.stdin.write(b"3 logout\r\n")
    p.stdin.close()
    p.wait()
    return out


def ours(tool, messages, d):
    names = []
    for i, m in enumerate(messages):
        names.append(f"{d}/{i}")
        with open(names[-1], "wb") as f:
            f.write(m)
    p = subprocess.run([tool, "-p", *names], stdout=subprocess.PIPE,
                       check=True)
    with open(f"{d}/out", "wb") as f:
        f.write(p.stdout)
    with open(f"{d}/out", "rb") as f:
        return dict(responses(f, None))


def files(paths):
    for path in paths:
        if os.path.isdir(path):
            for top, dirs, names in os.walk(path):
                dirs.sort()
                yield from (os.path.join(top, n) for n in sorted(names))
        else:
            yield path


def first_difference(a, b):
    """The smallest lists in which they differ."""
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        differ = [(x, y) for x, y in zip(a, b) if x != y]
        if len(differ) == 1:
            return first_difference(*differ[0])
    return a, b


def compare(named):
    tool = named.pop(0)
    names = list(files(named))
    messages = [open(n, "rb").read() for n in names]
    d = tempfile.mkdtemp()
    os.chmod(d, 0o755)
    try:
        os.mkdir(f"{d}/o")
        theirs = dovecot(messages, f"{d}/d")
        mine = ours(tool, messages, f"{d}/o")
    finally:
        shutil.rmtree(d)
    bad = 0
    for i, name in enumerate(names, 1):
        if i not in theirs:
            print(f"{name}: Dovecot does not answer")
            continue
        a, b = parse(theirs[i]), parse(mine[i])
        for item in ITEMS:
            if a[item] != b[item]:
                bad += 1
                x, y = first_difference(a[item], b[item])
                print(f"{name}: {item.decode()}\n  dovecot {x}\n  ours    {y}")
    print(f"{len(names)} messages, {bad} items differ")
    return bad != 0


if __name__ == "__main__":
    sys.exit(compare(sys.argv[1:]))
