"""Writes criteria into the text of a rubric file, and leaves all else of it as it is."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, cast

import tomlkit
from tomlkit.container import Container
from tomlkit.items import AoT, Array, Comment, Null, Table, Whitespace

from grader.errors import RubricError
from grader.model import Criterion, Item

_BLANK_LINE = "\n"
_TABLE = "[[item]]\n[[item.criterion]]\n{lines}"


def write_criteria(text: str, items: Iterable[Item]) -> str:
    """Return the text of a rubric file with the criteria of these items, in their order.

    Comments stay: those right above a criterion go with it, all others keep their place.

    Args:
        text: the file (TOML).
        items: items of the file; a criterion that the file has and an item lacks stays.

    Raises:
        RubricError: the file is written in a way that can't be changed so, or points can't be
            written in a rubric.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    plain = text.replace("\r\n", "\n")
    document = tomlkit.parse(plain if plain.endswith("\n") else f"{plain}\n")
    by_id = {item.id: item for item in items}
    for table in cast("Sequence[Table]", document.get("item", ())):
        item = by_id.get(str(table.get("id")))
        if item is not None:
            _write_item(table, item)
    written = document.as_string()
    _check(plain, written, by_id)
    if written == f"{plain}\n":  # nothing but the newline at the end
        return text
    return written.replace("\n", newline)


def _write_item(table: Table, item: Item) -> None:
    listed = cast("AoT | Array", table.get("criterion", ()))
    tables = {str(each["id"]): each for each in listed}
    for criterion in item.criteria:
        if criterion.id in tables:
            _set_values(tables[criterion.id], criterion)
    names = [criterion.id for criterion in item.criteria]
    names += [name for name in tables if name not in names]
    if names == list(tables):
        return
    new = {c.id: c for c in item.criteria if c.id not in tables}
    if isinstance(listed, Array):
        _rearrange_array(listed, [tables.get(n) or _values(new[n]) for n in names])
        return
    ordered = [tables.get(name) or _new_table(new[name]) for name in names]
    if tables:
        _rearrange(table, listed, ordered)
    else:
        _add_first(table, ordered)


def _set_values(table: Table, criterion: Criterion) -> None:
    """Change what differs; how the rest is written stays as it is."""
    for key, value in _values(criterion).items():
        if _plain(table.get(key)) != _plain(value):
            _set_value(table, key, value)
    if not criterion.retired and "retired" in table:
        table.remove("retired")


def _set_value(table: Table, key: str, value: object) -> None:
    if key in table:
        table[key] = value
    else:
        gap = _pop_gap(table.value)  # what is below the table belongs to what follows
        table.append(key, value)
        _append_gap(table.value, gap)


def _values(criterion: Criterion) -> dict[str, object]:
    values: dict[str, object] = {
        "id": criterion.id,
        "text": criterion.text,
        "points": _number(criterion.points),
    }
    return values | ({"retired": criterion.retired} if criterion.retired else {})


def _number(points: Fraction) -> int | float | str:
    """Return points as a rubric says them.

    Raises:
        RubricError: it can't say them.
    """
    if points.denominator == 1:
        return int(points)
    if Fraction(repr(float(points))) == points:
        return float(points)
    if points > 0:
        return str(points)
    raise RubricError(f"a rubric can't say {points} points: it is not a decimal number")


def _plain(value: object) -> object:
    """Return a value for comparison: numbers exactly, texts without spaces around them."""
    if isinstance(value, str):
        text = value.strip()
        return Fraction(text) if text.replace("/", "", 1).isdecimal() and "/" in text else text
    if isinstance(value, int | float):
        return Fraction(repr(value))
    return value


def _new_table(criterion: Criterion) -> Table:
    values = _values(criterion).items()
    lines = "".join(f"{key} = {tomlkit.item(value).as_string()}\n" for key, value in values)
    parsed = cast("Any", tomlkit.parse(_TABLE.format(lines=lines)))
    return cast("Table", parsed["item"][0]["criterion"][0])


# ---------------------------------------------------------------- the order, and what is between


def _rearrange_array(array: Array, values: Sequence[object]) -> None:
    array.clear()
    for value in values:
        array.append(value)


