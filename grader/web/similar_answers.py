"""Answers that are alike: marked in one go where they say the same, side by side where copied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grader.errors import MarkConflict
from grader.gradebook import NewMark, ledger
from grader.gradebook.mark_points import base_points
from grader.model import Item
from grader.report.text_format import format_count
from grader.similarity import SimilarityGroup, SimilarPair
from grader.similarity.sentences import Span
from grader.web.console import Visit
from grader.web.marking_form import MarkForm, choices, frequent_comments, parse_points, sum_points
from grader.web.marking_queue import QueueItem
from grader.web.page_rendering import render_page


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerGroup:
    """A group of answers, with what people said of each."""

    code: str
    """Of the answer that is most like all others."""
    members: tuple[QueueItem, ...]
    closeness: float
    empty: bool

    @property
    def ungraded(self) -> tuple[QueueItem, ...]:
        """Those that nobody marked."""
        return tuple(queue_item for queue_item in self.members if queue_item.state == "unmarked")


def show_groups(visit: Visit) -> Response:
    """All groups of an item in which more than one answer waits."""
    item = visit.item
    answer_groups = tuple(_answer_groups(visit, item))
    return render_page(
        visit,
        "groups.html",
        item=item,
        crowds=tuple(
            answer_group for answer_group in answer_groups if len(answer_group.members) > 1
        ),
        alone=sum(len(answer_group.members) == 1 for answer_group in answer_groups),
    )


def _answer_groups(visit: Visit, item: Item) -> Iterator[AnswerGroup]:
    queue_items = {
        queue_item.answer.submission: queue_item for queue_item in visit.console.queue(item.id)
    }
    for group in visit.console.similarity.groups(item):
        members = tuple(queue_items[name] for name in group.names if name in queue_items)
        if members:
            yield _answer_group(group, members)


def _answer_group(group: SimilarityGroup, members: tuple[QueueItem, ...]) -> AnswerGroup:
    empty = group.empty and all(queue_item.answer.empty for queue_item in members)
    return AnswerGroup(
        code=members[0].answer.code, members=members, closeness=group.closeness, empty=empty
    )


def show_group(visit: Visit) -> Response:
    """One group: every answer in full, and one form for those that wait."""
    return _render_group(visit, MarkForm())


def _render_group(visit: Visit, form: MarkForm, *, error_message: str = "") -> Response:
    item = visit.item
    answer_group = _find_group(visit, item)
    return render_page(
        visit,
        "group.html",
        status=422 if error_message else 200,
        item=item,
        crowd=answer_group,
        decision=form,
        choices=choices(item, form=form),
        base=base_points(item),
        sum=sum_points(item, form=form),
        comments=frequent_comments(visit.console.queue(item.id)),
        trouble=error_message,
    )


def _find_group(visit: Visit, item: Item) -> AnswerGroup:
    code = visit.path_params["code"]
    matches = (
        answer_group for answer_group in _answer_groups(visit, item) if answer_group.code == code
    )
    answer_group = next(matches, None)
    if answer_group is None:
        raise HTTPException(404, "These answers are no group any more.")
    return answer_group


def save_group_marks(visit: Visit) -> Response:
    """Give all that are ticked and wait the same mark; whatever came between stays."""
    item = visit.item
    answer_group = _find_group(visit, item)
    form = MarkForm(
        criteria=visit.fields("criterion"),
        adjustment=visit.field("adjustment"),
        comment=visit.field("comment").replace("\r\n", "\n").strip(),
        no_criterion=bool(visit.field("none")),
    )
    adjustment = parse_points(form.adjustment)
    ticked = dict(value.partition(" ")[::2] for value in visit.fields("member"))
    members = [
        queue_item for queue_item in answer_group.ungraded if queue_item.answer.code in ticked
    ]
    if adjustment is None:
        return _render_group(visit, form, error_message="Free points are a number.")
    if not (form.criteria or adjustment or form.no_criterion):
        return _render_group(visit, form, error_message="Nothing is chosen.")
    if not members:
        return _render_group(visit, form, error_message="No answer is ticked that waits.")
    unchanged = [
        queue_item
        for queue_item in members
        if ticked[queue_item.answer.code] == queue_item.answer.digest
    ]
    done = _record_marks(visit, item, unchanged, form)
    remaining = len(members) - done
    visit.session.message = (
        f"{format_count(done, singular='answer', plural='answers')} marked alike."
        + (f" {remaining} changed meanwhile and wait." if remaining else "")
    )
    return RedirectResponse(f"/groups/{item.id}", 303)


def _record_marks(visit: Visit, item: Item, members: Sequence[QueueItem], form: MarkForm) -> int:
    """How many were given; the last ones can be undone one by one."""
    graded_names = []
    for queue_item in members:
        new_mark = NewMark(
            submission=queue_item.answer.submission,
            item=item.id,
            answer_digest=queue_item.answer.digest,
            by=visit.session.name,
            criteria=form.criteria,
            adjustment=parse_points(form.adjustment) or base_points(item) * 0,
            comment=form.comment,
        )
        try:
            mark = ledger.add_mark(visit.console.book, new_mark, expected_current=None)
        except MarkConflict:
            continue
        visit.session.recent_marks.append((new_mark.submission, item.id, mark.number))
        graded_names.append(new_mark.submission)
    visit.console.publisher.queue_submissions(graded_names)
    return len(graded_names)


# ---------------------------------------------------------------- nearly the same words


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSegment:
    """A stretch of an answer, and whether it stands in the other, too."""

    text: str
    same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PairView:
    """Two answers in nearly the same words, cut where they are the same."""

    first: QueueItem
    second: QueueItem
    share: float
    words: int
    first_segments: tuple[TextSegment, ...]
    second_segments: tuple[TextSegment, ...]
    teams: tuple[str, str]
    """Whose they are, '' where names are hidden."""


def show_pairs(visit: Visit) -> Response:
    """Pairs across teams, the passages side by side."""
    item = visit.item
    queue_items = {
        queue_item.answer.submission: queue_item for queue_item in visit.console.queue(item.id)
    }
    similar_pairs = visit.console.similarity.pairs(item)
    pair_views = tuple(
        _pair_view(visit, pair, queue_items[pair.first], queue_items[pair.second])
        for pair in similar_pairs
    )
    return render_page(visit, "pairs.html", item=item, twins=pair_views)


def _pair_view(visit: Visit, pair: SimilarPair, first: QueueItem, second: QueueItem) -> PairView:
    answer_index, names_shown = visit.console.answer_index, visit.session.names_shown
    teams = (
        (
            answer_index.submission(pair.first).team_names,
            answer_index.submission(pair.second).team_names,
        )
        if names_shown
        else ("", "")
    )
    return PairView(
        first=first,
        second=second,
        share=pair.share,
        words=pair.words,
        first_segments=tuple(
            _split_text(_compared_text(first), [passage.first for passage in pair.passages])
        ),
        second_segments=tuple(
            _split_text(_compared_text(second), [passage.second for passage in pair.passages])
        ),
        teams=teams,
    )


def _compared_text(queue_item: QueueItem) -> str:
    """What was compared: an answer, or code."""
    return queue_item.answer.text or queue_item.answer.source


def _split_text(text: str, spans: Sequence[Span]) -> Iterator[TextSegment]:
    position = 0
    for span in sorted(spans, key=lambda span: span.begin):
        begin = max(span.begin, position)
        if begin > position:
            yield TextSegment(text=text[position:begin], same=False)
        if span.end > begin:
            yield TextSegment(text=text[begin : span.end], same=True)
        position = max(position, span.end)
    if position < len(text):
        yield TextSegment(text=text[position:], same=False)
