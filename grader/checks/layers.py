"""LAY: what a module's forward does with its layers, at weights and inputs of ours."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod, sqrt
from typing import TYPE_CHECKING, Self

import numpy as np

from grader.checks.check import (
    RECORDING,
    Check,
    Draws,
    Evidence,
    Opinion,
    Ours,
    Params,
    absent,
    failed,
    nameless,
    passed,
    question,
)
from grader.checks.recording import numbers
from grader.checks.values import agrees, flaw
from grader.model import Observation, Question

if TYPE_CHECKING:
    from grader.model import Array, Json, Numbers

ROUNDING = 1e-5
"""Differences up to this are none."""
BATCHES = (3, 1, 2)
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
                "counterpart": nameless(self.counterpart),
                "accepted": tuple(nameless(word) for word in self.accepted),
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


def drawn(params: ModuleParams, draws: Draws) -> dict[str, Numbers]:
    """Inputs and two sets of weights, of sizes that a fresh module would have."""
    arrays = {f"x{n}": draws.normal(f"x{n}", (n, *params.shape)) for n in BATCHES}
    for place, shape in enumerate(params.weights):
        fan = prod(shape[1:]) if len(shape) > 1 else 1
        scale = 1 / sqrt(fan) if len(shape) > 1 else 0.1
        for version in ("a", "b"):
            arrays[f"{version}{place}"] = draws.normal(
                f"{version}{place}", tuple(shape), scale=scale
            )
    return arrays


def layer_sets(params: ModuleParams, layers: tuple[tuple[int, ...], ...]) -> dict[str, list[str]]:
    """Sets of weights by name: all of version a, and for each layer that layer alone of b."""
    places = range(len(params.weights))
    sets = {"base": [f"a{p}" for p in places]}
    for own in layers:
        sets[name_of(own)] = [f"{'b' if p in own else 'a'}{p}" for p in places]
    return sets


def name_of(own: tuple[int, ...]) -> str:
    """The name of the set in which only one layer changed."""
    return "only-" + "-".join(map(str, own))


def forward_question(
    params: ModuleParams, draws: Draws, *, layers: tuple[tuple[int, ...], ...]
) -> Question:
    """Asks for outputs at the base weights and with one layer changed at a time."""

    def made() -> Question:
        sets = layer_sets(params, layers)
        calls: list[Json] = [[f"x{n}", name] for n in BATCHES for name in sets]
        asked: dict[str, Json] = {"module": params.module, "sets": sets, "calls": calls}
        return question("forward", asked, drawn(params, draws))

    key = ("forward", params.module, params.shape, params.weights, layers)
    return draws.memo.once(key, made)


def outputs(observation: Observation, asked: Question) -> Mapping[tuple[str, str], Array]:
    """Outputs that are finite numbers, by (input, set of weights)."""
    found = {}
    for place, (key, name) in enumerate(asked.params["calls"]):
        array = observation.arrays.get(f"out{place}")
        if array is not None and array.ndim and not flaw(array, shape=array.shape):
            found[key, name] = array
    return found


def own_batch(params: ModuleParams, evidence: Evidence) -> int:
    """How many inputs the student gave the module at once."""
    for forward in evidence.recording.forwards:
        for batch in forward.inputs[:1]:
            if batch.shape[1:] == params.shape and batch.shape[0] in BATCHES:
                return int(batch.shape[0])
    return BATCHES[0]


def told(observation: Observation, place: int) -> Mapping[str, Json]:
    """What the notebook says of one call of its module; nothing where that can't be read."""
    calls = observation.data.get("calls")
    call = calls[place] if isinstance(calls, list) and place < len(calls) else None
    return call if isinstance(call, dict) else {}


def what_went_wrong(params: ModuleParams, observation: Observation) -> str:
    """Why there is no output, in the student's words."""
    name = params.module
    without_answer = {
        "missing": f"no class {name} and no other torch module was left when the run ended",
        "timed_out": f"{name} did not answer in time",
        "died": f"asking {name} ended the notebook's process",
        "invalid": f"asking {name} gave no answer that could be read",
    }
    if observation.status in without_answer:
        return without_answer[observation.status]
    raised = str(told(observation, 0).get("error") or observation.error)[:300]
    if raised:
        return f"calling {name} raised {raised}"
    return f"{name} returned something that is not finite numbers"


def counterpart_question(
    params: ModuleParams, draws: Draws, *, batch: int, activation: str
) -> Question:
    """Asks the reference for its outputs at the same inputs and weights."""

    def made() -> Question:
        arrays = drawn(params, draws)
        keys = [f"x{batch}", *(f"a{place}" for place in range(len(params.weights)))]
        asked: dict[str, Json] = {
            "name": params.counterpart,
            "args": keys,
            "options": {"activation": activation},
        }
        return question("function", asked, {key: arrays[key] for key in keys})

    key = ("counterpart", params.counterpart, params.shape, params.weights, batch, activation)
    return draws.memo.once(key, made)


def counterpart_questions(params: ModuleParams, draws: Draws) -> tuple[Question, ...]:
    """The same for every batch size and every accepted activation: no student changes them."""
    return tuple(
        counterpart_question(params, draws, batch=batch, activation=activation)
        for batch in BATCHES
        for activation in params.accepted
    )


