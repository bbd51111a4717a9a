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
from grader.notebook.markdown_words import Word, is_heading, key, shown_lines, words

HIDDEN_TAGS = frozenset({"solution", "grader-only"})
_HEADING, _CODE = "# ", "code: "
_FUZZY = 0.9
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
    return frozenset(_marked_lines(reference))


def code_line(line: str) -> str:
    """A line of code as it is compared: without spaces and comment."""
    return re.sub(r"\s+", "", line.partition("#")[0])


def _marked_lines(reference: Notebook) -> Iterator[str]:
    for cell in reference.cells:
        if cell.kind == "code" and "grader-only" not in cell.tags:
            for line in cell.source.splitlines():
                yield _CODE + (code_line(line) or key(line))
        elif cell.kind == "markdown" and HIDDEN_TAGS.isdisjoint(cell.tags):
            for line in shown_lines(cell.source):
                yield key(line)
                if is_heading(line):
                    yield _HEADING + key(line)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A handout's lines, laid out for looking them up."""

    code: frozenset[str]
    headings: frozenset[str]
    lines: frozenset[str]
    text: str
    long: tuple[tuple[str, frozenset[str]], ...]
    by_start: Mapping[tuple[str, ...], tuple[tuple[str, ...], ...]]


@lru_cache(maxsize=4)  # one for all submissions of a course
def _known(marked: frozenset[str]) -> _Known:
    lines = sorted(line for line in marked if line and not line.startswith((_HEADING, _CODE)))
    by_start: dict[tuple[str, ...], tuple[tuple[str, ...], ...]] = {}
    for line in lines:
        if line.count(" ") + 1 >= _PREFIX_WORDS:
            said = tuple(line.split())
            by_start[said[:_PREFIX_WORDS]] = (*by_start.get(said[:_PREFIX_WORDS], ()), said)
    return _Known(
        code=frozenset(line.removeprefix(_CODE) for line in marked if _is_code(line)),
        headings=frozenset(
            line.removeprefix(_HEADING) for line in marked if line.startswith(_HEADING)
        ),
        lines=frozenset(lines),
        text="\n".join(f" {line} " for line in lines),
        long=tuple(
            (line, frozenset(line.split()))
            for line in lines
            if _FUZZY_WORDS <= line.count(" ") + 1 <= _MAX_FUZZY_WORDS
        ),
        by_start=by_start,
    )


class Handout:
    """Answers whether a line, a part of a line or a cell of code is the handout's.

    One for each notebook: how many lines of it may be compared letter by letter is limited.
    """

    def __init__(self, marked: frozenset[str]) -> None:
        self._known = _known(marked)
        self._comparisons = 0

    def has_heading(self, line: str) -> bool:
        """Whether a line is one of the handout's headings."""
        return key(line) in self._known.headings

    def has_exactly(self, line: str) -> bool:
        """Whether a line is the handout's, word for word."""
        return key(line) in self._known.lines

    def has_line(self, line: str) -> bool:
        """Whether a line is the handout's, wrapped or slightly reworded too."""
        said = key(line)
        if said in self._known.lines:
            return True
        count = said.count(" ") + 1
        if count >= _CONTAINED_WORDS and f" {said} " in self._known.text:
            return True
        return _FUZZY_WORDS <= count <= _MAX_FUZZY_WORDS and self._resembles(said)

    def ends_with(self, words_left: str) -> bool:
        """Whether one of the handout's lines ends so."""
        return f" {words_left} \n" in self._known.text + "\n"

    def begins_with(self, words_before: str) -> bool:
        """Whether one of the handout's lines begins so."""
        return f"\n {words_before} " in "\n" + self._known.text

    def prefix_end(self, line: str) -> int:
        """Where the handout's part ends in a line that goes on in the student's words."""
        found = words(line)
        texts = tuple(word.text for word in found)
        lengths = [
            len(known)
            for known in self._known.by_start.get(texts[:_PREFIX_WORDS], ())
            if texts[: len(known)] == known
        ]
        return past(found[: max(lengths)], line=line) if lengths else 0

    def has_code(self, source: str) -> bool:
        """Whether a code cell is the handout's, with its blanks filled in."""
        if not self._known.code:
            return True
        lines = [code_line(line) for line in source.splitlines()]
        lines = [line for line in lines if line]
        telling = [line for line in lines if not line.startswith(("import", "from"))] or lines
        known = sum(line in self._known.code for line in telling)
        return known > 0 and known >= _SHARED_CODE * len(telling)

    def has_comment(self, line: str) -> bool:
        """Whether a comment stands in the handout's code."""
        return key(line) in self._known.code or self.has_line(line)

    def _resembles(self, said: str) -> bool:
        own = frozenset(said.split())
        alike = [
            line
            for line, known in self._known.long
            if len(own & known) >= _FUZZY_SHARED * max(len(own), len(known))
        ]
        self._comparisons += len(alike)
        return self._comparisons < _MAX_COMPARISONS and any(
            _close(said, line=line) for line in alike
        )


def past(found: Sequence[Word], *, line: str) -> int:
    """The place after these words and the signs that close them."""
    end = found[-1].end
    rest = re.match(r"[^\w\s]*(?<![(\[])\s*", line[end:])
    return end + rest.end() if rest else end


def _close(said: str, *, line: str) -> bool:
    matcher = SequenceMatcher(None, said, line, autojunk=False)
    return matcher.quick_ratio() >= _FUZZY and matcher.ratio() >= _FUZZY


def _is_code(line: str) -> bool:
    return line.startswith(_CODE) and len(line) > len(_CODE)
