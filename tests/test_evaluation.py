"""From what a check concludes to a finding: verdict, hint, cells, and what blocks it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import pytest
from test_checks import BAD, GONE, GOOD, RNG, Says, course, evidence, says, spec
from test_execution import no_name, ran
from test_wrong_file import hw5

from grader.checks import Evidence, SeededRandom, bind_rubric
from grader.checks.check import (
    RECORDING_QUESTION,
    Check,
    CheckOutcome,
    absent,
    explain_error,
    explain_no_answer,
    failed,
    make_question,
    passed,
)
from grader.checks.recording import Recording
from grader.errors import ReferenceFault
from grader.model import (
    CellError,
    CellStatus,
    Exhibit,
    Finding,
    Observation,
    Question,
    Trace,
    Verdict,
)


def judged(*outcomes: CheckOutcome, seen: Evidence | None = None, **fields: Any) -> Finding:
    """The finding of the last of these, each a check of item `a`."""
    specs = tuple(replace(spec(f"C{n}"), **fields) for n in range(len(outcomes)))
    registry: dict[str, type[Check]] = {f"C{n}": says(one) for n, one in enumerate(outcomes)}
    bound = bind_rubric(course(a=specs), registry=registry, rng=RNG)
    return bound.judge(seen or evidence()).findings[-1]


def test_a_finding_holds_all_that_was_concluded() -> None:
    exhibit = Exhibit(title="t", labels=(), stages=())
    outcome = CheckOutcome(
        share=Fraction(1, 4), expected="e", observed="o", hint="h", cells=(7,), exhibit=exhibit
    )

    assert judged(outcome, points=Fraction(2), public=False) == Finding(
        item="a",
        code="C0",
        title="says so",
        verdict=Verdict.PARTIAL,
        earned=Fraction(1, 2),
        possible=Fraction(2),
        public=False,
        expected="e",
        found="O.",
        hint="h",
        cells=(7,),
        exhibit=exhibit,
    )


@pytest.mark.parametrize(
    ("share", "pending", "verdict"),
    [
        (1, False, Verdict.PASSED),
        (0, False, Verdict.FAILED),
        (Fraction(1, 2), False, Verdict.PARTIAL),
        (0, True, Verdict.PENDING),
        (1, True, Verdict.PENDING),
    ],
)
def test_a_verdict_is_the_share_unless_a_person_decides(
    share: Fraction, verdict: Verdict, *, pending: bool
) -> None:
    outcome = CheckOutcome(share=Fraction(share), expected="", observed="", pending=pending)

    assert judged(outcome).verdict is verdict


@pytest.mark.parametrize(
    ("share", "hint", "usual", "asked", "told"),
    [
        (0, "hint", False, "ask", "hint"),
        (0, "hint", True, "ask", "ask"),
        (0, "hint", True, "", "hint"),
        (0, "", False, "ask", "ask"),
        (1, "", False, "ask", ""),
        (1, "hint", True, "ask", "hint"),
        (Fraction(1, 2), "", False, "ask", "ask"),
    ],
)
def test_the_rubrics_question_replaces_a_hint_where_it_fits_better(
    share: Fraction, hint: str, asked: str, told: str, *, usual: bool
) -> None:
    outcome = CheckOutcome(share=Fraction(share), expected="", observed="", hint=hint, usual=usual)

    assert judged(outcome, ask=asked).hint == told


# ---------------------------------------------------------------- cells


class Names(Says):
    """A check that is about the name x."""

    title = "says so"
    outcome = failed(expected="", observed="")

    def code_names(self) -> tuple[str, ...]:
        return ("x",)


def test_cells_are_those_that_assign_what_it_is_about() -> None:
    seen = ran(("x = 1", None), ("y = 1", None), ("x = 2; z = 1", None))

    def cells(outcome: CheckOutcome, check: type[Says] = Names) -> tuple[int, ...]:
        made = type("Made", (check,), {"outcome": outcome})
        bound = bind_rubric(course(a=(spec("N"),)), registry={"N": made}, rng=RNG)
        return bound.judge(seen).findings[0].cells

    assert cells(failed(expected="", observed="")) == (0, 2)
    assert cells(passed(expected="", observed="")) == (0, 2)
    assert cells(failed(expected="", observed="", names=("z", "y"))) == (1, 2)
    assert cells(failed(expected="", observed="", cells=(5,))) == (5,)
    assert cells(failed(expected="", observed=""), Says) == ()


def test_names_of_an_item_are_those_of_all_its_checks() -> None:
    other = type("Other", (Names,), {"code_names": lambda _: ("y", "z")})
    rubric = course(a=(spec("N"), spec("O"), spec("GOOD")), b=(spec("GOOD"),))
    registry: dict[str, type[Check]] = {"N": Names, "O": other, "GOOD": GOOD}

    assert bind_rubric(rubric, registry=registry, rng=RNG).names_by_item() == {
        "a": {"x", "y", "z"},
        "b": frozenset(),
    }


# ---------------------------------------------------------------- what blocks


def blocked(found: CheckOutcome, seen: Evidence) -> Finding:
    bound = bind_rubric(course(a=(spec("X"),)), registry={"X": says(found)}, rng=RNG)
    return bound.judge(seen).findings[0]


MISSING = absent(expected="e", observed="no x", names=("x",), hint="h")


def test_what_is_blocked_has_no_hint_and_no_points_and_names_the_cells() -> None:
    first, second = (
        bind_rubric(
            course(a=(spec("GONE"),), b=(spec("X", "a"),)),
            registry={"GONE": GONE, "X": says(replace(MISSING, share=Fraction(1, 2)))},
            rng=RNG,
        )
        .judge(evidence())
        .findings
    )

    assert first.verdict is Verdict.FAILED
    assert second.verdict is Verdict.BLOCKED
    assert [second.earned, second.hint, second.cells] == [0, "", (0,)]
    assert second.blocked_by == "a (says so, cell 0)"


def test_what_blocks_is_named_without_a_cell_where_there_is_none() -> None:
    nowhere = says(absent(expected="", observed="", names=("nowhere",)))
    rubric = course(a=(spec("GONE"),), b=(spec("GONE", "a"),))
    bound = bind_rubric(rubric, registry={"GONE": nowhere}, rng=RNG)

    assert bound.judge(evidence()).findings[1].blocked_by == "a (says so)"


def test_the_first_need_that_stopped_is_what_blocks() -> None:
    rubric = course(
        a=(spec("GONE"),), b=(spec("GOOD"),), c=(spec("GONE"),), d=(spec("GONE", "b", "c", "a"),)
    )
    bound = bind_rubric(rubric, registry={"GONE": GONE, "GOOD": GOOD}, rng=RNG)

    assert bound.judge(evidence()).findings[-1].blocked_by == "c (says so, cell 0)"


def test_what_could_be_judged_stops_what_needs_it_only_if_it_says_so() -> None:
    stops = says(failed(expected="", observed="", stops=True))
    rubric = course(a=(spec("STOPS"),), b=(spec("GONE", "a"),))
    bound = bind_rubric(rubric, registry={"STOPS": stops, "GONE": GONE}, rng=RNG)

    assert [f.verdict for f in bound.judge(evidence()).findings] == [
        Verdict.FAILED,
        Verdict.BLOCKED,
    ]


def test_needs_that_go_in_a_circle_are_judged_in_the_rubrics_order() -> None:
    rubric = course(a=(spec("GONE", "b"),), b=(spec("GONE", "a"),))
    bound = bind_rubric(rubric, registry={"GONE": GONE}, rng=RNG)

    assert bound.judging_order == (0, 1)
    assert [f.verdict for f in bound.judge(evidence()).findings] == [
        Verdict.FAILED,
        Verdict.BLOCKED,
    ]


def test_what_never_came_about_is_blocked_by_the_reason() -> None:
    found = replace(MISSING, because="the training loop never ran")
    unnamed = replace(found, names=())

    assert blocked(found, ran(("y = 1", None), ("x = 1", None))).blocked_by == (
        "a (the training loop never ran, cell 1)"
    )
    assert blocked(found, ran(("y = 1", None), ("x = 1", None))).cells == (1,)
    without = blocked(unnamed, evidence())
    assert (without.verdict, without.blocked_by) == (
        Verdict.BLOCKED,
        "a (the training loop never ran)",
    )


def test_what_is_missing_without_a_reason_has_failed() -> None:
    found = blocked(MISSING, evidence())

    assert (found.verdict, found.found, found.hint) == (Verdict.FAILED, "No x.", "h")


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("SyntaxError", "x = ("),
        ("IndentationError", "x = 1\n  y = 2"),
        ("TabError", "if 1:\n        x = 1\n\tx = 2"),
    ],
)
def test_a_syntax_error_is_the_cells_own_and_is_told_in_few_words(name: str, source: str) -> None:
    error = CellError(name=name, message="m" * 200, line=1)
    seen = ran(("x = 1", None), (source, error))

    found = blocked(MISSING, seen)

    assert found.verdict is Verdict.FAILED
    assert found.found == f"No x (cell 1: {name}: {'m' * 160} …)."
    rubric = course(a=(spec("X"),), b=(spec("X", "a"),))
    needing = bind_rubric(rubric, registry={"X": says(MISSING)}, rng=RNG).judge(seen).findings[1]
    assert needing.found == found.found


@pytest.mark.parametrize(
    ("source", "line", "own"),
    [
        ("x = 1 / 0", 1, True),
        ("import a\nx = 1", 1, False),
        ("import a\nx = 1", 2, True),
        ("x = [\n    1 / 0,\n    2,\n]\nprint()", 2, True),
        ("x = [\n    1 / 0,\n    2,\n]\nprint()", 4, True),
        ("x = [\n    1 / 0,\n    2,\n]\nprint()", 5, False),
        ("def x():\n    pass\nprint()", 2, True),
        ("class x:\n    y = 1 / 0\nprint()", 2, True),
        ("class x:\n    y = 1 / 0\nprint()", 3, False),
        ("for _ in range(3):\n    x = 1 / 0", 2, True),
        ("x = 1 / 0\nx = 2", 1, True),
        ("x = 1\nprint(x)", 2, False),
        ("x = 1\nprint(x)", None, False),
    ],
)
def test_an_error_is_the_cells_own_if_it_is_in_a_statement_that_binds_the_name(
    source: str, line: int | None, *, own: bool
) -> None:
    error = CellError(name="ValueError", message="no", line=line)
    found = blocked(MISSING, ran(("y = 1", None), (source, error)))

    if own:
        assert (found.verdict, found.found) == (Verdict.FAILED, "No x (cell 1: ValueError: no).")
    else:
        assert (found.verdict, found.blocked_by) == (Verdict.BLOCKED, "cell 1 (ValueError)")
        assert found.cells == (1,)


def test_a_cell_that_failed_for_want_of_a_name_is_blocked_by_the_one_that_assigns_it() -> None:
    seen = ran(
        ("w = 1 / 0", CellError(name="ValueError", message="no", line=1)), ("x = w", no_name("w"))
    )

    found = blocked(MISSING, seen)

    assert (found.verdict, found.blocked_by) == (Verdict.BLOCKED, "cell 0 (ValueError)")
    assert found.cells == (0,)


# ---------------------------------------------------------------- faults and questions


def test_our_own_fault_is_told_without_a_hint_and_costs_nothing() -> None:
    silent = says(ReferenceFault("the reference is silent"))
    bound = bind_rubric(course(a=(replace(spec("X"), ask="?"),)), registry={"X": silent}, rng=RNG)
    judgment = bound.judge(evidence())
    (found,) = judgment.findings

    assert (found.verdict, found.hint, found.expected) == (Verdict.ERROR, "", "")
    assert found.found == (
        "The grader could not judge this: the reference is silent. It costs you nothing."
    )
    assert [fault.where for fault in judgment.faults] == ["check X of item a"]


@pytest.mark.parametrize("status", ["timed_out", "died", "invalid"])
def test_an_answer_that_was_lost_without_a_call_is_our_error(status: str) -> None:
    lost = Observation(id=RECORDING_QUESTION.id, status=status)
    asks: dict[str, Any] = {"fixed_questions": (RECORDING_QUESTION,), "__module__": __name__}
    bad_check = type("BadAsking", (BAD,), asks)
    right_check = type("RightAsking", (GOOD,), asks)
    rubric = course(a=(spec("BAD"),), b=(spec("RIGHT"),))
    bound = bind_rubric(rubric, registry={"BAD": bad_check, "RIGHT": right_check}, rng=RNG)

    bad, good = bound.judge(replace(evidence(), observations={lost.id: lost})).findings

    assert (bad.verdict, good.verdict) == (Verdict.ERROR, Verdict.PASSED)
    assert bad.found == (
        "The grader could not judge this: what the notebook left in memory could not be read."
        " It costs you nothing."
    )


@pytest.mark.parametrize("kind", ["recording", "forward", "arrays"])
def test_a_recorder_that_failed_costs_nothing_where_its_answers_count(kind: str) -> None:
    def judge(outcome: CheckOutcome) -> tuple[Verdict, str]:
        check = says(outcome)
        asking = type("Asking", (check,), {"fixed_questions": (make_question(kind, {}),)})
        bound = bind_rubric(course(a=(spec("X"),)), registry={"X": asking}, rng=RNG)
        seen = replace(evidence(), recording=Recording(fault="ValueError: odd"))
        (found,) = bound.judge(seen).findings
        return found.verdict, found.found

    verdict, said = judge(absent(expected="e", observed="o"))

    assert verdict is (Verdict.FAILED if kind == "arrays" else Verdict.ERROR)
    assert said == (
        "O."
        if kind == "arrays"
        else "The grader could not judge this: its recorder failed while the notebook ran "
        "(ValueError: odd). It costs you nothing."
    )
    assert judge(passed(expected="e", observed="o")) == (Verdict.PASSED, "O.")


def test_in_doubt_a_person_decides_where_points_would_be_lost() -> None:
    def judge(outcome: CheckOutcome, doubt: str) -> tuple[Verdict, str]:
        unsure = type("Unsure", (says(outcome),), {"find_doubt": lambda *_: doubt})
        bound = bind_rubric(course(a=(spec("X"),)), registry={"X": unsure}, rng=RNG)
        (found,) = bound.judge(evidence()).findings
        return found.verdict, found.found

    gone = absent(expected="e", observed="o")

    assert judge(gone, "who knows") == (Verdict.PENDING, "Who knows.")
    assert judge(gone, "") == (Verdict.FAILED, "O.")
    assert judge(passed(expected="e", observed="o"), "who knows") == (Verdict.PASSED, "O.")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("ValueError: no", "calling f raised ValueError: no"),
        ("NotNumbers: ellipsis, which is not an array of numbers", "f gave ellipsis, which is not"),
        ("NotNumbers", "calling f raised NotNumbers"),
    ],
)
def test_what_our_question_could_not_read_was_not_raised(error: str, said: str) -> None:
    assert explain_error(error, name="f").startswith(said)
    assert explain_error("ValueError: no", name="f", call="") == "f raised ValueError: no"
    assert explain_error("SystemExit: ", name="f", call="") == "f raised SystemExit"


class Looks(Says):
    """A check that tells what was found before it."""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        return failed(expected="", observed=" ".join(f.code for f in evidence.findings))


def test_a_check_sees_what_was_found_before_it() -> None:
    rubric = course(a=(spec("LOOKS", "b"), spec("GOOD")), b=(spec("GONE"),))
    registry: dict[str, type[Check]] = {"LOOKS": Looks, "GOOD": GOOD, "GONE": GONE}

    first, *_ = bind_rubric(rubric, registry=registry, rng=RNG).judge(evidence()).findings

    assert first.found == "GOOD GONE."


class Asks(Says):
    """A check that asks everybody the same, the reference once and again about each student."""

    outcome = passed(expected="", observed="")
    shared: ClassVar[Question] = make_question("arrays", {})

    def questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        return (self.shared, make_question("function", {"name": self.code}))

    def constant_questions(self, rng: SeededRandom) -> tuple[Question, ...]:
        return (self.shared, make_question("constant", {"name": self.code}))

    def counter_questions(self, evidence: Evidence) -> tuple[Question, ...]:
        large = np.full(2, 1e308) * 10  # no warning, whatever numbers a notebook has
        return (self.shared, make_question("counter", {"name": self.code, "n": len(large)}))


def test_a_question_of_several_checks_is_asked_once_and_none_is_left_out() -> None:
    other = type("Other", (Asks,), {"code": "XXX002"})
    rubric = course(a=(spec("ONE"), spec("TWO")))
    bound = bind_rubric(rubric, registry={"ONE": Asks, "TWO": other}, rng=RNG)

    def kinds(questions: tuple[Question, ...]) -> list[tuple[str, Any]]:
        return [(question.kind, question.params.get("name")) for question in questions]

    shared = ("arrays", None)
    assert kinds(bound.questions) == [shared, ("function", "XXX001"), ("function", "XXX002")]
    assert kinds(bound.constant_questions) == [
        shared,
        ("constant", "XXX001"),
        ("constant", "XXX002"),
    ]
    assert kinds(bound.counter_questions(evidence())) == [
        shared,
        ("counter", "XXX001"),
        ("counter", "XXX002"),
    ]
    told = {Asks.shared.id: Observation(id=Asks.shared.id, status="ok")}
    assert kinds(bound.counter_questions(evidence().with_expected(told))) == [
        ("counter", "XXX001"),
        ("counter", "XXX002"),
    ]


class Overflows(Says):
    """A check that computes with what is not finite."""

    def judge(self, evidence: Evidence) -> CheckOutcome:
        huge = np.full(2, 1e308) * 10
        return failed(expected="", observed=str(float((huge - huge).sum())))


def test_numbers_that_overflow_are_no_warning() -> None:
    bound = bind_rubric(course(a=(spec("X"),)), registry={"X": Overflows}, rng=RNG)

    assert bound.judge(evidence()).findings[0].found == "Nan."


# ---------------------------------------------------------------- what checks share


def test_a_question_is_known_by_all_of_its_content() -> None:
    x, y = np.zeros((2, 3), dtype=np.float32), np.zeros((3, 2), dtype=np.float32)
    asked = [
        make_question("function", {"name": "f"}),
        make_question("forward", {"name": "f"}),
        make_question("function", {"name": "g"}),
        make_question("function", {"name": "f"}, {"x": x}),
        make_question("function", {"name": "f"}, {"y": x}),
        make_question("function", {"name": "f"}, {"x": y}),
        make_question("function", {"name": "f"}, {"x": x + 1}),
        make_question("function", {"name": "f"}, {"x": x, "y": y}),
    ]

    assert len({question.id for question in asked}) == len(asked)
    assert make_question("f", {"a": 1, "b": 2}).id == make_question("f", {"b": 2, "a": 1}).id
    assert (
        make_question("f", {}, {"x": x, "y": y}).id == make_question("f", {}, {"y": y, "x": x}).id
    )
    assert make_question("f", {}, {"x": x.T}).id == make_question("f", {}, {"x": x.T.copy()}).id
    assert asked[0].id.startswith("function-")
    assert len(asked[0].id) == len("function-") + 16
    assert (asked[3].kind, asked[3].params, list(asked[3].arrays)) == (
        "function",
        {"name": "f"},
        ["x"],
    )
    assert asked[0].arrays == {}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("ok", ""),
        ("raised", ""),
        ("missing", "none was left"),
        ("timed_out", "f did not answer in time"),
        ("died", "calling f ended the notebook's process"),
        ("invalid", "f gave something that could not be read"),
        ("not_asked", "f was not called: the questions ended before its turn"),
    ],
)
def test_why_there_is_no_answer_is_said(status: str, said: str) -> None:
    told = Observation(id="q", status=status)

    assert explain_no_answer(told, name="f", missing="none was left") == said
    if status == "died":
        assert explain_no_answer(told, name="f", missing="", call="training") == (
            "training f ended the notebook's process"
        )


QUESTION = make_question("function", {"name": "f"})


def test_what_was_not_answered_was_not_asked() -> None:
    ours = evidence().observation(QUESTION)
    theirs = evidence().reference_observation(QUESTION)

    assert ours == theirs == Observation(id=QUESTION.id, status="not_asked")


def test_an_array_that_the_reference_did_not_give_is_our_fault_and_says_why() -> None:
    told = Observation(
        id=QUESTION.id,
        status="raised",
        error="no",
        arrays={"out0": np.arange(2), "out1": np.ones(1)},
    )
    seen = evidence().with_expected({QUESTION.id: told})

    assert seen.reference_array(QUESTION).tolist() == [0, 1]
    assert seen.reference_array(QUESTION, "out1").tolist() == [1]
    with pytest.raises(ReferenceFault, match=r"^the reference gave no out2: no$"):
        seen.reference_array(QUESTION, "out2")
    with pytest.raises(ReferenceFault, match=r"^the reference gave no out0: not_asked$"):
        evidence().reference_array(QUESTION)


def test_draws_have_the_scale_and_shape_that_are_asked_for_and_stay_as_they_are() -> None:
    drawn = RNG.normal("x", (100, 100))
    scaled = RNG.normal("x", (100, 100), scale=3)

    assert drawn.dtype == np.float32
    assert 0.97 < drawn.std() < 1.03
    assert np.allclose(scaled, 3 * drawn, rtol=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        drawn[0, 0] = 1


class Titled(Says):
    """A check whose title and names come from its parameters."""

    code = "TIT001"
    title = "{what} of {names}"
    subjects = ("what", "names")
    what: str
    names: tuple[str, ...] = ("y", "")


def test_a_check_is_described_and_named_by_its_parameters() -> None:
    check = Titled(what="x")

    assert check.describe() == "x of ('y', '')"
    assert check.code_names() == ("x", "y")
    assert check.masked() == check
    assert check.questions(RNG) == check.constant_questions(RNG) == ()
    assert check.counter_questions(evidence()) == ()
    assert not check.asks_counter_questions()
    assert Asks().asks_counter_questions()


def test_a_check_that_judges_nothing_says_so() -> None:
    class Nothing(Check):
        code = "NOT001"
        title = "nothing"

    with pytest.raises(NotImplementedError):
        Nothing().judge(evidence())


def test_a_trace_is_read_with_the_cells_that_ran() -> None:
    recorded = {
        "events": [{"kind": "step", "n": 0, "cell": n, "modules": []} for n in range(4)],
        "modules": [],
        "count": 4,
    }
    answer = Observation(id=RECORDING_QUESTION.id, status="ok", data=recorded)
    known = {"q": Observation(id="q", status="ok")}
    seen = ran(
        ("", CellStatus.SKIPPED),
        ("x = 1", None),
        ("x", CellStatus.TIMED_OUT),
        ("x", CellStatus.STRUCK_OUT),
        ("x", no_name("x")),
        ("x", CellStatus.NOT_REACHED),
    )
    trace = Trace(
        notebook=seen.notebook,
        record=seen.record,
        observations={answer.id: answer},
        expected=known,
    )

    found = Evidence.from_trace(trace, rng=RNG, attachments=(".pdf",))

    assert [step.cell for step in found.recording.steps] == [1, 2, 4, -1]
    assert (found.notebook, found.record) == (seen.notebook, seen.record)
    assert (found.observations, found.expected) == (trace.observations, known)
    assert (found.attachments, found.rng) == ((".pdf",), RNG)
    assert Evidence.from_trace(trace, rng=RNG).attachments == ()


def test_the_shapes_of_weights_that_checks_look_at_are_named_once() -> None:
    _, judge = hw5()

    assert judge.checks.weight_shapes() == ((16, 3, 3, 3), (16,), (128, 4096), (128,))
