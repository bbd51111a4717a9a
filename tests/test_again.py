"""Judging again from the store: what is taken over from before, and when it must not be."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import pytest

from grader import contrastive, gradebook
from grader.checks import CHECKS
from grader.errors import UsageError
from grader.folder import OutputFolder, SubmissionSummary, read_class
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
from grader.people import People, RosterMember
from grader.pipeline import cache_keys
from grader.pipeline.cache_keys import CacheKeys, PreparedSubmission, run_part, with_level
from grader.pipeline.rejudging import Rejudger
from grader.pipeline.run import RunPlan, plan_run
from grader.pipeline.run_config import RunConfig
from grader.sandbox import IsolationRequest

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
    params=contrastive.CHECKS["ARR001"].model_validate(
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
        key = CacheKeys(self.work.build_judge()).rejudged_key(
            "as-it-ran.", submission=graded.submission
        )
        with gradebook.open_gradebook(self.work.folder.store) as book:
            book.save_submission(StoredSubmission(cache_key=key, graded=graded, trace=self.trace))

    def stored(self) -> Graded:
        """The grade in the store."""
        with gradebook.open_gradebook(self.work.folder.store) as book:
            return book.graded("ada")

    def again(self) -> tuple[str, tuple[Student, ...]]:
        """Judge again; the answer and the team that are stored then."""
        assert Rejudger(self.work).rejudge(["ada"]).count == 1
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
    work = RunConfig(rubric=rubric_of(root), seed=b"2" * 32, folder=OutputFolder(root / "graded"))
    ran = ExecutionRecord(cells=(CellRun(index=2, status=CellStatus.RAN),))
    trace = Trace(notebook=own, record=ran, observations={}, expected={})
    judge = work.build_judge()
    submission = Submission(name="ada", path=root / "ada.ipynb", display_path="ada.ipynb")
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
    with gradebook.open_gradebook(judged.work.folder.store) as book:
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

    ((_, before),) = Rejudger(judged.work).rejudge(["ada"]).summaries.values()
    known = Rejudger(harder.work).rejudge(["ada"]).summaries
    (version, after) = known["ada"]

    assert after != before
    assert after == SubmissionSummary.from_graded(judged.stored(), rubric=harder.work.rubric)
    with gradebook.open_gradebook(judged.work.folder.store) as book:
        book.replace_roll(["ada"])
        read = read_class(book, harder.work.rubric, known=known)
    assert read.summaries[0] is after  # so that nothing is read twice
    assert known["ada"][0] == version


def test_what_was_never_asked_stays_as_it_was_in_the_files_of_the_class(judged: Class) -> None:
    asked, runs = judged.work.rubric.items
    curious = replace(runs, checks=(ASKS,))

    before = judged.stored()
    done = Rejudger(judged.under(asked, curious).work).rejudge(["ada"])

    assert (done.count, done.needs_rerun, done.summaries) == (0, ("ada",), {})
    assert judged.stored() == before


@pytest.mark.parametrize(
    "people",
    [
        People(members=(RosterMember(student=Student(name="Ada Probe", id="ap12345")),)),
        People(extensions={"ap12345": "2026-11-24T23:59:00-06:00"}),
        People(submission_times={"ada": "2026-11-20T12:00:00-06:00"}),
    ],
    ids=["roster", "extension", "time"],
)
def test_what_is_known_of_people_is_judged_again_and_not_run_again(
    judged: Class, people: People
) -> None:
    """Leave any of it out of the key, and `--roster` on a second run changes nothing."""
    submission = Submission(name="ada", path=judged.work.rubric.reference, display_path="ada.ipynb")
    before, same, after = (
        CacheKeys(work.build_judge()).prepare(submission)
        for work in (judged.work, judged.work, replace(judged.work, people=people))
    )

    def plan(now: PreparedSubmission) -> RunPlan:
        return plan_run(
            {"ada": now},
            stored_keys={"ada": with_level(before.key, "full")},
            required=IsolationRequest(),
            has_files=lambda _: True,
            force=False,
        )

    assert plan(same) == RunPlan(to_judge=(), to_run=())
    assert plan(after) == RunPlan(to_judge=("ada",), to_run=())


@pytest.mark.parametrize(
    ("file", "runs"),
    [
        ("wire.py", True),
        ("inside/runner.py", True),
        ("kernel/__init__.py", True),
        ("notebook/notebook_file.py", True),
        ("contrastive/loss_pairs.py", False),
        ("report/class_page.py", False),
    ],
)
def test_what_a_run_passes_through_decides_whether_it_is_run_again(
    judged: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, *, runs: bool
) -> None:
    submission = Submission(name="ada", path=judged.work.rubric.reference, display_path="ada.ipynb")
    before = CacheKeys(judged.work.build_judge()).prepare(submission).key
    ours = shutil.copytree(cache_keys.PACKAGE_FOLDER, tmp_path / "grader")
    with (ours / file).open("r+", encoding="utf-8") as stream:  # it must be there
        stream.seek(0, os.SEEK_END)
        stream.write("# changed\n")
    monkeypatch.setattr(cache_keys, "PACKAGE_FOLDER", ours)

    after = CacheKeys(judged.work.build_judge()).prepare(submission).key

    assert after != before
    assert (run_part(after) != run_part(before)) == runs


def test_a_grade_is_stored_before_its_page_is_written(
    judged: Class, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object, **_options: object) -> None:
        raise UsageError("no room on the disk")

    asked, runs = judged.work.rubric.items
    harder = judged.under(asked, replace(runs, checks=(replace(RAN, points=Fraction(1)),)))
    monkeypatch.setattr(OutputFolder, "write_submission", full)

    with pytest.raises(UsageError, match="no room"):
        Rejudger(harder.work).rejudge(["ada"])

    score = judged.stored().score
    assert score is not None
    assert score.total.auto == 1
    with gradebook.open_gradebook(judged.work.folder.store) as book:
        book.replace_roll(["ada"])
        assert book.stale_submissions() == ("ada",)
