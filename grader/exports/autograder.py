"""Packs this grader and one assignment into a zip that Gradescope builds an autograder from.

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
_PROGRAM, _FILE = 0o755, 0o644
_WHEN = (2000, 1, 1, 0, 0, 0)
"""The time of every file, so that equal contents make an equal zip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What goes in beside the two scripts."""

    assignment: str
    """The rubric's id."""
    package: Mapping[str, bytes]
    """The files of this program, by their path below its folder."""
    course: Mapping[str, bytes]
    """Rubric, reference, provided files, by their path below the folder that holds `rubrics/`."""
    requirements: str
    """What pip installs, a requirement a line."""
    options: Sequence[str] = ()
    """More words for `grade run`, one a line."""


def autograder_zip(kit: Kit) -> bytes:
    """The zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data, mode in _entries(kit):
            entry = zipfile.ZipInfo(name, date_time=_WHEN)
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, data, compress_type=zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _entries(kit: Kit) -> Iterator[tuple[str, bytes, int]]:
    scripts = resources.files("grader.exports") / "gradescope_kit"
    for name in _SCRIPTS:
        yield name, (scripts / name).read_bytes(), _PROGRAM
    yield "requirements.txt", kit.requirements.encode(), _FILE
    yield "assignment", _lines(["--assignment", kit.assignment]), _FILE
    yield "options", _lines(kit.options), _FILE
    for name, data in sorted(kit.package.items()):
        yield f"package/grader/{name}", data, _FILE
    for name, data in sorted(kit.course.items()):
        yield f"course/{name}", data, _FILE


def _lines(words: Sequence[str]) -> bytes:
    return "".join(f"{word}\n" for word in words).encode()
