"""LAY: what a module's forward does with its layers, at weights and inputs of ours."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod, sqrt
from typing import TYPE_CHECKING, Self

import numpy as np

from grader.checks.check import (
    RECORDING_QUESTION,
    Check,
    CheckOutcome,
    Evidence,
    Params,
    RandomDraws,
    ReferenceFault,
    absent,
    failed,
    make_question,
    opaque_name,
    passed,
)
from grader.checks.recording import as_float64
from grader.checks.values import all_close, array_flaw
from grader.model import Observation, Question

if TYPE_CHECKING:
    from grader.model import Array, Json, Numbers

ROUNDING = 1e-5
"""Differences up to this are none."""
BATCH_SIZES = (3, 1, 2)
"""Batch sizes tried, the handout's usual first; the student's own is the one judged."""


class ModuleParams(Params):
    """A module of the notebook and its counterpart in the reference."""

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
        """Without the reference's names, and without what counts as right."""
        return self.model_copy(
            update={
                "counterpart": opaque_name(self.counterpart),
                "accepted": tuple(opaque_name(word) for word in self.accepted),
            }
        )


class LayerParams(ModuleParams):
    """One layer of the module."""

    layer: str
    """What the handout calls it."""
    own: tuple[int, ...]
    """Places of its parameters in `weights`."""
    others: tuple[tuple[int, ...], ...] = ()
    """Places of the other layers' parameters."""
    agreement: bool = False
    """Whether the outputs must also be those of an accepted counterpart."""


def draw_arrays(params: ModuleParams, draws: RandomDraws) -> dict[str, Numbers]:
    """Inputs and two sets of weights, of sizes that a fresh module would have."""
    arrays = {f"x{n}": draws.normal(f"x{n}", (n, *params.shape)) for n in BATCH_SIZES}
    for index, shape in enumerate(params.weights):
        fan = prod(shape[1:]) if len(shape) > 1 else 1
        scale = 1 / sqrt(fan) if len(shape) > 1 else 0.1
        for version in ("a", "b"):
            arrays[f"{version}{index}"] = draws.normal(
                f"{version}{index}", tuple(shape), scale=scale
            )
    return arrays


def weight_sets(params: ModuleParams, layers: tuple[tuple[int, ...], ...]) -> dict[str, list[str]]:
    """Sets of weights by name: all of version a, and for each layer that layer alone of b."""
    indices = range(len(params.weights))
    sets = {"base": [f"a{p}" for p in indices]}
    for own in layers:
        sets[layer_set_name(own)] = [f"{'b' if p in own else 'a'}{p}" for p in indices]
    return sets


def layer_set_name(own: tuple[int, ...]) -> str:
    """The name of the set in which only one layer changed."""
    return "only-" + "-".join(map(str, own))


def forward_question(
    params: ModuleParams, draws: RandomDraws, *, layers: tuple[tuple[int, ...], ...]
) -> Question:
    """Asks for outputs at the base weights and with one layer changed at a time."""

    def build_question() -> Question:
        sets = weight_sets(params, layers)
        calls: list[Json] = [[f"x{n}", name] for n in BATCH_SIZES for name in sets]
        fields: dict[str, Json] = {"module": params.module, "sets": sets, "calls": calls}
        return make_question("forward", fields, draw_arrays(params, draws))

    key = ("forward", params.module, params.shape, params.weights, layers)
    return draws.memo.get_or_compute(key, build_question)


def finite_outputs(observation: Observation, question: Question) -> Mapping[tuple[str, str], Array]:
    """Outputs that are finite numbers, by (input, set of weights)."""
    arrays = {}
    for index, (key, name) in enumerate(question.params["calls"]):
        array = observation.arrays.get(f"out{index}")
        if array is not None and array.ndim and not array_flaw(array, shape=array.shape):
            arrays[key, name] = array
    return arrays


def student_batch_size(params: ModuleParams, evidence: Evidence) -> int:
    """How many inputs the student gave the module at once."""
    for forward in evidence.recording.forwards:
        for batch in forward.inputs[:1]:
            if batch.shape[1:] == params.shape and batch.shape[0] in BATCH_SIZES:
                return int(batch.shape[0])
    return BATCH_SIZES[0]


