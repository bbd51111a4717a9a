from collections.abc import Mapping
from fractions import Fraction
from itertools import permutations
from typing import Any, ClassVar

import numpy as np
import pytest
from test_scoring import rubric as rubric_of

from grader import checks
from grader.checks import evaluation
from grader.checks.check import (
    Check,
    CheckOutcome,
    Evidence,
    SeededRandom,
    absent,
    failed,
    passed,
)
from grader.checks.recording import Recording, read_recording
from grader.checks.values import equal_arrays, inspect_array
from grader.contrastive.labeled_inputs import correlation, order_by_correlation
from grader.contrastive.layers import equal_up_to_scale
from grader.contrastive.training import info_nce
from grader.contrastive.vector_index import VectorIndex
from grader.errors import ReferenceFault
from grader.model import (
    Cell,
    CellError,
    CellRun,
    CellStatus,
    CheckSpec,
    ExecutionRecord,
    Item,
    Notebook,
    Observation,
    Rubric,
    Verdict,
)

RNG = SeededRandom(seed=b"0" * 32)
UNIT = np.array([[1.0, 0.0], [0.6, 0.8]])


class Says(Check):
    """A check whose outcome is settled."""

    code = "XXX001"
    title = "says so"
    outcome: ClassVar[CheckOutcome | Exception]

    def judge(self, evidence: Evidence) -> CheckOutcome:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def says(outcome: CheckOutcome | Exception) -> type[Says]:
    return type("Settled", (Says,), {"outcome": outcome, "__module__": __name__})


def spec(code: str, *needs: str) -> CheckSpec:
    return CheckSpec(code=code, points=Fraction(1), public=True, needs=needs, params={})


def course(**items: tuple[CheckSpec, ...]) -> Rubric:
    return rubric_of(
        *(
            Item(
                id=name,
                title=name,
                points=Fraction(len(specs)),
                kind="auto",
                source="handout",
                checks=specs,
            )
            for name, specs in items.items()
        )
    )


def evidence(source: str = "x = 1", *, error: CellError | None = None) -> Evidence:
    status = CellStatus.RAISED if error else CellStatus.RAN
    return Evidence(
        notebook=Notebook(cells=(Cell(index=0, kind="code", source=source),), sha256="0"),
        record=ExecutionRecord(cells=(CellRun(index=0, status=status, error=error),)),
        observations={},
        recording=Recording(),
        rng=RNG,
    )


def judged(
    rubric: Rubric, registry: Mapping[str, type[Check]], seen: Evidence | None = None
) -> dict[str, Any]:
    bound = evaluation.bind_rubric(rubric, registry=registry, rng=RNG)
    return {f.item: f for f in bound.judge(seen or evidence()).findings}


GOOD = says(passed(expected="e", observed="f"))
BAD = says(failed(expected="e", observed="f"))
GONE = says(absent(expected="e", observed="f", names=("x",)))


def test_what_cannot_be_judged_is_blocked_by_the_item_that_failed() -> None:
    rubric = course(a=(spec("GONE"),), b=(spec("GONE", "a"),))

    found = judged(rubric, {"GONE": GONE})

    assert found["a"].verdict is Verdict.FAILED
    assert found["b"].verdict is Verdict.BLOCKED
    assert found["b"].blocked_by.startswith("a (says so, cell 0")


def test_a_chain_is_blocked_by_its_root() -> None:
    rubric = course(a=(spec("GONE"),), b=(spec("GONE", "a"),), c=(spec("GONE", "b"),))

    assert judged(rubric, {"GONE": GONE})["c"].blocked_by.startswith("a (")


def test_a_failure_that_stops_nothing_blocks_nothing() -> None:
    rubric = course(a=(spec("BAD"),), b=(spec("GONE", "a"),))

    assert judged(rubric, {"BAD": BAD, "GONE": GONE})["b"].verdict is Verdict.FAILED


def test_what_can_be_judged_is_judged_whatever_it_needs() -> None:
    rubric = course(a=(spec("GONE"),), b=(spec("GOOD", "a"),))

    assert judged(rubric, {"GOOD": GOOD, "GONE": GONE})["b"].verdict is Verdict.PASSED


def test_a_code_among_needs_is_that_check_of_the_same_item_alone() -> None:
    rubric = course(a=(spec("LATE", "GONE"), spec("GONE")), b=(spec("LATE", "GONE"),))
    bound = evaluation.bind_rubric(rubric, registry={"GONE": GONE, "LATE": GONE}, rng=RNG)

    late, gone, elsewhere = bound.judge(evidence()).findings

    assert gone.verdict is Verdict.FAILED
    assert (late.verdict, late.blocked_by) == (Verdict.BLOCKED, "a (says so, cell 0)")
    assert elsewhere.verdict is Verdict.FAILED
    assert bound.judging_order == (1, 0, 2)


def test_needs_are_judged_first_and_findings_keep_the_rubrics_order() -> None:
    rubric = course(a=(spec("GONE", "b"),), b=(spec("GONE"),))

    bound = evaluation.bind_rubric(rubric, registry={"GONE": GONE}, rng=RNG)
    findings = bound.judge(evidence()).findings

    assert [(f.item, f.verdict) for f in findings] == [
        ("a", Verdict.BLOCKED),
        ("b", Verdict.FAILED),
    ]


def test_an_unrelated_error_in_the_cell_blocks_and_is_named() -> None:
    error = CellError(name="ModuleNotFoundError", message="no seaborn", line=1)
    seen = evidence("import seaborn\nx = 1", error=error)

    found = judged(course(a=(spec("GONE"),)), {"GONE": GONE}, seen)["a"]

    assert found.verdict is Verdict.BLOCKED
    assert found.blocked_by == "cell 0 (ModuleNotFoundError)"


