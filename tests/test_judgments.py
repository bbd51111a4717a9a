"""What decides a finding beside its outcome: our lacks, doubts, shares of calls, and our words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from test_checks import RNG, course, evidence, says, spec
from test_execution import ran

from grader.checks import Evidence, SeededRandom, bind_rubric
from grader.checks.check import (
    Check,
    CheckOutcome,
    absent,
    explain_error,
    failed,
    passed,
    share_without_flaw,
)
from grader.errors import ReferenceFault
from grader.model import CellError, Finding, MissingModule, Observation, Question, Verdict

LACK = "fogbank is not installed where notebooks are graded"
IN_CELL = f"cell 1 ({LACK})"
NO_FOGBANK = CellError(name="ModuleNotFoundError", message="No module named 'fogbank'")


# ---------------------------------------------------------------- outcomes


def test_outcomes_hold_all_that_is_said_of_them() -> None:
    more: dict[str, Any] = {"expected": "e", "observed": "o", "hint": "h", "names": ("x",)}

    assert passed(**more) == CheckOutcome(share=Fraction(1), **more)
    assert failed(**more) == CheckOutcome(share=Fraction(0), **more)
    assert absent(**more) == CheckOutcome(share=Fraction(0), unjudged=True, stops=True, **more)


def flawed(*flaws: str, has_values: bool = True, max_shown: int = 2) -> CheckOutcome:
    return share_without_flaw(
        flaws, expected="e", has_values=has_values, name="f", max_shown=max_shown
    )


def test_calls_without_a_flaw_earn_their_share() -> None:
    assert flawed("", "") == passed(expected="e", observed="both calls of f gave what is expected")
    assert flawed("b", "", "a", "b", "c") == CheckOutcome(
        share=Fraction(1, 5), expected="e", observed="b; a", names=("f",)
    )
    assert flawed("b", "a", max_shown=1).observed == "b"


def test_calls_that_gave_no_value_leave_nothing_to_judge() -> None:
    assert flawed("b", has_values=False) == absent(expected="e", observed="b", names=("f",))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("ValueError: a: b", "calling f raised ValueError: a: b"),
        ("NotNumbers: a: b", "f gave a: b"),
        ("NotNumbers: ", "calling f raised NotNumbers"),
        (f"NotNumbers: {'x' * 300}", f"f gave {'x' * 200} …"),
        ("x" * 300, f"calling f raised {'x' * 200} …"),
    ],
)
def test_an_error_is_told_in_few_words(error: str, sentence: str) -> None:
    assert explain_error(error, name="f") == sentence


class Told(Check):
    """A check with names of a student's and of the reference's."""

    code = "TOLD"
    title = "says so"
    subjects = ("loss", "layers", "other")
    reference_names = ("right", "rights", "none")

    loss: str = "loss"
    layers: tuple[str, ...] = ("a", "", "b")
    other: str = ""
    right: str = "loss"
    rights: tuple[str, ...] = ("a", "")
    none: str = ""


def test_names_of_code_are_single_or_many() -> None:
    assert Told().code_names() == ("loss", "a", "b")


def test_names_in_the_reference_are_masked_by_digests() -> None:
    masked = Told().masked()

    assert (masked.right, masked.rights, masked.none) == ("2ea71c18", ("ca978112", ""), "")
    assert (masked.loss, masked.layers) == ("loss", ("a", "", "b"))


# ---------------------------------------------------------------- whole rubrics


def test_a_rubric_is_failed_or_left_open_as_a_whole_with_a_reason() -> None:
    rubric = course(a=(replace(spec("X"), ask="ask"),), b=(spec("X"),))
    bound = bind_rubric(rubric, registry={"X": says(passed(expected="e", observed="o"))}, rng=RNG)
    first, second = bound.fail_all("the file is empty")

    assert bound.rng is RNG
    assert first == Finding(
        item="a",
        code="X",
        title="says so",
        verdict=Verdict.FAILED,
        earned=Fraction(0),
        possible=Fraction(1),
        public=True,
        expected="",
        found="The file is empty.",
    )
    assert second == replace(first, item="b")
    assert bound.leave_open("the file is empty") == (
        replace(first, verdict=Verdict.PENDING),
        replace(second, verdict=Verdict.PENDING),
    )


@pytest.mark.parametrize("is_told", [True, False])
def test_a_fault_is_told_if_it_is_the_courses_own(*, is_told: bool) -> None:
    error = ReferenceFault("silent") if is_told else ValueError("silent")
    bound = bind_rubric(course(a=(spec("X"),)), registry={"X": says(error)}, rng=RNG)

    assert [fault.is_told for fault in bound.judge(evidence()).faults] == [is_told]


# ---------------------------------------------------------------- what we lacked


class Asks(Check):
    """A check that asks a question made of random numbers, and whose outcome is settled."""

    code = "ASKS"
    title = "says so"
    outcome: CheckOutcome = failed(expected="e", observed="o", hint="h", cells=(0,))

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        return (Question(id="q", kind="function", params={"x": float(rng.normal("x", (1,))[0])}),)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        return self.outcome


class AsksOfFile(Asks):
    """The same, of the file."""

    depends_on_run = False


def lacking(answer: str = "", *, failing: bool = True) -> Evidence:
    """Return a notebook whose second cell failed for want of `fogbank`."""
    made = ran(
        ("x = 1", None), ("import fogbank", NO_FOGBANK if failing else None), ("y = 1", None)
    )
    missing = (MissingModule(name="fogbank", known=True),)
    told = {"q": Observation(id="q", status="ok", error=answer)}
    return replace(made, record=replace(made.record, missing=missing), observations=told)


def judged(
    seen: Evidence, *needs: str, check: type[Asks] = Asks, **more: Any
) -> tuple[Finding, ...]:
    """Return findings of `a`, which is about the cell that lacked something, and of `b`."""
    outcome = replace(Asks().outcome, **more)
    about = says(failed(expected="e", observed="o", hint="h", cells=(1,)))
    rubric = course(
        a=(spec("ABOUT"),),
        b=(replace(spec("ASKS", *needs), params={"outcome": outcome}),),
    )
    registry: Mapping[str, type[Check]] = {"ABOUT": about, "ASKS": check}
    return bind_rubric(rubric, registry=registry, rng=RNG).judge(seen).findings


def told(finding: Finding) -> tuple[Any, ...]:
    return (
        finding.verdict,
        finding.lack,
        finding.blocked_by,
        finding.cells,
        finding.earned,
        finding.hint,
    )


BLOCKED = (Verdict.BLOCKED, LACK, IN_CELL, (1,), 0, "")


def test_what_lacked_something_and_what_needs_it_wait() -> None:
    first, second = judged(lacking(), "a")

    assert told(first) == told(second) == BLOCKED
    assert told(judged(lacking())[1]) == (Verdict.FAILED, "", "", (0,), 0, "h")


def test_an_answer_that_lacked_something_waits_with_the_cells_of_its_own() -> None:
    seen = lacking("ModuleNotFoundError: No module named 'fogbank'", failing=False)

    assert told(judged(seen)[1]) == (Verdict.BLOCKED, LACK, LACK, (0,), 0, "")


@pytest.mark.parametrize(
    ("more", "check", "verdict"),
    [
        ({"cells": (2,)}, Asks, Verdict.BLOCKED),
        ({"unjudged": True}, Asks, Verdict.BLOCKED),
        ({"cells": (2,), "share": Fraction(1, 2)}, Asks, Verdict.BLOCKED),
        ({"cells": (2,), "share": Fraction(1)}, Asks, Verdict.PASSED),
        ({"cells": (2,), "pending": True}, Asks, Verdict.PENDING),
        ({"cells": (2,)}, AsksOfFile, Verdict.FAILED),
    ],
)
def test_only_points_that_the_run_would_lose_wait_for_what_was_lacking(
    more: dict[str, Any], check: type[Asks], verdict: Verdict
) -> None:
    found = judged(lacking(), check=check, **more)[1]

    assert found.verdict is verdict
    assert found.lack == (LACK if verdict is Verdict.BLOCKED else "")
    assert verdict is not Verdict.BLOCKED or found.cells == (1,)


# ---------------------------------------------------------------- doubts


class Doubts(Asks):
    """A check that doubts what a notebook's first cell says."""

    def find_doubt(self, evidence: Evidence) -> str:
        return f"who knows {evidence.notebook.cells[0].source}"


def test_where_points_would_be_lost_in_doubt_a_person_decides_and_nothing_waits_for_it() -> None:
    found = replace(absent(expected="e", observed="o"), share=Fraction(1, 2), because="no loop")
    rubric = course(a=(replace(spec("DOUBTS"), params={"outcome": found}),), b=(spec("GONE", "a"),))
    gone = says(absent(expected="e", observed="o"))
    registry: Mapping[str, type[Check]] = {"DOUBTS": Doubts, "GONE": gone}
    first, second = bind_rubric(rubric, registry=registry, rng=RNG).judge(evidence()).findings

    assert (first.verdict, first.found) == (Verdict.PENDING, "Who knows x = 1.")
    assert first.earned == 0
    assert second.verdict is Verdict.FAILED
