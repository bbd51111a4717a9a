"""EMB: embeddings before and after training, told by their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from grader.checks.check import (
    ARRAYS,
    RECORDING,
    Check,
    Draws,
    Evidence,
    Opinion,
    absent,
    failed,
    passed,
)
from grader.checks.initial_arrays import ArraysParams, named
from grader.checks.labeled_inputs import gallery, namespace, requires_grad, rows_made
from grader.checks.values import same
from grader.checks.vector_index import Gallery, Row
from grader.model import Exhibit, Numbers, Question, Stage

STEPS = "How often does the training loop run, and does its step reach this {maker}?"
"""For who trained nothing."""


class StagesParams(ArraysParams):
    """Where the embeddings are kept."""

    before: str
    """The handout's name for the embeddings before training."""
    after: str
    """The handout's name for the embeddings after training."""
    maker: str = "module"
    """What the handout calls what makes them: 'encoder'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One set of embeddings: a vector a label, and where each was made, if anywhere."""

    name: str
    vectors: Mapping[str, Numbers]
    rows: Mapping[str, Row]

    @property
    def complete(self) -> bool:
        """Whether every label has a vector that the module made."""
        return len(self.rows) == len(self.vectors) > 0

    @property
    def module(self) -> int:
        """The number of the module that made them."""
        return next(iter(self.rows.values())).forward.module

    def moved(self, evidence: Evidence) -> bool:
        """Whether training had moved the module's weights."""
        return any(moved(evidence, row) for row in self.rows.values())


def moved(evidence: Evidence, row: Row) -> bool:
    """Whether the module's weights were no longer those of its start when it made the row."""
    recording, forward = evidence.recording, row.forward
    if forward.module >= len(recording.modules):
        return False
    start = recording.modules[forward.module].start
    if forward.state >= 0 and start is not None:
        return forward.state != start.state
    return any(forward.module in step.modules and step.n < forward.n for step in recording.steps)


def find(params: StagesParams, evidence: Evidence, *, name: str, trained: bool) -> Found | None:
    """Embeddings by the handout's name, or else by what they are; None when there are none."""
    key = ("find", *_of(params), name, trained)
    return evidence.memo.once(key, lambda: _find(params, evidence, name=name, trained=trained))


def _of(params: StagesParams) -> tuple[object, ...]:
    """What a memo knows the stages of a rubric by."""
    return (params.labels, params.shape, params.before, params.after)


def _find(params: StagesParams, evidence: Evidence, *, name: str, trained: bool) -> Found | None:
    made = gallery(evidence, labels=params.labels, shape=params.shape)
    arrays = namespace(evidence)
    named = _matched(params, made, name=name, array=arrays.get(name))
    if named is not None:
        return named
    for other, array in reversed(list(arrays.items())):
        found = _matched(params, made, name=other, array=array)
        if found is None or not found.complete or other in {params.before, params.after}:
            continue
        if all(moved(evidence, row) is trained for row in found.rows.values()):
            return found
    return None


def _matched(
    params: StagesParams, known: Gallery, *, name: str, array: Numbers | None
) -> Found | None:
    """An array's rows as labelled embeddings; rows that nothing made keep the handout's order."""
    count = len(params.labels)
    if array is None or array.ndim != 2 or array.shape[0] != count:  # noqa: PLR2004 (rows)
        return None
    made: list[Row | None] = []
    for place in range(count):
        used = frozenset(row.label for row in made if row)
        made.append(known.nearest(array[place], used=used))
    labels = [row.label if row else None for row in made]
    if len(set(labels)) == count and None not in labels:
        by_label = {row.label: (row, array[i]) for i, row in enumerate(made) if row}
        return Found(
            name=name,
            vectors={label: _flat(by_label[label][1]) for label in params.labels},
            rows={label: by_label[label][0] for label in params.labels},
        )
    vectors = {label: _flat(array[place]) for place, label in enumerate(params.labels)}
    kept = {params.labels[i]: row for i, row in enumerate(made) if row}
    return Found(name=name, vectors=vectors, rows=kept if len(kept) < count else {})


