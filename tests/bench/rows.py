"""What is measured, a function for each part of the table. Figures are named for people: the name
that a function records under is the name in the report."""

import contextlib
import os
import time

from peers import CHACHA, CIPHERS, GCM, Tunnel

SHORT = {GCM: "aes128-gcm", CHACHA: "chacha20-poly1305"}
OURS, THEIRS = "adit+sshd", "ssh+sshd"
BOTH_OURS, OUR_SERVER = "adit+aditd", "ssh+aditd"
OTHERS = ["plink+sshd", "dbclient+sshd"]
SLOW_LINK = (40, 20)  # round trip in ms, Mbit/s
FAR_LINK = (100, 0)
ANSWER_BYTES = 60000
DBCLIENT_CHANNELS = 900  # as built it has a limit of 1,000


def role(forward, direction):
    """Which half of the cipher's work is the client's: -R turns the connection round."""
    return "seals" if (direction == "up") != (forward == "R") else "opens"


# ---- the floor


def floor(b):
    for call_kib in (32, 64, 256):
        for direction in ("up", "down"):
            process, port = b.start_load("bare", b.bulk_port, call_kib << 10, 60)
            try:
                b.load(direction, port, b.size.bulk_bytes, 60)
                cpu, call_bytes = map(float, b.line(process).split())
            finally:
                b.finish(process)
            b.add("floor: CPU s/GB of recv + send alone, %d KiB a call" % call_kib, "floor", cpu)
            b.add("floor: KiB a call in fact, of %d" % call_kib, "floor", call_bytes / 1024)
    for line in b.aead(32 << 10, b.size.bulk_bytes).splitlines():
        cipher, what, cpu = line.split()
        b.add("floor: CPU s/GB of %s alone, %ss" % (SHORT[cipher], what), "floor", float(cpu))


# ---- bulk data


def bulk(b, pair, cipher):
    name, server = pair.split("+")
    if name == "dbclient" and cipher == GCM:
        return  # it has no GCM
    kinds = "LRD" if pair in (OURS, THEIRS) else "L"
    n = b.size.bulk_bytes if name in ("adit", "ssh") else b.size.slow_bulk_bytes
    with Tunnel(b, name, server, cipher, kinds) as t:
        for forward in kinds:
            for direction in ("up", "down"):
                client, served = t.client_cpu(), t.server_cpu()
                seconds = b.load(direction, t.routes[forward], n, 60)[0]
                client, served = t.client_cpu() - client, t.server_cpu() - served
                what = "%s, -%s, client %s" % (SHORT[cipher], forward, role(forward, direction))
                b.add("client CPU s/GB, " + what, pair, client / (n / 1e9))
                if forward == "L":
                    b.add("server CPU s/GB, " + what, pair, served / (n / 1e9))
                b.add("MB/s, " + what, pair, n / 1e6 / seconds)


# ---- connections


def start(b, pair):
    """From the start to the first byte through the forward; a tunnel for nothing else."""
    with Tunnel(b, *pair.split("+")) as t:
        b.add("client CPU ms from start to a usable forward", pair, t.start_cpu * 1e3)
        b.add("ms from start to a usable forward", pair, t.start_seconds * 1e3)


def connections(b, pair):
    name, server = pair.split("+")
    kinds = "ER" if name == "dbclient" else "EDR"
    with Tunnel(b, name, server, kinds=kinds) as t:
        for forward, route in (("L", "E"), ("D", "DE"), ("R", "R")):
            if route not in t.routes:
                continue
            for at_once, words in ((1, "one after another"), (64, "64 at once")):
                what = "-%s, %s" % (forward, words)
                before = t.client_cpu()
                n, failed, seconds = b.load("open", t.routes[route], b.size.opens, at_once,
                                            b.size.open_seconds)
                used = t.client_cpu() - before
                if failed:
                    b.note("%s: %d of %d new connections failed (%s)" % (pair, failed, n + failed, what))
                if n:
                    b.add("new connections a second, " + what, pair, n / seconds)
                    b.add("client CPU us a connection, " + what, pair, used / n * 1e6)
            _, p50, _, _ = b.load("answers", t.routes[route], ANSWER_BYTES, b.size.opens, 1)
            b.add("us for an answer of 60 KB, -%s" % forward, pair, p50)


