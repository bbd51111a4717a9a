"""What is the same for a class is made once, and what is the same for a notebook is too."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from test_checks import RNG, Says, course, evidence, spec

from grader.checks import evaluation
from grader.checks.check import Evidence, SeededRandom, make_question, passed
from grader.checks.memo import Memo
from grader.checks.recording import Forward, Recording
from grader.checks.values import equal_arrays, equal_values, inspect_array
from grader.contrastive.labeled_inputs import encoded_arrays, labeled_vectors
from grader.contrastive.layers import BATCH_SIZES, ModuleAtWeightsCheck
from grader.contrastive.module_rows import module_rows
from grader.contrastive.vector_index import LabeledVector, VectorIndex
from grader.model import Array, Observation, Question

SHAPE = (2, 3)
LABELS = ("A", "B")
MODULE = ModuleAtWeightsCheck(
    module="Encoder",
    shape=SHAPE,
    weights=((4, 6), (4,)),
    counterpart="reference_forward",
    accepted=("none", "relu"),
)


def forward(n: int, batch: Array, output: Array | None = None) -> Forward:
    made = np.arange(1.0, 9.0).reshape(2, 4) if output is None else output
    return Forward(
        event_index=n,
        cell=0,
        module=0,
        state=0,
        grad=True,
        steps=0,
        inputs=(batch,),
        outputs=(made,),
    )


def seen(*forwards: Forward) -> Evidence:
    return replace(evidence(), recording=Recording(forwards=forwards))


class Curious(Says):
    """Asks the reference once a course, and once a student."""

    code = "CUR001"
    outcome = passed(expected="e", observed="f")

    def constant_questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        return (make_question("function", {"name": "constant"}),)

    def counter_questions(self, evidence: Evidence) -> tuple[Question, ...]:
        own = make_question("function", {"name": "own"})
        return (*self.constant_questions(evidence.rng), own)


def test_what_is_worked_out_is_worked_out_once() -> None:
    memo, numbers = Memo(), count()

    found = [memo.get_or_compute(("sum", 1), lambda: next(numbers)) for _ in range(3)]

    assert (found, next(numbers)) == ([0, 0, 0], 1)
    assert memo.get_or_compute(("sum", 2), lambda: None) is None


def test_findings_and_the_references_answers_keep_what_was_worked_out() -> None:
    first = evidence()

    later = replace(first.with_expected({"q": Observation(id="q", status="ok")}), findings=())

    assert later.memo is first.memo
    assert evidence().memo is not first.memo


def test_a_copy_in_another_process_starts_without_what_was_drawn() -> None:
    rng = SeededRandom(seed=b"2" * 32)
    drawn = rng.normal("x", (100, 100))

    sent = deepcopy(rng).normal("x", (100, 100))  # copied as it is pickled

    assert sent is not drawn
    assert np.array_equal(sent, drawn)


def test_draws_are_made_once_and_nobody_may_write_to_them() -> None:
    rng = SeededRandom(seed=b"2" * 32)

    drawn = rng.normal("x", (3,))

    assert rng.normal("x", (3,)) is drawn
    assert rng.normal("x", (3,), scale=2.0) is not drawn
    with pytest.raises(ValueError, match="read-only"):
        drawn[0] = 0


def test_equal_questions_have_equal_ids_and_others_have_not() -> None:
    one = make_question("forward", {"a": 1}, {"x": np.arange(6.0).reshape(2, 3)})
    strided = np.arange(12.0).reshape(2, 6)[:, ::2]

    assert make_question("forward", {"a": 1}, {"x": np.arange(6.0).reshape(2, 3)}).id == one.id
    assert make_question("forward", {"a": 1}, {"x": np.arange(6.0).reshape(3, 2)}).id != one.id
    assert make_question("forward", {"a": 1}, {"x": strided}).id == (
        make_question("forward", {"a": 1}, {"x": strided.copy()}).id
    )


def test_constant_questions_cover_every_batch_and_activation_a_student_may_use() -> None:
    asked = MODULE.reference_questions(RNG)

    assert len({one.id for one in asked}) == len(BATCH_SIZES) * len(MODULE.accepted)
    assert MODULE.forward_question(RNG, ((0, 1),)) is (
        MODULE.model_copy().forward_question(RNG, ((0, 1),))
    )


def test_the_reference_is_asked_only_what_it_has_not_answered() -> None:
    bound = evaluation.bind_rubric(course(a=(spec("C"),)), registry={"C": Curious}, rng=RNG)
    (constant,) = bound.constant_questions
    answers = {constant.id: Observation(id=constant.id, status="ok")}

    (asked,) = bound.counter_questions(evidence().with_expected(answers))

    assert asked.params == {"name": "own"}
    known = evidence().with_expected(answers)
    known = known.with_expected({asked.id: Observation(id=asked.id, status="ok")})
    assert set(known.expected) == {constant.id, asked.id}
    assert bound.counter_questions(known) == ()


def test_binding_twice_asks_the_same() -> None:
    rubric = course(a=(spec("C"), spec("C")))

    one, other = (
        evaluation.bind_rubric(rubric, registry={"C": Curious}, rng=RNG) for _ in range(2)
    )

    assert [q.id for q in one.constant_questions] == [q.id for q in other.constant_questions]
    assert len(one.constant_questions) == 1


def test_equal_inputs_share_their_values_and_are_told_apart_once() -> None:
    batch = np.arange(12.0).reshape(2, *SHAPE)
    found = module_rows(seen(forward(0, batch), forward(1, batch), forward(2, batch.copy())), SHAPE)

    assert [row.vector is not None for row in found] == [True] * 6
    assert len({id(row.values) for row in found}) == 2


def test_inputs_that_begin_alike_are_still_told_apart() -> None:
    wide = (4, 8)
    batch = np.zeros((3, *wide))
    batch[1, -1, -1] = 1.0

    found = module_rows(seen(forward(0, batch)), wide)

    assert found[0].values is found[2].values
    assert not equal_values(found[0].values, found[1].values)


def test_inputs_that_are_not_finite_are_like_nothing() -> None:
    batch = np.full((2, *SHAPE), np.nan)
    known = encoded_arrays(seen(forward(0, batch)), labels=LABELS, shape=SHAPE)

    assert set(known) == set(LABELS)
    assert labeled_vectors(seen(forward(0, batch)), labels=LABELS, shape=SHAPE) == ()


@pytest.mark.parametrize("far", [0.0, 0.9e-5, 1.1e-5, 1.0])
def test_the_short_way_to_tell_arrays_apart_says_what_the_long_one_does(far: float) -> None:
    one = np.ones(5)
    for place in range(5):
        other = one.copy()
        other[place] += far

        assert equal_arrays(one, other) is bool(
            np.abs(one - other).max() <= 1e-5 * np.abs(other).max()
        )
        assert equal_values(inspect_array(one), inspect_array(other)) is equal_arrays(one, other)


def test_a_gallery_finds_the_nearest_of_the_rows_that_came_before() -> None:
    vectors = np.eye(3)
    rows = [
        LabeledVector(label=label, vector=vector, forward=forward(n, np.zeros(SHAPE)))
        for n, (label, vector) in enumerate(zip("ABA", vectors[[0, 1, 0]], strict=True))
    ]
    rows.append(LabeledVector(label="long", vector=np.ones(5), forward=forward(9, np.zeros(SHAPE))))
    gallery = VectorIndex(rows)

    assert gallery.nearest(3 * vectors[0]) is rows[0]
    assert gallery.nearest(3 * vectors[1], before=1) is None
    assert gallery.nearest(vectors[1], before=2) is rows[1]
    assert gallery.nearest(vectors[0], used=frozenset("A")) is rows[0]
    assert gallery.nearest(np.ones(5)) is rows[3]
    assert gallery.nearest(-vectors[0]) is None
    assert gallery.nearest(np.full(3, np.nan)) is None
