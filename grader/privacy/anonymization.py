"""Writes a copy of a graded class without names: pages, CSV and JSON, and the key apart."""

from __future__ import annotations

import builtins
import csv
import io
import keyword
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path

from grader import gradebook
from grader.errors import UsageError
from grader.exports.gradebook_csv import defused
from grader.folder import Absent, Brief, Folder, absent_from
from grader.gradebook import Gradebook
from grader.gradebook.stored_people import remembered
from grader.model import Answer, Graded, Lateness, Rubric, Score, Student, Submission
from grader.notebook import read
from grader.people import check_roster
from grader.privacy.identities import Person, everyone, whose
from grader.privacy.redaction import Identity, Veil, vocabulary, words_of
from grader.privacy.text_mapping import retold

LEFT_OUT = "*[A picture was left out of this copy.]*"
MARKER = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a copy came to."""

    submissions: int
    people: int
    pictures: int
    """How many were left out: a photograph of a page may have a name on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cast:
    """Everyone under another name."""

    people: Sequence[Person]
    names: Mapping[str, str]
    """Of submissions."""
    rubric: Rubric
    veil: Veil

    def team(self, students: Sequence[Student]) -> tuple[Student, ...]:
        """Some of them under their other names."""
        return tuple(_alias(self._place(one)) for one in students)

    def _place(self, student: Student) -> int:
        exact = (at for at, who in enumerate(self.people, 1) if student in who.students)
        alike = (at for at, who in enumerate(self.people, 1) if who.is_one(student))
        return next(chain(exact, alike), 0)


def copy_without_names(source: Path, *, to: Path, key: Path, rubric: Rubric) -> Copied:
    """Write the copy and the key.

    Args:
        source: a folder that `grade` wrote.
        to: a folder that is not there yet.
        key: a file that is not there yet, outside of that folder: who is who.
        rubric: what the class was graded by; its words and those of the reference stay.

    Raises:
        UsageError: one of them is there already, the key would lie in the copy, or something
            can't be written.
    """
    _refuse(source, to=to, key=key)
    with gradebook.opened(Folder(source).store) as book:
        graded = book.keys()
        names = [name for name in book.roll() if name in graded]
        cast = _cast(book, names, rubric=rubric)
        real = [Brief.of(one, rubric=rubric) for one in book.all_graded(names)]
        teams = {cast.names[one.row.name]: cast.team(one.row.students) for one in real}
        clashes = check_roster(teams, members=()).clashes
        target = Folder(to, show_ids=True)
        briefs, pictures = [], 0
        for one in book.all_graded(sorted(names, key=cast.names.__getitem__)):
            pictures += sum(len(answer.images) for answer in one.answers.values())
            hidden = _hidden(one, cast, clashes=clashes)
            target.write_one(hidden, rubric=rubric)
            briefs.append(Brief.of(hidden, rubric=rubric))
        absent = _absent(absent_from(real, book=book, rubric=rubric), cast)
    target.write_class(briefs, rubric=rubric, absent=absent)
    _write_key(key, cast)
    return Copied(submissions=len(names), people=len(cast.people), pictures=pictures)


def _refuse(source: Path, *, to: Path, key: Path) -> None:
    if not Folder.is_one(source):
        raise UsageError(f"{source}: no gradebook there; `grade PATH` makes one")
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UsageError(f"{to}: is there already; name a new folder")
    if key.exists():
        raise UsageError(f"{key}: is there already; name another file by --key")
    if key.resolve().is_relative_to(to.resolve()):
        raise UsageError(f"{key}: the key must not lie in the copy")


def _cast(book: Gradebook, names: Sequence[str], *, rubric: Rubric) -> _Cast:
    """Everyone and everything under another name, in an order that tells nothing."""
    people = everyone(book.all_graded(names), people=remembered(book, rubric.id))
    secrets.SystemRandom().shuffle(people)
    order = list(names)
    secrets.SystemRandom().shuffle(order)
    digits = len(str(len(order)))
    identities = [
        Identity(students=tuple(one.students), name=_alias(at).name, mark=_alias(at).id)
        for at, one in enumerate(people, 1)
    ]
    return _Cast(
        people=people,
        names={name: f"submission-{at:0{digits}}" for at, name in enumerate(order, 1)},
        rubric=rubric,
        veil=Veil(identities, spared=_spared(rubric)),
    )


