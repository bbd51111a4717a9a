"""Finds answers that stand together apart from their questions, by words of those before each.

Only where answers are missing: '- **Skip connections**: …', '| Skip connections | … |', headings;
in the questions' order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

from grader.model import Item
from grader.notebook.fallback_search import SearchedText
from grader.notebook.handout import Handout
from grader.notebook.label_search import header_start
from grader.notebook.markdown_words import split_words, word_stems
from grader.notebook.prompt_search import Anchor

_MIN_TOPICS = 2
_MAX_TOPIC_WORDS, _MAX_TOPICS = 10, 500
_MAX_OPENING = 200
"""The characters of a line in which its topic ends."""
_NOISE = (
    r"^(?:[\s>•+§-]|\*(?=\s)|\(?\d{1,2}[.)](?=\s)|(?:q|question|topic|re)\s?:"
    r"|<(?:p|div|ul|ol|li|details|span|font)\b[^<>]*>)*"
)
_TAGS = r"<(?:b|strong|u|em|summary|dt)\b[^<>]*>"
_FORMS = {
    form: re.compile(pattern, re.IGNORECASE)
    for form, pattern in {
        "row": r"\s*(?:\||<t[dh]\b[^<>]*>)(?:\s*\d{1,2}\s*\|)?(?P<topic>[^|<>]+)(?:\||</t)",
        "heading": r"\s*(?P<level>#{1,6}\s|<h\d)(?P<topic>.+)",
        "emphasis": rf"{_NOISE}(?:\*\*|__|{_TAGS})(?P<topic>[^*<>]+)(?:\*\*|__|</)",
        "line": rf"{_NOISE}(?P<topic>[^:?*|<>.,;]+)[:?]?$",
        "opening": rf"{_NOISE}(?P<topic>[^:?*|<>]+)(?:[:?]|\s[–—-]\s)",  # noqa: RUF001
    }.items()
}
"""How a topic stands before an answer, the clearest form first."""
_CHARTS = dict.fromkeys(word_stems("chart plot graph figure diagram scatterplot"), "chart")
"""Stems of words that mean the same beside a chart, whichever the question has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Topic:
    """A line that opens with a few words that are set off."""

    form: str
    line: int
    first: int
    anchors_above: int
    item: str
    """The only written item whose question has these words, or ''."""


def find_topic_anchors(
    text: SearchedText, *, items: Sequence[Item], empty: Collection[str], handout: Handout
) -> list[Anchor]:
    """Find the words that tell which questions the text below them answers.

    Args:
        text: The notebook's text, with all prompts that were found in it.
        items: All items of the rubric.
        empty: The items that have no answer so far.
        handout: The handout's lines.

    Returns:
        An anchor before each, where they are in the order of items without an answer.
    """
    written = [item for item in items if item.kind == "written" and item.prompt]
    anchors = sorted(text.anchors, key=lambda anchor: anchor.first)
    subjects = _subjects({item.id: item.prompt for item in written})
    read = _read_topics(text, subjects=subjects, anchors=anchors, handout=handout)
    topics = list(islice(read, _MAX_TOPICS))
    labels: list[Anchor] = []
    for anchors_above, group in groupby(topics, key=lambda topic: topic.anchors_above):
        owner = anchors[max(0, anchors_above - 1)].item if anchors else ""
        wanted = [item.id for item in written if item.id in empty or item.id == owner]
        series: dict[tuple[str, int | None], list[_Topic]] = {}
        for topic in group:  # in one cell, or in all up to the next question
            for cell in (None, text.lines[topic.line].cell):
                series.setdefault((topic.form, cell), []).append(topic)
        named = max((_name_series(each, wanted=wanted) for each in series.values()), key=len)
        if len(named) >= _MIN_TOPICS:
            above = anchors[anchors_above - 1].last if anchors_above else 0
            labels += _to_anchors(named, text=text, above=above)
    return labels


def _to_anchors(
    named: Sequence[tuple[str, _Topic]], *, text: SearchedText, above: int
) -> Iterator[Anchor]:
    """Yield an anchor before each topic, which is left to the answer; a title above is none's."""
    for position, (item, topic) in enumerate(named):
        first = topic.first
        if position == 0:
            first = header_start(topic.line, text=text, first=first, above=above)
        evidence = "words of the question before it"
        yield Anchor(
            item=item, first=first, last=topic.first, ratio=1.0, evidence=evidence, is_label=True
        )


def _subjects(prompts: Mapping[str, str]) -> Mapping[str, Mapping[str, float]]:
    """Return the stems of each prompt, each with its share of the prompts that have it."""
    stems = {item: _subject_stems(prompt) for item, prompt in prompts.items()}
    counts = Counter(stem for own in stems.values() for stem in own)
    return {item: {stem: 1 / counts[stem] for stem in own} for item, own in stems.items()}


def _subject_stems(text: str) -> frozenset[str]:
    return frozenset(_CHARTS.get(stem, stem) for stem in word_stems(text))


def _read_topics(
    text: SearchedText,
    *,
    subjects: Mapping[str, Mapping[str, float]],
    anchors: Sequence[Anchor],
    handout: Handout,
) -> Iterator[_Topic]:
    prompt_lines = text.prompt_lines()
    for number, (first, _) in text.word_spans().items():
        line = text.lines[number].text
        if number in prompt_lines or handout.has_exactly(line):
            continue
        above = sum(anchor.first <= first for anchor in anchors)
        for form, pattern in _FORMS.items():
            match = pattern.match(line[:_MAX_OPENING])
            if match and len(split_words(match["topic"])) <= _MAX_TOPIC_WORDS:
                level = match["level"] if form == "heading" else ""
                yield _Topic(
                    form=form + level,
                    line=number,
                    first=first,
                    anchors_above=above,
                    item=_match_subject(match["topic"], subjects=subjects),
                )
                break


def _match_subject(topic: str, *, subjects: Mapping[str, Mapping[str, float]]) -> str:
    """Return the item whose prompt has most of a topic's words, at least one of them alone."""
    stems = _subject_stems(topic)
    shared = {item: [own[stem] for stem in stems & own.keys()] for item, own in subjects.items()}
    ranked = sorted(shared, key=lambda item: sum(shared[item]), reverse=True)
    if not ranked:
        return ""
    best = shared[ranked[0]]
    is_clear = len(ranked) == 1 or sum(best) > sum(shared[ranked[1]])
    return ranked[0] if 1.0 in best and is_clear and 2 * len(best) >= len(stems) else ""


def _name_series(series: Sequence[_Topic], *, wanted: Sequence[str]) -> list[tuple[str, _Topic]]:
    """Return the topics of one form with their items; none where they are no series of answers.

    Where there are as many as items are wanted, their places name those that words don't.
    """
    while len(series) > len(wanted) and not series[0].item:  # the first row of a table
        series = series[1:]
    named = [(topic.item, topic) for topic in series if topic.item]
    if 2 * len(named) <= len(series) or not all(item in wanted for item, _ in named):
        return []
    by_place = list(zip(wanted, series, strict=False))
    if len(series) == len(wanted) and all(topic.item in ("", item) for item, topic in by_place):
        return by_place
    places = [wanted.index(item) for item, _ in named]
    return named if places == sorted(set(places)) else []
