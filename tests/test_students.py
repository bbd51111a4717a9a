"""Names and ids are read in the forms people write them."""

from dataclasses import replace

import pytest
from processor_time import within

from grader.model import Cell, Notebook
from grader.notebook import find_students
from grader.notebook.students import find_name_cells

Team = list[tuple[str, str]]

LABEL = "# HW 5\n\n**Total points:** 80\n\n**Name(s) and EID(s):**\n\n"
AFTER = (
    "\n\nIf you prefer, you can work in groups of two. **Please note that only one student per "
    "team needs to submit the assignment but make sure to include both students' names and UT "
    "EIDs.**"
)
ADA, BEN = ("Ada Example", "ae10001"), ("Ben Sample", "bs10002")


def notebook(*texts: str) -> Notebook:
    cells = tuple(Cell(index=i, kind="markdown", source=text) for i, text in enumerate(texts))
    return Notebook(cells=cells, sha256="")


def named(*texts: str, prompt: str = "") -> Team:
    found = find_students(notebook(*texts), prompts={"Q1": prompt})
    return [(who.name, who.id) for who in found]


FORMS = [
    ("Ada Example (ae10001) </br> Ben Sample (bs10002)", [ADA, BEN]),
    ("Ada Example (ae10001) <br> Ben Sample (bs10002)", [ADA, BEN]),
    ("Ada Example (ae10001)<br/>Ben Sample (bs10002)", [ADA, BEN]),
    ("- Ada Example (ae10001)\n- Ben Sample (bs10002)", [ADA, BEN]),
    ("* Ada Example, ae10001\n* Ben Sample, bs10002", [ADA, BEN]),
    ("1. Ada Example - ae10001\n2. Ben Sample - bs10002", [ADA, BEN]),
    ("1) Ada Example – ae10001\n2) Ben Sample – bs10002", [ADA, BEN]),  # noqa: RUF001 -- typed so
    ("**Ada Example** (ae10001), **Ben Sample** (bs10002)", [ADA, BEN]),
    ("### Ada Example (ae10001)\n### Ben Sample (bs10002)", [ADA, BEN]),
    ("Ada Example (ae10001) & Ben Sample (bs10002)", [ADA, BEN]),
    ("Ada Example (ae10001) and Ben Sample (bs10002)", [ADA, BEN]),
    ("Ada Example ae10001; Ben Sample bs10002", [ADA, BEN]),
    ("Ada Example: ae10001\nBen Sample: bs10002", [ADA, BEN]),
    ("Ada Example (EID: ae10001)\n\nBen Sample (EID: bs10002)", [ADA, BEN]),
    ("Ada Example, EID ae10001, Ben Sample, EID bs10002", [ADA, BEN]),
    ("Ada Example [ae10001] / Ben Sample [bs10002]", [ADA, BEN]),
    ("ae10001 Ada Example\nbs10002 Ben Sample", [ADA, BEN]),
    ("ae10001 - Ada Example, bs10002 - Ben Sample", [ADA, BEN]),
    ("Name: Ada Example\nEID: ae10001", [ADA]),
    ("Name: Ada Example\nUIN: 123456789", [("Ada Example", "123456789")]),
    ("Ada Example (EID: ae10001, SID: 1234567)", [ADA]),
    ("Ada Example (ae10001) unique 12345\nBen Sample (bs10002), Section 12346", [ADA, BEN]),
    ("Name: Ada Example\n\nUT EID: ae10001\n\nName: Ben Sample\n\nUT EID: bs10002", [ADA, BEN]),
    ("**Name:** Ada Example, **EID:** ae10001", [ADA]),
    ("Names: Ada Example, Ben Sample\nEIDs: ae10001, bs10002", [ADA, BEN]),
    ("Names: Ada Example and Ben Sample\n\nIDs: ae10001 and bs10002", [ADA, BEN]),
    ("Ada Example, Ben Sample\nae10001, bs10002", [ADA, BEN]),
    ("Ada Example and Ben Sample (ae10001, bs10002)", [ADA, BEN]),
    ("Student 1: Ada Example (ae10001)\nStudent 2: Ben Sample (bs10002)", [ADA, BEN]),
    ("Student 1 name: Ada Example\nStudent 1 ID: ae10001", [ADA]),
    ("Partner 1: Ada Example, ae10001\nPartner 2: Ben Sample, bs10002", [ADA, BEN]),
    ("| Name | EID |\n|---|---|\n| Ada Example | ae10001 |\n| Ben Sample | bs10002 |", [ADA, BEN]),
    ("| Name | Ada Example | Ben Sample |\n|--|--|--|\n| EID | ae10001 | bs10002 |", [ADA, BEN]),
    ("| Name | GitHub | EID | Part |\n| Ada Example | ada99 | ae10001 | Q1, Code |", [ADA]),
    (
        "| # | Name | EID | Email |\n|--|--|--|--|\n| 1 | Ada Example | ae10001 | a@x.example |",
        [ADA],
    ),
    ("Example, Ada (ae10001); Sample, Ben (bs10002)", [ADA, BEN]),
    ("Ada Example UT EID- ae10001", [ADA]),
    ("Ada Example (ae10001) (2 slip days used)", [ADA]),
    ("~~Ben Sample (bs10002)~~ Ada Example (ae10001)", [ADA]),
    ("Team *Gradient Ascent*\n\n* Ada Example (ae10001)\n* Ben Sample (bs10002)", [ADA, BEN]),
    ("Team Ada Example (ae10001) and Ben Sample (bs10002)", [ADA, BEN]),
    ("Group members Ada Example (ae10001), Ben Sample (bs10002)", [ADA, BEN]),
    ("Ada Example <ae10001@x.example>, Ben Sample <mailto:bs10002@x.example>", [ADA, BEN]),
    ("\u738b\u5c0f\u660e (Ada Example), ae10001 / Ben Sample, bs10002", [ADA, BEN]),
    ("People: Ada Example (ae10001), Ben Sample (bs10002)", [ADA, BEN]),
    ("Ada Example (ae10001), Ben Sample (bs10002) helped with plots", [ADA, BEN]),
    ("Ada Example (ae10001) - my partner dropped the class", [ADA]),
    ("Ada Example (ae10001)\n\n## Written Answers\n\nAll Rights Reserved", [ADA]),
    ("Example, Ada ae10001\nSample, Ben bs10002", [ADA, BEN]),
    ("Ada Example (ae10001, ada@students.example)", [ADA]),
    ("Ada Example <ada@students.example> ae10001", [ADA]),
    ("Ada Example (ae10001@students.example)", [ADA]),
    ("Ada Example, [ada@students.example](mailto:ada@students.example), ae10001", [ADA]),
    ("José O'Sample-Núñez (jos2)", [("José O'Sample-Núñez", "jos2")]),
    ("Zoë van der Beispiel (zvb77)", [("Zoë van der Beispiel", "zvb77")]),
    ("李 示例 (ls1234)", [("李 示例", "ls1234")]),
    ("Ada M. Example (ae10001)", [("Ada M. Example", "ae10001")]),
    ("ada example (ae10001)", [("ada example", "ae10001")]),
    ("Ada Example (1234567)", [("Ada Example", "1234567")]),
    ("Ada Example, 20-1234-567", [("Ada Example", "20-1234-567")]),
    ("Ada Example (ada.example)", [("Ada Example", "ada.example")]),
    ("Ada Example - AE10001", [("Ada Example", "AE10001")]),
    ("Ada Example", [("Ada Example", "")]),
    ("Ada Example, Ben Sample", [("Ada Example", ""), ("Ben Sample", "")]),
    ("Ada Example\nBen Sample (bs10002)", [("Ada Example", ""), BEN]),
    ("Ada Example&nbsp;(ae10001)", [ADA]),
    ("1. Ruth Placeholder rp10005", [("Ruth Placeholder", "rp10005")]),
    ("May Example (me10006)", [("May Example", "me10006")]),
    ('<font color="blue">Ada Example (ae10001)</font>', [ADA]),
    ("`Ada Example` `ae10001`", [ADA]),
    ("Ada Example (she/her) ae10001", [ADA]),
    ("\\* Ada Example (ae10001)  \n\\* Ben Sample (bs10002)  ", [ADA, BEN]),
    # sentences
    ("We are Ada Example (ae10001) and Ben Sample (bs10002).", [ADA, BEN]),
    ("I am Ada Example (ae10001), my partner is Ben Sample (bs10002).", [ADA, BEN]),
    ("My name is Ada Example and my EID is ae10001.", [ADA]),
    ("I, Ada Example (ae10001), worked alone.", [ADA]),
    ("Ada Example's EID is ae10001", [ADA]),
    ("We, Ada Example (ae10001) and Ben Sample (bs10002), contributed equally.", [ADA, BEN]),
    ("This submission is by Ada Example (ae10001) only.", [ADA]),
    ("Completed by: Ada Example (ae10001)", [ADA]),
    ("Team Convolvers: Ada Example (ae10001), Ben Sample (bs10002)", [ADA, BEN]),
    ("Submitted by Ada Example (ae10001)", [ADA]),
    (
        "Homework 5, submitted by Ada Example and Ben Sample",
        [("Ada Example", ""), ("Ben Sample", "")],
    ),
    ("By Ada Example (ae10001)", [ADA]),
    # tables and lists in HTML
    (
        "<table><tr><th>Name<th>EID</tr><tr><td>Ada Example</td><td>ae10001</td></tr></table>",
        [ADA],
    ),
    ("<table><tr>\n<td>Name<td>Ada Example</tr>\n<tr><td>EID<td>ae10001</tr></table>", [ADA]),
    (
        "<table><tr><td>Ada Example<br>Ben Sample</td><td>ae10001<br>bs10002</td></tr></table>",
        [ADA, BEN],
    ),
    ("| Name | EID |\n|--|--|\n| Ada Example<br>Ben Sample | ae10001<br>bs10002 |", [ADA, BEN]),
    # nobody beside the one
    ("Name: Ada Example\nEID: ae10001\nPartner: N/A", [ADA]),
    ("Ada Example (ae10001)\nPartner name: n.a.\nPartner EID: N/A", [ADA]),
    ("Ada Example (ae10001) / N/A", [ADA]),
    ("Ada Example (solo)", [("Ada Example", "")]),
    ("Ada Example (undergrad)", [("Ada Example", "")]),
    ("Ada Example, solo", [("Ada Example", "")]),
    # names
    ("Xiaoming (Ming) Beispiel (xb10007)", [("Xiaoming (Ming) Beispiel", "xb10007")]),
    ("Xiaoming Beispiel (Ming), xb10007", [("Xiaoming Beispiel (Ming)", "xb10007")]),
    ('Ada "Addie" Example, ae10001', [('Ada "Addie" Example', "ae10001")]),
    ("Ada A Example (ae10001)", [("Ada A Example", "ae10001")]),
    (
        "Example He (eh10008); An Muster (am10009)",
        [("Example He", "eh10008"), ("An Muster", "am10009")],
    ),
    ("Ada Example, Jr. (ae10001)", [("Ada Example Jr", "ae10001")]),
    ("First name: Ada\nLast name: Example\nEID: ae10001", [ADA]),
    ("| First Name | Last Name | EID |\n|--|--|--|\n| Ada | Example | ae10001 |", [ADA]),
    ("First and last name: Ada Example, Ben Sample", [("Ada Example", ""), ("Ben Sample", "")]),
    # scripts
    ("आदा उदाहरण (au10001)", [("आदा उदाहरण", "au10001")]),
    ("தமிழ் உதாரணம், tu10001", [("தமிழ் உதாரணம்", "tu10001")]),
    ("王示例（ws10001）、李示例（ls10002）", [("王示例", "ws10001"), ("李示例", "ls10002")]),  # noqa: RUF001 -- typed so
    ("Name\uff1aAda Example\nEID\uff1aae10001", [ADA]),  # a wide colon
    ("김예시", [("김예시", "")]),
    # headings, lists and numbers
    ("#### 1. Ada Example - ae10001", [ADA]),
    ("**1. Ada Example - ae10001**", [ADA]),
    ("- 1. Ada Example - ae10001\n- 2. Ben Sample - bs10002", [ADA, BEN]),
    ("#1 Ada Example, ae10001\n#2: Ben Sample, bs10002", [ADA, BEN]),
    ("**1.** Ada Example (ae10001)\n\n**2.** Ben Sample (bs10002)", [ADA, BEN]),
    ("> - [x] **Ada Example** (ae10001)", [ADA]),
    ("1) Ada Example, 2) Ben Sample", [("Ada Example", ""), ("Ben Sample", "")]),
    ("Ada Example<sup>1</sup> (ae10001), Ben Sample\u00b2 (bs10002)", [ADA, BEN]),
    ("(a) Ada Example → ae10001", [ADA]),
    # ids
    ("Name: Ada Example\nEID: aexample", [("Ada Example", "aexample")]),
    ("$\\textbf{Ada Example}$ (ae10001)", [ADA]),
    ("Ada Example the 2nd (ae10001)", [ADA]),
    ("Group 4 Speaker 2 One (gs10001)", [("", "gs10001")]),
    ("Ada Example (aexample)", [("Ada Example", "aexample")]),
    ("Ada Example (ada_example)", [("Ada Example", "ada_example")]),
    ("Ada Example (@ae10001)", [ADA]),
    ("Name: [Ada Example](https://ada.example/cs101)\nEID: ae10001", [ADA]),
    ("Name: Ada Example\nUnique No.: 51234\nEID: ae10001\nDate: 2026-05-12", [ADA]),
]

