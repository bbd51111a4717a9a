"""Finds where a notebook asks each question, also where the prompt was retyped or reworded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice

from grader.notebook.prose import shown_lines, words

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
_ENDS = ".?!:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
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
    """An occurrence of an item's prompt: the words from first up to last, last not included."""

    item: str
    first: int
    last: int
    ratio: float


def places(lines: Sequence[str]) -> list[Place]:
    """The words of a notebook's text as one stream.

    Args:
        lines: Its lines, in order.

    Returns:
        Every word with its place.
    """
    return [place for number, line in enumerate(lines) for place in _of_line(line, number=number)]


def _of_line(line: str, *, number: int) -> Iterator[Place]:
    found = words(line)
    for count, word in enumerate(found):
        following = line[word.end :].lstrip("\"'*_)]")[:1]
        yield Place(
            text=word.text,
            line=number,
            start=word.start,
            end=word.end,
            first=count == 0,
            closes=count + 1 == len(found) or following in _ENDS,
        )


def anchors(stream: Sequence[Place], *, prompts: dict[str, str]) -> list[Anchor]:
    """Where each prompt stands; occurrences never overlap.

    Args:
        stream: The words of the notebook.
        prompts: Item ids to prompts, in the rubric's order.

    Returns:
        The occurrences, in the notebook's order; an item may have several, or none.
    """
    page = _Page(stream=stream, texts=[place.text for place in stream])
    groups = _by_prompt(prompts)
    found = [
        anchor
        for prompt, items in groups.items()
        for anchor in _occurrences(prompt, item=items[0], page=page)
    ]
    return _shared_out(_without_overlaps(found), twins=groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """The stream, and the bare words of it."""

    stream: Sequence[Place]
    texts: list[str]


def _by_prompt(prompts: dict[str, str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for item, prompt in prompts.items():
        groups.setdefault(prompt.strip(), []).append(item)
    return {prompt: items for prompt, items in groups.items() if prompt}


def _prompt_words(prompt: str) -> list[str]:
    return [word.text for line in shown_lines(prompt) for word in words(line)][:_MAX_PROMPT]


def _occurrences(prompt: str, *, item: str, page: _Page) -> list[Anchor]:
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


def _exact(wanted: list[str], *, item: str, page: _Page) -> list[Anchor]:
    """Word for word; a prompt of a few words only where it opens a line."""
    length, texts = len(wanted), page.texts
    found = (
        Anchor(item=item, first=start, last=start + length, ratio=1.0)
        for start in range(len(texts) - length + 1 if wanted else 0)
        if texts[start] == wanted[0]
        and texts[start : start + length] == wanted
        and (length >= _SHORT or page.stream[start].first)
    )
    return list(islice(found, _MAX_OCCURRENCES))


def _fuzzy(wanted: list[str], *, item: str, page: _Page, taken: frozenset[int]) -> list[Anchor]:
    """The window that reads most like the prompt, and all that are as good as the same.

    Where the prompt was found word for word (taken), only the same again is looked for.
    """
    found = []
    least = SAME if taken else CLOSE
    starts = _candidates(wanted, texts=page.texts, least=least)
    free = [s for s in starts if taken.isdisjoint((s, s + len(wanted) - 1))]
    for start in free[:_MAX_CANDIDATES]:
        last, ratio = _best_end(wanted, start=start, texts=page.texts, least=least)
        if least <= ratio:
            first, last = _snapped(start, last, stream=page.stream)
            found.append(Anchor(item=item, first=first, last=last, ratio=min(ratio, 0.999)))
    best = max((anchor.ratio for anchor in found), default=0.0)
    return [anchor for anchor in found if anchor.ratio >= min(SAME, best)]


def _candidates(wanted: list[str], *, texts: list[str], least: float) -> list[int]:
    """Starts of windows that share most words with the prompt, the best first."""
    length = len(wanted)
    need = Counter(wanted)
    have: Counter[str] = Counter()
    shared, scored = 0, []
    for end, text in enumerate(texts):
        have[text] += 1
        shared += have[text] <= need[text]
        gone = texts[end - length] if end >= length else None
        if gone is not None:
            shared -= have[gone] <= need[gone]
            have[gone] -= 1
        if shared >= (2 * least - 1.1) * length:
            scored.append((-shared, max(0, end - length + 1)))
    return [start for _, start in sorted(scored)]


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
