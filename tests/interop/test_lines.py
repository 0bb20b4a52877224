"""Command lines that people use, as they stand: only names and ports are adapted to the test."""

import os
import signal

import check
import data
import process
from case import USER
from check import BOTH, test
from terminal import Terminal

# B is the server in the middle, as a name that the config gives an address.


@test("adit -NR 333:localhost:222 -p 22 root@B", BOTH)
def _(t):
    server = t.server("B")
    echo, port = data.echo_service(), t.port()
    client = t.client(
        "-NR", data.spec(port, echo, "localhost"), "-p", server.port, "%s@B" % USER, to=None
    )
    client.wait_listening(port)
    data.check_echo(port)


@test("adit -NL 4444:localhost:333 -p 22 root@B", BOTH)
def _(t):
    server = t.server("B")
    echo, port = data.echo_service(), t.port()
    client = t.client(
        "-NL", data.spec(port, echo, "localhost"), "-p", server.port, "%s@B" % USER, to=None
    )
    client.wait_listening(port)
    data.check_echo(port)


def background_of(t, status, errors):
    check.equal(status, 0, "exit status of the foreground (%s)" % errors.strip())
    return [
        pid
        for pid in process.descendants(os.getpid())
        if process.command_line(pid)[:1] == [t.client_path]
    ]


@test("adit -N -f -L 2121:otheripaddr:21 root@host", BOTH)
def _(t):
    t.server("host")
    echo, port = data.echo_service("127.0.0.2"), t.port()
    status, _, errors = t.run(
        "-N", "-f", "-L", "%d:127.0.0.2:%d" % (port, echo.port), "%s@host" % USER, to=None
    )
    pids = background_of(t, status, errors)
    data.check_echo(port)
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    check.wait_for(lambda: not process.addresses_of(port), "the background to end")


@test("adit -CNf -D 127.0.0.1:1080 root@host -P 22", BOTH)
def _(t):
    t.need_adit("-P is a tag")
    server = t.server("host")
    web, port = data.WebServer(), t.port()
    t.write_config(extra="Host host\n    HostName 127.0.0.1\n", names=False)
    status, _, errors = t.run(
        "-CNf", "-D", "127.0.0.1:%d" % port, "%s@host" % USER, "-P", server.port, to=None
    )
    background_of(t, status, errors)
    check.equal(process.addresses_of(port), {"0100007F"}, "addresses")
    t.web_through(web, "localhost", "--socks5-hostname", "127.0.0.1:%d" % port)


@test("adit -N -L 4444/localhost/333 -R 333/::1/222 root@B", BOTH)
def _(t):
    t.need_ipv6()
    t.need_adit("the port/host/hostport spelling is gone")
    t.server("B")
    echo, echo6, (local, remote) = data.echo_service(), data.echo_service("::1"), t.ports(2)
    client = t.client(
        "-N",
        "-L",
        "%d/localhost/%d" % (local, echo.port),
        "-R",
        "%d/::1/%d" % (remote, echo6.port),
        "%s@B" % USER,
        to=None,
    )
    client.wait_listening(local, remote)
    data.check_echo(local)
    data.check_echo(remote)


@test("adit -N -L 127.0.0.1/4444/localhost/333 root@B", BOTH)
def _(t):
    t.need_adit("the port/host/hostport spelling is gone")
    t.server("B")
    echo, port = data.echo_service(), t.port()
    client = t.client(
        "-N", "-L", "127.0.0.1/%d/localhost/%d" % (port, echo.port), "%s@B" % USER, to=None
    )
    client.wait_listening(port)
    check.equal(process.addresses_of(port), {"0100007F"}, "addresses")
    data.check_echo(port)


