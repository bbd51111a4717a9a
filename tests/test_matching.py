"""A question is found whose words are gone, what is unsure is said, and a person's word counts."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from test_answers import (
    ENCODER,
    GIVEN,
    ITEMS,
    PROMPTS,
    REFERENCE,
    WRITTEN,
    Page,
    code,
    handout,
    inside,
    notebook,
    place_of,
    text,
    with_cells,
)

from grader.model import Answer, Cell, Item, Notebook
from grader.notebook import match_code, outline_handout, written_answers
from grader.notebook.fallback_search import match_vocabulary
from grader.notebook.handout_outline import Outline
from grader.notebook.number_labels import item_numbers

CHECKED = [replace(item, points=Fraction(1)) for item in ITEMS]
GIVEN_CODE = {
    "Q2.3.0": "C1 = #FILLME\nC2 = C1 + 0.5 * torch.randn(3, 32, 32)\nB1 = #FILLME",
    "Q2.3.1": ENCODER,
}


def marked(book: Notebook, **marks: str) -> Notebook:
    """The notebook with ids on some cells, by 'c' and their index."""
    cells = tuple(
        replace(cell, ids=(marks[f"c{cell.index}"],)) if f"c{cell.index}" in marks else cell
        for cell in book.cells
    )
    return replace(book, cells=cells)


def all_marked(book: Notebook) -> Notebook:
    """The handout with an id on each of its cells, as Colab gives them."""
    return replace(book, cells=tuple(replace(c, ids=(f"colab:{c.index:03}",)) for c in book.cells))


def the_outline(*, marks: bool = False) -> Outline:
    page = notebook([text("# HW 5"), *handout()[1:]])
    return outline_handout(all_marked(page) if marks else page, items=ITEMS)


OUTLINE = the_outline()


def found(
    page: Page | Notebook,
    *,
    known: Outline = OUTLINE,
    told: dict[str, tuple[int, ...]] | None = None,
) -> dict[str, Answer]:
    book = page if isinstance(page, Notebook) else notebook(page)
    answers = written_answers(
        book, items=ITEMS, handout=REFERENCE, outline=known, overrides=told or {}
    )
    return dict(answers)


def said(page: Page | Notebook, *, known: Outline = OUTLINE) -> dict[str, str]:
    return {item: answer.text for item, answer in found(page, known=known).items()}


def doubted(page: Page | Notebook, *, known: Outline = OUTLINE) -> set[str]:
    return {item for item, answer in found(page, known=known).items() if answer.concern}


# ---------------------------------------------------------------- the handout's outline


def test_the_handouts_parts_are_known_by_their_headings_and_ids() -> None:
    parts = the_outline(marks=True).parts

    assert set(parts) == set(PROMPTS)
    assert parts["Q1.2"].headings == (
        "hw 5",
        "q1 convolutional neural networks 20 points",
        "part 2 7 points",
    )
    assert parts["Q2.3.3"].headings[-1] == "part 3 3 5 points"
    assert parts["Q1.2"].cell_ids == {"colab:004"}


def test_code_belongs_to_the_item_above_it_until_the_next_heading() -> None:
    items = {item for item, _ in OUTLINE.code.cells}

    assert items == {"Q2.3.0", "Q2.3.1", "Q2.3.2", "Q2.3.3", None} - {"Q2.3.3"}


# ---------------------------------------------------------------- what is right stays sure


@pytest.mark.parametrize(
    "page",
    [
        handout(),
        inside(),
        with_cells("below"),
        with_cells("above"),
        with_cells("below", kind="raw"),
    ],
    ids=["nothing answered", "inside", "below", "above", "raw"],
)
def test_an_ordinary_notebook_leaves_no_doubt(page: Page) -> None:
    assert doubted(page) == set()
    assert {answer.confidence for answer in found(page).values()} == {1.0}


@pytest.mark.parametrize("missing", WRITTEN)
def test_a_question_left_out_is_no_doubt(missing: str) -> None:
    given = {name: answer for name, answer in GIVEN.items() if name != missing}

    assert doubted(inside(given)) == set()
    assert doubted(with_cells("below", given=given)) == set()


def test_an_outline_changes_no_answer_that_was_found_by_its_words() -> None:
    for page in (inside(), with_cells("below"), with_cells("above")):
        assert said(page) == said(page, known=Outline()) == GIVEN


# ---------------------------------------------------------------- clues


def without_prompt(item: str, *, heading: str) -> Page:
    """The answered handout in which one question's words were typed over."""
    page = inside()
    at = place_of(page, item)
    page[at] = text(*([heading] if heading else []), GIVEN[item])
    return page


