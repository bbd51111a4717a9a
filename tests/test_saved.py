"""What saved outputs say is evidence for a reader: true, bounded, and never a point."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from processor_time import within
from test_checks import evidence as judged_evidence

from grader.checks import CHECKS, reproduction
from grader.checks.reproduction import cells_out_of_order, collect_saved_evidence, saved_text
from grader.model import (
    Answer,
    Cell,
    CellError,
    CellRun,
    CellStatus,
    ExecutionRecord,
    MissingModule,
    Notebook,
    SavedEvidence,
    SavedOutput,
)
from grader.report.saved_outputs_view import quote_location, saved_outputs_view
from grader.report.saved_outputs_view import quotes_view as said_figures


def cell(
    index: int, shown: str = "", *, count: int | None = None, source: str = "run()", **more: object
) -> Cell:
    outputs = (SavedOutput(text=shown, mimes=()),) if shown else ()
    made = Cell(index=index, kind="code", source=source, outputs=outputs, count=count)
    return replace(made, **more) if more else made  # type: ignore[arg-type]  # fields of Cell


def ran(index: int, shown: str = "", **more: object) -> CellRun:
    made = CellRun(index=index, status=CellStatus.RAN, shown=shown)
    return replace(made, **more) if more else made  # type: ignore[arg-type]  # fields of CellRun


def evidence(
    *pairs: tuple[Cell, CellRun], answers: dict[str, str] | None = None, heard: bool = True
) -> SavedEvidence:
    return collect_saved_evidence(
        Notebook(cells=tuple(one for one, _ in pairs), sha256=""),
        record=ExecutionRecord(cells=tuple(run for _, run in pairs), heard=heard),
        answers={i: Answer(item=i, text=t) for i, t in (answers or {}).items()},
    )


# ---------------------------------------------------------------- order


@pytest.mark.parametrize(
    ("counts", "moved"),
    [
        ([1, 2, 3], ()),
        ([5, 7, 20], ()),
        ([9, 2, 3, 4], (0,)),
        ([1, 2, 9, 4, 5], (2,)),
        ([1, 5, 2, 3], (1,)),
        ([3, 2, 1], (0, 1)),
        ([2, 4, 6, 1, 5], (2, 3)),
        ([1, None, 2], ()),
        ([None, None], ()),
        ([], ()),
    ],
)
def test_cells_run_out_of_order_are_the_fewest_that_explain_it(
    counts: list[int | None], moved: tuple[int, ...]
) -> None:
    cells = [cell(index, count=count) for index, count in enumerate(counts)]

    assert len(cells_out_of_order(cells)) == len(moved)
    assert cells_out_of_order(cells) == moved or counts == [3, 2, 1]


def test_cells_that_were_never_run_are_named_where_others_were() -> None:
    blank = cell(2, source="# nothing")
    seen = evidence((cell(0, count=1), ran(0)), (cell(1), ran(1)), (blank, ran(2)))

    assert seen.never_run == (1,)


def test_a_file_without_any_numbers_says_nothing_of_order() -> None:
    seen = evidence((cell(0, "1.5"), ran(0, "1.5")), (cell(1), ran(1)))

    assert (seen.numbered, seen.never_run, seen.out_of_order) == (False, (), ())


def test_saved_errors_are_told_with_whether_they_come_again() -> None:
    wrong = SavedOutput(text="", mimes=(), error="NameError: no x")
    error = CellError(name="NameError", message="no x")
    again = ran(1, status=CellStatus.RAISED, error=error)
    seen = evidence((cell(0, outputs=(wrong,)), ran(0)), (cell(1, outputs=(wrong,)), again))

    assert [(e.cell, e.text, e.again) for e in seen.errors] == [
        (0, "NameError: no x", False),
        (1, "NameError: no x", True),
    ]
    assert seen.compared == 0


# ---------------------------------------------------------------- then and now


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("similarity: 0.9193", "similarity: 0.9193"),
        ("similarity: 0.9193", "similarity: 0.9194"),
        ("loss 1234.5678", "loss 1234.9"),
        ("tensor([0.10, 0.20])", "tensor([0.10, 0.20])"),
        ("took 3.2 s", "took 9.9 s"),
        ("12%|### | 3/25 [00:01<00:09, 2.33it/s]", "99%|### | 9/25 [00:02<00:01, 8.11it/s]"),
        ("<Net object at 0x7f12>", "<Net object at 0x…>"),
        ("no numbers", "other words"),
        ("a 1.5\nb 2.5", "b 2.5\na 1.5"),
        ("1e99", "1e99"),
        ("# 0.5", "0.5 0.7"),
    ],
)
def test_what_is_the_same_to_a_reader_is_no_difference(then: str, now: str) -> None:
    assert evidence((cell(0, then), ran(0, now))).differences == ()


def test_a_number_that_moved_is_told_with_its_line_then_and_now() -> None:
    then = "Before:\ncos(C1, C2): 0.9193\ncos(C1, B1): 0.1696\n"
    now = "Before:\ncos(C1, C2): 0.8190\ncos(C1, B1): 0.1696\n"
    (difference,) = evidence((cell(0, then), ran(0, now))).differences

    assert [(m.label, m.then, m.now) for m in difference.moved] == [
        ("cos(C1, C2): #", "0.9193", "0.8190")
    ]
    assert difference.more == 0


def test_whole_numbers_are_compared_exactly() -> None:
    (difference,) = evidence((cell(0, "steps: 3"), ran(0, "steps: 4"))).differences

    assert (difference.moved[0].then, difference.moved[0].now) == ("3", "4")


def test_lines_of_one_side_alone_are_told() -> None:
    (difference,) = evidence(
        (cell(0, "loss 0.5\nacc 0.9"), ran(0, "loss 0.5\nnew 7.5"))
    ).differences

    assert [(m.label, m.then, m.now) for m in difference.moved] == [
        ("acc #", "0.9", ""),
        ("new #", "", "7.5"),
    ]


def test_outputs_of_one_cell_are_read_as_lines_of_one() -> None:
    parts = tuple(SavedOutput(text=text, mimes=()) for text in ("a 0.5", "b 0.7\n"))

    assert evidence((cell(0, outputs=parts), ran(0, "a 0.5\nb 0.7\n"))).differences == ()


@pytest.mark.parametrize(
    ("shown", "kept"), [("abcdefghi", "abcdefghi\n"), ("abcdefghij", "abcde\n[…]\nghij\n")]
)
def test_a_long_output_is_compared_without_its_middle(
    shown: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproduction, "MAX_OUTPUT_CHARS", 10)

    assert saved_text(cell(0, shown)) == kept


@pytest.mark.parametrize("source", ["!pip install x", "run()\n%time x", "if y:\n  !pip install x"])
def test_what_an_installer_printed_is_not_missed(source: str) -> None:
    one = cell(0, "Requirement already satisfied: x 2.13", source=source)

    assert evidence((one, ran(0))).differences == ()
    assert evidence((one, ran(0, "new 7.5"))).differences == ()
    assert evidence((cell(0, "x 2.13"), ran(0, notes=("left out",)))).differences == ()


def test_the_cut_middle_of_an_output_is_not_missed() -> None:
    then = "\n".join(f"step {n}: {n}.5" for n in range(100))
    now = "step 0: 0.5\n[…]\nstep 99: 99.5"

    assert evidence((cell(0, then), ran(0, now))).differences == ()


def test_what_stands_before_the_cut_middle_is_compared() -> None:
    then, now = (f"a 0.5\nb {b}\n[…]\nc {b}\n[…]\nd {b}" for b in (0.5, 0.9))
    (difference,) = evidence((cell(0, then), ran(0, now))).differences

    assert [(m.label, m.then, m.now) for m in difference.moved] == [("b #", "0.5", "0.9")]


def test_a_picture_that_is_not_made_again_is_told() -> None:
    picture = SavedOutput(text="", mimes=("text/plain", "image/png"))
    one = cell(0, outputs=(picture,))
    (gone,) = evidence((one, ran(0))).differences

    assert (gone.pictures_then, gone.pictures_now) == (1, 0)
    assert evidence((one, ran(0, media=("image/png",)))).differences == ()
    assert evidence((one, ran(0, media=("text/html",)))).differences == ()
    assert evidence((one, ran(0, media=("text/plain",)))).differences == (gone,)
    (fewer,) = evidence(
        (cell(0, outputs=(picture, picture)), ran(0, media=("image/png",)))
    ).differences
    assert (fewer.pictures_then, fewer.pictures_now) == (2, 1)


def test_pictures_are_not_told_where_only_numbers_moved() -> None:
    chart = SavedOutput(text="loss 0.5", mimes=("image/png",))
    run = ran(0, "loss 0.9", media=("image/png",))
    (difference,) = evidence((cell(0, outputs=(chart,)), run)).differences

    assert (difference.pictures_then, difference.pictures_now) == (0, 0)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (CellStatus.RAISED, "raised ValueError"),
        (CellStatus.TIMED_OUT, "took too long"),
        (CellStatus.STRUCK_OUT, "was left out"),
        (CellStatus.NOT_REACHED, "was not reached"),
    ],
)
def test_a_cell_that_fails_in_a_fresh_run_is_told(status: CellStatus, why: str) -> None:
    run = ran(0, status=status, error=CellError(name="ValueError", message=""))

    assert evidence((cell(0, "1.5"), run)).differences[0].why == why


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (None, "raised an error"),
        ("pandas", "needed pandas, which is missing where notebooks are graded"),
        ("solution", "raised ModuleNotFoundError"),
    ],
)
def test_a_cell_that_needed_what_is_missing_is_told_so(error: str | None, why: str) -> None:
    missing = tuple(MissingModule(name=n, known=n == "pandas") for n in ("pandas", "solution"))
    said = CellError(name="ModuleNotFoundError", message=f"No module named '{error}'")
    run = ran(3, status=CellStatus.RAISED, error=said if error else None)
    (difference,) = collect_saved_evidence(
        Notebook(cells=(cell(3, "1.5"),), sha256=""),
        record=ExecutionRecord(cells=(run,), heard=True, missing=missing),
        answers={},
    ).differences

    assert (difference.cell, difference.why) == (3, why)


def test_a_record_of_an_earlier_version_is_compared_with_nothing() -> None:
    seen = evidence((cell(0, "1.5"), ran(0)), heard=False)

    assert (seen.compared, seen.differences) == (0, ())


def test_many_differences_are_counted_not_listed() -> None:
    then = "\n".join(f"row {'x' * n}: {n}.5" for n in range(50))
    (difference,) = evidence((cell(0, then), ran(0))).differences

    assert len(difference.moved) == 6
    assert difference.more == 44


def test_hostile_outputs_and_answers_take_no_time() -> None:
    flood = "0.5, " * 200_000 + "\n" + "1.5e9 " * 100_000 + "9" * 500_000
    answer = " ".join(f"0.{n:04}" for n in range(5_000))
    rows = "\n".join(f"x {n}.5" for n in range(100_000))
    pairs = [(cell(n, flood, count=1), ran(n, flood[:16_000])) for n in range(20)]
    pairs += [(cell(n, rows), ran(n, rows[:16_000])) for n in range(20, 40)]

    with within(5):
        seen = evidence(*pairs, answers=dict.fromkeys("ABCDEFGH", answer))
    assert len(seen.quotes) <= 8 * 40


# ---------------------------------------------------------------- where a rubric gives points


def opinion(code: str, *pairs: tuple[Cell, CellRun], **params: int) -> tuple[Fraction, str]:
    check = CHECKS[code].model_validate(params)
    seen = replace(
        judged_evidence(),
        notebook=Notebook(cells=tuple(one for one, _ in pairs), sha256=""),
        record=ExecutionRecord(cells=tuple(run for _, run in pairs), heard=True),
    )
    made = check.judge(seen)
    return made.share, made.observed


def test_a_rubric_may_give_points_for_the_order() -> None:
    right = [(cell(n, "x", count=n + 1), ran(n, "x")) for n in range(4)]
    wrong = [*right[:3], (cell(3), ran(3))]

    assert opinion("OUT003", *right)[0] == 1
    assert opinion("OUT003", *wrong) == (Fraction(3, 4), "cell 3 was run out of order, or never")
    assert opinion("OUT003", *wrong, at_most=1)[0] == 1
    assert opinion("OUT003", (cell(0, "x"), ran(0)))[0] == 1
    assert opinion("OUT003", (cell(0), ran(0)))[0] == 0


def test_a_rubric_may_give_points_for_what_comes_again() -> None:
    right = (cell(0, "loss 0.5"), ran(0, "loss 0.5"))
    wrong = (cell(1, "loss 0.5"), ran(1, "loss 0.9"))

    assert opinion("OUT004", right)[0] == 1
    assert opinion("OUT004", right, wrong) == (
        Fraction(1, 2),
        "a fresh run showed something else in 1 of 2 cells",
    )
    assert opinion("OUT004", right, wrong, at_most=1)[0] == 1
    assert opinion("OUT004", (cell(0), ran(0)))[0] == 0


# ---------------------------------------------------------------- in words


def test_the_page_says_it_calmly() -> None:
    picture = SavedOutput(text="", mimes=("image/png",))
    unnamed = SavedOutput(text="", mimes=(), error="an error")
    wrong = SavedOutput(text="", mimes=(), error="NameError: no x")
    view = saved_outputs_view(
        evidence(
            (cell(0, "a 0.5", count=9), ran(0, "a 0.7")),
            (cell(1, "b 0.5", count=2), ran(1, "b 0.5")),
            (cell(2, count=3, outputs=(picture,)), ran(2)),
            (cell(3, count=4, outputs=(wrong,)), ran(3)),
            (cell(4), ran(4)),
            (cell(5, count=5, outputs=(unnamed,)), ran(5)),
        )
    )

    assert view is not None
    assert view.headline == "a fresh run shows something else in 2 cells of 3"
    assert view.remarks == (
        "Cell 0 was last run out of order: the others ran from top to bottom.",
        "Cell 4 was not run before the file was saved.",
        "Cell 3 was saved with an error (NameError: no x), but runs in a fresh run.",
        "Cell 5 was saved with an error, but runs in a fresh run.",
    )


def test_a_run_that_shows_the_same_agrees_with_the_file() -> None:
    view = saved_outputs_view(evidence((cell(0, "a 0.5"), ran(0, "a 0.5")), (cell(1), ran(1))))

    assert view is not None
    assert view.headline == "a fresh run reproduces the saved outputs of 1 cell"


def test_a_file_that_shows_nothing_has_no_such_part() -> None:
    assert saved_outputs_view(evidence((cell(0), ran(0)))) is None
    assert saved_outputs_view(None) is None


def test_the_figures_of_an_answer_are_summed_up() -> None:
    printed = "a 0.9193"
    said = said_figures(
        evidence((cell(0, printed), ran(0, printed)), answers={"A": "0.92, not 0.5"}), "A"
    )

    assert said is not None
    assert said.headline == "This answer quotes 2 numbers: 1 of them in the notebook"
    assert [(quote.text, quote_location(quote)) for quote in said.quotes] == [
        ("0.92", "output of cell 0"),
        ("0.5", "in no output and no code"),
    ]
    assert said_figures(evidence((cell(0), ran(0))), "A") is None
