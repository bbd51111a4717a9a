"""Finds people of the roster by ids and names; what fits several of them fits none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grader.model import Student
from grader.people.name_matching import akin, part_of, plain_id, same_name
from grader.people.roster import Member

_OWN_SYSTEMS = frozenset({"", "login"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Who was found for some words about a person, and what is doubtful about it."""

    member: Member | None
    doubt: str = ""
    """In words for staff; '' for none."""


class Directory:
    """Everyone in the course, by every id they have."""

    def __init__(self, members: Iterable[Member]) -> None:
        self.members = tuple(members)
        self._by_id: dict[str, list[Member]] = {}
        for member in self.members:
            for mark in dict.fromkeys(_marks(member.student)):
                self._by_id.setdefault(mark, []).append(member)

    def by_id(self, mark: str) -> Member | None:
        """Who alone has this id, e-mail address or part of one before the @."""
        found = self._by_id.get(plain_id(mark), []) if mark else []
        return found[0] if len(found) == 1 else None

    def by_name(self, name: str) -> tuple[Member, ...]:
        """Those with this name; where nobody has it, those whose name it is a part of."""
        exact = tuple(m for m in self.members if any(same_name(name, n) for n in _names(m)))
        return exact or tuple(m for m in self.members if any(part_of(name, n) for n in _names(m)))

    def find(self, told: Student) -> Found:
        """Who somebody is: by id where one is known, else by name where one alone has it."""
        for mark in told_marks(told):
            member = self.by_id(mark)
            if member is not None:
                return Found(member=member, doubt=_name_doubt(told, member))
        candidates = self.by_name(told.name) if told.name else ()
        if len(candidates) == 1:
            return Found(member=candidates[0], doubt=_id_doubt(told, candidates[0]))
        if candidates:
            several = " or ".join(spoken(member.student) for member in candidates[:3])
            return Found(member=None, doubt=f"{spoken(told)} could be {several}")
        return Found(member=None, doubt=f"{spoken(told)} is not on the roster")


def told_marks(told: Student) -> tuple[str, ...]:
    """Every id that is told of somebody, the student's own first."""
    return tuple(mark for mark in (told.id, told.email, *told.lms.values()) if mark)


def spoken(student: Student) -> str:
    """Name and id, as staff know them."""
    name, mark = student.name, student.id or student.email
    return f"{name} ({mark})" if name and mark else name or mark or "somebody without a name"


def _marks(student: Student) -> Iterable[str]:
    for mark in (student.id, student.email, student.email.partition("@")[0], *student.lms.values()):
        if mark:
            yield plain_id(mark)


def _names(member: Member) -> tuple[str, ...]:
    return (member.student.name, *member.aliases)


def _name_doubt(told: Student, member: Member) -> str:
    """Where the id is one person's and the name another's, the id counts, and staff are told."""
    names = [name for name in _names(member) if name]
    if not told.name or not names or any(akin(told.name, name) for name in names):
        return ""
    return f"the name {told.name} stands beside the id of {spoken(member.student)}"


def _id_doubt(told: Student, member: Member) -> str:
    """Where an id is nobody's, the name counts, and staff are told."""
    if not told.id or not member.student.id:
        return ""
    return f"the id {told.id} is not on the roster; by name it is {spoken(member.student)}"
