"""One way in which a student could have written HW 5, and the notebook that comes of it."""

# nbformat is typed in part only, hence:
# mypy: disable-error-code="no-untyped-call,no-any-return"

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat

TEMPLATE = Path(__file__).parent / "notebooks" / "hw5-template.ipynb"
BLANK = "#FILLME"
NEXT_CELL = "# %%\n"
"""A line that ends a cell within a source: what follows is a cell of its own."""

CODE_CELLS = ("pip", "data", "encoder", "train", "similarities", "chart")
"""The handout's code cells by id. Six: V1 counts them all, none is empty or only comments."""

FULL = {
    "Q2.3.0": 3.0,
    "Q2.3.1": 2.0,
    "Q2.3.2": 5.0,
    "V1": 6.0,
    "V2": 4.0,
    "V3": 5.0,
    "V4": 5.0,
    "V5": 5.0,
    "V6": 5.0,
}
"""Every automatic item and its points."""

SOLVED = {
    "C1": "C1 = torch.randn(3, 32, 32)",
    "B1": "B1 = torch.randn(3, 32, 32)",
    "conv": "x = self.conv(x)",
    "fc": "x = self.fc(x)",
    "initial_embeddings": "initial_embeddings = encoder(images).detach()",
    "pos_pair": "pos_pair = (embeddings[0], embeddings[1])",
    "neg_pair1": "neg_pair1 = (embeddings[0], embeddings[2])",
    "neg_pair2": "neg_pair2 = (embeddings[1], embeddings[2])",
}
"""The blanks in the order in which they stand in the template, and what the solved copy has."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A right or wrong solution as data; V2 is left aside, since nothing here has saved outputs."""

    name: str
    edits: Mapping[str, str]
    """Blank or cell id to its source. An empty source leaves a cell out; `#FILLME` for a blank
    leaves it unfilled."""
    expect: Mapping[str, float | None]
    """The points of every automatic item that is not full; None where a person decides."""
    blocked: tuple[str, ...] = ()
    """The items in which something is blocked."""
    note: str = ""
    """What was measured. After 'Choice:' stands how a rule was read that can be read otherwise."""

    def points(self) -> dict[str, float | None]:
        """The points of every automatic item but V2."""
        return {item: self.expect.get(item, full) for item, full in FULL.items() if item != "V2"}


def build(variant: Variant) -> nbformat.NotebookNode:
    """The variant's notebook: a names cell and code cells, never run."""
    unknown = variant.edits.keys() - SOLVED.keys() - set(CODE_CELLS)
    if unknown:
        raise KeyError(f"{variant.name}: neither a blank nor a cell: {sorted(unknown)}")
    solved = solved_cells({**SOLVED, **variant.edits})
    names = "**Name(s) and EID(s):**\n\nVera Variant (vv20001)"
    cells = [nbformat.v4.new_markdown_cell(names, id="names")]
    for cell_id in CODE_CELLS:
        parts = variant.edits.get(cell_id, solved[cell_id]).split(NEXT_CELL)
        cells += [
            nbformat.v4.new_code_cell(part.rstrip("\n"), id=f"{cell_id}-{number}")
            for number, part in enumerate(parts, start=1)
            if part or len(parts) > 1
        ]
    notebook: nbformat.NotebookNode = nbformat.v4.new_notebook(
        cells=cells, metadata=_template().metadata
    )
    return notebook


def solved_cells(blanks: Mapping[str, str]) -> dict[str, str]:
    """The template's code cells with their blanks filled."""
    names = iter(SOLVED)
    return {
        cell.id: "\n".join(_filled(line, names, blanks) for line in cell.source.split("\n"))
        for cell in _template().cells
        if cell.cell_type == "code"
    }


def changed(cell_id: str, *swaps: tuple[str, str]) -> str:
    """The solved cell's source with pieces of it exchanged, each of which must be there."""
    source = solved_cells(SOLVED)[cell_id]
    for old, new in swaps:
        if old not in source:
            raise ValueError(f"cell {cell_id} does not hold {old!r}")
        source = source.replace(old, new)
    return source


def joined(*cell_ids: str) -> str:
    """The solved cells' sources one below the other."""
    return "\n\n".join(changed(cell_id) for cell_id in cell_ids)


def indented(source: str) -> str:
    """The source one block deeper."""
    return "\n".join(f"    {line}" if line else line for line in source.split("\n"))


def _filled(line: str, names: Iterator[str], blanks: Mapping[str, str]) -> str:
    """The line, or what fills it if it is the next blank."""
    if BLANK not in line:
        return line
    new = blanks[next(names)]
    if new == BLANK:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return "\n".join(indent + part for part in new.split("\n"))


def _template() -> nbformat.NotebookNode:
    return nbformat.read(TEMPLATE, as_version=4)
