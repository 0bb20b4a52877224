"""-W: standard input and output in place of a forwarded connection."""

import hashlib
import random
import socket

import check
import data
from check import BOTH, test
from data import MIB
from process import listeners

MANY = random.Random(1).randbytes(4 * MIB)


def digest(text):
    return len(text), hashlib.sha256(text).hexdigest()


def start(t, target, *args, **more):
    """A client whose stdin and stdout are a socket of the test's: (the client, the socket)."""
    ours, theirs = socket.socketpair()
    ours.settimeout(data.TIMEOUT)
    where = "127.0.0.1:%d" % target.port
    with theirs:
        client = t.client(*args, "-W", where, stdin=theirs, stdout=theirs, **more)
    return client, ours


@test("-W carries bytes both ways, in bulk, and their ends: exit 0", BOTH, limit=60)
def _(t):
    t.server()
    service = data.echo_service()
    status, out, errors = t.run("-W", "127.0.0.1:%d" % service.port, input=MANY)
    check.equal((status, digest(out)), (0, digest(MANY)), "what came back")
    check.equal(errors, "", "messages")


@test("-W: what comes after the end of stdin is written", BOTH)
def _(t):
    t.server()
    target = data.Target()
    client, ours = start(t, target)
    far = target.accept()
    ours.sendall(b"question")
    ours.shutdown(socket.SHUT_WR)
    check.equal(data.receive_exactly(far, 8), b"question", "what was sent")
    check.equal(far.recv(1), b"", "the end behind it")
    far.sendall(b"answer")
    far.close()
    check.equal(data.receive_exactly(ours, 6), b"answer", "what came back")
    check.equal(ours.recv(1), b"", "the end behind it")
    client.wait_exit(0)


@test("-W: the end of stdout is told at once, and what stdin has after that is sent", BOTH)
def _(t):
    t.need_adit("one socket that is both stdin and stdout hears of no end")
    t.server()
    target = data.Target()
    client, ours = start(t, target)
    far = target.accept()
    far.sendall(b"greeting")
    far.shutdown(socket.SHUT_WR)
    check.equal(data.receive_exactly(ours, 8), b"greeting", "what came")
    check.equal(ours.recv(1), b"", "the end behind it")
    ours.sendall(b"good bye")
    ours.close()
    check.equal(data.receive_exactly(far, 8), b"good bye", "what was sent after it")
    check.equal(far.recv(1), b"", "the end behind it")
    client.wait_exit(0)


@test("-W to a pipe: its reader sees the end at once, while stdin is open")
def _(t):
    t.server()
    target = data.Target()
    command = t.command("-W", "127.0.0.1:%d" % target.port)
    client = t.start("client", ["sh", "-c", '"$@" | (cat; echo over)', "sh", *command], stdin=-1)
    far = target.accept()
    far.sendall(b"bytes")
    far.shutdown(socket.SHUT_WR)
    check.wait_for(lambda: client.out() == "bytesover\n" or not client.running(), "the end")
    client.popen.stdin.close()
    client.wait_exit(0)
    check.equal(client.out(), "bytesover\n", "output")


@test("-W whose target refuses: exit 255 and who could not connect where", BOTH)
def _(t):
    t.server()
    port = t.port()
    status, out, errors = t.run("-W", "127.0.0.1:%d" % port)
    check.equal((status, out), (255, b""), "exit status and output")
    check.matches(errors, r"refused", "message")
    if not t.is_ssh:
        where = r"-W 127\.0\.0\.1:%d: remote side could not connect to 127\.0\.0\.1:%d" % (port, port)
        check.matches(errors, where, "message")


@test("-W whose connection is reset: exit 255", ("aditd",))
def _(t):
    t.need_adit("a reset looks like an end")
    t.server()
    target = data.Target()
    client, ours = start(t, target)
    far = target.accept()
    ours.sendall(b"x")
    data.receive_exactly(far, 1)
    data.reset(far)
    client.wait_exit(255)
    check.matches(client.err(), "cut off", "message")


@test("-W whose stdout nobody reads any more closes the connection", BOTH)
def _(t):
    t.need_adit("the far side goes on sending")
    t.server()
    target = data.Target()
    command = t.command("-W", "127.0.0.1:%d" % target.port)
    client = t.start("client", ["sh", "-c", '"$@" | head -c 1', "sh", *command], stdin=-1)
    far = target.accept()
    far.settimeout(0.02)

    def is_over():
        try:
            far.send(b"bytes")
        except OSError:
            return True
        return False

    check.wait_for(is_over, "the connection to be closed")
    client.wait_exit(0)


@test("-W leaves out other forwards, unless ClearAllForwardings says no", BOTH)
def _(t):
    t.server()
    port = t.port()
    t.write_config("LocalForward %d 127.0.0.1:1\n" % port)
    target = data.Target()
    for words, wanted in ((), set()), (("-o", "ClearAllForwardings=no"), {port}):
        client, ours = start(t, target, *words)
        target.accept()
        check.equal({p for _, p in listeners()} & {port}, wanted, "ports listened on")
        ours.close()
        client.wait_exit(0)


@test("-W through one server is a ProxyCommand to another", BOTH, limit=60)
def _(t):
    t.server("gate")
    t.server("inner")
    echo, port = data.echo_service(), t.port()
    words = " ".join(t.command("-W", "%h:%p"))
    t.tunnel(
        "-o", "ProxyCommand=" + words, "-L", data.spec(port, echo), listens=[port], to="inner"
    )
    data.check_echo(port, total=8 * MIB)


@test("-W given twice, with nonsense or with a Unix socket: exit 255 and a reason")
def _(t):
    t.need_adit("Unix sockets are forwarded")
    t.server()
    for args in (("-W", "a:1", "-W", "b:2"), ("-W", "a"), ("-W", "a:0"), ("-W", "/socket")):
        status, _, errors = t.run(*args)
        check.equal(status, 255, "exit status of %r" % (args,))
        check.matches(errors, r"-W", "message")
