"""Writes `results.json` as Gradescope's autograder harness reads it.

The keys are those of https://gradescope-autograders.readthedocs.io/en/latest/specs/ . It has the
findings of checks, and the score of automatic items only: written answers are marked in questions
of Gradescope's own. Pending points have no number. Nothing that students see before grades are
published shows the sum: by submitting again and again they could find out hidden checks.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from grader.exports.export import Export, ExportOptions, Grades, ListedStudent
from grader.exports.number_format import escape_invisible, replace_surrogates, to_number
from grader.model import Finding, Graded, ItemScore, Rubric, Verdict
from grader.report.flag_text import flag_text
from grader.scoring import ZERO_POINTS

_VISIBLE, _AFTER_PUBLISHED = "visible", "after_published"
"""Public checks are shown at once, everything else when grades are published."""


def export_gradescope(grades: Grades, *, options: ExportOptions) -> Export:  # noqa: ARG001 - it has no options
    """Write a `results.json` for each submission, by its name."""
    files, left_out = {}, []
    for graded in grades.results:
        name = graded.submission.name
        files[f"{name}.json"] = render_gradescope_json(graded, rubric=grades.rubric).encode()
        if _automatic_score(graded) is None:
            reason = graded.reason or "a check of ours failed: there is no score"
            left_out.append(ListedStudent(label=name, reason=reason))
    summary = f"{len(files)} {'file' if len(files) == 1 else 'files'} of results for Gradescope"
    return Export(files=files, summary=summary, left_out=tuple(left_out))


def render_gradescope_json(graded: Graded, *, rubric: Rubric) -> str:
    """Render one submission's file; it has no score while an automatic item is pending."""
    score = _automatic_score(graded)
    tests = [
        test for item in _items(graded) for test in _item_tests(item, scored=score is not None)
    ]
    document: dict[str, Any] = {
        "output": _output_text(graded, score=score),
        "stdout_visibility": "hidden",
        "execution_time": _run_seconds(graded),
        "tests": tests,
        "extra_data": {
            "assignment": replace_surrogates(rubric.id),
            "submission": replace_surrogates(graded.submission.name),
            "status": graded.status,
        },
    }
    if score is not None:
        document["score"] = to_number(score)
    return (
        escape_invisible(json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"
    )


def _items(graded: Graded) -> tuple[ItemScore, ...]:
    return graded.score.items if graded.score else ()


def _automatic_items(graded: Graded) -> list[ItemScore]:
    return [item for item in _items(graded) if item.item.kind == "auto"]


def _automatic_score(graded: Graded) -> Fraction | None:
    """Return the points of automatic items, or None while one is pending or nothing was graded."""
    earned = [item.earned for item in _automatic_items(graded)]
    known = [points for points in earned if points is not None]
    return sum(known, ZERO_POINTS) if graded.score and len(known) == len(earned) else None


def _output_text(graded: Graded, *, score: Fraction | None) -> str:
    if graded.score is None:
        reason = graded.reason or "no reason was recorded"
        return replace_surrogates(f"This could not be graded; a person will look at it.\n{reason}")
    possible = to_number(sum((item.item.points for item in _automatic_items(graded)), ZERO_POINTS))
    lines = [f"Checks of your code are worth {possible} points."]
    findings = [finding for item in _automatic_items(graded) for finding in item.findings]
    if not all(map(_is_visible, findings)):
        lines.append("Those that are not shown here are shown with your grade.")
    if score is None:
        lines = ["One of our checks failed. It costs you nothing; a person will look at it."]
    written = [item for item in _items(graded) if item.item.kind == "written"]
    if written:
        points = to_number(sum((item.item.points for item in written), ZERO_POINTS))
        lines.append(
            f"{len(written)} written answers ({points} points) are read by a person. They are not "
            "in this score."
        )
    return replace_surrogates("\n".join([*lines, *map(flag_text, graded.notes)]))


def _item_tests(item: ItemScore, *, scored: bool) -> Iterator[dict[str, Any]]:
    """Yield the Gradescope tests of an item: one per finding, or one for a marked item."""
    if item.item.kind == "written" or item.mark is not None:
        yield _person_test(item, scored=scored)
        return
    for position, finding in enumerate(item.findings, start=1):
        yield _finding_test(finding, number=f"{item.item.id}.{position}", scored=scored)


def _person_test(item: ItemScore, *, scored: bool) -> dict[str, Any]:
    automatic = item.item.kind == "auto"
    test: dict[str, Any] = {
        "name": replace_surrogates(f"{item.item.id} {item.item.title}"),
        "number": replace_surrogates(item.item.id),
        "visibility": _VISIBLE if item.mark is None else _AFTER_PUBLISHED,
        "output": _person_output(item),
    }
    if automatic and scored and item.earned is not None:
        test |= {"score": to_number(item.earned), "max_score": to_number(item.item.points)}
    return test


def _person_output(item: ItemScore) -> str:
    possible = to_number(item.item.points)
    if item.mark is None or item.earned is None:
        return f"A person grades this answer. It is worth up to {possible} points."
    lines = (
        f"{to_number(item.earned)} of {possible} points, given by a person.",
        item.mark.comment,
    )
    return replace_surrogates("\n".join(filter(None, (*lines, item.mark.reason))))


def _finding_test(finding: Finding, *, number: str, scored: bool) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": replace_surrogates(finding.title),
        "number": replace_surrogates(number),
        "visibility": _VISIBLE if _is_visible(finding) else _AFTER_PUBLISHED,
        "output": _finding_output(finding),
    }
    judged = finding.verdict not in {Verdict.ERROR, Verdict.PENDING} and not finding.lack
    if scored and judged:
        passed = finding.verdict is Verdict.PASSED
        test |= {
            "score": to_number(finding.earned),
            "max_score": to_number(finding.possible),
            "status": "passed" if passed else "failed",
        }
    return test


def _is_visible(finding: Finding) -> bool:
    """Return whether a finding is public and does not name a hidden check."""
    blocked = finding.verdict is Verdict.BLOCKED
    return finding.public and (not blocked or finding.blocked_by.startswith("cell "))


def _finding_output(finding: Finding) -> str:
    parts = (
        ("Blocked by", finding.blocked_by),
        ("Expected", finding.expected),
        ("Found", finding.found),
        ("Hint", finding.hint),
    )
    if finding.verdict is Verdict.ERROR:
        return "This check of ours failed. It costs you nothing; a person will look at it."
    return replace_surrogates("\n".join(f"{label}: {text}" for label, text in parts if text))


def _run_seconds(graded: Graded) -> float:
    """Return how long the cells ran, in seconds."""
    durations = (run.seconds for run in graded.record.cells)
    return round(sum(seconds for seconds in durations if math.isfinite(seconds)), 2)
