"""Loads a rubric file and refuses it, with all its faults at once, if it has any."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from grader import model
from grader.errors import RubricError
from grader.rubric.consistency import find_contradictions
from grader.rubric.rubric_errors import (
    explain_validation,
    format_complaint,
    model_keys,
    raise_complaints,
    suggest_nearest,
)
from grader.rubric.schema import (
    NEWEST_SCHEMA,
    AssignmentTable,
    CheckTable,
    ItemTable,
    LateTable,
    RubricFile,
)

CheckCatalog = Mapping[str, type[BaseModel]]
"""Check codes, each with the model that its params must satisfy."""
CatalogLoader = Callable[[tuple[str, ...]], CheckCatalog]
"""From the modules of a rubric's own checks to all checks that it can call."""
_MAX_PARENTS = 3


def load_rubric(path: Path, *, catalog: CatalogLoader) -> model.Rubric:
    """Load a rubric.

    The reference is looked for in the folder that holds `rubrics/`, then beside the rubric
    file, then in up to three folders above that.

    Args:
        path: The TOML file.
        catalog: Loads the checks that exist, and their params, for a rubric's own modules.

    Returns:
        The rubric; points are exact, and params are as their model completed them.

    Raises:
        RubricError: The file cannot be used; the message names every fault in it.
    """
    data, tree = read_toml(path)
    _refuse_newer(path, tree=tree)
    complaints: list[str] = []
    file = _validate_file(tree, complaints=complaints)
    checks = _load_catalog(tree, catalog=catalog, complaints=complaints)
    complaints.extend(_check_faults(tree, catalog=checks))
    if file is None:
        raise_complaints(path, complaints)
        raise RubricError(f"{path}: not a rubric")
    complaints.extend(find_contradictions(file))
    reference = find_reference(file.assignment.reference, rubric=path)
    if reference is None:
        fault = f"there is no file '{file.assignment.reference}' beside the rubric or above it"
        complaints.append(format_complaint(["assignment", "reference"], fault))
    provided = find_provided(file.assignment, rubric=path)
    complaints.extend(_provided_faults(file.assignment, provided, secret=(path, reference)))
    raise_complaints(path, complaints)
    rubric = _build_rubric(file, path=path, data=data, reference=reference or path, catalog=checks)
    return replace(rubric, provided=provided)


