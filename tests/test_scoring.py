from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from grader import scoring
from grader.model import Finding, Flag, FlagKind, Item, Limits, Mark, Rubric, Score, Verdict
from grader.model.assignment import ItemKind, ItemSource


def item(name: str, points: int, kind: ItemKind = "auto", source: ItemSource = "handout") -> Item:
    return Item(id=name, title=name, points=Fraction(points), kind=kind, source=source)


def rubric(*items: Item) -> Rubric:
    return Rubric(
        id="r",
        title="R",
        total=sum((i.points for i in items), start=Fraction(0)),
        reference=Path("reference.ipynb"),
        seed=1,
        optional_imports=(),
        record=(),
        limits=Limits(),
        items=items,
        path=Path("r.toml"),
        sha256="0",
    )


def finding(name: str, verdict: Verdict, earned: str, possible: str) -> Finding:
    return Finding(
        item=name,
        code="XXX001",
        title="",
        verdict=verdict,
        earned=Fraction(earned),
        possible=Fraction(possible),
        public=True,
        expected="",
        found="",
    )


def mark(points: str) -> Mark:
    return Mark(points=Fraction(points), by="a grader", at="2026-01-01T00:00:00Z")


def verdicts(score: Score) -> list[Verdict]:
    return [i.verdict for i in score.items]


def test_items_are_rounded_half_up_and_totals_are_sums_of_rounded_items() -> None:
    course = rubric(item("a", 1), item("b", 1))
    findings = [finding(n, Verdict.PARTIAL, "0.005", "1") for n in ("a", "b")]

    score = scoring.score_submission(course, findings=findings)

    assert [i.earned for i in score.items] == [Fraction("0.01")] * 2
    assert score.total.auto == Fraction("0.02")


def test_a_written_item_is_pending_until_it_is_marked() -> None:
    course = rubric(item("w", 5, kind="written"))

    score = scoring.score_submission(course, findings=())

    assert score.items[0].earned is None
    assert score.total.pending == 5
    assert score.total.final is None


def score_with_marks(
    course: Rubric, *, findings: Iterable[Finding], marks: Mapping[str, Mark]
) -> Score:
    return scoring.replace_marks(scoring.score_submission(course, findings=findings), marks=marks)


def test_a_mark_counts_as_marked_and_makes_the_score_final() -> None:
    course = rubric(item("w", 5, kind="written"))

    score = score_with_marks(course, findings=(), marks={"w": mark("4")})

    assert score.total.auto == 0
    assert score.total.marked == score.total.final == 4
    assert score.items[0].verdict is Verdict.PARTIAL


def test_an_error_of_ours_is_pending_and_costs_nothing() -> None:
    course = rubric(item("a", 2))
    findings = [finding("a", Verdict.PASSED, "1", "1"), finding("a", Verdict.ERROR, "0", "1")]

    score = scoring.score_submission(course, findings=findings)

    assert score.items[0].verdict is Verdict.ERROR
    assert score.items[0].earned is None
    assert score.total.pending == 2


def test_blocked_points_are_totalled_apart() -> None:
    course = rubric(item("a", 2), item("b", 3))
    findings = [
        finding("a", Verdict.PASSED, "1", "1"),
        finding("a", Verdict.BLOCKED, "0", "1"),
        finding("b", Verdict.BLOCKED, "0", "3"),
    ]

    score = scoring.score_submission(course, findings=findings)

    assert [i.verdict for i in score.items] == [Verdict.PARTIAL, Verdict.BLOCKED]
    assert score.total.blocked == 4


def test_an_item_that_is_failed_and_blocked_is_failed() -> None:
    course = rubric(item("a", 2))
    findings = [finding("a", Verdict.FAILED, "0", "1"), finding("a", Verdict.BLOCKED, "0", "1")]

    score = scoring.score_submission(course, findings=findings)

    assert score.items[0].verdict is Verdict.FAILED
    assert score.total.blocked == 1


def test_subtotals_are_kept_by_source() -> None:
    course = rubric(item("a", 2), item("v", 3, source="course"))
    findings = [finding("a", Verdict.PASSED, "2", "2"), finding("v", Verdict.PASSED, "3", "3")]

    score = scoring.score_submission(course, findings=findings)

    assert {name: tally.auto for name, tally in score.by_source.items()} == {
        "handout": 2,
        "course": 3,
    }


@pytest.mark.parametrize(
    ("earned", "verdict"),
    [
        ("2", Verdict.PASSED),
        ("1.99", Verdict.PARTIAL),
        ("0.01", Verdict.PARTIAL),
        ("0", Verdict.FAILED),
    ],
)
def test_all_points_are_passed_some_are_partial_and_none_is_failed(
    earned: str, verdict: Verdict
) -> None:
    course = rubric(item("a", 2), item("w", 2, kind="written"))
    found = finding("a", Verdict.PARTIAL, earned, "2")

    score = score_with_marks(course, findings=[found], marks={"w": mark(earned)})

    assert verdicts(score) == [verdict, verdict]


def test_an_item_keeps_what_was_found_and_what_was_given() -> None:
    course = rubric(item("a", 2), item("w", 2, kind="written"))
    found = finding("a", Verdict.PASSED, "2", "2")

    score = score_with_marks(course, findings=[found], marks={"w": mark("1")})

    assert [i.findings for i in score.items] == [(found,), ()]
    assert [i.mark for i in score.items] == [None, mark("1")]


