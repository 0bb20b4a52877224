#!/usr/bin/python3
"""A server made of Twisted's Conch: forwards by its own classes, and whatever the command, a channel
gives back what it is given.

conch_server.py AUTHORIZED_KEYS USER PASSWORD HOST_KEY..."""

import struct
import sys

from twisted.conch import avatar, checkers
from twisted.conch.openssh_compat import primes
from twisted.conch.ssh import channel, factory, forwarding, keys
from twisted.cred import checkers as passwords
from twisted.cred import portal
from twisted.internet import reactor

AUTHORIZED, USER, PASSWORD = sys.argv[1], sys.argv[2].encode(), sys.argv[3].encode()
HOST_KEYS = [keys.Key.fromFile(path) for path in sys.argv[4:]]
with open(AUTHORIZED, "rb") as f:
    ALLOWED = [keys.Key.fromString(line) for line in f if line.strip()]


class Echo(channel.SSHChannel):
    name = b"session"

    def request_exec(self, command):
        return 1

    def dataReceived(self, data):
        self.write(data)

    def eofReceived(self):
        self.conn.sendEOF(self)
        self.conn.sendRequest(self, b"exit-status", struct.pack(">L", 0))
        self.loseConnection()


class User(avatar.ConchUser):
    def __init__(self):
        super().__init__()
        self.listeners = {}
        self.channelLookup[b"session"] = Echo
        self.channelLookup[b"direct-tcpip"] = forwarding.openConnectForwardingClient

    def global_tcpip_forward(self, data):
        asked = forwarding.unpackGlobal_tcpip_forward(data)
        made = forwarding.SSHListenForwardingFactory(
            self.conn, asked, forwarding.SSHListenServerForwardingChannel
        )
        try:
            self.listeners[asked] = reactor.listenTCP(asked[1], made, interface="127.0.0.1")
        except OSError:
            return 0
        port = self.listeners[asked].getHost().port
        return (1, struct.pack(">L", port)) if asked[1] == 0 else 1

    def global_cancel_tcpip_forward(self, data):
        listener = self.listeners.pop(forwarding.unpackGlobal_tcpip_forward(data), None)
        if listener:
            listener.stopListening()
        return 1 if listener else 0

    def logout(self):
        for listener in self.listeners.values():
            listener.stopListening()


class Realm:
    def requestAvatar(self, name, mind, *interfaces):
        user = User()
        return interfaces[0], user, user.logout


class Server(factory.SSHFactory):
    privateKeys = {key.sshType(): key for key in HOST_KEYS}
    publicKeys = {key.sshType(): key.public() for key in HOST_KEYS}
    portal = portal.Portal(
        Realm(),
        [
            checkers.SSHPublicKeyChecker(checkers.InMemorySSHKeyDB({USER: ALLOWED})),
            passwords.InMemoryUsernamePasswordDatabaseDontUse(**{USER.decode(): PASSWORD}),
        ],
    )

    def getPrimes(self):
        return primes.parseModuliFile("/etc/ssh/moduli")


listener = reactor.listenTCP(0, Server(), interface="127.0.0.1")
print("listening on port %d" % listener.getHost().port, file=sys.stderr, flush=True)
reactor.run()
