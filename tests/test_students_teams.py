# ruff: noqa: RUF001 -- signs and words of other scripts as people type them
"""A team's name is no student, one person in two scripts is one, and code is signed above it."""

import pytest
from processor_time import within
from test_students import ADA, AFTER, BEN, LABEL, Team, named

from grader.model import Cell, Notebook
from grader.notebook import find_students

LIST = "\n\n- Ada Example (ae10001)\n- Ben Sample (bs10002)"
BOTH: Team = [("Ada Example", ""), ("Ben Sample", "")]
MINSU, OLEG = ("Minsu Kim", "mk2210"), ("Oleg Primerov", "op1177")
BRUCE, LONG = ("Bruce Beispiel", "bb4411"), ("李小龙", "lx4412")


def places(text: str) -> list[Team]:
    """The students that are read below the label, without one, and in a cell behind it."""
    return [
        named(LABEL + text + AFTER),
        named("# HW 5", text, AFTER),
        named("# HW 5\n\n" + text, AFTER),
        named("# HW 5", "Name(s) and EID(s):", text, AFTER),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "**Group 12 – The Overfitters**",
        "**Group 12: The Overfitters**",
        "Group #12, The Overfitters",
        "Group 12 (The Overfitters)",
        'Team: "Loss Busters"',
        "Team: “Loss Busters”",
        "**Team:** *Loss Busters*",
        "Team Loss Busters",
        "Team Name – Loss Busters",
        "Our team: Loss Busters",
        "Pair 3 - Loss Busters",
        "Team 404 Not Found",
        "Equipo: Los Convolucionados",
        "Nombre del equipo: Los Convolucionados",
        "Gruppe 7: Die Faltungskünstler",
        "Équipe : Les Convolués",
        "Команда «Градиент»",
        "第3组：卷积大师",
        "队名：卷积大师",
        "3조: 경사하강",
    ],
)
def test_what_a_team_calls_itself_above_its_students_is_nobody(line: str) -> None:
    assert places(line + LIST) == [[ADA, BEN]] * 4
    one_each = "\n\nName: Ada Example\nEID: ae10001\n\nName: Ben Sample\nEID: bs10002"
    assert places(line + one_each) == [[ADA, BEN]] * 4
    assert named(LABEL + f"{line}\n\nMembers: Ada Example, Ben Sample") == BOTH


@pytest.mark.parametrize(
    "form",
    [
        "Team Lazy Learners: {}",
        "**Team Lazy Learners**: {}",
        "Team Lazy Learners - {}",
        "Team Lazy Learners ({})",
        "Team: Lazy Learners ({})",
        "Team: Lazy Learners, {}",
        "Team name: Lazy Learners, members: {}",
        "Team Nuts and Bolts: {}",
        "Group The Overfitters: {}",
        "Lazy Learners (Group 12): {}",
        "Team: Lazy Learners | Members: {}",
        "{}, Team Lazy Learners",
        "{} (Team: Lazy Learners)",
        "{}\n\nTeam Lazy Learners",
        "{}\n\nTeam: Lazy Learners",
    ],
)
@pytest.mark.parametrize("joined", [", ", " and ", "; ", " & "])
def test_a_teams_name_in_the_line_of_its_students_is_nobody(form: str, joined: str) -> None:
    students = joined.join(f"{name} ({student_id})" for name, student_id in (ADA, BEN))
    assert places(form.format(students)) == [[ADA, BEN]] * 4


TABLES = [
    "| Team | Lazy Learners |\n|--|--|\n| Ada Example | ae10001 |\n| Ben Sample | bs10002 |",
    "| Team | Name | EID |\n| Lazies | Ada Example | ae10001 |\n| Lazies | Ben Sample | bs10002 |",
    "| Team | Members |\n|--|--|\n| Lazies | Ada Example (ae10001), Ben Sample (bs10002) |",
]


@pytest.mark.parametrize("table", TABLES)
def test_a_teams_name_in_a_table_is_nobody(table: str) -> None:
    assert places(table) == [[ADA, BEN]] * 4


def test_ids_below_a_team_and_its_students_are_the_students() -> None:
    text = "Team: Lazy Learners\nAda Example\nBen Sample\nae10001\nbs10002"
    assert places(text) == [[ADA, BEN]] * 4
    assert named("# HW 5", "Team: Lazy Learners", "Ada Example (ae10001)") == [ADA]


