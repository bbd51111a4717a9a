"""How a notebook gets its outputs: run by nbclient, then freed of all that differs between runs."""
# ruff: noqa: INP001 -- this folder is scripts, no package
# nbformat is typed in part only, hence:
# mypy: disable-error-code="no-untyped-call,no-any-return"

from __future__ import annotations

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient

STAND_INS = {
    "torchvision/__init__.py": "",
    "torchvision/transforms/__init__.py": "",
    "torchvision/transforms/functional.py": "",
    "google/__init__.py": "",
    "google/colab/__init__.py": "",
    "google/colab/drive.py": (
        "def mount(place, force_remount=False):\n    print(f'Mounted at {place}')\n"
    ),
}
"""Modules that the author of an example had and whoever builds it may not have."""

INSTALLS = re.compile(r"^[ \t]*[!%]pip .*$", re.MULTILINE)
ASKS = re.compile(r"\binput\(")
TYPED = "(lambda prompt='': 'Kit')("

LIBRARIES = re.compile(r"[~/][^\s:'\"]*?/(?:site|dist)-packages/")
KERNEL_FILES = re.compile(r"[^\s:'\"]*ipykernel_\d+/\d+\.py")
ADDRESSES = re.compile(r"\b0x[0-9a-f]{6,}")


def run(notebook: nbformat.NotebookNode) -> None:
    """Run every cell, whatever the ones before did, and keep the outputs."""
    sources = [cell.source for cell in notebook.cells]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = ASKS.sub(lambda _: TYPED, INSTALLS.sub("pass", cell.source))
    with TemporaryDirectory() as folder:
        _write_stand_ins(Path(folder))
        client = NotebookClient(
            notebook,
            allow_errors=True,
            record_timing=False,
            kernel_name="python3",
            timeout=120,
            resources={"metadata": {"path": folder}},
        )
        client.execute()
    for cell, source in zip(notebook.cells, sources, strict=True):
        cell.source = source
    _make_repeatable(notebook)


def _write_stand_ins(folder: Path) -> None:
    for name, source in STAND_INS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")


def _make_repeatable(notebook: nbformat.NotebookNode) -> None:
    notebook.metadata["language_info"] = {"name": "python"}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        cell.outputs = [
            nbformat.from_dict(json.loads(_scrubbed(json.dumps(output, ensure_ascii=False))))
            for output in cell.outputs
        ]


def _scrubbed(text: str) -> str:
    """The text without paths and addresses of the machine that built it."""
    text = LIBRARIES.sub("/usr/local/lib/python3/dist-packages/", text)
    text = KERNEL_FILES.sub("ipython-input.py", text)
    return ADDRESSES.sub("0x7f0000000000", text)
