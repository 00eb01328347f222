"""What time it is; MLOPS_NOW sets another, so that months that are past can be gone through as if they were now."""

import os
from datetime import UTC, datetime, timedelta

from mlops_kit.base.errors import KitError

VARIABLE = "MLOPS_NOW"


def now() -> datetime:
    """Raises KitError where MLOPS_NOW is no moment."""
    return given() or datetime.now(UTC)


def given() -> datetime | None:
    """What MLOPS_NOW says. Raises KitError where it is no moment."""
    said = os.environ.get(VARIABLE)
    if not said:
        return None
    try:
        found = datetime.fromisoformat(said)
    except ValueError as error:
        raise KitError(f"{VARIABLE} is {said!r}, which is no moment.", "Write 2026-11-24T08:00.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def lasting(span: timedelta) -> str:
    """For people: 3 days 4 hours, 2 hours, 5 minutes."""
    minutes = max(int(span.total_seconds() // 60), 1)
    days, hours = minutes // 1440, minutes // 60 % 24
    parts = [(days, "day"), (hours, "hour"), (minutes % 60 if minutes < 60 else 0, "minute")]
    return " ".join(f"{n} {unit}{'s' * (n != 1)}" for n, unit in parts if n)
