"""Whose key is it: host keys, known_hosts in all its forms, user keys."""

import os
import re
import subprocess

import check
import data
from case import make_key, public_key
from check import BOTH, test
from process import addresses_of
from terminal import Terminal


def logins(server):
    """How many login requests sshd has seen (aditd's log gives none away)."""
    return server.log().count("userauth-request")


def refused(t, server, *args):
    """Runs a client that must find fault with the host key: exit 255, no listener, no login. Returns
    what it said."""
    port, logins_before = t.port(), logins(server)
    status, _, errors = t.run("-N", "-L", "%d:127.0.0.1:1" % port, *args)
    check.equal(status, 255, "exit status")
    check.true(not addresses_of(port), "no forward may be open")
    check.equal(logins(server), logins_before, "login requests")
    return errors


def works(t, *args):
    echo, port = data.echo_service(), t.port()
    client = t.tunnel(*args, "-L", data.spec(port, echo), listens=[port])
    data.check_echo(port, total=1000)
    return client


def other_key(t):
    return public_key(make_key(t.path("other_key")))


@test("a changed host key is refused with a warning that names the file and line", BOTH)
def _(t):
    server = t.server()
    t.write("known_hosts", "# comment\n[127.0.0.1]:%d %s\n" % (server.port, other_key(t)))
    for checking in ("yes", "accept-new", "ask"):
        errors = refused(t, server, "-o", "StrictHostKeyChecking=" + checking)
        check.matches(errors, r"REMOTE HOST IDENTIFICATION HAS CHANGED", "message")
        check.matches(errors, r"%s:2\b" % re.escape(t.known_hosts), "file and line")
        check.matches(errors, r"Host key verification failed", "message")


@test("a changed host key opens no forward under StrictHostKeyChecking=no either", BOTH)
def _(t):
    server = t.server()
    t.write("known_hosts", "[127.0.0.1]:%d %s\n" % (server.port, other_key(t)))
    port = t.port()
    client = t.client("-N", "-o", "StrictHostKeyChecking=no", "-L", "%d:127.0.0.1:1" % port)
    check.wait_for(
        lambda: not client.running() or re.search("orward.* disabled", client.err()), "a verdict"
    )
    check.matches(client.err(), r"REMOTE HOST IDENTIFICATION HAS CHANGED", "message")
    check.true(not addresses_of(port), "no forward may be open")


@test("an unknown host key is refused in BatchMode", BOTH)
def _(t):
    server = t.server()
    t.write("known_hosts", "")
    for checking in ("ask", "yes"):
        errors = refused(t, server, "-o", "StrictHostKeyChecking=" + checking)
        check.matches(errors, r"Host key verification failed", "message")
        check.equal(t.read("known_hosts"), "", "known_hosts afterwards")


@test("accept-new stores an unknown host key once, and holds the server to it", BOTH)
def _(t):
    server = t.server()
    t.write("known_hosts", "")
    client = works(t, "-o", "StrictHostKeyChecking=accept-new")
    check.matches(client.err(), r"Permanently added '\[127\.0\.0\.1\]:%d'" % server.port, "notice")
    check.matches(
        t.read("known_hosts"), re.escape(public_key(server.host_key)), "known_hosts afterwards"
    )
    stored = t.read("known_hosts")
    works(t, "-o", "StrictHostKeyChecking=yes")
    works(t, "-o", "StrictHostKeyChecking=accept-new")
    check.equal(t.read("known_hosts"), stored, "known_hosts after the second time")


@test("accept-new makes the folder and the file of known_hosts where they are missing", BOTH)
def _(t):
    t.server()
    t.known_hosts = t.path("known_hosts_that_is_not_there")
    t.write_config()
    works(t, "-o", "StrictHostKeyChecking=accept-new")
    check.equal(len(t.read("known_hosts_that_is_not_there").splitlines()), 1, "lines stored")


