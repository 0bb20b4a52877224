"""What goes with a host key besides known_hosts: lists of revoked ones, programs that know them,
pictures, and a server that tells which others it has."""

import os
import re
import subprocess

import check
from case import make_key, public_key
from check import BOTH, test
from terminal import Terminal
from test_certificates import host_server, make_ca
from test_trust import other_key, refused, works


def server_with(t, *more_keys):
    """A server with further host keys beside the one it is known by."""
    if t.server_kind == "sshd":
        return t.server(config="".join("HostKey %s\n" % key for key in more_keys))
    return t.server(args=[arg for key in more_keys for arg in ("-h", key)])


def know_only(t, server, *keys):
    """known_hosts with one name for the server, as it is after a first connection."""
    t.write(
        "known_hosts",
        "".join("[127.0.0.1]:%d %s\n" % (server.port, public_key(key)) for key in keys),
    )


def keys_known(t):
    return sorted(line.split()[2] for line in t.read("known_hosts").splitlines())


def keys_of(*paths):
    return sorted(public_key(path).split()[1] for path in paths)


# ---- UpdateHostKeys


@test("a server's other host keys are learned, and one it no longer has is forgotten", BOTH)
def _(t):
    rsa = make_key(t.path("rsa_key"), "rsa", "-b", "2048")
    ecdsa = make_key(t.path("ecdsa_key"), "ecdsa")
    old = make_key(t.path("old_key"), "rsa", "-b", "2048")
    server = server_with(t, rsa, ecdsa)
    know_only(t, server, server.host_key, old)
    os.chmod(t.known_hosts, 0o600)
    works(t, "-o", "UpdateHostKeys=yes")
    wanted = keys_of(server.host_key, rsa, ecdsa)
    check.wait_for(lambda: keys_known(t) == wanted, "known_hosts to hold the server's keys")
    check.equal(os.stat(t.known_hosts).st_mode & 0o777, 0o600, "mode of known_hosts")
    for key in (rsa, ecdsa, server.host_key):
        know_only(t, server, key)
        works(t, "-o", "UpdateHostKeys=yes")
        check.wait_for(lambda: keys_known(t) == wanted, "known_hosts, from %s on" % key)


@test("host keys are not learned against the user's will, or by default into a file they named", BOTH)
def _(t):
    server = server_with(t, make_key(t.path("rsa_key"), "rsa", "-b", "2048"))
    know_only(t, server, server.host_key)
    before = t.read("known_hosts")
    works(t)
    works(t, "-o", "UpdateHostKeys=no")
    works(t, "-o", "UpdateHostKeys=ask")  # nobody is there to ask in BatchMode
    check.equal(t.read("known_hosts"), before, "known_hosts afterwards")


@test("host keys are not learned where lines of known_hosts were written by hand", BOTH)
def _(t):
    server = server_with(t, make_key(t.path("rsa_key"), "rsa", "-b", "2048"))
    name, key = "[127.0.0.1]:%d" % server.port, public_key(server.host_key)
    for text in (
        "%s,a,b %s\n" % (name, key),
        "* %s\n" % key,
        "%s %s\nelsewhere %s\n" % (name, key, key),
        "%s %s\n@revoked * %s\n" % (name, key, other_key(t)),
    ):
        t.write("known_hosts", text)
        works(t, "-o", "UpdateHostKeys=yes")
        check.equal(t.read("known_hosts"), text, "known_hosts afterwards")


def ask_about_update(t, answer):
    t.need_adit("it asks only before a shell")
    rsa = make_key(t.path("rsa_key"), "rsa", "-b", "2048")
    server = server_with(t, rsa)
    know_only(t, server, server.host_key)
    port = t.port()
    command = t.command(
        "-o", "BatchMode=no", "-o", "UpdateHostKeys=ask", "-N", "-L", "%d:127.0.0.1:1" % port
    )
    terminal = Terminal(t, command)
    terminal.expect(r"Accept updated hostkeys\? \(yes/no\): ")
    terminal.type(answer + "\r")
    check.matches(terminal.process.err(), "The server has updated its host keys", "notice")
    return server, rsa, terminal, port


@test("UpdateHostKeys=ask learns a server's keys when the answer is yes", BOTH)
def _(t):
    server, rsa, terminal, _ = ask_about_update(t, "yes")
    wanted = keys_of(server.host_key, rsa)
    check.wait_for(lambda: keys_known(t) == wanted, "known_hosts to hold the server's keys")


