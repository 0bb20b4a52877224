"""How connections end: half-close, full close, reset, and the end of the SSH connection itself."""

import signal
import socket

import check
import data
import process
from check import BOTH, test

KINDS = ("-L", "-R", "-D")


def opened(t, kind):
    """A connection through a forward of the kind: (the side that connected, the side that accepted)."""
    t.server()
    target, port = data.Target(), t.port()
    spec = "%d" % port if kind == "-D" else data.spec(port, target)
    t.tunnel(kind, spec, listens=[port])
    if kind != "-D":
        return data.pair(port, target)
    here = data.connect(port)
    here.sendall(b"\x04\x01" + target.port.to_bytes(2, "big") + b"\x7f\x00\x00\x01\x00")
    there = target.accept()
    data.receive_exactly(here, 8)
    return here, there


def half_close(first, second):
    """first ends its direction; second sees that end, and its own direction goes on afterwards."""
    arrived = data.Task(data.receive, second)
    sent = data.send_random(first, 3 * data.MIB)
    first.shutdown(socket.SHUT_WR)
    check.equal(arrived.result(), (3 * data.MIB, sent), "bytes before the half-close")
    arrived = data.Task(data.receive, first)
    sent = data.send_random(second, 5 * data.MIB)
    second.close()
    check.equal(arrived.result(), (5 * data.MIB, sent), "bytes after the half-close")


for kind in KINDS:

    @test(
        "half-close by the side that connected leaves the way back open (%s)" % kind,
        BOTH,
        kind=kind,
    )
    def _(t, kind):
        here, there = opened(t, kind)
        half_close(here, there)

    @test(
        "half-close by the side that accepted leaves the way there open (%s)" % kind,
        BOTH,
        kind=kind,
    )
    def _(t, kind):
        here, there = opened(t, kind)
        half_close(there, here)

    @test("a close right after the last byte loses nothing (%s)" % kind, BOTH, kind=kind)
    def _(t, kind):
        here, there = opened(t, kind)
        arrived = data.Task(data.receive, here)
        sent = data.send_random(there, data.MIB)
        there.close()
        check.equal(arrived.result(), (data.MIB, sent), "bytes before the close")

    @test("a reset by the side that connected ends the other side (%s)" % kind, BOTH, kind=kind)
    def _(t, kind):
        here, there = opened(t, kind)
        here.sendall(b"last words")
        check.equal(data.receive_exactly(there, 10), b"last words", "bytes")
        data.reset(here)
        data.ending(there)

    @test("a reset by the side that accepted ends the other side (%s)" % kind, BOTH, kind=kind)
    def _(t, kind):
        here, there = opened(t, kind)
        there.sendall(b"last words")
        check.equal(data.receive_exactly(here, 10), b"last words", "bytes")
        data.reset(there)
        data.ending(here)

    @test(
        "a reset by the side that connected arrives as a reset, not as an end (%s)" % kind,
        ("aditd",),
        kind=kind,
    )
    def _(t, kind):
        t.need_adit("a reset arrives as a clean end")
        here, there = opened(t, kind)
        here.sendall(b"hello")
        data.receive_exactly(there, 5)
        data.reset(here)
        check.equal(data.ending(there), "reset", "what the other side sees")

    @test(
        "a reset by the side that accepted arrives as a reset, not as an end (%s)" % kind,
        ("aditd",),
        kind=kind,
    )
    def _(t, kind):
        t.need_adit("a reset arrives as a clean end")
        here, there = opened(t, kind)
        here.sendall(b"hello")  # when it is there, nobody takes the reset for a refused connection
        data.receive_exactly(there, 5)
        data.reset(there)
        check.equal(data.ending(here), "reset", "what the other side sees")

    @test(
        "an application that is gone stops the side that still sends to it (%s)" % kind,
        BOTH,
        kind=kind,
    )
    def _(t, kind):
        t.need_adit("the far side goes on sending into a dead socket")
        # With -R it is aditd or sshd that loses the application, and sshd goes on as ssh does.
        if kind == "-R" and t.server_kind == "sshd":
            raise check.Skip("here it would be sshd that has to notice")
        here, there = opened(t, kind)
        there.settimeout(15)

        def send_for_ever():
            while True:
                there.sendall(b"x" * 65536)

        sender = data.Task(send_for_ever)
        data.receive_exactly(here, data.MIB)
        here.close()
        try:
            sender.result(20)
        except ConnectionError:
            pass  # BrokenPipeError or ConnectionResetError: it was told


@test("500 connections that each end after one answer lose no byte", BOTH, limit=60)
def _(t):
    t.server()
    body = b"0123456789abcdef" * 4096
    service, port = data.Service(lambda sock: sock.sendall(body)), t.port()
    t.tunnel("-L", data.spec(port, service), listens=[port])

    def fetch_some():
        for _ in range(50):
            with data.connect(port) as sock:
                check.equal(data.receive(sock)[0], len(body), "bytes of an answer")

    for task in [data.Task(fetch_some) for _ in range(10)]:
        task.result(50)


@test(
    "a server killed in mid-transfer: exit 255, a message, and no clean end for the application",
    BOTH,
)
def _(t):
    server = t.server()
    target, port = data.Target(), t.port()
    client = t.tunnel("-L", data.spec(port, target), listens=[port])
    up_here, up_there = data.pair(port, target)
    down_here, down_there = data.pair(port, target)

    def send_for_ever(sock):
        while True:
            sock.sendall(b"x" * 65536)

    sender, source = data.Task(send_for_ever, up_here), data.Task(send_for_ever, down_there)
    data.receive_exactly(up_there, data.MIB)
    data.receive_exactly(down_here, data.MIB)
    process.signal_tree(server.process.pid, signal.SIGKILL)
    client.wait_exit(255)
    check.matches(client.err(), r"reset|closed|broken pipe|lost", "the client's last words")
    endings = [data.ending(down_here)]
    for task in (sender, source):
        try:
            task.result(20)
        except ConnectionError:
            pass
    if not t.is_ssh:
        check.equal(endings, ["reset"], "what the receiving application sees")


@test("an idle application sees a failure when the server is killed", BOTH)
def _(t):
    t.need_adit("the kernel closes the application's socket in the ordinary way")
    server = t.server()
    target, port = data.Target(), t.port()
    client = t.tunnel("-L", data.spec(port, target), listens=[port])
    here, there = data.pair(port, target)
    here.sendall(b"hello")
    data.receive_exactly(there, 5)
    process.signal_tree(server.process.pid, signal.SIGKILL)
    client.wait_exit(255)
    check.equal(data.ending(here), "reset", "what the application sees")
