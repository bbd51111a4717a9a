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
from grader.submissions.bundles import About, Bundle, Layout
from grader.submissions.file_listing import File, Listing, is_notebook
from grader.submissions.lms_names import STRAY, Label, any_labelled, bundles_of, labelled, mostly

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
_AGAIN = re.compile(r"(?P<stem>.+?)-(?P<turn>\d{1,3})(?P<ending>\.[^.]*)?", re.DOTALL)


def read(name: str) -> Label | None:
    """What a name says."""
    if found := _ANONYMOUS_TEXT.fullmatch(name) or _ANONYMOUS.fullmatch(name):
        late = bool(found["early"] or found["late"])
        return Label(who=f"anon_{found['id']}", file=_file(found), late=late)
    found = _TEXT.fullmatch(name) or _FILE.fullmatch(name)
    if found is None or not found["who"]:
        return None
    return Label(
        who=f"{found['who']}_{found['id']}",
        file=_file(found),
        student=Student(name=found["who"], id="", lms={"canvas": found["id"]}),
        late=bool(found["late"]),
    )


def _file(found: re.Match[str]) -> str:
    """The file's name; one with an attachment's id before it, so that none replaces another."""
    told = found.groupdict()
    if told.get("kind"):
        return f"{told['kind']}.html"
    return f"{int(told['attachment']):020}/{told['file']}"


def _fits(listing: Listing) -> bool:
    """Names could be chance, and then students would be taken for one: `lab_2024_11_ada.ipynb`.

    Attachments never share an id, people's names have no digits and are not all the same, and who
    alone handed in has one notebook.
    """
    if not mostly(listing, read=read):
        return False
    labels = list(labelled(listing, read).values())
    ids = [label.file.partition("/")[0] for label in labels if "/" in label.file]
    people = {label.who: label.student.name for label in labels if label.student}
    plain = [name for name in people.values() if not any(map(str.isdigit, name))]
    books = sum(is_notebook(label.file) for label in labels)
    same = len(set(people.values())) == 1 and max(len(people), books) > 1
    return len(set(ids)) == len(ids) and len(plain) * 2 >= len(people) and not same


def _bundles(listing: Listing, about: About) -> Iterator[Bundle]:
    for bundle in bundles_of(listing, about, read=read):
        yield bundle if STRAY in bundle.doubts else _newest(bundle)


def _newest(bundle: Bundle) -> Bundle:
    """The notebooks handed in last; other files under the names they had at first, too."""
    versions: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    for name in bundle.files:
        number, _, file = name.rpartition("/")
        stem, turn, ending = _parted(file) if number else (file, 0, "")
        versions.setdefault((stem, ending), []).append((turn, number, file))
    files: dict[str, File] = {}
    remarks, doubts = list(bundle.remarks), list(bundle.doubts)
    for (stem, ending), some in versions.items():
        *earlier, last = sorted(some)
        kept = [last] if is_notebook(last[2]) else [last, *reversed(earlier)]
        for _, number, file in kept:
            files.setdefault(file, bundle.files[f"{number}/{file}" if number else file])
        if not is_notebook(last[2]):
            files.setdefault(f"{stem}{ending}", files[last[2]])
        elif earlier:
            told = ", ".join(file for _, _, file in earlier)
            numbered = all(turn for turn, _, _ in some)  # they may be parts: hw-1, hw-2
            (doubts if numbered else remarks).append(
                f"{last[2]} was handed in last and counts; earlier: {told}"
            )
    return replace(bundle, files=files, remarks=tuple(remarks), doubts=tuple(doubts))


def _parted(file: str) -> tuple[str, int, str]:
    """A name without what Canvas adds to a file that is handed in again, that, and the ending."""
    if again := _AGAIN.fullmatch(file):
        return again["stem"], int(again["turn"]), again["ending"] or ""
    stem, dot, ending = file.rpartition(".")
    return (stem, 0, dot + ending) if dot else (file, 0, "")


CANVAS = Layout(
    name="canvas",
    told="a download from Canvas",
    fits=_fits,
    holds=partial(any_labelled, read=read),
    bundles=_bundles,
)
