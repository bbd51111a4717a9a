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

from grader.notebook.markdown_words import shown_lines, words

CLOSE = 0.85
"""How alike a reworded prompt and the rubric's must be."""
SAME = 0.95
"""How alike a second occurrence must be: an answer may well begin with the question's words."""
_SHORT = 5
_SLACK = 0.3
_MAX_CANDIDATES = 12
_MAX_OCCURRENCES = 20
_SNAP = 3
_MAX_PROMPT = 250
_KEPT, _MAX_KEPT = 512, 500
"""How many lines are kept taken apart, as in `prose`."""
_CLOSES = re.compile(r"[\"'*_)\]]*(?:[.?!:]|\Z)")
"""What follows the last word of a sentence."""


class Place(NamedTuple):  # as many as there are words
    """A word of the notebook's text, and the line and the columns where it stands."""

    text: str
    line: int
    start: int
    end: int
    first: bool
    """Whether it opens its line."""
    closes: bool
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
    how: str = ""
    """What told it where the prompt itself is gone: 'its heading'."""


def places(lines: Sequence[str]) -> list[Place]:
    """The words of a notebook's text as one stream.

    Args:
        lines: Its lines, in order.

    Returns:
        Every word with its place.
    """
    return [
        Place(text, number, start, end, first, closes)
        for number, line in enumerate(lines)
        for text, start, end, first, closes in (
            _known_standing(line) if len(line) <= _MAX_KEPT else _standing(line)
        )
    ]


_Standing = tuple[str, int, int, bool, bool]
"""A word of one line: its text, start and end, whether it opens the line, whether it closes."""


def _standing(line: str) -> tuple[_Standing, ...]:
    found = words(line)
    closing = (*(_CLOSES.match(line, word.end) is not None for word in found[:-1]), True)
    return tuple(
        (*word, count == 0, closes)
        for count, (word, closes) in enumerate(zip(found, closing, strict=False))
    )


_known_standing = lru_cache(maxsize=_KEPT)(_standing)


