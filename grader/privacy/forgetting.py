"""Forgets one student: removes them from gradebook, pages, exports and backups of a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from grader import gradebook
from grader.errors import UsageError
from grader.folder import ClassPublisher, OutputFolder
from grader.gradebook import Gradebook
from grader.gradebook.course_records import forget_person, load_roster
from grader.gradebook.erasure import (
    RecordRedactor,
    delete_submission,
    redact_submission,
    vacuum_gradebook,
)
from grader.model import Graded, Rubric, Student
from grader.people.directory import normalized_ids
from grader.people.name_matching import normalize_id, same_name
from grader.privacy.identities import Person, collect_people, mentioned_students
from grader.privacy.other_files import identifies_person, is_gradebook_file, list_other_files
from grader.privacy.redaction import Identity, Redactor, words_in_names
from grader.privacy.text_mapping import map_texts

Record = TypeVar("Record")
REDACTED = "\u2026"
"""Replaces names and ids; can't itself be read as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetPlan:
    """What forgetting a student would do to a folder."""

    student: Student
    own_submissions: tuple[str, ...]
    """Submissions of this student alone, which are deleted."""
    team_submissions: tuple[str, ...]
    """Submissions that stay for the rest of a team."""
    identifying_names: tuple[str, ...]
    """Team submissions whose name identifies the student; it stays until the file is renamed."""
    gradebooks: tuple[Path, ...]
    """Files of gradebooks: the folder's own and its backups."""
    files: tuple[Path, ...]
    """Other files in the folder that hold the name or an id, which are removed."""
    unreadable: tuple[Path, ...]
    """Files that can't be looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetResult:
    """What forgetting a student did."""

    deleted_submissions: int
    changed_submissions: int
    """Submissions that stay, from which something was redacted."""
    removed_files: int


def plan_forgetting(folder: Path, *, identifier: str) -> ForgetPlan:
    """Return what forgetting a student would do; change nothing.

    Args:
        folder: a folder that `grade` wrote.
        identifier: an id or e-mail address of the student, or a name that nobody else has.

    Raises:
        UsageError: there is no gradebook, or nobody with that identifier in it.
    """
    store = OutputFolder.open_existing(folder).store
    with gradebook.open_gradebook(store) as book:
        person = _require_person(book, identifier, folder)
        own_submissions, team_submissions = _split_submissions(book, person)
    redactor = _build_redactor(person)
    checked_files = [(path, identifies_person(path, redactor)) for path in list_other_files(folder)]
    backups = [path for path, _ in checked_files if is_gradebook_file(path)]
    return ForgetPlan(
        student=person.records[0],
        own_submissions=own_submissions,
        team_submissions=team_submissions,
        identifying_names=tuple(
            name
            for name in team_submissions
            if redactor.redact(name, own_words=_own_words(person)) != name
        ),
        gradebooks=(*((store,) if isinstance(store, Path) else ()), *backups),
        files=tuple(
            path for path, identifies in checked_files if identifies and path not in backups
        ),
        unreadable=tuple(
            path for path, identifies in checked_files if identifies is None and path not in backups
        ),
    )


def forget_student(
    folder: Path, *, identifier: str, rubric: Rubric, forget_plan: ForgetPlan
) -> ForgetResult:
    """Forget a student as planned; nothing in the folder identifies them afterwards.

    Args:
        folder: a folder that `grade` wrote.
        identifier: an id or e-mail address of the student, or a name that nobody else has.
        rubric: the rubric of the class, to render its pages.
        forget_plan: the result of `plan_forgetting`.

    Raises:
        UsageError: a gradebook is in use, or a file can't be removed.
    """
    target = OutputFolder(folder)
    with target.open_gradebook() as book:
        person = _require_person(book, identifier, folder)
        changed = _remove_person(book, person)
        for name in forget_plan.own_submissions:
            target.remove_submission(name)
        ClassPublisher(target, book=book, rubric=rubric).publish(changed=changed)
    for path in forget_plan.gradebooks:
        if path != target.store:
            _remove_from_backup(path, identifier)
        vacuum_gradebook(path)
    for path in forget_plan.files:
        _remove_file(path)
    return ForgetResult(
        deleted_submissions=len(forget_plan.own_submissions),
        changed_submissions=len(changed),
        removed_files=len(forget_plan.files),
    )


def _require_person(book: Gradebook, identifier: str, folder: Path) -> Person:
    person = _find_person(book, identifier)
    if person is None:
        raise UsageError(f"{identifier}: matches no student, or more than one, in {folder}")
    return person


def _find_person(book: Gradebook, identifier: str) -> Person | None:
    """Return all records of a person, by an id, an address, or a name that nobody else has."""
    people = collect_people(book.all_graded(book.cache_keys()), people=load_roster(book))
    normalized_id = normalize_id(identifier)
    matches = [
        candidate
        for candidate in people
        if any(normalized_id in normalized_ids(s) for s in candidate.records)
    ]
    if not matches:
        namesakes = [
            candidate
            for candidate in people
            if any(same_name(identifier, s.name) for s in candidate.records)
        ]
        matches = namesakes if len(namesakes) == 1 else []
    merged = Person()
    for candidate in matches:
        for student in candidate.records:
            merged.add(student)
    return merged if matches else None


def _split_submissions(book: Gradebook, person: Person) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the submissions of this person alone, and those of a team with others."""
    own_submissions: list[str] = []
    team_submissions: list[str] = []
    for graded in book.all_graded(book.cache_keys()):
        people = mentioned_students(graded)
        if not any(person.matches(student) for student in people):
            continue
        other_students = [student for student in people if not person.matches(student)]
        (team_submissions if other_students else own_submissions).append(graded.submission.name)
    return tuple(own_submissions), tuple(team_submissions)


