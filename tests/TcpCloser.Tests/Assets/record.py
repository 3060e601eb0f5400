#!/usr/bin/env python3
"""Records dumps of this kernel into test assets: unshare -rn python3 record.py (as root: unshare -n).

Opens known connections over the loopback interface of its own network namespace, dumps all TCP sockets except listeners
through INET_DIAG, and writes
  recorded-FAMILY.dump   the datagrams, each after its length (u32, little-endian)
  recorded-FAMILY.txt    the connections, one on each line: family state local remote inode
FAMILY is legacy (TCPDIAG_GETSOCK: both families in one pass) or inet6 (SOCK_DIAG_BY_FAMILY for AF_INET6).
"""
import fcntl
import os
import socket
import struct
import sys
import time

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
STATES = 0xfff & ~(1 << 10)
INFO = 1 << 1


def loopback_up():
    with socket.socket() as s:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(s, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def listener(family, address, v6only=True):
    s = socket.socket(family)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    s.bind((address, 0))
    s.listen(64)
    return s


def connect(server, family, address):
    client = socket.create_connection((address, server.getsockname()[1]))
    accepted, _ = server.accept()
    client.sendall(b"hello")
    accepted.recv(5)
    accepted.sendall(b"hi")
    client.recv(2)
    return client, accepted


def endpoint(name):
    return f"{name[0].removeprefix('::ffff:')}:{name[1]}"


def line(s, state):
    family = 2 if s.family == socket.AF_INET else 10
    return f"{family} {state} {endpoint(s.getsockname())} {endpoint(s.getpeername())} {os.fstat(s.fileno()).st_ino}"


def dump(request):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as netlink:
        netlink.send(struct.pack("=IHHII", 16 + len(request[1]), request[0], 0x301, 0, 0) + request[1])
        datagrams = []
        while True:
            datagram = netlink.recv(65536)
            datagrams.append(datagram)
            if struct.unpack_from("=H", datagram, 4)[0] in (2, 3):
                return datagrams


def write(name, datagrams, lines):
    with open(name + ".dump", "wb") as f:
        for datagram in datagrams:
            f.write(struct.pack("<I", len(datagram)) + datagram)
    with open(name + ".txt", "w") as f:
        f.write("\n".join(sorted(lines)) + "\n")


def main():
    loopback_up()
    os.chdir(os.path.dirname(os.path.abspath(sys.argv[0])))
    v4, v6, dual = listener(socket.AF_INET, "127.0.0.1"), listener(socket.AF_INET6, "::1"), listener(socket.AF_INET6, "::", False)
    held, lines = [], []
    for server, family, address in [(v4, 4, "127.0.0.1")] * 4 + [(v6, 6, "::1")] * 4 + [(dual, 4, "127.0.0.1")] * 3:
        pair = connect(server, family, address)
        held.extend(pair)
        lines.extend(line(s, 1) for s in pair)
    client, accepted = connect(v4, 4, "127.0.0.1")
    held.extend((client, accepted))
    client.shutdown(socket.SHUT_WR)
    while client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != 5:
        time.sleep(0.01)
    lines.extend((line(client, 5), line(accepted, 8)))
    zeros = bytes(48)
    write("recorded-legacy", dump((18, struct.pack("=BBBB", 2, 0, 0, INFO) + zeros + struct.pack("=II", STATES, 0))), lines)
    write("recorded-inet6", dump((20, struct.pack("=BBBBI", 10, 6, INFO, 0, STATES) + zeros)), [l for l in lines if l.startswith("10 ")])


main()
