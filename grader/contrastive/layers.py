"""LAY: judges how a module's forward pass uses its layers, at drawn weights and inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from grader.checks.check import (
    RECORDING_QUESTION,
    Check,
    CheckOutcome,
    Evidence,
    SeededRandom,
    absent,
    explain_error,
    explain_no_answer,
    failed,
    make_question,
    passed,
)
from grader.checks.memo import memoized
from grader.checks.modules import call_fields, class_name, draw_weight
from grader.checks.values import array_flaw, as_float64, equals_reference
from grader.contrastive.studied_module import describe_loose_layers
from grader.model import Observation, Question

if TYPE_CHECKING:
    from grader.model import Array, Json, Numbers

ROUNDING = 1e-5
"""The largest difference between outputs that counts as rounding."""
BATCH_SIZES = (3, 1, 2)
"""Batch sizes that are tried, the handout's own first; the student's is the one that is judged."""
Layers = tuple[tuple[int, ...], ...]
"""For each layer, the indices of its parameters in `weights`."""
Shapes = tuple[tuple[int, ...], ...]


class ModuleAtWeightsCheck(Check):
    """Compares a module at drawn weights with a function of the reference notebook."""

    reference_names: ClassVar[tuple[str, ...]] = ("counterpart", "accepted")

    module: str
    """The handout's name of the class; a class of another name is found by its recorded calls."""
    shape: tuple[int, ...]
    """Shape of one input."""
    weights: tuple[tuple[int, ...], ...]
    """Shapes of the parameters, in the order in which the reference's function takes them."""
    counterpart: str
    """Name of the reference's function: (inputs, *weights, activation=...) to outputs."""
    accepted: tuple[str, ...]
    """Values of `activation` that count as right."""

    def weight_shapes(self) -> tuple[tuple[int, ...], ...]:
        return self.weights

    def find_doubt(self, evidence: Evidence) -> str:
        return describe_loose_layers(evidence, self.shape)

    def forward_question(self, rng: SeededRandom, layers: Layers) -> Question:
        """Ask for outputs at the base weights and with one layer changed at a time."""
        return _forward_question(rng, self.module, self.shape, self.weights, layers)

    def reference_question(self, rng: SeededRandom, *, batch: int, activation: str) -> Question:
        """Ask the reference for its outputs at the same inputs and base weights."""
        return _reference_question(
            rng, self.counterpart, self.shape, self.weights, batch, activation
        )

    def reference_questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        """Ask for every batch size and every accepted activation that a student may use."""
        return tuple(
            self.reference_question(rng, batch=batch, activation=activation)
            for batch in BATCH_SIZES
            for activation in self.accepted
        )

    def student_batch_size(self, evidence: Evidence) -> int:
        """Return the student's own batch size."""
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
            question = self.reference_question(evidence.rng, batch=batch, activation=activation)
            if equal_up_to_scale(output, evidence.reference_array(question)):
                return activation
        return None


@memoized
def _forward_question(
    rng: SeededRandom, module: str, shape: tuple[int, ...], weights: Shapes, layers: Layers
) -> Question:
    indices = range(len(weights))
    sets = {"base": [f"a{p}" for p in indices]}
    for layer in layers:
        sets[layer_set_name(layer)] = [f"{'b' if p in layer else 'a'}{p}" for p in indices]
    calls: list[Json] = [[f"x{n}", name] for n in BATCH_SIZES for name in sets]
    fields: dict[str, Json] = {"module": module, "sets": sets, "calls": calls}
    return make_question("forward", fields, _draw_arrays(rng, shape, weights))


@memoized
def _reference_question(
    rng: SeededRandom,
    function: str,
    shape: tuple[int, ...],
    weights: Shapes,
    batch: int,
    activation: str,
) -> Question:
    arrays = _draw_arrays(rng, shape, weights)
    keys = [f"x{batch}", *(f"a{index}" for index in range(len(weights)))]
    options: dict[str, Json] = {"activation": activation}
    fields: dict[str, Json] = {"name": function, "args": keys, "options": options}
    return make_question("function", fields, {key: arrays[key] for key in keys})


def _draw_arrays(rng: SeededRandom, shape: tuple[int, ...], weights: Shapes) -> dict[str, Array]:
    """Draw inputs `x…` and two sets of weights, `a…` and `b…`."""
    inputs = {f"x{n}": rng.normal(f"x{n}", (n, *shape)) for n in BATCH_SIZES}
    drawn_weights = {
        f"{version}{index}": draw_weight(rng, f"{version}{index}", weight_shape)
        for index, weight_shape in enumerate(weights)
        for version in ("a", "b")
    }
    return inputs | drawn_weights


def layer_set_name(layer: tuple[int, ...]) -> str:
    """Return the name of the set of weights in which only one layer changed."""
    return "only-" + "-".join(map(str, layer))


