"""IMAP with the libraries that programs of others are made with: Ruby's net-imap, Python's
imap_tools, Perl's Net::IMAP::Simple and Net::IMAP::Client, libmailutils; and the client in
Dovecot (imapc), which takes a mailbox away from here. TAP on standard output."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import dovecot  # noqa: E402
from clients import Home, emptied, run  # noqa: E402
from e2e import ADDR, Skip, Stage, Tap, want  # noqa: E402
from imap import Imap  # noqa: E402

BODY = ("From: =?utf-8?Q?J=C3=B6rg?= <j@client.test>\r\nTo: a@b.test, \"C, D\" <c@d.test>, g: x@y.test;\r\n"
        "Subject: =?utf-8?B?w7Y=?= hello\r\nDate: Tue, 24 Nov 2026 06:55:00 +0100\r\nMessage-ID: <1@client.test>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nh\u00e4llo\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: q@r.test\r\nSubject: inner\r\n\r\nbody\r\n"
        "--b\r\nContent-Type: application/octet-stream; name=\"x y\"\r\nContent-Transfer-Encoding: base64\r\n"
        "Content-Disposition: attachment; filename=\"x y\"\r\nContent-Language: de, en\r\n\r\nAAAA\r\n--b--\r\n")

RUBY = r"""
require "net/imap"
require "timeout"
host, port, tls, file = ARGV[0], ARGV[1].to_i, ARGV[2] == "tls", ARGV[3]
BODY = File.binread(file)
def must(what) raise what unless yield end
def login(host, port, tls)
  c = Net::IMAP.new(host, port: port, ssl: tls ? { verify_mode: 0 } : false)
  c.authenticate("PLAIN", "carol", "secret")
  c
end
Timeout.timeout(110) do
  c = login(host, port, tls)
  sub = "Rb." + Net::IMAP.encode_utf7("Entw\u00fcrfe & \u65e5\u672c")
  c.create("Rb")
  c.create(sub)
  c.subscribe(sub)
  must("list") { c.list("", "*").map(&:name).sort == ["INBOX", "Rb", sub] && c.list("", "")[0].delim == "." }
  must("lsub") { c.lsub("", "*").map(&:name) == [sub] }
  r = c.append("Rb", BODY, [:Seen, "$kw"], Time.at(1_000_000_000))
  must("append") { r.data.code.name == "APPENDUID" }
  big = "Subject: big\r\n\r\n" + ("x" * 998 + "\r\n") * 3000
  c.append("Rb", big, [:Deleted])
  c.append("Rb", "Subject: three\r\n\r\nx\r\n")
  must("status") { c.status("Rb", %w[MESSAGES UIDNEXT UNSEEN]) == { "MESSAGES" => 3, "UIDNEXT" => 4, "UNSEEN" => 2 } }
  c.select("Rb")
  must("select") { c.responses["EXISTS"][-1] == 3 && c.responses["PERMANENTFLAGS"][-1].include?(:*) }
  f = c.fetch(1..-1, "(UID FLAGS ENVELOPE BODYSTRUCTURE BODY INTERNALDATE RFC822.SIZE)")
  a = f[0].attr
  must("fetch") { f.size == 3 && a["ENVELOPE"].from[0].mailbox == "j" && a["ENVELOPE"].to.size == 5 && a["RFC822.SIZE"] == BODY.bytesize }
  must("structure") { b = a["BODYSTRUCTURE"]; b.multipart? && b.parts.map(&:subtype) == %w[PLAIN RFC822 OCTET-STREAM] &&
    b.parts[1].envelope.subject == "inner" && b.parts[2].disposition.param["FILENAME"] == "x y" && b.parts[2].language == %w[DE EN] }
  a = c.fetch(1, ["BODY[]", "BODY[1]", "BODY[2.HEADER]", "BODY[2.1]", "BODY[3.MIME]", "BODY[]<10.20>",
    "BODY[HEADER.FIELDS (SUBJECT)]", "RFC822", "RFC822.HEADER", "RFC822.TEXT"])[0].attr
  must("bodies") { a["BODY[]"] == BODY && a["RFC822.HEADER"] + a["RFC822.TEXT"] == BODY && a["BODY[]<10>"] == BODY.byteslice(10, 20) &&
    a["BODY[2.1]"] == "body" && a["BODY[1]"] == "h\u00e4llo".b && a["BODY[2.HEADER]"] == "From: q@r.test\r\nSubject: inner\r\n\r\n" }
  must("big") { c.fetch(2, "RFC822")[0].attr["RFC822"] == big }
  %w[ALL FULL FAST].each { |m| must(m) { c.fetch(1..3, m).size == 3 } }
  must("store") { c.store(1, "+FLAGS", [:Flagged, "$two"])[0].attr["FLAGS"].include?("$two") && c.store(1, "-FLAGS.SILENT", [:Flagged]).nil? }
  must("search") { c.search(["SUBJECT", "\u00f6".b], "UTF-8") == [1] && c.uid_search(["OR", "FROM", "client", "NOT", "DELETED"]) == [1, 3] &&
    c.search("BODY nothing") == [] }
  must("sort") { c.sort(["REVERSE", "SIZE"], "ALL", "UTF-8") == [2, 1, 3] }
  must("thread") { c.uid_thread("REFERENCES", "ALL", "UTF-8").size == 3 }
  must("copy") { c.copy([1, 3], sub).data.code.name == "COPYUID" }
  begin
    c.copy(1, "Nope")
    raise "copied"
  rescue Net::IMAP::NoResponseError => e
    must("trycreate") { e.response.data.code.name == "TRYCREATE" }
  end
  c.uid_move(3, sub)
  must("moved") { c.status(sub, ["MESSAGES"])["MESSAGES"] == 3 }
  c.responses.delete("EXPUNGE")
  must("expunge") { c.expunge == [2] }
  c.setacl("Rb", "bob", "lr")
  must("acl") { c.getacl("Rb").map { |x| [x.user, x.rights] }.include?(%w[bob lr]) }
  other = Thread.new { d = login(host, port, tls); sleep 0.2; d.append("Rb", "Subject: new\r\n\r\n"); d.logout; d.disconnect }
  seen = false
  c.idle(60) { |x| if x.is_a?(Net::IMAP::UntaggedResponse) && x.name == "EXISTS" && x.data == 2 then seen = true; c.idle_done end }
  must("idle") { seen }
  other.join
  c.close
  c.rename("Rb", "Rc")
  c.list("", "Rc*").map(&:name).each { |m| c.delete(m) }
  c.unsubscribe(sub)
  c.logout
  c.disconnect
