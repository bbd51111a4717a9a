"""Finds the prompts in a notebook, even if they were retyped or reworded."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, islice
from typing import NamedTuple

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from grader.notebook.markdown_words import split_words, visible_lines

CLOSE_RATIO = 0.85
"""The least similarity of a reworded prompt to the rubric's."""
SAME_RATIO = 0.95
"""The least similarity of a second occurrence: an answer may begin with the question's words."""
_MIN_FUZZY_WORDS = 5
_MIN_SHARED_WORDS = 0.5
"""The least share of a prompt's words in a stretch of text that is compared letter by letter."""
_LENGTH_SLACK = 0.3
_MAX_OCCURRENCES = 20
_MAX_PROMPT_WORDS = 250
_MAX_WINDOWS = 2_000
"""The most stretches of text that are compared with one prompt, letter by letter."""
_INSIDE_PHRASE = frozenset({"", "'", "\u2019", "-", "/"})
"""The signs that may stand between two words of a phrase, apart from spaces."""
_SENTENCE_END = re.compile(r"[\"'*_)\]]*(?:[.?!:]|\Z)")


class StreamWord(NamedTuple):  # a notebook has thousands
    """A word of the notebook's text, with its line and columns."""

    text: str
    line: int
    start: int
    end: int
    opens_phrase: bool
    """Whether a line begins with it, or punctuation precedes it."""
    ends_sentence: bool
    """Whether a sentence or the line ends with it."""
    opens_line: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """An occurrence of an item's prompt: the words from `first` up to `last`, exclusive.

    If the prompt is gone, there is no word (`first == last`): it belongs before word `first`.
    """

    item: str
    first: int
    last: int
    ratio: float
    """The confidence, from 0 to 1."""
    evidence: str = ""
    """What located it if the prompt itself is gone: 'its heading'."""
    is_label: bool = False
    """Whether it is no prompt, but the number that a student put before an answer."""


def stream_words(lines: Sequence[str]) -> list[StreamWord]:
    """Return the words of a notebook's lines as one stream."""
    stream: list[StreamWord] = []
    for line_number, line in enumerate(lines):
        words = split_words(line)
        previous_end = 0
        for number, (text, start, end) in enumerate(words):
            is_first, is_last = number == 0, number == len(words) - 1
            opens_phrase = is_first or line[previous_end:start].strip() not in _INSIDE_PHRASE
            ends_sentence = is_last or _SENTENCE_END.match(line, end) is not None
            stream.append(
                StreamWord(text, line_number, start, end, opens_phrase, ends_sentence, is_first)
            )
            previous_end = end
    return stream


def find_anchors(stream: Sequence[StreamWord], *, prompts: Mapping[str, str]) -> list[Anchor]:
    """Find the occurrences of each prompt.

    Args:
        stream: The words of the notebook.
        prompts: Item ids to prompts, in the rubric's order.

    Returns:
        The occurrences, in the notebook's order and without overlaps; an item may have several,
        or none. Items with the same prompt get its occurrences in turn.
    """
    items_by_prompt: dict[str, list[str]] = {}
    for item, prompt in prompts.items():
        if prompt.strip():
            items_by_prompt.setdefault(prompt.strip(), []).append(item)
    search = _PromptSearch(stream)
    occurrences = [
        anchor
        for prompt, items in items_by_prompt.items()
        for anchor in search.find_prompt(prompt, item=items[0])
    ]
    items_by_first = {items[0]: items for items in items_by_prompt.values()}
    counts: Counter[str] = Counter()
    anchors = []
    for anchor in _drop_overlaps(occurrences):
        items = items_by_first[anchor.item]
        anchors.append(replace(anchor, item=items[min(counts[anchor.item], len(items) - 1)]))
        counts[anchor.item] += 1
    return anchors


def _drop_overlaps(occurrences: list[Anchor]) -> list[Anchor]:
    """Return the best of the occurrences that overlap, in the notebook's order."""
    disjoint: list[Anchor] = []
    for anchor in sorted(occurrences, key=lambda a: (-a.ratio, a.first - a.last, a.first)):
        if all(anchor.last <= other.first or other.last <= anchor.first for other in disjoint):
            disjoint.append(anchor)
    return sorted(disjoint, key=lambda a: a.first)


def _sentences(asked: Iterable[StreamWord]) -> list[list[StreamWord]]:
    """Return the sentences of a prompt, those of a few words with the one before them."""
    sentences: list[list[StreamWord]] = []
    begins = True
    for word in asked:
        if begins:
            sentences.append([])
        sentences[-1].append(word)
        begins = word.ends_sentence
    joined = sentences[:1]
    for sentence in sentences[1:]:
        if min(len(sentence), len(joined[-1])) < _MIN_FUZZY_WORDS:
            joined[-1] += sentence
        else:
            joined.append(sentence)
    return joined


