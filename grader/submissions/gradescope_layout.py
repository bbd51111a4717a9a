"""Reads Gradescope's "Export submissions": `submission_metadata.yml` and `submission_<n>/` folders.

The metadata's keys begin with a colon, as in Ruby. All values are read as text, so that a student's
number keeps its zeros and nothing becomes an object.
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
_TIME = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[ T](?P<time>\d{2}:\d{2}:\d{2})(?:\.\d+)?"
    r"\s*(?:(?P<utc>Z|UTC)|(?P<hours>[+-]\d{2}):?(?P<minutes>\d{2}))?"
)
_FOLDER = re.compile(r"submission_\w+")
_Loader: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""A loader that reads every value as text; the fast one where it was built."""


def _find_metadata(listing: Listing) -> File | None:
    """Return the metadata; words may stand before its name where several exports are stored."""
    files = [file for name, file in listing.top_files().items() if name.lower().endswith(METADATA)]
    return files[0] if len(files) == 1 else None


def _read_metadata(file: File) -> Mapping[str, Json]:
    """Return the metadata of each submission.

    Raises:
        UsageError: It can't be read.
    """
    try:
        with file.path.open("rb") as stream:
            text = stream.read(MAX_METADATA_BYTES + 1)
        if len(text) > MAX_METADATA_BYTES:
            raise UsageError(f"{file.display_path}: larger than {MAX_METADATA_BYTES // 2**20} MB")
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 (it creates only texts)
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"{file.display_path}: cannot be read ({type(error).__name__})") from error
    if not isinstance(document, dict):
        raise UsageError(f"{file.display_path}: says nothing of submissions")
    return {key: value for key, value in document.items() if isinstance(key, str)}


def _bundles(listing: Listing, _context: LayoutContext) -> Iterator[Bundle]:
    metadata = _find_metadata(listing)
    entries = _read_metadata(metadata) if metadata else {}
    files_by_name = {name: folder.files for name, folder in listing.subfolders().items()}
    unlisted = sorted(files_by_name.keys() - entries.keys())
    for name, file in listing.top_files().items():
        files_by_name.setdefault(name, {name: file})
    for name in (*entries, *unlisted):
        entry = entries.get(name)
        yield Bundle(
            key=name,
            preferred_name=name,
            files=files_by_name.get(name, {}),
            display_path=name,
            students=_students(entry),
            submitted_at=_submitted_at(entry),
            concerns=() if name in entries else ("Gradescope's metadata says nothing of it",),
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
    """Return when it was submitted, in ISO 8601."""
    match = _TIME.match(_text_value(entry, ":created_at")) if isinstance(entry, dict) else None
    if match is None:
        return ""
    offset = f"{match['hours']}:{match['minutes']}" if match["hours"] else ""
    return f"{match['day']}T{match['time']}{'+00:00' if match['utc'] else offset}"


def _fits(listing: Listing) -> bool:
    has_folder = any(_FOLDER.fullmatch(name) for name in listing.subfolders())
    return has_folder and _find_metadata(listing) is not None


GRADESCOPE = SubmissionLayout(
    name="gradescope",
    description="an export from Gradescope",
    matches=_fits,
    partly_matches=lambda listing: _find_metadata(listing) is not None,
    bundles=_bundles,
)
