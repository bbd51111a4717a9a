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

from grader.checks import CHECKS, Bound, Draws, bind
from grader.errors import UsageError
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
from grader.selfcheck.public_schema import RUBRIC, CheckPart, ItemPart, PublicFile, numbers_beside


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """A public rubric, ready to judge."""

    rubric: Rubric
    """Its items have their public checks alone."""
    later: Mapping[str, tuple[tuple[str, ...], ...]]
    """By item, what each check needs that runs after handing in."""
    handout: frozenset[str]
    checks: Bound
    draws: Draws
    expected: Mapping[str, Observation]
    """What the reference answered, by question."""
    sha256: str
    """Of the rubric's file; that file holds the one of the numbers."""


def find(folders: Sequence[Path]) -> Path:
    """The public rubric in the first folder that has one.

    Raises:
        UsageError: none has, or one has several.
    """
    for folder in folders:
        found = sorted(folder.glob(f"*{RUBRIC}"))
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(path.name for path in found)
            raise UsageError(f"{folder}: there are several public rubrics: {names}; name one")
    raise UsageError(
        f"there is no *{RUBRIC} beside the notebook: unpack the assignment's files into one folder"
    )


def load(path: Path) -> Public:
    """Read a public rubric and its numbers.

    Raises:
        UsageError: one of them can't be read, or they don't belong together.
    """
    text = _bytes(path)
    try:
        file = PublicFile.model_validate_json(text)
        rubric = _rubric(file, path=path, sha256=hashlib.sha256(text).hexdigest())
        draws = Draws(seed=bytes.fromhex(file.draws))
        checks = bind(rubric, registry=CHECKS, draws=draws)
    except (ValidationError, KeyError) as error:
        raise UsageError(f"{path}: {_why(path, error)}") from error
    return Public(
        rubric=rubric,
        later={item.id: tuple(tuple(needs) for needs in item.later) for item in file.items},
        handout=frozenset(file.handout),
        checks=checks,
        draws=draws,
        expected=_expected(path, asked=checks.constant_questions, sha256=file.numbers),
        sha256=rubric.sha256,
    )


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: can't be read ({error.strerror})") from error


def _why(path: Path, error: ValidationError | KeyError) -> str:
    if path.suffix == ".toml":
        return "that is the course's rubric; `grade release` makes the public one of it"
    if isinstance(error, KeyError):
        return f"this version has no check {error}; install the one that came with the assignment"
    first = error.errors(include_url=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"not a public rubric: {place}: {first['msg']}" if place else "not a public rubric"


def _rubric(file: PublicFile, *, path: Path, sha256: str) -> Rubric:
    known = {field.name for field in fields(Limits)}
    whole = {"memory_mb", "disk_mb", "files", "processes", "cell_output_kb", "output_kb"}
    limits = {
        name: int(value) if name in whole else float(value)
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
        items=tuple(_item(item) for item in file.items),
        path=path,
        sha256=sha256,
        notices=tuple(Notice(says=n.says, printed=n.printed) for n in file.notices),
    )


def _item(item: ItemPart) -> Item:
    return Item(
        id=item.id,
        title=item.title,
        points=Fraction(item.points),
        kind=item.kind,
        source=item.source,
        prompt=item.prompt,
        checks=tuple(_check(check) for check in item.checks),
    )


def _check(check: CheckPart) -> CheckSpec:
    return CheckSpec(
        code=check.code,
        points=Fraction(check.points),
        public=True,
        needs=tuple(check.needs),
        params=check.params,
        ask=check.ask,
    )


def _expected(path: Path, *, asked: tuple[Question, ...], sha256: str) -> Mapping[str, Observation]:
    """The reference's answers; questions are known by their place among those of the rubric."""
    beside = numbers_beside(path)
    data = _bytes(beside)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UsageError(f"{beside}: does not belong to {path.name}; unpack the files again")
    try:
        arrays = load_arrays(data)
    except SafetensorError as error:
        raise UsageError(f"{beside}: can't be read: {error}") from error
    found: dict[int, dict[str, Array]] = {}
    for key, array in arrays.items():
        place, _, name = key.partition(".")
        found.setdefault(int(place), {})[name] = array
    if set(found) != set(range(len(asked))):
        raise UsageError(f"{beside}: was made by another version; install the one it came with")
    return {
        question.id: Observation(id=question.id, status="ok", arrays=found[place])
        for place, question in enumerate(asked)
    }
