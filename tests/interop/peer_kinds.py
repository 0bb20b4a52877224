"""The kinds of servers: what each has, and how it is started. OpenSSH's is in peer_openssh.py."""

import glob
import os
import shutil
import subprocess

import check
from case import HERE, USER

PYTHON = "/usr/bin/python3"  # the one that Debian's packages install their modules for
PASSWORD = "correct horse"
PASSWORD_HASH = "$5$aditTests$59.BvJZRNTrq/rSl/XrEgfoxVx51JheA.e6ItE4Ssv/"
REKEY_BYTES = "65536"
ED25519 = ("ed25519", ())
KINDS = (
    ED25519,
    ("rsa", ("-b", "2048")),
    ("ecdsa", ("-b", "256")),
    ("ecdsa", ("-b", "384")),
    ("ecdsa", ("-b", "521")),
)
UNPACKED = os.path.abspath(os.environ.get("PEERS", "build/peers"))


def need_program(name):
    """An installed program's path."""
    folders = [os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]
    path = shutil.which(name, path=":".join(folders))
    if path is None:
        raise check.Skip("%s is not installed" % name)
    return path


def need_unpacked(folder, name):
    """The path of a file that stands in packages which tests/unpack.sh laid there."""
    top = os.path.join(UNPACKED, folder)
    if not os.path.isdir(top):
        try:
            with open(top + ".why") as f:
                raise check.Skip(f.read().strip())
        except FileNotFoundError:
            raise check.Skip("%s is not unpacked" % folder) from None
    path = os.path.join(top, name)
    check.true(os.path.exists(path), "no %s in the package" % path)
    return path