end
puts "good"
"""

PYTHON = r"""
import datetime, ssl, sys
from imap_tools import A, AND, H, MailBox, MailBoxUnencrypted, MailMessageFlags, NOT, OR, U
host, port, tls, body = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "tls", open(sys.argv[4], "rb").read()
m = MailBox(host, port, ssl_context=ssl._create_unverified_context()) if tls else MailBoxUnencrypted(host, port)
m.login("carol", "secret")
f = m.folder
names = ["It", "It.sub", "Entw\u00fcrfe & \u65e5\u672c"]
for name in names:
    f.create(name)
    assert f.exists(name), name
f.subscribe(names[2], True)
assert sorted(x.name for x in f.list()) == sorted(names + ["INBOX"])
assert [x.name for x in f.list(subscribed_only=True)] == [names[2]]
m.append(body, "It", dt=datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc), flag_set=[MailMessageFlags.SEEN, "kw"])
m.append(b"Subject: two\r\n\r\n" + b"y" * 5000000, "It")
m.append(body, names[2])
assert f.status("It")["MESSAGES"] == 2
f.set("It")
one, two = m.fetch(mark_seen=False)
assert (one.subject, one.from_, one.text.strip(), len(one.attachments)) == ("\u00f6 hello", "j@client.test", "h\u00e4llo", 2), one
assert set(one.flags) - {"\\Recent"} == {"\\Seen", "kw"} and one.size_rfc822 == len(body) and two.size_rfc822 == 5000016
def found(c):
    return [x.uid for x in m.fetch(c, charset="utf8", headers_only=True, mark_seen=False)]
assert found(AND(subject="\u00f6")) == ["1"] and found(OR(text="h\u00e4llo", from_=["j", "k"])) == ["1"]
assert found(AND(NOT(seen=True))) == ["2"] and found(A(header=H("Subject", "two"))) == ["2"] and found(A(uid=U("1", "*"))) == ["1", "2"]
assert found(A(date_gte=datetime.date(2000, 1, 1), size_gt=10, keyword="kw")) == ["1"]
m.flag(["1", "2"], [MailMessageFlags.FLAGGED, "x1"], True)
m.copy("1", "It.sub")
m.move("2", names[2])
m.delete("1")
assert f.status("It")["MESSAGES"] == 0 and f.status("It.sub")["MESSAGES"] == 1 and f.status(names[2])["MESSAGES"] == 2
f.subscribe(names[2], False)
f.rename("It", "Itt")
f.set("INBOX")
for name in ("Itt", "Itt.sub", names[2]):
    f.delete(name)
