"""Finds the rubric of an assignment among the files in `rubrics/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.errors import RubricError, UsageError
from grader.rubric.rubric_errors import suggest_nearest
from grader.rubric.toml_files import read_tables

RUBRICS_FOLDER = "rubrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class _RubricCandidate:
    """A rubric file, with the fields by which one is chosen."""

    path: Path
    id: str
    default: bool
    error: RubricError | None = None
    """Why the file can't be read, if it can't: then id and default are not known."""


def find_rubric(folder: Path, *, assignment: str | None = None) -> Path:
    """Find the rubric to use; files in folders below `rubrics/` are not considered.

    Args:
        folder: The folder that holds `rubrics/`.
        assignment: The id of the assignment, or the file's name without its ending.

    Returns:
        The named one; else the one with `default = true`; else the only one.

    Raises:
        RubricError: Which one it is can't be told, since a file among several can't be read.
        UsageError: No rubric fits, or several do; the message lists them.
    """
    candidates = [
        _read_candidate(path) for path in sorted((folder / RUBRICS_FOLDER).glob("*.toml"))
    ]
    if not candidates:
        raise UsageError(f"There is no rubric: no {RUBRICS_FOLDER}/*.toml in {folder}.")
    if assignment is not None:
        return _find_named(assignment, candidates=candidates)
    if len(candidates) > 1:
        _refuse_unreadable(candidates)
    defaults = [candidate for candidate in candidates if candidate.default]
    for choice in (defaults, candidates):
        if len(choice) == 1:
            return choice[0].path
    reason = "several say default = true" if defaults else "none says default = true"
    raise UsageError(
        f"There are several rubrics, and {reason}. Name one with --assignment:\n"
        f"{_list_candidates(candidates)}"
    )


def _read_candidate(path: Path) -> _RubricCandidate:
    """Read the id of a rubric; a broken file is known by its name."""
    try:
        _, tree = read_tables(path)
    except RubricError as error:
        return _RubricCandidate(path=path, id=path.stem, default=False, error=error)
    table = tree.get("assignment")
    assignment = table if isinstance(table, dict) else {}
    name = assignment.get("id")
    return _RubricCandidate(
        path=path,
        id=name if isinstance(name, str) else path.stem,
        default=assignment.get("default") is True,
    )


def _refuse_unreadable(candidates: list[_RubricCandidate]) -> None:
    """Say what is wrong with a file, since it may be the one that is meant.

    Raises:
        RubricError: There is one.
    """
    for candidate in candidates:
        if candidate.error is not None:
            readable = [other.id for other in candidates if other.error is None]
            hint = f"\nTo grade by another one: --assignment {readable[0]}" if readable else ""
            raise RubricError(f"{candidate.error}{hint}") from candidate.error


def _find_named(assignment: str, *, candidates: list[_RubricCandidate]) -> Path:
    """Return the only rubric of that id, or else the only file of that name."""
    by_id = [candidate.path for candidate in candidates if candidate.id == assignment]
    by_name = [candidate.path for candidate in candidates if candidate.path.stem == assignment]
    matches = by_id or by_name
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(
            f"Several rubrics are called '{assignment}':\n{_list_candidates(candidates)}\n"
            "Give each an id of its own."
        )
    _refuse_unreadable(candidates)
    hint = suggest_nearest(assignment, among=[candidate.id for candidate in candidates])
    raise UsageError(f"There is no rubric '{assignment}'; {hint}\n{_list_candidates(candidates)}")


def _list_candidates(candidates: list[_RubricCandidate]) -> str:
    return "\n".join(f"  {candidate.id}  ({candidate.path})" for candidate in candidates)
