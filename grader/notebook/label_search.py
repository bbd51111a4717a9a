"""Finds answers that stand apart from their questions, by the numbers before them.

Only where an answer is missing: 'Q1.2: …' in a list at the notebook's end, a table, a comment, one
paragraph.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice

from grader.model import Item
from grader.notebook.fallback_search import SearchedText
from grader.notebook.handout import Handout
from grader.notebook.markdown_words import is_heading, line_key, split_words
from grader.notebook.number_labels import NumberLabel, item_numbers, read_number_label
from grader.notebook.prompt_search import Anchor

_MIN_WEAK_LABELS = 3
"""The least numbers in order that are labels although no sign follows them: '1.1 Gradients …'."""
_MAX_LABELS = 500
_MAX_STARTS, _MAX_INNER_LABEL = 50, 200
"""The most places within one line that are tried, and the characters that are read there."""
_INNER_START = re.compile(
    r"(?:[.!?;,)*_|][)*_\"']{0,3}\s{1,3}|\s(?=[*_(\[]{1,3}\w))(?=\W{0,3}(?:\w{1,9}\W{1,3}){0,4}\w?\d)"
)
"""Matches what stands before a number within a line: a sentence's end, or a space before signs."""
_SENTENCE = re.compile(r"(?<=[.!?;]\s)[*_(\[]{0,3}(?:[Qq]\s?)?\d{1,2}(?:[._-]?[\da-h]){1,3}\s[A-Z]")
"""Matches a number of several parts that begins a sentence: '… a way back. 1.2 It keeps …'."""
_MIN_COUNTED = 3
_MAX_HEADER_WORDS = 6
_MIN_END = 2
"""The least numbers at the end of an item's that may stand for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Label:
    """A line that begins with a number, and the numbers that stand for it."""

    line: int
    first: int
    """Its first word."""
    label: NumberLabel
    numbers: tuple[int, ...]
    is_inner: bool
    """Whether words of the line stand before it."""
    anchors_above: int
    """How many prompts stand above it: labels with as many are a run."""


def find_label_anchors(
    text: SearchedText, *, items: Sequence[Item], empty: Collection[str], handout: Handout
) -> list[Anchor]:
    """Find the numbers that tell which questions the text below them answers.

    Args:
        text: The notebook's text, with all prompts that were found in it.
        items: All items of the rubric.
        empty: The items that have no answer so far.
        handout: The handout's lines.

    Returns:
        An anchor for each number, where at least one of a run is that of an empty item.
    """
    asked = [item for item in items if item.prompt]
    item_by_numbers = {numbers: item.id for item in asked if (numbers := item_numbers(item.id))}
    written = [item.id for item in asked if item.kind == "written"]
    anchors = sorted(text.anchors, key=lambda anchor: anchor.first)
    spans = text.word_spans()
    read = _read_labels(text, spans=spans, anchors=anchors, handout=handout)
    labels = list(islice(read, _MAX_LABELS + 1))
    if len(labels) > _MAX_LABELS:
        return []
    located: list[tuple[str, _Label]] = []
    for anchors_above, group in groupby(labels, key=lambda each: each.anchors_above):
        numbered = list(group)
        run = _name_run(numbered, item_by_numbers=item_by_numbers)
        above = anchors[anchors_above - 1] if anchors_above else None
        owner = above.item if above else ""
        starts = above is not None and above.last > above.first
        led = owner if above and starts and _shares_line(above, numbered[0], text=text) else ""
        run = _trusted(run, text=text, order=list(item_by_numbers.values()), led=led)
        if not run and len(empty) >= len(written) - 1:
            run = _counted(numbered, written=written)
        if run and run[0][0] == owner:  # it stands below its own question
            run = run[1:]
        if any(item in empty for item, _ in run):
            located += run
    return _to_anchors(located, text=text, spans=spans, anchors=anchors)


def _to_anchors(
    located: Sequence[tuple[str, _Label]],
    *,
    text: SearchedText,
    spans: Mapping[int, tuple[int, int]],
    anchors: Sequence[Anchor],
) -> list[Anchor]:
    cells = [text.lines[each.line].cell for _, each in located]
    anchored = []
    for position, (item, each) in enumerate(located):
        first, (_, end) = each.first, spans[each.line]
        last = min(end, first + each.label.word_count)
        if cells[position] not in cells[:position]:
            above = anchors[each.anchors_above - 1].last if each.anchors_above else 0
            first = header_start(each.line, text=text, first=first, above=above)
        anchored.append(Anchor(item=item, first=first, last=last, ratio=1.0, is_label=True))
    return anchored


def _read_labels(
    text: SearchedText,
    *,
    spans: Mapping[int, tuple[int, int]],
    anchors: Sequence[Anchor],
    handout: Handout,
) -> Iterator[_Label]:
    """Yield the numbers that begin the student's lines, or sentences in them."""
    prompt_ends = {text.stream[a.last - 1].line: a.last for a in anchors if a.last > a.first}
    prompt_lines = text.prompt_lines()
    seen: set[str] = set()
    question: tuple[int, ...] = ()
    for number, (start, _) in spans.items():
        line = text.lines[number].text
        end = prompt_ends.get(number, start) if number in prompt_lines else start - 1
        labels = [each for each in _labels_in_line(line) if start + each[0] > end]
        if not labels:
            continue
        key = line_key(line)
        is_repeated = key in seen
        seen.add(key)
        is_own = is_repeated or not handout.has_exactly(line)
        for word, label in labels:
            if label.is_question and (label.is_closed or is_heading(line)):
                question = label.numbers
            first = start + word
            if is_own:
                yield _Label(
                    line=number,
                    first=first,
                    label=label,
                    numbers=label.within(question),
                    is_inner=word > 0,
                    anchors_above=sum(anchor.first <= first for anchor in anchors),
                )


