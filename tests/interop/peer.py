"""Servers that the client must come through with: one started for a test, and what it offers."""

import struct
import subprocess

import check
import data
from case import Server, certify, make_key, public_key
from peer_kinds import ED25519, Conch, Dropbear, Erlang, Script, TinySSH
from peer_openssh import OpenSSH

PEERS = [
    OpenSSH("OpenSSH"),
    OpenSSH("OpenSSH 10", "openssh"),
    Dropbear(),
    TinySSH(),
    Script(
        *("AsyncSSH", "asyncssh"),
        certificates=True,
        host_certificates=True,
        security_keys=True,
        names_ports=False,
    ),
    Script("Paramiko", "paramiko", tells_algorithms=False),
    Erlang(),
    Conch(),
]


def serve(t, peer, host_kinds=(ED25519,), authorized=None, authority=None, **wants):
    """Starts the peer, for the test's client to know as gate. authority is the key that certifies its
    host keys.

    wants: passwords=True, where PASSWORD is to log in; nothing=True, where everybody is let in;
    rekeys=True, where it is to ask for new keys every 64 KiB."""
    peer.need()
    make = getattr(peer, "make_host_key", make_key)
    host_keys = [
        make(t.path("host_%s" % "_".join((kind,) + bits)), kind, *bits)
        for kind, bits in host_kinds
    ]
    for key in host_keys if authority else ():
        certify(authority, key, host=True, principals="127.0.0.1")
    authorized = public_key(t.key) + "\n" if authorized is None else authorized
    process, port = peer.start(t, host_keys, authorized, **wants)
    for key in host_keys:
        server = Server("gate", port, key, process)
        t.know(server)
    t.servers["gate"] = server
    t.write_config()
    return server


# The lists of a KEXINIT, RFC 4253 section 7.1, as far as they matter here.
LISTS = ("kex", "host keys", "ciphers", "ciphers back", "MACs", "MACs back", "compression")


def offers_of(sock):
    """What the other side says that it is and has: its version, and a list of names for each of
    LISTS."""
    with sock.makefile("rb") as stream:
        sock.sendall(b"SSH-2.0-lists\r\n")
        line = b""
        while not line.startswith(b"SSH-2.0-"):
            line = stream.readline(4096)
        size, padding = struct.unpack(">IB", stream.read(5))
        payload = stream.read(size - 1)[: size - 1 - padding]
    found, at = {"version": line.split()[0].decode()[len("SSH-2.0-") :]}, 17
    for name in LISTS:
        (n,) = struct.unpack_from(">I", payload, at)
        found[name] = payload[at + 4 : at + 4 + n].decode().split(",")
        at += 4 + n
    return found


def offers(port):
    """What a server offers."""
    with data.connect(port) as sock:
        return offers_of(sock)


def queried(client, query):
    """The names that a client lists for -Q."""
    run = subprocess.run([client, "-Q", query], capture_output=True, text=True, check=True)
    return run.stdout.split()


def both_have(t, server, which, query):
    """The names that the client under test has, and the server too."""
    theirs = offers(server.port)[which]
    names = [name for name in queried(t.client_path, query) if name in theirs]
    check.true(names, "client and server share none of %s" % which)
    return names
