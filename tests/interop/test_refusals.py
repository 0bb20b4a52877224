"""Targets and listeners that cannot be had: what the application, the person and the script see."""

import re
import socket

import check
import data
from check import BOTH, test
from process import addresses_of

# No resolver takes a label of more than 63 letters, so this asks nobody outside.
UNKNOWN_NAME = "x" * 70 + ".invalid"


def dead_port(t):
    """A port on which nobody listens."""
    return t.port()


def check_names(t, client, forward, reason):
    """adit's text names the forward as it was written, and the reason; ssh's only the reason."""
    client.wait_text(reason)
    if not t.is_ssh:
        lines = [line for line in client.err().splitlines() if re.search(reason, line, re.I)]
        check.true(
            any(forward in line for line in lines),
            "the message should name the forward %s: %s" % (forward, "\n".join(lines)),
        )


@test(
    "-L to a port where nobody listens: the application's connection ends, the reason is told", BOTH
)
def _(t):
    t.server()
    port, dead = t.port(), dead_port(t)
    spec = "%d:127.0.0.1:%d" % (port, dead)
    client = t.tunnel("-L", spec, listens=[port])
    data.ending(data.connect(port))
    check_names(t, client, spec, "connection refused")
    check.true(client.running(), "the client should go on")


@test(
    "-L to a name that does not exist: the application's connection ends, the reason is told", BOTH
)
def _(t):
    t.server()
    port = t.port()
    spec = "%d:%s:80" % (port, UNKNOWN_NAME)
    client = t.tunnel("-L", spec, listens=[port])
    data.ending(data.connect(port))
    check_names(t, client, spec, "unknown host|not known|name|resol")
    check.true(client.running(), "the client should go on")


@test("-L that the server's policy forbids: the reason is told")
def _(t):
    t.server(config="PermitOpen 127.0.0.1:1")
    echo, port = data.echo_service(), t.port()
    spec = data.spec(port, echo)
    client = t.tunnel("-L", spec, listens=[port])
    data.ending(data.connect(port))
    check_names(t, client, spec, "prohibited|not allow")


@test(
    "-R to a port where nobody listens: the far application's connection ends, the reason is told",
    BOTH,
)
def _(t):
    t.server()
    port, dead = t.port(), dead_port(t)
    spec = "%d:127.0.0.1:%d" % (port, dead)
    client = t.tunnel("-v", "-R", spec, listens=[port])
    data.ending(data.connect(port))
    check_names(t, client, spec, "connection refused|connect.*failed")
    check.true(client.running(), "the client should go on")


@test(
    "-R to a name that does not exist: the far application's connection ends, the reason is told",
    BOTH,
)
def _(t):
    t.server()
    port = t.port()
    spec = "%d:%s:80" % (port, UNKNOWN_NAME)
    client = t.tunnel("-v", "-R", spec, listens=[port])
    data.ending(data.connect(port))
    check_names(t, client, spec, "unknown host|not known|name|resol")
    check.true(client.running(), "the client should go on")


def socks5_reply(port, request):
    with data.connect(port) as sock:
        sock.sendall(b"\x05\x01\x00")
        data.receive_exactly(sock, 2)
        sock.sendall(b"\x05\x01\x00" + request)
        return data.receive_exactly(sock, 10)[1]


@test("-D to a port where nobody listens: SOCKS5 says connection refused", BOTH)
def _(t):
    t.need_adit("success is told before the far end is known")
    t.server()
    port, dead = t.port(), dead_port(t)
    t.tunnel("-D", "%d" % port, listens=[port])
    check.equal(
        socks5_reply(port, b"\x01\x7f\x00\x00\x01" + dead.to_bytes(2, "big")), 5, "reply code"
    )


@test("-D to a name that does not exist: SOCKS5 says that it failed", BOTH)
def _(t):
    t.need_adit("success is told before the far end is known")
    t.server()
    port = t.port()
    t.tunnel("-D", "%d" % port, listens=[port])
    name = bytes([len(UNKNOWN_NAME)]) + UNKNOWN_NAME.encode()
    check.true(socks5_reply(port, b"\x03" + name + b"\x00\x50") != 0, "a failure code is expected")


@test("-D to a port where nobody listens: curl fails, and the proxy goes on", BOTH)
def _(t):
    t.server()
    port, dead, web = t.port(), dead_port(t), data.WebServer()
    t.tunnel("-D", "%d" % port, listens=[port])
    for option in ("--socks4", "--socks5", "--socks4a", "--socks5-hostname"):
        status, _, _ = t.curl(option, "127.0.0.1:%d" % port, "http://127.0.0.1:%d/" % dead)
        check.true(status != 0, "curl should fail")
    t.web_through(web, "127.0.0.1", "--socks5", "127.0.0.1:%d" % port)


# ---- listeners


def occupied(host="127.0.0.1"):
    return data.Target(host)


