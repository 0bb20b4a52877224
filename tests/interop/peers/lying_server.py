#!/usr/bin/python3
"""A server that keeps to the protocol until the login, and then tells the lie that it is asked for:
Paramiko's key exchange, and messages of our own behind it.

lying_server.py LIE HOST_KEY [OTHER_HOST_KEY]"""

import socket
import sys
import threading

import paramiko
from paramiko.auth_handler import AuthHandler
from paramiko.message import Message

LIE, *KEYS = sys.argv[1:]
SERVICE_REQUEST, SERVICE_ACCEPT = 5, 6
REQUEST, FAILURE, SUCCESS, INFO_REQUEST, INFO_RESPONSE = 50, 51, 52, 60, 61


def host_key(path):
    for kind in (paramiko.Ed25519Key, paramiko.RSAKey):
        try:
            return kind.from_private_key_file(path)
        except paramiko.SSHException:
            pass
    sys.exit("%s: no key that Paramiko reads" % path)


HOST_KEYS = [host_key(path) for path in KEYS]


class Liar(AuthHandler):
    """Answers each request of a login by what LIE says; a lie is a generator of messages, which is
    resumed for each message of the client's."""

    def __init__(self, transport):
        AuthHandler.__init__(self, transport)
        self.lie = LIES[LIE](self)
        next(self.lie)

    def send(self, number, *fields):
        m = Message()
        m.add_byte(bytes([number]))
        for field in fields:
            add = {str: m.add_string, bool: m.add_boolean, int: m.add_int}[type(field)]
            add(field)
        self.transport._send_message(m)

    def accept_service(self, m):
        self.send(SERVICE_ACCEPT, m.get_text())

    def take(self, m):
        next(self.lie, None)

    def questions(self, n):
        self.send(INFO_REQUEST, "", "", "", n, *("What now?", False) * n)

    # ---- the lies: what is sent for each message that comes

    def key_unsigned(self):
        """That a key may log in is asked; it has."""
        yield
        self.send(FAILURE, "publickey", False)
        yield
        self.send(SUCCESS)
        yield

    def no_questions(self):
        """The answers to no questions are right."""
        yield
        self.send(FAILURE, "keyboard-interactive", False)
        yield
        self.questions(0)
        yield
        self.send(SUCCESS)
        yield

    def one_question(self):
        yield
        self.send(FAILURE, "keyboard-interactive", False)
        yield
        self.questions(1)
        yield
        self.send(SUCCESS)
        yield

    def many_questions(self):
        yield
        self.send(FAILURE, "keyboard-interactive", False)
        yield
        self.questions(33)
        yield

    def expired_password(self):
        """A new one is wanted, for ever."""
        yield
        self.send(FAILURE, "password", False)
        while True:
            yield
            self.send(INFO_REQUEST, "Your password has expired.", "")

    def other_host(self):
        """Logs in whoever comes, and then wants new keys, as another host."""
        yield
        self.send(SUCCESS)
        self.transport.add_server_key(HOST_KEYS[1])
        threading.Thread(target=self.transport.renegotiate_keys, daemon=True).start()
        yield

    _server_handler_table = {
        SERVICE_REQUEST: accept_service,
        REQUEST: take,
        INFO_RESPONSE: take,
    }


LIES = {
    name.replace("_", "-"): getattr(Liar, name)
    for name in (
        "key_unsigned",
        "no_questions",
        "one_question",
        "many_questions",
        "expired_password",
        "other_host",
    )
}


def serve(sock):
    transport = paramiko.Transport(sock)
    transport.add_server_key(HOST_KEYS[0])
    try:
        transport.start_server(server=paramiko.ServerInterface())
    except (paramiko.SSHException, EOFError) as error:
        print("no key exchange: %s" % error, file=sys.stderr, flush=True)


paramiko.transport.AuthHandler = Liar
paramiko.util.log_to_file("/dev/stderr", paramiko.util.logging.WARNING)
listener = socket.create_server(("127.0.0.1", 0))
print("listening on port %d" % listener.getsockname()[1], file=sys.stderr, flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
