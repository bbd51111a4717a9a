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
from grader.checks.own_tests import CourseTest
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
    assert judge(case("passed")).found == "the test passed"
    passed = judge(case("passed"), success="Well done.")
    failed = judge(case("failed", sentence="no"), success="Well done.")

    assert (passed.found, passed.expected) == ("Well done.", "squares(n) lists squares.")
    assert "Well done" not in failed.found + failed.expected


def test_cases_share_the_points_and_failures_are_told_once() -> None:
    names = [f"test_small[{n}]" for n in range(4)]
    right = tuple(case("passed", name) for name in names)
    wrong = [case("failed", name, sentence="`f(1)` gave `2`; `3` was expected") for name in names]

    finding = judge(right[0], *wrong[1:], reference=right)

    assert finding.earned == 1
    assert finding.verdict is Verdict.PARTIAL
    assert finding.found == "1 of 4 cases pass. `f(1)` gave `2`; `3` was expected"


SENTENCES = [
    (case("missing", names=["squares"]), "no name squares was left when the run ended"),
    (case("gone", status="timed_out"), "it did not answer in time"),
    (case("gone", status="died"), "it ended the notebook's process"),
    (
        case("raised", exception="ValueError", message="no 3", where=["squares", 7]),
        "it raised ValueError in `squares`, line 7 of its cell: no 3",
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
        case("passed", words=["a == b"]),
        "`a == b` is only what an object of the notebook's own says",
    ),
    (
        case("passed", operators=["abs(answer)"]),
        "it gave an object of its own where a plain value was expected",
    ),
]


@pytest.mark.parametrize(("outcome", "sentence"), SENTENCES, ids=lambda value: str(value)[:40])
def test_what_failed_is_told(outcome: dict[str, Any], sentence: str) -> None:
    finding = judge(outcome)

    assert finding.earned == 0
    assert finding.found == sentence


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

    assert judge(wrong, right[1], reference=right, public=False).found == "1 of 2 cases pass"
    assert judge(case("failed"), public=False).found == (
        "a hidden test failed: squares(n) lists squares."
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

    assert judge(made, public=False).found == "it raised an exception"


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
    assert judge(parts[2], reference=full).found == "it gave no number of points"


def test_a_notebook_that_was_given_up_has_failed_what_was_not_run() -> None:
    finding = judge(reference=(case("passed"),), more={"given_up": True})

    assert finding.verdict is Verdict.FAILED
    assert finding.found == "it gave what the test could not come to its end with"


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
