"""Writes docs/fidelity.md: the corpus of tests/fidelity_corpus.py, graded at each level."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "fidelity.md"
for folder in (ROOT, ROOT / "tests"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from fidelity_corpus import CORPUS, ELSEWHERE, Odd, name_of  # noqa: E402 -- its folder comes first
from fidelity_runs import GradedOdd, grade_corpus  # noqa: E402 -- the same
from levels import LEVELS, Level  # noqa: E402 -- the same

SHOWN = tuple(reversed(LEVELS))
SAME = "the same cells fail"
LONGEST_INPUT = 150
LONGEST_NOTE = 150
HEAD = """\
# A notebook runs here as it runs for its student

Made by `make fidelity` from `tests/fidelity_corpus.py`; don't edit. Each row is a notebook: the
right solution of a small course, 12 points, with these odd cells behind its imports (`¶` is a new
line, cells stand apart). All are graded by the command as one class at each level of isolation (see
[security](security.md)). Points and what the student reads must be the same at every level
(`tests/test_fidelity_corpus.py`). *Fails*: which of the odd cells do not run to their end; an
ordinary notebook loses a point for it, too. *Plain Jupyter*: whether the same cells fail when
`jupyter nbconvert --execute --allow-errors` runs the notebook, or why not.
"""
TABLE = (
    f"| odd cells | {' | '.join(SHOWN)} | fails | what the student reads "
    "| plain Jupyter |\n"
    f"| --- |{' ---: |' * len(SHOWN)} --- | --- | --- |\n"
)
ELSE = """
## What needs more than a notebook

| kind | input, tests |
| --- | --- |
"""


def page(graded: Mapping[Level, Mapping[str, GradedOdd]]) -> str:
    """The whole page."""
    parts = [HEAD]
    for kind, entries in CORPUS.items():
        parts += [f"\n## {_title(kind)}\n\n", TABLE]
        for place, entry in enumerate(entries):
            name = name_of(kind, place)
            parts.append(line(entry, {level: graded[level][name] for level in graded}))
    parts += [ELSE, *(f"| {kind} | {told} |\n" for kind, told in ELSEWHERE.items())]
    return "".join(parts)


def line(entry: Odd, graded: Mapping[Level, GradedOdd]) -> str:
    """One row: what differs between levels is told by level."""
    points = [_points(graded[level]) if level in graded else "not here" for level in SHOWN]
    rests = [_rest(entry, graded[level]) for level in SHOWN if level in graded]
    rest = rests[0] if len(set(rests)) == 1 else f"| differs: {' / '.join(rests)}"
    return f"| {_input(entry)} | {' | '.join(points)} {rest} |\n"


def _title(kind: str) -> str:
    words = kind.partition(" ")[2]
    return words[0].upper() + words[1:]


def _points(graded: GradedOdd) -> str:
    waiting = f" ({graded.waiting:g} wait)" if graded.waiting else ""
    return f"{graded.points:g}{waiting}"


def _rest(entry: Odd, graded: GradedOdd) -> str:
    fails = ", ".join(f"{entry.place(index)}" for index in graded.failing)
    read = " / ".join(_cell(_cut(text, LONGEST_NOTE)) for text in graded.read)
    return f"| {fails} | {read} | {entry.differs or entry.never_plain or SAME}"


def _input(entry: Odd) -> str:
    return " ".join(f"`{_cell(_cut(source.strip(), LONGEST_INPUT))}`" for source in entry.cells)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _cell(text: str) -> str:
    return text.strip().removesuffix(":").replace("|", "\\|").replace("\n", "¶")


def main() -> None:
    """Grade the corpus at every level and write the page."""
    graded: dict[Level, Mapping[str, GradedOdd]] = {}
    for level in SHOWN:
        with TemporaryDirectory() as folder:
            graded[level] = grade_corpus(Path(folder) / "course", level)
    PAGE.write_text(page(graded), encoding="utf-8")


if __name__ == "__main__":
    main()
