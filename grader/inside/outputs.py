"""Holds what a notebook puts out within bounds, and finds the error a cell ended with."""


class Output:
    """Counts the output of a cell and of all cells, in characters."""

    def __init__(self, limits):
        self.limits = limits
        self.used = {"cell_output_kb": 0, "output_kb": 0}

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
