"""Code with its outputs and figures answers a written item that takes code."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image

from grader.checks import SeededRandom, load_checks
from grader.gradebook.mark_points import digest_answer
from grader.model import Answer, Cell, Item, Notebook, SavedOutput, Submission
from grader.notebook import handout_lines, outline_handout, read_notebook, written_answers
from grader.pipeline.cache_keys import CacheKeys, run_part
from grader.pipeline.judge import Judge
from grader.report.student_report import answer_view
from grader.rubric import find_rubric, load_rubric
from grader.selfcheck.submission_warnings import _code_answer_warnings, _empty_answer_warnings

ROOT = Path(__file__).parent.parent
PROMPTS = {
    "Q1": "Show the mean mass of each species of penguin in a table.",
    "Q2": "Draw the mass of the penguins over the years with labels on both axes.",
    "Q3": "Which species is the heaviest, and how does your table show that?",
}
KINDS = {"Q1": "code", "Q2": "any", "Q3": "text"}
ITEMS = [
    Item(
        id=name,
        title=name,
        points=Fraction(1),
        kind="written",
        source="handout",
        prompt=prompt,
        answer=KINDS[name],  # type: ignore[arg-type]
    )
    for name, prompt in PROMPTS.items()
]
SETUP = "import pandas as pd\nmasses = pd.read_csv('masses.csv')"
GIVEN = "years = masses.year.unique()"
REFERENCE = (
    SETUP,
    "### BEGIN SOLUTION\nmasses.groupby('species').mass.mean()\n### END SOLUTION",
    f"{GIVEN}\n### BEGIN SOLUTION\nmasses.plot('year', 'mass')\n### END SOLUTION",
)


def page(setup: str, table: str | Cell, figure: str | Cell, *words: str) -> Notebook:
    """The assignment with these answers; words stand below the last question."""

    def code(source: str | Cell) -> Cell:
        return source if isinstance(source, Cell) else Cell(index=0, kind="code", source=source)

    def text(*parts: str) -> Cell:
        return Cell(index=0, kind="markdown", source="\n\n".join(parts))

    cells = [
        code(setup),
        text("## Part 1", PROMPTS["Q1"]),
        code(table),
        text("## Part 2", PROMPTS["Q2"]),
        code(figure),
        text("## Part 3", PROMPTS["Q3"], *words),
    ]
    numbered = (replace(cell, index=index) for index, cell in enumerate(cells))
    return Notebook(cells=tuple(numbered), sha256="")


def answers(notebook: Notebook, **overrides: tuple[int, ...]) -> dict[str, Answer]:
    reference = page(*REFERENCE)
    return dict(
        written_answers(
            notebook,
            items=ITEMS,
            handout=handout_lines(reference),
            outline=outline_handout(reference, items=ITEMS),
            overrides=overrides,
        )
    )


def ran(source: str, **output: object) -> Cell:
    return Cell(
        index=0,
        kind="code",
        source=source,
        count=1,
        outputs=(SavedOutput(**{"text": "", "mimes": (), **output}),),  # type: ignore[arg-type]
    )


def test_a_figure_that_is_not_shown_is_told_with_the_reason() -> None:
    drawn = page(SETUP, ran("masses.hist()", mimes=("image/png",)), GIVEN)
    odd, unread = answers(drawn)["Q1"], answers(replace(drawn, without_figures=True))["Q1"]

    assert "1 figure of a kind that is not shown here." in odd.text
    assert "1 figure not kept when this notebook was run, before the question took" in unread.text


@pytest.mark.parametrize("figures", [True, False])
def test_a_notebook_knows_whether_its_figures_were_read(tmp_path: Path, *, figures: bool) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}')

    assert read_notebook(path, figures=figures).without_figures is not figures


def test_code_answers_with_what_it_shows() -> None:
    found = answers(page(SETUP, ran("masses.mean()", text="Gentoo 5076"), GIVEN, "The Gentoo."))

    assert found["Q1"].text == "~~~python\nmasses.mean()\n~~~\n\nOutput:\n\n~~~\nGentoo 5076\n~~~"
    assert found["Q1"].cells == (2,)
    assert found["Q3"].text == "The Gentoo."


def test_the_words_of_the_solution_are_a_students_own() -> None:
    found = answers(page(SETUP, "masses.groupby('species').mass.mean()", GIVEN))

    assert "groupby" in found["Q1"].text


@pytest.mark.parametrize(
    "source", ["", "# your code here", "...  # your code here", "raise NotImplementedError()"]
)
def test_an_open_blank_and_given_code_are_no_answer(source: str) -> None:
    found = answers(page(SETUP, source, f"{GIVEN}  # as given\n{source}"))

    assert found["Q1"].is_missing
    assert found["Q2"].is_missing
    assert not found["Q1"].concern


def test_given_code_is_shown_where_something_was_added_to_it() -> None:
    found = answers(page(SETUP, "...", f"{GIVEN}\nmasses.plot()"))

    assert GIVEN in found["Q2"].text


def test_without_marks_in_the_reference_all_code_is_shown() -> None:
    plain = page(SETUP, "x = 1", "y = 2")
    found = written_answers(
        plain,
        items=ITEMS,
        handout=handout_lines(plain),
        outline=outline_handout(plain, items=ITEMS),
    )

    assert "x = 1" in found["Q1"].text


def test_a_missing_question_is_no_certain_zero() -> None:
    notebook = page(SETUP, "masses.mean()", GIVEN)
    cells = tuple(cell for cell in notebook.cells if cell.index not in {1, 2})
    numbered = tuple(replace(cell, index=index) for index, cell in enumerate(cells))
    found = answers(replace(notebook, cells=numbered))

    assert found["Q1"].is_missing
    assert found["Q1"].concern


def test_a_person_locates_code_elsewhere() -> None:
    found = answers(page(SETUP, "...", ran("masses.mean()", text="5076")), Q1=(4,))

    assert "5076" in found["Q1"].text
    assert found["Q1"].located_by_person
    assert found["Q2"].is_missing


def test_an_errors_words_and_fences_stay_inside_their_block() -> None:
    table = ran("print('~~~')\n~~~~\n# **bold**", error="NameError: name 'x'")
    view = answer_view(answers(page(SETUP, table, GIVEN))["Q1"])

    assert view.text is not None
    assert "<strong>" not in view.text
    assert "NameError" in view.text


def test_a_revision_is_the_code_and_what_it_shows() -> None:
    notebook = page(SETUP, ran("masses.mean()", text="5076"), GIVEN)
    moved = tuple(replace(cell, index=index + 1) for index, cell in enumerate(notebook.cells))
    above = Cell(index=0, kind="code", source="1")
    same = answers(replace(notebook, cells=(above, *moved)))
    other = answers(page(SETUP, ran("masses.mean()", text="5077"), GIVEN))

    digest = digest_answer(answers(notebook)["Q1"])
    assert digest_answer(same["Q1"]) == digest
    assert digest_answer(other["Q1"]) != digest


def test_long_outputs_are_cut_in_the_middle() -> None:
    text = answers(page(SETUP, ran("x", text="a" * 9_000 + "z"), GIVEN))["Q1"].text

    assert "5,001 characters left out" in text
    assert text.endswith("z\n~~~")


def test_figures_are_read_only_where_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "figure.ipynb"
    picture = tmp_path / "figure.png"
    Image.new("RGB", (4, 4), "navy").save(picture)
    data = {"image/png": encoded(picture), "text/html": "<script>alert(1)</script>"}
    output = {"output_type": "display_data", "data": data, "metadata": {}}
    cell = {"cell_type": "code", "source": "draw()", "outputs": [output], "metadata": {}}
    path.write_text(json.dumps({"cells": [cell], "nbformat": 4}), encoding="utf-8")

    assert read_notebook(path).cells[0].images == ()
    (drawn,) = read_notebook(path, figures=True).cells
    assert [image.mime for image in drawn.images] == ["image/png"]
    found = answers(page(SETUP, "...", drawn))["Q2"]
    assert found.images == drawn.images
    assert found.text == "~~~python\ndraw()\n~~~\n\nOutput: (picture 1)"
    assert "shown here" in answers(page(SETUP, replace(drawn, images=()), GIVEN))["Q1"].text


def encoded(picture: Path) -> str:

    return base64.b64encode(picture.read_bytes()).decode()


def test_the_self_check_warns_of_words_and_of_code_that_was_not_run() -> None:
    notebook = page(SETUP, "masses.mean()", GIVEN)
    found = answers(notebook)
    found["Q2"] = replace(found["Q1"], item="Q2")
    found["Q1"] = Answer(item="Q1", text="It did not work.", cells=(1,))
    warnings = list(_code_answer_warnings(notebook, answers=found, items=ITEMS))

    assert len(warnings) == 2
    assert "No code was found for Q1" in warnings[0]
    assert "Q2 was not run" in warnings[1]


def test_who_left_an_item_empty_is_told_what_answers_it() -> None:
    assert list(_empty_answer_warnings(["Q3", "Q1", "Q2"], items=ITEMS)) == [
        "No answer was found for Q3: write below the question.",
        "No answer was found for Q1: write the code below the question.",
        "No answer was found for Q2: write words or code below the question.",
    ]
    twice = [*ITEMS, replace(ITEMS[0], id="Q4")]
    assert list(_empty_answer_warnings(["Q1", "Q4"], items=twice)) == [
        "No answers were found for Q1, Q4: write the code below the question."
    ]


def test_code_comes_to_answer_and_notebooks_are_read_again(tmp_path: Path) -> None:
    rubric = load_rubric(find_rubric(ROOT), catalog=load_checks)
    judge = Judge.for_rubric(rubric, rng=SeededRandom(seed=b"1"))
    written = [item for item in rubric.items if item.kind == "written"]
    items = [replace(item, answer="code") if item is written[0] else item for item in rubric.items]
    submission = Submission(name="a", path=tmp_path / "a.ipynb", display_path="a.ipynb")
    (tmp_path / "a.ipynb").write_text('{"cells": [], "nbformat": 4}', encoding="utf-8")

    def run_key(judge: Judge) -> str:
        return run_part(CacheKeys(judge).prepare(submission).key)

    changed = replace(judge, rubric=replace(rubric, items=tuple(items)))
    assert run_key(judge) != run_key(changed)