def anchors(stream: Sequence[Place], *, prompts: dict[str, str]) -> list[Anchor]:
    """Where each prompt stands; occurrences never overlap.

    Args:
        stream: The words of the notebook.
        prompts: Item ids to prompts, in the rubric's order.

    Returns:
        The occurrences, in the notebook's order; an item may have several, or none.
    """
    page = Page.of(stream)
    groups = _by_prompt(prompts)
    found = [
        anchor
        for prompt, items in groups.items()
        for anchor in _occurrences(prompt, item=items[0], page=page)
    ]
    return _shared_out(_without_overlaps(found), twins=groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The words of a notebook, and where each of them stands."""

    stream: Sequence[Place]
    texts: list[str]
    standing: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, stream: Sequence[Place]) -> Page:
        """A page of words."""
        texts = [place.text for place in stream]
        standing: dict[str, list[int]] = {}
        for number, text in enumerate(texts):
            standing.setdefault(text, []).append(number)
        return cls(stream=stream, texts=texts, standing=standing)


def _by_prompt(prompts: dict[str, str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for item, prompt in prompts.items():
        groups.setdefault(prompt.strip(), []).append(item)
    return {prompt: items for prompt, items in groups.items() if prompt}


def _prompt_words(prompt: str) -> list[str]:
    return [word.text for line in shown_lines(prompt) for word in words(line)][:_MAX_PROMPT]


def _occurrences(prompt: str, *, item: str, page: Page) -> list[Anchor]:
    """A prompt as it is, in parts with an answer between them, or else reworded."""
    parts = [line for line in shown_lines(prompt) if len(words(line)) >= _SHORT]
    whole = _prompt_words(prompt)
    found = _exact(whole, item=item, page=page)
    if not found and len(parts) > 1:
        exact = [_exact(_prompt_words(part), item=item, page=page) for part in parts]
        found = [anchor for anchors_of_part in exact for anchor in anchors_of_part if all(exact)]
    if len(whole) < _SHORT:
        return found
    taken = frozenset(word for anchor in found for word in range(anchor.first, anchor.last))
    found += _fuzzy(whole, item=item, page=page, taken=taken)
    if not found and len(parts) > 1:
        for part in parts:
            found += _fuzzy(_prompt_words(part), item=item, page=page, taken=taken)
    return found


def _exact(wanted: list[str], *, item: str, page: Page) -> list[Anchor]:
    """Word for word; a prompt of a few words only where it opens a line."""
    length, texts = len(wanted), page.texts
    found = (
        Anchor(item=item, first=start, last=start + length, ratio=1.0)
        for start in (page.standing.get(wanted[0], ()) if wanted else ())
        if texts[start : start + length] == wanted
        and (length >= _SHORT or page.stream[start].first)
    )
    return list(islice(found, _MAX_OCCURRENCES))


def _fuzzy(wanted: list[str], *, item: str, page: Page, taken: frozenset[int]) -> list[Anchor]:
    """The window that reads most like the prompt, and all that are as good as the same.

    Where the prompt was found word for word (taken), only the same again is looked for.
    """
    found = []
    least = SAME if taken else CLOSE
    starts = candidates(wanted, page=page, least=least)
    free = [s for s in starts if taken.isdisjoint((s, s + len(wanted) - 1))]
    for start in free[:_MAX_CANDIDATES]:
        last, ratio = _best_end(wanted, start=start, texts=page.texts, least=least)
        if least <= ratio:
            first, last = _snapped(start, last, stream=page.stream)
            found.append(Anchor(item=item, first=first, last=last, ratio=min(ratio, 0.999)))
    best = max((anchor.ratio for anchor in found), default=0.0)
    return [anchor for anchor in found if anchor.ratio >= min(SAME, best)]


def candidates(wanted: list[str], *, page: Page, least: float) -> list[int]:
    """Starts of windows that share most words with the prompt, the best first."""
    length = len(wanted)
    need = Counter(wanted)
    least_shared = (2 * least - 1.1) * length
    scored: list[tuple[int, int]] = []
    for first, last in _dense(need, page=page, length=length, least=least_shared):
        have = Counter(page.texts[max(0, first - length) : first])
        shared = sum(min(count, have[text]) for text, count in need.items())
        for end in range(first, last):
            text = page.texts[end]
            have[text] += 1
            shared += have[text] <= need[text]
            gone = page.texts[end - length] if end >= length else None
            if gone is not None:
                shared -= have[gone] <= need[gone]
                have[gone] -= 1
            if shared >= least_shared:
                scored.append((-shared, max(0, end - length + 1)))
    return [start for _, start in sorted(scored)]


def _dense(
    need: Counter[str], *, page: Page, length: int, least: float
) -> Iterator[tuple[int, int]]:
    """Stretches of ends of windows with enough of the prompt's words, however often each."""
    count = max(1, ceil(least))
    standing = sorted(chain.from_iterable(page.standing.get(text, ()) for text in need))
    first, last = 0, 0
    for low, high in zip(standing, standing[count - 1 :], strict=False):
        if high - low < length:
            if high > last:
                if first < last:
                    yield first, last
                first = high
            last = max(last, min(low + length, len(page.texts)))
    if first < last:
        yield first, last


def _best_end(
    wanted: list[str], *, start: int, texts: list[str], least: float
) -> tuple[int, float]:
    """The end that makes a window from start read most like the prompt."""
    length, slack = len(wanted), max(2, int(_SLACK * len(wanted)))
    said = " ".join(wanted)
    step = max(1, slack // 6)
    best = (start + length, 0.0)
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(said)
    for last in range(start + length - slack, min(len(texts), start + length + slack) + 1, step):
        matcher.set_seq1(" ".join(texts[start:last]))
        bound = max(best[1], least)
        if matcher.real_quick_ratio() > bound and matcher.quick_ratio() > bound:
            ratio = matcher.ratio()
            best = (last, ratio) if ratio > best[1] else best
    return best


def _snapped(first: int, last: int, *, stream: Sequence[Place]) -> tuple[int, int]:
    """A window widened to the sentence it almost covers."""
    for back in range(min(_SNAP, first) + 1):
        if stream[first - back].first or (first > back and stream[first - back - 1].closes):
            first -= back
            break
    for on in range(_SNAP + 1):
        if last - 1 + on < len(stream) and stream[last - 1 + on].closes:
            return first, last + on
    return first, last


def _without_overlaps(found: list[Anchor]) -> list[Anchor]:
    """The best of those that share a word, in the notebook's order."""
    kept: list[Anchor] = []
    for anchor in sorted(found, key=lambda a: (-a.ratio, a.first - a.last, a.first)):
        if all(anchor.last <= other.first or other.last <= anchor.first for other in kept):
            kept.append(anchor)
    return sorted(kept, key=lambda a: a.first)


def _shared_out(kept: list[Anchor], *, twins: dict[str, list[str]]) -> list[Anchor]:
    """Occurrences of a prompt that several items have go to these items in turn."""
    groups = {items[0]: items for items in twins.values()}
    seen: Counter[str] = Counter()
    shared = []
    for anchor in kept:
        items = groups[anchor.item]
        item = items[min(seen[anchor.item], len(items) - 1)]
        seen[anchor.item] += 1
        shared.append(Anchor(item=item, first=anchor.first, last=anchor.last, ratio=anchor.ratio))
    return shared
