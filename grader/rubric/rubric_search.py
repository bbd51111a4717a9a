"""Finds the rubric that an assignment goes by among the files in `rubrics/`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.errors import RubricError, UsageError
from grader.rubric.loading import read_toml
from grader.rubric.rubric_errors import nearest

FOLDER = "rubrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A rubric file, read no further than is needed to choose it."""

    path: Path
    id: str
    default: bool


def find(folder: Path, *, assignment: str | None = None) -> Path:
    """The rubric to use; files in folders below `rubrics/` are not considered.

    Args:
        folder: The folder that holds `rubrics/`.
        assignment: The id of the assignment, or the file's name without its ending.

    Returns:
        The named one; else the one with `default = true`; else the only one.

    Raises:
        UsageError: None fits, or several do; the message lists them.
    """
    candidates = [_candidate(path) for path in sorted((folder / FOLDER).glob("*.toml"))]
    if not candidates:
        raise UsageError(f"There is no rubric: no {FOLDER}/*.toml in {folder}.")
    if assignment is not None:
        return _named(assignment, candidates=candidates)
    defaults = [candidate for candidate in candidates if candidate.default]
    for choice in (defaults, candidates):
        if len(choice) == 1:
            return choice[0].path
    why = "several say default = true" if defaults else "none says default = true"
    raise UsageError(
        f"There are several rubrics, and {why}. Name one with --assignment:\n{_listed(candidates)}"
    )


def _candidate(path: Path) -> _Candidate:
    """What a file says of itself; a broken one goes by its name until it is loaded."""
    try:
        _, tree = read_toml(path)
    except RubricError:
        return _Candidate(path=path, id=path.stem, default=False)
    table = tree.get("assignment")
    assignment = table if isinstance(table, dict) else {}
    name = assignment.get("id")
    return _Candidate(
        path=path,
        id=name if isinstance(name, str) else path.stem,
        default=assignment.get("default") is True,
    )


def _named(assignment: str, *, candidates: list[_Candidate]) -> Path:
    """The one rubric of that id, else the one file of that name."""
    by_id = [candidate.path for candidate in candidates if candidate.id == assignment]
    by_name = [candidate.path for candidate in candidates if candidate.path.stem == assignment]
    found = by_id or by_name
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"Several rubrics are called '{assignment}':\n{_listed(candidates)}\n"
            "Give each an id of its own."
        )
    hint = nearest(assignment, among=[candidate.id for candidate in candidates])
    raise UsageError(f"There is no rubric '{assignment}'; {hint}\n{_listed(candidates)}")


def _listed(candidates: list[_Candidate]) -> str:
    return "\n".join(f"  {candidate.id}  ({candidate.path})" for candidate in candidates)
