"""Separates a student's words in a notebook from the handout's, the prompts and the labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.model import Cell, Notebook
from grader.notebook.answer_labels import is_placeholder, without_label
from grader.notebook.code_prose import CodeProse, read_code_prose
from grader.notebook.handout import Handout
from grader.notebook.markdown_words import is_section_number, line_key, split_words, visible_lines
from grader.notebook.marked_choices import marked_options, option_left
from grader.notebook.prompt_search import Anchor, StreamWord
from grader.notebook.student_code import is_blank

_MAX_TEXT = 300_000
_OPENING_SIGNS = re.compile(r"\s+(?:-\s*)?[*_(\[]*\Z")
"""Matches the signs that open what stands after them."""
_CLOSING_SIGNS = re.compile(r"\A[^\w\s(\[<$\\!]*")
"""Matches the signs that end what stands before them."""
_LABEL_SIGNS = re.compile(
    r"\A(?:[\s|:]|[\u2013\u2014-]+(?=\s|\Z)|</?t\w[^<>]{0,100}>)+|</t(?:able|body|r|d|h)>"
)
"""Matches what is left of a dash or a table's row between a number and an answer, and after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLine:
    """A line of a notebook's text, or a cell of the handout's code, which ends every answer."""

    cell: int
    text: str
    ends_answer: bool = False
    loose: bool = False
    """Whether it stands among code, so that it is an answer only where one is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A part of a notebook's text as it is read from top to bottom."""

    kind: str
    """'prompt'; 'heading' and 'code', both the handout's; or 'text', the student's."""
    cell: int
    text: str = ""
    """The student's words, or the prompt's item."""
    loose: bool = False
    """Whether it stands among code, as its line does."""
    is_label: bool = False
    """Whether a prompt is only the number before an answer."""


def text_lines(notebook: Notebook, *, handout: Handout) -> list[TextLine]:
    """Return the lines that may hold prompts and answers, up to 300,000 characters.

    These are the lines of text cells, of code cells that hold only words, and words among code.
    """
    lines: list[TextLine] = []
    remaining = _MAX_TEXT
    code_above: set[str] = set()
    for cell in notebook.cells:
        code = {line.strip() for line in cell.source.splitlines() if cell.kind == "code"}
        is_repeat = code <= code_above  # the student's, though it consists of the handout's lines
        code_above |= code
        for line in _cell_lines(cell, handout=handout):
            if line.ends_answer and is_repeat:
                continue
            remaining -= len(line.text) + 1
            if remaining < 0:
                return lines
            lines.append(line)
    return lines


def _cell_lines(cell: Cell, *, handout: Handout) -> Iterator[TextLine]:
    if cell.kind != "code":
        prose = CodeProse(text=visible_lines(cell.source))
    else:
        prose = read_code_prose(cell, handout=handout)
        if not prose.text and not is_blank(cell) and handout.has_code(cell.source):
            yield TextLine(cell=cell.index, text="", ends_answer=True)
    for text in prose.text:
        yield TextLine(cell=cell.index, text=text)
    for text in prose.loose:
        yield TextLine(cell=cell.index, text=text, loose=True)


def page_events(
    lines: Sequence[TextLine],
    *,
    stream: Sequence[StreamWord],
    anchors: Sequence[Anchor],
    prompts: Mapping[str, str],
    handout: Handout,
) -> Iterator[Event]:
    """Yield the parts of a notebook's text from top to bottom.

    Args:
        lines: The notebook's lines.
        stream: Their words.
        anchors: Where the prompts stand in the stream, in order.
        prompts: The prompts by their items.
        handout: The handout's lines.

    Yields:
        Prompts, headings, the handout's code and the student's text; empty lines are empty text.
    """
    anchors_by_line: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        last = max(anchor.first, anchor.last - 1)
        for number in range(stream[anchor.first].line, stream[last].line + 1):
            anchors_by_line.setdefault(number, []).append(anchor)
    for number, line in enumerate(lines):
        line_anchors = anchors_by_line.get(number, ())
        for anchor in line_anchors:
            if anchor.first == anchor.last:
                yield _prompt_event(anchor, line=line)
        spans = [
            span for a in line_anchors if (span := _anchor_span(a, line=number, stream=stream))
        ]
        if line.ends_answer:
            yield Event(kind="code", cell=line.cell)
        elif spans:
            yield from _around_prompts(line, spans=spans, handout=handout)
            yield from _options(line, spans=spans, stream=stream, prompts=prompts)
        else:
            yield _line_event(line, handout=handout)


