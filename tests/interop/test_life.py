"""The client as a process: background, signals, servers that do not answer."""

import os
import signal
import socket

import check
import data
import process
from case import USER, make_key
from check import BOTH, test


def in_background(t, *args):
    """Runs a client with -f to the end of its foreground; returns the pid that stayed behind."""
    before = set(process.descendants(os.getpid()))
    status, out, errors = t.run("-f", "-N", *args)
    check.equal(status, 0, "exit status of the foreground (%s)" % errors.strip())
    check.equal(out, b"", "stdout")
    stayed = [
        pid
        for pid in set(process.descendants(os.getpid())) - before
        if process.command_line(pid)[:1] == [t.client_path]
    ]
    check.equal(len(stayed), 1, "processes left in the background")
    return stayed[0]


@test("-f returns when every forward is up, and they serve from the background", BOTH)
def _(t):
    t.server()
    web, (local, remote, dynamic) = data.WebServer(), t.ports(3)
    # t.run() reads stdout and stderr to their end: it returns only if the background lets go of them.
    pid = in_background(
        t,
        "-o",
        "ExitOnForwardFailure=yes",
        "-L",
        data.spec(local, web),
        "-R",
        data.spec(remote, web),
        "-D",
        "%d" % dynamic,
    )
    for port in (local, remote):
        status, body, _ = t.curl("http://127.0.0.1:%d/" % port)
        check.true(status == 0 and body == web.body, "GET through port %d" % port)
    t.web_through(web, "localhost", "--socks5-hostname", "127.0.0.1:%d" % dynamic)
    os.kill(pid, signal.SIGTERM)
    check.wait_for(lambda: not process.addresses_of(local), "the background to end")


@test("-f leaves the terminal's session", BOTH)
def _(t):
    t.server()
    port = t.port()
    pid = in_background(t, "-L", "%d:127.0.0.1:1" % port)
    check.true(os.getsid(pid) != os.getsid(0), "a session of its own")
    check.true(process.addresses_of(port), "listening when the foreground ends")


@test("-f with a forward that fails stays in the foreground and exits 255", BOTH)
def _(t):
    t.server()
    taken = data.Target()
    status, _, errors = t.run(
        "-f", "-N", "-o", "ExitOnForwardFailure=yes", "-L", "127.0.0.1:%d:127.0.0.1:1" % taken.port
    )
    check.equal(status, 255, "exit status")
    check.matches(errors, "already in use", "message")


@test("-f with a -R that the server refuses exits 255 under ExitOnForwardFailure")
def _(t):
    t.server(config="AllowTcpForwarding local")
    status, _, errors = t.run(
        "-f", "-N", "-o", "ExitOnForwardFailure=yes", "-R", "%d:127.0.0.1:1" % t.port()
    )
    check.equal(status, 255, "exit status")
    check.matches(errors, "remote port forwarding failed", "message")


@test("-f with a login that fails exits 255", BOTH)
def _(t):
    t.server()
    t.key = make_key(t.path("stranger"))
    t.write_config()
    status, _, errors = t.run("-f", "-N", "-L", "%d:127.0.0.1:1" % t.port())
    check.equal(status, 255, "exit status")
    check.matches(errors, "permission denied", "message")


@test("-f without -N and without a command is refused with exit 255")
def _(t):
    t.server()
    status, _, errors = t.run("-f")
    check.equal(status, 255, "exit status")
    check.matches(errors, "background without", "message")


@test("-f with a command runs it in the background")
def _(t):
    t.server()
    trace = t.path("trace")
    status, _, errors = t.run("-f", remote=["echo done > %s" % trace])
    check.equal(status, 0, "exit status (%s)" % errors.strip())
    check.wait_for(
        lambda: os.path.exists(trace) and t.read("trace") == "done\n", "the command's trace"
    )


