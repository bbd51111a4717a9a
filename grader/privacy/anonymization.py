"""Writes a copy of a graded class without names: pages, CSV and JSON, and the key elsewhere."""

from __future__ import annotations

import builtins
import keyword
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from grader.csv_tables import format_table
from grader.errors import UsageError
from grader.exports.gradebook_csv import escape_formula
from grader.folder import ClassView, OutputFolder, SubmissionSummary, read_class
from grader.gradebook import Gradebook
from grader.gradebook.course_records import load_people
from grader.model import Answer, Graded, Lateness, Rubric, Score, Student, Submission
from grader.notebook import read_notebook
from grader.people import check_roster
from grader.privacy.identities import Person, collect_people, mentioned_students
from grader.privacy.redaction import Identity, Redactor, vocabulary, words_in_names
from grader.privacy.text_mapping import map_texts

PICTURE_PLACEHOLDER = "*[A picture was left out of this copy.]*"
ANONYMOUS_GRADER = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonymizationResult:
    """What an anonymized copy holds."""

    submissions: int
    people: int
    pictures: int
    """The number of pictures left out: a photograph of a page may show a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anonymizer:
    """The pseudonyms of a class, and the redactor of its texts."""

    people: Sequence[Person]
    submission_names: Mapping[str, str]
    """The name in the copy, by the name of a submission."""
    rubric: Rubric
    redactor: Redactor

    def rename_students(self, students: Sequence[Student]) -> tuple[Student, ...]:
        """Return students under their pseudonyms."""
        return tuple(_alias(self._person_number(student)) for student in students)

    def _person_number(self, student: Student) -> int:
        numbers = (
            number for number, person in enumerate(self.people, 1) if student in person.records
        )
        return next(numbers, 0)


def write_anonymized_copy(
    source: Path, *, to: Path, key: Path, rubric: Rubric
) -> AnonymizationResult:
    """Write an anonymized copy of a folder, and the key to it.

    Args:
        source: a folder that `grade` wrote.
        to: a folder that does not exist yet.
        key: a file that does not exist yet, outside of that folder, for the key to pseudonyms.
        rubric: what the class was graded by; its words and those of the reference are kept.

    Raises:
        UsageError: one of them exists already, the key would lie in the copy, or something can't
            be written.
    """
    _refuse_unsafe_paths(source, to=to, key=key)
    with OutputFolder(source).open_gradebook() as book:
        names = book.graded_names()
        anonymizer = _build_anonymizer(book, names, rubric=rubric)
        view = read_class(book, rubric)
        teams = {
            anonymizer.submission_names[row.name]: anonymizer.rename_students(row.students)
            for row in view.page_rows()
        }
        missing = anonymizer.rename_students(view.missing_students)
        copied_view = ClassView(  # without remarks, which name ids and submissions
            summaries=(),
            flags=check_roster(teams, members=()).duplicate_flags,
            missing_students=tuple(sorted(missing, key=lambda student: student.id)),
        )
        target = OutputFolder(to, show_ids=True)
        copied_summaries, pictures = [], 0
        for record in book.all_graded(sorted(names, key=anonymizer.submission_names.__getitem__)):
            pictures += sum(len(answer.images) for answer in record.answers.values())
            anonymized = _anonymize_graded(record, anonymizer)
            target.write_submission(copied_view.add_flags(anonymized), rubric=rubric)
            copied_summaries.append(SubmissionSummary.from_graded(anonymized, rubric=rubric))
    copied_view = replace(copied_view, summaries=tuple(copied_summaries))
    target.write_class(copied_view, rubric=rubric)
    _write_key(key, anonymizer)
    return AnonymizationResult(
        submissions=len(names), people=len(anonymizer.people), pictures=pictures
    )


def _refuse_unsafe_paths(source: Path, *, to: Path, key: Path) -> None:
    OutputFolder.open_existing(source)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UsageError(f"{to}: is there already; name a new folder")
    if key.exists():
        raise UsageError(f"{key}: is there already; name another file by --key")
    if key.resolve().is_relative_to(to.resolve()):
        raise UsageError(f"{key}: the key must not lie in the copy")


def _build_anonymizer(book: Gradebook, names: Sequence[str], *, rubric: Rubric) -> _Anonymizer:
    """Give all people and submissions pseudonyms, in a random order."""
    people = collect_people(book.all_graded(names), people=load_people(book, rubric.id))
    secrets.SystemRandom().shuffle(people)
    shuffled_names = list(names)
    secrets.SystemRandom().shuffle(shuffled_names)
    digits = len(str(len(shuffled_names)))
    identities = [
        Identity(
            records=tuple(person.records),
            replacement_name=_alias(number).name,
            replacement_id=_alias(number).id,
        )
        for number, person in enumerate(people, 1)
    ]
    return _Anonymizer(
        people=people,
        submission_names={
            name: f"submission-{number:0{digits}}" for number, name in enumerate(shuffled_names, 1)
        },
        rubric=rubric,
        redactor=Redactor(identities, assignment_words=assignment_words(rubric)),
    )


def _alias(number: int) -> Student:
    return Student(name=f"Student {number}", id=f"S{number:03}")


def assignment_words(rubric: Rubric, *, with_reference: bool = True) -> frozenset[str]:
    """Return the assignment's own words: 'Adam' is an optimizer before it is a name."""
    texts = [text for item in rubric.items for text in (item.title, item.prompt, item.good_answer)]
    references = (read_notebook(p.reference) for p in (rubric.whole if with_reference else ()))
    cells = [cell.source for reference in references for cell in reference.cells]
    return vocabulary((rubric.title, *texts, *cells, *keyword.kwlist, *dir(builtins)))


