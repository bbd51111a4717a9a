# ruff: noqa: RUF001 -- words of other scripts than the Latin
"""Labels in other languages, and what else is said beside a name, make no second student."""

import pytest
from test_students import ADA, AFTER, BEN, LABEL, Team, named

JORG, LUCIA = ("Jörg Beispiel", "jb20004"), ("Lucía Ejemplo", "le20001")
ASIDES = [
    "GitHub: @ada-example-99",
    "GitHub: ada99",
    "github username: ada99",
    "GitHub @ada99",
    "GitLab ada-99",
    "Discord: ada#1234",
    "Discord handle = ada1234",
    "Slack: @ada",
    "Kaggle: ada_example_99",
    "LinkedIn: ada-example-99",
    "WeChat ID: ada1999",
    "Section: 17420",
    "Major: Mechanical Engineering",
    "Role: Team Lead",
    "Phone: 512-555-0100",
    "Tel.: 5125550100",
    "TA: Hank Helper",
    "Instructor: Prof. Grace Teacher",
    "TA section: Max Helper",
    "TA section: Max Helper, Friday 2pm",
    "my discussion section: Max Helper, Fri 14:00",
    "Lab: Friday",
    "Slip days used: 1",
    "Late days: 2",
    "Number of slip days: 0",
    "Grace days remaining = 2",
    "used 2 Slip Days",
    "TA Max Helper",
    "in Prof. Max Helper's section",
    "recitation with Max Helper",
    "Thursday section",
    "with help from Max Helper",
    "thanks to our TA Max Helper",
    "Special thanks to Dr. Max Helper, Olga Other and Tim Third!",
    "I talked to Max Helper (my TA) about this",
    "supervised by Max Helper",
    "grateful to Max Helper",
    "Partner dropped the class",
    "working alone this time",
    "班级: 计算机2101",
    "Studiengang: Technische Informatik",
]
BETWEEN = [", {}", " | {}", "; {}", " ({})", " - {}", " – {}", " / {}", " {}", " [{}]", " • {}"]
FOREIGN = [
    (
        "姓名:王小明 学号:wx40001\n\n姓名:李雷 学号:ll40002",
        [("王小明", "wx40001"), ("李雷", "ll40002")],
    ),
    ("姓名：王小明，学号：wx40001", [("王小明", "wx40001")]),
    ("姓名 陈晨\n学号 cc20005", [("陈晨", "cc20005")]),
    ("姓名 陈晨 学号 cc20005", [("陈晨", "cc20005")]),
    ("學生姓名：陳晨\n學號：cc20005", [("陳晨", "cc20005")]),
    ("姓名/Name: 陈晨\n学号/Student ID: cc20005", [("陈晨", "cc20005")]),
    ("姓名:王小明学号:wx40001", [("王小明", "wx40001")]),
    ("| 姓名 | 学号 |\n|---|---|\n| 陈晨 | cc20005 |", [("陈晨", "cc20005")]),
    ("氏名：例 太郎\n学籍番号：tr20006", [("例 太郎", "tr20006")]),
    ("이름: 홍길동, 학번: hg20003", [("홍길동", "hg20003")]),
    ("이름 홍길동 학번 20261234", [("홍길동", "20261234")]),
    ("성명: 홍길동 / 학번: hg20003", [("홍길동", "hg20003")]),
    ("Nombre: Lucía Ejemplo, Matrícula: le20001", [LUCIA]),
    ("Nombre y apellidos: Lucía Ejemplo\nDNI: 12345678Z", [("Lucía Ejemplo", "12345678Z")]),
    ("Nombre: Lucía\nApellidos: Ejemplo\nMatricula: le20001", [LUCIA]),
    ("**Alumna:** Lucía Ejemplo — **Código:** le20001", [LUCIA]),
    ("Integrantes:\nLucía Ejemplo (le20001)\nJörg Beispiel (jb20004)", [LUCIA, JORG]),
    ("Vor- und Nachname: Jörg Beispiel\n\nMatrikelnummer: jb20004", [JORG]),
    ("Name: Jörg Beispiel, Matrikel-Nr.: jb20004", [JORG]),
    ("Name: Beispiel\nVorname: Jörg\nMatr.-Nr.: jb20004", [JORG]),
    ("| Vorname | Nachname | Matrikelnummer |\n|--|--|--|\n| Jörg | Beispiel | jb20004 |", [JORG]),
    ("Jörg Beispiel, Matrikelnummer jb20004", [JORG]),
    ("Nachname, Vorname: Beispiel, Jörg\nMatrikelnr.: jb20004", [JORG]),
    ("Nom et prénom : Élodie Exemple\nNuméro étudiant : ee3001", [("Élodie Exemple", "ee3001")]),
    ("Nom : Exemple\nPrénom : Élodie\nMatricule : ee3001", [("Élodie Exemple", "ee3001")]),
    ("Nom: Élodie Exemple, N° étudiant: ee3001", [("Élodie Exemple", "ee3001")]),
    ("Nome: João Exemplo\nNúmero USP: 1234567", [("João Exemplo", "1234567")]),
    ("Aluno: João Exemplo (RA: 123456)", [("João Exemplo", "123456")]),
    ("Nome e cognome: Gioia Esempio\nMatricola: 654321", [("Gioia Esempio", "654321")]),
    ("Naam: Jan van Voorbeeld\nStudentnummer: s1234567", [("Jan van Voorbeeld", "s1234567")]),
    ("Imię i nazwisko: Łucja Przykład\nNr albumu: 123456", [("Łucja Przykład", "123456")]),
    ("Ad Soyad: Ayşe Örnek\nÖğrenci No: 20261234", [("Ayşe Örnek", "20261234")]),
    ("ФИО: Лука Примеров\nНомер зачётки: 1234567", [("Лука Примеров", "1234567")]),
    ("Имя: Лука\nФамилия: Примеров\nГруппа: ИУ5-31", [("Лука Примеров", "")]),
    ("Naam: Asha Udaharan\nAnukramank: 21001", [("Asha Udaharan", "21001")]),
    ("Name: Asha Udaharan\nRoll No.: 21CS10001", [("Asha Udaharan", "21CS10001")]),
    ("Họ và tên: Nguyễn Văn Mẫu\nMSSV: 20261234", [("Nguyễn Văn Mẫu", "20261234")]),
    ("Họ: Nguyễn\nTên: Mẫu\nMã số sinh viên: 20261234", [("Mẫu Nguyễn", "20261234")]),
    ("الاسم: ليلى مثال\nالرقم الجامعي: 441234567", [("ليلى مثال", "441234567")]),
    ("Nama: Budi Contoh\nNIM: 20261234", [("Budi Contoh", "20261234")]),
    ("Namn: Åsa Exempel\nPersonnummer: 900101-1234", [("Åsa Exempel", "900101-1234")]),
]
NUMBERED = [
    "i. Ada Example [EID: ae10001]\n\nii. Ben Sample [EID: bs10002]",
    "II. Ada Example (ae10001)\nIII. Ben Sample (bs10002)",
    "Ms. Ada Example (ae10001)\nMr. Ben Sample (bs10002)",
    "Miss Ada Example, ae10001 & Dr. Ben Sample, bs10002",
    "Frau Ada Example (ae10001), Herr Ben Sample (bs10002)",
    "Example, Ms. Ada (ae10001); Sample, Mr Ben (bs10002)",
]


