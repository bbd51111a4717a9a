"""Splits a line into names, ids, labels and other words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

from grader.notebook.markdown_words import plain_text
from grader.notebook.name_labels import ID_MARKS, asks_for_id, is_label, replace_labels
from grader.notebook.other_labels import is_other_label, without_asides
from grader.notebook.person_names import (
    NICKNAME_MARKS,
    is_name,
    is_remark,
    may_be_name,
    names_within,
)
from grader.notebook.team_names import join_team_column, read_team_line, without_team_behind
from grader.notebook.two_scripts import ALIAS_MARK, join_scripts, share_script
from grader.text_folding import fold_accents

_EMAIL = re.compile(r"<?(?:mailto:)?(?<![\w.+-])([\w.+-]+)@[\w-]+(?:\.[\w-]+)+>?")
_URL = re.compile(
    r"\b(?:https?|ftp)(?::/*[^\s<>()]*)?|\b(?:www\.|[\w-]{1,40}\.(?:com|org|edu|io|net)/)[^\s<>()]*",
    re.IGNORECASE,
)
_NOT_SAID = re.compile(
    r"\[@?([\w.-]{1,40})\]\([^()\s]{1,200}/\1/?\)|~~[^~]{1,200}~~", re.IGNORECASE
)
"""Matches a link to an account, '[ada99](https://example.org/ada99)', and what is struck out."""
_PRONOUNS = re.compile(
    r"\(\s*(?:she|he|they|ze)\b[^)]{0,30}\)|\b(?:she|he|they)/(?:her|him|them)(?:/\w{1,8})?",
    re.IGNORECASE,
)
_NOT_APPLICABLE = re.compile(r"\bn\s*[/.]\s*a\b\.?", re.IGNORECASE)
_ID = re.compile(
    r"(?<![\w@.-])(?:[A-Za-z]{1,10}[._-]?\d{2,10}(?:[A-Za-z]{1,3}\d*)?|\d{4,12}[A-Za-z]?"
    r"|\d{2,6}(?:[-.]\d{2,6}){1,3}|[A-Za-z]{1,4}\d[A-Za-z\d]{1,8}"
    r"|[A-Za-z]{1,20}(?:[.-][A-Za-z\d]{1,20})*[.-]\d{2,8})(?![\w@-])"
)
_MARKED_ID = re.compile(rf"{ID_MARKS[0]}([^{ID_MARKS[1]}]+){ID_MARKS[1]}")
_NO_ID = re.compile(
    r"(?:19|20)\d\d(?:[-.]\d\d?(?:[-.]\d\d?)?)?|\d\d?[-.]\d\d?[-.](?:19|20)?\d\d|\d{1,3}[-.]\d{1,3}"
    r"|.*[a-z][A-Z].*|[A-Za-z].*\d\.\d.*|N(?:r|o|um)[._-]?\d{1,3}"
)
"""Years, dates, ranges, numbers with a point, and words such as ResNet50, v2.1 and Nr027."""
_CERTAIN_ID = re.compile(r"(?=(?:\D*\d){3})[a-z\d._-]+|(?=(?:\D*\d){4})[A-Z._-]+\d+|[\d.-]{5,}")
_BRACKETED = re.compile(r"[(\[{<]\s*([A-Za-z][\w.-]{0,19}|\d[\d.-]{3,19})\s*[)\]}>]")
_NICKNAME = re.compile(r"\s*([(\"\u201c])([^\W\d_][^\s()\"\u201c\u201d.,;]*)([)\"\u201d])(?=\W|$)")
_NICKNAME_SIGNS = {ord(mark): sign for sign, mark in NICKNAME_MARKS.items()}
_MARKS = _NICKNAME_SIGNS.keys() | {ord(ALIAS_MARK)}
_REMARK = re.compile(r"[(\[]([^()\[\]\d]{1,40})[)\]]")
_AND = r"(?:und|et|och|og|oraz|ve|và|и|та|和|与|與|及|跟|と|그리고|और|و)"
_AND_IN_NAMES = r"(?:y|e|i|en)"
"""Words for 'and' that join parts of one name, too: 'Ada Example y Sample'."""
_LEADING_AND = re.compile(
    rf"[\W_]*(?:(?:{_AND}|{_AND_IN_NAMES})(?=\s+\w|\s*$)|[和与與及跟](?=[\u4e00-\u9fff]{{2}}))"
)
_AND_OF_NAMES = re.compile(rf"(\w\S*\s+\w\S*)\s+{_AND_IN_NAMES}\s+(?=\w\S*\s+\w)")
_SEPARATOR = re.compile(
    rf"\s*(?:;|&|\||\+|\t|/|\b(?:and|with)\b|(?<!\S){_AND}(?!\S)"
    r"|\s[-=]*[-=>\u2013\u2014\u2192]+(?=\s|$)|:|[()\[\]{}<>]|#)\s*"
)
_SUFFIX = re.compile(
    r",\s*(?=(?:jr|sr|ii|iii|iv|ph\.?d)\b(?!\.?\s+(?:student|candidate)))", re.IGNORECASE
)
_ORDER = re.compile(
    r"\(\s*(?:(?:first|last|family|given|middle|full)(?:\s?names?)?|surname)"
    r"(?:(?:\s*[,/&]\s*|\s+(?:and\s+)?)(?:(?:first|last|family|given|middle)(?:\s?names?)?|surname))*\s*\)",
    re.IGNORECASE,
)
"""Matches how a label asks for a name: 'Name (Last, First):'."""
_TITLE = re.compile(
    r"^(?:(?:mr|ms|mrs|mx|dr|mme|mlle|sr|sra|srta|sig|hr|fr)\.|(?:mr|ms|mrs|mx|miss|dr|mme|mlle|herr|frau"
    r"|sig\.ra|dhr\.|mevr\.))\s+(?=\w)",
    re.IGNORECASE,
)
_OPENING_BRACKET = re.compile(r"\s*[(\[{<]\s*")
_AUTOLINK = re.compile(r"<(?:mailto:)?([\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+)>", re.IGNORECASE)
"""Matches an address as Markdown links it: '<ae10001@example.org>'."""
_PROSE_WORDS = 14
_MIN_SHARED_LETTERS = 3
_MIN_LISTED_IDS = 2
"""The least ids behind 'Team: Lazy Learners, …' that show it to be no student."""


_BRACKETS = re.compile(r"(?<=\S)\s{0,3}[(\[]([^()\[\]]{10,300})[)\]](?!\()")
_TOLD_WORDS = 4
"""The most words in brackets that may be a name, a role or a label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameToken:
    """A part of a line.

    Its kind is 'name', 'id', 'label', 'team' (a team's name, or a student's where nobody else is
    named), 'alias' (another form of the name beside it, or a name with an id of its own), 'unread'
    (it may be a name, but can't be read as one) or 'other'.
    """

    kind: str
    text: str


