"""The words of the console: the field's own, and none of those that were retired."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

WEB = Path(__file__).parent.parent / "grader" / "web"
PAGES = sorted((WEB / "templates").glob("*.html"))
MODULES = sorted(WEB.glob("*.py"))
RETIRED = re.compile(
    r"""\b(?:free\ points?|waits?|waiting|alike|trials?|another\ look|the\ task|good\ answer
    |marks?|marked|markers?|marking|criteri(?:on|a)|hand(?:ed|ing)?\ in|somebody
    |follow-through|no\ number\ of)\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words of readers; in code `mark` and `criterion` are right."""
COMMANDS = re.compile(r"`?\bgrade mark\b(?: --host)?`?")
PIECES = re.compile(r"\{#.*?#\}|\{%.*?%\}|<[^>]*>|/\w+(?=[\n/{])", re.DOTALL)
"""What is not shown: comments, statements, tags, and addresses."""
EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
LITERAL = re.compile(r'"([^"]*)"')
REPLACED = {"weighing.html", "lists.py"}
"""What still words how points of rubric items are edited."""


def page_words(source: str) -> Iterator[str]:
    """What a page shows: text, names for screen readers, and sentences within expressions."""
    for words in re.findall(r'(?:aria-label|placeholder|alt|data-leaving)="([^"]*)"', source):
        yield EXPRESSION.sub(" ", words)
    for expression in re.findall(r"\{[{%](.*?)[%}]\}", source, re.DOTALL):
        yield from (words for words in LITERAL.findall(expression) if " " in words)
    yield EXPRESSION.sub(" ", PIECES.sub(" ", source))


def module_words(source: str) -> Iterator[str]:
    """Sentences that a module says, without its docstrings."""
    tree = ast.parse(source)
    notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in notes else None
        if isinstance(text, str) and " " in text:
            yield text


def retired(words: Iterator[str]) -> list[str]:
    return [found for text in words for found in RETIRED.findall(COMMANDS.sub("", text))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_speak_as_the_field_does(page: Path) -> None:
    if page.name not in REPLACED:
        assert retired(page_words(page.read_text("utf-8"))) == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_messages_speak_as_the_field_does(module: Path) -> None:
    if module.name not in REPLACED:
        assert retired(module_words(module.read_text("utf-8"))) == []


def test_a_retired_word_is_found_wherever_it_stands() -> None:
    page = '<p title="x">{{ n|counted(singular="answer waits", plural="y z") }}</p>{# a mark #}'
    assert retired(page_words(page)) == ["waits"]
    assert retired(page_words('<b aria-label="Free points">a</b> The task')) == [
        "Free points",
        "The task",
    ]
    assert retired(module_words('"""A mark."""\nsay("No criterion.")\nx = "mark"')) == ["criterion"]
