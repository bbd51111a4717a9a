"""Reads a notebook's page: its questions, the student's text between them, and what answers which.

It is read once as it is laid out. Where that leaves a question without an answer, it is read once
more, with the numbers or topics that students put before answers elsewhere and with the words among
code.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from grader.model import Cell, Item, Notebook, Picture
from grader.notebook.added_answers import find_addition_anchors, only_points_elsewhere
from grader.notebook.attachments import PICTURE_REFERENCE, picture_address
from grader.notebook.fallback_search import SearchedText, find_fallback_anchors
from grader.notebook.gap_assignment import Gap, Prompt, Unit, UnitPlacement, place_units
from grader.notebook.handout import Handout
from grader.notebook.handout_outline import Outline
from grader.notebook.label_search import find_label_anchors
from grader.notebook.listed_parts import find_part_anchors
from grader.notebook.markdown_words import line_key, split_words
from grader.notebook.prompt_search import Anchor, find_anchors, stream_words
from grader.notebook.student_text import Event, TextLine, page_events, text_lines
from grader.notebook.students import find_name_cells
from grader.notebook.topic_search import find_topic_anchors

_MIN_DISTINCTIVE_LETTERS = 5
_MAX_SEARCHES = 3
_MAX_START = 20
"""The characters of an answer by which it is known again."""
_MIN_SENTENCE_WORDS = 6
"""The least words in lower case of a line beside students' names that is no name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReading:
    """A notebook's text as it was read."""

    text: SearchedText
    events: Sequence[Event]
    pictures: Mapping[str, Picture]
    """The notebook's pictures by the hashes that its text names them by."""
    prompts: Sequence[Prompt]
    placement: UnitPlacement
    units: Mapping[str, Sequence[Unit]]
    """By item, the pieces of text that answer it."""
    unclaimed: Sequence[Unit]
    """The pieces that answer none."""
    divided: frozenset[str] = frozenset()
    """The items at whose questions text stands that numbers in it gave to others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReader:
    """What reading a notebook's page depends on."""

    notebook: Notebook
    items: Sequence[Item]
    handout: Handout
    outline: Outline

    def read(self) -> PageReading:
        """Read the page; once more where it leaves a written item without an answer."""
        lines = text_lines(self.notebook, handout=self.handout)
        sure = self._read(self._search([line for line in lines if not line.loose]))
        empty = self._unanswered(sure.units) | _pointing_elsewhere(sure.units)
        if not empty:
            return self._read_additions(sure)
        text = self._search(lines) if any(line.loose for line in lines) else sure.text
        for _ in range(_MAX_SEARCHES):
            labels = self._find_labels(text, empty=empty, held=sure.units)
            anchors = sorted([*text.anchors, *labels], key=lambda anchor: anchor.first)
            page = self._read(replace(text, anchors=anchors), is_second=True)
            lost = self._unanswered(page.units) - empty
            if not lost:  # what they had was another's
                break
            empty |= lost
        return replace(page, divided=_changed_items(sure, page) if labels else frozenset())

    def _read_additions(self, sure: PageReading) -> PageReading:
        """Read once more with what goes on with answers elsewhere, if each keeps its own start."""
        labels = find_addition_anchors(sure.text, items=self.items, handout=self.handout)
        if not labels:
            return sure
        anchors = sorted([*sure.text.anchors, *labels], key=lambda anchor: anchor.first)
        page = self._read(replace(sure.text, anchors=anchors))
        if not _only_moved(sure.units, page.units):
            return sure
        return replace(page, divided=_changed_items(sure, page))

    def _find_labels(
        self, text: SearchedText, *, empty: frozenset[str], held: Mapping[str, Sequence[Unit]]
    ) -> list[Anchor]:
        """Find what stands before answers apart from their questions: numbers, else topics."""
        parts = find_part_anchors(
            text, items=self.items, empty=empty, held=held, handout=self.handout
        )
        listed = {part.item for part in parts}
        labels = find_label_anchors(
            text, items=self.items, empty=empty - listed, handout=self.handout
        )
        labels = [label for label in labels if label.item not in listed]
        return [*parts, *labels] or find_topic_anchors(
            text, items=self.items, empty=empty, handout=self.handout
        )

    def _unanswered(self, units: Mapping[str, Sequence[Unit]]) -> frozenset[str]:
        return frozenset(i.id for i in self.items if i.wants_text and not units.get(i.id))

    def _search(self, lines: Sequence[TextLine]) -> SearchedText:
        """Find the questions in the lines."""
        stream = stream_words([line.text for line in lines])
        anchors = find_anchors(stream, prompts={item.id: item.prompt for item in self.items})
        text = SearchedText(cells=self.notebook.cells, lines=lines, stream=stream, anchors=anchors)
        anchors += find_fallback_anchors(
            text, items=self.items, outline=self.outline, handout=self.handout
        )
        anchors.sort(key=lambda anchor: anchor.first)
        return replace(text, anchors=anchors)

    def _read(self, text: SearchedText, *, is_second: bool = False) -> PageReading:
        """Assign the text to the questions; text that is not sure only at a second reading."""
        prompt_texts = {item.id: item.prompt for item in self.items}
        events = list(
            page_events(
                text.lines,
                stream=text.stream,
                anchors=text.anchors,
                prompts=prompt_texts,
                handout=self.handout,
            )
        )
        name_cells = find_name_cells(self.notebook, prompts=prompt_texts)
        answer_events = list(_without_names(events, name_cells=name_cells, keep_words=is_second))
        pictures = _pictures_by_hash(self.notebook.cells)
        prompts = _prompts(answer_events, items=self.items)
        gaps = _gaps(answer_events, pictures=pictures)
        sure_gaps = [[unit for unit in gap if not unit.loose] for gap in gaps]
        placement = place_units(sure_gaps, prompts=prompts)
        units = _units_by_item(placement, items=self.items)
        _place_loose(gaps, prompts=prompts, units=units, empty=self._unanswered(units))
        written = {item.id for item in self.items if item.kind == "written"}
        claimed = {id(unit) for item in units.keys() & written for unit in units[item]}
        return PageReading(
            text=text,
            events=events,
            pictures=pictures,
            prompts=prompts,
            placement=placement,
            units=units,
            unclaimed=[unit for gap in gaps for unit in gap if id(unit) not in claimed],
        )


