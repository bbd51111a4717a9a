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
from grader.notebook.handout_outline import Outline, Trail, unique_headings
from grader.notebook.markdown_words import is_heading
from grader.notebook.prompt_search import Anchor, Place
from grader.notebook.text_lines import Line
from grader.notebook.tfidf_match import Sense

BY_ID, BY_HEADING, BY_NUMBER = 0.8, 0.8, 0.7
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
class Text:
    """A notebook's text, as far as its questions were found by their words."""

    cells: Sequence[Cell]
    lines: Sequence[Line]
    stream: Sequence[Place]
    found: Sequence[Anchor]

    def words_of(self) -> Mapping[int, tuple[int, int]]:
        """By line, its first word and the one past its last."""
        spans: dict[int, tuple[int, int]] = {}
        for number, place in enumerate(self.stream):
            first, _ = spans.get(place.line, (number, number))
            spans[place.line] = (first, number + 1)
        return spans

    def taken(self) -> frozenset[int]:
        """The lines that a question was found on."""
        return frozenset(
            self.stream[word].line for a in self.found for word in range(a.first, a.last)
        )


def clues(
    text: Text, *, items: Sequence[Item], outline: Outline, handout: Handout
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
    known = {anchor.item for anchor in text.found}
    missing = [i for i in items if i.kind == "written" and i.prompt and i.id not in known]
    if not missing or not text.stream:
        return ()
    search = _Search(text, outline=outline, handout=handout)
    found: list[Anchor] = []
    for look in (search.by_id, search.by_heading, search.by_number):
        found += look([item for item in missing if all(item.id != a.item for a in found)])
    rest = [item for item in missing if all(item.id != a.item for a in found)]
    found += search.by_sense(rest, among=items)
    return tuple(found)


class _Search:
    """One notebook, searched for questions; a line is taken once."""

    def __init__(self, text: Text, *, outline: Outline, handout: Handout) -> None:
        self._text = text
        self._outline = outline
        self._handout = handout
        self._words = text.words_of()
        self._taken = set(text.taken())

    def _free(self) -> Iterator[tuple[int, Line]]:
        for number, line in enumerate(self._text.lines[:_MAX_LINES]):
            if number in self._words and number not in self._taken and not line.wall:
                yield number, line

    def _anchor(self, item: str, *, line: int, ratio: float, how: str, words: int = -1) -> Anchor:
        """An anchor on a line's first words; on all of them where no number is given."""
        first, last = self._words[line]
        self._taken.add(line)
        end = last if words < 0 else min(last, first + words)
        return Anchor(item=item, first=first, last=end, ratio=ratio, how=how)

    def by_id(self, missing: Iterable[Item]) -> list[Anchor]:
        """The cell that has the id of the one that asked."""
        held: dict[str, list[int]] = {}
        for cell in self._text.cells:
            for mark in cell.marks if cell.kind != "code" else ():
                held.setdefault(mark, []).append(cell.index)
        asking = {self._text.lines[number].cell for number in self._text.taken()}
        found = []
        for item in missing:
            part = self._outline.parts.get(item.id)
            marks = [held[mark] for mark in part.marks if mark in held] if part else []
            cells = {cell for cells in marks for cell in cells}
            line = self._own_line(cells - asking) if len(cells) == 1 else None
            if line is not None:
                found.append(
                    self._anchor(item.id, line=line, ratio=BY_ID, how="its cell's id", words=0)
                )
        return found

    def _own_line(self, cells: set[int]) -> int | None:
        """The first line of a cell that is the student's."""
        own = (
            number
            for number, line in self._free()
            if line.cell in cells and not self._handout.has_line(line.text)
        )
        return next(own, None)

    def by_heading(self, missing: Iterable[Item]) -> list[Anchor]:
        """The only heading that stands where the handout's does."""
        wanted = unique_headings(self._outline.parts.values())
        ids = {item.id for item in missing}
        wanted = {path: item for path, item in wanted.items() if item in ids}
        if not wanted:
            return []
        trail = Trail()
        found: dict[str, list[int]] = {}
        for number, line in enumerate(self._text.lines[:_MAX_LINES]):
            if is_heading(line.text):
                item = wanted.get(trail.enter(line.text)[-2:])
                if item is not None and number in self._words and number not in self._taken:
                    found.setdefault(item, []).append(number)
        return [
            self._anchor(item, line=lines[0], ratio=BY_HEADING, how="its heading")
            for item, lines in found.items()
            if len(lines) == 1
        ]

    def by_number(self, missing: Iterable[Item]) -> list[Anchor]:
        """The only line that opens with the item's number."""
        wanted = {numbers_in(item.id): item.id for item in missing if numbers_in(item.id)}
        if not wanted:
            return []
        found: dict[str, list[tuple[int, int]]] = {}
        question: tuple[int, ...] = ()
        for number, line in self._free():
            label = _label(line.text)
            if label is None:
                continue
            said, words, is_part = label
            full = (*question, *said) if is_part else said
            if len(said) == 1 and not is_part:
                question = said
            if full in wanted:
                found.setdefault(wanted[full], []).append((number, words))
        return [
            self._anchor(item, line=line, ratio=BY_NUMBER, how="its number", words=words)
            for item, ((line, words), *others) in found.items()
            if not others
        ]

    def by_sense(self, missing: Sequence[Item], *, among: Sequence[Item]) -> list[Anchor]:
        """The line that shares most of the words that tell a prompt from the others."""
        if not missing:
            return []
        own = [
            (number, line.text)
            for number, line in self._free()
            if not self._handout.has_exactly(line.text)
        ]
        sense = Sense({item.id: item.prompt for item in among})
        found = []
        for item, number, share in sense.best([i.id for i in missing], lines=own):
            text = self._text.lines[number].text
            asks = text.rstrip("*_ ").endswith("?") or is_heading(text)
            words = -1 if asks else 0
            how = "words it shares with a line"
            found.append(self._anchor(item, line=number, ratio=share, how=how, words=words))
        return found


def numbers_in(item: str) -> tuple[int, ...]:
    """The numbers of an item's id: 'Q2.3.1' is 2, 3, 1."""
    return tuple(int(part) for part in re.findall(r"\d{1,4}", item))


def _label(line: str) -> tuple[tuple[int, ...], int, bool] | None:
    """The numbers a line opens with, how many words they take, and whether a part's alone."""
    noise = _NOISE.match(line)
    place = start = noise.end() if noise else 0
    said: list[int] = []
    words: list[str] = []
    while len(words) < 3 and (found := _NUMBER.match(line, place)):  # noqa: PLR2004 -- 'Q2 Part 3 Task 1'
        if words and not found["word"]:
            break
        words.append((found["word"] or "").lower())
        said += [int(part) for part in found["number"].split(".")]
        end = found.end()
        between = _BETWEEN.match(line, end)
        place = between.end() if between else end
    if not words:
        return None
    points = _POINTS.match(line, end)
    end = points.end() if points else end
    alone = _CLOSING.match(line, end) is not None
    told = is_heading(line) or (alone and (any(words) or len(said) > 1))
    count = len(re.findall(r"[^\W_]+", line[start:end]))
    return (tuple(said), count, words[0] == "part") if told else None
