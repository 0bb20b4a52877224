"""-L, -R and -D: bytes through each kind of forward, to addresses of both families and to names."""

import re
import socket

import check
import data
from check import BOTH, test
from process import LOOPBACK, WILDCARD, addresses_of

# ---- -L


@test("-L carries bytes both ways to an IPv4 address", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-L", data.spec(port, echo), listens=[port])
    data.check_echo(port)


@test("-L carries bytes both ways to an IPv6 address", BOTH)
def _(t):
    t.need_ipv6()
    t.server()
    echo, port = data.echo_service("::1"), t.port()
    t.tunnel("-L", "%d:[::1]:%d" % (port, echo.port), listens=[port])
    data.check_echo(port)


@test("-L carries bytes both ways to a name that the server resolves", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-L", data.spec(port, echo, "localhost"), listens=[port])
    data.check_echo(port)


@test("-L without a bind address listens on loopback alone, on each family", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-L", data.spec(port, echo), listens=[port])
    check.equal(addresses_of(port) - LOOPBACK, set(), "addresses outside loopback")
    data.check_echo(port, "127.0.0.1")
    if t.has_ipv6:
        data.check_echo(port, "::1")


@test("-L with a bind address listens on that address alone", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-L", "127.0.0.3:%d:127.0.0.1:%d" % (port, echo.port), listens=[port])
    check.equal(addresses_of(port), {"0300007F"}, "addresses")
    data.check_echo(port, "127.0.0.3")


@test("-L with an IPv6 bind address in brackets listens on that address alone", BOTH)
def _(t):
    t.need_ipv6()
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-L", "[::1]:%d:127.0.0.1:%d" % (port, echo.port), listens=[port])
    check.equal(addresses_of(port), {"00000000000000000000000001000000"}, "addresses")
    data.check_echo(port, "::1")


@test("-L with an empty bind address or a star listens on every address", BOTH)
def _(t):
    t.server()
    echo, (one, other) = data.echo_service(), t.ports(2)
    t.tunnel(
        "-L",
        ":%d:127.0.0.1:%d" % (one, echo.port),
        "-L",
        "*:%d:127.0.0.1:%d" % (other, echo.port),
        listens=[one, other],
    )
    for port in (one, other):
        check.true(addresses_of(port) and addresses_of(port) <= WILDCARD, "wildcard expected")
        data.check_echo(port, "127.0.0.9")


@test("-g makes -L listen on every address", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-g", "-L", data.spec(port, echo), listens=[port])
    check.true(addresses_of(port) and addresses_of(port) <= WILDCARD, "wildcard expected")
    data.check_echo(port, "127.0.0.9")


@test("-L 0:... lets the kernel pick the port and prints it", BOTH)
def _(t):
    t.need_adit("a local listen port 0 is refused")
    t.server()
    echo = data.echo_service()
    client = t.client("-N", "-L", "0:127.0.0.1:%d" % echo.port)
    port = int(client.wait_text(r"port (\d+)[^\n]*127\.0\.0\.1:%d" % echo.port).group(1))
    client.wait_listening(port)
    data.check_echo(port)


# ---- -R


@test("-R carries bytes both ways to an IPv4 address", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-R", data.spec(port, echo), listens=[port])
    data.check_echo(port)


@test("-R carries bytes both ways to an IPv6 address", BOTH)
def _(t):
    t.need_ipv6()
    t.server()
    echo, port = data.echo_service("::1"), t.port()
    t.tunnel("-R", "%d:[::1]:%d" % (port, echo.port), listens=[port])
    data.check_echo(port)


@test("-R carries bytes both ways to a name that the client resolves", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-R", data.spec(port, echo, "localhost"), listens=[port])
    data.check_echo(port)


@test("-R listens on the server's loopback alone", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-R", data.spec(port, echo), listens=[port])
    check.equal(addresses_of(port) - LOOPBACK, set(), "addresses outside loopback")
    if t.has_ipv6:
        data.check_echo(port, "::1")


@test("-R 0:... prints the port that the server allocated, and it works", BOTH)
def _(t):
    server = t.server()
    echo = data.echo_service()
    client = t.client("-N", "-R", "0:localhost:%d" % echo.port)
    text = r"Allocated port (\d+) for remote forward to localhost:%d" % echo.port
    port = int(client.wait_text(text).group(1))
    client.wait_listening(port)
    data.check_echo(port, server.host_of(port))


@test("several -R 0:... each reach their own target", BOTH)
def _(t):
    server = t.server()
    services = [data.Service(data.named("target %d" % i)) for i in range(4)]
    args = []
    for service in services:
        args += ["-R", "0:127.0.0.1:%d" % service.port]
    client = t.client("-N", *args)
    for i, service in enumerate(services):
        text = r"Allocated port (\d+) for remote forward to 127\.0\.0\.1:%d\b" % service.port
        port = int(client.wait_text(text).group(1))
        check.equal(data.ask(port, server.host_of(port)), "target %d" % i, "answer through the allocated port")


@test("-R with a port alone is a SOCKS proxy at the server", BOTH)
def _(t):
    t.server()
    web, port = data.WebServer(), t.port()
    t.tunnel("-R", "%d" % port, listens=[port])
    t.web_through(web, "127.0.0.1", "--socks5", "127.0.0.1:%d" % port)
    t.web_through(web, "localhost", "--socks5-hostname", "127.0.0.1:%d" % port)
    t.web_through(web, "127.0.0.1", "--socks4", "127.0.0.1:%d" % port)


# ---- -D


def dynamic(t, *, host="127.0.0.1", url_host=None, option):
    t.server()
    web, port = data.WebServer(host), t.port()
    t.tunnel("-D", "%d" % port, listens=[port])
    t.web_through(web, url_host or host, option, "127.0.0.1:%d" % port)


@test("-D serves curl over SOCKS4 to an IPv4 address", BOTH)
def _(t):
    dynamic(t, option="--socks4")


@test("-D serves curl over SOCKS4a to a name", BOTH)
def _(t):
    dynamic(t, url_host="localhost", option="--socks4a")


@test("-D serves curl over SOCKS5 to an IPv4 address", BOTH)
def _(t):
    dynamic(t, option="--socks5")


@test("-D serves curl over SOCKS5 to an IPv6 address", BOTH)
def _(t):
    t.need_ipv6()
    dynamic(t, host="::1", url_host="[::1]", option="--socks5")


@test("-D serves curl over SOCKS5 to a name that the server resolves", BOTH)
def _(t):
    dynamic(t, url_host="localhost", option="--socks5-hostname")


@test("-D serves curl over SOCKS5 to an IPv6 address handed on as text", BOTH)
def _(t):
    t.need_ipv6()
    dynamic(t, host="::1", url_host="[::1]", option="--socks5-hostname")


@test("-D serves curl over HTTP CONNECT to an IPv4 address, an IPv6 address and a name", BOTH)
def _(t):
    t.need_adit("SOCKS only")
    t.server()
    port = t.port()
    t.tunnel("-D", "%d" % port, listens=[port])
    four = data.WebServer()
    ways = [(four, "127.0.0.1"), (four, "localhost")]
    if t.has_ipv6:
        ways.append((data.WebServer("::1"), "[::1]"))
    for web, host in ways:
        t.web_through(web, host, "--proxytunnel", "--proxy", "http://127.0.0.1:%d" % port)


@test("-D answers HTTP CONNECT to a port where nobody listens with a failure", BOTH)
def _(t):
    t.need_adit("SOCKS only")
    t.server()
    port, dead = t.ports(2)
    t.tunnel("-D", "%d" % port, listens=[port])
    with data.connect(port) as sock:
        sock.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: x\r\n\r\n" % dead)
        check.matches(data.receive_exactly(sock, 12).decode(), "HTTP/1.1 50[0-9]", "status line")


@test("-D opens nothing for an HTTP request that is no CONNECT, and goes on serving", BOTH)
def _(t):
    t.server()
    web, target, port = data.WebServer(), data.Target(), t.port()
    client = t.tunnel("-D", "%d" % port, listens=[port])
    with data.connect(port) as sock:
        sock.sendall(b"GET http://127.0.0.1:%d/ HTTP/1.1\r\n\r\n" % target.port)
        if t.is_ssh:
            check.equal(data.receive(sock)[0], 0, "bytes of an answer")
        else:
            check.matches(data.receive_exactly(sock, 12).decode(), "HTTP/1.1 405", "status line")
            client.wait_text("HTTP")  # the likely mistake of whoever set the application up
    target.listener.setblocking(False)
    try:
        target.listener.accept()
        raise check.Failure("the request opened a connection")
    except BlockingIOError:
        pass
    t.web_through(web, "127.0.0.1", "--socks5", "127.0.0.1:%d" % port)


@test("-D takes a SOCKS5 greeting cut into single bytes", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-D", "%d" % port, listens=[port])
    with data.connect(port) as sock:
        for byte in b"\x05\x01\x00":
            sock.sendall(bytes([byte]))
        check.equal(data.receive_exactly(sock, 2), b"\x05\x00", "method chosen")
        for byte in b"\x05\x01\x00\x01\x7f\x00\x00\x01" + echo.port.to_bytes(2, "big"):
            sock.sendall(bytes([byte]))
        check.equal(data.receive_exactly(sock, 10)[:2], b"\x05\x00", "reply")
        data.check_echo_on(sock)


@test("-D serves a SOCKS5 application that insists on user and password", BOTH)
def _(t):
    t.need_adit("an application has to be content without")
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-D", "%d" % port, listens=[port])
    with data.connect(port) as sock:
        sock.sendall(b"\x05\x01\x02")
        check.equal(data.receive_exactly(sock, 2), b"\x05\x02", "method chosen")
        sock.sendall(b"\x01\x04user\x06secret")
        check.equal(data.receive_exactly(sock, 2), b"\x01\x00", "verdict")
        sock.sendall(b"\x05\x01\x00\x01\x7f\x00\x00\x01" + echo.port.to_bytes(2, "big"))
        check.equal(data.receive_exactly(sock, 10)[:2], b"\x05\x00", "reply")
        data.check_echo_on(sock)


@test("-D keeps the bytes that an application sends before the SOCKS reply", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-D", "%d" % port, listens=[port])
    with data.connect(port) as sock:
        request = b"\x05\x01\x00" + b"\x05\x01\x00\x03\x09localhost" + echo.port.to_bytes(2, "big")
        sock.sendall(request + b"eager")
        data.receive_exactly(sock, 12)
        check.equal(data.receive_exactly(sock, 5), b"eager", "echo")


@test("-D closes on a SOCKS version that does not exist, and goes on serving", BOTH)
def _(t):
    t.server()
    web, port = data.WebServer(), t.port()
    t.tunnel("-D", "%d" % port, listens=[port])
    for junk in (b"\x09\x01\x00\x00", b"\x05\x01\x7f\x00", b"\x04\x02" + bytes(7)):
        with data.connect(port) as sock:
            sock.sendall(junk)
            data.ending(sock)
    t.web_through(web, "127.0.0.1", "--socks5", "127.0.0.1:%d" % port)


# ---- together


@test("several forwards of each kind work at once in one connection", BOTH)
def _(t):
    server = t.server()
    services = [data.Service(data.named("service %d" % i)) for i in range(6)]
    ports = t.ports(8)
    args = []
    for kind, port, service in zip("LLLRRR", ports, services):
        args += ["-" + kind, data.spec(port, service)]
    for port in ports[6:]:
        args += ["-D", "127.0.0.1:%d" % port]
    t.tunnel(*args, listens=ports)
    for _ in range(3):
        for i, port in enumerate(ports[:6]):
            check.equal(data.ask(port), "service %d" % i, "answer")
    web = data.WebServer()
    for port in ports[6:]:
        t.web_through(web, "localhost", "--socks5-hostname", "127.0.0.1:%d" % port)


@test("a forward works when the connection to the server runs over IPv6")
def _(t):
    t.need_ipv6()
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-o", "HostName=::1", "-L", data.spec(port, echo), listens=[port])
    data.check_echo(port)


@test("-4 and -6 choose the family of the connection to the server")
def _(t):
    t.need_ipv6()
    server = t.server()
    echo, ports = data.echo_service(), t.ports(2)
    for family, host, port in (("-4", "127.0.0.1", ports[0]), ("-6", "::1", ports[1])):
        t.tunnel(family, "-o", "HostName=" + host, "-L", data.spec(port, echo), listens=[port])
        check.matches(server.log(), r"Connection from %s port" % re.escape(host), "sshd's log")
        data.check_echo(port, host)
    status, _, errors = t.run("-N", "-4", "-o", "HostName=::1")
    check.equal(status, 255, "exit status of -4 towards an IPv6 address")
    check.true(errors.strip(), "a message is expected")


@test("the first target that dies does not take its neighbour's forward along", BOTH)
def _(t):
    t.server()
    first, second = data.Target(), data.echo_service()
    one, two = t.ports(2)
    t.tunnel("-L", data.spec(one, first), "-L", data.spec(two, second), listens=[one, two])
    here, there = data.pair(one, first)
    there.shutdown(socket.SHUT_RDWR)
    there.close()
    data.ending(here)
    data.check_echo(two)


@test("-b takes a name of this machine, and one that is none is told of")
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-b", "localhost", "-L", "%d:localhost:%d" % (port, echo.port), listens=[port])
    data.check_echo(port)
    status, _, errors = t.run("-N", "-b", "no-such-name.invalid")
    check.equal(status, 255, "exit status")
    check.matches(errors, "no-such-name.invalid", "message")


@test("aditd's log says why a connection could not be made", ["aditd"])
def _(t):
    server = t.server()
    port, dead = t.ports(2)
    t.tunnel("-L", "%d:127.0.0.1:%d" % (port, dead), listens=[port])
    with data.connect(port) as sock:
        check.equal(sock.recv(1), b"", "what comes from a port where nobody listens")
    check.matches(server.log(), "could not connect to 127.0.0.1 port %d: Connection refused" % dead, "aditd's log")