def call_fields(observation: Observation, index: int) -> Mapping[str, Json]:
    """What the notebook says of one call of its module; nothing where that can't be read."""
    calls = observation.data.get("calls")
    call = calls[index] if isinstance(calls, list) and index < len(calls) else None
    return call if isinstance(call, dict) else {}


def explain_no_output(params: ModuleParams, observation: Observation) -> str:
    """Why there is no output, in the student's words."""
    name = params.module
    without_answer = {
        "missing": f"no class {name} and no other torch module was left when the run ended",
        "timed_out": f"{name} did not answer in time",
        "died": f"asking {name} ended the notebook's process",
        "invalid": f"asking {name} gave no answer that could be read",
        "not_asked": f"{name} was not called: the notebook could not be asked any more",
    }
    if observation.status in without_answer:
        return without_answer[observation.status]
    raised = str(call_fields(observation, 0).get("error") or observation.error)[:300]
    if raised:
        return f"calling {name} raised {raised}"
    return f"{name} returned something that is not finite numbers"


def counterpart_question(
    params: ModuleParams, draws: RandomDraws, *, batch: int, activation: str
) -> Question:
    """Asks the reference for its outputs at the same inputs and weights."""

    def build_question() -> Question:
        arrays = draw_arrays(params, draws)
        keys = [f"x{batch}", *(f"a{index}" for index in range(len(params.weights)))]
        fields: dict[str, Json] = {
            "name": params.counterpart,
            "args": keys,
            "options": {"activation": activation},
        }
        return make_question("function", fields, {key: arrays[key] for key in keys})

    key = ("counterpart", params.counterpart, params.shape, params.weights, batch, activation)
    return draws.memo.get_or_compute(key, build_question)


def counterpart_questions(params: ModuleParams, draws: RandomDraws) -> tuple[Question, ...]:
    """The same for every batch size and every accepted activation: no student changes them."""
    return tuple(
        counterpart_question(params, draws, batch=batch, activation=activation)
        for batch in BATCH_SIZES
        for activation in params.accepted
    )


def equal_up_to_scale(array: Array, expected: Array) -> bool:
    """Whether outputs are equal up to a positive factor a row (rtol 1e-4, atol 1e-5)."""
    if expected.ndim != 2 or any(  # noqa: PLR2004 (a pair)
        array_flaw(rows, shape=expected.shape) for rows in (array, expected)
    ):
        return False
    array_directions, expected_directions = row_directions(array), row_directions(expected)
    if array_directions is None or expected_directions is None:
        return False
    return all_close(array_directions, expected_directions, atol=1e-5, rtol=1e-4)


def row_directions(rows: Array) -> Numbers | None:
    """Rows at length 1; None where one has no length, or none that is a number."""
    with np.errstate(over="ignore"):
        sizes = np.linalg.norm(as_float64(rows), axis=1, keepdims=True)
    return as_float64(rows) / sizes if (sizes > 0).all() and np.isfinite(sizes).all() else None


def matching_activation(params: ModuleParams, evidence: Evidence, *, observed: Array) -> str | None:
    """The accepted activation whose outputs these are, or None.

    Raises:
        Ours: the reference did not answer.
    """
    batch = student_batch_size(params, evidence)
    for activation in params.accepted:
        question = counterpart_question(params, evidence.draws, batch=batch, activation=activation)
        answer = evidence.reference_observation(question)
        if "out0" not in answer.arrays:
            raise ReferenceFault(
                f"the reference's {params.counterpart} gave no output: {answer.error}"
            )
        if equal_up_to_scale(observed, answer.arrays["out0"]):
            return activation
    return None


