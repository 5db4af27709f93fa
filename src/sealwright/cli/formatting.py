"""Times, durations, counts and columns as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

_UNITS = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
    ("second", timedelta(seconds=1)),
)
_ROUNDING = 1 / 20
_NEAR_DAYS = 60


def counted(number: int, noun: str) -> str:
    """``1 hour``, ``8 hours``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def duration(length: timedelta) -> str:
    """A duration in the largest unit that fits it to within a twentieth: ``8 hours``, ``61 days``, ``90 minutes``."""
    seconds = max(length.total_seconds(), 0)
    for noun, unit in _UNITS:
        amount = seconds / unit.total_seconds()
        if amount > 1 - _ROUNDING and abs(amount - round(amount)) <= amount * _ROUNDING:
            return counted(round(amount), noun)
    return counted(round(seconds), "second")


def local(moment: datetime) -> datetime:
    """The same moment in the reader's zone."""
    return moment.astimezone()


def moment(then: datetime, now: datetime) -> str:
    """A moment near `now` in the reader's zone: ``18:04 today``, ``18:04 tomorrow``, ``18:04 on 3 Dec``, ``22 Nov 2031``."""
    then, now = local(then), local(now)
    days = (then.date() - now.date()).days
    clock = f"{then:%H:%M}"
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days)
    if near:
        return f"{clock} {near}"
    day = f"{then.day} {then:%b}"
    return f"{clock} on {day}" if abs(days) < _NEAR_DAYS and then.year == now.year else f"{day} {then.year}"


def until(then: datetime, now: datetime) -> str:
    """``until 18:04 today (8 hours)``, or ``expired at 18:04 yesterday (8 hours ago)``."""
    if then <= now:
        return f"expired {moment(then, now)} ({duration(now - then)} ago)"
    return f"until {moment(then, now)} ({duration(then - now)})"


def stamp(then: datetime) -> str:
    """A moment in the reader's zone, to the minute, with the offset from UTC: for lists."""
    then = local(then)
    offset = f"{then:%z}"
    return f"{then:%Y-%m-%d %H:%M}{'Z' if offset == '+0000' else offset}"


def parsed(text: str) -> datetime:
    """An RFC 3339 time as the server writes it."""
    return datetime.fromisoformat(text.replace("Z", "+00:00") if text.endswith("Z") else text)


def columns(rows: Sequence[Sequence[str]], *, gap: int = 2, right: frozenset[int] = frozenset()) -> list[str]:
    """Rows as lines with aligned columns; columns in `right` are aligned to the right."""
    if not rows:
        return []
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.rjust(widths[index]) if index in right else cell.ljust(widths[index]) for index, cell in enumerate(row)]
        lines.append((" " * gap).join(cells).rstrip())
    return lines


def listed(words: Sequence[str], *, last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *first, final = words or [""]
    return f"{', '.join(first)} {last} {final}" if first else final