@pytest.mark.parametrize("aside", ASIDES)
def test_what_is_said_beside_a_name_is_no_student(aside: str) -> None:
    for between in BETWEEN:
        said = between.format(aside)
        assert named(LABEL + f"Ada Example (ae10001){said}" + AFTER) == [ADA], said
        both = f"Ada Example (ae10001){said}\nBen Sample (bs10002){said}"
        assert named(LABEL + both + AFTER) == [ADA, BEN], said
    assert named(LABEL + f"Name: Ada Example, {aside}, EID: ae10001") == [ADA]
    assert named("# HW 5", f"Ada Example (ae10001), {aside}") == [ADA]


@pytest.mark.parametrize(
    "line",
    [
        "TA Max Helper",
        "(TA section: Max Helper, Friday 2pm)",
        "Slip days used: 1",
        "Many thanks to Max Helper",
        "Word Count: 2000",
        "Study group: Max Helper",
        "Assisted by Max Helper",
        "Kudos to Max Helper!",
    ],
)
def test_a_line_of_who_helped_or_of_the_course_is_no_student(line: str) -> None:
    for text in (f"Ada Example (ae10001)\n{line}", f"{line}\n\nAda Example (ae10001)"):
        assert named(LABEL + text + AFTER) == [ADA]
        assert named("# HW 5", "Name(s) and EID(s):", text) == [ADA]


