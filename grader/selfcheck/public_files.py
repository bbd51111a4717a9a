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

from grader.checks import BoundRubric, RandomDraws, bind_rubric, load_checks
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
from grader.notebook import handout_lines, read_notebook
from grader.selfcheck.public_schema import (
    NUMBERS_SUFFIX,
    RUBRIC_SUFFIX,
    PublicCheck,
    PublicItem,
    PublicNotice,
    PublicRubricFile,
)

_SOLUTION = re.compile(
    r"^[ \t]*### BEGIN SOLUTION.*?(?:^[ \t]*### END SOLUTION[^\n]*\n?|\Z)",
    re.MULTILINE | re.DOTALL,
)


def public_seed(rubric_id: str) -> bytes:
    """The public seed of an assignment's inputs; nothing of the secret one."""
    return hashlib.sha256(b"public draws|" + rubric_id.encode()).digest()


def reference_questions(rubric: Rubric) -> tuple[Question, ...]:
    """What to ask the live reference, so that `public` can be called with its answers.

    Raises:
        RubricError: a check is public that can't be.
    """
    return _bind_public_checks(rubric).constant_questions


def build_public_files(
    rubric: Rubric, *, answers: Mapping[str, Observation]
) -> Mapping[str, bytes]:
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
    bound = _bind_public_checks(rubric)
    masked = _masked(rubric, bound)
    questions = bound.constant_questions
    if len(questions) != len(_bind_checks(masked).constant_questions):
        raise RubricError(f"{rubric.path}: two public checks ask the reference the same")
    numbers = save(dict(_named_arrays(questions, answers=answers)))
    file = _public_file(rubric, masked=masked, numbers=numbers)
    return {
        f"{rubric.id}{RUBRIC_SUFFIX}": (file.model_dump_json(indent=1) + "\n").encode(),
        f"{rubric.id}{NUMBERS_SUFFIX}": numbers,
    }


def _bind_public_checks(rubric: Rubric) -> BoundRubric:
    """Return the public checks of a rubric.

    Raises:
        RubricError: One of them asks about a single student.
    """
    items = [
        replace(item, checks=tuple(spec for spec in item.checks if spec.public))
        for item in rubric.items
    ]
    bound = _bind_checks(replace(rubric, items=tuple(items)))
    for call in bound.rubric_checks:
        if call.check.asks_counter_questions():
            raise RubricError(
                f"{rubric.path}: item {call.item.id} → {call.spec.code} → public: can't be true: "
                "it compares a student's work with the reference, which students don't have"
            )
    return bound


def _masked(rubric: Rubric, bound: BoundRubric) -> Rubric:
    """Return the rubric with its public checks alone, as students may read their parameters."""
    specs: dict[str, list[CheckSpec]] = {item.id: [] for item in rubric.items}
    for call in bound.rubric_checks:
        params = call.check.masked().model_dump(mode="json", by_alias=True)
        specs[call.item.id].append(replace(call.spec, params=params))
    items = (replace(item, checks=tuple(specs[item.id])) for item in rubric.items)
    return replace(rubric, items=tuple(items))


def _bind_checks(rubric: Rubric) -> BoundRubric:
    registry = load_checks(rubric.check_modules)
    return bind_rubric(rubric, registry=registry, draws=RandomDraws(seed=public_seed(rubric.id)))


def _named_arrays(
    questions: tuple[Question, ...], *, answers: Mapping[str, Observation]
) -> Iterator[tuple[str, Array]]:
    """The reference's arrays under the place of the question and their own names."""
    for index, question in enumerate(questions):
        answer = answers.get(question.id)
        if answer is None or answer.status != "ok" or not answer.arrays:
            reason = "was not asked" if answer is None else answer.error or answer.status
            name = question.params.get("name", question.kind)
            raise RubricError(f"the reference gave no numbers for {name}: {reason}")
        for key, array in answer.arrays.items():
            yield f"{index}.{key}", array


def _public_file(rubric: Rubric, *, masked: Rubric, numbers: bytes) -> PublicRubricFile:
    return PublicRubricFile(
        id=rubric.id,
        title=rubric.title,
        total=_exact_points(rubric.total),
        seed=rubric.seed,
        optional_imports=list(rubric.optional_imports),
        record=list(rubric.record),
        check_modules=list(rubric.check_modules),
        limits=asdict(rubric.limits),
        draws=public_seed(rubric.id).hex(),
        numbers=hashlib.sha256(numbers).hexdigest(),
        handout=sorted(_public_handout(read_notebook(rubric.reference))),
        notices=[
            PublicNotice(says=notice.says, printed=notice.printed) for notice in rubric.notices
        ],
        items=[
            _public_item(full_item, masked=masked_item)
            for full_item, masked_item in zip(rubric.items, masked.items, strict=True)
        ],
    )


def _public_item(item: Item, *, masked: Item) -> PublicItem:
    return PublicItem(
        id=item.id,
        title=item.title,
        points=_exact_points(item.points),
        kind="written" if item.kind == "written" else "auto",
        source=item.source,
        prompt=item.prompt,
        checks=[_public_check(spec) for spec in masked.checks],
        later=[list(spec.needs) for spec in item.checks if not spec.public],
    )


def _public_check(spec: CheckSpec) -> PublicCheck:
    return PublicCheck(
        code=spec.code,
        points=_exact_points(spec.points),
        needs=list(spec.needs),
        ask=spec.ask,
        params=dict(spec.params),
    )


def _exact_points(points: Fraction) -> str:
    return str(points)


def _public_handout(reference: Notebook) -> frozenset[str]:
    """The handout's lines; none of its code where nothing says what of that is the solution."""
    solutions = [
        solution_code
        for cell in reference.code_cells()
        for solution_code in _SOLUTION.findall(cell.source)
    ]
    unsolved_cells = tuple(
        replace(cell, source=_SOLUTION.sub("", cell.source) if solutions else "")
        if cell.kind == "code"
        else cell
        for cell in reference.cells
    )
    solution = Cell(index=0, kind="code", source="\n".join(solutions))
    solution_lines = handout_lines(replace(reference, cells=(solution,)))
    return handout_lines(replace(reference, cells=unsolved_cells)) - solution_lines
