"""Looks up the numbers that written answers quote in the notebook's outputs and code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import permutations

from grader.checks.numbers_in_text import (
    DECIMAL_COMMA,
    NumberIndex,
    TextNumber,
    read_numbers,
)
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
    cells = notebook.code_cells()
    indexes = (
        NumberIndex.from_texts(
            (cell.index, output.text[:_MAX_SOURCE]) for cell in cells for output in cell.outputs
        ),
        NumberIndex.from_texts((run.index, run.shown) for run in record.cells),
        NumberIndex.from_texts((cell.index, cell.source[:_MAX_SOURCE]) for cell in cells),
    )
    return tuple(
        quote
        for item, numbers in numbers_by_item.items()
        for quote in _look_up_numbers(numbers, item=item, indexes=indexes)
    )


def quoted_numbers(text: str) -> tuple[TextNumber, ...]:
    """Return an answer's numbers with decimals or a percent sign, but not that of 'Table 1.2'."""
    plain = DECIMAL_COMMA.sub("0.", text[:_MAX_ANSWER])
    numbers: dict[str, TextNumber] = {}
    for number in read_numbers(plain):
        before = plain[max(0, number.start - _LABEL_LENGTH) : number.start]
        if (not number.is_integer or number.percent) and not _LABEL.search(before):
            shown = text[number.start : number.start + len(number.text)]
            as_written = replace(number, text=shown) if "," in shown else number
            numbers.setdefault(number.text.lstrip("+"), as_written)
    return tuple(numbers.values())[:MAX_QUOTES]


def _look_up_numbers(
    numbers: Sequence[TextNumber], *, item: str, indexes: Sequence[NumberIndex]
) -> Iterator[QuotedNumber]:
    """Yield the quotes; `indexes` are those of saved outputs, the fresh run and the code."""
    pairs = []
    for number in numbers:
        saved, fresh, code = (index.cells_showing(number)[:_MAX_CELLS] for index in indexes)
        quote = QuotedNumber(item=item, text=number.text, saved=saved, fresh=fresh, code=code)
        pairs.append((number, quote))
    operands = [number for number, quote in pairs if quote.saved or quote.fresh][:_MAX_OPERANDS]
    for number, quote in pairs:
        if quote.is_supported:
            yield quote
        else:
            yield replace(quote, worked_out=_find_difference(number, operands))


def _find_difference(number: TextNumber, operands: Sequence[TextNumber]) -> str:
    """Return the difference of two operands that equals the number, such as '0.9 − 0.8', or ''."""  # noqa: RUF002 (a minus)
    for left, right in permutations(operands, 2):
        error = abs(number.value) - (left.value - right.value)
        same_unit = number.percent == left.percent == right.percent
        if same_unit and abs(error) <= max(left.unit, right.unit, number.unit / 2):
            return f"{left.text} \u2212 {right.text}"
    return ""
