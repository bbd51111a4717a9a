"""Tells the student's words on a notebook's page from the handout's, the prompts and labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from grader.notebook.answer_labels import is_placeholder, without_label
from grader.notebook.handout import Handout
from grader.notebook.markdown_words import is_section_number, line_key, split_words
from grader.notebook.prompt_search import Anchor, StreamWord
from grader.notebook.text_lines import TextLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What the eye meets going down the page: 'prompt', 'heading', 'wall' or 'text'."""

    kind: str
    cell: int
    text: str = ""
    """The words, or the prompt's item."""


def page_events(
    lines: Sequence[TextLine],
    *,
    stream: Sequence[StreamWord],
    anchors: Sequence[Anchor],
    handout: Handout,
) -> Iterator[Event]:
    """A notebook's page from top to bottom.

    Args:
        lines: Its lines.
        stream: Their words.
        anchors: Where the prompts stand in the stream.
        handout: What is the handout's.

    Yields:
        What stands on it; text is the student's alone, and empty lines are empty text.
    """
    spans = _spans(stream, anchors=anchors)
    starting_anchors: dict[int, list[Anchor]] = {}
    wordless_anchors: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        anchors_by_line = starting_anchors if anchor.first < anchor.last else wordless_anchors
        anchors_by_line.setdefault(stream[anchor.first].line, []).append(anchor)
    for number, line in enumerate(lines):
        for anchor in wordless_anchors.get(number, ()):
            yield Event(kind="prompt", cell=line.cell, text=anchor.item)
        if line.ends_answer:
            yield Event(kind="wall", cell=line.cell)
        elif number in spans:
            yield from _around_prompts(
                line,
                spans=spans[number],
                starting=starting_anchors.get(number, ()),
                handout=handout,
            )
        else:
            yield _plain_event(line, handout=handout)


def _spans(
    stream: Sequence[StreamWord], *, anchors: Iterable[Anchor]
) -> dict[int, list[tuple[int, int, int]]]:
    """By line, the columns that prompts take up, and each prompt's first word."""
    spans: dict[int, list[tuple[int, int, int]]] = {}
    for anchor in anchors:
        by_line: dict[int, list[StreamWord]] = {}
        for word in stream[anchor.first : anchor.last]:
            by_line.setdefault(word.line, []).append(word)
        for number, line_words in by_line.items():
            spans.setdefault(number, []).append(
                (line_words[0].start, line_words[-1].end, anchor.first)
            )
    return spans


def _around_prompts(
    line: TextLine,
    *,
    spans: Sequence[tuple[int, int, int]],
    starting: Sequence[Anchor],
    handout: Handout,
) -> Iterator[Event]:
    """Prompts, and what a student wrote on the same line before and after them."""
    items = {anchor.first: anchor.item for anchor in starting}
    is_handout_line = handout.has_exactly(line.text)
    position = 0
    for start, end, first in spans:
        before = line.text[position:start]
        if not is_handout_line and not _leads_in(before, handout=handout):
            yield Event(kind="text", cell=line.cell, text=_own_words(before, handout=handout))
        if first in items:
            yield Event(kind="prompt", cell=line.cell, text=items[first])
        position = end
    position = max(position, handout.prefix_end(line.text))
    closing = re.match(r"[^\w\s(\[<$\\!]*", line.text[position:])
    rest = line.text[position + (closing.end() if closing else 0) :]
    if not is_handout_line and not handout.ends_with(line_key(rest)):
        yield Event(kind="text", cell=line.cell, text=_own_words(rest, handout=handout))


def _leads_in(before: str, *, handout: Handout) -> bool:
    """Whether what stands before a prompt on its line is a number, a mark or the handout's."""
    normalized = line_key(before)
    return (
        not normalized
        or not split_words(before)
        or handout.begins_with(normalized)
        or is_section_number(before)
    )


def _plain_event(line: TextLine, *, handout: Handout) -> Event:
    """A line without a prompt."""
    unlabeled = without_label(line.text)
    if unlabeled == line.text and handout.has_heading(line.text):
        return Event(kind="heading", cell=line.cell)
    return Event(kind="text", cell=line.cell, text=_own_words(line.text, handout=handout))


def _own_words(text: str, *, handout: Handout) -> str:
    """The student's part of a piece of text; empty if it has none."""
    if handout.has_exactly(text):
        return ""
    rest = text[handout.prefix_end(text) :]
    if rest == text and handout.has_line(text):
        return ""
    rest = without_label(rest)
    return "" if is_placeholder(rest) else rest.rstrip()
