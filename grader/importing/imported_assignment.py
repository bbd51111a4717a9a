"""Defines what a reader of another grader's files found, before any of ours is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from grader.authoring.editable_notebook import EditableNotebook
from grader.model import DEFAULT_BLANK, Unsettled


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTest:
    """One test of an automatic item: a check of the rubric."""

    code: str
    """The text of a whole function, docstring and decorators included; or an expression."""
    form: Literal["function", "value"] = "function"
    """A function stands in `tests.py` (TST001); an expression gives what the reference gives."""
    name: str = ""
    """The function's name."""
    points: Fraction
    """What it is worth; 0 for what students can run and another test counts."""
    public: bool = False
    ask: str = ""
    """What who loses points here reads, such as the peer's message of failure."""
    says: str = ""
    """What reports say it asks for, in place of the function's docstring."""
    success: str = ""
    """What who passes it reads, such as the peer's message of success."""
    at: str = ""
    """The moment of the run that it is about: docs/tests.md."""
    digits: int | None = None
    """To how many digits a value's floats are rounded before they are compared."""
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedItem:
    """A part of the assignment that is worth points, under the peer's own id."""

    id: str
    title: str
    points: Fraction
    kind: Literal["auto", "written"]
    notebook: str
    """The id of its notebook."""
    tests: tuple[ImportedTest, ...] = ()
    answer: Literal["text", "code", "any"] = "text"
    prompt: str = ""
    good_answer: str = ""
    """What graders read beside an answer: the solution's text, or the mark scheme."""
    untouched: str = ""
    """The cell of its answer as students got it; '' where that earns nothing by itself."""
    notebook_there: str = ""
    """The name of its notebook where it comes from."""
    cell_there: str = ""
    """The id of its cell there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedNotebook:
    """A solved notebook with our own marks of solutions, and none of the peer's test cells."""

    id: str
    """The name of its file without the ending: what students' files are called, too."""
    notebook: EditableNotebook
    given: tuple[str, ...] = ()
    """Ids of the cells of code that nobody is asked to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedAssignment:
    """All that is brought along of one assignment."""

    id: str
    title: str
    source: Literal["nbgrader", "otter"]
    """Whose it was."""
    name_there: str = ""
    """What it is called there, where it has another name here."""
    notebooks: tuple[ImportedNotebook, ...]
    items: tuple[ImportedItem, ...]
    test_head: str = ""
    """The beginning of `tests.py`: imports and helper functions, each once."""
    test_files: Mapping[str, bytes] = field(default_factory=dict)
    """Files that only tests read: they lie beside `tests.py`."""
    provided: Mapping[str, bytes] = field(default_factory=dict)
    """Files that lie beside every notebook when it runs."""
    withheld: Mapping[str, bytes] = field(default_factory=dict)
    """Files that lie there when it is graded, and that no student gets."""
    seed: int | None = None
    cell_seed: int | None = None
    """What is seeded with before each cell, or what `seed_variable` holds there."""
    seed_variable: str = ""
    blank: str = DEFAULT_BLANK
    unsettled: tuple[Unsettled, ...] = ()
    left_out: tuple[str, ...] = ()
    """What was left out on purpose, since no score depends on it, in sentences."""
