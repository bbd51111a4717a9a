"""The wrong solutions that attacks want points for, and the notebooks made of both."""

# nbformat is typed in part only, hence:
# mypy: disable-error-code="no-untyped-call,no-any-return"

from __future__ import annotations

import json
from collections.abc import Mapping
from textwrap import dedent

import nbformat
from attack import Attack, Base
from variant import Variant, build, changed
from variants_encoder import NORMALIZE

ZEROS = Variant(
    "forward returns zeros of the right shape",
    {
        "encoder": changed(
            "encoder", (NORMALIZE, "return x.new_zeros(len(x), 128).requires_grad_()")
        )
    },
    {"Q2.3.1": 0, "Q2.3.2": 0, "V4": 0, "V5": 2.5, "V6": 0},
)
STILL = Variant(
    "the training never steps",
    {"train": changed("train", ("    optimizer.step()\n", ""))},
    {"Q2.3.2": 4, "V6": 0},
)
RAISES = Variant(
    "a cell raises",
    {"similarities": changed("similarities") + "\n\n1 / 0"},
    {"V1": 5},
)
BASES: Mapping[Base, Variant] = {"zeros": ZEROS, "still": STILL, "raises": RAISES}

PRELUDE = """\
import json as _json

WORLD = _json.loads({world!r})
came_of_it = {{}}


class Told(Exception):
    pass


def attempt(what, action):
    try:
        came_of_it[what] = "DONE " + str(action())[:200]
    except BaseException as error:
        came_of_it[what] = "refused " + type(error).__name__ + " " + str(error)[:60]


"""
"""Before an attack's code: where things are, and how attempts are kept."""
TELL = "\n\nraise Told(_json.dumps(came_of_it))\n"


def plain(base: Base) -> nbformat.NotebookNode:
    """The wrong solution without an attack."""
    return build(BASES[base])


def attacking(attack: Attack, *, world: Mapping[str, object]) -> nbformat.NotebookNode:
    """The wrong solution with the attack in a cell of its own."""
    book = plain(attack.base)
    source = dedent(attack.code).strip() + "\n"
    if "WORLD" in source or attack.tells:
        source = PRELUDE.format(world=json.dumps(dict(world))) + source
    cell = nbformat.v4.new_code_cell(source + (TELL if attack.tells else ""), id="attack")
    ids = [one.id for one in book.cells]
    place = {"first": 1, "encoder": ids.index("encoder-1") + 1, "last": len(ids)}[attack.where]
    book.cells.insert(place, cell)
    return book
