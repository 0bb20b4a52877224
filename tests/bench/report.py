"""The goals, whether they are reached, and the page that says so."""

import os
import statistics
import types

from rows import BOTH_OURS, OUR_SERVER, OURS, THEIRS

ROLES = ("seals", "opens")
FLOOR_FACTOR = 1.25
CPU_BOUND = 0.85  # of a processor, by one process; or of all processors, by all of the path's


def goal(what, wanted, value, beside, share, ratio, unit=""):
    """share: the measured value as a part of what is allowed; up to 1 is reached. None: not measured."""
    return types.SimpleNamespace(what=what, wanted=wanted, value=value, beside=beside, share=share,
                                 ratio=ratio, unit=unit, reached=None if share is None else share <= 1)


def divide(a, b):
    return a / b if a is not None and b else None


def at_most(m, figure, pair, base, limit, what=None, wanted=None):
    """pair's figure is at most limit times base's."""
    value, other = m(figure, pair), m(figure, base)
    ratio = divide(value, other)
    return goal(what or figure + ": " + pair, wanted or "≤ %g of %s" % (limit, base), value, other,
                divide(ratio, limit), ratio)


def at_least(m, figure, pair, base, limit):
    value, other = m(figure, pair), m(figure, base)
    ratio = divide(value, other)
    return goal(figure + ": " + pair, "≥ %g of %s" % (limit, base), value, other,
                divide(limit, ratio), ratio)


def below(m, figure, pair, limit, unit, scale=1.0):
    """pair's figure is at most limit, whatever ssh's is."""
    value, other = m(figure, pair), m(figure, THEIRS)
    value = None if value is None else value / scale
    other = None if other is None else other / scale
    return goal(figure + ": " + pair, "≤ %g %s" % (limit, unit), value, other, divide(value, limit),
                divide(value, other), unit)


def floor_of(m, cipher, role):
    relay = [m("floor: CPU s/GB of recv + send alone, %d KiB a call" % kib, "floor")
             for kib in (32, 64, 256)]
    aead = m("floor: CPU s/GB of %s alone, %s" % (cipher, role), "floor")
    relay = [r for r in relay if r is not None]
    return min(relay) + aead if relay and aead is not None else None


def cpu_goal(m, forward, cipher, role):
    figure = "client CPU s/GB, %s, -%s, client %s" % (cipher, forward, role)
    limit = 0.45 if cipher == "aes128-gcm" and role == "seals" else 0.55
    g = at_most(m, figure, OURS, THEIRS, limit, figure,
                "≤ %g of ssh and ≤ %g of the floor" % (limit, FLOOR_FACTOR))
    to_floor = divide(g.value, floor_of(m, cipher, role))
    g.floor_ratio = to_floor
    if g.share is not None and to_floor is not None:
        g.share = max(g.share, to_floor / FLOOR_FACTOR)
        g.reached = g.share <= 1
    return g


def far_goal(m, direction):
    """500 MB/s, or as much as the processors can."""
    value = m("MB/s at 100 ms round trip, " + direction, BOTH_OURS)
    other = m("MB/s at 100 ms round trip, " + direction, THEIRS)
    busiest = m("CPU of the busiest process at 100 ms, " + direction, BOTH_OURS) or 0
    together = m("CPU of all three processes at 100 ms, " + direction, BOTH_OURS) or 0
    g = goal("MB/s at 100 ms round trip, %s: %s" % (direction, BOTH_OURS), "≥ 500, or CPU-bound", value,
             other, divide(500, value), divide(value, other))
    if busiest >= CPU_BOUND or together >= CPU_BOUND * (os.cpu_count() or 1):
        g.reached, g.share = True, min(g.share, 1)
        g.wanted += " (it is)"
    return g


def window_goal(m):
    """More than 15 MiB under way at a time would collapse in OpenSSH (CHAN_INPUT_MAX)."""
    figure = "MB/s at 100 ms round trip, down"
    value = m(figure, OURS)
    mib = None if value is None else value * 1e6 * 0.1 / (1 << 20)
    return goal("MiB in a round trip of 100 ms, down: " + OURS, "≤ 15", mib, None, divide(mib, 15), None)


def ratio_within(m, figure, base_figure, pair, limit, is_floor=False):
    """Two figures of the same pair against each other."""
    value, base = m(figure, pair), m(base_figure, pair)
    ratio = divide(value, base)
    what = "%s, against %s: %s" % (figure, base_figure.split(", ", 1)[-1], pair)
    share = divide(limit, ratio) if is_floor else divide(ratio, limit)
    return goal(what, "%s %g" % ("≥" if is_floor else "≤", limit), value, m(figure, THEIRS), share, ratio)