class LayerApplied(Check[LayerParams]):
    """A layer is applied: the output changes when only that layer's weights change.

    Asked at weights and inputs drawn after the notebook ran, at the batch size the student used.
    Parameters are matched by shape, so names are free. With `agreement`, the outputs must also
    equal those of an accepted counterpart of the reference at equal weights, up to a positive
    factor a row (so the normalization is judged elsewhere); where another layer is not applied,
    that layer's own check says so instead.
    """

    code = "LAY001"
    params = LayerParams

    def title(self, params: LayerParams) -> str:
        """What it checks."""
        return f"{params.layer} applied"

    def _forward_question(self, params: LayerParams, draws: RandomDraws) -> Question:
        layers = tuple(sorted((params.own, *params.others)))
        return forward_question(params, draws, layers=layers)

    def questions(self, params: LayerParams, draws: RandomDraws) -> tuple[Question, ...]:
        """Asks the module, and what was recorded."""
        return (RECORDING_QUESTION, self._forward_question(params, draws))

    def constant_questions(self, params: LayerParams, draws: RandomDraws) -> tuple[Question, ...]:
        """Asks for every accepted output."""
        return counterpart_questions(params, draws)

    def names(self, params: LayerParams) -> tuple[str, ...]:
        """The class."""
        return (params.module,)

    def judge(self, params: LayerParams, evidence: Evidence) -> CheckOutcome:
        """Compares outputs at two sets of weights, then with the reference's."""
        question = self._forward_question(params, evidence.draws)
        observation = evidence.observation(question)
        call_outputs = finite_outputs(observation, question)
        batch_key = f"x{student_batch_size(params, evidence)}"
        expected = f"the output changes when only the weights of the {params.layer} change"
        base = call_outputs.get((batch_key, "base"))
        if base is None:
            return absent(
                expected=expected,
                observed=explain_no_output(params, observation),
                hint="Read the lines of forward one by one: what shape has x after each?",
                names=(params.module,),
            )
        if not self._changes_output(call_outputs, batch_key, params.own):
            misshapen = self._judge_shape(params, evidence, base=base)
            if misshapen is not None:
                return misshapen
            return failed(
                expected=expected,
                observed=self._explain_unchanged(params, observation),
                hint=f"Is the result of the {params.layer} what the next line works on?",
            )
        others_applied = all(
            self._changes_output(call_outputs, batch_key, own) for own in params.others
        )
        if not (params.agreement and others_applied):
            return passed(expected=expected, observed="it does")
        return self._judge_agreement(params, evidence, base=base, expected=expected)

    def _changes_output(
        self, call_outputs: Mapping[tuple[str, str], Array], batch_key: str, own: tuple[int, ...]
    ) -> bool:
        base, changed = (
            call_outputs.get((batch_key, "base")),
            call_outputs.get((batch_key, layer_set_name(own))),
        )
        if base is None or changed is None or base.shape != changed.shape:
            return False
        return bool(np.abs(as_float64(base) - as_float64(changed)).max() > ROUNDING)

    def _judge_shape(
        self, params: LayerParams, evidence: Evidence, *, base: Array
    ) -> CheckOutcome | None:
        """An opinion on outputs of another shape than the reference's, or None."""
        batch = student_batch_size(params, evidence)
        question = counterpart_question(
            params, evidence.draws, batch=batch, activation=params.accepted[0]
        )
        reference_output = evidence.reference_observation(question).arrays.get("out0")
        if reference_output is None or reference_output.shape == base.shape:
            return None
        return failed(
            expected=str(reference_output.shape),
            observed=f"`{params.module}` gave {base.shape}",
            hint=f"Is the result of the {params.layer} what comes out?",
            usual=True,
        )

    def _explain_unchanged(self, params: LayerParams, observation: Observation) -> str:
        shapes = call_fields(observation, 0).get("unmatched")
        own = [list(params.weights[index]) for index in params.own]
        if isinstance(shapes, list) and any(shape in own for shape in shapes):
            return f"the module has no parameters of shape {tuple(own[0])}"
        return "the output stays the same"

    def _judge_agreement(
        self, params: LayerParams, evidence: Evidence, *, base: Array, expected: str
    ) -> CheckOutcome:
        expected += "; at equal weights the output is that of the layers in their order"
        if matching_activation(params, evidence, observed=base) is not None:
            return passed(expected=expected, observed="it does, and it is")
        return failed(
            expected=expected,
            observed="every layer is applied, but at equal weights the output is another",
            hint="Is there a step between, before or after the layers that nobody asked for?",
        )