@pytest.mark.parametrize(
    "text",
    [
        "Group members: Ada Example (ae10001), Ben Sample (bs10002)",
        "Team: Ada Example (ae10001), Ben Sample (bs10002)",
        "Group 3: Ada Example (ae10001), Ben Sample (bs10002)",
        "Pair 3: Ada Example (ae10001) and Ben Sample (bs10002)",
        "Group: Ada Example (ae10001)\nBen Sample (bs10002)",
        "Team: Ada Example & Ben Sample\nEIDs: ae10001, bs10002",
        "Team: Ada Example / Ben Sample\nEIDs: ae10001 / bs10002",
        "Team: Ada Example, Ben Sample\n\n- Ada Example (ae10001)\n- Ben Sample (bs10002)",
        "Group: Ada Example\nEID: ae10001\nGroup: Ben Sample\nEID: bs10002",
        "| Team | Ada Example | Ben Sample |\n|--|--|--|\n| EID | ae10001 | bs10002 |",
        "| Team | EID |\n|--|--|\n| Ada Example | ae10001 |\n| Ben Sample | bs10002 |",
        "Team Lead: Ada Example (ae10001)\nScribe: Ben Sample (bs10002)",
        "Group Name(s) and EID(s): Ada Example (ae10001), Ben Sample (bs10002)",
        "Group names: Ada Example, Ben Sample\nGroup EIDs: ae10001, bs10002",
        "Team captain: Ada Example (ae10001)\nTeam member: Ben Sample (bs10002)",
        "Ada Example (ae10001)\nPartner: Ben Sample (bs10002)",
    ],
)
def test_a_label_of_a_team_asks_for_students(text: str) -> None:
    assert places(text) == [[ADA, BEN]] * 4


@pytest.mark.parametrize(
    "text",
    [
        "Group members: Ada Example, Ben Sample",
        "Team: Ada Example, Ben Sample",
        "Team names: Ada Example, Ben Sample",
        "Group 3: Ada Example and Ben Sample",
        "Team: Ada Example\nBen Sample",
        "Team: Ada Example\nPartner: Ben Sample",
    ],
)
def test_who_stands_behind_a_teams_label_alone_is_a_student(text: str) -> None:
    assert places(text) == [BOTH] * 4
    assert named("# HW 5", "Team: Ada Example") == BOTH[:1]


def test_a_name_without_an_id_in_a_list_with_one_that_has_it_stays() -> None:
    team = [("Ada Example", ""), BEN]
    for joined in (", ", " and "):
        assert named(LABEL + f"Team: Ada Example{joined}Ben Sample (bs10002)") == team


@pytest.mark.parametrize("name", ["Duo Example", "조 민수"])
def test_a_name_like_a_word_for_a_team_is_read(name: str) -> None:
    assert named(LABEL + f"{name} (xx12345)") == [(name, "xx12345")]


# ---------------------------------------------------------------- two scripts


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("김민수 (Minsu Kim), mk2210", MINSU),
        ("김 민수 (Minsu Kim), mk2210", MINSU),
        ("김민수 (Kim, Minsu) - mk2210", MINSU),
        ("김민수 (Minsu Kim, mk2210)", MINSU),
        ("Minsu Kim (김민수), mk2210", MINSU),
        ("Minsu Kim 김민수 (mk2210)", MINSU),
        ("김민수 Minsu Kim (mk2210)", MINSU),
        ("Minsu Kim / 김민수 (mk2210)", MINSU),
        ("김민수 - Minsu Kim - mk2210", MINSU),
        ("Minsu Kim | 김민수 | mk2210", MINSU),
        ("Олег Примеров (Oleg Primerov) - op1177", OLEG),
        ("Примеров Олег Иванович [Oleg Primerov], op1177", OLEG),
        ("Олег Примеров / Oleg Primerov (op1177)", OLEG),
        ("Oleg Primerov (Олег Примеров), op1177", OLEG),
        ("李小龙 / Bruce Beispiel (bb4411)", BRUCE),
        ("李小龙（Bruce Beispiel） bb4411", BRUCE),
        ("李小龙, Bruce Beispiel, bb4411", BRUCE),
        ("姓名/Name: 李小龙 / Bruce Beispiel\n学号/ID: bb4411", BRUCE),
        ("| 姓名 | Name | EID |\n|--|--|--|\n| 李小龙 | Bruce Beispiel | bb4411 |", BRUCE),
        ("ليلى مثال (Layla Mithal), lm1177", ("Layla Mithal", "lm1177")),
        ("आदा उदाहरण (Ada Udaharan), au1177", ("Ada Udaharan", "au1177")),
        ("Νίκος Παράδειγμα (Nikos Paradeigma), np1177", ("Nikos Paradeigma", "np1177")),
    ],
)
def test_one_person_in_two_scripts_is_one(text: str, who: tuple[str, str]) -> None:
    assert places(text) == [[who]] * 4
    assert places(f"{text}\n\nAda Example (ae10001)") == [[who, ADA]] * 4


