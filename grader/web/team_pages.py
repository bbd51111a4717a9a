"""Handles the team: who marks what, their progress, and who may sign in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from grader.gradebook import team
from grader.report.text_format import one_line
from grader.web.console import Visit
from grader.web.marking import Progress, count_progress
from grader.web.marking_queue import QueueFilter, QueueItem, Viewer, filter_queue
from grader.web.page_rendering import render_page
from grader.web.passwords import MIN_PASSWORD_LENGTH, hash_password

MAX_NAME_LENGTH = 60
"""Characters of a grader's name."""


def show_team(visit: Visit, *, error_message: str = "") -> Response:
    """Show who marks what, and why a form that was sent is refused."""
    console = visit.console
    queues = console.queues()
    mark_counts = Counter(
        queue_item.mark.by
        for queue in queues.values()
        for queue_item in queue
        if queue_item.mark is not None
    )
    shares = team.list_shares(console.book)
    registered = team.registered_graders(console.book)
    submissions = console.answer_index.submissions()
    return render_page(
        visit,
        "team.html",
        error_message=error_message,
        names=sorted(
            {*mark_counts, *registered, visit.session.name, *(name for name, _, _ in shares)}
        ),
        registered=registered,
        mark_counts=mark_counts,
        shares=shares,
        progress={
            (item, section): _count_section(visit, section, queues.get(item, ()))
            for _, item, section in shares
        },
        titles={item.id: item.title for item in console.rubric.items},
        items=tuple(item for item in console.rubric.items if item.kind == "written"),
        sections=sorted(
            {section for submission in submissions.values() for section in submission.sections}
        ),
        shortest=MIN_PASSWORD_LENGTH,
    )


def _count_section(visit: Visit, section: str, queue: Sequence[QueueItem]) -> Progress:
    """Return the progress of the answers of one section; '' means all sections."""
    viewer = Viewer(
        name="",
        names_shown=False,
        sections=frozenset({section}),
        submissions=visit.console.answer_index.submissions(),
    )
    return count_progress(filter_queue(queue, queue_filter=QueueFilter(show="part"), viewer=viewer))


def _require_owner(visit: Visit) -> None:
    if not visit.session.owner:
        raise HTTPException(
            403, "Only the grader who started the console can assign work and add graders."
        )


def add_share(visit: Visit) -> Response:
    """Assign an item, or a section of one, to somebody."""
    _require_owner(visit)
    name, item = one_line(visit.field("name"))[:MAX_NAME_LENGTH], visit.field("item")
    if not name or not any(item == rubric_item.id for rubric_item in visit.console.rubric.items):
        return show_team(visit, error_message="Choose a grader and a question.")
    section = one_line(visit.field("section"))
    team.add_share(visit.console.book, name, item, section=section)
    visit.session.message = (
        f"Assigned {item}{f', section {section},' if section else ''} to {name}."
    )
    return RedirectResponse("/team", 303)


def remove_share(visit: Visit) -> Response:
    """Take an item, or a section of one, from somebody."""
    _require_owner(visit)
    name_and_item = visit.field("name"), visit.field("item")
    team.remove_share(visit.console.book, *name_and_item, section=visit.field("section"))
    return RedirectResponse("/team", 303)


def admit_grader(visit: Visit) -> Response:
    """Let somebody sign in by name and password, or change their password."""
    _require_owner(visit)
    name, password = one_line(visit.field("name"))[:MAX_NAME_LENGTH], visit.field("password")
    if not name or len(password) < MIN_PASSWORD_LENGTH:
        message = f"Enter a name, and a password of at least {MIN_PASSWORD_LENGTH} characters."
        return show_team(visit, error_message=message)
    team.register_grader(visit.console.book, name, secret=hash_password(password))
    visit.console.sessions.end_all_of(name)
    visit.session.message = f"{name} has access with that password."
    return RedirectResponse("/team", 303)


def dismiss_grader(visit: Visit) -> Response:
    """Let somebody sign in no longer; marks they gave stay."""
    _require_owner(visit)
    name = visit.field("name")
    if name == visit.session.name:
        return show_team(visit, error_message="You can't revoke your own access.")
    team.remove_grader(visit.console.book, name)
    visit.console.sessions.end_all_of(name)
    visit.session.message = f"{name} no longer has access. What they graded stays."
    return RedirectResponse("/team", 303)
