"""A number so that the ports of a stage behind it (25, 143 ...) are free; as a program it prints one.

PH_PORTS=FIRST-LAST says where to look. The kernel gives ports above 32767 to clients."""
import os
import random
import socket

PORTS = (24, 25, 90, 110, 143, 465, 587, 993, 995)
used = set()


def are_free(base):
    socks = []
    try:
        for port in PORTS:
            s = socket.socket()
            socks.append(s)
            s.bind(("127.0.0.1", base + port))
        return True
    except OSError:
        return False
    finally:
        for s in socks:
            s.close()


def free_port():
    """One port by itself, for TCP and UDP, and none of those that the kernel may give to somebody else meanwhile."""
    first, last = (int(n) for n in os.environ.get("PH_PORTS", "20000-31700").split("-"))
    for _ in range(1000):
        port = random.randrange(first, last)
        if any(base < port <= base + PORTS[-1] for base in used):
            continue
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise RuntimeError("no free port from %d to %d" % (first, last))


def free_base():
    first, last = (int(n) for n in os.environ.get("PH_PORTS", "20000-31700").split("-"))
    for _ in range(1000):
        base = random.randrange(first, last)
        if base not in used and are_free(base):
            used.add(base)
            return base
    raise RuntimeError("no free ports from %d to %d" % (first, last))


if __name__ == "__main__":
    print(free_base())
