"""OpenSSH's ssh as the client of aditd: the gateway speaks to more than its own kind."""

import re
import signal
import subprocess

import check
import data
import process
from case import ADITD, SSH, make_key, public_key
from check import test
from test_bulk import CIPHERS, KEXES, MACS
from test_close import half_close


def ssh(name, limit=30, **params):
    return test("ssh as client: " + name, ("aditd",), limit=limit, client_path=SSH, **params)


@ssh("-L carries bytes both ways to IPv4, IPv6 and a name")
def _(t):
    t.server()
    four, six = data.echo_service(), data.echo_service("::1" if t.has_ipv6 else "127.0.0.1")
    ports = t.ports(3)
    t.tunnel(
        "-L",
        data.spec(ports[0], four),
        "-L",
        "%d:[%s]:%d" % (ports[1], six.host, six.port),
        "-L",
        data.spec(ports[2], four, "localhost"),
        listens=ports,
    )
    for port in ports:
        data.check_echo(port)


@ssh("-R carries bytes both ways, and -R 0 tells the port")
def _(t):
    server = t.server()
    echo, port = data.echo_service(), t.port()
    client = t.tunnel(
        "-R", data.spec(port, echo), "-R", "0:127.0.0.1:%d" % echo.port, listens=[port]
    )
    data.check_echo(port)
    allocated = int(client.wait_text(r"Allocated port (\d+) for remote forward").group(1))
    data.check_echo(allocated, server.host_of(allocated))


@ssh("-D serves curl over SOCKS4, SOCKS4a, SOCKS5 and with names")
def _(t):
    t.server()
    web, port = data.WebServer(), t.port()
    t.tunnel("-D", "%d" % port, listens=[port])
    for option, host in (
        ("--socks4", "127.0.0.1"),
        ("--socks4a", "localhost"),
        ("--socks5", "127.0.0.1"),
        ("--socks5-hostname", "localhost"),
    ):
        t.web_through(web, host, option, "127.0.0.1:%d" % port)


for cipher in CIPHERS:

    @ssh("64 MiB of random data both ways at once under %s" % cipher, limit=60, cipher=cipher)
    def _(t, cipher):
        t.server()
        target, port = data.Target(), t.port()
        t.tunnel("-c", cipher, "-L", data.spec(port, target), listens=[port])
        data.exchange(*data.pair(port, target), 64 * data.MIB)


for mac in MACS:

    @ssh(
        "16 MiB of random data both ways at once under aes128-ctr with %s" % mac, limit=60, mac=mac
    )
    def _(t, mac):
        t.server()
        target, port = data.Target(), t.port()
        t.tunnel("-c", "aes128-ctr", "-m", mac, "-L", data.spec(port, target), listens=[port])
        data.exchange(*data.pair(port, target), 16 * data.MIB)


@ssh("64 MiB of random data both ways at once with -C", limit=60)
def _(t):
    t.server()
    target, port = data.Target(), t.port()
    t.tunnel("-C", "-L", data.spec(port, target), listens=[port])
    data.exchange(*data.pair(port, target), 64 * data.MIB)


for kex in KEXES:

    @ssh("the key exchange %s works, and again under load" % kex, limit=60, kex=kex)
    def _(t, kex):
        t.need_kex(kex)
        t.server()
        target, port = data.Target(), t.port()
        limits = ("-o", "KexAlgorithms=" + kex, "-o", "RekeyLimit=64K")
        t.tunnel(*limits, "-L", data.spec(port, target), listens=[port])
        data.exchange(*data.pair(port, target), data.MIB)


# ssh wants as many bits as its longest key deserves: here 3072 and 7680, of which we have 4096.
for cipher, bits in (("aes128-gcm@openssh.com", 3072), ("aes256-gcm@openssh.com", 4096)):

    @ssh("group exchange gives %d bits for %s" % (bits, cipher), cipher=cipher, bits=bits)
    def _(t, cipher, bits):
        t.server()
        kex = "KexAlgorithms=diffie-hellman-group-exchange-sha256"
        client = t.client("-N", "-vv", "-o", kex, "-c", cipher)
        client.wait_text(r"bits set: \d+/%d" % bits)


