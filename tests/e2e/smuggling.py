"""Message smuggling (CVE-2023-51764, 51765, 51766 and what else of this kind
one can think of): whatever stands in a message or in a command, the server
sees as many messages and commands as there are by RFC 5321, and never one
more. The right answer is computed here from the bytes alone: a message ends
with CRLF.CRLF, and one with a bare CR or LF is refused. TAP on stdout."""
import itertools
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import LONG, Smtp, Tap, Wrong, came, ident, until, want, word  # noqa: E402
from secure import hears  # noqa: E402

SMTP, LMTP = int(os.environ["PH_SMTP"]), int(os.environ["PH_LMTP"])
DIR = os.environ["PH_DIR"]
EVIL = b"evil-%d-%d@client.test" % (os.getpid(), time.time_ns())
TX = b"MAIL FROM:<s@client.test>\r\nRCPT TO:<alice@example.test>\r\n"
SECOND = b"MAIL FROM:<" + EVIL + b">\r\nRCPT TO:<alice@example.test>\r\nDATA\r\nSubject: evil\r\n\r\nevil"
SPREAD = 0.0005         # between packets

# What somebody somewhere takes for the end of a line.
ENDS = [("nothing", b""), ("CRLF", b"\r\n"), ("LF", b"\n"), ("CR", b"\r"), ("LFLF", b"\n\n"), ("CRCR", b"\r\r"),
        ("LFCR", b"\n\r"), ("CRCRLF", b"\r\r\n"), ("CR NUL LF", b"\r\0\n"), ("NUL CRLF", b"\0\r\n"),
        ("CRLF NUL", b"\r\n\0"), ("LF NUL", b"\n\0"), ("CR blank LF", b"\r \n"), ("blank CRLF", b" \r\n"),
        ("VT", b"\v"), ("FF", b"\f"), ("NEL", b"\x85"), ("U+0085", b"\xc2\x85"), ("U+2028", b"\xe2\x80\xa8"),
        ("high CRLF", b"\x8d\x8a"), ("backslashes", b"\\r\\n")]


def is_bare(content):
    rest = content.replace(b"\r\n", b"")
    return b"\r" in rest or b"\n" in rest


def cut(stream):
    """What is sent behind DATA: the content, with its dots, and what follows as commands."""
    at = (b"\r\n" + stream).find(b"\r\n.\r\n")
    return stream[:at], stream[at + 3:]


def unstuff(content):
    return content[1 if content.startswith(b".") else 0:].replace(b"\r\n.", b"\r\n")


def commands(data):
    """The replies to pipelined commands, as far as they occur here."""
    if data.startswith(b"\0"):     # no MAIL, so nothing of the rest is one
        return ["500 5.5.2", "503 5.5.1", "503 5.5.1"] + ["500 5.5.2"] * (data.count(b"\r\n") - 3)
    at = (b"\r\n" + data).find(b"\r\nDATA\r\n")
    if at < 0:
        return ["250"] * data.count(b"\r\n")
    content, rest = cut(data[at + 6:])
    return ["250"] * data[:at].count(b"\r\n") + ["354", "550 5.5.2" if is_bare(content) else "250 2.0.0"] + \
        commands(rest)


class Counted:
    """How many messages of EVIL were rightly accepted."""
    right = 0


def replies(c, codes, what):
    got = []
    for code in codes:
        text = c.reply()
        want("%s: wanted %s" % (what, ", ".join(codes)), ", ".join(map(str, got + [text])),
             text is not None and (text + " ").startswith(code + " "))
        got.append(text)
    return got


def quiet(c, what):
    """Nothing more was said before this, and the session is in step."""
    c.send(b"NOOP\r\nQUIT\r\n")
    for code in ("250 2.0.0 ok", "221"):
        text = c.reply()
        want("%s: no further reply than %s" % (what, code), text, text is not None and text.startswith(code))
    want(what + ": the end", c.buf, c.closed())


