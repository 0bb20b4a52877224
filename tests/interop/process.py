"""Programs that a test starts, and the sockets that they listen on."""

import ctypes
import os
import re
import signal
import subprocess

import check

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans():
    """From here on, what our children leave behind (daemons, sshd's sessions) becomes our child, so
    that end_descendants() finds all of it, and nothing else."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children_by_parent():
    table = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open("/proc/%s/stat" % entry) as f:
                    # The command's name stands in parentheses and may hold anything.
                    parent = int(f.read().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            table.setdefault(parent, []).append(int(entry))
    return table


def descendants(pid):
    table = children_by_parent()
    found, queue = [], [pid]
    while queue:
        for child in table.get(queue.pop(), ()):
            found.append(child)
            queue.append(child)
    return found


def signal_all(pids, number):
    """Signals those of the processes that are still there."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def signal_tree(pid, number):
    """Signals a process and all that it started, a server's connections for instance."""
    signal_all(descendants(pid) + [pid], number)


def command_line(pid):
    """The words of a process's command; none if it is gone."""
    try:
        with open("/proc/%d/cmdline" % pid) as f:
            return f.read().split("\0")[:-1]
    except OSError:
        return []


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def end_descendants():
    """Kills all that this process started, directly or not. Loops, since they may be forking."""

    def none_left():
        signal_all(descendants(os.getpid()), signal.SIGKILL)
        reap()
        return not descendants(os.getpid())

    check.wait_for(none_left, "the started processes to end")


def listeners():
    """{(address, port)} of every listening TCP socket, the address as the kernel's hex text."""
    found = set()
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(name) as f:
                lines = f.read().splitlines()[1:]
        except FileNotFoundError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A":
                address, port = fields[1].split(":")
                found.add((address, int(port, 16)))
    return found


LOOPBACK = {"0100007F", "00000000000000000000000001000000"}
WILDCARD = {"00000000", "00000000000000000000000000000000"}


def addresses_of(port):
    return {address for address, p in listeners() if p == port}


class Process:
    """A running program. stdout and stderr go to files, so that a log is there after anything."""

    def __init__(
        self, name, command, folder, env=None, stdin=subprocess.DEVNULL, stdout=None, **popen
    ):
        self.name = name
        self.command = command
        self.out_path = os.path.join(folder, name + ".out")
        self.err_path = os.path.join(folder, name + ".err")
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.popen = subprocess.Popen(
                command, stdin=stdin, stdout=stdout or out, stderr=err, env=env, **popen
            )
        self.pid = self.popen.pid

    def err(self):
        with open(self.err_path, errors="replace") as f:
            return f.read()

    def out(self):
        with open(self.out_path, errors="replace") as f:
            return f.read()

    def running(self):
        return self.popen.poll() is None

    def wait_text(self, pattern, seconds=10):
        """Waits for stderr to hold the pattern; returns the match."""

        def look():
            ended = not self.running()
            match = re.search(pattern, self.err(), re.I)
            if match is None and ended:
                raise check.Failure(
                    "%s ended with status %s before it said /%s/"
                    % (self.name, self.popen.returncode, pattern)
                )
            return match

        return check.wait_for(look, "%s to say /%s/" % (self.name, pattern), seconds)

    def wait_listening(self, *ports, seconds=10):
        """Waits for the ports to be listened on (by this program, or for it by its server)."""

        def look():
            now = {port for _, port in listeners()}
            missing = set(ports) - now
            if missing and not self.running():
                raise check.Failure(
                    "%s ended with status %s before it listened on port %s"
                    % (self.name, self.popen.returncode, sorted(missing))
                )
            return not missing

        check.wait_for(look, "somebody to listen on %s" % (ports,), seconds)

    def wait_exit(self, status=None, seconds=10):
        """Waits for the end; the status, where given, must be that one."""
        try:
            got = self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise check.Failure("%s still runs after %g seconds" % (self.name, seconds)) from None
        if status is not None:
            check.equal(got, status, "exit status of %s" % self.name)
        return got

    def signal(self, number):
        self.popen.send_signal(number)

    def stop(self, status=None, seconds=10):
        self.signal(signal.SIGTERM)
        return self.wait_exit(status, seconds)

    def report(self):
        state = (
            "still running" if self.running() else "ended with status %s" % self.popen.returncode
        )
        text = "--- %s: %s\n    %s\n" % (self.name, state, " ".join(self.command))
        for path in (self.out_path, self.err_path):
            with open(path, "rb") as f:
                f.seek(max(0, os.path.getsize(path) - 6000))
                tail = f.read().decode(errors="backslashreplace")
            if tail.strip():
                text += "".join("    | %s\n" % line for line in tail.splitlines()[-30:])
        return text
