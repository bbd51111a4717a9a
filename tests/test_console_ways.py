"""Where a browser is after what was saved there: in sight of what comes next, focused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from console_course import Course, course, handed_in
from console_tab import chromium, leave, opened_page, press

from grader.gradebook import NewMark, ledger

pytestmark = pytest.mark.browser

NAMES = tuple(f"s{number:02}" for number in range(24))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Course]:
    submissions = [replace(handed_in(name), code={}) for name in NAMES]
    with course(tmp_path, submissions=submissions) as one:
        yield one


def grade_all(made: Course, item: str) -> None:
    for answer in made.ready.console.answer_index.answers(item):
        mark = NewMark(
            submission=answer.submission,
            item=item,
            answer_digest=answer.digest,
            by="Mo",
            criteria=("what",),
        )
        ledger.add_mark(made.book, mark, expected_current=None)


def test_after_a_regrade_one_goes_on_from_that_row(browser: Any, made: Course) -> None:
    made.visitor()
    grade_all(made, "Q1.1")
    page = opened_page(browser, made.ready.link)
    page.goto(f"http://127.0.0.1:{made.port}/item/Q1.1")
    row = page.locator(".row-link").nth(17)
    title = row.inner_text()
    row.focus()
    leave(page, "Enter")
    press(page, "2")
    leave(page, "Enter")
    page.wait_for_function("document.activeElement.matches('.row-link')")
    assert page.evaluate("document.activeElement.textContent") == title
    box = page.locator(".row-link:focus").bounding_box()
    assert 0 < box["y"] < 900
    press(page, "j")
    assert page.evaluate("document.activeElement.textContent") == "Answer 19"
    page.context.close()
