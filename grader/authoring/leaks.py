"""Searches the files of a release for parts of the solution."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat

from grader.authoring.blanking import make_template, withheld_lines
from grader.authoring.editable_notebook import GRADER_ONLY, SOLUTION, EditableNotebook
from grader.authoring.test_plan import ValidationPlan
from grader.model import Json, Rubric
from grader.notebook.student_code import parse_source
from grader.rubric.test_files import WITHHELD
from grader.selfcheck.public_tests import TESTS_SUFFIX

MIN_CODE_LETTERS, MIN_COPY_LETTERS, MIN_SENTENCE_LETTERS, MIN_WHEEL_LETTERS = 8, 16, 24, 24
"""The least letters, without spaces, of a secret line of code; of one that is secret even if the
given code has it, too; of a secret sentence; and of either in the program's own files, where
shorter ones appear by chance."""
MAX_TEST_DATA = 1_000_000
"""Bytes of each file of hidden tests whose lines are searched for."""
SCAFFOLD_PREFIX = "grader/authoring/scaffold/"
"""The files that every new assignment begins with, which are no secret."""
_NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d{3,}(?![\w.])")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?:;])\s+|\n+")
_TEXT_SUFFIXES = (".py", ".md", ".txt", ".toml", ".json", ".ipynb", ".html", ".js", "METADATA")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A part of the solution in a file for students."""

    file: str
    location: str
    """The cell and its line, or the line of the file."""
    description: str
    """The kind of the secret text, and its cell or item."""
    text: str

    def __str__(self) -> str:
        """Return one line for course staff."""
        return f"{self.file}, {self.location}: {self.description}: {self.text[:100]}"


@dataclass(frozen=True)  # no slots: it remembers `squeezed`
class Secret:
    """A text that students must not get."""

    description: str
    text: str
    """The text as it was written."""
    is_word: bool = False
    """Whether it is searched for as a whole word only."""
    is_solution_code: bool = False
    """Whether it is a line of code that students are asked for."""

    @cached_property
    def squeezed(self) -> str:
        """The text without white space; a word as it is."""
        return self.text if self.is_word else _squeeze(self.text)

    def appears_in(self, line: str) -> bool:
        """Return whether a line contains it."""
        if self.is_word:
            return re.search(rf"(?<![\w.]){re.escape(self.text)}(?![\w.])", line) is not None
        return self.squeezed in _squeeze(line)


Sighting = tuple[str, str, str]
"""Location, description and text of a leak in one file."""


def find_leaks(
    files: Mapping[str, bytes],
    *,
    notebook: EditableNotebook,
    rubric: Rubric,
    plan: ValidationPlan,
    provided: Collection[str] = (),
) -> tuple[Leak, ...]:
    """Return the parts of the solution that files contain.

    Args:
        files: The contents of the files for students, by name.
        notebook: The solved notebook.
        rubric: The assignment's rubric.
        plan: The assignment's plan, whose `[[shown]]` lines may be seen.
        provided: The names of those that are the course's data, where numbers and words of a
            solution's results are no secret: it was made of them.
    """
    public_tests = "\n".join(
        data.decode("utf-8", "replace")
        for name, data in files.items()
        if name.endswith(TESTS_SUFFIX)
    )
    candidates = (*_find_secrets(notebook, rubric), *_test_secrets(rubric, public=public_tests))
    secrets = tuple(s for s in candidates if not plan.may_show(s.text))
    leaks: dict[Leak, None] = {}  # each once, in order
    for name, data in files.items():
        if name.endswith(".whl"):
            sightings = _search_wheel(data, secrets)
        elif name.endswith(".ipynb"):
            sightings = _search_notebook(data, secrets)
        else:
            is_data = name in provided or name.endswith(TESTS_SUFFIX)
            searched = [s for s in secrets if not (s.is_word and is_data)]
            sightings = _search_lines(data.decode("utf-8", "replace").split("\n"), searched)
        for location, description, text in sightings:
            leaks[Leak(file=name, location=location, description=description, text=text)] = None
    return tuple(leaks)


def _find_secrets(notebook: EditableNotebook, rubric: Rubric) -> Iterator[Secret]:
    """Yield the secret texts of an assignment, without those that students are given."""
    visible_texts = [cell.source for cell in make_template(notebook, blank=rubric.blank).cells]
    visible_texts += [text for item in rubric.items for text in (item.prompt, item.title, item.why)]
    visible_text = _squeeze("\n".join(visible_texts))
    words = set(re.findall(r"[\w.]+", "\n".join(visible_texts)))
    for secret in (*_notebook_secrets(notebook), *_rubric_secrets(rubric)):
        is_visible = secret.text in words if secret.is_word else secret.squeezed in visible_text
        # A long line of the solution that is also in the given code was probably left by mistake.
        if not is_visible or (secret.is_solution_code and len(secret.squeezed) >= MIN_COPY_LETTERS):
            yield secret