@pytest.mark.parametrize(
    ("item", "heading"),
    [("Q1.1", "### Part 1 (6 points)"), ("Q2.1", "### Part 1 (5 points)")],
)
def test_a_question_is_told_by_the_headings_above_it(item: str, heading: str) -> None:
    answers = found(without_prompt(item, heading=heading))

    assert {name: answer.text for name, answer in answers.items()} == GIVEN
    assert "its heading" in answers[item].concern
    assert doubted(without_prompt(item, heading=heading)) == {item}


@pytest.mark.parametrize(
    ("item", "heading"),
    [
        ("Q1.2", "Q1.2"),
        ("Q1.2", "**Question 1, Part 2**"),
        ("Q1.2", "Question 1.2:"),
        ("Q1.2", "# 1.2 Batch norm"),
        ("Q1.2", "1.2)"),
        ("Q1.2", "Part 2:"),
        ("Q2.3.4", "**Part 3.4 (5 points)**"),
    ],
)
def test_a_question_is_told_by_its_number(item: str, heading: str) -> None:
    answers = found(without_prompt(item, heading=heading))

    assert GIVEN[item] in answers[item].text
    assert answers[item].concern
    others = {name: answer.text for name, answer in answers.items() if name != item}
    assert others == {name: given for name, given in GIVEN.items() if name != item}


def test_a_document_of_ones_own_with_numbers_is_told_apart() -> None:
    page: Page = [text(f"## {item}", answer) for item, answer in GIVEN.items()]

    assert said(page) == GIVEN
    assert doubted(page) == set(WRITTEN)


def test_a_number_in_an_answer_is_no_question() -> None:
    given = GIVEN | {"Q2.2": "False.\n\n1.2 times as many labels\n\nPart 2 of the data is enough."}
    page = inside(given)
    at = place_of(page, "Q1.2")
    page[at] = text("### Part 2 (7 points)")

    assert found(page)["Q2.2"].text == given["Q2.2"]


def test_a_question_in_other_words_is_told_by_its_sense() -> None:
    page = inside()
    at = place_of(page, "Q1.1")
    asked = "What makes skip connections so useful for deep CNN architectures such as ResNet?"
    page[at] = text(asked, GIVEN["Q1.1"])
    answers = found(page)

    assert answers["Q1.1"].text == GIVEN["Q1.1"]
    assert "words it shares" in answers["Q1.1"].concern
    assert answers["Q1.1"].confidence < 1


def test_an_answer_that_repeats_the_questions_words_loses_none() -> None:
    page = inside()
    at = place_of(page, "Q1.3")
    answer = "Translation invariance is achieved in CNNs by shared weights; an important property."
    page[at] = text(answer)

    assert found(page)["Q1.3"].text == answer


@pytest.mark.parametrize("kind", ["colab", "id", "nbgrader"])
def test_a_question_that_was_typed_over_is_told_by_the_id_of_its_cell(kind: str) -> None:
    page = notebook([text("# HW 5"), *handout()[1:]])
    known = outline_handout(marked(page, c4=f"{kind}:q12", c3=f"{kind}:q11"), items=ITEMS)
    answered = inside()
    answered[4] = text("A scale that stays steady from layer to layer.")
    answered.insert(4, text("One more remark on gradients."))
    book = marked(notebook(answered), c5=f"{kind}:q12", c3=f"{kind}:q11")

    answers = found(book, known=known)

    assert answers["Q1.2"].text == "A scale that stays steady from layer to layer."
    assert "its cell's id" in answers["Q1.2"].concern


