"""What was checked as JSON, for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from grader.exports.number_format import escaped, rounded, storable
from grader.model import Json
from grader.selfcheck.outcome import Outcome
from grader.selfcheck.student_feedback import Told, closing, told_items


def document(outcomes: Sequence[Outcome]) -> str:
    """One object for all notebooks; points as numbers, nothing of the student's code."""
    whole = {"schema": 1, "notebooks": [_notebook(outcome) for outcome in outcomes]}
    return escaped(json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"


def _notebook(outcome: Outcome) -> Mapping[str, Json]:
    checked = outcome.checked
    if checked is None:
        return {"file": storable(outcome.path.name), "reason": storable(outcome.reason)}
    return {
        "file": storable(outcome.path.name),
        "reason": None,
        "assignment": storable(checked.public.rubric.id),
        "checks_sha256": checked.public.sha256,
        "passed": checked.passed,
        "of": len(checked.findings),
        "later": checked.later,
        "read_by_a_person": checked.read,
        "findings": [
            _finding(one) for item in told_items(checked, every=True) for one in item.told
        ],
        "warnings": [storable(text) for text in checked.warnings],
        "notices": [storable(text) for text in checked.notices],
        "closing": closing(checked),
    }


def _finding(told: Told) -> Mapping[str, Json]:
    finding = told.finding
    return {
        "item": storable(finding.item),
        "code": storable(finding.code),
        "title": storable(finding.title),
        "verdict": finding.verdict.value,
        "earned": rounded(finding.earned),
        "possible": rounded(finding.possible),
        "cell": told.cell,
        "told": storable(told.text),
    }
