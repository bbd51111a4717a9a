"""TST001 and VAL001: references that do not pass, names that are missing, and what is expected."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from test_checks import RNG, evidence
from test_own_tests import CHECK, QUESTION, case, judge, observe

from grader.checks.check import CheckOutcome
from grader.checks.own_tests import ReferenceValue
from grader.errors import ReferenceFault
from grader.model import Verdict


@pytest.mark.parametrize(
    ("cases", "why"),
    [
        ((), "the reference does not pass test_small: it did not run"),
        (
            (case("skipped", "a"), case("passed", "b", share="1/2", sentence="half of it")),
            "the reference does not pass test_small: half of it",
        ),
        ((case("skipped"),), "the reference skips test_small"),
    ],
)
def test_a_reference_that_does_not_run_or_pass_or_skips_is_told(
    cases: tuple[dict[str, Any], ...], why: str
) -> None:
    answer = observe(*cases)
    own = replace(evidence(), observations={QUESTION.id: answer}, expected={QUESTION.id: answer})

    with pytest.raises(ReferenceFault) as fault:
        CHECK.judge(own)
    assert str(fault.value) == why


def test_a_case_that_the_reference_skips_is_nobodys_case() -> None:
    finding = judge(case("passed", "a"), reference=(case("skipped", "b"), case("passed", "a")))

    assert finding.verdict is Verdict.PASSED
    assert finding.earned == 4


def outcome_of(*cases: dict[str, Any], reference: tuple[dict[str, Any], ...]) -> CheckOutcome:
    own = replace(
        evidence(),
        observations={QUESTION.id: observe(*cases)},
        expected={QUESTION.id: observe(*reference)},
    )
    return CHECK.judge(own)


def test_a_name_that_no_case_found_is_absent_and_one_that_some_found_is_a_flaw() -> None:
    reference = (case("passed", "a"), case("passed", "b"))
    gone = [case("missing", name, names=["cubes"]) for name in "ab"]

    absent = outcome_of(*gone, reference=reference)
    partly = outcome_of(gone[0], case("passed", "b"), reference=reference)

    assert (absent.observed, absent.names) == (
        "no name cubes was left when the run ended",
        ("cubes",),
    )
    assert [absent.share, partly.share * 2] == [0, 1]
    assert partly.observed.startswith("1 of 2 cases pass.")


def test_the_exception_that_is_right_is_asked_for_by_its_name() -> None:
    raises: dict[str, Any] = {"raises": "AttributeError"}
    values = [
        ReferenceValue.model_validate({"ask": "account.rate", **more}).questions(RNG)[0].params
        for more in (raises, {})
    ]

    assert [value["value"].get("raises") for value in values] == ["AttributeError", None]


def test_a_question_is_plain_json() -> None:
    """What is asked goes over the wall and into a digest: tuples and fractions don't."""
    check = ReferenceValue.model_validate({"ask": "f(x)", "given": {"x": [(1, 2), (3, 4)]}})
    (question,) = check.questions(RNG)

    assert question.params["value"]["given"] == {"x": [[1, 2], [3, 4]]}


def test_a_word_of_the_notebook_is_told_where_the_test_is_hidden_too() -> None:
    finding = judge(case("passed", words=["a == b"]), public=False)

    assert finding.earned == 0
    assert finding.found == (
        "The test passed only because an object of the notebook's own class says so."
    )