def test_a_name_in_two_scripts_needs_no_id() -> None:
    assert named(LABEL + "Олег Примеров (Oleg Primerov)") == [("Oleg Primerov", "")]
    assert named(LABEL + "Minsu Kim (김민수)\n\nAda Example") == [("Minsu Kim", ""), BOTH[0]]


@pytest.mark.parametrize(
    "text",
    [
        "李小龙 (lx4412), Bruce Beispiel (bb4411)",
        "李小龙 (lx4412) / Bruce Beispiel (bb4411)",
        "李小龙 / Bruce Beispiel (lx4412, bb4411)",
        "李小龙 / Bruce Beispiel\n\nlx4412 / bb4411",
        "李小龙, Bruce Beispiel\nEIDs: lx4412, bb4411",
        "李小龙 and Bruce Beispiel\nEIDs: lx4412, bb4411",
    ],
)
def test_two_students_of_two_scripts_stay_two(text: str) -> None:
    assert places(text) == [[LONG, BRUCE]] * 4


def test_names_of_two_scripts_with_a_comma_are_two() -> None:
    assert named(LABEL + "李小龙, Bruce Beispiel") == [("李小龙", ""), ("Bruce Beispiel", "")]


# ---------------------------------------------------------------- how they work, and as what


@pytest.mark.parametrize(
    "text",
    [
        "Student Name (Last, First): Example, Ada\nStudent ID: ae10001",
        "Name (First Last): Ada Example\nEID: ae10001",
        "Ada Example (ae10001), no collaborators",
        "Ada Example, PhD student, ae10001",
        "Ada Example (Graduate, ae10001)",
        "Ada Example (ae10001) - Scribe",
    ],
)
def test_what_somebody_is_makes_no_second_student(text: str) -> None:
    assert places(text) == [[ADA]] * 4


# ---------------------------------------------------------------- above code


SIGNED = [
    '"""Homework 5\nAuthor: Ada Example (ae10001)"""\nimport torch\nx = 1',
    '"""Homework 5\nAuthor: Ada Example (ae10001)"""',
    "'''\nName: Ada Example\nEID: ae10001\n'''\nimport torch",
    '"""CS 391 HW 5. Ada Example (ae10001)"""\nC1 = #FILLME',
    "# HW 5\n'''\nName: Ada Example\nEID: ae10001\n'''\nimport torch",
    "# Name: Ada Example\n# EID: ae10001\nimport torch\nx = 1",
    "# Ada Example (ae10001)\nimport torch",
    "#####\n# Ada Example, ae10001\n#####\n\nimport torch",
    "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n# Name: Ada Example, EID: ae10001\nx = 1",
    "%matplotlib inline\n# Name: Ada Example\n# EID: ae10001\nimport torch",
    "!pip install torch\n\n# Name: Ada Example\n# EID: ae10001\nimport torch",
    '__author__ = "Ada Example (ae10001)"\nimport torch',
    "NAME = 'Ada Example'\nEID = 'ae10001'  # mine",
    'import torch\nstudent_name = "Ada Example"\nstudent_id = "ae10001"',
    'print("Name: Ada Example, EID: ae10001")',
    'print("Ada Example (ae10001)")\nimport torch',
]
NOBODYS = [
    '"""Author: Carla Lecturer"""\nimport torch',
    "# Author: Carla Lecturer\nimport torch",
    '"""Transfer Learning with VGG16 (vgg16)"""\nimport torch',
    '"""Loss by Gutmann Hyvarinen (nce2010)"""\nimport torch',
    "# Code by Carla Lecturer (github.com/carla99)\nimport torch",
    'def f():\n    """Author: Ada Example (ae10001)"""',
    'x = 1\n"""Author: Ada Example (ae10001)"""',
    "import torch\n# Author: Ada Example (ae10001)",
    'name = "conv1"\nlayers = ["Max Pooling", "fc2000"]',
    'model_name = "Res Net"\nrun = "ab12345"',
]


