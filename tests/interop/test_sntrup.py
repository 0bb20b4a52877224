"""sntrup761x25519 by both of its names, and renewed all the time."""

import data
from check import BOTH, test
from test_openssh_client import ssh
from test_rekey import check_exchanges

NAMES = ["sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com"]


def rekey_under_load(t, kex):
    t.need_kex(kex)
    server = t.server()
    mib = 1 if t.is_ssh else 8  # making a key pair takes OpenSSH a tenth of a second
    target, port = data.Target(), t.port()
    options = ("-o", "KexAlgorithms=" + kex, "-o", "RekeyLimit=64K")
    t.tunnel(*options, "-L", data.spec(port, target), listens=[port])
    data.exchange(*data.pair(port, target), mib * data.MIB)
    check_exchanges(t, server, 3 * mib)


for kex in NAMES:

    @test("rekey every 64 KiB under load with %s" % kex, BOTH, limit=60, kex=kex)
    def _(t, kex):
        rekey_under_load(t, kex)

    @ssh("rekey every 64 KiB under load with %s" % kex, limit=60, kex=kex)
    def _(t, kex):
        rekey_under_load(t, kex)


@test("sntrup761x25519 is preferred to curve25519", BOTH)
def _(t):
    t.need_kex(NAMES[0])
    t.server()
    client = t.client("-v", "-N", "-o", "KexAlgorithms=-mlkem*")
    client.wait_text(r"kex: algorithm: %s\n" % NAMES[0])
