"""Finds where a notebook asks each question, also where the prompt was retyped or reworded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import chain, islice
from math import ceil
from typing import NamedTuple

from grader.notebook.markdown_words import split_words, visible_lines

CLOSE_RATIO = 0.85
"""How alike a reworded prompt and the rubric's must be."""
SAME_RATIO = 0.95
"""How alike a second occurrence must be: an answer may well begin with the question's words."""
_MIN_FUZZY_WORDS = 5
_LENGTH_SLACK = 0.3
_MAX_CANDIDATES = 12
_MAX_OCCURRENCES = 20
_MAX_SNAP_WORDS = 3
_MAX_PROMPT_WORDS = 250
_CACHE_SIZE, _MAX_CACHED_LINE = 512, 500
"""How many lines are kept taken apart, as in `prose`."""
_SENTENCE_END = re.compile(r"[\"'*_)\]]*(?:[.?!:]|\Z)")
"""What follows the last word of a sentence."""


class StreamWord(NamedTuple):  # as many as there are words
    """A word of the notebook's text, and the line and the columns where it stands."""

    text: str
    line: int
    start: int
    end: int
    opens_line: bool
    """Whether it opens its line."""
    ends_sentence: bool
    """Whether a sentence or the line ends with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """An occurrence of an item's prompt: the words from first up to last, last not included.

    One without a word stands before the word `first`: its prompt is gone, and was told otherwise.
    """

    item: str
    first: int
    last: int
    ratio: float
    evidence: str = ""
    """What told it where the prompt itself is gone: 'its heading'."""


def stream_words(lines: Sequence[str]) -> list[StreamWord]:
    """The words of a notebook's text as one stream.

    Args:
        lines: Its lines, in order.

    Returns:
        Every word with its place.
    """
    return [
        StreamWord(text, number, start, end, opens_line, ends_sentence)
        for number, line in enumerate(lines)
        for text, start, end, opens_line, ends_sentence in (
            _cached_line_words(line) if len(line) <= _MAX_CACHED_LINE else _line_words(line)
        )
    ]


_LineWord = tuple[str, int, int, bool, bool]
"""A word of one line: its text, start and end, whether it opens the line, whether it closes."""


def _line_words(line: str) -> tuple[_LineWord, ...]:
    line_words = split_words(line)
    sentence_ends = (
        *(_SENTENCE_END.match(line, word.end) is not None for word in line_words[:-1]),
        True,
    )
    return tuple(
        (*word, count == 0, ends_sentence)
        for count, (word, ends_sentence) in enumerate(zip(line_words, sentence_ends, strict=False))
    )


_cached_line_words = lru_cache(maxsize=_CACHE_SIZE)(_line_words)


def find_anchors(stream: Sequence[StreamWord], *, prompts: dict[str, str]) -> list[Anchor]:
    """Where each prompt stands; occurrences never overlap.

    Args:
        stream: The words of the notebook.
        prompts: Item ids to prompts, in the rubric's order.

    Returns:
        The occurrences, in the notebook's order; an item may have several, or none.
    """
    index = WordIndex.from_stream(stream)
    items_by_prompt = _group_by_prompt(prompts)
    occurrences = [
        anchor
        for prompt, items in items_by_prompt.items()
        for anchor in _find_occurrences(prompt, item=items[0], index=index)
    ]
    return _distribute_items(_drop_overlaps(occurrences), items_by_prompt=items_by_prompt)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordIndex:
    """The words of a notebook, and where each of them stands."""

    stream: Sequence[StreamWord]
    texts: list[str]
    positions: Mapping[str, Sequence[int]]

    @classmethod
    def from_stream(cls, stream: Sequence[StreamWord]) -> WordIndex:
        """A page of words."""
        texts = [word.text for word in stream]
        positions: dict[str, list[int]] = {}
        for number, text in enumerate(texts):
            positions.setdefault(text, []).append(number)
        return cls(stream=stream, texts=texts, positions=positions)


def _group_by_prompt(prompts: dict[str, str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for item, prompt in prompts.items():
        groups.setdefault(prompt.strip(), []).append(item)
    return {prompt: items for prompt, items in groups.items() if prompt}


def _prompt_words(prompt: str) -> list[str]:
    return [word.text for line in visible_lines(prompt) for word in split_words(line)][
        :_MAX_PROMPT_WORDS
    ]


def _find_occurrences(prompt: str, *, item: str, index: WordIndex) -> list[Anchor]:
    """A prompt as it is, in parts with an answer between them, or else reworded."""
    parts = [line for line in visible_lines(prompt) if len(split_words(line)) >= _MIN_FUZZY_WORDS]
    prompt_words = _prompt_words(prompt)
    occurrences = _find_exact(prompt_words, item=item, index=index)
    if not occurrences and len(parts) > 1:
        exact_parts = [_find_exact(_prompt_words(part), item=item, index=index) for part in parts]
        occurrences = [
            anchor for part_anchors in exact_parts for anchor in part_anchors if all(exact_parts)
        ]
    if len(prompt_words) < _MIN_FUZZY_WORDS:
        return occurrences
    taken = frozenset(word for anchor in occurrences for word in range(anchor.first, anchor.last))
    occurrences += _find_fuzzy(prompt_words, item=item, index=index, taken=taken)
    if not occurrences and len(parts) > 1:
        for part in parts:
            occurrences += _find_fuzzy(_prompt_words(part), item=item, index=index, taken=taken)
    return occurrences


def _find_exact(prompt_words: list[str], *, item: str, index: WordIndex) -> list[Anchor]:
    """Word for word; a prompt of a few words only where it opens a line."""
    length, texts = len(prompt_words), index.texts
    occurrences = (
        Anchor(item=item, first=start, last=start + length, ratio=1.0)
        for start in (index.positions.get(prompt_words[0], ()) if prompt_words else ())
        if texts[start : start + length] == prompt_words
        and (length >= _MIN_FUZZY_WORDS or index.stream[start].opens_line)
    )
    return list(islice(occurrences, _MAX_OCCURRENCES))


def _find_fuzzy(
    prompt_words: list[str], *, item: str, index: WordIndex, taken: frozenset[int]
) -> list[Anchor]:
    """The window that reads most like the prompt, and all that are as good as the same.

    Where the prompt was found word for word (taken), only the same again is looked for.
    """
    occurrences = []
    min_ratio = SAME_RATIO if taken else CLOSE_RATIO
    starts = candidate_starts(prompt_words, index=index, min_ratio=min_ratio)
    free_starts = [s for s in starts if taken.isdisjoint((s, s + len(prompt_words) - 1))]
    for start in free_starts[:_MAX_CANDIDATES]:
        last, ratio = _best_end(prompt_words, start=start, texts=index.texts, min_ratio=min_ratio)
        if min_ratio <= ratio:
            first, last = _snap_to_sentence(start, last, stream=index.stream)
            occurrences.append(Anchor(item=item, first=first, last=last, ratio=min(ratio, 0.999)))
    best = max((anchor.ratio for anchor in occurrences), default=0.0)
    return [anchor for anchor in occurrences if anchor.ratio >= min(SAME_RATIO, best)]


def candidate_starts(prompt_words: list[str], *, index: WordIndex, min_ratio: float) -> list[int]:
    """Starts of windows that share most words with the prompt, the best first."""
    length = len(prompt_words)
    prompt_counts = Counter(prompt_words)
    min_shared = (2 * min_ratio - 1.1) * length
    scored: list[tuple[int, int]] = []
    for first, last in _dense_stretches(
        prompt_counts, index=index, length=length, min_shared=min_shared
    ):
        window_counts = Counter(index.texts[max(0, first - length) : first])
        shared = sum(min(count, window_counts[text]) for text, count in prompt_counts.items())
        for end in range(first, last):
            text = index.texts[end]
            window_counts[text] += 1
            shared += window_counts[text] <= prompt_counts[text]
            dropped = index.texts[end - length] if end >= length else None
            if dropped is not None:
                shared -= window_counts[dropped] <= prompt_counts[dropped]
                window_counts[dropped] -= 1
            if shared >= min_shared:
                scored.append((-shared, max(0, end - length + 1)))
    return [start for _, start in sorted(scored)]


def _dense_stretches(
    prompt_counts: Counter[str], *, index: WordIndex, length: int, min_shared: float
) -> Iterator[tuple[int, int]]:
    """Stretches of ends of windows with enough of the prompt's words, however often each."""
    count = max(1, ceil(min_shared))
    positions = sorted(chain.from_iterable(index.positions.get(text, ()) for text in prompt_counts))
    first, last = 0, 0
    for low, high in zip(positions, positions[count - 1 :], strict=False):
        if high - low < length:
            if high > last:
                if first < last:
                    yield first, last
                first = high
            last = max(last, min(low + length, len(index.texts)))
    if first < last:
        yield first, last


