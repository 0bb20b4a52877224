"""One running test: its folder, keys, ports, servers and clients."""

import grp
import hashlib
import os
import pwd
import re
import resource
import shutil
import socket
import subprocess
import tempfile

import check
import data
from process import Process, adopt_orphans

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))


def program(variable, default):
    """The program that an environment variable names, as a whole path; None where there is none."""
    name = os.environ.get(variable, default)
    found = shutil.which(name) or shutil.which(os.path.join(TOP, name))
    return found and os.path.abspath(found)


ADIT = program("ADIT", "build/release/adit")
ADITD = program("ADITD", "build/release/aditd")
SSH = program("SSH", "ssh")
SSHD = program("SSHD", "/usr/sbin/sshd")
USER = pwd.getpwuid(os.getuid()).pw_name
IS_ROOT = os.getuid() == 0
ALWAYS = ("-V", "always:forever")  # when a certificate is good, as ssh-keygen is told

# Ports handed out lie below the range from which the kernel picks the ports of outgoing connections.
# Each of the runner's two lanes has its own half.
FIRST_PORT, PORTS_PER_LANE = 10000, 10000


def is_openssh(path):
    run = subprocess.run([path, "-V"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return "OpenSSH" in run.stdout + run.stderr


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


def make_key(path, kind="ed25519", *more):
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "test", "-f", path, *more], check=True
    )
    return path


def public_key(path):
    """The two fields of a public key file that known_hosts and authorized_keys want."""
    with open(path + ".pub") as f:
        return " ".join(f.read().split()[:2])


def certify(ca, key, *options, principals=USER, host=False, valid=ALWAYS):
    """Signs key.pub; the certificate is key-cert.pub."""
    names = ("-n", principals) if principals else ()
    kind = ("-h",) if host else ()
    subprocess.run(
        ["ssh-keygen", "-q", "-s", ca, "-I", "test id"]
        + [*kind, *names, *valid, *options, key + ".pub"],
        check=True,
    )
    return key + "-cert.pub"


def authority(ca, *options):
    """The line of authorized_keys that trusts certificates signed by ca."""
    return ",".join(("cert-authority",) + options) + " " + public_key(ca) + "\n"


class Server:
    """What a client needs to know of a server: where it listens and which keys matter."""

    def __init__(self, name, port, host_key, process):
        self.name, self.port, self.host_key, self.process = name, port, host_key, process

    def log(self):
        return self.process.err()

    def host_of(self, port):
        """Where a port that it allocated is reached. sshd takes a port that is free on one of
        localhost's addresses, and goes on when something else has it on the other one."""
        taken = "bind [127.0.0.1]:%d: Address already in use" % port in self.log()
        return "::1" if taken else "127.0.0.1"