def _labels_in_line(line: str) -> Iterator[tuple[int, NumberLabel]]:
    """Yield the numbers in a line, each with the count of words before it.

    One within the line has several parts, or a word, and a sign after it or 'For' before it.
    """
    end = 0
    if label := read_number_label(line):
        yield 0, label
        end = label.word_count
    words = split_words(line)
    starts = (match.end() for match in _INNER_START.finditer(line))
    for start in islice(starts, _MAX_STARTS):
        inner = read_number_label(line[start : start + _MAX_INNER_LABEL])
        before = sum(word.start < start for word in words)
        if inner is None or inner.is_bare or inner.is_question:
            continue
        is_set_off = inner.is_closed or inner.is_led or _SENTENCE.match(line, start) is not None
        if before >= max(1, end) and is_set_off:
            yield before, inner
            end = before + inner.word_count


def _name_run(
    run: Sequence[_Label], *, item_by_numbers: Mapping[tuple[int, ...], str]
) -> list[tuple[str, _Label]]:
    """Return the labels of a run that are those of items, with their items.

    The end of an item's numbers stands for it where no other ends so: '3.3' for Q2.3.3.
    """
    questions = sorted({numbers[:1] for numbers in item_by_numbers})
    run = _with_lists(_of_one_style(run), questions=questions)
    named = [each for each in run if not each.label.is_bare]
    run = _with_questions(named, questions=questions)
    items = _with_ends(item_by_numbers)
    return [(items[each.numbers], each) for each in run if each.numbers in items]


def items_by_numbers(items: Sequence[Item]) -> Mapping[tuple[int, ...], str]:
    """Return items by their numbers, and by the ends of these that no other item has."""
    return _with_ends({numbers: item.id for item in items if (numbers := item_numbers(item.id))})


def _with_ends(item_by_numbers: Mapping[tuple[int, ...], str]) -> Mapping[tuple[int, ...], str]:
    ends = Counter(numbers[1:] for numbers in item_by_numbers)
    item_by_end = {
        numbers[1:]: item
        for numbers, item in item_by_numbers.items()
        if len(numbers) > _MIN_END and ends[numbers[1:]] == 1
    }
    return item_by_end | dict(item_by_numbers)


def _of_one_style(run: Sequence[_Label]) -> list[_Label]:
    """Return a run without the lists in its lists: of bare numbers those written as the first."""
    first = next((each.label.style for each in run if each.label.is_bare), "")
    return [each for each in run if not each.label.is_bare or each.label.style == first]


