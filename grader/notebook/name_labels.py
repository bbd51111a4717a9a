"""Finds the labels of a line, such as 'Name(s):', and what a sentence says before names."""

from __future__ import annotations

import re

from grader.notebook.person_names import is_remark

ID_MARKS = "\ue000\ue001"
"""Signs that no text has, put around a word that a label calls an id."""
_ID_OWNERS = (
    r"(?:ut|student|university|net|user|matriculation|matric|registration|campus|unity|uni)"
)
# A bare 'No:' is an answer, 'Student No:' a label.
_ID_WORDS = (
    rf"(?:(?:{_ID_OWNERS}[\s_-]*)?(?:eids?|ids?|netids?|uids?|uteids?|utids?|sids?|uins?|pids?|cwids?|usernames?)"
    rf"|(?:{_ID_OWNERS}|e?id)[\s_-]*(?:numbers?|nos?\.?))"
)
_VERBS = "submitted|written|prepared|completed|done|authored|solved|turned in|handed in"
_NAME_WORDS = (
    r"(?:(?:full|first|last|given|family|student|student's|students'|group|team|partner|partner's"
    r"|member|my|our|your)\s+)*(?:names?|surname|students?|members?|partners?|teammates?|authors?"
    rf"|(?:{_VERBS}) by|by|collaborators?|team|group)"
)
# Atomic: 'team group' is one label or two, and a line of them would be read in every mixture.
_ONE_LABEL = (
    rf"(?>(?:(?:partner|member|teammate)(?:'s)?\s+{_ID_WORDS}|{_ID_WORDS}|{_NAME_WORDS})"
    r"(?:\s?\(s\)|/s)?(?:\s*\#?(?:\d{1,2}|[a-d])\b)?)"
)
_JOINED = (
    rf"{_ONE_LABEL}(?>\s*(?:,|and|&|/|\+|\(|\s)\s*(?:the\s+|(?:ut|student)\s+)?{_ONE_LABEL}\)?)*+"
)
_END = r"\s*(?::|=|[-\u2013\u2014](?=\s|$))"
_LABEL = re.compile(rf"(?<![\w'\u2019.-])(?:{_JOINED})(?:\s+(?:{_JOINED}))?{_END}", re.IGNORECASE)
_LABEL_ALONE = re.compile(rf"\W*{_JOINED}(?:\s+(?:{_JOINED}))?\W*", re.IGNORECASE)
_ID_LABEL = re.compile(
    rf"(?<![\w'\u2019.-])(?:(?:(?:my|our|partner(?:['\u2019]s)?|member|teammate)\s+)?{_ID_WORDS}"
    rf"(?:\s*\#?\d{{1,2}}\b)?){_END}",
    re.IGNORECASE,
)
_WORD_AFTER_LABEL = re.compile(r"\s*(\w[\w.-]{1,19})(?=\s*(?:$|[,;)]))")
_ID_PREFIX = re.compile(
    r"(?<![\w'\u2019.-])(?:(?:ut|student)[\s_-]*)?(?:eid|netid|net id|uid|uteid|utid|id)"
    r"(?:\s+is\b|\s*[#:=]|\s+[-\u2013\u2014](?=\s))?\s*([\w.-]*\d[\w-]*)",
    re.IGNORECASE,
)
_LEADING_NAME_WORD = re.compile(r"^(?:full\s+)?names?\s+(?=[^\W\d_])", re.IGNORECASE)
_LEAD = re.compile(
    rf"^(?:[\w'\u2019]+[\s,]+){{0,6}}?(?:{_VERBS})\s+(?:(?:jointly|individually|together)\s+)?by\s+"
    r"|(?:^|(?<=[\s,;.(]))(?:i am|i['\u2019]m|we are|we['\u2019]re|this is|my name is|our names are"
    r"|names? (?:is|are)|(?:my )?partner (?:is|was)|i worked with)\s+"
    r"|^(?:by|authors?|both|we,|i,)\s+",
    re.IGNORECASE,
)
"""What a sentence says before names: 'We are', 'HW 5 submitted by'."""
_OTHER_LABEL = re.compile(
    r"^(?:team|group)\s+(?:name|number|no|id)\b|^(?:date|due|course|class|section|instructor|"
    r"professor|prof|ta|term|semester|assignment|homework|hw|title|e-?mail|unique|crn|phone|"
    r"late days|slip days|version|(?:generative )?ai (?:tools?|us\w+|assist\w+)|tools|resources|"
    r"sources|references|links?|github|gitlab|kaggle|linkedin|help|people (?:consulted|asked))\b"
    r"[^:]{0,20}[:#]"
    r"|^(?:(?:i|we)(?:['\u2019]ve| have| also| would like to)? )?(?:discuss\w*|consult\w*|used"
    r"|using|acknowledg\w*|thank(?:s to|ing)?|(?:got |received |had |with )?help(?:ed)? (?:from|by)"
    r")\b|[^,;&]*\bhelped (?:me|us)\b"
    r"|(?:note\W+)?(?:my|our) (?:former |ex\W?)?partner\b.*\bdropped\b"
    r"|.*=\s*(?:[\"'\[(]|[\w.]+\()",
    re.IGNORECASE,
)
"""Lines of the course, of whom or what helped, and of who left."""


def is_label(text: str) -> bool:
    """Return whether a text is a label and nothing else: 'Name(s) and EID(s)'."""
    return _LABEL_ALONE.fullmatch(text) is not None


def is_other_label(text: str) -> bool:
    """Return whether a line names no author: 'Team name: …', 'Thanks to …', or `name="conv"`."""
    return _OTHER_LABEL.match(text) is not None


def asks_for_id(label: str) -> bool:
    """Return whether a label asks for an id and for nothing else."""
    return _ID_LABEL.fullmatch(f"{label.strip(' :=-')}:") is not None


def replace_labels(text: str) -> tuple[str, list[str]]:
    """Return a line with a semicolon for each label and marks around labeled ids; the labels."""
    labels: list[str] = []

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
