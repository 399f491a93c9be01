"""TAP on standard output; details of a failure go to standard error."""
import os
import random
import signal
import sys


class Tap:
    def __init__(self):
        # told to stop, it still takes its stage down
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        self.done = 0
        self.failed = 0

    def ok(self, good, name, detail=""):
        self.done += 1
        if good:
            print("ok %d - %s" % (self.done, name))
        else:
            self.failed += 1
            print("not ok %d - %s" % (self.done, name))
            print("%s: %s" % (name, str(detail)[:4000]), file=sys.stderr)
        sys.stdout.flush()
        return bool(good)

    def skip(self, name, why):
        self.done += 1
        print("ok %d - %s # SKIP %s" % (self.done, name, why))
        sys.stdout.flush()

    def diag(self, text):
        print("# " + str(text).replace("\n", "\n# "))
        sys.stdout.flush()

    def end(self):
        print("1..%d" % self.done)
        sys.stdout.flush()
        return 1 if self.failed else 0


def is_long():
    return os.environ.get("PH_MODE", "short") == "long"


def seed(tap):
    """PH_SEED repeats a run, as far as the machine lets it. A short one is always the same: long ones find what is new."""
    n = int(os.environ.get("PH_SEED") or (random.randrange(1 << 31) if is_long() else 1))
    tap.diag("seed %d (PH_SEED=%d repeats it)" % (n, n))
    return random.Random(n)
