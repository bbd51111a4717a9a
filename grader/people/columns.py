"""Tells what the columns of a table hold by what they are called, in any order and spelling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

PERSON: Mapping[str, str] = {
    "id": (
        "eid uteid netid studentid sid studentnumber studentno idnumber matriculationnumber "
        "matriculation matrikelnummer matrnr universityid campusid orgdefinedid sisuserid sisid "
        "rosteridentifier identificador numeroestudiante numeroetudiant id uid userid identifier"
    ),
    "login": "sisloginid loginid login username user benutzername usuario",
    "first": "firstname first givenname forename vorname nombre prenom",
    "last": "lastname last surname familyname nachname apellidos apellido nomdefamille",
    "preferred": "preferredname preferredfirstname nickname knownas rufname",
    "name": "fullname name studentname student displayname vollstandigername nombrecompleto",
    "email": "emailaddress email mail schoolemail emailadresse correoelectronico correo courriel",
    "section": "section sections sectionname group groups gruppe gruppen seccion",
    "canvas": "canvasid canvasuserid",
    "moodle": "moodleid participant participantid moodleuserid",
    "gradescope": "gradescopeid gradescopeuserid",
    "blackboard": "blackboardid blackboardusername",
    "brightspace": "brightspaceid d2lid brightspaceusername",
    "github": "githubusername github githublogin githubid",
}
"""What a roster may hold, and what its column may be called, likelier words first."""
SYSTEMS = ("login", "canvas", "moodle", "gradescope", "blackboard", "brightspace", "github")
"""Those that are ids in a system rather than the student's own."""
LEAST = 6
"""Letters that a word must have to be found within a longer name of a column."""
_WITHIN = ("id", "first", "last", "email")
"""What is looked for there; a 'Student status' is no name."""


def plain(name: str) -> str:
    """The name of a column in small letters without accents, spaces and signs."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^a-z0-9]+", "", decomposed)


def mapped(columns: Sequence[str], *, words: Mapping[str, str]) -> Mapping[str, int]:
    """The place of the column that holds each thing; a column holds one thing at most.

    Names that agree come first, the likelier word before the others; then names that contain a
    word, such as 'Student ID (EID)'.

    Args:
        columns: what the columns are called.
        words: what each thing may be called, the likelier word first.
    """
    names = [plain(column) for column in columns]
    found: dict[str, int] = {}
    for thing, place in (*_equal(names, words), *_containing(names, words)):
        if thing not in found and place not in found.values():
            found[thing] = place
    return found


def _equal(names: Sequence[str], words: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    for thing, known in words.items():
        for word in known.split():
            yield from ((thing, place) for place, name in enumerate(names) if name == word)


def _containing(names: Sequence[str], words: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    for thing in (thing for thing in _WITHIN if thing in words):
        for word in (word for word in words[thing].split() if len(word) >= LEAST):
            yield from ((thing, place) for place, name in enumerate(names) if word in name)


def person(columns: Sequence[str]) -> Mapping[str, int]:
    """What the columns of a roster hold; 'ID' in a file of Canvas's is Canvas's own.

    And 'Identifier' beside 'Full name' is Moodle's.
    """
    found = dict(mapped(columns, words=PERSON))
    names = [plain(column) for column in columns]
    if "id" in names and any(name.startswith("sis") for name in names):
        canvas = names.index("id")
        found = {thing: place for thing, place in found.items() if place != canvas}
        found["canvas"] = canvas
    if {"identifier", "fullname"} <= set(names):
        moodle = names.index("identifier")
        found = {thing: place for thing, place in found.items() if place != moodle}
        found["moodle"] = moodle
    if "id" not in found and "login" in found:
        found["id"] = found.pop("login")
    return found
