"""Private key files of every kind: made by ssh-keygen, openssl and puttygen, and logged in with."""

import base64
import os
import re
import shutil
import subprocess

import check
from case import make_key, public_key
from check import BOTH, test
from terminal import Terminal
from test_sessions import serve

WORDS = "correct horse"


def run_tool(*command, text=""):
    """A tool's output; one that this machine lacks, or cannot do it, leaves the test out."""
    if shutil.which(command[0]) is None:
        raise check.Skip("%s is not installed" % command[0])
    run = subprocess.run(command, input=text.encode(), capture_output=True)
    if run.returncode != 0:
        raise check.Skip("%s: %s" % (" ".join(command[:3]), run.stderr.decode().strip()[-200:]))
    return run.stdout


def public_of(path, words=""):
    """The public half's two words. ssh-keygen reads Ed25519 in PKCS #8 since OpenSSH 9.6 only."""
    run = subprocess.run(["ssh-keygen", "-y", "-P", words, "-f", path], capture_output=True)
    if run.returncode == 0:
        return " ".join(run.stdout.decode().split()[:2])
    command = ["openssl", "pkey", "-in", path, "-passin", "pass:" + words, "-pubout"]
    point = run_tool(*command, "-outform", "DER")[-32:]
    blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + point
    return "ssh-ed25519 " + base64.b64encode(blob).decode()


def ssh_keygen(kind, *more, words=""):
    """A maker of a key, for the lists below: a function of a path."""

    def make(path):
        command = ["ssh-keygen", "-q", "-t", kind, "-N", words, "-C", "test", "-f", path]
        run_tool(*command, *more)
        os.remove(path + ".pub")

    return make


def openssl(*command, first=None):
    """The same by openssl; the output of `first`, if there is one, is its input."""

    def make(path):
        text = run_tool("openssl", *first).decode() if first else ""
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
            f.write(run_tool("openssl", *command, text=text))

    return make


def script(t, *answers):
    """An SSH_ASKPASS that gives the answers in turn, the last one ever after, and notes questions."""
    lines = ["#!/bin/sh", 'echo "$1" >> %s' % t.path("asked")]
    lines.append("case $(wc -l < %s) in" % t.path("asked"))
    for i, answer in enumerate(answers[:-1]):
        lines.append("%d) echo '%s' ;;" % (i + 1, answer))
    lines += ["*) echo '%s' ;;" % answers[-1], "esac"]
    t.write("asked", "")
    t.env.update(
        SSH_ASKPASS=t.write("askpass", "\n".join(lines) + "\n", 0o700),
        SSH_ASKPASS_REQUIRE="force",
        DISPLAY=":0",
    )


def asked(t):
    return len(t.read("asked").splitlines())


def log_in(t, path):
    t.key = path
    t.write_config()
    status, out, errors = t.run("-o", "BatchMode=no", remote=["echo in"])
    check.equal((status, out), (0, b"in\n"), "login with %s (%s)" % (path, errors.strip()))


def check_makers(t, makers, words=""):
    """A login with each kind of key that can be made here; skipped when none can."""
    paths, skips = {}, []
    for name, make in makers.items():
        path = t.path(re.sub(r"\W+", "_", name))
        try:
            make(path)
            paths[path] = public_of(path, words)
        except check.Skip as skip:
            skips.append("%s: %s" % (name, skip))
    if not paths:
        raise check.Skip("; ".join(skips))
    serve(t, authorized="\n".join(paths.values()) + "\n")
    for path in paths:
        if words:
            script(t, words)
        log_in(t, path)
        if words:
            check.equal(asked(t), 1, "questions asked for %s" % path)


KINDS = [("rsa", "2048"), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521")]

for form in ("PEM", "PKCS8"):

    @test("keys that ssh-keygen -m %s made log in" % form, form=form)
    def _(t, form):
        check_makers(
            t, {"%s %s" % k: ssh_keygen(k[0], "-b", k[1], "-m", form) for k in KINDS}
        )


@test("keys that openssl made log in")
def _(t):
    check_makers(
        t,
        {
            "genrsa": openssl("genrsa", "2048"),
            "genrsa traditional": openssl("genrsa", "-traditional", "3072"),
            "ecparam with its parameters": openssl("ecparam", "-genkey", "-name", "prime256v1"),
            "ec without a public half": openssl(
                "ec", "-no_public", first=["ecparam", "-genkey", "-noout", "-name", "secp384r1"]
            ),
            "ec compressed": openssl(
                "ec",
                "-conv_form",
                "compressed",
                first=["ecparam", "-genkey", "-noout", "-name", "secp521r1"],
            ),
            "genpkey ec": openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "group:P-384"),
        },
    )


