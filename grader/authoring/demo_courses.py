"""Copies the courses that come along with this program, for a first look without a clone."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

from grader.errors import UsageError

PACKAGE = Path(__file__).parents[1]
BUNDLED = PACKAGE / "bundled"
"""Where an installed package has them; in a clone they are in folders of its own."""
CLONE = PACKAGE.parent
IGNORED = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "expected.csv")


def demo_courses() -> Mapping[str, Mapping[str, Path]]:
    """Return the files and folders of each course: where they belong, and where they are.

    The first is the one whose rubric says that it is the default.
    """
    root = BUNDLED if BUNDLED.is_dir() else CLONE / "examples" / "courses"
    courses = {folder.name: _children(folder) for folder in sorted(root.glob("*/"))}
    if root != BUNDLED:
        courses |= _course_of_the_clone()
    return dict(sorted(courses.items(), key=lambda course: not _is_default(course)))


def _course_of_the_clone() -> Mapping[str, Mapping[str, Path]]:
    """Return the default course of a clone, whose submissions are among the examples."""
    rubrics = CLONE / "rubrics"
    names = [path.stem for path in rubrics.glob("*.toml") if _says_default(path)]
    return {
        name: {
            f"rubrics/{name}.toml": rubrics / f"{name}.toml",
            f"rubrics/{name}": rubrics / name,
            f"reference/{name}.ipynb": CLONE / "reference" / f"{name}.ipynb",
            "submissions": CLONE / "examples" / "submissions",
        }
        for name in names
    }


def _is_default(course: tuple[str, Mapping[str, Path]]) -> bool:
    name, files = course
    file = files.get(f"rubrics/{name}.toml") or files["rubrics"] / f"{name}.toml"
    return _says_default(file)


def _says_default(path: Path) -> bool:
    assignment = tomllib.loads(path.read_text(encoding="utf-8"))["assignment"]
    return bool(assignment.get("default"))


def _children(folder: Path) -> Mapping[str, Path]:
    return {path.name: path for path in sorted(folder.iterdir()) if path.is_dir()}


def copy_course(name: str, *, into: Path) -> None:
    """Copy a course's rubric, reference and submissions into a new or empty folder.

    Raises:
        UsageError: There is no such course, or the folder has something in it.
    """
    courses = demo_courses()
    if name not in courses:
        raise UsageError(f"there is no course '{name}'; there are: {', '.join(courses)}")
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise UsageError(f"{into} is not empty; name another folder with --into")
    for target, source in courses[name].items():
        destination = into / target
        destination.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, destination, ignore=IGNORED)
        else:
            shutil.copyfile(source, destination)