class _PromptSearch:
    """The words of one notebook, searched for one prompt after the other."""

    def __init__(self, stream: Sequence[StreamWord]) -> None:
        self._stream = stream
        self._words = [word.text for word in stream]
        self._text = f" {' '.join(self._words)} "
        self._phrase_starts = [n for n, word in enumerate(stream) if word.opens_phrase]
        self._sentence_ends = [n + 1 for n, word in enumerate(stream) if word.ends_sentence]

    def find_prompt(self, prompt: str, *, item: str) -> list[Anchor]:
        """Find a prompt as it is, in parts with an answer between them, or else reworded."""
        asked = stream_words(visible_lines(prompt))
        lines = [list(words) for _, words in groupby(asked, key=lambda word: word.line)]
        parts = [words for words in lines if len(words) >= _MIN_FUZZY_WORDS]
        parts = [words[:_MAX_PROMPT_WORDS] for words in parts] if len(parts) > 1 else []
        asked = asked[:_MAX_PROMPT_WORDS]
        sentences = _sentences(asked)
        occurrences = (
            self._find_exact(asked, item=item)
            or self._find_all_parts(parts, item=item, find=self._find_exact)
            or self._find_all_parts(sentences, item=item, find=self._find_exact)
        )
        if len(asked) < _MIN_FUZZY_WORDS:
            return occurrences
        min_ratio = SAME_RATIO if occurrences else CLOSE_RATIO
        occurrences += self._find_similar(asked, item=item, min_ratio=min_ratio)
        return (
            occurrences
            or self._find_all_parts(sentences, item=item, find=self._find_alike)
            or [anchor for words in parts for anchor in self._find_similar(words, item=item)]
        )

    def _find_all_parts(
        self,
        parts: Iterable[Sequence[StreamWord]],
        *,
        item: str,
        find: Callable[..., list[Anchor]],
    ) -> list[Anchor]:
        """Find the parts of a prompt, if each of them is in the notebook."""
        by_part = [find(words, item=item) for words in parts]
        return [anchor for anchors in by_part for anchor in anchors if all(by_part)]

    def _find_alike(self, asked: Sequence[StreamWord], *, item: str) -> list[Anchor]:
        return self._find_exact(asked, item=item) or self._find_similar(asked, item=item)

    def _find_exact(self, asked: Sequence[StreamWord], *, item: str) -> list[Anchor]:
        """Find the words as they are; a prompt of a few words only where it opens a line."""
        anchors: list[Anchor] = []
        prompt_words = [word.text for word in asked]
        for first in self._exact_starts(prompt_words) if prompt_words else ():
            if len(prompt_words) >= _MIN_FUZZY_WORDS or self._stream[first].opens_line:
                last = first + len(prompt_words)
                anchors.append(Anchor(item=item, first=first, last=last, ratio=1.0))
            if len(anchors) == _MAX_OCCURRENCES:
                break
        return anchors

    def _exact_starts(self, prompt_words: list[str]) -> Iterator[int]:
        pattern = f" {' '.join(prompt_words)} "
        number, position = 0, 0
        while (start := self._text.find(pattern, position)) >= 0:
            number += self._text.count(" ", position, start)
            yield number
            number, position = number + 1, start + 1

    def _find_similar(
        self, asked: Sequence[StreamWord], *, item: str, min_ratio: float = CLOSE_RATIO
    ) -> list[Anchor]:
        """Find the stretch of text most similar to the prompt, and all that are nearly equal."""
        prompt_words = [word.text for word in asked]
        windows = {
            (first, last): " ".join(self._words[first:last])
            for first, last in islice(self._windows(prompt_words), _MAX_WINDOWS)
        }
        matches = process.extract(
            " ".join(prompt_words),
            windows,
            scorer=fuzz.ratio,
            score_cutoff=100 * min_ratio,
            limit=_MAX_OCCURRENCES,
        )
        best = max((score / 100 for _, score, _ in matches), default=0.0)
        return [
            Anchor(item=item, first=first, last=last, ratio=min(score / 100, 0.999))
            for _, score, window in matches
            if score / 100 >= min(SAME_RATIO, best)
            for first, last in self._without_answers(window, asked=asked)
        ]

    def _without_answers(
        self, window: tuple[int, int], *, asked: Sequence[StreamWord]
    ) -> Iterator[tuple[int, int]]:
        """Yield a stretch of text without the words typed between two sentences of the prompt."""
        first, last = window
        words = self._words[first:last]
        for change in Levenshtein.opcodes([word.text for word in asked], words):
            start, end, before = change.dest_start, change.dest_end, change.src_start
            if change.tag != "insert" or not before:
                continue
            while not asked[before - 1].ends_sentence and [words[start]] == words[end : end + 1]:
                start, end, before = start + 1, end + 1, before + 1  # 'False? False. Can you'
            if asked[before - 1].ends_sentence:
                yield first, window[0] + start
                first = window[0] + end
        if first < last:
            yield first, last

    def _windows(self, prompt_words: list[str]) -> Iterator[tuple[int, int]]:
        """Yield stretches of text about as long as the prompt and with enough of its words.

        Each begins where a phrase does and stops where a sentence does, or with the prompt's last
        word.
        """
        last_words = [n for n, word in enumerate(self._words, 1) if word == prompt_words[-1]]
        ends = sorted({*self._sentence_ends, *last_words})
        length, slack = len(prompt_words), max(2, int(_LENGTH_SLACK * len(prompt_words)))
        is_shared = map(frozenset(prompt_words).__contains__, self._words)
        shared_before = [0, *accumulate(is_shared)]
        for first in self._phrase_starts:
            middle = min(first + length, len(self._words))
            shared_count = shared_before[middle] - shared_before[first]
            if shared_count < _MIN_SHARED_WORDS * length:
                continue
            number = bisect_left(ends, first + length - slack)
            for last in ends[number : number + 2 * slack + 1]:
                if last > first + length + slack:
                    break
                yield first, last
