"""Tests of a homework on data frames; the order of rows and their index never matter."""

import pandas as pd
import pytest


def in_order(frame):
    """Return a frame with its rows and columns in one order, and a plain index."""
    columns = sorted(frame.columns)
    return frame[columns].sort_values(columns).reset_index(drop=True)


def make_sales(*rows):
    """Return a data frame with the columns of the file."""
    return pd.DataFrame(rows, columns=["date", "stand", "flavor", "price", "scoops"])


@pytest.fixture
def few():
    """Return sales with mistakes, to be read by students."""
    return make_sales(
        ("2026-08-01", "pier", " Mango", 2.0, 4),
        ("2026-08-01", "pier", "MANGO", 3.0, 5),
        ("2026-08-02", "zoo", "melon ", 4.0, 6),
    )


@pytest.fixture
def unseen(draw):
    """Return sales with every mistake that the file has."""
    twice, once, missing = draw.sample(range(1, 50), 3)
    return make_sales(
        *draw.shuffled(
            [
                ("2026-09-01", "pier", " Honey Melon", 2.0, twice),
                ("2026-09-01", "pier", "honey melon ", 2.0, twice),
                ("2026-09-01", "pier", "HONEY MELON", 3.0, once),
                ("2026-09-01", "pier", "honey melon", None, missing),
                ("2026-09-01", "zoo", "fig", 8.0, once),
                ("2026-09-02", "zoo", "fig", 8.0, once),
            ]
        )
    )


# ---------------------------------------------------------------- Q1


def test_clean_names(clean, few):
    """`clean` writes names of flavors in lower case, without spaces around them."""
    assert sorted(clean(few)["flavor"]) == ["mango", "mango", "melon"]


def test_clean_leaves_raw(clean, few):
    """`clean` returns a new data frame, and leaves the one that it is given as it is."""
    before = few.copy()
    assert isinstance(clean(few), pd.DataFrame)
    pd.testing.assert_frame_equal(few, before)


def test_clean_repeated_rows(clean, unseen):
    """`clean` drops rows that are there twice once names are clean, and no other row."""
    rows = unseen.dropna()
    scoops = sorted(rows[rows["flavor"] != " Honey Melon"]["scoops"])
    assert sorted(clean(rows)["scoops"]) == scoops


def test_clean_prices(clean, reference, unseen):
    """`clean` is right for other sales, and puts the flavor's mean price where one is missing."""
    pd.testing.assert_frame_equal(in_order(clean(unseen)), in_order(reference.clean(unseen)))


# ---------------------------------------------------------------- Q2


def test_revenue(revenue, few):
    """`revenue` returns a series: price times scoops, added up by flavor."""
    few["flavor"] = ["mango", "mango", "melon"]
    found = revenue(few)
    assert isinstance(found, pd.Series)
    expected = pd.Series({"mango": 23.0, "melon": 24.0})
    pd.testing.assert_series_equal(found.sort_index(), expected, check_names=False)


def test_revenue_unseen(revenue, reference, unseen):
    """`revenue` is right for other sales."""
    sales = reference.clean(unseen)
    pd.testing.assert_series_equal(
        revenue(sales).sort_index(), reference.revenue(sales).sort_index(), check_names=False
    )


# ---------------------------------------------------------------- Q3


def test_best_columns(files):
    """`best.csv` has a row for each stand, and the columns `stand` and `flavor`."""
    best = pd.read_csv(files["best.csv"])
    assert sorted(best.columns) == ["flavor", "stand"]
    assert sorted(best["stand"]) == ["harbor", "park", "station"]


def test_best(files, reference):
    """`best.csv` names the flavor of which each stand sold the most scoops."""
    pd.testing.assert_frame_equal(
        in_order(pd.read_csv(files["best.csv"])), in_order(reference.best)
    )