def _flat(array: Numbers) -> Numbers:
    return np.asarray(array, dtype=np.float64).ravel()


def trained_module(params: StagesParams, evidence: Evidence) -> int | None:
    """The module that made the trained embeddings, or else the one that an optimiser moved."""
    key = ("module", *_of(params))
    return evidence.memo.once(key, lambda: _trained_module(params, evidence))


def _trained_module(params: StagesParams, evidence: Evidence) -> int | None:
    after = find(params, evidence, name=params.after, trained=True)
    if after is not None and after.complete and after.moved(evidence):
        return after.module
    for step in reversed(evidence.recording.steps):
        if step.modules:
            return step.modules[0]
    if after is not None and after.complete:
        return after.module
    rows = rows_made(evidence, labels=params.labels, shape=params.shape)
    return rows[-1].forward.module if rows else None


def made_by(
    params: StagesParams, evidence: Evidence, *, module: int | None, trained: bool
) -> Found | None:
    """What a module last made of the inputs before training, or after it, whoever kept it."""
    key = ("made", *_of(params), module, trained)
    return evidence.memo.once(
        key, lambda: _made_by(params, evidence, module=module, trained=trained)
    )


def _made_by(
    params: StagesParams, evidence: Evidence, *, module: int | None, trained: bool
) -> Found | None:
    rows = rows_made(evidence, labels=params.labels, shape=params.shape)
    mine = [r for r in rows if r.forward.module == module and moved(evidence, r) is trained]
    by_label = {row.label: row for row in mine}
    if set(by_label) != set(params.labels):
        return None
    vectors = {label: by_label[label].vector for label in params.labels}
    if len({vector.size for vector in vectors.values()}) > 1:
        return None
    return Found(name=params.after if trained else params.before, vectors=vectors, rows=by_label)


def trained_embeddings(params: StagesParams, evidence: Evidence) -> Found | None:
    """The trained embeddings; where the variable missed them, what the module makes at the end."""
    found = find(params, evidence, name=params.after, trained=True)
    if found is not None and found.complete:
        if found.moved(evidence):
            return found
        return made_by(params, evidence, module=found.module, trained=True) or found
    module = trained_module(params, evidence)
    return made_by(params, evidence, module=module, trained=True)


def exhibit(params: StagesParams, evidence: Evidence) -> Exhibit | None:
    """The embeddings before and after, for the report's table and chart."""
    key = ("exhibit", *_of(params))
    return evidence.memo.once(key, lambda: _exhibit(params, evidence))


def _exhibit(params: StagesParams, evidence: Evidence) -> Exhibit | None:
    stages = []
    for title, name, trained in (("before", params.before, False), ("after", params.after, True)):
        found = find(params, evidence, name=name, trained=trained)
        if found is not None:
            vectors = np.stack([found.vectors[label] for label in params.labels])
            if np.isfinite(vectors).all():
                stages.append(Stage(name=title, vectors=vectors))
    if not stages or len({stage.vectors.shape for stage in stages}) > 1:
        return None
    return Exhibit(
        title="Embeddings before and after training",
        labels=params.labels,
        stages=tuple(stages),
        caption="Computed from the embeddings that your notebook made when it was graded.",
    )