@test("UpdateHostKeys=ask learns nothing when the answer is no, and the connection goes on", BOTH)
def _(t):
    server, _, terminal, port = ask_about_update(t, "no")
    terminal.process.wait_listening(port)
    check.equal(keys_known(t), keys_of(server.host_key), "known_hosts afterwards")


# ---- RevokedHostKeys


@test("a key on a list of revoked ones is refused, whatever known_hosts says", BOTH)
def _(t):
    server = t.server()
    good = other_key(t)

    def krl(name, spec):
        path = t.path(name)
        command = ["ssh-keygen", "-q", "-k", "-f", path, "-s", server.host_key + ".pub"]
        subprocess.run(command + [t.write(name + "_spec", spec)], check=True)
        return path

    line = public_key(server.host_key)
    for path in (
        t.write("plain", "# two\n%s\n%s comment\n" % (good, line)),
        krl("krl_key", "key: %s\n" % line),
        krl("krl_sha1", "sha1: %s\n" % line),
        krl("krl_sha256", "sha256: %s\n" % line),
    ):
        errors = refused(t, server, "-o", "RevokedHostKeys=" + path)
        check.matches(errors, r"Host key ED25519 SHA256:\S+ revoked by file %s" % path, "message")
    for path in (
        t.write("plain_other", good + "\n"),
        krl("krl_other", "serial: 1-100\nid: x\nkey: %s\nsha256: %s\n" % (good, good)),
    ):
        works(t, "-o", "RevokedHostKeys=" + path)


@test("one of several lists of revoked keys is enough, and each must be of use", BOTH)
def _(t):
    t.need_adit("before version 10 it takes a single file")
    server = t.server()
    good, bad = t.write("good", other_key(t) + "\n"), t.write("bad", public_key(server.host_key))
    for files in ("%s %s" % (good, bad), '"%s" "%s"' % (bad, good)):
        errors = refused(t, server, "-o", "RevokedHostKeys " + files)
        check.matches(errors, "revoked by file %s" % bad, "message")
    errors = refused(t, server, "-o", "RevokedHostKeys %s %s" % (good, t.path("no_such_file")))
    check.matches(errors, "in revoked keys file %s" % t.path("no_such_file"), "message")
    works(t, "-o", "RevokedHostKeys %s %s" % (good, good))


@test("a host certificate is revoked by its serial number, its id, its key and its authority", BOTH)
def _(t):
    ca = make_ca(t)
    server = host_server(t, ca, "-z", "5")

    def krl(name, spec):
        path = t.path("krl_" + name)
        command = ["ssh-keygen", "-q", "-k", "-f", path, "-s", ca + ".pub"]
        subprocess.run(command + [t.write("spec_" + name, spec)], check=True)
        return path

    for path in (
        krl("serial", "serial: 4-6\n"),
        krl("id", "id: test id\n"),
        krl("key", "sha256: %s\n" % public_key(server.host_key)),
        krl("authority", "key: %s\n" % public_key(ca)),
        t.write("plain", public_key(ca) + "\n"),
        t.write("plain_key", public_key(server.host_key) + "\n"),
        t.write("plain_certificate", public_key(server.host_key + "-cert") + "\n"),
    ):
        errors = refused(t, server, "-o", "RevokedHostKeys=" + path)
        check.matches(errors, "revoked by file %s" % path, "message")
    works(t, "-o", "RevokedHostKeys=" + krl("other", "serial: 1-4\nserial: 6\nid: other\n"))


@test("a KnownHostsCommand may name a certificate authority, whose certificates teach no keys", BOTH)
def _(t):
    ca = make_ca(t)
    host_server(t, ca)
    t.write("known_hosts", "")
    line = "@cert-authority %%H %s" % public_key(ca)
    works(t, "-o", "KnownHostsCommand=/bin/echo " + line, "-o", "UpdateHostKeys=yes")
    check.equal(t.read("known_hosts"), "", "known_hosts afterwards")


@test("a list of revoked keys that cannot be used refuses every key", BOTH)
def _(t):
    server = t.server()
    krl = t.path("krl")
    subprocess.run(
        ["ssh-keygen", "-q", "-k", "-f", krl, t.write("spec", "key: %s\n" % other_key(t))],
        check=True,
    )
    with open(krl, "rb") as f:
        whole = f.read()
    for path in (t.path("no_such_file"), t.write("cut", whole[:-1]), t.write("head", whole[:20])):
        errors = refused(t, server, "-o", "RevokedHostKeys=" + path)
        check.matches(errors, r"Error checking host key .* in revoked keys file %s" % path, "message")


