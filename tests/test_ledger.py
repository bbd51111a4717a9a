"""The ledger: marks are added, never changed, never lost, and count for what was marked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from edited_criteria import set_points
from specimens import half_right, ungradable, with_our_error

from grader.errors import MarkConflict, UsageError
from grader.gradebook import (
    Gradebook,
    StoredSubmission,
    answer_digest,
    ledger,
    open_gradebook,
)
from grader.gradebook.criterion_ledger import criterion_edits
from grader.gradebook.ledger import NewMark, add_mark, mark_history, take_back_mark
from grader.model import Answer, Criterion, Excerpt, Flag, FlagKind, Graded, ItemScore, Verdict

CRITERIA = (
    Criterion(id="what", text="Says what", points=Fraction(3)),
    Criterion(id="why", text="Says why", points=Fraction(2)),
    Criterion(id="wordy", text="Far too long", points=Fraction(-1)),
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "book.db"


@pytest.fixture
def book(place: Path) -> Iterator[Gradebook]:
    with open_gradebook(place) as made:
        keep(made)
        yield made


def graded(
    name: str = "ada",
    *,
    wrote: str = "It skips.",
    criteria: tuple[Criterion, ...] = CRITERIA,
    assignment: str = "hw",
) -> Graded:
    """One student's grade; Q1.1 is worth 6 and has criteria."""
    made = half_right()
    assert made.score is not None
    assert made.provenance is not None
    items = tuple(
        replace(one, item=replace(one.item, criteria=criteria)) if one.item.id == "Q1.1" else one
        for one in made.score.items
    )
    answers = {**made.answers, "Q1.1": Answer(item="Q1.1", text=wrote)}
    return replace(
        made,
        submission=replace(made.submission, name=name),
        score=replace(made.score, items=items),
        answers=answers,
        provenance=replace(made.provenance, assignment=assignment),
    )


def keep(book: Gradebook, made: Graded | None = None) -> None:
    kept = made or graded()
    book.save_submission(StoredSubmission(cache_key="k", graded=kept, trace=None))
    book.replace_roll(sorted({*book.roll(), kept.submission.name}))


def given(book: Gradebook, item: str = "Q1.1", *, name: str = "ada", **changes: Any) -> NewMark:
    """What Mo decides on what is there now."""
    plain = NewMark(
        submission=name, item=item, answer_digest=answer_digest(book.graded(name), item), by="Mo"
    )
    return replace(plain, **changes)


def one(book: Gradebook, item: str = "Q1.1", *, name: str = "ada") -> ItemScore:
    score = book.graded(name).score
    assert score is not None
    return next(part for part in score.items if part.item.id == item)


def count(place: Path, table: str = "marks") -> int:
    with closing(sqlite3.connect(place)) as connection:
        found: int = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 (our own words)
        return found


# ---------------------------------------------------------------- what a mark comes to


def test_a_mark_is_what_its_criteria_and_its_adjustment_come_to(book: Gradebook) -> None:
    mark = add_mark(
        book,
        given(book, criteria=("what", "wordy"), adjustment=Fraction(1, 2), comment="Good."),
        expected_current=None,
    )

    assert mark.points == Fraction(5, 2)
    assert one(book).mark == mark
    assert one(book).earned == Fraction(5, 2)
    assert (mark.by, mark.comment, mark.criteria) == ("Mo", "Good.", ("what", "wordy"))
    assert mark.at.endswith("+00:00")


@pytest.mark.parametrize(
    ("changes", "points"),
    [
        ({"criteria": ("wordy",)}, 0),
        ({"criteria": ("what", "why"), "adjustment": Fraction(100)}, 6),
        ({"points": Fraction(100)}, 6),
        ({"points": Fraction(-3)}, 0),
        ({"points": Fraction(7, 3)}, Fraction("2.33")),
        ({"criteria": ("what", "what")}, 3),
        ({}, 0),
    ],
)
def test_points_are_never_outside_of_the_item(
    book: Gradebook, changes: dict[str, Any], points: Fraction
) -> None:
    add_mark(book, given(book, **changes), expected_current=None)

    assert one(book).earned == points
    assert book.graded("ada").score is not None


def test_where_criteria_only_take_an_answer_has_all_points_before_them(book: Gradebook) -> None:
    takes = tuple(replace(c, points=-abs(c.points)) for c in CRITERIA)
    keep(book, graded(criteria=takes))

    mark = add_mark(book, given(book, criteria=("what",)), expected_current=None)

    assert mark.points == 3


