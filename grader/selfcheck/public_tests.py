"""Runs the course's public tests in the student's own process, on live names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.model import Observation
from grader.selfcheck import inside_loader

TESTS_SUFFIX = "_tests.py"
"""How the name of the file of public tests ends."""
TEST_KIND = "test"


def answer_tests(
    questions: Sequence[Mapping[str, Any]],
    namespace: Mapping[str, Any],
    *,
    path: Path,
    cells: Sequence[str],
) -> Mapping[str, list[Any]]:
    """Return what came of the cases of each test, by the question's id.

    Args:
        questions: the tests, as parts of a batch.
        namespace: the notebook's names.
        path: the file of public tests.
        cells: the source of the notebook's code cells.

    Raises:
        RuntimeError: the file can't be imported.
    """
    if not questions:
        return {}
    native = inside_loader.load_course_tests("native_runs")
    seeds = {question["params"]["seed"] for question in questions} - {""}
    outcomes = native.run_native(
        path,
        namespace,
        tests={question["params"]["test"] for question in questions},
        seed=tuple(bytes.fromhex(next(iter(seeds), "00"))),
        cells=cells,
    )
    return {
        question["id"]: json.loads(json.dumps(outcomes.get(question["params"]["test"], [])))
        for question in questions
    }


def lost_test(answer: Observation) -> Observation:
    """Return what a test came to that ended the notebook's process, or never came to an end.

    Args:
        answer: that it died or timed out, when it was asked alone.
    """
    case = {"case": "", "outcome": "gone", "status": answer.status}
    return Observation(id=answer.id, status="ok", data={"cases": [case]})


def expect_all_to_pass(observations: Mapping[str, Observation]) -> Mapping[str, Observation]:
    """Return what the reference came to in the same tests: it passes them all.

    On live names nothing is taken on anybody's word, so nothing is compared but that.
    """
    expected = {}
    for question_id, answer in observations.items():
        cases = answer.data.get("cases")
        if isinstance(cases, list):
            passed = [
                {"case": case.get("case", ""), "outcome": "passed"}
                for case in cases
                if isinstance(case, dict)
            ]
            expected[question_id] = Observation(
                id=question_id, status="ok", data={"cases": [*passed]}
            )
    return expected
