"""Finds the parts of one list that answer the questions below one heading: '(a) …', '(b) …'.

Only where as many answers are missing as the list has parts, counting the one that the whole list
was taken for. A list below that one's own question has to be long, or to have words of the others'.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from grader.model import Item
from grader.notebook.fallback_search import SearchedText
from grader.notebook.gap_assignment import Unit
from grader.notebook.handout import Handout
from grader.notebook.label_search import header_start
from grader.notebook.markdown_words import count_words, is_heading, split_words, word_stems
from grader.notebook.number_labels import ROMAN, item_numbers, read_number, read_number_label
from grader.notebook.prompt_search import Anchor

_MIN_PARTS, _LONG_LIST = 2, 3
_MAX_MARKS = 500
_MAX_TITLE_WORDS = 6
_MIN_PART_WORDS = 3
"""The least mean words of a part."""
_END_LETTERS = 30
_NUMBER = rf"(?P<number>\d{{1,2}}|[a-h]|[A-H]|{ROMAN}|{ROMAN.upper()})"
_WORD = r"(?:part|pt|teil|parte|partie|answer|ans)\.?\s{1,2}"
_MARK = re.compile(
    rf"[\s>*_#+\u2022-]*(?P<mark>(?i:{_WORD})?(?P<open>[(\[]?){_NUMBER})"
    r"(?P<close>[)\].:]{1,2}|(?=\s[:\u2013\u2014-]\s)|(?=[*_]*\s*$))(?=[*_]{0,3}(?:\s|$|[A-Z]))"
)
_INNER_MARKS = tuple(
    re.compile(rf"{before}[*_#]{{0,3}}(?P<mark>{mark})(?P<close>{close})(?=[*_]{{0,3}}\s)")
    for before, mark, close in (
        (r"\s", rf"(?P<open>[(\[]?){_NUMBER}", r"[)\]]"),
        (r"\s", rf"(?i:{_WORD})(?P<open>[(\[]?){_NUMBER}", r"[)\].:]{1,2}"),
        (r"(?<=[.!?;])\s{1,3}", rf"(?P<open>){_NUMBER}", r"[.:]|(?=\s[:\u2013\u2014-]\s)"),
    )
)
"""Match marks within a line: with a bracket or a word, or with a point behind a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """The number, letter or Roman number before a part."""

    line: int
    start: int
    """The column where it begins, with the word before it: 'Part a'."""
    end: int
    number: int
    form: tuple[str, ...]
    """Its kind, and the signs around it."""
    gap: int
    """How many prompts stand above it."""
    question: tuple[int, ...]
    """The number of the question whose heading stands above it, or ()."""
    begins: bool
    """Whether it opens its line, and only a title or a question stands above it in its cell."""


def find_part_anchors(
    text: SearchedText,
    *,
    items: Sequence[Item],
    empty: Collection[str],
    held: Mapping[str, Sequence[Unit]],
    handout: Handout,
) -> list[Anchor]:
    """Find the marks before the parts of lists that answer as many questions.

    Args:
        text: The notebook's text, with all prompts that were found in it.
        items: All items of the rubric.
        empty: The items that have no answer so far.
        held: The pieces of text that were taken for an answer to each item.
        handout: The handout's lines.

    Returns:
        An anchor for each part.
    """
    written = [item for item in items if item.kind == "written" and item.prompt]
    anchors = sorted(text.anchors, key=lambda anchor: anchor.first)
    spans = text.word_spans()
    read = _read_marks(text, spans=spans, anchors=anchors, handout=handout)
    marks = list(islice(read, _MAX_MARKS + 1))
    if len(marks) > _MAX_MARKS:
        return []
    part_anchors: list[Anchor] = []
    for _, group in groupby(marks, key=lambda mark: (mark.gap, mark.question)):
        for series in _series(list(group)):
            lists = _PartList(text=text, spans=spans, items=written, anchors=anchors, marks=series)
            wanted = lists.find_wanted(empty, held=held)
            part_anchors += lists.to_anchors(wanted)
    return part_anchors


def _read_marks(
    text: SearchedText,
    *,
    spans: Mapping[int, tuple[int, int]],
    anchors: Sequence[Anchor],
    handout: Handout,
) -> Iterator[_Mark]:
    """Yield what may stand before a part in the student's own lines."""
    prompt_lines = text.prompt_lines()
    question: tuple[int, ...] = ()
    cell_above, is_title_above = -1, False
    for number, (first, _) in spans.items():
        line = text.lines[number]
        is_prompt = number in prompt_lines
        is_given = is_prompt or handout.has_exactly(line.text)
        label = None if is_prompt else read_number_label(line.text)
        is_part = not is_given and _MARK.match(line.text) is not None  # '### (a)'
        if label and label.is_question and (label.is_closed or is_heading(line.text)):
            question = question if is_part else label.numbers
        gap = sum(anchor.first <= first for anchor in anchors)
        for match in [] if is_given else _marks_in(line.text):
            sign = match["number"]
            yield _Mark(
                line=number,
                start=match.start("mark"),
                end=match.end("mark"),
                number=read_number(sign),
                form=(_kind(sign), match["open"], match["close"]),
                gap=gap,
                question=question,
                begins=match.re is _MARK and (is_title_above or cell_above != line.cell),
            )
        cell_above = line.cell
        is_title_above = is_given or len(split_words(line.text)) <= _MAX_TITLE_WORDS