def test_ids_never_speak_against_the_words() -> None:
    known = the_outline(marks=True)
    page = all_marked(notebook(with_cells("below")))  # every id is another cell's by now

    assert said(page, known=known) == GIVEN
    assert doubted(page, known=known) == set()


def test_one_id_on_two_cells_tells_nothing() -> None:
    known = the_outline(marks=True)
    page = handout()
    page[4] = text("Words.")
    book = marked(notebook(page), c4="colab:004", c9="colab:004")

    assert "id" not in found(book, known=known)["Q1.2"].concern


def test_a_copied_answer_is_told_once() -> None:
    page = inside()
    at = place_of(page, "Q1.3")
    page.append(page[at])

    assert found(page)["Q1.3"].text == GIVEN["Q1.3"]


def test_a_moved_question_takes_its_answer_along() -> None:
    page = inside()
    page.append(page.pop(place_of(page, "Q1.3")))

    assert said(page) == GIVEN
    assert doubted(page) == set()


# ---------------------------------------------------------------- doubts


def test_text_that_went_nowhere_is_named_where_an_answer_is_missing() -> None:
    page = inside({name: given for name, given in GIVEN.items() if name != "Q1.1"})
    words = "This long remark at the very top may be an answer to any question that comes below it."
    page.insert(2, text(words))
    answers = found(page)
    told = {item for item, answer in answers.items() if words in answer.text}

    assert told or "cell 2" in answers["Q1.1"].concern


def test_a_missing_question_without_any_text_is_no_doubt() -> None:
    page = [cell for cell in handout() if PROMPTS["Q1.1"] not in cell[1]]

    assert doubted(page) == set()


def test_an_answer_above_its_question_is_doubted_where_the_others_stand_below() -> None:
    rest = {name: answer for name, answer in GIVEN.items() if name != "Q1.3"}
    page = inside(rest)
    page.insert(place_of(page, "Q1.3"), text(GIVEN["Q1.3"]))

    answers = found(page)

    assert answers["Q1.3"].text == GIVEN["Q1.3"]
    assert "Q1.3" in doubted(page)


# ---------------------------------------------------------------- a person's word


def test_a_person_may_tell_the_cells() -> None:
    page = inside({name: given for name, given in GIVEN.items() if name != "Q1.1"})
    page += [text("Gradients get back."), text("And features do.")]
    first = len(page) - 2

    answer = found(page, told={"Q1.1": (first, first + 1)})["Q1.1"]

    assert answer.text == "Gradients get back.\n\nAnd features do."
    assert answer.cells == (first, first + 1)
    assert (answer.located_by_person, answer.concern, answer.confidence) == (True, "", 1.0)


def test_a_cell_that_is_told_is_taken_from_the_item_it_was_found_for() -> None:
    page = with_cells("below")
    at = place_of(page, "Q1.2") + 1
    answers = found(page, told={"Q1.3": (at,)})

    assert answers["Q1.3"].text == GIVEN["Q1.2"]
    assert answers["Q1.2"].text == ""


def test_telling_a_cell_with_several_answers_takes_nothing_from_the_others() -> None:
    page: Page = [text(*(source for kind, source in inside()[:6] if kind == "markdown"))]
    before = found(page)
    after = found(page, told={"Q1.1": (0,)})

    assert after["Q1.2"].text == before["Q1.2"].text == GIVEN["Q1.2"]
    assert GIVEN["Q1.1"] in after["Q1.1"].text


def test_no_cell_is_no_answer() -> None:
    assert found(inside(), told={"Q1.1": ()})["Q1.1"].text == ""


def test_a_cell_of_code_that_is_told_is_shown_as_code() -> None:
    page = handout()
    page.append(code("print('see here')"))

    answer = found(page, told={"Q1.1": (len(page) - 1,)})["Q1.1"]

    assert answer.text == "~~~python\nprint('see here')\n~~~"


def test_a_cell_that_is_not_there_is_said() -> None:
    answer = found(inside(), told={"Q1.1": (3, 999)})["Q1.1"]

    assert answer.text == GIVEN["Q1.1"]
    assert "999" in answer.concern