@test("an Ed25519 key that openssl made logs in")
def _(t):
    t.need_adit("it reads Ed25519 in PKCS #8 since 9.6")
    check_makers(t, {"ed25519": openssl("genpkey", "-algorithm", "ed25519")})


@test("keys locked under every cipher of ssh-keygen -Z log in", limit=120)
def _(t):
    listed = run_tool("ssh", "-Q", "cipher").decode().split()
    ciphers = [c for c in listed if "rijndael" not in c]  # another name of aes256-cbc
    check.true("aes256-gcm@openssh.com" in ciphers, "no ciphers from ssh -Q")
    check_makers(
        t, {c: ssh_keygen("ed25519", "-a", "2", "-Z", c, words=WORDS) for c in ciphers}, WORDS
    )


@test("locked PEM keys that ssh-keygen made log in")
def _(t):
    makers = {
        "rsa PEM": ssh_keygen("rsa", "-b", "2048", "-m", "PEM", words=WORDS),
        "ecdsa PEM": ssh_keygen("ecdsa", "-m", "PEM", words=WORDS),
        "rsa PKCS8": ssh_keygen("rsa", "-b", "2048", "-m", "PKCS8", words=WORDS),
        "ecdsa PKCS8": ssh_keygen("ecdsa", "-b", "384", "-m", "PKCS8", words=WORDS),
    }
    check_makers(t, makers, WORDS)


@test("locked PEM keys that openssl made log in", limit=60)
def _(t):
    out = ["-passout", "pass:" + WORDS]
    new = ["ecparam", "-genkey", "-noout", "-name", "prime256v1"]
    makers = {}
    for cipher in ("-aes128", "-aes192", "-aes256", "-des3"):
        makers["ec " + cipher] = openssl("ec", cipher, *out, first=new)
    makers["genrsa -aes256"] = openssl("genrsa", "-aes256", *out, "2048")
    makers["genrsa -des3"] = openssl("genrsa", "-des3", *out, "2048")
    makers["pkcs8 by default"] = openssl("pkcs8", "-topk8", *out, first=new)
    for cipher in ("aes-128-cbc", "aes-192-cbc", "aes-256-cbc"):
        for prf in ("SHA1", "SHA256", "SHA384", "SHA512"):
            how = ["-v2", cipher, "-v2prf", "hmacWith" + prf, "-iter", "1000"]
            makers["%s %s" % (cipher, prf)] = openssl("pkcs8", "-topk8", *how, *out, first=new)
    check_makers(t, makers, WORDS)


# ---- passphrases


def locked(t, *more):
    """A locked key without its public half, in authorized_keys; t.key from here on."""
    path = t.path("locked")
    ssh_keygen("ed25519", "-a", "2", *more, words=WORDS)(path)
    serve(t, authorized=public_of(path, WORDS) + "\n")
    t.key = path
    t.write_config()
    return path


@test("a wrong passphrase can be tried again, as often as NumberOfPasswordPrompts says")
def _(t):
    path = locked(t)
    script(t, "wrong", "wrong too", WORDS)
    log_in(t, path)
    check.equal(asked(t), 3, "questions")
    script(t, "wrong", "wrong too", WORDS)
    status, _, errors = t.run("-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=2")
    check.equal((status, asked(t)), (255, 2), "status and questions")
    check.matches(errors, r"Permission denied \(publickey", "message")
    if not t.is_ssh:
        check.matches(errors, r'Load key "%s": wrong passphrase' % re.escape(path), "message")


@test("a wrong passphrase can be tried again on the terminal, and none is echoed")
def _(t):
    path = locked(t, "-Z", "chacha20-poly1305@openssh.com")
    terminal = Terminal(t, t.command("-o", "BatchMode=no") + ["echo i''n"])
    for words in ("wrong", WORDS):
        terminal.expect("Enter passphrase for key '%s': " % re.escape(path))
        terminal.type(words + "\r")
    terminal.expect("in\r?\n")
    terminal.wait_exit(0)
    check.true(b"horse" not in terminal.seen, "the passphrase was echoed")
    terminal.check_restored()