# ---- KnownHostsCommand


@test("a KnownHostsCommand is asked about the host and the key", BOTH)
def _(t):
    server = t.server()
    name, line = "[127.0.0.1]:%d" % server.port, public_key(server.host_key)
    t.write("known_hosts", "")
    log = t.path("log")
    script = t.write(
        "script",
        '#!/bin/sh\necho "$@" >>%s\n[ "$2" = "%s" ] && echo "$2 %s"\nexit 0\n' % (log, name, line),
        mode=0o700,
    )
    command = "KnownHostsCommand=%s %%I %%H %%h %%p %%t %%K %%f %%n" % script
    works(t, "-o", command)
    kind, key = line.split()
    print_ = subprocess.run(
        ["ssh-keygen", "-lf", server.host_key + ".pub"], capture_output=True, text=True
    ).stdout.split()[1]
    asked = "HOSTNAME %s 127.0.0.1 %d %s %s %s gate" % (name, server.port, kind, key, print_)
    check.true(asked in t.read("log").splitlines(), "wanted %r in %r" % (asked, t.read("log")))
    check.matches(t.read("log"), r"^ORDER \S+ 127\.0\.0\.1 \d+ NONE NONE NONE gate\n", "first call")
    check.equal(t.read("known_hosts"), "", "known_hosts afterwards")


@test("a KnownHostsCommand that fails, or knows another key, ends the connection", BOTH)
def _(t):
    server = t.server()
    refused(t, server, "-o", "KnownHostsCommand=/bin/false")
    t.write("known_hosts", "")
    errors = refused(t, server, "-o", "KnownHostsCommand=/bin/echo %%H %s" % other_key(t))
    check.matches(errors, "REMOTE HOST IDENTIFICATION HAS CHANGED", "message")
    check.matches(errors, "in KnownHostsCommand-HOSTNAME:1", "where")


# ---- how keys are shown


def picture_of(key, hash_name):
    run = subprocess.run(
        ["ssh-keygen", "-E", hash_name, "-lvf", key + ".pub"], capture_output=True, text=True
    )
    first, picture = run.stdout.rstrip("\n").split("\n", 1)
    return first.split()[1], picture


@test("VisualHostKey draws what ssh-keygen draws", BOTH)
def _(t):
    server = t.server()
    for hash_name in ("sha256", "md5"):
        client = works(t, "-o", "VisualHostKey=yes", "-o", "FingerprintHash=" + hash_name)
        wanted = "Host key fingerprint is %s\n%s\n" % picture_of(server.host_key, hash_name)
        shown = client.err().replace("\r", "")
        check.true(wanted in shown, "wanted:\n%s\ngot:\n%s" % (wanted, shown))


@test("the question about a new key shows its picture, and where else it is known", BOTH)
def _(t):
    server = t.server()
    t.write("known_hosts", "# one\nelsewhere,10.9.8.7 %s\n" % public_key(server.host_key))
    command = t.command(
        *("-o", "BatchMode=no", "-o", "StrictHostKeyChecking=ask", "-o", "VisualHostKey=yes"),
        *("-o", "FingerprintHash=md5", "-N")
    )
    terminal = Terminal(t, command)
    question = terminal.expect(r"authenticity of host.*\(yes/no/\[fingerprint\]\)\? ").group(0)
    text = question.decode().replace("\r", "")
    fingerprint, picture = picture_of(server.host_key, "md5")
    for wanted in (
        "ED25519 key fingerprint is %s.\n" % fingerprint,
        picture + "\n",
        "This host key is known by the following other names/addresses:\n",
        "known_hosts:2: elsewhere,10.9.8.7\n",
    ):
        check.true(wanted in text, "wanted %r in %r" % (wanted, text))
    terminal.type(fingerprint + "\r")
    check.wait_for(lambda: len(t.read("known_hosts").splitlines()) == 3, "the key to be stored")


# ---- the other words about host keys


