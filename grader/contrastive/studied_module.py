"""Finds the module under study: the one that the training is about, among all that saw an input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grader.checks.check import ARRAYS_QUESTION
from grader.checks.memo import memoized
from grader.contrastive.loss_calls import called_on
from grader.contrastive.module_rows import ModuleRow, module_rows
from grader.contrastive.vector_index import LabeledVector, VectorIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from grader.checks.check import Evidence
    from grader.checks.recording import Forward, Module
    from grader.model import Array

MIN_RESEMBLANCE = 0.5
"""The least correlation of weights at which a module is taken for an average of another's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudiedModule:
    """The module under study, and the states of its weights."""

    index: int
    start: int
    """The state in which its training began; -1 where it is not known."""
    later: frozenset[int]
    """The states that training brought it to."""
    relatives: frozenset[int]
    """Modules whose weights are made of its weights, such as an average over its steps."""
    first_change: int
    """The event in which its weights first moved, or one after the last.

    Where they were set back to the start and trained again, that is in the last training."""
    restart: int = -1
    """The last event that moved them before that training; -1 where none did."""
    undone_steps: int = 0
    """The steps that were set back."""

    def is_trained(self, forward: Forward) -> bool | None:
        """Return whether a call was one of it after its weights had moved.

        A copy, or another module with its weights loaded, counts as it. Returns None for a call of
        a module that has nothing to do with it.
        """
        if forward.module == self.index:
            if forward.state >= 0 and self.start >= 0:
                return forward.state != self.start
            return forward.event_index >= self.first_change
        if forward.state == self.start >= 0:
            return False
        is_kin = forward.state in self.later or forward.module in self.relatives
        return True if is_kin else None


@memoized
def find_studied_module(
    evidence: Evidence, shape: tuple[int, ...], count: int, holders: tuple[str, ...] = ()
) -> StudiedModule | None:
    """Return the module under study, or None where none made vectors of inputs of the shape.

    It is the one through which the gradient of a loss flowed back, or else one whose weights moved,
    or else one that was called with all inputs. Where there are several, the one whose vectors are
    in the handout's variables counts, or else the last; where none was trained and no variable is
    given, one whose vectors are in any.

    Args:
        evidence: The student's.
        shape: The shape of one input.
        count: How many different inputs it should have seen.
        holders: The handout's variables for its vectors, the most important one first.
    """
    rows = [row for row in module_rows(evidence, shape) if row.vector is not None]
    index = _choose_module(evidence, rows, count, holders)
    return None if index is None else _describe_module(evidence, index)


def _choose_module(
    evidence: Evidence, rows: Sequence[ModuleRow], count: int, holders: tuple[str, ...]
) -> int | None:
    stepped = {module for step in evidence.recording.steps for module in step.modules}
    own = [row for row in rows if not row.forward.again]
    pulled = [row for row in own if row.forward.pulled]
    moved = [row for row in own if row.forward.module in stepped]
    for candidates in (_with_all_inputs(pulled, count), pulled, _with_all_inputs(moved, count)):
        if candidates:
            return _choose_among(evidence, candidates, rows, holders)
    for candidates in (_with_all_inputs(own, count), own):
        if candidates:
            held = _held_module(evidence, candidates, holders or _variables(evidence))
            return candidates[-1].forward.module if held is None else held
    return None


def describe_loose_layers(evidence: Evidence, shape: tuple[int, ...]) -> str:
    """Return a sentence where layers in turn made the vectors that were trained, or ''.

    A function may call them, so that no module can be asked as a whole.
    """
    rows = module_rows(evidence, shape)
    if any(row.vector is not None and row.forward.pulled for row in rows):
        return ""
    first = {row.forward.module for row in rows if row.forward.pulled}
    is_vector_made = any(
        forward.pulled and forward.module not in first and forward.output is not None
        for forward in evidence.recording.forwards
        if forward.output is not None and forward.output.ndim <= 2  # noqa: PLR2004 (vectors)
    )
    if not (first and is_vector_made):
        return ""
    return "Layers were called one by one, in no module of which the grader could ask."


def _with_all_inputs(rows: Sequence[ModuleRow], count: int) -> list[ModuleRow]:
    """Return the rows of modules that were given enough different inputs."""
    inputs: dict[int, set[int]] = {}
    for row in rows:
        inputs.setdefault(row.forward.module, set()).add(id(row.values))
    return [row for row in rows if len(inputs[row.forward.module]) >= count]


def _choose_among(
    evidence: Evidence,
    candidates: Sequence[ModuleRow],
    rows: Sequence[ModuleRow],
    holders: tuple[str, ...],
) -> int:
    """Return the candidate whose vectors are in the first variable that holds any, or the last."""
    modules = {row.forward.module for row in candidates}
    if len(modules) > 1:
        states = {
            row.forward.state: row.forward.module for row in rows if row.forward.module in modules
        }
        for name in holders:
            held = _held_module(evidence, rows, (name,))
            if held in modules:
                return held
            copied = [row.forward.state for row in rows if row.forward.module == held]
            source = next((states[state] for state in copied if state in states), None)
            if source is not None:
                return source
        candidates = _in_watched_calls(evidence, candidates) or candidates
    return candidates[-1].forward.module


