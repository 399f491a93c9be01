"""IMAP with clients that nobody here wrote (mbsync, offlineimap, mutt, neomutt,
curl, fetchmail, getmail, imaplib, Mail::IMAPClient, imapflow): they log in, list,
fetch, append, flag, move, search, wait for what comes, and see what another
client has changed meanwhile. TAP on standard output."""
import glob
import imaplib
import os
import shutil
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from clients import Home, emptied, run  # noqa: E402
from e2e import ADDR, BUILD, ROOT, Skip, Stage, Tap, Wrong, want  # noqa: E402
from imap import Imap  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def content(n, body="hello\n"):
    return ("From: Ann Example <ann@client.test>\nTo: alice@example.test\nSubject: number %d\nMessage-ID: <%d@client.test>\n"
            "Date: Tue, 24 Nov 2026 06:55:%02d +0100\n\n%s" % (n, n, n % 60, body)).encode()


def fill(st, user, n=5):
    """Nothing but so many messages in the inbox, as they lie there."""
    box = emptied(st, user)
    owner = os.stat(box)
    stored = []
    for i in range(1, n + 1):
        data = content(i, ("line of %d\n" % i) * (i * 40))
        path = os.path.join(box, "cur", "%d.M%dP1.test:2," % (1000 + i, i))
        with open(path, "wb") as f:
            f.write(data)
        os.chown(path, owner.st_uid, owner.st_gid)
        stored.append(data)
    return stored


def files(directory):
    """{subject: flags} of a Maildir of a client's."""
    out = {}
    for path in glob.glob(os.path.join(directory, "cur", "*")) + glob.glob(os.path.join(directory, "new", "*")):
        with open(path, "rb") as f:
            subject = next(l for l in f if l.startswith(b"Subject: "))[9:].strip().decode()
        out[subject] = path.split(":2,")[1] if ":2," in path else ""
    return out


