from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import pytest
import specimens
from page_reader import Page, squeezed
from rich.cells import cell_len
from rich.console import Console
from specimen_assignment import rubric

from grader.model import Flag, FlagKind, Graded, Student
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


def printed(
    results: Sequence[Graded] = (),
    *,
    width: int = 80,
    show_all: bool = False,
    color: Literal["standard"] | None = None,
) -> str:
    """The summary of some results, by default of all specimens, as a terminal shows it."""
    console = Console(
        file=io.StringIO(), width=width, force_terminal=bool(color), color_system=color
    )
    results = results or [make() for make in ALL]
    console.print(run_summary(results, rubric=RUBRIC, out=Path("graded"), show_all=show_all))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def named(name: str, *people: str) -> Graded:
    """Full marks under another name."""
    full = specimens.full_marks()
    students = tuple(Student(name=who, id="") for who in people)
    return replace(full, submission=replace(full.submission, name=name), students=students)


def test_the_summary_is_plain_and_says_where_to_look() -> None:
    text = printed()
    assert all(letter == "\n" or letter.isprintable() for letter in text)
    assert "[bold]" in text.replace("\n", "")
    assert "5 submissions: 1 graded, 3 to grade, 1 ungradable (--all shows each score)" in text
    assert "graded/index.html (staff only)" in text


def test_the_summary_names_only_what_needs_somebody() -> None:
    flagged = replace(named("mystery"), flags=(Flag(FlagKind.NOBODY_NAMED),))
    broken = specimens.ungradable()
    broken = replace(broken, flags=(Flag(FlagKind.NOT_GRADED, (broken.reason or "",)),))

    text = printed([named("calm"), flagged, named("quiet"), broken])

    assert "needs attention: 2 of 4" in text
    assert "! no name or id found\n    mystery" in text
    assert text.count("ungradable:") == 1
    assert "not graded" not in text  # the reason stands there already
    assert "calm" not in text
    assert "quiet" not in text
    assert "needs attention" not in printed([named("calm"), named("quiet")])


def test_all_shows_each_score_and_so_does_a_single_submission() -> None:
    rows = [named("calm", "Ada Rivers"), named("quiet", "Ben Fields")]

    text = printed(rows, show_all=True)

    assert "calm         Ada Rivers" in text
    assert "quiet        Ben Fields" in text
    assert "--all" not in text
    assert "calm" in printed(rows[:1])
    assert "calm" not in printed(rows)


@pytest.mark.parametrize(
    ("name", "people"),
    [
        ("hw5_1-8ce17c91", ("Bartholomew Featherstonehaugh", "Wilhelmina Quartermaine")),
        ("copy_of_hw_5_contrastive_learning_final_2-8ce17c91", ("Ada Rivers",)),
        ("rivers_ada_12345678_87654321_homework_5_" * 4 + "v2", ("Ada Rivers", "Ben Fields")),
        ("\u4f5c\u4e1a-" * 20, ("Featherstonehaugh-Quartermaine-Montgomery",)),
    ],
)
def test_no_name_and_no_word_is_cut_at_80_columns(name: str, people: tuple[str, ...]) -> None:
    flagged = replace(named(name, *people), flags=(Flag(FlagKind.NOBODY_NAMED),))

    for show_all in (False, True):
        text = printed([flagged, named("b", "C D")], show_all=show_all)

        assert max(map(cell_len, text.splitlines())) <= 80
        words = text.split()
        pieces = {piece for piece in re.split(r"(?<=[_-])", name) if piece}
        shown = {piece for word in words for piece in re.split(r"(?<=[_-])", word)}
        assert pieces <= shown
        if show_all:
            assert {word for person in people for word in person.split()} <= {
                word.rstrip(",") for word in words
            }


def test_color_is_only_where_the_terminal_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[1;31m" in printed(color="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;31m" not in printed(color="standard")
    assert "\x1b" not in printed()


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
    console.print(
        changes_report(changes, count=1, needs_rerun=[words], unanswered={words: [words]})
    )

    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert [letter for letter in text if letter != "\n" and not letter.isprintable()] == []
    assert text.count("\n") < 60
    assert ("[red]x[/]" in text) is ("red" in words)


def test_the_summary_fits_a_narrow_terminal() -> None:
    for show_all in (False, True):
        lines = printed(show_all=show_all).splitlines()
        assert max(len(line) for line in lines) <= 80


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
