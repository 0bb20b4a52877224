"""Keys that an agent holds: which are tried, in which order, who signs; and agents that misbehave."""

import base64
import os
import re
import struct
import subprocess
import threading

import agent
import check
import data
from agent import Agent, Played
from case import authority, certify, make_key, public_key
from check import BOTH, test

KINDS = [
    ("ed25519", (), "ssh-ed25519"),
    ("ecdsa", ("-b", "256"), "ecdsa-sha2-nistp256"),
    ("ecdsa", ("-b", "384"), "ecdsa-sha2-nistp384"),
    ("ecdsa", ("-b", "521"), "ecdsa-sha2-nistp521"),
    ("rsa", ("-b", "2048"), "rsa-sha2-512"),
]


def works(t, *args, **more):
    """Logs in and sends something through a forward; returns what the client said."""
    echo, port = data.echo_service(), t.port()
    client = t.tunnel(*args, "-L", data.spec(port, echo), listens=[port], **more)
    data.check_echo(port, total=1000)
    said = client.err()
    client.stop()
    return said


def denied(t, *args):
    status, _, errors = t.run("-N", *args)
    check.equal(status, 255, "exit status")
    return errors


def moved_in(t, real, path, options=()):
    """Puts a key into the agent, and takes the private half off the disk."""
    real.add(path, options=options)
    os.remove(path)
    return path


def lock(path):
    """Puts a passphrase on a key, which the tests never tell."""
    command = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "locked", "-f", path]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def authorize(*paths):
    return "".join(public_key(path) + "\n" for path in paths)


def use(t, path, *, only=True, files=()):
    """The agent at path; of the case's config only the files named here are identities."""
    t.env["SSH_AUTH_SOCK"] = path
    lines = ["IdentitiesOnly %s" % ("yes" if only else "no")]
    lines += ["IdentityFile %s" % file for file in files] or ["IdentityFile none"]
    t.key = "none"
    t.write_config("\n".join(lines) + "\n")


def offered(said):
    return re.findall(r"Offering public key: (\S+) \S+ \S+(.*)", said)


def with_askpass(t, answer):
    """A program that answers every prompt, and keeps a list of them."""
    asked = t.path("asked")
    script = t.write("askpass", "#!/bin/sh\necho \"$1\" >> %s\necho %s\n" % (asked, answer), 0o700)
    t.env.update(SSH_ASKPASS=script, SSH_ASKPASS_REQUIRE="force", DISPLAY=":0")
    return lambda: t.read("asked") if os.path.exists(asked) else ""


# ---- each kind of key

for kind, bits, algorithm in KINDS:

    @test(
        "an agent's key logs in by %s" % algorithm, BOTH, kind=kind, bits=bits, algorithm=algorithm
    )
    def _(t, kind, bits, algorithm):
        real = Agent(t)
        key = moved_in(t, real, make_key(t.path("key"), kind, *bits))
        server = t.server(authorized=authorize(key))
        use(t, real.path, files=[key])
        works(t)
        if t.server_kind == "sshd" and kind == "rsa":
            check.matches(server.log(), r"Accepted publickey for \S+ from .* RSA", "sshd's log")


@test("an RSA key of the agent's signs by what the user and the server accept", BOTH)
def _(t):
    real = Agent(t)
    key = moved_in(t, real, make_key(t.path("key"), "rsa", "-b", "2048"))
    relay = agent.Relay(real.path)
    played = Played(t, relay.ask)
    t.server(authorized=authorize(key))
    use(t, played.path, files=[key])
    for algorithm, flags in (("rsa-sha2-256", 2), ("rsa-sha2-512", 4)):
        del played.heard[:]
        works(t, "-o", "PubkeyAcceptedAlgorithms=" + algorithm)
        signing = [m for m in played.heard if m[0] == agent.SIGN_REQUEST]
        check.equal([m[-4:] for m in signing], [struct.pack(">I", flags)], "flags of the request")


@test("a security key of the agent's logs in", BOTH)
def _(t):
    token = agent.SecurityKey()
    played = Played(t, token.answer)
    line = "%s %s\n" % (token.TYPE.decode(), base64.b64encode(token.blob).decode())
    t.server(authorized=line)
    use(t, played.path, only=False)
    works(t)
    check.true(agent.SIGN_REQUEST in played.numbers(), "the agent signed")
    public = t.write("token.pub", line)
    use(t, played.path, files=[public])
    works(t)


