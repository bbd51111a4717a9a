"""Checks LAY001 …: how a module's forward pass uses its layers, at drawn weights and inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

import numpy as np

from grader.checks.check import (
    RECORDING_QUESTION,
    Check,
    CheckOutcome,
    Evidence,
    RandomDraws,
    absent,
    explain_no_answer,
    failed,
    make_question,
    opaque_name,
    passed,
)
from grader.checks.modules import call_fields, draw_weight
from grader.checks.values import array_flaw, as_float64, equals_reference
from grader.model import Observation, Question

if TYPE_CHECKING:
    from grader.model import Array, Json, Numbers

ROUNDING = 1e-5
"""The largest difference of outputs that counts as none."""
BATCH_SIZES = (3, 1, 2)
"""Batch sizes tried, the handout's usual first; the student's own is the one judged."""
Layers = tuple[tuple[int, ...], ...]
"""For each layer, the indices of its parameters in `weights`."""


class ModuleAtWeightsCheck(Check):
    """Compares a module at drawn weights with a function of the reference."""

    module: str
    """The handout's name of the class; another name is found by what was recorded."""
    shape: tuple[int, ...]
    """Shape of one input."""
    weights: tuple[tuple[int, ...], ...]
    """Shapes of the parameters, in the order in which the counterpart takes them."""
    counterpart: str
    """Function of the reference: (inputs, *weights, activation=...) to outputs."""
    accepted: tuple[str, ...]
    """Values of `activation` that count as right."""

    def masked(self) -> Self:
        opaque = {
            "counterpart": opaque_name(self.counterpart),
            "accepted": tuple(opaque_name(word) for word in self.accepted),
        }
        return self.model_copy(update=opaque)

    def forward_question(self, draws: RandomDraws, layers: Layers) -> Question:
        """Ask for outputs at the base weights and with one layer changed at a time."""

        def build_question() -> Question:
            indices = range(len(self.weights))
            sets = {"base": [f"a{p}" for p in indices]}
            for own in layers:
                sets[layer_set_name(own)] = [f"{'b' if p in own else 'a'}{p}" for p in indices]
            calls: list[Json] = [[f"x{n}", name] for n in BATCH_SIZES for name in sets]
            fields: dict[str, Json] = {"module": self.module, "sets": sets, "calls": calls}
            return make_question("forward", fields, self._draw_arrays(draws))

        key = ("forward", self.module, self.shape, self.weights, layers)
        return draws.memo.get_or_compute(key, build_question)

    def counterpart_question(self, draws: RandomDraws, *, batch: int, activation: str) -> Question:
        """Ask the reference for its outputs at the same inputs and base weights."""

        def build_question() -> Question:
            arrays = self._draw_arrays(draws)
            keys = [f"x{batch}", *(f"a{index}" for index in range(len(self.weights)))]
            options: dict[str, Json] = {"activation": activation}
            fields: dict[str, Json] = {"name": self.counterpart, "args": keys, "options": options}
            return make_question("function", fields, {key: arrays[key] for key in keys})

        key = ("counterpart", self.counterpart, self.shape, self.weights, batch, activation)
        return draws.memo.get_or_compute(key, build_question)

    def _draw_arrays(self, draws: RandomDraws) -> dict[str, Array]:
        """Draw inputs `x…` and two sets of weights, `a…` and `b…`."""
        inputs = {f"x{n}": draws.normal(f"x{n}", (n, *self.shape)) for n in BATCH_SIZES}
        weights = {
            f"{version}{index}": draw_weight(draws, f"{version}{index}", shape)
            for index, shape in enumerate(self.weights)
            for version in ("a", "b")
        }
        return {**inputs, **weights}

    def counterpart_questions(self, draws: RandomDraws) -> tuple[Question, ...]:
        """Ask for every batch size and every accepted activation that a student may use."""
        return tuple(
            self.counterpart_question(draws, batch=batch, activation=activation)
            for batch in BATCH_SIZES
            for activation in self.accepted
        )

    def student_batch_size(self, evidence: Evidence) -> int:
        """Return how many inputs the student gave the module at once."""
        for forward in evidence.recording.forwards:
            for batch in forward.inputs[:1]:
                if batch.shape[1:] == self.shape and batch.shape[0] in BATCH_SIZES:
                    return int(batch.shape[0])
        return BATCH_SIZES[0]

    def matching_activation(self, evidence: Evidence, *, output: Array) -> str | None:
        """Return the accepted activation that gives an output at the base weights, or None.

        Raises:
            ReferenceFault: The reference did not answer.
        """
        batch = self.student_batch_size(evidence)
        for activation in self.accepted:
            question = self.counterpart_question(evidence.draws, batch=batch, activation=activation)
            if equal_up_to_scale(output, evidence.reference_array(question)):
                return activation
        return None


def layer_set_name(own: tuple[int, ...]) -> str:
    """Return the name of the set of weights in which only one layer changed."""
    return "only-" + "-".join(map(str, own))


def finite_outputs(observation: Observation, question: Question) -> Mapping[tuple[str, str], Array]:
    """Return outputs that are finite numbers, by (input, set of weights)."""
    arrays = {}
    for index, (key, name) in enumerate(question.params["calls"]):
        array = observation.arrays.get(f"out{index}")
        if array is not None and array.ndim and not array_flaw(array, shape=array.shape):
            arrays[key, name] = array
    return arrays


