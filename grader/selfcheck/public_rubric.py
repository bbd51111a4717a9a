"""Reads the two files that students get of a rubric, wherever a student unpacked them.

`NAME.rubric.json` is the rubric with its public checks alone, without what only the reference
knows. `NAME.numbers.safetensors` holds what the reference answered at inputs that anyone can draw:
never at those of the secret seed, and nothing that was trained.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays

from grader import rubric
from grader.checks import BoundRubric, SeededRandom, bind_rubric, load_checks
from grader.errors import UsageError
from grader.model import Array, Notebook, Observation, PublicSupplement, Question, Rubric
from grader.notebook import Outline, OutlinePart, handout_lines
from grader.selfcheck.public_tests import TESTS_SUFFIX

RUBRIC_SUFFIX = ".rubric.json"
"""How the name of a public rubric ends."""
NUMBERS_SUFFIX = ".numbers.safetensors"
"""How the name of the numbers beside it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRubric:
    """A public rubric, ready to judge."""

    rubric: Rubric
    """Its items have their public checks alone."""
    later_needs: Mapping[str, tuple[tuple[str, ...], ...]]
    """By item, what each check needs that runs only after submission."""
    handout: frozenset[str]
    """Lines of the handout."""
    checks: BoundRubric
    rng: SeededRandom
    expected: Mapping[str, Observation]
    """What the reference answered, by question."""
    sha256: str
    """SHA-256 of the rubric's file, which holds the one of the numbers."""
    tests: Path = Path()
    """The file of public tests beside it."""
    outline: Outline = field(default_factory=Outline)
    """Where the handout asks for which item, without its code."""


def find_public_rubric(
    folders: Sequence[Path], *, notebook: Notebook | None = None, item: str = ""
) -> Path:
    """Find the public rubric in the first folder that has one.

    Of several, it is that of the item, or else the one whose handout the notebook holds most of.

    Args:
        folders: Where to look.
        notebook: The notebook to check.
        item: The id of the item to check; '' for all.

    Raises:
        UsageError: No folder has one, or a folder has several, and none is the notebook's.
    """
    for folder in folders:
        paths = sorted(folder.glob(f"*{RUBRIC_SUFFIX}"))
        if len(paths) == 1:
            return paths[0]
        if paths:
            lines = handout_lines(notebook) if notebook is not None else frozenset[str]()
            scores = {path: _score_rubric(path, lines=lines, item=item) for path in paths}
            best = [path for path in paths if scores[path] == max(scores.values()) > (False, 0)]
            if len(best) == 1:
                return best[0]
            names = ", ".join(path.name for path in paths)
            raise UsageError(f"{folder}: there are several public rubrics: {names}; name one")
    raise UsageError(
        f"there is no *{RUBRIC_SUFFIX} beside the notebook: "
        "unpack the assignment's files into one folder"
    )


def _score_rubric(path: Path, *, lines: frozenset[str], item: str) -> tuple[bool, float]:
    """Return whether a rubric has an item, and which share of its handout there is."""
    try:
        tables = json.loads(path.read_text(encoding="utf-8"))
        handout = frozenset(tables["public"]["handout"])
        has_item = item in [table["id"] for table in tables["item"]]
    except (OSError, ValueError, KeyError, TypeError):
        return False, 0.0
    return has_item, len(lines & handout) / max(1, len(handout))


def load_public_rubric(path: Path) -> PublicRubric:
    """Read a public rubric and its numbers.

    Raises:
        UsageError: The numbers can't be read or don't belong to the rubric, or the path is that of
            a course's rubric.
        RubricError: The rubric can't be read.
    """
    if path.suffix == ".toml":
        raise UsageError(
            f"{path}: that is the course's rubric. `grade release` makes the public one from it; "
            "in the course's own folder, `grade check --assignment ID` uses it as it is"
        )
    loaded = rubric.load_rubric(path, catalog=load_checks)
    if loaded.public is None:
        raise UsageError(f"{path}: not a public rubric")
    rng = SeededRandom(seed=bytes.fromhex(loaded.public.draws))
    bound = bind_rubric(loaded, registry=load_checks(loaded.check_modules), rng=rng)
    numbers_path = path.with_name(path.name.removesuffix(RUBRIC_SUFFIX) + NUMBERS_SUFFIX)
    data = _read_numbers(numbers_path, sha256=loaded.public.numbers, rubric_name=path.name)
    return PublicRubric(
        rubric=loaded,
        later_needs=loaded.public.later,
        handout=frozenset(loaded.public.handout),
        outline=_public_outline(loaded.public),
        checks=bound,
        rng=rng,
        expected=_parse_expected(data, path=numbers_path, questions=bound.notebook_constants),
        sha256=loaded.sha256,
        tests=path.with_name(path.name.removesuffix(RUBRIC_SUFFIX) + TESTS_SUFFIX).resolve(),
    )


def _public_outline(public: PublicSupplement) -> Outline:
    parts = {
        item: OutlinePart(headings=headings, cell_ids=frozenset(public.cell_ids.get(item, ())))
        for item, headings in public.headings.items()
    }
    return Outline(parts=parts, given=public.given)


def _read_numbers(path: Path, *, sha256: str, rubric_name: str) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: can't be read ({error.strerror})") from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UsageError(f"{path}: does not belong to {rubric_name}; unpack the files again")
    return data


def _parse_expected(
    data: bytes, *, path: Path, questions: tuple[Question, ...]
) -> Mapping[str, Observation]:
    """Return the reference's answers; an array's name starts with the position of its question."""
    try:
        arrays = load_arrays(data)
    except SafetensorError as error:
        raise UsageError(f"{path}: can't be read: {error}") from error
    arrays_by_index: dict[int, dict[str, Array]] = {}
    for key, array in arrays.items():
        index, _, name = key.partition(".")
        arrays_by_index.setdefault(int(index), {})[name] = array
    if set(arrays_by_index) != set(range(len(questions))):
        raise UsageError(f"{path}: was made by another version; install the one it came with")
    return {
        question.id: Observation(id=question.id, status="ok", arrays=arrays_by_index[index])
        for index, question in enumerate(questions)
    }
