"""Certificates: of users, at sshd and at aditd; of hosts, for adit and for ssh."""

import os
import re
import subprocess

import check
import data
from case import ADITD, SSH, authority, certify, make_key, public_key
from check import BOTH, test
from process import addresses_of

OVER = ("-V", "20200101:20210101")
FUTURE = ("-V", "20900101:20910101")
KINDS = (
    ("ed25519", ()),
    ("ecdsa", ("-b", "256")),
    ("ecdsa", ("-b", "384")),
    ("ecdsa", ("-b", "521")),
    ("rsa", ("-b", "2048")),
)


def every_client(name, servers=BOTH, **params):
    """Registers a test for the client under test at both servers, and for ssh at aditd."""

    def register(run):
        test(name, servers, **params)(run)
        if "aditd" in servers:
            test("ssh as client: " + name, ("aditd",), client_path=SSH, **params)(run)
        return run

    return register


def make_ca(t, name="ca", kind="ed25519", *more):
    return make_key(t.path(name), kind, *more)


def works(t, *args):
    echo, port = data.echo_service(), t.port()
    client = t.tunnel(*args, "-L", data.spec(port, echo), listens=[port])
    data.check_echo(port, total=1000)
    return client


def denied(t, *args):
    """Runs a client whose keys no server may take; what it said."""
    port = t.port()
    status, _, errors = t.run("-N", "-L", "%d:127.0.0.1:1" % port, *args)
    check.equal(status, 255, "exit status")
    check.true(not addresses_of(port), "no forward may be open")
    check.matches(errors, r"Permission denied \(publickey", "message")
    return errors


# ---- of users

for kind, more in KINDS:

    def login(t, kind, more):
        ca = make_ca(t)
        t.key = make_key(t.path("id_" + kind), kind, *more)
        certify(ca, t.key)
        server = t.server(authorized=authority(ca))
        client = works(t, "-v")
        check.matches(client.err(), r"Offering public key: \S+ \w+-CERT", "what was offered")
        check.matches(server.log(), r"test id", "the server's log")

    every_client(
        "a login with a certificate for a key of kind %s" % "-".join((kind,) + more[1:]),
        kind=kind,
        more=more,
    )(login)


for kind, more, algorithm in (
    ("ecdsa", ("-b", "521"), ()),
    ("rsa", ("-b", "2048"), ("-t", "rsa-sha2-256")),
    ("rsa", ("-b", "3072"), ("-t", "rsa-sha2-512")),
):

    def signed_by(t, kind, more, algorithm):
        ca = make_ca(t, "ca", kind, *more)
        certify(ca, t.key, *algorithm)
        t.server(authorized=authority(ca))
        works(t)

    every_client(
        "a certificate that an authority signed with %s is taken"
        % " ".join((kind,) + (algorithm or more)[1:]),
        kind=kind,
        more=more,
        algorithm=algorithm,
    )(signed_by)


@every_client("a certificate that CertificateFile names goes before all plain keys")
def _(t):
    ca = make_ca(t)
    cert = certify(ca, t.key)
    elsewhere = t.path("elsewhere.pub")
    os.rename(cert, elsewhere)
    t.server(authorized=authority(ca))
    client = works(t, "-v", "-o", "CertificateFile=" + elsewhere)
    first = re.search(r"Offering public key: (\S+) (\S+)", client.err())
    check.equal(first.groups(), (elsewhere, "ED25519-CERT"), "what was offered first")


@every_client("a certificate in the .pub file's place is taken, and signed for by the key beside it")
def _(t):
    ca = make_ca(t)
    os.rename(certify(ca, t.key), t.key + ".pub")
    t.server(authorized=authority(ca))
    works(t)


@every_client("a key whose certificate is not taken still logs in by itself")
def _(t):
    ca = make_ca(t)
    certify(ca, t.key, valid=OVER)
    t.server(authorized=authority(ca) + public_key(t.key) + "\n")
    works(t)


@every_client("an encrypted key with a certificate works, and asks nothing in BatchMode")
def _(t):
    ca = make_ca(t)
    certify(ca, t.key)
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-P", "", "-N", "a passphrase", "-f", t.key], check=True
    )
    t.server(authorized=authority(ca))
    denied(t)