def _with_lists(run: Sequence[_Label], *, questions: Sequence[tuple[int, ...]]) -> list[_Label]:
    """Return a run with the numbers of lists below the student's own headings of all questions."""
    own = {each.numbers for each in run if each.label.is_question}
    if len(own) == 1 or own != set(questions) or any(each.label.is_part for each in run):
        return list(run)
    question: tuple[int, ...] = ()
    listed = []
    for each in run:
        question = each.numbers if each.label.is_question else question
        is_listed = bool(question) and each.label.is_bare
        numbers = (*question, *each.numbers) if is_listed else each.numbers
        label = replace(each.label, is_bare=each.label.is_bare and not is_listed)
        listed.append(replace(each, label=label, numbers=numbers))
    return listed


def _with_questions(
    run: Sequence[_Label], *, questions: Sequence[tuple[int, ...]]
) -> Sequence[_Label]:
    """Return a run with its parts' questions, where parts alone begin anew for each question."""
    if not all(each.label.is_part for each in run):
        return run
    position, numbered = 0, []
    for above, each in zip([None, *run], run, strict=False):
        position += above is not None and each.label.numbers <= above.label.numbers
        numbered.append((position, each))
    if position == 0:
        return run
    if position + 1 != len(questions):
        return ()
    return [
        replace(each, numbers=each.label.within(questions[number])) for number, each in numbered
    ]


def _counted(run: Sequence[_Label], *, written: Sequence[str]) -> list[tuple[str, _Label]]:
    """Return the labels of a run that counts the written items: '1.', '2.', '3.'."""
    counted = [
        each for each in _of_one_style(run) if len(each.numbers) == 1 and each.label.is_closed
    ]
    if len(written) < _MIN_COUNTED or [each.numbers[0] for each in counted] != list(
        range(1, len(written) + 1)
    ):
        return []
    return list(zip(written, counted, strict=True))


def _shares_line(above: Anchor, label: _Label, *, text: SearchedText) -> bool:
    """Return whether a question was found by a number on a line that has another one, too."""
    return above.evidence == "its number" and text.stream[above.first].line == label.line


def _trusted(
    run: Sequence[tuple[str, _Label]], *, text: SearchedText, order: Sequence[str], led: str
) -> list[tuple[str, _Label]]:
    """Return the labels that are no mere words of an answer.

    Args:
        run: The labels, with their items.
        text: The notebook's text.
        order: All items.
        led: The item whose number begins the line of the first label, if that isn't in the run.
    """
    places = [order.index(item) for item, _ in run]
    is_inner = any(each.is_inner for _, each in run)
    in_order = places == (sorted(set(places)) if is_inner else sorted(places))
    if in_order and len(set(places)) >= _MIN_WEAK_LABELS:
        return list(run)
    counted = [order.index(led), *places] if led else places
    leads = is_inner and (bool(led) or _leads_paragraph(run[0][1], text=text))
    if leads and len(counted) > 1 and counted == list(range(counted[0], counted[-1] + 1)):
        return list(run)
    closed = [(item, each) for item, each in run if each.label.is_closed and not each.is_inner]
    if len({item for item, _ in closed}) > 1:
        return closed
    return [(item, each) for item, each in closed if _opens_paragraph(each.line, text=text)]


def _leads_paragraph(each: _Label, *, text: SearchedText) -> bool:
    return not each.is_inner and _opens_paragraph(each.line, text=text)


def _opens_paragraph(number: int, *, text: SearchedText) -> bool:
    line, above = text.lines[number], text.lines[number - 1] if number else None
    return above is None or above.cell != line.cell or not line_key(above.text)


def header_start(line: int, *, text: SearchedText, first: int, above: int) -> int:
    """Return the first word of what is before an answer: of a short title above it in its cell.

    Args:
        line: The line that tells what is answered.
        text: The notebook's text.
        first: Its first word.
        above: The word after the prompt above it.
    """
    cell, start = text.lines[line].cell, first
    while start > above and text.lines[text.stream[start - 1].line].cell == cell:
        start -= 1
    in_cell = start > above or not above or text.lines[text.stream[above - 1].line].cell != cell
    return start if in_cell and first - start <= _MAX_HEADER_WORDS else first
