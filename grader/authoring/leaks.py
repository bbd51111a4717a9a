"""Looks through what students would get for anything of the solution, and says where it stands."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import nbformat

from grader.authoring.blanking import cut, template
from grader.authoring.editable_notebook import GRADER_ONLY, Book
from grader.authoring.test_plan import Plan
from grader.model import Json, Rubric
from grader.notebook.student_code import parsed

SHORT, COPY, SENTENCE, IN_A_WHEEL = 8, 16, 24, 24
"""Letters, without spaces, from which a line of code tells something; from which it is a copy where
it also stands in given code; from which a sentence tells something; and from which either can't
stand in a program by chance."""
SCAFFOLD = "grader/authoring/scaffold/"
"""What everybody's new assignment begins with is nobody's secret."""
_NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d{3,}(?![\w.])")
_SENTENCES = re.compile(r"(?<=[.!?:;])\s+|\n+")
_TEXTS = (".py", ".md", ".txt", ".toml", ".json", ".ipynb", ".html", ".js", "METADATA")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """Something of the solution in a file for students."""

    file: str
    where: str
    """The cell and its line, or the line of the file."""
    what: str
    """What it is of the solution, and where it comes from."""
    text: str

    def __str__(self) -> str:
        """One line for course staff."""
        return f"{self.file}, {self.where}: {self.what}: {self.text[:100]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """A text that must not get out."""

    what: str
    text: str
    """As it was written."""
    squeezed: str
    """Without white space; a word stands for itself."""
    word: bool = False
    """Whether it counts only as a word of its own."""
    code: bool = False
    """Whether it is a line of code that students are asked for."""

    def stands_in(self, line: str) -> bool:
        """Whether a line holds it."""
        if self.word:
            return re.search(rf"(?<![\w.]){re.escape(self.squeezed)}(?![\w.])", line) is not None
        return self.squeezed in _squeezed(line)


def leaks(
    files: Mapping[str, bytes], *, book: Book, rubric: Rubric, plan: Plan
) -> tuple[Leak, ...]:
    """Everything of the solution in these files.

    Args:
        files: what students would get, by name.
        book: the solved notebook.
        rubric: the assignment's.
        plan: what its own files say; `[[shown]]` lines may be seen.
    """
    secrets = tuple(s for s in _secrets(book, rubric) if not plan.shown(s.text))
    found: dict[Leak, None] = {}
    for name, data in files.items():
        if name.endswith(".whl"):
            found |= dict.fromkeys(_in_wheel(name, data, secrets))
        elif name.endswith(".ipynb"):
            found |= dict.fromkeys(_in_notebook(name, data, secrets))
        else:
            lines = data.decode("utf-8", "replace").split("\n")
            found |= dict.fromkeys(_in_lines(name, lines, secrets))
    return tuple(found)


def _secrets(book: Book, rubric: Rubric) -> Iterator[Secret]:
    """All that must not get out, but for what students are given anyway."""
    shown = [cell.source for cell in template(book).cells]
    shown += [text for item in rubric.items for text in (item.prompt, item.title, item.why)]
    given = _squeezed("\n".join(shown))
    words = set(re.findall(r"[\w.]+", "\n".join(shown)))
    for secret in (*_of_notebook(book), *_of_rubric(rubric)):
        known = secret.squeezed in words if secret.word else secret.squeezed in given
        # A long line of code is not given by chance: somebody left a copy.
        if not known or (secret.code and len(secret.squeezed) >= COPY):
            yield secret


def _of_notebook(book: Book) -> Iterator[Secret]:
    for cell, place, line in cut(book):
        if cell.kind == "code":
            text = line.partition("#")[0].strip()
            if len(_squeezed(text)) >= SHORT:
                what = f"solution (cell {cell.id}, line {place})"
                asked = GRADER_ONLY not in cell.tags  # there, given code is repeated on purpose
                yield Secret(what=what, text=text, squeezed=_squeezed(text), code=asked)
        else:
            yield from _sentences(line, what=f"answer (cell {cell.id})")
    for cell in book.cells:
        if GRADER_ONLY in cell.tags and cell.kind == "code":
            for name in _defined(cell.source):
                yield Secret(what="name of the grader's own", text=name, squeezed=name, word=True)
        for output in cell.outputs:
            yield from _numbers(_text_of(output), what=f"result of the solved cell {cell.id}")


def _of_rubric(rubric: Rubric) -> Iterator[Secret]:
    for item in rubric.items:
        yield from _sentences(item.good_answer, what=f"good answer to {item.id}")
        for criterion in item.criteria:
            yield from _sentences(criterion.text, what=f"criterion of {item.id}")
        for spec in item.checks:
            if not spec.public:
                told = f"parameter of a hidden check of {item.id}"
                yield from _numbers(repr(dict(spec.params)), what=told)


def _sentences(text: str, *, what: str) -> Iterator[Secret]:
    for sentence in _SENTENCES.split(text):
        if len(_squeezed(sentence)) >= SENTENCE:
            yield Secret(what=what, text=sentence.strip(), squeezed=_squeezed(sentence))


def _numbers(text: str, *, what: str) -> Iterator[Secret]:
    for number in dict.fromkeys(_NUMBER.findall(text)):
        yield Secret(what=what, text=number, squeezed=number, word=True)


def _defined(source: str) -> Iterator[str]:
    tree = parsed(source)
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def _text_of(output: Json) -> str:
    data = output.get("data", {})
    parts = [output.get("text", ""), data.get("text/plain", "")]
    return "\n".join("".join(part) if isinstance(part, list) else str(part) for part in parts)


def _squeezed(text: str) -> str:
    """The text without white space, and without what JSON puts before quotes."""
    return re.sub(r"\s+|\\n|\\(?=[\"\\])", "", text)


def _in_lines(name: str, lines: list[str], secrets: tuple[Secret, ...]) -> Iterator[Leak]:
    for place, line in enumerate(lines, start=1):
        yield from _in_line(name, f"line {place}", line, secrets)
    whole = _squeezed("\n".join(lines))
    for secret in secrets:  # one that is wrapped over lines
        wrapped = not secret.word and secret.squeezed in whole
        if wrapped and not any(secret.stands_in(line) for line in lines):
            yield Leak(file=name, where="over several lines", what=secret.what, text=secret.text)


def _in_line(name: str, where: str, line: str, secrets: tuple[Secret, ...]) -> Iterator[Leak]:
    for secret in secrets:
        if secret.stands_in(line):
            yield Leak(file=name, where=where, what=secret.what, text=secret.text)


def _in_notebook(name: str, data: bytes, secrets: tuple[Secret, ...]) -> Iterator[Leak]:
    book = nbformat.reads(data.decode(), as_version=4)  # type: ignore[no-untyped-call]
    for cell in book.cells:
        where = f"cell {cell.get('id', '?')}"
        if cell.get("outputs") or cell.get("execution_count") is not None:
            yield Leak(file=name, where=where, what="saved output", text=str(cell.outputs)[:60])
        for leak in _in_lines(name, cell.source.split("\n"), secrets):
            yield Leak(file=name, where=f"{where}, {leak.where}", what=leak.what, text=leak.text)
        tags = set(cell.metadata.get("tags", ()))
        if tags & {"solution", GRADER_ONLY}:
            yield Leak(file=name, where=where, what="cell", text=f"is tagged {', '.join(tags)}")


def _in_wheel(name: str, data: bytes, secrets: tuple[Secret, ...]) -> Iterator[Leak]:
    """A wheel holds the program alone: only what can't stand there by chance counts, no words."""
    telling = tuple(s for s in secrets if not s.word and len(s.squeezed) >= IN_A_WHEEL)
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        for inner in wheel.namelist():
            if inner.startswith(("rubrics/", "reference/")):
                yield Leak(file=name, where=inner, what="file", text="belongs to the course")
            if inner.endswith(_TEXTS) and not inner.startswith(SCAFFOLD):
                text = wheel.read(inner).decode("utf-8", "replace")
                for leak in _in_text(name, text, telling):
                    yield Leak(file=name, where=inner, what=leak.what, text=leak.text)


def _in_text(name: str, text: str, secrets: tuple[Secret, ...]) -> Iterator[Leak]:
    squeezed = _squeezed(text)
    for secret in secrets:
        if secret.squeezed in squeezed:
            yield Leak(file=name, where="", what=secret.what, text=secret.text)
