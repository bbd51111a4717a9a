"""Pairs names with ids: within a line where possible, else with the lines before.

A wrong pair is worse than none: an id whose name can't be read stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from grader.model import Student
from grader.notebook.name_labels import asked_part, asks_for_id
from grader.notebook.name_tokens import NameToken
from grader.notebook.team_names import is_team_label

MAX_STUDENTS = 6
"""Students of one team that are read; others are ignored."""
_OWNER = re.compile(r"partner|teammate|\d+", re.IGNORECASE)
_OTHERS = frozenset({"partner", "teammate"})
_COURSE_WORD = re.compile(
    r"(?:unique|section|sec|class|lab|crn)(?:\s+(?:no|nr|number))?\W*", re.IGNORECASE
)
"""What stands before a number of the course's, not a student's."""


@dataclass(slots=True, kw_only=True)
class _Member:
    name: str = ""
    id: str = ""
    owner: str = ""
    """Whom the label of the line means: 'partner', '2', or '' for nobody in particular."""
    closed: bool = False
    """Whether what is missing was left empty, or can't be read."""


def pair_students(rows: Iterable[Sequence[NameToken]]) -> tuple[Student, ...]:
    """Return the students of rows of names and ids, each once, at most six."""
    team: list[_Member] = []
    empty_id_label = False
    for row in _join_split_names(_without_second_names(rows)):
        owner = _owner(row)
        blocks = _blocks(row)
        if not blocks:
            labels = [token.text for token in row if token.kind == "label"]
            empty_id_label = empty_id_label or any(map(asks_for_id, labels))
            continue
        if empty_id_label and blocks[0][0] == "name":
            for member in team:
                member.closed = True
        empty_id_label = False
        for names, ids in _pair_blocks(blocks, ids_first=_starts_with_id(blocks, team)):
            if names and ids:
                ids_of_last = [""] * max(0, len(names) - len(ids)) + ids
                team += [
                    _Member(name=name, id=ids_of_last[index], owner=owner, closed=not name)
                    for index, name in enumerate(names)
                ]
            else:
                _fill(team, names=names, ids=ids, owner=owner)
    return _unique_students(team)


def _without_second_names(rows: Iterable[Sequence[NameToken]]) -> list[list[NameToken]]:
    """Return the rows without teams' names and other forms of names, where ids tell them so.

    They do where there are no more ids than other names, in their row or, without any there, in
    all. A team's name is no student's where labels ask for those, either.
    """
    rows = [list(row) for row in rows]
    tokens = [token for row in rows for token in row]
    is_asked = any(token.kind == "name" for token in tokens) and _is_name_asked(rows)
    settled = []
    for row in rows:
        has_ids = _has_id_for_each_name(row) or (
            not any(token.kind == "id" for token in row) and _has_id_for_each_name(tokens)
        )
        dropped = {"alias": has_ids, "team": has_ids or is_asked}
        settled.append(
            [
                replace(token, kind="name") if token.kind in dropped else token
                for token in row
                if not dropped.get(token.kind)
            ]
        )
    return settled


def _has_id_for_each_name(tokens: Sequence[NameToken]) -> bool:
    """Return whether there are ids, and no more than there are names."""
    names = {token.text for token in tokens if token.kind == "name"}
    ids = {token.text for token in tokens if token.kind == "id"}
    return 0 < len(ids) <= len(names)


def _is_name_asked(rows: Iterable[Sequence[NameToken]]) -> bool:
    """Return whether a label asks for names beside or below a team's, and means all of them."""
    below_team = False
    for row in rows:
        kinds = {token.kind for token in row}
        below_team |= "team" in kinds
        labels = [t.text for t in row if t.kind == "label" and not is_team_label(t.text)]
        asks_for_name = any(not asks_for_id(label) for label in labels)
        if asks_for_name and _owner(row) not in _OTHERS and (below_team or "name" in kinds):
            return True
    return False


def _join_split_names(rows: Iterable[Sequence[NameToken]]) -> Iterator[Sequence[NameToken]]:
    """Yield the rows with first and last names joined where labels ask for each."""
    rows = list(rows)
    meanings = _part_meanings(rows)
    header: list[str] = []
    parts: dict[str, NameToken] = {}
    for row in rows:
        labels = [token for token in row if token.kind == "label"]
        parts_of_labels = [asked_part(label.text) for label in labels]
        asked = [meanings[part] for part in parts_of_labels if part in meanings]
        names = [token for token in row if token.kind == "name"]
        if not names:
            header = asked or header
        asked = asked if labels else header
        if not names or not asked or len(names) != len(asked):
            yield row
            continue
        parts |= dict(zip(asked, names, strict=True))
        if parts.keys() == {"first", "last"}:
            name = f"{parts['first'].text} {parts['last'].text}"
            yield [NameToken(kind="name", text=name), *(t for t in row if t.kind != "name")]
            parts = {}
    yield list(parts.values())


