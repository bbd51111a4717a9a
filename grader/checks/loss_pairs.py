"""PAR: which pairs a contrastive loss contrasted in the first step, told by how it was called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from typing import Literal

import numpy as np

from grader.checks.check import ARRAYS, RECORDING, Check, Draws, Evidence, Opinion, failed, passed
from grader.checks.embeddings import (
    StagesParams,
    all_encoded,
    missing,
    nothing_encoded,
    trained_module,
)
from grader.checks.labeled_inputs import gallery, known_values, namespace, rows_made
from grader.checks.recording import Call, Forward, numbers
from grader.checks.values import equal
from grader.checks.vector_index import Gallery, Row
from grader.model import Array, Question

Pair = frozenset[str]


class PairsParams(StagesParams):
    """A pair that the loss must contrast."""

    loss: str
    """The handout's name of the loss: its calls are recorded."""
    roles: tuple[str, str, str] = ("anchor", "positive", "negatives")
    """Its parameters, in order."""
    role: Literal["positive", "negative"]
    """In which role."""
    pair: tuple[str, str]
    """The two inputs, by label; their order is free."""
    variable: str = ""
    """What the handout calls the pair; a variable that says otherwise gets a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrasted:
    """The pairs that were contrasted, by role; the same set for both where calls have no roles."""

    positive: frozenset[Pair]
    negative: frozenset[Pair]
    cells: tuple[int, ...] = ()
    roles: bool = True


def first_step(params: StagesParams, evidence: Evidence) -> tuple[int, int | None]:
    """When the trained module's weights first moved, and the module's number."""
    module = trained_module(params, evidence)
    recording = evidence.recording
    moments = []
    if module is not None:
        step = recording.first_step(module)
        moments += [step] if step is not None else []
        start = recording.modules[module].start if module < len(recording.modules) else None
        moments += [
            f.n
            for f in recording.forwards
            if f.module == module and start is not None and f.state not in {-1, start.state}
        ]
    return min(moments, default=recording.total + 1), module


def calls_of_first_step(params: PairsParams, evidence: Evidence) -> tuple[Call, ...]:
    """Calls of the loss before the trained module's weights moved; else bare similarities."""
    end, module = first_step(params, evidence)
    recording = evidence.recording

    def about_it(call: Call) -> bool:
        before = [forward for forward in recording.forwards if forward.n < call.n]
        return not before or module is None or before[-1].module == module

    calls = [call for call in recording.calls if call.n < end and about_it(call)]
    watched = tuple(call for call in calls if call.name == params.loss)
    return watched or tuple(call for call in calls if not call.name)


def contrasted(params: PairsParams, evidence: Evidence) -> Contrasted | None:
    """What was contrasted in the first step; None when nothing tells."""
    stages = (params.labels, params.shape, params.before, params.after)
    key = ("contrasted", *stages, params.loss, params.roles)

    def told() -> Contrasted | None:
        found = _contrasted(params, evidence)
        if found is None:
            return None
        first = _first_of_equals(params, evidence)
        return replace(
            found,
            positive=frozenset(_told_apart(pair, first) for pair in found.positive),
            negative=frozenset(_told_apart(pair, first) for pair in found.negative),
        )

    return evidence.memo.once(key, told)


def _contrasted(params: PairsParams, evidence: Evidence) -> Contrasted | None:
    known = gallery(evidence, labels=params.labels, shape=params.shape)
    calls = calls_of_first_step(params, evidence)
    if not calls:
        return _by_gradient(params, evidence)
    positive: set[Pair] = set()
    negative: set[Pair] = set()
    for call in calls:
        first, second, third = _arguments(params, call)
        positive |= _pairs(first, second, known, before=call.n)
        others = third if call.name else second
        negative |= _pairs(first, others, known, before=call.n)
    return Contrasted(
        positive=frozenset(positive),
        negative=frozenset(negative),
        cells=tuple(sorted({call.cell for call in calls})),
        roles=bool(calls[0].name),
    )


def _arguments(
    params: PairsParams, call: Call
) -> tuple[Sequence[Array], Sequence[Array], Sequence[Array]]:
    """Anchor, positive and negatives, by the handout's names or else by their order."""
    args = call.args
    if all(role in args for role in params.roles):
        anchor, positive, negatives = (args[role] for role in params.roles)
        return anchor, positive, negatives
    ordered = [*args.values(), (), (), ()]
    return ordered[0], ordered[1], ordered[2]


