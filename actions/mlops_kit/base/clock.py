"""The current time, times as text, and spans in words.

The variable MLOPS_NOW sets another current time, so that past months can be replayed.
"""

import os
import re
from datetime import UTC, datetime, timedelta

from mlops_kit.base.errors import KitError

VARIABLE = "MLOPS_NOW"
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def now() -> datetime:
    """Raises KitError where MLOPS_NOW is no moment."""
    return given() or datetime.now(UTC)


def given() -> datetime | None:
    """The time that MLOPS_NOW sets; None if it is not set. Raises KitError if it is not a time."""
    text = os.environ.get(VARIABLE)
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise KitError(f"{VARIABLE} is {text!r}, which is no moment.", "Write 2026-11-24T08:00.") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def lasting(span: timedelta) -> str:
    """For people: 3 days 4 hours, 2 hours, 5 minutes."""
    minutes = max(int(span.total_seconds() // 60), 1)
    days, hours = minutes // 1440, minutes // 60 % 24
    parts = [(days, "day"), (hours, "hour"), (minutes % 60 if minutes < 60 else 0, "minute")]
    return " ".join(f"{n} {unit}{'s' * (n != 1)}" for n, unit in parts if n)


def timestamp(at: datetime | None = None) -> str:
    """A time, by default the current one, as the events have it: 2026-11-24T08:00:00.000Z."""
    return (at or now()).astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Parse a time in ISO 8601; UTC if it names no zone. Raises ValueError for anything else."""
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def when(text: str, at: datetime | None = None) -> datetime:
    """Parse a time (2026-11-24, 2026-11-24T08:00), or a span before `at`, by default now (90m, 24h, 7d, 2w)."""
    if match := re.fullmatch(r"(\d+)([mhdw])", text):
        ago = timedelta(**{UNITS[match[2]]: int(match[1])})
        return (at or now()) - ago
    try:
        return moment(text)
    except ValueError as error:
        raise KitError(
            f"{text!r} is no moment.", "Write 2026-11-24, 2026-11-24T08:00, or 24h, 7d, 2w for so long ago."
        ) from error