@pytest.mark.parametrize(
    ("source", "team"),
    [*((source, [ADA]) for source in SIGNED), *((source, []) for source in NOBODYS)],
)
def test_who_signs_code_is_named_where_nobody_is_elsewhere(source: str, team: Team) -> None:
    code = ("code", source)
    head, asked = ("markdown", LABEL), ("markdown", "## Q1. Why?\n\nBecause.")
    for page in ([code, head, asked], [head, code, asked], [head, asked, code], [code, asked]):
        cells = tuple(Cell(index=i, kind=k, source=s) for i, (k, s) in enumerate(page))
        found = find_students(Notebook(cells=cells, sha256=""), prompts={"Q1": "Why?"})
        assert [(who.name, who.id) for who in found] == team


def test_a_name_alone_signs_only_the_first_code() -> None:
    signed = "# Ada Example (ae10001)\nx = 1"
    cells = tuple(Cell(index=i, kind="code", source=s) for i, s in enumerate(("y = 2", signed)))
    assert find_students(Notebook(cells=cells, sha256="")) == ()


@pytest.mark.parametrize(
    "line",
    [
        "team: " * 65,
        "Team a " * 55,
        "the " * 95 + "team",
        "第1组" * 90,
        "李 " * 190,
        "李 A" * 130,
        "Ab (李" * 60,
        "Ab Cd " * 60 + "李",
        "Aa Bb, " * 55 + "李",
        "김민수 / " * 60,
        "a='b'\n" * 3000,
    ],
)
def test_lines_of_teams_and_scripts_are_read_at_once(line: str) -> None:
    with within(2):
        named(LABEL + line, line)
        cells = (Cell(index=0, kind="code", source=line),)
        find_students(Notebook(cells=cells, sha256=""))


@pytest.mark.parametrize(
    "told",
    [
        "(my partner dropped the class, I used 2 slip days)",
        "(worked alone because my partner left)",
        "[we talked about question 2 with another team]",
    ],
)
def test_what_is_told_in_brackets_behind_a_student_names_nobody_and_hides_nobody(told: str) -> None:
    expected = [("Ada Example", "ae10001")]

    assert places(f"Ada Example (ae10001) {told}") == [expected] * 4
    assert named(f"{LABEL}Ada Example {told}, ae10001{AFTER}") == expected


def test_who_signs_at_the_end_of_a_long_notebook_is_its_student_where_nobody_else_is() -> None:
    body = [f"What is seen in figure {number}?" for number in range(60)]
    end = "---\nSubmitted by: Ada Example, EID ae10001"

    assert named("# HW 5", *body, end) == [("Ada Example", "ae10001")]
    assert named("# HW 5", "Name: Ben Sample, bs10002", *body, end) == [("Ben Sample", "bs10002")]
    assert named("# HW 5", *body, end, "Thanks for reading.", "Bye.") == []


@pytest.mark.parametrize(
    "label",
    [
        "**Name:** Ada Example **EID:** ae10001",
        "Name | EID\n--- | ---\nAda Example | ae10001",
        "Student: Ada Example\n\nEID: ae10001",
    ],
)
def test_who_is_named_with_a_label_for_ids_is_read_anywhere_and_a_paper_s_author_is_not(
    label: str,
) -> None:
    body = [f"What is seen in figure {number}?" for number in range(30)]

    assert named("# HW 5", *body, label, *body) == [("Ada Example", "ae10001")]
    assert named("# HW 5", *body, "Authors: Ada Example (ae10001), 2020", *body) == []
