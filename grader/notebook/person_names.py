"""Tells names of people from other words."""

from __future__ import annotations

import re
import unicodedata

NICKNAME_MARKS = {"(": "\ue002", ")": "\ue003", '"': "\ue004"}
"""Signs that no text has, for the brackets or quotation marks of a nickname."""
_WORD = re.compile(
    r"[^\W\d_][^\W\d_'\u2019\u2010.\-\u00b7\u30fb]*(?:['\u2019\u2010.\-\u00b7\u30fb]+[^\W\d_]+)*\.?"
)
_MAX_WORDS = 6
_MAX_CODE_LETTERS = 2
_NAME_PARTS = "al bin da de del den der di dos du el la le van von y zu"
_REMARK_WORDS = """
    alone applicable both by candidate captain coder collaboration collaborator collaborators did
    driver freshman grad graduate group have hello hi i individual individually it junior lead
    leader me my myself n/a na navigator nil no nobody none nope not of on one only own partner phd
    respectively scribe self senior solo sophomore student submission team teammate this undergrad
    undergraduate work worked working writer
"""
_COMMON_WORDS = """
    a about above after all an and as at autumn banner be below both do each enter fall few
    fill first for from had has he her him his if in is last less long may more most off or
    other our out over placeholder please same she so some spring summer than that the them then
    they to too two under up was we were when which with without you
"""
_COURSE_WORDS = """
    abstract answer answers assignment canvas class computer contents convolutional course date
    deep department due eid eids firstname given gradescope group here homework hw id ids insert
    instructor introduction lab lastname learning machine member members minutes name names
    needed netid network networks neural note notebook overview part partners people points
    problem professor project question replace report reserved rights science section semester
    solution students submission submit submitted surname tba tbd team term time title todo
    total type uid university untitled write xx xxx xxxx your
"""
_PARTICLES = frozenset(_NAME_PARTS.split())
_REMARKS = frozenset(_REMARK_WORDS.split())
"""Words that say that somebody worked alone, that there is nobody, or what somebody is."""
_SOMETIMES = frozenset(_COMMON_WORDS.split())
"""Words that may be part of a name where all its words have capitals: 'He', 'An', 'May'."""
_NEVER = frozenset(_COURSE_WORDS.split())
"""Words of courses and placeholders."""


def is_name(text: str) -> bool:
    """Return whether a text could be a name where a label asks for one."""
    words = text.split()
    if not 1 <= len(words) <= _MAX_WORDS or not all(map(_is_name_word, words)):
        return False
    keys = list(map(_key, words))
    plain = [key for key in keys if key not in _NEVER | _SOMETIMES | _REMARKS or len(key) == 1]
    if not any(len(key) > 1 for key in plain) or not _NEVER.isdisjoint(keys):
        return False
    return len(plain) == len(words) or not any(map(_is_lowercase, words))


def is_full_name(text: str) -> bool:
    """Return whether a text is a name even without a label: two capitalized words or more."""
    words = [word for word in text.split() if word.casefold() not in _PARTICLES]
    if len(words) == 1:  # names in Chinese, Japanese and Korean have no spaces
        return re.fullmatch(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]{2,4}", words[0]) is not None
    return len(words) > 1 and not any(map(_is_lowercase, words))


def is_remark(text: str) -> bool:
    """Return whether a text only says how somebody worked, or as what: 'solo', 'none', 'scribe'."""
    return all(_key(word) in _REMARKS for word in text.split())


def is_title(text: str) -> bool:
    """Return whether a text names a course or an assignment: 'HW 5', 'CS 391L Homework'."""
    keys = [re.sub(r"[\W\d_]+", "", word.casefold()) for word in text.split()]
    return all(key in _NEVER or len(key) <= _MAX_CODE_LETTERS for key in keys)


def may_be_name(text: str) -> bool:
    """Return whether an unreadable text stands where a name would: it may not be passed over."""
    keys = list(map(_key, text.split()))
    others = [key for key in keys if key not in _NEVER and not key.isdigit()]
    return len(others) > 1 and not is_title(text) and _opens_name(text.strip()[0])


def _opens_name(sign: str) -> bool:
    return not (sign.islower() or sign.isdigit())


def names_within(text: str) -> list[str]:
    """Return the runs of capitalized words in a sentence that could be names."""
    runs: list[list[str]] = [[]]
    for word in text.split():
        is_inner = bool(runs[-1]) and word in _PARTICLES
        if is_inner or (
            _is_name_word(word)
            and not _is_lowercase(word)
            and _key(word) not in _NEVER | _SOMETIMES | _REMARKS
        ):
            runs[-1].append(word)
        else:
            runs.append([])
    return [name for run in runs if is_full_name(name := " ".join(run)) and is_name(name)]


def _is_name_word(word: str) -> bool:
    """Return whether a word consists of letters, whatever marks its script puts on them."""
    letters = "".join(sign for sign in word if unicodedata.category(sign)[0] not in "MC")
    return _WORD.fullmatch(letters) is not None


def _is_lowercase(word: str) -> bool:
    return word.lstrip("".join(NICKNAME_MARKS.values()))[:1].islower()


def _key(word: str) -> str:
    return word.casefold().strip(".,'\u2019")
