"""Defines a rubric: its items, what they are worth, and the checks that it calls.

A rubric file holds these records under the same names, or under the alias of a field.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from grader.model.field_types import (
    CheckCode,
    CheckParams,
    Id,
    Moment,
    OptionalText,
    Pattern,
    Points,
    RequiredText,
    Seconds,
    SignedPoints,
)
from grader.model.test_functions import CourseTests

DEFAULT_BLANK = "..."
"""What stands for a solution in the notebook for students, unless a rubric says otherwise."""

ItemKind = Literal["auto", "written"]
ItemSource = Literal["handout", "course"]
AnswerKind = Literal["text", "code", "any"]
Retired = Literal["", "kept", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """A check as a rubric calls it: `[[item.check]]`."""

    code: CheckCode
    """The check that is called: docs/checks.md."""
    points: Points
    """What it is worth; 0 for a check that only others need."""
    public: bool = False
    """Whether students can run it before they submit."""
    needs: tuple[RequiredText, ...] = ()
    """Item ids or check codes without which it cannot be judged."""
    params: Annotated[CheckParams, Field(validate_default=True, exclude=True)] = field(
        default=None, compare=False
    )
    """The check's own parameters, as an instance of its model; None in a stored grade."""
    ask: OptionalText = ""
    """A question that replaces a missing hint for students who lose points here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A sentence for students about something harmless in their run: `[[notice]]`."""

    says: RequiredText
    """The sentence."""
    printed: Pattern = ""
    """A regular expression: the notice is for notebooks whose output matches it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """A reason to give or take points on a written answer: `[[item.criterion]]`."""

    id: Id
    """Known by it in marks, so that its text and points may change."""
    text: RequiredText
    """What the grader looks for."""
    points: SignedPoints
    """Below 0 where it takes points."""
    keywords: tuple[RequiredText, ...] = ()
    """Words that are highlighted in answers."""
    retired: Retired = ""
    """Not given any more: "kept" counts on where an answer has it, "dropped" counts nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookSpec:
    """One of several notebooks that make an assignment together: `[[notebook]]`."""

    id: Id
    """Items name it by this, and students' files are recognized by it, too: "part1"."""
    reference: RequiredText
    """Path of its reference notebook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """What an import did not understand; `grade validate` fails with it: `[[unsettled]]`."""

    file: RequiredText
    """The file that it came from."""
    cell: OptionalText = ""
    """The id of the cell there, or its number; '' where it is about the file."""
    text: RequiredText
    """What a person must look at, and then delete this entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A part of the assignment that is worth points: `[[item]]`."""

    id: Id
    """Known by it in grades, marks and exports: "Q2.3.1"."""
    title: RequiredText
    """A few words, for tables."""
    points: Points
    """The points of its checks or criteria together."""
    kind: ItemKind
    """Whether checks judge it or a person does."""
    source: ItemSource
    """Whether the handout or only the course asks for it."""
    prompt: OptionalText = ""
    """Markdown: the question; the answer to a written item is found by it."""
    answer: AnswerKind = "text"
    """What answers a written item: words, code with what it shows, or either."""
    untouched: str = ""
    """The cell of an answer as it was handed out: one that is still so earns 0, until somebody
    marks it. Known by its `grade_id`; an import from nbgrader, which does so, writes it."""
    good_answer: OptionalText = ""
    """Markdown, for graders: what a full answer says."""
    why: OptionalText = ""
    """Why a course item exists, for students."""
    examples: bool = False
    """Whether an answer has an example of the student's; graders see who uses the same one."""
    example_words: tuple[RequiredText, ...] = ()
    """Words by which such an example is recognized best."""
    checks: Annotated[tuple[CheckSpec, ...], Field(alias="check")] = ()
    criteria: Annotated[tuple[Criterion, ...], Field(alias="criterion")] = ()
    about: tuple[Id, ...] = ()
    """Ids of automatic items that a written answer is about; graders see their findings."""
    notebook: Id | Literal[""] = ""
    """Id of the notebook that it is in, where an assignment has several."""

    def criteria_for(self, met: Collection[str]) -> tuple[Criterion, ...]:
        """Return the criteria of an answer: those in use, and retired ones that it keeps.

        Args:
            met: ids of the criteria that the answer has.
        """
        return tuple(
            c for c in self.criteria if not c.retired or (c.retired == "kept" and c.id in met)
        )

    @property
    def wants_text(self) -> bool:
        """Whether only words answer it."""
        return self.kind == "written" and self.answer == "text"

    @property
    def takes_code(self) -> bool:
        """Whether cells of code answer it, for a person to mark."""
        return self.kind == "written" and self.answer != "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long and how large a notebook may be: `[limits]`; docs/security.md lists the effects."""

    cell_s: Seconds = 60.0
    """One cell."""
    submission_s: Seconds = 300.0
    """The whole notebook."""
    question_s: Seconds = 10.0
    """One question of a check."""
    memory_mb: Annotated[int, Field(ge=64)] = 4096
    """Memory of all its processes together."""
    disk_mb: Annotated[int, Field(ge=1)] = 512
    """Size of all files that it writes."""
    files: Annotated[int, Field(ge=100)] = 20_000
    """Number of files that it writes."""
    processes: Annotated[int, Field(ge=32)] = 256
    """Processes and threads."""
    cell_output_kb: Annotated[int, Field(ge=1)] = 4096
    """Output of one cell."""
    output_kb: Annotated[int, Field(ge=1)] = 16_384
    """Output of all cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateRule:
    """When an assignment is due, and the deduction for lateness."""

    due: str
    """In ISO 8601 with an offset."""
    grace_s: int
    """Seconds after the due date without a deduction; they delay each later day, too."""
    per_day: Fraction
    unit: str
    """Unit of `per_day` and `cap`: 'points', or 'percent' of what was earned."""
    cap: Fraction | None = None
    """The largest deduction, or None for no maximum."""
    timezone: str = ""
    """IANA name of the zone of times without an offset; '' for the offset of `due`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """The information for students about graders and regrade requests: `[marking]`."""

    show_markers: bool = False
    """Whether reports name the grader who gave points; otherwise they say 'staff'."""
    regrade_until: Moment = ""
    """A day or a moment in ISO 8601; '' for no end."""
    regrade_how: OptionalText = ""
    """Markdown: how a student requests a regrade; '' for no text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSupplement:
    """The part of a public rubric that a course's own does not have: `public` in its file."""

    draws: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The public seed of all random inputs, in hexadecimal digits."""
    numbers: str
    """SHA-256 of the file with the reference's numbers."""
    handout: tuple[str, ...]
    """Lines of the handout, by which a student's own lines are recognized."""
    later: Mapping[str, tuple[tuple[str, ...], ...]]
    """By item, the needs of each check that runs only after submission."""
    headings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By item, the headings above its prompt in the handout."""
    cell_ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By item, the ids of the cell with its prompt in the handout."""
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By item, the code given below its prompt, a text for each cell, without spaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """An assignment: its questions, their points, and their checks."""

    id: str
    title: str
    total: Fraction
    reference: Path
    """The solved notebook, graded like a student's; of a public rubric its own file."""
    seed: int
    """Public: `random`, NumPy and torch are seeded with it before the first cell."""
    optional_imports: tuple[str, ...]
    record: tuple[str, ...]
    """Functions whose calls are recorded where notebooks define them."""
    limits: Limits
    items: tuple[Item, ...]
    path: Path
    sha256: str
    """SHA-256 of the file."""
    late: LateRule | None = None
    """None where lateness takes no points."""
    provided: Path | None = None
    """A folder of files that are copied beside every notebook when it runs."""
    withheld: Path | None = None
    """A folder of files that are copied there, too, and that students never get."""
    cell_seed: int | None = None
    """`random` and NumPy are seeded with it before each cell; None where they are not."""
    seed_variable: str = ""
    """The name that holds it before each cell, where nothing is seeded."""
    notices: tuple[Notice, ...] = ()
    marking: Marking = Marking()
    public: PublicSupplement | None = None
    """None for the course's own rubric."""
    tests: CourseTests | None = None
    """The course's own tests; None where the assignment has none."""
    check_modules: tuple[str, ...] = ()
    """Modules of the course's own checks, beside the general ones."""
    blank: str = DEFAULT_BLANK
    """What stands for a solution in the notebook for students: Python in one line, or a comment."""
    part_of: str = ""
    """Id of the assignment of several notebooks that this is a part of."""
    imported_from: str = ""
    """'nbgrader' or 'otter' where it was made for one of these; '' otherwise."""
    unsettled: tuple[Unsettled, ...] = ()
    """What an import did not understand, and nobody has settled yet."""
    parts: tuple[Rubric, ...] = ()
    """Of an assignment of several notebooks, a rubric for each, of its items alone; in order."""

    @property
    def whole(self) -> tuple[Rubric, ...]:
        """Its parts, or itself where it has one notebook."""
        return self.parts or (self,)

    @property
    def notebook(self) -> str:
        """Id of the notebook that this part of an assignment is about; '' where it is no part."""
        return self.items[0].notebook if self.part_of else ""

    @property
    def folder(self) -> Path:
        """The folder beside its file that holds its cases and mutants."""
        course = self.path.parent
        return course / self.part_of / self.notebook if self.part_of else course / self.id

    @property
    def short_title(self) -> str:
        """Its title up to a colon: 'HW 5'."""
        return self.title.partition(":")[0].strip()

    @property
    def takes_code(self) -> bool:
        """Whether code answers a written item, with the figures that it draws."""
        return any(item.takes_code for item in self.items)

    def with_limits(self, limits: Limits) -> Rubric:
        """Return this assignment with other limits, for each of its notebooks."""
        parts = tuple(replace(part, limits=limits) for part in self.parts)
        return replace(self, limits=limits, parts=parts)

    def item(self, item_id: str) -> Item:
        """Return the item of that id.

        Raises:
            StopIteration: The rubric has no such item.
        """
        return next(item for item in self.items if item.id == item_id)
