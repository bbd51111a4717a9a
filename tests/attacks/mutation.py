"""Answers of a notebook, made strange at random: what a forged probe may send."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from grader.model import Array, Observation, Trace

STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    10**30,
    1e308,
    float("inf"),
    "",
    "x",
    "\ud800",
    [],
    [1],
    {},
    {"a": 1},
    [[]],
    -(2**63),
)
ARRAYS: tuple[Array, ...] = (
    np.zeros(()),
    np.zeros(0),
    np.zeros((0, 128)),
    np.zeros((3, 0)),
    np.ones(3, bool),
    np.full((3, 128), np.nan),
    np.full((3, 128), np.inf),
    np.full((3, 128), 1e300),
    np.full((3, 128), -128, np.int8),
    np.full((3, 3, 32, 32), 2**63, np.uint64),
    np.zeros((1,) * 20),
    np.full((3, 128), 60_000, np.float16),
    np.full((3, 3, 32, 32), 3e38, np.float32),
)


def mutated(trace: Trace, *, rng: random.Random) -> Trace:
    """The trace with some of what was observed exchanged or left out."""
    strangely = {key: _observation(one, rng) for key, one in trace.observations.items()}
    return replace(trace, observations=strangely)


def _observation(one: Observation, rng: random.Random) -> Observation:
    data = _value(dict(one.data), rng) if rng.random() < 0.6 else one.data
    often = rng.choice((0.0, 0.02, 0.3))
    arrays = {
        key: rng.choice(ARRAYS) if rng.random() < often else array
        for key, array in one.arrays.items()
        if rng.random() > 0.01
    }
    return replace(one, data=data if isinstance(data, Mapping) else {}, arrays=arrays)


def _value(value: Any, rng: random.Random) -> Any:
    if rng.random() < 0.03:
        return rng.choice(STRANGE)
    if isinstance(value, dict):
        return {key: _value(part, rng) for key, part in value.items() if rng.random() > 0.01}
    if isinstance(value, (list, tuple)):
        return [_value(part, rng) for part in value if rng.random() > 0.02]
    return value
