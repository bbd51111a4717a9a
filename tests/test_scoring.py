from fractions import Fraction
from pathlib import Path

from grader import scoring
from grader.model import Finding, Item, Limits, Mark, Rubric, Verdict
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


def test_a_mark_counts_as_marked_and_makes_the_score_final() -> None:
    course = rubric(item("w", 5, kind="written"))
    mark = Mark(points=Fraction(4), by="a grader", at="2026-01-01T00:00:00Z")

    unmarked = scoring.score_submission(course, findings=())
    score = scoring.replace_marks(unmarked, marks={"w": mark})

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
