"""What marks come to: a row of the ledger, an item and what its criteria are worth, to points."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from grader import scoring
from grader.gradebook.ledger_rows import Row, WeightRow
from grader.model import Answer, Finding, Graded, Item, ItemScore, Mark

NOTHING = Fraction(0)
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


def weights_of(rows: Iterable[WeightRow], assignment: str) -> Weights:
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


def weighed(item: Item, *, weights: Weights) -> Item:
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
        (one for one in (graded.score.items if graded.score else ()) if one.item.id == item_id),
        None,
    )
    if score is None:
        raise KeyError(item_id)
    if score.item.kind == "written":
        return digest_of(graded.answers.get(item_id))
    return _digest(_of_findings(score.findings))


def digest_of(answer: Answer | None) -> str:
    """What stands for a written answer."""
    return _digest(_of_answer(answer))


def _of_answer(answer: Answer | None) -> Iterator[str]:
    yield "written"
    if answer is not None:
        lines = (line.rstrip() for line in answer.text.strip().splitlines())
        yield "\n".join(lines)
        for image in answer.images:
            yield image.mime
            yield image.base64
    else:
        yield ""


def _of_findings(findings: Iterable[Finding]) -> Iterator[str]:
    yield "auto"
    for finding in findings:
        yield finding.code
        yield finding.verdict.value
        yield str(finding.earned)
        yield str(finding.possible)


def _digest(parts: Iterable[str]) -> str:
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()


def criteria_of(row: Row) -> tuple[tuple[str, Fraction], ...]:
    """The criteria that were met, each with what it was worth when the mark was given."""
    return tuple((name, Fraction(worth)) for name, worth in json.loads(row.criteria))


def base(item: Item) -> Fraction:
    """What an answer has before criteria: all, where every criterion takes points off; else 0."""
    takes = item.criteria and all(criterion.points <= 0 for criterion in item.criteria)
    return item.points if takes else NOTHING


def points_of(row: Row, *, item: Item | None) -> Fraction:
    """What a mark comes to.

    Args:
        row: the mark. A criterion that the rubric no longer has counts as it did when it was given.
        item: its item with its criteria at what they are worth now; None where it is gone, and the
            mark comes to what it came to when it was given.
    """
    if item is None:
        return Fraction(row.came_to)
    if row.points is not None:
        return scoring.within(Fraction(row.points), item=item)
    worth = {criterion.id: criterion.points for criterion in item.criteria}
    met = sum((worth.get(name, then) for name, then in criteria_of(row)), start=NOTHING)
    return scoring.within(base(item) + met + Fraction(row.adjustment), item=item)


def mark_of(row: Row, *, item: Item | None) -> Mark:
    """A row of the ledger as a mark, worth what it is worth now."""
    points = points_of(row, item=item)
    start = NOTHING if item is None else base(item)
    beside = Fraction(row.adjustment) if row.points is None else points - start
    return Mark(
        points=points,
        by=row.marker,
        at=row.made_at,
        comment=row.comment,
        criteria=tuple(name for name, _ in criteria_of(row)),
        adjustment=beside,
        reason=row.reason,
        number=row.number,
    )


def applied(graded: Graded, *, rows: Iterable[Row], weights: Weights) -> Graded:
    """The grade with the marks that count, and with those that were given to another answer."""
    if graded.score is None:
        return graded
    items = {one.item.id: weighed(one.item, weights=weights) for one in graded.score.items}
    marks: dict[str, Mark] = {}
    outdated: dict[str, Mark] = {}
    for row in rows:
        if row.item in items:
            fits = row.answer == answer_digest(graded, row.item)
            (marks if fits else outdated)[row.item] = mark_of(row, item=items[row.item])
    if not (marks or outdated or weights):
        return graded
    score = scoring.with_marks(graded.score, marks=marks, outdated=outdated, items=items)
    asked = scoring.attention(graded.score)
    others = (flag for flag in graded.flags if flag not in asked)
    return replace(graded, score=score, flags=(*scoring.attention(score), *others))


def unmarked(graded: Graded) -> Graded:
    """The grade as a machine came to it."""
    if graded.score is None or not any(_is_marked(one) for one in graded.score.items):
        return graded
    score = scoring.with_marks(graded.score, marks={})
    asked = scoring.attention(graded.score)
    others = (flag for flag in graded.flags if flag not in asked)
    return replace(graded, score=score, flags=(*scoring.attention(score), *others))


def _is_marked(one: ItemScore) -> bool:
    return one.mark is not None or one.outdated is not None