def test_prompts_and_handout_are_not_part_of_a_cell_that_is_told() -> None:
    page = inside()
    at = place_of(page, "Q1.2")

    assert found(page, told={"Q1.2": (at,)})["Q1.2"].text == GIVEN["Q1.2"]


# ---------------------------------------------------------------- code


def made_from(*sources: str) -> list[tuple[int, str]]:
    cells = [Cell(index=i, kind="code", source=source) for i, source in enumerate(sources)]
    return [(like.cell, like.item) for like in match_code(cells, code=OUTLINE.code)]


def test_given_code_is_known_with_its_blanks_filled_and_names_changed() -> None:
    filled = GIVEN_CODE["Q2.3.1"].replace("#FILLME", "self.conv(x)")
    renamed = filled.replace("SimpleEncoder", "Net").replace("x.", "batch.")

    assert made_from(filled, renamed, "print('mine')") == [(0, "Q2.3.1"), (1, "Q2.3.1")]


def test_a_cell_that_was_split_or_merged_is_known() -> None:
    lines = ENCODER.splitlines()
    halves = "\n".join(lines[:4]), "\n".join(lines[4:])
    merged = "\n".join(GIVEN_CODE.values())

    assert made_from(*halves) == [(0, "Q2.3.1"), (1, "Q2.3.1")]
    assert made_from(merged) == [(0, "Q2.3.0"), (0, "Q2.3.1")]


def test_a_solution_is_no_code_that_the_handout_gives() -> None:
    given = "total = 0\nfor price in prices:\n    total += price * amount[price]"
    solved = "best = max(shops, key=rating)\nworst = min(shops, key=rating)\nspread = best - worst"
    page = [
        text(PROMPTS["Q1.1"]),
        ("code", f"{given}\n### BEGIN SOLUTION\n{solved}\n### END SOLUTION"),
        ("code", f"### BEGIN SOLUTION\n{solved}\n### END SOLUTION"),
    ]
    code = outline_handout(notebook(page), items=ITEMS).code
    cells = [Cell(index=i, kind="code", source=s) for i, s in enumerate((given, solved))]

    assert {match.cell for match in match_code(cells, code=code)} == {0}


def test_code_of_ones_own_is_nobodys() -> None:
    own = "import torch\nimport torch.nn as nn\nfor n in range(3):\n    print(n)"

    assert made_from(own, "", "# only words") == []


def test_code_that_shares_a_few_lines_with_the_handouts_is_nobodys() -> None:
    line = "        return F.normalize(x, p=2, dim=1)"
    own = "\n".join(f"value_{n} = compute(value_{n - 1}, rate={n})" for n in range(40))

    assert made_from(f"{own}\n{line}\n{own}") == []
    assert made_from("C2 = C1 + 0.5 * torch.randn(3, 32, 32)") == [(0, "Q2.3.0")]


def test_a_heading_that_stands_there_twice_tells_nothing() -> None:
    page = without_prompt("Q1.1", heading="### Part 1 (6 points)")
    at = next(i for i, (_, source) in enumerate(page) if "Part 1 (6 points)" in source)
    page.insert(at + 1, text("### Part 1 (6 points)", "Another text below the same heading."))

    assert "its heading" not in found(page)["Q1.1"].concern


def test_the_numbers_of_an_id_are_read() -> None:
    assert item_numbers("Q2.3.1") == (2, 3, 1)
    assert item_numbers("B") == ()


def test_two_lines_that_are_equally_like_a_prompt_are_neither() -> None:
    prompts = {"A": "Why do deep networks need skip connections at all?", "B": "Name a cat."}
    line = "Why would deep networks need those skip connections?"

    assert set(match_vocabulary(["A"], prompts=prompts, lines={0: line})) == {"A"}
    assert match_vocabulary(["A"], prompts=prompts, lines={0: line, 1: line}) == {}


def test_items_without_numbers_or_prompts_are_left_alone() -> None:
    bare = Item(id="A", title="", points=Fraction(1), kind="written", source="handout")
    book = notebook(inside())

    answers = written_answers(book, items=[bare], handout=REFERENCE, outline=OUTLINE)

    assert answers["A"] == Answer(item="A", text="")
