"""The programs that are compared, and how each is told the same thing."""

import ctypes
import os
import pwd
import re
import shutil
import socket
import struct
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
USER = pwd.getpwuid(os.getuid()).pw_name
IS_ROOT = os.getuid() == 0
GCM, CHACHA = "aes128-gcm@openssh.com", "chacha20-poly1305@openssh.com"
CIPHERS = [GCM, CHACHA]
# The same for all: each of them has it, and none would choose it alike by itself.
KEX = "curve25519-sha256"
# Below the range from which the kernel picks ports of outgoing connections, above those of tests/.
FIRST_PORT, LAST_PORT = 30000, 32700
PR_SET_CHILD_SUBREAPER = 36


class Failure(Exception):
    """Something that could not be measured; its text becomes a note in the report."""


def program(variable, default):
    found = shutil.which(os.environ.get(variable, default))
    return found and os.path.abspath(found)


def adopt_orphans():
    """What a server of ours leaves behind becomes our child, so that it can be found and ended."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(pid):
    table = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/stat" % entry) as f:
                    parent = int(f.read().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            table.setdefault(parent, []).append(int(entry))
    found, queue = [], [pid]
    while queue:
        children = table.get(queue.pop(), [])
        found += children
        queue += children
    return found


def cpu_seconds(pid):
    """CPU time of all threads, alive and ended, in nanosecond steps: the clock that the C library's
    clock_getcpuclockid() names. /proc/PID/stat has the same in steps of 10 ms."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0  # it is gone


def pss_kb(pids):
    """Memory of the processes, a page shared by n processes counted as 1/n."""
    total = 0
    for pid in pids:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            total += int(re.search(r"^Pss:\s+(\d+) kB", f.read(), re.M).group(1))
    return total


