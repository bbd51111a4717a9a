"""What is worth how much: rubrics, items, checks as rubrics call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from grader.model.json_types import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """A check as a rubric calls it."""

    code: str
    points: Fraction
    public: bool
    """Whether students can run it before they hand in."""
    needs: tuple[str, ...]
    """Item ids or check codes without which it cannot be judged."""
    params: Mapping[str, Json]
    ask: str = ""
    """A question for who loses points here, where the check has no hint of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something students see and need not worry about."""

    says: str
    printed: str = ""
    """A regular expression: only who has this among printed numbers and words is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A reason to give or take points on a written answer."""

    id: str
    text: str
    points: Fraction
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the rubric."""

    id: str
    title: str
    points: Fraction
    kind: str
    """'auto' or 'written'."""
    source: str
    """Who asks for it: 'handout' or 'course'."""
    prompt: str = ""
    good_answer: str = ""
    why: str = ""
    """Why a course item exists, for students."""
    examples: bool = False
    """Whether an answer holds an example of the student's own: whoever marks sees who shares it."""
    example_words: tuple[str, ...] = ()
    """Words by which such an example is known best."""
    checks: tuple[CheckSpec, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    about: tuple[str, ...] = ()
    """Ids of automatic items that a written answer is about: whoever marks sees what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how large a notebook may be."""

    cell_s: float = 60.0
    submission_s: float = 300.0
    question_s: float = 10.0
    memory_mb: int = 4096
    """Of all its processes together."""
    disk_mb: int = 512
    """Of all it writes."""
    files: int = 20_000
    processes: int = 256
    """With threads."""
    cell_output_kb: int = 4096
    output_kb: int = 16_384
    """Of one cell's output, and of all cells'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRule:
    """When an assignment is due, and what being late takes."""

    due: str
    """In ISO 8601 with an offset."""
    grace_s: int
    """Seconds after it that cost nothing; each further day begins so much later, too."""
    per_day: Fraction
    unit: str
    """Of `per_day` and `cap`: 'points', or 'percent' of what was earned."""
    cap: Fraction | None = None
    """The most that is taken, or None for all."""
    timezone: str = ""
    """IANA name of the zone of times that say none; '' for the offset of `due`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """What students are told of those who mark, and of how to ask them again."""

    show_markers: bool = False
    """Whether reports name who gave a mark; otherwise it was 'staff'."""
    regrade_until: str = ""
    """A day or a moment in ISO 8601; '' for no end."""
    regrade_how: str = ""
    """Markdown: what a student does who asks for another look; '' where nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """An assignment: what is asked, what is worth how much, and how it is checked."""

    id: str
    title: str
    total: Fraction
    reference: Path
    """The solved notebook, graded by the same road as a student's."""
    seed: int
    """Public: what `random`, NumPy and torch are seeded with before the first cell."""
    optional_imports: tuple[str, ...]
    record: tuple[str, ...]
    """Functions whose calls are recorded where notebooks define them."""
    limits: Limits
    items: tuple[Item, ...]
    path: Path
    sha256: str
    late: LateRule | None = None
    """None where being late costs nothing."""
    provided: Path | None = None
    """A folder of files that lie beside every notebook when it runs."""
    notices: tuple[Notice, ...] = ()
    marking: Marking = Marking()
    check_modules: tuple[str, ...] = ()
    """Modules of the course's own checks, beside the general ones."""

    def item(self, item_id: str) -> Item:
        """The item of that id."""
        return next(item for item in self.items if item.id == item_id)
