"""Numbers from a notebook are compared with what was expected, and with nothing else."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import rubric
from grader.checks import BoundRubric, Evidence, SeededRandom, bind_rubric, load_checks
from grader.checks.check import ARRAYS_QUESTION, RECORDING_QUESTION
from grader.checks.recording import Forward, Recording, read_recording
from grader.checks.values import (
    all_close,
    array_flaw,
    equal_arrays,
    equal_values,
    equals_reference,
    inspect_array,
)
from grader.contrastive.labeled_inputs import labeled_vectors
from grader.contrastive.layers import equal_up_to_scale, finite_outputs
from grader.model import (
    Array,
    Cell,
    CellRun,
    CellStatus,
    ExecutionRecord,
    Notebook,
    Observation,
    Question,
    Verdict,
)

ROOT = Path(__file__).parent.parent
EXPECTED = np.array([[1.0, 0.0, 2.0, 0.5], [0.6, 0.8, 1.0, 1.5]])
TRAPS: dict[str, Array] = {
    "empty": np.zeros((0, 2, 4)),
    "empty of that shape but one": np.zeros((2, 0)),
    "one number": np.array(1.0),
    "one row": EXPECTED[:1],
    "one row for all": np.ones((1, 4)),
    "a batch of itself": EXPECTED[None],
    "flat": EXPECTED.ravel(),
    "turned": EXPECTED.T,
    "NaN": np.where(EXPECTED == 2, np.nan, EXPECTED),
    "infinite": np.where(EXPECTED == 2, np.inf, EXPECTED),
    "all NaN": np.full((2, 4), np.nan),
    "yes": np.ones((2, 4), dtype=bool),
    "whole numbers": EXPECTED.astype(np.int64),
    "complex": EXPECTED.astype(np.complex128),
    "objects": EXPECTED.astype(object),
    "texts": EXPECTED.astype(str),
    "a hundred times": EXPECTED * 100,
    "the other sign": -EXPECTED,
    "off by a little": EXPECTED + 1e-4,
    "huge": np.full((2, 4), 1e308),
    "hugely negative": np.full((2, 4), -1e308),
    "zeros": np.zeros((2, 4)),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_what_only_looks_like_the_expected_numbers_does_not_agree(trap: str) -> None:
    assert not all_close(TRAPS[trap], EXPECTED, atol=1e-5, rtol=1e-5)
    if trap != "a hundred times":  # a factor is the business of those who check lengths
        assert not equal_up_to_scale(TRAPS[trap], EXPECTED)


@pytest.mark.parametrize("trap", ["empty", "NaN", "infinite", "yes", "whole numbers", "objects"])
def test_nothing_agrees_with_what_nobody_may_expect(trap: str) -> None:
    assert not all_close(TRAPS[trap], TRAPS[trap], atol=1)


def test_the_expected_numbers_agree_up_to_the_tolerance() -> None:
    assert all_close(EXPECTED, EXPECTED, atol=0)
    assert all_close(EXPECTED.astype(np.float32), EXPECTED, atol=1e-6)
    assert all_close(EXPECTED + 1e-6, EXPECTED, atol=1e-5)
    assert all_close(EXPECTED * (1 + 1e-6), EXPECTED, atol=0, rtol=1e-5)


def test_the_share_is_one_of_the_expected_value() -> None:
    small, large = np.array([1.0]), np.array([10.0])

    assert all_close(small, large, atol=0, rtol=0.9)
    assert not all_close(large, small, atol=0, rtol=0.9)


def test_arrays_of_another_shape_are_not_the_same() -> None:
    assert equal_arrays(EXPECTED, EXPECTED.copy())
    assert not equal_arrays(EXPECTED, EXPECTED.ravel())


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ([1.0, 2.0], [1.0, 2.0], True),
        ([1.0, 2.0], [1.0, 2.1], False),
        ([1.1, 2.0], [1.0, 2.0], False),
        ([1.000015, 2.0], [1.0, 2.0], True),
        ([1.0, 2.000015], [1.0, 2.0], True),
        ([1.00003, 2.0], [1.0, 2.0], False),
        ([1.0, 2.00003], [1.0, 2.0], False),
        ([0.0010001], [0.001], False),
        ([0.0], [0.0], True),
        ([0.0], [1e-17], True),
        ([0.0], [1e-16], False),
        ([1.0], [np.nan], False),
        ([np.nan], [np.nan], False),
        ([], [], False),
        ([1.0], [1.0, 1.0], False),
    ],
)
def test_arrays_are_the_same_up_to_a_share_of_the_largest_number(
    left: list[float], right: list[float], *, same: bool
) -> None:
    one, two = inspect_array(np.array(left)), inspect_array(np.array(right))

    assert equal_values(one, two) is same
    assert equal_values(two, two) is two.finite


def test_an_array_is_inspected_once_for_all_comparisons() -> None:
    array = np.array([[1, -3], [2, 0]], dtype=np.int8)
    found = inspect_array(array)

    assert found.array is array
    assert found.flat.dtype == np.float64
    assert found.flat.tolist() == [1, -3, 2, 0]
    assert (found.finite, found.peak) == (True, 3)


@pytest.mark.parametrize(
    ("trap", "flaw"),
    [
        ("flat", "came with shape (8,)"),
        ("whole numbers", "came as int64 instead of floating point numbers"),
        ("NaN", "came with values that are not finite"),
        ("zeros", ""),
    ],
)
def test_what_is_wrong_with_an_array_is_said(trap: str, flaw: str) -> None:
    assert array_flaw(TRAPS[trap], shape=(2, 4)) == flaw
    assert array_flaw(TRAPS["empty"], shape=(0, 2, 4)) == "came empty"


def test_an_output_may_differ_by_a_share_of_the_references() -> None:
    assert equals_reference(np.array([100.009]), np.array([100.0]))
    assert not equals_reference(np.array([100.011]), np.array([100.0]))


@pytest.mark.parametrize("trap", ["empty", "NaN", "infinite", "yes", "whole numbers"])
def test_outputs_that_are_no_finite_numbers_are_none(trap: str) -> None:
    asked = Question(id="q", kind="forward", params={"calls": [["x", "base"]]})
    observation = Observation(id="q", status="ok", arrays={"out0": TRAPS[trap]})

    assert finite_outputs(observation, asked) == {}


@pytest.mark.parametrize("output", [np.ones((3, 4), dtype=bool), np.eye(3, dtype=np.int64)])
def test_rows_that_are_no_floating_point_numbers_are_none(output: Array) -> None:
    images = np.arange(18.0).reshape(3, 2, 3)
    forward = Forward(
        event_index=0,
        cell=0,
        module=0,
        state=0,
        grad=True,
        steps=0,
        inputs=(images,),
        outputs=(output,),
    )
    answers = {
        ARRAYS_QUESTION.id: Observation(
            id=ARRAYS_QUESTION.id, status="ok", arrays=dict(zip("ABC", images, strict=True))
        )
    }
    seen = seen_by(answers, recording=Recording(forwards=(forward,)))

    assert labeled_vectors(seen, labels=("A", "B", "C"), shape=(2, 3)) == ()


# ---------------------------------------------------------------- a whole notebook that lies

RNG = SeededRandom(seed=b"0" * 32)
LABELS = ("C1", "C2", "B1")
NAMED = (*LABELS, "initial_embeddings", "trained_embeddings", "neg_pair1/0", "positive_pair")
SHAPES = ((3, 32, 32), (1, 3, 32, 32), (3, 3, 32, 32), (3, 128), (128,), (2, 128), (1, 128), (0,))
KINDS: tuple[Any, ...] = (np.float32, np.float64, np.float16, np.int64, np.uint8, bool)
FILLS = ("normal", "zeros", "ones", "nan", "inf", "huge", "tiny", "unit")
JUNK: tuple[Any, ...] = ({}, [], None, 7, "x", [[]], [None], {"a": {"b": 1}}, [7] * 40, [{}] * 40)


@cache
def bound() -> BoundRubric:
    loaded = rubric.load_rubric(rubric.find_rubric(ROOT, assignment="hw5"), catalog=load_checks)
    return bind_rubric(loaded, registry=load_checks(loaded.check_modules), rng=RNG)


def seen_by(answers: dict[str, Observation], *, recording: Recording) -> Evidence:
    cells = tuple(Cell(index=n, kind="code", source=f"x{n} = 1") for n in range(3))
    runs = tuple(CellRun(index=n, status=CellStatus.RAN) for n in range(2))
    return Evidence(
        notebook=Notebook(cells=cells, sha256="0"),
        record=ExecutionRecord(cells=runs),
        observations=answers,
        recording=recording,
        rng=RNG,
    )


def array(shape: tuple[int, ...], kind: Any, fill: str) -> Array:
    drawn = np.random.default_rng(len(shape)).standard_normal(shape)
    made = {
        "normal": drawn,
        "zeros": np.zeros(shape),
        "ones": np.ones(shape),
        "nan": np.full(shape, np.nan),
        "inf": np.full(shape, np.inf),
        "huge": drawn * (1e300 if kind == np.float64 else 1e38),
        "tiny": drawn * 1e-300,
        "unit": drawn / (np.linalg.norm(drawn) or 1),
    }[fill]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return made.astype(kind)


ANY = st.builds(array, st.sampled_from(SHAPES), st.sampled_from(KINDS), st.sampled_from(FILLS))
KEYS = st.lists(st.sampled_from(["a0", "a1", "a2", "a3", "a9", None]), max_size=3)
LIKELY: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(LABELS, (3, 32, 32)),
    **dict.fromkeys(NAMED[3:], (3, 128)),
    "a0": (3, 3, 32, 32),
    "a1": (3, 128),
    "a2": (128,),
    "a3": (16, 3, 3, 3),
}
"""Shapes that get past the first questions of a check."""


def likely(key: str) -> st.SearchStrategy[Array]:
    shape = LIKELY.get(key, (3, 128))
    return st.builds(array, st.just(shape), st.just(np.float32), st.sampled_from(FILLS))


@st.composite
def forwards(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "kind": "forward",
        "n": draw(st.integers(-1, 9)),
        "cell": draw(st.integers(-1, 3)),
        "module": draw(st.integers(-1, 3)),
        "state": draw(st.integers(-2, 3)),
        "grad": draw(st.booleans()),
        "steps": draw(st.sampled_from([0, 1, -5, 10**12])),
        "args": {
            "in": draw(st.just(["a0"]) | KEYS),
            "out": draw(st.just(["a1"]) | KEYS),
            "pull0": draw(st.just(["a1"]) | KEYS),
        },
    }


@st.composite
def recordings(draw: st.DrawFn) -> dict[str, Any]:
    call = {"kind": "call", "name": "contrastive_loss", "n": 3, "cell": 1}
    args = {name: draw(KEYS) for name in ("anchor", "positive", "negatives")}
    step = {"kind": "step", "n": draw(st.integers(0, 5)), "cell": 1, "modules": [0]}
    weights = [["w", key] for key in draw(KEYS)]
    start = {why: {"state": 0, "weights": weights} for why in draw(st.sampled_from(["", "call"]))}
    return {
        "events": [*draw(st.lists(forwards(), max_size=4)), {**call, "args": args}, step],
        "modules": [{"class": "X", "snapshots": start}] * draw(st.integers(0, 2)),
        "count": draw(st.sampled_from([0, 9, 10**12])),
    }


@st.composite
def lies(draw: st.DrawFn) -> dict[str, Observation]:
    answers = {}
    for asked in bound().questions:
        data = {key: draw(st.sampled_from(JUNK)) for key in ("calls", "arrays", "class")}
        keys: tuple[str, ...] = tuple(f"out{n}" for n in range(12))
        if asked.id == ARRAYS_QUESTION.id:
            keys = NAMED
        if asked.id == RECORDING_QUESTION.id:
            data, keys = draw(recordings()), ("a0", "a1", "a2", "a3")
        arrays = {key: draw(likely(key) | ANY) for key in keys if draw(st.booleans())}
        answers[asked.id] = Observation(id=asked.id, status="ok", data=data, arrays=arrays)
    return answers


def reference(asked: Question) -> Observation:
    rows = np.random.default_rng(1).standard_normal((3, 128))
    batch = asked.params["args"][0] if asked.params["args"] else "x3"
    count = int(batch[1:]) if batch[1:].isdigit() else 3
    return Observation(id=asked.id, status="ok", arrays={"out0": rows[:count]})


@given(lies())
@settings(max_examples=60, deadline=None)
def test_whatever_a_notebook_answers_the_checks_hold_an_opinion(
    answers: dict[str, Observation],
) -> None:
    recording = read_recording(answers[RECORDING_QUESTION.id], cells=[0, 1])
    seen = seen_by(answers, recording=recording)
    seen = seen.with_expected({q.id: reference(q) for q in bound().constant_questions})
    asked = bound().counter_questions(seen)
    judgment = bound().judge(seen.with_expected({q.id: reference(q) for q in asked}))
    findings = judgment.findings

    assert [(f.code, f.found) for f in findings if f.verdict is Verdict.ERROR] == []
    layers = [f for f in findings if f.code == "LAY001"]
    assert [f.found for f in layers if f.verdict is Verdict.PASSED and "and it is" in f.found] == []
