"""Forgets one student: gradebook, pages, exports and backups of a folder then know nobody such."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader import gradebook
from grader.errors import UsageError
from grader.folder import Folder, refresh_class, refresh_one
from grader.gradebook import Gradebook
from grader.gradebook.erasure import Retelling, delete_submission, retell_submission, wipe
from grader.gradebook.stored_people import forget_person, remembered_by_all
from grader.model import Graded, Rubric, Student
from grader.people.name_matching import plain_id, same_name
from grader.privacy.identities import Person, everyone, marks_of, whose
from grader.privacy.other_files import holds, is_book, others
from grader.privacy.redaction import Identity, Veil, words_of
from grader.privacy.text_mapping import retold

GONE = "\u2026"
"""In the place of whatever told who it was: nothing that could be read as a name or an id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What forgetting somebody would do to a folder."""

    student: Student
    alone: tuple[str, ...]
    """Submissions that are deleted: nobody else's."""
    shared: tuple[str, ...]
    """Submissions that stay for the others of a team, without this student."""
    named_like: tuple[str, ...]
    """Of these, those whose own name tells who it was: that stays until the file is renamed."""
    books: tuple[Path, ...]
    """Gradebooks in which it is done: that of the folder and its backups."""
    files: tuple[Path, ...]
    """Other files in the folder that hold the name or an id, and are removed whole."""
    unread: tuple[Path, ...]
    """Files that can't be looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What was done."""

    deleted: int
    changed: int
    """Submissions that stay, in which a name, an id or a text was taken out."""
    removed: int
    """Other files."""


def plan(folder: Path, *, mark: str) -> Plan:
    """Look at what there is of somebody; changes nothing.

    Args:
        folder: what `grade` wrote.
        mark: an id or e-mail address of the student, or a name that nobody else has.

    Raises:
        UsageError: there is no gradebook, or nobody of that id in it.
    """
    if not Folder.is_one(folder):
        raise UsageError(f"{folder}: no gradebook there; `grade PATH` makes one")
    store = Folder(folder).store
    with gradebook.opened(store) as book:
        person = _person(book, mark)
        if person is None:
            raise UsageError(f"{mark}: nobody alone has that id, address or name in {folder}")
        alone, shared = _sorted(book, person)
    veil = _veil(person)
    seen = [(place, holds(place, veil)) for place in others(folder)]
    backups = [place for place, _ in seen if is_book(place)]
    return Plan(
        student=person.students[0],
        alone=alone,
        shared=shared,
        named_like=tuple(name for name in shared if veil.text(name, own=_own(person)) != name),
        books=(*((store,) if isinstance(store, Path) else ()), *backups),
        files=tuple(place for place, held in seen if held and place not in backups),
        unread=tuple(place for place, held in seen if held is None and place not in backups),
    )


def forget(folder: Path, *, mark: str, rubric: Rubric, what: Plan) -> Forgotten:
    """Do what was planned; afterwards nothing in the folder tells of this student.

    Args:
        folder: what `grade` wrote.
        mark: an id or e-mail address of the student, or a name that nobody else has.
        rubric: what the class was graded by, to make its pages anew.
        what: what `plan` found.

    Raises:
        UsageError: a gradebook is in use, or a file can't be removed.
    """
    target = Folder(folder)
    with gradebook.opened(target.store) as book:
        person = _person(book, mark)
        if person is None:
            raise UsageError(f"{mark}: nobody alone has that id, address or name in {folder}")
        changed = _out_of(book, person)
        for name in what.alone:
            target.remove(name)
        for name in changed:
            refresh_one(target, book, rubric, name)
        refresh_class(target, book, rubric)
    for place in what.books:
        if place != target.store:
            _out_of_backup(place, mark)
        wipe(place)
    for place in what.files:
        _remove(place)
    return Forgotten(deleted=len(what.alone), changed=len(changed), removed=len(what.files))


def _person(book: Gradebook, mark: str) -> Person | None:
    """Everything a book knows of somebody."""
    names = list(book.keys())
    people = everyone(book.all_graded(names), people=remembered_by_all(book))
    wanted = plain_id(mark)
    found = [one for one in people if any(wanted in marks_of(s) for s in one.students)]
    if not found:
        called = [one for one in people if any(same_name(mark, s.name) for s in one.students)]
        found = called if len(called) == 1 else []
    whole = Person()
    for one in found:
        for student in one.students:
            whole.add(student)
    return whole if found else None


def _sorted(book: Gradebook, person: Person) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The submissions that are this person's alone, and those of a team."""
    alone: list[str] = []
    shared: list[str] = []
    for graded in book.all_graded(list(book.keys())):
        people = whose(graded)
        if not any(person.is_one(one) for one in people):
            continue
        rest = [one for one in people if not person.is_one(one)]
        (shared if rest else alone).append(graded.submission.name)
    return tuple(alone), tuple(shared)


def _out_of(book: Gradebook, person: Person) -> list[str]:
    """Take somebody out of a book; the submissions that stay and were changed."""
    alone, shared = _sorted(book, person)
    for name in alone:
        delete_submission(book, name)
    forget_person(book, marks=[mark for one in person.students for mark in marks_of(one)])
    veil, own = _veil(person), _own(person)
    return [
        name
        for name in book.keys()  # noqa: SIM118 (no mapping: a method that reads)
        if retell_submission(
            book, name, told=_retelling(person, veil, own if name in shared else frozenset())
        )
    ]


def _out_of_backup(place: Path, mark: str) -> None:
    with gradebook.opened(place) as book:
        person = _person(book, mark)
        if person is not None:
            _out_of(book, person)


def _veil(person: Person) -> Veil:
    identity = Identity(students=tuple(person.students), name=GONE, mark=GONE, part=GONE)
    return Veil([identity])


def _own(person: Person) -> frozenset[str]:
    return words_of(person.students)


def _retelling(person: Person, veil: Veil, own: frozenset[str]) -> Retelling:
    """Whole names and ids go everywhere; parts of the name where this student wrote."""

    def text(said: str) -> str:
        return veil.text(said, own=own) if own else veil.whole(said)

    def graded(known: Graded) -> Graded:
        told = retold(_without(known, person), text=text)
        if told is known:
            return known
        handed_in = replace(
            told.submission,
            name=known.submission.name,  # what rows and files are known by
            path=Path(text(str(known.submission.path))),
        )
        return replace(told, submission=handed_in)

    return Retelling(
        text=text,
        graded=graded,
        answer=lambda answer: retold(answer, text=text),
        trace=lambda trace: retold(trace, text=text),
    )


def _without(graded: Graded, person: Person) -> Graded:
    """A grade of a team without one of its members."""
    if not any(person.is_one(one) for one in whose(graded)):
        return graded
    stays = [not person.is_one(one) for one in graded.students]
    lateness = graded.lateness
    if len(lateness) == len(stays):
        lateness = tuple(late for late, kept in zip(lateness, stays, strict=True) if kept)
    told = _others(graded.submission.students, person)
    return replace(
        graded,
        students=_others(graded.students, person),
        named=_others(graded.named, person),
        lateness=lateness or graded.lateness[:1],
        submission=replace(graded.submission, students=told),
    )


def _others(students: Sequence[Student], person: Person) -> tuple[Student, ...]:
    return tuple(one for one in students if not person.is_one(one))


def _remove(place: Path) -> None:
    try:
        place.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{place}: cannot be removed ({error.strerror})") from error
