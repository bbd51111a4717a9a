"""Recognize the columns of a table by their headers, in any order and spelling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

PERSON_COLUMNS: Mapping[str, str] = {
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
"""The fields of a roster, and possible headers of each, the likelier first."""
SYSTEM_FIELDS = ("login", "canvas", "moodle", "gradescope", "blackboard", "brightspace", "github")
"""Fields that are ids of a system rather than the student's own id."""
MIN_WORD_LENGTH = 6
"""Minimum length of a word that may match a part of a longer header."""
_PARTIAL_FIELDS = ("id", "first", "last", "email")
"""Fields that may match a part of a header; a 'Student status' is no name."""


def normalize_header(name: str) -> str:
    """Lower-case a header and strip accents, spaces and punctuation."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^a-z0-9]+", "", decomposed)


def map_columns(columns: Sequence[str], *, words: Mapping[str, str]) -> Mapping[str, int]:
    """Map each field to the index of its column; a column holds one field at most.

    Headers that equal a word come first, in the order of the words; then headers that contain a
    word, such as 'Student ID (EID)'.

    Args:
        columns: the headers.
        words: by field, the possible headers, the likelier first.
    """
    names = [normalize_header(column) for column in columns]
    indexes: dict[str, int] = {}
    for field, index in (*_exact_matches(names, words), *_partial_matches(names, words)):
        if field not in indexes and index not in indexes.values():
            indexes[field] = index
    return indexes


def _exact_matches(names: Sequence[str], words: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    for field, spellings in words.items():
        for word in spellings.split():
            yield from ((field, index) for index, name in enumerate(names) if name == word)


def _partial_matches(names: Sequence[str], words: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    for field in (field for field in _PARTIAL_FIELDS if field in words):
        for word in (word for word in words[field].split() if len(word) >= MIN_WORD_LENGTH):
            yield from ((field, index) for index, name in enumerate(names) if word in name)


def map_person_columns(columns: Sequence[str]) -> Mapping[str, int]:
    """Map the columns of a roster; two systems use a common word for an id of their own.

    'ID' in a file from Canvas is Canvas's id, and 'Identifier' beside 'Full name' is Moodle's.
    """
    indexes = dict(map_columns(columns, words=PERSON_COLUMNS))
    names = [normalize_header(column) for column in columns]
    from_canvas = "id" in names and any(name.startswith("sis") for name in names)
    from_moodle = {"identifier", "fullname"} <= set(names)
    for system, header, applies in (
        ("canvas", "id", from_canvas),
        ("moodle", "identifier", from_moodle),
    ):
        if applies:
            own_index = names.index(header)
            indexes = {field: index for field, index in indexes.items() if index != own_index}
            indexes[system] = own_index
    if "id" not in indexes and "login" in indexes:
        indexes["id"] = indexes.pop("login")
    return indexes
