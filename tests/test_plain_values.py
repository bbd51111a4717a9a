"""Values cross the wall by their exact types, and come back as what they were."""

from __future__ import annotations

import collections
import datetime as dt
import decimal
import fractions
import pathlib
import uuid
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from grader.selfcheck.inside_loader import load_inside

plain_values = load_inside("plain_values")
frames = load_inside("frames")
Point = collections.namedtuple("Point", "x y")  # noqa: PYI024 (what students write)
INDEX = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["letter", "number"])


class Grown(list[int]):
    """A list that says it equals anything."""

    __eq__ = lambda *_: True  # noqa: E731
    __hash__ = None


PLAIN = [
    *(None, ..., True, 1, -5, 2**53, -(2**70), 1.5, float("nan"), float("inf"), -0.0, 1 + 2j),
    *("ü\ud800", "", "x" * 1000, b"ab\x00", bytearray(b"z"), range(3), slice(1, None, 2)),
    *([1, [2, [3]]], (1, 2), {1, 2}, frozenset([3]), {"a": 1, (1, 2): [3]}, [], (), {}),
    *(list(range(1000)), [1.0, float("nan")] * 100, [True] * 70, [2**80] * 70, [1, 2.0] * 50),
    *(decimal.Decimal("1.50"), fractions.Fraction(1, 3), uuid.UUID(int=5), pathlib.Path("a/b")),
    *(dt.date(2020, 1, 2), dt.time(1, 2), dt.timedelta(1, 2, 3)),
    dt.datetime(2020, 1, 2, 3, tzinfo=dt.UTC),
    *(collections.OrderedDict(a=1), collections.Counter("aab"), collections.deque([1, 2])),
    collections.defaultdict(None, {"a": [1]}),
    *(np.arange(6).reshape(2, 3), np.array(["a", "bc"]), np.array([1 + 1j]), np.zeros((0, 3))),
    *(np.array(["2020-01-01"], dtype="datetime64[D]"), np.array([1, "a", None], dtype=object)),
    *(np.array([1, 2], dtype=">i4"), np.array([], dtype=object), np.array([b"x"]), np.array(3.0)),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    *(np.float32(1.5), np.str_("hi"), np.bool_(True), np.datetime64("2020-01-01")),
    *(torch.arange(3), torch.ones(2, requires_grad=True), torch.nn.Parameter(torch.ones(2))),
    *(torch.tensor(3.5), torch.tensor([True]), torch.ones(2, dtype=torch.bfloat16)),
    *(torch.ones(2, dtype=torch.complex64), torch.tensor(2, dtype=torch.int8), torch.zeros(0, 2)),
    *(pd.DataFrame({"a": [1, 2], "b": ["x", None]}), pd.DataFrame(), INDEX, pd.RangeIndex(3)),
    *(pd.Series([1.0, 2.0], index=INDEX, name="v"), pd.Series([[1], {"a": 2}])),
    pd.Series(pd.Categorical(["a", "b", "a"], ordered=True)),
    pd.Series(pd.to_datetime(["2020-01-01", "2020-06-01"]).tz_localize("Europe/Berlin")),
    *(pd.Series([1, None], dtype="Int64"), pd.Series(["a", None], dtype="string")),
    *(pd.Series([True, None], dtype="boolean"), pd.to_datetime(["2020-01-01"])),
    *(pd.Timestamp("2020-01-01 10:00", tz="UTC"), pd.Timedelta("1D"), pd.NaT, pd.NA),
    pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])),
    *(pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.Index([1, 2], name="k")),
    pd.CategoricalIndex(["a"]),
    *(sparse.csr_matrix(np.eye(2)), sparse.coo_array(np.eye(2))),
]


def cross(value: Any) -> tuple[Any, list[Any]]:
    """Return what a value is on the other side, and the objects that stayed on this one."""
    kept: list[Any] = []

    def refer(own: Any) -> dict[str, Any]:
        kept.append(own)
        return {"": "object", "id": len(kept) - 1}

    encoder = plain_values.ValueEncoder(refer)
    tree = encoder.encode(value)
    header, arrays = frames.unpack_body(frames.pack_body({"v": tree}, encoder.arrays))
    decoder = plain_values.ValueDecoder(arrays, lambda reference: f"object {reference['id']}")
    return decoder.decode(header["v"]), kept


def assert_same(own: Any, crossed: Any) -> None:
    assert type(own) is type(crossed)
    if isinstance(own, pd.DataFrame):
        pd.testing.assert_frame_equal(own, crossed)
    elif isinstance(own, pd.Series):
        pd.testing.assert_series_equal(own, crossed)
    elif isinstance(own, pd.Index):
        pd.testing.assert_index_equal(own, crossed, exact=True)
    elif isinstance(own, torch.Tensor):
        assert own.dtype == crossed.dtype
        assert own.requires_grad == crossed.requires_grad
        assert torch.equal(own, crossed)
    elif sparse.issparse(own):
        assert own.format == crossed.format
        assert (own != crossed).nnz == 0
    elif isinstance(own, np.ndarray):
        assert own.dtype.newbyteorder("=") == crossed.dtype
        assert own.shape == crossed.shape
        np.testing.assert_array_equal(own, crossed)
    else:
        assert repr(own) == repr(crossed)


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: f"{type(value).__name__}")
def test_a_plain_value_comes_back_as_itself(value: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        crossed, kept = cross(value)
        assert_same(value, crossed)
    assert kept == []


def test_a_named_tuple_is_rebuilt_without_its_methods() -> None:
    crossed, kept = cross([Point(1, 2)])
    assert crossed == [(1, 2)]
    assert crossed[0].x == 1
    assert not kept


def test_a_gradient_crosses_with_its_tensor() -> None:
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    (weight * 3).sum().backward()  # type: ignore[no-untyped-call]
    crossed, _ = cross(weight)
    assert crossed.grad.item() == 3


def test_a_subclass_that_lies_stays_where_it_is() -> None:
    crossed, kept = cross([Grown([1]), 2])
    assert crossed == ["object 0", 2]
    assert type(kept[0]) is Grown


def deep(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def cyclic() -> list[Any]:
    value: list[Any] = [1]
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [deep(10_000), cyclic(), [[0] for _ in range(300_000)], "x" * (129 * 2**20)],
    ids=["deep", "cyclic", "many", "long"],
)
def test_what_is_beyond_the_bounds_is_only_referred_to(value: Any) -> None:
    crossed, kept = cross(value)
    assert crossed == "object 0"
    assert len(kept) == 1


MALFORMED = [
    {"": "integer", "v": "0x"},
    {"": "tuple"},
    {"": "array", "a": "none"},
    {"": "array", "o": [1], "s": [2]},
    {"": "named", "n": "P", "f": ["class"], "v": [1]},
    {"": "dict", "v": [[1]]},
    {"": "dict", "v": [[[], 1]]},
    {"": "decimal", "v": "one"},
    {"": "scalar", "a": 3},
    {"": "frame", "v": []},
    {"": "tensor", "v": 1},
    {"no": "tag"},
    {"": ["tuple"]},
]


@pytest.mark.parametrize("tree", MALFORMED, ids=str)
def test_a_tree_that_stands_for_nothing_is_refused(tree: Any) -> None:
    def refuse(_: Any) -> Any:
        raise plain_values.Malformed("unknown tag")

    with pytest.raises(plain_values.Malformed):
        plain_values.ValueDecoder({}, refuse).decode(tree)
