"""Config files: the same forwards as on the command line, and a user's own file never breaks adit."""

import re

import check
import data
from case import USER
from check import BOTH, test


def given(t, text, *args, to="gate"):
    """Runs a client whose config starts with the text."""
    t.write_config(extra=text)
    return t.client("-N", *args, to=to)


@test("LocalForward, RemoteForward and DynamicForward do what the options do", BOTH)
def _(t):
    t.server()
    echo, web, (one, two, three, four) = data.echo_service(), data.WebServer(), t.ports(4)
    client = given(
        t,
        "Host gate\n"
        "    LocalForward %d localhost:%d\n"
        "    LocalForward 127.0.0.5:%d 127.0.0.1:%d\n"
        "    RemoteForward %d localhost:%d\n"
        "    DynamicForward 127.0.0.1:%d\n"
        % (one, echo.port, two, echo.port, three, echo.port, four),
    )
    client.wait_listening(one, two, three, four)
    data.check_echo(one)
    data.check_echo(two, "127.0.0.5")
    data.check_echo(three)
    t.web_through(web, "localhost", "--socks5-hostname", "127.0.0.1:%d" % four)


@test("LocalForward takes IPv6 addresses in brackets", BOTH)
def _(t):
    t.need_ipv6()
    t.server()
    echo, port = data.echo_service("::1"), t.port()
    given(t, "Host gate\n    LocalForward [::1]:%d [::1]:%d\n" % (port, echo.port)).wait_listening(
        port
    )
    data.check_echo(port, "::1")


@test("RemoteForward 0 reports the allocated port", BOTH)
def _(t):
    server = t.server()
    echo = data.echo_service()
    client = given(t, "Host gate\n    RemoteForward 0 localhost:%d\n" % echo.port)
    port = int(
        client.wait_text(
            r"Allocated port (\d+) for remote forward to localhost:%d" % echo.port
        ).group(1)
    )
    data.check_echo(port, server.host_of(port))


@test("forwards of the config and of the command line add up, the same one counts once", BOTH)
def _(t):
    t.server()
    echo, (one, two) = data.echo_service(), t.ports(2)
    client = given(
        t,
        "Host gate\n    LocalForward %d localhost:%d\n    ExitOnForwardFailure yes\n"
        % (one, echo.port),
        "-L",
        data.spec(one, echo, "localhost"),
        "-L",
        data.spec(two, echo, "localhost"),
    )
    client.wait_listening(one, two)
    data.check_echo(one)
    data.check_echo(two)


@test("the first value of a keyword wins, the command line before the file", BOTH)
def _(t):
    server = t.server()
    echo, port = data.echo_service(), t.port()
    text = (
        "Host gate\n    Port %d\n    ExitOnForwardFailure no\n"
        "Host *\n    Port 1\n    ExitOnForwardFailure yes\n" % server.port
    )
    taken = data.Target()
    client = given(
        t,
        text,
        "-L",
        "127.0.0.1:%d:localhost:1" % taken.port,
        "-L",
        data.spec(port, echo, "localhost"),
    )
    client.wait_listening(port)
    data.check_echo(port)
    client.stop()
    status, _, _ = t.run(
        "-N", "-o", "ExitOnForwardFailure=yes", "-L", "127.0.0.1:%d:localhost:1" % taken.port
    )
    check.equal(status, 255, "exit status when the command line asks for it")


@test("Host takes patterns, several of them, and negated ones")
def _(t):
    server = t.server()
    echo = data.echo_service()
    text = (
        "\n".join(
            [
                "Host !web3.example *.example other",
                "    HostName 127.0.0.1",
                "    Port %d" % server.port,
                "Host web3.example",
                "    HostName 127.0.0.1",
                "    Port 1",
            ]
        )
        + "\n"
    )
    for name in ("web1.example", "a.b.example", "other"):
        port = t.port()
        given(t, text, "-L", data.spec(port, echo, "localhost"), to=name).wait_listening(port)
        data.check_echo(port, total=1000)
    status, _, errors = t.run("-N", to="web3.example")
    check.equal(status, 255, "exit status of the negated name")
    check.matches(errors, "connection refused", "message")


