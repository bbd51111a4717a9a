"""Numbers that answers quote are found where a notebook shows them, however they are written."""

from __future__ import annotations

import pytest
from test_saved import cell, evidence, ran

from grader.checks.numbers_in_text import NumberIndex, read_decimals, read_numbers, same_number
from grader.checks.quotes import quoted_numbers


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("It rose from 0.92 to 0.998.", ["0.92", "0.998"]),
        ("It rose by 93%, or 12 percent, or $7\\%$.", ["93%", "12 percent", "7\\%"]),
        ("Between 0.91-0.99 (about -0.05)", ["0.91", "0.99", "-0.05"]),
        ("a rate of 1e-3", ["1e-3"]),
        ("**0.92** and $0.17$ and `0.06`", ["0.92", "0.17", "0.06"]),
        ("Cosinus 0,92 im Mittel", ["0,92"]),
        ("See Part 3.3, Q2.1, Fig. 1.2, version 2.13 and torch 2.5.1", []),
        ("3 images of 32 x 32 in 2 groups, C_1 and x1.5", []),
        ("0.5 and 0.5 again, +0.5", ["0.5"]),
        ("+0.5, that is 0.5", ["+0.5"]),
        ("§2.5 says 93\n% of 0.7", ["93 %", "0.7"]),
    ],
)
def test_figures_of_an_answer_are_told_from_names_and_counts(text: str, quoted: list[str]) -> None:
    assert [figure.text for figure in quoted_numbers(text)] == quoted


@pytest.mark.parametrize(
    ("quote", "printed", "there"),
    [
        ("0.92", "0.9193", True),
        ("0.91", "0.9193", True),  # cut instead of rounded
        ("0.93", "0.9193", False),
        ("0.919", "0.9193", True),
        ("0.9193", "0.92", False),
        ("92%", "0.9193", True),
        ("91.9 %", "0.9193", True),
        ("0.92", "91.93%", True),
        ("93%", "93.2", True),
        ("93%", "0.9193", False),
        ("92%", "0.9493", False),
        ("93%", "93.2%", True),
        ("93%", "94.2%", False),
        ("93%", "92.2%", False),
        ("0.92", "93.5%", False),
        ("-0.05", "-0.0512", True),
        ("0.05", "-0.0512", False),
        ("0,92", "0.9193", True),
        ("1.0", "0.9999", True),
        ("1e-3", "0.001", True),
    ],
)
def test_a_quoted_figure_is_found_rounded_cut_or_as_a_percentage(
    quote: str, printed: str, *, there: bool
) -> None:
    seen = evidence((cell(4, f"cos: {printed}"), ran(4, "")), answers={"A": f"It is {quote} here."})
    (found,) = seen.quotes_for("A")

    assert found.saved == ((4,) if there else ())
    assert found.is_supported is there


def test_a_figure_may_be_in_the_fresh_run_alone_or_in_the_code() -> None:
    one = cell(3, source="rate = 0.01")
    seen = evidence((one, ran(3, "loss 0.25")), answers={"A": "0.25 at a rate of 0.01, not 0.77"})
    loss, rate, other = seen.quotes

    assert (loss.saved, loss.fresh) == ((), (3,))
    assert (rate.fresh, rate.code) == ((), (3,))
    assert not other.is_supported


def test_a_figure_may_be_the_difference_of_two_others() -> None:
    printed = "a 0.9193\nb 0.9980"
    seen = evidence(
        (cell(0, printed), ran(0, printed)), answers={"A": "From 0.9193 to 0.9980, by 0.0787."}
    )

    assert seen.quotes[2].worked_out == "0.9980 \u2212 0.9193"
    assert all(quote.is_supported for quote in seen.quotes)


@pytest.mark.parametrize(
    ("left", "right", "quote", "is_difference"),
    [
        ("93%", "90%", "4%", True),  # cut, where the others are rounded
        ("93%", "90%", "5%", False),
        ("0.9", "0.81", "0.15", True),
        ("0.95", "0.8", "0.08", True),
        ("0.91", "0.77", "0.1", True),
        ("0.91", "0.65", "0.1", False),
        ("93%", "0.81", "0.12", False),
    ],
)
def test_a_difference_is_as_exact_as_the_least_exact_of_the_three(
    left: str, right: str, quote: str, *, is_difference: bool
) -> None:
    answers = {"A": f"{left}, {right}: {quote}"}
    seen = evidence((cell(0, f"{left}, {right}"), ran(0)), answers=answers)

    assert seen.quotes[2].worked_out == (f"{left} \u2212 {right}" if is_difference else "")


def test_answers_without_figures_cost_nothing() -> None:
    assert evidence((cell(0, "1.5"), ran(0, "1.5")), answers={"A": "Words."}).quotes == ()


def test_numbers_are_read_as_they_are_printed() -> None:
    text = "tensor([[ 0.5000, -1.25e-01]], grad_fn=<X>) v1.2.3 10.5s 3x 7. .5 \u22122"

    assert [figure.value for figure in read_numbers(text)] == [0.5, -0.125, 7, 0.5, -2]


def test_a_number_is_read_with_all_digits_that_python_shows() -> None:
    shown = [0.058583855628967285, 1 / 3, 0.0012345678901234567, -2 / 30]
    assert [figure.value for figure in read_numbers(str(shown))] == shown


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("0.9193", "0.92", True),
        ("1000", "1000.5", True),
        ("2e0", "3.5", True),
        ("2e0", "3.6", False),
        ("1000", "1001", False),
    ],
)
def test_same_is_the_same_either_way(left: str, right: str, *, same: bool) -> None:
    one, two = (next(read_numbers(text)) for text in (left, right))

    assert same_number(one, two) is same
    assert same_number(two, one) is same


def test_a_percentage_is_read_as_a_share_with_two_decimals_more() -> None:
    assert [(n.value, n.unit) for n in read_decimals("93 %, 0.5")] == [(0.93, 0.01), (0.5, 0.1)]


def test_a_ledger_is_bounded() -> None:
    few = NumberIndex.from_texts([(n, "0.5") for n in range(9)], limit=2)
    assert len(few.plain) == 3, "the limit is looked at after each text"

    ledger = NumberIndex.from_texts([(0, "0.5 " * 100_000), (1, "0.7 " * 100_000)], limit=10)

    assert len(ledger.plain) <= 5_000
