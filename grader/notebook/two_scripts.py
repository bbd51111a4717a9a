"""Finds names that are written twice: in a script of their own, and in Latin letters beside it.

'김민수 (Minsu Kim)' is one person, and is called as in Latin letters. Where only a sign or a space
stands between the two, they may be two students: the name in the other script is marked then, and
counts where there is an id for it.
"""

from __future__ import annotations

import re

from grader.notebook.name_labels import is_label

ALIAS_MARK = "\ue005"
"""A sign that no text has, put behind a name that may be another form of the one beside it."""
_OWN_LETTER = (
    r"(?![\u060c\u061b\u061f\u0964])"
    r"[\u0370-\u1cff\u3005-\u9fff\uac00-\ud7af\ufb1d-\ufdff\ufe70-\ufefe\u200c\u200d]"
)
_AND = "(?:и|та|和|与|與|及|跟|と|와|과|그리고|और|و)"
_OWN_WORD = rf"(?!{_AND}(?!\w))(?:{_OWN_LETTER}){{1,20}}"
_OWN = rf"(?<![\w.-])(?P<own>{_OWN_WORD}(?:[ -]{_OWN_WORD}){{0,3}})(?!\w)"
_WORD = r"[A-Z\u00c0-\u00de](?:[^\W\d_\u0370-\uffff]|['\u2019.-](?=\w)){0,30}\.?"
_LATIN = rf"(?<![\w.-])(?P<latin>{_WORD}(?:,?[ ]{_WORD}){{1,3}})(?!\w)"
_OPEN, _CLOSE = r"\s{0,3}[(\[]\s{0,3}", r"\s{0,3}(?:[)\]]|(?=[,;]))"
_BETWEEN = r"\s{0,3}(?:[/|=~\u00b7]|[-\u2013\u2014](?=\s)|\baka\b|\bor\b)\s{0,3}"
_IN_BRACKETS = (
    re.compile(rf"{_OWN}{_OPEN}{_LATIN}{_CLOSE}"),
    re.compile(rf"{_LATIN}{_OPEN}{_OWN}{_CLOSE}"),
)
_ALIASES = (
    re.compile(rf"{_OWN}(?={_BETWEEN}{_LATIN})"),
    re.compile(rf"{_LATIN}{_BETWEEN}{_OWN}"),
    re.compile(rf"^{_OWN}(?=\s{{0,3}},\s{{0,3}}{_LATIN}\s{{0,3}},\s{{0,3}}[^\s,]*\d[^\s,]*$)"),
)
_SIDE_BY_SIDE = (re.compile(rf"{_OWN}\s{_LATIN}"), re.compile(rf"{_LATIN}\s{_OWN}"))
_OWN_SIGN = re.compile("[\u0370-\u1cff\u2e80-\uffff]")


def share_script(name: str, other: str) -> bool:
    """Return whether both names are written in Latin letters, or neither is."""
    return (_OWN_SIGN.search(name) is None) == (_OWN_SIGN.search(other) is None)


def join_scripts(text: str) -> str:
    """Return a line with one of two forms of a name, or a mark behind the one that may be such."""
    if text.isascii():
        return text

    def keep_latin(match: re.Match[str]) -> str:
        return match[0] if is_label(match["own"]) else f" {match['latin']} "

    def mark(match: re.Match[str]) -> str:
        return match[0] if is_label(match["own"]) else f"{match[0]}{ALIAS_MARK}"

    for pattern in _IN_BRACKETS:
        text = pattern.sub(keep_latin, text)
    for pattern in _ALIASES:
        text = pattern.sub(mark, text)
    for pattern in _SIDE_BY_SIDE:
        text = pattern.sub(keep_latin, text)
    return text
