"""mailq and postq as an operator uses them: what waits, what is held, what is wrong, with the queue running and stopped."""
import json
import os
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from e2e import ROOT, TOP, Skip, Stage, Tap, message, send, until, want, word  # noqa: E402

TAP = Tap()
MANY = 5000
FILL = os.path.join(os.environ.get("PH_BUILD", os.path.join(TOP, "build")), "tools", "fill_spool")


def run(stage, program, *args, **more):
    """Status, output, errors."""
    more.setdefault("stdin", subprocess.DEVNULL)
    p = subprocess.run([os.path.join(stage.dir, "bin", program), "-f", stage.conf, *args], timeout=300,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
    return p.returncode, p.stdout.decode("utf-8", "replace"), p.stderr.decode("utf-8", "replace")


def says(stage, status, text, program, *args, **more):
    got = run(stage, program, *args, **more)
    want("%s %s: %d, %s" % (program, " ".join(args), status, text), got, got[0] == status and text in got[1] + got[2])
    return got[1]


def ids(text):
    return re.findall(r"^[0-9a-z]{20}", text, re.M)


def waiting(stage, *to, sender=b"bob@example.test"):
    ident = send(stage.smtp, list(to), message(word("w")), sender=sender)
    stage.logged("waits id=" + ident)
    return ident


def test_table(stage):
    says(stage, 0, "Mail queue is empty\n", "mailq")
    a = waiting(stage, b"x@far.test")
    b = waiting(stage, b"y@far.test", b"z@other.test", sender=b"")
    text = run(stage, "mailq")[1]
    want("both, the older one first", text, ids(text) == [a, b] and text.endswith("\n-- 1 Kbytes in 2 Requests.\n"))
    want("a reason below each recipient", text, re.search(
        r"^%s .* bob@example.test\n    x@far.test\n        4\.4\.3 \S.*\n%s .*  <>\n    y@far.test\n        4.*\n"
        r"    z@other.test\n        4" % (a, b), text, re.M))
    want("aligned", text, {m.start() - m.string.rfind("\n", 0, m.start()) for m in re.finditer(
        r"(?<=  )(SENDER,|bob@|<>)", text)} == {45})
    text = run(stage, "mailq", "-s")[1]
    want("a line each", text, len(text.splitlines()) == 4 and ids(text) == [a, b])
    got = [json.loads(l) for l in run(stage, "mailq", "-j")[1].splitlines()]
    want("JSON", got, [m["queue_id"] for m in got] == [a, b] and got[1]["sender"] == "" and
         [r["address"] for r in got[1]["recipients"]] == ["y@far.test", "z@other.test"] and
         all(r["delay_reason"].startswith("4.4.3 ") for m in got for r in m["recipients"]))
    want("by domain", run(stage, "mailq", "-s", "-d", "other.test"), ids(run(
        stage, "mailq", "-s", "-d", "other.test")[1]) == [b])
    says(stage, 0, "no message matches\n", "mailq", "-d", "nowhere.test")


def test_arguments(stage):
    says(stage, 64, "-w: no message is held and waits", "mailq", "-H", "-w")
    says(stage, 64, "-H: no message waits for its next attempt and is held", "postq", "release", "-wH")
    says(stage, 64, "-o abc: no time such as", "mailq", "-o", "abc")
    says(stage, 64, "usage: mailq", "mailq", "all")
    says(stage, 64, "postq: bogus\x1b: no such verb\nusage:".replace("\x1b", "?"), "postq", "bogus\x1b")
    got = run(stage, "postq", "stat", "x")
    want("usage of stat", got, got[0] == 64 and "stat\n" in got[2])
    says(stage, 64, "of 1 message: say -y", "postq", "delete", "-d", "other.test")


def test_orders(stage):
    a, b = ids(run(stage, "mailq", "-s")[1])
    until("a is held", lambda: run(stage, "postq", "hold", a)[0] == 0)
    says(stage, 0, a + ": is held already\n", "postq", "hold", a)
    says(stage, 65, a + ": it is held\n", "postq", "flush", a)
    says(stage, 65, b + ": it is not held\n", "postq", "release", b)
    says(stage, 65, ": no such message\n", "postq", "release", "0" * 20)
    says(stage, 0, b + ": would be given up\n", "postq", "-n", "expire", b)
    text = says(stage, 0, "on-hold 1\n", "postq", "stat")
    want("held by itself: none", text, "\nheld 0\n" in text)
    says(stage, 0, a + ": released\n", "postq", "release", "ALL")
    says(stage, 0, "no message matches\n", "postq", "release", "ALL")
    until("both wait", lambda: "\nrunning 0\n" in run(stage, "postq", "stat")[1])
    mark = len(stage.log())
    says(stage, 0, "2 messages are tried now\n", "postq", "flush", "ALL")
    until("both were tried", lambda: all("waits id=" + i in stage.log()[mark:] for i in (a, b)))
    until("both wait", lambda: "\nrunning 0\n" in run(stage, "postq", "stat")[1])
    text = says(stage, 0, "-- 2 of 2 messages\n", "postq", "hold", "ALL")
    want("each of them", text, ids(text) == [a, b])
    says(stage, 0, "no message waits\n", "postq", "flush", "ALL")
    text = run(stage, "mailq", "-H")[1]
    want("both are held", text, ids(text) == [a, b] and text.endswith("\n-- 1 Kbytes in 2 Requests, 2 held.\n"))


def test_not_allowed(stage):
    if not ROOT:
        raise Skip("not root")
    nobody = {"user": 61001, "group": 61001, "extra_groups": []}
    for program, args in (("mailq", ()), ("postq", ("flush", "ALL"))):
        says(stage, 77, "the queue answers root and the group ph-queue only", program, *args, **nobody)


def test_stopped(stage):
    held = ids(run(stage, "mailq", "-s")[1])
    stage.stop()
    out, err = run(stage, "mailq", "-s")[1:]
    want("what lies there", (out, err), ids(out) == held and "the queue is not running; this is what lies in" in err)
    for args in (("flush", "ALL"), ("stat",), ("hold", held[0]), ("show", "-H")):
        says(stage, 69, "the queue is not running: ", "postq", *args)
    text = says(stage, 0, "the queue could not be asked", "postq", "trace", held[0])
    want("it does not say that it has gone", text, "it is not in the queue" not in text)
    if ROOT:
        nobody = {"user": 61001, "group": 61001, "extra_groups": []}
        says(stage, 69, "cannot be read by you", "mailq", **nobody)


def group_list(stage, *args):
    """As a member of ph-queue, for whom queue reads the files."""
    import grp
    return run(stage, "mailq", *args, user=61002, group=grp.getgrnam("ph-queue").gr_gid, extra_groups=[])


def test_many(stage):
    """Stopped, for root and for the group: the same list; without the reasons, and with a filter for them, too."""
    subprocess.run([FILL, os.path.join(stage.dir, "spool"), str(MANY), "3600", "7"], check=True, timeout=300)
    stopped = run(stage, "mailq", "-s")[1]
    want("all", len(stopped), len(ids(stopped)) == MANY + 2)
    want("the oldest first", "order", ids(stopped) == sorted(ids(stopped)))
    wrong = stage.up()
    want("it starts", wrong, wrong is None)
    for args in (("-s",), (), ("-s", "-d", "d3.test"), ("-s", "-e", "cannot be opened"), ("-s", "-H"), ("-s", "-o", "1d")):
        mine = run(stage, "mailq", *args)
        want("status of " + " ".join(args), mine[0], mine[0] == 0)
        if ROOT:
            theirs = group_list(stage, *args)
            want("the same list with " + " ".join(args), len(theirs[1]), ids(theirs[1]) == ids(mine[1]))
            want("reasons " + " ".join(args), len(theirs[1]), theirs[1].count(" the mailbox cannot be") ==
                 mine[1].count(" the mailbox cannot be"))
    n = len(ids(run(stage, "mailq", "-s", "-d", "d3.test")[1]))
    want("one domain of seven", n, n in (MANY // 7, MANY // 7 + 1))
    want("for that reason", "all of them", len(ids(run(stage, "mailq", "-s", "-e", "cannot be opened")[1])) == MANY)


def test_while_they_move(stage):
    """Messages are held and released all the time: each is in each list, once, and queue answers in between."""
    everything = sorted(ids(run(stage, "mailq", "-s")[1]))
    over = threading.Event()
    wrong = []

    def move():
        try:
            while not over.is_set():
                for args in (("hold", "-d", "d3.test"), ("release", "-d", "d3.test")):
                    got = run(stage, "postq", *args)
                    if got[0] != 0 and "just now" not in got[2]:
                        wrong.append((got[0], got[2][:500]))
        except subprocess.SubprocessError as e:
            wrong.append(e)
    mover = threading.Thread(target=move)
    mover.start()
    try:
        for i in range(10):
            got = group_list(stage, "-s") if ROOT and i % 2 else run(stage, "mailq", "-s")
            listed = ids(got[1])
            want("each of %d once, list %d" % (len(everything), i), (len(listed), len(set(listed)), got[2]),
                 sorted(listed) == everything)
    finally:
        over.set()
        mover.join()
    want("orders are obeyed", wrong[:2], not wrong)


def main():
    with Stage("queue.retry-first 10m\nqueue.retry-max 1h\n") as stage:
        for name, test in (("the table", test_table), ("arguments", test_arguments), ("orders", test_orders),
                           ("who may not", test_not_allowed), ("the queue is stopped", test_stopped),
                           ("many", test_many), ("while they move", test_while_they_move)):
            TAP.run("mailq: " + name, test, stage)
    return TAP.end()


if __name__ == "__main__":
    sys.exit(main())