@test("Match host, originalhost, user, localuser and all decide as in ssh")
def _(t):
    server = t.server()
    echo = data.echo_service()
    rules = [
        "Match host gate",
        "Match originalhost gate",
        "Match host gate user %s" % USER,
        "Match host gate localuser %s" % USER,
        "Match all",
        "Match host=other,gate",
        "Match !host other",
    ]
    for rule in rules:
        port = t.port()
        t.write_config(
            extra="User %s\n%s\n    HostName 127.0.0.1\n    Port %d\n" % (USER, rule, server.port),
            names=False,
        )
        t.client("-N", "-L", data.spec(port, echo, "localhost")).wait_listening(port)
        data.check_echo(port, total=1000)
    for rule in ("Match host other", "Match host gate user somebody-else", "Match !host gate"):
        port = t.port()
        given(
            t, "User %s\n%s\n    Port 1\n" % (USER, rule), "-L", data.spec(port, echo, "localhost")
        ).wait_listening(port)


@test("Include reads other files, relative ones and patterns, and inside Host only for that host")
def _(t):
    server = t.server()
    echo, (one, two) = data.echo_service(), t.ports(2)
    a = t.write("a.conf", "Host gate\n    LocalForward %d localhost:%d\n" % (one, echo.port))
    t.write("b.conf", "LocalForward %d localhost:%d\n" % (two, echo.port))
    text = "Include %s\nHost gate\n    Include %s\nHost elsewhere\n    Include %s\n" % (
        a,
        t.path("b.con?"),
        t.write("never.conf", "Port 1\n"),
    )
    given(t, text).wait_listening(one, two)
    data.check_echo(one)
    data.check_echo(two)
    check.true(server.process.running(), "the server runs")


@test(
    "keywords in any letter case, = signs, quotes, comments and blank lines are read as ssh reads them"
)
def _(t):
    server = t.server()
    echo, port = data.echo_service(), t.port()
    text = (
        '# a comment\n\n\thost="gate" other\n   PORT = %d\n  hOsTnAmE=127.0.0.1\r\n'
        '    LocalForward "%d" "localhost:%d"   \n    # another\n' % (server.port, port, echo.port)
    )
    given(t, text).wait_listening(port)
    data.check_echo(port)


@test("%-tokens and ~ in IdentityFile and UserKnownHostsFile are expanded")
def _(t):
    server = t.server()
    echo, port = data.echo_service(), t.port()
    with open(t.key) as f:
        t.write("id-127.0.0.1-%d-%%" % server.port, f.read())
    t.key = t.path("no_such_key")
    given(
        t,
        "Host gate\n    IdentityFile %s/id-%%h-%%p-%%%%\n" % t.folder,
        "-L",
        data.spec(port, echo, "localhost"),
    ).wait_listening(port)
    data.check_echo(port)


@test("ClearAllForwardings drops the forwards of the config")
def _(t):
    t.server()
    echo, (one, two) = data.echo_service(), t.ports(2)
    given(t, "Host gate\n    LocalForward %d localhost:%d\n" % (one, echo.port)).wait_listening(one)
    t.processes[-1].stop()
    status, out, _ = t.run(
        "-o",
        "ClearAllForwardings=yes",
        "-o",
        "ExitOnForwardFailure=yes",
        "-L",
        "%d:localhost:1" % two,
        remote=["echo", "in"],
    )
    check.equal((status, out), (0, b"in\n"), "status and output")


