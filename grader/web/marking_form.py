"""What lies on a marker's desk: an answer and all that helps to judge it, and what may be given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from markupsafe import Markup

from grader.gradebook import ledger
from grader.gradebook.ledger import Entry
from grader.gradebook.mark_points import base
from grader.model import Finding, Graded, Item
from grader.report.code_listing import listing
from grader.report.exhibit import Key, Shown, key, unique
from grader.report.markdown_html import prose
from grader.report.saved_outputs_view import Said, figures
from grader.report.student_report import Code, Line, Written, written
from grader.report.text_format import number, one_line
from grader.similarity import Agreement, Suggestion, agreement
from grader.similarity.suggestions import LIKELY
from grader.web.console import Console
from grader.web.marking_queue import Place
from grader.web.page_rendering import signed

COMMENTS = 12
"""Earlier comments that are offered again."""
KEYS = "123456789"
MOST = Fraction(1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is read before a mark is given."""

    prompt: Markup
    good: Markup
    written: Written | None
    lines: tuple[Line, ...]
    """What checks found, of an automatic item."""
    code: tuple[Code, ...]
    exhibits: tuple[Shown, ...]
    """The student's own numbers and charts."""
    numbers: tuple[Finding, ...]
    """What checks found of the items that the answer is about."""
    before: Written | None
    """The answer as it was when it was marked, where it is another one now."""
    quoted: Said | None = None
    """The figures that the answer quotes, and where the notebook shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A criterion that can be switched on and off."""

    id: str
    key: str
    """The key that switches it, '' after nine."""
    text: str
    points: Fraction
    said: str
    on: bool
    perhaps: str = ""
    """A sentence that may meet it, as the student wrote it."""
    confidence: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What stands in the form: from the mark there is, or as it was sent and refused."""

    criteria: tuple[str, ...] = ()
    adjustment: str = ""
    comment: str = ""
    reason: str = ""
    points: str = ""
    """Of an automatic item: so many."""
    none: bool = False
    """Whether it was said that no criterion applies."""

    @classmethod
    def of(cls, entry: Entry | None, *, item: Item) -> Decision:
        """The mark that stands."""
        if entry is None:
            return cls()
        mark = entry.mark
        return cls(
            criteria=mark.criteria,
            adjustment=_plain(mark.adjustment),
            comment=mark.comment,
            reason=mark.reason,
            points=number(mark.points),
            none=item.kind == "written" and not mark.criteria and mark.adjustment == 0,
        )


def reading(console: Console, place: Place, *, item: Item) -> Reading:
    """All that lies beside the form."""
    sheet, entry = place.sheet, place.entry
    graded = console.book.graded(sheet.submission)
    own = _findings(graded, (item.id,))
    beside = _findings(graded, item.about)
    exhibits = unique((*own, *beside))
    earlier = None
    if entry is not None and place.state == "outdated" and item.kind == "written":
        earlier = ledger.marked_answer(console.book, entry.answer)
    return Reading(
        prompt=prose(item.prompt.strip()),
        good=prose(item.good_answer.strip()),
        written=written(graded.answers.get(item.id)) if item.kind == "written" else None,
        lines=tuple(_line(finding, exhibits) for finding in own),
        code=tuple(
            Code(cell=piece.cell, text=listing(piece.source))
            for piece in (graded.code.get(item.id, ()) if item.kind == "auto" else ())
        ),
        exhibits=tuple(exhibits.values()),
        numbers=beside,
        before=written(earlier) if earlier else None,
        quoted=figures(graded.evidence, item.id) if item.kind == "written" else None,
    )


def _findings(graded: Graded, items: Iterable[str]) -> tuple[Finding, ...]:
    wanted = tuple(items)
    scores = graded.score.items if graded.score else ()
    return tuple(f for one in scores if one.item.id in wanted for f in one.findings)


def _line(finding: Finding, exhibits: dict[Key, Shown]) -> Line:
    shown = exhibits.get(key(finding.exhibit)) if finding.exhibit else None
    return Line(finding=finding, exhibit=shown.name if shown else "")


def choices(item: Item, *, decision: Decision) -> tuple[Choice, ...]:
    """The criteria of an item as switches."""
    return tuple(
        Choice(
            id=criterion.id,
            key=KEYS[n] if n < len(KEYS) else "",
            text=criterion.text,
            points=criterion.points,
            said=signed(criterion.points),
            on=criterion.id in decision.criteria,
        )
        for n, criterion in enumerate(item.criteria)
    )


def with_suggestions(
    shown: tuple[Choice, ...], console: Console, place: Place, *, item: Item
) -> tuple[Choice, ...]:
    """The switches with the sentences that may meet them; nothing is switched on by them."""
    text = place.sheet.text
    likely = {
        one.criterion: one
        for one in console.likeness.suggestions(item).get(place.sheet.submission, ())
    }
    return tuple(
        replace(
            choice,
            perhaps=one_line(text[likely[choice.id].span.begin : likely[choice.id].span.end]),
            confidence=likely[choice.id].confidence,
        )
        if choice.id in likely
        else choice
        for choice in shown
    )


def agreed(console: Console, places: Iterable[Place], *, item: Item) -> Agreement:
    """How often what was suggested is what people decided, over the marks that stand."""
    found = console.likeness.suggestions(item)
    return agreement(
        (criterion.id in _likely(found.get(place.sheet.submission, ())), criterion.id in met)
        for place in places
        if place.entry is not None and place.state == "marked" and not place.entry.absolute
        for met in (place.entry.mark.criteria,)
        for criterion in item.criteria
    )


def _likely(found: Iterable[Suggestion]) -> frozenset[str]:
    return frozenset(one.criterion for one in found if one.confidence >= LIKELY)


def sum_of(item: Item, *, decision: Decision) -> Fraction:
    """What the form comes to as it stands; the gradebook adds it up again when it is kept."""
    worth = {criterion.id: criterion.points for criterion in item.criteria}
    met = sum((worth.get(name, Fraction(0)) for name in decision.criteria), start=base(item))
    beside = points_said(decision.adjustment) or Fraction(0)
    return min(max(met + beside, Fraction(0)), item.points)


def comments(places: Iterable[Place]) -> tuple[str, ...]:
    """Comments given to other answers, those given most first."""
    given = Counter(
        place.entry.mark.comment.strip()
        for place in places
        if place.entry is not None and place.entry.mark.comment.strip()
    )
    return tuple(comment for comment, _ in given.most_common(COMMENTS))


def points_said(text: str) -> Fraction | None:
    """Points as somebody types them: '1.5', '\u22121', '+0,5'; None where it is no number."""
    plain = text.strip().replace("\u2212", "-").replace(",", ".")
    if not plain:
        return Fraction(0)
    try:
        said = Decimal(plain)
    except InvalidOperation:
        return None
    if not said.is_finite() or abs(said) > MOST:
        return None
    return Fraction(said)


def _plain(points: Fraction) -> str:
    said = number(abs(points))
    return f"-{said}" if points < 0 and said != "0" else ("" if points == 0 else said)