def _pointing_elsewhere(units: Mapping[str, Sequence[Unit]]) -> frozenset[str]:
    """Return the items at whose questions only stands where the answer is."""
    return frozenset(
        item for item, each in units.items() if only_points_elsewhere(" ".join(_texts(each)))
    )


def _only_moved(before: Mapping[str, Sequence[Unit]], after: Mapping[str, Sequence[Unit]]) -> bool:
    """Return whether every answer still begins as it did."""
    for item, units in before.items():
        old, new = " ".join(_texts(units)), " ".join(_texts(after.get(item, ())))
        if not new or not (old.startswith(new) or new.startswith(old[:_MAX_START])):
            return False
    return True


def _changed_items(before: PageReading, after: PageReading) -> frozenset[str]:
    return frozenset(
        item
        for item, units in before.units.items()
        if _texts(units) != _texts(after.units.get(item, ()))
    )


def _texts(units: Sequence[Unit]) -> list[str]:
    return [unit.text for unit in units]


def _place_loose(
    gaps: Sequence[Gap],
    *,
    prompts: Sequence[Prompt],
    units: dict[str, list[Unit]],
    empty: Collection[str],
) -> None:
    """Give the words among code to the questions beside them that have no answer else."""
    for number, gap in enumerate(gaps):
        above = prompts[number - 1].item if number else ""
        below = prompts[number].item if number < len(prompts) else ""
        for unit in gap:
            if unit.loose and unit.may_go_up and above in empty:
                units.setdefault(above, []).append(unit)
            elif unit.loose and unit.may_go_down and not unit.heading_below and below in empty:
                units.setdefault(below, []).append(unit)


