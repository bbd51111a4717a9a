"""Sphinx's settings for the docs site: `make docs` builds it into build/site."""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

project = "notebook-grader"
author = "the notebook-grader contributors"
copyright = f"2026, {author}"  # noqa: A001 - Sphinx's own name
release = re.search(r'__version__ = "([^"]+)"', (HERE.parent / "grader/__init__.py").read_text())[1]
extensions = ["myst_parser", "sphinx_click"]
exclude_patterns = ["ci/*"]
html_theme = "furo"
html_title = project
html_show_sourcelink = False
html_show_sphinx = False
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
# Pages also link to what a clone has beside them: the README, tests, benchmarks.
suppress_warnings = ["myst.header"]

STAR = re.compile(r"(?<!\*)\*(?!\*)")
"""A star that is not of `**`, which sphinx-click itself writes."""


def quote_code(_app: object, _context: object, lines: list[str]) -> None:
    """Write the code of a command's help as reStructuredText does, and its stars as stars."""
    for number, line in enumerate(lines):
        parts = line.split("`")
        plain = [part if at % 2 else STAR.sub(r"\\*", part) for at, part in enumerate(parts)]
        lines[number] = "``".join(plain)


def quote_stars(_app: object, _context: object, lines: list[str]) -> None:
    """Write the stars of options as stars."""
    lines[:] = [STAR.sub(r"\\*", line) for line in lines]


def setup(app: object) -> None:
    """Connect what adapts help to pages."""
    app.connect("sphinx-click-process-description", quote_code)
    app.connect("sphinx-click-process-options", quote_stars)
