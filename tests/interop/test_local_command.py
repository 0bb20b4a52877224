"""LocalCommand: something done here once the login is through."""

import check
import data
from check import BOTH, test


@test("a LocalCommand is run once, when forwards are up, and where it is permitted", BOTH)
def _(t):
    t.server()
    service, port = data.Service(data.named("target")), t.port()
    look = "exec 3<>/dev/tcp/127.0.0.1/%d; echo open %%n >> %s" % (port, t.path("seen"))
    command = "LocalCommand=bash -c '%s'" % look
    for permitted in ("yes", "no"):
        args = ("-o", "PermitLocalCommand=" + permitted, "-o", command)
        client = t.tunnel(*args, "-L", data.spec(port, service), listens=[port])
        check.equal(data.ask(port), "target", "what is behind the forward")
        client.stop(0)
        check.equal(t.read("seen"), "open gate\n", "what the command did, with " + permitted)


@test("a LocalCommand has the client's own streams, and its failure is nobody's", ("sshd",))
def _(t):
    t.server()
    args = ("-o", "PermitLocalCommand=yes", "-o", "LocalCommand=cat; exit 3")
    status, out, _ = t.run(*args, remote=["echo", "there"], input=b"here\n")
    check.equal((status, out), (0, b"here\nthere\n"), "status and output")


@test("without a login no LocalCommand is run", BOTH)
def _(t):
    t.server(authorized="")
    args = ("-o", "PermitLocalCommand=yes", "-o", "LocalCommand=echo here")
    status, out, _ = t.run("-N", *args)
    check.equal((status, out), (255, b""), "status and output")