@ssh("rekey every 64 KiB under load in both directions", limit=60)
def _(t):
    t.server()
    target, port = data.Target(), t.port()
    t.tunnel(
        "-o",
        "KexAlgorithms=curve25519-sha256",
        "-o",
        "RekeyLimit=64K",
        "-L",
        data.spec(port, target),
        listens=[port],
    )
    data.exchange(*data.pair(port, target), 16 * data.MIB)


@ssh("half-close leaves the other direction open")
def _(t):
    for first in (0, 1):
        t.server("gate%d" % first)
        target, port = data.Target(), t.port()
        t.tunnel("-L", data.spec(port, target), listens=[port], to="gate%d" % first)
        ends = data.pair(port, target)
        half_close(ends[first], ends[1 - first])


@ssh("1,000 connections at once", limit=60)
def _(t):
    t.server()
    echo, port = data.echo_service(backlog=1000), t.port()
    t.tunnel("-L", data.spec(port, echo), listens=[port])
    socks = [data.connect(port) for _ in range(1000)]
    for i, sock in enumerate(socks):
        sock.sendall(b"%08d" % i)
    for i, sock in enumerate(socks):
        check.equal(data.receive_exactly(sock, 8), b"%08d" % i, "echo")


@ssh("a refused target is told as ssh tells it")
def _(t):
    t.server()
    port, dead = t.port(), t.port()
    client = t.tunnel("-L", "%d:127.0.0.1:%d" % (port, dead), listens=[port])
    data.ending(data.connect(port))
    client.wait_text("connect failed.*connection refused")


@ssh("a port in use at the gateway makes -R fail")
def _(t):
    t.server()
    taken = data.Target()
    status, _, errors = t.run(
        "-N", "-o", "ExitOnForwardFailure=yes", "-R", "127.0.0.1:%d:127.0.0.1:1" % taken.port
    )
    check.equal(status, 255, "exit status")
    check.matches(
        errors, "remote port forwarding failed for listen port %d" % taken.port, "message"
    )


@ssh("a listener is cancelled through a control socket, and its port is free again")
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    control = ["-S", t.path("ctl")]
    spec = data.spec(port, echo)
    master = t.tunnel("-M", *control, "-R", spec, listens=[port])
    run = subprocess.run(
        t.command(*control, "-O", "cancel", "-R", spec),
        capture_output=True,
        text=True,
        env=t.env,
        timeout=15,
    )
    check.equal(run.returncode, 0, "exit status of -O cancel (%s)" % run.stderr.strip())
    check.wait_for(lambda: not process.addresses_of(port), "the listener to go")
    check.true(master.running(), "the connection should go on")
    t.tunnel("-R", spec, listens=[port])
    data.check_echo(port)


@ssh("a session is refused in clear words")
def _(t):
    t.server()
    status, out, errors = t.run(remote=["true"])
    check.equal((status, out), (255, b""), "status and stdout")
    check.true(errors.strip(), "a message is expected")


@ssh("Unix sockets are refused in clear words, to the client and in the log")
def _(t):
    server = t.server()
    port = t.port()
    client = t.tunnel("-L", "%d:%s" % (port, t.path("socket")), listens=[port])
    with data.connect(port) as sock:
        check.equal(sock.recv(1), b"", "what came through")
    client.wait_text("open failed: .*forwards TCP ports only, no Unix sockets")
    server.process.wait_text("refused a channel of type direct-streamlocal@openssh.com")
    status, _, errors = t.run(
        "-N", "-o", "ExitOnForwardFailure=yes", "-R", "%s:localhost:1" % t.path("there")
    )
    check.equal(status, 255, "exit status (%s)" % errors.strip())
    server.process.wait_text("refused to listen on a Unix socket")


