"""Creates a new assignment from a small complete one, to be edited by the course staff."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from grader.errors import UsageError

SCAFFOLD_FOLDER = Path(__file__).parent / "scaffold"
NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")
_ASSIGNMENT_FILES = {
    "rubric.toml": "rubrics/{name}.toml",
    "reference.ipynb": "reference/{name}.ipynb",
    "tests.txt": "rubrics/{name}/tests.py",
    "mutants.toml": "rubrics/{name}/mutants.toml",
    "cases.toml": "rubrics/{name}/cases/cases.toml",
}
"""Files of every assignment; none of them may exist already."""
_SHARED_FILES = {
    "README.md": "README.md",
    "validate.yml": ".github/workflows/validate.yml",
    "gitignore": ".gitignore",
}
"""Files of the folder; existing ones are not changed."""


def create_assignment(name: str, *, title: str, root: Path) -> tuple[Path, ...]:
    """Write the files of a new assignment, and return their paths.

    It becomes the folder's default assignment if there is no other.

    Args:
        name: The id: lowercase letters, digits, `-` and `_`.
        title: The name that people see.
        root: The folder that holds `rubrics/` and `reference/`, or is to hold them.

    Raises:
        UsageError: The name can't be used, a file exists already, or can't be written.
    """
    if NAME_PATTERN.fullmatch(name) is None:
        raise UsageError(f"{name!r} can't be a name: use small letters, digits, - and _")
    if not title.isprintable() or '"' in title or "\\" in title:
        raise UsageError("a title can't hold quotation marks, backslashes or control characters")
    assignment_files = {
        root / path.format(name=name): file for file, path in _ASSIGNMENT_FILES.items()
    }
    existing = [str(path) for path in assignment_files if path.exists()]
    if existing:
        raise UsageError(f"{', '.join(existing)}: there already; nothing was changed")
    shared_files = {root / path: file for file, path in _SHARED_FILES.items()}
    replacements = {"@NAME@": name, "@TITLE@": title, "@DEFAULT@": default_value(root)}
    new_files = {
        path: file
        for path, file in {**assignment_files, **shared_files}.items()
        if not path.exists()
    }
    try:
        for path, file in new_files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_fill_scaffold(file, replacements), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{root}: cannot be written ({error.strerror})") from error
    return tuple(new_files)


def _fill_scaffold(file: str, replacements: dict[str, str]) -> str:
    text = (SCAFFOLD_FOLDER / file).read_text(encoding="utf-8")
    for placeholder, value in replacements.items():
        text = text.replace(placeholder, value)
    return text


def default_value(root: Path) -> str:
    """Return 'true' if no assignment is the default yet, else 'false'."""
    for path in (root / "rubrics").glob("*.toml"):
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8")).get("assignment", {})
        except (OSError, ValueError):
            continue
        if table.get("default") is True:
            return "false"
    return "true"
