"""ProxyCommand: a program that carries the connection."""

import sys

import check
import data
from case import SSHD, USER
from check import BOTH, test
from data import MIB
from process import command_line

# Its arguments go to a file; then it carries bytes between its standard streams and a TCP port.
RELAY = """
import os, socket, sys, threading
open(sys.argv[1], "a").write(" ".join(sys.argv[2:]) + "\\n")
sock = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
def up():
    while chunk := os.read(0, 65536):
        sock.sendall(chunk)
    sock.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while chunk := sock.recv(65536):
    while chunk:
        chunk = chunk[os.write(1, chunk):]
os._exit(0)
"""


def relay(t, *words):
    """The option for a ProxyCommand that carries bytes to %p and notes its arguments."""
    script = t.write("relay.py", RELAY)
    return "ProxyCommand=%s %s %s %%p %s" % (
        sys.executable,
        script,
        t.path("asked"),
        " ".join(words),
    )


def proxy_of_sshd(t):
    """The option for a ProxyCommand that is a server itself, with the configuration of t's."""
    return "ProxyCommand=%s -i -f %s" % (SSHD, t.path("gate_sshd_config"))


@test("a ProxyCommand carries forwards, both ways and in bulk", BOTH, limit=60)
def _(t):
    t.server()
    echo, (local, remote) = data.echo_service(), t.ports(2)
    t.tunnel(
        "-o",
        relay(t),
        "-L",
        data.spec(local, echo),
        "-R",
        data.spec(remote, echo),
        listens=[local, remote],
    )
    data.check_echo(local, total=16 * MIB)
    data.check_echo(remote, total=16 * MIB)


@test("a ProxyCommand is run by the shell, its tokens in place and the host's name not looked up")
def _(t):
    server = t.server()
    t.write_config("Host alias\n    HostName nowhere.invalid\n    Port %d\n" % server.port)
    known = t.read("known_hosts").replace("[127.0.0.1]", "[nowhere.invalid]")
    t.write("known_hosts", known)
    words = relay(t, "%h", "%n", "%r", "%%", '"$HOME;"')
    status, out, _ = t.run("-o", words, to="alias", remote=["echo", "here"])
    check.equal((status, out), (0, b"here\n"), "what the command did")
    wanted = "%d nowhere.invalid alias %s %% %s;\n" % (server.port, USER, t.folder)
    check.equal(t.read("asked"), wanted, "arguments")


@test("behind a ProxyCommand the server sees no address, and ssh's words for that", ("sshd",))
def _(t):
    t.server()
    status, out, _ = t.run(
        "-o", proxy_of_sshd(t), remote=["echo", "$SSH_CONNECTION"]
    )
    check.equal((status, out), (0, b"UNKNOWN 65535 UNKNOWN 65535\n"), "SSH_CONNECTION")


@test("a ProxyCommand that cannot be run, says nothing or talks nonsense: exit 255 and a reason", BOTH)
def _(t):
    t.server()
    for command in ("/nowhere/proxy", "true", "echo nonsense", "exit 3"):
        status, _, errors = t.run("-N", "-o", "ProxyCommand=" + command)
        check.equal(status, 255, "exit status with " + command)
        check.true(errors.strip(), "a reason is expected for " + command)


@test("a silent ProxyCommand is given up after ConnectTimeout, and hung up on")
def _(t):
    t.server()
    command = "sh -c 'echo $$ > %s; exec sleep 1000'" % t.path("pid")
    status, _, errors = t.run("-N", "-o", "ConnectTimeout=1", "-o", "ProxyCommand=" + command)
    check.equal(status, 255, "exit status")
    check.matches(errors, "timed out", "message")
    pid = int(t.read("pid"))
    check.wait_for(lambda: not command_line(pid), "the program to end")


@test("ProxyCommand none connects as usual")
def _(t):
    t.server()
    status, out, _ = t.run("-o", "ProxyCommand=none", remote=["echo", "here"])
    check.equal((status, out), (0, b"here\n"), "what the command did")
