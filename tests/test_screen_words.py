"""What people read is in the field's words: retired ones are in no message, help or template."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import grader
from grader.cli import cli

HOUSE = Path(grader.__file__).parent

RETIRED = {
    r"\bhand(?:ed|s|ing)? (?:it |them |the \w+ )?in\b": "submit",
    r"\bfree points\b": "point adjustment",
    r"\banother look\b": "regrade request, review",
    r"\bfollow-through\b": "error carried forward",
    r"\bwait(?:s|ing)? for (?:marks|a person|us|somebody)\b": "ungraded, to grade",
    r"\banswers? (?:that )?wait\b": "ungraded",
    r"\b(?:on trial|trials)\b": "calibration",
    r"\balike\b": "similar",
    r"\bfit program\b|found by a program": "suggested by text matching",
    r"\bour (?:own )?(?:fault|error|lack)\b|\berrors? of ours\b": "grader error",
    r"\bnobody (?:alone|says|tells|tell)\b": "say what is unknown",
    r"\bof no system\b": "no known LMS",
    r"\bwithout a kernel\b": "from saved runs",
    r"\bjudged? (?:\w+ )?again\b": "re-score",
    r"\banew\b": "again",
    r"\bmend(?:ed|s)?\b": "fix",
    r"\blet pass\b": "skipped",
    r"\bfailed of\b": "on their own",
    r"\btaken off\b": "late penalty",
    r"\bcounts? for (?:something|nothing)\b": "orphaned, not counted",
    r"\bone constant\b": "all the same value",
    r"\b(?:one|row|column|folder|line) an? (?:student|item|submission)\b": "per",
    r"(?<![Tt]here )\bis no (?!longer|less|more)\w+": "is not a",
    r"^(?:it|they) (?:is|does|are|do)\.?$": "a whole sentence",
    r"\bwhoever\b": "anybody who",
    r"\bsays? not\b": "does not say",
    r"\bbrought along\b": "imported",
    r"\bbegun day\b": "day or part of a day",
    r"\bthings to\b": "problems",
    r"\bin the place of\b": "instead of",
    r"\bsign in no longer\b": "revoke access",
}
"""Phrases that no screen, message, help or report says, each with what is said instead."""

BRITISH = re.compile(
    r"(?i)\b\w*(?:normalis|recognis|anonymis|colour|behaviour|judgement|catalogue|favour|grey"
    r"|labell(?!edby)|organis(?!m)|summaris|analys(?:e|ing)d?\b|centre\b|programme\b)\w*"
)

ALLOWED = {
    # Patterns and lists that read what students and other programs write.
    "notebook/name_labels.py": {"handed in"},
    # Parts of sentences, beside their plural.
    "report/headline.py": {"it is", "they are"},
    "report/saved_outputs_view.py": {"it is"},
}
"""By file, what matches and is right where it stands."""

SCREENS = sorted(
    path for path in HOUSE.rglob("*") if path.suffix in {".py", ".html", ".js", ".md", ".j2"}
)


def name_of(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def _docstrings(tree: ast.Module) -> set[int]:
    """Strings that only programmers read; those of commands are their help."""
    found = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if not isinstance(body, list):
            continue
        decorators = getattr(node, "decorator_list", [])
        is_command = any(re.search(r"command|group", ast.unparse(d)) for d in decorators)
        for statement in body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                found |= set() if is_command else {id(statement.value)}
    return found


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield what a file may show to people, each with its line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        plain = re.sub(r"\{#.*?#\}|<!--.*?-->|/\*.*?\*/", "", text, flags=re.DOTALL)
        yield 1, " ".join(plain.split())
        return
    tree = ast.parse(text)
    docstrings = _docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield node.lineno, " ".join(str(node.value).split())


def retired_in(path: Path) -> list[str]:
    allowed = ALLOWED.get(name_of(path), set())
    return [
        f"line {line}: '{match[0]}', say '{better}': {text[:80]}"
        for line, text in texts_of(path)
        for pattern, better in RETIRED.items()
        for match in re.finditer(pattern, text)
        if match[0] not in allowed
    ]


@pytest.mark.parametrize("path", SCREENS, ids=name_of)
def test_no_screen_says_a_retired_phrase(path: Path) -> None:
    assert retired_in(path) == []


@pytest.mark.parametrize("path", SCREENS, ids=name_of)
def test_what_people_read_is_in_american_spelling(path: Path) -> None:
    assert [match[0] for _, text in texts_of(path) for match in BRITISH.finditer(text)] == []


def test_what_is_allowed_is_still_there() -> None:
    for name, words in ALLOWED.items():
        texts = " ".join(text for _, text in texts_of(HOUSE / name))
        assert [word for word in words if word not in texts] == []


def test_the_glossarys_retired_words_are_among_them() -> None:
    glossary = (HOUSE.parent / "docs" / "glossary.md").read_text(encoding="utf-8")
    on_screens = ("free points", "follow-through", "another look", "alike", "waits for marks")
    for phrase in on_screens:
        assert phrase.split()[0] in glossary
        assert any(re.search(pattern, phrase) for pattern in RETIRED)


@pytest.mark.parametrize(
    "source",
    [
        'text = "Hand it in again."',
        'text = f"{count} answers waiting for marks"',
        'text = ("the answers are "\n    "alike")',
        '@click.command("x")\ndef x_command():\n    """Judge again what whoever ran."""',
    ],
)
def test_a_retired_phrase_is_seen_wherever_it_is(source: str, tmp_path: Path) -> None:
    file = tmp_path / "screen.py"
    file.write_text(source.replace("Hand it", "hand it"), encoding="utf-8")
    texts = [text for _, text in texts_of(file)]

    assert [p for p in RETIRED for text in texts if re.search(p, text)]


def test_each_command_is_listed_in_a_whole_sentence() -> None:
    listed = CliRunner(env={"COLUMNS": "80"}).invoke(cli, ["--help"]).output.split("Commands:\n")[1]

    assert len(listed.splitlines()) == len(cli.commands)
    assert [line for line in listed.splitlines() if not line.endswith(".")] == []
    assert "..." not in listed
