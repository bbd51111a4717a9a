"""Writes `results/<submission>.json`, the contract that docs/results.md publishes."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from grader import scoring
from grader.exports.number_format import escape_invisible, replace_surrogates, to_number
from grader.model import (
    CellRun,
    Graded,
    ItemScore,
    Json,
    Lateness,
    Mark,
    Rubric,
    Score,
    Student,
    Tally,
)
from grader.report.flag_text import flag_text

SCHEMA = 1
STUDENT_FIELDS = ("name", "id", "email", "section")
POINTS_FIELDS = ("auto", "marked", "earned", "pending", "blocked", "possible")
LATENESS_FIELDS = ("due", "at", "late_s", "days", "deduction")
FINDING_FIELDS = (
    *("code", "title", "verdict", "earned", "possible"),
    *("expected", "found", "hint", "public", "blocked_by"),
)
PROVENANCE_FIELDS = (
    *("notebook", "rubric", "reference", "grader", "time", "seed_commitment"),
    *("isolation", "level", "versions", "limits"),
)


def result_to_json(graded: Graded, *, rubric: Rubric) -> str:
    """Return one submission as JSON: indented, never NaN, with a line end at the end."""
    return _dump_json(build_result(graded, rubric=rubric))


def class_to_json(
    results: Iterable[Graded], *, rubric: Rubric, missing: Iterable[Student] = ()
) -> str:
    """Return all submissions of a run in one JSON object, each as in its own file.

    Args:
        results: The submissions, which are read one at a time.
        rubric: The assignment.
        missing: Students of the roster who are in no submission.
    """
    return _dump_json(
        {
            "schema": SCHEMA,
            "assignment": replace_surrogates(rubric.id),
            "results": [build_result(graded, rubric=rubric) for graded in results],
            "missing": [_make_plain(_pick(student, STUDENT_FIELDS)) for student in missing],
        }
    )


def build_result(graded: Graded, *, rubric: Rubric) -> dict[str, Json]:
    """Return one submission as the published object."""
    score = graded.score
    reason = (graded.reason or "no reason was recorded") if score is None else None
    result = {
        "schema": SCHEMA,
        "assignment": rubric.id,
        "submission": graded.submission.name,
        "students": [_pick(student, STUDENT_FIELDS) for student in graded.students],
        "status": graded.status,
        "reason": reason,
        "score": _score(graded),
        "items": [_item(item_score, rubric=rubric) for item_score in score.items] if score else [],
        "cells": [_cell(run) for run in graded.record.cells],
        "provenance": _pick(graded.provenance, PROVENANCE_FIELDS) if graded.provenance else {},
        "flags": [flag_text(flag) for flag in graded.flags],
        "notes": [flag_text(note) for note in graded.notes],
        "remarks": graded.submission.remarks,
    }
    plain: dict[str, Json] = _make_plain(result)
    return plain


def _pick(record: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}


def _score(graded: Graded) -> dict[str, Any]:
    tally = graded.score.total if graded.score else None
    points: Mapping[str, Any] = (
        _pick(tally, POINTS_FIELDS) if tally else dict.fromkeys(POINTS_FIELDS)
    )
    late = {"each": [_lateness(late, tally) for late in graded.lateness]}
    return {
        **points,
        "late": late if graded.lateness else None,
        "final": _common_final(graded.score, graded.lateness),
    }


def _common_final(score: Score | None, lateness: tuple[Lateness | None, ...]) -> Fraction | None:
    """Return the final points if they are known and the same for all students."""
    if score is None:
        return None
    finals = {scoring.final_points(score.total, late=late) for late in lateness or (None,)}
    return finals.pop() if len(finals) == 1 else None


def _lateness(late: Lateness | None, tally: Tally | None) -> dict[str, Any] | None:
    if late is None:
        return None
    final = scoring.final_points(tally, late=late) if tally else None
    return {**_pick(late, LATENESS_FIELDS), "final": final}


def _item(score: ItemScore, *, rubric: Rubric) -> dict[str, Any]:
    mark, override = None, None
    if score.mark and score.item.kind == "written":
        mark = _mark(score.mark, score=score, rubric=rubric)
    elif score.mark:
        override = _override(score.mark, score=score, rubric=rubric)
    return {
        **_pick(score.item, ("id", "title", "kind", "source")),
        "possible": score.item.points,
        "earned": score.earned,
        "verdict": score.verdict,
        "mark": mark,
        "override": override,
        "findings": [_pick(finding, FINDING_FIELDS) for finding in score.findings],
    }


def _mark(mark: Mark, *, score: ItemScore, rubric: Rubric) -> dict[str, Any]:
    criteria = score.item.criteria_for(mark.criteria) if scoring.is_given_by_criteria(mark) else ()
    return {
        "points": mark.points,
        "criteria": [
            {**_pick(criterion, ("id", "text", "points")), "met": criterion.id in mark.criteria}
            for criterion in criteria
        ],
        "adjustment": mark.adjustment,
        **_mark_texts(mark, rubric=rubric),
    }


def _override(mark: Mark, *, score: ItemScore, rubric: Rubric) -> dict[str, Any]:
    return {
        "points": mark.points,
        "found": scoring.automatic_points(score),
        **_mark_texts(mark, rubric=rubric),
    }


def _mark_texts(mark: Mark, *, rubric: Rubric) -> dict[str, str]:
    by = mark.by if rubric.marking.show_markers else "staff"
    return {"comment": mark.comment, "reason": mark.reason, "by": by, "at": mark.at}


def _cell(run: CellRun) -> dict[str, Any]:
    error = None
    if run.error is not None:
        where = f" (line {run.error.line})" if run.error.line else ""
        error = f"{run.error.name}: {run.error.message}{where}"
    return {
        "index": run.index,
        "status": run.status,
        "seconds": round(run.seconds, 3) if math.isfinite(run.seconds) else None,
        "error": error,
    }


def _make_plain(value: Any) -> Json:
    """Return fields of records as JSON: points as numbers, texts without lone surrogates."""
    if isinstance(value, Fraction):
        return to_number(value)
    if isinstance(value, str):
        return replace_surrogates(str(value))
    if isinstance(value, Mapping):
        return {_make_plain(key): _make_plain(inner) for key, inner in value.items()}
    return [_make_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _dump_json(plain: Json) -> str:
    return escape_invisible(json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"
