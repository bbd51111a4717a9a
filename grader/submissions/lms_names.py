"""Names that learning management systems give to files and folders, and who stands in them.

A layout of this kind is a function that reads one name. What lies there is then put together by
who handed it in; of several attempts the newest counts, and the others are told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from grader.model import Student
from grader.submissions.bundles import Bundle, LayoutContext
from grader.submissions.file_listing import File, Listing, is_notebook
from grader.submissions.flat_layout import flat_bundles
from grader.submissions.safe_names import plain_letters


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a name says."""

    submitter: str
    """Tells one who hands in from another, now and in the next download: 'doejane_1042'."""
    preferred_name: str = ""
    """A name for that; '' where it will do itself."""
    file: str = ""
    """The file's name as it was handed in; '' where the name is a folder's."""
    student: Student | None = None
    submitted_at: str = ""
    late: bool | None = None
    attempt: str = ""
    """Orders the attempts of one who hands in: the greatest is the newest."""
    attempt_text: str = ""
    """The attempt in words."""


LabelReader = Callable[[str], Label | None]
UNLABELED = "its name says not who handed it in, unlike the names beside it"
ONLY_EARLIER_NOTEBOOK = "the newest attempt has no notebook, but an earlier one has"
SYSTEM_FILES = frozenset({"index.html"})
"""Files that a system puts beside what was handed in."""


def read_labels(listing: Listing, read: LabelReader) -> Mapping[str, Label]:
    """What the names directly in a place say, those left out that say nothing."""
    names = [
        name
        for name in (*listing.top_files(), *listing.subfolders())
        if name.lower() not in SYSTEM_FILES
    ]
    labels = {name: read(name) for name in names}
    return {name: label for name, label in labels.items() if label is not None}


def mostly_labeled(listing: Listing, *, read: LabelReader) -> bool:
    """Whether more than half of the names in a place say something."""
    names = [
        name
        for name in (*listing.top_files(), *listing.subfolders())
        if name.lower() not in SYSTEM_FILES
    ]
    return len(read_labels(listing, read)) * 2 > len(names)


def any_labeled(listing: Listing, *, read: LabelReader) -> bool:
    """Whether a name in a place says something."""
    return bool(read_labels(listing, read))


def labeled_bundles(
    listing: Listing, context: LayoutContext, *, read: LabelReader
) -> Iterator[Bundle]:
    """What lies there by who handed it in; then what has another name."""
    labels = read_labels(listing, read)
    names_by_submitter: dict[str, list[str]] = {}
    for name, label in labels.items():
        names_by_submitter.setdefault(label.submitter, []).append(name)
    subfolders = listing.subfolders()
    for submitter, names in names_by_submitter.items():
        yield _submitter_bundle(
            submitter, {name: labels[name] for name in names}, listing, subfolders
        )
    unlabeled = [
        n
        for n in (*listing.top_files(), *subfolders)
        if n not in labels and n.lower() not in SYSTEM_FILES
    ]
    for bundle in flat_bundles(listing.restricted_to(unlabeled), context):
        yield replace(bundle, flags=(*bundle.flags, UNLABELED))


def _submitter_bundle(
    submitter: str, labels: Mapping[str, Label], listing: Listing, subfolders: Mapping[str, Listing]
) -> Bundle:
    newest = max(label.attempt for label in labels.values())
    current = {name: label for name, label in labels.items() if label.attempt == newest}
    files: dict[str, File] = {}
    for name, label in current.items():
        if name in listing.files:
            files[label.file if label.file not in files else name] = listing.files[name]
        else:
            files |= subfolders[name].files
    label = max(current.values(), key=lambda attempt_label: bool(attempt_label.student))
    earlier = sorted(
        {
            attempt_label.attempt: attempt_label.attempt_text
            for attempt_label in labels.values()
            if attempt_label.attempt != newest
        }.values()
    )
    older = (name for name in labels if name not in current)
    notebook_lost = not any(map(is_notebook, files)) and any(
        is_notebook(name) or (name in subfolders and subfolders[name].notebooks()) for name in older
    )
    newest_text = f"the newest of {len(earlier) + 1} attempts counts ({label.attempt_text}); "
    return Bundle(
        key=submitter,
        preferred_name=plain_letters(label.preferred_name or submitter),
        files=files,
        display_path=min(current),
        students=(label.student,) if label.student else (),
        submitted_at=label.submitted_at,
        late=_is_late(current.values()),
        notes=(f"{newest_text}earlier: {', '.join(earlier)}",) if earlier else (),
        flags=(ONLY_EARLIER_NOTEBOOK,) if notebook_lost else (),
    )


def _is_late(labels: Collection[Label]) -> bool | None:
    values = {label.late for label in labels}
    return None if values == {None} else True in values
