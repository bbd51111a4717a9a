"""The marking form: an answer, what helps to judge it, and the form for its mark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from markupsafe import Markup

from grader.gradebook import NewMark, ledger
from grader.gradebook.mark_points import total_points
from grader.model import Finding, Graded, Item, Mark
from grader.report.cell_labels import CellLabels, rename_cells
from grader.report.code_listing import highlight_code
from grader.report.exhibit import ExhibitView, unique_exhibits
from grader.report.markdown_html import render_markdown
from grader.report.saved_outputs_view import QuotesView, quotes_view
from grader.report.student_report import (
    AnswerView,
    CodeView,
    FindingLine,
    answer_view,
    finding_line,
)
from grader.report.text_format import format_number, one_line
from grader.similarity import Agreement, Suggestion, measure_agreement
from grader.similarity.suggestions import LIKELY
from grader.web.answer_index import IndexedAnswer
from grader.web.console import Console, Visit
from grader.web.marking_queue import QueueItem
from grader.web.page_rendering import signed_points

MAX_COMMENTS = 12
"""Maximum number of earlier comments that are offered again."""
KEYS = "123456789"
MAX_POINTS = Fraction(1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkingView:
    """What a grader reads before marking an answer."""

    prompt: Markup
    good_answer: Markup
    written: AnswerView | None
    finding_lines: tuple[FindingLine, ...]
    """What checks found, for an automatic item."""
    code: tuple[CodeView, ...]
    exhibits: tuple[ExhibitView, ...]
    """The student's own numbers and charts."""
    related_findings: tuple[Finding, ...]
    """What checks found in the items that the answer is about."""
    earlier_answer: AnswerView | None
    """The answer as it was when it was marked, where it has changed since."""
    cells: CellLabels
    """The names of the notebook's cells."""
    first_cell: int | None = None
    """The first cell of the notebook that the answer is in."""
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
    """A sentence that may meet it, without its Markdown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkForm:
    """The values of the form: from the current mark, or as they were sent and refused."""

    criteria: tuple[str, ...] = ()
    adjustment: str = ""
    comment: str = ""
    reason: str = ""
    points: str = ""
    """The points of an automatic item."""
    no_criterion: bool = False
    """Whether the sender chose that no criterion applies."""

    @classmethod
    def from_mark(cls, mark: Mark | NewMark | None, *, item: Item) -> MarkForm:
        """Return the form for a mark; an empty one without a mark."""
        if mark is None:
            return cls()
        return cls(
            criteria=mark.criteria,
            adjustment=_adjustment_text(mark.adjustment),
            comment=mark.comment,
            reason=mark.reason,
            points="" if mark.points is None else format_number(mark.points),
            no_criterion=item.kind == "written" and not mark.criteria and mark.adjustment == 0,
        )

    @classmethod
    def from_visit(cls, visit: Visit, *, mark: Mark | None = None) -> MarkForm:
        """Return the form that was sent, without what was retired since it was opened.

        Args:
            visit: the request.
            mark: the mark that the answer has: it keeps what it has.
        """
        retired = {c.id for c in visit.item.criteria}
        retired -= {c.id for c in visit.item.criteria_for(mark.criteria if mark else ())}
        return cls(
            criteria=tuple(name for name in visit.fields("criterion") if name not in retired),
            adjustment=visit.field("adjustment"),
            comment=visit.field("comment").replace("\r\n", "\n").strip(),
            reason=visit.field("reason").strip(),
            points=visit.field("points"),
            no_criterion=bool(visit.field("none")),
        )

    @property
    def is_decided(self) -> bool:
        """Whether anything is filled in, so that a slip of a key gives no mark."""
        return bool(self.criteria or parse_points(self.adjustment) or self.no_criterion)

    def to_new_mark(
        self, answer: IndexedAnswer, *, item: Item, by: str, mark: Mark | None = None
    ) -> NewMark:
        """Return what the sender decided; fields that don't belong to the item's kind are ignored.

        Args:
            answer: the answer that is marked.
            item: its item.
            by: the name of the sender.
            mark: the mark that it had. What was taken from all stays in it, unseen, so that it is
                there where that is taken back.
        """
        dropped = {c.id for c in item.criteria if c.retired == "dropped"}
        unseen = [name for name in (mark.criteria if mark else ()) if name in dropped]
        is_auto = item.kind == "auto"
        adjustment = None if is_auto else parse_points(self.adjustment)
        return NewMark(
            submission=answer.submission,
            item=item.id,
            answer_digest=answer.digest,
            by=by,
            criteria=() if is_auto else tuple(dict.fromkeys((*self.criteria, *unseen))),
            adjustment=adjustment or Fraction(0),
            comment=self.comment,
            reason=self.reason,
            points=parse_points(self.points) if is_auto else None,
        )

    def total(self, item: Item) -> Fraction:
        """Return the points of criteria and adjustment in the form."""
        return total_points(
            item,
            criteria=dict.fromkeys(self.criteria, Fraction(0)),
            adjustment=parse_points(self.adjustment) or Fraction(0),
        )


def build_marking_view(console: Console, queue_item: QueueItem, *, item: Item) -> MarkingView:
    """Return all that is shown beside the form."""
    answer, mark = queue_item.answer, queue_item.mark
    graded = rename_cells(console.book.graded(answer.submission))
    own_findings = _findings(graded, (item.id,))
    related = _findings(graded, item.about)
    exhibits = unique_exhibits((*own_findings, *related))
    earlier = None
    if mark is not None and queue_item.state == "outdated" and item.kind == "written":
        earlier = ledger.load_marked_answer(console.book, mark.answer_digest)
    return MarkingView(
        prompt=render_markdown(item.prompt.strip()),
        good_answer=render_markdown(item.good_answer.strip()),
        written=answer_view(graded.answers.get(item.id)) if item.kind == "written" else None,
        finding_lines=tuple(finding_line(finding, exhibits=exhibits) for finding in own_findings),
        code=tuple(
            CodeView(cell=excerpt.cell, text=highlight_code(excerpt.source))
            for excerpt in (graded.code.get(item.id, ()) if item.kind == "auto" else ())
        ),
        exhibits=tuple(exhibits.values()),
        related_findings=related,
        earlier_answer=answer_view(earlier) if earlier else None,
        cells=CellLabels(graded.record.cells),
        first_cell=_first_cell(graded, item),
        quoted_figures=quotes_view(graded.evidence, item.id) if item.about else None,
    )


def _first_cell(graded: Graded, item: Item) -> int | None:
    if item.kind == "written":
        answer = graded.answers.get(item.id)
        return min(answer.cells, default=None) if answer else None
    return min((excerpt.cell for excerpt in graded.code.get(item.id, ())), default=None)


def _findings(graded: Graded, items: Iterable[str]) -> tuple[Finding, ...]:
    item_ids = tuple(items)
    scores = graded.score.items if graded.score else ()
    return tuple(
        f for item_score in scores if item_score.item.id in item_ids for f in item_score.findings
    )


def criterion_choices(
    item: Item, *, form: MarkForm, text: str = "", suggestions: Iterable[Suggestion] = ()
) -> tuple[CriterionChoice, ...]:
    """Return the criteria of an item as switches; a suggestion switches nothing on.

    Args:
        item: the item.
        form: the criteria that are switched on.
        text: the answer that suggestions are about.
        suggestions: sentences of the answer that may meet criteria.
    """
    # Those that are shown are those that count for the agreement below.
    by_criterion = {each.criterion: each for each in suggestions if each.confidence >= LIKELY}
    choices = []
    for position, criterion in enumerate(item.criteria_for(form.criteria)):
        suggestion = by_criterion.get(criterion.id)
        choices.append(
            CriterionChoice(
                id=criterion.id,
                key=KEYS[position : position + 1],
                text=criterion.text,
                points=criterion.points,
                points_text=signed_points(criterion.points),
                selected=criterion.id in form.criteria,
                suggestion=plain_sentence(text[suggestion.span.begin : suggestion.span.end])
                if suggestion
                else "",
            )
        )
    return tuple(choices)


def plain_sentence(source: str) -> str:
    """Return a sentence of an answer on one line, as it reads when its Markdown is rendered."""
    return one_line(render_markdown(source).striptags())


def suggestion_agreement(console: Console, queue: Iterable[QueueItem], *, item: Item) -> Agreement:
    """Return how often suggestions agree with what people decided, over the marks that count.

    Empty answers are left out: there was nothing to read.
    """
    suggestions = console.similarity.suggestions(item)
    likely = {
        name: {each.criterion for each in suggested if each.confidence >= LIKELY}
        for name, suggested in suggestions.items()
    }
    return measure_agreement(
        (
            criterion.id in likely.get(queue_item.answer.submission, ()),
            criterion.id in queue_item.mark.criteria,
        )
        for queue_item in queue
        if queue_item.mark is not None
        and queue_item.state == "marked"
        and queue_item.mark.fixed_points is None
        and not queue_item.answer.empty
        for criterion in item.criteria_for(())
    )


def frequent_comments(queue: Iterable[QueueItem]) -> tuple[str, ...]:
    """Return the comments on other answers, the most frequent first."""
    comments = (queue_item.mark.comment.strip() for queue_item in queue if queue_item.mark)
    counts = Counter(comment for comment in comments if comment)
    return tuple(comment for comment, _ in counts.most_common(MAX_COMMENTS))


def parse_points(text: str) -> Fraction | None:
    """Return points as people type them: '1.5', '\u22121', '+0,5'; None where it is no number."""
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
