"""Builds the files that students get from a rubric: the public checks, and a few numbers.

With a live reference, call
`build_public_files(rubric, answers=reference.ask(reference_questions(rubric)))`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from fractions import Fraction

from safetensors.numpy import save

from grader.checks import BoundRubric, SeededRandom, bind_rubric, is_own_file, load_checks
from grader.errors import RubricError
from grader.model import (
    Array,
    Cell,
    CheckSpec,
    Json,
    Notebook,
    Observation,
    PublicSupplement,
    Question,
    Rubric,
)
from grader.notebook import given_source, handout_lines, outline_handout, read_notebook
from grader.selfcheck.public_rubric import NUMBERS_SUFFIX, RUBRIC_SUFFIX


def public_seed(rubric_id: str) -> bytes:
    """Return the public seed of an assignment's inputs, which reveals nothing of the secret one."""
    return hashlib.sha256(b"public draws|" + rubric_id.encode()).digest()


def reference_questions(rubric: Rubric) -> tuple[Question, ...]:
    """Return the questions to the live reference that `build_public_files` needs answered.

    Raises:
        RubricError: A check is public that can't be.
    """
    return _bind_public_checks(rubric).notebook_constants


def build_public_files(
    rubric: Rubric, *, answers: Mapping[str, Observation]
) -> Mapping[str, bytes]:
    """Build the files that students get, by name: `ID.rubric.json` and `ID.numbers.safetensors`.

    Left out are checks that are not public, criteria, good answers, the reference's path, the
    names of its functions and which of several answers count as right. A check that compares one
    student's training with the reference's is never public.

    Args:
        rubric: The course's own rubric.
        answers: The reference's answers to `reference_questions(rubric)`, by the question's id.

    Raises:
        RubricError: A check is public that can't be, or the reference did not answer.
    """
    bound = _bind_public_checks(rubric)
    masked = _mask_checks(rubric, bound)
    questions = bound.notebook_constants
    if len(questions) != len(_bind_checks(masked).notebook_constants):
        raise RubricError(f"{rubric.path}: two public checks ask the reference the same")
    numbers = save(dict(_named_arrays(questions, answers=answers)))
    reference = read_notebook(rubric.reference)
    outline = outline_handout(reference, items=rubric.items)
    supplement = PublicSupplement(
        draws=public_seed(rubric.id).hex(),
        numbers=hashlib.sha256(numbers).hexdigest(),
        handout=tuple(sorted(_public_handout(reference))),
        later={
            item.id: tuple(spec.needs for spec in item.checks if not spec.public)
            for item in rubric.items
        },
        headings={item: part.headings for item, part in outline.parts.items()},
        cell_ids={item: tuple(sorted(part.cell_ids)) for item, part in outline.parts.items()},
        given=outline.given if rubric.takes_code else {},
    )
    tables = _public_tables(masked, supplement)
    return {
        f"{rubric.id}{RUBRIC_SUFFIX}": (
            json.dumps(tables, ensure_ascii=False, indent=1) + "\n"
        ).encode(),
        f"{rubric.id}{NUMBERS_SUFFIX}": numbers,
    }


def _bind_public_checks(rubric: Rubric) -> BoundRubric:
    """Return the public checks of a rubric.

    Raises:
        RubricError: One of them compares a single student with the reference.
    """
    items = [
        replace(item, checks=tuple(spec for spec in item.checks if spec.public))
        for item in rubric.items
    ]
    bound = _bind_checks(replace(rubric, items=tuple(items)))
    for call in bound.rubric_checks:
        if is_own_file(type(call.check)):
            raise RubricError(
                f"{rubric.path}: item {call.item.id} → {call.spec.code} → public: can't be true: "
                "the check is in the assignment's checks.py, which students don't get"
            )
        if call.check.asks_counter_questions():
            raise RubricError(
                f"{rubric.path}: item {call.item.id} → {call.spec.code} → public: can't be true: "
                "it compares a student's work with the reference, which students don't have"
            )
    return bound


