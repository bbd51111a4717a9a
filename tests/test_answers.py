"""Written answers are found wherever people type them; built on a real handout's structure."""

import base64
from fractions import Fraction

import pytest

from grader.model import Answer, Cell, Item, Notebook, Picture
from grader.notebook import handout_lines, written_answers
from grader.notebook.answer_labels import is_placeholder, without_label
from grader.notebook.attachments import PictureCollector
from grader.notebook.gap_assignment import Prompt, Unit, place_units
from grader.notebook.prompt_search import find_anchors, stream_words

PROMPTS = {
    "Q1.1": (
        "Why are skip connections useful in CNN architectures like ResNet? "
        "(*Hint: think about gradient propagation in very deep networks*)"
    ),
    "Q1.2": (
        "How does batch normalization improve training in CNNs, and why is it generally used "
        "after a convolutional layer but before the activation function?"
    ),
    "Q1.3": (
        "Explain how the concept of translation invariance is achieved in CNNs and why it is an "
        "important property for visual recognition tasks."
    ),
    "Q2.1": (
        "Consider the example we saw in the class w.r.t Contrastive Learning (CL). We had two Cat "
        "images (say C_1, C_2) and one Bicycle image(B_1), which we used for CL. However, if we "
        "only had one Cat image(C_1) and one Bicycle image(B_1), can we still do Contrastive "
        "Learning? If no, why?\n\nIf yes, how? (ie, what will be my reference sample, positive "
        "sample, and negative sample?)"
    ),
    "Q2.2": (
        "We need labeled data for contrastive learning. True or False? Can you think of a real "
        "world example where contrastive learning is a better choice compared to the conventional "
        "training approach?"
    ),
    "Q2.3.0": "Please initialize C1 and B1.",
    "Q2.3.1": "Please complete the forward pass of the Encoder module",
    "Q2.3.2": "Get embeddings for the images. Build the positive and negative pairs.",
    "Q2.3.3": "Comment on the cosine similarities before and after the contrastive learning.",
    "Q2.3.4": (
        "Comment on the above chart. Do you see the points moving around? "
        "Do they make sense to you?"
    ),
}
WRITTEN = ("Q1.1", "Q1.2", "Q1.3", "Q2.1", "Q2.2", "Q2.3.3", "Q2.3.4")
ITEMS = [
    Item(
        id=name,
        title=name,
        points=Fraction(1),
        kind="written" if name in WRITTEN else "auto",
        source="handout",
        prompt=prompt,
    )
    for name, prompt in PROMPTS.items()
]
GIVEN = {
    "Q1.1": "Gradients get a short way back.",
    "Q1.2": "It keeps activations in a steady range, so larger steps are safe.",
    "Q1.3": "Weights are shared, and pooling forgets where.\n\nA cat is a cat anywhere.",
    "Q2.1": "Yes: flip the cat for a positive.",
    "Q2.2": "False. For example, telling bird songs apart.",
    "Q2.3.3": "The cats came closer (0.92 to 1.00).",
    "Q2.3.4": "Both red points met; the blue one left.",
}
ENCODER = (
    "class SimpleEncoder(nn.Module):\n    def forward(self, x):\n        # Pass x through conv\n"
    "        x = #FILLME\n        x = x.view(x.size(0), -1)\n"
    "        return F.normalize(x, p=2, dim=1)"
)
LAST_PARAGRAPH = (
    "To visualize the relative change in position before and after CL, we have provided code that "
    "uses PCA to plot the embeddings on a 2-D space."
)
Page = list[tuple[str, str]]


def text(*parts: str) -> tuple[str, str]:
    return "markdown", "\n\n".join(parts)


def code(source: str) -> tuple[str, str]:
    return "code", source


