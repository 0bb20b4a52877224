"""Data sources and sinks: what stands at the two ends of a tunnel."""

import errno
import hashlib
import http.server
import os
import socket
import struct
import threading

import check

MIB = 1 << 20
CHUNK = 256 * 1024
TIMEOUT = 60  # seconds without progress after which a socket of ours gives up


class RandomStream:
    """Random bytes at memory speed: chunks cut from a random pool at places that do not repeat, so
    that a lost, doubled or swapped piece changes the checksum and nothing compresses."""

    POOL = 4 * MIB

    def __init__(self):
        pool = os.urandom(self.POOL)
        self.pool = memoryview(pool + pool[:CHUNK])

    def chunks(self, total):
        i = 0
        while total > 0:
            start = i * 1000003 % self.POOL
            n = min(CHUNK, total)
            yield self.pool[start : start + n]
            total -= n
            i += 1


def send_random(sock, total):
    """Sends total random bytes; returns their checksum."""
    digest = hashlib.sha256()
    for chunk in RandomStream().chunks(total):
        sock.sendall(chunk)
        digest.update(chunk)
    return digest.hexdigest()


def receive(sock, total=None):
    """Receives total bytes, or all until EOF; returns (count, checksum)."""
    digest = hashlib.sha256()
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    count = 0
    while total is None or count < total:
        n = sock.recv_into(view[: CHUNK if total is None else min(CHUNK, total - count)])
        if n == 0:
            break
        digest.update(view[:n])
        count += n
    return count, digest.hexdigest()


def receive_exactly(sock, total):
    data = b""
    while len(data) < total:
        piece = sock.recv(total - len(data))
        if not piece:
            raise check.Failure("the connection ended after %d of %d bytes" % (len(data), total))
        data += piece
    return data


class Task(threading.Thread):
    """A function on its own thread; result() waits for it and passes its exception on."""

    def __init__(self, run, *args):
        super().__init__(daemon=True)
        self.run_it, self.args = run, args
        self.value = self.error = None
        self.start()

    def run(self):
        try:
            self.value = self.run_it(*self.args)
        except BaseException as error:  # passed on by result()
            self.error = error

    def result(self, seconds=240):
        self.join(seconds)
        if self.is_alive():
            raise check.Failure("no end after %g seconds" % seconds)
        if self.error is not None:
            raise self.error
        return self.value


def connect(port, host="127.0.0.1"):
    sock = socket.create_connection((host, port), timeout=10)
    sock.settimeout(TIMEOUT)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def reset(sock):
    """Closes with RST in place of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def ending(sock):
    """Reads to the end; says how it came: "clean" (EOF) or "reset"."""
    try:
        receive(sock)
        return "clean"
    except OSError as error:
        if error.errno in (errno.ECONNRESET, errno.EPIPE):
            return "reset"
        raise


def family_of(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class Target:
    """A listening socket whose connections the test itself takes, one by one."""

    def __init__(self, host="127.0.0.1", backlog=128):
        self.host = host
        self.listener = socket.socket(family_of(host), socket.SOCK_STREAM)
        self.listener.bind((host, 0))
        self.listener.listen(backlog)
        self.listener.settimeout(TIMEOUT)
        self.port = self.listener.getsockname()[1]

    def accept(self):
        sock, _ = self.listener.accept()
        sock.settimeout(TIMEOUT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock


def spec(port, target, host="127.0.0.1"):
    """A forward from a port to a target, as -L and -R want it."""
    return "%d:%s:%d" % (port, host, target.port)


class Service(Target):
    """A target that answers each connection on a thread of its own."""

    def __init__(self, answer, host="127.0.0.1", backlog=128):
        super().__init__(host, backlog)
        self.answer = answer
        self.listener.settimeout(None)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            sock, _ = self.listener.accept()
            sock.settimeout(TIMEOUT)
            threading.Thread(target=self.guarded, args=(sock,), daemon=True).start()

    def guarded(self, sock):
        with sock:
            try:
                self.answer(sock)
            except OSError:
                pass  # the peer went away; the test sees that at its own end


def echo(sock):
    while True:
        data = sock.recv(CHUNK)
        if not data:
            return
        sock.sendall(data)


def echo_service(host="127.0.0.1", backlog=128):
    return Service(echo, host, backlog)


def named(name):
    """An answer that says who it is, so that a test sees which target it reached."""

    def answer(sock):
        sock.sendall(name.encode())

    return answer


def ask(port, host="127.0.0.1"):
    """What a named() service behind the port says."""
    with connect(port, host) as sock:
        text = b""
        while True:
            piece = sock.recv(4096)
            if not piece:
                return text.decode()
            text += piece


def check_echo(port, host="127.0.0.1", total=MIB):
    """Random bytes through an echo service come back the same, and their end comes back too."""
    with connect(port, host) as sock:
        check_echo_on(sock, total)


def check_echo_on(sock, total=MIB):
    back = Task(receive, sock)
    sent = send_random(sock, total)
    sock.shutdown(socket.SHUT_WR)
    check.equal(back.result(), (total, sent), "echoed bytes")


def exchange(one, other, total):
    """Both ends send total random bytes at the same time; both checksums must hold."""
    there, back = Task(receive, other, total), Task(receive, one, total)
    from_one, from_other = Task(send_random, one, total), Task(send_random, other, total)
    check.equal(there.result(), (total, from_one.result()), "bytes on the way there")
    check.equal(back.result(), (total, from_other.result()), "bytes on the way back")


def pair(port, target, host="127.0.0.1"):
    """A connection through a forward: (our end, the target's end)."""
    accepted = Task(target.accept)
    here = connect(port, host)
    return here, accepted.result(20)


class WebHandler(http.server.BaseHTTPRequestHandler):
    """GET gives a body of random bytes, POST answers with the checksum of what came."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.reply(self.server.body)

    def do_POST(self):
        digest = hashlib.sha256()
        left = int(self.headers["Content-Length"])
        while left > 0:
            piece = self.rfile.read(min(left, CHUNK))
            digest.update(piece)
            left -= len(piece)
        self.reply(digest.hexdigest().encode())

    def reply(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class WebServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host="127.0.0.1"):
        self.address_family = family_of(host)
        self.body = os.urandom(300000)
        super().__init__((host, 0), WebHandler)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def server_bind(self):
        # HTTPServer's own looks its host's name up, which is slow on machines without a resolver.
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "test", self.server_address[1]