@every_client("principals= of the line counts instead of the user's name")
def _(t):
    ca = make_ca(t)
    certify(ca, t.key, principals="web,backup")
    t.server(authorized=authority(ca, 'principals="other,backup"'))
    works(t)
    t.write("gate_authorized_keys", authority(ca, 'principals="other"'))
    denied(t)
    t.write("gate_authorized_keys", authority(ca))
    denied(t)


REFUSED = {
    "has expired": ({"valid": OVER}, (), r"expired since 2021-"),
    "is not valid yet": ({"valid": FUTURE}, (), r"not valid until 20(89|90)-"),
    "is for another user": ({"principals": "somebody"}, (), r"principal '.*' is not listed"),
    "is a host's": ({"host": True}, (), r"host certificate, not a user"),
    "has an unknown critical option": (
        {},
        ("-O", "critical:unheard@example.com"),
        r"critical option 'unheard@example.com' is not known",
    ),
    "is for other addresses": (
        {},
        ("-O", "source-address=192.0.2.0/24"),
        r"may not be used from 127\.0\.0\.1",
    ),
    "may not forward ports": ({}, ("-O", "no-port-forwarding"), r"may not forward ports"),
}
for what, (how, options, logged) in REFUSED.items():

    def refused(t, how, options, logged):
        ca = make_ca(t)
        cert = certify(ca, t.key, *options, **how)
        server = t.server(authorized=authority(ca))
        # As CertificateFile a client must pass over what is no user's at all.
        denied(t, "-o", "CertificateFile=" + cert)
        if not how.get("host"):
            check.matches(server.log(), logged, "aditd's log")

    test(
        "a certificate that %s is refused" % what,
        ("aditd",),
        how=how,
        options=options,
        logged=logged,
    )(refused)


@every_client("a certificate for the address that the client comes from is taken")
def _(t):
    ca = make_ca(t)
    certify(ca, t.key, "-O", "source-address=192.0.2.0/24,127.0.0.0/8", "-O", "force-command=exit")
    t.server(authorized=authority(ca))
    works(t)


@every_client("a certificate of an authority that is not trusted is refused, silently")
def _(t):
    certify(make_ca(t), t.key)
    t.server(authorized=authority(make_ca(t, "other")) + public_key(t.path("ca")) + "\n")
    denied(t)


@every_client("authorities in a file of their own certify users for their own names")
def _(t):
    ca = make_ca(t)
    certify(ca, t.key)
    path = t.write("cas", "# trusted\n" + public_key(ca) + "\n")
    t.server(authorized="", config="TrustedUserCAKeys " + path, args=("-C", path))
    works(t)
    certify(ca, t.key, principals="somebody")
    denied(t)


# ---- of hosts


def host_server(t, ca, *options, kind="ed25519", more=(), known=True, **how):
    how.setdefault("principals", "127.0.0.1,localhost")
    key = make_key(t.path("host"), kind, *more)
    cert = certify(ca, key, *options, host=True, **how)
    server = t.server(host_key=key, config="HostCertificate " + cert, args=("-c", cert))
    if known:
        t.write("known_hosts", "@cert-authority 127.0.0.1,[127.0.0.1]:* %s\n" % public_key(ca))
    return server


for kind, more in KINDS:

    def host(t, kind, more):
        host_server(t, make_ca(t), kind=kind, more=more)
        client = works(t, "-v")
        check.matches(client.err(), r"host key algorithm: \S+-cert-v01@openssh\.com", "algorithm")
        notice = r"Server host certificate: \S+-CERT\S* .* CA (ssh-)?ED25519"
        check.matches(client.err(), notice, "notice")
        check.equal(len(t.read("known_hosts").splitlines()), 1, "lines of known_hosts")

    every_client(
        "a server with a certificate for a key of kind %s is trusted"
        % "-".join((kind,) + more[1:]),
        kind=kind,
        more=more,
    )(host)


