"""A whole notebook as it was run, and the student's other answers: one key from each answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from console_course import WRITTEN, Course, Visitor, course, handed_in

from grader.gradebook import StoredSubmission
from grader.model import (
    Answer,
    Cell,
    CellError,
    CellRun,
    CellStatus,
    ExecutionRecord,
    Graded,
    Notebook,
    Picture,
    SavedOutput,
    Trace,
)

RAW = Picture(mime="image/png", base64="cmF3")
REDRAWN = Picture(mime="image/png", base64="cmVkcmF3bg==")
OTHER = Picture(mime="image/gif", base64="b3RoZXI=")
ATTACHED = "attachment:83b1e4a7cf0c5a55"
SAME = "Gradients vanish in deep networks, and shortcuts keep them alive."


OWN = {
    "ada": "Kernels slide over pixels.",
    "ben": "Labels would say which animals belong together.",
    "cyd": "No idea.",
}


def told(name: str) -> Graded:
    graded = handed_in(name, wrote={"Q1.2": SAME, "Q2.1": OWN[name]})
    drawn = Answer(item="Q1.1", text="On paper: (picture 1)", cells=(1,), images=(REDRAWN,))
    return replace(graded, answers={**graded.answers, "Q1.1": drawn})


def cells(name: str) -> tuple[Cell, ...]:
    who = f"{name.title()} Secret"
    saved = (SavedOutput(text="0.5\n", mimes=()),)
    return (
        Cell(index=0, kind="markdown", source=f"**{who}**, {name}-4711 <script>alert(1)</script>"),
        Cell(index=1, kind="markdown", source=f"On paper: ![x]({ATTACHED})", images=(RAW,)),
        Cell(index=2, kind="code", source=f"author = '{who}'\nprint(0.5)", outputs=saved),
        Cell(index=3, kind="code", source="draw()", images=(OTHER,)),
        Cell(index=4, kind="code", source="1 / 0"),
        Cell(index=5, kind="code", source="late()"),
    )


def runs(name: str) -> tuple[CellRun, ...]:
    trouble = CellError(name="ZeroDivisionError", message="by zero", traceback=f"{name}-4711 ... 0")
    return (
        CellRun(index=2, status=CellStatus.RAN, shown=f"0.25 of {name.title()}\n"),
        CellRun(index=3, status=CellStatus.RAN, media=("image/png",)),
        CellRun(index=4, status=CellStatus.RAISED, error=trouble),
        CellRun(index=5, status=CellStatus.NOT_REACHED),
    )


def trace(name: str, *, heard: bool = True) -> Trace:
    record = ExecutionRecord(cells=runs(name), heard=heard)
    notebook = Notebook(cells=cells(name), sha256="ab" * 32)
    return Trace(notebook=notebook, record=record, observations={}, expected={})


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Course]:
    names = ("ada", "ben", "cyd")
    with course(tmp_path, submissions=[told(name) for name in names]) as one:
        store(one, "ada", trace("ada"))
        yield one


def store(made: Course, name: str, ran: Trace | None) -> None:
    made.book.save_submission(StoredSubmission(cache_key="k", graded=told(name), trace=ran))


def opened(made: Course, name: str = "ada", item: str = "Q1.1") -> Visitor:
    """The notebook, by the link of one of its answers."""
    visitor = made.visitor().go(f"/mark/{item}/{made.code(name, item)}")
    link = re.search(r'href="(/notebook/[^"#]+)(?:#([^"]+))?" data-key="o"', visitor.page)
    assert link is not None
    assert link[2] == ("cell-1" if item == "Q1.1" else None)
    return visitor.go(link[1].replace("&amp;", "&"))


def cell(page: str, index: int) -> str:
    return page.partition(f'id="cell-{index}"')[2].partition("</section>")[0]


def test_an_answer_leads_to_the_notebook_as_run_and_back(made: Course) -> None:
    visitor = opened(made)
    page = visitor.page
    assert "0.25 of" in cell(page, 2)
    assert "Output saved in the file, which differs" in cell(page, 2)
    assert "0.5" in cell(page, 2).partition("which differs")[2]
    assert "raised an error" in cell(page, 4)
    assert "not reached" in cell(page, 5)
    assert "<script>alert" not in page
    back = re.search(r'href="([^"]+)" data-key="o">Back to Q1.1', page)
    assert back is not None
    assert visitor.go(back[1]).at == f"/mark/Q1.1/{made.code('ada')}"


def test_a_filter_holds_over_a_look_at_the_notebook(made: Course) -> None:
    visitor = made.visitor().go(
        f"/mark/Q1.2/{made.code('ada', 'Q1.2')}?show=waiting&search=gradients"
    )
    link = re.search(r'href="(/notebook/[^"]+)" data-key="o"', visitor.page)
    assert link is not None
    page = visitor.go(link[1].replace("&amp;", "&")).page
    assert f'/mark/Q1.2/{made.code("ada", "Q1.2")}?show=waiting&amp;search=gradients"' in page


def test_names_and_ids_are_hidden_in_it_for_as_long_as_names_are(made: Course) -> None:
    visitor = opened(made)
    shown = re.sub(r"ada-words", "", visitor.page)
    assert "Secret" not in shown
    assert "4711" not in shown
    assert not re.search(r"\bada\b", shown, re.IGNORECASE)
    assert "[name]" in cell(shown, 0)
    assert "[name]" in cell(shown, 2)
    assert "[id]" in cell(shown, 4)

    visitor.send("/names", here=visitor.at)
    assert "Ada Secret" in cell(visitor.page, 0)
    assert "Ada Secret" in visitor.page.partition("<h1>")[2].partition("</h1>")[0]


def test_only_pictures_that_were_drawn_anew_are_shown(made: Course) -> None:
    page = opened(made).page
    assert f"base64,{REDRAWN.base64}" in cell(page, 1)
    assert f"base64,{RAW.base64}" not in page
    assert f"base64,{OTHER.base64}" not in page
    assert "1 picture not shown" in cell(page, 3)


def test_the_student_s_other_answers_stand_beside_it(made: Course) -> None:
    made.visitor().go(f"/mark/Q1.3/{made.code('ada', 'Q1.3')}").mark("what")
    page = opened(made).page
    for item in WRITTEN:
        assert f'href="/mark/{item}/{made.code("ada", item)}?notebook=' in page
    assert made.code("ben", "Q1.2") not in page
    row = page.partition(made.code("ada", "Q1.3"))[2].partition("</li>")[0]
    assert '3 <span class="unseen">points </span>by <bdi>Mo' in row


def test_a_notebook_is_graded_through_and_said_to_be(made: Course) -> None:
    visitor = opened(made)
    first = re.search(r'href="([^"]+)" data-key="Enter">Grade this notebook', visitor.page)
    assert first is not None
    visitor.go(first[1])
    graded = []
    for _ in WRITTEN:
        assert "Grading notebook " in visitor.page
        item = visitor.at.split("/")[2]
        assert made.code("ada", item) in visitor.at
        assert f'href="/mark/{item}/{made.code("ada", item)}" data-quiet>Grade {item} of all' in (
            visitor.page
        )
        graded.append(item)
        visitor.mark("what", notebook=visitor.hidden("notebook"))
    assert tuple(graded) == WRITTEN
    for item in ("V5", "V6"):  # checks left them to a person
        assert visitor.at.startswith(f"/mark/{item}/")
        visitor.mark(points="0.5", reason="Read.", notebook=visitor.hidden("notebook"))
    assert visitor.at.startswith("/notebook/")
    assert "Grade this notebook" not in visitor.page
    assert made.ready.console.queue_item("Q1.1", made.code("ben")).pending

    visitor.send("/undo", here="/")
    assert "Grading notebook " in visitor.page
    assert made.code("ada", "V6") in visitor.at


def test_on_a_notebook_s_way_keys_and_links_stay_in_it_and_no_other_answer_joins(
    made: Course,
) -> None:
    visitor = opened(made)
    route = f"notebook={visitor.at.split('/')[2].partition('?')[0]}"
    visitor.go(f"/step/Q1.1?from={made.code('ada')}&{route}")
    assert visitor.at.startswith(f"/mark/Q1.2/{made.code('ada', 'Q1.2')}?{route}")
    visitor.go(f"/step/Q1.2?from={made.code('ada', 'Q1.2')}&way=back&{route}")
    assert visitor.at.startswith(f"/mark/Q1.1/{made.code('ada')}?{route}")
    link = re.search(r'href="(/notebook/[^"#]+)[^"]*" data-key="o"', visitor.page)
    assert link is not None
    visitor.go(link[1].replace("&amp;", "&"))
    assert f'href="/mark/Q1.1/{made.code("ada")}?{route}" data-key="o"' in visitor.page
    visitor.go("/item/Q1.1")
    assert "notebook=" not in visitor.page
    for code in (made.code("ben"), made.code("cyd")):
        visitor.go(f"/mark/Q1.1/{code}?{route}")
        assert visitor.status == 200
        assert "Grading notebook " not in visitor.page


def test_an_answer_leads_to_the_ones_like_it(made: Course) -> None:
    page = made.visitor().go(f"/mark/Q1.2/{made.code('ada', 'Q1.2')}").page
    link = re.search(r'href="(/group/Q1.2/\w+)"[^>]*>2 similar answers', page)
    assert link is not None
    assert "Answer 3" in made.visitor().go(link[1]).page
    assert 'data-key="s"' not in made.visitor().go(f"/mark/Q2.1/{made.code('ada', 'Q2.1')}").page


def test_what_is_not_stored_is_said_and_no_page_fails(made: Course) -> None:
    assert "Its cells are not stored" in opened(made, "ben").page
    store(made, "cyd", trace("cyd", heard=False))
    page = opened(made, "cyd").page
    assert "were not stored by the version that ran it" in page
    assert "0.5" in cell(page, 2)
    assert "0.25" not in page
    assert made.visitor().go("/notebook/0000").status == 404