# A wrong pair is worse than none.
PAIRS = [
    ("Name: Ada Example\nPartner: Ben Sample\nPartner EID: bs10002\nEID: ae10001", [ADA, BEN]),
    ("Name: Ada Example\nPartner: Ben Sample\nPartner's EID: bs10002", [("Ada Example", ""), BEN]),
    (
        "Student 1: Ada Example\nStudent 1 EID:\nStudent 2: Ben Sample\nStudent 2 EID: bs10002",
        [("Ada Example", ""), BEN],
    ),
    ("Partner: Ben Sample\nName: Ada Example\nEID: ae10001", [("Ben Sample", ""), ADA]),
    ("Names: Ada Example, Ben Sample\nEID 2: bs10002\nEID 1: ae10001", [ADA, BEN]),
    ("Name: Ada Example\nEID:\nName: Ben Sample\nEID: bs10002", [("Ada Example", ""), BEN]),
    ("Names:\nAda Example\nBen Sample\nEIDs:\nae10001\nbs10002", [ADA, BEN]),
    ("Ada Example\nbs10002 Ben Sample", [("Ada Example", ""), BEN]),
    ("Ben Sam?le the Second (bs10002)\nAda Example", [("", "bs10002"), ("Ada Example", "")]),
    ("Ada Example\nBen Sam?le the Second (bs10002)", [("Ada Example", ""), ("", "bs10002")]),
    ("Ada Example (ae10001)\nae10001", [ADA]),
]

