"""Looks up the figures that written answers quote in what the notebook printed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from grader.checks.numbers_in_text import Figure, Ledger, figures
from grader.model import Answer, ExecutionRecord, Notebook, Quote

MOST = 40
"""Figures of one answer that are looked up."""
_MAX_ANSWER = 20_000
_MAX_SOURCE = 50_000
"""Characters of a cell's code, or of its output, whose numbers are read."""
_SHOWN = 4
"""Cells named for a figure."""
_MAX_PARENTS = 12
"""Figures of an answer of which two may make a third."""
_LABEL = re.compile(
    r"(?:\b(?:part|parts|q|question|section|figure|fig|table|eq|equation|chapter|exercise|problem"
    r"|task|page|version|python|torch|pytorch|numpy)s?\.?\s{0,2}\(?|[§#])$",
    re.IGNORECASE,
)
"""What stands before a number that is a name."""
_BEFORE = 14
"""Characters before a number in which its label stands."""
_COMMA = re.compile(r"(?<![\w.,])0,(?=\d{2,4}(?![\w,]))")
"""The comma of a decimal as it is written in much of the world: 0,92."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """The numbers of a notebook, by where they stand."""

    saved: Ledger
    fresh: Ledger
    code: Ledger


def quotes(
    notebook: Notebook, *, record: ExecutionRecord, answers: Mapping[str, Answer]
) -> tuple[Quote, ...]:
    """The figures that answers quote, each with where it was found.

    Args:
        notebook: The file with its saved outputs.
        record: What its cells printed in a fresh run.
        answers: What was written.

    Returns:
        A quote for each figure of each answer, in the order in which they stand.
    """
    quoted = {item: quoted_in(answer.text) for item, answer in answers.items()}
    if not any(quoted.values()):
        return ()
    sources = _Sources(
        saved=Ledger.of(
            (c.index, o.text[:_MAX_SOURCE]) for c in notebook.code() for o in c.outputs
        ),
        fresh=Ledger.of((run.index, run.shown) for run in record.cells),
        code=Ledger.of((c.index, c.source[:_MAX_SOURCE]) for c in notebook.code()),
    )
    return tuple(
        quote
        for item, found in quoted.items()
        for quote in _looked_up(found, item=item, sources=sources)
    )


def quoted_in(text: str) -> tuple[Figure, ...]:
    """The figures of an answer: numbers with decimals or a percent sign that name nothing.

    Args:
        text: The answer.

    Returns:
        Each once, in order.
    """
    plain = _COMMA.sub("0.", text[:_MAX_ANSWER])
    found: dict[str, Figure] = {}
    for figure in figures(plain):
        before = plain[max(0, figure.start - _BEFORE) : figure.start]
        if (not figure.whole or figure.percent) and not _LABEL.search(before):
            shown = text[figure.start : figure.start + len(figure.text)]
            kept = replace(figure, text=shown) if "," in shown else figure
            found.setdefault(figure.text.lstrip("+"), kept)
    return tuple(found.values())[:MOST]


def _looked_up(quoted: Sequence[Figure], *, item: str, sources: _Sources) -> Iterator[Quote]:
    made = [
        Quote(
            item=item,
            text=figure.text,
            saved=sources.saved.cells_with(figure)[:_SHOWN],
            fresh=sources.fresh.cells_with(figure)[:_SHOWN],
            code=sources.code.cells_with(figure)[:_SHOWN],
        )
        for figure in quoted
    ]
    parents = [f for f, quote in zip(quoted, made, strict=True) if quote.saved or quote.fresh]
    for figure, quote in zip(quoted, made, strict=True):
        if quote.found:
            yield quote
        else:
            yield replace(quote, worked_out=_difference_of(figure, parents[:_MAX_PARENTS]))


def _difference_of(figure: Figure, parents: Sequence[Figure]) -> str:
    """Two figures of the same answer that differ by this one, or ''."""
    for one, other in permutations(parents, 2):
        exact = abs(figure.value) - (one.value - other.value)
        alike = figure.percent == one.percent == other.percent
        if alike and abs(exact) <= max(one.unit, other.unit, figure.unit / 2):
            return f"{one.text} \u2212 {other.text}"
    return ""
