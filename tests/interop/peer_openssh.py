"""OpenSSH as a peer: the system's, or a newer one that was unpacked beside it."""

import os
import pwd

import check
from case import IS_ROOT
from peer_kinds import PASSWORD_HASH, REKEY_BYTES, Kind
from peer_kinds import home_of_the_test, need_program, need_unpacked

PRIVILEGE_SEPARATION = "sshd"  # the user that root's sshd has its unprivileged half run as


class OpenSSH(Kind):
    certificates = host_certificates = security_keys = True

    def __init__(self, name, folder=None):
        self.name, self.folder = name, folder

    def program(self, path):
        """One of its programs: of the system's, or of those in the folder."""
        if self.folder:
            return need_unpacked(self.folder, path)
        return need_program(os.path.basename(path))

    def need(self):
        self.program("usr/sbin/sshd")
        if IS_ROOT and not any(user.pw_name == PRIVILEGE_SEPARATION for user in pwd.getpwall()):
            raise check.Skip("openssh-server is not installed, with which the user sshd comes")

    def helpers(self):
        """Since 9.8 sshd starts other programs, and looks for them where it would be installed."""
        lines = []
        for name in ("session", "auth"):
            path = "usr/lib/openssh/sshd-" + name
            if self.folder and os.path.exists(need_unpacked(self.folder, path)):
                lines.append("Sshd%sPath %s" % (name.title(), need_unpacked(self.folder, path)))
        return lines

    def start(self, t, host_keys, authorized, passwords=False, nothing=False, rekeys=False):
        if IS_ROOT:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        port = t.port()
        yes_or_no = ("no", "yes")
        lines = [
            "Port %d" % port,
            "ListenAddress 127.0.0.1",
            *("HostKey " + key for key in host_keys),
            *(
                "HostCertificate %s-cert.pub" % key
                for key in host_keys
                if os.path.exists(key + "-cert.pub")
            ),
            "AuthorizedKeysFile " + t.write("gate_authorized_keys", authorized),
            "PidFile none",
            "StrictModes no",
            "PermitRootLogin yes",
            "PermitEmptyPasswords " + yes_or_no[nothing],
            "PasswordAuthentication " + yes_or_no[passwords or nothing],
            "KbdInteractiveAuthentication " + yes_or_no[passwords],
            "UsePAM " + yes_or_no[passwords],  # which alone asks questions
            *(["RekeyLimit " + REKEY_BYTES] if rekeys else []),
            "PrintMotd no",
            "PrintLastLog no",
            "LogLevel DEBUG1",
            *self.helpers(),
        ]
        path = t.write("gate_sshd_config", "\n".join(lines) + "\n")
        env = self.users(t, authorized, passwords, nothing)
        process = t.start("gate", [self.program("usr/sbin/sshd"), "-D", "-e", "-f", path], env=env)
        process.wait_text(r"Server listening on 127\.0\.0\.1 port")
        return process, port

    def users(self, t, authorized, passwords, nothing):
        """A user of the test's own in sshd's eyes, with a password, and with a shell that reads no
        start-up file of a real one's home."""
        try:
            line = ":".join(map(str, pwd.getpwnam(PRIVILEGE_SEPARATION))) if IS_ROOT else ""
            password = "" if nothing else PASSWORD_HASH
            return home_of_the_test(t, authorized, password=password, others=[line])
        except check.Skip:
            if passwords or nothing:
                raise
            return t.env
