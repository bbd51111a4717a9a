"""What there is to say about an invented submission before it is built."""
# ruff: noqa: INP001 -- this folder is scripts, no package

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from prose import paragraphs

from reference import SOLVED

WRITTEN = ("q1-1", "q1-2", "q1-3", "q2-1", "q2-2", "q2-3-3", "q2-3-4")
"""The handout's cells that ask for a written answer."""


class Place(Enum):
    """Where a student wrote the answers, seen from the prompts."""

    INSIDE = "inside"
    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """An invented team and how its notebook differs from the solved handout."""

    file: str
    team: str = ""
    """What stands in the names cell below its label."""
    blanks: Mapping[str, str] = field(default_factory=lambda: SOLVED)
    cells: Mapping[str, str] = field(default_factory=dict)
    """Handout cells rewritten as a whole, by id; an empty source leaves the cell out."""
    extra: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Cells of their own (kind, source) behind a handout cell."""
    answers: Mapping[str, str] = field(default_factory=dict)
    place: Place = Place.INSIDE
    attachments: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """Pictures of an answer's cell: name, media type, base64."""
    ran: bool = True
    """Whether outputs were saved."""


def but(**changed: str) -> dict[str, str]:
    """The solved blanks with these changed."""
    return {**SOLVED, **changed}


def answered(*texts: str) -> dict[str, str]:
    """Seven written answers in the order of the handout; an empty one was left out."""
    return dict(zip(WRITTEN, (paragraphs(text) for text in texts), strict=True))