@test("a local port in use: the client says which, and serves the other forwards", BOTH)
def _(t):
    t.server()
    taken, echo, port = occupied(), data.echo_service(), t.port()
    client = t.tunnel(
        "-L",
        "127.0.0.1:%d:127.0.0.1:%d" % (taken.port, echo.port),
        "-L",
        data.spec(port, echo),
        listens=[port],
    )
    client.wait_text(r"address already in use")
    check.matches(client.err(), r"\b%d\b" % taken.port, "the port in the message")
    data.check_echo(port)


@test("a local port in use with ExitOnForwardFailure: exit 255", BOTH)
def _(t):
    t.server()
    taken, echo, port = occupied(), data.echo_service(), t.port()
    for args in (
        ["-L", "127.0.0.1:%d:127.0.0.1:%d" % (taken.port, echo.port)],
        ["-D", "127.0.0.1:%d" % taken.port],
    ):
        status, _, errors = t.run(
            "-N", "-o", "ExitOnForwardFailure=yes", "-L", data.spec(port, echo), *args
        )
        check.equal(status, 255, "exit status")
        check.matches(errors, r"address already in use", "message")
        check.matches(errors, r"\b%d\b" % taken.port, "the port in the message")


@test("a local port in use on one family of localhost is a failure of that forward", BOTH)
def _(t):
    t.need_ipv6()
    t.need_adit("a listener is good if one family bound")
    t.server()
    taken, echo = occupied("::1"), data.echo_service()
    status, _, errors = t.run(
        "-N", "-o", "ExitOnForwardFailure=yes", "-L", "%d:127.0.0.1:%d" % (taken.port, echo.port)
    )
    check.equal(status, 255, "exit status")
    check.matches(errors, r"address already in use", "message")


def fully_occupied(t):
    """A port taken on both families of loopback, so that sshd cannot have half of it."""
    taken = occupied()
    if t.has_ipv6:
        taken.second = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        taken.second.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        taken.second.bind(("::1", taken.port))
        taken.second.listen()
    return taken


@test("a port in use at the server: the client says which, and serves the other forwards", BOTH)
def _(t):
    t.server()
    taken, echo, port = fully_occupied(t), data.echo_service(), t.port()
    client = t.tunnel(
        "-R",
        "%d:127.0.0.1:%d" % (taken.port, echo.port),
        "-R",
        data.spec(port, echo),
        listens=[port],
    )
    client.wait_text(r"remote port forwarding failed for listen port %d" % taken.port)
    data.check_echo(port)


@test("a port in use at the server with ExitOnForwardFailure: exit 255", BOTH)
def _(t):
    t.server()
    taken, echo = fully_occupied(t), data.echo_service()
    status, _, errors = t.run(
        "-N", "-o", "ExitOnForwardFailure=yes", "-R", "%d:127.0.0.1:%d" % (taken.port, echo.port)
    )
    check.equal(status, 255, "exit status")
    check.matches(
        errors, r"remote port forwarding failed for listen port %d" % taken.port, "message"
    )


@test("a server that allows no -R: ExitOnForwardFailure makes it exit 255, else a warning")
def _(t):
    t.server(config="AllowTcpForwarding local")
    echo, port = data.echo_service(), t.port()
    spec = data.spec(port, echo)
    status, _, errors = t.run("-N", "-o", "ExitOnForwardFailure=yes", "-R", spec)
    check.equal(status, 255, "exit status")
    check.matches(errors, r"remote port forwarding failed for listen port %d" % port, "message")
    client = t.client("-N", "-R", spec)
    client.wait_text(r"remote port forwarding failed for listen port %d" % port)
    check.true(client.running(), "the client should go on")


@test("ExitOnForwardFailure does not end a client whose target refuses a connection", BOTH)
def _(t):
    t.server()
    port, dead = t.port(), dead_port(t)
    client = t.tunnel(
        "-o", "ExitOnForwardFailure=yes", "-L", "%d:127.0.0.1:%d" % (port, dead), listens=[port]
    )
    data.ending(data.connect(port))
    client.wait_text("connection refused")
    check.true(client.running(), "the client should go on")


@test("two forwards of one local port: the second fails, the first serves")
def _(t):
    t.server()
    first, second = data.Service(data.named("first")), data.Service(data.named("second"))
    port = t.port()
    client = t.tunnel("-L", data.spec(port, first), "-L", data.spec(port, second), listens=[port])
    client.wait_text("address already in use")
    check.equal(data.ask(port), "first", "answer")


@test("the same forward given twice counts once", BOTH)
def _(t):
    t.server()
    echo, (local, remote) = data.echo_service(), t.ports(2)
    args = []
    for _ in range(2):
        args += ["-L", data.spec(local, echo), "-R", data.spec(remote, echo)]
    client = t.tunnel("-o", "ExitOnForwardFailure=yes", *args, listens=[local, remote])
    data.check_echo(local)
    data.check_echo(remote)
    check.equal(client.err(), "", "stderr")


@test("a server's listener goes away with the client that asked for it", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    client = t.tunnel("-R", data.spec(port, echo), listens=[port])
    client.stop()
    check.wait_for(lambda: not addresses_of(port), "the listener at the server to go")
    t.tunnel("-R", data.spec(port, echo), listens=[port])
    data.check_echo(port)
