"""Plain sessions: commands and interactive shells through sshd."""

import hashlib
import os
import signal
import subprocess

import check
import data
import process
from case import USER, make_key
from check import test
from terminal import Terminal


def serve(t, config="", **more):
    """At its debug levels sshd writes into the stderr of the sessions that it starts."""
    return t.server(config="LogLevel VERBOSE\n" + config, **more)


@test("a command's stdout and stderr arrive apart, whole and in order")
def _(t):
    serve(t)
    status, out, errors = t.run(remote=["echo one; echo two >&2; echo three; printf four >&2"])
    check.equal((status, out, errors), (0, b"one\nthree\n", "two\nfour"), "status, stdout, stderr")


@test("a command's exit status is the client's")
def _(t):
    serve(t)
    for wanted in (0, 1, 42, 254, 255):
        check.equal(t.run(remote=["exit %d" % wanted])[0], wanted, "exit status")


@test("a command killed by a signal gives 255")
def _(t):
    serve(t)
    for name in ("TERM", "KILL", "SEGV"):
        check.equal(t.run(remote=["kill -%s $$" % name])[0], 255, "exit status after SIG" + name)


@test("a command that does not exist gives the shell's 127")
def _(t):
    serve(t)
    status, _, errors = t.run(remote=["no-such-command-anywhere"])
    check.equal(status, 127, "exit status")
    check.matches(errors, "not found", "stderr")


@test("the words after the destination are one command, joined by spaces, options among them")
def _(t):
    serve(t)
    status, out, _ = t.run(remote=["echo", "-n", "a  b", "'c  d'", "-v", "$HOME" "x" * 0])
    check.equal((status, out.split(b" /")[0]), (0, b"a b c  d -v"), "status and output")


@test("stdin reaches the command, with its end")
def _(t):
    serve(t)
    check.equal(
        t.run(remote=["cat"], input=b"some input\n")[:2], (0, b"some input\n"), "status and output"
    )
    check.equal(t.run(remote=["wc -c"], input=b"")[1].strip(), b"0", "bytes of an empty stdin")


@test("64 MiB go through a command's stdin and stdout with the right checksums", limit=60)
def _(t):
    serve(t)
    blob = os.urandom(4 * data.MIB) * 16
    digest = hashlib.sha256(blob).hexdigest()
    status, out, _ = t.run(remote=["sha256sum"], input=blob, seconds=50)
    check.equal((status, out.split()[0].decode()), (0, digest), "status and checksum of stdin")
    status, out, _ = t.run(remote=["cat"], input=blob, seconds=50)
    check.equal(
        (status, hashlib.sha256(out).hexdigest()), (0, digest), "status and checksum of stdout"
    )


@test("stdout and stderr at once, 8 MiB each, arrive whole")
def _(t):
    serve(t)
    command = "head -c 8388608 /dev/zero >&2 & head -c 8388608 /dev/zero | tr '\\0' x; wait"
    status, out, errors = t.run(remote=[command])
    check.equal(status, 0, "exit status")
    check.true(out == b"x" * 8388608, "stdout differs (%d bytes)" % len(out))
    check.equal(len(errors), 8388608, "bytes on stderr")


@test("a command that does not read its stdin ends when it ends")
def _(t):
    serve(t)
    status, out, _ = t.run(remote=["echo done"], input=b"x" * (8 * data.MIB))
    check.equal((status, out), (0, b"done\n"), "status and output")


@test("-n keeps stdin from the command")
def _(t):
    serve(t)
    check.equal(
        t.run("-n", remote=["cat"], input=b"not for you")[:2], (0, b""), "status and output"
    )


@test("a reader that goes away ends the client")
def _(t):
    serve(t)
    command = t.command() + ["yes"]
    client = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=t.env,
    )
    check.equal(client.stdout.read(4), b"y\ny\n", "first bytes")
    client.stdout.close()
    client.wait(15)


@test("a closed stdout, a closed stderr or a full disk does not hang the client")
def _(t):
    serve(t)
    for redirection in (">&-", "2>&-", ">/dev/full"):
        command = (
            ["sh", "-c", 'exec "$@" ' + redirection, "sh"]
            + t.command()
            + ["echo out; echo err >&2"]
        )
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=t.env,
            timeout=15,
        )


