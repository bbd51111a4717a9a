"""Reads which packages a notebook installs itself: what it installs by name is no file of its own.

A line that is commented out tells as much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.model import Notebook

_INSTALLER = re.compile(
    r"\b(?:(?:pip[\d.]*|pipenv|conda|mamba|micromamba|poetry|micropip|piplite)\b.{0,60}?\binstall"
    r"|easy_install|(?:uv|poetry|pdm|pixi)\s+add)\b[\"']?,?\s?([^\n;&|#]*)",
    re.DOTALL,
)
"""Matches an installer, and the rest of its line."""
_WORD = re.compile(r"(?<![\w.\-])[A-Za-z][\w.\-]*")
_QUOTED = re.compile(r"[\"']([A-Za-z][\w.\-]*)[^\"'\n]{0,40}[\"']")
"""Matches what may be the name of a package in a list or a call: a loop may go over it."""
_ADDRESS = re.compile(r"\b\w+://\S*?/([\w.\-]+?)(?:\.git)?(?:[@#]\S*)?(?=[\"'\s]|$)")
"""Matches the address of a repository, and its last part."""
_SEPARATORS = re.compile(r"[-_.]")


def is_installed_by(notebook: Notebook, module: str) -> bool:
    """Tell whether a notebook names a module, or its package, to an installer."""
    return _fold(module) in {_fold(name) for name in _installed_names(notebook)}


def _fold(name: str) -> str:
    """Return what names of one package have in common: `nest-asyncio` is `nest_asyncio`."""
    return _SEPARATORS.sub("", name).lower()


def _installed_names(notebook: Notebook) -> Iterator[str]:
    for cell in notebook.code_cells():
        if "install" not in cell.source and " add " not in cell.source:
            continue
        source = cell.source.replace("\\\n", " ")
        rests = [match[1] for match in _INSTALLER.finditer(source)]
        for rest in rests:
            yield from _WORD.findall(rest)
            yield from _ADDRESS.findall(rest)
        if rests:
            yield from _QUOTED.findall(source)
