"""The layouts that are known, in the order in which they are tried; and which one a place has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from grader.errors import UsageError
from grader.submissions.blackboard_layout import BLACKBOARD
from grader.submissions.brightspace_layout import BRIGHTSPACE
from grader.submissions.bundles import Layout
from grader.submissions.canvas_layout import CANVAS
from grader.submissions.classroom_layout import CLASSROOM
from grader.submissions.file_listing import Listing
from grader.submissions.flat_layout import FLAT, FOLDERS
from grader.submissions.gradescope_layout import GRADESCOPE
from grader.submissions.moodle_layout import MOODLE
from grader.submissions.nbgrader_layout import NBGRADER

SYSTEMS = (GRADESCOPE, CLASSROOM, NBGRADER, MOODLE, BRIGHTSPACE, BLACKBOARD, CANVAS)
PLAIN = (FOLDERS, FLAT)
"""What is tried where the names are of no system known here."""
WRAPPINGS = 3
"""Folders around everything else that are looked through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """A layout, and the place that has it: what was given, or the one folder in it."""

    layout: Layout
    listing: Listing
    known: bool
    """Whether names or metadata say so; else it is only what was left."""


def recognised(listing: Listing, *, insist: str | None = None) -> Recognised | None:
    """The layout of a place; None where nobody handed in anything.

    Args:
        listing: what lies there.
        insist: the name of the layout that it has.

    Raises:
        UsageError: there is no such layout, or nothing there is laid out like that.
    """
    if insist is not None:
        return _insisted(listing, insist)
    for place in _unwrapped(listing):
        for layout in SYSTEMS:
            if layout.fits(place):
                return Recognised(layout=layout, listing=place, known=True)
    place = _inner(listing)
    return next(
        (Recognised(layout=one, listing=place, known=False) for one in PLAIN if one.fits(place)),
        None,
    )


def _insisted(listing: Listing, name: str) -> Recognised:
    layouts = {layout.name: layout for layout in (*SYSTEMS, *PLAIN)}
    if name not in layouts:
        raise UsageError(f"{name!r} is no layout; there are {', '.join(sorted(layouts))}")
    layout = layouts[name]
    if layout in PLAIN:
        return Recognised(layout=layout, listing=_inner(listing), known=True)
    for place in _unwrapped(listing):
        if layout.holds(place):
            return Recognised(layout=layout, listing=place, known=True)
    raise UsageError(f"{listing.name}: nothing in it is named as in {layout.told} ({name})")


def _unwrapped(listing: Listing) -> Iterator[Listing]:
    """The place, and the only folder in it, and the only one in that."""
    for _ in range(WRAPPINGS):
        yield listing
        parts = listing.parts()
        if len(parts) != 1 or any(name.lower() != "index.html" for name in listing.top()):
            return
        (listing,) = parts.values()
    yield listing


def _inner(listing: Listing) -> Listing:
    """The place, or the only folder in it if it is called the same: archives often have one."""
    parts = listing.parts()
    if len(parts) == 1 and not listing.top():
        (only,) = parts.values()
        names = sorted((only.name.casefold(), listing.name.casefold()), key=len)
        if names[1].startswith(names[0]):
            return only
    return listing
