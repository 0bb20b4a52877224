"""Key exchanges in the middle of everything."""

import re

import check
import data
from check import BOTH, test

# The quick method, since some tests here make a thousand exchanges.
QUICK = ("-o", "KexAlgorithms=curve25519-sha256", "-c", "aes128-gcm@openssh.com")


def exchanges(server):
    """How many times sshd took new keys into use."""
    return len(re.findall(r"SSH2_MSG_NEWKEYS received", server.log()))


def check_exchanges(t, server, at_least):
    if t.server_kind == "sshd":
        check.true(
            exchanges(server) >= at_least,
            "sshd counted %d key exchanges, wanted %d" % (exchanges(server), at_least),
        )


@test("rekey every 64 KiB under load in both directions, asked for by the client", BOTH, limit=120)
def _(t):
    server = t.server()
    target, port = data.Target(), t.port()
    t.tunnel(*QUICK, "-o", "RekeyLimit=64K", "-L", data.spec(port, target), listens=[port])
    data.exchange(*data.pair(port, target), 16 * data.MIB)
    check_exchanges(t, server, 50)


@test("rekey every 64 KiB under load in both directions, asked for by the server", limit=120)
def _(t):
    server = t.server(config="RekeyLimit 64K")
    target, port = data.Target(), t.port()
    t.tunnel(*QUICK, "-L", data.spec(port, target), listens=[port])
    data.exchange(*data.pair(port, target), 16 * data.MIB)
    check_exchanges(t, server, 50)


@test("rekey every 64 KiB under load in both directions, asked for by both ends", limit=120)
def _(t):
    server = t.server(config="RekeyLimit 64K")
    target, port = data.Target(), t.port()
    t.tunnel(*QUICK, "-o", "RekeyLimit=64K", "-L", data.spec(port, target), listens=[port])
    data.exchange(*data.pair(port, target), 16 * data.MIB)
    check_exchanges(t, server, 50)


# Downwards a whole window may be on its way before the server sees that the client wants new keys.
for direction, at_least in (("up", 50), ("down", 4)):

    @test(
        "rekey every 64 KiB while data flows %s only" % direction,
        BOTH,
        limit=60,
        direction=direction,
        at_least=at_least,
    )
    def _(t, direction, at_least):
        server = t.server()
        target, port = data.Target(), t.port()
        t.tunnel(*QUICK, "-o", "RekeyLimit=64K", "-L", data.spec(port, target), listens=[port])
        here, there = data.pair(port, target)
        source, sink = (here, there) if direction == "up" else (there, here)
        received = data.Task(data.receive, sink, 16 * data.MIB)
        sent = data.send_random(source, 16 * data.MIB)
        check.equal(received.result(), (16 * data.MIB, sent), "bytes")
        check_exchanges(t, server, at_least)


for name, cipher in (
    ("chacha20-poly1305@openssh.com", ()),
    ("aes256-ctr", ("-m", "hmac-sha2-256-etm@openssh.com")),
    ("aes128-ctr", ("-m", "hmac-sha2-512")),
    ("aes192-ctr", ("-m", "umac-128-etm@openssh.com")),
    ("aes128-ctr", ("-m", "umac-64@openssh.com")),
):

    @test(
        "rekey every 64 KiB under load with %s" % " and ".join((name,) + cipher[1:]),
        BOTH,
        limit=60,
        args=("-c", name) + cipher,
    )
    def _(t, args):
        server = t.server()
        target, port = data.Target(), t.port()
        t.tunnel(
            *QUICK[:2], *args, "-o", "RekeyLimit=64K", "-L", data.spec(port, target), listens=[port]
        )
        data.exchange(*data.pair(port, target), 8 * data.MIB)
        check_exchanges(t, server, 25)


@test("rekey every 64 KiB under load with group exchange", BOTH, limit=60)
def _(t):
    server = t.server()
    target, port = data.Target(), t.port()
    kex = "KexAlgorithms=diffie-hellman-group-exchange-sha256"
    t.tunnel(
        "-o", kex, "-o", "RekeyLimit=64K", "-L", data.spec(port, target), listens=[port]
    )
    data.exchange(*data.pair(port, target), 4 * data.MIB)
    check_exchanges(t, server, 12)


@test("rekey every 64 KiB under load with -C", BOTH, limit=60)
def _(t):
    server = t.server()
    target, port = data.Target(), t.port()
    t.tunnel(*QUICK, "-C", "-o", "RekeyLimit=64K", "-L", data.spec(port, target), listens=[port])
    data.exchange(*data.pair(port, target), 8 * data.MIB)
    check_exchanges(t, server, 25)


@test("rekey while connections open and close", BOTH, limit=60)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel(*QUICK, "-o", "RekeyLimit=64K", "-L", data.spec(port, echo), listens=[port])
    load = data.Task(data.check_echo, port, "127.0.0.1", 8 * data.MIB)
    for _ in range(60):
        data.check_echo(port, total=10000)
    load.result()


def rekey_by_time(t, server, *args):
    """OpenSSH lets at least one packet pass between two exchanges, so traffic makes the second."""
    echo, port = data.echo_service(), t.port()
    t.tunnel(*QUICK, *args, "-L", data.spec(port, echo), listens=[port])
    check.wait_for(lambda: exchanges(server) >= 2, "a rekey of an idle connection", 10)
    data.check_echo(port)
    check.wait_for(lambda: exchanges(server) >= 3, "another rekey after some traffic", 10)
    data.check_echo(port)


@test("rekey by time happens on an idle connection, asked for by the client")
def _(t):
    rekey_by_time(t, t.server(), "-o", "RekeyLimit=default 1")


@test("rekey by time happens on an idle connection, asked for by the server")
def _(t):
    rekey_by_time(t, t.server(config="RekeyLimit default 1"))
