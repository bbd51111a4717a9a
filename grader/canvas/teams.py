"""Students on Canvas, and the teams in which they submitted: one, or the members of a group."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.canvas.records import CanvasAttachment, CanvasAttempt, CanvasSubmission, CanvasUser
from grader.submissions.fetch_manifest import FetchedFile, FetchedStudent, FetchedSubmission
from grader.submissions.file_listing import is_notebook
from grader.text_folding import strip_accents

MAX_STEM, MAX_ENDING = 100, 20
MAX_LINK = 200
_NOT_SAFE = re.compile(r"[^\w()+=@, -]+")
_NOT_LETTERS = re.compile(r"[^A-Za-z0-9]+")


def describe_student(
    user: CanvasUser, *, sections: Mapping[int, str] | None = None
) -> FetchedStudent:
    """Return a student as manifest and roster have them."""
    numbers = (enrollment.course_section_id or 0 for enrollment in user.enrollments)
    names = filter(None, (sections.get(number) for number in numbers)) if sections else ()
    return FetchedStudent(
        user=user.id,
        name=user.name,
        id=user.sis_user_id or user.login_id or "",
        login=user.login_id or "",
        email=user.email or "",
        section=", ".join(dict.fromkeys(names)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmittingTeam:
    """Who submitted the same files at once."""

    members: tuple[CanvasSubmission, ...]

    @property
    def attempts(self) -> tuple[CanvasAttempt, ...]:
        """What was submitted, the newest last."""
        first = self.members[0]
        history = {attempt.attempt or 0: attempt for attempt in first.submission_history}
        newest = {first.attempt or 0: first}
        attempts: dict[int, CanvasAttempt] = {**history, **newest}
        return tuple(attempt for _, attempt in sorted(attempts.items()) if attempt.submitted_at)

    @property
    def name(self) -> str:
        """The team's name: as Canvas squeezes it, with an id that keeps it apart from others."""
        first = self.members[0]
        group = first.group
        if group is not None and group.id is not None:
            return f"{_squeeze(group.name or 'group')}_group{group.id}"
        user = first.user
        who = user.sortable_name or user.name if user else ""
        return f"{_squeeze(who) or 'student'}_{first.user_id}"

    def paths(self, attempt: CanvasAttempt) -> Mapping[str, CanvasAttachment]:
        """Return the files of an attempt by their paths below the folder."""
        paths: dict[str, CanvasAttachment] = {}
        for attachment in attempt.attachments:
            folder = f"{self.name}/attempt-{attempt.attempt or 0}"
            path = f"{folder}/{_safe_file_name(attachment.label)}"
            if path.lower() in {other.lower() for other in paths}:
                path = f"{folder}/{attachment.id}-{_safe_file_name(attachment.label)}"
            paths[path] = attachment
        return paths

    def describe(
        self, people: Mapping[int, FetchedStudent], *, faults: Mapping[str, str]
    ) -> FetchedSubmission:
        """Return what the manifest says of the team.

        Args:
            people: students of the course, by user.
            faults: why files were not fetched, by path.
        """
        *earlier, newest = self.attempts
        files = tuple(
            FetchedFile(name=_own_name(attachment.label), path=path, fault=faults.get(path, ""))
            for path, attachment in self.paths(newest).items()
        )
        group = self.members[0].group
        return FetchedSubmission(
            name=self.name,
            students=tuple(_find_student(member, people) for member in self.members),
            group=(group.name or "") if group else "",
            attempt=newest.attempt or 0,
            submitted_at=newest.submitted_at or "",
            late=any(member.late for member in self.members),
            files=files,
            remark=_remark(newest),
            earlier=tuple(attempt.submitted_at or "" for attempt in earlier),
            earlier_notebook=not _has_notebook(newest) and any(map(_has_notebook, earlier)),
        )


def group_into_teams(submissions: Sequence[CanvasSubmission]) -> tuple[SubmittingTeam, ...]:
    """Return a team for each group whose members have the same files, and for each other student.

    Whoever submitted nothing is in none: the roster knows them.
    """
    teams: dict[tuple[object, ...], list[CanvasSubmission]] = {}
    for submission in submissions:
        if not submission.submitted_at:
            continue
        files = tuple(sorted(attachment.id for attachment in submission.attachments))
        group = submission.group_id
        shared = group is not None and bool(files)
        key = (group, files) if shared else ("user", submission.user_id)
        teams.setdefault(key, []).append(submission)
    by_user = [
        SubmittingTeam(members=tuple(sorted(team, key=lambda member: member.user_id)))
        for team in teams.values()
    ]
    return tuple(sorted(by_user, key=lambda team: team.members[0].user_id))


def _find_student(
    submission: CanvasSubmission, people: Mapping[int, FetchedStudent]
) -> FetchedStudent:
    """Return the student of the course, or who it was where they have left it."""
    known = people.get(submission.user_id)
    if known is not None or submission.user is None:
        return known or FetchedStudent(user=submission.user_id, name="")
    return describe_student(submission.user)


def _has_notebook(attempt: CanvasAttempt) -> bool:
    return any(is_notebook(attachment.label) for attachment in attempt.attachments)


def _remark(attempt: CanvasAttempt) -> str:
    """Say what was submitted where it is no file."""
    if attempt.attachments:
        return ""
    if attempt.url:
        return f"a link was submitted, and no file: {attempt.url[:MAX_LINK]}"
    kind = (attempt.submission_type or "nothing").replace("_", " ")
    return f"no file was submitted (Canvas: {kind})"


def _squeeze(name: str) -> str:
    return _NOT_LETTERS.sub("", strip_accents(name)).lower()


def _own_name(label: str) -> str:
    """Return a file's name without folders, as it is beside the notebook."""
    name = label.replace("\\", "/").rpartition("/")[2].replace("\0", "")
    return name if name.strip(".") else "file"


def _safe_file_name(label: str) -> str:
    """Return a name that is one on any disk, and that no listing passes over."""
    stem, dot, ending = _own_name(label).rpartition(".")
    if not dot:
        stem, ending = ending, ""
    safe_stem = _NOT_SAFE.sub("_", stem.replace(".", "_"))[:MAX_STEM].strip() or "file"
    safe_ending = _NOT_SAFE.sub("", ending)[:MAX_ENDING]
    return f"{safe_stem}.{safe_ending}" if safe_ending else safe_stem
