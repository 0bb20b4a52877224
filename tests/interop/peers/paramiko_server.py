#!/usr/bin/python3
"""A server made of Paramiko, which leaves all that moves bytes to its user: here a thread for each
direction of each channel.

paramiko_server.py AUTHORIZED_KEYS USER PASSWORD REKEY_BYTES HOST_KEY...

An empty password lets everybody in; 0 leaves new keys to the library."""

import base64
import socket
import subprocess
import sys
import threading

import paramiko

AUTHORIZED, USER, PASSWORD, REKEY_BYTES = sys.argv[1:5]
KEY_CLASSES = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
CHUNK = 32768


def host_key(path):
    for kind in KEY_CLASSES:
        try:
            return kind.from_private_key_file(path)
        except paramiko.SSHException:
            pass
    sys.exit("%s: no key that Paramiko reads" % path)


HOST_KEYS = [host_key(path) for path in sys.argv[5:]]
with open(AUTHORIZED) as f:
    ALLOWED = {base64.b64decode(line.split()[1]) for line in f if line.strip()}


def thread(run, *args):
    started = threading.Thread(target=run, args=args, daemon=True)
    started.start()
    return started


def copy(read, write, end):
    """Moves bytes until there are none, and tells the other side so."""
    try:
        while True:
            data = read(CHUNK)
            if not data:
                break
            write(data)
        end()
    except (OSError, EOFError, ValueError):
        pass  # one of the two ends is gone


def join(channel, sock):
    """Both directions between a channel and a socket; closes both when both are done."""

    def end_of_socket():
        sock.shutdown(socket.SHUT_WR)

    up = thread(copy, channel.recv, sock.sendall, end_of_socket)
    copy(sock.recv, channel.sendall, channel.shutdown_write)
    up.join()
    channel.close()
    sock.close()


def run(channel, command):
    """A command, its input and output those of the channel."""
    child = subprocess.Popen(
        command, shell=True, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    thread(copy, channel.recv, child.stdin.write, child.stdin.close)
    copy(child.stdout.read, channel.sendall, channel.shutdown_write)
    channel.send_exit_status(child.wait())
    channel.close()


class Server(paramiko.ServerInterface):
    def __init__(self, transport):
        self.transport = transport
        self.dialled = {}  # channel number -> socket
        self.listeners = {}  # (address, port) -> socket

    def get_allowed_auths(self, username):
        return "publickey,password,keyboard-interactive"

    def check_auth_none(self, username):
        return self.verdict(username == USER and PASSWORD == "")

    def check_auth_publickey(self, username, key):
        return self.verdict(username == USER and key.asbytes() in ALLOWED)

    def check_auth_password(self, username, password):
        return self.verdict((username, password) == (USER, PASSWORD))

    def check_auth_interactive(self, username, submethods):
        questions = paramiko.InteractiveQuery("", "", ("The password: ", False))
        return questions if username == USER else paramiko.AUTH_FAILED

    def check_auth_interactive_response(self, responses):
        return self.verdict(responses == [PASSWORD])

    def verdict(self, claim):
        return paramiko.AUTH_SUCCESSFUL if claim else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel, command):
        thread(run, channel, command)
        return True

    def check_channel_direct_tcpip_request(self, chanid, origin, destination):
        try:
            self.dialled[chanid] = socket.create_connection(destination)
        except OSError:
            return paramiko.OPEN_FAILED_CONNECT_FAILED
        return paramiko.OPEN_SUCCEEDED

    def check_port_forward_request(self, address, port):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
        sock.listen(128)
        port = sock.getsockname()[1]
        self.listeners[address, port] = sock
        thread(self.accept, sock, address, port)
        return port

    def cancel_port_forward_request(self, address, port):
        self.listeners.pop((address, port)).close()

    def accept(self, listener, address, port):
        while True:
            try:
                sock, origin = listener.accept()
            except OSError:
                return  # cancelled
            thread(self.forwarded, sock, origin, address, port)

    def forwarded(self, sock, origin, address, port):
        try:
            channel = self.transport.open_forwarded_tcpip_channel(origin, (address, port))
        except (paramiko.SSHException, EOFError):
            sock.close()
            return
        join(channel, sock)


def serve(sock):
    transport = paramiko.Transport(sock)
    if REKEY_BYTES != "0":
        transport.packetizer.REKEY_BYTES = int(REKEY_BYTES)
    for key in HOST_KEYS:
        transport.add_server_key(key)
    server = Server(transport)
    try:
        transport.start_server(server=server)
    except (paramiko.SSHException, EOFError) as error:
        print("no key exchange: %s" % error, file=sys.stderr, flush=True)
        return
    while transport.is_active():
        channel = transport.accept(1)
        dialled = channel and server.dialled.pop(channel.get_id(), None)
        if dialled:
            thread(join, channel, dialled)
    for listener in server.listeners.values():
        listener.close()


paramiko.util.log_to_file("/dev/stderr", paramiko.util.logging.WARNING)
paramiko.Transport.load_server_moduli("/etc/ssh/moduli")
listener = socket.create_server(("127.0.0.1", 0))
print("listening on port %d" % listener.getsockname()[1], file=sys.stderr, flush=True)
while True:
    thread(serve, listener.accept()[0])
