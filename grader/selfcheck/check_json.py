"""What was checked as JSON, for other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from grader.exports.number_format import escape_invisible, replace_surrogates, to_number
from grader.model import Json
from grader.selfcheck.outcome import FileOutcome
from grader.selfcheck.student_feedback import FindingFeedback, closing_line, list_feedback


def render_json(outcomes: Sequence[FileOutcome]) -> str:
    """One object for all notebooks; points as numbers, nothing of the student's code."""
    payload = {"schema": 1, "notebooks": [_notebook(outcome) for outcome in outcomes]}
    return (
        escape_invisible(json.dumps(payload, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"
    )


def _notebook(outcome: FileOutcome) -> Mapping[str, Json]:
    result = outcome.result
    if result is None:
        return {
            "file": replace_surrogates(outcome.path.name),
            "reason": replace_surrogates(outcome.reason),
        }
    return {
        "file": replace_surrogates(outcome.path.name),
        "reason": None,
        "assignment": replace_surrogates(result.public.rubric.id),
        "checks_sha256": result.public.sha256,
        "passed": result.passed_count,
        "of": len(result.findings),
        "later": result.later_count,
        "read_by_a_person": result.written_count,
        "findings": [
            _finding(feedback)
            for item_feedback in list_feedback(result, include_passed=True)
            for feedback in item_feedback.findings
        ],
        "warnings": [replace_surrogates(text) for text in result.warnings],
        "notices": [replace_surrogates(text) for text in result.notices],
        "closing": closing_line(result),
    }


def _finding(feedback: FindingFeedback) -> Mapping[str, Json]:
    finding = feedback.finding
    return {
        "item": replace_surrogates(finding.item),
        "code": replace_surrogates(finding.code),
        "title": replace_surrogates(finding.title),
        "verdict": finding.verdict.value,
        "earned": to_number(finding.earned),
        "possible": to_number(finding.possible),
        "cell": feedback.cell,
        "told": replace_surrogates(feedback.text),
    }
