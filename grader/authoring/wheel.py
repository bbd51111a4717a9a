"""Provides the program's wheel for students: a given file, or one that is built here."""

from __future__ import annotations

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import grader
from grader.errors import UsageError

SOURCE_FOLDER = Path(grader.__file__).resolve().parent.parent
"""The folder of the program's source code, if it runs from a checkout."""


def provide_wheel(path: Path | None) -> tuple[str, bytes]:
    """Return a wheel's file name and its bytes.

    Args:
        path: The wheel; None to build one from this checkout.

    Raises:
        UsageError: The file is not a wheel of this program, or none can be built here.
    """
    if path is not None:
        return _read_wheel(path)
    if not (SOURCE_FOLDER / "pyproject.toml").is_file():
        raise UsageError(
            "this program was installed from a wheel, so it can't build one; name that file: "
            "--wheel notebook_grader-….whl"
        )
    with TemporaryDirectory(prefix="grade-") as folder:
        return _read_wheel(_build_wheel(Path(folder)))


def _build_wheel(folder: Path) -> Path:
    try:
        from build import BuildBackendException, ProjectBuilder  # noqa: PLC0415 (an extra)
        from pyproject_hooks import quiet_subprocess_runner  # noqa: PLC0415 (comes with it)
    except ImportError as error:
        raise UsageError(
            "building a wheel needs pip install 'notebook-grader[release]'; or name one: --wheel"
        ) from error
    try:
        builder = ProjectBuilder(SOURCE_FOLDER, runner=quiet_subprocess_runner)
        return Path(builder.build("wheel", folder))
    except BuildBackendException as error:
        raise UsageError(f"the wheel could not be built: {error}") from error


def _read_wheel(path: Path) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            is_grader_wheel = "grader/__init__.py" in archive.namelist()
        data = path.read_bytes()
    except (OSError, zipfile.BadZipFile) as error:
        raise UsageError(f"{path}: can't be read as a wheel ({error})") from error
    if not is_grader_wheel or path.suffix != ".whl":
        raise UsageError(f"{path}: no wheel of this program")
    return path.name, data
