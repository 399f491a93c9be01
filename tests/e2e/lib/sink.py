"""A server for mail that others send: says what it is told to say and keeps
what it gets. One thread for each connection; LMTP if it is asked to be."""
import socket
import ssl
import threading
import time

from e2e import ADDR, until


class Mail:
    """One transaction that was accepted."""

    def __init__(self, sender, rcpts, content, number, when):
        self.sender, self.rcpts, self.content = sender, rcpts, content
        self.connection, self.when = number, when

    def __repr__(self):
        return "%r to %r, %d bytes" % (self.sender, self.rcpts, len(self.content))


class Sink:
    """
    features  lines of the EHLO reply behind the first
    answer    a function of the command line (bytes), of b"GREETING" and of
              b"END" (the end of the content): the reply as bytes without
              its CRLF, None for the usual one, or b"CLOSE"
    context   an ssl.SSLContext: STARTTLS is offered
    clock     tells when; a Mail has the time just before it was accepted
    """

    def __init__(self, port=0, features=(b"PIPELINING", b"8BITMIME", b"SIZE 50000000"), answer=None, lmtp=False,
                 context=None, clock=time.monotonic):
        self.features, self.answer, self.lmtp, self.context = list(features), answer, lmtp, context
        self.clock = clock
        self.mails, self.commands, self.connections, self.open, self.most = [], [], 0, 0, 0
        self.lock = threading.Lock()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((ADDR, port))
        self.listener.listen(500)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open += 1
                self.most = max(self.most, self.open)
                number = self.connections
            threading.Thread(target=self.session, args=(s, number), daemon=True).start()

    def session(self, s, number):
        try:
            Session(self, s, number).run()
        except (OSError, EOFError):
            pass
        finally:
            with self.lock:
                self.open -= 1
            s.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def got(self, word, n=1, seconds=60):
        """The transactions whose content holds the word, n of them waited for."""
        def look():
            found = [m for m in list(self.mails) if word in m.content]
            return found if len(found) >= n else None
        return until("%d of %r at the sink" % (n, word), look, seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Session:
    def __init__(self, sink, s, number):
        self.sink, self.s, self.number = sink, s, number
        self.f = s.makefile("rb")
        self.tls = False
        self.reset()

    def reset(self):
        self.sender, self.rcpts, self.content = None, [], b""

    def say(self, key, usual):
        got = self.sink.answer(key) if self.sink.answer else None
        if got == b"CLOSE":
            raise EOFError
        got = usual if got is None else got
        self.s.sendall(got + b"\r\n")
        return got[:1] in (b"2", b"3")

    def run(self):
        self.say(b"GREETING", b"220 sink.test ESMTP")
        while True:
            line = self.f.readline(100000)
            if not line:
                return
            line = line.rstrip(b"\r\n")
            with self.sink.lock:
                self.sink.commands.append(line)
            verb = line.split(b" ")[0].split(b":")[0].upper()
            if verb == b"QUIT":
                self.say(line, b"221 bye")
                return
            handler = getattr(self, "cmd_" + verb.decode("ascii", "replace").lower(), None)
            if handler:
                handler(line)
            else:
                self.say(line, b"500 what?")

    def cmd_ehlo(self, line):
        features = [f for f in self.sink.features]
        if self.sink.context and not self.tls:
            features.append(b"STARTTLS")
        lines = [b"sink.test"] + features
        self.say(line, b"\r\n".join(b"250" + (b" " if i == len(lines) - 1 else b"-") + f
                                    for i, f in enumerate(lines)))

    cmd_lhlo = cmd_ehlo

    def cmd_helo(self, line):
        self.say(line, b"250 sink.test")

    def cmd_starttls(self, line):
        if not self.say(line, b"220 go on"):
            return
        self.s = self.sink.context.wrap_socket(self.s, server_side=True)
        self.f = self.s.makefile("rb")
        self.tls = True
        self.reset()

    def cmd_rset(self, line):
        self.reset()
        self.say(line, b"250 reset")

    def cmd_noop(self, line):
        self.say(line, b"250 nothing done")

    def cmd_mail(self, line):
        self.reset()
        if self.say(line, b"250 2.1.0 sender ok"):
            self.sender = line

    def cmd_rcpt(self, line):
        if self.say(line, b"250 2.1.5 recipient ok"):
            self.rcpts.append(line)

    def cmd_data(self, line):
        if not self.rcpts:
            self.say(line, b"554 5.5.1 no recipients")
            return
        if not self.say(line, b"354 go on"):
            return
        lines = []
        while True:
            one = self.f.readline()
            if not one:
                raise EOFError
            if one == b".\r\n":
                break
            lines.append(one[1:] if one.startswith(b".") else one)
        self.content = b"".join(lines)
        self.end()

    def cmd_bdat(self, line):
        words = line.split()
        data = self.f.read(int(words[1]))
        if len(data) < int(words[1]):
            raise EOFError
        self.content += data
        if words[-1].upper() == b"LAST":
            self.end()
        else:
            self.say(line, b"250 chunk")

    def end(self):
        taken, when = [], self.sink.clock()
        for rcpt in (self.rcpts if self.sink.lmtp else [b""]):
            if self.say(b"END" + (b" " + rcpt if rcpt else b""), b"250 2.0.0 taken as X%d" % self.number):
                taken.append(rcpt)
        if taken:
            with self.sink.lock:
                self.sink.mails.append(Mail(self.sender, taken if self.sink.lmtp else self.rcpts, self.content,
                                            self.number, when))
        self.reset()