@test("SIGTERM ends a -N client as it ends ssh", BOTH)
def _(t):
    t.server()
    port = t.port()
    client = t.tunnel("-L", "%d:127.0.0.1:1" % port, listens=[port])
    status = client.stop()
    # OpenSSH before 9.4 took every signal for a failure; later ones call SIGTERM an orderly end of -N.
    if t.is_ssh:
        check.true(status in (0, 255), "exit status %d" % status)
    else:
        check.equal(status, 0, "exit status")
    check.true(not process.addresses_of(port), "the listener is gone")


@test("SIGINT and SIGHUP end a -N client with 255", BOTH)
def _(t):
    t.server()
    for number in (signal.SIGINT, signal.SIGHUP):
        port = t.port()
        client = t.tunnel("-L", "%d:127.0.0.1:1" % port, listens=[port])
        client.signal(number)
        client.wait_exit(255)


@test("SIGTERM finishes no transfer, but its application sees a failure or an end at once", BOTH)
def _(t):
    t.server()
    target, port = data.Target(), t.port()
    client = t.tunnel("-L", data.spec(port, target), listens=[port])
    here, there = data.pair(port, target)
    here.sendall(b"hello")
    data.receive_exactly(there, 5)
    client.stop()
    data.ending(here)
    data.ending(there)


@test("nobody listens at the server's port: exit 255 and the address and reason")
def _(t):
    port = t.port()
    status, _, errors = t.run("-N", "-p", port, to="%s@127.0.0.1" % USER)
    check.equal(status, 255, "exit status")
    check.matches(
        errors,
        r"connect to (host |address )?127\.0\.0\.1 port %d: connection refused" % port,
        "message",
    )


@test("the server's name does not exist: exit 255 and the name")
def _(t):
    name = "x" * 70 + ".invalid"
    status, _, errors = t.run("-N", to=name)
    check.equal(status, 255, "exit status")
    check.matches(errors, r"resolve (hostname )?%s" % name, "message")


def silent_server(t, words=b"", then_close=False):
    """Something that takes connections and speaks no SSH."""

    def answer(sock):
        sock.sendall(words)
        if not then_close:
            data.receive(sock)

    service = data.Service(answer)
    t.write_config(extra="Host odd\n    HostName 127.0.0.1\n    Port %d\n" % service.port)


@test("ConnectTimeout covers a server that accepts and then says nothing")
def _(t):
    silent_server(t)
    status, _, errors = t.run("-N", "-o", "ConnectTimeout=1", to="odd", seconds=10)
    check.equal(status, 255, "exit status")
    check.matches(errors, r"timed out|timeout", "message")


ODD_SERVERS = {
    "closes at once": b"",
    "speaks HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "speaks SSH 1 only": b"SSH-1.5-old\r\n",
    "sends a version line without end": b"SSH-2.0-" + b"x" * 5000,
    "sends garbage after its version": b"SSH-2.0-odd\r\n" + bytes(range(256)) * 40,
    "sends a packet of four gigabytes": b"SSH-2.0-odd\r\n" + b"\xff\xff\xff\xff" + bytes(100),
    "sends NUL bytes": bytes(3000),
}

for what, words in ODD_SERVERS.items():

    @test("a server that %s: exit 255 and a message" % what, words=words)
    def _(t, words):
        silent_server(t, words, then_close=True)
        status, _, errors = t.run("-N", to="odd", seconds=15)
        check.equal(status, 255, "exit status")
        check.true(errors.strip(), "a message is expected")
        check.true("\0" not in errors, "control characters reached the terminal")


@test("a server that sends lines before its version line is listened to")
def _(t):
    server = t.server()

    def relay(sock):
        sock.sendall(b"some words first\r\nand more\r\n")
        onward = data.connect(server.port)
        there = data.Task(copy, sock, onward)
        copy(onward, sock)
        there.result()

    front = data.Service(relay)
    echo, port = data.echo_service(), t.port()
    t.tunnel(
        "-o",
        "HostKeyAlias=[127.0.0.1]:%d" % server.port,
        "-p",
        str(front.port),
        "-L",
        data.spec(port, echo),
        listens=[port],
    )
    data.check_echo(port)


