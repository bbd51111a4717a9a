"""What lies on a marker's desk: an answer and all that helps to judge it, and what may be given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from markupsafe import Markup

from grader.gradebook import ledger
from grader.gradebook.ledger import LedgerEntry
from grader.gradebook.mark_points import base_points
from grader.model import Finding, Graded, Item
from grader.report.code_listing import highlight_code
from grader.report.exhibit import ExhibitKey, ExhibitView, exhibit_key, unique_exhibits
from grader.report.markdown_html import render_markdown
from grader.report.saved_outputs_view import QuotesView, quotes_view
from grader.report.student_report import AnswerView, CodeView, FindingLine, answer_view
from grader.report.text_format import format_number, one_line
from grader.similarity import Agreement, Suggestion, measure_agreement
from grader.similarity.suggestions import LIKELY
from grader.web.console import Console
from grader.web.marking_queue import QueueItem
from grader.web.page_rendering import signed_points

MAX_COMMENTS = 12
"""Earlier comments that are offered again."""
KEYS = "123456789"
MAX_POINTS = Fraction(1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkingView:
    """What is read before a mark is given."""

    prompt: Markup
    good_answer: Markup
    written: AnswerView | None
    finding_lines: tuple[FindingLine, ...]
    """What checks found, of an automatic item."""
    code: tuple[CodeView, ...]
    exhibits: tuple[ExhibitView, ...]
    """The student's own numbers and charts."""
    related_findings: tuple[Finding, ...]
    """What checks found of the items that the answer is about."""
    earlier_answer: AnswerView | None
    """The answer as it was when it was marked, where it is another one now."""
    quoted_figures: QuotesView | None = None
    """The figures that the answer quotes, and where the notebook shows them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionChoice:
    """A criterion that can be switched on and off."""

    id: str
    key: str
    """The key that switches it, '' after nine."""
    text: str
    points: Fraction
    points_text: str
    selected: bool
    suggestion: str = ""
    """A sentence that may meet it, as the student wrote it."""
    confidence: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkForm:
    """What stands in the form: from the mark there is, or as it was sent and refused."""

    criteria: tuple[str, ...] = ()
    adjustment: str = ""
    comment: str = ""
    reason: str = ""
    points: str = ""
    """Of an automatic item: so many."""
    no_criterion: bool = False
    """Whether it was said that no criterion applies."""

    @classmethod
    def from_entry(cls, entry: LedgerEntry | None, *, item: Item) -> MarkForm:
        """The mark that stands."""
        if entry is None:
            return cls()
        mark = entry.mark
        return cls(
            criteria=mark.criteria,
            adjustment=_adjustment_text(mark.adjustment),
            comment=mark.comment,
            reason=mark.reason,
            points=format_number(mark.points),
            no_criterion=item.kind == "written" and not mark.criteria and mark.adjustment == 0,
        )


def build_marking_view(console: Console, queue_item: QueueItem, *, item: Item) -> MarkingView:
    """All that lies beside the form."""
    answer, entry = queue_item.answer, queue_item.entry
    graded = console.book.graded(answer.submission)
    own_findings = _findings(graded, (item.id,))
    related = _findings(graded, item.about)
    exhibits = unique_exhibits((*own_findings, *related))
    earlier = None
    if entry is not None and queue_item.state == "outdated" and item.kind == "written":
        earlier = ledger.load_marked_answer(console.book, entry.answer_digest)
    return MarkingView(
        prompt=render_markdown(item.prompt.strip()),
        good_answer=render_markdown(item.good_answer.strip()),
        written=answer_view(graded.answers.get(item.id)) if item.kind == "written" else None,
        finding_lines=tuple(_finding_line(finding, exhibits) for finding in own_findings),
        code=tuple(
            CodeView(cell=excerpt.cell, text=highlight_code(excerpt.source))
            for excerpt in (graded.code.get(item.id, ()) if item.kind == "auto" else ())
        ),
        exhibits=tuple(exhibits.values()),
        related_findings=related,
        earlier_answer=answer_view(earlier) if earlier else None,
        quoted_figures=quotes_view(graded.evidence, item.id) if item.kind == "written" else None,
    )


def _findings(graded: Graded, items: Iterable[str]) -> tuple[Finding, ...]:
    item_ids = tuple(items)
    scores = graded.score.items if graded.score else ()
    return tuple(
        f for item_score in scores if item_score.item.id in item_ids for f in item_score.findings
    )


def _finding_line(finding: Finding, exhibits: dict[ExhibitKey, ExhibitView]) -> FindingLine:
    exhibit = exhibits.get(exhibit_key(finding.exhibit)) if finding.exhibit else None
    return FindingLine(finding=finding, exhibit=exhibit.name if exhibit else "")


def choices(item: Item, *, form: MarkForm) -> tuple[CriterionChoice, ...]:
    """The criteria of an item as switches."""
    return tuple(
        CriterionChoice(
            id=criterion.id,
            key=KEYS[position] if position < len(KEYS) else "",
            text=criterion.text,
            points=criterion.points,
            points_text=signed_points(criterion.points),
            selected=criterion.id in form.criteria,
        )
        for position, criterion in enumerate(item.criteria)
    )


def add_suggestions(
    options: tuple[CriterionChoice, ...], console: Console, queue_item: QueueItem, *, item: Item
) -> tuple[CriterionChoice, ...]:
    """The switches with the sentences that may meet them; nothing is switched on by them."""
    text = queue_item.answer.text
    by_criterion = {
        suggestion.criterion: suggestion
        for suggestion in console.similarity.suggestions(item).get(queue_item.answer.submission, ())
    }
    return tuple(
        replace(
            choice,
            suggestion=one_line(
                text[by_criterion[choice.id].span.begin : by_criterion[choice.id].span.end]
            ),
            confidence=by_criterion[choice.id].confidence,
        )
        if choice.id in by_criterion
        else choice
        for choice in options
    )


def suggestion_agreement(console: Console, queue: Iterable[QueueItem], *, item: Item) -> Agreement:
    """How often what was suggested is what people decided, over the marks that stand."""
    suggestions = console.similarity.suggestions(item)
    return measure_agreement(
        (
            criterion.id in _likely_criteria(suggestions.get(queue_item.answer.submission, ())),
            criterion.id in met,
        )
        for queue_item in queue
        if queue_item.entry is not None
        and queue_item.state == "marked"
        and not queue_item.entry.absolute
        for met in (queue_item.entry.mark.criteria,)
        for criterion in item.criteria
    )


def _likely_criteria(suggestions: Iterable[Suggestion]) -> frozenset[str]:
    return frozenset(
        suggestion.criterion for suggestion in suggestions if suggestion.confidence >= LIKELY
    )


def sum_points(item: Item, *, form: MarkForm) -> Fraction:
    """What the form comes to as it stands; the gradebook adds it up again when it is kept."""
    points_by_criterion = {criterion.id: criterion.points for criterion in item.criteria}
    met = sum(
        (points_by_criterion.get(name, Fraction(0)) for name in form.criteria),
        start=base_points(item),
    )
    adjustment = parse_points(form.adjustment) or Fraction(0)
    return min(max(met + adjustment, Fraction(0)), item.points)


def frequent_comments(queue: Iterable[QueueItem]) -> tuple[str, ...]:
    """Comments given to other answers, those given most first."""
    counts = Counter(
        queue_item.entry.mark.comment.strip()
        for queue_item in queue
        if queue_item.entry is not None and queue_item.entry.mark.comment.strip()
    )
    return tuple(comment for comment, _ in counts.most_common(MAX_COMMENTS))


def parse_points(text: str) -> Fraction | None:
    """Points as somebody types them: '1.5', '\u22121', '+0,5'; None where it is no number."""
    plain = text.strip().replace("\u2212", "-").replace(",", ".")
    if not plain:
        return Fraction(0)
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value) > MAX_POINTS:
        return None
    return Fraction(value)


def _adjustment_text(points: Fraction) -> str:
    text = format_number(abs(points))
    return f"-{text}" if points < 0 and text != "0" else ("" if points == 0 else text)
