"""PAR: judges which pairs a contrastive loss contrasted in the first step, read from its calls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import numpy as np

from grader.checks.check import CheckOutcome, Evidence, failed, passed
from grader.checks.memo import memoized
from grader.checks.recording import Call
from grader.checks.values import EQUAL_TOLERANCE, equal_values
from grader.contrastive.contrast_weights import contrast_weights
from grader.contrastive.embeddings import (
    EmbeddingCheck,
    EmbeddingNames,
    join_labels,
    studied_module,
    studied_rows,
)
from grader.contrastive.labeled_inputs import (
    cosine,
    encoded_values,
    head_vectors,
    is_defined,
    labeled_vectors,
    namespace,
)
from grader.contrastive.loss_calls import Pair, RolePairs, counted_calls, nearest_labels, read_pairs
from grader.contrastive.vector_index import LabeledVector, VectorIndex

if TYPE_CHECKING:
    from grader.model import Numbers

MAX_GRADIENT_ROWS = 48
"""Most vectors of which gradients are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastedPairs:
    """The pairs that a loss contrasted, by role; without roles those of both sets count alike."""

    positive: frozenset[Pair]
    negative: frozenset[Pair]
    constant: frozenset[Pair] = frozenset()
    """Pairs that it was called on in embeddings that no gradient flows back to."""
    cells: tuple[int, ...] = ()
    has_roles: bool = True
    tells_roles: bool = False
    """Whether it was read from a gradient that tells roles, whatever the loss."""


