"""Looks through what students would get for anything of the solution, and says where it stands."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import nbformat

from grader.authoring.blanking import make_template, withheld_lines
from grader.authoring.editable_notebook import GRADER_ONLY, EditableNotebook
from grader.authoring.test_plan import ValidationPlan
from grader.model import Json, Rubric
from grader.notebook.student_code import parse_source

MIN_CODE_LETTERS, MIN_COPY_LETTERS, MIN_SENTENCE_LETTERS, MIN_WHEEL_LETTERS = 8, 16, 24, 24
"""Letters, without spaces, from which a line of code tells something; from which it is a copy where
it also stands in given code; from which a sentence tells something; and from which either can't
stand in a program by chance."""
SCAFFOLD_PREFIX = "grader/authoring/scaffold/"
"""What everybody's new assignment begins with is nobody's secret."""
_NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d{3,}(?![\w.])")
_SENTENCE_ENDS = re.compile(r"(?<=[.!?:;])\s+|\n+")
_TEXT_SUFFIXES = (".py", ".md", ".txt", ".toml", ".json", ".ipynb", ".html", ".js", "METADATA")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Something of the solution in a file for students."""

    file: str
    location: str
    """The cell and its line, or the line of the file."""
    description: str
    """What it is of the solution, and where it comes from."""
    text: str

    def __str__(self) -> str:
        """One line for course staff."""
        return f"{self.file}, {self.location}: {self.description}: {self.text[:100]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A text that must not get out."""

    description: str
    text: str
    """As it was written."""
    squeezed: str
    """Without white space; a word stands for itself."""
    is_word: bool = False
    """Whether it counts only as a word of its own."""
    is_solution_code: bool = False
    """Whether it is a line of code that students are asked for."""

    def appears_in(self, line: str) -> bool:
        """Whether a line holds it."""
        if self.is_word:
            return re.search(rf"(?<![\w.]){re.escape(self.squeezed)}(?![\w.])", line) is not None
        return self.squeezed in _squeeze(line)


def find_leaks(
    files: Mapping[str, bytes], *, notebook: EditableNotebook, rubric: Rubric, plan: ValidationPlan
) -> tuple[Leak, ...]:
    """Everything of the solution in these files.

    Args:
        files: what students would get, by name.
        notebook: the solved notebook.
        rubric: the assignment's.
        plan: what its own files say; `[[shown]]` lines may be seen.
    """
    secrets = tuple(s for s in _find_secrets(notebook, rubric) if not plan.may_show(s.text))
    unique_leaks: dict[Leak, None] = {}
    for name, data in files.items():
        if name.endswith(".whl"):
            unique_leaks |= dict.fromkeys(_leaks_in_wheel(name, data, secrets))
        elif name.endswith(".ipynb"):
            unique_leaks |= dict.fromkeys(_leaks_in_notebook(name, data, secrets))
        else:
            lines = data.decode("utf-8", "replace").split("\n")
            unique_leaks |= dict.fromkeys(_leaks_in_lines(name, lines, secrets))
    return tuple(unique_leaks)


def _find_secrets(notebook: EditableNotebook, rubric: Rubric) -> Iterator[Secret]:
    """All that must not get out, but for what students are given anyway."""
    visible_texts = [cell.source for cell in make_template(notebook).cells]
    visible_texts += [text for item in rubric.items for text in (item.prompt, item.title, item.why)]
    visible_text = _squeeze("\n".join(visible_texts))
    words = set(re.findall(r"[\w.]+", "\n".join(visible_texts)))
    for secret in (*_notebook_secrets(notebook), *_rubric_secrets(rubric)):
        is_visible = secret.squeezed in words if secret.is_word else secret.squeezed in visible_text
        # A long line of code is not given by chance: somebody left a copy.
        if not is_visible or (secret.is_solution_code and len(secret.squeezed) >= MIN_COPY_LETTERS):
            yield secret


