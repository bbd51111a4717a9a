"""Rates how certain it is that the text assigned to an item is its whole answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from grader.model import Item
from grader.notebook.attachments import PICTURE_REFERENCE
from grader.notebook.gap_assignment import Unit, UnitPlacement
from grader.notebook.markdown_words import count_words, split_words, word_stems
from grader.notebook.number_labels import item_numbers
from grader.notebook.page_reading import PageReading
from grader.notebook.prompt_search import Anchor

MISSING_PROMPT, SPLIT_TEXT, UNUSUAL_SIDE, UNASSIGNED_TEXT, NOT_LOCATED = 0.6, 0.6, 0.7, 0.4, 0.3
LABELED, AMONG_CODE, NOT_SHOWN, WITH_OTHERS = 0.8, 0.6, 0.5, 0.6
"""The confidence in an answer, by the reason why it is uncertain."""
_MIN_UNCLAIMED_WORDS, _MIN_SHOWN_WORDS = 6, 3
"""The least words of a text without a question that may be an answer, and that are shown then."""
_MANY_PARTS = 3
"""Parts of one answer that may be several answers, where so many others are missing."""
_MIN_SUBJECT_WORDS, _SUBJECT_SHARE = 2, 1 / 3
"""The least words that a text shares with only one question, and their share of that question's."""
_MAX_LISTED_CELLS = 5
_MIN_NUMBERS = 2
"""Numbers of an item from which on the first may be left out."""
_PART_START = re.compile(
    r"\n\s*\n|(?<=[.!?])[*_)\"'|]*\s*\n"
    r"|\n(?=\s*(?:[|>#+*•-]|__|\(?\d{1,2}[.):]|\(?[a-hivx]{1,3}\)|</?\w))"
    r"|\s(?=[*_]{0,3}(?:[(\[]?(?:[b-h]|[ivx]{1,3}|[2-9])[)\]]|(?i:part) [b-h2-9][:.)])[*_]{0,3}\s)"
)
"""Matches the end of a line before a paragraph, a row, an item of a list or a new sentence, and a
space before the mark of a part."""
_MARKUP = " \t\n>#*_|:-"
_SENTENCE_END = re.compile(r"[.!?;][*_)\"']*\s")
_FILE_PICTURE = re.compile(
    rf"!\[[^\]\n]{{0,200}}\]\((?!{PICTURE_REFERENCE.pattern})[^()\n]{{1,300}}\)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerConfidence:
    """The confidence in an answer, from 0 to 1, and why it is below 1."""

    value: float
    reason: str = ""


CERTAIN = AnswerConfidence(value=1.0)


def rate_confidence(page: PageReading, *, items: Sequence[Item]) -> Mapping[str, AnswerConfidence]:
    """Rate the answers of the written items.

    Args:
        page: The notebook's text, and the items that it answers.
        items: All items of the rubric.

    Returns:
        By item, the confidence in its answer; items without an entry are certain.
    """
    written = [item.id for item in items if item.wants_text and item.prompt]
    above_prompt = _rate_unusual_sides(page.placement)
    split = _rate_split_texts(page.placement)
    prompts = {item.id: item.prompt for item in items if item.prompt}
    empty = [item for item in written if not page.units.get(item)]
    elsewhere = {
        item: _find_other_text(item, page=page, written=written, prompts=prompts) for item in empty
    }
    confidences = {}
    for item in written:
        anchors = [anchor for anchor in page.text.anchors if anchor.item == item]
        doubts = (
            _missing_doubts(anchors, elsewhere=elsewhere[item].clause)
            if item in empty
            else _location_doubts(item, anchors=anchors, page=page)
        )
        confidence = (
            next(doubts, None)
            or split.get(item)
            or above_prompt.get(item)
            or _rate_holder([other for other in empty if elsewhere[other].holder == item])
        )
        if confidence is None and anchors and anchors[-1].ratio < 1:
            confidence = AnswerConfidence(value=round(anchors[-1].ratio, 3))
        if confidence is not None:
            confidences[item] = confidence
    return confidences


def _location_doubts(
    item: str, *, anchors: Sequence[Anchor], page: PageReading
) -> Iterator[AnswerConfidence]:
    """Yield why the place where an answer was found is uncertain, the weightiest first."""
    units = page.units[item]
    if labels := [anchor for anchor in anchors if anchor.is_label]:
        reason = (
            "it stands apart from its question, or a part of it does; "
            f"{labels[0].evidence or 'the number before it'} told which one it answers"
        )
        yield AnswerConfidence(value=LABELED, reason=reason)
    yield from _evidence_doubts(anchors)
    if any(_is_only_file_pictures(unit.text) for unit in units):
        reason = "of a picture that it shows, the notebook holds only a file's name"
        yield AnswerConfidence(value=NOT_SHOWN, reason=reason)
    if loose_cells := [unit.cell for unit in units if unit.loose]:
        reason = f"it was found outside the notebook's text, in {list_cells(loose_cells)}"
        yield AnswerConfidence(value=AMONG_CODE, reason=reason)
    if not anchors:
        reason = "the question was not found in the notebook, and this stands where it should be"
        yield AnswerConfidence(value=MISSING_PROMPT, reason=reason)
    if item in page.divided:
        reason = (
            "some text below its question begins with the number or words of another one, and went "
            "to that"
        )
        yield AnswerConfidence(value=SPLIT_TEXT, reason=reason)


def _evidence_doubts(anchors: Sequence[Anchor]) -> Iterator[AnswerConfidence]:
    for anchor in anchors:
        if anchor.evidence and not anchor.is_label:
            reason = (
                "the question was not found as the assignment words it; "
                f"{anchor.evidence} told where it stands"
            )
            yield AnswerConfidence(value=anchor.ratio, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OtherText:
    """What may answer an item without an answer."""

    clause: str = ""
    """Says what it is; '' where there is none."""
    holder: str = ""
    """The item that it was taken to answer, or ''."""


def _missing_doubts(anchors: Sequence[Anchor], *, elsewhere: str) -> Iterator[AnswerConfidence]:
    """Yield why it is uncertain that there is no answer."""
    if elsewhere and not anchors:
        reason = f"neither the question nor an answer was found, and {elsewhere}"
        yield AnswerConfidence(value=NOT_LOCATED, reason=reason)
    elif elsewhere:
        reason = f"nothing stands where an answer should, and {elsewhere}"
        yield AnswerConfidence(value=UNASSIGNED_TEXT, reason=reason)
    yield from _evidence_doubts(anchors)


def _rate_holder(missing: Sequence[str]) -> AnswerConfidence | None:
    """Rate an answer that may be those to other items, too; None if there are none."""
    if not missing:
        return None
    reason = f"it may hold what was not found for {', '.join(missing)}"
    return AnswerConfidence(value=WITH_OTHERS, reason=reason)


def _find_other_text(
    item: str, *, page: PageReading, written: Sequence[str], prompts: Mapping[str, str]
) -> _OtherText:
    """Find what may answer an item without an answer."""
    empty = [each for each in written if not page.units.get(each)]
    cells = [unit.cell for unit in unclaimed_text(page)]
    if cells:
        return _OtherText(clause=f"the text of {list_cells(cells)} was taken for no answer")
    if shown := _cells_showing_prose(page):
        return _OtherText(clause=f"the saved output of {list_cells(shown)} is a text")
    apart = {anchor.item for anchor in page.text.anchors if anchor.is_label}
    near = _neighbors(item, items=written)
    for other, units in page.units.items():
        text = "\n\n".join(unit.text for unit in units)
        cells = [unit.cell for unit in units if _may_be_answer(unit)]
        parts = sum(bool(part.strip(_MARKUP)) for part in _PART_START.split(text))
        least = 1 if other in near else min(len(empty), _MANY_PARTS)
        has_parts = parts > least and (other in near or len(empty) > 1)
        sentences = len(_SENTENCE_END.findall(text + "\n"))
        clues = {
            f"names {item}": _names(item, text),
            "stands apart from that question": other in apart,
            "has several parts": has_parts or len(set(cells)) > 1,
            "has more sentences than answers are missing": sentences > len(empty) >= _MANY_PARTS,
            f"has words of {item}'s question": _has_subject(item, text=text, prompts=prompts),
        }
        for clue, holds in clues.items():
            if cells and holds:
                clause = f"what was found for {other} in {list_cells(cells)} {clue}"
                return _OtherText(clause=clause, holder=other)
    return _OtherText()


def _cells_showing_prose(page: PageReading) -> Sequence[int]:
    """Return the cells without an answer that showed Markdown: `Markdown(open("q.md").read())`."""
    answering = {unit.cell for units in page.units.values() for unit in units}
    return [
        cell.index
        for cell in page.text.cells
        if cell.kind == "code" and cell.index not in answering
        for output in cell.outputs
        if "text/markdown" in output.mimes and count_words(output.text) >= _MIN_UNCLAIMED_WORDS
    ]


def _neighbors(item: str, *, items: Sequence[str]) -> frozenset[str]:
    """Return the items of one question with an item, such as Q2.3.3 and Q2.3.4.

    Not Q1.2 and Q1.3: a question of its own may well be answered in two paragraphs.
    """
    question = item_numbers(item)[:-1]
    if len(question) < _MIN_NUMBERS:
        return frozenset()
    return frozenset(other for other in items if item_numbers(other)[:-1] == question)


def _has_subject(item: str, *, text: str, prompts: Mapping[str, str]) -> bool:
    """Return whether a text has words that of all questions only an item's has."""
    others = (word_stems(prompt) for name, prompt in prompts.items() if name != item)
    own = word_stems(prompts[item]).difference(*others)
    shared = own & word_stems(text)
    return len(shared) >= max(_MIN_SUBJECT_WORDS, _SUBJECT_SHARE * len(own))


def _names(item: str, text: str) -> bool:
    """Return whether a text names an item by its number: 'Q1.2', or 'for 3.3' for Q2.3.3."""
    numbers = [str(number) for number in item_numbers(item)]
    whole, end = r"\W".join(numbers), r"\W".join(numbers[1:])
    pattern = rf"\bq(?:uestion)?\W?{whole}\b"
    if len(numbers) > _MIN_NUMBERS:
        pattern += rf"|(?:^\W*|\b(?:part|for|in|on|to)\W{{1,3}}){end}\b"
    return bool(numbers) and re.search(pattern, text, re.IGNORECASE | re.MULTILINE) is not None


def unclaimed_text(page: PageReading) -> Sequence[Unit]:
    """Return the pieces of text that were assigned to no question, if one may be an answer."""
    pieces = [unit for unit in page.unclaimed if _may_be_answer(unit, least=_MIN_SHOWN_WORDS)]
    return pieces if any(map(_may_be_answer, pieces)) else []


def _may_be_answer(unit: Unit, *, least: int = _MIN_UNCLAIMED_WORDS) -> bool:
    is_picture = bool(unit.pictures) or _FILE_PICTURE.search(unit.text) is not None
    return is_picture or count_words(unit.text) >= least


def _is_only_file_pictures(text: str) -> bool:
    return _FILE_PICTURE.search(text) is not None and not split_words(_FILE_PICTURE.sub("", text))


def _rate_unusual_sides(placement: UnitPlacement) -> Mapping[str, AnswerConfidence]:
    """Rate the items that are answered above their prompt, where most are answered below."""
    above = []
    for prompt_index, answer_units in placement.to_prompts.items():
        ids_above = {id(unit) for unit in placement.gaps[prompt_index]}
        if all(id(unit) in ids_above for unit in answer_units):
            above.append(placement.prompts[prompt_index].item)
    if 2 * len(above) >= len(placement.to_prompts):
        return {}
    reason = "it stands above its question, and the others stand below theirs"
    return dict.fromkeys(above, AnswerConfidence(value=UNUSUAL_SIDE, reason=reason))


def _rate_split_texts(placement: UnitPlacement) -> Mapping[str, AnswerConfidence]:
    """Rate the items between whose prompts one run of text was cut in two."""
    confidences: dict[str, AnswerConfidence] = {}
    for prompt_index, gap in enumerate(placement.gaps[1:-1], 1):
        ids_above = {id(unit) for unit in placement.to_prompts.get(prompt_index - 1, ())}
        ids_below = {id(unit) for unit in placement.to_prompts.get(prompt_index, ())}
        is_split = any(
            id(upper) in ids_above
            and id(lower) in ids_below
            and lower.may_go_up
            and upper.may_go_down
            for upper, lower in pairwise(gap)
        )
        if is_split:
            above, below = (p.item for p in placement.prompts[prompt_index - 1 : prompt_index + 1])
            reason = f"the text between {above} and {below} was shared out between the two"
            confidence = AnswerConfidence(value=SPLIT_TEXT, reason=reason)
            confidences |= dict.fromkeys((above, below), confidence)
    return confidences


def list_cells(numbered: Sequence[int]) -> str:
    """Return 'cell 3' or 'cells 3, 5', each once."""
    cells = list(dict.fromkeys(numbered))
    more = " …" if len(cells) > _MAX_LISTED_CELLS else ""
    numbers = ", ".join(map(str, cells[:_MAX_LISTED_CELLS])) + more
    return f"cell {numbers}" if len(cells) == 1 else f"cells {numbers}"
