"""Reads pairs from the calls of a loss: which inputs were contrasted, and in which roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from grader.contrastive.vector_index import LabeledVector, VectorIndex

if TYPE_CHECKING:
    from grader.checks.recording import Call, Recording
    from grader.contrastive.studied_module import StudiedModule
    from grader.model import Array

Pair = frozenset[str]
"""Two labels; one label if both inputs are the same; '?' for a vector of no known input."""
MAX_VECTORS = 64
"""The most vectors of one argument that are read."""
ROLE_LETTERS = 3
"""How many letters of a role tell a parameter: 'pos', 'positives' and 'pos_sample' are alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePairs:
    """The pairs of one call by role; without roles, only that they were contrasted."""

    positive: frozenset[Pair] = frozenset()
    negative: frozenset[Pair] = frozenset()
    unsigned: frozenset[Pair] = frozenset()
    constant: frozenset[Pair] = frozenset()
    """Pairs of vectors that no gradient flows back to."""
    by_order: bool = False
    """Whether the roles are told by the order of the arguments alone."""


def counted_calls(
    recording: Recording, studied: StudiedModule | None, rows: Sequence[LabeledVector]
) -> tuple[Call, ...]:
    """Return the calls from which the first step was computed.

    They come before the weights of the module under study moved, work on its vectors, and a
    gradient flowed back through them; where none did, those count through which one could.

    Args:
        recording: The recording of the run.
        studied: The module under study.
        rows: Its vectors of labeled inputs.
    """
    begin, end = (-1, np.inf) if studied is None else (studied.restart, studied.first_change)
    index = VectorIndex(rows)
    calls = [call for call in recording.calls if begin < call.event_index < end]
    groups = ([c for c in calls if c.pulled], [c for c in calls if c.grads], calls)
    counted = next((group for group in groups if group), [])
    own = [call for call in counted if studied and studied.index in called_on(call, index)]
    return tuple(own or [call for call in counted if called_on(call, index)] or counted)


def called_on(call: Call, index: VectorIndex) -> frozenset[int]:
    """Return the modules that made the vectors that a call works on."""
    vectors = [vector for arrays in call.args.values() for vector in vectors_in(arrays, index)]
    rows = [index.latest(v, before=call.event_index) for v in vectors[:MAX_VECTORS]]
    return frozenset(row.forward.module for row in rows if row is not None)


def read_pairs(
    call: Call, rows: Sequence[LabeledVector], roles: tuple[str, str, str]
) -> RolePairs | None:
    """Return the pairs that a call contrasts, or None where its arguments don't tell.

    Args:
        call: A call of the loss, or of a similarity.
        rows: Vectors of labeled inputs.
        roles: The handout's parameters: anchor, positive, negatives. Others are told by the
            beginning of their names, or else by their order.
    """
    index = VectorIndex(rows)
    vectors = {
        key: arrays
        for key, arrays in call.args.items()
        if any(vectors_in([a], index) for a in arrays)
    }
    if len(vectors) == 1:  # all in one list
        (key,) = vectors
        vectors = {f"{key}/{i}": (array,) for i, array in enumerate(vectors[key])}
    grads = call.grads or frozenset(vectors)
    constant: set[Pair] = set()

    def pairs(left: str, right: str) -> frozenset[Pair]:
        label_pairs = _label_pairs(vectors[left], vectors[right], index, before=call.event_index)
        if any(grad in {left, right, left.partition("/")[0]} for grad in grads):
            return label_pairs
        constant.update(label_pairs)
        return frozenset()

    bound = _bind_roles(tuple(vectors), roles) if call.name else None
    if bound is not None:
        anchor, positive, negative = bound
        close, apart = pairs(anchor, positive), pairs(anchor, negative)
        by_order = bound == tuple(vectors) and bound != roles
        return RolePairs(
            positive=close, negative=apart, constant=frozenset(constant), by_order=by_order
        )
    if len(vectors) == 2 and not _is_grid(*vectors.values()):  # noqa: PLR2004 (a pair without role)
        return RolePairs(unsigned=pairs(*vectors), constant=frozenset(constant))
    return None


def _bind_roles(keys: tuple[str, ...], roles: tuple[str, str, str]) -> tuple[str, ...] | None:
    """Return the arguments that are anchor, positive and negatives, or None."""
    if all(role in keys for role in roles):
        return roles
    by_letters = [
        next((key for key in keys if role[:ROLE_LETTERS] in key.lower()), None) for role in roles
    ]
    anchor, positive, negative = by_letters
    if positive is not None and negative is not None and positive != negative:
        letters = tuple(role[:ROLE_LETTERS] for role in roles[1:])
        rest = [key for key in keys if not any(part in key.lower() for part in letters)]
        anchor = anchor or next(iter(rest), None)
        return None if anchor is None else (anchor, positive, negative)
    return keys if len(keys) == len(roles) else None


def vectors_in(arrays: Sequence[Array], index: VectorIndex) -> list[Array]:
    """Return the vectors of embedding length in arrays of any shape."""
    return [
        vector
        for array in arrays
        if array.size and array.ndim and array.shape[-1] in index.sizes
        for vector in array.reshape(-1, array.shape[-1])
    ]


def _label_pairs(
    left_arrays: Sequence[Array],
    right_arrays: Sequence[Array],
    index: VectorIndex,
    *,
    before: float,
) -> frozenset[Pair]:
    """Return the pairs of labels of two arguments; batches of equal length go row by row."""
    left, right = vectors_in(left_arrays, index), vectors_in(right_arrays, index)
    is_batch = len(left) > 1 and len(left_arrays) == 1 and len(right) % len(left) == 0
    if is_batch and len(right_arrays) == 1 and len(right_arrays[0]) == len(left):
        per_row = len(right) // len(left)
        groups = [
            ([vector], right[i * per_row : (i + 1) * per_row]) for i, vector in enumerate(left)
        ]
    elif is_batch and len(right) == len(left):
        groups = [
            ([left_row], [right_row]) for left_row, right_row in zip(left, right, strict=True)
        ]
    else:
        groups = [(left, right)]
    return frozenset(
        frozenset((left_label, right_label))
        for ours, others in groups
        for left_label in nearest_labels(ours, index, before=before)
        for right_label in nearest_labels(others, index, before=before)
    )


def _is_grid(left: Sequence[Array], right: Sequence[Array]) -> bool:
    """Return whether two arguments are compared each with each: (N, 1, 128) with (1, N, 128)."""
    shapes = {array.shape[:-1] for array in (*left, *right)}
    return len(shapes) > 1 and all(
        sum(array[..., 0].size for array in arrays) > 1 for arrays in (left, right)
    )


def nearest_labels(
    vectors: Sequence[Array], index: VectorIndex, *, before: float = np.inf
) -> list[str]:
    """Return the label of each vector; '?' for one of no known input."""
    rows = [index.nearest(vector, before=before) for vector in vectors[:MAX_VECTORS]]
    return [row.label if row else "?" for row in rows]
