# ruff: noqa: RUF001, RUF002 -- words and signs as people type them
"""Tells what a team calls itself from its students: 'Group 12 – The Overfitters'."""

from __future__ import annotations

import re
from typing import NamedTuple

from grader.notebook.label_words import any_of
from grader.notebook.name_labels import is_label

_TEAM_WORDS = (
    "team, group, squad, pair, equipo, grupo, equipe, équipe, groupe, binôme, dupla, gruppe,"
    " gruppo, squadra, groep, grupp, grupa, zespół, takım, grup, команда, kelompok, nhóm, الفريق,"
    " فريق, 小组, 小組, チーム, グループ, 팀"
)
_NAME_LABELS = (
    "teamname, groupname, gruppenname, nombre del equipo, nombre de equipo, nombre del grupo,"
    " nom de l'équipe, nom d'équipe, nom du groupe, nome do grupo, nome da equipe, nome del gruppo,"
    " groepsnaam, teamnaam, gruppnamn, nazwa zespołu, nazwa grupy, takım adı, grup adı,"
    " название команды, nama kelompok, tên nhóm, اسم الفريق, 组名, 組名, 队名, 隊名, 小组名称,"
    " チーム名, グループ名, 팀명, 팀 이름, 조 이름"
)
"""What asks for a team's name and for nothing else, besides 'Team name'."""
_ROLES = r"(?:members?|partners?|mates?|lead|leaders?|captain|contact|manager|work|of)\b"
_LEAD = (
    r"\W*(?:(?:our|my|the|project|lab|hw|homework|assignment)\s+)*"
    rf"(?:(?P<label>{any_of(_NAME_LABELS.split(', '))})"
    r"|第?\s?\d{1,3}\s?(?:[组組队隊조](?!\w)|チーム)"
    rf"|{any_of(_TEAM_WORDS.split(', '))}"
    rf"(?!\s*{_ROLES})(?P<named>\s+name\b)?)"
    r"(?P<number>\s*(?:\#|(?:no|nr|number|id)\b\.?)?\s?\d{1,3}\b(?!\s?[-.]\s?\d))?"
)
_TEAM = re.compile(_LEAD + r"\W*", re.IGNORECASE)
_TEAM_NAME = re.compile(r"\W*(?:team|group)\s+name\W*", re.IGNORECASE)
_HEAD_END = re.compile(r"[:=]|\s[-\u2013\u2014]+\s")
_SIGN = r"(?P<sign>\s*[:=(,](?:\s*[-=]+>?)?|\s*[-\u2013\u2014]+(?=\W)|\s+is\b|(?=\s))\s*"
_BEGINNING = re.compile(_LEAD + _SIGN, re.IGNORECASE)
_QUOTED = re.compile(
    r"[\"'\u2018\u201c\u201e\u00ab]([^\"\u201c-\u201e\u00ab\u00bb]+?)[\"'\u2019\u201c\u201d\u00bb](?!\w)"
)
_NAME_END = re.compile(r"\s*(?:[,;:|()\[\]{}<>/+=\u2013\u2014]|\s-+(?=\s)|$)\s*")
_AND = re.compile(r"&|\s(?:and|y|und|et|e|en|och|i|и|和|与)\s")
_NUMBER_BEHIND = re.compile(rf"([^,;:|()\[\]]+?)\s*[(\[]{_LEAD}\s*[)\]]\s*:\s*", re.IGNORECASE)
"""Matches a team's name with its number behind it: 'Lazy Learners (Group 12): …'."""
_COLUMN = re.compile(rf"(?:^|(?<=\|)){_LEAD}\s*\|\s*(?=[^\s|])", re.IGNORECASE)
_BEHIND = re.compile(
    rf"(?:[,;|(\[{{]|\s[-\u2013\u2014](?=\s))\s*{_LEAD}(?:\W|\s[^\W\d])[^,;:|()\[\]{{}}<>/&+=\d]*"
    r"(?=$|[,;|)\]])",
    re.IGNORECASE,
)
"""Matches a team's name or number behind its students: '…, Team Lazy Learners'."""


class TeamLine(NamedTuple):
    """The beginning of a line that may name a team."""

    name: str
    rest: str
    listed: str
    """All that stands behind 'Team' and its number."""
    has_label: bool
    """Whether a sign stands behind 'Team', as behind any label."""
    is_sure: bool
    """Whether the name is no student's."""
    in_list: bool
    """Whether a comma follows, as in a list of students."""


def read_team_line(text: str) -> TeamLine | None:
    """Return the name of a team, or of its first student, behind 'Team' or 'Group 12 –'."""
    if named := _NUMBER_BEHIND.match(text):
        rest = text[named.end() :]
        return TeamLine(named[1], rest, text, has_label=False, is_sure=False, in_list=False)
    lead = _BEGINNING.match(text)
    head = _HEAD_END.split(text, maxsplit=1)[0]
    asks_for_names = is_label(head) and not is_team_label(head)  # 'Group names:'
    if lead is None or (asks_for_names and not (lead["label"] or _TEAM_NAME.fullmatch(head))):
        return None
    listed = rest = text[lead.end() :]
    is_named = (lead["label"] or lead["named"]) is not None
    has_label = bool(lead["sign"].strip(" is")) and not is_named
    if quoted := _QUOTED.match(rest):
        rest = rest[quoted.end() :].lstrip(" ,;:.)-\u2013\u2014")
        return TeamLine(quoted[1], rest, listed, has_label, is_sure=True, in_list=False)
    end = _NAME_END.search(rest)
    name, sign = (rest[: end.start()], end[0].strip()) if end else (rest, "")
    if not name or (_AND.search(name) and sign != ":"):
        return None
    is_bare = not lead["sign"].strip() and not lead["number"]
    is_sure = is_named or (is_bare and sign in {"", ":"})
    rest = rest[end.start() :].lstrip(" ,;:|)=+-\u2013\u2014") if end else ""
    return TeamLine(name, rest, listed, has_label, is_sure=is_sure, in_list=sign == ",")


def is_team_label(text: str) -> bool:
    """Return whether a text is 'Team', 'Group 12' and no more."""
    return _TEAM.fullmatch(text) is not None


def join_team_column(text: str) -> str:
    """Return a table's row with a team's label and its name in one column."""
    return _COLUMN.sub("Team: ", text)


def without_team_behind(text: str) -> str:
    """Return a line without the team that is named behind its students."""
    return _BEHIND.sub(" ", text)
