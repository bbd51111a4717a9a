"""Canvas's "Download Submissions": files named `doejane_LATE_1042_77310_hw5.ipynb`.

The first part is the sortable name without all that is no letter, then `LATE` where it is, the
user's id, the attachment's id, and the file's own name; anonymous ones begin with `anon_`. A file
that is handed in again has `-1`, `-2` … before its ending.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from grader.model import Student
from grader.submissions.bundles import Bundle, LayoutContext, SubmissionLayout
from grader.submissions.file_listing import File, Listing, is_notebook
from grader.submissions.lms_names import (
    UNLABELED,
    Label,
    any_labeled,
    labeled_bundles,
    mostly_labeled,
    read_labels,
)

_FILE = re.compile(
    r"(?P<who>.*?)(?:_(?P<late>LATE))?_(?P<id>\d+)_(?P<attachment>\d+)_(?P<file>.+)", re.DOTALL
)
_ANONYMOUS = re.compile(
    r"(?:(?P<early>LATE)_)?anon_(?:(?P<late>LATE)_)?(?P<id>[A-Za-z0-9]+)_(?P<attachment>\d+)_"
    r"(?P<file>.+)",
    re.DOTALL,
)
_TEXT = re.compile(r"(?P<who>.*?)(?:_(?P<late>LATE))?_(?P<id>\d+)_(?P<kind>text|link)\.html")
_ANONYMOUS_TEXT = re.compile(
    r"(?:(?P<early>LATE)_)?anon_(?:(?P<late>LATE)_)?(?P<id>[A-Za-z0-9]+)_(?P<kind>text|link)\.html"
)
_RESUBMITTED = re.compile(r"(?P<stem>.+?)-(?P<turn>\d{1,3})(?P<ending>\.[^.]*)?", re.DOTALL)


def read_label(name: str) -> Label | None:
    """What a name says."""
    if match := _ANONYMOUS_TEXT.fullmatch(name) or _ANONYMOUS.fullmatch(name):
        late = bool(match["early"] or match["late"])
        return Label(submitter=f"anon_{match['id']}", file=_label_file(match), late=late)
    match = _TEXT.fullmatch(name) or _FILE.fullmatch(name)
    if match is None or not match["who"]:
        return None
    return Label(
        submitter=f"{match['who']}_{match['id']}",
        file=_label_file(match),
        student=Student(name=match["who"], id="", lms={"canvas": match["id"]}),
        late=bool(match["late"]),
    )


def _label_file(match: re.Match[str]) -> str:
    """The file's name; one with an attachment's id before it, so that none replaces another."""
    groups = match.groupdict()
    if groups.get("kind"):
        return f"{groups['kind']}.html"
    return f"{int(groups['attachment']):020}/{groups['file']}"


def _fits(listing: Listing) -> bool:
    """Names could be chance, and then students would be taken for one: `lab_2024_11_ada.ipynb`.

    Attachments never share an id, people's names have no digits and are not all the same, and who
    alone handed in has one notebook.
    """
    if not mostly_labeled(listing, read=read_label):
        return False
    labels = list(read_labels(listing, read_label).values())
    ids = [label.file.partition("/")[0] for label in labels if "/" in label.file]
    people = {label.submitter: label.student.name for label in labels if label.student}
    plain_names = [name for name in people.values() if not any(map(str.isdigit, name))]
    notebook_count = sum(is_notebook(label.file) for label in labels)
    all_same = len(set(people.values())) == 1 and max(len(people), notebook_count) > 1
    return len(set(ids)) == len(ids) and len(plain_names) * 2 >= len(people) and not all_same


def _bundles(listing: Listing, context: LayoutContext) -> Iterator[Bundle]:
    for bundle in labeled_bundles(listing, context, read=read_label):
        yield bundle if UNLABELED in bundle.flags else _newest_files(bundle)


def _newest_files(bundle: Bundle) -> Bundle:
    """The notebooks handed in last; other files under the names they had at first, too."""
    versions: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    for name in bundle.files:
        attachment_id, _, file = name.rpartition("/")
        stem, turn, ending = _split_turn(file) if attachment_id else (file, 0, "")
        versions.setdefault((stem, ending), []).append((turn, attachment_id, file))
    files: dict[str, File] = {}
    notes, flags = list(bundle.notes), list(bundle.flags)
    for (stem, ending), versions_of_file in versions.items():
        *earlier, last = sorted(versions_of_file)
        newest_first = [last] if is_notebook(last[2]) else [last, *reversed(earlier)]
        for _, attachment_id, file in newest_first:
            files.setdefault(
                file, bundle.files[f"{attachment_id}/{file}" if attachment_id else file]
            )
        if not is_notebook(last[2]):
            files.setdefault(f"{stem}{ending}", files[last[2]])
        elif earlier:
            earlier_files = ", ".join(file for _, _, file in earlier)
            numbered = all(turn for turn, _, _ in versions_of_file)  # they may be parts: hw-1, hw-2
            (flags if numbered else notes).append(
                f"{last[2]} was handed in last and counts; earlier: {earlier_files}"
            )
    return replace(bundle, files=files, notes=tuple(notes), flags=tuple(flags))


def _split_turn(file: str) -> tuple[str, int, str]:
    """A name without what Canvas adds to a file that is handed in again, that, and the ending."""
    if match := _RESUBMITTED.fullmatch(file):
        return match["stem"], int(match["turn"]), match["ending"] or ""
    stem, dot, ending = file.rpartition(".")
    return (stem, 0, dot + ending) if dot else (file, 0, "")


CANVAS = SubmissionLayout(
    name="canvas",
    description="a download from Canvas",
    fits=_fits,
    partly_fits=partial(any_labeled, read=read_label),
    bundles=_bundles,
)
