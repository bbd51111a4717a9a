"""Finds the notebooks of an assignment of several among what each student or team submitted.

Which notebook a file is, its words say, and its name where they don't. What was submitted under one
name for each notebook, `ada_part1.ipynb` and `ada_part2.ipynb`, or by the same students, is one
submission.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
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

Previews = Mapping[str, NotebookPreview]
"""What looks into files for each notebook of an assignment, by the notebook's id."""
Owner = str | frozenset[str] | None
"""Whose a file is: the rest of its name, or the students it names; None where nothing tells."""


def join_bundles(bundles: Iterable[Bundle], *, previews: Previews) -> list[Bundle]:
    """Return the bundles, with those of lone files joined that are one submission's notebooks.

    Args:
        bundles: The bundles.
        previews: Without any, an assignment has one notebook, and nothing is joined.
    """
    joined: dict[Owner | int, Bundle] = {}
    taken: set[tuple[Owner | int, str]] = set()
    for number, bundle in enumerate(bundles):
        notebook, owner = _tell_lone_file(bundle, previews=previews)
        key: Owner | int = number if owner is None or (owner, notebook) in taken else owner
        taken.add((key, notebook))
        own = bundle
        if isinstance(key, str) and key:
            own = replace(bundle, key=key, preferred_name=key)
        joined[key] = _join(joined[key], own) if key in joined else own
    return list(joined.values())


def _tell_lone_file(bundle: Bundle, *, previews: Previews) -> tuple[str, Owner]:
    """Return which notebook a bundle of one file is, and whose; None for other bundles."""
    file = bundle.files.get(bundle.key)
    if not previews or file is None or not is_notebook(bundle.key):
        return "", None
    notebook = tell_notebook(bundle.key, file, previews=previews)
    return notebook, _find_owner(bundle.key, file, notebook, previews=previews)


def _join(first: Bundle, second: Bundle) -> Bundle:
    return replace(
        first,
        files={**first.files, **second.files},
        students=first.students or second.students,
        remarks=(*first.remarks, *second.remarks),
        concerns=(*first.concerns, *second.concerns),
    )


def _find_owner(name: str, file: File, notebook: str, *, previews: Previews) -> Owner:
    """Return whose a file seems to be."""
    stem = re.sub(r"\s*\(\d+\)$", "", without_ending(PurePosixPath(name).name))  # of a download
    rest = re.split(_name_pattern(notebook), stem, maxsplit=1)
    if len(rest) > 1:
        return "_".join(part for part in rest if part)  # '' where the id is the whole name
    return previews[notebook].named_students(file.path) or None


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
    parts: dict[str, Submission] = {}
    for notebook, preview in previews.items():
        if notebook in files:
            key, chosen = choose_best(bundle, files[notebook], preview=preview)
            parts[notebook] = make_submission(chosen, key, name=name)
    return _join_parts(parts, previews=previews)


def _join_parts(parts: Mapping[str, Submission], *, previews: Previews) -> Submission:
    first = next(iter(parts.values()))
    missing = [notebook for notebook in previews if notebook not in parts]
    teams = (previews[notebook].named_students(part.path) for notebook, part in parts.items())
    concerns = dict.fromkeys(concern for part in parts.values() for concern in part.concerns)
    if missing:
        concerns[f"not handed in: {', '.join(missing)}"] = None
    if name_different_students(teams):
        concerns[DIFFERENT_STUDENTS] = None
    return replace(
        first,
        display_path=", ".join(part.display_path for part in parts.values()),
        attachments=tuple(dict.fromkeys(a for part in parts.values() for a in part.attachments)),
        remarks=tuple(dict.fromkeys(r for part in parts.values() for r in part.remarks)),
        concerns=tuple(concerns),
        parts=parts,
    )
