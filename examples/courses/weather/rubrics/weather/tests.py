"""Tests of a homework of two notebooks; each test asks the notebook of its item."""

import pytest


def test_to_celsius(to_celsius, draw):
    """`to_celsius` works for any temperature."""
    fahrenheit = draw.uniform(-40, 120)
    assert to_celsius(fahrenheit) == pytest.approx((fahrenheit - 32) * 5 / 9)


def test_parse_day(parse_day):
    """`parse_day` gives the date, and the temperature in degrees Celsius."""
    date, degrees = parse_day("2026-08-01, 71.6")
    assert date == "2026-08-01"
    assert degrees == pytest.approx(22.0, abs=0.1)


def test_parse_day_rounds(parse_day):
    """`parse_day` rounds to one decimal, and leaves spaces out."""
    assert parse_day(" 2026-08-05 , 70 ") == ("2026-08-05", 21.1)


def test_parse_day_refuses(parse_day):
    """`parse_day` gives None for a line without a comma, and for no other."""
    assert parse_day("2026-08-01,32") == ("2026-08-01", 0.0)
    assert parse_day("2026-08-01 71.6") is None


def test_warmest(warmest):
    """`warmest` gives the date of the warmest day."""
    assert warmest([("Mon", 20.5), ("Tue", 25.0), ("Wed", 23.0)]) == "Tue"


def test_warmest_first(warmest, draw):
    """`warmest` gives the first of several equally warm days, cold ones included."""
    degrees = draw.integers(-20, -1)
    assert warmest([("a", degrees - 5), ("b", degrees), ("c", degrees)]) == "b"


def test_warmest_of_none(warmest):
    """`warmest` gives None where there are no days, and the day where there is one."""
    assert warmest([("Mon", 1.0)]) == "Mon"
    assert warmest([]) is None