def end_process(process, seconds=10):
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_for(look, what, process, seconds=20):
    """Calls look() until it is true; the wait in between ends at once when the process does."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        try:
            process.wait(0.001)
        except subprocess.TimeoutExpired:
            pass
        else:
            raise Failure("%s ended with status %d before %s" % (
                os.path.basename(process.args[0]), process.returncode, what))
        if time.monotonic() > end:
            raise Failure("%s: not %s within %d s" % (os.path.basename(process.args[0]), what, seconds))


def ping(route):
    """A connection through the route to our server, and its answer: the forward is usable. False
    while nothing listens yet."""
    port, _, target = route.partition("/")
    with socket.socket() as sock:
        sock.settimeout(20)
        try:
            sock.connect(("127.0.0.1", int(port)))
            if target:
                sock.sendall(b"\5\1\0")
                sock.recv(2, socket.MSG_WAITALL)
                sock.sendall(b"\5\1\0\1\x7f\0\0\1" + struct.pack(">H", int(target)))
                sock.recv(10, socket.MSG_WAITALL)
            sock.sendall(b"p" + bytes(8))
            return sock.recv(1) == b"p"
        except OSError:
            return False


class Peers:
    """The programs of this machine and the files that they share: one host key, one user key."""

    def __init__(self, folder):
        self.folder = folder
        self.next_port = FIRST_PORT + os.getpid() % (LAST_PORT - FIRST_PORT)
        self.paths = {
            "adit": program("ADIT", os.path.join(TOP, "build/release/adit")),
            "aditd": program("ADITD", os.path.join(TOP, "build/release/aditd")),
            "ssh": program("SSH", "ssh"),
            "sshd": program("SSHD", "/usr/sbin/sshd"),
            "dbclient": program("DBCLIENT", "dbclient"),
            "plink": program("PLINK", "plink"),
        }
        self.env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": folder, "LC_ALL": "C"}
        for name in ("host", "id"):
            self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", self.path(name))
        self.host_key = " ".join(self.read("host.pub").split()[:2])
        shutil.copy(self.path("id.pub"), self.path("authorized"))
        self.prepare("dbclient", self.prepare_dbclient)
        self.prepare("plink", self.prepare_plink)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name)) as f:
            return f.read()

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as f:
            f.write(text)

    def run(self, *command):
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=self.env,
                                  stdin=subprocess.DEVNULL, timeout=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failure("%s: %s" % (command[0], error)) from None
        if done.returncode != 0:
            raise Failure("%s: %s" % (command[0], (done.stdout + done.stderr).strip()))
        return done.stdout

    def port(self):
        for _ in range(LAST_PORT - FIRST_PORT):
            port = self.next_port
            self.next_port = port + 1 if port + 1 < LAST_PORT else FIRST_PORT
            with socket.socket() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    sock.bind(("127.0.0.1", port))
                    return port
                except OSError:
                    continue
        raise Failure("no free port")

    def has(self, *names):
        return all(self.paths.get(name) for name in names)

    def version(self, name):
        try:  # a sshd that does not know -V prints its version with the usage
            done = subprocess.run([self.paths[name], "-V"], capture_output=True, text=True,
                                  env=self.env, stdin=subprocess.DEVNULL, timeout=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        lines = (done.stdout + done.stderr).strip().splitlines()
        known = [line for line in lines if re.search(r"OpenSSH|Dropbear|plink|adit", line)]
        return (known or lines or ["?"])[0].strip()

    # ---- keys and settings in the forms that the others want

    def prepare(self, name, work):
        if self.paths[name]:
            try:
                work()
            except Failure:
                self.paths[name] = None  # without its key tool it cannot log in

    def prepare_dbclient(self):
        self.run("dropbearconvert", "openssh", "dropbear", self.path("id"), self.path("id.dropbear"))

    def prepare_plink(self):
        self.run("puttygen", self.path("id"), "-O", "private", "-o", self.path("id.ppk"))
        self.fingerprint = self.run("ssh-keygen", "-lf", self.path("host.pub")).split()[1]
        for cipher, names in ((GCM, "aesgcm"), (CHACHA, "chacha20")):
            self.write(".putty/sessions/" + cipher.split("@")[0],
                       "Cipher=%s,WARN\nCompression=0\nProtocol=ssh\nTCPNoDelay=1\n" % names)

    # ---- command lines

    def client_command(self, name, server_port, cipher, forwards):
        specs = [str(word) for forward in forwards for word in forward]
        return [str(word) for word in getattr(self, name)(server_port, cipher)] + specs + ["127.0.0.1"]

    def ssh_like(self, name, port, cipher):
        known = "known_hosts.%d" % port
        self.write(known, "[127.0.0.1]:%d %s\n" % (port, self.host_key))
        options = ["BatchMode=yes", "IdentitiesOnly=yes", "StrictHostKeyChecking=yes",
                   "UserKnownHostsFile=" + self.path(known), "GlobalKnownHostsFile=/dev/null",
                   "ExitOnForwardFailure=yes", "Compression=no", "KexAlgorithms=" + KEX]
        if name == "ssh":
            options.append("ControlMaster=no")
        words = [self.paths[name], "-F", "none", "-N", "-i", self.path("id"), "-c", cipher,
                 "-l", USER, "-p", port]
        for option in options:
            words += ["-o", option]
        return words

    def adit(self, port, cipher):
        return self.ssh_like("adit", port, cipher)

    def ssh(self, port, cipher):
        return self.ssh_like("ssh", port, cipher)

    def dbclient(self, port, cipher):
        # Its window is 24 KiB if nothing is said; this is OpenSSH's.
        return [self.paths["dbclient"], "-N", "-T", "-y", "-y", "-i", self.path("id.dropbear"),
                "-W", 2 << 20, "-c", cipher, "-l", USER, "-p", port]

    def plink(self, port, cipher):
        return [self.paths["plink"], "-load", cipher.split("@")[0], "-batch", "-N", "-ssh",
                "-noagent", "-i", self.path("id.ppk"), "-hostkey", self.fingerprint, "-l", USER,
                "-P", port]

    # ---- servers

    def start_server(self, name):
        """(process, port), listening."""
        if name == "aditd":
            command = [self.paths["aditd"], "-D", "-p", "0", "-h", self.path("host"),
                       "-A", self.path("authorized")]
            pattern = r"listening on \S+ port (\d+)"
        else:
            command = [self.paths["sshd"], "-D", "-e", "-f", self.write_sshd_config(self.port())]
            pattern = r"Server listening on 127\.0\.0\.1 port (\d+)"
        log = self.path(name + ".log")
        with open(log, "w") as f:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=f, stderr=f,
                                       env=self.env)
        found = wait_for(lambda: re.search(pattern, self.read(log)), "it listened", process)
        return process, int(found.group(1))

    def write_sshd_config(self, port):
        if IS_ROOT:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        lines = ["Port %d" % port, "ListenAddress 127.0.0.1", "HostKey " + self.path("host"),
                 "AuthorizedKeysFile " + self.path("authorized"), "PidFile none", "StrictModes no",
                 "UsePAM " + ("yes" if root_is_locked() else "no"), "PasswordAuthentication no",
                 "KbdInteractiveAuthentication no", "PermitRootLogin yes", "PrintMotd no",
                 "Compression no", "Ciphers " + ",".join(CIPHERS), "KexAlgorithms " + KEX]
        name = self.path("sshd_config")
        self.write(name, "\n".join(lines) + "\n")
        return name


def root_is_locked():
    """Without PAM, sshd refuses an account whose password field starts with "!"."""
    if not IS_ROOT:
        return False
    try:
        with open("/etc/shadow") as f:
            return any(line.startswith("root:!") for line in f)
    except OSError:
        return False


class Tunnel:
    """A fresh server and a fresh client, logged in, its forwards usable; ended with the block.

    kinds says which forwards there are: L and R and D to the bulk server, E an -L to the echo
    server. routes gives each one's place as the load generator wants it. link: what the relay
    between the two does, if there is to be one."""

    def __init__(self, bench, client, server, cipher=None, kinds="E", link=None):
        self.bench, self.peers, self.client_name = bench, bench.peers, client
        self.server_name, self.kinds, self.link = server, kinds, link
        self.cipher = cipher or (CHACHA if client == "dbclient" else GCM)  # which has no GCM
        self.routes = {}
        self.server = self.client = self.relay = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def forwards(self):
        target = {"L": self.bench.bulk_port, "R": self.bench.bulk_port, "E": self.bench.echo_port}
        for kind in self.kinds:
            port = self.peers.port()
            if kind == "D":
                self.routes["D"] = "%d/%d" % (port, self.bench.bulk_port)
                self.routes["DE"] = "%d/%d" % (port, self.bench.echo_port)
                # plink would listen on every address
                yield "-D", "127.0.0.1:%d" % port if self.client_name == "plink" else port
            else:
                self.routes[kind] = str(port)
                yield "-R" if kind == "R" else "-L", "%d:127.0.0.1:%d" % (port, target[kind])

    def start(self):
        self.server, port = self.peers.start_server(self.server_name)
        if self.link:
            self.relay, port = self.bench.start_load("relay", port, *self.link, self.bench.seconds)
        command = self.peers.client_command(self.client_name, port, self.cipher, list(self.forwards()))
        self.log = self.peers.path("client.log")
        begin = time.monotonic()
        with open(self.log, "w") as f:
            self.client = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=f, stderr=f,
                                           env=self.peers.env)
        try:
            for route in self.routes.values():
                wait_for(lambda r=route: ping(r), "its forwards were usable", self.client)
        except Failure as failure:
            words = " ".join(self.peers.read(self.log).split())[-300:]
            raise Failure("%s (it said: %s)" % (failure, words)) from None
        self.start_cpu, self.start_seconds = self.client_cpu(), time.monotonic() - begin
        self.server_pids = [self.server.pid] + descendants(self.server.pid)

    def client_cpu(self):
        return cpu_seconds(self.client.pid)

    def server_cpu(self):
        """All its processes: sshd has one or two of them for each connection."""
        return sum(cpu_seconds(pid) for pid in self.server_pids)

    def client_pss(self):
        return pss_kb([self.client.pid])

    def server_pss(self):
        """What serves this connection: aditd is one process for all; of sshd, the connection's."""
        return pss_kb(self.server_pids[1:] or self.server_pids)

    def end(self):
        if self.client:
            end_process(self.client)
        if self.relay:
            end_process(self.relay)
        if self.server:
            left = descendants(self.server.pid)
            end_process(self.server)
            for pid in left:
                try:
                    os.kill(pid, 9)
                    os.waitpid(pid, 0)
                except OSError:
                    pass