def handout() -> Page:
    """The handout's cells: headings, prompts and 'Answer' in one text cell for each part."""
    return [
        text("# HW 5", "Total points: 80", "Name(s) and EID(s):", "Ada Example (ae10001)"),
        text("If you prefer, you can work in groups of two. **Please note** that one submits."),
        text("## Q1. Convolutional Neural Networks (20 points)", "Answer briefly (1 paragraph):"),
        text("### Part 1 (6 points)", PROMPTS["Q1.1"], "**Answer**"),
        text("### Part 2 (7 points)", PROMPTS["Q1.2"], "**Answer**"),
        text("### Part 3 (7 points)", PROMPTS["Q1.3"], "**Answer**"),
        text("## Q2. Contrastive Learning (30 points)"),
        text("### Part 1 (5 points)", PROMPTS["Q2.1"], "**Answer**"),
        text("### Part 2 (5 points)", PROMPTS["Q2.2"] + " (Caution: others may ask it too)"),
        text("**Answer**"),
        text("### Part 3 (20 points)", "Let us now mimic contrastive learning on a toy example."),
        text("**Part 3.0 (3 points)** " + PROMPTS["Q2.3.0"] + " C2 has been filled for you."),
        code("C1 = #FILLME\nC2 = C1 + 0.5 * torch.randn(3, 32, 32)\nB1 = #FILLME"),
        text("**Part 3.1 (2 points)** " + PROMPTS["Q2.3.1"]),
        code(ENCODER),
        text("**Part 3.2 (5 points)** " + PROMPTS["Q2.3.2"] + " Code is already given to you."),
        code("encoder = SimpleEncoder()\nimages = torch.stack([C1, C2, B1])\npos_pair = #FILLME"),
        text("#### Cosine Similarity between embeddings", "Run the below cell to observe them."),
        code("print_cosine_similarities(initial_embeddings)"),
        text("**Part 3.3(5 points)** " + PROMPTS["Q2.3.3"]),
        text("#### Plotting the embeddings", LAST_PARAGRAPH),
        code("plot_embeddings(initial_embeddings, trained_embeddings, labels)"),
        text("**Part 3.4 (5 points)** " + PROMPTS["Q2.3.4"]),
    ]


def notebook(page: Page) -> Notebook:
    cells = tuple(Cell(index=i, kind=kind, source=source) for i, (kind, source) in enumerate(page))
    return Notebook(cells=cells, sha256="")


REFERENCE = handout_lines(notebook([text("# HW 5"), *handout()[1:]]))


def answers(page: Page) -> dict[str, str]:
    found = written_answers(notebook(page), items=ITEMS, handout=REFERENCE)
    return {item: answer.text for item, answer in found.items()}


def place_of(page: Page, item: str) -> int:
    start = PROMPTS[item].split("\n")[0]
    return next(i for i, (_, source) in enumerate(page) if start in source)


def with_cells(where: str, *, given: dict[str, str] = GIVEN, kind: str = "markdown") -> Page:
    """The handout with each answer in a cell of its own, 'below' or 'above' its prompt."""
    page = handout()
    for item, answer in given.items():
        page.insert(place_of(page, item) + (where == "below"), (kind, answer))
    return page


def inside(given: dict[str, str] = GIVEN, *, label: str = "**Answer**\n\n") -> Page:
    """The handout with each answer typed into the prompt's own cell."""
    page = handout()
    for item, answer in given.items():
        at = place_of(page, item)
        kind, source = page[at]
        page[at] = (kind, source.removesuffix("**Answer**") + "\n\n" + label + answer)
    return page


def test_nothing_answered_is_empty_for_every_item() -> None:
    assert answers(handout()) == dict.fromkeys(WRITTEN, "")


@pytest.mark.parametrize(
    "label",
    [
        "**Answer**\n\n",
        "Answer\n\n",
        "Answer: ",
        "**Answer:** ",
        "**Answer** ",
        "Ans. ",
        "### Answer\n\n",
        "<b>Answer</b><br>",
        "A: ",
        "Solution - ",
        "Our answer:\n",
        "Answer (1): ",
        "",
    ],
)
def test_answers_are_found_in_the_handouts_own_cell(label: str) -> None:
    assert answers(inside(label=label)) == GIVEN


def test_answers_are_found_in_cells_below() -> None:
    assert answers(with_cells("below")) == GIVEN


def test_answers_are_found_in_cells_above() -> None:
    assert answers(with_cells("above")) == GIVEN


@pytest.mark.parametrize("item", WRITTEN)
def test_one_answer_may_stand_above_while_the_others_stand_inside(item: str) -> None:
    rest = {name: answer for name, answer in GIVEN.items() if name != item}
    page = inside(rest)
    page.insert(place_of(page, item), text(GIVEN[item]))
    assert answers(page) == GIVEN


