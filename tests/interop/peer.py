"""Servers that are neither OpenSSH's nor ours: what each has, and how it is started."""

import glob
import os
import shutil
import struct
import subprocess

import check
import data
from case import HERE, USER, Server, make_key, public_key

PYTHON = "/usr/bin/python3"  # the one that Debian's packages install their modules for
PASSWORD = "correct horse"
PASSWORD_HASH = "$5$aditTests$59.BvJZRNTrq/rSl/XrEgfoxVx51JheA.e6ItE4Ssv/"
ED25519 = ("ed25519", ())
KINDS = (
    ED25519,
    ("rsa", ("-b", "2048")),
    ("ecdsa", ("-b", "256")),
    ("ecdsa", ("-b", "384")),
    ("ecdsa", ("-b", "521")),
)


UNPACKED = glob.glob(os.path.abspath(os.environ.get("PEERS", "build/peers")) + "/*/usr/sbin")


def need_program(name):
    folders = [os.environ.get("PATH", ""), "/usr/sbin", "/sbin"] + UNPACKED
    path = shutil.which(name, path=":".join(folders))
    if path is None:
        raise check.Skip("%s is not installed" % name)
    return path


def home_of_the_test(t, authorized, home=None):
    """A variables' dictionary that makes a program take the test's folder for the user's home: some
    servers look for authorized_keys nowhere else, and nobody's real home is ours to write to."""
    found = glob.glob("/usr/lib/*/libnss_wrapper.so") + glob.glob("/usr/lib/libnss_wrapper.so")
    if not found:
        raise check.Skip("libnss-wrapper is not installed")
    home = home or t.path("home")
    os.makedirs(home + "/.ssh", 0o700)
    t.write(home + "/.ssh/authorized_keys", authorized)
    ids = (os.getuid(), os.getgid())
    return dict(
        t.env,
        LD_PRELOAD=found[0],
        NSS_WRAPPER_PASSWD=t.write("passwd", "%s:x:%d:%d::%s:/bin/sh\n" % (USER, *ids, home)),
        NSS_WRAPPER_SHADOW=t.write("shadow", "%s:%s:19000::::::\n" % (USER, PASSWORD_HASH)),
        NSS_WRAPPER_GROUP=t.write("group", "%s:x:%d:\n" % (USER, ids[1])),
    )


def strict_folder(t):
    """A folder on whose path others may write nowhere, as they may to /tmp."""

    def is_strict(path):
        info = os.stat(path)
        mine = info.st_uid in (0, os.getuid()) and not info.st_mode & 0o022
        return mine and (path == "/" or is_strict(os.path.dirname(path)))

    for folder in (os.environ.get("XDG_RUNTIME_DIR"), "/run", os.path.abspath("build")):
        if folder and os.access(folder, os.W_OK) and is_strict(folder):
            return t.folder_in(folder)
    raise check.Skip("no folder here is out of others' reach")


class Dropbear:
    name = "Dropbear"
    forwards = passwords = True
    interactive = False
    user_kinds = KINDS
    host_kinds = KINDS[:3] + KINDS[4:]  # it takes four at most
    load = 2 * data.MIB
    rekeys = 8  # at least, with a new key every 64 KiB of that

    def need(self):
        need_program("dropbear")
        need_program("dropbearkey")

    def make_host_key(self, path, kind, *more):
        tool = need_program("dropbearkey")
        bits = ("-s", more[1]) if more else ()
        subprocess.run([tool, "-t", kind, "-f", path, *bits], capture_output=True, check=True)
        run = subprocess.run([tool, "-y", "-f", path], capture_output=True, text=True, check=True)
        public = [line for line in run.stdout.splitlines() if line.startswith(("ssh-", "ecdsa-"))]
        with open(path + ".pub", "w") as f:
            f.write(public[0] + "\n")
        return path

    def start(self, t, host_keys, authorized):
        port = t.port()
        command = [need_program("dropbear"), "-F", "-E", "-P", t.path("pid")]
        command += ["-p", "127.0.0.1:%d" % port]
        for key in host_keys:
            command += ["-r", key]
        process = t.start("gate", command, env=home_of_the_test(t, authorized))
        process.wait_listening(port)
        return process, port


