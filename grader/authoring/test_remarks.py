"""Looks at how the reference came through the course's own tests: what they rest on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from grader.checks import BoundRubric
from grader.checks.own_tests import TestedCheck, read_cases
from grader.model import Observation, TestRemark

JUDGES_ITSELF = re.compile(r"\.(score|evaluate|accuracy|equals|allclose)\(\.\.\.\)$")
"""A method that is given what is expected, and says how near its own object is to it."""


def remark_on_tests(
    checks: BoundRubric, expected: Mapping[str, Observation]
) -> tuple[TestRemark, ...]:
    """Return what an author should know of the tests of a rubric.

    Args:
        checks: the rubric's checks.
        expected: what the reference came to, by question.
    """
    return tuple(_remarks(checks, expected))


def _remarks(checks: BoundRubric, expected: Mapping[str, Observation]) -> Iterator[TestRemark]:
    for rubric_check in checks.rubric_checks:
        check = rubric_check.check
        if not isinstance(check, TestedCheck):
            continue
        cases = [
            case
            for question in check.questions(checks.rng)
            for case in read_cases(expected.get(question.id, Observation(id="", status="missing")))
        ]
        name = f"{rubric_check.item.id} {check.name()}"
        if cases and not any(case.asked for case in cases):
            yield TestRemark(test=name, text="never looks at the notebook", is_fault=True)
        for word in dict.fromkeys(word for case in cases for word in case.words):
            text = f"`{word}` rests on the notebook's own word: compare what is plain"
            yield TestRemark(test=name, text=text)
        for step in dict.fromkeys(step for case in cases for step in case.operators):
            if JUDGES_ITSELF.search(step):
                text = f"`{step}` is the notebook's own judgment of itself: compute it in the test"
                yield TestRemark(test=name, text=text)
