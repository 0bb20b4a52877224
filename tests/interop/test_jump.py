"""-J and ProxyJump: servers on the way."""

import os
import re
import signal

import check
import data
from case import USER, make_key, public_key
from check import BOTH, test
from data import MIB
from process import command_line, descendants
from terminal import Terminal
from test_keys import WORDS, run_tool


def on_the_way(t, *names):
    """Servers of the test's kind that lead on, and an sshd at the end of the way."""
    for name in names:
        t.server(name)
    return t.server("end", kind="sshd")


def jumps_of(client):
    """The command lines of the clients that a client runs on its way."""
    lines = [command_line(pid) for pid in descendants(client.pid)]
    return [line for line in lines if "-W" in line]


def silent_server():
    """A server that never says a word, and the list of those who came."""
    came = []

    def wait(sock):
        came.append(sock)
        while sock.recv(1000):
            pass

    return data.Service(wait), came


def check_chain_ends(client, number, n_jumps):
    pids = descendants(client.pid)
    check.equal(len(pids), n_jumps, "processes on the way")
    client.signal(number)
    client.wait_exit()
    check.wait_for(
        lambda: not any(command_line(pid) for pid in pids),
        "the jumps to end after signal %d" % number,
    )


@test("-J through one server and through two, each of which is logged in to", BOTH)
def _(t):
    on_the_way(t, "one", "two")
    for jumps, n in (("one", 2), ("one,two", 3)):
        status, out, errors = t.run("-v", "-J", jumps, to="end", remote=["echo", "here"])
        check.equal((status, out), (0, b"here\n"), "-J %s (%s)" % (jumps, errors))
        logins = re.findall(r"Authenticated to 127\.0\.0\.1 \((.*)\)", errors)
        check.equal(len(logins), n, "logins with -J " + jumps)
        check.equal(logins.count("via proxy"), n - 1, "logins through a jump with -J " + jumps)
    status, out, errors = t.run("-J", "one,two", to="end", remote=["echo", "here"])
    check.equal((status, out), (0, b"here\n"), "without -v")
    check.true("Authenticated" not in errors and "adit:" not in errors, "words: " + errors)


@test("-L, -R and -D go through two jumps in bulk", BOTH, limit=90)
def _(t):
    on_the_way(t, "one", "two")
    echo, (local, remote) = data.echo_service(), t.ports(2)
    t.tunnel(
        "-J",
        "one,two",
        "-L",
        data.spec(local, echo),
        "-R",
        data.spec(remote, echo),
        to="end",
        listens=[local, remote],
    )
    data.check_echo(local, total=8 * MIB)
    data.check_echo(remote, total=8 * MIB)


@test("a jump has its own user, port and address, as ssh:// too and in brackets", BOTH)
def _(t):
    one = t.server("one")
    t.server("end", kind="sshd")
    forms = [
        "%s@127.0.0.1:%d" % (USER, one.port),
        "ssh://%s@127.0.0.1:%d/" % (USER, one.port),
        "localhost:%d,%s@127.0.0.1:%d" % (one.port, USER, one.port),
    ]
    if t.has_ipv6 and t.server_kind == "sshd":
        forms += ["[::1]:%d" % one.port] + ["ssh://[::1]:%d" % one.port] * (not t.is_ssh)
    for form in forms:
        status, out, errors = t.run("-J", form, to="end", remote=["echo", "here"])
        check.equal((status, out), (0, b"here\n"), "-J %s (%s)" % (form, errors))
    if t.has_ipv6:
        port = t.servers["end"].port
        status, out, errors = t.run("-J", "one", "-p", port, to="::1", remote=["echo", "here"])
        check.equal((status, out), (0, b"here\n"), "to an IPv6 address (%s)" % errors)
    t.run("-N", "-J", "%s-2@127.0.0.1:%d" % (USER, one.port), to="ssh://127.0.0.1:1")
    check.matches(one.log(), r"(user|for) %s-2\b" % USER, "who came to the jump")