@every_client("a server with a certificate goes through rekeying")
def _(t):
    host_server(t, make_ca(t))
    echo, port = data.echo_service(), t.port()
    client = t.tunnel(
        "-v", "-o", "RekeyLimit=64K", "-L", data.spec(port, echo), listens=[port]
    )
    data.check_echo(port, total=2 * data.MIB)
    check.wait_for(lambda: client.err().count("host key algorithm") > 1, "a second exchange")


BAD_HOSTS = {
    "has expired": {"valid": OVER},
    "is not valid yet": {"valid": FUTURE},
    "is for another host": {"principals": "elsewhere"},
    "has a critical option": {"options": ("-O", "critical:unheard@example.com")},
}
for what, how in BAD_HOSTS.items():

    def bad_host(t, how):
        options = how.get("options", ())
        rest = {k: v for k, v in how.items() if k != "options"}
        server = host_server(t, make_ca(t), *options, **rest)
        status, _, errors = t.run("-N")
        check.equal(status, 255, "exit status")
        check.matches(errors, r"certificate.*(accepted|invalid|unsupported)", "message")
        check.matches(errors, r"Host key verification failed", "message")
        # The key inside is as good as any other that is known.
        t.know(server)
        works(t)

    every_client("a host certificate that %s is worth its key alone" % what, how=how)(bad_host)


@every_client("a host certificate of another authority is worth its key alone")
def _(t):
    server = host_server(t, make_ca(t), known=False)
    t.write("known_hosts", "@cert-authority * %s\n" % public_key(make_ca(t, "other")))
    status, _, errors = t.run("-N")
    check.equal(status, 255, "exit status")
    check.matches(errors, r"Host key verification failed", "message")
    t.know(server)
    works(t)
    t.write("known_hosts", "")
    works(t, "-o", "StrictHostKeyChecking=accept-new")
    check.matches(t.read("known_hosts"), re.escape(public_key(server.host_key)), "stored key")


@every_client("a host certificate is refused when its authority or its key is revoked")
def _(t):
    ca = make_ca(t)
    server = host_server(t, ca)
    lines = t.read("known_hosts")
    for key in (ca, server.host_key):
        t.write("known_hosts", lines + "@revoked * %s\n" % public_key(key))
        status, _, errors = t.run("-N")
        check.equal(status, 255, "exit status")
        check.matches(errors, r"REVOKED HOST KEY DETECTED", "message")


@every_client("with an authority and another plain key known, the certificate is asked for")
def _(t):
    ca = make_ca(t)
    host_server(t, ca)
    other = public_key(make_key(t.path("other"), "rsa"))
    lines = t.read("known_hosts")
    port = t.servers["gate"].port
    t.write("known_hosts", "[127.0.0.1]:%d %s\n%s" % (port, other, lines))
    client = works(t, "-v")
    check.matches(client.err(), r"host key algorithm: ssh-ed25519-cert-v01", "algorithm")


@test("principals of a host certificate may be patterns", BOTH)
def _(t):
    t.need_adit("only from version 10 on")
    host_server(t, make_ca(t), principals="10.*,127.0.*")
    works(t)


# ---- aditd's command line


def aditd_says(t, *args):
    command = [ADITD, "-D", "-p", "0", *args]
    run = subprocess.run(command, capture_output=True, text=True, timeout=10)
    check.equal(run.returncode, 255, "exit status")
    return run.stderr


@test("aditd refuses a host certificate that is none, or not for its key", ("aditd",))
def _(t):
    ca, key = make_ca(t), make_key(t.path("host"))
    good = certify(ca, key, host=True, principals="gate")
    known = t.write("known", public_key(t.key) + "\n")
    basic = ("-h", key, "-A", known)
    check.matches(aditd_says(t, *basic, "-c", t.path("none")), r"-c .*: no such file", "missing")
    check.matches(aditd_says(t, *basic, "-c", key + ".pub"), r"not a certificate", "plain key")
    user = certify(ca, t.key)
    check.matches(aditd_says(t, *basic, "-c", user), r"user certificate", "a user's")
    other = ("-h", t.key, "-A", known)
    check.matches(aditd_says(t, *other, "-c", good), r"one of the keys given with -h", "other key")
    check.matches(aditd_says(t, "-h", key), r"expected -A file, or -C file", "no keys")
