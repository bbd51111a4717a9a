"""Finds the words that a student typed into a code cell instead of a text cell."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from grader.model import Cell
from grader.notebook.handout import Handout
from grader.notebook.labeled_strings import constant_text, labeled_strings, strings_in_dictionary
from grader.notebook.markdown_words import count_words, split_words, visible_lines
from grader.notebook.number_labels import read_number_label
from grader.notebook.student_code import is_blank, parse_source

_TEXT_MAGIC = re.compile(
    r"\s*%%(?:(?:markdown|html|latex)\b[^\n]*|writefile\b[^\n]*\.(?:md|txt|tex|html?)[ \t]*)"
    r"(?:\n|\Z)"
)
_OTHER_MAGIC = re.compile(r"\s*%%(?!capture|prun|timeit|time)\w+[^\n]*(?:\n|\Z)")
_NOT_SHOWN = re.compile(r"<(style|script)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TEXT_CALLS = frozenset({"print", "display", "Markdown", "HTML", "Latex", "Pretty"})
_DOCUMENT_CALLS = frozenset({"Markdown", "HTML", "Latex"})
_PICTURE_CALLS = frozenset({"Image", "SVG", "imread", "open", "imshow"})
_PICTURE_FILE = re.compile(
    r"[^\n()\[\]]{1,200}\.(?:png|jpe?g|gif|svg|webp|bmp|tiff?|heic|pdf)", re.IGNORECASE
)
_ANSWER_NAME = re.compile(
    r"(?:my_?)?(?:answers?|ans|q|question|part|response|solution)(?![^\W\d_])", re.IGNORECASE
)
_MIN_CELL_WORDS = 12
"""The least words of a code cell of words alone that is read as a text cell is."""
_MIN_STRING_WORDS, _MIN_COMPUTED_WORDS, _MIN_DOCUMENT_WORDS = 6, 12, 4
"""The least words among code that may be an answer: of a string, of one that values are put into,
of one that is shown as a document."""
_MIN_COMMENT_WORDS, _MIN_INNER_COMMENT_WORDS = 8, 12
"""The least words of such a comment; more if it stands between code, or above the handout's."""
_MAX_SENTENCES = 20_000
"""Characters of a cell that is no Python that are searched for sentences."""
_MIN_LINE_WORDS = 4
_MIN_WHOLE_WORDS = 2
"""The least words of a string that may be an answer where a cell holds nothing else."""
_SENTENCE_SHARE = 0.85
"""The least share of letters, spaces and the signs of sentences in a line that is no code."""
_SENTENCE_SIGN = re.compile(r"[^\W\d_]|[\s.,;:!?'\"()\u2019\u201c\u201d-]")
_BROKEN_STRING = re.compile(
    r"(?:[^\W\d]\w*\s?=|(?:\w+\()+|echo\s)\s?[rRfF]?[\"']{1,3}([^\"'].{0,8000}?)[\"']{0,3}\)*"
)
"""Matches a line that shows or keeps words in which a quotation mark ends the string too early."""
_CODE_SIGN = re.compile(
    r"\w\((?!s\))|[=\[\]{}]|^(?:from|import|class|def)\b(?!.*[.!?]$)"
    r"|^(?:pip3?|conda|apt|apt-get|git|wget|curl|python3?|unzip|mkdir|cd|ls|cp|mv|rm)\b"
)
"""Matches what stands in code and commands, and hardly in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeProse:
    """The words in a code cell."""

    text: Sequence[str] = ()
    """Lines of a cell that is a text cell by another name."""
    loose: Sequence[str] = ()
    """Lines that stand among code, and may be an answer where one is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """The words of one statement."""

    text: str
    """Markdown."""
    least: int = _MIN_STRING_WORDS
    """The least words that may be an answer in this form."""
    is_computed: bool = False
    """Whether values of the notebook are put into it."""
    is_picture: bool = False
    is_mixed: bool = False
    """Whether it is several texts, and no number tells whose each is."""