def copy(source, sink):
    while True:
        piece = source.recv(65536)
        if not piece:
            return
        sink.sendall(piece)


@test("a server that no longer answers: ServerAliveInterval ends the client with 255", BOTH)
def _(t):
    server = t.server()
    port = t.port()
    client = t.tunnel(
        "-o",
        "ServerAliveInterval=1",
        "-o",
        "ServerAliveCountMax=2",
        "-L",
        "%d:127.0.0.1:1" % port,
        listens=[port],
    )
    process.signal_tree(server.process.pid, signal.SIGSTOP)
    client.wait_exit(255, seconds=12)
    check.matches(client.err(), r"Timeout, server \S+ not responding", "message")


@test("the server's keepalives are answered")
def _(t):
    server = t.server(config="LogLevel DEBUG3\nClientAliveInterval 1\nClientAliveCountMax 1")
    echo, port = data.echo_service(), t.port()
    client = t.tunnel("-L", data.spec(port, echo), listens=[port])
    # Unanswered, the second one would be the end. 82 is REQUEST_FAILURE, what a keepalive wants.
    check.wait_for(
        lambda: server.log().count("receive packet: type 82") >= 2 or not client.running(),
        "two answers to keepalives",
        8,
    )
    check.true(client.running(), "the server gave the client up")
    data.check_echo(port)


@test("-E writes the client's messages to a file", BOTH)
def _(t):
    t.server()
    port = t.port()
    log = t.path("messages")
    client = t.tunnel("-E", log, "-v", "-L", "%d:127.0.0.1:%d" % (port, t.port()), listens=[port])
    data.ending(data.connect(port))
    check.wait_for(lambda: "onnection refused" in t.read("messages"), "the message in the file")
    check.true("onnection refused" not in client.err(), "the message is not on stderr")


@test("-q keeps quiet about what -v talks of", BOTH)
def _(t):
    t.server()
    port, dead = t.port(), t.port()
    spec = "%d:127.0.0.1:%d" % (port, dead)
    quiet = t.tunnel("-q", "-L", spec, listens=[port])
    data.ending(data.connect(port))
    quiet.stop()
    check.equal(quiet.err(), "", "stderr under -q")
    chatty = t.tunnel("-v", "-L", spec, listens=[port])
    check.true(chatty.err(), "words under -v")


@test("-V prints the version and exits 0")
def _(t):
    status, out, errors = t.run("-V", to=None)
    check.equal(status, 0, "exit status")
    check.matches(out.decode() + errors, r"(adit|OpenSSH)\S* ?\S*\d", "version")


@test("-b sets the address that the connection comes from")
def _(t):
    server = t.server()
    port = t.port()
    t.tunnel("-b", "127.0.0.7", "-L", "%d:127.0.0.1:1" % port, listens=[port])
    check.matches(server.log(), r"Connection from 127\.0\.0\.7 port", "sshd's log")


@test("a client whose stdin is closed forwards all the same", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    command = t.command("-N", "-L", data.spec(port, echo))
    client = t.start("client", ["sh", "-c", 'exec "$@" <&-', "sh"] + command)
    client.wait_listening(port)
    data.check_echo(port)


@test("the connection may come from a socket that the kernel closes while the client starts")
def _(t):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()

    def slam():
        sock, _ = listener.accept()
        data.reset(sock)

    data.Task(slam)
    status, _, errors = t.run("-N", "-p", listener.getsockname()[1], to="127.0.0.1")
    check.equal(status, 255, "exit status")
    check.true(errors.strip(), "a message is expected")


@test("no zombie and no child is left by a client that ends", BOTH)
def _(t):
    t.server()
    port = t.port()
    client = t.tunnel("-L", "%d:127.0.0.1:1" % port, listens=[port])
    check.equal(
        [process.command_line(pid) for pid in process.descendants(client.pid)],
        [],
        "children of the client",
    )
    client.stop()
