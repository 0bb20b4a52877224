"""What each peer was seen to do: the tables that end a run, and docs/interop.md made of them."""

import collections
import platform

# Which table a test fills in, whose column and which row there; sentence says the row in words.
Cell = collections.namedtuple("Cell", "table peer feature sentence")

INTRO = """# What adit was seen to work with

Made by `make interop TABLE=docs/interop.md`, which starts each of these programs on one machine
(%s), has adit meet it, and writes down what went through.

A column is a program that adit spoke with, as Debian packages it: first with `adit` as the client, then
with `aditd` as the server. OpenSSH is the system's own, OpenSSH 10 a newer one from the backports. A
row is one test, which ran against each of them.

- `yes`, or how many: of keys, of algorithms that both sides have, of times that both changed keys. The
  five kinds of keys are Ed25519, RSA, and ECDSA on three curves; as host keys RSA counts for each way of
  signing, with SHA-512, SHA-256 and SHA-1, the last only because the test names it.
- `8 x 6`: each of 8 key exchanges with each of 6 ciphers, a login and bytes there and back each time.
- `-`: this program does not have it, or it cannot be asked for.
"""

NOTES = """
What stands behind some of the gaps:

- OpenSSH 10's server offers no finite-field Diffie-Hellman any more, 9.2 does not have ML-KEM yet.
- TinySSH has logins and commands alone, with one kind of key and one cipher; Dropbear takes four host
  keys at most.
- TinySSH, Paramiko and Conch have no strict key exchange; Paramiko and Conch have no ChaCha20.
- Erlang and Conch close a forwarded connection when one direction of it ends, with `ssh` too.
- AsyncSSH 2.10 and Paramiko send other messages in the middle of a rekey, which the protocol forbids;
  adit puts up with it from them alone (transport/quirks.c).
- AsyncSSH and Conch say that what they forward for `-R 0` comes from port 0; adit takes that from a
  server for the one forward that asked for port 0, `ssh` does not.
"""


class Table:
    """Cells by table, peer and feature. A feature that a peer does not have stays empty."""

    def __init__(self, cells):
        self.order = list(cells)
        self.texts = {}
        self.reasons = {}  # (peer, reason) of what was skipped, in order

    def add(self, cell, text):
        self.texts[cell] = text

    def add_skipped(self, cell, reason):
        self.add(cell, "skipped")
        self.reasons[cell.peer, reason] = True

    def names(self):
        return list(dict.fromkeys(cell.table for cell in self.order))

    def rows(self, name, is_long=False):
        """Lines of fields, the first the header's. is_long: rows named by their sentence."""
        cells = [cell for cell in self.order if cell.table == name]
        peers = list(dict.fromkeys(cell.peer for cell in cells))
        rows = [[name] + peers]
        for feature in dict.fromkeys(cell.feature for cell in cells):
            those = [cell for cell in cells if cell.feature == feature]
            texts = {cell.peer: self.texts.get(cell, "-") for cell in those}
            label = those[0].sentence if is_long else feature
            rows.append([label] + [texts.get(peer, "-") for peer in peers])
        return rows

    def show(self):
        for name in self.names():
            rows = self.rows(name)
            widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
            for row in rows:
                line = "  ".join(text.ljust(n) for text, n in zip(row, widths))
                print("    " + line.rstrip())
        for peer, reason in self.reasons:
            print("    %s skipped: %s" % (peer, reason))

    def write(self, path):
        """The same as Markdown."""
        text = INTRO % system()
        for name in self.names():
            rows = self.rows(name, is_long=True)
            rows.insert(1, ["---"] * len(rows[0]))
            text += "\n" + "".join("| %s |\n" % " | ".join(row) for row in rows)
        if self.reasons:
            text += "\nSkipped:\n\n"
            text += "".join("- %s: %s\n" % pair for pair in self.reasons)
        text += NOTES
        with open(path, "w") as f:
            f.write(text)


def system():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
