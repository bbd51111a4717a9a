"""Where a student's training began, and the reference trained from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from grader.checks.check import Evidence, Ours, nameless, question
from grader.checks.embeddings import StagesParams, trained_embeddings, trained_module
from grader.checks.labeled_inputs import as_encoded
from grader.checks.layers import ModuleParams, forward_question, matching, outputs, own_batch
from grader.model import Json, Question

if TYPE_CHECKING:
    from grader.model import Array

MOST_STEPS = 200
"""Of more optimiser steps these are replayed."""
LOST = frozenset({"died", "timed_out", "invalid"})
"""What becomes of a question when there is nobody to answer it."""


class TrainingParams(StagesParams, ModuleParams):
    """A training run and its counterpart in the reference."""

    train: str
    """Function of the reference: (inputs, *weights, activation=..., steps=...) to embeddings."""
    steps: int = 1
    """The handout's number of steps."""
    layers: tuple[tuple[int, ...], ...]
    """Places of each layer's parameters in `weights`."""

    def masked(self) -> Self:
        """Without the reference's names."""
        return super().masked().model_copy(update={"train": nameless(self.train)})


def start_weights(params: TrainingParams, evidence: Evidence) -> tuple[Array, ...] | None:
    """The trained module's weights before training, in the counterpart's order; None if unlike."""
    key = ("start", *_of(params))
    return evidence.memo.once(key, lambda: _start_weights(params, evidence))


def _of(params: TrainingParams) -> tuple[object, ...]:
    """What a memo knows a training run by."""
    named = (params.before, params.after, params.module, params.train)
    return (params.labels, params.shape, params.weights, *named)


def _start_weights(params: TrainingParams, evidence: Evidence) -> tuple[Array, ...] | None:
    module = trained_module(params, evidence)
    if module is None or module >= len(evidence.recording.modules):
        return None
    start = evidence.recording.modules[module].start
    free = list(start.weights) if start is not None else []
    ordered = []
    for shape in params.weights:
        place = next((i for i, array in enumerate(free) if array.shape == shape), None)
        if place is None or not np.isfinite(free[place]).all():
            return None
        ordered.append(free.pop(place))
    return tuple(ordered)


def activation(params: TrainingParams, evidence: Evidence) -> str:
    """The accepted activation that the module was found to use, or else the first."""
    asked = forward_question(params, evidence.draws, layers=tuple(sorted(params.layers)))
    found = outputs(evidence.observed(asked), asked)
    base = found.get((f"x{own_batch(params, evidence)}", "base"))
    if base is None:
        return params.accepted[0]
    try:
        return matching(params, evidence, observed=base) or params.accepted[0]
    except Ours:
        return params.accepted[0]


def optimiser_steps(params: TrainingParams, evidence: Evidence) -> int | None:
    """Optimiser steps between the start and the trained embeddings, at most 200; None if none."""
    after = trained_embeddings(params, evidence)
    if after is None:
        return None
    return min(MOST_STEPS, max(row.forward.steps for row in after.rows.values())) or None


def training_question(
    params: TrainingParams,
    evidence: Evidence,
    *,
    steps: int | None = None,
    using: str | None = None,
) -> Question | None:
    """Asks the reference to train from the student's start, or None where there is none.

    Args:
        params: names of things.
        evidence: the student's.
        steps: optimiser steps, the handout's number by default.
        using: an accepted activation, by default the one the student's module was found to use.
    """
    uses = using or activation(params, evidence)
    takes = params.steps if steps is None else steps
    key = ("training", *_of(params), uses, takes)
    return evidence.memo.once(key, lambda: _training(params, evidence, steps=takes, using=uses))


def _training(
    params: TrainingParams, evidence: Evidence, *, steps: int, using: str
) -> Question | None:
    weights = start_weights(params, evidence)
    images = as_encoded(evidence, labels=params.labels, shape=params.shape)
    if weights is None or set(images) != set(params.labels):
        return None
    if any(array.shape != params.shape or array.dtype.kind != "f" for array in images.values()):
        return None
    batch = np.stack([np.asarray(images[label], dtype=np.float32) for label in params.labels])
    arrays: dict[str, Array] = {"images": batch}
    for place, array in enumerate(weights):
        arrays[f"w{place}"] = np.asarray(array, dtype=np.float32)
    options: dict[str, Json] = {"activation": using, "steps": steps}
    asked: dict[str, Json] = {"name": params.train, "args": list(arrays), "options": options}
    return question("function", asked, arrays)


def trained_by_reference(asked: Question | None, evidence: Evidence) -> Array | None:
    """The reference's embeddings; None where there was nothing to ask, or they are none.

    Raises:
        Ours: the reference was gone, which is no student's fault.
    """
    if asked is None:
        return None
    answer = evidence.reference(asked)
    if answer.status in LOST:
        raise Ours(f"the reference did not answer ({answer.status})")
    return answer.arrays.get("out0")
