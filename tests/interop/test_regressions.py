"""Bugs that other implementations had, where they show only in a whole program: docs/regressions.md
lists all of them, and which test holds which."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import time

import check
import data
import process
from check import BOTH, test
from terminal import Terminal

# ---- sleep, measured

WATCH_SECONDS = 2
# One that spins uses 200 in that time, or 66 when two others keep both processors busy; one that
# sleeps uses one or none.
TICKS_MOST = 15 * WATCH_SECONDS


def ticks(pid):
    """Hundredths of a second of processor that a process has used."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def bytes_read(pid):
    with open("/proc/%d/io" % pid) as f:
        return int(re.search(r"rchar: (\d+)", f.read()).group(1))


def wait_stalled(client):
    """Waits until it reads no more."""
    seen = [0, 0]

    def look():
        now = bytes_read(client.pid)
        seen[:] = [now, seen[1] + 1 if now == seen[0] else 0]
        return seen[1] >= 20

    check.wait_for(look, "%s to have nothing more to read" % client.name)


def check_asleep(clients):
    """That programs with nothing to do use no processor while they are watched."""
    before = [ticks(client.pid) for client in clients]
    time.sleep(WATCH_SECONDS)  # the length of the measurement
    for client, was in zip(clients, before):
        check.true(client.running(), "%s has ended" % client.name)
        used = ticks(client.pid) - was
        check.true(used <= TICKS_MOST, "%s used %d ticks of processor" % (client.name, used))


@test("a session whose output or input is closed, full or at its end uses no processor", limit=60)
def _(t):
    t.server(config="LogLevel VERBOSE")
    say_and_stay = "echo ready; exec sleep 1000"

    def session(name, command, **more):
        return t.start(name, t.command("-v") + [command], **more)

    at_end = session("stdin-at-its-end", "cat; " + say_and_stay)
    with open("/dev/zero", "rb") as zero:
        full = session("stdin-that-nobody-reads", say_and_stay, stdin=zero)
    reader, writer = os.pipe()
    keys_reader, keys = os.pipe()
    left = session(
        "stdout-whose-reader-left",
        "echo a; head -c 1; exec sleep 1000",
        stdin=keys_reader,
        stdout=writer,
    )
    os.close(writer)
    os.close(keys_reader)
    check.equal(os.read(reader, 1), b"a", "first byte")
    os.close(reader)
    os.write(keys, b"b")  # comes back, and finds nobody
    slow_reader, writer = os.pipe()
    slow = session("stdout-that-nobody-reads", "yes", stdout=writer)
    os.close(writer)
    open_input, input_writer = os.pipe()
    quiet = session("stdin-that-says-no-more", "head -c 1; " + say_and_stay, stdin=open_input)
    os.close(open_input)
    os.write(input_writer, b"a")
    with open("/dev/full", "wb") as disk:
        disk_full = session("stdout-on-a-full-disk", "echo a; exec sleep 1000", stdout=disk)
    if not t.is_ssh:
        disk_full.wait_text("cannot write stdout")
    for client in (at_end, full, quiet):
        check.wait_for(lambda: "ready" in client.out(), client.name + " to be ready")
    if not t.is_ssh:
        left.wait_text("stdout was closed by its reader")
    for client in (full, slow):
        wait_stalled(client)
    check_asleep([at_end, full, left, slow, quiet, disk_full])
    for fd in (slow_reader, input_writer, keys):
        os.close(fd)


@test("a client whose server answers no key exchange uses no processor", BOTH)
def _(t):
    server = t.server()
    target, port = data.Target(), t.port()
    kex = "KexAlgorithms=curve25519-sha256"
    limit = "RekeyLimit=1M"  # more would have to be on its way before the client wants new keys
    client = t.tunnel("-o", kex, "-o", limit, "-L", data.spec(port, target), listens=[port])
    here, there = data.pair(port, target)
    data.exchange(here, there, 1000)
    process.signal_tree(server.process.pid, signal.SIGSTOP)
    sender = data.Task(here.sendall, b"x" * (32 * data.MIB))
    wait_stalled(client)
    check_asleep([client])
    process.signal_tree(server.process.pid, signal.SIGCONT)
    check.equal(data.receive(there, 32 * data.MIB)[0], 32 * data.MIB, "bytes in the end")
    sender.result()


# ---- a session's streams


def is_nonblocking(fd):
    return bool(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK)


