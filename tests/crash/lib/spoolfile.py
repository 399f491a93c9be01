"""Files of spool(5) as written: which messages are whole, who still waits.
Reads them itself, with nothing of the programs under test."""
import os
import random
import time

from mail import MEMBERS, field, plain

STATES = (b"w", b"l", b"d", b"f", b"t", b"x")


def fields(data, at):
    """[(tag, value)], and where the empty line begins; None: malformed."""
    out = []
    while at < len(data) and data[at:at + 1] != b"\n":
        colon = data.find(b":", at, at + 12)
        if colon == -1 or not data[at + 1:colon].isdigit():
            return None, at
        n = int(data[at + 1:colon])
        if data[colon + 1 + n:colon + 3 + n] != b",\n":
            return None, at
        out.append((data[at:at + 1].decode(), data[colon + 1:colon + 1 + n]))
        at = colon + 3 + n
    return out, at


def parse(path):
    """(head, content), or why it is not whole."""
    with open(path, "rb") as f:
        data = f.read()
    head, at = fields(data, 0)
    if head is None or data[at:at + 1] != b"\n":
        return "malformed head"
    if len(head) < 2 or head[1][1].decode() != os.path.basename(path):
        return "it has another id"
    if any(t == "s" and v not in STATES for t, v in head):
        return "no state"
    start = data.rfind(b"\nL16:")
    tail, end = fields(data, start + 1) if start != -1 else (None, 0)
    if not tail or end != len(data) or tail[-1] != ("Z", b"end"):
        return "no trailer"
    content = data[at + 1:start]
    if int(tail[0][1], 16) != len(content):
        return "another length"
    return head, content


def read(path, who):
    """(token, digest, who of them still wait), or why it is not whole."""
    got = parse(path)
    if isinstance(got, str):
        return got
    return *plain(got[1].replace(b"\r\n", b"\n")), who(got[0])


def make(id, rcpts, content, place="smtp"):
    """A file as smtpd would write it; rcpts: (address, final's fields)."""
    head = field("V", "1") + field("I", id) + \
        field("T", "%d" % (time.time() * 1000)) + field("K", place) + \
        field("S", "test@example.net")
    for addr, final in rcpts:
        head += field("r", addr)
        if final:
            head += field("f", "".join(field(*f).decode() for f in final))
        head += field("s", "w")
    return head + b"\n" + content + trailer(len(content))


def trailer(n, digest="0" * 64):
    return b"\n" + field("L", "%016x" % n) + field("B", digest) + \
        field("X", digest) + field("Z", "end")


def put(stage, place, id, data):
    """As if smtpd (incoming) or drop had written it."""
    new = "%s/%s/new" % (stage.spool, place)
    tmp = "%s/%s/tmp/%s" % (stage.spool, place, id)
    with open(tmp, "wb") as f:
        f.write(data)
    os.chmod(tmp, 0o660)
    if os.geteuid() == 0:
        smtp = os.stat(stage.spool + "/incoming").st_uid
        os.chown(tmp, smtp if place == "incoming" else 61001,
                 os.stat(new).st_gid)
    os.rename(tmp, "%s/%s" % (new, id))


def new_id():
    """52 bits of microseconds, 48 random ones."""
    n = (int(time.time() * 1e6) & (1 << 52) - 1) << 48 | random.getrandbits(48)
    return "".join("0123456789abcdefghjkmnpqrstvwxyz"[n >> 5 * i & 31]
                   for i in range(19, -1, -1))


def waiting(head):
    """Users that it still is to be delivered to."""
    users, rcpt = set(), None
    for tag, value in head:
        if tag == "r":
            local = value.decode().partition("@")[0]
            rcpt = set(MEMBERS.get(local, (local,)))
        elif tag == "f":
            inner, _ = fields(value, 0)
            rcpt = {v.decode() for t, v in inner or [] if t == "u"}
        elif tag == "s" and value in (b"w", b"f"):
            users |= rcpt
    return users


def addresses(head):
    """Recipients that it still is to be delivered to."""
    found, rcpt = set(), None
    for tag, value in head:
        if tag == "r":
            rcpt = value.decode()
        elif tag == "s" and value in (b"w", b"l"):
            found.add(rcpt)
    return found


def whole(spool, letters, who=waiting):
    """{(token, user)} that the spool still has to deliver, and what is torn."""
    have, torn = set(), []

    def good(got):
        return not isinstance(got, str) and got[0] in letters and \
            letters[got[0]].digest() == got[1]
    for place in ("incoming/new", "drop/new", "queue", "hold", "corrupt"):
        for d, _, names in os.walk(os.path.join(spool, place)):
            for n in names:
                path = os.path.join(d, n)
                got = read(path, who)
                if good(got):
                    have |= {(got[0], u) for u in got[2]}
                else:
                    torn.append((path, got, os.path.getsize(path)))
    for n in os.listdir(os.path.join(spool, "tmp")):    # queue looks there
        got = read(os.path.join(spool, "tmp", n), who)
        if good(got):
            have |= {(got[0], u) for u in got[2]}
    return have, torn
