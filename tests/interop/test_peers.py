"""The client at every server there is: all that it has in common with each."""

import base64
import os
import socket
import subprocess

import check
import data
from agent import Agent, Played, SecurityKey
from case import authority, certify, make_key, public_key
from check import test
from peer import PEERS, both_have, offers, serve
from peer_kinds import PASSWORD, TinySSH
from table import Cell


def every_peer(name, feature, *, only=lambda peer: True, limit=60):
    """Registers a test for each peer that only() holds for. What it returns stands in the table
    that ends the run, peer by feature."""

    def register(run):
        for peer in PEERS:
            if only(peer):
                check.test(
                    "%s: %s" % (peer.name, name),
                    (),
                    limit=limit,
                    cell=Cell("adit at", peer.name, feature, name),
                    peer=peer,
                )(run)
        return run

    return register


def has(feature):
    """For only: peers that have what the attribute says."""
    return lambda peer: getattr(peer, feature)


@every_peer("its version, as its first words say", "version")
def _(t, peer):
    return offers(serve(t, peer).port)["version"]


def carry(t, *args, total=64 * 1024):
    """One connection that carries so many bytes there and back."""
    sent = os.urandom(total)
    status, got, errors = t.run(*args, remote=["cat"], input=sent)
    check.equal(status, 0, "exit status with %s (%s)" % (" ".join(args), errors.strip()))
    check.true(got == sent, "%d bytes of %d came back, or others" % (len(got), total))


@test("the server leaves at once behind a session: what our reader has not taken yet is kept", ())
def _(t):
    t.need_adit("it loses that")
    server, sent = serve(t, TinySSH()), os.urandom(512 * 1024)  # many times what a pipe takes
    command = t.command("-L", "%d:127.0.0.1:1" % t.port()) + ["cat"]
    client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=t.env)
    client.stdin.write(sent)
    client.stdin.close()
    server.process.wait_text("info: finished")
    check.wait_for(lambda: not has_sockets(client.pid), "the client to see it leave")
    got = client.stdout.read()
    check.true(got == sent, "%d bytes of %d, or others" % (len(got), len(sent)))
    check.equal(client.wait(10), 0, "exit status")


def has_sockets(pid):
    folder = "/proc/%d/fd" % pid
    links = (os.path.join(folder, fd) for fd in os.listdir(folder))
    return any(os.readlink(link).startswith("socket:") for link in links)


# ---- login


def user_keys(t, peer):
    """One of each kind that the peer lets in. With RSA keys ssh goes only where it is told how."""
    kinds = peer.user_kinds
    if t.is_ssh and not peer.tells_algorithms:
        kinds = [(kind, bits) for kind, bits in kinds if kind != "rsa"]
    paths = [t.path("_".join(("user", kind) + bits)) for kind, bits in kinds]
    return [make_key(path, kind, *bits) for path, (kind, bits) in zip(paths, kinds)]


def lines_of(keys):
    return "".join(public_key(key) + "\n" for key in keys)


def serve_keys(t, peer, keys):
    """With host keys of each kind, since Conch takes those kinds alone of users."""
    serve(t, peer, host_kinds=peer.host_kinds, authorized=lines_of(keys))


def login_with_each(t, keys, *args):
    for key in keys:
        t.key = key
        t.write_config()
        carry(t, *args)
    return "%d" % len(keys)


@every_peer("login with a key of each kind in a file", "user keys")
def _(t, peer):
    keys = user_keys(t, peer)
    serve_keys(t, peer, keys)
    return login_with_each(t, keys)


@every_peer("login with a key of each kind in an agent", "agent keys")
def _(t, peer):
    keys, holder = user_keys(t, peer), Agent(t)
    serve_keys(t, peer, keys)
    holder.add(*keys)
    for key in keys:
        os.unlink(key)  # what is left says which of the agent's
    return login_with_each(t, keys, "-o", "IdentityAgent=" + holder.path)


@every_peer(
    "login with a certificate for a key of each kind",
    "user certificates",
    only=has("certificates"),
)
def _(t, peer):
    keys, ca = user_keys(t, peer), make_key(t.path("ca"))
    serve(t, peer, authorized=authority(ca))
    for key in keys:
        certify(ca, key)
    return login_with_each(t, keys)


@every_peer("login with a security key", "security key", only=has("security_keys"))
def _(t, peer):
    token = SecurityKey()
    line = "%s %s\n" % (token.TYPE.decode(), base64.b64encode(token.blob).decode())
    serve(t, peer, authorized=line)
    played = Played(t, token.answer)
    t.key = t.path("token")
    t.write("token.pub", line)
    t.write_config()
    carry(t, "-o", "IdentityAgent=" + played.path)


