"""nbgrader's exchange: `submitted/<student>/<assignment>/*.ipynb`, with a `timestamp.txt`.

Of several assignments the one that is called as the rubric's id is taken, else all that a student
handed in: the notebook that looks most like the handout is then found as anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from grader.model import Student
from grader.submissions.bundles import About, Bundle, Layout
from grader.submissions.file_listing import File, Listing
from grader.submissions.safe_names import plain_word

SUBMITTED = "submitted"
STAMP = "timestamp.txt"
_STAMP = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[ T](?P<time>\d{2}:\d{2}:\d{2})(?:\.\d+)?\s*(?P<zone>\S+)?"
)


def _submitted(listing: Listing) -> Listing:
    """The folder that holds a folder a student."""
    return listing.parts().get(SUBMITTED, listing)


def _fits(listing: Listing) -> bool:
    """A student's folder holds folders, and one of those a time stamp."""
    if listing.name != SUBMITTED and SUBMITTED not in listing.parts():
        stamps = [name for name in listing.files if name.rpartition("/")[2] == STAMP]
        return not listing.notebooks_on_top() and any(name.count("/") == 2 for name in stamps)  # noqa: PLR2004
    inner = _submitted(listing)
    return bool(inner.parts()) and not inner.notebooks_on_top()


def _bundles(listing: Listing, about: About) -> Iterator[Bundle]:
    inner = _submitted(listing)
    prefix = "" if inner is listing else f"{SUBMITTED}/"
    people = {who: part.parts() for who, part in inner.parts().items()}
    names = {name for parts in people.values() for name in parts}
    ours = [name for name in sorted(names) if _plain(name) == _plain(about.assignment)]
    wanted = (ours or list(names))[0] if ours or len(names) == 1 else ""
    for who, part in inner.parts().items():
        if wanted and wanted not in people[who] and not part.notebooks_on_top():
            continue  # handed in for another assignment only
        files = dict(people[who].get(wanted, part).files)
        stamp = files.pop(STAMP, None)
        yield Bundle(
            key=who,
            named=plain_word(who),
            files=files,
            shown=f"{prefix}{who}/{wanted}" if wanted in people[who] else f"{prefix}{who}",
            students=(Student(name="", id=who),),
            at=_time(stamp) if stamp else "",
        )


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _time(stamp: File) -> str:
    """When it was handed in, in ISO 8601; without an offset where the zone is not known."""
    try:
        with stamp.path.open("rb") as opened:
            text = opened.read(100).decode("utf-8", "replace")
        found = _STAMP.match(text.strip())
        at = datetime.fromisoformat(f"{found['day']}T{found['time']}") if found else None
    except (OSError, ValueError):
        return ""
    if found is None or at is None:
        return ""
    zone = _zone(found["zone"] or "")
    return at.replace(tzinfo=zone).isoformat()


def _zone(name: str) -> tzinfo | None:
    if name in {"UTC", "Z"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # a student may have written anything there
        return None


NBGRADER = Layout(
    name="nbgrader",
    told="nbgrader's submitted folder",
    fits=_fits,
    holds=lambda listing: bool(_submitted(listing).parts()),
    bundles=_bundles,
)