@test("accept-new appends a line of its own to a file that lacks its last newline", BOTH)
def _(t):
    t.need_adit("the new line is glued to the last one")
    server = t.server()
    t.write("known_hosts", "elsewhere %s" % other_key(t))
    works(t, "-o", "StrictHostKeyChecking=accept-new")
    lines = t.read("known_hosts").splitlines()
    check.equal(len(lines), 2, "lines afterwards")
    check.matches(lines[1], re.escape(public_key(server.host_key)), "second line")


@test("StrictHostKeyChecking=no takes an unknown host key and stores it", BOTH)
def _(t):
    server = t.server()
    t.write("known_hosts", "")
    works(t, "-o", "StrictHostKeyChecking=no")
    check.matches(
        t.read("known_hosts"), re.escape(public_key(server.host_key)), "known_hosts afterwards"
    )


def ask(t, answer):
    t.write("known_hosts", "")
    port = t.port()
    command = t.command(
        "-o", "BatchMode=no", "-o", "StrictHostKeyChecking=ask", "-N", "-L", "%d:127.0.0.1:1" % port
    )
    terminal = Terminal(t, command)
    # The question goes to the terminal; that it names the key's fingerprint is what makes it one.
    terminal.expect(r"SHA256:[A-Za-z0-9+/]{43}.*\(yes/no")
    terminal.type(answer + "\r")
    return terminal, port


@test("an unknown host key is shown on the terminal, and yes stores it", BOTH)
def _(t):
    server = t.server()
    terminal, port = ask(t, "yes")
    terminal.process.wait_listening(port)
    check.matches(
        t.read("known_hosts"), re.escape(public_key(server.host_key)), "known_hosts afterwards"
    )


@test("an unknown host key is shown on the terminal, and no ends with 255", BOTH)
def _(t):
    server = t.server()
    terminal, port = ask(t, "no")
    terminal.wait_exit(255)
    terminal.check_restored()
    check.true(not addresses_of(port), "no forward may be open")
    check.equal(logins(server), 0, "login requests")
    check.equal(t.read("known_hosts"), "", "known_hosts afterwards")


