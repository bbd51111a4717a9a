"""Provides the program's wheel for students: a given file, or one that is built here.

The courses of `grade demo` hold solutions, so students' wheels come without them.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import grader
from grader.errors import UsageError

SOURCE_FOLDER = Path(grader.__file__).resolve().parent.parent
"""The folder of the program's source code, if it runs from a checkout."""
COURSES = "grader/bundled/"
"""Where a wheel holds the courses of `grade demo`."""
_INSTALLERS = frozenset({"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"})
"""What an installer adds to a package's metadata."""
_EPOCH = (1980, 1, 1, 0, 0, 0)


def provide_wheel(path: Path | None) -> tuple[str, bytes]:
    """Return a wheel's file name and its bytes.

    Args:
        path: The wheel; None to build one from this checkout, or from the installed package.

    Raises:
        UsageError: The file is not a wheel of this program, or none can be built here.
    """
    if path is not None:
        name, data = _read_wheel(path)
    elif (SOURCE_FOLDER / "pyproject.toml").is_file():
        with TemporaryDirectory(prefix="grade-") as folder:
            name, data = _read_wheel(_build_wheel(Path(folder)))
    else:
        return _pack_installed()
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        files = {member: wheel.read(member) for member in wheel.namelist()}
    has_courses = any(member.startswith(COURSES) for member in files)
    return name, _write_wheel(files) if has_courses else data


def _pack_installed() -> tuple[str, bytes]:
    """Return a wheel of the files that this program was installed from."""
    try:
        installed = distribution("notebook-grader")
    except PackageNotFoundError as error:
        raise UsageError(
            "this program is not installed as a package; name its wheel: --wheel FILE"
        ) from error
    name = f"notebook_grader-{installed.version}-py3-none-any.whl"
    return name, _write_wheel(_installed_files(installed))


def _installed_files(installed: Distribution) -> Mapping[str, bytes]:
    """Return what was in the wheel: no scripts, compiled files or notes of the installer."""
    return {
        str(path): path.read_binary()
        for path in installed.files or ()
        if not path.parts[0].startswith(("..", "/"))
        and path.suffix != ".pyc"
        and not (path.parts[0].endswith(".dist-info") and path.name in _INSTALLERS)
    }


def _write_wheel(files: Mapping[str, bytes]) -> bytes:
    """Return a wheel of these files without the courses, with a record of its own.

    The format is that of https://packaging.python.org/en/latest/specifications/binary-distribution-format/.
    """
    kept = {name: data for name, data in files.items() if not name.startswith(COURSES)}
    (info,) = {PurePosixPath(name).parts[0] for name in kept if ".dist-info/" in name}
    record = f"{info}/RECORD"
    kept.pop(record, None)
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in kept.items()]
    kept[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in kept.items():
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            wheel.writestr(entry, data)
    return buffer.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


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
