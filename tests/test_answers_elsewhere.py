"""Written answers are found apart from their questions and in code, or what may be one is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

import pytest
from test_answers import (
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
from test_matching import OUTLINE

from grader.model import Answer, Cell, SavedOutput
from grader.notebook import handout_lines, written_answers
from grader.notebook.handout import index_handout
from grader.notebook.number_labels import read_number_label
from grader.notebook.page_reading import PageReader

SAID = {
    "Q1.1": "The sum gives the gradient a way back that nothing on it can shrink at all.",
    "Q1.2": "It keeps activations in a steady range, so that larger steps are safe in training.",
    "Q1.3": "Weights are shared, and pooling forgets where, so a cat is a cat anywhere in it.",
    "Q2.1": "Yes, for a flipped copy of the cat can serve as the positive sample of the pair.",
    "Q2.2": "False, and telling bird songs apart is a case where labels are rare and views plenty.",
    "Q2.3.3": "The cats came closer together and the bicycle went away from both in one step.",
    "Q2.3.4": "Both red points met in the chart while the blue one left them, as it should be.",
}
DOCUMENTED = """def gap(a, b):
    '''Return by how much one cosine similarity of two embeddings is larger than another.'''
    return a - b"""
PARTS = {
    "Q1.1": ("Q1", "Part 1"),
    "Q1.2": ("Q1", "Part 2"),
    "Q1.3": ("Q1", "Part 3"),
    "Q2.1": ("Q2", "Part 1"),
    "Q2.2": ("Q2", "Part 2"),
    "Q2.3.3": ("Q2", "Part 3.3"),
    "Q2.3.4": ("Q2", "Part 3.4"),
}


ROMANS = {
    "Q1.1": "i",
    "Q1.2": "ii",
    "Q1.3": "iii",
    "Q2.1": "i",
    "Q2.2": "ii",
    "Q2.3.3": "iii) (3.3",
    "Q2.3.4": "iii) (3.4",
}


ROW = "| {question} | {tail} | {words} |"


def found(page: Page) -> dict[str, Answer]:
    answers = written_answers(notebook(page), items=ITEMS, handout=REFERENCE, outline=OUTLINE)
    return dict(answers)


def said(page: Page) -> dict[str, str]:
    return {item: re.sub(r"\s+", " ", answer.text) for item, answer in found(page).items()}


def doubted(page: Page) -> set[str]:
    return {item for item, answer in found(page).items() if answer.concern}


def joined(form: str, *, between: str = "\n\n", given: dict[str, str] = SAID) -> str:
    """All answers in one text, each in a form with its item, number, question, part and words."""
    return between.join(
        form.format(
            item=item,
            number=item[1:],
            name=item[1:].replace(".", "_"),
            question=PARTS[item][0],
            part=PARTS[item][1],
            tail=PARTS[item][1].removeprefix("Part "),
            roman=ROMANS[item],
            end=PARTS[item][1].removeprefix("Part ") if item.count(".") > 1 else item[1:],
            count=count,
            words=words,
        )
        for count, (item, words) in enumerate(given.items(), start=1)
    )


# ---------------------------------------------------------------- apart, with numbers


@pytest.mark.parametrize(
    "form",
    [
        "**{item}:** {words}",
        "**{item}** {words}",
        "### {question} {part}\n\n{words}",
        "**{question}, {part}:** {words}",
        "{number}\n\n{words}",
        "{number} {words}",
        "({item}) {words}",
        "{item} - {words}",
        "> **{item}**\n>\n> {words}",
        "Answer to {item}: {words}",
        "**Answer {number}:** {words}",
        "## {item} In my own words\n{words}",
        "<h3>{item}</h3><p>{words}</p>",
        "Question {number}: {words}",
        "Pregunta {number}: {words}",
        "{end}) {words}",
        "{end} {words}",
        "{question}P{tail}: {words}",
        "{count}. {words}",
        "Q{count}: {words}",
        "{item}. {words}\n\n---",
        "{question} \u2013 {part}: {words}",
        "**{question} / {part}:** {words}",
        "### {part} of {question}\n\n{words}",
        "{question} ({roman}) {words}",
        "Réponse {number} : {words}",
    ],
)
@pytest.mark.parametrize("where", ["one cell below", "many cells below", "above"])
def test_answers_with_numbers_are_found_apart_from_their_questions(form: str, where: str) -> None:
    page = handout()
    cells = [text(joined(form, given={item: SAID[item]})) for item in WRITTEN]
    if where == "many cells below" and "{count}" not in form:
        page += cells
    elif where == "above":
        page.insert(1, text(joined(form)))
    else:
        page.append(text(joined(form)))
    answers = {
        item: re.sub(r"^(?:> |In my own words )|[>\s-]+$", "", words)
        for item, words in said(page).items()
    }

    assert answers == SAID
    assert doubted(page) == set(WRITTEN)


@pytest.mark.parametrize(
    "page_end",
    [
        text("| Question | Answer |\n|---|---|\n" + joined("| {item} | {words} |", between="\n")),
        text(
            "<table>" + joined("<tr><td>{item}</td><td>{words}</td></tr>", between="") + "</table>"
        ),
        text("| Q | Part | Answer |\n|--|--|--|\n" + joined(ROW, between="\n")),
        text(joined("For {question} {part}: {words}", between=" ")),
        text(joined("({item}) {words}", between=" ")),
        text(joined("For {item}, {words}", between=" ")),
        text(joined("**{question}, {part}** \u2013 {words}", between=" ")),
        text(joined("- {item}: {words}", between="\n")),
        text(joined("{count}. **{item}** {words}", between="\n")),
        text("# Answers\n\n" + joined("{item}: {words}")),
        ("raw", joined("{item}: {words}")),
        code("answers = {\n" + joined("'{item}': '{words}'", between=",\n") + "}"),
        code("answers = {\n" + joined("'Part {item}': '{words}'", between=",\n") + "}"),
        code(joined("q{name} = '{words}'", between="\n")),
        code(joined("print('{item}: {words}')", between="\n")),
        code(joined("def q{name}():\n    return '{words}'", between="\n\n")),
        code("x = 1\n" + joined("# {item}: {words}", between="\n")),
        code("%%writefile answers.md\n" + joined("{item}: {words}")),
    ],
    ids=lambda cell: cell[1][:20],
)
def test_answers_with_numbers_are_found_in_tables_lists_and_code(page_end: tuple[str, str]) -> None:
    page = [*handout(), page_end]

    assert said(page) == SAID
    assert doubted(page) == set(WRITTEN)


def test_two_answers_in_one_cell_below_two_headings_are_told_apart() -> None:
    for item, place in (("Q1.1", 0), ("Q1.2", 1)):
        page = handout()
        both = f"### Part 1\n{SAID['Q1.1']}\n\n### Part 2\n{SAID['Q1.2']}"
        page.insert(place_of(page, item) + place, text(both))
        answers = said(page)

        assert (answers["Q1.1"], answers["Q1.2"]) == (SAID["Q1.1"], SAID["Q1.2"])


def test_parts_that_begin_anew_are_those_of_the_next_question() -> None:
    five = {item: SAID[item] for item in WRITTEN[:5]}
    page = [*handout(), text(joined("**{part}:** {words}", given=five))]

    assert said(page) == five | {"Q2.3.3": "", "Q2.3.4": ""}


LISTS = "## Q1\n\n1) {}\n\n2) {}\n\n3) {}\n\n## Q2\n\n1) {}\n\n2) {}\n\n3.3) {}\n\n3.4) {}"


@pytest.mark.parametrize("signs", ["1) 2) 3)", "a) b) c)", "(i) (ii) (iii)"])
def test_lists_below_headings_of_all_questions_are_their_parts(signs: str) -> None:
    lists = LISTS
    for number, sign in enumerate(signs.split(), start=1):
        lists = lists.replace(f"\n{number})", f"\n{sign}")

    given = SAID if signs[0] == "1" else {item: SAID[item] for item in WRITTEN[:5]}
    cut = lists if signs[0] == "1" else lists.partition("\n\n3.3)")[0]

    assert said([*handout(), text(cut.format(*given.values()))]) == dict.fromkeys(SAID, "") | given


def test_letters_below_numbers_are_no_numbers_of_answers() -> None:
    page = [*handout(), text(joined("{count}. {words}\n\na) It is so.\n\nb) Always."))]

    assert said(page) == {item: f"{words} a) It is so. b) Always." for item, words in SAID.items()}


def test_a_number_within_an_answer_does_not_divide_it_where_lines_begin_with_numbers() -> None:
    given = SAID | {"Q1.3": SAID["Q1.3"] + " There is more (Q2.1: likewise)."}

    assert said([*handout(), text(joined("{item}: {words}", given=given))]) == given


@pytest.mark.parametrize("heading", ["## Question 2", "## Q1\n\nSee there.\n\n## Q3"])
def test_a_list_below_a_heading_in_an_answer_stays_in_it(heading: str) -> None:
    answer = f"{heading}\n\n1. {SAID['Q2.2']}\n2. Another one."
    given = {name: words for name, words in GIVEN.items() if name != "Q2.1"} | {"Q2.2": answer}

    assert said(inside(given))["Q2.1"] == ""
    assert found(inside(given))["Q2.2"].text.endswith("2. Another one.")


@pytest.mark.parametrize("form", ["For {end}, {words}", "{end} {words}", "In part {end}: {words}"])
def test_an_answer_that_names_the_missing_one_by_the_end_of_its_number_is_doubted(
    form: str,
) -> None:
    both = {item: SAID[item] for item in ("Q2.3.3", "Q2.3.4")}
    rest = {item: words for item, words in SAID.items() if item not in both}
    page = with_cells("below", given=rest | {"Q2.3.4": joined(form, given=both)})

    assert doubted(page) == set(both)


@pytest.mark.parametrize("missing", WRITTEN[1:])
def test_an_introduction_shifts_no_answer_where_one_is_missing(missing: str) -> None:
    rest = {item: words for item, words in SAID.items() if item != missing}
    page = with_cells("below", given=rest)
    page.insert(2, text("# Introduction", "We ran all of this on a laptop without a GPU."))

    assert said(page) == rest | {missing: ""}
    assert doubted(page) == {missing}


def test_an_answer_of_the_right_place_keeps_its_text_when_others_stand_below_it() -> None:
    page = inside({"Q2.3.4": SAID["Q2.3.4"]})
    rest = {item: words for item, words in SAID.items() if item != "Q2.3.4"}
    page.append(text(joined("**{item}:** {words}", given=rest)))

    assert said(page) == SAID


@pytest.mark.parametrize(
    "citing",
    [
        "As I said in Q1.1, gradients get back.",
        "Q1.1 says why.\n\nFalse.",
        "False.\nQ1.1: see there.\nTrue of both.",
        "1.1 times as many labels do not help here.",
        "1. one\n2. two",
        "As in Q1.1: see there. And Q1.2: likewise.",
        "True (Q1.1: no). False (Q1.3: yes). True (Q1.2: no).",
        "(i) one\n(ii) two",
        "| 1 | 1 | 0.17 |\n| 1 | 2 | 0.92 |\n| 2 | 3 | 0.15 |",
    ],
)
@pytest.mark.parametrize("missing", ["", "Q1.1"])
def test_an_answer_that_cites_a_question_keeps_its_text(citing: str, missing: str) -> None:
    page = inside({n: words for n, words in GIVEN.items() if n != missing} | {"Q2.2": citing})

    assert found(page)["Q2.2"].text == citing
    assert found(page)["Q1.1"].text == ("" if missing else GIVEN["Q1.1"])


def test_no_text_is_claimed_twice() -> None:
    forms = ("**{item}:** {words}", "{count}. {words}", "print('{item}: {words}')")
    pages = [[*handout(), (kind, joined(form))] for form in forms for kind in ("markdown", "code")]
    for page in pages:
        reader = PageReader(
            notebook=notebook(page), items=ITEMS, handout=index_handout(REFERENCE), outline=OUTLINE
        )
        reading = reader.read()
        claimed = [id(unit) for units in reading.units.values() for unit in units]

        assert len(claimed) == len(set(claimed))
        assert not set(claimed) & {id(unit) for unit in reading.unclaimed}


@pytest.mark.parametrize("item", ["Q2.3.3", "Q2.3.4"])
def test_an_answer_below_code_that_is_run_again_is_the_questions(item: str) -> None:
    rest = {name: words for name, words in SAID.items() if name != item}
    page = with_cells("below", given=rest)
    shown = next(source for _, source in page if source.startswith(("print_cos", "plot_emb")))
    again = code(f"    {shown}")
    at = place_of(page, item) + 1
    page[at:at] = [again, text(SAID[item])]

    assert said(page) == SAID
    assert doubted(page) == set()


# ---------------------------------------------------------------- apart, with topics

TOPICS = {
    "Q1.1": "Skip connections",
    "Q1.2": "Batch norm",
    "Q1.3": "On translation invariance",
    "Q2.1": "One cat and one bicycle",
    "Q2.2": "Labels needed?",
    "Q2.3.3": "Cosine similarity",
    "Q2.3.4": "The chart",
}


def by_topic(form: str, *, between: str = "\n\n", topics: dict[str, str] = TOPICS) -> str:
    return between.join(form.format(topic=topics[item], words=SAID[item]) for item in topics)


TABLE_HEAD = "<table><tr><th>Topic</th><th>Answer</th></tr>"


@pytest.mark.parametrize(
    "page_end",
    [
        text(by_topic("- **{topic}**: {words}", between="\n")),
        text(by_topic("**{topic}** {words}", between="\n")),
        text("| Topic | Answer |\n|--|--|\n" + by_topic("| {topic} | {words} |", between="\n")),
        text(TABLE_HEAD + by_topic("<tr><td>{topic}</td><td>{words}</td></tr>", between="")),
        text("# My answers\n\n" + by_topic("## {topic}\n\n{words}")),
        text(by_topic("{topic}: {words}")),
        text(by_topic("{topic}\n\n{words}")),
        text(by_topic("1. {topic} - {words}", between="\n")),
        text(by_topic("<details><summary>{topic}</summary>\n\n{words}\n</details>")),
        text(by_topic("Q: {topic}\nA: {words}")),
        text(by_topic("**{topic}** {words}", topics=TOPICS | {"Q2.3.4": "The plot"})),
        text(by_topic("- {topic}: {words}", topics=TOPICS | {"Q1.1": "Shortcuts"})),
        code("answers = {\n" + by_topic("'{topic}': '{words}'", between=",\n") + "}"),
    ],
    ids=range(13),
)
@pytest.mark.parametrize("where", ["below", "above"])
def test_answers_with_topics_are_found_apart_from_their_questions(
    page_end: tuple[str, str], where: str
) -> None:
    page = [*handout(), page_end] if where == "below" else [handout()[0], page_end, *handout()[1:]]
    answers = said(page)

    for item, words in SAID.items():
        assert [name for name in SAID if words in answers[name]] == [item]
    assert "My answers" not in answers["Q1.1"]
    assert doubted(page) == set(WRITTEN)
    assert "words of the question before it told" in found(page)["Q1.1"].concern


@pytest.mark.parametrize("chart", ["the plot", "the graph", "the figure", "our scatterplot"])
@pytest.mark.parametrize("form", ["**Discussion of {topic}.** {words}", "## On {topic}\n\n{words}"])
def test_two_topics_in_one_cell_are_told_apart_whatever_a_chart_is_called(
    form: str, chart: str
) -> None:
    topics = {"Q2.3.3": "the similarities", "Q2.3.4": chart}
    rest = {item: words for item, words in SAID.items() if item not in topics}
    page = with_cells("below", given=rest)
    answers = said([*page, text(by_topic(form, topics=topics))])

    for item, words in SAID.items():
        assert [name for name in SAID if words in answers[name]] == [item]


@pytest.mark.parametrize(
    "answer",
    [
        "- **Cosine similarities**: higher.\n- **The chart**: agrees with all of them.",
        "- **The chart**: two met.\n- **Skip connections**: none here.",
        "- **Skip connections**: none.\n- **Points**: met.\n- **Skip connections**: none.",
        "- **Batch norm**: no.\n- **Points**: met.\n- **Red**: left.\n- **Blue**: stayed.",
    ],
)
def test_a_list_in_an_answer_that_names_other_questions_topics_stays_in_it(answer: str) -> None:
    rest = {item: words for item, words in SAID.items() if item not in {"Q1.1", "Q1.2"}}

    assert found(with_cells("below", given=rest | {"Q2.3.4": answer}))["Q2.3.4"].text == answer


# ---------------------------------------------------------------- in code


@pytest.mark.parametrize(
    "form",
    [
        'print("""{words}""")',
        'answer = "{words}"',
        'answer = """{words}"""\nprint(answer)',
        'from IPython.display import Markdown, display\ndisplay(Markdown("{words}"))',
        'import IPython.display as show\nshow.HTML("<p>{words}</p>")',
        "%%html\n<style>p {{color: red}}</style><p>{words}</p>",
        "%%latex\n{words}",
        "{words}",
        "Answer: {words}",
        '%%bash\necho "{words}"',
    ],
)
def test_a_cell_of_code_that_holds_only_words_is_read_as_text(form: str) -> None:
    cells = {item: form.format(words=words) for item, words in SAID.items()}
    answers = said(with_cells("below", given=cells, kind="code"))

    assert {item: re.sub(r"</?p>", "", words).strip() for item, words in answers.items()} == SAID


@pytest.mark.parametrize(
    "form",
    [
        "x = 1\nprint('{words}')",
        "values = [1, 2]\nx = 1\nanswer_text = '{words}'",
        "x = 1\n# {words}",
        "x = 1\n'''{words}'''",
        "x = = 1\n{words}",
        "print(f'{words} {{x}}')",
        "x = 1\nprint('It's so: {words}')",
        "for n in range(1):\n    print('{words}')",
    ],
)
def test_words_among_code_are_an_answer_only_where_one_is_missing(form: str) -> None:
    cell = form.format(words=SAID["Q1.1"])
    alone = with_cells("below", given={"Q1.1": cell}, kind="code")
    beside = inside()
    beside.insert(place_of(beside, "Q1.1") + 1, code(cell))

    assert SAID["Q1.1"][:-1] in said(alone)["Q1.1"]
    assert "in cell 4" in found(alone)["Q1.1"].concern
    assert found(beside)["Q1.1"].text == GIVEN["Q1.1"]
    assert doubted(beside) == set()


@pytest.mark.parametrize("form", ["# {words}", "'''{words}'''", "print('{words}')"])
@pytest.mark.parametrize(("begin", "item"), [("print_cos", "Q2.3.3"), ("plot_emb", "Q2.3.4")])
def test_words_at_the_end_of_a_given_cell_answer_the_question_below(
    form: str, begin: str, item: str
) -> None:
    page = handout()
    at = next(n for n, (kind, source) in enumerate(page) if source.startswith(begin))
    page[at] = code(page[at][1] + "\n" + form.format(words=SAID[item]))

    assert said(page) == dict.fromkeys(WRITTEN, "") | {item: SAID[item]}
    assert doubted(page) == {item}


@pytest.mark.parametrize(
    "cell",
    [
        "print(0.9193, 0.1696, 0.1561)",
        "print('C1 and C2:', 0.9193)\nprint('0.1696 0.1561')",
        "print(f'Similarity between C1 and C2 (positive pair): {s:.4f}')",
        "print('Similarity of each pair before training of the encoder has begun at all:')",
        "# compute the gap\ngap = s1 - s2\n# and print it\nprint(gap)",
        "gap = s1 - s2  # the gap between the cosine similarities before and after training it",
        DOCUMENTED,
        "from torch import nn\nclass Net(nn.Module):\n    x = = 1\n    return x",
        "%%bash\npip install --quiet torch torchvision matplotlib scikit-learn and some more",
        "pip install torch torchvision matplotlib scikit-learn pandas seaborn plotly altair bokeh",
        "%%html\n<style>.output { text-align: center and nothing else at all }</style>",
        "# Pass x through conv\nx = self.conv(x)",
    ],
)
def test_numbers_remarks_on_code_and_the_handouts_own_words_are_no_answer(cell: str) -> None:
    page = with_cells("below", given=dict.fromkeys(WRITTEN, cell), kind="code")

    assert said(page) == dict.fromkeys(WRITTEN, "")
    assert doubted(page) == set()


def test_comments_on_the_lines_of_the_handouts_code_are_its_own() -> None:
    words = "fill this image with random numbers that are drawn by torch randn alone"
    given = Cell(index=0, kind="code", source=f"C1 = 0  # {words}")
    handed = Cell(index=0, kind="code", source=f"# {words}\nC1 = 1\nimages = None")
    asked = [Cell(index=n, kind="markdown", source=PROMPTS["Q1.1"]) for n in (1, 2)]
    reference = replace(notebook([]), cells=(given, asked[0]))
    answers = written_answers(
        replace(notebook([]), cells=(handed, asked[0])),
        items=ITEMS[:1],
        handout=handout_lines(reference),
    )

    assert answers["Q1.1"] == Answer(item="Q1.1", text="")


@pytest.mark.parametrize(
    "form",
    [
        "answers = {{\n{rows}\n}}|({main}, '{tail}'): {words!r},",
        "answers = {{\n{rows}\n}}|'{item}': {{'question': 'Why?', 'answer': {words!r}}},",
        "answers = {{\n{rows}\n}}|'{item}': dedent({words!r}),",
        "qa = [\n{rows}\n]\nfor q, a in qa:\n    print(q, a)|('{item}', {words!r}),",
        "records = [\n{rows}\n]|{{'q': {main}, 'part': '{tail}', 'text': {words!r}}},",
        "pd.DataFrame([{rows}], columns=['question', 'answer'])|['{item}', {words!r}],",
        "answers = dict(\n{rows}\n)|q{name}={words!r},",
        "answers = SimpleNamespace(\n{rows}\n)|answer_{name}={words!r},",
        "class Answers:\n{rows}|    q{name} = {words!r}",
        "@dataclass\nclass Answers:\n    'Mine.'\n{rows}|    q{name}: str = {words!r}",
        "answers = {{}}\n{rows}|answers['{item}'] = {words!r}",
        "answers = {{}}\n{rows}|answers[{main}, '{tail}'] = {words!r}.strip()",
        "answers = {{'Q1': {{}}, 'Q2': {{}}}}\n{rows}|answers['Q{main}']['{tail}'] = {words!r}",
        "df = pd.DataFrame()\n{rows}|df.loc['{item}', 'answer'] = {words!r}",
        "answers = []\n{rows}|answers.append(('{item}', {words!r}))",
        "def tell(q, text):\n    print(q, text)\n{rows}|tell('{item}', {words!r})",
        "def collect(answers):\n{rows}|    answers['{item}'] = {words!r}",
        "{rows}|q{name}: str = {words!r}",
    ],
)
def test_answers_that_code_keeps_below_numbers_are_told_apart(form: str) -> None:
    frame, _, row = form.partition("|")
    rows = "\n".join(
        row.format(item=i, name=i[1:].replace(".", "_"), main=i[1], tail=i[3:], words=words)
        for i, words in SAID.items()
    )

    assert said([*handout(), code(frame.format(rows=rows))]) == SAID


def nested(key: Callable[[str, str], str]) -> str:
    """A dictionary of dictionaries."""
    first, second = (
        {key(i[1], i[3:]): words for i, words in SAID.items() if i[1] == question}
        for question in "12"
    )
    return f"answers = {{'Q1': {first!r}, 'Q2': {second!r}}}"


@pytest.mark.parametrize(
    "source",
    [
        nested(lambda _, tail: tail),
        nested(lambda _, tail: f"Part {tail}"),
        nested(lambda main, tail: f"{main}.{tail}"),
        f"pd.DataFrame({ {'question': list(SAID), 'answer': list(SAID.values())} })",
        f"pd.Series({list(SAID.values())}, index={list(SAID)})",
        f"answers = dict(zip({list(SAID)}, {list(SAID.values())}))",
    ],
    ids=range(6),
)
def test_answers_in_nested_dictionaries_and_columns_are_told_apart(source: str) -> None:
    assert said([*handout(), code(source)]) == SAID


@pytest.mark.parametrize(
    "source",
    [
        "names = {1: 'cat', 2: 'dog', 3: 'a big red truck', 4: 'frog', 5: 'ship', 6: 'horse'}",
        "config = {'classes': ['cat', 'dog', 'frog', 'deer', 'ship', 'truck'], 'lr': 0.1}",
        "net = Net(part1='conv', part2='fc')",
        "ax.set(title='Q1', xlabel='the first principal component of all the embeddings')",
        "parser.add_argument('--q1', help='number of queries in the first batch of the run')",
        "df = pd.DataFrame({'epoch': [1, 2, 3], 'note': ['the first run', 'again', 'and last']})",
        "rows = [(1, 0.9193, 'C1 and C2'), (2, 0.1696, 'C1 and B1')]",
    ],
)
def test_tables_and_options_of_code_are_no_answers(source: str) -> None:
    assert not any(said([*handout(), code(source)]).values())


def test_texts_below_words_are_kept_and_doubted() -> None:
    words = list(SAID.values())[:3]
    source = (
        f"answers = { {word: {'text': text} for word, text in zip('abc', words, strict=True)} }"
    )
    kept = found([*handout(), code(source)])

    assert all(text in kept["Q2.3.4"].text for text in words)
    assert "in cell 23" in kept["Q2.3.4"].concern


def test_strings_added_up_without_end_stop_nothing() -> None:
    for count in (500, 900, 1_500, 5_000):
        page = [*handout(), code("x = 1\ny = " + " + ".join(["'a b c d'"] * count))]

        assert said(page)["Q1.1"] == ""


def test_a_notebook_of_numbers_takes_no_longer() -> None:
    page = [*handout(), text("\n\n".join(f"Q1.{n % 3 + 1}: x" + " " * 99 for n in range(5_000)))]
    start = perf_counter()
    said(page)

    assert perf_counter() - start < 10


def test_a_string_on_the_handouts_own_line_is_no_answer() -> None:
    line = "print('The distance between the embeddings of the three images is shown below here')"
    page = handout()
    at = next(n for n, (_, source) in enumerate(page) if source.startswith("print_cos"))
    page[at] = code(page[at][1] + "\n" + line)
    own = "\n".join(f"x{n} = {n}" for n in range(9)) + "\n" + line
    page.insert(place_of(page, "Q1.1") + 1, code(own))
    known = REFERENCE | {"code: " + line.replace(" ", "")}
    answers = written_answers(notebook(page), items=ITEMS, handout=known, outline=OUTLINE)

    assert {item for item, answer in answers.items() if answer.text or answer.concern} == set()


def test_an_answer_in_its_place_is_not_taken_apart_for_one_that_is_not_missing() -> None:
    page = inside(GIVEN | {"Q2.2": "False.\n\nQ1.1: skips.\n\nQ1.2: norms."})
    page[place_of(page, "Q2.1")] = text("### Part 1 (5 points)", PROMPTS["Q2.1"])

    assert found(page)["Q2.2"].text == "False.\n\nQ1.1: skips.\n\nQ1.2: norms."
    assert found(page)["Q1.1"].text == GIVEN["Q1.1"]


def test_the_last_answer_is_found_where_others_first_took_its_place() -> None:
    asked = {item: prompt.partition("?")[0] + "?" for item, prompt in PROMPTS.items()}
    cell = "\n\n".join(f"**{item}** {asked[item]}\n\n{words}" for item, words in SAID.items())
    answers = said([*handout(), text(cell)])

    assert all(words in answers[item] for item, words in SAID.items())
    assert SAID["Q2.3.4"] not in answers["Q2.3.3"]


# ---------------------------------------------------------------- pictures in files


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("code", "from IPython.display import Image\nImage('scan.png')"),
        ("code", "display(Image(filename='scan.png', width=300))"),
        ("code", "plt.imshow(plt.imread('scan.png'))\nplt.show()"),
        ("markdown", "<img src='scan.png' width=300>"),
        ("markdown", "![my answer](scan.png)"),
    ],
)
def test_a_picture_in_a_file_is_an_answer_that_is_not_shown(kind: str, form: str) -> None:
    page = with_cells("below", given={"Q1.1": form}, kind=kind)
    answer = found(page)["Q1.1"]

    assert re.fullmatch(r"!\[.*\]\(scan\.png\)", answer.text)
    assert "only a file's name" in answer.concern


# ---------------------------------------------------------------- unclaimed


def add_beside_names(page: Page, words: str) -> None:
    page[0] = text(page[0][1], words)


def add_below_code(page: Page, words: str) -> None:
    page.insert(place_of(page, "Q2.3.2"), text(words))


def add_to_given_cell(page: Page, words: str) -> None:
    at = next(n for n, (_, source) in enumerate(page) if source.startswith("encoder"))
    page[at] = code(page[at][1] + "\n# " + words)


@pytest.mark.parametrize("add", [add_beside_names, add_below_code, add_to_given_cell])
def test_text_that_may_be_a_missing_answer_is_shown_beside_it(
    add: Callable[[Page, str], None],
) -> None:
    page = inside({item: words for item, words in GIVEN.items() if item != "Q1.3"})
    words = "A cat that moved is still the same cat, since one filter looks at each place in turn."
    add(page, words)
    answers = found(page)

    assert {item: answer.text for item, answer in answers.items()} == GIVEN | {"Q1.3": ""}
    assert [excerpt.source for excerpt in answers["Q1.3"].unclaimed] == [words]
    assert f"cell {answers['Q1.3'].unclaimed[0].cell} was taken" in answers["Q1.3"].concern
    assert doubted(page) == {"Q1.3"}
    full = inside()
    add(full, words)
    assert (said(full), doubted(full)) == (said(inside()), set())


@pytest.mark.parametrize(
    "cells",
    [
        [joined("{words}")],
        [joined("{words}", between=" ")],
        [joined("{words}", between=" ").replace(".", ";")],
        [joined("- {words}", between="\n")],
        [joined("{words}", between="\n")],
        [joined("| {words} |", between="\n")],
        [joined("{words}", between="<br>")],
        list(SAID.values()),
    ],
    ids=range(8),
)
def test_answers_that_nothing_tells_apart_are_doubted(cells: list[str]) -> None:
    page = [*handout(), *map(text, cells)]
    answers = found(page)

    assert doubted(page) == set(WRITTEN)
    assert "Q2.3.4" in answers["Q1.1"].concern
    assert answers["Q2.3.4"].concern == (
        "it may hold what was not found for Q1.1, Q1.2, Q1.3, Q2.1, Q2.2, Q2.3.3"
    )


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        ("The cosine similarities of the cats rose, and in the chart their points met.", "Q2.3.3"),
        ("One kernel does it. Skips hand gradients through very deep networks.", "Q1.1"),
    ],
)
def test_an_answer_with_words_of_the_missing_ones_question_is_doubted(
    words: str, missing: str
) -> None:
    rest = {item: said_there for item, said_there in SAID.items() if item != missing}
    page = with_cells("below", given=rest | {"Q2.3.4": words})

    assert doubted(page) == {missing, "Q2.3.4"}
    assert doubted(with_cells("below", given=rest)) == set()


@pytest.mark.parametrize(
    ("holder", "missing"),
    [("Q2.3.4", {"Q2.3.3"}), ("Q2.3.3", {"Q2.3.4"})],
)
@pytest.mark.parametrize("between", ["\n\n", "\n", "\n\n---\n\n", "\n- "])
def test_a_neighbor_of_several_parts_may_hold_the_one_missing_answer(
    holder: str, missing: set[str], between: str
) -> None:
    rest = {item: words for item, words in SAID.items() if item not in missing}
    both = {holder: f"They met there, as hoped.{between}It all moved as it should have."}

    assert doubted(with_cells("below", given=rest | both)) == {holder, *missing}
    assert doubted(with_cells("below", given=SAID | both)) == set()


def test_an_answer_of_several_parts_far_from_the_missing_one_is_certain() -> None:
    rest = {item: words for item, words in SAID.items() if item != "Q2.3.4"}
    far = {"Q1.1": "They come back, as hoped.\n\nIt all moved as it should have."}

    assert doubted(with_cells("below", given=rest | far)) == set()


def test_a_neighbor_of_several_parts_is_doubted_where_others_are_missing_too() -> None:
    rest = {item: words for item, words in SAID.items() if item not in {"Q1.1", "Q2.3.3"}}
    both = {"Q2.3.4": "They met there, as hoped.\n\nIt all moved as it should have."}

    assert doubted(with_cells("below", given=rest | both)) == {"Q2.3.3", "Q2.3.4"}


@pytest.mark.parametrize(
    ("mimes", "words", "is_doubted"),
    [
        (("text/markdown", "text/plain"), SAID["Q1.2"], True),
        (("text/markdown",), "0.92", False),
        (("text/plain",), SAID["Q1.2"], False),
    ],
)
def test_an_answer_may_stand_only_in_what_a_cell_showed(
    mimes: tuple[str, ...], words: str, *, is_doubted: bool
) -> None:
    rest = {item: there for item, there in SAID.items() if item != "Q1.2"}
    saved = (SavedOutput(text=words, mimes=mimes),)
    for given, missing in ((rest, {"Q1.2"}), (SAID, set())):
        page = with_cells("below", given=given)
        page.append(code('Markdown(open("q12.md").read())'))
        book = notebook(page)
        cells = (*book.cells[:-1], replace(book.cells[-1], outputs=saved))
        answers = written_answers(replace(book, cells=cells), items=ITEMS, handout=REFERENCE)
        concerned = {item for item, answer in answers.items() if answer.concern}
        assert concerned == (missing if is_doubted else set())


def test_a_wrapped_paragraph_is_one_part() -> None:
    wrapped = "Both red points met in the chart,\nwhile the blue one left them\nas it should"
    rest = {item: words for item, words in SAID.items() if item not in {"Q1.1", "Q1.2"}}

    assert doubted(with_cells("below", given=rest | {"Q2.3.4": wrapped})) == set()


def test_names_are_not_shown_as_text_that_may_be_an_answer() -> None:
    page = handout()
    page[0] = text(page[0][1], "Ben Sample (bs20002) and Cleo Probe (cp30003), Dan Test (dt40004)")

    assert all(answer.unclaimed == () for answer in found(page).values())


def test_a_cell_that_a_person_told_is_not_unclaimed() -> None:
    page = handout()
    add_below_code(page, SAID["Q1.1"])
    at = next(n for n, (_, source) in enumerate(page) if source == SAID["Q1.1"])
    answers = written_answers(
        notebook(page), items=ITEMS, handout=REFERENCE, overrides={"Q1.1": (at,), "Q1.2": ()}
    )

    assert answers["Q1.1"].text == SAID["Q1.1"]
    assert answers["Q1.2"].unclaimed == answers["Q1.3"].unclaimed == ()


# ---------------------------------------------------------------- labels


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("Q1.2", (1, 2)),
        ("**Q1.2:** x", (1, 2)),
        ("Q1_2: x", (1, 2)),
        ("Q1-2: x", (1, 2)),
        ("Q1b) x", (1, 2)),
        ("Q1 (b) x", (1, 2)),
        ("Q1(2): x", (1, 2)),
        ("A1.2: x", (1, 2)),
        ("1. Q1.2: x", (1, 2)),
        ("Question 1, Part 2: x", (1, 2)),
        ("Frage 1, Teil 2: Ja", (1, 2)),
        ("Q1 \u2013 Part 2: Yes", (1, 2)),
        ("Q1 / Part 2: Yes", (1, 2)),
        ("Q1 > Part 2: Yes", (1, 2)),
        ("Question 1 (Part 2): Yes", (1, 2)),
        ("Part 2 of Q1: Yes", (1, 2)),
        ("Part 2 (Q1): Yes", (1, 2)),
        ("Q1 Part II: Yes", (1, 2)),
        ("Q1 Part Two: Yes", (1, 2)),
        ("Q1 Part B: Yes", (1, 2)),
        ("Q1 b: Yes", (1, 2)),
        ("Q2 Part III (3.4): Yes", (2, 3, 4)),
        ("Part Q1.2: Yes", (1, 2)),
        ("HW 5 Q1.2: Yes", (1, 2)),
        ("- [x] Q1.2: Yes", (1, 2)),
        ("Respuesta a Q1, parte 2: Yes", (1, 2)),
        ("Question no. 1.2: Yes", (1, 2)),
        ("For Q1 part 2: Yes", (1, 2)),
        ("Respuesta a la pregunta 1.2: Yes", (1, 2)),
        ("Antwort zu Frage 1.2: Ja", (1, 2)),
        ("| 4 | Q1.2 | Yes |", (1, 2)),
        ("<tr><td>Q1</td><td>Part 2</td><td>Yes</td></tr>", (1, 2)),
        ("Q1.2: a) Yes", (1, 2)),
        ("Q1.2: I. think", (1, 2)),
        ("Q1.2 \u2013 3: Yes", (1, 2)),
    ],
)
def test_the_number_of_a_question_is_read(line: str, numbers: tuple[int, ...]) -> None:
    label = read_number_label(line)

    assert label is not None
    assert (label.numbers, label.is_closed) == (numbers, True)


@pytest.mark.parametrize(
    "line",
    [
        "A 3 layer net.",
        "Part A: x",
        "Part I think.",
        "Pi: about 3",
        "In part 2, the net learns.",
        "1/2 of them",
        "0.9193 is high",
        "Questions remain.",
        "x = 1",
        "",
    ],
)
def test_other_lines_have_no_number(line: str) -> None:
    assert read_number_label(line) is None
