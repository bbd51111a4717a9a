"""What is alike, in the console: groups at once, pairs side by side, suggestions that count not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from console_course import Course, Visitor, course, handed_in, rubric

from grader.gradebook import ledger
from grader.model import Answer, Excerpt, Item, Picture
from grader.web.console import Console
from grader.web.marking_form import plain_sentence

SAME = (
    "The input of a block is added to its output, so the gradient has a path that passes no "
    "weights at all and reaches the early layers of a very deep network without vanishing."
)
OTHER = "Weights are shared over positions, and pooling forgets small shifts of what is seen."
WROTE = {"ada": SAME, "ben": SAME + " Indeed.", "cyd": OTHER, "dot": "", "eve": ""}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Course]:
    class_of = [handed_in(name, wrote={"Q1.1": text}) for name, text in WROTE.items()]
    with course(tmp_path, submissions=class_of) as one:
        yield one


def points(made: Course) -> dict[str, Fraction]:
    found = ledger.current_marks(made.book, "Q1.1")
    return {name: mark.points for (name, _), mark in found.items()}


def members(page: str) -> list[str]:
    return re.findall(r'name="member" value="([^"]+)"', page)


def open_group(made: Course, name: str) -> Visitor:
    """Somebody before the group that an answer is in."""
    visitor = made.visitor().go("/groups/Q1.1")
    for address in re.findall(r'href="(/group/[^"]+)"', visitor.page):
        if made.code(name) in visitor.go(address).page:
            return visitor
    pytest.fail(f"{name} is in no group")


def test_a_group_is_marked_in_one_go_with_each_answer_in_sight(made: Course) -> None:
    visitor = open_group(made, "ada")
    assert SAME in visitor.page
    assert "Indeed." in visitor.page
    visitor.send(visitor.at, member=members(visitor.page), criterion="what", comment="Good.")

    assert points(made) == {"ada": 3, "ben": 3}
    assert "Graded 2 answers." in visitor.page
    assert 'Undo<span class="undone"> 2 answers of Q1.1' in visitor.page


def test_undo_takes_a_whole_group_back_but_what_others_graded_since(tmp_path: Path) -> None:
    names = [f"team{n}" for n in range(7)]
    submissions = [handed_in(name, wrote={"Q1.1": SAME}) for name in names]
    with course(tmp_path, submissions=submissions) as made:
        for others in (0, 1):
            visitor = open_group(made, names[0])
            group = visitor.at
            visitor.send(group, member=members(visitor.page), criterion="what")
            assert points(made) == dict.fromkeys(names, 3)
            if others:
                made.visitor().go(f"/mark/Q1.1/{made.code(names[3])}").mark("why")
            visitor.go("/team").send("/undo", here="/team")
            assert visitor.at == group  # from wherever one is
            if not others:
                assert points(made) == {}
                assert "Undone: 7 answers are as before." in visitor.page
        assert points(made) == {names[3]: 2}
        said = "Undone: 6 answers are as before. 1 answer graded by others since: not undone."
        assert said in visitor.page
        assert "nothing to undo" in visitor.send("/undo", here="/").page


def test_who_is_not_ticked_or_has_a_mark_or_changed_keeps_what_they_have(made: Course) -> None:
    visitor = made.visitor().go(f"/mark/Q1.1/{made.code('ada')}")
    visitor.mark("why")
    visitor = open_group(made, "ben")
    address = visitor.at
    ticked = members(visitor.page)
    assert len(ticked) == 1
    visitor.send(address, member=(), criterion="what")
    assert visitor.status == 422
    visitor.send(address, member=[f"{ticked[0].split()[0]} another"], criterion="what")
    assert points(made) == {"ada": 2}
    visitor.go(address).send(address, member=[ticked[0], f"{made.code('ada')} x"], none="1")
    assert points(made) == {"ada": 2, "ben": 0}


def test_empty_answers_are_a_group_that_a_person_confirms(made: Course) -> None:
    visitor = made.visitor().go("/groups/Q1.1")
    assert "2 answers, empty" in visitor.page
    assert points(made) == {}


def test_a_drawn_answer_is_never_taken_for_an_empty_one(tmp_path: Path) -> None:
    picture = Picture(mime="image/png", base64="aGVsbG8=")
    class_of = []
    for name, text in {"ada": "", "ben": "", "cyd": "", "dot": SAME, "eve": SAME}.items():
        graded = handed_in(name)
        images = (picture,) if name in {"cyd", "eve"} else ()
        answer = Answer(item="Q1.1", text=text, images=images)
        class_of.append(replace(graded, answers={**graded.answers, "Q1.1": answer}))
    with course(tmp_path, submissions=class_of) as made:
        visitor = open_group(made, "ada")
        assert made.code("cyd") not in visitor.page
        visitor = open_group(made, "eve")
        ticked = re.findall(r'value="(\w+) \w+" checked', visitor.page)
        assert ticked == [made.code("dot")]
        assert "It has a picture" in visitor.page


def test_a_pair_stands_side_by_side_and_no_student_sees_it(made: Course) -> None:
    visitor = made.visitor().go("/pairs/Q1.1")
    assert visitor.page.count("<mark>") == 2
    assert made.code("cyd") not in visitor.page
    assert "Secret" not in visitor.page
    visitor.send("/names", here="/pairs/Q1.1")
    assert "Ada Secret" in visitor.page


def test_code_under_other_names_is_a_pair_too(tmp_path: Path) -> None:
    loop = (
        "for step in range(200):\n    optimizer.zero_grad()\n    one, two = model(a), model(b)\n"
        "    loss = margin - score(one, two) + weight * score(two, one)\n"
        "    if step % 50 == 0 and loss > 0.25:\n        history.append((step, loss.item()))\n"
        "    loss.backward()\n    optimizer.step()\n"
    )
    sources = {
        "ada": loop,
        "ben": loop.replace("step", "k").replace("one", "e1").replace("history", "log"),
        "cyd": "fit(model, images, rounds=200)",
    }
    class_of = [
        replace(handed_in(name), code={"Q2.3.2": (Excerpt(cell=3, source=source),)})
        for name, source in sources.items()
    ]
    with course(tmp_path, submissions=class_of) as made:
        visitor = made.visitor().go("/pairs/Q2.3.2")

        assert visitor.page.count("<mark>") == 2
        assert "tokens in common" in visitor.page
        assert made.code("cyd", item="Q2.3.2") not in visitor.page


def test_a_suggestion_is_a_sentence_and_switches_nothing_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.web.server.Console", replace_rubric(Console))
    class_of = [handed_in("ada", wrote={"Q1.1": SAME}), handed_in("ben", wrote={"Q1.1": OTHER})]
    with course(tmp_path, submissions=class_of) as made:
        visitor = made.visitor().go(f"/mark/Q1.1/{made.code('ada')}")
        assert '<dd dir="auto">&ldquo;The input of a block' in visitor.page
        assert "not known yet" in visitor.page
        assert " checked>" not in visitor.page
        visitor.mark("what")
        visitor.go(f"/mark/Q1.1/{made.code('ada')}")
        assert re.search(r"Agreement with graders so far: \d of 3", visitor.page)
        report = made.folder.report_path("ada")
    assert "text matching" not in report.read_text("utf-8")
    assert "Agreement with graders" not in report.read_text("utf-8")


def replace_rubric(console: type[object]) -> object:
    """A console whose first item has keywords that fit."""

    def with_keywords(item: Item) -> Item:
        told = ("gradient", "path", "vanishing", "early layers")
        return replace(item, criteria=tuple(replace(c, keywords=told) for c in item.criteria))

    items = tuple(with_keywords(i) if i.id == "Q1.1" else i for i in rubric().items)
    return lambda **parts: console(**{**parts, "rubric": replace(rubric(), items=items)})


def test_a_suggestion_quotes_no_markdown() -> None:
    assert plain_sentence("- **The input** is\n  `added`.") == "The input is added."
    assert plain_sentence("## [Added](https://example.org) & *kept*") == (
        "Added (https://example.org) & kept"
    )
