"""adit beside its peers: every row of the goals, in one run on one machine.

    tests/bench/run.sh [--quick] [OUTPUT]       or: make bench, make bench QUICK=1

OUTPUT (docs/bench.md) gets the table, and the plot goes beside it (.svg). A quick run is for a first
look: it keeps to two minutes, and writes to the build folder if OUTPUT is not named.

Runs are interleaved, so that a busy moment of the machine hits everyone; figures are medians with
their spread. ADIT, ADITD, SSH, SSHD, DBCLIENT, PLINK name other programs, BENCH the folder of the
built load generator."""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import types

import peers
import plot
import report
import resource
import rows
from peers import Failure

MB = 10**6
# At least five runs where one takes little; what takes long (ssh's thousand connections, links with
# 100 ms) is repeated less. BUDGET ends a run that takes too long; what is missing then is said.
FULL = types.SimpleNamespace(
    budget=14 * 60, runs=5, few_runs=5, mix_runs=5, many_runs=15, bulk_bytes=256 * MB, slow_bulk_bytes=128 * MB,
    opens=1000, open_seconds=4, echoes=2000, opening_seconds=10, mix_seconds=2, slow_seconds=5,
    far_warm_ms=2500, far_ms=1500, many_ms=1500)
QUICK = types.SimpleNamespace(
    budget=112, runs=2, few_runs=1, mix_runs=1, many_runs=5, bulk_bytes=64 * MB, slow_bulk_bytes=24 * MB,
    opens=300, open_seconds=1, echoes=1000, opening_seconds=4, mix_seconds=1, slow_seconds=3,
    far_warm_ms=2000, far_ms=1000, many_ms=700)


class Bench:
    """The state of a run: sizes, peers, the far ends, and what has been measured."""

    def __init__(self, size, folder, built):
        self.size, self.built = size, built
        self.seconds = size.budget + 120  # after which whatever was started ends by itself
        self.deadline = time.monotonic() + size.budget
        self.figures, self.notes, self.servers = {}, [], []
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # not every peer raises its own
        self.max_files = hard
        self.load_before = os.getloadavg()[0]
        self.peers = peers.Peers(folder)

    def start_servers(self):
        """Bulk data and echo have a process each, so that one does not wait for the other there."""
        process, self.bulk_port = self.start_load("serve", self.seconds)
        self.servers.append(process)
        self.echo_server, self.echo_port = self.start_load("serve", self.seconds)
        self.servers.append(self.echo_server)

    def end(self):
        for process in self.servers:
            peers.end_process(process)

    # ---- results

    def add(self, figure, pair, value):
        self.figures.setdefault(figure, {}).setdefault(pair, []).append(value)

    def note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    # ---- the load generator

    def spawn_load(self, *words):
        return subprocess.Popen([os.path.join(self.built, "load")] + [str(w) for w in words],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def line(self, process):
        text = process.stdout.readline()  # comes, or the process ends: every command is bounded
        if not text:
            raise Failure(process.stderr.read().strip() or "the load generator ended")
        return text

    def finish(self, process):
        peers.end_process(process)
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()

    def start_load(self, *words):
        process = self.spawn_load(*words)
        return process, int(self.line(process).split()[1])

    def load(self, *words):
        """A command from start to end: the numbers in its last line."""
        process = self.spawn_load(*words)
        out, errors = process.communicate()
        if process.returncode != 0:
            raise Failure(errors.strip() or "load %s: status %d" % (words[0], process.returncode))
        return [float(word) for word in out.splitlines()[-1].split()]

    def aead(self, *words):
        program = os.path.join(self.built, "aead")
        if not os.path.exists(program):
            raise Failure("the program that runs the ciphers alone was not built")
        return subprocess.run([program] + [str(w) for w in words], check=True, capture_output=True,
                              text=True, timeout=120).stdout

    def cpu(self, pid):
        return peers.cpu_seconds(pid)

    # ---- the run

    def attempt(self, part, work, arguments):
        """One measurement; what goes wrong is a note, never the end."""
        try:
            work(self, *arguments)
        except (Failure, OSError, ValueError, subprocess.SubprocessError) as error:
            who = " ".join(str(a).split("@")[0] for a in arguments if a)
            self.note("%s, %s: %s" % (part, who, error))

    def run(self):
        for part, runs, work, calls in rows.everything(self):
            begin = time.monotonic()
            for i in range(runs):
                for arguments in calls:
                    if time.monotonic() > self.deadline:
                        self.note("the time was over in run %d of %d of: %s" % (i + 1, runs, part))
                        break
                    self.attempt(part, work, arguments)
                else:
                    continue
                break
            print("bench: %s: %.0f s" % (part, time.monotonic() - begin), file=sys.stderr, flush=True)


def processor():
    try:
        with open("/proc/cpuinfo") as f:
            for line in f:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def commit():
    try:
        run = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=peers.TOP,
                             capture_output=True, text=True)
        return run.stdout.strip()
    except OSError:
        return ""


def about(bench, is_quick, seconds):
    """What a reader must know about the run."""
    names = ["adit", "aditd", "ssh", "sshd", "plink", "dbclient"]
    return types.SimpleNamespace(
        is_quick=is_quick, seconds=seconds, runs=bench.size.runs, few_runs=bench.size.few_runs,
        machine="%d x %s, Linux %s" % (os.cpu_count(), processor(), platform.release()),
        load=bench.load_before, commit=commit(), date=time.strftime("%Y-%m-%d"),
        versions=[(n, bench.peers.version(n) if bench.peers.has(n) else "not installed") for n in names])


def measure(size, built):
    folder = tempfile.mkdtemp(prefix="adit-bench-")
    bench = None
    try:
        bench = Bench(size, folder, built)
        for needed in ("adit", "aditd", "ssh", "sshd"):
            if not bench.peers.has(needed):
                bench.note("%s is not there: its rows are missing" % needed)
        bench.start_servers()
        bench.run()
        return bench
    finally:
        if bench:
            bench.end()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    words = [word for word in sys.argv[1:] if word != "--quick"]
    is_quick = "--quick" in sys.argv or os.environ.get("QUICK", "") not in ("", "0")
    built = os.environ.get("BENCH", os.path.join(peers.TOP, "build/release/bench"))
    output = words[0] if words else os.path.join(
        built if is_quick else os.path.join(peers.TOP, "docs"), "bench.md")
    begin = time.monotonic()
    peers.adopt_orphans()
    bench = measure(QUICK if is_quick else FULL, built)
    what = about(bench, is_quick, time.monotonic() - begin)
    medians = {f: {p: statistics.median(v) for p, v in by.items()} for f, by in bench.figures.items()}
    goals = report.goals(medians)
    svg = os.path.splitext(output)[0] + ".svg"
    os.makedirs(os.path.dirname(os.path.abspath(output)), exist_ok=True)
    with open(svg, "w") as f:
        f.write(plot.draw(medians, goals, what))
    text = report.page(bench, goals, what, os.path.basename(svg))
    with open(output, "w") as f:
        f.write(text)
    print(text)
    print("written: %s, %s" % (output, svg), file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except (Failure, OSError) as error:
        print("bench: nothing could be measured: %s" % error, file=sys.stderr)