def _vectors(arrays: Sequence[Array]) -> list[Array]:
    """Single vectors: rows of matrices one by one."""
    out: list[Array] = []
    for array in arrays[:16]:
        out.extend(array if array.ndim == 2 else [array])  # noqa: PLR2004 (a matrix)
    return out[:64]


def _labels(arrays: Sequence[Array], known: Gallery, *, before: float = np.inf) -> list[str | None]:
    found = [known.nearest(vector, before=before) for vector in _vectors(arrays)]
    return [row.label if row else None for row in found]


def _pairs(
    ones: Sequence[Array], others: Sequence[Array], known: Gallery, *, before: float
) -> set[Pair]:
    """Unordered pairs of labels; what is none of the inputs is '?'. Rows of batches go together."""
    left, right = _labels(ones, known, before=before), _labels(others, known, before=before)
    if len(left) > 1 and len(left) == len(right):
        return {frozenset((a or "?", b or "?")) for a, b in zip(left, right, strict=True)}
    return {frozenset((a or "?", b or "?")) for a in left for b in right}


def _by_gradient(params: PairsParams, evidence: Evidence) -> Contrasted | None:
    """Without a call to read: which embeddings the loss pulled together and which apart.

    For a loss of similarities, its gradient at one embedding is a combination of the embeddings
    it is compared with, negative for those it is pulled to.
    """
    _, module = first_step(params, evidence)
    rows = rows_made(evidence, labels=params.labels, shape=params.shape)
    forwards = [f for f in evidence.recording.forwards if f.module == module and f.pull is not None]
    if not forwards:
        return None
    forward = forwards[0]
    mine = [row for row in rows if row.forward is forward]
    if {row.label for row in mine} != set(params.labels) or len(mine) != len(params.labels):
        return None
    positive: set[Pair] = set()
    negative: set[Pair] = set()
    for (a, b), weight in _weights(forward, mine).items():
        (positive if weight < 0 else negative).add(frozenset((a, b)))
    cells = (forward.cell,)
    return Contrasted(positive=frozenset(positive), negative=frozenset(negative), cells=cells)


def _weights(forward: Forward, rows: Sequence[Row]) -> Mapping[tuple[str, str], float]:
    """How strongly each pair is contrasted, where it is at all; negative is together."""
    if forward.pull is None or forward.pull.shape[0] != len(rows):
        return {}
    basis = np.stack([row.vector for row in rows])
    pull = numbers(forward.pull).reshape(len(rows), -1)
    if pull.shape != basis.shape or not np.isfinite(pull).all():
        return {}
    weights, *_ = np.linalg.lstsq(basis.T, pull.T, rcond=None)
    size = float(np.abs(weights).max())
    return {
        (rows[i].label, rows[j].label): float(weights[i, j] + weights[j, i])
        for i, j in combinations(range(len(rows)), 2)
        if abs(weights[i, j] + weights[j, i]) > 1e-3 * size  # rounding
    }


def variable_pairs(params: PairsParams, evidence: Evidence) -> Mapping[str, Pair]:
    """Variables that hold two embeddings, and of which inputs."""
    key = ("pairs", params.labels, params.shape)

    def told() -> Mapping[str, Pair]:
        first = _first_of_equals(params, evidence)
        found = _variable_pairs(params, evidence)
        return {name: _told_apart(pair, first) for name, pair in found.items()}

    return evidence.memo.once(key, told)


def _variable_pairs(params: PairsParams, evidence: Evidence) -> Mapping[str, Pair]:
    known = gallery(evidence, labels=params.labels, shape=params.shape)
    arrays = namespace(evidence)
    names = {name.rpartition("/")[0] for name in arrays if name.endswith("/1")}
    found = {}
    for name in names:
        parts = [arrays.get(f"{name}/{place}") for place in range(3)]
        if parts[0] is None or parts[1] is None or parts[2] is not None:
            continue
        labels = _labels([parts[0].ravel(), parts[1].ravel()], known)
        if None not in labels:
            found[name] = frozenset(label for label in labels if label)
    return found


def _first_of_equals(params: PairsParams, evidence: Evidence) -> Mapping[str, str]:
    """Of inputs with equal values only the first can be told: that one, for each label.

    What is not finite equals nothing, itself included, and stands for itself.
    """
    known = known_values(evidence, labels=params.labels, shape=params.shape)
    labels = [label for label in params.labels if label in known]
    return {
        label: next((one for one in labels if equal(known[one], known[label])), label)
        for label in labels
    }