def read_code_prose(cell: Cell, *, handout: Handout) -> CodeProse:
    """Read the words in a code cell that are not the handout's."""
    try:
        return _read_code_prose(cell, handout=handout)
    except RecursionError:  # thousands of strings added up
        return CodeProse()


def _read_code_prose(cell: Cell, *, handout: Handout) -> CodeProse:
    magic = _TEXT_MAGIC.match(cell.source)
    if magic:
        return CodeProse(text=_lines_with_words(_NOT_SHOWN.sub("", cell.source[magic.end() :])))
    if other_magic := _OTHER_MAGIC.match(cell.source):
        source = cell.source[other_magic.end() :]
        is_command = source[:1].islower() and not source.startswith("echo ")
        return CodeProse() if is_command else _read_sentences(source, comments=(), handout=handout)
    if is_blank(cell):
        return CodeProse(text=_comment_lines(cell, handout=handout))
    tree = parse_source(cell.source)
    comments = list(_loose_comments(cell.source, handout=handout))
    if tree is None:
        return _read_sentences(cell.source, comments=comments, handout=handout)
    return _read_statements(tree.body, source=cell.source, comments=comments, handout=handout)


def _read_statements(
    body: Sequence[ast.stmt], *, source: str, comments: Sequence[str], handout: Handout
) -> CodeProse:
    match body:
        case [ast.Expr(value=ast.Constant(value=str(text)))]:
            return CodeProse(text=visible_lines(text))
        case _:
            pass
    lines = source.splitlines()
    words_by_statement = [_statement_words(statement) for statement in body]
    own = [
        words
        for statement, known in zip(body, words_by_statement, strict=True)
        if not handout.has_code_line(lines[statement.lineno - 1])
        for words in ([known] if known else _inner_words(statement))
    ]
    plain = "\n\n".join(words.text for words in own)
    is_whole = not handout.has_code(source) and all(
        words is not None or _says_nothing(statement)
        for statement, words in zip(body, words_by_statement, strict=True)
    )
    is_fixed = not any(words.is_computed or words.is_picture or words.is_mixed for words in own)
    is_fixed = is_fixed and not plain.rstrip().endswith(":")
    if is_whole and is_fixed and count_words(plain) >= _MIN_CELL_WORDS:
        return CodeProse(text=visible_lines(plain))
    if is_whole:
        own = [replace(words, least=min(words.least, _MIN_WHOLE_WORDS)) for words in own]
    paragraphs = [words.text for words in own if _may_answer(words)]
    return CodeProse(loose=visible_lines("\n\n".join([*paragraphs, *comments])))


def _lines_with_words(text: str) -> list[str]:
    lines = visible_lines(text)
    return lines if any(map(split_words, lines)) or "attachment:" in text else []


def _comment_lines(cell: Cell, *, handout: Handout) -> list[str]:
    """Return the comments of a cell that holds nothing else, if they are words."""
    comments = [line.strip().lstrip("#").strip() for line in cell.source.splitlines()]
    comments = [line for line in comments if not handout.has_comment(line)]
    return comments if any(comments) and not _is_code("\n".join(comments)) else []


def _is_code(text: str) -> bool:
    """Return whether comments are code that was commented out, rather than words."""
    tree = parse_source(text)
    return tree is not None and not all(
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Name | ast.Constant | ast.Tuple)
        for statement in tree.body
    )


def _loose_comments(source: str, *, handout: Handout) -> Iterator[str]:
    """Yield comments among code that are the student's sentences; those on lines of code aren't."""
    lines = source.rstrip().splitlines()
    is_given = handout.has_code(source)
    position = 0
    for is_comment, run in groupby(lines, lambda line: line.startswith("#")):
        run_lines = list(run)
        position += len(run_lines)
        if not is_comment:
            continue
        comments = [line.lstrip("#").strip() for line in run_lines]
        text = "\n".join(line for line in comments if not handout.has_comment(line))
        is_outer = position == len(lines) or (position == len(run_lines) and not is_given)
        least = _MIN_COMMENT_WORDS if is_outer else _MIN_INNER_COMMENT_WORDS
        is_labeled = any(map(_has_label, text.splitlines()))
        if (is_labeled or count_words(text) >= least) and not _is_code(text):
            yield text


