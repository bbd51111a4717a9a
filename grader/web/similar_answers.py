"""Handles similar answers: groups that are marked in one go, and pairs shown side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grader.gradebook.mark_points import base_points
from grader.report.text_format import format_count
from grader.similarity.sentences import Span
from grader.web.console import Visit
from grader.web.criteria_pages import find_criteria_change
from grader.web.marking_form import MarkForm, criterion_choices, frequent_comments, parse_points
from grader.web.marking_queue import QueueItem
from grader.web.page_rendering import render_page
from grader.web.step_recording import record_step

TextSegment = tuple[str, bool]
"""A part of an answer, and whether the other answer contains it, too."""
PairSide = tuple[QueueItem, tuple[TextSegment, ...], str]
"""One answer of a pair, its segments, and its students; '' where names are hidden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerGroup:
    """A group of similar answers, each with its mark."""

    members: tuple[QueueItem, ...]
    """The answer that is most similar to all others first."""
    closeness: float
    empty: bool

    @property
    def code(self) -> str:
        """The code of the first answer, which names the group in addresses."""
        return self.members[0].answer.code

    @property
    def ungraded(self) -> tuple[QueueItem, ...]:
        """The members without a mark."""
        return tuple(queue_item for queue_item in self.members if queue_item.state == "unmarked")


def show_groups(visit: Visit) -> Response:
    """Show all groups of more than one answer."""
    groups = _load_groups(visit)
    return render_page(
        visit,
        "groups.html",
        item=visit.item,
        groups=tuple(group for group in groups if len(group.members) > 1),
        single_count=sum(len(group.members) == 1 for group in groups),
        left=any(queue_item.pending for queue_item in visit.console.queue(visit.item.id)),
    )


def _load_groups(visit: Visit) -> list[AnswerGroup]:
    queue = visit.console.queue(visit.item.id)
    queue_items = {queue_item.answer.submission: queue_item for queue_item in queue}
    groups = []
    for group in visit.console.similarity.groups(visit.item):
        members = tuple(queue_items[name] for name in group.names if name in queue_items)
        if members:
            empty = group.empty and all(queue_item.answer.empty for queue_item in members)
            groups.append(AnswerGroup(members=members, closeness=group.closeness, empty=empty))
    return groups


def _find_group(visit: Visit) -> AnswerGroup:
    code = visit.path_params["code"]
    for group in _load_groups(visit):
        if group.code == code:
            return group
    raise HTTPException(404, "These answers are no longer a group.")


def find_group(visit: Visit, name: str) -> AnswerGroup | None:
    """Return the answers that a submission's answer is similar to, with it; None without any."""
    if visit.item.kind != "written":
        return None
    groups = (each for each in _load_groups(visit) if len(each.members) > 1)
    return next((g for g in groups if name in {m.answer.submission for m in g.members}), None)


def show_group(visit: Visit, *, sent: MarkForm | None = None, error_message: str = "") -> Response:
    """Show one group: every answer in full, and one form for those without a mark.

    Args:
        visit: the request.
        sent: the form that was sent, where it is shown again.
        error_message: why it is shown again.
    """
    item, form = visit.item, sent or MarkForm()
    return render_page(
        visit,
        "group.html",
        error_message=error_message,
        item=item,
        group=_find_group(visit),
        form=form,
        choices=criterion_choices(item, form=form),
        base=base_points(item),
        sum=form.total(item),
        comments=frequent_comments(visit.console.queue(item.id)),
    )


def save_group_marks(visit: Visit) -> Response:
    """Give the same mark to all answers that are ticked and not yet marked."""
    item, form = visit.item, MarkForm.from_visit(visit)
    ticked = dict(value.partition(" ")[::2] for value in visit.fields("member"))
    ungraded = _find_group(visit).ungraded
    members = [queue_item for queue_item in ungraded if queue_item.answer.code in ticked]
    if change := find_criteria_change(visit):
        return show_group(visit, sent=form, error_message=change)
    if parse_points(form.adjustment) is None:
        return show_group(
            visit, sent=form, error_message=f"\u201c{form.adjustment[:20]}\u201d is not a number."
        )
    if not members:
        return show_group(visit, sent=form, error_message="Select at least one ungraded answer.")
    if not (form.is_decided or all(member.answer.empty for member in members)):
        return show_group(
            visit, sent=form, error_message="No rubric item is selected. Press 0 if none apply."
        )
    unchanged = [each for each in members if ticked[each.answer.code] == each.answer.digest]
    step = record_step(
        visit,
        ((form.to_new_mark(m.answer, item=item, by=visit.session.name), None) for m in unchanged),
        singular="answer",
        where=item.id,
        path=f"/group/{item.id}/{visit.path_params['code']}",
    )
    remaining = len(members) - len(step.marks)
    subject = format_count(len(step.marks), singular="answer")
    visit.session.message = f"Graded {subject}." + (
        f" {remaining} changed meanwhile: still to grade." if remaining else ""
    )
    return RedirectResponse(f"/groups/{item.id}", 303)


def show_pairs(visit: Visit) -> Response:
    """Show pairs of similar answers across teams, the passages side by side."""
    queue = visit.console.queue(visit.item.id)
    queue_items = {queue_item.answer.submission: queue_item for queue_item in queue}
    submissions = visit.console.answer_index.submissions()

    def side(name: str, spans: Iterable[Span]) -> PairSide:
        team_names = submissions[name].team_names if visit.session.names_shown else ""
        return queue_items[name], tuple(_split_text(queue_items[name], spans)), team_names

    pairs = tuple(
        (
            pair,
            side(pair.first, (passage.first for passage in pair.passages)),
            side(pair.second, (passage.second for passage in pair.passages)),
        )
        for pair in visit.console.similarity.pairs(visit.item)
    )
    return render_page(visit, "pairs.html", item=visit.item, pairs=pairs)


def _split_text(queue_item: QueueItem, spans: Iterable[Span]) -> Iterator[TextSegment]:
    text = queue_item.answer.text or queue_item.answer.source
    position = 0
    for span in sorted(spans, key=lambda span: span.begin):
        begin = max(span.begin, position)
        if begin > position:
            yield text[position:begin], False
        if span.end > begin:
            yield text[begin : span.end], True
        position = max(position, span.end)
    if position < len(text):
        yield text[position:], False
