"""Who is who in a gradebook: several records may be one person, and one name several people."""

from __future__ import annotations

from dataclasses import replace

from specimens import half_right

from grader.model import Graded, Student
from grader.people import People, RosterMember
from grader.people.directory import normalized_ids
from grader.privacy.identities import Person, collect_people, mentioned_students

ADA = Student(name="Ada Rivers", id="AR10001", email="ada@uni.example", lms={"canvas": "4711"})
NAMESAKE = Student(name="Ada Rivers", id="ar10009")
NAMED = Student(name="rivers, ada", id="")
LOGIN = Student(name="", id="", lms={"moodle": "ar10001"})
BEN = Student(name="Ben Fields", id="bf10002")


def graded(
    name: str,
    students: tuple[Student, ...] = (),
    *,
    named: tuple[Student, ...] = (),
    listed: tuple[Student, ...] = (),
) -> Graded:
    made = half_right()
    submission = replace(made.submission, name=name, students=listed)
    return replace(made, submission=submission, students=students, named=named)


def people(*grades: Graded, roster: tuple[RosterMember, ...] = ()) -> list[Person]:
    return collect_people(grades, people=People(members=roster))


def test_a_record_is_of_a_person_by_any_id_or_by_name_where_one_has_none() -> None:
    person = Person(records=[ADA])

    assert person.matches(LOGIN)
    assert person.matches(NAMED)
    assert person.matches(Student(name="Somebody", id="4711"))
    assert person.matches(Student(name="", id="", email="ADA@uni.example"))
    assert not person.matches(NAMESAKE)
    assert not person.matches(BEN)
    assert not person.matches(Student(name="", id=""))
    assert not Person().matches(ADA)


def test_a_person_without_an_id_is_known_by_the_name() -> None:
    person = Person(records=[NAMED])

    assert person.matches(ADA)
    assert person.matches(NAMESAKE)
    assert not person.matches(LOGIN)


def test_any_record_of_a_person_is_enough() -> None:
    person = Person(records=[BEN, ADA])

    assert person.matches(ADA)
    assert person.matches(BEN)


def test_nothing_is_kept_twice_of_a_person() -> None:
    person = Person()

    for submission in ("one", "", "one", "two"):
        person.add(ADA, submission=submission)
    person.add(NAMED)

    assert person.records == [ADA, NAMED]
    assert person.submissions == ["one", "two"]


def test_the_ids_of_a_student_are_compared_as_they_are_written_most_simply() -> None:
    assert normalized_ids(ADA) == {"ar10001", "ada@uni.example", "4711"}
    assert normalized_ids(NAMED) == frozenset()


def test_a_submission_names_people_in_three_places() -> None:
    grade = graded("one", (ADA,), named=(NAMED,), listed=(BEN,))

    assert list(mentioned_students(grade)) == [ADA, NAMED, BEN]


def test_each_person_is_found_once_with_all_records_and_submissions() -> None:
    ada, ben = people(
        graded("one", (ADA,), named=(NAMED,), listed=(LOGIN,)), graded("two", (BEN, ADA))
    )

    assert (ada.records, ada.submissions) == ([ADA, NAMED, LOGIN], ["one", "two"])
    assert (ben.records, ben.submissions) == ([BEN], ["two"])


def test_namesakes_with_ids_of_their_own_are_two_people() -> None:
    one, other = people(graded("one", (ADA,)), graded("two", (NAMESAKE,)))

    assert [one.records, other.records] == [[ADA], [NAMESAKE]]


def test_somebody_without_name_and_id_is_nobody() -> None:
    assert people(graded("one", (Student(name="", id=""),))) == []


def test_the_roster_comes_first_and_knows_other_names() -> None:
    roster = (RosterMember(student=BEN, aliases=("Benny",)), RosterMember(student=ADA))
    benny = Student(name="Benny", id="")
    ben, ada = people(graded("one", (LOGIN, benny)), roster=roster)

    assert ben.records == [BEN, replace(BEN, name="Benny"), benny]
    assert ada.records == [ADA, LOGIN]
    assert ben.submissions == ada.submissions == ["one"]


def test_an_id_that_is_told_later_joins_what_came_before() -> None:
    later = Student(name="Someone Else", id="x1", email="ar10001")
    (ada,) = people(
        graded("one", (ADA,)), graded("two", (later,)), graded("three", (replace(later, email=""),))
    )

    assert [record.name for record in ada.records] == ["Ada Rivers", "Someone Else", "Someone Else"]
    assert ada.submissions == ["one", "two", "three"]


def test_an_id_says_more_than_a_name() -> None:
    nameless, someone = Student(name="Ada Rivers", id=""), Student(name="Someone Else", id="x1")
    told = Student(name="Ada Rivers", id="x1")
    roster = (RosterMember(student=nameless), RosterMember(student=someone))

    for found in (
        people(graded("one", (told,)), roster=roster),
        people(graded("zero", (nameless,)), graded("half", (someone,)), graded("one", (told,))),
    ):
        assert [person.records for person in found] == [[nameless], [someone, told]]
        assert found[1].submissions[-1] == "one"