def in_pieces(c, data, pieces):
    if pieces is None:
        c.send(data)
        return
    last = 0
    for at in pieces:
        c.send(data[last:at])
        time.sleep(SPREAD)
        last = at
    c.send(data[last:])


def by_data(before, marker, pieces=None):
    """before, marker and a second transaction, as one message of DATA."""
    stream = before + marker + SECOND + b"\r\n.\r\n"
    content, rest = cut(stream)
    codes = ["550 5.5.2" if is_bare(content) else "250 2.0.0"] + commands(rest)
    Counted.right += codes[-1].startswith("250 2.0.0") and len(codes) > 1
    with Smtp(SMTP) as c:
        c.say(b"EHLO client.test", "250")
        c.say(TX + b"DATA\r\n", "250", "250", "354")
        if pieces == "each":
            pieces = range(len(before) + 1, len(before) + len(marker) + 3)
        elif pieces == "two":
            pieces = [len(before) + len(marker) // 2 + 1]
        in_pieces(c, stream, pieces)
        got = replies(c, codes, "%r" % marker)
        quiet(c, "%r" % marker)
    return got, unstuff(content)


def by_bdat(before, marker, split):
    """The same bytes in chunks: their number alone says where it ends."""
    content = before + marker + SECOND + b"\r\n.\r\n"
    code = "550 5.5.2" if is_bare(content) else "250 2.0.0"
    at = len(before) + split
    with Smtp(SMTP) as c:
        c.say(b"EHLO client.test", "250")
        c.say(TX, "250", "250")
        first, second = content[:at], content[at:]
        c.send(b"BDAT %d\r\n" % len(first) + first + b"BDAT %d LAST\r\n" % len(second) + second)
        got = c.reply()
        if not got.startswith("250"):       # then the second chunk is out of order
            want("wanted 550", got, got.startswith(code) and is_bare(first))
            replies(c, ["503 5.5.1"], "%r" % marker)
        else:
            replies(c, [code], "%r" % marker)
        quiet(c, "BDAT %r" % marker)


def product():
    for (n1, x), (n2, y) in itertools.product(ENDS, ENDS):
        yield "%s . %s" % (n1, n2), x + b"." + y
    for n, x in ENDS:
        yield "%s .. %s" % (n, n), x + b".." + x
        yield "%s QUIT %s" % (n, n), x + b"QUIT" + x


def variants(tap):
    """Each marker in the body, in the header, at the very beginning, in packets, in chunks."""
    head = b"From: s@client.test\r\nSubject: first\r\n"
    for name, marker in product():
        tap.run("body: " + name, by_data, head + b"\r\nbody", marker)
        if LONG or b"\r" in marker or b"\n" in marker:
            tap.run("each byte a packet: " + name, by_data, head + b"\r\nbody", marker, "each")
        tap.run("header: " + name, by_data, head + b"X-Y: z", marker)
        tap.run("at the beginning: " + name, by_data, b"", marker)
        tap.run("chunks: " + name, by_bdat, head + b"\r\nbody", marker, len(marker) // 2)
        if LONG:
            tap.run("two packets: " + name, by_data, head, marker, "two")
            for split in range(len(marker) + 1):
                tap.run("chunks at %d: %s" % (split, name), by_bdat, head + b"\r\nbody", marker, split)
    # at the borders of whatever buffers there are
    for size in (4095, 4096, 8191, 16383, 16384, 32767, 65535, 65536):
        for name, marker in (("LF.CRLF", b"\n.\r\n"), ("CRLF.LF", b"\r\n.\n"), ("CR.CRLF", b"\r.\r\n"),
                             ("CRLF.CR", b"\r\n.\r"), ("CRLF.CRLF", b"\r\n.\r\n"), ("CRLF..CRLF", b"\r\n..\r\n")):
            for off in range(len(marker)) if LONG else (1, len(marker) - 1):
                fill = b"\r\n" + b"x" * 70
                before = head + fill * 1000
                tap.run("border %d-%d: %s" % (size, off, name), by_data, before[:size - off], marker)


def whole(tap):
    """What was accepted although it looks odd comes as one message, all of it."""
    for name, marker in (("NUL", b"\r\n.\0\r\n"), ("blank", b"\r\n. \r\n"), ("two dots", b"\r\n..\r\n"),
                         ("NEL", b"\x85.\x85"), ("high", b"\x8d\x8a.\x8d\x8a")):
        def one():
            w = word("whole")
            got, content = by_data(b"Subject: " + w + b"\r\n\r\nbody", marker)
            want("accepted", got[0], got[0].startswith("250"))
            m = came(DIR, "alice", w)[0]
            want("all of it", m[-200:], m.replace(b"\r\n", b"\n").endswith(content.replace(b"\r\n", b"\n")))
        tap.run("stored as one: " + name, one)


def lmtp(tap):
    """A refused message is refused for each recipient, no reply too many."""
    def one(marker):
        stream = b"Subject: x\r\n\r\nbody" + marker + SECOND + b"\r\n.\r\n"
        content, rest = cut(stream)
        codes = ["550 5.5.2" if is_bare(content) else "250 2.0.0"] * 2 + commands(rest)
        Counted.right += codes[-1].startswith("250 2.0.0") and len(codes) > 2
        with Smtp(LMTP) as c:
            c.say(b"LHLO client.test", "250")
            c.say(TX + b"RCPT TO:<bob@example.test>\r\nDATA\r\n", "250", "250", "250", "354")
            c.send(stream)
            replies(c, codes, "%r" % marker)
            quiet(c, "LMTP %r" % marker)
    for name, marker in product():
        if LONG or "NUL" in name or len(marker) <= 4:
            tap.run("LMTP: " + name, one, marker)


def dialogue(tap, name, steps, closed=False):
    def one():
        with Smtp(SMTP, greeting=None) as c:
            for data, codes in steps:
                c.send(data)
                replies(c, codes, "%r" % data[-60:])
            if closed:
                want("the end", c.buf, c.closed())
            else:
                quiet(c, name)
    tap.run(name, one)


def in_commands(tap):
    """Line ends inside commands, injected into what clients paste together."""
    hi = (b"EHLO client.test\r\n", ["220", "250"])
    tx = (TX, ["250", "250"])
    for name, end in (("LF", b"\n"), ("CR", b"\r"), ("CR NUL LF", b"\r\0\n"), ("LFCR", b"\n\r"), ("NUL", b"\0"),
                      ("CRCR", b"\r\r")):
        # each LF ends a line that is refused; what stands before CRLF then is judged as it is
        def line(text):
            return ["500 5.5.2"] * max(1, text.count(b"\n"))
        bad = b"MAIL FROM:<" + EVIL + b">" + end
        dialogue(tap, "no command ends with " + name, [
            hi, (bad + b"\r\n", line(bad + b"\r\n")), (b"RCPT TO:<alice@example.test>\r\n", ["503 5.5.1"])])
        bad = b"RCPT TO:<alice@example.test" + end + b">"
        dialogue(tap, "no recipient has %s inside" % name, [
            hi, (b"MAIL FROM:<s@client.test>\r\n", ["250"]), (bad + b"\r\n", line(bad + b"\r\n")),
            (b"DATA\r\n", ["554 5.5.1"])])
        bad = b"DATA" + end
        dialogue(tap, "DATA does not end with " + name, [hi, tx, (bad + b"\r\n", line(bad + b"\r\n"))])
        bad = b"QUIT" + end
        dialogue(tap, "QUIT does not end with " + name, [hi, (bad + b"\r\n", line(bad + b"\r\n"))])
    # a chunk must not turn into commands because its command was no line
    chunk = SECOND + b"\r\n.\r\n"
    for name, cmd in (("LF", b"BDAT %d LAST\n"), ("CR", b"BDAT %d LAST\r\r\n"), ("NUL", b"BDAT %d LAST\0\r\n"),
                      ("NUL inside", b"bdat %d\0LAST\r\n"), ("length", b"BDAT %d LAST" + b" " * 3000 + b"\r\n"),
                      ("sign", b"BDAT +%d LAST\r\n"), ("more", b"BDAT %d LAST x\r\n"),
                      ("other word", b"BDAT %d LASTLY\r\n")):
        dialogue(tap, "a chunk whose command is bad (%s) closes" % name, [
            hi, tx, (cmd % len(chunk) + chunk, ["501 5.5.4"])], closed=True)
    dialogue(tap, "a chunk of leading zeros is that chunk", [
        hi, tx, (b"BDAT 000000000000000006 LAST\r\nQUIT\r\n", ["250 2.0.0"])])


def in_fields(tap):
    """What goes into our own header fields cannot make a further line there."""
    for name, hello in (("CR", b"EHLO a\rX-Evil: b\r\n"), ("LF", b"EHLO a\nX-Evil: b\r\n"), ("NUL", b"EHLO a\0b\r\n")):
        dialogue(tap, "greeting with " + name, [(hello, ["220"] + ["500 5.5.2"] * (1 + (b"\n" in hello[:-2])))])
    for octet in list(range(1, 32)) + [127]:
        if octet in (10, 13):
            continue

        def one():
            w = word("field")
            with Smtp(SMTP) as c:
                got = c.send(b"EHLO a" + bytes([octet]) + b"b\r\n") or c.reply()
                want("250 or 501", got, got[:3] in ("250", "501"))
                if got[:3] == "501":
                    return
                c.say(TX + b"DATA\r\n", "250", "250", "354")
                c.say(b"Subject: " + w + b"\r\n\r\n.\r\n", "250 2.0.0")
            m = came(DIR, "alice", w)[0]
            head = m.split(b"\n\n")[0]
            want("no control character", head, b"from a?b (" in head and bytes([octet]) not in head.replace(b"\n\t", b""))
        tap.run("greeting with octet %d" % octet, one)
    for p in (b"ENVID=a+0D+0AX-Evil:+20b", b"ENVID=+00", b"ENVID=a+0A", b"SIZE=1\x0b", b"RET=FULL+0D"):
        dialogue(tap, "MAIL with " + p.decode(), [
            (b"EHLO x\r\n", ["220", "250"]), (b"MAIL FROM:<s@client.test> " + p + b"\r\n", ["501 5.5.4"])])
    for p in (b"ORCPT=rfc822;a+0D+0AX:b", b"ORCPT=rfc822;a+0A", b"ORCPT=rf\x0bc;a", b"NOTIFY=NEVER+0D"):
        dialogue(tap, "RCPT with %r" % p, [
            (b"EHLO x\r\nMAIL FROM:<s@client.test>\r\n", ["220", "250", "250"]),
            (b"RCPT TO:<alice@example.test> " + p + b"\r\n", ["501 5.5.4"])])
    for a in (b'"a\x01b"@client.test', b'"a\x7fb"@client.test', b"a\tb@client.test", b"a@b\x0b.test", b'"a\\\x0bb"@client.test'):
        dialogue(tap, "sender %r" % a, [
            (b"EHLO x\r\n", ["220", "250"]), (b"MAIL FROM:<" + a + b">\r\n", ["501 5.1.7"])])


def order(tap):
    """Early talkers, pipelining behind refusals, TLS that is not there."""
    def early():
        w = word("early")
        with Smtp(SMTP, greeting=None) as c:
            c.send(b"EHLO x\r\n" + TX + b"DATA\r\nSubject: " + w + b"\r\n\r\n.\r\n")
            got = replies(c, ["220", "250", "250", "250", "354", "250 2.0.0"], "early")
            quiet(c, "early")
        want("its id", got[-1], ident(got[-1]).encode() in came(DIR, "alice", w)[0])
    tap.run("commands before the greeting are answered after it", early)
    hi = (b"EHLO x\r\n", ["220", "250"])

    def behind_starttls():
        with Smtp(SMTP) as c:
            c.say(b"EHLO x\r\nMAIL FROM:<s@client.test>", "250", "250")
            c.say(b"STARTTLS\r\nRCPT TO:<nobody-here@example.test>", "220")
            got = hears(c)
            want("nothing but an alert", got, got[:1] in (b"", b"\x15") and len(got) <= 7)
    tap.run("what follows STARTTLS is not taken over", behind_starttls)
    dialogue(tap, "STARTTLS with arguments", [hi, (b"STARTTLS now\r\n", ["501"])])
    dialogue(tap, "content behind a refused DATA is no message", [hi, (
        b"MAIL FROM:<" + EVIL + b">\r\nRCPT TO:<nobody-here@example.test>\r\nDATA\r\nSubject: x\r\n\r\nbody\r\n.\r\n",
        ["250", "550 5.1.1", "554 5.5.1", "500", "500", "500", "500"])])
    dialogue(tap, "content behind DATA out of order is no message", [hi, (
        b"DATA\r\nSubject: x\r\n\r\n.\r\n", ["503 5.5.1", "500", "500", "500"])])
    dialogue(tap, "a second DATA in the message is its content", [hi, (
        TX + b"DATA\r\nDATA\r\n\r\n.\r\n", ["250", "250", "354", "250 2.0.0"])])
    dialogue(tap, "a chunk behind a refused one is no message", [hi, (
        TX + b"BDAT 3\r\na\nbBDAT %d LAST\r\n" % (len(SECOND) + 5) + SECOND + b"\r\n.\r\n",
        ["250", "250", "550 5.5.2", "503 5.5.1"])])
    dialogue(tap, "a chunk without recipients is no message", [hi, (
        b"MAIL FROM:<" + EVIL + b">\r\nRCPT TO:<nobody-here@example.test>\r\nBDAT %d LAST\r\n" % (len(SECOND) + 5) +
        SECOND + b"\r\n.\r\n", ["250", "550", "554 5.5.1"])])
    dialogue(tap, "RSET behind chunks forgets them", [hi, (
        TX + b"BDAT 3\r\nabcRSET\r\nBDAT 3 LAST\r\nabc", ["250", "250", "250", "250", "503"])])
    for verb in (b"POST / HTTP/1.1", b"PUT /x HTTP/1.0", b"OPTIONS * HTTP/1.1", b"get / HTTP/1.1"):
        dialogue(tap, "HTTP: " + verb.decode(), [
            (verb + b"\r\nHost: x\r\n\r\n" + b"EHLO x\r\n" + SECOND + b"\r\n.\r\nQUIT\r\n", ["220", "554"])], closed=True)
    dialogue(tap, "PROXY is no command", [(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n", ["220", "500"]),
                                          (b"XCLIENT ADDR=192.0.2.1\r\nXFORWARD NAME=x\r\n", ["500", "500"])])
    dialogue(tap, "a TLS hello is no command", [(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n", ["220", "554"])], closed=True)


def nothing_evil():
    """Only those that really were commands of their own were accepted."""
    def accepted():
        with open(os.path.join(DIR, "log", "posthouse.log"), "rb") as f:
            return sum(b": accepted id=" in l and EVIL in l for l in f)
    until("those that were right are in the log", lambda: accepted() >= Counted.right)
    time.sleep(0.5)
    got = accepted()
    if got != Counted.right:
        raise Wrong("%d messages of %s, rightly %d" % (got, EVIL.decode(), Counted.right))
    want("some were right, else this test is blind", got, got > 0)


def main():
    tap = Tap()
    variants(tap)
    whole(tap)
    lmtp(tap)
    in_commands(tap)
    in_fields(tap)
    order(tap)
    tap.run("no message more than there were", nothing_evil)
    return tap.end()


sys.exit(main())