@test("hashed names in known_hosts are found, and a changed key under one is refused", BOTH)
def _(t):
    server = t.server()
    subprocess.run(
        ["ssh-keygen", "-q", "-H", "-f", t.known_hosts],
        check=True,
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    check.true("127.0.0.1" not in t.read("known_hosts"), "names should be hashed")
    works(t)
    lines = t.read("known_hosts").replace(public_key(server.host_key), other_key(t))
    t.write("known_hosts", lines)
    check.matches(refused(t, server), r"REMOTE HOST IDENTIFICATION HAS CHANGED", "message")


@test("HashKnownHosts stores hashed names", BOTH)
def _(t):
    t.server()
    t.write("known_hosts", "")
    works(t, "-o", "StrictHostKeyChecking=accept-new", "-o", "HashKnownHosts=yes")
    check.matches(t.read("known_hosts"), r"^\|1\|", "known_hosts afterwards")
    works(t)


@test("patterns and lists in known_hosts are matched, a negated one refuses", BOTH)
def _(t):
    server = t.server()
    key, port = public_key(server.host_key), server.port
    for names in (
        "[127.0.0.*]:%d" % port,
        "a.example,[127.0.0.1]:%d,b" % port,
        "[127.?.0.1]:%d" % port,
        "*",
    ):
        t.write("known_hosts", "%s %s\n" % (names, key))
        works(t)
    t.write("known_hosts", "[127.0.0.*]:%d,![127.0.0.1]:%d %s\n" % (port, port, key))
    check.matches(refused(t, server), r"verification failed", "message")


@test("a key known for another port of the host is not this port's key", BOTH)
def _(t):
    server = t.server()
    t.write("known_hosts", "[127.0.0.1]:%d %s\n" % (server.port + 1, public_key(server.host_key)))
    check.matches(refused(t, server), r"verification failed", "message")


@test("a revoked host key is refused although another line knows it", BOTH)
def _(t):
    server = t.server()
    key = public_key(server.host_key)
    t.write("known_hosts", "[127.0.0.1]:%d %s\n@revoked * %s\n" % (server.port, key, key))
    for checking in ("yes", "accept-new", "ask"):
        errors = refused(t, server, "-o", "StrictHostKeyChecking=" + checking)
        check.matches(errors, r"revoked", "message")


@test("a key of a @cert-authority line is not a plain host key", BOTH)
def _(t):
    server = t.server()
    t.write("known_hosts", "@cert-authority * %s\n" % public_key(server.host_key))
    check.matches(refused(t, server), r"verification failed", "message")


@test("a second UserKnownHostsFile is read too", BOTH)
def _(t):
    t.server()
    second = t.write("more_hosts", t.read("known_hosts"))
    t.write("known_hosts", "elsewhere %s\n" % other_key(t))
    works(t, "-o", "UserKnownHostsFile=%s %s" % (t.known_hosts, second))


@test("broken lines in known_hosts are skipped, the good line behind them counts", BOTH)
def _(t):
    server = t.server()
    good = t.read("known_hosts")
    broken = [
        "one-field-only",
        "[127.0.0.1]:%d ssh-ed25519 !!!not-base64!!!" % server.port,
        "@unknown-marker * ssh-ed25519 AAAA",
        "|1|broken|hash ssh-ed25519 AAAA",
        "[127.0.0.1]:%d ssh-ed25519 AAAAC3NzaC1lZDI1NTE5" % server.port,
        "x" * 20000,
    ]
    t.write("known_hosts", "\n".join(broken) + "\n" + good)
    works(t)


HOST_KEYS = [
    ("ed25519", (), "ssh-ed25519"),
    ("rsa", ("-b", "2048"), "rsa-sha2-256"),
    ("rsa", ("-b", "3072"), "rsa-sha2-512"),
    ("ecdsa", ("-b", "256"), "ecdsa-sha2-nistp256"),
    ("ecdsa", ("-b", "384"), "ecdsa-sha2-nistp384"),
    ("ecdsa", ("-b", "521"), "ecdsa-sha2-nistp521"),
]

for kind, bits, algorithm in HOST_KEYS:

    @test(
        "a server's identity is verified with %s" % algorithm,
        kind=kind,
        bits=bits,
        algorithm=algorithm,
    )
    def _(t, kind, bits, algorithm):
        server = t.server(host_key=make_key(t.path("the_host_key"), kind, *bits))
        works(t, "-o", "HostKeyAlgorithms=" + algorithm)
        check.matches(server.log(), "kex: host key algorithm: %s[ \n]" % algorithm, "sshd's log")
        t.write(
            "known_hosts",
            "[127.0.0.1]:%d %s\n"
            % (server.port, public_key(make_key(t.path("another"), kind, *bits))),
        )
        errors = t.run("-N", "-o", "HostKeyAlgorithms=" + algorithm)[2]
        check.matches(errors, r"REMOTE HOST IDENTIFICATION HAS CHANGED", "message")


@test("of several host keys the client asks for the one it knows")
def _(t):
    rsa = make_key(t.path("rsa_host_key"), "rsa", "-b", "2048")
    server = t.server(config="HostKey %s" % rsa)
    t.write("known_hosts", "[127.0.0.1]:%d %s\n" % (server.port, public_key(rsa)))
    works(t)
    check.matches(server.log(), "kex: host key algorithm: rsa-sha2-", "sshd's log")


# ---- user keys


@test("a user key that the server does not know: permission denied, exit 255", BOTH)
def _(t):
    t.server()
    t.key = make_key(t.path("stranger"))
    t.write_config()
    port = t.port()
    status, _, errors = t.run("-N", "-L", "%d:127.0.0.1:1" % port)
    check.equal(status, 255, "exit status")
    check.matches(errors, r"Permission denied \(publickey", "message")
    check.true(not addresses_of(port), "no forward may be open")


@test("the second of several user keys is tried when the first is not taken", BOTH)
def _(t):
    t.server()
    good, t.key = t.key, make_key(t.path("stranger"))
    t.write_config()
    works(t, "-i", make_key(t.path("another_stranger")), "-i", good)


@test("a key file that does not exist is named, and the login fails", BOTH)
def _(t):
    t.server()
    t.key = t.path("no_such_key")
    t.write_config()
    status, _, errors = t.run("-N", "-i", t.path("nowhere"))
    check.equal(status, 255, "exit status")
    check.matches(errors, r"%s.*no such file" % re.escape(t.path("nowhere")), "message")


@test("a key file that others may read is refused", BOTH)
def _(t):
    t.server()
    os.chmod(t.key, 0o644)
    status, _, errors = t.run("-N")
    check.equal(status, 255, "exit status")
    check.matches(errors, r"permission", "message")
    check.matches(errors, re.escape(t.key), "the file's name in the message")


@test("a key file that is damaged is named, and the login fails", BOTH)
def _(t):
    t.server()
    with open(t.key) as f:
        lines = f.read().splitlines()
    whole = "\n".join(lines)
    damages = {
        "empty": "",
        "no key at all": "this is not a key\n",
        "cut in the middle": "\n".join(lines[:3]),
        "no end line": "\n".join(lines[:-1]),
        "not base64": whole.replace(lines[2], "*" * len(lines[2])),
        "a flipped letter": whole.replace(lines[3][:8], lines[3][:8].swapcase()),
    }
    path = t.key = t.path("damaged")
    t.write_config()
    for name, text in damages.items():
        t.write("damaged", text)
        status, _, errors = t.run("-N")
        check.equal(status, 255, "exit status (%s)" % name)
        check.matches(errors, re.escape(path), "the file's name in the message (%s)" % name)


@test("no algorithm in common: exit 255, and the message says which kind is missing")
def _(t):
    t.server(config="Ciphers aes256-ctr\nMACs hmac-sha2-256\nKexAlgorithms curve25519-sha256")
    for option, word in (
        ("Ciphers=aes128-gcm@openssh.com", "cipher"),
        ("KexAlgorithms=curve25519-sha256@libssh.org", "key exchange"),
        ("MACs=hmac-sha2-512", "MAC"),
        ("HostKeyAlgorithms=rsa-sha2-512", "host key (type|algorithm)"),
    ):
        status, _, errors = t.run("-N", "-o", option)
        check.equal(status, 255, "exit status for " + option)
        check.matches(errors, r"no (matching|common) %s" % word, "message")


@test("a banner is shown on stderr, its control characters are not")
def _(t):
    path = t.write("banner", "Welcome\tto the gate\n\x1b]0;title\x07\x1b[2Jend\n")
    t.server(config="Banner %s" % path)
    works(t)
    errors = t.processes[-1].err()
    check.matches(errors, "Welcome\tto the gate\n", "banner")
    check.true(
        "\x1b" not in errors and "\x07" not in errors, "control characters reached the terminal"
    )


@test("a long banner is shown whole, on stderr with -E too, and not at all with -q")
def _(t):
    text = "".join("line %d of what you must read\n" % i for i in range(1000))
    t.server(config="Banner %s" % t.write("banner", text))
    for words, is_shown in (((), True), (("-E", t.path("log")), True), (("-q",), False)):
        status, _, errors = t.run(*words, remote=["true"])
        check.equal(status, 0, "exit status with %r" % (words,))
        shown = "".join(re.findall(r"line \d+ of what you must read\n", errors))
        check.true(shown == (text if is_shown else ""), "%d bytes with %r" % (len(shown), words))
