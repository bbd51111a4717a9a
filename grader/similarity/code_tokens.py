"""Compares code by its structure, whatever names, comments and numbers it has."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Iterator, Sequence

from grader.similarity.sentences import MAX_CHARS, TextToken
from grader.similarity.similar_pairs import Document, SimilarPair, Strictness, find_similar_pairs

CODE = Strictness(run_length=12, min_words=40, min_share=0.5, common_share=0.1, max_rare=3)
"""Thresholds for code: students' code is similar anyway, so more of it must be the same."""
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
"""Python's own tokenizer stops at the first error, and students' cells have errors."""
_KEPT_NAMES = frozenset(keyword.kwlist) | frozenset(dir(builtins)) | {"self"}


def find_code_pairs(
    documents: Sequence[Document], *, shared_texts: Iterable[str] = ()
) -> tuple[SimilarPair, ...]:
    """Return the pairs of similar code; `shared_texts` is code that all were given."""
    return find_similar_pairs(
        documents, shared_texts=shared_texts, strictness=CODE, tokens=tokenize_code
    )


def tokenize_code(source: str) -> Iterator[TextToken]:
    """Yield the tokens; all own names are equal, as are all strings, and comments are left out."""
    for match in _TOKEN.finditer(source[:MAX_CHARS]):
        kind = match.lastgroup or "sign"
        if kind != "comment":
            yield TextToken(_normalize_token(kind, match.group()), match.start(), match.end())


def _normalize_token(kind: str, text: str) -> str:
    if kind == "name":
        return text if text in _KEPT_NAMES else "a name"
    if kind == "attribute":
        return "." + text[1:].strip()
    return text if kind == "sign" else f"a {kind}"
