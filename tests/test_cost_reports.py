"""Reports cost little: one pass over a class that keeps rows, no plotting library, few spans."""

from __future__ import annotations

import gc
import html
import io
import json
import re
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import specimens
from rich.console import Console
from specimen_assignment import rubric
from specimen_parts import exhibit

from grader.exports import class_to_json, result_to_json
from grader.exports.number_format import escape_invisible
from grader.exports.results_json import build_result
from grader.folder import SubmissionSummary
from grader.model import Graded
from grader.report.axis_scale import Scale
from grader.report.chart import BOTTOM, LEFT, RIGHT, TOP, TextAlternative, draw_chart
from grader.report.code_listing import highlight_code
from grader.report.exhibit import exhibit_view
from grader.report.projection import Plane
from grader.report.run_summary import run_summary
from grader.report.text_format import clean

RUBRIC = rubric()


class Tracked(str):
    """Text that can be watched, to see when the submission it names is let go."""

    __slots__ = ("__weakref__",)


def one_by_one(count: int, most: list[int]) -> Iterator[Graded]:
    """Submissions made on the way; `most` is told how many of their records were alive at once."""
    alive: weakref.WeakSet[Tracked] = weakref.WeakSet()
    for number in range(count):
        word = Tracked(f"version {number}")
        alive.add(word)
        full = specimens.full_marks()
        assert full.provenance is not None
        yield replace(full, provenance=replace(full.provenance, isolation=word))
        del word, full
        gc.collect()
        most.append(len(alive))


def briefed(results: Iterator[Graded]) -> None:
    assert len([SubmissionSummary.from_graded(one, rubric=RUBRIC) for one in results]) == 6


def printed(results: Iterator[Graded]) -> None:
    Console(file=io.StringIO()).print(run_summary(results, rubric=RUBRIC, out=Path("out")))


@pytest.mark.parametrize(
    "made",
    [
        briefed,
        printed,
    ],
    ids=["class", "terminal"],
)
def test_a_class_is_gone_through_once_and_each_submission_is_let_go(
    made: Callable[[Iterator[Graded]], object],
) -> None:
    most: list[int] = []

    made(one_by_one(6, most))

    assert len(most) == 6
    assert max(most) <= 1


def test_all_results_in_one_object_may_come_from_a_stream() -> None:
    assert class_to_json(iter([specimens.full_marks()]), rubric=RUBRIC) == (
        class_to_json([specimens.full_marks()], rubric=RUBRIC)
    )


@pytest.mark.parametrize("make", specimens.ALL)
def test_a_result_is_written_as_the_plain_encoder_writes_it(make: Callable[[], Graded]) -> None:
    plain = build_result(make(), rubric=RUBRIC)

    assert result_to_json(make(), rubric=RUBRIC) == (
        escape_invisible(json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"
    )


def test_a_chart_is_drawn_without_a_plotting_library() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from specimen_parts import exhibit\n"
        "from grader.report.exhibit import exhibit_view\n"
        "assert exhibit_view(exhibit(), name='exhibit-1').chart\n"
        "sys.exit('matplotlib' in sys.modules)"
    )
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_nothing_that_only_pages_need_is_loaded_before_the_first_page() -> None:
    code = (
        "import sys, grader.report\n"
        "early = {'jinja2', 'markdown_it'} & sys.modules.keys()\n"
        "grader.report.preload_templates()\n"
        "sys.exit(bool(early) or not {'jinja2', 'markdown_it'} <= sys.modules.keys())"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_chart_has_a_shape_a_point_a_label_a_point_and_a_trail_a_label() -> None:
    drawn = exhibit_view(exhibit(), name="exhibit-1").chart
    assert drawn is not None

    assert drawn.count('transform="translate(') == 6
    assert drawn.count("stroke-dasharray") == 3
    assert [drawn.count(f">{label}</text>") for label in ("C1", "C2", "B1")] == [2, 2, 2]
    assert drawn.index("stroke-dasharray") < drawn.index("translate(")


@pytest.mark.parametrize("factor", [1e-200, 1e-9, 1.0, 1e9, 1e150])
def test_a_chart_of_any_size_keeps_its_points_between_the_axes(factor: float) -> None:
    points = factor * np.array([[-1.0, 0.5], [2.0, -0.25], [0.0, 0.0]])
    across = Scale.from_numbers(points[:, 0], start=LEFT, end=RIGHT)
    up = Scale.from_numbers(points[:, 1], start=BOTTOM, end=TOP)

    drawn = draw_chart(
        Plane(points=points, shares=(0.9, 0.1)),
        labels=("a", "b", "c"),
        stages=1,
        alternative=TextAlternative(name="n", title="t", description="d"),
    )

    assert all(LEFT < across.position(x) < RIGHT for x in points[:, 0])
    assert all(TOP < up.position(y) < BOTTOM for y in points[:, 1])
    assert "nan" not in drawn
    assert "inf" not in drawn


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-0.66, 0.67, ["-0.5", "0.0", "0.5"]),
        (-0.15, 0.30, ["-0.2", "0.0", "0.2"]),
        (0.0, 10.0, ["0.0", "2.5", "5.0", "7.5", "10.0"]),
        (-300.0, 300.0, ["-400", "-200", "0", "200", "400"]),
        (0.0, 1e-8, ["0", "2.5e-09", "5e-09", "7.5e-09", "1e-08"]),
    ],
)
def test_ticks_are_round_numbers_and_few(low: float, high: float, said: list[str]) -> None:
    ticks = Scale.from_numbers((low, high), start=0, end=1).ticks()

    assert [words.replace("\N{MINUS SIGN}", "-") for _, words in ticks] == said
    assert not any("-" in words for _, words in ticks)


def test_one_number_alone_has_a_scale_around_it() -> None:
    scale = Scale.from_numbers((3.0, 3.0), start=0, end=10)

    assert scale.position(3.0) == pytest.approx(5.0)


def test_code_is_colored_by_its_grammar_and_escaped() -> None:
    source = '@cache\ndef f(x):  # "no" <b>\n    return x < 0x1F or """if\n1""" and not_if.if_1'

    assert highlight_code(source) == (
        '<span class="c-name">@cache</span>\n'
        '<span class="c-word">def</span> <span class="c-name">f</span>(x):  '
        '<span class="c-note"># &#34;no&#34; &lt;b&gt;</span>\n'
        '    <span class="c-word">return</span> x &lt; <span class="c-number">0x1F</span> '
        '<span class="c-word">or</span> <span class="c-text">&#34;&#34;&#34;if\n'
        '1&#34;&#34;&#34;</span> <span class="c-word">and</span> not_if.if_1'
    )


@pytest.mark.parametrize("source", ['"""', "'", "x = f'{", "\\", "0x", "1.e", "@", "def ", "True"])
def test_code_half_typed_is_shown_as_it_stands(source: str) -> None:
    shown = html.unescape(re.sub(r"</?span[^>]*>", "", str(highlight_code(source))))

    assert shown == source


@pytest.mark.parametrize("text", ["plain\n\ttext", "Zoë ≤ 1", "a\u202eb", "a\x00b", "\x1b[1mx", ""])
def test_text_that_needs_no_cleaning_is_what_cleaning_leaves(text: str) -> None:
    assert clean(text) == clean(f"{text}\x1b[0m")
