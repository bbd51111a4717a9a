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
from grader.submissions.bundles import Bundle, LayoutContext, SubmissionLayout
from grader.submissions.file_listing import File, Listing

METADATA = "submission_metadata.yml"
MAX_METADATA_BYTES = 64 * 2**20
"""Bytes of metadata that are read."""
_TIME = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[ T](?P<time>\d{2}:\d{2}:\d{2})(?:\.\d+)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?"
)
_FOLDER = re.compile(r"submission_\w+")
_Loader: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""Every value a text; the fast one where it was built."""


def _find_metadata(listing: Listing) -> File | None:
    """The metadata; whoever downloads several exports may have put words before its name."""
    files = [file for name, file in listing.top_files().items() if name.lower().endswith(METADATA)]
    return files[0] if len(files) == 1 else None


def _read_metadata(file: File) -> Mapping[str, Json]:
    """What the metadata says of each submission.

    Raises:
        UsageError: it can't be read.
    """
    try:
        with file.path.open("rb") as stream:
            text = stream.read(MAX_METADATA_BYTES + 1)
        if len(text) > MAX_METADATA_BYTES:
            raise UsageError(f"{file.display_path}: larger than {MAX_METADATA_BYTES // 2**20} MB")
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 (it makes nothing but texts)
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{file.display_path}: cannot be read ({type(error).__name__})") from error
    if not isinstance(document, dict):
        raise UsageError(f"{file.display_path}: says nothing of submissions")
    return {key: value for key, value in document.items() if isinstance(key, str)}


def _bundles(listing: Listing, _context: LayoutContext) -> Iterator[Bundle]:
    metadata = _find_metadata(listing)
    entries = _read_metadata(metadata) if metadata else {}
    subfolders, top_files = listing.subfolders(), listing.top_files()
    for key, entry in entries.items():
        files = (
            subfolders[key].files
            if key in subfolders
            else {key: top_files[key]}
            if key in top_files
            else {}
        )
        yield Bundle(
            key=key,
            preferred_name=key,
            files=files,
            display_path=key,
            students=_students(entry),
            submitted_at=_submitted_at(entry),
        )
    for name in sorted(subfolders.keys() - entries.keys()):
        flag = "Gradescope's metadata says nothing of it"
        yield Bundle(
            key=name,
            preferred_name=name,
            files=subfolders[name].files,
            display_path=name,
            flags=(flag,),
        )


def _students(entry: Json) -> tuple[Student, ...]:
    people = entry.get(":submitters") if isinstance(entry, dict) else None
    return tuple(
        Student(
            name=_text_value(person, ":name"),
            id=_text_value(person, ":sid"),
            email=_text_value(person, ":email"),
        )
        for person in (people if isinstance(people, list) else [])
        if isinstance(person, dict)
    )


def _text_value(table: Mapping[str, Json], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) and value not in {"null", "~"} else ""


def _submitted_at(entry: Json) -> str:
    """When it was handed in, in ISO 8601."""
    match = _TIME.match(_text_value(entry, ":created_at")) if isinstance(entry, dict) else None
    if match is None:
        return ""
    zone = match["zone"] or ""
    offset = "+00:00" if zone in {"Z", "UTC"} else zone
    if offset and ":" not in offset:
        offset = f"{offset[:3]}:{offset[3:]}"
    return f"{match['day']}T{match['time']}{offset}"


def _fits(listing: Listing) -> bool:
    return _find_metadata(listing) is not None and any(
        _FOLDER.fullmatch(name) for name in listing.subfolders()
    )


GRADESCOPE = SubmissionLayout(
    name="gradescope",
    description="an export from Gradescope",
    fits=_fits,
    partly_fits=lambda listing: _find_metadata(listing) is not None,
    bundles=_bundles,
)
