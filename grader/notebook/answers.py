"""Finds the student's answer to each written question, wherever it is in the notebook.

The steps: find the prompts (`prompt_search`, else `fallback_search`), remove the handout's own
text (`student_text`), assign each piece of the rest to a prompt (`gap_assignment`), replace what a
person has located otherwise, and rate the result (`confidence`).
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from grader.model import Answer, Cell, Item, Notebook, Picture
from grader.notebook.attachments import OMITTED_PICTURE, PICTURE_REFERENCE
from grader.notebook.confidence import CERTAIN, AnswerConfidence, rate_confidence
from grader.notebook.fallback_search import SearchedText, find_fallback_anchors
from grader.notebook.gap_assignment import Gap, Prompt, Unit, UnitPlacement, place_units
from grader.notebook.handout import index_handout
from grader.notebook.handout_outline import Outline
from grader.notebook.markdown_words import line_key, split_words
from grader.notebook.prompt_search import find_anchors, stream_words
from grader.notebook.student_text import Event, page_events, text_lines
from grader.notebook.students import find_name_cells

AnswerOverrides = Mapping[str, tuple[int, ...]]
"""By item, indexes of the cells that hold its answer; an empty tuple means that there is none."""

NO_OUTLINE = Outline()
NO_OVERRIDES: AnswerOverrides = MappingProxyType({})
_MIN_DISTINCTIVE_LETTERS = 5
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
        items: All items of the rubric, in order: prompts of automatic ones end an answer, too.
        handout: The lines that `handout_lines` returns for the reference.
        outline: What `outline_handout` returns for it, to find questions whose prompts are gone.
        overrides: The cells in which a person has located answers.

    Returns:
        An Answer for each written item; its text is empty if none was found.
    """
    indexed_handout = index_handout(handout)
    lines = text_lines(notebook, handout=indexed_handout)
    stream = stream_words([line.text for line in lines])
    anchors = find_anchors(stream, prompts={item.id: item.prompt for item in items})
    text = SearchedText(cells=notebook.cells, lines=lines, stream=stream, anchors=anchors)
    anchors += find_fallback_anchors(text, items=items, outline=outline, handout=indexed_handout)
    anchors.sort(key=lambda anchor: anchor.first)
    events = list(page_events(lines, stream=stream, anchors=anchors, handout=indexed_handout))
    name_cells = find_name_cells(notebook, prompts={item.id: item.prompt for item in items})
    answer_events = _without_names(events, name_cells=name_cells)
    pictures = _pictures_by_hash(notebook.cells)
    prompts = _prompts(answer_events, items=items)
    placement = place_units(_gaps(answer_events, pictures=pictures), prompts=prompts)
    units = _units_by_item(placement, items=items)
    confidences = dict(rate_confidence(placement, items=items, anchors=anchors, units=units))

    written_ids = [item.id for item in items if item.kind == "written"]
    overrides = {item: overrides[item] for item in written_ids if item in overrides}
    if overrides:
        cell_units = _units_by_cell(notebook, overrides=overrides, events=events, pictures=pictures)
        units = _override_units(units, overrides=overrides, prompts=prompts, cell_units=cell_units)
        cell_count = len(notebook.cells)
        confidences |= {
            item: _rate_override(cells, cell_count=cell_count) for item, cells in overrides.items()
        }
    return {
        item: _join_answer(
            item,
            units=units.get(item, ()),
            confidence=confidences.get(item, CERTAIN),
            is_override=item in overrides,
        )
        for item in written_ids
    }


def _without_names(events: Iterable[Event], *, name_cells: frozenset[int]) -> list[Event]:
    """Return the events without the text above the first prompt of cells with students' names."""
    remaining = []
    prompt_cells: set[int] = set()
    for event in events:
        if event.kind == "prompt":
            prompt_cells.add(event.cell)
        if event.kind != "text" or event.cell not in name_cells or event.cell in prompt_cells:
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
    """Return the longer words of a text, which tell the subjects of questions apart."""
    words = (word.text for word in split_words(text))
    return frozenset(word for word in words if len(word) >= _MIN_DISTINCTIVE_LETTERS)


def _gaps(events: Iterable[Event], *, pictures: Mapping[str, Picture]) -> list[Gap]:
    """Return the student text before, between and after the prompts."""
    stretches: list[list[Event]] = [[]]
    for event in events:
        if event.kind == "prompt":
            stretches.append([])
        else:
            stretches[-1].append(event)
    return [list(_units(stretch, pictures=pictures)) for stretch in stretches]