class PairContrasted(EmbeddingCheck):
    """The loss contrasts a pair, in its role, in the first step of training.

    Read from the calls of the loss that the rubric names: which inputs, recognized by their values,
    were anchor with positive, and anchor with negatives. Order within a pair, number of calls and
    style of the arguments don't matter. Where the loss has another name, similarities that
    gradients flow through are read instead; where there are none, the direction of the loss's
    gradient is. Calls whose gradients were only looked at, and a training that was undone, don't
    count. The calls decide: a variable that holds another pair gets a note. If no call contrasts
    the pair but a variable holds it, half of the points. Inputs whose embeddings are equal cannot
    be told apart: a person decides.
    """

    code = "PAR001"
    subjects = ("variable", "loss")

    loss: str
    """The handout's name of the loss: its calls are recorded."""
    roles: tuple[str, str, str] = ("anchor", "positive", "negatives")
    """Its parameters, in order."""
    role: Literal["positive", "negative"]
    """The role of the pair."""
    pair: tuple[str, str]
    """The two inputs, by label; their order is free."""
    variable: str = ""
    """The handout's variable for the pair; if it holds another pair, it gets a note."""

    def describe(self) -> str:
        return f"{self.role} pair {{{', '.join(self.pair)}}}"

    def judge(self, evidence: Evidence) -> CheckOutcome:
        names = self.embedding_names
        pair_text = format_pair(frozenset(self.pair))
        only = "its only" if self.role == "positive" else "a"
        expected = f"the loss contrasts {pair_text} as {only} {self.role} pair"
        expected_pair = _canonical_pair(self.pair, _canonical_labels(evidence, names))
        pairs = contrasted_pairs(evidence, names, self.loss, self.roles)
        variables = variable_pairs(evidence, names)
        if pairs is None and (not variables or _has_unread_gradient(evidence, names)):
            return self._judge_unread_pair(evidence, expected=expected)
        variable_pair = variables.get(self.variable)
        if pairs is not None and self._is_right(pairs, variable_pair, expected_pair):
            note = ""
            if variable_pair not in {None, expected_pair}:
                held = format_pair(variable_pair or frozenset())
                note = f"{self.variable} itself holds {held}; how the loss was called counts."
            first, second = sorted(self.pair)
            role_text = f" as a {self.role} pair" if pairs.has_roles else ""
            observed = f"The loss contrasts {first} and {second}{role_text} in the first step."
            return passed(expected=expected, observed=observed, hint=note, cells=pairs.cells)
        if not self.all_encoded(evidence):
            return self.incomplete_embeddings(evidence, expected=expected)
        outcome = self._judge_wrong_pair(
            pairs, variables, expected=expected, expected_pair=expected_pair
        )
        return self._with_cause(evidence, outcome, expected_pair, pairs)

    def _with_cause(
        self,
        evidence: Evidence,
        outcome: CheckOutcome,
        expected_pair: Pair,
        pairs: ContrastedPairs | None,
    ) -> CheckOutcome:
        """Return the outcome for a wrong pair, with the cause where calls tell it."""
        equal = _labels_embedded_alike(evidence, self.embedding_names)
        if equal.intersection(self.pair):
            same = join_labels(tuple(label for label in self.labels if label in equal))
            observed = (
                f"The {self.maker} gives {same} the same embedding, so the calls of the loss do not"
                f" tell which {self.things} it contrasts."
            )
            return replace(outcome, observed=observed)
        is_contrasted = pairs is not None and expected_pair in pairs.positive | pairs.negative
        if not is_contrasted and self._is_contrasted_later(evidence, expected_pair):
            hint = "Only a later step contrasts it: is one step made of the losses of all pairs?"
            return replace(outcome, hint=hint)
        calls = [call for call in evidence.recording.calls if call.name == self.loss and call.grads]
        if outcome.share and len({call.pulled for call in calls}) > 1:
            return replace(outcome, hint="Does every loss that is computed go into the total?")
        return outcome

    def _judge_unread_pair(self, evidence: Evidence, *, expected: str) -> CheckOutcome:
        """Return the outcome where neither calls, gradients nor variables tell of pairs."""
        if _has_flat_loss(evidence, self.embedding_names):
            observed = (
                "The loss is flat where training starts: its gradient is 0 and tells of no pair."
            )
            return failed(expected=expected, observed=observed, pending=True)
        if _has_unread_gradient(evidence, self.embedding_names):
            observed = "The gradient of the loss does not tell which pairs it contrasts."
            return failed(expected=expected, observed=observed, pending=True)
        name = self.variable or self.loss
        if not self.all_encoded(evidence):
            return self.judge_unmade(evidence, name, expected=expected)
        if is_defined(evidence, self.variable):
            observed = f"`{self.variable}` does not hold two embeddings of the {self.maker}."
            hint = f"What does the {self.maker} give for these two {self.things}?"
            return failed(expected=expected, observed=observed, hint=hint)
        outcome = self.missing_embeddings(name, expected=expected)
        return replace(outcome, because="no loss was computed from the embeddings")

    def _is_contrasted_later(self, evidence: Evidence, expected_pair: Pair) -> bool:
        """Return whether the loss contrasts a pair in its role in later steps alone."""
        names = self.embedding_names
        studied = studied_module(evidence, names)
        if studied is None:
            return False
        rows = [row for t in (False, True) for row in studied_rows(evidence, names, trained=t)]
        canonical = _canonical_labels(evidence, names)
        calls = [
            call for call in evidence.recording.calls if call.name == self.loss and call.pulled
        ]
        if not calls:
            later = _pairs_of_later_gradients(evidence, names, studied.first_change)
            own = later.positive if self.role == "positive" else later.negative
            return expected_pair in {_canonical_pair(pair, canonical) for pair in own}
        for call in calls:
            pairs = read_pairs(call, rows, self.roles) or RolePairs()
            own = pairs.positive if self.role == "positive" else pairs.negative
            if expected_pair in {_canonical_pair(pair, canonical) for pair in own}:
                return call.event_index > studied.first_change
        return False

    def _is_right(
        self, pairs: ContrastedPairs, variable_pair: Pair | None, expected_pair: Pair
    ) -> bool:
        if not pairs.has_roles:
            is_contrasted = expected_pair in pairs.positive | pairs.negative
            return is_contrasted and variable_pair in {None, expected_pair}
        if self.role == "positive":
            return pairs.positive == {expected_pair}
        return expected_pair in pairs.negative

    def _judge_wrong_pair(
        self,
        pairs: ContrastedPairs | None,
        variables: Mapping[str, Pair],
        *,
        expected: str,
        expected_pair: Pair,
    ) -> CheckOutcome:
        contrasted = pairs or ContrastedPairs(positive=frozenset(), negative=frozenset())
        role_pairs = contrasted.positive if self.role == "positive" else contrasted.negative
        role_text = self.role if contrasted.has_roles else "contrasted"
        if not contrasted.has_roles:
            role_pairs = contrasted.positive | contrasted.negative
        pair_list = ", ".join(sorted(format_pair(pair) for pair in role_pairs))
        if "?" in pair_list:
            pair_list += f" (? is none of {join_labels(self.labels)})"
        in_variable = (
            variables[self.variable] == expected_pair
            if self.variable in variables
            else expected_pair in variables.values()
        )
        pair_text = format_pair(expected_pair)
        if expected_pair in contrasted.constant - contrasted.positive - contrasted.negative:
            return failed(
                expected=expected,
                observed=f"No gradient flows back to the embeddings of {pair_text}.",
                hint="Which embeddings change when the weights do?",
                cells=contrasted.cells,
            )
        if in_variable and expected_pair not in contrasted.positive | contrasted.negative:
            others = f"contrasts other pairs: {pair_list}" if pair_list else "does not contrast it"
            hint = "Is the loss called on this pair, too?"
            if self.role == "negative" and not contrasted.negative:
                hint = "Which negatives does the loss get?"
            elif contrasted.negative - frozenset(variables.values()):
                hint = (
                    "The given lines read only the second element of a negative pair; its anchor "
                    "comes from the positive pair."
                )
            return CheckOutcome(
                share=Fraction(1, 2),
                expected=expected,
                observed=f"A variable holds the pair, but the loss of the first step {others}.",
                hint=hint if self.role == "negative" else "Which pair is the loss called on?",
                cells=contrasted.cells,
            )
        distance = "close" if self.role == "positive" else "apart"
        return failed(
            expected=expected,
            observed=(
                f"The {role_text} pairs of the loss in the first step: {pair_list}."
                if pair_list
                else f"The loss contrasts no {self.role} pair in the first step."
            ),
            hint=f"Which two {self.things} should be {distance}?",
            cells=contrasted.cells,
        )


