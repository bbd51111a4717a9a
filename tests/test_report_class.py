from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import specimens
from page_reader import Page, squeezed
from rich.console import Console
from specimen_assignment import rubric

from grader.model import Flag, FlagKind, Student
from grader.report import class_page, class_row, student_page
from grader.report.run_summary import run_summary
from grader.report.score_changes import ScoreChange, changes_report

RUBRIC = rubric()
ALL = specimens.ALL


def whole_class() -> str:
    return class_page([class_row(make()) for make in ALL], rubric=RUBRIC)


def test_the_class_page_is_for_staff_only_and_escapes_what_students_wrote() -> None:
    page = Page(whole_class())
    assert "Staff only" in page.words
    assert len(page.named("script")) == 1
    assert not page.named("img")
    assert not page.badly_nested
    assert {"href": "reports/broken.html"} in page.named("a")


def test_the_class_page_counts_verdicts_and_says_why_a_row_is_ungradable() -> None:
    words = squeezed(Page(whole_class()))
    assert "V5 The cats are closer than the bicycle 5 4 2.50 2.89 0.50 \u2013 2 0 0 2 0 0" in words
    assert "V6 The loss falls 5 3 1.67 2.89 0.33 \u2013 1 0 0 2 0 1" in words
    assert "ungradable" in words
    assert "not valid JSON" in words
    assert "grader error in 1 question" in words


def test_an_empty_class_has_a_page() -> None:
    assert "median so far none" in squeezed(Page(class_page([], rubric=RUBRIC)))


def printed(*, width: int = 120) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False, color_system=None)
    results = [make() for make in ALL]
    console.print(run_summary(results, rubric=RUBRIC, out=Path("graded")))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_summary_is_plain_and_says_where_to_look() -> None:
    text = printed()
    assert all(letter == "\n" or letter.isprintable() for letter in text)
    assert "[bold]" in text.replace("\n", "")
    assert "5 submissions: 1 graded, 3 waiting for marks, 1 ungradable" in text
    assert "graded/index.html (staff only)" in text


@pytest.mark.parametrize(
    "words",
    [
        "\x1b[2J\x1b]0;title\x07",
        "\u202egpj.exe",
        "a\nb\rc",
        "[red]x[/]",
        "\u200b\ufeff\U000e0041",
        "x" * 300,
    ],
)
def test_nothing_but_letters_that_show_gets_to_the_terminal(words: str) -> None:
    hostile = replace(
        specimens.ungradable(),
        students=(Student(name=words, id=""),),
        flags=(Flag(FlagKind.COLLECTION_CONCERN, (words,)),),
    )
    hostile = replace(hostile, submission=replace(hostile.submission, name=words), reason=words)
    changes = [ScoreChange(submission=words, item="", before=Fraction(1), after=None)]
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)

    console.print(run_summary([hostile], rubric=RUBRIC, out=Path(words)))
    console.print(changes_report(changes, count=1, needs_rerun=[words]))

    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert [letter for letter in text if letter != "\n" and not letter.isprintable()] == []
    assert text.count("\n") < 60
    assert ("[red]x[/]" in text) is ("red" in words)


def test_the_summary_fits_a_narrow_terminal() -> None:
    assert max(len(line) for line in printed(width=80).splitlines()) <= 80


def test_a_result_without_isolation_says_so_on_both_pages() -> None:
    safe = specimens.full_marks()
    assert safe.provenance is not None
    unsafe = replace(safe, provenance=replace(safe.provenance, level="none"))

    both = " ".join(class_page([class_row(safe), class_row(unsafe)], rubric=rubric()).split())

    assert "Not isolated." in student_page(unsafe, rubric=rubric())
    assert "Not isolated." not in student_page(safe, rubric=rubric())
    assert "1 result was made by code that ran with your rights" in both
    assert "Not isolated." not in class_page([class_row(safe)], rubric=rubric())


def test_what_needs_somebody_stands_before_the_table_once_for_each_sentence() -> None:
    flagged = replace(specimens.full_marks(), flags=(Flag(FlagKind.NOBODY_NAMED, ()),))
    again = replace(flagged, submission=replace(flagged.submission, name="other"))
    rows = [class_row(one) for one in (flagged, again, specimens.ungradable())]

    words = squeezed(Page(class_page(rows, rubric=RUBRIC, module_lines=["pandas: 2 need it"])))
    top = words[words.index("Needs attention") : words.index("Distribution")]

    assert top.count("no name or id found") == 1
    assert f"{flagged.submission.name}, other" in top
    assert top.index("Ungradable:") < top.index("no name or id found") < top.index("pandas")
    calm = squeezed(Page(class_page([class_row(specimens.full_marks())], rubric=RUBRIC)))
    assert "Nothing to review." in calm


def test_the_class_page_leads_to_the_csv_and_says_how_to_grade() -> None:
    page = Page(whole_class())

    assert {"href": "gradebook.csv"} in page.named("a")
    assert "grade mark" in page.words
