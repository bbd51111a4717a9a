"""Finds the student's answer to each written question, wherever it is in the notebook.

The steps: read the page (`page_reading`: find the prompts by `prompt_search`, else
`fallback_search`, `label_search` and `topic_search`, remove the handout's own text by
`student_text`, assign each piece of the rest to a prompt by `gap_assignment`), rate the result
(`confidence`), and replace what a person has located otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from types import MappingProxyType

from grader.model import Answer, Excerpt, Item, Notebook
from grader.notebook.attachments import OMITTED_PICTURE, PICTURE_REFERENCE
from grader.notebook.code_answers import NO_QUESTION, code_unit, units_with_code
from grader.notebook.confidence import CERTAIN, AnswerConfidence, rate_confidence, unclaimed_text
from grader.notebook.gap_assignment import Prompt, Unit
from grader.notebook.handout import index_handout
from grader.notebook.handout_outline import Outline
from grader.notebook.markdown_words import line_key
from grader.notebook.page_reading import PageReader, PageReading, pictures_in
from grader.notebook.peer_cells import answer_cells, grade_id, untouched_cells

AnswerOverrides = Mapping[str, tuple[int, ...]]
"""By item, indexes of the cells that hold its answer; an empty tuple means that there is none."""

NO_OUTLINE = Outline()
NO_OVERRIDES: AnswerOverrides = MappingProxyType({})
UNTOUCHED = "its cell is as it was handed out"
_MAX_UNCLAIMED, _MAX_UNCLAIMED_TEXT = 10, 4_000
"""The most pieces of text that are shown beside a missing answer, and the characters of each."""
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
    page = PageReader(
        notebook=notebook, items=items, handout=index_handout(handout), outline=outline
    ).read()
    confidences = dict(rate_confidence(page, items=items))
    code_units = _code_units(notebook, items=items, page=page, outline=outline)
    confidences |= _rate_code(code_units, page=page)
    units: dict[str, Sequence[Unit]] = {**page.units, **code_units}
    written_ids = [item.id for item in items if item.kind == "written"]
    given = {item: cells for item, cells in overrides.items() if item in written_ids}
    untouched = {i: c for i, c in untouched_cells(notebook, items).items() if i not in given}
    peer_cells = answer_cells(notebook, [item for item in items if item.id not in untouched])
    overrides = {**peer_cells, **given}
    if overrides:
        cell_units = _units_by_cell(notebook, overrides=overrides, page=page)
        units |= _override_units(
            units, overrides=overrides, prompts=page.prompts, cell_units=cell_units
        )
        units |= {
            item: [_with_outputs(unit, notebook=notebook) for unit in units[item]]
            for item in overrides.keys() & code_units.keys()
        }
        confidences |= {
            item: _rate_override(cells, cell_count=len(notebook.cells))
            for item, cells in overrides.items()
        }
    units |= {
        item: _units_elsewhere(units.get(item, ()), cells=cells, notebook=notebook, page=page)
        for item, cells in untouched.items()
    }
    answers = {
        i: _join_answer(
            i,
            units=units.get(i, ()),
            confidence=confidences.get(i, CERTAIN),
            is_override=i in given,
            is_untouched=i in untouched,
        )
        for i in written_ids
    }
    return _with_unclaimed(answers, overrides=overrides, page=page)


def _with_unclaimed(
    answers: Mapping[str, Answer], *, overrides: AnswerOverrides, page: PageReading
) -> Mapping[str, Answer]:
    """Return the answers, those that are missing with the text that may be one."""
    located = frozenset(cell for cells in overrides.values() for cell in cells)
    unclaimed = _excerpts([unit for unit in unclaimed_text(page) if unit.cell not in located])
    return {
        item: answer
        if answer.text or answer.images or not answer.concern
        else replace(answer, unclaimed=unclaimed)
        for item, answer in answers.items()
    }


def _code_units(
    notebook: Notebook, *, items: Sequence[Item], page: PageReading, outline: Outline
) -> Mapping[str, Sequence[Unit]]:
    """Return the pieces of the answers that may be code."""
    return {
        item.id: units_with_code(item.id, notebook=notebook, page=page, given=outline.given)
        for item in items
        if item.takes_code
    }


def _rate_code(
    code_units: Mapping[str, Sequence[Unit]], *, page: PageReading
) -> Mapping[str, AnswerConfidence]:
    """Rate the answers that may be code: nothing found is certain where the question is there."""
    asked = {prompt.item for prompt in page.prompts}
    return {
        item: CERTAIN if units or item in asked else NO_QUESTION
        for item, units in code_units.items()
    }


def _excerpts(units: Sequence[Unit]) -> tuple[Excerpt, ...]:
    """Return pieces of text for whoever looks for a missing answer among them."""
    return tuple(
        Excerpt(cell=unit.cell, source=number_pictures(unit.text)[:_MAX_UNCLAIMED_TEXT])
        for unit in units[:_MAX_UNCLAIMED]
    )


def _units_by_cell(
    notebook: Notebook,
    *,
    overrides: AnswerOverrides,
    page: PageReading,
) -> Mapping[int, Unit]:
    """Return the student's text in each overriding cell; code becomes a code block."""
    override_cells = {cell for cells in overrides.values() for cell in cells}
    lines_by_cell: dict[int, list[str]] = {}
    for event in page.events:
        is_code = notebook.cells[event.cell].kind == "code"
        if event.kind == "text" and not (event.loose and is_code):
            lines_by_cell.setdefault(event.cell, []).append(event.text)
    units: dict[int, Unit] = {}
    for cell in notebook.cells:
        if cell.index not in override_cells:
            continue
        lines = lines_by_cell.get(cell.index, [])
        text = "\n".join(lines).strip("\n") if any(line_key(line) for line in lines) else ""
        if not text and cell.kind == "code" and cell.source.strip():
            text = f"~~~python\n{cell.source.strip()}\n~~~"
        cell_pictures = pictures_in(text, pictures=page.pictures)
        units[cell.index] = Unit(cell=cell.index, text=text, pictures=cell_pictures)
    return units