@test("ProxyJump in a config file, each host with its own block, and none for one of them", BOTH)
def _(t):
    on_the_way(t, "one", "two")
    t.write_config(
        "Host one\n    ProxyJump none\n"
        "Host two\n    ProxyJump one\n"
        "Host end\n    ProxyJump %r@two\n"
        "Host *\n    ProxyJump nowhere.invalid\n"
    )
    client = t.client("-N", "-v", to="end", name="chain")
    client.wait_text(r"Authenticated to 127\.0\.0\.1 \(via proxy\)[\s\S]*via proxy")
    names = sorted(line[-1] for line in jumps_of(client))
    check.equal(names, ["one", "two"], "the servers on the way")
    status, out, _ = t.run("-J", "none", to="end", remote=["echo", "here"])
    check.equal((status, out), (0, b"here\n"), "-J none goes past the file")


@test("a config file whose name the shell would take apart is handed on whole")
def _(t):
    t.need_adit("the file's name stands in the command as it is")
    on_the_way(t, "one")
    t.config_path = t.write("it's a $(touch x);`touch y` \"config\"", t.read("config"))
    status, out, errors = t.run("-J", "one", to="end", remote=["echo", "here"])
    check.equal((status, out), (0, b"here\n"), "what the command did (%s)" % errors)


@test("-v is handed on, and other options are the destination's alone")
def _(t):
    on_the_way(t, "one")
    client = t.client("-N", "-vv", "-4", "-C", "-o", "ConnectTimeout=9", "-J", "one", to="end")
    client.wait_text(r"\(via proxy\)")
    (line,) = jumps_of(client)
    letters = "".join(w[1:] for w in line if w.startswith("-v"))
    check.equal(letters, "vv", "how often -v")
    for word in ("-4", "-C", "-o", "ConnectTimeout=9", "-N"):
        check.true(word not in line, "%s is not for the jump" % word)


@test("a jump that fails says why, then we say for what: exit 255", BOTH)
def _(t):
    t.need_adit("it says that the connection was closed by UNKNOWN port 65535")
    on_the_way(t, "one")
    closed = t.port()
    cases = [
        ("127.0.0.1:%d" % closed, "end", "port %d: Connection refused" % closed),
        ("nowhere.invalid", "end", "Could not resolve hostname nowhere.invalid"),
        ("one", "ssh://127.0.0.1:%d" % closed, "could not connect to 127.0.0.1:%d" % closed),
        ("one,127.0.0.1:%d" % closed, "end", "could not connect to 127.0.0.1:%d" % closed),
    ]
    for jumps, to, reason in cases:
        status, _, errors = t.run("-N", "-J", jumps, to=to)
        check.equal(status, 255, "exit status with -J %s" % jumps)
        first, last = errors.find(reason), errors.rfind("connection to 127.0.0.1 by way of ")
        check.true(0 <= first < last, "a reason and then ours: %s" % errors)


@test("a jump whose host key is not known is not gone through, whatever the command line allows")
def _(t):
    one = t.server("one")
    t.server("end", kind="sshd")
    known = [line for line in t.read("known_hosts").splitlines() if ":%d " % one.port not in line]
    t.write("known_hosts", "\n".join(known) + "\n")
    status, _, errors = t.run("-o", "StrictHostKeyChecking=no", "-J", "one", "-N", to="end")
    check.equal(status, 255, "exit status")
    check.matches(errors, "Host key verification failed", "message")


@test("a jump asks for its passphrase on our terminal, and then we for ours")
def _(t):
    for name in ("one", "end"):
        key = make_key(t.path(name + "_key"))
        run_tool("ssh-keygen", "-q", "-p", "-P", "", "-N", WORDS, "-f", key)
        t.server(name, authorized=public_key(key) + "\n")
    t.write_config(
        "".join(
            "Host %s\n    IdentityFile %s\n    BatchMode no\n" % (name, t.path(name + "_key"))
            for name in ("one", "end")
        )
    )
    terminal = Terminal(t, t.command("-J", "one", to="end") + ["echo i''n"])
    for name in ("one", "end"):
        terminal.expect("Enter passphrase for key '%s': " % re.escape(t.path(name + "_key")))
        terminal.type(WORDS + "\r")
    terminal.expect("in")
    terminal.wait_exit(0)
    terminal.check_restored()