def _without_names(
    events: Iterable[Event], *, name_cells: frozenset[int], keep_words: bool
) -> Iterator[Event]:
    """Yield the events without the text above the first prompt of cells with students' names.

    Args:
        events: All events.
        name_cells: The cells with names.
        keep_words: Whether what stands there is kept from the first sentence on, as loose text.
    """
    prompt_cells: set[int] = set()
    sentence_cells: set[int] = set()
    for event in events:
        if event.kind == "prompt":
            prompt_cells.add(event.cell)
        if event.kind != "text" or event.cell not in name_cells or event.cell in prompt_cells:
            yield event
        elif keep_words and (event.cell in sentence_cells or _is_sentence(event.text)):
            sentence_cells.add(event.cell)
            yield replace(event, loose=True)


def _is_sentence(text: str) -> bool:
    words = text.split()
    return sum(word.isalpha() and word.islower() for word in words) >= _MIN_SENTENCE_WORDS


def _prompts(events: Iterable[Event], *, items: Sequence[Item]) -> list[Prompt]:
    by_id = {item.id: item for item in items}
    prompt_events = [event for event in events if event.kind == "prompt"]
    prompted_ids = [event.text for event in prompt_events]
    return [
        Prompt(
            item=event.text,
            cell=event.cell,
            needed=by_id[event.text].wants_text and prompted_ids.count(event.text) == 1,
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
    label_above, label_below = [False], []
    for event in events:
        if event.kind == "prompt":
            stretches.append([])
            label_above.append(event.is_label)
            label_below.append(event.is_label)
        else:
            stretches[-1].append(event)
    label_below.append(False)
    return [
        [
            replace(unit, may_go_down=False) if below or (above and unit.may_go_up) else unit
            for unit in _units(stretch, pictures=pictures)
        ]
        for stretch, above, below in zip(stretches, label_above, label_below, strict=True)
    ]


def _units(stretch: Sequence[Event], *, pictures: Mapping[str, Picture]) -> Iterator[Unit]:
    """Yield the pieces of a stretch, cut at cells, headings and code of the handout."""
    kinds = [event.kind for event in stretch]
    first_barrier = next((n for n, kind in enumerate(kinds) if kind != "text"), len(kinds))
    last_code = max((n for n, kind in enumerate(kinds) if kind == "code"), default=-1)
    last_heading = max((n for n, kind in enumerate(kinds) if kind == "heading"), default=-1)
    numbered = enumerate(stretch)
    for (kind, cell, loose), run in groupby(
        numbered, lambda pair: (pair[1].kind, pair[1].cell, pair[1].loose)
    ):
        numbers, events = zip(*run, strict=True)
        lines = [event.text for event in events]
        filled = [number for number, line in enumerate(lines) if line_key(line)]
        if kind != "text" or not filled:
            continue
        text = "\n".join(lines[filled[0] : filled[-1] + 1])
        yield Unit(
            cell=cell,
            text=re.sub(r"\n{3,}", "\n\n", text),
            pictures=pictures_in(text, pictures=pictures),
            may_go_up=numbers[0] < first_barrier,
            may_go_down=numbers[-1] > last_code,
            heading_below=numbers[-1] < last_heading,
            loose=loose,
            words=_distinctive_words(text),
        )


def _pictures_by_hash(cells: Iterable[Cell]) -> Mapping[str, Picture]:
    """Return the notebook's pictures by the hashes that its text names them by."""
    return {
        picture_address(picture).removeprefix("attachment:"): picture
        for cell in cells
        for picture in cell.images
    }


def pictures_in(text: str, *, pictures: Mapping[str, Picture]) -> tuple[Picture, ...]:
    """Return the pictures that a text names, in its order."""
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
