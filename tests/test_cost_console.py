"""What pages of the console cost with a large class: a marker never waits.

Counted in calls of functions, which are the same on a slow machine and under a tracer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count

import pytest
from console_course import WRITTEN, Course, course, handed_in, rubric

from grader.gradebook import NewMark, ledger

MANY = 300
MOST_CALLS = 100_000
"""For a page: about a tenth of a second of a slow core."""


class CallCounter:
    """Counts the calls that threads make which are started while it is installed."""

    def __init__(self) -> None:
        self._calls = count()
        self._seen = 0

    def __call__(self, _frame: object, event: str, _argument: object) -> None:
        if event in ("call", "c_call"):
            next(self._calls)

    def since_last(self) -> int:
        """Return the number of calls since this was asked before."""
        seen, self._seen = self._seen, next(self._calls)
        return self._seen - seen


@pytest.fixture(scope="module")
def calls() -> Iterator[CallCounter]:
    counter = CallCounter()
    threading.setprofile(counter)
    yield counter
    threading.setprofile(None)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, calls: CallCounter) -> Iterator[Course]:
    calls.since_last()  # installed: before the server starts its threads
    submissions = [handed_in(f"s{number:03d}") for number in range(MANY)]
    with course(tmp_path_factory.mktemp("large"), submissions=submissions) as made:
        for sheet in made.ready.console.answer_index.answers("Q1.1")[::2]:
            given = NewMark(
                submission=sheet.submission,
                item="Q1.1",
                answer_digest=sheet.digest,
                by="Kim",
                criteria=("what",),
                comment=f"Comment {sheet.code[0]}",
            )
            ledger.add_mark(made.book, given, expected_current=None)
        # What is worked out once, in the background, would be counted with the pages.
        made.ready.console.similarity.precompute(rubric().items)
        yield made


@pytest.mark.parametrize(
    "path", ["/", "/item/Q1.1", "/item/Q1.1?search=words", "/mark", "/waiting", "/team"]
)
def test_a_page_of_a_class_of_300_takes_little_work(
    large: Course, calls: CallCounter, path: str
) -> None:
    visitor = large.visitor()
    address = f"/mark/Q2.3.3/{large.code('s000', WRITTEN[5])}" if path == "/mark" else path
    took = []
    for _ in range(4):
        calls.since_last()
        visitor.ask(address)
        took.append(calls.since_last())
        assert visitor.status == 200

    assert 1_000 < min(took) < MOST_CALLS


def test_a_mark_and_the_next_answer_take_less_than_two(large: Course, calls: CallCounter) -> None:
    visitor = large.visitor().go("/step/Q1.1")
    took = []
    for _ in range(4):
        calls.since_last()
        visitor.mark("what")
        took.append(calls.since_last())
        assert visitor.at.startswith("/mark/Q1.1/")

    assert 1_000 < min(took) < 2 * MOST_CALLS
