"""Renders results as JSON, for other programs; docs/check.md describes the keys."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from grader.exports.number_format import escape_invisible, replace_surrogates, to_number
from grader.model import Json
from grader.selfcheck.public_findings import FileOutcome
from grader.selfcheck.student_feedback import FindingFeedback, closing_line, list_feedback


def render_json(outcomes: Sequence[FileOutcome]) -> str:
    """Return one object for all notebooks; points are numbers, and none of the code is in it."""
    payload = {"schema": 1, "notebooks": [_notebook(outcome) for outcome in outcomes]}
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False, indent=2)
    return escape_invisible(replace_surrogates(text)) + "\n"


def _notebook(outcome: FileOutcome) -> Mapping[str, Json]:
    result = outcome.result
    if result is None:
        return {"file": outcome.path.name, "reason": outcome.reason}
    items = list_feedback(result, include_passed=True)
    return {
        "file": outcome.path.name,
        "reason": None,
        "assignment": result.public.rubric.id,
        "checks_sha256": result.public.sha256,
        "passed": result.passed_count,
        "of": len(result.findings),
        "later": result.later_count,
        "read_by_a_person": result.written_count,
        "findings": [_finding(feedback) for item in items for feedback in item.findings],
        "warnings": list(result.warnings),
        "notices": list(result.notices),
        "closing": closing_line(result),
    }


def _finding(feedback: FindingFeedback) -> Mapping[str, Json]:
    finding = feedback.finding
    return {
        "item": finding.item,
        "code": finding.code,
        "title": finding.title,
        "verdict": finding.verdict.value,
        "earned": to_number(finding.earned),
        "possible": to_number(finding.possible),
        "cell": feedback.cell,
        "told": feedback.text,
    }
