"""Loads a rubric file, or refuses it with all of its faults at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from grader.errors import RubricError
from grader.model import NotebookSpec, Rubric
from grader.model.test_functions import CourseTests
from grader.rubric.consistency import find_contradictions
from grader.rubric.rubric_errors import explain_validation, format_complaint, raise_complaints
from grader.rubric.rubric_tables import (
    NEWEST_SCHEMA,
    AssignmentTable,
    PublicRubricFile,
    RubricFile,
)
from grader.rubric.test_files import CHECKS_FILE, FILE_NAME, WITHHELD, bind_tests, find_tests
from grader.rubric.toml_files import CheckCatalog, read_tables, validate_tables

CatalogLoader = Callable[[tuple[str, ...]], CheckCatalog]
"""Returns all checks that a rubric can call, for the modules of its own checks."""
_COURSE = TypeAdapter(RubricFile)
_PUBLIC = TypeAdapter(PublicRubricFile)
_MAX_PARENTS = 3


def load_rubric(path: Path, *, catalog: CatalogLoader) -> Rubric:
    """Load a course's rubric (TOML), or the public one that `grade release` makes of it (JSON).

    The reference of a course's rubric is looked for in the folder that holds `rubrics/`, then
    beside the rubric file, then in up to three folders above that.

    Args:
        path: The file.
        catalog: Loads the checks that exist, and their params, for a rubric's own modules.

    Returns:
        The rubric; points are exact, and params are instances of the catalog's models.

    Raises:
        RubricError: The file cannot be used; the message names every fault in it.
    """
    data, tree = read_tables(path)
    schema = tree.get("schema")
    if isinstance(schema, int) and schema > NEWEST_SCHEMA:
        raise RubricError(
            f"{path}: schema: {schema} is newer than this grader reads ({NEWEST_SCHEMA}); "
            "install a newer grader"
        )
    sha256 = hashlib.sha256(data).hexdigest()
    if path.suffix == ".json":
        public_file = _validate(path, tree, adapter=_PUBLIC, catalog=catalog)
        return _build_rubric(public_file, path=path, sha256=sha256, reference=path, provided=None)
    own_checks = _own_check_files(path, tree)
    file = _validate(path, tree, adapter=_COURSE, catalog=catalog, own=own_checks)
    references = {
        notebook.id: _find_reference(notebook.reference, rubric_path=path)
        for notebook in file.notebooks or (_only_notebook(file.assignment),)
    }
    provided = _find_provided(file.assignment, rubric_path=path)
    withheld = _find_withheld(file.assignment, rubric_path=path)
    tests, test_complaints = _find_tests(path, assignment_id=file.assignment.id)
    items, unbound = bind_tests(file.items, tests) if not test_complaints else (file.items, [])
    complaints = [
        *find_contradictions(file),
        *test_complaints,
        *unbound,
        *_reference_faults(file, references),
        *_provided_faults(
            file.assignment, provided, secret_paths=(path, withheld, *references.values())
        ),
    ]
    raise_complaints(path, complaints)
    solved = {name: reference or path for name, reference in references.items()}
    loaded = _build_rubric(
        file,
        path=path,
        sha256=sha256,
        reference=next(iter(solved.values())),
        provided=provided,
        own_checks=own_checks,
    )
    loaded = replace(loaded, items=items, tests=tests, withheld=withheld)
    named = solved if file.notebooks else {}
    parts = (_make_part(loaded, name, reference) for name, reference in named.items())
    return replace(loaded, parts=tuple(parts))


def _make_part(rubric: Rubric, notebook: str, reference: Path) -> Rubric:
    """Return the rubric of one notebook of several: of its items, without what is common to all."""
    items = tuple(item for item in rubric.items if item.notebook == notebook)
    return replace(
        rubric,
        id=f"{rubric.id}-{notebook}",
        part_of=rubric.id,
        items=items,
        total=sum((item.points for item in items), Fraction(0)),
        reference=reference,
        late=None,
    )


def _only_notebook(assignment: AssignmentTable) -> NotebookSpec:
    return NotebookSpec(id="", reference=assignment.reference)


def _find_reference(name: str, *, rubric_path: Path) -> Path | None:
    candidates = (folder / name for folder in _search_folders(rubric_path))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _validate(
    path: Path,
    tree: dict[str, Any],
    *,
    adapter: TypeAdapter[Any],
    catalog: CatalogLoader,
    own: tuple[str, ...] = (),
) -> Any:
    complaints: list[str] = []
    checks = _load_catalog(tree, own=own, catalog=catalog, complaints=complaints)
    try:
        file = validate_tables(tree, adapter, catalog=checks)
    except ValidationError as error:
        table = PublicRubricFile if adapter is _PUBLIC else RubricFile
        complaints += explain_validation(error, table=table, tree=tree, catalog=checks)
        raise_complaints(path, complaints)
        raise
    raise_complaints(path, complaints)
    return file


def _own_check_files(path: Path, tree: dict[str, Any]) -> tuple[str, ...]:
    """Return the path of `<id>/checks.py` beside the rubric, where there is one."""
    assignment = tree.get("assignment")
    name = assignment.get("id") if isinstance(assignment, dict) else None
    if not isinstance(name, str) or not name or "/" in name:
        return ()
    file = path.resolve().parent / name / CHECKS_FILE
    return (str(file),) if file.is_file() else ()


def _load_catalog(
    tree: dict[str, Any],
    *,
    own: tuple[str, ...],
    catalog: CatalogLoader,
    complaints: list[str],
) -> CheckCatalog:
    assignment = tree.get("assignment")
    names = assignment.get("checks") if isinstance(assignment, dict) else None
    modules = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    try:
        return catalog((*modules, *own))
    except RubricError as error:
        complaints.append(format_complaint(["assignment", "checks"], str(error)))
        return catalog(())


def _build_rubric(
    file: RubricFile,
    *,
    path: Path,
    sha256: str,
    reference: Path,
    provided: Path | None,
    own_checks: tuple[str, ...] = (),
) -> Rubric:
    assignment = file.assignment
    return Rubric(
        id=assignment.id,
        title=assignment.title,
        total=assignment.total,
        reference=reference,
        seed=assignment.seed,
        cell_seed=assignment.cell_seed,
        seed_variable=assignment.seed_variable or "",
        optional_imports=assignment.optional_imports,
        record=assignment.record,
        check_modules=(*assignment.checks, *own_checks),
        blank=assignment.blank,
        limits=file.limits,
        items=file.items,
        path=path,
        sha256=sha256,
        late=file.late.to_rule() if file.late else None,
        provided=provided,
        notices=file.notices,
        unsettled=file.unsettled,
        imported_from=assignment.imported_from,
        marking=file.marking,
        public=file.public if isinstance(file, PublicRubricFile) else None,
    )


def _reference_faults(file: RubricFile, references: Mapping[str, Path | None]) -> Iterator[str]:
    keys = ["assignment", "reference"]
    if not file.notebooks and not file.assignment.reference:
        yield format_complaint(keys, "is missing")
        return
    if file.notebooks and file.assignment.reference:
        yield format_complaint(keys, "each [[notebook]] has its own; leave this one out")
    for notebook in file.notebooks or (_only_notebook(file.assignment),):
        if references[notebook.id] is None:
            fault = f"there is no file '{notebook.reference}' beside the rubric or above it"
            where = [f"notebook {notebook.id}", "reference"] if file.notebooks else keys
            yield format_complaint(where, fault)


def _find_tests(path: Path, *, assignment_id: str) -> tuple[CourseTests | None, list[str]]:
    """Return the tests in `<id>/` beside the rubric, and complaints about their file."""
    folder = path.resolve().parent / assignment_id
    try:
        return find_tests(folder), []
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f", line {line}" if line else ""
        return None, [f"{FILE_NAME}{where}: is not Python: {error}"]


def _find_provided(assignment: AssignmentTable, *, rubric_path: Path) -> Path | None:
    """Return the folder that the rubric names, or else `<id>/provided/` beside the rubric."""
    if assignment.provided is None:
        default_folder = rubric_path.resolve().parent / assignment.id / "provided"
        return default_folder if default_folder.is_dir() else None
    folders = (folder / assignment.provided for folder in _search_folders(rubric_path))
    return next((folder for folder in folders if folder.is_dir()), None)


def _find_withheld(assignment: AssignmentTable, *, rubric_path: Path) -> Path | None:
    folder = rubric_path.resolve().parent / assignment.id / WITHHELD
    return folder if folder.is_dir() else None


def _provided_faults(
    assignment: AssignmentTable, provided: Path | None, *, secret_paths: tuple[Path | None, ...]
) -> Iterator[str]:
    keys = ["assignment", "provided"]
    if provided is None and assignment.provided is not None:
        fault = f"there is no folder '{assignment.provided}' beside the rubric or above it"
        yield format_complaint(keys, fault)
    if provided and any(
        path.resolve().is_relative_to(provided.resolve()) for path in secret_paths if path
    ):
        yield format_complaint(
            keys,
            "that folder holds the rubric, the reference or withheld files: students would see it",
        )


def _search_folders(rubric_path: Path) -> list[Path]:
    """Return the folders that are searched for the files that a rubric names, in order."""
    rubric_folder = rubric_path.resolve().parent
    course_folders = [
        folder.parent
        for folder in (rubric_folder, *rubric_folder.parents)
        if folder.name == "rubrics"
    ][:1]
    return [*course_folders, rubric_folder, *list(rubric_folder.parents)[:_MAX_PARENTS]]
