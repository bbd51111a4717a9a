"""Finds what a student wrote to each written question, wherever in the notebook they wrote it.

What is neither the handout's nor a prompt nor a label is the student's; `cascade` then sends
each piece of it to a prompt.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from grader.model import Answer, Cell, Item, Notebook, Picture
from grader.notebook.answer_overrides import (
    AnswerOverrides,
    apply_overrides,
    collect_cell_units,
    rate_override,
)
from grader.notebook.attachments import OMITTED_PICTURE, PICTURE_REFERENCE
from grader.notebook.confidence import CERTAIN, AnswerConfidence, PlacementContext, rate_confidence
from grader.notebook.fallback_search import SearchedText, find_fallback_anchors
from grader.notebook.gap_assignment import Gap, Prompt, Unit, UnitPlacement, place_units
from grader.notebook.handout import Handout, handout_lines
from grader.notebook.handout_outline import Outline
from grader.notebook.markdown_words import line_key, split_words
from grader.notebook.prompt_search import find_anchors, stream_words
from grader.notebook.student_text import Event, page_events
from grader.notebook.students import find_name_cells
from grader.notebook.text_lines import text_lines

__all__ = ["handout_lines", "written_answers"]

NO_OUTLINE = Outline()
NO_OVERRIDES: AnswerOverrides = MappingProxyType({})
_MIN_LETTERS = 5
"""Letters of a word that tells one question's subject from another's."""
_PICTURE = re.compile(
    rf"(?:^\[[^\]\n]{{1,80}}\]:\s*<?|!\[[^\]\n]{{0,200}}\]\(<?|<img\b[^<>\n]{{0,200}}?)?"
    rf"(?:{PICTURE_REFERENCE.pattern}|{OMITTED_PICTURE})"
    r"(?:[^()\n<>]{0,200}\)|[^<>\n]{0,200}>\)?)?",
    re.MULTILINE,
)


def written_answers(
    notebook: Notebook,
    *,
    items: Sequence[Item],
    handout: frozenset[str],
    outline: Outline = NO_OUTLINE,
    overrides: AnswerOverrides = NO_OVERRIDES,
) -> Mapping[str, Answer]:
    """Find the answer to every written item.

    Args:
        notebook: The submission.
        items: All items of the rubric, in order: prompts of automatic ones end an answer too.
        handout: What `handout_lines` made of the reference.
        outline: What `outline` made of it, for questions whose words are gone.
        overrides: By item, the cells that a person says its answer is in.

    Returns:
        An Answer for each written item; its text is empty where nothing was found.
    """
    segments = _segment_notebook(notebook, items=items, handout=Handout(handout), outline=outline)
    written_ids = [item.id for item in items if item.kind == "written"]
    written_overrides = {item: overrides[item] for item in written_ids if item in overrides}
    units = segments.units
    if written_overrides:
        cell_units = collect_cell_units(
            notebook,
            overrides=written_overrides,
            events=segments.events,
            pictures=segments.pictures,
        )
        units = apply_overrides(
            units, overrides=written_overrides, prompts=segments.prompts, cell_units=cell_units
        )
    confidences = {
        **segments.confidences,
        **{i: rate_override(c, notebook=notebook) for i, c in written_overrides.items()},
    }
    return {
        item: _answer(
            item,
            units=units.get(item, ()),
            confidence=confidences.get(item, CERTAIN),
            is_override=item in written_overrides,
        )
        for item in written_ids
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segments:
    """A notebook's text, laid out by the questions it answers."""

    events: Sequence[Event]
    prompts: Sequence[Prompt]
    pictures: Mapping[str, Picture]
    units: Mapping[str, Sequence[Unit]]
    confidences: Mapping[str, AnswerConfidence]


def _segment_notebook(
    notebook: Notebook, *, items: Sequence[Item], handout: Handout, outline: Outline
) -> _Segments:
    lines = text_lines(notebook, handout=handout)
    stream = stream_words([line.text for line in lines])
    prompt_anchors = find_anchors(stream, prompts={item.id: item.prompt for item in items})
    text = SearchedText(cells=notebook.cells, lines=lines, stream=stream, anchors=prompt_anchors)
    prompt_anchors += find_fallback_anchors(text, items=items, outline=outline, handout=handout)
    prompt_anchors.sort(key=lambda anchor: anchor.first)
    events = list(page_events(lines, stream=stream, anchors=prompt_anchors, handout=handout))
    answer_events = _without_names(events, names=find_name_cells(notebook))
    prompts = _prompts(answer_events, items=items)
    pictures = _pictures(notebook.cells)
    gaps = _gaps(answer_events, pictures=pictures)
    placement = place_units(gaps, prompts=prompts)
    units = _units_by_item(placement, prompts=prompts, items=items)
    context = PlacementContext(prompts=prompts, gaps=gaps, placement=placement)
    return _Segments(
        events=events,
        prompts=prompts,
        pictures=pictures,
        units=units,
        confidences=rate_confidence(context, items=items, anchors=prompt_anchors, units=units),
    )


