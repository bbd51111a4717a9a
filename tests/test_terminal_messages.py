"""What goes wrong is told in lines that no terminal cuts within a word."""

from __future__ import annotations

import sys

import pytest

from grader.cli.terminal_messages import print_message

LONG = (
    "grade: rubrics/b.toml: not TOML: Expected '=' after a key in a key/value pair (at line 3, "
    "column 7)\n  To grade by another one: --assignment hw5-with-a-very-long-name-of-a-course-2031"
)


def test_a_terminal_gets_lines_broken_between_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    print_message(LONG)

    lines = capsys.readouterr().err.splitlines()
    assert " ".join(" ".join(lines).split()) == " ".join(LONG.split())
    assert all(len(line) <= 60 for line in lines)
    assert [line for line in lines if line.startswith("  ")] == lines[2:]


def test_what_is_no_terminal_gets_them_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_message(LONG)

    assert capsys.readouterr().err == f"{LONG}\n"


def test_what_follows_a_break_begins_where_the_last_column_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    print_message("  full   holds  namespaces by bubblewrap 0.11.0, Landlock 7", err=False)

    assert capsys.readouterr().out.splitlines() == [
        "  full   holds  namespaces by bubblewrap",
        "                0.11.0, Landlock 7",
    ]