def _units(stretch: Sequence[Event], *, pictures: Mapping[str, Picture]) -> Iterator[Unit]:
    """Yield the pieces of a stretch, cut at cells, headings and code of the handout."""
    kinds = [event.kind for event in stretch]
    first_barrier = next((n for n, kind in enumerate(kinds) if kind != "text"), len(kinds))
    last_code = max((n for n, kind in enumerate(kinds) if kind == "code"), default=-1)
    last_heading = max((n for n, kind in enumerate(kinds) if kind == "heading"), default=-1)
    numbered = enumerate(stretch)
    for (kind, cell), run in groupby(numbered, lambda pair: (pair[1].kind, pair[1].cell)):
        numbers, events = zip(*run, strict=True)
        lines = [event.text for event in events]
        filled = [number for number, line in enumerate(lines) if line_key(line)]
        if kind != "text" or not filled:
            continue
        text = "\n".join(lines[filled[0] : filled[-1] + 1])
        yield Unit(
            cell=cell,
            text=re.sub(r"\n{3,}", "\n\n", text),
            pictures=_pictures_in(text, pictures=pictures),
            may_go_up=numbers[0] < first_barrier,
            may_go_down=numbers[-1] > last_code,
            heading_below=numbers[-1] < last_heading,
            words=_distinctive_words(text),
        )


def _pictures_by_hash(cells: Iterable[Cell]) -> Mapping[str, Picture]:
    """Return the notebook's pictures by the hashes that its text names them by."""
    return {
        hashlib.sha256(base64.b64decode(picture.base64)).hexdigest()[:16]: picture
        for cell in cells
        for picture in cell.images
    }


def _pictures_in(text: str, *, pictures: Mapping[str, Picture]) -> tuple[Picture, ...]:
    names = dict.fromkeys(PICTURE_REFERENCE.findall(text))
    return tuple(pictures[name] for name in names if name in pictures)


def _units_by_item(placement: UnitPlacement, *, items: Sequence[Item]) -> dict[str, list[Unit]]:
    """Return the units of each item; dropped ones go to the only item whose prompt is missing."""
    units: dict[str, list[Unit]] = {}
    for number in sorted(placement.to_prompts):
        item = placement.prompts[number].item
        units.setdefault(item, []).extend(placement.to_prompts[number])
    order = [item.id for item in items]
    positions = [order.index(prompt.item) for prompt in placement.prompts]
    for gap, dropped in placement.dropped.items():
        above = positions[gap - 1] if gap else -1
        below = positions[gap] if gap < len(positions) else len(order)
        unprompted = [
            item.id
            for position, item in enumerate(items[above + 1 : below], above + 1)
            if item.kind == "written" and position not in positions
        ]
        if len(unprompted) == 1 and positions:
            units.setdefault(unprompted[0], []).extend(dropped)
    return units


def _units_by_cell(
    notebook: Notebook,
    *,
    overrides: AnswerOverrides,
    events: Iterable[Event],
    pictures: Mapping[str, Picture],
) -> Mapping[int, Unit]:
    """Return the student's text in each overriding cell; code becomes a code block."""
    override_cells = {cell for cells in overrides.values() for cell in cells}
    lines_by_cell: dict[int, list[str]] = {}
    for event in events:
        if event.kind == "text":
            lines_by_cell.setdefault(event.cell, []).append(event.text)
    units: dict[int, Unit] = {}
    for cell in notebook.cells:
        if cell.index not in override_cells:
            continue
        lines = lines_by_cell.get(cell.index, [])
        text = "\n".join(lines).strip("\n") if any(line_key(line) for line in lines) else ""
        if not text and cell.kind == "code" and cell.source.strip():
            text = f"~~~python\n{cell.source.strip()}\n~~~"
        cell_pictures = _pictures_in(text, pictures=pictures)
        units[cell.index] = Unit(cell=cell.index, text=text, pictures=cell_pictures)
    return units


def _override_units(
    units: Mapping[str, Sequence[Unit]],
    *,
    overrides: AnswerOverrides,
    prompts: Sequence[Prompt],
    cell_units: Mapping[int, Unit],
) -> dict[str, list[Unit]]:
    """Give overridden items the cells that a person named.

    The other items lose these cells, unless their own prompt is in them.
    """
    prompt_cells = {(prompt.item, prompt.cell) for prompt in prompts}
    override_cells = {cell for cells in overrides.values() for cell in cells}
    remaining = {
        item: [
            unit
            for unit in item_units
            if unit.cell not in override_cells or (item, unit.cell) in prompt_cells
        ]
        for item, item_units in units.items()
    }
    return remaining | {
        item: [cell_units[cell] for cell in cells if cell in cell_units]
        for item, cells in overrides.items()
    }


def _rate_override(cells: Sequence[int], *, cell_count: int) -> AnswerConfidence:
    """Return CERTAIN, unless the person named cells that the notebook does not have."""
    missing = [str(cell) for cell in cells if cell >= cell_count]
    if not missing:
        return CERTAIN
    reason = f"cell {', '.join(missing)} was told, and the notebook has {cell_count} cells"
    return AnswerConfidence(value=0.0, reason=reason)


def _join_answer(
    item: str, *, units: Sequence[Unit], confidence: AnswerConfidence, is_override: bool
) -> Answer:
    """Join the pieces of one answer, each text once, and number its pictures."""
    unit_by_text: dict[str, Unit] = {}
    for unit in units:
        unit_by_text.setdefault(unit.text.strip(), unit)
    unique_units = list(unit_by_text.values())
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
        concern=confidence.reason,
        located_by_person=is_override,
    )