def _without_names(events: Sequence[Event], *, names: frozenset[int]) -> list[Event]:
    """The events without the students' names: a cell of names, down to its first prompt."""
    remaining = []
    prompt_cells: set[int] = set()
    for event in events:
        if event.kind == "prompt":
            prompt_cells.add(event.cell)
        if event.kind != "text" or event.cell not in names or event.cell in prompt_cells:
            remaining.append(event)
    return remaining


def _prompts(events: Iterable[Event], *, items: Sequence[Item]) -> list[Prompt]:
    by_id = {item.id: item for item in items}
    prompt_events = [event for event in events if event.kind == "prompt"]
    prompted_ids = [event.text for event in prompt_events]
    return [
        Prompt(
            item=event.text,
            cell=event.cell,
            needed=by_id[event.text].kind == "written" and prompted_ids.count(event.text) == 1,
            words=_distinctive_words(by_id[event.text].prompt),
        )
        for event in prompt_events
    ]


def _distinctive_words(text: str) -> frozenset[str]:
    return frozenset(word.text for word in split_words(text) if len(word.text) >= _MIN_LETTERS)


def _gaps(events: Sequence[Event], *, pictures: Mapping[str, Picture]) -> list[Gap]:
    """The student text before, between and after the prompts."""
    stretches: list[list[Event]] = [[]]
    for event in events:
        if event.kind == "prompt":
            stretches.append([])
        else:
            stretches[-1].append(event)
    return [Gap(units=list(_units(stretch, pictures=pictures))) for stretch in stretches]


def _units(stretch: Sequence[Event], *, pictures: Mapping[str, Picture]) -> Iterator[Unit]:
    """The pieces of a stretch, cut at cells, headings and code of the handout."""
    start = 0
    while start < len(stretch):
        first = stretch[start]
        stop = start
        while stop < len(stretch) and (stretch[stop].kind, stretch[stop].cell) == (
            "text",
            first.cell,
        ):
            stop += 1
        text = _trim_lines([event.text for event in stretch[start:stop]])
        if text:
            yield _unit(
                text,
                cell=first.cell,
                before=stretch[:start],
                after=stretch[stop:],
                pictures=pictures,
            )
        start = max(stop, start + 1)


def _trim_lines(lines: list[str]) -> str:
    """The lines as one text, without empty ones and rules at its ends."""
    filled_lines = [number for number, line in enumerate(lines) if line_key(line)]
    return "\n".join(lines[filled_lines[0] : filled_lines[-1] + 1]) if filled_lines else ""


def _unit(
    text: str,
    *,
    cell: int,
    before: Sequence[Event],
    after: Sequence[Event],
    pictures: Mapping[str, Picture],
) -> Unit:
    picture_names = dict.fromkeys(PICTURE_REFERENCE.findall(text))
    return Unit(
        cell=cell,
        text=re.sub(r"\n{3,}", "\n\n", text),
        pictures=tuple(pictures[name] for name in picture_names if name in pictures),
        may_go_up=all(event.kind == "text" for event in before),
        may_go_down=all(event.kind != "wall" for event in after),
        heading_below=any(event.kind == "heading" for event in after),
        words=_distinctive_words(text),
    )


def _pictures(cells: Iterable[Cell]) -> dict[str, Picture]:
    """The notebook's pictures by the names that its text has for them."""
    return {
        hashlib.sha256(base64.b64decode(picture.base64)).hexdigest()[:16]: picture
        for cell in cells
        for picture in cell.images
    }


def _units_by_item(
    placement: UnitPlacement, *, prompts: Sequence[Prompt], items: Sequence[Item]
) -> dict[str, list[Unit]]:
    """The units of each item, a deleted prompt's too."""
    units: dict[str, list[Unit]] = {}
    for number in sorted(placement.to_prompts):
        units.setdefault(prompts[number].item, []).extend(placement.to_prompts[number])
    order = [item.id for item in items]
    positions = [order.index(prompt.item) for prompt in prompts]
    for gap, dropped in placement.dropped.items():
        above = positions[gap - 1] if gap else -1
        below = positions[gap] if gap < len(positions) else len(order)
        unprompted = [item.id for item in items[above + 1 : below] if item.kind == "written"]
        unprompted = [item for item in unprompted if order.index(item) not in positions]
        if len(unprompted) == 1 and positions:
            units.setdefault(unprompted[0], []).extend(dropped)
    return units


def _answer(
    item: str, *, units: Sequence[Unit], confidence: AnswerConfidence, is_override: bool
) -> Answer:
    """The pieces of one answer put together, a copied one once, with its pictures numbered."""
    unit_by_text = {unit.text.strip(): unit for unit in reversed(units)}
    unique_units = [unit for unit in units if unit_by_text[unit.text.strip()] is unit]
    text = "\n\n".join(unit.text.strip() for unit in unique_units)
    names = list(dict.fromkeys(PICTURE_REFERENCE.findall(text)))

    def number_picture(match: re.Match[str]) -> str:
        return f"(picture {names.index(match[1]) + 1})" if match[1] else "(picture left out)"

    images = dict.fromkeys(picture for unit in unique_units for picture in unit.pictures)
    return Answer(
        item=item,
        text=_PICTURE.sub(number_picture, text).strip(),
        cells=tuple(dict.fromkeys(unit.cell for unit in units)),
        images=tuple(images),
        confidence=confidence.value,
        doubt=confidence.reason,
        located_by_person=is_override,
    )