@test("a HostKeyAlias is looked up and stored instead of the host's name", BOTH)
def _(t):
    server = t.server()
    t.write("known_hosts", "the-alias %s\n" % public_key(server.host_key))
    works(t, "-o", "HostKeyAlias=the-alias")
    errors = refused(t, server, "-o", "HostKeyAlias=another")
    check.matches(errors, "No ED25519 host key is known for another and you have", "message")
    works(t, "-o", "HostKeyAlias=another", "-o", "StrictHostKeyChecking=accept-new")
    check.matches(t.read("known_hosts"), "\nanother ssh-ed25519 ", "known_hosts afterwards")


@test("NoHostAuthenticationForLocalhost takes any key from localhost", BOTH)
def _(t):
    server = t.server()
    t.write("known_hosts", "[127.0.0.1]:%d %s\n" % (server.port, other_key(t)))
    works(t, "-o", "NoHostAuthenticationForLocalhost=yes")
    refused(t, server, "-o", "NoHostAuthenticationForLocalhost=no")


@test("StrictHostKeyChecking=off is no", BOTH)
def _(t):
    server = t.server()
    t.write("known_hosts", "")
    works(t, "-o", "StrictHostKeyChecking=off")
    check.equal(keys_known(t), keys_of(server.host_key), "known_hosts afterwards")


@test("RequiredRSASize refuses a shorter host key", BOTH)
def _(t):
    server = t.server(host_key=make_key(t.path("rsa_key"), "rsa", "-b", "2048"))
    works(t, "-o", "RequiredRSASize=2048")
    errors = refused(t, server, "-o", "RequiredRSASize=2049")
    check.matches(errors, "Bad server host key", "message")


@test("RequiredRSASize leaves shorter keys of the user's out", BOTH)
def _(t):
    t.key = make_key(t.path("rsa_id"), "rsa", "-b", "2048")
    t.server()
    works(t, "-o", "RequiredRSASize=2048")
    status, _, errors = t.run("-N", "-o", "RequiredRSASize=3072")
    check.equal(status, 255, "exit status")
    check.matches(errors, "Permission denied", "message")


OLD = "HostKeyAlgorithms ssh-rsa\nPubkeyAcceptedAlgorithms ssh-rsa\n"  # RSA with SHA-1, as old gear


def old_server(t):
    t.key = make_key(t.path("rsa_id"), "rsa", "-b", "2048")
    return t.server(config=OLD, host_key=make_key(t.path("rsa_key"), "rsa", "-b", "2048"))


@test("a server that has ssh-rsa alone is refused, and both offers are told")
def _(t):
    old_server(t)
    for args in ((), ("-o", "PubkeyAcceptedAlgorithms=+ssh-rsa")):
        status, _, errors = t.run(*args, "-N")
        check.equal(status, 255, "exit status")
        check.matches(errors, "(?s)host key.*they offer ssh-rsa \\(naming ssh-rsa would help\\)", "message")


@test("a server that has ssh-rsa alone is logged in at when both lists name it")
def _(t):
    old_server(t)
    status, _, errors = t.run("-o", "HostKeyAlgorithms=+ssh-rsa", "-N")
    check.equal(status, 255, "exit status where the user's key may not sign with SHA-1")
    check.matches(errors, "Permission denied", "message")
    # OpenSSH tells that it takes more than it is set to, so the better ones must not be tried.
    named = ("-o", "HostKeyAlgorithms=+ssh-rsa", "-o", "PubkeyAcceptedAlgorithms=ssh-rsa")
    works(t, *named)
    works(t, *named, "-o", "RekeyLimit=16K")


@test("a changed key is told in ssh's words, with the line and how to remove it", BOTH)
def _(t):
    server = t.server()
    name = "[127.0.0.1]:%d" % server.port
    t.write("known_hosts", "# one\n%s %s\n" % (name, other_key(t)))
    errors = refused(t, server)
    for wanted in (
        "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n",
        "The fingerprint for the ED25519 key sent by the remote host is\nSHA256:",
        "Please contact your system administrator.\n",
        "Add correct host key in %s to get rid of this message.\n" % t.known_hosts,
        "Offending ED25519 key in %s:2\n" % t.known_hosts,
        "Host key for %s has changed and you have requested strict checking.\n" % name,
        "Host key verification failed.\n",
    ):
        check.true(wanted in errors.replace("\r", ""), "wanted %r in:\n%s" % (wanted, errors))
    advice = re.search(r"^  (ssh-keygen .*-R .*)$", errors.replace("\r", ""), re.M)
    if advice:  # not every ssh gives it
        subprocess.run(["sh", "-c", advice.group(1)], check=True, capture_output=True)
        check.equal(t.read("known_hosts"), "# one\n", "known_hosts after the advice")


