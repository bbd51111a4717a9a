"""Takes the pictures of docs/pictures: grades the examples, marks some, and opens each screen.

Each screen is also read by axe, and by what a screen reader is told of its controls, in light and
dark, on a desktop and on a phone; what they find is printed, and the exit code is then 1.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.text import Text

from grader.folder import OutputFolder
from grader.gradebook import NewMark, answer_digest, ledger, open_gradebook

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WIDTH, HEIGHT = 1280, 860
LOOKS = ((WIDTH, "light"), (WIDTH, "dark"), (390, "light"), (390, "dark"))
NAMED_ROLES = frozenset(
    {"button", "link", "textbox", "searchbox", "checkbox", "radio", "combobox", "spinbutton"}
    | {"image", "img", "DisclosureTriangle", "dialog", "navigation", "region", "progressbar"}
)
"""Roles that mean nothing to somebody who hears a page, unless they have a name."""
GRADERS = ("Mo", "Kim", "Sanjay")


@dataclass(frozen=True)
class Screen:
    """One picture: its name, where it is, and what to do before it is taken."""

    name: str
    address: str
    keys: Sequence[str] = ()
    open_details: bool = False


def main() -> int:
    """Take all pictures, and print what is wrong with the pages."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "graded"
        summary = grade(out)
        mark_some(out)
        page = Path(place) / "terminal.html"
        page.write_text(terminal_page(summary), encoding="utf-8")
        with console(out) as link, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            faults = [
                fault for screen in screens(out, link) for fault in show(browser, screen, link)
            ]
            take_terminal(browser, page)
            browser.close()
    print(*faults, sep="\n", end="\n" if faults else "")
    print(f"{len(list(PICTURES.glob('*.png')))} pictures in {PICTURES.relative_to(ROOT)}")
    return 1 if faults else 0


def grade(out: Path) -> str:
    """Grade the examples, and return what the terminal shows."""
    words = [sys.executable, "-m", "grader", "examples/submissions", "--out", str(out)]
    wide = {**os.environ, "COLUMNS": "80", "FORCE_COLOR": "1"}
    done = subprocess.run(words, cwd=ROOT, env=wide, capture_output=True, text=True, check=False)
    lines = done.stdout.replace(str(out), "graded").splitlines()
    # What a bar drew over itself in a terminal are lines of their own in a file.
    said = [line for line in lines if " elapsed" not in line]
    return "\n".join(["$ grade submissions/", *said])


def mark_some(out: Path) -> None:
    """Let three graders grade most answers to two questions, so that pages have something."""
    with open_gradebook(OutputFolder(out).store) as book:
        names = [name for name in book.graded_names() if book.graded(name).score]
        for number, name in enumerate(names[:-3]):
            graded = book.graded(name)
            items = graded.score.items if graded.score else ()
            for item in (i for i in items if i.item.id in {"Q1.1", "Q1.2"} and number % 5):
                ids = [criterion.id for criterion in item.item.criteria if criterion.points > 0]
                mark = NewMark(
                    submission=name,
                    item=item.item.id,
                    answer_digest=answer_digest(graded, item.item.id),
                    by=GRADERS[number % len(GRADERS)],
                    criteria=tuple(ids[: 1 + number % max(len(ids), 1)]),
                    adjustment=Fraction(0),
                    comment="Say where the gradient goes, too." if number % 4 == 0 else "",
                )
                ledger.add_mark(book, mark, expected_current=None)
    subprocess.run(
        [sys.executable, "-m", "grader", "again", "--out", str(out), "--quiet"],
        cwd=ROOT,
        check=False,
        capture_output=True,
    )


@contextmanager
def console(out: Path) -> Iterator[str]:
    """Start `grade mark`, and give the link that it prints."""
    words = ["mark", "--out", str(out), "--as", "Mo", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        [sys.executable, "-m", "grader", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield next(line.strip() for line in process.stdout if line.startswith("http"))
        finally:
            process.terminate()


def screens(out: Path, link: str) -> Iterator[Screen]:
    """Return the screens to take, in the order of a term."""
    base = f"http://{urlsplit(link).netloc}"
    reports = (out / "reports").resolve().as_uri()
    yield Screen("report", f"{reports}/hw5_draft2.html")
    yield Screen("report-passed", f"{reports}/hw5_ada_ben.html")
    yield Screen("report-ungradable", f"{reports}/hw5_submission_lina.html")
    yield Screen("class", (out / "index.html").resolve().as_uri())
    yield Screen("overview", base + "/")
    yield Screen("answers", base + "/item/Q1.1")
    yield Screen("grading", base + "/step/Q2.3.3", keys=("1",))
    yield Screen("groups", base + "/groups/Q1.1")
    yield Screen("statistics", base + "/statistics/Q1.1")
    yield Screen("rubric-items", base + "/criteria/Q1.1")
    yield Screen("calibration", base + "/trial/Q1.1")
    yield Screen("review", base + "/waiting")
    yield Screen("team", base + "/team")


def show(browser: Any, screen: Screen, link: str) -> Iterator[str]:
    """Open a screen in each look, take its picture in the first, and yield what is wrong."""
    for width, scheme in LOOKS:
        context = browser.new_context(
            viewport={"width": width, "height": HEIGHT}, color_scheme=scheme, bypass_csp=True
        )
        page = context.new_page()
        if screen.address.startswith("http"):
            page.goto(link)
        page.goto(screen.address)
        for key in screen.keys:
            page.keyboard.press(key)
        if (width, scheme) == LOOKS[0]:
            save(page.screenshot(), PICTURES / f"{screen.name}.png")
        for fault in faults_of(page, width=width):
            yield f"{screen.name}, {width} px, {scheme}: {fault}"
        context.close()


def faults_of(page: Any, *, width: int) -> Iterator[str]:
    """Yield what axe finds, controls without a name, and a page that scrolls sideways."""
    for violation in Axe().run(page).response["violations"]:
        nodes = [node["html"][:100] for node in violation["nodes"]][:2]
        yield f"axe {violation['id']} ({violation['impact']}): {nodes}"
    session = page.context.new_cdp_session(page)
    for node in session.send("Accessibility.getFullAXTree")["nodes"]:
        role = node.get("role", {}).get("value", "")
        name = node.get("name", {}).get("value", "")
        if not node.get("ignored") and role in NAMED_ROLES and not name.strip():
            yield f"{role} without a name"
    if page.evaluate("document.documentElement.scrollWidth") > width:
        yield "scrolls sideways"


def terminal_page(output: str) -> str:
    """Return a page that shows what a terminal does, in its colors."""
    recorder = Console(record=True, width=80, file=io.StringIO(), force_terminal=True)
    recorder.print(Text.from_ansi(output))
    svg = recorder.export_svg(title="")
    return f"<!doctype html><body style='margin:0;width:1000px'>{svg}"


def take_terminal(browser: Any, page_path: Path) -> None:
    """Take the picture of the terminal."""
    page = browser.new_page(viewport={"width": 1000, "height": HEIGHT})
    page.goto(page_path.resolve().as_uri(), wait_until="domcontentloaded")
    save(page.locator("svg").screenshot(), PICTURES / "terminal.png")


def save(data: bytes, path: Path) -> None:
    """Write a picture with 256 colors: a third of the size, and no difference to be seen."""
    Image.open(io.BytesIO(data)).convert("RGB").quantize(256).save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