def _marks_in(line: str) -> list[re.Match[str]]:
    leading = _MARK.match(line)
    inner = [match for pattern in _INNER_MARKS for match in pattern.finditer(line)]
    inner.sort(key=lambda match: match.start("mark"))
    start = leading.end() if leading else 0
    marks = [leading] if leading else []
    for match in inner:
        if match.start("mark") >= start:
            marks.append(match)
            start = match.end()
    return marks


def _kind(sign: str) -> str:
    if sign.isdigit():
        return "digits"
    kind = "letter" if read_number(sign) and not re.fullmatch(ROMAN, sign.lower()) else "roman"
    return kind if sign.islower() else kind.upper()


def _series(marks: Iterable[_Mark]) -> Iterator[list[_Mark]]:
    """Yield the runs of marks that count on in one form; lists within their parts are left out."""
    series: list[_Mark] = []
    for mark in marks:
        if series and mark.form == series[-1].form and mark.number == series[-1].number + 1:
            series.append(mark)
        elif mark.begins and (not series or mark.form == series[-1].form):
            if len(series) >= _MIN_PARTS:
                yield series
            series = [mark]
    if len(series) >= _MIN_PARTS:
        yield series


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartList:
    """One list of a notebook."""

    text: SearchedText
    spans: Mapping[int, tuple[int, int]]
    items: Sequence[Item]
    """The written ones that are asked for."""
    anchors: Sequence[Anchor]
    marks: Sequence[_Mark]

    def find_wanted(
        self, empty: Collection[str], *, held: Mapping[str, Sequence[Unit]]
    ) -> list[str]:
        """Return the items that the parts answer, in their order; none where that is unsure."""
        group = self._asked_items()
        holder = next((i for i in held if i in group and self._is_in(held[i])), "")
        numbers = [mark.number for mark in self.marks]
        missing = [item for item in group if item in empty or item == holder]
        if numbers[0] > 1:  # '(b) …' and '(c) …' below an answer to the first
            positions = [group.index(item) + 1 for item in missing]
            if positions[1:] == numbers:
                positions, missing = positions[1:], missing[1:]
            if positions != numbers:
                return []
        elif len(missing) != len(numbers):
            return []
        texts = self._part_texts()
        if count_words(" ".join(texts)) < _MIN_PART_WORDS * len(texts):
            return []
        is_below = bool(holder) and self._owner() == holder
        return missing if not is_below or self._fits(missing, texts, holder=holder) else []

    def _asked_items(self) -> list[str]:
        """Return the items of the question that is begun above, else those between prompts."""
        question, gap = self.marks[0].question, self.marks[0].gap
        ids = [item.id for item in self.items]
        if question:
            return [item for item in ids if item_numbers(item)[: len(question)] == question]
        order = {item: position for position, item in enumerate(ids)}
        above = order.get(self.anchors[gap - 1].item, -1) if gap else -1
        below = order.get(self.anchors[gap].item, -1) if gap < len(self.anchors) else len(ids)
        return ids[above + 1 : below]

    def _is_in(self, units: Iterable[Unit]) -> bool:
        line = self.text.lines[self.marks[0].line]
        end = line.text.rstrip()[-_END_LETTERS:]
        return any(unit.cell == line.cell and end in unit.text for unit in units)

    def _owner(self) -> str:
        gap = self.marks[0].gap
        return self.anchors[gap - 1].item if gap else ""

    def _part_texts(self) -> list[str]:
        """Return the text of each part; the last one ends with its cell."""
        lines = self.text.lines
        last = self.marks[-1].line
        while last + 1 < len(lines) and lines[last + 1].cell == lines[last].cell:
            last += 1
        ends = [(mark.line, mark.start) for mark in self.marks[1:]]
        ends.append((last, len(lines[last].text)))
        texts = []
        for mark, (end_line, end_column) in zip(self.marks, ends, strict=True):
            part = [line.text for line in lines[mark.line : end_line + 1]]
            part[-1] = part[-1][:end_column]
            part[0] = part[0][mark.start :]
            texts.append("\n".join(part))
        return texts

    def _fits(self, wanted: Sequence[str], texts: Sequence[str], *, holder: str) -> bool:
        """Return whether parts of a list below one question have words of the others' questions."""
        stems = {item.id: word_stems(item.prompt) for item in self.items}
        own = {
            name: words.difference(*(stems[other] for other in stems if other != name))
            for name, words in stems.items()
        }
        others = [(item, word_stems(part)) for item, part in zip(wanted, texts, strict=True)]
        others = [(item, words) for item, words in others if item != holder]
        for_theirs = sum(len(words & own[item]) for item, words in others)
        for_holder = sum(len(words & own[holder]) for _, words in others)
        is_long = len(wanted) >= _LONG_LIST
        return for_theirs > for_holder or (is_long and for_theirs == for_holder)

    def to_anchors(self, wanted: Sequence[str]) -> Iterator[Anchor]:
        """Yield an anchor before each part, which keeps nothing of its mark."""
        for number, (item, mark) in enumerate(zip(wanted, self.marks, strict=False)):
            start, end = self.spans[mark.line]
            line_words = self.text.stream[start:end]
            first = start + sum(word.start < mark.start for word in line_words)
            last = start + sum(word.start < mark.end for word in line_words)
            if number == 0 and item == self._owner():
                continue
            if number == 0:
                above = self.anchors[mark.gap - 1].last if mark.gap else 0
                first = header_start(mark.line, text=self.text, first=first, above=above)
            yield Anchor(
                item=item,
                first=first,
                last=last,
                ratio=1.0,
                evidence="its place in a list of as many parts as answers were missing",
                is_label=True,
            )
