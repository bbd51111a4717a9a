"""Render the report of one submission, for its own team and nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from markupsafe import Markup

from grader.model import (
    Answer,
    Finding,
    Graded,
    ItemScore,
    Picture,
    Rubric,
    Verdict,
    list_some,
    shorten,
)
from grader.report.cell_labels import CellLabels, rename_cells
from grader.report.code_listing import highlight_code
from grader.report.exhibit import ExhibitKey, ExhibitView, exhibit_key, unique_exhibits
from grader.report.headline import headline
from grader.report.id_masking import mask_ids
from grader.report.lateness_view import late_note
from grader.report.mark_view import MarkView, view_mark
from grader.report.markdown_html import render_markdown
from grader.report.page_template import render_report_page
from grader.report.saved_outputs_view import QuotesView, quotes_view, saved_outputs_view
from grader.report.score_bar import bar_segments

_IMAGE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif"})
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
MAX_TITLES, MAX_TITLE, MAX_FOUND = 2, 70, 140
"""Titles of checks before what they found, and characters of each and of that."""
_UNDECIDED = frozenset({Verdict.PENDING, Verdict.ERROR})


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLine:
    """A finding, and the id of its exhibit on the page ('' for none)."""

    finding: Finding
    exhibit_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeView:
    """A piece of the student's code, highlighted."""

    cell: int
    text: Markup
    how: str = ""
    """How the code was matched to the item; '' if by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """A written answer, ready to be read."""

    text: Markup | None
    pictures: tuple[str, ...]
    """`data:` URLs of those that the text does not show where they stand."""
    unreadable: int
    """How many attachments can't be shown."""
    is_missing: bool = False
    """Whether nothing written or drawn was found."""
    concern: str = ""
    """Why it may not be all of the answer."""
    unclaimed: tuple[tuple[int, Markup], ...] = ()
    """If no answer was found: notebook text that matched no item, by cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCard:
    """One item of the page."""

    score: ItemScore
    lost: Fraction
    finding_lines: tuple[FindingLine, ...]
    code: tuple[CodeView, ...]
    prompt: Markup
    answer: AnswerView | None
    quoted: QuotesView | None
    mark: MarkView | None

    @property
    def passed_lines(self) -> tuple[FindingLine, ...]:
        """What was passed and needs no word more: the page folds these."""
        return tuple(line for line in self.finding_lines if _is_plainly_passed(line.finding))

    @property
    def open_lines(self) -> tuple[FindingLine, ...]:
        """The other findings."""
        return tuple(line for line in self.finding_lines if not _is_plainly_passed(line.finding))

    @property
    def visibility(self) -> str:
        """Whether students can run its checks themselves, or '' where that differs by check."""
        public = {line.finding.public for line in self.finding_lines}
        words = {True: "public checks", False: "hidden checks"}
        return words[public.pop()] if len(public) == 1 else ""

    @property
    def code_cells(self) -> frozenset[int]:
        """The cells whose code stands beside the findings."""
        return frozenset(code.cell for code in self.code)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What cost points and what it is about, each once, in the order of the findings."""
        titles_by_found: dict[str, dict[str, None]] = {}
        for finding in (line.finding for line in self.finding_lines):
            if finding.verdict in {Verdict.FAILED, Verdict.PARTIAL}:
                titles_by_found.setdefault(finding.found, {})[finding.title] = None
        return tuple(
            _name_subject(reason, titles=[*titles]) for reason, titles in titles_by_found.items()
        )


def _is_plainly_passed(finding: Finding) -> bool:
    return finding.verdict is Verdict.PASSED and not finding.hint


def _name_subject(reason: str, *, titles: Sequence[str]) -> str:
    """Return what was found after the titles of the checks that found it: it stands alone."""
    if not reason:
        return list_some(titles, most=MAX_TITLES)
    plain = (title.rstrip(". ") for title in titles)
    # What is said of a hidden test ends with what it asks for.
    added = [t for t in plain if t and not reason.rstrip(". ").endswith(f": {t}")]
    added = [shorten(title, most=MAX_TITLE) for title in added]
    named = f"{list_some(added, most=MAX_TITLES)}: " if added else ""
    return f"{named}{shorten(reason, most=MAX_FOUND)}"