def finite_outputs(observation: Observation, question: Question) -> Mapping[tuple[str, str], Array]:
    """Return outputs that are finite numbers, by (input, set of weights)."""
    arrays = {}
    for index, (key, name) in enumerate(question.params["calls"]):
        array = observation.arrays.get(f"out{index}")
        if array is not None and array.ndim and not array_flaw(array, shape=array.shape):
            arrays[key, name] = array
    return arrays


def equal_up_to_scale(array: Array, expected: Array) -> bool:
    """Return whether outputs are equal up to a positive factor for each row."""
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
    equal those of the reference's function at equal weights and an accepted activation, up to a
    positive factor for each row (so the normalization is judged elsewhere); where another layer is
    not applied, that layer's own check says so instead.
    """

    code = "LAY001"
    title = "{layer} applied"
    subjects = ("module",)

    layer: str
    """The handout's word for the layer."""
    own: tuple[int, ...]
    """Indices of the layer's parameters in `weights`, from 0."""
    others: tuple[tuple[int, ...], ...] = ()
    """For each other layer, the indices of its parameters in `weights`."""
    agreement: bool = False
    """Whether the outputs must also be those of the reference's function."""

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        layers = tuple(sorted((self.own, *self.others)))
        return (RECORDING_QUESTION, self.forward_question(rng, layers))

    def constant_questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        return self.reference_questions(rng)

    def judge(self, evidence: Evidence) -> CheckOutcome:
        _, question = self.questions(evidence.rng)
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

        def changes_output(layer: tuple[int, ...]) -> bool:
            changed = outputs.get((batch, layer_set_name(layer)))
            if changed is None or changed.shape != base.shape:
                return False
            return bool(np.abs(as_float64(base) - as_float64(changed)).max() > ROUNDING)

        if not changes_output(self.own):
            name = class_name(observation, default=self.module)
            is_other_size = self._lacks_own_weights(observation)
            misshapen = self._judge_shape(
                evidence, base=base, name=name, is_other_size=is_other_size
            )
            hint = f"Is the result of the {self.layer} what the next line works on?"
            if is_other_size:
                hint = "Which layers does the handout's class have, and of which sizes?"
            return misshapen or failed(
                expected=expected, observed=self._explain_unchanged(observation), hint=hint
            )
        if not (self.agreement and all(map(changes_output, self.others))):
            return passed(expected=expected, observed=expected)
        expected += "; at equal weights the output is that of the layers in their order"
        if self.matching_activation(evidence, output=base) is not None:
            return passed(expected=expected, observed=expected)
        return failed(
            expected=expected,
            observed=(
                "Every layer is applied, but at equal weights the output is not what the layers "
                "give in their order."
            ),
            hint="Is there a step between, before or after the layers that nobody asked for?",
        )

    def explain_no_output(self, observation: Observation) -> str:
        """Return why there is no output."""
        name = class_name(observation, default=self.module)
        no_answer = explain_no_answer(
            observation,
            name=name,
            missing=f"no class {self.module} and no other torch module was left when the run ended",
            call="asking",
        )
        if no_answer:
            return no_answer
        raised = str(call_fields(observation, 0).get("error") or observation.error)
        if raised:
            return explain_error(raised, name=name)
        return f"{name} returned something that is not finite numbers"

    def _judge_shape(
        self, evidence: Evidence, *, base: Array, name: str, is_other_size: bool
    ) -> CheckOutcome | None:
        """Return the outcome for outputs of another shape than the reference's, or None.

        `is_other_size`: whether the layer's weights are of other shapes than the rubric's.
        """
        batch = self.student_batch_size(evidence)
        question = self.reference_question(evidence.rng, batch=batch, activation=self.accepted[0])
        reference_output = evidence.reference_observation(question).arrays.get("out0")
        if reference_output is None or reference_output.shape == base.shape:
            return None
        hint = f"Is the result of the {self.layer} what comes out?"
        if is_other_size:
            hint = f"How many numbers does the {self.layer} give, and how many does the handout's?"
        return failed(
            expected=str(reference_output.shape),
            observed=f"`{name}` gave {base.shape}",
            hint=hint,
            usual=not is_other_size,
        )

    def _lacks_own_weights(self, observation: Observation) -> bool:
        """Return whether the module has no parameters of the shapes of the layer's."""
        shapes = call_fields(observation, 0).get("unmatched")
        own_shapes = [list(self.weights[index]) for index in self.own]
        return isinstance(shapes, list) and any(shape in own_shapes for shape in shapes)

    def _explain_unchanged(self, observation: Observation) -> str:
        if self._lacks_own_weights(observation):
            own_shape = tuple(self.weights[self.own[0]])
            return f"the module has no parameters of shape {own_shape}"
        return f"the output stays the same when only the weights of the {self.layer} change"
