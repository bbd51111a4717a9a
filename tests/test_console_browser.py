"""The examples, graded and then marked in a real browser by keyboard alone."""

from __future__ import annotations

import csv
import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from console_course import Visitor, course, handed_in
from console_tab import chromium, leave, opened_page, press

from grader.folder import OutputFolder
from grader.gradebook import ledger, open_gradebook
from grader.web.answer_index import anonymous_code

axe_module = pytest.importorskip("axe_playwright_python.sync_playwright", reason="as above")

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parent.parent
SERIOUS = {"serious", "critical"}
LOOKS = [
    (1280, "light"),
    pytest.param(1280, "dark", marks=pytest.mark.slow),
    pytest.param(390, "light", marks=pytest.mark.slow),
    (390, "dark"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@dataclass
class Command:
    """`grade mark`, running."""

    process: subprocess.Popen[str]
    link: str

    @property
    def port(self) -> int:
        return urlsplit(self.link).port or 0

    def wait(self) -> None:
        """Until it answers."""
        while True:
            try:
                Visitor(port=self.port).ask("/")
            except OSError:
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """As the power would."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def interrupt(self) -> int:
        """As Ctrl-C does; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=60)


@contextmanager
def mark(folder: Path) -> Iterator[Command]:
    """`grade mark`; the link stands on a line of its own."""
    words = ["mark", "--out", str(folder), "--as", "Mo", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-m", "grader", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        link = next((line.strip() for line in process.stdout if line.startswith("http")), "")
        try:
            assert link
            yield Command(process=process, link=link)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, graded by the real command."""
    out = tmp_path_factory.mktemp("graded") / "out"
    words = ["examples/submissions", "--out", str(out), "--quiet"]
    done = subprocess.run([sys.executable, "-m", "grader", *words], cwd=ROOT, check=False)
    assert done.returncode == 1  # one of them is no notebook
    return out


def mark_one_item(page: Any) -> int:
    """Mark answers until none of the item waits; how many there were."""
    given = 0
    while page.locator("#panel").count():
        if not page.locator(".nothing").count():
            press(page, "1")
        leave(page, "Enter")
        given += 1
    return given


def mark_all(page: Any) -> int:
    """Mark item after item, from the first page, until nothing waits anywhere."""
    given = 0
    while "All answers are graded" not in page.locator("h1").inner_text():
        first = page.evaluate(
            "[...document.querySelectorAll('.item-row progress')]"
            ".findIndex((bar) => bar.value < bar.max)"
        )
        leave(page, str(1 + first))
        given += mark_one_item(page)
        leave(page, "Enter")
    return given


def weigh_first_criterion(page: Any, points: str) -> None:
    """From a list of answers."""
    leave(page, "w")
    press(page, "1")
    page.keyboard.type(points)
    leave(page, "Enter")
    assert "Saving changes" in page.locator(".notice").inner_text()
    leave(page, "Enter")
    leave(page, "i")


def undo_and_give_none(page: Any) -> None:
    """Take the last mark back, and give it again as 0."""
    leave(page, "u")
    assert "Undone: answer" in page.locator("#news").inner_text()
    assert page.locator(".desk-line .badge.pending").count()
    if not page.locator(".nothing").count():
        press(page, "0")
    leave(page, "Enter")


def test_every_item_is_marked_by_keyboard_alone_and_nothing_is_lost(
    browser: Any, graded: Path
) -> None:
    with mark(graded) as command:
        page = opened_page(browser, command.link)
        assert "token" not in page.url
        mark_by_keyboard(page)
        assert page.said == []
        page.context.close()
        assert command.interrupt() == 0
    refuse_what_is_not_in_tables_and_reports(graded)


def mark_by_keyboard(page: Any) -> None:
    """All answers; then undo, another worth, and load it again."""
    count = int(page.locator("h1").inner_text().split()[0])
    leave(page, "1")
    press(page, "1", "2", "c")
    page.keyboard.type("Right, and *short*.")
    leave(page, "Control+Enter")
    leave(page, "h")
    assert 1 + mark_all(page) == count
    leave(page, "1")  # all answers to the first item
    press(page, "j")
    leave(page, "Enter")
    undo_and_give_none(page)
    weigh_first_criterion(page, "2.5")
    page.reload()
    assert re.search(r"2\.5\s+points", page.locator(".answers").inner_text())


def refuse_what_is_not_in_tables_and_reports(graded: Path) -> None:
    """What was marked stands in the CSV and in the reports."""
    table = (graded / "gradebook.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(table.splitlines()))
    assert rows
    assert all(row["Q1.1"] for row in rows if row["status"] != "ungradable")
    reports = [path.read_text("utf-8") for path in (graded / "reports").glob("*.html")]
    assert sum("Right, and <em>short</em>." in text for text in reports) == 1


def save_until_killed(command: Command, confirmed: list[str]) -> None:
    """Mark one answer after the other; what the server answered is confirmed."""
    visitor = Visitor(port=command.port)
    link = urlsplit(command.link)
    visitor.go(f"/?{link.query}")
    try:
        for item in ("Q1.1", "Q1.2", "Q1.3", "Q2.1", "Q2.2"):
            visitor.go(f"/step/{item}?show=all")
            while visitor.at.startswith("/mark/"):
                number = visitor.at
                visitor.send(
                    visitor.at.partition("?")[0],
                    answer=visitor.hidden("answer"),
                    over=visitor.hidden("over"),
                    adjustment="1",
                )
                confirmed.append(number)
    except (OSError, http.client.HTTPException):
        return


@pytest.mark.slow
def test_killed_at_any_moment_what_was_confirmed_is_there_and_pages_catch_up(
    graded: Path,
) -> None:
    with open_gradebook(OutputFolder(graded).store) as book:
        for (name, item), current in ledger.current_marks(book).items():
            ledger.take_back_mark(book, name, item, by="Mo", expected_current=current.number)
    confirmed: list[str] = []
    for more, pause in ((2, 0.0), (3, 0.02), (2, 0.05)):
        with mark(graded) as command:
            enough = len(confirmed) + more
            command.wait()
            saving = Thread(target=save_until_killed, args=(command, confirmed))
            saving.start()
            while len(confirmed) < enough and saving.is_alive():
                time.sleep(0.005)
            time.sleep(pause)
            command.kill()
            saving.join()
    with mark(graded) as command:
        command.wait()
        assert command.interrupt() == 0

    with open_gradebook(OutputFolder(graded).store) as book:
        there = ledger.current_marks(book)
        assert len(there) >= len(confirmed) > 0
        assert book.stale_submissions() == ()
        for name, item in there:
            report = (graded / "reports" / f"{name}.html").read_text("utf-8")
            assert re.search(rf'id="item-{re.escape(item)}".*?class="mark"', report, re.DOTALL)


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A console with something of everything."""
    place = tmp_path_factory.mktemp("class")
    names = ("ada", "ben", "cyd", "dot")
    submissions = [handed_in(name, section="A", wrote={"Q1.3": ""}) for name in names]
    with course(place, submissions=submissions) as made:
        (place / "requests.csv").write_text(
            "id,item,text,date\nada-4711,Q1.1,Please look again.,2031-05-02\n", "utf-8"
        )
        visitor = made.visitor().go("/step/Q1.1")
        visitor.mark("what", "wordy", comment="Fine.").go("/team")
        visitor.send("/team/share", name="Mo", item="Q1.1", section="A")
        visitor.send("/trial/Q1.1", count="2")
        yield made.ready.link


PATHS = (
    "/",
    "/item/Q1.1",
    "/step/Q1.1",
    "/step/Q1.3",
    "/step/Q2.3.3",
    "/step/V5",
    "/criteria/Q1.1",
    "/groups/Q1.3",
    "/pairs/Q1.2",
    "/waiting",
    f"/waiting/{anonymous_code('ada', item='')}",
    f"/notebook/{anonymous_code('ada', item='')}?from=Q1.1",
    "/requests",
    "/team",
    "/trial/Q1.1",
    "/nowhere",
)


@pytest.mark.parametrize(("wide", "scheme"), LOOKS)
def test_axe_finds_nothing_serious_and_a_phone_never_scrolls_sideways(
    browser: Any, link: str, wide: int, scheme: str
) -> None:
    page = opened_page(browser, link, wide=wide, color_scheme=scheme, bypass_csp=True)
    base = link.partition("/?")[0]
    found = []
    for path in (*PATHS, "help"):
        if path == "help":
            page.goto(base)
            press(page, "?")
        else:
            page.goto(base + path)
            page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        violations = axe_module.Axe().run(page).response["violations"]
        found += [
            (path, one["id"], [node["html"][:160] for node in one["nodes"]][:2])
            for one in violations
            if one["impact"] in SERIOUS
        ]
        assert page.evaluate("document.documentElement.scrollWidth") <= wide, path
    page.context.close()

    assert found == []


def test_pages_break_no_policy_and_ask_no_other_server(browser: Any, link: str) -> None:
    page = opened_page(browser, link)
    base = link.partition("/?")[0]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in PATHS[:-1]:
        page.goto(base + path)
    said = list(page.said)
    page.context.close()

    assert said == []
    assert [url for url in asked if not url.startswith((base, "data:"))] == []


def test_two_browsers_at_once_are_given_different_answers(browser: Any, link: str) -> None:
    base = link.partition("/?")[0]
    pages = [opened_page(browser, link) for _ in range(2)]
    for page in pages:
        page.goto(f"{base}/step/Q1.2")
    addresses = {page.url for page in pages}
    for page in pages:
        page.context.close()

    assert len(addresses) == 2


def test_what_is_not_saved_is_not_left_by_one_key(browser: Any, link: str) -> None:
    page = opened_page(browser, link)
    page.goto(link.partition("/?")[0] + "/step/Q2.1")
    here = page.url
    press(page, "1", "n")
    page.wait_for_timeout(300)
    assert page.url == here
    assert "Unsaved" in page.locator("#news").inner_text()
    assert page.locator("#sum").inner_text() == "3"
    leave(page, "n")
    assert page.url != here
    page.context.close()


def test_saving_is_in_sight_before_and_after_scrolling(browser: Any, link: str) -> None:
    page = opened_page(browser, link)
    page.goto(link.partition("/?")[0] + "/step/Q2.1")  # once: each visit is given an answer
    for wide, high in ((1280, 720), (1152, 720), (1024, 576), (390, 700)):
        page.set_viewport_size({"width": wide, "height": high})
        for way in (0, 100_000):
            page.evaluate(f"window.scrollTo(0, {way})")
            box = page.locator("#panel .primary").bounding_box()
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= high
    page.context.close()


def test_all_works_without_a_script(browser: Any, link: str) -> None:
    page = opened_page(browser, link, java_script_enabled=False)
    page.goto(link.partition("/?")[0] + "/step/Q2.2")
    page.locator("label.choice").first.click()
    page.get_by_role("button", name=re.compile("^Save & next")).click()
    said = page.locator("#news").inner_text()
    page.context.close()

    assert re.fullmatch(r"Answer \d: 3 points\.", said)


def test_rubric_items_are_changed_by_keyboard_alone(browser: Any, tmp_path: Path) -> None:
    with course(tmp_path) as made:
        made.visitor().go(f"/mark/Q1.1/{made.code('ada')}").mark("what")
        page = opened_page(browser, made.ready.link, bypass_csp=True)
        page.goto(made.ready.link.partition("/?")[0] + "/step/Q1.1")
        answer = page.url
        leave(page, "w")
        move_and_retire_the_first(page)
        add_one(page)
        leave(page, "w")
        assert page.url == answer
        shown = page.locator("label.choice").all_inner_texts()
        # Chromium says so where a page that came by htmx names what is to be focused.
        said = [text for text in page.said if "Autofocus processing" not in text]
        page.context.close()

    assert said == []
    assert [text.split("\n")[1] for text in shown] == [
        "Says why",
        "Far too long",
        "Gives an example",
        "None apply",
    ]


def move_and_retire_the_first(page: Any) -> None:
    """And make it worth 2."""
    press(page, "1")
    page.keyboard.type("2")
    press(page, "Tab", "ArrowDown", "Tab", "Tab")
    leave(page, "Enter")  # on the button that moves it down, which moves along
    leave(page, "Enter")
    assert page.locator("#points-what").input_value() == "2"
    assert page.locator("[name=rows]").input_value() == "why wordy what +0"


def add_one(page: Any) -> None:
    """And save all."""
    press(page, "Escape", "a")
    page.keyboard.type("Gives an example")
    press(page, "Tab")
    page.keyboard.type("1.5")
    leave(page, "Enter")
    assert "Saving changes 1 score" in page.locator(".notice").first.inner_text()
    violations = axe_module.Axe().run(page).response["violations"]
    assert [one["id"] for one in violations if one["impact"] in SERIOUS] == []
    leave(page, "Enter")
    assert "2 rubric items are changed" in page.locator("#news").inner_text()