def _notebook_secrets(notebook: EditableNotebook) -> Iterator[Secret]:
    for cell, line_number, line in withheld_lines(notebook):
        if cell.kind == "code":
            text = line.partition("#")[0].strip()
            if len(_squeeze(text)) >= MIN_CODE_LETTERS:
                description = f"solution (cell {cell.id}, line {line_number})"
                is_solution_code = (
                    GRADER_ONLY not in cell.tags
                )  # there, given code is repeated on purpose
                yield Secret(
                    description=description,
                    text=text,
                    squeezed=_squeeze(text),
                    is_solution_code=is_solution_code,
                )
        else:
            yield from _sentence_secrets(line, description=f"answer (cell {cell.id})")
    for cell in notebook.cells:
        if GRADER_ONLY in cell.tags and cell.kind == "code":
            for name in _defined_names(cell.source):
                yield Secret(
                    description="name of the grader's own", text=name, squeezed=name, is_word=True
                )
        for output in cell.outputs:
            yield from _number_secrets(
                _output_text(output), description=f"result of the solved cell {cell.id}"
            )


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


def _sentence_secrets(text: str, *, description: str) -> Iterator[Secret]:
    for sentence in _SENTENCE_ENDS.split(text):
        if len(_squeeze(sentence)) >= MIN_SENTENCE_LETTERS:
            yield Secret(
                description=description, text=sentence.strip(), squeezed=_squeeze(sentence)
            )


def _number_secrets(text: str, *, description: str) -> Iterator[Secret]:
    for number in dict.fromkeys(_NUMBER.findall(text)):
        yield Secret(description=description, text=number, squeezed=number, is_word=True)


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
    """The text without white space, and without what JSON puts before quotes."""
    return re.sub(r"\s+|\\n|\\(?=[\"\\])", "", text)


def _leaks_in_lines(name: str, lines: list[str], secrets: tuple[Secret, ...]) -> Iterator[Leak]:
    for line_number, line in enumerate(lines, start=1):
        yield from _leaks_in_line(name, f"line {line_number}", line, secrets)
    joined = _squeeze("\n".join(lines))
    for secret in secrets:  # one that is wrapped over lines
        may_wrap = not secret.is_word and secret.squeezed in joined
        if may_wrap and not any(secret.appears_in(line) for line in lines):
            yield Leak(
                file=name,
                location="over several lines",
                description=secret.description,
                text=secret.text,
            )


def _leaks_in_line(
    name: str, location: str, line: str, secrets: tuple[Secret, ...]
) -> Iterator[Leak]:
    for secret in secrets:
        if secret.appears_in(line):
            yield Leak(
                file=name, location=location, description=secret.description, text=secret.text
            )


def _leaks_in_notebook(name: str, data: bytes, secrets: tuple[Secret, ...]) -> Iterator[Leak]:
    notebook = nbformat.reads(data.decode(), as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        location = f"cell {cell.get('id', '?')}"
        if cell.get("outputs") or cell.get("execution_count") is not None:
            yield Leak(
                file=name,
                location=location,
                description="saved output",
                text=str(cell.outputs)[:60],
            )
        for leak in _leaks_in_lines(name, cell.source.split("\n"), secrets):
            yield Leak(
                file=name,
                location=f"{location}, {leak.location}",
                description=leak.description,
                text=leak.text,
            )
        tags = set(cell.metadata.get("tags", ()))
        if tags & {"solution", GRADER_ONLY}:
            yield Leak(
                file=name,
                location=location,
                description="cell",
                text=f"is tagged {', '.join(tags)}",
            )


def _leaks_in_wheel(name: str, data: bytes, secrets: tuple[Secret, ...]) -> Iterator[Leak]:
    """A wheel holds the program alone: only what can't stand there by chance counts, no words."""
    long_secrets = tuple(
        s for s in secrets if not s.is_word and len(s.squeezed) >= MIN_WHEEL_LETTERS
    )
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        for member in wheel.namelist():
            if member.startswith(("rubrics/", "reference/")):
                yield Leak(
                    file=name, location=member, description="file", text="belongs to the course"
                )
            if member.endswith(_TEXT_SUFFIXES) and not member.startswith(SCAFFOLD_PREFIX):
                text = wheel.read(member).decode("utf-8", "replace")
                for leak in _leaks_in_text(name, text, long_secrets):
                    yield Leak(
                        file=name, location=member, description=leak.description, text=leak.text
                    )


def _leaks_in_text(name: str, text: str, secrets: tuple[Secret, ...]) -> Iterator[Leak]:
    squeezed = _squeeze(text)
    for secret in secrets:
        if secret.squeezed in squeezed:
            yield Leak(file=name, location="", description=secret.description, text=secret.text)