class Case:
    """What a test function is given. client is the path of the client under test."""

    def __init__(self, server_kind, folder, lane, seed, client=None):
        adopt_orphans()
        self.folder = folder
        self.server_kind = server_kind
        self.client_path = client or ADIT
        self.is_ssh = is_openssh(self.client_path)
        self.processes = []
        self.folders = []  # beside the test's own, removed like it
        self.servers = {}
        self.next_port = FIRST_PORT + lane * PORTS_PER_LANE + seed % PORTS_PER_LANE
        self.last_port = FIRST_PORT + (lane + 1) * PORTS_PER_LANE
        self.lane = lane
        self.has_ipv6 = has_ipv6()
        # ssh takes the limit as it finds it, and some tests open a thousand connections.
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
        self.key = make_key(self.path("id"))
        self.known_hosts = self.write("known_hosts", "")
        self.config_path = self.write("config", "")
        self.env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": folder,
            "LC_ALL": "C",
            "TERM": "xterm",
        }
        # Sanitizers and profilers are steered by variables of the person who runs the suite.
        self.env.update(
            {k: v for k, v in os.environ.items() if re.match(r"(A|L|UB|T)SAN_|LLVM_", k)}
        )

    # ---- what the machine has

    def need_ipv6(self):
        if not self.has_ipv6:
            raise check.Skip("this machine has no IPv6 loopback address")

    def need_adit(self, why):
        """Leaves a test that holds only where adit differs from ssh on purpose."""
        if self.is_ssh:
            raise check.Skip("ssh differs: " + why)

    def need_kex(self, kex):
        """OpenSSH may be older than a key exchange method, as server and as client."""
        if self.server_kind == "sshd" and not sshd_has_kex(kex):
            raise check.Skip("this sshd has no " + kex)
        if self.is_ssh:
            run = subprocess.run([self.client_path, "-Q", "kex"], capture_output=True, text=True)
            if kex not in run.stdout.split():
                raise check.Skip("this ssh has no " + kex)

    def need_remote_terminals(self):
        """Only root's sshd can give a new terminal to the group tty, where the system does not."""
        if IS_ROOT:
            return
        master, slave = os.openpty()
        group = os.fstat(slave).st_gid
        os.close(master)
        os.close(slave)
        if group != grp.getgrnam("tty").gr_gid:
            raise check.Skip("an ordinary user's sshd cannot open terminals on this machine")

    # ---- files and ports

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        with open(path, "wb" if isinstance(text, bytes) else "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def folder_in(self, parent):
        """A folder elsewhere, for the test alone."""
        self.folders.append(tempfile.mkdtemp(prefix="adit-interop-", dir=parent))
        return self.folders[-1]

    def read(self, name):
        with open(self.path(name)) as f:
            return f.read()

    def port(self):
        """A port that is free on every address."""
        while True:
            port = self.next_port
            self.next_port += 1
            if self.next_port == self.last_port:
                self.next_port -= PORTS_PER_LANE
            try:
                for family in [socket.AF_INET] + [socket.AF_INET6] * self.has_ipv6:
                    with socket.socket(family, socket.SOCK_STREAM) as sock:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                        if family == socket.AF_INET6:
                            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                        sock.bind(("", port))
                return port
            except OSError:
                continue

    def ports(self, n):
        return [self.port() for _ in range(n)]

    # ---- processes

    def start(self, name, command, **more):
        names = [p.name for p in self.processes]
        unique = name if name not in names else "%s-%d" % (name, len(names))
        process = Process(unique, command, self.folder, env=more.pop("env", self.env), **more)
        self.processes.append(process)
        return process

    def reports(self):
        return "".join(p.report() for p in self.processes)

    def check_sanitizers(self):
        """A program that a sanitizer stopped may have done so after the test had seen enough."""
        for process in self.processes:
            check.true(
                not re.search(r"Sanitizer|runtime error:", process.err()),
                "a sanitizer spoke up in %s" % process.name,
            )

    # ---- servers

    def server(
        self, name="gate", kind=None, config="", args=(), authorized=None, host_key=None, port=None
    ):
        """Starts a server of the test's kind and makes the client know it under the name."""
        kind = kind or self.server_kind
        host_key = host_key or make_key(self.path(name + "_host_key"))
        authorized = public_key(self.key) + "\n" if authorized is None else authorized
        authorized_path = self.write(name + "_authorized_keys", authorized)
        if kind == "sshd":
            server = self.start_sshd(name, port or self.port(), host_key, authorized_path, config)
        else:
            server = self.start_aditd(name, port or self.port(), host_key, authorized_path, args)
        self.servers[name] = server
        self.know(server)
        self.write_config()
        return server

    def start_sshd(self, name, port, host_key, authorized_path, config):
        if SSHD is None:
            raise check.Skip("no sshd on this machine")
        if IS_ROOT:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        lines = [
            "Port %d" % port,
            "ListenAddress 127.0.0.1",
            "HostKey %s" % host_key,
            "AuthorizedKeysFile %s" % authorized_path,
            "PidFile none",
            "StrictModes no",
            "UsePAM %s" % ("yes" if root_is_locked() else "no"),
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin yes",
            "PrintMotd no",
            "PrintLastLog no",
            "MaxStartups 500",
            "LogLevel DEBUG1",
            # An interactive shell must leave no trace in the home of whoever runs the tests.
            "SetEnv HISTFILE=/dev/null",
        ]
        if self.has_ipv6:
            lines.append("ListenAddress ::1")
        if sshd_knows("PerSourcePenalties no"):
            lines.append("PerSourcePenalties no")  # failed logins are what some tests are about
        # sshd keeps the first value of a keyword, so a test's own lines go first.
        path = self.write(name + "_sshd_config", config + "\n" + "\n".join(lines) + "\n")
        process = self.start(name, [SSHD, "-D", "-e", "-f", path])
        process.wait_text(r"Server listening on 127\.0\.0\.1 port")
        return Server(name, port, host_key, process)

    def start_aditd(self, name, port, host_key, authorized_path, args):
        if ADITD is None:
            raise check.Skip("aditd is not built")
        command = [ADITD, "-D", "-p", str(port), "-h", host_key, "-A", authorized_path, *args]
        process = self.start(name, command)
        ready = process.wait_text(r"aditd: listening on \S+ port (\d+)")
        return Server(name, int(ready.group(1)), host_key, process)

    def know(self, server):
        """Adds the server's key to known_hosts, under the name that a client looks up."""
        with open(self.known_hosts, "a") as f:
            for host in ("127.0.0.1", "::1", "localhost"):
                f.write("[%s]:%d %s\n" % (host, server.port, public_key(server.host_key)))

    def write_config(self, extra="", names=True):
        """A config with a Host block for each server (names=False: without those), and the paths that
        keep a client inside the test's folder. extra goes in front, where it wins."""
        blocks = [extra]
        for server in self.servers.values() if names else ():
            blocks.append(
                "Host %s\n    HostName 127.0.0.1\n    Port %d\n" % (server.name, server.port)
            )
        blocks.append(
            "Host *\n"
            "    User %s\n"
            "    IdentityFile %s\n"
            "    IdentitiesOnly yes\n"
            "    UserKnownHostsFile %s\n"
            "    GlobalKnownHostsFile /dev/null\n"
            "    StrictHostKeyChecking yes\n"
            "    BatchMode yes\n" % (USER, self.key, self.known_hosts)
        )
        return self.write("config", "\n".join(blocks))

    # ---- clients

    def command(self, *args, to="gate"):
        """The command line of the client under test; to=None when args name the destination."""
        return [self.client_path, "-F", self.config_path, *map(str, args)] + ([to] if to else [])

    def client(self, *args, to="gate", **more):
        return self.start(more.pop("name", "client"), self.command(*args, to=to), **more)

    def tunnel(self, *args, listens, to="gate", **more):
        """A -N client, once the listed ports are listened on."""
        process = self.client("-N", *args, to=to, **more)
        process.wait_listening(*listens)
        return process

    def run(self, *args, to="gate", remote=(), input=b"", seconds=20):
        """Runs the client to its end: (exit status, stdout, stderr), the last two as bytes and text."""
        command = self.command(*args, to=to) + list(remote)
        run = subprocess.run(
            command, input=input, capture_output=True, env=self.env, timeout=seconds
        )
        return run.returncode, run.stdout, run.stderr.decode(errors="backslashreplace")

    def curl(self, *args, seconds=20):
        """curl's (exit status, body)."""
        run = subprocess.run(
            ["curl", "-sS", "--noproxy", "", "--max-time", str(seconds), *args],
            capture_output=True,
            env=self.env,
        )
        return run.returncode, run.stdout, run.stderr.decode(errors="replace")

    def web_through(self, web, url_host, *proxy):
        """A GET and a POST through a proxy, both compared with what the web server has."""
        url = "http://%s:%d/" % (url_host, web.port)
        status, body, errors = self.curl(*proxy, url)
        check.equal(status, 0, "curl's exit status (%s)" % errors.strip())
        check.true(body == web.body, "the body fetched through %s differs" % " ".join(proxy))
        upload = self.write("upload", os.urandom(data.MIB))
        status, answer, errors = self.curl(*proxy, "--data-binary", "@" + upload, url)
        check.equal(status, 0, "curl's exit status (%s)" % errors.strip())
        with open(upload, "rb") as f:
            check.equal(
                answer.decode(), hashlib.sha256(f.read()).hexdigest(), "checksum of the upload"
            )


def root_is_locked():
    """Without PAM, sshd refuses an account whose password field starts with "!"."""
    if not IS_ROOT:
        return False
    try:
        with open("/etc/shadow") as f:
            return any(line.startswith("root:!") for line in f)
    except OSError:
        return False


def sshd_knows(line):
    keyword = line.split()[0]
    run = subprocess.run(
        [SSHD, "-T", "-f", "/dev/null", "-o", line], capture_output=True, text=True
    )
    return "Bad configuration option: %s" % keyword not in run.stderr


def sshd_has_kex(kex):
    if SSHD is None:
        return True  # what lacks then is said when one is to start
    run = subprocess.run(
        [SSHD, "-T", "-f", "/dev/null", "-o", "KexAlgorithms " + kex],
        capture_output=True,
        text=True,
    )
    return "Bad SSH2 KexAlgorithms" not in run.stderr
