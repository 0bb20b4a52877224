"""A program under test on a pseudo-terminal, as a person would run it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import check


class Terminal:
    """Starts a command on a new terminal. The test types and reads; the terminal's modes can be
    looked at, since our own open copy of its far side keeps it alive after the program's end."""

    def __init__(self, case, command, rows=24, columns=80, name="terminal"):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns, tell=False)
        self.modes_before = termios.tcgetattr(self.slave)
        self.seen = b""
        slave = self.slave

        def take_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        # stderr stays apart, so that the test sees what the program itself says.
        self.process = case.start(
            name, command, stdin=slave, stdout=slave, preexec_fn=take_terminal
        )

    def resize(self, rows, columns, tell=True):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            self.process.signal(signal.SIGWINCH)

    def type(self, text):
        os.write(self.master, text.encode())

    def read_some(self, seconds):
        readable, _, _ = select.select([self.master], [], [], seconds)
        if readable:
            self.seen += os.read(self.master, 65536)
        return bool(readable)

    def expect(self, pattern, seconds=10):
        """Reads until the pattern is there; what lies before its end is used up."""
        deadline = time.monotonic() + seconds
        while True:
            match = re.search(pattern.encode(), self.seen, re.S)
            if match:
                self.seen = self.seen[match.end() :]
                return match
            left = deadline - time.monotonic()
            if left < 0 or not self.read_some(left):
                raise check.Failure(
                    "waited for /%s/ on the terminal, got: %r" % (pattern, self.seen[-2000:])
                )

    def wait_exit(self, status=None, seconds=10):
        """Waits for the program's end; reads on meanwhile, or it could not write its last words."""

        def look():
            while self.read_some(0):
                pass
            return not self.process.running()

        check.wait_for(look, "%s to end" % self.process.name, seconds)
        return self.process.wait_exit(status)

    def local_modes(self):
        return termios.tcgetattr(self.slave)[3]

    def is_raw(self):
        return not self.local_modes() & (termios.ICANON | termios.ECHO)

    def check_restored(self):
        check.equal(
            termios.tcgetattr(self.slave), self.modes_before, "modes of the terminal afterwards"
        )
