"""Reads a public rubric and the numbers beside it, wherever a student unpacked them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays

from grader.checks import BoundRubric, RandomDraws, bind_rubric, load_checks
from grader.errors import RubricError, UsageError
from grader.model import (
    Array,
    CheckSpec,
    Item,
    Limits,
    Notice,
    Observation,
    Question,
    Rubric,
)
from grader.selfcheck.public_schema import (
    RUBRIC_SUFFIX,
    PublicCheck,
    PublicItem,
    PublicRubricFile,
    numbers_path_for,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRubric:
    """A public rubric, ready to judge."""

    rubric: Rubric
    """Its items have their public checks alone."""
    later_needs: Mapping[str, tuple[tuple[str, ...], ...]]
    """By item, what each check needs that runs after handing in."""
    handout: frozenset[str]
    checks: BoundRubric
    draws: RandomDraws
    expected: Mapping[str, Observation]
    """What the reference answered, by question."""
    sha256: str
    """Of the rubric's file; that file holds the one of the numbers."""


def find_public_rubric(folders: Sequence[Path]) -> Path:
    """The public rubric in the first folder that has one.

    Raises:
        UsageError: none has, or one has several.
    """
    for folder in folders:
        paths = sorted(folder.glob(f"*{RUBRIC_SUFFIX}"))
        if len(paths) == 1:
            return paths[0]
        if paths:
            names = ", ".join(path.name for path in paths)
            raise UsageError(f"{folder}: there are several public rubrics: {names}; name one")
    raise UsageError(
        f"there is no *{RUBRIC_SUFFIX} beside the notebook: unpack the assignment's files into one folder"
    )


def load_public_rubric(path: Path) -> PublicRubric:
    """Read a public rubric and its numbers.

    Raises:
        UsageError: one of them can't be read, or they don't belong together.
    """
    text = _read_bytes(path)
    try:
        file = PublicRubricFile.model_validate_json(text)
        rubric = _to_rubric(file, path=path, sha256=hashlib.sha256(text).hexdigest())
        draws = RandomDraws(seed=bytes.fromhex(file.draws))
        checks = bind_rubric(rubric, registry=load_checks(file.check_modules), draws=draws)
    except RubricError as error:
        raise UsageError(f"{path}: {error}") from error
    except (ValidationError, KeyError) as error:
        raise UsageError(f"{path}: {_describe_error(path, error)}") from error
    return PublicRubric(
        rubric=rubric,
        later_needs={item.id: tuple(tuple(needs) for needs in item.later) for item in file.items},
        handout=frozenset(file.handout),
        checks=checks,
        draws=draws,
        expected=_read_expected(path, questions=checks.constant_questions, sha256=file.numbers),
        sha256=rubric.sha256,
    )


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: can't be read ({error.strerror})") from error


def _describe_error(path: Path, error: ValidationError | KeyError) -> str:
    if path.suffix == ".toml":
        return "that is the course's rubric; `grade release` makes the public one of it"
    if isinstance(error, KeyError):
        return f"this version has no check {error}; install the one that came with the assignment"
    first = error.errors(include_url=False)[0]
    location = ".".join(str(step) for step in first["loc"])
    return f"not a public rubric: {location}: {first['msg']}" if location else "not a public rubric"


def _to_rubric(file: PublicRubricFile, *, path: Path, sha256: str) -> Rubric:
    known = {field.name for field in fields(Limits)}
    integer_limits = {"memory_mb", "disk_mb", "files", "processes", "cell_output_kb", "output_kb"}
    limits = {
        name: int(value) if name in integer_limits else float(value)
        for name, value in file.limits.items()
        if name in known
    }
    return Rubric(
        id=file.id,
        title=file.title,
        total=Fraction(file.total),
        reference=path,
        seed=file.seed,
        optional_imports=tuple(file.optional_imports),
        record=tuple(file.record),
        limits=Limits(**limits),  # type: ignore[arg-type] # by name, as the line above made them
        items=tuple(_to_item(item) for item in file.items),
        path=path,
        sha256=sha256,
        check_modules=tuple(file.check_modules),
        notices=tuple(Notice(says=n.says, printed=n.printed) for n in file.notices),
    )


def _to_item(item: PublicItem) -> Item:
    return Item(
        id=item.id,
        title=item.title,
        points=Fraction(item.points),
        kind=item.kind,
        source=item.source,
        prompt=item.prompt,
        checks=tuple(_to_check(check) for check in item.checks),
    )


def _to_check(check: PublicCheck) -> CheckSpec:
    return CheckSpec(
        code=check.code,
        points=Fraction(check.points),
        public=True,
        needs=tuple(check.needs),
        params=check.params,
        ask=check.ask,
    )


def _read_expected(
    path: Path, *, questions: tuple[Question, ...], sha256: str
) -> Mapping[str, Observation]:
    """The reference's answers; questions are known by their place among those of the rubric."""
    numbers_path = numbers_path_for(path)
    data = _read_bytes(numbers_path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UsageError(f"{numbers_path}: does not belong to {path.name}; unpack the files again")
    try:
        arrays = load_arrays(data)
    except SafetensorError as error:
        raise UsageError(f"{numbers_path}: can't be read: {error}") from error
    arrays_by_index: dict[int, dict[str, Array]] = {}
    for key, array in arrays.items():
        index, _, name = key.partition(".")
        arrays_by_index.setdefault(int(index), {})[name] = array
    if set(arrays_by_index) != set(range(len(questions))):
        raise UsageError(
            f"{numbers_path}: was made by another version; install the one it came with"
        )
    return {
        question.id: Observation(id=question.id, status="ok", arrays=arrays_by_index[index])
        for index, question in enumerate(questions)
    }
