"""What time it is; MLOPS_NOW sets another, so that months that are past can be gone through as if they were now."""

import os
from datetime import UTC, datetime, timedelta

from mlops_kit.errors import KitError

VARIABLE = "MLOPS_NOW"


def now() -> datetime:
    """Raises KitError where MLOPS_NOW is no moment."""
    given = os.environ.get(VARIABLE)
    if not given:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(given)
    except ValueError as error:
        raise KitError(f"{VARIABLE} is {given!r}, which is no moment.", "Write 2026-11-24T08:00.") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def lasting(span: timedelta) -> str:
    """For people: 3 days 4 hours, 2 hours, 5 minutes."""
    minutes = max(int(span.total_seconds() // 60), 1)
    days, hours = minutes // 1440, minutes // 60 % 24
    parts = [(days, "day"), (hours, "hour"), (minutes % 60 if minutes < 60 else 0, "minute")]
    return " ".join(f"{n} {unit}{'s' * (n != 1)}" for n, unit in parts if n)
