"""Recognizes words beside an answer that are no part of it: 'Answer:', 'type your answer here'."""

from __future__ import annotations

import re

from grader.notebook.markdown_words import is_section_number, line_key

_LABEL = re.compile(
    r"^[\s>#*_\-]*(?:<\w[^<>]{0,100}>\s*)*"
    r"(?:(?:(?:my|our|your|the|written)\s+)?(?:answers?|ans|solution|soln|response"
    r"|respuesta|resposta|risposta|r[eé]ponse|antwort|antwoord|svar|odpowiedź|cevap|ответ|答案?|回答"
    r"|답변?)\b"
    r"(?:\s*(?:to|for)?\s*\(?(?:(?:q(?:uestion)?|part)\s*)?\d[\d.]{0,6}\)?)?(?=[^\w(])"
    r"|a\d{0,2}(?=\s*:))\s*"
    r"(?P<sign>[:.=\uff1a]|[-\u2013\u2014]+(?=\s|$))?\s*"
    r"(?P<close>(?:[*_]{1,3}(?![\w*])|[*_]{2,3}|</\w+>)\s*)*"
    r"(?P<late_sign>[:.=\uff1a]|[-\u2013\u2014]+(?=\s|$))?[ \t]*",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"(?:please )?(?:(?:double )?click (?:here |on )?(?:this cell )?to "
    r"(?:edit|add|type|write).{0,40}"
    r"|(?:type|write|enter|insert|put|add|replace|fill in)\b.{0,30}"
    r"\b(?:answer|solution|response|text|code)s?\b.{0,20}\b(?:here|below|cell|this)"
    r"|(?:type|enter|write|insert) (?:your|the) (?:answer|solution|response)s?"
    r"|(?:your |the )?(?:answer|solution|response|code)s? (?:goes |comes )?(?:here|below)"
    r"|todo|fillme|fill me(?: in)?|tbd|x{3,}|type markdown and latex.{0,20}"
    r"|your (?:answer|solution|response|text))"
)


def is_placeholder(line: str) -> bool:
    """Return whether a line only says where an answer goes: 'Type your answer here', 'Q1.2'."""
    return bool(_PLACEHOLDER.fullmatch(line_key(line))) or is_section_number(line)


def without_label(line: str) -> str:
    """Return a line without the 'Answer:' before it; empty where it is the label alone."""
    match = _LABEL.match(line + "\n")
    if not match:
        return line
    rest = line[match.end() :]
    if rest.strip() and not (match["sign"] or match["late_sign"] or match["close"]):
        return line
    for emphasis in ("**", "__"):  # the end of an emphasis whose beginning went with the label
        if line[: match.end()].count(emphasis) % 2 and rest.rstrip().endswith(emphasis):
            rest = rest.rstrip().removesuffix(emphasis)
    return "" if not rest.strip(" \t#*_") else rest
