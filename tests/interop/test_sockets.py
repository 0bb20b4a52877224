"""Options of the programs' own sockets, read from copies of their descriptors."""

import ctypes
import os
import socket
import subprocess

import check
import data
from check import test

SYS_PIDFD_OPEN, SYS_PIDFD_GETFD = 434, 438
LOWDELAY, THROUGHPUT, EF, CS1 = 0x10, 0x08, 0xB8, 0x20


def copy_of(pid, fd):
    """Another process's descriptor, as our own."""
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = libc.syscall(SYS_PIDFD_OPEN, pid, 0)
    if pidfd < 0:
        raise check.Skip("this kernel has no pidfd_open")
    copy = libc.syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)
    error = ctypes.get_errno()
    os.close(pidfd)
    if copy < 0:
        raise check.Skip("only root may look at a program's sockets: %s" % os.strerror(error))
    return copy


def connections(pid):
    """Copies of all of a process's connected TCP sockets, and the port that each is connected to."""
    found = []
    for fd in os.listdir("/proc/%d/fd" % pid):
        try:
            if not os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith("socket:"):
                continue
        except OSError:
            continue
        sock = socket.socket(fileno=copy_of(pid, int(fd)))
        try:
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                found.append((sock, sock.getpeername()[1]))
        except OSError:
            pass  # it listens
    return found


def type_of_service(process, port):
    """Of a client's connection to the server."""
    sock = next(sock for sock, peer_port in connections(process.pid) if peer_port == port)
    if sock.family == socket.AF_INET6:
        return sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS)
    return sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS)


@test("every TCP socket of client and gateway has TCP_NODELAY", ("aditd",))
def _(t):
    server = t.server()
    target, (up, down) = data.Target(), t.ports(2)
    client = t.tunnel(
        "-L", data.spec(up, target), "-R", data.spec(down, target), listens=[up, down]
    )
    pairs = [data.pair(up, target), data.pair(down, target)]
    for process in (client, server.process):
        own = connections(process.pid)
        check.equal(len(own), 1 + len(pairs), "connections of %s" % process.name)
        for sock, port in own:
            nodelay = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            check.true(nodelay != 0, "no TCP_NODELAY to port %d" % port)
    for pair in pairs:
        for sock in pair:
            sock.close()


for args, expected in (
    ((), THROUGHPUT),
    (("-o", "IPQoS=ef cs1"), CS1),
    (("-o", "IPQoS=0x20"), CS1),
    (("-o", "IPQoS=none"), 0),
    (("-o", "IPQoS=ef none"), EF),
):

    @test(
        "a client that only forwards is bulk: %s" % " ".join(args or ("default",)),
        ("aditd",),
        args=args,
        expected=expected,
    )
    def _(t, args, expected):
        t.need_adit("OpenSSH 9 takes -N alone for interactive")
        server, port = t.server(), t.port()
        client = t.tunnel(*args, "-L", "%d:localhost:1" % port, listens=[port])
        check.equal(type_of_service(client, server.port), expected, "type of service")


@test("over IPv6 the traffic class says the same", ("aditd",))
def _(t):
    t.need_ipv6()
    server, port = t.server(), t.port()
    forward = ("-L", "%d:localhost:1" % port)
    client = t.tunnel("-p", server.port, "-o", "IPQoS=ef", *forward, listens=[port], to="::1")
    check.equal(type_of_service(client, server.port), EF, "traffic class")


for args, expected in (
    (("-T",), THROUGHPUT),
    (("-tt",), LOWDELAY),
    (("-T", "-o", "IPQoS=ef cs1"), CS1),
    (("-tt", "-o", "IPQoS=ef cs1"), EF),
):

    @test("a session's type of service: %s" % " ".join(args), args=args, expected=expected)
    def _(t, args, expected):
        server = t.server()
        command = t.command(*args) + ["echo up; read x"]
        client = t.start("client", command, stdin=subprocess.PIPE)
        check.wait_for(lambda: "up" in client.out(), "the command to start")
        check.equal(type_of_service(client, server.port), expected, "type of service")
