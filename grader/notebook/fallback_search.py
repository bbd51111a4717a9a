"""Finds where a question stands whose words are gone: by its cell's id, headings, number, or sense.

Only questions that were not found by their words are looked for, and whatever is found here is
told as unsure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.model import Cell, Item
from grader.notebook.handout import Handout
from grader.notebook.handout_outline import HeadingTrail, Outline, unique_headings
from grader.notebook.markdown_words import is_heading
from grader.notebook.prompt_search import Anchor, StreamWord
from grader.notebook.text_lines import TextLine
from grader.notebook.tfidf_match import TfidfMatcher

ID_CONFIDENCE, HEADING_CONFIDENCE, NUMBER_CONFIDENCE = 0.8, 0.8, 0.7
"""How sure each kind of clue is."""
_MAX_LINES = 5_000
"""Lines that are looked through: nobody writes more text."""
_NOISE = re.compile(r"^[\s>#*_`(\[-]*")
_NUMBER = re.compile(
    r"(?P<word>q(?:uestion)?|problem|exercise|task|part)?\s{0,2}[.:#]?\s{0,2}"
    r"(?P<number>\d{1,2}(?:\.\d{1,2}){0,3})(?![\w%])",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s,.:;*_-]{0,6}")
_POINTS = re.compile(r"\s{0,3}[\[(]?\d{1,3}\s{0,2}(?:points?|pts?|marks?)[\])]?", re.IGNORECASE)
_CLOSING = re.compile(r"[\s*_]{0,4}(?:$|[:.)\]–—-])")  # noqa: RUF001 -- dashes as people type them


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedText:
    """A notebook's text, as far as its questions were found by their words."""

    cells: Sequence[Cell]
    lines: Sequence[TextLine]
    stream: Sequence[StreamWord]
    anchors: Sequence[Anchor]

    def line_spans(self) -> Mapping[int, tuple[int, int]]:
        """By line, its first word and the one past its last."""
        spans: dict[int, tuple[int, int]] = {}
        for number, word in enumerate(self.stream):
            first, _ = spans.get(word.line, (number, number))
            spans[word.line] = (first, number + 1)
        return spans

    def anchored_lines(self) -> frozenset[int]:
        """The lines that a question was found on."""
        return frozenset(
            self.stream[word].line for a in self.anchors for word in range(a.first, a.last)
        )


def find_fallback_anchors(
    text: SearchedText, *, items: Sequence[Item], outline: Outline, handout: Handout
) -> tuple[Anchor, ...]:
    """Where written items are asked whose prompts are nowhere.

    Args:
        text: The notebook's text.
        items: All items of the rubric.
        outline: The handout's.
        handout: What is the handout's.

    Returns:
        At most one anchor an item; it says how it was found, and covers no word where the line
        is the student's own.
    """
    located = {anchor.item for anchor in text.anchors}
    missing = [i for i in items if i.kind == "written" and i.prompt and i.id not in located]
    if not missing or not text.stream:
        return ()
    search = _FallbackSearch(text, outline=outline, handout=handout)
    anchors: list[Anchor] = []
    for search_method in (search.find_by_id, search.find_by_heading, search.find_by_number):
        anchors += search_method(
            [item for item in missing if all(item.id != a.item for a in anchors)]
        )
    remaining = [item for item in missing if all(item.id != a.item for a in anchors)]
    anchors += search.find_by_similarity(remaining, among=items)
    return tuple(anchors)


