"""Computes the points of marks from the criteria that are met, as they are now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from grader import scoring
from grader.gradebook.criterion_edits import Edits, apply_edits
from grader.model import Answer, Finding, FlagSource, Graded, Item, Mark

ZERO = Fraction(0)


# ---------------------------------------------------------------- what was marked


def answer_digest(graded: Graded, item_id: str) -> str:
    """Return a digest of what is marked; a mark counts for as long as the digest stays the same.

    For a written item it covers the text, without spaces at the ends of lines, the pictures, and
    what is shown where no answer was found; for an automatic one the findings of its checks.

    Raises:
        KeyError: the grade has no such item.
    """
    for item_score in graded.score.items if graded.score else ():
        if item_score.item.id == item_id:
            if item_score.item.kind == "written":
                return digest_answer(graded.answers.get(item_id))
            return _digest(_finding_parts(item_score.findings))
    raise KeyError(item_id)


def digest_answer(answer: Answer | None) -> str:
    """Return the digest of a written answer; a missing answer equals an empty one."""
    text = "" if answer is None else answer.text
    lines = (line.rstrip() for line in text.strip().splitlines())
    images = () if answer is None else answer.images
    image_parts = (part for image in images for part in (image.mime, image.base64))
    unclaimed = () if answer is None else answer.unclaimed
    return _digest(
        ("written", "\n".join(lines), *image_parts, *(excerpt.source for excerpt in unclaimed))
    )


def _finding_parts(findings: Iterable[Finding]) -> Iterator[str]:
    yield "auto"
    for finding in findings:
        yield finding.code
        yield finding.verdict.value
        yield str(finding.earned)
        yield str(finding.possible)


def _digest(parts: Iterable[str]) -> str:
    hasher = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        hasher.update(len(data).to_bytes(8, "big") + data)
    return hasher.hexdigest()


# ---------------------------------------------------------------- points


def base_points(item: Item) -> Fraction:
    """Return the points before criteria: all where every criterion in use deducts, else 0."""
    in_use = [criterion for criterion in item.criteria if not criterion.retired]
    deducts = in_use and all(criterion.points <= 0 for criterion in in_use)
    return item.points if deducts else ZERO


def total_points(item: Item, *, criteria: Mapping[str, Fraction], adjustment: Fraction) -> Fraction:
    """Add up criteria and adjustment, within 0 and the item's points.

    Args:
        item: the item, with its criteria as they are now.
        criteria: the criteria that are met, each with its points in case the item no longer has
            it.
        adjustment: points beside the criteria.
    """
    points_now = {c.id: ZERO if c.retired == "dropped" else c.points for c in item.criteria}
    met = sum((points_now.get(name, points) for name, points in criteria.items()), start=ZERO)
    return scoring.clamp_points(base_points(item) + met + adjustment, item=item)


def price_mark(mark: Mark, *, item: Item | None) -> Mark:
    """Return a mark of the ledger with its current points.

    Args:
        mark: the row. A criterion that the rubric no longer has keeps its former points.
        item: its item, with its criteria as they are now; None where it is gone, and the mark
            keeps the points that it had when it was given.
    """
    if item is None:
        if mark.fixed_points is None:
            return mark
        return replace(mark, adjustment=mark.points)
    if mark.fixed_points is not None:
        points = scoring.clamp_points(mark.fixed_points, item=item)
        # Forms and reports show fixed points as an adjustment with the same sum.
        return replace(mark, points=points, adjustment=points - base_points(item))
    criteria = dict(zip(mark.criteria, mark.criteria_points, strict=True))
    return replace(mark, points=total_points(item, criteria=criteria, adjustment=mark.adjustment))


def apply_marks(graded: Graded, *, marks: Iterable[Mark], edits: Edits) -> Graded:
    """Return a grade with its current marks, and with outdated ones on an earlier answer."""
    if graded.score is None:
        return graded
    items = {
        item_score.item.id: apply_edits(item_score.item, edits=edits)
        for item_score in graded.score.items
    }
    current: dict[str, Mark] = {}
    outdated: dict[str, Mark] = {}
    for mark in marks:
        if mark.item in items:
            is_current = mark.answer_digest == answer_digest(graded, mark.item)
            priced = price_mark(mark, item=items[mark.item])
            (current if is_current else outdated)[mark.item] = priced
    if not (current or outdated or edits):
        return graded
    score = scoring.replace_marks(graded.score, marks=current, outdated=outdated, items=items)
    other_flags = graded.flags_except(FlagSource.SCORE)
    return replace(graded, score=score, flags=(*scoring.score_flags(score), *other_flags))


def remove_marks(graded: Graded) -> Graded:
    """Return the grade without marks, as the checks left it."""
    if graded.score is None or not any(
        item_score.mark or item_score.outdated for item_score in graded.score.items
    ):
        return graded
    score = scoring.replace_marks(graded.score, marks={})
    other_flags = graded.flags_except(FlagSource.SCORE)
    return replace(graded, score=score, flags=(*scoring.score_flags(score), *other_flags))
