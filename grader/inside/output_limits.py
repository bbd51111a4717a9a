"""Bound the output of a notebook, and summarize a cell's text, media and error."""

import re

MAX_SHOWN = 16_000
"""Characters of a cell's text that are reported, half of them from its end."""
MAX_SHOWN_TOTAL = 200_000
"""Characters of all cells' texts together."""
MAX_MEDIA = 50
MAX_RICH = 8_000
"""Characters of one rich text that are reported."""
RICH_TYPES = ("text/markdown", "text/latex", "text/html")
BARE_REPR = re.compile(r"\s*(?:<[^<>\n]*>|Output\(\))?\s*")
"""Matches text/plain that only names the object whose rich form a reader sees."""
ELISION = "\n[…]\n"


class OutputMeter:
    """Counts the output of one cell and of all cells, in characters."""

    def __init__(self, limits):
        self.limits = limits
        self.used = {"cell_output_kb": 0, "output_kb": 0}
        self.shown_left = MAX_SHOWN_TOTAL

    def begin_cell(self):
        """Start counting for the next cell."""
        self.used["cell_output_kb"] = 0

    def count_output(self, content):
        """Count the content of a message, and return whether there was room for it."""
        for limit in self.used:
            self.used[limit] += len(str(content))
        return self.exceeded_limit() is None

    def exceeded_limit(self):
        """Return the exceeded limit with what is used and allowed, in kB, or None."""
        for limit, used in self.used.items():
            if used > self.limits[limit] * 1024:
                return {"limit": limit, "used": used // 1024, "most": self.limits[limit]}
        return None

    def summarize_cell(self, cell):
        """Return what a cell printed and showed: text, rich texts, and other media by type."""
        texts, rich, media = [], [], []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            other = [kind for kind in data if not kind.startswith("text/")]
            media += other or [kind for kind in data if kind == "text/html"]
            if not any(kind.startswith("image/") for kind in data):
                plain = str(output.get("text", data.get("text/plain", "")))
                kind = next((kind for kind in RICH_TYPES if kind in data), "")
                if kind and BARE_REPR.fullmatch(plain):
                    rich.append([kind, self.take_text(str(data[kind]), MAX_RICH)])
                else:
                    texts.append(plain)
        text = self.take_text("".join(texts), MAX_SHOWN)
        kinds = [kind[:100] for kind in media[:MAX_MEDIA]]
        return {"text": text, "rich": rich[:MAX_MEDIA], "media": kinds}

    def take_text(self, text, max_length):
        """Return a text, shortened to its maximum and to what is left for all cells."""
        short = shorten_middle(text, min(max_length, self.shown_left))
        self.shown_left -= len(short)
        return short


def shorten_middle(text, max_length):
    """Return the text, or its two ends where it is longer."""
    if len(text) <= max_length:
        return text
    half = max(0, max_length - len(ELISION)) // 2
    return text[:half] + ELISION + text[len(text) - half :] if half else ""


def make_bounded_client(notebook, manager, output):
    """Make an nbclient that drops output beyond the limits instead of keeping it."""
    from nbclient import NotebookClient

    class BoundedClient(NotebookClient):
        def output(self, outs, msg, display_id, cell_index):
            if not output.count_output(msg["content"]) and msg["msg_type"] != "error":
                return None
            return super().output(outs, msg, display_id, cell_index)

    client = BoundedClient(
        notebook, km=manager, allow_errors=True, timeout=None, log_level="CRITICAL"
    )
    client.reset_execution_trackers()
    return client


def last_error(cell):
    """Return the last error among a cell's outputs, bounded, or None."""
    errors = [output for output in cell.get("outputs", []) if output["output_type"] == "error"]
    if not errors:
        return None
    error = errors[-1]
    return {
        "name": str(error.get("ename", ""))[:200],
        "message": str(error.get("evalue", ""))[:2000],
        "traceback": "\n".join(map(str, error.get("traceback", [])))[-8000:],
    }