@test("names that a shell would act on are refused on the way, and nothing is run", BOTH)
def _(t):
    t.need_adit("only what stands before a blank counts")
    on_the_way(t, "one")
    trap = t.path("trap")
    for name in (
        "x;touch${IFS}%s" % trap,
        "$(touch %s)" % trap,
        "`touch %s`@one" % trap,
        "one,x|touch %s" % trap,
        "ssh://$(touch %s)@one" % trap,
        "-oProxyCommand=touch %s" % trap,
        "one,-oProxyCommand=touch %s" % trap,
        "-x@one",
        "one\ntouch %s" % trap,
        "",
        "one,",
        "one:0",
        "one:65536",
    ):
        for words in (["-J", name], ["-J" + name], ["-o", 'ProxyJump="%s"' % name]):
            status, _, errors = t.run(*words, "-N", to="end")
            check.equal(status, 255, "exit status with %s" % words)
            check.true("ProxyJump" in errors or "-J" in errors, "where it is: %s" % errors)
    check.true(not os.path.exists(trap), "something was run")


@test("a jump that leads to itself is an error at once")
def _(t):
    t.server()
    status, _, errors = t.run("-N", "-J", "localhost:2222", "-p", "2222", to="localhost")
    check.equal(status, 255, "exit status")
    check.matches(errors, "jumphost loop via localhost", "message")


@test("two servers that are each other's jumps, or one on another port, are an error and no endless chain")
def _(t):
    t.need_adit("it starts one client after another until it is stopped")
    t.server()
    t.write_config("Host gate\n    ProxyJump other\nHost other\n    ProxyJump gate\n")
    status, _, errors = t.run("-N")
    check.equal(status, 255, "exit status")
    check.matches(errors, "jumphost loop via (gate|other): more than 32 jumps", "message")
    t.write_config("Host *\n    ProxyJump gate\n")
    status, _, errors = t.run("-N")
    check.equal(status, 255, "exit status")
    check.matches(errors, "jumphost loop via gate: it is the destination itself", "message")


@test("jumps end with us, however we end", BOTH)
def _(t):
    on_the_way(t, "one", "two")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL):
        port = t.port()
        client = t.tunnel("-J", "one,two", "-D", port, to="end", listens=[port])
        check_chain_ends(client, number, 2)


@test("-f through a jump: it stays when the terminal is given back, and both end together")
def _(t):
    on_the_way(t, "one")
    echo, port = data.echo_service(), t.port()
    client = t.client("-f", "-N", "-J", "one", "-L", data.spec(port, echo), to="end")
    client.wait_exit(0)
    data.check_echo(port)
    pids = descendants(os.getpid())
    (main,) = [pid for pid in pids if "-f" in command_line(pid)]
    (jump,) = [pid for pid in pids if "-W" in command_line(pid)]
    os.kill(main, signal.SIGTERM)
    check.wait_for(
        lambda: not command_line(main) and not command_line(jump), "both of them to end"
    )


@test("jumps end with us before a login too, ours or theirs, and below nohup", BOTH)
def _(t):
    t.need_adit("its jumps stay until they notice by themselves")
    on_the_way(t, "one", "two")
    for number in (signal.SIGTERM, signal.SIGKILL):
        silent, came = silent_server()
        where = "127.0.0.1:%d" % silent.port
        for jumps, to in (("one,two", "ssh://" + where), ("one," + where, "end")):
            came.clear()
            client = t.client(
                "-N",
                "-J",
                jumps,
                to=to,
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
            )
            check.wait_for(lambda: came, "the jumps to lead there")
            check_chain_ends(client, number, 2)