@every_peer("a key that it does not know is refused", "wrong key")
def _(t, peer):
    serve(t, peer)
    for kind in ("ed25519", "ecdsa", "rsa"):
        t.key = make_key(t.path("stranger_" + kind), kind)
        t.write_config()
        status, out, errors = t.run(remote=["cat"])
        check.equal((status, out), (255, b""), "status and output with a stranger's %s key" % kind)
        check.matches(errors, "permission denied", "stderr")
    return "refused"


def ask(t, answer):
    """Makes the client under test get this answer whenever it wants to ask a person."""
    script = t.write("askpass", "#!/bin/sh\necho '%s'\n" % answer, 0o700)
    t.env.update(SSH_ASKPASS=script, SSH_ASKPASS_REQUIRE="force", DISPLAY=":0")


def with_words(t, peer, method):
    """Logs in by a method that asks for words: with the right ones, then with others."""
    serve(t, peer, authorized=lines_of([make_key(t.path("another"))]), passwords=True)
    args = ("-o", "BatchMode=no", "-o", "PreferredAuthentications=" + method)
    args += ("-o", "NumberOfPasswordPrompts=1")
    ask(t, PASSWORD)
    carry(t, *args)
    ask(t, "another")
    status, _, errors = t.run(*args, remote=["cat"])
    check.equal(status, 255, "status after a wrong answer")
    check.matches(errors, "permission denied", "stderr")


@every_peer("login with a password", "password", only=has("passwords"))
def _(t, peer):
    with_words(t, peer, "password")


@every_peer("login where nothing is asked for", "nothing", only=has("nothing"))
def _(t, peer):
    serve(t, peer, authorized=lines_of([make_key(t.path("another"))]), nothing=True)
    carry(t)


@every_peer("login by questions", "questions", only=has("interactive"))
def _(t, peer):
    with_words(t, peer, "keyboard-interactive")


@every_peer("many commands in a row, each with all its output and its status", "commands")
def _(t, peer):
    serve(t, peer)
    for _ in range(30):
        carry(t, total=10)


# ---- algorithms, one connection for each that both sides have


def each(t, server, which, query, option, *more):
    names = both_have(t, server, which, query)
    for name in names:
        carry(t, "-o", "%s=%s" % (option, name), *more)
    return names


@every_peer("every key exchange with every cipher", "kex x ciphers", limit=120)
def _(t, peer):
    server = serve(t, peer)
    kexes = both_have(t, server, "kex", "kex")
    ciphers = both_have(t, server, "ciphers", "cipher")
    for kex in kexes:
        for cipher in ciphers:
            carry(t, "-o", "KexAlgorithms=" + kex, "-c", cipher, total=1000)
    return "%d x %d" % (len(kexes), len(ciphers))


@every_peer("every MAC", "MACs")
def _(t, peer):
    server = serve(t, peer)
    counter = [name for name in both_have(t, server, "ciphers", "cipher") if "-ctr" in name]
    if not counter:
        return "none"  # every cipher brings its own
    return "%d" % len(each(t, server, "MACs", "mac", "MACs", "-c", counter[0]))


@every_peer("every kind of host key", "host keys")
def _(t, peer):
    server = serve(t, peer, host_kinds=peer.host_kinds)
    names = each(t, server, "host keys", "HostKeyAlgorithms", "HostKeyAlgorithms")
    return "%d" % len(names)


@every_peer(
    "a host certificate for a key of each kind", "host certificates", only=has("host_certificates")
)
def _(t, peer):
    ca = make_key(t.path("ca"))
    server = serve(t, peer, host_kinds=peer.host_kinds, authority=ca)
    t.write("known_hosts", "@cert-authority [127.0.0.1]:* %s\n" % public_key(ca))
    names = both_have(t, server, "host keys", "HostKeyAlgorithms")
    certified = [name for name in names if "-cert-" in name]
    for name in certified:
        carry(t, "-o", "HostKeyAlgorithms=" + name)
    return "%d" % len(certified)


@every_peer("a host key that is not the known one is refused", "wrong host")
def _(t, peer):
    server = serve(t, peer)
    other = make_key(t.path("other"))
    t.write("known_hosts", "[127.0.0.1]:%d %s\n" % (server.port, public_key(other)))
    status, out, _ = t.run(remote=["cat"])
    check.equal((status, out), (255, b""), "status and output")
    return "refused"


# ---- forwards


