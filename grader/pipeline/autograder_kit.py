"""Packs this program and one assignment for an autograder that runs elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import grader
from grader.errors import UsageError
from grader.exports.autograder import AutograderKit, build_autograder_zip
from grader.folder import write_atomically
from grader.model import Rubric
from grader.pipeline.run_config import load_rubric

DISTRIBUTION = "notebook-grader"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def pack_autograder(
    *,
    root: Path,
    assignment: str | None,
    out: Path,
    requirements: Path | None,
    options: Sequence[str],
) -> int:
    """Write the zip of an autograder.

    Args:
        root: the folder that holds `rubrics/`.
        assignment: its id; None for the default one.
        out: the path of the zip.
        requirements: what pip installs there; None for what this program needs, as it is here.
        options: more arguments for `grade run`.

    Returns:
        The size of the zip in bytes.

    Raises:
        UsageError: a file can't be read or written.
        RubricError: the rubric is not valid.
    """
    loaded = load_rubric(root, assignment=assignment)
    try:
        packed = build_autograder_zip(
            AutograderKit(
                assignment=loaded.id,
                package_files=_package_files(),
                course_files=_course_files(loaded, root=root),
                requirements=requirements.read_text("utf-8")
                if requirements
                else _pinned_requirements(),
                options=options,
            )
        )
        write_atomically(out, packed)
    except UnicodeDecodeError as error:
        raise UsageError(f"{requirements}: is not UTF-8") from error
    except OSError as error:
        raise UsageError(f"{error.filename or out}: {error.strerror}") from error
    return len(packed)


def _package_files() -> Mapping[str, bytes]:
    home = Path(grader.__file__).parent
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def _course_files(loaded: Rubric, *, root: Path) -> Mapping[str, bytes]:
    """Read rubric, reference and provided files, by their paths below the root.

    Raises:
        UsageError: one lies outside of the root.
    """
    provided = sorted(loaded.provided.rglob("*")) if loaded.provided else []
    paths = (loaded.path, loaded.reference, *(path for path in provided if path.is_file()))
    home = root.resolve()
    packed = {}
    for path in paths:
        resolved = path.resolve()
        if not resolved.is_relative_to(home):
            raise UsageError(f"{path}: must be below {root} to be packed")
        packed[resolved.relative_to(home).as_posix()] = resolved.read_bytes()
    return packed


def _pinned_requirements() -> str:
    """Pin what this program needs to the versions that are installed.

    Raises:
        UsageError: this program is not installed as a package.
    """
    try:
        requirements = metadata.requires(DISTRIBUTION) or []
        names = [
            match.group()
            for requirement in requirements
            if (match := _NAME.match(requirement)) and "extra ==" not in requirement
        ]
        versions = {name: metadata.version(name) for name in names}
    except metadata.PackageNotFoundError as error:
        raise UsageError(
            f"{error.name} is not installed here, so its version isn't known: give --requirements"
        ) from error
    # A suffix after '+' marks a local build, which no package index has.
    return "".join(f"{name}=={version.partition('+')[0]}\n" for name, version in versions.items())