def _read_sentences(source: str, *, comments: Sequence[str], handout: Handout) -> CodeProse:
    """Read a cell that is no Python: it may be plain English."""
    lines = [line.strip() for line in source[:_MAX_SENTENCES].splitlines()]
    sentences: list[str] = []
    least = _MIN_STRING_WORDS
    is_text = len(source) <= _MAX_SENTENCES and not handout.has_code(source)
    for line in lines:
        if not line:
            sentences.append("")
        elif handout.has_code_line(line) or handout.has_line(line):
            is_text = False
        elif (string := _BROKEN_STRING.fullmatch(line)) and count_words(string[1]) >= least:
            sentences.append(string[1])
        elif _is_sentence(line, is_continued=bool(sentences and sentences[-1])):
            sentences.append(line)
        else:
            is_text = False
    text = "\n".join(sentences).strip("\n")
    if is_text and count_words(text) >= _MIN_CELL_WORDS:
        return CodeProse(text=visible_lines(text))
    return CodeProse(loose=visible_lines("\n\n".join(filter(None, [text, *comments]))))


def _is_sentence(line: str, *, is_continued: bool) -> bool:
    if line.startswith(("#", "%", "!", "@")):
        return False
    is_short = parse_source(line) is not None or count_words(line) < _MIN_LINE_WORDS
    if is_short and not is_continued:
        return _has_label(line)
    share = len(_SENTENCE_SIGN.findall(line)) / len(line)
    return share >= _SENTENCE_SHARE and _CODE_SIGN.search(line) is None


def _has_label(text: str) -> bool:
    label = read_number_label(text)
    return label is not None and not label.is_bare


def _may_answer(words: _Words) -> bool:
    if words.is_picture or _has_label(words.text):
        return True
    least = max(words.least, _MIN_COMPUTED_WORDS) if words.is_computed else words.least
    return count_words(words.text) >= least and not words.text.rstrip().endswith((":", "="))


def _says_nothing(statement: ast.stmt) -> bool:
    """Return whether a statement only imports, or shows a variable."""
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Name()):
            return True
        case ast.Expr(value=ast.Call(args=args)) if _called_name(statement.value) in _TEXT_CALLS:
            return all(
                isinstance(arg, ast.Name)
                or (isinstance(arg, ast.Call) and all(isinstance(a, ast.Name) for a in arg.args))
                for arg in args
            )
        case _:
            return False


def _statement_words(statement: ast.stmt) -> _Words | None:
    """Return the words that a statement shows or keeps; None if it is code."""
    match statement:
        case ast.Expr(value=value):
            return _value_words(value) or _labeled_words(statement)
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            words = None if _value_words(value) else _labeled_words(statement)
            return words or _named_words(name, value)
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.ClassDef():
            return _labeled_words(statement)
        case _:
            return None


def _labeled_words(node: ast.AST) -> _Words | None:
    rows = labeled_strings(node)
    return _Words(text="\n\n".join(row.line for row in rows)) if rows else None