@memoized
def contrasted_pairs(
    evidence: Evidence, names: EmbeddingNames, loss: str, roles: tuple[str, str, str]
) -> ContrastedPairs | None:
    """Return the pairs that were contrasted in the first step; None where nothing shows it."""
    rows = [
        row for trained in (False, True) for row in studied_rows(evidence, names, trained=trained)
    ]
    # A head on top of the module has vectors of its own: of images, or of the module's vectors.
    vectors = labeled_vectors(evidence, labels=names.labels, shape=names.shape)
    heads = [row for row in vectors if row.forward.pulled]
    projections = head_vectors(evidence, labels=names.labels, shape=names.shape)
    gradients = [
        (own, _pairs_from_gradient(evidence, names, own)) for own in (rows, heads, projections)
    ]
    by_calls = (
        _pairs_of_loss(evidence, names, own, loss, roles, gradient) for own, gradient in gradients
    )
    by_gradient = (gradient for _, gradient in gradients)
    pairs = next(filter(None, by_calls), None) or next(filter(None, by_gradient), None)
    if pairs is None:
        return None
    canonical = _canonical_labels(evidence, names)
    return replace(
        pairs,
        positive=frozenset(_canonical_pair(pair, canonical) for pair in pairs.positive),
        negative=frozenset(_canonical_pair(pair, canonical) for pair in pairs.negative),
        constant=frozenset(_canonical_pair(pair, canonical) for pair in pairs.constant),
    )


def _pairs_of_loss(
    evidence: Evidence,
    names: EmbeddingNames,
    rows: Sequence[LabeledVector],
    loss: str,
    roles: tuple[str, str, str],
    gradient: ContrastedPairs | None,
) -> ContrastedPairs | None:
    """Return the pairs of the loss's calls, or else of similarities, on some module's vectors."""
    calls = counted_calls(evidence.recording, studied_module(evidence, names), rows)
    watched = [call for call in calls if call.name == loss]
    similarities = [call for call in calls if not call.name]
    signed = gradient if gradient and gradient.tells_roles else None
    return _pairs_of_calls(watched, rows, roles, gradient) or _pairs_of_calls(
        similarities, rows, roles, signed
    )


