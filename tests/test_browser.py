from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import specimens
from console_tab import chromium
from specimen_assignment import rubric

from grader.model import Lateness
from grader.report import class_page, class_row, student_page

axe_module = pytest.importorskip("axe_playwright_python.sync_playwright", reason="as above")

pytestmark = pytest.mark.browser

RUBRIC = rubric()
LOOKS = [
    (1280, "light"),
    pytest.param(1280, "dark", marks=pytest.mark.slow),
    pytest.param(390, "light", marks=pytest.mark.slow),
    (390, "dark"),
]
PAGES = ("full_marks", "half_right", "hostile", "ungradable", "with_our_error", "index")
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pages")
    results = {make.__name__: make() for make in specimens.ALL}
    for name, graded in results.items():
        (place / f"{name}.html").write_text(student_page(graded, rubric=RUBRIC), "utf-8")
    (place / "index.html").write_text(
        class_page([class_row(one) for one in results.values()], rubric=RUBRIC), "utf-8"
    )
    return place


def opened(browser: Any, path: Path, *, wide: int = 1280, **context: Any) -> Any:
    """A page in a context of its own; what it asked for or complained of is in `said`."""
    page = browser.new_context(viewport={"width": wide, "height": 900}, **context).new_page()
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: page.said.append(request.url))
    page.goto(path.as_uri())
    return page


@pytest.mark.parametrize(("wide", "scheme"), LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(
    browser: Any, folder: Path, *, name: str, wide: int, scheme: str
) -> None:
    page = opened(browser, folder / f"{name}.html", wide=wide, color_scheme=scheme, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    found = axe_module.Axe().run(page).response["violations"]
    page.context.close()
    assert [
        (one["id"], [node["html"][:200] for node in one["nodes"]][:3])
        for one in found
        if one["impact"] in SERIOUS
    ] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_never_scrolls_sideways(browser: Any, folder: Path, *, name: str) -> None:
    page = opened(browser, folder / f"{name}.html", wide=390)
    wide = page.evaluate("document.documentElement.scrollWidth")
    page.context.close()
    assert wide <= 390


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_and_breaks_no_policy(
    browser: Any, folder: Path, *, name: str
) -> None:
    page = opened(browser, folder / f"{name}.html")
    said = [text for text in page.said if not text.startswith(("data:", "file:"))]
    styled = page.evaluate("getComputedStyle(document.querySelector('main')).maxWidth")
    page.context.close()
    assert said == []
    assert styled != "none"


def test_the_class_table_sorts_both_ways_and_keeps_empty_cells_last(
    browser: Any, folder: Path
) -> None:
    page = opened(browser, folder / "index.html")
    button = page.get_by_role("button", name="Score")
    cells = "[...document.querySelectorAll('.sortable tbody tr')].map(r => r.cells[2].innerText)"
    button.click()
    rising = page.evaluate(cells)
    sort = page.locator("th[aria-sort]").get_attribute("aria-sort")
    button.press("Enter")
    falling = page.evaluate(cells)
    page.context.close()
    assert rising == ["26.5", "26.5", "35", "80", "none"]
    assert sort == "ascending"
    assert falling == ["80", "35", "26.5", "26.5", "none"]


@pytest.mark.parametrize(("wide", "media"), [(1152, "screen"), (680, "print")])
def test_flags_are_in_view_on_a_small_laptop_and_on_paper(
    browser: Any, tmp_path: Path, *, wide: int, media: str
) -> None:
    moment = "2031-04-02T10:00:00+00:00"
    late = Lateness(due=moment, at=moment, late_s=1, days=4, deduction=None)
    made = replace(specimens.half_right(), lateness=(late,))
    long = replace(made, submission=replace(made.submission, name="example_late_12345_hw5_final"))
    path = tmp_path / "late.html"
    path.write_text(class_page([class_row(made), class_row(long)], rubric=RUBRIC), "utf-8")

    page = opened(browser, path, wide=wide)
    page.emulate_media(media=media)
    hidden = page.evaluate(
        "(box => box.scrollWidth - box.clientWidth)(document.querySelector('.wide'))"
    )
    page.context.close()

    assert hidden <= 0


def test_the_class_table_is_whole_without_javascript(browser: Any, folder: Path) -> None:
    page = opened(browser, folder / "index.html", java_script_enabled=False)
    rows = page.locator(".sortable tbody tr").count()
    buttons = page.locator("button").count()
    page.context.close()
    assert (rows, buttons) == (len(specimens.ALL), 0)


def test_print_opens_what_is_folded(browser: Any, folder: Path) -> None:
    page = opened(browser, folder / "half_right.html")
    page.emulate_media(media="print")
    high = page.locator("pre.trace").bounding_box()["height"]
    page.context.close()
    assert high > 20


def test_the_skip_link_is_first_and_shows_when_focused(browser: Any, folder: Path) -> None:
    page = opened(browser, folder / "half_right.html")
    page.keyboard.press("Tab")
    box = page.locator(":focus").bounding_box()
    name = page.locator(":focus").inner_text()
    page.context.close()
    assert name == "Skip to the content"
    assert box["x"] >= 0
