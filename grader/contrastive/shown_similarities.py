"""SHO: judges whether the saved outputs show the similarities, which are known from the run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

from grader.checks.check import CheckOutcome, Evidence
from grader.checks.numbers_in_text import (
    LAST_DIGIT_TOLERANCE,
    NUMBER,
    RUN_TOLERANCE,
    TextNumber,
    read_decimals,
)
from grader.checks.outputs import SAVE_HINT, ShowsNumbers, looks_like_share
from grader.checks.reproduction import saved_text
from grader.checks.values import as_float64
from grader.contrastive.embeddings import (
    EmbeddingCheck,
    held_embeddings,
    recorded_embeddings,
)
from grader.contrastive.labeled_inputs import cosine, encoded_arrays
from grader.model import Cell, CellRun, CellStatus, list_some

if TYPE_CHECKING:
    from grader.model import Array

_PRINT_HINT = "Print each of them, and save the file with what is printed."
_SAME_RUN = 1e-4
"""Largest difference between a similarity of the run and its number in the run's output."""
_SECOND_DECIMAL = 0.01
"""The unit of a number with fewer decimals, which Python and NumPy show for 0.20."""
_DECOYS = (-0.0523, -0.0311, -0.0137, 0.0137, 0.0311, 0.0523)
"""Shifts of the similarities to values that only a text of very many numbers shows, too."""
_MAX_NUMBERS = 60
"""The most numbers of a text that can be told from their looks."""
_SAYS_SIMILARITY = re.compile(r"\bcos|simil", re.IGNORECASE)
_SAYS_OTHER = re.compile(r"loss|epoch|\bstep|\biter|\blr\b|accura|version", re.IGNORECASE)
"""Matches lines whose numbers are no similarities."""


class SimilaritiesShown(EmbeddingCheck, ShowsNumbers):
    """The saved outputs show the cosine similarities of the embeddings before and after training.

    Their values are known from the embeddings, so the fresh run tells which cell shows them,
    whatever else looks like them. What that cell's saved output shows counts, in any spelling, also
    where its numbers differ from those of the fresh run. Where the fresh run shows none (its cell
    failed), equal numbers in any saved output count, then what an output calls similarities; those
    of the inputs themselves don't. Half of the points if at least half of them are there. If all
    outputs were cleared and a PDF was handed in beside the notebook, a person decides.
    """

    code = "SHO001"

    def judge(self, evidence: Evidence) -> CheckOutcome:
        outcomes = [
            self._judge_similarities(evidence, [*before, *after])
            for before, after in product(
                *(_stage_similarities(self, evidence, trained=trained) for trained in (False, True))
            )
        ]
        return max(outcomes, key=lambda outcome: outcome.share)

    def _judge_similarities(self, evidence: Evidence, similarities: list[float]) -> CheckOutcome:
        cells, runs = evidence.notebook.code_cells(), {r.index: r for r in evidence.record.cells}
        printed = _printed_similarities(evidence.record.cells, similarities)
        shown: set[int] = set()
        for cell in cells:
            if cell.index in printed:
                fresh = runs[cell.index].shown
                shown |= _shown_by_cell(cell, fresh, printed[cell.index], similarities)
        known = set().union(*printed.values())
        others = [cell for cell in cells if cell.index not in printed]
        for cell in others:
            rest = [index for index in range(len(similarities)) if index not in shown]
            numbers = read_decimals(saved_text(cell))
            shown |= _match_numbers(rest, similarities, numbers, saved=True)
        unknown = self.count - len(known | shown)
        inputs = encoded_arrays(evidence, labels=self.labels, shape=self.shape)
        of_inputs = [
            cosine(as_float64(first), as_float64(second))
            for first, second in combinations(inputs.values(), 2)
            if first.size == second.size
        ]
        looks = sum(_count_similar(cell, runs.get(cell.index), of_inputs) for cell in others)
        looks += sum(
            max(0, len([*_similar_numbers(saved_text(cell))]) - len(printed[cell.index]))
            for cell in cells
            if cell.index in printed and runs[cell.index].status is not CellStatus.RAN
        )
        number_count = len(shown) + min(unknown, looks)
        observed = f"the saved outputs show {number_count or 'none'} of them as text"
        if printed and not number_count:
            cell_list = list_some([f"cell {index}" for index in sorted(printed)])
            observed = (
                f"the saved outputs show none of them; a fresh run printed them in {cell_list}"
            )
        hint = SAVE_HINT if len(known) > number_count else _PRINT_HINT
        return self.judge_count(evidence, number_count, observed=observed, hint=hint)


