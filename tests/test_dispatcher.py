"""Which submission goes to which worker, and who is suspected when one dies: no process starts."""

from __future__ import annotations

from grader.cluster.dispatcher import MAX_FAULTS, Dispatcher, KnownArrays


def assigned(dispatcher: Dispatcher) -> dict[str, list[str]]:
    """What each worker is given now."""
    given: dict[str, list[str]] = {}
    for worker, name in dispatcher.assign():
        given.setdefault(worker, []).append(name)
    return given


def test_no_worker_has_more_than_its_slots_and_a_slow_one_holds_up_nobody_else() -> None:
    dispatcher = Dispatcher(f"s{number}" for number in range(100))
    dispatcher.add_worker("slow", slots=2)
    dispatcher.add_worker("quick", slots=3)

    assert assigned(dispatcher) == {"slow": ["s0", "s1"], "quick": ["s2", "s3", "s4"]}
    for number in range(2, 50):
        assert dispatcher.finish("quick", f"s{number}")
        assert assigned(dispatcher) == {"quick": [f"s{number + 3}"]}
    assert dispatcher.count_running() == 5


def test_who_was_on_a_worker_that_died_runs_alone_and_innocents_are_graded() -> None:
    dispatcher = Dispatcher(["ada", "poison", "ben", "cleo"])
    dispatcher.add_worker("one", slots=3)
    assigned(dispatcher)
    assert dispatcher.remove_worker("one") == ()
    dispatcher.add_worker("two", slots=3)

    assert assigned(dispatcher) == {"two": ["ada"]}, "and not cleo beside ada"
    assert dispatcher.finish("two", "ada")
    assert assigned(dispatcher) == {"two": ["ben"]}
    assert dispatcher.finish("two", "ben")
    assert assigned(dispatcher) == {"two": ["poison"]}
    assert dispatcher.remove_worker("two") == ("poison",)
    dispatcher.add_worker("three", slots=3)
    assert assigned(dispatcher) == {"three": ["cleo"]}
    dispatcher.finish("three", "cleo")
    assert dispatcher.is_finished


def test_suspects_run_alone_on_one_worker_while_the_others_go_on() -> None:
    dispatcher = Dispatcher(f"s{number}" for number in range(9))
    for worker in ("one", "two", "three"):
        dispatcher.add_worker(worker, slots=2)
    assigned(dispatcher)
    dispatcher.remove_worker("one")

    assert assigned(dispatcher) == {}, "none has room"
    dispatcher.finish("two", "s2")
    dispatcher.finish("three", "s4")
    given = assigned(dispatcher)
    assert sum(map(len, given.values())) == 1, "one of the two runs empty for the suspects"
    (worker,) = given
    other = ({"two", "three"} - {worker}).pop()
    dispatcher.finish(other, "s3" if other == "two" else "s5")
    assert assigned(dispatcher) == {other: ["s0"]}
    dispatcher.finish(worker, given[worker][0])
    assert len(assigned(dispatcher)[worker]) == 1, "while a suspect is alone, others are fed"


def test_a_worker_that_leaves_makes_nobody_a_suspect() -> None:
    dispatcher = Dispatcher(["ada", "ben"])
    dispatcher.add_worker("one", slots=2)
    assigned(dispatcher)
    dispatcher.retire_worker("one")
    dispatcher.add_worker("two", slots=2)

    assert sorted(assigned(dispatcher)["two"]) == ["ada", "ben"]
    assert dispatcher.remove_worker("one") == ()


def test_a_fault_of_ours_is_tried_once_elsewhere_and_counts_where_there_is_no_elsewhere() -> None:
    dispatcher = Dispatcher(["ada"])
    dispatcher.add_worker("one", slots=1)
    dispatcher.add_worker("two", slots=1)
    assert assigned(dispatcher) == {"one": ["ada"]}
    assert not dispatcher.finish("one", "ada", grader_fault=True)
    assert assigned(dispatcher) == {"two": ["ada"]}
    assert dispatcher.finish("two", "ada", grader_fault=True), "the second fault is its result"

    only = Dispatcher(["ben"])
    only.add_worker("one", slots=1)
    assigned(only)
    assert only.finish("one", "ben", grader_fault=True)


def test_a_worker_fails_after_faults_in_a_row_and_a_result_between_forgives() -> None:
    dispatcher = Dispatcher(f"s{number}" for number in range(9))
    dispatcher.add_worker("one", slots=9)
    assigned(dispatcher)
    for number in range(MAX_FAULTS - 1):
        dispatcher.fail("one", f"s{number}")
    dispatcher.finish("one", "s8")
    assert not dispatcher.is_failing("one")
    for number in range(2, 2 + MAX_FAULTS):
        dispatcher.fail("one", f"s{number}")
    assert dispatcher.is_failing("one")


def test_arrays_that_came_twice_are_known_until_the_store_lacks_one() -> None:
    known = KnownArrays()
    known.add(["images", "hers"])
    assert list(known) == []
    known.add(["images", "his"])
    assert list(known) == ["images"]
    known.forget()
    assert list(known) == []


def test_what_no_worker_can_begin_with_is_given_up() -> None:
    dispatcher = Dispatcher(["odd", *(f"s{number}" for number in range(20))])
    dispatcher.add_worker("one", slots=1)
    dispatcher.add_worker("two", slots=1)
    failures = 0
    while not dispatcher.is_finished:
        for worker, name in list(dispatcher.assign()):
            if name == "odd":
                failures += 1
                dispatcher.fail(worker, name)
            else:
                dispatcher.finish(worker, name)

    assert failures == MAX_FAULTS + 1