class Before(Check[StagesParams]):
    """The embeddings before training are the module's output on all inputs, at its start weights.

    Told by value, so their name and the order of their rows are free. Embeddings that are still
    attached to the graph get a note and lose nothing.
    """

    code = "EMB001"
    params = StagesParams

    def title(self, params: StagesParams) -> str:
        """What it checks."""
        return "embeddings before training"

    def questions(self, params: StagesParams, draws: Draws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS, RECORDING)

    def names(self, params: StagesParams) -> tuple[str, ...]:
        """The variable."""
        return (params.before,)

    def judge(self, params: StagesParams, evidence: Evidence) -> Opinion:
        """Compares values with what the module was seen to make."""
        expected = f"the {params.maker}'s output on {named(params.labels)}, before training"
        found = find(params, evidence, name=params.before, trained=False)
        if found is None:
            return missing(params.before, expected=expected)
        if not all_encoded(params, evidence):
            return nothing_encoded(params, expected=expected)
        shown = exhibit(params, evidence)
        wrong = self._wrong(params, evidence, found)
        if wrong:
            hint = f"Compute it with the {params.maker} you train, before its first step."
            told = f"{found.name} {wrong}"
            return failed(expected=expected, found=told, hint=hint, exhibit=shown)
        note = "Still attached to its graph: harmless here, but .detach() says what is meant."
        hint = note if requires_grad(evidence, found.name) else ""
        return passed(expected=expected, found="they are", hint=hint, exhibit=shown)

    def _wrong(self, params: StagesParams, evidence: Evidence, found: Found) -> str:
        if not found.complete:
            return f"is not what the {params.maker} made of {named(params.labels)}"
        if found.moved(evidence):
            return "was made after training had moved the weights"
        if not self._same_module(params, evidence, found):
            return f"comes from another {params.maker} than the one that was trained"
        return ""

    def _same_module(self, params: StagesParams, evidence: Evidence, found: Found) -> bool:
        after = find(params, evidence, name=params.after, trained=True)
        if after is None or not after.complete or not after.moved(evidence):
            return True
        ours = {row.forward.module for row in found.rows.values()}
        theirs = {row.forward.module for row in after.rows.values()}
        return ours == theirs or _equal_start(evidence, ours | theirs)


def _equal_start(evidence: Evidence, modules: set[int]) -> bool:
    """Whether all these modules began at the same weights."""
    starts = [m.start for i, m in enumerate(evidence.recording.modules) if i in modules]
    known = [start.weights for start in starts if start is not None]
    if len(known) != len(modules) or not known:
        return False
    return all(
        len(weights) == len(known[0])
        and all(same(a, b) for a, b in zip(weights, known[0], strict=True))
        for weights in known
    )


class After(Check[StagesParams]):
    """The embeddings after training are the module's output once training moved its weights."""

    code = "EMB002"
    params = StagesParams

    def title(self, params: StagesParams) -> str:
        """What it checks."""
        return "embeddings after training"

    def questions(self, params: StagesParams, draws: Draws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS, RECORDING)

    def names(self, params: StagesParams) -> tuple[str, ...]:
        """The variable."""
        return (params.after,)

    def judge(self, params: StagesParams, evidence: Evidence) -> Opinion:
        """Compares values with what the module was seen to make."""
        made = f"the {params.maker}'s output on {named(params.labels)}"
        expected = f"{made}, after training moved its weights"
        found = find(params, evidence, name=params.after, trained=True)
        if found is None:
            return missing(params.after, expected=expected)
        if not all_encoded(params, evidence):
            return nothing_encoded(params, expected=expected)
        if not found.complete:
            return failed(
                expected=expected,
                found=f"{found.name} is not what the {params.maker} made of {named(params.labels)}",
            )
        if not found.moved(evidence):
            return failed(
                expected=expected,
                found=f"the {params.maker}'s weights were still those of the start",
                hint=STEPS.format(maker=params.maker),
            )
        return passed(expected=expected, found="they are")


def missing(name: str, *, expected: str) -> Opinion:
    """An opinion on embeddings that are not there."""
    return absent(expected=expected, found=f"no {name} after the notebook ran", names=(name,))


def all_encoded(params: StagesParams, evidence: Evidence) -> bool:
    """Whether a module made a finite embedding of every input."""
    rows = rows_made(evidence, labels=params.labels, shape=params.shape)
    return {row.label for row in rows} == set(params.labels)


def nothing_encoded(params: StagesParams, *, expected: str) -> Opinion:
    """An opinion where the module was not seen to make embeddings of all inputs."""
    return absent(
        expected=expected,
        found=f"the {params.maker} made no finite embeddings of all {params.things}",
    )
