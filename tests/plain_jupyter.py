"""A program that runs notebooks as `jupyter nbconvert --execute --allow-errors` does.

It takes a folder and writes `plain.json` there: for each notebook's name the code cells, by their
index, that did not run to their end. What kernels print by themselves goes to its output. It has no
walls: give it only notebooks of our own.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

AT_ONCE = 2
CELL_SECONDS = 300
TRIES = 3


def main(folder: Path) -> None:
    """Run all notebooks of a folder."""
    paths = sorted(folder.glob("*.ipynb"))
    with ProcessPoolExecutor(AT_ONCE) as pool:
        failing = dict(pool.map(run, paths))
    (folder / "plain.json").write_text(json.dumps(failing), encoding="utf-8")


def run(path: Path) -> tuple[str, list[int]]:
    """Run one notebook; its name, and the cells that did not run to their end."""
    for _ in range(TRIES):
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        with suppress(RuntimeError):  # a kernel that ended: the cells behind have no number
            _execute(notebook)
        if any(cell.get("execution_count") for cell in notebook.cells):
            break  # else no kernel came up: jupyter_client lets another process take its ports
    failing = [
        index
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and cell.source.strip() and not _ran(cell)
    ]
    return path.stem, failing


def _execute(notebook: nbformat.NotebookNode) -> None:
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        client = NotebookClient(
            notebook,
            allow_errors=True,
            kernel_name="python3",
            timeout=CELL_SECONDS,
            resources={"metadata": {"path": folder}},
        )
        client.execute(env={**os.environ, "PATH": search})


def _ran(cell: nbformat.NotebookNode) -> bool:
    errors = any(output.output_type == "error" for output in cell.outputs)
    return cell.execution_count is not None and not errors


if __name__ == "__main__":
    main(Path(sys.argv[1]))