@test("no terminal is asked for when stdin is none, nor with -T")
def _(t):
    serve(t)
    check.equal(t.run(remote=["tty || true"])[1], b"not a tty\n", "tty's answer")
    terminal = Terminal(t, t.command("-T") + ["tty; echo over"])
    terminal.expect("not a tty.*over")
    terminal.wait_exit(0)
    terminal.check_restored()


@test("forwards work beside a command, and the client ends with it")
def _(t):
    serve(t)
    echo, port = data.echo_service(), t.port()
    command = t.start(
        "command", t.command("-L", data.spec(port, echo)) + ["cat; exit 3"], stdin=subprocess.PIPE
    )
    command.wait_listening(port)
    data.check_echo(port)
    command.popen.stdin.close()
    command.wait_exit(3)


@test("a client whose command has ended waits for its open forwarded connections")
def _(t):
    serve(t)
    echo, port = data.echo_service(), t.port()
    command = t.start(
        "command",
        t.command("-L", data.spec(port, echo)) + ["cat; echo over"],
        stdin=subprocess.PIPE,
    )
    command.wait_listening(port)
    with data.connect(port) as sock:
        sock.sendall(b"a")
        check.equal(data.receive_exactly(sock, 1), b"a", "echo")
        command.popen.stdin.close()
        check.wait_for(lambda: "over" in command.out(), "the command to end")
        data.check_echo_on(sock)
    command.wait_exit(0)


@test("BatchMode never asks: a server that wants a password gives 255 at once")
def _(t):
    serve(t, config="PasswordAuthentication yes\nKbdInteractiveAuthentication no", authorized="")
    status, _, errors = t.run(remote=["true"])
    check.equal(status, 255, "exit status")
    check.matches(errors, r"Permission denied \(publickey,password\)", "message")


@test("a password is asked for on the terminal without echo, three times, then 255", limit=60)
def _(t):
    serve(t, config="PasswordAuthentication yes", authorized="")
    terminal = Terminal(
        t, t.command("-o", "BatchMode=no", "-o", "PreferredAuthentications=password")
    )
    for _ in range(3):
        terminal.expect("password: ")
        terminal.type("not the password\r")
    terminal.wait_exit(255, seconds=40)
    check.true(b"not the password" not in terminal.seen, "the password was echoed")
    terminal.check_restored()


@test("SSH_ASKPASS is asked where there is no terminal", limit=60)
def _(t):
    serve(t, config="PasswordAuthentication yes", authorized="")
    script = t.write("askpass", '#!/bin/sh\necho "$1" >> %s\necho wrong\n' % t.path("asked"), 0o700)
    t.env.update(SSH_ASKPASS=script, SSH_ASKPASS_REQUIRE="force", DISPLAY=":0")
    client = t.start(
        "client",
        t.command(
            "-o",
            "BatchMode=no",
            "-o",
            "PreferredAuthentications=password",
            "-o",
            "NumberOfPasswordPrompts=1",
        ),
        start_new_session=True,
    )
    client.wait_exit(255, seconds=40)
    check.matches(t.read("asked"), "password", "what the script was asked")


# ---- a shell in a terminal


def shell(t, *args, **more):
    t.need_remote_terminals()
    serve(t)
    terminal = Terminal(t, t.command(*args), **more)
    terminal.type("PS1='ready> '; stty -a | tr -d '\\n'; echo; echo be''gin\r")
    terminal.expect("begin\r\n")
    return terminal


@test("an interactive shell: commands, output, exit status, terminal restored")
def _(t):
    terminal = shell(t)
    check.true(terminal.is_raw(), "the local terminal should be raw meanwhile")
    terminal.type("echo $((6 * 7)); tty\r")
    terminal.expect("42\r\n/dev/")
    terminal.type("exit 5\r")
    terminal.wait_exit(5)
    terminal.check_restored()