def _remove_person(book: Gradebook, person: Person) -> list[str]:
    """Remove a person from a gradebook; return the submissions that stay and were changed."""
    own_submissions, team_submissions = _split_submissions(book, person)
    for name in own_submissions:
        delete_submission(book, name)
    forget_person(
        book,
        ids=[student_id for student in person.records for student_id in normalized_ids(student)],
    )
    redactor, own_words = _build_redactor(person), _own_words(person)
    return [
        name
        for name in book.cache_keys()
        if redact_submission(
            book,
            name,
            redact=_build_record_redactor(
                person, redactor, own_words if name in team_submissions else frozenset()
            ),
        )
    ]


def _remove_from_backup(path: Path, identifier: str) -> None:
    with gradebook.open_gradebook(path) as book:
        person = _find_person(book, identifier)
        if person is not None:
            _remove_person(book, person)


def _build_redactor(person: Person) -> Redactor:
    identity = Identity(
        records=tuple(person.records),
        replacement_name=REDACTED,
        replacement_id=REDACTED,
        replacement_part=REDACTED,
    )
    return Redactor([identity])


def _own_words(person: Person) -> frozenset[str]:
    return words_in_names(person.records)


def _build_record_redactor(
    person: Person, redactor: Redactor, own_words: frozenset[str]
) -> RecordRedactor:
    """Redact full names and ids everywhere, parts of the name only where this student wrote."""

    def redact_text(text: str) -> str:
        return redactor.redact(text, own_words=own_words or None)

    def redact_graded(graded: Graded) -> Graded:
        redacted = map_texts(_without_member(graded, person), map_text=redact_text)
        if redacted is graded:
            return graded
        submission = replace(
            redacted.submission,
            name=graded.submission.name,  # the key of rows and files
            path=Path(redact_text(str(graded.submission.path))),
        )
        return replace(redacted, submission=submission)

    def redact(record: Record) -> Record:
        redacted: Any = (
            redact_graded(record)
            if isinstance(record, Graded)
            else map_texts(record, map_text=redact_text)
        )
        return cast("Record", redacted)

    return redact


def _without_member(graded: Graded, person: Person) -> Graded:
    """Return the grade of a team without one of its members."""
    if not any(person.matches(student) for student in mentioned_students(graded)):
        return graded
    is_remaining = [not person.matches(student) for student in graded.students]
    lateness = graded.lateness
    if len(lateness) == len(is_remaining):
        lateness = tuple(
            late for late, remains in zip(lateness, is_remaining, strict=True) if remains
        )
    listed_students = _without_person(graded.submission.students, person)
    return replace(
        graded,
        students=_without_person(graded.students, person),
        named=_without_person(graded.named, person),
        lateness=lateness or graded.lateness[:1],
        submission=replace(graded.submission, students=listed_students),
    )


def _without_person(students: Sequence[Student], person: Person) -> tuple[Student, ...]:
    return tuple(student for student in students if not person.matches(student))


def _remove_file(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path}: cannot be removed ({error.strerror})") from error
