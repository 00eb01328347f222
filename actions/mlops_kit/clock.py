"""What time it is; MLOPS_NOW sets another, so that months that are past can be gone through as if they were now."""

import os
from datetime import UTC, datetime

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