def echo(b, t, figure, pair, count, seconds, scale=1.0):
    """p50 and p99 of one-byte round trips."""
    _, p50, p99, _ = b.load("echo", t.routes["E"], count, seconds)
    b.add(figure % "p50", pair, p50 / scale)
    b.add(figure % "p99", pair, p99 / scale)


@contextlib.contextmanager
def on_one_processor(b, t):
    """All that an echo passes through shares a processor while the block runs. Else it depends on
    where the scheduler happens to have put five processes, which can be worth a factor of four."""
    pids = [0, t.client.pid, b.echo_server.pid] + t.server_pids
    everywhere = os.sched_getaffinity(0)
    try:
        for pid in pids:
            os.sched_setaffinity(pid, {max(everywhere)})
        yield
    finally:
        for pid in pids:
            os.sched_setaffinity(pid, everywhere)


@contextlib.contextmanager
def held(b, t, n, at_once, seconds):
    """n idle connections through the tunnel while the block runs: gives (opened, seconds)."""
    process = b.spawn_load("hold", t.routes["E"], n, at_once, seconds)
    try:
        opened, _, took = map(float, b.line(process).split())
        yield int(opened), took
    finally:
        process.stdin.close()
        b.finish(process)


def idle(b, pair, n):
    """n idle connections: what they do to an echo, and what each takes of memory."""
    name, server = pair.split("+")
    wanted = min(n, b.max_files - 200, DBCLIENT_CHANNELS if name == "dbclient" else n)
    if wanted < n:
        b.note("%s: of %d idle connections %d fit into its limit; its figures are for those" % (
            pair, n, wanted))
    with Tunnel(b, name, server) as t:
        with on_one_processor(b, t):
            echo(b, t, "echo %s us, no idle connections", pair, b.size.echoes, 2)
        client_base, server_base = t.client_pss(), t.server_pss()
        b.add("PSS KB with one connection used, client", pair, client_base)
        b.add("PSS KB with one connection used, server", pair, server_base)
        with held(b, t, wanted, 64, 90) as (opened, took):
            if opened < wanted:
                b.note("%s: only %d of %d connections could be opened (%.0f s)" % (
                    pair, opened, wanted, took))
                if opened < wanted * 0.9:
                    return
            words = "{:,}".format(n)
            b.add("s to open %s, 64 at once" % words, pair, took)
            with on_one_processor(b, t):
                echo(b, t, "echo %%s us, %s idle connections" % words, pair, b.size.echoes, 2)
            b.add("PSS KB an idle connection, %s, client" % words, pair,
                  (t.client_pss() - client_base) / opened)
            b.add("PSS KB an idle connection, %s, server" % words, pair,
                  (t.server_pss() - server_base) / opened)


def opening(b, pair):
    """4,000 connections that stay open, one by one."""
    bound = b.size.opening_seconds
    with Tunnel(b, *pair.split("+")) as t, held(b, t, 4000, 1, bound) as (opened, took):
        if opened == 4000:
            b.add("s to open 4,000 one by one", pair, took)
        else:
            b.add("opened one by one, of 4,000, within %d s" % bound, pair, opened)


# ---- latency under load


def mixed(b, pair, link):
    """Echo while a bulk upload and a bulk download run on the same SSH connection."""
    name, server = pair.split("+")
    seconds, warm_ms = (b.size.slow_seconds, 2000) if link else (b.size.mix_seconds, 500)
    where = "%d Mbit/s and %d ms" % (link[1], link[0]) if link else "loopback"
    with Tunnel(b, name, server, kinds="LE", link=link) as t:
        both = [b.spawn_load("streams", direction, t.routes["L"], 1, warm_ms, seconds * 1000 + 300,
                             b.bulk_port, seconds + 30) for direction in ("up", "down")]
        try:
            for process in both:
                b.line(process)  # "begun"
            echo(b, t, "echo %%s %s beside bulk data both ways, %s" % ("ms" if link else "us", where),
                 pair, 10**6, seconds, scale=1000.0 if link else 1.0)
            for process, direction in zip(both, ("up", "down")):
                b.add("MB/s %s beside an echo, %s" % (direction, where), pair,
                      float(b.line(process).split()[0]))
        finally:
            for process in both:
                b.finish(process)


