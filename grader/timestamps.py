"""Parse dates and times that have an offset from UTC; a missing offset is never guessed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

EXAMPLE = "2026-11-20T23:59:00-06:00"


def parse_due(value: object, *, zone: tzinfo | None = None) -> datetime:
    """Parse a due date.

    Args:
        value: text in ISO 8601, or a value that a TOML reader returned.
        zone: the time zone of the course, for the advice where there is no offset.

    Raises:
        ValueError: it is no date and time, or has no offset; the message says what to write.
    """
    moment = value if isinstance(value, datetime) else _parse_iso(value)
    if moment is None:
        raise ValueError(f"must be a date and time with its offset, such as {EXAMPLE}")
    if moment.utcoffset() is None:
        raise ValueError(_advice(moment, zone=zone))
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"is out of any calendar; write one such as {EXAMPLE}") from None
    return moment


def _advice(naive: datetime, *, zone: tzinfo | None) -> str:
    """Return what is wrong with a time without an offset, and what to write instead."""
    if zone is not None:
        suggestion = naive.replace(tzinfo=zone).isoformat()
        return f"has no offset from UTC; in {zone} it would be {suggestion}"
    return (
        f"has no offset from UTC; write {naive.isoformat()} with that of your place on that day "
        f"behind it, as in {EXAMPLE}"
    )


def parse_lms_time(text: str, *, zone: tzinfo) -> datetime | None:
    """Parse a time that a learning management system wrote; return it in UTC, or None.

    For a time that clocks show twice or never, when they are set back or forward, it returns the
    earlier of the two possible moments.

    Args:
        text: ISO 8601, with or without an offset.
        zone: the time zone to assume without an offset.
    """
    moment = _parse_iso(text)
    if moment is None:
        return None
    try:
        if moment.utcoffset() is not None:
            return moment.astimezone(UTC)
        return min(moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except (OverflowError, ValueError):
        return None


def find_zone(name: str) -> ZoneInfo:
    """Find a time zone by its IANA name.

    Raises:
        ValueError: there is no such time zone; the message suggests one with a similar name.
    """
    known = available_timezones()
    if name in known:
        return ZoneInfo(name)
    folded = {zone_name.casefold(): zone_name for zone_name in sorted(known)}
    near = get_close_matches(name.replace(" ", "_").casefold(), folded, n=1, cutoff=0.5)
    hint = f"did you mean '{folded[near[0]]}'?" if near else "use one such as 'America/Chicago'"
    raise ValueError(f"there is no time zone '{name}'; {hint}")


def now_text() -> str:
    """Return the current time in UTC, in ISO 8601 to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def utc_offset(moment: datetime) -> timezone:
    """Return a moment's offset from UTC as a time zone of its own."""
    return timezone(moment.utcoffset() or timedelta(0))


def _parse_iso(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None
