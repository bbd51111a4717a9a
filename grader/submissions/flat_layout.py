"""The plainest layouts: notebooks in a folder under any name, and a folder a student.

Both may be mixed: a notebook on top is a submission, and so is a folder. A folder with several
notebooks is one submission, unless they name different students, or lie in folders of their own
that look like a student's each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations

from grader.submissions.bundles import About, Bundle, Layout, name_different
from grader.submissions.file_listing import File, Listing, is_archive, is_notebook, stem_of
from grader.submissions.safe_names import plain_word, without_ending

DEEPEST = 4
"""Folders within folders that may hold several students'."""
ENOUGH = 0.5
"""How much of the handout a notebook must hold, of what the best beside it holds."""
_DOCUMENTS = (".py", ".pdf", ".html", ".htm", ".doc", ".docx", ".odt", ".rtf")
_ARCHIVES = (".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz")
INSTEAD = frozenset([*_DOCUMENTS, *_ARCHIVES])
"""Endings of what is handed in instead of a notebook; others lie beside one."""
LOOKED_AT = 16 * 2**20
"""Bytes of a notebook in which the names of files are looked for."""


def flat(listing: Listing, about: About) -> Iterator[Bundle]:
    """A submission for each notebook, and for each folder with one in it."""
    parts = {name: part for name, part in listing.parts().items() if _holds_any(part)}
    if parts:  # folders are students', then, and not what lies beside a notebook
        parts = {n: part for n, part in listing.parts().items() if _holds_work(part)}
    top = listing.top()
    mains = [name for name in top if is_notebook(name) or _lone_archive(name, top)]
    if len(mains) == 1 and is_notebook(mains[0]) and not parts:
        yield from _alone(mains[0], listing)
        return
    for name in mains:
        yield _of_file(name, _same_stem(name, top))
    yield from _instead(top, mains=mains)
    yield from _of_folders(parts, about)


def folders(listing: Listing, about: About) -> Iterator[Bundle]:
    """A submission for each folder, also where there is nothing in it."""
    yield from _instead(listing.top(), mains=())
    yield from _of_folders(listing.parts(), about)


# ---------------------------------------------------------------- files


def _alone(name: str, listing: Listing) -> Iterator[Bundle]:
    """The only notebook of a folder: what lies beside it is its own, unless it seems another's."""
    top = listing.top()
    told = _text(top[name])
    others = [
        bundle
        for bundle in _instead(top, mains=(name,))
        if stem_of(bundle.shown).encode("utf-8", "surrogateescape") not in told
    ]
    apart = {other for bundle in others for other in bundle.files}
    files = {key: file for key, file in listing.files.items() if key not in apart}
    yield _of_file(name, files)
    yield from others


def _text(file: File) -> bytes:
    try:
        with file.path.open("rb") as opened:
            return opened.read(LOOKED_AT) if file.path.is_file() else b""
    except OSError:
        return b""


def _of_file(name: str, files: Mapping[str, File]) -> Bundle:
    return Bundle(key=name, named=without_ending(name), files=files, shown=name)


def _same_stem(name: str, files: Mapping[str, File]) -> Mapping[str, File]:
    """A file, and those beside it that are called the same but for the ending."""
    stem = without_ending(name)
    return {
        other: file
        for other, file in files.items()
        if other == name or (without_ending(other) == stem and not is_notebook(other))
    }


def _instead(top: Mapping[str, File], *, mains: Collection[str]) -> Iterator[Bundle]:
    """Files that were handed in in a notebook's place."""
    stems = {without_ending(name) for name in mains}
    for name, file in top.items():
        if _ending(name) in INSTEAD and without_ending(name) not in stems:
            yield _of_file(name, {name: file})


def _lone_archive(name: str, top: Mapping[str, File]) -> bool:
    """Whether a file is an archive that is not an attachment of a notebook."""
    return is_archive(name) and not any(
        is_notebook(other) and without_ending(other) == without_ending(name) for other in top
    )


# ---------------------------------------------------------------- folders


def _of_folders(parts: Mapping[str, Listing], about: About) -> Iterator[Bundle]:
    inner = Counter(key for part in parts.values() for key in part.parts())
    repeated = frozenset(key for key, count in inner.items() if count > 1)
    for name, part in parts.items():
        yield from _of_folder(name, part, about, repeated=repeated)


def _of_folder(
    name: str, part: Listing, about: About, *, repeated: frozenset[str], depth: int = 0
) -> Iterator[Bundle]:
    """One folder: mostly one submission.

    Args:
        name: its path below what was given.
        part: what lies in it.
        about: see `About`.
        repeated: names of folders that lie in several beside it: parts of an assignment, say, but
            no students.
        depth: how deep it lies.
    """
    inner = {key: one for key, one in part.parts().items() if _holds_any(one)}
    several = len(inner) > 1 and not part.top() and not repeated & inner.keys()
    if several and depth < DEEPEST and not _of_one_student(inner, about):
        for key, one in part.parts().items():
            yield from _of_folder(
                f"{name}/{key}", one, about, repeated=frozenset(), depth=depth + 1
            )
    elif apart := _naming_others(part, about):
        told = f"in a folder ({name}) whose notebooks name different students"
        for book in apart:
            yield Bundle(
                key=f"{name}/{book}",
                named=without_ending(f"{name}/{book}"),
                files=_same_stem(book, part.files),
                shown=f"{name}/{book}",
                doubts=(told,),
            )
    else:
        yield Bundle(key=name, named=plain_word(name), files=part.files, shown=name)


def _of_one_student(inner: Mapping[str, Listing], about: About) -> bool:
    """Whether notebooks of two folders name the same student."""
    teams = [
        frozenset[str]().union(*(about.look.whose(one.files[b].path) for b in one.notebooks()))
        for one in inner.values()
    ]
    return any(one & other for one, other in combinations(teams, 2))


def _naming_others(part: Listing, about: About) -> tuple[str, ...]:
    """The notebooks of a folder where those that look like the handout name different students."""
    books = part.notebooks()
    if len(books) < 2:  # noqa: PLR2004 (several)
        return ()
    alike = {book: (about.look.alike(part.files[book].path) or (0.0, 0))[0] for book in books}
    enough = ENOUGH * max(alike.values())
    teams = (about.look.whose(part.files[b].path) for b in books if alike[b] >= enough)
    return books if name_different(teams) else ()


def _holds_any(part: Listing) -> bool:
    return any(is_notebook(name) or is_archive(name) for name in part.files)


def _holds_work(part: Listing) -> bool:
    """Whether a folder holds a notebook, or what is handed in instead of one."""
    return _holds_any(part) or any(_ending(name) in INSTEAD for name in part.files)


def _ending(name: str) -> str:
    return name[len(without_ending(name)) :].lower()


def _any_on_top(listing: Listing) -> bool:
    return any(is_notebook(name) or is_archive(name) for name in listing.top())


FOLDERS = Layout(
    name="folders",
    told="a folder a student",
    fits=lambda listing: not _any_on_top(listing) and _holds_any(listing),
    holds=lambda listing: bool(listing.parts()),
    bundles=folders,
)
FLAT = Layout(
    name="flat",
    told="files under any name",
    fits=_holds_any,
    holds=lambda listing: bool(listing.files),
    bundles=flat,
)
