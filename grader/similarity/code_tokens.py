"""Code to what is compared of it: its shape, whatever names, comments and numbers it has."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Iterator, Sequence

from grader.similarity.sentences import LONGEST, Word
from grader.similarity.similar_pairs import Document, Pair, Strictness, find_similar_pairs

CODE = Strictness(run=12, least=40, share=0.5, common=0.1, few=3)
"""Code of one assignment is much alike, so more of it must be the same."""
_TOKEN = re.compile(
    r"""
    (?P<comment>\#[^\n]*)
  | (?P<string>(?:[rbfuRBFU]{0,2})(?:'{3}.*?'{3}|"{3}.*?"{3}|'[^'\n]*'|"[^"\n]*"))
  | (?P<attribute>\.\s*[^\W\d]\w*)
  | (?P<name>[^\W\d]\w*)
  | (?P<number>\d[\w.]*)
  | (?P<sign>[^\s\w])
    """,
    re.VERBOSE | re.DOTALL,
)
"""A tokenizer of our own: Python's stops at the first fault, and students' cells have faults."""
_KEPT = frozenset(keyword.kwlist) | frozenset(dir(builtins)) | {"self"}


def code_pairs(documents: Sequence[Document], *, given: Iterable[str] = ()) -> tuple[Pair, ...]:
    """The pairs among code of several submissions; `given` is the code that all had before them."""
    return find_similar_pairs(documents, given=given, strictness=CODE, tokens=tokens)


def tokens(source: str) -> Iterator[Word]:
    """The tokens: names of one's own, strings and numbers are all the same; comments are not."""
    for found in _TOKEN.finditer(source[:LONGEST]):
        kind = found.lastgroup or "sign"
        if kind != "comment":
            yield Word(_said(kind, found.group()), found.start(), found.end())


def _said(kind: str, text: str) -> str:
    if kind == "name":
        return text if text in _KEPT else "a name"
    if kind == "attribute":
        return "." + text[1:].strip()
    return text if kind == "sign" else f"a {kind}"
