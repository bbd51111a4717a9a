"""Finds strings that code keeps under questions' numbers: in dictionaries, tables and classes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from grader.notebook.markdown_words import count_words
from grader.notebook.number_labels import read_number_label

_MAX_KEY_WORDS, _MAX_NUMBER = 3, 99
_MIN_NUMBERED_WORDS, _MIN_BARE_WORDS = 3, 6
"""The least mean words of strings below numbers: '{1: "cat", 2: "dog"}' holds no answers."""
_MIN_OTHER_WORDS = 4
"""The least words of a paragraph without a question's number."""
_WRAPPERS = frozenset({"dedent", "cleandoc", "fill", "Markdown", "HTML", "Latex", "str"})
_NUMBERED_NAME = re.compile(
    r"(?:my_?)?(?:answers?|ans|responses?|solutions?)?_?(?:to_|for_)?"
    r"((?:q(?:uestion)?|part)?_?\d{1,2}(?:_?(?:q|p(?:art)?)?_?\d{1,2}){0,3}[a-h]?)(?![^\W_])",
    re.IGNORECASE,
)
_ANSWER_KEY = re.compile(r"(?:my |your )?(?:answers?|text|response|solution|value)", re.IGNORECASE)
_NUMBER_KEY = re.compile(r"q(?:uestion)?|id|item|number|part", re.IGNORECASE)
_QUESTION_KEY = re.compile(r"questions?|prompt", re.IGNORECASE)

_LETTER = re.compile(r"[^\W\d_]")

Path = tuple[str, ...]


class LabeledString(NamedTuple):
    """A string, and the keys and names below which code keeps it."""

    path: Path
    text: str

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of a question among them: 1, 2 for `{"Q1": {"Part 2": …}}`."""
        numbers: tuple[int, ...] = ()
        for key in self.path:
            label = read_number_label(f"{key}:") or (numbers and read_number_label(f"{key})"))
            new = label.numbers if label else ()
            restates = len(new) > len(numbers) and new[: len(numbers)] == numbers
            numbers = new if restates else (*numbers, *new)
        return numbers

    @property
    def is_text(self) -> bool:
        """Whether it is more than a list of words."""
        least = _MIN_OTHER_WORDS if any(map(_LETTER.search, self.path)) else _MIN_BARE_WORDS
        return count_words(self.text) >= least * (1 + self.text.count("\n\n"))

    @property
    def is_word_pair(self) -> bool:
        """Whether it stands alone below one key that is a word."""
        return (
            len(self.path) == 1
            and bool(self.text)
            and "\n\n" not in self.text
            and (_LETTER.search(self.path[0]) is not None)
        )

    @property
    def line(self) -> str:
        """The string behind its keys, as one would write it in a text cell."""
        if len(self.path) == 1:
            label = "Q" * self.path[0].isdigit() + self.path[0]
            return f"{label}: {self.text}"
        others = (key for key in self.path if not read_number_label(f"{key}:"))
        words = [key for key in others if len(key) > 1 and not _ANSWER_KEY.fullmatch(key)]
        number = [f"Q{'.'.join(map(str, self.numbers))}"] if self.numbers else []
        return ": ".join([*number, *words, self.text])


def labeled_strings(node: ast.AST) -> Sequence[LabeledString]:
    """Return the strings of a piece of code in order, if any is below a question's number."""
    rows = list(_rows(node, ()))
    numbered = [row for row in rows if row.numbers]
    is_bare = not any(_LETTER.search(key) for row in numbered for key in row.path)
    least = _MIN_BARE_WORDS if is_bare else _MIN_NUMBERED_WORDS
    if not numbered or count_words(" ".join(row.text for row in numbered)) < least * len(numbered):
        return ()
    return [row for row in rows if row.numbers or row.is_text]


def strings_in_dictionary(node: ast.Dict) -> Sequence[LabeledString]:
    """Return the strings of a dictionary: those below its keys, and what is text further down."""
    return [row for row in _expression_rows(node, ()) if row.is_text or row.is_word_pair]


def constant_text(value: ast.expr | None) -> str | None:
    """Return a string that the code holds, with the values put into it in braces."""
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(
                f"{{{ast.unparse(part.value)}}}"
                if isinstance(part, ast.FormattedValue)
                else constant_text(part) or ""
                for part in parts
            )
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            texts = constant_text(left), constant_text(right)
            return "".join(text or "" for text in texts) if all(texts) else None
        case _:
            return None


