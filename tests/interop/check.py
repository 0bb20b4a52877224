"""What a test says: registration, assertions, skips and waiting with a deadline."""

import re
import time


class Failure(Exception):
    """What the test looked at is not as it should be."""


class Skip(Exception):
    """The machine, or the client under test, cannot do this test; the text says why."""


class Test:
    def __init__(self, name, run, server, limit, cell, params):
        self.name = name
        self.run = run
        self.server = server  # "sshd", "aditd" or None
        self.limit = limit  # seconds
        self.cell = cell  # its place in the tables that end the run (table.py), or None
        self.params = params


TESTS = []


def test(name, servers=("sshd",), limit=30, cell=None, **params):
    """Registers a function as a test, once for each server, or once without one (servers=()).

    name is a sentence. params are handed to the function as keywords. What a test with a cell
    returns is what the cell says where the test holds.
    """

    def register(run):
        for server in servers or (None,):
            full = name if len(servers) < 2 else "%s (%s)" % (name, server)
            if servers == ("aditd",):
                full = "%s (aditd)" % name
            TESTS.append(Test(full, run, server, limit, cell, params))
        return run

    return register


BOTH = ("sshd", "aditd")


def equal(got, wanted, what):
    if got != wanted:
        raise Failure("%s: wanted %r, got %r" % (what, wanted, got))


def true(claim, what):
    if not claim:
        raise Failure(what)


def matches(text, pattern, what):
    if not re.search(pattern, text, re.I | re.S):
        raise Failure(
            "%s: wanted text like /%s/, got:\n%s" % (what, pattern, text.strip() or "nothing")
        )


def wait_for(claim, what, seconds=10):
    """Calls claim() until it gives something true, which is returned."""
    deadline = time.monotonic() + seconds
    while True:
        result = claim()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failure("waited %g seconds in vain for %s" % (seconds, what))
        time.sleep(0.01)  # between two looks; nothing relies on its length