OTHERS = [
    "AI tools used: ChatGPT (GPT-4o), Claude 3.5 Sonnet",
    "I used ChatGPT (GPT-4o) for proofreading.",
    "Generative AI: GitHub Copilot, GPT-4",
    "Discussed with Ben Sample (bs10002).",
    "**Discussed with:** Ben Sample (bs10002), who submitted his own",
    "We also discussed Q1 with Ben Sample (bs10002).",
    "People consulted: Ben Sample (bs10002)",
    "Thanks to Ben Sample (bs10002) for explaining BatchNorm2d.",
    "We would like to thank Ben Sample (bs10002).",
    "I got help from Ben Sample (bs10002) in office hours",
    "Ben Sample (bs10002) helped me with Q2.",
    "Note: my former partner Ben Sample (bs10002) dropped the class.",
    "[ada99](https://github.com/ada99)",
    "github.com/ada99/hw5",
    "GitHub: ada99",
    "Kaggle username: ada99",
]

PHANTOMS = [
    "1. Shared weights (filters)",
    "Experiments with ResNet50",
    "Data Preprocessing (6.3)",
    "Estimated time needed: **35-40** minutes",
    "Based On ImageNet (2012)",
    "Transfer Learning with VGG16",
    "Feature Maps (c1) and Kernels (k3)",
    "Adam Optimizer (lr0.001)",
    "No: Labels Matter",
    "`Conv2D(32, (7, 7), strides = (1, 1), name = 'conv0')`",
]