def read_name_tokens(line: str) -> list[NameToken]:
    """Return the names, ids and labels of a line of Markdown or a table's row, in order.

    The labels of a column come before its names.
    """
    shown = _without_told(_AUTOLINK.sub(r" \1 ", _NOT_SAID.sub(" ", line)))
    text = _PRONOUNS.sub(" ", _URL.sub(" ", plain_text(shown)))
    text = join_scripts(join_team_column(_ORDER.sub("", text)))
    text = re.sub(r"(?<!\S)@(?=\w)|(?<=[(\[])@", "", text)
    tokens = [
        token
        for column in _NOT_APPLICABLE.sub("none", text).split("|")
        for token in _read_column(column.strip())
    ]
    return [
        NameToken(kind="id", text=token.text) if _is_id_of(token, tokens[:index]) else token
        for index, token in enumerate(tokens)
    ]


def is_prose(line: str) -> bool:
    """Return whether a line is prose rather than names: many words, most of them in lower case."""
    line_words = re.findall(r"[^\W\d_]\S*", plain_text(_without_told(line)))
    lowercase_count = sum(word[0].islower() and not _ID.search(word) for word in line_words)
    return len(line_words) > _PROSE_WORDS and 2 * lowercase_count > len(line_words)


def _without_told(line: str) -> str:
    """Return a line without what is told in brackets behind a name or an id, in a sentence."""

    def replace_sentence(match: re.Match[str]) -> str:
        words = re.findall(r"[^\W\d_]\S*", match[1])
        lowercase_count = sum(word[0].islower() for word in words)
        is_told = len(words) > _TOLD_WORDS and 2 * lowercase_count > len(words)
        holds_id = any(map(is_certain_id, re.findall(r"\w+", match[1])))
        return " " if is_told and not holds_id else match[0]

    return _BRACKETS.sub(replace_sentence, line)


