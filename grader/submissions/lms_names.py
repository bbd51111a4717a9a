"""Reads names that learning management systems give to files and folders: who submitted what.

A layout of this kind is a function that reads one name into a Label. The files are then collected
by submitter; of several attempts the newest counts, and a note lists the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from grader.model import Student
from grader.submissions.bundles import Bundle, LayoutContext, SubmissionLayout
from grader.submissions.file_listing import File, Listing, is_notebook
from grader.submissions.flat_layout import flat_bundles
from grader.submissions.safe_names import plain_letters

UNLABELED = "its name does not say who submitted it, unlike the names beside it"
ONLY_EARLIER_NOTEBOOK = "the newest attempt has no notebook, but an earlier one has"
SYSTEM_FILES = frozenset({"index.html"})
"""Files that a system adds to the submissions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What the name of a file or folder says."""

    submitter: str
    """Identifies who submits, in this download and in the next: 'doejane_1042'."""
    preferred_name: str = ""
    """The submission's name; '' where the submitter will do."""
    file: str = ""
    """The file's name as it was submitted; '' where the name is a folder's."""
    student: Student | None = None
    attempt: str = ""
    """When it was submitted, in ISO 8601, where the name says so. Attempts are compared as text: in
    one download all have an offset, or none has."""
    late: bool | None = None


LabelReader = Callable[[str], Label | None]


def labeled_layout(*, name: str, description: str, read: LabelReader) -> SubmissionLayout:
    """Return the layout of names that `read` understands."""
    return SubmissionLayout(
        name=name,
        description=description,
        matches=lambda listing: mostly_labeled(listing, read=read),
        partly_matches=lambda listing: bool(read_labels(listing, read=read)),
        bundles=lambda listing, context: labeled_bundles(listing, context, read=read),
    )


def _top_names(listing: Listing) -> list[str]:
    names = (*listing.top_files(), *listing.subfolders())
    return [name for name in names if name.lower() not in SYSTEM_FILES]


def read_labels(listing: Listing, *, read: LabelReader) -> Mapping[str, Label]:
    """Return the labels of the names directly in a folder that have one."""
    labels = ((name, read(name)) for name in _top_names(listing))
    return {name: label for name, label in labels if label is not None}


def mostly_labeled(listing: Listing, *, read: LabelReader) -> bool:
    """Tell whether more than half of the names in a folder have a label."""
    return len(read_labels(listing, read=read)) * 2 > len(_top_names(listing))


def labeled_bundles(
    listing: Listing, context: LayoutContext, *, read: LabelReader
) -> Iterator[Bundle]:
    """Yield a bundle for each submitter, then one for each name without a label."""
    labels = read_labels(listing, read=read)
    labels_by_submitter: dict[str, dict[str, Label]] = {}
    for name, label in labels.items():
        labels_by_submitter.setdefault(label.submitter, {})[name] = label
    subfolders = listing.subfolders()
    for submitter_labels in labels_by_submitter.values():
        yield _submitter_bundle(submitter_labels, listing, subfolders)
    unlabeled = [name for name in _top_names(listing) if name not in labels]
    for bundle in flat_bundles(listing.restricted_to(unlabeled), context):
        yield replace(bundle, concerns=(*bundle.concerns, UNLABELED))


def _submitter_bundle(
    labels: Mapping[str, Label], listing: Listing, subfolders: Mapping[str, Listing]
) -> Bundle:
    newest = max(label.attempt for label in labels.values())
    current = {name: label for name, label in labels.items() if label.attempt == newest}
    older = [name for name in labels if name not in current]
    files: dict[str, File] = {}
    for name, label in current.items():
        if name in listing.files:
            files[label.file if label.file not in files else name] = listing.files[name]
        else:
            files |= subfolders[name].files
    notebook_lost = not any(map(is_notebook, files)) and any(
        is_notebook(name) or (name in subfolders and subfolders[name].notebooks()) for name in older
    )
    attempts = sorted({labels[name].attempt.replace("T", " ") for name in older})
    note = (
        f"the newest of {len(attempts) + 1} attempts counts ({newest.replace('T', ' ')}); "
        f"earlier: {', '.join(attempts)}"
    )
    label = max(current.values(), key=lambda current_label: bool(current_label.student))
    lateness = {current_label.late for current_label in current.values()}
    return Bundle(
        key=label.submitter,
        preferred_name=plain_letters(label.preferred_name or label.submitter),
        files=files,
        display_path=min(current),
        students=(label.student,) if label.student else (),
        submitted_at=label.attempt,
        late=None if lateness == {None} else True in lateness,
        remarks=(note,) if attempts else (),
        concerns=(ONLY_EARLIER_NOTEBOOK,) if notebook_lost else (),
    )