def _units_elsewhere(
    units: Sequence[Unit], *, cells: frozenset[int], notebook: Notebook, page: PageReading
) -> list[Unit]:
    """Return what answers an item whose cells nobody touched: beside them, else right below."""
    beside = [unit for unit in units if unit.cell not in cells]
    if beside:
        return beside
    below = takewhile(lambda cell: not grade_id(cell), notebook.cells[max(cells) + 1 :])
    own = tuple(cell.index for cell in below if cell.kind == "markdown")
    cell_units = _units_by_cell(notebook, overrides={"": own}, page=page)
    return [unit for unit in cell_units.values() if unit.text or unit.pictures]


def _with_outputs(unit: Unit, *, notebook: Notebook) -> Unit:
    """Return a piece of an answer with what its cell shows, where that is code."""
    cell = notebook.cells[unit.cell]
    is_code = cell.kind == "code" and cell.source.strip()
    return code_unit(cell, notebook=notebook) if is_code else unit


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
    item: str,
    *,
    units: Sequence[Unit],
    confidence: AnswerConfidence,
    is_override: bool,
    is_untouched: bool,
) -> Answer:
    """Join the pieces of one answer, each text once, and number its pictures."""
    if is_untouched and not units:
        return Answer(item=item, text="", unanswered=UNTOUCHED)
    unit_by_text: dict[str, Unit] = {}
    for unit in units:
        unit_by_text.setdefault(unit.text.strip(), unit)
    unique_units = list(unit_by_text.values())
    text = "\n\n".join(unit.text.strip() for unit in unique_units)
    images = dict.fromkeys(picture for unit in unique_units for picture in unit.pictures)
    return Answer(
        item=item,
        text=number_pictures(text),
        cells=tuple(dict.fromkeys(unit.cell for unit in units)),
        images=tuple(images),
        confidence=confidence.value,
        concern=confidence.reason,
        located_by_person=is_override,
    )


def number_pictures(text: str) -> str:
    """Return a text with '(picture 1)' where it shows a picture that the notebook holds."""
    names = list(dict.fromkeys(PICTURE_REFERENCE.findall(text)))

    def number_picture(match: re.Match[str]) -> str:
        return f"(picture {names.index(match[1]) + 1})" if match[1] else "(picture left out)"

    return _PICTURE.sub(number_picture, text).strip()
