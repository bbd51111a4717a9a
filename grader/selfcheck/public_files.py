"""Makes the files that students get of a rubric: public checks, and a few numbers.

Who has the reference live calls `public(rubric, answers=reference.ask(questions))`, where the
questions are those of `questions_to_reference(rubric)`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from fractions import Fraction

from safetensors.numpy import save

from grader.checks import CHECKS, Bound, Draws, bind
from grader.errors import RubricError
from grader.model import (
    Array,
    Cell,
    CheckSpec,
    Item,
    Notebook,
    Observation,
    Question,
    Rubric,
)
from grader.notebook import handout_lines, read
from grader.selfcheck.public_schema import (
    NUMBERS,
    RUBRIC,
    CheckPart,
    ItemPart,
    NoticePart,
    PublicFile,
)

_SOLUTION = re.compile(
    r"^[ \t]*### BEGIN SOLUTION.*?(?:^[ \t]*### END SOLUTION[^\n]*\n?|\Z)",
    re.MULTILINE | re.DOTALL,
)


def draws_of(rubric_id: str) -> bytes:
    """The public seed of an assignment's inputs; nothing of the secret one."""
    return hashlib.sha256(b"public draws|" + rubric_id.encode()).digest()


def questions_to_reference(rubric: Rubric) -> tuple[Question, ...]:
    """What to ask the live reference, so that `public` can be called with its answers.

    Raises:
        RubricError: a check is public that can't be.
    """
    return _bound(_public_part(rubric)).constant_questions


def public(rubric: Rubric, *, answers: Mapping[str, Observation]) -> Mapping[str, bytes]:
    """The files that students get, by name: `ID.rubric.json` and `ID.numbers.safetensors`.

    Left out are checks that are not public, criteria, good answers, the reference's path, the
    names of its functions and which of several answers count as right. A check that compares one
    student's training with the reference's is never public.

    Args:
        rubric: the course's own.
        answers: the reference's, to `questions_to_reference(rubric)`, by the question's id.

    Raises:
        RubricError: a check is public that can't be, or the reference did not answer.
    """
    kept = _public_part(rubric)
    masked = replace(kept, items=tuple(_masked(item) for item in kept.items))
    asked = _bound(kept).constant_questions
    if len(asked) != len(_bound(masked).constant_questions):
        raise RubricError(f"{rubric.path}: two public checks ask the reference the same")
    numbers = save(dict(_numbers(asked, answers=answers)))
    file = _file(rubric, masked=masked, numbers=numbers)
    return {
        f"{rubric.id}{RUBRIC}": (file.model_dump_json(indent=1) + "\n").encode(),
        f"{rubric.id}{NUMBERS}": numbers,
    }


def _public_part(rubric: Rubric) -> Rubric:
    """The rubric with its public checks alone."""
    items = []
    for item in rubric.items:
        checks = tuple(spec for spec in item.checks if spec.public)
        for spec in checks:
            _refuse_comparing(spec, item=item, rubric=rubric)
        items.append(replace(item, checks=checks))
    return replace(rubric, items=tuple(items))


def _refuse_comparing(spec: CheckSpec, *, item: Item, rubric: Rubric) -> None:
    check = CHECKS[spec.code]
    if check.compares(check.params.model_validate(spec.params)):
        raise RubricError(
            f"{rubric.path}: item {item.id} → {spec.code} → public: can't be true: it compares a "
            "student's work with the reference, which students don't have"
        )


def _masked(item: Item) -> Item:
    return replace(item, checks=tuple(_masked_check(spec) for spec in item.checks))


def _masked_check(spec: CheckSpec) -> CheckSpec:
    params = CHECKS[spec.code].params.model_validate(spec.params).masked()
    return replace(spec, params=params.model_dump(mode="json", by_alias=True))


def _bound(rubric: Rubric) -> Bound:
    return bind(rubric, registry=CHECKS, draws=Draws(seed=draws_of(rubric.id)))


def _numbers(
    asked: tuple[Question, ...], *, answers: Mapping[str, Observation]
) -> Iterator[tuple[str, Array]]:
    """The reference's arrays under the place of the question and their own names."""
    for place, question in enumerate(asked):
        answer = answers.get(question.id)
        if answer is None or answer.status != "ok" or not answer.arrays:
            why = "was not asked" if answer is None else answer.error or answer.status
            name = question.params.get("name", question.kind)
            raise RubricError(f"the reference gave no numbers for {name}: {why}")
        for key, array in answer.arrays.items():
            yield f"{place}.{key}", array


def _file(rubric: Rubric, *, masked: Rubric, numbers: bytes) -> PublicFile:
    return PublicFile(
        id=rubric.id,
        title=rubric.title,
        total=_exact(rubric.total),
        seed=rubric.seed,
        optional_imports=list(rubric.optional_imports),
        record=list(rubric.record),
        limits=asdict(rubric.limits),
        draws=draws_of(rubric.id).hex(),
        numbers=hashlib.sha256(numbers).hexdigest(),
        handout=sorted(_handout(read(rubric.reference))),
        notices=[NoticePart(says=n.says, printed=n.printed) for n in rubric.notices],
        items=[
            _item(whole, masked=item)
            for whole, item in zip(rubric.items, masked.items, strict=True)
        ],
    )


def _item(whole: Item, *, masked: Item) -> ItemPart:
    return ItemPart(
        id=whole.id,
        title=whole.title,
        points=_exact(whole.points),
        kind="written" if whole.kind == "written" else "auto",
        source=whole.source,
        prompt=whole.prompt,
        checks=[_check(spec) for spec in masked.checks],
        later=[list(spec.needs) for spec in whole.checks if not spec.public],
    )


def _check(spec: CheckSpec) -> CheckPart:
    return CheckPart(
        code=spec.code,
        points=_exact(spec.points),
        needs=list(spec.needs),
        ask=spec.ask,
        params=dict(spec.params),
    )


def _exact(points: Fraction) -> str:
    return str(points)


def _handout(reference: Notebook) -> frozenset[str]:
    """The handout's lines; none of its code where nothing says what of that is the solution."""
    solved = [found for cell in reference.code() for found in _SOLUTION.findall(cell.source)]
    opened = tuple(
        replace(cell, source=_SOLUTION.sub("", cell.source) if solved else "")
        if cell.kind == "code"
        else cell
        for cell in reference.cells
    )
    solution = Cell(index=0, kind="code", source="\n".join(solved))
    hidden = handout_lines(replace(reference, cells=(solution,)))
    return handout_lines(replace(reference, cells=opened)) - hidden