@test("the remote terminal has the local one's size, and follows it")
def _(t):
    terminal = shell(t, rows=37, columns=113)
    terminal.type("stty size\r")
    terminal.expect("37 113\r\n")
    terminal.resize(50, 140)

    def remote_size():
        terminal.type("stty size\r")
        return terminal.expect("(\\d+ \\d+)\r\n").group(1)

    check.wait_for(lambda: remote_size() == b"50 140", "the new size to arrive")


@test("TERM goes to the remote side")
def _(t):
    t.env["TERM"] = "vt220"
    terminal = shell(t)
    terminal.type("echo term is $TERM\r")
    terminal.expect("term is vt220\r\n")


@test("the local terminal's modes go to the remote side")
def _(t):
    t.need_remote_terminals()
    serve(t)
    terminal = Terminal(t, ["sh", "-c", 'stty intr ^G -ixon; exec "$@"', "sh"] + t.command())
    terminal.type("stty -a | tr -d '\\n'; echo; echo be''gin\r")
    terminal.expect("intr = \\^G.*-ixon.*begin\r\n")


@test("Ctrl-C reaches the remote program, not the client")
def _(t):
    terminal = shell(t)
    terminal.type("echo g''o; cat\r")
    terminal.expect("go\r\n")
    terminal.type("line\r")
    terminal.expect("line\r\nline\r\n")
    terminal.type("\x03")
    terminal.expect("ready> ")  # what is typed before the interrupt has acted is thrown away
    terminal.type("echo still he''re\r")
    terminal.expect("still here\r\n")
    terminal.type("exit 0\r")
    terminal.wait_exit(0)


@test("~. at the start of a line ends the client with 255, terminal restored")
def _(t):
    terminal = shell(t)
    terminal.type("\r~.")
    terminal.wait_exit(255)
    terminal.check_restored()


@test("~~ sends one tilde, and a tilde inside a line is none of ours")
def _(t):
    terminal = shell(t)
    terminal.type("\r~~.\x15echo a~.b\r")
    terminal.expect("a~\\.b\r\n")
    terminal.type("exit 0\r")
    terminal.wait_exit(0)


@test("~? helps and the session goes on")
def _(t):
    terminal = shell(t)
    terminal.type("\r~?")
    terminal.process.wait_text("~\\.")
    terminal.type("\recho still he''re\r")
    terminal.expect("still here\r\n")


@test("-e none switches the escape character off")
def _(t):
    terminal = shell(t, "-e", "none")
    terminal.type("\r~.\x15echo still he''re\r")
    terminal.expect("still here\r\n")


@test("a server killed under a shell: exit 255, terminal restored")
def _(t):
    terminal = shell(t)
    process.signal_tree(t.servers["gate"].process.pid, signal.SIGKILL)
    terminal.wait_exit(255)
    terminal.check_restored()


@test("a client killed by SIGTERM restores the terminal")
def _(t):
    terminal = shell(t)
    terminal.process.signal(signal.SIGTERM)
    terminal.wait_exit()
    terminal.check_restored()


@test("a megabyte of output on a terminal arrives whole")
def _(t):
    terminal = shell(t)
    terminal.type("seq 1 150000 | tail -n 150000; echo fin''ished\r")
    terminal.expect("finished\r\n", seconds=20)
    terminal.type("exit\r")
    terminal.wait_exit(0)


@test("a login with an unknown user name is refused as any other", limit=40)
def _(t):
    serve(t)
    status, _, errors = t.run("-l", "no-such-user-here", remote=["true"])
    check.equal(status, 255, "exit status")
    check.matches(errors, r"no-such-user-here@127\.0\.0\.1: Permission denied", "message")
    t.key = make_key(t.path("stranger"))
    t.write_config()
    status, _, errors = t.run(remote=["true"])
    check.equal(status, 255, "exit status")
    check.matches(errors, r"%s@127\.0\.0\.1: Permission denied" % USER, "message")


@test("a session is refused by the gateway in clear words", ("aditd",))
def _(t):
    t.server()
    for remote in (["true"], []):
        status, out, errors = t.run(remote=remote)
        check.equal((status, out), (255, b""), "status and stdout")
        check.matches(errors, r"session|forward", "message")
