"""PubkeyAuthentication's four values: whether a login's signature names the server's host key."""

import re

import check
import peer
from check import BOTH, test
from test_agent import denied, works

HOST_BOUND = "publickey-hostbound-v00@openssh.com"


def wish(value):
    return ("-o", "PubkeyAuthentication=" + value)


def methods_asked(server):
    """The authentication methods that sshd was asked for, in order."""
    return re.findall(r"userauth-request for user \S+ service ssh-connection method (\S+)", server.log())


for value, method in (("yes", HOST_BOUND), ("unbound", "publickey"), ("host-bound", HOST_BOUND)):

    @test(
        "PubkeyAuthentication=%s signs by %s where the server knows both" % (value, method),
        value=value,
        method=method,
    )
    def _(t, value, method):
        server = t.server(config="LogLevel DEBUG3")
        works(t, *wish(value))
        asked = methods_asked(server)
        check.equal(asked[-1], method, "the method that logged in")
        if "hostbound" not in method:
            check.true(HOST_BOUND not in asked, "host-bound all the same")


@test("PubkeyAuthentication=no tries no key", BOTH)
def _(t):
    server = t.server(config="LogLevel DEBUG3")
    denied(t, *wish("no"))
    if t.server_kind == "sshd":
        check.equal(set(methods_asked(server)), {"none"}, "methods asked for")


@test("aditd takes host-bound signatures and unbound ones", ("aditd",))
def _(t):
    t.server()
    for value in ("yes", "unbound", "host-bound"):
        works(t, *wish(value))


# As ssh does: host-bound is a wish, which a server that does not know it does not grant.
@test("every value but no logs in where the server knows no host-bound signatures", ())
def _(t):
    dropbear = next(p for p in peer.PEERS if p.name == "Dropbear")
    peer.serve(t, dropbear)
    for value in ("yes", "unbound", "host-bound"):
        works(t, *wish(value))