def _in_watched_calls(evidence: Evidence, rows: Sequence[ModuleRow]) -> list[ModuleRow]:
    """Return the rows of modules whose vectors a function that the rubric names was called on."""
    index = _index_rows(rows)
    calls = [call for call in evidence.recording.calls if call.name]
    modules = frozenset().union(*(called_on(call, index) for call in calls))
    return [row for row in rows if row.forward.module in modules]


def _index_rows(rows: Sequence[ModuleRow]) -> VectorIndex:
    return VectorIndex(
        [
            LabeledVector(label="", vector=row.vector, forward=row.forward)
            for row in rows
            if row.vector is not None
        ]
    )


def _held_module(
    evidence: Evidence, rows: Sequence[ModuleRow], holders: tuple[str, ...]
) -> int | None:
    """Return the module that made the vectors in the first variable that holds any, or None."""
    index = _index_rows(rows)
    for name in holders:
        for array in held_arrays(evidence, name):
            for vector in split_vectors(array, index.sizes):
                match = index.nearest(vector)
                if match is not None:
                    return match.forward.module
    return None


def _variables(evidence: Evidence) -> tuple[str, ...]:
    """Return the names of all variables that hold arrays."""
    arrays = evidence.observation(ARRAYS_QUESTION).arrays
    return tuple(dict.fromkeys(key.partition("/")[0] for key in arrays))


def held_arrays(evidence: Evidence, name: str) -> tuple[Array, ...]:
    """Return the arrays that a variable holds, alone or in lists, tuples and dicts."""
    arrays = evidence.observation(ARRAYS_QUESTION).arrays
    return tuple(a for key, a in arrays.items() if key == name or key.startswith(f"{name}/"))


def split_vectors(array: Array, sizes: frozenset[int]) -> list[Array]:
    """Return the vectors of one of the sizes in an array: its rows, its columns, or itself."""
    if not array.size:
        return []
    if array.ndim and array.shape[-1] in sizes:
        return list(array.reshape(-1, array.shape[-1]))
    if array.ndim == 2 and array.shape[0] in sizes:  # noqa: PLR2004 (columns)
        return list(array.T)
    return [array.ravel()] if array.size in sizes else []


def _describe_module(evidence: Evidence, index: int) -> StudiedModule:
    recording = evidence.recording
    module = recording.modules[index] if index < len(recording.modules) else None
    start = module.start.state if module is not None and module.start is not None else -1
    forwards = [forward for forward in recording.forwards if forward.module == index]
    snapshots = () if module is None else module.snapshots.values()
    states = {*(f.state for f in forwards), *(s.state for s in snapshots)} - {-1, start}
    steps = [step.event_index for step in recording.steps if index in step.modules]
    moved = [f.event_index for f in forwards if start >= 0 and f.state not in {-1, start}]
    changes = sorted([*moved, *steps])
    begin = _last_begin(forwards, start, changes)
    relatives = () if module is None else _find_relatives(recording.modules, module)
    return StudiedModule(
        index=index,
        start=start,
        later=frozenset(states) if changes else frozenset(),
        relatives=frozenset(relatives) if changes else frozenset(),
        first_change=next((n for n in changes if n > begin), recording.event_count + 1),
        restart=max((n for n in changes if n < begin), default=-1),
        undone_steps=sum(n < begin for n in steps),
    )


def _last_begin(forwards: Sequence[Forward], start: int, changes: Sequence[int]) -> int:
    """Return the last event in which a training of the module's start weights began, or -1."""
    begins = [f.event_index for f in forwards if f.pulled and f.state == start >= 0]
    return max((n for n in begins if changes and n < changes[-1]), default=-1)


def _find_relatives(modules: Sequence[Module], studied: Module) -> Iterable[int]:
    """Return the modules whose weights resemble those of the module under study, and its start."""
    own = [_flat_weights(studied, moment) for moment in ("end", "step", "call", "first")]
    for index, module in enumerate(modules):
        if module is studied:
            continue
        other = _flat_weights(module, "end")
        if other is None:
            other = _flat_weights(module, "first")
        if other is not None and any(_resembles(other, weights) for weights in own):
            yield index


def _flat_weights(module: Module, moment: str) -> Array | None:
    snapshot = module.snapshots.get(moment)
    if snapshot is None or not snapshot.weights:
        return None
    return np.concatenate([weights.ravel() for weights in snapshot.weights])


def _resembles(weights: Array, other: Array | None) -> bool:
    if other is None or weights.shape != other.shape or weights.size <= 1:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.corrcoef(weights, other)[0, 1] >= MIN_RESEMBLANCE)
