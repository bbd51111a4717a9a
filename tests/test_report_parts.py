from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from sklearn.decomposition import PCA
from specimen_parts import exhibit

from grader.model import Numbers
from grader.report.exhibit import exhibit_view
from grader.report.markdown_html import render_markdown
from grader.report.projection import cosines, principal_plane
from grader.report.text_format import clean, format_number


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("**bold**", "<p><strong>bold</strong></p>\n"),
        ("It is ~~true~~ false, ~5 px.", "<p>It is <s>true</s> false, ~5 px.</p>\n"),
        ("# Head", '<p class="said-heading">Head</p>\n'),
        ("$\\frac{a_1 * b_1 * c$ and *d*", "<p>$\\frac{a_1 * b_1 * c$ and <em>d</em></p>\n"),
        ("costs $5", "<p>costs $5</p>\n"),
        ("[here](https://tracker.invalid)", "<p>here (https://tracker.invalid)</p>\n"),
        (
            "[a](https://x.invalid/1) [b][c]\n\n[c]: https://x.invalid/2",
            "<p>a (https://x.invalid/1) b (https://x.invalid/2)</p>\n",
        ),
        ("<https://x.invalid>", "<p>https://x.invalid (https://x.invalid)</p>\n"),
        ("![scan](https://tracker.invalid/x.png)", "<p>[picture: scan]</p>\n"),
        ("<b>raw</b>", "<p><b>raw</b></p>\n"),
        ("<div class='mark' onclick='x'>raw</div>", "<div>raw</div>"),
    ],
)
def test_markdown_is_shown_without_links_and_foreign_pictures(markdown: str, html: str) -> None:
    assert render_markdown(markdown) == html


def test_a_markdown_table_has_no_style_attribute() -> None:
    html = render_markdown("| a | b |\n| --- | ---: |\n| 1 | 2 |")
    assert "style" not in html
    assert '<th scope="col">' in html


def test_a_very_long_answer_is_cut_and_says_so() -> None:
    assert "5 characters are left out here" in render_markdown("x" * 20_005)


@pytest.mark.parametrize("seed", range(5))
def test_the_plane_is_the_one_scikit_learn_finds(seed: int) -> None:
    rows = np.random.default_rng(seed).standard_normal((6, 128))
    plane = principal_plane(rows)
    assert plane is not None
    pca = PCA(n_components=2)
    np.testing.assert_allclose(plane.points, pca.fit_transform(rows), atol=1e-10)
    np.testing.assert_allclose(plane.shares, pca.explained_variance_ratio_, atol=1e-10)


@pytest.mark.parametrize(
    "rows",
    [np.ones((4, 3)), np.zeros((1, 3)), np.full((4, 3), np.nan), np.array([[1e308], [-1e308]])],
)
def test_rows_that_span_no_plane_give_none(rows: Numbers) -> None:
    assert principal_plane(rows) is None


def test_huge_numbers_give_no_plane_and_no_warning() -> None:
    assert principal_plane(np.array([[1e308, 1.0], [-1e308, 2.0], [1e308, 3.0]])) is None


def test_the_cosine_of_a_zero_row_is_undefined() -> None:
    assert cosines(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])) == [
        pytest.approx(1.0),
        None,
        None,
    ]


def test_an_exhibit_is_a_table_and_a_chart_that_follows_the_theme() -> None:
    shown = exhibit_view(exhibit(), name="exhibit-1")
    assert list(shown.rows) == [
        ("C1 and C2", ("0.9193", "0.9980")),
        ("C1 and B1", ("0.1696", "0.0626")),
        ("C2 and B1", ("0.1561", "0.0586")),
    ]
    assert shown.chart is not None
    assert "currentColor" in shown.chart
    assert "style" not in shown.chart
    assert "#0102" not in shown.chart
    assert 'role="img"' in shown.chart
    assert "A scatter plot. C1: before at (" in shown.chart


def test_hostile_labels_are_words_in_the_chart() -> None:
    labels = ("<script>x</script>", "$\\frac{$", "\u0e01\u2603")
    relabeled = replace(exhibit(), labels=labels)
    drawn = exhibit_view(relabeled, name="exhibit-1").chart
    assert drawn is not None
    assert "<script" not in drawn
    assert "&lt;script&gt;x&lt;/script&gt;" in drawn
    assert "$\\frac{$" in drawn
    assert "\u0e01\u2603" in drawn


@pytest.mark.parametrize(
    ("points", "said"),
    [("6", "6"), ("5/2", "2.5"), ("1/3", "0.33"), ("1/200", "0.01"), ("0", "0"), ("100", "100")],
)
def test_numbers_are_plain_and_rounded_half_up(points: str, said: str) -> None:
    assert format_number(Fraction(points)) == said


def test_cleaning_keeps_accents_and_line_ends_and_drops_terminal_sequences() -> None:
    assert clean("Zoë\r\n\x1b[1;31mred\x1b[0m\x1b]8;;http://x\x07!\x9b1m\u202e") == "Zoë\nred!"


def test_reports_load_without_matplotlib() -> None:
    code = "import sys, grader.report; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
