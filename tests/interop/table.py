"""What each peer was seen to do: the table that ends a run."""


class Table:
    """Cells by (peer, feature). A feature that a peer does not have stays empty."""

    def __init__(self, cells):
        self.order = list(cells)
        self.cells = {}

    def add(self, cell, text):
        self.cells[cell] = text

    def show(self):
        peers = list(dict.fromkeys(peer for peer, _ in self.order))
        features = list(dict.fromkeys(feature for _, feature in self.order))
        if not peers:
            return
        rows = [["adit at"] + peers]
        for feature in features:
            rows.append([feature] + [self.cells.get((peer, feature), "-") for peer in peers])
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        for row in rows:
            print("    " + "  ".join(text.ljust(n) for text, n in zip(row, widths)).rstrip())