def _rows(node: ast.AST, path: Path) -> Iterator[LabeledString]:
    match node:
        case ast.expr():
            yield from _expression_rows(node, path)
        case ast.Assign(targets=[*_, ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            yield from _mapping_rows([_target_path(target) for target in targets], values, path)
        case (
            ast.Assign(targets=[*_, target], value=value)
            | ast.AnnAssign(target=target, value=ast.expr() as value)
            | ast.AugAssign(target=target, value=value)
        ):
            yield from _expression_rows(value, (*path, *_target_path(target)))
        case ast.Expr(value=value):
            yield from _expression_rows(value, path)
        case ast.ClassDef(name=name, body=body):
            for statement in body:
                yield from _rows(statement, (*path, *_number_path(name)))
        case _:
            return


def _expression_rows(node: ast.expr, path: Path) -> Iterator[LabeledString]:
    match node:
        case ast.expr() if (text := _kept_text(node)) is not None:
            yield LabeledString(path, text)
        case ast.Dict(keys=keys, values=values):
            names = [_key_path(key) for key in keys]
            beside = [value for value in values if _is_key(value)]
            yield from _table_rows(node, path) or _mapping_rows(names, values, path, beside=beside)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            yield from _sequence_rows(elements, path)
        case ast.Call(args=args, keywords=keywords):
            names = [() for _ in args] + [_name_path(keyword.arg or "") for keyword in keywords]
            values = [*args, *(keyword.value for keyword in keywords)]
            numbering = [*args, *(k.value for k in keywords if _NUMBER_KEY.fullmatch(k.arg or ""))]
            beside = [value for value in numbering if constant_text(value) and _is_key(value)]
            yield from _table_rows(node, path) or _mapping_rows(names, values, path, beside=beside)
        case _:
            return


def _kept_text(value: ast.expr) -> str | None:
    """Return the text of a string, also of one that is stripped, wrapped or shown."""
    match value:
        case ast.Call(func=ast.Attribute(value=held)) if (text := constant_text(held)) is not None:
            return text
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[held, *_]):
            return _kept_text(held) if name in _WRAPPERS else None
        case _:
            return constant_text(value)


def _mapping_rows(
    names: Sequence[Path],
    values: Sequence[ast.expr],
    path: Path,
    *,
    beside: Sequence[ast.expr] = (),
) -> Iterator[LabeledString]:
    """Yield the strings below keys, or below the numbers that stand beside them as values."""
    if any(LabeledString(name, "").numbers for name in names):
        beside = ()
    below = (*path, *(key for value in beside for key in _key_path(value)))
    has_answer = any(_ANSWER_KEY.fullmatch(" ".join(name)) for name in names)
    for name, value in zip(names, values, strict=True):
        is_question = has_answer and _QUESTION_KEY.fullmatch(" ".join(name))
        if not is_question and value not in beside:
            yield from _expression_rows(value, (*below, *name))


def _sequence_rows(elements: Iterable[ast.expr], path: Path) -> Iterator[LabeledString]:
    """Yield the strings of a list, below the numbers that stand before them in it."""
    below, is_open, plain = path, False, list[str]()
    for element in elements:
        if _is_key(element):
            below = (*(below if is_open else path), *_key_path(element))
            is_open = True
            continue
        text = _kept_text(element)
        if text is not None and below == path:
            plain.append(text)
        else:
            yield from _expression_rows(element, below)
        is_open = False
    if plain:
        yield LabeledString(path, "\n\n".join(plain))


def _table_rows(node: ast.Dict | ast.Call, path: Path) -> list[LabeledString]:
    """Return the strings of columns beside a column of numbers: `zip(["Q1.1"], ["…"])`."""
    columns = list(_columns(node))
    keys = [column for column in columns if column and all(map(_is_key, column))]
    others = [c for c in columns if keys and len(c) == len(keys[0]) and c not in keys]
    if not others:
        return []
    rows = zip(*(key for key in keys if len(key) == len(keys[0])), *others, strict=True)
    return [kept for row in rows for kept in _sequence_rows(row, path)]


def _columns(node: ast.AST) -> Iterator[list[ast.expr]]:
    match node:
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            yield elements
        case ast.Dict(values=values):
            for value in values:
                yield from _columns(value) if isinstance(value, ast.List | ast.Tuple) else ()
        case ast.Call(args=args, keywords=keywords):
            for value in (*args, *(keyword.value for keyword in keywords)):
                yield from _columns(value) if not isinstance(value, ast.Call) else ()
        case _:
            return


def _is_key(value: ast.expr) -> bool:
    """Return whether a value is a question's number: 'Q1.2', 3."""
    match value:
        case ast.Constant(value=str(key)):
            is_short = count_words(key) <= _MAX_KEY_WORDS and not key.startswith("-")
            return is_short and read_number_label(f"{key}:") is not None
        case ast.Constant(value=int(number)):
            return not isinstance(number, bool) and 0 < number <= _MAX_NUMBER
        case _:
            return False


def _key_path(key: ast.expr | None) -> Path:
    match key:
        case ast.Constant(value=str() | int() | float() as value) if not isinstance(value, bool):
            return (str(value).strip(),)
        case ast.Tuple(elts=elements):
            return tuple(part for element in elements for part in _key_path(element))
        case _:
            return ()


def _target_path(target: ast.expr) -> Path:
    match target:
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id=name), attr="loc" | "at"):
            return _number_path(name)
        case ast.Subscript(value=value, slice=key):
            return (*_target_path(value), *_key_path(key))
        case ast.Attribute(value=value, attr=name):
            return (*_target_path(value), *_name_path(name))
        case _:
            return ()


def _number_path(name: str) -> Path:
    """Return a name as a key, if it has the number of a question: 'Q1.2' for `answer_1_2`."""
    match = _NUMBERED_NAME.match(name)
    if match is None:
        return ()
    numbers = re.findall(r"\d{1,2}|(?<=\d)[a-h]", match[1].lower())
    return (f"Q{'.'.join(n if n.isdigit() else str(ord(n) - ord('a') + 1) for n in numbers)}",)


def _name_path(name: str) -> Path:
    return _number_path(name) or ((name.replace("_", " ").strip(),) if name else ())
