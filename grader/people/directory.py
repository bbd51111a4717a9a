"""Look up people of the roster by id or name; an ambiguous name matches nobody."""

from __future__ import annotations

from collections.abc import Iterable

from grader.model import Flag, FlagKind, Student
from grader.people.name_matching import is_partial_name, names_overlap, normalize_id, same_name
from grader.people.roster import RosterMember

_OWN_SYSTEMS = frozenset({"", "login"})


class Directory:
    """An index of everyone in the course."""

    def __init__(self, members: Iterable[RosterMember]) -> None:
        self.members = tuple(members)
        self._members_by_id: dict[str, list[RosterMember]] = {}
        for member in self.members:
            for identifier in comparable_ids(member.student):
                self._members_by_id.setdefault(identifier, []).append(member)

    def find_by_id(self, identifier: str) -> RosterMember | None:
        """Return the only member with this id, e-mail address or its local part."""
        matches = self._members_by_id.get(normalize_id(identifier), []) if identifier else []
        return matches[0] if len(matches) == 1 else None

    def find_by_name(self, name: str) -> tuple[RosterMember, ...]:
        """Return members with this name, else those whose name contains it."""
        exact = tuple(m for m in self.members if any(same_name(name, n) for n in _known_names(m)))
        return exact or tuple(
            m for m in self.members if any(is_partial_name(name, n) for n in _known_names(m))
        )

    def find_member(self, student: Student) -> tuple[RosterMember | None, Flag | None]:
        """Find a student by id, else by a name that only one member has.

        Returns:
            The member, and a flag where the match is doubtful or nobody matches.
        """
        for identifier in student_ids(student):
            member = self.find_by_id(identifier)
            if member is not None:
                return member, _name_flag(student, member)
        candidates = self.find_by_name(student.name) if student.name else ()
        if len(candidates) == 1:
            return candidates[0], _id_flag(student, candidates[0])
        if candidates:
            # Sorted, since no grade may depend on the order of the roster.
            candidate_names = sorted(name_and_id(member.student) for member in candidates)
            names = (name_and_id(student), " or ".join(candidate_names[:3]))
            return None, Flag(FlagKind.STUDENT_AMBIGUOUS, names)
        return None, Flag(FlagKind.STUDENT_NOT_ON_ROSTER, (name_and_id(student),))


def student_ids(student: Student) -> tuple[str, ...]:
    """Return every id of a student, the student's own first."""
    return tuple(filter(None, (student.id, student.email, *student.lms.values())))


def normalized_ids(student: Student) -> frozenset[str]:
    """Return every id of a student, normalized."""
    return frozenset(filter(None, map(normalize_id, student_ids(student))))


def comparable_ids(student: Student) -> frozenset[str]:
    """Return every id of a student, normalized, with the local part of the e-mail address."""
    local_part = normalize_id(student.email.partition("@")[0])
    return normalized_ids(student) | ({local_part} - {""})


def has_id(student: Student) -> bool:
    """Return whether more than a name or a system's own id is known."""
    return bool(student.id or student.email)


def are_told_apart(student: Student, other: Student) -> bool:
    """Return whether a system has given the two different ids."""
    return any(other.lms.get(system, value) != value for system, value in student.lms.items())


def name_and_id(student: Student) -> str:
    """Return name and id as staff know them."""
    name, identifier = student.name, student.id or student.email
    return (
        f"{name} ({identifier})"
        if name and identifier
        else name or identifier or "somebody without a name"
    )


def _known_names(member: RosterMember) -> tuple[str, ...]:
    return (member.student.name, *member.aliases)


def _name_flag(student: Student, member: RosterMember) -> Flag | None:
    """Return a flag if the name is not the one of the member with that id; the id counts."""
    names = [name for name in _known_names(member) if name]
    if not student.name or not names or any(names_overlap(student.name, name) for name in names):
        return None
    return Flag(FlagKind.NAME_BESIDE_OTHER_ID, (student.name, name_and_id(member.student)))


def _id_flag(student: Student, member: RosterMember) -> Flag | None:
    """Return a flag if the id is unknown; the name counts."""
    if not student.id or not member.student.id:
        return None
    return Flag(FlagKind.ID_NOT_ON_ROSTER, (student.id, name_and_id(member.student)))
