"""Looks up the numbers that written answers quote in what the notebook printed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from grader.checks.numbers_in_text import NumberIndex, TextNumber, read_numbers
from grader.model import Answer, ExecutionRecord, Notebook, QuotedNumber

MAX_QUOTES = 40
"""Maximum numbers of one answer that are looked up."""
_MAX_ANSWER = 20_000
_MAX_SOURCE = 50_000
"""Maximum characters of a cell's code, or of an output, whose numbers are read."""
_MAX_CELLS = 4
"""Maximum cells named for a number."""
_MAX_OPERANDS = 12
"""Maximum numbers of an answer of which two may make a third."""
_LABEL = re.compile(
    r"(?:\b(?:part|parts|q|question|section|figure|fig|table|eq|equation|chapter|exercise|problem"
    r"|task|page|version|python|torch|pytorch|numpy)s?\.?\s{0,2}\(?|[§#])$",
    re.IGNORECASE,
)
"""Matches the word before a number that is a name: 'Figure'."""
_LABEL_LENGTH = 14
"""Characters before a number in which its label is looked for."""
_DECIMAL_COMMA = re.compile(r"(?<![\w.,])0,(?=\d{2,4}(?![\w,]))")
"""Matches a decimal comma: 0,92."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sources:
    """The numbers of a notebook, by where they are shown."""

    saved: NumberIndex
    fresh: NumberIndex
    code: NumberIndex


def find_quotes(
    notebook: Notebook, *, record: ExecutionRecord, answers: Mapping[str, Answer]
) -> tuple[QuotedNumber, ...]:
    """Return the numbers that answers quote, each with the cells that show it.

    Args:
        notebook: The file with its saved outputs.
        record: What its cells printed in a fresh run.
        answers: The written answers, by item.
    """
    numbers_by_item = {item: quoted_numbers(answer.text) for item, answer in answers.items()}
    if not any(numbers_by_item.values()):
        return ()
    sources = _Sources(
        saved=NumberIndex.from_texts(
            (c.index, o.text[:_MAX_SOURCE]) for c in notebook.code_cells() for o in c.outputs
        ),
        fresh=NumberIndex.from_texts((run.index, run.shown) for run in record.cells),
        code=NumberIndex.from_texts(
            (c.index, c.source[:_MAX_SOURCE]) for c in notebook.code_cells()
        ),
    )
    return tuple(
        quote
        for item, numbers in numbers_by_item.items()
        for quote in _look_up_numbers(numbers, item=item, sources=sources)
    )


def quoted_numbers(text: str) -> tuple[TextNumber, ...]:
    """Return an answer's numbers with decimals or a percent sign that name nothing, each once."""
    plain = _DECIMAL_COMMA.sub("0.", text[:_MAX_ANSWER])
    numbers: dict[str, TextNumber] = {}
    for number in read_numbers(plain):
        before = plain[max(0, number.start - _LABEL_LENGTH) : number.start]
        if (not number.is_integer or number.percent) and not _LABEL.search(before):
            shown = text[number.start : number.start + len(number.text)]
            as_written = replace(number, text=shown) if "," in shown else number
            numbers.setdefault(number.text.lstrip("+"), as_written)
    return tuple(numbers.values())[:MAX_QUOTES]


def _look_up_numbers(
    quoted: Sequence[TextNumber], *, item: str, sources: _Sources
) -> Iterator[QuotedNumber]:
    direct_quotes = [
        QuotedNumber(
            item=item,
            text=number.text,
            saved=sources.saved.cells_showing(number)[:_MAX_CELLS],
            fresh=sources.fresh.cells_showing(number)[:_MAX_CELLS],
            code=sources.code.cells_showing(number)[:_MAX_CELLS],
        )
        for number in quoted
    ]
    operands = [
        f for f, quote in zip(quoted, direct_quotes, strict=True) if quote.saved or quote.fresh
    ]
    for number, quote in zip(quoted, direct_quotes, strict=True):
        if quote.is_supported:
            yield quote
        else:
            yield replace(quote, worked_out=_find_difference(number, operands[:_MAX_OPERANDS]))


def _find_difference(number: TextNumber, operands: Sequence[TextNumber]) -> str:
    """Return two numbers of the same answer that differ by this one, or ''."""
    for left, right in permutations(operands, 2):
        error = abs(number.value) - (left.value - right.value)
        same_unit = number.percent == left.percent == right.percent
        if same_unit and abs(error) <= max(left.unit, right.unit, number.unit / 2):
            return f"{left.text} \u2212 {right.text}"
    return ""