def _pairs_of_calls(
    calls: Sequence[Call],
    rows: Sequence[LabeledVector],
    roles: tuple[str, str, str],
    gradient: ContrastedPairs | None,
) -> ContrastedPairs | None:
    """Return the pairs of calls; None where their arguments don't tell.

    Where they tell which pairs but not their roles, the gradient does, if there is one.
    """
    by_call = [read_pairs(call, rows, roles) for call in calls]
    known = [pairs for pairs in by_call if pairs is not None]
    if not known or len(known) < len(by_call):
        return None
    cells = tuple(sorted({call.cell for call in calls}))
    unsigned = frozenset().union(*(pairs.unsigned for pairs in known))
    positive = frozenset().union(*(pairs.positive for pairs in known))
    negative = frozenset().union(*(pairs.negative for pairs in known))
    constant = frozenset().union(*(pairs.constant for pairs in known))
    is_unknown = any("?" in pair for pair in unsigned)  # a mean of vectors, say
    if gradient is not None and (is_unknown or any(pairs.by_order for pairs in known)):
        if gradient.tells_roles:
            return replace(gradient, cells=cells)
        negative |= (gradient.positive | gradient.negative) - positive
    if not unsigned:
        return ContrastedPairs(positive=positive, negative=negative, constant=constant, cells=cells)
    if gradient is None:
        return ContrastedPairs(positive=unsigned, negative=unsigned, cells=cells, has_roles=False)
    pulled = unsigned & gradient.positive
    return ContrastedPairs(
        positive=positive | pulled, negative=negative | (unsigned - pulled), cells=cells
    )


def _pairs_from_gradient(
    evidence: Evidence, names: EmbeddingNames, rows: Sequence[LabeledVector]
) -> ContrastedPairs | None:
    """Return which vectors the loss pulled together and which apart, from its gradient.

    For a loss of similarities or distances, its gradient at one vector is a combination of the
    vectors it is compared with, negative for those it is pulled to. A label that was encoded
    several times in the step counts with all of its gradients.
    """
    rows = _rows_before_training(evidence, names, rows)
    followed = [row for row in rows if row.gradient is not None]
    if {row.label for row in rows} != {*names.labels} or not any(
        np.any(row.gradient) for row in followed
    ):
        return None
    weights = contrast_weights(followed, rows, ascends=_ascends(evidence, names))
    if not weights:
        return None
    pushed = frozenset(pair for pair, weight in weights.items() if weight >= 0)
    vectors = {row.label: row.vector for row in rows}
    near = {p for p in weights if cosine(*(vectors[label] for label in sorted(p))) > 0}
    pulled = frozenset(weights) - pushed
    # The handout's loss pushes no two apart whose cosine is above 0: it pulls them, and is NaN.
    # Two whose cosine is below 0 are pulled together by a loss that wants it to be 0, too.
    is_finite = all(row.forward.finite for row in followed)
    tells_roles = bool(pushed & near) or (is_finite and pulled <= near)
    return ContrastedPairs(
        positive=pulled,
        negative=pushed,
        cells=tuple(sorted({row.forward.cell for row in followed})),
        has_roles=is_finite or tells_roles,
        tells_roles=tells_roles,
    )


def _pairs_of_later_gradients(
    evidence: Evidence, names: EmbeddingNames, first_change: int
) -> RolePairs:
    """Return which vectors later steps pulled together and which apart.

    Of a loss that is not a number the signs tell nothing, and its pairs count for both roles.
    """
    rows = [
        row
        for row in studied_rows(evidence, names, trained=True)
        if row.gradient is not None and row.forward.event_index > first_change
    ][:MAX_GRADIENT_ROWS]
    by_state: dict[tuple[int, int], list[LabeledVector]] = {}
    for row in rows:
        by_state.setdefault((row.forward.steps, row.forward.state), []).append(row)
    pulled, pushed = set[Pair](), set[Pair]()
    ascends = _ascends(evidence, names)
    for own in by_state.values():
        is_finite = all(row.forward.finite for row in own)
        for pair, weight in contrast_weights(own, own, ascends=ascends).items():
            if weight < 0 or not is_finite:
                pulled.add(pair)
            if weight > 0 or not is_finite:
                pushed.add(pair)
    return RolePairs(positive=frozenset(pulled), negative=frozenset(pushed))


