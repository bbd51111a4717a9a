"""Files whose names were chosen to harm, through the real command to all that it writes."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest
import tiny_course
from page_reader import Page

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(os.name != "posix", reason="names that only POSIX allows"),
]
NAMES = (
    "a\x1b[2J\x1b]0;owned\x07",
    "b\u202egpj.exe",
    "c\nd\re\tf",
    "-rf",
    "--help",
    "<img src=x onerror=alert(1)>",
    "=cmd|' calc'!A0",
    "[bold]g[",
    "h" * 240,
    "Ada",
    "ada",
    "i'\"$(touch owned)`touch owned`",
    "\u200b",
    b"j\xff\xfe".decode("utf-8", "surrogateescape"),
)


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> tuple[tiny_course.Course, str]:
    course = tiny_course.made(tmp_path_factory.mktemp("names") / "course")
    for name in NAMES:
        course.hand_in(name, "x = 1", "raise ValueError('\x1b[2J\u202e<b>[red]')")
    below = course.root / "submissions" / "\x1b[31m<b>below"
    below.mkdir()
    (below / "k.ipynb").write_text("not a notebook", encoding="utf-8")
    os.mkfifo(course.root / "submissions" / "pipe.ipynb")
    (course.root / "submissions" / "link.ipynb").symlink_to("/etc/passwd")
    code, told = course.grade()
    assert code == 1
    return course, told


def test_every_file_is_a_row_of_its_own_with_a_safe_name(
    graded: tuple[tiny_course.Course, str],
) -> None:
    course, _ = graded
    results = course.results()

    assert len(results) == len(NAMES) + 2
    assert all(name.isascii() and name.strip("-._") and len(name) <= 80 for name in results)
    assert len({name.lower() for name in results}) == len(results)
    assert {json.loads(text)["submission"] for text in results.values()} == set(results)
    assert not list(course.root.rglob("owned"))


def test_the_terminal_gets_letters_that_show(graded: tuple[tiny_course.Course, str]) -> None:
    _, told = graded

    assert [letter for letter in told if letter != "\n" and not letter.isprintable()] == []
    assert f"{len(NAMES) + 2} submissions" in told


def test_the_gradebook_runs_nothing(graded: tuple[tiny_course.Course, str]) -> None:
    course, _ = graded
    text = (course.out / "gradebook.csv").read_text(encoding="utf-8")

    rows = list(csv.reader(io.StringIO(text)))

    assert len(rows) == len(NAMES) + 3
    assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@\t\r") and cell]


def test_pages_run_nothing(graded: tuple[tiny_course.Course, str]) -> None:
    course, _ = graded
    pages: list[Path] = [*(course.out / "reports").iterdir(), course.out / "index.html"]

    assert len(pages) == len(NAMES) + 3
    for path in pages:
        page = Page(path.read_text(encoding="utf-8"))
        assert not [attrs for _, attrs in page.tags if any(key.startswith("on") for key in attrs)]
        assert not page.named("img")
        assert len(page.named("script")) == (path.name == "index.html")
