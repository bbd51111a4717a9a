"""Writes docs/attacks.md from the records of attacks in tests/attacks."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "attacks.md"
for folder in (ROOT, ROOT / "tests", ROOT / "tests" / "attacks"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from attack import (  # noqa: E402 -- their folder comes first
    EVERYWHERE,
    Attack,
    CourseAttack,
    Elsewhere,
)
from attacks_tests import BREAKING, COURSE_ATTACKS, EXHAUSTING  # noqa: E402 -- the same
from corpus import ATTACKS, ELSEWHERE  # noqa: E402 -- the same
from levels import LEVELS  # noqa: E402 -- the same

HEAD = """\
# Attacks that are tried

Made by `docs/make_attacks.py` from `tests/attacks/`; don't edit. Each attack is a notebook with a
wrong solution that is out to gain something; all are graded in one run of the real command, among
innocent submissions, at every level of isolation that the machine can force (see
[security](security.md)). *Held* means: nothing outside the notebook was read, reached, changed or
left running, and its points are those of the same wrong solution without the attack, less what it
broke for itself. At a level that is not named an attack succeeds, or nobody should rely on its
failing. *What remains*: points of items that the attack ends with, since they are taken on the
notebook's word or ask only for what it does have (embeddings of length 1, say).

| row | attack | what it tries | held at isolation | what remains |
| --- | --- | --- | --- | --- |
"""
COURSE = """
## Attacks on a course's own tests

Each is a name of one notebook that is out to pass a [test](tests.md) which it fails. All are run on
the real road but walls and Jupyter. *Held* means: it passes nothing, in a public test and in a
hidden one, no report of a hidden one tells what was asked, an innocent name in the same notebook
passes, and so does the next notebook in the same process.

| attack | what it tries |
| --- | --- |
"""
ELSE = """
## Rows that no notebook carries

| row | what | tests, or why there is none |
| --- | --- | --- |
"""


def page() -> str:
    """The whole page."""
    attacks = sorted(ATTACKS, key=lambda attack: (attack.rows, attack.name))
    course = "".join(map(_course_line, (*COURSE_ATTACKS, *BREAKING, *EXHAUSTING)))
    others = "".join(map(_other, ELSEWHERE))
    return HEAD + "".join(map(_line, attacks)) + ELSE + others + COURSE + course


def _line(attack: Attack) -> str:
    rows = ", ".join(map(str, attack.rows))
    held = "every level" if attack.holds_at == EVERYWHERE else _levels(attack)
    return f"| {rows} | {attack.name} | {attack.tries} | {held} | {_remains(attack)} |\n"


def _course_line(attack: CourseAttack) -> str:
    return f"| {attack.name} | {attack.tries} |\n"


def _levels(attack: Attack) -> str:
    return ", ".join(level for level in reversed(LEVELS) if level in attack.holds_at)


def _remains(attack: Attack) -> str:
    told = [f"{item}: {points:g} in all" for item, points in attack.concedes.items()]
    known = [f"known fault: {attack.known}"] if attack.known else []
    return "; ".join([*known, *told, *([attack.remains] if attack.remains else [])])


def _other(entry: Elsewhere) -> str:
    tests = [f"`{name}`" for name in entry.tests]
    return f"| {entry.row} | {entry.what} | {'; '.join([*tests, entry.reason]).rstrip('; ')} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