@test(
    "adit -N -L 10.0.0.1:8080:web:80 -L '[::1]:8081:[::1]:80' -R 0:localhost:22 -D 1080 host-from-config",
    BOTH,
)
def _(t):
    t.need_ipv6()
    server = t.server("host-from-config")
    web, web6, echo = data.WebServer(), data.WebServer("::1"), data.echo_service()
    one, two, dynamic = t.ports(3)
    client = t.client(
        "-N",
        "-L",
        "127.0.0.4:%d:localhost:%d" % (one, web.port),
        "-L",
        "[::1]:%d:[::1]:%d" % (two, web6.port),
        "-R",
        "0:localhost:%d" % echo.port,
        "-D",
        "%d" % dynamic,
        to="host-from-config",
    )
    remote = int(
        client.wait_text(
            r"Allocated port (\d+) for remote forward to localhost:%d" % echo.port
        ).group(1)
    )
    client.wait_listening(one, two, dynamic, remote)
    for url, body in (
        ("http://127.0.0.4:%d/" % one, web.body),
        ("http://[::1]:%d/" % two, web6.body),
    ):
        status, got, errors = t.curl(url)
        check.equal(status, 0, "curl's exit status (%s)" % errors.strip())
        check.true(got == body, "the body differs")
    data.check_echo(remote, server.host_of(remote))
    t.web_through(web6, "[::1]", "--socks5-hostname", "127.0.0.1:%d" % dynamic)


@test("the two-ended tunnel: C runs -NR to B, A runs -NL to B, and A reaches C", BOTH)
def _(t):
    server = t.server("B")
    at_c, (at_b, at_a) = data.echo_service(), t.ports(2)
    t.client(
        "-NR",
        data.spec(at_b, at_c, "localhost"),
        "-p",
        server.port,
        "%s@B" % USER,
        to=None,
        name="C",
    ).wait_listening(at_b)
    t.client(
        "-NL", "%d:localhost:%d" % (at_a, at_b), "-p", server.port, "%s@B" % USER, to=None, name="A"
    ).wait_listening(at_a)
    data.check_echo(at_a, total=16 * data.MIB)


@test("adit -p 4444 root@localhost: a login through the two-ended tunnel", BOTH, limit=40)
def _(t):
    t.need_remote_terminals()
    b = t.server("B")
    c = t.server("C", kind="sshd")
    at_b, at_a = t.ports(2)
    t.client(
        "-NR", data.spec(at_b, c, "localhost"), "-p", b.port, "%s@B" % USER, to=None, name="from-C"
    ).wait_listening(at_b)
    t.client(
        "-NL", "%d:localhost:%d" % (at_a, at_b), "-p", b.port, "%s@B" % USER, to=None, name="from-A"
    ).wait_listening(at_a)
    # The key behind A's port 4444 is C's.
    alias = "HostKeyAlias=[127.0.0.1]:%d" % c.port
    terminal = Terminal(t, t.command("-o", alias, "-p", at_a, "%s@localhost" % USER, to=None))
    terminal.type("echo port $((${SSH_CONNECTION##* }))\r")
    terminal.expect("port %d\\b" % c.port)
    terminal.type("exit 7\r")
    terminal.wait_exit(7)
    terminal.check_restored()


@test("a tunnel in a tunnel: a client logs in to C through its own -L to B", BOTH)
def _(t):
    t.server("B")
    c = t.server("C")
    inner, outer, echo = t.port(), t.port(), data.echo_service()
    t.tunnel("-L", data.spec(inner, c), listens=[inner], to="B")
    t.tunnel(
        "-o",
        "HostKeyAlias=[127.0.0.1]:%d" % c.port,
        "-p",
        inner,
        "-L",
        data.spec(outer, echo),
        listens=[outer],
        to="C",
    )
    data.check_echo(outer, total=8 * data.MIB)


@test("options after the destination, and clusters of them", BOTH)
def _(t):
    t.server("B")
    echo, (one, two) = data.echo_service(), t.ports(2)
    client = t.client(
        "B",
        "-L",
        data.spec(one, echo, "localhost"),
        "-NTL%d:localhost:%d" % (two, echo.port),
        to=None,
    )
    client.wait_listening(one, two)
    data.check_echo(one)
    data.check_echo(two)


@test("ssh://user@host:port names user, host and port", BOTH)
def _(t):
    server = t.server()
    echo, port = data.echo_service(), t.port()
    t.write_config(extra="Host 127.0.0.1\n    User nobody-by-this-name\n", names=False)
    client = t.client(
        "-N",
        "-L",
        data.spec(port, echo, "localhost"),
        "ssh://%s@127.0.0.1:%d" % (USER, server.port),
        to=None,
    )
    client.wait_listening(port)
    data.check_echo(port)


@test("-l names the user, -i the key", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    key, t.key = t.key, t.path("no_such_key")
    t.write_config(extra="Host gate\n    User nobody-by-this-name\n")
    t.tunnel("-l", USER, "-i", key, "-L", data.spec(port, echo, "localhost"), listens=[port])
    data.check_echo(port)