@test("a certificate logs in that the agent holds, and one whose key alone it holds")
def _(t):
    key = make_key(t.path("key"))
    ca = make_key(t.path("authority"))
    certify(ca, key)
    t.server(authorized=authority(ca))
    both = Agent(t, "both")
    both.add(key)  # ssh-add takes the certificate along
    check.equal(both.n_keys(), 2, "the key and its certificate")
    use(t, both.path, only=False)
    works(t)
    plain = Agent(t, "plain")
    plain.add(key, options=["-k"])
    check.equal(plain.n_keys(), 1, "the key alone")
    os.remove(key)
    use(t, plain.path, files=[key])
    works(t)


# ---- which keys, in which order


@test("the order of keys is ssh's: files the agent holds, its others, other files", BOTH)
def _(t):
    real = Agent(t)
    names = ["one", "two", "three", "four", "stranger"]
    keys = {name: make_key(t.path(name), "ed25519") for name in names}
    real.add(keys["stranger"], keys["four"], keys["two"])
    t.server(authorized=authorize(keys["three"]))
    files = [keys[name] for name in names[:4]]
    use(t, real.path, only=False, files=files)
    said = works(t, "-v")
    got = [(os.path.basename(name), rest.split()[-1:]) for name, rest in offered(said)]
    wanted = ["two", "four", "test", "one", "three"]  # "test" is what the stranger's comment says
    if t.is_ssh:  # which takes the first two in the agent's order
        wanted = ["four", "two", "test", "one", "three"]
    check.equal([name for name, _ in got], wanted, "keys offered")
    check.equal([rest for _, rest in got][:3], [["agent"]] * 3, "who holds them")
    use(t, real.path, only=True, files=files)
    said = works(t, "-v")
    check.equal(
        [os.path.basename(name) for name, _ in offered(said)],
        [name for name in wanted if name != "test"],
        "keys offered with IdentitiesOnly",
    )


@test("IdentitiesOnly keeps the agent's other keys back", BOTH)
def _(t):
    real = Agent(t)
    key = moved_in(t, real, make_key(t.path("key")))
    other = make_key(t.path("other"))
    t.server(authorized=authorize(key))
    use(t, real.path, only=True, files=[other])
    check.matches(denied(t), r"Permission denied \(publickey", "message")
    works(t, "-o", "IdentitiesOnly=no", "-i", other)


@test("a public key file names a key of the agent's", BOTH)
def _(t):
    real = Agent(t)
    keys = [moved_in(t, real, make_key(t.path("key%d" % i))) for i in range(3)]
    t.server(authorized=authorize(keys[1]))
    use(t, real.path, files=[keys[1] + ".pub"])
    said = works(t, "-v")
    check.equal(len(offered(said)), 1, "keys offered")
    use(t, "/nowhere", files=[keys[1] + ".pub"])
    errors = denied(t, "-v")
    check.equal(len(offered(errors)), 0 if not t.is_ssh else 1, "keys offered without the agent")


@test("a key without its .pub file is found in the agent by its own public part", BOTH)
def _(t):
    real = Agent(t)
    key = make_key(t.path("key"))
    authorized = authorize(key)
    real.add(key)
    lock(key)
    os.remove(key + ".pub")
    t.server(authorized=authorized)
    asked = with_askpass(t, "wrong")
    use(t, real.path, files=[key])
    works(t, "-o", "BatchMode=no")
    check.equal(asked(), "", "questions asked")


@test("a key the agent holds never asks for its passphrase", BOTH)
def _(t):
    real = Agent(t)
    key = make_key(t.path("key"))
    refused = make_key(t.path("refused"))
    real.add(refused, key)
    for path in (key, refused):
        lock(path)
    t.server(authorized=authorize(key))
    asked = with_askpass(t, "wrong")
    use(t, real.path, files=[refused, key])
    works(t, "-o", "BatchMode=no")
    check.equal(asked(), "", "questions asked")


@test("too many keys: the message says what helps", BOTH)
def _(t):
    real = Agent(t)
    for i in range(10):
        moved_in(t, real, make_key(t.path("key%d" % i)))
    good = t.key
    t.server(authorized=authorize(good))
    use(t, real.path, only=False, files=[good])
    errors = denied(t)
    check.matches(errors, r"too many authentication failures", "the server's words")
    if not t.is_ssh:
        check.matches(errors, r"\b(6|11) keys were offered.*IdentitiesOnly=yes", "what helps")
    works(t, "-o", "IdentitiesOnly=yes", "-i", good)