m.logout()
print("good")
"""

PERL = r"""
use strict;
use warnings;
use Net::IMAP::Simple;
use Net::IMAP::Client;
my ($host, $port, $tls, $file) = @ARGV;
open(my $in, '<:raw', $file) or die;
my $body = do { local $/; <$in> };
sub must { my ($what, $ok) = @_; $ok or die "$what\n" }
my @ssl = $tls eq 'tls' ? (use_ssl => 1, ssl_options => [SSL_verify_mode => 0]) : ();
my $s = Net::IMAP::Simple->new("$host:$port", timeout => 60, @ssl) or die;
must(login => $s->login('carol', 'secret'));
must(create => $s->create_mailbox('Ps') && $s->create_mailbox('Ps.Two Words') && $s->folder_subscribe('Ps'));
must(list => join(',', sort $s->mailboxes) eq 'INBOX,Ps,Ps.Two Words' && join(',', $s->mailboxes_subscribed) eq 'Ps');
must(put => $s->put('Ps', $body, '\\Seen', '$kw') && $s->put('Ps', "Subject: b\r\n\r\n" . ('x' x 70 . "\r\n") x 20000));
must(select => $s->select('Ps') == 2 && $s->unseen == 2);
must(get => join('', @{$s->get(1)}) eq $body && $s->list(2) == 1440014 && $s->seen(1) && !$s->seen(2));
must(flags => $s->add_flags(1, '\\Flagged', 'x') && $s->sub_flags(1, '\\Flagged'));
must(search => join(',', $s->search('SUBJECT "hello"')) eq '1' && join(',', $s->search('ALL', 'REVERSE SIZE')) eq '2,1');
must(copy => $s->copy(1, 'Ps.Two Words') && $s->delete(1) && $s->deleted(1) && $s->expunge_mailbox('Ps'));
must(rename => $s->rename_mailbox('Ps.Two Words', 'Ps.Q"uo\\te') && $s->select('Ps.Q"uo\\te') == 1);
must(gone => $s->select('INBOX') && $s->delete_mailbox('Ps.Q"uo\\te') && $s->delete_mailbox('Ps') && $s->folder_unsubscribe('Ps'));
$s->quit;
my $c = Net::IMAP::Client->new(server => $host, port => $port, user => 'carol', pass => 'secret',
    $tls eq 'tls' ? (ssl => 1, ssl_verify_peer => 0) : ()) or die;
