"""Finds what students add to an answer in another cell: 'Q1.1, continued: …' at the end.

Where every question has an answer, numbers within answers are the answers' own words. A cell that
opens with the number of a question that stands elsewhere goes on with that one's answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from grader.model import Item
from grader.notebook.fallback_search import SearchedText
from grader.notebook.handout import Handout
from grader.notebook.label_search import items_by_numbers
from grader.notebook.markdown_words import split_words
from grader.notebook.number_labels import NOISE, NumberLabel, match_end, read_number_label
from grader.notebook.prompt_search import Anchor

MAX_POINTER_WORDS = 20
"""The most words of an answer that only says where the answer is."""
_POINTER = re.compile(
    r"(?<!we\s)(?<!I\s)(?<!can\s)\b(?:see|look|refer|scroll|answer(?:s|ed)?|response|written|wrote"
    r"|continued|moved\sto)\b.{0,60}\b(?:below|above|end|bottom|(?:last|next|final|following|other"
    r"|separate)\s(?:cell|section|part)s?|elsewhere|appendix)\b",
    re.IGNORECASE | re.DOTALL,
)
_KIND = r"answers?|additions?|addendum|corrections?|continuation|updates?|edit|notes?|p\.?s\.?|more"
_LEAD = re.compile(
    rf"(?:(?:revised|updated|corrected|final|new|further)\s{{1,2}})?(?:{_KIND})\s{{1,2}}"
    r"(?:to|for|of|on|about)\s{1,2}(?:(?:my|our|the)\s{1,2})?(?:answers?\s{1,2}(?:to|for|of)\s{1,2})?",
    re.IGNORECASE,
)
"""Matches what stands before a number: 'Revised answer to Q2.1', 'Correction for Q2.2:'."""
_TAIL = re.compile(
    r"[\s,;:(\[*_–—-]{1,5}(?:continu\w{2,6}|cont\b\.?|cont['\u2019]d|addition(?:al)?|addendum|revised|"  # noqa: RUF001
    r"revision|correct(?:ed|ion)|updated?|again|p\.?s\b\.?|(?:2nd|second)\s(?:part|half))(?!\w)"
    r"[.)\]*_]{0,4}\s{0,2}[:.–—-]?",  # noqa: RUF001
    re.IGNORECASE,
)
"""Matches what stands behind one: 'Q1.2 (continued)', 'Q1.1 cont.:'."""


def only_points_elsewhere(text: str) -> bool:
    """Return whether an answer only says where the answer is: 'see the end of the notebook'."""
    return len(text.split()) <= MAX_POINTER_WORDS and _POINTER.search(text) is not None


def find_addition_anchors(
    text: SearchedText, *, items: Sequence[Item], handout: Handout
) -> list[Anchor]:
    """Find the cells that go on with the answer to a question that stands elsewhere.

    Args:
        text: The notebook's text, with all prompts that were found in it.
        items: All items of the rubric.
        handout: The handout's lines.

    Returns:
        An anchor for each number that opens a cell, or is a heading, away from its question.
    """
    item_by_numbers = items_by_numbers([item for item in items if item.prompt])
    prompt_lines, anchors = text.prompt_lines(), []
    for number, (first, _) in text.word_spans().items():
        line = text.lines[number].text
        if number in prompt_lines or handout.has_exactly(line):
            continue
        label = read_addition_label(line) if _may_open(number, text) else None
        item = item_by_numbers.get(label.numbers) if label else None
        above = [anchor for anchor in text.anchors if anchor.first <= first]
        if label is None or item is None or not above or above[-1].item == item:
            continue
        last = first + label.word_count
        anchors.append(Anchor(item=item, first=first, last=last, ratio=1.0, is_label=True))
    return anchors


def read_addition_label(line: str) -> NumberLabel | None:
    """Return the number that a line opens with, if it is set off or said to be an addition's."""
    start = match_end(NOISE, line, 0)
    core = match_end(_LEAD, line, start)
    rest = line if core == start else line[core:]
    label = read_number_label(rest)
    if label is None or label.is_bare or label.is_led:
        return None
    words = list(split_words(rest))[: label.word_count]
    end = words[-1].end if words else 0
    tail = _TAIL.match(rest, end)
    if not (label.is_closed or tail or _is_heading(line)):
        return None
    end = (tail.end() if tail else end) + (len(line) - len(rest))
    return label.with_words(sum(word.start < end for word in split_words(line)))


def _may_open(number: int, text: SearchedText) -> bool:
    """Return whether a line is the first with words of its cell, or a heading."""
    line = text.lines[number]
    above = takewhile(lambda other: other.cell == line.cell, reversed(text.lines[:number]))
    return _is_heading(line.text) or not any(split_words(other.text) for other in above)


def _is_heading(line: str) -> bool:
    return line.lstrip().startswith(("#", "<h"))