@test("with the .pub file beside it, a key that the server does not know needs no passphrase", BOTH)
def _(t):
    path = t.path("locked")
    run_tool("ssh-keygen", "-q", "-t", "ecdsa", "-m", "PEM", "-N", WORDS, "-f", path)
    t.server()
    t.key = path
    t.write_config()
    script(t, WORDS)
    status, _, errors = t.run("-o", "BatchMode=no", "-N")
    check.equal(status, 255, "exit status")
    check.matches(errors, r"Permission denied \(publickey", "message")
    check.equal(asked(t), 0, "questions")


@test("a locked key in OpenSSH's format tells its public half itself", BOTH)
def _(t):
    path = t.path("locked")
    ssh_keygen("ed25519", "-a", "2", words=WORDS)(path)
    t.server()
    t.key = path
    t.write_config()
    script(t, WORDS)
    check.equal(t.run("-o", "BatchMode=no", "-N")[0], 255, "exit status")
    check.equal(asked(t), 0, "questions")


# ---- what cannot be used


def complaint(t, path):
    t.key = path
    t.write_config()
    status, _, errors = t.run("-N")
    check.equal(status, 255, "exit status")
    check.matches(errors, re.escape(path), "the file's name in the message")
    return errors


@test("a key file that others may read is refused in ssh's words", BOTH)
def _(t):
    t.server()
    for mode in (0o640, 0o604, 0o666):
        os.chmod(t.key, mode)
        errors = complaint(t, t.key)
        check.matches(errors, r"WARNING: UNPROTECTED PRIVATE KEY FILE!", "box")
        check.matches(errors, r"Permissions 0%o for '%s' are too open" % (mode, t.key), "mode")
        check.matches(errors, r'Load key "%s": bad permissions' % re.escape(t.key), "verdict")


@test("a PuTTY key is named, with what converts it, and that works")
def _(t):
    t.need_adit("it does not tell what the file is")
    path, ppk, converted = t.key, t.path("key.ppk"), t.path("converted")
    run_tool("puttygen", path, "-O", "private", "-o", ppk)
    os.chmod(ppk, 0o600)
    serve(t)
    errors = complaint(t, ppk)
    advice = re.search(r"puttygen FILE -O private-openssh -o NEWFILE", errors)
    check.true(advice, "no advice in: " + errors)
    words = advice.group(0).replace("NEWFILE", converted).replace("FILE", ppk).split()
    run_tool(*words)
    log_in(t, converted)


@test("files that hold no usable private key are each named with the reason")
def _(t):
    t.need_adit("it says 'error in libcrypto' or 'invalid format'")
    t.server()
    ed25519 = run_tool("openssl", "genpkey", "-algorithm", "ed25519").decode()
    lock = ["pkcs8", "-topk8", "-passout", "pass:" + WORDS]
    files = {
        "a text": ("hello\n", "not a private key"),
        "nothing": ("", "file is empty"),
        "a public key": (public_key(t.key) + "\n", "public key"),
        "a public key in PEM": (
            run_tool("openssl", "pkey", "-pubout", text=ed25519).decode(),
            "public key",
        ),
        "scrypt": (run_tool("openssl", *lock, "-scrypt", text=ed25519).decode(), "scrypt"),
        "Camellia": (
            run_tool("openssl", *lock, "-v2", "camellia-256-cbc", text=ed25519).decode(),
            "Camellia",
        ),
        "short RSA": (run_tool("openssl", "genrsa", "1024").decode(), "fewer than 2048 bits"),
        "another curve": (
            run_tool("openssl", "ecparam", "-genkey", "-name", "secp256k1").decode(),
            "curve that SSH does not use",
        ),
        "Ed448": (run_tool("openssl", "genpkey", "-algorithm", "ed448").decode(), "Ed448"),
    }
    for name, (text, reason) in files.items():
        path = t.write(re.sub(r"\W+", "_", name), text)
        errors = complaint(t, path)
        check.matches(errors, r'Load key "[^"]*": [^\n]*%s' % reason, "reason for " + name)


@test("aditd takes a host key in PEM", ("aditd",))
def _(t):
    path = make_key(t.path("pem_host_key"), "ecdsa", "-m", "PKCS8")
    t.server(host_key=path)
    port = t.port()
    t.tunnel("-L", "%d:127.0.0.1:1" % port, listens=[port])