def _mask_checks(rubric: Rubric, bound: BoundRubric) -> Rubric:
    """Return the rubric with its public checks alone, as students may read their parameters."""
    specs: dict[str, list[CheckSpec]] = {item.id: [] for item in rubric.items}
    for call in bound.rubric_checks:
        specs[call.item.id].append(replace(call.spec, params=call.check.masked()))
    items = (replace(item, checks=tuple(specs[item.id])) for item in rubric.items)
    return replace(rubric, items=tuple(items))


def _bind_checks(rubric: Rubric) -> BoundRubric:
    registry = load_checks(rubric.check_modules)
    return bind_rubric(rubric, registry=registry, rng=SeededRandom(seed=public_seed(rubric.id)))


def _named_arrays(
    questions: tuple[Question, ...], *, answers: Mapping[str, Observation]
) -> Iterator[tuple[str, Array]]:
    """Yield the reference's arrays, each named by its question's position and its own name."""
    for index, question in enumerate(questions):
        answer = answers.get(question.id)
        if answer is None or answer.status != "ok" or not answer.arrays:
            reason = "was not asked" if answer is None else answer.error or answer.status
            name = question.params.get("name", question.kind)
            raise RubricError(f"the reference gave no numbers for {name}: {reason}")
        for key, array in answer.arrays.items():
            yield f"{index}.{key}", array


def _public_tables(masked: Rubric, supplement: PublicSupplement) -> Mapping[str, Json]:
    """Return the tables of the public rubric, under the keys of a rubric file.

    Only what is named here is published, so that a key added to rubrics later stays private.
    """
    return {
        "schema": 1,
        "assignment": {
            "id": masked.id,
            "title": masked.title,
            "total": _plain_number(masked.total),
            "seed": masked.seed,
            "optional_imports": masked.optional_imports,
            "record": masked.record,
            "checks": [name for name in masked.check_modules if not name.endswith(".py")],
        },
        "limits": asdict(masked.limits),
        "notice": [asdict(notice) for notice in masked.notices],
        "item": [
            {
                "id": item.id,
                "title": item.title,
                "points": _plain_number(item.points),
                "kind": item.kind,
                "source": item.source,
                "prompt": item.prompt,
                # Older versions refuse keys that they don't know.
                **({"answer": item.answer} if item.takes_code else {}),
                "check": [_check_table(spec) for spec in item.checks],
            }
            for item in masked.items
        ],
        "public": {
            key: table for key, table in asdict(supplement).items() if table or key != "given"
        },
    }


def _check_table(spec: CheckSpec) -> Mapping[str, Json]:
    return {
        "code": spec.code,
        "points": _plain_number(spec.points),
        "public": True,
        "needs": spec.needs,
        "ask": spec.ask,
        "params": spec.params.model_dump(mode="json", by_alias=True),
    }


def _plain_number(points: Fraction) -> int | float:
    return int(points) if points.denominator == 1 else float(points)


def _public_handout(reference: Notebook) -> frozenset[str]:
    """Return the handout's lines; none of code where no comments mark the solution."""
    code_cells = reference.code_cells()
    given = {cell.index: given_source(cell) for cell in code_cells}
    is_marked = any(
        given[cell.index] != cell.source for cell in code_cells if "solution" not in cell.tags
    )
    unsolved_cells = tuple(
        replace(cell, source=given.get(cell.index, cell.source) if is_marked else "")
        if cell.kind == "code"
        else cell
        for cell in reference.cells
    )
    withheld_lines = [
        line
        for cell in code_cells
        for line in Counter(cell.source.splitlines()) - Counter(given[cell.index].splitlines())
    ]
    withheld_cell = Cell(index=0, kind="code", source="\n".join(withheld_lines))
    withheld = handout_lines(replace(reference, cells=(withheld_cell,)))
    return handout_lines(replace(reference, cells=unsolved_cells)) - withheld