def is_certain_id(text: str) -> bool:
    """Return whether a text is an id even without a label: 'ab123', '12345', not 'VGG16'."""
    return _CERTAIN_ID.fullmatch(text) is not None


def _read_column(text: str) -> list[NameToken]:
    if not re.sub(r"[\s:=_.\u2026-]+", "", text):
        return []
    if (team := _read_team(text)) is not None:
        return team
    if is_other_label(text):
        return [NameToken(kind="other", text=text)]
    if is_label(text):
        return [NameToken(kind="label", text=text)]
    unlabeled, labels = replace_labels(_without_asides(text))
    tokens = [NameToken(kind="label", text=label) for label in labels]
    return tokens + list(_names_and_ids(_without_remarks(_without_emails(unlabeled))))


def _read_team(text: str) -> list[NameToken] | None:
    """Read a line that names a team first; None where it names a student as any line does."""
    line = read_team_line(text)
    if line is None or any(_id_spans(line.name)):
        return None
    tokens = _read_column(line.rest)
    ids = [token for token in tokens if token.kind == "id"]
    opens_with_id = tokens and (tokens[0].kind == "id" or asks_for_id(tokens[0].text))
    if opens_with_id and line.has_label:
        return [NameToken(kind="label", text="Team:"), *_read_column(line.listed)]
    if opens_with_id or (line.in_list and not line.is_sure and len(ids) < _MIN_LISTED_IDS):
        return None
    label = [NameToken(kind="label", text="Team:")] if line.has_label else []
    names = [] if line.is_sure else _split_names(line.name, is_after_id=False)
    team = [replace(token, kind="team") if token.kind == "name" else token for token in names]
    return [*label, *(token for token in team if not (ids and token.kind != "team")), *tokens]


def _without_asides(text: str) -> str:
    """Return a line without what names no student beside those whom it names."""
    text = without_asides(text)
    first = next(_id_spans(text), None)
    return text if first is None else text[: first[1]] + without_team_behind(text[first[1] :])


def _is_id_of(token: NameToken, before: list[NameToken]) -> bool:
    """Return whether a word without a digit is made of the name before it: 'aexample'."""
    names = [other.text for other in before if other.kind == "name" and " " in other.text]
    return token.kind == "name" and bool(names) and _is_made_of(token.text, names[-1])


def _is_made_of(word: str, name: str) -> bool:
    parts = (part for part in fold_accents(name).split() if len(part) >= _MIN_SHARED_LETTERS)
    return word.isascii() and word.islower() and word.isalpha() and any(p in word for p in parts)


def _without_emails(text: str) -> str:
    """Remove e-mail addresses; the part before the @ is the id where there is no other."""
    bare = _EMAIL.sub(" ", text)
    if _ID.search(bare):
        return re.sub(r"[(<\[]\s*[)>\]]", " ", bare)
    return _EMAIL.sub(lambda match: f" {match[1]} " if _ID.fullmatch(match[1]) else " ", text)


def _without_remarks(text: str) -> str:
    """Remove remarks in brackets: '(solo)', '(no partner)', '(filters)'; keep nicknames."""

    def replace(match: re.Match[str]) -> str:
        words, before = match[1].strip(), text[: match.start()].rstrip()
        is_lowercase_word = words.isalpha() and words.islower()
        return " " if is_lowercase_word and not _is_made_of(words, before) else match[0]

    def mark(match: re.Match[str]) -> str:
        before = text[: match.start()]
        is_after_name = unicodedata.category(before[-1:] or " ")[0] in "LM"
        if not is_after_name or match[2].islower() or not is_name(match[2]):
            return match[0]
        opening, closing = ("(", ")") if match[1] == "(" else ('"', '"')
        return f" {NICKNAME_MARKS[opening]}{match[2]}{NICKNAME_MARKS[closing]}"

    text = _REMARK.sub(replace, text)
    return _NICKNAME.sub(mark, text)


