"""Many clients at random on two mailboxes: each keeps what it was told, and it
has to be what the server means: sequence numbers, UIDs, flags, the content and what
was removed. Ten seconds, in a long run five minutes; PH_SEED repeats a run as far as
the machine lets it, PH_ROUNDS sets the seconds. TAP on standard output."""
import os
import random
import re
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import LONG, Stage, Tap, Wrong, want  # noqa: E402
from imap import Imap  # noqa: E402
from imapview import Folder, View, numbers, ranges, text_of, tree  # noqa: E402

CLIENTS = 8
KEEP = (6, 60)              # messages in a folder, about
SYSTEM = (b"\\Seen", b"\\Answered", b"\\Flagged", b"\\Draft")
ITEMS = (b"FLAGS", b"RFC822.SIZE", b"INTERNALDATE", b"ENVELOPE", b"BODY.PEEK[]", b"BODY.PEEK[TEXT]", b"BODYSTRUCTURE",
         b"BODY.PEEK[HEADER.FIELDS (SUBJECT)]")


def replaceable(uid):
    """Of these the flags are replaced as a whole, of the others each one only by its owner."""
    return uid % 5 == 0


class Client(threading.Thread):
    def __init__(self, base, user, number, folders, seed, until):
        threading.Thread.__init__(self, daemon=True)
        self.base, self.user, self.number, self.until = base, user, number, until
        self.folders = folders
        self.rng = random.Random(seed)
        self.mine = b"$c%d" % number
        self.qresync = number % 2 == 1
        self.wrong = None
        self.made = self.commands = 0
        self.c = self.view = None
        self.kept = {}      # folder: (validity, modseq, {UID: flags}), for QRESYNC
        self.last = []

    def run(self):
        try:
            while time.monotonic() < self.until:
                if self.c is None:
                    self.login()
                if self.view is None:
                    self.select()
                self.step()
        except Exception as e:  # pylint: disable=broad-except
            self.wrong = "client %d: %r after %r" % (self.number, e, self.last[-6:])

    def login(self):
        self.c = Imap(self.base, self.user)
        if self.qresync:
            self.c.ok(b"ENABLE QRESYNC")

    def said(self, responses, name):
        """FETCH responses as {UID: items}."""
        out = {}
        for r in responses:
            got = self.view.take(r, name)
            if got is not None:
                uid = self.view.uids[got[0] - 1]
                out.setdefault(uid, {}).update(got[1])
        return out

    def do(self, line, ok=(b"OK",), data=None):
        """A command and what it says; ends with (FETCH responses, untagged ones, reply)."""
        self.commands += 1
        self.last.append(line)
        words = line.split(b" ", 2)
        name = words[0] if words[0] != b"UID" else b"UID " + words[1]
        untagged, reply = self.c.command(line if data is None else line + b" {%d+}\r\n%s" % (len(data), data))
        if reply is None or not reply.startswith(ok):
            raise Wrong("%r: %r %r" % (line[:200], untagged[-3:], reply))
        return self.said(untagged, name), untagged, reply

    def select(self):
        folder = self.rng.choice(self.folders)
        view = View(folder, self.qresync)
        with folder.lock:
            view.begun = set(folder.gone)
            there = folder.live - folder.doomed
        self.view = view
        old = self.kept.get(folder.name)
        line = b"SELECT " + folder.name.encode()
        if old and self.qresync:
            line += b" (QRESYNC (%d %d))" % old[:2]
        _, untagged, _ = self.do(line)
        codes = dict(re.findall(rb"\[(UIDVALIDITY|UIDNEXT|HIGHESTMODSEQ) (\d+)\]", b"\n".join(untagged)))
        folder.same(0, b"UIDVALIDITY", codes[b"UIDVALIDITY"])
        view.highest = int(codes.get(b"HIGHESTMODSEQ", 0))
        want("view of SELECT", line, len([r for r in untagged if r.endswith(b" EXISTS")]) == 1)
        if old and self.qresync:
            self.resumed(old, dict(view.flags), len(view.uids))
        at_select = len(view.uids)
        self.learn(True)
        if not there <= set(view.uids):
            with folder.lock:
                lost = there - set(view.uids) - folder.doomed
            want("lost in " + folder.name, lost, not lost)
        if self.qresync:
            self.kept[folder.name] = (int(codes[b"UIDVALIDITY"]), view.highest, {
                u: f for u, f in view.flags.items() if view.modseq[u] <= view.highest and u in view.uids[:at_select]})
            if len(self.kept[folder.name][2]) < at_select:
                del self.kept[folder.name]      # something changed in between: not a state to come back to

    def resumed(self, old, changed, count):
        """What was known, less what is said to have vanished, with what changed: that is the folder."""
        now = {u: f for u, f in old[2].items() if u not in self.view.earlier}
        now.update(changed)
        want("QRESYNC: %d of %d" % (count, len(now)), (sorted(now), self.view.earlier), len(now) == count)
        for n, uid in enumerate(sorted(now), 1):
            self.view.learn(n, uid)
            self.view.flags[uid] = now[uid]
        highest = self.view.highest
        got = self.do(b"FETCH 1:* (UID FLAGS MODSEQ)")[0] if count else {}
        for uid, items in got.items():
            if int(items[b"MODSEQ"][0]) <= highest and uid in now:
                flags = set(items[b"FLAGS"]) - {b"\\Recent"}
                want("QRESYNC: UID %d" % uid, (now[uid], flags), now[uid] == flags)

    def learn(self, everything=False):
        """The UIDs of what came."""
        for _ in range(1000):       # more may come meanwhile, or go
            if not self.view.uids or not (everything or None in self.view.uids):
                break
            first = 1 if everything else self.view.uids.index(None) + 1
            self.do(b"FETCH %d:* (UID FLAGS%s)" % (first, b" MODSEQ" if self.qresync else b""), (b"OK", b"NO"))
            everything = False
            if None in self.view.uids:
                self.do(b"NOOP")
        want("all UIDs", self.view.uids, None not in self.view.uids)

    def some(self, most=6, which=None):
        known = [u for u in self.view.uids if which is None or which(u)]
        return sorted(self.rng.sample(known, min(len(known), self.rng.randint(1, most))))

    def step(self):
        n = len(self.view.uids)
        steps = [self.fetch] * 6 + [self.store] * 6 + [self.search, self.search, self.noop, self.noop, self.idle, self.status,
                                                      self.verify, self.copy, self.leave, self.both]
        if n < KEEP[1]:
            steps += [self.append] * (8 if n < KEEP[0] else 2)
        if n > KEEP[0]:
            steps += [self.remove, self.remove, self.expunge, self.move]
        self.rng.choice(steps)()
        if self.view is not None:
            self.learn()

    def perhaps_gone(self, uids):
        """Somebody has set out to remove one of them; or has made a copy of what is marked, and may not have told yet."""
        return self.view.folder.doubtful(uids) or any(b"\\Deleted" in self.view.flags.get(u, ()) for u in uids)

    def by(self, uids):
        """(command's beginning, set): by UID or by sequence number."""
        if self.rng.random() < 0.5:
            return b"UID ", ranges(uids)
        return b"", ranges(sorted(self.view.uids.index(u) + 1 for u in uids))

    def fetch(self):
        uids = self.some()
        if not uids:
            return
        how, which = self.by(uids)
        items = self.rng.sample(ITEMS, self.rng.randint(1, 4))
        got, _, reply = self.do(b"%sFETCH %s (UID %s)" % (how, which, b" ".join(items)), (b"OK", b"NO"))
        keys = [i.replace(b".PEEK", b"") for i in items]
        for uid in uids:
            if not all(k in got.get(uid, ()) for k in keys):
                want("FETCH of UID %d" % uid, (keys, got.get(uid), reply), b"[EXPUNGEISSUED]" in reply)
                self.view.folder.gone.add(uid)

    def store(self):
        folder = self.view.folder
        if self.rng.random() < 0.3:
            uids = self.some(3, replaceable)
            flags = self.rng.sample(SYSTEM, 2) + [self.mine] * self.rng.randint(0, 1)
            return uids and self.change(uids, b"FLAGS", flags)
        uids = self.some(5, lambda u: not replaceable(u))
        if not uids:
            return
        on = self.rng.random() < 0.6
        with folder.lock:
            entries = [folder.owned.setdefault((u, self.mine), [None, 0]) for u in uids]
            for e in entries:
                e[1] += 1
        got, silent, reply = self.change(uids, b"+FLAGS" if on else b"-FLAGS", [self.mine])
        with folder.lock:
            for e in entries:
                e[0], e[1] = on, e[1] + 1
        if reply.startswith(b"OK") and not silent:
            for uid in uids:
                flags = self.view.flags.get(uid, ())
                told = (self.mine in flags) == on
                # what is marked may be gone by now; of a copy that is, who has made it may not have told yet
                want("STORE of UID %d" % uid, (on, got.get(uid)), told or uid in folder.doomed or b"\\Deleted" in flags)

    def change(self, uids, what, flags):
        how, which = self.by(uids)
        silent = self.rng.random() < 0.3
        got, _, reply = self.do(b"%sSTORE %s %s%s (%s)" % (how, which, what, b".SILENT" * silent, b" ".join(flags)),
                                (b"OK", b"NO"))
        want("STORE", reply, reply.startswith(b"OK") or self.perhaps_gone(uids))
        if silent and reply.startswith(b"OK"):
            for uid in uids:
                known = self.view.flags.get(uid)
                if known is not None:
                    self.view.flags[uid] = set(flags) if what == b"FLAGS" else \
                        known | set(flags) if what == b"+FLAGS" else known - set(flags)
        return got, silent, reply

    def remove(self):
        """Marked first, for any client to expunge."""
        uids = self.some(3)
        if uids:
            with self.view.folder.lock:
                self.view.folder.doomed.update(uids)
            self.change(uids, b"+FLAGS", [b"\\Deleted"])

    def expunge(self):
        if self.rng.random() < 0.5:
            self.do(b"EXPUNGE")
        else:
            uids = self.some(4)
            self.do(b"UID EXPUNGE " + ranges(uids))
        self.learn()

    def append(self):
        folder = self.rng.choice(self.folders)
        names = []
        line = b"APPEND " + folder.name.encode()
        for _ in range(self.rng.choice((1, 1, 1, 3))):
            self.made += 1
            names.append("c%d-%d" % (self.number, self.made))
            text = text_of(names[-1])
            line += b" (%s) {%d+}\r\n%s" % (self.rng.choice((b"", b"\\Seen", b"\\Flagged " + self.mine)), len(text), text)
        reply = self.do(line)[2]
        m = re.match(rb"OK \[APPENDUID (\d+) (\S+)\]", reply)
        want("APPENDUID", reply, m is not None)
        folder.same(0, b"UIDVALIDITY", m.group(1))
        uids = numbers(m.group(2))
        want("as many", reply, len(uids) == len(names))
        with folder.lock:
            for uid, name in zip(uids, names):
                folder.same(uid, b"name", name)
                folder.live.add(uid)

    def copied(self, other, untagged, reply):
        m = re.search(rb"\[COPYUID (\d+) (\S+) (\S+)\]", b"\n".join(untagged + [reply]))
        if m is None:
            return
        here = self.view.folder
        other.same(0, b"UIDVALIDITY", m.group(1))
        pairs = list(zip(numbers(m.group(2)), numbers(m.group(3))))
        for uid, new in pairs:
            with here.lock:
                name = here.constant.get((uid, b"name"))
                # a copy of what is marked is marked; who has just made the original may not have told of that yet
                doomed = uid in here.doomed or uid not in here.live
            with other.lock:
                if name is not None:
                    other.same(new, b"name", name)
                if not doomed:
                    other.live.add(new)
                else:
                    other.doomed.add(new)

    def copy(self):
        uids = self.some(3)
        if not uids:
            return
        other = self.rng.choice(self.folders)
        how, which = self.by(uids)
        # a copy of what is marked is marked
        _, untagged, reply = self.do(b"%sCOPY %s %s" % (how, which, other.name.encode()), (b"OK", b"NO"))
        want("COPY", reply, reply.startswith(b"OK") or b"[EXPUNGEISSUED]" in reply)
        if reply.startswith(b"NO"):
            other.returned += len(uids)
        self.copied(other, untagged, reply)

    def move(self):
        other = next(f for f in self.folders if f is not self.view.folder)
        uids = self.some(3)
        if not uids:
            return
        here = self.view.folder
        with here.lock:
            here.doomed.update(uids)
        _, untagged, reply = self.do(b"UID MOVE %s %s" % (ranges(uids), other.name.encode()), (b"OK", b"NO"))
        if reply.startswith(b"NO"):
            other.returned += len(uids)
            self.do(b"NOOP")
        self.learn()
        left = set(uids) & set(self.view.uids)
        want("MOVE", (reply, uids, left), len(left) < len(uids) if reply.startswith(b"NO") else not left)
        self.copied(other, untagged, reply)

    def search(self):
        key = self.rng.choice((b"ALL", b"SEEN", b"KEYWORD " + self.mine, b"UNDELETED", b"SUBJECT c", b"1:*", b"LARGER 400"))
        how = self.rng.choice((b"", b"UID "))
        known = list(self.view.uids)
        _, untagged, _ = self.do(how + b"SEARCH " + key)
        found = [int(n) for r in untagged if r.startswith(b"SEARCH") for n in r.split(b" (")[0].split()[1:]]
        want("sorted", found, found == sorted(set(found)))
        if how:
            want("UID SEARCH", (found, known), not {u for u in found if known and u < known[-1]} - set(known))
        else:
            want("SEARCH", (found, len(self.view.uids)), not found or found[-1] <= len(self.view.uids))
            if key in (b"ALL", b"1:*"):
                want("all of them", (found, known), len(found) >= len(known) or self.perhaps_gone(known))
        if key.startswith(b"KEYWORD"):
            at = found if how else [self.view.uids[n - 1] for n in found]
            for uid in known:
                on = self.view.folder.owned.get((uid, self.mine))
                if on and on[0] is not None and not replaceable(uid):
                    want("KEYWORD of UID %d" % uid, (on, at), (uid in at) == on[0] or self.perhaps_gone([uid]))

    def noop(self):
        self.do(self.rng.choice((b"NOOP", b"CHECK")))

    def idle(self):
        tag = self.c.tag()
        self.last.append(b"IDLE")
        self.c.send(tag + b" IDLE\r\n")
        said = []
        while True:     # the rest is before the + or behind it
            r = self.c.response()
            if r.startswith(b"+"):
                break
            said.append(r[2:])
        time.sleep(self.rng.random() * 0.3)
        self.c.send(b"DONE\r\n")
        more, reply = self.c.answer(tag)
        want("IDLE", reply, reply is not None and reply.startswith(b"OK"))
        self.said(said + more, b"IDLE")

    def status(self):
        other = self.rng.choice(self.folders)
        _, untagged, _ = self.do(b"STATUS %s (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)" % other.name.encode())
        said = tree(next(r for r in untagged if r.startswith(b"STATUS ")))[2]
        values = {said[i]: int(said[i + 1]) for i in range(0, len(said), 2)}
        want("STATUS", values, values[b"UNSEEN"] <= values[b"MESSAGES"] < values[b"UIDNEXT"])
        other.same(0, b"UIDVALIDITY", b"%d" % values[b"UIDVALIDITY"])

    def verify(self):
        """Whatever was acknowledged before NOOP is seen after it."""
        folder = self.view.folder
        with folder.lock:
            before = {k: tuple(e) for k, e in folder.owned.items() if e[1] % 2 == 0}
        self.do(b"NOOP")
        got = self.do(b"UID FETCH 1:* (FLAGS)")[0] if self.view.uids else {}
        with folder.lock:
            for (uid, keyword), e in before.items():
                if uid in got and b"FLAGS" in got[uid] and tuple(folder.owned[uid, keyword]) == e:
                    want("%r of UID %d" % (keyword, uid), (e, got[uid]), (keyword in got[uid][b"FLAGS"]) == e[0])

    def both(self):
        """Two commands in one packet."""
        uids = self.some(3)
        if not uids:
            return
        a, b = self.c.tag(), self.c.tag()
        self.last.append(b"two")
        self.c.send(b"%s FETCH %s (UID FLAGS)\r\n%s UID FETCH %s (UID RFC822.SIZE)\r\n" % (
            a, ranges(sorted(self.view.uids.index(u) + 1 for u in uids)), b, ranges(uids)))
        for tag, name in ((a, b"FETCH"), (b, b"UID FETCH")):
            untagged, reply = self.c.answer(tag)
            want("two", reply, reply is not None and reply.startswith((b"OK", b"NO")))
            self.said(untagged, name)

    def leave(self):
        how = self.rng.choice((b"CLOSE", b"UNSELECT", b"LOGOUT", b"SELECT", b""))
        if how in (b"CLOSE", b"UNSELECT"):
            self.c.ok(how)      # CLOSE says nothing of what it removes
        elif how == b"LOGOUT":
            self.c.command(b"LOGOUT")
        if how in (b"LOGOUT", b""):
            self.c.close()
            self.c = None
        self.view = None