NOBODY = [
    "",
    "[Your name here] (your EID)",
    "Your Name (your EID)",
    "Name 1 (EID 1) </br> Name 2 (EID 2)",
    "First Last (EID)",
    "TODO",
    "_______",
    "...",
    "N/A",
    "Partner: no partner",
    "Same As Above",
    "See Canvas",
]


@pytest.mark.parametrize(("text", "expected"), FORMS)
def test_names_are_read_below_the_label(text: str, expected: Team) -> None:
    assert named(LABEL + text + AFTER, "## Q1. Convolutional Networks (20 points)") == expected


@pytest.mark.parametrize(("text", "expected"), FORMS)
def test_names_are_read_in_the_cell_after_the_label(text: str, expected: Team) -> None:
    assert named("# HW 5", "Name(s) and EID(s):", text, AFTER) == expected


ANDS = ["和", "与", "及", "と", "и", "و", "और", "y", "e", "i", "et", "und", "og", "och", "en", "ve"]


@pytest.mark.parametrize("word", ANDS)
def test_names_are_told_apart_by_the_word_for_and_of_any_language(word: str) -> None:
    assert named(LABEL + f"Ada Example (ae10001) {word} Ben Sample (bs10002)" + AFTER) == [ADA, BEN]
    assert named(f"{LABEL}Ada Example {word} Ben Sample, ae10001 {word} bs10002") == [ADA, BEN]
    team = [("李小明", "lx12345"), ("王芳", "wf54321")]
    assert named(LABEL + f"李小明 (lx12345) {word} 王芳 (wf54321)") == team
    assert named(LABEL + "李小明（lx12345）和王芳（wf54321）") == team  # noqa: RUF001 -- typed so


