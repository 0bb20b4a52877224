#!/usr/bin/env python3
"""Runs the interop suite:

    python3 tests/interop/run.py [--no-total] [--list] [--table=FILE] [PATTERN ...]

The client under test is $ADIT, the gateway $ADITD (default: those in build/release). PATTERN keeps
the tests whose name contains it. Prints a line a test, and the logs of those that failed. FILE gets
the tables that end a run, as Markdown, when nothing failed."""

import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

sys.dont_write_bytecode = True

import case as case_module
import check
import process
from table import Table

LANES = 2  # tests that run at the same time
OK, FAILED, SKIPPED = 0, 1, 2


class TooLong(Exception):
    pass


def load_tests():
    for name in sorted(os.listdir(case_module.HERE)):
        if name.startswith("test_") and name.endswith(".py"):
            importlib.import_module(name[:-3])
    return check.TESTS


def on_alarm(*_):
    raise TooLong()


def run_test(test, folder, lane, number):
    """In a process of its own. Leaves the verdict as exit status, what there is to say in log."""
    signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(test.limit)
    case = None
    status, text = OK, ""
    try:
        case = case_module.Case(
            test.server, folder, lane, number * 37, test.params.get("client_path")
        )
        params = {k: v for k, v in test.params.items() if k != "client_path"}
        said = test.run(case, **params)
        text = said if test.cell and said else ""
        case.check_sanitizers()
    except check.Skip as why:
        status, text = SKIPPED, str(why)
    except BaseException as error:
        signal.alarm(0)
        status = FAILED
        if isinstance(error, TooLong):
            text = "no end within %d seconds\n" % test.limit
        elif isinstance(error, check.Failure):
            text = str(error) + "\n"
        text += where(error) + (case.reports() if case else "")
    signal.alarm(0)
    try:
        process.end_descendants()
    except BaseException:
        text += traceback.format_exc()
        status = FAILED
    for other in case.folders if case else ():
        shutil.rmtree(other, ignore_errors=True)
    with open(folder + ".log", "w") as f:
        f.write(text)
    os._exit(status)


def where(error):
    """The stack of an error, or only the test's own line for a plain failure."""
    if not isinstance(error, (check.Failure, TooLong)):
        return "".join(traceback.format_exception(error))
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if "test_" in os.path.basename(f.filename)
    ]
    return "".join(
        "at %s:%d: %s\n" % (os.path.basename(f.filename), f.lineno, f.line) for f in frames
    )


class Runner:
    def __init__(self, tests, top_folder):
        self.waiting = list(enumerate(tests))
        self.top_folder = top_folder
        self.running = {}  # pid -> (test, folder, lane, start)
        self.counts = [0, 0, 0]
        self.table = Table(test.cell for test in tests if test.cell)

    def start_next(self):
        number, test = self.waiting.pop(0)
        lane = ({*range(LANES)} - {entry[2] for entry in self.running.values()}).pop()
        folder = os.path.join(self.top_folder, "t%d" % number)
        os.mkdir(folder, 0o711)
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            run_test(test, folder, lane, number)
        self.running[pid] = (test, folder, lane, time.monotonic())

    def finish(self, pid, wait_status):
        test, folder, _, start = self.running.pop(pid)
        status = os.waitstatus_to_exitcode(wait_status)
        if status not in (OK, FAILED, SKIPPED):
            status = FAILED
        try:
            with open(folder + ".log") as f:
                text = f.read()
        except OSError:
            text = "the test's own process died\n"
        self.counts[status] += 1
        word = ("ok    ", "FAILED", "skipped")[status]
        reason = ": " + text if status == SKIPPED else ""
        print(
            "%s interop: %s (%.1f s)%s" % (word, test.name, time.monotonic() - start, reason),
            flush=True,
        )
        if test.cell and status == SKIPPED:
            self.table.add_skipped(test.cell, text)
        elif test.cell:
            self.table.add(test.cell, "FAILED" if status == FAILED else text or "yes")
        if status == FAILED:
            print("".join("    %s\n" % line for line in text.splitlines()), end="", flush=True)
        shutil.rmtree(folder, ignore_errors=True)

    def run(self):
        while self.waiting or self.running:
            while self.waiting and len(self.running) < LANES:
                self.start_next()
            pid, status = os.wait()
            if pid in self.running:
                self.finish(pid, status)


def main():
    args = sys.argv[1:]
    patterns = [a.lower() for a in args if not a.startswith("--")]
    tests = [t for t in load_tests() if not patterns or any(p in t.name.lower() for p in patterns)]
    if "--list" in args:
        print("\n".join(t.name for t in tests))
        return 0
    if case_module.ADIT is None:
        print("no client at $ADIT or build/release/adit: build it first", file=sys.stderr)
        return 2
    process.adopt_orphans()
    # A shell's background job ignores these, and so would every program that the tests signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    top_folder = tempfile.mkdtemp(prefix="adit-interop-")
    os.chmod(top_folder, 0o711)  # a test runs its client as another user
    runner = Runner(tests, top_folder)
    try:
        runner.run()
    except KeyboardInterrupt:
        runner.counts[FAILED] += 1
    finally:
        process.end_descendants()
        shutil.rmtree(top_folder, ignore_errors=True)
    runner.table.show()
    passed, failed, skipped = runner.counts
    for path in [a.partition("=")[2] for a in args if a.startswith("--table=")]:
        if not failed:
            runner.table.write(path)
    if "--no-total" not in args:
        print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed or not passed + skipped else 0


if __name__ == "__main__":
    sys.exit(main())