@pytest.mark.parametrize("item", WRITTEN)
def test_one_answer_alone_goes_to_the_prompt_above_it(item: str) -> None:
    found = answers(with_cells("below", given={item: GIVEN[item]}))
    assert found == dict.fromkeys(WRITTEN, "") | {item: GIVEN[item]}


def test_an_answer_above_the_first_prompt_goes_down_to_it() -> None:
    found = answers(with_cells("above", given={"Q1.1": GIVEN["Q1.1"]}))
    assert found == dict.fromkeys(WRITTEN, "") | {"Q1.1": GIVEN["Q1.1"]}


@pytest.mark.parametrize("missing", WRITTEN)
@pytest.mark.parametrize("form", ["inside", "below"])
def test_a_question_left_out_shifts_no_other_answer(missing: str, form: str) -> None:
    given = {name: answer for name, answer in GIVEN.items() if name != missing}
    page = inside(given) if form == "inside" else with_cells("below", given=given)
    assert answers(page) == GIVEN | {missing: ""}


def test_a_remark_before_the_first_question_shifts_no_answer() -> None:
    page = with_cells("below")
    page.insert(2, text("We discussed this homework with the team next door."))
    assert answers(page) == GIVEN


def test_several_cells_are_joined_in_order() -> None:
    page = with_cells("below")
    page.insert(place_of(page, "Q1.1") + 2, text("And so do features."))
    assert answers(page)["Q1.1"] == GIVEN["Q1.1"] + "\n\nAnd so do features."


def test_two_cells_before_an_unanswered_question_stay_together() -> None:
    page = with_cells("below", given={"Q1.1": "Gradients get back."})
    page.insert(place_of(page, "Q1.1") + 2, text("And so do features."))
    assert answers(page)["Q1.1"] == "Gradients get back.\n\nAnd so do features."
    assert answers(page)["Q1.2"] == ""


def test_a_continuation_in_the_next_cell_that_is_about_the_question_stays_with_it() -> None:
    page = inside({"Q1.1": "Gradients get a short way back."})
    page.insert(place_of(page, "Q1.1") + 1, text("ResNet stacks hundreds of such connections."))
    assert "hundreds" in answers(page)["Q1.1"]


def test_the_reworded_prompt_still_counts() -> None:
    page = inside()
    at = place_of(page, "Q1.2")
    source = page[at][1].replace("improve training in CNNs", "improve the training of a CNN")
    page[at] = text(source.replace("generally used", "usually used"))
    assert answers(page) == GIVEN


def test_nothing_of_a_reworded_prompt_is_left_in_its_answer() -> None:
    page = inside()
    at = place_of(page, "Q2.3.3")
    page[at] = text(page[at][1].replace("Comment", "Remark").replace("similarities", "similarity"))
    assert answers(page) == GIVEN


def test_a_prompt_with_a_typing_error_in_each_other_word_still_counts() -> None:
    page = inside()
    at = place_of(page, "Q1.3")
    words = [
        word[:-1] + "x" if number % 2 and len(word) > 4 else word
        for number, word in enumerate(PROMPTS["Q1.3"].split())
    ]
    page[at] = text(page[at][1].replace(PROMPTS["Q1.3"], " ".join(words)))
    assert answers(page) == GIVEN


def test_only_words_much_like_a_prompt_are_taken_for_it() -> None:
    asked = "Why are skip connections so useful in a CNN architecture like ResNet?"
    lines = ["Skip it: connections of trains to the CNN tower are useful.", f"Part 1: {asked}"]
    found = find_anchors(stream_words(lines), prompts={"A": PROMPTS["Q1.1"].partition(" (")[0]})
    assert [(anchor.item, anchor.ratio < 1) for anchor in found] == [("A", True)]
    assert stream_words(lines)[found[0].first].line == 1


def test_a_prompt_split_over_two_cells_still_counts() -> None:
    page = inside()
    at = place_of(page, "Q2.1")
    head, tail = page[at][1].split("If yes, how?")
    page[at : at + 1] = [text(head), text("If yes, how?" + tail)]
    assert answers(page) == GIVEN


def test_an_answer_between_the_halves_of_a_prompt_is_found() -> None:
    page = inside({name: given for name, given in GIVEN.items() if name != "Q2.1"})
    at = place_of(page, "Q2.1")
    page[at] = text(page[at][1].replace("\n\nIf yes,", "\n\nIt does work.\n\nIf yes,"))
    page.insert(at + 1, text("Flip the cat."))
    assert answers(page) == GIVEN | {"Q2.1": "It does work.\n\nFlip the cat."}


