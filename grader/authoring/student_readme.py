"""Writes the README of a release, for students."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.model import Item, Rubric
from grader.report.text_format import format_number

PAGE_TEMPLATE = Path(__file__).with_suffix(".md")
"""The page, with names in braces where the assignment's own words go."""


def render_readme(rubric: Rubric, *, notebooks: Sequence[str], wheel: str) -> str:
    """Return the README in Markdown.

    Args:
        rubric: The assignment's rubric.
        notebooks: The file names of its notebooks.
        wheel: The file name of the program's wheel.
    """
    reasons = [f"- {item.id}: {' '.join(item.why.split())}" for item in rubric.items if item.why]
    why = ["", "Why there are parts that no question asks for:", "", *reasons] if reasons else []
    return PAGE_TEMPLATE.read_text(encoding="utf-8").format(
        title=rubric.title,
        total=format_number(rubric.total),
        notebook=notebooks[0],
        notebooks=_name_notebooks(notebooks),
        wheel=wheel,
        rows="\n".join(_row(item) for item in rubric.items),
        why="\n".join([*why, ""]) if why else "",
    )


def _name_notebooks(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"notebook `{names[0]}`"
    return f"notebooks {', '.join(f'`{name}`' for name in names)} (submit all of them)"


def _row(item: Item) -> str:
    judged_by = "by a person" if item.kind == "written" else _check_phrase(item)
    return f"| {item.id} | {item.title} | {format_number(item.points)} | {judged_by} |"


def _check_phrase(item: Item) -> str:
    public = sum(spec.public for spec in item.checks)
    if public == len(item.checks):
        return "by checks that you can run"
    return "by checks, some of which run later" if public else "by checks that run later"