# ---- where the agent is


@test("IdentityAgent says where the agent is, in all its forms")
def _(t):
    server = t.server()
    real = Agent(t, "agent-%d" % server.port)
    real.add(t.key)
    use(t, "/nowhere", only=False)
    check.matches(denied(t), r"Permission denied", "message")
    works(t, "-o", "IdentityAgent=" + real.path)
    works(t, "-o", "IdentityAgent=%s/agent-%%p" % t.folder)
    t.env["MY_AGENT"], t.env["MY_FOLDER"] = real.path, t.folder
    works(t, "-o", "IdentityAgent=$MY_AGENT")
    works(t, "-o", "IdentityAgent=${MY_FOLDER}/agent-%p")
    denied(t, "-o", "IdentityAgent=$NOT_SET")
    denied(t, "-o", "IdentityAgent=SSH_AUTH_SOCK")
    t.env["SSH_AUTH_SOCK"] = real.path
    works(t)
    works(t, "-o", "IdentityAgent=SSH_AUTH_SOCK")
    denied(t, "-o", "IdentityAgent=none")
    denied(t, "-o", "IdentityAgent=/nowhere")
    status, _, errors = t.run("-N", "-o", "IdentityAgent=$a-b")
    check.equal(status, 255, "exit status")
    check.matches(errors, r"IdentityAgent|environment", "message")


@test("an agent that is gone is no news until the login fails for it", BOTH)
def _(t):
    t.server()
    key = t.key
    use(t, t.path("nowhere"), files=[key])
    said = works(t)
    if t.is_ssh:
        return
    check.true("agent" not in said, "a word about the agent: " + said)
    use(t, t.path("nowhere"))
    check.matches(
        denied(t),
        r"agent at %s cannot be reached: No such file" % re.escape(t.path("nowhere")),
        "message",
    )


# ---- agents that say no


@test("a locked agent shows no keys until it is unlocked", BOTH)
def _(t):
    real = Agent(t)
    key = moved_in(t, real, make_key(t.path("key")))
    t.server(authorized=authorize(key))
    use(t, real.path, files=[key])
    script = t.write("say_lock", "#!/bin/sh\necho lock\n", 0o700)
    env = {"SSH_ASKPASS": script, "SSH_ASKPASS_REQUIRE": "force"}
    real.ssh_add("-x", env=env)
    check.matches(denied(t), r"Permission denied \(publickey", "message")
    real.ssh_add("-X", env=env)
    works(t)


@test("a signature that the person does not confirm is refused in clear words", BOTH)
def _(t):
    good, t.key = t.key, None
    verdict = t.write("confirm", "#!/bin/sh\nexec test -e %s\n" % t.path("allowed"), 0o700)
    real = Agent(t, env={"SSH_ASKPASS": verdict, "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"})
    key = moved_in(t, real, make_key(t.path("key")), options=["-c"])
    t.server(authorized=authorize(key, good))
    use(t, real.path, files=[key])
    errors = denied(t)
    check.matches(errors, r"signing failed for ED25519 .*agent refused operation", "message")
    check.matches(errors, r"Permission denied", "message")
    use(t, real.path, files=[key, good])
    works(t)  # the next key's turn
    use(t, real.path, files=[key])
    t.write("allowed", "")
    works(t)


# ---- agents that lie, leave or are silent

KEY = agent.string(b"ssh-ed25519") + agent.string(bytes(32))
LIES = {
    "garbage": agent.Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "a huge length": agent.Raw(b"\xff\xff\xff\xff\x0c"),
    "a length of none": agent.Raw(b"\0\0\0\0"),
    "a count too high": agent.identities((KEY, b"a"))[:1] + b"\0\0\0\2" + agent.string(KEY) + bytes(4),
    "a count of billions": b"\x0c\xff\xff\xff\xff",
    "a length beyond the end": b"\x0c\0\0\0\1\0\0\xff\xff" + KEY,
    "another answer": b"\x0e" + agent.string(b"signature"),
    "nothing but a no": bytes([agent.FAILURE]),
}

for name, lie in LIES.items():

    @test("an agent that answers with %s is named, and files are tried" % name, lie=lie)
    def _(t, lie):
        played = Played(t, lambda message: lie if message[0] == agent.REQUEST_IDENTITIES else b"\6")
        t.server()
        good = t.key
        use(t, played.path)
        errors = denied(t)
        if not t.is_ssh:
            check.matches(errors, r"agent at %s " % re.escape(played.path), "message")
        use(t, played.path, files=[good])
        works(t)