def test_another_mark_replaces_the_one_before_and_findings_stay() -> None:
    course = rubric(item("a", 2), item("w", 2, kind="written"))
    found = finding("a", Verdict.FAILED, "0", "2")
    before = score_with_marks(course, findings=[found], marks={"w": mark("1")})

    after = scoring.replace_marks(before, marks={"a": mark("2")}, outdated={"w": mark("1")})

    assert [i.findings for i in after.items] == [(found,), ()]
    assert [i.mark for i in after.items] == [mark("2"), None]
    assert [i.outdated for i in after.items] == [None, mark("1")]
    assert verdicts(after) == [Verdict.PASSED, Verdict.PENDING]
    assert [after.total.auto, after.total.marked, after.total.pending] == [0, 2, 2]


def test_items_that_replace_the_scores_own_decide_what_a_mark_is_worth() -> None:
    before = scoring.score_submission(rubric(item("w", 2, kind="written")), findings=())

    after = scoring.replace_marks(
        before, marks={"w": mark("5")}, items={"w": item("w", 4, kind="written")}
    )

    assert after.items[0].earned == after.total.possible == 4


def test_what_an_item_is_worth_bounds_a_mark() -> None:
    course = rubric(item("w", 2, kind="written"), item("v", 2, kind="written"))

    score = score_with_marks(course, findings=(), marks={"w": mark("2.01"), "v": mark("-0.01")})

    assert [i.earned for i in score.items] == [2, 0]


@pytest.mark.parametrize("undecided", [Verdict.PENDING, Verdict.ERROR])
def test_what_is_undecided_has_no_points_and_none_that_are_blocked(undecided: Verdict) -> None:
    course = rubric(item("a", 2), item("b", 2))
    findings = [
        finding("a", Verdict.BLOCKED, "0", "1"),
        finding("a", undecided, "0", "1"),
        finding("b", Verdict.BLOCKED, "0", "2"),
    ]

    score = scoring.score_submission(course, findings=findings)

    assert verdicts(score) == [undecided, Verdict.BLOCKED]
    assert [i.earned for i in score.items] == [None, 0]
    assert [i.blocked for i in score.items] == [0, 2]
    assert [score.total.pending, score.total.blocked, score.total.possible] == [2, 2, 4]


def test_a_mark_on_what_was_blocked_leaves_nothing_blocked() -> None:
    course = rubric(item("a", 2))
    blocked = finding("a", Verdict.BLOCKED, "0", "2")

    score = score_with_marks(course, findings=[blocked], marks={"a": mark("1")})

    assert score.items[0].blocked == score.total.blocked == 0
    assert scoring.automatic_points(score.items[0]) == 0


def test_what_checks_alone_give_is_told_beside_a_mark() -> None:
    course = rubric(item("a", 2), item("w", 2, kind="written"))
    found = finding("a", Verdict.PARTIAL, "1", "2")

    score = score_with_marks(course, findings=[found], marks={"a": mark("2"), "w": mark("2")})

    assert [scoring.automatic_points(i) for i in score.items] == [1, None]


def test_an_item_without_findings_has_failed_and_is_not_blocked() -> None:
    score = scoring.score_submission(rubric(item("a", 2)), findings=())

    assert verdicts(score) == [Verdict.FAILED]


def test_nothing_is_given_by_criteria_where_points_came_without_any() -> None:
    none, some, extra = mark("0"), mark("1"), replace(mark("0"), adjustment=Fraction(-1))

    assert scoring.is_given_by_criteria(none)
    assert not scoring.is_given_by_criteria(some)
    assert not scoring.is_given_by_criteria(extra)
    assert scoring.is_given_by_criteria(replace(some, criteria=("what",)))


def test_flags_name_what_a_person_should_look_at() -> None:
    course = rubric(
        item("ours", 1), item("theirs", 1), item("blocked", 5), item("w", 1, kind="written")
    )
    findings = [
        finding("ours", Verdict.ERROR, "0", "1"),
        finding("theirs", Verdict.PENDING, "0", "1"),
        finding("blocked", Verdict.BLOCKED, "0", "5"),
    ]
    score = scoring.score_submission(course, findings=findings)
    changed = scoring.replace_marks(score, marks={}, outdated={"w": mark("1"), "ours": mark("1")})

    usual = (
        Flag(FlagKind.POINTS_BLOCKED, ("5",)),
        Flag(FlagKind.CHECK_ERROR, ("ours",)),
        Flag(FlagKind.CHECK_PENDING, ("theirs",)),
    )
    assert scoring.score_flags(score) == usual
    assert scoring.score_flags(changed) == (
        *usual,
        Flag(FlagKind.CHANGED_SINCE_MARKED, ("ours", "w")),
    )


def test_a_few_blocked_points_are_no_flag() -> None:
    course = rubric(item("a", 6))

    def flags(points: str) -> tuple[Flag, ...]:
        blocked = finding("a", Verdict.BLOCKED, "0", points)
        return scoring.score_flags(scoring.score_submission(course, findings=[blocked]))

    assert flags("4.99") == ()
    assert flags("5.5") == (Flag(FlagKind.POINTS_BLOCKED, ("5.5",)),)
