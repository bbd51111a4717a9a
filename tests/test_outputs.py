"""What the submitted file shows earns points: numbers, a figure, the order it was run in."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from test_checks import evidence

from grader.checks import CHECKS, Evidence
from grader.checks.check import CheckOutcome
from grader.checks.outputs import ShowsNumbers
from grader.checks.recording import Call, Recording, Step
from grader.model import Cell, CellRun, CellStatus, ExecutionRecord, Notebook, SavedOutput

SAVE = "Run all cells, save, and submit the file with its outputs."


def shown(text: str = "", *mimes: str, html: bool = False) -> SavedOutput:
    return SavedOutput(text=text, mimes=mimes, html_has_figure=html)


def code(index: int, *outputs: SavedOutput, count: int | None = None) -> Cell:
    return Cell(index=index, kind="code", source="run()", outputs=outputs, count=count)


def seen(*cells: Cell, **more: Any) -> Evidence:
    notebook = Notebook(cells=cells, sha256="")
    runs = tuple(CellRun(index=cell.index, status=CellStatus.RAN) for cell in cells)
    record = ExecutionRecord(cells=runs, heard=True)
    return replace(evidence(), notebook=notebook, record=record, **more)


def judged(check: str, made: Evidence, **params: Any) -> CheckOutcome:
    return CHECKS[check].model_validate(params).judge(made)


# ---------------------------------------------------------------- numbers


def numbers(*cells: Cell, attachments: tuple[str, ...] = (), count: int = 4) -> CheckOutcome:
    made = seen(*cells, attachments=attachments)
    return judged("OUT001", made, count=count, what="similarities")


def test_numbers_of_all_cells_and_outputs_are_counted() -> None:
    found = numbers(code(0, shown("0.25 and -0.50"), shown("0.75")), code(1, shown("1.00")))

    assert [found.share, found.observed] == [1, "the saved outputs show the 4 similarities"]
    assert found.expected == "4 similarities in the saved outputs"
    assert found.hint == ""


@pytest.mark.parametrize(
    ("there", "share"), [(5, Fraction(1)), (4, 1), (3, Fraction(1, 2)), (2, Fraction(1, 2)), (1, 0)]
)
def test_half_of_the_numbers_are_worth_half_of_the_points(there: int, share: Fraction) -> None:
    found = numbers(code(0, shown("0.25 " * there)))

    assert found.share == share
    assert found.expected == "4 similarities in the saved outputs"
    if share != 1:
        assert (found.observed, found.hint) == (
            f"the saved outputs show {there} such number{'s'[: there - 1]}",
            SAVE,
        )


@pytest.mark.parametrize(("there", "share"), [(3, Fraction(1, 2)), (2, 0)])
def test_less_than_half_of_an_odd_count_is_worth_nothing(there: int, share: Fraction) -> None:
    assert numbers(code(0, shown("0.25 " * there)), count=5).share == share


def test_a_check_may_advise_something_else_where_there_are_outputs() -> None:
    check = ShowsNumbers(count=4, what="similarities")
    hints = [
        check.judge_count(seen(code(0, *outputs)), 1, observed="1", hint="Print them.").hint
        for outputs in ((shown("0.25"),), ())
    ]

    assert hints == ["Print them.", SAVE]


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("0.25", True),
        ("+0.25, [-0.25]", True),
        ("tensor(0.9193, grad_fn=<X>)", True),
        ("1.00", True),
        ("1.01", False),
        ("[ 1. -1.]", True),
        ("93 %", True),
        ("101 %", False),
        ("v-0.25", False),
        ("2.00", False),
        ("10.25", False),
        ("0.2", False),
        ("It is 0.25.", True),
        ("9.1930e-01", True),
        ("0,9193", True),
        ("-.06", True),
        ("91.93 %", True),
        ("torch-0.25", False),
        ("numpy==0.25", False),
        ("0.25s", False),
        ("x0.25", False),
        ("0.25.1", False),
    ],
)
def test_only_numbers_between_minus_one_and_one_with_two_decimals_count(
    text: str, *, there: bool
) -> None:
    assert numbers(code(0, shown(text)), count=1).share == there


def test_numbers_in_text_that_is_no_output_do_not_count() -> None:
    words = Cell(index=0, kind="markdown", source="0.25", outputs=(shown("0.25"),))

    assert numbers(words, count=1).share == 0


def test_a_file_without_any_output_says_so() -> None:
    found = numbers(code(0))

    assert [found.share, found.observed, found.hint] == [0, "the file holds no saved outputs", SAVE]
    assert not found.pending


def test_a_file_without_outputs_beside_a_pdf_is_for_a_person() -> None:
    found = numbers(code(0), attachments=(".txt", ".pdf"))

    assert [found.share, found.pending] == [0, True]
    assert found.expected == "4 similarities in the saved outputs"
    assert found.observed == (
        "the notebook's outputs are cleared, but a PDF was submitted beside it"
    )


def test_a_pdf_replaces_no_output_that_is_there_and_nothing_else_is_a_pdf() -> None:
    assert not numbers(code(0, shown("0.25")), attachments=(".pdf",)).pending
    assert not numbers(code(0), attachments=(".txt",)).pending
    assert numbers(code(0, shown("0.25 " * 4)), attachments=(".pdf",)).share == 1


# ---------------------------------------------------------------- a figure


PICTURE = shown("", "image/png", "text/plain")
WIDGET = shown("Output()", "application/vnd.jupyter.widget-view+json", "text/plain")


def figure(*cells: Cell, **more: Any) -> CheckOutcome:
    return judged("OUT002", seen(*cells, **more), what="a scatter plot")


@pytest.mark.parametrize(
    "output",
    [
        PICTURE,
        shown("", "text/plain", "image/jpeg"),
        shown("", "image/svg+xml"),
        shown("", "image/gif"),
        shown("", "video/mp4"),
        shown("", "application/vnd.plotly.v1+json", "text/html"),
        shown("", "application/vnd.vegalite.v5+json", "text/plain"),
        shown("", "application/vnd.vega.v5+json"),
        shown("", "text/html", html=True),
    ],
)
def test_a_figure_of_any_kind_is_one(output: SavedOutput) -> None:
    found = figure(code(0), code(1, shown("text"), output))

    assert [found.share, found.observed] == [1, "the saved outputs show a scatter plot"]
    assert found.expected == "a scatter plot in the saved outputs, after training"


def test_text_and_tables_are_no_figure() -> None:
    found = figure(code(0, shown("0.25"), shown("", "text/html"), WIDGET))

    assert [found.share, found.observed, found.hint] == [
        0,
        "the saved outputs show no figure",
        SAVE,
    ]
    assert found.expected == "a scatter plot in the saved outputs, after training"
    assert not found.pending


STEP = Step(event_index=1, cell=2, modules=(0,))
CALL = Call(event_index=0, cell=1, name="loss", args={})


@pytest.mark.parametrize(
    ("recording", "first"),
    [
        (Recording(), 0),
        (Recording(steps=(STEP,)), 2),
        (Recording(calls=(CALL,)), 1),
        (Recording(steps=(STEP,), calls=(CALL,)), 1),
        (Recording(steps=(STEP, replace(STEP, cell=3))), 2),
    ],
)
def test_a_figure_counts_from_the_cell_that_trains(recording: Recording, first: int) -> None:
    for index in range(4):
        cells = [code(n, PICTURE) if n == index else code(n) for n in range(4)]
        found = figure(*cells, recording=recording)

        assert found.share == (index >= first)
        if index < first:
            assert (found.observed, found.hint) == (
                "the saved outputs show a figure, but only before training",
                SAVE,
            )


def test_a_figure_may_be_in_the_pdf_for_a_person_to_see() -> None:
    found = figure(code(0), attachments=(".pdf",))

    assert found.pending
    assert found.expected == "a scatter plot in the saved outputs, after training"
    assert not figure(code(0, shown("0.25")), attachments=(".pdf",)).pending


def test_a_rubric_need_not_name_the_figure() -> None:
    check = CHECKS["OUT002"].model_validate({})

    assert check.describe() == "the file shows a figure"


# ---------------------------------------------------------------- the order


def order(*cells: Cell, **params: int) -> CheckOutcome:
    return judged("OUT003", seen(*cells), **params)


def test_cells_out_of_order_are_named_and_each_takes_its_part() -> None:
    cells = [code(n, count=n + 1) for n in range(10)]
    cells[3] = code(3, count=50)
    cells[5] = code(5)

    found = order(*cells)

    assert found.share == Fraction(8, 10)
    assert found.expected == "the cells were run from top to bottom, and none was left out"
    assert found.observed == "cell 3, cell 5 were run out of order, or never"
    assert found.hint == "Restart the kernel, run all cells, save, and submit that file."
    assert found.cells == (3, 5)


def test_of_many_cells_out_of_order_some_are_named() -> None:
    def cells(missing: int) -> list[Cell]:
        return [code(n, count=None if n < missing else n) for n in range(12)]

    eight = ", ".join(f"cell {n}" for n in range(8))
    assert order(*cells(8)).observed == f"{eight} were run out of order, or never"
    nine, one = order(*cells(9)), order(*cells(1))
    assert one.observed == "cell 0 was run out of order, or never"
    assert nine.observed == f"{eight} and 1 more were run out of order, or never"
    assert [nine.share, nine.cells] == [Fraction(1, 4), tuple(range(9))]


def test_as_many_may_be_out_of_order_as_the_rubric_allows() -> None:
    cells = [code(0), code(1), *(code(n, count=n) for n in range(2, 6))]

    assert order(*cells, at_most=2).share == 1
    allowed = order(*cells, at_most=2)
    assert allowed.observed == "the cells were run from top to bottom, but for cell 0, cell 1"
    assert allowed.expected == "the cells were run from top to bottom, and none was left out"
    assert order(*cells, at_most=1).share == Fraction(4, 6)


def test_a_file_without_numbers_says_nothing_of_order() -> None:
    quiet, cleared = order(code(0, shown("x"))), order(code(0))

    assert [quiet.share, quiet.observed] == [
        1,
        "the file does not say in which order its cells were run",
    ]
    assert [cleared.share, cleared.observed] == [0, "no cell was run before the file was saved"]
    assert cleared.hint == "Restart the kernel, run all cells, save, and submit that file."
    assert (
        quiet.expected
        == cleared.expected
        == "the cells were run from top to bottom, and none was left out"
    )


# ---------------------------------------------------------------- a fresh run


def fresh(*pairs: tuple[str, str], **params: int) -> CheckOutcome:
    cells = tuple(code(n, shown(then)) if then else code(n) for n, (then, _) in enumerate(pairs))
    runs = tuple(
        CellRun(index=n, status=CellStatus.RAN, shown=now) for n, (_, now) in enumerate(pairs)
    )
    made = replace(seen(*cells), record=ExecutionRecord(cells=runs, heard=True))
    return judged("OUT004", made, **params)


def test_cells_that_come_out_otherwise_are_named_and_each_takes_its_part() -> None:
    found = fresh(("a 0.5", "a 0.5"), ("b 0.5", "b 0.9"), ("c 0.5", "c 0.9"))

    assert [found.share, found.cells] == [Fraction(1, 3), (1, 2)]
    assert found.expected == "a fresh run shows the numbers and pictures that the file shows"
    assert found.observed == "a fresh run showed something else in 2 of 3 cells"
    assert found.hint == "Set a seed, restart the kernel, run all cells, and save."


def test_as_many_may_come_out_otherwise_as_the_rubric_allows() -> None:
    pairs = [("a 0.5", "a 0.5"), ("b 0.5", "b 0.9"), ("c 0.5", "c 0.9")]

    allowed = fresh(*pairs, at_most=2)
    assert allowed.observed == "a fresh run reproduced the saved output of 1 of 3 cells"
    assert allowed.expected == "a fresh run shows the numbers and pictures that the file shows"
    assert [fresh(*pairs, at_most=n).share for n in (2, 1)] == [1, Fraction(1, 3)]


def test_a_file_that_shows_nothing_can_be_compared_with_nothing() -> None:
    found = fresh(("", "a 0.5"))

    assert [found.share, found.observed, found.hint] == [
        0,
        "the file holds no saved outputs to compare",
        SAVE,
    ]
    assert found.expected == "a fresh run shows the numbers and pictures that the file shows"