def flags(st, user, mailbox=b"INBOX"):
    """{subject: the flags that IMAP says}."""
    out = {}
    with Imap(st, user) as c:
        c.ok(b"EXAMINE " + mailbox)
        for r in c.ok(b"UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[0]:
            if b" FETCH " in r:
                subject = r.split(b"Subject: ")[1].split(b"\r\n")[0].decode()
                out[subject] = set(r.split(b"FLAGS (")[1].split(b")")[0].decode().split()) - {"\\Recent"}
        c.logout()
    return out


def by_mbsync(st):
    fill(st, "alice", 8)
    with Home() as h:
        local = os.path.join(h.dir, "local")
        os.mkdir(local)
        rc = h.write("rc", "IMAPAccount a\nHost %s\nPort %d\nUser alice\nPass secret\nSSLType None\nAuthMechs LOGIN\n\n"
                     "IMAPStore far\nAccount a\n\nMaildirStore near\nPath %s/\nInbox %s/INBOX\nSubFolders Verbatim\n\n"
                     "Channel c\nFar :far:\nNear :near:\nPatterns *\nSync All\nCreate Both\nExpunge Both\nSyncState *\n"
                     % (ADDR, st.base + 143, local, local))

        def sync():
            run(h.dir, "mbsync", "-c", rc, "c")
        sync()
        got = files(local + "/INBOX")
        want("all of them", got, set(got) == {"number %d" % n for n in range(1, 9)})
        with Imap(st, "alice") as c:        # the other client
            c.ok(b"CREATE Work")
            c.ok(b"SELECT INBOX")
            c.ok(b"STORE 2 +FLAGS (\\Flagged \\Seen)")
            c.ok(b"STORE 3 +FLAGS (\\Deleted)")
            c.ok(b"EXPUNGE")
            c.append(b"Work", content(20).replace(b"\n", b"\r\n"))
            c.logout()
        # and this one
        path = next(p for p in glob.glob(local + "/INBOX/*/*") if b"Subject: number 5\n" in open(p, "rb").read())
        os.rename(path, os.path.join(local, "INBOX", "cur", os.path.basename(path).split(":2,")[0] + ":2,RS"))
        path = next(p for p in glob.glob(local + "/INBOX/*/*") if b"Subject: number 6\n" in open(p, "rb").read())
        os.unlink(path)
        with open(os.path.join(local, "INBOX", "new", "1.test.new"), "wb") as f:
            f.write(content(21))
        sync()
        got = files(local + "/INBOX")
        want("after both changed", got, set(got) == {"number %d" % n for n in (1, 2, 4, 5, 7, 8, 21)})
        want("flags came", got, set(got["number 2"]) >= set("FS"))
        want("a folder came", None, files(local + "/Work").keys() == {"number 20"})
        there = flags(st, "alice")
        want("the same there", there, there.keys() == got.keys() and
             there["number 5"] == {"\\Answered", "\\Seen"} and there["number 2"] == {"\\Flagged", "\\Seen"})
        sync()
        want("nothing more to do", None, files(local + "/INBOX") == got)


def by_offlineimap(st):
    fill(st, "bob", 6)
    with Home() as h:
        rc = h.write("rc", "[general]\naccounts = a\nui = quiet\nmetadata = %s/meta\n[Account a]\nlocalrepository = l\n"
                     "remoterepository = r\n[Repository l]\ntype = Maildir\nlocalfolders = %s/local\n[Repository r]\n"
                     "type = IMAP\nremotehost = %s\nremoteport = %d\nremoteuser = bob\nremotepass = secret\nssl = no\n"
                     "starttls = no\nauth_mechanisms = LOGIN\n" % (h.dir, h.dir, ADDR, st.base + 143))
        os.mkdir(os.path.join(h.dir, "local"))

        def sync():
            run(h.dir, "offlineimap", "-c", rc, "-o", timeout=240)
        sync()
        inbox = os.path.join(h.dir, "local", "INBOX")
        want("all of them", None, files(inbox).keys() == {"number %d" % n for n in range(1, 7)})
        with Imap(st, "bob") as c:
            c.ok(b"SELECT INBOX")
            c.ok(b"STORE 1 +FLAGS (\\Flagged)")
            c.ok(b"STORE 2 +FLAGS (\\Deleted)")
            c.ok(b"EXPUNGE")
            c.logout()
        with open(os.path.join(inbox, "new", "1.test.new"), "wb") as f:
            f.write(content(31))
        sync()
        got = files(inbox)
        want("after both changed", got, got.keys() == {"number %d" % n for n in (1, 3, 4, 5, 6, 31)} and
             "F" in got["number 1"])
        want("the same there", None, flags(st, "bob").keys() == got.keys())


def by_mutt(st, name):
    fill(st, "carol", 4)
    with Imap(st, "carol") as c:
        c.ok(b"CREATE Saved")
        c.logout()
    with Home() as h:
        rc = h.write("rc", "set folder='imap://carol:secret@%s:%d/'\nset spoolfile='+INBOX'\nset ssl_starttls=no\n"
                     "set ssl_force_tls=no\nset imap_authenticators='login'\nset imap_user=carol\nset imap_pass=secret\nset header_cache=''\nset confirmappend=no\n"
                     "set mark_old=no\nset delete=yes\nset move=no\nset mbox_type=Maildir\nset sort=date\n"
                     "set wait_key=no\nunset help\nset imap_check_subscribed=no\n" % (ADDR, st.base + 143))

        def keys(*words):
            run(h.dir, "script", "-q", "-e", "-c", "%s -n -F %s -e 'push \"%s\"'" % (name, rc, "".join(words)),
                os.path.join(h.dir, "typescript"), data=b"", timeout=120)
        if not shutil.which(name):
            raise Skip("no %s here" % name)
        os.environ.setdefault("TERM", "vt100")
        keys("<search>~snumber.1<enter><flag-message>",
             "<search>~snumber.2<enter><delete-message><search>~snumber.3<enter><save-message>=Saved<enter>",
             "<quit>")
        got = flags(st, "carol")
        want("flagged, deleted and saved", got, got.keys() == {"number 1", "number 4"} and
             "\\Flagged" in got["number 1"])
        want("saved", None, flags(st, "carol", b"Saved").keys() == {"number 3"})
        data = os.path.join(h.dir, "mbox")
        keys("<search>~snumber.4<enter><copy-message>%s<enter>y<quit>" % data)
        want("copied here", None, files(data).keys() == {"number 4"})


def by_curl(st):
    stored = fill(st, "alice", 3)
    with Home() as h:
        def curl(path="", *more, scheme="imap", port=143):
            return run(h.dir, "curl", "-sS", "-k", "-u", "alice:secret", "%s://%s:%d/%s" % (scheme, ADDR, st.base + port,
                                                                                          path), *more)
        want("LIST", None, b'INBOX' in curl())
        for n in range(3):
            want("FETCH", n, curl("INBOX;MAILINDEX=%d" % (n + 1)).replace(b"\r\n", b"\n") == stored[n])
            want("over TLS", n, curl("INBOX;MAILINDEX=%d" % (n + 1), scheme="imaps", port=993).replace(b"\r\n", b"\n") ==
                 stored[n])
        want("SEARCH", None, curl("INBOX?SUBJECT%20number%202").split() == [b"*", b"SEARCH", b"2"])
        h.write("m", content(9).decode().replace("\n", "\r\n"))
        curl("INBOX", "-T", os.path.join(h.dir, "m"))
        curl("INBOX", "-X", "STORE 4 +FLAGS (\\Flagged)")
        want("appended and flagged", None, "\\Flagged" in flags(st, "alice")["number 9"])
        curl("INBOX", "-X", "EXAMINE INBOX")


def by_fetchmail(st):
    fill(st, "bob", 3)
    with Home() as h:
        h.write("mda", "#!/bin/sh\ncat >%s/Maildir/new/$$\n" % h.dir)
        os.chmod(os.path.join(h.dir, "mda"), 0o700)
        rc = h.write(".fetchmailrc", 'poll "%s" service %d protocol imap auth password username "bob" password "secret" '
                     'sslproto "" no rewrite mda "%s/mda"\n' % (ADDR, st.base + 143, h.dir))
        args = ["fetchmail", "-f", rc, "--invisible", "--norewrite", "--pidfile", h.dir + "/pid", "-i", h.dir + "/ids"]
        run(h.dir, *args, "--keep")
        want("all of them", None, files(h.dir + "/Maildir").keys() == {"number %d" % n for n in (1, 2, 3)})
        run(h.dir, *args, "--keep", ok=(1,))        # 1: no new mail
        run(h.dir, *args, "--all", "--nokeep")
    want("nothing left", None, not flags(st, "bob"))


def by_getmail(st):
    fill(st, "bob", 3)
    with Home() as h:
        h.write("getmailrc", "[retriever]\ntype = SimpleIMAPRetriever\nserver = %s\nport = %d\nusername = bob\n"
                "password = secret\nmailboxes = ('INBOX',)\n[destination]\ntype = Maildir\npath = %s\n[options]\n"
                "delete = false\nread_all = false\ndelivered_to = false\nreceived = false\n" % (
                    ADDR, st.base + 143, h.dir + "/Maildir/" + ("\nuser = nobody" if ROOT else "")))
        if ROOT:
            os.chmod(h.dir, 0o755)
            for d in (h.dir + "/Maildir", *glob.glob(h.dir + "/Maildir/*")):
                shutil.chown(d, "nobody", "nogroup")
        args = ("getmail", "--getmaildir=" + h.dir, "--rcfile=getmailrc")

        def get():
            for last in (False, False, True):   # it waits for ever for a child that has ended, once in a while
                try:
                    return run(h.dir, *args, timeout=40)
                except subprocess.TimeoutExpired:
                    if last:
                        raise
        get()
        want("all of them", None, files(h.dir + "/Maildir").keys() == {"number %d" % n for n in (1, 2, 3)})
        get()
        want("nothing twice", None, len(glob.glob(h.dir + "/Maildir/*/*")) == 3)


class Library(imaplib.IMAP4):
    class error(Wrong):     # what it raises
        pass

    class abort(error):
        pass

    class readonly(abort):
        pass


def by_imaplib(st):
    stored = fill(st, "carol", 4)

    def ok(answer):
        want("OK", answer, answer[0] == "OK")
        return answer[1]
    with Library(ADDR, st.base + 143) as m:
        m.starttls(__import__("secure").context())
        ok(m.login("carol", "secret"))
        want("capabilities", m.capabilities, "IMAP4REV1" in m.capabilities)
        ok(m.select())
        for n in range(4):
            data = ok(m.fetch(str(n + 1), "(RFC822)"))[0][1]
            want("FETCH", n, data.replace(b"\r\n", b"\n") == stored[n])
        want("SEARCH", None, ok(m.search(None, "SUBJECT", '"number 3"')) == [b"3"])
        ok(m.store("1", "+FLAGS", r"(\Flagged $Important)"))
        ok(m.create("Archive.2026"))
        ok(m.append("Archive.2026", r"(\Seen)", imaplib.Time2Internaldate(1700000000), content(8)))
        names = b" ".join(ok(m.list()))
        want("LIST", names, b"Archive.2026" in names and b"INBOX" in names)
        ok(m.subscribe("Archive.2026"))
        ok(m.copy("1:2", "Archive.2026"))
        ok(m.store("1", "+FLAGS", r"\Deleted"))
        want("EXPUNGE", None, ok(m.expunge()) == [b"1"])
        want("STATUS", None, b"MESSAGES 3" in ok(m.status("Archive.2026", "(MESSAGES UNSEEN)"))[0])
        ok(m.uid("SEARCH", None, "UNSEEN"))
        ok(m.rename("Archive.2026", "Archive.old"))
        ok(m.close())
        ok(m.delete("Archive.old"))


PERL = r"""
use strict; use warnings; use Mail::IMAPClient;
my ($host, $port) = @ARGV;
my $c = Mail::IMAPClient->new(Server => $host, Port => $port, User => 'alice', Password => 'secret', Uid => 1)
    or die "login: $@";
my %f = map { $_ => 1 } $c->folders or die "folders: " . $c->LastError;
$f{INBOX} or die "no INBOX";
$c->create('Perl') or die "create: " . $c->LastError;
$c->select('INBOX') or die "select: " . $c->LastError;
my @all = $c->messages or die "messages: " . $c->LastError;
@all == 4 or die "not 4: @all";
my @hit = $c->search('SUBJECT "number 2"') or die "search: " . $c->LastError;
@hit == 1 or die "hits: @hit";
$c->subject($hit[0]) eq 'number 2' or die "subject";
length($c->message_string($hit[0])) == $c->size($hit[0]) or die "size";
$c->set_flag('Flagged', $hit[0]) or die "flag: " . $c->LastError;
$c->move('Perl', $hit[0]) or die "move: " . $c->LastError;
$c->expunge;
$c->append_string('Perl', "Subject: number 77\r\n\r\nx\r\n", '\Seen') or die "append: " . $c->LastError;
$c->select('Perl') or die;
my @in = $c->messages;
@in == 2 or die "in Perl: @in";
my $tag = $c->idle or die "idle: " . $c->LastError;
$c->done($tag) or die "done: " . $c->LastError;
$c->logout or die "logout";
print "good\n";
"""


def by_perl(st):
    if subprocess.run(["perl", "-MMail::IMAPClient", "-e", "1"], stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("no Mail::IMAPClient here")
    fill(st, "alice", 4)
    with Home() as h:
        out = run(h.dir, "perl", h.write("t.pl", PERL), ADDR, str(st.base + 143))
        want("good", out, out.endswith(b"good\n"))
    want("moved", None, flags(st, "alice", b"Perl").keys() == {"number 2", "number 77"})


NODE = r"""
const { ImapFlow } = require('imapflow');
const [host, port, tls] = [process.argv[2], +process.argv[3], process.argv[4] === 'tls'];
const must = (ok, what) => { if (!ok) throw new Error(what); };
const options = { host, port, secure: tls, auth: { user: 'bob', pass: 'secret' }, logger: false, qresync: true,
                  tls: { rejectUnauthorized: false } };
const flat = set => [...set].sort().join();

async function reads(c) {
  const seen = [];
  for await (const m of c.fetch('1:*', { envelope: true, bodyStructure: true, flags: true, size: true, uid: true,
                                         source: true, internalDate: true, headers: ['subject'], bodyParts: ['1'],
                                         threadId: true })) {
    seen.push(m.seq);
    must(m.envelope.subject === 'number ' + m.seq, 'subject ' + m.envelope.subject);
    must(m.envelope.from[0].address === 'ann@client.test' && m.envelope.from[0].name === 'Ann Example', 'from');
    must(m.envelope.messageId === '<' + m.seq + '@client.test>', 'message-id');
    must(m.envelope.date.toISOString() === '2026-11-24T05:55:0' + m.seq + '.000Z', 'date');
    must(m.source.length === m.size, 'size');
    must(m.bodyStructure.type === 'text/plain', 'structure');
    must(m.headers.toString().startsWith('Subject: number ' + m.seq), 'header');
    must(m.source.toString().endsWith(m.bodyParts.get('1').toString()), 'part');
    must(m.emailId, 'email id');
  }
  must(seen.join() === '1,2,3,4,5', 'fetched ' + seen);
  const one = await c.fetchOne('3', { uid: true, flags: true });
  const { content } = await c.download(one.uid, '1', { uid: true });
  let text = '';
  for await (const piece of content) text += piece;
  must(text.trimEnd().split('\n').length === 120, 'download ' + text.length);
}

async function searches(c) {
  const finds = async (q, what) => must((await c.search(q)).join() === what, JSON.stringify(q) + ': ' + await c.search(q));
  await finds({ subject: 'number 3' }, '3');
  await finds({ or: [{ subject: 'number 1' }, { subject: 'number 5' }] }, '1,5');
  await finds({ not: { subject: 'number 3' }, seq: '2:4' }, '2,4');
  await finds({ from: 'ann@client.test', body: 'line of 2' }, '2');
  await finds({ header: { 'Message-ID': '<4@client.test>' } }, '4');
  await finds({ sentSince: new Date('2026-11-24'), sentBefore: new Date('2026-11-25') }, '1,2,3,4,5');
  await finds({ flagged: true }, '');
  await finds({ larger: 1000000 }, '');
}

async function changes(c, sub) {
  const at = c.mailbox.highestModseq;
  await c.messageFlagsAdd('1', ['\\Flagged', '$Label1']);
  await c.messageFlagsSet('2', ['\\Seen', '\\Draft']);
  await c.messageFlagsRemove('2', ['\\Draft']);
  const changed = [];
  for await (const m of c.fetch('1:*', { flags: true }, { changedSince: at })) changed.push(m.seq + ':' + flat(m.flags));
  must(changed.join(' ') === '1:$Label1,\\Flagged 2:\\Seen', 'changed since: ' + changed);
  const copied = await c.messageCopy('1:2', sub);
  must(copied.uidMap.size === 2 && copied.destination === sub, 'copied');
  const moved = await c.messageMove('2', sub);
  must([...moved.uidMap.values()].join() === '3', 'moved');
  const put = await c.append(sub, 'Subject: number 88\r\n\r\nx\r\n', ['\\Seen'], new Date('2020-02-03T04:05:06Z'));
  must(put.uid === 4, 'appended ' + put.uid);
  must(await c.messageDelete('2'), 'deleted');
  must(c.mailbox.exists === 3, 'left ' + c.mailbox.exists);
  const s = await c.status(sub, { messages: true, unseen: true, uidNext: true, uidValidity: true, highestModseq: true });
  must(s.messages === 4 && s.unseen === 1 && s.uidNext === 5 && s.highestModseq > 0n, 'status ' + s.messages + ' ' + s.unseen + ' ' + s.uidNext);
}

async function waits(c) {
  const told = new Promise(done => {
    const have = {};
    const take = (name, value) => {
      have[name] = value;
      console.log('heard ' + name);
      if (have.exists && have.flags && have.expunge) done(have);
    };
    c.on('exists', e => take('exists', e));
    // those of the one that is removed may come, too, before it is
    c.on('flags', e => e.flags.has('\\Answered') && take('flags', e));
    c.on('expunge', e => take('expunge', e));
  });
  c.idle();
  console.log('idle');
  const have = await told;
  must(have.exists.count === 4, 'count ' + have.exists.count);
  must(have.flags.uid === 1, 'flags ' + have.flags.uid);
  must(have.expunge.vanished && have.expunge.uid === 5, 'expunge ' + JSON.stringify(have.expunge));
}

async function mailboxes(c, sub) {
  must(c.namespace.delimiter === '.', 'namespace');
  await c.mailboxCreate([sub, 'Ünïcode']);
  await c.mailboxSubscribe(sub);
  await c.mailboxRename(sub + '.Ünïcode', sub + '.日本');
  const list = await c.list({ statusQuery: { messages: true } });
  must(list.map(x => x.path).sort().join() === [sub, sub + '.日本', 'INBOX'].join(), 'list ' + list.map(x => x.path));
  must(list.find(x => x.path === sub).subscribed && list.find(x => x.path === sub).status.messages === 0, 'status');
  await c.mailboxDelete(sub + '.日本');
}

(async () => {
  const sub = 'Flow' + (tls ? 'S' : '');
  let c = new ImapFlow(options);
  await c.connect();
  must(c.serverInfo && c.capabilities.has('IDLE') && c.enabled.has('QRESYNC'), 'enabled ' + flat(c.enabled));
  await c.mailboxCreate(sub);
  await mailboxes(c, sub);
  const lock = await c.getMailboxLock('INBOX');
  must(c.mailbox.exists === 5, 'exists ' + c.mailbox.exists);
  await reads(c);
  await searches(c);
  await changes(c, sub);
  await waits(c);
  lock.release();
  await c.noop();
  await c.mailboxClose();
  await c.logout();
  c = new ImapFlow(options);
  await c.connect();
  const again = await c.getMailboxLock('INBOX', { readOnly: true });
  must(c.mailbox.readOnly && c.mailbox.exists === 3, 'again ' + c.mailbox.exists);
  again.release();
  await c.mailboxDelete(sub);
  await c.logout();
  console.log('good');
})().catch(e => { console.log('wrong: ' + e.stack + ' ' + (e.responseText || '')); process.exit(1); });
"""


def by_imapflow(st, tls):
    """tests/imapflow has put it into the build directory; nothing is fetched here."""
    if not shutil.which("node"):
        raise Skip("no node here")
    os.environ.setdefault("NODE_PATH", os.path.join(os.path.abspath(BUILD), "node", "node_modules"))
    if subprocess.run(["node", "-e", "require('imapflow')"], stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("no imapflow here: tests/imapflow installs it")
    fill(st, "bob", 5)
    with Home() as h:
        p = subprocess.Popen(["node", h.write("t.js", NODE), ADDR, str(st.base + (993 if tls else 143)),
                              "tls" if tls else "plain"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        killer = threading.Timer(150, p.kill)
        killer.start()
        try:
            def says(line):
                said = p.stdout.readline()
                want(line, said + (b"" if said == line + b"\n" else p.stdout.read()), said == line + b"\n")
            says(b"idle")
            time.sleep(0.3)
            with Imap(st, "bob") as c:
                c.append(b"INBOX", content(6).replace(b"\n", b"\r\n"))
                says(b"heard exists")       # while there are four
                c.ok(b"SELECT INBOX")
                c.ok(b"STORE 1 +FLAGS (\\Answered)")
                says(b"heard flags")
                c.ok(b"STORE 3 +FLAGS.SILENT (\\Deleted)")
                c.ok(b"EXPUNGE")
                says(b"heard expunge")
            rest = p.stdout.read()
            want("good", rest, rest == b"good\n" and p.wait() == 0)
        finally:
            killer.cancel()
            p.kill()
            p.wait()
    got = flags(st, "bob")
    want("what is left", got, got.keys() == {"number 1", "number 4", "number 6"})
    want("flags", got, {"\\Flagged", "$Label1", "\\Answered"} <= got["number 1"])


def main():
    tap = Tap()
    with Stage("auth.delay 0\n") as st:
        for name, test, more in (("curl", by_curl, ()), ("imaplib", by_imaplib, ()), ("mbsync", by_mbsync, ()),
                                 ("offlineimap", by_offlineimap, ()), ("mutt", by_mutt, ("mutt",)),
                                 ("neomutt", by_mutt, ("neomutt",)), ("fetchmail", by_fetchmail, ()),
                                 ("getmail", by_getmail, ()), ("Mail::IMAPClient", by_perl, ()),
                                 ("imapflow", by_imapflow, (False,)), ("imapflow over TLS", by_imapflow, (True,))):
            tap.run(name, test, st, *more)
    return tap.end()


sys.exit(main())
