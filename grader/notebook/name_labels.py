"""Finds the labels of a line, such as 'Name(s):', and what a sentence says before names."""

from __future__ import annotations

import re

from grader.notebook.label_words import UNSPACED_WORDS, any_of, label_words
from grader.notebook.person_names import is_remark
from grader.text_folding import fold_case

ID_MARKS = "\ue000\ue001"
"""Signs that no text has, put around a word that a label calls an id."""
_PARTS = {
    "first": label_words("first_name"),
    "last": label_words("last_name"),
    "either": label_words("name"),
}
_FIRST = re.compile(r"\b(?:first|given)\b", re.IGNORECASE)
_LAST = re.compile(r"\b(?:last|family|surname)\b", re.IGNORECASE)
_FOREIGN_IDS = any_of(label_words("ids"))
_ID_OWNERS = (
    r"(?:ut|student|university|net|user|matriculation|matric|registration|campus|unity|uni|roll"
    r"|enroll?ment|candidate)"
)
# A bare 'No:' is an answer, 'Student No:' a label.
_ID_WORDS = (
    rf"(?:{_FOREIGN_IDS}"
    rf"|(?:{_ID_OWNERS}[\s_-]*)?(?:eids?|ids?|netids?|uids?|uteids?|utids?|sids?|uins?|pids?|cwids?|usernames?)"
    rf"|(?:{_ID_OWNERS}|e?id)[\s_-]*(?:numbers?|nos?\.?))"
)
_VERBS = "submitted|written|prepared|completed|done|authored|solved|turned in|handed in"
_NAME_WORDS = (
    rf"(?:{any_of(label_words('name', 'names', 'first_name', 'last_name'))}"
    r"|(?:(?:full|first|last|given|family|student|student's|students'|group|team|partner|partner's"
    r"|member|my|our|your)\s+)*(?:names?|surname|students?|members?|partners?|teammates?|authors?"
    rf"|(?:{_VERBS}) by|by|collaborators?|team|group))"
)
# Atomic: 'team group' is one label or two, and a line of them would be read in every mixture.
_ONE_LABEL = (
    rf"(?>(?:(?:(?:partner|member|teammate)(?:'s)?\s+)?{_ID_WORDS}|{_NAME_WORDS})"
    r"(?:\s?\(s\)|/s\b)?(?:\s*\#?(?:\d{1,2}|[a-d])\b)?)"
)
_AND = r"(?:and|und|et|y|e|i|en|och|ve|\u0438|\u548c|\u53ca|\u3068|\ubc0f|\u0648)(?!\w)"
_JOINER = rf"\s*(?:,|{_AND}|&|/|\+|\(|\s)\s*(?:the\s+|(?:ut|student)\s+)?"
# Only a label after the first has a joiner: so all words stand here once, and compile fast.
_JOINED = rf"(?>(?(1){_JOINER})({_ONE_LABEL}\)?))++"
_END = r"\s*(?::|=|[-\u2013\u2014](?=\s|$))"
_LABEL = re.compile(rf"(?<![\w'\u2019.-]){_JOINED}{_END}", re.IGNORECASE)
_OUTER_SIGNS = re.compile(r"^\W+|[^\w)]+$")
_ID_LABEL = re.compile(
    rf"(?<![\w'\u2019.-])(?:(?:(?:my|our|partner(?:['\u2019]s)?|member|teammate)\s+)?{_ID_WORDS}"
    rf"(?:\s*\#?\d{{1,2}}\b)?){_END}",
    re.IGNORECASE,
)
_WORD_AFTER_LABEL = re.compile(r"\s*(\w[\w.-]{1,19})(?=\s*(?:$|[,;)]))")
_ID_PREFIX = re.compile(
    r"(?<![\w'\u2019.-])(?:(?:ut|student)[\s_-]*)?(?:eid|netid|net id|uid|uteid|utid|id"
    rf"|{_FOREIGN_IDS})"
    r"(?:\s+is\b|\s*[#:=]|\s+[-\u2013\u2014](?=\s))?\s*([\w.-]*\d[\w-]*)",
    re.IGNORECASE,
)
_LEADING_NAME_WORD = re.compile(
    rf"^(?:(?:full\s+)?names?|{any_of(label_words('name', 'names'))})\s+(?=[^\W\d_])", re.IGNORECASE
)
_UNSPACED_LABEL = re.compile(
    rf"\s*({any_of(UNSPACED_WORDS)})(?:\s*[:=]\s*(?=\S)|\s+(?=\w)|(?=[a-zA-Z\d]))"
)
"""Matches a Chinese, Japanese or Korean label before what it asks for, with or without a colon."""
_LEAD = re.compile(
    rf"^(?:[\w'\u2019]+[\s,]+){{0,6}}?(?:{_VERBS})\s+(?:(?:jointly|individually|together)\s+)?by\s+"
    r"|(?:^|(?<=[\s,;.(]))(?:i am|i['\u2019]m|we are|we['\u2019]re|this is|my name is|our names are"
    r"|names? (?:is|are)|(?:my )?partner (?:is|was)|i worked with)\s+"
    r"|^(?:by|authors?|both|we,|i,)\s+",
    re.IGNORECASE,
)
"""What a sentence says before names: 'We are', 'HW 5 submitted by'."""


def is_label(text: str) -> bool:
    """Return whether a text is a label and nothing else: 'Name(s) and EID(s)'."""
    return _LABEL.fullmatch(_OUTER_SIGNS.sub("", text) + ":") is not None


def asks_for_id(label: str) -> bool:
    """Return whether a label asks for an id and for nothing else."""
    return _ID_LABEL.fullmatch(f"{label.strip(' :=-')}:") is not None


def asked_part(label: str) -> str:
    """Return the part of a name that a label asks for: 'first', 'last' or ''.

    It is 'either' for a word that may ask for either part or for the whole name: 'Nombre'.
    """
    word = fold_case(label).strip(" :=-\u2013\u2014")
    part = next((part for part, words in _PARTS.items() if word in words), "")
    is_first, is_last = (pattern.search(label) is not None for pattern in (_FIRST, _LAST))
    return part or ("" if is_first == is_last else "first" if is_first else "last")


def replace_labels(text: str) -> tuple[str, list[str]]:
    """Return a line with a semicolon for each label and marks around labeled ids; the labels."""
    labels: list[str] = []
    text = _UNSPACED_LABEL.sub(r" \1: ", text)

    def replace_lead(match: re.Match[str]) -> str:
        if text[match.end() : match.end() + 1].islower():
            return match[0]
        labels.append(match[0])
        return ";"

    led = _LEAD.sub(replace_lead, text)
    pieces, position = [], 0
    for match in _LABEL.finditer(led):
        labels.append(match[0])
        pieces += [led[position : match.start()], ";"]
        position = match.end()
        word = _WORD_AFTER_LABEL.match(led, position) if asks_for_id(match[0]) else None
        if word and not is_remark(word[1]):
            pieces.append(_mark_id(word))
            position = word.end()
    unlabeled = _LEADING_NAME_WORD.sub("", "".join(pieces) + led[position:], count=1)
    return _ID_PREFIX.sub(lambda match: f" ; {_mark_id(match)} ", unlabeled), labels


def _mark_id(match: re.Match[str]) -> str:
    return f"{ID_MARKS[0]}{match[1]}{ID_MARKS[1]}"