def test_an_error_in_the_statement_itself_is_a_failure() -> None:
    error = CellError(name="TypeError", message="no", line=2)
    seen = evidence("y = 0\nx = y + 'a'", error=error)

    found = judged(course(a=(spec("GONE"),)), {"GONE": GONE}, seen)["a"]

    assert found.verdict is Verdict.FAILED
    assert "cell 0: TypeError" in found.found


@pytest.mark.parametrize(
    "fault", [ReferenceFault("the reference is silent"), ZeroDivisionError("x")]
)
def test_our_own_failure_costs_nothing(fault: Exception) -> None:
    found = judged(course(a=(spec("OURS"),)), {"OURS": says(fault)})["a"]

    assert found.verdict is Verdict.ERROR


def test_a_fault_of_a_check_keeps_its_traceback() -> None:
    rubric = course(a=(spec("OURS"),), b=(spec("GOOD"),))
    registry: dict[str, type[Check]] = {"OURS": says(ZeroDivisionError("x")), "GOOD": GOOD}

    judgment = evaluation.bind_rubric(rubric, registry=registry, rng=RNG).judge(evidence())

    (fault,) = judgment.faults
    assert (fault.where, fault.error) == ("check OURS of item a", "ZeroDivisionError: x")
    assert "in judge\n    raise self.outcome" in fault.traceback
    told = judgment.findings[0].found
    assert told == (
        "The grader could not judge this: ZeroDivisionError while judging. It costs you nothing."
    )


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_unnamed_inputs_the_original_comes_first_and_the_noisy_one_next(
    order: tuple[int, ...],
) -> None:
    original, noise, other = (RNG.normal(label, (40,)) for label in ("o", "n", "x"))
    rows = [inspect_array(array) for array in (original, original + 0.5 * noise, other)]

    ordered = order_by_correlation([rows[index] for index in order])

    assert [id(row) for row in ordered] == [id(row) for row in rows]


def test_unnamed_inputs_that_do_not_resemble_each_other_keep_their_order() -> None:
    rows = [inspect_array(RNG.normal(label, (400,))) for label in "abc"]

    assert order_by_correlation(rows) == rows
    assert order_by_correlation(rows[:2]) == rows[:2]


def test_every_code_is_the_checks_own() -> None:
    registry = checks.load_checks(["grader.contrastive"])

    assert all(code == check.code for code, check in registry.items())


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((0, 2)),
        np.zeros((2, 2)),
        np.array([[np.nan, 0.0], [0.6, 0.8]]),
        np.array([[1.0, 0.0]]),
        np.array([1.0, 0.0]),
        -UNIT,
        UNIT[::-1],
        UNIT + 1e-3,
        UNIT[None],
    ],
    ids=["empty", "zeros", "nan", "one row", "flat", "negative", "swapped", "off", "deeper"],
)
def test_wrong_outputs_do_not_agree(wrong: Any) -> None:
    assert not equal_up_to_scale(wrong, UNIT)


def test_outputs_agree_up_to_a_positive_factor_a_row() -> None:
    assert equal_up_to_scale(UNIT * np.array([[2.0], [0.1]]), UNIT)


def test_a_constant_correlates_with_nothing() -> None:
    assert correlation(np.ones(9), np.arange(9.0)) == 0


def test_arrays_of_other_sizes_or_not_finite_are_never_the_same() -> None:
    assert not equal_arrays(np.zeros(0), np.zeros(0))
    assert not equal_arrays(np.array([np.nan]), np.array([np.nan]))
    assert not equal_arrays(np.ones(3), np.ones(4))


def test_nothing_is_nearest_to_a_vector_without_direction() -> None:
    assert VectorIndex(()).nearest(np.zeros(3)) is None


def test_info_nce_of_the_solved_copys_cosines() -> None:
    """The figures of the handout's one solved copy: 0.1991 before and 0.1427 after one step."""
    for cosines, expected in (
        ((0.9193, 0.1696, 0.1561), 0.1991),
        ((0.998, 0.0626, 0.0586), 0.1427),
    ):
        one, two, three = cosines
        gram = np.array([[1, one, two], [one, 1, three], [two, three, 1]])
        vectors = np.linalg.cholesky(gram)

        value = info_nce(vectors, labels=("C1", "C2", "B1"), positive=("C1", "C2"), temperature=0.5)

        assert value == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"events": 3},
        {"events": [{"kind": "forward"}], "modules": [], "count": 1},
        {"events": [], "modules": [{"class": "A"}], "count": 1},
        {"events": [], "modules": [], "count": "many"},
        {
            "events": [{"kind": "step", "n": [], "cell": 0, "modules": []}],
            "modules": [],
            "count": 1,
        },
    ],
)
def test_a_malformed_recording_is_an_empty_one(data: dict[str, Any]) -> None:
    assert read_recording(Observation(id="r", status="ok", data=data), cells=()) == Recording()


def test_draws_are_the_same_for_the_same_seed_and_label_only() -> None:
    one, other = SeededRandom(seed=b"a" * 32), SeededRandom(seed=b"b" * 32)

    assert (one.normal("x", (3,)) == one.normal("x", (3,))).all()
    assert (one.normal("x", (3,)) != one.normal("y", (3,))).any()
    assert (one.normal("x", (3,)) != other.normal("x", (3,))).any()
