"""Mail for other hosts: which of it their servers took, and in which shape."""
import collections

from mail import MARK


def address(line):
    """Of a RCPT command."""
    return line.split(b"<")[1].split(b">")[0].decode()


class Arrivals:
    """What sinks have, compared with what was sent."""

    def __init__(self, sinks, letters):
        self.times = collections.defaultdict(list)      # (token, recipient)
        self.torn, self.strange = [], []
        for s in sinks:
            for m in list(s.mails):
                self.look(m, letters)

    def look(self, mail, letters):
        at = mail.content.find(MARK)
        token = mail.content[at + len(MARK):].split(b"\r\n")[0].decode(
            errors="replace") if at >= 0 else None
        letter = letters.get(token)
        rcpts = [address(r) for r in mail.rcpts]
        if letter is None or letter.fate == "refused" or \
                not set(rcpts) <= set(letter.rcpts):
            self.strange.append((token, rcpts, mail.content[:200]))
        # in front of the token stands nothing but our trace field
        elif mail.content[at:] != letter.content or \
                not mail.content.startswith(b"Received: ") or \
                b"\r\n\r\n" in mail.content[:at]:
            self.torn.append((token, rcpts, len(mail.content)))
        else:
            for r in rcpts:
                self.times[token, r].append(mail.when)

    def missing(self, letters):
        return [(x.token, r) for x in letters for r in x.rcpts
                if not self.times.get((x.token, r))]

    def twice(self):
        """{(token, recipient): how many more than one}"""
        return {k: len(t) - 1 for k, t in self.times.items() if len(t) > 1}