def test_an_absolute_mark_is_told_as_criteria_and_adjustment_that_come_to_the_same(
    book: Gradebook,
) -> None:
    keep(book, graded(criteria=tuple(replace(c, points=-abs(c.points)) for c in CRITERIA)))
    absolute = add_mark(book, given(book, points=Fraction(4)), expected_current=None)

    again = given(book, criteria=absolute.criteria, adjustment=absolute.adjustment)
    mark = add_mark(book, again, expected_current=absolute.number)

    assert absolute.points == mark.points == 4


def test_marks_fill_tallies_and_pending_is_never_zero(book: Gradebook) -> None:
    before = book.graded("ada").score
    add_mark(book, given(book, points=Fraction(4)), expected_current=None)
    after = book.graded("ada").score

    assert before is not None
    assert after is not None
    assert after.total.marked == 4
    assert after.total.pending == before.total.pending - 6
    assert after.total.final is None
    assert sum(tally.marked for tally in after.by_source.values()) == 4


# ---------------------------------------------------------------- in a row


def test_a_mark_over_a_newer_one_is_refused_and_both_are_there_to_be_shown(
    book: Gradebook, place: Path
) -> None:
    first = add_mark(book, given(book, points=Fraction(1)), expected_current=None)
    add_mark(book, given(book, points=Fraction(2), by="Kim"), expected_current=first.number)
    mine = given(book, points=Fraction(3))

    with pytest.raises(MarkConflict, match="Kim") as refused:
        add_mark(book, mine, expected_current=first.number)

    assert refused.value.proposed == mine
    assert refused.value.current.points == 2
    assert one(book).earned == 2
    assert count(place) == 2


def test_a_first_mark_is_refused_where_there_is_one_already(book: Gradebook) -> None:
    add_mark(book, given(book), expected_current=None)

    with pytest.raises(MarkConflict):
        add_mark(book, given(book), expected_current=None)


def test_taking_back_is_an_entry_and_brings_the_earlier_mark_again(
    book: Gradebook, place: Path
) -> None:
    first = add_mark(book, given(book, points=Fraction(1)), expected_current=None)
    second = add_mark(book, given(book, points=Fraction(2)), expected_current=first.number)

    back = take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=second.number)
    assert back == first
    assert one(book).earned == 1
    assert take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=first.number) is None
    assert one(book).earned is None

    assert count(place) == 4
    told = mark_history(book, "ada", "Q1.1")
    undone = {e.takes_back for e in told}
    assert [e.number in undone for e in told] == [True, True, False, False]
    assert [e.takes_back for e in told] == [None, None, second.number, first.number]
    assert [e.replaced for e in told] == [None, first.number, second.number, first.number]


def test_after_taking_back_the_row_goes_on(book: Gradebook) -> None:
    first = add_mark(book, given(book, points=Fraction(1)), expected_current=None)
    second = add_mark(book, given(book, points=Fraction(2)), expected_current=first.number)
    take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=second.number)

    third = add_mark(book, given(book, points=Fraction(3)), expected_current=first.number)
    back = take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=third.number)

    assert back == first
    assert one(book).mark == first


@pytest.mark.parametrize("over", [None, 7])
def test_nothing_is_taken_back_that_is_not_current(book: Gradebook, over: int | None) -> None:
    with pytest.raises(MarkConflict, match="has no mark any more"):
        take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=over)


def test_a_newer_mark_than_the_person_saw_is_not_taken_back(book: Gradebook, place: Path) -> None:
    first = add_mark(book, given(book, points=Fraction(1)), expected_current=None)
    add_mark(book, given(book, points=Fraction(2), by="Kim"), expected_current=first.number)

    with pytest.raises(MarkConflict, match="Kim") as refused:
        take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=first.number)

    assert refused.value.current.points == 2
    assert one(book).earned == 2
    assert count(place) == 2


