"""A graded class on disk in which names stand wherever names can stand, and nobody is real."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

from specimen_assignment import rubric as specimen_rubric
from specimens import half_right

from grader import gradebook
from grader.folder import ClassPublisher, OutputFolder
from grader.gradebook import Gradebook, StoredSubmission, answer_digest
from grader.gradebook.backup import back_up_gradebook
from grader.gradebook.course_records import save_dates, save_roster
from grader.gradebook.ledger import NewMark, add_mark
from grader.model import (
    Answer,
    Cell,
    Excerpt,
    Flag,
    FlagKind,
    Graded,
    Lateness,
    LateRule,
    Notebook,
    Observation,
    Picture,
    Rubric,
    Student,
    Submission,
    Trace,
)
from grader.people import RosterMember

ROOT = Path(__file__).parent.parent
DUE = "2026-11-20T23:59:00-06:00"
ADA = Student(name="Ada Rivers", id="ar10001", email="ada.rivers@uni.example", section="A")
BEN = Student(name="Benedikt Müller-Ørsted", id="bm10002", lms={"canvas": "47110815"})
CLEO = Student(name="Cleo Adam", id="ca10003", section="B")
ZOE = Student(name="Zoë Nobody", id="zn10004")
EVERYONE = (ADA, BEN, CLEO, ZOE)
WROTE = {
    "solo": "I am Ada Rivers (AR10001), ada.rivers@uni.example. ADA again; rivers, ada; AdaRivers.",
    "team": "Ada wrote it with Benedikt; ada and Muller-Orsted checked. Rivers flow.",
    "cleo": "Thanks to Ada Rivers and to bm10002. The Adam optimizer is good, says Cleo.",
}
TEAMS = {"solo": (ADA,), "team": (ADA, BEN), "cleo": (CLEO,)}


def rubric() -> Rubric:
    late = LateRule(due=DUE, grace_s=0, per_day=Fraction(1), unit="points")
    return replace(specimen_rubric(), reference=ROOT / "reference" / "hw5.ipynb", late=late)


def graded(name: str) -> Graded:
    made = half_right()
    team = TEAMS[name]
    picture = Picture(mime="image/png", base64="iVBORw0KGgo=")
    late = Lateness(due=DUE, at="2026-11-21T09:41:00-06:00", late_s=34920, days=1, deduction=None)
    assert made.provenance is not None
    return replace(
        made,
        submission=Submission(
            name=name,
            path=Path(f"/secret/{team[0].id}.ipynb"),
            display_path=f"{team[0].id}.ipynb",
            students=team[:1],
        ),
        students=team,
        named=team,
        lateness=tuple(
            replace(late, due="2026-11-29T23:59:00-06:00") if one is BEN else late for one in team
        ),
        answers={
            **made.answers,
            "Q1.1": Answer(item="Q1.1", text=WROTE[name], images=(picture,)),
        },
        code={"Q2.3.1": (Excerpt(cell=19, source=f"# {WROTE[name]}\nada_rivers = max(1, 2)"),)},
        flags=(Flag(FlagKind.SUBMITTER_NOT_NAMED, (f"{team[0].name} ({team[0].id})",)),),
        notes=(Flag(FlagKind.NOTEBOOK_NOTE, (f"The file of {team[0].name} was mended.",)),),
        provenance=replace(made.provenance, assignment="hw5", notebook="feed" * 16),
    )


def trace(name: str) -> Trace:
    cell = Cell(index=0, kind="markdown", source=f"Names: {WROTE[name]}")
    seen = Observation(id="q", status="ok", data={"printed": ["hello Ada Rivers", 3]})
    return Trace(
        notebook=Notebook(cells=(cell,), sha256="feed" * 16),
        record=half_right().record,
        observations={"q": seen},
        expected={},
    )


def mark(book: Gradebook, name: str, *, comment: str, item: str = "Q1.1") -> None:
    digest = answer_digest(book.graded(name), item)
    given = NewMark(
        submission=name,
        item=item,
        answer_digest=digest,
        points=Fraction(2),
        comment=comment,
        by="Marker Mabel",
    )
    # The clock would say 09:41 once a day, as do times that no copy may hold.
    with patch("grader.timestamps.now_text", lambda: "2031-04-12T16:20:00+00:00"):
        add_mark(book, given, expected_current=None)


def made(out: Path) -> Path:
    """The folder, with a backup and exports in it."""
    folder = OutputFolder(out)
    with gradebook.open_gradebook(folder.store) as book:
        for name in TEAMS:
            book.save_submission(
                StoredSubmission(cache_key=f"k-{name}", graded=graded(name), trace=trace(name))
            )
        book.replace_roll(tuple(TEAMS))
        save_roster(book, [RosterMember(student=one) for one in EVERYONE])
        save_dates(book, "hw5", kind="due", moments={"AR10001": DUE, "zn10004": DUE})
        for name in TEAMS:
            mark(book, name, comment="Well done, Ada Rivers!")
        ClassPublisher(folder, book=book, rubric=rubric()).publish(changed=TEAMS)
    back_up_gradebook(out / "gradebook.db", to=out / "backups" / "one.db")
    (out / "exports").mkdir()
    (out / "exports" / "canvas.csv").write_text('Student,ID\n"Rivers, Ada",1\n', "utf-16")
    (out / "exports" / "other.csv").write_text("Student,ID\nNobody,1\n", "utf-8")
    with zipfile.ZipFile(out / "exports" / "feedback.zip", "w") as archive:
        archive.writestr("a/ada_rivers_1.html", "x")
    return out


def texts(folder: Path) -> dict[str, str]:
    """Every file in a folder, as text."""
    places = [place for place in folder.rglob("*") if place.is_file()]
    return {
        place.relative_to(folder).as_posix(): place.read_bytes().decode("utf-8", "replace")
        for place in places
    }