def home_of_the_test(t, authorized, home=None, password=PASSWORD_HASH, others=()):
    """A variables' dictionary that makes a program take the test's folder for the user's home: some
    servers look for authorized_keys nowhere else, and nobody's real home is ours to write to.
    others are more lines of passwd."""
    found = glob.glob("/usr/lib/*/libnss_wrapper.so") + glob.glob("/usr/lib/libnss_wrapper.so")
    if not found:
        raise check.Skip("libnss-wrapper is not installed")
    home = home or t.path("home")
    os.makedirs(home + "/.ssh", 0o700)
    t.write(home + "/.ssh/authorized_keys", authorized)
    ids = (os.getuid(), os.getgid())
    # In both files, since PAM looks for it in a way that the wrapper does not know.
    lines = ["%s:%s:%d:%d::%s:/bin/sh" % (USER, password, *ids, home), *others]
    return dict(
        t.env,
        LD_PRELOAD=found[0],
        NSS_WRAPPER_PASSWD=t.write("passwd", "\n".join(lines) + "\n"),
        NSS_WRAPPER_SHADOW=t.write("shadow", "%s:%s:19000::::::\n" % (USER, password)),
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


def port_of(process):
    """Servers that are scripts of ours take a free port, and say which."""
    return int(process.wait_text(r"\blistening on port (\d+)").group(1))


class Kind:
    """What a server has, unless it says otherwise."""

    forwards = half_close = passwords = interactive = nothing = True
    certificates = host_certificates = security_keys = False
    asks_for_rekeys = True
    names_ports = True  # those that it allocated, where it opens a channel for one
    tells_algorithms = True  # for signatures of users: RFC 8308's server-sig-algs
    user_kinds = host_kinds = KINDS
    rekeys = 8  # at least, with new keys every 64 KiB of 2 MiB both ways


class Dropbear(Kind):
    name = "Dropbear"
    interactive = False
    asks_for_rekeys = False  # by bytes that one can set
    host_kinds = KINDS[:3] + KINDS[4:]  # it takes four at most

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

    def start(self, t, host_keys, authorized, passwords=False, nothing=False):
        port = t.port()
        command = [need_program("dropbear"), "-F", "-E", "-P", t.path("pid")]
        command += ["-p", "127.0.0.1:%d" % port]
        command += ["-B"] if nothing else []
        for key in host_keys:
            command += ["-r", key]
        env = home_of_the_test(t, authorized, password="" if nothing else PASSWORD_HASH)
        process = t.start("gate", command, env=env)
        process.wait_listening(port)
        return process, port


class Script(Kind):
    """A library's server, which is a script in peers/ and can do what the library can."""

    rekeys = 3  # what they send before they see that the client wants new keys is a lot

    def __init__(self, name, module, **more):
        self.name, self.module = name, module
        vars(self).update(more)

    def need(self):
        if not os.access(PYTHON, os.X_OK):
            raise check.Skip("there is no " + PYTHON)
        run = subprocess.run([PYTHON, "-c", "import " + self.module], capture_output=True, env={})
        if run.returncode:
            raise check.Skip("%s has no module %s" % (PYTHON, self.module))

    def start(self, t, host_keys, authorized, passwords=False, nothing=False, rekeys=False):
        script = os.path.join(HERE, "peers", self.module + "_server.py")
        command = [PYTHON, "-W", "ignore", script, t.write("authorized", authorized)]
        command += [USER, "" if nothing else PASSWORD, REKEY_BYTES if rekeys else "0"]
        process = t.start("gate", command + host_keys)
        return process, port_of(process)


class TinySSH(Kind):
    """Sessions alone, and a single algorithm of each kind beside sntrup761."""

    name = "TinySSH"
    forwards = half_close = passwords = interactive = nothing = asks_for_rekeys = False
    user_kinds = host_kinds = (ED25519,)

    def need(self):
        need_unpacked("tinyssh", "usr/sbin/tinysshd")

    def tool(self, name):
        return need_unpacked("tinyssh", "usr/sbin/" + name)

    def make_host_key(self, path, kind, *_):
        subprocess.run([self.tool("tinysshd-makekey"), path], capture_output=True, check=True)
        command = [self.tool("tinysshd-printkey"), path]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        public = [line for line in run.stdout.splitlines() if line.startswith("ssh-")]
        with open(path + ".pub", "w") as f:
            f.write(public[0] + "\n")
        return path

    def start(self, t, host_keys, authorized):
        command = [PYTHON, os.path.join(HERE, "peers", "inetd.py")]
        command += [self.tool("tinysshd"), "-v", *host_keys]
        env = home_of_the_test(t, authorized, strict_folder(t) + "/home")
        process = t.start("gate", command, env=env)
        return process, port_of(process)


class Erlang(Kind):
    """Erlang's ssh, which runs from where it was unpacked."""

    name = "Erlang"
    asks_for_rekeys = False  # by bytes: it looks once a minute
    half_close = False  # an end of one direction makes it close the channel, whatever is on its way
    ROOT = "usr/lib/erlang"

    def need(self):
        need_unpacked("erlang", self.ROOT)

    def start(self, t, host_keys, authorized, passwords=False, nothing=False):
        root = need_unpacked("erlang", self.ROOT)
        (binaries,) = glob.glob(root + "/erts-*/bin")
        source = os.path.join(HERE, "peers", "erlang_server.erl")
        load = "{ok, M, B} = compile:file(\"%s\", [binary, report]), " % source
        load += "{module, M} = code:load_binary(M, \"\", B), M:main()."
        command = [binaries + "/erlexec", "-noinput", "-eval", load, "-extra"]
        command += [t.write("authorized", authorized), USER, "" if nothing else PASSWORD]
        env = dict(t.env, ROOTDIR=root, BINDIR=binaries, EMU="beam", PROGNAME="erl")
        env["ERL_CRASH_DUMP"] = t.path("crash")
        process = t.start("gate", command + host_keys, env=env)
        return process, port_of(process)


class Conch(Kind):
    """Twisted's, run from where it was unpacked; what is compiled of it comes with Paramiko."""

    name = "Conch"
    names_ports = False
    interactive = nothing = False
    asks_for_rekeys = False
    half_close = False  # an end of one direction makes it close the channel
    MODULES = "usr/lib/python3/dist-packages"

    def need(self):
        need_unpacked("conch", self.MODULES)
        Script("Paramiko", "paramiko").need()

    def start(self, t, host_keys, authorized, passwords=False):
        script = os.path.join(HERE, "peers", "conch_server.py")
        command = [PYTHON, "-W", "ignore", script, t.write("authorized", authorized)]
        command += [USER, PASSWORD, *host_keys]
        env = dict(t.env, PYTHONPATH=need_unpacked("conch", self.MODULES))
        process = t.start("gate", command, env=env)
        return process, port_of(process)
