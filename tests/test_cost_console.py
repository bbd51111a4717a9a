"""What pages of the console cost with a large class: a marker never waits."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from console_course import WRITTEN, Course, course, handed_in, rubric

from grader.gradebook import NewMark, ledger

MANY = 300
MOST_S = 0.1
"""Of processor time for a page, with what the visitor takes to read it."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
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
def test_a_page_of_a_class_of_300_takes_less_than_a_tenth_of_a_second(
    large: Course, path: str
) -> None:
    visitor = large.visitor()
    address = f"/mark/Q2.3.3/{large.code('s000', WRITTEN[5])}" if path == "/mark" else path
    took = []
    for _ in range(8):
        begun = time.process_time()
        visitor.ask(address)
        took.append(time.process_time() - begun)
        assert visitor.status == 200

    assert min(took) < MOST_S


def test_a_mark_and_the_next_answer_take_less_than_two(large: Course) -> None:
    visitor = large.visitor().go("/step/Q1.1")
    took = []
    for _ in range(8):
        begun = time.process_time()
        visitor.mark("what")
        took.append(time.process_time() - begun)
        assert visitor.at.startswith("/mark/Q1.1/")

    assert min(took) < 2 * MOST_S