def _prompt_event(anchor: Anchor, *, line: TextLine) -> Event:
    return Event(kind="prompt", cell=line.cell, text=anchor.item, is_label=anchor.is_label)


def _line_event(line: TextLine, *, handout: Handout) -> Event:
    is_label = without_label(line.text) != line.text or not without_label(line_key(line.text))
    if not is_label and handout.has_heading(line.text):  # '| Answer |' is none
        return Event(kind="heading", cell=line.cell)
    return _text_event(line.text, line=line, handout=handout)


def _text_event(text: str, *, line: TextLine, handout: Handout) -> Event:
    own_words = _own_words(text, handout=handout)
    return Event(kind="text", cell=line.cell, text=own_words, loose=line.loose)


_Span = tuple[int, int, Anchor, bool]
"""The columns that a prompt takes up on a line, the prompt, and whether it begins there."""


def _anchor_span(anchor: Anchor, *, line: int, stream: Sequence[StreamWord]) -> _Span | None:
    words = [word for word in stream[anchor.first : anchor.last] if word.line == line]
    if not words:
        return None
    return words[0].start, words[-1].end, anchor, words[0] is stream[anchor.first]


def _around_prompts(line: TextLine, *, spans: Iterable[_Span], handout: Handout) -> Iterator[Event]:
    """Yield the prompts of a line, and the student's text before and after them."""
    is_handout_line = handout.has_exactly(line.text)
    position = 0
    is_label = False
    for start, end, anchor, begins in spans:
        before = line.text[position:start]
        if is_label and anchor.is_label:
            before = _after_label(before)
        elif position:
            before = _CLOSING_SIGNS.sub("", before).strip()
        if anchor.is_label:
            before = _OPENING_SIGNS.sub("", before)
        # A number, a sign or the handout's words before a prompt are no answer.
        is_own = split_words(before) and not (
            is_handout_line
            or is_section_number(before)
            or handout.has_line_beginning(line_key(before))
        )
        if is_own:
            yield _text_event(before, line=line, handout=handout)
        if begins:
            yield _prompt_event(anchor, line=line)
        position, is_label = end, anchor.is_label
    position = max(position, handout.prefix_end(line.text))
    rest = line.text[position:]
    rest = _after_label(rest) if is_label else _CLOSING_SIGNS.sub("", rest)
    if not is_handout_line and not handout.has_line_ending(line_key(rest)):
        yield _text_event(rest, line=line, handout=handout)


def _options(
    line: TextLine,
    *,
    spans: Iterable[_Span],
    stream: Sequence[StreamWord],
    prompts: Mapping[str, str],
) -> Iterator[Event]:
    """Yield the options that are marked in the prompts of a line, or that alone are left."""
    for start, end, anchor, begins in spans:
        if anchor.is_label or anchor.evidence:
            continue
        for option in marked_options(line.text, start=start, end=end):
            if option not in prompts[anchor.item]:
                yield Event(kind="text", cell=line.cell, text=option)
        words = stream[anchor.first : anchor.last]
        if begins and anchor.ratio < 1 and (word := option_left(prompts[anchor.item], words)):
            yield Event(kind="text", cell=line.cell, text=word.text.capitalize())


def _after_label(text: str) -> str:
    """Return the words after the number before an answer, without the signs around them."""
    return _LABEL_SIGNS.sub("", _CLOSING_SIGNS.sub("", text)).rstrip("| \t")


def _own_words(text: str, *, handout: Handout) -> str:
    """Return the student's part of a piece of text; empty if it has none."""
    if handout.has_exactly(text):
        return ""
    rest = text[handout.prefix_end(text) :]
    if rest == text and handout.has_line(text):
        return ""
    rest = without_label(rest)
    return "" if is_placeholder(rest) else rest.rstrip()
