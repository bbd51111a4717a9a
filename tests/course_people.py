"""An invented course: its people, its due date, and what was handed in."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

from grader.model import LateRule, Student, Submission
from grader.people import People, RosterMember

ADA = Student(name="Ada Byron Rivers", id="ar10001", email="ada.rivers@uni.example", section="A")
BEN = Student(name="Ben Fields", id="bf10002", email="bf10002@uni.example", section="B")
ZOE = Student(name="Zoë Müller-Ørsted", id="zm10003", lms={"canvas": "4711"})
WEI = Student(name="Wei Li", id="wl10004")
ANNE = Student(name="Anne Sample", id="as10005")
ANNA = Student(name="Anna Sample", id="as10006")
MEMBERS = tuple(
    RosterMember(student=one, aliases=("Kevin Li",) if one is WEI else ())
    for one in (ADA, BEN, ZOE, WEI, ANNE, ANNA)
)
ROSTER = People(members=MEMBERS)
DUE = "2026-11-20T23:59:00-06:00"
RULE = LateRule(
    due=DUE,
    grace_s=900,
    per_day=Fraction(10),
    unit="percent",
    cap=Fraction(50),
    timezone="America/Chicago",
)


def handed_in(name: str = "one", **more: Any) -> Submission:
    """A submission with what a folder says of it."""
    return Submission(name=name, path=Path(f"{name}.ipynb"), display_path=f"{name}.ipynb", **more)


def called(name: str = "", mark: str = "", **more: Any) -> Student:
    """Somebody as a notebook or a folder names them."""
    return Student(name=name, id=mark, **more)