must(login => $c->login);
must(create => $c->create_folder('Pc') && $c->create_folder('Pd'));
must(append => $c->append('Pc', \$body) && $c->append('Pc', \"Subject: x\r\n\r\ny\r\n"));
must(status => $c->status('Pc')->{MESSAGES} == 2);
must(select => $c->select('Pc'));
must(search => "@{$c->search({subject => 'hello'}, '^SUBJECT')}" eq '1');
my $sum = $c->get_summaries([1, 2]);
must(summaries => @$sum == 2 && $sum->[0]->subject =~ /hello/ && @{$sum->[0]->parts} == 3 && $sum->[0]->from->[0]->as_string =~ /j\@client/);
must(body => ${$c->get_rfc822_body(1)} eq $body && ${$c->get_part_body(1, '2.1')} eq 'body');
must(flags => $c->add_flags([1, 2], ['\\Flagged', 'kw']) && grep { $_ eq 'kw' } @{$c->get_flags(1)});
must(threads => @{$c->get_threads('REFERENCES')} == 2);
must(copy => $c->copy([1, 2], 'Pd') && $c->delete_message([1]) && $c->expunge && $c->status('Pc')->{MESSAGES} == 1);
must(deleted => $c->select('INBOX') && $c->delete_folder('Pc') && $c->delete_folder('Pd'));
$c->logout;
print "good\n";
"""


def works(*args):
    try:
        return subprocess.run(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60).returncode == 0
    except OSError:
        return False


def by_library(st, tls, present, program, text, name):
    """The program with its script has the host, the port, "tls" or "plain", and a file with a message."""
    if not works(*present):
        raise Skip("no " + name + " here")
    emptied(st, "carol")
    with Home() as h:
        message = os.path.join(h.dir, "message")
        with open(message, "wb") as f:
            f.write(BODY.encode())
        out = run(h.dir, program, h.write("script", text), ADDR, str(st.base + (993 if tls else 143)),
                  "tls" if tls else "plain", message)
        want("good", out, out.endswith(b"good\n"))


RUBY_ARGS = (("ruby", "-e", 'require "net/imap"'), "ruby", RUBY, "Ruby with net-imap")
PYTHON_ARGS = (("/usr/bin/python3", "-c", "import imap_tools"), "/usr/bin/python3", PYTHON, "imap_tools")
PERL_ARGS = (("perl", "-MNet::IMAP::Simple", "-MNet::IMAP::Client", "-e", "1"), "perl", PERL, "Net::IMAP::Simple and Client")


def by_mailutils(st):
    """frm and movemail, there and back."""
    emptied(st, "carol")
    with Imap(st, "carol") as c:
        for n in (1, 2):
            c.append(b"INBOX", b"From: a@client.test\r\nSubject: number %d\r\n\r\nbody\r\n" % n)
    url = "imap://carol:secret@%s:%d/INBOX;notls" % (ADDR, st.base + 143)
    with Home() as h:
        box = os.path.join(h.dir, "box")
        said = run(h.dir, "frm.mailutils", url, ok=(0, 1))
        want("subjects", said, b"number 1" in said and b"number 2" in said)
        run(h.dir, "movemail.mailutils", url, box)
        with open(box, "rb") as f:
            got = f.read()
        want("taken", got, got.count(b"\nSubject: number ") == 2 and got.count(b"\nbody\n") == 2)
        with Imap(st, "carol") as c:
            want("away", None, b"0 EXISTS" in c.ok(b"SELECT INBOX")[0])
        run(h.dir, "movemail.mailutils", box, url)
    with Imap(st, "carol") as c:
        want("back", None, b"2 EXISTS" in c.ok(b"SELECT INBOX")[0])


def filled(c):
    for name in (b"Work", b"Work.Lists", b'"Entw&APw-rfe"'):
        c.ok(b"CREATE " + name)
    for n in range(30):
        c.append((b"INBOX", b"Work", b"Work.Lists")[n % 3], b"Subject: number %d\r\n\r\n%s" % (n, b"line\r\n" * n),
                 b"(\\Seen $k%d)" % (n % 5) if n % 2 else b"", b"%02d-Nov-2020 01:02:03 +0200" % (n % 28 + 1))
    c.ok(b"SUBSCRIBE Work")


def changed(c):
    c.ok(b"SELECT Work")
    c.ok(b"STORE 2:3 +FLAGS (\\Flagged new)")
    c.ok(b"STORE 5 +FLAGS (\\Deleted)")
    c.ok(b"EXPUNGE")
    c.ok(b"MOVE 1 INBOX")
    c.ok(b"RENAME Work.Lists Work.Other")
    c.ok(b"DELETE \"Entw&APw-rfe\"")


def state(c):
    """{mailbox: {uid: (flags, date, size)}}, and what is subscribed to."""
    out = {}
    for r in c.ok(b'LIST "" *')[0]:
        name = r.rsplit(b" ", 1)[1]
        valid = [x for x in c.ok(b"EXAMINE " + name)[0] if b"[UIDVALIDITY" in x]
        out[name] = {"valid": valid[0].split(b"]")[0]}
        for m in c.ok(b"UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)")[0]:
            if b" FETCH " in m:
                out[name][m.split(b"UID ")[1].split()[0].rstrip(b")")] = (
                    frozenset(m.split(b"FLAGS (")[1].split(b")")[0].split()) - {b"\\Recent"},
                    m.split(b'INTERNALDATE "')[1].split(b'"')[0].strip().lstrip(b"0"),
                    m.split(b"RFC822.SIZE ")[1].split()[0].rstrip(b")"))
    return out, sorted(c.ok(b'LSUB "" *')[0])


def by_imapc(st):
    """doveadm takes alice's mailbox to bob's, twice; then a Dovecot serves the copy."""
    more = ("imapc_host = %s\nimapc_port = %d\nimapc_user = alice\nimapc_password = secret\nmail_prefetch_count = 20\n"
            "imapc_features = rfc822.size fetch-headers search modseq fetch-bodystructure\n"
            "namespace inbox {\n  inbox = yes\n  separator = .\n}\n" % (ADDR, st.base + 143))
    uid = os.stat(os.path.join(st.dir, "mail", "bob")).st_uid
    with dovecot.Dovecot(st, "imap", uid, more) as d, Imap(st, "alice") as c, Home() as h:
        def same():
            run(h.dir, "doveadm", "-c", os.path.join(d.dir, "conf"), "backup", "-u", "bob", "-R", "imapc:")
            with d.login("bob") as copy:
                here, there = state(c), state(copy)
            want("the same", (here, there), here == there)
        d.login(None).close()       # it has begun
        shutil.rmtree(os.path.join(st.dir, "mail", "bob", "Maildir"), ignore_errors=True)
        filled(c)
        same()
        changed(c)
        same()


def main():
    tap = Tap()
    with Stage("auth.delay 0\n") as st:
        for name, args in (("Ruby", RUBY_ARGS), ("Python", PYTHON_ARGS), ("Perl", PERL_ARGS)):
            tap.run(name, by_library, st, False, *args)
            tap.run(name + " over TLS", by_library, st, True, *args)
        tap.run("mailutils", by_mailutils, st)
        tap.run("Dovecot's imapc", by_imapc, st)
    return tap.end()


sys.exit(main())