def test_of_many_who_mark_at_once_one_is_first_and_all_others_are_told(book: Gradebook) -> None:
    decided = given(book, points=Fraction(3))

    def mark(number: int) -> bool:
        try:
            add_mark(book, replace(decided, by=f"marker {number}"), expected_current=None)
        except MarkConflict as refused:
            return refused.current is None
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(mark, range(24)))

    assert sum(done) == 1
    assert len(mark_history(book, "ada", "Q1.1")) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"submission": "nobody"}, "nobody"),
        ({"item": "Q9"}, "Q9"),
        ({"criteria": ("what", "wit")}, "no criterion wit"),
        ({"by": "  "}, "name yourself"),
    ],
)
def test_what_nobody_would_ever_see_is_refused(
    book: Gradebook, place: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        add_mark(book, replace(given(book), **changes), expected_current=None)

    assert count(place) == 0


def test_strange_letters_in_a_comment_are_no_obstacle(book: Gradebook) -> None:
    mark = add_mark(
        book, given(book, comment="a\0b\ud800 ü", reason="\ud800"), expected_current=None
    )

    assert mark.comment == "ab? ü"
    assert one(book).mark == mark


# ---------------------------------------------------------------- what was marked


def test_another_answer_makes_a_mark_outdated_and_the_old_one_is_remembered(
    book: Gradebook,
) -> None:
    mark = add_mark(book, given(book, points=Fraction(4)), expected_current=None)
    digest = mark_history(book, "ada", "Q1.1")[0].answer_digest

    keep(book, graded(wrote="It adds."))

    now = one(book)
    assert (now.mark, now.outdated) == (None, mark)
    assert (now.earned, now.verdict) == (None, Verdict.PENDING)
    assert Flag(FlagKind.CHANGED_SINCE_MARKED, ("Q1.1",)) in book.graded("ada").flags
    assert ledger.load_marked_answer(book, digest) == Answer(item="Q1.1", text="It skips.")

    keep(book, graded())
    assert one(book).mark == mark
    assert FlagKind.CHANGED_SINCE_MARKED not in {f.kind for f in book.graded("ada").flags}


def test_spaces_at_the_ends_of_lines_are_no_other_answer() -> None:
    digests = {
        answer_digest(graded(wrote=text), "Q1.1") for text in ("a\nb", "a  \nb\n\n", " \na\r\nb")
    }

    assert len(digests) == 1
    assert answer_digest(graded(wrote="ab"), "Q1.1") not in digests


def test_an_answer_that_was_not_found_is_like_an_empty_one() -> None:
    made = graded(wrote="")

    assert answer_digest(replace(made, answers={}), "Q1.1") == answer_digest(made, "Q1.1")


def test_what_may_be_a_missing_answer_is_a_part_of_what_is_marked() -> None:
    made = graded(wrote="")
    unclaimed = (Excerpt(cell=7, source="Gradients get back."),)
    answer = Answer(item="Q1.1", text="", concern="odd", unclaimed=unclaimed)
    unsure = replace(made, answers={"Q1.1": answer})

    assert answer_digest(unsure, "Q1.1") != answer_digest(made, "Q1.1")


def test_there_is_no_digest_of_what_is_not_there() -> None:
    for made in (graded(), ungradable()):
        with pytest.raises(KeyError):
            answer_digest(made, "Q9")


def test_a_mark_on_what_changed_meanwhile_does_not_count(book: Gradebook) -> None:
    seen = given(book, points=Fraction(4))
    keep(book, graded(wrote="It adds."))

    add_mark(book, seen, expected_current=None)

    assert one(book).mark is None
    assert one(book).outdated is not None


# ---------------------------------------------------------------- automatic items


def test_an_automatic_finding_is_overridden_with_a_reason_and_never_without(
    book: Gradebook,
) -> None:
    with pytest.raises(UsageError, match="why"):
        add_mark(book, given(book, "V5", points=Fraction(4)), expected_current=None)

    add_mark(
        book,
        given(book, "V5", points=Fraction(4), reason="Followed through."),
        expected_current=None,
    )

    now = one(book, "V5")
    assert now.earned == 4
    assert now.blocked == 0
    assert now.mark is not None
    assert now.mark.reason == "Followed through."


def test_an_override_stands_until_checks_conclude_otherwise(book: Gradebook) -> None:
    add_mark(
        book,
        given(book, "V5", points=Fraction(4), reason="Followed through."),
        expected_current=None,
    )
    made = graded()
    assert made.score is not None
    passed = tuple(
        replace(
            part,
            findings=tuple(
                replace(f, verdict=Verdict.PASSED, earned=f.possible) for f in part.findings
            ),
        )
        if part.item.id == "V5"
        else part
        for part in made.score.items
    )

    keep(book, replace(made, score=replace(made.score, items=passed)))

    assert one(book, "V5").earned == 5
    assert one(book, "V5").outdated is not None


CHECK_ERROR = Flag(FlagKind.CHECK_ERROR, ("V6",))
NOBODY = Flag(FlagKind.NOBODY_NAMED)


def test_a_flag_goes_when_a_person_has_decided(book: Gradebook) -> None:
    keep(book, replace(with_our_error(), submission=graded().submission))
    asked = replace(book.graded("ada"), flags=(CHECK_ERROR, NOBODY))
    keep(book, asked)

    add_mark(
        book, given(book, "V6", points=Fraction(5), reason="Looked at it."), expected_current=None
    )

    assert book.graded("ada").flags == (NOBODY,)
    take_back_mark(book, "ada", "V6", by="Mo", expected_current=one(book, "V6").mark.number)  # type: ignore[union-attr]  # just given
    assert book.graded("ada").flags == (CHECK_ERROR, NOBODY)


# ---------------------------------------------------------------- what criteria are worth


def weigh(book: Gradebook, points: int, criterion: str = "what") -> None:
    set_points(book, "hw", "Q1.1", criterion, Fraction(points), by="Mo")


def test_weighing_scores_all_who_have_it_again(book: Gradebook) -> None:
    keep(book, graded("ben"))
    for name in ("ada", "ben"):
        add_mark(book, given(book, name=name, criteria=("what", "why")), expected_current=None)
    keep(book, graded("cleo"))
    add_mark(book, given(book, name="cleo", criteria=("why",)), expected_current=None)

    weigh(book, 1)

    assert [one(book, name=name).earned for name in ("ada", "ben", "cleo")] == [3, 3, 2]
    assert mark_history(book, "ada", "Q1.1")[0].points == 3
    assert ledger.current_marks(book)["ben", "Q1.1"].points == 3
    assert one(book).item.criteria[0].points == 1


def test_the_last_weight_counts_and_an_absolute_mark_has_none(book: Gradebook) -> None:
    add_mark(book, given(book, points=Fraction(5)), expected_current=None)
    weigh(book, 1)
    weigh(book, 2)

    assert criterion_edits(book, "hw")["Q1.1"][-1].points == 2
    assert one(book).earned == 5


def test_where_the_rubric_is_changed_later_the_rubric_wins(book: Gradebook) -> None:
    add_mark(book, given(book, criteria=("what",)), expected_current=None)
    weigh(book, 1)
    heavier = (replace(CRITERIA[0], points=Fraction(4)), *CRITERIA[1:])

    keep(book, graded(criteria=heavier))

    assert one(book).earned == 4
    assert criterion_edits(book, "hw")["Q1.1"][-1].points == 1


def test_weights_are_of_one_assignment(book: Gradebook) -> None:
    add_mark(book, given(book, criteria=("what",)), expected_current=None)
    weigh(book, 1)

    keep(book, graded(assignment="other"))

    assert one(book).earned == 3
    assert criterion_edits(book, "other") == {}


# ---------------------------------------------------------------- rubrics and submissions that go


def test_a_criterion_that_goes_takes_no_points_with_it(book: Gradebook) -> None:
    add_mark(book, given(book, criteria=("what", "why")), expected_current=None)

    keep(book, graded(criteria=CRITERIA[:1]))

    assert one(book).earned == 5


def renamed(made: Graded) -> Graded:
    assert made.score is not None
    first, *rest = made.score.items
    items = (replace(first, item=replace(first.item, id="Q1.one")), *rest)
    return replace(made, score=replace(made.score, items=items))


def test_a_renamed_item_leaves_its_marks_as_orphans_until_it_is_back(book: Gradebook) -> None:
    mark = add_mark(book, given(book, points=Fraction(4)), expected_current=None)
    assert ledger.orphaned_marks(book) == ()

    keep(book, renamed(graded()))

    (orphan,) = ledger.orphaned_marks(book)
    assert (orphan.submission, orphan.item) == ("ada", "Q1.1")
    assert orphan.points == 4
    keep(book, graded())
    assert one(book).mark == mark


def test_a_submission_that_vanishes_and_comes_back_has_its_marks(book: Gradebook) -> None:
    mark = add_mark(book, given(book, points=Fraction(4)), expected_current=None)

    book.replace_roll([])
    assert [orphan.submission for orphan in ledger.orphaned_marks(book)] == ["ada"]
    book.replace_roll(["ada"])

    assert ledger.orphaned_marks(book) == ()
    assert one(book).mark == mark


def test_a_submission_that_can_be_read_no_more_loses_no_mark(book: Gradebook) -> None:
    mark = add_mark(book, given(book, points=Fraction(4)), expected_current=None)

    keep(book, replace(ungradable(), submission=graded().submission))

    assert book.graded("ada").score is None
    assert [orphan.points for orphan in ledger.orphaned_marks(book)] == [4]
    keep(book)
    assert one(book).mark == mark


def test_a_grade_with_marks_in_it_is_kept_without_them(book: Gradebook) -> None:
    mark = add_mark(book, given(book, points=Fraction(4)), expected_current=None)
    keep(book, book.graded("ada"))

    take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=mark.number)

    assert one(book).earned is None


def test_marks_of_one_do_not_show_on_another(book: Gradebook) -> None:
    keep(book, graded("ben"))
    add_mark(book, given(book, points=Fraction(4)), expected_current=None)

    assert one(book, name="ben").mark is None
    assert list(ledger.current_marks(book, "Q1.1")) == [("ada", "Q1.1")]
    assert ledger.current_marks(book, "Q1.2") == {}
