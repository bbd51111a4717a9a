"""Names that learning management systems give to files and folders, and who stands in them.

A layout of this kind is a function that reads one name. What lies there is then put together by
who handed it in; of several attempts the newest counts, and the others are told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from grader.model import Student
from grader.submissions.bundles import About, Bundle
from grader.submissions.file_listing import File, Listing, is_notebook
from grader.submissions.flat_layout import flat
from grader.submissions.safe_names import plain_word


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a name says."""

    who: str
    """Tells one who hands in from another, now and in the next download: 'doejane_1042'."""
    named: str = ""
    """A name for that; '' where it will do itself."""
    file: str = ""
    """The file's name as it was handed in; '' where the name is a folder's."""
    student: Student | None = None
    at: str = ""
    late: bool | None = None
    attempt: str = ""
    """Orders the attempts of one who hands in: the greatest is the newest."""
    told: str = ""
    """The attempt in words."""


Read = Callable[[str], Label | None]
STRAY = "its name says not who handed it in, unlike the names beside it"
EARLIER = "the newest attempt has no notebook, but an earlier one has"
OURS = frozenset({"index.html"})
"""Files that a system puts beside what was handed in."""


def labelled(listing: Listing, read: Read) -> Mapping[str, Label]:
    """What the names directly in a place say, those left out that say nothing."""
    names = [name for name in (*listing.top(), *listing.parts()) if name.lower() not in OURS]
    found = {name: read(name) for name in names}
    return {name: label for name, label in found.items() if label is not None}


def mostly(listing: Listing, *, read: Read) -> bool:
    """Whether more than half of the names in a place say something."""
    names = [name for name in (*listing.top(), *listing.parts()) if name.lower() not in OURS]
    return len(labelled(listing, read)) * 2 > len(names)


def any_labelled(listing: Listing, *, read: Read) -> bool:
    """Whether a name in a place says something."""
    return bool(labelled(listing, read))


def bundles_of(listing: Listing, about: About, *, read: Read) -> Iterator[Bundle]:
    """What lies there by who handed it in; then what has another name."""
    found = labelled(listing, read)
    by_who: dict[str, list[str]] = {}
    for name, label in found.items():
        by_who.setdefault(label.who, []).append(name)
    parts = listing.parts()
    for who, names in by_who.items():
        yield _of_one(who, {name: found[name] for name in names}, listing, parts)
    strays = [n for n in (*listing.top(), *parts) if n not in found and n.lower() not in OURS]
    for bundle in flat(listing.of(strays), about):
        yield replace(bundle, doubts=(*bundle.doubts, STRAY))


def _of_one(
    who: str, labels: Mapping[str, Label], listing: Listing, parts: Mapping[str, Listing]
) -> Bundle:
    newest = max(label.attempt for label in labels.values())
    current = {name: label for name, label in labels.items() if label.attempt == newest}
    files: dict[str, File] = {}
    for name, label in current.items():
        if name in listing.files:
            files[label.file if label.file not in files else name] = listing.files[name]
        else:
            files |= parts[name].files
    label = max(current.values(), key=lambda one: bool(one.student))
    earlier = sorted(
        {one.attempt: one.told for one in labels.values() if one.attempt != newest}.values()
    )
    older = (name for name in labels if name not in current)
    lost = not any(map(is_notebook, files)) and any(
        is_notebook(name) or (name in parts and parts[name].notebooks()) for name in older
    )
    told = f"the newest of {len(earlier) + 1} attempts counts ({label.told}); "
    return Bundle(
        key=who,
        named=plain_word(label.named or who),
        files=files,
        shown=min(current),
        students=(label.student,) if label.student else (),
        at=label.at,
        late=_late(current.values()),
        remarks=(f"{told}earlier: {', '.join(earlier)}",) if earlier else (),
        doubts=(EARLIER,) if lost else (),
    )


def _late(labels: Collection[Label]) -> bool | None:
    told = {label.late for label in labels}
    return None if told == {None} else True in told