@test("an agent that leaves, at whatever point, is named, and files are tried")
def _(t):
    t.server()
    good = t.key
    key = make_key(t.path("key"))
    blob = base64.b64decode(public_key(key).split()[1])
    authorized = t.path("gate_authorized_keys")
    with open(authorized, "a") as f:
        f.write(authorize(key))
    os.remove(key)
    for point in (agent.EXTENSION, agent.REQUEST_IDENTITIES, agent.SIGN_REQUEST):

        def answer(message):
            if message[0] == point:
                raise agent.Closed
            if message[0] == agent.REQUEST_IDENTITIES:
                return agent.identities((blob, b"mine"))
            return bytes([agent.SUCCESS])

        played = Played(t, answer, "played-%d" % point)
        use(t, played.path, only=False)
        errors = denied(t)
        if not t.is_ssh:
            check.matches(errors, r"agent at %s closed" % re.escape(played.path), "message")
        use(t, played.path, only=False, files=[good])
        works(t)


@test("a signature by another algorithm, or by nobody, is not the end of the login", BOTH)
def _(t):
    good = t.key
    key = make_key(t.path("key"))
    blob = base64.b64decode(public_key(key).split()[1])
    t.server(authorized=authorize(key, good))
    os.remove(key)
    signatures = {
        "wrong-name": agent.string(b"ssh-rsa") + agent.string(bytes(64)),
        "wrong-signature": agent.string(b"ssh-ed25519") + agent.string(bytes(64)),
        "empty": b"",
        "endless": bytes(100000),
    }
    for name, signature in signatures.items():

        def answer(message):
            if message[0] == agent.SIGN_REQUEST:
                return bytes([agent.SIGN_RESPONSE]) + agent.string(signature)
            if message[0] == agent.REQUEST_IDENTITIES:
                return agent.identities((blob, b"mine \x1b]0;title\x07"))
            return bytes([agent.SUCCESS])

        played = Played(t, answer, name)
        use(t, played.path, only=False)
        errors = denied(t, "-v")
        check.true("\x1b" not in errors, "a control character reached the terminal")
        if not t.is_ssh and name != "wrong-signature":
            check.matches(errors, r"signing failed for ED25519 .* from agent: agent s", "message")
        use(t, played.path, only=False, files=[good])
        works(t)


@test("a silent agent hangs nothing: the server's end of the login ends the client", limit=60)
def _(t):
    t.need_adit("it waits for the agent, and for nothing else")
    played = Played(t, lambda message: None)
    t.server(config="LoginGraceTime 2")
    use(t, played.path, only=False)
    client = t.client("-N")
    client.wait_exit(255, seconds=30)
    check.matches(client.err(), r"connection to \S+ failed", "message")


@test("a silent agent hangs nothing: it can be interrupted while it is waited for")
def _(t):
    listed = threading.Event()

    def answer(message):
        listed.set()

    played = Played(t, answer)
    t.server()
    use(t, played.path, only=False)
    client = t.client("-N")
    check.true(listed.wait(10), "the agent is asked")
    client.signal(2)
    client.wait_exit()


@test("an agent may take its time to sign, and the person is told", BOTH, limit=60)
def _(t):
    t.need_adit("it says nothing meanwhile")
    real = Agent(t)
    key = moved_in(t, real, make_key(t.path("key")))
    relay = agent.Relay(real.path)
    touched = threading.Event()

    def answer(message):
        if message[0] == agent.SIGN_REQUEST:
            touched.wait(30)
        return relay.ask(message)

    played = Played(t, answer)
    t.server(authorized=authorize(key))
    use(t, played.path, files=[key])
    port = t.port()
    client = t.client("-N", "-L", "%d:127.0.0.1:1" % port)
    client.wait_text(r"waiting for the agent at %s" % re.escape(played.path), seconds=20)
    touched.set()
    client.wait_listening(port)


# ---- keys bound to hosts


@test("a key that the agent restricts to a host logs in there and nowhere else", BOTH)
def _(t):
    real = Agent(t)
    key = make_key(t.path("key"))
    gate = t.server(authorized=authorize(key))
    t.server("other", authorized=authorize(key))
    hosts = t.write("agent_hosts", "gate %s\n" % public_key(gate.host_key))
    moved_in(t, real, key, options=["-H", hosts, "-h", "gate"])
    use(t, real.path, files=[key])
    works(t)
    errors = t.run("-N", to="other")
    check.equal(errors[0], 255, "exit status at the other host")
    check.matches(errors[2], r"Permission denied \(publickey", "message")