def test_prompts_retyped_above_answers_at_the_end_count() -> None:
    page = handout()
    for item, answer in GIVEN.items():
        page.append(text(f"**{item}** {PROMPTS[item]}", answer))
    assert answers(page) == GIVEN


def test_a_deleted_prompt_leaves_its_answer_to_be_found() -> None:
    page = inside()
    at = place_of(page, "Q1.2")
    page[at] = text("### Part 2 (7 points)", GIVEN["Q1.2"])
    assert answers(page) == GIVEN | {"Q1.1": GIVEN["Q1.1"]}


def test_an_answer_on_the_prompts_own_line_is_found() -> None:
    page = inside({name: given for name, given in GIVEN.items() if name != "Q2.3.3"})
    at = place_of(page, "Q2.3.3")
    page[at] = text(page[at][1] + " The cats came closer.")
    assert answers(page)["Q2.3.3"] == "The cats came closer."


def test_an_answer_that_opens_with_the_questions_words_keeps_them() -> None:
    said = "Skip connections are useful in CNN architectures like ResNet because of gradients."
    assert answers(inside(GIVEN | {"Q1.1": said}))["Q1.1"] == said


def test_a_wrapped_handout_line_is_nobodys_answer() -> None:
    page = with_cells("below")
    at = next(i for i, (_, source) in enumerate(page) if LAST_PARAGRAPH in source)
    page[at] = text(page[at][1].replace("before and after CL,", "before and\nafter CL,"))
    assert answers(page) == GIVEN


@pytest.mark.parametrize(
    "placeholder",
    [
        "*Type your answer here*",
        "<!-- type your answer here -->",
        "YOUR ANSWER HERE",
        "Double-click to edit",
        "_Write your answer in this cell._",
        "Answer: [your answer here]",
        "TODO",
        "...",
        "---",
        "Part 1:",
        "#FILLME",
    ],
)
def test_a_placeholder_is_no_answer(placeholder: str) -> None:
    assert answers(with_cells("below", given={"Q1.1": placeholder}))["Q1.1"] == ""


def test_a_raw_cell_counts_as_text() -> None:
    assert answers(with_cells("below", kind="raw")) == GIVEN


def test_comments_in_a_code_cell_count_as_text() -> None:
    given = {item: answer.replace("\n\n", " ") for item, answer in GIVEN.items()}
    commented = {item: f"# Answer:\n# {answer}" for item, answer in given.items()}
    assert answers(with_cells("below", given=commented, kind="code")) == given


def test_a_string_in_a_code_cell_counts_as_text() -> None:
    quoted = {item: f'"""{answer}"""' for item, answer in GIVEN.items()}
    assert answers(with_cells("below", given=quoted, kind="code")) == GIVEN


def test_code_that_was_switched_off_is_no_answer() -> None:
    page = with_cells("below", given={"Q1.1": "# x = encoder(images)\n# print(x)"}, kind="code")
    assert answers(page)["Q1.1"] == ""


def test_a_students_own_code_cell_does_not_end_an_answer() -> None:
    page = with_cells("below")
    at = place_of(page, "Q2.3.3") + 2
    page[at:at] = [code("gap = 0.998 - 0.919\nprint(gap)"), text("The gap is small.")]
    assert answers(page)["Q2.3.3"] == GIVEN["Q2.3.3"] + "\n\nThe gap is small."


def test_the_handouts_code_with_its_blanks_filled_ends_an_answer() -> None:
    page = handout()
    filled = next(source for _, source in page if "pos_pair" in source)
    filled = filled.replace("#FILLME", "(e[0], e[1])")
    at = place_of(page, "Q2.3.3") + 1
    page[at:at] = [text("The cats met."), code(filled), text("A stray remark.")]
    assert answers(page)["Q2.3.3"] == "The cats met."


def test_a_students_own_heading_is_part_of_the_answer() -> None:
    answer = "### In short\n\nGradients get back."
    assert answers(inside(GIVEN | {"Q1.1": answer}))["Q1.1"] == answer


def test_names_are_nobodys_answer() -> None:
    page = with_cells("below")
    page[0:1] = [text("Name(s) and EID(s):"), text("Ada Example (ae10001)")]
    assert answers(page) == GIVEN


