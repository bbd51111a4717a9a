"""Pack this grader and one assignment into a zip from which Gradescope builds an autograder.

`setup.sh` and `run_autograder` stand at its root, as
https://gradescope-autograders.readthedocs.io/en/latest/specs/ asks for.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

_SCRIPTS = ("setup.sh", "run_autograder")
_EXECUTABLE_MODE, _FILE_MODE = 0o755, 0o644
_ZIP_TIME = (2000, 1, 1, 0, 0, 0)
"""The time of every file, so that equal contents make an equal zip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutograderKit:
    """The files that go in beside the two scripts."""

    assignment: str
    """The rubric's id."""
    package_files: Mapping[str, bytes]
    """The files of this program, by their path below its folder."""
    course_files: Mapping[str, bytes]
    """Rubric, reference, provided files, by their path below the folder that holds `rubrics/`."""
    requirements: str
    """What pip installs, a requirement a line."""
    options: Sequence[str] = ()
    """More words for `grade run`, one a line."""


def build_autograder_zip(kit: AutograderKit) -> bytes:
    """Return the zip as bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data, mode in _entries(kit):
            entry = zipfile.ZipInfo(name, date_time=_ZIP_TIME)
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, data, compress_type=zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _entries(kit: AutograderKit) -> Iterator[tuple[str, bytes, int]]:
    scripts = resources.files("grader.exports") / "gradescope_kit"
    for name in _SCRIPTS:
        yield name, (scripts / name).read_bytes(), _EXECUTABLE_MODE
    yield "requirements.txt", kit.requirements.encode(), _FILE_MODE
    yield "assignment", _encode_lines(["--assignment", kit.assignment]), _FILE_MODE
    yield "options", _encode_lines(kit.options), _FILE_MODE
    for name, data in sorted(kit.package_files.items()):
        yield f"package/grader/{name}", data, _FILE_MODE
    for name, data in sorted(kit.course_files.items()):
        yield f"course/{name}", data, _FILE_MODE


def _encode_lines(words: Sequence[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode()
