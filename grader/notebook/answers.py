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
from grader.notebook.answer_overrides import Told, doubt_about, pieces_of, with_told
from grader.notebook.attachments import LEFT_OUT, REFERENCE
from grader.notebook.confidence import SURE, Doubt, Sending, doubts
from grader.notebook.fallback_search import Text, clues
from grader.notebook.gap_assignment import Gap, Prompt, Sent, Unit, cascade
from grader.notebook.handout import Handout, handout_lines
from grader.notebook.handout_outline import Outline
from grader.notebook.markdown_words import key, words
from grader.notebook.prompt_search import anchors, places
from grader.notebook.student_text import Event, page
from grader.notebook.students import names_cells
from grader.notebook.text_lines import text_lines

__all__ = ["handout_lines", "written_answers"]

NO_OUTLINE = Outline()
NOTHING_TOLD: Told = MappingProxyType({})
_TELLING = 5
"""Letters of a word that tells one question's subject from another's."""
_PICTURE = re.compile(
    rf"(?:^\[[^\]\n]{{1,80}}\]:\s*<?|!\[[^\]\n]{{0,200}}\]\(<?|<img\b[^<>\n]{{0,200}}?)?"
    rf"(?:{REFERENCE.pattern}|{LEFT_OUT})"
    r"(?:[^()\n<>]{0,200}\)|[^<>\n]{0,200}>\)?)?",
    re.MULTILINE,
)