def port_of(process):
    """Scripts of ours take a free port, and say which."""
    return int(process.wait_text(r"\blistening on port (\d+)").group(1))


class Script:
    """A library's server, which is a script in peers/ and can do what the library can."""

    forwards = passwords = interactive = True
    user_kinds = host_kinds = KINDS
    load = 2 * data.MIB
    rekeys = 2  # what they send before they see that the client wants new keys is a lot

    def __init__(self, name, module):
        self.name, self.module = name, module

    def need(self):
        if not os.access(PYTHON, os.X_OK):
            raise check.Skip("there is no " + PYTHON)
        run = subprocess.run([PYTHON, "-c", "import " + self.module], capture_output=True, env={})
        if run.returncode:
            raise check.Skip("%s has no module %s" % (PYTHON, self.module))

    def start(self, t, host_keys, authorized):
        script = os.path.join(HERE, "peers", self.module + "_server.py")
        command = [PYTHON, "-W", "ignore", script, t.write("authorized", authorized)]
        command += [USER, PASSWORD]
        process = t.start("gate", command + host_keys)
        return process, port_of(process)


class TinySSH:
    """Sessions alone, and a single algorithm of each kind beside sntrup761."""

    name = "TinySSH"
    forwards = passwords = interactive = False
    user_kinds = host_kinds = (ED25519,)

    def need(self):
        need_program("tinysshd")

    def make_host_key(self, path, kind, *_):
        subprocess.run([need_program("tinysshd-makekey"), path], capture_output=True, check=True)
        tool = need_program("tinysshd-printkey")
        run = subprocess.run([tool, path], capture_output=True, text=True, check=True)
        public = [line for line in run.stdout.splitlines() if line.startswith("ssh-")]
        with open(path + ".pub", "w") as f:
            f.write(public[0] + "\n")
        return path

    def start(self, t, host_keys, authorized):
        command = [PYTHON, os.path.join(HERE, "peers", "inetd.py")]
        command += [need_program("tinysshd"), "-v", *host_keys]
        env = home_of_the_test(t, authorized, strict_folder(t) + "/home")
        process = t.start("gate", command, env=env)
        return process, port_of(process)


PEERS = [
    Dropbear(),
    Script("AsyncSSH", "asyncssh"),
    Script("Paramiko", "paramiko"),
    TinySSH(),
]


def serve(t, peer, host_kinds=(ED25519,), authorized=None):
    """Starts the peer, for the test's client to know as gate."""
    peer.need()
    make = getattr(peer, "make_host_key", make_key)
    host_keys = [
        make(t.path("host_%s" % "_".join((kind,) + bits)), kind, *bits)
        for kind, bits in host_kinds
    ]
    authorized = public_key(t.key) + "\n" if authorized is None else authorized
    process, port = peer.start(t, host_keys, authorized)
    for key in host_keys:
        server = Server("gate", port, key, process)
        t.know(server)
    t.servers["gate"] = server
    t.write_config()
    return server


# The lists of a KEXINIT, RFC 4253 section 7.1, as far as they matter here.
LISTS = ("kex", "host keys", "ciphers", "ciphers back", "MACs")


def offers(port):
    """What a server says that it has: a list of names for each of LISTS."""
    with data.connect(port) as sock, sock.makefile("rb") as stream:
        sock.sendall(b"SSH-2.0-lists\r\n")
        while not stream.readline(4096).startswith(b"SSH-2.0-"):
            pass
        size, padding = struct.unpack(">IB", stream.read(5))
        payload = stream.read(size - 1)[: size - 1 - padding]
    found, at = {}, 17
    for name in LISTS:
        (n,) = struct.unpack_from(">I", payload, at)
        found[name] = payload[at + 4 : at + 4 + n].decode().split(",")
        at += 4 + n
    return found


def both_have(t, server, which, query):
    """The names that the client under test has, and the server too."""
    run = subprocess.run([t.client_path, "-Q", query], capture_output=True, text=True, check=True)
    theirs = offers(server.port)[which]
    names = [name for name in run.stdout.split() if name in theirs]
    check.true(names, "client and server share none of %s" % which)
    return names