@test("a certificate that the agent restricts to a host logs in there")
def _(t):
    t.need_adit("it signs for certificates in the form without the host key")
    real = Agent(t)
    key = make_key(t.path("key"))
    ca = make_key(t.path("authority"))
    certify(ca, key)
    gate = t.server(authorized=authority(ca))
    hosts = t.write("agent_hosts", "gate %s\n" % public_key(gate.host_key))
    moved_in(t, real, key, options=["-H", hosts, "-h", "gate"])
    use(t, real.path, only=False)
    works(t)


@test("the agent is told of the session before it is asked for anything", BOTH)
def _(t):
    real = Agent(t)
    real.add(t.key)
    relay = agent.Relay(real.path)
    played = Played(t, relay.ask)
    gate = t.server()
    use(t, played.path, only=False)
    works(t)
    check.equal(
        played.numbers(),
        [agent.EXTENSION, agent.REQUEST_IDENTITIES, agent.SIGN_REQUEST],
        "messages to the agent",
    )
    (name, host_key, session, _), rest = agent.strings(played.heard[0][1:], 4)
    check.equal(name, b"session-bind@openssh.com", "the extension")
    check.equal(
        base64.b64encode(host_key).decode(), public_key(gate.host_key).split()[1], "the host's key"
    )
    check.equal(rest, b"\0", "is_forwarding")
    (_, signed), _ = agent.strings(played.heard[2][1:], 2)
    check.equal(signed[: 4 + len(session)], agent.string(session), "the session that is signed for")


# ---- AddKeysToAgent

ADDING = [
    ("yes", agent.ADD_IDENTITY, b""),
    ("confirm", agent.ADD_ID_CONSTRAINED, b"\2"),
    ("5m", agent.ADD_ID_CONSTRAINED, b"\1\0\0\1\x2c"),
    ("confirm 5m", agent.ADD_ID_CONSTRAINED, b"\1\0\0\1\x2c\2"),
]


@test("AddKeysToAgent gives the agent the key whose passphrase was typed", BOTH)
def _(t):
    key = make_key(t.path("key"), "rsa", "-b", "2048", "-N", "open")
    t.server(authorized=authorize(key))
    real = Agent(t)
    asked = with_askpass(t, "open")
    use(t, real.path, files=[key])
    works(t, "-o", "BatchMode=no")
    check.equal((asked().count("passphrase"), real.n_keys()), (1, 0), "questions, and keys added")
    works(t, "-o", "BatchMode=no", "-o", "AddKeysToAgent=yes")
    check.wait_for(lambda: real.n_keys() == 1, "the agent to have the key")
    works(t, "-o", "BatchMode=no")
    check.equal(asked().count("passphrase"), 2, "questions asked")


@test("AddKeysToAgent asks for confirmation and a lifetime where it is told to")
def _(t):
    t.server()
    key = t.key
    for value, number, constraints in ADDING:
        real = Agent(t, "agent " + value)
        relay = agent.Relay(real.path)
        played = Played(t, relay.ask, "played " + value)
        use(t, played.path, files=[key])
        t.write_config(t.read("config").replace("Host *", "Host *\nAddKeysToAgent " + value, 1))
        works(t)
        check.equal(played.numbers().count(number), 1, "AddKeysToAgent %s: messages" % value)
        (added,) = [m for m in played.heard if m[0] == number]
        tail = agent.string(b"test") + constraints
        check.equal(added[-len(tail) :], tail, "comment and constraints")
        check.equal(real.n_keys(), 1, "keys of the agent")


@test("AddKeysToAgent ask: the person decides")
def _(t):
    t.server()
    key = t.key
    for answer, n_keys in (("exit 1", 0), ("exit 0", 1)):
        real = Agent(t, "agent-%d" % n_keys)
        script = t.write("confirm", "#!/bin/sh\n%s\n" % answer, 0o700)
        t.env.update(SSH_ASKPASS=script, SSH_ASKPASS_REQUIRE="force", DISPLAY=":0")
        use(t, real.path, files=[key])
        works(t, "-o", "BatchMode=no", "-o", "AddKeysToAgent=ask")
        check.equal(real.n_keys(), n_keys, "keys of the agent")
