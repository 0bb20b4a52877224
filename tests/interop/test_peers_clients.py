"""Clients that aditd must come through with: all that each has in common with it."""

import os
import subprocess

import check
import data
from case import HERE, USER, make_key, public_key
from peer import PEERS, offers, queried
from peer_kinds import KINDS, PYTHON, REKEY_BYTES, Script
from peer_openssh import OpenSSH
from table import Cell

CLIENTS = [peer for peer in PEERS if isinstance(peer, OpenSSH)]


def every_client(name, feature, limit=60):
    def register(run):
        for client in CLIENTS:
            check.test(
                "ssh of %s: %s" % (client.name, name),
                ("aditd",),
                limit=limit,
                cell=Cell("at aditd", client.name, feature, name),
                client=client,
            )(run)
        return run

    return register


def use(t, client):
    t.client_path, t.is_ssh = client.program("usr/bin/ssh"), True
    return t.client_path


def carry(t, service, *args):
    """One connection whose input and output are a forward; aditd runs nothing."""
    sent = os.urandom(1000)
    status, got, errors = t.run(*args, "-W", "127.0.0.1:%d" % service.port, input=sent)
    check.equal(status, 0, "exit status with %s (%s)" % (" ".join(args), errors.strip()))
    check.true(got == sent, "%d bytes of %d came back, or others" % (len(got), len(sent)))


def each(t, client, which, query):
    theirs = offers(t.servers["gate"].port)[which]
    names = [name for name in queried(use(t, client), query) if name in theirs]
    check.true(names, "client and aditd share none of %s" % which)
    return names


@every_client("its version, as its first words say", "version")
def _(t, client):
    run = subprocess.run([use(t, client), "-V"], capture_output=True, text=True, check=True)
    return run.stderr.split()[0]


@every_client("every key exchange with every cipher", "kex x ciphers", limit=120)
def _(t, client):
    t.server()
    service = data.echo_service()
    kexes, ciphers = each(t, client, "kex", "kex"), each(t, client, "ciphers", "cipher")
    for kex in kexes:
        for cipher in ciphers:
            carry(t, service, "-o", "KexAlgorithms=" + kex, "-c", cipher)
    return "%d x %d" % (len(kexes), len(ciphers))


@every_client("every MAC", "MACs")
def _(t, client):
    t.server()
    service = data.echo_service()
    macs = each(t, client, "MACs", "mac")
    for mac in macs:
        carry(t, service, "-c", "aes128-ctr", "-o", "MACs=" + mac)
    return "%d" % len(macs)


def keys_of_each_kind(t, name):
    paths = [t.path("_".join((name, kind) + bits)) for kind, bits in KINDS]
    return [make_key(path, kind, *bits) for path, (kind, bits) in zip(paths, KINDS)]


@every_client("every kind of host key", "host keys")
def _(t, client):
    first, *more = keys_of_each_kind(t, "host")
    server = t.server(host_key=first, args=[word for key in more for word in ("-h", key)])
    with open(t.known_hosts, "a") as f:
        f.writelines("[127.0.0.1]:%d %s\n" % (server.port, public_key(key)) for key in more)
    service = data.echo_service()
    names = each(t, client, "host keys", "HostKeyAlgorithms")
    for name in names:
        carry(t, service, "-o", "HostKeyAlgorithms=" + name)
    return "%d" % len(names)


@every_client("login with a key of each kind", "user keys")
def _(t, client):
    keys = keys_of_each_kind(t, "user")
    t.server(authorized="".join(public_key(key) + "\n" for key in keys))
    use(t, client)
    service = data.echo_service()
    for key in keys:
        t.key = key
        t.write_config()
        carry(t, service)
    return "%d" % len(keys)


@every_client("-L and -R carry bytes both ways, -R 0 tells its port", "-L, -R, -R 0")
def _(t, client):
    server = t.server()
    use(t, client)
    target, (one, other) = data.Target(), t.ports(2)
    ssh = t.tunnel(
        *("-L", data.spec(one, target), "-R", data.spec(other, target)),
        *("-R", "0:127.0.0.1:%d" % target.port),
        listens=[one, other],
    )
    third = int(ssh.wait_text(r"Allocated port (\d+) for remote forward").group(1))
    for port, host in ((one, "127.0.0.1"), (other, "127.0.0.1"), (third, server.host_of(third))):
        data.exchange(*data.pair(port, target, host), 2 * data.MIB)


@every_client("-D serves curl over SOCKS4, SOCKS5 and a name", "-D")
def _(t, client):
    t.server()
    use(t, client)
    web, port = data.WebServer(), t.port()
    t.tunnel("-D", "%d" % port, listens=[port])
    t.web_through(web, "127.0.0.1", "--socks4", "127.0.0.1:%d" % port)
    t.web_through(web, "127.0.0.1", "--socks5", "127.0.0.1:%d" % port)
    t.web_through(web, "localhost", "--socks5-hostname", "127.0.0.1:%d" % port)


@every_client("rekey every 64 KiB under load in both directions", "rekey")
def _(t, client):
    t.server()
    use(t, client)
    target, port = data.Target(), t.port()
    forward = ("-L", data.spec(port, target))
    ssh = t.tunnel("-v", "-o", "RekeyLimit=64K", *forward, listens=[port])
    data.exchange(*data.pair(port, target), 2 * data.MIB)
    times = ssh.err().count("rekey out after")
    check.true(times >= 8, "new keys %d times, wanted 8" % times)
    return "%d times" % times


@check.test(
    "AsyncSSH as client: -L, -R and a rekey every 64 KiB under load",
    ("aditd",),
    limit=60,
    cell=Cell("at aditd", "AsyncSSH", "rekey", "rekey every 64 KiB under load in both directions"),
)
def _(t):
    library = Script("AsyncSSH", "asyncssh")
    library.need()
    server, target, (one, other) = t.server(), data.Target(), t.ports(2)
    script = os.path.join(HERE, "peers", "asyncssh_client.py")
    command = [PYTHON, "-W", "ignore", script, str(server.port), t.known_hosts, t.key, USER]
    command += [REKEY_BYTES, str(one), str(target.port), str(other)]
    client = t.start("client", command)
    client.wait_listening(one, other)
    for port in (one, other):
        for _ in range(4):
            data.exchange(*data.pair(port, target), 2 * data.MIB)
    times = client.err().count("Completed key exchange") - 1
    check.true(times >= 8, "new keys %d times, wanted 8" % times)
    return "%d times" % times