def _names_and_ids(text: str) -> Iterator[NameToken]:
    """Split a line at its ids, and the text between them at separators."""
    position = 0
    spans = list(_id_spans(text))
    starts = {start for start, _, _ in spans}
    for start, end, student_id in spans:
        before = list(_split_names(text[position:start], is_after_id=position > 0))
        bracket = _OPENING_BRACKET.match(text, end)
        has_name = any(token.kind == "name" for token in before) and not student_id.istitle()
        if bracket and bracket.end() in starts and not has_name:  # 'Student Nr027 (s000027)'
            yield NameToken(kind="unread", text=text[position:end].strip())
        else:
            yield from before
            yield NameToken(kind="id", text=student_id)
        position = end
    yield from _split_names(text[position:], is_after_id=position > 0)


def _id_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the words that a label calls an id or that look like one."""
    spans = {m.start(): (m.start(), m.end(), m[1]) for m in _MARKED_ID.finditer(text)}
    marked = {position for start, end, _ in spans.values() for position in range(start, end)}
    candidates = [(match.start(), match.end(), match[0]) for match in _ID.finditer(text)]
    # '(ada.example)' and '(ab1)' are ids, '(Ada)' and '(solo)' are not.
    candidates += [
        (match.start(1), match.end(1), match[1])
        for match in _BRACKETED.finditer(text)
        if any(sign.isdigit() or sign in "._" for sign in match[1].rstrip("."))
    ]
    for start, end, word in candidates:
        if start not in marked and not _NO_ID.fullmatch(word):
            spans.setdefault(start, (start, end, word))
    return (spans[start] for start in sorted(spans))


def _split_names(text: str, *, is_after_id: bool) -> Iterator[NameToken]:
    """Split a stretch of text without ids into names and other words."""
    joiner = _LEADING_AND.match(text) if is_after_id else None
    text = text[joiner.end() :] if joiner else text
    text = _AND_OF_NAMES.sub(r"\1;", _SUFFIX.sub(" ", text))
    for chunk in _SEPARATOR.split(text):
        for part in _split_at_commas(chunk):
            is_alias = ALIAS_MARK in part
            for token in _read_part(part.replace(ALIAS_MARK, "")):
                is_name_alias = is_alias and token.kind == "name"
                yield replace(token, kind="alias") if is_name_alias else token


def _read_part(part: str) -> Iterator[NameToken]:
    names = [part] if is_name(part) else names_within(part)
    for name in names:
        yield NameToken(kind="name", text=name.translate(_NICKNAME_SIGNS))
    rest = part
    for name in names:
        rest = rest.replace(name, " ")
    if not is_remark(rest):
        is_unread = not names and may_be_name(part)
        yield NameToken(kind="unread" if is_unread else "other", text=rest)


def _split_at_commas(chunk: str) -> list[str]:
    """Split 'Ada Example, Ben Sample' into two names; turn 'Example, Ada' round as one."""
    parts = [_trim(part) for part in re.split("[,\u060c\u3001]", chunk)]
    parts = [part for part in parts if part and not part.isdigit() and not is_remark(part)]
    inverted = (
        len(parts) == 2  # noqa: PLR2004 -- an inverted name has two parts
        and any(" " not in part for part in parts)
        and share_script(*parts)
    )
    return [f"{parts[1]} {parts[0]}"] if inverted else parts


def _trim(part: str) -> str:
    """Remove signs at both ends that belong to no name, 'Ms.' before it and a final "'s"."""
    start, end = 0, len(part)
    while start < end and not _is_in_name(part[start]):
        start += 1
    while start < end and not _is_in_name(part[end - 1]):
        end -= 1
    return re.sub(r"['\u2019]s$", "", _TITLE.sub("", part[start:end]))


def _is_in_name(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LMN" or ord(sign) in _MARKS
