"""What marks come to: a row of the ledger, an item and what its criteria are worth, to points."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from grader import scoring
from grader.gradebook.ledger_rows import LedgerRow, WeightRow
from grader.model import Answer, Finding, FlagSource, Graded, Item, ItemScore, Mark

ZERO = Fraction(0)
Criteria = Iterable[tuple[str, Fraction]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What a criterion is worth instead of what the rubric says."""

    item: str
    criterion: str
    points: Fraction
    instead_of: Fraction
    """What the rubric said then; where it says something else now, the rubric counts."""
    by: str
    at: str
    number: int = 0

    def counts(self, rubric_says: Fraction) -> bool:
        """Whether it counts, given what the rubric says now."""
        return rubric_says == self.instead_of


Weights = Mapping[tuple[str, str], Weight]
"""By item and criterion."""


def latest_weights(rows: Iterable[WeightRow], assignment: str) -> Weights:
    """The last weight of each criterion of an assignment; of all where it is not known ('')."""
    return {
        (row.item, row.criterion): Weight(
            item=row.item,
            criterion=row.criterion,
            points=Fraction(row.points),
            instead_of=Fraction(row.instead_of),
            by=row.marker,
            at=row.made_at,
            number=row.number,
        )
        for row in rows
        if not assignment or row.assignment == assignment
    }


def apply_weights(item: Item, *, weights: Weights) -> Item:
    """The item with its criteria at what they are worth now."""
    if not weights:
        return item
    criteria = tuple(
        replace(criterion, points=weight.points)
        if (weight := weights.get((item.id, criterion.id))) and weight.counts(criterion.points)
        else criterion
        for criterion in item.criteria
    )
    return item if criteria == item.criteria else replace(item, criteria=criteria)


def answer_digest(graded: Graded, item_id: str) -> str:
    """What stands for that which is marked: a mark counts for as long as it stays the same.

    Of a written item that is the text, whatever spaces end its lines, and the pictures; of an
    automatic one what its checks concluded.

    Raises:
        KeyError: the grade has no such item.
    """
    score = next(
        (
            item_score
            for item_score in (graded.score.items if graded.score else ())
            if item_score.item.id == item_id
        ),
        None,
    )
    if score is None:
        raise KeyError(item_id)
    if score.item.kind == "written":
        return digest_answer(graded.answers.get(item_id))
    return _digest(_finding_parts(score.findings))


def digest_answer(answer: Answer | None) -> str:
    """What stands for a written answer."""
    return _digest(_answer_parts(answer))


def _answer_parts(answer: Answer | None) -> Iterator[str]:
    yield "written"
    if answer is not None:
        lines = (line.rstrip() for line in answer.text.strip().splitlines())
        yield "\n".join(lines)
        for image in answer.images:
            yield image.mime
            yield image.base64
    else:
        yield ""


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


def met_criteria(row: LedgerRow) -> tuple[tuple[str, Fraction], ...]:
    """The criteria that were met, each with what it was worth when the mark was given."""
    return tuple((name, Fraction(worth)) for name, worth in json.loads(row.criteria))


def base_points(item: Item) -> Fraction:
    """What an answer has before criteria: all, where every criterion takes points off; else 0."""
    deducts = item.criteria and all(criterion.points <= 0 for criterion in item.criteria)
    return item.points if deducts else ZERO


def compute_points(row: LedgerRow, *, item: Item | None) -> Fraction:
    """What a mark comes to.

    Args:
        row: the mark. A criterion that the rubric no longer has counts as it did when it was given.
        item: its item with its criteria at what they are worth now; None where it is gone, and the
            mark comes to what it came to when it was given.
    """
    if item is None:
        return Fraction(row.came_to)
    if row.points is not None:
        return scoring.clamp_points(Fraction(row.points), item=item)
    points_by_id = {criterion.id: criterion.points for criterion in item.criteria}
    met = sum(
        (points_by_id.get(name, points_then) for name, points_then in met_criteria(row)), start=ZERO
    )
    return scoring.clamp_points(base_points(item) + met + Fraction(row.adjustment), item=item)


def mark_from_row(row: LedgerRow, *, item: Item | None) -> Mark:
    """A row of the ledger as a mark, worth what it is worth now."""
    points = compute_points(row, item=item)
    start = ZERO if item is None else base_points(item)
    adjustment = Fraction(row.adjustment) if row.points is None else points - start
    return Mark(
        points=points,
        by=row.marker,
        at=row.made_at,
        comment=row.comment,
        criteria=tuple(name for name, _ in met_criteria(row)),
        adjustment=adjustment,
        reason=row.reason,
        number=row.number,
    )


def apply_marks(graded: Graded, *, rows: Iterable[LedgerRow], weights: Weights) -> Graded:
    """The grade with the marks that count, and with those that were given to another answer."""
    if graded.score is None:
        return graded
    items = {
        item_score.item.id: apply_weights(item_score.item, weights=weights)
        for item_score in graded.score.items
    }
    marks: dict[str, Mark] = {}
    outdated: dict[str, Mark] = {}
    for row in rows:
        if row.item in items:
            is_current = row.answer == answer_digest(graded, row.item)
            (marks if is_current else outdated)[row.item] = mark_from_row(row, item=items[row.item])
    if not (marks or outdated or weights):
        return graded
    score = scoring.with_marks(graded.score, marks=marks, outdated=outdated, items=items)
    other_flags = graded.flags_except(FlagSource.SCORE)
    return replace(graded, score=score, flags=(*scoring.score_flags(score), *other_flags))


def remove_marks(graded: Graded) -> Graded:
    """The grade as a machine came to it."""
    if graded.score is None or not any(_is_marked(item_score) for item_score in graded.score.items):
        return graded
    score = scoring.with_marks(graded.score, marks={})
    other_flags = graded.flags_except(FlagSource.SCORE)
    return replace(graded, score=score, flags=(*scoring.score_flags(score), *other_flags))


def _is_marked(item_score: ItemScore) -> bool:
    return item_score.mark is not None or item_score.outdated is not None
