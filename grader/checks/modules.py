"""MOD: what a module gives at inputs of ours, with its own weights and with ours."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import prod, sqrt
from typing import TYPE_CHECKING, Self, TypeVar

from grader.checks.check import Check, Draws, Evidence, Opinion, Ours, Params, nameless, question
from grader.checks.initial_arrays import in_words
from grader.checks.layers import told
from grader.checks.values import agrees, flaw
from grader.model import Json, Observation, Question

if TYPE_CHECKING:
    from grader.model import Array

NEAR, SHARE = 1e-5, 1e-4
"""How far a value may be off, and how far on top as a share of what is expected."""


class OutputParams(Params):
    """A module, and inputs of ours."""

    module: str
    """The handout's name of the class; another name is found by what was recorded."""
    shape: tuple[int, ...]
    """Shape of one input."""
    batches: tuple[int, ...]
    """Batch sizes to try; each is worth the same share."""


class ShapeParams(OutputParams):
    """Output shapes to expect."""

    output: tuple[int, ...]
    """Shape of one output."""


class WeightsParams(OutputParams):
    """The reference's function of inputs and weights."""

    weights: tuple[tuple[int, ...], ...]
    """Shapes of the parameters, in the order in which the counterpart takes them."""
    names: tuple[str, ...] = ()
    """What the handout calls them: 'query.weight'. One of another name is found by its shape."""
    counterpart: str
    """Function of the reference: (inputs, *weights) to outputs."""

    def masked(self) -> Self:
        """Without the reference's name."""
        return self.model_copy(update={"counterpart": nameless(self.counterpart)})


M = TypeVar("M", bound=OutputParams)


class _ModuleCheck(Check[M]):
    """What both do: one call a batch size, counted."""

    def names(self, params: M) -> tuple[str, ...]:
        """The class."""
        return (params.module,)

    def counted(
        self,
        params: M,
        observation: Observation,
        *,
        expected: str,
        wrong: Callable[[int, Array], str],
    ) -> Opinion:
        """An opinion: the share of batch sizes with which nothing is wrong."""
        flaws = []
        for place in range(len(params.batches)):
            found = observation.arrays.get(f"out{place}")
            raised = str(told(observation, place).get("error") or observation.error)
            nothing = f"calling {params.module} raised {raised[:200]}" if raised else "no output"
            flaws.append(nothing if found is None else wrong(place, found))
        right = flaws.count("")
        if right == len(flaws):
            return Opinion(share=Fraction(1), expected=expected, found="it is")
        if observation.status == "missing":
            flaws = [f"no class {params.module} and no other torch module was left"]
        return Opinion(
            share=Fraction(right, len(params.batches)),
            expected=expected,
            found="; ".join(dict.fromkeys(flaw for flaw in flaws if flaw)),
            unjudged=not observation.arrays,
            stops=not observation.arrays,
            names=(params.module,),
        )


class OutputShape(_ModuleCheck[ShapeParams]):
    """A module gives an output of the expected shape for each input, whatever the batch size."""

    code = "MOD001"
    params = ShapeParams

    def title(self, params: ShapeParams) -> str:
        """What it checks."""
        return f"output of {params.module} for N = {', '.join(map(str, params.batches))}"

    def _asked(self, params: ShapeParams, draws: Draws) -> Question:
        def made() -> Question:
            arrays = {f"x{n}": draws.normal(f"mod{n}", (n, *params.shape)) for n in params.batches}
            calls: list[Json] = [[key, None] for key in arrays]
            return question(
                "forward", {"module": params.module, "sets": {}, "calls": calls}, arrays
            )

        return draws.memo.once(("module", params.module, params.shape, params.batches), made)

    def questions(self, params: ShapeParams, draws: Draws) -> tuple[Question, ...]:
        """Asks the module at every batch size."""
        return (self._asked(params, draws),)

    def judge(self, params: ShapeParams, evidence: Evidence) -> Opinion:
        """Compares shapes."""
        output, sizes = params.output, params.batches

        def wrong(place: int, found: Array) -> str:
            bad = flaw(found, shape=(sizes[place], *output))
            return f"N = {sizes[place]}: {bad}" if bad else ""

        expected = f"one output of shape {in_words(output)} for each input"
        observation = evidence.observed(self._asked(params, evidence.draws))
        return self.counted(params, observation, expected=expected, wrong=wrong)


class SameWeights(_ModuleCheck[WeightsParams]):
    """At equal weights a module gives what the reference's function gives.

    Asked at weights and inputs drawn after the notebook ran (rtol 1e-4, atol 1e-5). Parameters
    are matched by the handout's names, where they have those, else by shape.
    """

    code = "MOD002"
    params = WeightsParams

    def title(self, params: WeightsParams) -> str:
        """What it checks."""
        return f"{params.module} at weights of ours"

    def questions(self, params: WeightsParams, draws: Draws) -> tuple[Question, ...]:
        """Asks the module."""
        return (_forward(params, draws),)

    def constant_questions(self, params: WeightsParams, draws: Draws) -> tuple[Question, ...]:
        """Asks the reference's function the same."""
        return _counterparts(params, draws)

    def judge(self, params: WeightsParams, evidence: Evidence) -> Opinion:
        """Compares outputs."""
        answers = [evidence.reference(one) for one in _counterparts(params, evidence.draws)]
        bad = next((answer for answer in answers if "out0" not in answer.arrays), None)
        if bad is not None:
            raise Ours(f"the reference gave no output: {bad.error or bad.status}")
        observation = evidence.observed(_forward(params, evidence.draws))

        def wrong(place: int, found: Array) -> str:
            lacking = told(observation, place).get("unmatched")
            if lacking:
                return f"{params.module} has no parameter of shape {in_words(tuple(lacking[0]))}"
            known = answers[place].arrays["out0"]
            if flawed := flaw(found, shape=known.shape):
                return f"the output is {flawed}"
            same = agrees(found, known, within=NEAR, share=SHARE)
            return "" if same else "at equal weights the output is another"

        expected = "at equal weights the output is that of the definition"
        return self.counted(params, observation, expected=expected, wrong=wrong)


def _drawn(params: WeightsParams, draws: Draws) -> dict[str, Array]:
    """Inputs, and weights of sizes that a fresh module would have."""
    arrays = {f"x{n}": draws.normal(f"x{n}", (n, *params.shape)) for n in params.batches}
    for place, shape in enumerate(params.weights):
        scale = 1 / sqrt(prod(shape[1:])) if len(shape) > 1 else 0.1
        arrays[f"w{place}"] = draws.normal(f"w{place}", shape, scale=scale)
    return arrays


def _forward(params: WeightsParams, draws: Draws) -> Question:
    def made() -> Question:
        arrays = _drawn(params, draws)
        told: dict[str, Json] = {
            "module": params.module,
            "sets": {"ours": [key for key in arrays if key.startswith("w")]},
            "calls": [[f"x{n}", "ours"] for n in params.batches],
            "names": list(params.names),
        }
        return question("forward", told, arrays)

    return draws.memo.once(("at weights", params), made)


def _counterparts(params: WeightsParams, draws: Draws) -> tuple[Question, ...]:
    def made(batch: int) -> Question:
        arrays = _drawn(params, draws)
        keys = [f"x{batch}", *(key for key in arrays if key.startswith("w"))]
        asked: dict[str, Json] = {"name": params.counterpart, "args": keys}
        return question("function", asked, {key: arrays[key] for key in keys})

    key = ("weights' counterparts", params)
    return draws.memo.once(key, lambda: tuple(made(batch) for batch in params.batches))
