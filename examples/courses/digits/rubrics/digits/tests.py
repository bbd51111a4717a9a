"""Tests of Digits: the names that a test takes are the notebook's, but for fixtures and `draw`."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, recall_score


@pytest.fixture(scope="session")
def unseen():
    """Pixels and digits of 300 rows that students never get; read once for the class."""
    table = np.loadtxt(Path(__file__).parent / "hidden.csv", delimiter=",", skiprows=1, dtype=int)
    return table[:, :-1], table[:, -1]


def sorted_rows(X, y):
    return sorted(np.column_stack([X, y]).tolist())


def test_split_keeps_every_row(X, y, X_train, X_test, y_train, y_test):
    """Each row, with its digit, is in one of the parts; a quarter of them is held out."""
    both = sorted_rows(X_train, y_train) + sorted_rows(X_test, y_test)
    assert sorted(both) == sorted_rows(X, y)
    assert len(y_test) == pytest.approx(len(y) / 4, abs=5)


def test_split_is_stratified(y_train, y_test):
    """Each digit has the same share of both parts."""
    shares = [np.bincount(part, minlength=10) / len(part) for part in (y_train, y_test)]
    np.testing.assert_allclose(*shares, atol=0.015)


def test_pipeline(make_model, X_test):
    """make_model() returns a pipeline of two steps or more that is not fitted."""
    assert len(make_model().steps) >= 2
    with pytest.raises(NotFittedError):
        make_model().predict(X_test)


def test_units_do_not_matter(make_model, unseen, draw):
    """Pixels in other units, when it is fitted and when it reads, give the same digits."""
    X, y = unseen
    units = 10 ** draw.uniform(-2, 2, 64)
    before = make_model().fit(X[:200], y[:200]).predict(X[200:])
    after = make_model().fit(X[:200] * units, y[:200]).predict(X[200:] * units)
    assert accuracy_score(before, after) >= 0.98


def test_rows_are_read_alone(make_model, unseen):
    """Rows that are read one at a time are read right, too."""
    X, y = unseen
    model = make_model().fit(X[:200], y[:200])
    alone = [model.predict(X[row : row + 1])[0] for row in range(200, 240)]
    assert accuracy_score(y[200:240], alone) >= 0.7


@pytest.mark.parametrize("share", [0.75, 0.85, 0.9])
def test_reads_unseen_digits(model, unseen, share):
    """model reads digits that nobody has seen."""
    X, y = unseen
    assert accuracy_score(y, model.predict(X)) >= share


def test_model_saw_training_rows_alone(model, make_model, X_train, y_train, X_test):
    """model reads the rows held out as a model does that has only the training rows."""
    honest = make_model().fit(X_train, y_train)
    read = honest.predict(X_test)
    assert len(np.unique(read)) == 10
    np.testing.assert_array_equal(model.predict(X_test), read)


def test_accuracy(accuracy, model, X_test, y_test):
    """accuracy is the share of rows held out that model reads right."""
    assert accuracy == pytest.approx(accuracy_score(y_test, model.predict(X_test)))


def test_recall_of_three(recall_by_digit):
    """recall_by_digit gives the recall of each digit that occurs."""
    y_true, y_pred = np.array([7, 7, 1, 7, 1]), np.array([7, 1, 1, 7, 5])
    assert recall_by_digit(y_true, y_pred) == pytest.approx({1: 1 / 2, 7: 2 / 3})


def test_recall_of_many(recall_by_digit, draw):
    """recall_by_digit is right for digits drawn after you handed in."""
    y_true, y_pred = draw.integers(0, 5, 60), draw.integers(0, 9, 60)
    labels = np.unique(y_true)
    recalls = recall_score(y_true, y_pred, labels=labels, average=None, zero_division=0)
    assert recall_by_digit(y_true, y_pred) == pytest.approx(dict(zip(labels, recalls, strict=True)))
