"""What goes on with an answer in another cell goes to it, and is told as unsure."""

from __future__ import annotations

import pytest
from test_answers import Page, code, handout, place_of, text, with_cells
from test_answers_elsewhere import SAID, doubted, found, said

from grader.notebook.added_answers import only_points_elsewhere, read_addition_label

MORE = "See also the survey of residual networks by the two authors from 2015."
FORMS = (
    "### Q1.1\n{words}",
    "**Q1.1** {words}",
    "**Q1.1, continued:** {words}",
    "Q1.1 (continued)\n\n{words}",
    "(Q1.1 cont.) {words}",
    "## Revised answer to Q1.1\n\n{words}",
    "**Addition to Part 1 of Q1:** {words}",
    "*Correction for Q1.1: {words}*",
    "### Q1 Part 1\n\n{words}",
    "Update on Q1.1 - {words}",
)


def answered(cell: tuple[str, str], *, after: str = "") -> Page:
    """Return the page with all answers, and one more cell: at the end, or below an answer."""
    page = with_cells("below", given=SAID)
    page.insert(place_of(page, after) + 2 if after else len(page), cell)
    return page


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("after", ["", "Q1.2", "Q2.3.3"])
def test_an_addition_goes_to_its_question_and_is_doubted(form: str, after: str) -> None:
    page = answered(text(form.format(words=MORE)), after=after)
    answers = said(page)

    assert [item for item in SAID if MORE in answers[item]] == ["Q1.1"]
    assert [item for item in SAID if SAID[item] in answers[item]] == list(SAID)
    assert doubted(page) == {"Q1.1", after or "Q2.3.4"}


@pytest.mark.parametrize(
    "words",
    [
        "Part 3.3 already told it in numbers: the cats came closer.",
        "Q1.1 said that gradients vanish; here they do not.",
        "2.1 million weights are a lot for so few images.",
        "1.1 is larger than 1, so the points moved.",
        "As in Q1.1: a way back helps.",
        "As I wrote above, see Q1.1 for the reason.",
    ],
)
def test_a_sentence_that_names_another_question_stays_where_it_stands(words: str) -> None:
    page = answered(text(words))

    assert words in said(page)["Q2.3.4"]
    assert doubted(page) == set()


def test_a_wrong_number_above_the_only_answer_takes_it_from_nobody() -> None:
    page = with_cells("below", given=SAID | {"Q1.3": f"**Q1.2:** {SAID['Q1.3']}"})

    assert SAID["Q1.3"] in said(page)["Q1.3"]
    assert SAID["Q1.2"] in said(page)["Q1.2"]


@pytest.mark.parametrize(
    "pointer",
    [
        "See the end of the notebook for my answer.",
        "(answer at the end)",
        "see below",
        "Answered in the last cell.",
    ],
)
@pytest.mark.parametrize(
    "form", ["**Q{number}** {words}", "### Q{question} Part {part}\n\n{words}"]
)
def test_an_answer_elsewhere_is_found_where_its_place_only_says_so(pointer: str, form: str) -> None:
    page = with_cells("below", given=SAID | {"Q1.1": pointer, "Q1.2": pointer})
    for part in (1, 2):
        words = SAID[f"Q1.{part}"]
        page.append(text(form.format(number=f"1.{part}", question=1, part=part, words=words)))
    answers = said(page)

    for item, words in SAID.items():
        assert [name for name in SAID if words in answers[name]] == [item]
    assert {"Q1.1", "Q1.2"} <= doubted(page)


@pytest.mark.parametrize(
    ("answer", "points"),
    [
        ("See the end of the notebook.", True),
        ("Answer is in the last cell", True),
        ("Please look at the cell below.", True),
        ("False. Birds are an example, and many labels are missing there.", False),
        ("The red points moved below the blue ones.", False),
        ("", False),
        ("We see it in the chart above: " + "both points moved closer to each other " * 4, False),
    ],
)
def test_what_only_says_where_an_answer_is_is_known(answer: str, points: bool) -> None:  # noqa: FBT001
    assert only_points_elsewhere(answer) is points


@pytest.mark.parametrize(
    ("line", "numbers", "words"),
    [
        ("**Q1.1, continued:** x", (1, 1), 3),
        ("Q1.2 (continued)", (1, 2), 3),
        ("## Revised answer to Q2.1", (2, 1), 5),
        ("*Correction for Q2.2: x*", (2, 2), 4),
    ],
)
def test_the_number_of_an_addition_is_read(line: str, numbers: tuple[int, ...], words: int) -> None:
    label = read_addition_label(line)

    assert label is not None
    assert (label.numbers, label.word_count) == (numbers, words)


def test_code_and_handout_open_no_addition() -> None:
    page = answered(code("# Q1.1: plot\nx = 1"))

    assert found(page) == found(with_cells("below", given=SAID))
    assert doubted(handout()) >= set()