def _alias(at: int) -> Student:
    return Student(name=f"Student {at}", id=f"S{at:03}")


def _spared(rubric: Rubric) -> frozenset[str]:
    """The assignment's own words: 'Adam' is an optimiser before it is somebody."""
    said = [word for item in rubric.items for word in (item.title, item.prompt, item.good_answer)]
    cells = [cell.source for cell in read(rubric.reference).cells]
    return vocabulary((rubric.title, *said, *cells, *keyword.kwlist, *dir(builtins)))


def _hidden(graded: Graded, cast: _Cast, *, clashes: Mapping[str, tuple[str, ...]]) -> Graded:
    """A grade without names; what only tells one submission from another is gone, too."""
    own = words_of(whose(graded))
    name = cast.names[graded.submission.name]
    said = clashes.get(name, ())
    bare = replace(
        graded,
        submission=Submission(name=name, path=Path("notebook.ipynb"), shown="notebook.ipynb"),
        students=(),
        named=(),
        answers={item: _without_pictures(answer) for item, answer in graded.answers.items()},
        provenance=graded.provenance and replace(graded.provenance, notebook=""),
        score=graded.score and _by_staff(graded.score),
        flags=tuple(flag for flag in graded.flags if flag not in graded.clashes),
        clashes=(),
    )
    told = retold(bare, text=lambda text: cast.veil.text(text, own=own))
    return replace(
        told,
        submission=bare.submission,
        students=cast.team(graded.students),
        lateness=tuple(_moved(late, cast.rubric) for late in graded.lateness),
        flags=(*told.flags, *said),
        clashes=said,
    )


def _by_staff(score: Score) -> Score:
    """Whoever marked it."""
    items = tuple(
        replace(
            one,
            mark=one.mark and replace(one.mark, by=MARKER),
            outdated=one.outdated and replace(one.outdated, by=MARKER),
        )
        for one in score.items
    )
    return replace(score, items=items)


def _without_pictures(answer: Answer) -> Answer:
    if not answer.images:
        return answer
    said = "\n\n".join([answer.text, *[LEFT_OUT] * len(answer.images)])
    return replace(answer, text=said, images=())


def _moved(late: Lateness | None, rubric: Rubric) -> Lateness | None:
    """How many days late, from the due date of all: a time, or whose was extended, would tell."""
    if late is None or rubric.late is None:
        return late
    whole = timedelta(days=late.days)
    at = datetime.fromisoformat(rubric.late.due) + whole
    return replace(
        late,
        due=rubric.late.due,
        at=at.isoformat() if late.at else "",
        late_s=whole // timedelta(seconds=1),
    )


def _absent(absent: Absent, cast: _Cast) -> Absent:
    """Those who handed in nothing; remarks name ids and submissions, so only their number stays."""
    students = sorted(cast.team(absent.students), key=lambda one: one.id)
    return Absent(students=tuple(students))


def _write_key(place: Path, cast: _Cast) -> None:
    """Who is who, for the owner's eyes alone."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(("pseudonym", "name", "id", "submission", "copy"))
    for at, person in enumerate(cast.people, 1):
        first = person.students[0]
        known = [name for name in person.submissions if name in cast.names]
        for name in known or [""]:
            row = (_alias(at).id, first.name, first.id, name, cast.names.get(name, ""))
            writer.writerow([defused(word) for word in row])
    for name in sorted(set(cast.names) - {n for one in cast.people for n in one.submissions}):
        writer.writerow(["", "", "", defused(name), cast.names[name]])
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(written.getvalue())
    except OSError as error:
        raise UsageError(f"{place}: cannot be written ({error.strerror})") from error
