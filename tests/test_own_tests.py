"""TST001: what came of a course's test becomes points and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from test_checks import RNG, course, evidence

from grader.authoring.test_remarks import remark_on_tests
from grader.checks import CHECKS, bind_rubric
from grader.checks.finding_text import to_sentence
from grader.checks.own_tests import CourseTest, ReferenceValue
from grader.errors import CourseTestFault, ReferenceFault
from grader.model import CheckSpec, Finding, Observation, Verdict
from grader.rubric.test_files import find_tests

CHECK = CourseTest(test="test_small", says="squares(n) lists squares.", names=("squares",))
(QUESTION,) = CHECK.questions(RNG)


def case(outcome: str, name: str = "test_small", **more: Any) -> dict[str, Any]:
    return {"case": name, "test": "test_small", "outcome": outcome, "words": [], **more}


def observe(*cases: dict[str, Any], **more: Any) -> Observation:
    return Observation(id=QUESTION.id, status="ok", data={"cases": list(cases), **more})


def judge(
    *cases: dict[str, Any],
    reference: tuple[dict[str, Any], ...] = (),
    public: bool = True,
    more: Mapping[str, Any] = {},
    success: str = "",
) -> Finding:
    params = CHECK.model_copy(update={"shown": public, "success": success})
    spec = CheckSpec(code="TST001", points=Fraction(4), public=public, needs=(), params=params)
    bound = bind_rubric(course(a=(spec,)), registry=CHECKS, rng=RNG)
    own = replace(
        evidence(),
        observations={QUESTION.id: observe(*cases, **more)},
        expected={QUESTION.id: observe(*(reference or (case("passed"),)))},
    )
    (finding,) = bound.judge(own).findings
    return finding


def test_a_test_that_passes_earns_its_points() -> None:
    finding = judge(case("passed"))

    assert finding.earned == 4
    assert finding.verdict is Verdict.PASSED
    assert finding.title == "squares(n) lists squares."


def test_who_passes_reads_what_the_author_says_to_them() -> None:
    assert judge(case("passed")).found == "The test passed."
    passed = judge(case("passed"), success="Well done.")
    failed = judge(case("failed", sentence="no"), success="Well done.")

    assert (passed.found, passed.expected) == ("Well done.", "squares(n) lists squares.")
    assert "Well done" not in failed.found + failed.expected


def test_cases_share_the_points_and_failures_are_told_once() -> None:
    names = [f"test_small[{n}]" for n in range(4)]
    right = tuple(case("passed", name) for name in names)
    wrong = [case("failed", name, sentence="`f(1)` gave `2`; `3` was expected.") for name in names]

    finding = judge(right[0], *wrong[1:], reference=right)

    assert finding.earned == 1
    assert finding.verdict is Verdict.PARTIAL
    assert finding.found == "1 of 4 cases pass. `f(1)` gave `2`; `3` was expected."


SENTENCES = [
    (case("missing", names=["squares"]), "no name squares was left when the run ended"),
    (case("gone", status="timed_out"), "what the test called did not answer in time"),
    (case("gone", status="died"), "what the test called ended the notebook's process"),
    (
        case("raised", exception="ValueError", message="no 3", where=["squares", 7]),
        "what the test called raised ValueError in `squares`, line 7 of its cell: no 3",
    ),
    (
        case("raised", call="`f(3)`", exception="ValueError", where=["<lambda>", 7]),
        "`f(3)` raised ValueError in line 7 of its cell",
    ),
    (case("gone", status="died", call="`f(3)`"), "`f(3)` ended the notebook's process"),
    (
        case("stopped", code="f()[0]", exception="TypeError", message="no subscript"),
        "the test stopped at `f()[0]`: TypeError: no subscript",
    ),
    (
        case("stopped", code="len(y)", exception="TypeError", message="no", sentence="`y` is"),
        "the test stopped at `len(y)`: `y` is",
    ),
    (
        case("raised", call="`f(3)`", exception="NotImplementedError", where=["f", 2], message=""),
        "`f(3)` raised NotImplementedError, as a blank does, in `f`, line 2 of its cell",
    ),
    (
        case("raised", exception="NotImplementedError", message="your code"),
        "what the test called raised NotImplementedError, as a blank does: your code",
    ),
    (
        case("raised", exception="TypeError", message="bad type: 'ellipsis'"),
        (
            "what the test called raised TypeError: bad type: 'ellipsis' (a blank "
            "gives an ellipsis, `...`)"
        ),
    ),
    (
        case("passed", words=["a == b"]),
        "`a == b` holds only because an object of the notebook's own class says so",
    ),
    (
        case("passed", operators=["abs(answer)"]),
        "the notebook gave an object of its own class where a plain value was expected",
    ),
]


@pytest.mark.parametrize(("outcome", "sentence"), SENTENCES, ids=lambda value: str(value)[:40])
def test_what_failed_is_told(outcome: dict[str, Any], sentence: str) -> None:
    finding = judge(outcome)

    assert finding.earned == 0
    assert finding.found == to_sentence(sentence)


@pytest.mark.parametrize(
    "outcome",
    [
        case("failed", sentence="`f(17)` gave 3; 4 was expected"),
        case("stopped", code="f(17)[0]", exception="TypeError", message="17"),
        case("raised", exception="ValueError", message="17", where=["f", 3], call="`f(17)`"),
        case("gone", status="died", call="`f(17)`"),
    ],
    ids=lambda outcome: str(outcome["outcome"]),
)
def test_of_a_hidden_test_no_input_is_told(outcome: dict[str, Any]) -> None:
    finding = judge(outcome, public=False)

    assert finding.earned == 0
    assert finding.found
    assert "17" not in f"{finding.found}{finding.expected}{finding.hint}"


def test_hidden_cases_are_counted() -> None:
    right = tuple(case("passed", f"test_small[{n}]") for n in range(2))
    wrong = case("failed", "test_small[0]", sentence="`f(17)` gave 3; 4 was expected")

    assert judge(wrong, right[1], reference=right, public=False).found == "1 of 2 cases pass."
    assert judge(case("failed"), public=False).found == (
        "A hidden test that asks for this failed: squares(n) lists squares."
    )


def test_a_word_that_the_reference_needs_too_costs_nothing() -> None:
    word = case("passed", words=["a == b"], operators=["add(a, ...)"])

    assert judge(word, reference=(word,)).earned == 4


def test_a_word_that_only_the_student_needs_costs_the_points() -> None:
    own = case("passed", words=["a == b", "c == d"])
    steps = case("passed", operators=["f(...)", "f(...).equals(...)"])
    reference = case("passed", words=["a == b"], operators=["f(...)"])

    for one in (own, steps):
        finding = judge(one, reference=(reference,), public=False)
        assert finding.earned == 0
        assert "c == d" not in finding.found


def test_of_a_hidden_test_no_name_is_told_that_was_made_when_it_was_asked() -> None:
    made = case("raised", exception="Asked17", where=["asked_17", 17], is_written=False)

    assert judge(made, public=False).found == "What the test called raised an exception."


FAULTS = [
    ((case("error", message="no file"),), (case("passed"),)),
    ((case("passed"),), (case("failed", sentence="it is wrong"),)),
    ((), (case("passed"),)),
    ((case("passed"),), (case("skipped"),)),
]


@pytest.mark.parametrize(("cases", "reference"), FAULTS, ids=["own", "reference", "lost", "skips"])
def test_a_fault_of_the_test_costs_nobody_a_point(
    cases: tuple[dict[str, Any], ...], reference: tuple[dict[str, Any], ...]
) -> None:
    finding = judge(*cases, reference=reference)

    assert finding.verdict is Verdict.ERROR


def test_a_student_cannot_skip_a_test() -> None:
    assert judge(case("skipped", message="no reason")).earned == 0


def test_a_test_that_never_looks_is_a_fault_of_the_assignment_and_a_word_a_remark() -> None:
    spec = CheckSpec(code="TST001", points=Fraction(1), public=True, needs=(), params=CHECK)
    bound = bind_rubric(course(a=(spec,)), registry=CHECKS, rng=RNG)

    def remarks(**more: Any) -> list[tuple[str, bool]]:
        expected = {QUESTION.id: observe(case("passed", **more))}
        return [(r.text, r.is_fault) for r in remark_on_tests(bound, expected)]

    assert remarks(requests=0) == [("never looks at the notebook", True)]
    assert remarks(requests=2) == []
    ((text, is_fault),) = remarks(requests=2, words=["a == b"])
    assert "`a == b` rests on the notebook's own word" in text
    assert not is_fault
    ((text, is_fault),) = remarks(operators=["model.predict(...)", "model.score(...)"])
    assert text.startswith("`model.score(...)` is the notebook's own judgment of itself")
    assert not is_fault


def test_a_share_is_a_number_where_the_reference_gives_one() -> None:
    full = (case("passed", share="1", scored=True),)
    parts = [
        case("passed", share="3/4", scored=True),
        case("passed", share="1", scored=True),
        case("passed", share="1", scored=False),
    ]

    assert [judge(part, reference=full).earned for part in parts] == [3, 4, 0]
    assert judge(parts[2], reference=full).found == "The test gave no number of points."


def test_a_share_that_is_no_number_of_the_reference_earns_its_part_and_never_more_than_all() -> (
    None
):
    parts = [
        case("passed", share="3/4", sentence="3 of 4 rows"),
        case("passed", share="3/2", sentence="6 of 4 rows"),
    ]

    findings = [judge(part) for part in parts]
    assert [finding.earned for finding in findings] == [3, 4]
    assert [finding.found for finding in findings] == ["3 of 4 rows.", "The test passed."]


def test_a_finding_says_what_was_expected_whatever_came_of_it() -> None:
    outcomes = [case("passed"), case("failed"), case("missing", names=["squares", "cubes"])]
    findings = [judge(outcome) for outcome in outcomes]

    assert {finding.expected for finding in findings} == {"squares(n) lists squares."}
    assert [finding.found for finding in findings] == [
        "The test passed.",
        "A hidden test that asks for this failed: squares(n) lists squares.",
        "No name squares or cubes was left when the run ended.",
    ]


def test_of_many_flaws_three_are_told_and_the_others_counted() -> None:
    names = [f"test_small[{n}]" for n in range(6)]
    right = tuple(case("passed", name) for name in names)

    def found(count: int) -> str:
        wrong = [case("failed", name, sentence=f"flaw {name[-2]}") for name in names[:count]]
        return judge(*wrong, *right[count:], reference=right).found

    assert found(3) == "3 of 6 cases pass. Flaw 0. Flaw 1. Flaw 2."
    assert found(4) == "2 of 6 cases pass. Flaw 0. Flaw 1. Flaw 2. And 1 more."
    assert found(5) == "1 of 6 cases pass. Flaw 0. Flaw 1. Flaw 2. And 2 more."


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("marks are graded.", "Marks are graded. Or not."),
        ("is it done?", "Is it done? Or not."),
        ("no marks!", "No marks! Or not."),
        ("`f(1)` gave `'.'`", "`f(1)` gave `'.'`. Or not."),
    ],
)
def test_a_message_that_is_a_sentence_gets_no_second_period(message: str, told: str) -> None:
    names = [f"test_small[{n}]" for n in range(3)]
    right = tuple(case("passed", name) for name in names)
    wrong = [
        case("failed", name, sentence=text)
        for name, text in zip(names, [message, "or not."], strict=False)
    ]

    assert judge(*wrong, right[2], reference=right).found == f"1 of 3 cases pass. {told}"


def test_of_a_hidden_test_the_class_and_line_of_a_written_exception_are_told() -> None:
    written = case(
        "raised", exception="ValueError", where=["", 7], message="no 17", is_written=True
    )
    without_line = case("raised", exception="ValueError", message="no 17")

    assert (
        judge(written, public=False).found
        == "What the test called raised ValueError in line 7 of its cell."
    )
    assert judge(without_line, public=False).found == "What the test called raised ValueError."


REASONS = [
    (case("failed", sentence="it is wrong", message="no"), "it is wrong"),
    (
        case("stopped", code="f(1)", exception="TypeError", message="no"),
        "`f(1)` raised TypeError: no",
    ),
    (case("failed", message="no reason"), "no reason"),
    (case("gone", status="died"), "ended the notebook's process"),
    (case("failed"), "failed"),
]


@pytest.mark.parametrize(("outcome", "reason"), REASONS, ids=lambda value: str(value)[:40])
def test_why_the_reference_does_not_pass_is_told_to_who_wrote_the_test(
    outcome: dict[str, Any], reason: str
) -> None:
    cases = observe(case("passed", "test_small[0]"), {**outcome, "case": "test_small[1]"})
    own = replace(evidence(), observations={QUESTION.id: cases}, expected={QUESTION.id: cases})

    with pytest.raises(ReferenceFault) as fault:
        CHECK.judge(own)
    assert str(fault.value) == f"the reference does not pass test_small: {reason}"


def test_a_fault_names_the_test_and_what_it_said() -> None:
    expected = {QUESTION.id: observe(case("passed"))}
    own = replace(evidence(), expected=expected)
    message = "x" * 400

    with pytest.raises(CourseTestFault) as fault:
        CHECK.judge(
            replace(own, observations={QUESTION.id: observe(case("error", message=message))})
        )
    assert str(fault.value) == f"the test test_small failed by itself: {message[:300]}"
    with pytest.raises(CourseTestFault, match=r"^test_small could not be run to its end$"):
        CHECK.judge(replace(own, observations={QUESTION.id: observe()}))


def test_a_moment_and_a_seed_are_part_of_a_question_where_the_test_has_them() -> None:
    drawing = CHECK.model_copy(update={"draws": True, "at": "q1"})
    ((later,), (plain,)) = (check.questions(RNG) for check in (drawing, CHECK))

    assert plain.params == {"test": "test_small", "seed": ""}
    assert later.params == {"test": "test_small", "seed": RNG.seed.hex(), "at": "q1"}
    assert CHECK.constant_questions(RNG) == (plain,)


def test_the_short_form_asks_with_all_that_it_compares_by() -> None:
    params = {"ask": "squares(n) + len(range(n))", "given": {"n": [1, 2]}, "draw": {}}
    plain = ReferenceValue.model_validate(params)
    rounded = plain.model_copy(update={"digits": 3, "draw": {"m": "integers(1, 3)"}})
    values = [check.questions(RNG)[0].params for check in (plain, rounded)]

    assert plain.code_names() == ("squares",)
    assert plain.asks_counter_questions()
    assert [(one["seed"], one["value"].get("digits")) for one in values] == [
        ("", None),
        (RNG.seed.hex(), 3),
    ]
    assert values[0]["value"] == {
        **params,
        "times": 3,
        "close": 1e-6,
        "order": "same",
        "types": True,
    }


def test_a_notebook_that_was_given_up_has_failed_what_was_not_run() -> None:
    finding = judge(reference=(case("passed"),), more={"given_up": True})

    assert finding.verdict is Verdict.FAILED
    assert (
        finding.found
        == "What the test called gave something with which the test never came to an end."
    )


FILE = dedent(
    """
    import pytest

    @pytest.fixture(scope="session")
    def hidden():
        return [1]

    @pytest.fixture
    def account(Account, hidden):
        return Account(hidden)

    @pytest.fixture(name="bank")
    def make_bank(account, reference, draw):
        return account, reference.bank

    @pytest.fixture
    def chosen(request, shop):
        return shop[request.param]

    def test_fixture(account, monkeypatch, capsys):
        pass

    def test_renamed(bank, solve):
        pass

    def test_hidden(hidden, squares):
        pass

    @pytest.mark.parametrize(argvalues=[(1, 2)], argnames=["n", "wanted"])
    def test_keyword(squares, n, wanted, close=1e-6, *, cubes, more=2):
        pass

    @pytest.mark.parametrize("chosen, n", [("a", 1)], indirect=["chosen"])
    def test_indirect(chosen, n):
        pass

    @pytest.mark.parametrize("account", [1])
    def test_in_place_of_a_fixture(account):
        pass

    @pytest.mark.usefixtures("account")
    def test_used():
        pass

    def test_asked_for(request):
        request.getfixturevalue("bank")

    @pytest.mark.parametrize("size", [1, 2])
    class TestShop:
        @pytest.fixture(autouse=True)
        def open_shop(self, Shop):
            self.shop = Shop()

        @pytest.fixture
        def account(self, Till):
            return Till()

        def test_sells(self, account, size):
            pass
    """
)
READ = {
    "test_fixture": (("Account",), ""),
    "test_renamed": (("solve", "Account"), "compares draws"),
    "test_hidden": (("squares",), ""),
    "test_keyword": (("squares", "cubes"), ""),
    "test_indirect": (("shop",), ""),
    "test_in_place_of_a_fixture": ((), ""),
    "test_used": (("Account",), ""),
    "test_asked_for": ((), "draws"),
    "TestShop.test_sells": (("Till", "Shop"), ""),
}


def test_a_test_is_about_the_names_that_its_fixtures_take_and_draws_where_they_do(
    tmp_path: Path,
) -> None:
    (tmp_path / "tests.py").write_text(FILE, encoding="utf-8")
    tests = find_tests(tmp_path)
    assert tests is not None
    read = {
        name: (one.names, " ".join(w for w in ("compares", "draws") if getattr(one, w)))
        for name, one in tests.functions.items()
    }

    assert read == READ