class Streams:
    """stdin, stdout and stderr of one kind, which are this process's too."""

    def __init__(self, t, kind):
        if kind == "pipe":
            read, write = os.pipe()
            out_read, out_write = os.pipe()
            self.far, self.near = [write, out_read], [read, out_write, out_write]
        elif kind == "socket":
            one, other = socket.socketpair()
            self.far, self.near = [one.detach()], [other.detach()] * 3
        elif kind == "named pipe":
            os.mkfifo(t.path("fifo"))
            both = os.open(t.path("fifo"), os.O_RDWR)
            os.unlink(t.path("fifo"))
            self.far, self.near = [], [both] * 3
        else:
            master, slave = os.openpty()
            self.far, self.near = [master], [slave] * 3

    def nonblocking(self):
        return [is_nonblocking(fd) for fd in self.near]

    def close(self):
        for fd in set(self.far + self.near):
            os.close(fd)


# OpenSSH 7be4ac813: a shell whose terminal was left so fails in strange ways.
for kind in ("pipe", "socket", "named pipe", "terminal"):

    @test("stdin, stdout and stderr are not left non-blocking at exit: a %s" % kind, kind=kind)
    def _(t, kind):
        t.server(config="LogLevel VERBOSE")
        for ends_by in ("itself", signal.SIGTERM, signal.SIGINT):
            streams, runs = Streams(t, kind), t.path("runs")
            remote = "exit 3" if ends_by == "itself" else "touch %s; exec sleep 1000" % runs
            client = subprocess.Popen(
                t.command("-T") + [remote],
                stdin=streams.near[0],
                stdout=streams.near[1],
                stderr=streams.near[2],
                env=t.env,
                start_new_session=True,
            )
            if ends_by != "itself":
                check.wait_for(lambda: os.path.exists(runs), "the command to run")
                os.unlink(runs)
                client.send_signal(ends_by)
            client.wait(15)
            check.equal(streams.nonblocking(), [False] * 3, "non-blocking, ended by %s" % ends_by)
            streams.close()


# OpenSSH e0d6501e8: the peer closed the channel, and whoever read the other streams stayed.
@test("a session ends with its channel, whatever still hangs on its streams")
def _(t):
    t.server(config="LogLevel VERBOSE")
    read, write = os.pipe()  # an input that never comes and never ends
    errors_read, errors_write = os.pipe()  # an output that is read late
    client = subprocess.Popen(
        t.command() + ["head -c 300000 /dev/zero >&2; exit 3"],
        stdin=read,
        stdout=subprocess.DEVNULL,
        stderr=errors_write,
        env=t.env,
    )
    os.close(errors_write)
    with os.fdopen(errors_read, "rb") as errors:
        check.equal(len(errors.read()), 300000, "bytes on stderr")
    check.equal(client.wait(15), 3, "exit status")
    os.close(read)
    os.close(write)


# OpenSSH fec014785: what is local goes on while new keys are waited for, the way out among it.
@test("~. ends a session whose server answers no key exchange")
def _(t):
    t.need_remote_terminals()
    server = t.server(config="LogLevel VERBOSE")
    terminal = Terminal(t, t.command())
    terminal.type("PS1='ready> '; echo be''gin\r")
    terminal.expect("begin\r\n")
    process.signal_tree(server.process.pid, signal.SIGSTOP)
    terminal.type("\r~R")
    terminal.type("\rthese words go nowhere\r~?")
    terminal.process.wait_text("Escape sequences|escape sequences")
    terminal.type("\r~.")
    terminal.wait_exit(255)
    terminal.check_restored()
    process.signal_tree(server.process.pid, signal.SIGCONT)


# ---- forwards


# Dropbear: the last bytes before a channel's close were lost. Here they come, and the close, while
# the application has not yet read any.
@test("what was sent before a close arrives, however late it is read", BOTH)
def _(t):
    t.server()
    body = os.urandom(4 * data.MIB)  # a window, and a little less than the kernel holds
    service, port = data.Service(lambda sock: sock.sendall(body)), t.port()
    client = t.tunnel("-L", data.spec(port, service), listens=[port])
    with socket.socket() as late:
        late.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        late.settimeout(data.TIMEOUT)
        late.connect(("127.0.0.1", port))
        late.shutdown(socket.SHUT_WR)  # both sides have ended when the last byte is on its way
        wait_stalled(client)
        check.true(data.receive(late)[0] == len(body), "bytes were lost")


# Dropbear before 2018.76: the connections of several -R all went to the same target.
@test("several -R with ports of the user's choice each reach their own target", BOTH)
def _(t):
    t.server()
    ports = t.ports(4)
    services = [data.Service(data.named("target %d" % i)) for i in range(4)]
    args = []
    for port, service in zip(ports, services):
        args += ["-R", data.spec(port, service)]
    t.tunnel(*args, listens=ports)
    for i in (2, 0, 3, 1, 0):
        check.equal(data.ask(ports[i]), "target %d" % i, "who answers at port %d" % i)
