"""The floor: forked from a warm parent, a notebook's cells are executed and its figure saved.

    python -m benchmarks.floor BOOKS OUT      runs them all, one at a time; this is what is timed

Nothing can run these notebooks in fewer steps: no kernel, no protocol, no isolation, no check.
The parent's imports are made once and not counted; they are reported apart.
"""
# ruff: noqa: PLC0415 -- this program is on the students' side of the wall: it imports torch

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from benchmarks.measuring import Job, Usage
from benchmarks.notebooks import ROOT
from benchmarks.variant import Order

TOOK = "took.json"
PRELOADED = (
    "IPython.core.pylabtools",
    "IPython.display",
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "sklearn.decomposition",
    "sklearn.manifold",
    "torch._dynamo",
)


class Floor:
    """The least a notebook can take."""

    name = "floor"
    does = "forks, executes the cells, renders the figure to PNG and saves it; one at a time"
    leaves_out = "kernel, isolation, checks, points, reports; the warm parent's imports"

    def job(self, order: Order) -> Job:
        """This module as a program."""
        program = (sys.executable, "-m", "benchmarks.floor")
        return Job(
            commands=((*program, str(order.books), str(order.out)),),
            cwd=ROOT,
            environment=order.environment,
            folder=order.out,
            results="*.png",
        )

    def usage(self, order: Order, *, usage: Usage) -> Usage:
        """What its loop took, without the parent's imports."""
        took = json.loads((order.out / TOOK).read_text(encoding="utf-8"))
        return replace(usage, wall=took["wall"], cpu=took["cpu"], machine_cpu=took["cpu"])

    def problems(self, order: Order) -> Sequence[str]:
        """A fork that ended badly."""
        took = json.loads((order.out / TOOK).read_text(encoding="utf-8"))
        return [f"{name}: ended with {code}" for name, code in took["codes"].items() if code]

    def pictures(self, order: Order) -> Sequence[int] | None:
        """Of the files."""
        sizes = {path.stem: path.stat().st_size for path in order.out.glob("*.png")}
        return [sizes.get(path.stem, 0) for path in order.notebooks()]


def main() -> None:
    """Fork once for each notebook of a folder and write down what the loop took."""
    books, out = map(Path, sys.argv[1:3])
    preload()
    codes, wall, cpu = {}, time.perf_counter(), cpu_seconds()
    for path in sorted(books.glob("*.ipynb")):
        pid = os.fork()
        if not pid:
            one(path, out=out)
        codes[path.stem] = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    took = {
        "wall": time.perf_counter() - wall,
        "cpu": cpu_seconds() - cpu,
        "imports": cpu,
        "codes": codes,
    }
    (out / TOOK).write_text(json.dumps(took), encoding="utf-8")


def preload() -> None:
    """Import what the cells import, and what torch imports lazily; run nothing."""
    import matplotlib as mpl

    mpl.use("agg")
    for name in PRELOADED:
        import_module(name)
    gc.collect()
    gc.freeze()


def one(path: Path, *, out: Path) -> None:
    """Execute a notebook's cells in this process, save what it shows, and end."""
    try:
        from IPython.core.pylabtools import print_figure
        from matplotlib import pyplot as plt

        def show() -> None:
            # The call with which a kernel renders a figure, so that the PNG is the same.
            png = print_figure(plt.gcf(), fmt="png")
            (out / f"{path.stem}.png").write_bytes(png)
            plt.close("all")

        plt.show = show
        space: dict[str, object] = {"__name__": "__main__"}
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                code = compile("".join(cell["source"]), path.name, "exec")
                exec(code, space)  # noqa: S102 -- that is what a notebook is for
        sys.stdout.flush()
        os._exit(0)
    finally:
        os._exit(1)


def cpu_seconds() -> float:
    """CPU of this process and of those it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
