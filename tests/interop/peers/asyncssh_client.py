#!/usr/bin/python3
"""A client made of AsyncSSH: a -L and a -R, and new keys every so many bytes that it sends.

asyncssh_client.py PORT KNOWN_HOSTS KEY USER REKEY_BYTES LISTEN TARGET REMOTE_LISTEN"""

import asyncio
import logging
import sys

import asyncssh

KNOWN_HOSTS, KEY, USER = sys.argv[2:5]
PORT, REKEY_BYTES, LISTEN, TARGET, REMOTE_LISTEN = (int(sys.argv[i]) for i in (1, 5, 6, 7, 8))


async def run():
    connection = await asyncssh.connect(
        "127.0.0.1",
        PORT,
        config=None,
        known_hosts=KNOWN_HOSTS,
        client_keys=[KEY],
        agent_path=None,
        username=USER,
        rekey_bytes=REKEY_BYTES,
    )
    await connection.forward_local_port("127.0.0.1", LISTEN, "127.0.0.1", TARGET)
    await connection.forward_remote_port("127.0.0.1", REMOTE_LISTEN, "127.0.0.1", TARGET)
    await connection.wait_closed()


logging.basicConfig(level=logging.DEBUG)  # it says each "Completed key exchange"
asyncio.run(run())
