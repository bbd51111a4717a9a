"""Recognizes the handout's own lines, so that the rest of a submission is the student's.

A handout is passed on as a frozenset of strings: the keys of its Markdown lines as they are, those
of its headings once more with '# ' before them, its lines of code with 'code: ', and the comments
on them with 'comment: '.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from rapidfuzz import fuzz, process

from grader.model import Cell, Notebook
from grader.notebook.markdown_words import (
    MarkdownWord,
    is_heading,
    line_key,
    split_words,
    visible_lines,
)
from grader.notebook.plain_script import parses

HIDDEN_TAGS = frozenset({"solution", "grader-only"})
_HEADING, _CODE, _COMMENT = "# ", "code: ", "comment: "
_SIMILAR_RATIO = 0.9
"""The least similarity of a reworded line to the handout's."""
_MIN_SIMILAR_WORDS, _MAX_SIMILAR_WORDS = 8, 300
_CONTAINED_WORDS = 6
_PREFIX_WORDS = 4
_SHARED_CODE = 0.5


_REGION = re.compile(
    r"^(?P<indent>[ \t]*)(?:\#+|<!--)[ \t]*BEGIN[ \t]+(?P<kind>SOLUTION|HIDDEN TESTS)\b.*?"
    r"(?:^[ \t]*(?:\#+|<!--)[ \t]*END[ \t]+(?P=kind)\b[^\n]*\n?|\Z)",
    re.MULTILINE | re.DOTALL,
)
"""Matches what `grade release` cuts out of a cell."""


def handout_lines(reference: Notebook) -> frozenset[str]:
    """Return the lines of a handout, in the form that `Handout` takes.

    Args:
        reference: The unsolved handout, or the reference; cells tagged `solution` or
            `grader-only` are left out (of code, only `grader-only`: a solved cell of code still
            holds the given lines).
    """
    return frozenset(_prefixed_lines(reference))


def foreign_code(notebook: Notebook, *, handout: frozenset[str]) -> list[str]:
    """Return the lines of code that are not the handout's, without spaces and comments."""
    lines = (line for cell in notebook.code_cells() for line in cell.source.splitlines())
    keys = (code_key(line) or line_key(line) for line in lines)
    return [key for key in keys if key and _CODE + key not in handout]


def _prefixed_lines(reference: Notebook) -> Iterator[str]:
    for cell in reference.cells:
        if cell.kind == "code" and "grader-only" not in cell.tags:
            for line in cell.source.splitlines():
                yield _CODE + (code_key(line) or line_key(line))
                comment = line_key(line.partition("#")[2])
                if " " in comment:
                    yield _COMMENT + comment
        elif cell.kind == "markdown" and HIDDEN_TAGS.isdisjoint(cell.tags):
            for line in visible_lines(given_source(cell)):
                yield line_key(line)
                if is_heading(line):
                    yield _HEADING + line_key(line)


def given_source(cell: Cell) -> str:
    """Return a reference cell's source without what comments or a tag mark as solved."""
    return "" if "solution" in cell.tags else _REGION.sub("", cell.source)


def given_code(cell: Cell) -> str:
    """Return a code cell's `given_source`, with `pass` for a body that is nothing but solved."""
    source = given_source(cell)
    if "solution" in cell.tags or parses(source):
        return source
    return _REGION.sub(r"\g<indent>pass\n", cell.source)


def code_key(line: str) -> str:
    """Return a line of code without spaces and comment."""
    return re.sub(r"\s+", "", line.partition("#")[0])


class Handout:
    """The lines of one handout, to test whether a line, a part of it or a code cell is its own."""

    def __init__(self, prefixed: frozenset[str]) -> None:
        marked = (_HEADING, _CODE, _COMMENT)
        lines = sorted(line for line in prefixed if line and not line.startswith(marked))
        self._lines = frozenset(lines)
        self._headings = _remove_prefix(prefixed, _HEADING)
        self._code = _remove_prefix(prefixed, _CODE) - {""}
        self._comments = self._code | _remove_prefix(prefixed, _COMMENT)
        self._text = "\n" + "".join(f" {line} \n" for line in lines)
        self._long_lines = [
            line for line in lines if _MIN_SIMILAR_WORDS <= _count_words(line) <= _MAX_SIMILAR_WORDS
        ]
        self._lines_by_start: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for line in lines:
            words = tuple(line.split())
            if len(words) >= _PREFIX_WORDS:
                self._lines_by_start.setdefault(words[:_PREFIX_WORDS], []).append(words)

    def has_heading(self, line: str) -> bool:
        """Return whether a line is one of the handout's headings."""
        return line_key(line) in self._headings

    def has_exactly(self, line: str) -> bool:
        """Return whether a line is the handout's, word for word."""
        return line_key(line) in self._lines

    def has_line(self, line: str) -> bool:
        """Return whether a line is the handout's, even if wrapped or slightly reworded."""
        key = line_key(line)
        word_count = _count_words(key)
        if key in self._lines or (word_count >= _CONTAINED_WORDS and f" {key} " in self._text):
            return True
        if not _MIN_SIMILAR_WORDS <= word_count <= _MAX_SIMILAR_WORDS:
            return False
        cutoff = 100 * _SIMILAR_RATIO
        match = process.extractOne(key, self._long_lines, scorer=fuzz.ratio, score_cutoff=cutoff)
        return match is not None

    def has_line_ending(self, ending: str) -> bool:
        """Return whether one of the handout's lines ends with these words."""
        return f" {ending} \n" in self._text

    def has_line_beginning(self, beginning: str) -> bool:
        """Return whether one of the handout's lines begins with these words."""
        return f"\n {beginning} " in self._text

    def prefix_end(self, line: str) -> int:
        """Return the column where the handout's part of a line ends, or 0 without such a part."""
        line_words = split_words(line)
        texts = tuple(word.text for word in line_words)
        lengths = [
            len(words)
            for words in self._lines_by_start.get(texts[:_PREFIX_WORDS], ())
            if texts[: len(words)] == words
        ]
        return _end_of_words(line_words[: max(lengths)], line=line) if lengths else 0

    def has_code(self, source: str) -> bool:
        """Return whether a code cell is the handout's, with its blanks filled in."""
        if not self._code:
            return True
        lines = [key for line in source.splitlines() if (key := code_key(line))]
        compared = [line for line in lines if not line.startswith(("import", "from"))] or lines
        known_count = sum(line in self._code for line in compared)
        return known_count > 0 and known_count >= _SHARED_CODE * len(compared)

    def has_comment(self, line: str) -> bool:
        """Return whether a comment is the handout's."""
        return line_key(line) in self._comments or self.has_line(line)

    def has_code_line(self, line: str) -> bool:
        """Return whether a line of code is the handout's, apart from its spaces and comment."""
        return code_key(line) in self._code


index_handout = lru_cache(maxsize=4)(Handout)
"""Return the Handout of these lines: the same one for all submissions of a course."""


def _remove_prefix(prefixed: frozenset[str], prefix: str) -> frozenset[str]:
    return frozenset(line.removeprefix(prefix) for line in prefixed if line.startswith(prefix))


def _count_words(key: str) -> int:
    return key.count(" ") + 1


def _end_of_words(line_words: Sequence[MarkdownWord], *, line: str) -> int:
    """Return the column after these words and the signs that close them."""
    end = line_words[-1].end
    closing_signs = re.match(r"[^\w\s]*(?<![(\[])\s*", line[end:])
    return end + closing_signs.end() if closing_signs else end