def _rows_before_training(
    evidence: Evidence, names: EmbeddingNames, rows: Sequence[LabeledVector]
) -> Sequence[LabeledVector]:
    """Return vectors from before the weights moved: those with a gradient, and what they lack."""
    studied = studied_module(evidence, names)
    begin, end = (-1, np.inf) if studied is None else (studied.restart, studied.first_change)
    before = [row for row in rows if row.forward.event_index < end]
    followed = [
        row for row in before if row.gradient is not None and row.forward.event_index > begin
    ][:MAX_GRADIENT_ROWS]
    labels = {row.label for row in followed}
    others = {row.label: row for row in before if row.label not in labels}
    return [*followed, *others.values()]


def _has_flat_loss(evidence: Evidence, names: EmbeddingNames) -> bool:
    """Return whether gradients flowed back that are all 0, as where a margin is kept already."""
    gradients = _gradients_before_training(evidence, names)
    return bool(gradients) and not any(map(np.any, gradients))


def _has_unread_gradient(evidence: Evidence, names: EmbeddingNames) -> bool:
    """Return whether a gradient flowed back to the vectors of the module under study."""
    return any(map(np.any, _gradients_before_training(evidence, names)))


def _gradients_before_training(evidence: Evidence, names: EmbeddingNames) -> Sequence[Numbers]:
    rows = _rows_before_training(evidence, names, studied_rows(evidence, names, trained=False))
    return [row.gradient for row in rows if row.gradient is not None]


def _ascends(evidence: Evidence, names: EmbeddingNames) -> bool:
    """Return whether steps on the module under study go up the gradient: it is no loss."""
    studied = studied_module(evidence, names)
    steps = evidence.recording.steps
    return studied is not None and any(s.ascends for s in steps if studied.index in s.modules)


@memoized
def variable_pairs(evidence: Evidence, names: EmbeddingNames) -> Mapping[str, Pair]:
    """Return the variables that hold two embeddings, with the pair of their inputs."""
    rows = labeled_vectors(evidence, labels=names.labels, shape=names.shape)
    index = VectorIndex(rows)
    canonical = _canonical_labels(evidence, names)
    arrays = namespace(evidence)
    pairs = {}
    for name in (key.removesuffix("/1") for key in arrays if key.endswith("/1")):
        parts = [arrays.get(f"{name}/{position}") for position in range(3)]
        if "/" in name or parts[0] is None or parts[1] is None or parts[2] is not None:
            continue
        labels = nearest_labels([parts[0].ravel(), parts[1].ravel()], index)
        if "?" not in labels:
            pairs[name] = _canonical_pair(labels, canonical)
    return pairs


@memoized
def _labels_embedded_alike(evidence: Evidence, names: EmbeddingNames) -> frozenset[str]:
    """Return the labels whose inputs differ, and whose embeddings before training are equal."""
    canonical = _canonical_labels(evidence, names)
    rows = {row.label: row for row in studied_rows(evidence, names, trained=False)}
    return frozenset(
        label
        for label, row in rows.items()
        for other, other_row in rows.items()
        if canonical.get(label) != canonical.get(other)
        and cosine(row.vector, other_row.vector) > 1 - EQUAL_TOLERANCE**2
    )


@memoized
def _canonical_labels(evidence: Evidence, names: EmbeddingNames) -> Mapping[str, str]:
    """Map each label to the first one whose input has equal values.

    An input that is not finite equals nothing, not even itself, and keeps its label.
    """
    encoded = encoded_values(evidence, labels=names.labels, shape=names.shape)
    labels = [label for label in names.labels if label in encoded]
    return {
        label: next((o for o in labels if equal_values(encoded[o], encoded[label])), label)
        for label in labels
    }


def _canonical_pair(labels: Iterable[str], canonical: Mapping[str, str]) -> Pair:
    return frozenset(canonical.get(label, label) for label in labels)


def format_pair(pair: Pair) -> str:
    """Return a pair as {A, B}."""
    labels = sorted(pair)
    return "{" + ", ".join(labels * 2 if len(labels) == 1 else labels) + "}"