def _rearrange(parent: Table, tables: AoT, ordered: Sequence[Table]) -> None:
    """Put tables in order: a comment right above one goes with it, all else between them stays."""
    before = list(tables)
    gaps = [_pop_gap(table.value) for table in before]
    leads = {id(before[0]): _pop_lead_above(parent.value)}
    for table, gap in zip(before[1:], gaps, strict=False):
        leads[id(table)] = _pop_lead(gap)
    *between, last = gaps
    between += [[Whitespace(_BLANK_LINE)] for _ in ordered[len(before) :]]
    _append_above(parent.value, leads.get(id(ordered[0]), ()))
    for table, gap, following in zip(ordered, between, ordered[1:], strict=False):
        _append_gap(table.value, (*gap, *leads.get(id(following), ())))
    _append_gap(ordered[-1].value, last)
    tables.body[:] = ordered


def _add_first(parent: Table, ordered: Sequence[Table]) -> None:
    """Add the first criteria of an item, behind its last key."""
    holder: Container = parent.value
    while holder.body and isinstance(holder.body[-1][1], AoT | Table):  # the params of a check, say
        last = holder.body[-1][1]
        holder = last.body[-1].value if isinstance(last, AoT) else last.value
    gap = _pop_gap(holder)
    _append_gap(holder, [Whitespace(_BLANK_LINE)])
    tables = tomlkit.aot()
    tables.body.extend(ordered)
    parent.append("criterion", tables)
    for table in ordered[:-1]:
        _append_gap(table.value, [Whitespace(_BLANK_LINE)])
    _append_gap(ordered[-1].value, gap)


def _pop_gap(container: Container) -> list[Any]:
    """Take the blank lines and comments at the end of a table off it."""
    gap: list[Any] = []
    while container.body and isinstance(container.body[-1][1], Whitespace | Comment):
        gap.insert(0, container.body.pop()[1])
    return gap


def _append_gap(container: Container, gap: Iterable[Any]) -> None:
    container.body.extend((None, part) for part in gap)


def _pop_lead(gap: list[Any]) -> list[Any]:
    """Take the comments right above the next table off a gap."""
    lead: list[Any] = []
    while gap and isinstance(gap[-1], Comment):
        lead.insert(0, gap.pop())
    return lead


def _pop_lead_above(container: Container) -> list[Any]:
    """Take the comments right above the first criterion out of its item's table."""
    position = next(
        i for i, (key, _) in enumerate(container.body) if key and key.key == "criterion"
    )
    lead: list[Any] = []
    while position and isinstance(container.body[position - 1][1], Comment):
        position -= 1
        lead.insert(0, container.body[position][1])
        container.body[position] = (None, Null())  # the container knows its keys by position
    return lead


def _position_of_criteria(container: Container) -> int:
    keys = [key.key if key else "" for key, _ in container.body]
    return keys.index("criterion")


def _append_above(container: Container, lead: Iterable[Any]) -> None:
    """Put comments right above the first criterion."""
    text = "".join(part.as_string() for part in lead)
    if not text:
        return
    position = next(
        i for i, (key, _) in enumerate(container.body) if key and key.key == "criterion"
    )
    above = container.body[position - 1][1]
    if isinstance(above, Whitespace | Null):
        container.body[position - 1] = (None, Whitespace(above.as_string() + text))


# ---------------------------------------------------------------- nothing else has changed


def _check(before: str, after: str, items: Mapping[str, Item]) -> None:
    """Compare both texts as they are read.

    Raises:
        RubricError: a comment, or anything but these criteria, differs.
    """
    expected, read = tomllib.loads(before), tomllib.loads(after)
    for table in expected.get("item", ()):
        if (item := items.get(table.get("id"))) and item.criteria:
            table["criterion"] = _expected_tables(table.get("criterion", []), item)
    for table in (*expected.get("item", ()), *read.get("item", ())):
        for criterion in table.get("criterion", ()):
            criterion |= {key: _plain(criterion[key]) for key in ("text", "points")}
    lost = _comments(before) - _comments(after)
    if expected != read or lost:
        raise RubricError("its rubric items are written in a way that this command can't change")


def _expected_tables(before: Sequence[Mapping[str, Any]], item: Item) -> list[dict[str, Any]]:
    old = {table["id"]: {k: v for k, v in table.items() if k != "retired"} for table in before}
    wanted = [{**old.get(c.id, {}), **_values(c)} for c in item.criteria]
    return wanted + [dict(t) for t in before if t["id"] not in {c.id for c in item.criteria}]


def _comments(text: str) -> Counter[str]:
    return Counter(line.strip() for line in text.split("\n") if line.lstrip().startswith("#"))
