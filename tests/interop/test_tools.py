"""Programs that run ssh for their transport, with the client under test in its place."""

import os
import shutil
import signal
import subprocess

import check
import data
import process
from check import test
from test_sessions import serve


def tool(t, *command, seconds=30):
    """Runs a tool to its good end; one that this machine lacks leaves the test out."""
    if shutil.which(command[0]) is None:
        raise check.Skip("%s is not installed" % command[0])
    run = subprocess.run(
        command, capture_output=True, env=t.env, cwd=t.folder, timeout=seconds, text=True
    )
    check.equal(run.returncode, 0, "exit status of %s (%s)" % (command[0], run.stderr.strip()))
    return run.stdout


def same_files(t, one, other):
    with open(t.path(one), "rb") as a, open(t.path(other), "rb") as b:
        check.true(a.read() == b.read(), "%s and %s differ" % (one, other))


@test("sftp -S moves files both ways")
def _(t):
    serve(t, config="Subsystem sftp internal-sftp")
    t.write("original", os.urandom(8 * data.MIB))
    words = "put {0} {1}\nget {1} {2}\n".format(*map(t.path, ("original", "there", "back")))
    batch = t.write("batch", words)
    tool(t, "sftp", "-q", "-S", t.client_path, "-F", t.config_path, "-b", batch, "gate")
    same_files(t, "original", "there")
    same_files(t, "original", "back")


@test("scp -S moves files both ways, under the new protocol and the old")
def _(t):
    serve(t, config="Subsystem sftp internal-sftp")
    t.write("original", os.urandom(8 * data.MIB))
    for option in ("-s", "-O"):
        base = ["scp", "-q", option, "-S", t.client_path, "-F", t.config_path]
        tool(t, *base, t.path("original"), "gate:" + t.path("there"))
        tool(t, *base, "gate:" + t.path("there"), t.path("back"))
        same_files(t, "original", "back")
        os.remove(t.path("there"))
        os.remove(t.path("back"))


@test("rsync -e moves a folder both ways")
def _(t):
    serve(t)
    os.mkdir(t.path("from"))
    for i in range(20):
        t.write("from/file%d" % i, os.urandom(100000 + i))
    shell = "%s -F %s" % (t.client_path, t.config_path)
    tool(t, "rsync", "-a", "-e", shell, t.path("from") + "/", "gate:" + t.path("there"))
    tool(t, "rsync", "-a", "-e", shell, "gate:" + t.path("there") + "/", t.path("back"))
    for i in range(20):
        same_files(t, "from/file%d" % i, "back/file%d" % i)


@test("git clones and pushes through GIT_SSH_COMMAND")
def _(t):
    serve(t)
    t.env.update(
        GIT_SSH_COMMAND="%s -F %s" % (t.client_path, t.config_path),
        GIT_CONFIG_NOSYSTEM="1",
        GIT_AUTHOR_NAME="t",
        GIT_AUTHOR_EMAIL="t@localhost",
        GIT_COMMITTER_NAME="t",
        GIT_COMMITTER_EMAIL="t@localhost",
    )
    tool(t, "git", "init", "-q", "--bare", t.path("store.git"))
    tool(t, "git", "init", "-q", t.path("work"))
    t.write("work/file", os.urandom(data.MIB))
    tool(t, "git", "-C", t.path("work"), "add", "file")
    tool(t, "git", "-C", t.path("work"), "commit", "-q", "-m", "a file")
    tool(t, "git", "-C", t.path("work"), "push", "-q", "gate:" + t.path("store.git"), "HEAD:main")
    tool(t, "git", "clone", "-q", "-b", "main", "gate:" + t.path("store.git"), t.path("copy"))
    same_files(t, "work/file", "copy/file")


@test("autossh restarts a client that was killed, and ends it when it is ended")
def _(t):
    if shutil.which("autossh") is None:
        raise check.Skip("autossh is not installed")
    serve(t)
    echo, port = data.echo_service(), t.port()
    env = dict(t.env, AUTOSSH_PATH=t.client_path, AUTOSSH_GATETIME="0")
    command = ["autossh", "-M", "0", "-F", t.config_path, "-N", "-L", data.spec(port, echo), "gate"]
    watcher = t.start("autossh", command, env=env)
    watcher.wait_listening(port)
    data.check_echo(port)
    (first,) = process.descendants(watcher.pid)
    process.signal_all([first], signal.SIGKILL)

    def another():
        return [pid for pid in process.descendants(watcher.pid) if pid != first]

    (second,) = check.wait_for(another, "autossh to start another client")
    watcher.wait_listening(port)
    data.check_echo(port)
    watcher.stop()
    check.wait_for(lambda: not os.path.exists("/proc/%d" % second), "the client to end")
