"""Judging again from the store: what is taken over from before, and when it must not be."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest

from grader import gradebook
from grader.checks import CHECKS
from grader.folder import OutputFolder, SubmissionSummary
from grader.gradebook import StoredSubmission
from grader.model import (
    Answer,
    CellRun,
    CellStatus,
    CheckSpec,
    ExecutionRecord,
    Graded,
    Item,
    Limits,
    Notebook,
    Rubric,
    Student,
    Submission,
    Trace,
)
from grader.notebook import read_notebook
from grader.pipeline import cache_keys
from grader.pipeline.cache_keys import CacheKeys
from grader.pipeline.grading_worker import RunConfig
from grader.pipeline.rejudging import rejudge
from grader.sandbox import Environment

PROMPT = "Why do very deep networks need skip connections?"
WROTE = "They keep the gradient."
RAN = CheckSpec(
    code="EXE001",
    points=Fraction(2),
    public=True,
    params=CHECKS["EXE001"].model_validate({"at_most": "5/6"}),
)
ASKS = replace(
    RAN,
    code="ARR001",
    params=CHECKS["ARR001"].model_validate(
        {"labels": ["x", "y"], "shape": [5], "check": ["x", "y"]}
    ),
)
"""Wants to know what no run of these tests was asked."""
STORED = "Found when it was first read."
"""What stands in the store, and could be found in no notebook."""


def notebook(place: Path, *, wrote: str = "") -> Notebook:
    cells = [
        {
            "cell_type": "markdown",
            "metadata": {},
            "source": "**Name and EID:** Ada Probe (ap12345)",
        },
        {"cell_type": "markdown", "metadata": {}, "source": f"{PROMPT}\n\n{wrote}"},
        {"cell_type": "code", "metadata": {}, "source": "x = 1", "outputs": []},
    ]
    place.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}), encoding="utf-8")
    return read_notebook(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """A class of one, judged once; its store says what no notebook says."""

    work: RunConfig
    trace: Trace

    def under(self, *items: Item) -> Class:
        """The same class under a rubric of these items."""
        rubric = replace(self.work.rubric, items=items, sha256="1")
        return replace(self, work=replace(self.work, rubric=rubric))

    def keep(self, graded: Graded) -> None:
        """Put a grade in the store, under the key it would have now."""
        key = CacheKeys.for_judge(self.work.build_judge()).rejudged_key(
            "as-it-ran.", submission=graded.submission
        )
        with gradebook.open_gradebook(OutputFolder(self.work.out).store) as book:
            book.save_submission(StoredSubmission(cache_key=key, graded=graded, trace=self.trace))

    def stored(self) -> Graded:
        """The grade in the store."""
        with gradebook.open_gradebook(OutputFolder(self.work.out).store) as book:
            return book.graded("ada")

    def again(self) -> tuple[str, tuple[Student, ...]]:
        """Judge again; the answer and the team that are stored then."""
        assert rejudge(self.work, ["ada"]).count == 1
        graded = self.stored()
        return graded.answers["A"].text, graded.students


def rubric_of(root: Path) -> Rubric:
    asked = Item(
        id="A", title="A", points=Fraction(3), kind="written", source="handout", prompt=PROMPT
    )
    runs = Item(id="B", title="B", points=Fraction(2), kind="auto", source="course", checks=(RAN,))
    return Rubric(
        id="small",
        title="Small",
        total=Fraction(5),
        reference=root / "reference.ipynb",
        seed=1,
        optional_imports=(),
        record=(),
        limits=Limits(),
        items=(asked, runs),
        path=root / "small.toml",
        sha256="0",
        check_modules=("grader.contrastive",),
    )


def class_of_one(root: Path) -> Class:
    notebook(root / "reference.ipynb")
    own = notebook(root / "ada.ipynb", wrote=WROTE)
    work = RunConfig(
        rubric=rubric_of(root),
        seed=b"2" * 32,
        environment=Environment(python="", fingerprint=""),
        cache=root,
        out=root / "graded",
    )
    ran = ExecutionRecord(cells=(CellRun(index=2, status=CellStatus.RAN),))
    trace = Trace(notebook=own, record=ran, observations={}, expected={})
    judge = work.build_judge()
    submission = Submission(name="ada", path=root / "ada.ipynb", shown="ada.ipynb")
    graded = judge.conclude(submission, judge.evidence(submission, trace))
    made = Class(work=work, trace=trace)
    made.keep(
        replace(
            graded,
            answers={"A": Answer(item="A", text=STORED)},
            named=(Student(name=STORED, id=""),),
        )
    )
    return made


@pytest.fixture
def judged(tmp_path: Path) -> Class:
    return class_of_one(tmp_path)


FOUND = (WROTE, (Student(name="Ada Probe", id="ap12345"),))
TAKEN = (STORED, (Student(name=STORED, id=""),))


def test_names_and_answers_are_not_looked_for_twice(judged: Class) -> None:
    assert judged.again() == TAKEN


def test_points_and_checks_have_no_part_in_finding_answers(judged: Class) -> None:
    asked, runs = judged.work.rubric.items
    fewer = replace(runs, points=Fraction(1), checks=(replace(RAN, points=Fraction(1)),))

    assert judged.under(asked, fewer).again() == TAKEN
    score = judged.stored().score
    assert score is not None
    assert score.total.auto == 1


def other_prompt(judged: Class) -> Class:
    asked, runs = judged.work.rubric.items
    return judged.under(replace(asked, prompt=PROMPT.replace("very deep", "deep")), runs)


def other_reference(judged: Class) -> Class:
    place = judged.work.rubric.reference
    place.write_text(place.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    return judged


def other_notebook(judged: Class) -> Class:
    graded = judged.stored()
    assert graded.provenance is not None
    judged.keep(replace(graded, provenance=replace(graded.provenance, notebook="another")))
    return judged


def never_found_by_us(judged: Class) -> Class:
    with gradebook.open_gradebook(OutputFolder(judged.work.out).store) as book:
        book.replace_grade(judged.stored(), cache_key="as-it-ran.judged")
    return judged


@pytest.mark.parametrize(
    "change", [other_prompt, other_reference, other_notebook, never_found_by_us]
)
def test_what_was_found_by_other_means_is_looked_for_again(
    judged: Class, change: Callable[[Class], Class]
) -> None:
    changed = change(judged)

    assert changed.again() == FOUND
    assert changed.again() == FOUND


@pytest.mark.parametrize("room", ["notebook/answers.py", "model/submission.py"])
def test_names_and_answers_are_looked_for_by_the_code_there_is(
    judged: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: str
) -> None:
    ours = shutil.copytree(cache_keys.PACKAGE_FOLDER, tmp_path / "grader")
    with (ours / room).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    monkeypatch.setattr(cache_keys, "PACKAGE_FOLDER", ours)

    assert judged.again() == FOUND


def test_another_python_reads_anew(judged: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version", f"{sys.version} of tomorrow")

    assert judged.again() == FOUND


def test_the_files_of_the_class_say_what_was_just_stored(judged: Class) -> None:
    asked, runs = judged.work.rubric.items
    harder = judged.under(asked, replace(runs, checks=(replace(RAN, points=Fraction(1)),)))

    (before,) = rejudge(judged.work, ["ada"]).briefs
    (after,) = rejudge(harder.work, ["ada"]).briefs

    assert after != before
    assert after == SubmissionSummary.from_graded(judged.stored(), rubric=harder.work.rubric)


def test_what_was_never_asked_stays_as_it_was_in_the_files_of_the_class(judged: Class) -> None:
    asked, runs = judged.work.rubric.items
    curious = replace(runs, checks=(ASKS,))

    done = rejudge(judged.under(asked, curious).work, ["ada"])

    assert (done.count, done.needs_rerun) == (0, ("ada",))
    assert done.briefs == (
        SubmissionSummary.from_graded(judged.stored(), rubric=judged.work.rubric),
    )