def _stage_similarities(
    check: EmbeddingCheck, evidence: Evidence, *, trained: bool
) -> list[list[float]]:
    """Return the similarities of a stage: of what its variable holds, and of what was recorded."""
    names = check.embedding_names
    candidates = (
        held_embeddings(evidence, names, trained=trained),
        recorded_embeddings(evidence, names, trained=trained),
    )
    stages = [
        [cosine(e.vectors[left], e.vectors[right]) for left, right in combinations(check.labels, 2)]
        for e in candidates
        if e is not None and set(check.labels) <= set(e.vectors)
    ]
    return [stage for stage in stages if np.isfinite(stage).all()] or [[]]


def _printed_similarities(
    runs: Sequence[CellRun], similarities: Sequence[float]
) -> Mapping[int, set[int]]:
    """Return the similarities that a fresh run of each cell showed, by their indexes."""
    printed: dict[int, set[int]] = {}
    for run in runs:
        known = set().union(*printed.values())
        order = sorted(range(len(similarities)), key=lambda index: index in known)
        numbers = read_decimals(run.shown)
        matched = _match_numbers(order, similarities, numbers, saved=False)
        if matched:
            printed[run.index] = matched
    return printed


def _match_numbers(
    indexes: Sequence[int],
    similarities: Sequence[float],
    numbers: Sequence[TextNumber],
    *,
    saved: bool,
) -> set[int]:
    """Return the similarities that numbers show, each number one; none where it is by chance."""
    if not numbers or not indexes:
        return set()
    values = np.array([number.value for number in numbers])
    units = np.minimum([number.unit for number in numbers], _SECOND_DECIMAL)
    tolerances = np.maximum(units, _SAME_RUN)
    if saved:
        tolerances = np.maximum(LAST_DIGIT_TOLERANCE * units, RUN_TOLERANCE)
    free = np.ones(len(numbers), dtype=bool)
    matched = set()
    for index in indexes:
        hits = np.flatnonzero(free & (np.abs(values - similarities[index]) <= tolerances))
        if hits.size:
            free[hits[0]] = False
            matched.add(index)
    targets = np.array([similarities[index] for index in indexes])
    by_chance = [_count_hits(targets + shift, values, tolerances) for shift in _DECOYS]
    return matched if len(matched) > 2 * np.mean(by_chance) else set()


def _count_hits(targets: Array, values: Array, tolerances: Array) -> int:
    return sum(bool((np.abs(values - target) <= tolerances).any()) for target in targets)


def _shown_by_cell(
    cell: Cell, fresh: str, printed: set[int], similarities: Sequence[float]
) -> set[int]:
    """Return the similarities that the saved output of a cell shows that prints them."""
    text = saved_text(cell)
    if _skeleton(text) == _skeleton(fresh):
        return printed
    order = sorted(printed)
    equal = _match_numbers(order, similarities, read_decimals(text), saved=True)
    alike = len(set(_similar_numbers(text)))
    return equal if len(equal) >= alike else {*order[:alike]}


def _skeleton(text: str) -> str:
    """Return a text without its numbers and spaces."""
    return re.sub(r"#\.?|\s+", lambda part: part[0][:1].strip(), NUMBER.sub("#", text))


def _count_similar(cell: Cell, run: CellRun | None, of_inputs: Sequence[float]) -> int:
    """Return how many similarities the saved output of a cell seems to show.

    It does so where it names them, or where no fresh run of the cell tells what it shows. Those of
    the inputs themselves, which a fresh run tells, are none.
    """
    text = saved_text(cell)
    ran = run is not None and run.status is CellStatus.RAN and run.shown
    if ran and not _SAYS_SIMILARITY.search(text):
        return 0
    fresh = read_decimals(run.shown) if run is not None else []
    others = len(_match_numbers(range(len(of_inputs)), of_inputs, fresh, saved=False))
    if others:
        others = sum(
            any(
                abs(number.value - value) <= min(number.unit, _SECOND_DECIMAL)
                for value in of_inputs
            )
            for number in fresh
        )
    return max(0, len([*_similar_numbers(text)]) - others)


def _may_show_similarity(line: str) -> bool:
    return bool(_SAYS_SIMILARITY.search(line)) or not _SAYS_OTHER.search(line)


def _similar_numbers(text: str) -> Iterator[float]:
    """Yield the numbers of a text that may be similarities, but for those of 1 itself."""
    numbers = read_decimals("\n".join(filter(_may_show_similarity, text.splitlines())))
    in_range = [number for number in numbers if looks_like_share(number)]
    if len(in_range) == len(numbers) <= _MAX_NUMBERS:
        yield from (number.value for number in in_range if abs(number.value) != 1)
