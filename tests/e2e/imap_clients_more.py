"""IMAP with more clients that nobody here wrote, each strict about something:
interimap (QRESYNC, and what Dovecot says to the same), imapfilter, PHP's c-client,
fdm. TAP on standard output."""
import glob
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import dovecot  # noqa: E402
from clients import Home, emptied, run  # noqa: E402
from e2e import ADDR, Skip, Stage, Tap, Wrong, until, want  # noqa: E402
from imap import Imap  # noqa: E402


def content(n):
    return ("From: Ann Example <ann@client.test>\r\nTo: alice@example.test\r\nSubject: number %d\r\n"
            "Message-ID: <%d@client.test>\r\nDate: Tue, 24 Nov 2026 06:55:%02d +0100\r\n\r\n%s" % (
                n, n, n % 60, "line\r\n" * n)).encode()


def state(c, mailbox):
    """{subject: (flags, date)}."""
    out = {}
    c.ok(b"SELECT " + mailbox)
    for r in c.ok(b"UID FETCH 1:* (FLAGS INTERNALDATE BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[0]:
        if b" FETCH " in r:
            subject = r.split(b"Subject: ")[1].split(b"\r\n")[0].decode()
            out[subject] = (set(r.split(b"FLAGS (")[1].split(b")")[0].split()) - {b"\\Recent"},
                            r.split(b'INTERNALDATE "')[1].split(b'"')[0])
    return out


def changed_here_and_there(a, b):
    a.ok(b"SELECT INBOX")
    a.ok(b"STORE 1 +FLAGS (\\Answered $x)")
    a.ok(b"STORE 2 +FLAGS (\\Deleted)")
    a.ok(b"EXPUNGE")
    b.ok(b"SELECT INBOX")
    b.ok(b"STORE 3 +FLAGS (\\Flagged)")
    b.ok(b"STORE 4 +FLAGS (\\Deleted)")
    b.ok(b"EXPUNGE")
    a.append(b"Work", content(30))
    b.append(b"INBOX", content(31))
    a.ok(b"CREATE New.Sub")
    a.append(b"New.Sub", content(33))
    b.ok(b"SELECT Work")
    b.ok(b"MOVE 1 INBOX")


def filled(a, b):
    for n in range(5):
        a.append(b"INBOX", content(n), b"(\\Seen)" if n % 2 else b"", b"24-Nov-2026 06:55:%02d +0100" % n)
    b.ok(b"CREATE Work")
    b.ok(b"SUBSCRIBE Work")
    for n in range(5, 9):
        b.append(b"Work", content(n), b"($Label1 \\Flagged)" if n % 2 else b"")
    a.ok(b'CREATE "Entw&APw-rfe"')
    a.append(b'"Entw&APw-rfe"', content(20))


def synced(st, port):
    """alice's mailbox here, bob's on that port: ours again, or Dovecot's."""
    def two(user, base):
        def attempt():
            try:
                return Imap(base, user)
            except (OSError, Wrong):
                return None
        return until("a login of " + user, attempt, 120)
    emptied(st, "alice")
    emptied(st, "bob")
    with Home() as h, two("alice", st.base) as a, two("bob", port - 143) as b:
        server = "type = imap\nhost = %s\nport = %d\nusername = %s\npassword = secret\nSTARTTLS = NO\nauth = PLAIN\n"
        conf = h.write("conf", "database = %s/db\nlist-mailbox = \"*\"\n[local]\n%s[remote]\n%s" % (
            h.dir, server % (ADDR, st.base + 143, "alice"), server % (ADDR, port, "bob")))

        def interimap(*args):
            return run(h.dir, "interimap", "--config=" + conf, *args)

        def same(*mailboxes):
            for name in mailboxes:
                here, there = state(a, name), state(b, name)
                want("the same in %r" % name, (here, there), here == there)
        filled(a, b)
        interimap()
        same(b"INBOX", b"Work", b'"Entw&APw-rfe"')
        changed_here_and_there(a, b)
        interimap()
        same(b"INBOX", b"Work", b"New.Sub")
        want("all of them", None, state(a, b"INBOX").keys() == {"number %d" % n for n in (0, 2, 4, 5, 31)})
        said = interimap()
        want("nothing more to do", said, b"Added" not in said and b"Updated" not in said and b"Removed" not in said)
        said = interimap("--repair")
        want("nothing to repair", said, b"WARNING" not in said)
        interimap("--rename", "Work", "Job")
        interimap()
        same(b"Job")
        interimap("--delete", "New.Sub")
        for c in (a, b):
            names = b" ".join(c.ok(b'LIST "" *')[0])
            want("deleted", names, b"New.Sub" not in names and b"Job" in names)


def by_interimap(st):
    if not shutil.which("interimap"):
        raise Skip("no interimap here")
    synced(st, st.base + 143)


def by_interimap_with_dovecot(st):
    if not shutil.which("interimap"):
        raise Skip("no interimap here")
    emptied(st, "bob")
    with dovecot.Dovecot(st, "imap", os.stat(os.path.join(st.dir, "mail", "bob")).st_uid) as d:
        synced(st, d.port)


LUA = """
options.timeout = 60
options.starttls = false
options.create = true
options.subscribe = true
options.info = false
a = IMAP { server = '%s', port = %d, username = 'carol', password = 'secret' }
mailboxes, folders = a:list_all()
assert(#mailboxes == 1, 'mailboxes')
exist, unread, unseen, uidnext = a.INBOX:check_status()
assert(exist == 6 and unseen == 6 and uidnext == 7, 'status')
assert(#(a.INBOX:contain_subject('number 3')) == 1, 'subject')
assert(#(a.INBOX:is_unseen() * a.INBOX:is_larger(150)) > 0, 'larger')
assert(#(a.INBOX:contain_from('ann@client.test') - a.INBOX:contain_body('line')) == 1, 'body')
assert(#(a.INBOX:match_subject('^number [12]')) == 2, 'regular expression')
a.INBOX:contain_subject('number 1'):mark_flagged()
a.INBOX:contain_subject('number 2'):add_flags({ '$Label1', '\\\\Seen' })
a.INBOX:contain_subject('number 3'):move_messages(a['Saved.Deep'])
a.INBOX:contain_subject('number 4'):copy_messages(a['Saved'])
a.INBOX:contain_subject('number 5'):delete_messages()
assert(#(a.INBOX:has_flag('$Label1')) == 1, 'keyword')
for _, message in ipairs(a.INBOX:contain_subject('number 2')) do
	mailbox, uid = table.unpack(message)
	assert(mailbox[uid]:fetch_size() == #mailbox[uid]:fetch_message(), 'size')
	assert(mailbox[uid]:fetch_field('subject') == 'Subject: number 2', 'field')
end
a:rename_mailbox('Saved.Deep', 'Kept')
exist = a.Kept:check_status()
assert(exist == 1, 'kept')
"""


def by_imapfilter(st):
    emptied(st, "carol")
    with Imap(st, "carol") as c:
        for n in range(6):
            c.append(b"INBOX", content(n))
        with Home() as h:
            run(h.dir, "imapfilter", "-c", h.write("config.lua", LUA % (ADDR, st.base + 143)))
        got = state(c, b"INBOX")
        want("left", got, got.keys() == {"number %d" % n for n in (0, 1, 2, 4)})
        want("flags", got, got["number 1"][0] == {b"\\Flagged"} and {b"$Label1", b"\\Seen"} == got["number 2"][0])
        want("copied", None, state(c, b"Saved").keys() == {"number 4"})
        want("moved", None, state(c, b"Kept").keys() == {"number 3"})


PHP = r"""<?php
error_reporting(E_ALL);
set_error_handler(function ($no, $text, $file, $line) { throw new Exception("$text, line $line"); });
function must($ok, $what) { if (!$ok) throw new Exception("$what: " . imap_last_error()); }
[$host, $port, $tls] = [$argv[1], $argv[2], $argv[3] === 'tls' ? '/ssl/novalidate-cert' : '/notls'];
$ref = '{' . "$host:$port/imap$tls}";
$c = imap_open($ref . 'INBOX', 'carol', 'secret');
must($c, 'open');
$said = imap_errors();     // it warns of AUTH=PLAIN without TLS
must($said === false || $tls === '/notls', 'errors of the login');
must(imap_num_msg($c) === 5 && imap_num_recent($c) === 5, 'count');
foreach (imap_fetch_overview($c, '1:5') as $i => $o) {
    must($o->subject === "number $i" && $o->uid === $i + 1 && !$o->seen, 'overview');
    $whole = imap_fetchheader($c, $i + 1) . imap_body($c, $i + 1, FT_PEEK);
    must(strlen($whole) === $o->size, 'size');
}
$s = imap_fetchstructure($c, 5);
must($s->type === 0 && $s->subtype === 'PLAIN' && $s->lines === 4, 'structure');
must(imap_search($c, 'SUBJECT "number 3"') === [4], 'search');
must(imap_search($c, 'UNSEEN SINCE "1-Jan-2026"', SE_UID) === [1, 2, 3, 4, 5], 'uid search');
must(imap_sort($c, SORTSIZE, true) === [5, 4, 3, 2, 1], 'sort');
must(count(imap_thread($c)) > 0, 'thread');
must(imap_createmailbox($c, $ref . 'Php'), 'create');
must(imap_createmailbox($c, $ref . 'Entw&APw-rfe'), 'create');
must(imap_subscribe($c, $ref . 'Php'), 'subscribe');
$names = imap_list($c, $ref, '*');
sort($names);
must($names === [$ref . 'Entw&APw-rfe', $ref . 'INBOX', $ref . 'Php'], 'list');
must(imap_lsub($c, $ref, '*') === [$ref . 'Php'], 'lsub');
must(imap_setflag_full($c, '1,2', '\\Seen \\Flagged'), 'flag');
must(imap_clearflag_full($c, '2', '\\Flagged', ST_UID), 'clear');
must(imap_mail_copy($c, '1:2', 'Php'), 'copy');
must(imap_mail_move($c, '3', 'Php', CP_UID), 'move');
must(imap_expunge($c), 'expunge');
must(imap_append($c, $ref . 'Php', "Subject: number 9\r\n\r\nx\r\n", '\\Seen', '24-Nov-2026 06:55:00 +0100'), 'append');
$st = imap_status($c, $ref . 'Php', SA_ALL);
must($st->messages === 4 && $st->unseen === 1, 'status');
must(imap_num_msg($c) === 4, 'left');
must(imap_renamemailbox($c, $ref . 'Php', $ref . 'PhpOld'), 'rename');
must(imap_reopen($c, $ref . 'PhpOld', OP_READONLY), 'reopen');
must(imap_num_msg($c) === 4, 'reopened');
must(imap_check($c)->Nmsgs === 4 && imap_ping($c), 'check');
$q = imap_getacl($c, 'INBOX');
must(is_array($q) && count($q) > 0, 'acl');
must(imap_reopen($c, $ref . 'INBOX'), 'back');
must(imap_deletemailbox($c, $ref . 'PhpOld') && imap_deletemailbox($c, $ref . 'Entw&APw-rfe'), 'delete');
must(imap_gc($c, IMAP_GC_ELT | IMAP_GC_ENV | IMAP_GC_TEXTS), 'gc');
must(imap_errors() === false, 'errors');
must(imap_close($c), 'close');
echo "good\n";
"""


def by_php(st, tls):
    if subprocess.run(["sh", "-c", "php -r 'exit(function_exists(\"imap_open\") ? 0 : 1);'"],
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("no php with imap here")
    emptied(st, "carol")
    with Imap(st, "carol") as c:
        for n in range(5):
            c.append(b"INBOX", content(n))
        with Home() as h:
            out = run(h.dir, "php", h.write("t.php", PHP), ADDR, str(st.base + (993 if tls else 143)), "tls" if tls else "plain")
            want("good", out, out.endswith(b"good\n"))
        got = state(c, b"INBOX")
        want("left", got, got.keys() == {"number %d" % n for n in (0, 1, 3, 4)} and
             got["number 0"][0] == {b"\\Seen", b"\\Flagged"} and got["number 1"][0] == {b"\\Seen"})


def by_fdm(st):
    emptied(st, "carol")
    with Imap(st, "carol") as c:
        for n in range(4):
            c.append(b"INBOX", content(n))
        c.ok(b"SELECT INBOX")
        c.ok(b"STORE 2 +FLAGS (\\Seen)")
    with Home() as h:
        conf = h.write("conf", 'set lock-types none\nset lock-file "%s/lock"\nset maximum-size 1M\n'
                       'action "box" maildir "%s/Maildir"\n'
                       'account "a" imap server "%s" port %d user "carol" pass "secret" folder "INBOX" new-only\n'
                       'match all action "box"\n' % (h.dir, h.dir, ADDR, st.base + 143))
        run(h.dir, "fdm", "-f", conf, "fetch")
        want("the new ones", None, len(glob.glob(h.dir + "/Maildir/new/*")) == 3)
    with Imap(st, "carol") as c:
        want("taken away", None, state(c, b"INBOX").keys() == {"number 1"})


def main():
    tap = Tap()
    with Stage("auth.delay 0\n") as st:
        for name, test, more in (("interimap", by_interimap, ()), ("interimap and Dovecot", by_interimap_with_dovecot, ()),
                                 ("imapfilter", by_imapfilter, ()), ("PHP", by_php, (False,)), ("PHP over TLS", by_php, (True,)),
                                 ("fdm", by_fdm, ())):
            tap.run(name, test, st, *more)
    return tap.end()


sys.exit(main())
