"""Finds questions whose prompts are not in the notebook: by cell id, heading, number or vocabulary.

Every location that is found here is reported as uncertain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress

from grader.model import Cell, Item
from grader.notebook.handout import Handout
from grader.notebook.handout_outline import HeadingTrail, Outline
from grader.notebook.markdown_words import is_heading, split_words
from grader.notebook.number_labels import item_numbers, read_number_label
from grader.notebook.prompt_search import Anchor, StreamWord
from grader.notebook.student_text import TextLine

MIN_COSINE = 0.5
"""The least similarity of a line that is taken for a retyped prompt."""
MIN_MARGIN = 0.15
"""The least difference to the similarity of the next line or prompt."""
_MIN_SENTENCE_WORDS, _MAX_SENTENCE_WORDS, _MAX_SENTENCE = 5, 80, 8_000
_MIN_WORD_LETTERS = 3
_MAX_LINES = 5_000
_WHOLE_LINE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedText:
    """A notebook's text, with the prompts that were found in it by their words."""

    cells: Sequence[Cell]
    lines: Sequence[TextLine]
    stream: Sequence[StreamWord]
    anchors: Sequence[Anchor]

    def word_spans(self) -> dict[int, tuple[int, int]]:
        """Return, for each line with words, its first word and the one past its last."""
        spans: dict[int, tuple[int, int]] = {}
        for number, word in enumerate(self.stream):
            first, _ = spans.get(word.line, (number, number))
            spans[word.line] = (first, number + 1)
        return spans

    def prompt_lines(self) -> frozenset[int]:
        """Return the numbers of the lines that hold words of a prompt."""
        return frozenset(
            self.stream[word].line
            for anchor in self.anchors
            for word in range(anchor.first, anchor.last)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Location:
    """A line where an item is asked."""

    item: str
    line: int
    word_count: int = _WHOLE_LINE
    """Number of the line's words that are the question's; the rest are the student's."""
    confidence: float


def find_fallback_anchors(
    text: SearchedText, *, items: Sequence[Item], outline: Outline, handout: Handout
) -> list[Anchor]:
    """Find where the written items are asked whose prompts are not in the notebook.

    Args:
        text: The notebook's text.
        items: All items of the rubric.
        outline: The handout's outline.
        handout: The handout's lines.

    Returns:
        At most one anchor for each item, with its evidence; it covers no word where the line is
        the student's own.
    """
    located = {anchor.item for anchor in text.anchors}
    missing = [i for i in items if i.kind == "written" and i.prompt and i.id not in located]
    if not missing or not text.stream:
        return []
    search = _FallbackSearch(text, outline=outline, handout=handout)
    prompts = {item.id: item.prompt for item in items}
    finders: Sequence[tuple[str, Callable[[Sequence[str]], Iterable[_Location]]]] = (
        ("its cell's id", search.find_by_id),
        ("its heading", search.find_by_heading),
        ("its number", search.find_by_number),
        ("words it shares with a line", lambda ids: search.find_by_vocabulary(ids, prompts)),
    )
    anchors: list[Anchor] = []
    for evidence, find in finders:
        anchored = {anchor.item for anchor in anchors}
        for location in find([item.id for item in missing if item.id not in anchored]):
            search.used_lines.add(location.line)
            first, end = search.spans[location.line]
            last = min(end, first + location.word_count)
            anchors.append(
                Anchor(
                    item=location.item,
                    first=first,
                    last=last,
                    ratio=location.confidence,
                    evidence=evidence,
                )
            )
    return anchors


class _FallbackSearch:
    """One notebook, searched for questions; a line is used once."""

    def __init__(self, text: SearchedText, *, outline: Outline, handout: Handout) -> None:
        self._text = text
        self._outline = outline
        self._handout = handout
        self.used_lines = set(text.prompt_lines())
        self._prompt_cells = {text.lines[number].cell for number in self.used_lines}
        self.spans = text.word_spans()

    def _free_lines(self) -> Iterator[tuple[int, TextLine]]:
        for number, line in enumerate(self._text.lines[:_MAX_LINES]):
            if number in self.spans and number not in self.used_lines and not line.ends_answer:
                yield number, line

    def find_by_id(self, missing: Sequence[str]) -> Iterator[_Location]:
        """Find the cell that has the id of the handout's; its first own line is the location."""
        cells_by_id: dict[str, list[int]] = {}
        for cell in self._text.cells:
            for cell_id in cell.ids if cell.kind != "code" else ():
                cells_by_id.setdefault(cell_id, []).append(cell.index)
        for item in missing:
            part = self._outline.parts.get(item)
            cell_ids = part.cell_ids if part else ()
            cells = {cell for cell_id in cell_ids for cell in cells_by_id.get(cell_id, ())}
            if len(cells) != 1 or cells & self._prompt_cells:
                continue
            for number, line in self._free_lines():
                if line.cell in cells and not self._handout.has_line(line.text):
                    yield _Location(item=item, line=number, word_count=0, confidence=0.8)
                    break

    def find_by_heading(self, missing: Sequence[str]) -> Iterator[_Location]:
        """Find the heading under which the handout asks the item, if there is only one."""
        item_by_headings = {
            headings: item
            for headings, item in self._outline.items_by_headings().items()
            if item in missing
        }
        trail = HeadingTrail()
        lines_by_item: dict[str, list[int]] = {}
        for number, line in enumerate(self._text.lines[:_MAX_LINES] if item_by_headings else ()):
            if is_heading(line.text):
                item = item_by_headings.get(trail.enter(line.text)[-2:])
                if item is not None and number in self.spans and number not in self.used_lines:
                    lines_by_item.setdefault(item, []).append(number)
        for item, lines in lines_by_item.items():
            if len(lines) == 1:
                yield _Location(item=item, line=lines[0], confidence=0.8)

    def find_by_number(self, missing: Sequence[str]) -> Iterator[_Location]:
        """Find the line that begins with the item's number, if there is only one."""
        item_by_numbers = {numbers: item for item in missing if (numbers := item_numbers(item))}
        locations: dict[str, list[_Location]] = {}
        question_numbers: tuple[int, ...] = ()
        for number, line in self._free_lines() if item_by_numbers else ():
            label = read_number_label(line.text)
            if not label or label.is_bare or not (label.is_closed or is_heading(line.text)):
                continue
            if label.is_question:
                question_numbers = label.numbers
            item = item_by_numbers.get(label.within(question_numbers))
            if item is not None:
                location = _Location(
                    item=item, line=number, word_count=label.word_count, confidence=0.7
                )
                locations.setdefault(item, []).append(location)
        for candidates in locations.values():
            if len(candidates) == 1:
                yield candidates[0]

    def find_by_vocabulary(
        self, missing: Sequence[str], prompts: Mapping[str, str]
    ) -> Iterator[_Location]:
        """Find the line with most of the words that distinguish a prompt from the others."""
        lines = {
            number: line.text
            for number, line in (self._free_lines() if missing else ())
            if not self._handout.has_exactly(line.text)
        }
        for item, (number, cosine) in match_vocabulary(
            missing, prompts=prompts, lines=lines
        ).items():
            text = lines[number]
            is_question = text.rstrip("*_ ").endswith("?") or is_heading(text)
            word_count = _WHOLE_LINE if is_question else 0
            yield _Location(item=item, line=number, word_count=word_count, confidence=cosine)


def match_vocabulary(
    items: Sequence[str], *, prompts: Mapping[str, str], lines: Mapping[int, str]
) -> Mapping[str, tuple[int, float]]:
    """Return the line that is most similar to each prompt, if no other line or prompt is close.

    Args:
        items: The items that are searched.
        prompts: The prompts of all items; words that few of them have count most.
        lines: Texts of lines by their numbers.

    Returns:
        By item, the number of its line and their cosine, from 0 to 1; no line twice.
    """
    numbers = [
        number
        for number, text in lines.items()
        if len(text) < _MAX_SENTENCE
        and _MIN_SENTENCE_WORDS <= len(split_words(text)) <= _MAX_SENTENCE_WORDS
    ]
    if not items or not numbers:
        return {}
    # Most notebooks come without it, and it takes a second to import.
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415

    texts = [lines[number] for number in numbers]
    vocabulary = {word for text in (*prompts.values(), *texts) for word in _content_words(text)}
    if not vocabulary:
        return {}
    vectorizer = TfidfVectorizer(
        analyzer=_content_words, binary=True, vocabulary=sorted(vocabulary)
    ).fit(prompts.values())
    prompt_vectors = vectorizer.transform(prompts.values())
    cosines = (vectorizer.transform(texts) @ prompt_vectors.T).toarray()  # lines by prompts
    is_candidate = cosines.max(axis=1) >= MIN_COSINE
    candidates = dict(zip(compress(numbers, is_candidate), cosines[is_candidate], strict=True))
    matches: dict[str, tuple[int, float]] = {}
    for item in items:
        column = list(prompts).index(item)
        ranked = sorted(((row[column], number) for number, row in candidates.items()), reverse=True)
        if not ranked:
            break
        cosine, number = ranked[0]
        other_prompts = [value for n, value in enumerate(candidates[number]) if n != column]
        next_best = max([*other_prompts, *(value for value, _ in ranked[1:2])], default=0.0)
        if cosine >= MIN_COSINE and cosine - next_best >= MIN_MARGIN:
            matches[item] = (number, round(float(cosine), 3))
            del candidates[number]
    return matches


def _content_words(text: str) -> list[str]:
    return [word.text for word in split_words(text) if len(word.text) >= _MIN_WORD_LETTERS]