def _best_end(
    prompt_words: list[str], *, start: int, texts: list[str], min_ratio: float
) -> tuple[int, float]:
    """The end that makes a window from start read most like the prompt."""
    length, slack = len(prompt_words), max(2, int(_LENGTH_SLACK * len(prompt_words)))
    prompt_text = " ".join(prompt_words)
    step = max(1, slack // 6)
    best = (start + length, 0.0)
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(prompt_text)
    for last in range(start + length - slack, min(len(texts), start + length + slack) + 1, step):
        matcher.set_seq1(" ".join(texts[start:last]))
        bound = max(best[1], min_ratio)
        if matcher.real_quick_ratio() > bound and matcher.quick_ratio() > bound:
            ratio = matcher.ratio()
            best = (last, ratio) if ratio > best[1] else best
    return best


def _snap_to_sentence(first: int, last: int, *, stream: Sequence[StreamWord]) -> tuple[int, int]:
    """A window widened to the sentence it almost covers."""
    for back in range(min(_MAX_SNAP_WORDS, first) + 1):
        if stream[first - back].opens_line or (
            first > back and stream[first - back - 1].ends_sentence
        ):
            first -= back
            break
    for ahead in range(_MAX_SNAP_WORDS + 1):
        if last - 1 + ahead < len(stream) and stream[last - 1 + ahead].ends_sentence:
            return first, last + ahead
    return first, last


def _drop_overlaps(occurrences: list[Anchor]) -> list[Anchor]:
    """The best of those that share a word, in the notebook's order."""
    disjoint: list[Anchor] = []
    for anchor in sorted(occurrences, key=lambda a: (-a.ratio, a.first - a.last, a.first)):
        if all(anchor.last <= other.first or other.last <= anchor.first for other in disjoint):
            disjoint.append(anchor)
    return sorted(disjoint, key=lambda a: a.first)


def _distribute_items(
    occurrences: list[Anchor], *, items_by_prompt: dict[str, list[str]]
) -> list[Anchor]:
    """Occurrences of a prompt that several items have go to these items in turn."""
    items_by_first = {items[0]: items for items in items_by_prompt.values()}
    seen: Counter[str] = Counter()
    distributed = []
    for anchor in occurrences:
        items = items_by_first[anchor.item]
        item = items[min(seen[anchor.item], len(items) - 1)]
        seen[anchor.item] += 1
        distributed.append(
            Anchor(item=item, first=anchor.first, last=anchor.last, ratio=anchor.ratio)
        )
    return distributed