def read_toml(path: Path) -> tuple[bytes, dict[str, Any]]:
    """A TOML file's bytes and tables; numbers with a point are Decimals.

    Args:
        path: The file.

    Returns:
        Both.

    Raises:
        RubricError: It cannot be opened, is not UTF-8 or not TOML.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-8-sig")
        return data, tomllib.loads(text.replace("\r\n", "\n"), parse_float=Decimal)
    except OSError as error:
        raise RubricError(f"{path}: cannot be opened ({error.strerror})") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise RubricError(f"{path}: line {line} is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        at_end = f"(at the end, line {text.count(chr(10)) + 1})"
        message = str(error).replace("(at end of document)", at_end)
        raise RubricError(f"{path}: not TOML: {message}") from error
    except RecursionError as error:
        raise RubricError(f"{path}: nested too deep") from error


def find_reference(reference: str, *, rubric: Path) -> Path | None:
    """The reference notebook that a rubric names.

    Args:
        reference: The path as the rubric has it.
        rubric: The rubric file.

    Returns:
        The first that exists, or None.
    """
    return next((f / reference for f in _search_folders(rubric) if (f / reference).is_file()), None)


def find_provided(assignment: AssignmentTable, *, rubric: Path) -> Path | None:
    """The folder of files that every notebook finds beside it.

    Args:
        assignment: What the rubric says; where it names no folder, `<id>/provided/` beside the
            rubric is looked for.
        rubric: The rubric file.

    Returns:
        The first that exists, or None.
    """
    if assignment.provided is None:
        default_folder = rubric.resolve().parent / assignment.id / "provided"
        return default_folder if default_folder.is_dir() else None
    folders = (folder / assignment.provided for folder in _search_folders(rubric))
    return next((folder for folder in folders if folder.is_dir()), None)


def _provided_faults(
    assignment: AssignmentTable, provided: Path | None, *, secret: tuple[Path | None, ...]
) -> Iterator[str]:
    keys = ["assignment", "provided"]
    if provided is None and assignment.provided is not None:
        fault = f"there is no folder '{assignment.provided}' beside the rubric or above it"
        yield format_complaint(keys, fault)
    inside = (p.resolve().is_relative_to(provided.resolve()) for p in secret if p and provided)
    if any(inside):
        yield format_complaint(
            keys, "that folder holds the rubric or the reference: students would see it"
        )


def _search_folders(rubric: Path) -> list[Path]:
    """Where what a rubric names is looked for, in order."""
    rubric_folder = rubric.resolve().parent
    course_folders = [
        folder.parent
        for folder in (rubric_folder, *rubric_folder.parents)
        if folder.name == "rubrics"
    ][:1]
    return [*course_folders, rubric_folder, *list(rubric_folder.parents)[:_MAX_PARENTS]]


def _refuse_newer(path: Path, *, tree: dict[str, Any]) -> None:
    schema = tree.get("schema")
    if isinstance(schema, int) and schema > NEWEST_SCHEMA:
        raise RubricError(
            f"{path}: schema: {schema} is newer than this grader reads ({NEWEST_SCHEMA}); "
            "install a newer grader"
        )


def _validate_file(tree: dict[str, Any], *, complaints: list[str]) -> RubricFile | None:
    try:
        return RubricFile.model_validate(tree)
    except ValidationError as error:
        complaints.extend(explain_validation(error, model=RubricFile, tree=tree))
        return None


# ---------------------------------------------------------------- checks and their params


def _load_catalog(
    tree: dict[str, Any], *, catalog: CatalogLoader, complaints: list[str]
) -> CheckCatalog:
    assignment = tree.get("assignment")
    names = assignment.get("checks") if isinstance(assignment, dict) else None
    modules = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    try:
        return catalog(tuple(modules))
    except RubricError as error:
        complaints.append(format_complaint(["assignment", "checks"], str(error)))
        return catalog(())


def _check_faults(tree: dict[str, Any], *, catalog: CheckCatalog) -> Iterator[str]:
    """Unknown checks and params, also where other parts of the file are at fault."""
    for item_number, item in enumerate(_tables(tree, key="item"), 1):
        where = f"item {item.get('id', item_number)}"
        for number, check in enumerate(_tables(item, key="check"), 1):
            yield from _param_faults(check, keys=[where, f"check {number}"], catalog=catalog)


def _tables(tree: dict[str, Any], *, key: str) -> list[dict[str, Any]]:
    tables = tree.get(key)
    return [t for t in tables if isinstance(t, dict)] if isinstance(tables, list) else []


def _param_faults(
    check: dict[str, Any], *, keys: list[str], catalog: CheckCatalog
) -> Iterator[str]:
    code, params = check.get("code"), check.get("params", {})
    if not isinstance(code, str) or not isinstance(params, dict):
        return  # the schema has complained
    if code not in catalog:
        hint = suggest_nearest(code, among=catalog)
        yield format_complaint([*keys, "code"], f"there is no check '{code}'; {hint}")
        return
    params_model = catalog[code]
    param_keys = [*keys, "params"]
    unknown = _unknown_params(params, params_model=params_model)
    for name in unknown:
        hint = suggest_nearest(name, among=model_keys(params_model))
        yield format_complaint([*param_keys, name], f"there is no such key; {hint}")
    known = {
        name: value for name, value in decimals_to_floats(params).items() if name not in unknown
    }
    try:
        params_model.model_validate(known)
    except ValidationError as error:
        yield from explain_validation(error, model=params_model, tree=known, parent_keys=param_keys)


def _unknown_params(params: dict[str, Any], *, params_model: type[BaseModel]) -> list[str]:
    if params_model.model_config.get("extra") == "allow":
        return []
    return [name for name in params if name not in model_keys(params_model)]


def decimals_to_floats(value: Any) -> Any:
    """Params as a check's model expects them: Decimals as floats.

    Args:
        value: A value of the TOML file.

    Returns:
        The same without Decimals.
    """
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: decimals_to_floats(inner) for key, inner in value.items()}
    return [decimals_to_floats(inner) for inner in value] if isinstance(value, list) else value


# ---------------------------------------------------------------- tables to records


def _build_rubric(
    file: RubricFile, *, path: Path, data: bytes, reference: Path, catalog: CheckCatalog
) -> model.Rubric:
    assignment = file.assignment
    return model.Rubric(
        id=assignment.id,
        title=assignment.title,
        total=assignment.total,
        reference=reference,
        seed=assignment.seed,
        optional_imports=tuple(assignment.optional_imports),
        record=tuple(assignment.record),
        limits=model.Limits(**file.limits.model_dump()),
        late=_build_late_rule(file.late),
        marking=model.Marking(**file.marking.model_dump()),
        check_modules=tuple(assignment.checks),
        items=tuple(_build_item(item, catalog=catalog) for item in file.item),
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        notices=tuple(model.Notice(says=n.says, printed=n.printed) for n in file.notice),
    )


def _build_late_rule(table: LateTable | None) -> model.LateRule | None:
    if table is None:
        return None
    return model.LateRule(
        due=table.due,
        grace_s=60 * table.grace_minutes,
        per_day=table.per_day,
        unit=table.unit,
        cap=table.cap,
        timezone=table.timezone,
    )


def _build_item(item: ItemTable, *, catalog: CheckCatalog) -> model.Item:
    return model.Item(
        id=item.id,
        title=item.title,
        points=item.points,
        kind=item.kind,
        source=item.source,
        prompt=item.prompt,
        good_answer=item.good_answer,
        examples=item.examples,
        example_words=tuple(item.example_words),
        why=item.why,
        about=tuple(item.about),
        checks=tuple(_build_check(check, catalog=catalog) for check in item.check),
        criteria=tuple(
            model.Criterion(
                id=criterion.id,
                text=criterion.text,
                points=criterion.points,
                keywords=tuple(criterion.keywords),
            )
            for criterion in item.criterion
        ),
    )


def _build_check(check: CheckTable, *, catalog: CheckCatalog) -> model.CheckSpec:
    params = catalog[check.code].model_validate(decimals_to_floats(check.params))
    return model.CheckSpec(
        code=check.code,
        points=check.points,
        public=check.public,
        needs=tuple(check.needs),
        params=params.model_dump(mode="json", by_alias=True),
        ask=check.ask,
    )