@ssh("a key that is not in the list is refused")
def _(t):
    t.server()
    t.key = make_key(t.path("stranger"))
    t.write_config()
    status, _, errors = t.run("-N")
    check.equal(status, 255, "exit status")
    check.matches(errors, r"Permission denied \(publickey\)", "message")


for kind, bits in (
    ("rsa", ("-b", "2048")),
    ("ecdsa", ("-b", "256")),
    ("ecdsa", ("-b", "384")),
    ("ecdsa", ("-b", "521")),
):

    @ssh("a user key of kind %s %s logs in" % (kind, bits[1]), kind=kind, bits=bits)
    def _(t, kind, bits):
        t.key = make_key(t.path("other_kind"), kind, *bits)
        t.server(authorized="# a comment\n\n" + public_key(t.key) + " somebody\n")
        echo, port = data.echo_service(), t.port()
        t.tunnel("-L", data.spec(port, echo), listens=[port])
        data.check_echo(port)


@ssh("keepalives are answered")
def _(t):
    t.server()
    client = t.client("-N", "-vvv", "-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=1")
    # Unanswered, the second one would be the end. 82 is REQUEST_FAILURE, what a keepalive wants.
    check.wait_for(
        lambda: client.err().count("receive packet: type 82") >= 2 or not client.running(),
        "two answers to keepalives",
        8,
    )
    check.true(client.running(), "the client gave the gateway up")


@ssh("the gateway goes on after clients that talk nonsense, and ends on SIGTERM")
def _(t):
    server = t.server()
    for words in (
        b"",
        b"GET / HTTP/1.0\r\n\r\n",
        b"SSH-1.5-x\r\n",
        b"SSH-2.0-x\r\n" + b"\xff" * 100,
        bytes(5000),
        b"SSH-2.0-x\r\n" + bytes(range(256)) * 100,
        b"SSH-2.0-" + b"x" * 10000,
    ):
        with data.connect(server.port) as sock:
            try:
                sock.sendall(words)
                sock.shutdown(1)
                data.ending(sock)
            except OSError:
                pass  # it may have hung up already, which is its right
    echo, port = data.echo_service(), t.port()
    t.tunnel("-L", data.spec(port, echo), listens=[port])
    data.check_echo(port)
    server.process.signal(signal.SIGTERM)
    server.process.wait_exit()


@ssh("the gateway listens on loopback alone unless it is told otherwise")
def _(t):
    server = t.server()
    check.equal(
        process.addresses_of(server.port) - process.LOOPBACK, set(), "addresses outside loopback"
    )


@ssh("a gateway whose host key, key list or port is bad says so and ends")
def _(t):
    if ADITD is None:
        raise check.Skip("aditd is not built")
    key = make_key(t.path("host"))
    authorized = t.write("authorized", public_key(t.key) + "\n")
    taken = data.Target()
    junk = t.write("junk", "no key\n")
    for args, word in (
        (["-p", "0", "-h", junk, "-A", authorized], re.escape(junk)),
        (["-p", "0", "-h", t.path("nowhere"), "-A", authorized], re.escape(t.path("nowhere"))),
        (["-p", "99999", "-h", key, "-A", authorized], "99999"),
        (["-p", str(taken.port), "-h", key, "-A", authorized], "in use"),
        (["-p", "0", "-A", authorized], "host key|usage"),
    ):
        run = subprocess.run(
            [ADITD, "-D", *args], capture_output=True, text=True, env=t.env, timeout=10
        )
        check.true(run.returncode != 0, "a failure is expected of %s" % args)
        check.matches(run.stderr, word, "message")
    # A list may be put in its place later, but that it is not there yet has to be said.
    t.start("aditd", [ADITD, "-D", "-p", "0", "-h", key, "-A", t.path("nowhere")]).wait_text(
        re.escape(t.path("nowhere"))
    )
