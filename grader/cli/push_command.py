"""`grade push`: grades and reports to a learning management system, by its API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.exit_codes import DONE, NEEDS_PERSON
from grader.cli.fetch_command import canvas_option, open_requester, show_count
from grader.cli.shared_options import assignment_option, folder_argument

if TYPE_CHECKING:
    from grader.canvas.push_plan import PushPlan
    from grader.canvas.pushing import PushResult
    from grader.exports.export import ListedStudent
    from grader.gradebook import Gradebook
    from grader.submissions.fetch_manifest import CanvasSource


@click.group("push")
def push_group() -> None:
    """Send grades and reports to where students see them."""


@push_group.command("canvas")
@folder_argument
@assignment_option("Rubric it was graded by (default: the default).")
@click.option("--yes", is_flag=True, help="Send; without it, what would be sent is shown.")
@click.option("--no-reports", is_flag=True, help="Send scores alone.")
@click.option("--replace", is_flag=True, help="Send ours where somebody changed it on Canvas, too.")
@canvas_option
def push_canvas_command(
    *,
    folder: Path,
    assignment: str | None,
    yes: bool,
    no_reports: bool,
    replace: bool,
    url: str | None,
) -> None:
    """Send grades to the assignment on Canvas that was fetched; reports go as comments' files.

    Shows old and new scores side by side, and sends nothing without --yes. Nothing is sent for whom
    marks are pending, who is excused, or who submitted again since.

    Exit code 0: done. 1: somebody was left out. 2: nothing could be sent.
    """
    from grader.canvas.push_plan import PushOptions
    from grader.gradebook.run_claim import claim_run
    from grader.pipeline.export_run import open_grades

    requester = open_requester(url)
    from grader.canvas.course import RemoteAssignment
    from grader.canvas.pushing import GradePusher

    with (
        open_grades(folder, root=Path.cwd(), assignment=assignment) as (book, grades, ungraded),
        claim_run(book) if yes else nullcontext(),  # of two pushes at once each would comment
    ):
        source = _find_source(book, grades.rubric.id, folder=folder, url=requester.original_url)
        remote = RemoteAssignment(source, requester=requester)
        pusher = GradePusher(remote, book=book, grades=grades, on_student=show_count("student"))
        push_plan = pusher.plan(PushOptions(reports=not no_reports, replace=replace))
        _print([f"{push_plan.title}, {source.address}", ""])
        _print(_plan_lines(push_plan, ungraded=ungraded))
        refused: tuple[ListedStudent, ...] = ()
        if yes and push_plan.sends:
            result = pusher.send(push_plan)
            refused = result.refused
            _print(_result_lines(result))
        elif push_plan.sends:
            _print(["", f"Nothing was sent. With --yes: {_counts(push_plan)}."])
    raise SystemExit(NEEDS_PERSON if push_plan.left_out or ungraded or refused else DONE)


def _find_source(book: Gradebook, assignment: str, *, folder: Path, url: str) -> CanvasSource:
    """Return where the grades go.

    Raises:
        UsageError: The submissions were not fetched, or from another Canvas than the token's.
    """
    from grader.errors import UsageError
    from grader.gradebook.pushes import load_source

    source = load_source(book, assignment)
    if source is None:
        raise UsageError(
            f"{folder}: was not graded from a folder that `grade fetch canvas` wrote, so nobody "
            "knows which attempts were graded; fetch and grade first, or use `grade export canvas`"
        )
    if source.url != url:
        raise UsageError(f"the submissions are from {source.url}, and the token is for {url}")
    return source


def _plan_lines(push_plan: PushPlan, *, ungraded: tuple[str, ...]) -> Iterator[str]:
    """Yield old and new scores side by side, and who is sent nothing."""
    labels = [push.grade.label for push in push_plan.sends]
    width = max(map(len, labels), default=0)
    for push, label in zip(push_plan.sends, labels, strict=True):
        old = "-" if push.old is None else f"{push.old:.2f}"
        report = "  with report" if push.report else ""
        yield f"{label:{width}}  {old:>8} -> {push.score:>8}{report}"
    if push_plan.current:
        yield f"On Canvas already: {len(push_plan.current)}"
    for title, students in (
        ("No number yet", push_plan.pending),
        ("Left out, for you to look at", push_plan.left_out),
    ):
        yield from _listed(title, students)
    if ungraded:
        yield from ("", f"Not graded yet: {', '.join(ungraded)}")
    yield from ["", *push_plan.notes] if push_plan.notes else []
    if not push_plan.sends:
        yield from ("", "Nothing to send.")


def _listed(title: str, students: tuple[ListedStudent, ...]) -> Iterator[str]:
    if students:
        yield from ("", f"{title} ({len(students)}):")
        yield from (f"  {student.label}: {student.reason}" for student in students)


def _counts(push_plan: PushPlan) -> str:
    from grader.report.text_format import format_count

    scores = sum(push.sends_score for push in push_plan.sends)
    reports = sum(bool(push.report) for push in push_plan.sends)
    return (
        f"{format_count(scores, singular='score')} and {format_count(reports, singular='report')}"
    )


def _result_lines(result: PushResult) -> Iterator[str]:
    from grader.report.text_format import format_count

    scores = format_count(result.scores, singular="score")
    reports = format_count(result.reports, singular="report")
    yield from ("", f"Sent and read back: {scores} and {reports}.")
    yield from _listed("Canvas has something else", result.refused)


def _print(lines: Iterable[str]) -> None:
    from grader.report.text_format import printable

    click.echo(printable("\n".join(lines)))