@pytest.mark.parametrize("name", ["Ada Example y Sample", "Joan Sample i Example", "dan example"])
def test_such_a_word_within_a_name_stays(name: str) -> None:
    assert named(LABEL + f"{name} (ae10001)") == [(name, "ae10001")]


@pytest.mark.parametrize(
    "text",
    [
        "# Ada Example & Ben Sample\n\n### EIDs: ae10001 & bs10002",
        "Ada Example\n\nBen Sample\n\nEIDs: ae10001, bs10002",
        "# Ada Example, Ben Sample\n\n## ae10001, bs10002",
        "**Ada Example** and **Ben Sample**\n\n*ae10001* and *bs10002*",
        "Ada Example / Ben Sample<br>ae10001 / bs10002",
    ],
)
def test_ids_below_the_names_of_a_team_are_theirs_without_a_label_for_names(text: str) -> None:
    assert named(text, "## Q1") == [ADA, BEN]


@pytest.mark.parametrize(("text", "expected"), PAIRS)
def test_an_id_goes_to_nobody_rather_than_to_another(text: str, expected: Team) -> None:
    assert named(LABEL + text + AFTER) == expected


@pytest.mark.parametrize("text", OTHERS)
def test_whoever_helped_and_accounts_are_no_authors(text: str) -> None:
    assert named(LABEL + f"Ada Example (ae10001)\n\n{text}") == [ADA]
    assert named(LABEL + f"Name: Ada Example\n\nEID: ae10001\n\n{text}") == [ADA]
    assert named(LABEL + text) == []


def test_a_name_like_the_words_of_such_lines_is_read() -> None:
    assert named(LABEL + "Ai Example: ae10001") == [("Ai Example", "ae10001")]


@pytest.mark.parametrize("text", PHANTOMS)
def test_titles_links_and_numbers_are_nobody_without_a_label(text: str) -> None:
    assert named("# HW 5", text) == []


def test_names_without_a_label_stand_above_the_first_prompt() -> None:
    prompt = "Why do skip connections help?"
    answer = "Shared Weights (sw10001)"

    assert named("Ada Example (ae10001)", prompt, prompt=prompt) == [ADA]
    assert named(f"Ada Example (ae10001)\n\n{prompt}", prompt=prompt) == [ADA]
    assert named(prompt, answer, prompt=prompt) == []
    assert named(f"{prompt}\n\n{answer}", prompt=prompt) == []


def test_a_label_below_the_first_prompt_needs_a_full_name_and_an_id() -> None:
    prompt = "Why do skip connections help?"
    cells = [prompt, "Authors: He et al.", "By: shortcut", "Student: Teacher Networks"]

    assert named(*cells, prompt=prompt) == []
    assert named(*cells, "Name: Ada Example\nEID: ae10001", prompt=prompt) == [ADA]


def test_an_answer_with_a_label_is_no_names_cell() -> None:
    prompt = "Why do skip connections help?"
    book = notebook(LABEL, prompt, "Team: the gradients work together")

    assert find_name_cells(book, prompts={"Q1": prompt}) == {0}


def test_comments_in_a_code_cell_name_students() -> None:
    code = Cell(index=0, kind="code", source="# Name: Ada Example\n# EID: ae10001")
    book = Notebook(cells=(code,), sha256="")

    assert [(who.name, who.id) for who in find_students(book)] == [ADA]


@pytest.mark.parametrize("text", NOBODY)
def test_a_label_or_a_placeholder_is_nobody(text: str) -> None:
    assert named(LABEL + text + AFTER, "## Q1. Convolutional Networks (20 points)") == []


def test_names_stand_on_the_label_line() -> None:
    assert named("Name(s) and EID(s): Ada Example (ae10001), Ben Sample (bs10002)") == [ADA, BEN]


