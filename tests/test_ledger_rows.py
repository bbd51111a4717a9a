"""A row of the ledger holds all that was decided, and stays what it is."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from edited_criteria import set_points
from test_ledger import CRITERIA, given, graded, keep, one

from grader.errors import MarkConflict, UsageError
from grader.gradebook import Gradebook, ledger, open_gradebook
from grader.gradebook.criterion_edits import apply_edits
from grader.gradebook.criterion_ledger import criterion_edits
from grader.gradebook.ledger import add_mark, mark_history, take_back_mark
from grader.gradebook.mark_points import answer_digest, apply_marks, remove_marks
from grader.gradebook.marks_exchange import export_marks, import_marks
from grader.model import Answer, Criterion, Flag, FlagKind, Mark, Picture

FOUR = Fraction(4)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with open_gradebook(tmp_path / "book.db") as made:
        keep(made)
        yield made


def was_just_now(moment: str) -> bool:
    made = datetime.fromisoformat(moment)
    return abs(datetime.now(made.tzinfo) - made) < timedelta(hours=1)


# ---------------------------------------------------------------- rows


def test_a_mark_is_a_row_with_all_that_was_decided(book: Gradebook) -> None:
    decided = given(
        book,
        "V5",
        criteria=(),
        points=FOUR,
        comment="c",
        reason="r",
        by="  Mo\0 ",
    )
    mark = add_mark(book, decided, expected_current=None)
    (row,) = mark_history(book, "ada", "V5")

    assert row == mark
    assert (row.submission, row.item, row.by) == ("ada", "V5", "Mo")
    assert (row.comment, row.reason, row.fixed_points) == ("c", "r", FOUR)
    assert row.answer_digest == decided.answer_digest
    assert re.fullmatch(r"[0-9a-f]{32}", row.id)
    assert (row.follows, row.replaced, row.takes_back, row.restores) == (0, None, None, None)
    assert was_just_now(row.at)
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\+00:00", row.at)


def test_criteria_are_kept_with_what_they_were_worth(book: Gradebook) -> None:
    add_mark(book, given(book, criteria=("why", "what", "why")), expected_current=None)
    (row,) = mark_history(book, "ada", "Q1.1")

    assert row.criteria == ("why", "what")
    assert list(row.criteria_points) == [2, 3]
    assert row.points == 5


def test_each_row_follows_the_one_before_on_the_same_item(book: Gradebook) -> None:
    first = add_mark(book, given(book), expected_current=None)
    other = add_mark(book, given(book, "Q1.2"), expected_current=None)
    second = add_mark(book, given(book), expected_current=first.number)

    assert [first.follows, other.follows, second.follows] == [0, 0, first.number]
    assert [first.replaced, other.replaced, second.replaced] == [None, None, first.number]
    assert first.number < other.number < second.number
    assert len({first.id, other.id, second.id}) == 3


def test_taking_back_is_a_row_that_says_who_and_when(book: Gradebook) -> None:
    first = add_mark(book, given(book, points=FOUR), expected_current=None)
    second = add_mark(book, given(book, points=FOUR), expected_current=first.number)

    take_back_mark(book, "ada", "Q1.1", by=" Kim ", expected_current=second.number)

    row = mark_history(book, "ada", "Q1.1")[-1]
    assert (row.by, row.answer_digest) == ("Kim", second.answer_digest)
    assert (row.follows, row.replaced) == (second.number, second.number)
    assert (row.takes_back, row.restores) == (second.number, first.number)
    assert [row.points, row.criteria, row.comment] == [0, (), ""]
    assert re.fullmatch(r"[0-9a-f]{32}", row.id)
    assert was_just_now(row.at)


def test_nobody_takes_back_a_mark_without_a_name(book: Gradebook) -> None:
    mark = add_mark(book, given(book), expected_current=None)

    with pytest.raises(UsageError, match=r"^a mark says who gave it: name yourself$"):
        take_back_mark(book, "ada", "Q1.1", by=" \0", expected_current=mark.number)


def test_a_mark_that_is_current_again_has_what_criteria_are_worth_now(book: Gradebook) -> None:
    first = add_mark(book, given(book, criteria=("what",)), expected_current=None)
    second = add_mark(book, given(book), expected_current=first.number)
    set_points(book, "hw", "Q1.1", "what", Fraction(1), by="Mo")

    back = take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=second.number)

    assert back is not None
    assert back.points == 1


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"submission": "ben"}, "ben: nothing with an item Q1.1 is graded under this name"),
        ({"item": "Q9"}, "ada: nothing with an item Q9 is graded under this name"),
        ({"criteria": ("x", "what", "a")}, "Q1.1: has no criterion a, x"),
        ({"by": ""}, "a mark says who gave it: name yourself"),
    ],
)
def test_what_is_refused_is_refused_in_words(
    book: Gradebook, changes: dict[str, object], said: str
) -> None:
    decided = replace(given(book), **changes)  # type: ignore[arg-type]  # fields of NewMark

    with pytest.raises(UsageError) as refused:
        add_mark(book, decided, expected_current=None)

    assert str(refused.value) == said


def test_a_reason_of_spaces_is_none(book: Gradebook) -> None:
    with pytest.raises(UsageError) as refused:
        add_mark(book, given(book, "V5", points=FOUR, reason=" "), expected_current=None)

    assert str(refused.value) == "V5: say why what the checks found is overridden"


def test_a_conflict_says_what_is_there_and_what_was_meant(book: Gradebook) -> None:
    mark = add_mark(book, given(book, criteria=("what",), by="Kim"), expected_current=None)
    set_points(book, "hw", "Q1.1", "what", Fraction(1), by="Mo")
    mine = given(book)

    with pytest.raises(MarkConflict) as given_meanwhile:
        add_mark(book, mine, expected_current=None)
    take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=mark.number)
    with pytest.raises(MarkConflict) as taken_meanwhile:
        add_mark(book, mine, expected_current=mark.number)
    with pytest.raises(MarkConflict) as nothing_there:
        take_back_mark(book, "ada", "Q1.1", by="Mo", expected_current=mark.number)

    assert str(given_meanwhile.value) == "Q1.1 of ada was marked by Kim meanwhile"
    assert given_meanwhile.value.proposed is mine
    assert given_meanwhile.value.current.points == 1
    assert str(taken_meanwhile.value) == "Q1.1 of ada has no mark any more"
    assert (taken_meanwhile.value.proposed, taken_meanwhile.value.current) == (mine, None)
    assert (nothing_there.value.proposed, nothing_there.value.current) == (None, None)


# ---------------------------------------------------------------- weights


def test_a_weight_is_a_row_that_says_who_and_when(book: Gradebook) -> None:
    set_points(book, "hw", "Q1.1", "why", Fraction(1, 2), by=" Kim ")
    (weight,) = criterion_edits(book, "hw")["Q1.1"]

    assert (weight.assignment, weight.item, weight.criterion) == ("hw", "Q1.1", "why")
    assert [weight.points, weight.file_points, weight.by] == [Fraction(1, 2), 2, "Kim"]
    assert re.fullmatch(r"[0-9a-f]{32}", weight.id)
    assert was_just_now(weight.at)
    with pytest.raises(UsageError, match="name yourself"):
        set_points(book, "hw", "Q1.1", "why", FOUR, by="")


def test_grades_of_no_known_assignment_have_the_weights_of_all(book: Gradebook) -> None:
    keep(book, graded("ben", assignment=""))
    set_points(book, "hw", "Q1.1", "what", Fraction(1), by="Mo")

    assert ledger.edited_items(book)["ben"]["Q1.1"].criteria[0].points == 1
    assert ledger.edited_items(book)["ben"]["Q1.1"].criteria[1:] == CRITERIA[1:]


def test_an_item_without_weights_is_itself() -> None:
    score = graded().score
    assert score is not None
    item = score.items[0].item

    assert apply_edits(item, edits={}) is item


# ---------------------------------------------------------------- what was marked


def digest_of(*parts: str) -> str:
    """A digest as it stands in gradebooks: another would make every mark there outdated."""
    data = b"".join(len(p.encode()).to_bytes(8, "big") + p.encode() for p in parts)
    return hashlib.sha256(data).hexdigest()


def test_the_digests_of_what_was_marked_stay_what_they_are() -> None:
    made = graded(wrote=" It\tskips. \nÜ\n")
    picture = Picture(mime="image/png", base64="AAAA")
    drawn = Answer(item="Q1.1", text="It", images=(picture, picture))

    assert answer_digest(made, "Q1.1") == digest_of("written", "It\tskips.\nÜ")
    assert answer_digest(replace(made, answers={}), "Q1.1") == digest_of("written", "")
    assert answer_digest(replace(made, answers={"Q1.1": drawn}), "Q1.1") == digest_of(
        "written", "It", "image/png", "AAAA", "image/png", "AAAA"
    )


def test_the_digest_of_an_automatic_item_is_what_its_checks_concluded() -> None:
    made = graded()
    assert made.score is not None
    (score,) = (part for part in made.score.items if part.item.id == "V5")
    parts = [
        part
        for f in score.findings
        for part in (f.code, f.verdict.value, str(f.earned), str(f.possible))
    ]

    assert parts
    assert answer_digest(made, "V5") == digest_of("auto", *parts)


def test_half_a_letter_in_an_answer_has_a_digest() -> None:
    assert answer_digest(graded(wrote="a\ud800"), "Q1.1") != answer_digest(graded(), "Q1.1")


def test_an_answer_is_kept_as_it_was_marked_and_only_that(book: Gradebook) -> None:
    seen = given(book)
    automatic = given(book, "V5", points=FOUR, reason="r")
    keep(book, graded(wrote="It adds."))
    add_mark(book, seen, expected_current=None)
    add_mark(book, automatic, expected_current=None)

    assert ledger.load_marked_answer(book, seen.answer_digest) is None
    assert ledger.load_marked_answer(book, automatic.answer_digest) is None


# ---------------------------------------------------------------- grades with marks


def given_mark(item: str, digest: str) -> Mark:
    return Mark(
        points=FOUR, fixed_points=FOUR, by="Mo", at="2031-01-01", item=item, answer_digest=digest
    )


def test_marks_that_count_and_those_that_are_outdated_are_told_apart() -> None:
    made = graded()
    marks = [
        given_mark("Q1.1", answer_digest(made, "Q1.1")),
        given_mark("Q1.2", "another"),
        given_mark("Q9", "another"),
    ]

    marked = apply_marks(made, marks=marks, edits={})

    assert marked.score is not None
    told = {part.item.id: (part.mark, part.outdated) for part in marked.score.items}
    assert [told["Q1.1"][0] is not None, told["Q1.1"][1]] == [True, None]
    assert [told["Q1.2"][0], told["Q1.2"][1] is not None] == [None, True]
    assert Flag(FlagKind.CHANGED_SINCE_MARKED, ("Q1.2",)) in marked.flags
    bare = remove_marks(marked)
    assert bare.score is not None
    assert not [part for part in bare.score.items if part.mark or part.outdated]
    assert FlagKind.CHANGED_SINCE_MARKED not in {flag.kind for flag in bare.flags}
    assert bare.score.total.marked == 0


def test_a_grade_without_marks_is_itself() -> None:
    made = graded()

    assert apply_marks(made, marks=[], edits={}) is made
    assert remove_marks(made) is made


def test_a_grade_whose_marks_are_all_outdated_loses_them_too() -> None:
    marked = apply_marks(graded(), marks=[given_mark("Q1.2", "another")], edits={})

    bare = remove_marks(marked)

    assert bare.score is not None
    assert [part.outdated for part in bare.score.items] == [None] * len(bare.score.items)


def test_other_flags_stay_where_marks_come_and_go() -> None:
    nobody = Flag(FlagKind.NOBODY_NAMED)
    made = replace(graded(), flags=(nobody,))

    marked = apply_marks(made, marks=[given_mark("Q1.2", "another")], edits={})

    assert nobody in marked.flags
    assert nobody in remove_marks(marked).flags


def test_criteria_that_take_and_give_begin_with_nothing(book: Gradebook) -> None:
    zero = (Criterion(id="none", text="Nothing", points=Fraction(0)),)
    keep(book, graded(criteria=zero))
    all_taken = add_mark(book, given(book), expected_current=None)
    keep(book, graded("ben", criteria=()))
    none = add_mark(book, given(book, name="ben"), expected_current=None)

    assert all_taken.points == 6, "criteria that give nothing only take"
    assert none.points == 0


def test_points_of_an_item_that_is_gone_are_an_adjustment(book: Gradebook) -> None:
    add_mark(book, given(book, points=FOUR), expected_current=None)
    add_mark(book, given(book, "Q1.2", adjustment=Fraction(2)), expected_current=None)

    book.replace_roll([])
    keep(book, replace(graded(), score=None))
    marks = {mark.item: mark for mark in ledger.orphaned_marks(book)}

    assert [marks["Q1.1"].points, marks["Q1.1"].adjustment] == [4, 4]
    assert [marks["Q1.2"].points, marks["Q1.2"].adjustment] == [2, 2]


# ---------------------------------------------------------------- out and in


def test_an_export_says_all_of_a_row(book: Gradebook) -> None:
    first = add_mark(
        book,
        given(book, criteria=("what",), adjustment=Fraction(1, 2), comment="c", reason="r"),
        expected_current=None,
    )
    second = add_mark(book, given(book, points=Fraction(7, 3)), expected_current=first.number)
    take_back_mark(book, "ada", "Q1.1", by="Kim", expected_current=second.number)
    set_points(book, "hw", "Q1.1", "what", Fraction(1), by="Kim")

    text = export_marks(book)
    told = json.loads(text)
    one_row, two, back = told["marks"]
    (weight,) = told["criterion_edits"]

    assert text.endswith("}\n")
    assert (told["kind"], told["schema"]) == ("marks", 1)
    assert one_row == {
        "id": first.id,
        "submission": "ada",
        "item": "Q1.1",
        "replaced": None,
        "takes_back": None,
        "restores": None,
        "answer": first.answer_digest,
        "criteria": [{"id": "what", "worth": "3"}],
        "adjustment": "1/2",
        "points": None,
        "came_to": "7/2",
        "comment": "c",
        "reason": "r",
        "marker": "Mo",
        "made_at": first.at,
    }
    assert (two["replaced"], two["points"], two["came_to"]) == (first.id, "7/3", "233/100")
    assert (back["takes_back"], back["restores"], back["marker"]) == (second.id, first.id, "Kim")
    assert {key: weight[key] for key in weight if key not in {"id", "at"}} == {
        "assignment": "hw",
        "item": "Q1.1",
        "criterion": "what",
        "text": CRITERIA[0].text,
        "points": "1",
        "retired": "",
        "sequence": [c.id for c in CRITERIA],
        "file_text": CRITERIA[0].text,
        "file_points": "3",
        "file_retired": "",
        "file_sequence": [c.id for c in CRITERIA],
        "by": "Kim",
    }
    assert [answer["text"] for answer in told["answers"].values()] == ["It skips."]


def test_rows_come_in_as_they_went_out(book: Gradebook, tmp_path: Path) -> None:
    first = add_mark(book, given(book, criteria=("what",), comment="c"), expected_current=None)
    add_mark(book, given(book, points=FOUR, reason="r"), expected_current=first.number)
    with open_gradebook(tmp_path / "there.db") as other:
        keep(other)
        add_mark(other, given(other, "Q1.2"), expected_current=None)
        import_marks(other, export_marks(book))
        ours, theirs = (mark_history(where, "ada", "Q1.1") for where in (book, other))

        moved = {mark.number: mark.number + 1 for mark in ours}
        assert [replace(m, number=0, follows=0, replaced=None) for m in theirs] == [
            replace(m, number=0, follows=0, replaced=None) for m in ours
        ]
        assert [m.number for m in theirs] == list(moved.values())
        assert [m.follows for m in theirs] == [0, theirs[0].number]
        assert [m.replaced for m in theirs] == [None, theirs[0].number]


def test_what_is_wrong_with_a_file_is_said(book: Gradebook) -> None:
    for text, said in (
        ("{}", "this is not an export of marks: kind: Field required"),
        ("[]", "this is not an export of marks: the whole: Input should be"),
        ("{", "this is not an export of marks: not JSON (Expecting"),
        ('{"kind": "marks", "schema": 1, "marks": [{}]}', "marks: marks.0.id: Field required"),
    ):
        with pytest.raises(UsageError) as refused:
            import_marks(book, text)
        assert said in str(refused.value)


def test_a_row_that_names_another_that_is_not_there_is_named(book: Gradebook) -> None:
    add_mark(book, given(book), expected_current=None)
    whole = json.loads(export_marks(book))
    whole["marks"][0]["restores"] = "c" * 32

    with pytest.raises(UsageError) as refused:
        import_marks(book, json.dumps(whole))

    assert str(refused.value) == (
        f"this export of marks is broken: {'c' * 32} is named, and isn't in it"
    )
    assert one(book).mark is not None


def test_marks_that_clash_are_told_at_what_they_are_worth_now(
    book: Gradebook, tmp_path: Path
) -> None:
    add_mark(book, given(book, criteria=("what",)), expected_current=None)
    set_points(book, "hw", "Q1.1", "what", Fraction(1), by="Mo")
    with open_gradebook(tmp_path / "there.db") as other:
        keep(other)
        add_mark(other, given(other, criteria=("what", "why")), expected_current=None)
        (clash,) = import_marks(book, export_marks(other)).conflicts

    assert clash.in_gradebook is not None
    assert clash.in_file is not None
    assert [clash.in_gradebook.points, clash.in_file.points] == [1, 3]


def test_marks_that_clash_where_the_item_is_gone_are_told_as_they_were(
    book: Gradebook, tmp_path: Path
) -> None:
    add_mark(book, given(book, criteria=("what",)), expected_current=None)
    keep(book, replace(graded(), score=None))
    with open_gradebook(tmp_path / "there.db") as other:
        keep(other)
        add_mark(other, given(other, criteria=("why",)), expected_current=None)
        (clash,) = import_marks(book, export_marks(other)).conflicts

    assert clash.in_gradebook is not None
    assert clash.in_file is not None
    assert [clash.in_gradebook.points, clash.in_file.points] == [3, 2]


def test_all_decisions_that_both_came_to_are_known_already(book: Gradebook, tmp_path: Path) -> None:
    with open_gradebook(tmp_path / "there.db") as other:
        keep(other)
        for where, by in ((book, "Mo"), (other, "Kim")):
            for item in ("Q1.1", "Q1.2"):
                add_mark(where, given(where, item, points=FOUR, by=by), expected_current=None)
        taken = import_marks(book, export_marks(other))

    assert (taken.added, taken.already_known, taken.conflicts) == (0, 2, ())
