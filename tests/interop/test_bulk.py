"""Much data both ways at the same time, under every cipher, MAC and with compression."""

import check
import data
from check import BOTH, test
from peer import offers_of

CIPHERS = [
    "chacha20-poly1305@openssh.com",
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
]
MACS = [
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "umac-64@openssh.com",
    "umac-128@openssh.com",
    "umac-64-etm@openssh.com",
    "umac-128-etm@openssh.com",
]
KEXES = [
    "mlkem768x25519-sha256",
    "sntrup761x25519-sha512",
    "sntrup761x25519-sha512@openssh.com",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group14-sha256",
]


def check_negotiated(t, server, pattern):
    """sshd tells what was agreed on, so that a test of a cipher is one of that cipher."""
    if t.server_kind == "sshd":
        check.matches(server.log(), pattern, "sshd's log")


def bulk(t, mib, *args, negotiated=None):
    server = t.server()
    target, port = data.Target(), t.port()
    t.tunnel(*args, "-L", data.spec(port, target), listens=[port])
    here, there = data.pair(port, target)
    data.exchange(here, there, mib * data.MIB)
    if negotiated:
        check_negotiated(t, server, negotiated)


for cipher in CIPHERS:

    @test(
        "256 MiB of random data both ways at once under %s" % cipher, BOTH, limit=120, cipher=cipher
    )
    def _(t, cipher):
        bulk(t, 256, "-c", cipher, negotiated="client->server cipher: %s " % cipher)


for cipher in [c for c in CIPHERS if c.endswith("-ctr")]:
    for mac in MACS:

        @test(
            "16 MiB of random data both ways at once under %s with %s" % (cipher, mac),
            BOTH,
            limit=60,
            cipher=cipher,
            mac=mac,
        )
        def _(t, cipher, mac):
            bulk(t, 16, "-c", cipher, "-m", mac, negotiated="cipher: %s MAC: %s " % (cipher, mac))


@test("256 MiB of random data both ways at once with -C", BOTH, limit=150)
def _(t):
    bulk(t, 256, "-C", "-c", "aes128-gcm@openssh.com", negotiated="MAC: <implicit> compression: zlib@openssh.com")


@test("compression is offered for after the login alone, with -C and without", ())
def _(t):
    t.need_adit("it offers zlib too, which begins before it")
    target, names = data.Target(), ["none", "zlib@openssh.com"]
    t.write_config()
    for args, expected in ((), names), (("-C",), names[::-1]):
        t.client("-N", "-p", target.port, *args, to="127.0.0.1")
        with target.accept() as sock:
            check.equal(offers_of(sock)["compression"], expected, "offered with %s" % (args,))


@test("-C carries well compressible data, cut at odd places", BOTH, limit=60)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    t.tunnel("-C", "-L", data.spec(port, echo), listens=[port])
    text = b"the same line again and again\n" * 40000
    with data.connect(port) as sock:
        back = data.Task(data.receive_exactly, sock, len(text))
        at = 0
        while at < len(text):
            sock.sendall(text[at : at + 1 + at % 9973])
            at += 1 + at % 9973
        check.true(back.result() == text, "the text came back changed")


@test("64 MiB of random data both ways at once through -R", BOTH, limit=60)
def _(t):
    t.server()
    target, port = data.Target(), t.port()
    t.tunnel("-R", data.spec(port, target), listens=[port])
    here, there = data.pair(port, target)
    data.exchange(here, there, 64 * data.MIB)


@test("64 MiB of random data both ways at once through -D", BOTH, limit=60)
def _(t):
    t.server()
    target, port = data.Target(), t.port()
    t.tunnel("-D", "%d" % port, listens=[port])
    here = data.connect(port)
    here.sendall(b"\x04\x01" + target.port.to_bytes(2, "big") + b"\x7f\x00\x00\x01\x00")
    there = target.accept()
    data.receive_exactly(here, 8)
    data.exchange(here, there, 64 * data.MIB)


@test("8 connections of one -L and one -R carry 8 MiB each both ways at once", BOTH, limit=60)
def _(t):
    t.server()
    target, (up, down) = data.Target(), t.ports(2)
    t.tunnel("-L", data.spec(up, target), "-R", data.spec(down, target), listens=[up, down])
    pairs = [data.pair(port, target) for port in [up, down] * 4]
    for task in [data.Task(data.exchange, here, there, 8 * data.MIB) for here, there in pairs]:
        task.result(50)


for kex in KEXES:

    @test("the key exchange %s works" % kex, BOTH, kex=kex)
    def _(t, kex):
        t.need_kex(kex)
        bulk(t, 1, "-o", "KexAlgorithms=" + kex, negotiated="kex: algorithm: %s[ \n]" % kex)


@test("adit and aditd prefer mlkem768x25519-sha256 to all other key exchanges", ("aditd",))
def _(t):
    t.need_adit("it has had it since 9.9 only")
    t.server()
    client = t.client("-v", "-N")
    client.wait_text(r"kex: algorithm: mlkem768x25519-sha256\n")


@test("16 MiB both ways while mlkem768x25519-sha256 is renewed every 256 KiB", BOTH, limit=60)
def _(t):
    t.need_kex("mlkem768x25519-sha256")
    t.server()
    target, port = data.Target(), t.port()
    kex = ("-o", "KexAlgorithms=mlkem768x25519-sha256", "-o", "RekeyLimit=256K")
    t.tunnel(*kex, "-L", data.spec(port, target), listens=[port])
    data.exchange(*data.pair(port, target), 16 * data.MIB)