class _FallbackSearch:
    """One notebook, searched for questions; a line is taken once."""

    def __init__(self, text: SearchedText, *, outline: Outline, handout: Handout) -> None:
        self._text = text
        self._outline = outline
        self._handout = handout
        self._spans = text.line_spans()
        self._used_lines = set(text.anchored_lines())

    def _free_lines(self) -> Iterator[tuple[int, TextLine]]:
        for number, line in enumerate(self._text.lines[:_MAX_LINES]):
            if number in self._spans and number not in self._used_lines and not line.ends_answer:
                yield number, line

    def _anchor_line(
        self, item: str, *, line: int, ratio: float, evidence: str, word_count: int = -1
    ) -> Anchor:
        """An anchor on a line's first words; on all of them where no number is given."""
        first, last = self._spans[line]
        self._used_lines.add(line)
        end = last if word_count < 0 else min(last, first + word_count)
        return Anchor(item=item, first=first, last=end, ratio=ratio, evidence=evidence)

    def find_by_id(self, missing: Iterable[Item]) -> list[Anchor]:
        """The cell that has the id of the one that asked."""
        cells_by_id: dict[str, list[int]] = {}
        for cell in self._text.cells:
            for cell_id in cell.ids if cell.kind != "code" else ():
                cells_by_id.setdefault(cell_id, []).append(cell.index)
        prompt_cells = {self._text.lines[number].cell for number in self._text.anchored_lines()}
        anchors = []
        for item in missing:
            part = self._outline.parts.get(item.id)
            id_cells = (
                [cells_by_id[cell_id] for cell_id in part.cell_ids if cell_id in cells_by_id]
                if part
                else []
            )
            cells = {cell for cells in id_cells for cell in cells}
            line = self._first_student_line(cells - prompt_cells) if len(cells) == 1 else None
            if line is not None:
                anchors.append(
                    self._anchor_line(
                        item.id,
                        line=line,
                        ratio=ID_CONFIDENCE,
                        evidence="its cell's id",
                        word_count=0,
                    )
                )
        return anchors

    def _first_student_line(self, cells: set[int]) -> int | None:
        """The first line of a cell that is the student's."""
        student_lines = (
            number
            for number, line in self._free_lines()
            if line.cell in cells and not self._handout.has_line(line.text)
        )
        return next(student_lines, None)

    def find_by_heading(self, missing: Iterable[Item]) -> list[Anchor]:
        """The only heading that stands where the handout's does."""
        item_by_headings = unique_headings(self._outline.parts.values())
        missing_ids = {item.id for item in missing}
        item_by_headings = {
            path: item for path, item in item_by_headings.items() if item in missing_ids
        }
        if not item_by_headings:
            return []
        trail = HeadingTrail()
        lines_by_item: dict[str, list[int]] = {}
        for number, line in enumerate(self._text.lines[:_MAX_LINES]):
            if is_heading(line.text):
                item = item_by_headings.get(trail.enter(line.text)[-2:])
                if item is not None and number in self._spans and number not in self._used_lines:
                    lines_by_item.setdefault(item, []).append(number)
        return [
            self._anchor_line(item, line=lines[0], ratio=HEADING_CONFIDENCE, evidence="its heading")
            for item, lines in lines_by_item.items()
            if len(lines) == 1
        ]

    def find_by_number(self, missing: Iterable[Item]) -> list[Anchor]:
        """The only line that opens with the item's number."""
        item_by_numbers = {
            item_numbers(item.id): item.id for item in missing if item_numbers(item.id)
        }
        if not item_by_numbers:
            return []
        candidates: dict[str, list[tuple[int, int]]] = {}
        question_numbers: tuple[int, ...] = ()
        for number, line in self._free_lines():
            label = _read_number_label(line.text)
            if label is None:
                continue
            numbers, word_count, is_part = label
            full_numbers = (*question_numbers, *numbers) if is_part else numbers
            if len(numbers) == 1 and not is_part:
                question_numbers = numbers
            if full_numbers in item_by_numbers:
                candidates.setdefault(item_by_numbers[full_numbers], []).append(
                    (number, word_count)
                )
        return [
            self._anchor_line(
                item,
                line=line,
                ratio=NUMBER_CONFIDENCE,
                evidence="its number",
                word_count=word_count,
            )
            for item, ((line, word_count), *others) in candidates.items()
            if not others
        ]

    def find_by_similarity(self, missing: Sequence[Item], *, among: Sequence[Item]) -> list[Anchor]:
        """The line that shares most of the words that tell a prompt from the others."""
        if not missing:
            return []
        student_lines = [
            (number, line.text)
            for number, line in self._free_lines()
            if not self._handout.has_exactly(line.text)
        ]
        matcher = TfidfMatcher({item.id: item.prompt for item in among})
        anchors = []
        for item, number, similarity in matcher.best_lines(
            [i.id for i in missing], lines=student_lines
        ):
            text = self._text.lines[number].text
            is_question = text.rstrip("*_ ").endswith("?") or is_heading(text)
            word_count = -1 if is_question else 0
            evidence = "words it shares with a line"
            anchors.append(
                self._anchor_line(
                    item, line=number, ratio=similarity, evidence=evidence, word_count=word_count
                )
            )
        return anchors


def item_numbers(item: str) -> tuple[int, ...]:
    """The numbers of an item's id: 'Q2.3.1' is 2, 3, 1."""
    return tuple(int(part) for part in re.findall(r"\d{1,4}", item))


def _read_number_label(line: str) -> tuple[tuple[int, ...], int, bool] | None:
    """The numbers a line opens with, how many words they take, and whether a part's alone."""
    noise = _NOISE.match(line)
    position = start = noise.end() if noise else 0
    numbers: list[int] = []
    label_words: list[str] = []
    while len(label_words) < 3 and (match := _NUMBER.match(line, position)):  # noqa: PLR2004 -- 'Q2 Part 3 Task 1'
        if label_words and not match["word"]:
            break
        label_words.append((match["word"] or "").lower())
        numbers += [int(part) for part in match["number"].split(".")]
        end = match.end()
        between = _BETWEEN.match(line, end)
        position = between.end() if between else end
    if not label_words:
        return None
    points = _POINTS.match(line, end)
    end = points.end() if points else end
    stands_alone = _CLOSING.match(line, end) is not None
    is_label = is_heading(line) or (stands_alone and (any(label_words) or len(numbers) > 1))
    word_count = len(re.findall(r"[^\W_]+", line[start:end]))
    return (tuple(numbers), word_count, label_words[0] == "part") if is_label else None
