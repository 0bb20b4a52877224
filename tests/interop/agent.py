"""Agents: the real ssh-agent, thrown away with the test, and ones that the test plays itself."""

import ctypes
import ctypes.util
import hashlib
import shutil
import socket
import struct
import subprocess
import threading

import check

FAILURE, SUCCESS = 5, 6
REQUEST_IDENTITIES, IDENTITIES_ANSWER = 11, 12
SIGN_REQUEST, SIGN_RESPONSE = 13, 14
ADD_IDENTITY, ADD_ID_CONSTRAINED, EXTENSION = 17, 25, 27


class Agent:
    """ssh-agent, to which keys are added by ssh-add. env goes to the agent: its SSH_ASKPASS."""

    def __init__(self, t, name="agent", env=()):
        for program in ("ssh-agent", "ssh-add"):
            if shutil.which(program) is None:
                raise check.Skip("no %s on this machine" % program)
        self.path, self.env = t.path(name), dict(t.env, SSH_AUTH_SOCK=t.path(name))
        agent_env = dict(t.env, **dict(env))
        self.process = t.start(name, ["ssh-agent", "-D", "-a", self.path], env=agent_env)
        # Its socket is there before it listens; it says this when it does.
        check.wait_for(lambda: "Agent pid" in self.process.out(), "the agent to listen")

    def ssh_add(self, *args, wanted=0, env=()):
        run = subprocess.run(
            ["ssh-add", *args],
            env=dict(self.env, **dict(env)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
        )
        check.equal(run.returncode, wanted, "exit status of ssh-add %s (%s)" % (args, run.stderr))
        return run.stdout

    def add(self, *paths, options=()):
        for path in paths:
            self.ssh_add("-q", *options, path)

    def n_keys(self):
        """How many keys it shows."""
        run = subprocess.run(["ssh-add", "-l"], env=self.env, capture_output=True, text=True)
        return len(run.stdout.splitlines()) if run.returncode == 0 else 0


def string(data):
    return struct.pack(">I", len(data)) + data


def strings(data, n):
    """The first n wire strings of data, and the rest."""
    out = []
    for _ in range(n):
        (length,) = struct.unpack_from(">I", data)
        out.append(data[4 : 4 + length])
        data = data[4 + length :]
    return out, data


def identities(*keys):
    """IDENTITIES_ANSWER for (blob, comment) pairs."""
    body = b"".join(string(blob) + string(comment) for blob, comment in keys)
    return struct.pack(">BI", IDENTITIES_ANSWER, len(keys)) + body


class Closed(Exception):
    """Raised by an answer: the connection is closed."""


class Played:
    """An agent whose answers are the test's: answer(message) gives the answer without its length,
    raw bytes in a Raw, or None for silence. heard holds every message."""

    def __init__(self, t, answer, name="played"):
        self.path, self.answer, self.heard = t.path(name), answer, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            sock, _ = self.listener.accept()
            threading.Thread(target=self.converse, args=(sock,), daemon=True).start()

    def converse(self, sock):
        stream = sock.makefile("rb")
        try:
            while True:
                head = stream.read(4)
                if len(head) < 4:
                    return
                message = stream.read(struct.unpack(">I", head)[0])
                self.heard.append(message)
                answer = self.answer(message)
                if isinstance(answer, Raw):
                    sock.sendall(answer.data)
                elif answer is not None:
                    sock.sendall(string(answer))
        except (Closed, OSError):
            pass
        finally:
            sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def numbers(self):
        return [message[0] for message in self.heard]


class Raw:
    def __init__(self, data):
        self.data = data


class Relay:
    """One connection to a real agent: what a played one hands on."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.stream = self.sock.makefile("rb")

    def ask(self, message):
        self.sock.sendall(string(message))
        (length,) = struct.unpack(">I", self.stream.read(4))
        return self.stream.read(length)


class SecurityKey:
    """A key as a token holds it, OpenSSH PROTOCOL.u2f: sk-ssh-ed25519@openssh.com."""

    TYPE = b"sk-ssh-ed25519@openssh.com"
    TOUCHED = 1

    def __init__(self):
        name = ctypes.util.find_library("sodium")
        if name is None:
            raise check.Skip("no libsodium for Python to sign with")
        self.sodium = ctypes.CDLL(name)
        self.public = ctypes.create_string_buffer(32)
        self.secret = ctypes.create_string_buffer(64)
        self.sodium.crypto_sign_keypair(self.public, self.secret)
        self.blob = string(self.TYPE) + string(self.public.raw) + string(b"ssh:")

    def sign(self, data):
        facts = struct.pack(">BI", self.TOUCHED, 7)
        message = hashlib.sha256(b"ssh:").digest() + facts + hashlib.sha256(data).digest()
        raw = ctypes.create_string_buffer(64)
        self.sodium.crypto_sign_detached(
            raw, None, message, ctypes.c_ulonglong(len(message)), self.secret
        )
        return string(self.TYPE) + string(raw.raw) + facts

    def answer(self, message):
        if message[0] == REQUEST_IDENTITIES:
            return identities((self.blob, b"token"))
        if message[0] != SIGN_REQUEST:
            return bytes([FAILURE])
        (_, data), _ = strings(message[1:], 2)
        return bytes([SIGN_RESPONSE]) + string(self.sign(data))