def student_page(graded: Graded, *, rubric: Rubric, show_ids: bool = False) -> str:
    """Render the report as a whole page of HTML.

    Args:
        graded: The submission, graded or ungradable.
        rubric: What it was graded by.
        show_ids: Whether ids are shown whole; else all but their last two characters are hidden.
    """
    graded = rename_cells(graded)
    displayed = graded if show_ids else mask_ids(graded)
    late = late_note(graded)
    cells = CellLabels(graded.record.cells)
    if graded.score is None:
        return render_report_page(
            "ungradable.html",
            graded=displayed,
            rubric=rubric,
            late=late,
            cells=cells,
            regrade=_render_regrade_text(rubric),
        )
    exhibits = unique_exhibits(finding for item in graded.score.items for finding in item.findings)
    cards = tuple(
        _build_card(item, graded=graded, rubric=rubric, exhibits=exhibits)
        for item in graded.score.items
    )
    return render_report_page(
        "student.html",
        graded=displayed,
        rubric=rubric,
        late=late,
        total=graded.score.total,
        headline=headline(graded, total=graded.score.total, late=late),
        bar=bar_segments(graded.score.total),
        sources={name: bar_segments(tally) for name, tally in graded.score.by_source.items()},
        cards=cards,
        costly=tuple(card for card in cards if card.lost > 0),
        blocked=tuple(card for card in cards if card.score.blocked > 0),
        errors=_cards_with(cards, verdict=Verdict.ERROR),
        exhibits=tuple(exhibits.values()),
        saved_outputs=saved_outputs_view(graded.evidence),
        regrade=_render_regrade_text(rubric),
        cells=cells,
    )


def _render_regrade_text(rubric: Rubric) -> Markup | None:
    """Return how to request a regrade, or None where the rubric has no text on it."""
    how = rubric.marking.regrade_how.strip()
    return _render_course_text(how) if how else None


def _cards_with(cards: Iterable[ItemCard], *, verdict: Verdict) -> tuple[ItemCard, ...]:
    return tuple(card for card in cards if card.score.verdict is verdict)


def _build_card(
    score: ItemScore,
    *,
    graded: Graded,
    rubric: Rubric,
    exhibits: Mapping[ExhibitKey, ExhibitView],
) -> ItemCard:
    answer = graded.answers.get(score.item.id)
    shows_answer = score.item.kind == "written" or answer is not None
    return ItemCard(
        score=score,
        lost=lost_points(score),
        finding_lines=tuple(finding_line(finding, exhibits=exhibits) for finding in score.findings),
        code=tuple(
            CodeView(cell=excerpt.cell, text=highlight_code(excerpt.source), how=excerpt.how)
            for excerpt in graded.code.get(score.item.id, ())
        ),
        prompt=_render_course_text(score.item.prompt.strip()),
        answer=answer_view(answer) if shows_answer else None,
        quoted=quotes_view(graded.evidence, score.item.id) if score.item.about else None,
        mark=view_mark(score, rubric=rubric),
    )


@lru_cache(maxsize=64)
def _render_course_text(markdown: str) -> Markup:
    """Render the rubric's own words, which are the same on every page."""
    return render_markdown(markdown)


def lost_points(score: ItemScore) -> Fraction:
    """Return the points that were judged and not earned, without pending and blocked ones."""
    if score.earned is None or score.verdict in _UNDECIDED:
        return Fraction(0)
    return max(score.item.points - score.earned - score.blocked, Fraction(0))


def finding_line(finding: Finding, *, exhibits: Mapping[ExhibitKey, ExhibitView]) -> FindingLine:
    """Pair a finding with the name of its exhibit among those that the page shows."""
    view = exhibits.get(exhibit_key(finding.exhibit)) if finding.exhibit else None
    return FindingLine(finding=finding, exhibit_id=view.name if view else "")


def answer_view(answer: Answer | None) -> AnswerView:
    """Prepare an answer for reading: inert HTML with its pictures embedded."""
    if answer is None:
        return AnswerView(text=None, pictures=(), unreadable=0, is_missing=True)
    addresses = [picture_url(image) for image in answer.images]
    text = render_markdown(answer.text, pictures=addresses) if answer.text.strip() else None
    return AnswerView(
        text=text,
        pictures=tuple(url for url in addresses if url and f'src="{url}"' not in (text or "")),
        unreadable=addresses.count(""),
        is_missing=answer.is_missing,
        concern=answer.concern,
        unclaimed=tuple((each.cell, render_markdown(each.source)) for each in answer.unclaimed),
    )


def picture_url(picture: Picture) -> str:
    """Return the picture as a `data:` URL, or '' where its format can't be shown."""
    if picture.mime not in _IMAGE_TYPES or not _BASE64.fullmatch(picture.base64):
        return ""
    return f"data:{picture.mime};base64,{''.join(picture.base64.split())}"