# Every keyword of ssh_config(5), with a value that is good and changes nothing for the test.
KEYWORDS = """
AddKeysToAgent no
AddressFamily any
CASignatureAlgorithms ssh-ed25519,rsa-sha2-256
CanonicalDomains example.com
CanonicalizeFallbackLocal yes
CanonicalizeHostname no
CanonicalizeMaxDots 1
CanonicalizePermittedCNAMEs *.a.example.com:*.b.example.com
CheckHostIP no
Ciphers aes128-gcm@openssh.com,aes256-ctr,chacha20-poly1305@openssh.com
ClearAllForwardings no
Compression no
ConnectTimeout 10
ConnectionAttempts 1
ControlMaster no
ControlPath none
ControlPersist no
EnableEscapeCommandline no
EnableSSHKeysign no
EscapeChar ~
ExitOnForwardFailure no
FingerprintHash sha256
ForkAfterAuthentication no
ForwardAgent no
ForwardX11 no
ForwardX11Timeout 20m
ForwardX11Trusted no
GSSAPIAuthentication no
GSSAPIDelegateCredentials no
GatewayPorts no
HashKnownHosts no
HostKeyAlgorithms ssh-ed25519,rsa-sha2-512
HostbasedAcceptedAlgorithms ssh-ed25519
HostbasedAuthentication no
IPQoS af21 cs1
KbdInteractiveAuthentication no
KbdInteractiveDevices bsdauth
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org
KnownHostsCommand none
LogLevel INFO
LogVerbose none
MACs hmac-sha2-256-etm@openssh.com,hmac-sha2-512
NoHostAuthenticationForLocalhost no
NumberOfPasswordPrompts 3
PKCS11Provider none
PasswordAuthentication no
PermitLocalCommand no
PermitRemoteOpen any
PreferredAuthentications publickey
ProxyCommand none
ProxyUseFdpass no
PubkeyAcceptedAlgorithms ssh-ed25519,rsa-sha2-512
PubkeyAuthentication yes
RekeyLimit default none
RequestTTY auto
RequiredRSASize 1024
SecurityKeyProvider internal
SendEnv LANG LC_*
ServerAliveCountMax 3
ServerAliveInterval 30
SessionType default
SetEnv ADIT_TEST=1
StdinNull no
StreamLocalBindMask 0177
StreamLocalBindUnlink no
SyslogFacility USER
TCPKeepAlive yes
Tunnel no
TunnelDevice any:any
UpdateHostKeys no
VerifyHostKeyDNS no
VisualHostKey no
XAuthLocation /usr/bin/xauth
"""

# Old names that ssh still takes, some of them only to ignore them.
OLD_KEYWORDS = """
ChallengeResponseAuthentication no
DSAAuthentication yes
HostbasedKeyTypes ssh-ed25519
PubkeyAcceptedKeyTypes ssh-ed25519
RSAAuthentication yes
UseRoaming no
Protocol 2
KeepAlive yes
"""

# What came after the ssh of some machines.
NEW_KEYWORDS = """
ChannelTimeout session=1h
ObscureKeystrokeTiming no
Tag thing
WarnWeakCrypto no
VersionAddendum none
RefuseConnection none
"""


@test("a config with every keyword that ssh has does not break the client", BOTH)
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    lines = KEYWORDS + OLD_KEYWORDS
    given(t, "Host gate\n" + lines, "-L", data.spec(port, echo, "localhost")).wait_listening(port)
    data.check_echo(port)


@test("keywords of newer ssh versions do not break the client")
def _(t):
    t.need_adit("keywords that this ssh does not know yet are errors")
    t.server()
    echo, port = data.echo_service(), t.port()
    lines = [line for line in NEW_KEYWORDS.splitlines() if not line.startswith("RefuseConnection")]
    given(
        t, "Host gate\n" + "\n".join(lines) + "\n", "-L", data.spec(port, echo, "localhost")
    ).wait_listening(port)
    data.check_echo(port)


@test("IgnoreUnknown lets unknown keywords pass")
def _(t):
    t.server()
    echo, port = data.echo_service(), t.port()
    given(
        t,
        "IgnoreUnknown Frob*,UseKeychain\nFrobnicate yes\nUseKeychain yes\n",
        "-L",
        data.spec(port, echo, "localhost"),
    ).wait_listening(port)
    data.check_echo(port)


@test("-F none reads no config at all")
def _(t):
    server = t.server()
    echo, port = data.echo_service(), t.port()
    command = [
        t.client_path,
        "-F",
        "none",
        "-N",
        "-i",
        t.key,
        "-p",
        str(server.port),
        "-l",
        USER,
        "-o",
        "UserKnownHostsFile=" + t.known_hosts,
        "-o",
        "BatchMode=yes",
        "-L",
        data.spec(port, echo, "localhost"),
        "127.0.0.1",
    ]
    t.start("client", command).wait_listening(port)
    data.check_echo(port)


@test("a config file that is not there is an error with its name")
def _(t):
    status, _, errors = t.run("-F", t.path("nowhere.conf"), "-N")
    check.equal(status, 255, "exit status")
    check.matches(errors, re.escape(t.path("nowhere.conf")), "message")


@test("SetEnv and SendEnv do not stop a session")
def _(t):
    t.server(config="AcceptEnv ADIT_*")
    t.write_config(extra="Host gate\n    SetEnv ADIT_TEST=1\n    SendEnv ADIT_OTHER\n")
    status, out, _ = t.run(remote=["echo", "in"])
    check.equal((status, out), (0, b"in\n"), "status and output")