def _told_apart(labels: Iterable[str], first: Mapping[str, str]) -> Pair:
    return frozenset(first.get(label, label) for label in labels)


class PairContrasted(Check[PairsParams]):
    """The loss contrasts a pair, in its role, in the first step of training.

    Read from the calls of the loss that the rubric names: which inputs, told by value, were anchor
    with positive, and anchor with negatives. Order within a pair, number of calls and style of the
    arguments don't matter. Where the loss has another name, similarities that gradients flow
    through stand in for it; where there are none, the direction of the loss's gradient does. The
    calls decide: a variable that says otherwise gets a note. If no call contrasts the pair but a
    variable holds it, half of the points.
    """

    code = "PAR001"
    params = PairsParams

    def title(self, params: PairsParams) -> str:
        """What it checks."""
        return f"{params.role} pair {{{', '.join(params.pair)}}}"

    def questions(self, params: PairsParams, draws: Draws) -> tuple[Question, ...]:
        """Asks for arrays and the recording."""
        return (ARRAYS, RECORDING)

    def names(self, params: PairsParams) -> tuple[str, ...]:
        """The loss and the pair's variable."""
        return tuple(name for name in (params.variable, params.loss) if name)

    def judge(self, params: PairsParams, evidence: Evidence) -> Opinion:
        """Reads the calls, then the variables."""
        expected = f"the loss contrasts {in_order(frozenset(params.pair))} as a {params.role} pair"
        wanted = _told_apart(params.pair, _first_of_equals(params, evidence))
        found = contrasted(params, evidence)
        variables = variable_pairs(params, evidence)
        if found is None and not variables:
            return self._never_called(params, evidence, expected=expected)
        if not all_encoded(params, evidence):
            return nothing_encoded(params, expected=expected)
        if found is not None and self._right(params, found, variables, wanted=wanted):
            hint = self._note(params, variables, wanted)
            return passed(
                expected=expected, found="it does, in the first step", hint=hint, cells=found.cells
            )
        return self._wrong(params, found, variables, expected=expected, wanted=wanted)

    def _never_called(self, params: PairsParams, evidence: Evidence, *, expected: str) -> Opinion:
        opinion = missing(params.variable or params.loss, expected=expected)
        if not all_encoded(params, evidence):
            return opinion
        return replace(opinion, because="the training loop never ran")

    def _right(
        self,
        params: PairsParams,
        found: Contrasted,
        variables: Mapping[str, Pair],
        *,
        wanted: Pair,
    ) -> bool:
        if not found.roles:
            named = variables.get(params.variable)
            return wanted in found.positive and named in {None, wanted}
        if params.role == "positive":
            return found.positive == {wanted}
        return wanted in found.negative

    def _wrong(
        self,
        params: PairsParams,
        found: Contrasted | None,
        variables: Mapping[str, Pair],
        *,
        expected: str,
        wanted: Pair,
    ) -> Opinion:
        seen = frozenset() if found is None else found.positive
        if found is not None and params.role == "negative":
            seen = found.negative
        told = ", ".join(sorted(in_order(pair) for pair in seen)) or "none"
        cells = found.cells if found else ()
        contrasts = found is not None and wanted in found.positive | found.negative
        held = (
            variables.get(params.variable) == wanted
            if params.variable in variables
            else (wanted in variables.values())
        )
        if held and not contrasts:
            return Opinion(
                share=Fraction(1, 2),
                expected=expected,
                found=f"a variable holds the pair, but the loss was called on other pairs: {told}",
                hint="The given lines read only the second element of a negative pair.",
                cells=cells,
            )
        where = "close" if params.role == "positive" else "apart"
        return failed(
            expected=expected,
            found=f"{params.role} pairs in the calls of the loss: {told}",
            hint=f"Which two {params.things} should be {where}?",
            cells=cells,
        )

    def _note(self, params: PairsParams, variables: Mapping[str, Pair], wanted: Pair) -> str:
        named = variables.get(params.variable)
        if named is None or named == wanted:
            return ""
        return f"{params.variable} itself holds {in_order(named)}; how the loss was called counts."


def in_order(pair: Pair) -> str:
    """A pair as {A, B}."""
    labels = sorted(pair)
    return "{" + ", ".join(labels * 2 if len(labels) == 1 else labels) + "}"