def written_answers(
    notebook: Notebook,
    *,
    items: Sequence[Item],
    handout: frozenset[str],
    outline: Outline = NO_OUTLINE,
    told: Told = NOTHING_TOLD,
) -> Mapping[str, Answer]:
    """Find the answer to every written item.

    Args:
        notebook: The submission.
        items: All items of the rubric, in order: prompts of automatic ones end an answer too.
        handout: What `handout_lines` made of the reference.
        outline: What `outline` made of it, for questions whose words are gone.
        told: By item, the cells that a person says its answer is in.

    Returns:
        An Answer for each written item; its text is empty where nothing was found.
    """
    laid = _laid_out(notebook, items=items, handout=Handout(handout), outline=outline)
    written = [item.id for item in items if item.kind == "written"]
    ours = {item: told[item] for item in written if item in told}
    units = laid.units
    if ours:
        pieces = pieces_of(notebook, told=ours, events=laid.events, pictures=laid.pictures)
        units = with_told(units, told=ours, prompts=laid.prompts, pieces=pieces)
    unsure = {**laid.doubts, **{i: doubt_about(c, notebook=notebook) for i, c in ours.items()}}
    return {
        item: _answer(
            item, units=units.get(item, ()), doubt=unsure.get(item, SURE), told=item in ours
        )
        for item in written
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Laid:
    """A notebook's text, laid out by the questions it answers."""

    events: Sequence[Event]
    prompts: Sequence[Prompt]
    pictures: Mapping[str, Picture]
    units: Mapping[str, Sequence[Unit]]
    doubts: Mapping[str, Doubt]


def _laid_out(
    notebook: Notebook, *, items: Sequence[Item], handout: Handout, outline: Outline
) -> _Laid:
    lines = text_lines(notebook, handout=handout)
    stream = places([line.text for line in lines])
    found = anchors(stream, prompts={item.id: item.prompt for item in items})
    text = Text(cells=notebook.cells, lines=lines, stream=stream, found=found)
    found += clues(text, items=items, outline=outline, handout=handout)
    found.sort(key=lambda anchor: anchor.first)
    events = list(page(lines, stream=stream, found=found, handout=handout))
    named = _without_names(events, names=names_cells(notebook))
    prompts = _prompts(named, items=items)
    pictures = _pictures(notebook.cells)
    gaps = _gaps(named, pictures=pictures)
    sent = cascade(gaps, prompts=prompts)
    units = _units_by_item(sent, prompts=prompts, items=items)
    sending = Sending(prompts=prompts, gaps=gaps, sent=sent)
    return _Laid(
        events=events,
        prompts=prompts,
        pictures=pictures,
        units=units,
        doubts=doubts(sending, items=items, found=found, units=units),
    )


def _without_names(events: Sequence[Event], *, names: frozenset[int]) -> list[Event]:
    """The events without the students' names: a cell of names, down to its first prompt."""
    kept = []
    asked: set[int] = set()
    for event in events:
        if event.kind == "prompt":
            asked.add(event.cell)
        if event.kind != "text" or event.cell not in names or event.cell in asked:
            kept.append(event)
    return kept


def _prompts(events: Iterable[Event], *, items: Sequence[Item]) -> list[Prompt]:
    by_id = {item.id: item for item in items}
    asked = [event for event in events if event.kind == "prompt"]
    times = [event.text for event in asked]
    return [
        Prompt(
            item=event.text,
            cell=event.cell,
            needed=by_id[event.text].kind == "written" and times.count(event.text) == 1,
            words=_telling_words(by_id[event.text].prompt),
        )
        for event in asked
    ]


def _telling_words(text: str) -> frozenset[str]:
    return frozenset(word.text for word in words(text) if len(word.text) >= _TELLING)


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
        text = _trimmed([event.text for event in stretch[start:stop]])
        if text:
            yield _unit(
                text,
                cell=first.cell,
                before=stretch[:start],
                after=stretch[stop:],
                pictures=pictures,
            )
        start = max(stop, start + 1)


def _trimmed(lines: list[str]) -> str:
    """The lines as one text, without empty ones and rules at its ends."""
    said = [number for number, line in enumerate(lines) if key(line)]
    return "\n".join(lines[said[0] : said[-1] + 1]) if said else ""


def _unit(
    text: str,
    *,
    cell: int,
    before: Sequence[Event],
    after: Sequence[Event],
    pictures: Mapping[str, Picture],
) -> Unit:
    shown = dict.fromkeys(REFERENCE.findall(text))
    return Unit(
        cell=cell,
        text=re.sub(r"\n{3,}", "\n\n", text),
        pictures=tuple(pictures[name] for name in shown if name in pictures),
        may_go_up=all(event.kind == "text" for event in before),
        may_go_down=all(event.kind != "wall" for event in after),
        heading_below=any(event.kind == "heading" for event in after),
        words=_telling_words(text),
    )


def _pictures(cells: Iterable[Cell]) -> dict[str, Picture]:
    """The notebook's pictures by the names that its text has for them."""
    return {
        hashlib.sha256(base64.b64decode(picture.base64)).hexdigest()[:16]: picture
        for cell in cells
        for picture in cell.images
    }


def _units_by_item(
    sent: Sent, *, prompts: Sequence[Prompt], items: Sequence[Item]
) -> dict[str, list[Unit]]:
    """The units of each item, a deleted prompt's too."""
    units: dict[str, list[Unit]] = {}
    for number in sorted(sent.to_prompts):
        units.setdefault(prompts[number].item, []).extend(sent.to_prompts[number])
    order = [item.id for item in items]
    asked = [order.index(prompt.item) for prompt in prompts]
    for gap, dropped in sent.dropped.items():
        above = asked[gap - 1] if gap else -1
        below = asked[gap] if gap < len(asked) else len(order)
        lost = [item.id for item in items[above + 1 : below] if item.kind == "written"]
        lost = [item for item in lost if order.index(item) not in asked]
        if len(lost) == 1 and asked:
            units.setdefault(lost[0], []).extend(dropped)
    return units


def _answer(item: str, *, units: Sequence[Unit], doubt: Doubt, told: bool) -> Answer:
    """The pieces of one answer put together, a copied one once, with its pictures numbered."""
    once = {unit.text.strip(): unit for unit in reversed(units)}
    kept = [unit for unit in units if once[unit.text.strip()] is unit]
    text = "\n\n".join(unit.text.strip() for unit in kept)
    names = list(dict.fromkeys(REFERENCE.findall(text)))

    def numbered(found: re.Match[str]) -> str:
        return f"(picture {names.index(found[1]) + 1})" if found[1] else "(picture left out)"

    images = dict.fromkeys(picture for unit in kept for picture in unit.pictures)
    return Answer(
        item=item,
        text=_PICTURE.sub(numbered, text).strip(),
        cells=tuple(dict.fromkeys(unit.cell for unit in units)),
        images=tuple(images),
        confidence=doubt.confidence,
        doubt=doubt.why,
        told=told,
    )
