"""Packs this program and one assignment into a zip from which Gradescope builds an autograder.

`setup.sh` and `run_autograder` stand at its root, as
https://gradescope-autograders.readthedocs.io/en/latest/specs/ asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

from grader import checks, rubric
from grader.errors import UsageError
from grader.exports.zip_files import pack_zip
from grader.model import Rubric

DISTRIBUTION = "notebook-grader"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SCRIPTS = ("setup.sh", "run_autograder")
_EXECUTABLE_MODE, _FILE_MODE = 0o100755, 0o100644


def build_autograder_zip(
    *, root: Path, assignment: str | None, requirements: Path | None, options: Sequence[str]
) -> bytes:
    """Return the zip of an autograder.

    Args:
        root: The folder that holds `rubrics/`.
        assignment: The rubric's id; None for the default one.
        requirements: The file of what pip installs there; None for what is installed here.
        options: More arguments for `grade run`.

    Raises:
        UsageError: A file can't be read.
        RubricError: The rubric is not valid.
    """
    loaded = rubric.load_rubric(
        rubric.find_rubric(root, assignment=assignment), catalog=checks.load_checks
    )
    try:
        packages = requirements.read_text("utf-8") if requirements else _pinned_requirements()
        files = {
            "requirements.txt": packages.encode(),
            "assignment": f"--assignment\n{loaded.id}\n".encode(),
            "notebooks": f"{len(loaded.whole)}\n".encode(),
            "options": "".join(f"{option}\n" for option in options).encode(),
            **dict(sorted(_package_files())),
            **dict(sorted(_course_files(loaded, root=root))),
        }
    except UnicodeDecodeError as error:
        raise UsageError(f"{requirements}: is not UTF-8") from error
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error
    folder = Path(__file__).parent / "gradescope_kit"
    scripts = [(name, (folder / name).read_bytes(), _EXECUTABLE_MODE) for name in _SCRIPTS]
    return pack_zip([*scripts, *((name, data, _FILE_MODE) for name, data in files.items())])


def _package_files() -> Iterator[tuple[str, bytes]]:
    home = Path(__file__).parent.parent
    for path in home.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"package/grader/{path.relative_to(home).as_posix()}", path.read_bytes()


def _course_files(loaded: Rubric, *, root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield rubric, reference, tests and the files beside notebooks, by their paths below the root.

    Raises:
        UsageError: One lies outside of the root.
    """
    folders = [folder for folder in (loaded.provided, loaded.withheld) if folder]
    beside = [path for folder in folders for path in sorted(folder.rglob("*"))]
    tests = loaded.tests.files.values() if loaded.tests else ()
    own_checks = [Path(name) for name in loaded.check_modules if name.endswith(".py")]
    home = root.resolve()
    files = (*(path for path in beside if path.is_file()), *tests, *own_checks)
    references = (part.reference for part in loaded.whole)
    for path in (loaded.path, *references, *files):
        resolved = path.resolve()
        if not resolved.is_relative_to(home):
            raise UsageError(f"{path}: must be below {root} to be packed")
        yield f"course/{resolved.relative_to(home).as_posix()}", resolved.read_bytes()


def _pinned_requirements() -> str:
    """Return the requirements of this program, pinned to the versions that are installed.

    Raises:
        UsageError: This program is not installed as a package.
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
    # A version with '+' is a local build, which no package index has.
    return "".join(f"{name}=={version.partition('+')[0]}\n" for name, version in versions.items())
