"""Lays out the page of one submission, for the team that handed it in and nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from markupsafe import Markup

from grader.model import Answer, Excerpt, Finding, Graded, ItemScore, Picture, Rubric, Verdict
from grader.report.code_listing import listing
from grader.report.exhibit import Key, Shown, key, unique
from grader.report.id_masking import veiled
from grader.report.lateness_view import late_note
from grader.report.mark_view import Decision, decision
from grader.report.markdown_html import prose
from grader.report.page_template import page
from grader.report.saved_outputs_view import Said, figures, saved
from grader.report.score_bar import parts

_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif"})
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_WAITING = frozenset({Verdict.PENDING, Verdict.ERROR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A finding, and the exhibit it points to, if any."""

    finding: Finding
    exhibit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A piece of the student's code, coloured."""

    cell: int
    text: Markup
    how: str = ""
    """How it was found, where its names did not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A written answer, ready to be read."""

    text: Markup | None
    pictures: tuple[str, ...]
    """Addresses that hold the whole picture."""
    unreadable: int
    """How many attachments are no pictures."""
    doubt: str = ""
    """Why it may not be all of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One item of the page."""

    score: ItemScore
    lost: Fraction
    lines: tuple[Line, ...]
    code: tuple[Code, ...]
    prompt: Markup
    written: Written | None
    quoted: Said | None
    decision: Decision | None


def student_page(graded: Graded, *, rubric: Rubric, show_ids: bool = False) -> str:
    """The report of one submission, a whole page of HTML.

    Args:
        graded: the submission, graded or not gradable.
        rubric: what it was graded by.
        show_ids: whether ids are shown whole; else all but their last two characters is hidden.
    """
    shown = graded if show_ids else veiled(graded)
    late = late_note(graded)
    if graded.score is None:
        return page(
            "ungradable.html", graded=shown, rubric=rubric, late=late, regrade=_regrade(rubric)
        )
    exhibits = unique(finding for item in graded.score.items for finding in item.findings)
    cards = tuple(
        _card(item, graded=graded, rubric=rubric, exhibits=exhibits) for item in graded.score.items
    )
    return page(
        "student.html",
        graded=shown,
        rubric=rubric,
        late=late,
        total=graded.score.total,
        bar=parts(graded.score.total),
        sources={name: parts(tally) for name, tally in graded.score.by_source.items()},
        cards=cards,
        costly=tuple(card for card in cards if card.lost > 0),
        blocked=tuple(card for card in cards if card.score.blocked > 0),
        waiting=_with(cards, verdict=Verdict.PENDING),
        ours=_with(cards, verdict=Verdict.ERROR),
        exhibits=tuple(exhibits.values()),
        shows=saved(graded.evidence),
        regrade=_regrade(rubric),
        cells=frozenset(run.index for run in graded.record.cells),
    )


@lru_cache(maxsize=4)  # the rubric's own words, the same on every page
def _said(markdown: str) -> Markup:
    return prose(markdown)


def _regrade(rubric: Rubric) -> Markup | None:
    """How to ask for another look; None where the rubric doesn't say."""
    how = rubric.marking.regrade_how.strip()
    return _said(how) if how else None


def _with(cards: Iterable[Card], *, verdict: Verdict) -> tuple[Card, ...]:
    return tuple(card for card in cards if card.score.verdict is verdict)


def _card(
    score: ItemScore, *, graded: Graded, rubric: Rubric, exhibits: Mapping[Key, Shown]
) -> Card:
    answer = graded.answers.get(score.item.id)
    wanted = score.item.kind == "written" or answer is not None
    return Card(
        score=score,
        lost=lost(score),
        lines=tuple(_line(finding, exhibits=exhibits) for finding in score.findings),
        code=tuple(_code(excerpt) for excerpt in graded.code.get(score.item.id, ())),
        prompt=_asked(score.item.prompt.strip()),
        written=written(answer) if wanted else None,
        quoted=figures(graded.evidence, score.item.id),
        decision=decision(score, rubric=rubric),
    )


@lru_cache(maxsize=64)  # the rubric's own words, the same on every page
def _asked(prompt: str) -> Markup:
    return prose(prompt)


def lost(score: ItemScore) -> Fraction:
    """Points that were judged and not earned; what waits or is blocked is not among them."""
    if score.earned is None or score.verdict in _WAITING:
        return Fraction(0)
    return max(score.item.points - score.earned - score.blocked, Fraction(0))


def _line(finding: Finding, *, exhibits: Mapping[Key, Shown]) -> Line:
    shown = exhibits.get(key(finding.exhibit)) if finding.exhibit else None
    return Line(finding=finding, exhibit=shown.name if shown else "")


def _code(excerpt: Excerpt) -> Code:
    return Code(cell=excerpt.cell, text=listing(excerpt.source), how=excerpt.how)


def written(answer: Answer | None) -> Written:
    """An answer, ready to be read: inert, and with its pictures in it."""
    if answer is None:
        return Written(text=None, pictures=(), unreadable=0)
    pictures = tuple(address for image in answer.images if (address := _address(image)))
    return Written(
        text=prose(answer.text) if answer.text.strip() else None,
        pictures=pictures,
        unreadable=len(answer.images) - len(pictures),
        doubt=answer.doubt,
    )


def _address(picture: Picture) -> str:
    """The picture as an address that loads nothing, or '' where it is no picture."""
    if picture.mime not in _PICTURES or not _BASE64.fullmatch(picture.base64):
        return ""
    return f"data:{picture.mime};base64,{''.join(picture.base64.split())}"
