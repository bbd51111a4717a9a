"""Splits a line into names, ids, labels and other words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from grader.notebook.markdown_words import plain_text

_ID_WORDS = (
    r"(?:(?:ut|student|university|net|user|matriculation|matric|registration|campus|unity|uni)"
    r"[\s_-]*)?(?:eids?|ids?|netids?|uids?|numbers?|nos?|uteids?|utids?|usernames?)"
)
_NAME_WORDS = (
    r"(?:(?:full|student|student's|students'|group|team|partner|partner's|member|my|our|your)\s+)*"
    r"(?:names?|students?|members?|partners?|teammates?|authors?|submitted by|written by|by"
    r"|collaborators?|team|group)"
)
# Atomic: 'team group' is one label or two, and a line of them would be read in every mixture.
_ONE_LABEL = rf"(?>(?:{_ID_WORDS}|{_NAME_WORDS})(?:\s?\(s\)|/s)?(?:\s*\#?\d{{1,2}}\b)?)"
_JOINED = (
    rf"{_ONE_LABEL}(?>\s*(?:,|and|&|/|\+|\(|\s)\s*(?:the\s+|(?:ut|student)\s+)?{_ONE_LABEL}\)?)*+"
)
_LABEL_WITH_COLON = re.compile(
    rf"(?<![\w'\u2019.-])(?:{_JOINED})(?:\s+(?:{_JOINED}))?\s*(?::|=|(?<=\s)[-\u2013\u2014](?=\s)|[-\u2013\u2014]\s*$)",
    re.IGNORECASE,
)
_LABEL_ALONE = re.compile(rf"\W*{_JOINED}(?:\s+(?:{_JOINED}))?\W*", re.IGNORECASE)
_ID_PREFIX = re.compile(
    r"(?<![\w'\u2019.-])(?:(?:ut|student)[\s_-]*)?(?:eid|netid|net id|uid|uteid|utid|id)"
    r"\s*[#:=]?\s*(?=[\w.-]*\d)",
    re.IGNORECASE,
)
_LEADING_NAME_WORD = re.compile(r"^(?:full\s+)?names?\s+(?=[^\W\d_])", re.IGNORECASE)
_OTHER_LABEL = re.compile(
    r"^(?:team|group)\s+(?:name|number|no|id)\b|^(?:date|due|course|class|section|instructor|"
    r"professor|prof|ta|term|semester|assignment|homework|hw|title|e-?mail)\b[^:]{0,20}[:#]",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"<?(?:mailto:)?(?<![\w.+-])([\w.+-]+)@[\w-]+(?:\.[\w-]+)+>?")
_ID = re.compile(
    r"(?<![\w@.-])(?:[A-Za-z]{1,10}[._-]?\d{2,10}(?:[A-Za-z]{1,3}\d*)?|\d{4,12}[A-Za-z]?"
    r"|\d{2,6}(?:[-.]\d{2,6}){1,3}|[A-Za-z]{1,4}\d[A-Za-z\d]{1,8}"
    r"|[A-Za-z]{1,20}(?:[.-][A-Za-z\d]{1,20})*[.-]\d{2,8})(?![\w@-])"
)
_PRONOUNS = re.compile(r"\(\s*(?:she|he|they|ze)\b[^)]{0,30}\)", re.IGNORECASE)
_BRACKETED = re.compile(r"[(\[{<]\s*([A-Za-z][\w.-]{0,19}|\d[\d.-]{1,19})\s*[)\]}>]")
_SEPARATOR = re.compile(
    r"\s*(?:;|&|\||\+|\t|/|\band\b|\bwith\b|\s[-\u2013\u2014]+(?=\s|$)|:|[()\[\]{}<>]|#)\s*"
)
_NAME_WORD = re.compile(r"[^\W\d_][^\W\d_'\u2019.\-]*(?:['\u2019.\-]+[^\W\d_]+)*\.?")
_MAX_NAME_WORDS = 6
_PROSE_WORDS = 14
_NAME_PARTS = "al bin da de del den der di dos du el la le van von y zu"
_PARTICLES = frozenset(_NAME_PARTS.split())
_OTHER_WORDS = """
    a abstract alone an answer assignment autumn banner be below class computer convolutional
    course date deep department due eid eids enter fall fill first firstname for given group he her
    here him homework hw id ids if in individually insert instructor introduction is lab last
    lastname learning machine may member n/a na name names netid network networks neural none note
    notebook of only or our part partner placeholder please points problem professor project
    question replace report science section semester she solo solution spring student students
    submission submit summer surname tba tbd team teammate term the them they this title to
    todo total type uid university untitled we worked write xx xxx xxxx you your
