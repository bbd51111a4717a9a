"""What one student or team handed in, before it is known which notebook of it is graded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from grader.model import Student
from grader.submissions.file_listing import File, Listing

Alike = tuple[float, int]
"""How much of the handout a notebook holds (0 to 1), and how many words that are not in it."""


def _unknown(_path: Path) -> Alike | None:
    return 0.0, 0


def _nobody(_path: Path) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What can be seen in a notebook; another room knows how to read them."""

    alike: Callable[[Path], Alike | None] = _unknown
    """None for a file that can't be read."""
    whose: Callable[[Path], frozenset[str]] = _nobody
    """The students it names: ids, or names where there are none."""


def name_different(teams: Iterable[frozenset[str]]) -> bool:
    """Whether two notebooks name students, and not one the same."""
    named = [team for team in teams if team]
    return any(not one & other for one, other in combinations(named, 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a layout may need to know beside what lies there."""

    look: Look = field(default_factory=Look)
    assignment: str = ""
    """The assignment's id: a folder may hold several assignments."""
    layout: str | None = None
    """The layout there is, by name; None to recognise it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """All that one student or team handed in."""

    key: str
    """What tells it from every other; its safe name is made from it."""
    files: Mapping[str, File]
    """By path below what they handed in, as they know it."""
    shown: str
    """Where it lies below what was given; of no use where a notebook is found in it."""
    named: str
    """The name it would have if nobody else had it."""
    students: tuple[Student, ...] = ()
    at: str = ""
    late: bool | None = None
    remarks: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One way in which courses lay out what was handed in."""

    name: str
    """What `--layout` calls it."""
    told: str
    """What it is, for the person at the keyboard."""
    fits: Callable[[Listing], bool]
    """Whether a place is laid out like that."""
    holds: Callable[[Listing], bool]
    """Whether anything there is of that layout: enough for who insists on it."""
    bundles: Callable[[Listing, About], Iterator[Bundle]]