def echo_through(peer, port, total=data.MIB):
    """Random bytes that come back from an echo service; where the peer keeps a channel that is closed
    in one direction, so does their end."""
    if peer.half_close:
        data.check_echo(port, total=total)
        return
    with data.connect(port) as sock:
        back = data.Task(data.receive, sock, total)
        sent = data.send_random(sock, total)
        check.equal(back.result(), (total, sent), "echoed bytes")


@every_peer("-L carries bytes both ways, and outlives a refused connection", "-L", only=has("forwards"))
def _(t, peer):
    serve(t, peer)
    target, echo, (one, other, third) = data.Target(), data.echo_service(), t.ports(3)
    dead = t.port()
    t.tunnel(
        *("-L", data.spec(one, target)),
        *("-L", data.spec(other, echo, "localhost")),
        *("-L", "%d:127.0.0.1:%d" % (third, dead)),
        listens=[one, other, third],
    )
    data.exchange(*data.pair(one, target), 2 * data.MIB)
    with data.connect(third) as sock:
        data.ending(sock)
    echo_through(peer, other)
    for _ in range(20):
        echo_through(peer, other, total=1000)


LISTENS = r"the server listens on port|remote forward success"


@every_peer("-R carries bytes both ways", "-R", only=has("forwards"))
def _(t, peer):
    serve(t, peer)
    target, echo, (one, other) = data.Target(), data.echo_service(), t.ports(2)
    client = t.client(
        *("-v", "-N", "-R", data.spec(one, target)), *("-R", data.spec(other, echo, "localhost"))
    )
    client.wait_text("(?s)(%s).*(%s)" % (LISTENS, LISTENS))
    client.wait_listening(one, other)
    data.exchange(*data.pair(one, target), 2 * data.MIB)
    echo_through(peer, other)
    for _ in range(20):
        echo_through(peer, other, total=1000)


@every_peer("-R 0:... prints the port that it allocated, and it works", "-R 0", only=has("forwards"))
def _(t, peer):
    if not peer.names_ports:
        t.need_adit("it takes no channel that is said to come from port 0")
    serve(t, peer)
    echo = data.echo_service()
    client = t.client("-N", "-R", "0:localhost:%d" % echo.port)
    port = int(client.wait_text(r"Allocated port (\d+) for remote forward").group(1))
    client.wait_listening(port)
    echo_through(peer, port)


@every_peer(
    "an end of one direction leaves the other one open", "half-close", only=has("half_close")
)
def _(t, peer):
    serve(t, peer)
    target, (one, other) = data.Target(), t.ports(2)
    t.tunnel("-L", data.spec(one, target), "-R", data.spec(other, target), listens=[one, other])
    for port in (one, other):
        here, there = data.pair(port, target)
        here.shutdown(socket.SHUT_WR)
        check.equal(there.recv(1), b"", "bytes before the end")
        sent = data.send_random(there, data.MIB)
        there.close()
        check.equal(data.receive(here), (data.MIB, sent), "bytes the other way")


@every_peer("-D serves curl over SOCKS4, SOCKS5 and a name", "-D", only=has("forwards"))
def _(t, peer):
    serve(t, peer)
    web, port = data.WebServer(), t.port()
    t.tunnel("-D", "%d" % port, listens=[port])
    t.web_through(web, "127.0.0.1", "--socks4", "127.0.0.1:%d" % port)
    t.web_through(web, "127.0.0.1", "--socks5", "127.0.0.1:%d" % port)
    t.web_through(web, "localhost", "--socks5-hostname", "127.0.0.1:%d" % port)


# ---- new keys


def load(t, peer, *args):
    """Bytes both ways through a -L, and more of them until both sides changed keys often enough; how
    often, by what the client says: no two servers log them alike."""
    target, port = data.Target(), t.port()
    client = t.tunnel("-v", *args, "-L", data.spec(port, target), listens=[port])
    one, other = data.pair(port, target)
    data.exchange(one, other, 2 * data.MIB)
    for _ in range(20):
        times = client.err().count("rekey out after" if t.is_ssh else "rekeyed")
        if times >= peer.rekeys:
            return "%d times" % times
        data.exchange(one, other, 256 * 1024)
    raise check.Failure("new keys %d times, wanted %d" % (times, peer.rekeys))


@every_peer("rekey every 64 KiB under load in both directions", "rekey", only=has("forwards"))
def _(t, peer):
    serve(t, peer)
    return load(t, peer, "-o", "RekeyLimit=64K")


@every_peer("the same, asked for by the peer", "rekey by it", only=has("asks_for_rekeys"))
def _(t, peer):
    serve(t, peer, rekeys=True)
    return load(t, peer)
