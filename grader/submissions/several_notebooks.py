"""Finds the notebooks of an assignment of several among what each student or team submitted.

Which notebook a file is, its words say, and its name where they don't. What was submitted under one
name for each notebook, `ada_part1.ipynb` and `ada_part2.ipynb`, or by the same students, is one
submission.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from grader.model import Submission
from grader.submissions.archives import Unpacker
from grader.submissions.bundles import Bundle, NotebookPreview, name_different_students
from grader.submissions.file_listing import File, is_notebook
from grader.submissions.notebook_choice import (
    DIFFERENT_STUDENTS,
    choose_best,
    find_notebooks,
    make_submission,
    refuse_bundle,
)
from grader.submissions.safe_names import without_ending

HOLDS_ANOTHER = 0.6
"""The share of a second notebook's words from which a file counts as both."""
Previews = Mapping[str, NotebookPreview]
"""What looks into files for each notebook of an assignment, by the notebook's id."""


def join_bundles(bundles: Iterable[Bundle], *, previews: Previews) -> list[Bundle]:
    """Return the bundles, with those of lone files joined that are one submission's notebooks.

    Args:
        bundles: The bundles.
        previews: Without any, an assignment has one notebook, and nothing is joined.
    """
    groups: list[_Group] = []
    for bundle in bundles:
        lone = _read_lone_file(bundle, previews=previews)
        group = next((g for g in groups if lone is not None and g.takes(lone)), None)
        if group is None:
            groups.append(_Group(bundle=bundle, members=[lone] if lone is not None else []))
        elif lone is not None:
            group.bundle = _join(group.bundle, bundle)
            group.members.append(lone)
    return [group.named_bundle() for group in groups]


@dataclass(frozen=True, slots=True, kw_only=True)
class _LoneFile:
    """A notebook that lies in no folder of a student's."""

    notebook: str
    rest: str | None
    """What its name says beside the notebook's id; None where that is not in it."""
    students: frozenset[str]

    @property
    def owner(self) -> str | None:
        """The rest of its name, however it is typed."""
        return None if self.rest is None else "".join(re.findall(r"\w", self.rest.casefold()))


@dataclass(slots=True, kw_only=True)
class _Group:
    """A bundle, and the lone files that it was joined of; none where it is none."""

    bundle: Bundle
    members: list[_LoneFile]

    def takes(self, lone: _LoneFile) -> bool:
        """Return whether a file is another notebook of the same students."""
        if not self.members or any(lone.notebook == other.notebook for other in self.members):
            return False
        students = frozenset[str]().union(*(other.students for other in self.members))
        if students and lone.students:
            return bool(students & lone.students)
        return lone.owner is not None and all(lone.owner == m.owner for m in self.members)

    def named_bundle(self) -> Bundle:
        """Return the bundle, called by what the names of its files have in common."""
        rests = {member.owner: member.rest for member in self.members}
        rest = next(iter(rests.values())) if len(rests) == 1 else None
        if not rest:
            return self.bundle
        return replace(self.bundle, key=rest, preferred_name=rest)


def _read_lone_file(bundle: Bundle, *, previews: Previews) -> _LoneFile | None:
    """Return the only file of a bundle, or None for other bundles."""
    file = bundle.files.get(bundle.key)
    if not previews or file is None or not is_notebook(bundle.key):
        return None
    notebook = tell_notebook(bundle.key, file, previews=previews)
    stem = re.sub(r"\s*\(\d+\)$", "", without_ending(bundle.key))  # the number of a download
    rest = re.split(_name_pattern(notebook), stem, maxsplit=1)
    return _LoneFile(
        notebook=notebook,
        rest="_".join(part for part in rest if part) if len(rest) > 1 else None,
        students=previews[notebook].named_students(file.path),
    )


def _join(first: Bundle, second: Bundle) -> Bundle:
    return replace(
        first,
        files={**first.files, **second.files},
        students=first.students or second.students,
        remarks=(*first.remarks, *second.remarks),
        concerns=(*first.concerns, *second.concerns),
    )


