"""The parts of one list answer as many questions, and an option that is marked is an answer."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from processor_time import within
from test_answers import PROMPTS, WRITTEN, Page, code, handout, inside, place_of, text
from test_answers_elsewhere import SAID, doubted, found, said

FIRST = {item: words for item, words in SAID.items() if item.startswith("Q1")}
REST = {item: words for item, words in SAID.items() if item not in FIRST}
TOPICAL = {
    "Q1.1": "Skip connections give gradients a short way back, so that deep networks train.",
    "Q1.2": "Batch normalization keeps activations in a steady range, so larger steps are safe.",
    "Q1.3": "Translation invariance comes from shared weights, and from pooling over positions.",
}


def listed(form: str, given: dict[str, str], *, between: str = "\n\n") -> str:
    """The answers as a list of parts, each with its number, letters and Roman numbers."""
    romans = ("i", "ii", "iii", "iv")
    return between.join(
        form.format(n=n, a="abcd"[n - 1], r=romans[n - 1], item=item[1:], words=words)
        for n, (item, words) in enumerate(given.items(), start=1)
    )


def below_last(words: str) -> Page:
    page = inside(REST)
    page.insert(place_of(page, "Q1.3") + 1, text(words))
    return page


def below_first(words: str) -> Page:
    page = inside(REST)
    at = place_of(page, "Q1.1")
    page[at] = text(page[at][1], words)
    return page


def below_heading(words: str) -> Page:
    page = inside(REST)
    page.insert(3, text(words))
    return page


def in_heading_cell(words: str) -> Page:
    page = inside(REST)
    page[2] = text(page[2][1], words)
    return page


def without_prompts(words: str) -> Page:
    page = inside(REST)
    return [*page[:2], text("## Q1", words), *page[6:]]


PLACES = [below_last, below_first, below_heading, in_heading_cell, without_prompts]
Place = Callable[[str], Page]


def are_found(page: Page, given: dict[str, str]) -> bool:
    """Whether all answers are found, with no more than a mark before them, and doubted."""
    answers = said(page)
    return set(given) <= doubted(page) and all(
        answers[item].endswith(words) and len(answers[item]) < len(words) + 14
        for item, words in (REST | given).items()
    )


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "form",
    [
        "({a}) {words}",
        "{a}) {words}",
        "{a}. {words}",
        "**({a})** {words}",
        "**{a})** {words}",
        "- {a}) {words}",
        "{r}. {words}",
        "({r}) {words}",
        "{n}) {words}",
        "{n}. {words}",
        "Part {a}: {words}",
        "**Part {a}.** {words}",
        "{a} - {words}",
        "{a}: {words}",
        "### ({a})\n\n{words}",
        "### Part {n}\n\n{words}",
    ],
)
def test_parts_below_one_heading_answer_its_questions(form: str, place: Place) -> None:
    for between in ("\n\n", "\n", " "):
        if between != " " or "\n" not in form:
            assert are_found(place(listed(form, FIRST, between=between)), FIRST)


def test_capital_letters_and_roman_numbers_count_parts() -> None:
    for marks in ("ABC", ("I", "II", "III")):
        words = "\n\n".join(f"({m}) {w}" for m, w in zip(marks, FIRST.values(), strict=True))
        assert are_found(below_heading(words), FIRST)


def test_parts_below_each_of_two_headings_answer_the_questions_of_each() -> None:
    first, second = listed("({a}) {words}", FIRST), listed("({a}) {words}", REST)
    page = [*handout(), text("## Q1", first, "## Q2", second)]
    assert are_found(page, SAID)


def test_lists_within_parts_stay_in_them() -> None:
    given = {item: f"{words} 1. one thing\n2. another thing" for item, words in FIRST.items()}
    answers = said(below_last(listed("({a}) {words}", given)))
    assert all(answers[item].count("another thing") == 1 for item in FIRST)


def test_parts_that_begin_with_b_answer_the_questions_after_the_first() -> None:
    later = "(b) " + FIRST["Q1.2"] + "\n\n(c) " + FIRST["Q1.3"]
    page = inside(REST | {"Q1.1": FIRST["Q1.1"]})
    page.insert(place_of(page, "Q1.1") + 1, text(later))
    assert said(page) == SAID
    assert {"Q1.2", "Q1.3"} <= doubted(page)


@pytest.mark.parametrize("between", ["\n\n", "\n", " "])
@pytest.mark.parametrize("form", ["({a}) {words}", "{n}. {words}"])
def test_two_parts_below_the_first_question_need_words_of_the_second(
    form: str, between: str
) -> None:
    for words, are_two in (
        (TOPICAL, True),
        (dict.fromkeys(TOPICAL, "It helps a lot there."), False),
    ):
        given = {item: words[item] for item in ("Q1.2", "Q1.3")}
        page = inside(REST | {"Q1.1": FIRST["Q1.1"]})
        page.insert(place_of(page, "Q1.2") + 1, text(listed(form, given, between=between)))
        answers = said(page)
        assert (answers["Q1.3"] != "") is are_two
        assert answers["Q1.1"] == FIRST["Q1.1"]


@pytest.mark.parametrize("between", ["\n\n", "\n", " "])
@pytest.mark.parametrize("form", ["({a}) {words}", "{n}) {words}"])
def test_a_list_with_the_words_of_its_own_question_stays_one_answer(
    form: str, between: str
) -> None:
    given = {
        "1": "Skip connections keep gradients alive.",
        "2": "ResNet adds skip connections for the propagation of gradients.",
        "3": "In very deep networks gradients vanish otherwise.",
    }
    page = below_first(listed(form, given, between=between))
    answers = said(page)
    assert all(words in answers["Q1.1"] for words in given.values())
    assert answers["Q1.2"] == answers["Q1.3"] == ""
    assert {"Q1.2", "Q1.3"} <= doubted(page)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("between", ["\n\n", "\n", " "])
def test_another_number_of_parts_than_of_questions_is_shown_and_doubted(
    place: Place, between: str
) -> None:
    four = listed(
        "({a}) {words}", FIRST | {"Q": "And one more thing that I found."}, between=between
    )
    answers = found(place(four))
    shown = [a.text for a in answers.values()]
    shown += [piece.source for answer in answers.values() for piece in answer.unclaimed]
    assert all(any(words in one for one in shown) for words in FIRST.values())
    assert all(answers[item].concern for item in FIRST if not answers[item].text)


# ---------------------------------------------------------------- in running text


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("items", [("Q1.1", "Q1.2", "Q1.3"), ("Q1.1", "Q1.2"), ("Q1.2", "Q1.3")])
@pytest.mark.parametrize(
    "form",
    [
        "{item} {words}",
        "{item}. {words}",
        "{item}: {words}",
        "({item}) {words}",
        "Q{item} {words}",
        "Q{item}: {words}",
        "Q{item} - {words}",
        "Q1{letter} {words}",
        "1{letter}. {words}",
    ],
)
def test_answers_in_one_paragraph_are_told_apart_by_their_numbers(
    form: str, items: tuple[str, ...], place: Place
) -> None:
    letters = {"Q1.1": "a", "Q1.2": "b", "Q1.3": "c"}
    paragraph = " ".join(
        form.format(item=item[1:], letter=letters[item], words=TOPICAL[item]) for item in items
    )
    answers = said(place(paragraph))
    assert [item for item in FIRST if answers[item]] == list(items)
    for item in items:
        assert answers[item].endswith(TOPICAL[item])
        assert len(answers[item]) < len(TOPICAL[item]) + 12


# ---------------------------------------------------------------- strings that code lists


STRINGS = "[\n" + "".join(f"    {json.dumps(words)},\n" for words in SAID.values()) + "]"


@pytest.mark.parametrize(
    "source",
    [
        f"answers = {STRINGS}",
        f"answers = ({STRINGS[1:-1]})",
        f"my_answers = {STRINGS}\nfor answer in my_answers:\n    print(answer)",
        f"import json\nresponses = {STRINGS}",
        STRINGS,
        f"def answers():\n    return {STRINGS}",
        f"print(*{STRINGS}, sep='\\n')",
    ],
)
@pytest.mark.parametrize("at", [0, None])
def test_a_list_of_as_many_strings_as_questions_answers_them_in_order(
    source: str, at: int | None
) -> None:
    page = handout()
    page.insert(len(page) if at is None else at, code(source))
    assert said(page) == SAID
    assert doubted(page) == set(SAID)


def test_a_list_of_strings_below_a_question_answers_its_parts() -> None:
    source = f"answers = {json.dumps(list(FIRST.values()))}"
    page = inside(REST)
    page.insert(place_of(page, "Q1.3") + 1, code(source))
    assert said(page) == SAID


@pytest.mark.parametrize("count", [5, 8])
def test_a_list_of_another_number_of_strings_is_shown_and_doubted(count: int) -> None:
    words = [*SAID.values(), "Many thanks to whoever reads and grades all of this."][:count]
    page = [*handout(), code(f"answers = {json.dumps(words)}")]
    assert doubted(page) == set(SAID)


def test_lists_of_names_and_labels_are_no_answers() -> None:
    page = [*handout(), code("plot(['first cat image', 'second cat image', 'one bicycle', 'x'])")]
    assert set(said(page).values()) == {""}


# ---------------------------------------------------------------- marked in the prompt


def asked(choice: str, *below: str) -> Page:
    page = inside({item: words for item, words in SAID.items() if item != "Q2.2"})
    at = place_of(page, "Q2.2")
    assert "True or False?" in page[at][1]
    page[at] = text(page[at][1].replace("True or False?", choice), *below)
    return page


@pytest.mark.parametrize(
    ("choice", "answer"),
    [
        ("True or **False**?", "True or **False**"),
        ("True or **False?**", "True or **False?**"),
        ("**True** or False?", "**True** or False"),
        ("True or *False*?", "True or *False*"),
        ("True or __False__?", "True or __False__"),
        ("True or `False`?", "True or `False`"),
        ("True or (False)?", "True or (False)"),
        ("True / **False**?", "True / **False**"),
        ("True or <u>False</u>?", "True or <u>False</u>"),
        ("True or <mark>False</mark>?", "True or <mark>False</mark>"),
        ('True or <font color="red">False</font>?', 'True or <font color="red">False</font>'),
        ("~~True~~ or False?", "~~True~~ or False"),
        ("~~True or~~ False?", "~~True or~~ False"),
        ("True ~~or False~~?", "True ~~or False~~"),
        ("False.", "False"),
        ("**False**", "False"),
    ],
)
def test_an_option_that_is_marked_in_the_question_is_the_answer(choice: str, answer: str) -> None:
    assert said(asked(choice))["Q2.2"] == answer
    assert said(asked(choice, "For example whales."))["Q2.2"] == f"{answer} For example whales."
    assert {**said(asked(choice)), "Q2.2": SAID["Q2.2"]} == SAID


@pytest.mark.parametrize(
    "choice", ["True or False?", "**True or False?**", "True **or** False?", "*True or False*?"]
)
def test_a_question_in_which_no_option_is_marked_is_not_answered(choice: str) -> None:
    assert said(asked(choice))["Q2.2"] == ""


# ---------------------------------------------------------------- other habits


@pytest.mark.parametrize(
    "label",
    [
        "| Answer |\n|---|",
        "<b>Answer</b>",
        "[Answer]",
        "✏️ Answer",
        "<h4>Answer</h4>",
        "ANSWER",
        "`Answer`",
    ],
)
def test_the_handouts_label_in_another_form_ends_no_answer(label: str) -> None:
    page = handout()
    for item, words in SAID.items():
        row = f"| {words} |" if label.startswith("|") else f"\n{words}"
        page.insert(place_of(page, item) + 1, text(f"{label}\n{row}"))
    answers = said(page)
    assert all(words in answers[item] for item, words in SAID.items())
    assert doubted(page) == set()


@pytest.mark.parametrize(
    "label",
    ["Respuesta:", "**Réponse :**", "Antwort:", "**Ответ:**", "答\uff1a", "답:", "Risposta:"],
)
def test_a_label_in_another_language_is_no_part_of_an_answer(label: str) -> None:
    page = handout()
    for item, words in SAID.items():
        page.insert(place_of(page, item) + 1, text(f"{label} {words}"))
    assert said(page) == SAID
    assert set(said([*handout(), text(label)]).values()) == {""}


@pytest.mark.parametrize(
    "word",
    [
        "Question n°",
        "Вопрос ",
        "문제 ",
        "질문 ",
        "問",
        "問題 ",
        "Questão ",
        "Domanda ",
        "Soru ",
        "Câu ",
    ],
)
def test_numbers_of_questions_in_other_languages_tell_answers_apart(word: str) -> None:
    words = "\n\n".join(f"{word}{item[1:]}: {words}" for item, words in SAID.items())
    assert said([*handout(), text(words)]) == SAID


def test_a_comment_above_code_of_the_students_answers_the_question_above_it() -> None:
    comment = "Shared weights and pooling make a network translation invariant."
    page = inside({item: words for item, words in SAID.items() if item != "Q1.3"})
    page.insert(place_of(page, "Q1.3") + 1, code(f"# {comment}\nmine = 1"))
    assert said(page) == SAID | {"Q1.3": comment}
    assert doubted(page) == {"Q1.3"}


def test_what_a_function_prints_first_is_no_docstring() -> None:
    words = "\n".join(f"{item}: {words}" for item, words in SAID.items())
    page = [*handout(), code(f"def written():\n    print('''{words}''')\nwritten()")]
    assert said(page) == SAID


# ---------------------------------------------------------------- bounds


@pytest.mark.parametrize(
    "words", ["(a) " * 5_000, "a. b. " * 4_000, "1.1 A. " * 3_000, "True or **" * 3_000]
)
def test_a_text_of_marks_is_read_in_seconds(words: str) -> None:
    page = handout()
    page.insert(4, text(words))
    page.insert(9, text(PROMPTS["Q2.2"] + words))
    with within(5):
        assert set(found(page)) == set(WRITTEN)
