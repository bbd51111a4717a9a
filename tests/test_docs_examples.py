"""What the docs show is what happens: their commands are run, and their output is compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from page_examples import examples_in, matches, run_page

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "```console" in page.read_text("utf-8"))
IDS = [page.relative_to(DOCS).as_posix() for page in PAGES]


@pytest.mark.kernel
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.parent != DOCS], ids=lambda p: p.stem
)
def test_commands_print_what_the_page_says(page: Path, tmp_path: Path) -> None:
    surroundings = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "80",
    }
    assert run_page(page, folder=tmp_path, environment=surroundings) == []


def test_tutorials_are_among_the_pages_that_are_run() -> None:
    assert {"tutorials/first-assignment.md", "tutorials/grade-hw5.md"} <= set(IDS)
    for page in PAGES:
        assert list(examples_in(page.read_text("utf-8"))), page


@pytest.mark.parametrize(
    ("printed", "output", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a \nb\n\n", "a\n\nb", True),
        ("a\nx\ny\nb\n", "a\n...\nb\n", True),
        ("a\nb\n", "a\n...\nb\n", True),
        ("took 3 s\n", "took … s\n", True),
        ("a\nb\n", "a\n", False),
        ("a\nc\n", "a\nb\n", False),
        ("took 3 min\n", "took … s\n", False),
        ("", "a\n", False),
        ("anything\n", "", False),
    ],
)
def test_output_is_compared_line_by_line(printed: str, output: str, *, same: bool) -> None:
    assert matches(printed, output) is same


def test_every_message_of_the_troubleshooting_page_is_one_that_can_be_printed() -> None:
    sources = " ".join(path.read_text("utf-8") for path in (ROOT / "grader").rglob("*.py"))
    joined = re.sub(r'"\s+f?"', "", sources)
    page = (DOCS / "troubleshooting.md").read_text("utf-8")
    rows = re.findall(r"^\| `([^|]+)` \|", page, re.MULTILINE)
    messages = [message for row in rows for message in row.split("`, `")]
    fragments = [
        part.strip() for m in messages for part in re.split("…", m.removeprefix("grade: "))
    ]
    missing = [part for part in fragments if len(part) > 3 and part.rstrip(" (") not in joined]

    assert len(messages) > 8
    assert missing == []


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="needs the `docs` extra")
    pytest.importorskip("myst_parser", reason="needs the `docs` extra")
    words = [sys.executable, "-m", "sphinx", "-b", "html", "-q", "-W", "--keep-going"]
    done = subprocess.run(
        [*words, str(DOCS), str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert (tmp_path / "index.html").exists()
