"""Writes what graders changed in criteria back to the rubric's file, which is checked before."""

from __future__ import annotations

import codecs
import difflib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import RubricError, UsageError
from grader.gradebook import Gradebook
from grader.gradebook.criterion_edits import apply_edits
from grader.gradebook.criterion_ledger import criterion_edits
from grader.model import Item
from grader.rubric import load_rubric
from grader.rubric.criterion_writing import write_criteria
from grader.rubric.loading import CatalogLoader


@dataclass(frozen=True, slots=True, kw_only=True)
class CriteriaExport:
    """What an export changes in a rubric's file."""

    diff: tuple[str, ...]
    """Lines of a unified diff; () where the file says all of it."""
    count: int
    """The number of criteria that are new or differ, or 0 where only their order does."""


def export_criteria(
    book: Gradebook, path: Path, *, catalog: CatalogLoader, write: bool = True
) -> CriteriaExport:
    """Write the criteria as they are now to the rubric's file.

    The file is replaced in one step, once the new one was loaded as a rubric.

    Args:
        book: the gradebook.
        path: the rubric's file.
        catalog: loads the checks that exist.
        write: whether to write it, or only to tell.

    Raises:
        RubricError: the file can't be read, or would be no rubric any more; nothing was written.
        UsageError: it can't be written.
    """
    rubric = load_rubric(path, catalog=catalog)
    edits = criterion_edits(book, rubric.id)
    items = tuple(apply_edits(item, edits=edits) for item in rubric.items)
    changed = [new for new, old in zip(items, rubric.items, strict=True) if new != old]
    data = path.read_bytes()
    text = data.decode("utf-8-sig")
    try:
        written = write_criteria(text, changed)
    except RubricError as error:
        raise RubricError(f"{path}: {error}; nothing was written") from error
    if written != text:
        signature = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        _replace(path, signature + written.encode(), before=data, catalog=catalog, write=write)
    before, after = (each.replace("\r\n", "\n").split("\n") for each in (text, written))
    return CriteriaExport(
        diff=tuple(difflib.unified_diff(before, after, str(path), str(path), lineterm="")),
        count=_count_changes(rubric.items, items),
    )


def _replace(
    path: Path, data: bytes, *, before: bytes, catalog: CatalogLoader, write: bool
) -> None:
    """Put a new file in the place of the rubric's, if it is a rubric."""
    target = path.resolve()
    draft = target.with_name(f".{target.name}.new")
    try:
        draft.write_bytes(data)
        shutil.copymode(target, draft)
        try:
            load_rubric(draft, catalog=catalog)
        except RubricError as error:
            reason = str(error).replace(str(draft), str(path))
            raise RubricError(f"{reason}\n{path}: was left as it is") from error
        if write:
            if target.read_bytes() != before:
                raise UsageError(f"{path}: was changed meanwhile; nothing was written")
            os.replace(draft, target)  # noqa: PTH105 (as below: one step)
    except OSError as error:
        raise UsageError(f"{path}: can't be written ({error.strerror})") from error
    finally:
        draft.unlink(missing_ok=True)


def _count_changes(before: Sequence[Item], after: Sequence[Item]) -> int:
    known = {(item.id, criterion) for item in before for criterion in item.criteria}
    return sum((item.id, criterion) not in known for item in after for criterion in item.criteria)
