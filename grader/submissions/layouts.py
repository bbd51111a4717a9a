"""Lists the known layouts in the order in which they are tried, and recognizes a folder's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from grader.errors import UsageError
from grader.submissions.blackboard_layout import BLACKBOARD
from grader.submissions.brightspace_layout import BRIGHTSPACE
from grader.submissions.bundles import SubmissionLayout
from grader.submissions.canvas_layout import CANVAS
from grader.submissions.classroom50_layout import CLASSROOM50
from grader.submissions.classroom_layout import CLASSROOM
from grader.submissions.fetched_layout import FETCHED
from grader.submissions.file_listing import Listing
from grader.submissions.flat_layout import FLAT, FOLDERS
from grader.submissions.gradescope_layout import GRADESCOPE
from grader.submissions.moodle_layout import MOODLE
from grader.submissions.nbgrader_layout import NBGRADER

SYSTEM_LAYOUTS = (
    FETCHED,
    GRADESCOPE,
    CLASSROOM50,
    CLASSROOM,
    NBGRADER,
    MOODLE,
    BRIGHTSPACE,
    BLACKBOARD,
    CANVAS,
)
PLAIN_LAYOUTS = (FOLDERS, FLAT)
"""Layouts that are tried where no system's fits."""
MAX_WRAPPERS = 3
"""Folders around all others that are looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizedLayout:
    """A layout, and the listing that has it: the given one, or that of the only folder in it."""

    layout: SubmissionLayout
    listing: Listing
    is_known_system: bool
    """Whether names or metadata say so; otherwise it is only what was left."""


def recognize_layout(
    listing: Listing, *, layout_name: str | None = None
) -> RecognizedLayout | None:
    """Return the layout of a listing, or None where nobody submitted anything.

    Args:
        listing: The files.
        layout_name: The layout that a person named, if any.

    Raises:
        UsageError: There is no such layout, or nothing is arranged like that.
    """
    if layout_name is not None:
        return _require_layout(listing, name=layout_name)
    for candidate in _unwrap(listing):
        for layout in SYSTEM_LAYOUTS:
            if layout.matches(candidate):
                return RecognizedLayout(layout=layout, listing=candidate, is_known_system=True)
    inner = _strip_wrapper(listing)
    for layout in PLAIN_LAYOUTS:
        if layout.matches(inner):
            return RecognizedLayout(layout=layout, listing=inner, is_known_system=False)
    return None


def _require_layout(listing: Listing, *, name: str) -> RecognizedLayout:
    layouts = {layout.name: layout for layout in (*SYSTEM_LAYOUTS, *PLAIN_LAYOUTS)}
    if name not in layouts:
        raise UsageError(f"{name!r} is not a layout; the layouts are {', '.join(sorted(layouts))}")
    layout = layouts[name]
    if layout in PLAIN_LAYOUTS:
        inner = _strip_wrapper(listing)
        return RecognizedLayout(layout=layout, listing=inner, is_known_system=True)
    for candidate in _unwrap(listing):
        if layout.partly_matches(candidate):
            return RecognizedLayout(layout=layout, listing=candidate, is_known_system=True)
    raise UsageError(f"{listing.name}: nothing in it is named as in {layout.description} ({name})")


def _unwrap(listing: Listing) -> Iterator[Listing]:
    """Yield the listing, then the only folder in it, and the only one in that."""
    for _ in range(MAX_WRAPPERS):
        yield listing
        subfolders = list(listing.subfolders().values())
        has_files = any(name.lower() != "index.html" for name in listing.top_files())
        if len(subfolders) != 1 or has_files:
            return
        listing = subfolders[0]
    yield listing


def _strip_wrapper(listing: Listing) -> Listing:
    """Return the only folder in the listing if it has the same name, as archives often do."""
    subfolders = list(listing.subfolders().values())
    if len(subfolders) == 1 and not listing.top_files():
        names = sorted((subfolders[0].name.casefold(), listing.name.casefold()), key=len)
        if names[1].startswith(names[0]):
            return subfolders[0]
    return listing
