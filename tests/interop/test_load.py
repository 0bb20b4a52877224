"""Many connections, slow readers: what one client carries at once."""

import os
import resource

import check
import data
from check import BOTH, test


def need_files(n):
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < n:
        raise check.Skip("only %d open files are allowed here" % soft)


@test("1,000 connections at once through one -L", BOTH, limit=60)
def _(t):
    need_files(2500)
    t.server()
    target, port = data.Target(backlog=1000), t.port()
    t.tunnel("-L", data.spec(port, target), listens=[port])
    pairs = []
    for i in range(1000):
        here = data.connect(port)
        here.sendall(b"%08d" % i)
        pairs.append(here)
    there = {}
    for _ in range(1000):
        sock = target.accept()
        there[data.receive_exactly(sock, 8)] = sock
    check.equal(len(there), 1000, "different connections")
    for i, here in enumerate(pairs):
        there[b"%08d" % i].sendall(b"answer %08d" % i)
    for i, here in enumerate(pairs):
        check.equal(data.receive_exactly(here, 15), b"answer %08d" % i, "answer")
    for i, here in enumerate(pairs):
        here.close()
    for sock in there.values():
        check.equal(data.ending(sock), "clean", "ending")


@test("1,000 connections at once through one -R", BOTH, limit=60)
def _(t):
    need_files(2500)
    t.server()
    echo, port = data.echo_service(backlog=1000), t.port()
    t.tunnel("-R", data.spec(port, echo), listens=[port])
    socks = [data.connect(port) for _ in range(1000)]
    for i, sock in enumerate(socks):
        sock.sendall(b"%08d" % i)
    for i, sock in enumerate(socks):
        check.equal(data.receive_exactly(sock, 8), b"%08d" % i, "echo")


@test("200 short connections one after another", BOTH, limit=60)
def _(t):
    t.server()
    service, port = (
        data.Service(lambda sock: sock.sendall(data.receive_exactly(sock, 5).upper())),
        t.port(),
    )
    client = t.tunnel("-L", data.spec(port, service), listens=[port])
    for i in range(200):
        with data.connect(port) as sock:
            sock.sendall(b"hello")
            check.equal(data.receive(sock)[0], 5, "bytes of answer %d" % i)
    check.true(len(os.listdir("/proc/%d/fd" % client.pid)) < 50, "the client keeps files open")


@test("a slow reader stops no other connection, and loses nothing", BOTH, limit=60)
def _(t):
    t.server()
    target, echo, (one, two) = data.Target(), data.echo_service(), t.ports(2)
    t.tunnel("-L", data.spec(one, target), "-L", data.spec(two, echo), listens=[one, two])
    slow_here, slow_there = data.pair(one, target)
    # Nobody reads slow_here until the others are done: its window runs full.
    sending = data.Task(data.send_random, slow_there, 24 * data.MIB)
    for _ in range(4):
        data.check_echo(two, total=8 * data.MIB)
    check.true(sending.is_alive(), "24 MiB should not fit into buffers on the way")
    received = data.Task(data.receive, slow_here, 24 * data.MIB)
    check.equal(received.result(), (24 * data.MIB, sending.result()), "bytes of the slow reader")


@test("a slow target stops no other connection, and loses nothing", BOTH, limit=60)
def _(t):
    t.server()
    target, echo, (one, two) = data.Target(), data.echo_service(), t.ports(2)
    t.tunnel("-L", data.spec(one, target), "-L", data.spec(two, echo), listens=[one, two])
    slow_here, slow_there = data.pair(one, target)
    sending = data.Task(data.send_random, slow_here, 24 * data.MIB)
    for _ in range(4):
        data.check_echo(two, total=8 * data.MIB)
    check.true(sending.is_alive(), "24 MiB should not fit into buffers on the way")
    received = data.Task(data.receive, slow_there, 24 * data.MIB)
    check.equal(received.result(), (24 * data.MIB, sending.result()), "bytes of the slow target")


@test("small requests beside bulk data are answered", BOTH, limit=60)
def _(t):
    t.server()
    target, echo, (one, two) = data.Target(), data.echo_service(), t.ports(2)
    t.tunnel("-L", data.spec(one, target), "-L", data.spec(two, echo), listens=[one, two])
    bulk = data.Task(data.exchange, *data.pair(one, target), 64 * data.MIB)
    with data.connect(two) as sock:
        for i in range(200):
            sock.sendall(b"%04d" % i)
            check.equal(data.receive_exactly(sock, 4), b"%04d" % i, "answer")
    bulk.result()


@test(
    "a client that runs out of files pauses, and goes on when there are some again", BOTH, limit=60
)
def _(t):
    t.need_adit("a connection is lost in the pause of its listener")
    t.server()
    echo, port = data.echo_service(backlog=200), t.port()
    command = ["sh", "-c", 'ulimit -n 40; exec "$@"', "sh"] + t.command(
        "-N", "-L", data.spec(port, echo)
    )
    client = t.start("client", command)
    client.wait_listening(port)
    socks = [data.connect(port) for _ in range(80)]
    for sock in socks[:10]:
        sock.sendall(b"x")
        data.receive_exactly(sock, 1)
    for sock in socks[:60]:
        sock.close()
    for sock in socks[60:]:
        sock.sendall(b"x")
        check.equal(data.receive_exactly(sock, 1), b"x", "echo after the pause")
    check.true(client.running(), "the client should go on")
