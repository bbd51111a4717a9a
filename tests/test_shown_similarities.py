"""Similarities are told by where they come from: the cell that prints them when it runs anew."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from test_checks import evidence

from grader.checks import Evidence
from grader.checks.check import ARRAYS_QUESTION, CheckOutcome
from grader.contrastive import CHECKS
from grader.inside.output_limits import OutputMeter
from grader.kernel.cell_runs import read_cell_run
from grader.model import (
    Cell,
    CellRun,
    CellStatus,
    ExecutionRecord,
    Limits,
    Notebook,
    Observation,
    SavedOutput,
)
from grader.notebook.saved_outputs import saved_outputs

PARAMS = {
    "labels": ["one", "two", "three"],
    "shape": [4],
    "before": "early",
    "after": "late",
    "count": 6,
    "what": "similarities",
}
BEFORE, AFTER = ("0.9138", "0.1702", "-0.0611"), ("0.9871", "0.0544", "-0.0873")


def vectors(numbers: tuple[str, ...]) -> np.ndarray:
    """Three unit vectors with these cosines."""
    one_two, one_three, two_three = map(float, numbers)
    gram = np.array([[1, one_two, one_three], [one_two, 1, two_three], [one_three, two_three, 1]])
    return np.linalg.cholesky(gram)


def lines(*numbers: str, word: str = "similarity") -> str:
    return "".join(f"{word} {place}: {number}\n" for place, number in enumerate(numbers))


FRESH = lines(*BEFORE, *AFTER)


def made(
    *pairs: tuple[str, str],
    known: bool = True,
    status: CellStatus = CellStatus.RAN,
    after: tuple[str, ...] = AFTER,
) -> Evidence:
    """A notebook whose cells show first what was saved, then what a fresh run prints."""
    cells = tuple(
        Cell(
            index=index,
            kind="code",
            source="run()",
            outputs=(SavedOutput(text=saved, mimes=()),) if saved else (),
        )
        for index, (saved, _) in enumerate(pairs)
    )
    runs = tuple(
        CellRun(index=index, status=status, shown=fresh) for index, (_, fresh) in enumerate(pairs)
    )
    arrays = {"early": vectors(BEFORE), "late": vectors(after)} if known else {}
    return replace(
        evidence(),
        notebook=Notebook(cells=cells, sha256=""),
        record=ExecutionRecord(cells=runs, heard=True),
        observations={
            ARRAYS_QUESTION.id: Observation(id=ARRAYS_QUESTION.id, status="ok", arrays=arrays)
        },
    )


def judged(seen: Evidence) -> CheckOutcome:
    return CHECKS["SHO001"].model_validate(PARAMS).judge(seen)


@pytest.mark.parametrize("status", [CellStatus.RAISED, CellStatus.RAN])
def test_a_cell_that_failed_midway_shows_what_its_file_shows(status: CellStatus) -> None:
    seen = made((FRESH, lines(*BEFORE)), status=status)
    arrays = Observation(id=ARRAYS_QUESTION.id, status="ok", arrays={"early": vectors(BEFORE)})
    found = judged(replace(seen, observations={arrays.id: arrays}))

    assert found.share == (1 if status is CellStatus.RAISED else Fraction(1, 2))


@pytest.mark.parametrize(
    "saved",
    [
        FRESH,
        "Before: 0.9138. 0.1702. Two and three: -0.0611.\nAfter that 0.9871, then 0.0544, -0.0873.",
        "9.138e-01 1.702E-1 -6.11e-02 9.871e-01 5.44e-2 -8.73e-02",
        "0,9138 0,1702 -0,0611 0,9871 0,0544 -0,2093",
        ".9138 .1702 -.0611 .9871 .0544 -.0873",
        "91.4% 17.0 % -6.1% 98.7% 5.4% -8.7%",
        "[0.91 0.17 -0.06]\n[0.99 0.05 -0.09]",
        "tensor([0.9138, 0.1702, \N{MINUS SIGN}0.0611])\ntensor([0.9871, 0.0544, -0.0873])",
        "[[ 1. 0.9138 0.1702]\n [0.9138 1. -0.0611]]\n[[1. 0.9871 0.0544]\n [0.9871 1. -0.0873]]",
        "{'a': {'12': 0.91379998, '13': 0.1702}, 'x': -0.0611, 'late': [0.9871,0.0544,-0.0873]}",
    ],
)
def test_the_saved_output_of_the_cell_that_prints_them_counts_in_any_spelling(saved: str) -> None:
    found = judged(made((saved, FRESH)))

    assert [found.share, found.observed] == [1, "the saved outputs show the 6 similarities"]


@pytest.mark.parametrize(
    "saved",
    [
        lines("0.85", "0.31", "0.22", "0.97", "0.13", "-0.02"),
        "Then it was 0.8511. Next came 0.3105.\n0.2233 0.9705 0.1311 -0.0209",
        "Loss 3.21\nSimilarity after 1 step: 0.85, 0.31, 0.22\nAt the end 0.97 0.13 -0.02",
    ],
)
def test_without_a_seed_the_cell_tells_what_its_other_numbers_are(saved: str) -> None:
    assert judged(made((saved, FRESH))).share == 1


def test_without_a_seed_similarities_may_all_be_one() -> None:
    saved = lines("0.85", "0.31", "0.22", "1.00", "1.00", "1.00")

    assert judged(made((saved, FRESH))).share == 1


def test_numpy_leaves_out_zeros_and_nobody_else_leaves_out_decimals() -> None:
    collapsed = ("0.9999", "0.9998", "0.9999")
    fresh = lines(*BEFORE, *collapsed)

    assert judged(made(("[0.91 0.17 -0.06] [1. 1. 1.]", fresh), after=collapsed)).share == 1
    rounded = ("0.9", "0.2", "-0.1")
    fresh = lines(*BEFORE, *rounded)

    assert judged(made((" ".join([*BEFORE, *rounded]), fresh), after=rounded)).share == 1
    assert judged(made(("0.9 0.2 0 0.9 0.1 0", FRESH))).share == 0


def dump(count: int, decimals: int) -> str:
    numbers = np.random.default_rng(5).standard_normal(count)
    rows = (f"[{', '.join(f'{n:.{decimals}f}' for n in row)}]" for row in numbers.reshape(-1, 8))
    return f"tensor([{', '.join(rows)}])"


@pytest.mark.parametrize(
    "saved",
    [
        dump(24, 4),
        dump(3072, 2),
        lines("0.69", "0.61", "0.55", "0.48", "0.41", "0.38", word="loss"),
        "Requirement already satisfied: numpy==0.26 torch-0.15 pip-0.21 six==0.16 a==0.12 b==0.31",
        "Successfully installed numpy-1.26.4 torch-2.1.0 pip-0.21.3 six-1.16.0 a-0.1.2 b-0.3.1",
        "0.9 1 0 2 0.1 7",
        "",
    ],
)
def test_what_only_looks_like_similarities_is_none(saved: str) -> None:
    """Neither elsewhere nor in place of what the cell prints now."""
    for seen in (
        made((saved, saved), ("", FRESH)),
        made((saved, "")),
        made(("done", "done"), (saved, FRESH)),
        made(("done", "done"), (saved, saved), known=False),
    ):
        assert judged(seen).share == 0


def test_a_fresh_run_that_prints_very_many_numbers_shows_no_similarity_by_chance() -> None:
    flood = dump(3072, 2)

    assert judged(made((flood, flood), (FRESH, FRESH))).share == 1
    assert judged(made((flood, flood), ("x", FRESH))).share == 0


def test_one_matrix_is_half_of_them() -> None:
    matrix = "[[1.0000, 0.9138, 0.1702], [0.9138, 1.0000, -0.0611], [0.1702, -0.0611, 1.0000]]"

    for fresh in (FRESH, matrix):
        found = judged(made((matrix, fresh)))
        assert [found.share, found.observed] == [
            Fraction(1, 2),
            "the saved outputs show 3 of them as text",
        ]


def test_one_matrix_is_half_of_them_where_training_changed_nothing() -> None:
    matrix = "[[0.9138, 0.1702], [-0.0611, 1.0000]]"

    assert judged(made((matrix, matrix), after=BEFORE)).share == Fraction(1, 2)
    assert judged(made((matrix, matrix), (matrix, matrix), after=BEFORE)).share == 1


def test_they_may_be_printed_by_several_cells() -> None:
    before, after = lines(*BEFORE), lines(*AFTER)

    assert judged(made((before, before), ("x", "x"), (after, after))).share == 1
    assert judged(made((before, before), ("", after))).share == Fraction(1, 2)


def test_the_cell_that_prints_them_without_saved_output_is_named() -> None:
    found = judged(made(("done", "done"), ("", FRESH)))

    assert (
        found.observed == "the saved outputs show none of them; a fresh run printed them in cell 1"
    )
    assert found.hint == "Run all cells, save, and submit the file with its outputs."


def test_who_prints_none_or_half_is_told_to_print_them() -> None:
    matrix = "[[1.0000, 0.9138, 0.1702], [0.9138, 1.0000, -0.0611], [0.1702, -0.0611, 1.0000]]"
    drawn, half = judged(made(("done", "done"))), judged(made((matrix, matrix)))
    print_hint = "Print each of them, and save the file with what is printed."

    assert [drawn.observed, drawn.hint] == [
        "the saved outputs show none of them as text",
        print_hint,
    ]
    assert [half.observed, half.hint] == ["the saved outputs show 3 of them as text", print_hint]
    assert judged(made((matrix, FRESH))).hint == judged(made(("", ""))).hint != print_hint


def test_where_a_fresh_run_prints_none_the_saved_outputs_tell() -> None:
    failed = CellStatus.RAISED
    unseeded = lines("0.85", "0.31", "0.22", "0.97", "0.13", "-0.02")

    assert judged(made((FRESH, ""), status=failed)).share == 1
    assert judged(made((unseeded, ""), status=failed)).share == 1
    assert judged(made((unseeded, "x"), known=False)).share == 1
    assert judged(made((unseeded.replace("similarity", "number"), "x"), known=False)).share == 0


def test_cleared_outputs_beside_a_pdf_are_for_a_person() -> None:
    cleared = made(("", FRESH))

    assert judged(cleared).observed == "the file holds no saved outputs"
    assert judged(replace(cleared, attachments=(".pdf",))).pending


# ---------------------------------------------------------------- rich outputs

NUMBERS = [*BEFORE, *AFTER]
TABLE = "<tr><td>" + "</td><td>".join(NUMBERS) + "</td></tr>"
RICH = {
    "text/html": f"<style>.c1 {{width: 0.5em}}</style><table id='T'>{TABLE}</table>"
    "<script>var x = 0.25 < 1;</script>",
    "text/markdown": f"| | {' | '.join(NUMBERS)} |\n|-|-|",
    "text/latex": rf"$\cos(x_1, x_2) = {', '.join(NUMBERS)}$",
}


def summary(raw: dict[str, Any]) -> dict[str, Any]:
    """What the runner reports of an output."""
    meter: Any = OutputMeter({"cell_output_kb": 10, "output_kb": 10})  # type: ignore[no-untyped-call]
    reported: dict[str, Any] = meter.summarize_cell({"outputs": [raw]})
    return reported


@pytest.mark.parametrize("mime", RICH)
@pytest.mark.parametrize("plain", ["<pandas.io.formats.style.Styler at 0x7f00aa>", "", None])
def test_what_a_reader_sees_of_a_rich_output_is_its_text(mime: str, plain: str | None) -> None:
    """In the file and in a fresh run."""
    data = {mime: RICH[mime]} if plain is None else {"text/plain": plain, mime: RICH[mime]}
    raw = {"output_type": "display_data", "data": data, "metadata": {}}
    frame = {"seconds": 1, "shown": summary(raw)}

    (saved,) = saved_outputs([raw], cell=0, notes=[])
    cell = Cell(index=0, kind="code", source="show()")
    run = read_cell_run(frame, cell, limits=Limits())

    for text in (saved.text, run.shown):
        assert all(number in text for number in NUMBERS)
        assert "0.5em" not in text
        assert "0.25" not in text


def test_plain_text_that_says_it_all_stays() -> None:
    data = {"text/plain": "one  0.25", "text/html": "<table><td>0.25</td></table>"}
    raw = {"output_type": "execute_result", "data": data, "metadata": {}}

    (saved,) = saved_outputs([raw], cell=0, notes=[])

    assert saved.text == "one  0.25"
    assert summary(raw)["text"] == "one  0.25"


@pytest.mark.parametrize("rich", [None, 7, "text", ["text/html"], [["text/html"]], [[1, 2]], [{}]])
def test_a_malformed_report_of_rich_texts_is_none(rich: object) -> None:
    frame = {"seconds": 1, "shown": {"text": "x", "rich": rich, "media": rich}}

    assert read_cell_run(frame, Cell(index=0, kind="code", source=""), limits=Limits()).shown == "x"


@pytest.mark.parametrize("form", ["{}", "Before training\n{}\nAfter training\n{}"])
def test_similarities_of_the_inputs_themselves_are_others(form: str) -> None:
    """They were computed in place of those of the embeddings."""
    numbers = ("0.7311", "0.2214", "0.1507")
    wide = np.pad(vectors(numbers), ((0, 0), (0, 1)))
    of_inputs = dict(zip(("one", "two", "three"), wide, strict=True))
    printed = form.format(*[lines(*numbers)] * 2)
    seen = made((printed, printed), ("done", "done"))
    arrays = {**seen.observation(ARRAYS_QUESTION).arrays, **of_inputs}
    known = Observation(id=ARRAYS_QUESTION.id, status="ok", arrays=arrays)

    assert judged(replace(seen, observations={known.id: known})).share == 0
    both = made((printed, printed), (FRESH, FRESH))
    assert judged(replace(both, observations={known.id: known})).share == 1
