"""Answers that no honest notebook gives, and some that honest ones do: each costs only itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_checks import GOOD, RNG, Says, course, evidence, spec

from grader.checks import evaluation
from grader.checks.check import ARRAYS_QUESTION, Check, Evidence, make_question
from grader.checks.recording import Module, Recording, Snapshot, read_recording
from grader.contrastive.labeled_inputs import labeled_vectors
from grader.contrastive.layers import LayerApplied, finite_outputs
from grader.contrastive.loss_pairs import PairContrasted
from grader.contrastive.shapes import EmbeddingShape
from grader.contrastive.studied_module import find_studied_module
from grader.contrastive.training import LossFalls
from grader.contrastive.training_start import start_weights
from grader.errors import ReferenceFault
from grader.model import Array, Observation, Question, Verdict

LABELS, SHAPE = ("C1", "C2", "B1"), (4,)
LAYER = LayerApplied(
    module="Net",
    shape=SHAPE,
    weights=((2, 4), (2,)),
    counterpart="same",
    accepted=("none",),
    layer="layer",
    own=(0, 1),
)
TRAINING = LossFalls(
    labels=LABELS,
    shape=SHAPE,
    before="emb_before",
    after="emb_after",
    module="Net",
    weights=((2, 4), (2,)),
    counterpart="same",
    accepted=("none",),
    train="reference_train",
    layers=((0, 1),),
    positive=("C1", "C2"),
    temperature=0.5,
)


def recorded(output: Array, **changed: Any) -> Recording:
    """A recording of one forward of a batch."""
    event = {
        "kind": "forward",
        "n": 0,
        "cell": 0,
        "module": 0,
        "state": 0,
        "grad": True,
        "steps": 0,
        "pulled": -1,
        "again": False,
        "superseded": False,
        "args": {"in": ["x"], "out": ["y"]},
    }
    return read_recording(
        Observation(
            id="r",
            status="ok",
            data={"events": [event | changed], "modules": [], "count": 1},
            arrays={"x": np.arange(12.0).reshape(3, 4), "y": output},
        ),
        cells=(0,),
    )


def seen(recording: Recording, **arrays: Array) -> Evidence:
    """Evidence of a recording and a namespace."""
    known = evidence()
    return Evidence(
        notebook=known.notebook,
        record=known.record,
        observations={
            ARRAYS_QUESTION.id: Observation(id=ARRAYS_QUESTION.id, status="ok", arrays=arrays)
        },
        recording=recording,
        rng=RNG,
    )


@pytest.mark.parametrize("name", ["module", "steps"])
def test_a_negative_count_makes_a_recording_malformed(name: str) -> None:
    assert recorded(np.ones((3, 2))).forwards
    assert recorded(np.ones((3, 2)), **{name: -1}) == Recording()


@pytest.mark.parametrize("output", [np.array(1.0), np.zeros((0, 2)), np.zeros(())])
def test_an_output_without_rows_breaks_nothing(output: Array) -> None:
    rows = labeled_vectors(seen(recorded(output)), labels=LABELS, shape=SHAPE)

    assert all(row.vector.ndim == 1 for row in rows)


def test_an_empty_output_is_none() -> None:
    asked = LAYER.forward_question(RNG, ((0, 1),))
    empty = Observation(id=asked.id, status="ok", arrays={"out0": np.zeros((0, 2))})

    assert finite_outputs(empty, asked) == {}
    assert "not finite numbers" in LAYER.explain_no_output(empty)


def test_inputs_that_are_not_finite_are_judged_and_not_an_error_of_ours() -> None:
    check = PairContrasted(
        labels=LABELS,
        shape=SHAPE,
        before="before",
        after="after",
        loss="loss",
        role="positive",
        pair=("C1", "C2"),
    )
    images = dict.fromkeys(LABELS, np.full(4, np.nan))

    opinion = check.judge(seen(Recording(), **images))

    assert opinion.share == 0


@pytest.mark.parametrize("calls", [[], [7], [None, 1], {"0": 1}, "calls"])
def test_calls_of_another_form_are_no_output(calls: Any) -> None:
    check = EmbeddingShape(module="Net", shape=SHAPE, features=2, batches=(1, 2))
    (asked,) = check.questions(RNG)
    told = Observation(id=asked.id, status="ok", data={"calls": calls})
    known = Evidence(
        notebook=evidence().notebook,
        record=evidence().record,
        observations={asked.id: told},
        recording=Recording(),
        rng=RNG,
    )

    assert check.judge(known).share == 0


class Stumbles(Says):
    """A check that fails before it is asked for its opinion."""

    outcome = ValueError("again")

    def counter_questions(self, evidence: Evidence) -> tuple[Question, ...]:
        raise TypeError("len() of unsized object")


def test_a_check_that_fails_at_its_counter_questions_costs_no_other_its_own() -> None:
    rubric = course(a=(spec("BAD"),), b=(spec("GOOD"),))
    registry: dict[str, type[Check]] = {"BAD": Stumbles, "GOOD": GOOD}
    bound = evaluation.bind_rubric(rubric, registry=registry, rng=RNG)

    assert bound.counter_questions(evidence()) == ()
    verdicts = [finding.verdict for finding in bound.judge(evidence()).findings]
    assert verdicts == [Verdict.ERROR, Verdict.PASSED]


@pytest.mark.parametrize("status", ["died", "timed_out", "invalid", "not_asked"])
def test_a_reference_that_is_gone_is_our_error_and_no_students(status: str) -> None:
    asked = make_question("function", {"name": "reference_train"})
    gone = evidence().with_expected({asked.id: Observation(id=asked.id, status=status)})
    with pytest.raises(ReferenceFault):
        TRAINING.reference_vectors(asked, gone)


def test_a_reference_that_cannot_train_from_there_has_no_embeddings() -> None:
    asked = make_question("function", {"name": "reference_train"})
    raised = evidence().with_expected({asked.id: Observation(id=asked.id, status="raised")})
    assert TRAINING.reference_vectors(asked, raised) is None
    assert TRAINING.reference_vectors(None, evidence()) is None


def test_the_first_module_counts_where_the_variable_holds_what_it_made() -> None:
    def event(number: int) -> dict[str, Any]:
        args = {"in": ["x"], "out": [f"y{number}"]}
        seen = {"n": number, "cell": 0, "module": number, "state": number, "grad": False}
        kept = {"steps": 0, "pulled": -1, "again": False, "superseded": False, "args": args}
        return {"kind": "forward", **seen, **kept}

    rng = np.random.default_rng(0)
    outputs = {f"y{number}": rng.normal(size=(3, 2)) for number in range(2)}
    data = {"events": [event(0), event(1)], "modules": [], "count": 2}
    arrays = {"x": np.arange(12.0).reshape(3, 4), **outputs}
    recording = read_recording(
        Observation(id="r", status="ok", data=data, arrays=arrays), cells=(0,)
    )

    for number in range(2):
        known = seen(recording, after=outputs[f"y{number}"])
        for holders in (("after",), ()):
            studied = find_studied_module(known, SHAPE, len(LABELS), holders)
            assert studied is not None
            assert studied.index == number


def test_weights_of_the_start_are_those_of_any_module_that_began_alike() -> None:
    kept = Snapshot(state=5, weights=(np.ones((2, 4)), np.zeros(2)))
    began = Module(name="Net", snapshots={"first": kept})
    again = Module(name="Net", snapshots={"first": Snapshot(state=5, weights=None)})
    other = Module(name="Net", snapshots={"first": Snapshot(state=6, weights=None)})
    shapes = ((2, 4), (2,))
    run = recorded(np.ones((3, 2)), module=1)

    found = start_weights(
        seen(replace(run, modules=(began, again))), TRAINING.embedding_names, shapes
    )
    assert found is not None
    assert [array.shape for array in found] == [*shapes]
    with pytest.raises(ReferenceFault):
        start_weights(seen(replace(run, modules=(began, other))), TRAINING.embedding_names, shapes)
