"""Gradescope's "Export submissions": `submission_metadata.yml` and a folder `submission_<n>/` each.

The metadata's keys begin with a colon, as in Ruby. It is read as text throughout, so that a
student's number keeps its zeros and nothing in it is ever made into an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import yaml

from grader.errors import UsageError
from grader.model import Json, Student
from grader.submissions.bundles import About, Bundle, Layout
from grader.submissions.file_listing import File, Listing

METADATA = "submission_metadata.yml"
LARGEST = 64 * 2**20
"""Bytes of metadata that are read."""
_TIME = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[ T](?P<time>\d{2}:\d{2}:\d{2})(?:\.\d+)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?"
)
_FOLDER = re.compile(r"submission_\w+")
_Loader: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Every value a text; the fast one where it was built."""


def _metadata(listing: Listing) -> File | None:
    """The metadata; whoever downloads several exports may have put words before its name."""
    found = [file for name, file in listing.top().items() if name.lower().endswith(METADATA)]
    return found[0] if len(found) == 1 else None


def _read(file: File) -> Mapping[str, Json]:
    """What the metadata says of each submission.

    Raises:
        UsageError: it can't be read.
    """
    try:
        with file.path.open("rb") as opened:
            text = opened.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise UsageError(f"{file.shown}: larger than {LARGEST // 2**20} MB")
        told = yaml.load(text, Loader=_Loader)  # noqa: S506 (it makes nothing but texts)
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{file.shown}: cannot be read ({type(error).__name__})") from error
    if not isinstance(told, dict):
        raise UsageError(f"{file.shown}: says nothing of submissions")
    return {key: value for key, value in told.items() if isinstance(key, str)}


def _bundles(listing: Listing, _about: About) -> Iterator[Bundle]:
    metadata = _metadata(listing)
    told = _read(metadata) if metadata else {}
    parts, top = listing.parts(), listing.top()
    for key, entry in told.items():
        files = parts[key].files if key in parts else {key: top[key]} if key in top else {}
        yield Bundle(
            key=key,
            named=key,
            files=files,
            shown=key,
            students=_students(entry),
            at=_at(entry),
        )
    for name in sorted(parts.keys() - told.keys()):
        told_nothing = "Gradescope's metadata says nothing of it"
        yield Bundle(
            key=name, named=name, files=parts[name].files, shown=name, doubts=(told_nothing,)
        )


def _students(entry: Json) -> tuple[Student, ...]:
    people = entry.get(":submitters") if isinstance(entry, dict) else None
    return tuple(
        Student(
            name=_text(person, ":name"), id=_text(person, ":sid"), email=_text(person, ":email")
        )
        for person in (people if isinstance(people, list) else [])
        if isinstance(person, dict)
    )


def _text(table: Mapping[str, Json], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) and value not in {"null", "~"} else ""


def _at(entry: Json) -> str:
    """When it was handed in, in ISO 8601."""
    found = _TIME.match(_text(entry, ":created_at")) if isinstance(entry, dict) else None
    if found is None:
        return ""
    zone = found["zone"] or ""
    offset = "+00:00" if zone in {"Z", "UTC"} else zone
    if offset and ":" not in offset:
        offset = f"{offset[:3]}:{offset[3:]}"
    return f"{found['day']}T{found['time']}{offset}"


def _fits(listing: Listing) -> bool:
    return _metadata(listing) is not None and any(
        _FOLDER.fullmatch(name) for name in listing.parts()
    )


GRADESCOPE = Layout(
    name="gradescope",
    told="an export from Gradescope",
    fits=_fits,
    holds=lambda listing: _metadata(listing) is not None,
    bundles=_bundles,
)