def settled(clients, folders):
    """Nobody changes anything any more: after NOOP each knows what there is."""
    for client in clients:
        if client.c is None:
            client.login()
        if client.view is None:
            client.select()
    for client in clients:
        client.do(b"NOOP")
        client.learn()
        client.do(b"NOOP")
        view = client.view
        believed = {u: set(view.flags[u]) for u in view.uids}
        client.learn(True)
        for uid in view.uids:
            want("client %d, flags of UID %d in %s" % (client.number, uid, view.folder.name),
                 (believed[uid], view.flags[uid]), believed[uid] == view.flags[uid])
    for folder in folders:
        seen = [(c.view.uids, c.view.flags) for c in clients if c.view.folder is folder]
        for uids, flags in seen:
            want("all agree on " + folder.name, (seen[0][0], uids), (uids, flags) == seen[0])
            missing = folder.live - folder.doomed - set(uids)
            want("there", missing, not missing)
        # but for what a COPY that went wrong took back
        odd = folder.gone - folder.doomed
        want("gone from %s, and nobody removed it; %d taken back" % (folder.name, folder.returned), odd,
             len(odd) <= folder.returned)


def stress(tap, base, user, seconds, seed):
    folders = [Folder("INBOX"), Folder("Other")]
    with Imap(base, user) as c:
        c.command(b"CREATE Other")
    until = time.monotonic() + seconds
    clients = [Client(base, user, n, folders, seed + n, until) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(seconds + 240)
    for client in clients:
        tap.say("client %d%s" % (client.number, " by QRESYNC" if client.qresync else ""),
                client.wrong or (None if not client.is_alive() else "it hangs after %r" % client.last[-3:]))
    print("# %d commands" % sum(c.commands for c in clients))
    if not any(c.wrong for c in clients):
        tap.run("in the end", settled, clients, folders)


def main():
    tap = Tap()
    seed = int(os.environ.get("PH_SEED") or (random.randrange(1 << 31) if LONG else 1))
    seconds = int(os.environ.get("PH_ROUNDS") or (300 if LONG else 10))
    print("# seed %d (PH_SEED=%d repeats it)" % (seed, seed))
    with Stage("auth.delay 0\nimap.user-connections 100\n") as st:
        stress(tap, st.base, "alice", seconds, seed)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