def _notebook_secrets(notebook: EditableNotebook) -> Iterator[Secret]:
    for cell, line_number, line in withheld_lines(notebook):
        if cell.kind != "code":
            yield from _sentence_secrets(line, description=f"answer (cell {cell.id})")
            continue
        text = line.partition("#")[0].strip()
        if len(_squeeze(text)) >= MIN_CODE_LETTERS:
            yield Secret(
                f"solution (cell {cell.id}, line {line_number})",
                text,
                # Cells of the grader's own repeat given code on purpose.
                is_solution_code=GRADER_ONLY not in cell.tags,
            )
    for cell in notebook.cells:
        if GRADER_ONLY in cell.tags and cell.kind == "code":
            for name in _defined_names(cell.source):
                yield Secret("name of the grader's own", name, is_word=True)
        for output in cell.outputs:
            description = f"result of the solved cell {cell.id}"
            yield from _number_secrets(_output_text(output), description=description)


def _rubric_secrets(rubric: Rubric) -> Iterator[Secret]:
    for item in rubric.items:
        yield from _sentence_secrets(item.good_answer, description=f"good answer to {item.id}")
        for criterion in item.criteria:
            yield from _sentence_secrets(criterion.text, description=f"criterion of {item.id}")
        for spec in item.checks:
            if not spec.public:
                description = f"parameter of a hidden check of {item.id}"
                params = spec.params.model_dump(mode="json", by_alias=True)
                yield from _number_secrets(repr(params), description=description)


def _test_secrets(rubric: Rubric, *, public: str) -> Iterator[Secret]:
    """Yield the lines of hidden tests, and of the data beside them."""
    public_lines = {_squeeze(line) for line in public.split("\n")}
    files = {**(rubric.tests.files if rubric.tests else {}), **_withheld_files(rubric)}
    for name, path in files.items():
        with path.open("rb") as file:
            lines = file.read(MAX_TEST_DATA).decode("utf-8", "replace").split("\n")
        # A table's first line names its columns, and given data may have the same.
        is_table = path.suffix.lower() in {".csv", ".tsv"}
        for number, line in enumerate(lines[is_table:], start=1 + is_table):
            squeezed = _squeeze(line)
            if len(squeezed) >= MIN_SENTENCE_LETTERS and squeezed not in public_lines:
                yield Secret(f"hidden test ({name}, line {number})", line.strip())


def _withheld_files(rubric: Rubric) -> Mapping[str, Path]:
    folder = rubric.withheld
    if folder is None:
        return {}
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {f"{WITHHELD}/{path.relative_to(folder).as_posix()}": path for path in paths}


def _sentence_secrets(text: str, *, description: str) -> Iterator[Secret]:
    for sentence in _SENTENCE_ENDS.split(text):
        if len(_squeeze(sentence)) >= MIN_SENTENCE_LETTERS:
            yield Secret(description, sentence.strip())


def _number_secrets(text: str, *, description: str) -> Iterator[Secret]:
    for number in dict.fromkeys(_NUMBER.findall(text)):
        yield Secret(description, number, is_word=True)


def _defined_names(source: str) -> Iterator[str]:
    tree = parse_source(source)
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def _output_text(output: Json) -> str:
    data = output.get("data", {})
    parts = [output.get("text", ""), data.get("text/plain", "")]
    return "\n".join("".join(part) if isinstance(part, list) else str(part) for part in parts)


def _squeeze(text: str) -> str:
    """Return the text without white space and without JSON's escapes."""
    return re.sub(r"\s+|\\n|\\(?=[\"\\])", "", text)


def _search_lines(lines: list[str], secrets: Iterable[Secret]) -> Iterator[Sighting]:
    text = "\n".join(lines)
    joined = _squeeze(text)
    secrets = [s for s in secrets if (s.text in text if s.is_word else s.squeezed in joined)]
    for number, line in enumerate(lines, start=1):
        yield from (
            (f"line {number}", secret.description, secret.text)
            for secret in secrets
            if secret.appears_in(line)
        )
    for secret in secrets:
        if not secret.is_word and not any(secret.appears_in(line) for line in lines):
            yield "over several lines", secret.description, secret.text


def _search_notebook(data: bytes, secrets: tuple[Secret, ...]) -> Iterator[Sighting]:
    notebook = nbformat.reads(data.decode(), as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        location = f"cell {cell.get('id', '?')}"
        if cell.get("outputs") or cell.get("execution_count") is not None:
            yield location, "saved output", str(cell.outputs)[:60]
        for line, description, text in _search_lines(cell.source.split("\n"), secrets):
            yield f"{location}, {line}", description, text
        tags = set(cell.metadata.get("tags", ()))
        if tags & {SOLUTION, GRADER_ONLY}:
            yield location, "cell", f"is tagged {', '.join(tags)}"


def _search_wheel(data: bytes, secrets: tuple[Secret, ...]) -> Iterator[Sighting]:
    """Search the program for long secrets only: words and short lines appear in it by chance."""
    long_secrets = [s for s in secrets if not s.is_word and len(s.squeezed) >= MIN_WHEEL_LETTERS]
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        for member in wheel.namelist():
            if member.startswith(("rubrics/", "reference/")):
                yield member, "file", "belongs to the course"
            if member.endswith(_TEXT_SUFFIXES) and not member.startswith(SCAFFOLD_PREFIX):
                squeezed = _squeeze(wheel.read(member).decode("utf-8", "replace"))
                for secret in long_secrets:
                    if secret.squeezed in squeezed:
                        yield member, secret.description, secret.text
