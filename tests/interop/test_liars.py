"""Servers that lie about their key or during the login (peers/lying_server.py, which is made of
Paramiko), and clients that never come to theirs."""

import os
import re
import resource

import check
import data
from case import HERE, Server, make_key
from check import test
from peer_kinds import PYTHON, Script, port_of
from terminal import Terminal
from test_agent import with_askpass

FREE = "127.0.0.1 let us in without asking for any proof of who we are"
# What a person would be asked is asked, by the program of with_askpass().
ASKS = ("-o", "BatchMode=no")


def liar(t, lie, *kind):
    """Starts a server that tells the lie, for the client to know as gate. kind is its host key's."""
    Script("Paramiko", "paramiko").need()
    host_key, other = make_key(t.path("gate_host_key"), *kind), make_key(t.path("other_host_key"))
    script = os.path.join(HERE, "peers", "lying_server.py")
    process = t.start("gate", [PYTHON, "-W", "ignore", script, lie, host_key, other])
    server = Server("gate", port_of(process), host_key, process)
    t.servers["gate"] = server
    t.know(server)
    t.write_config()


def logs_in(t, *args):
    """What -v says of a login, and whether a person at a terminal is told that it was for nothing."""
    port = t.port()
    said = t.tunnel("-v", *args, "-L", "%d:127.0.0.1:1" % port, listens=[port]).err()
    port = t.port()
    command = t.command("-N", *args, "-L", "%d:127.0.0.1:1" % port)
    terminal = Terminal(t, ["sh", "-c", 'exec "$@" 2>&1', "sh"] + command)
    if FREE in said:
        terminal.expect(re.escape(FREE))
    terminal.process.wait_listening(port)
    check.matches(said, r"Authenticated to \S+ ", "at -v")
    return FREE in said


@test("a server that takes a public key without its signature is told as one that takes anybody")
def _(t):
    t.need_adit("it tells nobody")
    liar(t, "key-unsigned")
    check.true(logs_in(t), "it was not told")


@test("a server that takes the answers to no questions is told as one that takes anybody")
def _(t):
    t.need_adit("it tells nobody")
    liar(t, "no-questions")
    check.true(logs_in(t, *ASKS), "it was not told")


@test("a server that takes any answer is told to nobody: one was given")
def _(t):
    t.need_adit("it tells nobody")
    liar(t, "one-question")
    asked = with_askpass(t, "anything")
    check.true(not logs_in(t, *ASKS), "told although it was asked for proof")
    check.matches(asked(), "What now", "what was asked")


def ends(t, lie, pattern):
    """The client must end with 255, and say why."""
    liar(t, lie)
    asked = with_askpass(t, "anything")
    status, _, errors = t.run("-N", *ASKS)
    check.equal(status, 255, "exit status")
    check.matches(errors, pattern, "message")
    return asked()


@test("a server with more questions at once than anybody answers: none is asked, the reason is told")
def _(t):
    t.need_adit("it asks them all")
    asked = ends(t, "many-questions", r": the server asks 33 questions at once, more than 32")
    check.equal(asked, "", "what was asked")


@test("a question that nobody can answer ends the login, and the reason is told")
def _(t):
    t.need_adit("it sends an empty answer")
    liar(t, "one-question")
    t.env.update(SSH_ASKPASS="/bin/false", SSH_ASKPASS_REQUIRE="force")
    status, _, errors = t.run("-N", *ASKS)
    check.equal(status, 255, "exit status")
    check.matches(errors, "the server's question was not answered", "message")


@test("a server whose passwords are always expired is left after a bounded number of them")
def _(t):
    t.need_adit("it goes on")
    asked = ends(t, "expired-password", r"server asked for more than \d+ answers")
    check.true(len(asked.splitlines()) < 250, "%d questions" % len(asked.splitlines()))


# ---- who the server is


@test("a host key that is too short is refused, and the reason is told")
def _(t):
    t.need_adit("its words differ")
    liar(t, "key-unsigned", "rsa", "-b", "1024")
    status, _, errors = t.run("-N")
    check.equal(status, 255, "exit status")
    check.matches(errors, "server's host key is damaged or of a kind that is not accepted", "reason")
    check.matches(errors, "Host key verification failed", "message")


@test("another host key in a renewed key exchange ends the connection, and the reason is told")
def _(t):
    t.need_adit("its words differ")
    liar(t, "other-host")
    status, _, errors = t.run("-N")
    check.equal(status, 255, "exit status")
    check.matches(errors, "another host key in a renewed key exchange", "reason")
    check.matches(errors, "Host key verification failed", "message")


# ---- clients that do not log in


def hold(server, n):
    """Connects n times and says nothing more; the connections that were not turned away."""
    held = []
    for _ in range(n):
        try:
            sock = data.connect(server.port)
            data.receive_exactly(sock, len(b"SSH-2.0-"))
            held.append(sock)
        except (OSError, check.Failure):
            pass  # turned away
    return held


def is_open(sock):
    """Has the other side not closed it, behind what it had said by then?"""
    sock.setblocking(False)
    try:
        while sock.recv(4096) != b"":
            pass
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


@test("who holds connections open without a login keeps nobody else out", ("aditd",))
def _(t):
    server = t.server()
    echo = data.echo_service()
    held, away = hold(server, 100), "127.0.0.1:%d" % echo.port

    def comes_through(source):
        return t.run("-b", source, "-W", away, input=b"hello")[:2] == (0, b"hello")

    check.true(comes_through("127.0.0.2"), "another place has no part in it")
    check.wait_for(lambda: comes_through("127.0.0.1"), "room at the very same place")
    server.process.wait_text("idle before login, and others from there are waiting")
    n_open = sum(is_open(sock) for sock in held)
    check.true(0 < n_open <= 20, "%d connections without a login are open" % n_open)


@test("who opens channels without end leaves descriptors to the others", ("aditd",))
def _(t):
    server = t.server()
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (256, 256))
    echo, port, other = data.echo_service(), t.port(), t.port()
    greedy = t.tunnel("-L", data.spec(port, echo), listens=[port])
    held = [data.connect(port) for _ in range(400)]
    greedy.wait_text("too many channels")
    data.check_echo_on(held[0])
    t.tunnel("-L", data.spec(other, echo), listens=[other])
    data.check_echo(other)
    for sock in held:
        sock.close()