def test_other_words_for_the_label_do() -> None:
    assert named("**Group members & NetIDs**\n\nAda Example, ae10001") == [ADA]
    assert named("Student name: Ada Example\nStudent ID: 1234567") == [("Ada Example", "1234567")]
    assert named("Author: Ada Example\n\nUID: 1234567") == [("Ada Example", "1234567")]


def test_names_with_ids_are_believed_without_a_label() -> None:
    table = "<table>\n<tr>\n<td>Ada Example</td>\n<td>ae10001</td>\n</tr>\n</table>"

    assert named("# HW 5", "Ada Example (ae10001)\n\nBen Sample (bs10002)") == [ADA, BEN]
    assert named("# HW 5", table) == [ADA]
    assert named("Ada Example\nEID: ae10001\nBen Sample\nEID: bs10002") == [ADA, BEN]
    assert named("Ada Example\n\nBen Sample\n\nEIDs: ae10001, bs10002") == [ADA, BEN]
    assert named("# Contrastive Losses\n\nAda Example\nEID: ae10001") == [ADA]
    assert named("# CS 391L HW 5 - Ada Example, ae10001") == [ADA]
    assert named("# HW 5\n\nAda Example\n\nae10001\n\nBen Sample\n\nbs10002") == [ADA, BEN]


def test_a_title_without_a_label_is_nobody() -> None:
    assert named("# Deep Networks", "Spring Term, CS391", "Convolutions And Pooling") == []


def test_team_names_dates_and_courses_are_nobody() -> None:
    text = "Team name: The Convolvers\nDate: 2024-05-12\nCourse: CS391 Vision\nName: Ada Example"
    assert named(text + "\nEID: ae10001") == [ADA]


def test_nothing_below_the_first_sentence_is_a_name() -> None:
    assert named(LABEL + "Ada Example (ae10001)" + AFTER + "\n\nCara Later (cl10003)") == [ADA]


def test_a_notebook_without_text_names_nobody() -> None:
    assert find_students(Notebook(cells=(), sha256="")) == ()


def test_at_most_six_students_are_read() -> None:
    rows = "\n".join(f"- Person {letter}ohn (p{n}0001)" for n, letter in enumerate("ABCDEFGH", 1))
    assert len(named(LABEL + rows)) == 6


def test_a_student_named_twice_counts_once() -> None:
    assert named(LABEL + "Ada Example (ae10001)\nAda Example (ae10001)") == [ADA]


def test_the_cells_of_the_label_and_of_the_names_are_known() -> None:
    assert find_name_cells(notebook("# HW", "Names and EIDs:", "Ada Example (ae10001)")) == {1, 2}


def test_a_very_long_line_is_read_in_no_time() -> None:
    assert named("Name: " + "a" * 300_000) != [("", "")]
    assert named("Names:\n" + "name " * 100_000) == []


@pytest.mark.parametrize(
    "line",
    [
        "team group " * 35,
        "<tr><td>" * 2_500,
        "Ada, (" * 60,
        "student id " * 35,
        "id " * 130,
        "name (s) " * 43,
        "1" * 390,
        "a:" * 190,
    ],
)
def test_a_line_made_to_be_read_in_every_mixture_is_read_at_once(line: str) -> None:
    with within(2):
        named(f"**Name(s) and EID(s):** {line}x", f"{line}x")


HEAD = "# Author: Ada Example\n# EID: ae10001\n#\nimport torch\n# by Ben Sample (bs10002)"


@pytest.mark.parametrize(
    ("code", "team"),
    [
        (HEAD, [ADA]),
        ("\n# Ada Example\n# EID: ae10001\nx = 1", [ADA]),
        ("# Author: Prof. Carla Lecturer\nimport torch", []),
        ("# Ada Example's code\nx = 1", []),
        ("import torch\n# Author: Ada Example, EID: ae10001", []),
    ],
)
def test_who_signs_above_the_code_is_named_where_nobody_is_elsewhere(code: str, team: Team) -> None:
    cells = (
        Cell(index=0, kind="markdown", source=LABEL),
        Cell(index=1, kind="markdown", source="## Q1. Why?\n\nBecause."),
        Cell(index=2, kind="code", source=code),
    )
    found = find_students(Notebook(cells=cells, sha256=""), prompts={"Q1": "Why?"})
    assert [(who.name, who.id) for who in found] == team

    signed = replace(cells[0], source=f"{LABEL}Ben Sample (bs10002)")
    found = find_students(Notebook(cells=(signed, *cells[1:]), sha256=""), prompts={"Q1": "Why?"})
    assert [(who.name, who.id) for who in found] == [BEN]
