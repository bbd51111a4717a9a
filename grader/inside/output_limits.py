"""Holds what a notebook puts out within bounds; finds the error a cell ended with, and its text."""

SHOWN = 16_000
"""Characters of a cell's text that are told, half of them from its end."""
SHOWN_IN_ALL = 200_000
"""The same of all cells."""
MEDIA = 50
CUT = "\n[…]\n"


class Output:
    """Counts the output of a cell and of all cells, in characters."""

    def __init__(self, limits):
        self.limits = limits
        self.used = {"cell_output_kb": 0, "output_kb": 0}
        self.left = SHOWN_IN_ALL

    def begin_cell(self):
        """Count the next cell's from nothing."""
        self.used["cell_output_kb"] = 0

    def takes(self, content):
        """Whether there is room for what a message holds."""
        for limit in self.used:
            self.used[limit] += len(str(content))
        return self.over() is None

    def over(self):
        """The limit that is passed, and by how much; or None."""
        for limit, used in self.used.items():
            if used > self.limits[limit] * 1024:
                return {"limit": limit, "used": used // 1024, "most": self.limits[limit]}
        return None

    def shown_by(self, cell):
        """What a cell printed and showed: its text within bounds, and other media by their type."""
        texts, media = [], []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            other = [kind for kind in data if not kind.startswith("text/")]
            media += other or [kind for kind in data if kind == "text/html"]
            if not any(kind.startswith("image/") for kind in data):
                texts.append(str(output.get("text", data.get("text/plain", ""))))
        text = cut("".join(texts), min(SHOWN, self.left))
        self.left -= len(text)
        return {"text": text, "media": [kind[:100] for kind in media[:MEDIA]]}


def cut(text, most):
    """The text, or its two ends where it is longer."""
    if len(text) <= most:
        return text
    half = max(0, most - len(CUT)) // 2
    return text[:half] + CUT + text[len(text) - half :] if half else ""


def bounded_client(notebook, manager, output):
    """An nbclient that drops output beyond a bound instead of holding it."""
    from nbclient import NotebookClient

    class BoundedClient(NotebookClient):
        def output(self, outs, msg, display_id, cell_index):
            if not output.takes(msg["content"]) and msg["msg_type"] != "error":
                return None
            return super().output(outs, msg, display_id, cell_index)

    client = BoundedClient(
        notebook, km=manager, allow_errors=True, timeout=None, log_level="CRITICAL"
    )
    client.reset_execution_trackers()
    return client


def error_of(cell):
    """The last error among a cell's outputs, bounded."""
    errors = [output for output in cell.get("outputs", []) if output["output_type"] == "error"]
    if not errors:
        return None
    error = errors[-1]
    return {
        "name": str(error.get("ename", ""))[:200],
        "message": str(error.get("evalue", ""))[:2000],
        "traceback": "\n".join(map(str, error.get("traceback", [])))[-8000:],
    }
