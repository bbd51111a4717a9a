"""Reads Canvas's "Download Submissions": files named `doejane_LATE_1042_77310_hw5.ipynb`.

The first part is the sortable name without all that is no letter, then `LATE` where it is, the
user's id, the attachment's id, and the file's own name; anonymous ones begin with `anon_`. A file
that is submitted again has `-1`, `-2` … before its ending.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from grader.model import Student
from grader.submissions.bundles import Bundle, LayoutContext
from grader.submissions.file_listing import File, Listing, is_notebook
from grader.submissions.lms_names import (
    UNLABELED,
    Label,
    labeled_bundles,
    labeled_layout,
    mostly_labeled,
    read_labels,
)

_FILE = r"(?:(?P<kind>text|link)\.html|(?P<attachment>\d+)_(?P<file>.+))"
_NAMED = re.compile(rf"(?P<who>.*?)(?:_(?P<late>LATE))?_(?P<id>\d+)_{_FILE}", re.DOTALL)
_ANONYMOUS = re.compile(
    rf"(?:(?P<early>LATE)_)?anon_(?:(?P<late>LATE)_)?(?P<id>[A-Za-z0-9]+)_{_FILE}", re.DOTALL
)
_RESUBMITTED = re.compile(r"(?P<stem>.+?)-(?P<turn>\d{1,3})(?P<ending>\.[^.]*)?", re.DOTALL)


def _read_label(name: str) -> Label | None:
    if match := _ANONYMOUS.fullmatch(name):
        late = bool(match["early"] or match["late"])
        return Label(submitter=f"anon_{match['id']}", file=_label_file(match), late=late)
    match = _NAMED.fullmatch(name)
    if match is None or not match["who"]:
        return None
    return Label(
        submitter=f"{match['who']}_{match['id']}",
        file=_label_file(match),
        student=Student(name=match["who"], id="", lms={"canvas": match["id"]}),
        late=bool(match["late"]),
    )


def _label_file(match: re.Match[str]) -> str:
    """Return the file's name, in a folder of its attachment's id, so that none replaces another."""
    if match["kind"]:
        return f"{match['kind']}.html"
    return f"{int(match['attachment']):020}/{match['file']}"


def _fits(listing: Listing) -> bool:
    """Tell whether the names are more than chance, such as `lab_2024_11_ada.ipynb`.

    Attachments never share an id, people's names have no digits and are not all the same, and a
    student alone has one notebook.
    """
    if not mostly_labeled(listing, read=_read_label):
        return False
    labels = list(read_labels(listing, read=_read_label).values())
    ids = [label.file.partition("/")[0] for label in labels if "/" in label.file]
    people = {label.submitter: label.student.name for label in labels if label.student}
    plain_names = [name for name in people.values() if not any(map(str.isdigit, name))]
    notebook_count = sum(is_notebook(label.file) for label in labels)
    all_same = len(set(people.values())) == 1 and max(len(people), notebook_count) > 1
    return len(set(ids)) == len(ids) and len(plain_names) * 2 >= len(people) and not all_same


def _bundles(listing: Listing, context: LayoutContext) -> Iterator[Bundle]:
    for bundle in labeled_bundles(listing, context, read=_read_label):
        yield bundle if UNLABELED in bundle.concerns else _select_newest_files(bundle)


def _select_newest_files(bundle: Bundle) -> Bundle:
    """Keep the newest of each notebook; other files also under the names they had at first."""
    versions_by_name: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    for path in bundle.files:
        attachment_id, _, file = path.rpartition("/")
        stem, turn, ending = split_turn(file) if attachment_id else (file, 0, "")
        versions_by_name.setdefault((stem, ending), []).append((turn, path, file))
    files: dict[str, File] = {}
    notes, flags = list(bundle.remarks), list(bundle.concerns)
    for (stem, ending), versions in versions_by_name.items():
        *earlier, (last_turn, last_path, last_file) = sorted(versions)
        files.setdefault(last_file, bundle.files[last_path])
        if not is_notebook(last_file):
            for _, path, file in reversed(earlier):
                files.setdefault(file, bundle.files[path])
            files.setdefault(f"{stem}{ending}", files[last_file])
        elif earlier:
            earlier_files = ", ".join(file for _, _, file in earlier)
            note = f"{last_file} was submitted last and counts; earlier: {earlier_files}"
            # Where all have a number they may be parts: hw-1, hw-2.
            numbered = last_turn and all(turn for turn, _, _ in earlier)
            (flags if numbered else notes).append(note)
    return replace(bundle, files=files, remarks=tuple(notes), concerns=tuple(flags))


def split_turn(file: str) -> tuple[str, int, str]:
    """Split the number that Canvas adds to a file submitted again from its stem and ending."""
    if match := _RESUBMITTED.fullmatch(file):
        return match["stem"], int(match["turn"]), match["ending"] or ""
    stem, dot, ending = file.rpartition(".")
    return (stem, 0, dot + ending) if dot else (file, 0, "")


CANVAS = replace(
    labeled_layout(name="canvas", description="a download from Canvas", read=_read_label),
    matches=_fits,
    bundles=_bundles,
)