def goals(medians):
    def m(figure, pair):
        return medians.get(figure, {}).get(pair)

    ciphers = ("aes128-gcm", "chacha20-poly1305")
    for_all = [(c, r) for c in ciphers for r in ROLES]
    found = [cpu_goal(m, f, c, r) for c in ciphers for f in "LRD" for r in ROLES]
    for c, r in for_all:
        found.append(at_most(m, "server CPU s/GB, %s, -L, client %s" % (c, r), OUR_SERVER, THEIRS, 0.6))
    for c, r in for_all:
        found.append(at_least(m, "MB/s, %s, -L, client %s" % (c, r), BOTH_OURS, THEIRS, 2))
    ways = ["-%s, %s" % (f, how) for f in "LD" for how in ("one after another", "64 at once")]
    found += [at_least(m, "new connections a second, " + way, OURS, THEIRS, 1) for way in ways]
    found += [at_most(m, "client CPU us a connection, " + way, OURS, THEIRS, 0.6) for way in ways]
    for n in ("1,000", "10,000"):
        found.append(ratio_within(m, "echo p50 us, %s idle connections" % n,
                                  "echo p50 us, no idle connections", BOTH_OURS, 1.5))
    found.append(below(m, "s to open 4,000 one by one", BOTH_OURS, 4, "s"))
    for side in ("client", "server"):
        found.append(below(m, "PSS KB with one connection used, " + side, BOTH_OURS, 2048, "KB"))
        for n in ("1,000", "10,000"):
            found.append(below(m, "PSS KB an idle connection, %s, %s" % (n, side), BOTH_OURS, 0.5, "KB"))
    found.append(at_least(m, "MB/s at 100 ms round trip, down", OURS, THEIRS, 7))
    found.append(window_goal(m))
    found += [far_goal(m, direction) for direction in ("down", "up")]
    for pair in (OURS, BOTH_OURS):
        for percentile, limit in (("p50", 0.4), ("p99", 0.6)):
            figure = "echo %s us beside bulk data both ways, loopback" % percentile
            found.append(at_most(m, figure, pair, THEIRS, limit))
    for pair in (OURS, BOTH_OURS):
        for percentile, limit in (("p50", 65), ("p99", 120)):
            figure = "echo %s ms beside bulk data both ways, 20 Mbit/s and 40 ms" % percentile
            found.append(below(m, figure, pair, limit, "ms"))
    found.append(at_most(m, "client CPU ms from start to a usable forward", OURS, THEIRS, 0.4))
    for d in ("down", "up"):
        found.append(ratio_within(m, "MB/s %s, 1,000 streams" % d, "MB/s %s, one stream" % d, BOTH_OURS,
                                  0.8, is_floor=True))
        jain = m("Jain fairness %s, 1,000 streams" % d, BOTH_OURS)
        found.append(goal("Jain fairness %s, 1,000 streams: %s" % (d, BOTH_OURS), "≥ 0.95", jain,
                          m("Jain fairness %s, 1,000 streams" % d, THEIRS), divide(0.95, jain), None))
    return found


# ---- the page


def number(value):
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return "{:,.0f}".format(value)
    return "%.3g" % value


def spread(values):
    text = number(statistics.median(values))
    if len(values) > 1:
        text += " (%s–%s)" % (number(min(values)), number(max(values)))
    return text


def table(head, lines):
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, rule] + lines) + "\n"


def goal_line(g):
    ratio = number(g.ratio)
    if getattr(g, "floor_ratio", None) is not None:
        ratio += "; floor × %s" % number(g.floor_ratio)
    reached = {None: "not measured", True: "yes", False: "**no**"}[g.reached]
    return [g.what, g.wanted, number(g.value), number(g.beside), ratio, reached]


def figures_table(figures):
    pairs = [THEIRS, OURS, BOTH_OURS, OUR_SERVER, "plink+sshd", "dbclient+sshd"]
    pairs = [p for p in pairs if any(p in by for by in figures.values())]
    lines = []
    for figure, by in figures.items():
        if "floor" not in by:
            lines.append([figure] + [spread(by[p]) if p in by else "" for p in pairs])
    return table(["figure"] + pairs, lines)


def page(bench, found, what, svg):
    measured = [g for g in found if g.reached is not None]
    reached = sum(1 for g in measured if g.reached)
    floor = [[figure[len("floor: "):], spread(by["floor"])] for figure, by in bench.figures.items()
             if "floor" in by]
    parts = [
        "# adit beside its peers",
        "%d of %d goals reached%s. Made by `make bench%s` on %s%s in %d minutes %d seconds." % (
            reached, len(measured),
            ", %d not measured" % (len(found) - len(measured)) if len(measured) < len(found) else "",
            " QUICK=1" if what.is_quick else "", what.date,
            ", commit %s" % what.commit if what.commit else "", what.seconds // 60, what.seconds % 60),
        "![CPU time per GB, and every goal](%s)" % svg,
        "Machine: %s; load average when it began %.1f. Programs:" % (what.machine, what.load),
        "\n".join("- %s: %s" % pair for pair in what.versions),
        "Figures are medians of %d runs (%d where a run takes long), with the least and the most in "
        "parentheses. Peers take turns within a run, each with a fresh server and a fresh client, the "
        "same cipher, the same key exchange, no compression and no configuration but the one given "
        "here. CPU time is of the whole process, a server's with all its processes. All of it, both "
        "ends and the load, shares one machine over loopback: compare figures of one run only." % (
            what.runs, what.few_runs),
        "## Goals",
        "`ratio` is adit's figure over ssh's, or over the other figure that the goal names; `floor ×` "
        "is over what recv + send alone and the cipher alone took in this run, added up.",
        table(["figure", "goal", "adit", "ssh", "ratio", "reached"], [goal_line(g) for g in found]),
        "## The floor",
        table(["alone", "measured"], floor),
        "## Every figure",
        "`client+server`: which client against which server. `client seals` is data that the client "
        "encrypts (an upload through -L or -D, a download through -R), `client opens` the other way. "
        "The echo beside idle connections is measured with all its processes on one processor. "
        "dbclient has no GCM: where no cipher is named it uses chacha20-poly1305, all others aes128-gcm. "
        "At 20 Mbit/s the link's own queue holds about 5 ms; what waits beyond it waits in the programs.",
        figures_table(bench.figures),
    ]
    if bench.notes:
        parts += ["## Notes", "\n".join("- " + " ".join(note.split()) for note in bench.notes)]
    return "\n\n".join(part.strip() for part in parts) + "\n"
