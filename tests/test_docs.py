"""The documents say what the program does."""

import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from grader import __version__, checks, cli
from grader.model import Limits

ROOT = Path(__file__).parent.parent


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_checks_page_is_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make_checks.py"), "--check"], check=False
    )

    assert done.returncode == 0, "run `make docs`"


def test_the_page_of_the_rubrics_keys_is_current_and_silent_on_none() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make_rubric_keys.py"), "--check"], check=False
    )

    assert done.returncode == 0, "run `make docs`"
    assert [row for row in read("docs/rubric.md").splitlines() if row.endswith("|  |")] == []


def test_every_parameter_of_every_check_says_what_it_means() -> None:
    silent = [
        f"{code}.{name}"
        for code, check in checks.load_checks(["grader.contrastive"]).items()
        for name, field in check.model_fields.items()
        if not field.description
    ]

    assert silent == []


def test_the_guide_shows_every_command_and_exit_code() -> None:
    text = read("docs/howto/grade.md")

    assert [name for name in cli.cli.commands if f"grade {name}" not in text] == []
    assert all(f"| {code} |" in text for code in (0, 1, 2, 130))


def test_the_changelog_has_a_place_for_what_is_new() -> None:
    text = read("CHANGELOG.md")

    assert "## Unreleased" in text or f"## {__version__}" in text


def test_the_table_of_attacks_is_the_one_that_was_measured() -> None:
    measured = read("benchmarks/results/attacks.md").splitlines()
    table = [line for line in measured if line.startswith("|")]

    assert len(table) > 20
    assert "\n".join(table) in read("docs/security.md")


def test_the_security_page_shows_every_limit_with_its_default() -> None:
    rows = re.findall(r"^\| (`\w+`.*?) \| ([\d, ]+?) \|", read("docs/security.md"), re.MULTILINE)
    shown = {
        name.strip("` "): float(default)
        for names, defaults in rows
        for name, default in zip(names.split(","), defaults.split(","), strict=True)
    }

    assert shown == asdict(Limits())


def test_the_tests_of_each_room_are_there() -> None:
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    table = text.partition("## Tests of a room")[2].partition("\n## ")[0]
    names = re.findall(r"`(test_[a-z_*]+)`", table)

    assert [name for name in names if not list((ROOT / "tests").glob(f"{name}.py"))] == []
    assert len(names) > 30


def test_no_page_shows_how_a_library_writes_types() -> None:
    page = (Path(__file__).parent.parent / "docs" / "checks.md").read_text(encoding="utf-8")

    assert not re.findall(r"Pydantic\w+|FieldInfo|Annotated\[|Optional\[", page)