@pytest.mark.parametrize(
    "line",
    [
        "Ada Example (ae10001), thanks to Max Helper, Ben Sample (bs10002)",
        "Ada Example (ae10001). Thanks to Max Helper. Ben Sample (bs10002)",
        "Ada Example (ae10001, TA section: Max Helper), Ben Sample (bs10002, Friday section)",
        "Ada Example (TA: Max Helper, EID: ae10001) and Ben Sample (bs10002)",
        "Ada Example ae10001, 2 slip days, Ben Sample bs10002, 1 slip day",
    ],
)
def test_who_stands_behind_such_words_is_read(line: str) -> None:
    assert named(LABEL + line + AFTER) == named("# HW 5", line) == [ADA, BEN]


@pytest.mark.parametrize(
    "name", ["Ta Nguyen", "Sun Li", "Sunday Okafor", "Grace Days", "Will Tutor"]
)
def test_a_second_name_like_such_words_is_read(name: str) -> None:
    for between in (", ", " and ", "; "):
        line = f"Ada Example (ae10001){between}{name} (xx10003)"
        assert named(LABEL + line + AFTER) == [ADA, (name, "xx10003")]


@pytest.mark.parametrize("text", ["Ada Slack: as10001", "Slack, Ada (as10001)"])
def test_a_name_like_an_account_is_read(text: str) -> None:
    assert named(LABEL + text) == [("Ada Slack", "as10001")]


@pytest.mark.parametrize(("text", "expected"), FOREIGN)
def test_labels_of_other_languages_ask_for_names_and_ids(text: str, expected: Team) -> None:
    assert named(LABEL + text + AFTER) == expected
    assert named("# HW 5", text) == expected


@pytest.mark.parametrize("text", NUMBERED)
def test_roman_numbers_and_titles_are_no_part_of_a_name(text: str) -> None:
    assert named(LABEL + text + AFTER) == [ADA, BEN]


@pytest.mark.parametrize(
    "who",
    ["Student Nr027", "Student n027", "Student027", "Test Student27", "Student No27", "User_27"],
)
def test_a_number_in_a_name_is_no_second_student(who: str) -> None:
    assert named(LABEL + f"{who} (s000027)" + AFTER) == [("", "s000027")]
    assert named(LABEL + f"- {who} [s000027]\n- Ben Sample [bs10002]") == [("", "s000027"), BEN]


@pytest.mark.parametrize("form", ["Student Nr027, s000027", "Name: Student Nr027\nID: s000027"])
def test_a_number_is_no_id(form: str) -> None:
    assert named(LABEL + form + AFTER) == [("", "s000027")]
    assert named(LABEL + "Nora Other (no10017)") == [("Nora Other", "no10017")]


@pytest.mark.parametrize("student_id", ["ae10001", "AE10001"])
def test_a_second_id_in_brackets_hides_none(student_id: str) -> None:
    text = f"Ada Example {student_id} (s000027)"
    assert named(LABEL + text + AFTER) == [("Ada Example", student_id)]
