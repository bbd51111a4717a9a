"""The layouts that are known, in the order in which they are tried; and which one a place has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from grader.errors import UsageError
from grader.submissions.blackboard_layout import BLACKBOARD
from grader.submissions.brightspace_layout import BRIGHTSPACE
from grader.submissions.bundles import SubmissionLayout
from grader.submissions.canvas_layout import CANVAS
from grader.submissions.classroom_layout import CLASSROOM
from grader.submissions.file_listing import Listing
from grader.submissions.flat_layout import FLAT, FOLDERS
from grader.submissions.gradescope_layout import GRADESCOPE
from grader.submissions.moodle_layout import MOODLE
from grader.submissions.nbgrader_layout import NBGRADER

SYSTEM_LAYOUTS = (GRADESCOPE, CLASSROOM, NBGRADER, MOODLE, BRIGHTSPACE, BLACKBOARD, CANVAS)
PLAIN_LAYOUTS = (FOLDERS, FLAT)
"""What is tried where the names are of no system known here."""
MAX_WRAPPERS = 3
"""Folders around everything else that are looked through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognizedLayout:
    """A layout, and the place that has it: what was given, or the one folder in it."""

    layout: SubmissionLayout
    listing: Listing
    is_known_system: bool
    """Whether names or metadata say so; else it is only what was left."""


def recognize_layout(
    listing: Listing, *, layout_name: str | None = None
) -> RecognizedLayout | None:
    """The layout of a place; None where nobody handed in anything.

    Args:
        listing: what lies there.
        layout_name: the name of the layout that it has.

    Raises:
        UsageError: there is no such layout, or nothing there is laid out like that.
    """
    if layout_name is not None:
        return _require_layout(listing, layout_name)
    for candidate in _unwrap(listing):
        for layout in SYSTEM_LAYOUTS:
            if layout.fits(candidate):
                return RecognizedLayout(layout=layout, listing=candidate, is_known_system=True)
    candidate = _strip_wrapper(listing)
    return next(
        (
            RecognizedLayout(layout=plain_layout, listing=candidate, is_known_system=False)
            for plain_layout in PLAIN_LAYOUTS
            if plain_layout.fits(candidate)
        ),
        None,
    )


def _require_layout(listing: Listing, name: str) -> RecognizedLayout:
    layouts = {layout.name: layout for layout in (*SYSTEM_LAYOUTS, *PLAIN_LAYOUTS)}
    if name not in layouts:
        raise UsageError(f"{name!r} is no layout; there are {', '.join(sorted(layouts))}")
    layout = layouts[name]
    if layout in PLAIN_LAYOUTS:
        return RecognizedLayout(
            layout=layout, listing=_strip_wrapper(listing), is_known_system=True
        )
    for candidate in _unwrap(listing):
        if layout.partly_fits(candidate):
            return RecognizedLayout(layout=layout, listing=candidate, is_known_system=True)
    raise UsageError(f"{listing.name}: nothing in it is named as in {layout.description} ({name})")


def _unwrap(listing: Listing) -> Iterator[Listing]:
    """The place, and the only folder in it, and the only one in that."""
    for _ in range(MAX_WRAPPERS):
        yield listing
        subfolders = listing.subfolders()
        if len(subfolders) != 1 or any(
            name.lower() != "index.html" for name in listing.top_files()
        ):
            return
        (listing,) = subfolders.values()
    yield listing


def _strip_wrapper(listing: Listing) -> Listing:
    """The place, or the only folder in it if it is called the same: archives often have one."""
    subfolders = listing.subfolders()
    if len(subfolders) == 1 and not listing.top_files():
        (subfolder,) = subfolders.values()
        names = sorted((subfolder.name.casefold(), listing.name.casefold()), key=len)
        if names[1].startswith(names[0]):
            return subfolder
    return listing