def _anonymize_graded(graded: Graded, anonymizer: _Anonymizer) -> Graded:
    """Return a grade without names, and without what only identifies a submission."""
    own_words = words_in_names(mentioned_students(graded))
    name = anonymizer.submission_names[graded.submission.name]
    stripped = replace(
        graded,
        submission=Submission(
            name=name, path=Path("notebook.ipynb"), display_path="notebook.ipynb"
        ),
        students=(),
        named=(),
        answers={item: _without_pictures(answer) for item, answer in graded.answers.items()},
        provenance=graded.provenance and replace(graded.provenance, notebook=""),
        score=graded.score and _hide_graders(graded.score),
    )
    redacted = map_texts(
        stripped, map_text=lambda text: anonymizer.redactor.redact(text, own_words=own_words)
    )
    return replace(
        redacted,
        submission=stripped.submission,
        students=anonymizer.rename_students(graded.students),
        lateness=tuple(_anonymize_lateness(late, anonymizer.rubric) for late in graded.lateness),
    )


def _hide_graders(score: Score) -> Score:
    """Return a score whose marks don't name graders."""
    items = tuple(
        replace(
            item_score,
            mark=item_score.mark and replace(item_score.mark, by=ANONYMOUS_GRADER),
            outdated=item_score.outdated and replace(item_score.outdated, by=ANONYMOUS_GRADER),
        )
        for item_score in score.items
    )
    return replace(score, items=items)


def _without_pictures(answer: Answer) -> Answer:
    if not answer.images:
        return answer
    new_text = "\n\n".join([answer.text, *[PICTURE_PLACEHOLDER] * len(answer.images)])
    return replace(answer, text=new_text, images=())


def _anonymize_lateness(late: Lateness | None, rubric: Rubric) -> Lateness | None:
    """Count days from the common due date: a time, or an extension, would identify a student."""
    if late is None or rubric.late is None:
        return late
    delay = timedelta(days=late.days)
    submitted_at = datetime.fromisoformat(rubric.late.due) + delay
    return replace(
        late,
        due=rubric.late.due,
        at=submitted_at.isoformat() if late.at else "",
        late_s=delay // timedelta(seconds=1),
    )


def _write_key(path: Path, anonymizer: _Anonymizer) -> None:
    """Write the key from pseudonyms to students, readable by its owner alone."""
    rows: list[Sequence[str]] = [("pseudonym", "name", "id", "submission", "copy")]
    copies = anonymizer.submission_names
    for number, person in enumerate(anonymizer.people, 1):
        first = person.records[0]
        names = [name for name in person.submissions if name in copies]
        rows += [
            (_alias(number).id, first.name, first.id, name, copies.get(name, ""))
            for name in names or [""]
        ]
    listed = {name for person in anonymizer.people for name in person.submissions}
    rows += [("", "", "", name, copies[name]) for name in sorted(copies.keys() - listed)]
    text = format_table([escape_formula(cell) for cell in row] for row in rows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from error