def _name_pattern(notebook: str) -> re.Pattern[str]:
    """Return what matches a notebook's id in a file's name, with what sets it apart."""
    words = r"[\s._-]*".join(map(re.escape, re.findall(r"[^\W\d_]+|\d+", notebook)))
    return re.compile(rf"(?i)[\s._()-]*(?<![^\W\d_]){words}(?!\d)[\s._()-]*")


def tell_notebook(name: str, file: File, *, previews: Previews) -> str:
    """Return the id of the notebook that a file is most like; by its name where none is."""
    shares = {
        notebook: (preview.handout_overlap(file.path) or (0.0, 0))[0]
        for notebook, preview in previews.items()
    }
    best = max(shares.values())
    likely = [notebook for notebook, share in shares.items() if share == best]
    stem = without_ending(PurePosixPath(name).name)
    named = [notebook for notebook in likely if _name_pattern(notebook).search(stem)]
    return (named or likely)[0]


def choose_notebooks(
    bundle: Bundle, *, name: str, previews: Previews, unpacker: Unpacker
) -> Submission:
    """Return the submission of a bundle, with a part for each notebook that is there.

    Args:
        bundle: All submitted files.
        name: The submission's safe name.
        previews: What looks into notebooks.
        unpacker: Opens archives.
    """
    bundle, readable, problem = find_notebooks(bundle, unpacker=unpacker)
    if not readable:
        return refuse_bundle(bundle, name=name, problem=problem)
    files: dict[str, dict[str, File]] = {}
    for key, file in readable.items():
        notebook = tell_notebook(key, file, previews=previews)
        files.setdefault(notebook, {})[key] = file
    concerns = _share_files(files, previews=previews)
    parts: dict[str, Submission] = {}
    for notebook, preview in previews.items():
        if notebook in files:
            key, chosen = choose_best(bundle, files[notebook], preview=preview)
            parts[notebook] = make_submission(chosen, key, name=name)
    return _join_parts(parts, previews=previews, concerns=concerns)


def _share_files(files: dict[str, dict[str, File]], *, previews: Previews) -> list[str]:
    """Let a file that holds a notebook that was not handed in count as that, too; return concerns.

    Some students paste the cells of all notebooks into one.
    """
    concerns = []
    submitted = {key: file for group in files.values() for key, file in group.items()}
    for notebook, preview in previews.items():
        if notebook in files:
            continue
        shares = {
            key: (preview.handout_overlap(file.path) or (0.0, 0))[0]
            for key, file in submitted.items()
        }
        key = max(shares, key=lambda name: shares[name])
        if shares[key] >= HOLDS_ANOTHER:
            files[notebook] = {key: submitted[key]}
            name = PurePosixPath(key).name
            concerns.append(f"{name} holds the cells of '{notebook}', too, and is graded as both")
    return concerns


def _join_parts(
    parts: Mapping[str, Submission], *, previews: Previews, concerns: Iterable[str]
) -> Submission:
    first = next(iter(parts.values()))
    missing = [notebook for notebook in previews if notebook not in parts]
    teams = (previews[notebook].named_students(part.path) for notebook, part in parts.items())
    all_concerns = (*concerns, *(concern for part in parts.values() for concern in part.concerns))
    noted = dict.fromkeys(all_concerns)
    if missing:
        noted[f"not submitted: {', '.join(missing)}"] = None
    if name_different_students(teams):
        noted[DIFFERENT_STUDENTS] = None
    return replace(
        first,
        display_path=", ".join(dict.fromkeys(part.display_path for part in parts.values())),
        attachments=tuple(dict.fromkeys(a for part in parts.values() for a in part.attachments)),
        remarks=tuple(dict.fromkeys(r for part in parts.values() for r in part.remarks)),
        concerns=tuple(noted),
        parts=parts,
    )