def agree(found: Array, expected: Array) -> bool:
    """Whether outputs are equal up to a positive factor a row (rtol 1e-4, atol 1e-5)."""
    if expected.ndim != 2 or any(flaw(one, shape=expected.shape) for one in (found, expected)):  # noqa: PLR2004 (rows)
        return False
    theirs, ours = directions(found), directions(expected)
    if theirs is None or ours is None:
        return False
    return agrees(theirs, ours, within=1e-5, share=1e-4)


def directions(rows: Array) -> Numbers | None:
    """Rows at length 1; None where one has no length, or none that is a number."""
    with np.errstate(over="ignore"):
        sizes = np.linalg.norm(numbers(rows), axis=1, keepdims=True)
    return numbers(rows) / sizes if (sizes > 0).all() and np.isfinite(sizes).all() else None


def matching(params: ModuleParams, evidence: Evidence, *, observed: Array) -> str | None:
    """The accepted activation whose outputs these are, or None.

    Raises:
        Ours: the reference did not answer.
    """
    batch = own_batch(params, evidence)
    for activation in params.accepted:
        asked = counterpart_question(params, evidence.draws, batch=batch, activation=activation)
        answer = evidence.reference(asked)
        if "out0" not in answer.arrays:
            raise Ours(f"the reference's {params.counterpart} gave no output: {answer.error}")
        if agree(observed, answer.arrays["out0"]):
            return activation
    return None


class LayerApplied(Check[LayerParams]):
    """A layer is applied: the output changes when only that layer's weights change.

    Asked at weights and inputs drawn after the notebook ran, at the batch size the student used.
    Parameters are matched by shape, so names are free. With `agreement`, the outputs must also
    equal those of an accepted counterpart of the reference at equal weights, up to a positive
    factor a row (so the normalisation is judged elsewhere); where another layer is not applied,
    that layer's own check says so instead.
    """

    code = "LAY001"
    params = LayerParams

    def title(self, params: LayerParams) -> str:
        """What it checks."""
        return f"{params.layer} applied"

    def _asked(self, params: LayerParams, draws: Draws) -> Question:
        layers = tuple(sorted((params.own, *params.others)))
        return forward_question(params, draws, layers=layers)

    def questions(self, params: LayerParams, draws: Draws) -> tuple[Question, ...]:
        """Asks the module, and what was recorded."""
        return (RECORDING, self._asked(params, draws))

    def constant_questions(self, params: LayerParams, draws: Draws) -> tuple[Question, ...]:
        """Asks for every accepted output."""
        return counterpart_questions(params, draws)

    def names(self, params: LayerParams) -> tuple[str, ...]:
        """The class."""
        return (params.module,)

    def judge(self, params: LayerParams, evidence: Evidence) -> Opinion:
        """Compares outputs at two sets of weights, then with the reference's."""
        asked = self._asked(params, evidence.draws)
        observation = evidence.observed(asked)
        found = outputs(observation, asked)
        batch = f"x{own_batch(params, evidence)}"
        expected = f"the output changes when only the weights of the {params.layer} change"
        base = found.get((batch, "base"))
        if base is None:
            return absent(
                expected=expected,
                found=what_went_wrong(params, observation),
                hint="Read the lines of forward one by one: what shape has x after each?",
                names=(params.module,),
            )
        if not self._changes(found, batch, params.own):
            wrong = self._misshapen(params, evidence, base=base)
            if wrong is not None:
                return wrong
            return failed(
                expected=expected,
                found=self._unchanged(params, observation),
                hint=f"Is the result of the {params.layer} what the next line works on?",
            )
        others = all(self._changes(found, batch, own) for own in params.others)
        if not (params.agreement and others):
            return passed(expected=expected, found="it does")
        return self._agreement(params, evidence, base=base, expected=expected)

    def _changes(
        self, found: Mapping[tuple[str, str], Array], batch: str, own: tuple[int, ...]
    ) -> bool:
        base, changed = found.get((batch, "base")), found.get((batch, name_of(own)))
        if base is None or changed is None or base.shape != changed.shape:
            return False
        return bool(np.abs(numbers(base) - numbers(changed)).max() > ROUNDING)

    def _misshapen(self, params: LayerParams, evidence: Evidence, *, base: Array) -> Opinion | None:
        """An opinion on outputs of another shape than the reference's, or None."""
        batch = own_batch(params, evidence)
        asked = counterpart_question(
            params, evidence.draws, batch=batch, activation=params.accepted[0]
        )
        right = evidence.reference(asked).arrays.get("out0")
        if right is None or right.shape == base.shape:
            return None
        return failed(
            expected=str(right.shape),
            found=f"`{params.module}` gave {base.shape}",
            hint=f"Is the result of the {params.layer} what comes out?",
            usual=True,
        )

    def _unchanged(self, params: LayerParams, observation: Observation) -> str:
        shapes = told(observation, 0).get("unmatched")
        own = [list(params.weights[place]) for place in params.own]
        if isinstance(shapes, list) and any(shape in own for shape in shapes):
            return f"the module has no parameters of shape {tuple(own[0])}"
        return "the output stays the same"

    def _agreement(
        self, params: LayerParams, evidence: Evidence, *, base: Array, expected: str
    ) -> Opinion:
        expected += "; at equal weights the output is that of the layers in their order"
        if matching(params, evidence, observed=base) is not None:
            return passed(expected=expected, found="it does, and it is")
        return failed(
            expected=expected,
            found="every layer is applied, but at equal weights the output is another",
            hint="Is there a step between, before or after the layers that nobody asked for?",
        )
