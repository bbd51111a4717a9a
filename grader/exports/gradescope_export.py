"""Writes `results.json` as Gradescope's autograder harness reads it.

The keys are those of https://gradescope-autograders.readthedocs.io/en/latest/specs/ . It says what
checks found, and its score is that of automatic items alone: written answers are marked in
questions of Gradescope's own. What waits for a person has no number. Nothing that students see
before grades are published tells the sum: who may hand in again and again could feel their way by
it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from grader.exports.export import Export, Grades, Line, Wish
from grader.exports.number_format import escaped, rounded, storable
from grader.model import Finding, Graded, ItemScore, Rubric, Verdict
from grader.scoring import NOTHING

_SEEN, _LATER = "visible", "after_published"
"""What students could run themselves is shown at once; the rest when grades are published."""


def gradescope(grades: Grades, *, wish: Wish) -> Export:  # noqa: ARG001 - it has no options
    """A `results.json` for each submission, by its name."""
    files, left = {}, []
    for graded in grades.results:
        name = graded.submission.name
        files[f"{name}.json"] = results_json(graded, rubric=grades.rubric).encode()
        if _score(graded) is None:
            why = graded.reason or "a check of ours failed: there is no score"
            left.append(Line(who=name, why=why))
    done = f"{len(files)} {'file' if len(files) == 1 else 'files'} of results for Gradescope"
    return Export(files=files, done=done, left=tuple(left))


def results_json(graded: Graded, *, rubric: Rubric) -> str:
    """The whole file of one submission; without any score where a person is needed for one."""
    score = _score(graded)
    tests = [test for item in _items(graded) for test in _tests(item, scored=score is not None)]
    whole: dict[str, Any] = {
        "output": _output(graded, score=score),
        "stdout_visibility": "hidden",
        "execution_time": _seconds(graded),
        "tests": tests,
        "extra_data": {
            "assignment": storable(rubric.id),
            "submission": storable(graded.submission.name),
            "status": graded.status,
        },
    }
    if score is not None:
        whole["score"] = rounded(score)
    return escaped(json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"


def _items(graded: Graded) -> tuple[ItemScore, ...]:
    return graded.score.items if graded.score else ()


def _automatic(graded: Graded) -> list[ItemScore]:
    return [item for item in _items(graded) if item.item.kind == "auto"]


def _score(graded: Graded) -> Fraction | None:
    """The points of automatic items; None where one of them waits, or nothing could be graded."""
    earned = [item.earned for item in _automatic(graded)]
    known = [points for points in earned if points is not None]
    return sum(known, NOTHING) if graded.score and len(known) == len(earned) else None


def _output(graded: Graded, *, score: Fraction | None) -> str:
    if graded.score is None:
        reason = graded.reason or "no reason was recorded"
        return storable(f"This could not be graded; a person will look at it.\n{reason}")
    possible = rounded(sum((item.item.points for item in _automatic(graded)), NOTHING))
    lines = [f"Checks of your code are worth {possible} points."]
    findings = [finding for item in _automatic(graded) for finding in item.findings]
    if not all(map(_may_be_seen, findings)):
        lines.append("Those that are not shown here are shown with your grade.")
    if score is None:
        lines = ["One of our checks failed. It costs you nothing; a person will look at it."]
    written = [item for item in _items(graded) if item.item.kind == "written"]
    if written:
        points = rounded(sum((item.item.points for item in written), NOTHING))
        lines.append(
            f"{len(written)} written answers ({points} points) are read by a person. They are not "
            "in this score."
        )
    return storable("\n".join([*lines, *graded.notes]))


def _tests(item: ItemScore, *, scored: bool) -> Iterator[dict[str, Any]]:
    """What stands for an item: a test for each finding; one for what a person gives or gave."""
    if item.item.kind == "written" or item.mark is not None:
        yield _by_a_person(item, scored=scored)
        return
    for place, finding in enumerate(item.findings, start=1):
        yield _of_finding(finding, number=f"{item.item.id}.{place}", scored=scored)


def _by_a_person(item: ItemScore, *, scored: bool) -> dict[str, Any]:
    automatic = item.item.kind == "auto"
    test: dict[str, Any] = {
        "name": storable(f"{item.item.id} {item.item.title}"),
        "number": storable(item.item.id),
        "visibility": _SEEN if item.mark is None else _LATER,
        "output": _told(item),
    }
    if automatic and scored and item.earned is not None:
        test |= {"score": rounded(item.earned), "max_score": rounded(item.item.points)}
    return test


def _told(item: ItemScore) -> str:
    possible = rounded(item.item.points)
    if item.mark is None or item.earned is None:
        return f"A person reads this answer. It is worth up to {possible} points."
    said = (f"{rounded(item.earned)} of {possible} points, given by a person.", item.mark.comment)
    return storable("\n".join(filter(None, (*said, item.mark.reason))))


def _of_finding(finding: Finding, *, number: str, scored: bool) -> dict[str, Any]:
    test: dict[str, Any] = {
        "name": storable(finding.title),
        "number": storable(number),
        "visibility": _SEEN if _may_be_seen(finding) else _LATER,
        "output": _explained(finding),
    }
    judged = finding.verdict not in {Verdict.ERROR, Verdict.PENDING}
    if scored and judged:
        right = finding.verdict is Verdict.PASSED
        test |= {
            "score": rounded(finding.earned),
            "max_score": rounded(finding.possible),
            "status": "passed" if right else "failed",
        }
    return test


def _may_be_seen(finding: Finding) -> bool:
    """Whether it is public, and so is what it says: what blocks it may be a check that is not."""
    blocked = finding.verdict is Verdict.BLOCKED
    return finding.public and (not blocked or finding.blocked_by.startswith("cell "))


def _explained(finding: Finding) -> str:
    parts = (
        ("Blocked by", finding.blocked_by),
        ("Expected", finding.expected),
        ("Found", finding.found),
        ("Try", finding.hint),
    )
    if finding.verdict is Verdict.ERROR:
        return "This check of ours failed. It costs you nothing; a person will look at it."
    return storable("\n".join(f"{label}: {text}" for label, text in parts if text))


def _seconds(graded: Graded) -> float:
    """How long its cells ran."""
    spent = (run.seconds for run in graded.record.cells)
    return round(sum(one for one in spent if math.isfinite(one)), 2)
