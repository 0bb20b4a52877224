#!/usr/bin/python3
"""Runs a program for each connection, its input and output the connection: inetd.py PROGRAM..."""

import socket
import subprocess
import sys
import threading

listener = socket.create_server(("127.0.0.1", 0))
print("listening on port %d" % listener.getsockname()[1], file=sys.stderr, flush=True)
while True:
    sock, _ = listener.accept()
    with sock:
        child = subprocess.Popen(sys.argv[1:], stdin=sock, stdout=sock)
    threading.Thread(target=child.wait, daemon=True).start()