@test("a known_hosts that cannot be written is told, and the connection goes on", BOTH)
def _(t):
    t.server()
    t.known_hosts = t.path("config") + "/known_hosts"
    t.write_config()
    client = works(t, "-o", "StrictHostKeyChecking=accept-new")
    check.matches(
        client.err(), r"(cannot add the host key to|Failed to add the host to the list)", "warning"
    )


@test("clients that store keys at the same time lose nothing", BOTH)
def _(t):
    t.server()
    t.write("known_hosts", "# mine")
    ports = t.ports(8)
    for i, port in enumerate(ports):
        t.client(
            *("-N", "-L", "%d:127.0.0.1:1" % port, "-o", "HostKeyAlias=host%d" % i),
            *("-o", "StrictHostKeyChecking=accept-new"),
            name="client%d" % i
        )
    for process, port in zip(t.processes[-8:], ports):
        process.wait_listening(port)
    lines = t.read("known_hosts").splitlines()
    t.need_adit("the first of them is glued to a line without an end")
    check.equal(lines[0], "# mine", "first line")
    check.equal(
        sorted(line.split()[0] for line in lines[1:]), ["host%d" % i for i in range(8)], "hosts"
    )


@test("-Q lists algorithms, each of them usable, and names the lists there are", ())
def _(t):
    def ask(query):
        run = subprocess.run(
            [t.client_path, "-Q", query], capture_output=True, text=True, env=t.env
        )
        return run.returncode, run.stdout.split(), run.stderr

    status, kinds, _ = ask("help")
    check.equal(status, 0, "exit status of -Q help")
    for kind in kinds:
        check.equal(ask(kind)[0], 0, "exit status of -Q " + kind)
    for query, keyword in (
        ("cipher", "Ciphers"),
        ("mac", "MACs"),
        ("kex", "KexAlgorithms"),
        ("HostKeyAlgorithms", "HostKeyAlgorithms"),
        ("PubkeyAcceptedAlgorithms", "PubkeyAcceptedAlgorithms"),
    ):
        names = ask(query)[1]
        check.true(names, "-Q %s lists nothing" % query)
        run = subprocess.run(
            [t.client_path, "-F", "none", "-G", "-o", keyword + "=" + ",".join(names), "h"],
            capture_output=True,
            text=True,
            env=t.env,
        )
        check.true(
            "%s %s\n" % (keyword.lower(), ",".join(names)) in run.stdout, "-G after " + query
        )
    status, names, errors = ask("nonsense")
    check.equal((status, names), (255, []), "unknown query")
    check.matches(errors, 'Unsupported query "nonsense"', "message")


# ---- a server that asks for nothing

# sshd lets a user in by "none" whose password is empty, as PermitEmptyPasswords allows.
NO_PASSWORDS = """
#include <shadow.h>
struct spwd *getspnam(const char *name)
{
    static char nobody[1];
    static struct spwd entry = {.sp_pwdp = nobody, .sp_lstchg = 1, .sp_max = -1, .sp_inact = -1, .sp_expire = -1};
    entry.sp_namp = (char *)name;
    return &entry;
}
"""


@test("a server that lets anybody in is told at -v, and at a terminal")
def _(t):
    library = t.path("no_passwords.so")
    source = t.write("no_passwords.c", NO_PASSWORDS)
    compiler = ["cc", "-shared", "-fPIC", "-o", library, source]
    try:
        subprocess.run(compiler, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        raise check.Skip("no compiler on this machine")
    env, t.env = t.env, {**t.env, "LD_PRELOAD": library}
    server = t.server(
        config="PermitEmptyPasswords yes\nPasswordAuthentication yes\nUsePAM no", authorized=""
    )
    t.env = env
    t.need_adit("it tells nobody")
    words = "127.0.0.1 let us in without asking for any proof of who we are"
    check.true(words in works(t, "-v").err(), "wanted %r at -v" % words)
    check.true(words not in works(t).err(), "said to nobody in particular")
    port = t.port()
    command = t.command("-N", "-L", "%d:127.0.0.1:1" % port)
    terminal = Terminal(t, ["sh", "-c", 'exec "$@" 2>&1', "sh"] + command)
    terminal.expect(re.escape(words))
    terminal.process.wait_listening(port)
    check.matches(server.log(), "Accepted none for ", "sshd's log")
