"""The plot: CPU time per GB beside the peers, and how far every goal is. SVG, written by hand."""

import math
from xml.sax.saxutils import escape

import report
from rows import OURS, THEIRS

WIDTH, RIGHT = 1200, 80
BARS_LEFT, GOALS_LEFT = 340, 560  # what stands left of it is text
COLOURS = {OURS: "#1f5fa8", THEIRS: "#e08a1e", "plink+sshd": "#8a9a5b", "dbclient+sshd": "#9a6fb0"}
NAMES = {OURS: "adit", THEIRS: "ssh", "plink+sshd": "plink", "dbclient+sshd": "dbclient"}
REACHED, MISSED, UNKNOWN, INK, GRID = "#2f855a", "#c53030", "#999999", "#222222", "#dddddd"
BAR, ROW = 15, 18


class Canvas:
    def __init__(self):
        self.parts, self.y = [], 0

    def text(self, x, y, words, size=13, anchor="start", colour=INK, weight="normal"):
        self.parts.append(
            '<text x="%.1f" y="%.1f" font-size="%d" text-anchor="%s" fill="%s" font-weight="%s">%s</text>'
            % (x, y, size, anchor, colour, weight, escape(words)))

    def box(self, x, y, width, height, colour):
        self.parts.append('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>' % (
            x, y, max(width, 1), height, colour))

    def line(self, x1, y1, x2, y2, colour, width=1.0, dashes=""):
        self.parts.append(
            '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="%g"%s/>' % (
                x1, y1, x2, y2, colour, width, ' stroke-dasharray="%s"' % dashes if dashes else ""))

    def page(self):
        return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" '
                'font-family="Helvetica, Arial, DejaVu Sans, sans-serif">\n'
                '<rect width="100%%" height="100%%" fill="white"/>\n%s\n</svg>\n') % (
                    WIDTH, self.y, WIDTH, self.y, "\n".join(self.parts))


def round_step(most):
    """A step of 1, 2 or 5 times a power of ten that cuts most into four to ten pieces."""
    step = 10.0 ** math.floor(math.log10(most))
    for part in (1, 0.5, 0.2, 0.1):
        if most / (step * part) >= 4:
            return step * part
    return step * 0.1


def bars(c, medians):
    """Client CPU seconds per GB through -L: a group for each cipher and direction."""
    groups = []
    for cipher in ("aes128-gcm", "chacha20-poly1305"):
        for role, words in (("seals", "upload"), ("opens", "download")):
            by = medians.get("client CPU s/GB, %s, -L, client %s" % (cipher, role), {})
            floor = report.floor_of(lambda f, p: medians.get(f, {}).get(p), cipher, role)
            groups.append(("%s, %s" % (cipher, words), [(p, by[p]) for p in COLOURS if p in by], floor))
    values = [v for _, peers, floor in groups for v in [x for _, x in peers] + [floor or 0]]
    most = max(values + [0.1]) * 1.02
    scale = (WIDTH - BARS_LEFT - RIGHT) / most
    c.text(20, c.y + 30, "Client CPU seconds per GB through -L: shorter is better", 17, weight="bold")
    x = 20.0
    for pair, colour in COLOURS.items():
        c.box(x, c.y + 46, 12, 12, colour)
        c.text(x + 17, c.y + 57, NAMES[pair])
        x += 40 + 8 * len(NAMES[pair])
    c.line(x + 6, c.y + 44, x + 6, c.y + 60, INK, 2)
    c.text(x + 14, c.y + 57, "the floor: recv + send and the cipher alone")
    top = c.y + 74
    height = sum(len(peers) * BAR + 16 for _, peers, _ in groups)
    step = round_step(most)
    for i in range(int(most / step) + 1):
        at = BARS_LEFT + i * step * scale
        c.line(at, top, at, top + height, GRID)
        c.text(at, top + height + 16, "%g" % (i * step), 12, "middle")
    y = top
    for title, peers, floor in groups:
        c.text(BARS_LEFT - 70, y + len(peers) * BAR / 2 + 8, title, 14, "end", weight="bold")
        begin = y + 4
        for pair, value in peers:
            c.text(BARS_LEFT - 8, y + 16, NAMES[pair], 12, "end")
            c.box(BARS_LEFT, y + 5, value * scale, BAR - 3, COLOURS[pair])
            c.text(BARS_LEFT + value * scale + 5, y + 15, "%.2f" % value, 11)
            y += BAR
        if floor:
            c.line(BARS_LEFT + floor * scale, begin - 2, BARS_LEFT + floor * scale, y + 5, INK, 2)
        y += 16
    c.y = top + height + 30


def goal_rows(c, goals, what):
    """Every goal on one scale: what was measured as a part of what is allowed."""
    low, high = 0.1, 10.0
    scale = (WIDTH - GOALS_LEFT - RIGHT) / math.log10(high / low)

    def place(share):
        return GOALS_LEFT + math.log10(min(max(share, low), high) / low) * scale

    c.text(20, c.y + 34, "Every goal: what was measured, as a part of what is allowed", 17, weight="bold")
    c.text(20, c.y + 54, "A bar that ends left of the line is a goal reached. Logarithmic; %s run, %s." % (
        "quick" if what.is_quick else "full", what.date))
    top, height = c.y + 84, len(goals) * ROW
    for mark in (0.1, 0.2, 0.5, 1, 2, 5, 10):
        c.line(place(mark), top - 4, place(mark), top + height, GRID)
        c.text(place(mark), top - 8, "× %g" % mark, 12, "middle")
    y = top
    for g in goals:
        words = g.what if len(g.what) <= 88 else g.what[:86] + "…"
        c.text(GOALS_LEFT - 8, y + 13, words, 11, "end")
        if g.share is None:
            c.text(GOALS_LEFT + 6, y + 13, "not measured", 11, colour=UNKNOWN)
        else:
            colour = REACHED if g.reached else MISSED
            c.box(GOALS_LEFT, y + 3, place(g.share) - GOALS_LEFT, ROW - 6, colour)
            c.text(WIDTH - RIGHT + 12, y + 13, "%s %.3g" % ("✓" if g.reached else "✗", g.share), 12,
                   colour=colour)
        y += ROW
    c.line(place(1), top - 4, place(1), top + height, INK, 2)
    c.y = top + height + 24


def draw(medians, goals, what):
    c = Canvas()
    bars(c, medians)
    goal_rows(c, goals, what)
    return c.page()