def _part_meanings(rows: Iterable[Sequence[NameToken]]) -> Mapping[str, str]:
    """Return which part of a name the labels mean; none where no two labels ask for both.

    Beside 'Vorname' or 'Prénom', 'Name' or 'Nom' is the other part.
    """
    asked = {asked_part(token.text) for row in rows for token in row if token.kind == "label"}
    meanings = {part: part for part in asked & {"first", "last"}}
    if len(meanings) == 1 and "either" in asked:
        meanings["either"] = "last" if "first" in asked else "first"
    return meanings if len(meanings) > 1 else {}


def _owner(row: Iterable[NameToken]) -> str:
    labels = [token.text for token in row if token.kind == "label"]
    match = _OWNER.search(labels[0]) if labels else None
    return match[0].lower() if match else ""


def _blocks(row: Iterable[NameToken]) -> list[tuple[str, list[str]]]:
    """Return the runs of names and of ids in a row; a name that can't be read is empty."""
    tokens = [
        ("id", token.text) if token.kind == "id" else ("name", token.text * (token.kind == "name"))
        for token in row
        if token.kind in {"name", "id", "unread"}
    ]
    numbers = {
        index
        for index, (before, (kind, _)) in enumerate(pairwise(tokens), 1)
        if kind == "id" and _COURSE_WORD.fullmatch(before[1])
    }  # 'Ada Example (ae10001), section 12345'
    tokens = [token for index, token in enumerate(tokens) if not {index, index + 1} & numbers]
    blocks = [
        (kind, [text for _, text in block])
        for kind, block in groupby(tokens, lambda token: token[0])
    ]
    if len(blocks) > 1 and blocks[0][0] == blocks[-1][0] == "name" and blocks[-1][1][0].islower():
        blocks.pop()  # 'Ada Example (ae10001) contributed equally'
    return blocks


def _starts_with_id(blocks: Sequence[tuple[str, list[str]]], team: Iterable[_Member]) -> bool:
    """Return whether ids stand before their names in this row."""
    has_unpaired_names = any(not member.id for member in team)
    return blocks[0][0] == "id" and (blocks[-1][0] == "name" or not has_unpaired_names)


def _fill(team: list[_Member], *, names: list[str], ids: list[str], owner: str) -> None:
    """Add names or ids to the members who lack them, else as new members."""
    incomplete = [
        member
        for position, member in enumerate(team)
        if not (member.id if ids else member.name)
        and not member.closed
        and _may_be_meant(member, owner, position=position)
    ]
    incomplete.sort(key=lambda member: member.owner != owner)
    for text in ids or filter(None, names):
        if not incomplete:
            team.append(_Member(owner=owner))
        member = incomplete.pop(0) if incomplete else team[-1]
        if ids:
            member.id = text
        else:
            member.name = text


def _may_be_meant(member: _Member, owner: str, *, position: int) -> bool:
    """Return whether a label's owner may be this member: 'Partner EID' is not the first one's."""
    if not owner or member.owner == owner:
        return True
    expected = int(owner) - 1 if owner.isdigit() else max(position, 1)
    return not member.owner and position == expected


def _pair_blocks(
    blocks: Sequence[tuple[str, list[str]]], *, ids_first: bool
) -> Iterator[tuple[list[str], list[str]]]:
    """Pair neighboring runs of names and of ids; a run may stay alone."""
    index = 0
    first, second = ("id", "name") if ids_first else ("name", "id")
    while index < len(blocks):
        kind, texts = blocks[index]
        next_block = blocks[index + 1] if index + 1 < len(blocks) else ("", [])
        if kind == first and next_block[0] == second:
            yield (next_block[1], texts) if ids_first else (texts, next_block[1])
            index += 2
        else:
            yield (texts, []) if kind == "name" else ([], texts)
            index += 1


def _unique_students(team: Iterable[_Member]) -> tuple[Student, ...]:
    """Return each student once; a name or an id alone is dropped where both stand together."""
    unique = dict.fromkeys((member.name, member.id) for member in team if member.name or member.id)
    whole = [pair for pair in unique if all(pair)]
    paired = {text for pair in whole for text in pair}
    students = [pair for pair in unique if all(pair) or paired.isdisjoint(filter(None, pair))]
    return tuple(Student(name=name, id=student_id) for name, student_id in students[:MAX_STUDENTS])