def equal_up_to_scale(array: Array, expected: Array) -> bool:
    """Tell whether outputs are equal up to a positive factor for each row."""
    if expected.ndim != 2 or any(  # noqa: PLR2004 (rows)
        array_flaw(rows, shape=expected.shape) for rows in (array, expected)
    ):
        return False
    directions, expected_directions = row_directions(array), row_directions(expected)
    if directions is None or expected_directions is None:
        return False
    return equals_reference(directions, expected_directions)


def row_directions(rows: Array) -> Numbers | None:
    """Return rows scaled to length 1; None where a row's length is 0 or not finite."""
    with np.errstate(over="ignore"):
        sizes = np.linalg.norm(as_float64(rows), axis=1, keepdims=True)
    return as_float64(rows) / sizes if (sizes > 0).all() and np.isfinite(sizes).all() else None


class LayerApplied(ModuleAtWeightsCheck):
    """A layer is applied: the output changes when only that layer's weights change.

    Asked at weights and inputs drawn after the notebook ran, at the batch size the student used.
    Parameters are matched by shape, so names are free. With `agreement`, the outputs must also
    equal those of an accepted counterpart of the reference at equal weights, up to a positive
    factor a row (so the normalization is judged elsewhere); where another layer is not applied,
    that layer's own check says so instead.
    """

    code = "LAY001"
    title = "{layer} applied"
    subjects = ("module",)

    layer: str
    """What the handout calls it."""
    own: tuple[int, ...]
    """Places of its parameters in `weights`."""
    others: tuple[tuple[int, ...], ...] = ()
    """Places of the other layers' parameters."""
    agreement: bool = False
    """Whether the outputs must also be those of an accepted counterpart."""

    def questions(self, draws: RandomDraws) -> tuple[Question, ...]:
        layers = tuple(sorted((self.own, *self.others)))
        return (RECORDING_QUESTION, self.forward_question(draws, layers))

    def constant_questions(self, draws: RandomDraws) -> tuple[Question, ...]:
        return self.counterpart_questions(draws)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        _, question = self.questions(evidence.draws)
        observation = evidence.observation(question)
        outputs = finite_outputs(observation, question)
        batch = f"x{self.student_batch_size(evidence)}"
        expected = f"the output changes when only the weights of the {self.layer} change"
        base = outputs.get((batch, "base"))
        if base is None:
            return absent(
                expected=expected,
                observed=self.explain_no_output(observation),
                hint="Read the lines of forward one by one: what shape has x after each?",
                names=(self.module,),
            )

        def changes_output(own: tuple[int, ...]) -> bool:
            changed = outputs.get((batch, layer_set_name(own)))
            if changed is None or changed.shape != base.shape:
                return False
            return bool(np.abs(as_float64(base) - as_float64(changed)).max() > ROUNDING)

        if not changes_output(self.own):
            misshapen = self._judge_shape(evidence, base=base)
            return misshapen or failed(
                expected=expected,
                observed=self._explain_unchanged(observation),
                hint=f"Is the result of the {self.layer} what the next line works on?",
            )
        if not (self.agreement and all(changes_output(own) for own in self.others)):
            return passed(expected=expected, observed="it does")
        expected += "; at equal weights the output is that of the layers in their order"
        if self.matching_activation(evidence, output=base) is not None:
            return passed(expected=expected, observed="it does, and it is")
        return failed(
            expected=expected,
            observed="every layer is applied, but at equal weights the output is another",
            hint="Is there a step between, before or after the layers that nobody asked for?",
        )

    def explain_no_output(self, observation: Observation) -> str:
        """Say why there is no output, in the student's words."""
        no_answer = explain_no_answer(
            observation,
            name=self.module,
            missing=f"no class {self.module} and no other torch module was left when the run ended",
            call="asking",
        )
        if no_answer:
            return no_answer
        raised = str(call_fields(observation, 0).get("error") or observation.error)[:300]
        if raised:
            return f"calling {self.module} raised {raised}"
        return f"{self.module} returned something that is not finite numbers"

    def _judge_shape(self, evidence: Evidence, *, base: Array) -> CheckOutcome | None:
        """Return the outcome for outputs of another shape than the reference's, or None."""
        question = self.counterpart_question(
            evidence.draws,
            batch=self.student_batch_size(evidence),
            activation=self.accepted[0],
        )
        reference_output = evidence.reference_observation(question).arrays.get("out0")
        if reference_output is None or reference_output.shape == base.shape:
            return None
        return failed(
            expected=str(reference_output.shape),
            observed=f"`{self.module}` gave {base.shape}",
            hint=f"Is the result of the {self.layer} what comes out?",
            usual=True,
        )

    def _explain_unchanged(self, observation: Observation) -> str:
        shapes = call_fields(observation, 0).get("unmatched")
        own = [list(self.weights[index]) for index in self.own]
        if isinstance(shapes, list) and any(shape in own for shape in shapes):
            return f"the module has no parameters of shape {tuple(own[0])}"
        return "the output stays the same"
