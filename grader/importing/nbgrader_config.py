"""Reads what matters of an `nbgrader_config.py`, as text: its plain values, never its effects."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grader.model import Unsettled

FILE_NAME = "nbgrader_config.py"
_STUBS = ("ClearSolutions.code_stub", "ClearSolutions.text_stub")
_MARKS = {
    "solution_marks": ("ClearSolutions", "solution"),
    "hidden_marks": ("ClearHiddenTests", "test"),
    "scheme_marks": ("ClearMarkScheme", "mark_scheme"),
}
_KNOWN_SECTIONS = ("ClearSolutions", "ClearHiddenTests", "ClearMarkScheme", "InstantiateTests")
_HARMLESS = frozenset({"enforce_metadata", "check_attachment_leakage", "use_salt"})
"""Settings that change nothing here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NbgraderConfig:
    """How a course marks its solutions and tests."""

    solution_marks: tuple[str, str] = ("BEGIN SOLUTION", "END SOLUTION")
    hidden_marks: tuple[str, str] = ("BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
    scheme_marks: tuple[str, str] = ("BEGIN MARK SCHEME", "END MARK SCHEME")
    autotest_mark: str = "AUTOTEST"
    code_stub: str = "# YOUR CODE HERE\nraise NotImplementedError()"
    text_stub: str = "YOUR ANSWER HERE"
    source_folder: str = "source"
    header: str = ""
    """The path of a notebook whose cells begin every notebook for students; '' for none."""
    unsettled: tuple[Unsettled, ...] = ()

    @property
    def blank(self) -> str:
        """What stands for a solution here: the statement of its stub, or its comment."""
        lines = [line for line in self.code_stub.split("\n") if line.strip()]
        return lines[-1].strip() if lines else "..."


def find_config(folder: Path) -> Path | None:
    """Return the configuration of the course that a folder is of, or None."""
    folder = folder.resolve()
    return next(
        (path for f in (folder, *list(folder.parents)[:3]) if (path := f / FILE_NAME).is_file()),
        None,
    )


def read_config(path: Path | None) -> NbgraderConfig:
    """Return a course's configuration; what is no plain value is listed, and not understood."""
    if path is None:
        return NbgraderConfig()
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError):
        entry = Unsettled(file=path.name, text="it can't be read as Python: marks may be others")
        return NbgraderConfig(unsettled=(entry,))
    values: dict[str, Any] = {}
    unsettled = []
    for key, node in _assignments(tree):
        try:
            values[key] = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError):
            if key.partition(".")[0] in _KNOWN_SECTIONS:
                unsettled.append(_tell(path, key, "is computed there: look at what it is"))
    config = _apply(NbgraderConfig(), values)
    known = {*_known_keys(), *_STUBS}
    unsettled += [
        _tell(path, key, "is set there, and has no counterpart here")
        for key in values
        if key.partition(".")[0] in _KNOWN_SECTIONS
        and key not in known
        and key.rpartition(".")[2] not in _HARMLESS
    ]
    return replace(config, unsettled=tuple(unsettled))


def _tell(path: Path, key: str, text: str) -> Unsettled:
    return Unsettled(file=path.name, text=f"`{key}` {text}")


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield each `c.Section.name = value`, by 'Section.name'."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                parts = ast.unparse(target).split(".")
                if len(parts) == 3:  # noqa: PLR2004 (c, the section, the name)
                    yield ".".join(parts[1:]), node.value


def _known_keys() -> Iterator[str]:
    for section, word in _MARKS.values():
        yield from (f"{section}.begin_{word}_delimeter", f"{section}.end_{word}_delimeter")
    yield from ("InstantiateTests.autotest_delimiter", "InstantiateTests.autotest_filename")


def _apply(config: NbgraderConfig, values: Mapping[str, Any]) -> NbgraderConfig:
    def text(key: str, default: str) -> str:
        value = values.get(key)
        return value if isinstance(value, str) and value else default

    changes: dict[str, Any] = {}
    for name, (section, word) in _MARKS.items():
        begin, end = getattr(config, name)
        changes[name] = (
            text(f"{section}.begin_{word}_delimeter", begin),
            text(f"{section}.end_{word}_delimeter", end),
        )
    stub = values.get("ClearSolutions.code_stub")
    if isinstance(stub, dict):
        stub = stub.get("python")
    if isinstance(stub, str):
        changes["code_stub"] = stub
    header = text("IncludeHeaderFooter.header", text("IncludeHeader.header", ""))
    return replace(
        config,
        **changes,
        text_stub=text("ClearSolutions.text_stub", config.text_stub),
        autotest_mark=text("InstantiateTests.autotest_delimiter", config.autotest_mark),
        source_folder=text("CourseDirectory.source_directory", config.source_folder),
        header=header,
    )