def test_everything_in_one_cell_is_still_told_apart() -> None:
    texts = [source for kind, source in inside() if kind == "markdown"]
    found = answers([text(*texts)])
    assert {item: found[item] for item in ("Q1.1", "Q1.2", "Q2.3.3")} == {
        item: GIVEN[item] for item in ("Q1.1", "Q1.2", "Q2.3.3")
    }


def test_equal_prompts_are_told_apart_by_their_order() -> None:
    items = [
        Item(
            id=name,
            title="",
            points=Fraction(1),
            kind="written",
            source="handout",
            prompt="Explain why.",
        )
        for name in ("A", "B")
    ]
    page = [text("Explain why."), text("Because."), text("Explain why."), text("Therefore.")]
    found = written_answers(notebook(page), items=items, handout=frozenset())
    assert [found[name].text for name in "AB"] == ["Because.", "Therefore."]


def test_markdown_of_an_answer_is_kept() -> None:
    answer = "1. one $x_1$\n2. **two**\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    assert answers(inside(GIVEN | {"Q1.2": answer}))["Q1.2"] == answer


def with_picture(at: str, *, words: str) -> tuple[Answer, Picture]:
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + at.encode()).decode()
    page = handout()
    spot = place_of(page, at)
    source, images = PictureCollector(notes=[]).extract_pictures(
        page[spot][1] + "\n\n" + words, attachments={"scan.png": {"image/png": png}}, cell=spot
    )
    cells = list(notebook(page).cells)
    cells[spot] = Cell(index=spot, kind="markdown", source=source, images=images)
    found = written_answers(Notebook(cells=tuple(cells), sha256=""), items=ITEMS, handout=REFERENCE)
    return found[at], images[0]


def test_an_attached_picture_alone_is_an_answer() -> None:
    answer, picture = with_picture("Q1.1", words="![scan.png](attachment:scan.png)")
    assert answer.images == (picture,)
    assert answer.text == "(picture 1)"
    assert answer.cells == (3,)


def test_a_picture_stands_where_it_was_in_the_text() -> None:
    answer, _ = with_picture("Q1.2", words="See: ![](attachment:scan.png) as drawn.")
    assert answer.text == "See: (picture 1) as drawn."


def test_the_cells_of_an_answer_are_named() -> None:
    found = written_answers(notebook(with_cells("below")), items=ITEMS, handout=REFERENCE)
    assert found["Q1.1"].cells == (4,)


def test_without_prompts_in_the_rubric_nothing_is_found() -> None:
    bare = [Item(id="A", title="", points=Fraction(1), kind="written", source="handout")]
    found = written_answers(notebook(inside()), items=bare, handout=REFERENCE)
    assert found["A"] == Answer(item="A", text="")


def test_solutions_in_the_reference_are_not_the_handouts_lines() -> None:
    cells = (
        Cell(index=0, kind="markdown", source="Explain why."),
        Cell(index=1, kind="markdown", source="Because of this.", tags=("solution",)),
        Cell(index=2, kind="markdown", source="For staff.", tags=("grader-only",)),
    )
    assert handout_lines(Notebook(cells=cells, sha256="")) == {"explain why"}


@pytest.mark.parametrize(
    "line",
    ["Answers vary with the data.", "Solution spaces are large.", "A good one.", "Answer-driven."],
)
def test_a_sentence_that_opens_with_such_a_word_has_no_label(line: str) -> None:
    assert without_label(line) == line


def test_a_sentence_about_answers_is_no_placeholder() -> None:
    assert not is_placeholder("Type inference gives the answer to the question here, we think")


def test_a_run_between_two_prompts_goes_up_unless_that_leaves_one_empty() -> None:
    prompts = [Prompt(item=name, cell=0, needed=True) for name in "AB"]
    first, second = Unit(cell=1, text="1"), Unit(cell=2, text="2")
    below = place_units([[], [first], [second]], prompts=prompts)
    above = place_units([[first], [second], []], prompts=prompts)
    assert below.to_prompts == above.to_prompts == {0: [first], 1: [second]}


def test_a_long_notebook_is_searched_in_seconds() -> None:
    page = handout() + [text(PROMPTS["Q1.2"].replace("the", "a") + " word " * 40)] * 200
    assert answers(page)["Q1.1"] == ""