"""
_NOT_NAMES = frozenset(_OTHER_WORDS.split())
_SOMETIMES_NAMES = frozenset({"Autumn", "Banner", "Fall", "May", "Placeholder", "Spring", "Summer"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NameToken:
    """A part of a line, of the kind 'name', 'id', 'label' or 'other'."""

    kind: str
    text: str


def read_name_tokens(line: str) -> list[NameToken]:
    """Return the names, ids and labels of a line of Markdown or a table's row, in order."""
    text = _PRONOUNS.sub(" ", plain_text(line))
    if not re.sub(r"[\s|:=_.…-]+", "", text):
        return []
    if _OTHER_LABEL.match(text):
        return [NameToken(kind="other", text=text)]
    if _LABEL_ALONE.fullmatch(text):
        return [NameToken(kind="label", text=text)]
    unlabeled = _LEADING_NAME_WORD.sub("", _LABEL_WITH_COLON.sub(";", text), count=1)
    label_tokens = [NameToken(kind="label", text="")] if unlabeled != text else []
    if "|" in text:
        return label_tokens + [
            token for column in text.split("|") for token in read_name_tokens(column)
        ]
    return label_tokens + list(_names_and_ids(_without_emails(_ID_PREFIX.sub(" ; ", unlabeled))))


def is_prose(line: str) -> bool:
    """Return whether a line is prose rather than names: many words, most of them in lower case."""
    line_words = re.findall(r"[^\W\d_]\S*", plain_text(line))
    lowercase_count = sum(word[0].islower() and not _ID.search(word) for word in line_words)
    return len(line_words) > _PROSE_WORDS and 2 * lowercase_count > len(line_words)


def is_full_name(text: str) -> bool:
    """Return whether a text is a name even without a label: two capitalized words or more."""
    name_words = [word for word in text.split() if word.casefold() not in _PARTICLES]
    return len(name_words) > 1 and all(not word[0].islower() for word in name_words)


def _without_emails(text: str) -> str:
    """Remove e-mail addresses; the part before the @ is the id where there is no other."""
    bare = _EMAIL.sub(" ", text)
    if _ID.search(bare):
        return re.sub(r"[(<\[]\s*[)>\]]", " ", bare)
    return _EMAIL.sub(lambda match: f" {match[1]} " if _ID.fullmatch(match[1]) else " ", text)


def _names_and_ids(text: str) -> Iterator[NameToken]:
    """Split a line at its ids, and the text between them at separators."""
    position = 0
    for start, end, student_id in _id_spans(text):
        yield from _split_names(text[position:start])
        yield NameToken(kind="id", text=student_id)
        position = end
    yield from _split_names(text[position:])


def _id_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the words that look like an id, also short ones in brackets after a name."""
    spans = {match.start(): (match.start(), match.end(), match[0]) for match in _ID.finditer(text)}
    for match in _BRACKETED.finditer(text):
        word = match[1]
        # '(ada.example)' and '(ab1)' are ids, '(Ada)' and '(she)' are not.
        is_id = (
            len(word) > 1
            and word.casefold() not in _NOT_NAMES
            and (word == word.lower() or any(letter.isdigit() for letter in word))
        )
        if match.start(1) not in spans and is_id:
            spans[match.start(1)] = (match.start(1), match.end(1), word)
    return (spans[start] for start in sorted(spans))


def _split_names(text: str) -> Iterator[NameToken]:
    """Split a stretch of text without ids into names and other words."""
    for chunk in _SEPARATOR.split(text):
        for part in _split_at_commas(chunk):
            name = part.strip(" ,.'\"*_\u2013\u2014-?!")
            if name:
                yield NameToken(kind="name" if _is_name(name) else "other", text=name)


def _split_at_commas(chunk: str) -> list[str]:
    """Split 'Ada Example, Ben Sample' into two names; turn 'Example, Ada' round as one."""
    parts = [part.strip() for part in chunk.split(",") if part.strip()]
    inverted = len(parts) == 2 and any(" " not in part for part in parts)  # noqa: PLR2004 -- an inverted name has two parts
    return [f"{parts[1]} {parts[0]}"] if inverted else parts


def _is_name(text: str) -> bool:
    name_words = text.split()
    if not 1 <= len(name_words) <= _MAX_NAME_WORDS:
        return False
    other_words = [word for word in name_words if word.casefold().strip(".,'\u2019") in _NOT_NAMES]
    if len(other_words) == len(name_words) or not _SOMETIMES_NAMES.issuperset(other_words):
        return False
    return all(_NAME_WORD.fullmatch(word) for word in name_words)
