#!/usr/bin/python3
"""A server made of AsyncSSH: a command is a program that is run, forwards of every kind are allowed.

asyncssh_server.py AUTHORIZED_KEYS USER PASSWORD REKEY_BYTES HOST_KEY...

An empty password lets everybody in; 0 leaves new keys to the library."""

import asyncio
import sys

import asyncssh

AUTHORIZED, USER, PASSWORD, REKEY_BYTES = sys.argv[1:5]
HOST_KEYS = sys.argv[5:]


class Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return PASSWORD != ""  # whether it is to be asked for at all

    def password_auth_supported(self):
        return True  # and, with it, questions: AsyncSSH then asks for the password as one

    def validate_password(self, username, password):
        return (username, password) == (USER, PASSWORD)

    def connection_requested(self, dest_host, dest_port, orig_host, orig_port):
        return True

    def server_requested(self, listen_host, listen_port):
        return True

    def unix_connection_requested(self, dest_path):
        return True

    def unix_server_requested(self, listen_path):
        return True


async def run(process):
    """What the client asks for, its input and output those of the channel."""
    child = await asyncio.create_subprocess_shell(
        process.command or "exit 1",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
    await process.stdout.drain()
    process.exit(await child.wait())


async def serve():
    acceptor = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Server,
        server_host_keys=HOST_KEYS,
        authorized_client_keys=AUTHORIZED,
        process_factory=run,
        encoding=None,
        rekey_bytes=int(REKEY_BYTES) or (),
    )
    port = acceptor.sockets[0].getsockname()[1]
    print("listening on port %d" % port, file=sys.stderr, flush=True)
    await asyncio.Event().wait()


asyncio.run(serve())