# ---- far away, and many


def far(b, pair, direction):
    """One stream at 100 ms, its rate once it has found its window."""
    name, server = pair.split("+")
    with Tunnel(b, name, server, kinds="L", link=FAR_LINK) as t:
        pids = {name: t.client.pid, server: t.server_pids[-1], "the relay": t.relay.pid}
        process = b.spawn_load("streams", direction, t.routes["L"], 1, b.size.far_warm_ms,
                               b.size.far_ms, b.bulk_port, 60)
        try:
            b.line(process)
            begin, before = time.monotonic(), {who: b.cpu(pid) for who, pid in pids.items()}
            speed = float(b.line(process).split()[0])
            took = time.monotonic() - begin
            used = {who: (b.cpu(pid) - before[who]) / took for who, pid in pids.items()}
        finally:
            b.finish(process)
        b.add("MB/s at 100 ms round trip, " + direction, pair, speed)
        busiest = max(used, key=used.get)
        b.add("CPU of the busiest process at 100 ms, " + direction, pair, used[busiest])
        b.add("CPU of all three processes at 100 ms, " + direction, pair, sum(used.values()))


def many(b, pair, direction):
    name, server = pair.split("+")
    with Tunnel(b, name, server, kinds="L") as t:
        for n in (1, 1000):
            figure = "1,000 streams" if n > 1 else "one stream"
            words = b.load("streams", direction, t.routes["L"], n, 1000,
                           b.size.many_ms, b.bulk_port, 60)
            b.add("MB/s %s, %s" % (direction, figure), pair, words[0])
            if n > 1:
                b.add("Jain fairness %s, %s" % (direction, figure), pair, words[1])


# ---- all of it


def installed(b, pairs):
    return [pair for pair in pairs if b.peers.has(*pair.split("+"))]


def everything(b):
    """Every part: (its name, how often, what to call with which arguments, interleaved)."""
    s = b.size
    bulk_pairs = installed(b, [OURS, THEIRS, BOTH_OURS, OUR_SERVER] + OTHERS)
    to_sshd = installed(b, [OURS, THEIRS] + OTHERS)
    two = installed(b, [BOTH_OURS, THEIRS])
    three = installed(b, [OURS, THEIRS, BOTH_OURS])
    idle_calls = [(p, 1000) for p in installed(b, [BOTH_OURS, THEIRS] + OTHERS)]
    idle_calls += [(p, 10000) for p in installed(b, [BOTH_OURS])]
    far_calls = [(p, "down") for p in three] + [(p, "up") for p in two]
    yield "the floor", s.runs, floor, [()]
    yield "bulk data", s.runs, bulk, [(p, c) for c in CIPHERS for p in bulk_pairs]
    yield "start", s.many_runs, start, [(p,) for p in to_sshd]
    yield "connections", s.runs, connections, [(p,) for p in to_sshd]
    yield "echo beside bulk", s.mix_runs, mixed, [(p, None) for p in three]
    yield "echo beside bulk, others", s.few_runs, mixed, [(p, None) for p in installed(b, OTHERS)]
    yield "idle connections", s.few_runs, idle, idle_calls
    yield "opening 4,000", s.few_runs, opening, [(p,) for p in two]
    yield "100 ms", s.few_runs, far, far_calls
    yield "a slow link", s.few_runs, mixed, [(p, SLOW_LINK) for p in three]
    yield "1,000 streams", s.few_runs, many, [(p, d) for p in two for d in ("down", "up")]
