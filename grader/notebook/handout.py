"""Knows the handout's own lines, so that what is left of a submission is the student's.

A handout is kept as a frozenset of strings: the keys of its Markdown lines as they are, those
of its headings once more with '# ' before them, and its lines of code with 'code: '.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from grader.model import Notebook
from grader.notebook.markdown_words import (
    MarkdownWord,
    is_heading,
    line_key,
    split_words,
    visible_lines,
)

HIDDEN_TAGS = frozenset({"solution", "grader-only"})
_HEADING, _CODE = "# ", "code: "
_FUZZY_RATIO = 0.9
_FUZZY_WORDS = 8
_CONTAINED_WORDS = 6
_FUZZY_SHARED = 0.6
_MAX_FUZZY_WORDS = 300
_MAX_COMPARISONS = 2000
_PREFIX_WORDS = 4
_SHARED_CODE = 0.5


def handout_lines(reference: Notebook) -> frozenset[str]:
    """The lines of a handout that are nobody's answer.

    Args:
        reference: The unsolved handout, or the reference; cells tagged `solution` or
            `grader-only` are left out (of code, only `grader-only`: a solved cell of code still
            holds the given lines).

    Returns:
        Its lines, made comparable.
    """
    return frozenset(_prefixed_lines(reference))


def normalize_code_line(line: str) -> str:
    """A line of code as it is compared: without spaces and comment."""
    return re.sub(r"\s+", "", line.partition("#")[0])


def _prefixed_lines(reference: Notebook) -> Iterator[str]:
    for cell in reference.cells:
        if cell.kind == "code" and "grader-only" not in cell.tags:
            for line in cell.source.splitlines():
                yield _CODE + (normalize_code_line(line) or line_key(line))
        elif cell.kind == "markdown" and HIDDEN_TAGS.isdisjoint(cell.tags):
            for line in visible_lines(cell.source):
                yield line_key(line)
                if is_heading(line):
                    yield _HEADING + line_key(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _HandoutIndex:
    """A handout's lines, laid out for looking them up."""

    code: frozenset[str]
    headings: frozenset[str]
    lines: frozenset[str]
    text: str
    long_lines: tuple[tuple[str, frozenset[str]], ...]
    lines_by_start: Mapping[tuple[str, ...], tuple[tuple[str, ...], ...]]


@lru_cache(maxsize=4)  # one for all submissions of a course
def _index_lines(prefixed: frozenset[str]) -> _HandoutIndex:
    lines = sorted(line for line in prefixed if line and not line.startswith((_HEADING, _CODE)))
    by_start: dict[tuple[str, ...], tuple[tuple[str, ...], ...]] = {}
    for line in lines:
        if line.count(" ") + 1 >= _PREFIX_WORDS:
            line_words = tuple(line.split())
            by_start[line_words[:_PREFIX_WORDS]] = (
                *by_start.get(line_words[:_PREFIX_WORDS], ()),
                line_words,
            )
    return _HandoutIndex(
        code=frozenset(line.removeprefix(_CODE) for line in prefixed if _is_code(line)),
        headings=frozenset(
            line.removeprefix(_HEADING) for line in prefixed if line.startswith(_HEADING)
        ),
        lines=frozenset(lines),
        text="\n".join(f" {line} " for line in lines),
        long_lines=tuple(
            (line, frozenset(line.split()))
            for line in lines
            if _FUZZY_WORDS <= line.count(" ") + 1 <= _MAX_FUZZY_WORDS
        ),
        lines_by_start=by_start,
    )


class Handout:
    """Answers whether a line, a part of a line or a cell of code is the handout's.

    One for each notebook: how many lines of it may be compared letter by letter is limited.
    """

    def __init__(self, prefixed: frozenset[str]) -> None:
        self._index = _index_lines(prefixed)
        self._comparisons = 0

    def has_heading(self, line: str) -> bool:
        """Whether a line is one of the handout's headings."""
        return line_key(line) in self._index.headings

    def has_exactly(self, line: str) -> bool:
        """Whether a line is the handout's, word for word."""
        return line_key(line) in self._index.lines

    def has_line(self, line: str) -> bool:
        """Whether a line is the handout's, wrapped or slightly reworded too."""
        normalized = line_key(line)
        if normalized in self._index.lines:
            return True
        count = normalized.count(" ") + 1
        if count >= _CONTAINED_WORDS and f" {normalized} " in self._index.text:
            return True
        return _FUZZY_WORDS <= count <= _MAX_FUZZY_WORDS and self._resembles(normalized)

    def ends_with(self, ending: str) -> bool:
        """Whether one of the handout's lines ends so."""
        return f" {ending} \n" in self._index.text + "\n"

    def begins_with(self, beginning: str) -> bool:
        """Whether one of the handout's lines begins so."""
        return f"\n {beginning} " in "\n" + self._index.text

    def prefix_end(self, line: str) -> int:
        """Where the handout's part ends in a line that goes on in the student's words."""
        line_words = split_words(line)
        texts = tuple(word.text for word in line_words)
        lengths = [
            len(known)
            for known in self._index.lines_by_start.get(texts[:_PREFIX_WORDS], ())
            if texts[: len(known)] == known
        ]
        return end_of_words(line_words[: max(lengths)], line=line) if lengths else 0

    def has_code(self, source: str) -> bool:
        """Whether a code cell is the handout's, with its blanks filled in."""
        if not self._index.code:
            return True
        lines = [normalize_code_line(line) for line in source.splitlines()]
        lines = [line for line in lines if line]
        compared = [line for line in lines if not line.startswith(("import", "from"))] or lines
        known_count = sum(line in self._index.code for line in compared)
        return known_count > 0 and known_count >= _SHARED_CODE * len(compared)

    def has_comment(self, line: str) -> bool:
        """Whether a comment stands in the handout's code."""
        return line_key(line) in self._index.code or self.has_line(line)

    def _resembles(self, normalized: str) -> bool:
        own_words = frozenset(normalized.split())
        candidates = [
            line
            for line, known in self._index.long_lines
            if len(own_words & known) >= _FUZZY_SHARED * max(len(own_words), len(known))
        ]
        self._comparisons += len(candidates)
        return self._comparisons < _MAX_COMPARISONS and any(
            _is_close(normalized, line=line) for line in candidates
        )


def end_of_words(line_words: Sequence[MarkdownWord], *, line: str) -> int:
    """The place after these words and the signs that close them."""
    end = line_words[-1].end
    rest = re.match(r"[^\w\s]*(?<![(\[])\s*", line[end:])
    return end + rest.end() if rest else end


def _is_close(normalized: str, *, line: str) -> bool:
    matcher = SequenceMatcher(None, normalized, line, autojunk=False)
    return matcher.quick_ratio() >= _FUZZY_RATIO and matcher.ratio() >= _FUZZY_RATIO


def _is_code(line: str) -> bool:
    return line.startswith(_CODE) and len(line) > len(_CODE)
