"""A notebook runs from top to bottom, or its own failures are told from those they cause."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from test_checks import evidence

from grader.checks import CHECKS, Evidence
from grader.checks.check import CheckOutcome
from grader.checks.execution import failure_cause, own_failures
from grader.checks.memo import Memo
from grader.model import (
    Cell,
    CellError,
    CellRun,
    CellStatus,
    ExecutionRecord,
    MissingModule,
    Notebook,
    shorten,
)

HINT = "Restart the kernel, run all cells, and fix the first error before you submit."


def no_name(name: str) -> CellError:
    return CellError(name="NameError", message=f"name '{name}' is not defined")


def ran(*cells: tuple[str, CellError | CellStatus | None]) -> Evidence:
    """Cells that ran, raised this error, or ended otherwise."""
    runs = []
    for index, (_, end) in enumerate(cells):
        error = end if isinstance(end, CellError) else None
        status = end if isinstance(end, CellStatus) else CellStatus.RAN
        runs.append(
            CellRun(index=index, status=CellStatus.RAISED if error else status, error=error)
        )
    made = tuple(Cell(index=n, kind="code", source=source) for n, (source, _) in enumerate(cells))
    notebook = Notebook(cells=made, sha256="0")
    return replace(evidence(), notebook=notebook, record=ExecutionRecord(cells=tuple(runs)))


def ran_again(made: Evidence) -> Evidence:
    """The same evidence, of which nothing is remembered."""
    return replace(made, memo=Memo())


def judged(made: Evidence, at_most: str = "1") -> CheckOutcome:
    return CHECKS["EXE001"].model_validate({"at_most": at_most}).judge(made)


WRONG = CellError(name="ValueError", message="no", line=2)


def test_a_notebook_without_a_failure_earns_everything() -> None:
    found = judged(ran(("x = 1", None), ("", CellStatus.SKIPPED), ("y = x", None)))

    assert [found.share, found.observed] == [1, "2 of 2 code cells ran without an error"]
    assert found.expected == "every code cell runs without an error"


def test_each_cell_that_fails_of_its_own_takes_its_share() -> None:
    found = judged(ran(("x = 1", WRONG), ("y = 1", None), ("z = 1", None), ("", None)))

    assert [found.share, found.cells, found.hint] == [Fraction(3, 4), (0,), HINT]
    assert found.expected == "every code cell runs without an error"
    assert found.observed == "1 of 4 cells failed on their own: cell 0: ValueError: no (line 2)"


def test_where_only_modules_are_missing_the_hint_is_about_them() -> None:
    gone = CellError(name="ModuleNotFoundError", message="No module named 'fogbank'")

    assert judged(ran(("import fogbank", gone))).hint == (
        "Is all that is imported installed, spelled right, or submitted with the notebook?"
    )
    assert judged(ran(("import fogbank", gone), ("x", WRONG))).hint == HINT


def test_where_any_cell_fails_there_is_a_largest_share() -> None:
    made = ran(*[("x = 1", None)] * 9, ("y = 1", WRONG))

    assert judged(made, "5/6").share == Fraction(5, 6)
    assert judged(made, "1").share == Fraction(9, 10)


def test_cells_that_are_skipped_are_no_cells() -> None:
    skipped = ran(("# x", CellStatus.SKIPPED), ("y = 1", WRONG), ("z = 1", None))
    empty = judged(ran(("# x", CellStatus.SKIPPED)))

    assert judged(skipped).share == Fraction(1, 2)
    assert [empty.share, empty.observed] == [0, "the notebook has no code cells"]
    assert empty.expected == "every code cell runs without an error"


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (CellError(name="E", message="m" * 130), f"E: {'m' * 120} …"),
        (CellError(name="E", message="m", line=0), "E: m"),
        (CellStatus.TIMED_OUT, "not reached in the time there was"),
        (CellStatus.STRUCK_OUT, "not reached in the time there was"),
    ],
)
def test_what_became_of_a_cell_is_said(end: CellError | CellStatus, said: str) -> None:
    found = judged(ran(("x = 1", None), ("y = 1", end)))

    assert found.observed == f"1 of 2 cells failed on their own: cell 1: {said}"


def test_a_failure_that_is_our_lack_is_not_said_to_be_the_cells_own() -> None:
    message = "parsnip.peel was used, but parsnip is not installed."
    made = ran(("x = 1", None), ("y = 1", CellError(name="ModuleNotFoundError", message=message)))

    def observed(*, known: bool) -> str:
        missing = (MissingModule(name="parsnip", known=known),)
        return judged(replace(made, record=replace(made.record, missing=missing))).observed

    assert observed(known=True) == f"1 of 2 cells failed: cell 1: ModuleNotFoundError: {message}"
    assert observed(known=False).startswith("1 of 2 cells failed on their own: cell 1")


def test_cells_that_were_not_run_are_not_said_to_have_failed() -> None:
    lost = CellStatus.NOT_REACHED
    some, all_lost = (
        judged(ran(("x = 1", first), ("y = 1", lost), ("z = 1", lost), ("", None)))
        for first in (WRONG, None)
    )

    assert [some.share, some.cells] == [Fraction(1, 4), (0, 1, 2)]
    assert some.observed.startswith("1 of 4 cells failed on their own, 2 were not run: cell 0: V")
    assert all_lost.observed.startswith("2 of 4 cells were not run: cell 1: not reached")


def test_the_first_six_failures_are_described_and_all_are_named() -> None:
    found = judged(ran(*[("x = 1", CellError(name="E", message="m"))] * 7, ("y = 1", None)))

    described = "; ".join(f"cell {n}: E: m" for n in range(6))
    assert found.observed == f"7 of 8 cells failed on their own: {described}; and 1 more"
    assert found.cells == tuple(range(7))


ANSWERED = "input() was answered with '1'"


@pytest.mark.parametrize(
    ("name", "own"), [("ValueError", False), ("IndexError", False), ("ZeroDivisionError", True)]
)
def test_a_cell_that_our_answer_did_not_suit_is_no_failure_of_its_own(
    name: str, *, own: bool
) -> None:
    made = ran(("a, b, c = read()", CellError(name=name, message="no")), ("y = a", no_name("a")))
    first, second = made.record.cells
    runs = (replace(first, notes=("something else", ANSWERED)), second)
    found = judged(replace(made, record=replace(made.record, cells=runs)))

    assert (found.share < 1) == own
    if not own:
        assert found.observed == (
            "0 of 2 code cells ran without an error; the answer that input() gets "
            "here did not suit cell 0"
        )
        assert judged(made).share < 1


NO_UPLOAD = "files.upload() gave only what came with the notebook, not what was wanted"


@pytest.mark.parametrize(
    ("name", "own"),
    [
        ("StopIteration", False),
        ("KeyError", False),
        ("FileNotFoundError", False),
        ("NameError", False),
        ("AttributeError", True),
    ],
)
def test_a_cell_that_found_no_upload_is_no_failure_of_its_own(name: str, *, own: bool) -> None:
    made = ran(("n = next(iter(files.upload()))", CellError(name=name, message="")), ("1", None))
    runs = (replace(made.record.cells[0], notes=(NO_UPLOAD,)), made.record.cells[1])
    found = judged(replace(made, record=replace(made.record, cells=runs)))

    assert (found.share < 1) == own
    if not own:
        told = (
            "1 of 2 code cells ran without an error; what files.upload() gives "
            "here did not suit cell 0"
        )
        assert found.observed == told


def test_a_name_that_a_loop_over_no_upload_should_have_assigned_is_nobodys_failure() -> None:
    made = ran(("for n in uploaded: pass", None), ("open(n)", no_name("n")), ("m", no_name("m")))
    first, *others = made.record.cells
    noted = (replace(first, notes=(NO_UPLOAD,)), *others)

    assert [run.index for run in own_failures(made)] == [1, 2]
    record = replace(made.record, cells=noted)
    assert [run.index for run in own_failures(replace(ran_again(made), record=record))] == [2]


# ---------------------------------------------------------------- causes


def test_a_name_that_a_failed_cell_should_have_assigned_is_that_cells_failure() -> None:
    made = ran(("x = 1 / 0", WRONG), ("print(x)", no_name("x")), ("print(w)", no_name("w")))

    assert [run.index for run in own_failures(made)] == [0, 2]
    cause = failure_cause(made.record.cells[1], made)
    assert cause is not None
    assert cause.index == 0
    assert failure_cause(made.record.cells[0], made) is None


def test_a_chain_of_missing_names_has_its_root() -> None:
    made = ran(
        ("x = 1 / 0", WRONG),
        ("y = x", no_name("x")),
        ("z = y", no_name("y")),
        ("print(z)", no_name("z")),
    )

    assert [run.index for run in own_failures(made)] == [0]
    assert [
        cause.index for run in made.record.cells if (cause := failure_cause(run, made)) is not None
    ] == [0, 0, 0]


def test_a_cell_that_ran_and_one_that_comes_later_are_no_cause() -> None:
    made = ran(("x = 1", None), ("print(x)", no_name("x")), ("x = 2", WRONG), ("y = 1", None))

    assert [run.index for run in own_failures(made)] == [1, 2]


def test_of_several_cells_that_assign_a_name_the_one_that_failed_is_the_cause() -> None:
    made = ran(("x = 1", None), ("x = 1 / 0", WRONG), ("del x; x", no_name("x")))

    assert [run.index for run in own_failures(made)] == [1]


@pytest.mark.parametrize(
    "error",
    [
        CellError(name="KeyError", message="name 'x' is not defined"),
        CellError(name="NameError", message="x is not defined"),
        CellError(name="NameError", message="name 'y' is not defined"),
    ],
)
def test_other_errors_are_a_cells_own(error: CellError) -> None:
    assert len(own_failures(ran(("x = 1 / 0", WRONG), ("print(x)", error)))) == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ends here", "ends here"),
        ("the notebook was run again", "the notebook was run …"),
        ("the notebook was runs", "the notebook was runs"),
        ("x" * 30, "x" * 21 + " …"),
        ("short " + "x" * 30, "short " + "x" * 15 + " …"),
    ],
)
def test_a_long_text_is_cut_after_a_word(text: str, shown: str) -> None:
    assert shorten(text, most=21) == shown


def test_a_long_error_is_told_in_whole_words() -> None:
    error = CellError(name="ValueError", message="word " * 40)

    told = judged(ran(("x = 1", error))).observed
    assert "word …" in told
    assert "wor …" not in told