def _inner_words(statement: ast.stmt) -> Iterator[_Words]:
    """Yield the long strings, and the dictionaries of them, inside a statement that is code."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(statement)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and isinstance(node.body[0], ast.Expr)
        and isinstance(node.body[0].value, ast.Constant)
    }
    name = statement.name if isinstance(statement, ast.FunctionDef) else ""
    nodes: list[ast.AST] = [statement]
    while nodes:
        node = nodes.pop()
        if id(node) in docstrings and not _ANSWER_NAME.match(name):
            continue
        is_holder = isinstance(node, ast.stmt | ast.Dict | ast.List | ast.Tuple | ast.Call)
        words = _labeled_words(node) if is_holder else None
        if words is None and isinstance(node, ast.Dict | ast.List | ast.Tuple):
            words = _named_words("", node) if _holds_sentences(node) else None
        elif words is None and isinstance(node, ast.JoinedStr | ast.Constant):
            words = _named_words(name, node)
        if words is None:
            nodes += reversed(list(ast.iter_child_nodes(node)))
        elif count_words(words.text) >= _MIN_COMPUTED_WORDS:
            yield words


def _holds_sentences(node: ast.Dict | ast.List | ast.Tuple) -> bool:
    """Return whether a list holds nothing but sentences; what a dictionary holds is seen later."""
    if isinstance(node, ast.Dict):
        return True
    counts = [count_words(constant_text(element) or "") for element in node.elts]
    return len(counts) > 1 and all(counts) and sum(counts) >= _MIN_STRING_WORDS * len(counts)


def _named_words(name: str, value: ast.expr) -> _Words | None:
    """Return the words that a variable is given; the numbers in its name may be a question's."""
    least = 1 if _ANSWER_NAME.match(name) else _MIN_STRING_WORDS
    if isinstance(value, ast.Dict):
        texts = [row.line for row in strings_in_dictionary(value)]
    elif isinstance(value, ast.List | ast.Tuple):
        texts = _counted_texts(value.elts)
    else:
        return _text_words(name, value, least=least)
    is_mixed = len(texts) > 1
    return _Words(text="\n\n".join(texts), least=least, is_mixed=is_mixed) if texts else None


def _counted_texts(elements: Sequence[ast.expr]) -> list[str]:
    """Return the strings of a list, with their places before them where it has nothing else."""
    texts = [text.strip() for element in elements if (text := constant_text(element))]
    if len(texts) < len(elements) or any(map(read_number_label, texts)):
        return texts
    return [f"{number}. {text}" for number, text in enumerate(texts, start=1)]


def _text_words(name: str, value: ast.expr, *, least: int) -> _Words | None:
    words = _value_words(value)
    if words is None or _ANSWER_NAME.match(name) is None:
        return words
    numbers = re.findall(r"\d{1,2}", name)
    label = f"Q{'.'.join(numbers)}: " if numbers else ""
    return _Words(text=label + words.text, least=least, is_computed=words.is_computed)


def _value_words(value: ast.expr) -> _Words | None:
    text = constant_text(value)
    if text is not None:
        return _Words(text=text, is_computed=isinstance(value, ast.JoinedStr))
    match value:
        case ast.Call() if _called_name(value) in _PICTURE_CALLS:
            return _picture_words([*value.args, *(keyword.value for keyword in value.keywords)])
        case ast.Call() if _called_name(value) in _TEXT_CALLS:
            return _printed_words(value)
        case _:
            return None


def _printed_words(call: ast.Call) -> _Words | None:
    parts = [_value_words(argument) for argument in call.args]
    known = [part for part in parts if part]
    if not known:
        return None
    is_document = _called_name(call) in _DOCUMENT_CALLS
    return _Words(
        text=" ".join(part.text if part else "{}" for part in parts),
        least=_MIN_DOCUMENT_WORDS if is_document else min(part.least for part in known),
        is_computed=len(known) < len(parts) or any(part.is_computed for part in known),
        is_picture=any(part.is_picture for part in known),
    )


def _picture_words(arguments: Sequence[ast.expr]) -> _Words | None:
    """Return a picture of a file as Markdown shows it."""
    for argument in arguments:
        nested = _value_words(argument) if isinstance(argument, ast.Call) else None
        if nested and nested.is_picture:
            return nested
        name = constant_text(argument)
        if name and _PICTURE_FILE.fullmatch(name):
            return _Words(text=f"![{name}]({name})", is_picture=True)
    return None


def _called_name(value: ast.expr) -> str:
    match value:
        case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
            return name
        case _:
            return ""
